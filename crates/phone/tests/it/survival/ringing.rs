//! Calls of ours that ring while the connection is lost.

use super::*;

#[test]
fn a_pending_session_can_not_outlive_the_flow_of_its_invite() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    rig.down();
    assert_eq!(rig.count("cancelPendingSession"), 1);
    let details = rig.last("cancelPendingSession")["details"].clone();
    assert_eq!(details["side"], "network");
    assert_eq!(details["reason"]["condition"], "connectivity-error");
}

/// A call of ours that rings there.
fn ringing(options: serde_json::Value) -> (Rig, Request, SessionId) {
    let mut rig = Rig::registered(options);
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 180, None));
    let id = rig.id_of("sessionStarted");
    (rig, invite, id)
}

/// The same, once the connection is back, and the INVITE repeated over it.
fn ringing_on(rig: &mut Rig, invite: &Request) {
    rig.down();
    assert_eq!(rig.count("terminated"), 0);
    rig.until_connect();
    rig.up();
    assert!(rig.place("registered") < rig.order.len() - 1);
    let again = rig.request(&Method::Invite);
    assert_eq!(again.to_bytes(), invite.to_bytes());
}

fn assert_cancels(rig: &mut Rig, invite: &Request) {
    let cancel = rig.request(&Method::Cancel);
    for name in ["Via", "From", "To", "Call-ID"] {
        assert_eq!(header(&cancel, name), header(invite, name), "{name}");
    }
    let number = |request: &Request| request.headers().cseq().unwrap().number;
    assert_eq!(number(&cancel), number(invite));
    rig.receive(answer(&cancel, 200, None));
    rig.receive(answer(invite, 487, None));
    rig.request(&Method::Ack);
}

#[test]
fn a_call_that_rings_goes_on_over_the_next_connection() {
    for before in [0, 30] {
        let (mut rig, invite, _) = ringing(alice());
        ringing_on(&mut rig, &invite);
        rig.receive(answer(&invite, 180, None));
        rig.seconds(before);
        rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
        rig.request(&Method::Ack);
        assert_eq!(rig.count("answered"), 1);
        assert_eq!(rig.changes("active"), [true]);
        rig.lives_on();
        assert!(rig.is_silent());
    }
}

#[test]
fn the_answer_may_be_the_first_that_comes_over_the_next_connection() {
    let (mut rig, invite, _) = ringing(alice());
    ringing_on(&mut rig, &invite);
    rig.seconds(3);
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.count("answered"), 1);
    rig.lives_on();
}

#[test]
fn a_call_that_the_server_does_not_let_go_on_is_cancelled_there() {
    let (mut rig, invite, _) = ringing(alice());
    ringing_on(&mut rig, &invite);
    rig.seconds(4);
    rig.assert_ended_once("connectivity-error", "network");
    assert_cancels(&mut rig, &invite);
    rig.seconds(60);
    assert!(rig.is_silent());
}

#[test]
fn without_survivability_a_call_that_rings_is_cancelled_over_the_next_connection() {
    let options = alice_with(json!({ "sessionSurvivability": false }));
    let (mut rig, invite, _) = ringing(options);
    rig.down();
    rig.assert_ended_once("connectivity-error", "network");
    rig.until_connect();
    rig.up();
    assert_cancels(&mut rig, &invite);
    assert_eq!(rig.count("terminated"), 1);
}

#[test]
fn a_call_that_is_given_up_without_a_connection_is_cancelled_over_the_next() {
    for timeout in [false, true] {
        let mut rig = Rig::registered(alice());
        let call = json!({ "type": "call", "target": "bob", "options": { "timeout": 20_000 } });
        rig.command(call);
        let invite = rig.request(&Method::Invite);
        rig.receive(answer(&invite, 180, None));
        let id = rig.id_of("sessionStarted");
        rig.down();
        match timeout {
            true => {
                for _ in 0..4 {
                    rig.until_connect();
                    let reason = "no network".into();
                    rig.connection(phone::Connection::Refused {
                        reason,
                        code: phone::ErrorCode::ConnectionFailed,
                    });
                }
                rig.seconds(20);
                rig.assert_ended_once("timeout", "local");
            }
            false => {
                rig.done(json!({ "type": "end", "id": id }));
                rig.assert_ended_once("cancel", "local");
            }
        }
        if !timeout {
            rig.until_connect();
        }
        rig.up();
        assert_cancels(&mut rig, &invite);
        assert_eq!(rig.count("terminated"), 1);
    }
}

#[test]
fn disconnecting_cancels_what_rings_and_reconnecting_lets_it_ring_on() {
    let (mut rig, invite, _) = ringing(alice());
    rig.done(json!({ "type": "disconnect" }));
    rig.assert_ended_once("connectivity-error", "local");
    let cancel = rig.request(&Method::Cancel);
    assert_eq!(header(&cancel, "Call-ID"), header(&invite, "Call-ID"));
    assert!(rig.place("CANCEL") < rig.place("disconnect"));

    let (mut rig, invite, _) = ringing(alice());
    rig.command(json!({ "type": "reconnect" }));
    rig.up();
    rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.count("answered"), 1);
}

#[test]
fn a_phone_that_is_destroyed_while_its_call_rings_without_a_connection_waits_for_nothing() {
    let (mut rig, _, _) = ringing(alice());
    rig.down();
    rig.command(json!({ "type": "destroy" }));
    rig.assert_ended_once("cancel", "local");
    assert!(rig.closed);
}
