//! Keys of media leave over no connection that others can read, whoever wrote them and when.

use std::net::SocketAddr;

use bytes::Bytes;
use phone::media::Keying;
use phone::neighbour::{Neighbour, NeighbourNews};
use phone::{Connection, ErrorCode, MediaEvent, SessionId};
use serde_json::{Value, json};
use sip::message::Method;
use sip::transaction::Transport;

use crate::harness::{Caller, Media, Rig, alice_with, answer, media_json};

const KEYS: &str =
    "v=0\r\nm=audio 9 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\n";
const PEER: &str = "203.0.113.7:5060";

/// A phone at a server with TLS, which has another one without; the test plays its media.
fn beside_an_open_server(media: &Value) -> Rig {
    let servers =
        json!(["wss://a.example.com/ws", { "url": "ws://b.example.com/ws", "priority": 1 }]);
    let mut rig = Rig::registered(alice_with(json!({ "media": media, "servers": servers })));
    rig.media_mode = Media::Manual;
    rig
}

/// The connection is lost, and the next one is to this server, as others can't be reached.
fn move_to(rig: &mut Rig, server: usize) {
    let mut tried = rig.connects.len();
    rig.down();
    loop {
        if rig.connects.len() == tried {
            rig.until_connect();
        }
        tried = rig.connects.len();
        if rig.connects.last().is_some_and(|(last, _)| *last == server) {
            break;
        }
        rig.connection(Connection::Refused {
            code: ErrorCode::ConnectionFailed,
            reason: "reset by peer".into(),
        });
    }
    rig.up();
}

/// The connection with TLS is lost, and the next is to the server that has none.
fn fall_back(rig: &mut Rig) {
    move_to(rig, 1);
    rig.seconds(2);
}

fn said(rig: &mut Rig) -> String {
    let said: Vec<_> = rig.outbox.drain(..).collect();
    said.iter()
        .map(|message| String::from_utf8_lossy(message).into_owned())
        .collect()
}

/// Lets the phone act with keys that are for TLS alone, which say nothing, and with those that are for everybody.
fn only_openly(act: impl Fn(&mut Rig)) -> String {
    let mut open = beside_an_open_server(&json!(["sdes-unprotected"]));
    act(&mut open);
    let text = said(&mut open);
    assert!(text.contains("a=crypto"), "they are said at all: {text}");
    let mut hidden = beside_an_open_server(&json!(["sdes"]));
    act(&mut hidden);
    let text = said(&mut hidden);
    assert!(!text.contains("a=crypto"), "{text}");
    text
}

fn dial(rig: &mut Rig) -> SessionId {
    rig.command(json!({ "type": "call", "target": "bob" }));
    rig.id_of("sessionStarted")
}

