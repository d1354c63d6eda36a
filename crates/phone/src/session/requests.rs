//! What the answers to our requests inside a call are for.

use sip::endpoint::{Body, RequestFailure, RequestId};
use sip::message::{Method, Response};

use super::{Context, Session};
use crate::door::error::PhoneError;
use crate::door::id::Ticket;
use crate::reading::outcome;

/// Why a request was sent inside the call; one with an offer is known by the negotiation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PendingRequest {
    /// The application's INFO.
    Info(Ticket),
    /// A key in an INFO.
    Key,
    /// A REFER.
    Refer,
}

/// How a request ended: with a 2xx or not.
pub(super) type RequestOutcome<'a> = Result<&'a Response, PhoneError>;

/// Our requests inside the call that are not answered, and what they are for.
#[derive(Debug, Default)]
pub(super) struct Requests(Vec<(RequestId, PendingRequest)>);

impl Requests {
    fn take(&mut self, id: RequestId) -> Option<PendingRequest> {
        let at = self.0.iter().position(|(known, _)| *known == id)?;
        Some(self.0.swap_remove(at).1)
    }

    /// The commands whose requests are unanswered at the end of the session.
    pub(super) fn take_tickets(&mut self) -> Vec<Ticket> {
        let tickets = self.0.iter().filter_map(|(_, purpose)| match purpose {
            PendingRequest::Info(ticket) => Some(*ticket),
            PendingRequest::Key | PendingRequest::Refer => None,
        });
        let tickets = tickets.collect();
        // A transfer may come about although its call has ended.
        self.0
            .retain(|(_, purpose)| *purpose == PendingRequest::Refer);
        tickets
    }
}

impl Session {
    /// Sends a request inside the call.
    pub(super) fn send(
        &mut self,
        purpose: PendingRequest,
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
        self.requests.0.push((request, purpose));
        Ok(request)
    }

    /// A request of ours was answered.
    pub(crate) fn request_answered(
        &mut self,
        id: RequestId,
        response: &Response,
        ctx: &mut Context<'_>,
    ) {
        match self.requests.take(id) {
            Some(purpose) if response.status().is_success() => {
                self.request_done(purpose, Ok(response), ctx);
            }
            Some(purpose) => self.request_done(purpose, Err(outcome::refused(response)), ctx),
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
        match self.requests.take(id) {
            Some(purpose) => self.request_done(purpose, Err(outcome::unanswered(failure)), ctx),
            None => self.offer_failed(id, failure, ctx),
        }
    }

    fn request_done(
        &mut self,
        purpose: PendingRequest,
        outcome: RequestOutcome<'_>,
        ctx: &mut Context<'_>,
    ) {
        match purpose {
            PendingRequest::Info(ticket) => self.info_done(ticket, outcome, ctx),
            PendingRequest::Key => self.key_done(outcome, ctx),
            PendingRequest::Refer => self.refer_done(outcome, ctx),
        }
    }
}

/// What a command fails with that only an answered call can carry out.
pub(crate) fn not_answered() -> PhoneError {
    PhoneError::wrong_state("Only an answered session can do that")
}
