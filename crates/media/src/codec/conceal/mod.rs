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

use self::bridge::Bridge;
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
    /// How many samples were invented since the last packet; `None` in what was sent.
    gap: Option<usize>,
    continuation: Continuation,
    bridge: Box<Bridge>,
}

impl Concealer {
    pub(super) fn new(rate: Rate) -> Self {
        let per_ms = rate.hz() as usize / 1000;
        Self {
            per_ms,
            searches: true,
            history: vec![0; (LONGEST_PERIOD_MS + COMPARED_MS) * per_ms],
            gap: None,
            continuation: Continuation::new(per_ms),
            bridge: Box::new(Bridge::new(per_ms)),
        }
    }

    /// Continues whatever came last by its last 10 ms from now on, instead of its pitch, or no longer.
    pub(super) fn set_searches(&mut self, searches: bool) {
        self.searches = searches;
    }

    /// Forgets the stream so far.
    pub(super) fn reset(&mut self) {
        self.history.fill(0);
        self.gap = None;
    }

    /// Takes in samples that really came, and blends their start into the gap before them.
    pub(super) fn heard(&mut self, samples: &mut [i16]) {
        if let Some(lost) = self.gap {
            // G.711 Appendix I §I.2.7: 4 ms longer for each 10 ms lost, at most 10 ms.
            let lost_ms = lost / self.per_ms;
            let blend = ((4 + 4 * (lost_ms / 10)).min(10) * self.per_ms).min(samples.len());
            for (index, sample) in samples[..blend].iter_mut().enumerate() {
                let invented = self.next();
                let real = f32::from(*sample);
                let share = (index + 1) as f32 / (blend + 1) as f32;
                *sample = (invented + (real - invented) * share) as i16;
            }
            self.gap = None;
        }
        self.remember(samples);
    }

    /// Fills `samples` with the continuation of what was heard.
    pub(super) fn conceal(&mut self, samples: &mut [i16]) {
        self.begin();
        samples.fill_with(|| self.next() as i16);
        self.remember(samples);
    }

    /// Appends the last two samples played to `out`, and the next ones that [`conceal`](Self::conceal) would give.
    pub(super) fn look_ahead(&mut self, samples: usize, out: &mut Vec<i16>) {
        self.begin();
        let (gap, place) = (self.gap, self.continuation.place());
        out.extend_from_slice(&self.history[self.history.len() - 2..]);
        out.extend(std::iter::repeat_with(|| self.next() as i16).take(samples));
        self.continuation.go_back(place);
        self.gap = gap;
    }

    /// Fills `samples` between what was heard and the sound of the packet behind the gap.
    pub(super) fn bridge(&mut self, samples: &mut [i16], behind: &[i16]) {
        if !self.searches || behind.len() < bridge::LEAST_MS * self.per_ms {
            return self.conceal(samples);
        }
        self.begin();
        let mut length = self.gap.unwrap_or(0);
        let (continuation, per_ms) = (&mut self.continuation, self.per_ms);
        let period = continuation.period();
        let next = || faded(continuation, &mut length, per_ms);
        self.bridge
            .fill(samples, &self.history, period, next, behind);
        self.gap = None;
        self.remember(samples);
    }

    fn begin(&mut self) {
        if self.gap.is_none() {
            self.gap = Some(0);
            self.continuation
                .restart(self.history.iter(), self.searches);
        }
    }

    fn next(&mut self) -> f32 {
        let length = self.gap.get_or_insert(0);
        faded(&mut self.continuation, length, self.per_ms)
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

/// The next sample of a gap in which `length` samples were invented so far.
fn faded(continuation: &mut Continuation, length: &mut usize, per_ms: usize) -> f32 {
    let (hold, silent) = (HOLD_MS * per_ms, SILENT_AFTER_MS * per_ms);
    let gain = match *length {
        length if length <= hold => 1.0,
        length if length < silent => (silent - length) as f32 / (silent - hold) as f32,
        _ => 0.0,
    };
    *length += 1;
    continuation.next() * gain
}
