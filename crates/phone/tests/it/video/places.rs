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
