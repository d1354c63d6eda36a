//! Calls that we place: the INVITE, its forks, its CANCEL, its ACKs (RFC 3261 §9.1, §13.2).

use std::time::Instant;

use super::command::{CommandError, Invite};
use super::compose::As;
use super::event::{Event, FailureCause, RequestFailure, UsageId};
use super::redirecting::{alternatives, is_redirection};
use super::reliable::Arrived;
use super::standalone_requests::{MAX_RETRIES, is_challenge, renumbered};
use super::state::timing::Timing;
use super::state::usage::{
    Calling, Early, EarlyOffers, Established, InviteSent, OtherCredentials, OwedAck, Redirection,
    Sent, Usage, WhyCancelled,
};
use super::{Alarm, Endpoint, Redirects};
use crate::dialog::{Dialog, to_tag};
use crate::header::{Reason, Require, Unsupported};
use crate::message::{HeaderName, Method, Request, Response, StatusCode};
use crate::put::Put;
use crate::transaction::{Cancelling, ClientKey, FlowId};

impl Endpoint {
    /// Places a call; exactly one of `Answered`, `Redirected` and `Failed` follows.
    pub fn invite(&mut self, invite: Invite, now: Instant) -> Result<UsageId, CommandError> {
        let flow = self.flow_to(&invite.target)?;
        self.check_room()?;
        let Invite {
            target,
            headers,
            body,
            from,
            anonymous,
            session,
        } = invite;
        let caller = match (anonymous, &from) {
            (true, _) => As::Nobody,
            (false, Some(from)) => As::Another(from),
            (false, None) => As::Ourselves,
        };
        let body = body.as_ref();
        let mut request = self.request_to(Method::Invite, &target, &headers, body, caller)?;
        self.name_session(&mut request, session);
        self.ask_for_timer(&mut request, Timing::default());
        self.offer_reliability(&mut request);
        self.signer.sign(&mut request, None);
        let usage = UsageId(self.draws.id());
        let client = self.send_invite(usage, flow, request.clone(), now);
        let calling = Calling {
            client,
            flow,
            redirection: Redirection {
                tried: vec![request.uri().to_request_uri()],
                left: Vec::new(),
            },
            request,
            early: Vec::new(),
            timing: Timing::default(),
            cancel: None,
            stranded: false,
            repeated: false,
            retries: 0,
            credentials: OtherCredentials::Unasked,
        };
        self.calls.insert(usage, Usage::Calling(Box::new(calling)));
        self.settle(now);
        Ok(usage)
    }

    /// Gives up a call of ours that is not answered yet, or a re-INVITE; `reason` says why, such as `SIP;cause=200`.
    ///
    /// CANCEL waits for the first provisional answer. Where a 2xx crosses it, the call is hung up and ends as `AnsweredAfterCancel`.
    pub fn cancel(
        &mut self,
        usage: UsageId,
        reason: Option<Reason<'_>>,
        now: Instant,
    ) -> Result<(), CommandError> {
        if self.drop_refused_call(usage) {
            return Ok(());
        }
        let client = match self.calls.get_mut(usage) {
            Some(Usage::Calling(calling)) => {
                calling.cancel.get_or_insert(WhyCancelled::Wanted);
                calling.client
            }
            Some(Usage::Established(established)) => match established.our_offer {
                Some(offer) => offer.client,
                None => return Err(wrong("no INVITE of ours is unanswered")),
            },
            Some(other @ (Usage::Called(_) | Usage::Lingering(_))) => {
                return Err(wrong(other.state()));
            }
            None => return Err(CommandError::Unknown),
        };
        let reason =
            reason.map(|reason| (HeaderName::Reason.as_str().to_owned(), reason.to_string()));
        self.send_cancel(usage, client, reason.into_iter().collect(), now);
        self.settle(now);
        Ok(())
    }

    pub(super) fn send_invite(
        &mut self,
        usage: UsageId,
        flow: FlowId,
        request: Request,
        now: Instant,
    ) -> ClientKey {
        let sent = |request| {
            Sent::Invite(InviteSent {
                usage,
                request,
                flow,
            })
        };
        self.send(flow, request, sent, now)
    }

    fn send_cancel(
        &mut self,
        usage: UsageId,
        client: ClientKey,
        headers: Vec<(String, String)>,
        now: Instant,
    ) {
        match self.layer.cancel(client, headers, now) {
            // It waits for a flow, but not for ever.
            Cancelling::Held if self.is_stranded(usage) => {}
            Cancelling::Sent | Cancelling::Held | Cancelling::TooLate => {
                self.alarms.stop(Alarm::Ringing(usage));
                self.alarms.stop(Alarm::Unheard(usage));
            }
        }
    }

