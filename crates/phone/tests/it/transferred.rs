//! Being transferred, being a transfer's target, and all three parties at once.

use std::time::Duration;

use phone::{ErrorCode, Reply, SessionId};
use serde_json::{Value, json};
use sip::message::{Method, Request};

use crate::harness::{Caller, Pair, Rig, alice, alice_with, answer, header};

/// Bob asks Alice to call Carol; she has said that she was asked.
fn referred() -> (Rig, Caller, SessionId) {
    let (mut rig, mut bob, id) = Rig::talking(alice());
    rig.receive(bob.request(
        "REFER",
        &[
            ("Refer-To", "<sip:carol@example.com>"),
            ("Referred-By", "<sip:bob@example.com>"),
        ],
        None,
    ));
    rig.response(202);
    let trying = rig.request(&Method::Notify);
    assert_eq!(text(&trying), "SIP/2.0 100 Trying\r\n");
    rig.receive(answer(&trying, 200, None));
    (rig, bob, id)
}

fn text(request: &Request) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

fn accept(id: SessionId) -> Value {
    json!({ "type": "acceptTransfer", "id": id })
}

/// The next report, and its subscription's state.
fn reported(rig: &mut Rig) -> (String, String) {
    let notify = rig.request(&Method::Notify);
    let state = header(&notify, "Subscription-State").unwrap();
    let said = (text(&notify).trim_end().to_owned(), state);
    rig.receive(answer(&notify, 200, None));
    said
}

#[test]
fn a_refer_calls_nobody_before_the_application_agrees() {
    let (mut rig, _, id) = referred();
    let asked = rig.last("transferRequested");
    assert_eq!(asked["id"], json!(id));
    assert_eq!(asked["target"], "sip:carol@example.com");
    assert_eq!(asked["referredBy"], "<sip:bob@example.com>");
    assert_eq!(asked["attended"], false);
    rig.seconds(29);
    assert!(rig.is_silent(), "toll fraud");
}

#[test]
fn an_undecided_refer_is_declined_in_the_end() {
    let (mut rig, _, id) = referred();
    assert_eq!(rig.count("transferRequestEnded"), 0);
    rig.seconds(30);
    let (status, state) = reported(&mut rig);
    assert_eq!(status, "SIP/2.0 603 Decline");
    assert_eq!(state, "terminated;reason=noresource");
    assert_eq!(rig.last("transferRequestEnded")["id"], json!(id));
    assert_eq!(rig.refused(accept(id)), "ERR_SESSION_STATE");
    assert!(rig.is_silent());
}

#[test]
fn a_rejected_refer_is_declined() {
    let (mut rig, _, id) = referred();
    rig.done(json!({ "type": "rejectTransfer", "id": id }));
    assert_eq!(reported(&mut rig).0, "SIP/2.0 603 Decline");
    assert_eq!(rig.count("transferRequestEnded"), 1);
    let again = json!({ "type": "rejectTransfer", "id": id });
    assert_eq!(rig.refused(again), "ERR_SESSION_STATE");
}

#[test]
fn a_followed_refer_is_reported_until_the_target_answers() {
    let (mut rig, _, id) = referred();
    let ticket = rig.command(accept(id));
    let invite = rig.request(&Method::Invite);
    assert_eq!(invite.uri().to_string(), "sip:carol@example.com");
    assert_eq!(
        header(&invite, "Referred-By").as_deref(),
        Some("<sip:bob@example.com>")
    );
    assert_eq!(header(&invite, "Replaces"), None);
    assert!(matches!(rig.reply(ticket), Some(Ok(Reply::Session(_)))));
    assert_eq!(rig.count("transferRequestEnded"), 1);
    rig.receive(answer(&invite, 180, None));
    let (status, state) = reported(&mut rig);
    assert_eq!(status, "SIP/2.0 180 Ringing");
    assert!(state.starts_with("active;expires="), "{state}");
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let (status, state) = reported(&mut rig);
    assert_eq!(status, "SIP/2.0 200 OK");
    assert_eq!(state, "terminated;reason=noresource");
    assert_eq!(rig.count("terminated"), 0);
}

/// The call that it leads to takes the place of the one that is transferred.
#[test]
fn a_refer_is_followed_although_there_is_no_time_for_more_calls() {
    let (mut rig, _, id) = referred();
    rig.phone.handle_load(1.0);
    rig.command(accept(id));
    rig.request(&Method::Invite);
}

