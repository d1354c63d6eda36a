//! What the answers to our requests inside a call are for.

use sip::endpoint::{Body, RequestFailure, RequestId};
use sip::message::{Method, Response};

use super::{Context, Session};
use crate::door::error::PhoneError;
use crate::door::id::Ticket;
use crate::reading::outcome;

/// Why a request was sent inside the call; one with an offer is known by the negotiation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// The application's INFO.
    Info(Ticket),
    /// A key in an INFO.
    Key,
    /// A REFER.
    Refer,
}

/// How a request ended: with a 2xx or not.
pub(super) type Outcome<'a> = Result<&'a Response, PhoneError>;

impl Session {
    /// Sends a request inside the call.
    pub(super) fn send(
        &mut self,
        errand: Errand,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
        ctx: &mut Context<'_>,
    ) -> Result<RequestId, PhoneError> {
        let Some(usage) = self.usage else {
            return Err(not_answered());
        };
        let request = ctx
            .request(usage, method, headers, body)
            .map_err(|error| outcome::not_sent(&error))?;
        self.errands.push((request, errand));
        Ok(request)
    }

    /// A request of ours was answered.
    pub(crate) fn request_answered(
        &mut self,
        id: RequestId,
        response: &Response,
        ctx: &mut Context<'_>,
    ) {
        match self.take_errand(id) {
            Some(errand) if response.status().is_success() => {
                self.errand_done(errand, Ok(response), ctx);
            }
            Some(errand) => self.errand_done(errand, Err(outcome::refused(response)), ctx),
            None => self.offer_answered(id, response, ctx),
        }
    }

    /// A request of ours had no answer.
    pub(crate) fn request_failed(
        &mut self,
        id: RequestId,
        failure: RequestFailure,
        ctx: &mut Context<'_>,
    ) {
        match self.take_errand(id) {
            Some(errand) => self.errand_done(errand, Err(outcome::unanswered(failure)), ctx),
            None => self.offer_failed(id, failure, ctx),
        }
    }

    fn errand_done(&mut self, errand: Errand, outcome: Outcome<'_>, ctx: &mut Context<'_>) {
        match errand {
            Errand::Info(ticket) => self.info_done(ticket, outcome, ctx),
            Errand::Key => self.key_done(outcome, ctx),
            Errand::Refer => self.refer_done(outcome, ctx),
        }
    }

    fn take_errand(&mut self, id: RequestId) -> Option<Errand> {
        let at = self.errands.iter().position(|(known, _)| *known == id)?;
        Some(self.errands.swap_remove(at).1)
    }

    /// The commands whose requests are unanswered at the end of the session.
    pub(super) fn take_errand_tickets(&mut self) -> Vec<Ticket> {
        let tickets = self.errands.iter().filter_map(|(_, errand)| match errand {
            Errand::Info(ticket) => Some(*ticket),
            Errand::Key | Errand::Refer => None,
        });
        let tickets = tickets.collect();
        // A transfer may come about although its call has ended.
        self.errands.retain(|(_, errand)| *errand == Errand::Refer);
        tickets
    }
}

/// What a command fails with that only an answered call can carry out.
pub(crate) fn not_answered() -> PhoneError {
    PhoneError::wrong_state("Only an answered session can do that")
}
