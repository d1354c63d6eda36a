//! Calls that we place.

use std::time::Duration;

use sip::endpoint::{
    CommandError, EndCause, Event, FailureCause, Invite, Redirects, Reply, RequestFailure, UsageId,
};
use sip::header::Reason;
use sip::message::{Method, Request};
use sip::transaction::Transport;

use crate::lone::{
    Lone, SDP, accept, answer, answer_with_body, config, from_callee, header, ringing, uri,
};

mod acks;
mod cancel;
mod forks;
mod identity;
mod redirection;
mod resuming;

fn call(lone: &mut Lone) -> (UsageId, Request) {
    let usage = lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    (usage, lone.request(Method::Invite))
}

/// Places a call that `tag` accepts, and returns the INVITE.
fn established(lone: &mut Lone, tag: &str) -> (UsageId, Request) {
    let (usage, invite) = call(lone);
    lone.receive(accept(&invite, tag));
    lone.request(Method::Ack);
    lone.events();
    (usage, invite)
}

fn established_after(lone: &mut Lone) -> (UsageId, Request) {
    lone.events();
    established(lone, "c")
}

fn cseq(request: &Request) -> u32 {
    request.headers().cseq().unwrap().number
}

fn branch(request: &Request) -> String {
    let via = request.headers().via().unwrap();
    via.branch().unwrap().to_owned()
}

#[track_caller]
fn failed(event: Event) -> FailureCause {
    match event {
        Event::Failed { cause, .. } => cause,
        other => panic!("Failed expected, got {other:?}"),
    }
}

/// Trap 11.
#[test]
fn the_2xx_rebuilds_the_route_set_of_its_early_dialog_once_and_a_refresh_never() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    let early = "Record-Route: <sip:early.example.com;lr>\r\nContact: <sip:b1@callee.invalid>\r\n";
    lone.receive(answer(&invite, 183, "b", early));
    let fixed = "Record-Route: <sip:final.example.com;lr>\r\nContact: <sip:b2@callee.invalid>\r\n";
    lone.receive(answer_with_body(&invite, 200, "b", fixed, SDP));
    let ack = lone.request(Method::Ack);
    assert_eq!(header(&ack, "Route"), "<sip:final.example.com;lr>");

    let body = sip::endpoint::Body::sdp(SDP);
    lone.act(|alice, now| alice.request(usage, Method::Invite, &[], Some(&body), now))
        .unwrap();
    let reinvite = lone.request(Method::Invite);
    let other = "Record-Route: <sip:other.example.com;lr>\r\nContact: <sip:b3@callee.invalid>\r\n";
    lone.receive(answer_with_body(&reinvite, 200, "b", other, SDP));
    let ack = lone.request(Method::Ack);
    assert_eq!(header(&ack, "Route"), "<sip:final.example.com;lr>");
    assert_eq!(ack.uri().as_str(), "sip:b3@callee.invalid");
}

/// Trap 12.
#[test]
fn a_strict_router_is_addressed_itself_and_the_target_goes_last() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    let extra = "Record-Route: <sip:p2.example.com;lr>, <sip:strict.example.com;method=INVITE>\r\n\
                 Contact: <sip:bob@callee.invalid>\r\n";
    lone.receive(answer_with_body(&invite, 200, "b", extra, SDP));
    lone.request(Method::Ack);
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    let bye = lone.request(Method::Bye);
    assert_eq!(bye.uri().as_str(), "sip:strict.example.com");
    let routes: Vec<&str> = bye.headers().all("Route").collect();
    assert_eq!(
        routes,
        ["<sip:p2.example.com;lr>", "<sip:bob@callee.invalid>"]
    );
}

/// Trap 13: hosts are never looked up: `.invalid` or not, everything takes the flow.
#[test]
fn requests_go_over_the_flow_whatever_their_uri_says() {
    let mut lone = Lone::over_wss();
    let (usage, _) = established(&mut lone, "b");
    let flow = lone.flow;
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    let (over, _) = lone.sent.pop_front().unwrap();
    assert_eq!(over, flow);
}

/// Traps 13 and 14.
#[test]
fn over_wss_the_via_says_wss_and_the_contact_ws() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    assert!(header(&invite, "Via").starts_with("SIP/2.0/WSS "));
    let contact = header(&invite, "Contact");
    assert!(contact.starts_with("<sip:alice@"), "{contact}");
    assert!(contact.ends_with(".invalid;transport=ws;ob>"), "{contact}");
}

/// Trap 15.
#[test]
fn an_answer_to_somebody_elses_via_is_dropped() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    let ours = header(&invite, "Via").to_owned();
    let text = String::from_utf8(ringing(&invite, "b").to_vec()).unwrap();
    let host = invite.headers().via().unwrap().host_text().to_owned();
    lone.receive(text.replacen(&host, "other.invalid", 1));
    assert!(matches!(lone.event(), Event::Discarded { .. }));
    let two = format!("Via: {ours}\r\nVia: SIP/2.0/WSS x.invalid;branch=z9hG4bKx");
    lone.receive(text.replacen(&format!("Via: {ours}"), &two, 1));
    assert!(matches!(lone.event(), Event::Discarded { .. }));
    lone.receive(text);
    assert!(matches!(lone.event(), Event::Provisional { .. }));
}

