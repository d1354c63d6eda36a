use std::f64::consts::PI;

use crate::stage::TICK;

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
