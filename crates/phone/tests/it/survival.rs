use std::time::Duration;

use phone::media::MediaFailure;
use phone::{MediaCommand, MediaEvent, SessionId};
use serde_json::json;
use sip::message::{Method, Request};

use crate::harness::{Caller, Media, Pair, Rig, alice, alice_with, answer, header};

fn talking(options: serde_json::Value) -> (Rig, Caller, SessionId) {
    let mut rig = Rig::registered(options);
    let (caller, id) = answer_one(&mut rig, "c1");
    (rig, caller, id)
}

fn answer_one(rig: &mut Rig, call: &str) -> (Caller, SessionId) {
    let mut caller = Caller::new(call);
    rig.receive(caller.invite(&[], Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(caller.ack(None));
    (caller, id)
}

#[test]
fn a_lost_connection_interrupts_a_call_and_a_new_one_refreshes_it() {
    let (mut rig, mut caller, _) = talking(alice());
    rig.events.clear();
    rig.down();
    assert_eq!(rig.count("terminated"), 0);
    assert_eq!(rig.last("disconnected")["reconnecting"], true);
    assert_eq!(rig.changes("interrupted"), [true]);
    assert_eq!(rig.changes("connectionState"), ["interrupted"]);

    rig.seconds(1);
    rig.up();
    assert_eq!(rig.last("connected")["reconnect"], true);
    assert_eq!(
        rig.media_named("reoffer"),
        [&MediaCommand::Reoffer {
            restart_ice: false,
            held: false
        }]
    );
    let reinvite = rig.request(&Method::Invite);
    assert_eq!(header(&reinvite, "Call-ID").as_deref(), Some("c1"));
    assert!(rig.place("registered") < rig.place("media reoffer"));
    assert_eq!(rig.changes("interrupted"), [true], "not yet refreshed");

    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    assert_eq!(rig.changes("connectionState").last().unwrap(), "connected");
    rig.lives_on();
    assert_eq!(rig.media_named("reoffer").len(), 1);
    rig.receive(caller.bye(&[]));
    rig.response(200);
    rig.assert_ended_once("success", "remote");
}

#[test]
fn the_new_registration_has_the_same_instance_reg_id_and_contact() {
    let (mut rig, _, _) = talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    let contacts: Vec<String> = rig
        .registers
        .iter()
        .map(|r| header(r, "Contact").unwrap())
        .collect();
    assert!(contacts.len() >= 2);
    assert!(contacts[0].contains("+sip.instance=\"<urn:uuid:") && contacts[0].contains("reg-id=1"));
    assert!(
        contacts.iter().all(|contact| *contact == contacts[0]),
        "{contacts:?}"
    );
}

#[test]
fn every_active_dialog_is_refreshed() {
    let mut rig = Rig::registered(alice());
    for n in 0..4 {
        answer_one(&mut rig, &format!("c{n}"));
    }
    rig.down();
    rig.seconds(1);
    rig.up();
    let mut refreshed: Vec<String> = (0..4)
        .map(|_| header(&rig.request(&Method::Invite), "Call-ID").unwrap())
        .collect();
    refreshed.sort();
    assert_eq!(refreshed, ["c0", "c1", "c2", "c3"]);
}

#[test]
fn without_survivability_every_call_ends_with_connectivity_error() {
    let options = alice_with(json!({ "sessionSurvivability": false }));
    let (mut rig, _, _) = talking(options);
    let mut second = Caller::new("c2");
    rig.receive(second.invite(&[], Some("v=0\r\n")));
    rig.down();
    rig.assert_ended_once("connectivity-error", "network");
    assert_eq!(rig.count("cancelPendingSession"), 1);
    let details = rig.last("cancelPendingSession")["details"].clone();
    assert_eq!(details["reason"]["condition"], "connectivity-error");
}

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

#[test]
fn an_unanswered_call_of_ours_ends_with_its_flow() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    rig.down();
    rig.assert_ended_once("connectivity-error", "network");
}

#[test]
fn a_call_that_the_peer_has_forgotten_is_gone() {
    let (mut rig, _, _) = talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 481, None));
    rig.assert_ended_once("gone", "remote");
}

#[test]
fn a_refused_refresh_leaves_the_call_as_it_was() {
    let (mut rig, _, _) = talking(alice());
    rig.events.clear();
    rig.down();
    rig.seconds(1);
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    assert_eq!(rig.count("terminated"), 0);
    assert_eq!(rig.media_named("rollback").len(), 1);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    rig.lives_on();
}

