//! What hold means for all of a conference, and for who is beside it.

use std::time::Duration;

use phone::conference::HostOrder;
use phone::{MediaCommand, MediaEvent, SessionId, SoundCommand, audio};
use serde_json::{Value, json};
use sip::message::Method;

use super::{ID, Room, seated};
use crate::harness::{Caller, Pair, answer, code};

#[test]
fn the_whole_is_put_on_hold_at_once_and_done_when_all_phones_have_agreed() {
    let mut room = Room::of(2);
    room.clear();
    let music = json!({ "type": "wav", "path": "waltz.wav", "repeat": true });
    let held = room.ask(json!({ "type": "hold", "held": true, "music": music }));
    assert_eq!(room.seat(), [HostOrder::Hold { held: true }]);
    assert_eq!(room.news(), ["held true"]);
    for index in 0..2 {
        assert!(room.hears_music(index));
        assert_eq!(room.voice(index), 0);
    }
    assert_eq!(room.rig.reply(held), None);
    room.agree(2);
    room.assert_done(held, "hold");
    assert_eq!(room.rig.changes("held"), [true, true]);
    room.asked(json!({ "type": "hold", "held": true }));

    let resumed = room.ask(json!({ "type": "hold", "held": false }));
    assert_eq!(room.seat(), [HostOrder::Hold { held: false }]);
    assert_eq!(room.rig.reply(resumed), None);
    room.agree(2);
    room.assert_done(resumed, "resume");
    for index in 0..2 {
        assert!(!room.hears_music(index));
        assert_eq!(room.voice(index), 100);
    }
    assert_eq!(room.news(), ["held true", "held false"]);
}

#[test]
fn who_does_not_agree_to_be_held_hears_music_and_is_not_heard_all_the_same() {
    let mut room = Room::of(1);
    let held = room.ask(json!({ "type": "hold", "held": true }));
    let reinvite = room.rig.request(&Method::Invite);
    room.rig.receive(answer(&reinvite, 488, None));
    room.rig.request(&Method::Ack);
    room.assert_done(held, "hold");
    assert!(room.hears_music(0));
    assert_eq!(room.voice(0), 0);
    room.asked(json!({ "type": "hold", "held": false }));
    assert!(!room.hears_music(0));
    assert_eq!(room.voice(0), 100);
}

#[test]
fn a_member_that_does_not_answer_keeps_nobody_waiting_for_more_than_ten_seconds() {
    let mut room = Room::of(2);
    let held = room.ask(json!({ "type": "hold", "held": true }));
    let [first, _second] = [0, 1].map(|_| room.rig.request(&Method::Invite));
    room.rig
        .receive(answer(&first, 200, Some("v=0 agreed\r\n")));
    room.rig.request(&Method::Ack);
    room.rig.seconds(9);
    assert_eq!(room.rig.reply(held), None);
    room.rig.seconds(1);
    room.assert_done(held, "hold");
    for index in 0..2 {
        assert!(room.hears_music(index), "held they are in any case");
        assert_eq!(room.voice(index), 0);
    }
    let resumed = room.ask(json!({ "type": "hold", "held": false }));
    room.agree(1);
    room.rig.seconds(10);
    assert!(room.rig.reply(resumed).is_some());
    assert!(!room.hears_music(0) && !room.hears_music(1));
}

#[test]
fn who_does_not_agree_to_be_resumed_stays_on_hold_and_that_is_told() {
    let mut room = Room::of(2);
    room.ask(json!({ "type": "hold", "held": true }));
    room.agree(2);
    let resumed = room.ask(json!({ "type": "hold", "held": false }));
    let [first, second] = [(); 2].map(|()| room.rig.request(&Method::Invite));
    room.rig.receive(answer(&first, 488, None));
    room.rig.receive(answer(&second, 200, Some("v=0\r\n")));
    let error = room.rig.error(resumed);
    assert_eq!(code(&error), "ERR_HOLD_FAILED");
    assert_eq!(error.sip.unwrap().code, 488);
    assert_eq!([room.hears_music(0), room.hears_music(1)], [true, false]);
    assert_eq!([room.voice(0), room.voice(1)], [0, 100]);
}