/// Trap 35.
#[test]
fn an_option_that_a_420_names_is_dropped_and_the_call_tried_again() {
    let mut lone = Lone::over_wss();
    lone.act(|alice, now| {
        let mut invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        invite.headers = vec![("Require".into(), "precondition, answermode".into())];
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    let unsupported = "Unsupported: precondition\r\n";
    lone.receive(answer(&invite, 420, "r", unsupported));
    lone.request(Method::Ack);
    let again = lone.request(Method::Invite);
    assert_eq!(header(&again, "Require"), "answermode");
    lone.receive(answer(&again, 420, "r", unsupported));
    lone.request(Method::Ack);
    lone.nothing_sent();
    assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
}

/// Trap 35.
#[test]
fn a_183_without_a_tag_is_progress_without_a_dialog() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    lone.receive(answer_with_body(&invite, 183, "", "", SDP));
    assert!(matches!(
        lone.event(),
        Event::Provisional { dialog: None, .. }
    ));
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Answered { .. }));
}

/// Trap 35: an unknown code counts as its class's first.
#[test]
fn an_unknown_refusal_ends_the_call() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    lone.receive(answer(&invite, 499, "b", ""));
    lone.request(Method::Ack);
    match failed(lone.event()) {
        FailureCause::Response(response) => assert_eq!(response.status().class(), 4),
        other => panic!("{other:?}"),
    }
}

/// Trap 37.
#[test]
fn an_invite_that_nobody_answers_is_given_up_at_timer_b_but_not_once_it_rings() {
    let mut lone = Lone::over_wss();
    call(&mut lone);
    lone.advance(Duration::from_millis(32_100));
    assert!(matches!(failed(lone.event()), FailureCause::Timeout));
    let (_, invite) = call(&mut lone);
    lone.receive(answer(&invite, 100, "", ""));
    lone.advance(Duration::from_secs(120));
    lone.no_event();
}

#[test]
fn an_invite_over_udp_is_repeated_doubling_and_over_wss_never() {
    let mut lone = Lone::over_udp();
    call(&mut lone);
    let mut waited = Vec::new();
    let mut last = lone.now;
    for _ in 0..320 {
        lone.advance(Duration::from_millis(100));
        while lone.sent.pop_front().is_some() {
            waited.push((lone.now - last).as_millis());
            last = lone.now;
        }
    }
    assert_eq!(waited, [500, 1000, 2000, 4000, 8000, 16000]);
    let mut lone = Lone::over_wss();
    call(&mut lone);
    lone.advance(Duration::from_secs(31));
    lone.nothing_sent();
}

#[test]
fn a_header_that_would_start_another_line_is_the_callers_fault() {
    let mut lone = Lone::over_wss();
    for (name, value) in [
        ("X-Note", "a\r\nVia: b"),
        ("X-Note", "a\nb"),
        ("X Note", "a"),
        ("Via", "a"),
        ("f", "a"),
        ("X-Note:", "a"),
        ("", "a"),
    ] {
        let mut invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        invite.headers = vec![(name.into(), value.into())];
        let result = lone.act(|alice, now| alice.invite(invite, now));
        assert!(
            matches!(result, Err(CommandError::Header { .. })),
            "{name}: {value:?}"
        );
    }
    lone.nothing_sent();
}

#[test]
fn without_a_flow_a_call_is_the_callers_fault() {
    let mut lone = Lone::over_wss();
    lone.flow_down();
    let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
    let result = lone.act(|alice, now| alice.invite(invite, now));
    assert_eq!(result, Err(CommandError::NoFlow));
}

#[test]
fn what_is_no_address_can_not_be_called() {
    let mut lone = Lone::over_wss();
    let invite = Invite::offer(uri("mailto:bob@example.com"), SDP);
    let result = lone.act(|alice, now| alice.invite(invite, now));
    assert!(matches!(result, Err(CommandError::Target { .. })));
}

/// Trap 35: 408 and silence.
#[test]
fn a_message_that_nobody_answers_fails_at_timer_f_although_the_flow_is_reliable() {
    let mut lone = Lone::over_wss();
    let id = lone
        .act(|alice, now| {
            let target = uri("sip:bob@example.com");
            alice.request_outside(&target, Method::Message, &[], None, now)
        })
        .unwrap();
    lone.request(Method::Message);
    lone.advance(Duration::from_millis(32_100));
    match lone.event() {
        Event::RequestFailed { id: failed, cause } => {
            assert_eq!((failed, cause), (id, RequestFailure::Timeout));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_callee_hangs_up() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = established(&mut lone, "b");
    let bye = from_callee(&invite, "b", "BYE", 7, "Reason: Q.850;cause=16\r\n", "");
    lone.receive(bye.clone());
    lone.response(200);
    match lone.event() {
        Event::Ended {
            usage: u,
            cause: EndCause::Bye(bye),
        } => {
            assert_eq!(u, usage);
            assert_eq!(header(&bye, "Reason"), "Q.850;cause=16");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now)),
        Err(CommandError::Unknown)
    ));
    assert!(matches!(
        lone.act(|alice, now| alice.respond(usage, &Reply::new(200), now)),
        Err(CommandError::Unknown)
    ));
}
