//! A lost WebSocket, and the dialogs that outlive it.

use std::time::Duration;

use super::{Context, MediaPath, Negotiation, Session, State};
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::level::Level;
use crate::door::media::{MediaFailure, StreamCommand};

/// How long a restart of ICE may take: gathering, a round trip and checks.
pub(super) const PATIENCE_WITH_ICE: Duration = Duration::from_secs(20);
/// Media that fall silent this soon after a lost flow came back were lost with it: media take up to
/// 7.5 s to say so.
const LOST_WITH_FLOW: Duration = Duration::from_secs(10);
/// The same after a change of the network.
const LOST_WITH_NETWORK: Duration = LOST_WITH_FLOW;

impl Session {
    /// The flow was lost: an answered call lives on, interrupted, or ends where it may not, and one of
    /// ours that rings waits for the next flow. One that the application closed interrupts nothing.
    pub(crate) fn flow_lost(&mut self, wanted: bool, ctx: &mut Context<'_>) {
        if !wanted && !ctx.config.session_survivability {
            let text = "The connection was lost";
            let reason = EndReason::new(Condition::ConnectivityError, Side::Network, text);
            return self.end_because(reason, ctx);
        }
        if let State::Active(active) = &mut self.state {
            active.offerer.owed.refresh = true;
            active.offerer.owed.restart |= self.connectivity.media == MediaPath::Interrupted;
            self.connectivity.signalling_lost = !wanted;
            self.show_connection(ctx);
        }
    }

    /// Whether the loss of the flow costs this call nothing.
    pub(crate) fn outlives_flow(&self, survivability: bool) -> bool {
        match self.state {
            State::Active(_) => survivability,
            State::Ending | State::Ended => true,
            State::Pending(_) | State::Answering(_) | State::Offering(_) | State::Dialing(_) => {
                false
            }
        }
    }

    /// There is a flow again, and the registrar knows it: the peer is told by a re-INVITE. Sound went on
    /// beside the flow, so ICE is left as it is (a peer that goes on with its session while we start
    /// another would take no check of ours), unless media were lost with it.
    pub(crate) fn flow_found(&mut self, ctx: &mut Context<'_>) {
        match &mut self.state {
            State::Active(active) => {
                active.repair.flow_since = Some(ctx.now);
                active.offerer.hurry();
                self.drive_offer(ctx);
            }
            State::Dialing(_) => self.ring_on(ctx),
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Ending
            | State::Ended => {}
        }
    }

