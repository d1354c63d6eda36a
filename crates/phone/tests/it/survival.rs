use std::time::Duration;

use phone::media::MediaFailure;
use phone::{MediaCommand, MediaEvent, SessionId, StreamCommand};
use serde_json::json;
use sip::message::{Method, Request};

use crate::harness::{Caller, Media, Pair, Rig, alice, alice_with, answer, header};

#[test]
fn a_lost_connection_interrupts_a_call_and_a_new_one_refreshes_it() {
    let (mut rig, mut caller, _) = Rig::talking(alice());
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
        [&MediaCommand::Stream(StreamCommand::Reoffer {
            restart_ice: false,
            held: false
        })]
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
    let (mut rig, _, _) = Rig::talking(alice());
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
        rig.takes(&mut Caller::new(&format!("c{n}")), &[]);
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
    let (mut rig, _, _) = Rig::talking(options);
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

/// A call of ours that rings there.
fn ringing(options: serde_json::Value) -> (Rig, Request, SessionId) {
    let mut rig = Rig::registered(options);
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 180, None));
    let id = rig.id_of("sessionStarted");
    (rig, invite, id)
}

/// The same, once the connection is back, and the INVITE repeated over it.
fn ringing_on(rig: &mut Rig, invite: &Request) {
    rig.down();
    assert_eq!(rig.count("terminated"), 0);
    rig.until_connect();
    rig.up();
    assert!(rig.place("registered") < rig.order.len() - 1);
    let again = rig.request(&Method::Invite);
    assert_eq!(again.to_bytes(), invite.to_bytes());
}

fn assert_cancels(rig: &mut Rig, invite: &Request) {
    let cancel = rig.request(&Method::Cancel);
    for name in ["Via", "From", "To", "Call-ID"] {
        assert_eq!(header(&cancel, name), header(invite, name), "{name}");
    }
    let number = |request: &Request| request.headers().cseq().unwrap().number;
    assert_eq!(number(&cancel), number(invite));
    rig.receive(answer(&cancel, 200, None));
    rig.receive(answer(invite, 487, None));
    rig.request(&Method::Ack);
}

#[test]
fn a_call_that_rings_goes_on_over_the_next_connection() {
    for before in [0, 30] {
        let (mut rig, invite, _) = ringing(alice());
        ringing_on(&mut rig, &invite);
        rig.receive(answer(&invite, 180, None));
        rig.seconds(before);
        rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
        rig.request(&Method::Ack);
        assert_eq!(rig.count("answered"), 1);
        assert_eq!(rig.changes("active"), [true]);
        rig.lives_on();
        assert!(rig.is_silent());
    }
}

#[test]
fn the_answer_may_be_the_first_that_comes_over_the_next_connection() {
    let (mut rig, invite, _) = ringing(alice());
    ringing_on(&mut rig, &invite);
    rig.seconds(3);
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.count("answered"), 1);
    rig.lives_on();
}

#[test]
fn a_call_that_the_server_does_not_let_go_on_is_cancelled_there() {
    let (mut rig, invite, _) = ringing(alice());
    ringing_on(&mut rig, &invite);
    rig.seconds(4);
    rig.assert_ended_once("connectivity-error", "network");
    assert_cancels(&mut rig, &invite);
    rig.seconds(60);
    assert!(rig.is_silent());
}

#[test]
fn without_survivability_a_call_that_rings_is_cancelled_over_the_next_connection() {
    let options = alice_with(json!({ "sessionSurvivability": false }));
    let (mut rig, invite, _) = ringing(options);
    rig.down();
    rig.assert_ended_once("connectivity-error", "network");
    rig.until_connect();
    rig.up();
    assert_cancels(&mut rig, &invite);
    assert_eq!(rig.count("terminated"), 1);
}

#[test]
fn a_call_that_is_given_up_without_a_connection_is_cancelled_over_the_next() {
    for timeout in [false, true] {
        let mut rig = Rig::registered(alice());
        let call = json!({ "type": "call", "target": "bob", "options": { "timeout": 20_000 } });
        rig.command(call);
        let invite = rig.request(&Method::Invite);
        rig.receive(answer(&invite, 180, None));
        let id = rig.id_of("sessionStarted");
        rig.down();
        match timeout {
            true => {
                for _ in 0..4 {
                    rig.until_connect();
                    let reason = "no network".into();
                    rig.connection(phone::Connection::Refused { reason });
                }
                rig.seconds(20);
                rig.assert_ended_once("timeout", "local");
            }
            false => {
                rig.done(json!({ "type": "end", "id": id }));
                rig.assert_ended_once("cancel", "local");
            }
        }
        if !timeout {
            rig.until_connect();
        }
        rig.up();
        assert_cancels(&mut rig, &invite);
        assert_eq!(rig.count("terminated"), 1);
    }
}

