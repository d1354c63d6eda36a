use super::*;
use std::time::Duration;

struct Bench {
    playout: Playout<Vec<u8>>,
    start: Instant,
}

impl Bench {
    fn new() -> Self {
        let start = crate::virtual_time::start();
        Self {
            playout: Playout::new(OpusSettings::default(), Rate::Hz8000, start),
            start,
        }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    fn packet(&mut self, ssrc: u32, number: u32, timestamp: u32, value: u8, ms: u64) {
        let packet = Packet {
            ssrc,
            sequence: number as u16,
            timestamp,
            codec: Codec::Pcmu,
            payload: vec![value; 160],
        };
        self.playout.insert(packet, self.at(ms));
    }

    fn pull(&mut self, ms: u64) -> [i16; 80] {
        let mut out = [0; 80];
        self.playout.pull(&mut out, self.at(ms));
        out
    }

    /// 20 ms packets on time, each with its own level; gives how many samples had which level.
    fn run(
        &mut self,
        packets: std::ops::Range<u32>,
        keep: impl Fn(u32) -> Option<(u32, u32)>,
    ) -> Vec<i16> {
        let mut heard = Vec::new();
        for i in packets.clone() {
            let ms = u64::from(i) * 20 + 5;
            if let Some((ssrc, timestamp)) = keep(i) {
                self.packet(ssrc, i, timestamp, (0x80 + i % 64) as u8, ms);
            }
            heard.extend(self.pull(ms + 1));
            heard.extend(self.pull(ms + 11));
        }
        heard
    }
}

#[test]
fn everything_that_comes_in_time_is_played() {
    let mut bench = Bench::new();
    bench.run(0..200, |i| Some((1, i * 160)));
    let counters = bench.playout.counters();
    assert_eq!(counters.concealed, 0);
    assert_eq!(counters.discarded, 0);
    assert!(bench.playout.waiting() < Duration::from_millis(80));
}

#[test]
fn the_first_packet_waits_as_long_as_packets_of_an_uneven_network_may_need() {
    let mut bench = Bench::new();
    assert_eq!(bench.pull(4), [0; 80]);
    bench.packet(1, 0, 0, 0x90, 5);
    assert_eq!(bench.pull(14), [0; 80]);
    bench.packet(1, 1, 160, 0x90, 25);
    bench.packet(1, 2, 320, 0x90, 45);
    let first = (2..10).find(|tick| bench.pull(tick * 10 + 4) != [0; 80]);
    assert_eq!(first, Some(7));
    assert_eq!(bench.playout.counters().concealed, 0);
}

#[test]
fn a_change_of_ssrc_loses_nothing() {
    let mut bench = Bench::new();
    bench.run(0..200, |i| {
        Some(if i < 100 {
            (1, i * 160)
        } else {
            (2, 3_000_000_000_u32.wrapping_add(i * 160))
        })
    });
    let counters = bench.playout.counters();
    assert_eq!((counters.concealed, counters.discarded), (0, 0));
}

#[test]
fn a_lost_packet_is_concealed_once_for_its_length() {
    let mut bench = Bench::new();
    bench.run(0..100, |i| (i != 50).then_some((1, i * 160)));
    let counters = bench.playout.counters();
    assert_eq!((counters.concealed, counters.concealment_events), (160, 1));
}

#[test]
fn silence_left_out_by_the_sender_is_no_loss() {
    let mut bench = Bench::new();
    // The numbers go on while the timestamps leap: nothing was sent for half a second.
    let mut heard = 0;
    for i in 0..100_u32 {
        let pause = if i >= 50 { 500 } else { 0 };
        let ms = u64::from(i) * 20 + pause;
        if i == 50 {
            for tick in 0..50 {
                heard += bench.pull(ms - 500 + tick * 10).len();
            }
        }
        bench.packet(1, i, i * 160 + pause as u32 * 8, 0x90, ms);
        heard += bench.pull(ms + 1).len() + bench.pull(ms + 11).len();
    }
    let counters = bench.playout.counters();
    assert!(
        heard > 0 && counters.silent_concealed > 3_000,
        "{counters:?}"
    );
    assert!(
        counters.concealed - counters.silent_concealed < 400,
        "{counters:?}"
    );
    assert_eq!(counters.discarded, 0);
}

#[test]
fn a_sender_whose_clock_moved_back_is_heard_again() {
    let mut bench = Bench::new();
    bench.run(0..100, |i| Some((1, i * 160)));
    let before = bench.playout.counters().concealed;
    bench.run(100..200, |i| Some((1, (i - 90) * 160)));
    let concealed = bench.playout.counters().concealed - before;
    assert!(concealed < 3_200, "{concealed}");
}

#[test]
fn a_peer_that_stops_is_followed_by_silence_at_no_cost() {
    let mut bench = Bench::new();
    bench.run(0..50, |i| Some((1, i * 160)));
    for tick in 0..300 {
        bench.pull(1_000 + tick * 10);
    }
    assert_eq!(bench.pull(5_000), [0; 80]);
    assert!(bench.playout.waiting() < Duration::from_millis(20));
}

/// Source, number and timestamp of a packet by its place in the second stream.
type Stamps = dyn Fn(u32) -> (u32, u32, u32);

/// A second of sound, `silence` milliseconds of nothing, then a second of which the packets are as `later` says; gives
/// what was counted in that, and when its sound began after its first packet.
fn begin_again(silence: u64, later: &Stamps) -> (Counters, Counters, Option<u64>) {
    let mut bench = Bench::new();
    bench.run(0..50, |i| Some((1, i * 160)));
    for tick in 0..silence / 10 {
        bench.pull(1_000 + tick * 10);
    }
    let before = bench.playout.counters();
    let resumed = 1_000 + silence;
    let mut heard = None;
    for i in 0..50_u32 {
        let ms = resumed + u64::from(i) * 20;
        let (ssrc, number, timestamp) = later(i);
        bench.packet(ssrc, number, timestamp, 0x90, ms);
        for now in [ms + 1, ms + 11] {
            let loud = bench.pull(now).iter().any(|sample| sample.abs() > 1_000);
            heard = heard.or(loud.then_some(now - resumed));
        }
    }
    (before, bench.playout.counters(), heard)
}

#[test]
fn a_stream_that_goes_on_after_hold_begins_with_its_first_packet_and_with_caution() {
    for silence in [3_000, 8_000, 30_000] {
        let leap = silence as u32 * 8;
        let cases: [(&str, Box<Stamps>); 3] = [
            (
                "its clock ran",
                Box::new(move |i| (1, 50 + i, 8_000 + leap + i * 160)),
            ),
            (
                "its clock stood",
                Box::new(|i| (1, 50 + i, 8_000 + i * 160)),
            ),
            ("another source", Box::new(|i| (2, 9_000 + i, 77 + i * 160))),
        ];
        for (name, later) in cases {
            let (before, after, heard) = begin_again(silence, &later);
            let invented = |c: &Counters| c.concealed - c.silent_concealed;
            assert_eq!(after.discarded, 0, "{silence} {name}: {after:?}");
            assert_eq!(
                invented(&after).saturating_sub(invented(&before)),
                0,
                "{silence} {name}"
            );
            assert_eq!(after.inserted, before.inserted, "{silence} {name}");
            let heard = heard.expect("it is heard");
            assert!((30..=80).contains(&heard), "{silence} {name}: {heard} ms");
        }
    }
}

#[test]
fn what_never_came_for_seconds_is_not_made_up_for() {
    // The numbers leap too: all of it is lost.
    let (before, after, heard) = begin_again(8_000, &|i| (1, 450 + i, 72_000 + i * 160));
    assert_eq!(after.discarded, 0);
    assert!(after.concealed - before.concealed < 4_000, "{after:?}");
    assert!(heard.is_some_and(|ms| ms < 500), "{heard:?}");
}

#[test]
fn a_peer_may_change_its_codec_between_any_two_packets() {
    let mut bench = Bench::new();
    for i in 0..100_u32 {
        let ms = u64::from(i) * 20;
        let wide = (i / 25) % 2 == 1;
        let packet = Packet {
            ssrc: 1,
            sequence: i as u16,
            timestamp: i * 160,
            codec: if wide { Codec::G722 } else { Codec::Pcmu },
            payload: vec![0xd5; 160],
        };
        let now = bench.at(ms);
        bench.playout.insert(packet, now);
        for tick in 0..2 {
            let mut out = vec![0; bench.playout.rate().samples_per_tick()];
            let now = bench.at(ms + tick * 10 + 1);
            bench.playout.pull(&mut out, now);
        }
    }
    let counters = bench.playout.counters();
    assert_eq!(counters.discarded, 0);
    assert!(counters.concealed <= 3 * 160, "{counters:?}");
}

#[test]
fn a_peer_may_change_its_codec_after_sound_was_stretched() {
    let mut bench = Bench::new();
    let sent = |i: u32| {
        u64::from(i) * 20
            + if i >= 100 && i.is_multiple_of(3) {
                60
            } else {
                0
            }
    };
    let mut arrivals: Vec<(u64, u32)> = (0..400).map(|i| (sent(i), i)).collect();
    arrivals.sort_unstable();
    let mut arrivals = arrivals.into_iter().peekable();
    let mut before = Counters::default();
    for tick in 0..800_u64 {
        while let Some((ms, i)) = arrivals.next_if(|(ms, _)| *ms <= tick * 10) {
            // A sound with a pitch, so that whole periods can be left out and put in.
            let wave = |n: u32| {
                if ((i * 160 + n) / 21).is_multiple_of(2) {
                    0x10
                } else {
                    0x90
                }
            };
            let packet = Packet {
                ssrc: 1,
                sequence: i as u16,
                timestamp: i * 160,
                codec: if i < 300 { Codec::Pcmu } else { Codec::G722 },
                payload: (0..160).map(wave).collect(),
            };
            let now = bench.at(ms);
            bench.playout.insert(packet, now);
        }
        if tick == 590 {
            before = bench.playout.counters();
        }
        let mut out = vec![0; bench.playout.rate().samples_per_tick()];
        let now = bench.at(tick * 10 + 1);
        bench.playout.pull(&mut out, now);
    }
    let after = bench.playout.counters();
    assert_ne!(before.inserted, before.removed, "{before:?}");
    assert_eq!(bench.playout.codec(), Some(Codec::G722));
    assert!(after.concealed - before.concealed < 1_600, "{after:?}");
}

#[test]
fn garbage_never_panics_and_never_grows() {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};
    let mut rng = StdRng::seed_from_u64(3);
    let mut bench = Bench::new();
    for i in 0..5_000_u64 {
        let packet = Packet {
            ssrc: rng.random_range(0..3),
            sequence: rng.random(),
            timestamp: rng.random(),
            codec: Codec::ALL[rng.random_range(0..4)],
            payload: (0..rng.random_range(0..300))
                .map(|_| rng.random())
                .collect(),
        };
        let now = bench.at(i * 7);
        bench.playout.insert(packet, now);
        let mut out = vec![0; bench.playout.rate().samples_per_tick()];
        bench.playout.pull(&mut out, now);
    }
    assert!(bench.playout.sound.capacity() < 40_000);
}

