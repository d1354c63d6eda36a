//! Key presses from end to end.

use super::harness::*;
use media::codec::Codec;
use media::session::{MediaEvent, SessionError, Tones};
use std::time::Duration;

const A: &str = "192.0.2.1:40001";
const B: &str = "192.0.2.2:40002";

fn tones(digits: &str) -> Tones {
    Tones {
        order: 0,
        digits: digits.into(),
        duration: 100 * MS,
        gap: 70 * MS,
        in_band: false,
    }
}

#[test]
fn keys_of_both_sides_arrive_exactly_once_under_ten_percent_loss() {
    let digits = "0123456789*#ABCD1122334455";
    for (seed, codec) in [(1, Codec::Opus), (2, Codec::Pcmu), (3, Codec::G722)] {
        let mut network = Network::new(seed);
        let mut a = Phone::with(A, 500.0, &network, |c| c.codecs = vec![codec]);
        let mut b = Phone::with(B, 1_100.0, &network, |c| c.codecs = vec![codec]);
        connect(&mut network, &mut a, &mut b);
        network.loss = 0.1;
        network.jitter = 25 * MS;
        a.session.send_dtmf(&tones(digits), network.now).unwrap();
        b.session.send_dtmf(&tones("98#"), network.now).unwrap();
        network.run(&mut a, &mut b, Duration::from_secs(8));
        assert_eq!(b.keys(), digits, "{codec:?}");
        assert_eq!(a.keys(), "98#", "{codec:?}");
        let sent = a
            .events
            .iter()
            .filter(|e| matches!(e, MediaEvent::DtmfSent { .. }))
            .count();
        assert_eq!(sent, digits.len());
        assert!(a.has(|e| matches!(e, MediaEvent::DtmfSent { remaining: 0 })));
    }
}

#[test]
fn a_key_has_its_duration_and_sound_goes_on_after_it() {
    let mut network = Network::new(4);
    let (mut a, mut b) = (Phone::new(A, 500.0, &network), Phone::new(B, 0.0, &network));
    connect(&mut network, &mut a, &mut b);
    let long = Tones {
        duration: Duration::from_secs(4),
        ..tones("5")
    };
    a.session.send_dtmf(&long, network.now).unwrap();
    network.run(&mut a, &mut b, Duration::from_secs(7));
    let held = b.events.iter().find_map(|e| {
        if let MediaEvent::Dtmf { duration, .. } = e {
            Some(*duration)
        } else {
            None
        }
    });
    assert_eq!(held, Some(Duration::from_secs(4)));
    assert!(hears(&b, 500.0) > 0.8);
    assert_eq!(b.session.stats(network.now).inbound.packets_lost, 0);
}

#[test]
fn keys_that_are_stopped_are_not_heard_and_the_others_are() {
    let mut network = Network::new(6);
    let (mut a, mut b) = (Phone::new(A, 500.0, &network), Phone::new(B, 0.0, &network));
    connect(&mut network, &mut a, &mut b);
    for (order, digits) in [(1, "123"), (2, "45")] {
        let tones = Tones {
            order,
            ..tones(digits)
        };
        a.session.send_dtmf(&tones, network.now).unwrap();
    }
    network.run(&mut a, &mut b, 50 * MS);
    a.session.stop_dtmf(1);
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert_eq!(b.keys(), "145");
    assert!(a.has(|e| matches!(e, MediaEvent::DtmfSent { remaining: 0 })));
}

#[test]
fn keys_that_cannot_be_sent_are_refused_and_shown_to_nobody() {
    let mut network = Network::new(5);
    let mut a = Phone::new(A, 0.0, &network);
    let mut b = Phone::with(B, 0.0, &network, |c| c.telephone_event = false);
    let sent = a.session.send_dtmf(&tones("12x"), network.now);
    assert_eq!(sent, Err(SessionError::NotAKey('x')));
    let sent = a.session.send_dtmf(&tones(&"1".repeat(300)), network.now);
    assert!(matches!(sent, Err(SessionError::TooManyKeys(_))));
    connect(&mut network, &mut a, &mut b);
    let sent = a.session.send_dtmf(&tones("1"), network.now);
    assert_eq!(sent, Err(SessionError::NoTelephoneEvents));
    assert!(!format!("{:?}", tones("4711")).contains("4711"));
}