#[test]
fn disconnecting_cancels_what_rings_and_reconnecting_lets_it_ring_on() {
    let (mut rig, invite, _) = ringing(alice());
    rig.done(json!({ "type": "disconnect" }));
    rig.assert_ended_once("connectivity-error", "local");
    let cancel = rig.request(&Method::Cancel);
    assert_eq!(header(&cancel, "Call-ID"), header(&invite, "Call-ID"));
    assert!(rig.place("CANCEL") < rig.place("disconnect"));

    let (mut rig, invite, _) = ringing(alice());
    rig.command(json!({ "type": "reconnect" }));
    rig.up();
    rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.count("answered"), 1);
}

#[test]
fn a_phone_that_is_destroyed_while_its_call_rings_without_a_connection_waits_for_nothing() {
    let (mut rig, _, _) = ringing(alice());
    rig.down();
    rig.command(json!({ "type": "destroy" }));
    rig.assert_ended_once("cancel", "local");
    assert!(rig.closed);
}

#[test]
fn a_call_that_the_peer_has_forgotten_is_gone() {
    let (mut rig, _, _) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 481, None));
    rig.assert_ended_once("gone", "remote");
}

#[test]
fn a_refused_refresh_leaves_the_call_as_it_was() {
    let (mut rig, _, _) = Rig::talking(alice());
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
    let (mut rig, _, _) = Rig::talking(alice());
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

/// Whether each of our offers restarts ICE.
fn restarts(rig: &Rig) -> Vec<bool> {
    rig.media_named("reoffer")
        .into_iter()
        .map(|command| match command {
            MediaCommand::Stream(StreamCommand::Reoffer { restart_ice, .. }) => *restart_ice,
            other => panic!("{other:?} is no reoffer"),
        })
        .collect()
}

/// A call that a new flow has found, and whose refresh is not yet answered.
fn refreshing(interrupted: bool) -> (Rig, SessionId, Request) {
    let (mut rig, _, id) = Rig::talking(alice());
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
        let (mut rig, _, _) = Rig::talking(options);
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
    let (mut rig, _, id) = Rig::talking(alice());
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

/// However the peer is silent: the call is its sound.
#[test]
fn a_refresh_that_nobody_answers_is_made_again_and_ends_nothing_while_sound_goes_on() {
    for code in [None, Some(408)] {
        let (mut rig, _, _) = Rig::talking(alice());
        rig.down();
        rig.seconds(1);
        rig.up();
        // Each is given up after 32 s where nobody says anything, and made again 2, 4, 8 … 64 s later.
        for wait in [2, 4, 8, 16, 32, 64, 64] {
            let reinvite = rig.request(&Method::Invite);
            match code {
                Some(code) => {
                    rig.receive(answer(&reinvite, code, None));
                    rig.request(&Method::Ack);
                }
                None => rig.seconds(32),
            }
            assert_eq!(rig.changes("interrupted"), [true], "it is not refreshed");
            rig.seconds(wait - 1);
            assert!(rig.is_silent(), "{wait} s are not over");
            rig.seconds(1);
        }
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
        rig.request(&Method::Ack);
        assert_eq!(rig.changes("interrupted"), [true, false]);
        rig.lives_on();
        assert!(rig.is_silent());
    }
}

/// The 487 is the echo of our own CANCEL: nobody has refused anything.
#[test]
fn a_refresh_that_is_only_being_tried_is_given_up_and_made_again() {
    let (mut rig, _, _) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    for wait in [2, 4, 8] {
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 100, None));
        rig.seconds(32);
        let cancel = rig.request(&Method::Cancel);
        rig.receive(answer(&cancel, 200, None));
        rig.receive(answer(&reinvite, 487, None));
        rig.request(&Method::Ack);
        assert_eq!(rig.changes("interrupted"), [true], "it is not refreshed");
        rig.seconds(wait - 1);
        assert!(rig.is_silent(), "{wait} s are not over");
        rig.seconds(1);
    }
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    rig.lives_on();
    assert!(rig.is_silent());
}