#[test]
fn a_target_that_refuses_is_reported() {
    let (mut rig, _, id) = referred();
    rig.command(accept(id));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 486, None));
    rig.request(&Method::Ack);
    assert_eq!(reported(&mut rig).0, "SIP/2.0 486 Busy Here");
    rig.assert_ended_once("busy", "remote");
}

#[test]
fn a_referred_call_that_its_user_gives_up_is_reported() {
    let (mut rig, _, id) = referred();
    rig.command(accept(id));
    let invite = rig.request(&Method::Invite);
    let new = rig.id_of("sessionStarted");
    rig.done(json!({ "type": "end", "id": new }));
    assert_eq!(reported(&mut rig).0, "SIP/2.0 487 Request Terminated");
    rig.receive(answer(&invite, 180, None));
    rig.request(&Method::Cancel);
}

#[test]
fn reports_go_on_after_the_transferor_has_hung_up() {
    // RFC 5057 §4.2.
    let (mut rig, mut bob, id) = referred();
    rig.receive(bob.bye(&[]));
    rig.response(200);
    rig.assert_ended_once("success", "remote");
    rig.command(accept(id));
    assert_eq!(rig.count("transferRequestEnded"), 0);
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(reported(&mut rig).0, "SIP/2.0 200 OK");
    rig.receive(bob.request("NOTIFY", &[("Event", "refer")], None));
    rig.response(481);
}

#[test]
fn a_second_refer_waits_its_turn_and_is_reported_with_its_id() {
    let (mut rig, mut bob, id) = referred();
    let refer =
        |bob: &mut Caller| bob.request("REFER", &[("Refer-To", "<sip:dave@example.com>")], None);
    rig.receive(refer(&mut bob));
    rig.response(491);
    rig.done(json!({ "type": "rejectTransfer", "id": id }));
    reported(&mut rig);
    rig.receive(refer(&mut bob));
    rig.response(202);
    let notify = rig.request(&Method::Notify);
    let event = header(&notify, "Event").unwrap();
    assert!(event.starts_with("refer;id="), "{event}");
}

#[test]
fn a_refer_that_wants_no_reports_gets_none() {
    // RFC 4488 §4.
    let (mut rig, mut bob, id) = Rig::talking(alice());
    rig.receive(bob.request(
        "REFER",
        &[
            ("Refer-To", "<sip:carol@example.com>"),
            ("Refer-Sub", "false"),
        ],
        None,
    ));
    let accepted = rig.response(202);
    assert_eq!(accepted.headers().get("Refer-Sub"), Some("false"));
    rig.command(accept(id));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    assert!(rig.is_silent());
}

#[test]
fn a_refer_that_can_not_be_followed_is_refused() {
    let (mut rig, mut bob, _) = Rig::talking(alice());
    for (headers, code) in [
        (&[][..], 400),
        (&[("Refer-To", "<https://example.com>")][..], 416),
        (
            &[("Refer-To", "<sip:carol@example.com;method=SUBSCRIBE>")][..],
            501,
        ),
    ] {
        rig.receive(bob.request("REFER", headers, None));
        rig.response(code);
    }
    assert_eq!(rig.count("transferRequested"), 0);
}

#[test]
fn destroying_the_phone_declines_an_undecided_refer() {
    let (mut rig, _, _) = referred();
    rig.command(json!({ "type": "destroy" }));
    assert_eq!(reported(&mut rig).0, "SIP/2.0 603 Decline");
    rig.seconds(3);
    assert_eq!(rig.unsettled(), Vec::<u64>::new());
}

/// An INVITE of Carol's that names a dialog by Call-ID and Alice's and Bob's tags, and Bob as who referred her.
fn replacing(carol: &mut Caller, bob: &Caller, more: &str) -> bytes::Bytes {
    let headers = [("Referred-By", "<sip:bob@example.com>")];
    bob.replaced_by(carol, more, &headers)
}

