//! Three bands of 8 kHz each, in which the canceller works, and the sound made of them again.
//!
//! A cosine-modulated filter bank (Vaidyanathan, "Multirate Systems and Filter Banks", §8.1): one low pass, moved to
//! the middle of each band. What one band leaks into the next is taken out where they are added again.

use std::f64::consts::PI;

use crate::TICK;

pub(crate) const BANDS: usize = 3;
/// The samples of a tick in a band.
pub(crate) const BAND_TICK: usize = TICK / BANDS;
/// Of the low pass; a multiple of the bands.
const TAPS: usize = 48;
const SPAN: f64 = (TAPS - 1) as f64;
/// Of each of the streams that a signal is dealt out to, sample by sample.
const REACH: usize = TAPS / BANDS;
/// Samples by which what was split and merged is late: the last of three stands for them all.
pub(crate) const LATE: usize = TAPS - BANDS;
/// With these the bands add up to the signal within 0.02 dB, and nothing of one is left in another, down to −86 dB.
const KAISER: f64 = 7.8;
/// In parts of half the sample rate.
const CUTOFF: f64 = 0.1875;

/// What is in each band in this tick.
pub(crate) type Split = [[f32; BAND_TICK]; BANDS];

/// Splits a signal.
pub(crate) struct Analysis {
    filters: [[f32; TAPS]; BANDS],
    /// Every third sample, from each of three on, those of the last tick before.
    streams: [[f32; REACH + BAND_TICK]; BANDS],
}

impl Analysis {
    pub(crate) fn new() -> Self {
        Self {
            filters: filters(1.0),
            streams: [[0.0; REACH + BAND_TICK]; BANDS],
        }
    }

    pub(crate) fn split(&mut self, samples: &[f32; TICK]) -> Split {
        for (number, stream) in self.streams.iter_mut().enumerate() {
            stream.copy_within(BAND_TICK.., 0);
            let dealt = samples[number..].iter().step_by(BANDS);
            for (place, sample) in stream[REACH..].iter_mut().zip(dealt) {
                *place = *sample;
            }
        }
        let mut bands = [[0.0; BAND_TICK]; BANDS];
        for (band, taps) in bands.iter_mut().zip(&self.filters) {
            for (at, tap) in taps.iter().enumerate() {
                // The newest sample of three is in the last stream.
                let stream = &self.streams[BANDS - 1 - at % BANDS];
                add(band, *tap, &stream[REACH - at / BANDS..]);
            }
        }
        bands
    }
}

/// Merges what was split.
pub(crate) struct Synthesis {
    filters: [[f32; TAPS]; BANDS],
    bands: [[f32; REACH + BAND_TICK]; BANDS],
}

impl Synthesis {
    pub(crate) fn new() -> Self {
        Self {
            filters: filters(-1.0),
            bands: [[0.0; REACH + BAND_TICK]; BANDS],
        }
    }

    pub(crate) fn merge(&mut self, split: &Split) -> [f32; TICK] {
        for (band, new) in self.bands.iter_mut().zip(split) {
            band.copy_within(BAND_TICK.., 0);
            band[REACH..].copy_from_slice(new);
        }
        let mut samples = [0.0; TICK];
        for number in 0..BANDS {
            let mut stream = [0.0; BAND_TICK];
            for (band, taps) in self.bands.iter().zip(&self.filters) {
                for (at, tap) in taps[number..].iter().step_by(BANDS).enumerate() {
                    add(&mut stream, *tap * BANDS as f32, &band[REACH - at..]);
                }
            }
            let places = samples[number..].iter_mut().step_by(BANDS);
            for (place, sample) in places.zip(stream) {
                *place = sample;
            }
        }
        samples
    }
}

fn add(sum: &mut [f32; BAND_TICK], factor: f32, signal: &[f32]) {
    for (sum, sample) in sum.iter_mut().zip(&signal[..BAND_TICK]) {
        *sum += factor * sample;
    }
}

/// The filters of all bands; the phase is turned the other way for merging.
fn filters(sign: f64) -> [[f32; TAPS]; BANDS] {
    let low_pass = low_pass(KAISER, CUTOFF);
    std::array::from_fn(|band| {
        let turn = if band % 2 == 0 { PI / 4.0 } else { -PI / 4.0 };
        std::array::from_fn(|at| {
            let angle = (band as f64 + 0.5) * PI / BANDS as f64 * (at as f64 - SPAN / 2.0);
            (2.0 * low_pass[at] * (angle + sign * turn).cos()) as f32
        })
    })
}

/// By a Kaiser window.
fn low_pass(beta: f64, cutoff: f64) -> [f64; TAPS] {
    std::array::from_fn(|at| {
        let place = at as f64 - SPAN / 2.0;
        let ideal = (PI * cutoff * place).sin() / (PI * place);
        let edge = 1.0 - (2.0 * place / SPAN).powi(2);
        ideal * bessel(beta * edge.max(0.0).sqrt()) / bessel(beta)
    })
}

/// The modified Bessel function of order 0, as its series.
fn bessel(x: f64) -> f64 {
    let term = |before: &mut f64, order: u32| {
        *before *= (x / 2.0 / f64::from(order)).powi(2);
        Some(*before)
    };
    1.0 + (1..30).scan(1.0, term).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(ticks: usize) -> Vec<[f32; TICK]> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..ticks)
            .map(|_| std::array::from_fn(|_| next()))
            .collect()
    }

    fn energy(samples: impl IntoIterator<Item = f32>) -> f64 {
        let squares = samples.into_iter().map(|sample| f64::from(sample).powi(2));
        squares.sum()
    }

    #[test]
    fn what_is_split_and_merged_is_the_same_but_late() {
        let ticks = noise(8);
        let (mut analysis, mut synthesis) = (Analysis::new(), Synthesis::new());
        let merged = ticks
            .iter()
            .map(|tick| synthesis.merge(&analysis.split(tick)));
        let after = merged.collect::<Vec<_>>().concat();
        let before = ticks.concat();
        let pairs = before.iter().zip(&after[LATE..]);
        let wrong = energy(pairs.map(|(before, after)| before - after));
        let db = 10.0 * (wrong / energy(before)).log10();
        assert!(db < -50.0, "{db} dB are not the same");
    }

    #[test]
    fn a_tone_is_in_its_band_alone() {
        for (band, hz) in [4_000.0, 12_000.0, 20_000.0].into_iter().enumerate() {
            let sample = |at: usize| (at as f64 * hz / 48_000.0 * 2.0 * PI).sin() as f32;
            let mut analysis = Analysis::new();
            analysis.split(&std::array::from_fn(sample));
            let split = analysis.split(&std::array::from_fn(|at| sample(TICK + at)));
            let all: f64 = split.iter().copied().map(energy).sum();
            let share = energy(split[band]) / all;
            assert!(share > 0.999_999, "{hz} Hz: {share}");
        }
    }
}
