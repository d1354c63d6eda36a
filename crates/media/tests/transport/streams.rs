//! TURN over streams: gathering, connecting, and what ends them.

use media::transport::{
    CandidateKind, Policy, Reach, Role, Secret, Server, ServerFault, ServerKind, Silence, State,
    StreamTarget, TransportFailure,
};

use crate::harness::{ALICE, BOB, Net, address, config, ms};
use crate::turn_server::TurnServer;

const SERVER: &str = "203.0.113.1:3478";

fn kind() -> ServerKind {
    ServerKind::Turn {
        username: TurnServer::USERNAME.to_owned(),
        password: Secret::new(TurnServer::PASSWORD),
    }
}

pub(crate) fn by_stream(host: &str, tls: bool) -> Server {
    Server {
        name: format!("turn:{host}"),
        reach: Reach::Stream(StreamTarget {
            host: host.to_owned(),
            port: 3478,
            tls,
        }),
        kind: kind(),
    }
}

fn by_datagrams() -> Server {
    Server {
        name: "turn:udp".to_owned(),
        reach: Reach::Datagrams(address(SERVER)),
        kind: kind(),
    }
}

/// Alice has these servers, Bob none; what Alice may use is said.
fn net(policy: Policy, servers: &[Server]) -> Net {
    let mut net = Net::new(31);
    net.servers.push(TurnServer::new(address(SERVER)));
    net.names
        .insert("turn.test".to_owned(), Some(address(SERVER)));
    net.names.insert("refuses.test".to_owned(), None);
    let mut alice = config("10.0.0.1:1000", Role::Controlling);
    alice.servers = servers.to_vec();
    alice.policy = policy;
    net.add(alice);
    net.add(config("10.0.0.2:2000", Role::Controlled));
    net
}

fn gather(net: &mut Net) {
    net.until(ms(6000), |net| net.peers[ALICE].gathered_at.is_some());
}

fn kinds(net: &Net) -> Vec<CandidateKind> {
    let candidates = net.peers[ALICE].candidates.iter();
    candidates.map(|one| one.kind).collect()
}

#[test]
fn sound_flows_both_ways_over_a_stream_however_that_is_cut() {
    for piece in [1, 3, 100, 4096] {
        let mut net = net(Policy::Relay, &[by_stream("turn.test", false)]);
        net.piece = piece;
        gather(&mut net);
        assert_eq!(kinds(&net), [CandidateKind::Relayed]);
        net.connect();
        net.talk(ms(1000));
        net.run(ms(200));
        assert_eq!(net.peers[ALICE].received.len(), 50, "{piece}");
        assert_eq!(net.peers[BOB].received.len(), 50, "{piece}");
        assert!(net.servers[0].channel_data > 40);
        let path = net.peers[ALICE].transport.stats().selected.unwrap();
        assert_eq!((path.path, path.local_kind), (None, CandidateKind::Relayed));
        assert_eq!(net.peers[ALICE].faults, []);
    }
}

#[test]
fn nothing_leaves_but_to_the_server_and_no_octet_has_an_address_of_ours_or_the_password() {
    let mut net = net(Policy::Relay, &[by_stream("turn.test", true)]);
    net.tape = Some(Vec::new());
    gather(&mut net);
    net.connect();
    net.talk(ms(500));
    let candidate = &net.peers[ALICE].candidates[0];
    assert_eq!(candidate.related, Some(address("0.0.0.0:0")));
    let ours = address("10.0.0.1:1000");
    let tape = net.tape.take().unwrap();
    let strays = tape
        .iter()
        .filter(|(_, sent)| sent.from.ip() == ours.ip() && sent.to != address(SERVER));
    assert_eq!(strays.count(), 0);
    assert!(tape.iter().all(|(_, sent)| sent.from != ours));
    // As it is, and as STUN writes it.
    let cookie = [0x21, 0x12, 0xA4, 0x42];
    let plain = [10, 0, 0, 1];
    let hidden: [u8; 4] = std::array::from_fn(|at| plain[at] ^ cookie[at]);
    let password = TurnServer::PASSWORD.as_bytes();
    let sent = tape.iter().filter(|(_, sent)| sent.from.ip() == ours.ip());
    for (_, sent) in sent {
        for secret in [&plain[..], &hidden[..], password] {
            let found = sent.bytes.windows(secret.len()).any(|part| part == secret);
            assert!(!found, "{secret:?} in {:?}", sent.bytes);
        }
    }
}

