//! Frames over a network that loses, doubles and delays packets, in virtual time.

use super::*;
use crate::virtual_time::start;
use ::video::{EncodedFrame, VideoCodec};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

mod odd;

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
