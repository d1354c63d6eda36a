//! Sending a caller elsewhere.

use serde_json::{Value, json};
use sip::message::Response;

use crate::harness::{Caller, Pair, Rig, alice};

fn called(headers: &[(&str, &str)]) -> Rig {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(headers, Some("v=0\r\n")));
    rig.beyond_trying(180);
    rig
}

fn redirect(rig: &Rig, more: Value) -> Value {
    let mut command = json!({
        "type": "redirect",
        "id": rig.id_of("pendingSession"),
        "target": "carol",
    });
    let more = more.as_object().unwrap().clone();
    command.as_object_mut().unwrap().extend(more);
    command
}

fn all(response: &Response, name: &'static str) -> Vec<String> {
    response.headers().all(name).map(str::to_owned).collect()
}

#[test]
fn a_redirected_caller_learns_where_to_go_and_who_sent_it_there() {
    let mut rig = called(&[]);
    rig.done(redirect(&rig, json!({})));
    let moved = rig.response(302);
    assert_eq!(all(&moved, "Contact"), ["<sip:carol@example.com>"]);
    assert_eq!(
        all(&moved, "Diversion"),
        ["<sip:alice@example.com>;reason=deflection;counter=1"]
    );
    let end = rig.last("cancelPendingSession");
    assert_eq!(end["details"]["side"], "local");
    assert_eq!(end["details"]["reason"]["sip"]["code"], 302);
}

/// RFC 5806 §4, RFC 7044 §7.3.
#[test]
fn who_diverted_the_call_before_stands_below_us() {
    let before = "<sip:dave@example.com>;reason=no-answer";
    let been = "<sip:dave@example.com>;index=1, <sip:alice@example.com>;index=1.1";
    let mut rig = called(&[
        ("Diversion", before),
        ("History-Info", been),
        ("Supported", "histinfo"),
    ]);
    rig.done(redirect(
        &rig,
        json!({ "code": 301, "reason": "unconditional", "target": "+15550100" }),
    ));
    let moved = rig.response(301);
    assert_eq!(
        all(&moved, "Contact"),
        ["<sip:+15550100@example.com;user=phone>"]
    );
    let ours = "<sip:alice@example.com>;reason=unconditional;counter=1";
    assert_eq!(all(&moved, "Diversion"), [ours, before]);
    assert_eq!(all(&moved, "History-Info"), [been]);
}

#[test]
fn where_a_call_has_been_goes_back_only_to_who_understands_it() {
    let mut rig = called(&[("History-Info", "<sip:alice@example.com>;index=1")]);
    rig.done(redirect(&rig, json!({})));
    assert!(all(&rig.response(302), "History-Info").is_empty());
}

#[test]
fn a_redirection_that_can_not_be_written_is_refused() {
    let mut rig = called(&[]);
    for wrong in [
        json!({ "code": 300 }),
        json!({ "code": 486 }),
        json!({ "reason": "a b" }),
        json!({ "reason": "a\r\nX-Evil: 1" }),
        json!({ "target": "carol\r\nX-Evil: 1" }),
        json!({ "target": "" }),
    ] {
        assert_eq!(
            rig.refused(redirect(&rig, wrong.clone())),
            "ERR_INVALID_ARGUMENT",
            "{wrong}"
        );
    }
    assert!(rig.is_silent());
}

#[test]
fn a_call_that_was_answered_is_not_redirected() {
    let mut rig = called(&[]);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    assert_eq!(rig.refused(redirect(&rig, json!({}))), "ERR_SESSION_STATE");
}

#[test]
fn a_phone_that_follows_redirections_calls_the_target_and_says_who_diverted() {
    let mut trio = Pair::with_carol(json!({ "followRedirects": true }));
    trio.command(0, json!({ "type": "call", "target": "bob" }));
    let bobs = trio.rigs[1].id_of("pendingSession");
    let redirect = json!({ "type": "redirect", "id": bobs, "target": "carol" });
    trio.command(1, redirect);
    let pending = trio.rigs[2].last("pendingSession");
    assert_eq!(pending["address"], "alice");
    assert_eq!(
        pending["identity"]["diversion"],
        json!([{ "uri": "sip:bob@example.com", "reason": "deflection" }])
    );
}
