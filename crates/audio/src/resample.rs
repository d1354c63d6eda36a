//! Changes the sampling rate by a fixed ratio, through a polyphase filter.

use crate::Rate;
use crate::filter::{KAISER_TAPS, dot, kaiser, sinc, to_sample};

/// The pass band ends at 0.44 of the lower rate (3.5 kHz at 8 kHz, 7 kHz at 16 kHz), the stop band begins
/// at 0.53: what folds over lands above 0.47, where speech has nothing to lose.
const PASS: f64 = 0.44;
const STOP: f64 = 0.53;

/// The most phases a filter may have: 11,025 to 48,000 Hz needs 640. It bounds the table's size.
const MOST_PHASES: u32 = 640;

/// A short filter has so many times fewer taps.
const SHORTER: usize = 4;
/// And at most so many phases, so that it is made in microseconds: as many as our own rates need.
const MOST_SHORT_PHASES: usize = 6;

/// Converts a stream of samples from one rate to another, with at most 4 ms of delay.
///
/// 10 ms in give 10 ms out. The same rate on both sides is a copy without delay.
#[derive(Debug, Clone)]
pub struct Resampler {
    /// One filter per phase, in one row, newest tap last.
    phases: Vec<f32>,
    taps: usize,
    up: usize,
    down: usize,
    /// The next output's place, in upsampled steps after the first sample of the next input.
    position: usize,
    /// The `taps - 1` samples before the next input, then room for the input.
    line: Vec<f32>,
    /// Used in place of the filter, of whose taps it has the middle ones: the delay is the same.
    short: Option<Box<Short>>,
}

/// A filter that costs a quarter and lets more through of what the lower rate can't carry.
#[derive(Debug, Clone)]
struct Short {
    phases: Vec<f32>,
    taps: usize,
}

/// A rate that no filter of reasonable size converts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{from} Hz cannot be converted to {to} Hz")]
pub struct UnsupportedRate {
    /// Samples per second of the source.
    pub from: u32,
    /// Samples per second asked for.
    pub to: u32,
}

impl Resampler {
    /// Creates a converter between two of our rates.
    pub fn new(from: Rate, to: Rate) -> Self {
        Self::build(from.hz(), to.hz())
    }

    /// Creates a converter from any common rate, as files and devices have it (11,025, 32,000, 44,100 Hz, …).
    pub fn from_hz(hz: u32, to: Rate) -> Result<Self, UnsupportedRate> {
        Self::try_build(hz, to.hz())
    }

    /// Creates a converter to any common rate, as devices have it.
    pub fn to_hz(from: Rate, hz: u32) -> Result<Self, UnsupportedRate> {
        Self::try_build(from.hz(), hz)
    }

    fn try_build(from: u32, to: u32) -> Result<Self, UnsupportedRate> {
        let common = 4_000..=384_000;
        if !common.contains(&from)
            || !common.contains(&to)
            || to / greatest_common_divisor(from, to) > MOST_PHASES
        {
            return Err(UnsupportedRate { from, to });
        }
        Ok(Self::build(from, to))
    }

    fn build(from: u32, to: u32) -> Self {
        let divisor = greatest_common_divisor(from, to);
        let (up, down) = ((to / divisor) as usize, (from / divisor) as usize);
        if up == down {
            return Self {
                phases: vec![1.0],
                taps: 1,
                up,
                down,
                position: 0,
                line: Vec::new(),
                short: None,
            };
        }
        let lower = from.min(to) as f64 / divisor as f64;
        let upsampled = (down * up) as f64;
        let taps = (KAISER_TAPS * upsampled / ((STOP - PASS) * lower) / up as f64).ceil() as usize;
        Self {
            phases: filter(taps, taps, up, cutoff(up, down)),
            taps,
            up,
            down,
            position: 0,
            line: vec![0.0; taps - 1],
            short: None,
        }
    }

    /// Converts at a quarter of the cost, or as well as it can again, from the next input on; the delay stays. What the
    /// lower rate can't carry is then suppressed less, and a change is a step in what it just
    /// carries, above 0.4 of it. Rates with unusual ratios are not shortened.
    pub fn set_short(&mut self, short: bool) {
        let can = self.up != self.down && self.up <= MOST_SHORT_PHASES;
        if !short || !can {
            self.short = None;
        } else if self.short.is_none() {
            // As many on either side of the middle as the whole filter has, or one more.
            let taps = self.taps.div_ceil(SHORTER);
            let taps = taps + (self.taps - taps) % 2;
            let phases = filter(self.taps, taps, self.up, cutoff(self.up, self.down));
            self.short = Some(Box::new(Short { phases, taps }));
        }
    }

