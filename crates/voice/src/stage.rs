//! The steps of processing, each of its own, so that the others go on as they are when it is switched.

use std::fmt;

use audio::Rate;
use nnnoiseless::DenoiseState;
use sonora::config::{AdaptiveDigital, GainController2, MaxProcessingRate, Pipeline};
use sonora::{AudioProcessing, Config, StreamConfig};

/// The samples of a tick, which all steps take and give from −1 to 1.
pub(crate) const TICK: usize = Rate::Hz48000.samples_per_tick();

// The suppressor's frames are just that long.
const _: () = assert!(TICK == DenoiseState::FRAME_SIZE);

/// Upstream begins with 15 dB, which would lift what is left of the echo before the room is known.
const FIRST_GAIN_DB: f32 = 0.0;
/// A voice that needs more is in another room, or is none.
const MOST_GAIN_DB: f32 = 24.0;

/// Lowers what is not speech: RNNoise, which was 0.1 to 0.4 of PESQ better than WebRTC's suppressor for a
/// recorded voice in steady noise, and as good for synthetic ones, at the same cost.
pub(crate) struct Noise {
    state: Box<DenoiseState<'static>>,
    /// The first frame out of it is only the end of a window.
    begun: bool,
}

impl Noise {
    /// It takes samples as large as 16 bits have them.
    const SCALE: f32 = 32_768.0;

    pub(crate) fn new() -> Self {
        Self {
            state: DenoiseState::new(),
            begun: false,
        }
    }

    pub(crate) fn capture(&mut self, samples: &mut [f32; TICK]) {
        let heard = samples.map(|sample| sample * Self::SCALE);
        self.state.process_frame(samples, &heard);
        for sample in samples.iter_mut() {
            *sample /= Self::SCALE;
        }
        if !std::mem::replace(&mut self.begun, true) {
            samples.fill(0.0);
        }
    }
}

/// Brings speech to an even level: WebRTC's AGC2, which hears by itself when somebody speaks.
pub(crate) struct Gain(AudioProcessing);

impl Gain {
    pub(crate) fn new() -> Self {
        Self(engine(Config {
            gain_controller2: Some(GainController2 {
                adaptive_digital: Some(AdaptiveDigital {
                    initial_gain_db: FIRST_GAIN_DB,
                    max_gain_db: MOST_GAIN_DB,
                    ..AdaptiveDigital::default()
                }),
                ..GainController2::default()
            }),
            ..Config::default()
        }))
    }

    pub(crate) fn capture(&mut self, samples: &mut [f32; TICK]) {
        capture(&mut self.0, samples);
    }
}

fn engine(config: Config) -> AudioProcessing {
    let stream = StreamConfig::new(48_000, 1);
    let pipeline = Pipeline {
        maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
        ..Pipeline::default()
    };
    let builder = AudioProcessing::builder()
        .config(Config { pipeline, ..config })
        .capture_config(stream)
        .render_config(stream);
    builder.build()
}

fn capture(engine: &mut AudioProcessing, samples: &mut [f32; TICK]) {
    let heard = *samples;
    // It refuses only other sizes and rates.
    let _ = engine.process_capture_f32(&[&heard], &mut [samples]);
}

impl fmt::Debug for Noise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Noise")
    }
}

impl fmt::Debug for Gain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gain")
    }
}
