//! What a phone's task tells the application, in order, and what it owes it at the end.

use phone::recording::RecordingEvent;
use phone::{
    Command, Condition, ConferenceId, EndReason, ErrorCode, ErrorType, PhoneError, RecordingId,
    SessionId, Side, Ticket, conference,
};

use super::Request;
use crate::event::{Event, EventSink, RuntimeEvent};

/// The one ordered stream to the application.
pub(super) struct EventStream {
    events: Box<dyn EventSink>,
    /// The phone said that it is closed; told when everything has ended, before the reply to `destroy`.
    closed: bool,
    /// What the phone said after that: the reply to `destroy`.
    last: Vec<Event>,
    /// Sessions that were started and have not ended, for the case that the task breaks.
    started: Vec<SessionId>,
    /// The same of conferences.
    conferences: Vec<ConferenceId>,
    /// `destroy` commands without a reply: they have one in any case, when all has ended.
    destroying: Vec<Ticket>,
}

impl EventStream {
    pub(super) fn new(events: Box<dyn EventSink>) -> EventStream {
        EventStream {
            events,
            closed: false,
            last: Vec::new(),
            started: Vec::new(),
            conferences: Vec::new(),
            destroying: Vec::new(),
        }
    }

    pub(super) fn settle(&mut self, ticket: Ticket, outcome: Result<(), PhoneError>) {
        let done = outcome.map(|()| serde_json::Value::Null);
        self.send(Event::reply(ticket, done));
    }

    pub(super) fn unread(&self) -> usize {
        self.events.unread()
    }

    pub(super) fn owe(&mut self, request: &Request) {
        if let Request::Command(ticket, Command::Destroy {}) = request {
            self.destroying.push(*ticket);
        }
    }

    pub(super) fn send(&mut self, event: Event) {
        match &event {
            Event::Phone(event) => self.watch(event),
            Event::Runtime(RuntimeEvent::Reply { ticket, .. }) => {
                self.destroying.retain(|waiting| waiting != ticket);
            }
            Event::Runtime(
                RuntimeEvent::Stats { .. }
                | RuntimeEvent::Level { .. }
                | RuntimeEvent::Levels { .. }
                | RuntimeEvent::SpeechStarted { .. }
                | RuntimeEvent::SpeechEnded { .. }
                | RuntimeEvent::ToneHeard { .. }
                | RuntimeEvent::AnsweredBy { .. },
            ) => {}
        }
        match event {
            Event::Phone(phone::Event::Closed) => self.closed = true,
            Event::Runtime(RuntimeEvent::Reply { .. }) if self.closed => self.last.push(event),
            Event::Phone(_) | Event::Runtime(_) => self.events.send(event),
        }
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "only the beginning and the end of sessions and of the stream matter here"
    )]
    fn watch(&mut self, event: &phone::Event) {
        match event {
            phone::Event::SessionStarted { session } => self.started.push(session.id),
            phone::Event::SessionEnded { id, .. } => self.started.retain(|known| known != id),
            phone::Event::Conference { id, news } => match news {
                conference::News::Started => self.conferences.push(*id),
                conference::News::Ended => self.conferences.retain(|known| known != id),
                _ => {}
            },
            _ => {}
        }
    }

    /// Ends every session and the stream after a panic in the phone's own task.
    pub(super) fn break_off(&mut self) {
        let text = "The softphone's task broke; this is a bug in offhook";
        let error = PhoneError::new(ErrorCode::CallFailed, text).with_kind(ErrorType::Generic);
        self.send(Event::Phone(phone::Event::Error { error, id: None }));
        for id in std::mem::take(&mut self.started) {
            let reason = EndReason {
                condition: Condition::GeneralError,
                text: text.to_owned(),
                side: Side::Local,
                sip: None,
                q850: None,
                targets: Vec::new(),
                summary: None,
            };
            self.send(Event::Phone(phone::Event::Terminated {
                id,
                reason: reason.clone(),
            }));
            self.send(Event::Phone(phone::Event::SessionEnded { id, reason }));
        }
        for id in std::mem::take(&mut self.conferences) {
            let news = conference::News::Ended;
            self.send(Event::Phone(phone::Event::Conference { id, news }));
        }
    }

    /// What becomes whole while the phone ends is told as well.
    pub(super) fn tell_of_recording(&mut self, recording: RecordingId, event: RecordingEvent) {
        match event {
            RecordingEvent::Ended { report } => {
                let event = phone::Event::RecordingEnded { recording, report };
                self.send(Event::Phone(event));
            }
            RecordingEvent::Failed { reason } => self.send(Event::warning(reason)),
            RecordingEvent::Begun
            | RecordingEvent::Refused { .. }
            | RecordingEvent::Lost { .. }
            | RecordingEvent::InTime => {}
        }
    }

    pub(super) fn finish(mut self) {
        self.events.send(Event::Phone(phone::Event::Closed));
        for event in std::mem::take(&mut self.last) {
            self.events.send(event);
        }
        for ticket in std::mem::take(&mut self.destroying) {
            let done = Event::reply(ticket, Ok(serde_json::Value::Null));
            self.events.send(done);
        }
    }
}
