//! Provisional answers that arrive for sure (RFC 3262): our PRACKs for theirs, and theirs for ours.

use std::time::Instant;

use rand::RngExt;

use super::command::Reply;
use super::event::{Event, UsageId};
use super::standalone_requests::is_challenge;
use super::state::usage::{Calling, Early, Reliable, Sent, Usage};
use super::{Alarm, Endpoint};
use crate::dialog::DialogId;
use crate::header::{CSeq, RAck, RSeq};
use crate::message::{HeaderName, Method, Request, Response};
use crate::put::Put;
use crate::transaction::{ClientKey, FlowId, ServerKey};

/// The option tag.
pub(super) const TAG: &str = "100rel";

/// PRACKs of one call that may be unanswered: who answers none of them has no more of our room.
const MOST_PRACKS: usize = 32;

/// What a provisional answer is to whoever got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrived {
    /// It is not acknowledged.
    Unreliable,
    /// It is new, and wants a PRACK.
    InOrder(u32),
    /// It came before, or one before it is missing.
    OutOfOrder,
}

impl Early {
    /// RFC 3262 §4: each dialog counts for itself; what is not the next is as if it had not come.
    pub(super) fn arrived(&mut self, response: &Response) -> Arrived {
        let required = response.headers().lists(HeaderName::Require, TAG);
        let rseq = response.headers().typed::<RSeq>().and_then(Result::ok);
        let Some(RSeq(number)) = rseq.filter(|_| required) else {
            return Arrived::Unreliable;
        };
        match self.rseq {
            Some(last) if last.checked_add(1) != Some(number) => Arrived::OutOfOrder,
            Some(_) | None => {
                self.rseq = Some(number);
                Arrived::InOrder(number)
            }
        }
    }
}

impl Endpoint {
    /// Lets an INVITE be answered reliably before its final answer. Without an offer it is not: the first such answer
    /// would bring one, and its PRACK would have to wait for media.
    pub(super) fn offer_reliability(&self, request: &mut Request) {
        if request.body().is_empty() {
            return;
        }
        let supported = self.config.supported.iter().map(String::as_str);
        let tags: Vec<&str> = supported.chain([TAG]).collect();
        let headers = request.headers_mut();
        headers.put_instead(HeaderName::Supported, &tags.join(", "));
    }

    /// Acknowledges a reliable provisional answer inside its early dialog.
    pub(super) fn send_prack(
        &mut self,
        usage: UsageId,
        dialog: &DialogId,
        rseq: u32,
        now: Instant,
    ) {
        let Some(calling) = self.calls.calling_mut(usage) else {
            return;
        };
        let invite = calling.request.headers().cseq().ok();
        let flow = calling.flow;
        let (Some(invite), Some(early)) = (invite, early_of(calling, dialog)) else {
            return;
        };
        let unanswered =
            |sent: &Sent| matches!(sent, Sent::Prack { usage: of, .. } if *of == usage);
        if self.exchanges.count_sent(unanswered) >= MOST_PRACKS {
            return self.discard("a reliable answer of a peer that answers no PRACK".into());
        }
        let private = early.dialog.is_private();
        let origin = early.dialog.origin().clone();
        let mut request = early.dialog.request(Method::Prack);
        let cseq = CSeq::new(invite.number, Method::Invite);
        request.headers_mut().push_typed(&RAck { rseq, cseq });
        self.push_common(&mut request, private);
        self.signer.sign(&mut request, Some(&origin));
        self.send_prack_again(flow, usage, dialog.clone(), request, 0, now);
    }

    fn send_prack_again(
        &mut self,
        flow: FlowId,
        usage: UsageId,
        dialog: DialogId,
        request: Request,
        retries: u32,
        now: Instant,
    ) {
        let Some(flow) = self.flows.choose(Some(flow)) else {
            return;
        };
        let sent = |request| Sent::Prack {
            usage,
            dialog,
            request,
            retries,
        };
        self.send(flow, request, sent, now);
    }

    /// A PRACK needs nothing of its answer but credentials, if it wants some.
    pub(super) fn receive_prack_response(
        &mut self,
        key: ClientKey,
        response: &Response,
        now: Instant,
    ) {
        let Some(Sent::Prack {
            usage,
            dialog,
            request,
            retries,
        }) = self.exchanges.take_sent(key)
        else {
            return;
        };
        let dialog_of = |endpoint: &mut Self| {
            let (flow, dialog) = match endpoint.calls.get_mut(usage)? {
                Usage::Calling(calling) => (calling.flow, &mut early_of(calling, &dialog)?.dialog),
                Usage::Established(established) if established.dialog.id() == &dialog => {
                    (established.flow, &mut established.dialog)
                }
                Usage::Established(_) | Usage::Called(_) | Usage::Lingering(_) => return None,
            };
            Some((flow, Some(dialog.next_cseq()), dialog.origin().clone()))
        };
        if is_challenge(response)
            && let Some((flow, cseq, origin)) = dialog_of(self)
            && let Some(again) =
                self.answer_challenge(response, &request, retries, cseq, Some(&origin))
        {
            self.send_prack_again(flow, usage, dialog, again, retries + 1, now);
        }
    }

