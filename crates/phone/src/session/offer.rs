//! Our own offer in an answered call: asked of media, sent, answered, taken back.

use sip::endpoint::{Body, RequestFailure, RequestId};
use sip::message::{Method, Response};

use super::{Active, Context, Negotiation, Session, State};
use crate::end_reason::{Condition, EndReason, Side};
use crate::event::Level;
use crate::media::{MediaCommand, MediaRefusal};
use crate::wire;

impl Session {
    /// Asks media for a new offer where none is open.
    pub(super) fn reoffer(&mut self, restart_ice: bool, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state
            && active.negotiation == Negotiation::Stable
        {
            active.negotiation = Negotiation::Offering;
            ctx.media(self.id, MediaCommand::Reoffer { restart_ice });
        }
    }

    /// The offer is there: sends it in a re-INVITE.
    pub(super) fn send_reoffer(&mut self, sdp: String, ctx: &mut Context<'_>) {
        let (State::Active(active), Some(usage)) = (&mut self.state, self.usage) else {
            return;
        };
        match ctx.request(usage, Method::Invite, Some(&Body::sdp(sdp))) {
            Ok(request) => active.negotiation = Negotiation::Offered { request },
            // The wish to refresh stands until there is a flow, or the ACK of our own answer.
            Err(_) => {
                active.negotiation = Negotiation::Stable;
                ctx.media(self.id, MediaCommand::Rollback);
            }
        }
    }

    /// Our offer was answered, or refused: then the session stays as it was (RFC 3261 §14.1).
    pub(crate) fn offer_answered(
        &mut self,
        id: RequestId,
        response: &Response,
        ctx: &mut Context<'_>,
    ) {
        let Some(active) = self.offered(id) else {
            return;
        };
        let status = wire::status(response);
        match (status.code, wire::response_sdp(response)) {
            (200..=299, Some(sdp)) => {
                active.negotiation = Negotiation::Applying;
                active.refresh = false;
                let provisional = false;
                ctx.media(self.id, MediaCommand::SetAnswer { sdp, provisional });
                self.refreshed(ctx);
            }
            (491, _) => {
                active.negotiation = Negotiation::Glare;
                ctx.media(self.id, MediaCommand::Rollback);
            }
            (_, _) => {
                active.negotiation = Negotiation::Stable;
                active.refresh = false;
                ctx.media(self.id, MediaCommand::Rollback);
                let message = "The other party refused our new offer; the session stays as it was";
                let details = serde_json::json!({ "id": self.id, "code": status.code });
                ctx.trace(Level::Warn, message, details);
                self.refreshed(ctx);
            }
        }
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
        active.negotiation = Negotiation::Stable;
        match failure {
            RequestFailure::Transport => active.refresh = true,
            RequestFailure::Timeout | RequestFailure::DialogEnded => {}
        }
        ctx.media(self.id, MediaCommand::Rollback);
    }

    /// Media can make no new offer: the session stays as it was.
    pub(super) fn no_reoffer(&mut self, text: &str, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            active.negotiation = Negotiation::Stable;
            active.refresh = false;
            let details = serde_json::json!({ "id": self.id, "reason": text });
            ctx.trace(Level::Warn, "Media can make no new offer", details);
            self.refreshed(ctx);
        }
    }

    /// The call, where this request holds its open offer.
    fn offered(&mut self, request: RequestId) -> Option<&mut Active> {
        match &mut self.state {
            State::Active(active) => {
                (active.negotiation == Negotiation::Offered { request }).then_some(active)
            }
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => None,
        }
    }

    /// The wait after a glare is over.
    pub(crate) fn offer_due(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state
            && active.negotiation == Negotiation::Glare
        {
            active.negotiation = Negotiation::Stable;
            self.drive_refresh(ctx);
        }
    }

    /// The peer's answer is in force.
    pub(super) fn answer_applied(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state
            && active.negotiation == Negotiation::Applying
        {
            active.negotiation = Negotiation::Stable;
            self.drive_refresh(ctx);
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
        active.negotiation = Negotiation::Stable;
        match self.media_was_up {
            true => ctx.media(self.id, MediaCommand::Rollback),
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
