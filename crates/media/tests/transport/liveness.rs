//! Consent, interruption and recovery, and how rarely a quiet transport wakes.

use media::transport::{Output, State, TransportFailure, Wake};

use crate::harness::{ALICE, BOB, Net, ms};

#[test]
fn silence_is_an_interruption_and_sound_ends_it() {
    let mut net = Net::pair(31);
    net.connect();
    net.talk(ms(2000));
    let cut = net.elapsed();
    net.blocked = Box::new(|_| true);
    net.until(ms(8000), |net| net.all(State::Interrupted));
    let took = net.elapsed() - cut;
    assert!(took >= ms(4900) && took <= ms(7500), "{took:?}");
    assert!(net.speak(ALICE, 0), "consent lasts longer than that");
    net.blocked = Box::new(|_| false);
    net.talk(ms(200));
    assert!(net.all(State::Connected));
}

#[test]
fn a_path_that_stays_dead_loses_its_consent_after_thirty_seconds() {
    let mut net = Net::pair(32);
    net.connect();
    net.talk(ms(1000));
    let cut = net.elapsed();
    net.blocked = Box::new(|_| true);
    let failed = State::Failed(TransportFailure::Consent);
    net.until(ms(40_000), |net| net.all(failed));
    let took = net.elapsed() - cut;
    assert!(took >= ms(23_000) && took <= ms(31_000), "{took:?}");
    assert!(!net.speak(ALICE, 0));
}

/// Some peers answer no check once a call is set up.
#[test]
fn media_keep_a_path_whose_checks_nobody_answers() {
    let mut net = Net::pair(33);
    net.connect();
    net.blocked = Box::new(|datagram| datagram.bytes[0] < 4);
    net.talk(ms(90_000));
    assert!(net.all(State::Connected));
    for peer in &net.peers {
        assert_eq!(peer.states.len(), 2, "{:?}", peer.states);
    }
    // What ends it is that nothing comes at all.
    net.blocked = Box::new(|_| true);
    net.until(ms(8000), |net| net.all(State::Interrupted));
    let failed = State::Failed(TransportFailure::Consent);
    net.until(ms(31_000), |net| net.all(failed));
}

/// Without sound either way, as in a call on hold.
#[test]
fn checks_alone_keep_a_path_without_media() {
    let mut net = Net::pair(37);
    net.connect();
    net.run(ms(90_000));
    // Alice is asked, but her own questions get lost.
    net.blocked =
        Box::new(|datagram| datagram.bytes[0] == 1 && datagram.from.to_string() == "10.0.0.2:2000");
    net.run(ms(90_000));
    assert!(net.all(State::Connected));
}

#[test]
fn a_quiet_call_stays_connected_and_wakes_less_than_once_a_second() {
    let mut net = Net::pair(34);
    net.connect();
    net.talk(ms(500));
    for peer in &mut net.peers {
        peer.wakes = 0;
    }
    let sent = net.peers[ALICE].transport.stats().packets_sent;
    net.run(ms(600_000));
    assert!(net.all(State::Connected));
    for peer in &net.peers {
        assert!(peer.wakes <= 200, "{} wakes in 10 minutes", peer.wakes);
        assert_eq!(peer.states.last().unwrap().1, State::Connected);
    }
    let checks = net.peers[ALICE].transport.stats().packets_sent - sent;
    assert!((200..320).contains(&checks), "{checks}");
}

#[test]
fn consent_checks_survive_loss() {
    let mut net = Net::pair(35);
    net.connect();
    net.weather.loss = 0.3;
    net.run(ms(300_000));
    for peer in &net.peers {
        let end = peer.states.last().unwrap().1;
        assert_eq!(end, State::Connected);
    }
}

#[test]
fn a_transport_that_has_nothing_to_do_says_so() {
    let mut net = Net::pair(36);
    let wake = |net: &mut Net| {
        let Output::Timeout(_, why) = net.peers[BOB].transport.poll_output() else {
            panic!("it was drained");
        };
        why
    };
    assert_eq!(wake(&mut net), Wake::Idle);
    net.connect();
    assert_eq!(wake(&mut net), Wake::Consent);
    net.with(BOB, |transport, now| transport.close(now));
    assert_eq!(wake(&mut net), Wake::Idle);
}