#[test]
fn a_relay_by_datagrams_is_better_than_one_by_a_stream() {
    let servers = [by_stream("turn.test", true), by_datagrams()];
    let mut net = net(Policy::Relay, &servers);
    gather(&mut net);
    let of = |port: u16| {
        let candidates = net.peers[ALICE].candidates.iter();
        let mut found = candidates.filter(|one| one.address.port() == port);
        found.next().unwrap().priority
    };
    let clients: Vec<_> = net.servers[0].allocations.iter().collect();
    let port = |stream: bool| {
        let mut found = clients
            .iter()
            .filter(|(client, _)| (client.port() >= 40_000) == stream);
        found.next().unwrap().1.relayed.port()
    };
    assert!(of(port(false)) > of(port(true)));
    net.connect();
    net.talk(ms(200));
    let socket = address("10.0.0.1:1000");
    let path = net.peers[ALICE].transport.stats().selected.unwrap();
    assert_eq!(path.local, net.servers[0].allocations[&socket].relayed);
}

#[test]
fn a_stream_that_is_refused_delays_nothing_and_is_told() {
    let mut net = net(Policy::All, &[by_stream("refuses.test", true)]);
    gather(&mut net);
    assert_eq!(net.peers[ALICE].gathered_at, Some(ms(20)));
    let fault = ServerFault::Unreachable("connection refused".to_owned());
    let told: Vec<_> = net.peers[ALICE]
        .faults
        .iter()
        .map(|(_, name, fault)| (&name[..], fault))
        .collect();
    assert_eq!(told, [("turn:refuses.test", &fault)]);
    net.connect();
}

#[test]
fn a_stream_that_never_opens_is_told_when_gathering_ends() {
    let mut net = net(Policy::All, &[by_stream("nowhere.test", false)]);
    gather(&mut net);
    assert_eq!(net.peers[ALICE].gathered_at, Some(ms(1000)));
    let (at, name, fault) = net.peers[ALICE].faults[0].clone();
    assert_eq!(
        (at, &name[..], fault),
        (ms(1000), "turn:nowhere.test", ServerFault::Silent)
    );
    net.connect();
}

#[test]
fn a_server_of_something_else_is_known_by_what_it_says() {
    let mut net = net(Policy::All, &[by_stream("turn.test", false)]);
    net.servers[0].silent = true;
    net.until(ms(500), |net| !net.peers[ALICE].links.is_empty());
    let link = *net.peers[ALICE].links.keys().next().unwrap();
    net.with(ALICE, |transport, now| {
        let octets = media::transport::LinkEvent::Octets(b"HTTP/1.1 400 Bad Request\r\n");
        transport.handle_link(link, octets, now);
    });
    assert!(net.peers[ALICE].links.is_empty(), "it is closed");
    gather(&mut net);
    assert_eq!(net.peers[ALICE].faults[0].2, ServerFault::Nonsense);
}

#[test]
fn a_stream_that_ends_under_a_call_is_a_loss_that_a_restart_with_another_one_makes_good() {
    let mut net = net(Policy::Relay, &[by_stream("turn.test", false)]);
    gather(&mut net);
    net.connect();
    net.talk(ms(500));
    assert!(
        !net.peers[ALICE]
            .transport
            .has_moved(&[address("10.0.0.1:1").ip()], Silence::IsWaitedOut)
    );
    net.break_links(ALICE);
    let state = net.peers[ALICE].transport.state();
    assert_eq!(state, State::Failed(TransportFailure::Moved));
    assert!(
        net.peers[ALICE]
            .transport
            .has_moved(&[address("10.0.0.1:1").ip()], Silence::IsWaitedOut)
    );
    net.peers[ALICE].gathered_at = None;
    net.peers[ALICE].candidates.clear();
    net.with(ALICE, |transport, now| {
        let servers = vec![by_stream("turn.test", false)];
        let sockets = vec![address("10.0.0.1:1000")];
        transport.take_sockets(
            sockets,
            servers,
            media::transport::GatheringCap::default(),
            now,
        )
    })
    .unwrap();
    gather(&mut net);
    net.connect();
    let before = net.peers[BOB].received.len();
    net.talk(ms(500));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len() - before, 25);
}

#[test]
fn a_closed_transport_gives_its_allocation_back_before_it_closes_the_stream() {
    let mut net = net(Policy::Relay, &[by_stream("turn.test", true)]);
    gather(&mut net);
    net.connect();
    assert_eq!(net.servers[0].allocations.len(), 1);
    net.with(ALICE, |transport, now| transport.close(now));
    net.run(ms(200));
    assert_eq!(net.servers[0].allocations.len(), 0);
    assert!(net.peers[ALICE].links.is_empty());
}

#[test]
fn no_more_streams_are_opened_than_four() {
    let servers = vec![by_stream("turn.test", true); 20];
    let mut net = net(Policy::Relay, &servers);
    gather(&mut net);
    assert_eq!(net.peers[ALICE].links.len(), 4);
    assert_eq!(net.servers[0].allocations.len(), 4);
}