#[test]
fn a_member_on_hold_by_itself_stays_there_when_the_whole_is_resumed() {
    let mut room = Room::of(2);
    let first = room.members[0];
    room.rig
        .command(json!({ "type": "hold", "id": first, "held": true }));
    room.agree(1);
    assert_eq!([room.voice(0), room.voice(1)], [0, 100]);
    room.ask(json!({ "type": "hold", "held": true }));
    room.agree(1);
    let resumed = room.ask(json!({ "type": "hold", "held": false }));
    room.agree(1);
    room.assert_done(resumed, "resume");
    assert_eq!([room.hears_music(0), room.hears_music(1)], [true, false]);
    let back = room
        .rig
        .command(json!({ "type": "hold", "id": first, "held": false }));
    room.agree(1);
    room.assert_done(back, "resume of one");
    assert_eq!([room.voice(0), room.voice(1)], [100, 100]);
}

#[test]
fn a_member_of_a_conference_on_hold_is_resumed_with_all_of_it() {
    let mut room = Room::of(2);
    room.ask(json!({ "type": "hold", "held": true }));
    room.agree(2);
    let first = room.members[0];
    let resumed = room
        .rig
        .command(json!({ "type": "hold", "id": first, "held": false }));
    assert_eq!(room.news().last().unwrap(), "held false");
    room.agree(2);
    room.assert_done(resumed, "resume");
    assert_eq!([room.voice(0), room.voice(1)], [100, 100]);
}

#[test]
fn the_music_of_a_member_that_holds_us_is_not_for_the_others() {
    let mut room = Room::of(2);
    let first = room.members[0];
    room.rig
        .media_event(first, MediaEvent::RemoteHold { held: true });
    assert_eq!([room.voice(0), room.voice(1)], [0, 100]);
    assert_eq!(room.rig.changes("remoteHeld"), [true]);
    room.rig
        .media_event(first, MediaEvent::RemoteHold { held: false });
    assert_eq!(room.voice(0), 100);
}

#[test]
fn who_joins_while_it_holds_us_is_not_heard_from_the_start() {
    let mut room = Room::of(0);
    let session = room.call();
    room.members.push(session);
    room.rig
        .media_event(session, MediaEvent::RemoteHold { held: true });
    room.rig.order.clear();
    room.asked(json!({ "type": "add", "session": session }));
    assert_eq!(room.voice(0), 0);
    assert!(room.rig.place("media setVoice") < room.rig.place("media setInput"));
}

#[test]
fn dissolving_it_leaves_each_alone_and_on_hold() {
    let mut room = Room::of(2);
    room.clear();
    let dissolved = room.ask(json!({ "type": "dissolve" }));
    assert_eq!(room.news(), ["held true", "left 0", "left 1", "ended"]);
    assert_eq!(room.seat().last(), Some(&HostOrder::Close));
    assert_eq!(room.rig.reply(dissolved), None);
    for index in 0..2 {
        assert!(room.hears_music(index));
        assert_eq!(room.input(index), audio::Input::None);
    }
    room.agree(2);
    room.assert_done(dissolved, "dissolve");
    let first = room.members[0];
    room.rig
        .command(json!({ "type": "hold", "id": first, "held": false }));
    room.agree(1);
    assert_eq!([room.hears_music(0), room.hears_music(1)], [false, true]);
}

/// Two parts of an application may end it at once.
#[test]
fn ending_or_dissolving_it_again_does_nothing() {
    let mut room = Room::of(1);
    room.asked(json!({ "type": "end" }));
    room.clear();
    room.asked(json!({ "type": "end" }));
    room.asked(json!({ "type": "dissolve" }));
    assert!(room.news().is_empty() && room.seat().is_empty());
    let never = json!({ "type": "conference", "id": 9, "request": { "type": "end" } });
    assert_eq!(room.rig.refused(never), "ERR_CONFERENCE_ENDED");
}

#[test]
fn a_session_on_hold_is_taken_off_it_and_one_that_joins_a_conference_on_hold_is_held() {
    let mut room = Room::of(1);
    let session = room.call();
    room.members.push(session);
    room.rig
        .command(json!({ "type": "hold", "id": session, "held": true }));
    room.agree(1);
    let added = room.ask(json!({ "type": "add", "session": session }));
    assert_eq!(room.rig.reply(added), None);
    assert_eq!(room.voice(1), 0, "its own music is not for the others");
    room.agree(1);
    room.assert_done(added, "add");
    assert_eq!(room.voice(1), 100);

    room.ask(json!({ "type": "hold", "held": true }));
    room.agree(2);
    let late = room.call();
    room.members.push(late);
    room.ask(json!({ "type": "add", "session": late }));
    assert!(room.hears_music(2));
    assert_eq!(room.voice(2), 0);
    room.agree(1);
}

