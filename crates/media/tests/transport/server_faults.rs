//! STUN and TURN servers that refuse, lie, forget and say nothing.

use media::transport::{
    CandidateKind, Policy, Reach, Role, Secret, Server, ServerFault, ServerKind, State,
    TransportFailure,
};

use crate::harness::{ALICE, BOB, Net, address, config, ms};
use crate::turn_server::TurnServer;

const SERVER: &str = "203.0.113.1:3478";

fn server(kind: ServerKind) -> Server {
    Server {
        name: "turn:turn.test".to_owned(),
        reach: Reach::Datagrams(address(SERVER)),
        kind,
    }
}

fn turn(username: &str, password: &str) -> Server {
    server(ServerKind::Turn {
        username: username.to_owned(),
        password: Secret::new(password),
    })
}

fn ours() -> Server {
    turn(TurnServer::USERNAME, TurnServer::PASSWORD)
}

fn net(policy: Policy, server: Server, change: impl FnOnce(&mut TurnServer)) -> Net {
    let mut net = Net::new(41);
    net.servers.push(TurnServer::new(address(SERVER)));
    change(&mut net.servers[0]);
    let mut alice = config("10.0.0.1:1000", Role::Controlling);
    alice.servers = vec![server];
    alice.policy = policy;
    net.add(alice);
    net.add(config("10.0.0.2:2000", Role::Controlled));
    net.until(ms(6000), |net| net.peers[ALICE].gathered_at.is_some());
    net
}

fn faults(net: &Net) -> Vec<ServerFault> {
    let faults = net.peers[ALICE].faults.iter();
    faults.map(|(_, _, fault)| fault.clone()).collect()
}

fn refused(code: u16) -> ServerFault {
    ServerFault::Refused {
        code,
        reason: String::new(),
    }
}

#[test]
fn a_server_that_refuses_is_told_with_its_code_and_delays_nothing() {
    for code in [300, 400, 403, 437, 442, 486, 500, 508, 699] {
        let net = net(Policy::All, ours(), |server| server.refuses = Some(code));
        assert_eq!(faults(&net), [refused(code)]);
        assert_eq!(net.peers[ALICE].gathered_at, Some(ms(40)), "{code}");
    }
    let net = net(Policy::All, turn("user", "wrong"), |_| {});
    assert_eq!(faults(&net), [refused(401)]);
}

#[test]
fn a_nonce_that_goes_stale_while_an_allocation_is_made_is_made_good_a_few_times() {
    for (stale, found) in [(1, 1), (3, 1), (4, 0), (1000, 0)] {
        let net = net(Policy::Relay, ours(), |server| server.stale = stale);
        assert_eq!(net.peers[ALICE].candidates.len(), found, "{stale}");
        let told = if found == 1 {
            vec![]
        } else {
            vec![refused(438)]
        };
        assert_eq!(faults(&net), told, "{stale}");
    }
}

#[test]
fn addresses_that_nobody_can_send_to_are_told_to_nobody_but_the_application() {
    for lie in [
        "0.0.0.0:1234",
        "127.0.0.1:1234",
        "224.0.0.1:1234",
        "255.255.255.255:1234",
        "198.51.100.7:0",
        "[::]:1234",
        "[::1]:1234",
        "[fe80::1]:1234",
        "[ff02::1]:1234",
    ] {
        for kind in [ServerKind::Stun, ours().kind] {
            let mut net = net(Policy::All, server(kind), |server| {
                server.lie = Some(address(lie));
            });
            let kinds: Vec<_> = net.peers[ALICE]
                .candidates
                .iter()
                .map(|one| one.kind)
                .collect();
            assert_eq!(kinds, [CandidateKind::Host], "{lie}");
            let fault = ServerFault::ImpossibleAddress(address(lie));
            assert_eq!(faults(&net), [fault], "{lie}");
            net.connect();
        }
    }
}

#[test]
fn a_server_on_this_machine_may_relay_there_whatever_socket_asks_it() {
    let mut net = Net::new(42);
    let here = "127.0.0.1:3478";
    net.servers.push(TurnServer::new(address(here)));
    let mut alice = config("127.0.0.2:1000", Role::Controlling);
    alice.sockets.push(address("10.0.0.1:1000"));
    alice.servers = vec![Server {
        reach: Reach::Datagrams(address(here)),
        ..ours()
    }];
    alice.policy = Policy::Relay;
    net.add(alice);
    net.until(ms(6000), |net| net.peers[ALICE].gathered_at.is_some());
    assert_eq!(net.peers[ALICE].candidates.len(), 2);
    net.with(ALICE, |transport, now| transport.close(now));
    net.run(ms(200));
    assert_eq!(net.servers[0].allocations.len(), 0, "all is given back");
}

#[test]
fn credentials_with_odd_characters_are_said_as_they_are() {
    // RFC 8489 §9.2.2 takes the key of these very octets; the server knows none of them.
    for odd in [
        "a:b",
        "1700000000:älice",
        "a\"b\\c",
        "\u{1F600}",
        "x y",
        "",
        &"u".repeat(508),
    ] {
        let net = net(Policy::All, turn(odd, odd), |_| {});
        assert_eq!(faults(&net), [refused(401)], "{odd}");
    }
}

