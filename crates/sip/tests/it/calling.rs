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

/// Trap 1.
#[test]
fn cancel_before_any_provisional_waits_for_one() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    lone.nothing_sent();
    lone.advance(Duration::from_secs(5));
    lone.nothing_sent();
    lone.receive(answer(&invite, 100, "", ""));
    let cancel = lone.request(Method::Cancel);
    assert_eq!(cancel.uri().as_str(), invite.uri().as_str());
    assert_eq!(branch(&cancel), branch(&invite));
    for name in ["From", "To", "Call-ID", "Via"] {
        assert_eq!(header(&cancel, name), header(&invite, name), "{name}");
    }
    assert_eq!(cseq(&cancel), cseq(&invite));
    lone.nothing_sent();
}

/// Trap 1: the CANCEL is a transaction of its own, under the same Route and only our own Via.
#[test]
fn cancel_is_repeated_by_itself_and_takes_the_invites_route() {
    let mut settings = config("alice");
    settings.route_set = vec![uri("sip:proxy.example.com;lr")];
    let mut lone = Lone::with(settings, Transport::Udp);
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "b"));
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    let cancel = lone.request(Method::Cancel);
    assert_eq!(header(&cancel, "Route"), "<sip:proxy.example.com;lr>");
    assert_eq!(cancel.headers().all("Via").count(), 1);
    lone.advance(Duration::from_millis(500));
    lone.request(Method::Cancel);
    lone.receive(answer(&cancel, 200, "x", ""));
    lone.advance(Duration::from_secs(10));
    lone.nothing_sent();
}

/// Trap 2.
#[test]
fn an_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "b"));
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    let cancel = lone.request(Method::Cancel);
    lone.events();
    lone.receive(accept(&invite, "b"));
    let ack = lone.request(Method::Ack);
    let bye = lone.request(Method::Bye);
    assert_eq!(cseq(&ack), cseq(&invite));
    assert!(cseq(&bye) > cseq(&invite));
    assert!(matches!(
        failed(lone.event()),
        FailureCause::AnsweredAfterCancel(_)
    ));
    lone.receive(answer(&cancel, 200, "b", ""));
    lone.receive(answer(&bye, 200, "b", ""));
    lone.no_event();
}

/// Trap 2.
#[test]
fn the_answer_to_a_cancel_does_not_end_the_invite() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "b"));
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    let cancel = lone.request(Method::Cancel);
    lone.events();
    lone.receive(answer(&cancel, 200, "b", ""));
    lone.no_event();
    lone.receive(answer(&invite, 487, "b", ""));
    lone.request(Method::Ack);
    match failed(lone.event()) {
        FailureCause::Response(response) => assert_eq!(response.status().code(), 487),
        other => panic!("{other:?}"),
    }
}

/// Trap 2.
#[test]
fn a_cancelled_invite_without_a_final_answer_is_given_up_after_64_t1() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "b"));
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    let cancel = lone.request(Method::Cancel);
    lone.receive(answer(&cancel, 200, "b", ""));
    lone.events();
    lone.advance(Duration::from_millis(31_900));
    lone.no_event();
    lone.advance(Duration::from_millis(200));
    assert!(matches!(failed(lone.event()), FailureCause::Timeout));
    assert!(lone.endpoint.is_idle());
}

#[test]
fn cancelling_twice_sends_one_cancel() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "b"));
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    lone.request(Method::Cancel);
    lone.nothing_sent();
}

/// Trap 5.
#[test]
fn every_repeat_of_a_2xx_is_given_the_same_ack_for_64_t1() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    lone.receive(accept(&invite, "b"));
    let (_, first) = lone.sent.pop_front().unwrap();
    lone.events();
    for _ in 0..8 {
        lone.advance(Duration::from_secs(3));
        lone.receive(accept(&invite, "b"));
        let (_, repeat) = lone.sent.pop_front().unwrap();
        assert_eq!(first, repeat);
    }
    lone.no_event();
    lone.advance(Duration::from_secs(10));
    lone.receive(accept(&invite, "b"));
    lone.nothing_sent();
}

/// Trap 5: a call that is over leaves its peer's 2xx acknowledged all the same.
#[test]
fn a_repeated_2xx_is_acknowledged_after_the_call_has_ended() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = established(&mut lone, "b");
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    let bye = lone.request(Method::Bye);
    lone.receive(answer(&bye, 200, "b", ""));
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
    lone.nothing_sent();
}

