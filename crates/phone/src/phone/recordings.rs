//! Recordings of sessions and conferences: each lives as long as what it records, or until it is stopped.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Phone;
use super::command::Settled;
use crate::door::conference::News;
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::Event;
use crate::door::id::{ConferenceId, RecordingId, SessionId, Ticket};
use crate::door::level::Level;
use crate::door::output::{Output, Reply};
use crate::door::recording::{
    Recorded, RecordingEvent, RecordingOrder, RecordingPlan, RecordingReport,
};
use crate::door::warning::Warning;
use crate::session::Session;

/// Samples per second that sound is made at.
const RATES: [u32; 4] = [8_000, 16_000, 24_000, 48_000];

/// All recordings of a phone that are not whole yet.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    all: BTreeMap<RecordingId, Recording>,
    count: u64,
    /// Those that failed, of which the application was warned and has not said that it knows.
    failed: BTreeMap<RecordingId, Recorded>,
    /// Calls that took, or are to take, the place of others.
    heirs: BTreeMap<SessionId, SessionId>,
}

#[derive(Debug)]
struct Recording {
    recorded: Recorded,
    /// The command that waits until it is open.
    opening: Option<Ticket>,
    /// It is being made whole.
    ending: bool,
    /// The application was warned that sound is lost.
    lossy: bool,
}

impl Recordings {
    fn of(&self, recorded: Recorded) -> Vec<RecordingId> {
        let all = self.all.iter();
        all.filter(|(_, recording)| recording.recorded == recorded && !recording.ending)
            .map(|(id, _)| *id)
            .collect()
    }

    fn forget(&mut self, recorded: Recorded) {
        self.failed.retain(|_, failed| *failed != recorded);
    }
}

impl Phone {
    pub(super) fn record(&mut self, ticket: Ticket, plan: RecordingPlan) -> Result<(), PhoneError> {
        match plan.recorded {
            Recorded::Session { id } => self.live(id)?,
            Recorded::Conference { id } => self.known_conference(id)?,
        }
        if !RATES.contains(&plan.rate) {
            return Err(PhoneError::invalid(
                "rate must be 8000, 16000, 24000 or 48000",
            ));
        }
        self.recordings.count += 1;
        let id = RecordingId(self.recordings.count);
        let recording = Recording {
            recorded: plan.recorded,
            opening: Some(ticket),
            ending: false,
            lossy: false,
        };
        self.recordings.all.insert(id, recording);
        self.order_recording(id, RecordingOrder::Begin(plan));
        Ok(())
    }

    pub(super) fn pause_recording(&mut self, id: RecordingId, paused: bool) -> Settled {
        let recording = self.recordings.all.get(&id);
        if recording.is_none_or(|recording| recording.ending) {
            let error = PhoneError::new(ErrorCode::RecordingEnded, "The recording has ended");
            return Settled::Now(Err(error));
        }
        self.order_recording(id, RecordingOrder::Pause { paused });
        Settled::DONE
    }

    /// Stops it, if it has not ended; because of a failure, if one is named. Else the application knows of the failure, if there was one.
    pub(super) fn stop_recording(&mut self, id: RecordingId, failure: Option<String>) {
        match (failure, self.recordings.failed.remove(&id)) {
            (Some(reason), _) => self.recording_failed(id, reason),
            (None, Some(recorded)) => self.clear_failures(recorded),
            (None, None) => {}
        }
        self.end_recording(id);
    }

    /// Takes news of a recording.
    pub fn handle_recording(&mut self, id: RecordingId, event: RecordingEvent, now: Instant) {
        self.input(now, |phone| match event {
            RecordingEvent::Begun => {
                if let Some(recording) = phone.recordings.all.get_mut(&id)
                    && let Some(ticket) = recording.opening.take()
                {
                    let recorded = recording.recorded;
                    phone.replace_failures(recorded);
                    phone.reply(ticket, Ok(Reply::Recording { recording: id }));
                }
            }
            RecordingEvent::Refused { reason } => {
                let recording = phone.recordings.all.remove(&id);
                if let Some(ticket) = recording.and_then(|recording| recording.opening) {
                    let error = PhoneError::new(ErrorCode::RecordingFailed, reason);
                    phone.reply(ticket, Err(error));
                }
            }
            RecordingEvent::Failed { reason } => phone.recording_failed(id, reason),
            RecordingEvent::Lost { milliseconds } => phone.recording_lost(id, milliseconds),
            RecordingEvent::InTime => {
                if let Some(recording) = phone.recordings.all.get_mut(&id)
                    && std::mem::take(&mut recording.lossy)
                {
                    let recorded = recording.recorded;
                    phone.tell_of_recording(recorded, Warning::RecordingGap, None);
                }
            }
            RecordingEvent::Ended { report } => {
                if phone.recordings.all.remove(&id).is_some() {
                    phone.tell_recording_ended(id, report);
                }
            }
        });
    }

