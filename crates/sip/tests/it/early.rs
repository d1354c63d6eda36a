//! Offers inside early dialogs: RFC 3311 §5, RFC 3262 §5. Traps 25 and 26.

use sip::endpoint::{CommandError, Event, Invite, Reply, ServerRequestId, UsageId};
use sip::message::{Method, Request, Response};

use crate::lone::{
    Lone, SDP, accept, answer, answer_with_body, from_callee, incoming, uri, within,
};

#[track_caller]
fn asked(lone: &mut Lone) -> ServerRequestId {
    match lone.event() {
        Event::Request { id, .. } => id,
        other => panic!("Request expected, got {other:?}"),
    }
}

fn reply(lone: &mut Lone, id: ServerRequestId, reply: &Reply) {
    lone.act(|alice, now| alice.answer(id, reply, now)).unwrap();
}

/// Our INVITE, which each of these forks has answered reliably and with a description.
fn forked(tags: &[&str]) -> (Lone, Request) {
    let mut lone = Lone::over_wss();
    lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    for tag in tags {
        let contact = format!("Contact: <sip:{tag}@callee.invalid;transport=ws>\r\n");
        let extra = format!("{contact}Require: 100rel\r\nRSeq: 1\r\n");
        lone.receive(answer_with_body(&invite, 183, tag, &extra, SDP));
        let prack = lone.request(Method::Prack);
        lone.receive(answer(&prack, 200, tag, ""));
        lone.event();
    }
    (lone, invite)
}

#[test]
fn behind_a_reliable_answer_each_fork_may_offer_one_at_a_time() {
    let (mut lone, invite) = forked(&["b", "c"]);
    let moved = "Contact: <sip:moved@callee.invalid>\r\n";
    lone.receive(from_callee(&invite, "b", "UPDATE", 1, moved, SDP));
    let b = asked(&mut lone);
    lone.receive(from_callee(&invite, "b", "UPDATE", 2, "", SDP));
    assert!(lone.response(500).headers().get("Retry-After").is_some());
    lone.receive(from_callee(&invite, "c", "UPDATE", 1, "", SDP).replace("z9hG4bK", "z9hG4bKc"));
    let c = asked(&mut lone);
    reply(&mut lone, b, &Reply::new(200).sdp(SDP));
    assert_eq!(lone.response(200).body().as_ref(), SDP.as_bytes());
    assert!(matches!(lone.event(), Event::OfferDue { .. }));
    reply(&mut lone, c, &Reply::new(488));
    lone.response(488);
    assert!(matches!(lone.event(), Event::OfferDue { .. }));
    lone.receive(from_callee(&invite, "b", "UPDATE", 3, "", SDP));
    let again = asked(&mut lone);
    reply(&mut lone, again, &Reply::new(200).sdp(SDP));
    lone.response(200);
    lone.events();

    // The target has moved with the offer that was taken.
    lone.receive(answer(&invite, 200, "b", ""));
    let ack = lone.request(Method::Ack);
    assert_eq!(ack.uri().as_str(), "sip:moved@callee.invalid");
}

#[test]
fn an_offer_that_the_refusal_of_the_call_overtakes_is_given_487() {
    let (mut lone, invite) = forked(&["b"]);
    lone.receive(from_callee(&invite, "b", "UPDATE", 1, "", SDP));
    let id = asked(&mut lone);
    lone.receive(answer(&invite, 486, "b", ""));
    lone.request(Method::Ack);
    lone.response(487);
    let events = lone.events();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::RequestGone { id: gone } if *gone == id))
    );
    assert!(matches!(events.last(), Some(Event::Failed { .. })));
}

#[test]
fn another_fork_may_answer_while_an_offer_is_open() {
    let (mut lone, invite) = forked(&["b", "c"]);
    lone.receive(from_callee(&invite, "b", "UPDATE", 1, "", SDP));
    let id = asked(&mut lone);
    lone.receive(accept(&invite, "c"));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Answered { .. }));
    reply(&mut lone, id, &Reply::new(500));
    lone.response(500);
    lone.no_event();
}

