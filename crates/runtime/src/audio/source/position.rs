//! How far a source has been played, and how much of that was heard.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use audio::Rate;

/// How far a source has been played, in its own samples since it was made; what was dropped does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Handed to the network.
    pub sent: u64,
    /// Of these, heard at the far end, by estimate; nothing before the delay is known.
    pub heard: Option<u64>,
    /// How long it takes from the network to the far end's ear, by estimate.
    pub delay: Option<Duration>,
}

/// What is on its way after a tick.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Underway {
    /// Captured, and waiting until its packet is full.
    pub(crate) unsent: Duration,
    /// How long what is sent takes to the far end's ear.
    pub(crate) delay: Option<Duration>,
}

/// What a reader has counted, for whoever asks.
#[derive(Debug)]
pub(super) struct Track {
    /// Read by ticks.
    played: AtomicU64,
    /// Of these, what sessions that ended never sent.
    lost: AtomicU64,
    sent: AtomicU64,
    heard: AtomicU64,
    /// In microseconds.
    delay: AtomicU64,
}

const UNKNOWN: u64 = u64::MAX;

impl Default for Track {
    fn default() -> Track {
        Track {
            played: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            heard: AtomicU64::new(UNKNOWN),
            delay: AtomicU64::new(UNKNOWN),
        }
    }
}

impl Track {
    pub(super) fn position(&self) -> Position {
        let known = |value: u64| (value != UNKNOWN).then_some(value);
        let delay = known(self.delay.load(Ordering::Acquire)).map(Duration::from_micros);
        // In this order: it may move on meanwhile, and nothing is heard that was not sent.
        let heard = known(self.heard.load(Ordering::Acquire));
        let sent = self.sent.load(Ordering::Acquire);
        Position { sent, heard, delay }
    }

    /// What ticks have read and was sent, or will be unless its session ends: what `sent` comes to.
    pub(super) fn played(&self) -> u64 {
        let played = self.played.load(Ordering::Acquire);
        played - self.lost.load(Ordering::Acquire)
    }

    pub(super) fn play(&self, samples: usize) {
        self.played.fetch_add(samples as u64, Ordering::AcqRel);
    }

    fn send(&self, samples: u64) -> u64 {
        self.sent.fetch_max(samples, Ordering::AcqRel).max(samples)
    }

    fn hear(&self, samples: u64, delay: Duration) {
        let heard = self.heard.load(Ordering::Acquire);
        // A delay that grows makes nothing unheard.
        if heard == UNKNOWN || heard < samples {
            self.heard.store(samples, Ordering::Release);
        }
        let delay = delay.as_micros() as u64;
        self.delay.store(delay, Ordering::Release);
    }
}

/// Most ticks that what was sent takes to be heard: 2 s.
const MOST_TICKS: usize = 200;
const TICK: Duration = Duration::from_millis(10);

/// What was sent in the last ticks of the session that plays a source.
#[derive(Debug, Default)]
pub(super) struct History {
    /// How far it was sent after each tick, the newest at the end.
    sent: VecDeque<u64>,
    /// What had been sent when the last of them let go: what of it was under way has been heard by now.
    before: u64,
}

impl History {
    /// Takes note of a tick, after which so much is under way.
    pub(super) fn note(&mut self, track: &Track, rate: Rate, underway: Underway) {
        // What waits may be of before this source was played.
        let unsent = rate.samples_in(underway.unsent) as u64;
        let sent = track.send(track.played().saturating_sub(unsent));
        if self.sent.len() > MOST_TICKS {
            self.sent.pop_front();
        }
        self.sent.push_back(sent);
        if underway.delay.is_none() {
            track.heard.store(UNKNOWN, Ordering::Release);
            track.delay.store(UNKNOWN, Ordering::Release);
        }
        if let Some(delay) = underway.delay {
            let ticks = (delay.as_micros() / TICK.as_micros()) as usize;
            let then = self.sent.len().checked_sub(ticks.min(MOST_TICKS) + 1);
            track.hear(then.map_or(self.before, |index| self.sent[index]), delay);
        }
    }

    /// The session lets go, and what it has not sent never will be.
    pub(super) fn end(&mut self, track: &Track) {
        self.sent.clear();
        self.before = track.position().sent;
        let lost = track.played() - self.before;
        track.lost.fetch_add(lost, Ordering::AcqRel);
    }
}
