//! Requests inside an established call, both ways.

use std::time::Duration;

use sip::endpoint::{
    Body, CommandError, EndCause, Event, Invite, Reply, RequestFailure, RequestId, ServerRequestId,
    UsageId,
};
use sip::message::{Method, Request, Response};
use sip::transaction::Transport;

use crate::lone::{
    Lone, SDP, accept, answer, answer_with_body, from_callee, header, incoming, uri, within,
};

/// We called, `b` answered.
fn caller() -> (Lone, UsageId, Request) {
    let mut lone = Lone::over_wss();
    let usage = lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
    lone.events();
    (lone, usage, invite)
}

/// Bob called, we answered; returns his INVITE and our 200.
fn callee() -> (Lone, UsageId, String, Response) {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
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

fn reinvite(lone: &mut Lone, usage: UsageId) -> (RequestId, Request) {
    let id = lone
        .act(|alice, now| {
            let body = Body::sdp(SDP);
            alice.request(usage, Method::Invite, &[], Some(&body), now)
        })
        .unwrap();
    (id, lone.request(Method::Invite))
}

fn send(lone: &mut Lone, usage: UsageId, method: Method) -> (RequestId, Request) {
    let id = lone
        .act(|alice, now| alice.request(usage, method.clone(), &[], None, now))
        .unwrap();
    (id, lone.request(method))
}

fn reply(lone: &mut Lone, id: ServerRequestId, reply: &Reply) {
    lone.act(|alice, now| alice.answer(id, reply, now)).unwrap();
}

#[track_caller]
fn asked(event: Event) -> ServerRequestId {
    match event {
        Event::Request { id, .. } => id,
        other => panic!("Request expected, got {other:?}"),
    }
}

/// Trap 11.
#[test]
fn their_reinvite_and_update_move_the_target_and_their_info_does_not() {
    let (mut lone, usage, invite) = caller();
    let moved = |to: &str| format!("Contact: <sip:{to}@callee.invalid>\r\n");
    lone.receive(from_callee(&invite, "b", "INFO", 1, &moved("info"), ""));
    let id = asked(lone.event());
    reply(&mut lone, id, &Reply::new(200));
    lone.response(200);
    let (_, probe) = send(&mut lone, usage, Method::Info);
    assert_eq!(probe.uri().as_str(), "sip:b@callee.invalid;transport=ws");

    lone.receive(from_callee(&invite, "b", "UPDATE", 2, &moved("update"), ""));
    let id = asked(lone.event());
    reply(&mut lone, id, &Reply::new(200));
    lone.response(200);
    let (_, probe) = send(&mut lone, usage, Method::Info);
    assert_eq!(probe.uri().as_str(), "sip:update@callee.invalid");

    lone.receive(from_callee(
        &invite,
        "b",
        "INVITE",
        3,
        &moved("refused"),
        SDP,
    ));
    lone.response(100);
    let id = asked(lone.event());
    reply(&mut lone, id, &Reply::new(488));
    lone.response(488);
    let (_, probe) = send(&mut lone, usage, Method::Info);
    assert_eq!(probe.uri().as_str(), "sip:update@callee.invalid");
}

/// Trap 27.
#[test]
fn their_offer_meets_ours_and_is_given_491() {
    let (mut lone, usage, invite) = caller();
    reinvite(&mut lone, usage);
    lone.receive(from_callee(&invite, "b", "INVITE", 1, "", SDP));
    lone.response(100);
    lone.response(491);
    lone.receive(from_callee(&invite, "b", "UPDATE", 2, "", SDP));
    lone.response(491);
    lone.no_event();
}

#[test]
fn an_offer_that_met_ours_may_come_again_under_its_number_and_nothing_else_may() {
    let (mut lone, usage, invite) = caller();
    let (id, offer) = reinvite(&mut lone, usage);
    let theirs = from_callee(&invite, "b", "INVITE", 7, "", SDP);
    lone.receive(theirs.clone());
    lone.response(100);
    lone.response(491);
    let ok = answer_with_body(&offer, 200, "b", "Contact: <sip:b@callee.invalid>\r\n", SDP);
    lone.receive(ok);
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Response { id: i, .. } if i == id));
    lone.receive(theirs.replace("z9hG4bK", "z9hG4bKagain"));
    lone.response(100);
    let id = asked(lone.event());
    reply(&mut lone, id, &Reply::new(488));
    lone.response(488);
    lone.receive(theirs.replace("z9hG4bK", "z9hG4bKthird"));
    lone.response(100);
    lone.response(500);
    lone.no_event();
}

