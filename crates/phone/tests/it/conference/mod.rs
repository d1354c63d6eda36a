//! Conferences: Alice and her calls.

mod holding;
mod members;

use phone::conference::HostOrder;
use phone::{ConferenceId, MediaCommand, SessionId, SoundCommand, Ticket, audio};
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Rig, alice_with, answer};

/// Alice with calls of Bob and others, and their dialogs.
pub(super) struct Room {
    pub(super) rig: Rig,
    pub(super) callers: Vec<Caller>,
    pub(super) members: Vec<SessionId>,
    pub(super) ticket: Ticket,
}

pub(super) const ID: u64 = 1;

impl Room {
    pub(super) fn of(count: usize) -> Self {
        Self::with(count, json!({}))
    }

    /// A conference of so many calls.
    pub(super) fn with(count: usize, more: Value) -> Self {
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
    pub(super) fn call(&mut self) -> SessionId {
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

    pub(super) fn ask(&mut self, request: Value) -> Ticket {
        self.rig
            .command(json!({ "type": "conference", "id": ID, "request": request }))
    }

    pub(super) fn asked(&mut self, request: Value) {
        let shown = request.to_string();
        let ticket = self.ask(request);
        self.assert_done(ticket, &shown);
    }

    pub(super) fn assert_done(&self, ticket: Ticket, what: &str) {
        let reply = self.rig.reply(ticket);
        assert!(matches!(reply, Some(Ok(_))), "{what}: {reply:?}");
    }

    /// Answers so many re-INVITEs, and says to which state they lead.
    pub(super) fn agree(&mut self, count: usize) {
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
    pub(super) fn news(&self) -> Vec<String> {
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
    pub(super) fn last<T>(
        &self,
        id: SessionId,
        pick: impl Fn(&MediaCommand) -> Option<T>,
    ) -> Option<T> {
        let orders = self.rig.media.iter().rev();
        orders
            .filter(|(of, _)| *of == id)
            .find_map(|(_, command)| pick(command))
    }

    pub(super) fn input(&self, index: usize) -> audio::Input {
        self.last(self.members[index], |command| match command {
            MediaCommand::Sound(SoundCommand::SetInput { input })
            | MediaCommand::Sound(SoundCommand::Start { input, .. }) => Some(input.clone()),
            _ => None,
        })
        .unwrap()
    }

    pub(super) fn output(&self, index: usize) -> audio::Output {
        self.last(self.members[index], |command| match command {
            MediaCommand::Sound(SoundCommand::SetOutput { output })
            | MediaCommand::Sound(SoundCommand::Start { output, .. }) => Some(output.clone()),
            _ => None,
        })
        .unwrap()
    }

    /// How loud the others hear it.
    pub(super) fn voice(&self, index: usize) -> u8 {
        self.last(self.members[index], |command| match command {
            MediaCommand::Sound(SoundCommand::SetVoice { percent }) => Some(*percent),
            _ => None,
        })
        .unwrap_or(100)
    }

    pub(super) fn hears_music(&self, index: usize) -> bool {
        self.last(self.members[index], |command| match command {
            MediaCommand::Sound(SoundCommand::Hold { .. }) => Some(true),
            MediaCommand::Sound(SoundCommand::Resume) => Some(false),
            _ => None,
        })
        .unwrap_or(false)
    }

    /// The orders for this machine's seat since the last call of this.
    pub(super) fn seat(&mut self) -> Vec<HostOrder> {
        let orders = std::mem::take(&mut self.rig.seats).into_iter();
        orders.map(|(_, order)| order).collect()
    }

    pub(super) fn clear(&mut self) {
        self.rig.events.clear();
        self.rig.seats.clear();
    }
}

pub(super) fn seated() -> audio::Input {
    let id = ConferenceId(ID);
    audio::Input::Conference { id }
}

pub(super) fn host_event(room: &mut Room, id: u64, event: phone::conference::HostEvent) {
    let now = room.rig.now;
    room.rig
        .phone
        .handle_conference(ConferenceId(id), event, now);
    room.rig
        .command(json!({ "type": "setLogLevel", "level": "error" }));
}

pub(super) fn lose_device(room: &mut Room, id: u64) {
    let event = phone::conference::HostEvent::DeviceFailed {
        device: phone::audio::Device::Input,
        reason: "unplugged".into(),
    };
    host_event(room, id, event);
}
