//! How loud sound is, in dBov (RFC 6464, RFC 6465) and in W3C's units.

use std::time::Duration;

use crate::Rate;

/// The mean level of some samples: 0 dBov is a full-scale square wave, a full-scale sine is −3 dBov.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level {
    dbov: f32,
}

impl Level {
    /// Digital silence, the lowest that RFC 6464 §3 can say.
    pub const SILENCE: Self = Self { dbov: -127.0 };

    /// Measures `samples`; none at all are silence.
    pub fn of(samples: &[i16]) -> Self {
        Self::from_energy(energy(samples), samples.len())
    }

    /// Returns the level in dBov, −127 to 0.
    pub fn dbov(self) -> f32 {
        self.dbov
    }

    /// Returns the level as RFC 6464's header extension carries it: −dBov, 0 (loudest) to 127.
    pub fn rfc6464(self) -> u8 {
        (-self.dbov).round() as u8
    }

    /// Returns W3C's `audioLevel`: linear, 0 to 1 (webrtc-stats §audioLevel).
    pub fn linear(self) -> f32 {
        if self == Self::SILENCE {
            0.0
        } else {
            10.0_f32.powf(self.dbov / 20.0)
        }
    }

    fn from_energy(energy: f64, samples: usize) -> Self {
        if samples == 0 || energy <= 0.0 {
            return Self::SILENCE;
        }
        let mean = energy / samples as f64;
        Self {
            dbov: (10.0 * mean.log10()).clamp(-127.0, 0.0) as f32,
        }
    }
}

/// Adds up what W3C's `totalAudioEnergy` and `totalSamplesDuration` count, and the level since last asked.
#[derive(Debug, Clone)]
pub struct Meter {
    rate: Rate,
    recent_energy: f64,
    recent_samples: usize,
    total_energy: f64,
    total_samples: u64,
}

impl Meter {
    /// Creates a meter for samples at `rate`.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            recent_energy: 0.0,
            recent_samples: 0,
            total_energy: 0.0,
            total_samples: 0,
        }
    }

    /// Takes in what was heard.
    pub fn add(&mut self, samples: &[i16]) {
        let energy = energy(samples);
        self.recent_energy += energy;
        self.recent_samples += samples.len();
        self.total_energy += energy / f64::from(self.rate.hz());
        self.total_samples += samples.len() as u64;
    }

    /// Returns the level since the last call of this.
    pub fn take(&mut self) -> Level {
        let level = Level::from_energy(self.recent_energy, self.recent_samples);
        self.recent_energy = 0.0;
        self.recent_samples = 0;
        level
    }

    /// Returns the sum of squared linear levels times their duration in seconds (webrtc-stats).
    pub fn total_energy(&self) -> f64 {
        self.total_energy
    }

    /// Returns how long the sound was.
    pub fn total_duration(&self) -> Duration {
        Duration::from_nanos(self.total_samples * 1_000_000_000 / u64::from(self.rate.hz()))
    }
}

/// Sums the squares of samples scaled to −1…1.
fn energy(samples: &[i16]) -> f64 {
    let squares: u64 = samples
        .iter()
        .map(|sample| u64::from(sample.unsigned_abs()).pow(2))
        .sum();
    squares as f64 / (32_768.0 * 32_768.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_square_is_0_dbov_and_a_sine_3_db_less() {
        let square: Vec<i16> = (0..480)
            .map(|n| if n % 2 == 0 { i16::MIN } else { i16::MAX })
            .collect();
        assert!(Level::of(&square).dbov() > -0.01);
        let sine: Vec<i16> = (0..480)
            .map(|n| ((n as f32 * std::f32::consts::TAU / 48.0).sin() * 32_767.0) as i16)
            .collect();
        assert!((Level::of(&sine).dbov() + 3.01).abs() < 0.02);
        assert_eq!(Level::of(&sine).rfc6464(), 3);
    }

    #[test]
    fn silence_and_nothing_are_the_lowest_level() {
        for level in [Level::of(&[]), Level::of(&[0; 10])] {
            assert_eq!(level, Level::SILENCE);
            assert_eq!(level.rfc6464(), 127);
            assert_eq!(level.linear(), 0.0);
        }
        assert!(Level::of(&[1; 10]) > Level::SILENCE);
    }

    #[test]
    fn a_meter_forgets_what_was_asked_for_and_keeps_the_totals() {
        let mut meter = Meter::new(Rate::Hz8000);
        meter.add(&[i16::MIN; 8_000]);
        assert_eq!(meter.take().dbov(), 0.0);
        assert_eq!(meter.take(), Level::SILENCE);
        meter.add(&[0; 8_000]);
        assert_eq!(meter.total_duration(), Duration::from_secs(2));
        assert!((meter.total_energy() - 1.0).abs() < 1e-9);
    }
}
