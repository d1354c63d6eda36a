//! Transfers: what concerns more than one session.

use sip::endpoint::ServerRequestId;
use sip::message::Request;

use super::Phone;
use crate::account::not_connected;
use crate::command::CallOptions;
use crate::error::{ErrorCode, ErrorType, PhoneError};
use crate::id::{SessionId, Ticket};
use crate::output::Reply;
use crate::session::{Session, Transferred};
use crate::{refer_to, target};

impl Phone {
    pub(super) fn transfer(
        &mut self,
        ticket: Ticket,
        id: SessionId,
        target: &str,
    ) -> Result<(), PhoneError> {
        let target = target::resolve(target, &self.config.address)?;
        let refer_to = refer_to::blind(&target);
        self.session(id, |session, ctx| {
            session.transfer(ticket, refer_to, None, ctx);
        })
    }

    pub(super) fn attended_transfer(
        &mut self,
        ticket: Ticket,
        id: SessionId,
        other: SessionId,
    ) -> Result<(), PhoneError> {
        self.live(id)?;
        self.live(other)?;
        if id == other {
            return Err(PhoneError::new(
                ErrorCode::InvalidArgument,
                ErrorType::InvalidOptions,
                "A session can't be transferred to itself",
            ));
        }
        let refer_to = self.refer_to(other).ok_or_else(|| {
            PhoneError::new(
                ErrorCode::SessionState,
                ErrorType::Session,
                "The other session must be answered: end it and transfer to its target instead",
            )
        })?;
        self.session(id, |session, ctx| {
            session.transfer(ticket, refer_to, Some(other), ctx);
        })
    }

    /// Names the other party of an answered call, and the call itself as it sees it.
    fn refer_to(&self, other: SessionId) -> Option<String> {
        let session = self
            .sessions
            .get(&other)
            .filter(|other| other.is_answered())?;
        let (replaces, contact) = self.agent.replaces(session.usage?)?;
        let address = session.peer.uri.parse().ok();
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
        if !self.agent.is_up() {
            return Err(not_connected());
        }
        self.check_call(&options)?;
        let followed = match self.with(id, |session, _| session.follow()) {
            Some(followed) => followed?,
            None => return self.known(id),
        };
        options.headers.extend(followed.referred.headers);
        let target = followed.referred.target;
        self.dial(ticket, target, options, followed.report);
        Ok(())
    }

    pub(super) fn refuse_transfer(&mut self, id: SessionId) -> Result<(), PhoneError> {
        match self.with(id, Session::refuse_referral) {
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
        let done = self.with(session, |session, ctx| {
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
            self.with(other, Session::consulted);
        }
        self.reply(ticket, Ok(Reply::Done));
    }
}
