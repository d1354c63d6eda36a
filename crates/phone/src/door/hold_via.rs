//! How a change of hold is told to the peer.

use serde::Deserialize;

/// How a change of hold is told to the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum HoldVia {
    /// By re-INVITE, which every peer takes.
    #[default]
    Invite,
    /// By UPDATE (RFC 3311), if the peer's Allow names it; else by re-INVITE.
    Update,
}
