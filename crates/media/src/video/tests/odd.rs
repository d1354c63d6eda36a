//! Streams that begin late, leap, break off or never end.

use super::*;

#[test]
fn who_joins_late_wishes_a_key_frame_and_begins_with_it() {
    let mut bench = Bench::new();
    let delta = frame(VP8, 0, false, 3_000);
    let delta = bench.cut(&delta);
    assert_eq!(bench.bring(delta), 0);
    assert!(bench.assembler.wants_key_frame(bench.now));
    assert!(!bench.assembler.wants_key_frame(bench.now));
    assert_eq!(bench.assembler.octets(), 0);
    let key = frame(VP8, 1, true, 3_000);
    let key = bench.cut(&key);
    assert_eq!(bench.bring(key), 1);
    assert!(!bench.wait(2_000).2);
}

#[test]
fn the_first_packet_may_be_overtaken() {
    let mut bench = Bench::new();
    let key = frame(VP8, 0, true, 3_000);
    let mut key = bench.cut(&key);
    key.swap(0, 2);
    assert_eq!(bench.bring(key), 1);
}

#[test]
fn a_later_key_frame_goes_on_once_the_wait_is_over() {
    for codec in VideoCodec::ALL {
        let mut bench = Bench::new();
        let first = frame(codec, 0, true, 3_000);
        let first = bench.cut(&first);
        assert_eq!(bench.bring(first), 1);
        let lost = frame(codec, 1, false, 100);
        let lost = bench.cut(&lost);
        let next = frame(codec, 2, true, 3_000);
        let next = bench.cut(&next);
        assert_eq!(bench.bring(next), 0);
        let (given, asked, _) = bench.wait(100);
        // A request may be lost as well, and the next one comes late on a way of unknown length.
        assert_eq!((given, asked), (0, vec![lost[0].sequence; 3]));
        assert_eq!(bench.wait(400).0, 1);
        assert_eq!(bench.bring(lost), 0);
        assert_eq!(bench.assembler.counts.late, 1);
    }
}

#[test]
fn a_lost_end_is_asked_for_though_nothing_follows() {
    let mut bench = Bench::new();
    let key = frame(VP8, 0, true, 3_000);
    let mut key = bench.cut(&key);
    let end = key.pop().unwrap();
    assert_eq!(bench.bring(key), 0);
    let (given, asked, wished) = bench.wait(250);
    assert_eq!(
        (given, &asked[..1], wished),
        (0, &[end.sequence][..], false)
    );
    assert_eq!(bench.bring([end]), 1);
    assert_eq!(bench.wait(1_000), (0, Vec::new(), false));
}

#[test]
fn padding_is_no_loss_and_no_frame() {
    let mut bench = Bench::new();
    for number in 0..10 {
        let picture = frame(VP8, number, number == 0, 3_000);
        let picture = bench.cut(&picture);
        let padding = VideoPacket {
            payload: Vec::new(),
            sequence: bench.sequence,
            marker: false,
            ..picture[0].clone()
        };
        bench.sequence += 1;
        assert_eq!(bench.bring(picture), 1);
        assert_eq!(bench.bring([padding]), 0);
    }
    assert_eq!(bench.wait(1_000), (0, Vec::new(), false));
}

#[test]
fn frames_without_marker_end_where_another_begins() {
    for codec in VideoCodec::ALL {
        let mut bench = Bench::new();
        let mut given = 0;
        for number in 0..10 {
            let picture = frame(codec, number, number == 0, 3_000);
            let mut picture = bench.cut(&picture);
            for packet in &mut picture {
                packet.marker = false;
            }
            given += bench.bring(picture);
        }
        assert_eq!(given, 9);
    }
}

