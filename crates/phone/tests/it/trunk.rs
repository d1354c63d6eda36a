//! Calls that come without a server.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use phone::neighbour::{Neighbour, NeighbourNews, TrunkId};
use phone::tally::PeerState;
use phone::{Event, Reply, SessionId};
use serde_json::{Value, json};
use sip::message::{HeaderName, Leniency, Message, Method, Request, Response};
use sip::transaction::Transport;

use crate::harness::{Caller, Rig, alice_with, answer as reply, code, with_header};

const PEER: &str = "203.0.113.7:5060";
const STRANGER: &str = "198.51.100.7:5060";
const OFFER: &str = "v=0\r\n";

fn trunk() -> Value {
    json!({
        "uri": "sip:bot@example.com",
        "register": false,
        "listen": { "udp": 5060, "tcp": { "port": 5060, "host": "192.0.2.9" } },
        "peers": ["203.0.113.0/24"],
        "audio": "none",
    })
}

/// The same beside a server, with a password, and with the machine of the callers' Contact among the peers.
fn beside_a_server(more: Value) -> Value {
    let mut options = alice_with(json!({
        "listen": { "udp": 5060, "tcp": 5060 },
        "peers": ["203.0.113.0/24", "192.0.2.1"],
    }));
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    options
}

fn listening(options: Value) -> Rig {
    let mut rig = Rig::new(options);
    let ticket = rig.command(json!({ "type": "initialize" }));
    assert_eq!(rig.order, ["listen"]);
    assert_eq!(rig.reply(ticket), None);
    rig.listening(Ok(()));
    if !rig.connects.is_empty() {
        rig.up();
    }
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    assert_eq!(rig.count("ready"), 1);
    rig.events.clear();
    rig.order.clear();
    rig.outbox.clear();
    rig
}

fn local() -> SocketAddr {
    "192.0.2.9:5060".parse().unwrap()
}

fn at(from: &str) -> Neighbour {
    Neighbour::Datagrams(from.parse().unwrap())
}

fn datagram(rig: &mut Rig, from: &str, bytes: impl Into<Bytes>) {
    let neighbour = at(from);
    let from: SocketAddr = from.parse().unwrap();
    let news = NeighbourNews::Message {
        from: from.ip(),
        local: local(),
        bytes: bytes.into(),
    };
    rig.neighbour(neighbour, news);
}

fn stream_up(rig: &mut Rig, stream: Neighbour, peer: &str, opened_for: Option<TrunkId>) {
    let up = NeighbourNews::Up {
        transport: Transport::Tcp,
        local: local(),
        peer: peer.parse().unwrap(),
        opened_for,
    };
    rig.neighbour(stream, up);
}

fn over(rig: &mut Rig, stream: Neighbour, peer: &str, bytes: impl Into<Bytes>) {
    let peer: SocketAddr = peer.parse().unwrap();
    let news = NeighbourNews::Message {
        from: peer.ip(),
        local: local(),
        bytes: bytes.into(),
    };
    rig.neighbour(stream, news);
}

/// The next message that was sent, which must go to this peer.
#[track_caller]
fn sent(rig: &mut Rig, to: Neighbour) -> Message {
    let (neighbour, bytes) = rig.neighbours.pop_front().expect("something was sent");
    assert_eq!(neighbour, to);
    Message::parse(bytes, Leniency::Strict).unwrap().message
}

#[track_caller]
fn answer(rig: &mut Rig, to: Neighbour) -> Response {
    match sent(rig, to) {
        Message::Response(response) => response,
        Message::Request(request) => panic!("an answer expected, got {request:?}"),
    }
}

#[track_caller]
fn request(rig: &mut Rig, to: Neighbour, method: &Method) -> Request {
    match sent(rig, to) {
        Message::Request(request) if request.method() == method => request,
        other => panic!("{method:?} expected, got {other:?}"),
    }
}

fn pending(rig: &Rig) -> phone::event::PendingSession {
    let pending = rig.events.iter().find_map(|event| match event {
        Event::PendingSession(pending) => Some(pending.clone()),
        _ => None,
    });
    *pending.expect("it rings")
}

