use audio::{Frame, Rate};

use crate::Processing;
use crate::TICK;
use crate::echo::Echo;
use crate::gain::Gain;
use crate::noise::Noise;

/// Of a sample, which the stages see from −1 to 1.
const FULL_SCALE: f32 = 32_768.0;

/// Works on one microphone's sound, 10 ms at 48 kHz at a time.
#[derive(Debug, Default)]
pub struct Processor {
    echo: Option<Echo>,
    noise: Option<Noise>,
    gain: Option<Gain>,
}

impl Processor {
    /// Creates one that knows nothing of the room yet.
    pub fn new(processing: Processing) -> Self {
        let mut processor = Self::default();
        processor.set(processing);
        processor
    }

    /// What it does.
    pub fn processing(&self) -> Processing {
        Processing {
            echo_cancellation: self.echo.is_some(),
            noise_suppression: self.noise.is_some(),
            auto_gain_control: self.gain.is_some(),
        }
    }

    /// Does something else from the next tick on; what stays on keeps what it has learnt.
    pub fn set(&mut self, processing: Processing) {
        switch(&mut self.echo, processing.echo_cancellation, Echo::new);
        switch(&mut self.noise, processing.noise_suppression, Noise::new);
        switch(&mut self.gain, processing.auto_gain_control, Gain::new);
    }

    /// Takes what the loudspeakers play in this tick, at 48 kHz.
    pub fn render(&mut self, played: &Frame) {
        if let Some(echo) = &mut self.echo {
            echo.render(&samples_of(played));
        }
    }

    /// Works on what the microphone heard in this tick, at 48 kHz.
    pub fn capture(&mut self, heard: &mut Frame) {
        if self.processing().is_none() {
            return;
        }
        let mut samples = samples_of(heard);
        if let Some(echo) = &mut self.echo {
            echo.capture(&mut samples);
        }
        if let Some(noise) = &mut self.noise {
            noise.capture(&mut samples);
        }
        if let Some(gain) = &mut self.gain {
            gain.capture(&mut samples);
        }
        for (sample, value) in heard.samples_mut().iter_mut().zip(samples) {
            *sample = (value * FULL_SCALE).round() as i16;
        }
    }
}

fn samples_of(frame: &Frame) -> [f32; TICK] {
    debug_assert_eq!(frame.rate(), Rate::Hz48000);
    let mut samples = [0.0; TICK];
    for (sample, value) in samples.iter_mut().zip(frame.samples()) {
        *sample = f32::from(*value) / FULL_SCALE;
    }
    samples
}

fn switch<Stage>(stage: &mut Option<Stage>, wanted: bool, make: impl FnOnce() -> Stage) {
    match (wanted, &stage) {
        (true, None) => *stage = Some(make()),
        (false, Some(_)) => *stage = None,
        (true, Some(_)) | (false, None) => {}
    }
}
