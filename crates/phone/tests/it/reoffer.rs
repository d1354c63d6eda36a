use phone::media::MediaRefusal;
use phone::{MediaCommand, MediaEvent, SessionId, StreamCommand};
use serde_json::json;
use sip::message::Method;

use crate::harness::{Caller, Media, Rig, alice, answer};

fn talking() -> (Rig, Caller, SessionId) {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    let (id, _) = rig.takes(&mut caller, &[("Allow", "UPDATE")]);
    rig.media.clear();
    (rig, caller, id)
}

#[test]
fn a_reinvite_with_an_offer_is_answered_by_media() {
    let (mut rig, mut caller, _) = talking();
    rig.receive(caller.request("INVITE", &[], Some("v=0 hold\r\n")));
    let ok = rig.beyond_trying(200);
    assert_eq!(&ok.body()[..], b"v=0 ours 2\r\n");
    assert_eq!(
        rig.media_named("answerReoffer"),
        [&MediaCommand::Stream(StreamCommand::AnswerReoffer {
            offer: "v=0 hold\r\n".into()
        })]
    );
    rig.receive(caller.ack(None));
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn an_update_with_an_offer_is_answered_by_media() {
    let (mut rig, mut caller, _) = talking();
    rig.receive(caller.request("UPDATE", &[], Some("v=0 new\r\n")));
    let ok = rig.response(200);
    assert_eq!(&ok.body()[..], b"v=0 ours 2\r\n");
}

#[test]
fn an_update_without_an_offer_is_only_acknowledged() {
    let (mut rig, mut caller, _) = talking();
    rig.receive(caller.request("UPDATE", &[], None));
    assert!(rig.response(200).body().is_empty());
    assert!(rig.media.is_empty());
}

#[test]
fn a_reinvite_without_an_offer_gets_ours() {
    let (mut rig, mut caller, _) = talking();
    rig.receive(caller.request("INVITE", &[], None));
    let ok = rig.beyond_trying(200);
    assert_eq!(&ok.body()[..], b"v=0 ours 2\r\n");
    rig.receive(caller.ack(Some("v=0 theirs 2\r\n")));
    let answer = MediaCommand::Stream(StreamCommand::SetAnswer {
        sdp: "v=0 theirs 2\r\n".into(),
        provisional: false,
    });
    assert_eq!(rig.media_named("setAnswer"), [&answer]);
    // And the next offer is taken again.
    rig.receive(caller.request("UPDATE", &[], Some("v=0\r\n")));
    rig.response(200);
}

#[test]
fn an_offer_that_media_refuses_gets_488_and_the_call_goes_on() {
    let (mut rig, mut caller, id) = talking();
    rig.media_mode = Media::Manual;
    rig.receive(caller.request("INVITE", &[], Some("v=0 video only\r\n")));
    let refusal = MediaRefusal::Incompatible;
    rig.media_event(
        id,
        MediaEvent::Refused {
            refusal,
            reason: "no audio".into(),
        },
    );
    rig.beyond_trying(488);
    assert_eq!(rig.count("terminated"), 0);
    rig.media_mode = Media::Willing;
    rig.receive(caller.ack(None));
    rig.receive(caller.request("INVITE", &[], Some("v=0\r\n")));
    rig.beyond_trying(200);
}

#[test]
fn a_second_offer_while_the_first_is_unanswered_gets_500() {
    let (mut rig, mut caller, _) = talking();
    rig.media_mode = Media::Manual;
    rig.receive(caller.request("INVITE", &[], Some("v=0 one\r\n")));
    rig.receive(caller.request("UPDATE", &[], Some("v=0 two\r\n")));
    let response = rig.beyond_trying(500);
    assert!(response.headers().get("Retry-After").is_some());
    assert_eq!(rig.media_named("answerReoffer").len(), 1);
}

/// A phone whose own re-INVITE, after a lost connection, is unanswered.
fn refreshing() -> (Rig, Caller, SessionId, sip::message::Request) {
    let (mut rig, caller, id) = talking();
    rig.down();
    rig.seconds(1);
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    (rig, caller, id, reinvite)
}

#[test]
fn an_offer_that_meets_ours_gets_491() {
    let (mut rig, mut caller, _, _) = refreshing();
    rig.receive(caller.request("INVITE", &[], Some("v=0\r\n")));
    rig.beyond_trying(491);
    assert!(rig.media_named("answerReoffer").is_empty());
}

/// It came before ours went out (RFC 3261 §14.2): nobody has to try again.
#[test]
fn an_offer_that_meets_ours_inside_media_goes_first() {
    for taken in [true, false] {
        let (mut rig, mut caller, id) = talking();
        rig.media_mode = Media::Manual;
        let hold = rig.command(json!({ "type": "hold", "id": id, "held": true }));
        assert_eq!(rig.media_named("reoffer").len(), 1);
        rig.receive(caller.request("INVITE", &[], Some("v=0 theirs\r\n")));
        rig.response(100);
        assert!(rig.media_named("answerReoffer").is_empty());
        rig.media_mode = Media::Willing;
        match taken {
            true => rig.describe(id, "v=0 hold\r\n"),
            false => {
                let refusal = MediaRefusal::Unavailable;
                let reason = "no".into();
                rig.media_event(id, MediaEvent::Refused { refusal, reason });
            }
        }
        let ok = rig.response(200);
        assert!(ok.body().starts_with(b"v=0 ours"));
        if taken {
            assert!(rig.place("media rollback") < rig.place("media answerReoffer"));
        }
        rig.receive(caller.ack(None));
        if taken {
            let again = rig.request(&Method::Invite);
            rig.receive(answer(&again, 200, Some("v=0 agreed\r\n")));
        }
        assert_eq!(rig.reply(hold).unwrap().is_ok(), taken);
    }
}

/// A phone whose hold the peer has agreed to, which media are still to apply.
fn applying(via: &str) -> (Rig, Caller, SessionId, phone::Ticket) {
    let (mut rig, caller, id) = talking();
    let hold = rig.command(json!({ "type": "hold", "id": id, "held": true, "via": via }));
    let method = match via {
        "update" => Method::Update,
        _invite => Method::Invite,
    };
    let offer = rig.request(&method);
    rig.media_mode = Media::Manual;
    rig.receive(answer(&offer, 200, Some("v=0 agreed\r\n")));
    if method == Method::Invite {
        rig.request(&Method::Ack);
    }
    assert_eq!(rig.media_named("setAnswer").len(), 1);
    rig.media.clear();
    (rig, caller, id, hold)
}

/// Media is on this machine: its moment is shorter than any wait that we could ask for.
#[test]
fn an_offer_that_comes_with_the_answer_to_ours_waits_until_that_is_applied() {
    for ours in ["invite", "update"] {
        for (theirs, offer) in [
            ("INVITE", Some("v=0 resume\r\n")),
            ("UPDATE", Some("v=0 resume\r\n")),
            ("INVITE", None),
        ] {
            let (mut rig, mut caller, id, hold) = applying(ours);
            rig.receive(caller.request(theirs, &[], offer));
            rig.receive(caller.request("UPDATE", &[], None));
            rig.beyond_trying(200);
            assert!(rig.is_silent() && rig.media.is_empty(), "{ours} {theirs}");
            rig.media_event(id, MediaEvent::AnswerApplied);
            assert!(rig.reply(hold).unwrap().is_ok());
            let asked = rig.media_named(match offer {
                Some(_) => "answerReoffer",
                None => "reoffer",
            });
            assert_eq!(asked.len(), 1, "{ours} {theirs}");
            rig.describe(id, "v=0 ours\r\n");
            let ok = rig.response(200);
            assert_eq!(&ok.body()[..], b"v=0 ours\r\n");
        }
    }
}

#[test]
fn an_offer_that_waits_comes_before_our_next_one() {
    let (mut rig, mut caller, id, _) = applying("invite");
    let resume = rig.command(json!({ "type": "hold", "id": id, "held": false }));
    rig.receive(caller.request("INVITE", &[], Some("v=0 theirs\r\n")));
    rig.response(100);
    rig.media_mode = Media::Willing;
    rig.order.clear();
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert!(rig.place("media answerReoffer") < rig.place("200 to INVITE"));
    rig.response(200);
    rig.receive(caller.ack(None));
    let again = rig.request(&Method::Invite);
    rig.receive(answer(&again, 200, Some("v=0 agreed\r\n")));
    assert!(rig.reply(resume).unwrap().is_ok());
}

#[test]
fn an_offer_that_waits_is_answered_also_after_an_answer_that_media_can_not_use() {
    let (mut rig, mut caller, id, hold) = applying("invite");
    rig.receive(caller.request("INVITE", &[], Some("v=0 theirs\r\n")));
    rig.response(100);
    let refusal = MediaRefusal::Malformed;
    let reason = "no".into();
    rig.media_event(id, MediaEvent::Refused { refusal, reason });
    assert!(rig.reply(hold).unwrap().is_err());
    assert!(rig.place("media rollback") < rig.place("media answerReoffer"));
    rig.describe(id, "v=0 ours\r\n");
    rig.response(200);
}

#[test]
fn an_offer_that_is_gone_while_it_waits_leaves_room_for_the_next() {
    let (mut rig, mut caller, id, _) = applying("invite");
    rig.receive(caller.request("INVITE", &[], Some("v=0 one\r\n")));
    rig.down();
    rig.until_connect();
    rig.up();
    rig.outbox.clear();
    rig.media_event(id, MediaEvent::AnswerApplied);
    assert!(rig.media_named("answerReoffer").is_empty());
    assert_eq!(rig.media_named("reoffer").len(), 1);
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    rig.media_mode = Media::Willing;
    rig.receive(answer(&reinvite, 200, Some("v=0 agreed\r\n")));
    rig.request(&Method::Ack);
    rig.receive(caller.request("UPDATE", &[], Some("v=0 two\r\n")));
    rig.response(200);
}

/// Some PBXs move the media with the next thing they say.
#[test]
fn an_offer_that_comes_with_the_answer_to_our_call_waits_until_that_is_applied() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.media_mode = Media::Manual;
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    let mut callee = Caller::of_callee(&invite);
    rig.receive(callee.request("INVITE", &[], Some("v=0 moved\r\n")));
    rig.response(100);
    assert!(rig.media_named("answerReoffer").is_empty());
    let id = rig.id_of("sessionStarted");
    rig.media_event(id, MediaEvent::AnswerApplied);
    rig.describe(id, "v=0 ours\r\n");
    rig.response(200);
}

