//! ACKs of 2xx that are lost, late or repeated.

use std::time::Duration;

use sip::endpoint::{Body, CommandError, Endpoint, Event, Invite, Reply, UsageId};
use sip::message::{Method, Request, Response};
use sip::transaction::Transport;

use crate::lone::{Lone, SDP, accept, answer, incoming, uri, within};

/// A flow that breaks takes an ACK with it, and the 2xx's repeats go where that flow was.
#[test]
fn an_ack_is_repeated_over_the_next_flow() {
    let mut lone = Lone::over_wss();
    lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    lone.receive(accept(&invite, "b"));
    let ack = lone.request(Method::Ack);
    lone.flow_down();
    lone.advance(Duration::from_secs(1));
    lone.flow_up(Transport::Wss);
    assert_eq!(lone.request(Method::Ack).to_bytes(), ack.to_bytes());
    lone.nothing_sent();

    lone.advance(Duration::from_secs(40));
    lone.flow_down();
    lone.flow_up(Transport::Wss);
    lone.nothing_sent();
}

/// Bob's INVITE with this body, and our 200 that has no ACK yet.
fn unacknowledged(body: bool) -> (Lone, String, Response) {
    let (lone, _, invite, ok) = answered(body);
    (lone, invite, ok)
}

fn accepted_without_ack() -> (Lone, UsageId, Response) {
    let (lone, usage, _, ok) = answered(true);
    (lone, usage, ok)
}

fn answered(body: bool) -> (Lone, UsageId, String, Response) {
    let mut lone = Lone::over_wss();
    let mut invite = incoming("INVITE", "c1", "1", "");
    if !body {
        let head = invite.split("Content-Type").next().unwrap();
        invite = format!("{head}Content-Length: 0\r\n\r\n");
    }
    lone.receive(invite.clone());
    lone.response(100);
    let Event::Incoming { usage, .. } = lone.event() else {
        panic!("a call expected");
    };
    lone.act(|alice, now| alice.respond(usage, &Reply::new(200).sdp(SDP), now))
        .unwrap();
    let ok = lone.response(200);
    (lone, usage, invite, ok)
}

/// RFC 5407 §3.1.4.
#[test]
fn another_invite_of_the_caller_stands_for_a_lost_ack() {
    let (mut lone, invite, ok) = unacknowledged(true);
    lone.receive(within(&invite, &ok, "INVITE", 2, "2", "", SDP));
    lone.response(100);
    let Event::Request { id, .. } = lone.event() else {
        panic!("the offer expected");
    };
    lone.act(|alice, now| alice.answer(id, &Reply::new(200).sdp(SDP), now))
        .unwrap();
    let ok = lone.response(200);
    lone.receive(within(&invite, &ok, "ACK", 2, "ack", "", ""));
    assert!(matches!(lone.event(), Event::Acked { .. }));
    lone.advance(Duration::from_secs(60));
    lone.nothing_sent();
    lone.no_event();
}

/// Were the first 2xx still taken for lost, the call would end after 64·T1.
#[test]
fn a_call_stands_although_the_invite_behind_a_lost_ack_is_refused() {
    let (mut lone, invite, ok) = unacknowledged(true);
    lone.receive(within(&invite, &ok, "INVITE", 2, "2", "", SDP));
    lone.response(100);
    let Event::Request { id, .. } = lone.event() else {
        panic!("the offer expected");
    };
    lone.act(|alice, now| alice.answer(id, &Reply::new(488), now))
        .unwrap();
    lone.response(488);
    lone.advance(Duration::from_secs(60));
    lone.nothing_sent();
    lone.no_event();
}

/// An answer of ours whose ACK went to the flow that broke, and our offer over the next: its ACKs go there until the peer hears of
/// another flow, as by an offer of ours.
fn offer_after_a_lost_ack(mut lone: Lone, usage: UsageId, answer: &Response) -> (Lone, Request) {
    let offer = |alice: &mut Endpoint, now| {
        alice.request(usage, Method::Invite, &[], Some(&Body::sdp(SDP)), now)
    };
    assert!(matches!(lone.act(offer), Err(CommandError::OfferPending)));
    lone.flow_down();
    lone.flow_up(Transport::Wss);
    assert_eq!(lone.response(200).to_bytes(), answer.to_bytes());
    lone.act(offer).unwrap();
    let reinvite = lone.request(Method::Invite);
    (lone, reinvite)
}

fn stands(mut lone: Lone) {
    lone.advance(Duration::from_secs(60));
    lone.nothing_sent();
    lone.no_event();
}

#[test]
fn an_offer_need_not_wait_for_an_ack_that_a_broken_flow_may_have_taken() {
    let (mut lone, invite, ok) = unacknowledged(true);
    lone.receive(within(&invite, &ok, "ACK", 1, "ack", "", ""));
    let Event::Acked { usage, .. } = lone.event() else {
        panic!("the ACK expected");
    };
    lone.receive(within(&invite, &ok, "INVITE", 2, "2", "", SDP));
    lone.response(100);
    let Event::Request { id, .. } = lone.event() else {
        panic!("the offer expected");
    };
    lone.act(|alice, now| alice.answer(id, &Reply::new(200).sdp(SDP), now))
        .unwrap();
    let answered = lone.response(200);
    let (mut lone, reinvite) = offer_after_a_lost_ack(lone, usage, &answered);
    lone.receive(accept(&reinvite, "b"));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Response { .. }));
    stands(lone);
}

/// A call that was just answered, of a peer that refuses all offers: it is hung up on no more than another.
#[test]
fn a_refusal_of_that_offer_shows_as_well_that_our_answer_has_arrived() {
    let (lone, usage, ok) = accepted_without_ack();
    let (mut lone, reinvite) = offer_after_a_lost_ack(lone, usage, &ok);
    lone.receive(answer(&reinvite, 488, "b", ""));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Response { .. }));
    stands(lone);
}

#[test]
fn a_peer_that_says_that_its_own_offer_is_open_has_not_had_our_answer() {
    let (lone, usage, ok) = accepted_without_ack();
    let (mut lone, reinvite) = offer_after_a_lost_ack(lone, usage, &ok);
    lone.receive(answer(&reinvite, 491, "b", ""));
    lone.request(Method::Ack);
    lone.advance(Duration::from_millis(500));
    lone.response(200);
}

/// RFC 3311 §5.2: our 2xx has answered the first offer, so that the next may come.
#[test]
fn an_update_may_overtake_the_ack_of_our_answer() {
    let (mut lone, invite, ok) = unacknowledged(true);
    lone.receive(within(&invite, &ok, "UPDATE", 2, "2", "", SDP));
    assert!(matches!(lone.event(), Event::Request { .. }));
    lone.advance(Duration::from_millis(500));
    lone.response(200);
}

/// RFC 5407 §3.1.5: our offer in the 2xx has no answer yet.
#[test]
fn an_offer_before_the_answer_in_the_ack_is_given_491() {
    let (mut lone, invite, ok) = unacknowledged(false);
    lone.receive(within(&invite, &ok, "INVITE", 2, "2", "", SDP));
    lone.response(100);
    lone.response(491);
    lone.receive(within(&invite, &ok, "UPDATE", 3, "3", "", SDP));
    lone.response(491);
    lone.no_event();
}
