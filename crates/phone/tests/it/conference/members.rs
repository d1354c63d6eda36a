//! Who takes part in a conference, and who is heard in it.

use phone::audio::Processing;
use phone::conference::HostOrder;
use phone::{MediaCommand, MediaEvent, SessionId, SoundCommand, StreamCommand, audio};
use serde_json::json;
use sip::message::Method;

use super::{ID, Room, host_event, lose_device, seated};
use crate::harness::{Media, answer, code};

#[test]
fn sessions_in_a_conference_hear_it_and_no_device_of_their_own() {
    let mut room = Room::with(
        2,
        json!({ "audio": { "input": { "type": "default" }, "output": { "type": "none" } } }),
    );
    assert_eq!(room.news(), ["started", "joined 0", "joined 1"]);
    for index in 0..2 {
        assert_eq!(room.input(index), seated());
        assert_eq!(room.output(index), audio::Output::None);
        assert_eq!(room.voice(index), 100);
    }
    assert_eq!(
        room.seat(),
        [HostOrder::Open {
            input: audio::Input::Default,
            output: audio::Output::None,
        }]
    );
    let reply = room.rig.reply(room.ticket).unwrap().as_ref().unwrap();
    let reply = serde_json::to_value(reply).unwrap();
    assert_eq!(reply, json!({ "conference": ID }));
    assert!(room.rig.is_silent(), "nobody outside notices");
}

#[test]
fn a_conference_may_begin_empty_and_outlives_its_last_member() {
    let mut room = Room::of(0);
    assert_eq!(room.news(), ["started"]);
    let session = room.call();
    room.members.push(session);
    room.asked(json!({ "type": "add", "session": session }));
    room.asked(json!({ "type": "add", "session": session }));
    let bye = room.callers[0].bye(&[]);
    room.rig.receive(bye);
    assert_eq!(room.news(), ["started", "joined 0", "left 0"]);
    room.asked(json!({ "type": "setLevels", "wanted": true }));
    room.asked(json!({ "type": "end" }));
    assert_eq!(room.seat().last(), Some(&HostOrder::Close));
    assert_eq!(room.news().last().unwrap(), "ended");
    let refused = room.ask(json!({ "type": "mute", "muted": true }));
    assert_eq!(code(&room.rig.error(refused)), "ERR_CONFERENCE_ENDED");
}

#[test]
fn a_session_is_in_one_conference_at_a_time_and_must_exist() {
    let mut room = Room::of(1);
    let member = room.members[0];
    let code = room
        .rig
        .refused(json!({ "type": "confer", "sessions": [member] }));
    assert_eq!(code, "ERR_SESSION_STATE");
    let nobody = SessionId::from_random(7);
    let code = room
        .rig
        .refused(json!({ "type": "confer", "sessions": [nobody] }));
    assert_eq!(code, "ERR_SESSION_NOT_FOUND");
    assert_eq!(room.news(), ["started", "joined 0"]);
}

#[test]
fn a_removed_session_goes_on_alone_with_what_was_chosen_for_it_meanwhile() {
    let mut room = Room::of(2);
    let tone = json!({ "type": "tone", "frequency": 440, "level": -20 });
    let member = room.members[0];
    room.rig
        .done(json!({ "type": "setInput", "id": member, "input": tone }));
    assert_eq!(room.input(0), seated(), "not before it goes on alone");
    room.asked(json!({ "type": "remove", "session": member }));
    assert!(matches!(room.input(0), audio::Input::Tone { .. }));
    assert_eq!(room.input(1), seated());
    assert_eq!(room.news().last().unwrap(), "left 0");
    room.asked(json!({ "type": "remove", "session": member }));
    assert_eq!(room.rig.count("terminated"), 0);
}

#[test]
fn the_phones_default_devices_are_the_conferences_and_not_its_members() {
    let mut room = Room::of(1);
    room.clear();
    room.rig
        .done(json!({ "type": "setAudioDevice", "input": { "type": "device", "id": "usb" } }));
    room.rig.done(json!({ "type": "setVolume", "volume": 50 }));
    let input = audio::Input::Device { id: "usb".into() };
    assert_eq!(
        room.seat(),
        [
            HostOrder::SetInput {
                input: input.clone()
            },
            HostOrder::SetVolume { percent: 50 }
        ]
    );
    assert_eq!(room.input(0), seated());
    let member = room.members[0];
    room.asked(json!({ "type": "remove", "session": member }));
    assert_eq!(room.input(0), input);
    let own = json!({ "type": "none" });
    room.asked(json!({ "type": "setInput", "input": own }));
    room.clear();
    room.rig
        .done(json!({ "type": "setAudioDevice", "input": { "type": "default" } }));
    assert_eq!(room.seat(), [], "it has an input of its own now");
}

