//! Calls that others place: the INVITE, its CANCEL, our answers, their ACK (RFC 3261 §9.2, §13.3).

use std::time::{Duration, Instant};

use super::command::{CommandError, Reply};
use super::compose::{check_reply, push_all};
use super::event::{EndCause, Event, UsageId};
use super::state::usage::{Called, EarlyOffers, Established, Received, Reliable, Unacked, Usage};
use super::{Alarm, Endpoint, vetting};
use crate::dialog::{Dialog, DialogId, draw_uuid, to_tag};
use crate::message::{HeaderName, Method, Request, Response, StatusCode};
use crate::put::Put;
use crate::transaction::{FlowId, ServerKey};

/// A proxy gives up a call that says nothing for three minutes (RFC 3261 §13.3.1.1).
const REPEAT_PROVISIONAL: Duration = Duration::from_secs(60);

impl Endpoint {
    /// Answers a call that somebody placed, provisionally or finally.
    ///
    /// A 2xx is repeated until its ACK, which is `Acked`, or for 64·T1, which is `AckTimeout`. Where a description of
    /// ours waits for its PRACK, or an offer of theirs for its answer, it is `OfferPending` until `OfferDue`.
    pub fn respond(
        &mut self,
        usage: UsageId,
        reply: &Reply,
        now: Instant,
    ) -> Result<(), CommandError> {
        check_reply(reply)?;
        match self.calls.get(usage) {
            Some(Usage::Called(called))
                if (200..300).contains(&reply.code) && called.has_offer_pending() =>
            {
                return Err(CommandError::OfferPending);
            }
            Some(Usage::Called(_)) => {}
            Some(other) => {
                return Err(CommandError::WrongState {
                    state: other.state(),
                });
            }
            None => return Err(CommandError::Unknown),
        }
        self.answer_call(usage, reply, now);
        self.settle(now);
        Ok(())
    }

    pub(super) fn receive_request(
        &mut self,
        key: ServerKey,
        flow: FlowId,
        request: Request,
        now: Instant,
    ) {
        let vetted = self.vet_request(&request);
        if let Err(refusal) = vetted.and_then(|()| self.vet_interval(&request)) {
            return self.refuse(key, &request, &refusal, now);
        }
        if to_tag(request.headers()).is_some() {
            return self.receive_within(key, flow, request, now);
        }
        if self.layer.is_merged(key) {
            return self.refuse(key, &request, &Reply::new(482), now);
        }
        match request.method() {
            Method::Invite => self.receive_invite(key, flow, request, now),
            Method::Options => self.receive_options(key, request, now),
            Method::Bye | Method::Update | Method::Info | Method::Prack => {
                self.refuse(key, &request, &Reply::new(481), now);
            }
            Method::Subscribe => self.receive_subscribe(key, request, now),
            Method::Ack
            | Method::Cancel
            | Method::Register
            | Method::Notify
            | Method::Refer
            | Method::Message
            | Method::Publish
            | Method::Other(_) => self.hand_up(key, None, request),
        }
    }

    fn receive_invite(&mut self, key: ServerKey, flow: FlowId, request: Request, now: Instant) {
        let tag = self.layer.local_tag(key).unwrap_or_default().to_owned();
        let Some(mut dialog) = Dialog::callee(&request, &tag) else {
            let refusal = Reply::new(400).because(vetting::bad_contact(request.headers()));
            return self.refuse(key, &request, &refusal, now);
        };
        dialog.name_session(draw_uuid(self.draws.rng()), request.headers());
        let usage = UsageId(self.draws.id());
        self.calls.add_dialog(dialog.id().clone(), usage);
        self.exchanges.call_came(key, usage);
        self.calls.insert(
            usage,
            Usage::Called(Box::new(Called {
                server: key,
                flow,
                request: request.clone(),
                dialog,
                provisional: None,
                reliable: None,
                next_reliable: None,
                offers: EarlyOffers::default(),
            })),
        );
        self.emit(Event::Incoming { usage, request });
    }

    /// Refuses a request before anything is kept of it.
    pub(super) fn refuse_stateless(&mut self, flow: FlowId, request: &Request, reply: &Reply) {
        let status = StatusCode::new(reply.code).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let mut response = Response::to_request(request, status);
        push_all(response.headers_mut(), &reply.headers);
        let headers = response.headers_mut();
        headers.put(HeaderName::Server, &self.config.user_agent);
        self.layer.refuse(flow, request, response);
    }