/// A peer's call that is answered: what came out meanwhile is gone.
fn talks(rig: &mut Rig, peer: Neighbour, say: impl Fn(&mut Rig, Bytes)) -> (Caller, SessionId) {
    let mut caller = Caller::new("c1");
    caller.uri = "sip:+15550100@192.0.2.9".into();
    say(rig, caller.invite(&[], Some(OFFER)));
    let id = pending(rig).id;
    rig.done(json!({ "type": "accept", "id": id }));
    for status in [100, 180] {
        assert_eq!(answer(rig, peer).status().code(), status);
    }
    let accepted = answer(rig, peer);
    assert_eq!(accepted.status().code(), 200);
    caller.learn(&accepted);
    say(rig, caller.ack(None));
    rig.events.clear();
    (caller, id)
}

fn talks_over_udp(rig: &mut Rig) -> (Caller, SessionId) {
    talks(rig, at(PEER), |rig, bytes| datagram(rig, PEER, bytes))
}

const STREAM: Neighbour = Neighbour::Stream(1);
const STREAM_PEER: &str = "203.0.113.7:40000";

fn talks_over_tcp(rig: &mut Rig) -> (Caller, SessionId) {
    stream_up(rig, STREAM, STREAM_PEER, None);
    talks(rig, STREAM, |rig, bytes| {
        over(rig, STREAM, STREAM_PEER, bytes);
    })
}

#[test]
fn a_named_peer_calls_any_number_and_is_talked_to_where_it_has_come() {
    let mut rig = listening(trunk());
    assert!(rig.connects.is_empty());
    let peer = at(PEER);
    let mut caller = Caller::new("c1");
    caller.uri = "sip:+15550100@192.0.2.9".into();
    datagram(&mut rig, PEER, caller.invite(&[], Some(OFFER)));
    let pending = pending(&rig);
    assert_eq!(pending.called, "+15550100");
    for status in [100, 180] {
        assert_eq!(answer(&mut rig, peer).status().code(), status);
    }
    rig.done(json!({ "type": "accept", "id": pending.id }));
    let accepted = answer(&mut rig, peer);
    assert_eq!(accepted.status().code(), 200);
    let contact = accepted.headers().get("Contact").unwrap();
    assert_eq!(contact, "<sip:bot@192.0.2.9:5060>");
    caller.learn(&accepted);
    datagram(&mut rig, PEER, caller.ack(None));
    rig.done(json!({ "type": "end", "id": pending.id }));
    let bye = request(&mut rig, peer, &Method::Bye);
    datagram(&mut rig, PEER, reply(&bye, 200, None));
    assert_eq!(rig.count("sessionEnded"), 1);
    assert!(rig.outbox.is_empty(), "there is no server");
}

#[test]
fn a_stranger_gets_403_and_nobody_is_told() {
    let mut rig = listening(trunk());
    let mut caller = Caller::new("c1");
    let invite = caller.invite(&[], Some(OFFER));
    let deadline = rig.deadline;
    for _ in 0..2 {
        datagram(&mut rig, STRANGER, invite.clone());
        assert_eq!(answer(&mut rig, at(STRANGER)).status().code(), 403);
    }
    datagram(&mut rig, STRANGER, caller.ack(None));
    datagram(&mut rig, STRANGER, "\r\n\r\n");
    datagram(&mut rig, STRANGER, "nothing of SIP");
    let peer = Neighbour::Stream(1);
    stream_up(&mut rig, peer, STRANGER, None);
    over(&mut rig, peer, STRANGER, invite);
    assert!(rig.neighbours.is_empty() && rig.events.is_empty());
    assert_eq!(rig.order, ["hang up Stream(1)"]);
    assert_eq!(rig.deadline, deadline, "nothing is kept of it");
}

