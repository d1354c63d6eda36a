//! What names a session from end to end (RFC 7989).

use serde_json::json;
use sip::message::Method;

use crate::harness::{Caller, Pair, Rig, alice, answer, header};

#[test]
fn both_ends_of_a_call_know_both_halves_of_its_name() {
    let mut pair = Pair::new(json!({}));
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    let bobs = pair.rigs[1].id_of("pendingSession");
    pair.command(1, json!({ "type": "accept", "id": bobs }));
    let alices = pair.rigs[0].changes("sessionId").last().unwrap().clone();
    let bobs = pair.rigs[1].last("sessionStarted")["session"]["sessionId"].clone();
    assert_eq!(alices["local"], bobs["remote"]);
    assert_eq!(alices["remote"], bobs["local"]);
    assert_eq!(alices["local"].as_str().unwrap().len(), 32);
    assert_ne!(alices["local"], alices["remote"]);
}

#[test]
fn both_ends_of_a_call_that_names_no_conversation_find_the_same_one() {
    let mut pair = Pair::new(json!({}));
    let call = pair.command(0, json!({ "type": "call", "target": "bob" }));
    let reply = serde_json::to_value(pair.rigs[0].reply(call).unwrap().as_ref().unwrap()).unwrap();
    let pending = pair.rigs[1].last("pendingSession");
    assert_eq!(reply["conversationId"], pending["conversationId"]);
    assert_eq!(reply["conversationId"], reply["sessionId"]["local"]);
    assert_eq!(
        pending["identity"]["sessionId"],
        reply["sessionId"]["local"]
    );
}

/// RFC 7989 §10.2: who calls on behalf of a transfer, or is called in the place of somebody, keeps its half.
#[test]
fn the_name_outlives_an_attended_transfer() {
    let mut trio = Pair::with_carol(json!({ "autoAnswer": "always" }));
    trio.command(0, json!({ "type": "call", "target": "bob" }));
    trio.advance(std::time::Duration::from_secs(1));
    let alice = trio.rigs[0].changes("sessionId").last().unwrap().clone();
    let bobs = trio.rigs[1].id_of("sessionStarted");
    trio.command(1, json!({ "type": "hold", "id": bobs, "held": true }));
    trio.command(1, json!({ "type": "call", "target": "carol" }));
    trio.advance(std::time::Duration::from_secs(1));
    let carol = trio.rigs[2].last("sessionStarted")["session"]["sessionId"].clone();
    let consultation = trio.rigs[1].id_of("sessionStarted");
    trio.command(
        1,
        json!({ "type": "attendedTransfer", "id": bobs, "other": consultation }),
    );
    let alices = trio.rigs[0].last("transferRequested")["id"].clone();
    trio.command(0, json!({ "type": "acceptTransfer", "id": alices }));
    trio.advance(std::time::Duration::from_secs(2));
    let after = trio.rigs[2].last("sessionStarted")["session"]["sessionId"].clone();
    assert_eq!(after["local"], carol["local"]);
    assert_eq!(after["remote"], alice["local"]);
}

#[test]
fn a_name_that_changes_on_the_other_side_is_told() {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    let first = "47755a9de7794ba387653f2099600ef2";
    let other = "ab30317f1a784dc48ff824d0d3715d86";
    rig.receive(bob.invite(&[("Session-ID", first)], Some("v=0\r\n")));
    bob.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(bob.ack(None));
    rig.receive(bob.request("INFO", &[("Session-ID", other)], None));
    assert_eq!(rig.changes("sessionId").last().unwrap()["remote"], other);
}

/// Guarantee 4: nothing is told of a session after its end.
#[test]
fn a_name_that_comes_after_the_end_is_told_to_nobody() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    let id = rig.id_of("sessionStarted");
    rig.done(json!({ "type": "end", "id": id }));
    rig.request(&Method::Bye);
    let late = ("Session-ID", "ab30317f1a784dc48ff824d0d3715d86");
    let mut bob = Caller::of_callee(&invite);
    let before = rig.events.len();
    rig.receive(bob.request("INFO", &[late], None));
    assert_eq!(rig.count("sessionEnded"), 1);
    assert_eq!(rig.events.len(), before, "{:?}", rig.order);
}

#[test]
fn a_session_without_a_name_of_theirs_has_ours() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    let ack = rig.request(&Method::Ack);
    let name = rig.changes("sessionId").last().unwrap().clone();
    assert_eq!(name.get("remote"), None);
    let local = name["local"].as_str().unwrap();
    let null = "0".repeat(32);
    assert_eq!(
        header(&ack, "Session-ID").unwrap(),
        format!("{local};remote={null}")
    );
}