#[test]
fn an_offer_that_comes_with_the_answer_in_an_ack_waits_until_that_is_applied() {
    let (mut rig, mut caller, id) = talking();
    rig.receive(caller.request("INVITE", &[], None));
    rig.beyond_trying(200);
    let ack = caller.ack(Some("v=0 theirs 2\r\n"));
    // RFC 3261 §14.2: our offer is open until its ACK.
    rig.receive(caller.request("UPDATE", &[], Some("v=0 early\r\n")));
    rig.response(491);
    rig.media_mode = Media::Manual;
    rig.receive(ack);
    rig.receive(caller.request("INVITE", &[], Some("v=0 moved\r\n")));
    rig.response(100);
    assert!(rig.media_named("answerReoffer").is_empty());
    rig.media_event(id, MediaEvent::AnswerApplied);
    rig.describe(id, "v=0 ours\r\n");
    rig.response(200);
}

#[test]
fn an_offer_that_comes_while_media_works_for_nobody_waits_too() {
    let (mut rig, mut caller, id) = talking();
    rig.media_mode = Media::Manual;
    rig.receive(caller.request("INVITE", &[], Some("v=0 lost\r\n")));
    rig.down();
    rig.until_connect();
    rig.up();
    rig.outbox.clear();
    rig.receive(caller.request("INVITE", &[], Some("v=0 again\r\n")));
    rig.response(100);
    rig.describe(id, "v=0 stale\r\n");
    assert_eq!(rig.media_named("answerReoffer").len(), 2);
    rig.describe(id, "v=0 ours\r\n");
    let ok = rig.response(200);
    assert_eq!(&ok.body()[..], b"v=0 ours\r\n");
}

