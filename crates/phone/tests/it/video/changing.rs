//! Video that begins, changes and stops in a running call.

use super::*;
use crate::harness::{Media, alice, answer, code, with_header};
use crate::hold::{agree, hold};
use phone::audio::Device;
use phone::media::MediaRefusal;
use sip::message::Method;

/// Alice in a call in which media does only what the test says.
fn talking() -> (Rig, crate::harness::Caller, SessionId) {
    let (mut rig, bob, id) = Rig::talking(alice());
    rig.media_mode = Media::Manual;
    (rig, bob, id)
}

fn open(rig: &mut Rig, id: SessionId) {
    let device = Device::Camera;
    rig.media_event(id, MediaEvent::DeviceOpened { device });
}

#[test]
fn video_has_begun_when_the_peer_has_agreed_and_the_source_is_open() {
    for open_first in [true, false] {
        let (mut rig, _, id) = talking();
        let ticket = set_video(&mut rig, id, source(1));
        assert_eq!(wished(&rig), ["Camera"]);
        assert!(rig.place("media wishVideo") < rig.place("media reoffer"));
        if open_first {
            open(&mut rig, id);
        }
        rig.describe(id, "v=0 ours\r\n");
        assert!(!is_settled(&rig, ticket));
        agree_on(&mut rig, id, json!([line(1, "camera", true, false)]));
        assert_eq!(is_settled(&rig, ticket), open_first);
        open(&mut rig, id);
        assert!(is_settled(&rig, ticket));
        rig.lives_on();
        assert!(rig.is_silent(), "nothing is owed any more");
    }
}

#[test]
fn a_peer_that_refuses_the_line_leaves_the_call_as_it_was() {
    let (mut rig, _, id) = talking();
    let ticket = set_video(&mut rig, id, source(1));
    open(&mut rig, id);
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([]));
    assert_eq!(code(&rig.error(ticket)), "ERR_VIDEO_FAILED");
    assert_eq!(wished(&rig), ["Camera", ""]);
    assert_eq!(opened(&rig), [source(1), none()]);
    assert_eq!(rig.count("terminated"), 0);
    rig.lives_on();
    assert!(rig.is_silent());
}

#[test]
fn a_peer_that_refuses_the_offer_leaves_the_call_as_it_was() {
    let (mut rig, mut bob, id) = talking();
    let ticket = set_video(&mut rig, id, source(1));
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    rig.request(&Method::Ack);
    let error = rig.error(ticket);
    assert_eq!(code(&error), "ERR_VIDEO_FAILED");
    assert_eq!(error.sip.unwrap().code, 488);
    assert_eq!(wished(&rig), ["Camera", ""]);
    assert_eq!(rig.media_named("rollback").len(), 1);
    rig.receive(bob.request("INVITE", &[], Some("v=0\r\n")));
    rig.describe(id, "v=0 ours\r\n");
    rig.beyond_trying(200);
}

#[test]
fn media_that_can_make_no_offer_fails_it() {
    let (mut rig, _, id) = talking();
    let ticket = set_video(&mut rig, id, source(1));
    let refused = MediaEvent::Refused {
        refusal: MediaRefusal::Unavailable,
        reason: "no relay".into(),
    };
    rig.media_event(id, refused);
    assert_eq!(code(&rig.error(ticket)), "ERR_VIDEO_FAILED");
    assert!(rig.is_silent());
}

#[test]
fn an_answer_that_media_can_not_use_fails_it_and_the_peer_is_told_what_holds() {
    let (mut rig, _, id) = talking();
    let ticket = set_video(&mut rig, id, source(1));
    rig.describe(id, "v=0 ours\r\n");
    agree(&mut rig);
    let refused = MediaEvent::Refused {
        refusal: MediaRefusal::Malformed,
        reason: "rubbish".into(),
    };
    rig.media_event(id, refused);
    assert_eq!(code(&rig.error(ticket)), "ERR_VIDEO_FAILED");
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([]));
    rig.lives_on();
    assert!(rig.is_silent());
}

#[test]
fn one_offer_says_all_that_is_still_to_be_said() {
    let (mut rig, _, id) = talking();
    let camera = set_video(&mut rig, id, source(1));
    let screen = json!({ "type": "setVideo", "id": id, "content": "screen", "input": none() });
    let screen = rig.command(screen);
    let held = hold(&mut rig, id, true);
    open(&mut rig, id);
    // What media had begun to describe is old by now.
    rig.describe(id, "v=0 too early\r\n");
    assert!(rig.is_silent());
    rig.describe(id, "v=0 ours\r\n");
    let both = json!([
        line(1, "camera", true, false),
        line(2, "screen", false, false)
    ]);
    agree_on(&mut rig, id, both);
    for ticket in [camera, screen, held] {
        assert!(is_settled(&rig, ticket));
    }
    rig.lives_on();
    assert!(rig.is_silent());
}

