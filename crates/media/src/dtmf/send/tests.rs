use super::*;

const CLOCKS: Clocks = Clocks {
    audio: 8_000,
    event: 8_000,
};

fn run(sender: &mut Sender, clocks: Clocks, ticks: u32) -> Vec<(u32, KeyPacket, Event)> {
    (0..ticks)
        .flat_map(|tick| {
            let now = 1_000_u32.wrapping_add(tick * clocks.audio / 100);
            let packets = sender.tick(now, clocks, 2);
            packets
                .into_iter()
                .flatten()
                .map(move |p| (tick, p, Event::read(&p.payload).unwrap()))
        })
        .collect()
}

#[test]
fn the_last_key_of_each_order_is_out_with_its_first_end() {
    let mut sender = Sender::default();
    let (length, gap) = (Duration::from_millis(100), Duration::from_millis(70));
    for (order, keys) in [(1, 2), (2, 1)] {
        sender.begin_order(order);
        for _ in 0..keys {
            sender.press(5, length, gap);
        }
        sender.pause();
    }
    let mut ends = 0;
    let mut out = Vec::new();
    for tick in 0..900 {
        let packets = sender.tick(tick * 80, CLOCKS, 2);
        let end = |packet: &KeyPacket| Event::read(&packet.payload).unwrap().end;
        ends += packets
            .iter()
            .flatten()
            .filter(|packet| end(packet))
            .count();
        out.extend(sender.take_out().map(|order| (order, ends)));
    }
    assert_eq!(out, [(1, 4), (2, 7)]);
}

#[test]
fn a_key_in_the_sound_is_out_once_it_can_be_recognised() {
    let mut sender = Sender::default();
    sender.begin_order(7);
    sender.press_in_band('5', Duration::from_millis(200), Duration::from_millis(70));
    let mut samples = [0; 80];
    let out: Vec<u32> = (0..30)
        .filter(|tick| {
            sender.tick(tick * 80, CLOCKS, 2);
            sender.fill(Rate::Hz8000, &mut samples);
            sender.take_out() == Some(7)
        })
        .collect();
    assert_eq!(out.first(), Some(&4), "after 40 ms of sound");
}

#[test]
fn one_key_has_one_timestamp_a_rising_duration_and_three_ends() {
    let mut sender = Sender::default();
    sender.press(5, Duration::from_millis(100), Duration::from_millis(70));
    let sent = run(&mut sender, CLOCKS, 40);
    assert!(
        sent.iter()
            .all(|(_, p, e)| p.timestamp == 1_000 && e.code == 5)
    );
    let durations: Vec<u16> = sent.iter().map(|(_, _, e)| e.duration).collect();
    assert_eq!(durations, [80, 160, 320, 480, 640, 800, 800, 800]);
    let marks: Vec<bool> = sent.iter().map(|(_, p, _)| p.marker).collect();
    assert_eq!(marks.iter().filter(|m| **m).count(), 1);
    assert!(marks[0]);
    assert_eq!(sent.iter().filter(|(_, _, e)| e.end).count(), 3);
    assert!(sender.take_completed() && !sender.take_completed());
}

#[test]
fn keys_wait_for_each_other_with_the_gap_between() {
    let mut sender = Sender::default();
    for code in [1, 1] {
        sender.press(code, Duration::from_millis(100), Duration::from_millis(70));
    }
    let sent = run(&mut sender, CLOCKS, 60);
    let begins: Vec<u32> = sent
        .iter()
        .filter(|(_, p, _)| p.marker)
        .map(|(t, _, _)| *t)
        .collect();
    assert_eq!(begins, [0, 17]);
    let timestamps: std::collections::BTreeSet<u32> =
        sent.iter().map(|(_, p, _)| p.timestamp).collect();
    assert_eq!(
        timestamps.into_iter().collect::<Vec<_>>(),
        [1_000, 1_000 + 17 * 80]
    );
}

#[test]
fn a_pause_is_two_seconds() {
    let mut sender = Sender::default();
    sender.pause();
    sender.press(1, Duration::from_millis(100), Duration::from_millis(70));
    assert_eq!(run(&mut sender, CLOCKS, 230)[0].0, 200);
}

#[test]
fn a_pause_at_the_end_is_completed_too() {
    let mut sender = Sender::default();
    sender.pause();
    run(&mut sender, CLOCKS, 199);
    assert!(!sender.take_completed());
    run(&mut sender, CLOCKS, 2);
    assert!(sender.take_completed());
    assert_eq!(sender.waiting(), 0);
}

#[test]
fn a_key_in_the_sound_takes_its_place_for_itself_and_its_gap() {
    let mut sender = Sender::default();
    for key in ['1', 'x', '2'] {
        sender.press_in_band(key, Duration::from_millis(80), Duration::from_millis(50));
    }
    assert_eq!(sender.waiting(), 2);
    let mut shape = String::new();
    let mut done = Vec::new();
    for tick in 0..30 {
        assert_eq!(sender.tick(0, CLOCKS, 2), [None, None]);
        let mut out = [7; 160];
        shape.push(match sender.fill(Rate::Hz16000, &mut out) {
            false => '-',
            true if out.iter().all(|sample| *sample == 0) => '.',
            true => '#',
        });
        if sender.take_completed() {
            done.push((tick, sender.waiting()));
        }
    }
    assert_eq!(shape, "########.....########.....----");
    assert_eq!(done, [(8, 1), (21, 0)]);
}

