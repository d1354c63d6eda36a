//! A call that is not answered, a muted camera, and a hold: the far end sees nothing.

use sip::message::Method;

use super::*;
use crate::early_media::{fork, rack};
use crate::harness::{Caller, Media, alice, alice_with};
use crate::hold::{agree, hold};

/// What media was told to hide, in order.
fn hidden(rig: &Rig) -> Vec<(String, bool)> {
    let all = rig.media_named("muteVideo").into_iter().map(media_json);
    all.map(|command| {
        let content = command["content"].as_str().expect("a content").to_owned();
        (content, command["muted"] == true)
    })
    .collect()
}

fn showing() -> (Rig, crate::harness::Caller, SessionId) {
    let (mut rig, bob, id) = Rig::talking(alice());
    let both = json!([
        line(1, "camera", true, true),
        line(2, "screen", true, false)
    ]);
    lines(&mut rig, id, both);
    set_video(&mut rig, id, source(1));
    agree(&mut rig);
    let screen = json!({ "type": "setVideo", "id": id, "content": "screen", "input": source(2) });
    rig.command(screen);
    agree(&mut rig);
    rig.media.clear();
    rig.events.clear();
    (rig, bob, id)
}

#[test]
fn a_muted_camera_is_not_seen_and_a_screen_is() {
    let (mut rig, _, id) = showing();
    let mute = |muted: bool| json!({ "type": "muteVideo", "id": id, "muted": muted });
    rig.done(mute(true));
    rig.done(mute(true));
    assert_eq!(hidden(&rig), [("camera".to_owned(), true)]);
    rig.done(mute(false));
    assert_eq!(rig.changes("videoMuted"), [true, false]);
    assert!(rig.is_silent(), "the peer is asked nothing");
}

#[test]
fn who_is_on_hold_sees_nothing_at_all() {
    let (mut rig, _, id) = showing();
    rig.media_mode = Media::Manual;
    rig.order.clear();
    hold(&mut rig, id, true);
    assert_eq!(
        hidden(&rig),
        [("camera".to_owned(), true), ("screen".to_owned(), true)]
    );
    assert!(rig.place("media muteVideo") < rig.place("media reoffer"));
    rig.describe(id, "v=0 ours\r\n");
    agree(&mut rig);
    rig.media_event(id, MediaEvent::AnswerApplied);
    rig.media.clear();
    // What is muted meanwhile stays so.
    rig.done(json!({ "type": "muteVideo", "id": id, "muted": true }));
    hold(&mut rig, id, false);
    assert!(hidden(&rig).is_empty(), "until the peer has agreed");
    rig.describe(id, "v=0 ours\r\n");
    agree(&mut rig);
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(hidden(&rig), [("screen".to_owned(), false)]);
}

#[test]
fn a_camera_that_begins_while_it_is_muted_is_not_seen() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.done(json!({ "type": "muteVideo", "id": id, "muted": true }));
    assert!(hidden(&rig).is_empty());
    rig.order.clear();
    set_video(&mut rig, id, source(1));
    assert_eq!(hidden(&rig), [("camera".to_owned(), true)]);
    assert!(rig.place("media muteVideo") < rig.place("media setVideo"));
}

const BOTH: [(&str, bool); 2] = [("camera", true), ("screen", true)];

#[test]
fn nothing_is_shown_to_a_phone_that_rings() {
    let mut rig = Rig::registered(alice());
    let options = json!({ "video": source(1), "screen": source(2) });
    rig.command(json!({ "type": "call", "target": "bob", "options": options }));
    let invite = rig.request(&Method::Invite);
    let closed = BOTH.map(|(content, muted)| (content.to_owned(), muted));
    assert_eq!(hidden(&rig), closed);
    assert!(rig.place("media muteVideo") < rig.place("media setVideo"));
    rig.receive(fork(&invite, 183, "a", None, Some("v=0 a\r\n")));
    let id = rig.id_of("sessionStarted");
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    // What is muted while it rings stays so.
    rig.done(json!({ "type": "muteVideo", "id": id, "muted": true }));
    assert_eq!(hidden(&rig), closed, "it rings still");
    rig.order.clear();
    rig.receive(fork(&invite, 200, "b", None, Some("v=0 b\r\n")));
    assert_eq!(hidden(&rig)[2..], [("screen".to_owned(), false)]);
    assert!(
        rig.place("media setAnswer") < rig.place("media muteVideo"),
        "the one that rang is not the one that answered"
    );
}

#[test]
fn a_caller_sees_nothing_before_it_is_answered_though_it_hears_early_media() {
    let mut rig = Rig::registered(alice_with(json!({ "autoConnectSessions": false })));
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[("Supported", "100rel")], Some("v=0 offer\r\n")));
    bob.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    let options = json!({ "video": source(1), "screen": source(2) });
    rig.done(json!({ "type": "accept", "id": id, "options": options }));
    rig.done(json!({ "type": "sendEarlyMedia", "id": id }));
    let early = rig.response(183);
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    rig.receive(bob.request("PRACK", &[("RAck", &rack(&early))], None));
    rig.response(200);
    let closed = BOTH.map(|(content, muted)| (content.to_owned(), muted));
    assert_eq!(hidden(&rig), closed);
    rig.done(json!({ "type": "connect", "id": id }));
    rig.response(200);
    let opened = BOTH.map(|(content, _)| (content.to_owned(), false));
    assert_eq!(hidden(&rig)[2..], opened);
}
