//! Transfers: what concerns more than one session.

use sip::endpoint::ServerRequestId;
use sip::message::Request;

use super::calling::OutgoingCall;
use super::{Heard, Phone};
use crate::agent::Context;
use crate::door::audio;
use crate::door::command::{CallOptions, WhenRinging};
use crate::door::error::{ErrorCode, ErrorType, PhoneError};
use crate::door::id::{SessionId, Ticket};
use crate::door::output::Reply;
use crate::reading::{refer_to, target};
use crate::session::{Heritage, Session, State, Transferred, not_answered, under_way};

/// Transfers to calls that are not answered yet.
#[derive(Debug, Default)]
pub(super) struct Transfers(Vec<WaitingTransfer>);

/// A transfer that waits for what becomes of another call.
#[derive(Debug)]
struct WaitingTransfer {
    ticket: Ticket,
    id: SessionId,
    other: SessionId,
    /// The other call is given up, and this target named once it is over.
    blind: Option<String>,
}

impl Transfers {
    /// Whether one of this session waits.
    fn has(&self, id: SessionId) -> bool {
        self.0.iter().any(|waiting| waiting.id == id)
    }

    /// Takes back a transfer that waits; both calls go on.
    pub(super) fn abort(&mut self, ticket: Ticket, ctx: &mut Context<'_>) -> bool {
        let waits = |waiting: &WaitingTransfer| waiting.ticket == ticket && waiting.blind.is_none();
        let Some(index) = self.0.iter().position(waits) else {
            return false;
        };
        self.0.remove(index);
        let error = PhoneError::aborted().with_kind(ErrorType::Call);
        ctx.reply(ticket, Err(error));
        true
    }
}

impl Phone {
    pub(super) fn transfer(
        &mut self,
        ticket: Ticket,
        id: SessionId,
        target: &str,
    ) -> Result<(), PhoneError> {
        let target = target::resolve(target, &self.around.config.address)?;
        let refer_to = refer_to::blind(&target);
        if self.transfers.has(id) {
            return Err(under_way());
        }
        self.act_on_live(id, |session, ctx| {
            session.transfer(ticket, refer_to, None, ctx);
        })
    }

    pub(super) fn attended_transfer(
        &mut self,
        ticket: Ticket,
        id: SessionId,
        other: SessionId,
        ringing: WhenRinging,
    ) -> Result<(), PhoneError> {
        self.live(id)?;
        self.live(other)?;
        if id == other {
            return Err(PhoneError::invalid(
                "A session can't be transferred to itself",
            ));
        }
        let answered = |id| self.sessions.get(&id).is_some_and(Session::is_answered);
        if !answered(id) {
            return Err(not_answered());
        }
        if self.transfers.has(id) || self.is_being_transferred(id) {
            return Err(under_way());
        }
        let blind = match ringing {
            WhenRinging::Blind if !self.has_answer(other) => Some(self.give_up(other)?),
            WhenRinging::Blind | WhenRinging::Wait => None,
        };
        self.transfers.0.push(WaitingTransfer {
            ticket,
            id,
            other,
            blind,
        });
        Ok(())
    }

    /// Ends a consultation that nobody has answered; returns the `Refer-To` that names its target.
    fn give_up(&mut self, other: SessionId) -> Result<String, PhoneError> {
        if !self.around.agent.is_up() {
            return Err(PhoneError::not_connected());
        }
        let session = self.sessions.get(&other);
        let target = session
            .filter(|session| session.is_ringing_there())
            .and_then(|session| session.facts.peer.uri.parse().ok())
            .map(|target| refer_to::blind(&target))
            .ok_or_else(not_answered)?;
        self.act_on_live(other, |session, ctx| session.end(None, ctx))?;
        Ok(target)
    }

    /// Also where the application does not know of it yet.
    fn has_answer(&self, id: SessionId) -> bool {
        let session = self.sessions.get(&id);
        session.is_some_and(|session| matches!(session.state, State::Active(_)))
    }

    fn is_being_transferred(&self, id: SessionId) -> bool {
        let session = self.sessions.get(&id);
        session.is_some_and(Session::is_being_transferred)
    }

    /// Sends the REFERs whose time has come, and tells of those whose time will not.
    pub(super) fn drive_waiting_transfers(&mut self) {
        for waiting in std::mem::take(&mut self.transfers.0) {
            let (ticket, id, other) = (waiting.ticket, waiting.id, waiting.other);
            let outcome = match self.refer_to_waiting(&waiting) {
                Ok(None) => {
                    self.transfers.0.push(waiting);
                    continue;
                }
                Ok(Some(refer_to)) => {
                    let consultation = waiting.blind.is_none().then_some(other);
                    self.act_on_live(id, |session, ctx| {
                        session.transfer(ticket, refer_to, consultation, ctx);
                    })
                }
                Err(text) => Err(PhoneError::new(ErrorCode::TransferFailed, text)),
            };
            if let Err(error) = outcome {
                self.reply(ticket, Err(error));
            }
        }
    }