fn ring(rig: &mut Rig, caller: &mut Caller) -> SessionId {
    rig.receive(caller.invite(&[], Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.command(json!({ "type": "accept", "id": id }));
    id
}

/// A call over TLS whose keys stand in its descriptions.
fn talk(rig: &mut Rig) -> (Caller, SessionId) {
    let mut bob = Caller::new("c1");
    let id = ring(rig, &mut bob);
    rig.describe(id, KEYS);
    rig.response(200);
    rig.receive(bob.ack(None));
    let (keying, cipher) = (Keying::Sdes, None);
    rig.media_event(id, MediaEvent::Secured { keying, cipher });
    rig.media_event(id, MediaEvent::Connected);
    rig.media.clear();
    (bob, id)
}

#[test]
fn an_invite_with_keys_is_not_repeated_over_a_connection_without_tls() {
    let text = only_openly(|rig| {
        let id = dial(rig);
        rig.describe(id, KEYS);
        let invite = rig.request(&Method::Invite);
        rig.receive(answer(&invite, 180, None));
        fall_back(rig);
    });
    assert!(
        text.starts_with("CANCEL "),
        "nobody is left ringing: {text}"
    );
}

#[test]
fn keys_that_are_described_too_late_are_not_offered() {
    let text = only_openly(|rig| {
        let id = dial(rig);
        fall_back(rig);
        rig.describe(id, KEYS);
    });
    assert_eq!(text, "");
}

/// What was described before the connection was lost comes too late, too.
#[test]
fn an_offer_with_keys_waits_for_the_next_connection_with_tls() {
    for described in [false, true] {
        let mut rig = beside_an_open_server(&json!(["sdes"]));
        let (_, id) = talk(&mut rig);
        if described {
            rig.command(json!({ "type": "hold", "id": id, "held": true }));
        }
        fall_back(&mut rig);
        if described {
            rig.describe(id, KEYS);
        }
        rig.seconds(15);
        assert_eq!(said(&mut rig), "");
        let reoffers = rig.media_named("reoffer").len();
        assert_eq!(reoffers, usize::from(described), "none is made in vain");
        move_to(&mut rig, 0);
        assert_eq!(rig.media_named("reoffer").len(), reoffers + 1);
        rig.describe(id, KEYS);
        assert!(said(&mut rig).contains("a=crypto"));
        assert_eq!(rig.count("sessionEnded"), 0);
    }
}

#[test]
fn a_hold_that_would_need_keys_fails_and_says_why() {
    let mut rig = beside_an_open_server(&json!(["sdes"]));
    let (_, id) = talk(&mut rig);
    fall_back(&mut rig);
    let ticket = rig.command(json!({ "type": "hold", "id": id, "held": true }));
    rig.seconds(11);
    let text = rig.error(ticket).to_string();
    assert!(text.contains("no connection with TLS"), "{text}");
    assert_eq!(rig.count("sessionEnded"), 0);
}

/// It was described while TLS was there, and early media were sent.
#[test]
fn an_answer_that_was_described_before_is_refused_over_a_connection_without_tls() {
    let mut rig = beside_an_open_server(&json!(["sdes"]));
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0 theirs\r\n")));
    rig.beyond_trying(180);
    let id = rig.id_of("pendingSession");
    let early = json!({ "type": "accept", "id": id, "options": { "autoConnectSession": false } });
    rig.command(early);
    rig.describe(id, KEYS);
    said(&mut rig);
    fall_back(&mut rig);
    rig.command(json!({ "type": "connect", "id": id }));
    let text = said(&mut rig);
    assert!(!text.contains("a=crypto"), "{text}");
    assert_eq!(rig.count("sessionEnded"), 1, "nobody takes it for answered");
}

/// Whoever wrote them: the gate looks at what leaves, not at where it comes from.
#[test]
fn nothing_with_keys_leaves_over_a_connection_without_tls() {
    only_openly(|rig| {
        let (_, id) = talk(rig);
        fall_back(rig);
        rig.command(info(id));
    });
}

fn info(id: SessionId) -> Value {
    json!({ "type": "sendInfo", "id": id, "contentType": "application/sdp", "body": KEYS })
}

fn local() -> SocketAddr {
    "192.0.2.9:5061".parse().unwrap()
}

/// A peer calls over that, beside a server that has TLS: what it is answered with, and what media were told.
fn called_over(
    transport: Transport,
    media: &Value,
    described: &str,
    ca: bool,
) -> (Vec<Value>, String) {
    let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n";
    let mut tls = json!({ "port": 5061, "cert": pem, "key": key });
    if ca {
        tls["ca"] = json!(pem);
    }
    let listen = json!({ "udp": 5060, "tcp": 5060, "tls": tls });
    let options = json!({ "media": media, "listen": listen, "peers": ["203.0.113.7"] });
    let mut rig = Rig::new(alice_with(options));
    rig.command(json!({ "type": "initialize" }));
    rig.listening(Ok(()));
    rig.up();
    rig.media_mode = Media::Manual;
    let peer: SocketAddr = PEER.parse().unwrap();
    let neighbour = match transport {
        Transport::Udp => Neighbour::Datagrams(peer),
        _ => Neighbour::Stream(1),
    };
    if transport != Transport::Udp {
        let up = NeighbourNews::Up {
            transport,
            local: local(),
            peer,
            opened_for: None,
        };
        rig.neighbour(neighbour, up);
    }
    let mut caller = Caller::new("c1");
    let message = |bytes: Bytes| NeighbourNews::Message {
        from: peer.ip(),
        local: local(),
        bytes,
    };
    rig.neighbour(
        neighbour,
        message(caller.invite(&[], Some("v=0 theirs\r\n"))),
    );
    let id = rig.id_of("pendingSession");
    rig.command(json!({ "type": "accept", "id": id }));
    rig.describe(id, described);
    let (keying, cipher) = (Keying::Sdes, None);
    rig.media_event(id, MediaEvent::Secured { keying, cipher });
    rig.neighbour(neighbour, message(caller.ack(None)));
    rig.command(info(id));
    let mut told: Vec<Value> = rig
        .media_named("protect")
        .iter()
        .map(|command| media_json(command)["media"].clone())
        .collect();
    told.extend(
        rig.changes("security")
            .iter()
            .map(|security| security["signalling"].clone()),
    );
    let said = rig.neighbours.drain(..);
    let said = said.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned());
    (told, said.collect())
}

/// That the phone's server has TLS protects nothing of what is said to a peer.
#[test]
fn whoever_has_come_without_a_server_is_shown_keys_over_its_own_tls_alone() {
    let media = json!(["sdes", "dtls"]);
    let (told, said) = called_over(Transport::Tls, &media, KEYS, true);
    assert_eq!(told, [json!(["sdes", "dtls"]), json!("tls")]);
    assert!(said.contains("a=crypto"), "{said}");
    // Without an authority somebody else may come by TLS from its address.
    for (transport, ca) in [
        (Transport::Tls, false),
        (Transport::Tcp, true),
        (Transport::Udp, true),
    ] {
        let (told, said) = called_over(transport, &media, KEYS, ca);
        assert!(!told.contains(&json!(["sdes", "dtls"])), "{told:?}");
        assert!(
            said.contains("SIP/2.0 500 ") && !said.contains("a=crypto"),
            "{said}"
        );
        let (_, said) = called_over(transport, &media, "v=0 without\r\n", ca);
        assert!(
            said.contains("SIP/2.0 200 ") && !said.contains("INFO "),
            "{said}"
        );
        let (told, said) = called_over(transport, &json!(["sdes-unprotected"]), KEYS, ca);
        assert_eq!(told.len(), 2, "what goes over that is shown: {told:?}");
        assert!(
            said.contains("a=crypto") && said.contains("INFO "),
            "{said}"
        );
    }
}

#[test]
fn a_phone_with_dtls_alone_says_no_keys_to_anybody() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let (told, said) = called_over(transport, &json!(["dtls"]), "v=0 ours\r\n", true);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(said.contains("SIP/2.0 200 "), "{said}");
        let (_, said) = called_over(transport, &json!(["dtls"]), KEYS, true);
        assert!(!said.contains("a=crypto"), "{said}");
    }
}
