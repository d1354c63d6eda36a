//! The first second of streams that begin with speech: what is invented or stretched in it, and what it costs.

use super::{Counters, Packet, Playout};
use crate::codec::{Codec, Encoder, OpusSettings};
use audio::Rate;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

const SEEDS: u64 = 12;
/// Voice without a pause for so long, then as long a turn of pause and voice.
const PHRASE: usize = 75;
const PAUSE: usize = 25;

/// How packets that were sent every 20 ms arrive.
#[derive(Clone, Copy, Debug)]
enum Arrivals {
    Even,
    /// Up to 10 ms late, in order.
    Uniform,
    /// With a standard deviation of 10 ms.
    Normal,
    /// With a mean of 10 ms.
    Exponential,
}

/// How soon the receiver does what is due.
#[derive(Clone, Copy, Debug)]
enum Machine {
    Quiet,
    /// Every 100 ms or so it does nothing for 5 to 30 ms; then it reads what has come meanwhile as if it came just then,
    /// and makes up for its ticks.
    Busy,
}

/// What was played in the first second, and the delay after one and after ten.
#[derive(Debug)]
struct Played {
    first: Counters,
    delay_at_1_s: f64,
    delay_at_10_s: f64,
}

fn play(codec: Codec, arrivals: Arrivals, machine: Machine, seed: u64) -> Played {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut packets = sent(codec, arrivals, &mut rng).into_iter().peekable();
    let stalls = stalls(machine, &mut rng);
    let when_handled = |ms: f64| {
        let stall = stalls
            .iter()
            .find(|(begin, end)| (*begin..*end).contains(&ms));
        stall.map_or(ms, |(_, end)| *end)
    };
    let start = crate::virtual_time::start();
    let at = |ms: f64| start + Duration::from_secs_f64(ms / 1_000.0);
    let mut playout = Playout::new(OpusSettings::fleet(), Rate::Hz16000, start);
    playout.expect(codec);
    let mut after = Vec::new();
    for tick in 0..1_100 {
        let now = when_handled(f64::from(tick) * 10.0 + 3.0);
        while let Some((ms, packet)) = packets.next_if(|(ms, _)| when_handled(*ms) <= now) {
            playout.insert(packet, at(when_handled(ms)));
        }
        let mut out = vec![0; playout.rate().samples_per_tick()];
        playout.pull(&mut out, at(now));
        if playout.counters().emitted > 0 {
            after.push(playout.counters());
        }
    }
    let delay_at = |tick: usize| {
        let (from, to) = (after[tick - 5], after[tick]);
        (to.delay - from.delay) / (to.emitted - from.emitted) as f64 * 1_000.0
    };
    Played {
        first: after[99],
        delay_at_1_s: delay_at(99),
        delay_at_10_s: delay_at(999),
    }
}

fn sent(codec: Codec, arrivals: Arrivals, rng: &mut StdRng) -> Vec<(f64, Packet<Vec<u8>>)> {
    let mut encoder = Encoder::new(codec, &OpusSettings::fleet()).unwrap();
    let mut latest = 0.0_f64;
    let mut packets: Vec<_> = (0..540_u32)
        .map(|i| {
            let mut payload = Vec::new();
            let sound = speech(i as usize, encoder.rate());
            encoder.encode(&sound, &mut payload).unwrap();
            let packet = Packet {
                ssrc: 1,
                sequence: i as u16,
                timestamp: i * codec.clock_rate() / 50,
                codec,
                payload,
            };
            let sent = 20.0 * f64::from(i) + 7.0;
            let arrival = match arrivals {
                Arrivals::Even => sent,
                Arrivals::Uniform => latest.max(sent + 10.0 * rng.random::<f64>()),
                Arrivals::Normal => sent + (30.0 + 10.0 * normal(rng)).max(0.0),
                Arrivals::Exponential => sent - 10.0 * (1.0 - rng.random::<f64>()).ln(),
            };
            latest = arrival;
            (arrival, packet)
        })
        .collect();
    packets.sort_by(|a, b| a.0.total_cmp(&b.0));
    packets
}

fn normal(rng: &mut StdRng) -> f64 {
    let (radius, angle): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - radius).ln()).sqrt() * (angle * std::f64::consts::TAU).cos()
}