#[test]
fn another_source_needs_no_word_of_the_peer() {
    let (mut rig, _, id) = with_camera();
    let ticket = set_video(&mut rig, id, source(2));
    assert!(!is_settled(&rig, ticket));
    assert!(rig.media_named("reoffer").is_empty() && wished(&rig).is_empty());
    open(&mut rig, id);
    assert!(is_settled(&rig, ticket));
    // The same once more is nothing.
    rig.media.clear();
    let ticket = set_video(&mut rig, id, source(2));
    assert!(is_settled(&rig, ticket) && rig.media.is_empty());
}

#[test]
fn a_source_that_could_not_be_opened_is_opened_again_if_it_is_chosen_again() {
    let (mut rig, _, id) = with_camera();
    let failed = || MediaEvent::DeviceFailed {
        device: Device::Camera,
        reason: "another call has it".to_owned(),
    };
    rig.media_event(id, failed());
    let ticket = set_video(&mut rig, id, source(1));
    assert_eq!(opened(&rig), [source(1)]);
    assert!(!is_settled(&rig, ticket), "nothing is shown");
    rig.media_event(id, failed());
    assert_eq!(code(&rig.error(ticket)), "ERR_NO_DEVICE");
    assert_eq!(opened(&rig), [source(1)], "it would fail once more");
    let ticket = set_video(&mut rig, id, source(1));
    open(&mut rig, id);
    assert!(is_settled(&rig, ticket));
    assert!(rig.is_silent(), "the peer is asked nothing");
    let ticket = set_video(&mut rig, id, source(1));
    assert!(is_settled(&rig, ticket));
    assert_eq!(opened(&rig).len(), 2);
}

#[test]
fn a_source_that_does_not_open_brings_the_one_before_back() {
    let (mut rig, _, id) = with_camera();
    let ticket = set_video(&mut rig, id, source(2));
    let reason = "there is no VideoSource 2; was it closed?".to_owned();
    let device = Device::Camera;
    rig.media_event(id, MediaEvent::DeviceFailed { device, reason });
    let error = rig.error(ticket);
    assert_eq!(code(&error), "ERR_NO_DEVICE");
    assert!(error.message.contains("VideoSource 2"), "{error}");
    assert_eq!(opened(&rig), [source(2), source(1)]);
}

#[test]
fn a_source_that_does_not_open_takes_back_what_the_peer_has_agreed_to() {
    let (mut rig, _, id) = talking();
    let ticket = set_video(&mut rig, id, source(1));
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([line(1, "camera", true, false)]));
    let reason = "gone".to_owned();
    let device = Device::Camera;
    rig.media_event(id, MediaEvent::DeviceFailed { device, reason });
    assert_eq!(code(&rig.error(ticket)), "ERR_NO_DEVICE");
    assert_eq!(wished(&rig), ["Camera", ""]);
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([]));
    rig.lives_on();
    assert!(rig.is_silent());
}

#[test]
fn what_is_stopped_is_not_seen_any_more_whatever_the_peer_says() {
    let (mut rig, _, id) = with_camera();
    let ticket = set_video(&mut rig, id, Value::Null);
    assert_eq!(opened(&rig), [none()], "at once");
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    rig.request(&Method::Ack);
    assert_eq!(code(&rig.error(ticket)), "ERR_VIDEO_FAILED");
    assert_eq!(wished(&rig), [""]);
    assert_eq!(opened(&rig), [none()], "it stays stopped");

    let (mut rig, _, id) = with_camera();
    let ticket = set_video(&mut rig, id, Value::Null);
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([]));
    assert!(is_settled(&rig, ticket));
}

#[test]
fn a_peer_that_refuses_that_nothing_is_shown_opens_no_source() {
    for is_refused in [true, false] {
        let (mut rig, _, id) = with_camera();
        let ticket = set_video(&mut rig, id, none());
        rig.describe(id, "v=0 ours\r\n");
        let reinvite = rig.request(&Method::Invite);
        if is_refused {
            rig.receive(answer(&reinvite, 488, None));
            rig.request(&Method::Ack);
        } else {
            rig.receive(answer(&reinvite, 100, None));
            rig.seconds(10);
        }
        assert_eq!(code(&rig.error(ticket)), "ERR_VIDEO_FAILED");
        assert_eq!(wished(&rig), ["(Camera)"]);
        assert_eq!(opened(&rig), [none()], "it stays off");
    }
}

#[test]
fn a_choice_that_shows_less_comes_back_and_not_what_was_before_it() {
    for (choices, remains) in [
        ([Value::Null, none()], ""),
        ([Value::Null, source(2)], ""),
        ([none(), source(2)], "(Camera)"),
        ([none(), Value::Null], ""),
    ] {
        let (mut rig, _, id) = with_camera();
        let [first, second] = choices.map(|choice| set_video(&mut rig, id, choice));
        assert_eq!(code(&rig.error(first)), "ERR_ABORTED");
        rig.describe(id, "v=0 too early\r\n");
        rig.describe(id, "v=0 ours\r\n");
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 488, None));
        rig.request(&Method::Ack);
        assert_eq!(code(&rig.error(second)), "ERR_VIDEO_FAILED");
        assert_eq!(wished(&rig).pop().unwrap(), remains);
        assert!(!opened(&rig).contains(&source(1)), "it was switched off");
        assert_eq!(opened(&rig).pop(), Some(none()));
    }
}

