//! Who may take the place of a call, and that nothing opens which its user closed.

use phone::{MediaCommand, SessionId, SoundCommand, StreamCommand, audio};
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Rig, alice, alice_with, answer};

const STRANGER: &str = "<sip:stranger@elsewhere.example>";
const BY_BOB: (&str, &str) = ("Referred-By", "<sip:bob@EXAMPLE.com>;cid=\"1\"");

/// Alice in a call with Bob.
fn talking(options: Value) -> (Rig, Caller, SessionId) {
    talking_with(options, Caller::new("c1"))
}

fn talking_with(options: Value, mut bob: Caller) -> (Rig, Caller, SessionId) {
    let mut rig = Rig::registered(alice_with(options));
    let (id, _) = rig.takes(&mut bob, &[]);
    (rig, bob, id)
}

/// Alice has done this in her call, and her phone is as it was before anybody else came.
fn closed(options: Value, command: Value) -> (Rig, Caller, SessionId) {
    let (mut rig, bob, id) = talking(options);
    let mut command = command;
    command["id"] = json!(id);
    rig.command(command);
    if rig.outbox.front().is_some() {
        let reinvite = rig.request(&Method::Invite);
        rig.receive(answer(&reinvite, 200, Some("v=0 agreed\r\n")));
        rig.request(&Method::Ack);
    }
    clear(&mut rig);
    (rig, bob, id)
}

fn clear(rig: &mut Rig) {
    rig.media.clear();
    rig.events.clear();
    rig.order.clear();
}

fn take_place(rig: &mut Rig, bob: &Caller, from: &str, headers: &[(&str, &str)]) -> Caller {
    let mut other = Caller::new("c2").from(from);
    rig.receive(bob.replaced_by(&mut other, "", headers));
    other
}

fn hold() -> Value {
    json!({ "type": "hold", "held": true })
}

/// What the new call is ordered to do with its input, in order.
fn inputs(rig: &Rig, new: SessionId) -> Vec<&MediaCommand> {
    let of_new = rig.media.iter().filter(|(id, _)| *id == new);
    let all = of_new.map(|(_, command)| command);
    all.filter(|command| {
        matches!(
            command,
            MediaCommand::Sound(SoundCommand::Start { .. })
                | MediaCommand::Sound(SoundCommand::SetInput { .. })
                | MediaCommand::Sound(SoundCommand::Hold { .. })
                | MediaCommand::Sound(SoundCommand::Resume)
                | MediaCommand::Stream(StreamCommand::Mute { .. })
                | MediaCommand::Stream(StreamCommand::SetHeld { .. })
        )
    })
    .collect()
}

#[test]
fn who_is_not_shown_to_belong_to_the_call_rings() {
    for (from, headers) in [
        (STRANGER, &[][..]),
        // One of the same domain is still another.
        ("<sip:carol@example.com>", &[]),
        ("<sip:BOB@example.com>", &[]),
        // What the server asserts counts before what the caller says.
        (
            "<sip:bob@example.com>",
            &[("P-Asserted-Identity", "<sip:mallory@example.com>")],
        ),
        (STRANGER, &[("Referred-By", "<sip:carol@example.com>")]),
        (STRANGER, &[("Referred-By", "nonsense")]),
        (
            STRANGER,
            &[BY_BOB, ("Referred-By", "<sip:carol@example.com>")],
        ),
    ] {
        for policy in ["off", "announced", "headers"] {
            let (mut rig, bob, old) = talking(json!({ "autoAnswer": policy }));
            clear(&mut rig);
            take_place(&mut rig, &bob, from, headers);
            rig.beyond_trying(180);
            rig.seconds(5);
            let pending = rig.last("pendingSession");
            assert_eq!(pending["autoAnswer"], false, "{from} {headers:?} {policy}");
            assert_eq!(pending["replaces"], json!(old));
            assert!(rig.is_silent(), "{from} {headers:?} {policy}");
            assert_eq!(rig.count("terminated"), 0);
        }
    }
}

