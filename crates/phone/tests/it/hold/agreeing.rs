//! What a hold asks for, what the peer agrees to, and what comes between.

use super::*;

#[test]
fn hold_is_done_when_the_peer_has_agreed() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.order.clear();
    let ticket = hold(&mut rig, id, true);
    assert_eq!(asked_for(&rig), [true]);
    assert_eq!(rig.reply(ticket), None);
    assert!(rig.changes("held").is_empty());
    agree(&mut rig);
    assert_eq!(rig.changes("held"), [true]);
    assert!(rig.reply(ticket).unwrap().is_ok());
    let told = rig.place("sessionChanged");
    assert!(told < rig.place(&format!("reply {}", ticket.0)));

    let ticket = hold(&mut rig, id, false);
    agree(&mut rig);
    assert_eq!(asked_for(&rig), [true, false]);
    assert_eq!(rig.changes("held"), [true, false]);
    assert!(rig.reply(ticket).unwrap().is_ok());
}

#[test]
fn asking_for_the_state_it_is_in_does_nothing() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.done(json!({ "type": "hold", "id": id, "held": false }));
    assert!(rig.is_silent() && rig.media.is_empty());
    let (mut rig, _, id) = holding();
    rig.done(json!({ "type": "hold", "id": id, "held": true }));
    assert!(rig.is_silent() && rig.media.is_empty());
}

#[test]
fn who_is_put_on_hold_hears_not_one_word_more() {
    let (mut rig, _, id) = Rig::talking(alice_with(json!({
        "holdMusic": { "type": "wav", "path": "waltz.wav", "repeat": true },
    })));
    rig.media_mode = Media::Manual;
    hold(&mut rig, id, true);
    let music = audio::Input::Wav {
        path: "waltz.wav".into(),
        repeat: true,
        level: 0.0,
    };
    assert_eq!(
        rig.media_named("hold"),
        [&MediaCommand::Sound(SoundCommand::Hold { music })]
    );
    assert!(rig.place("media hold") < rig.place("media reoffer"));
    assert!(rig.media_named("resume").is_empty());
}

#[test]
fn the_microphone_is_heard_again_only_when_the_peer_is_off_hold() {
    let (mut rig, _, id) = holding();
    hold(&mut rig, id, false);
    assert!(rig.media_named("resume").is_empty());
    agree(&mut rig);
    assert_eq!(rig.media_named("resume").len(), 1);
}

#[test]
fn music_of_ones_own_wins_over_the_phones() {
    let (mut rig, _, id) = Rig::talking(alice());
    let music = json!({ "type": "tone", "frequency": 440, "level": -20 });
    rig.command(json!({ "type": "hold", "id": id, "held": true, "music": music }));
    assert!(matches!(
        rig.media_named("hold")[..],
        [MediaCommand::Sound(SoundCommand::Hold {
            music: audio::Input::Tone { .. }
        })]
    ));
}

#[test]
fn a_refused_hold_leaves_the_call_as_it_was() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    rig.request(&Method::Ack);
    let error = rig.error(ticket);
    assert_eq!(code(&error), "ERR_HOLD_FAILED");
    assert_eq!(error.sip.unwrap().code, 488);
    assert!(rig.changes("held").is_empty());
    assert_eq!(rig.media_named("rollback").len(), 1);
    assert_eq!(rig.media_named("resume").len(), 1, "it hears us again");
    assert_eq!(rig.count("terminated"), 0);
    // And the peer's own offers are taken as before.
    rig.receive(caller.request("INVITE", &[], Some("v=0\r\n")));
    rig.beyond_trying(200);
}

#[test]
fn a_refused_resume_leaves_the_peer_on_hold() {
    let (mut rig, _, id) = holding();
    let ticket = hold(&mut rig, id, false);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    rig.request(&Method::Ack);
    assert_eq!(code(&rig.error(ticket)), "ERR_HOLD_FAILED");
    assert!(rig.changes("held").is_empty());
    assert!(rig.media_named("resume").is_empty());
    rig.done(json!({ "type": "hold", "id": id, "held": true }));
}

