//! Provisional answers that arrive for sure: RFC 3262. Traps 8 and 25.

use std::time::Duration;

use sip::endpoint::{CommandError, Event, Invite, Reply, UsageId};
use sip::message::{Method, Request, Response};

use crate::lone::{
    Lone, SDP, accept, answer, answer_with_body, from_callee, header, incoming, uri, within,
};

fn call(lone: &mut Lone) -> (UsageId, Request) {
    let usage = lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    (usage, lone.request(Method::Invite))
}

fn reliable(invite: &Request, code: u16, tag: &str, rseq: u32) -> bytes::Bytes {
    let extra = format!(
        "Contact: <sip:{tag}@callee.invalid;transport=ws>\r\nRequire: 100rel\r\nRSeq: {rseq}\r\n"
    );
    answer_with_body(invite, code, tag, &extra, SDP)
}

#[track_caller]
fn provisional(event: Event) -> bool {
    match event {
        Event::Provisional { reliable, .. } => reliable,
        other => panic!("Provisional expected, got {other:?}"),
    }
}

fn cseq(request: &Request) -> u32 {
    request.headers().cseq().unwrap().number
}

#[test]
fn an_invite_says_that_it_can_be_answered_reliably_if_it_has_an_offer() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    assert!(invite.headers().lists("Supported", "100rel"));
    lone.act(|alice, now| {
        let invite = Invite::new(uri("sip:bob@example.com"));
        alice.invite(invite, now).unwrap()
    });
    let late = lone.request(Method::Invite);
    assert!(!late.headers().lists("Supported", "100rel"));
}

#[test]
fn a_reliable_answer_is_acknowledged_in_its_early_dialog() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    lone.receive(reliable(&invite, 183, "b", 4711));
    let prack = lone.request(Method::Prack);
    assert_eq!(header(&prack, "RAck"), "4711 1 INVITE");
    assert_eq!(prack.uri().as_str(), "sip:b@callee.invalid;transport=ws");
    assert!(header(&prack, "To").ends_with(";tag=b"));
    assert_eq!(cseq(&prack), 2);
    assert!(provisional(lone.event()));
    lone.receive(answer(&prack, 200, "b", ""));
    lone.no_event();
    // The call goes on where the early dialog was.
    lone.receive(accept(&invite, "b"));
    let ack = lone.request(Method::Ack);
    assert_eq!(cseq(&ack), 1);
    let Event::Answered { usage, .. } = lone.event() else {
        panic!("an answer expected");
    };
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    assert_eq!(cseq(&lone.request(Method::Bye)), 3);
}

#[test]
fn what_came_before_and_what_comes_too_early_is_as_if_it_had_not_come() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    lone.receive(reliable(&invite, 183, "b", 10));
    lone.request(Method::Prack);
    lone.events();
    for rseq in [10, 9, 12, 0] {
        lone.receive(reliable(&invite, 183, "b", rseq));
        lone.nothing_sent();
        assert!(matches!(lone.event(), Event::Discarded { .. }), "{rseq}");
    }
    lone.receive(reliable(&invite, 180, "b", 11));
    assert_eq!(header(&lone.request(Method::Prack), "RAck"), "11 1 INVITE");
}

#[test]
fn each_fork_counts_for_itself() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    for (tag, rseq) in [("b", 10), ("c", 900), ("b", 11), ("c", 901)] {
        lone.receive(reliable(&invite, 183, tag, rseq));
        let prack = lone.request(Method::Prack);
        assert_eq!(header(&prack, "RAck"), format!("{rseq} 1 INVITE"));
        assert!(header(&prack, "To").ends_with(&format!(";tag={tag}")));
        assert!(provisional(lone.event()));
    }
}

