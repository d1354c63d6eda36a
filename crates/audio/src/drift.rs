//! Keeps two clocks together that differ by parts per million: a sound card's and the tick's.

use crate::filter::{dot, kaiser, sinc, to_sample};

const TAPS: usize = 32;
/// Filters between two samples; the step to the next is interpolated, so 128 leave an error of −80 dB.
const PHASES: usize = 128;

/// The most that is corrected: 1000 ppm is two hundredths of a semitone, and no crystal is that far off.
pub const MOST_PPM: f64 = 1_000.0;

/// Stretches or shrinks a stream by up to [`MOST_PPM`], without a change in its sound; 16 samples late.
#[derive(Debug, Clone)]
pub struct DriftResampler {
    /// `PHASES + 1` rows of `TAPS`, newest tap last.
    phases: Vec<f32>,
    line: Vec<f32>,
    pace: Pace,
}

/// Which places of the input are read, in samples after the first of the next one.
#[derive(Debug, Clone)]
struct Pace {
    position: f64,
    step: f64,
}

impl Pace {
    fn set_ppm(&mut self, ppm: f64) {
        self.step = 1.0 + ppm.clamp(-MOST_PPM, MOST_PPM) * 1e-6;
    }

    /// The next place within so many samples of input; after the last one they count as taken.
    fn next(&mut self, input: usize) -> Option<f64> {
        let here = self.position;
        if here < input as f64 {
            self.position += self.step;
            return Some(here);
        }
        self.position -= input as f64;
        None
    }
}

impl Default for DriftResampler {
    fn default() -> Self {
        Self::new()
    }
}

impl DriftResampler {
    /// Creates one that changes nothing yet.
    pub fn new() -> Self {
        let mut phases = Vec::with_capacity((PHASES + 1) * TAPS);
        for phase in 0..=PHASES {
            let fraction = phase as f64 / PHASES as f64;
            let row: Vec<f64> = (0..TAPS)
                .map(|tap| {
                    let distance = tap as f64 - (TAPS / 2 - 1) as f64 - fraction;
                    sinc(distance) * kaiser(distance / (TAPS / 2) as f64)
                })
                .collect();
            let sum: f64 = row.iter().sum();
            phases.extend(row.iter().map(|value| (value / sum) as f32));
        }
        Self {
            phases,
            line: vec![0.0; TAPS - 1],
            pace: Pace {
                position: 0.0,
                step: 1.0,
            },
        }
    }

    /// Sets how much faster the input is taken than the output given, in parts per million, clamped.
    pub fn set_ppm(&mut self, ppm: f64) {
        self.pace.set_ppm(ppm);
    }

    /// Takes `input` and appends about as many samples to `out`.
    pub fn process(&mut self, input: &[i16], out: &mut Vec<i16>) {
        self.line
            .extend(input.iter().map(|sample| f32::from(*sample)));
        while let Some(position) = self.pace.next(input.len()) {
            let whole = position as usize;
            let phase = (position - whole as f64) * PHASES as f64;
            let row = phase as usize;
            let between = (phase - row as f64) as f32;
            let window = &self.line[whole..whole + TAPS];
            let here = dot(window, &self.phases[row * TAPS..(row + 1) * TAPS]);
            let next = dot(window, &self.phases[(row + 1) * TAPS..(row + 2) * TAPS]);
            out.push(to_sample(here + (next - here) * between));
        }
        self.line.drain(..input.len());
    }
}

/// Turns the fill of a ring, measured once a tick, into the correction that holds it at its target.
///
/// A proportional and integral controller with a natural period of about two minutes: slow enough that
/// the bursts of device callbacks don't reach the pitch.
#[derive(Debug, Clone)]
pub struct DriftController {
    target: f64,
    smoothed: f64,
    integral: f64,
}

/// Correction per sample of error, and per sample and tick of its sum: critically damped at 48 kHz.
const PROPORTIONAL: f64 = 2.0;
const INTEGRAL: f64 = 0.000_5;
/// A fill is averaged over one second of ticks.
const SMOOTHING: f64 = 0.01;
/// Up to this target, 50 ms, the gains hold as they are.
const CALM_TARGET: f64 = 2_400.0;

impl DriftController {
    /// Creates a controller that holds a ring at `target` samples.
    pub fn new(target: usize) -> Self {
        Self {
            target: target as f64,
            smoothed: target as f64,
            integral: 0.0,
        }
    }

    /// Moves the target, as when a device turns out to deliver in larger portions.
    pub fn set_target(&mut self, target: usize) {
        self.target = target as f64;
    }

    /// Takes the ring's fill in samples and returns the correction for [`DriftResampler::set_ppm`].
    ///
    /// It is positive when the ring is too full, for a resampler that reads from the ring; one that
    /// writes into the ring takes it as it is too, since fewer samples then go in.
    pub fn update(&mut self, fill: usize) -> f64 {
        self.smoothed += (fill as f64 - self.smoothed) * SMOOTHING;
        let error = self.smoothed - self.target;
        // A ring that bridges large portions swings widely by itself: it is followed more slowly.
        let gain = (CALM_TARGET / self.target.max(1.0)).min(1.0).powi(2);
        self.integral = (self.integral + error * INTEGRAL * gain * gain).clamp(-MOST_PPM, MOST_PPM);
        (error * PROPORTIONAL * gain + self.integral).clamp(-MOST_PPM, MOST_PPM)
    }