/// Trap 27.
#[test]
fn a_second_offer_of_theirs_is_given_500_with_retry_after() {
    let (mut lone, _, invite, ok) = callee();
    lone.receive(within(&invite, &ok, "INVITE", 2, "re2", "", SDP));
    lone.response(100);
    asked(lone.event());
    lone.receive(within(&invite, &ok, "INVITE", 3, "re3", "", SDP));
    lone.response(100);
    let refusal = lone.response(500);
    let wait: u32 = refusal
        .headers()
        .get("Retry-After")
        .unwrap()
        .parse()
        .unwrap();
    assert!(wait <= 10);
    lone.no_event();
}

/// Trap 27.
#[test]
fn after_491_the_owner_of_the_call_id_waits_longer_than_the_other() {
    for round in 0..20 {
        let (mut lone, usage, _) = caller();
        for _ in 0..round {
            send(&mut lone, usage, Method::Info);
        }
        let (_, offer) = reinvite(&mut lone, usage);
        lone.receive(answer(&offer, 491, "b", ""));
        lone.request(Method::Ack);
        lone.events();
        lone.advance(Duration::from_millis(2099));
        lone.no_event();
        lone.advance(Duration::from_millis(1901));
        assert!(matches!(lone.event(), Event::OfferDue { usage: u } if u == usage));
        lone.no_event();
    }
    let (mut lone, usage, _, _) = callee();
    let (_, offer) = reinvite(&mut lone, usage);
    lone.receive(answer(&offer, 491, "", ""));
    lone.request(Method::Ack);
    lone.events();
    // JsSIP offers again after a second, and is not to be offered anything before that.
    lone.advance(Duration::from_millis(1499));
    lone.no_event();
    lone.advance(Duration::from_millis(501));
    assert!(matches!(lone.event(), Event::OfferDue { .. }));
}

/// Trap 27.
#[test]
fn a_refused_reinvite_leaves_the_call_as_it_was() {
    let (mut lone, usage, _) = caller();
    for code in [488, 403, 500, 603] {
        let (id, offer) = reinvite(&mut lone, usage);
        lone.receive(answer(&offer, code, "b", ""));
        lone.request(Method::Ack);
        assert!(matches!(lone.event(), Event::Response { id: i, .. } if i == id));
        lone.no_event();
    }
    send(&mut lone, usage, Method::Info);
}

/// Traps 27 and 39.
#[test]
fn what_the_answer_says_of_the_dialog_decides_whether_the_call_ends() {
    let cases = [
        (Method::Invite, 481, true),
        (Method::Info, 481, true),
        (Method::Info, 405, false),
        (Method::Info, 415, false),
        (Method::Info, 500, false),
        (Method::Info, 404, true),
        (Method::Message, 481, false),
        (Method::Message, 604, true),
        (Method::Update, 481, true),
        (Method::Update, 504, false),
    ];
    for (method, code, ends) in cases {
        let (mut lone, usage, _) = caller();
        let (_, request) = send(&mut lone, usage, method.clone());
        lone.receive(answer(&request, code, "b", ""));
        assert!(matches!(lone.event(), Event::Response { .. }));
        if ends {
            assert!(
                matches!(
                    lone.event(),
                    Event::Ended {
                        cause: EndCause::Gone(_),
                        ..
                    }
                ),
                "{method} {code}"
            );
        }
        lone.no_event();
    }
}

