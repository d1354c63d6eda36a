//! Who opens the microphone, by which message, under which policy: the rows of SECURITY.md.

use phone::{MediaCommand, SessionId, StreamCommand};
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Rig, alice_with, answer};

/// The columns: every policy.
const POLICIES: [&str; 5] = ["off", "announced", "headers", "always", "function"];
const STRANGER: &str = "<sip:stranger@elsewhere.example>";
const PLAIN: [&str; 5] = ["rings", "rings", "rings", "answers", "asks"];
const WITH_HEADER: [&str; 5] = ["rings", "rings", "answers", "answers", "asks"];
const KNOWN: [&str; 5] = ["rings", "answers", "answers", "answers", "asks"];

fn phone(policy: &str) -> Rig {
    Rig::registered(alice_with(json!({
        "autoAnswer": { "policy": policy, "trustedPeers": ["sip:boss@example.com"] },
    })))
}

/// What becomes of a call, which the application leaves alone.
fn outcome(rig: &mut Rig) -> &'static str {
    rig.seconds(1);
    match (
        rig.count("autoAnswerQuery"),
        rig.count("sessionStarted"),
        rig.count("pendingSession"),
    ) {
        (1, 0, 0) => "asks",
        (0, 1, 1) => "answers",
        (0, 0, 1) => "rings",
        (0, 0, 0) => "refuses",
        other => panic!("{other:?}"),
    }
}

/// What becomes of a call with these headers under each policy.
fn called(from: &str, uri: &str, headers: &[(&str, &str)]) -> [&'static str; 5] {
    POLICIES.map(|policy| {
        let mut rig = phone(policy);
        let mut caller = Caller::new("c1").from(from);
        caller.uri = uri.into();
        rig.receive(caller.invite(headers, Some("v=0\r\n")));
        outcome(&mut rig)
    })
}

const PHONE: &str = "sip:alice@phone.invalid;transport=ws";

#[test]
fn a_call_without_any_wish() {
    assert_eq!(called(STRANGER, PHONE, &[]), PLAIN);
}

#[test]
fn a_call_whose_headers_ask_for_an_answer() {
    for header in [
        ("Call-Info", "<sip:pbx>;answer-after=0"),
        ("Alert-Info", "<http://x>;info=alert-autoanswer;delay=0"),
        ("Alert-Info", "Intercom"),
        ("Answer-Mode", "Auto"),
        ("Priv-Answer-Mode", "Auto"),
        ("X-AUTOANSWER", "TRUE"),
        ("P-Auto-Answer", "normal"),
    ] {
        assert_eq!(
            called(STRANGER, PHONE, &[header]),
            WITH_HEADER,
            "{header:?}"
        );
    }
    let intercom = format!("{PHONE};intercom=true");
    assert_eq!(called(STRANGER, &intercom, &[]), WITH_HEADER);
}

#[test]
fn a_call_that_requires_an_answer() {
    let required = [("Answer-Mode", "Auto;require")];
    let expected = ["refuses", "refuses", "answers", "answers", "asks"];
    assert_eq!(called(STRANGER, PHONE, &required), expected);
}

#[test]
fn a_call_of_a_trusted_peer() {
    let asserted = [("P-Asserted-Identity", "\"Boss\" <sip:boss@example.com>")];
    assert_eq!(called("<sip:boss@example.com>", PHONE, &[]), KNOWN);
    assert_eq!(called(STRANGER, PHONE, &asserted), KNOWN);
}

