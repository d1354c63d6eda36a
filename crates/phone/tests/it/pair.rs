use std::time::Duration;

use serde_json::json;

use crate::harness::Pair;

#[test]
fn two_phones_call_talk_and_hang_up() {
    let mut pair = Pair::new(json!({}));
    let call = pair.command(
        0,
        json!({ "type": "call", "target": "sip:bob@example.com" }),
    );
    assert!(pair.rigs[0].reply(call).unwrap().is_ok());
    assert_eq!(pair.rigs[0].last("progress")["code"], 180);
    assert_eq!(pair.rigs[1].last("pendingSession")["address"], "alice");

    let bobs = pair.rigs[1].id_of("pendingSession");
    pair.command(1, json!({ "type": "accept", "id": bobs }));
    assert_eq!(pair.rigs[0].count("answered"), 1);
    for rig in &pair.rigs {
        assert_eq!(rig.changes("state").last().unwrap(), "active");
        assert_eq!(rig.changes("connectionState").last().unwrap(), "connected");
    }

    pair.advance(Duration::from_secs(3600));
    assert_eq!(pair.rigs[0].count("terminated"), 0);
    let alices = pair.rigs[0].id_of("sessionStarted");
    pair.command(0, json!({ "type": "end", "id": alices }));
    pair.rigs[0].assert_ended_once("success", "local");
    pair.rigs[1].assert_ended_once("success", "remote");
    pair.advance(Duration::from_secs(60));
    assert!(pair.rigs.iter().all(|rig| rig.count("terminated") == 1));
}

#[test]
fn both_hang_up_at_once() {
    let mut pair = Pair::new(json!({ "autoAnswer": "always" }));
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    pair.advance(Duration::from_secs(2));
    let alices = pair.rigs[0].id_of("sessionStarted");
    let bobs = pair.rigs[1].id_of("sessionStarted");
    pair.rigs[0].command(json!({ "type": "end", "id": alices }));
    pair.rigs[1].command(json!({ "type": "end", "id": bobs }));
    pair.advance(Duration::from_secs(60));
    pair.rigs[0].assert_ended_once("success", "local");
    pair.rigs[1].assert_ended_once("success", "local");
}

#[test]
fn a_call_to_oneself_works() {
    let mut pair = Pair::new(json!({ "autoAnswer": { "policy": "always", "whenBusy": "answer" } }));
    pair.command(0, json!({ "type": "call", "target": "alice" }));
    pair.advance(Duration::from_secs(2));
    let alice = &mut pair.rigs[0];
    assert_eq!(alice.count("sessionStarted"), 2);
    assert_eq!(alice.count("answered"), 1);
    assert_eq!(alice.changes("active"), [true, true]);
    let incoming = alice.id_of("pendingSession");
    pair.command(0, json!({ "type": "end", "id": incoming }));
    pair.advance(Duration::from_secs(40));
    assert_eq!(pair.rigs[0].count("terminated"), 2);
    assert_eq!(pair.rigs[0].count("sessionEnded"), 2);
}

#[test]
fn an_unknown_callee_is_gone() {
    let mut pair = Pair::new(json!({}));
    pair.command(0, json!({ "type": "call", "target": "nobody" }));
    pair.rigs[0].assert_ended_once("gone", "remote");
    assert_eq!(
        pair.rigs[0].last("terminated")["reason"]["sip"]["code"],
        404
    );
}

#[test]
fn the_caller_gives_up_while_the_callee_accepts() {
    let mut pair = Pair::new(json!({}));
    let call = pair.command(0, json!({ "type": "call", "target": "bob" }));
    let bobs = pair.rigs[1].id_of("pendingSession");
    // Both act before either hears of the other: CANCEL and 200 cross.
    pair.rigs[0].command(json!({ "type": "abort", "ticket": call }));
    pair.rigs[1].command(json!({ "type": "accept", "id": bobs }));
    pair.advance(Duration::from_secs(60));
    pair.rigs[0].assert_ended_once("cancel", "local");
    pair.rigs[1].assert_ended_once("success", "remote");
    assert_eq!(pair.rigs[1].count("cancelPendingSession"), 0);
    assert_eq!(pair.rigs[0].count("answered"), 0);
}

#[test]
fn both_call_each_other_at_once() {
    let mut pair = Pair::new(json!({}));
    pair.rigs[0].command(json!({ "type": "call", "target": "bob" }));
    pair.rigs[1].command(json!({ "type": "call", "target": "alice" }));
    pair.carry();
    for who in 0..2 {
        let id = pair.rigs[who].id_of("pendingSession");
        pair.command(who, json!({ "type": "accept", "id": id }));
    }
    for rig in &pair.rigs {
        assert_eq!(rig.count("sessionStarted"), 2);
        assert_eq!(rig.changes("active"), [true, true]);
    }
}