#[test]
fn an_invite_with_replaces_takes_a_calls_place() {
    let (mut rig, bob, old) = Rig::talking(alice());
    rig.done(json!({ "type": "mute", "id": old, "muted": true }));
    rig.events.clear();
    rig.order.clear();
    let mut carol = Caller::new("c2").from("<sip:carol@example.com>");
    rig.receive(replacing(&mut carol, &bob, ""));
    let pending = rig.last("pendingSession");
    assert_eq!(pending["replaces"], json!(old));
    assert_eq!(pending["autoAnswerSource"], "replaces");
    rig.beyond_trying(180);
    carol.learn(&rig.response(200));
    // RFC 3891 §3: the new one is answered, then the old one ends.
    rig.request(&Method::Bye);
    rig.receive(carol.ack(None));
    rig.assert_ended_once("alternative-session", "remote");
    assert_eq!(rig.last("sessionEnded")["id"], json!(old));
    assert!(rig.place("200 to INVITE") < rig.place("BYE"));
    let new = rig.last("sessionStarted");
    assert_ne!(new["session"]["id"], json!(old));
    assert_eq!(new["session"]["muted"], true, "a muted microphone stays so");
}

#[test]
fn a_replaces_must_match_in_all_three_parts() {
    let (mut rig, bob, _) = Rig::talking(alice());
    let (call_id, ours, theirs) = bob.dialog();
    let wrong = [
        format!("other;to-tag={ours};from-tag={theirs}"),
        format!("{call_id};to-tag=other;from-tag={theirs}"),
        format!("{call_id};to-tag={ours};from-tag=other"),
        format!("{call_id};to-tag={theirs};from-tag={ours}"),
    ];
    for (number, replaces) in wrong.iter().enumerate() {
        let mut carol = Caller::new(&format!("wrong-{number}"));
        rig.receive(carol.invite(&[("Replaces", replaces)], Some("v=0\r\n")));
        rig.beyond_trying(481);
    }
    assert_eq!(rig.count("pendingSession"), 0);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn an_early_only_replaces_does_not_take_an_answered_call() {
    let (mut rig, bob, _) = Rig::talking(alice());
    let mut carol = Caller::new("c2");
    rig.receive(replacing(&mut carol, &bob, ";early-only"));
    rig.beyond_trying(486);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn a_replaces_of_a_call_that_has_ended_is_declined() {
    let (mut rig, mut bob, _) = Rig::talking(alice());
    rig.receive(bob.bye(&[]));
    rig.response(200);
    let mut carol = Caller::new("c2");
    rig.receive(replacing(&mut carol, &bob, ""));
    rig.beyond_trying(603);
}

#[test]
fn a_replaces_of_a_call_that_rings_here_finds_nothing() {
    // RFC 3891 §3: an early dialog that this side did not begin.
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0 theirs\r\n")));
    bob.learn(&rig.beyond_trying(180));
    let mut carol = Caller::new("c2");
    rig.receive(replacing(&mut carol, &bob, ""));
    rig.beyond_trying(481);
    assert_eq!(rig.count("pendingSession"), 1);
}

#[test]
fn a_replaces_picks_up_a_call_that_we_placed() {
    for more in ["", ";early-only"] {
        let mut rig = Rig::registered(alice());
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&Method::Invite);
        rig.receive(answer(&invite, 180, None));
        let old = rig.id_of("sessionStarted");
        let bob = Caller::of_callee(&invite);
        let mut carol = Caller::new("c2");
        rig.receive(replacing(&mut carol, &bob, more));
        rig.beyond_trying(180);
        rig.response(200);
        rig.request(&Method::Cancel);
        rig.assert_ended_once("alternative-session", "remote");
        assert_eq!(rig.last("sessionEnded")["id"], json!(old));
    }
}

#[test]
fn two_replaces_or_a_join_beside_one_are_a_bad_request() {
    let (mut rig, bob, _) = Rig::talking(alice());
    let (call_id, ours, theirs) = bob.dialog();
    let replaces = format!("{call_id};to-tag={ours};from-tag={theirs}");
    for (name, headers) in [
        ("two", [("Replaces", &*replaces), ("Replaces", &*replaces)]),
        ("join", [("Replaces", &*replaces), ("Join", &*replaces)]),
        ("bad", [("Replaces", "nothing"), ("Subject", "x")]),
    ] {
        let mut carol = Caller::new(name);
        rig.receive(carol.invite(&headers, Some("v=0\r\n")));
        rig.beyond_trying(400);
    }
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn a_replacement_is_taken_although_max_sessions_is_reached_and_there_is_no_time_for_more_calls() {
    let mut rig = Rig::registered(alice_with(json!({ "maxSessions": 1 })));
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0 theirs\r\n")));
    bob.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(bob.ack(None));
    rig.phone.handle_load(1.0);
    let mut carol = Caller::new("c2");
    rig.receive(replacing(&mut carol, &bob, ""));
    rig.beyond_trying(180);
    rig.response(200);
}

/// Alice called Bob, who answers by himself.
fn alice_and_bob() -> (Pair, SessionId, SessionId) {
    let mut pair = Pair::with_carol(json!({
        "autoAnswer": { "policy": "always", "whenBusy": "answer" },
    }));
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    pair.advance(Duration::from_secs(2));
    let alices = pair.rigs[0].id_of("sessionStarted");
    let bobs = pair.rigs[1].id_of("sessionStarted");
    (pair, alices, bobs)
}

#[test]
fn three_phones_transfer_blindly() {
    let (mut pair, alices, bobs) = alice_and_bob();
    let ticket = pair.command(
        0,
        json!({ "type": "transfer", "id": alices, "target": "carol" }),
    );
    assert_eq!(pair.rigs[1].last("transferRequested")["id"], json!(bobs));
    pair.command(1, accept(bobs));
    pair.advance(Duration::from_secs(2));
    assert_eq!(pair.rigs[0].reply(ticket), Some(&Ok(Reply::Done)));
    pair.rigs[0].assert_ended_once("success", "local");
    pair.rigs[1].assert_ended_once("success", "remote");
    assert_eq!(pair.rigs[2].last("pendingSession")["address"], "bob");
    assert_eq!(pair.rigs[2].changes("state"), ["active"]);
    pair.advance(Duration::from_secs(600));
    assert_eq!(pair.rigs[2].count("terminated"), 0);
    assert_eq!(pair.rigs[1].count("terminated"), 1);
}

#[test]
fn three_phones_transfer_after_a_consultation() {
    let (mut pair, alices, bobs) = alice_and_bob();
    pair.command(0, json!({ "type": "call", "target": "carol" }));
    pair.advance(Duration::from_secs(2));
    let consultation = pair.rigs[0].id_of("sessionStarted");
    let ticket = pair.command(
        0,
        json!({ "type": "attendedTransfer", "id": alices, "other": consultation }),
    );
    assert_eq!(pair.rigs[1].last("transferRequested")["attended"], true);
    assert_eq!(
        pair.rigs[0].count("terminated"),
        0,
        "it stays until accepted"
    );
    pair.command(1, accept(bobs));
    pair.advance(Duration::from_secs(2));
    assert_eq!(pair.rigs[0].reply(ticket), Some(&Ok(Reply::Done)));
    assert_eq!(pair.rigs[0].count("terminated"), 2);
    pair.rigs[1].assert_ended_once("success", "remote");
    pair.rigs[2].assert_ended_once("alternative-session", "remote");
    assert_eq!(pair.rigs[2].last("pendingSession")["address"], "bob");
    pair.advance(Duration::from_secs(600));
    for (who, ended) in [(0, 2), (1, 1), (2, 1)] {
        assert_eq!(pair.rigs[who].count("sessionEnded"), ended, "{who}");
        assert_eq!(pair.rigs[who].unsettled(), Vec::<u64>::new(), "{who}");
    }
}

#[test]
fn a_transfer_that_the_transferee_rejects_leaves_both_calls() {
    let (mut pair, alices, bobs) = alice_and_bob();
    pair.command(0, json!({ "type": "call", "target": "carol" }));
    pair.advance(Duration::from_secs(2));
    let consultation = pair.rigs[0].id_of("sessionStarted");
    let ticket = pair.command(
        0,
        json!({ "type": "attendedTransfer", "id": alices, "other": consultation }),
    );
    pair.command(1, json!({ "type": "rejectTransfer", "id": bobs }));
    let error = pair.rigs[0].error(ticket);
    assert_eq!(error.code, ErrorCode::TransferFailed);
    assert_eq!(error.sip.unwrap().code, 603);
    pair.advance(Duration::from_secs(600));
    assert!(pair.rigs.iter().all(|rig| rig.count("terminated") == 0));
}
