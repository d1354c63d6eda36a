//! Getting connected, in good weather and bad.

use media::transport::{
    CandidateKind, Certificate, Description, Fingerprint, HashFunction, NamedCandidate, Policy,
    Role, RtpOut, Setup, State, StreamId, TransportFailure,
};

use crate::harness::{ALICE, BOB, Net, Weather, address, config, dtls, ice, ms, remote};

const RSA: &str = include_str!("rsa.pem");

#[test]
fn two_transports_connect_and_carry_media_and_reports_both_ways() {
    let mut net = Net::pair(1);
    net.connect();
    assert!(net.elapsed() < ms(250), "{:?}", net.elapsed());
    net.talk(ms(1000));
    net.run(ms(100));
    for peer in &net.peers {
        assert_eq!(peer.received.len(), 50);
        assert!(
            peer.received
                .windows(2)
                .all(|two| two[1].seq == two[0].seq.wrapping_add(1))
        );
    }
    let report = [0x80, 201, 0, 1, 0, 0, 0, 7];
    net.with(ALICE, |transport, now| transport.send_rtcp(&report, now))
        .unwrap();
    net.run(ms(100));
    assert_eq!(net.peers[BOB].reports, [report]);
    let stats = net.peers[ALICE].transport.stats();
    assert_eq!(stats.srtp_cipher, Some("SRTP_AEAD_AES_128_GCM"));
    assert_eq!(
        stats.dtls_cipher.as_deref(),
        Some("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
    );
    assert_eq!(stats.refused, media::transport::Refused::default());
    assert_eq!(stats.rtt, Some(ms(20)));
}

#[test]
fn header_fields_and_extensions_arrive_as_they_were_sent() {
    let mut net = Net::pair(2);
    net.connect();
    let packet = RtpOut {
        pt: 9,
        timestamp: 0xFEDC_BA98,
        marker: true,
        extensions: &[(1, &[0x55]), (4, b"mid")],
        payload: b"sound",
    };
    let seq = net
        .with(ALICE, |transport, now| {
            transport.send_rtp(StreamId::AUDIO, packet, now)
        })
        .unwrap();
    net.run(ms(100));
    let got = &net.peers[BOB].received[0];
    assert_eq!((got.pt, got.seq, got.timestamp), (9, seq, 0xFEDC_BA98));
    assert_eq!((got.ssrc, got.marker), (0xA11CE, true));
    assert_eq!(got.payload(), b"sound");
    let extensions: Vec<_> = got.extensions().collect();
    assert_eq!(extensions, [(1, &[0x55][..]), (4, b"mid")]);
}

#[test]
fn they_connect_through_loss_delay_duplication_and_reordering() {
    for seed in 0..12 {
        let mut net = Net::pair(seed);
        net.weather = Weather {
            delay: (20, 120),
            loss: 0.2,
            duplication: 0.1,
            corruption: 0.0,
        };
        net.connect();
        assert!(net.elapsed() < ms(12_000), "{seed}: {:?}", net.elapsed());
        net.talk(ms(2000));
        net.run(ms(200));
        assert!(net.peers[BOB].received.len() > 60, "{seed}");
    }
}

#[test]
fn rsa_certificates_work_on_either_side() {
    for rsa in [ALICE, BOB] {
        let mut net = Net::new(3);
        for (index, socket, role) in [
            (ALICE, "10.0.0.1:1000", Role::Controlling),
            (BOB, "10.0.0.2:2000", Role::Controlled),
        ] {
            let mut config = config(socket, role);
            if index == rsa {
                config.certificate = Certificate::from_pem(RSA).unwrap();
            }
            net.add(config);
        }
        net.connect();
        net.talk(ms(100));
        net.run(ms(100));
        assert_eq!(net.peers[ALICE].received.len(), 5);
    }
}

#[test]
fn each_dtls_role_works_and_is_the_one_signalled() {
    for (answer, alice_is_client) in [(Setup::Active, false), (Setup::Passive, true)] {
        let mut net = Net::pair(4);
        let mut offer = remote(&net.peers[ALICE].transport.local(), Description::Offer);
        if answer == Setup::Passive {
            dtls(&mut offer).setup = Setup::Active;
        }
        net.with(BOB, |transport, now| transport.set_remote(offer, now))
            .unwrap();
        assert_eq!(net.peers[BOB].transport.local().setup, answer);
        net.describe(BOB, ALICE, Description::Answer);
        net.until(ms(5000), |net| net.all(State::Connected));
        let stats = net.peers[ALICE].transport.stats();
        assert_eq!(stats.dtls_client, Some(alice_is_client));
    }
}

#[test]
fn fingerprints_by_every_hash_function_are_checked_and_the_strongest_decides() {
    for function in [
        HashFunction::Sha256,
        HashFunction::Sha384,
        HashFunction::Sha512,
    ] {
        let mut net = Net::new(5);
        let alice = config("10.0.0.1:1000", Role::Controlling);
        let certificate = alice.certificate.clone();
        net.add(alice);
        net.add(config("10.0.0.2:2000", Role::Controlled));
        let mut offer = remote(&net.peers[ALICE].transport.local(), Description::Offer);
        dtls(&mut offer).fingerprints = vec![certificate.fingerprint(function)];
        net.with(BOB, |transport, now| transport.set_remote(offer, now))
            .unwrap();
        net.describe(BOB, ALICE, Description::Answer);
        net.until(ms(5000), |net| net.all(State::Connected));
    }
    let mut net = Net::pair(5);
    let mut offer = remote(&net.peers[ALICE].transport.local(), Description::Offer);
    dtls(&mut offer).fingerprints.push(Fingerprint {
        function: HashFunction::Sha512,
        digest: vec![0; 64],
    });
    net.with(BOB, |transport, now| transport.set_remote(offer, now))
        .unwrap();
    net.describe(BOB, ALICE, Description::Answer);
    let failed = State::Failed(TransportFailure::Fingerprint);
    net.until(ms(5000), |net| net.peers[BOB].transport.state() == failed);
}

#[test]
fn a_fingerprint_that_does_not_match_fails_on_either_dtls_side_and_sends_no_media() {
    for wrong in [ALICE, BOB] {
        let mut net = Net::pair(6);
        for (from, to, description) in [
            (ALICE, BOB, Description::Offer),
            (BOB, ALICE, Description::Answer),
        ] {
            let mut parameters = remote(&net.peers[from].transport.local(), description);
            if to == wrong {
                dtls(&mut parameters).fingerprints[0].digest[31] ^= 1;
            }
            net.with(to, |transport, now| transport.set_remote(parameters, now))
                .unwrap();
        }
        let failed = State::Failed(TransportFailure::Fingerprint);
        net.until(ms(5000), |net| net.peers[wrong].transport.state() == failed);
        assert!(net.elapsed() < ms(2500), "{:?}", net.elapsed());
        assert!(!net.speak(wrong, 0));
        net.run(ms(40_000));
        assert_eq!(net.peers[wrong].transport.state(), failed);
    }
}

#[test]
fn datagrams_that_come_before_the_answer_are_kept() {
    let mut net = Net::pair(7);
    net.describe(ALICE, BOB, Description::Offer);
    net.run(ms(300));
    net.describe(BOB, ALICE, Description::Answer);
    net.until(ms(200), |net| net.all(State::Connected));
}

#[test]
fn a_peer_that_answers_late_is_waited_for() {
    let mut net = Net::pair(8);
    net.describe(ALICE, BOB, Description::Offer);
    net.run(ms(12_000));
    net.describe(BOB, ALICE, Description::Answer);
    net.until(ms(1000), |net| net.all(State::Connected));
}

#[test]
fn without_any_path_ice_fails_after_its_limit() {
    let mut net = Net::pair(9);
    net.blocked = Box::new(|_| true);
    net.describe(ALICE, BOB, Description::Offer);
    net.describe(BOB, ALICE, Description::Answer);
    let failed = State::Failed(TransportFailure::Ice);
    net.until(ms(16_000), |net| net.all(failed));
    assert!(net.elapsed() >= ms(14_900));
}

#[test]
fn without_an_answer_to_the_handshake_dtls_fails_after_its_limit() {
    let mut net = Net::pair(10);
    net.blocked = Box::new(|datagram| (20..=63).contains(&datagram.bytes[0]));
    net.describe(ALICE, BOB, Description::Offer);
    net.describe(BOB, ALICE, Description::Answer);
    let failed = State::Failed(TransportFailure::Dtls);
    net.until(ms(32_000), |net| net.all(failed));
}

#[test]
fn trickled_candidates_connect_and_useless_ones_do_no_harm() {
    let mut net = Net::pair(11);
    for (from, to, description) in [
        (ALICE, BOB, Description::Offer),
        (BOB, ALICE, Description::Answer),
    ] {
        let mut parameters = remote(&net.peers[from].transport.local(), description);
        ice(&mut parameters).candidates.clear();
        ice(&mut parameters).end_of_candidates = false;
        net.with(to, |transport, now| transport.set_remote(parameters, now))
            .unwrap();
    }
    net.run(ms(500));
    let good = net.peers[BOB].candidates[0].clone();
    for useless in ["0.0.0.0:9", "224.0.0.1:9", "10.0.0.9:0", "[fe80::1]:9"] {
        let mut candidate = good.clone();
        candidate.address = address(useless);
        net.with(ALICE, |transport, now| {
            transport.add_candidate(candidate, now)
        });
    }
    net.with(ALICE, |transport, now| transport.add_candidate(good, now));
    net.until(ms(1000), |net| net.all(State::Connected));
    let path = net.peers[BOB].selected.last().unwrap();
    assert_eq!(path.remote_kind, CandidateKind::PeerReflexive);
}

#[test]
fn several_sockets_of_both_families_are_tried_and_one_is_selected() {
    let mut net = Net::new(12);
    let mut alice = config("10.0.0.1:1000", Role::Controlling);
    alice.sockets.push(address("[2001:db8::1]:1000"));
    net.add(alice);
    let mut bob = config("10.9.9.9:2000", Role::Controlled);
    bob.sockets.push(address("[2001:db8::2]:2000"));
    net.add(bob);
    net.blocked = Box::new(|datagram| datagram.to.is_ipv4());
    net.connect();
    net.talk(ms(100));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len(), 5);
    assert_eq!(
        net.peers[ALICE].selected[0].remote,
        address("[2001:db8::2]:2000")
    );
    assert_eq!(net.peers[ALICE].selected[0].path.unwrap().0, 1);
}