#[test]
fn a_server_that_forgets_the_allocation_under_a_call_is_told_at_the_next_refresh() {
    let mut net = net(Policy::Relay, ours(), |_| {});
    net.connect();
    net.servers[0].allocations.clear();
    net.until(ms(26_000), |net| !net.peers[ALICE].faults.is_empty());
    assert_eq!(faults(&net), [ServerFault::Forgotten]);
    let state = net.peers[ALICE].transport.state();
    assert_eq!(state, State::Failed(TransportFailure::Moved));
}

#[test]
fn credentials_that_run_out_are_told_once_and_the_call_goes_on_as_long_as_the_allocation_lives() {
    let mut net = net(Policy::Relay, ours(), |_| {});
    net.connect();
    net.servers[0].refuses_refresh = Some(401);
    for _ in 0..280 {
        net.talk(ms(20));
        net.run(ms(980));
    }
    assert_eq!(faults(&net), [refused(401)]);
    assert!(net.all(State::Connected));
    let before = net.peers[BOB].received.len();
    net.talk(ms(200));
    net.run(ms(100));
    assert_eq!(net.peers[BOB].received.len() - before, 10);
    net.until(ms(400_000), |net| {
        net.peers[ALICE].transport.state() == State::Failed(TransportFailure::Moved)
            || net.peers[ALICE].transport.state() == State::Failed(TransportFailure::Consent)
    });
}

#[test]
fn what_was_given_for_credentials_that_ran_out_is_given_up_once_there_are_others() {
    let moved = State::Failed(TransportFailure::Moved);
    for others_come_first in [true, false] {
        let mut net = net(Policy::Relay, ours(), |_| {});
        net.connect();
        let renew = |net: &mut Net| net.with(ALICE, |transport, now| transport.renew_servers(now));
        if others_come_first {
            renew(&mut net);
        }
        net.run(ms(60_000));
        assert!(
            net.all(State::Connected),
            "its server takes the old ones still"
        );
        net.servers[0].refuses_refresh = Some(441);
        net.until(ms(26_000), |net| !net.peers[ALICE].faults.is_empty());
        if !others_come_first {
            assert!(net.all(State::Connected), "there is nothing better");
            renew(&mut net);
        }
        assert_eq!(net.peers[ALICE].transport.state(), moved);
        assert_eq!(faults(&net), [refused(441)]);
    }
}

#[test]
fn a_refresh_that_is_refused_for_another_reason_gives_nothing_up_for_other_credentials() {
    for others_come_first in [true, false] {
        let mut net = net(Policy::Relay, ours(), |_| {});
        net.connect();
        let renew = |net: &mut Net| net.with(ALICE, |transport, now| transport.renew_servers(now));
        if others_come_first {
            renew(&mut net);
        }
        net.servers[0].refuses_refresh = Some(500);
        net.until(ms(26_000), |net| !net.peers[ALICE].faults.is_empty());
        if !others_come_first {
            renew(&mut net);
        }
        assert!(net.all(State::Connected), "it goes on");
        net.servers[0].refuses_refresh = None;
        net.run(ms(700_000));
        assert!(net.all(State::Connected), "and so it does for long");
        assert_eq!(faults(&net), [refused(500)]);
    }
}

/// Addresses of containers and bridges come beside the one that leads out.
#[test]
fn each_server_is_asked_for_a_relay_before_any_is_asked_for_a_second() {
    let places: Vec<String> = (1..=6)
        .map(|host| format!("203.0.113.{host}:3478"))
        .collect();
    let server = |place: &String| Server {
        name: format!("turn:{place}"),
        reach: Reach::Datagrams(address(place)),
        ..ours()
    };
    for count in [2, 6] {
        let mut net = Net::new(43);
        net.servers = places
            .iter()
            .map(|place| TurnServer::new(address(place)))
            .collect();
        let mut alice = config("10.0.0.1:1000", Role::Controlling);
        for other in ["172.17.0.1:1000", "172.18.0.1:1000", "172.19.0.1:1000"] {
            alice.sockets.push(address(other));
        }
        alice.servers = places.iter().take(count).map(server).collect();
        let peer = net.add(alice);
        let gathered = |net: &Net| net.peers[peer].gathered_at.is_some();
        net.until(ms(6000), gathered);
        let asked: Vec<usize> = net
            .servers
            .iter()
            .map(|one| one.allocations.len())
            .collect();
        let faults: Vec<_> = net.peers[peer]
            .faults
            .iter()
            .map(|(_, name, fault)| (&name[..], fault))
            .collect();
        let left_out = &ServerFault::LeftOut;
        match count {
            2 => {
                assert_eq!(asked, [2, 2, 0, 0, 0, 0]);
                assert_eq!(faults, []);
            }
            _ => {
                assert_eq!(asked, [1, 1, 1, 1, 0, 0]);
                assert_eq!(
                    faults,
                    [
                        ("turn:203.0.113.5:3478", left_out),
                        ("turn:203.0.113.6:3478", left_out)
                    ]
                );
            }
        }
    }
}