#[test]
fn a_request_of_the_call_that_nobody_answers_lets_the_caller_end_it_and_another_does_not() {
    let (mut lone, usage, _) = caller();
    let (id, _) = send(&mut lone, usage, Method::Message);
    lone.advance(Duration::from_secs(33));
    assert!(matches!(
        lone.event(),
        Event::RequestFailed { id: i, cause: RequestFailure::Timeout } if i == id
    ));
    lone.no_event();
    for code in [None, Some(408)] {
        for method in [Method::Info, Method::Update, Method::Invite] {
            let (mut lone, usage, _) = caller();
            let (_, request) = send(&mut lone, usage, method.clone());
            match code {
                Some(code) => {
                    lone.receive(answer(&request, code, "b", ""));
                    assert!(matches!(lone.event(), Event::Response { .. }));
                }
                None => {
                    lone.advance(Duration::from_secs(33));
                    assert!(matches!(lone.event(), Event::RequestFailed { .. }));
                }
            }
            assert!(
                matches!(lone.event(), Event::NoAnswer { usage: u } if u == usage),
                "{method} {code:?}"
            );
            lone.no_event();
            assert!(lone.endpoint.call_id(usage).is_some(), "{method} {code:?}");
        }
    }
}

/// RFC 3261 §12.2.1.2, §15: who was only slow shall know.
#[test]
fn a_call_that_is_given_up_for_want_of_an_answer_ends_at_once_with_a_bye() {
    let (mut lone, usage, _) = caller();
    send(&mut lone, usage, Method::Info);
    lone.advance(Duration::from_secs(33));
    assert!(matches!(lone.event(), Event::RequestFailed { .. }));
    assert!(matches!(lone.event(), Event::NoAnswer { .. }));
    lone.act(|alice, now| alice.give_up(usage, now));
    lone.request(Method::Bye);
    assert!(matches!(
        lone.event(),
        Event::Ended {
            cause: EndCause::NoAnswer,
            ..
        }
    ));
    lone.act(|alice, now| alice.give_up(usage, now));
    lone.nothing_sent();
}

/// Trap 28.
#[test]
fn an_older_cseq_is_given_500_and_a_gap_is_fine() {
    let (mut lone, _, invite) = caller();
    for (cseq, refused) in [(5, false), (4, true), (5, true), (900, false)] {
        let info = from_callee(&invite, "b", "INFO", cseq, "", "");
        // Another branch: the same request again would only be a repeat.
        lone.receive(info.replace("z9hG4bK", &format!("z9hG4bK{cseq}{refused}")));
        if refused {
            lone.response(500);
        } else {
            let id = asked(lone.event());
            reply(&mut lone, id, &Reply::new(200));
            lone.response(200);
        }
    }
    lone.no_event();
}

/// Trap 28.
#[test]
fn a_cseq_of_2_to_the_31_is_no_cseq() {
    let (mut lone, _, invite) = caller();
    lone.receive(from_callee(&invite, "b", "INFO", 1 << 31, "", ""));
    let (_, refusal) = lone.sent.pop_front().unwrap();
    assert!(refusal.starts_with(b"SIP/2.0 400"));
    lone.no_event();
}

/// Trap 28.
#[test]
fn each_request_of_ours_has_the_next_cseq() {
    let (mut lone, usage, invite) = caller();
    let mut last = invite.headers().cseq().unwrap().number;
    for method in [Method::Info, Method::Update, Method::Message] {
        let (_, request) = send(&mut lone, usage, method);
        let number = request.headers().cseq().unwrap().number;
        assert_eq!(number, last + 1);
        last = number;
    }
}

/// Trap 29.
#[test]
fn their_bye_is_given_200_while_ours_is_out_and_the_call_ends_once() {
    let (mut lone, usage, invite) = caller();
    let (_, bye) = send(&mut lone, usage, Method::Bye);
    lone.receive(from_callee(&invite, "b", "BYE", 1, "", ""));
    lone.response(200);
    lone.receive(answer(&bye, 481, "b", ""));
    let events = lone.events();
    let ended = events
        .iter()
        .filter(|event| matches!(event, Event::Ended { .. }));
    assert_eq!(ended.count(), 1, "{events:?}");
}

/// Trap 29.
#[test]
fn a_bye_leaves_no_request_of_theirs_unanswered() {
    let (mut lone, _, invite, ok) = callee();
    lone.receive(within(&invite, &ok, "INVITE", 2, "re2", "", SDP));
    lone.response(100);
    let id = asked(lone.event());
    lone.receive(within(&invite, &ok, "BYE", 3, "bye", "", ""));
    lone.response(200);
    lone.response(487);
    assert!(matches!(lone.event(), Event::Ended { .. }));
    assert!(matches!(lone.event(), Event::RequestGone { id: i } if i == id));
}