#[test]
fn a_call_that_only_says_it_is_of_a_trusted_peer() {
    for (from, headers) in [
        (
            "<sip:boss@example.com>",
            &[("P-Asserted-Identity", "<sip:stranger@elsewhere.example>")][..],
        ),
        (
            "<sip:boss@example.com>",
            &[("P-Asserted-Identity", "unreadable")],
        ),
        (
            STRANGER,
            &[(
                "P-Asserted-Identity",
                "<sip:boss@example.com>, <sip:x@y.example>",
            )],
        ),
        (STRANGER, &[("Remote-Party-ID", "<sip:boss@example.com>")]),
        (
            STRANGER,
            &[("P-Preferred-Identity", "<sip:boss@example.com>")],
        ),
        (STRANGER, &[("Referred-By", "<sip:boss@example.com>")]),
        (STRANGER, &[("Diversion", "<sip:boss@example.com>")]),
        ("\"boss@example.com\" <sip:stranger@elsewhere.example>", &[]),
        ("<sip:boss@example.com.elsewhere.example>", &[]),
        ("<sip:BOSS@example.com>", &[]),
    ] {
        assert_eq!(called(from, PHONE, headers), PLAIN, "{from} {headers:?}");
    }
}

#[test]
fn a_call_that_the_application_announced() {
    let outcomes = POLICIES.map(|policy| {
        let mut rig = phone(policy);
        rig.done(json!({ "type": "expectCall", "conversationId": "conv-1" }));
        let mut caller = Caller::new("c1").from(STRANGER);
        rig.receive(caller.invite(&[("X-Conversation-Id", "conv-1")], Some("v=0\r\n")));
        outcome(&mut rig)
    });
    assert_eq!(outcomes, KNOWN);
}

/// A call that Alice took by hand, after which her phone is as it was before.
fn talking(policy: &str) -> (Rig, Caller, SessionId) {
    let mut rig = phone(policy);
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[("Allow", "INVITE, UPDATE")], Some("v=0\r\n")));
    if rig.count("autoAnswerQuery") == 1 {
        let id = rig.id_of("autoAnswerQuery");
        rig.done(json!({ "type": "autoAnswerDecision", "id": id, "answer": false }));
    }
    let id = rig.id_of("pendingSession");
    if rig.count("sessionStarted") == 0 {
        rig.done(json!({ "type": "accept", "id": id }));
    }
    bob.learn(&rig.beyond_trying(180));
    rig.response(200);
    rig.receive(bob.ack(None));
    forget(&mut rig);
    (rig, bob, id)
}

fn forget(rig: &mut Rig) {
    rig.events.clear();
    rig.media.clear();
    rig.outbox.clear();
}

fn agree(rig: &mut Rig) {
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0 agreed\r\n")));
    rig.request(&Method::Ack);
}

fn notify(rig: &mut Rig, bob: &mut Caller, package: &str) -> u16 {
    let headers = [("Event", package), ("Subscription-State", "active")];
    rig.receive(bob.request("NOTIFY", &headers, None));
    let sip::message::Message::Response(response) = rig.sent() else {
        panic!("an answer to the NOTIFY was expected");
    };
    response.status().code()
}

#[test]
fn a_call_that_takes_the_place_of_another_whoever_asks() {
    let outcomes = POLICIES.map(|policy| {
        let (mut rig, bob, _) = talking(policy);
        let mut other = Caller::new("c2").from(STRANGER);
        rig.receive(bob.replaced_by(&mut other, "", &[]));
        outcome(&mut rig)
    });
    assert_eq!(outcomes, PLAIN);
}

#[test]
fn a_call_that_takes_the_place_of_one_it_belongs_to() {
    for (from, headers) in [
        (STRANGER, &[("Referred-By", "<sip:bob@example.com>")][..]),
        ("<sip:bob@example.com>", &[]),
    ] {
        let outcomes = POLICIES.map(|policy| {
            let (mut rig, bob, _) = talking(policy);
            let mut other = Caller::new("c2").from(from);
            rig.receive(bob.replaced_by(&mut other, "", headers));
            outcome(&mut rig)
        });
        assert_eq!(outcomes, ["answers"; 5]);
    }
}