#[test]
fn a_conference_is_one_party_where_one_is_heard_at_a_time() {
    let mut room = Room::with(2, json!({ "holdOthers": true }));
    // Accepting the second call has held the first, which the conference takes off again.
    room.agree(1);
    room.agree(1);
    room.assert_done(room.ticket, "confer");
    assert_eq!([room.hears_music(0), room.hears_music(1)], [false, false]);
    room.clear();

    let other = room.call();
    assert_eq!(room.news(), ["held true"]);
    room.agree(2);
    let first = room.members[0];
    room.rig
        .command(json!({ "type": "hold", "id": first, "held": false }));
    assert_eq!(room.news(), ["held true", "held false"]);
    room.agree(3);
    room.members.push(other);
    assert!(room.hears_music(2), "the other call makes way");
    assert_eq!([room.hears_music(0), room.hears_music(1)], [false, false]);
    assert_eq!(room.rig.unsettled(), Vec::<u64>::new());
}

#[test]
fn the_call_for_which_a_conference_made_way_brings_it_back_when_it_joins() {
    let mut room = Room::with(1, json!({ "holdOthers": true }));
    let other = room.call();
    room.members.push(other);
    room.agree(1);
    assert!(room.hears_music(0));
    let added = room.ask(json!({ "type": "add", "session": other }));
    room.agree(1);
    room.assert_done(added, "add");
    assert_eq!([room.voice(0), room.voice(1)], [100, 100]);
    assert_eq!([room.hears_music(0), room.hears_music(1)], [false, false]);
}

#[test]
fn who_replaces_a_member_takes_its_seat_and_nobody_is_held_for_it() {
    let mut pair = Pair::with_carol(json!({ "holdOthers": true }));
    pair.command(1, json!({ "type": "call", "target": "alice" }));
    let old = pair.rigs[0].id_of("pendingSession");
    pair.command(0, json!({ "type": "accept", "id": old }));
    pair.advance(Duration::from_secs(1));
    pair.command(0, json!({ "type": "confer", "sessions": [old] }));
    let mute = json!({ "type": "mute", "session": old, "muted": true });
    pair.command(
        0,
        json!({ "type": "conference", "id": ID, "request": mute }),
    );
    pair.rigs[0].events.clear();

    // Bob consults Carol, and connects her with Alice.
    pair.command(1, json!({ "type": "call", "target": "carol" }));
    let consultation = pair.rigs[1].id_of("sessionStarted");
    let carols = pair.rigs[2].id_of("pendingSession");
    pair.command(2, json!({ "type": "accept", "id": carols }));
    pair.advance(Duration::from_secs(1));
    let bobs: Vec<SessionId> = pair.rigs[1]
        .events
        .iter()
        .filter_map(|event| match event {
            phone::Event::SessionStarted { session } => Some(session.id),
            _ => None,
        })
        .collect();
    let to_alice = bobs[0];
    assert_ne!(to_alice, consultation);
    pair.command(
        1,
        json!({ "type": "attendedTransfer", "id": consultation, "other": to_alice }),
    );
    let asked = pair.rigs[2].id_of("transferRequested");
    pair.command(2, json!({ "type": "acceptTransfer", "id": asked }));
    pair.advance(Duration::from_secs(1));

    let alice = &pair.rigs[0];
    let new = alice.id_of("sessionStarted");
    assert_ne!(new, old);
    let news: Vec<Value> = alice
        .events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .filter(|event| event["type"] == "conference")
        .map(|event| event["news"].clone())
        .collect();
    assert_eq!(
        news,
        [
            json!({ "type": "left", "session": old }),
            json!({ "type": "joined", "session": new }),
            json!({ "type": "muted", "session": new, "muted": true }),
        ]
    );
    let orders = alice.media.iter().filter(|(id, _)| *id == new);
    let mut inputs = orders.filter_map(|(_, command)| match command {
        MediaCommand::Sound(SoundCommand::SetInput { input }) => Some(input.clone()),
        _ => None,
    });
    assert_eq!(inputs.next_back(), Some(seated()));
    let voice = MediaCommand::Sound(SoundCommand::SetVoice { percent: 0 });
    assert!(alice.media.contains(&(new, voice)));
    assert_eq!(alice.count("terminated"), 1);
}

