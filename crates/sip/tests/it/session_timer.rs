//! Calls that end although no BYE came: RFC 4028. Trap 30.

use std::time::Duration;

use sip::endpoint::{
    Body, EndCause, EndpointConfig, Event, FailureCause, Invite, Reply, SessionTimers, UsageId,
};
use sip::message::{Method, Request, Response};
use sip::transaction::Transport;

use crate::lone::{
    Lone, SDP, answer, answer_with_body, config, from_callee, header, incoming, uri, within,
};

const CONTACT: &str = "Contact: <sip:b@callee.invalid;transport=ws>\r\n";
const UPDATE: &str = "Allow: INVITE, ACK, BYE, CANCEL, UPDATE\r\n";

fn timers(expires: u32, min_se: u32) -> EndpointConfig {
    EndpointConfig {
        session_timers: Some(SessionTimers { expires, min_se }),
        ..config("alice")
    }
}

fn lone() -> Lone {
    Lone::with(timers(600, 90), Transport::Wss)
}

fn call(lone: &mut Lone) -> (UsageId, Request) {
    let usage = lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    (usage, lone.request(Method::Invite))
}

/// We called; the 2xx says this of timers.
fn caller(extra: &str) -> (Lone, UsageId, Request) {
    let mut lone = lone();
    let (usage, invite) = call(&mut lone);
    let extra = format!("{CONTACT}{extra}");
    lone.receive(answer_with_body(&invite, 200, "b", &extra, SDP));
    lone.request(Method::Ack);
    lone.events();
    (lone, usage, invite)
}

/// Bob called with these headers; we answered.
fn callee(extra: &str) -> (Lone, UsageId, String, Response) {
    let mut lone = lone();
    let invite = incoming("INVITE", "c1", "1", extra);
    lone.receive(invite.clone());
    lone.response(100);
    let Event::Incoming { usage, .. } = lone.event() else {
        panic!("a call expected");
    };
    lone.act(|alice, now| alice.respond(usage, &Reply::new(200).sdp(SDP), now))
        .unwrap();
    let ok = lone.response(200);
    lone.receive(within(&invite, &ok, "ACK", 1, "ack", "", ""));
    lone.events();
    (lone, usage, invite, ok)
}

fn of<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn an_invite_asks_for_a_timer() {
    let mut lone = lone();
    let (_, invite) = call(&mut lone);
    assert!(invite.headers().lists("Supported", "timer"));
    assert_eq!(header(&invite, "Session-Expires"), "600");
    assert_eq!(
        invite.headers().get("Min-SE"),
        None,
        "90 goes without saying"
    );
}

#[test]
fn without_timers_nothing_is_asked_for_and_nothing_agreed_to() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    assert!(!invite.headers().lists("Supported", "timer"));
    assert_eq!(invite.headers().get("Session-Expires"), None);
    lone.receive(incoming("INVITE", "c2", "2", "Require: timer\r\n"));
    lone.response(100);
    assert_eq!(of(&lone.response(420), "Unsupported"), Some("timer"));
}

#[test]
fn a_422_raises_the_interval_under_the_same_call_id() {
    let mut lone = lone();
    let (usage, invite) = call(&mut lone);
    lone.receive(answer(&invite, 422, "b", "Min-SE: 1200\r\n"));
    lone.request(Method::Ack);
    let again = lone.request(Method::Invite);
    assert_eq!(header(&again, "Call-ID"), header(&invite, "Call-ID"));
    assert_eq!(again.headers().cseq().unwrap().number, 2);
    assert_eq!(header(&again, "Session-Expires"), "1200");
    assert_eq!(header(&again, "Min-SE"), "1200");
    lone.no_event();
    // One that names nothing new is a refusal.
    lone.receive(answer(&again, 422, "b", "Min-SE: 1200\r\n"));
    lone.request(Method::Ack);
    assert!(matches!(
        lone.event(),
        Event::Failed { usage: u, cause: FailureCause::Response(_) } if u == usage
    ));
}

