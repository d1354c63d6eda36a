//! What the far end shows: told when it begins and when it ends, once each.

use super::*;
use crate::harness::{Media, alice, code};
use crate::hold::{agree, hold};
use sip::message::Method;

/// What was told of streams, in order: `+` with the content, `-` with the id.
fn told(rig: &Rig) -> Vec<String> {
    let events = rig
        .events
        .iter()
        .map(|event| serde_json::to_value(event).expect("plain data"));
    events
        .filter_map(|event| {
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            match event["type"].as_str()? {
                "streamAvailable" => Some(format!("+{} {}", text("stream"), text("content"))),
                "streamUnavailable" => Some(format!("-{}", text("stream"))),
                _ => None,
            }
        })
        .collect()
}

#[test]
fn each_stream_that_comes_goes_once() {
    let (mut rig, mut bob, id) = Rig::talking(alice());
    lines(&mut rig, id, json!([line(1, "camera", false, true)]));
    lines(
        &mut rig,
        id,
        json!([
            line(1, "camera", true, true),
            line(2, "screen", false, true)
        ]),
    );
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    lines(
        &mut rig,
        id,
        json!([
            line(1, "camera", true, true),
            line(2, "screen", false, true)
        ]),
    );
    assert_eq!(told(&rig), ["+1 camera", "+2 screen", "-2", "+3 screen"]);
    rig.receive(bob.bye(&[]));
    assert_eq!(told(&rig)[4..], ["-1", "-3"]);
    assert!(rig.place("streamUnavailable") < rig.place("terminated"));
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    assert_eq!(told(&rig).len(), 6, "nothing comes after the end");
}

#[test]
fn a_line_that_shows_something_else_is_another_stream() {
    let (mut rig, _, id) = Rig::talking(alice());
    lines(&mut rig, id, json!([line(1, "camera", false, true)]));
    lines(&mut rig, id, json!([line(1, "screen", false, true)]));
    assert_eq!(told(&rig), ["+1 camera", "-1", "+2 screen"]);
}

#[test]
fn a_line_on_which_nothing_comes_is_no_stream() {
    let (mut rig, mut bob, id) = Rig::talking(alice());
    lines(&mut rig, id, json!([line(1, "camera", true, false)]));
    assert!(told(&rig).is_empty());
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    rig.media_mode = Media::Manual;
    rig.receive(bob.request("INVITE", &[], Some("v=0 theirs\r\n")));
    lines(&mut rig, id, json!([line(1, "camera", true, false)]));
    rig.describe(id, "v=0 ours\r\n");
    assert_eq!(told(&rig), ["+1 camera", "-1"]);
}

#[test]
fn streams_stand_still_while_somebody_is_on_hold() {
    let (mut rig, _, id) = Rig::talking(alice());
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    rig.media_mode = Media::Manual;
    hold(&mut rig, id, true);
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([line(1, "camera", true, false)]));
    hold(&mut rig, id, false);
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([line(1, "camera", true, true)]));
    assert_eq!(told(&rig), ["+1 camera"]);
    // A peer that shows nothing any more after the hold has stopped.
    hold(&mut rig, id, true);
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([line(1, "camera", true, false)]));
    hold(&mut rig, id, false);
    rig.describe(id, "v=0 ours\r\n");
    agree(&mut rig);
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(told(&rig), ["+1 camera", "-1"]);
}

#[test]
fn streams_stand_still_while_the_peer_holds_us() {
    let (mut rig, mut bob, id) = Rig::talking(alice());
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    rig.media_mode = Media::Manual;
    let mut reinvite = |rig: &mut Rig, held: bool, receives: bool| {
        rig.receive(bob.request("INVITE", &[], Some("v=0 theirs\r\n")));
        rig.media_event(id, MediaEvent::RemoteHold { held });
        lines(rig, id, json!([line(1, "camera", !held, receives)]));
        rig.describe(id, "v=0 ours\r\n");
        rig.beyond_trying(200);
        rig.receive(bob.ack(None));
    };
    reinvite(&mut rig, true, false);
    reinvite(&mut rig, false, true);
    assert_eq!(told(&rig), ["+1 camera"]);
    reinvite(&mut rig, true, false);
    reinvite(&mut rig, false, false);
    assert_eq!(told(&rig), ["+1 camera", "-1"]);
}

#[test]
fn pictures_go_where_the_application_wants_them() {
    let (mut rig, mut bob, id) = Rig::talking(alice());
    lines(&mut rig, id, json!([line(4, "camera", false, true)]));
    let output = json!({ "type": "sink", "id": 7 });
    let set = |stream: &str| json!({ "type": "setVideoOutput", "id": id, "stream": stream, "output": output });
    rig.done(set("1"));
    assert_eq!(media_json(rig.media_named("setVideoOutput")[0])["line"], 4);
    assert_eq!(rig.refused(set("2")), "ERR_SESSION_STATE");
    // What can't be opened fails; what fails later is a warning.
    rig.media_mode = Media::Manual;
    let failed = || MediaEvent::VideoOutputFailed {
        line: 4,
        reason: "the disk is full".into(),
    };
    let ticket = rig.command(set("1"));
    rig.media_event(id, failed());
    assert_eq!(code(&rig.error(ticket)), "ERR_NO_DEVICE");
    rig.media_event(id, failed());
    assert_eq!(rig.last("warning")["text"], "the disk is full");
    // One that never opens is settled by the end of its stream, or of the call.
    let first = rig.command(set("1"));
    let second = rig.command(set("1"));
    assert_eq!(code(&rig.error(first)), "ERR_ABORTED");
    lines(&mut rig, id, json!([]));
    assert_eq!(code(&rig.error(second)), "ERR_SESSION_STATE");
    lines(&mut rig, id, json!([line(4, "camera", false, true)]));
    let last = rig.command(set("2"));
    rig.receive(bob.bye(&[]));
    assert_eq!(code(&rig.error(last)), "ERR_SESSION_ENDED");
}

#[test]
fn the_size_of_a_streams_pictures_is_told() {
    let (mut rig, _, id) = Rig::talking(alice());
    let resolution = |line| MediaEvent::Resolution {
        line,
        width: 640,
        height: 360,
    };
    lines(&mut rig, id, json!([line(4, "camera", false, true)]));
    rig.media_event(id, resolution(4));
    rig.media_event(id, resolution(5));
    assert_eq!(rig.count("resolution"), 1, "of lines that are none");
    let event = rig.last("resolution");
    assert_eq!(
        (&event["stream"], &event["width"]),
        (&json!("1"), &json!(640))
    );
}

#[test]
fn a_call_that_nobody_answers_shows_nothing_after_its_end() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob", "options": { "video": none() } }));
    let id = rig.id_of("sessionStarted");
    rig.request(&Method::Invite);
    lines(&mut rig, id, json!([line(1, "camera", false, true)]));
    rig.command(json!({ "type": "end", "id": id }));
    assert_eq!(told(&rig), ["+1 camera", "-1"]);
}

#[test]
fn pixels_that_are_left_out_are_a_warning_until_all_are_decoded_again() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.media_event(id, MediaEvent::PixelsLeftOut { left_out: true });
    assert_eq!(rig.last("warning")["warning"], "too-many-pixels");
    rig.media_event(id, MediaEvent::PixelsLeftOut { left_out: false });
    assert_eq!(rig.last("warningCleared")["warning"], "too-many-pixels");
}
