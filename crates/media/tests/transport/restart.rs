//! ICE restarts, moves of the path, and new DTLS associations within a call.

use std::net::SocketAddr;

use media::transport::{Description, GatheringCap, Role, Silence, State, TransportFailure};

use crate::harness::{ALICE, BOB, Net, address, config, ms, remote};

/// Talks for a while with a renegotiation in the middle; returns what each side missed.
fn talk_through(net: &mut Net, renegotiate: impl FnOnce(&mut Net)) -> [i64; 2] {
    let before = [ALICE, BOB].map(|peer| net.peers[peer].received.len());
    net.talk(ms(1000));
    renegotiate(net);
    net.talk(ms(2000));
    net.run(ms(100));
    [ALICE, BOB].map(|peer| (before[peer] + 150) as i64 - net.peers[peer].received.len() as i64)
}

#[test]
fn either_side_restarts_ice_without_losing_a_packet() {
    for offerer in [ALICE, BOB] {
        let mut net = Net::pair(41);
        net.connect();
        let answerer = 1 - offerer;
        let old = net.peers[offerer].transport.local().ufrag;
        let old_answerer = net.peers[answerer].transport.local().ufrag;
        let missed = talk_through(&mut net, |net| {
            net.with(offerer, |transport, now| transport.restart_ice(now));
            net.describe(offerer, answerer, Description::Offer);
            net.talk(ms(0));
            net.describe(answerer, offerer, Description::Answer);
        });
        assert_eq!(missed, [0, 0]);
        net.talk(ms(60_000));
        assert_ne!(net.peers[offerer].transport.local().ufrag, old);
        assert_ne!(net.peers[answerer].transport.local().ufrag, old_answerer);
        for peer in &net.peers {
            assert_eq!(peer.transport.stats().selected_changes, 2);
            assert_eq!(peer.states.last().unwrap().1, State::Connected);
            assert_eq!(peer.states.len(), 2, "{:?}", peer.states);
        }
        assert!(net.peers[offerer].transport.stats().controlling);
    }
}

#[test]
fn a_slow_answer_to_a_restart_loses_nothing_either() {
    let mut net = Net::pair(42);
    net.connect();
    let missed = talk_through(&mut net, |net| {
        net.with(ALICE, |transport, now| transport.restart_ice(now));
        net.describe(ALICE, BOB, Description::Offer);
        net.talk(ms(3000));
        net.describe(BOB, ALICE, Description::Answer);
    });
    // The wait for the answer adds 150 packets of talk.
    assert_eq!(missed, [-150, -150]);
}

#[test]
fn a_restart_that_is_rolled_back_changes_nothing() {
    let mut net = Net::pair(43);
    net.connect();
    let before = net.peers[ALICE].transport.local().ufrag;
    net.with(ALICE, |transport, now| transport.restart_ice(now));
    assert_ne!(net.peers[ALICE].transport.local().ufrag, before);
    net.with(ALICE, |transport, _| transport.rollback_restart());
    assert_eq!(net.peers[ALICE].transport.local().ufrag, before);
    net.run(ms(60_000));
    assert!(net.all(State::Connected));
}

/// Some peers compare the candidates of an offer with those before, and restart only where they differ.
#[test]
fn the_candidates_of_a_restart_can_be_told_from_those_before() {
    let mut net = Net::pair(40);
    net.connect();
    let foundations = |net: &Net, peer: usize| -> Vec<String> {
        let local = net.peers[peer].transport.local();
        local.candidates.into_iter().map(|c| c.foundation).collect()
    };
    let before = [ALICE, BOB].map(|peer| foundations(&net, peer));
    net.with(ALICE, |transport, now| transport.restart_ice(now));
    let refused = foundations(&net, ALICE);
    assert_ne!(refused, before[ALICE]);
    net.with(ALICE, |transport, _| transport.rollback_restart());
    assert_eq!(foundations(&net, ALICE), before[ALICE]);
    net.with(ALICE, |transport, now| transport.restart_ice(now));
    net.describe(ALICE, BOB, Description::Offer);
    net.describe(BOB, ALICE, Description::Answer);
    net.run(ms(1000));
    let after = [ALICE, BOB].map(|peer| foundations(&net, peer));
    assert_ne!(after[ALICE], refused);
    assert_ne!(after[ALICE], before[ALICE]);
    assert_ne!(after[BOB], before[BOB]);
}

