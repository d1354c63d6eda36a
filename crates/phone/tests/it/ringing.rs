//! When the phone rings, and what is heard of a call that rings elsewhere.

use std::time::Duration;

use phone::audio::{Output, RingSound};
use phone::{MediaCommand, MediaEvent, SessionId, SoundCommand};
use serde_json::{Value, json};
use sip::message::{Method, Request};

use crate::harness::{Caller, Rig, alice_with, answer};

fn called(options: Value, headers: &[(&str, &str)]) -> (Rig, Caller, SessionId) {
    let mut rig = Rig::registered(alice_with(options));
    let (caller, id) = call(&mut rig, "c1", headers);
    (rig, caller, id)
}

fn call(rig: &mut Rig, call_id: &str, headers: &[(&str, &str)]) -> (Caller, SessionId) {
    let mut caller = Caller::new(call_id);
    rig.receive(caller.invite(headers, Some("v=0\r\n")));
    caller.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    (caller, id)
}

fn take(rig: &mut Rig, caller: &mut Caller, id: SessionId) {
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(caller.ack(None));
}

/// What was played to the near end of a session, one letter each: a tone, or silence.
fn tones(rig: &Rig, id: SessionId) -> String {
    rig.media
        .iter()
        .filter(|(session, _)| *session == id)
        .filter_map(|(_, command)| match command {
            MediaCommand::Sound(SoundCommand::Tone { cadence }) => {
                Some(if cadence.is_some() { 'T' } else { '-' })
            }
            _ => None,
        })
        .collect()
}

#[test]
fn nothing_sounds_unless_it_is_asked_for() {
    for options in [
        json!({}),
        json!({ "tones": false }),
        json!({ "tones": { "ring": false } }),
    ] {
        let (rig, _, _) = called(options.clone(), &[]);
        assert!(rig.ringing.is_none(), "{options}");
        assert!(!rig.order.contains(&"ring".to_owned()));
    }
}

#[test]
fn a_call_that_waits_rings_where_it_is_told_to() {
    for (options, output) in [
        (json!({ "tones": true, "audio": {} }), Output::Default),
        (json!({ "tones": "de", "audio": "none" }), Output::None),
        (
            json!({ "tones": "de", "audio": { "output": "headset", "ring": "speaker" } }),
            Output::Device {
                id: "speaker".into(),
            },
        ),
        (
            json!({ "tones": {}, "audio": { "output": "headset" } }),
            Output::Device {
                id: "headset".into(),
            },
        ),
        // The calls write that file.
        (
            json!({ "tones": {}, "audio": { "output": { "type": "wav", "path": "calls.wav" } } }),
            Output::None,
        ),
    ] {
        let (rig, _, _) = called(options.clone(), &[]);
        assert_eq!(rig.ringing.as_ref().unwrap().output, output, "{options}");
        assert!(rig.place("pendingSession") < rig.place("ring"));
    }
}

#[test]
fn a_file_rings_in_place_of_the_tones() {
    let file = json!({ "type": "wav", "path": "bell.wav" });
    let (rig, _, _) = called(json!({ "tones": { "ring": file } }), &[]);
    let sound = rig.ringing.unwrap().sound;
    assert_eq!(
        sound,
        RingSound::Wav {
            path: "bell.wav".into()
        }
    );
}

#[test]
fn the_bell_stops_at_once_however_the_call_goes_on() {
    let tones = || json!({ "tones": true, "noAnswerTimeout": 10_000 });
    let (mut rig, _, id) = called(tones(), &[]);
    rig.done(json!({ "type": "accept", "id": id }));
    assert!(rig.ringing.is_none());

    let (mut rig, _, id) = called(tones(), &[]);
    rig.done(json!({ "type": "reject", "id": id }));
    assert!(rig.ringing.is_none());

    let (mut rig, caller, _) = called(tones(), &[]);
    rig.receive(caller.cancel(&[]));
    assert_eq!(rig.count("cancelPendingSession"), 1);
    assert!(rig.ringing.is_none());

    let (mut rig, _, _) = called(tones(), &[]);
    rig.advance(Duration::from_secs(9));
    assert!(rig.ringing.is_some());
    rig.advance(Duration::from_secs(2));
    assert!(rig.ringing.is_none());

    let (mut rig, _, _) = called(tones(), &[]);
    rig.down();
    assert!(rig.ringing.is_none());

    let (mut rig, _, _) = called(tones(), &[]);
    rig.command(json!({ "type": "destroy" }));
    assert!(rig.ringing.is_none());
}

#[test]
fn it_rings_once_the_listeners_have_run_and_waits_a_second_for_them() {
    let mut rig = Rig::registered(alice_with(json!({ "tones": true })));
    rig.listens = false;
    let (_, id) = call(&mut rig, "c1", &[]);
    rig.advance(Duration::from_millis(900));
    assert!(rig.ringing.is_none());
    rig.advance(Duration::from_millis(200));
    assert!(rig.ringing.is_some());
    // It is not woken again for what is past.
    let wake = rig.phone.poll_output();
    let phone::Output::Timeout(at, _) = wake else {
        panic!("{wake:?}");
    };
    assert!(at > rig.now);
    rig.done(json!({ "type": "reject", "id": id }));

    // Who is not to be disturbed rejects in the listener.
    let mut rig = Rig::registered(alice_with(json!({ "tones": true })));
    rig.listens = false;
    let (_, id) = call(&mut rig, "c2", &[]);
    rig.done(json!({ "type": "reject", "id": id }));
    rig.done(json!({ "type": "delivered", "id": id }));
    assert!(!rig.order.contains(&"ring".to_owned()));
}

