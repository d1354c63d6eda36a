use pbx::{Command, CommandError, Config, MediaFault, Originate, RelayOrder, Reply};
use sip::endpoint::{Event as SipEvent, Invite};

use crate::town::{Town, users};

const OFFER: &str = "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 5000 UDP/TLS/RTP/SAVPF 0\r\n\
                     a=candidate:1 1 UDP 1 10.0.0.1 5000 typ host\r\n";
const ANSWER: &str = "v=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 6000 UDP/TLS/RTP/SAVPF 0\r\n\
                      a=candidate:1 1 UDP 1 10.0.0.2 6000 typ host\r\n";

fn town(media_relay: bool) -> Town {
    let mut town = Town::with(Config {
        users: users(&["alice", "bob"]),
        media_relay,
        seed: Some(1),
        ..Config::default()
    });
    town.settle();
    town.register("desk", "alice");
    town.register("lap", "bob");
    town
}

/// Alice calls Bob, who answers; returns the offer and the answer as each sees the other's.
fn call(town: &mut Town) -> (String, String) {
    let now = town.now;
    let bob = "sip:bob@pbx.test".parse().unwrap();
    let desk = &mut town.client("desk").endpoint;
    desk.invite(Invite::offer(bob, OFFER), now).unwrap();
    town.settle();
    let (lap, offer) = town.expect("lap", "call", |event| match event {
        SipEvent::Incoming { usage, request } => Some((*usage, text(request.body()))),
        _ => None,
    });
    town.respond("lap", lap, 200, ANSWER);
    let answer = town.expect("desk", "answer", |event| match event {
        SipEvent::Answered { response, .. } => Some(text(response.body())),
        _ => None,
    });
    (offer, answer)
}

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).unwrap()
}

/// The port of the one candidate, which is also the default one.
fn port(sdp: &str) -> u16 {
    let port = sdp.split_once("m=audio ").unwrap().1;
    let port = port.split_once(' ').unwrap().0;
    assert!(sdp.contains("c=IN IP4 127.0.0.1\r\n"), "{sdp}");
    assert!(
        sdp.contains(&format!(" 127.0.0.1 {port} typ host\r\n")),
        "{sdp}"
    );
    port.parse().unwrap()
}

#[test]
fn without_the_relay_descriptions_pass_as_they_are() {
    let mut town = town(false);
    assert_eq!(call(&mut town), (OFFER.to_owned(), ANSWER.to_owned()));
    town.command(1, Command::AddMediaFault(MediaFault::default()));
    let replies = std::mem::take(&mut town.replies);
    assert!(matches!(replies[..], [(_, Err(CommandError::NoRelay))]));
}

#[test]
fn with_the_relay_each_party_is_reached_through_it() {
    let mut town = town(true);
    let (offer, answer) = call(&mut town);
    assert_ne!(port(&offer), port(&answer));
    let toward_alice = pbx::PortId(u64::from(port(&offer)) - 40_000);
    let bob = "10.0.0.2:6000".parse().unwrap();
    let now = town.now;
    town.pbx
        .handle_datagram(toward_alice, bob, "hello".into(), now);
    town.settle();
    let sent = RelayOrder::Send {
        port: pbx::PortId(u64::from(port(&answer)) - 40_000),
        to: "10.0.0.1:5000".parse().unwrap(),
        bytes: "hello".into(),
    };
    assert!(town.relayed.contains(&sent), "{:?}", town.relayed);
}

#[test]
fn the_end_of_a_call_closes_its_ports() {
    let mut town = town(true);
    call(&mut town);
    let closed = |town: &Town| {
        let close = |order: &&RelayOrder| matches!(order, RelayOrder::Close(_));
        town.relayed.iter().filter(close).count()
    };
    assert_eq!(closed(&town), 0);
    let now = town.now;
    let acked = town.expect("lap", "ACK", |event| match event {
        SipEvent::Acked { usage, .. } => Some(*usage),
        _ => None,
    });
    let lap = &mut town.client("lap").endpoint;
    lap.request(acked, sip::message::Method::Bye, &[], None, now)
        .unwrap();
    town.settle();
    assert_eq!(closed(&town), 2);
}

#[test]
fn click_to_call_goes_through_the_relay_once() {
    let mut town = town(true);
    town.command(
        1,
        Command::Originate(Originate {
            to: "alice".into(),
            with: "bob".into(),
            headers: Vec::new(),
            answer_after: None,
            conversation_id: None,
            display_name: None,
        }),
    );
    let desk = town.expect_incoming("desk");
    town.respond("desk", desk, 200, OFFER);
    let (lap, offer) = town.expect("lap", "call", |event| match event {
        SipEvent::Incoming { usage, request } => Some((*usage, text(request.body()))),
        _ => None,
    });
    town.respond("lap", lap, 200, ANSWER);
    let answer = town.expect("desk", "ACK", |event| match event {
        SipEvent::Acked { ack, .. } => Some(text(ack.body())),
        _ => None,
    });
    assert_ne!(port(&offer), port(&answer));
    assert!(matches!(&town.replies[..], [(_, Ok(Reply::Call { .. }))]));
}
