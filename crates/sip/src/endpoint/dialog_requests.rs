//! What we send inside a call's dialog: re-INVITE, UPDATE, INFO and the rest (RFC 3261 §12.2.1, §14.1).

use std::time::{Duration, Instant};

use rand::RngExt;

use super::command::{Body, CommandError};
use super::compose::{check_body, check_headers, push_all, with_body};
use super::event::{EndCause, Event, RequestFailure, RequestId, UsageId};
use super::standalone_requests::{MAX_RETRIES, is_challenge, renumbered};
use super::state::timing::Timing;
use super::state::usage::{Established, OurOffer, OwedAck, Sent, Unacked, Usage, WithinSent};
use super::{Alarm, Endpoint};
use crate::dialog::{Dialog, Role, to_tag};
use crate::message::{Method, Request, Response, StatusCode};
use crate::transaction::{ClientKey, FlowId};

impl Endpoint {
    /// Sends a request inside an established call's dialog; one `Response` or `RequestFailed` follows.
    ///
    /// BYE also ends the call, with `Ended`, at its answer; it waits where a callee has no ACK yet, and needs no flow.
    pub fn request(
        &mut self,
        usage: UsageId,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
    ) -> Result<RequestId, CommandError> {
        check_headers(headers)?;
        check_body(body)?;
        match self.calls.get(usage) {
            Some(Usage::Lingering(_)) if method == Method::Notify => {}
            Some(_) | None => {
                let established = self.established(usage)?;
                // What a REFER made goes on beside the BYE (RFC 5057 §4.2).
                let notifies = method == Method::Notify && established.retained > 0;
                let leaving = established.bye.is_some() || established.held_bye.is_some();
                if leaving && !notifies {
                    return Err(wrong("our BYE is out"));
                }
            }
        }
        let result = if method == Method::Bye {
            Ok(self.bye(usage, headers, body, now))
        } else if matches!(method, Method::Ack | Method::Cancel | Method::Register) {
            Err(wrong("there is a command of its own for that method"))
        } else {
            self.request_in(usage, method, headers, body, now)
        };
        self.settle(now);
        result
    }

    pub(super) fn established(&self, usage: UsageId) -> Result<&Established, CommandError> {
        match self.calls.get(usage) {
            Some(Usage::Established(established)) => Ok(established),
            Some(other) => Err(wrong(other.state())),
            None => Err(CommandError::Unknown),
        }
    }

    pub(super) fn request_in(
        &mut self,
        usage: UsageId,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
    ) -> Result<RequestId, CommandError> {
        self.check_transactions()?;
        let offers = is_offer(&method, body.is_some());
        if offers && self.established(usage)?.has_offer_pending() {
            return Err(CommandError::OfferPending);
        }
        let (_, preferred) = self.dialog_and_flow(usage).ok_or(CommandError::Unknown)?;
        let preferred = *preferred;
        let flow = self
            .flows
            .choose(Some(preferred))
            .ok_or(CommandError::NoFlow)?;
        let id = RequestId(self.draws.id());
        let request = self
            .make_within(usage, method, headers, body)
            .ok_or(CommandError::Unknown)?;
        let client = self.send_within(usage, id, flow, request, 0, now);
        if let Some(established) = self.calls.established_mut(usage) {
            established.flow = flow;
            if offers {
                established.our_offer = Some(OurOffer { id, client });
                self.alarms.stop(Alarm::OfferDue(usage));
            }
        }
        Ok(id)
    }

    /// The dialog of a call, or what is kept of it, and the flow that it came over last.
    fn dialog_and_flow(&mut self, usage: UsageId) -> Option<(&mut Dialog, &mut FlowId)> {
        match self.calls.get_mut(usage)? {
            Usage::Established(established) => {
                Some((&mut established.dialog, &mut established.flow))
            }
            Usage::Lingering(lingering) => Some((&mut lingering.dialog, &mut lingering.flow)),
            Usage::Calling(_) | Usage::Called(_) => None,
        }
    }

    fn timing(&self, usage: UsageId) -> Timing {
        match self.calls.get(usage) {
            Some(Usage::Established(established)) => established.timing,
            Some(Usage::Calling(_) | Usage::Called(_) | Usage::Lingering(_)) | None => {
                Timing::default()
            }
        }
    }

    pub(super) fn make_within(
        &mut self,
        usage: UsageId,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
    ) -> Option<Request> {
        let timing = self.timing(usage);
        let (dialog, _) = self.dialog_and_flow(usage)?;
        let private = dialog.is_private();
        let origin = dialog.origin().clone();
        let mut request = dialog.request(method);
        self.push_common(&mut request, private);
        push_all(request.headers_mut(), headers);
        let mut request = with_body(request, body);
        self.ask_for_timer(&mut request, timing);
        self.signer.sign(&mut request, Some(&origin));
        Some(request)
    }

