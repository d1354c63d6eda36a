//! Frames over a network that loses, doubles and delays packets, in virtual time.

use super::*;
use crate::virtual_time::start;
use ::video::{EncodedFrame, VideoCodec};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);
const SSRC: u32 = 7;

/// The frame of a number, which its octets carry.
fn frame(codec: VideoCodec, number: u32, key: bool, length: usize) -> EncodedFrame {
    let fill = (number as usize..).map(|octet| octet as u8 | 1);
    let mark = [number as u8 | 1, (number >> 7) as u8 | 1];
    let data: Vec<u8> = match (codec, key) {
        (VideoCodec::Vp8, true) => [0x10, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68, 1]
            .into_iter()
            .chain(mark)
            .chain(fill.take(length))
            .collect(),
        (VideoCodec::Vp8, false) => [0x11, 0, 0]
            .into_iter()
            .chain(mark)
            .chain(fill.take(length))
            .collect(),
        (VideoCodec::H264, true) => [
            0, 0, 0, 1, 0x67, 66, 0xc0, 31, 0xf8, 1, 0, 0, 0, 1, 0x68, 0xce, 1,
        ]
        .into_iter()
        .chain([0, 0, 0, 1, 0x65, 0x88])
        .chain(mark)
        .chain(fill.take(length))
        .collect(),
        (VideoCodec::H264, false) => [0, 0, 0, 1, 0x41, 0x9a]
            .into_iter()
            .chain(mark)
            .chain(fill.take(length))
            .collect(),
    };
    let at = Duration::from_millis(u64::from(number) * 33);
    EncodedFrame::read(codec, at, data.into()).unwrap()
}

fn packets(
    packetizer: &mut Packetizer,
    frame: &EncodedFrame,
    sequence: &mut u16,
    offset: u32,
) -> Vec<VideoPacket<Vec<u8>>> {
    let mut packets = Vec::new();
    let at = timestamp(frame.timestamp).wrapping_add(offset);
    let put = &mut |payload: &[u8], marker| {
        packets.push(VideoPacket {
            ssrc: SSRC,
            codec: frame.codec,
            sequence: *sequence,
            timestamp: at,
            marker,
            payload: payload.to_vec(),
        });
        *sequence = sequence.wrapping_add(1);
    };
    packetizer.packetize(frame, MOST_PAYLOAD, put).unwrap();
    packets
}

fn drain(assembler: &mut Assembler<Vec<u8>>, now: Instant) -> Vec<EncodedFrame> {
    std::iter::from_fn(|| assembler.pop(now))
        .map(|given| given.frame)
        .collect()
}

/// How a network treats packets.
#[derive(Clone, Copy)]
struct Network {
    lost: f64,
    doubled: f64,
    /// Up to so much later than others.
    jitter: Duration,
    one_way: Duration,
    resends: bool,
}

struct Outcome {
    sent: Vec<EncodedFrame>,
    given: Vec<(Instant, EncodedFrame)>,
    key_frames_made: u32,
    requests: usize,
    again: usize,
}

/// Sends ten seconds of pictures, with a key frame first and whenever the receiver wishes one.
fn run(codec: VideoCodec, seed: u64, network: Network) -> (Outcome, Assembler<Vec<u8>>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let begin = start();
    let mut packetizer = Packetizer::new(0x7ff0);
    let mut sequence = 65_400;
    let mut sent = Vec::new();
    let mut on_the_way: Vec<(Instant, VideoPacket<Vec<u8>>)> = Vec::new();
    let mut kept: Vec<VideoPacket<Vec<u8>>> = Vec::new();
    let mut asked: Vec<(Instant, Vec<u16>, bool)> = Vec::new();
    let mut resent: BTreeMap<u16, Instant> = BTreeMap::new();
    let mut assembler = Assembler::default();
    assembler.set_resends(network.resends);
    assembler.set_round_trip(2 * network.one_way);
    let mut outcome = Outcome {
        sent: Vec::new(),
        given: Vec::new(),
        key_frames_made: 0,
        requests: 0,
        again: 0,
    };
    let mut wished = true;
    let travel = |rng: &mut StdRng, packet: &VideoPacket<Vec<u8>>, now: Instant| {
        let copies = if rng.random_bool(network.lost) {
            0
        } else if rng.random_bool(network.doubled) {
            2
        } else {
            1
        };
        (0..copies)
            .map(|_| {
                let late = network.jitter.mul_f64(rng.random_range(0.0..=1.0));
                (now + network.one_way + late, packet.clone())
            })
            .collect::<Vec<_>>()
    };
    for ms in 0..11_000_u32 {
        let now = begin + ms * MS;
        if ms % 33 == 0 && ms < 10_000 {
            let length = if wished {
                20_000
            } else {
                rng.random_range(1..5_000)
            };
            let frame = frame(codec, ms / 33, wished, length);
            outcome.key_frames_made += u32::from(wished);
            wished = false;
            for packet in packets(&mut packetizer, &frame, &mut sequence, u32::MAX - 100_000) {
                on_the_way.extend(travel(&mut rng, &packet, now));
                kept.push(packet);
            }
            sent.push(frame);
        }
        let (due, later) = asked.into_iter().partition(|(at, ..)| *at <= now);
        asked = later;
        for (_, list, key) in due {
            wished |= key;
            for packet in kept.iter().filter(|p| list.contains(&p.sequence)) {
                let before = resent.insert(packet.sequence, now);
                // As all peers do.
                if before.is_some_and(|before| now < before + 2 * network.one_way) {
                    continue;
                }
                outcome.again += 1;
                on_the_way.extend(travel(&mut rng, packet, now));
            }
        }
        let (due, later): (Vec<_>, Vec<_>) = on_the_way.into_iter().partition(|(at, _)| *at <= now);
        on_the_way = later;
        for (_, packet) in due {
            assembler.push(packet, now).unwrap();
        }
        let given = drain(&mut assembler, now);
        outcome
            .given
            .extend(given.into_iter().map(|frame| (now, frame)));
        let mut list = Vec::new();
        assembler.missing(&mut list, now);
        outcome.requests += usize::from(!list.is_empty());
        let key = assembler.wants_key_frame(now);
        let heard = !rng.random_bool(network.lost);
        if heard && (key || !list.is_empty()) {
            asked.push((now + network.one_way, list, key));
        }
    }
    outcome.sent = sent;
    (outcome, assembler)
}

