//! STUN and TURN: what is gathered, and connecting through NATs and relays.

use media::transport::{
    CandidateKind, Description, Gathering, Policy, Reach, RemotePath, Role, Secret, Server,
    ServerKind, State, TransportFailure, Way, WayNews,
};

use crate::harness::{ALICE, BOB, Nat, Net, address, config, ms, remote};
use crate::turn_server::TurnServer;

const SERVER: &str = "203.0.113.1:3478";

fn stun() -> Server {
    Server {
        name: SERVER.to_owned(),
        reach: Reach::Datagrams(address(SERVER)),
        kind: ServerKind::Stun,
    }
}

fn turn(password: &str) -> Server {
    Server {
        name: SERVER.to_owned(),
        reach: Reach::Datagrams(address(SERVER)),
        kind: ServerKind::Turn {
            username: TurnServer::USERNAME.to_owned(),
            password: Secret::new(password),
        },
    }
}

/// Two peers, each behind a NAT of its own, with these servers.
fn behind_nats(symmetric: bool, policy: Policy, server: &Server) -> Net {
    let mut net = Net::new(21);
    net.servers.push(TurnServer::new(address(SERVER)));
    net.nats
        .push(Nat::new("10.0.0.1", "198.51.100.1", symmetric));
    net.nats
        .push(Nat::new("10.1.0.2", "198.51.100.2", symmetric));
    for (socket, role) in [
        ("10.0.0.1:1000", Role::Controlling),
        ("10.1.0.2:2000", Role::Controlled),
    ] {
        let mut config = config(socket, role);
        config.servers = vec![server.clone()];
        config.policy = policy;
        net.add(config);
    }
    net
}

fn gather(net: &mut Net) {
    net.until(ms(6000), |net| {
        net.peers.iter().all(|peer| peer.gathered_at.is_some())
    });
}

fn kinds(net: &Net, peer: usize) -> Vec<CandidateKind> {
    net.peers[peer]
        .candidates
        .iter()
        .map(|one| one.kind)
        .collect()
}

#[test]
fn a_reflexive_candidate_leads_through_a_nat_that_keeps_its_mapping() {
    let mut net = behind_nats(false, Policy::All, &stun());
    gather(&mut net);
    assert_eq!(
        kinds(&net, ALICE),
        [CandidateKind::Host, CandidateKind::ServerReflexive]
    );
    let reflexive = &net.peers[ALICE].candidates[1];
    assert_eq!(reflexive.address.ip(), address("198.51.100.1:1").ip());
    assert_eq!(reflexive.related, Some(address("10.0.0.1:1000")));
    net.connect();
    net.talk(ms(200));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len(), 10);
    let path = net.peers[ALICE].transport.stats().selected.unwrap();
    assert_eq!(path.local_kind, CandidateKind::ServerReflexive);
    assert_eq!(path.remote_kind, CandidateKind::ServerReflexive);
}

#[test]
fn gathering_ends_as_soon_as_all_servers_answered() {
    let mut net = behind_nats(false, Policy::All, &turn(TurnServer::PASSWORD));
    gather(&mut net);
    let gathered = net.peers[ALICE].gathered_at.unwrap();
    assert!(gathered < ms(100), "{gathered:?}");
    assert_eq!(net.peers[ALICE].transport.gathering(), Gathering::Complete);
    assert_eq!(
        kinds(&net, ALICE),
        [
            CandidateKind::Host,
            CandidateKind::ServerReflexive,
            CandidateKind::Relayed
        ]
    );
}

#[test]
fn a_silent_server_holds_gathering_up_to_the_cap_only() {
    let mut net = Net::new(22);
    net.servers.push(TurnServer::new(address(SERVER)));
    net.servers
        .push(TurnServer::new(address("203.0.113.2:3478")));
    net.servers[1].silent = true;
    let mut alice = config("10.0.0.1:1000", Role::Controlling);
    alice.servers = vec![turn(TurnServer::PASSWORD)];
    let mut silent = turn(TurnServer::PASSWORD);
    silent.reach = Reach::Datagrams(address("203.0.113.2:3478"));
    alice.servers.push(silent.clone());
    net.add(alice);
    let mut bob = config("10.0.0.2:2000", Role::Controlled);
    bob.servers = vec![silent];
    net.add(bob);
    gather(&mut net);
    let gathered = |peer: usize| net.peers[peer].gathered_at.unwrap();
    // Both have host candidates, and one of them the other server's as well.
    assert_eq!((gathered(ALICE), gathered(BOB)), (ms(1000), ms(1000)));
}

