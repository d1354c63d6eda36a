use std::time::Duration;

use pbx::{Command, Config, Event, Extension, Line, Originate, Reply};
use phone::Ticket;
use sip::endpoint::{Event as SipEvent, Reply as SipReply, UsageId};

use crate::town::{Town, users};

const OFFER: &str = "v=0\r\ns=offer\r\n";
const EARLY: &str = "v=0\r\ns=early\r\n";
const FINAL: &str = "v=0\r\ns=final\r\n";

fn originate(with: &str) -> Command {
    Command::Originate(Originate {
        to: "alice".into(),
        with: with.into(),
        headers: Vec::new(),
        answer_after: None,
        conversation_id: None,
        display_name: None,
    })
}

/// Alice has answered a click-to-call, and Bob's device rings.
fn ringing(devices: &[&'static str]) -> (Town, UsageId) {
    let mut town = Town::new();
    town.register("desk", "alice");
    for device in devices {
        town.register(device, "bob");
    }
    town.command(1, originate("bob"));
    let desk = town.expect_incoming("desk");
    town.respond("desk", desk, 200, OFFER);
    (town, desk)
}

fn acked(town: &mut Town) -> Vec<u8> {
    town.expect("desk", "ACK", |event| match event {
        SipEvent::Acked { ack, .. } => Some(ack.body().to_vec()),
        _ => None,
    })
}

#[test]
fn the_first_party_hears_the_second_one_ring() {
    let (mut town, _) = ringing(&["lap"]);
    let lap = town.expect_incoming("lap");
    town.respond("lap", lap, 183, EARLY);
    assert_eq!(acked(&mut town), EARLY.as_bytes());
    assert!(town.replies.is_empty(), "nobody has answered yet");
    let rings = |event: &Event| matches!(event, Event::Ringing(call) if call.to == "bob");
    assert_eq!(town.events.iter().filter(|event| rings(event)).count(), 1);

    town.respond("lap", lap, 200, EARLY);
    assert!(matches!(
        &town.replies[..],
        [(Ticket(1), Ok(Reply::Call { .. }))]
    ));
    let again = |event: &SipEvent| matches!(event, SipEvent::Request { .. });
    assert!(!town.client("desk").events.iter().any(again));
}

#[test]
fn when_another_device_answers_than_was_heard_the_parties_agree_anew() {
    let (mut town, _) = ringing(&["lap", "pocket"]);
    let lap = town.expect_incoming("lap");
    let pocket = town.expect_incoming("pocket");
    town.respond("lap", lap, 183, EARLY);
    assert_eq!(acked(&mut town), EARLY.as_bytes());
    town.respond("pocket", pocket, 200, FINAL);

    let asked = town.expect("desk", "re-INVITE", |event| match event {
        SipEvent::Request { id, request, .. } if request.body().is_empty() => Some(*id),
        _ => None,
    });
    let now = town.now;
    let offer = SipReply::new(200).sdp("v=0\r\ns=second offer\r\n");
    let desk = &mut town.client("desk").endpoint;
    desk.answer(asked, &offer, now).unwrap();
    town.settle();
    let (asked, seen) = town.expect("pocket", "re-INVITE", |event| match event {
        SipEvent::Request { id, request, .. } => Some((*id, request.body().clone())),
        _ => None,
    });
    assert_eq!(&seen[..], b"v=0\r\ns=second offer\r\n");
    assert!(town.replies.is_empty());
    let answer = SipReply::new(200).sdp("v=0\r\ns=second answer\r\n");
    let pocket = &mut town.client("pocket").endpoint;
    pocket.answer(asked, &answer, now).unwrap();
    town.settle();
    assert_eq!(acked(&mut town), b"v=0\r\ns=second answer\r\n");
    assert!(matches!(&town.replies[..], [(_, Ok(Reply::Call { .. }))]));
}

#[test]
fn a_refusal_after_early_media_ends_the_first_party() {
    let (mut town, _) = ringing(&["lap"]);
    let lap = town.expect_incoming("lap");
    town.respond("lap", lap, 183, EARLY);
    let now = town.now;
    let endpoint = &mut town.client("lap").endpoint;
    endpoint.respond(lap, &SipReply::new(486), now).unwrap();
    town.settle();
    town.expect("desk", "BYE", |event| match event {
        SipEvent::Ended { .. } => Some(()),
        _ => None,
    });
    assert!(matches!(&town.replies[..], [(_, Err(_))]));
}

#[test]
fn every_device_of_the_first_party_rings_and_one_answers() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("home", "alice");
    town.register("lap", "bob");
    town.command(1, originate("bob"));
    town.expect_incoming("desk");
    let home = town.expect_incoming("home");
    town.respond("home", home, 200, OFFER);
    town.expect("desk", "CANCEL", |event| match event {
        SipEvent::Cancelled { .. } => Some(()),
        _ => None,
    });
    let lap = town.expect_incoming("lap");
    town.respond("lap", lap, 200, FINAL);
    assert!(matches!(&town.replies[..], [(_, Ok(Reply::Call { .. }))]));
}

#[test]
fn an_extension_is_heard_while_it_rings_and_answers_in_its_time() {
    let mut town = Town::with(Config {
        users: users(&["alice"]),
        extensions: [(
            "welcome".to_owned(),
            Line {
                extension: Extension::Tone { frequency: 600.0 },
                answer_after: Duration::from_secs(3),
                early_media: true,
            },
        )]
        .into(),
        ..Config::default()
    });
    town.register("desk", "alice");
    town.invite("desk", "sip:welcome@pbx.test");
    town.expect("desk", "early media", |event| match event {
        SipEvent::Provisional { response, .. } => {
            (response.status().code() == 183 && !response.body().is_empty()).then_some(())
        }
        _ => None,
    });
    let answered = |event: &SipEvent| matches!(event, SipEvent::Answered { .. });
    town.pass(Duration::from_millis(2900));
    assert!(!town.client("desk").events.iter().any(answered));
    town.pass(Duration::from_millis(200));
    assert!(town.client("desk").events.iter().any(answered));
}

#[test]
fn a_call_given_up_while_an_extension_rings_is_not_answered() {
    let mut town = Town::with(Config {
        users: users(&["alice"]),
        extensions: [(
            "slow".to_owned(),
            Line {
                extension: Extension::Echo,
                answer_after: Duration::from_secs(3),
                early_media: false,
            },
        )]
        .into(),
        ..Config::default()
    });
    town.register("desk", "alice");
    let call = town.invite("desk", "sip:slow@pbx.test");
    let now = town.now;
    let desk = &mut town.client("desk").endpoint;
    desk.cancel(call, None, now).unwrap();
    town.settle();
    assert_eq!(town.expect_failure("desk"), 487);
    town.pass(Duration::from_secs(10));
}