#[test]
fn a_connection_lost_again_during_the_refresh_is_refreshed_again() {
    let (mut rig, _, _) = talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    rig.request(&Method::Invite);
    rig.down();
    rig.until_connect();
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    assert_eq!(rig.changes("interrupted").last().unwrap(), false);
    rig.lives_on();
}

#[test]
fn a_media_path_that_is_lost_too_stays_interrupted_until_it_is_back() {
    let (mut rig, _, id) = talking(alice());
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

/// Whether each of our offers restarts ICE.
fn restarts(rig: &Rig) -> Vec<bool> {
    rig.media_named("reoffer")
        .into_iter()
        .map(|command| match command {
            MediaCommand::Reoffer { restart_ice, .. } => *restart_ice,
            other => panic!("{other:?} is no reoffer"),
        })
        .collect()
}

/// A call that a new flow has found, and whose refresh is not yet answered.
fn refreshing(interrupted: bool) -> (Rig, SessionId, Request) {
    let (mut rig, _, id) = talking(alice());
    rig.media_mode = Media::Manual;
    rig.down();
    if interrupted {
        rig.media_event(id, MediaEvent::Interrupted);
    }
    rig.seconds(1);
    rig.up();
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    (rig, id, reinvite)
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
fn a_call_ends_only_when_its_path_is_gone_and_a_restart_had_its_time() {
    let gone = || MediaEvent::Failed {
        failure: MediaFailure::Consent,
        reason: "nothing came".into(),
    };
    let (mut rig, id, _) = refreshing(true);
    rig.seconds(2);
    rig.media_event(id, gone());
    rig.seconds(17);
    assert_eq!(
        rig.count("terminated"),
        0,
        "the restart may still find a path"
    );
    rig.seconds(1);
    rig.assert_ended_once("connectivity-error", "network");
}

#[test]
fn disconnect_keeps_calls_and_reconnect_refreshes_them() {
    for survivability in [true, false] {
        let options = alice_with(json!({ "sessionSurvivability": survivability }));
        let (mut rig, _, _) = talking(options);
        rig.done(json!({ "type": "disconnect" }));
        assert_eq!(rig.disconnects, 1);
        assert_eq!(rig.last("disconnected")["reconnecting"], false);
        let connects = rig.connects.len();
        rig.seconds(600);
        assert_eq!(rig.connects.len(), connects, "nothing reconnects by itself");
        assert_eq!(rig.count("terminated"), 0);

        let ticket = rig.command(json!({ "type": "reconnect" }));
        rig.up();
        assert!(rig.reply(ticket).unwrap().is_ok());
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
        rig.lives_on();
    }
}

#[test]
fn hanging_up_without_a_connection_sends_the_bye_over_the_next() {
    let (mut rig, _, id) = talking(alice());
    rig.down();
    rig.done(json!({ "type": "end", "id": id }));
    rig.assert_ended_once("success", "local");
    rig.seconds(1);
    rig.up();
    let bye = rig.request(&Method::Bye);
    assert_eq!(header(&bye, "Call-ID").as_deref(), Some("c1"));
}

/// A connection breaks after any message of a hold, of whoever holds and whoever is held: the call
/// stands after every timer, and is on hold unless the one to be held was away just then.
#[test]
fn a_hold_outlives_a_connection_that_breaks_at_any_moment() {
    for (holder, broken) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for step in 0..8 {
            let mut pair = Pair::new(json!({ "autoAnswer": "always" }));
            pair.command(0, json!({ "type": "call", "target": "bob" }));
            pair.advance(Duration::from_secs(2));
            let id = pair.rigs[holder].id_of("sessionStarted");
            let hold = pair.rigs[holder].command(json!({ "type": "hold", "id": id, "held": true }));
            for _ in 0..step {
                pair.carry_one();
            }
            pair.break_line(broken);
            pair.mend_line(broken);
            pair.advance(Duration::from_secs(120));
            let case = format!("holder {holder}, broken {broken}, step {step}");
            let [holds, breaks] = [holder, broken].map(|who| &pair.rigs[who]);
            let held = holds.reply(hold).map(Result::is_ok);
            assert!(
                held == Some(true) || (held == Some(false) && holder != broken),
                "{case}"
            );
            assert_eq!(
                holds.changes("held").len(),
                usize::from(held == Some(true)),
                "{case}"
            );
            assert_eq!(breaks.changes("interrupted"), [true, false], "{case}");
            for rig in &pair.rigs {
                assert_eq!(rig.count("terminated"), 0, "{case}: {:?}", rig.order);
            }
        }
    }
}