#[test]
fn another_source_or_a_leap_begins_anew_and_time_goes_on() {
    let mut bench = Bench::new();
    let key = frame(VP8, 0, true, 100);
    let key = bench.cut(&key);
    assert_eq!(bench.bring(key), 1);
    bench.now += 500 * MS;
    let key = frame(VP8, 900, true, 100);
    let mut key = bench.cut(&key);
    key[0].ssrc = 8;
    bench.assembler.push(key.remove(0), bench.now).unwrap();
    let given = bench.assembler.pop(bench.now).unwrap();
    assert_eq!((given.frame.key, given.frame.timestamp), (true, 500 * MS));
    // One strange number is left aside; two that follow each other are where it goes on.
    bench.assembler = Assembler::default();
    let first = frame(VP8, 0, true, 100);
    let first = bench.cut(&first);
    assert_eq!(bench.bring(first), 1);
    let before = bench.sequence;
    bench.sequence = before.wrapping_add(20_000);
    let strange = frame(VP8, 1, false, 100);
    let strange = bench.cut(&strange);
    assert_eq!(bench.bring(strange), 0);
    bench.sequence = before;
    let next = frame(VP8, 2, false, 100);
    let next = bench.cut(&next);
    assert_eq!(bench.bring(next), 1);
    bench.sequence = before.wrapping_add(20_000);
    let leap = frame(VP8, 3, false, 3_000);
    let leap = bench.cut(&leap);
    assert_eq!(bench.bring(leap), 0);
    assert!(bench.wait(10).2);
    let key = frame(VP8, 4, true, 100);
    let key = bench.cut(&key);
    assert_eq!(bench.bring(key), 1);
}

#[test]
fn a_codec_changes_with_a_key_frame() {
    let mut bench = Bench::new();
    for (number, codec, key, given) in [
        (0, VP8, true, 1),
        (1, VideoCodec::H264, true, 1),
        (2, VideoCodec::H264, false, 1),
        (3, VP8, true, 1),
    ] {
        let picture = frame(codec, number, key, 2_000);
        let picture = bench.cut(&picture);
        assert_eq!(bench.bring(picture), given, "{number}");
    }
}

#[test]
fn a_payload_that_is_no_frame_costs_a_key_frame_and_nothing_else() {
    let mut bench = Bench::new();
    let key = frame(VP8, 0, true, 100);
    let key = bench.cut(&key);
    assert_eq!(bench.bring(key), 1);
    let broken = frame(VP8, 1, false, 100);
    let mut broken = bench.cut(&broken);
    broken[0].payload = vec![0x90];
    assert_eq!(bench.bring(broken), 0);
    let delta = frame(VP8, 2, false, 100);
    let delta = bench.cut(&delta);
    assert_eq!(bench.bring(delta), 0);
    let (given, asked, wished) = bench.wait(50);
    assert_eq!((given, asked, wished), (0, Vec::new(), true));
    assert_eq!(bench.assembler.counts.malformed, 1);
    let key = frame(VP8, 3, true, 100);
    let key = bench.cut(&key);
    assert_eq!(bench.bring(key), 1);
}

#[test]
fn loss_without_end_keeps_nobody_from_asking_for_a_key_frame_and_going_on_with_it() {
    for codec in VideoCodec::ALL {
        for seed in 0..20 {
            lose_without_end(codec, seed);
        }
    }
}