#[test]
fn a_peer_that_asks_nothing_costs_nothing() {
    let mut rig = listening(trunk());
    let deadline = rig.deadline;
    let caller = Caller::new("c1");
    for bytes in [
        Bytes::from_static(b"nothing of SIP"),
        Bytes::from_static(b"\r\n"),
        caller.ack(None),
        Bytes::from_static(b"INVITE sip:a SIP/2.0\r\n\r\n"),
    ] {
        datagram(&mut rig, PEER, bytes);
    }
    assert!(rig.neighbours.is_empty() && rig.events.is_empty());
    datagram(&mut rig, PEER, "\r\n\r\n");
    let pong = (at(PEER), Bytes::from_static(b"\r\n"));
    assert_eq!(rig.neighbours.pop_front(), Some(pong));
    assert_eq!(rig.deadline, deadline, "nothing is kept of it");
}

/// The server has challenged us before, so that each request to it is signed.
#[test]
fn nothing_that_goes_to_a_peer_is_signed_and_no_challenge_of_one_is_answered() {
    let mut rig = Rig::new(beside_a_server(json!({})));
    rig.registrar = false;
    rig.command(json!({ "type": "initialize" }));
    rig.listening(Ok(()));
    rig.up();
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    let register = rig.request(&Method::Register);
    rig.receive(with_header(&register, 407, "Proxy-Authenticate", challenge));
    let register = rig.request(&Method::Register);
    assert!(register.headers().contains("Proxy-Authorization"));
    rig.receive(with_header(&register, 200, "Expires", "600"));
    let (_, id) = talks_over_udp(&mut rig);
    rig.command(json!({ "type": "hold", "id": id, "held": true }));
    let offer = request(&mut rig, at(PEER), &Method::Invite);
    assert!(unsigned(&offer), "{offer:?}");
    datagram(
        &mut rig,
        PEER,
        with_header(&offer, 407, "Proxy-Authenticate", challenge),
    );
    rig.command(json!({ "type": "end", "id": id }));
    let mut byes = 0;
    while let Some((to, bytes)) = rig.neighbours.pop_front() {
        assert_eq!(to, at(PEER));
        let Message::Request(sent) = Message::parse(bytes, Leniency::Strict).unwrap().message
        else {
            continue;
        };
        assert!(unsigned(&sent), "{sent:?}");
        if sent.method() == &Method::Bye {
            byes += 1;
            let realm = with_header(&sent, 401, "WWW-Authenticate", challenge);
            datagram(&mut rig, PEER, realm);
        }
    }
    assert_eq!(byes, 1, "no challenge is answered");
    assert!(rig.outbox.is_empty(), "the server is told nothing of it");
}

fn unsigned(request: &Request) -> bool {
    let headers = request.headers();
    !headers.contains("Authorization") && !headers.contains("Proxy-Authorization")
}

#[test]
fn what_is_owed_to_a_peer_whose_stream_is_gone_waits_for_that_peer() {
    let mut rig = listening(beside_a_server(json!({ "peers": ["203.0.113.0/24"] })));
    let (_, id) = talks_over_tcp(&mut rig);
    rig.neighbour(STREAM, NeighbourNews::Down);
    assert_eq!(rig.changes("connectionState").pop().unwrap(), "interrupted");
    rig.command(json!({ "type": "end", "id": id }));
    // Another peer comes, which has nothing to do with it.
    let other = Neighbour::Stream(2);
    stream_up(&mut rig, other, "203.0.113.8:40000", None);
    over(
        &mut rig,
        other,
        "203.0.113.8:40000",
        Caller::new("c2").request("OPTIONS", &[], None),
    );
    while let Some((to, _)) = rig.neighbours.pop_front() {
        assert_eq!(to, other);
    }
    assert!(rig.outbox.is_empty(), "the server is told nothing of it");
    let back = Neighbour::Stream(3);
    stream_up(&mut rig, back, "203.0.113.7:40001", None);
    request(&mut rig, back, &Method::Bye);
}

#[test]
fn a_peer_whose_stream_is_gone_is_reached_where_it_wants_to_be() {
    let mut rig = listening(beside_a_server(json!({})));
    let (_, id) = talks_over_tcp(&mut rig);
    rig.order.clear();
    rig.neighbour(STREAM, NeighbourNews::Down);
    assert_eq!(rig.order, ["hang up Stream(1)", "reach 192.0.2.1:5060 Tcp"]);
    assert!(rig.events.is_empty(), "nobody has noticed anything");
    let back = Neighbour::Stream(2);
    let trunk = rig.reached_for.pop();
    stream_up(&mut rig, back, "192.0.2.1:5060", trunk);
    rig.command(json!({ "type": "end", "id": id }));
    request(&mut rig, back, &Method::Bye);
    assert!(rig.outbox.is_empty());
}

