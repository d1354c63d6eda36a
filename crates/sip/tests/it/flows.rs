//! Keeping flows alive, and what comes over them that is no SIP.

use std::time::Duration;

use sip::endpoint::{Event, Probe};
use sip::message::Method;
use sip::transaction::Transport;

use crate::lone::{Lone, answer, config, header, incoming};

/// Trap 16: keep-alives inside a frame.
#[test]
fn two_line_ends_are_answered_with_one() {
    let mut lone = Lone::over_wss();
    lone.receive("\r\n\r\n");
    let (_, pong) = lone.sent.pop_front().unwrap();
    assert_eq!(&pong[..], b"\r\n");
    lone.receive("\r\n");
    lone.receive("");
    lone.nothing_sent();
}

#[test]
fn a_websocket_is_pinged_and_a_pong_keeps_it() {
    let mut lone = Lone::with_keep_alive(config("alice"), Transport::Wss);
    for ping in 1..10 {
        while lone.probes < ping {
            lone.advance(Duration::from_secs(1));
        }
        let flow = lone.flow;
        lone.act(|alice, now| alice.handle_pong(flow, now));
    }
    lone.nothing_sent();
    lone.no_event();
}

/// A server that stands still for a while, in a backup say, is not left for it.
#[test]
fn a_flow_that_answers_after_five_seconds_is_kept() {
    let mut lone = Lone::with_keep_alive(config("alice"), Transport::Wss);
    while lone.probes == 0 {
        lone.advance(Duration::from_millis(100));
    }
    lone.advance(Duration::from_secs(5));
    let flow = lone.flow;
    lone.act(|alice, now| alice.handle_pong(flow, now));
    lone.advance(Duration::from_secs(1));
    lone.no_event();
}

/// Traps 16 and 37: a WebSocket can die without a word.
#[test]
fn a_flow_that_falls_silent_is_known_to_have_failed_within_fifteen_seconds() {
    let mut lone = Lone::with_keep_alive(config("alice"), Transport::Wss);
    while lone.probes == 0 {
        lone.advance(Duration::from_secs(1));
    }
    let flow = lone.flow;
    lone.act(|alice, now| alice.handle_pong(flow, now));
    // The worst case: from now on nothing comes, and the next ping is as far away as it can be.
    lone.advance(Duration::from_secs(15));
    let flow = lone.flow;
    assert!(matches!(lone.event(), Event::FlowFailed { flow: f } if f == flow));
    assert!(!lone.endpoint.is_connected());
}

#[test]
fn any_message_shows_that_a_flow_is_alive() {
    let mut lone = Lone::with_keep_alive(config("alice"), Transport::Wss);
    while lone.probes == 0 {
        lone.advance(Duration::from_secs(1));
    }
    lone.receive(incoming("OPTIONS", "c1", "1", ""));
    assert!(matches!(lone.event(), Event::Request { .. }));
    lone.advance(Duration::from_secs(7));
    lone.no_event();
}

#[test]
fn a_flow_that_is_doubted_is_asked_at_once_and_has_as_long_as_is_said() {
    for answers in [true, false] {
        let mut lone = Lone::with_keep_alive(config("alice"), Transport::Wss);
        lone.act(|alice, now| alice.check_flows(Duration::from_secs(1), now));
        assert_eq!(lone.probes, 1);
        lone.advance(Duration::from_millis(900));
        let flow = lone.flow;
        if answers {
            lone.act(|alice, now| alice.handle_pong(flow, now));
        }
        lone.no_event();
        lone.advance(Duration::from_millis(100));
        match answers {
            true => lone.no_event(),
            false => assert!(matches!(lone.event(), Event::FlowFailed { flow: f } if f == flow)),
        }
    }
}

#[test]
fn a_flow_that_is_doubted_again_and_again_has_no_longer_for_that() {
    let mut lone = Lone::with_keep_alive(config("alice"), Transport::Wss);
    for patience in [3, 6, 3, 3, 3] {
        lone.act(|alice, now| alice.check_flows(Duration::from_secs(patience), now));
        lone.no_event();
        lone.advance(Duration::from_millis(600));
    }
    let flow = lone.flow;
    assert!(matches!(lone.event(), Event::FlowFailed { flow: f } if f == flow));
    let mut lone = Lone::with_keep_alive(config("alice"), Transport::Wss);
    for patience in [3, 1] {
        lone.act(|alice, now| alice.check_flows(Duration::from_secs(patience), now));
    }
    lone.advance(Duration::from_secs(1));
    assert!(matches!(lone.event(), Event::FlowFailed { .. }));
}

#[test]
fn line_ends_probe_where_that_is_the_policy_and_over_other_transports() {
    let mut settings = config("alice");
    settings.keep_alive.probe = Probe::Crlf;
    for (settings, transport) in [
        (settings, Transport::Wss),
        (config("alice"), Transport::Tcp),
    ] {
        let mut lone = Lone::with_keep_alive(settings, transport);
        lone.advance(Duration::from_secs(8));
        let (_, ping) = lone.sent.pop_front().unwrap();
        assert_eq!(&ping[..], b"\r\n\r\n");
        lone.receive("\r\n");
        lone.advance(Duration::from_secs(6));
        lone.no_event();
    }
}

#[test]
fn a_flow_timer_of_the_edge_proxy_shortens_the_probes() {
    let mut lone = Lone::with_keep_alive(config("alice"), Transport::Wss);
    lone.act(|alice, now| alice.register(now));
    let request = lone.request(Method::Register);
    let contact = header(&request, "Contact");
    let headers = format!("Contact: {contact};expires=600\r\nFlow-Timer: 5\r\n");
    lone.receive(answer(&request, 200, "r", &headers));
    for _ in 0..100 {
        lone.advance(Duration::from_secs(1));
        let flow = lone.flow;
        lone.act(|alice, now| alice.handle_pong(flow, now));
    }
    assert!(lone.probes >= 17, "{}", lone.probes);
}

/// Trap 15.
#[test]
fn what_comes_over_a_flow_that_is_down_is_dropped() {
    let mut lone = Lone::over_wss();
    lone.flow_down();
    lone.receive(incoming("INVITE", "c1", "1", ""));
    lone.nothing_sent();
    assert!(matches!(lone.event(), Event::Discarded { .. }));
}