/// Loses packets for good and brings a whole key frame now and then: that one is not kept waiting by what was lost before
/// it, and until it comes it is asked for.
fn lose_without_end(codec: VideoCodec, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut bench = Bench::new();
    let (lost, longest) = (rng.random_range(0.1..0.6), rng.random_range(1..3_000));
    let (mut came, mut given) = (0, 0);
    let (mut seen, mut asked) = (bench.now, bench.now);
    for number in 0..400 {
        let key = rng.random_bool(0.02);
        let length = rng.random_range(0..longest);
        let sent = frame(codec, number, key, if key { 4_000 } else { length });
        let mut packets = bench.cut(&sent);
        packets.retain(|_| key || !rng.random_bool(lost));
        came += u64::from(!packets.is_empty());
        let is_frozen = bench.now - seen > 600 * MS;
        let some = bench.bring(packets);
        let waits = key && is_frozen && some == 0;
        assert!(!waits, "{codec:?} {seed}: key frame {number} waits");
        let (later, _, wished) = bench.wait(33);
        given += some + later;
        if some + later > 0 {
            seen = bench.now;
        }
        if wished || seen == bench.now {
            asked = bench.now;
        }
        let silent = bench.now - asked;
        assert!(silent < 2_500 * MS, "{codec:?} {seed}: {silent:?}");
    }
    let key = frame(codec, 400, true, 4_000);
    let key = bench.cut(&key);
    given += bench.bring(key);
    given += bench.wait(1_000).0;
    let counts = bench.assembler.counts;
    assert_eq!(counts.frames, given as u64);
    assert_eq!(counts.frames + counts.dropped, came + 1, "{codec:?} {seed}");
}

#[test]
fn a_frame_that_was_not_sent_to_its_end_is_not_given() {
    for codec in VideoCodec::ALL {
        for seed in 0..50 {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut bench = Bench::new();
            let mut whole = Vec::new();
            let mut cut = false;
            for number in 0..100 {
                // Whoever cuts a frame goes on with a key frame.
                let key = number == 0 || cut || rng.random_bool(0.1);
                let sent = frame(codec, number, key, rng.random_range(10..5_000));
                let mut packets = bench.cut(&sent);
                let length = packets.len();
                cut = rng.random_bool(0.2) && length > 1 && number > 0;
                if cut {
                    packets.truncate(rng.random_range(1..length));
                    bench.sequence = packets.last().unwrap().sequence.wrapping_add(1);
                } else {
                    whole.push(sent.data);
                }
                for packet in packets {
                    bench.assembler.push(packet, bench.now).unwrap();
                }
                bench.now += 33 * MS;
                for given in drain(&mut bench.assembler, bench.now) {
                    assert!(given.data == whole.remove(0), "{codec:?} {seed} {number}");
                }
            }
            assert_eq!(whole.len(), 0, "{codec:?} {seed}");
        }
    }
}

#[test]
fn no_peer_makes_us_keep_more_than_a_bounded_number() {
    let mut bench = Bench::new();
    let mut rng = StdRng::seed_from_u64(1);
    let mut sequence = 0_u16;
    for number in 0..20_000_u32 {
        sequence = match number % 3 {
            0 => sequence.wrapping_add(1),
            1 => sequence.wrapping_add(rng.random_range(2..1_000)),
            _ => rng.random(),
        };
        bench.now += MS / 10;
        let packet = VideoPacket {
            ssrc: SSRC,
            codec: VP8,
            sequence,
            timestamp: number / 100,
            marker: false,
            payload: vec![0x10; 1_400],
        };
        let _read = bench.assembler.push(packet, bench.now);
        drain(&mut bench.assembler, bench.now);
        let mut list = Vec::new();
        bench.assembler.missing(&mut list, bench.now);
        assert!(list.len() <= 256);
        assert!(bench.assembler.octets() <= 1_600_000);
    }
}

#[test]
fn a_deadline_is_never_behind_what_was_done() {
    let mut bench = Bench::new();
    let key = frame(VP8, 0, true, 5_000);
    let mut key = bench.cut(&key);
    key.remove(2);
    bench.bring(key);
    let begin = bench.now;
    let mut steps = 0;
    while bench.now < begin + 10_000 * MS {
        let Some(at) = bench.assembler.deadline() else {
            break;
        };
        assert!(at >= bench.now, "{:?}", bench.now - at);
        bench.now = at.max(bench.now + MS / 100);
        bench.wait(0);
        drain(&mut bench.assembler, bench.now);
        bench.assembler.missing(&mut Vec::new(), bench.now);
        bench.assembler.wants_key_frame(bench.now);
        steps += 1;
    }
    assert!(steps < 60, "{steps}");
}
