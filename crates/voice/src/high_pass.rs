use std::f64::consts::PI;

use crate::TICK;

/// Below this there is no voice, but hum, wind and offset.
const HZ: f64 = 80.0;
const SAMPLE_HZ: f64 = 100.0 * TICK as f64;
/// Of the two sections of a Butterworth filter of order 4.
const QUALITIES: [f64; 2] = [0.541_196, 1.306_563];

/// Takes out what is too low for a voice.
#[derive(Debug)]
pub(crate) struct HighPass([Section; 2]);

impl HighPass {
    pub(crate) fn new() -> Self {
        Self(QUALITIES.map(Section::new))
    }

    pub(crate) fn process(&mut self, samples: &mut [f32; TICK]) {
        for section in &mut self.0 {
            section.process(samples);
        }
    }
}

/// A section of order 2 (transposed direct form II).
#[derive(Debug)]
struct Section {
    gain: f64,
    back: [f64; 2],
    memory: [f64; 2],
}

impl Section {
    /// By the bilinear transform.
    fn new(quality: f64) -> Self {
        let angle = 2.0 * PI * HZ / SAMPLE_HZ;
        let slope = angle.sin() / (2.0 * quality);
        let whole = 1.0 + slope;
        Self {
            gain: (1.0 + angle.cos()) / 2.0 / whole,
            back: [-2.0 * angle.cos() / whole, (1.0 - slope) / whole],
            memory: [0.0; 2],
        }
    }

    fn process(&mut self, samples: &mut [f32; TICK]) {
        let [mut first, mut second] = self.memory;
        for sample in samples {
            let input = f64::from(*sample) * self.gain;
            let output = input + first;
            first = -2.0 * input - self.back[0] * output + second;
            second = input - self.back[1] * output;
            *sample = output as f32;
        }
        self.memory = [first, second];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much louder a tone is behind the filter, once it has settled.
    fn gain_db(hz: f64) -> f64 {
        let mut filter = HighPass::new();
        let (mut before, mut after) = (0.0, 0.0);
        for tick in 0..100 {
            let sample = |at: usize| (2.0 * PI * hz * (tick * TICK + at) as f64 / SAMPLE_HZ).sin();
            let tone: [f32; TICK] = std::array::from_fn(|at| sample(at) as f32);
            let mut filtered = tone;
            filter.process(&mut filtered);
            if tick >= 50 {
                before += tone.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
                after += filtered.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
            }
        }
        10.0 * (after / before).log10()
    }

    #[test]
    fn a_voice_passes_as_it_is_and_what_is_lower_does_not() {
        assert!((gain_db(HZ) + 3.0).abs() < 0.1, "{} dB", gain_db(HZ));
        assert!(gain_db(20.0) < -45.0, "{} dB", gain_db(20.0));
        for hz in [200.0, 1_000.0, 12_000.0] {
            assert!(gain_db(hz).abs() < 0.05, "{hz} Hz: {} dB", gain_db(hz));
        }
    }

    #[test]
    fn an_offset_is_gone() {
        let mut filter = HighPass::new();
        let mut samples = [0.5; TICK];
        for _ in 0..50 {
            samples = [0.5; TICK];
            filter.process(&mut samples);
        }
        assert!(samples.iter().all(|sample| sample.abs() < 1e-3));
    }
}
