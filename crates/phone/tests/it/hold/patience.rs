//! Peers that put a hold off, answer it late or never, and how long anybody waits for it.

use super::*;

#[test]
fn a_peer_that_puts_us_off_for_ever_has_refused() {
    // We did not start the dialog: our waits are short, and five of them are enough.
    let (mut rig, _, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    for _ in 0..6 {
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 491, None));
        rig.request(&Method::Ack);
        if rig.reply(ticket).is_none() {
            rig.advance(Duration::from_millis(2000));
        }
    }
    assert_eq!(rig.error(ticket).sip.unwrap().code, 491);
    assert!(rig.is_silent());
}

/// A server has lost the peer for a moment: both have lost the network, and we were back first.
#[test]
fn a_peer_that_can_not_be_reached_for_a_moment_is_asked_again() {
    for code in [430, 480] {
        let (mut rig, _, id) = Rig::talking(alice());
        let ticket = hold(&mut rig, id, true);
        for wait in [2, 4] {
            let reinvite = rig.request(&Method::Invite);
            rig.receive(answer(&reinvite, code, None));
            rig.request(&Method::Ack);
            assert!(rig.reply(ticket).is_none());
            rig.advance(Duration::from_millis(wait * 1000 - 1));
            assert!(rig.is_silent());
            rig.advance(Duration::from_millis(1));
        }
        agree(&mut rig);
        assert!(rig.reply(ticket).unwrap().is_ok());
        rig.lives_on();
    }
}

#[test]
fn a_peer_that_stays_away_fails_the_hold_after_ten_seconds_and_not_the_call() {
    let (mut rig, _, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    for second in 0..10 {
        assert!(rig.reply(ticket).is_none(), "{second}");
        while !rig.is_silent() {
            let reinvite = rig.request(&Method::Invite);
            rig.receive(answer(&reinvite, 480, None));
            rig.request(&Method::Ack);
        }
        rig.seconds(1);
    }
    let error = rig.error(ticket);
    assert_eq!(code(&error), "ERR_HOLD_FAILED");
    assert_eq!(error.sip.unwrap().code, 480);
    rig.lives_on();
}

#[test]
fn a_peer_that_puts_us_off_fails_the_hold_after_ten_seconds() {
    for retry_after in [None, Some("6")] {
        let put_off = |rig: &mut Rig| {
            while !rig.is_silent() {
                let reinvite = rig.request(&Method::Invite);
                rig.receive(match retry_after {
                    Some(wait) => with_header(&reinvite, 500, "Retry-After", wait),
                    None => answer(&reinvite, 491, None),
                });
                rig.request(&Method::Ack);
            }
        };
        let (mut rig, id) = calling();
        let ticket = hold(&mut rig, id, true);
        for second in 0..10 {
            assert!(rig.reply(ticket).is_none(), "{second}");
            put_off(&mut rig);
            rig.seconds(1);
        }
        put_off(&mut rig);
        let error = rig.error(ticket);
        assert_eq!(code(&error), "ERR_HOLD_FAILED");
        assert_eq!(error.sip.unwrap().code, retry_after.map_or(491, |_| 500));
        assert_eq!(rig.media_named("resume").len(), 1, "it hears us again");
        rig.seconds(10);
        assert!(rig.is_silent(), "nothing is owed any more");
        rig.lives_on();
    }
}

/// A phone in a call that it has placed.
fn calling() -> (Rig, SessionId) {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let id = rig.id_of("sessionStarted");
    (rig, id)
}

#[test]
fn a_hold_that_nobody_answers_fails_and_the_peer_that_is_heard_is_told_what_holds() {
    for status in [None, Some(408)] {
        let (mut rig, _, id) = Rig::talking(alice());
        let ticket = hold(&mut rig, id, true);
        unanswered(&mut rig, status);
        let error = rig.error(ticket);
        assert_eq!(code(&error), "ERR_HOLD_FAILED");
        assert_eq!(error.sip.map(|sip| sip.code), status);
        assert_eq!(rig.media_named("resume").len(), 1);
        rig.seconds(3);
        let told = |command: &&MediaCommand| {
            matches!(
                command,
                MediaCommand::Stream(StreamCommand::Reoffer { held: false, .. })
            )
        };
        assert!(rig.media_named("reoffer").last().is_some_and(told));
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
        rig.request(&Method::Ack);
        rig.lives_on();
        assert!(rig.is_silent());
    }
}

#[test]
fn a_hold_that_nobody_answers_ends_a_call_that_nobody_is_heard_in_with_a_bye() {
    for status in [None, Some(408)] {
        let (mut rig, _, id) = Rig::talking(alice());
        rig.media_event(id, MediaEvent::Interrupted);
        let ticket = hold(&mut rig, id, true);
        unanswered(&mut rig, status);
        rig.assert_ended_once("connectivity-error", "network");
        // It is told before its time is up.
        let failed = match status {
            Some(_) => "ERR_SESSION_ENDED",
            None => "ERR_HOLD_FAILED",
        };
        assert_eq!(code(&rig.error(ticket)), failed);
        // RFC 3261 §12.2.1.2, §15: who only was slow shall know.
        rig.request(&Method::Bye);
    }
}

/// Our re-INVITE has no answer, or that of somebody who had none.
fn unanswered(rig: &mut Rig, status: Option<u16>) {
    let reinvite = rig.request(&Method::Invite);
    match status {
        Some(code) => {
            rig.receive(answer(&reinvite, code, None));
            rig.request(&Method::Ack);
        }
        None => rig.seconds(33),
    }
}

/// Whoever waits is told within ten seconds: the other side hears us again, and may not take the offer any more.
#[test]
fn a_hold_that_is_only_being_tried_is_given_up_after_ten_seconds() {
    let (mut rig, _, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 100, None));
    rig.seconds(9);
    assert!(rig.reply(ticket).is_none());
    rig.seconds(1);
    let error = rig.error(ticket);
    assert_eq!(code(&error), "ERR_HOLD_FAILED");
    assert!(
        error.message.contains("does not answer"),
        "{}",
        error.message
    );
    assert_eq!(rig.media_named("resume").len(), 1);
    let cancel = rig.request(&Method::Cancel);
    rig.receive(answer(&cancel, 200, None));
    rig.receive(answer(&reinvite, 487, None));
    rig.request(&Method::Ack);
    assert!(rig.changes("held").is_empty());
    rig.lives_on();
    assert!(
        rig.is_silent(),
        "nothing has changed, so there is nothing to tell"
    );
}

