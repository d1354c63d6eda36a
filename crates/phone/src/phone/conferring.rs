//! Conferences: calls of this phone whose parties hear each other.

mod waiting;

use std::collections::BTreeMap;

use super::Phone;
use super::command::Settled;
use crate::door::audio;
use crate::door::conference::{HostEvent, HostOrder, News, Request};
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::Event;
use crate::door::hold_via::HoldVia;
use crate::door::id::{ConferenceId, SessionId, Ticket};
use crate::door::level::Level;
use crate::door::output::{Output, Reply};
use crate::session::{Heritage, Place, Seat, Session};
use waiting::Wait;

/// All conferences of a phone.
#[derive(Debug, Default)]
pub(super) struct Conferences {
    all: BTreeMap<ConferenceId, Conference>,
    count: u64,
    /// Commands that are done when the phones of these sessions have answered.
    waits: Vec<Wait>,
    /// Sessions to which something happened that may concern a conference.
    changed: Vec<SessionId>,
}

/// Calls whose parties hear each other and whoever sits at this machine.
#[derive(Debug)]
struct Conference {
    /// In the order in which they joined.
    members: Vec<SessionId>,
    /// Calls that are to join when they are answered, and how.
    awaited: Vec<(SessionId, Manner)>,
    held: bool,
    /// It is on hold because another call is the one to be heard.
    made_way: bool,
    /// What they hear while it is on hold.
    music: audio::Input,
    /// Whoever sits here is not heard.
    muted: bool,
    /// The phone's default if there is none.
    input: Option<audio::Input>,
    output: Option<audio::Output>,
    /// Warnings that are told after the reply to the command that made it: the application has no
    /// conference before that.
    early: Option<Vec<String>>,
}

impl Conference {
    fn awaited(&self) -> Vec<SessionId> {
        self.awaited.iter().map(|(session, _)| *session).collect()
    }
}

/// How a member takes its seat.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner {
    muted: bool,
    held_alone: bool,
}

impl Manner {
    /// As who was there before, if that was a member.
    fn of(heritage: &Heritage) -> Self {
        Self {
            muted: heritage.seat.is_some_and(|seat| seat.muted),
            held_alone: heritage.is_held_alone(),
        }
    }
}

/// Who is heard while others are on hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    Session(SessionId),
    Conference(ConferenceId),
}

impl Conferences {
    /// Takes note that something happened to a session.
    pub(super) fn note_change(&mut self, session: &Session) {
        if session.place() != Place::Alone || !self.waits.is_empty() {
            self.changed.push(session.id);
        }
    }
}

impl Phone {
    /// Takes news of the place of this machine in a conference.
    pub fn handle_conference(
        &mut self,
        id: ConferenceId,
        event: HostEvent,
        now: std::time::Instant,
    ) {
        self.input(now, |phone| {
            let HostEvent::DeviceFailed { device, reason } = event;
            if let Some(conference) = phone.conferences.all.get_mut(&id) {
                let text = format!("{device:?} device: {reason}");
                let details = serde_json::json!({ "conference": id });
                match &mut conference.early {
                    Some(early) => early.push(text.clone()),
                    None => phone.tell(id, News::Warning { text: text.clone() }),
                }
                phone.around.context().trace(Level::Warn, &text, details);
            }
        });
    }

    pub(super) fn confer(
        &mut self,
        ticket: Ticket,
        sessions: Vec<SessionId>,
        input: Option<audio::Input>,
        output: Option<audio::Output>,
    ) -> Result<(), PhoneError> {
        for session in &sessions {
            self.may_join(*session, None)?;
        }
        self.conferences.count += 1;
        let id = ConferenceId(self.conferences.count);
        self.tell(id, News::Started);
        let open = HostOrder::Open {
            input: input
                .clone()
                .unwrap_or(self.around.config.audio.input.clone()),
            output: output
                .clone()
                .unwrap_or(self.around.config.audio.output.clone()),
        };
        self.order(id, open);
        if let percent @ ..100 = self.around.config.volume {
            self.order(id, HostOrder::SetVolume { percent });
        }
        let conference = Conference {
            members: Vec::new(),
            awaited: Vec::new(),
            held: false,
            made_way: false,
            music: audio::Input::None,
            muted: false,
            input,
            output,
            early: Some(Vec::new()),
        };
        self.conferences.all.insert(id, conference);
        for session in &sessions {
            self.expect_member(id, *session, Manner::default());
        }
        let answered = |id: &SessionId| self.sessions.get(id).is_some_and(Session::is_answered);
        let members: Vec<SessionId> = sessions.into_iter().filter(answered).collect();
        for member in &members {
            self.look_at(*member);
        }
        // Who does not agree to be taken off hold is a member all the same.
        self.conferences.waits.push(Wait {
            ticket,
            sessions: members,
            joins: None,
            wanted: None,
            reply: Reply::Conference { conference: id },
        });
        Ok(())
    }