#[test]
fn a_call_learns_that_its_peer_can_not_be_reached_and_that_it_is_back() {
    let mut rig = listening(beside_a_server(json!({})));
    talks_over_tcp(&mut rig);
    rig.neighbour(STREAM, NeighbourNews::Down);
    let trunk = rig.reached_for.pop().unwrap();
    rig.unreached(trunk);
    assert_eq!(rig.changes("connectionState").pop().unwrap(), "interrupted");
    for wait in [2, 4, 8] {
        assert!(rig.reached_for.is_empty());
        rig.advance(Duration::from_secs(wait));
        assert_eq!(rig.reached_for.pop(), Some(trunk));
        rig.unreached(trunk);
    }
    let back = Neighbour::Stream(2);
    stream_up(&mut rig, back, STREAM_PEER, None);
    let offer = request(&mut rig, back, &Method::Invite);
    over(&mut rig, back, STREAM_PEER, reply(&offer, 200, Some(OFFER)));
    assert_eq!(rig.changes("connectionState").pop().unwrap(), "connected");
}

#[test]
fn a_call_that_may_not_outlive_its_stream_ends_with_it() {
    let options = json!({ "peers": ["203.0.113.0/24"], "sessionSurvivability": false });
    let mut rig = listening(beside_a_server(options));
    talks_over_tcp(&mut rig);
    rig.neighbour(STREAM, NeighbourNews::Down);
    rig.assert_ended_once("connectivity-error", "network");
    assert!(rig.outbox.is_empty());
}

#[test]
fn a_lost_server_costs_a_peer_s_call_nothing() {
    for survivability in [false, true] {
        let options = json!({ "sessionSurvivability": survivability });
        let mut rig = listening(beside_a_server(options));
        let (_, id) = talks_over_udp(&mut rig);
        rig.down();
        assert_eq!(rig.count("sessionChanged") + rig.count("sessionEnded"), 0);
        assert!(rig.neighbours.is_empty());
        rig.command(json!({ "type": "hold", "id": id, "held": true }));
        request(&mut rig, at(PEER), &Method::Invite);
    }
}

#[test]
fn a_peer_s_stream_that_is_lost_ends_what_rings_on_it() {
    let mut rig = listening(trunk());
    stream_up(&mut rig, STREAM, STREAM_PEER, None);
    let bytes = Caller::new("c1").invite(&[], Some(OFFER));
    over(&mut rig, STREAM, STREAM_PEER, bytes);
    assert_eq!(rig.count("pendingSession"), 1);
    assert_eq!(answer(&mut rig, STREAM).status().code(), 100);
    rig.neighbour(STREAM, NeighbourNews::Down);
    assert_eq!(rig.count("cancelPendingSession"), 1);
}

/// Whoever can write a peer's address into a datagram has as many ports as he likes.
#[test]
fn a_flood_from_a_peer_s_address_cuts_off_no_call_of_it() {
    let mut rig = listening(trunk());
    let (mut caller, _) = talks_over_udp(&mut rig);
    for port in 10_000..12_000 {
        let from = format!("203.0.113.7:{port}");
        let mut other = Caller::new(&format!("o{port}"));
        datagram(&mut rig, &from, other.request("OPTIONS", &[], None));
        assert_eq!(answer(&mut rig, at(&from)).status().code(), 200);
    }
    assert_eq!(rig.count("sessionEnded"), 0);
    datagram(&mut rig, PEER, caller.request("UPDATE", &[], None));
    assert_eq!(answer(&mut rig, at(PEER)).status().code(), 200);
    // Nor does it keep another call out.
    rig.events.clear();
    let mut late = Caller::new("late");
    datagram(&mut rig, "203.0.113.7:20000", late.invite(&[], Some(OFFER)));
    assert_eq!(rig.count("pendingSession"), 1);
    rig.neighbours.clear();
    datagram(&mut rig, PEER, caller.bye(&[]));
    assert_eq!(answer(&mut rig, at(PEER)).status().code(), 200);
    assert_eq!(rig.count("sessionEnded"), 1);
}

