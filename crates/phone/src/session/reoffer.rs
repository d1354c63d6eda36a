//! The peer's re-INVITE or UPDATE: with an offer, which media answers, or without one.

use sip::endpoint::{Reply, ServerRequestId};
use sip::message::{Method, Request};

use super::{Context, Negotiation, Purpose, Session, State, Waiting};
use crate::door::media::StreamCommand;
use crate::door::sdp::Sdp;
use crate::reading::sdp;

impl Session {
    /// Takes the peer's re-INVITE or UPDATE, or the offer in its PRACK.
    pub(crate) fn reoffered(
        &mut self,
        id: ServerRequestId,
        request: &Request,
        ctx: &mut Context<'_>,
    ) {
        let offer = sdp::of_request(request);
        let is_invite = *request.method() == Method::Invite;
        let State::Active(active) = &mut self.state else {
            return self.offered_early(id, request, offer, ctx);
        };
        if offer.is_none() && !is_invite {
            // RFC 3311 §5.2: without an offer an UPDATE only refreshes the session and its target.
            return ctx.answer(id, &Reply::new(200));
        }
        match active.offerer.negotiation {
            // Media needs a moment for what it has at hand, which nobody else knows of: peers repeat a
            // request after a 491 only, and would take a 500 for our last word.
            Negotiation::Stable
            | Negotiation::Applying
            | Negotiation::Offering
            | Negotiation::Abandoned { .. } => {
                active.offerer.waiting = Some(Waiting { request: id, offer });
                self.drive_offer(ctx);
            }
            Negotiation::Offered { .. }
            | Negotiation::Withdrawn { .. }
            | Negotiation::AwaitingAck => {
                ctx.answer(id, &Reply::new(491));
            }
            Negotiation::Answering { .. } | Negotiation::OfferingInAnswer { .. } => {
                ctx.answer(id, &Reply::new(500).header("Retry-After", "1"));
            }
        }
    }

    /// Takes up the peer's request that waits, once no offer is open.
    pub(super) fn take_waiting(&mut self, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        if active.offerer.negotiation != Negotiation::Stable {
            return;
        }
        let Some(Waiting { request, offer }) = active.offerer.waiting.take() else {
            return;
        };
        let command = match offer {
            Some(offer) => {
                active.offerer.negotiation = Negotiation::Answering { request };
                StreamCommand::AnswerReoffer { offer }
            }
            // RFC 3261 §14.2: a re-INVITE without an offer wants ours, which says what we want now.
            None => {
                active.offerer.negotiation = Negotiation::OfferingInAnswer { request };
                let held = active.holds.offered(self.holding.held);
                active.offerer.purpose.hold = active.holds.next().map(|change| change.via);
                active.offerer.purpose.held = Some(held);
                active.offerer.purpose.video = Some(self.pictures.version());
                let restart_ice = false;
                StreamCommand::Reoffer { restart_ice, held }
            }
        };
        self.describe(command, ctx);
    }

    /// Media has described itself for the peer's request.
    pub(super) fn answer_reoffer(
        &mut self,
        id: ServerRequestId,
        sdp: Sdp,
        next: Negotiation,
        ctx: &mut Context<'_>,
    ) {
        if let State::Active(active) = &mut self.state {
            active.offerer.negotiation = next;
            ctx.answer(id, &Reply::new(200).sdp(sdp));
            self.drive_streams(ctx);
            self.drive_offer(ctx);
        }
    }

    /// Media can't use the peer's offer: the session stays as it was (RFC 3261 §14.2).
    pub(super) fn refuse_reoffer(&mut self, id: ServerRequestId, code: u16, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            active.offerer.negotiation = Negotiation::Stable;
            active.offerer.purpose = Purpose::default();
            ctx.answer(id, &Reply::new(code));
            self.drive_offer(ctx);
        }
    }

    /// The peer's request can't be answered any more; what media makes for it is for nobody.
    pub(crate) fn reoffer_gone(&mut self, id: ServerRequestId) {
        if let State::Active(active) = &mut self.state {
            if active
                .offerer
                .waiting
                .take_if(|waiting| waiting.request == id)
                .is_some()
            {
                return;
            }
            let ours = matches!(
                active.offerer.negotiation,
                Negotiation::OfferingInAnswer { .. }
            );
            active.offerer.negotiation = Negotiation::Abandoned { ours };
            active.offerer.purpose = Purpose::default();
        }
    }

    /// Media has done what nobody waits for any more.
    pub(super) fn abandoned(&mut self, rollback: bool, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            active.offerer.negotiation = Negotiation::Stable;
            if rollback {
                ctx.media(self.id, StreamCommand::Rollback);
            }
            self.drive_offer(ctx);
        }
    }

    /// The ACK of our 200 OK: where that held our offer, it brings the answer.
    pub(crate) fn acknowledged(&mut self, ack: &Request, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        if active.offerer.negotiation != Negotiation::AwaitingAck {
            return self.drive_offer(ctx);
        }
        match sdp::of_request(ack) {
            Some(sdp) => {
                active.offerer.negotiation = Negotiation::Applying;
                let provisional = false;
                ctx.media(self.id, StreamCommand::SetAnswer { sdp, provisional });
            }
            None => {
                active.offerer.negotiation = Negotiation::Stable;
                let text = "The ACK has no session description";
                self.answer_refused(crate::door::media::MediaRefusal::Malformed, text, ctx);
            }
        }
    }
}