#[test]
fn a_way_that_was_silent_is_told_and_delays_no_call_any_more() {
    let (live, silent) = ("203.0.113.1:3478", "203.0.113.2:3478");
    let doubted = |server: &str| Way::Datagrams(address("10.0.0.1:1000").ip(), address(server));
    // The servers asked, what is doubted, when gathering ends, and what is told.
    for (asked, known, gathered, told) in [
        (
            vec![live, silent],
            vec![],
            1000,
            vec![(doubted(silent), WayNews::Silent)],
        ),
        (
            vec![silent],
            vec![],
            1000,
            vec![(doubted(silent), WayNews::Silent)],
        ),
        (vec![live, silent], vec![silent], 40, vec![]),
        (vec![silent], vec![silent], 300, vec![]),
        (
            vec![live],
            vec![live],
            40,
            vec![(doubted(live), WayNews::Heard)],
        ),
        (
            vec![live],
            vec![live, silent],
            40,
            vec![(doubted(live), WayNews::Heard)],
        ),
    ] {
        let mut net = Net::new(22);
        net.servers.push(TurnServer::new(address(live)));
        net.servers.push(TurnServer::new(address(silent)));
        net.servers[1].silent = true;
        let mut alice = config("10.0.0.1:1000", Role::Controlling);
        alice.servers = asked.iter().map(|server| at(server)).collect();
        alice.doubted = known.iter().map(|server| doubted(server)).collect();
        net.add(alice);
        net.add(config("10.0.0.2:2000", Role::Controlled));
        net.until(ms(6000), |net| net.peers[ALICE].gathered_at.is_some());
        let what = format!("{asked:?}, doubted {known:?}");
        assert_eq!(net.peers[ALICE].gathered_at, Some(ms(gathered)), "{what}");
        let ways = net.peers[ALICE].ways.iter();
        let ways: Vec<_> = ways.map(|(_, way, news)| (way.clone(), *news)).collect();
        assert_eq!(ways, told, "{what}");
    }
}

#[test]
fn a_server_that_is_back_after_it_was_silent_gives_a_relay_on_a_long_way_too() {
    for beside in [false, true] {
        let mut net = Net::new(24);
        net.weather.delay = (60, 60);
        net.servers.push(TurnServer::new(address(SERVER)));
        net.servers
            .push(TurnServer::new(address("203.0.113.2:3478")));
        let mut alice = config("10.0.0.1:1000", Role::Controlling);
        alice.servers = vec![turn(TurnServer::PASSWORD)];
        if beside {
            let mut other = stun();
            other.reach = Reach::Datagrams(address("203.0.113.2:3478"));
            alice.servers.push(other);
        }
        alice.doubted = vec![Way::Datagrams(
            address("10.0.0.1:1000").ip(),
            address(SERVER),
        )];
        net.add(alice);
        net.add(config("10.0.0.2:2000", Role::Controlled));
        net.until(ms(6000), |net| net.peers[ALICE].gathered_at.is_some());
        assert!(kinds(&net, ALICE).contains(&CandidateKind::Relayed));
        net.run(ms(2000));
        assert!(net.peers[ALICE].faults.is_empty(), "beside: {beside}");
    }
}