    /// Answers a request by ourselves.
    pub(super) fn refuse(
        &mut self,
        key: ServerKey,
        request: &Request,
        reply: &Reply,
        now: Instant,
    ) {
        let tag = self.layer.local_tag(key).unwrap_or_default().to_owned();
        let response = self.answer_to(request, &tag, reply);
        self.layer.respond(key, &response, now);
    }

    pub(super) fn answer_call(&mut self, usage: UsageId, reply: &Reply, now: Instant) {
        let Some(called) = self.calls.called(usage) else {
            return;
        };
        let mut response = self.answer_to(&called.request, &called.dialog.id().local_tag, reply);
        let timing = self.answer_timer(&called.request, &mut response);
        match reply.code {
            ..=199 => self.answer_provisionally(usage, response, now),
            200..=299 => {
                self.accept(usage, &response, now);
                self.timer_answered(usage, timing, now);
            }
            300.. => self.reject(usage, &response, now),
        }
    }

    fn answer_provisionally(&mut self, usage: UsageId, response: Response, now: Instant) {
        if let Some(unreliable) = self.answer_reliably(usage, response, now) {
            self.answer_unreliably(usage, unreliable, now);
        }
    }

    pub(super) fn answer_unreliably(&mut self, usage: UsageId, response: Response, now: Instant) {
        let Some(called) = self.calls.called_mut(usage) else {
            return;
        };
        self.layer.respond(called.server, &response, now);
        called.provisional = Some(response);
        self.alarms
            .start(Alarm::RepeatProvisional(usage), now + REPEAT_PROVISIONAL);
    }

    pub(super) fn repeat_provisional(&mut self, usage: UsageId, now: Instant) {
        if let Some(called) = self.calls.called_mut(usage)
            && let Some(response) = called.provisional.take()
        {
            self.answer_unreliably(usage, response, now);
        }
    }

    fn accept(&mut self, usage: UsageId, response: &Response, now: Instant) {
        self.alarms.stop(Alarm::RepeatProvisional(usage));
        self.stop_reliable(usage);
        let Some(mut called) = self.calls.take_called(usage) else {
            return;
        };
        self.exchanges.take_received(called.server);
        self.layer.respond(called.server, response, now);
        called.dialog.confirm();
        let mut established = Established::new(called.dialog, called.flow);
        established.may_bye = false;
        established.learn_abilities(called.request.headers());
        let invite = called
            .request
            .headers()
            .cseq()
            .map_or(0, |cseq| cseq.number);
        let unacknowledged = called.reliable.filter(Reliable::is_open);
        established.last_prack = unacknowledged.map(|reliable| (reliable.rseq, invite));
        self.calls
            .insert(usage, Usage::Established(Box::new(established)));
        self.wait_for_ack(usage, &called.request, response, now);
    }

    fn reject(&mut self, usage: UsageId, response: &Response, now: Instant) {
        if let Some(called) = self.take_called(usage) {
            self.layer.respond(called.server, response, now);
            self.refuse_all_of(usage, now);
        }
    }

    fn take_called(&mut self, usage: UsageId) -> Option<Box<Called>> {
        let called = self.calls.take_called(usage)?;
        self.alarms.stop(Alarm::RepeatProvisional(usage));
        self.stop_reliable(usage);
        self.exchanges.take_received(called.server);
        self.calls.drop_dialog(called.dialog.id());
        Some(called)
    }

    /// RFC 3261 §13.3.1.4: over reliable flows as well, since a proxy on the way may use others.
    pub(super) fn wait_for_ack(
        &mut self,
        usage: UsageId,
        request: &Request,
        response: &Response,
        now: Instant,
    ) {
        let cseq = request.headers().cseq();
        let Some(established) = self.calls.established_mut(usage) else {
            return;
        };
        established.unacked = Some(Unacked {
            bytes: response.to_bytes(),
            cseq: cseq.map_or(0, |cseq| cseq.number),
            offers: request.body().is_empty(),
            repeats: 0,
            ack_may_be_lost: false,
        });
        let timings = self.config.timings;
        self.alarms.start(Alarm::Repeat2xx(usage), now + timings.t1);
        self.alarms
            .start(Alarm::AckWait(usage), now + timings.patience());
    }