#[test]
fn a_notify_to_talk_while_it_rings() {
    let outcomes = ["off", "announced", "headers"].map(|policy| {
        let mut rig = phone(policy);
        let mut bob = Caller::new("c1");
        rig.receive(bob.invite(&[], Some("v=0\r\n")));
        bob.learn(&rig.beyond_trying(180));
        notify(&mut rig, &mut bob, "talk");
        outcome(&mut rig)
    });
    assert_eq!(outcomes, ["rings", "rings", "answers"]);
    // Under the others it answered, or its application's function was asked.
    let mut rig = phone("function");
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0\r\n")));
    let id = rig.id_of("autoAnswerQuery");
    rig.done(json!({ "type": "autoAnswerDecision", "id": id, "answer": false }));
    bob.learn(&rig.beyond_trying(180));
    assert_eq!(notify(&mut rig, &mut bob, "talk"), 403);
    assert_eq!(rig.count("sessionStarted"), 0);
}

#[test]
fn a_notify_to_talk_in_a_call_that_the_user_put_on_hold() {
    for policy in POLICIES {
        let (mut rig, mut bob, id) = talking(policy);
        rig.command(json!({ "type": "hold", "id": id, "held": true }));
        agree(&mut rig);
        forget(&mut rig);
        assert_eq!(notify(&mut rig, &mut bob, "talk"), 403, "{policy}");
        rig.seconds(5);
        assert!(rig.is_silent() && rig.media_named("resume").is_empty());
        // Nor does it help to ask for a hold first.
        notify(&mut rig, &mut bob, "hold");
        assert_eq!(notify(&mut rig, &mut bob, "talk"), 403, "{policy}");
        assert!(rig.is_silent() && rig.media_named("resume").is_empty());
    }
}

#[test]
fn a_notify_to_talk_in_a_call_that_a_notify_put_on_hold() {
    for (policy, code) in POLICIES.into_iter().zip([403, 403, 200, 200, 403]) {
        let (mut rig, mut bob, _) = talking(policy);
        assert_eq!(notify(&mut rig, &mut bob, "hold"), code, "{policy}");
        if code == 403 {
            assert!(rig.is_silent(), "{policy}");
            continue;
        }
        agree(&mut rig);
        assert_eq!(notify(&mut rig, &mut bob, "talk"), 200);
        agree(&mut rig);
        assert_eq!(rig.changes("held"), [true, false]);
    }
}

#[test]
fn a_notify_to_talk_in_a_call_that_is_muted() {
    for policy in POLICIES {
        let (mut rig, mut bob, id) = talking(policy);
        rig.done(json!({ "type": "mute", "id": id, "muted": true }));
        forget(&mut rig);
        notify(&mut rig, &mut bob, "hold");
        if !rig.is_silent() {
            agree(&mut rig);
        }
        notify(&mut rig, &mut bob, "talk");
        let unmuted = MediaCommand::Stream(StreamCommand::Mute { muted: false });
        assert!(!rig.media.iter().any(|(_, command)| *command == unmuted));
        assert_eq!(rig.changes("muted"), [Value::Null; 0]);
    }
}

#[test]
fn an_offer_of_the_other_side_in_a_call_that_is_closed() {
    for policy in POLICIES {
        for close in ["hold", "mute"] {
            for method in ["INVITE", "UPDATE"] {
                let (mut rig, mut bob, id) = talking(policy);
                match close {
                    "hold" => {
                        rig.command(json!({ "type": "hold", "id": id, "held": true }));
                        agree(&mut rig);
                    }
                    _ => rig.done(json!({ "type": "mute", "id": id, "muted": true })),
                }
                forget(&mut rig);
                let offer = "v=0\r\na=sendrecv\r\n";
                rig.receive(bob.request(method, &[], Some(offer)));
                rig.beyond_trying(200);
                let orders: Vec<_> = rig.media.iter().map(|(_, command)| command).collect();
                // Whether its answer says so is media's: it knows that we hold.
                assert!(
                    matches!(
                        orders[..],
                        [MediaCommand::Stream(StreamCommand::AnswerReoffer { .. })]
                    ),
                    "{policy} {close} {method}: {orders:?}"
                );
                assert_eq!(rig.changes("held"), [Value::Null; 0]);
                assert_eq!(rig.changes("muted"), [Value::Null; 0]);
            }
        }
    }
}