#[test]
fn who_goes_on_alone_is_the_call_to_be_heard() {
    let mut room = Room::with(2, json!({ "holdOthers": true }));
    room.agree(1);
    room.agree(1);
    room.clear();
    let first = room.members[0];
    room.asked(json!({ "type": "remove", "session": first }));
    assert_eq!(room.news(), ["left 0", "held true"]);
    assert_eq!([room.hears_music(0), room.hears_music(1)], [false, true]);
    room.agree(1);
}

/// BroadWorks asks a phone by `NOTIFY` to take its call off hold.
fn talk(room: &mut Room, code: u16) {
    let talk = room.callers[0].request("NOTIFY", &[("Event", "talk")], None);
    room.rig.receive(talk);
    room.rig.response(code);
}

#[test]
fn a_member_that_the_platform_takes_off_hold_comes_back_with_all_of_it() {
    let mut room = Room::with(2, json!({ "autoAnswer": "headers", "holdOthers": true }));
    room.agree(1);
    room.agree(1);
    room.clear();
    // It makes way for another call.
    let other = room.call();
    room.agree(2);
    room.clear();
    talk(&mut room, 200);
    assert_eq!(room.news(), ["held false"]);
    room.agree(3);
    room.members.push(other);
    assert_eq!(
        [0, 1, 2].map(|who| room.hears_music(who)),
        [false, false, true]
    );
}

#[test]
fn a_conference_that_its_user_put_on_hold_is_resumed_by_nobody_else() {
    let mut room = Room::with(2, json!({ "autoAnswer": "headers" }));
    let held = room.ask(json!({ "type": "hold", "held": true }));
    room.agree(2);
    room.assert_done(held, "hold");
    room.clear();
    talk(&mut room, 403);
    assert_eq!(room.news(), [""; 0]);
    assert_eq!([room.hears_music(0), room.hears_music(1)], [true, true]);
}

/// The conference of Alice with Bob makes way for Dave, and Carol takes Bob's place in it.
#[test]
fn who_replaces_a_member_does_not_bring_the_conference_back() {
    let mut room = Room::with(1, json!({ "holdOthers": true }));
    let dave = room.call();
    room.agree(1);
    room.clear();
    room.rig.media.clear();
    let mut carol = Caller::new("carol").from("<sip:carol@example.com>");
    let by_bob = [("Referred-By", "<sip:bob@example.com>")];
    let invite = room.callers[0].replaced_by(&mut carol, "", &by_bob);
    room.rig.receive(invite);
    let carols = room.rig.last("sessionStarted")["session"].clone();
    assert_eq!(carols["held"], true);
    assert_eq!(room.news(), ["left 0", "joined another"]);
    assert!(room.seat().is_empty(), "{:?}", room.seat());
    let of_dave = room.rig.media.iter().filter(|(id, _)| *id == dave);
    assert_eq!(of_dave.count(), 0, "the talk with Dave goes on");
}

#[test]
fn who_replaces_a_member_on_hold_is_on_hold() {
    let mut room = Room::of(2);
    let first = room.members[0];
    room.rig
        .command(json!({ "type": "hold", "id": first, "held": true }));
    room.agree(1);
    room.clear();
    let mut carol = Caller::new("carol").from("<sip:carol@example.com>");
    let by_bob = [("Referred-By", "<sip:bob@example.com>")];
    let invite = room.callers[0].replaced_by(&mut carol, "", &by_bob);
    room.rig.receive(invite);
    let carols = room.rig.last("sessionStarted")["session"].clone();
    assert_eq!(carols["held"], true);
    room.members[0] = room.rig.id_of("sessionStarted");
    assert!(room.hears_music(0));
    assert_eq!(room.voice(0), 0);
    room.ask(json!({ "type": "hold", "held": true }));
    room.ask(json!({ "type": "hold", "held": false }));
    assert!(room.hears_music(0), "it was on hold by itself");
}
