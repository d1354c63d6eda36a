//! Conferences: who takes part, who is heard, and what hold means for all of them.

use std::time::Duration;

use phone::conference::Order;
use phone::{ConferenceId, MediaCommand, MediaEvent, SessionId, Ticket, audio};
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Media, Pair, Rig, alice_with, answer, code};

/// Alice with calls of Bob and others, and their dialogs.
struct Room {
    rig: Rig,
    callers: Vec<Caller>,
    members: Vec<SessionId>,
    ticket: Ticket,
}

const ID: u64 = 1;

impl Room {
    fn of(count: usize) -> Self {
        Self::with(count, json!({}))
    }

    /// A conference of so many calls.
    fn with(count: usize, more: Value) -> Self {
        let mut room = Self {
            rig: Rig::registered(alice_with(more)),
            callers: Vec::new(),
            members: Vec::new(),
            ticket: Ticket(0),
        };
        let sessions: Vec<SessionId> = (0..count).map(|_| room.call()).collect();
        room.ticket = room
            .rig
            .command(json!({ "type": "confer", "sessions": sessions }));
        room.members = sessions;
        room
    }

    /// Somebody calls, and is answered.
    fn call(&mut self) -> SessionId {
        let mut caller = Caller::new(&format!("c{}", self.callers.len()));
        self.rig.receive(caller.invite(&[], Some("v=0 theirs\r\n")));
        caller.learn(&self.rig.beyond_trying(180));
        let id = self.rig.id_of("pendingSession");
        self.rig.done(json!({ "type": "accept", "id": id }));
        self.rig.response(200);
        self.rig.receive(caller.ack(None));
        self.callers.push(caller);
        id
    }

    fn ask(&mut self, request: Value) -> Ticket {
        self.rig
            .command(json!({ "type": "conference", "id": ID, "request": request }))
    }

    fn asked(&mut self, request: Value) {
        let shown = request.to_string();
        let ticket = self.ask(request);
        self.assert_done(ticket, &shown);
    }

    fn assert_done(&self, ticket: Ticket, what: &str) {
        let reply = self.rig.reply(ticket);
        assert!(matches!(reply, Some(Ok(_))), "{what}: {reply:?}");
    }

    /// Answers so many re-INVITEs, and says to which state they lead.
    fn agree(&mut self, count: usize) {
        for _ in 0..count {
            let reinvite = self.rig.request(&Method::Invite);
            self.rig
                .receive(answer(&reinvite, 200, Some("v=0 agreed\r\n")));
        }
        for _ in 0..count {
            self.rig.request(&Method::Ack);
        }
    }

    /// What was told of the conference, in order.
    fn news(&self) -> Vec<String> {
        let events = self.rig.events.iter();
        events
            .map(|event| serde_json::to_value(event).unwrap())
            .filter(|event| event["type"] == "conference")
            .map(|event| {
                let news = &event["news"];
                let who = news["session"].as_str().map(|id| {
                    let known = self.members.iter().position(|m| m.to_string() == id);
                    known.map_or("another".to_owned(), |index| index.to_string())
                });
                let state = news["held"].as_bool().or(news["muted"].as_bool());
                [
                    news["type"].as_str().map(str::to_owned),
                    who,
                    state.map(|state| state.to_string()),
                ]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" ")
            })
            .collect()
    }

    /// What a session's media were ordered last, of those that this picks.
    fn last<T>(&self, id: SessionId, pick: impl Fn(&MediaCommand) -> Option<T>) -> Option<T> {
        let orders = self.rig.media.iter().rev();
        orders
            .filter(|(of, _)| *of == id)
            .find_map(|(_, command)| pick(command))
    }

    fn input(&self, index: usize) -> audio::Input {
        self.last(self.members[index], |command| match command {
            MediaCommand::SetInput { input } | MediaCommand::Start { input, .. } => {
                Some(input.clone())
            }
            _ => None,
        })
        .unwrap()
    }

    fn output(&self, index: usize) -> audio::Output {
        self.last(self.members[index], |command| match command {
            MediaCommand::SetOutput { output } | MediaCommand::Start { output, .. } => {
                Some(output.clone())
            }
            _ => None,
        })
        .unwrap()
    }

    /// How loud the others hear it.
    fn voice(&self, index: usize) -> u8 {
        self.last(self.members[index], |command| match command {
            MediaCommand::SetVoice { percent } => Some(*percent),
            _ => None,
        })
        .unwrap_or(100)
    }

    fn hears_music(&self, index: usize) -> bool {
        self.last(self.members[index], |command| match command {
            MediaCommand::Hold { .. } => Some(true),
            MediaCommand::Resume => Some(false),
            _ => None,
        })
        .unwrap_or(false)
    }

    /// The orders for this machine's seat since the last call of this.
    fn seat(&mut self) -> Vec<Order> {
        let orders = std::mem::take(&mut self.rig.seats).into_iter();
        orders.map(|(_, order)| order).collect()
    }

    fn clear(&mut self) {
        self.rig.events.clear();
        self.rig.seats.clear();
    }
}

