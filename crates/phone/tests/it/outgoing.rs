use std::time::Duration;

use phone::media::MediaRefusal;
use phone::{MediaCommand, MediaEvent, StreamCommand, Ticket};
use serde_json::json;
use sip::message::{Method, Request};

use crate::harness::{
    Caller, Media, Rig, alice, alice_with, answer, header, redirection, with_header,
};

/// A phone whose INVITE is out.
fn dialing(options: serde_json::Value) -> (Rig, Request, Ticket) {
    let mut rig = Rig::registered(alice());
    let ticket = rig.command(json!({ "type": "call", "target": "bob", "options": options }));
    let invite = rig.request(&Method::Invite);
    (rig, invite, ticket)
}

/// A phone whose call was answered.
fn talking() -> (Rig, Request) {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    (rig, invite)
}

#[test]
fn a_challenge_that_is_not_answered_says_why_in_the_trace() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "sip:mallory@evil.example" }));
    let invite = rig.request(&Method::Invite);
    let challenge = "Digest realm=\"example.com\", nonce=\"n\"";
    rig.receive(with_header(&invite, 401, "WWW-Authenticate", challenge));
    let traces: Vec<String> = rig
        .events
        .iter()
        .map(|event| format!("{event:?}"))
        .collect();
    let told = traces
        .iter()
        .find(|trace| trace.contains("A challenge was not answered"));
    let told = told.unwrap_or_else(|| panic!("{traces:#?}"));
    assert!(
        told.contains("INVITE") && told.contains("neither our registrar nor our proxy asks"),
        "{told}"
    );
}

#[test]
fn a_call_resolves_with_its_session_when_the_invite_is_out() {
    let mut rig = Rig::registered(alice());
    rig.media_mode = Media::Manual;
    let ticket = rig.command(json!({ "type": "call", "target": "bob" }));
    assert_eq!(rig.count("sessionStarted"), 1);
    assert_eq!(rig.last("sessionStarted")["session"]["state"], "starting");
    assert!(rig.reply(ticket).is_none() && rig.is_silent());
    let id = rig.id_of("sessionStarted");
    rig.describe(id, "v=0 ours\r\n");

    let invite = rig.request(&Method::Invite);
    assert_eq!(&invite.body()[..], b"v=0 ours\r\n");
    let reply = serde_json::to_value(rig.reply(ticket).unwrap().as_ref().unwrap()).unwrap();
    assert_eq!(reply["id"], id.to_string());
    assert_eq!(reply["direction"], "outgoing");
    assert_eq!(reply["callId"], header(&invite, "Call-ID").unwrap());
    assert_eq!(reply["conversationId"], reply["sessionId"]["local"]);
}

#[test]
fn a_call_carries_its_headers_and_conversation() {
    let (_, invite, _) = dialing(json!({
        "headers": [["X-Custom", "one"]],
        "conversationId": "conv-1",
        "displayName": "Support \"24/7\"",
    }));
    assert_eq!(header(&invite, "X-Custom").as_deref(), Some("one"));
    assert_eq!(
        header(&invite, "X-Conversation-Id").as_deref(),
        Some("conv-1")
    );
    assert_eq!(
        header(&invite, "P-Preferred-Identity").as_deref(),
        Some("\"Support \\\"24/7\\\"\" <sip:alice@example.com>")
    );
}

#[test]
fn nothing_the_application_gives_can_start_a_header_line() {
    let mut rig = Rig::registered(alice());
    for command in [
        json!({ "type": "call", "target": "bob\r\nX-Evil: 1" }),
        json!({ "type": "call", "target": "bob", "options": { "headers": [["X-A", "1\nX-Evil: 1"]] } }),
        json!({ "type": "call", "target": "bob", "options": { "headers": [["X-A\r\nX-Evil", "1"]] } }),
        json!({ "type": "call", "target": "bob", "options": { "headers": [["X-A", "1\u{0}"]] } }),
        json!({ "type": "call", "target": "bob", "options": { "conversationId": "a\r\nX-Evil: 1" } }),
        json!({ "type": "call", "target": "bob", "options": { "displayName": "a\r\nX-Evil: 1" } }),
    ] {
        assert_eq!(rig.refused(command), "ERR_INVALID_ARGUMENT");
    }
    assert!(rig.is_silent());
    assert_eq!(rig.count("sessionStarted"), 0);
}

#[test]
fn a_header_that_only_the_stack_may_write_is_refused() {
    let mut rig = Rig::registered(alice());
    for name in [
        "Via",
        "v",
        "CONTACT",
        "Call-ID",
        "Authorization",
        "Content-Encoding",
    ] {
        let headers = json!([[name, "x"]]);
        let call = json!({ "type": "call", "target": "bob", "options": { "headers": headers } });
        assert_eq!(rig.refused(call), "ERR_INVALID_ARGUMENT", "{name}");
    }
    assert_eq!(rig.count("sessionStarted"), 0);
}