#[test]
fn who_answers_by_itself_does_not_ring() {
    let asks = [("Call-Info", "<sip:pbx>;answer-after=5")];
    let (mut rig, _, _) = called(json!({ "tones": true, "autoAnswer": "headers" }), &asks);
    rig.advance(Duration::from_secs(2));
    assert!(rig.ringing.is_none());
    let mut rig = Rig::registered(alice_with(
        json!({ "tones": true, "autoAnswer": "function" }),
    ));
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    assert!(rig.ringing.is_none());
    let id = rig.id_of("autoAnswerQuery");
    rig.done(json!({ "type": "autoAnswerDecision", "id": id, "answer": false }));
    assert!(rig.ringing.is_some());
}

#[test]
fn during_a_call_the_next_one_is_a_soft_tone_in_it() {
    let (mut rig, mut caller, first) = called(json!({ "tones": "gb" }), &[]);
    take(&mut rig, &mut caller, first);
    let (_, second) = call(&mut rig, "c2", &[]);
    assert!(rig.ringing.is_none());
    assert_eq!(tones(&rig, first), "T");
    rig.done(json!({ "type": "reject", "id": second }));
    rig.response(486);
    assert_eq!(tones(&rig, first), "T-");

    // The call that was talked in ends: now it rings.
    let (_, third) = call(&mut rig, "c3", &[]);
    rig.done(json!({ "type": "end", "id": first }));
    assert!(rig.ringing.is_some());
    assert_eq!(tones(&rig, first), "T-T");
    rig.done(json!({ "type": "reject", "id": third }));
    assert!(rig.ringing.is_none());
}

#[test]
fn the_bell_moves_with_its_device() {
    let (mut rig, _, _) = called(json!({ "tones": true }), &[]);
    rig.done(json!({ "type": "setAudioDevice", "ring": { "type": "device", "id": "speaker" } }));
    let output = Output::Device {
        id: "speaker".into(),
    };
    assert_eq!(rig.ringing.as_ref().unwrap().output, output);
    rig.done(json!({ "type": "setAudioDevice", "output": { "type": "device", "id": "headset" } }));
    assert_eq!(rig.ringing.unwrap().output, output);
}

fn dialing(options: Value) -> (Rig, Request, SessionId) {
    let mut rig = Rig::registered(alice_with(options));
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    let id = rig.id_of("sessionStarted");
    (rig, invite, id)
}

#[test]
fn ringback_is_heard_from_the_180_to_the_answer() {
    let (mut rig, invite, id) = dialing(json!({ "tones": "fr" }));
    rig.receive(answer(&invite, 100, None));
    rig.receive(answer(&invite, 183, None));
    assert_eq!(tones(&rig, id), "");
    rig.receive(answer(&invite, 180, None));
    rig.receive(answer(&invite, 180, None));
    assert_eq!(tones(&rig, id), "T");
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    assert_eq!(tones(&rig, id), "T-");
}

#[test]
fn ringback_gives_way_to_what_the_callee_lets_us_hear() {
    // RFC 3960 §3.2: a description alone is no sound.
    let (mut rig, invite, id) = dialing(json!({ "tones": true }));
    rig.receive(answer(&invite, 180, Some("v=0 theirs\r\n")));
    assert_eq!(tones(&rig, id), "T");
    rig.media_event(id, MediaEvent::FirstSound);
    assert_eq!(tones(&rig, id), "T-");

    let (mut rig, invite, id) = dialing(json!({ "tones": true }));
    rig.receive(answer(&invite, 183, Some("v=0 theirs\r\n")));
    rig.media_event(id, MediaEvent::FirstSound);
    rig.receive(answer(&invite, 180, None));
    assert_eq!(tones(&rig, id), "");
}

#[test]
fn ringback_ends_with_the_call_and_can_be_left_away() {
    let (mut rig, invite, id) = dialing(json!({ "tones": true }));
    rig.receive(answer(&invite, 180, None));
    rig.receive(answer(&invite, 486, None));
    // Media is closed, which silences it, and takes no order after that.
    assert_eq!(tones(&rig, id), "T");
    assert_eq!(rig.media.last().unwrap().1, MediaCommand::Close);

    let (mut rig, invite, id) = dialing(json!({ "tones": { "ringback": false } }));
    rig.receive(answer(&invite, 180, None));
    assert_eq!(tones(&rig, id), "");
}

#[test]
fn a_conference_has_the_tone_of_a_waiting_call_where_it_is_heard() {
    let audio = json!({ "output": "headset", "ring": "speaker" });
    let mut rig = Rig::registered(alice_with(json!({ "tones": "us", "audio": audio })));
    let mut sessions = Vec::new();
    for call_id in ["c1", "c2"] {
        let (mut caller, id) = call(&mut rig, call_id, &[]);
        take(&mut rig, &mut caller, id);
        sessions.push(id);
    }
    rig.command(json!({ "type": "confer", "sessions": sessions }));
    let before = sessions
        .iter()
        .map(|id| tones(&rig, *id))
        .collect::<Vec<_>>();
    let (_, third) = call(&mut rig, "c3", &[]);
    let ring = rig.ringing.clone().unwrap();
    assert_eq!(
        ring.output,
        Output::Device {
            id: "headset".into()
        }
    );
    let RingSound::Cadence(cadence) = ring.sound else {
        panic!("{ring:?}");
    };
    assert_eq!(cadence.beats[0].frequencies, [440.0]);
    let after = sessions
        .iter()
        .map(|id| tones(&rig, *id))
        .collect::<Vec<_>>();
    assert_eq!(before, after);
    rig.done(json!({ "type": "reject", "id": third }));
    assert!(rig.ringing.is_none());
}
