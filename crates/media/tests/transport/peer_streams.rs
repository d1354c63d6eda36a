//! Streams to a peer that takes some (RFC 6544): when they are opened, what goes on them, and what ends them.

use media::transport::{
    Candidate, CandidateKind, Description, NamedCandidate, Policy, Protocol, RemoteParameters,
    Role, Silence, State, TcpType, TransportFailure,
};

use crate::harness::{ALICE, BOB, Net, address, config, ice, ms, remote};

/// Where Bob takes streams.
const TAKING: &str = "10.0.0.2:7000";
const BOBS: &str = "10.0.0.2:2000";

fn passive(at: &str) -> Candidate {
    Candidate {
        foundation: "tcp".to_owned(),
        component: 1,
        protocol: Protocol::Tcp(TcpType::Passive),
        priority: 90 << 24,
        address: address(at),
        kind: CandidateKind::Host,
        related: None,
    }
}

/// Alice opens streams to Bob, who takes them; by datagrams they reach each other or not.
fn net(alice: Role, datagrams: bool, policy: Policy) -> Net {
    let mut net = Net::new(41);
    let bob = match alice {
        Role::Controlling => Role::Controlled,
        Role::Controlled => Role::Controlling,
    };
    let mut config_of_alice = config("10.0.0.1:1000", alice);
    config_of_alice.policy = policy;
    net.add(config_of_alice);
    net.add(config(BOBS, bob));
    net.names
        .insert("10.0.0.2".to_owned(), Some(address(TAKING)));
    net.takes_streams = Some((address(TAKING), address(BOBS)));
    if !datagrams {
        let sockets = [address("10.0.0.1:1000"), address(BOBS)];
        net.blocked =
            Box::new(move |sent| sockets.contains(&sent.from) && sockets.contains(&sent.to));
    }
    net
}

/// What Bob says, with where he takes streams.
fn taking(net: &Net, description: Description) -> RemoteParameters {
    let mut said = remote(&net.peers[BOB].transport.local(), description);
    ice(&mut said).candidates.push(passive(TAKING));
    said
}

/// Offer and answer, of which Alice makes the first if she controls.
fn connect(net: &mut Net, alice: Role) {
    match alice {
        Role::Controlling => {
            net.describe(ALICE, BOB, Description::Offer);
            let answer = taking(net, Description::Answer);
            net.with(ALICE, |alice, now| alice.set_remote(answer, now))
                .unwrap();
        }
        Role::Controlled => {
            let offer = taking(net, Description::Offer);
            net.with(ALICE, |alice, now| alice.set_remote(offer, now))
                .unwrap();
            net.describe(ALICE, BOB, Description::Answer);
        }
    }
    net.until(ms(20_000), |net| net.all(State::Connected));
}

#[test]
fn where_datagrams_do_not_go_sound_flows_both_ways_over_a_stream_however_that_is_cut() {
    for alice in [Role::Controlling, Role::Controlled] {
        for piece in [1, 3, 100, 4096] {
            let mut net = net(alice, false, Policy::All);
            net.piece = piece;
            connect(&mut net, alice);
            assert!(net.elapsed() > ms(1000) && net.elapsed() < ms(2000));
            net.talk(ms(1000));
            net.run(ms(200));
            assert_eq!(net.peers[ALICE].received.len(), 50, "{piece}");
            assert_eq!(net.peers[BOB].received.len(), 50, "{piece}");
            let path = net.peers[ALICE].transport.stats().selected.unwrap();
            assert_eq!(path.protocol, Protocol::Tcp(TcpType::Active));
            assert_eq!((path.path, path.relay), (None, None));
            assert_eq!(path.remote, address(TAKING));
            assert_eq!(path.remote_kind, CandidateKind::Host);
            assert_eq!(net.peers[ALICE].wanted.len(), 1);
        }
    }
}

#[test]
fn where_datagrams_go_no_stream_is_opened() {
    for alice in [Role::Controlling, Role::Controlled] {
        let mut net = net(alice, true, Policy::All);
        connect(&mut net, alice);
        net.talk(ms(5000));
        assert_eq!(net.peers[ALICE].wanted, []);
        let path = net.peers[ALICE].transport.stats().selected.unwrap();
        assert_eq!(path.protocol, Protocol::Udp);
    }
}

#[test]
fn with_relays_alone_no_stream_is_opened_and_none_of_ours_is_told() {
    let mut net = net(Role::Controlled, false, Policy::Relay);
    let offer = taking(&net, Description::Offer);
    net.with(ALICE, |alice, now| alice.set_remote(offer, now))
        .unwrap();
    net.run(ms(40_000));
    assert_eq!(net.peers[ALICE].wanted, []);
    assert_eq!(net.peers[ALICE].transport.local().candidates, []);
}

