//! Peers and strangers that do what they should not, or not as we would.

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;

use media::transport::{
    Description, OutboundStream, PathId, Role, RtpOut, Secret, State, StreamId,
};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use rtc_ice::attributes::control::{AttrControlled, AttrControlling};
use rtc_ice::attributes::priority::PriorityAttr;
use rtc_ice::attributes::use_candidate::UseCandidateAttr;
use rtc_stun::attributes::ATTR_USERNAME;
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc_stun::textattrs::Username;
use rtc_stun::xoraddr::XorMappedAddress;

use crate::harness::{ALICE, BOB, Net, address, config, ice, ms, remote};

/// Writes a check to `to`, as `from` would, under some password.
fn check(net: &Net, from: usize, to: usize, pwd: &Secret, extra: Vec<Box<dyn Setter>>) -> Vec<u8> {
    let provider = rtc_crypto::default_provider().unwrap();
    let local = |peer: usize| net.peers[peer].transport.local().ufrag;
    let username = format!("{}:{}", local(to), local(from));
    let mut setters: Vec<Box<dyn Setter>> = vec![
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(Username::new(ATTR_USERNAME, username)),
        Box::new(PriorityAttr(1)),
    ];
    setters.extend(extra);
    let mut message = Message::new();
    message.build(&setters).unwrap();
    MessageIntegrity::new_short_term_integrity_with_provider(
        pwd.expose().to_owned(),
        provider.crypto(),
    )
    .add_to(&mut message)
    .unwrap();
    FINGERPRINT.add_to(&mut message).unwrap();
    message.raw
}

fn hand(net: &mut Net, to: usize, from: &str, bytes: &[u8]) {
    let from = address(from);
    net.with(to, |transport, now| {
        transport.handle_datagram(PathId(0), from, bytes, now);
    });
}

#[test]
fn an_unauthenticated_check_cannot_change_our_role() {
    let mut net = Net::pair(51);
    net.connect();
    let wrong = Secret::new("not the password");
    for (peer, role) in [
        (
            ALICE,
            Box::new(AttrControlling(u64::MAX)) as Box<dyn Setter>,
        ),
        (BOB, Box::new(AttrControlled(0))),
    ] {
        let controlling = net.peers[peer].transport.stats().controlling;
        let forged = check(&net, 1 - peer, peer, &wrong, vec![role]);
        hand(&mut net, peer, "10.0.0.66:6666", &forged);
        let stats = net.peers[peer].transport.stats();
        assert_eq!(stats.controlling, controlling);
        assert_eq!(stats.refused.stun, 1);
    }
}

#[test]
fn an_unauthenticated_check_gets_no_answer_and_validates_nobody() {
    let mut net = Net::pair(52);
    net.connect();
    let forged = check(&net, ALICE, BOB, &Secret::new("wrong"), vec![]);
    let sent = net.peers[BOB].transport.stats().packets_sent;
    hand(&mut net, BOB, "10.0.0.66:6666", &forged);
    assert_eq!(net.peers[BOB].transport.stats().packets_sent, sent);
    let mut media = vec![0x80, 111];
    media.resize(60, 7);
    hand(&mut net, BOB, "10.0.0.66:6666", &media);
    assert_eq!(net.peers[BOB].transport.stats().refused.unknown_source, 1);
}

#[test]
fn the_controlled_side_follows_a_later_nomination() {
    let mut net = Net::new(53);
    let mut alice = config("10.0.0.1:1000", Role::Controlling);
    alice.sockets.push(address("10.7.0.1:1000"));
    net.add(alice);
    net.add(config("10.0.0.2:2000", Role::Controlled));
    net.connect();
    let first = net.peers[BOB].selected.last().unwrap().remote;
    let other = *net.peers[ALICE]
        .sockets
        .iter()
        .find(|socket| **socket != first)
        .unwrap();
    let pwd = net.peers[BOB].transport.local().pwd;
    let nominate = |net: &mut Net| {
        let extra: Vec<Box<dyn Setter>> = vec![
            Box::new(AttrControlling(1)),
            Box::<UseCandidateAttr>::default(),
        ];
        let nomination = check(net, ALICE, BOB, &pwd, extra);
        hand(net, BOB, &other.to_string(), &nomination);
        net.run(ms(100));
    };
    nominate(&mut net);
    assert_eq!(net.peers[BOB].selected.last().unwrap().remote, other);
    net.talk(ms(200));
    net.run(ms(100));
    assert_eq!(net.peers[ALICE].received.len(), 10);
    assert_eq!(net.peers[BOB].received.len(), 10);
}

