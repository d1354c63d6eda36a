//! Finds tones in sound: one frequency's strength (Goertzel), and how clean a known tone is.

use crate::Rate;
use crate::level::Level;

/// Measures one frequency over the samples pushed since the last `take`.
#[derive(Debug, Clone)]
pub struct Goertzel {
    coefficient: f64,
    before: [f64; 2],
    energy: f64,
    samples: usize,
}

impl Goertzel {
    /// Creates a detector of `hz`, which should be below half the rate.
    pub fn new(rate: Rate, hz: f64) -> Self {
        Self {
            coefficient: 2.0 * (std::f64::consts::TAU * hz / f64::from(rate.hz())).cos(),
            before: [0.0; 2],
            energy: 0.0,
            samples: 0,
        }
    }

    /// Takes in samples.
    pub fn push(&mut self, samples: &[i16]) {
        for sample in samples {
            let value = f64::from(*sample) / 32_768.0;
            let next = value + self.coefficient * self.before[0] - self.before[1];
            self.before = [next, self.before[0]];
            self.energy += value * value;
        }
        self.samples += samples.len();
    }

    /// Returns what was found and starts anew; resolution is the rate over the samples pushed.
    pub fn take(&mut self) -> Found {
        let [last, previous] = self.before;
        let power = last * last + previous * previous - self.coefficient * last * previous;
        let samples = self.samples.max(1) as f64;
        let tone = 2.0 * power / (samples * samples);
        let mean = self.energy / samples;
        self.before = [0.0; 2];
        self.energy = 0.0;
        self.samples = 0;
        Found {
            dbov: if tone > 0.0 {
                (10.0 * tone.log10()).max(f64::from(Level::SILENCE.dbov()))
            } else {
                f64::from(Level::SILENCE.dbov())
            },
            share: if mean > 0.0 {
                (tone / mean).min(1.0)
            } else {
                0.0
            },
        }
    }
}

/// How much of one frequency there was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The tone's level in dBov; a full-scale sine is −3.
    pub dbov: f64,
    /// The tone's part of the whole energy, 0 to 1: near 1 when there is nothing else.
    pub share: f64,
}

/// Tells whether `hz` makes up most of `samples` and is louder than −50 dBov.
pub fn is_tone(samples: &[i16], rate: Rate, hz: f64) -> bool {
    let mut goertzel = Goertzel::new(rate, hz);
    goertzel.push(samples);
    let found = goertzel.take();
    found.share > 0.5 && found.dbov > -50.0
}

/// A sine of known frequency fitted to samples, and what is left without it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToneFit {
    /// The sine's peak, in sample steps.
    pub amplitude: f64,
    /// The sine's energy over that of everything else, in dB, at most 120.
    pub signal_to_noise_db: f64,
}

impl ToneFit {
    /// Fits by least squares; `samples` should hold several periods.
    pub fn of(samples: &[i16], rate: Rate, hz: f64) -> Self {
        let omega = std::f64::consts::TAU * hz / f64::from(rate.hz());
        let (mut ss, mut cc, mut sc, mut xs, mut xc) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let (sin, cos) = (omega * n as f64).sin_cos();
            let x = f64::from(*sample);
            ss += sin * sin;
            cc += cos * cos;
            sc += sin * cos;
            xs += x * sin;
            xc += x * cos;
        }
        let determinant = ss * cc - sc * sc;
        if determinant.abs() < 1e-9 {
            return Self {
                amplitude: 0.0,
                signal_to_noise_db: 0.0,
            };
        }
        let a = (xs * cc - xc * sc) / determinant;
        let b = (xc * ss - xs * sc) / determinant;
        let (mut signal, mut noise) = (0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let (sin, cos) = (omega * n as f64).sin_cos();
            let fitted = a * sin + b * cos;
            signal += fitted * fitted;
            noise += (f64::from(*sample) - fitted).powi(2);
        }
        Self {
            amplitude: a.hypot(b),
            signal_to_noise_db: (10.0 * (signal / noise.max(signal * 1e-12 + 1e-12)).log10())
                .min(120.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sines(parts: &[(f64, f64)], samples: usize) -> Vec<i16> {
        (0..samples)
            .map(|n| {
                parts
                    .iter()
                    .map(|(hz, peak)| {
                        (std::f64::consts::TAU * hz * n as f64 / 8_000.0).sin() * peak
                    })
                    .sum::<f64>() as i16
            })
            .collect()
    }

    #[test]
    fn a_tone_is_found_at_its_frequency_and_not_beside_it() {
        let samples = sines(&[(440.0, 8_000.0)], 800);
        assert!(is_tone(&samples, Rate::Hz8000, 440.0));
        assert!(!is_tone(&samples, Rate::Hz8000, 470.0));
        assert!(!is_tone(&[0; 800], Rate::Hz8000, 440.0));
    }

    #[test]
    fn level_and_share_of_one_tone_among_two_are_right() {
        let samples = sines(&[(697.0, 16_384.0), (1_209.0, 16_384.0)], 8_000);
        let mut goertzel = Goertzel::new(Rate::Hz8000, 697.0);
        goertzel.push(&samples);
        let found = goertzel.take();
        assert!((found.dbov + 9.03).abs() < 0.1, "{found:?}");
        assert!((found.share - 0.5).abs() < 0.02, "{found:?}");
        assert_eq!(goertzel.take().share, 0.0);
    }

    #[test]
    fn a_fit_gives_amplitude_and_noise() {
        let clean = ToneFit::of(&sines(&[(440.0, 10_000.0)], 800), Rate::Hz8000, 440.0);
        assert!((clean.amplitude - 10_000.0).abs() < 2.0 && clean.signal_to_noise_db > 75.0);
        let dirty = sines(&[(440.0, 10_000.0), (900.0, 1_000.0)], 8_000);
        let fit = ToneFit::of(&dirty, Rate::Hz8000, 440.0);
        assert!((fit.signal_to_noise_db - 20.0).abs() < 0.5, "{fit:?}");
    }
}
