//! What a call begins with: no pictures unless somebody asked for them.

use super::*;
use crate::harness::{Caller, Media, alice, alice_with, answer};
use sip::message::Method;

const AUDIO: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";

#[test]
fn a_call_without_video_says_nothing_of_it() {
    let (rig, _, _) = {
        let mut rig = Rig::registered(alice());
        let mut bob = Caller::new("c1");
        let (id, _) = rig.takes(&mut bob, &[]);
        (rig, bob, id)
    };
    assert!(wished(&rig).is_empty() && opened(&rig).is_empty());
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    assert!(wished(&rig).is_empty() && opened(&rig).is_empty());
    assert!(rig.media_named("muteVideo").is_empty());
}

#[test]
fn a_call_with_video_wishes_it_before_its_offer() {
    let mut rig = Rig::registered(alice());
    let call = json!({ "type": "call", "target": "bob", "options": { "video": source(3), "screen": none() } });
    rig.command(call);
    assert_eq!(wished(&rig), ["Camera (Screen)"]);
    assert!(rig.place("media wishVideo") < rig.place("media offer"));
    assert_eq!(opened(&rig), [source(3)]);
}

#[test]
fn an_accepted_call_takes_what_is_wished_and_no_more() {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some(&format!("{AUDIO}{VIDEO}{VIDEO}"))));
    let id = rig.id_of("pendingSession");
    let pending = rig.last("pendingSession");
    assert_eq!(
        (&pending["video"], &pending["screen"]),
        (&json!(true), &json!(true))
    );
    rig.command(json!({ "type": "accept", "id": id, "options": { "video": none() } }));
    assert_eq!(wished(&rig), ["(Camera)"]);
    assert!(rig.place("media wishVideo") < rig.place("media answer"));
    assert!(opened(&rig).is_empty(), "nothing is sent");
}

#[test]
fn a_pending_session_says_what_of_video_is_offered() {
    for (sdp, video) in [(Some(AUDIO), false), (None, false)] {
        let mut rig = Rig::registered(alice());
        rig.receive(Caller::new("c1").invite(&[], sdp));
        let pending = rig.last("pendingSession");
        assert_eq!(pending["video"], json!(video));
        assert_eq!(pending["screen"], json!(false));
    }
}

#[test]
fn a_call_that_answers_itself_shows_nothing_unless_that_was_asked_for() {
    let answers = |auto: Value| {
        let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": auto })));
        let mut bob = Caller::new("c1");
        rig.receive(bob.invite(&[], Some(&format!("{AUDIO}{VIDEO}"))));
        rig.seconds(1);
        rig
    };
    let rig = answers(json!({ "policy": "always" }));
    assert!(rig.count("sessionStarted") == 1 && wished(&rig).is_empty());
    let asked = json!({ "policy": "always", "video": source(1), "screen": none() });
    let rig = answers(asked);
    assert_eq!(wished(&rig), ["Camera (Screen)"]);
    assert_eq!(opened(&rig), [source(1)]);
}

#[test]
fn a_source_that_can_not_be_opened_is_a_warning_and_the_call_goes_on() {
    let mut rig = Rig::registered(alice());
    rig.media_mode = Media::Manual;
    let ticket =
        rig.command(json!({ "type": "call", "target": "bob", "options": { "video": source(3) } }));
    let id = rig.id_of("sessionStarted");
    let reason = "VideoSource 3 already feeds another session".to_owned();
    let device = phone::audio::Device::Camera;
    rig.media_event(id, MediaEvent::DeviceFailed { device, reason });
    assert_eq!(
        rig.count("warning"),
        0,
        "the application has no session yet"
    );
    rig.describe(id, "v=0 ours\r\n");
    assert!(is_settled(&rig, ticket));
    let warning = rig.last("warning");
    assert_eq!(warning["warning"], "no-device");
    assert!(
        warning["text"].as_str().unwrap().starts_with("Camera"),
        "{warning}"
    );
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    rig.media_event(id, MediaEvent::DeviceOpened { device });
    assert_eq!(rig.count("warningCleared"), 1);
}