#[test]
fn headers_that_no_message_has_room_for_are_refused_and_not_left_out() {
    let mut rig = Rig::registered(alice());
    let many: Vec<_> = (0..65).map(|n| json!([format!("X-{n}"), "1"])).collect();
    for headers in [
        json!([["X".repeat(129), "1"]]),
        json!([["X-A", "1".repeat(32 * 1024 + 1)]]),
        json!(many),
    ] {
        let call = json!({ "type": "call", "target": "bob", "options": { "headers": headers } });
        assert_eq!(rig.refused(call), "ERR_INVALID_ARGUMENT");
    }
    assert_eq!(rig.count("sessionStarted"), 0);
}

#[test]
fn a_call_without_a_connection_fails_at_once() {
    let mut rig = Rig::new(alice());
    let call = json!({ "type": "call", "target": "bob" });
    assert_eq!(rig.refused(call), "ERR_NOT_CONNECTED");
    assert_eq!(rig.count("sessionStarted"), 0);
}

#[test]
fn ringing_is_progress() {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.receive(answer(&invite, 100, None));
    assert_eq!(rig.count("progress"), 0);
    rig.receive(answer(&invite, 180, None));
    let progress = rig.last("progress");
    assert_eq!(
        (progress["code"].as_u64(), progress["earlyMedia"].as_bool()),
        (Some(180), Some(false))
    );
}

#[test]
fn early_media_is_heard_and_the_final_answer_still_counts() {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.receive(answer(&invite, 183, Some("v=0 early\r\n")));
    rig.receive(answer(&invite, 183, Some("v=0 early\r\n")));
    assert_eq!(rig.last("progress")["earlyMedia"], true);
    assert_eq!(rig.count("answered"), 0);
    rig.receive(answer(&invite, 200, Some("v=0 final\r\n")));
    let set = |sdp: &str, provisional| {
        MediaCommand::Stream(StreamCommand::SetAnswer {
            sdp: sdp.into(),
            provisional,
        })
    };
    assert_eq!(
        rig.media_named("setAnswer"),
        [&set("v=0 early\r\n", true), &set("v=0 final\r\n", false)]
    );
    assert_eq!(rig.count("answered"), 1);
}

#[test]
fn a_200_without_a_description_refers_to_its_183() {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.receive(answer(&invite, 183, Some("v=0 early\r\n")));
    rig.receive(answer(&invite, 200, None));
    let last = rig.media_named("setAnswer").last().copied().cloned();
    assert_eq!(
        last,
        Some(MediaCommand::Stream(StreamCommand::SetAnswer {
            sdp: "v=0 early\r\n".into(),
            provisional: false
        }))
    );
}

#[test]
fn a_200_without_any_description_ends_the_call() {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.receive(answer(&invite, 200, None));
    rig.request(&Method::Ack);
    rig.request(&Method::Bye);
    rig.assert_ended_once("incompatible-parameters", "remote");
    assert_eq!(rig.count("answered"), 0);
}

#[test]
fn an_answered_call_is_active_and_the_callee_can_hang_up() {
    let (mut rig, invite) = talking();
    assert_eq!(rig.count("answered"), 1);
    assert_eq!(rig.changes("state"), ["pending", "active"]);
    assert_eq!(rig.changes("connectionState"), ["connecting", "connected"]);
    let mut callee = Caller::of_callee(&invite);
    rig.receive(callee.bye(&[]));
    rig.response(200);
    rig.assert_ended_once("success", "remote");
}

#[test]
fn the_start_time_is_the_wall_clocks() {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.receive(answer(&invite, 180, None));
    rig.seconds(5);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    let expected = (crate::harness::EPOCH + Duration::from_secs(5)).as_millis();
    assert_eq!(rig.changes("startTime"), [json!(expected as u64)]);
}

#[test]
fn a_refused_call_ends_once_with_the_conditions_of_the_table() {
    for (code, condition) in [
        (486, "busy"),
        (603, "decline"),
        (480, "timeout"),
        (404, "gone"),
        (488, "incompatible-parameters"),
        (503, "failed-application"),
    ] {
        let (mut rig, invite, _) = dialing(json!({}));
        rig.receive(answer(&invite, code, None));
        rig.request(&Method::Ack);
        rig.assert_ended_once(condition, "remote");
        assert_eq!(rig.last("terminated")["reason"]["sip"]["code"], code);
        rig.seconds(60);
        assert_eq!(rig.count("terminated"), 1);
    }
}