/// Trap 5.
#[test]
fn the_ack_of_a_2xx_has_a_branch_of_its_own_and_that_of_a_refusal_the_invites() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    lone.receive(accept(&invite, "b"));
    let ack = lone.request(Method::Ack);
    assert_ne!(branch(&ack), branch(&invite));

    let (_, invite) = call(&mut lone);
    lone.receive(answer(&invite, 486, "busy", ""));
    let ack = lone.request(Method::Ack);
    assert_eq!(branch(&ack), branch(&invite));
    assert!(header(&ack, "To").ends_with(";tag=busy"));
    assert_eq!(ack.uri().as_str(), invite.uri().as_str());
}

/// Trap 6.
#[test]
fn the_ack_of_a_2xx_follows_the_dialogs_routes_and_not_the_invites_path() {
    let mut settings = config("alice");
    settings.route_set = vec![uri("sip:out.example.com;lr")];
    let mut lone = Lone::with(settings, Transport::Wss);
    let (_, invite) = call(&mut lone);
    let extra = "Record-Route: <sip:p2.example.com;lr>, <sip:p1.example.com;lr>\r\n\
                 Contact: <sip:bob@callee.invalid>\r\n";
    lone.receive(answer_with_body(&invite, 200, "b", extra, SDP));
    let ack = lone.request(Method::Ack);
    let routes: Vec<&str> = ack.headers().all("Route").collect();
    assert_eq!(
        routes,
        ["<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"]
    );
    assert_eq!(ack.uri().as_str(), "sip:bob@callee.invalid");
    assert_eq!(cseq(&ack), cseq(&invite));
    assert!(header(&ack, "CSeq").ends_with("ACK"));
}

/// Trap 8.
#[test]
fn a_second_fork_that_answers_is_acknowledged_and_hung_up() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "a"));
    lone.receive(ringing(&invite, "b"));
    lone.events();
    lone.receive(accept(&invite, "a"));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Answered { usage: u, .. } if u == usage));
    lone.receive(accept(&invite, "b"));
    let ack = lone.request(Method::Ack);
    let bye = lone.request(Method::Bye);
    for request in [&ack, &bye] {
        assert!(header(request, "To").ends_with(";tag=b"), "{request:?}");
        assert_eq!(request.uri().as_str(), "sip:b@callee.invalid;transport=ws");
    }
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
    lone.nothing_sent();
    lone.no_event();
}

/// Trap 8: each fork has its own dialog, and is told apart.
#[test]
fn forks_that_ring_have_an_early_dialog_each() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    let mut seen = Vec::new();
    for tag in ["a", "b", "a"] {
        lone.receive(ringing(&invite, tag));
        match lone.event() {
            Event::Provisional { dialog, .. } => seen.push(dialog.unwrap().remote_tag),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, ["a", "b", "a"]);
}

#[test]
fn forks_above_the_limit_are_dropped() {
    let mut settings = config("alice");
    settings.limits.forks = 3;
    let mut lone = Lone::with(settings, Transport::Wss);
    let (_, invite) = call(&mut lone);
    for fork in 0..10 {
        lone.receive(ringing(&invite, &format!("t{fork}")));
    }
    let rang = lone.events();
    let told = rang
        .iter()
        .filter(|event| matches!(event, Event::Provisional { .. }));
    assert_eq!(told.count(), 3);
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

/// Trap 34.
#[test]
fn a_reason_travels_with_cancel_and_bye() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "b"));
    let reason = Reason::new("SIP")
        .with_param("cause", "200")
        .with_param("text", "Call completed elsewhere");
    lone.act(|alice, now| alice.cancel(usage, Some(reason), now))
        .unwrap();
    let cancel = lone.request(Method::Cancel);
    assert_eq!(
        header(&cancel, "Reason"),
        "SIP;cause=200;text=\"Call completed elsewhere\""
    );

    let (usage, _) = established_after(&mut lone);
    let headers = [("Reason".to_owned(), "Q.850;cause=16".to_owned())];
    lone.act(|alice, now| alice.request(usage, Method::Bye, &headers, None, now))
        .unwrap();
    let bye = lone.request(Method::Bye);
    assert_eq!(header(&bye, "Reason"), "Q.850;cause=16");
}

fn established_after(lone: &mut Lone) -> (UsageId, Request) {
    lone.events();
    established(lone, "c")
}