#[test]
fn who_belongs_to_the_call_takes_its_place_whatever_the_policy() {
    for (from, headers) in [
        ("<sip:carol@example.com>", &[BY_BOB][..]),
        ("<sip:bob@example.com>;user=phone", &[]),
        (
            STRANGER,
            &[("P-Asserted-Identity", "<sip:bob@example.com>")],
        ),
    ] {
        for policy in ["off", "announced", "headers"] {
            let (mut rig, bob, old) = talking(json!({ "autoAnswer": policy }));
            take_place(&mut rig, &bob, from, headers);
            rig.beyond_trying(180);
            rig.response(200);
            rig.request(&Method::Bye);
            rig.assert_ended_once("alternative-session", "remote");
            assert_eq!(rig.last("sessionEnded")["id"], json!(old));
        }
    }
}

#[test]
fn a_caller_without_a_name_is_not_the_one_in_the_call() {
    for nobody in [
        "\"Anonymous\" <sip:anonymous@anonymous.invalid>",
        "<sip:anonymous@example.com>",
        "<sip:%20@example.com>",
        "<sip:@example.com>",
        "<sip:example.com>",
    ] {
        let bob = Caller::new("c1").from(nobody);
        let (mut rig, bob, _) = talking_with(json!({ "autoAnswer": "off" }), bob);
        take_place(&mut rig, &bob, nobody, &[("Referred-By", nobody)]);
        rig.beyond_trying(180);
        assert!(rig.is_silent(), "{nobody}");
    }
}

#[test]
fn a_policy_that_answers_the_caller_answers_it_in_the_place_too() {
    let trusting = json!({ "policy": "announced", "trustedPeers": ["sip:carol@example.com"] });
    let asks = ("Call-Info", "<sip:pbx>;answer-after=0");
    for (policy, from, headers, answered) in [
        (json!("always"), STRANGER, &[][..], true),
        (json!("headers"), STRANGER, &[asks], true),
        (json!("announced"), STRANGER, &[asks], false),
        (json!("off"), STRANGER, &[asks], false),
        (trusting.clone(), "<sip:carol@example.com>", &[], true),
        (trusting, STRANGER, &[], false),
    ] {
        // The call whose place it takes does not make the phone busy.
        let (mut rig, bob, _) = talking(json!({ "autoAnswer": policy }));
        take_place(&mut rig, &bob, from, headers);
        rig.beyond_trying(180);
        assert_eq!(!rig.is_silent(), answered, "{policy} {from} {headers:?}");
    }
}

#[test]
fn the_applications_function_is_asked_about_a_stranger() {
    let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": "function" })));
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0\r\n")));
    let id = rig.id_of("autoAnswerQuery");
    rig.done(json!({ "type": "autoAnswerDecision", "id": id, "answer": true }));
    bob.learn(&rig.beyond_trying(180));
    rig.response(200);
    rig.receive(bob.ack(None));
    clear(&mut rig);
    take_place(&mut rig, &bob, STRANGER, &[]);
    assert_eq!(rig.last("autoAnswerQuery")["replaces"], json!(id));
    assert_eq!(rig.count("pendingSession"), 0);
}

#[test]
fn a_call_on_hold_stays_on_hold_whoever_takes_its_place() {
    let (mut rig, bob, _) = closed(json!({ "autoAnswer": "off" }), hold());
    let mut carol = take_place(&mut rig, &bob, "<sip:carol@example.com>", &[BY_BOB]);
    rig.beyond_trying(180);
    carol.learn(&rig.response(200));
    rig.receive(carol.ack(None));
    let new = rig.id_of("sessionStarted");
    assert_eq!(rig.last("sessionStarted")["session"]["held"], true);
    let orders = inputs(&rig, new);
    // It says so in its answer, and plays music before anything else can be heard.
    assert_eq!(
        orders[0],
        &MediaCommand::Stream(StreamCommand::SetHeld { held: true })
    );
    assert!(rig.place("media setHeld") < rig.place("media answer"));
    let music = audio::Input::None;
    assert_eq!(
        orders.last(),
        Some(&&MediaCommand::Sound(SoundCommand::Hold { music }))
    );
    assert!(rig.place("media hold") < rig.place("200 to INVITE"));
    assert!(rig.media_named("resume").is_empty());
    // And the user resumes it.
    rig.outbox.clear();
    rig.command(json!({ "type": "hold", "id": new, "held": false }));
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    assert_eq!(rig.changes("held"), [false]);
}

