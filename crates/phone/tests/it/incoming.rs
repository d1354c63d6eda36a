use std::time::Duration;

use phone::media::MediaRefusal;
use phone::{MediaCommand, MediaEvent, StreamCommand};
use serde_json::json;
use sip::message::Method;

use crate::harness::{Caller, Media, Rig, alice, alice_with, answer, header, media_json};

/// A phone at which a call rings.
fn ringing(options: serde_json::Value) -> (Rig, Caller) {
    let mut rig = Rig::registered(options);
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0 theirs\r\n")));
    let response = rig.beyond_trying(180);
    caller.learn(&response);
    (rig, caller)
}

/// A phone in a call that it has answered.
fn answered(options: serde_json::Value) -> (Rig, Caller) {
    let (mut rig, caller) = ringing(options);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(caller.ack(None));
    (rig, caller)
}

#[test]
fn an_invite_rings_and_is_announced_with_all_that_it_says() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(
        &[("x-inin-cnv", "conv-1"), ("X-Custom", "a, b")],
        Some("v=0\r\n"),
    ));

    rig.beyond_trying(180);
    let pending = rig.last("pendingSession");
    assert_eq!(pending["address"], "bob");
    assert_eq!(pending["uri"], "sip:bob@example.com");
    assert_eq!(pending["displayName"], "Bob");
    assert_eq!(pending["conversationId"], "conv-1");
    assert_eq!(pending["autoAnswer"], false);
    assert_eq!(pending["callId"], "c1");
    let headers = pending["headers"].as_array().unwrap();
    assert!(
        headers.contains(&json!(["X-Custom", "a, b"])),
        "{headers:?}"
    );
}

#[test]
fn the_call_id_is_the_last_resort_for_a_conversation_id() {
    let (rig, _) = ringing(alice());
    assert_eq!(rig.last("pendingSession")["conversationId"], "c1");
}

#[test]
fn session_started_comes_before_the_200() {
    let (mut rig, caller) = ringing(alice());
    let id = rig.id_of("pendingSession");
    let ticket = rig.command(json!({ "type": "accept", "id": id }));

    let ok = rig.response(200);
    assert_eq!(&ok.body()[..], b"v=0 ours 1\r\n");
    assert!(rig.place("sessionStarted") < rig.place("200 to INVITE"));
    assert!(rig.place("sessionStarted") < rig.place(&format!("reply {}", ticket.0)));
    let session = rig.last("sessionStarted")["session"].clone();
    assert_eq!(session["id"], id.to_string());
    assert_eq!(session["direction"], "incoming");
    assert_eq!(session["state"], "pending");
    assert_eq!(rig.changes("state"), ["active"]);
    assert_eq!(rig.changes("active"), [true]);
    assert_eq!(rig.changes("connectionState"), ["connecting", "connected"]);
    rig.receive(caller.ack(None));
    assert!(rig.is_silent());
}

#[test]
fn the_200_waits_for_the_listeners_of_session_started() {
    let (mut rig, _) = ringing(alice());
    rig.listens = false;
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.advance(Duration::from_millis(900));
    assert!(rig.is_silent());
    rig.done(json!({ "type": "delivered", "id": id }));
    rig.response(200);
}

#[test]
fn the_200_waits_one_second_at_most_for_a_blocked_application() {
    let (mut rig, _) = ringing(alice());
    rig.listens = false;
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.advance(Duration::from_millis(999));
    assert!(rig.is_silent());
    rig.advance(Duration::from_millis(1));
    rig.response(200);
}

#[test]
fn the_acknowledgement_of_pending_session_does_not_stand_for_session_started() {
    let mut rig = Rig::registered(alice());
    rig.listens = false;
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    rig.beyond_trying(180);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.done(json!({ "type": "delivered", "id": id }));
    assert!(
        rig.is_silent(),
        "the listeners of sessionStarted have not run"
    );
    rig.done(json!({ "type": "delivered", "id": id }));
    rig.response(200);
}