/// 20 ms packets without jitter, of which each carries a copy of the one before it, and one in ten is lost; gives how
/// many copies came too late.
fn late_copies(packets: std::ops::Range<u32>, bench: &mut Bench) -> usize {
    let mut late = 0;
    for i in packets {
        let ms = u64::from(i) * 20 + 5;
        if i % 10 != 3 {
            let carrier = Packet {
                ssrc: 1,
                sequence: i as u16,
                timestamp: i * 160,
                codec: Codec::Pcmu,
                payload: &[0x90; 160][..],
            };
            let lost = bench.playout.missed(carrier, 1, 160);
            late += usize::from(i % 10 == 4 && lost.is_none());
            if let Some(lost) = lost {
                assert_eq!(
                    (lost.sequence, lost.timestamp),
                    (i as u16 - 1, (i - 1) * 160)
                );
                bench.packet(1, i - 1, (i - 1) * 160, 0x90, ms);
            }
            bench.packet(1, i, i * 160, 0x90, ms);
        }
        bench.pull(ms + 1);
        bench.pull(ms + 11);
    }
    late
}

#[test]
fn playing_waits_for_the_copies_of_what_is_lost() {
    let mut bench = Bench::new();
    late_copies(0..500, &mut bench);
    let before = bench.playout.counters().concealed;
    assert_eq!(late_copies(500..1_000, &mut bench), 0);
    assert_eq!(bench.playout.counters().concealed, before);
}

