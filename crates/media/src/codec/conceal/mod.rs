//! Concealment for codecs without their own.
//!
//! ```text
//! heard ──► gap ──────────────────────────► heard again
//!   │        continued by linear prediction   │
//!   └──► bridge, if what follows is known ◄───┘
//! ```
//! What was heard goes on as a source of its pitch behind a filter of its spectrum, as in G.711 Appendix I's
//! successors, and fades. If the packet behind the gap has come already, which a jitter buffer makes likely, it is
//! continued backwards as well, and both meet in the gap.

mod bridge;
mod continuation;
mod likeness;

use self::continuation::{COMPARED_MS, Continuation, LONGEST_PERIOD_MS};
use audio::Rate;

/// Full volume for this long, then a linear fade to silence.
const HOLD_MS: usize = 20;
const SILENT_AFTER_MS: usize = 100;

/// Remembers the last sound heard and continues it over gaps.
#[derive(Debug)]
pub(super) struct Concealer {
    per_ms: usize,
    /// Whether the next gap's pitch is searched for.
    searches: bool,
    /// The sound played last, oldest first.
    history: Vec<i16>,
    gap: Option<Gap>,
}

/// What is played since the last packet.
#[derive(Clone, Debug)]
struct Gap {
    continuation: Continuation,
    /// How many samples were invented so far, and at how many the fade begins and ends.
    length: usize,
    hold: usize,
    silent: usize,
}

impl Concealer {
    pub(super) fn new(rate: Rate) -> Self {
        let per_ms = rate.hz() as usize / 1000;
        Self {
            per_ms,
            searches: true,
            history: vec![0; (LONGEST_PERIOD_MS + COMPARED_MS) * per_ms],
            gap: None,
        }
    }

    /// Continues whatever came last by its last 10 ms from now on, instead of its pitch, or no longer.
    pub(super) fn set_searches(&mut self, searches: bool) {
        self.searches = searches;
    }

    pub(super) fn searches(&self) -> bool {
        self.searches
    }

    /// Takes in samples that really came, and blends their start into the gap before them.
    pub(super) fn heard(&mut self, samples: &mut [i16]) {
        if let Some(mut gap) = self.gap.take() {
            // G.711 Appendix I §I.2.7: 4 ms longer for each 10 ms lost, at most 10 ms.
            let lost_ms = gap.length / self.per_ms;
            let blend = ((4 + 4 * (lost_ms / 10)).min(10) * self.per_ms).min(samples.len());
            for (index, sample) in samples[..blend].iter_mut().enumerate() {
                let invented = gap.next();
                let real = f32::from(*sample);
                let share = (index + 1) as f32 / (blend + 1) as f32;
                *sample = (invented + (real - invented) * share) as i16;
            }
        }
        self.remember(samples);
    }

    /// The last two samples played, and the next ones that [`conceal`](Self::conceal) would give.
    pub(super) fn ahead(&mut self, samples: usize) -> ([i16; 2], Vec<i16>) {
        let gap = self.take_gap();
        let mut copy = gap.clone();
        self.gap = Some(gap);
        let invented = std::iter::repeat_with(|| copy.next() as i16);
        let end = self.history.len();
        let last = [self.history[end - 2], self.history[end - 1]];
        (last, invented.take(samples).collect())
    }

    /// Fills `samples` with the continuation of what was heard.
    pub(super) fn conceal(&mut self, samples: &mut [i16]) {
        let mut gap = self.take_gap();
        samples.fill_with(|| gap.next() as i16);
        self.gap = Some(gap);
        self.remember(samples);
    }

    /// Fills `samples` between what was heard and the sound of the packet behind the gap.
    pub(super) fn bridge(&mut self, samples: &mut [i16], behind: &[i16]) {
        if !self.searches || behind.len() < bridge::LEAST_MS * self.per_ms {
            return self.conceal(samples);
        }
        let mut gap = self.take_gap();
        bridge::fill(samples, &self.history, &mut gap, behind, self.per_ms);
        self.remember(samples);
    }

    fn take_gap(&mut self) -> Gap {
        self.gap.take().unwrap_or_else(|| Gap {
            continuation: Continuation::of(&self.history, self.per_ms, self.searches),
            length: 0,
            hold: HOLD_MS * self.per_ms,
            silent: SILENT_AFTER_MS * self.per_ms,
        })
    }

    fn remember(&mut self, samples: &[i16]) {
        let size = self.history.len();
        if samples.len() >= size {
            self.history
                .copy_from_slice(&samples[samples.len() - size..]);
        } else {
            self.history.copy_within(samples.len().., 0);
            self.history[size - samples.len()..].copy_from_slice(samples);
        }
    }
}

impl Gap {
    fn next(&mut self) -> f32 {
        let gain = match self.length {
            length if length <= self.hold => 1.0,
            length if length < self.silent => {
                (self.silent - length) as f32 / (self.silent - self.hold) as f32
            }
            _ => 0.0,
        };
        self.length += 1;
        self.continuation.next() * gain
    }
}
