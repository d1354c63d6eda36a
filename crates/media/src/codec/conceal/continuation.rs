//! How a stretch of sound goes on: its last pitch period, and noise, behind a filter of its spectrum.

use super::super::prediction::{MOST, WhiteNoise, autocorrelate, levinson};
use super::likeness::{likeness, most_alike};

/// The longest pitch period (66 Hz: G.711 Appendix I §I.2.1), and the shortest (400 Hz).
pub(super) const LONGEST_PERIOD_MS: usize = 15;
const SHORTEST_PERIODS_IN_5_MS: usize = 2;
/// The period that stands for any other where it is not searched for.
const PLAIN_PERIOD_MS: usize = 10;
/// The most that is compared in the search for the period: Appendix I takes 20 ms.
pub(super) const COMPARED_MS: usize = 20;
/// The spectrum is that of the last so many milliseconds.
const WINDOW_MS: usize = 25;
/// One formant for each kilohertz.
const ORDER_PER_KHZ: usize = 2;
/// Sound that is as alike from period to period as this gets no noise.
const PERIODIC: f32 = 0.8;

/// Made once and restarted for each gap, so that playing allocates nothing.
#[derive(Debug)]
pub(super) struct Continuation {
    per_ms: usize,
    /// Without its leading 1.
    predictor: [f32; MOST],
    /// One period of the predictor's error, which drives it; its end is blended so that it follows itself smoothly.
    period: Vec<f32>,
    /// The share of the period, 0 to 1; the rest is noise of the same loudness.
    periodicity: f32,
    loudness: f32,
    place: Place,
    /// What is continued, and the part of it whose spectrum counts.
    sound: Vec<f32>,
    windowed: Vec<f32>,
}

/// How far it has gone on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    at: usize,
    noise: WhiteNoise,
    /// What came last, newest first.
    memory: [f32; MOST],
}

impl Continuation {
    pub(super) fn new(per_ms: usize) -> Self {
        let longest = (LONGEST_PERIOD_MS + COMPARED_MS).max(120) * per_ms;
        Self {
            per_ms,
            predictor: [0.0; MOST],
            period: Vec::with_capacity(LONGEST_PERIOD_MS * per_ms),
            periodicity: 0.0,
            loudness: 0.0,
            place: Place {
                at: 0,
                noise: WhiteNoise::new(),
                memory: [0.0; MOST],
            },
            sound: Vec::with_capacity(longest),
            windowed: Vec::with_capacity(WINDOW_MS * per_ms),
        }
    }

    /// Continues `sound`, whose end counts and which has more than 10 ms, by its pitch, or by its last 10 ms.
    pub(super) fn restart<'a>(&mut self, sound: impl Iterator<Item = &'a i16>, searches: bool) {
        self.sound.clear();
        self.sound.extend(sound.map(|sample| f32::from(*sample)));
        self.predict();
        let (length, alike) = if searches {
            period(&self.sound, self.per_ms)
        } else {
            (PLAIN_PERIOD_MS * self.per_ms, 1.0)
        };
        self.loop_last(length);
        let energy: f32 = self.period.iter().map(|e| e * e).sum();
        self.loudness = (energy / length as f32).sqrt();
        self.periodicity = (alike.max(0.0) / PERIODIC).min(1.0);
        let mut memory = [0.0; MOST];
        let newest = self.sound.iter().rev();
        memory.iter_mut().zip(newest).for_each(|(to, s)| *to = *s);
        self.place = Place {
            at: 0,
            noise: WhiteNoise::new(),
            memory,
        };
    }

    /// How many samples its pitch period has.
    pub(super) fn period(&self) -> usize {
        self.period.len()
    }

    /// Where it is, to go back to.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn go_back(&mut self, place: Place) {
        self.place = place;
    }

    pub(super) fn next(&mut self) -> f32 {
        let rest = (1.0 - self.periodicity * self.periodicity).sqrt();
        let place = &mut self.place;
        let noise = place.noise.next() * self.loudness;
        let drive = self.periodicity * self.period[place.at] + rest * noise;
        place.at = (place.at + 1) % self.period.len();
        let order = ORDER_PER_KHZ * self.per_ms;
        let predictor = &self.predictor[..order];
        let terms = predictor.iter().zip(&place.memory);
        let predicted: f32 = terms.map(|(a, m)| a * m).sum();
        let sample = (drive - predicted).clamp(f32::from(i16::MIN), f32::from(i16::MAX));
        place.memory[..order].rotate_right(1);
        place.memory[0] = sample;
        sample
    }

    /// Finds the predictor of the last 25 ms: autocorrelation and Levinson's recursion.
    fn predict(&mut self) {
        let length = (WINDOW_MS * self.per_ms).min(self.sound.len());
        let last = &self.sound[self.sound.len() - length..];
        self.windowed.clear();
        let samples = last.iter().enumerate();
        self.windowed
            .extend(samples.map(|(at, s)| window(at, length) * s));
        let mut correlation = [0.0; MOST + 1];
        let correlation = &mut correlation[..=ORDER_PER_KHZ * self.per_ms];
        autocorrelate(&self.windowed, correlation);
        // A floor 40 dB below, lest silence or a pure tone make the filter ring for ever.
        correlation[0] = correlation[0] * 1.0001 + 1.0;
        self.predictor = levinson(correlation).predictor;
    }

    /// Takes the predictor's error in the last `length` samples, the last quarter of which is led over into what came before
    /// them.
    fn loop_last(&mut self, length: usize) {
        let end = self.sound.len();
        self.period.clear();
        for at in end - length..end {
            let error = self.error(at);
            self.period.push(error);
        }
        let blend = (length / 4).min(end - length);
        for index in 0..blend {
            let earlier = self.error(end - length - blend + index);
            let share = (index + 1) as f32 / (blend + 1) as f32;
            let sample = &mut self.period[length - blend + index];
            *sample += (earlier - *sample) * share;
        }
    }

    /// What the predictor gets wrong; before the sound there was silence.
    fn error(&self, at: usize) -> f32 {
        let before = self.sound[..at].iter().rev();
        let predictor = &self.predictor[..ORDER_PER_KHZ * self.per_ms];
        let predicted: f32 = predictor.iter().zip(before).map(|(a, s)| a * s).sum();
        self.sound[at] + predicted
    }
}

/// The lag at which the end of `sound` resembles what came before it most, and how much.
fn period(sound: &[f32], per_ms: usize) -> (usize, f32) {
    let end = sound.len();
    let shortest = 5 * per_ms / SHORTEST_PERIODS_IN_5_MS;
    // A short sound leaves a fifth to compare.
    let longest = (LONGEST_PERIOD_MS * per_ms).min(end * 4 / 5 - 1);
    most_alike(shortest..=longest, |lag, step| {
        let compared = (COMPARED_MS * per_ms).min(end - lag);
        let earlier = &sound[end - compared - lag..end - lag];
        likeness(&sound[end - compared..], earlier, step)
    })
}

/// Rises slowly and falls in the last eighth, so that what came last counts most.
fn window(at: usize, length: usize) -> f32 {
    let fall = length / 8;
    let rise = length - fall;
    let along = match at < rise {
        true => (at as f32 + 0.5) / rise as f32,
        false => ((length - at) as f32 - 0.5) / fall as f32,
    };
    (along * std::f32::consts::FRAC_PI_2).sin()
}