    /// Begins at the target again, as after a gap, and remembers how far off the clock was.
    pub fn restart(&mut self) {
        self.smoothed = self.target;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rate;
    use crate::detect::ToneFit;

    fn sine(hz: f64, samples: usize) -> Vec<i16> {
        (0..samples)
            .map(|n| ((std::f64::consts::TAU * hz * n as f64 / 48_000.0).sin() * 16_000.0) as i16)
            .collect()
    }

    #[test]
    fn the_length_changes_by_the_parts_per_million_asked_for() {
        for (ppm, expected) in [
            (0.0, 480_000),
            (500.0, 479_760),
            (-500.0, 480_240),
            (9_999.0, 479_520),
        ] {
            let mut drift = DriftResampler::new();
            drift.set_ppm(ppm);
            let mut out = Vec::new();
            for _ in 0..1_000 {
                drift.process(&[0; 480], &mut out);
            }
            assert!(out.len().abs_diff(expected) <= 1, "{ppm}: {}", out.len());
        }
    }

    #[test]
    fn a_corrected_tone_stays_clean() {
        for hz in [440.0, 3_000.0, 10_000.0] {
            let mut drift = DriftResampler::new();
            drift.set_ppm(300.0);
            let mut out = Vec::new();
            for chunk in sine(hz, 48_000).chunks(480) {
                drift.process(chunk, &mut out);
            }
            let fit = ToneFit::of(&out[4_800..], Rate::Hz48000, hz * 1.000_3);
            assert!(fit.signal_to_noise_db > 65.0, "{hz}: {fit:?}");
        }
    }

    /// The fill of a ring in each tick, before 10 ms are taken out of it; callbacks bring `burst` samples each.
    fn fills(clock_ppm: f64, burst: usize, ticks: usize) -> Vec<usize> {
        // A portion has just come: half of it is here on average.
        let mut fill = 960 + burst;
        let (mut controller, mut owed) = (DriftController::new(fill - burst / 2), 0.0_f64);
        let mut pace = DriftResampler::new().pace;
        let mut fills = Vec::with_capacity(ticks);
        for _ in 0..ticks {
            owed += 480.0 * (1.0 + clock_ppm * 1e-6);
            while owed >= burst as f64 {
                owed -= burst as f64;
                fill += std::iter::from_fn(|| pace.next(burst)).count();
            }
            fills.push(fill);
            pace.set_ppm(controller.update(fill));
            fill -= fill.min(480);
        }
        fills
    }

    fn mean(fills: &[usize]) -> f64 {
        fills.iter().sum::<usize>() as f64 / fills.len() as f64
    }

    #[test]
    fn clocks_500_ppm_apart_cost_neither_a_gap_nor_a_growing_delay_in_an_hour() {
        const MINUTE: usize = 6_000;
        for (clock_ppm, burst) in [(-500.0, 480), (500.0, 480), (-500.0, 2_048), (500.0, 2_048)] {
            let fills = fills(clock_ppm, burst, 60 * MINUTE);
            let least = fills.iter().min().unwrap();
            assert!(*least >= 480, "{clock_ppm} ppm, {burst}: a gap at {least}");
            let most = fills.iter().max().unwrap();
            assert!(*most < 1_680 + burst, "{clock_ppm} ppm, {burst}: {most}");
            let [early, late] = [5, 59].map(|minute| mean(&fills[minute * MINUTE..][..MINUTE]));
            assert!(
                (early - late).abs() < 2.0,
                "{clock_ppm} ppm, {burst}: {early} {late}"
            );
        }
    }

    #[test]
    fn a_fast_clock_is_held_at_the_target() {
        for clock_ppm in [-150.0_f64, 40.0, 300.0] {
            let mut controller = DriftController::new(960);
            let mut drift = DriftResampler::new();
            let (mut owed, mut fill) = (0.0_f64, 960_usize);
            let mut out = Vec::new();
            // Four minutes of ticks; the device delivers two ticks at a time.
            for tick in 0..24_000 {
                owed += 480.0 * (1.0 + clock_ppm * 1e-6);
                if tick % 2 == 1 {
                    let burst = owed as usize;
                    owed -= burst as f64;
                    drift.set_ppm(controller.update(fill));
                    out.clear();
                    drift.process(&vec![0; burst], &mut out);
                    fill += out.len();
                } else {
                    drift.set_ppm(controller.update(fill));
                }
                fill = fill.saturating_sub(480);
                if tick > 12_000 {
                    assert!(
                        (300..=1_700).contains(&fill),
                        "{clock_ppm} ppm, tick {tick}: {fill}"
                    );
                }
            }
        }
    }
}
