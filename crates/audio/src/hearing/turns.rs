//! When somebody begins and ends to speak.

use std::time::Duration;

use super::Heard;
use super::voice::Spoken;

/// Frames of speech before it counts as begun: a cough or a click has fewer.
const TO_BEGIN: u32 = 4;

/// One speaker's turns.
#[derive(Debug)]
pub(super) struct Turns {
    /// In frames.
    silence: u32,
    state: Turn,
}

#[derive(Debug)]
enum Turn {
    /// So many frames of speech of late, with this power in all.
    Quiet { speech: u32, power: f32 },
    Speaking {
        /// Since it began.
        frames: u32,
        /// Since the last frame of speech.
        silent: u32,
        /// Frames of speech, and their power in all.
        speech: u32,
        power: f32,
    },
}

const QUIET: Turn = Turn::Quiet {
    speech: 0,
    power: 0.0,
};

impl Turns {
    /// With so much silence a turn has ended.
    pub(super) fn new(silence: Duration) -> Self {
        Self {
            silence: frames(silence),
            state: QUIET,
        }
    }

    pub(super) fn set_silence(&mut self, silence: Duration) {
        self.silence = frames(silence);
    }

    pub(super) fn push(&mut self, frame: Spoken) -> Option<Heard> {
        match &mut self.state {
            Turn::Quiet { speech, power } => {
                if frame.is_speech() {
                    *speech += 1;
                    *power += frame.power;
                } else if *speech > 0 {
                    *power -= *power / *speech as f32;
                    *speech -= 1;
                }
                if *speech < TO_BEGIN {
                    return None;
                }
                let (speech, power) = (*speech, *power);
                self.state = Turn::Speaking {
                    frames: speech,
                    silent: 0,
                    speech,
                    power,
                };
                let level = level(power, speech);
                Some(Heard::SpeechStarted { level })
            }
            Turn::Speaking {
                frames,
                silent,
                speech,
                power,
            } => {
                *frames += 1;
                *silent += 1;
                if frame.goes_on() {
                    *silent = 0;
                    *speech += 1;
                    *power += frame.power;
                }
                if *silent < self.silence {
                    return None;
                }
                let heard = Heard::SpeechEnded {
                    level: level(*power, *speech),
                    duration: duration(*frames - *silent),
                };
                self.state = QUIET;
                Some(heard)
            }
        }
    }
}

fn frames(silence: Duration) -> u32 {
    (silence.as_millis() as u32)
        .div_ceil(Spoken::MILLISECONDS)
        .max(1)
}

fn duration(frames: u32) -> Duration {
    Duration::from_millis(u64::from(frames * Spoken::MILLISECONDS))
}

fn level(power: f32, frames: u32) -> f32 {
    (power.max(0.0) / frames.max(1) as f32).sqrt()
}
