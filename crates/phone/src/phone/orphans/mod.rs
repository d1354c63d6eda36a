//! The journal of this phone's calls, and the calls that an earlier process has left behind in it.
//!
//! ```text
//! the file ─► found ─end()─► BYE, CANCEL ─► gone
//!                └─takeOver()─► a call with Replaces ─answered─► BYE ─► gone
//! ```
//! What is found stays in the journal until it is gone: this process may be killed, too.

mod journal;

use std::collections::BTreeMap;
use std::time::Instant;

use sip::dialog::{Dialog, DialogRecord};
use sip::endpoint::{RequestFailure, UsageId};
use sip::header::Replaces;
use sip::message::{Method, Response};
use sip::uri::Uri;

use super::calling::OutgoingCall;
use super::command::Settled;
use super::{Heard, Phone};
use crate::agent::NotSent;
use crate::door::command::CallOptions;
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::Event;
use crate::door::id::{SessionId, Ticket};
use crate::door::orphan::JournalText;
use crate::door::output::{Output, Reply};
use crate::reading::outcome;
use crate::session::{Closed, Session};
use journal::{Handle, LeftCall, Owner};

/// More calls are not written down: a journal has some 300 kB.
const MOST_CALLS: usize = 512;

/// What a call's entry depends on.
#[derive(Debug, PartialEq, Eq)]
enum Mark {
    Rings(UsageId, String),
    /// Told to be answered, on hold; the numbers of both sides' last requests, and where the other side is reached.
    Stands(UsageId, [bool; 2], (u32, Option<u32>), String),
}

/// The journal and what was found in it.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    /// None if no journal is kept, or it can't be used.
    owner: Option<Owner>,
    /// Why the journal that was asked for can't be used.
    problem: Option<String>,
    found: Vec<LeftCall>,
    /// The application knows what was found.
    is_told: bool,
    /// Our BYEs, whose calls they end, and who waits for that.
    ending: BTreeMap<UsageId, (String, Vec<Ticket>)>,
    /// Calls of ours that are to take a place.
    taking: BTreeMap<SessionId, String>,
    /// What was written down last.
    written: Option<(Vec<Mark>, usize)>,
    /// The last attempt to write failed, and the application knows.
    is_failing: bool,
}

impl Orphans {
    fn find(&self, call_id: &str) -> Result<LeftCall, PhoneError> {
        let call = self.found.iter().find(|call| call.call_id == call_id);
        call.cloned().ok_or_else(|| {
            PhoneError::wrong_state("No call of this Call-ID is left behind, or it has ended")
        })
    }

    /// Another BYE, if this one is refused, is numbered above it, whichever process sends it.
    fn renumber(&mut self, call_id: &str, sent: Option<DialogRecord>) {
        let mut found = self.found.iter_mut();
        if let Some((call, sent)) = found.find(|call| call.call_id == call_id).zip(sent) {
            call.handle = Handle::from(sent);
            self.written = None;
        }
    }
}

impl Phone {
    /// Takes what the journal's file says, or why it can't be used; before any other input.
    pub fn handle_journal(&mut self, text: Result<String, String>, now: Instant) {
        self.input(now, |phone| {
            let owner = Owner {
                instance_id: phone.around.config.instance_id.clone().unwrap_or_default(),
                address: phone.around.config.address.to_string(),
            };
            match text.and_then(|text| journal::read(&owner, &text)) {
                Ok(found) => {
                    phone.orphans.written = Some((Vec::new(), found.len()));
                    phone.orphans.found = found;
                    phone.orphans.owner = Some(owner);
                }
                Err(problem) => phone.orphans.problem = Some(problem),
            }
        });
    }

    /// Takes how the last attempt to write the journal went.
    pub fn handle_journal_written(&mut self, outcome: Result<(), String>, now: Instant) {
        self.input(now, |phone| {
            let was_failing = std::mem::replace(&mut phone.orphans.is_failing, outcome.is_err());
            if let (Err(problem), false) = (outcome, was_failing) {
                let text = format!("The journal can't be written: {problem}");
                phone.around.context().emit(Event::Error {
                    error: PhoneError::new(ErrorCode::Journal, text),
                    id: None,
                });
            }
        });
    }

    /// Tells what was found, once, before the phone is ready; or why nothing can be.
    pub(super) fn open_journal(&mut self) -> Result<(), PhoneError> {
        if let Some(problem) = &self.orphans.problem {
            let path = self.around.config.journal.as_deref().unwrap_or_default();
            let text = format!("The journal '{path}' can't be used: {problem}");
            return Err(PhoneError::new(ErrorCode::Journal, text));
        }
        let is_news = !std::mem::replace(&mut self.orphans.is_told, true);
        if is_news && !self.orphans.found.is_empty() {
            self.tell_orphans();
        }
        Ok(())
    }