    /// The call that takes, or is to take, the place of another goes on in its recordings.
    pub(super) fn expect_heir(&mut self, old: SessionId, new: SessionId) {
        self.recordings.heirs.insert(old, new);
    }

    /// Ends the recordings of a session that is over, unless another took its place.
    pub(super) fn end_recordings_of(&mut self, session: SessionId) {
        let heir = self.recordings.heirs.remove(&session);
        let lives = |heir: &SessionId| self.sessions.get(heir).is_some_and(Session::is_live);
        let heir = heir.filter(lives);
        let recorded = Recorded::Session { id: session };
        self.recordings.forget(recorded);
        for id in self.recordings.of(recorded) {
            match heir {
                Some(heir) => self.follow_with_recording(id, heir),
                None => self.end_recording(id),
            }
        }
    }

    pub(super) fn end_recordings_of_conference(&mut self, conference: ConferenceId) {
        let recorded = Recorded::Conference { id: conference };
        self.recordings.forget(recorded);
        for id in self.recordings.of(recorded) {
            self.end_recording(id);
        }
    }

    fn follow_with_recording(&mut self, id: RecordingId, heir: SessionId) {
        let recorded = Recorded::Session { id: heir };
        if let Some(recording) = self.recordings.all.get_mut(&id) {
            recording.recorded = recorded;
            self.order_recording(id, RecordingOrder::Follow { recorded });
        }
    }

    fn end_recording(&mut self, id: RecordingId) {
        let Some(recording) = self.recordings.all.get_mut(&id) else {
            return;
        };
        if std::mem::replace(&mut recording.ending, true) {
            return;
        }
        let (opening, recorded) = (recording.opening.take(), recording.recorded);
        let lossy = std::mem::take(&mut recording.lossy);
        if let Some(ticket) = opening {
            let text = "What was to be recorded ended before the recording was open";
            let error = PhoneError::new(ErrorCode::SessionEnded, text);
            self.reply(ticket, Err(error));
        }
        if lossy {
            self.tell_of_recording(recorded, Warning::RecordingGap, None);
        }
        self.order_recording(id, RecordingOrder::End);
    }

    fn recording_failed(&mut self, id: RecordingId, reason: String) {
        if let Some(recording) = self.recordings.all.get(&id) {
            let recorded = recording.recorded;
            self.recordings.failed.insert(id, recorded);
            self.tell_of_recording(recorded, Warning::RecordingFailed, Some(reason));
        }
    }

    /// Another recording stands for those that failed.
    fn replace_failures(&mut self, recorded: Recorded) {
        if self
            .recordings
            .failed
            .values()
            .any(|failed| *failed == recorded)
        {
            self.recordings.forget(recorded);
            self.clear_failures(recorded);
        }
    }

    /// Tells that the trouble is over, unless another failure is left.
    fn clear_failures(&mut self, recorded: Recorded) {
        if self
            .recordings
            .failed
            .values()
            .all(|failed| *failed != recorded)
        {
            self.tell_of_recording(recorded, Warning::RecordingFailed, None);
        }
    }

    fn recording_lost(&mut self, id: RecordingId, milliseconds: u64) {
        // Told once until it is over.
        if let Some(recording) = self.recordings.all.get_mut(&id)
            && !std::mem::replace(&mut recording.lossy, true)
        {
            let recorded = recording.recorded;
            let text = format!(
                "{milliseconds} ms of a recording are silent: whoever takes it is too slow"
            );
            self.tell_of_recording(recorded, Warning::RecordingGap, Some(text));
        }
    }

    /// Warns of it, or tells that this is over.
    fn tell_of_recording(&mut self, recorded: Recorded, warning: Warning, text: Option<String>) {
        if let Some(text) = &text {
            let mut ctx = self.around.context();
            ctx.trace(Level::Warn, text, serde_json::Value::Null);
        }
        let event = match (recorded, text) {
            (Recorded::Session { id }, Some(text)) => Event::warning(id, warning, text),
            (Recorded::Session { id }, None) => Event::WarningCleared { id, warning },
            (Recorded::Conference { id }, Some(text)) => Event::Conference {
                id,
                news: News::Warning {
                    warning,
                    text,
                    explanation: warning.explained(),
                    stand_in: None,
                },
            },
            (Recorded::Conference { id }, None) => Event::Conference {
                id,
                news: News::WarningCleared { warning },
            },
        };
        // Who has ended is told nothing any more.
        let lives = match recorded {
            Recorded::Session { id } => self.live(id).is_ok(),
            Recorded::Conference { id } => self.known_conference(id).is_ok(),
        };
        if lives {
            self.around.outputs.push_back(Output::Event(event));
        }
    }

    fn tell_recording_ended(&mut self, recording: RecordingId, report: RecordingReport) {
        let event = Event::RecordingEnded { recording, report };
        self.around.outputs.push_back(Output::Event(event));
    }

    fn order_recording(&mut self, id: RecordingId, order: RecordingOrder) {
        self.around.outputs.push_back(Output::Recording(id, order));
    }
}