    /// Converts `input` and appends the result to `out`.
    pub fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        if self.up == self.down {
            out.extend_from_slice(input);
            return;
        }
        self.line
            .extend(input.iter().map(|sample| f32::from(*sample)));
        // Divisions cost more than the filter's arithmetic: the place goes on in whole samples and phases.
        let (phases, taps) = match &self.short {
            Some(short) => (&short.phases, short.taps),
            None => (&self.phases, self.taps),
        };
        let skipped = (self.taps - taps) / 2;
        let (whole, part) = (self.down / self.up, self.down % self.up);
        let (mut oldest, mut phase) = (self.position / self.up, self.position % self.up);
        while oldest < input.len() {
            let (row, first) = (phase * taps, oldest + skipped);
            out.push(to_sample(dot(
                &self.line[first..first + taps],
                &phases[row..row + taps],
            )));
            oldest += whole;
            phase += part;
            if phase >= self.up {
                phase -= self.up;
                oldest += 1;
            }
        }
        self.position = (oldest - input.len()) * self.up + phase;
        self.line.drain(..input.len());
    }

    /// Returns how far the output lags, in samples of the input.
    pub fn delay(&self) -> f64 {
        (self.taps * self.up - 1) as f64 / 2.0 / self.up as f64
    }
}

/// Where the filter cuts, as a part of the upsampled rate.
fn cutoff(up: usize, down: usize) -> f64 {
    (PASS + STOP) / 2.0 / up.max(down) as f64
}