#[test]
fn a_muted_member_is_not_heard_and_a_muted_session_does_not_hear_this_machine() {
    let mut room = Room::of(2);
    let first = room.members[0];
    room.clear();
    let mute = |muted: bool| json!({ "type": "mute", "session": first, "muted": muted });
    room.asked(mute(true));
    room.asked(mute(true));
    assert_eq!([room.voice(0), room.voice(1)], [0, 100]);
    room.asked(mute(false));
    assert_eq!(room.voice(0), 100);
    assert_eq!(room.news(), ["muted 0 true", "muted 0 false"]);

    room.rig.media.clear();
    room.rig
        .done(json!({ "type": "mute", "id": first, "muted": true }));
    let host = |command: &MediaCommand| match command {
        MediaCommand::Sound(SoundCommand::SetHearing { host }) => Some(*host),
        _ => None,
    };
    assert_eq!(room.last(first, host), Some(false));
    assert!(room.rig.media_named("mute").is_empty());
    assert_eq!(room.rig.changes("muted"), [true]);
    room.asked(json!({ "type": "remove", "session": first }));
    assert_eq!(room.last(first, host), Some(true));
    let muted = MediaCommand::Stream(StreamCommand::Mute { muted: true });
    assert_eq!(room.rig.media_named("mute"), [&muted]);

    room.asked(json!({ "type": "add", "session": first }));
    assert_eq!(room.last(first, host), Some(false));
    assert_eq!(
        room.rig.media_named("mute").len(),
        2,
        "the engine sends again"
    );
}

#[test]
fn this_machine_is_muted_for_all() {
    let mut room = Room::of(1);
    room.clear();
    room.asked(json!({ "type": "mute", "muted": true }));
    room.asked(json!({ "type": "mute", "muted": true }));
    room.asked(json!({ "type": "mute", "muted": false }));
    let orders = [true, false].map(|muted| HostOrder::Mute { muted });
    assert_eq!(room.seat(), orders);
    assert_eq!(room.news(), ["muted true", "muted false"]);
    let stranger = json!({ "type": "mute", "session": SessionId::from_random(7), "muted": true });
    let refused = room.ask(stranger);
    assert_eq!(code(&room.rig.error(refused)), "ERR_SESSION_STATE");
}

#[test]
fn this_machine_has_its_microphone_processed_as_the_conference_says_and_else_as_the_phone_does() {
    let mut room = Room::of(1);
    room.clear();
    let set = |processing| json!({ "type": "setProcessing", "processing": processing });
    room.asked(set(json!({ "noiseSuppression": false })));
    let of_phone = json!({ "echoCancellation": true, "noiseSuppression": true });
    let member = room.members[0];
    room.rig
        .done(json!({ "type": "setAudioProcessing", "processing": of_phone }));
    room.asked(set(json!({ "autoGainControl": true })));
    let other = json!({ "autoGainControl": false });
    room.rig
        .done(json!({ "type": "setAudioProcessing", "id": member, "processing": other }));
    let order = |echo, gain| HostOrder::SetProcessing {
        processing: Processing {
            echo_cancellation: echo,
            noise_suppression: Some(false),
            auto_gain_control: gain,
        },
    };
    let on = Some(true);
    assert_eq!(
        room.seat(),
        [order(None, None), order(on, None), order(on, on)]
    );
}

#[test]
fn ending_it_hangs_up_on_everybody_before_it_is_done() {
    let mut room = Room::of(2);
    room.clear();
    room.rig.order.clear();
    let ended = room.ask(json!({ "type": "end" }));
    room.assert_done(ended, "end");
    assert_eq!(room.rig.count("sessionEnded"), 2);
    assert_eq!(room.news(), ["left 0", "left 1", "ended"]);
    let done = room.rig.place(&format!("reply {}", ended.0));
    assert_eq!(done, room.rig.order.len() - 1, "{:?}", room.rig.order);
    for _ in 0..2 {
        room.rig.request(&Method::Bye);
    }
}

/// Guarantee 5.
#[test]
fn a_member_that_is_handed_on_has_left_before_its_transfer_is_done() {
    let mut room = Room::of(2);
    room.clear();
    let member = room.members[1];
    let ticket = room
        .rig
        .command(json!({ "type": "transfer", "id": member, "target": "carol" }));
    let refer = room.rig.request(&Method::Refer);
    room.rig.receive(answer(&refer, 202, None));
    let (kind, done) = ("message/sipfrag;version=2.0", "SIP/2.0 200 OK");
    let told = room.callers[1].notify("refer", "terminated;reason=noresource", kind, done);
    room.rig.order.clear();
    room.rig.receive(told);
    room.assert_done(ticket, "transfer");
    assert_eq!(room.news(), ["left 1"]);
    let settled = room.rig.place(&format!("reply {}", ticket.0));
    assert!(
        room.rig.place("conference") < settled,
        "{:?}",
        room.rig.order
    );
}

