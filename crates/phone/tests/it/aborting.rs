//! Commands that the application gives up.

use std::time::Duration;

use phone::{MediaCommand, MediaEvent, StreamCommand, Ticket};
use serde_json::{Value, json};
use sip::message::{Method, Request};

use crate::harness::{Media, Rig, alice, answer};

fn abort(rig: &mut Rig, ticket: Ticket) {
    rig.done(json!({ "type": "abort", "ticket": ticket }));
}

#[track_caller]
fn assert_aborted(rig: &Rig, ticket: Ticket) {
    assert_eq!(crate::harness::code(&rig.error(ticket)), "ERR_ABORTED");
}

/// What waits for the other side, and the request that went there.
fn asked(command: Value, method: &Method) -> (Rig, Ticket, Request) {
    let (mut rig, _, id) = Rig::talking(alice());
    let mut command = command;
    command["id"] = json!(id);
    let ticket = rig.command(command);
    let request = rig.request(method);
    assert!(rig.reply(ticket).is_none());
    (rig, ticket, request)
}

#[test]
fn what_waits_for_the_other_side_is_given_up_and_its_answer_changes_nothing() {
    for (command, method, sdp) in [
        (
            json!({ "type": "hold", "held": true }),
            Method::Invite,
            Some("v=0\r\n"),
        ),
        (
            json!({ "type": "sendInfo", "contentType": "text/plain", "body": "" }),
            Method::Info,
            None,
        ),
        (
            json!({ "type": "transfer", "target": "carol" }),
            Method::Refer,
            None,
        ),
    ] {
        let (mut rig, ticket, request) = asked(command, &method);
        abort(&mut rig, ticket);
        assert_aborted(&rig, ticket);
        let code = if method == Method::Refer { 202 } else { 200 };
        rig.receive(answer(&request, code, sdp));
        assert_aborted(&rig, ticket);
        assert_eq!(rig.count("sessionEnded"), 0, "{method}");
    }
}

#[test]
fn keys_that_wait_are_not_pressed_any_more() {
    let (mut rig, _, id) = Rig::talking(alice());
    let keys = |tones: &str| json!({ "type": "sendDtmf", "id": id, "tones": tones, "via": "info" });
    let first = rig.command(keys("12"));
    let second = rig.command(keys("345"));
    let third = rig.command(keys("6"));
    let info = rig.request(&Method::Info);
    abort(&mut rig, first);
    abort(&mut rig, second);
    assert_aborted(&rig, first);
    assert_aborted(&rig, second);
    rig.receive(answer(&info, 200, None));
    rig.advance(Duration::from_millis(170));
    let info = rig.request(&Method::Info);
    let body = String::from_utf8(info.body().to_vec()).unwrap();
    assert!(body.contains("Signal=6"), "{body}");
    rig.receive(answer(&info, 200, None));
    assert!(rig.reply(third).unwrap().is_ok());
    rig.seconds(5);
    assert!(rig.is_silent());
}

#[test]
fn tones_that_wait_are_not_sent_any_more_and_those_of_others_are() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.media_mode = Media::Manual;
    let tones = |tones: &str| json!({ "type": "sendDtmf", "id": id, "tones": tones });
    let first = rig.command(tones("12"));
    let second = rig.command(tones("34"));
    abort(&mut rig, first);
    assert_aborted(&rig, first);
    assert_eq!(
        rig.media_named("stopDtmf"),
        [&MediaCommand::Stream(StreamCommand::StopDtmf {
            ticket: first
        })]
    );
    rig.media_event(id, MediaEvent::DtmfSent { remaining: 1 });
    assert!(rig.reply(second).is_none());
    rig.media_event(id, MediaEvent::DtmfSent { remaining: 0 });
    assert!(rig.reply(second).unwrap().is_ok());
    assert_aborted(&rig, first);
}

#[test]
fn a_subscription_that_nobody_waits_for_is_given_up_with_its_command() {
    let mut rig = Rig::registered(alice());
    let ticket = rig.command(json!({ "type": "subscribe", "target": "bob", "event": "dialog" }));
    let subscribe = rig.request(&Method::Subscribe);
    abort(&mut rig, ticket);
    assert_aborted(&rig, ticket);
    rig.receive(answer(&subscribe, 200, None));
    rig.seconds(7200);
    assert!(rig.is_silent(), "nothing refreshes it");
    assert_eq!(rig.count("notified"), 0);
}

#[test]
fn a_request_outside_calls_is_given_up() {
    let mut rig = Rig::registered(alice());
    let message = json!({ "type": "sendMessage", "target": "bob", "body": "x" });
    let ticket = rig.command(message);
    let request = rig.request(&Method::Message);
    abort(&mut rig, ticket);
    assert_aborted(&rig, ticket);
    rig.receive(answer(&request, 200, None));
    assert_aborted(&rig, ticket);
}

#[test]
fn what_is_settled_is_not_given_up_any_more() {
    let (mut rig, _, id) = Rig::talking(alice());
    let ticket = rig.command(json!({ "type": "mute", "id": id, "muted": true }));
    assert!(rig.reply(ticket).unwrap().is_ok());
    abort(&mut rig, ticket);
    assert!(rig.reply(ticket).unwrap().is_ok());
}