#[test]
fn two_controlling_and_two_controlled_agents_settle_their_roles() {
    for role in [Role::Controlling, Role::Controlled] {
        for seed in 0..4 {
            let mut net = Net::new(seed);
            if seed % 2 == 1 {
                net.add(config("10.0.0.2:2000", role));
                net.add(config("10.0.0.1:1000", role));
            } else {
                net.add(config("10.0.0.1:1000", role));
                net.add(config("10.0.0.2:2000", role));
            }
            net.connect();
            let roles: Vec<bool> = net
                .peers
                .iter()
                .map(|peer| peer.transport.stats().controlling)
                .collect();
            assert_ne!(roles[0], roles[1], "{role:?}");
            net.talk(ms(100));
            net.run(ms(100));
            assert_eq!(net.peers[ALICE].received.len(), 5);
        }
    }
}

#[test]
fn closing_tells_the_peer() {
    let mut net = Net::pair(13);
    net.connect();
    net.with(ALICE, |transport, now| transport.close(now));
    net.run(ms(100));
    assert!(net.all(State::Closed));
    assert!(!net.speak(ALICE, 0));
    assert!(!net.speak(BOB, 0));
}

#[test]
fn nothing_secret_shows_in_debug_output() {
    let mut net = Net::pair(14);
    net.connect();
    let local = net.peers[ALICE].transport.local();
    let text = format!("{:?} {local:?}", net.peers[ALICE].transport);
    assert!(!text.contains(local.pwd.expose()));
    assert!(text.contains("[redacted]"));
}