/// Answers a check as an ICE lite agent does, with nothing of its own.
fn lite_answer(request: &[u8], from: SocketAddr, pwd: &Secret) -> Vec<u8> {
    let provider = rtc_crypto::default_provider().unwrap();
    let mut answer = Message::new();
    answer
        .build(&[
            Box::new(BINDING_SUCCESS),
            Box::new(TransactionId(request[8..20].try_into().unwrap())),
            Box::new(XorMappedAddress {
                ip: from.ip(),
                port: from.port(),
            }),
            Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
                pwd.expose().to_owned(),
                provider.crypto(),
            )),
            Box::new(FINGERPRINT),
        ])
        .unwrap();
    answer.raw
}

#[test]
fn towards_a_lite_agent_we_control_whatever_signalling_implies() {
    let mut net = Net::new(66);
    net.add(config("10.0.0.1:1000", Role::Controlled));
    net.add(config("10.0.0.2:2000", Role::Controlled));
    let lite = net.peers[BOB].transport.local();
    let mut answer = remote(&lite, Description::Answer);
    ice(&mut answer).lite = true;
    net.tape = Some(Vec::new());
    net.with(ALICE, |transport, now| transport.set_remote(answer, now))
        .unwrap();
    for _ in 0..20 {
        net.run(ms(20));
        for (_, datagram) in net.tape.replace(Vec::new()).unwrap() {
            if datagram.to == address("10.0.0.2:2000") && datagram.bytes[0] < 4 {
                let bytes = lite_answer(&datagram.bytes, datagram.from, &lite.pwd);
                hand(&mut net, ALICE, "10.0.0.2:2000", &bytes);
            }
        }
    }
    assert!(net.peers[ALICE].transport.stats().controlling);
    assert_eq!(net.peers[ALICE].selected.len(), 1);
}

#[test]
fn pairs_outlive_the_seven_checks_of_the_crate() {
    let mut net = Net::pair(54);
    net.blocked = Box::new(|_| true);
    net.describe(ALICE, BOB, Description::Offer);
    net.describe(BOB, ALICE, Description::Answer);
    net.run(ms(12_000));
    net.blocked = Box::new(|_| false);
    net.until(ms(1000), |net| net.all(State::Connected));
}

#[test]
fn candidates_of_a_peer_are_capped_and_their_checks_are_paced() {
    let mut net = Net::pair(55);
    net.describe(BOB, ALICE, Description::Answer);
    let template = net.peers[BOB].candidates[0].clone();
    for index in 0..2000u16 {
        let mut candidate = template.clone();
        let [high, low] = index.to_be_bytes();
        candidate.address = SocketAddr::from(([10, 9, high, low], 5000));
        net.with(ALICE, |transport, now| {
            transport.add_candidate(candidate, now)
        });
    }
    assert_eq!(net.peers[ALICE].transport.stats().refused.candidates, 1969);
    net.tape = Some(Vec::new());
    net.run(ms(1000));
    let sent = net.tape.take().unwrap().len();
    assert!((100..=400).contains(&sent), "{sent} checks in a second");
}

#[test]
fn addresses_learned_from_checks_are_capped() {
    let mut net = Net::pair(56);
    net.connect();
    let pwd = net.peers[BOB].transport.local().pwd;
    for index in 0..200 {
        let genuine = check(&net, ALICE, BOB, &pwd, vec![Box::new(AttrControlling(1))]);
        hand(&mut net, BOB, &format!("10.0.9.{index}:77"), &genuine);
    }
    assert_eq!(net.peers[BOB].transport.stats().refused.candidates, 184);
    net.talk(ms(200));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len(), 10);
}

fn fragment(total: u32, sequence: u64, offset: u32) -> Vec<u8> {
    let mut record = vec![22, 254, 253, 0, 0];
    record.extend_from_slice(&sequence.to_be_bytes()[2..]);
    record.extend_from_slice(&[0, 12, 1]);
    record.extend_from_slice(&total.to_be_bytes()[1..]);
    record.extend_from_slice(&[0, 0]);
    record.extend_from_slice(&offset.to_be_bytes()[1..]);
    record.extend_from_slice(&[0, 0, 0]);
    record
}