#[test]
fn our_ends_are_told_to_a_peer_that_takes_streams_and_to_no_other() {
    let mut net = net(Role::Controlled, true, Policy::All);
    let active = |net: &Net| {
        let candidates = net.peers[ALICE].transport.local().candidates;
        candidates
            .into_iter()
            .find(|one| one.protocol != Protocol::Udp)
    };
    assert_eq!(active(&net), None);
    let offer = taking(&net, Description::Offer);
    net.with(ALICE, |alice, now| alice.set_remote(offer, now))
        .unwrap();
    let ours = active(&net).unwrap();
    assert_eq!(ours.protocol, Protocol::Tcp(TcpType::Active));
    assert_eq!(ours.address, address("10.0.0.1:9"));
    let by_datagrams = net.peers[ALICE].candidates[0].priority;
    assert!(ours.priority < by_datagrams);
}

#[test]
fn a_peer_has_us_open_four_streams_at_most_and_none_to_this_machine() {
    let mut net = net(Role::Controlled, false, Policy::All);
    let mut offer = taking(&net, Description::Offer);
    ice(&mut offer).candidates = vec![passive("127.0.0.1:5432"), passive("[2001:db8::1]:443")];
    let more = (1..20).map(|host| passive(&format!("192.0.2.{host}:443")));
    let wrong = ["224.0.0.1:443", "0.0.0.0:443", "192.0.2.99:0"].map(passive);
    // Services of this machine, of a local network, of a cloud.
    let services = [
        "192.0.2.98:25",
        "10.0.0.5:443",
        "192.168.1.1:80",
        "[::ffff:127.0.0.1]:5432",
        "[::ffff:10.0.0.5]:6379",
        "[fd00::1]:443",
        "169.254.169.254:8080",
    ]
    .map(passive);
    ice(&mut offer).candidates.extend(services);
    ice(&mut offer).candidates.extend(wrong);
    ice(&mut offer).candidates.extend(more);
    net.with(ALICE, |alice, now| alice.set_remote(offer, now))
        .unwrap();
    net.run(ms(40_000));
    let hosts: Vec<_> = net.peers[ALICE].wanted.iter().map(|t| &*t.host).collect();
    assert_eq!(hosts, ["192.0.2.1", "192.0.2.2"]);
    assert!(net.peers[ALICE].transport.stats().refused.candidates > 10);
}

/// A name is no way around what may not be opened, whatever its answer says, and whatever another answer says later.
#[test]
fn names_open_no_stream_to_this_machine_or_to_services_whatever_they_turn_out_to_be() {
    for (port, found, opened) in [
        (443, "192.0.2.1", true),
        (5432, "127.0.0.1", false),
        (443, "127.0.0.1", false),
        (5432, "::1", false),
        (5432, "::ffff:127.0.0.1", false),
        (443, "10.0.0.5", false),
        (80, "192.168.1.1", false),
        (25, "192.0.2.1", false),
        (443, "::ffff:10.0.0.5", false),
        (443, "fd00::1", false),
        (8080, "169.254.169.254", false),
        (8080, "224.0.0.251", false),
        (8080, "0.0.0.0", false),
    ] {
        let mut net = net(Role::Controlled, false, Policy::All);
        let mut offer = taking(&net, Description::Offer);
        let name = "6f1b2a3c-0d4e-4f5a-8b6c-7d8e9f0a1b2c.local";
        ice(&mut offer).candidates.clear();
        ice(&mut offer).named = vec![NamedCandidate {
            name: name.to_owned(),
            candidate: passive(&format!("0.0.0.0:{port}")),
        }];
        net.with(ALICE, |alice, now| alice.set_remote(offer, now))
            .unwrap();
        net.run(ms(1000));
        assert_eq!(net.peers[ALICE].asked, [name]);
        for found in [found, "127.0.0.1"] {
            net.with(ALICE, |alice, now| {
                alice.resolved(name, found.parse().unwrap(), now);
            });
            net.run(ms(20_000));
        }
        let hosts: Vec<_> = net.peers[ALICE].wanted.iter().map(|t| &*t.host).collect();
        let expected: &[&str] = if opened { &[found] } else { &[] };
        assert_eq!(hosts, expected, "{found}:{port}");
    }
}

