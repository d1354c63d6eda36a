//! How the media clock of the process keeps its time.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

static TICKS: AtomicU64 = AtomicU64::new(0);
static LATE: AtomicU64 = AtomicU64::new(0);
static SKIPPED: AtomicU64 = AtomicU64::new(0);
static SPARED: AtomicU64 = AtomicU64::new(0);

/// Counts since the process started, over all media threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClockFigures {
    /// Ticks that ran.
    pub ticks: u64,
    /// Of these, how many began more than 10 ms after their time.
    pub late: u64,
    /// Ticks that never ran, because the machine stood still for too long.
    pub skipped: u64,
    /// How many times a thread began to leave out more of what costs time.
    pub spared: u64,
}

/// How the media clock has kept its time so far.
pub fn clock_figures() -> ClockFigures {
    ClockFigures {
        ticks: TICKS.load(Ordering::Relaxed),
        late: LATE.load(Ordering::Relaxed),
        skipped: SKIPPED.load(Ordering::Relaxed),
        spared: SPARED.load(Ordering::Relaxed),
    }
}

/// A thread has begun to leave out more.
pub(super) fn count_thrift() {
    SPARED.fetch_add(1, Ordering::Relaxed);
}

/// Adds what one thread's clock counted since it was last asked.
pub(super) fn count(ticks: u64, late: u64, skipped: u64) {
    TICKS.fetch_add(ticks, Ordering::Relaxed);
    LATE.fetch_add(late, Ordering::Relaxed);
    SKIPPED.fetch_add(skipped, Ordering::Relaxed);
}
