use std::time::Duration;

use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Pair, Rig, alice, alice_with, header, media_json};

const ASKS: (&str, &str) = ("Call-Info", "<sip:pbx>;answer-after=0");

fn called(options: Value, headers: &[(&str, &str)]) -> (Rig, Caller) {
    let mut rig = Rig::registered(alice_with(options));
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(headers, Some("v=0\r\n")));
    (rig, caller)
}

fn is_answered(rig: &mut Rig) -> bool {
    rig.outbox
        .iter()
        .any(|frame| frame.starts_with(b"SIP/2.0 200"))
}

#[test]
fn pending_session_says_that_it_is_about_to_be_answered() {
    let (mut rig, _) = called(json!({ "autoAnswer": "headers" }), &[ASKS]);
    let pending = rig.last("pendingSession");
    assert_eq!(pending["autoAnswer"], true);
    assert_eq!(pending["autoAnswerSource"], "call-info");
    assert!(is_answered(&mut rig));
    assert!(rig.place("pendingSession") < rig.place("sessionStarted"));
}

#[test]
fn nothing_acts_before_the_listeners_of_pending_session_have_run() {
    let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": "always" })));
    rig.listens = false;
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    rig.advance(Duration::from_millis(500));
    assert_eq!(rig.count("sessionStarted"), 0);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "delivered", "id": id }));
    assert_eq!(rig.count("sessionStarted"), 1);
}

#[test]
fn a_blocked_application_delays_the_answer_by_one_second_each_time() {
    let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": "always" })));
    rig.listens = false;
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    rig.advance(Duration::from_millis(999));
    assert_eq!(rig.count("sessionStarted"), 0);
    rig.advance(Duration::from_millis(1));
    assert_eq!(rig.count("sessionStarted"), 1);
    rig.advance(Duration::from_secs(1));
    assert!(is_answered(&mut rig));
}

#[test]
fn an_announced_call_is_answered_once() {
    let mut rig = Rig::registered(alice_with(json!({})));
    rig.done(json!({ "type": "expectCall", "conversationId": "conv-1" }));
    let headers = [("X-Conversation-Id", "conv-1")];
    let mut first = Caller::new("c1");
    rig.receive(first.invite(&headers, Some("v=0\r\n")));
    assert_eq!(rig.last("pendingSession")["autoAnswerSource"], "announced");
    assert_eq!(rig.count("sessionStarted"), 1);
    let id = rig.id_of("sessionStarted");
    rig.done(json!({ "type": "end", "id": id }));

    let mut second = Caller::new("c2");
    rig.receive(second.invite(&headers, Some("v=0\r\n")));
    assert_eq!(rig.last("pendingSession")["autoAnswer"], false);
}

#[test]
fn an_announcement_lapses() {
    let mut rig = Rig::registered(alice_with(json!({})));
    rig.done(json!({ "type": "expectCall", "conversationId": "conv-1", "timeout": 5000 }));
    rig.seconds(6);
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[("X-Conversation-Id", "conv-1")], Some("v=0\r\n")));
    assert_eq!(rig.last("pendingSession")["autoAnswer"], false);
}

#[test]
fn a_header_alone_opens_no_microphone_by_default() {
    let (mut rig, _) = called(json!({}), &[ASKS]);
    assert_eq!(rig.last("pendingSession")["autoAnswer"], false);
    rig.seconds(5);
    assert!(!is_answered(&mut rig));
}

#[test]
fn the_purecloud_triple_trusts_its_platform() {
    let triple = json!({
        "environment": "mypurecloud.com",
        "accessToken": "e30.eyJzdWIiOiJhbGljZSJ9.sig",
        "orgId": "01234567-89ab-4def-8123-456789abcdef",
        "audio": "none",
    });
    let genesys = (
        "Alert-Info",
        "<http://localhost/AutoAnswer>;delay=0;info=alert-autoanswer",
    );
    for (outbound, answered) in [(true, true), (false, false)] {
        let mut options = triple.clone();
        options["autoAnswerOutboundCalls"] = json!(outbound);
        let mut rig = Rig::registered(options);
        let mut caller = Caller::new("c1");
        rig.receive(caller.invite(&[genesys], Some("v=0\r\n")));
        assert_eq!(rig.last("pendingSession")["autoAnswer"], answered);
        assert_eq!(is_answered(&mut rig), answered);
    }
}

