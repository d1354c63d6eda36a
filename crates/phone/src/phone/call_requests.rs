//! Others who ask this phone to call somebody, outside any call: click-to-dial by a third party (RFC 3515, RFC 5589 §4).
//!
//! **Nobody is called before the application says so**: our account pays, and the microphone opens here.

use std::time::{Duration, Instant};

use sip::endpoint::{Reply as Answer, ServerRequestId};
use sip::message::{HeaderName, Request};

use super::calling::Call;
use super::command::refusal;
use super::{Party, Phone};
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

/// A REFER that the application has not decided on.
#[derive(Debug)]
pub(super) struct Asked {
    request: ServerRequestId,
    referred: Referred,
    silent: bool,
    until: Instant,
}

impl Phone {
    pub(super) fn call_requested(&mut self, request: ServerRequestId, message: &Request) {
        if self.ending.has_begun() || self.call_requests.len() >= MOST_ASKED {
            return self.context().answer(request, &Answer::new(480));
        }
        let referred = match refer_to::read(message, &self.config.address) {
            Ok(referred) => referred,
            Err(code) => return self.context().answer(request, &Answer::new(code)),
        };
        let headers = message.headers();
        self.call_request_count += 1;
        let id = self.call_request_count;
        let event = CallRequest {
            id,
            target: referred.target.to_string(),
            attended: referred.attended,
            from: parties::caller(headers),
            identity: caller_identity::read(headers),
            referred_by: headers.get(HeaderName::ReferredBy).map(short),
            headers: headers::list(headers),
        };
        let asked = Asked {
            request,
            referred,
            silent: wants_no_report(message),
            until: self.now + PATIENCE,
        };
        self.call_requests.insert(id, asked);
        self.context().emit(Event::CallRequested(Box::new(event)));
    }

    /// Calls whom a request names, and reports to who asked.
    pub(super) fn accept_call_request(
        &mut self,
        ticket: Ticket,
        id: u64,
        mut options: CallOptions,
    ) -> Result<(), PhoneError> {
        if !self.call_requests.contains_key(&id) {
            return Err(nobody_asks());
        }
        self.check_call(&options)?;
        if !self.agent.is_up() {
            return Err(PhoneError::not_connected());
        }
        self.check_room()?;
        let asked = self.call_requests.remove(&id).ok_or_else(nobody_asks)?;
        let report = match asked.silent {
            true => {
                self.context().answer(asked.request, &without_report());
                None
            }
            false => {
                let most = Duration::from_secs(REPORTS_EXPIRE.into());
                let trying = sipfrag::write(&sipfrag::status(100));
                let open = self.context().act(|endpoint, now| {
                    endpoint.accept_subscription(asked.request, most, Some(trying), now)
                });
                match open {
                    Ok(open) => Some(Report::Outside(open)),
                    Err(error) => {
                        self.context().answer(asked.request, &Answer::new(480));
                        return Err(outcome::not_sent(&error));
                    }
                }
            }
        };
        options.headers.extend(asked.referred.headers);
        let call = Call {
            target: asked.referred.target,
            session: None,
            report,
            closed: Closed::default(),
        };
        let id = self.dial(ticket, call, options)?;
        self.hold_others(Party::Session(id));
        Ok(())
    }

    pub(super) fn reject_call_request(
        &mut self,
        id: u64,
        code: Option<u16>,
        reason: Option<String>,
    ) -> Result<(), PhoneError> {
        let code = refusal(code.unwrap_or(603), reason.as_deref())?;
        let asked = self.call_requests.remove(&id).ok_or_else(nobody_asks)?;
        let answer = Answer {
            reason,
            ..Answer::new(code)
        };
        self.context().answer(asked.request, &answer);
        Ok(())
    }

    /// The request is gone before the application has decided; false if it was none of these.
    pub(super) fn call_request_gone(&mut self, gone: ServerRequestId) -> bool {
        let before = self.call_requests.len();
        self.call_requests.retain(|_, asked| asked.request != gone);
        self.call_requests.len() < before
    }

    pub(super) fn call_request_deadline(&self) -> Option<(Instant, Wake)> {
        let waits = self.call_requests.values().map(|asked| asked.until);
        Some((waits.min()?, Wake::CallRequest))
    }

    /// Refuses what the application has not decided in time.
    pub(super) fn drive_call_requests(&mut self) {
        let now = self.now;
        self.refuse_call_requests(|asked| asked.until <= now);
    }

    /// The phone ends.
    pub(super) fn drop_call_requests(&mut self) {
        self.refuse_call_requests(|_| true);
    }

    fn refuse_call_requests(&mut self, which: impl Fn(&Asked) -> bool) {
        let refused: Vec<u64> = self
            .call_requests
            .iter()
            .filter_map(|(id, asked)| which(asked).then_some(*id))
            .collect();
        for id in refused {
            if let Some(asked) = self.call_requests.remove(&id) {
                self.context().answer(asked.request, &Answer::new(480));
            }
        }
    }
}

fn nobody_asks() -> PhoneError {
    PhoneError::new(
        ErrorCode::SessionState,
        "No request of this id waits for a decision",
    )
    .with_kind(ErrorType::Call)
}