#[test]
fn a_hundred_thousand_handshake_fragments_do_not_exhaust_the_stack() {
    for empty in [true, false] {
        let mut net = Net::pair(57);
        net.blocked = Box::new(|datagram| (20..=63).contains(&datagram.bytes[0]));
        net.describe(ALICE, BOB, Description::Offer);
        net.describe(BOB, ALICE, Description::Answer);
        net.run(ms(300));
        for index in (0..100_000u32).rev() {
            let mut record = fragment(100_000, index.into(), index);
            if !empty {
                record[12] = 13;
                record[24] = 1;
                record.push(0);
            }
            hand(&mut net, ALICE, "10.0.0.2:2000", &record);
        }
        assert!(net.peers[ALICE].transport.stats().refused.dtls > 99_000);
        assert_eq!(net.peers[ALICE].transport.state(), State::Checking);
    }
}

#[test]
fn dtls_from_an_address_that_passed_no_check_is_refused() {
    let mut net = Net::pair(58);
    net.blocked = Box::new(|datagram| (20..=63).contains(&datagram.bytes[0]));
    net.describe(ALICE, BOB, Description::Offer);
    net.describe(BOB, ALICE, Description::Answer);
    net.run(ms(300));
    let alert = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40];
    hand(&mut net, ALICE, "10.0.0.66:6666", &alert);
    assert_eq!(net.peers[ALICE].transport.stats().refused.unknown_source, 1);
    net.blocked = Box::new(|_| false);
    net.until(ms(10_000), |net| net.all(State::Connected));
}

#[test]
fn a_forged_fatal_alert_costs_a_handshake_but_not_the_call() {
    for victim in [ALICE, BOB] {
        let mut net = Net::pair(59);
        net.describe(ALICE, BOB, Description::Offer);
        net.describe(BOB, ALICE, Description::Answer);
        net.until(ms(1000), |net| {
            let started = |peer: usize| !net.peers[peer].selected.is_empty();
            started(ALICE) && started(BOB)
        });
        net.run(ms(25));
        let from = net.peers[1 - victim].sockets[0].to_string();
        let alert = [21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 200, 0, 2, 2, 40];
        hand(&mut net, victim, &from, &alert);
        net.until(ms(25_000), |net| net.all(State::Connected));
        net.talk(ms(100));
        net.run(ms(100));
        assert_eq!(net.peers[victim].received.len(), 5);
    }
}

#[test]
fn bent_copies_that_run_ahead_of_the_handshake_do_not_end_the_call() {
    let mut connected = 0;
    for seed in 0..20 {
        let mut net = Net::pair(seed);
        net.weather.corruption = 0.15;
        net.describe(ALICE, BOB, Description::Offer);
        net.describe(BOB, ALICE, Description::Answer);
        net.run(ms(29_000));
        connected += u32::from(net.all(State::Connected));
    }
    assert!(connected >= 18, "{connected} of 20");
}

#[test]
fn after_the_handshake_forged_records_change_nothing() {
    let mut net = Net::pair(60);
    net.connect();
    for record in [
        vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 200, 0, 2, 2, 40],
        vec![21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 201, 0, 2, 1, 0],
        vec![21, 254, 253, 0, 1, 0, 0, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4],
        vec![23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 202, 0, 1, 7],
    ] {
        hand(&mut net, ALICE, "10.0.0.2:2000", &record);
        hand(&mut net, BOB, "10.0.0.1:1000", &record);
    }
    net.talk(ms(100));
    net.run(ms(100));
    assert!(net.all(State::Connected));
    assert_eq!(net.peers[BOB].received.len(), 5);
}

#[test]
fn a_change_of_source_in_mid_call_loses_nothing() {
    let mut net = Net::new(61);
    let mut alice = config("10.0.0.1:1000", Role::Controlling);
    alice.streams = (0..20)
        .map(|id| OutboundStream {
            id: StreamId(id),
            ssrc: 1000 + u32::from(id),
        })
        .collect();
    net.add(alice);
    net.add(config("10.0.0.2:2000", Role::Controlled));
    net.connect();
    for count in 0..400u32 {
        let packet = RtpOut {
            pt: 0,
            timestamp: count,
            marker: false,
            extensions: &[],
            payload: &[1; 160],
        };
        let stream = StreamId(u8::try_from(count / 20).unwrap());
        net.with(ALICE, |transport, now| {
            transport.send_rtp(stream, packet, now)
        })
        .unwrap();
        net.run(ms(5));
    }
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len(), 400);
}

