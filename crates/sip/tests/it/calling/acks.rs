//! What acknowledges the answers to our calls.

use super::*;

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

#[test]
fn an_offer_in_the_2xx_is_answered_in_the_ack_which_is_repeated() {
    let mut lone = Lone::over_wss();
    let usage = lone.act(|alice, now| {
        let invite = Invite::new(uri("sip:bob@example.com"));
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
        let invite = Invite::new(uri("sip:bob@example.com"));
        alice.invite(invite, now).unwrap()
    });
    let invite = lone.request(Method::Invite);
    lone.receive(accept(&invite, "b"));
    lone.act(|alice, now| alice.request(usage, Method::Bye, &[], None, now))
        .unwrap();
    lone.request(Method::Ack);
    lone.request(Method::Bye);
}