fn seated() -> audio::Input {
    let id = ConferenceId(ID);
    audio::Input::Conference { id }
}

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
        [Order::Open {
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
    assert_eq!(room.seat().last(), Some(&Order::Close));
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
            Order::SetInput {
                input: input.clone()
            },
            Order::SetVolume { percent: 50 }
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
fn the_whole_is_put_on_hold_at_once_and_done_when_all_phones_have_agreed() {
    let mut room = Room::of(2);
    room.clear();
    let music = json!({ "type": "wav", "path": "waltz.wav", "repeat": true });
    let held = room.ask(json!({ "type": "hold", "held": true, "music": music }));
    assert_eq!(room.seat(), [Order::Hold { held: true }]);
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
    assert_eq!(room.seat(), [Order::Hold { held: false }]);
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
        MediaCommand::SetHearing { host } => Some(*host),
        _ => None,
    };
    assert_eq!(room.last(first, host), Some(false));
    assert!(room.rig.media_named("mute").is_empty());
    assert_eq!(room.rig.changes("muted"), [true]);
    room.asked(json!({ "type": "remove", "session": first }));
    assert_eq!(room.last(first, host), Some(true));
    let muted = MediaCommand::Mute { muted: true };
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
    let orders = [true, false].map(|muted| Order::Mute { muted });
    assert_eq!(room.seat(), orders);
    assert_eq!(room.news(), ["muted true", "muted false"]);
    let stranger = json!({ "type": "mute", "session": SessionId::from_random(7), "muted": true });
    let refused = room.ask(stranger);
    assert_eq!(code(&room.rig.error(refused)), "ERR_SESSION_STATE");
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

#[test]
fn dissolving_it_leaves_each_alone_and_on_hold() {
    let mut room = Room::of(2);
    room.clear();
    let dissolved = room.ask(json!({ "type": "dissolve" }));
    assert_eq!(room.news(), ["held true", "left 0", "left 1", "ended"]);
    assert_eq!(room.seat().last(), Some(&Order::Close));
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
    room.rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    room.assert_done(added, "add");
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

fn lose_device(room: &mut Room, id: u64) {
    let event = phone::conference::MediaEvent::DeviceFailed {
        device: phone::media::Device::Input,
        reason: "unplugged".into(),
    };
    let now = room.rig.now;
    room.rig
        .phone
        .handle_conference(ConferenceId(id), event, now);
    room.rig
        .command(json!({ "type": "setLogLevel", "level": "error" }));
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
    assert_eq!(room.rig.reply(made), None);
    room.agree(1);
    room.assert_done(made, "confer");
    assert_eq!(room.news().last().unwrap(), "warning");
    let reply = room.rig.place(&format!("reply {}", made.0));
    let mut entries = room.rig.order.iter();
    let warning = entries.rposition(|entry| entry == "conference").unwrap();
    assert!(warning > reply, "{:?}", room.rig.order);
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
        MediaCommand::SetInput { input } => Some(input.clone()),
        _ => None,
    });
    assert_eq!(inputs.next_back(), Some(seated()));
    let voice = MediaCommand::SetVoice { percent: 0 };
    assert!(alice.media.contains(&(new, voice)));
    assert_eq!(alice.count("terminated"), 1);
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