    /// Sends a provisional answer of ours reliably if the caller insists, or if it can and there is a body;
    /// `None` if it went out, or waits for the PRACK of the one before.
    pub(super) fn answer_reliably(
        &mut self,
        usage: UsageId,
        mut response: Response,
        now: Instant,
    ) -> Option<Response> {
        let called = self.calls.called_mut(usage)?;
        let headers = called.request.headers();
        let required = headers.lists(HeaderName::Require, TAG);
        let supported = headers.lists(HeaderName::Supported, TAG);
        if !required && (response.body().is_empty() || !supported) {
            return Some(response);
        }
        // RFC 3261 §13.2.1: the first reliable answer to an INVITE without an offer has to make one.
        if called.request.body().is_empty() && response.body().is_empty() {
            return None;
        }
        if called.reliable.as_ref().is_some_and(Reliable::is_open) {
            called.next_reliable = Some(response);
            return None;
        }
        let rseq = called
            .reliable
            .as_ref()
            // RFC 3262 §3: below 2^31, with room to count.
            .map_or_else(
                || self.draws.rng().random_range(1..1 << 30),
                |before| before.rseq + 1,
            );
        let headers = response.headers_mut();
        headers.push_typed(&RSeq(rseq));
        headers.put(HeaderName::Require, TAG);
        let server = called.server;
        called.reliable = Some(Reliable {
            rseq,
            response: Some(response.clone()),
            repeats: 0,
        });
        self.layer.respond(server, &response, now);
        let timings = self.config.timings;
        self.alarms
            .start(Alarm::RepeatReliable(usage), now + timings.t1);
        self.alarms
            .start(Alarm::PrackWait(usage), now + timings.patience());
        None
    }

    /// RFC 3262 §3: T1, doubling, over reliable flows as well.
    pub(super) fn repeat_reliable(&mut self, usage: UsageId, now: Instant) {
        let timings = self.config.timings;
        let Some(called) = self.calls.called_mut(usage) else {
            return;
        };
        let Some(reliable) = &mut called.reliable else {
            return;
        };
        let Some(response) = &reliable.response else {
            return;
        };
        reliable.repeats += 1;
        self.layer.respond(called.server, response, now);
        let wait = timings.t1 * 2u32.saturating_pow(reliable.repeats.min(7));
        self.alarms.start(Alarm::RepeatReliable(usage), now + wait);
    }

    /// RFC 3262 §3: 64·T1 without a PRACK end the call.
    pub(super) fn no_prack(&mut self, usage: UsageId, now: Instant) {
        self.answer_call(usage, &Reply::new(504), now);
        self.emit(Event::Cancelled {
            usage,
            cancel: None,
        });
    }

    pub(super) fn stop_reliable(&mut self, usage: UsageId) {
        self.alarms.stop(Alarm::RepeatReliable(usage));
        self.alarms.stop(Alarm::PrackWait(usage));
    }

    /// A PRACK for an INVITE that we have not answered.
    pub(super) fn receive_prack(
        &mut self,
        key: ServerKey,
        usage: UsageId,
        request: Request,
        now: Instant,
    ) {
        let Some(called) = self.calls.called_mut(usage) else {
            return self.refuse(key, &request, &Reply::new(481), now);
        };
        let invite = called
            .request
            .headers()
            .cseq()
            .map_or(0, |cseq| cseq.number);
        let matches = |reliable: &&mut Reliable| {
            reliable.is_open() && acknowledges(&request, reliable.rseq, invite)
        };
        let Some(reliable) = called.reliable.as_mut().filter(matches) else {
            return self.refuse(key, &request, &Reply::new(481), now);
        };
        let described = reliable.describes();
        reliable.response = None;
        called.offers.answered |= described && !called.request.body().is_empty();
        let answered = called.offers.answered && called.offers.theirs.is_none();
        let next = called.next_reliable.take();
        self.stop_reliable(usage);
        match request.body().is_empty() {
            true => self.refuse(key, &request, &Reply::new(200), now),
            // RFC 3262 §5: an offer may follow the answer, and its own is in the 2xx to the PRACK.
            false if answered => self.hand_up_offer(key, usage, request),
            false => self.refuse(key, &request, &Reply::new(488), now),
        }
        if described {
            self.emit(Event::OfferDue { usage });
        }
        if let Some(next) = next
            && let Some(unreliable) = self.answer_reliably(usage, next, now)
        {
            self.answer_unreliably(usage, unreliable, now);
        }
    }

    /// A PRACK that our 2xx has overtaken.
    pub(super) fn receive_late_prack(
        &mut self,
        key: ServerKey,
        usage: UsageId,
        request: &Request,
        now: Instant,
    ) {
        let known = self
            .established(usage)
            .ok()
            .and_then(|call| call.last_prack);
        let matches = known.is_some_and(|(rseq, cseq)| acknowledges(request, rseq, cseq));
        let code = if matches { 200 } else { 481 };
        self.refuse(key, request, &Reply::new(code), now);
    }
}

fn acknowledges(request: &Request, rseq: u32, invite: u32) -> bool {
    let rack = request.headers().typed::<RAck>().and_then(Result::ok);
    rack.is_some_and(|rack| {
        rack.rseq == rseq && rack.cseq.number == invite && rack.cseq.method == Method::Invite
    })
}

fn early_of<'a>(calling: &'a mut Calling, dialog: &DialogId) -> Option<&'a mut Early> {
    let mut early = calling.early.iter_mut();
    early.find(|early| early.dialog.id() == dialog)
}