#[test]
fn a_flood_from_many_peers_cuts_off_no_call_of_another() {
    let mut rig = listening(beside_a_server(json!({ "peers": ["203.0.0.0/16"] })));
    let (mut caller, _) = talks_over_udp(&mut rig);
    for host in 0..1_000 {
        let from = format!("203.0.{}.{}:5060", host / 200, 10 + host % 200);
        let mut other = Caller::new(&format!("o{host}"));
        datagram(&mut rig, &from, other.request("OPTIONS", &[], None));
        assert_eq!(answer(&mut rig, at(&from)).status().code(), 200);
    }
    datagram(&mut rig, PEER, caller.bye(&[]));
    assert_eq!(answer(&mut rig, at(PEER)).status().code(), 200);
    assert_eq!(rig.count("sessionEnded"), 1);
}

#[test]
fn whoever_finds_all_ports_of_a_peer_in_use_is_to_come_later() {
    let mut options = trunk();
    options["maxRinging"] = 1_000.into();
    let mut rig = listening(options);
    for port in 10_000..10_064 {
        let from = format!("203.0.113.7:{port}");
        let mut caller = Caller::new(&format!("c{port}"));
        datagram(&mut rig, &from, caller.invite(&[], Some(OFFER)));
    }
    assert_eq!(rig.count("pendingSession"), 64);
    rig.neighbours.clear();
    let from = "203.0.113.7:20000";
    let mut late = Caller::new("late");
    datagram(&mut rig, from, late.invite(&[], Some(OFFER)));
    let response = answer(&mut rig, at(from));
    assert_eq!(response.status().code(), 503);
    assert_eq!(response.headers().get("Retry-After"), Some("5"));
    assert_eq!(rig.count("pendingSession"), 64);
    assert_eq!(rig.count("cancelPendingSession"), 0);
}

#[test]
fn peers_can_call_a_phone_that_no_server_reaches() {
    let rig = listening(trunk());
    assert_eq!(
        rig.phone.standing().readiness(0.0),
        phone::tally::Readiness::Ready
    );
}

#[test]
fn what_a_peer_asserts_is_told_as_that_within_the_trust_domain_alone() {
    let asserted = [
        ("P-Asserted-Identity", "<sip:+15550123@carrier.example>"),
        ("Privacy", "id"),
    ];
    for (domain, told) in [
        (json!([]), 0),
        (json!(["198.51.100.0/24"]), 0),
        (json!(["203.0.113.7"]), 1),
        (json!(["203.0.113.0/24"]), 1),
    ] {
        let mut options = trunk();
        options["trustDomain"] = domain.clone();
        let mut rig = listening(options);
        let mut caller = Caller::new("c1");
        datagram(&mut rig, PEER, caller.invite(&asserted, Some(OFFER)));
        let pending = pending(&rig);
        assert_eq!(pending.identity.asserted.len(), told, "{domain}");
        assert_eq!(pending.identity.privacy, ["id"]);
        for status in [100, 180] {
            let answer = answer(&mut rig, at(PEER));
            assert_eq!(answer.status().code(), status);
            assert_eq!(answer.headers().get("P-Asserted-Identity"), None);
        }
    }
    // The phone's own server has asserted it, whoever else is trusted.
    let mut rig = listening(beside_a_server(json!({})));
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&asserted, Some(OFFER)));
    assert_eq!(pending(&rig).identity.asserted.len(), 1);
}

/// How each peer stands, by its address.
fn standing(rig: &Rig) -> Vec<(String, PeerState, Option<u16>)> {
    let peers = rig.phone.standing().peers.into_iter();
    peers
        .map(|peer| (peer.address, peer.state, peer.code))
        .collect()
}

fn pinging() -> Rig {
    let mut options = trunk();
    options["pingInterval"] = json!(30_000);
    listening(options)
}