#[test]
fn our_offer_that_met_theirs_is_repeated_after_the_wait() {
    let (mut rig, mut caller, _, reinvite) = refreshing();
    rig.receive(answer(&reinvite, 491, None));
    rig.request(&Method::Ack);
    assert_eq!(rig.media_named("rollback").len(), 1);
    // Theirs can come now.
    rig.receive(caller.request("INVITE", &[], Some("v=0\r\n")));
    rig.seconds(5);
    assert!(rig.media_named("reoffer").len() >= 2, "{:?}", rig.order);
}

#[test]
fn what_media_makes_for_a_lost_request_is_not_taken_for_our_offer() {
    let (mut rig, mut caller, id) = talking();
    rig.media_mode = Media::Manual;
    rig.receive(caller.request("INVITE", &[], Some("v=0 theirs\r\n")));
    rig.down();
    rig.until_connect();
    rig.up();
    assert!(rig.media_named("reoffer").is_empty(), "media still answers");
    rig.outbox.clear();
    rig.describe(id, "v=0 stale\r\n");
    assert!(rig.is_silent());
    assert_eq!(rig.media_named("reoffer").len(), 1);
    rig.describe(id, "v=0 ours\r\n");
    let reinvite = rig.request(&Method::Invite);
    assert_eq!(&reinvite.body()[..], b"v=0 ours\r\n");
}

