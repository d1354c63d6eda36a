//! A peer that took a withdrawn hold too late is told what holds, however often it can't hear that.

use super::*;

/// The peer has agreed after the hold was withdrawn; what holds is out to it.
fn told_late() -> (Rig, Caller, SessionId, Request) {
    let (mut rig, caller, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 100, None));
    rig.seconds(10);
    assert_eq!(code(&rig.error(ticket)), "ERR_HOLD_FAILED");
    let cancel = rig.request(&Method::Cancel);
    rig.receive(answer(&cancel, 200, None));
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(asked_for(&rig), [true, false]);
    let told = rig.request(&Method::Invite);
    (rig, caller, id, told)
}

/// The peer takes what the last offer says, and there is nothing else to tell.
fn assert_told(rig: &mut Rig, asked: &[bool]) {
    agree(rig);
    assert_eq!(asked_for(rig), asked);
    rig.lives_on();
    rig.seconds(70);
    assert!(rig.is_silent());
}

#[test]
fn what_holds_is_told_again_after_glare() {
    let (mut rig, mut caller, _, told) = told_late();
    rig.receive(answer(&told, 491, None));
    rig.request(&Method::Ack);
    rig.receive(caller.request("INVITE", &[], Some("v=0 theirs\r\n")));
    rig.beyond_trying(200);
    rig.receive(caller.ack(None));
    rig.seconds(2);
    assert_told(&mut rig, &[true, false, false]);
}

#[test]
fn what_holds_is_told_again_when_a_busy_peer_says() {
    let (mut rig, _, _, told) = told_late();
    rig.receive(with_header(&told, 500, "Retry-After", "7"));
    rig.request(&Method::Ack);
    rig.seconds(7);
    assert_told(&mut rig, &[true, false, false]);
}

#[test]
fn what_holds_is_told_again_after_our_own_cancel() {
    let (mut rig, _, _, told) = told_late();
    rig.receive(answer(&told, 100, None));
    rig.seconds(32);
    let cancel = rig.request(&Method::Cancel);
    rig.receive(answer(&cancel, 200, None));
    rig.receive(answer(&told, 487, None));
    rig.request(&Method::Ack);
    rig.seconds(2);
    assert_told(&mut rig, &[true, false, false]);
}

#[test]
fn what_holds_is_told_after_another_hold_is_refused() {
    let (mut rig, _, id, told) = told_late();
    rig.receive(answer(&told, 491, None));
    rig.request(&Method::Ack);
    let again = hold(&mut rig, id, true);
    rig.seconds(2);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    rig.request(&Method::Ack);
    assert_eq!(code(&rig.error(again)), "ERR_HOLD_FAILED");
    assert_told(&mut rig, &[true, false, true, false]);
}

#[test]
fn what_holds_is_told_after_another_hold_for_which_media_has_no_offer() {
    let (mut rig, _, id, told) = told_late();
    rig.receive(answer(&told, 491, None));
    rig.request(&Method::Ack);
    let again = hold(&mut rig, id, true);
    rig.media_mode = Media::Manual;
    rig.seconds(2);
    let (refusal, reason) = (MediaRefusal::Unavailable, "no".into());
    rig.media_event(id, MediaEvent::Refused { refusal, reason });
    assert_eq!(code(&rig.error(again)), "ERR_HOLD_FAILED");
    rig.media_mode = Media::Willing;
    rig.describe(id, "v=0 ours\r\n");
    assert_told(&mut rig, &[true, false, true, false]);
}

#[test]
fn a_hold_that_is_agreed_to_leaves_nothing_else_to_tell() {
    let (mut rig, _, id, told) = told_late();
    rig.receive(answer(&told, 491, None));
    rig.request(&Method::Ack);
    let again = hold(&mut rig, id, true);
    rig.seconds(2);
    assert_told(&mut rig, &[true, false, true]);
    assert!(rig.reply(again).is_some_and(Result::is_ok));
}

#[test]
fn a_peer_that_refuses_what_holds_is_not_told_again() {
    let (mut rig, _, _, told) = told_late();
    rig.receive(answer(&told, 488, None));
    rig.request(&Method::Ack);
    rig.seconds(70);
    assert_eq!(asked_for(&rig), [true, false]);
    assert!(rig.is_silent());
}