    /// Packets may take another way now: if media do not find it, ICE does.
    pub(crate) fn network_changed(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            active.repair.network_since = Some(ctx.now);
            active.offerer.owed.restart |= self.connectivity.media == MediaPath::Interrupted;
            active.offerer.hurry();
            ctx.media(self.id, StreamCommand::CheckPath);
            self.drive_offer(ctx);
        }
    }

    /// The session's interval is half over, and the peer takes no UPDATE: a re-INVITE with what holds
    /// refreshes it. Where that fails, the endpoint asks again while there is time.
    pub(crate) fn renewal_due(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            active.offerer.owed.renewal = true;
            self.drive_offer(ctx);
        }
    }

    /// Media flows, for the first time or again.
    pub(super) fn path_found(&mut self, ctx: &mut Context<'_>) {
        self.connectivity.was_up = true;
        self.connectivity.is_heard_again();
        if let State::Active(active) = &mut self.state {
            active.repair.until = None;
            active.offerer.owed.restart = false;
            active.repair.path_gone = false;
        }
        self.path_changed(MediaPath::Connected, ctx);
    }

    /// A path is being looked for; if one was lost, the call is interrupted until it is found.
    pub(super) fn path_sought(&mut self, ctx: &mut Context<'_>) {
        if self.connectivity.media != MediaPath::Interrupted {
            self.path_changed(MediaPath::Connecting, ctx);
        }
    }

    /// Nothing comes from the peer any more. That may pass, but not where the network changed.
    pub(super) fn path_silent(&mut self, ctx: &mut Context<'_>) {
        self.connectivity
            .fell_silent(ctx.now, ctx.config.media_timeout);
        self.path_changed(MediaPath::Interrupted, ctx);
        let lost_with_flow = self.connectivity.signalling_lost;
        if let State::Active(active) = &mut self.state {
            let since = active.repair.flow_since;
            let just_found = since.is_some_and(|since| ctx.now < since + LOST_WITH_FLOW);
            let network = active.repair.network_since;
            let moved = network.is_some_and(|since| ctx.now < since + LOST_WITH_NETWORK);
            active.offerer.owed.restart |= lost_with_flow || just_found || moved;
            active.offerer.hurry();
            self.drive_offer(ctx);
        }
    }

    /// The media path of a running call is gone: restarting ICE is the one thing that can bring
    /// it back (RFC 8445 §2.4). Without a flow that waits for the next one. What ends the call is
    /// that the peer is not heard for too long.
    pub(super) fn path_failed(&mut self, failure: MediaFailure, text: &str, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            let reason = EndReason::new(Condition::ConnectivityError, Side::Network, text);
            return self.end_because(reason, ctx);
        };
        self.connectivity.was_cut(ctx.now, ctx.config.media_timeout);
        active.repair.path_gone = true;
        active.offerer.hurry();
        match (active.repair.until, failure) {
            // It is the offer that is being made which brought this to light.
            (_, MediaFailure::Moved) if active.offerer.negotiation == Negotiation::Offering => {
                active.offerer.purpose.restart = true;
                active
                    .repair
                    .until
                    .get_or_insert(ctx.now + PATIENCE_WITH_ICE);
                self.path_changed(MediaPath::Interrupted, ctx);
            }
            // The restart may still find another, or the next one does, when this one has had its time.
            (Some(_), _) => self.path_changed(MediaPath::Interrupted, ctx),
            (None, _) => {
                active.offerer.owed.restart = true;
                self.path_changed(MediaPath::Interrupted, ctx);
                self.drive_offer(ctx);
            }
        }
    }

    /// Our address on the path, or for one that is still looked for, is gone. Nothing has been tried from the next one, so
    /// that ends no call: as soon as it is answered the other party is told of it.
    pub(super) fn moved(&mut self, text: &str, ctx: &mut Context<'_>) {
        match &self.state {
            State::Active(_) => self.path_failed(MediaFailure::Moved, text, ctx),
            State::Dialing(_) => {
                self.connectivity.moved_early = true;
                self.early_path_failed(text, ctx);
            }
            State::Pending(_) | State::Answering(_) | State::Offering(_) => {
                self.connectivity.moved_early = true;
                let details = serde_json::json!({ "id": self.id, "reason": text });
                ctx.trace(
                    Level::Warn,
                    "The path is told anew after the answer",
                    details,
                );
            }
            State::Ending | State::Ended => {}
        }
    }

    /// The call is answered: what was put off until then is told.
    pub(super) fn follow_early_move(&mut self, ctx: &mut Context<'_>) {
        if std::mem::take(&mut self.connectivity.moved_early) {
            let text = "Our own address was lost before the answer";
            self.path_failed(MediaFailure::Moved, text, ctx);
        }
    }

    /// The restart had its time: it is given up, and made again if there is no other path.
    pub(super) fn repair_timeout(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            active.repair.until = None;
            if active.repair.path_gone {
                active.offerer.owed.restart = true;
                active.offerer.hurry();
                self.drive_offer(ctx);
            }
        }
    }

    /// Nothing came from the peer for as long as it may be silent: it is gone, without a BYE.
    pub(super) fn media_timeout(&mut self, ctx: &mut Context<'_>) {
        let patience = ctx.config.media_timeout.as_secs_f64();
        let text = format!("Nothing was heard of the other party for {patience} s");
        let reason = EndReason::new(Condition::ConnectivityError, Side::Network, text);
        self.end_because(reason, ctx);
    }

    /// The peer has asked something inside the call: it is there again, and what nobody had answered need not wait.
    pub(crate) fn heard_from(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            active.offerer.hear(ctx.now);
            self.drive_offer(ctx);
        }
    }

    /// A request of ours was answered by nobody. RFC 3261 §12.2.1.2 would end the call; but whoever is heard
    /// is there, so it goes on, and what was offered in vain is offered again.
    pub(crate) fn unheard_of(&mut self, ctx: &mut Context<'_>) {
        let (State::Active(active), Some(usage)) = (&mut self.state, self.usage) else {
            return;
        };
        let unanswered = active.offerer.unanswered.take();
        match self.connectivity.media {
            MediaPath::Connected => {
                let message = "The other party does not answer, but is heard: the session goes on";
                ctx.trace(Level::Warn, message, serde_json::json!({ "id": self.id }));
                if let Some(unanswered) = unanswered {
                    self.offered_in_vain(unanswered, ctx);
                }
            }
            MediaPath::None | MediaPath::Connecting | MediaPath::Interrupted => {
                ctx.act_for(&usage, |endpoint, now| endpoint.give_up(usage, now));
            }
        }
    }

    /// The peer has answered over the new flow.
    pub(super) fn refreshed(&mut self, ctx: &mut Context<'_>) {
        self.connectivity.signalling_lost = false;
        self.show_connection(ctx);
    }

    /// The media path was lost, or came back.
    pub(super) fn path_changed(&mut self, media: MediaPath, ctx: &mut Context<'_>) {
        self.connectivity.media = media;
        self.show_connection(ctx);
    }
}