#[test]
fn whom_the_answer_names_refreshes_at_half_by_update() {
    let (mut lone, usage, _) = caller(&format!(
        "{UPDATE}Require: timer\r\nSession-Expires: 600;refresher=uac\r\n"
    ));
    lone.advance(seconds(299));
    lone.nothing_sent();
    lone.advance(seconds(1));
    let update = lone.request(Method::Update);
    assert!(update.body().is_empty(), "RFC 4028 §7.4: without an offer");
    assert_eq!(header(&update, "Session-Expires"), "600;refresher=uac");
    lone.receive(answer(
        &update,
        200,
        "b",
        &format!("{CONTACT}Session-Expires: 600;refresher=uac\r\n"),
    ));
    // And again, half an interval later.
    lone.events();
    lone.advance(seconds(299));
    lone.nothing_sent();
    lone.advance(seconds(1));
    lone.request(Method::Update);
    assert!(lone.endpoint.call_id(usage).is_some());
}

#[test]
fn a_peer_without_update_is_refreshed_by_a_reinvite_of_the_callers() {
    let (mut lone, usage, _) = caller(
        "Allow: INVITE, ACK, BYE\r\nRequire: timer\r\nSession-Expires: 600;refresher=uac\r\n",
    );
    lone.advance(seconds(300));
    lone.nothing_sent();
    assert!(matches!(lone.event(), Event::RefreshDue { usage: u } if u == usage));
    lone.act(|alice, now| alice.request(usage, Method::Invite, &[], Some(&Body::sdp(SDP)), now))
        .unwrap();
    let reinvite = lone.request(Method::Invite);
    assert_eq!(header(&reinvite, "Session-Expires"), "600;refresher=uac");
    let extra = format!("{CONTACT}Session-Expires: 400;refresher=uac\r\n");
    lone.receive(answer_with_body(&reinvite, 200, "b", &extra, SDP));
    lone.request(Method::Ack);
    lone.events();
    // Every refresh settles the interval anew.
    lone.advance(seconds(199));
    lone.no_event();
    lone.advance(seconds(1));
    assert!(matches!(lone.event(), Event::RefreshDue { .. }));
}

#[test]
fn a_refresh_that_is_too_short_for_them_is_sent_again() {
    let (mut lone, _, _) = caller(&format!(
        "{UPDATE}Require: timer\r\nSession-Expires: 600;refresher=uac\r\n"
    ));
    lone.advance(seconds(300));
    let update = lone.request(Method::Update);
    lone.receive(answer(&update, 422, "b", "Min-SE: 900\r\n"));
    let again = lone.request(Method::Update);
    assert_eq!(header(&again, "Session-Expires"), "900;refresher=uac");
    assert_eq!(header(&again, "Min-SE"), "900");
}

#[test]
fn a_call_that_they_do_not_refresh_is_hung_up_before_its_end() {
    let (mut lone, usage, _) = caller("Session-Expires: 600;refresher=uas\r\n");
    lone.advance(seconds(567));
    lone.nothing_sent();
    lone.no_event();
    // RFC 4028 §10: 32 s before the end.
    lone.advance(seconds(1));
    lone.request(Method::Bye);
    assert!(matches!(
        lone.event(),
        Event::Ended { usage: u, cause: EndCause::Expired } if u == usage
    ));
}

#[test]
fn a_short_interval_is_hung_up_a_third_before_its_end() {
    let (mut lone, _, _) = caller("Session-Expires: 90;refresher=uas\r\n");
    lone.advance(seconds(59));
    lone.nothing_sent();
    lone.advance(seconds(1));
    lone.request(Method::Bye);
}

#[test]
fn their_refresh_starts_the_interval_anew() {
    let (mut lone, _, invite) = caller("Session-Expires: 600;refresher=uas\r\n");
    lone.advance(seconds(300));
    let extra = format!("{CONTACT}Supported: timer\r\nSession-Expires: 600;refresher=uac\r\n");
    lone.receive(from_callee(&invite, "b", "UPDATE", 1, &extra, ""));
    let Event::Request { id, .. } = lone.event() else {
        panic!("an UPDATE expected");
    };
    lone.act(|alice, now| alice.answer(id, &Reply::new(200), now))
        .unwrap();
    let ok = lone.response(200);
    assert_eq!(of(&ok, "Session-Expires"), Some("600;refresher=uac"));
    assert_eq!(of(&ok, "Require"), Some("timer"));
    lone.advance(seconds(567));
    lone.nothing_sent();
    lone.advance(seconds(1));
    lone.request(Method::Bye);
}

#[test]
fn an_answer_without_an_interval_is_a_call_without_end() {
    let (mut lone, usage, _) = caller("");
    lone.advance(seconds(86_400));
    lone.nothing_sent();
    assert!(lone.endpoint.call_id(usage).is_some());
}