#[test]
fn an_unreliable_answer_is_not_acknowledged() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    // RFC 3262 §4: an RSeq alone does not count.
    let extra = "Contact: <sip:b@callee.invalid>\r\nRSeq: 1\r\nSupported: 100rel\r\n";
    lone.receive(answer(&invite, 180, "b", extra));
    lone.nothing_sent();
    assert!(!provisional(lone.event()));
}

#[test]
fn a_prack_that_nobody_knows_changes_nothing() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    lone.receive(reliable(&invite, 183, "b", 1));
    let prack = lone.request(Method::Prack);
    lone.events();
    lone.receive(answer(&prack, 481, "b", ""));
    lone.no_event();
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Answered { .. }));
}

#[test]
fn an_update_without_an_offer_moves_an_early_dialog() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    lone.receive(reliable(&invite, 183, "b", 1));
    lone.request(Method::Prack);
    let moved = "Contact: <sip:b@elsewhere.invalid;transport=ws>\r\n";
    lone.receive(from_callee(&invite, "b", "UPDATE", 1, moved, ""));
    lone.response(200);
    lone.receive(reliable(&invite, 183, "b", 2));
    let prack = lone.request(Method::Prack);
    assert_eq!(prack.uri().as_str(), "sip:b@elsewhere.invalid;transport=ws");
}

fn called(lone: &mut Lone, extra: &str) -> (UsageId, String) {
    let invite = incoming("INVITE", "c1", "1", extra);
    lone.receive(invite.clone());
    lone.response(100);
    match lone.event() {
        Event::Incoming { usage, .. } => (usage, invite),
        other => panic!("Incoming expected, got {other:?}"),
    }
}

fn respond(lone: &mut Lone, usage: UsageId, reply: &Reply) {
    lone.act(|alice, now| alice.respond(usage, reply, now))
        .unwrap();
}

fn rseq(response: &Response) -> u32 {
    let rseq = response.headers().get("RSeq").expect("an RSeq");
    rseq.parse().unwrap()
}

fn prack(invite: &str, to: &Response, number: u32, cseq: u32) -> String {
    let rack = format!("RAck: {number} 1 INVITE\r\n");
    let branch = format!("prack{cseq}");
    within(invite, to, "PRACK", cseq, &branch, &rack, "")
}

const REQUIRED: &str = "Require: 100rel\r\n";

#[test]
fn who_insists_is_rung_reliably_until_the_prack() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = called(&mut lone, REQUIRED);
    respond(&mut lone, usage, &Reply::new(180));
    let ringing = lone.response(180);
    assert!(ringing.headers().lists("Require", "100rel"));
    // T1, doubling.
    for wait in [500, 1000, 2000, 4000, 8000] {
        lone.advance(Duration::from_millis(wait - 1));
        lone.nothing_sent();
        lone.advance(Duration::from_millis(1));
        assert_eq!(rseq(&lone.response(180)), rseq(&ringing));
    }
    lone.receive(prack(&invite, &ringing, rseq(&ringing), 2));
    lone.response(200);
    lone.advance(Duration::from_secs(40));
    lone.nothing_sent();
    lone.no_event();
    respond(&mut lone, usage, &Reply::new(200).sdp(SDP));
    lone.response(200);
}

#[test]
fn who_only_can_is_rung_as_ever_but_gets_early_media_reliably() {
    let mut lone = Lone::over_wss();
    let (usage, _) = called(&mut lone, "Supported: 100rel\r\n");
    respond(&mut lone, usage, &Reply::new(180));
    assert_eq!(lone.response(180).headers().get("RSeq"), None);
    respond(&mut lone, usage, &Reply::new(183).sdp(SDP));
    rseq(&lone.response(183));
}

#[test]
fn the_next_reliable_answer_waits_for_the_prack_of_the_last() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = called(&mut lone, REQUIRED);
    respond(&mut lone, usage, &Reply::new(183).sdp(SDP));
    let first = lone.response(183);
    respond(&mut lone, usage, &Reply::new(180));
    lone.nothing_sent();
    lone.receive(prack(&invite, &first, rseq(&first), 2));
    lone.response(200);
    let second = lone.response(180);
    assert_eq!(rseq(&second), rseq(&first) + 1);
}

