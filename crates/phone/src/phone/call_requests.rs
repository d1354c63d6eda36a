//! Others who ask this phone to call somebody, outside any call: click-to-dial by a third party (RFC 3515, RFC 5589 §4).
//!
//! **Nobody is called before the application says so**: our account pays, and the microphone opens here.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sip::endpoint::{Reply as Answer, ServerRequestId};
use sip::message::{HeaderName, Request};

use super::calling::OutgoingCall;
use super::command::refusal;
use super::{Heard, Phone};
use crate::agent::Context;
use crate::door::command::CallOptions;
use crate::door::error::{ErrorCode, ErrorType, PhoneError};
use crate::door::event::{CallRequest, Event};
use crate::door::id::Ticket;
use crate::door::output::Wake;
use crate::door::text::short;
use crate::reading::refer_to::{self, Referred};
use crate::reading::{caller_identity, headers, outcome, parties, sipfrag};
use crate::session::{Closed, REPORTS_EXPIRE, Report, wants_no_report, without_report};

/// Requests that wait for the application at once.
const MOST_ASKED: usize = 64;
/// A client gives up after 32 s, and a proxy on the way may be less patient.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who asks this phone to call somebody, by the number that the application knows.
#[derive(Debug, Default)]
pub(super) struct CallRequests {
    all: BTreeMap<u64, Asked>,
    count: u64,
}

/// A REFER that the application has not decided on.
#[derive(Debug)]
struct Asked {
    request: ServerRequestId,
    referred: Referred,
    silent: bool,
    until: Instant,
}

impl CallRequests {
    pub(super) fn requested(
        &mut self,
        request: ServerRequestId,
        message: &Request,
        ctx: &mut Context<'_>,
    ) {
        if self.all.len() >= MOST_ASKED {
            return ctx.answer(request, &Answer::new(480));
        }
        let referred = match refer_to::read(message, &ctx.config.address) {
            Ok(referred) => referred,
            Err(code) => return ctx.answer(request, &Answer::new(code)),
        };
        let headers = message.headers();
        let trust = ctx.agent.trust_in(&request, ctx.config);
        self.count += 1;
        let event = CallRequest {
            id: self.count,
            target: referred.target.to_string(),
            attended: referred.attended,
            from: parties::caller(headers),
            identity: caller_identity::read(headers, trust),
            referred_by: headers.get(HeaderName::ReferredBy).map(short),
            headers: headers::list(headers),
        };
        let asked = Asked {
            request,
            referred,
            silent: wants_no_report(message),
            until: ctx.now + PATIENCE,
        };
        self.all.insert(self.count, asked);
        ctx.emit(Event::CallRequested(Box::new(event)));
    }

    /// Refuses a request; the application has decided so.
    pub(super) fn reject(
        &mut self,
        id: u64,
        code: Option<u16>,
        reason: Option<String>,
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        let code = refusal(code.unwrap_or(603), reason.as_deref())?;
        let asked = self.take(id)?;
        let answer = Answer {
            reason,
            ..Answer::new(code)
        };
        ctx.answer(asked.request, &answer);
        Ok(())
    }

    /// The request is gone before the application has decided; false if it was none of these.
    pub(super) fn request_gone(&mut self, gone: ServerRequestId) -> bool {
        let before = self.all.len();
        self.all.retain(|_, asked| asked.request != gone);
        self.all.len() < before
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Wake)> {
        let waits = self.all.values().map(|asked| asked.until);
        Some((waits.min()?, Wake::CallRequest))
    }

    /// Refuses what the application has not decided in time.
    pub(super) fn handle_timeout(&mut self, ctx: &mut Context<'_>) {
        let now = ctx.now;
        self.refuse(|asked| asked.until <= now, ctx);
    }

    /// The phone ends.
    pub(super) fn leave(&mut self, ctx: &mut Context<'_>) {
        self.refuse(|_| true, ctx);
    }

    fn refuse(&mut self, which: impl Fn(&Asked) -> bool, ctx: &mut Context<'_>) {
        for (_, asked) in self.all.extract_if(.., |_, asked| which(asked)) {
            ctx.answer(asked.request, &Answer::new(480));
        }
    }

    fn known(&self, id: u64) -> Result<(), PhoneError> {
        match self.all.contains_key(&id) {
            true => Ok(()),
            false => Err(nobody_asks()),
        }
    }

    fn take(&mut self, id: u64) -> Result<Asked, PhoneError> {
        self.all.remove(&id).ok_or_else(nobody_asks)
    }
}

impl Asked {
    /// Tells who asks that the call is tried; returns whom to report to, if somebody wants to know more.
    fn accept(&self, ctx: &mut Context<'_>) -> Result<Option<Report>, PhoneError> {
        if self.silent {
            ctx.answer(self.request, &without_report());
            return Ok(None);
        }
        let most = Duration::from_secs(REPORTS_EXPIRE.into());
        let trying = sipfrag::write(&sipfrag::status(100));
        let open = ctx.act_for(&self.request, |endpoint, now| {
            endpoint.accept_subscription(self.request, most, Some(trying), now)
        });
        match open {
            Ok(open) => Ok(Some(Report::Outside(open))),
            Err(error) => {
                ctx.answer(self.request, &Answer::new(480));
                Err(outcome::not_sent(&error))
            }
        }
    }
}

impl Phone {
    /// Calls whom a request names, and reports to who asked.
    pub(super) fn accept_call_request(
        &mut self,
        ticket: Ticket,
        id: u64,
        mut options: CallOptions,
    ) -> Result<(), PhoneError> {
        self.call_requests.known(id)?;
        self.check_call(&options)?;
        if !self.around.agent.is_up() {
            return Err(PhoneError::not_connected());
        }
        self.check_room()?;
        let asked = self.call_requests.take(id)?;
        let report = asked.accept(&mut self.around.context())?;
        options.headers.extend(asked.referred.headers);
        let call = OutgoingCall {
            target: asked.referred.target,
            session: None,
            report,
            closed: Closed::default(),
        };
        let id = self.dial(ticket, call, options)?;
        self.hold_others(Heard::Session(id));
        Ok(())
    }
}

fn nobody_asks() -> PhoneError {
    PhoneError::new(
        ErrorCode::SessionState,
        "No request of this id waits for a decision",
    )
    .with_kind(ErrorType::Call)
}