#[test]
fn a_peer_that_has_come_is_asked_by_options_and_its_state_told() {
    let mut rig = pinging();
    assert_eq!(standing(&rig), []);
    let options = Caller::new("c1").request("OPTIONS", &[], None);
    datagram(&mut rig, PEER, options);
    assert_eq!(answer(&mut rig, at(PEER)).status().code(), 200);
    let peer = |state, code| vec![("203.0.113.7".to_owned(), state, code)];
    assert_eq!(standing(&rig), peer(PeerState::Unknown, None));
    rig.advance(Duration::from_secs(30));
    let question = request(&mut rig, at(PEER), &Method::Options);
    assert!(rig.neighbours.is_empty(), "it is sent once");

    // Neither a stranger nor who does not know the question answers it.
    datagram(&mut rig, STRANGER, reply(&question, 200, None));
    let mut other = question.clone();
    other.headers_mut().remove(HeaderName::CallId);
    other
        .headers_mut()
        .push(HeaderName::CallId, "another")
        .unwrap();
    datagram(&mut rig, PEER, reply(&other, 200, None));
    assert_eq!(standing(&rig), peer(PeerState::Unknown, None));

    datagram(&mut rig, PEER, reply(&question, 503, None));
    assert_eq!(standing(&rig), peer(PeerState::Reachable, Some(503)));
    for missed in 1..=3 {
        rig.advance(Duration::from_secs(30));
        request(&mut rig, at(PEER), &Method::Options);
        let state = match missed {
            1 | 2 => PeerState::Reachable,
            _ => PeerState::Unreachable,
        };
        assert_eq!(standing(&rig), peer(state, Some(503)), "{missed}");
    }
    rig.advance(Duration::from_secs(30));
    let question = request(&mut rig, at(PEER), &Method::Options);
    datagram(&mut rig, PEER, reply(&question, 200, None));
    assert_eq!(standing(&rig), peer(PeerState::Reachable, Some(200)));
}

#[test]
fn whoever_forges_addresses_of_peers_has_one_question_sent_to_each() {
    let mut rig = pinging();
    for number in 0..1_000 {
        let from = format!("203.0.113.{}:{}", number % 256, 10_000 + number);
        datagram(
            &mut rig,
            &from,
            Caller::new(&number.to_string()).request("OPTIONS", &[], None),
        );
    }
    rig.neighbours.clear();
    rig.advance(Duration::from_secs(30));
    assert_eq!(rig.neighbours.len(), 256);
    rig.neighbours.clear();
    assert_eq!(standing(&rig).len(), 256);
    // Unanswered as they are, they keep nobody out.
    let mut caller = Caller::new("real");
    datagram(
        &mut rig,
        "203.0.113.9:5060",
        caller.invite(&[], Some(OFFER)),
    );
    assert_eq!(
        answer(&mut rig, at("203.0.113.9:5060")).status().code(),
        100
    );
}

#[test]
fn a_peer_says_nothing_of_our_messages() {
    let mut rig = listening(trunk());
    let mut caller = Caller::new("mwi");
    let headers = [
        ("Event", "message-summary"),
        ("Subscription-State", "active"),
        ("Content-Type", "application/simple-message-summary"),
    ];
    let body = "Messages-Waiting: yes\r\nVoice-Message: 9/0\r\n";
    datagram(
        &mut rig,
        PEER,
        caller.request("NOTIFY", &headers, Some(body)),
    );
    assert_eq!(answer(&mut rig, at(PEER)).status().code(), 481);
    assert_eq!(rig.count("messageWaiting"), 0);
}

#[test]
fn a_stream_that_is_silent_for_ten_minutes_is_closed_unless_it_has_a_call() {
    let mut rig = listening(trunk());
    talks_over_tcp(&mut rig);
    let idle = Neighbour::Stream(2);
    stream_up(&mut rig, idle, "203.0.113.8:40000", None);
    rig.order.clear();
    rig.seconds(700);
    let hung_up = rig.order.iter().filter(|what| what.starts_with("hang up"));
    let closed: Vec<_> = hung_up.collect();
    assert_eq!(closed, ["hang up Stream(2)"]);
}

