//! What comes together in bad moments: lost connections, restarts of ICE, holds of both sides, session timers.

use std::time::Duration;

use phone::media::MediaFailure;
use phone::{MediaCommand, MediaEvent, SessionId, StreamCommand};
use serde_json::json;
use sip::message::{Method, Request};

use crate::harness::{Caller, Media, Pair, Rig, alice, answer, with_header};

/// A phone in a call that it has answered, whose media the test plays.
fn talking(headers: &[(&str, &str)]) -> (Rig, Caller, SessionId) {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(headers, Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(caller.ack(None));
    rig.media.clear();
    rig.events.clear();
    rig.media_mode = Media::Manual;
    (rig, caller, id)
}

/// Whether each of our offers restarts ICE, and whether it holds.
fn offers(rig: &Rig) -> Vec<(bool, bool)> {
    rig.media_named("reoffer")
        .into_iter()
        .map(|command| match command {
            MediaCommand::Stream(StreamCommand::Reoffer { restart_ice, held }) => {
                (*restart_ice, *held)
            }
            other => panic!("{other:?} is no reoffer"),
        })
        .collect()
}

fn hold(rig: &mut Rig, id: SessionId, held: bool) -> phone::Ticket {
    rig.command(json!({ "type": "hold", "id": id, "held": held }))
}

/// Media make the offer that they are asked for, and it goes out.
fn offered(rig: &mut Rig, id: SessionId) -> Request {
    rig.describe(id, "v=0 ours\r\n");
    rig.request(&Method::Invite)
}

fn agree(rig: &mut Rig, id: SessionId) -> Request {
    let reinvite = offered(rig, id);
    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    rig.request(&Method::Ack);
    rig.media_event(id, MediaEvent::AnswerApplied);
    reinvite
}

/// The peer answers each restart, or refuses it, and no path is found by it; but the one of before comes back.
#[test]
fn a_hold_after_two_vain_restarts_is_a_hold_and_no_third_restart() {
    for refused in [false, true] {
        let (mut rig, _, id) = talking(&[]);
        rig.media_event(id, MediaEvent::Interrupted);
        for _ in 0..2 {
            rig.down();
            rig.until_connect();
            // The ACK of before may have been lost.
            rig.outbox.clear();
            rig.up();
            rig.outbox.retain(|frame| !frame.starts_with(b"ACK"));
            match refused {
                true => {
                    let reinvite = offered(&mut rig, id);
                    rig.receive(answer(&reinvite, 488, None));
                    rig.request(&Method::Ack);
                }
                false => drop(agree(&mut rig, id)),
            }
            rig.seconds(25);
        }
        assert_eq!(offers(&rig), [(true, false), (true, false)], "{refused}");
        assert_eq!(rig.count("terminated"), 0, "{refused}");
        let ticket = hold(&mut rig, id, true);
        agree(&mut rig, id);
        assert!(rig.reply(ticket).unwrap().is_ok());
        rig.media_event(id, MediaEvent::Connected);
        assert_eq!(offers(&rig).last(), Some(&(false, true)), "{refused}");
        assert_eq!(rig.changes("held"), [true]);
        assert_eq!(rig.changes("interrupted").last().unwrap(), false);
        rig.lives_on();
        assert!(rig.is_silent());
    }
}

/// A path that is gone is looked for once more by the hold's offer, and while it is, the call stands.
#[test]
fn a_hold_while_ice_is_restarted_goes_with_the_next_offer() {
    let (mut rig, _, id) = talking(&[]);
    let failure = MediaFailure::Consent;
    let reason = "nothing came".into();
    rig.media_event(id, MediaEvent::Failed { failure, reason });
    let restart = offered(&mut rig, id);
    let ticket = hold(&mut rig, id, true);
    rig.receive(answer(&restart, 200, Some("v=0 theirs 2\r\n")));
    rig.request(&Method::Ack);
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert_eq!(rig.reply(ticket), None, "that answer was to another offer");
    agree(&mut rig, id);
    assert!(rig.reply(ticket).unwrap().is_ok());
    assert_eq!(offers(&rig), [(true, false), (false, true)]);
    rig.media_event(id, MediaEvent::Connected);
    rig.lives_on();
    assert!(rig.is_silent());
}

#[test]
fn offers_that_meet_right_after_a_new_connection_are_made_again() {
    for code in [491, 500] {
        let (mut rig, mut caller, id) = talking(&[]);
        rig.down();
        rig.until_connect();
        rig.up();
        let reinvite = offered(&mut rig, id);
        // Theirs meets ours, and ours theirs.
        rig.receive(caller.request("INVITE", &[], Some("v=0 theirs 2\r\n")));
        rig.beyond_trying(491);
        rig.receive(caller.ack(None));
        rig.receive(match code {
            500 => with_header(&reinvite, 500, "Retry-After", "3"),
            code => answer(&reinvite, code, None),
        });
        rig.request(&Method::Ack);
        // It comes again, and first.
        rig.receive(caller.request("INVITE", &[], Some("v=0 theirs 2\r\n")));
        rig.response(100);
        rig.describe(id, "v=0 ours 2\r\n");
        rig.response(200);
        rig.receive(caller.ack(None));
        rig.seconds(4);
        agree(&mut rig, id);
        assert_eq!(rig.changes("interrupted"), [true, false], "{code}");
        rig.lives_on();
        assert!(rig.is_silent());
    }
}

/// Both have lost their connections, both come back at once, and both want something.
#[test]
fn two_phones_that_come_back_at_once_refresh_and_hold_each_other() {
    for holders in [&[][..], &[0], &[1], &[0, 1]] {
        let mut pair = Pair::new(json!({ "autoAnswer": "always" }));
        pair.command(0, json!({ "type": "call", "target": "bob" }));
        pair.advance(Duration::from_secs(2));
        let ids = [0, 1].map(|who| pair.rigs[who].id_of("sessionStarted"));
        for rig in &mut pair.rigs {
            rig.outbox.clear();
            rig.down();
        }
        let tickets: Vec<_> = holders
            .iter()
            .map(|who| (*who, hold(&mut pair.rigs[*who], ids[*who], true)))
            .collect();
        pair.advance(Duration::from_secs(2));
        for rig in &mut pair.rigs {
            rig.up();
        }
        pair.advance(Duration::from_secs(60));
        for (who, ticket) in tickets {
            assert!(pair.rigs[who].reply(ticket).unwrap().is_ok(), "{holders:?}");
            assert_eq!(pair.rigs[who].changes("held"), [true], "{holders:?}");
        }
        for rig in &pair.rigs {
            assert_eq!(rig.changes("interrupted"), [true, false], "{holders:?}");
            assert_eq!(rig.count("terminated"), 0, "{holders:?}: {:?}", rig.order);
        }
        pair.advance(Duration::from_secs(120));
        assert!(pair.rigs.iter().all(|rig| rig.count("terminated") == 0));
    }
}

/// One holds the other, a connection breaks, and the other holds too: each knows of its own hold, and resumes.
#[test]
fn holds_of_both_sides_outlive_a_lost_connection_between_them() {
    for (first, broken) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        for step in 0..6 {
            let case = format!("first {first}, broken {broken}, step {step}");
            let mut pair = Pair::new(json!({ "autoAnswer": "always" }));
            pair.command(0, json!({ "type": "call", "target": "bob" }));
            pair.advance(Duration::from_secs(2));
            let ids = [0, 1].map(|who| pair.rigs[who].id_of("sessionStarted"));
            let second = 1 - first;
            let one = pair.rigs[first].command(held(ids[first], true));
            pair.advance(Duration::from_secs(5));
            assert!(pair.rigs[first].reply(one).unwrap().is_ok(), "{case}");
            pair.break_line(broken);
            pair.mend_line(broken);
            for _ in 0..step {
                pair.carry_one();
            }
            let two = pair.rigs[second].command(held(ids[second], true));
            pair.advance(Duration::from_secs(60));
            assert!(pair.rigs[second].reply(two).unwrap().is_ok(), "{case}");
            for rig in &pair.rigs {
                assert_eq!(rig.changes("held"), [true], "{case}");
                let last = offers(rig).last().map(|(_, held)| *held);
                assert_eq!(last, Some(true), "{case}");
            }
            pair.break_line(broken);
            pair.mend_line(broken);
            let resumed = [0, 1].map(|who| pair.rigs[who].command(held(ids[who], false)));
            pair.advance(Duration::from_secs(60));
            for (rig, ticket) in pair.rigs.iter().zip(resumed) {
                assert!(
                    rig.reply(ticket).unwrap().is_ok(),
                    "{case}: {:?}",
                    rig.order
                );
                assert_eq!(rig.changes("held"), [true, false], "{case}");
                assert_eq!(rig.count("terminated"), 0, "{case}: {:?}", rig.order);
            }
            assert_eq!(
                pair.rigs[broken].changes("interrupted").last().unwrap(),
                false
            );
        }
    }
}

