//! What is said and what is seen of one moment come at one moment.

use super::harness::*;
use media::sdp::Direction;
use media::sdp::negotiate::{Content, VideoWish};
use std::time::Duration;
use video::VideoCodec;

/// People notice more (EBU R37: 40 ms early, 60 ms late).
const NOTICED: f64 = 0.040;

fn phone(address: &str, network: &Network) -> Phone {
    let mut phone = Phone::new(address, 0.0, network);
    phone.session.wish_video(vec![VideoWish {
        content: Content::Camera,
        direction: Direction::SendRecv,
        codecs: vec![VideoCodec::Vp8],
    }]);
    phone.cameras.push(Camera::new(Content::Camera));
    phone
}

/// Takes a picture and makes a sound at one instant; gives by how many seconds the picture is seen after the sound is
/// heard, and how long it took.
fn clap(network: &mut Network, a: &mut Phone, b: &mut Phone) -> (f64, Duration) {
    let before = a.cameras[0].number;
    while a.cameras[0].number == before {
        network.run(a, b, MS);
    }
    let taken = network.now;
    let number = a.cameras[0].number;
    // The next tick brings what was said from now on.
    a.tone = 1_000.0;
    let rate = f64::from(b.session.playout_rate().hz());
    let (begin, heard) = (network.now, b.heard.len());
    network.run(a, b, Duration::from_secs(1));
    a.tone = 0.0;
    let loud = b.heard[heard..]
        .iter()
        .position(|s| s.unsigned_abs() > 2_000);
    let loud = loud.expect("the sound is heard") as f64 / rate;
    let seen = b.seen.iter().find(|(_, seen, _)| *seen == number);
    let at = seen.expect("the picture is seen").2;
    assert!(at >= taken);
    network.run(a, b, Duration::from_secs(1));
    ((at - begin).as_secs_f64() - loud, at - taken)
}

#[test]
fn pictures_are_seen_when_their_sound_is_heard() {
    // Where sound need not wait, pictures do not either.
    for (seed, jitter, delay, longest) in [(1, 0, 10, 20), (2, 30, 10, 50), (3, 60, 80, 160)] {
        let mut network = Network::new(seed);
        network.jitter = jitter * MS;
        network.delay = delay * MS;
        let mut a = phone("192.0.2.1:40001", &network);
        let mut b = phone("192.0.2.2:40002", &network);
        connect(&mut network, &mut a, &mut b);
        network.run(&mut a, &mut b, Duration::from_secs(12));
        for _ in 0..8 {
            let (apart, took) = clap(&mut network, &mut a, &mut b);
            assert!(apart.abs() < NOTICED, "{jitter} ms of jitter: {apart}");
            assert!(took <= longest * MS, "{jitter} ms of jitter: {took:?}");
        }
        let stats = b.session.stats(network.now).video.remove(0);
        assert_eq!(stats.inbound.freeze_count, 0);
    }
}

#[test]
fn what_still_lies_behind_our_playout_counts_too() {
    let mut network = Network::new(4);
    let mut a = phone("192.0.2.1:40001", &network);
    let mut b = phone("192.0.2.2:40002", &network);
    b.session.set_playout_delay(100 * MS);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(12));
    let apart = clap(&mut network, &mut a, &mut b).0 - 0.1;
    assert!(apart.abs() < NOTICED, "{apart}");
}

#[test]
fn pictures_do_not_wait_for_sound_that_does_not_come() {
    let mut network = Network::new(5);
    let mut a = phone("192.0.2.1:40001", &network);
    let mut b = phone("192.0.2.2:40002", &network);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(12));
    a.speaks = false;
    network.run(&mut a, &mut b, Duration::from_secs(3));
    let before = a.cameras[0].number;
    while a.cameras[0].number == before {
        network.run(&mut a, &mut b, MS);
    }
    let number = a.cameras[0].number;
    network.run(&mut a, &mut b, 20 * MS);
    assert!(b.seen.iter().any(|(_, seen, _)| *seen == number));
}
