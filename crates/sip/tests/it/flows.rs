//! Keeping flows alive, and what comes over them that is no SIP.

use std::time::Duration;

use sip::endpoint::{Event, Invite, Probe};
use sip::message::Method;
use sip::transaction::Transport;

use crate::lone::{Lone, SDP, answer, config, header, incoming};

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

/// RFC 5626 §4.4.1: a server that has never answered line ends is not known to answer them at all.
#[test]
fn a_stream_whose_server_has_answered_line_ends_is_dead_if_it_does_so_no_more() {
    for answers in [true, false] {
        let mut lone = Lone::with_keep_alive(config("alice"), Transport::Tls);
        for _ in 0..2 {
            lone.sent.clear();
            while lone.sent.is_empty() {
                lone.advance(Duration::from_millis(100));
            }
            if answers {
                lone.receive("\r\n");
            }
        }
        lone.advance(Duration::from_secs(15));
        let failed = lone.events();
        assert_eq!(failed.len(), usize::from(answers), "{failed:?}");
    }
}

/// RFC 3261 §7.5 allows line ends before a message, and some servers send them to keep a NAT's mapping.
#[test]
fn line_ends_that_nobody_asked_for_are_no_answers() {
    let mut lone = Lone::with_keep_alive(config("alice"), Transport::Tcp);
    for _ in 0..20 {
        lone.receive("\r\n");
        lone.advance(Duration::from_secs(30));
    }
    lone.no_event();
}

/// TCP may cut a ping into two.
#[test]
fn a_ping_in_two_halves_is_answered() {
    let mut lone = Lone::with(config("alice"), Transport::Tcp);
    for (half, answers) in [("\r\n", 0), ("\r\n", 1), ("\r\n", 0)] {
        lone.receive(half);
        assert_eq!(lone.sent.len(), answers);
        lone.sent.clear();
    }
    // What comes between is no half.
    lone.receive(incoming("OPTIONS", "c1", "1", ""));
    lone.sent.clear();
    lone.receive("\r\n");
    lone.nothing_sent();
}

/// Over UDP nobody answers line ends.
#[test]
fn a_server_over_udp_is_asked_by_options_and_dead_if_it_answers_no_more() {
    for answers in [true, false] {
        let mut lone = Lone::with_keep_alive(config("alice"), Transport::Udp);
        lone.advance(Duration::from_secs(9));
        lone.sent.retain(|(_, bytes)| bytes != "\r\n\r\n");
        let question = lone.request(Method::Options);
        assert_eq!(question.uri().as_str(), "sip:example.com");
        if answers {
            lone.receive(answer(&question, 404, "r", ""));
        }
        lone.no_event();
        lone.advance(Duration::from_secs(50));
        let failed = lone.events();
        assert_eq!(failed.len(), usize::from(answers), "{failed:?}");
    }
}

/// RFC 3261 §18.1.1 and §8.1.1.8: over TCP, TLS and UDP we can be reached at our end of the flow.
#[test]
fn requests_say_where_our_end_of_a_flow_is_but_over_websocket() {
    for (transport, local, via, contact) in [
        (
            Transport::Tcp,
            "192.0.2.1:4711",
            "SIP/2.0/TCP 192.0.2.1:4711;",
            "@192.0.2.1:4711;transport=tcp",
        ),
        (
            Transport::Tls,
            "[2001:db8::1]:4711",
            "SIP/2.0/TLS [2001:db8::1]:4711;",
            "@[2001:db8::1]:4711;transport=tls",
        ),
        (
            Transport::Udp,
            "192.0.2.1:5060",
            "SIP/2.0/UDP 192.0.2.1:5060;",
            "@192.0.2.1:5060>",
        ),
        (
            Transport::Wss,
            "192.0.2.1:4711",
            "SIP/2.0/WSS ",
            ".invalid;transport=ws",
        ),
    ] {
        let mut lone = Lone::with(config("alice"), transport);
        lone.flow_up_at(transport, local);
        lone.act(|alice, now| alice.register(now));
        let request = lone.request(Method::Register);
        let sent = header(&request, "Via");
        assert!(sent.starts_with(via) && sent.contains(";rport"), "{sent}");
        let sent = header(&request, "Contact");
        assert!(sent.contains(contact), "{sent}");
        lone.receive(answer(
            &request,
            200,
            "r",
            &format!("Contact: {sent};expires=600\r\n"),
        ));
        assert!(matches!(lone.event(), Event::Registered(_)));
    }
}