#[test]
fn an_answer_that_media_can_not_use_fails_the_hold() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.media_mode = Media::Manual;
    let ticket = hold(&mut rig, id, true);
    rig.describe(id, "v=0 ours\r\n");
    agree(&mut rig);
    rig.media_event(
        id,
        MediaEvent::Refused {
            refusal: MediaRefusal::Malformed,
            reason: "rubbish".into(),
        },
    );
    assert_eq!(code(&rig.error(ticket)), "ERR_HOLD_FAILED");
    assert_eq!(rig.media_named("rollback").len(), 1);
    assert_eq!(rig.count("terminated"), 0);
    // The peer believes that it is held: it is told that it is not, once.
    assert_eq!(asked_for(&rig), [true, false]);
    rig.describe(id, "v=0 ours\r\n");
    agree(&mut rig);
    rig.media_event(
        id,
        MediaEvent::Refused {
            refusal: MediaRefusal::Malformed,
            reason: "rubbish again".into(),
        },
    );
    assert_eq!(asked_for(&rig), [true, false]);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn media_that_can_make_no_offer_fails_the_hold() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.media_mode = Media::Manual;
    let ticket = hold(&mut rig, id, true);
    rig.media_event(
        id,
        MediaEvent::Refused {
            refusal: MediaRefusal::Unavailable,
            reason: "no relay".into(),
        },
    );
    assert!(rig.error(ticket).message.contains("no relay"));
    assert!(rig.is_silent());
}

#[test]
fn a_hold_that_meets_their_offer_is_tried_again_after_the_wait() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 491, None));
    rig.request(&Method::Ack);
    assert_eq!(rig.media_named("rollback").len(), 1);
    // RFC 3261 §14.1: their offer comes first, and is answered.
    rig.receive(caller.request("INVITE", &[], Some("v=0 theirs\r\n")));
    rig.beyond_trying(200);
    rig.receive(caller.ack(None));
    assert_eq!(rig.reply(ticket), None);
    // We did not start the dialog: 0 to 2 s.
    rig.advance(Duration::from_millis(2000));
    agree(&mut rig);
    assert!(rig.reply(ticket).unwrap().is_ok());
    assert_eq!(rig.changes("held"), [true]);
}

#[test]
fn the_owner_of_the_call_id_waits_longer_after_glare() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let id = rig.id_of("sessionStarted");
    hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 491, None));
    rig.request(&Method::Ack);
    rig.advance(Duration::from_millis(2099));
    assert!(rig.is_silent(), "RFC 3261 §14.1: 2.1 s at least");
    rig.advance(Duration::from_millis(1901));
    agree(&mut rig);
}

#[test]
fn a_peer_that_is_busy_with_its_own_offer_says_when_to_come_back() {
    let (mut rig, _, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(with_header(&reinvite, 500, "Retry-After", "7"));
    rig.request(&Method::Ack);
    rig.advance(Duration::from_millis(6999));
    assert!(rig.is_silent());
    rig.advance(Duration::from_millis(1));
    agree(&mut rig);
    assert!(rig.reply(ticket).unwrap().is_ok());
}

#[test]
fn a_481_to_a_hold_ends_the_call_and_then_the_command() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.order.clear();
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 481, None));
    rig.assert_ended_once("gone", "remote");
    assert_eq!(code(&rig.error(ticket)), "ERR_SESSION_ENDED");
    assert!(rig.place("sessionEnded") < rig.place(&format!("reply {}", ticket.0)));
}

#[test]
fn hold_and_resume_in_one_breath_are_told_one_after_the_other() {
    let (mut rig, _, id) = Rig::talking(alice());
    let first = hold(&mut rig, id, true);
    let second = hold(&mut rig, id, false);
    let third = hold(&mut rig, id, false);
    assert_eq!(asked_for(&rig), [true], "one offer at a time");
    agree(&mut rig);
    assert!(rig.reply(first).unwrap().is_ok());
    assert_eq!(rig.reply(second), None);
    agree(&mut rig);
    assert!(rig.reply(second).unwrap().is_ok() && rig.reply(third).unwrap().is_ok());
    assert_eq!(rig.changes("held"), [true, false]);
    assert!(rig.is_silent());
}

