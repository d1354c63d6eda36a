//! What the far end of one call shows, shown to that of another.

use sip::message::Method;

use super::*;
use crate::harness::{Caller, Media, alice, alice_with, answer, code};
use crate::hold::agree;

const REFUSED: &str = "v=0 refused\r\n";

fn stream(session: SessionId, stream: &str) -> Value {
    json!({ "type": "stream", "session": session, "stream": stream })
}

/// A line on which pictures of ours travel in this codec.
fn coded(number: u32, codec: Option<&str>) -> Value {
    let mut line = line(number, "camera", codec.is_some(), true);
    line["codec"] = json!(codec);
    line
}

/// The peer has agreed to our offer, and media has these lines.
fn agreed(rig: &mut Rig, id: SessionId, there: Value) {
    lines(rig, id, there);
    agree(rig);
}

fn comes_in(rig: &mut Rig, id: SessionId, line: u32, codec: &str) {
    let event = json!({ "type": "lineCodec", "line": line, "codec": codec });
    rig.media_event(id, serde_json::from_value(event).expect("a codec"));
}

/// Ann publishes on line 7, and Bob is in a call too.
fn published() -> (Rig, SessionId, SessionId) {
    let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": "always" })));
    let (ann, _) = rig.takes(&mut Caller::new("ann"), &[]);
    let (bob, _) = rig.takes(&mut Caller::new("bob").from("<sip:bob@example.com>"), &[]);
    lines(&mut rig, ann, json!([line(7, "camera", false, true)]));
    rig.media.clear();
    rig.events.clear();
    (rig, ann, bob)
}

/// Bob sees what Ann publishes in VP8.
fn forwarded() -> (Rig, SessionId, SessionId) {
    let (mut rig, ann, bob) = published();
    comes_in(&mut rig, ann, 7, "vp8");
    let ticket = set_video(&mut rig, bob, stream(ann, "1"));
    agreed(&mut rig, bob, json!([coded(1, Some("vp8"))]));
    assert!(is_settled(&rig, ticket));
    (rig, ann, bob)
}

/// What media was told to forward to Bob: from whom, and from which line.
fn forwards(rig: &Rig) -> Vec<(Value, Value)> {
    let all = rig.media_named("showLine").into_iter().map(media_json);
    all.map(|mut command| (command["session"].take(), command["line"].take()))
        .collect()
}

/// In which codecs the camera was wished to be sent, in order.
fn codecs(rig: &Rig) -> Vec<Value> {
    let all = rig.media_named("wishVideo").into_iter().map(media_json);
    all.map(|mut command| command["wishes"][0]["codecs"].take())
        .collect()
}