    fn is_stranded(&self, usage: UsageId) -> bool {
        match self.calls.get(usage) {
            Some(Usage::Calling(calling)) => calling.stranded,
            Some(Usage::Called(_) | Usage::Established(_) | Usage::Lingering(_)) | None => false,
        }
    }

    pub(super) fn rang_too_long(&mut self, usage: UsageId, now: Instant) {
        if self.is_stranded(usage) {
            return self.forget_stranded(usage);
        }
        if let Some(calling) = self.calls.calling_mut(usage) {
            calling.cancel.get_or_insert(WhyCancelled::Patience);
            let client = calling.client;
            self.send_cancel(usage, client, Vec::new(), now);
        }
    }

    pub(super) fn receive_invite_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) {
        let Some(Sent::Invite(sent)) = self.exchanges.sent(key) else {
            return;
        };
        let usage = sent.usage;
        if !response.status().is_provisional() {
            self.settle_abandoned(key);
        }
        self.alarms.stop(Alarm::Unheard(usage));
        self.compare_repeat(usage, &response, now);
        match response.status() {
            status if status.is_provisional() => self.ringing(usage, key, response, now),
            status if status.is_success() => self.accepted(usage, key, response, now),
            _refusal => self.invite_refused(usage, key, response, now),
        }
    }

    /// Every provisional answer, 100 included, starts our patience anew (RFC 3261 §16.6, Timer C).
    fn ringing(&mut self, usage: UsageId, key: ClientKey, response: Response, now: Instant) {
        let forks = self.config.limits.forks;
        let Some(calling) = self.calls.calling_mut(usage) else {
            return;
        };
        if calling.client != key {
            return;
        }
        if calling.cancel.is_none() {
            let patience = self.config.ringing_patience;
            self.alarms.start(Alarm::Ringing(usage), now + patience);
        }
        if response.status() == StatusCode::TRYING {
            return;
        }
        let dialog = Dialog::caller(&calling.request, &response);
        let id = dialog.as_ref().map(|dialog| dialog.id().clone());
        let mut arrived = Arrived::Unreliable;
        let mut forked = None;
        if let Some(dialog) = dialog {
            let known = calling
                .early
                .iter()
                .position(|early| early.dialog.id() == dialog.id());
            if known.is_none() && calling.early.len() >= forks {
                return self.discard("more forks answered than the limit allows".into());
            }
            let index = known.unwrap_or(calling.early.len());
            if known.is_none() {
                forked = Some(dialog.id().clone());
                calling.early.push(Early {
                    dialog,
                    rseq: None,
                    offers: EarlyOffers::default(),
                });
            }
            if let Some(early) = calling.early.get_mut(index) {
                arrived = early.arrived(&response);
                let answers = !calling.request.body().is_empty() && !response.body().is_empty();
                early.offers.answered |= answers && matches!(arrived, Arrived::InOrder(_));
            }
        }
        let wanted = calling.cancel.is_none();
        if let Some(dialog) = forked {
            self.calls.add_dialog(dialog, usage);
        }
        match (arrived, &id) {
            (Arrived::OutOfOrder, _) => {
                return self.discard("a reliable answer that came before, or too early".into());
            }
            (Arrived::InOrder(rseq), Some(dialog)) => self.send_prack(usage, dialog, rseq, now),
            (Arrived::Unreliable | Arrived::InOrder(_), _) => {}
        }
        if wanted {
            self.emit(Event::Provisional {
                usage,
                dialog: id,
                reliable: arrived != Arrived::Unreliable,
                response,
            });
        }
    }

    /// A 2xx: the first makes the call, a repeat is given the same ACK, another fork's is hung up (RFC 3261 §13.2.2.4).
    fn accepted(&mut self, usage: UsageId, key: ClientKey, response: Response, now: Instant) {
        let tag = to_tag(response.headers()).unwrap_or_default();
        if self.repeat_ack(key, &tag) || self.owes_ack(usage, key, &tag) {
            return;
        }
        if self.unfinished.acknowledged_forks(key) >= self.config.limits.forks {
            return self.discard("more forks accepted than the limit allows".into());
        }
        if !self.alarms.is_running(Alarm::Forks(key)) {
            self.alarms
                .start(Alarm::Forks(key), now + self.config.timings.patience());
        }
        match self.calls.get(usage) {
            Some(Usage::Calling(calling)) if calling.client == key => {
                self.first_accepted(usage, key, tag, response, now);
            }
            Some(_) | None => self.hang_up_fork(key, &response, now),
        }
    }

    fn first_accepted(
        &mut self,
        usage: UsageId,
        key: ClientKey,
        tag: String,
        response: Response,
        now: Instant,
    ) {
        let Some(mut calling) = self.calls.take_calling(usage) else {
            return;
        };
        self.alarms.stop(Alarm::Ringing(usage));
        self.forget_early(&calling.early);
        if calling.cancel.is_some() {
            self.hang_up_fork(key, &response, now);
            let cause = FailureCause::AnsweredAfterCancel(response);
            return self.emit(Event::Failed { usage, cause });
        }
        let known = calling
            .early
            .iter()
            .position(|early| early.dialog.id().remote_tag == tag)
            .map(|index| calling.early.swap_remove(index).dialog);
        let dialog = match known {
            Some(mut dialog) => {
                dialog.confirm_by(&response);
                Some(dialog)
            }
            None => Dialog::caller(&calling.request, &response),
        };
        let Some(dialog) = dialog else {
            // A 2xx without a To tag, From or Call-ID can't be acknowledged.
            let cause = FailureCause::Response(response);
            return self.emit(Event::Failed { usage, cause });
        };
        self.calls.add_dialog(dialog.id().clone(), usage);
        let mut established = Established::new(dialog, calling.flow);
        established.timing = calling.timing;
        established.learn_abilities(response.headers());
        if calling.request.body().is_empty() {
            established.owed_ack = Some(OwedAck {
                client: key,
                invite: calling.request,
                remote_tag: tag,
            });
        } else {
            let dialog = established.dialog.clone();
            self.send_ack(&dialog, key, &calling.request, calling.flow, None);
        }
        self.calls
            .insert(usage, Usage::Established(Box::new(established)));
        self.timer_agreed(usage, &response, now);
        self.emit(Event::Answered { usage, response });
    }

    /// A 2xx that nobody wants any more: ACK, then BYE.
    fn hang_up_fork(&mut self, key: ClientKey, response: &Response, now: Instant) {
        let Some(Sent::Invite(sent)) = self.exchanges.sent(key) else {
            return;
        };
        let (invite, flow) = (sent.request.clone(), sent.flow);
        if let Some(mut dialog) = Dialog::caller(&invite, response) {
            self.send_ack(&dialog, key, &invite, flow, None);
            let bye = dialog.request(Method::Bye);
            self.send_hangup(dialog, bye, Some(flow), 0, now);
        }
    }

    fn invite_refused(&mut self, usage: UsageId, key: ClientKey, response: Response, now: Instant) {
        self.exchanges.take_sent(key);
        self.alarms.stop(Alarm::Ringing(usage));
        let Some(mut calling) = self.calls.take_calling(usage) else {
            return;
        };
        if calling.client != key {
            self.calls.insert(usage, Usage::Calling(calling));
            return;
        }
        // RFC 3261 §12.3: a refusal ends every early dialog of its INVITE.
        self.forget_early(&calling.early);
        calling.early.clear();
        self.refuse_all_of(usage, now);
        if calling.cancel.is_some() {
            return self.report_refusal(usage, &calling, response);
        }
        let next = self.next_invite(usage, &mut calling, &response);
        match (next, self.flows.choose(Some(calling.flow))) {
            (NextInvite::Send(request), Some(flow)) => {
                self.send_next(usage, calling, request, flow, now);
            }
            (NextInvite::OtherCredentials, _) if self.may_ask_for_credentials(&calling) => {
                self.keep_refused(usage, calling, response);
            }
            (NextInvite::Send(_) | NextInvite::OtherCredentials | NextInvite::None, _) => {
                self.report_refusal(usage, &calling, response);
            }
        }
    }

    pub(super) fn send_next(
        &mut self,
        usage: UsageId,
        mut calling: Box<Calling>,
        request: Request,
        flow: FlowId,
        now: Instant,
    ) {
        calling.client = self.send_invite(usage, flow, request.clone(), now);
        calling.flow = flow;
        calling.request = request;
        self.calls.insert(usage, Usage::Calling(calling));
    }

    pub(super) fn report_refusal(&mut self, usage: UsageId, calling: &Calling, response: Response) {
        let told = self.config.redirects == Redirects::Report && is_redirection(&response);
        let event = match calling.cancel {
            None if told => Event::Redirected {
                usage,
                alternatives: alternatives(&response),
                response,
            },
            Some(WhyCancelled::Patience) => Event::Failed {
                usage,
                cause: FailureCause::Timeout,
            },
            None | Some(WhyCancelled::Wanted) => Event::Failed {
                usage,
                cause: FailureCause::Response(response),
            },
        };
        self.emit(event);
    }

    /// What to try after a refusal: with credentials, without an option, or elsewhere.
    fn next_invite(
        &mut self,
        usage: UsageId,
        calling: &mut Calling,
        response: &Response,
    ) -> NextInvite {
        let retries = calling.retries;
        let challenge = self.try_challenge(response, &calling.request, retries, None, None);
        let why = match challenge {
            Ok(again) => {
                calling.retries += 1;
                return NextInvite::Send(again);
            }
            Err(why) => why,
        };
        if let Some(why) = why {
            let method = Method::Invite;
            self.emit(Event::Unanswered { method, why });
        }
        if retries < MAX_RETRIES
            && self.longer_interval(&calling.request, response, &mut calling.timing)
        {
            calling.retries += 1;
            let mut again = renumbered(&calling.request, None);
            self.ask_for_timer(&mut again, calling.timing);
            self.signer.sign(&mut again, None);
            return NextInvite::Send(again);
        }
        if let Some(again) = without_unsupported(&calling.request, response) {
            calling.retries += 1;
            return NextInvite::Send(again);
        }
        match self.redirected(usage, calling, response) {
            Some(again) => NextInvite::Send(again),
            None if is_challenge(response) && why.is_none() => NextInvite::OtherCredentials,
            None => NextInvite::None,
        }
    }

    pub(super) fn invite_failed(
        &mut self,
        usage: UsageId,
        key: ClientKey,
        failure: RequestFailure,
    ) {
        self.alarms.stop(Alarm::Ringing(usage));
        self.alarms.stop(Alarm::Unheard(usage));
        match self.calls.remove(usage) {
            Some(Usage::Calling(calling)) if calling.client == key => {
                self.forget_early(&calling.early);
                let cause = match failure {
                    RequestFailure::Timeout | RequestFailure::DialogEnded => FailureCause::Timeout,
                    RequestFailure::Transport => FailureCause::Transport,
                };
                self.emit(Event::Failed { usage, cause });
            }
            Some(other) => {
                self.calls.insert(usage, other);
            }
            None => {}
        }
    }

    pub(super) fn forget_early(&mut self, early: &[Early]) {
        for early in early {
            self.calls.drop_dialog(early.dialog.id());
        }
    }

    fn check_room(&self) -> Result<(), CommandError> {
        self.check_transactions()?;
        let limit = self.config.limits.usages;
        if self.calls.others() >= limit {
            return Err(CommandError::Limit { limit });
        }
        Ok(())
    }
}