#[test]
fn aborting_before_any_answer_holds_the_cancel_until_one_comes() {
    let (mut rig, invite, ticket) = dialing(json!({}));
    rig.done(json!({ "type": "abort", "ticket": ticket }));
    rig.assert_ended_once("cancel", "local");
    assert!(
        rig.is_silent(),
        "RFC 3261 §9.1: no CANCEL before a provisional answer"
    );
    rig.receive(answer(&invite, 180, None));
    let cancel = rig.request(&Method::Cancel);
    rig.receive(answer(&cancel, 200, None));
    rig.receive(answer(&invite, 487, None));
    rig.request(&Method::Ack);
    assert_eq!(rig.count("terminated"), 1);
}

#[test]
fn aborting_while_it_rings_sends_cancel() {
    let (mut rig, invite, ticket) = dialing(json!({}));
    rig.receive(answer(&invite, 180, None));
    rig.done(json!({ "type": "abort", "ticket": ticket }));
    rig.request(&Method::Cancel);
    rig.assert_ended_once("cancel", "local");
}

#[test]
fn ending_a_call_that_is_not_answered_gives_it_up() {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.receive(answer(&invite, 180, None));
    let id = rig.id_of("sessionStarted");
    rig.done(json!({ "type": "end", "id": id }));
    rig.request(&Method::Cancel);
    rig.assert_ended_once("cancel", "local");
}

#[test]
fn ending_a_call_for_a_reason_keeps_the_reason() {
    let (mut rig, _, _) = dialing(json!({}));
    let id = rig.id_of("sessionStarted");
    rig.done(json!({ "type": "end", "id": id, "reason": "expired" }));
    rig.assert_ended_once("expired", "local");
}

#[test]
fn aborting_before_the_invite_is_out_sends_nothing_and_rejects_the_call() {
    let mut rig = Rig::registered(alice());
    rig.media_mode = Media::Manual;
    let ticket = rig.command(json!({ "type": "call", "target": "bob" }));
    let id = rig.id_of("sessionStarted");
    rig.done(json!({ "type": "abort", "ticket": ticket }));
    assert_eq!(crate::harness::code(&rig.error(ticket)), "ERR_ABORTED");
    rig.describe(id, "v=0 too late\r\n");
    assert!(rig.is_silent());
    rig.assert_ended_once("cancel", "local");
}

#[test]
fn aborting_after_the_answer_changes_nothing() {
    let (mut rig, invite, ticket) = dialing(json!({}));
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    rig.done(json!({ "type": "abort", "ticket": ticket }));
    assert!(rig.is_silent());
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn a_200_that_crosses_our_cancel_is_acknowledged_and_hung_up() {
    let (mut rig, invite, ticket) = dialing(json!({}));
    rig.receive(answer(&invite, 180, None));
    rig.done(json!({ "type": "abort", "ticket": ticket }));
    rig.request(&Method::Cancel);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    rig.request(&Method::Bye);
    rig.assert_ended_once("cancel", "local");
    assert_eq!(rig.count("answered"), 0);
}

#[test]
fn a_call_that_nobody_answers_in_its_timeout_is_cancelled() {
    let (mut rig, invite, _) = dialing(json!({ "timeout": 10_000 }));
    rig.receive(answer(&invite, 180, None));
    rig.advance(Duration::from_millis(9_999));
    assert_eq!(rig.count("terminated"), 0);
    rig.advance(Duration::from_millis(1));
    rig.request(&Method::Cancel);
    rig.assert_ended_once("timeout", "local");
}

#[test]
fn ending_a_ringing_call_sends_cancel() {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.receive(answer(&invite, 180, None));
    let id = rig.id_of("sessionStarted");
    rig.done(json!({ "type": "end", "id": id }));
    rig.request(&Method::Cancel);
    assert_eq!(rig.count("terminated"), 1);
}

#[test]
fn a_redirection_is_followed_only_where_the_application_wants_it() {
    for follow in [false, true] {
        let mut rig = Rig::registered(alice_with(json!({ "followRedirects": follow })));
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&Method::Invite);
        let elsewhere = "<sip:+19005550100@example.com>";
        rig.receive(redirection(&invite, elsewhere));
        rig.request(&Method::Ack);
        if follow {
            let second = rig.request(&Method::Invite);
            assert_eq!(second.uri().as_str(), "sip:+19005550100@example.com");
            let told = rig.last("redirected");
            assert_eq!(told["code"], 302);
            assert_eq!(told["target"], "sip:+19005550100@example.com");
        } else {
            assert!(rig.is_silent());
            assert_eq!(rig.count("sessionEnded"), 1);
            let reason = rig.last("sessionEnded")["reason"].clone();
            assert_eq!(reason["sip"]["code"], 302);
            let target = json!({ "uri": "sip:+19005550100@example.com", "q": 1.0 });
            assert_eq!(reason["targets"], json!([target]));
        }
    }
}