    pub(super) fn send_within(
        &mut self,
        usage: UsageId,
        id: RequestId,
        flow: FlowId,
        request: Request,
        retries: u32,
        now: Instant,
    ) -> ClientKey {
        let sent = |request| {
            Sent::Within(WithinSent {
                usage,
                id,
                request,
                retries,
                accepted: false,
            })
        };
        self.send(flow, request, sent, now)
    }

    pub(super) fn receive_within_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) {
        let Some(Sent::Within(sent)) = self.exchanges.sent(key) else {
            return;
        };
        if sent.request.method() == &Method::Invite && response.status().is_success() {
            return self.reinvite_accepted(key, response, now);
        }
        let Some(Sent::Within(sent)) = self.exchanges.take_sent(key) else {
            return;
        };
        match self.challenged_within(&sent, &response) {
            Some((flow, again)) => self.send_within_again(sent, flow, again, now),
            None => self.within_answered(&sent, response, now),
        }
    }

    fn challenged_within(
        &mut self,
        sent: &WithinSent,
        response: &Response,
    ) -> Option<(FlowId, Request)> {
        let (_, flow) = self.dialog_and_flow(sent.usage)?;
        let preferred = *flow;
        let mut timing = self.timing(sent.usage);
        if sent.retries < MAX_RETRIES && self.longer_interval(&sent.request, response, &mut timing)
        {
            return self.ask_for_longer(sent, timing, preferred);
        }
        let (dialog, _) = self.dialog_and_flow(sent.usage)?;
        let cseq = is_challenge(response).then(|| dialog.next_cseq());
        let origin = dialog.origin().clone();
        let (request, retries) = (&sent.request, sent.retries);
        let again = self.answer_challenge(response, request, retries, cseq, Some(&origin))?;
        Some((self.flows.choose(Some(preferred))?, again))
    }

    fn ask_for_longer(
        &mut self,
        sent: &WithinSent,
        timing: Timing,
        preferred: FlowId,
    ) -> Option<(FlowId, Request)> {
        let established = self.calls.established_mut(sent.usage)?;
        established.timing = timing;
        let cseq = established.dialog.next_cseq();
        let origin = established.dialog.origin().clone();
        let mut again = renumbered(&sent.request, Some(cseq));
        self.ask_for_timer(&mut again, timing);
        self.signer.sign(&mut again, Some(&origin));
        Some((self.flows.choose(Some(preferred))?, again))
    }

    fn send_within_again(&mut self, sent: WithinSent, flow: FlowId, again: Request, now: Instant) {
        let WithinSent {
            usage, id, retries, ..
        } = sent;
        let client = self.send_within(usage, id, flow, again, retries + 1, now);
        if let Some(established) = self.calls.established_mut(usage)
            && let Some(offer) = &mut established.our_offer
            && offer.id == id
        {
            offer.client = client;
        }
    }

    /// A 2xx to our re-INVITE: the first refreshes the target, each repeat is given the same ACK.
    fn reinvite_accepted(&mut self, key: ClientKey, response: Response, now: Instant) {
        let tag = to_tag(response.headers()).unwrap_or_default();
        if self.repeat_ack(key, &tag) {
            return;
        }
        let Some(Sent::Within(sent)) = self.exchanges.sent_mut(key) else {
            return;
        };
        let (usage, id, invite) = (sent.usage, sent.id, sent.request.clone());
        let Some(established) = self.calls.established_mut(usage) else {
            return;
        };
        if established.our_offer.is_none_or(|offer| offer.id != id) {
            return;
        }
        sent.accepted = true;
        established.dialog.refresh_target(response.headers());
        established.learn_abilities(response.headers());
        established.our_offer = None;
        let (dialog, flow) = (established.dialog.clone(), established.flow);
        self.alarms
            .start(Alarm::Forks(key), now + self.config.timings.patience());
        if invite.body().is_empty() {
            established.owed_ack = Some(OwedAck {
                client: key,
                invite,
                remote_tag: tag,
            });
        } else {
            self.send_ack(&dialog, key, &invite, flow, None);
        }
        // Who accepts our offer has had our answer to theirs, although its ACK was lost.
        self.arrived_2xx(usage, now);
        self.timer_agreed(usage, &response, now);
        self.emit(Event::Response { id, response });
    }

    fn within_answered(&mut self, sent: &WithinSent, response: Response, now: Instant) {
        let (usage, id) = (sent.usage, sent.id);
        let method = sent.request.method();
        let Some(established) = self.calls.established_mut(usage) else {
            return self.emit(Event::Response { id, response });
        };
        let ours = established.our_offer.is_some_and(|offer| offer.id == id);
        if ours {
            established.our_offer = None;
        }
        let refreshed = method == &Method::Update && response.status().is_success();
        if refreshed {
            established.dialog.refresh_target(response.headers());
            established.learn_abilities(response.headers());
        }
        let role = established.dialog.role();
        if ours && response.status() == StatusCode::REQUEST_PENDING {
            let wait = self.glare_wait(role);
            self.alarms.start(Alarm::OfferDue(usage), now + wait);
        }
        if refreshed {
            self.timer_agreed(usage, &response, now);
        }
        let status = response.status();
        if ours {
            self.offer_settled(usage, status, now);
        }
        let ends = ends_call(method, status);
        let is_doubtful = ends && ours && self.flows.may_lead_nowhere(now);
        let cause = (ends && !is_doubtful).then(|| EndCause::Gone(response.clone()));
        let cause = if method == &Method::Bye {
            Some(EndCause::Local)
        } else {
            cause
        };
        self.emit(Event::Response { id, response });
        let is_timeout = status == StatusCode::REQUEST_TIMEOUT && belongs_to_call(method);
        if cause.is_none() && (is_timeout || is_doubtful) {
            self.emit(Event::NoAnswer { usage });
        }
        if let Some(cause) = cause {
            self.end(usage, cause);
        }
    }

    /// Who refuses our offer has had our answer to theirs as well, although its ACK was lost; unless it says that theirs is open
    /// still, or that it knows of no call, or says nothing.
    fn offer_settled(&mut self, usage: UsageId, status: StatusCode, now: Instant) {
        let says_so = !matches!(status.code(), 408 | 481 | 491);
        let unacked = self
            .calls
            .established(usage)
            .and_then(|established| established.unacked.as_ref());
        if says_so && unacked.is_some_and(Unacked::may_have_arrived) {
            self.arrived_2xx(usage, now);
        }
    }

    /// RFC 3261 §14.1: the owner of the Call-ID waits 2.1–4 s, the other 0–2 s, in steps of 10 ms. JsSIP makes the very offer again
    /// after one second, whoever owns the Call-ID, and ends the call if ours came before it: it comes after.
    fn glare_wait(&mut self, role: Role) -> Duration {
        let steps = match role {
            Role::Caller => 210..=400,
            Role::Callee => 150..=200,
        };
        Duration::from_millis(10 * self.draws.rng().random_range(steps))
    }

    pub(super) fn offer_is_due(&mut self, usage: UsageId) {
        if self.established(usage).is_ok() {
            self.emit(Event::OfferDue { usage });
        }
    }

    /// No answer: with its flow up, the other side may be gone; without, the dialog lives on.
    pub(super) fn within_failed(
        &mut self,
        sent: WithinSent,
        failure: RequestFailure,
        now: Instant,
    ) {
        let (usage, id) = (sent.usage, sent.id);
        let method = sent.request.method().clone();
        if let Some(established) = self.calls.established_mut(usage)
            && established.our_offer.is_some_and(|offer| offer.id == id)
        {
            established.our_offer = None;
        }
        self.emit(Event::RequestFailed { id, cause: failure });
        match (method, failure) {
            (Method::Bye, RequestFailure::Transport) => self.end_stranded(usage, sent.request, now),
            (Method::Bye, RequestFailure::Timeout | RequestFailure::DialogEnded) => {
                self.end(usage, EndCause::Local);
            }
            (method, RequestFailure::Timeout) if belongs_to_call(&method) => {
                if self.established(usage).is_ok() {
                    self.emit(Event::NoAnswer { usage });
                }
            }
            (
                _,
                RequestFailure::Timeout | RequestFailure::Transport | RequestFailure::DialogEnded,
            ) => {}
        }
    }
}

/// Says whether a request may carry an offer, one of which at a time is allowed.
pub(super) fn is_offer(method: &Method, has_body: bool) -> bool {
    method == &Method::Invite || (method == &Method::Update && has_body)
}

/// Says whether a request is the call's own, and not merely sent inside its dialog (RFC 5057 §5.2).
fn belongs_to_call(method: &Method) -> bool {
    matches!(
        method,
        Method::Invite | Method::Update | Method::Info | Method::Bye | Method::Prack
    )
}

/// Says whether an answer ends the call (RFC 3261 §12.2.1.2, RFC 5057 §5.1).
pub fn ends_call(method: &Method, status: StatusCode) -> bool {
    match status.code() {
        // The call itself is unknown.
        481 => belongs_to_call(method),
        // The dialog's target, or the way to it, is gone.
        404 | 410 | 416 | 482 | 483 | 484 | 485 | 502 | 604 => true,
        _any_other => false,
    }
}

fn wrong(state: &'static str) -> CommandError {
    CommandError::WrongState { state }
}