#[test]
fn destroying_the_phone_ends_it() {
    let mut room = Room::of(1);
    room.clear();
    room.rig.command(json!({ "type": "destroy" }));
    assert_eq!(room.news(), ["left 0", "ended"]);
}

#[test]
fn a_call_that_is_placed_joins_when_it_is_answered() {
    let mut room = Room::of(1);
    room.rig
        .command(json!({ "type": "call", "target": "+15551234567" }));
    let invite = room.rig.request(&Method::Invite);
    let dialled = room.rig.id_of("sessionStarted");
    room.members.push(dialled);
    let added = room.ask(json!({ "type": "add", "session": dialled }));
    assert_eq!(room.rig.reply(added), None);
    assert_ne!(room.input(1), seated(), "what it rings with is not for all");
    room.rig.media_mode = Media::Manual;
    room.rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    assert_eq!(
        room.rig.reply(added),
        None,
        "nobody knows of the answer yet"
    );
    room.rig.order.clear();
    room.rig.media_event(dialled, MediaEvent::AnswerApplied);
    room.assert_done(added, "add");
    let settled = room.rig.place(&format!("reply {}", added.0));
    assert!(room.rig.place("answered") < settled);
    assert_eq!(room.input(1), seated());
    assert_eq!(room.news().last().unwrap(), "joined 1");
}

#[test]
fn a_call_that_is_not_answered_never_joins_and_that_is_told() {
    let mut room = Room::of(1);
    for ended in [true, false] {
        room.rig
            .command(json!({ "type": "call", "target": "carol" }));
        let invite = room.rig.request(&Method::Invite);
        let dialled = room.rig.id_of("sessionStarted");
        let added = room.ask(json!({ "type": "add", "session": dialled }));
        let expected = match ended {
            true => {
                room.rig.receive(answer(&invite, 486, None));
                room.rig.request(&Method::Ack);
                "ERR_SESSION_ENDED"
            }
            false => {
                room.asked(json!({ "type": "remove", "session": dialled }));
                "ERR_ABORTED"
            }
        };
        assert_eq!(code(&room.rig.error(added)), expected);
    }
    assert_eq!(room.news(), ["started", "joined 0"]);
}

#[test]
fn a_call_whose_joining_was_given_up_goes_on_alone() {
    let mut room = Room::of(1);
    room.rig
        .command(json!({ "type": "call", "target": "carol" }));
    let invite = room.rig.request(&Method::Invite);
    let dialled = room.rig.id_of("sessionStarted");
    let added = room.ask(json!({ "type": "add", "session": dialled }));
    room.rig.done(json!({ "type": "abort", "ticket": added }));
    assert_eq!(code(&room.rig.error(added)), "ERR_ABORTED");
    room.rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    assert_eq!(room.news(), ["started", "joined 0"]);
    room.asked(json!({ "type": "add", "session": dialled }));
    assert_eq!(room.news().last().unwrap(), "joined another");
}

#[test]
fn lost_devices_are_told_of_the_conference() {
    let mut room = Room::of(0);
    lose_device(&mut room, ID);
    let told = room.rig.last("conference");
    assert_eq!(told["news"]["type"], "warning");
    assert_eq!(told["news"]["text"], "Input device: unplugged");
    room.asked(json!({ "type": "end" }));
    room.clear();
    lose_device(&mut room, ID);
    assert!(room.news().is_empty(), "nobody has it any more");
}

#[test]
fn a_warning_of_devices_is_cleared_when_all_of_the_conference_are_open_again() {
    use phone::audio::Device;
    use phone::conference::HostEvent;
    let mut room = Room::of(0);
    let opened = |device| HostEvent::DeviceOpened { device };
    host_event(&mut room, ID, opened(Device::Input));
    room.clear();
    lose_device(&mut room, ID);
    let stand_in = phone::media::StandIn {
        chosen: "alsa:headset".into(),
        in_use: "Loudspeaker".into(),
        reason: "there is no such device".into(),
    };
    let device = Device::Output;
    host_event(
        &mut room,
        ID,
        HostEvent::DeviceReplaced { device, stand_in },
    );
    let warning = room.rig.last("conference")["news"].clone();
    assert_eq!(warning["chosen"], "alsa:headset");
    assert_eq!(warning["inUse"], "Loudspeaker");
    host_event(&mut room, ID, opened(Device::Output));
    assert_eq!(
        room.news(),
        ["warning", "warning"],
        "the input is in trouble"
    );
    host_event(&mut room, ID, opened(Device::Input));
    host_event(&mut room, ID, opened(Device::Input));
    assert_eq!(room.news(), ["warning", "warning", "warningCleared"]);
}

