//! What is kept of whatever others send, and what always has room.

use std::time::Duration;

use sip::endpoint::{Body, CommandError, Event, Invite, Reply, UsageId};
use sip::message::{Message, Method, Response};
use sip::transaction::Transport;

use crate::lone::{Lone, SDP, answer_with_body, config, incoming, uri, within};

fn statuses(lone: &mut Lone) -> Vec<u16> {
    lone.sent
        .drain(..)
        .filter_map(|(_, bytes)| {
            let parsed = Message::parse(bytes, sip::message::Leniency::Strict).unwrap();
            Some(parsed.message.as_response()?.status().code())
        })
        .collect()
}

fn call(number: usize) -> String {
    incoming(
        "INVITE",
        &format!("call{number}"),
        &format!("call{number}"),
        "",
    )
}

/// A call that we took, acknowledged.
fn talking(lone: &mut Lone) -> (UsageId, String, Response) {
    let invite = incoming("INVITE", "good", "good", "");
    lone.receive(invite.clone());
    lone.response(100);
    let Event::Incoming { usage, .. } = lone.event() else {
        panic!("a call expected");
    };
    lone.act(|alice, now| alice.respond(usage, &Reply::new(200).sdp(SDP), now))
        .unwrap();
    let ok = lone.response(200);
    lone.receive(within(&invite, &ok, "ACK", 1, "ack", "", ""));
    assert!(matches!(lone.event(), Event::Acked { .. }));
    (usage, invite, ok)
}

#[test]
fn a_call_above_the_rate_is_refused_without_a_transaction() {
    let mut settings = config("alice");
    settings.limits.new_dialogs_per_second = 0;
    let mut lone = Lone::with(settings, Transport::Wss);
    for number in 0..5000 {
        lone.receive(call(number));
    }
    assert!(lone.endpoint.is_idle());
    assert_eq!(statuses(&mut lone), vec![503; 5000]);
    lone.no_event();
}

/// RFC 3261 §8.2.7.
#[test]
fn a_refusal_without_a_transaction_is_the_same_again_and_its_ack_is_absorbed() {
    let mut settings = config("alice");
    settings.limits.new_dialogs_per_second = 1;
    let mut lone = Lone::with(settings, Transport::Udp);
    lone.receive(call(0));
    lone.events();
    lone.sent.clear();

    lone.receive(call(1));
    let refusal = lone.response(503);
    let wait = refusal.headers().get("Retry-After").unwrap();
    assert!((5..=15).contains(&wait.parse::<u32>().unwrap()));
    // There would be room for it now, but its sender may have had our answer.
    lone.advance(Duration::from_secs(2));
    lone.sent.clear();
    lone.receive(call(1));
    let again = lone.response(503);
    let to = |response: &Response| response.headers().get("To").unwrap().to_owned();
    assert_eq!(to(&again), to(&refusal));
    assert!(to(&again).contains(";tag="));

    let ack = call(1)
        .replace("INVITE", "ACK")
        .split("Content-Type")
        .next()
        .unwrap()
        .to_owned();
    let lines: Vec<String> = ack
        .lines()
        .map(|line| match line.starts_with("To:") {
            true => format!("To: {}", to(&refusal)),
            false => line.to_owned(),
        })
        .collect();
    lone.receive(format!("{}\r\n\r\n", lines.join("\r\n").trim_end()));
    lone.no_event();
    lone.nothing_sent();
    // Another call of the same caller is judged for itself.
    lone.receive(call(2));
    assert!(matches!(lone.event(), Event::Incoming { .. }));
}

#[test]
fn the_waits_that_refusals_ask_for_differ() {
    let mut settings = config("alice");
    settings.limits.new_dialogs_per_second = 0;
    let mut lone = Lone::with(settings, Transport::Wss);
    let mut waits = std::collections::BTreeSet::new();
    for number in 0..100 {
        lone.receive(call(number));
        let refusal = lone.response(503);
        waits.insert(refusal.headers().get("Retry-After").unwrap().to_owned());
    }
    assert!(waits.len() > 5, "{waits:?}");
}