#[test]
fn a_machine_that_moves_to_another_network_goes_on_from_there() {
    for us in [ALICE, BOB] {
        let mut net = Net::pair(39);
        net.connect();
        net.talk(ms(1000));
        let old = net.peers[us].sockets[0];
        let new = address("10.9.9.9:9000");
        let moved = |net: &Net, list: &[SocketAddr]| {
            let list: Vec<_> = list.iter().map(SocketAddr::ip).collect();
            net.peers[us].transport.has_moved(&list, Silence::MayBeLeft)
        };
        assert!(!moved(&net, &[new, old]), "what it uses is still there");
        assert!(moved(&net, &[new]));
        net.blocked = Box::new(move |datagram| datagram.from == old || datagram.to == old);
        net.peers[us].sockets = vec![new];
        let gathering = GatheringCap::default();
        net.with(us, |transport, now| {
            transport.take_sockets(vec![new], Vec::new(), gathering, now)
        })
        .unwrap();
        assert!(!moved(&net, &[new]));
        let failed = State::Failed(TransportFailure::Moved);
        assert_eq!(net.peers[us].transport.state(), failed);
        net.describe(us, 1 - us, Description::Offer);
        net.describe(1 - us, us, Description::Answer);
        net.until(ms(2000), |net| net.all(State::Connected));
        let heard = [ALICE, BOB].map(|peer| net.peers[peer].received.len());
        net.talk(ms(60_000));
        net.run(ms(100));
        for peer in [ALICE, BOB] {
            assert_eq!(net.peers[peer].received.len(), heard[peer] + 3000);
        }
        assert_eq!(net.peers[1 - us].selected.last().unwrap().remote, new);
    }
}

/// Where it was has led nowhere yet; what the other side was told of it is told anew.
#[test]
fn a_machine_that_moves_before_there_is_a_path_is_reached_where_it_is_then() {
    for us in [ALICE, BOB] {
        for answered in [false, true] {
            let mut net = Net::pair(46);
            let old = net.peers[us].sockets[0];
            let new = address("10.9.9.9:9000");
            net.blocked = Box::new(move |datagram| datagram.from == old || datagram.to == old);
            net.describe(ALICE, BOB, Description::Offer);
            if answered {
                net.describe(BOB, ALICE, Description::Answer);
                net.run(ms(700));
            }
            net.peers[us].sockets = vec![new];
            let gathering = GatheringCap::default();
            net.with(us, |transport, now| {
                transport.take_sockets(vec![new], Vec::new(), gathering, now)
            })
            .unwrap();
            if !answered {
                net.describe(BOB, ALICE, Description::Answer);
                net.run(ms(700));
            }
            net.with(us, |transport, now| {
                transport.restart_ice(now);
                Ok::<_, ()>(())
            })
            .unwrap();
            net.describe(us, 1 - us, Description::Offer);
            net.describe(1 - us, us, Description::Answer);
            net.until(ms(3000), |net| net.all(State::Connected));
            net.talk(ms(1000));
            net.run(ms(100));
            for peer in [ALICE, BOB] {
                assert_eq!(net.peers[peer].received.len(), 50, "{us} {answered}");
            }
        }
    }
}

#[test]
fn the_same_description_again_changes_nothing() {
    let mut net = Net::pair(44);
    net.connect();
    let missed = talk_through(&mut net, |net| {
        net.describe(ALICE, BOB, Description::Offer);
        net.describe(BOB, ALICE, Description::Answer);
        net.describe(BOB, ALICE, Description::Offer);
    });
    assert_eq!(missed, [0, 0]);
    assert_eq!(net.peers[ALICE].transport.stats().selected_changes, 1);
}

#[test]
fn a_restart_revives_a_call_whose_consent_expired() {
    let mut net = Net::pair(45);
    net.connect();
    net.blocked = Box::new(|_| true);
    let failed = State::Failed(TransportFailure::Consent);
    net.until(ms(40_000), |net| net.all(failed));
    net.blocked = Box::new(|_| false);
    net.with(ALICE, |transport, now| transport.restart_ice(now));
    net.describe(ALICE, BOB, Description::Offer);
    net.describe(BOB, ALICE, Description::Answer);
    net.until(ms(2000), |net| net.all(State::Connected));
    net.talk(ms(100));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len(), 5);
    net.talk(ms(60_000));
    assert!(net.all(State::Connected));
}

#[test]
fn a_peer_that_moves_to_another_endpoint_gets_a_new_association() {
    let mut net = Net::pair(46);
    net.connect();
    net.talk(ms(100));
    // A transfer: Carol answers in Bob's place, with her own certificate and credentials.
    net.peers.truncate(2);
    let carol = net.add(config("10.0.0.3:3000", Role::Controlled));
    net.describe(ALICE, carol, Description::Offer);
    net.describe(carol, ALICE, Description::Answer);
    net.run(ms(1000));
    assert_eq!(net.peers[carol].transport.state(), State::Connected);
    assert_eq!(net.peers[ALICE].transport.state(), State::Connected);
    net.speak(ALICE, 7);
    net.speak(carol, 8);
    net.run(ms(100));
    assert_eq!(net.peers[carol].received.len(), 1);
    assert_eq!(net.peers[ALICE].received.last().unwrap().timestamp, 8);
}

