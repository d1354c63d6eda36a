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
    fn pressure(self) -> f64 {
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
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// A second of ticks, each of which begins `late` after its time and takes `work`, of which the thread runs `ran`.
    fn second(late: Duration, work: Duration, ran: Duration, ticking: usize) -> Reading {
        let begin = Instant::now();
        let mut load = Load::new(begin, Duration::ZERO);
        let mut cpu = Duration::ZERO;
        let mut free = begin;
        for tick in 0..100 {
            let due = begin + ms(10 * tick);
            let woke = (due + late).max(free);
            assert!(!load.is_due(due), "tick {tick}");
            cpu += ran;
            free = woke + work;
            load.ticked(ticking);
            load.sounded(work);
            load.worked(due, free);
        }
        let end = begin + WINDOW;
        assert!(load.is_due(end));
        load.reading(end, cpu)
    }

    fn quiet(work: u64, ticking: usize) -> Reading {
        second(Duration::ZERO, ms(work), ms(work), ticking)
    }

    fn shown(reading: Reading, placed: usize) -> Gauge {
        let gauge = Gauge::default();
        for _ in 0..placed {
            gauge.place();
        }
        gauge.show(reading, reading);
        gauge
    }

    #[test]
    fn a_thread_that_works_three_of_ten_milliseconds_is_three_sevenths_full() {
        let reading = quiet(3, 30);
        assert!((reading.load() - 3.0 / 7.0).abs() < 0.001, "{reading:?}");
        assert!((reading.each().unwrap() - 0.1 / 7.0).abs() < 1e-6);
    }

    #[test]
    fn late_ticks_count_as_work_for_they_leave_as_little_time() {
        let on_time = second(Duration::ZERO, ms(3), ms(3), 30);
        let late = second(ms(4), ms(3), ms(3), 30);
        assert!(
            (late.load() - on_time.load() - 0.4 / FULL).abs() < 0.001,
            "{late:?}"
        );
    }

    #[test]
    fn time_is_counted_once_although_ticks_run_into_each_other() {
        let begin = Instant::now();
        let mut load = Load::new(begin, Duration::ZERO);
        load.worked(begin, begin + ms(300));
        load.worked(begin + ms(100), begin + ms(500));
        load.worked(begin + ms(200), begin + ms(400));
        let reading = load.reading(begin + WINDOW, ms(500));
        assert!((reading.busy - 0.5).abs() < 1e-6, "{reading:?}");
        // And the next window begins with nothing.
        let reading = load.reading(begin + 2 * WINDOW, ms(500));
        assert_eq!((reading.busy, reading.ran), (0.0, 0.0));
    }

    #[test]
    fn what_only_others_keep_late_refuses_nobody() {
        // Ticks 8 ms late on a machine that belongs to somebody else, with one call of ours.
        let reading = second(ms(8), ms(1), Duration::from_micros(300), 2);
        assert!(reading.load() < 0.4, "{reading:?}");
        assert!(shown(reading, 10).load() < 0.6);
    }

    #[test]
    fn few_sessions_are_taken_whatever_is_measured() {
        let overrun = second(ms(9), ms(12), ms(10), 3);
        assert!(overrun.load() > 1.0, "{overrun:?}");
        assert!(shown(overrun, 3).load() < 1.0);
        assert_eq!(shown(overrun, 4).load(), 1.0);
    }

    #[test]
    fn calls_are_refused_before_the_clock_is_late_at_any_speed() {
        // What a session costs a tick and how late ticks begin, in microseconds, and how many times as long as it runs
        // the thread takes: a fast machine, a slow one, one that wakes late, one that others want as well.
        for (cost, wait, others) in [(20, 0, 1_u32), (700, 0, 1), (100, 2_000, 1), (100, 0, 4)] {
            let (cost, wait) = (Duration::from_micros(cost), Duration::from_micros(wait));
            let gauge = Gauge::default();
            let (mut taken, mut before) = (0, Reading::default());
            while gauge.load() < 1.0 {
                gauge.place();
                taken += 1;
                let ran = cost * taken;
                let reading = second(wait, others * ran, ran, taken as usize);
                gauge.show(reading, before);
                before = reading;
                assert!(taken < 10_000);
            }
            let needed = wait + others * cost * taken;
            assert!(needed < TICK, "{taken} sessions are late");
            assert!(
                taken as usize > FEW && needed > TICK * 6 / 10,
                "{taken} are too few"
            );
        }
    }

    #[test]
    fn one_second_alone_makes_no_thread_full() {
        let burst = quiet(9, 30);
        assert_eq!(Reading::default().calmer(burst), Reading::default());
        assert_eq!(quiet(2, 30).calmer(burst), quiet(2, 30));
        assert_eq!(burst.calmer(quiet(2, 30)), quiet(2, 30));
        assert_eq!(shown(burst.calmer(burst), 30).load(), 1.0);
    }

    #[test]
    fn what_a_session_needs_is_known_after_the_first_second() {
        // Half of the time for five, of a machine that has no room for twelve.
        let gauge = Gauge::default();
        (0..5).for_each(|_| gauge.place());
        gauge.show(quiet(3, 5), Reading::default());
        assert!(gauge.load() < 1.0, "{gauge:?}");
        (0..7).for_each(|_| gauge.place());
        assert_eq!(gauge.load(), 1.0, "{gauge:?}");
    }

    #[test]
    fn a_call_whose_ticks_only_begin_late_leaves_nothing_out() {
        let late = second(ms(8), ms(1), Duration::from_micros(100), 2);
        assert_eq!(Economy::new().take(late), None, "{late:?}");
        // Where many are late there is no time.
        let late = second(ms(8), ms(1), Duration::from_micros(100), 20);
        assert_eq!(Economy::new().take(late), Some(Thrift::Plain), "{late:?}");
    }

    #[test]
    fn calls_that_are_still_being_set_up_have_their_time_reserved() {
        let gauge = shown(quiet(3, 30), 30);
        for _ in 0..39 {
            gauge.place();
        }
        assert!(gauge.load() < 1.0, "{gauge:?}");
        gauge.place();
        assert_eq!(gauge.load(), 1.0);
        gauge.leave();
        assert!(gauge.load() < 1.0);
    }

    #[test]
    fn who_joined_within_the_second_is_measured_for_its_part_of_it() {
        let begin = Instant::now();
        let mut load = Load::new(begin, Duration::ZERO);
        for tick in 0..100 {
            load.ticked(if tick < 50 { 20 } else { 60 });
        }
        load.worked(begin, begin + ms(400));
        load.sounded(ms(400));
        let reading = load.reading(begin + WINDOW, ms(400));
        assert!((reading.ticking - 40.0).abs() < 1e-6, "{reading:?}");
        assert!((reading.each().unwrap() * FULL - 0.01).abs() < 1e-6);
    }

    #[test]
    fn before_anything_was_measured_there_is_room_for_more_than_a_hundred_and_not_for_thousands() {
        let gauge = Gauge::default();
        let mut taken = 0;
        while gauge.load() < 1.0 {
            gauge.place();
            taken += 1;
            assert!(taken < 10_000, "there is room without end");
        }
        assert!((100..300).contains(&taken), "{taken}");
    }

    #[test]
    fn a_thread_that_rests_is_empty() {
        let gauge = shown(quiet(7, 70), 70);
        for _ in 0..70 {
            gauge.leave();
        }
        gauge.rest();
        assert_eq!(gauge.load(), 0.0);
    }

    /// A second in which somebody floods a port of one quiet call.
    fn flooded() -> Reading {
        let begin = Instant::now();
        let mut load = Load::new(begin, Duration::ZERO);
        for _ in 0..100 {
            load.ticked(1);
            load.sounded(Duration::from_micros(20));
        }
        load.worked(begin, begin + ms(900));
        load.reading(begin + WINDOW, ms(900))
    }

    #[test]
    fn what_others_send_is_no_part_of_what_a_session_needs() {
        assert!(flooded().each().unwrap() < 0.003, "{:?}", flooded());
        // Nor is it remembered: eight calls on hold, after the one that was flooded has ended.
        let gauge = shown(flooded(), 9);
        gauge.leave();
        gauge.rest();
        assert!(gauge.load() < 0.1, "{gauge:?}");
    }

    #[test]
    fn what_one_second_cost_is_taken_for_half() {
        let gauge = shown(quiet(1, 10), 20);
        gauge.show(quiet(3, 10), quiet(3, 10));
        // 10 ms and 30 ms a second for each, 10 of 20 do not tick.
        let expected = (0.3 + 10.0 * 0.02) / FULL;
        assert!((gauge.load() - expected).abs() < 0.001, "{gauge:?}");
    }

    #[test]
    fn one_session_is_measured_although_a_window_is_a_little_longer_than_its_ticks() {
        let begin = Instant::now();
        let mut load = Load::new(begin, Duration::ZERO);
        (0..100).for_each(|_| load.ticked(1));
        load.sounded(ms(20));
        load.worked(begin, begin + ms(20));
        let reading = load.reading(begin + ms(1_003), ms(20));
        assert!(
            reading.ticking < 1.0 && reading.each().is_some(),
            "{reading:?}"
        );
    }

    /// A thread that gets a seventh of a processor: it can't be busier than it may run, and leaves ticks out.
    #[test]
    fn a_thread_that_is_not_let_run_leaves_out_and_takes_no_call() {
        let starved = |skipped: u64, ticking: usize| {
            let begin = Instant::now();
            let mut load = Load::new(begin, Duration::ZERO);
            (0..50).for_each(|_| load.ticked(ticking));
            load.worked(begin, begin + ms(1_000));
            load.skipped(skipped);
            load.reading(begin + WINDOW, ms(40))
        };
        assert_eq!(Economy::new().take(starved(0, 20)), Some(Thrift::Plain));
        assert!(starved(0, 20).load() < 1.0);
        assert_eq!(shown(starved(50, 20), 20).load(), 1.0);
        assert!(
            shown(starved(10, 20), 20).load() < 1.0,
            "a hiccup is no reason"
        );
        assert!(starved(50, 4).load() < 1.0, "few are always taken");
        assert_eq!(shown(starved(50, 5), 5).load(), 1.0);
    }

    #[test]
    fn more_is_left_out_at_once_and_less_only_after_a_while() {
        let mut economy = Economy::new();
        assert_eq!(economy.take(quiet(5, 50)), None);
        assert_eq!(economy.take(quiet(7, 60)), Some(Thrift::Plain));
        assert_eq!(economy.take(quiet(5, 60)), None, "between the two it stays");
        assert_eq!(economy.take(quiet(7, 70)), Some(Thrift::Bare));
        assert_eq!(economy.take(quiet(7, 70)), None, "there is no more");
        for _ in 1..PATIENCE {
            assert_eq!(economy.take(quiet(3, 30)), None);
        }
        assert_eq!(economy.take(quiet(3, 30)), Some(Thrift::Plain));
        for _ in 1..PATIENCE {
            assert_eq!(economy.take(quiet(3, 30)), None);
        }
        assert_eq!(economy.take(quiet(3, 30)), Some(Thrift::None));
        assert_eq!(economy.thrift(), Thrift::None);
    }

    #[test]
    fn a_second_that_is_not_low_begins_the_wait_anew() {
        let mut economy = Economy::new();
        economy.take(quiet(7, 70));
        for _ in 1..PATIENCE {
            assert_eq!(economy.take(quiet(3, 30)), None);
        }
        assert_eq!(economy.take(quiet(5, 50)), None);
        for _ in 1..PATIENCE {
            assert_eq!(economy.take(quiet(3, 30)), None);
        }
        assert_eq!(economy.take(quiet(3, 30)), Some(Thrift::None));
    }

    #[test]
    fn what_was_given_back_long_ago_is_no_reason_to_wait_longer() {
        let mut economy = Economy::new();
        economy.take(quiet(7, 70));
        for _ in 0..PATIENCE {
            economy.take(quiet(3, 30));
        }
        assert_eq!(economy.thrift(), Thrift::None);
        for _ in 0..=PATIENCE {
            economy.take(quiet(5, 50));
        }
        assert_eq!(economy.take(quiet(7, 70)), Some(Thrift::Plain));
        for _ in 0..PATIENCE {
            economy.take(quiet(3, 30));
        }
        assert_eq!(economy.thrift(), Thrift::None);
    }

    #[test]
    fn what_can_not_be_afforded_is_tried_again_ever_more_rarely() {
        let mut economy = Economy::new();
        let mut changes = 0;
        // Without thrift there is more to do than time, with it less than half.
        for _ in 0..600 {
            let work = match economy.thrift() {
                Thrift::None => 7,
                Thrift::Plain | Thrift::Bare => 3,
            };
            changes += u32::from(economy.take(quiet(work, 100)).is_some());
        }
        assert!((8..30).contains(&changes), "{changes} in ten minutes");
        // Later there are fewer calls, and the past is forgotten.
        for _ in 0..3 * MOST_PATIENCE {
            economy.take(quiet(1, 10));
        }
        assert_eq!(
            (economy.thrift(), economy.patience),
            (Thrift::None, PATIENCE)
        );
    }
}