#[test]
fn a_call_on_hold_stays_so_where_its_user_lets_another_have_its_place() {
    let (mut rig, bob, _) = closed(json!({ "autoAnswer": "off" }), hold());
    take_place(&mut rig, &bob, STRANGER, &[]);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    assert_eq!(rig.last("sessionStarted")["session"]["held"], true);
    assert!(rig.media_named("resume").is_empty());
}

#[test]
fn a_hold_that_the_peer_has_not_agreed_to_counts() {
    let (mut rig, bob, id) = talking(json!({ "autoAnswer": "off" }));
    rig.command(json!({ "type": "hold", "id": id, "held": true }));
    clear(&mut rig);
    take_place(&mut rig, &bob, "<sip:carol@example.com>", &[BY_BOB]);
    assert_eq!(rig.last("sessionStarted")["session"]["held"], true);
}

#[test]
fn what_is_closed_while_the_other_rings_or_answers_is_closed_in_it() {
    for before_accepting in [true, false] {
        for command in ["mute", "hold"] {
            let (mut rig, bob, old) = talking(json!({ "autoAnswer": "off" }));
            take_place(&mut rig, &bob, STRANGER, &[]);
            rig.listens = false;
            let new = rig.id_of("pendingSession");
            let close = match command {
                "mute" => json!({ "type": "mute", "id": old, "muted": true }),
                _ => json!({ "type": "hold", "id": old, "held": true }),
            };
            if before_accepting {
                rig.command(close.clone());
            }
            rig.done(json!({ "type": "accept", "id": new }));
            if !before_accepting {
                rig.command(close);
            }
            rig.media.retain(|(id, _)| *id == new);
            rig.done(json!({ "type": "delivered", "id": new }));
            let started = rig.last("sessionStarted")["session"].clone();
            let name = if command == "mute" { "muted" } else { "held" };
            assert_eq!(started[name], before_accepting);
            match (before_accepting, command) {
                (true, _) => {}
                (false, "mute") => assert_eq!(rig.changes("muted").last(), Some(&json!(true))),
                (false, _) => assert_eq!(rig.media_named("hold").len(), 1),
            }
        }
    }
}

