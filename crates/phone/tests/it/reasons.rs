//! Why calls end, told to the other side (RFC 3326, RFC 6432).

use phone::MediaEvent;
use phone::media::MediaFailure;
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Pair, Rig, alice, answer, header, with_header};

fn talking() -> Pair {
    let mut pair = Pair::new(json!({ "autoAnswer": "always" }));
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    pair.advance(std::time::Duration::from_secs(1));
    pair
}

fn ended(more: Value) -> Pair {
    let mut pair = talking();
    let mut command = json!({ "type": "end", "id": pair.rigs[0].id_of("sessionStarted") });
    let more = more.as_object().unwrap().clone();
    command.as_object_mut().unwrap().extend(more);
    let ticket = pair.command(0, command);
    assert!(pair.rigs[0].reply(ticket).unwrap().is_ok());
    pair
}

#[test]
fn the_reason_of_an_end_reaches_the_other_side() {
    for (given, condition, cause) in [
        (json!({ "reason": "busy" }), "busy", 17),
        (json!({ "reason": "decline" }), "decline", 21),
        (json!({ "reason": "timeout" }), "timeout", 102),
        (json!({ "reason": "success" }), "success", 16),
        (json!({ "cause": 19 }), "timeout", 19),
        (
            json!({ "reason": "general-error", "cause": 38 }),
            "failed-application",
            38,
        ),
    ] {
        let pair = ended(given.clone());
        let theirs = pair.rigs[1].last("sessionEnded")["reason"].clone();
        assert_eq!(theirs["condition"], condition, "{given}");
        assert_eq!(theirs["q850"], cause, "{given}");
        assert_eq!(pair.rigs[0].last("sessionEnded")["reason"]["q850"], cause);
    }
}

#[test]
fn the_words_of_an_end_reach_the_other_side() {
    let pair = ended(json!({ "reason": "decline", "text": "Not \"now\"" }));
    for rig in &pair.rigs {
        assert_eq!(rig.last("sessionEnded")["reason"]["text"], "Not \"now\"");
    }
}

#[test]
fn a_call_that_ends_as_calls_do_says_nothing_of_it() {
    let pair = ended(json!({}));
    let theirs = pair.rigs[1].last("sessionEnded")["reason"].clone();
    assert_eq!(theirs["condition"], "success");
    assert_eq!(theirs.get("q850"), None);
}

#[test]
fn a_cause_is_one_of_q850_and_words_belong_to_a_reason() {
    let mut pair = talking();
    let id = pair.rigs[0].id_of("sessionStarted");
    for wrong in [
        json!({ "type": "end", "id": id, "cause": 0 }),
        json!({ "type": "end", "id": id, "cause": 128 }),
        json!({ "type": "end", "id": id, "text": "why" }),
        json!({ "type": "end", "id": id, "reason": "busy", "text": "a\r\nb" }),
    ] {
        assert_eq!(pair.rigs[0].refused(wrong), "ERR_INVALID_ARGUMENT");
    }
    assert_eq!(pair.rigs[0].count("sessionEnded"), 0);
}

#[test]
fn who_hunts_for_somebody_can_tell_the_others_that_the_call_was_taken() {
    let mut pair = Pair::new(json!({}));
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    let id = pair.rigs[0].id_of("sessionStarted");
    let reason = "alternative-session";
    pair.command(0, json!({ "type": "end", "id": id, "reason": reason }));
    assert_eq!(pair.rigs[1].count("handledPendingSession"), 1);
    let end = pair.rigs[1].last("handledPendingSession")["details"].clone();
    assert_eq!(end["reason"]["condition"], reason);
    assert_eq!(end["reason"]["text"], "Call completed elsewhere");
}

#[test]
fn the_cause_of_a_refusal_stands_beside_its_code() {
    let mut pair = Pair::new(json!({}));
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    let id = pair.rigs[1].id_of("pendingSession");
    pair.command(
        1,
        json!({ "type": "reject", "id": id, "code": 480, "cause": 19 }),
    );
    let end = pair.rigs[0].last("sessionEnded")["reason"].clone();
    assert_eq!(end["sip"]["code"], 480);
    assert_eq!(end["q850"], 19);
    let ours = pair.rigs[1].last("cancelPendingSession")["details"].clone();
    assert_eq!(ours["reason"]["q850"], 19);
}

/// The other side's people learn that it was no hang-up, and nothing of this machine.
#[test]
fn a_call_whose_media_fails_here_says_so_without_our_words() {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0\r\n")));
    bob.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(bob.ack(None));
    let failed = MediaEvent::Failed {
        failure: MediaFailure::Fingerprint,
        reason: "/home/alice/secret.wav".into(),
    };
    rig.media_event(id, failed);
    let bye = rig.request(&Method::Bye);
    let reason = header(&bye, "Reason").unwrap();
    assert!(reason.starts_with("Q.850;cause="), "{reason}");
    assert!(!reason.contains("text"), "{reason}");
    rig.receive(answer(&bye, 200, None));
}

/// A PBX that says 403 of a call that its callee has declined.
#[test]
fn the_cause_of_a_refusal_says_more_than_its_code() {
    for (code, value, condition) in [
        (403, "Q.850;cause=21;text=\"CALL_REJECTED\"", "decline"),
        (403, "SIP;cause=603, Q.850 ;cause=17", "busy"),
        (480, "Q.850;cause=1", "gone"),
        (503, "Q.850;cause=\"19\"", "timeout"),
        (403, "Q.850;cause=nonsense", "security-error"),
        (403, ";;;", "security-error"),
    ] {
        let mut rig = Rig::registered(alice());
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&Method::Invite);
        rig.receive(with_header(&invite, code, "Reason", value));
        let reason = rig.last("sessionEnded")["reason"].clone();
        assert_eq!(reason["condition"], condition, "{value}");
        assert_eq!(reason["sip"]["code"], code);
    }
}