    fn tell_orphans(&mut self) {
        let orphans = self.orphans.found.iter().map(LeftCall::told).collect();
        self.around.context().emit(Event::Orphans { orphans });
    }

    fn forget_orphan(&mut self, call_id: &str) {
        self.orphans.found.retain(|call| call.call_id != call_id);
        self.tell_orphans();
    }

    /// Hangs up what was answered, and cancels what was not.
    pub(super) fn end_orphan(&mut self, ticket: Ticket, call_id: &str) -> Settled {
        let mut ending = self.orphans.ending.values_mut();
        if let Some((_, tickets)) = ending.find(|(known, _)| known == call_id) {
            tickets.push(ticket);
            return Settled::Later;
        }
        let call = match self.orphans.find(call_id) {
            Ok(call) => call,
            Err(error) => return Settled::Now(Err(error)),
        };
        if !self.around.agent.is_usable() {
            return Settled::Now(Err(PhoneError::not_connected()));
        }
        let mut ctx = self.around.context();
        let Some(record) = call.dialog() else {
            let Handle::Cancel(cancel) = &call.handle else {
                return Settled::DONE;
            };
            // What can't be sent ends nothing: whoever rings there stops by itself.
            let sent = ctx.act(|endpoint, now| endpoint.send_cancel_record(cancel, now));
            self.forget_orphan(call_id);
            return match sent {
                Ok(()) => Settled::DONE,
                Err(error) => Settled::Now(Err(outcome::not_sent(&error))),
            };
        };
        match self.hang_up(call_id, &record, vec![ticket]) {
            Ok(()) => Settled::Later,
            Err(error) => Settled::Now(Err(outcome::not_sent(&error))),
        }
    }

    /// Sends the BYE of what was answered. What no BYE can be sent of is forgotten.
    fn hang_up(
        &mut self,
        call_id: &str,
        record: &DialogRecord,
        tickets: Vec<Ticket>,
    ) -> Result<(), NotSent> {
        let mut ctx = self.around.context();
        let bye = ctx
            .act(|endpoint, _| endpoint.adopt(record))
            .and_then(|usage| {
                ctx.request(usage, Method::Bye, &[], None)?;
                Ok(usage)
            });
        match bye {
            Ok(usage) => {
                let waiting = (call_id.to_owned(), tickets);
                self.orphans.ending.insert(usage, waiting);
                let sent = self.around.agent.endpoint().dialog_record(usage);
                self.orphans.renumber(call_id, sent);
                Ok(())
            }
            Err(NotSent::NoFlow) => Err(NotSent::NoFlow),
            Err(error) => {
                self.forget_orphan(call_id);
                Err(error)
            }
        }
    }

    /// The other side has answered a BYE: one that it refuses ends nothing.
    pub(super) fn orphan_answered(&mut self, usage: UsageId, response: &Response) {
        match response.status().code() {
            // The call is over, or nobody has it (RFC 3261 §15.1.1).
            200..=299 | 404 | 408 | 410 | 481 => {}
            _refused => self.keep_orphan(usage, &outcome::refused(response)),
        }
    }

    /// A BYE has had no answer. That nobody answers it ends the call; that it was not sent does not.
    pub(super) fn orphan_unanswered(&mut self, usage: UsageId, failure: RequestFailure) {
        match failure {
            RequestFailure::Timeout | RequestFailure::DialogEnded => {}
            RequestFailure::Transport => self.keep_orphan(usage, &outcome::unanswered(failure)),
        }
    }

    fn keep_orphan(&mut self, usage: UsageId, error: &PhoneError) {
        let ending = self.orphans.ending.remove(&usage);
        for ticket in ending.into_iter().flat_map(|(_, tickets)| tickets) {
            self.reply(ticket, Err(error.clone()));
        }
    }

    /// A dialog has ended; says whether it was one that was left behind.
    pub(super) fn orphan_ended(&mut self, usage: UsageId) -> bool {
        let Some((call_id, tickets)) = self.orphans.ending.remove(&usage) else {
            return false;
        };
        self.forget_orphan(&call_id);
        for ticket in tickets {
            self.reply(ticket, Ok(Reply::Done));
        }
        true
    }