#[test]
fn the_200_waits_for_medias_description() {
    let (mut rig, _) = ringing(alice());
    rig.media_mode = Media::Manual;
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    assert!(rig.is_silent());
    rig.describe(id, "v=0 ours\r\n");
    let ok = rig.response(200);
    assert_eq!(&ok.body()[..], b"v=0 ours\r\n");
}

#[test]
fn with_auto_connect_off_nothing_is_sent_until_connect() {
    let (mut rig, _) = ringing(alice_with(json!({ "autoConnectSessions": false })));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.seconds(5);
    assert_eq!(rig.count("sessionStarted"), 1);
    assert!(rig.is_silent());
    assert!(rig.media_named("answer").is_empty());
    rig.done(json!({ "type": "connect", "id": id }));
    rig.response(200);
    rig.done(json!({ "type": "connect", "id": id }));
    assert!(rig.is_silent());
}

#[test]
fn a_session_that_is_accepted_but_not_connected_can_be_rejected() {
    let (mut rig, _) = ringing(alice_with(json!({ "autoConnectSessions": false })));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.done(json!({ "type": "reject", "id": id, "code": 603 }));
    rig.response(603);
    assert_eq!(rig.count("terminated"), 1);
    assert_eq!(rig.count("sessionEnded"), 1);
}

/// What an accept opens, and whether it connects.
fn accepted_with(options: serde_json::Value) -> (serde_json::Value, bool) {
    let (mut rig, _) = ringing(alice_with(json!({ "audio": {} })));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id, "options": options }));
    let start = media_json(rig.media_named("start")[0]);
    let connects = !rig.is_silent();
    (
        json!([start["input"]["type"], start["output"]["type"]]),
        connects,
    )
}

#[test]
fn the_four_examples_of_the_purecloud_document_work() {
    assert_eq!(
        accepted_with(json!({})),
        (json!(["default", "default"]), true)
    );
    assert_eq!(
        accepted_with(json!({ "autoStartMedia": false, "autoConnectSession": false })),
        (json!(["none", "none"]), false)
    );
    assert_eq!(
        accepted_with(
            json!({ "input": { "type": "source", "id": 7 }, "autoConnectSession": true })
        ),
        (json!(["source", "default"]), true)
    );
    assert_eq!(
        accepted_with(json!({ "autoStartMedia": true })),
        (json!(["default", "default"]), false)
    );
}

#[test]
fn accepting_twice_changes_nothing() {
    let (mut rig, caller) = answered(alice());
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    assert_eq!(rig.count("sessionStarted"), 1);
    assert!(rig.is_silent());
    drop(caller);
}

#[test]
fn accepting_after_the_end_after_a_cancel_or_out_of_nothing_says_which() {
    let (mut rig, mut caller) = answered(alice());
    let id = rig.id_of("pendingSession");
    rig.receive(caller.bye(&[]));
    assert_eq!(
        rig.refused(json!({ "type": "accept", "id": id })),
        "ERR_SESSION_ENDED"
    );

    let (mut rig, caller) = ringing(alice());
    let id = rig.id_of("pendingSession");
    rig.receive(caller.cancel(&[]));
    assert_eq!(
        rig.refused(json!({ "type": "accept", "id": id })),
        "ERR_SESSION_CANCELLED"
    );

    let unknown = "01234567-89ab-4def-8123-456789abcdef";
    assert_eq!(
        rig.refused(json!({ "type": "accept", "id": unknown })),
        "ERR_SESSION_NOT_FOUND"
    );
}

#[test]
fn a_cancel_takes_the_pending_session_away() {
    let (mut rig, caller) = ringing(alice());
    rig.receive(caller.cancel(&[]));
    rig.response(200);
    rig.response(487);
    assert_eq!(rig.count("cancelPendingSession"), 1);
    assert_eq!(rig.count("handledPendingSession"), 0);
    let details = rig.last("cancelPendingSession")["details"].clone();
    assert_eq!(details["side"], "remote");
    assert_eq!(details["reason"]["condition"], "cancel");
    rig.seconds(120);
    assert_eq!(rig.count("cancelPendingSession"), 1);
}