#[test]
fn every_packet_is_taken_once_however_often_it_comes() {
    let mut net = Net::pair(62);
    net.connect();
    net.weather.duplication = 1.0;
    net.talk(ms(1000));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len(), 50);
    assert_eq!(net.peers[BOB].transport.stats().refused.srtp_replay, 50);
}

#[test]
fn forged_media_from_the_peers_address_is_counted_and_dropped() {
    let mut net = Net::pair(63);
    net.connect();
    for ssrc in 0..1000u32 {
        let mut forged = vec![0x80, 111, 0, 1, 0, 0, 0, 0];
        forged.extend_from_slice(&ssrc.to_be_bytes());
        forged.resize(60, 0);
        hand(&mut net, BOB, "10.0.0.1:1000", &forged);
        forged[1] = 200;
        hand(&mut net, BOB, "10.0.0.1:1000", &forged);
    }
    let stats = net.peers[BOB].transport.stats();
    assert_eq!(stats.refused.srtp_authentication, 2000);
    net.talk(ms(200));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len(), 10);
}

#[test]
fn a_caller_that_does_not_drain_loses_packets_and_no_memory() {
    let mut net = Net::pair(64);
    net.connect();
    net.tape = Some(Vec::new());
    for timestamp in 0..3000 {
        net.speak(ALICE, timestamp);
    }
    let tape = net.tape.take().unwrap();
    let now = net.now;
    for (_, datagram) in &tape {
        let bob = &mut net.peers[BOB].transport;
        bob.handle_datagram(PathId(0), datagram.from, &datagram.bytes, now);
    }
    net.drain(BOB);
    assert_eq!(net.peers[BOB].received.len(), 1024);
    assert_eq!(net.peers[BOB].transport.stats().refused.undrained, 1976);
}

#[test]
fn mutated_traffic_and_noise_neither_panic_nor_end_the_call() {
    let mut rng = StdRng::seed_from_u64(65);
    for seed in 0..6 {
        let mut net = Net::pair(seed);
        net.describe(ALICE, BOB, Description::Offer);
        net.describe(BOB, ALICE, Description::Answer);
        net.until(ms(5000), |net| net.all(State::Connected));
        net.tape = Some(Vec::new());
        net.talk(ms(500));
        net.with(ALICE, |transport, now| {
            transport.send_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 7], now)
        })
        .unwrap();
        net.run(ms(6000));
        let tape = net.tape.take().unwrap();
        for _ in 0..3000 {
            let (_, datagram) = &tape[rng.random_range(0..tape.len())];
            let mut bytes = datagram.bytes.clone();
            match rng.random_range(0..4) {
                0 => bytes.truncate(rng.random_range(0..=bytes.len())),
                1 => {
                    let at = rng.random_range(0..bytes.len());
                    bytes[at] = rng.random();
                }
                2 => bytes.extend((0..rng.random_range(0..40)).map(|_| rng.random::<u8>())),
                _ => bytes = (0..rng.random_range(0..80)).map(|_| rng.random()).collect(),
            }
            let (from, to) = (datagram.from, datagram.to);
            let peer = usize::from(to != net.peers[ALICE].sockets[0]);
            hand(&mut net, peer, &from.to_string(), &bytes);
        }
        let before = net.peers[BOB].received.len();
        net.talk(ms(200));
        net.run(ms(200));
        assert_eq!(net.peers[BOB].received.len(), before + 10, "{seed}");
        assert!(net.all(State::Connected));
    }
}

const ELSEWHERE: &str = "203.0.113.66:6666";