#[test]
fn a_resume_behind_a_refused_hold_has_nothing_to_do() {
    let (mut rig, _, id) = Rig::talking(alice());
    let first = hold(&mut rig, id, true);
    let second = hold(&mut rig, id, false);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 488, None));
    rig.request(&Method::Ack);
    assert!(rig.reply(first).unwrap().is_err());
    assert!(rig.reply(second).unwrap().is_ok());
    assert!(rig.is_silent());
}

#[test]
fn a_hold_right_after_the_answer_waits_for_its_ack() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0 theirs\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    let ticket = hold(&mut rig, id, true);
    assert!(rig.is_silent());
    rig.receive(caller.ack(None));
    agree(&mut rig);
    assert!(rig.reply(ticket).unwrap().is_ok());
}

#[test]
fn a_call_that_is_not_answered_can_not_be_held() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let id = rig.id_of("sessionStarted");
    let command = json!({ "type": "hold", "id": id, "held": true });
    assert_eq!(rig.refused(command), "ERR_SESSION_STATE");
}

#[test]
fn the_end_of_the_call_ends_a_hold() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    rig.receive(caller.bye(&[]));
    assert_eq!(code(&rig.error(ticket)), "ERR_SESSION_ENDED");
    rig.assert_ended_once("success", "remote");
}

#[test]
fn a_hold_without_a_connection_is_told_over_the_next() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.down();
    let ticket = hold(&mut rig, id, true);
    assert_eq!(rig.media_named("hold").len(), 1);
    rig.until_connect();
    rig.up();
    assert_eq!(
        rig.media_named("reoffer"),
        [&MediaCommand::Stream(StreamCommand::Reoffer {
            restart_ice: false,
            held: true
        })]
    );
    agree(&mut rig);
    assert!(rig.reply(ticket).unwrap().is_ok());
    assert_eq!(rig.changes("interrupted"), [true, false]);
}