#[test]
fn a_silent_network_ends_the_call() {
    let (mut rig, _, _) = dialing(json!({}));
    rig.seconds(40);
    rig.assert_ended_once("timeout", "network");
}

#[test]
fn media_that_can_make_no_offer_fails_the_call() {
    let mut rig = Rig::registered(alice());
    rig.media_mode = Media::Manual;
    let ticket = rig.command(json!({ "type": "call", "target": "bob" }));
    let id = rig.id_of("sessionStarted");
    let refusal = MediaRefusal::Unavailable;
    rig.media_event(
        id,
        MediaEvent::Refused {
            refusal,
            reason: "no address".into(),
        },
    );
    rig.assert_ended_once("media-error", "local");
    assert_eq!(crate::harness::code(&rig.error(ticket)), "ERR_MEDIA");
}

#[test]
fn an_answer_that_media_refuses_ends_the_call() {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.media_mode = Media::Manual;
    rig.receive(answer(&invite, 200, Some("v=0 plain RTP\r\n")));
    rig.request(&Method::Ack);
    let id = rig.id_of("sessionStarted");
    let refusal = MediaRefusal::PlainRtp;
    rig.media_event(
        id,
        MediaEvent::Refused {
            refusal,
            reason: "RTP/AVP".into(),
        },
    );
    rig.request(&Method::Bye);
    rig.assert_ended_once("unsupported-transports", "remote");
}

#[test]
fn early_media_that_media_refuses_late_does_not_end_the_answered_call() {
    let (mut rig, invite, _) = dialing(json!({}));
    rig.media_mode = Media::Manual;
    rig.receive(answer(&invite, 183, Some("v=0 odd\r\n")));
    rig.receive(answer(&invite, 200, Some("v=0 good\r\n")));
    rig.request(&Method::Ack);
    let id = rig.id_of("sessionStarted");
    let reason = "line 1 cannot be read".into();
    rig.media_event(id, MediaEvent::EarlyAnswerRefused { reason });
    assert!(rig.is_silent() && rig.count("terminated") == 0);
    assert_eq!(rig.last("trace")["level"], "warn");

    // The final answer is still being applied, and what media says of it counts.
    let refusal = MediaRefusal::Incompatible;
    let reason = "no codec".into();
    rig.media_event(id, MediaEvent::Refused { refusal, reason });
    rig.request(&Method::Bye);
    rig.assert_ended_once("incompatible-parameters", "remote");
}

#[test]
fn a_number_is_dialled_at_our_own_domain() {
    let mut rig = Rig::registered(alice_with(json!({})));
    rig.command(json!({ "type": "call", "target": "+1 555 0100" }));
    let invite = rig.request(&Method::Invite);
    assert_eq!(
        invite.uri().as_str(),
        "sip:+15550100@example.com;user=phone"
    );
}

/// A phone whose call the callee has just answered; media have not said yet what they make of it.
fn just_answered() -> (Rig, Request, phone::SessionId) {
    let (mut rig, invite, _) = dialing(json!({}));
    let id = rig.id_of("sessionStarted");
    rig.media_mode = Media::Manual;
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    (rig, invite, id)
}

#[test]
fn a_call_is_told_to_be_answered_when_its_codec_is_known() {
    let (mut rig, _, id) = just_answered();
    assert_eq!(rig.count("answered"), 0);
    let name = "opus".to_owned();
    rig.media_event(id, MediaEvent::Codec { name });
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(rig.count("answered"), 1);
    assert_eq!(rig.changes("codec"), ["opus"]);
    assert_eq!(rig.changes("state").last().unwrap(), "active");
    let at = |name: &str| rig.order.iter().rposition(|entry| entry == name);
    assert_eq!(at("answered").unwrap(), rig.order.len() - 1);
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(rig.count("answered"), 1);
}

#[test]
fn a_call_that_is_over_before_media_have_looked_at_the_answer_was_answered_all_the_same() {
    for hang_up_here in [true, false] {
        let (mut rig, invite, id) = just_answered();
        if hang_up_here {
            rig.command(json!({ "type": "end", "id": id }));
        } else {
            rig.receive(Caller::of_callee(&invite).bye(&[]));
        }
        assert_eq!(rig.count("answered"), 1, "{:?}", rig.order);
        assert!(rig.place("answered") < rig.place("terminated"));
    }
    let (mut rig, _, id) = just_answered();
    let reason = "no codec in common".to_owned();
    let refusal = MediaRefusal::Incompatible;
    rig.media_event(id, MediaEvent::Refused { refusal, reason });
    assert_eq!(rig.count("answered"), 0, "nobody could be heard");
    assert_eq!(rig.count("terminated"), 1);
}