#[test]
fn a_server_that_is_slow_to_come_back_is_not_called_silent() {
    for (is_silent, faults) in [(false, 0), (true, 1)] {
        let mut net = Net::new(25);
        net.weather.delay = (200, 200);
        net.servers.push(TurnServer::new(address(SERVER)));
        net.servers[0].silent = is_silent;
        let mut alice = config("10.0.0.1:1000", Role::Controlling);
        alice.servers = vec![turn(TurnServer::PASSWORD)];
        alice.doubted = vec![Way::Datagrams(
            address("10.0.0.1:1000").ip(),
            address(SERVER),
        )];
        net.add(alice);
        net.add(config("10.0.0.2:2000", Role::Controlled));
        net.run(ms(990));
        assert_eq!(net.peers[ALICE].gathered_at, Some(ms(300)));
        assert!(net.peers[ALICE].faults.is_empty(), "it has a second");
        net.run(ms(1000));
        assert_eq!(net.peers[ALICE].faults.len(), faults);
    }
}

#[test]
fn a_server_that_was_silent_is_waited_for_if_nothing_else_may_be_used() {
    let mut net = Net::new(23);
    net.servers.push(TurnServer::new(address(SERVER)));
    net.servers[0].silent = true;
    let mut alice = config("10.0.0.1:1000", Role::Controlling);
    alice.servers = vec![turn(TurnServer::PASSWORD)];
    alice.policy = Policy::Relay;
    alice.doubted = vec![Way::Datagrams(
        address("10.0.0.1:1000").ip(),
        address(SERVER),
    )];
    net.add(alice);
    net.add(config("10.0.0.2:2000", Role::Controlled));
    net.run(ms(600));
    net.servers[0].silent = false;
    net.until(ms(6000), |net| net.peers[ALICE].gathered_at.is_some());
    assert_eq!(net.peers[ALICE].candidates.len(), 1, "it was back in time");
}

fn at(server: &str) -> Server {
    let mut turn = turn(TurnServer::PASSWORD);
    turn.reach = Reach::Datagrams(address(server));
    turn
}

#[test]
fn a_silent_relay_is_waited_for_up_to_the_whole_cap_where_only_relays_may_be_used() {
    let mut net = behind_nats(false, Policy::Relay, &turn(TurnServer::PASSWORD));
    net.servers[0].silent = true;
    gather(&mut net);
    assert_eq!(net.peers[ALICE].gathered_at, Some(ms(5000)));
}

#[test]
fn a_relay_is_taken_at_once_where_nothing_else_may_be_used() {
    let mut net = behind_nats(false, Policy::Relay, &turn(TurnServer::PASSWORD));
    gather(&mut net);
    let before = net.elapsed();
    net.connect();
    let took = net.elapsed() - before;
    assert!(took < ms(500), "{took:?}");
}

#[test]
fn wrong_turn_credentials_leave_the_other_candidates() {
    let mut net = behind_nats(false, Policy::All, &turn("wrong"));
    gather(&mut net);
    assert_eq!(
        kinds(&net, ALICE),
        [CandidateKind::Host, CandidateKind::ServerReflexive]
    );
    net.connect();
}

#[test]
fn symmetric_nats_on_both_sides_leave_the_relay() {
    let mut net = behind_nats(true, Policy::All, &turn(TurnServer::PASSWORD));
    gather(&mut net);
    net.connect();
    net.talk(ms(1000));
    net.run(ms(200));
    assert_eq!(net.peers[ALICE].received.len(), 50);
    assert_eq!(net.peers[BOB].received.len(), 50);
    let path = net.peers[ALICE].transport.stats().selected.unwrap();
    assert!(
        path.local_kind == CandidateKind::Relayed || path.remote_kind == CandidateKind::Relayed,
        "{path:?}"
    );
    assert!(net.servers[0].channel_data > 40);
}

#[test]
fn the_relay_policy_uses_and_tells_relayed_candidates_only() {
    let mut net = behind_nats(false, Policy::Relay, &turn(TurnServer::PASSWORD));
    net.tape = Some(Vec::new());
    gather(&mut net);
    for peer in [ALICE, BOB] {
        assert_eq!(kinds(&net, peer), [CandidateKind::Relayed]);
        let related = net.peers[peer].candidates[0].related;
        assert_eq!(related, Some(address("0.0.0.0:0")));
    }
    net.connect();
    net.talk(ms(500));
    net.run(ms(200));
    assert_eq!(net.peers[BOB].received.len(), 25);
    let server = address(SERVER);
    let tape = net.tape.take().unwrap();
    let strays = tape.iter().filter(|(_, datagram)| {
        let ours = datagram.from.ip().to_string().starts_with("10.");
        ours && datagram.to != server
    });
    assert_eq!(strays.count(), 0);
}