#[test]
fn what_plays_is_known_by_the_senders_clock() {
    let mut bench = Bench::new();
    assert_eq!(bench.playout.playing(bench.at(0)), None);
    bench.run(0..200, |i| {
        Some((7, (u32::MAX - 1_000).wrapping_add(i * 160)))
    });
    let playing = bench.playout.playing(bench.at(4_000)).unwrap();
    let waiting = bench.playout.waiting().as_millis() as u32 * 8;
    let end = (u32::MAX - 1_000).wrapping_add(200 * 160);
    assert_eq!(playing.timestamp.wrapping_add(waiting), end);
    assert_eq!((playing.ssrc, playing.clock), (7, 8_000));
    // While nothing comes, time goes on for as long as sound is invented, and is not known after that.
    for tick in 400..430 {
        bench.pull(tick * 10 + 6);
    }
    let later = bench.playout.playing(bench.at(4_300)).unwrap();
    let passed = later.timestamp.wrapping_sub(playing.timestamp);
    assert!((2_300..=2_400).contains(&passed), "{passed}");
    for tick in 430..550 {
        bench.pull(tick * 10 + 6);
    }
    assert_eq!(bench.playout.playing(bench.at(5_500)), None);
}

#[test]
fn nothing_plays_for_who_does_not_pull() {
    let mut bench = Bench::new();
    bench.run(0..100, |i| Some((7, i * 160)));
    assert!(bench.playout.playing(bench.at(2_000)).is_some());
    assert_eq!(bench.playout.playing(bench.at(2_100)), None);
}

