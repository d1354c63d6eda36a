//! Peers that answer nothing, but are heard.

use super::*;

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
    rig.seconds(23);
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

/// Each of its requests says that it is there, and it takes no offer: it is made one every two seconds.
#[test]
fn a_peer_that_asks_without_end_and_answers_nothing_is_not_flooded() {
    let (mut rig, mut caller, _) = backing_off();
    let mut offers = 0;
    for _ in 0..200 {
        rig.receive(caller.request("INFO", &[], None));
        while !rig.is_silent() {
            if let Message::Request(request) = rig.sent()
                && *request.method() == Method::Invite
            {
                offers += 1;
                rig.receive(answer(&request, 408, None));
            }
        }
        rig.advance(Duration::from_millis(50));
    }
    assert!((4..=6).contains(&offers), "{offers} in 10 s");
    assert_eq!(rig.count("terminated"), 0);
}