#[test]
fn a_refresh_that_nobody_answers_is_told_and_tried_again_while_there_is_time() {
    let (mut lone, usage, _) = caller(&format!(
        "{UPDATE}Require: timer\r\nSession-Expires: 600;refresher=uac\r\n"
    ));
    lone.advance(seconds(300));
    lone.request(Method::Update);
    lone.advance(seconds(33));
    let told = |event: &Event| matches!(event, Event::NoAnswer { usage: u } if *u == usage);
    assert!(lone.events().iter().any(told));
    lone.advance(seconds(67));
    lone.request(Method::Update);
    lone.advance(seconds(600));
    let events = lone.events();
    assert!(events.iter().any(|event| matches!(
        event,
        Event::Ended {
            cause: EndCause::Expired,
            ..
        }
    )));
}

#[test]
fn a_refused_refresh_is_tried_again_while_there_is_time() {
    let (mut lone, _, _) = caller(&format!(
        "{UPDATE}Require: timer\r\nSession-Expires: 600;refresher=uac\r\n"
    ));
    lone.advance(seconds(300));
    let update = lone.request(Method::Update);
    lone.receive(answer(&update, 500, "b", ""));
    lone.advance(seconds(100));
    let update = lone.request(Method::Update);
    lone.receive(answer(&update, 500, "b", ""));
    lone.advance(seconds(100));
    let update = lone.request(Method::Update);
    lone.receive(answer(&update, 500, "b", ""));
    lone.advance(seconds(68));
    lone.request(Method::Bye);
}

#[test]
fn a_refresh_without_a_flow_waits_for_the_next() {
    let (mut lone, usage, _) = caller(&format!(
        "{UPDATE}Require: timer\r\nSession-Expires: 600;refresher=uac\r\n"
    ));
    lone.flow_down();
    lone.advance(seconds(301));
    lone.nothing_sent();
    lone.flow_up(Transport::Wss);
    lone.advance(seconds(100));
    lone.request(Method::Update);
    assert!(lone.endpoint.call_id(usage).is_some());
}

#[test]
fn a_caller_who_knows_timers_is_told_who_refreshes() {
    for (asked, settled) in [
        (
            "Session-Expires: 300;refresher=uas\r\n",
            "300;refresher=uas",
        ),
        (
            "Session-Expires: 300;refresher=uac\r\n",
            "300;refresher=uac",
        ),
        ("Session-Expires: 300\r\n", "300;refresher=uac"),
        (
            "Session-Expires: 300\r\nMin-SE: 400\r\n",
            "400;refresher=uac",
        ),
        ("", "600;refresher=uac"),
    ] {
        let (_, _, _, ok) = callee(&format!("Supported: timer\r\n{asked}"));
        assert_eq!(of(&ok, "Session-Expires"), Some(settled), "{asked}");
        // RFC 4028 §9: the caller must know that it has to refresh.
        let required = settled.ends_with("uac").then_some("timer");
        assert_eq!(of(&ok, "Require"), required, "{asked}");
    }
}

#[test]
fn for_a_caller_who_knows_no_timers_we_refresh_if_a_proxy_asks() {
    let (_, _, _, ok) = callee("");
    assert_eq!(of(&ok, "Session-Expires"), None);
    let (mut lone, _, _, ok) = callee(&format!("{UPDATE}Session-Expires: 300\r\n"));
    assert_eq!(of(&ok, "Session-Expires"), Some("300;refresher=uas"));
    assert_eq!(of(&ok, "Require"), None);
    lone.advance(seconds(150));
    let update = lone.request(Method::Update);
    assert_eq!(header(&update, "Session-Expires"), "300;refresher=uac");
}

#[test]
fn too_short_an_interval_is_refused_to_who_can_do_otherwise() {
    let mut lone = Lone::with(timers(600, 300), Transport::Wss);
    let short = "Supported: timer\r\nSession-Expires: 299\r\n";
    lone.receive(incoming("INVITE", "c1", "1", short));
    lone.response(100);
    assert_eq!(of(&lone.response(422), "Min-SE"), Some("300"));
    lone.no_event();
    lone.receive(incoming("INVITE", "c2", "2", "Session-Expires: 299\r\n"));
    lone.response(100);
    assert!(matches!(lone.event(), Event::Incoming { .. }));
}