#[test]
fn a_cancel_that_says_why_was_handled_elsewhere() {
    for (reason, condition, elsewhere) in [
        (
            "SIP;cause=200;text=\"Call completed elsewhere\"",
            "alternative-session",
            "answered",
        ),
        ("Q.850;cause=26", "alternative-session", "answered"),
        (
            "Q.850;cause=16, SIP;cause=200",
            "alternative-session",
            "answered",
        ),
        ("SIP;cause=600;text=\"Busy Everywhere\"", "busy", "declined"),
        ("SIP;cause=486", "busy", "declined"),
        ("SIP;cause=603", "decline", "declined"),
        ("SIP;cause=480;text=\"DND\"", "decline", "declined"),
    ] {
        let (mut rig, caller) = ringing(alice());
        rig.receive(caller.cancel(&[("Reason", reason)]));
        assert_eq!(rig.count("handledPendingSession"), 1, "{reason}");
        assert_eq!(rig.count("cancelPendingSession"), 0, "{reason}");
        let details = rig.last("handledPendingSession")["details"].clone();
        assert_eq!(details["reason"]["condition"], condition, "{reason}");
        assert_eq!(details["elsewhere"], elsewhere, "{reason}");
    }
}

#[test]
fn a_cancel_between_accept_and_200_ends_the_started_session_once() {
    let (mut rig, caller) = ringing(alice());
    rig.media_mode = Media::Manual;
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.receive(caller.cancel(&[]));
    rig.describe(id, "v=0 too late\r\n");

    rig.response(200);
    rig.response(487);
    assert!(rig.is_silent(), "no 200 to the INVITE follows");
    rig.assert_ended_once("cancel", "remote");
    assert_eq!(rig.count("cancelPendingSession"), 0);
    assert_eq!(rig.media.last().unwrap().1, MediaCommand::Close);
}

#[test]
fn a_cancel_that_crosses_our_200_leaves_one_outcome() {
    let (mut rig, mut caller) = ringing(alice());
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    let cancel = caller.cancel(&[]);
    let _ok = rig.response(200);
    rig.receive(cancel);
    assert_eq!(rig.count("terminated"), 0, "the CANCEL came too late");
    rig.receive(caller.ack(None));
    rig.receive(caller.bye(&[]));
    rig.assert_ended_once("success", "remote");
    assert_eq!(rig.count("cancelPendingSession"), 0);
}

#[test]
fn a_rejected_call_gets_486_or_what_the_application_says() {
    for (more, expected, condition) in [
        (json!({}), 486, "busy"),
        (
            json!({ "code": 603, "reason": "Not today" }),
            603,
            "decline",
        ),
        (json!({ "code": 480 }), 480, "decline"),
    ] {
        let (mut rig, _) = ringing(alice());
        let id = rig.id_of("pendingSession");
        let mut command = json!({ "type": "reject", "id": id });
        for (name, value) in more.as_object().unwrap() {
            command[name] = value.clone();
        }
        rig.done(command);
        let response = rig.response(expected);
        if expected == 603 {
            assert_eq!(response.reason(), "Not today");
        }
        let details = rig.last("cancelPendingSession")["details"].clone();
        assert_eq!(details["side"], "local");
        assert_eq!(details["reason"]["condition"], condition);
        assert_eq!(
            rig.refused(json!({ "type": "reject", "id": id })),
            "ERR_SESSION_CANCELLED"
        );
    }
}

#[test]
fn a_rejection_can_carry_no_header_of_its_own() {
    let (mut rig, _) = ringing(alice());
    let id = rig.id_of("pendingSession");
    for more in [
        json!({ "type": "reject", "id": id, "reason": "no\r\nX-Evil: 1" }),
        json!({ "type": "reject", "id": id, "code": 200 }),
        json!({ "type": "accept", "id": id, "options": { "headers": [["X-A", "b\r\nX-Evil: 1"]] } }),
        json!({ "type": "accept", "id": id, "options": { "headers": [["X A", "b"]] } }),
        json!({ "type": "accept", "id": id, "options": { "headers": [["CSeq", "1 BYE"]] } }),
    ] {
        assert_eq!(rig.refused(more), "ERR_INVALID_ARGUMENT");
    }
    assert!(rig.is_silent());
}