#[test]
fn events_and_sound_wait_for_each_other() {
    let mut sender = Sender::default();
    let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(70));
    sender.press(5, duration, gap);
    sender.press_in_band('6', duration, gap);
    sender.press(7, duration, gap);
    let mut order = Vec::new();
    for tick in 0..60 {
        let packets = sender.tick(0, CLOCKS, 2);
        let code = |p: KeyPacket| Event::read(&p.payload).unwrap().code;
        if packets[1].is_some_and(|p| p.marker) || sender.is_sounding() && packets[1].is_some() {
            order.push((tick, packets[1].map(code)));
        }
        if sender.fill(Rate::Hz8000, &mut [0; 80]) {
            order.push((tick, None));
        }
    }
    let began = |code| order.iter().position(|(_, what)| *what == code).unwrap();
    assert!(began(Some(5)) < began(None) && began(None) < began(Some(7)));
    assert_eq!(order[began(None)].0, 17);
}

#[test]
fn who_takes_no_events_still_hears_the_sound() {
    let mut sender = Sender::default();
    let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(70));
    sender.press(5, duration, gap);
    sender.press_in_band('6', duration, gap);
    sender.tick(0, CLOCKS, 2);
    sender.abandon_events();
    assert!(sender.take_completed());
    assert_eq!(sender.waiting(), 1);
    sender.tick(0, CLOCKS, 2);
    assert!(sender.fill(Rate::Hz8000, &mut [0; 80]));
}

#[test]
fn a_forgotten_order_leaves_the_key_that_sounds_and_those_of_others() {
    let mut sender = Sender::default();
    let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(70));
    for (order, code) in [(1, 1), (1, 2), (2, 3), (1, 4)] {
        sender.begin_order(order);
        sender.press(code, duration, gap);
    }
    let mut codes: Vec<u8> = Vec::new();
    codes.extend(
        run(&mut sender, CLOCKS, 3)
            .iter()
            .map(|(_, _, event)| event.code),
    );
    sender.forget(1);
    assert!(!sender.take_completed(), "the key that sounds will tell");
    codes.extend(
        run(&mut sender, CLOCKS, 60)
            .iter()
            .map(|(_, _, event)| event.code),
    );
    codes.dedup();
    assert_eq!(codes, [1, 3]);
    assert!(sender.take_completed());
    assert_eq!(sender.waiting(), 0);
}

#[test]
fn what_is_forgotten_in_the_gap_is_over() {
    let mut sender = Sender::default();
    let (duration, gap) = (Duration::from_millis(100), Duration::from_millis(500));
    for code in [1, 2] {
        sender.press(code, duration, gap);
    }
    run(&mut sender, CLOCKS, 20);
    assert!(sender.take_completed());
    sender.forget(0);
    assert!(sender.take_completed());
    assert_eq!(sender.waiting(), 0);
    assert!(run(&mut sender, CLOCKS, 100).is_empty());
}

#[test]
fn abandoned_keys_are_silent_and_over() {
    let mut sender = Sender::default();
    for code in [1, 2] {
        sender.press(code, Duration::from_millis(100), Duration::from_millis(70));
    }
    run(&mut sender, CLOCKS, 3);
    assert!(sender.is_sounding());
    sender.abandon_events();
    assert!(!sender.is_sounding());
    assert!(sender.take_completed() && !sender.take_completed());
    assert!(run(&mut sender, CLOCKS, 30).is_empty());
}

#[test]
fn a_long_key_goes_on_in_segments_that_touch() {
    let clocks = Clocks {
        audio: 48_000,
        event: 48_000,
    };
    let mut sender = Sender::default();
    sender.press(9, Duration::from_secs(4), Duration::from_millis(70));
    let sent = run(&mut sender, clocks, 500);
    let mut begins: Vec<u32> = sent.iter().map(|(_, p, _)| p.timestamp).collect();
    begins.dedup();
    assert_eq!(begins, [1_000, 1_000 + 65_535, 1_000 + 2 * 65_535]);
    let full: Vec<_> = sent
        .iter()
        .filter(|(_, _, e)| e.duration == u16::MAX)
        .collect();
    assert_eq!(full.len(), 2);
    assert!(full.iter().all(|(_, p, e)| !e.end && !p.marker));
    let last = sent.last().unwrap();
    assert_eq!(u32::from(last.2.duration) + 2 * 65_535, 4 * 48_000);
    assert_eq!(sent.iter().filter(|(_, p, _)| p.marker).count(), 1);
}

#[test]
fn durations_count_in_the_events_own_clock() {
    let mut sender = Sender::default();
    sender.press(1, Duration::from_millis(100), Duration::from_millis(70));
    let sent = run(
        &mut sender,
        Clocks {
            audio: 48_000,
            event: 8_000,
        },
        20,
    );
    assert_eq!(sent.last().unwrap().2.duration, 800);
}