fn stalls(machine: Machine, rng: &mut StdRng) -> Vec<(f64, f64)> {
    let mut stalls = Vec::new();
    let mut at = 0.0;
    while at < 12_000.0 && matches!(machine, Machine::Busy) {
        at -= 80.0 * (1.0 - rng.random::<f64>()).ln();
        let end = at + 5.0 + 25.0 * rng.random::<f64>();
        stalls.push((at, end));
        at = end;
    }
    stalls
}

/// 20 ms of a voice of 150 Hz, or of a pause.
fn speech(frame: usize, rate: Rate) -> Vec<i16> {
    let length = rate.samples_per_tick() * 2;
    let speaks = frame % (PHRASE + PAUSE) < PHRASE;
    (0..length)
        .map(|i| {
            let time = (frame * length + i) as f64 / f64::from(rate.hz());
            let phase = time * 150.0 * std::f64::consts::TAU;
            let voice = phase.sin() * 8_000.0 + (2.0 * phase).sin() * 4_000.0;
            if speaks { voice as i16 } else { 0 }
        })
        .collect()
}

/// Plays every seed, shows what came of it and gives the most of each.
fn most(codec: Codec, arrivals: Arrivals, machine: Machine) -> [f64; 4] {
    let all = (0..SEEDS).map(|seed| play(codec, arrivals, machine, seed));
    let mut worst = [0.0_f64; 4];
    for played in all {
        let Counters {
            concealed,
            inserted,
            removed,
            ..
        } = played.first;
        let figures = [
            concealed as f64,
            (inserted + removed) as f64,
            played.delay_at_1_s,
            played.delay_at_10_s,
        ];
        worst = std::array::from_fn(|i| worst[i].max(figures[i]));
    }
    let [concealed, stretched, at_1_s, at_10_s] = worst;
    println!(
        "{codec:?} {arrivals:?} {machine:?}: concealed {concealed}, stretched {stretched}, \
         delay {at_1_s:.0} ms, after 10 s {at_10_s:.0} ms"
    );
    worst
}

#[test]
fn with_ten_milliseconds_of_jitter_the_first_words_are_played_as_they_were_sent() {
    for codec in [Codec::Opus, Codec::G722, Codec::Pcmu] {
        for arrivals in [Arrivals::Even, Arrivals::Uniform, Arrivals::Normal] {
            let [concealed, stretched, at_1_s, at_10_s] = most(codec, arrivals, Machine::Quiet);
            assert_eq!((concealed, stretched), (0.0, 0.0));
            assert!(at_1_s <= 100.0 && at_10_s <= 70.0, "{at_1_s} {at_10_s}");
        }
    }
}

#[test]
fn a_busy_machine_does_not_stretch_the_first_words_either() {
    for arrivals in [Arrivals::Even, Arrivals::Uniform, Arrivals::Normal] {
        let [concealed, stretched, at_1_s, at_10_s] = most(Codec::Pcmu, arrivals, Machine::Busy);
        assert_eq!((concealed, stretched), (0.0, 0.0));
        assert!(at_1_s <= 110.0 && at_10_s <= 100.0, "{at_1_s} {at_10_s}");
    }
}

#[test]
fn of_a_long_tail_of_jitter_only_the_tail_is_concealed() {
    for machine in [Machine::Quiet, Machine::Busy] {
        let [concealed, stretched, at_1_s, at_10_s] =
            most(Codec::Pcmu, Arrivals::Exponential, machine);
        // One packet in two hundred is later than 53 ms.
        assert!(concealed <= 2.0 * 160.0 && stretched == 0.0);
        assert!(at_1_s <= 90.0 && at_10_s <= 90.0, "{at_1_s} {at_10_s}");
    }
}

#[test]
fn an_even_network_costs_no_more_than_a_tick_or_two_after_the_first_pauses() {
    let [.., at_1_s, at_10_s] = most(Codec::Opus, Arrivals::Even, Machine::Quiet);
    assert!(at_1_s >= 40.0, "there was caution to give up: {at_1_s}");
    assert!(at_10_s <= 25.0, "{at_10_s}");
}
