//! Seeded networks in virtual time: what the delay is and how much is concealed, beside buffers of fixed depth.

use super::{Packet, Playout};
use crate::codec::{Codec, OpusSettings};
use crate::thrift::Thrift;
use audio::Rate;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

const PACKETS: usize = 5_000;
/// The tick after ten seconds.
const BEGUN: usize = 1_000;

/// What a network does to a stream of one packet every 20 ms.
#[derive(Clone, Copy, Debug)]
enum Network {
    Clean,
    Jitter,
    Wifi,
    WifiLoss,
    Step,
    Loss,
    Drift,
}

/// When each packet arrives, in milliseconds; `None` for a lost one.
fn arrivals(network: Network) -> Vec<Option<f64>> {
    let mut rng = StdRng::seed_from_u64(0x9E37_79B9);
    let exponential = |mean: f64, rng: &mut StdRng| -mean * (1.0 - rng.random::<f64>()).ln();
    let (mut stall, mut bad) = (0.0_f64, false);
    (0..PACKETS)
        .map(|i| {
            let sent = 20.0 * i as f64;
            let mut delay = 30.0;
            match network {
                Network::Clean => delay += exponential(1.0, &mut rng),
                Network::Jitter => delay += exponential(12.0, &mut rng),
                Network::Wifi | Network::WifiLoss => {
                    delay += exponential(4.0, &mut rng);
                    if sent > stall && rng.random_bool(0.008) {
                        stall = sent + 60.0 + exponential(90.0, &mut rng);
                    }
                    if sent + delay < stall {
                        delay = stall - sent + exponential(1.5, &mut rng);
                    }
                    let lossy = matches!(network, Network::WifiLoss);
                    bad = rng.random_bool(if bad { 0.5 } else { 0.026 });
                    if (lossy && bad) || (!lossy && rng.random_bool(0.005)) {
                        return None;
                    }
                }
                Network::Step => {
                    delay += exponential(3.0, &mut rng);
                    if (PACKETS / 3..2 * PACKETS / 3).contains(&i) {
                        delay += 80.0;
                    }
                }
                Network::Loss => {
                    delay += exponential(3.0, &mut rng);
                    if rng.random_bool(0.1) {
                        return None;
                    }
                }
                // The sender's clock is 300 ppm slow.
                Network::Drift => delay += exponential(1.0, &mut rng) + sent * 300e-6,
            }
            Some(sent + delay)
        })
        .collect()
}

#[derive(Clone, Copy, Debug)]
struct Outcome {
    delay_ms: f64,
    /// The same without the first ten seconds, in which a stream still begins.
    later_delay_ms: f64,
    concealed_pct: f64,
    stretched_pct: f64,
}

fn adaptive(trace: &[Option<f64>], thrift: Thrift) -> Outcome {
    let start = crate::virtual_time::start();
    let at = |ms: f64| start + Duration::from_secs_f64(ms / 1_000.0);
    let mut playout = Playout::new(OpusSettings::default(), Rate::Hz8000, start);
    playout.set_thrift(thrift);
    let mut queue: Vec<(f64, usize)> = trace
        .iter()
        .enumerate()
        .filter_map(|(i, a)| a.map(|a| (a, i)))
        .collect();
    queue.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut arriving = queue.into_iter().peekable();
    let mut phase = 0.0_f64;
    let mut begun = playout.counters();
    for tick in 0..trace.len() * 2 {
        let now = tick as f64 * 10.0 + 3.0;
        while let Some((arrival, i)) = arriving.next_if(|(arrival, _)| *arrival <= now) {
            let payload = voice(&mut phase);
            let packet = Packet {
                ssrc: 1,
                sequence: i as u16,
                timestamp: i as u32 * 160,
                codec: Codec::Pcmu,
                payload,
            };
            playout.insert(packet, at(arrival));
        }
        playout.pull(&mut [0; 80], at(now));
        if tick == BEGUN {
            begun = playout.counters();
        }
    }
    let counters = playout.counters();
    let share = |samples: u64| samples as f64 / counters.emitted as f64 * 100.0;
    Outcome {
        delay_ms: counters.delay / counters.emitted as f64 * 1_000.0,
        later_delay_ms: (counters.delay - begun.delay) / (counters.emitted - begun.emitted) as f64
            * 1_000.0,
        concealed_pct: share(counters.concealed - counters.silent_concealed),
        stretched_pct: share(counters.inserted + counters.removed),
    }
}

