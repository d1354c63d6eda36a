//! Unanswered calls of ours whose flow is lost.

use super::*;

/// A call that rings at `b`, its flow lost.
fn stranded(provisional: Option<u16>) -> (Lone, UsageId, Request) {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    if let Some(code) = provisional {
        let tag = if code == 100 { "" } else { "b" };
        let contact = "Contact: <sip:b@callee.invalid;transport=ws>\r\n";
        lone.receive(answer(&invite, code, tag, contact));
    }
    lone.events();
    lone.flow_down();
    lone.no_event();
    (lone, usage, invite)
}

/// As above, and asked to go on over another flow.
fn resumed(provisional: Option<u16>) -> (Lone, UsageId, Request) {
    let (mut lone, usage, invite) = stranded(provisional);
    lone.advance(Duration::from_secs(2));
    lone.flow_up(Transport::Wss);
    lone.nothing_sent();
    lone.act(|alice, now| alice.resume(usage, now));
    let again = lone.request(Method::Invite);
    assert_eq!(
        again.to_bytes(),
        invite.to_bytes(),
        "a repeat, not another call"
    );
    (lone, usage, invite)
}

fn assert_same_hop(cancel: &Request, invite: &Request) {
    assert_eq!(branch(cancel), branch(invite));
    assert_eq!(cseq(cancel), cseq(invite));
    for name in ["Via", "From", "To", "Call-ID"] {
        assert_eq!(header(cancel, name), header(invite, name), "{name}");
    }
}

#[test]
fn a_ringing_call_goes_on_over_the_next_flow_where_the_server_lets_it() {
    for provisional in [None, Some(100), Some(180)] {
        let (mut lone, _, invite) = resumed(provisional);
        lone.receive(ringing(&invite, "b"));
        assert!(matches!(lone.event(), Event::Provisional { .. }));
        lone.advance(Duration::from_secs(60));
        lone.nothing_sent();
        lone.receive(accept(&invite, "b"));
        let ack = lone.request(Method::Ack);
        assert_eq!(cseq(&ack), cseq(&invite));
        assert!(matches!(lone.event(), Event::Answered { .. }));
        lone.no_event();
    }
}

#[test]
fn the_answer_to_the_repeat_may_be_the_final_one() {
    let (mut lone, _, invite) = resumed(Some(180));
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Answered { .. }));
    let (mut lone, _, invite) = resumed(Some(180));
    lone.receive(answer(&invite, 486, "b", ""));
    lone.request(Method::Ack);
    assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
    lone.advance(Duration::from_secs(60));
    lone.nothing_sent();
    assert!(lone.endpoint.is_idle());
}

#[test]
fn a_server_that_says_nothing_is_sent_the_cancel_of_the_same_invite() {
    for provisional in [None, Some(100), Some(180)] {
        let (mut lone, _, invite) = resumed(provisional);
        lone.advance(Duration::from_secs(4));
        let cancel = lone.request(Method::Cancel);
        assert_same_hop(&cancel, &invite);
        assert!(matches!(failed(lone.event()), FailureCause::Transport));
        lone.receive(answer(&cancel, 200, "b", ""));
        lone.receive(answer(&invite, 487, "b", ""));
        lone.request(Method::Ack);
        lone.advance(Duration::from_secs(60));
        lone.nothing_sent();
        lone.no_event();
        assert!(lone.endpoint.is_idle());
    }
}

/// It answered while we were away, and its 200 went nowhere: CANCEL comes too late.
#[test]
fn who_answered_in_the_meantime_is_hung_up() {
    for code in [200, 481] {
        let (mut lone, _, invite) = resumed(Some(180));
        lone.advance(Duration::from_secs(4));
        let cancel = lone.request(Method::Cancel);
        lone.receive(answer(&cancel, code, "b", ""));
        lone.advance(Duration::from_secs(2));
        let bye = lone.request(Method::Bye);
        assert!(header(&bye, "To").ends_with(";tag=b"));
        assert_eq!(header(&bye, "Call-ID"), header(&invite, "Call-ID"));
        assert!(cseq(&bye) > cseq(&invite));
        lone.receive(answer(&bye, 200, "b", ""));
        lone.advance(Duration::from_secs(60));
        lone.nothing_sent();
        assert!(lone.endpoint.is_idle());
    }
}

#[test]
fn an_answer_that_crosses_that_cancel_is_acknowledged_and_hung_up() {
    let (mut lone, _, invite) = resumed(Some(180));
    lone.advance(Duration::from_secs(4));
    lone.request(Method::Cancel);
    lone.events();
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
    let bye = lone.request(Method::Bye);
    lone.receive(answer(&bye, 200, "b", ""));
    lone.advance(Duration::from_secs(3));
    lone.nothing_sent();
}

/// It takes the repeat for another call than the one that still rings.
#[test]
fn whoever_rang_before_is_hung_up_where_the_server_has_forgotten_the_call() {
    for code in [180, 200, 482] {
        let (mut lone, _, invite) = resumed(Some(180));
        let contact = "Contact: <sip:c@callee.invalid;transport=ws>\r\n";
        lone.receive(answer_with_body(&invite, code, "c", contact, SDP));
        let bye = loop {
            let request = lone.request_of_any();
            if *request.method() != Method::Ack {
                break request;
            }
        };
        assert_eq!(*bye.method(), Method::Bye);
        assert!(header(&bye, "To").ends_with(";tag=b"));
        lone.receive(answer(&bye, 481, "b", ""));
        let event = lone.event();
        assert!(match code {
            180 => matches!(event, Event::Provisional { .. }),
            200 => matches!(event, Event::Answered { .. }),
            _ => matches!(failed(event), FailureCause::Response(_)),
        });
    }
}

