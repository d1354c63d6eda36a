//! Our own offer in an answered call: asked of media, sent, answered, taken back.

use std::time::{Duration, Instant};

use sip::endpoint::{Body, RequestFailure, RequestId, ends_call};
use sip::header::RetryAfter;
use sip::message::{Method, Response};

use super::offerer::{AGAIN, Offerer};
use super::refresh::PATIENCE_WITH_ICE;
use super::{Active, Context, Negotiation, NotSent, Pause, Purpose, Session, State, Unanswered};
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::error::SipStatus;
use crate::door::hold_via::HoldVia;
use crate::door::level::Level;
use crate::door::media::{MediaRefusal, StreamCommand};
use crate::door::sdp::Sdp;
use crate::reading::{outcome, sdp};

/// How long an offer may stay unanswered, however often the peer says that it is trying: 64·T1, as
/// where it says nothing (RFC 3261 §17.1.1.2).
const PATIENCE: Duration = Duration::from_secs(32);
pub(super) const NO_ANSWER: &str = "the other party does not answer";
/// A peer that puts us off more often will not be asked again.
const MOST_PUT_OFF: u32 = 5;
/// RFC 3261 §14.2: the longest wait that a 500 to an offer may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Session {
    /// Makes the offer that is owed, to refresh the call or to change hold, if no other is open; the
    /// peer's, which waits already, comes first.
    pub(super) fn drive_offer(&mut self, ctx: &mut Context<'_>) {
        self.take_waiting(ctx);
        let may_offer = self.may_offer(ctx);
        let State::Active(active) = &mut self.state else {
            return;
        };
        active.time_hold(may_offer, ctx.now);
        let change = active.holds.next();
        let owed = active.offerer.owed.is_any() || change.is_some() || self.pictures.is_owed();
        let free = active.offerer.is_free();
        if !(owed && free && may_offer) {
            return;
        }
        if active.offerer.owed.restart {
            active
                .repair
                .until
                .get_or_insert(ctx.now + PATIENCE_WITH_ICE);
        }
        let held = active.holds.offered(self.holding.held);
        active.offerer.negotiation = Negotiation::Offering;
        active.offerer.purpose = Purpose {
            refresh: active.offerer.owed.refresh,
            restart: active.offerer.owed.restart,
            renewal: active.offerer.owed.renewal,
            hold: change.map(|change| change.via),
            held: Some(held),
            video: Some(self.pictures.version()),
        };
        let restart_ice = active.offerer.owed.restart;
        self.describe(StreamCommand::Reoffer { restart_ice, held }, ctx);
    }

    /// The offer is there: sends it in a re-INVITE, or in an UPDATE if that is wanted and taken.
    pub(super) fn send_reoffer(&mut self, sdp: Sdp, ctx: &mut Context<'_>) {
        let (State::Active(active), Some(usage)) = (&mut self.state, self.usage) else {
            return;
        };
        let wanted = active.holds.offered(self.holding.held);
        // RFC 3261 §14.2: theirs was there before ours went; or what ours was to say is not wanted any more.
        let purpose = active.offerer.purpose;
        let outdated =
            purpose.held != Some(wanted) || purpose.video != Some(self.pictures.version());
        if active.offerer.waiting.is_some() || outdated {
            self.take_back(ctx);
            return self.drive_offer(ctx);
        }
        let update = active.offerer.purpose.hold == Some(HoldVia::Update)
            && ctx.agent.endpoint_of(&usage).takes_update(usage);
        let method = match update {
            true => Method::Update,
            false => Method::Invite,
        };
        match ctx.request(usage, method, &[], Some(&Body::sdp(sdp))) {
            Ok(request) => {
                active.offerer.negotiation = Negotiation::Offered { request };
                // Nobody tries an UPDATE for longer than its transaction lasts (RFC 3261 §17.1.2.2).
                active.offerer.until = (!update).then_some(ctx.now + PATIENCE);
                active.holds.found_moment();
            }
            // The wish stands until there is a flow, or the ACK of our own answer.
            Err(NotSent::NoFlow | NotSent::OfferPending) => {
                self.take_back(ctx);
            }
            Err(
                error @ (NotSent::Limit { .. }
                | NotSent::Header { .. }
                | NotSent::Target { .. }
                | NotSent::Insecure
                | NotSent::Code { .. }
                | NotSent::Unknown
                | NotSent::WrongState { .. }),
            ) => self.offer_not_sent(&error, ctx),
        }
    }

    /// Nothing that is awaited will change that: a hold has failed, anything else is told later.
    fn offer_not_sent(&mut self, error: &NotSent, ctx: &mut Context<'_>) {
        let purpose = self.take_back(ctx);
        if let State::Active(active) = &mut self.state {
            active.offerer.pause = Pause::Until(ctx.now + AGAIN);
        }
        if purpose.hold.is_some() {
            self.hold_refused(&error.to_string(), None, ctx);
        }
        self.video_refused(purpose.video, &error.to_string(), None, ctx);
    }

    /// Our offer was answered, or refused: then the session stays as it was (RFC 3261 §14.1).
    pub(crate) fn offer_answered(
        &mut self,
        id: RequestId,
        response: &Response,
        ctx: &mut Context<'_>,
    ) {
        let is_doubted = ends_call(&Method::Invite, response.status()) && self.is_alive(ctx);
        let Some(active) = self.offered(id) else {
            return;
        };
        active.offerer.until = None;
        let status = outcome::status(response);
        let withdrawn = matches!(active.offerer.negotiation, Negotiation::Withdrawn { .. });
        match status.code {
            // RFC 3261 §12.2.1.2 ends the call for it; but proxies make it of silence, as Timer B does.
            408 => return self.offer_unanswered(Some(status), ctx),
            // It would have ended the call, were it not so soon after a lost connection that the server may not know yet where
            // the other party is.
            _ if is_doubted => return self.offer_unanswered(Some(status), ctx),
            // RFC 3261 §15.1.2: our own CANCEL speaks, and not the other party.
            487 if withdrawn => return self.offer_withdrawn(status, ctx),
            // RFC 5626 §5.3.1: a server has no way to the peer, which may be about to come back by another.
            430 | 480 if active.offerer.put_off < MOST_PUT_OFF => active.offerer.back_off(ctx.now),
            _other => active.offerer.was_answered(),
        }
        match (status.code, sdp::of_response(response)) {
            (200..=299, Some(sdp)) => {
                active.offerer.negotiation = Negotiation::Applying;
                active.offerer.put_off = 0;
                active.offerer.settle(active.offerer.purpose);
                let provisional = false;
                ctx.media(self.id, StreamCommand::SetAnswer { sdp, provisional });
                self.refreshed(ctx);
            }
            // A 2xx without a description answers no offer: it is a refusal like any other.
            (code, _) => match retry(code, response, &active.offerer, ctx.now) {
                Some(pause) => {
                    active.offerer.pause = pause;
                    active.offerer.put_off += 1;
                    let offered = active.offerer.purpose.video;
                    self.video_put_off(offered, &status);
                    self.hold_put_off(status);
                    self.take_back(ctx);
                }
                None => self.offer_refused(status, ctx),
            },
        }
    }

    fn offer_refused(&mut self, status: SipStatus, ctx: &mut Context<'_>) {
        let mut purpose = self.take_back(ctx);
        if !self.is_alive(ctx) {
            // RFC 5057 §5.1: the end of the dialog is told separately.
            return;
        }
        let State::Active(active) = &mut self.state else {
            return;
        };
        active.offerer.put_off = 0;
        // A refused change of hold has not told the peer what holds.
        purpose.renewal &= purpose.held == Some(self.holding.held);
        active.offerer.settle(purpose);
        let message = "The other party refused our new offer; the session stays as it was";
        let details = serde_json::json!({ "id": self.id, "code": status.code });
        ctx.trace(Level::Warn, message, details);
        let text = format!("the other party answered {} {}", status.code, status.reason);
        if purpose.hold.is_some() {
            self.hold_refused(&text, Some(status.clone()), ctx);
        }
        self.video_refused(purpose.video, &text, Some(status), ctx);
        self.refreshed(ctx);
        self.drive_offer(ctx);
    }

    fn is_alive(&self, ctx: &Context<'_>) -> bool {
        self.usage.is_some_and(|usage| ctx.agent.is_alive(usage))
    }

    /// Forgets our open offer; what it was for is still wanted.
    pub(super) fn take_back(&mut self, ctx: &mut Context<'_>) -> Purpose {
        let State::Active(active) = &mut self.state else {
            return Purpose::default();
        };
        ctx.media(self.id, StreamCommand::Rollback);
        active.offerer.take_back()
    }

    /// Our offer had no answer; where its dialog is over, that is told separately.
    pub(crate) fn offer_failed(
        &mut self,
        id: RequestId,
        failure: RequestFailure,
        ctx: &mut Context<'_>,
    ) {
        let Some(active) = self.offered(id) else {
            return;
        };
        active.offerer.until = None;
        match failure {
            // The refresh over the next flow says all that this one was to say.
            RequestFailure::Transport => active.offerer.owed.refresh = true,
            RequestFailure::Timeout => return self.offer_unanswered(None, ctx),
            RequestFailure::DialogEnded => {}
        }
        self.take_back(ctx);
    }

    /// Whether the call ends with that, the endpoint asks next.
    fn offer_unanswered(&mut self, status: Option<SipStatus>, ctx: &mut Context<'_>) {
        let purpose = self.take_back(ctx);
        if let State::Active(active) = &mut self.state {
            active.offerer.unanswered = Some(Unanswered { purpose, status });
        }
    }

    /// The call goes on although nobody answered our offer: it is made again, ever more rarely. What a
    /// hold asked for is not; but the peer may have taken it, and is told what holds instead.
    pub(super) fn offered_in_vain(&mut self, unanswered: Unanswered, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        active.offerer.back_off(ctx.now);
        active.offerer.owed.renewal |= !active.offerer.owed.refresh && !active.offerer.owed.restart;
        if unanswered.purpose.hold.is_some() {
            self.hold_refused(NO_ANSWER, unanswered.status.clone(), ctx);
        }
        self.video_refused(unanswered.purpose.video, NO_ANSWER, unanswered.status, ctx);
    }

    /// Our CANCEL has ended our offer, which nobody had answered: what it was for is owed still.
    fn offer_withdrawn(&mut self, status: SipStatus, ctx: &mut Context<'_>) {
        let purpose = self.take_back(ctx);
        if let State::Active(active) = &mut self.state {
            active.offerer.back_off(ctx.now);
        }
        if purpose.hold.is_some() {
            self.hold_refused(NO_ANSWER, Some(status.clone()), ctx);
        }
        self.video_refused(purpose.video, NO_ANSWER, Some(status), ctx);
    }

    /// Gives up our offer that is out: the CANCEL brings a 487, or the 2xx that it crosses.
    pub(super) fn withdraw_offer(&mut self, ctx: &mut Context<'_>) {
        let (State::Active(active), Some(usage)) = (&mut self.state, self.usage) else {
            return;
        };
        // RFC 3261 §9.1: only an INVITE can be cancelled, which alone has this time.
        if active.offerer.until.take().is_some()
            && let Negotiation::Offered { request } = active.offerer.negotiation
        {
            active.offerer.negotiation = Negotiation::Withdrawn { request };
            ctx.cancel(usage, None);
        }
    }

    /// Our offer is to be made again, or has waited long enough.
    pub(super) fn offer_timeout(&mut self, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        if active.offerer.until.is_some_and(|until| until <= ctx.now) {
            self.withdraw_offer(ctx);
        } else if let Pause::Until(at) = active.offerer.pause
            && at <= ctx.now
        {
            active.offerer.pause = Pause::No;
            self.drive_offer(ctx);
        }
        self.hold_timeout(ctx);
    }

    /// Media can make no new offer: the session stays as it was.
    pub(super) fn no_reoffer(&mut self, text: &str, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            let mut purpose = active.offerer.take_back();
            // A change of hold that came to nothing has not told the peer what holds.
            purpose.renewal &= purpose.hold.is_none();
            active.offerer.settle(purpose);
            let details = serde_json::json!({ "id": self.id, "reason": text });
            ctx.trace(Level::Warn, "Media can make no new offer", details);
            if purpose.hold.is_some() {
                self.hold_refused(text, None, ctx);
            }
            self.video_refused(purpose.video, text, None, ctx);
            self.refreshed(ctx);
            self.drive_offer(ctx);
        }
    }

    /// The call, where this request holds its open offer.
    fn offered(&mut self, request: RequestId) -> Option<&mut Active> {
        match &mut self.state {
            State::Active(active) => active.offerer.is_out_in(request).then_some(active),
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => None,
        }
    }

    /// The wait after a glare is over, or nothing of the caller's keeps our answer back any more.
    pub(crate) fn offer_due(&mut self, ctx: &mut Context<'_>) {
        self.drive_answer(ctx);
        if let State::Active(active) = &mut self.state
            && active.offerer.pause == Pause::Glare
        {
            active.offerer.pause = Pause::No;
            self.drive_offer(ctx);
        }
    }

    /// The peer's answer is in force.
    pub(super) fn answer_applied(&mut self, ctx: &mut Context<'_>) {
        self.tell_answered(ctx);
        if let State::Active(active) = &mut self.state
            && active.offerer.negotiation == Negotiation::Applying
        {
            if let Some(offer) = active.early.renewed.take() {
                // Media heard another fork last. This one has our answer to its offer already, so
                // what media says of it now is not sent.
                active.offerer.negotiation = Negotiation::Abandoned { ours: false };
                return self.describe(StreamCommand::AnswerReoffer { offer }, ctx);
            }
            active.offerer.negotiation = Negotiation::Stable;
            let purpose = std::mem::take(&mut active.offerer.purpose);
            if let Some(held) = purpose.held {
                self.hold_agreed(held, ctx);
            }
            if let Some(offered) = purpose.video {
                self.video_agreed(offered, ctx);
            }
            self.drive_streams(ctx);
            self.follow_streams(ctx);
            self.drive_offer(ctx);
        }
    }

    /// Media can't use the peer's answer. To the first offer that ends the call; a later one is
    /// taken back.
    pub(super) fn answer_refused(
        &mut self,
        refusal: MediaRefusal,
        text: &str,
        ctx: &mut Context<'_>,
    ) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        let purpose = active.offerer.take_back();
        match self.connectivity.was_up {
            true => {
                ctx.media(self.id, StreamCommand::Rollback);
                // The peer takes its answer for given: it is told what holds instead.
                active.offerer.owed.renewal |=
                    purpose.held.is_some_and(|held| held != self.holding.held)
                        || self.pictures.is_told_by(purpose.video);
                if purpose.hold.is_some() {
                    self.hold_refused(text, None, ctx);
                }
                self.video_refused(purpose.video, text, None, ctx);
                self.drive_offer(ctx);
            }
            false => {
                let side = match refusal {
                    MediaRefusal::Unavailable => Side::Local,
                    MediaRefusal::Malformed
                    | MediaRefusal::Incompatible
                    | MediaRefusal::PlainRtp => Side::Remote,
                };
                let reason = EndReason::new(condition(refusal), side, text);
                self.end_because(reason, ctx);
            }
        }
    }
}

/// The condition with which a refused description ends a call.
pub(super) fn condition(refusal: MediaRefusal) -> Condition {
    match refusal {
        MediaRefusal::Malformed | MediaRefusal::Incompatible => Condition::IncompatibleParameters,
        MediaRefusal::PlainRtp => Condition::UnsupportedTransports,
        MediaRefusal::Unavailable => Condition::MediaError,
    }
}

/// How an offer that came at a bad time is made again.
fn retry(code: u16, response: &Response, offerer: &Offerer, now: Instant) -> Option<Pause> {
    let wait = || {
        let delay = response.headers().typed::<RetryAfter<'_>>()?.ok()?.delay();
        (delay <= LONGEST_WAIT).then_some(delay)
    };
    match code {
        // Whoever puts us off for ever would keep a hold from ever being told to have failed.
        _ if offerer.put_off >= MOST_PUT_OFF => None,
        491 => Some(Pause::Glare),
        // RFC 3261 §14.2: it still works on an earlier offer, for so long. Without a time it can't do it at all.
        500 => Some(Pause::Until(now + wait()?)),
        430 | 480 => Some(offerer.pause),
        _other => None,
    }
}
