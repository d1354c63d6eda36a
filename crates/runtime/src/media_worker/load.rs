//! How much of its time a media thread needs, and what follows: what to leave out, and when no call is taken any more.
//!
//! ```text
//!  worked from–to ─►┌──────┐ once a second
//!  CPU time       ─►│ Load │──► Reading ──► Economy ──► Thrift of the thread's sessions
//!  ticking        ─►└──────┘       └──────► Gauge ───► who may join (any thread reads it)
//! ```
//! All of it is told the time, so that tests need no clock.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use media::Thrift;

use crate::tick_clock::TICK;

/// Over how long is measured: many ticks, and short beside the time in which calls come.
const WINDOW: Duration = Duration::from_secs(1);
/// The part of its time in which a thread may be busy before no call is added. The rest is for bursts, and for
/// JavaScript, which wants the same processors.
const FULL: f64 = 0.7;
/// How many times its own CPU time a thread counts as busy at most. What is beyond is others' work: it makes ticks late
/// too, but a few calls less would not help. Four is a fair share beside three others that want all of a processor.
const OTHERS: f64 = 4.0;
/// The part of a window's ticks that may be left out before the thread is full whoever takes its time: one hiccup is
/// none of the calls' doing.
const HICCUPS: f64 = 0.1;
/// So many sessions a thread takes whatever it measures: a phone that somebody holds in their hand is never refused.
const FEW: usize = 4;
/// What a session needs of a thread before the first was measured: Opus at complexity 5 with some reserve.
const GUESS: f64 = 0.005;
/// Load, 1 being full, from which more is left out, and below which less is.
const SPARE_FROM: f64 = 0.8;
const EASE_BELOW: f64 = 0.5;
/// Readings in a row below the one before less is left out, at first and at most: where giving back what was left out
/// made the thread full again, it is tried twice as late.
const PATIENCE: u32 = 5;
const MOST_PATIENCE: u32 = 80;

/// What one window showed, as parts of its time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Reading {
    /// In which there was something to do: from when a tick was due or the thread awoke until it waited again.
    busy: f64,
    /// Which the thread ran.
    ran: f64,
    /// In which sessions and conferences ticked, as opposed to what others sent them.
    sounding: f64,
    /// Sessions that ticked, on average: those that joined meanwhile only for their time.
    ticking: f64,
    /// The ticks that were left out, as a part of those due.
    skipped: f64,
}

impl Reading {
    /// How full the thread is: 1 where no further call should come.
    fn load(self) -> f64 {
        let load = self.busy.min(OTHERS * self.ran) / FULL;
        // Whoever has the processor: what sounds already is lost in part.
        match self.starves() && self.is_of_many() {
            true => load.max(1.0),
            false => load,
        }
    }

    fn starves(self) -> bool {
        self.skipped > HICCUPS
    }

    /// Of more sessions than are always taken; those whose ticks were left out count as well.
    fn is_of_many(self) -> bool {
        self.ticking > FEW as f64 * (1.0 - self.skipped.min(1.0))
    }

    /// The one of two that leaves more room: who is full for two windows in a row is full.
    pub(super) fn calmer(self, other: Reading) -> Reading {
        match self.load() <= other.load() {
            true => self,
            false => other,
        }
    }

    /// How little time is left, whoever takes it: leaving out refuses nobody. A call or two whose ticks only begin late
    /// would gain nothing by it.
    pub(super) fn pressure(self) -> f64 {
        match self.starves() || self.is_of_many() {
            true => self.busy / FULL,
            false => self.load(),
        }
    }

    /// What one session needs of it, in the same measure: of the time in ticks, the part that the thread ran.
    fn each(self) -> Option<f64> {
        let ran = (self.ran / self.busy.max(f64::EPSILON)).min(1.0);
        (self.ticking >= 0.5).then(|| self.sounding * ran / self.ticking / FULL)
    }
}

/// Adds up what a thread does.
#[derive(Debug)]
pub(super) struct Load {
    /// Begin of the window.
    since: Instant,
    /// The thread's CPU time then.
    cpu: Duration,
    busy: Duration,
    sounding: Duration,
    skipped: u32,
    /// Until when `busy` counts.
    counted: Instant,
    /// Ticks of all sessions.
    ticks: usize,
}

impl Load {
    pub(super) fn new(now: Instant, cpu: Duration) -> Load {
        Load {
            since: now,
            cpu,
            busy: Duration::ZERO,
            sounding: Duration::ZERO,
            skipped: 0,
            counted: now,
            ticks: 0,
        }
    }

    /// The thread had something to do from `from` to `to`; what was counted already is not counted again.
    pub(super) fn worked(&mut self, from: Instant, to: Instant) {
        self.busy += to.saturating_duration_since(from.max(self.counted));
        self.counted = self.counted.max(to);
    }

    /// Ticks took so long.
    pub(super) fn sounded(&mut self, time: Duration) {
        self.sounding += time;
    }

