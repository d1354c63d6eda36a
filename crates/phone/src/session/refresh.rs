//! A lost WebSocket, and the dialogs that outlive it.

use super::{Context, MediaPath, Session, State};
use crate::end_reason::{Condition, EndReason, Side};

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
        self.drive_refresh(ctx);
    }

    /// Sends the re-INVITE that is owed, where no other offer is open.
    pub(super) fn drive_refresh(&mut self, ctx: &mut Context<'_>) {
        if let State::Active(active) = &self.state
            && active.refresh
            && ctx.agent.is_usable()
        {
            self.reoffer(true, ctx);
        }
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