#[test]
fn the_relay_policy_without_a_relay_gathers_nothing() {
    let mut net = behind_nats(false, Policy::Relay, &stun());
    net.run(ms(100));
    assert_eq!(net.peers[ALICE].transport.gathering(), Gathering::Complete);
    assert_eq!(kinds(&net, ALICE), []);
}

#[test]
fn an_allocation_outlives_its_lifetime_its_permissions_and_its_nonces() {
    let mut net = behind_nats(true, Policy::Relay, &turn(TurnServer::PASSWORD));
    gather(&mut net);
    net.connect();
    for _ in 0..8 {
        net.servers[0].change_nonce();
        for _ in 0..30 {
            net.talk(ms(40));
            net.run(ms(5000));
        }
        assert!(net.all(State::Connected), "at {:?}", net.elapsed());
        let before = net.peers[BOB].received.len();
        net.talk(ms(200));
        net.run(ms(100));
        assert_eq!(net.peers[BOB].received.len(), before + 10);
    }
    assert!(net.elapsed() > ms(1_200_000));
    assert!(net.servers[0].indications < 100);
}

#[test]
fn closing_gives_the_allocation_back() {
    let mut net = behind_nats(false, Policy::All, &turn(TurnServer::PASSWORD));
    gather(&mut net);
    assert_eq!(net.servers[0].allocations.len(), 2);
    net.connect();
    for peer in [ALICE, BOB] {
        net.with(peer, |transport, now| transport.close(now));
    }
    net.run(ms(200));
    assert_eq!(net.servers[0].allocations.len(), 0);
}

#[test]
fn a_relay_that_comes_after_gathering_ended_still_serves() {
    let mut net = behind_nats(true, Policy::Relay, &turn(TurnServer::PASSWORD));
    net.peers.clear();
    net.weather.delay = (400, 400);
    for (socket, role) in [
        ("10.0.0.1:1000", Role::Controlling),
        ("10.1.0.2:2000", Role::Controlled),
    ] {
        let mut config = config(socket, role);
        config.servers = vec![turn(TurnServer::PASSWORD)];
        config.policy = Policy::Relay;
        config.gathering.total = ms(1000);
        net.add(config);
    }
    net.describe(ALICE, BOB, media::transport::Description::Offer);
    net.describe(BOB, ALICE, media::transport::Description::Answer);
    net.run(ms(4000));
    assert_eq!(net.peers[ALICE].gathered_at, Some(ms(1000)));
    for (from, to) in [(ALICE, BOB), (BOB, ALICE)] {
        let late = net.peers[from].candidates[0].clone();
        net.with(to, |transport, now| transport.add_candidate(late, now));
    }
    net.until(ms(15_000), |net| net.all(State::Connected));
}

#[test]
fn a_peer_is_followed_to_the_address_that_its_nat_gives_it_anew() {
    let mut net = behind_nats(false, Policy::All, &stun());
    gather(&mut net);
    net.connect();
    net.talk(ms(200));
    net.nats[0].forget();
    // Until the next consent check, five seconds or so, Bob speaks to where nobody is.
    net.talk(ms(8000));
    let before = net.peers[ALICE].received.len();
    net.talk(ms(1000));
    net.run(ms(100));
    assert_eq!(net.peers[ALICE].received.len() - before, 50);
    assert!(net.all(State::Connected));
}