/// Bob speaks, and whoever sees it on the way sends some of it again from elsewhere, before it arrives, and answers the checks
/// there with Bob's own answers. `lost` are the checks that Alice sends on the path; returns whether she still takes it.
fn stays_beside_a_relay(
    delay: u64,
    copied: impl Fn(u32) -> bool,
    mut lost: impl FnMut(u32) -> bool + 'static,
) -> bool {
    let mut net = Net::pair(57);
    net.weather.delay = (delay, delay);
    net.connect();
    net.talk(ms(1000));
    let path = |net: &Net| net.peers[ALICE].transport.stats().selected.unwrap().remote;
    let before = path(&net);
    let pwd = net.peers[BOB].transport.local().pwd;
    let mut checks = 0;
    net.blocked = Box::new(move |datagram| {
        let is_check = datagram.bytes.starts_with(&[0, 1]) && datagram.to == before;
        checks += u32::from(is_check);
        is_check && lost(checks)
    });
    let asked = Rc::new(Cell::new(0));
    let count = asked.clone();
    net.script = Box::new(move |datagram| {
        let is_its = datagram.to == address(ELSEWHERE);
        count.set(count.get() + u32::from(is_its));
        (is_its && datagram.bytes[0] < 4).then(|| lite_answer(&datagram.bytes, datagram.from, &pwd))
    });
    let mut stays = true;
    for packet in 0..400 {
        net.tape = Some(Vec::new());
        net.speak(BOB, packet * 960);
        let tape = net.tape.take().unwrap();
        for (_, datagram) in tape.iter().filter(|_| copied(packet)) {
            hand(&mut net, ALICE, ELSEWHERE, &datagram.bytes);
        }
        net.run(ms(20));
        stays &= path(&net) == before;
    }
    let asked = asked.get();
    assert!(!stays || asked >= 3, "it was asked {asked} times");
    stays
}

#[test]
fn whoever_passes_packets_and_checks_on_takes_no_call_from_a_path_that_answers() {
    let always = |_| true;
    assert!(stays_beside_a_relay(10, always, |check| check % 2 == 1));
    assert!(stays_beside_a_relay(10, always, |_| false));
    assert!(stays_beside_a_relay(600, always, |_| false), "it is slow");
    // What comes on the path itself is enough, though no check is answered.
    let some = |packet: u32| packet.is_multiple_of(2);
    assert!(stays_beside_a_relay(10, some, |_| true));
    // Nothing but that is against it.
    assert!(!stays_beside_a_relay(10, always, |_| true));
}

#[test]
fn ten_packets_a_second_from_an_address_that_passed_no_check_are_tried() {
    let mut net = Net::pair(58);
    net.connect();
    net.talk(ms(200));
    net.blocked = Box::new(|_| true);
    net.tape = Some(Vec::new());
    for packet in 0..1000 {
        net.speak(BOB, packet * 960);
    }
    let tape = net.tape.take().unwrap();
    let before = net.peers[ALICE].received.len();
    for (_, datagram) in &tape {
        hand(&mut net, ALICE, ELSEWHERE, &datagram.bytes);
        net.run(ms(1));
    }
    assert_eq!(net.peers[ALICE].received.len() - before, 10);
    assert_eq!(
        net.peers[ALICE].transport.stats().refused.unknown_source,
        990
    );
}

/// Its checks nominate nothing once a pair is, and ours to its new address is lost.
#[test]
fn whoever_passed_a_check_from_elsewhere_is_asked_again_until_it_answers() {
    let mut net = Net::pair(59);
    net.connect();
    net.talk(ms(200));
    let pwd = |peer: usize| net.peers[peer].transport.local().pwd;
    let (alices, bobs) = (pwd(ALICE), pwd(BOB));
    let mut asked = 0;
    net.blocked = Box::new(move |datagram| {
        let lost = datagram.to == address(ELSEWHERE) && datagram.bytes[0] < 4 && asked < 4;
        asked += u32::from(lost);
        lost || datagram.from == address("10.0.0.1:1000") || datagram.to == address("10.0.0.1:1000")
    });
    net.script = Box::new(move |datagram| {
        let is_check = datagram.bytes.starts_with(&[0, 1]);
        (is_check && datagram.to == address(ELSEWHERE))
            .then(|| lite_answer(&datagram.bytes, datagram.from, &alices))
    });
    let controlling: Vec<Box<dyn Setter>> = vec![Box::new(AttrControlling(1))];
    let of_hers = check(&net, ALICE, BOB, &bobs, controlling);
    hand(&mut net, BOB, ELSEWHERE, &of_hers);
    for packet in 100..250 {
        net.tape = Some(Vec::new());
        net.speak(ALICE, packet * 960);
        for (_, datagram) in net.tape.take().unwrap() {
            hand(&mut net, BOB, ELSEWHERE, &datagram.bytes);
        }
        net.run(ms(20));
    }
    let path = net.peers[BOB].transport.stats().selected.unwrap();
    assert_eq!(path.remote, address(ELSEWHERE));
}