#[test]
fn a_call_that_nobody_answers_stops_ringing() {
    let (mut rig, _) = ringing(alice_with(json!({ "noAnswerTimeout": 30_000 })));
    rig.seconds(29);
    assert_eq!(rig.count("cancelPendingSession"), 0);
    rig.seconds(1);
    rig.response(480);
    let details = rig.last("cancelPendingSession")["details"].clone();
    assert_eq!(details["side"], "local");
    assert_eq!(details["reason"]["condition"], "timeout");
}

#[test]
fn a_bye_ends_the_session_with_its_cause() {
    let (mut rig, mut caller) = answered(alice());
    rig.receive(caller.bye(&[("Reason", "Q.850;cause=16;text=\"Normal call clearing\"")]));
    rig.response(200);
    rig.assert_ended_once("success", "remote");
    assert_eq!(rig.last("terminated")["reason"]["q850"], 16);
    assert_eq!(rig.changes("state"), ["active", "ended"]);
    assert_eq!(rig.changes("active"), [true, false]);
    assert_eq!(rig.media.last().unwrap().1, MediaCommand::Close);
}

#[test]
fn end_session_sends_bye_and_settles_after_its_events() {
    let (mut rig, _) = answered(alice());
    let id = rig.id_of("sessionStarted");
    rig.order.clear();
    let ticket = rig.command(json!({ "type": "end", "id": id }));
    rig.request(&sip::message::Method::Bye);
    rig.assert_ended_once("success", "local");
    assert!(rig.place("sessionEnded") < rig.place(&format!("reply {}", ticket.0)));
}

#[test]
fn end_session_knows_conversations_and_keeps_purecloud_texts() {
    let (mut rig, _) = answered(alice());
    let ticket = rig.command(json!({ "type": "end" }));
    assert_eq!(
        rig.error(ticket).message,
        "Unable to end session: must provide session id or conversationId."
    );
    let ticket = rig.command(json!({ "type": "end", "conversationId": "other" }));
    assert_eq!(
        rig.error(ticket).message,
        "Unable to end session: session not connected."
    );
    let unknown = "01234567-89ab-4def-8123-456789abcdef";
    let ticket = rig.command(json!({ "type": "end", "id": unknown }));
    assert_eq!(
        rig.error(ticket).message,
        "Unable to end session: session not connected."
    );
    assert_eq!(rig.count("terminated"), 0);

    rig.done(json!({ "type": "end", "conversationId": "c1" }));
    rig.assert_ended_once("success", "local");
}

#[test]
fn a_bye_waits_for_the_ack_of_our_200() {
    let (mut rig, caller) = ringing(alice());
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.done(json!({ "type": "end", "id": id }));
    rig.assert_ended_once("success", "local");
    assert!(rig.is_silent());
    rig.receive(caller.ack(None));
    rig.request(&sip::message::Method::Bye);
}

#[test]
fn a_call_without_ack_ends_by_itself() {
    let (mut rig, _) = ringing(alice());
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.seconds(40);
    rig.assert_ended_once("timeout", "network");
}

#[test]
fn ending_a_session_that_is_accepted_but_not_answered_declines_it() {
    let (mut rig, _) = ringing(alice());
    rig.media_mode = Media::Manual;
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.done(json!({ "type": "end", "id": id }));
    rig.response(486);
    rig.assert_ended_once("decline", "local");
}

#[test]
fn an_invite_without_an_offer_gets_ours_and_brings_the_answer_in_its_ack() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], None));
    rig.beyond_trying(180);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    let ok = rig.response(200);
    caller.learn(&ok);
    assert_eq!(&ok.body()[..], b"v=0 ours 1\r\n");
    assert_eq!(rig.media_named("offer").len(), 1);
    rig.receive(caller.ack(Some("v=0 theirs\r\n")));
    assert_eq!(
        rig.media_named("setAnswer"),
        [&MediaCommand::Stream(StreamCommand::SetAnswer {
            sdp: "v=0 theirs\r\n".into(),
            provisional: false
        })]
    );
}