/// RFC 3261 §18.1.2.
#[test]
fn an_answer_under_another_s_via_is_dropped_over_a_flow_with_an_address() {
    let mut lone = Lone::with(config("alice"), Transport::Tcp);
    lone.flow_up_at(Transport::Tcp, "192.0.2.1:4711");
    lone.act(|alice, now| alice.register(now));
    let request = lone.request(Method::Register);
    let good = String::from_utf8(answer(&request, 200, "r", "").to_vec()).unwrap();
    lone.receive(good.replacen("192.0.2.1:4711", "192.0.2.2:4711", 1));
    assert!(matches!(lone.event(), Event::Discarded { .. }));
    lone.receive(good);
    assert!(matches!(lone.event(), Event::Registered(_)));
}

#[test]
fn a_binding_is_taken_back_from_where_our_end_was() {
    let mut lone = Lone::with(config("alice"), Transport::Tcp);
    lone.flow_up_at(Transport::Tcp, "192.0.2.1:4711");
    lone.act(|alice, now| alice.register(now));
    let first = lone.request(Method::Register);
    lone.receive(answer(&first, 200, "r", ""));
    lone.flow_down();
    lone.flow_up_at(Transport::Tcp, "192.0.2.1:4712");
    let contacts = |request: &sip::message::Request| -> Vec<String> {
        let all = request.headers().all("Contact");
        all.map(str::to_owned).collect()
    };
    let second = lone.request(Method::Register);
    let sent = contacts(&second);
    assert!(sent[0].contains("192.0.2.1:4712"), "{sent:?}");
    assert_eq!(
        sent[1],
        "<sip:alice@192.0.2.1:4711;transport=tcp>;expires=0"
    );
    lone.receive(answer(&second, 200, "r", ""));
    lone.act(|alice, now| alice.register(now));
    assert_eq!(contacts(&lone.request(Method::Register)).len(), 1);
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

/// RFC 3261 §26.2.2.
#[test]
fn a_sips_uri_is_not_called_over_a_connection_without_tls() {
    let target = || crate::lone::uri("sips:bob@example.com");
    for (transport, is_secure) in [
        (Transport::Udp, false),
        (Transport::Tcp, false),
        (Transport::Ws, false),
        (Transport::Tls, true),
        (Transport::Wss, true),
    ] {
        let mut lone = Lone::with(config("alice"), transport);
        let called = lone.act(|alice, now| alice.invite(Invite::offer(target(), SDP), now));
        assert_eq!(called.is_ok(), is_secure, "{transport:?}: {called:?}");
        let asked = lone
            .act(|alice, now| alice.request_outside(&target(), Method::Options, &[], None, now));
        assert_eq!(asked.is_ok(), is_secure, "{transport:?}: {asked:?}");
    }
}

/// RFC 3323 §4.1: who hides its name does not tell where it is either.
#[test]
fn a_call_without_a_name_does_not_tell_where_our_end_is() {
    let mut lone = Lone::with(config("alice"), Transport::Tcp);
    lone.flow_up_at(Transport::Tcp, "192.0.2.1:4711");
    let anonymous = Invite {
        anonymous: true,
        ..Invite::offer(crate::lone::uri("sip:bob@example.com"), SDP)
    };
    lone.act(|alice, now| alice.invite(anonymous, now)).unwrap();
    let invite = lone.request(Method::Invite);
    for name in ["Via", "Contact"] {
        let value = header(&invite, name);
        assert!(
            value.contains(".invalid") && !value.contains("192.0.2.1"),
            "{value}"
        );
    }
}