fn warnings(rig: &Rig) -> Vec<String> {
    let events = rig
        .events
        .iter()
        .map(|event| serde_json::to_value(event).expect("an event"));
    events
        .filter(|event| event["type"] == "warning")
        .map(|event| event["text"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn pictures_of_one_call_are_shown_in_another_in_their_codec() {
    let (rig, ann, _) = forwarded();
    assert_eq!(forwards(&rig), [(json!(ann), json!(7))]);
    assert_eq!(codecs(&rig), [json!(["vp8"])]);
}

#[test]
fn a_call_begins_with_pictures_of_another() {
    let (mut rig, ann, _) = published();
    comes_in(&mut rig, ann, 7, "h264");
    let options = json!({ "video": stream(ann, "1") });
    rig.command(json!({ "type": "call", "target": "carol", "options": options }));
    assert_eq!(forwards(&rig), [(json!(ann), json!(7))]);
    assert_eq!(codecs(&rig), [json!(["h264"])]);
}

#[test]
fn what_is_not_there_can_not_be_shown() {
    let (mut rig, ann, bob) = published();
    let unknown = SessionId::from_random(99);
    for (input, expected) in [
        (stream(unknown, "1"), "ERR_SESSION_NOT_FOUND"),
        (stream(ann, "2"), "ERR_SESSION_STATE"),
        (stream(bob, "1"), "ERR_INVALID_ARGUMENT"),
    ] {
        let ticket = set_video(&mut rig, bob, input.clone());
        assert_eq!(code(&rig.error(ticket)), expected, "{input}");
        if expected == "ERR_INVALID_ARGUMENT" {
            continue;
        }
        let options = json!({ "screen": input });
        let call = json!({ "type": "call", "target": "carol", "options": options });
        assert_eq!(rig.refused(call), expected);
    }
    assert!(rig.is_silent() && forwards(&rig).is_empty());
    rig.receive(Caller::new("c9").invite(&[], Some("v=0\r\n")));
    assert_eq!(rig.count("pendingSession"), 1);
}

#[test]
fn a_call_that_waits_is_accepted_with_what_is_there_only() {
    let mut rig = Rig::registered(alice());
    let (ann, _) = rig.takes(&mut Caller::new("ann"), &[]);
    lines(&mut rig, ann, json!([line(7, "camera", false, true)]));
    rig.receive(Caller::new("c2").invite(&[], Some("v=0\r\n")));
    let pending = rig.id_of("pendingSession");
    let accept =
        |stream: Value| json!({ "type": "accept", "id": pending, "options": { "video": stream } });
    assert_eq!(rig.refused(accept(stream(ann, "9"))), "ERR_SESSION_STATE");
    assert_eq!(
        rig.refused(accept(stream(pending, "1"))),
        "ERR_INVALID_ARGUMENT"
    );
    rig.media.clear();
    rig.done(accept(stream(ann, "1")));
    assert_eq!(forwards(&rig), [(json!(ann), json!(7))]);
    assert_eq!(codecs(&rig), [json!([])], "nothing of it has come yet");
}

#[test]
fn it_is_not_asked_for_again_if_the_codec_is_found_to_be_the_one_agreed_on() {
    let (mut rig, ann, bob) = published();
    let ticket = set_video(&mut rig, bob, stream(ann, "1"));
    agreed(&mut rig, bob, json!([coded(1, Some("vp8"))]));
    assert!(is_settled(&rig, ticket));
    comes_in(&mut rig, ann, 7, "vp8");
    assert!(rig.is_silent());
    assert_eq!(codecs(&rig), [json!([])]);
}

#[test]
fn another_codec_is_agreed_on_with_whoever_sees_it() {
    let (mut rig, ann, bob) = forwarded();
    comes_in(&mut rig, ann, 7, "h264");
    assert_eq!(codecs(&rig).last(), Some(&json!(["h264"])));
    agreed(&mut rig, bob, json!([coded(1, Some("h264"))]));
    assert!(rig.is_silent() && warnings(&rig).is_empty());
    assert_eq!(forwards(&rig).len(), 1, "it is open already");
    // And back.
    comes_in(&mut rig, ann, 7, "vp8");
    agreed(&mut rig, bob, json!([coded(1, Some("vp8"))]));
    assert!(rig.is_silent());
}

#[test]
fn a_codec_that_is_found_while_the_call_rings_is_asked_for_once_it_is_answered() {
    let (mut rig, ann, _) = published();
    let options = json!({ "video": stream(ann, "1") });
    rig.command(json!({ "type": "call", "target": "carol", "options": options }));
    let invite = rig.request(&Method::Invite);
    let id = rig.id_of("sessionStarted");
    comes_in(&mut rig, ann, 7, "h264");
    assert_eq!(codecs(&rig), [json!([])]);
    rig.media_mode = Media::Manual;
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    lines(&mut rig, id, json!([coded(1, Some("vp8"))]));
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(codecs(&rig), [json!([]), json!(["h264"])]);
    assert_eq!(rig.media_named("reoffer").len(), 1);
}

#[test]
fn a_codec_that_the_other_party_does_not_take_is_told() {
    let (mut rig, ann, bob) = forwarded();
    rig.media_mode = Media::Manual;
    comes_in(&mut rig, ann, 7, "h264");
    rig.describe(bob, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some(REFUSED)));
    rig.request(&Method::Ack);
    lines(&mut rig, bob, json!([]));
    rig.media_event(bob, MediaEvent::AnswerApplied);
    let told = ["Camera device: the other party does not take it"];
    assert_eq!(warnings(&rig), told);
    assert!(rig.is_silent());
    // Once it comes as before, it is offered anew.
    comes_in(&mut rig, ann, 7, "vp8");
    assert_eq!(rig.media_named("reoffer").len(), 3);
}

#[test]
fn an_offer_of_another_codec_that_is_refused_is_told() {
    let (mut rig, ann, _) = forwarded();
    comes_in(&mut rig, ann, 7, "h264");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    rig.request(&Method::Ack);
    assert_eq!(warnings(&rig).len(), 1, "{:?}", warnings(&rig));
}

#[test]
fn a_call_without_the_line_is_told_that_it_shows_nothing() {
    let (mut rig, ann, _) = published();
    comes_in(&mut rig, ann, 7, "vp8");
    let options = json!({ "video": stream(ann, "1") });
    rig.command(json!({ "type": "call", "target": "carol", "options": options }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0 audio only\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(warnings(&rig).len(), 1);
}

#[test]
fn the_end_of_a_stream_is_told_and_its_line_goes() {
    for ends in ["call", "line"] {
        let (mut rig, ann, bob) = forwarded();
        match ends {
            "call" => rig.done(json!({ "type": "end", "id": ann })),
            _ => lines(&mut rig, ann, json!([])),
        }
        assert_eq!(
            warnings(&rig),
            ["Camera device: the stream that it showed is over"]
        );
        assert_eq!(opened(&rig).last(), Some(&none()));
        assert_eq!(wished(&rig).last().map(String::as_str), Some("(Camera)"));
        assert_eq!(rig.media_named("reoffer").len(), 2, "and Bob is told");
        let ticket = set_video(&mut rig, bob, stream(ann, "1"));
        let expected = match ends {
            "call" => "ERR_SESSION_ENDED",
            _ => "ERR_SESSION_STATE",
        };
        assert_eq!(code(&rig.error(ticket)), expected);
    }
}

#[test]
fn a_stream_that_ends_before_the_other_party_has_agreed_fails_the_change() {
    let (mut rig, ann, bob) = published();
    set_video(&mut rig, bob, source(3));
    agreed(&mut rig, bob, json!([coded(1, Some("vp8"))]));
    rig.media_mode = Media::Manual;
    comes_in(&mut rig, ann, 7, "h264");
    let ticket = set_video(&mut rig, bob, stream(ann, "1"));
    lines(&mut rig, ann, json!([]));
    assert_eq!(code(&rig.error(ticket)), "ERR_NO_DEVICE");
    assert_eq!(
        opened(&rig).last(),
        Some(&source(3)),
        "what was before is back"
    );
}

#[test]
fn a_stream_that_ends_while_its_codec_is_agreed_anew_goes_also_if_it_was_chosen_again() {
    let (mut rig, ann, bob) = forwarded();
    comes_in(&mut rig, ann, 7, "h264");
    let ticket = set_video(&mut rig, bob, stream(ann, "1"));
    assert!(rig.reply(ticket).is_none(), "it waits for the codec");
    lines(&mut rig, ann, json!([]));
    assert_eq!(code(&rig.error(ticket)), "ERR_NO_DEVICE");
    assert_eq!(opened(&rig).last(), Some(&none()));
    assert_eq!(wished(&rig).last().map(String::as_str), Some("(Camera)"));
    let offers = rig.media_named("reoffer").len();
    agreed(&mut rig, bob, json!([coded(1, Some("h264"))]));
    assert_eq!(rig.media_named("reoffer").len(), offers + 1, "Bob is told");
}

#[test]
fn what_was_shown_before_does_not_come_back_if_it_is_over() {
    let (mut rig, ann, bob) = forwarded();
    rig.media_mode = Media::Manual;
    let ticket = set_video(&mut rig, bob, source(3));
    lines(&mut rig, ann, json!([]));
    assert!(rig.reply(ticket).is_none(), "that is another matter");
    let device = phone::audio::Device::Camera;
    let reason = "no source".to_owned();
    rig.media_event(bob, MediaEvent::DeviceFailed { device, reason });
    assert_eq!(code(&rig.error(ticket)), "ERR_NO_DEVICE");
    assert_eq!(opened(&rig).last(), Some(&none()));
}

#[test]
fn two_calls_that_see_each_other_are_no_loop() {
    let (mut rig, ann, bob) = forwarded();
    rig.command(
        json!({ "type": "setVideo", "id": ann, "content": "camera", "input": stream(bob, "1") }),
    );
    assert_eq!(
        forwards(&rig),
        [(json!(ann), json!(7)), (json!(bob), json!(1))]
    );
}

#[test]
fn a_stream_that_comes_again_on_its_line_is_known_at_once() {
    let (mut rig, ann, _) = published();
    comes_in(&mut rig, ann, 7, "h264");
    let size = json!({ "type": "resolution", "line": 7, "width": 640, "height": 360 });
    rig.media_event(ann, serde_json::from_value(size).expect("a size"));
    set_video(&mut rig, ann, source(3));
    agreed(&mut rig, ann, json!([line(7, "camera", true, false)]));
    assert_eq!(rig.count("streamUnavailable"), 1);
    rig.events.clear();
    lines(&mut rig, ann, json!([line(7, "camera", true, true)]));
    assert_eq!(rig.count("streamAvailable"), 1);
    assert_eq!(rig.last("resolution")["stream"], "2");
    rig.media.clear();
    let options = json!({ "video": stream(ann, "2") });
    rig.command(json!({ "type": "call", "target": "carol", "options": options }));
    assert_eq!(codecs(&rig), [json!(["h264"])]);
}
