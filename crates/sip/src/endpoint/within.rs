//! Requests inside a call's dialog, both ways: re-INVITE, UPDATE, INFO, BYE and the rest (RFC 3261 §12.2, §14, §15).

use std::time::{Duration, Instant};

use rand::RngExt;

use super::command::{Body, CommandError, Reply};
use super::compose::{check_body, check_headers, check_reply, push_all, with_body};
use super::event::{EndCause, Event, RequestFailure, RequestId, ServerRequestId, UsageId};
use super::outside::is_challenge;
use super::usage::{
    Asked, Established, HeldBye, OurOffer, OwedAck, Received, Sent, StrandedBye, Usage, WithinSent,
};
use super::{Alarm, Endpoint};
use crate::dialog::{Dialog, DialogId, Role, to_tag};
use crate::message::{Method, Request, Response, StatusCode};
use crate::transaction::{ClientKey, FlowId, ServerKey};

/// BYEs that wait for a flow; the oldest is dropped for a new one.
const MAX_STRANDED: usize = 256;

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
        let established = self.established(usage)?;
        if established.bye.is_some() || established.held_bye.is_some() {
            return Err(wrong("our BYE is out"));
        }
        let result = match &method {
            Method::Bye => Ok(self.bye(usage, headers, body, now)),
            Method::Ack | Method::Cancel | Method::Register => {
                Err(wrong("there is a command of its own for that method"))
            }
            _any_other => self.request_in(usage, method, headers, body, now),
        };
        self.settle(now);
        result
    }

    /// Answers a request that was handed up.
    pub fn answer(
        &mut self,
        id: ServerRequestId,
        reply: &Reply,
        now: Instant,
    ) -> Result<(), CommandError> {
        check_reply(reply)?;
        if !self.asked.contains_key(&id) {
            return Err(CommandError::Unknown);
        }
        self.answer_asked(id, reply, now);
        self.settle(now);
        Ok(())
    }

    fn established(&self, usage: UsageId) -> Result<&Established, CommandError> {
        match self.usages.get(&usage) {
            Some(Usage::Established(established)) => Ok(established),
            Some(other) => Err(wrong(other.state())),
            None => Err(CommandError::Unknown),
        }
    }

    fn request_in(
        &mut self,
        usage: UsageId,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
    ) -> Result<RequestId, CommandError> {
        self.check_transactions()?;
        let offers = is_offer(&method, body.is_some());
        let established = self.established(usage)?;
        if offers && established.has_offer_pending() {
            return Err(CommandError::OfferPending);
        }
        let flow = self
            .flow_for(Some(established.flow))
            .ok_or(CommandError::NoFlow)?;
        let id = RequestId(self.next_id());
        let request = self.make_within(usage, method, headers, body);
        let client = self.send_within(usage, id, flow, request, 0, now);
        if let Some(Usage::Established(established)) = self.usages.get_mut(&usage) {
            established.flow = flow;
            if offers {
                established.our_offer = Some(OurOffer { id, client });
                self.alarms.stop(Alarm::OfferDue(usage));
            }
        }
        Ok(id)
    }

    fn make_within(
        &mut self,
        usage: UsageId,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
    ) -> Request {
        let dialog = match self.usages.get_mut(&usage) {
            Some(Usage::Established(established)) => &mut established.dialog,
            Some(Usage::Calling(_) | Usage::Called(_)) | None => {
                unreachable!("only called for a usage that was just found established")
            }
        };
        let mut request = dialog.request(method);
        self.push_common(&mut request, false);
        push_all(request.headers_mut(), headers);
        let mut request = with_body(request, body);
        self.authorize(&mut request);
        request
    }

    fn send_within(
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
            })
        };
        self.send(flow, request, sent, now)
    }

    fn bye(
        &mut self,
        usage: UsageId,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
    ) -> RequestId {
        let id = RequestId(self.next_id());
        if let Some(Usage::Established(established)) = self.usages.get_mut(&usage)
            && !established.may_bye
        {
            established.held_bye = Some(HeldBye {
                id,
                headers: headers.to_vec(),
                body: body.cloned(),
            });
            return id;
        }
        self.send_bye(usage, id, headers, body, now);
        id
    }

    pub(super) fn send_bye(
        &mut self,
        usage: UsageId,
        id: RequestId,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
    ) {
        self.acknowledge_before_bye(usage);
        let Some(Usage::Established(established)) = self.usages.get(&usage) else {
            return;
        };
        let flow = self.flow_for(Some(established.flow));
        let request = self.make_within(usage, Method::Bye, headers, body);
        let Some(flow) = flow else {
            self.emit(Event::RequestFailed {
                id,
                cause: RequestFailure::Transport,
            });
            return self.end_stranded(usage, request, now);
        };
        self.send_within(usage, id, flow, request, 0, now);
        if let Some(Usage::Established(established)) = self.usages.get_mut(&usage) {
            established.bye = Some(id);
        }
    }

    /// A 2xx whose answer is still owed has to be acknowledged even if all we want is to hang up.
    fn acknowledge_before_bye(&mut self, usage: UsageId) {
        let Some(Usage::Established(established)) = self.usages.get_mut(&usage) else {
            return;
        };
        if let Some(owed) = established.owed_ack.take() {
            let (dialog, flow) = (established.dialog.clone(), established.flow);
            self.send_ack(&dialog, owed.client, &owed.invite, flow, None);
        }
    }

    /// Ends a call from our side at once, its BYE unattended.
    pub(super) fn hang_up(
        &mut self,
        usage: UsageId,
        headers: Option<Vec<(String, String)>>,
        cause: EndCause,
        now: Instant,
    ) {
        let Ok(established) = self.established(usage) else {
            return;
        };
        let flow = established.flow;
        let request = self.make_within(usage, Method::Bye, &headers.unwrap_or_default(), None);
        if let Some(dialog) = self.end(usage, cause) {
            self.send_hangup(dialog, request, Some(flow), 0, now);
        }
    }

    /// Sends the BYE of a dialog that is no call's any more.
    pub(super) fn send_hangup(
        &mut self,
        dialog: Dialog,
        mut request: Request,
        preferred: Option<FlowId>,
        retries: u32,
        now: Instant,
    ) {
        if retries == 0 {
            self.authorize(&mut request);
        }
        match self.flow_for(preferred) {
            Some(flow) => {
                let dialog = Box::new(dialog);
                let sent = |request| Sent::Hangup {
                    dialog,
                    request,
                    retries,
                };
                self.send(flow, request, sent, now);
            }
            None => self.strand(dialog, request, now),
        }
    }

    pub(super) fn receive_hangup_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) {
        if response.status().is_provisional() {
            return;
        }
        let Some(Sent::Hangup {
            mut dialog,
            request,
            retries,
        }) = self.sent.remove(&key)
        else {
            return;
        };
        let cseq = is_challenge(&response).then(|| dialog.next_cseq());
        if let Some(again) = self.answer_challenge(&response, &request, retries, cseq) {
            self.send_hangup(*dialog, again, None, retries + 1, now);
        }
    }

    fn end_stranded(&mut self, usage: UsageId, request: Request, now: Instant) {
        if let Some(dialog) = self.end(usage, EndCause::Local) {
            self.strand(dialog, request, now);
        }
    }

    /// Keeps a BYE that found no flow for 64·T1: the other side shall not talk to nobody.
    pub(super) fn strand(&mut self, dialog: Dialog, request: Request, now: Instant) {
        if self.stranded.len() >= MAX_STRANDED {
            self.stranded.pop_front();
        }
        let until = now + self.config.timings.patience();
        self.stranded.push_back(StrandedBye {
            dialog,
            request,
            until,
        });
        self.alarms.start(Alarm::Stranded, until);
    }

    pub(super) fn send_stranded(&mut self, now: Instant) {
        self.alarms.stop(Alarm::Stranded);
        for bye in std::mem::take(&mut self.stranded) {
            if bye.until > now {
                self.send_hangup(bye.dialog, bye.request, None, 1, now);
            }
        }
    }

    pub(super) fn receive_within_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) {
        if response.status().is_provisional() {
            return;
        }
        let Some(Sent::Within(sent)) = self.sent.get(&key) else {
            return;
        };
        if sent.request.method() == &Method::Invite && response.status().is_success() {
            return self.reinvite_accepted(key, response, now);
        }
        let Some(Sent::Within(sent)) = self.sent.remove(&key) else {
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
        let Some(Usage::Established(established)) = self.usages.get_mut(&sent.usage) else {
            return None;
        };
        let preferred = established.flow;
        let cseq = is_challenge(response).then(|| established.dialog.next_cseq());
        let again = self.answer_challenge(response, &sent.request, sent.retries, cseq)?;
        Some((self.flow_for(Some(preferred))?, again))
    }

    fn send_within_again(&mut self, sent: WithinSent, flow: FlowId, again: Request, now: Instant) {
        let WithinSent {
            usage, id, retries, ..
        } = sent;
        let client = self.send_within(usage, id, flow, again, retries + 1, now);
        if let Some(Usage::Established(established)) = self.usages.get_mut(&usage)
            && let Some(offer) = &mut established.our_offer
            && offer.id == id
        {
            offer.client = client;
        }
    }

    /// A 2xx to our re-INVITE: the first refreshes the target, each repeat is given the same ACK.
    fn reinvite_accepted(&mut self, key: ClientKey, response: Response, now: Instant) {
        let tag = to_tag(response.headers()).unwrap_or_default();
        if let Some((flow, ack)) = self.acks.get(&(key, tag.clone())) {
            let (flow, ack) = (*flow, ack.clone());
            if let Some(flow) = self.flow_for(Some(flow)) {
                self.layer.transmit(flow, ack);
            }
            return;
        }
        let Some(Sent::Within(sent)) = self.sent.get(&key) else {
            return;
        };
        let (usage, id, invite) = (sent.usage, sent.id, sent.request.clone());
        let Some(Usage::Established(established)) = self.usages.get_mut(&usage) else {
            return;
        };
        if established.our_offer.is_none_or(|offer| offer.id != id) {
            return;
        }
        established.dialog.refresh_target(response.headers());
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
        self.emit(Event::Response { id, response });
    }

    fn within_answered(&mut self, sent: &WithinSent, response: Response, now: Instant) {
        let (usage, id) = (sent.usage, sent.id);
        let method = sent.request.method();
        let Some(Usage::Established(established)) = self.usages.get_mut(&usage) else {
            return;
        };
        let ours = established.our_offer.is_some_and(|offer| offer.id == id);
        if ours {
            established.our_offer = None;
        }
        if method == &Method::Update && response.status().is_success() {
            established.dialog.refresh_target(response.headers());
        }
        let role = established.dialog.role();
        if ours && response.status() == StatusCode::REQUEST_PENDING {
            let wait = self.glare_wait(role);
            self.alarms.start(Alarm::OfferDue(usage), now + wait);
        }
        let cause = end_after(method, response.status()).then(|| EndCause::Gone(response.clone()));
        let cause = match method {
            Method::Bye => Some(EndCause::Local),
            _any_other => cause,
        };
        self.emit(Event::Response { id, response });
        if let Some(cause) = cause {
            self.end(usage, cause);
        }
    }

    /// RFC 3261 §14.1: the owner of the Call-ID waits 2.1–4 s, the other 0–2 s, in steps of 10 ms.
    fn glare_wait(&mut self, role: Role) -> Duration {
        let steps = match role {
            Role::Caller => 210..=400,
            Role::Callee => 0..=200,
        };
        Duration::from_millis(10 * self.rng.random_range(steps))
    }

    pub(super) fn offer_is_due(&mut self, usage: UsageId) {
        if self.established(usage).is_ok() {
            self.emit(Event::OfferDue { usage });
        }
    }

    /// No answer: with its flow up, the other side is gone (RFC 3261 §12.2.1.2); without, the dialog lives on.
    pub(super) fn within_failed(
        &mut self,
        sent: WithinSent,
        failure: RequestFailure,
        now: Instant,
    ) {
        let (usage, id) = (sent.usage, sent.id);
        let method = sent.request.method().clone();
        let Some(Usage::Established(established)) = self.usages.get_mut(&usage) else {
            return;
        };
        if established.our_offer.is_some_and(|offer| offer.id == id) {
            established.our_offer = None;
        }
        self.emit(Event::RequestFailed { id, cause: failure });
        match (method, failure) {
            (Method::Bye, RequestFailure::Transport) => self.end_stranded(usage, sent.request, now),
            (Method::Bye, RequestFailure::Timeout | RequestFailure::DialogEnded) => {
                self.end(usage, EndCause::Local);
            }
            (method, RequestFailure::Timeout) if belongs_to_call(&method) => {
                self.end(usage, EndCause::NoAnswer);
            }
            (
                _,
                RequestFailure::Timeout | RequestFailure::Transport | RequestFailure::DialogEnded,
            ) => {}
        }
    }

    pub(super) fn receive_within(
        &mut self,
        key: ServerKey,
        flow: FlowId,
        request: Request,
        now: Instant,
    ) {
        let usage =
            DialogId::of_request(request.headers()).and_then(|id| self.dialogs.get(&id).copied());
        let Some(usage) = usage else {
            return self.refuse(key, &request, &Reply::new(481), now);
        };
        let number = request.headers().cseq().map_or(0, |cseq| cseq.number);
        let Some(dialog) = self.dialog_of(usage, &request) else {
            return self.refuse(key, &request, &Reply::new(481), now);
        };
        if dialog.accept_cseq(number).is_err() {
            return self.refuse(key, &request, &Reply::new(500), now);
        }
        match self.usages.get_mut(&usage) {
            Some(Usage::Calling(_)) => self.receive_in_early(key, usage, request, now),
            Some(Usage::Called(_)) => self.receive_while_called(key, usage, request, now),
            Some(Usage::Established(established)) => {
                // The other side, or its proxy, reaches us this way now.
                established.flow = flow;
                self.receive_in_call(key, usage, request, now);
            }
            None => {}
        }
    }

    fn dialog_of(&mut self, usage: UsageId, request: &Request) -> Option<&mut Dialog> {
        match self.usages.get_mut(&usage)? {
            Usage::Calling(calling) => {
                let id = DialogId::of_request(request.headers())?;
                calling.early.iter_mut().find(|early| early.id() == &id)
            }
            Usage::Called(called) => Some(&mut called.dialog),
            Usage::Established(established) => Some(&mut established.dialog),
        }
    }

    /// The callee of our unanswered INVITE may not hang up yet (RFC 3261 §15), and our offer is out.
    fn receive_in_early(&mut self, key: ServerKey, usage: UsageId, request: Request, now: Instant) {
        match request.method() {
            Method::Bye => self.refuse(key, &request, &Reply::new(481), now),
            Method::Invite | Method::Update => {
                self.refuse(key, &request, &Reply::new(491), now);
            }
            Method::Options => self.refuse(key, &request, &Reply::new(200), now),
            _any_other => self.hand_up(key, Some(usage), request),
        }
    }

    /// The caller of an INVITE that we have not answered.
    fn receive_while_called(
        &mut self,
        key: ServerKey,
        usage: UsageId,
        request: Request,
        now: Instant,
    ) {
        match request.method() {
            Method::Bye => {
                self.refuse(key, &request, &Reply::new(200), now);
                self.hung_up_early(usage, request, now);
            }
            Method::Invite | Method::Update => self.refuse_overlapping(key, &request, now),
            Method::Options => self.refuse(key, &request, &Reply::new(200), now),
            _any_other => self.hand_up(key, Some(usage), request),
        }
    }

    fn receive_in_call(&mut self, key: ServerKey, usage: UsageId, request: Request, now: Instant) {
        match request.method() {
            Method::Bye => self.hung_up(key, usage, request, now),
            Method::Options => self.refuse(key, &request, &Reply::new(200), now),
            method if is_offer(method, !request.body().is_empty()) => {
                self.receive_offer(key, usage, request, now);
            }
            _any_other => self.hand_up(key, Some(usage), request),
        }
    }

    /// RFC 3261 §14.2, RFC 3311 §5.2: one offer at a time.
    fn receive_offer(&mut self, key: ServerKey, usage: UsageId, request: Request, now: Instant) {
        let Ok(established) = self.established(usage) else {
            return;
        };
        if established.our_offer.is_some() || established.owed_ack.is_some() {
            return self.refuse(key, &request, &Reply::new(491), now);
        }
        if established.has_offer_pending() {
            return self.refuse_overlapping(key, &request, now);
        }
        let id = self.hand_up_as(key, Some(usage), request);
        if let Some(Usage::Established(established)) = self.usages.get_mut(&usage) {
            established.their_offer = Some(id);
        }
    }

    fn refuse_overlapping(&mut self, key: ServerKey, request: &Request, now: Instant) {
        let wait: u32 = self.rng.random_range(0..=10);
        let refusal = Reply::new(500).header("Retry-After", wait.to_string());
        self.refuse(key, request, &refusal, now);
    }

    /// They hang up, perhaps while we do (RFC 3261 §15.1.2).
    fn hung_up(&mut self, key: ServerKey, usage: UsageId, bye: Request, now: Instant) {
        self.refuse(key, &bye, &Reply::new(200), now);
        self.end(usage, EndCause::Bye(bye));
        self.refuse_all_of(usage, now);
    }

    pub(super) fn hand_up(&mut self, key: ServerKey, usage: Option<UsageId>, request: Request) {
        self.hand_up_as(key, usage, request);
    }

    fn hand_up_as(
        &mut self,
        key: ServerKey,
        usage: Option<UsageId>,
        request: Request,
    ) -> ServerRequestId {
        let id = ServerRequestId(self.next_id());
        self.received.insert(key, Received::Asked(id));
        self.asked.insert(
            id,
            Asked {
                server: key,
                usage,
                request: request.clone(),
            },
        );
        self.emit(Event::Request { usage, id, request });
        id
    }

    fn answer_asked(&mut self, id: ServerRequestId, reply: &Reply, now: Instant) {
        let Some(asked) = self.asked.get(&id) else {
            return;
        };
        let (key, usage, request) = (asked.server, asked.usage, asked.request.clone());
        let tag = self.layer.local_tag(key).unwrap_or_default().to_owned();
        let response = self.answer_to(&request, &tag, reply);
        self.layer.respond(key, &response, now);
        if reply.code < 200 {
            return;
        }
        self.asked.remove(&id);
        self.received.remove(&key);
        let Some(usage) = usage else {
            return;
        };
        if let Some(Usage::Established(established)) = self.usages.get_mut(&usage) {
            if established.their_offer == Some(id) {
                established.their_offer = None;
            }
            if response.status().is_success() && refreshes_target(request.method()) {
                established.dialog.refresh_target(request.headers());
            }
        }
        if response.status().is_success() && request.method() == &Method::Invite {
            self.wait_for_ack(usage, &request, &response, now);
        }
    }

    /// Answers for our caller, and tells it.
    pub(super) fn refuse_asked(&mut self, id: ServerRequestId, reply: &Reply, now: Instant) {
        self.answer_asked(id, reply, now);
        self.emit(Event::RequestGone { id });
    }

    pub(super) fn asked_is_gone(&mut self, id: ServerRequestId) {
        let Some(asked) = self.asked.remove(&id) else {
            return;
        };
        if let Some(usage) = asked.usage
            && let Some(Usage::Established(established)) = self.usages.get_mut(&usage)
            && established.their_offer == Some(id)
        {
            established.their_offer = None;
        }
        self.emit(Event::RequestGone { id });
    }

    /// Requests of theirs that an ended call leaves unanswered are given 487.
    fn refuse_all_of(&mut self, usage: UsageId, now: Instant) {
        let ids: Vec<ServerRequestId> = self
            .asked
            .iter()
            .filter(|(_, asked)| asked.usage == Some(usage))
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.refuse_asked(id, &Reply::new(487), now);
        }
    }

    /// Ends an established call, once, and returns its dialog.
    pub(super) fn end(&mut self, usage: UsageId, cause: EndCause) -> Option<Dialog> {
        let established = match self.usages.remove(&usage)? {
            Usage::Established(established) => established,
            other @ (Usage::Calling(_) | Usage::Called(_)) => {
                self.usages.insert(usage, other);
                return None;
            }
        };
        self.dialogs.remove(established.dialog.id());
        for alarm in [
            Alarm::Repeat2xx(usage),
            Alarm::AckWait(usage),
            Alarm::OfferDue(usage),
        ] {
            self.alarms.stop(alarm);
        }
        self.fail_requests_of(usage);
        if let Some(held) = established.held_bye {
            self.emit(Event::RequestFailed {
                id: held.id,
                cause: RequestFailure::DialogEnded,
            });
        }
        self.emit(Event::Ended { usage, cause });
        Some(established.dialog)
    }

    fn fail_requests_of(&mut self, usage: UsageId) {
        let mut failed = Vec::new();
        self.sent.retain(|key, sent| match sent {
            Sent::Within(within) if within.usage == usage => {
                failed.push((*key, within.id));
                false
            }
            Sent::Within(_)
            | Sent::Invite(_)
            | Sent::Outside { .. }
            | Sent::Register { .. }
            | Sent::Hangup { .. } => true,
        });
        for (_, id) in failed {
            self.emit(Event::RequestFailed {
                id,
                cause: RequestFailure::DialogEnded,
            });
        }
    }
}

/// Says whether a request may carry an offer, one of which at a time is allowed.
fn is_offer(method: &Method, has_body: bool) -> bool {
    match method {
        Method::Invite => true,
        Method::Update => has_body,
        _any_other => false,
    }
}

fn refreshes_target(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update)
}

/// Says whether a request is the call's own, and not merely sent inside its dialog (RFC 5057 §5.2).
fn belongs_to_call(method: &Method) -> bool {
    matches!(
        method,
        Method::Invite | Method::Update | Method::Info | Method::Bye | Method::Prack
    )
}

/// Says whether an answer ends the call (RFC 3261 §12.2.1.2, RFC 5057 §5.1).
fn end_after(method: &Method, status: StatusCode) -> bool {
    match status.code() {
        // The call itself is unknown, or nobody is there.
        408 | 481 => belongs_to_call(method),
        // The dialog's target, or the way to it, is gone.
        404 | 410 | 416 | 482 | 483 | 484 | 485 | 502 | 604 => true,
        _any_other => false,
    }
}

fn wrong(state: &'static str) -> CommandError {
    CommandError::WrongState { state }
}
