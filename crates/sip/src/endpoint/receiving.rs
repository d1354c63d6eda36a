//! What the other side sends inside a call's dialog: re-INVITE, UPDATE, INFO, BYE and the rest (RFC 3261 §12.2.2, §14.2, §15.1.2).

use std::time::Instant;

use rand::RngExt;

use super::Endpoint;
use super::command::{CommandError, Reply};
use super::compose::check_reply;
use super::dialog_requests::is_offer;
use super::event::{Event, ServerRequestId, UsageId};
use super::state::timing::Timing;
use super::state::usage::Usage;
use crate::dialog::DialogId;
use crate::message::{Method, Request};
use crate::transaction::{FlowId, ServerKey};

impl Endpoint {
    /// Answers a request that was handed up.
    pub fn answer(
        &mut self,
        id: ServerRequestId,
        reply: &Reply,
        now: Instant,
    ) -> Result<(), CommandError> {
        check_reply(reply)?;
        if self.exchanges.asked(id).is_none() {
            return Err(CommandError::Unknown);
        }
        self.answer_asked(id, reply, now);
        self.settle(now);
        Ok(())
    }

    pub(super) fn receive_within(
        &mut self,
        key: ServerKey,
        flow: FlowId,
        request: Request,
        now: Instant,
    ) {
        let usage =
            DialogId::of_request(request.headers()).and_then(|id| self.calls.of_dialog(&id));
        let Some(usage) = usage else {
            return self.receive_beside_calls(key, flow, request, now);
        };
        let number = request.headers().cseq().map_or(0, |cseq| cseq.number);
        let Some(dialog) = self.dialog_of(usage, &request) else {
            return self.refuse(key, &request, &Reply::new(481), now);
        };
        if dialog.accept_cseq(number).is_err() {
            return self.refuse(key, &request, &Reply::new(500), now);
        }
        dialog.learn_session(request.headers());
        match self.calls.get_mut(usage) {
            Some(Usage::Calling(_)) => self.receive_in_early(key, usage, request, now),
            Some(Usage::Called(_)) => self.receive_while_called(key, usage, request, now),
            Some(Usage::Established(established)) => {
                // The other side, or its proxy, reaches us this way now.
                established.flow = flow;
                self.receive_in_call(key, usage, request, now);
            }
            Some(Usage::Lingering(lingering)) => {
                lingering.flow = flow;
                self.receive_lingering(key, usage, request, now);
            }
            None => {}
        }
    }

    /// A request in a dialog that no call has: a subscription's, ours or theirs, or nobody's.
    fn receive_beside_calls(
        &mut self,
        key: ServerKey,
        flow: FlowId,
        request: Request,
        now: Instant,
    ) {
        if request.method() == &Method::Subscribe {
            return self.receive_resubscribe(key, flow, request, now);
        }
        let unknown = match request.method() == &Method::Notify {
            true => self.receive_notify(key, flow, request, now),
            false => Some(request),
        };
        if let Some(request) = unknown {
            self.refuse(key, &request, &Reply::new(481), now);
        }
    }

    fn receive_in_call(&mut self, key: ServerKey, usage: UsageId, request: Request, now: Instant) {
        let method = request.method();
        if method == &Method::Bye {
            self.hung_up(key, usage, request, now);
        } else if method == &Method::Prack {
            self.receive_late_prack(key, usage, &request, now);
        } else if method == &Method::Options {
            self.refuse(key, &request, &Reply::new(200), now);
        } else if is_offer(method, !request.body().is_empty()) {
            self.receive_offer(key, usage, request, now);
        } else {
            self.hand_up(key, Some(usage), request);
        }
    }

    /// RFC 3261 §14.2, RFC 3311 §5.2: one offer at a time.
    fn receive_offer(&mut self, key: ServerKey, usage: UsageId, request: Request, now: Instant) {
        let Ok(established) = self.established(usage) else {
            return;
        };
        let unanswered = established
            .unacked
            .as_ref()
            .is_some_and(|unacked| unacked.offers);
        if established.our_offer.is_some() || established.owed_ack.is_some() || unanswered {
            if let Some(established) = self.calls.established_mut(usage) {
                established.dialog.met_glare();
            }
            return self.refuse(key, &request, &Reply::new(491), now);
        }
        if established.their_offer.is_some() {
            return self.refuse_overlapping(key, &request, now);
        }
        // RFC 5407 §3.1.4: who sends another INVITE is done with the one before, though its ACK was
        // lost or is late.
        if established.unacked.is_some() && request.method() == &Method::Invite {
            self.arrived_2xx(usage, now);
        }
        let id = self.hand_up_as(key, Some(usage), request);
        if let Some(established) = self.calls.established_mut(usage) {
            established.their_offer = Some(id);
        }
    }

    pub(super) fn refuse_overlapping(&mut self, key: ServerKey, request: &Request, now: Instant) {
        let refusal = self.later();
        self.refuse(key, request, &refusal, now);
    }

    /// RFC 3261 §14.2: an offer at a bad time.
    pub(super) fn later(&mut self) -> Reply {
        let wait: u32 = self.draws.rng().random_range(0..=10);
        Reply::new(500).header("Retry-After", wait.to_string())
    }

    pub(super) fn hand_up(&mut self, key: ServerKey, usage: Option<UsageId>, request: Request) {
        self.hand_up_as(key, usage, request);
    }

    pub(super) fn hand_up_as(
        &mut self,
        key: ServerKey,
        usage: Option<UsageId>,
        request: Request,
    ) -> ServerRequestId {
        let id = ServerRequestId(self.draws.id());
        self.exchanges.ask(id, key, usage, request.clone());
        self.emit(Event::Request { usage, id, request });
        id
    }

    fn answer_asked(&mut self, id: ServerRequestId, reply: &Reply, now: Instant) {
        let Some(asked) = self.exchanges.asked(id) else {
            return;
        };
        let (key, usage, request) = (asked.server, asked.usage, asked.request.clone());
        let tag = self.layer.local_tag(key).unwrap_or_default().to_owned();
        let mut response = self.answer_to(&request, &tag, reply);
        let timing = match usage {
            Some(_) => self.answer_timer(&request, &mut response),
            None => Timing::default(),
        };
        self.layer.respond(key, &response, now);
        if reply.code < 200 {
            return;
        }
        self.exchanges.answered(id);
        let Some(usage) = usage else {
            return;
        };
        self.answered_early(usage, id, &request, &response);
        if let Some(established) = self.calls.established_mut(usage) {
            if established.their_offer == Some(id) {
                established.their_offer = None;
            }
            if reply.code == 491 {
                established.dialog.met_glare();
            }
            if response.status().is_success() && refreshes_target(request.method()) {
                established.dialog.refresh_target(request.headers());
                established.learn_abilities(request.headers());
                self.timer_answered(usage, timing, now);
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
        let Some(asked) = self.exchanges.take_asked(id) else {
            return;
        };
        if let Some(usage) = asked.usage {
            self.close_early_offer(usage, id, &asked.request);
            if let Some(established) = self.calls.established_mut(usage)
                && established.their_offer == Some(id)
            {
                established.their_offer = None;
            }
        }
        self.emit(Event::RequestGone { id });
    }
}

pub(super) fn refreshes_target(method: &Method) -> bool {
    matches!(method, Method::Invite | Method::Update)
}
