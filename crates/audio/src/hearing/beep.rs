//! The beep after which a machine records.

use super::spectrum::Sounds;

/// In blocks of 20 ms: the shortest that machines give, whose first and last blocks are not full.
const SHORTEST: u32 = 4;
/// And the longest: 4 s.
const LONGEST: u32 = 200;
/// How far it may wander, in Hz.
const STEADY: f32 = 25.0;
/// What is so much quieter than the beep, in dB, is silence behind it.
const QUIETER: f32 = 12.0;
/// Blocks of silence behind a beep that ends an announcement.
const SILENCE: u32 = 3;
/// And behind one that nobody spoke before: it might be the first beat of a cadence.
const LONG_SILENCE: u32 = 32;
/// Frames of speech, of 16 ms, that make an announcement.
const ANNOUNCEMENT: u32 = 25;

/// Listens for beeps.
#[derive(Debug, Default)]
pub(super) struct Beeps {
    state: Whistle,
    spoken: u32,
}

#[derive(Debug, Default, Clone, Copy)]
enum Whistle {
    #[default]
    Nothing,
    Sounding {
        hz: f32,
        level: f32,
        blocks: u32,
    },
    Over {
        hz: f32,
        level: f32,
        silent: u32,
    },
}

impl Beeps {
    /// Takes note of a frame of speech.
    pub(super) fn hear_speech(&mut self) {
        self.spoken = self.spoken.saturating_add(1);
    }

    /// Takes a block, and gives the frequency of the beep that is over.
    pub(super) fn push(&mut self, block: &Sounds) -> Option<f32> {
        self.state = match (self.state, block.sine) {
            (Whistle::Nothing, None) => Whistle::Nothing,
            (Whistle::Nothing, Some(hz)) => begin(hz, block),
            (Whistle::Sounding { hz, level, blocks }, Some(sine)) if (sine - hz).abs() < STEADY => {
                Whistle::Sounding {
                    hz: hz + (sine - hz) / (blocks + 1) as f32,
                    level: level.max(block.level),
                    blocks: blocks + 1,
                }
            }
            (Whistle::Sounding { .. }, Some(sine)) => begin(sine, block),
            (Whistle::Sounding { hz, level, blocks }, None) => {
                match (SHORTEST..=LONGEST).contains(&blocks) {
                    true => Whistle::Over {
                        hz,
                        level,
                        silent: 0,
                    },
                    false => Whistle::Nothing,
                }
            }
            (Whistle::Over { hz, level, silent }, sine) => {
                let quiet = block.level < level - QUIETER;
                match (quiet, sine) {
                    (true, _) => Whistle::Over {
                        hz,
                        level,
                        silent: silent + 1,
                    },
                    (false, Some(sine)) => begin(sine, block),
                    (false, None) => Whistle::Nothing,
                }
            }
        };
        let enough = match self.spoken >= ANNOUNCEMENT {
            true => SILENCE,
            false => LONG_SILENCE,
        };
        match self.state {
            Whistle::Over { hz, silent, .. } if silent >= enough => {
                *self = Self::default();
                Some(hz)
            }
            Whistle::Nothing | Whistle::Sounding { .. } | Whistle::Over { .. } => None,
        }
    }
}

fn begin(hz: f32, block: &Sounds) -> Whistle {
    Whistle::Sounding {
        hz,
        level: block.level,
        blocks: 1,
    }
}