#[test]
fn what_fails_before_the_application_has_its_conference_is_told_after() {
    let mut room = Room::of(0);
    let session = room.call();
    room.rig
        .command(json!({ "type": "hold", "id": session, "held": true }));
    room.agree(1);
    room.rig.order.clear();
    let made = room
        .rig
        .command(json!({ "type": "confer", "sessions": [session] }));
    lose_device(&mut room, 2);
    let device = phone::audio::Device::Input;
    let opened = phone::conference::HostEvent::DeviceOpened { device };
    host_event(&mut room, 2, opened);
    assert_eq!(room.rig.reply(made), None);
    room.agree(1);
    room.assert_done(made, "confer");
    let news = room.news();
    assert!(
        news.ends_with(&["warning".into(), "warningCleared".into()]),
        "{news:?}"
    );
    let reply = room.rig.place(&format!("reply {}", made.0));
    let mut entries = room.rig.order.iter();
    let warning = entries.rposition(|entry| entry == "conference").unwrap();
    assert!(warning > reply, "{:?}", room.rig.order);
}

#[test]
fn nobody_waits_for_ever_where_a_member_ends_while_it_is_asked() {
    let mut room = Room::of(2);
    room.rig.media_mode = Media::Manual;
    let held = room.ask(json!({ "type": "hold", "held": true }));
    for index in 0..2 {
        assert_eq!(room.rig.reply(held), None);
        let bye = room.callers[index].bye(&[]);
        room.rig.receive(bye);
    }
    room.assert_done(held, "hold");
    assert_eq!(
        room.news(),
        [
            "started",
            "joined 0",
            "joined 1",
            "held true",
            "left 0",
            "left 1"
        ]
    );
}

#[test]
fn ending_it_also_cancels_a_call_that_was_still_to_join() {
    let mut room = Room::of(0);
    room.rig
        .command(json!({ "type": "call", "target": "carol" }));
    let invite = room.rig.request(&Method::Invite);
    room.rig.receive(answer(&invite, 180, None));
    let dialled = room.rig.id_of("sessionStarted");
    let added = room.ask(json!({ "type": "add", "session": dialled }));
    room.asked(json!({ "type": "end" }));
    room.rig.request(&Method::Cancel);
    room.rig.assert_ended_once("cancel", "local");
    assert_eq!(code(&room.rig.error(added)), "ERR_SESSION_ENDED");
    assert_eq!(room.news(), ["started", "ended"]);
}

#[test]
fn whom_a_member_hands_us_on_to_comes_in_its_place() {
    let mut room = Room::with(1, json!({ "holdOthers": true }));
    let headers = [("Refer-To", "<sip:carol@example.com>")];
    let refer = room.callers[0].request("REFER", &headers, None);
    room.rig.receive(refer);
    room.rig.response(202);
    room.rig.request(&Method::Notify);
    let member = room.members[0];
    room.rig
        .command(json!({ "type": "acceptTransfer", "id": member }));
    let invite = room.rig.request(&Method::Invite);
    let new = room.rig.id_of("sessionStarted");
    room.members.push(new);
    assert!(!room.hears_music(0), "the conference is not held for it");
    room.rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    assert_eq!(room.input(1), seated());
    assert_eq!(room.news(), ["started", "joined 0", "joined 1"]);
}

#[test]
fn whom_a_member_hands_us_on_to_is_as_closed_as_the_member() {
    let mut room = Room::of(1);
    let member = room.members[0];
    let mute = json!({ "type": "mute", "session": member, "muted": true });
    room.asked(mute);
    let hold = json!({ "type": "hold", "id": member, "held": true });
    room.rig.command(hold);
    room.agree(1);
    room.clear();
    room.rig.media.clear();
    let headers = [("Refer-To", "<sip:carol@example.com>")];
    let refer = room.callers[0].request("REFER", &headers, None);
    room.rig.receive(refer);
    room.rig.response(202);
    room.rig.request(&Method::Notify);
    let follow = json!({ "type": "acceptTransfer", "id": member });
    room.rig.command(follow);
    let invite = room.rig.request(&Method::Invite);
    let new = room.rig.id_of("sessionStarted");
    room.members.push(new);
    room.rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    assert_eq!(room.news(), ["joined 1", "muted 1 true"]);
    assert!(room.hears_music(1));
    assert_eq!(room.voice(1), 0);
    assert!(room.rig.media_named("resume").is_empty());
    assert!(room.rig.media_named("reoffer").is_empty());
}