/// Whoever offered has nominated a pair, and would send to where nobody is until consent expires.
#[test]
fn a_peer_that_sends_from_where_its_nat_has_put_it_is_followed_within_two_seconds() {
    for rebound in [ALICE, BOB] {
        let mut net = behind_nats(false, Policy::All, &stun());
        gather(&mut net);
        net.connect();
        net.talk(ms(200));
        net.nats[rebound].forget();
        net.talk(ms(2000));
        let before = [ALICE, BOB].map(|peer| net.peers[peer].received.len());
        net.talk(ms(1000));
        net.run(ms(100));
        let heard = [ALICE, BOB].map(|peer| net.peers[peer].received.len() - before[peer]);
        assert_eq!(heard, [50, 50], "{rebound}");
        net.talk(ms(40_000));
        assert!(net.all(State::Connected));
        assert_eq!(
            net.peers[rebound].states.len(),
            2,
            "it was never interrupted"
        );
    }
}

/// How many packets each heard in a second in which both spoke.
fn heard_in_a_second(net: &mut Net) -> [usize; 2] {
    let before = [ALICE, BOB].map(|peer| net.peers[peer].received.len());
    net.talk(ms(1000));
    net.run(ms(100));
    [ALICE, BOB].map(|peer| net.peers[peer].received.len() - before[peer])
}

#[test]
fn a_peer_is_followed_back_to_an_address_that_it_had_before() {
    for rebound in [ALICE, BOB] {
        let mut net = behind_nats(false, Policy::All, &stun());
        gather(&mut net);
        net.connect();
        net.talk(ms(200));
        net.nats[rebound].forget();
        net.talk(ms(3000));
        assert_eq!(heard_in_a_second(&mut net), [50, 50], "{rebound}");
        for _ in 0..2 {
            net.nats[rebound].give_back();
            net.talk(ms(3000));
            assert_eq!(heard_in_a_second(&mut net), [50, 50], "{rebound}");
            net.nats[rebound].forget();
            net.talk(ms(3000));
            assert_eq!(heard_in_a_second(&mut net), [50, 50], "{rebound}");
        }
        assert_eq!(net.peers[rebound].states.len(), 2, "{rebound}");
    }
}

/// It can't be followed, and a restart must find it: what it sends from elsewhere keeps no path alive that nobody answers.
#[test]
fn the_consent_of_a_peer_that_answers_no_check_runs_out_if_its_nat_moves_it() {
    let mut net = behind_nats(false, Policy::All, &stun());
    gather(&mut net);
    net.connect();
    net.talk(ms(200));
    net.blocked = Box::new(|datagram| datagram.bytes[0] < 4);
    net.talk(ms(10_000));
    net.nats[BOB].forget();
    net.talk(ms(8000));
    assert_eq!(net.peers[ALICE].transport.state(), State::Interrupted);
    net.talk(ms(23_000));
    let failed = State::Failed(TransportFailure::Consent);
    assert_eq!(net.peers[ALICE].transport.state(), failed);
}

/// Restarts give a peer other ports, and a relay lives on through all of them.
#[test]
fn a_relay_serves_a_peer_that_has_had_very_many_ports() {
    let mut net = behind_nats(true, Policy::Relay, &turn(TurnServer::PASSWORD));
    gather(&mut net);
    net.connect();
    for restart in 0..20 {
        net.with(ALICE, |transport, now| transport.restart_ice(now));
        net.describe(ALICE, BOB, Description::Offer);
        let mut answer = remote(&net.peers[BOB].transport.local(), Description::Answer);
        let RemotePath::Ice(ice) = &mut answer.path else {
            panic!("ICE was offered")
        };
        let real = ice.candidates[0].clone();
        for port in 1..20 {
            let mut one = real.clone();
            one.address.set_port(1000 + restart * 20 + port);
            ice.candidates.insert(0, one);
        }
        net.with(ALICE, |transport, now| transport.set_remote(answer, now))
            .unwrap();
        net.run(ms(3000));
    }
    assert!(net.all(State::Connected));
    net.talk(ms(400));
    net.run(ms(100));
    let before = net.peers[BOB].received.len();
    net.talk(ms(200));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len(), before + 10);
    let permissions = net.servers[0].requests[&0x0008];
    assert!(permissions < 200, "{permissions} requests for permission");
}
