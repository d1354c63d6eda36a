//! How a call's media may be protected, and how they are.

use sip::transaction::Transport;

use super::{Context, Session};
use crate::agent::keys::shows_keys;
use crate::door::event::{SessionChanges, SessionSecurity, SignallingTransport};
use crate::door::media::{Keying, KeyingWish, StreamCommand};
use crate::door::sdp::Sdp;

pub(super) const KEPT_BACK: &str =
    "The keys of this call are not said over a connection without TLS, and there is no other";

/// What media may be protected by.
#[derive(Debug)]
pub(super) struct Protection {
    /// What the application has said of this call.
    pub(super) wished: Option<Vec<KeyingWish>>,
    /// What media were told last; what they begin with.
    told: Vec<Keying>,
    in_force: Option<Keying>,
    /// Keys stand in our last description.
    pub(super) says_keys: bool,
}

impl Default for Protection {
    fn default() -> Self {
        Self {
            wished: None,
            told: vec![Keying::Dtls],
            in_force: None,
            says_keys: false,
        }
    }
}

impl Session {
    /// Asks media for a description, after it was said how they may be protected as the connection is now.
    pub(super) fn describe(&mut self, command: StreamCommand, ctx: &mut Context<'_>) {
        let wished = self.protection.wished.as_ref();
        let media = ctx.keyings(wished.unwrap_or(&ctx.config.media), self.usage);
        if self.protection.told != media {
            self.protection.told.clone_from(&media);
            ctx.media(self.id, StreamCommand::Protect { media });
        }
        ctx.media(self.id, command);
    }

    /// Whether a description of ours has keys that the connection of now would show: it may be another than when media were
    /// asked. The agent would keep it back, and nobody would have an answer.
    pub(super) fn would_show_keys(&self, description: &Sdp, ctx: &Context<'_>) -> bool {
        self.is_overheard(ctx) && has_keys(description)
    }

    /// Whether others can read what is said in this call, and keys are not for them.
    pub(super) fn is_overheard(&self, ctx: &Context<'_>) -> bool {
        ctx.agent.transport_for(self.usage).is_some() && !ctx.agent.may_say_keys(self.usage)
    }

    /// Whether an offer can be made now. One with keys waits for a connection that hides them.
    pub(super) fn may_offer(&self, ctx: &Context<'_>) -> bool {
        let has_keys = match self.protection.in_force {
            Some(keying) => keying == Keying::Sdes,
            None => self.protection.says_keys,
        };
        let waits = has_keys && self.is_overheard(ctx);
        ctx.agent.is_usable_for(self.usage) && !waits
    }

    /// What no offer can be made for now.
    pub(super) fn without_connection(&self, ctx: &Context<'_>) -> &'static str {
        match ctx.agent.is_usable_for(self.usage) {
            true => {
                "there is no connection with TLS, and the keys of this call are said over no other"
            }
            false => "there is no connection",
        }
    }

    /// How media may be protected in a call that comes of this one, if not as in the phone's: what somebody else asks for makes
    /// it no less.
    pub(crate) fn kept_media(&self, phone: &[KeyingWish]) -> Option<Vec<KeyingWish>> {
        let least = match self.protection.in_force {
            Some(Keying::Dtls) => KeyingWish::Dtls,
            Some(Keying::Sdes) => KeyingWish::SdesUnprotected,
            Some(Keying::Rtp) | None => KeyingWish::Rtp,
        };
        let allowed = |media: &[KeyingWish]| -> Vec<KeyingWish> {
            let worst = phone.iter().max();
            let is_enough = |wish: &&KeyingWish| **wish <= least && Some(*wish) <= worst;
            media.iter().filter(is_enough).copied().collect()
        };
        let wished = self.protection.wished.as_deref();
        let kept = allowed(wished.unwrap_or(phone));
        let kept = if kept.is_empty() {
            allowed(phone)
        } else {
            kept
        };
        // A phone that has nothing as good is asked for nothing less.
        (kept != phone).then_some(if kept.is_empty() { vec![least] } else { kept })
    }

    /// Media are protected so from now on.
    pub(super) fn secured(
        &mut self,
        keying: Keying,
        cipher: Option<String>,
        ctx: &mut Context<'_>,
    ) {
        self.protection.in_force = Some(keying);
        let transport = ctx.agent.transport_for(self.usage);
        let security = SessionSecurity {
            keying,
            cipher,
            signalling: transport.map(signalling),
        };
        let changes = SessionChanges {
            security: Some(security),
            ..SessionChanges::default()
        };
        self.show(ctx, changes);
    }
}

/// Whether keys stand in a description.
pub(super) fn has_keys(description: &Sdp) -> bool {
    shows_keys(description.as_str().as_bytes())
}

fn signalling(transport: Transport) -> SignallingTransport {
    match transport {
        Transport::Ws => SignallingTransport::Ws,
        Transport::Wss => SignallingTransport::Wss,
        Transport::Udp => SignallingTransport::Udp,
        Transport::Tcp => SignallingTransport::Tcp,
        Transport::Tls => SignallingTransport::Tls,
    }
}