#[test]
fn a_hold_that_nobody_answers_fails_after_ten_seconds_and_no_answer_comes_too_late() {
    let (mut rig, _, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.seconds(10);
    assert_eq!(code(&rig.error(ticket)), "ERR_HOLD_FAILED");
    assert!(
        rig.is_silent(),
        "RFC 3261 §9.1: no CANCEL before a provisional answer"
    );
    rig.seconds(10);
    assert_tells_what_holds(&mut rig, &reinvite);
}

#[test]
fn a_2xx_that_crosses_the_cancel_of_a_hold_is_answered_by_what_holds() {
    let (mut rig, _, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 100, None));
    rig.seconds(10);
    assert_eq!(code(&rig.error(ticket)), "ERR_HOLD_FAILED");
    let cancel = rig.request(&Method::Cancel);
    rig.receive(answer(&cancel, 200, None));
    assert_tells_what_holds(&mut rig, &reinvite);
}

/// The peer takes a hold that is not wanted any more, and is told so.
fn assert_tells_what_holds(rig: &mut Rig, reinvite: &Request) {
    rig.receive(answer(reinvite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(asked_for(rig), [true, false]);
    agree(rig);
    assert!(rig.changes("held").is_empty());
    rig.lives_on();
    assert!(rig.is_silent());
    assert_eq!(asked_for(rig).len(), 2);
}

#[test]
fn a_hold_that_is_asked_for_again_may_have_the_late_answer_to_the_first() {
    let (mut rig, _, id) = Rig::talking(alice());
    let first = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.seconds(10);
    assert!(rig.reply(first).unwrap().is_err());
    let second = hold(&mut rig, id, true);
    rig.seconds(3);
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    assert!(rig.reply(second).unwrap().is_ok());
    assert_eq!(rig.changes("held"), [true]);
    assert!(rig.is_silent());
}

#[test]
fn a_resume_that_nobody_answers_fails_after_ten_seconds_and_the_peer_stays_on_hold() {
    let (mut rig, _, id) = holding();
    let ticket = hold(&mut rig, id, false);
    let reinvite = rig.request(&Method::Invite);
    rig.seconds(10);
    assert_eq!(code(&rig.error(ticket)), "ERR_HOLD_FAILED");
    assert!(rig.media_named("resume").is_empty());
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(asked_for(&rig), [false, true]);
    agree(&mut rig);
    assert!(rig.changes("held").is_empty());
}

#[test]
fn a_hold_and_a_resume_behind_it_are_both_settled_after_ten_seconds() {
    let (mut rig, _, id) = Rig::talking(alice());
    let first = hold(&mut rig, id, true);
    let second = hold(&mut rig, id, false);
    let third = hold(&mut rig, id, true);
    rig.seconds(10);
    assert!(rig.reply(first).unwrap().is_err());
    assert!(rig.reply(second).unwrap().is_ok(), "it is off hold");
    assert!(rig.reply(third).unwrap().is_err());
}

#[test]
fn a_hold_without_a_connection_fails_after_ten_seconds() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.done(json!({ "type": "disconnect" }));
    let ticket = hold(&mut rig, id, true);
    rig.seconds(9);
    assert!(rig.reply(ticket).is_none());
    rig.seconds(1);
    let error = rig.error(ticket);
    assert_eq!(code(&error), "ERR_HOLD_FAILED");
    assert!(error.message.contains("no connection"), "{}", error.message);
    assert_eq!(rig.media_named("resume").len(), 1);
}

/// An UPDATE can't be cancelled.
#[test]
fn a_hold_by_update_that_nobody_answers_fails_after_ten_seconds() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[("Allow", "UPDATE")], Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(caller.ack(None));
    let command = json!({ "type": "hold", "id": id, "held": true, "via": "update" });
    let ticket = rig.command(command);
    let update = rig.request(&Method::Update);
    rig.seconds(10);
    assert_eq!(code(&rig.error(ticket)), "ERR_HOLD_FAILED");
    assert!(rig.is_silent());
    rig.receive(answer(&update, 200, Some("v=0\r\n")));
    assert_eq!(asked_for(&rig), [true, false]);
}

