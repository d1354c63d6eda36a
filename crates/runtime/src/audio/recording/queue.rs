//! From the ticks that hear to the thread that writes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use audio::Frame;
use crossbeam_queue::ArrayQueue;

/// 10 s of 10 ms; full: what comes is lost, and counted.
const CAPACITY: usize = 1000;
/// What a tap of each tick hears.
const HEARD: Duration = Duration::from_millis(10);

/// 10 ms of both legs.
#[derive(Debug)]
pub(super) struct Heard {
    /// Since the beginning.
    pub(super) at: Duration,
    pub(super) local: Frame,
    pub(super) remote: Frame,
}

/// What one recording has heard and is not written yet.
#[derive(Debug)]
pub(super) struct RecordingQueue {
    began: Instant,
    /// If not, what is heard follows what was heard before, whenever that was.
    keeps_time: bool,
    heard: ArrayQueue<Box<Heard>>,
    lost: AtomicU64,
    /// Read by each tick: nothing that is said in a pause gets as far as the queue.
    paused: AtomicBool,
    /// The newest tap, which alone is heard.
    newest: AtomicU64,
    ended: OnceLock<Duration>,
}

impl RecordingQueue {
    pub(super) fn new(began: Instant, keeps_time: bool) -> RecordingQueue {
        RecordingQueue {
            began,
            keeps_time,
            heard: ArrayQueue::new(CAPACITY),
            lost: AtomicU64::new(0),
            paused: AtomicBool::new(false),
            newest: AtomicU64::new(0),
            ended: OnceLock::new(),
        }
    }

    pub(super) fn keeps_time(&self) -> bool {
        self.keeps_time
    }

    /// How long ago it began.
    pub(super) fn at(&self, now: Instant) -> Duration {
        match self.keeps_time {
            true => now.saturating_duration_since(self.began),
            false => Duration::ZERO,
        }
    }

    /// Hears nothing any more, or again; when that was, unless it is so already.
    pub(super) fn pause(&self, paused: bool) -> Option<Duration> {
        let was = self.paused.swap(paused, Ordering::AcqRel);
        (was != paused).then(|| self.at(Instant::now()))
    }

    pub(super) fn end(&self) {
        let _ = self.ended.set(self.at(Instant::now()));
    }

    /// When it ended, if it has.
    pub(super) fn ended(&self) -> Option<Duration> {
        self.ended.get().copied()
    }

    pub(super) fn pop(&self) -> Option<Box<Heard>> {
        self.heard.pop()
    }

    /// What was lost since the last time that this was asked.
    pub(super) fn take_lost(&self) -> Duration {
        HEARD * self.lost.swap(0, Ordering::AcqRel) as u32
    }

    fn push(&self, now: Instant, local: &Frame, remote: &Frame) {
        let heard = Box::new(Heard {
            at: self.at(now),
            local: *local,
            remote: *remote,
        });
        if self.heard.push(heard).is_err() {
            self.lost.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// Where a session or a conference is heard for a recording; written once a tick.
#[derive(Debug)]
pub(crate) struct Tap {
    queue: Arc<RecordingQueue>,
    number: u64,
}

impl Tap {
    pub(super) fn new(queue: &Arc<RecordingQueue>) -> Tap {
        let number = queue.newest.fetch_add(1, Ordering::AcqRel) + 1;
        Tap {
            queue: Arc::clone(queue),
            number,
        }
    }

    /// Adds 10 ms of both legs; returns false once nobody wants more of this tap.
    pub(crate) fn write(&mut self, now: Instant, local: &Frame, remote: &Frame) -> bool {
        let queue = &self.queue;
        if queue.ended().is_some() || queue.newest.load(Ordering::Acquire) != self.number {
            return false;
        }
        if !queue.paused.load(Ordering::Acquire) {
            queue.push(now, local, remote);
        }
        true
    }
}

#[cfg(test)]
impl RecordingQueue {
    pub(super) fn holds(&self) -> usize {
        self.heard.len()
    }

    pub(super) fn lost_so_far(&self) -> u64 {
        self.lost.load(Ordering::Acquire)
    }
}