    pub(super) fn repeat_2xx(&mut self, usage: UsageId, now: Instant) {
        let timings = self.config.timings;
        let Some(established) = self.calls.established_mut(usage) else {
            return;
        };
        let Some(unacked) = &mut established.unacked else {
            return;
        };
        unacked.repeats += 1;
        let (bytes, repeats, flow) = (unacked.bytes.clone(), unacked.repeats, established.flow);
        if let Some(flow) = self.flows.choose(Some(flow)) {
            self.layer.transmit(flow, bytes);
        }
        self.alarms
            .start(Alarm::Repeat2xx(usage), now + timings.backoff(repeats));
    }

    /// Sends every 2xx without an ACK, whose flow broke, over this one: before any offer goes over it.
    pub(super) fn repeat_lost_2xx(&mut self, over: FlowId) {
        let Self {
            calls,
            flows,
            layer,
            ..
        } = self;
        for established in calls.all_established() {
            if let Some(unacked) = &mut established.unacked
                && !flows.is_up(established.flow)
            {
                unacked.ack_may_be_lost = true;
                layer.transmit(over, unacked.bytes.clone());
            }
        }
    }

    /// RFC 3261 §13.3.1.4: the dialog stands, the session does not: BYE.
    pub(super) fn no_ack(&mut self, usage: UsageId, now: Instant) {
        self.emit(Event::AckTimeout { usage });
        let held = match self.calls.get(usage) {
            Some(Usage::Established(established)) => established.held_bye.as_ref(),
            Some(Usage::Calling(_) | Usage::Called(_) | Usage::Lingering(_)) | None => None,
        };
        let headers = held.map(|held| held.headers.clone());
        self.hang_up(usage, headers, EndCause::NoAck, now);
    }

    pub(super) fn receive_ack(&mut self, flow: FlowId, request: Request, now: Instant) {
        let number = request.headers().cseq().ok().map(|cseq| cseq.number);
        let usage =
            DialogId::of_request(request.headers()).and_then(|id| self.calls.of_dialog(&id));
        let Some(usage) = usage else {
            // RFC 3261 §17: an ACK is never answered.
            return self.discard("an ACK of no call of ours".into());
        };
        let Some(established) = self.calls.established_mut(usage) else {
            return;
        };
        let awaited = established
            .unacked
            .as_ref()
            .is_some_and(|unacked| Some(unacked.cseq) == number);
        if !awaited {
            return;
        }
        established.dialog.learn_session(request.headers());
        established.flow = flow;
        self.emit(Event::Acked {
            usage,
            ack: request,
        });
        self.arrived_2xx(usage, now);
    }

    /// The other side has our 2xx.
    pub(super) fn arrived_2xx(&mut self, usage: UsageId, now: Instant) {
        let Some(established) = self.calls.established_mut(usage) else {
            return;
        };
        established.unacked = None;
        established.may_bye = true;
        let held = established.held_bye.take();
        self.alarms.stop(Alarm::Repeat2xx(usage));
        self.alarms.stop(Alarm::AckWait(usage));
        if let Some(held) = held {
            self.send_bye(usage, held.id, &held.headers, held.body.as_ref(), now);
        }
    }

    /// A CANCEL that came in time: the INVITE is given 487 (RFC 3261 §9.2).
    pub(super) fn receive_cancel(&mut self, key: ServerKey, cancel: Request, now: Instant) {
        match self.exchanges.received(key) {
            Some(Received::Invite(usage)) => {
                self.answer_call(usage, &Reply::new(487), now);
                self.emit(Event::Cancelled {
                    usage,
                    cancel: Some(cancel),
                });
            }
            Some(Received::Asked(id)) => {
                self.exchanges.take_received(key);
                self.refuse_asked(id, &Reply::new(487), now);
            }
            None => {}
        }
    }

    /// The caller hung up an early dialog, or its flow is gone.
    pub(super) fn incoming_is_over(&mut self, usage: UsageId, by: Option<Request>) {
        if self.take_called(usage).is_some() {
            self.emit(Event::Cancelled { usage, cancel: by });
        }
    }

    /// BYE inside an early dialog: the INVITE is given 487 (RFC 3261 §15.1.2).
    pub(super) fn hung_up_early(&mut self, usage: UsageId, bye: Request, now: Instant) {
        self.answer_call(usage, &Reply::new(487), now);
        self.emit(Event::Cancelled {
            usage,
            cancel: Some(bye),
        });
    }
}