#[test]
fn a_late_offer_without_an_answer_ends_the_call() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], None));
    rig.beyond_trying(180);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    let ok = rig.response(200);
    caller.learn(&ok);
    rig.receive(caller.ack(None));
    rig.request(&sip::message::Method::Bye);
    rig.assert_ended_once("incompatible-parameters", "remote");
}

#[test]
fn an_offer_that_media_refuses_gets_488() {
    for (refusal, condition) in [
        (MediaRefusal::Incompatible, "incompatible-parameters"),
        (MediaRefusal::PlainRtp, "unsupported-transports"),
        (MediaRefusal::Malformed, "incompatible-parameters"),
    ] {
        let (mut rig, _) = ringing(alice());
        rig.media_mode = Media::Manual;
        let id = rig.id_of("pendingSession");
        rig.done(json!({ "type": "accept", "id": id }));
        let reason = "no".to_owned();
        rig.media_event(id, MediaEvent::Refused { refusal, reason });
        rig.response(488);
        rig.assert_ended_once(condition, "remote");
    }
}

#[test]
fn several_calls_live_at_once() {
    let mut rig = Rig::registered(alice());
    let mut callers: Vec<Caller> = (0..5).map(|n| Caller::new(&format!("c{n}"))).collect();
    let mut ids = Vec::new();
    for caller in &mut callers {
        rig.receive(caller.invite(&[], Some("v=0\r\n")));
        let ringing = rig.beyond_trying(180);
        caller.learn(&ringing);
        ids.push(rig.id_of("pendingSession"));
    }
    for (caller, id) in callers.iter().zip(&ids) {
        rig.done(json!({ "type": "accept", "id": id }));
        rig.response(200);
        rig.receive(caller.ack(None));
    }
    let bye = callers[2].bye(&[]);
    rig.receive(bye);
    assert_eq!(rig.last("sessionEnded")["id"], ids[2].to_string());
    assert_eq!(rig.count("sessionEnded"), 1);
    rig.done(json!({ "type": "mute", "id": ids[4], "muted": true }));
}

#[test]
fn a_call_beyond_max_sessions_is_busy() {
    let (mut rig, _) = ringing(alice_with(json!({ "maxSessions": 1 })));
    let mut second = Caller::new("c2");
    rig.receive(second.invite(&[], Some("v=0\r\n")));
    rig.beyond_trying(486);
    assert_eq!(rig.count("pendingSession"), 1);
    let target = json!({ "type": "call", "target": "carol" });
    assert_eq!(rig.refused(target), "ERR_TOO_MANY_SESSIONS");
}

#[test]
fn a_thousand_invites_in_a_second_are_bounded() {
    let mut rig = Rig::registered(alice());
    for n in 0..1000 {
        let mut caller = Caller::new(&format!("flood{n}"));
        rig.receive(caller.invite(&[], Some("v=0\r\n")));
        rig.advance(Duration::from_millis(1));
    }
    let pending = rig.count("pendingSession");
    assert!((1..=200).contains(&pending), "{pending}");
    rig.seconds(120);
    assert_eq!(rig.count("cancelPendingSession"), pending);
}

#[test]
fn credentials_in_an_invite_are_not_shown() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    let headers = [(
        "Proxy-Authorization",
        "Digest username=\"x\", response=\"s3cret\"",
    )];
    rig.receive(caller.invite(&headers, Some("v=0\r\n")));
    assert!(!rig.last("pendingSession").to_string().contains("s3cret"));
}

/// A platform that withholds a number leaves the user out of its URI.
#[test]
fn a_caller_without_a_user_rings_as_anonymous() {
    for (from, name) in [
        ("<sip:@pbx.example.com>", None),
        ("\"Withheld\" <sip:@pbx.example.com>", Some("Withheld")),
        ("<sip:>", None),
        ("sip:@pbx.example.com", None),
    ] {
        let trusting =
            json!({ "autoAnswer": { "trustedPeers": ["pbx.example.com", "@pbx.example.com"] } });
        let mut rig = Rig::registered(alice_with(trusting));
        let mut caller = Caller::new("c1").from(from);
        rig.receive(caller.invite(&[], Some("v=0\r\n")));
        let ringing = rig.beyond_trying(180);
        let echoed = format!("{from};tag=bob-c1");
        assert_eq!(ringing.headers().get("From"), Some(&*echoed));
        let pending = rig.last("pendingSession");
        assert_eq!(pending["address"], "anonymous", "{from}");
        assert_eq!(pending["displayName"].as_str(), name);
        assert_eq!(pending["autoAnswer"], false, "{from}");
        // And the call goes on as any other.
        caller.learn(&ringing);
        let id = rig.id_of("pendingSession");
        rig.done(json!({ "type": "accept", "id": id }));
        rig.response(200);
        rig.receive(caller.ack(None));
        rig.done(json!({ "type": "end", "id": id }));
        let bye = rig.request(&Method::Bye);
        assert_eq!(header(&bye, "To").as_deref(), Some(&*echoed));
    }
}

