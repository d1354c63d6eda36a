//! Pictures of a call whose place another takes, and of one that follows a transfer.

use super::*;
use crate::harness::{Caller, alice};
use crate::hold::agree;

/// Alice in a call with Bob in which they see each other, her camera as it was begun.
fn seeing() -> (Rig, Caller, SessionId) {
    let (mut rig, bob, id) = Rig::talking(alice());
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    set_video(&mut rig, id, source(1));
    agree(&mut rig);
    rig.media.clear();
    rig.events.clear();
    rig.order.clear();
    (rig, bob, id)
}

/// Bob goes on at another of his phones.
fn replaced(rig: &mut Rig, bob: &Caller) -> (SessionId, Caller) {
    let mut other = Caller::new("c2");
    rig.receive(bob.replaced_by(&mut other, "", &[]));
    (rig.id_of("sessionStarted"), other)
}

#[test]
fn a_call_that_takes_anothers_place_shows_what_that_showed_once_it_is_over() {
    let (mut rig, bob, old) = seeing();
    let (new, _) = replaced(&mut rig, &bob);
    assert_ne!(new, old);
    assert_eq!(wished(&rig), ["Camera"]);
    assert_eq!(opened(&rig), [source(1)]);
    assert!(
        rig.place("media close") < rig.place("media setVideo"),
        "a source is opened once"
    );
    assert_eq!(rig.count("streamUnavailable"), 1);
}

#[test]
fn it_is_as_muted_as_the_one_before() {
    let (mut rig, bob, old) = seeing();
    rig.done(json!({ "type": "muteVideo", "id": old, "muted": true }));
    rig.media.clear();
    let (new, _) = replaced(&mut rig, &bob);
    assert_eq!(rig.last("sessionStarted")["session"]["videoMuted"], true);
    let muted: Vec<_> = rig.media.iter().filter(|(id, _)| *id == new).collect();
    let place = |name: &str| {
        let mut all = muted.iter();
        all.position(|(_, command)| media_json(command)["type"] == name)
    };
    assert!(place("muteVideo") < place("setVideo"), "{muted:?}");
}

/// A stranger takes Bob's place, and the answer waits for the application.
fn answering(rig: &mut Rig, bob: &Caller) -> SessionId {
    rig.listens = false;
    let mut other = Caller::new("c2").from("<sip:stranger@elsewhere.example>");
    rig.receive(bob.replaced_by(&mut other, "", &[]));
    let new = rig.id_of("pendingSession");
    rig.done(json!({ "type": "delivered", "id": new }));
    rig.done(json!({ "type": "accept", "id": new }));
    new
}

#[test]
fn what_is_chosen_for_it_before_its_answer_stays() {
    let (mut rig, bob, old) = seeing();
    let new = answering(&mut rig, &bob);
    set_video(&mut rig, new, source(2));
    let output = json!({ "type": "wav", "path": "new.wav" });
    rig.command(json!({ "type": "setOutput", "id": new, "output": output }));
    let input = json!({ "type": "wav", "path": "new-in.wav" });
    rig.command(json!({ "type": "setInput", "id": new, "input": input }));
    // The call before changes too, which is no matter of the new one any more.
    set_video(&mut rig, old, source(3));
    let before = json!({ "type": "wav", "path": "old.wav" });
    rig.command(json!({ "type": "setOutput", "id": old, "output": before }));
    let before = json!({ "type": "wav", "path": "old-in.wav" });
    rig.command(json!({ "type": "setInput", "id": old, "input": before }));
    rig.media.retain(|(id, _)| *id == new);
    rig.done(json!({ "type": "delivered", "id": new }));
    assert_eq!(rig.count("terminated"), 1);
    assert_eq!(opened(&rig), [source(2)]);
    let all = rig.media.iter().map(|(_, command)| media_json(command));
    let files: Vec<_> = all
        .filter(|command| command["type"] == "setOutput" || command["type"] == "setInput")
        .map(|command| {
            command["output"]["path"]
                .as_str()
                .or(command["input"]["path"].as_str())
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(files, ["new.wav", "new-in.wav"]);
}

#[test]
fn what_is_not_chosen_for_it_is_as_in_the_call_before_at_last() {
    let (mut rig, bob, old) = seeing();
    let new = answering(&mut rig, &bob);
    set_video(&mut rig, old, source(3));
    rig.media.retain(|(id, _)| *id == new);
    rig.done(json!({ "type": "delivered", "id": new }));
    assert_eq!(opened(&rig), [source(3)]);
}

#[test]
fn only_what_is_muted_after_the_choice_for_it_is_muted_in_it() {
    for (kind, property) in [("mute", "muted"), ("muteVideo", "videoMuted")] {
        for chosen_last in [true, false] {
            let (mut rig, bob, old) = seeing();
            let new = answering(&mut rig, &bob);
            let mute = json!({ "type": kind, "id": old, "muted": true });
            let choice = json!({ "type": kind, "id": new, "muted": false });
            for command in match chosen_last {
                true => [mute, choice],
                false => [choice, mute],
            } {
                rig.done(command);
            }
            rig.events.clear();
            rig.done(json!({ "type": "delivered", "id": new }));
            let expected = match chosen_last {
                true => vec![],
                false => vec![json!(true)],
            };
            assert_eq!(rig.changes(property), expected, "{kind}");
        }
    }
}

#[test]
fn one_without_video_brings_none() {
    let (mut rig, bob, _) = Rig::talking(alice());
    rig.media.clear();
    replaced(&mut rig, &bob);
    assert!(wished(&rig).is_empty() && opened(&rig).is_empty());
}

#[test]
fn a_transfer_that_is_followed_shows_what_it_is_given_as_muted_as_before() {
    let (mut rig, mut bob, old) = seeing();
    rig.done(json!({ "type": "muteVideo", "id": old, "muted": true }));
    rig.receive(bob.request("REFER", &[("Refer-To", "<sip:carol@example.com>")], None));
    rig.media.clear();
    let options = json!({ "video": source(2) });
    rig.command(json!({ "type": "acceptTransfer", "id": old, "options": options }));
    assert_eq!(rig.last("sessionStarted")["session"]["videoMuted"], true);
    assert_eq!(wished(&rig), ["Camera"]);
    assert_eq!(opened(&rig), [source(2)]);
    assert_eq!(rig.media_named("muteVideo").len(), 1);
}

#[test]
fn a_conference_leaves_what_each_member_sees() {
    let (mut rig, _, id) = seeing();
    rig.command(json!({ "type": "confer", "sessions": [id] }));
    assert!(wished(&rig).is_empty() && opened(&rig).is_empty());
    assert!(rig.media_named("muteVideo").is_empty());
    assert_eq!(rig.count("streamUnavailable"), 0);
}

#[test]
fn what_is_shown_without_a_connection_is_offered_over_the_next() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.down();
    let ticket = set_video(&mut rig, id, source(1));
    assert!(rig.is_silent() && rig.reply(ticket).is_none());
    rig.until_connect();
    rig.up();
    lines(&mut rig, id, json!([line(1, "camera", true, true)]));
    agree(&mut rig);
    assert!(is_settled(&rig, ticket));
    assert_eq!(wished(&rig), ["Camera"]);
}