    /// Calls the other party again, in the place of the call that it has (RFC 3891).
    pub(super) fn adopt_orphan(
        &mut self,
        ticket: Ticket,
        call_id: &str,
        mut options: CallOptions,
    ) -> Result<(), PhoneError> {
        let call = self.orphans.find(call_id)?;
        let dialog = call.dialog().ok_or_else(|| {
            PhoneError::wrong_state("Nobody has answered this call: it can only be ended")
        })?;
        if self.orphans.taking.values().any(|taken| taken == call_id) {
            return Err(PhoneError::wrong_state(
                "This call is being taken over already",
            ));
        }
        self.check_call(&options)?;
        if !self.around.agent.is_up() {
            return Err(PhoneError::not_connected());
        }
        self.check_room()?;
        let (target, replaces) = reached(&call, &dialog)?;
        let headers = [("Replaces", &*replaces), ("Require", "replaces")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        options.headers.extend(headers);
        if !call.conversation_id.is_empty() {
            options.conversation_id.get_or_insert(call.conversation_id);
        }
        let outgoing = OutgoingCall {
            target,
            session: None,
            report: None,
            closed: Closed::default(),
        };
        let id = self.dial(ticket, outgoing, options)?;
        self.orphans.taking.insert(id, call_id.to_owned());
        self.hold_others(Heard::Session(id));
        Ok(())
    }

    /// Sees who has taken a place, and writes down what has changed.
    pub(super) fn drive_orphans(&mut self) {
        let taking = std::mem::take(&mut self.orphans.taking);
        for (id, call_id) in taking {
            let session = self.sessions.get(&id).filter(|session| session.is_live());
            match session.map(Session::is_answered) {
                // Also of one that takes Replaces: it may have taken the new call beside the old (RFC 3261 §8.1.3.5).
                Some(true) => self.end_replaced(&call_id),
                Some(false) => {
                    self.orphans.taking.insert(id, call_id);
                }
                None => {}
            }
        }
        let Some(owner) = &self.orphans.owner else {
            return;
        };
        let marks = self.marks();
        let now = (marks, self.orphans.found.len());
        if self.orphans.written.as_ref() == Some(&now) {
            return;
        }
        let found = self.orphans.found.iter().cloned();
        let calls = found.chain(self.left_calls()).take(MOST_CALLS).collect();
        let text = journal::write(owner, calls);
        self.orphans.written = Some(now);
        let outputs = &mut self.around.outputs;
        outputs.push_back(Output::Journal(JournalText(text)));
    }

    /// Another call has taken its place.
    fn end_replaced(&mut self, call_id: &str) {
        let mut ending = self.orphans.ending.values();
        if ending.any(|(known, _)| known == call_id) {
            return;
        }
        let found = self.orphans.find(call_id);
        if let Some(record) = found.ok().and_then(|call| call.dialog()) {
            // What can't be sent now stays, to be ended.
            let _ = self.hang_up(call_id, &record, Vec::new());
        }
    }

    fn marks(&self) -> Vec<Mark> {
        let endpoint = self.around.agent.endpoint();
        let marks = self.sessions.values().filter_map(|session| {
            let usage = session.usage?;
            if let Some(cancel) = endpoint.cancel_record(usage) {
                return Some(Mark::Rings(usage, cancel));
            }
            let dialog = endpoint.established_dialog(usage)?;
            let told = [session.is_answered(), session.holds_peer()];
            let target = dialog.target().to_string();
            Some(Mark::Stands(usage, told, dialog.numbers(), target))
        });
        marks.collect()
    }

    fn left_calls(&self) -> impl Iterator<Item = LeftCall> {
        let endpoint = self.around.agent.endpoint();
        self.sessions.values().filter_map(|session| {
            let usage = session.usage?;
            let handle = match endpoint.dialog_record(usage) {
                Some(record) => Handle::from(record),
                None => Handle::Cancel(endpoint.cancel_record(usage)?),
            };
            let told = session.snapshot();
            Some(LeftCall {
                call_id: told.call_id,
                address: told.address,
                uri: told.uri,
                display_name: told.display_name,
                asserted: told.identity.asserted.into_iter().next().map(|by| by.uri),
                conversation_id: told.conversation_id,
                outgoing: told.direction == crate::door::event::Direction::Outgoing,
                held: told.held,
                start_time: told.start_time,
                handle,
            })
        })
    }
}

/// Where the other party is called, and what names the call as it has it.
fn reached(call: &LeftCall, record: &DialogRecord) -> Result<(Uri<'static>, String), PhoneError> {
    let nowhere = || {
        PhoneError::wrong_state("The other party of this call has no address that can be called")
    };
    let dialog = Dialog::restore(record).ok_or_else(nowhere)?;
    let id = dialog.id();
    let replaces = Replaces::new(id.call_id.clone(), &id.remote_tag, &id.local_tag);
    let contact = dialog.target();
    // A GRUU finds the very device; any other Contact only the proxy of whoever has it knows.
    let target = match (contact.param("gr"), call.outgoing, &call.asserted) {
        (Some(_), _, _) => contact.clone(),
        (None, true, _) => call.uri.parse().map_err(|_| nowhere())?,
        (None, false, Some(asserted)) => asserted.parse().map_err(|_| nowhere())?,
        // From is what the caller likes to write: it may be a number that costs us.
        (None, false, None) => {
            return Err(PhoneError::wrong_state(
                "This call came in, its caller's phone has no GRUU, and no server asserts who called: end it, and call \
                 them yourself if you know them",
            ));
        }
    };
    Ok((target, replaces.to_string()))
}
