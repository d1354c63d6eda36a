//! The tones of the network by their cadence, which all countries have in common where their frequencies differ
//! (ITU-T E.180, its supplement 2, and E.182).

use std::ops::RangeInclusive;

use super::ToneKind;
use super::spectrum::{BLOCK, SILENCE, Sounds, Tones, exchange_tones};

/// Of each beat so many blocks of 20 ms are looked at, from its second one on.
const LOOKED_AT: usize = 8;
/// Beats that are shorter are looked at with what they have, but not with less than this.
const LEAST: usize = 4;
/// What is so much quieter than the beat, in dB, is its pause.
const PAUSE: f32 = 12.0;
/// In ms: the pauses and beats of busy, and of congestion, which are alike.
const BUSY: RangeInclusive<u32> = 310..=640;
const CONGESTION: RangeInclusive<u32> = 140..=300;
/// The beat of a ringback, a long one, or the two short ones of Britain and its like with a short pause between them.
const RING: RangeInclusive<u32> = 650..=2_700;
const SHORT_RING: RangeInclusive<u32> = 300..=640;
const BETWEEN_RINGS: RangeInclusive<u32> = 140..=300;
/// No tone of a ringback is higher, in Hz.
const HIGHEST_RING: f32 = 520.0;
/// And the silence behind them, as far as one has to wait to know it.
const LONG_PAUSE: u32 = 1_300;
/// How much beats and pauses of one cadence differ, in ms and in part.
const DIFFERENCE: (u32, f32) = (45, 0.15);
/// So long after its last beat a tone of the same kind is a new one.
const FORGOTTEN: u32 = 8_000;
/// The three tones of special information, in Hz, each with room for its variants.
const SPECIAL: [RangeInclusive<f32>; 3] = [895.0..=1_010.0, 1_345.0..=1_455.0, 1_745.0..=1_855.0];
/// In blocks: each of them, of which the shortest has 274 ms; the last need not be over.
const SPECIAL_BLOCKS: [u32; 3] = [9, 9, 5];

/// Listens for the tones of the network.
#[derive(Debug, Default)]
pub(super) struct Progress {
    state: Cadence,
    /// The beats and pauses behind each other, in ms, the newest last.
    beats: Vec<Beat>,
    special: Special,
    /// What was told last, and for how long nothing more of it was heard.
    told: Option<(ToneKind, u32)>,
}

#[derive(Debug, Clone)]
struct Beat {
    on: u32,
    off: u32,
    level: f32,
    tones: Vec<f32>,
}

#[derive(Debug, Default)]
enum Cadence {
    #[default]
    Silence,
    Beat {
        level: f32,
        on: u32,
        samples: Vec<f32>,
        tones: Option<Tones>,
    },
}

impl Beat {
    /// What is quieter is its pause, though there may be noise.
    fn floor(&self) -> f32 {
        (self.level - PAUSE).max(SILENCE)
    }
}

const BLOCK_MS: u32 = 20;
/// No cadence has more beats that matter.
const MOST_BEATS: usize = 3;

impl Progress {
    /// Takes a block with its samples, and gives the tone that it completes.
    pub(super) fn push(&mut self, block: &Sounds, samples: &[f32]) -> Option<(ToneKind, Vec<f32>)> {
        if let Some((_, since)) = &mut self.told {
            *since += BLOCK_MS;
        }
        if let Some(tones) = self.special.push(block.sine) {
            self.beats.clear();
            self.state = Cadence::Silence;
            return self.tell(ToneKind::SpecialInformation, tones);
        }
        let kind = self.follow(block, samples)?;
        let tones = self.beats.last().map(|beat| beat.tones.clone());
        self.tell(kind, tones.unwrap_or_default())
    }

    /// What was heard was something else.
    pub(super) fn forget(&mut self) {
        self.beats.clear();
    }

    fn tell(&mut self, kind: ToneKind, tones: Vec<f32>) -> Option<(ToneKind, Vec<f32>)> {
        let before = self.told.replace((kind, 0));
        let same = before.is_some_and(|(told, since)| told == kind && since < FORGOTTEN);
        (!same).then_some((kind, tones))
    }