#[test]
fn media_that_can_make_no_new_offer_leaves_the_call_as_it_was() {
    let (mut rig, _, id) = talking();
    rig.media_mode = Media::Manual;
    rig.events.clear();
    rig.down();
    rig.until_connect();
    rig.up();
    let refusal = MediaRefusal::Unavailable;
    rig.media_event(
        id,
        MediaEvent::Refused {
            refusal,
            reason: "no".into(),
        },
    );
    assert_eq!(rig.changes("interrupted"), [true, false]);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn hold_by_the_peer_is_noticed() {
    let (mut rig, _, id) = talking();
    rig.media_event(id, MediaEvent::RemoteHold { held: true });
    rig.media_event(id, MediaEvent::RemoteHold { held: true });
    rig.media_event(id, MediaEvent::RemoteHold { held: false });
    assert_eq!(rig.changes("remoteHeld"), [true, false]);
}

#[test]
fn an_offer_in_an_early_dialog_has_to_wait() {
    let mut rig = Rig::registered(alice());
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    caller.learn(&rig.beyond_trying(180));
    rig.receive(caller.request("UPDATE", &[], Some("v=0 two\r\n")));
    let response = rig.beyond_trying(500);
    assert!(response.headers().get("Retry-After").is_some());
    assert_eq!(rig.count("pendingSession"), 1);
}

#[test]
fn a_bye_while_we_answer_an_offer_ends_the_call_once() {
    let (mut rig, mut caller, id) = talking();
    rig.media_mode = Media::Manual;
    rig.receive(caller.request("INVITE", &[], Some("v=0\r\n")));
    rig.receive(caller.bye(&[]));
    rig.describe(id, "v=0 late\r\n");
    rig.assert_ended_once("success", "remote");
    assert!(
        !rig.order
            .iter()
            .skip(rig.place("terminated"))
            .any(|entry| entry == "200 to INVITE")
    );
}

#[test]
fn options_and_unknown_notifications_are_answered() {
    let (mut rig, mut caller, _) = talking();
    rig.receive(caller.request("OPTIONS", &[], None));
    rig.response(200);
    rig.receive(caller.request(
        "NOTIFY",
        &[("Event", "refer"), ("Subscription-State", "active")],
        None,
    ));
    rig.response(481);
    assert_eq!(rig.count("terminated"), 0);
}

#[test]
fn an_offer_that_is_not_answered_yet_is_refused_when_we_hang_up() {
    for waits in [true, false] {
        for method in ["INVITE", "UPDATE"] {
            let (mut rig, mut caller, id, _) = applying("invite");
            if !waits {
                rig.media_event(id, MediaEvent::AnswerApplied);
            }
            rig.receive(caller.request(method, &[], Some("v=0 theirs\r\n")));
            rig.done(json!({ "type": "end", "id": id }));
            if method == "INVITE" {
                rig.response(100);
            }
            let bye = rig.request(&Method::Bye);
            rig.response(487);
            rig.receive(answer(&bye, 200, None));
            rig.describe(id, "v=0 late\r\n");
            assert!(rig.is_silent());
            rig.assert_ended_once("success", "local");
        }
    }
}