#[test]
fn an_update_that_nobody_answers_ends_a_call_that_nobody_is_heard_in() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[("Allow", "UPDATE")], Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(caller.ack(None));
    rig.media_event(id, MediaEvent::Interrupted);
    rig.command(json!({ "type": "hold", "id": id, "held": true, "via": "update" }));
    rig.request(&Method::Update);
    rig.seconds(33);
    rig.assert_ended_once("connectivity-error", "network");
    rig.request(&Method::Bye);
}

#[test]
fn a_hold_that_finds_no_moment_fails_within_two_seconds_and_can_be_asked_for_again() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    // No ACK: an offer of ours has to wait (RFC 3261 §14.1).
    let held = hold(&mut rig, id, true);
    rig.advance(Duration::from_millis(1400));
    assert!(rig.reply(held).is_none());
    rig.advance(Duration::from_millis(200));
    let error = rig.error(held);
    assert_eq!(code(&error), "ERR_HOLD_FAILED");
    assert!(error.message.contains("no moment"), "{}", error.message);
    assert_eq!(rig.count("terminated"), 0);

    let again = hold(&mut rig, id, true);
    while !rig.is_silent() {
        // Our answer, repeated.
        rig.sent();
    }
    rig.receive(caller.ack(None));
    agree(&mut rig);
    assert!(rig.reply(again).is_some_and(Result::is_ok));
}

#[test]
fn a_hold_under_offers_without_end_fails_within_two_seconds() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let mut offer = |rig: &mut Rig| {
        rig.receive(caller.request("INVITE", &[], Some("v=0 again\r\n")));
        rig.advance(Duration::from_millis(50));
    };
    offer(&mut rig);
    let held = hold(&mut rig, id, true);
    for _ in 0..40 {
        offer(&mut rig);
    }
    assert_eq!(code(&rig.error(held)), "ERR_HOLD_FAILED");
    assert_eq!(rig.count("terminated"), 0);
}

/// Each wants our offer, and none is answered (RFC 3261 §13.2.2.4 wants an answer in the ACK).
#[test]
fn a_hold_under_invites_without_offers_does_not_stay_open() {
    for acknowledged in [false, true] {
        let (mut rig, mut caller, id) = Rig::talking(alice());
        let mut ask = |rig: &mut Rig| {
            rig.receive(caller.request("INVITE", &[], None));
            if acknowledged {
                rig.receive(caller.ack(None));
            }
            rig.advance(Duration::from_millis(50));
        };
        ask(&mut rig);
        let held = hold(&mut rig, id, true);
        let resumed = hold(&mut rig, id, false);
        for _ in 0..800 {
            ask(&mut rig);
        }
        for ticket in [held, resumed] {
            assert!(rig.reply(ticket).is_some(), "{acknowledged}");
        }
    }
}