#[test]
fn candidates_that_are_named_are_asked_for_once_and_used_when_their_address_is_known() {
    for policy in [Policy::All, Policy::Relay] {
        let mut net = Net::new(31);
        net.add(config("10.0.0.1:1000", Role::Controlling));
        let mut bob = config("10.0.0.2:2000", Role::Controlled);
        bob.policy = policy;
        net.add(bob);
        net.run(ms(100));
        let local = net.peers[ALICE].transport.local();
        let mut parameters = remote(&local, Description::Offer);
        let candidates = std::mem::take(&mut ice(&mut parameters).candidates);
        let named = candidates.into_iter().map(|candidate| NamedCandidate {
            name: "a-b-c.local".to_owned(),
            candidate,
        });
        ice(&mut parameters).named = named.collect();
        for _ in 0..2 {
            let parameters = parameters.clone();
            net.with(BOB, |transport, now| {
                transport.set_remote(parameters, now).unwrap();
            });
        }
        let answer = remote(&net.peers[BOB].transport.local(), Description::Answer);
        net.with(ALICE, |transport, now| {
            let mut answer = answer;
            // Whoever is named is not reached otherwise.
            ice(&mut answer).candidates.clear();
            transport.set_remote(answer, now).unwrap();
        });
        net.run(ms(500));
        if policy == Policy::Relay {
            assert!(net.peers[BOB].asked.is_empty(), "no relay leads there");
            continue;
        }
        assert_eq!(net.peers[BOB].asked, ["a-b-c.local"]);
        assert!(!net.all(State::Connected));
        net.with(BOB, |transport, now| {
            transport.resolved("another.local", address("10.0.0.9:1").ip(), now);
            transport.resolved("a-b-c.local", address("10.0.0.1:1").ip(), now);
        });
        net.until(ms(5000), |net| net.all(State::Connected));
        let path = net.peers[BOB].transport.stats().selected.unwrap();
        assert_eq!(path.remote_kind, CandidateKind::Host);
    }
}