/// Trap 35.
#[test]
fn a_redirection_is_followed_best_first_under_the_same_call_id_and_no_target_twice() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    let extra = "Contact: <sip:low@example.com>;q=0.1, <sip:high@example.com>;q=0.9\r\n\
                 Contact: <sip:bob@example.com>\r\n";
    lone.receive(answer(&invite, 302, "r", extra));
    lone.request(Method::Ack);
    let second = lone.request(Method::Invite);
    assert_eq!(second.uri().as_str(), "sip:high@example.com");
    assert_eq!(header(&second, "Call-ID"), header(&invite, "Call-ID"));
    assert_eq!(header(&second, "From"), header(&invite, "From"));
    assert_eq!(cseq(&second), cseq(&invite) + 1);
    assert_ne!(branch(&second), branch(&invite));
    lone.receive(answer(&second, 404, "x", ""));
    lone.request(Method::Ack);
    let third = lone.request(Method::Invite);
    assert_eq!(third.uri().as_str(), "sip:low@example.com");
    lone.no_event();
    lone.receive(answer(
        &third,
        302,
        "y",
        "Contact: <sip:high@example.com>\r\n",
    ));
    lone.request(Method::Ack);
    lone.nothing_sent();
    assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
}

/// Trap 35.
#[test]
fn a_6xx_stops_the_search_and_305_and_380_are_not_followed() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    let extra = "Contact: <sip:b1@example.com>, <sip:b2@example.com>\r\n";
    lone.receive(answer(&invite, 300, "r", extra));
    lone.request(Method::Ack);
    let second = lone.request(Method::Invite);
    lone.receive(answer(&second, 603, "x", ""));
    lone.request(Method::Ack);
    lone.nothing_sent();
    assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
    for code in [305, 380] {
        let (_, invite) = call(&mut lone);
        lone.receive(answer(&invite, code, "r", extra));
        lone.request(Method::Ack);
        lone.nothing_sent();
        assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
    }
}

#[test]
fn a_redirection_is_reported_where_that_is_the_policy() {
    let mut settings = config("alice");
    settings.redirects = Redirects::Report;
    let mut lone = Lone::with(settings, Transport::Wss);
    let (_, invite) = call(&mut lone);
    lone.receive(answer(
        &invite,
        302,
        "r",
        "Contact: <sip:b1@example.com>\r\n",
    ));
    lone.request(Method::Ack);
    match lone.event() {
        Event::Redirected { contacts, .. } => {
            assert_eq!(contacts[0].as_str(), "sip:b1@example.com");
        }
        other => panic!("{other:?}"),
    }
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

/// Trap 37.
#[test]
fn a_call_that_rings_too_long_is_cancelled_and_every_provisional_prolongs_it() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    for _ in 0..5 {
        lone.receive(answer(&invite, 100, "", ""));
        lone.advance(Duration::from_secs(180));
        lone.nothing_sent();
    }
    lone.advance(Duration::from_secs(6));
    lone.request(Method::Cancel);
    lone.receive(answer(&invite, 487, "b", ""));
    assert!(matches!(failed(lone.event()), FailureCause::Timeout));
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
fn an_offer_in_the_2xx_is_answered_in_the_ack_which_is_repeated() {
    let mut lone = Lone::over_wss();
    let usage = lone.act(|alice, now| {
        let invite = Invite {
            target: uri("sip:bob@example.com"),
            headers: Vec::new(),
            body: None,
        };
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    lone.receive(accept(&invite, "b"));
    lone.receive(accept(&invite, "b"));
    lone.nothing_sent();
    let body = sip::endpoint::Body::sdp(SDP);
    lone.act(|alice, now| alice.ack(usage, Some(&body), now))
        .unwrap();
    let ack = lone.request(Method::Ack);
    assert_eq!(ack.body(), SDP.as_bytes());
    lone.receive(accept(&invite, "b"));
    assert_eq!(lone.request(Method::Ack).body(), SDP.as_bytes());
    assert_eq!(
        lone.act(|alice, now| alice.ack(usage, None, now)),
        Err(CommandError::WrongState {
            state: "no answer is owed"
        })
    );
}

#[test]
fn hanging_up_while_an_answer_is_owed_sends_the_ack_first() {
    let mut lone = Lone::over_wss();
    let usage = lone.act(|alice, now| {
        let invite = Invite {
            target: uri("sip:bob@example.com"),
            headers: Vec::new(),
            body: None,
        };
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    lone.receive(accept(&invite, "b"));
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    lone.request(Method::Ack);
    lone.request(Method::Bye);
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

/// Trap 8: nobody makes us hang up without end.
#[test]
fn accepting_forks_above_the_limit_are_dropped() {
    let mut settings = config("alice");
    settings.limits.forks = 3;
    let mut lone = Lone::with(settings, Transport::Wss);
    let (_, invite) = call(&mut lone);
    for fork in 0..100 {
        lone.receive(accept(&invite, &format!("t{fork}")));
    }
    // Three ACKs, two of them with a BYE.
    assert_eq!(lone.sent.len(), 5);
}