#[test]
fn early_media_has_to_be_acknowledged_before_the_answer() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = called(&mut lone, REQUIRED);
    respond(&mut lone, usage, &Reply::new(183).sdp(SDP));
    let early = lone.response(183);
    let ok = Reply::new(200).sdp(SDP);
    let refused = lone.act(|alice, now| alice.respond(usage, &ok, now));
    assert_eq!(refused, Err(CommandError::OfferPending));
    lone.receive(prack(&invite, &early, rseq(&early), 2));
    lone.response(200);
    respond(&mut lone, usage, &ok);
    lone.response(200);
}

#[test]
fn an_answer_ends_the_wait_and_a_prack_behind_it_is_still_right() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = called(&mut lone, REQUIRED);
    respond(&mut lone, usage, &Reply::new(180));
    let ringing = lone.response(180);
    respond(&mut lone, usage, &Reply::new(200).sdp(SDP));
    lone.response(200);
    lone.receive(prack(&invite, &ringing, rseq(&ringing), 2));
    lone.response(200);
    lone.receive(prack(&invite, &ringing, rseq(&ringing) + 1, 3));
    lone.response(481);
    lone.no_event();
}

#[test]
fn a_prack_for_nothing_of_ours_is_given_481() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = called(&mut lone, REQUIRED);
    respond(&mut lone, usage, &Reply::new(180));
    let ringing = lone.response(180);
    lone.receive(prack(&invite, &ringing, rseq(&ringing) + 1, 2));
    lone.response(481);
    lone.receive(prack(&invite, &ringing, rseq(&ringing), 3));
    lone.response(200);
    // The same again is none of ours any more.
    lone.receive(prack(&invite, &ringing, rseq(&ringing), 4));
    lone.response(481);
}

#[test]
fn without_a_prack_the_call_is_refused() {
    let mut lone = Lone::over_wss();
    let (usage, _) = called(&mut lone, REQUIRED);
    respond(&mut lone, usage, &Reply::new(180));
    lone.advance(Duration::from_millis(31_999));
    lone.no_event();
    lone.sent.clear();
    lone.advance(Duration::from_millis(1));
    let events = lone.events();
    assert!(
        matches!(events[..], [Event::Cancelled { usage: u, cancel: None }] if u == usage),
        "{events:?}"
    );
    while let Some((_, bytes)) = lone.sent.pop_front() {
        if bytes.starts_with(b"SIP/2.0 504") {
            return;
        }
    }
    panic!("504 expected");
}

#[test]
fn an_invite_without_an_offer_that_insists_is_not_rung() {
    let mut lone = Lone::over_wss();
    let text = incoming("INVITE", "c1", "1", REQUIRED);
    let head = text.split("Content-Type").next().unwrap();
    lone.receive(format!("{head}Content-Length: 0\r\n\r\n"));
    lone.response(100);
    let Event::Incoming { usage, .. } = lone.event() else {
        panic!("a call expected");
    };
    // RFC 3261 §13.2.1: the first reliable answer would have to bring our offer.
    respond(&mut lone, usage, &Reply::new(180));
    lone.nothing_sent();
    respond(&mut lone, usage, &Reply::new(200).sdp(SDP));
    lone.response(200);
}

#[test]
fn a_cancel_ends_what_waits_for_a_prack() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = called(&mut lone, REQUIRED);
    respond(&mut lone, usage, &Reply::new(180));
    lone.response(180);
    let head = invite.replace("INVITE", "CANCEL");
    let head = head.split("Require").next().unwrap();
    lone.receive(format!("{head}Content-Length: 0\r\n\r\n"));
    lone.response(200);
    lone.response(487);
    lone.events();
    lone.advance(Duration::from_millis(499));
    lone.nothing_sent();
}
