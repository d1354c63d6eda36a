//! How a stretch of sound goes on: its last pitch period, and noise, behind a filter of its spectrum.

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
/// Uniform noise has this peak for a root mean square of 1: √12 from end to end.
const UNIFORM: f32 = 3.464;

#[derive(Clone, Debug)]
pub(super) struct Continuation {
    /// The predictor without its leading 1.
    predictor: Vec<f32>,
    /// What came last, newest first.
    memory: Vec<f32>,
    /// One period of the predictor's error, which drives it; its end is blended so that it follows itself smoothly.
    period: Vec<f32>,
    at: usize,
    /// The share of the period, 0 to 1; the rest is noise of the same loudness.
    periodicity: f32,
    loudness: f32,
    noise: u32,
}

impl Continuation {
    /// Continues `sound`, whose end counts, by its pitch, or by its last 10 ms.
    ///
    /// It must be longer than 10 ms.
    pub(super) fn of(sound: &[i16], per_ms: usize, searches: bool) -> Self {
        let sound: Vec<f32> = sound.iter().map(|sample| f32::from(*sample)).collect();
        let order = ORDER_PER_KHZ * per_ms;
        let predictor = predictor(&sound, (WINDOW_MS * per_ms).min(sound.len()), order);
        let (length, alike) = if searches {
            period(&sound, per_ms)
        } else {
            (PLAIN_PERIOD_MS * per_ms, 1.0)
        };
        let error = error(&sound, &predictor, length + length / 4);
        let period = loop_of(&error, length);
        let energy: f32 = period.iter().map(|e| e * e).sum();
        Self {
            memory: sound.iter().rev().take(order).copied().collect(),
            predictor,
            at: 0,
            periodicity: (alike.max(0.0) / PERIODIC).min(1.0),
            loudness: (energy / length as f32).sqrt(),
            noise: 1,
            period,
        }
    }

    /// How many samples its pitch period has.
    pub(super) fn period(&self) -> usize {
        self.period.len()
    }

    pub(super) fn next(&mut self) -> f32 {
        // Numerical Recipes' generator: the ear needs no better.
        self.noise = self
            .noise
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        let uniform = (self.noise >> 8) as f32 / (1 << 24) as f32 - 0.5;
        let noise = uniform * UNIFORM * self.loudness;
        let rest = (1.0 - self.periodicity * self.periodicity).sqrt();
        let drive = self.periodicity * self.period[self.at] + rest * noise;
        self.at = (self.at + 1) % self.period.len();
        let predicted: f32 = self
            .predictor
            .iter()
            .zip(&self.memory)
            .map(|(a, m)| a * m)
            .sum();
        let sample = (drive - predicted).clamp(f32::from(i16::MIN), f32::from(i16::MAX));
        self.memory.rotate_right(1);
        if let Some(newest) = self.memory.first_mut() {
            *newest = sample;
        }
        sample
    }
}

/// The lag at which the end of `sound` resembles what came before it most, and how much.
fn period(sound: &[f32], per_ms: usize) -> (usize, f32) {
    let end = sound.len();
    let shortest = 5 * per_ms / SHORTEST_PERIODS_IN_5_MS;
    // A short sound leaves a fifth to compare, and has to have a quarter of a period before it.
    let longest = (LONGEST_PERIOD_MS * per_ms).min(end * 4 / 5 - 1);
    most_alike(shortest..=longest, |lag, step| {
        let compared = (COMPARED_MS * per_ms).min(end - lag);
        let earlier = &sound[end - compared - lag..end - lag];
        likeness(&sound[end - compared..], earlier, step)
    })
}

/// The linear predictor of the last `length` samples: autocorrelation and Levinson's recursion.
fn predictor(sound: &[f32], length: usize, order: usize) -> Vec<f32> {
    let windowed = windowed(&sound[sound.len() - length..]);
    let mut correlation: Vec<f32> = (0..=order)
        .map(|lag| {
            let later = windowed[lag..].iter();
            later.zip(&windowed).map(|(a, b)| a * b).sum()
        })
        .collect();
    // A floor 40 dB below, lest silence or a pure tone make the filter ring for ever.
    correlation[0] = correlation[0] * 1.0001 + 1.0;
    let mut predictor = vec![0.0; order];
    let mut before = vec![0.0; order];
    let mut error = correlation[0];
    for at in 0..order {
        let known = &predictor[..at];
        let sum: f32 = known
            .iter()
            .zip(correlation[1..=at].iter().rev())
            .map(|(a, r)| a * r)
            .sum();
        let reflection = -(correlation[at + 1] + sum) / error;
        before[..at].copy_from_slice(known);
        for (index, a) in predictor[..at].iter_mut().enumerate() {
            *a += reflection * before[at - 1 - index];
        }
        predictor[at] = reflection;
        error *= 1.0 - reflection * reflection;
        if error <= 0.0 {
            break;
        }
    }
    predictor
}

/// Rises slowly and falls in the last eighth, so that what came last counts most.
fn windowed(sound: &[f32]) -> Vec<f32> {
    let fall = sound.len() / 8;
    let rise = sound.len() - fall;
    let shape = |at: usize| {
        let along = match at < rise {
            true => (at as f32 + 0.5) / rise as f32,
            false => ((rise + fall - at) as f32 - 0.5) / fall as f32,
        };
        (along * std::f32::consts::FRAC_PI_2).sin()
    };
    let samples = sound.iter().enumerate();
    samples.map(|(at, sample)| shape(at) * sample).collect()
}

/// What the predictor gets wrong in the last `length` samples; before the sound there was silence.
fn error(sound: &[f32], predictor: &[f32], length: usize) -> Vec<f32> {
    let begin = sound.len().saturating_sub(length);
    (begin..sound.len())
        .map(|at| {
            let before = sound[..at].iter().rev();
            let predicted: f32 = predictor.iter().zip(before).map(|(a, s)| a * s).sum();
            sound[at] + predicted
        })
        .collect()
}

/// The last `length` samples, their last quarter led over into what came before them.
fn loop_of(error: &[f32], length: usize) -> Vec<f32> {
    let begin = error.len() - length;
    let mut period = error[begin..].to_vec();
    let blend = (length / 4).min(begin);
    let before = &error[begin - blend..begin];
    for (index, earlier) in before.iter().enumerate() {
        let share = (index + 1) as f32 / (blend + 1) as f32;
        let sample = &mut period[length - blend + index];
        *sample += (earlier - *sample) * share;
    }
    period
}
