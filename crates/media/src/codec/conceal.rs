//! Concealment for codecs without their own: the last pitch period is repeated and fades.
//!
//! After G.711 Appendix I, but without its 3.75 ms of delay: where the repeated period doesn't meet the last
//! sample heard, the step is spread over a quarter of a period, instead of blended into what is not yet played.

use audio::Rate;

/// The longest pitch period, 15 ms (66 Hz), and the shortest, 5 ms (200 Hz): Appendix I §I.2.1.
const LONGEST_PERIOD_MS: usize = 15;
const SHORTEST_PERIOD_MS: usize = 5;
/// The period that stands for any other where it is not searched for.
const PLAIN_PERIOD_MS: usize = 10;
/// The stretch compared in the search for the period: Appendix I takes 20 ms.
const COMPARED_MS: usize = 20;
/// Full volume for this long, then a linear fade to silence at 60 ms (Appendix I §I.2.5).
const HOLD_MS: usize = 10;
const SILENT_AFTER_MS: usize = 60;

/// Remembers the last sound heard and continues it over gaps.
#[derive(Debug)]
pub(super) struct Concealer {
    per_ms: usize,
    /// Whether the next gap's period is searched for.
    searches: bool,
    /// The sound played last, oldest first.
    history: Vec<i16>,
    gap: Option<Concealment>,
    /// Where the next gap's period is put, kept so that playing allocates nothing.
    spare: Vec<f32>,
}

/// What is being repeated.
#[derive(Debug)]
struct Concealment {
    /// The pitch period, its end blended so that it follows itself smoothly.
    period: Vec<f32>,
    /// What the last sample heard was above the one a period before it.
    step: f32,
    /// How many samples were invented so far.
    length: usize,
}

impl Concealer {
    pub(super) fn new(rate: Rate) -> Self {
        let per_ms = rate.hz() as usize / 1000;
        Self {
            per_ms,
            searches: true,
            history: vec![
                0;
                (LONGEST_PERIOD_MS + COMPARED_MS) * per_ms
                    + LONGEST_PERIOD_MS * per_ms / 4
            ],
            gap: None,
            spare: Vec::with_capacity(LONGEST_PERIOD_MS * per_ms),
        }
    }

    /// Repeats whatever came last from now on, instead of a whole pitch period, or no longer.
    pub(super) fn set_searches(&mut self, searches: bool) {
        self.searches = searches;
    }

    pub(super) fn searches(&self) -> bool {
        self.searches
    }

    /// Takes in samples that really came, and blends their start into the gap before them.
    pub(super) fn heard(&mut self, samples: &mut [i16]) {
        if let Some(mut gap) = self.gap.take() {
            // Appendix I §I.2.7: 4 ms longer for each 10 ms lost, at most 10 ms.
            let lost_ms = gap.length / self.per_ms;
            let blend = ((4 + 4 * (lost_ms / 10)).min(10) * self.per_ms).min(samples.len());
            for (index, sample) in samples[..blend].iter_mut().enumerate() {
                let invented = gap.next(self.per_ms);
                let real = f32::from(*sample);
                let share = (index + 1) as f32 / (blend + 1) as f32;
                *sample = (invented + (real - invented) * share) as i16;
            }
            self.spare = gap.period;
        }
        self.remember(samples);
    }

    /// Fills `samples` with the continuation of what was heard.
    pub(super) fn conceal(&mut self, samples: &mut [i16]) {
        if self.gap.is_none() {
            self.gap = Some(self.begin());
        }
        if let Some(gap) = &mut self.gap {
            for sample in samples.iter_mut() {
                *sample = gap.next(self.per_ms) as i16;
            }
        }
        self.remember(samples);
    }

    fn begin(&mut self) -> Concealment {
        let length = match self.searches {
            true => self.pitch_period(),
            false => PLAIN_PERIOD_MS * self.per_ms,
        };
        let end = self.history.len();
        let last = &self.history[end - length..];
        let mut period = std::mem::take(&mut self.spare);
        period.clear();
        period.extend(last.iter().map(|sample| f32::from(*sample)));
        let blend = length / 4;
        let before = &self.history[end - length - blend..end - length];
        for (index, earlier) in before.iter().enumerate() {
            let share = (index + 1) as f32 / (blend + 1) as f32;
            let sample = &mut period[length - blend + index];
            *sample += (f32::from(*earlier) - *sample) * share;
        }
        let step = f32::from(self.history[end - 1]) - f32::from(self.history[end - length - 1]);
        Concealment {
            period,
            step,
            length: 0,
        }
    }

    /// Finds the lag at which the last 20 ms resemble what came before them most.
    fn pitch_period(&self) -> usize {
        let end = self.history.len();
        let compared = COMPARED_MS * self.per_ms;
        let recent = &self.history[end - compared..];
        let likeness = |lag: usize, step: usize| {
            let earlier = &self.history[end - compared - lag..end - lag];
            let mut product = 0.0_f32;
            let mut energy = 1.0_f32;
            for (a, b) in recent.iter().zip(earlier).step_by(step) {
                product += f32::from(*a) * f32::from(*b);
                energy += f32::from(*b) * f32::from(*b);
            }
            product / energy.sqrt()
        };
        let best = |lags: std::ops::RangeInclusive<usize>, stride: usize, step: usize| {
            lags.step_by(stride)
                .map(|lag| (lag, likeness(lag, step)))
                .max_by(|a, b| a.1.total_cmp(&b.1))
                .map_or(SHORTEST_PERIOD_MS * self.per_ms, |(lag, _)| lag)
        };
        // Coarse, then fine, as in Appendix I §I.2.1.
        let shortest = SHORTEST_PERIOD_MS * self.per_ms;
        let longest = LONGEST_PERIOD_MS * self.per_ms;
        let coarse = best(shortest..=longest, 2, 2);
        best((coarse - 2).max(shortest)..=(coarse + 2).min(longest), 1, 1)
    }

    fn remember(&mut self, samples: &[i16]) {
        let size = self.history.len();
        if samples.len() >= size {
            self.history
                .copy_from_slice(&samples[samples.len() - size..]);
        } else {
            self.history.copy_within(samples.len().., 0);
            self.history[size - samples.len()..].copy_from_slice(samples);
        }
    }
}

impl Concealment {
    fn next(&mut self, per_ms: usize) -> f32 {
        let hold = HOLD_MS * per_ms;
        let silent = SILENT_AFTER_MS * per_ms;
        let gain = match self.length {
            length if length <= hold => 1.0,
            length if length < silent => (silent - length) as f32 / (silent - hold) as f32,
            _ => 0.0,
        };
        let sample = self.period[self.length % self.period.len()];
        let spread = self.period.len() / 4;
        let rest = spread.saturating_sub(self.length) as f32 / spread as f32;
        self.length += 1;
        (sample + self.step * rest) * gain
    }
}
