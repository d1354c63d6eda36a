//! Whether somebody speaks, 16 ms at a time.

use earshot::Detector;

/// Samples of a frame at 16 kHz: what the detector takes.
const FRAME: usize = 256;

/// Listens for voices.
pub(super) struct VoiceDetector {
    detector: Box<Detector>,
    waiting: Vec<i16>,
    frame: [f32; FRAME],
    floor: Floor,
    dither: Dither,
}

/// 16 ms of sound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoken {
    /// How likely it is that somebody speaks, 0 to 1.
    pub(super) score: f32,
    /// The mean square of the samples, of which 1 is full scale.
    pub(super) power: f32,
    /// It is louder than the noise around it.
    pub(super) stands_out: bool,
}

/// From here on a frame is speech.
const SPEECH: f32 = 0.6;
/// While somebody speaks, less will do: the ends of words are faint.
const GOES_ON: f32 = 0.4;
/// What is as quiet as this is no speech that anybody would hear: −60 dBov.
const INAUDIBLE: f32 = 1e-6;
/// Speech is louder than the noise around it, in power: by 4 dB.
const LOUDER: f32 = 2.5;

impl Spoken {
    /// How long it lasts.
    pub(super) const MILLISECONDS: u32 = 16;

    pub(super) fn is_speech(self) -> bool {
        self.score >= SPEECH && self.stands_out
    }

    /// Whether who speaks already goes on.
    pub(super) fn goes_on(self) -> bool {
        self.score >= GOES_ON && self.stands_out
    }
}

impl std::fmt::Debug for VoiceDetector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VoiceDetector").finish_non_exhaustive()
    }
}

impl VoiceDetector {
    pub(super) fn new() -> Self {
        Self {
            detector: Detector::default_boxed(),
            waiting: Vec::with_capacity(2 * FRAME),
            frame: [0.0; FRAME],
            dither: Dither(1),
            floor: Floor::default(),
        }
    }

    /// Takes 10 ms at 16 kHz, and judges the frame that they complete.
    pub(super) fn judge(&mut self, samples: &[i16]) -> Option<Spoken> {
        self.waiting.extend_from_slice(samples);
        let (frame, _) = self.waiting.split_at_checked(FRAME)?;
        for (to, sample) in self.frame.iter_mut().zip(frame) {
            *to = f32::from(*sample) / 32_768.0;
        }
        self.waiting.drain(..FRAME);
        let power = self.frame.iter().map(|sample| sample * sample).sum::<f32>() / FRAME as f32;
        let floor = self.floor.follow(power);
        let stands_out = power > (LOUDER * floor).max(INAUDIBLE);
        self.dither.add(&mut self.frame, floor.sqrt() * DITHER);
        let score = self.detector.predict_f32(&self.frame);
        Some(Spoken {
            score,
            power,
            stands_out,
        })
    }
}

/// A telephone line carries nothing above 3.4 kHz, and without it the detector takes the line's noise for voices: it gets as
/// much at all frequencies as is heard by nobody, 26 dB below the noise that is there.
const DITHER: f32 = 0.05;

/// Repeatable white noise.
#[derive(Debug)]
struct Dither(u32);

impl Dither {
    fn add(&mut self, samples: &mut [f32], deviation: f32) {
        let peak = deviation * 3_f32.sqrt();
        for sample in samples {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 17;
            self.0 ^= self.0 << 5;
            *sample += peak * (self.0 as f32 / (1_u32 << 31) as f32 - 1.0);
        }
    }
}

/// The power of what is there beside speech: the least of the last second or so, for speech has gaps in each.
#[derive(Debug)]
struct Floor {
    /// The least of each of the last spans, the newest last.
    least: [f32; 4],
    frames: u32,
}

/// In frames: a third of a second.
const SPAN: u32 = 20;

impl Default for Floor {
    fn default() -> Self {
        Self {
            least: [f32::INFINITY; 4],
            frames: 0,
        }
    }
}

impl Floor {
    fn follow(&mut self, power: f32) -> f32 {
        if self.frames == SPAN {
            self.frames = 0;
            self.least.rotate_left(1);
            self.least[3] = f32::INFINITY;
        }
        self.frames += 1;
        self.least[3] = self.least[3].min(power);
        self.least.iter().copied().fold(f32::INFINITY, f32::min)
    }
}