#[test]
fn a_flood_of_names_asks_for_a_few() {
    let mut net = Net::new(32);
    net.add(config("10.0.0.1:1000", Role::Controlling));
    net.add(config("10.0.0.2:2000", Role::Controlled));
    net.run(ms(100));
    let mut parameters = remote(&net.peers[ALICE].transport.local(), Description::Offer);
    let candidate = ice(&mut parameters).candidates[0].clone();
    ice(&mut parameters).named = (0..1000)
        .map(|number| NamedCandidate {
            name: format!("name-{number}.local"),
            candidate: candidate.clone(),
        })
        .collect();
    net.with(BOB, |transport, now| {
        transport.set_remote(parameters, now).unwrap();
    });
    assert_eq!(net.peers[BOB].asked.len(), 8);
}

#[test]
fn names_of_a_description_that_is_over_are_forgotten() {
    let mut net = Net::new(33);
    net.add(config("10.0.0.1:1000", Role::Controlling));
    net.add(config("10.0.0.2:2000", Role::Controlled));
    net.run(ms(100));
    let mut parameters = remote(&net.peers[ALICE].transport.local(), Description::Offer);
    let candidate = ice(&mut parameters).candidates[0].clone();
    ice(&mut parameters).candidates.clear();
    let name = |number: u32| format!("name-{number}.local");
    for number in 0..12 {
        let mut parameters = parameters.clone();
        ice(&mut parameters).named = vec![NamedCandidate {
            name: name(number),
            candidate: candidate.clone(),
        }];
        net.with(BOB, |transport, now| {
            transport.set_remote(parameters, now).unwrap();
        });
    }
    let asked: Vec<_> = (0..12).map(name).collect();
    assert_eq!(net.peers[BOB].asked, asked, "however many a call has had");
    let answer = remote(&net.peers[BOB].transport.local(), Description::Answer);
    net.with(ALICE, |transport, now| {
        let mut answer = answer;
        ice(&mut answer).candidates.clear();
        transport.set_remote(answer, now).unwrap();
    });
    let found = address("10.0.0.1:1").ip();
    net.with(BOB, |transport, now| {
        transport.resolved("name-3.local", found, now)
    });
    net.run(ms(2000));
    assert!(!net.all(State::Connected), "it is none of this description");
    net.with(BOB, |transport, now| {
        transport.resolved("name-11.local", found, now)
    });
    net.until(ms(5000), |net| net.all(State::Connected));
}