/// Somebody else may say it too, and then it is a refusal.
#[test]
fn a_487_that_answers_no_cancel_of_ours_is_a_refusal() {
    let (mut rig, _, _) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 487, None));
    rig.request(&Method::Ack);
    assert_eq!(rig.changes("interrupted"), [true, false]);
    rig.lives_on();
    assert!(rig.is_silent());
}

/// A phone in a call whose refresh nobody has answered four times: the next is made 16 s later.
fn backing_off() -> (Rig, Caller, SessionId) {
    let (mut rig, caller, id) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    for wait in [2, 4, 8, 16] {
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 408, None));
        rig.request(&Method::Ack);
        if wait < 16 {
            rig.seconds(wait);
        }
    }
    (rig, caller, id)
}

/// Whoever asks is there: what nobody had answered need not wait.
#[test]
fn a_peer_that_offers_itself_is_told_at_once_what_it_had_not_answered() {
    for (method, sdp) in [
        ("INVITE", Some("v=0 theirs 2\r\n")),
        ("INVITE", None),
        ("UPDATE", Some("v=0 theirs 2\r\n")),
        ("UPDATE", None),
        ("INFO", None),
    ] {
        let (mut rig, mut caller, _) = backing_off();
        let offers = rig.media_named("reoffer").len();
        rig.receive(caller.request(method, &[], sdp));
        if method == "INVITE" {
            rig.beyond_trying(200);
            assert!(rig.is_silent(), "RFC 3261 §14.1: one at a time");
            rig.receive(caller.ack(sdp.is_none().then_some("v=0 theirs 2\r\n")));
        } else {
            // Whether it is taken or not.
            rig.sent();
        }
        let more = usize::from(method == "INVITE" && sdp.is_none());
        assert!(rig.media_named("reoffer").len() > offers + more, "{method}");
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 200, Some("v=0 theirs 3\r\n")));
        rig.request(&Method::Ack);
        assert_eq!(rig.changes("interrupted"), [true, false], "{method}");
        rig.lives_on();
        assert!(rig.is_silent(), "{method}");
    }
}

#[test]
fn a_refresh_that_nobody_answers_ends_a_call_that_nobody_is_heard_in() {
    let (mut rig, id, _) = refreshing(false);
    rig.seconds(20);
    rig.media_event(id, MediaEvent::Interrupted);
    rig.seconds(13);
    rig.assert_ended_once("connectivity-error", "network");
    rig.request(&Method::Bye);
}

/// What waits for its next try does not wait for what is new.
#[test]
fn sound_that_is_lost_while_nobody_answers_restarts_ice_at_once_and_ends_the_call_in_time() {
    let (mut rig, id, _) = refreshing(false);
    rig.seconds(32);
    rig.seconds(1);
    rig.media_event(id, MediaEvent::Interrupted);
    assert_eq!(restarts(&rig), [false, true]);
    rig.describe(id, "v=0 ours 2\r\n");
    rig.request(&Method::Invite);
    let gone = MediaEvent::Failed {
        failure: MediaFailure::Consent,
        reason: "nothing came".into(),
    };
    rig.seconds(10);
    rig.media_event(id, gone);
    rig.seconds(10);
    rig.assert_ended_once("connectivity-error", "network");
}

#[test]
fn a_new_connection_and_a_hold_wait_for_no_try_that_is_to_come() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.down();
    rig.seconds(1);
    rig.up();
    for _ in 0..4 {
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 408, None));
        rig.request(&Method::Ack);
        rig.down();
        rig.until_connect();
        rig.up();
    }
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 408, None));
    rig.request(&Method::Ack);
    let ticket = rig.command(json!({ "type": "hold", "id": id, "held": true }));
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    assert!(rig.reply(ticket).unwrap().is_ok());
    assert_eq!(rig.changes("interrupted").last().unwrap(), false);
    rig.lives_on();
}

#[test]
fn a_key_by_info_that_nobody_answers_ends_no_call_while_sound_goes_on() {
    let (mut rig, _, id) = Rig::talking(alice());
    let ticket = rig.command(json!({
        "type": "sendInfo", "id": id, "contentType": "text/plain", "body": "x"
    }));
    rig.request(&Method::Info);
    rig.seconds(33);
    assert!(rig.reply(ticket).unwrap().is_err());
    rig.lives_on();
    assert!(rig.is_silent());
}