#[test]
fn trusted_peers_are_answered_and_others_ring() {
    let options = json!({ "autoAnswer": { "trustedPeers": ["sip:bob@example.com"] } });
    let (rig, _) = called(options.clone(), &[]);
    assert_eq!(
        rig.last("pendingSession")["autoAnswerSource"],
        "trusted-peer"
    );

    let mut rig = Rig::registered(alice_with(options));
    let mut caller = Caller::new("c1").from("<sip:eve@example.com>");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    assert_eq!(rig.last("pendingSession")["autoAnswer"], false);
}

#[test]
fn what_the_server_asserts_is_believed_before_what_the_caller_claims() {
    let options = json!({ "autoAnswer": { "trustedPeers": ["sip:bob@example.com"] } });
    let stranger = [("P-Asserted-Identity", "<sip:eve@example.com>")];
    let (rig, _) = called(options, &stranger);
    assert_eq!(rig.last("pendingSession")["autoAnswer"], false);
}

#[test]
fn the_delay_is_in_seconds_and_is_kept() {
    let (mut rig, _) = called(
        json!({ "autoAnswer": "headers" }),
        &[("Call-Info", "<sip:a>;Answer-After=3")],
    );
    assert_eq!(rig.last("pendingSession")["autoAnswerDelay"], 3000);
    rig.advance(Duration::from_millis(2999));
    assert!(!is_answered(&mut rig));
    rig.advance(Duration::from_millis(1));
    assert!(is_answered(&mut rig));
}

#[test]
fn a_cancel_during_the_delay_leaves_one_outcome() {
    let (mut rig, caller) = called(
        json!({ "autoAnswer": "headers" }),
        &[("Call-Info", "<sip:a>;answer-after=3")],
    );
    rig.seconds(1);
    rig.receive(caller.cancel(&[]));
    rig.seconds(10);
    assert_eq!(rig.count("cancelPendingSession"), 1);
    assert_eq!(rig.count("sessionStarted"), 0);
}

#[test]
fn a_rejection_during_the_delay_is_final() {
    let (mut rig, _) = called(
        json!({ "autoAnswer": "headers" }),
        &[("Call-Info", "<sip:a>;answer-after=3")],
    );
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "reject", "id": id }));
    rig.seconds(10);
    assert!(!is_answered(&mut rig));
    assert_eq!(rig.count("sessionStarted"), 0);
}

#[test]
fn the_applications_function_decides_before_the_call_is_announced() {
    for answer in [true, false] {
        let (mut rig, _) = called(json!({ "autoAnswer": "function" }), &[]);
        assert_eq!(rig.count("pendingSession"), 0);
        let id = rig.id_of("autoAnswerQuery");
        rig.done(json!({ "type": "autoAnswerDecision", "id": id, "answer": answer }));
        assert_eq!(rig.last("pendingSession")["autoAnswer"], answer);
        assert_eq!(is_answered(&mut rig), answer);
    }
}

#[test]
fn a_function_that_takes_more_than_two_seconds_lets_the_call_ring() {
    let (mut rig, _) = called(json!({ "autoAnswer": "function" }), &[]);
    let id = rig.id_of("autoAnswerQuery");
    rig.advance(Duration::from_millis(1999));
    assert_eq!(rig.count("pendingSession"), 0);
    rig.advance(Duration::from_millis(1));
    assert_eq!(rig.last("pendingSession")["autoAnswer"], false);
    rig.done(json!({ "type": "autoAnswerDecision", "id": id, "answer": true }));
    assert!(!is_answered(&mut rig));
    assert_eq!(rig.count("pendingSession"), 1);
}

#[test]
fn a_call_that_ends_while_the_function_thinks_is_never_announced() {
    let (mut rig, caller) = called(json!({ "autoAnswer": "function" }), &[]);
    let id = rig.id_of("autoAnswerQuery");
    rig.receive(caller.cancel(&[]));
    rig.done(json!({ "type": "autoAnswerDecision", "id": id, "answer": true }));
    rig.seconds(5);
    for event in ["pendingSession", "cancelPendingSession", "sessionStarted"] {
        assert_eq!(rig.count(event), 0, "{event}");
    }
}

#[test]
fn a_busy_phone_does_as_it_is_told() {
    for (when_busy, code, started) in [("ring", 180, 1), ("answer", 200, 2), ("reject", 486, 1)] {
        let policy = json!({ "autoAnswer": { "policy": "headers", "whenBusy": when_busy } });
        let (mut rig, _) = called(policy, &[ASKS]);
        rig.outbox.clear();
        let mut second = Caller::new("c2");
        rig.receive(second.invite(&[ASKS], Some("v=0\r\n")));
        let wanted = format!("SIP/2.0 {code}");
        assert!(
            rig.outbox
                .iter()
                .any(|frame| frame.starts_with(wanted.as_bytes())),
            "{when_busy}"
        );
        assert_eq!(rig.count("sessionStarted"), started, "{when_busy}");
    }
}