    /// So many ticks were left out.
    pub(super) fn skipped(&mut self, ticks: u64) {
        self.skipped = self
            .skipped
            .saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX));
    }

    /// A tick has begun in which so many sessions take part.
    pub(super) fn ticked(&mut self, sessions: usize) {
        self.ticks += sessions;
    }

    /// Whether the window is over, and [`reading`](Self::reading) should be asked.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= WINDOW
    }

    /// What the window showed; the next one begins.
    pub(super) fn reading(&mut self, now: Instant, cpu: Duration) -> Reading {
        let window = now.saturating_duration_since(self.since).as_secs_f64();
        let part = |time: Duration| time.as_secs_f64() / window.max(f64::EPSILON);
        let reading = Reading {
            busy: part(self.busy).min(1.0),
            ran: part(cpu.saturating_sub(self.cpu)),
            sounding: part(self.sounding),
            ticking: self.ticks as f64 * part(TICK),
            skipped: part(TICK) * f64::from(self.skipped),
        };
        *self = Load::new(now, cpu);
        reading
    }
}

/// Decides what is left out: more at once, less after a while.
#[derive(Debug)]
pub(super) struct Economy {
    thrift: Thrift,
    /// Readings in a row that were low.
    low: u32,
    patience: u32,
    /// Readings since less was left out; `None` where that has proved itself.
    eased: Option<u32>,
}

impl Economy {
    pub(super) fn new() -> Economy {
        Economy {
            thrift: Thrift::None,
            low: 0,
            patience: PATIENCE,
            eased: None,
        }
    }

    pub(super) fn thrift(&self) -> Thrift {
        self.thrift
    }

    /// Takes a reading; returns the thrift to change to, if it changes.
    pub(super) fn take(&mut self, reading: Reading) -> Option<Thrift> {
        let load = reading.pressure();
        let before = self.thrift;
        self.eased = self
            .eased
            .map(|readings| readings + 1)
            .filter(|readings| *readings <= self.patience);
        self.low = if load < EASE_BELOW { self.low + 1 } else { 0 };
        if load >= SPARE_FROM {
            self.spare();
        } else if self.low >= self.patience {
            self.ease();
        }
        (self.thrift != before).then_some(self.thrift)
    }

    fn spare(&mut self) {
        self.thrift = self.thrift.more();
        // It was too early.
        if self.eased.take().is_some() {
            self.patience = (2 * self.patience).min(MOST_PATIENCE);
        }
    }

    fn ease(&mut self) {
        self.low = 0;
        match self.thrift {
            // Long enough without thrift, and the past no longer counts.
            Thrift::None => self.patience = PATIENCE,
            Thrift::Plain | Thrift::Bare => {
                self.thrift = self.thrift.less();
                self.eased = Some(0);
            }
        }
    }
}

/// What others may know of a thread, without waiting for it.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// Sessions and conferences that have their place on the thread, ticking or not.
    placed: AtomicUsize,
    /// Millionths of load at the last reading.
    load: AtomicU32,
    /// Millionths of load that a session needs; 0 where none was measured.
    each: AtomicU32,
    /// Sessions that this load is of.
    ticking: AtomicUsize,
}

impl Gauge {
    pub(super) fn place(&self) {
        self.placed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn leave(&self) {
        self.placed.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn placed(&self) -> usize {
        self.placed.load(Ordering::Relaxed)
    }

    /// Says what the thread measured, and in the window before. What a session needs is known from the first on.
    pub(super) fn show(&self, reading: Reading, before: Reading) {
        let calm = reading.calmer(before);
        self.load.store(millionths(calm.load()), Ordering::Relaxed);
        self.ticking
            .store(calm.ticking.round() as usize, Ordering::Relaxed);
        if let Some(each) = reading.each() {
            // One second's odd cost is not taken for everybody's.
            let each = match self.each.load(Ordering::Relaxed) {
                0 => each,
                before => (parts(before) + each) / 2.0,
            };
            self.each.store(millionths(each), Ordering::Relaxed);
        }
    }

    /// Says that nothing ticks, so that nothing is measured.
    pub(super) fn rest(&self) {
        self.load.store(0, Ordering::Relaxed);
        self.ticking.store(0, Ordering::Relaxed);
        self.each.store(0, Ordering::Relaxed);
    }

    /// How full the thread is, 0 to 1: at 1 it takes no further call. Those that do not tick yet, or no longer, count as
    /// if they did: they have been promised their time.
    pub(super) fn load(&self) -> f64 {
        let placed = self.placed();
        let each = match self.each.load(Ordering::Relaxed) {
            0 => GUESS / FULL,
            each => parts(each),
        };
        let quiet = placed.saturating_sub(self.ticking.load(Ordering::Relaxed));
        let load = parts(self.load.load(Ordering::Relaxed)) + quiet as f64 * each;
        let most = if placed < FEW { 0.99 } else { 1.0 };
        load.min(most)
    }
}

fn millionths(part: f64) -> u32 {
    (part * 1e6).round() as u32
}

fn parts(millionths: u32) -> f64 {
    f64::from(millionths) / 1e6
}

#[cfg(test)]
mod tests;