#[test]
fn a_connection_that_is_lost_under_a_hold_repeats_it() {
    let (mut rig, _, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    rig.request(&Method::Invite);
    rig.down();
    rig.until_connect();
    rig.up();
    agree(&mut rig);
    assert!(rig.reply(ticket).unwrap().is_ok());
    assert_eq!(rig.changes("held"), [true]);
}

#[test]
fn a_held_call_that_is_refreshed_stays_held() {
    let (mut rig, _, _) = holding();
    rig.down();
    rig.until_connect();
    rig.up();
    assert_eq!(
        rig.media_named("reoffer"),
        [&MediaCommand::Stream(StreamCommand::Reoffer {
            restart_ice: false,
            held: true
        })]
    );
    rig.request(&Method::Ack);
    agree(&mut rig);
    assert!(rig.changes("held").is_empty());
    assert!(rig.media_named("resume").is_empty());
}

#[test]
fn a_late_offer_to_a_held_peer_still_holds_it() {
    let (mut rig, mut caller, _) = holding();
    rig.receive(caller.request("INVITE", &[], None));
    rig.beyond_trying(200);
    assert_eq!(asked_for(&rig), [true]);
}

#[test]
fn a_peer_that_takes_update_can_be_held_by_one() {
    for (allow, method) in [
        ("INVITE, ACK, BYE, UPDATE", Method::Update),
        ("INVITE, ACK, BYE", Method::Invite),
    ] {
        let mut rig = Rig::registered(alice());
        let mut caller = Caller::new("c1");
        rig.receive(caller.invite(&[("Allow", allow)], Some("v=0 theirs\r\n")));
        caller.learn(&rig.beyond_trying(180));
        let id = rig.id_of("pendingSession");
        rig.done(json!({ "type": "accept", "id": id }));
        rig.response(200);
        rig.receive(caller.ack(None));
        let command = json!({ "type": "hold", "id": id, "held": true, "via": "update" });
        let ticket = rig.command(command);
        let offer = rig.request(&method);
        rig.receive(answer(&offer, 200, Some("v=0 agreed\r\n")));
        assert!(rig.reply(ticket).unwrap().is_ok());
        assert_eq!(rig.changes("held"), [true]);
    }
}

#[test]
fn an_update_that_meets_their_offer_waits_as_well() {
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
    // Theirs meets ours as well (RFC 3311 §5.2).
    rig.receive(caller.request("UPDATE", &[], Some("v=0\r\n")));
    rig.response(491);
    rig.receive(answer(&update, 491, None));
    rig.advance(Duration::from_millis(2000));
    let update = rig.request(&Method::Update);
    rig.receive(answer(&update, 200, Some("v=0\r\n")));
    assert!(rig.reply(ticket).unwrap().is_ok());
}

#[test]
fn two_phones_hold_each_other_and_resume() {
    let mut pair = Pair::new(json!({ "autoAnswer": "always" }));
    pair.command(0, json!({ "type": "call", "target": "bob" }));
    pair.advance(Duration::from_secs(2));
    let ids = [0, 1].map(|who| pair.rigs[who].id_of("sessionStarted"));
    for held in [true, false] {
        // Both at once: glare, each waits its own time.
        let tickets = [0, 1].map(|who| hold(&mut pair.rigs[who], ids[who], held));
        pair.advance(Duration::from_secs(10));
        for (rig, ticket) in pair.rigs.iter().zip(tickets) {
            assert!(rig.reply(ticket).unwrap().is_ok(), "{:?}", rig.order);
            assert_eq!(rig.changes("held").last().unwrap(), &json!(held));
        }
    }
    assert!(pair.rigs.iter().all(|rig| rig.count("terminated") == 0));
}

/// BroadWorks' remote control: under the policy for headers only, as it uses the phone in its user's place.
#[test]
fn the_platform_holds_and_resumes_a_call_by_notify() {
    for (policy, code) in [("announced", 403), ("headers", 200)] {
        let (mut rig, mut caller, _) = Rig::talking(alice_with(json!({ "autoAnswer": policy })));
        let mut notify = |rig: &mut Rig, package: &str| {
            let headers = [("Event", package), ("Subscription-State", "active")];
            rig.receive(caller.request("NOTIFY", &headers, None));
            rig.response(code);
        };
        notify(&mut rig, "hold");
        if code == 403 {
            assert!(rig.is_silent());
            continue;
        }
        agree(&mut rig);
        assert_eq!(rig.changes("held"), [true]);
        notify(&mut rig, "hold");
        assert!(rig.is_silent());
        notify(&mut rig, "talk");
        agree(&mut rig);
        assert_eq!(rig.changes("held"), [true, false]);
        notify(&mut rig, "talk");
        assert!(rig.is_silent());
    }
}

/// RFC 6337 §5.1: an offer says what we want now.
#[test]
fn a_hold_that_waits_goes_with_the_offer_that_the_peer_asks_for() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 491, None));
    rig.request(&Method::Ack);
    rig.receive(caller.request("INVITE", &[], None));
    rig.beyond_trying(200);
    assert_eq!(asked_for(&rig), [true, true]);
    assert!(rig.reply(ticket).is_none());
    rig.receive(caller.ack(Some("v=0 agreed\r\n")));
    assert!(rig.reply(ticket).unwrap().is_ok());
    assert_eq!(rig.changes("held"), [true]);
    rig.seconds(5);
    assert_eq!(asked_for(&rig), [true, true], "nothing is left to ask for");
}

#[test]
fn a_hold_that_went_with_an_offer_without_an_answer_is_not_agreed_to() {
    let (mut rig, mut caller, id) = Rig::talking(alice());
    let ticket = hold(&mut rig, id, true);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 491, None));
    rig.request(&Method::Ack);
    rig.receive(caller.request("INVITE", &[], None));
    rig.beyond_trying(200);
    rig.receive(caller.ack(None));
    assert_eq!(code(&rig.error(ticket)), "ERR_HOLD_FAILED");
    assert!(rig.changes("held").is_empty());
}
