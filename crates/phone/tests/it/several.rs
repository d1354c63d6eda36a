//! Several calls at once: waiting, swapped, one heard at a time.

use std::time::Duration;

use phone::SessionId;
use serde_json::json;

use crate::harness::Pair;

/// Alice called Bob, and Carol calls Alice.
fn waiting(more: serde_json::Value) -> (Pair, SessionId, SessionId) {
    let mut pair = Pair::with_carol(more);
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    let bobs = pair.rigs[1].id_of("pendingSession");
    pair.command(1, json!({ "type": "accept", "id": bobs }));
    pair.advance(Duration::from_secs(1));
    let first = pair.rigs[0].id_of("sessionStarted");
    pair.command(2, json!({ "type": "call", "target": "alice" }));
    let second = pair.rigs[0].id_of("pendingSession");
    (pair, first, second)
}

/// Whether Alice holds the other party of each of these, as she was told last.
fn held(pair: &Pair, ids: [SessionId; 2]) -> [bool; 2] {
    ids.map(|id| {
        let events = pair.rigs[0].events.iter();
        events
            .filter_map(|event| match event {
                phone::Event::SessionChanged { id: of, changes } if *of == id => changes.held,
                _ => None,
            })
            .next_back()
            .unwrap_or(false)
    })
}

#[test]
fn a_waiting_call_is_accepted_and_the_other_one_held() {
    let (mut pair, first, second) = waiting(json!({ "holdOthers": true }));
    assert_eq!(held(&pair, [first, second]), [false, false]);
    pair.command(0, json!({ "type": "accept", "id": second }));
    pair.advance(Duration::from_secs(1));
    assert_eq!(held(&pair, [first, second]), [true, false]);
    assert_eq!(pair.rigs[0].count("terminated"), 0);
}

#[test]
fn resuming_one_call_swaps_two() {
    let (mut pair, first, second) = waiting(json!({ "holdOthers": true }));
    pair.command(0, json!({ "type": "accept", "id": second }));
    pair.advance(Duration::from_secs(1));
    for expected in [[false, true], [true, false]] {
        let id = if expected[0] { second } else { first };
        pair.command(0, json!({ "type": "hold", "id": id, "held": false }));
        pair.advance(Duration::from_secs(1));
        assert_eq!(held(&pair, [first, second]), expected);
    }
    assert_eq!(pair.rigs[0].unsettled(), Vec::<u64>::new());
}

#[test]
fn placing_a_second_call_holds_the_first() {
    let (mut pair, first, second) = waiting(json!({ "holdOthers": true }));
    pair.command(0, json!({ "type": "reject", "id": second }));
    pair.command(0, json!({ "type": "call", "target": "carol" }));
    pair.advance(Duration::from_secs(1));
    assert!(held(&pair, [first, second])[0]);
}

#[test]
fn all_calls_are_heard_where_nothing_is_said() {
    let (mut pair, first, second) = waiting(json!({}));
    pair.command(0, json!({ "type": "accept", "id": second }));
    pair.advance(Duration::from_secs(1));
    assert_eq!(held(&pair, [first, second]), [false, false]);
}

#[test]
fn a_call_beyond_max_sessions_finds_us_busy() {
    let mut pair = Pair::with_carol(json!({ "maxSessions": 1 }));
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    pair.command(2, json!({ "type": "call", "target": "alice" }));
    pair.advance(Duration::from_secs(1));
    pair.rigs[2].assert_ended_once("busy", "remote");
    assert_eq!(pair.rigs[0].count("pendingSession"), 0);
}
