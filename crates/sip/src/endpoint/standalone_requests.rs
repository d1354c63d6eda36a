//! Requests of ours outside any dialog: OPTIONS, MESSAGE and the like.

use std::time::Instant;

use super::command::{Body, CommandError};
use super::compose::As;
use super::event::{Event, RequestId};
use super::state::usage::Sent;
use super::{Endpoint, FlowId};
use crate::auth::Unsupported;
use crate::dialog::Origin;
use crate::header::CSeq;
use crate::message::{HeaderName, Method, Request, Response, StatusCode};
use crate::transaction::ClientKey;
use crate::uri::Uri;

/// How often one request is sent again with other credentials: a proxy's, a second proxy's, the server's, and one stale nonce.
pub(super) const MAX_RETRIES: u32 = 4;

impl Endpoint {
    /// Sends a request outside any dialog; one `Response` or `RequestFailed` follows.
    pub fn request_outside(
        &mut self,
        target: &Uri<'_>,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
    ) -> Result<RequestId, CommandError> {
        let has_its_own = matches!(
            method,
            Method::Invite | Method::Ack | Method::Cancel | Method::Bye | Method::Register
        );
        if has_its_own {
            return Err(CommandError::WrongState {
                state: "there is a command of its own for that method",
            });
        }
        let flow = self.flow_to(target)?;
        self.check_transactions()?;
        let mut request = self.request_to(method, target, headers, body, As::Ourselves)?;
        self.signer.sign(&mut request, None);
        let id = RequestId(self.draws.id());
        self.send_outside(flow, id, request, 0, now);
        self.settle(now);
        Ok(id)
    }

    pub(super) fn receive_outside_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) {
        let Some(Sent::Outside {
            id,
            request,
            retries,
        }) = self.exchanges.take_sent(key)
        else {
            return;
        };
        let again = self.answer_challenge(&response, &request, retries, None, None);
        match (again, self.flows.choose(None)) {
            (Some(request), Some(flow)) => self.send_outside(flow, id, request, retries + 1, now),
            (Some(_), None) | (None, _) => self.emit(Event::Response { id, response }),
        }
    }

    fn send_outside(
        &mut self,
        flow: FlowId,
        id: RequestId,
        request: Request,
        retries: u32,
        now: Instant,
    ) {
        let sent = |request| Sent::Outside {
            id,
            request,
            retries,
        };
        self.send(flow, request, sent, now);
    }

    pub(super) fn check_transactions(&self) -> Result<(), CommandError> {
        match self.layer.may_send() {
            true => Ok(()),
            false => Err(CommandError::Limit {
                limit: self.config.limits.sent_requests,
            }),
        }
    }

    /// Answers a challenge: the same request under the next CSeq, same Call-ID and From tag, with credentials; `None` if there is nothing to answer or no use (RFC 3261 §22.2).
    pub(super) fn answer_challenge(
        &mut self,
        response: &Response,
        request: &Request,
        retries: u32,
        cseq: Option<u32>,
        origin: Option<&Origin>,
    ) -> Option<Request> {
        match self.try_challenge(response, request, retries, cseq, origin) {
            Ok(again) => Some(again),
            Err(None) => None,
            Err(Some(why)) => {
                let method = request.method().clone();
                self.emit(Event::Unanswered { method, why });
                None
            }
        }
    }

    /// As [`Self::answer_challenge`], with what was wrong with the challenge, if it was that.
    pub(super) fn try_challenge(
        &mut self,
        response: &Response,
        request: &Request,
        retries: u32,
        cseq: Option<u32>,
        origin: Option<&Origin>,
    ) -> Result<Request, Option<Unsupported>> {
        if !is_challenge(response) || retries >= MAX_RETRIES {
            return Err(None);
        }
        let again = renumbered(request, cseq);
        self.signer
            .answer(response, request, origin, again, self.draws.rng())
    }
}

pub(super) fn is_challenge(response: &Response) -> bool {
    let status = response.status();
    status == StatusCode::UNAUTHORIZED || status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
}

/// Makes the same request under the given CSeq number, or the next, without its old credentials.
pub(super) fn renumbered(request: &Request, cseq: Option<u32>) -> Request {
    let mut again = request.clone();
    let old = request.headers().cseq();
    let next = cseq.unwrap_or_else(|| old.map_or(1, |cseq| cseq.number.saturating_add(1)));
    let headers = again.headers_mut();
    headers.replace_typed(&CSeq::new(next, request.method().clone()));
    headers.remove(HeaderName::Authorization);
    headers.remove(HeaderName::ProxyAuthorization);
    again
}
