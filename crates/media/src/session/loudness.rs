//! How loud sound is.

/// What a sample has that was cut off at full scale, on either side.
const FULL_SCALE: u16 = 32_767;
/// One or two such samples in a row are the top of a loud wave.
const CUT_OFF: usize = 3;

/// The W3C's way to tell how loud sound is, and what is wrong with it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loudness {
    pub(super) level: f64,
    pub(super) energy: f64,
    pub(super) seconds: f64,
    peak: u16,
    /// Samples so far, and those that were cut off.
    pub(super) samples: u64,
    pub(super) clipped: u64,
}

impl Loudness {
    /// Takes 10 ms.
    pub(super) fn add(&mut self, samples: &[i16]) {
        let sum: f64 = samples.iter().map(|s| f64::from(*s) * f64::from(*s)).sum();
        let mean = sum / samples.len().max(1) as f64 / (32_768.0 * 32_768.0);
        self.level = mean.sqrt();
        self.energy += mean * 0.01;
        self.seconds += 0.01;
        self.samples += samples.len() as u64;
        let peak = samples.iter().map(|s| s.unsigned_abs()).max().unwrap_or(0);
        self.peak = self.peak.max(peak);
        if peak >= FULL_SCALE {
            self.clipped += cut_off(samples);
        }
    }

    /// The loudest sample since [`begin_peak`](Self::begin_peak), 0 to 1.
    pub(super) fn peak(&self) -> f64 {
        f64::from(self.peak) / 32_768.0
    }

    /// Looks for the loudest sample anew.
    pub(super) fn begin_peak(&mut self) {
        self.peak = 0;
    }
}

/// How many samples stand at full scale for longer than a wave's top does.
fn cut_off(samples: &[i16]) -> u64 {
    samples
        .chunk_by(|a, b| (a.unsigned_abs() >= FULL_SCALE) == (b.unsigned_abs() >= FULL_SCALE))
        .filter(|run| run[0].unsigned_abs() >= FULL_SCALE && run.len() >= CUT_OFF)
        .map(|run| run.len() as u64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f64, amplitude: f64) -> Vec<i16> {
        let turn = std::f64::consts::TAU * hz / 48_000.0;
        (0..48_000)
            .map(|at| (amplitude * (turn * f64::from(at)).sin()) as i16)
            .collect()
    }

    fn clipped(samples: &[i16]) -> f64 {
        let mut loudness = Loudness::default();
        for tick in samples.chunks(480) {
            loudness.add(tick);
        }
        loudness.clipped as f64 / loudness.samples as f64
    }

    #[test]
    fn what_is_cut_off_is_told_from_what_is_only_loud() {
        for hz in [100.0, 440.0, 3_000.0] {
            assert_eq!(clipped(&sine(hz, 32_767.0)), 0.0, "{hz}");
        }
        for hz in [100.0, 440.0] {
            let share = clipped(&sine(hz, 2.0 * 32_767.0));
            assert!((0.5..0.75).contains(&share), "{hz}: {share}");
        }
    }

    #[test]
    fn the_peak_is_that_since_it_was_looked_for() {
        let mut loudness = Loudness::default();
        loudness.add(&[0, -32_768, 5]);
        loudness.add(&[0, 328, -5]);
        assert_eq!(loudness.peak(), 1.0);
        loudness.begin_peak();
        loudness.add(&[0, 328, -5]);
        assert!((loudness.peak() - 0.01).abs() < 1e-4);
    }
}
