//! An even level of speech.

use sonora_agc2::adaptive_digital_gain_controller::{AdaptiveDigitalGainController, FrameInfo};
use sonora_agc2::common::{
    ADJACENT_SPEECH_FRAMES_THRESHOLD, SATURATION_PROTECTOR_INITIAL_HEADROOM_DB,
    VAD_RESET_PERIOD_MS, float_s16_to_dbfs,
};
use sonora_agc2::limiter::Limiter;
use sonora_agc2::noise_level_estimator::NoiseLevelEstimator;
use sonora_agc2::saturation_protector::SaturationProtector;
use sonora_agc2::speech_level_estimator::{AdaptiveDigitalConfig, SpeechLevelEstimator};
use sonora_agc2::vad_wrapper::VoiceActivityDetectorWrapper;
use sonora_simd::detect_backend;

use crate::TICK;

/// Its parts take samples as large as 16 bits have them.
const SCALE: f32 = 32_768.0;
const CONFIG: AdaptiveDigitalConfig = AdaptiveDigitalConfig {
    // Upstream begins with 15 dB, which would lift what is left of the echo before the room is known.
    initial_gain_db: 0.0,
    // A voice that needs more is in another room, or is none.
    max_gain_db: 24.0,
    headroom_db: 5.0,
    max_gain_change_db_per_second: 6.0,
    max_output_noise_level_dbfs: -50.0,
};

/// Brings speech to an even level: WebRTC's AGC2, which hears by itself when somebody speaks.
///
/// Upstream's own way to it links an echo canceller and a suppressor that are never used: 0.1 MB.
#[derive(Debug)]
pub(crate) struct Gain {
    voice: VoiceActivityDetectorWrapper,
    noise: NoiseLevelEstimator,
    speech: SpeechLevelEstimator,
    saturation: SaturationProtector,
    controller: AdaptiveDigitalGainController,
    limiter: Limiter,
}

impl Gain {
    pub(crate) fn new() -> Self {
        let hz = (TICK * 100) as i32;
        let adjacent = ADJACENT_SPEECH_FRAMES_THRESHOLD;
        Self {
            voice: VoiceActivityDetectorWrapper::with_reset_period(
                VAD_RESET_PERIOD_MS,
                detect_backend(),
                hz,
            ),
            noise: NoiseLevelEstimator::default(),
            speech: SpeechLevelEstimator::new(&CONFIG, adjacent),
            saturation: SaturationProtector::new(
                SATURATION_PROTECTOR_INITIAL_HEADROOM_DB,
                adjacent,
            ),
            controller: AdaptiveDigitalGainController::new(CONFIG, adjacent),
            limiter: Limiter::new(TICK),
        }
    }

    pub(crate) fn capture(&mut self, samples: &mut [f32; TICK]) {
        for sample in samples.iter_mut() {
            *sample *= SCALE;
        }
        let info = self.hear(samples);
        self.controller.process(&info, &mut [samples]);
        self.limiter.process(&mut [samples]);
        for sample in samples.iter_mut() {
            *sample = (*sample / SCALE).clamp(-1.0, 1.0);
        }
    }

    fn hear(&mut self, samples: &[f32; TICK]) -> FrameInfo {
        let probability = self.voice.analyze(samples);
        let peak = samples
            .iter()
            .fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
        let energy: f32 = samples.iter().map(|sample| sample * sample).sum();
        let level = (energy / TICK as f32).sqrt();
        let noise_rms_dbfs = self.noise.analyze(&[samples]);
        self.speech.update(float_s16_to_dbfs(level), probability);
        let speech_level_dbfs = self.speech.level_dbfs();
        self.saturation
            .analyze(probability, float_s16_to_dbfs(peak), speech_level_dbfs);
        FrameInfo {
            speech_probability: probability,
            speech_level_dbfs,
            speech_level_reliable: self.speech.is_confident(),
            noise_rms_dbfs,
            headroom_db: self.saturation.headroom_db(),
            limiter_envelope_dbfs: float_s16_to_dbfs(self.limiter.last_audio_level()),
        }
    }
}