/// Each frame is one that was sent, and follows the one before it or is a key frame.
fn decodable(outcome: &Outcome) {
    let mut last = None;
    for (_, frame) in &outcome.given {
        let found = outcome.sent.iter().position(|sent| sent.data == frame.data);
        let number = found.expect("it was sent");
        let sent = &outcome.sent[number];
        assert_eq!((frame.key, frame.size), (sent.key, sent.size));
        let before = last.replace(number);
        let follows = before.is_some_and(|before| number == before + 1);
        let skips = frame.key && before.is_none_or(|before| number > before);
        assert!(follows || skips, "{number} after {before:?}");
    }
}

#[test]
fn frames_arrive_whole_and_in_order_whatever_overtakes() {
    for codec in VideoCodec::ALL {
        for seed in 0..3 {
            let network = Network {
                lost: 0.0,
                doubled: 0.1,
                jitter: 8 * MS,
                one_way: 20 * MS,
                resends: true,
            };
            let (outcome, assembler) = run(codec, seed, network);
            decodable(&outcome);
            assert_eq!(outcome.given.len(), outcome.sent.len());
            assert_eq!((outcome.key_frames_made, outcome.requests), (1, 0));
            assert_eq!(assembler.octets(), 0);
            // By the sender's clock.
            for ((_, given), sent) in outcome.given.iter().zip(&outcome.sent) {
                let off = given.timestamp.abs_diff(sent.timestamp);
                assert!(off < MS, "{off:?}");
            }
        }
    }
}

#[test]
fn what_was_lost_is_asked_for_and_no_frame_is_missed() {
    for codec in VideoCodec::ALL {
        for lost in [0.05, 0.1] {
            let network = Network {
                lost,
                doubled: 0.0,
                jitter: 2 * MS,
                one_way: 20 * MS,
                resends: true,
            };
            let (outcome, assembler) = run(codec, 4, network);
            decodable(&outcome);
            let missed = outcome.sent.len() - outcome.given.len();
            assert!(missed <= 10, "{missed} of {}", outcome.sent.len());
            assert!(outcome.key_frames_made <= 2, "{}", outcome.key_frames_made);
            let gaps = outcome.given.windows(2).map(|two| two[1].0 - two[0].0);
            let longest = gaps.max().unwrap();
            assert!(longest < 400 * MS, "{longest:?}");
            assert!(assembler.counts.frames > 290);
            // Not much more is sent again than was lost.
            let packets = outcome
                .sent
                .iter()
                .map(|f| f.data.len().div_ceil(MOST_PAYLOAD))
                .sum::<usize>();
            assert!(
                (outcome.again as f64) < packets as f64 * lost * 1.6,
                "{}",
                outcome.again
            );
        }
    }
}

#[test]
fn without_resending_each_loss_waits_for_a_key_frame_and_not_longer() {
    for codec in VideoCodec::ALL {
        let network = Network {
            lost: 0.02,
            doubled: 0.0,
            jitter: 2 * MS,
            one_way: 20 * MS,
            resends: false,
        };
        let (outcome, _) = run(codec, 5, network);
        decodable(&outcome);
        assert_eq!(outcome.again, 0);
        assert!(
            (5..=20).contains(&outcome.key_frames_made),
            "{}",
            outcome.key_frames_made
        );
        let gaps = outcome.given.windows(2).map(|two| two[1].0 - two[0].0);
        let longest = gaps.max().unwrap();
        assert!(longest < 1_500 * MS, "{longest:?}");
    }
}

/// An assembler to which frames are brought one by one.
struct Bench {
    now: Instant,
    packetizer: Packetizer,
    sequence: u16,
    assembler: Assembler<Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        let mut assembler = Assembler::default();
        assembler.set_resends(true);
        Self {
            now: start(),
            packetizer: Packetizer::new(0),
            sequence: 100,
            assembler,
        }
    }

    fn cut(&mut self, frame: &EncodedFrame) -> Vec<VideoPacket<Vec<u8>>> {
        packets(&mut self.packetizer, frame, &mut self.sequence, 0)
    }

    fn bring(&mut self, packets: impl IntoIterator<Item = VideoPacket<Vec<u8>>>) -> usize {
        for packet in packets {
            let _read = self.assembler.push(packet, self.now);
        }
        drain(&mut self.assembler, self.now).len()
    }

    fn wait(&mut self, ms: u32) -> (usize, Vec<u16>, bool) {
        let (mut given, mut asked, mut key) = (0, Vec::new(), false);
        for _ in 0..ms {
            self.now += MS;
            given += drain(&mut self.assembler, self.now).len();
            let mut list = Vec::new();
            self.assembler.missing(&mut list, self.now);
            asked.extend(list);
            key |= self.assembler.wants_key_frame(self.now);
        }
        (given, asked, key)
    }
}

const VP8: VideoCodec = VideoCodec::Vp8;

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
        // A request may be lost as well.
        assert_eq!((given, asked), (0, vec![lost[0].sequence; 2]));
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