#[test]
fn no_input_is_opened_that_the_call_before_did_not_have() {
    for (input, expected) in [
        (json!({ "type": "none" }), audio::Input::None),
        (
            json!({ "type": "wav", "path": "a.wav" }),
            audio::Input::Wav {
                path: "a.wav".into(),
                repeat: false,
                level: 0.0,
            },
        ),
    ] {
        let options = json!({ "autoAnswer": "off", "audio": { "input": "default" } });
        let set = json!({ "type": "setInput", "input": input });
        let (mut rig, bob, _) = closed(options, set);
        take_place(&mut rig, &bob, "<sip:carol@example.com>", &[BY_BOB]);
        let new = rig.id_of("sessionStarted");
        let opened: Vec<audio::Input> = inputs(&rig, new)
            .into_iter()
            .filter_map(|command| match command {
                MediaCommand::Sound(SoundCommand::Start { input, .. })
                | MediaCommand::Sound(SoundCommand::SetInput { input }) => Some(input.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(opened.last(), Some(&expected));
        assert!(!opened.contains(&audio::Input::Default), "{opened:?}");
    }
}

#[test]
fn nobody_makes_way_for_a_call_that_is_on_hold() {
    let options = json!({ "autoAnswer": "off", "holdOthers": true });
    let (mut rig, bob, _) = closed(options, hold());
    // Alice talks to Dave meanwhile.
    let mut dave = Caller::new("c3").from("<sip:dave@example.com>");
    rig.receive(dave.invite(&[], Some("v=0 dave\r\n")));
    dave.learn(&rig.beyond_trying(180));
    let daves = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": daves }));
    rig.response(200);
    rig.receive(dave.ack(None));
    clear(&mut rig);
    take_place(&mut rig, &bob, "<sip:carol@example.com>", &[BY_BOB]);
    let of_dave = rig.media.iter().filter(|(id, _)| *id == daves).count();
    assert_eq!(of_dave, 0, "her talk with Dave goes on");
}

#[test]
fn a_call_that_ended_meanwhile_is_not_followed_by_another_unasked() {
    let (mut rig, mut bob, old) = talking(json!({ "autoAnswer": "off" }));
    for local in [true, false] {
        if !local {
            (rig, bob, _) = talking(json!({ "autoAnswer": "off" }));
        }
        rig.listens = false;
        take_place(&mut rig, &bob, "<sip:carol@example.com>", &[BY_BOB]);
        rig.beyond_trying(180);
        match local {
            true => rig.done(json!({ "type": "end", "id": old })),
            false => rig.receive(bob.bye(&[])),
        }
        rig.outbox.clear();
        rig.seconds(2);
        rig.response(603);
        assert_eq!(rig.count("sessionStarted"), 1);
        assert_eq!(rig.count("cancelPendingSession"), 1);
    }
}

#[test]
fn a_second_one_that_wants_the_same_place_is_a_call_like_any_other() {
    let (mut rig, bob, old) = talking(json!({ "autoAnswer": "off" }));
    take_place(&mut rig, &bob, STRANGER, &[]);
    assert_eq!(rig.last("pendingSession")["replaces"], json!(old));
    let mut second = Caller::new("c4").from(STRANGER);
    rig.receive(bob.replaced_by(&mut second, "", &[BY_BOB]));
    assert_eq!(rig.last("pendingSession")["replaces"], Value::Null);
    assert_eq!(rig.last("pendingSession")["autoAnswer"], false);
}

#[test]
fn a_pick_up_by_a_stranger_of_a_call_that_we_placed_rings() {
    for more in ["", ";early-only"] {
        let mut rig = Rig::registered(alice());
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&Method::Invite);
        rig.receive(answer(&invite, 180, None));
        let bob = Caller::of_callee(&invite);
        let mut other = Caller::new("c2").from(STRANGER);
        rig.receive(bob.replaced_by(&mut other, more, &[]));
        rig.beyond_trying(180);
        assert!(rig.is_silent());
        assert_eq!(rig.count("terminated"), 0);
    }
}

#[test]
fn a_call_that_was_given_up_has_no_place_to_take() {
    // Its CANCEL waits for a provisional response, or its INVITE for the last one.
    for rang in [false, true] {
        let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": "off" })));
        rig.command(json!({ "type": "call", "target": "bob" }));
        let id = rig.id_of("sessionStarted");
        let invite = rig.request(&Method::Invite);
        let mut bob = Caller::of_callee(&invite);
        if rang {
            rig.receive(answer(&invite, 180, None));
        }
        rig.command(json!({ "type": "end", "id": id }));
        rig.outbox.clear();
        if !rang {
            // RFC 3891 §6.1: a tag of zero is none.
            bob.tagged("0");
        }
        clear(&mut rig);
        take_place(&mut rig, &bob, "<sip:bob@example.com>", &[]);
        rig.beyond_trying(if rang { 603 } else { 481 });
        rig.seconds(2);
        assert_eq!(rig.count("sessionStarted"), 0, "{rang}");
        assert!(rig.media.is_empty(), "{rang}: {:?}", rig.media);
    }
}

#[test]
fn a_call_that_ended_before_its_ack_came_has_no_place_to_take() {
    let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": "off" })));
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0 theirs\r\n")));
    bob.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.command(json!({ "type": "accept", "id": id }));
    rig.response(200);
    // RFC 3261 §15: its BYE waits for the ACK.
    rig.command(json!({ "type": "end", "id": id }));
    rig.outbox.clear();
    clear(&mut rig);
    take_place(&mut rig, &bob, "<sip:bob@example.com>", &[]);
    rig.beyond_trying(603);
    assert_eq!(rig.count("sessionStarted"), 0);
}

#[test]
fn a_join_is_a_call_like_any_other() {
    // RFC 3911 §4: who does not know it rings as for a new call, unless it is required.
    for (require, code) in [(None, 180), (Some(("Require", "join")), 420)] {
        let (mut rig, bob, _) = talking(json!({ "autoAnswer": "announced" }));
        clear(&mut rig);
        let (call_id, ours, theirs) = bob.dialog();
        let join = format!("{call_id};to-tag={ours};from-tag={theirs}");
        let mut headers = vec![("Join", &*join), BY_BOB];
        headers.extend(require);
        let mut other = Caller::new("c2").from(STRANGER);
        rig.receive(other.invite(&headers, Some("v=0\r\n")));
        rig.beyond_trying(code);
        assert!(rig.is_silent());
    }
}

#[test]
fn a_transfer_that_is_followed_is_as_muted_as_the_call_before() {
    for (command, expected) in [
        (json!({ "type": "mute", "muted": true }), "mute"),
        (
            json!({ "type": "setInput", "input": { "type": "none" } }),
            "none",
        ),
    ] {
        let options = json!({ "audio": { "input": "default" } });
        let (mut rig, mut bob, old) = closed(options, command);
        rig.receive(bob.request("REFER", &[("Refer-To", "<sip:carol@example.com>")], None));
        rig.command(json!({ "type": "acceptTransfer", "id": old }));
        let new = rig.id_of("sessionStarted");
        let orders = inputs(&rig, new);
        match expected {
            "mute" => {
                assert_eq!(rig.last("sessionStarted")["session"]["muted"], true);
                assert_eq!(
                    orders.last(),
                    Some(&&MediaCommand::Stream(StreamCommand::Mute { muted: true }))
                );
            }
            _ => assert!(matches!(
                orders[..],
                [MediaCommand::Sound(SoundCommand::Start {
                    input: audio::Input::None,
                    ..
                })]
            )),
        }
    }
}

/// The same kind as another call that takes its place: no INVITE opens a microphone that its user closed.
#[test]
fn a_transfer_that_is_followed_is_as_held_as_the_call_before() {
    let options = json!({ "autoAnswer": "headers", "holdOthers": true });
    let (mut rig, mut bob, old) = closed(options, hold());
    rig.receive(bob.request("REFER", &[("Refer-To", "<sip:carol@example.com>")], None));
    rig.outbox.clear();
    rig.command(json!({ "type": "acceptTransfer", "id": old }));
    let new = rig.id_of("sessionStarted");
    assert_eq!(rig.last("sessionStarted")["session"]["held"], true);
    let orders = inputs(&rig, new);
    assert_eq!(
        orders[0],
        &MediaCommand::Stream(StreamCommand::SetHeld { held: true })
    );
    let music = audio::Input::None;
    assert_eq!(
        orders.last(),
        Some(&&MediaCommand::Sound(SoundCommand::Hold { music }))
    );
    assert!(rig.place("media hold") < rig.place("INVITE"));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    assert!(rig.media_named("resume").is_empty());
    assert!(
        rig.media_named("reoffer").is_empty(),
        "the INVITE has said it"
    );
    // Its user alone takes it off hold.
    let mut carol = Caller::of_callee(&invite);
    let headers = [("Event", "talk"), ("Subscription-State", "active")];
    rig.outbox.clear();
    rig.receive(carol.request("NOTIFY", &headers, None));
    rig.response(403);
    rig.command(json!({ "type": "hold", "id": new, "held": false }));
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0\r\n")));
    assert_eq!(rig.changes("held"), [false]);
    assert_eq!(rig.media_named("resume").len(), 1);
}

#[test]
fn its_microphone_is_processed_as_that_of_the_call_before() {
    let processing = json!({ "noiseSuppression": false });
    let set = json!({ "type": "setAudioProcessing", "processing": processing });
    let (mut rig, bob, old) = closed(json!({}), set);
    take_place(&mut rig, &bob, STRANGER, &[BY_BOB]);
    let orders = rig.media.iter().filter(|(id, _)| *id != old);
    let processed: Vec<_> = orders
        .filter_map(|(_, command)| match command {
            MediaCommand::Sound(SoundCommand::SetProcessing { processing }) => Some(*processing),
            _ => None,
        })
        .collect();
    let noise_suppression = Some(false);
    let wanted = audio::Processing {
        noise_suppression,
        ..Default::default()
    };
    assert_eq!(processed, [wanted]);
}