/// What comes after a refusal of our INVITE.
#[allow(
    clippy::large_enum_variant,
    reason = "it is made once and taken at once"
)]
enum NextInvite {
    Send(Request),
    /// What it was signed with is refused.
    OtherCredentials,
    None,
}

/// RFC 3261 §8.1.3.5: the same INVITE without the options that a 420 names; once, since then none is left.
fn without_unsupported(request: &Request, response: &Response) -> Option<Request> {
    if response.status() != StatusCode::BAD_EXTENSION {
        return None;
    }
    let unsupported: Vec<String> = response
        .headers()
        .list::<Unsupported>()
        .filter_map(Result::ok)
        .map(|tag| tag.to_string())
        .collect();
    let required: Vec<String> = request
        .headers()
        .list::<Require>()
        .filter_map(Result::ok)
        .map(|tag| tag.to_string())
        .collect();
    let named = |tag: &String| {
        unsupported
            .iter()
            .any(|name| name.eq_ignore_ascii_case(tag))
    };
    if !required.iter().any(named) {
        return None;
    }
    let mut again = renumbered(request, None);
    let left: Vec<String> = required.into_iter().filter(|tag| !named(tag)).collect();
    again.headers_mut().remove(HeaderName::Require);
    if !left.is_empty() {
        again
            .headers_mut()
            .put(HeaderName::Require, &left.join(", "));
    }
    Some(again)
}

fn wrong(state: &'static str) -> CommandError {
    CommandError::WrongState { state }
}