#[test]
fn a_flood_leaves_a_running_call_and_our_own_requests_their_room() {
    for transport in [Transport::Wss, Transport::Udp] {
        let mut settings = config("alice");
        settings.limits.new_dialogs_per_second = u32::MAX;
        settings.limits.unanswered = 50;
        settings.limits.open_requests = 100;
        settings.limits.sent_requests = 100;
        let mut lone = Lone::with(settings, transport);
        let (usage, invite, ok) = talking(&mut lone);
        for number in 0..3000 {
            lone.receive(call(number));
            let stray = format!("stray{number}");
            lone.receive(incoming("BYE", &stray, &stray, ""));
        }
        lone.events();
        lone.sent.clear();

        for (cseq, method) in [(2, "OPTIONS"), (3, "INFO")] {
            lone.receive(within(&invite, &ok, method, cseq, method, "", ""));
        }
        let Some(Event::Request { id, .. }) = lone.events().pop() else {
            panic!("an INFO expected");
        };
        lone.act(|alice, now| alice.answer(id, &Reply::new(200), now))
            .unwrap();
        assert_eq!(statuses(&mut lone), [200, 200]);

        let body = Body::sdp(SDP);
        let hold =
            lone.act(|alice, now| alice.request(usage, Method::Invite, &[], Some(&body), now));
        hold.unwrap();
        lone.request(Method::Invite);
        let bob = uri("sip:bob@example.com");
        lone.act(|alice, now| alice.invite(Invite::offer(bob.clone(), SDP), now))
            .unwrap();
        lone.request(Method::Invite);
        lone.act(|alice, now| alice.request_outside(&bob, Method::Message, &[], None, now))
            .unwrap();
        lone.request(Method::Message);

        lone.receive(within(&invite, &ok, "BYE", 4, "bye", "", ""));
        lone.response(200);
    }
}

#[test]
fn re_invites_without_end_leave_room_for_the_bye_and_for_other_calls() {
    let mut lone = Lone::over_wss();
    let (_, invite, ok) = talking(&mut lone);
    for cseq in 2..5002 {
        let branch = format!("again{cseq}");
        lone.receive(within(&invite, &ok, "INVITE", cseq, &branch, "", SDP));
        // Every other one is answered, the next comes before its answer.
        for event in lone.events() {
            if let Event::Request { id, .. } = event
                && cseq % 2 == 1
            {
                lone.act(|alice, now| alice.answer(id, &Reply::new(200).sdp(SDP), now))
                    .unwrap();
            }
        }
    }
    lone.events();
    lone.sent.clear();
    lone.receive(call(1));
    assert!(matches!(lone.event(), Event::Incoming { .. }));
    lone.response(100);
    lone.receive(within(&invite, &ok, "BYE", 20_000, "bye", "", ""));
    lone.response(200);
}

#[test]
fn unanswered_requests_of_others_take_none_of_our_own_room() {
    let mut settings = config("alice");
    settings.limits.open_requests = 10;
    let mut lone = Lone::with(settings, Transport::Wss);
    let (_, invite, ok) = talking(&mut lone);
    for number in 0..30 {
        let name = format!("m{number}");
        lone.receive(incoming("MESSAGE", &name, &name, ""));
    }
    assert_eq!(statuses(&mut lone), [503; 20]);
    lone.events();
    // Nobody answers those, and what belongs to the call is taken all the same.
    lone.receive(within(&invite, &ok, "MESSAGE", 2, "in", "", ""));
    assert!(matches!(
        lone.event(),
        Event::Request { usage: Some(_), .. }
    ));
    let bob = uri("sip:bob@example.com");
    lone.act(|alice, now| alice.request_outside(&bob, Method::Options, &[], None, now))
        .unwrap();
    lone.request(Method::Options);
    lone.receive(within(&invite, &ok, "BYE", 3, "bye", "", ""));
    lone.response(200);
}

#[test]
fn calls_of_others_and_our_own_have_each_their_limit() {
    let mut settings = config("alice");
    settings.limits.unanswered = 2;
    settings.limits.usages = 1;
    let mut lone = Lone::with(settings, Transport::Wss);
    for number in 0..3 {
        lone.receive(call(number));
    }
    assert_eq!(statuses(&mut lone), [100, 100, 503]);
    let place = |lone: &mut Lone| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        lone.act(|alice, now| alice.invite(invite, now))
    };
    place(&mut lone).unwrap();
    assert_eq!(place(&mut lone), Err(CommandError::Limit { limit: 1 }));
}

#[test]
fn a_peer_that_answers_no_prack_has_a_bounded_number_of_them() {
    let mut lone = Lone::over_wss();
    lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    for rseq in 1..1000 {
        let extra = format!(
            "Contact: <sip:b@callee.invalid;transport=ws>\r\nRequire: 100rel\r\nRSeq: {rseq}\r\n"
        );
        lone.receive(answer_with_body(&invite, 183, "b", &extra, SDP));
    }
    assert_eq!(lone.sent.len(), 32);
}