/// Neither is an answer of the one that rings hung up, nor that of another fork later.
#[test]
fn forks_go_on_ringing() {
    let (mut lone, _, invite) = resumed(Some(180));
    lone.receive(answer(&invite, 100, "", ""));
    lone.receive(ringing(&invite, "b"));
    lone.receive(ringing(&invite, "c"));
    lone.nothing_sent();
    lone.receive(accept(&invite, "c"));
    lone.request(Method::Ack);
    lone.nothing_sent();
}

#[test]
fn credentials_are_given_again_over_the_next_flow() {
    let mut settings = config("alice");
    settings.credentials = Some(sip::auth::Credentials::password("alice", "secret").unwrap());
    let mut lone = Lone::with(settings, Transport::Wss);
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "b"));
    lone.flow_down();
    lone.flow_up(Transport::Wss);
    lone.act(|alice, now| alice.resume(usage, now));
    let again = lone.request(Method::Invite);
    let challenge =
        "Proxy-Authenticate: Digest realm=\"example.com\", nonce=\"n\", qop=\"auth\"\r\n";
    lone.receive(answer(&again, 407, "p", challenge));
    lone.request(Method::Ack);
    let bye = lone.request(Method::Bye);
    lone.receive(answer(&bye, 481, "b", ""));
    let with = lone.request(Method::Invite);
    assert_eq!(header(&with, "Call-ID"), header(&invite, "Call-ID"));
    lone.receive(accept(&with, "b"));
    lone.request(Method::Ack);
}

#[test]
fn a_call_given_up_without_a_flow_is_cancelled_over_the_next() {
    for provisional in [None, Some(100), Some(180)] {
        let (mut lone, usage, invite) = stranded(provisional);
        let reason = Reason::new("SIP");
        lone.act(|alice, now| alice.cancel(usage, Some(reason), now))
            .unwrap();
        lone.nothing_sent();
        lone.advance(Duration::from_secs(40));
        lone.no_event();
        lone.flow_up(Transport::Wss);
        let cancel = lone.request(Method::Cancel);
        assert_same_hop(&cancel, &invite);
        assert!(header(&cancel, "Reason").starts_with("SIP"));
        lone.receive(answer(&cancel, 200, "b", ""));
        lone.receive(answer(&invite, 487, "b", ""));
        lone.request(Method::Ack);
        assert!(matches!(failed(lone.event()), FailureCause::Response(_)));
        lone.advance(Duration::from_secs(60));
        lone.nothing_sent();
        assert!(lone.endpoint.is_idle());
    }
}

#[test]
fn a_cancel_whose_answer_was_lost_is_sent_again() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "b"));
    lone.act(|alice, now| alice.cancel(usage, None, now))
        .unwrap();
    lone.request(Method::Cancel);
    lone.flow_down();
    lone.advance(Duration::from_secs(2));
    lone.flow_up(Transport::Wss);
    let cancel = lone.request(Method::Cancel);
    assert_same_hop(&cancel, &invite);
}

#[test]
fn a_flow_that_is_lost_again_strands_the_call_again() {
    let (mut lone, usage, invite) = resumed(Some(180));
    lone.advance(Duration::from_secs(3));
    lone.flow_down();
    lone.advance(Duration::from_secs(30));
    lone.no_event();
    lone.flow_up(Transport::Wss);
    lone.act(|alice, now| alice.resume(usage, now));
    lone.request(Method::Invite);
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Answered { .. }));
}

#[test]
fn without_another_flow_it_ends_when_nobody_rings_any_more() {
    for cancelled in [false, true] {
        let (mut lone, usage, _) = stranded(Some(180));
        if cancelled {
            lone.act(|alice, now| alice.cancel(usage, None, now))
                .unwrap();
        }
        lone.advance(Duration::from_secs(180));
        lone.no_event();
        lone.advance(Duration::from_secs(6));
        assert!(matches!(failed(lone.event()), FailureCause::Transport));
        assert!(lone.endpoint.is_idle());
    }
}

/// RFC 3262 §4: the PRACK may have been lost with the flow.
#[test]
fn a_reliable_answer_that_comes_again_is_acknowledged_again() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    let reliable = "Require: 100rel\r\nRSeq: 7\r\nContact: <sip:b@callee.invalid>\r\n";
    lone.receive(answer_with_body(&invite, 183, "b", reliable, SDP));
    lone.request(Method::Prack);
    lone.flow_down();
    lone.flow_up(Transport::Wss);
    lone.act(|alice, now| alice.resume(usage, now));
    lone.request(Method::Invite);
    lone.receive(answer_with_body(&invite, 183, "b", reliable, SDP));
    let prack = lone.request(Method::Prack);
    assert_eq!(header(&prack, "RAck"), "7 1 INVITE");
}
