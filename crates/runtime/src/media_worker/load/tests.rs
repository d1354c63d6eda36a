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