    /// Does what is asked of a conference.
    pub(super) fn ask_conference(
        &mut self,
        ticket: Ticket,
        id: ConferenceId,
        request: Request,
    ) -> Settled {
        if !self.conferences.all.contains_key(&id) {
            let again = matches!(request, Request::End {} | Request::Dissolve {});
            return match again && id.0 <= self.conferences.count {
                true => Settled::DONE,
                false => Settled::Now(Err(over())),
            };
        }
        match request {
            Request::Add { session } => Settled::begun(self.add(ticket, id, session)),
            Request::Remove { session } => Settled::done(self.let_go(id, session)),
            Request::Hold { held, music, via } => {
                self.hold_conference(Some(ticket), id, held, music, via);
                Settled::Later
            }
            Request::Mute { session, muted } => {
                Settled::done(self.mute_in_conference(id, session, muted))
            }
            Request::SetInput { input } => {
                self.set_conference_input(id, input);
                Settled::DONE
            }
            Request::SetOutput { output } => {
                self.set_conference_output(id, output);
                Settled::DONE
            }
            Request::SetLevels { wanted } => {
                self.order(id, HostOrder::SetLevels { wanted });
                Settled::DONE
            }
            Request::End {} => {
                self.end_conference(id);
                Settled::DONE
            }
            Request::Dissolve {} => {
                self.dissolve(ticket, id);
                Settled::Later
            }
        }
    }

    fn add(
        &mut self,
        ticket: Ticket,
        id: ConferenceId,
        session: SessionId,
    ) -> Result<(), PhoneError> {
        self.may_join(session, Some(id))?;
        self.expect_member(id, session, Manner::default());
        self.look_at(session);
        self.conferences.waits.push(Wait {
            ticket,
            sessions: vec![session],
            joins: Some(id),
            wanted: Some(false),
            reply: Reply::Done,
        });
        Ok(())
    }

    fn set_conference_input(&mut self, id: ConferenceId, input: audio::Input) {
        if let Some(conference) = self.conferences.all.get_mut(&id) {
            conference.input = Some(input.clone());
        }
        self.order(id, HostOrder::SetInput { input });
    }

    fn set_conference_output(&mut self, id: ConferenceId, output: audio::Output) {
        if let Some(conference) = self.conferences.all.get_mut(&id) {
            conference.output = Some(output.clone());
        }
        self.order(id, HostOrder::SetOutput { output });
    }

