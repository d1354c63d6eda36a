//! A lost WebSocket, and the dialogs that outlive it.

use std::time::Duration;

use super::{Context, MediaPath, Session, State};
use crate::end_reason::{Condition, EndReason, Side};

/// How long a restart of ICE may take: gathering, a round trip and checks.
pub(super) const PATIENCE_WITH_ICE: Duration = Duration::from_secs(20);

impl Session {
    /// The flow was lost: an answered call lives on, interrupted, or ends where it may not. One
    /// that the application closed interrupts nothing.
    pub(crate) fn flow_lost(&mut self, wanted: bool, ctx: &mut Context<'_>) {
        if !wanted && !ctx.config.session_survivability {
            let text = "The connection was lost";
            let reason = EndReason::new(Condition::ConnectivityError, Side::Network, text);
            return self.end_because(reason, ctx);
        }
        if let State::Active(active) = &mut self.state {
            active.refresh = true;
            self.signalling_lost = !wanted;
            self.show_connection(ctx);
        }
    }

    /// There is a flow again, and the registrar knows it: the peer is told by a re-INVITE.
    pub(crate) fn flow_found(&mut self, ctx: &mut Context<'_>) {
        self.drive_offer(ctx);
    }

    /// The session's interval is half over, and the peer takes no UPDATE: a re-INVITE with what holds
    /// refreshes it. Where that fails, the endpoint asks again while there is time.
    pub(crate) fn renewal_due(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &mut self.state {
            active.renewal = true;
            self.drive_offer(ctx);
        }
    }

    /// Media flows, for the first time or again.
    pub(super) fn path_found(&mut self, ctx: &mut Context<'_>) {
        self.media_was_up = true;
        if let State::Active(active) = &mut self.state {
            active.repair = None;
        }
        self.path_changed(MediaPath::Connected, ctx);
    }

    /// The media path of a running call is gone: restarting ICE is the one thing that can bring
    /// it back (RFC 8445 §2.4). Without a flow that waits for the next one.
    pub(super) fn path_failed(&mut self, text: &str, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return self.irreparable(text, ctx);
        };
        if active.repair.is_some() {
            return self.irreparable(text, ctx);
        }
        active.refresh = true;
        self.path_changed(MediaPath::Interrupted, ctx);
        self.drive_offer(ctx);
    }

    pub(super) fn irreparable(&mut self, text: &str, ctx: &mut Context<'_>) {
        let reason = EndReason::new(Condition::ConnectivityError, Side::Network, text);
        self.end_because(reason, ctx);
    }

    /// The peer has answered over the new flow.
    pub(super) fn refreshed(&mut self, ctx: &mut Context<'_>) {
        self.signalling_lost = false;
        self.show_connection(ctx);
    }

    /// The media path was lost, or came back.
    pub(super) fn path_changed(&mut self, media: MediaPath, ctx: &mut Context<'_>) {
        self.media = media;
        self.show_connection(ctx);
    }
}