/// Computes a windowed sinc, sorted into phases: `used` taps of each in the middle of `taps`; `cutoff` is a part of its
/// rate.
fn filter(taps: usize, used: usize, up: usize, cutoff: f64) -> Vec<f32> {
    let middle = (taps * up - 1) as f64 / 2.0;
    let width = (used * up - 1) as f64 / 2.0 + 1.0;
    let coefficient = |index: usize| {
        let distance = index as f64 - middle;
        2.0 * cutoff * up as f64 * sinc(2.0 * cutoff * distance) * kaiser(distance / width)
    };
    let skipped = (taps - used) / 2;
    let mut phases = Vec::with_capacity(used * up);
    for phase in 0..up {
        let row: Vec<f64> = (skipped..skipped + used)
            .rev()
            .map(|tap| coefficient(phase + tap * up))
            .collect();
        // Each phase passes a constant unchanged, so that silence with an offset stays without a whistle.
        let sum: f64 = row.iter().sum();
        phases.extend(row.iter().map(|value| (value / sum) as f32));
    }
    phases
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::ToneFit;

    fn sine(hz: f64, rate: f64, samples: usize) -> Vec<i16> {
        (0..samples)
            .map(|n| {
                ((std::f64::consts::TAU * hz * n as f64 / rate).sin() * 16_000.0).round() as i16
            })
            .collect()
    }

    fn convert(input: &[i16], mut resampler: Resampler, tick: usize) -> Vec<i16> {
        let mut out = Vec::new();
        for chunk in input.chunks(tick) {
            resampler.process(chunk, &mut out);
        }
        out
    }

    #[test]
    fn ten_milliseconds_in_are_ten_milliseconds_out() {
        for from in Rate::ALL {
            for to in Rate::ALL {
                let mut resampler = Resampler::new(from, to);
                for _ in 0..20 {
                    let mut out = Vec::new();
                    resampler.process(&vec![0; from.samples_per_tick()], &mut out);
                    assert_eq!(out.len(), to.samples_per_tick(), "{from:?} {to:?}");
                }
            }
        }
    }

    #[test]
    fn tones_in_the_pass_band_keep_their_level_and_stay_clean() {
        for from in Rate::ALL {
            for to in Rate::ALL {
                let lower = f64::from(from.hz().min(to.hz()));
                for hz in [300.0, 1_000.0, 0.42 * lower] {
                    let input = sine(hz, f64::from(from.hz()), from.hz() as usize / 2);
                    let out = convert(&input, Resampler::new(from, to), from.samples_per_tick());
                    let fit = ToneFit::of(&out[out.len() / 4..], to, hz);
                    assert!(
                        (fit.amplitude / 16_000.0 - 1.0).abs() < 0.01,
                        "{from:?} {to:?} {hz}: {fit:?}"
                    );
                    assert!(
                        fit.signal_to_noise_db > 70.0,
                        "{from:?} {to:?} {hz}: {fit:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_short_filter_takes_a_quarter_of_the_taps_and_still_carries_speech() {
        for from in Rate::ALL {
            for to in Rate::ALL.into_iter().filter(|to| *to != from) {
                let mut resampler = Resampler::new(from, to);
                let whole = resampler.taps;
                resampler.set_short(true);
                let short = resampler.short.as_ref().map(|short| short.taps);
                assert!(
                    short.is_some_and(|taps| taps <= whole / SHORTER + 2),
                    "{from:?} {to:?}"
                );
                let lower = f64::from(from.hz().min(to.hz()));
                for hz in [300.0, 1_000.0, 0.25 * lower] {
                    let input = sine(hz, f64::from(from.hz()), from.hz() as usize / 2);
                    let out = convert(&input, resampler.clone(), from.samples_per_tick());
                    let fit = ToneFit::of(&out[out.len() / 4..], to, hz);
                    let level = fit.amplitude / 16_000.0;
                    assert!((level - 1.0).abs() < 0.05, "{from:?} {to:?} {hz}: {fit:?}");
                    assert!(
                        fit.signal_to_noise_db > 35.0,
                        "{from:?} {to:?} {hz}: {fit:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_change_of_the_filter_is_no_step_and_no_shift() {
        for (from, to) in [(Rate::Hz16000, Rate::Hz8000), (Rate::Hz8000, Rate::Hz48000)] {
            let input = sine(440.0, f64::from(from.hz()), from.hz() as usize / 2);
            let steady = convert(&input, Resampler::new(from, to), from.samples_per_tick());
            let mut resampler = Resampler::new(from, to);
            let mut out = Vec::new();
            for (number, tick) in input.chunks(from.samples_per_tick()).enumerate() {
                resampler.set_short(number % 2 == 1);
                resampler.process(tick, &mut out);
            }
            assert_eq!(out.len(), steady.len());
            for (at, (a, b)) in out.iter().zip(&steady).enumerate().skip(out.len() / 10) {
                let difference = (i32::from(*a) - i32::from(*b)).abs();
                assert!(
                    difference < 400,
                    "{from:?} {to:?} {at}: {difference} of 16000"
                );
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_carry_is_75_db_down() {
        for (from, to) in [
            (Rate::Hz48000, Rate::Hz8000),
            (Rate::Hz48000, Rate::Hz16000),
            (Rate::Hz48000, Rate::Hz24000),
            (Rate::Hz24000, Rate::Hz16000),
            (Rate::Hz16000, Rate::Hz8000),
        ] {
            let lower = f64::from(to.hz());
            for hz in [0.54 * lower, 0.6 * lower, 0.66 * lower] {
                let input = sine(hz, f64::from(from.hz()), from.hz() as usize / 2);
                let out = convert(&input, Resampler::new(from, to), from.samples_per_tick());
                let loudest = out[out.len() / 4..].iter().map(|s| s.unsigned_abs()).max();
                assert!(
                    loudest <= Some(3),
                    "{from:?} {to:?} {hz}: {loudest:?} of 16000"
                );
            }
        }
    }

    #[test]
    fn no_image_of_a_low_tone_appears_when_going_up() {
        let input = sine(3_000.0, 8_000.0, 4_000);
        let out = convert(&input, Resampler::new(Rate::Hz8000, Rate::Hz48000), 80);
        let image = ToneFit::of(&out[12_000..], Rate::Hz48000, 5_000.0);
        assert!(image.amplitude < 3.0, "{image:?}");
    }

    #[test]
    fn the_delay_is_at_most_four_milliseconds_and_as_stated() {
        for from in Rate::ALL {
            for to in Rate::ALL {
                let mut resampler = Resampler::new(from, to);
                let delay = resampler.delay();
                assert!(
                    delay / f64::from(from.hz()) < 0.004,
                    "{from:?} {to:?} {delay}"
                );
                if from == to {
                    continue;
                }
                let mut input = vec![0; from.samples_per_tick() * 2];
                input[0] = 30_000;
                let mut out = Vec::new();
                resampler.process(&input, &mut out);
                let peak = (0..out.len()).max_by_key(|n| out[*n]).unwrap() as f64;
                let expected = delay * f64::from(to.hz()) / f64::from(from.hz());
                assert!(
                    (peak - expected).abs() <= 1.0,
                    "{from:?} {to:?} {peak} {expected}"
                );
            }
        }
    }

    #[test]
    fn chunks_of_any_size_give_the_same_stream() {
        let input = sine(440.0, 44_100.0, 44_100);
        let whole = convert(
            &input,
            Resampler::from_hz(44_100, Rate::Hz16000).unwrap(),
            44_100,
        );
        let pieces = convert(
            &input,
            Resampler::from_hz(44_100, Rate::Hz16000).unwrap(),
            37,
        );
        assert_eq!(whole, pieces);
        assert_eq!(whole.len(), 16_000);
    }

    #[test]
    fn rates_of_files_convert_and_odd_ones_are_refused() {
        for hz in [
            8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000, 192_000,
        ] {
            let resampler = Resampler::from_hz(hz, Rate::Hz48000).unwrap();
            let out = convert(&sine(700.0, f64::from(hz), hz as usize / 2), resampler, 333);
            let fit = ToneFit::of(&out[out.len() / 2..], Rate::Hz48000, 700.0);
            assert!(fit.signal_to_noise_db > 65.0, "{hz}: {fit:?}");
        }
        for hz in [0, 100, 44_057, 4_000_000_000] {
            let refused = Resampler::from_hz(hz, Rate::Hz8000).map(|_| ());
            assert_eq!(
                refused,
                Err(UnsupportedRate {
                    from: hz,
                    to: 8_000
                })
            );
        }
    }

    #[test]
    fn full_scale_clips_and_does_not_wrap() {
        let square: Vec<i16> = (0..4_800)
            .map(|n| if n / 24 % 2 == 0 { i16::MAX } else { i16::MIN })
            .collect();
        let out = convert(&square, Resampler::new(Rate::Hz48000, Rate::Hz16000), 480);
        for pair in out.windows(2).skip(100) {
            let step = (i32::from(pair[0]) - i32::from(pair[1])).abs();
            assert!(step < 60_000, "{pair:?}");
        }
        assert!(out.contains(&i16::MAX));
    }
}