fn held(id: SessionId, held: bool) -> serde_json::Value {
    json!({ "type": "hold", "id": id, "held": held })
}

/// RFC 6337 §5.1: our refresh says what we want, and not that the peer holds us.
#[test]
fn a_refresh_of_the_session_while_the_peer_holds_us_asks_for_what_we_want() {
    let timer = [
        ("Supported", "timer"),
        ("Session-Expires", "600;refresher=uas"),
        ("Allow", "INVITE, ACK, BYE"),
    ];
    let (mut rig, mut caller, id) = talking(&timer);
    let more = &timer[..2];
    rig.receive(caller.request("INVITE", more, Some("v=0 hold\r\n")));
    rig.response(100);
    rig.media_event(id, MediaEvent::RemoteHold { held: true });
    rig.describe(id, "v=0 ours\r\n");
    rig.response(200);
    rig.receive(caller.ack(None));
    for round in 1..4 {
        rig.seconds(300);
        let reinvite = offered(&mut rig, id);
        assert_eq!(offers(&rig), vec![(false, false); round]);
        let ok = answer(&reinvite, 200, Some("v=0 still on hold\r\n"));
        let expires = "\r\nSession-Expires: 600;refresher=uac\r\n\r\n";
        let ok = String::from_utf8(ok.to_vec()).unwrap();
        rig.receive(ok.replacen("\r\n\r\n", expires, 1));
        rig.request(&Method::Ack);
        rig.media_event(id, MediaEvent::RemoteHold { held: true });
        rig.media_event(id, MediaEvent::AnswerApplied);
    }
    assert_eq!(rig.changes("remoteHeld"), [true], "and it still does");
    assert_eq!(rig.count("terminated"), 0);
}

