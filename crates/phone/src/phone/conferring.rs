//! Conferences: calls of this phone whose parties hear each other.

mod hearing;
mod seating;
mod waiting;

use std::collections::BTreeMap;

use super::Phone;
use super::command::Settled;
use crate::door::audio::{self, Device};
use crate::door::conference::{HostEvent, HostOrder, News, Request};
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::Event;
use crate::door::hold_via::HoldVia;
use crate::door::id::{ConferenceId, SessionId, Ticket};
use crate::door::level::Level;
use crate::door::media::StandIn;
use crate::door::output::{Output, Reply};
use crate::door::warning::Warning;
use crate::session::{Heritage, Place, Session};
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
    /// What it was given of its own; the rest is the phone's.
    processing: audio::Processing,
    /// What can't be used of whoever sits here; the application was warned.
    troubled: Vec<Device>,
    /// Warnings, and the ends of them, that are told after the reply to the command that made it: the
    /// application has no conference before that.
    early: Option<Vec<News>>,
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
        self.input(now, |phone| match event {
            HostEvent::DeviceOpened { device } => phone.host_device_opened(id, device),
            HostEvent::DeviceFailed { device, reason } => {
                phone.host_device_missing(id, device, &reason, None);
            }
            HostEvent::DeviceReplaced { device, stand_in } => {
                phone.host_device_missing(id, device, &stand_in.to_string(), Some(stand_in));
            }
        });
    }

    fn host_device_opened(&mut self, id: ConferenceId, device: Device) {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        if conference.troubled.contains(&device) {
            conference.troubled.retain(|known| *known != device);
            if conference.troubled.is_empty() {
                let warning = Warning::NoDevice;
                self.tell_of_host(id, News::WarningCleared { warning });
            }
        }
    }

    fn host_device_missing(
        &mut self,
        id: ConferenceId,
        device: Device,
        reason: &str,
        stand_in: Option<StandIn>,
    ) {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        if !conference.troubled.contains(&device) {
            conference.troubled.push(device);
        }
        let text = format!("{device:?} device: {reason}");
        let details = serde_json::json!({ "conference": id });
        self.around.context().trace(Level::Warn, &text, details);
        let warning = Warning::NoDevice;
        let news = News::Warning {
            warning,
            text,
            explanation: warning.explained(),
            stand_in,
        };
        self.tell_of_host(id, news);
    }

    /// Tells what its devices say, once the application has the conference.
    fn tell_of_host(&mut self, id: ConferenceId, news: News) {
        let conference = self.conferences.all.get_mut(&id);
        match conference.and_then(|conference| conference.early.as_mut()) {
            Some(early) => early.push(news),
            None => self.tell(id, news),
        }
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
        let processing = self.around.config.audio.processing;
        let open = HostOrder::Open {
            input: input
                .clone()
                .unwrap_or(self.around.config.audio.input.clone()),
            output: output
                .clone()
                .unwrap_or(self.around.config.audio.output.clone()),
        };
        self.order(id, open);
        if processing != audio::Processing::default() {
            self.order(id, HostOrder::SetProcessing { processing });
        }
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
            processing: audio::Processing::default(),
            troubled: Vec::new(),
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
            Request::SetProcessing { processing } => {
                self.set_conference_processing(id, processing);
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

    /// Whether a conference goes on.
    pub(super) fn known_conference(&self, id: ConferenceId) -> Result<(), PhoneError> {
        match self.conferences.all.contains_key(&id) {
            true => Ok(()),
            false => Err(over()),
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

    fn set_conference_processing(&mut self, id: ConferenceId, processing: audio::Processing) {
        let default = self.around.config.audio.processing;
        if let Some(conference) = self.conferences.all.get_mut(&id) {
            conference.processing = processing.or(conference.processing);
            let processing = conference.processing.or(default);
            self.order(id, HostOrder::SetProcessing { processing });
        }
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
        self.end_recordings_of_conference(id);
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

    pub(super) fn default_processing_changed(&mut self, processing: audio::Processing) {
        for (id, conference) in &self.conferences.all {
            let processing = conference.processing.or(processing);
            let order = HostOrder::SetProcessing { processing };
            self.around
                .outputs
                .push_back(Output::Conference(*id, order));
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