#[test]
fn a_call_of_a_peer_can_take_the_place_of_none_of_the_server() {
    let mut rig = listening(beside_a_server(json!({})));
    let mut bob = Caller::new("of-server");
    rig.takes(&mut bob, &[]);
    let mut guest = Caller::new("guest");
    datagram(&mut rig, PEER, bob.replaced_by(&mut guest, "", &[]));
    assert_eq!(answer(&mut rig, at(PEER)).status().code(), 100);
    assert_eq!(answer(&mut rig, at(PEER)).status().code(), 481);
    assert_eq!(rig.count("sessionEnded"), 0);
}

#[test]
fn what_can_t_be_listened_at_fails_initialize() {
    let mut rig = Rig::new(trunk());
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.listening(Err("UDP at 0.0.0.0:5060 is in use".into()));
    assert_eq!(code(&rig.error(ticket)), "ERR_CONNECTION_FAILED");
    rig.order.clear();
    rig.command(json!({ "type": "initialize" }));
    assert_eq!(rig.order, ["listen"]);
}

#[test]
fn without_a_server_nobody_can_be_called_and_nothing_registered() {
    let mut rig = listening(trunk());
    for command in [
        json!({ "type": "call", "target": "sip:bob@example.com", "options": {} }),
        json!({ "type": "register" }),
    ] {
        let ticket = rig.command(command);
        assert_eq!(code(&rig.error(ticket)), "ERR_NOT_CONNECTED");
    }
    rig.done(json!({ "type": "reconnect" }));
    rig.done(json!({ "type": "initialize" }));
    assert!(rig.order.iter().all(|what| what != "listen"));
}

#[test]
fn a_server_that_is_not_reached_at_first_ends_listening_too() {
    let mut rig = Rig::new(beside_a_server(json!({})));
    rig.command(json!({ "type": "initialize" }));
    rig.listening(Ok(()));
    rig.connection(phone::Connection::Refused {
        code: phone::ErrorCode::ConnectionFailed,
        reason: "ECONNREFUSED".into(),
    });
    assert!(rig.order.iter().any(|what| what == "stop listening"));
}

#[test]
fn a_trunk_s_options_fit_together() {
    const PEM: &str = "-----BEGIN CERTIFICATE-----\n";
    let mistakes: [(Value, &str); 12] = [
        (
            json!({ "pingInterval": 300_001 }),
            "Option 'pingInterval' must be a whole number of milliseconds from 1000 to 300000",
        ),
        (
            json!({ "trustDomain": ["carrier.example.com"] }),
            "Option 'trustDomain[0]' must be an address, a network",
        ),
        (
            json!({ "listen": { "tls": { "port": 1, "cert": "a", "key": PEM } } }),
            "Option 'listen.tls.cert' must be PEM text",
        ),
        (
            json!({ "register": true }),
            "Option 'register' must be false if listen is given, and no servers",
        ),
        (
            json!({ "peers": [] }),
            "Option 'peers' must be the addresses that may call",
        ),
        (
            json!({ "peers": ["pbx.example.com"] }),
            "Option 'peers[0]' must be an address or a network",
        ),
        (
            json!({ "listen": {} }),
            "Option 'listen' must be udp, tcp or tls",
        ),
        (
            json!({ "listen": { "udp": { "port": 0 } } }),
            "Option 'listen.udp.port' must be a port",
        ),
        (
            json!({ "listen": { "udp": 0 } }),
            "Option 'listen.udp' must be a port",
        ),
        (
            json!({ "listen": { "tcp": { "port": 1, "host": "a" } } }),
            "Option 'listen.tcp.host' must be an address",
        ),
        (
            json!({ "listen": { "tls": { "port": 1 } } }),
            "Option 'listen.tls' must be given with cert and key",
        ),
        (
            json!({ "listen": { "tls": { "port": 1, "cert": PEM, "key": PEM, "ca": [] } } }),
            "Option 'listen.tls.ca' must be",
        ),
    ];
    for (mistake, text) in mistakes {
        let mut options = trunk();
        for (name, value) in mistake.as_object().unwrap() {
            options[name] = value.clone();
        }
        let error = phone::Config::from_json(&options).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}