#[test]
fn a_bye_ends_the_call_whatever_its_answer_is() {
    for code in [200, 481, 500, 403] {
        let (mut lone, usage, _) = caller();
        let (_, bye) = send(&mut lone, usage, Method::Bye);
        lone.no_event();
        lone.receive(answer(&bye, code, "b", ""));
        assert!(matches!(lone.event(), Event::Response { .. }));
        assert!(matches!(
            lone.event(),
            Event::Ended {
                cause: EndCause::Local,
                ..
            }
        ));
    }
    let (mut lone, usage, _) = caller();
    send(&mut lone, usage, Method::Bye);
    lone.advance(Duration::from_secs(33));
    assert!(matches!(lone.event(), Event::RequestFailed { .. }));
    assert!(matches!(
        lone.event(),
        Event::Ended {
            cause: EndCause::Local,
            ..
        }
    ));
}

#[test]
fn our_answer_to_a_reinvite_is_repeated_until_its_ack() {
    let (mut lone, usage, invite, ok) = callee();
    lone.receive(within(&invite, &ok, "INVITE", 2, "re2", "", SDP));
    lone.response(100);
    let id = asked(lone.event());
    reply(&mut lone, id, &Reply::new(200).sdp(SDP));
    lone.response(200);
    lone.advance(Duration::from_millis(600));
    lone.response(200);
    lone.receive(within(&invite, &ok, "ACK", 2, "ack2", "", ""));
    assert!(matches!(lone.event(), Event::Acked { usage: u, .. } if u == usage));
    lone.advance(Duration::from_secs(60));
    lone.nothing_sent();
}

#[test]
fn one_offer_of_ours_at_a_time() {
    let (mut lone, usage, invite) = caller();
    reinvite(&mut lone, usage);
    let second = lone.act(|alice, now| alice.request(usage, Method::Invite, &[], None, now));
    assert_eq!(second, Err(CommandError::OfferPending));
    lone.receive(from_callee(&invite, "b", "INFO", 1, "", ""));
    let id = asked(lone.event());
    reply(&mut lone, id, &Reply::new(200));
    lone.response(200);
}

#[test]
fn our_reinvite_is_acknowledged_again_for_each_repeat_of_its_2xx() {
    let (mut lone, usage, _) = caller();
    let (id, offer) = reinvite(&mut lone, usage);
    let ok = answer_with_body(&offer, 200, "b", "Contact: <sip:b@callee.invalid>\r\n", SDP);
    lone.receive(ok.clone());
    let ack = lone.request(Method::Ack);
    assert_eq!(
        ack.headers().cseq().unwrap().number,
        offer.headers().cseq().unwrap().number
    );
    assert!(matches!(lone.event(), Event::Response { id: i, .. } if i == id));
    lone.receive(ok);
    lone.request(Method::Ack);
    lone.no_event();
}

#[test]
fn their_cancel_of_a_reinvite_gives_it_487_and_keeps_the_call() {
    let (mut lone, usage, invite, ok) = callee();
    let offer = within(&invite, &ok, "INVITE", 2, "re2", "", SDP);
    lone.receive(offer.clone());
    lone.response(100);
    let id = asked(lone.event());
    let cancel = within(&invite, &ok, "CANCEL", 2, "re2", "", "");
    lone.receive(cancel);
    lone.response(200);
    lone.response(487);
    assert!(matches!(lone.event(), Event::RequestGone { id: i } if i == id));
    lone.no_event();
    send(&mut lone, usage, Method::Info);
}

#[test]
fn our_reinvite_can_be_cancelled() {
    let (mut lone, usage, _) = caller();
    let (id, offer) = reinvite(&mut lone, usage);
    lone.receive(answer(&offer, 100, "", ""));
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    let cancel = lone.request(Method::Cancel);
    lone.receive(answer(&cancel, 200, "b", ""));
    lone.receive(answer(&offer, 487, "b", ""));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Response { id: i, .. } if i == id));
    send(&mut lone, usage, Method::Info);
}