    /// What the REFER of a waiting transfer names; nothing while it has to wait.
    fn refer_to_waiting(&self, waiting: &WaitingTransfer) -> Result<Option<String>, &'static str> {
        let answered = |session: &&Session| session.is_answered();
        if self.sessions.get(&waiting.id).filter(answered).is_none() {
            return Err("The session ended before its transfer");
        }
        let other = self.sessions.get(&waiting.other);
        match (&waiting.blind, other) {
            // Its target may be busy until the CANCEL has arrived.
            (Some(_), Some(_)) => Ok(None),
            (Some(target), None) => Ok(Some(target.clone())),
            (None, Some(session)) if session.is_answered() => {
                let refer_to = self.refer_to(waiting.other).map(Some);
                refer_to.ok_or("The other call has no address that can be called")
            }
            (None, Some(session)) if session.is_live() => Ok(None),
            (None, Some(_) | None) => Err("The other call ended before it was answered"),
        }
    }

    /// Names the other party of an answered call, and the call itself as it sees it.
    fn refer_to(&self, other: SessionId) -> Option<String> {
        let session = self
            .sessions
            .get(&other)
            .filter(|other| other.is_answered())?;
        let (replaces, contact) = self.around.agent.replaces(session.usage?)?;
        let address = session.facts.peer.uri.parse().ok();
        // RFC 5589 §7.3: a GRUU finds the very device; any other Contact only our own proxy knows.
        let target = match contact.param("gr") {
            Some(_) => contact,
            None => address?,
        };
        Some(refer_to::attended(&target, &replaces))
    }

    pub(super) fn follow(
        &mut self,
        ticket: Ticket,
        id: SessionId,
        mut options: CallOptions,
    ) -> Result<(), PhoneError> {
        if !self.around.agent.is_up() {
            return Err(PhoneError::not_connected());
        }
        if options.media.is_none() {
            let asked = self.sessions.get(&id);
            let phone = &self.around.config.media;
            options.media = asked.and_then(|session| session.kept_media(phone));
        }
        self.check_call(&options)?;
        // While the call lasts the new one comes in its place; after that it is one more.
        if self
            .sessions
            .get(&id)
            .is_some_and(|session| !session.is_live())
        {
            self.check_room()?;
        }
        let followed = match self.act_on(id, Session::follow) {
            Some(followed) => followed?,
            None => return self.known(id),
        };
        options.headers.extend(followed.referred.headers);
        let heritage = self.sessions.get(&id).and_then(Session::heritage);
        let call = OutgoingCall {
            target: followed.referred.target,
            session: self.sessions.get(&id).and_then(Session::uuid),
            report: followed.report,
            closed: heritage.as_ref().map(Heritage::closed).unwrap_or_default(),
        };
        if self.sessions.get(&id).is_some_and(Session::has_no_input) {
            options.input.get_or_insert(audio::Input::None);
        }
        let held = call.closed.held;
        let new = self.dial(ticket, call, options)?;
        self.expect_heir(id, new);
        match heritage.filter(|heritage| heritage.seat.is_some()) {
            // The target comes in the place of the member that asked for it.
            Some(heritage) => self.expect_successor(&heritage, new),
            // Nobody makes way for who is on hold.
            None if held => {}
            None => self.hold_others(Heard::Session(new)),
        }
        Ok(())
    }

    pub(super) fn refuse_transfer(&mut self, id: SessionId) -> Result<(), PhoneError> {
        match self.act_on(id, Session::refuse_referral) {
            Some(refused) => refused,
            None => self.known(id),
        }
    }

    pub(super) fn is_about_transfer(&self, session: SessionId, request: &Request) -> bool {
        let session = self.sessions.get(&session);
        session.is_some_and(|session| session.is_about_transfer(request))
    }

    pub(super) fn transfer_reported(
        &mut self,
        session: SessionId,
        id: ServerRequestId,
        request: &Request,
    ) {
        let done = self.act_on(session, |session, ctx| {
            session.transfer_reported(id, request, ctx)
        });
        let Some(Some(Transferred {
            ticket,
            consultation,
        })) = done
        else {
            return;
        };
        if let Some(other) = consultation {
            self.act_on(other, Session::consulted);
        }
        // Guarantee 5: who was in a conference has left it by now.
        self.drive_conferences();
        self.reply(ticket, Ok(Reply::Done));
    }
}