#[test]
fn a_required_mode_that_policy_denies_gets_403() {
    let (mut rig, _) = called(
        json!({ "autoAnswer": "off" }),
        &[("Answer-Mode", "Auto;require")],
    );
    rig.beyond_trying(403);
    assert_eq!(rig.count("pendingSession"), 0);
}

#[test]
fn genesys_can_answer_a_ringing_phone_by_notify() {
    for (policy, started, code) in [("headers", 1, 200), ("off", 0, 403)] {
        let (mut rig, mut caller) = called(json!({ "autoAnswer": policy }), &[]);
        let ringing = rig.beyond_trying(180);
        assert_eq!(ringing.headers().get("Allow-Events"), Some("talk, hold"));
        caller.learn(&ringing);
        rig.receive(caller.request(
            "NOTIFY",
            &[("Event", "talk"), ("Subscription-State", "terminated")],
            None,
        ));
        rig.response(code);
        assert_eq!(rig.count("sessionStarted"), started);
    }
}

#[test]
fn a_notify_answers_only_after_the_listeners_have_seen_the_call() {
    let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": "headers" })));
    rig.listens = false;
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    caller.learn(&rig.beyond_trying(180));
    rig.receive(caller.request(
        "NOTIFY",
        &[("Event", "talk"), ("Subscription-State", "terminated")],
        None,
    ));
    rig.response(200);
    assert_eq!(rig.count("sessionStarted"), 0);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "delivered", "id": id }));
    assert_eq!(rig.count("sessionStarted"), 1);
}

/// What we send as a caller, we understand as the callee.
#[test]
fn a_call_can_ask_to_be_answered() {
    for (wish, delay, source) in [
        (json!({}), 0, "call-info"),
        (json!({ "delay": 1500 }), 2000, "call-info"),
    ] {
        let mut pair = Pair::new(json!({ "autoAnswer": "headers" }));
        let options = json!({ "autoAnswer": wish });
        pair.command(
            0,
            json!({ "type": "call", "target": "bob", "options": options }),
        );
        let pending = pair.rigs[1].last("pendingSession");
        assert_eq!(pending["autoAnswer"], true);
        assert_eq!(pending["autoAnswerDelay"], delay);
        assert_eq!(pending["autoAnswerSource"], source);
        pair.advance(Duration::from_millis(delay));
        assert_eq!(pair.rigs[0].count("answered"), 1);
    }
}

#[test]
fn a_call_asks_in_every_form_that_phones_understand() {
    let sent = |wish: Value| {
        let mut rig = Rig::registered(alice());
        let options = json!({ "autoAnswer": wish });
        rig.command(json!({ "type": "call", "target": "bob", "options": options }));
        let invite = rig.request(&Method::Invite);
        ["Answer-Mode", "Call-Info", "Alert-Info"].map(|name| header(&invite, name))
    };
    let [mode, call, alert] = sent(json!({}));
    assert_eq!(mode.as_deref(), Some("Auto"));
    assert_eq!(
        call.as_deref(),
        Some("<sip:auto-answer.invalid>;answer-after=0")
    );
    let info = "<http://auto-answer.invalid>;info=alert-autoanswer;delay=0";
    assert_eq!(alert.as_deref(), Some(info));
    let [mode, call, _] = sent(json!({ "delay": 3000 }));
    assert_eq!(mode, None, "it knows no delay");
    assert_eq!(
        call.as_deref(),
        Some("<sip:auto-answer.invalid>;answer-after=3")
    );
    let [mode, ..] = sent(json!({ "required": true }));
    assert_eq!(mode.as_deref(), Some("Auto;require"));
}

/// RFC 5373 §4.2, in whatever other form the caller asks as well.
#[test]
fn a_required_answer_is_refused_rather_than_rung() {
    let mut pair = Pair::new(json!({}));
    let options = json!({ "autoAnswer": { "required": true } });
    pair.command(
        0,
        json!({ "type": "call", "target": "bob", "options": options }),
    );
    assert_eq!(pair.rigs[1].count("pendingSession"), 0);
    let end = pair.rigs[0].last("sessionEnded")["reason"].clone();
    assert_eq!(end["sip"]["code"], 403);
}

#[test]
fn the_beep_is_a_flag_to_media() {
    for beep in [true, false] {
        let options = json!({ "autoAnswer": { "policy": "always", "beep": beep } });
        let (rig, _) = called(options, &[]);
        let start = media_json(rig.media_named("start")[0]);
        assert_eq!(start["beep"], beep);
    }
}