#[test]
fn restarts_have_us_open_sixteen_streams_in_a_call() {
    let mut net = net(Role::Controlled, false, Policy::All);
    for round in 1..12 {
        let mut offer = taking(&net, Description::Offer);
        let remote = ice(&mut offer);
        remote.ufrag = format!("round{round}");
        remote.candidates = (1..5)
            .map(|host| passive(&format!("192.0.2.{host}:{}", 7000 + round)))
            .collect();
        net.with(ALICE, |alice, now| alice.set_remote(offer, now))
            .unwrap();
        net.run(ms(2000));
    }
    assert_eq!(net.peers[ALICE].wanted.len(), 16);
}

#[test]
fn whoever_takes_a_stream_and_is_not_the_peer_is_sent_checks_and_nothing_else() {
    let mut net = net(Role::Controlled, false, Policy::All);
    net.takes_streams = Some((address(TAKING), address("10.0.0.9:9")));
    net.tape = Some(Vec::new());
    let offer = taking(&net, Description::Offer);
    net.with(ALICE, |alice, now| alice.set_remote(offer, now))
        .unwrap();
    net.run(ms(3000));
    let ours = net.peers[ALICE].links.values().next().unwrap().0;
    // It answers nonsense, large and small.
    for length in [0, 1, 20, 2000] {
        net.send(address("10.0.0.9:9"), ours, vec![0x16; length]);
        net.run(ms(100));
    }
    net.run(ms(20_000));
    let tape = net.tape.take().unwrap();
    let mut sent = tape
        .iter()
        .filter(|(_, sent)| sent.to == address(TAKING))
        .peekable();
    assert!(sent.peek().is_some());
    for (_, sent) in sent {
        assert_eq!(sent.bytes[2..4], [0, 1], "a Binding request");
        assert_eq!(sent.bytes[6..10], [0x21, 0x12, 0xA4, 0x42]);
    }
    let failed = State::Failed(TransportFailure::Ice);
    assert_eq!(net.peers[ALICE].transport.state(), failed);
}

#[test]
fn a_stream_that_is_refused_or_never_opens_costs_nothing_and_datagrams_win_over_one_that_is_up() {
    for way in [None, Some(None), Some(Some(address(TAKING)))] {
        let mut net = net(Role::Controlling, false, Policy::All);
        net.names.clear();
        if let Some(way) = way {
            net.names.insert("10.0.0.2".to_owned(), way);
        }
        // Nobody answers there.
        net.takes_streams = Some((address(TAKING), address("10.0.0.9:9")));
        net.describe(ALICE, BOB, Description::Offer);
        let answer = taking(&net, Description::Answer);
        net.with(ALICE, |alice, now| alice.set_remote(answer, now))
            .unwrap();
        net.run(ms(3000));
        net.blocked = Box::new(|_| false);
        net.until(ms(5000), |net| net.all(State::Connected));
        let path = net.peers[ALICE].transport.stats().selected.unwrap();
        assert_eq!(path.protocol, Protocol::Udp);
        assert_eq!(net.peers[ALICE].links.len(), 0, "it is closed");
    }
}

#[test]
fn a_stream_that_ends_is_a_path_that_is_gone_and_a_restart_opens_another() {
    let mut net = net(Role::Controlling, false, Policy::All);
    connect(&mut net, Role::Controlling);
    net.talk(ms(500));
    net.break_links(ALICE);
    let gone = State::Failed(TransportFailure::Moved);
    assert_eq!(net.peers[ALICE].transport.state(), gone);
    let transport = &net.peers[ALICE].transport;
    let ours = [address("10.0.0.1:1000").ip()];
    assert!(transport.has_moved(&ours, Silence::IsWaitedOut));
    let sockets = net.peers[ALICE].sockets.clone();
    net.with(ALICE, |alice, now| {
        alice.take_sockets(sockets, Vec::new(), Default::default(), now)
    })
    .unwrap();
    connect(&mut net, Role::Controlling);
    net.talk(ms(500));
    assert_eq!(net.peers[ALICE].wanted.len(), 2);
}

#[test]
fn sound_stays_on_the_stream_while_a_restart_opens_another_which_takes_its_place() {
    let mut net = net(Role::Controlling, false, Policy::All);
    connect(&mut net, Role::Controlling);
    net.talk(ms(500));
    let before: Vec<_> = net.peers[ALICE].links.keys().copied().collect();
    net.with(ALICE, |alice, now| alice.restart_ice(now));
    net.describe(ALICE, BOB, Description::Offer);
    let answer = taking(&net, Description::Answer);
    net.with(ALICE, |alice, now| alice.set_remote(answer, now))
        .unwrap();
    net.talk(ms(3000));
    net.run(ms(200));
    assert_eq!(net.peers[BOB].received.len(), 175);
    assert_eq!(net.peers[ALICE].received.len(), 175);
    let after: Vec<_> = net.peers[ALICE].links.keys().copied().collect();
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after);
}