#[test]
fn a_line_that_was_not_there_does_not_come_of_a_failure() {
    let (mut rig, _, id) = talking();
    let ticket = set_video(&mut rig, id, none());
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    rig.request(&Method::Ack);
    assert_eq!(code(&rig.error(ticket)), "ERR_VIDEO_FAILED");
    assert_eq!(wished(&rig), ["(Camera)", ""]);
}

#[test]
fn the_last_of_several_choices_counts() {
    let (mut rig, _, id) = talking();
    let first = set_video(&mut rig, id, source(1));
    let second = set_video(&mut rig, id, source(2));
    let same = set_video(&mut rig, id, source(2));
    assert_eq!(code(&rig.error(first)), "ERR_ABORTED");
    rig.describe(id, "v=0 too early\r\n");
    assert!(rig.is_silent(), "it would say what is not wanted any more");
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([line(1, "camera", true, true)]));
    open(&mut rig, id);
    assert!(is_settled(&rig, second) && is_settled(&rig, same));
    // What comes back of a failure is what was there before both.
    let (mut rig, _, id) = talking();
    set_video(&mut rig, id, source(1));
    let stopped = set_video(&mut rig, id, Value::Null);
    assert_eq!(wished(&rig), ["Camera", ""]);
    rig.describe(id, "v=0 too early\r\n");
    assert!(rig.is_silent(), "it would say what is not wanted any more");
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([]));
    assert!(is_settled(&rig, stopped));
}

#[test]
fn nobody_waits_for_video_for_ever() {
    let (mut rig, _, id) = talking();
    let ticket = set_video(&mut rig, id, source(1));
    open(&mut rig, id);
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 100, None));
    rig.seconds(10);
    assert_eq!(code(&rig.error(ticket)), "ERR_VIDEO_FAILED");
    let cancel = rig.request(&Method::Cancel);
    rig.receive(answer(&cancel, 200, None));
    // The peer takes it all the same, and is told that it is not so.
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(wished(&rig), ["Camera", ""]);
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([]));
    rig.lives_on();
    assert!(rig.is_silent());
}

#[test]
fn video_is_offered_again_after_glare_and_when_a_busy_peer_says() {
    let (mut rig, _, id) = talking();
    let ticket = set_video(&mut rig, id, source(1));
    open(&mut rig, id);
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 491, None));
    rig.request(&Method::Ack);
    rig.seconds(4);
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(with_header(&reinvite, 500, "Retry-After", "2"));
    rig.request(&Method::Ack);
    rig.seconds(2);
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([line(1, "camera", true, false)]));
    assert!(is_settled(&rig, ticket));
}

#[test]
fn an_offer_of_the_peers_may_bring_what_is_waited_for() {
    let (mut rig, mut bob, id) = talking();
    rig.down();
    let ticket = set_video(&mut rig, id, source(1));
    open(&mut rig, id);
    assert!(
        !is_settled(&rig, ticket),
        "there is no flow to offer it over"
    );
    rig.until_connect();
    rig.up();
    rig.outbox.clear();
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    assert!(is_settled(&rig, ticket));
    drop(bob.bye(&[]));
}

#[test]
fn video_begins_in_an_answered_call_only() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob", "options": { "video": source(1) } }));
    let id = rig.id_of("sessionStarted");
    let screen = json!({ "type": "setVideo", "id": id, "content": "screen", "input": source(2) });
    assert_eq!(rig.refused(screen), "ERR_SESSION_STATE");
    // But what is shown where video was asked for may change at any time.
    let ticket = set_video(&mut rig, id, source(2));
    assert!(is_settled(&rig, ticket));
}

#[test]
fn the_end_of_the_call_settles_what_waits() {
    let (mut rig, mut bob, id) = talking();
    let ticket = set_video(&mut rig, id, source(1));
    rig.receive(bob.bye(&[]));
    assert_eq!(code(&rig.error(ticket)), "ERR_SESSION_ENDED");
    assert_eq!(
        rig.refused(json!({ "type": "muteVideo", "id": id, "muted": true })),
        "ERR_SESSION_ENDED"
    );
}

/// Alice in a call in which both see each other.
fn with_camera() -> (Rig, crate::harness::Caller, SessionId) {
    let (mut rig, bob, id) = talking();
    set_video(&mut rig, id, source(1));
    open(&mut rig, id);
    rig.describe(id, "v=0 ours\r\n");
    agree_on(&mut rig, id, json!([line(1, "camera", true, true)]));
    rig.media.clear();
    rig.events.clear();
    (rig, bob, id)
}