/// A call to us whose caller knows our early media.
fn early_media() -> (Lone, UsageId, String, Response) {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "Supported: 100rel\r\n");
    lone.receive(invite.clone());
    lone.response(100);
    let Event::Incoming { usage, .. } = lone.event() else {
        panic!("a call expected");
    };
    let early = Reply::new(183).sdp(SDP);
    lone.act(|alice, now| alice.respond(usage, &early, now))
        .unwrap();
    let early = lone.response(183);
    (lone, usage, invite, early)
}

fn prack(invite: &str, early: &Response, cseq: u32, body: &str) -> String {
    let rseq = early.headers().get("RSeq").unwrap();
    let rack = format!("RAck: {rseq} 1 INVITE\r\n");
    let branch = format!("prack{cseq}");
    within(invite, early, "PRACK", cseq, &branch, &rack, body)
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_2xx() {
    let (mut lone, usage, invite, early) = early_media();
    lone.receive(prack(&invite, &early, 2, SDP));
    let id = asked(&mut lone);
    assert!(matches!(lone.event(), Event::OfferDue { .. }));
    let ok = Reply::new(200).sdp(SDP);
    let held = lone.act(|alice, now| alice.respond(usage, &ok, now));
    assert_eq!(held, Err(CommandError::OfferPending));
    reply(&mut lone, id, &ok);
    let response = lone.response(200);
    assert_eq!(response.headers().get("CSeq"), Some("2 PRACK"));
    assert_eq!(response.body().as_ref(), SDP.as_bytes());
    assert!(matches!(lone.event(), Event::OfferDue { usage: u } if u == usage));
    lone.act(|alice, now| alice.respond(usage, &Reply::new(200), now))
        .unwrap();
    lone.response(200);
}

#[test]
fn a_prack_with_an_offer_stops_the_repeats_even_where_it_is_refused() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "Require: 100rel\r\n");
    lone.receive(invite.clone());
    lone.response(100);
    let Event::Incoming { usage, .. } = lone.event() else {
        panic!("a call expected");
    };
    lone.act(|alice, now| alice.respond(usage, &Reply::new(180), now))
        .unwrap();
    let ringing = lone.response(180);
    // The INVITE's own offer has no answer yet.
    lone.receive(prack(&invite, &ringing, 2, SDP));
    lone.response(488);
    lone.advance(std::time::Duration::from_secs(40));
    lone.nothing_sent();
    lone.no_event();
}

#[test]
fn behind_our_acknowledged_early_media_the_caller_may_offer() {
    let (mut lone, usage, invite, early) = early_media();
    lone.receive(within(&invite, &early, "UPDATE", 2, "u2", "", SDP));
    assert!(lone.response(500).headers().get("Retry-After").is_some());
    lone.receive(prack(&invite, &early, 3, ""));
    lone.response(200);
    assert!(matches!(lone.event(), Event::OfferDue { .. }));
    lone.receive(within(&invite, &early, "UPDATE", 4, "u4", "", SDP));
    let id = asked(&mut lone);
    reply(&mut lone, id, &Reply::new(200).sdp(SDP));
    lone.response(200);
    assert!(matches!(lone.event(), Event::OfferDue { .. }));
    lone.act(|alice, now| alice.respond(usage, &Reply::new(200).sdp(SDP), now))
        .unwrap();
    lone.response(200);
}

#[test]
fn an_offer_that_the_cancel_overtakes_is_given_487() {
    let (mut lone, _, invite, early) = early_media();
    lone.receive(prack(&invite, &early, 2, SDP));
    asked(&mut lone);
    lone.events();
    let head = invite.replace("INVITE", "CANCEL");
    let head = head.split("Content-Type").next().unwrap();
    lone.receive(format!("{head}Content-Length: 0\r\n\r\n"));
    lone.response(200);
    lone.response(487);
    let prack = lone.response(487);
    assert_eq!(prack.headers().get("CSeq"), Some("2 PRACK"));
}