#[test]
fn the_first_packet_behind_a_pause_is_played_whole_also_if_it_is_late() {
    for late in [0, 20, 150] {
        let mut bench = Bench::new();
        bench.run(0..100, |i| Some((1, i * 160)));
        let noise = Packet {
            ssrc: 1,
            sequence: 100,
            timestamp: 100 * 160,
            codec: Codec::Pcmu,
            payload: vec![60],
        };
        bench.playout.insert_noise(noise, bench.at(2_005));
        for tick in 0..100 + late / 10 {
            bench.pull(2_010 + tick * 10);
        }
        let before = bench.playout.counters();
        assert_eq!(before.concealed, before.silent_concealed);
        // The pause took a second and two milliseconds: what follows stands at no whole tick.
        let timestamp = 100 * 160 + 8_016;
        bench.packet(1, 101, timestamp, 0x90, 3_007 + late);
        bench.packet(1, 102, timestamp + 160, 0x90, 3_027 + late);
        let heard: Vec<i16> = (0..20)
            .flat_map(|tick| bench.pull(3_010 + late + tick * 10))
            .collect();
        let loud = heard.iter().filter(|s| s.abs() > 1_000).count();
        assert!(loud >= 320, "{late}: {loud}");
        assert_eq!(bench.playout.counters().discarded, 0, "{late}");
    }
}
