//! Media that are lost with the connection, and restarts of ICE.

use super::*;

#[test]
fn a_media_path_that_is_lost_too_stays_interrupted_until_it_is_back() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.events.clear();
    rig.media_event(id, MediaEvent::Interrupted);
    rig.down();
    rig.seconds(1);
    rig.up();
    rig.media_mode = crate::harness::Media::Manual;
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    assert_eq!(rig.changes("interrupted"), [true]);
    rig.media_event(id, MediaEvent::AnswerApplied);
    rig.media_event(id, MediaEvent::Connected);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    rig.lives_on();
}

#[test]
fn ice_is_restarted_at_once_where_media_were_lost_with_the_connection() {
    let (rig, ..) = refreshing(true);
    assert_eq!(restarts(&rig), [true]);
}

#[test]
fn media_that_fall_silent_while_the_call_is_refreshed_restart_ice_after_it() {
    let (mut rig, id, reinvite) = refreshing(false);
    rig.media_event(id, MediaEvent::Interrupted);
    assert_eq!(restarts(&rig), [false]);
    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(restarts(&rig), [false, true]);
}

#[test]
fn media_that_fall_silent_soon_after_a_lost_connection_restart_ice_and_later_they_may_pause() {
    for (seconds, restarted) in [(6, true), (15, false)] {
        let (mut rig, id, reinvite) = refreshing(false);
        rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
        rig.media_event(id, MediaEvent::AnswerApplied);
        rig.seconds(seconds);
        rig.media_event(id, MediaEvent::Interrupted);
        assert_eq!(restarts(&rig).last(), Some(&restarted), "{seconds} s");
    }
}

/// Media notice it when they are asked for the offer, and make it another than was asked for.
#[test]
fn one_offer_is_enough_where_our_own_address_is_gone() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.media_mode = Media::Manual;
    rig.down();
    rig.seconds(1);
    rig.up();
    let gone = MediaEvent::Failed {
        failure: MediaFailure::Moved,
        reason: "our own address is gone".into(),
    };
    rig.media_event(id, gone);
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(rig.changes("interrupted"), [true], "until there is a path");
    rig.media_event(id, MediaEvent::Connected);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    assert_eq!(rig.media_named("reoffer").len(), 1);
    rig.lives_on();
}

#[test]
fn media_that_come_back_by_themselves_need_no_restart() {
    let (mut rig, id, reinvite) = refreshing(false);
    rig.media_event(id, MediaEvent::Interrupted);
    rig.media_event(id, MediaEvent::Connected);
    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(restarts(&rig), [false]);
    rig.lives_on();
}

/// However the peer says no: what holds is the path that is there.
#[test]
fn a_restart_that_does_not_come_about_ends_no_call_while_there_is_a_path() {
    for code in [200, 488, 491, 500, 603] {
        let (mut rig, id, reinvite) = refreshing(true);
        match code {
            200 => {
                rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
                rig.media_event(id, MediaEvent::AnswerApplied);
            }
            code => rig.receive(answer(&reinvite, code, None)),
        }
        rig.media_event(id, MediaEvent::Connected);
        rig.lives_on();
    }
}

/// Nothing is heard for a while, and then again, without any restart that came about.
#[test]
fn a_restart_that_runs_out_of_time_is_given_up_and_not_the_call() {
    let (mut rig, id, reinvite) = refreshing(true);
    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    rig.media_event(id, MediaEvent::AnswerApplied);
    rig.seconds(22);
    assert_eq!(rig.count("terminated"), 0);
    rig.media_event(id, MediaEvent::Connected);
    assert_eq!(rig.changes("interrupted").last().unwrap(), false);
    rig.lives_on();
}

#[test]
fn a_restart_that_brings_nothing_is_made_again_until_the_other_party_counts_as_gone() {
    let gone = || MediaEvent::Failed {
        failure: MediaFailure::Consent,
        reason: "nothing came".into(),
    };
    let (mut rig, id, reinvite) = refreshing(true);
    rig.seconds(2);
    rig.media_event(id, gone());
    rig.receive(answer(&reinvite, 488, None));
    rig.seconds(18);
    assert_eq!(restarts(&rig), [true, true]);
    // One second before there was a connection again, and five of them before media said so.
    rig.seconds(33);
    assert_eq!(rig.count("terminated"), 0);
    rig.seconds(1);
    rig.assert_ended_once("connectivity-error", "network");
}

fn gone() -> MediaEvent {
    MediaEvent::Failed {
        failure: MediaFailure::Moved,
        reason: "our own address is gone".into(),
    }
}

/// The other party is told of another path, which is found.
fn is_told_the_next_path(mut rig: Rig, id: SessionId) {
    assert_eq!(restarts(&rig), [true]);
    rig.describe(id, "v=0 ours 2\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    rig.request(&Method::Ack);
    rig.media_event(id, MediaEvent::AnswerApplied);
    rig.media_event(id, MediaEvent::Connected);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    rig.lives_on();
}

#[test]
fn a_call_of_ours_whose_address_goes_before_it_has_a_path_is_told_the_next_one() {
    for when in ["it rings", "it is answered", "its path is looked for"] {
        let mut rig = Rig::registered(alice());
        rig.media_mode = Media::Manual;
        rig.command(json!({ "type": "call", "target": "bob" }));
        let id = rig.id_of("sessionStarted");
        rig.describe(id, "v=0 ours\r\n");
        let invite = rig.request(&Method::Invite);
        rig.receive(answer(&invite, 180, None));
        let goes = |rig: &mut Rig, now: &str| {
            if now == when {
                rig.media_event(id, gone());
            }
        };
        goes(&mut rig, "it rings");
        rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
        rig.request(&Method::Ack);
        goes(&mut rig, "it is answered");
        rig.media_event(id, MediaEvent::AnswerApplied);
        goes(&mut rig, "its path is looked for");
        is_told_the_next_path(rig, id);
    }
}

#[test]
fn a_call_that_comes_whose_address_goes_before_it_has_a_path_is_told_the_next_one() {
    for when in ["it is accepted", "it has answered"] {
        let mut rig = Rig::registered(alice());
        rig.media_mode = Media::Manual;
        let mut bob = Caller::new("c1");
        rig.receive(bob.invite(&[], Some("v=0 theirs\r\n")));
        bob.learn(&rig.beyond_trying(180));
        let id = rig.id_of("pendingSession");
        rig.command(json!({ "type": "accept", "id": id }));
        if when == "it is accepted" {
            rig.media_event(id, gone());
        }
        rig.describe(id, "v=0 ours\r\n");
        rig.response(200);
        rig.receive(bob.ack(None));
        if when == "it has answered" {
            rig.media_event(id, gone());
        }
        is_told_the_next_path(rig, id);
    }
}