/// What is printed in a terminal, or shown in a line, is a name and no command.
#[test]
fn a_callers_name_steers_no_terminal_and_turns_no_line_around() {
    let mut rig = Rig::registered(alice());
    let from = "\"a\\\u{1b}[31m\u{202e}b\" <sip:%1B%5D0;x%07%E2%80%AEy@x.test>";
    let mut caller = Caller::new("c1").from(from);
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    let pending = rig.last("pendingSession");
    assert_eq!(pending["displayName"], "a\u{fffd}[31m\u{fffd}b");
    assert_eq!(pending["address"], "%1B]0;x%07%E2%80%AEy");
}

#[test]
fn a_caller_with_blanks_in_its_user_rings() {
    let mut rig = Rig::registered(alice_with(json!({
        "autoAnswer": { "trustedPeers": ["pbx.example.com"] },
    })));
    let mut caller = Caller::new("c1").from("<sip:bob smith@pbx.example.com>");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    rig.beyond_trying(180);
    let pending = rig.last("pendingSession");
    assert_eq!(pending["address"], "bob smith");
    assert_eq!(pending["autoAnswer"], false);
}

#[test]
fn a_contact_that_is_off_the_grammar_is_where_requests_go() {
    for (contact, target) in [
        ("<sip:bob smith@gw.example>", "sip:bob%20smith@gw.example"),
        (
            "sip:bob@gw.example;transport=ws",
            "sip:bob@gw.example;transport=ws",
        ),
    ] {
        let mut rig = Rig::registered(alice());
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&Method::Invite);
        let ok = String::from_utf8(answer(&invite, 200, Some("v=0\r\n")).to_vec()).unwrap();
        rig.receive(ok.replace("<sip:bob@192.0.2.1:5060>", contact));
        let ack = rig.request(&Method::Ack);
        assert_eq!(ack.uri().to_string(), target);
    }
}

#[test]
fn a_contact_is_called_missing_only_where_it_is() {
    for (contact, reason) in [
        ("Contact: <sip:>\r\n", "Bad Contact"),
        ("Contact: nonsense\r\n", "Bad Contact"),
        ("", "Missing Contact"),
    ] {
        let mut rig = Rig::registered(alice());
        let invite = Caller::new("c1").invite(&[], Some("v=0\r\n"));
        let invite = String::from_utf8(invite.to_vec()).unwrap();
        rig.receive(invite.replace("Contact: <sip:bob@192.0.2.1:5060>\r\n", contact));
        assert_eq!(rig.beyond_trying(400).reason(), reason);
    }
}

#[test]
fn an_offer_without_a_type_is_one() {
    for (body, code) in [
        ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n", 180),
        ("hello\r\n", 415),
    ] {
        let mut rig = Rig::registered(alice());
        let invite = Caller::new("c1").invite(&[], Some(body));
        let invite = String::from_utf8(invite.to_vec()).unwrap();
        rig.receive(invite.replace("Content-Type: application/sdp\r\n", ""));
        rig.beyond_trying(code);
        if code == 180 {
            let id = rig.id_of("pendingSession");
            rig.done(json!({ "type": "accept", "id": id }));
            let offer = body.into();
            assert_eq!(
                rig.media_named("answer"),
                [&phone::MediaCommand::Stream(phone::StreamCommand::Answer {
                    offer
                })]
            );
        }
    }
}