#[test]
fn after_a_forked_answer_the_final_one_counts() {
    let mut net = Net::pair(47);
    let carol = net.add(config("10.0.0.3:3000", Role::Controlled));
    net.describe(ALICE, BOB, Description::Offer);
    net.describe(ALICE, carol, Description::Offer);
    net.describe(BOB, ALICE, Description::Answer);
    net.run(ms(500));
    assert_eq!(net.peers[ALICE].transport.state(), State::Connected);
    let announced = net.peers[ALICE].transport.local().ufrag;
    net.describe(carol, ALICE, Description::Answer);
    assert_eq!(net.peers[ALICE].transport.local().ufrag, announced);
    net.until(ms(3000), |net| {
        net.peers[carol].transport.state() == State::Connected
    });
    net.run(ms(100));
    net.speak(carol, 8);
    net.run(ms(100));
    assert_eq!(net.peers[ALICE].received.last().unwrap().timestamp, 8);
}

/// Alice, who calls, and two forks of one process: Bob, and the peer whose number comes with them.
fn forks_with_one_certificate(seed: u64) -> (Net, usize) {
    let mut net = Net::new(seed);
    net.add(config("10.0.0.1:1000", Role::Controlling));
    let bob = config("10.0.0.2:2000", Role::Controlled);
    let mut carol = config("10.0.0.3:3000", Role::Controlled);
    carol.certificate = bob.certificate.clone();
    net.add(bob);
    let carol = net.add(carol);
    (net, carol)
}

#[test]
fn of_forks_with_one_certificate_only_the_last_to_answer_is_heard() {
    let (mut net, carol) = forks_with_one_certificate(49);
    net.describe(ALICE, BOB, Description::Offer);
    net.describe(ALICE, carol, Description::Offer);
    net.describe(BOB, ALICE, Description::Answer);
    net.until(ms(3000), |net| {
        net.peers[BOB].transport.state() == State::Connected
    });
    net.speak(ALICE, 6);
    net.describe(carol, ALICE, Description::Answer);
    assert_eq!(net.peers[ALICE].transport.state(), State::Checking);
    // Bob still believes that the call is his.
    net.speak(BOB, 7);
    net.until(ms(3000), |net| {
        net.peers[ALICE].transport.state() == State::Connected
            && net.peers[carol].transport.state() == State::Connected
    });
    net.speak(BOB, 7);
    net.speak(carol, 8);
    net.speak(ALICE, 9);
    net.run(ms(100));
    let heard = |peer: usize| -> Vec<u32> {
        let received = net.peers[peer].received.iter();
        received.map(|packet| packet.timestamp).collect()
    };
    assert_eq!(heard(ALICE), [8]);
    assert_eq!(heard(carol), [9]);
    assert_eq!(heard(BOB), [6]);
}

#[test]
fn forks_with_one_certificate_that_shake_hands_at_once_do_not_mix() {
    for seed in 50..54 {
        let (mut net, carol) = forks_with_one_certificate(seed);
        net.describe(ALICE, BOB, Description::Offer);
        net.describe(ALICE, carol, Description::Offer);
        net.describe(BOB, ALICE, Description::Answer);
        // Bob's handshake is under way when Carol's answer takes his place.
        net.run(ms((seed - 49) * 15));
        net.describe(carol, ALICE, Description::Answer);
        net.until(ms(3000), |net| {
            net.peers[ALICE].transport.state() == State::Connected
                && net.peers[carol].transport.state() == State::Connected
        });
        net.speak(carol, 8);
        net.run(ms(100));
        assert_eq!(net.peers[ALICE].received.last().unwrap().timestamp, 8);
        assert_ne!(net.peers[BOB].transport.state(), State::Connected);
    }
}

#[test]
fn a_peer_that_closed_its_association_can_come_back() {
    let mut net = Net::pair(48);
    net.connect();
    net.with(BOB, |transport, now| transport.close(now));
    net.run(ms(100));
    assert_eq!(net.peers[ALICE].transport.state(), State::Closed);
    let carol = net.add(config("10.0.0.3:3000", Role::Controlling));
    let offer = remote(&net.peers[carol].transport.local(), Description::Offer);
    net.with(ALICE, |transport, now| transport.set_remote(offer, now))
        .unwrap();
    net.describe(ALICE, carol, Description::Answer);
    net.until(ms(3000), |net| {
        net.peers[ALICE].transport.state() == State::Connected
    });
}