/// 20 ms of something with a pitch of 150 Hz.
fn voice(phase: &mut f64) -> Vec<u8> {
    (0..160)
        .map(|_| {
            *phase += 150.0 / 8_000.0 * std::f64::consts::TAU;
            let sample = phase.sin() * 8_000.0 + (2.0 * *phase).sin() * 4_000.0;
            audio::companding::to_mu_law(sample as i16)
        })
        .collect()
}

/// A buffer that plays every packet `depth` ms after the fastest could have come.
fn fixed(trace: &[Option<f64>], depth: f64) -> Outcome {
    let fastest = 30.0;
    let missed = trace
        .iter()
        .enumerate()
        .filter(|(i, arrival)| arrival.is_none_or(|a| a > 20.0 * *i as f64 + fastest + depth))
        .count();
    Outcome {
        delay_ms: depth,
        later_delay_ms: depth,
        concealed_pct: missed as f64 / trace.len() as f64 * 100.0,
        stretched_pct: 0.0,
    }
}

fn check(network: Network, most_delay: f64, most_concealed: f64) {
    let trace = arrivals(network);
    let lost = trace.iter().filter(|a| a.is_none()).count() as f64 / trace.len() as f64 * 100.0;
    let ours = adaptive(&trace, Thrift::None);
    println!("{network:?} (lost {lost:.2} %)");
    println!(
        "  adaptive  delay {:6.1} ms, later {:5.1} ms  concealed {:5.2} %  stretched {:.2} %",
        ours.delay_ms, ours.later_delay_ms, ours.concealed_pct, ours.stretched_pct
    );
    for depth in [40.0, 60.0, 120.0] {
        let o = fixed(&trace, depth);
        println!(
            "  fixed     delay {:6.1} ms  concealed {:5.2} %",
            o.delay_ms, o.concealed_pct
        );
    }
    assert!(ours.delay_ms <= most_delay, "{ours:?}");
    assert!(
        ours.concealed_pct <= lost + most_concealed,
        "{ours:?}, lost {lost}"
    );
}

#[test]
fn an_even_network_costs_little_delay_and_nothing_is_concealed() {
    check(Network::Clean, 30.0, 0.05);
}

#[test]
fn exponential_jitter_is_covered() {
    check(Network::Jitter, 75.0, 2.0);
}

#[test]
fn wifi_bursts_are_mostly_covered() {
    check(Network::Wifi, 80.0, 3.5);
}

#[test]
fn wifi_bursts_with_loss_add_little_to_the_loss() {
    check(Network::WifiLoss, 80.0, 4.0);
}

#[test]
fn a_step_of_the_delay_is_followed_both_ways() {
    check(Network::Step, 60.0, 0.5);
}

#[test]
fn loss_is_concealed_and_adds_no_delay() {
    check(Network::Loss, 40.0, 0.6);
}

#[test]
fn a_slow_clock_of_the_senders_never_runs_dry() {
    check(Network::Drift, 40.0, 0.2);
}

#[test]
fn under_thrift_a_voice_without_pauses_is_not_searched_for_its_pitch_and_is_heard_as_well() {
    let trace = arrivals(Network::Step);
    let (searched, plain) = (
        adaptive(&trace, Thrift::None),
        adaptive(&trace, Thrift::Plain),
    );
    assert!(searched.stretched_pct > 0.0, "{searched:?}");
    assert_eq!(plain.stretched_pct, 0.0, "{plain:?}");
    assert!(plain.concealed_pct < 1.0, "{plain:?}");
    assert!(plain.delay_ms < 150.0, "{plain:?}");
}