/// The peer's own refresh, with or without its offer, meets our hold.
#[test]
fn a_refresh_of_the_peer_while_we_hold_each_other_changes_nothing() {
    for (method, sdp) in [
        ("INVITE", Some("v=0 on hold still\r\n")),
        ("INVITE", None),
        ("UPDATE", None),
    ] {
        let (mut rig, mut caller, id) = talking(&[]);
        let ticket = hold(&mut rig, id, true);
        agree(&mut rig, id);
        assert!(rig.reply(ticket).unwrap().is_ok());
        rig.media_event(id, MediaEvent::RemoteHold { held: true });
        rig.receive(caller.request(method, &[], sdp));
        if method == "INVITE" {
            rig.response(100);
            rig.describe(id, "v=0 ours 2\r\n");
        }
        rig.response(200);
        if method == "INVITE" {
            rig.receive(caller.ack(sdp.is_none().then_some("v=0 agreed\r\n")));
            if sdp.is_none() {
                rig.media_event(id, MediaEvent::AnswerApplied);
                assert_eq!(offers(&rig).last(), Some(&(false, true)));
            }
        }
        assert_eq!(rig.changes("held"), [true], "{method}");
        assert_eq!(rig.changes("remoteHeld"), [true], "{method}");
        rig.lives_on();
        assert!(rig.is_silent(), "{method}");
    }
}
