//! Calls of ours that we give up.

use super::*;

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