/// Trap 23.
#[test]
fn a_lost_flow_ends_requests_but_no_dialog_and_the_next_flow_carries_it_on() {
    let (mut lone, usage, invite) = caller();
    let (id, _) = send(&mut lone, usage, Method::Info);
    lone.flow_down();
    assert!(matches!(
        lone.event(),
        Event::RequestFailed { id: i, cause: RequestFailure::Transport } if i == id
    ));
    lone.no_event();
    let down = lone.act(|alice, now| alice.request(usage, Method::Info, &[], None, now));
    assert_eq!(down, Err(CommandError::NoFlow));
    lone.flow_up(Transport::Wss);
    lone.request(Method::Ack);
    let contact = header(&invite, "Contact").to_owned();
    let (_, offer) = reinvite(&mut lone, usage);
    assert_eq!(header(&offer, "Contact"), contact);
    lone.receive(from_callee(&invite, "b", "BYE", 3, "", ""));
    lone.response(200);
}

/// Trap 23: ours waits for another flow, theirs can't be answered any more.
#[test]
fn a_lost_flow_ends_the_unanswered_calls_of_others_only() {
    let mut lone = Lone::over_wss();
    lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    lone.request(Method::Invite);
    lone.receive(incoming("INVITE", "c1", "1", ""));
    lone.events();
    lone.flow_down();
    let events = lone.events();
    assert!(
        matches!(events[..], [Event::Cancelled { cancel: None, .. }]),
        "{events:?}"
    );
}

/// Trap 23: the ACK may come over the next flow.
#[test]
fn a_2xx_goes_on_being_repeated_over_the_next_flow() {
    let mut lone = Lone::over_wss();
    let invite = incoming("INVITE", "c1", "1", "");
    lone.receive(invite.clone());
    lone.response(100);
    let Event::Incoming { usage, .. } = lone.event() else {
        panic!("a call expected");
    };
    lone.act(|alice, now| alice.respond(usage, &Reply::new(200).sdp(SDP), now))
        .unwrap();
    let ok = lone.response(200);
    lone.flow_down();
    lone.advance(Duration::from_secs(1));
    lone.nothing_sent();
    lone.flow_up(Transport::Wss);
    lone.advance(Duration::from_secs(3));
    lone.response(200);
    lone.sent.clear();
    lone.receive(within(&invite, &ok, "ACK", 1, "ack", "", ""));
    assert!(matches!(lone.event(), Event::Acked { .. }));
}

/// Trap 23: hanging up without a flow ends the call at once, and is said when a flow is up again.
#[test]
fn a_bye_without_a_flow_is_sent_over_the_next() {
    let (mut lone, usage, _) = caller();
    lone.flow_down();
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    let events = lone.events();
    assert!(events.iter().any(|event| matches!(
        event,
        Event::Ended {
            cause: EndCause::Local,
            ..
        }
    )));
    lone.advance(Duration::from_secs(5));
    lone.flow_up(Transport::Wss);
    lone.request(Method::Ack);
    let bye = lone.request(Method::Bye);
    lone.receive(answer(&bye, 200, "b", ""));
    lone.no_event();
}

#[test]
fn before_a_reliable_answer_their_offer_is_not_taken_and_their_bye_not_allowed() {
    let mut lone = Lone::over_wss();
    lone.act(|alice, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    lone.receive(crate::lone::ringing(&invite, "b"));
    lone.events();
    lone.receive(from_callee(&invite, "b", "UPDATE", 1, "", SDP));
    lone.response(491);
    lone.receive(from_callee(&invite, "b", "BYE", 2, "", ""));
    lone.response(481);
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
}

#[test]
fn a_reinvite_that_was_answered_does_not_fail_when_the_call_ends() {
    let (mut lone, usage, _) = caller();
    let (_, again) = reinvite(&mut lone, usage);
    lone.receive(accept(&again, "b"));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Response { .. }));
    let (bye, request) = send(&mut lone, usage, Method::Bye);
    lone.receive(answer(&request, 200, "b", ""));
    assert!(matches!(lone.event(), Event::Response { id, .. } if id == bye));
    assert!(matches!(lone.event(), Event::Ended { .. }));
    lone.no_event();
    lone.receive(accept(&again, "b"));
    lone.request(Method::Ack);
    lone.no_event();
}