    /// Whether a session may join a conference, of which it may be a member already.
    fn may_join(&self, session: SessionId, to: Option<ConferenceId>) -> Result<(), PhoneError> {
        self.live(session)?;
        let place = self.sessions.get(&session).map(Session::place);
        match place.and_then(|place| place.conference()) {
            Some(other) if Some(other) != to => Err(PhoneError::wrong_state(
                "The session is in a conference already",
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// A session is to join as soon as it is answered.
    fn expect_member(&mut self, id: ConferenceId, session: SessionId, manner: Manner) {
        let Some(known) = self.sessions.get_mut(&session) else {
            return;
        };
        if known.place() != Place::Alone {
            return;
        }
        known.await_seat(id);
        if let Some(conference) = self.conferences.all.get_mut(&id) {
            conference.awaited.push((session, manner));
        }
    }

    /// A session is to take the seat of another, which was a member, as soon as it is answered.
    pub(super) fn expect_successor(&mut self, heritage: &Heritage, session: SessionId) {
        if let Some(seat) = heritage.seat {
            self.expect_member(seat.conference, session, Manner::of(heritage));
        }
    }

    /// Seats a session that is answered and was to join.
    fn join(&mut self, id: ConferenceId, session: SessionId) {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        let awaited = conference
            .awaited
            .extract_if(.., |(awaited, _)| *awaited == session);
        let manner = awaited.last().map(|(_, manner)| manner);
        if conference.made_way {
            // The call for which it made way joins it.
            self.hold_conference(None, id, false, None, HoldVia::default());
        }
        self.seat(id, session, manner.unwrap_or_default());
    }

    fn seat(&mut self, id: ConferenceId, session: SessionId, manner: Manner) {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        if !conference.members.contains(&session) {
            conference.members.push(session);
        }
        let held = conference.held;
        let music = conference.music.clone();
        let seat = Seat {
            conference: id,
            muted: manner.muted,
            held,
            held_alone: manner.held_alone,
        };
        self.tell(id, News::Joined { session });
        self.act_on_one(session, |session, ctx| session.take_seat(seat, music, ctx));
        if !held {
            self.hold_others(Heard::Conference(id));
        }
        if manner.muted {
            let (session, muted) = (Some(session), true);
            self.tell(id, News::Muted { session, muted });
        }
    }

    /// A session has taken the place of another, which was a member.
    pub(super) fn take_over(&mut self, old: SessionId, heritage: &Heritage, new: SessionId) {
        let Some(seat) = heritage.seat else {
            return;
        };
        let id = seat.conference;
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        for member in &mut conference.members {
            if *member == old {
                *member = new;
            }
        }
        self.tell(id, News::Left { session: old });
        self.seat(id, new, Manner::of(heritage));
    }

    /// Takes note of what has become of a session that takes part, or is to.
    fn look_at(&mut self, session: SessionId) {
        let known = self.sessions.get(&session);
        let place = known.filter(|known| known.is_live()).map(Session::place);
        match place {
            Some(Place::Awaited(id)) if known.is_some_and(Session::is_answered) => {
                self.join(id, session);
            }
            Some(_) => {}
            None => self.forget(session),
        }
    }

    /// A session is over.
    fn forget(&mut self, session: SessionId) {
        let mut left = None;
        for (id, conference) in &mut self.conferences.all {
            conference
                .awaited
                .retain(|(awaited, _)| *awaited != session);
            if conference.members.contains(&session) {
                conference.members.retain(|member| *member != session);
                left = Some(*id);
            }
        }
        if let Some(known) = self.sessions.get_mut(&session) {
            known.leave_conference();
        }
        if let Some(id) = left {
            self.tell(id, News::Left { session });
        }
    }

    /// Lets a member go on alone, or gives up waiting for it.
    fn let_go(&mut self, id: ConferenceId, session: SessionId) -> Result<(), PhoneError> {
        let place = self.sessions.get(&session).map(Session::place);
        if place.and_then(|place| place.conference()) != Some(id) {
            // One that has left already is not told from one that was never here.
            return match self.known(session) {
                Ok(()) => Ok(()),
                Err(error) if error.code == ErrorCode::SessionEnded => Ok(()),
                Err(error) => Err(error),
            };
        }
        self.leave(id, session);
        Ok(())
    }

    fn leave(&mut self, id: ConferenceId, session: SessionId) {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        conference
            .awaited
            .retain(|(awaited, _)| *awaited != session);
        let was_here = conference.members.contains(&session);
        conference.members.retain(|member| *member != session);
        self.act_on_one(session, Session::leave_seat);
        if was_here {
            self.tell(id, News::Left { session });
            if self.sessions.get(&session).is_some_and(Session::is_heard) {
                self.hold_others(Heard::Session(session));
            }
        }
    }

    /// Holds a whole conference, or resumes it; who waits for it is told when all phones have answered.
    pub(super) fn hold_conference(
        &mut self,
        ticket: Option<Ticket>,
        id: ConferenceId,
        held: bool,
        music: Option<audio::Input>,
        via: HoldVia,
    ) {
        let music = music.unwrap_or_else(|| self.around.config.hold_music.clone());
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        let members = conference.members.clone();
        let news = std::mem::replace(&mut conference.held, held) != held;
        conference.made_way = false;
        if news {
            conference.music = music.clone();
            self.order(id, HostOrder::Hold { held });
            self.tell(id, News::Held { held });
            if !held {
                self.hold_others(Heard::Conference(id));
            }
            for member in &members {
                let music = music.clone();
                self.act_on_one(*member, |session, ctx| {
                    session.hold_in_conference(held, music, via, ctx);
                });
            }
        }
        if let Some(ticket) = ticket {
            // Held they are in any case: who does not agree to it hears the music all the same.
            self.wait_for(ticket, members, (!held).then_some(false));
        }
    }

    /// Resumes the whole conference of a member that is to be resumed, if that is on hold; says
    /// whether it is.
    pub(super) fn resumes_conference(&mut self, ticket: Ticket, session: SessionId) -> bool {
        let Some(known) = self.sessions.get_mut(&session) else {
            return false;
        };
        let Some(seat) = known.place().seat().filter(|seat| seat.held) else {
            return false;
        };
        known.come_back();
        let (id, via) = (seat.conference, HoldVia::default());
        self.hold_conference(Some(ticket), id, false, None, via);
        true
    }

    /// Whether the user has put a conference on hold, and not the call of another.
    pub(super) fn is_held_by_user(&self, id: ConferenceId) -> bool {
        let conference = self.conferences.all.get(&id);
        conference.is_some_and(|conference| conference.held && !conference.made_way)
    }

    fn mute_in_conference(
        &mut self,
        id: ConferenceId,
        session: Option<SessionId>,
        muted: bool,
    ) -> Result<(), PhoneError> {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return Ok(());
        };
        let news = match session {
            None => {
                let news = std::mem::replace(&mut conference.muted, muted) != muted;
                if news {
                    self.order(id, HostOrder::Mute { muted });
                }
                news
            }
            Some(member) if conference.members.contains(&member) => self
                .act_on_one(member, |session, ctx| {
                    session.mute_in_conference(muted, ctx)
                })
                .is_some_and(|(news, _)| news),
            Some(_) => {
                return Err(PhoneError::wrong_state(
                    "The session is not a member of the conference",
                ));
            }
        };
        if news {
            self.tell(id, News::Muted { session, muted });
        }
        Ok(())
    }

    fn end_conference(&mut self, id: ConferenceId) {
        let Some(conference) = self.conferences.all.get(&id) else {
            return;
        };
        let sessions = [conference.members.clone(), conference.awaited()].concat();
        for session in sessions {
            self.act_on(session, |session, ctx| session.end(None, ctx));
            self.look_at(session);
        }
        self.close_conference(id);
    }

    fn dissolve(&mut self, ticket: Ticket, id: ConferenceId) {
        let Some(conference) = self.conferences.all.get(&id) else {
            return;
        };
        let (members, awaited) = (conference.members.clone(), conference.awaited());
        // Each is put on hold first: nobody hears anybody on the way.
        let via = HoldVia::default();
        self.hold_conference(None, id, true, None, via);
        for session in members.iter().chain(&awaited) {
            // It was known a moment ago.
            let _ = self.let_go(id, *session);
        }
        self.close_conference(id);
        self.wait_for(ticket, members, None);
    }

    fn close_conference(&mut self, id: ConferenceId) {
        self.order(id, HostOrder::Close);
        self.conferences.all.remove(&id);
        self.tell(id, News::Ended);
    }

    /// Closes all conferences, whose members have ended, because the phone ends.
    pub(super) fn close_conferences(&mut self) {
        let ids: Vec<ConferenceId> = self.conferences.all.keys().copied().collect();
        for id in ids {
            self.end_conference(id);
        }
    }

    /// Puts every conference on hold but this party's.
    pub(super) fn hold_other_conferences(&mut self, heard: Heard) {
        let others: Vec<ConferenceId> = self
            .conferences
            .all
            .iter()
            .filter(|(id, conference)| heard != Heard::Conference(**id) && !conference.held)
            .map(|(id, _)| *id)
            .collect();
        for id in others {
            self.hold_conference(None, id, true, None, HoldVia::default());
            if let Some(conference) = self.conferences.all.get_mut(&id) {
                conference.made_way = true;
            }
        }
    }

    /// Whose call a session is: its conference's if it takes part in one, or is to.
    pub(super) fn party_of(&self, session: SessionId) -> Heard {
        let place = self.sessions.get(&session).map(Session::place);
        let conference = place.and_then(|place| place.conference());
        conference.map_or(Heard::Session(session), Heard::Conference)
    }

    /// The phone's default devices or its volume have changed.
    pub(super) fn default_devices_changed(
        &mut self,
        input: Option<&audio::Input>,
        output: Option<&audio::Output>,
    ) {
        for (id, conference) in &self.conferences.all {
            if let (Some(input), None) = (input, &conference.input) {
                let input = input.clone();
                let order = HostOrder::SetInput { input };
                self.around
                    .outputs
                    .push_back(Output::Conference(*id, order));
            }
            if let (Some(output), None) = (output, &conference.output) {
                let output = output.clone();
                let order = HostOrder::SetOutput { output };
                self.around
                    .outputs
                    .push_back(Output::Conference(*id, order));
            }
        }
    }

    pub(super) fn default_volume_changed(&mut self, percent: u8) {
        for id in self.conferences.all.keys() {
            let order = HostOrder::SetVolume { percent };
            self.around
                .outputs
                .push_back(Output::Conference(*id, order));
        }
    }

    /// Takes what has happened to sessions to the conferences and commands that it concerns.
    pub(super) fn drive_conferences(&mut self) {
        while let Some(session) = self.conferences.changed.pop() {
            self.look_at(session);
        }
        self.drive_waits();
    }

    fn order(&mut self, id: ConferenceId, order: HostOrder) {
        self.around.outputs.push_back(Output::Conference(id, order));
    }

    fn tell(&mut self, id: ConferenceId, news: News) {
        let event = Event::Conference { id, news };
        self.around.outputs.push_back(Output::Event(event));
    }
}

fn over() -> PhoneError {
    PhoneError::new(ErrorCode::ConferenceEnded, "The conference is over")
}