    fn follow(&mut self, block: &Sounds, samples: &[f32]) -> Option<ToneKind> {
        match &mut self.state {
            Cadence::Silence => {
                let floor = self.beats.last().map_or(SILENCE, Beat::floor);
                if block.level > floor {
                    self.begin(block.level);
                    return None;
                }
                let beat = self.beats.last_mut()?;
                beat.off += BLOCK_MS;
                self.pause_tells()
            }
            Cadence::Beat {
                level,
                on,
                samples: gathered,
                tones,
            } => {
                if block.level < (*level - PAUSE).max(SILENCE) {
                    return self.end();
                }
                *on += BLOCK_MS;
                *level = level.max(block.level);
                if gathered.len() < LOOKED_AT * BLOCK {
                    gathered.extend_from_slice(samples);
                    if gathered.len() == LOOKED_AT * BLOCK {
                        *tones = exchange_tones(gathered);
                        if tones.is_none() {
                            // Speech, or music.
                            self.beats.clear();
                        }
                    }
                }
                None
            }
        }
    }

    fn begin(&mut self, level: f32) {
        // Its first block is not full, nor is the one with its end: together they are one.
        self.state = Cadence::Beat {
            level,
            on: BLOCK_MS,
            samples: Vec::with_capacity(LOOKED_AT * BLOCK),
            tones: None,
        };
    }

    fn end(&mut self) -> Option<ToneKind> {
        let Cadence::Beat {
            level,
            on,
            samples,
            tones,
        } = std::mem::take(&mut self.state)
        else {
            return None;
        };
        let short = (LEAST * BLOCK..LOOKED_AT * BLOCK).contains(&samples.len());
        // Without its last block, in which it fades.
        let looked = || exchange_tones(&samples[..samples.len() - BLOCK]);
        let Some(Tones(tones)) = tones.or_else(|| short.then(looked).flatten()) else {
            self.beats.clear();
            return None;
        };
        if self.beats.len() == MOST_BEATS {
            self.beats.remove(0);
        }
        let off = BLOCK_MS;
        self.beats.push(Beat {
            on,
            off,
            level,
            tones,
        });
        self.beats_tell()
    }

    /// What two equal beats with an equal pause between them say.
    fn beats_tell(&self) -> Option<ToneKind> {
        let [.., before, now] = &self.beats[..] else {
            return None;
        };
        if !alike(before.on, now.on) || !alike(before.on, before.off) {
            return None;
        }
        if BUSY.contains(&now.on) {
            return Some(ToneKind::Busy);
        }
        CONGESTION.contains(&now.on).then_some(ToneKind::Congestion)
    }

    /// What a long pause says of the beats before it.
    fn pause_tells(&self) -> Option<ToneKind> {
        let last = self.beats.last()?;
        if last.off != LONG_PAUSE || last.tones.iter().any(|hz| *hz > HIGHEST_RING) {
            return None;
        }
        let double = || match &self.beats[..] {
            [.., before, now] => {
                SHORT_RING.contains(&before.on)
                    && SHORT_RING.contains(&now.on)
                    && BETWEEN_RINGS.contains(&before.off)
            }
            [_] | [] => false,
        };
        (RING.contains(&last.on) || double()).then_some(ToneKind::Ringback)
    }
}

fn alike(one: u32, other: u32) -> bool {
    let (least, part) = DIFFERENCE;
    let longer = one.max(other);
    longer - one.min(other) <= least.max((longer as f32 * part) as u32)
}

/// Three rising tones behind each other.
#[derive(Debug, Default)]
struct Special {
    step: usize,
    blocks: [u32; 3],
    sums: [f32; 3],
    /// Blocks that belong to none of them.
    others: u32,
}

/// Blocks between two of the tones, in which one fades into the other, or a short pause.
const BETWEEN: u32 = 4;

impl Special {
    fn push(&mut self, sine: Option<f32>) -> Option<Vec<f32>> {
        let is = |step: usize| sine.filter(|hz| SPECIAL[step].contains(hz));
        let step = self.step;
        let enough = self.blocks[step] >= SPECIAL_BLOCKS[step];
        if let Some(hz) = is(step) {
            self.note(step, hz);
        } else if step < 2
            && enough
            && let Some(hz) = is(step + 1)
        {
            self.note(step + 1, hz);
        } else {
            self.others += 1;
            if self.others > BETWEEN {
                *self = Self::default();
            }
            return None;
        }
        if self.blocks[2] < SPECIAL_BLOCKS[2] {
            return None;
        }
        let found = std::mem::take(self);
        let means = found.sums.iter().zip(found.blocks);
        Some(means.map(|(sum, blocks)| sum / blocks as f32).collect())
    }

    fn note(&mut self, step: usize, hz: f32) {
        self.step = step;
        self.blocks[step] += 1;
        self.sums[step] += hz;
        self.others = 0;
    }
}
