use serde_json::json;
use sip::message::Method;

use crate::harness::{Caller, Media, Rig, alice, answer, code, header};

#[test]
fn destroying_an_idle_phone_closes_it_at_once() {
    let mut rig = Rig::new(alice());
    rig.done(json!({ "type": "destroy" }));
    assert!(rig.closed);
    assert_eq!(rig.count("closed"), 1);
    assert_eq!(rig.count("disconnected"), 0, "it never was connected");
}

#[test]
fn destroying_a_connected_phone_tells_that_it_is_disconnected() {
    let mut rig = Rig::registered(alice());
    rig.done(json!({ "type": "destroy" }));
    assert_eq!(rig.count("disconnected"), 1);
    assert_eq!(rig.last("disconnected")["reconnecting"], false);
    assert_eq!(rig.count("closed"), 1);
}

#[test]
fn destroying_ends_every_call_unregisters_and_closes() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let first = rig.request(&Method::Invite);
    rig.receive(answer(&first, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    rig.command(json!({ "type": "call", "target": "carol" }));
    let second = rig.request(&Method::Invite);
    rig.receive(answer(&second, 180, None));
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    rig.beyond_trying(180);
    rig.registrar = false;

    let ticket = rig.command(json!({ "type": "destroy" }));
    assert_eq!(rig.count("terminated"), 2);
    assert_eq!(rig.count("sessionEnded"), 2);
    assert_eq!(rig.count("cancelPendingSession"), 1);
    assert_eq!(rig.last("cancelPendingSession")["details"]["side"], "local");
    assert!(rig.reply(ticket).is_none() && !rig.closed);

    let mut register = None;
    while !rig.is_silent() {
        match rig.sent() {
            sip::message::Message::Request(request) => match request.method() {
                Method::Register => register = Some(request),
                Method::Bye => rig.receive(answer(&request, 200, None)),
                Method::Cancel => {
                    rig.receive(answer(&request, 200, None));
                    rig.receive(answer(&second, 487, None));
                }
                _ => {}
            },
            sip::message::Message::Response(response) => {
                assert_eq!(response.status().code(), 480);
                rig.receive(caller.ack(None));
            }
        }
    }
    assert!(!rig.closed, "the registrar has not answered");
    let register = register.expect("a REGISTER");
    assert!(
        header(&register, "Contact").unwrap().contains("expires=0")
            || header(&register, "Expires").as_deref() == Some("0")
    );
    rig.receive(answer(&register, 200, None));
    assert!(rig.closed);
    assert_eq!(rig.count("unregistered"), 1);
    assert!(rig.place("sessionEnded") < rig.place("closed"));
    assert!(rig.place("closed") < rig.place(&format!("reply {}", ticket.0)));
    assert_eq!(rig.disconnects, 1);
}

#[test]
fn destroying_waits_for_a_silent_server_and_leaves_half_a_second_of_two_to_the_driver() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "destroy" }));
    rig.advance(std::time::Duration::from_millis(1499));
    assert!(!rig.closed);
    rig.advance(std::time::Duration::from_millis(1));
    assert!(rig.closed);
    assert!(rig.reply(ticket).unwrap().is_ok());
    rig.assert_ended_once("success", "local");
}

#[test]
fn no_call_that_was_never_answered_ends_in_success_when_the_phone_is_destroyed() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    rig.media_mode = Media::Manual;
    let accepted = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": accepted }));
    rig.command(json!({ "type": "call", "target": "bob" }));
    let called = rig.id_of("sessionStarted");
    rig.describe(called, "v=0\r\n");
    rig.command(json!({ "type": "destroy" }));
    let conditions: Vec<_> = rig
        .events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .filter(|event| event["type"] == "sessionEnded")
        .map(|event| (event["id"].clone(), event["reason"]["condition"].clone()))
        .collect();
    for (id, condition) in [(accepted, "decline"), (called, "cancel")] {
        let expected = (json!(id.to_string()), json!(condition));
        assert!(conditions.contains(&expected), "{conditions:?}");
    }
}

#[test]
fn a_lost_connection_ends_the_wait_of_destroy() {
    let mut rig = Rig::registered(alice());
    rig.registrar = false;
    rig.command(json!({ "type": "destroy" }));
    assert!(!rig.closed);
    rig.down();
    assert!(rig.closed);
}

#[test]
fn destroying_twice_settles_both_and_other_commands_fail() {
    let mut rig = Rig::registered(alice());
    rig.registrar = false;
    let first = rig.command(json!({ "type": "destroy" }));
    let second = rig.command(json!({ "type": "destroy" }));
    let call = rig.command(json!({ "type": "call", "target": "bob" }));
    assert_eq!(code(&rig.error(call)), "ERR_DESTROYED");
    rig.seconds(2);
    assert!(rig.reply(first).unwrap().is_ok() && rig.reply(second).unwrap().is_ok());
    assert_eq!(rig.count("closed"), 1);
}

#[test]
fn destroying_settles_what_still_waits() {
    let mut rig = Rig::new(alice());
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.done(json!({ "type": "destroy" }));
    assert_eq!(code(&rig.error(ticket)), "ERR_DESTROYED");
    assert!(rig.closed);
}

#[test]
fn calls_that_come_while_the_phone_leaves_are_refused() {
    let mut rig = Rig::registered(alice());
    rig.registrar = false;
    rig.command(json!({ "type": "destroy" }));
    rig.outbox.clear();
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    rig.beyond_trying(480);
    assert_eq!(rig.count("pendingSession"), 0);
}
