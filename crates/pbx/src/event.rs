//! What the PBX tells. In JSON an event is `{"type": "registered", "user": …}`.

use serde::Serialize;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Event {
    /// A user registered, or renewed its registration.
    Registered {
        /// The user part.
        user: String,
        /// The Contact's URI.
        contact: String,
        /// Seconds granted.
        expires: u64,
        /// Whether this contact was registered before.
        renewed: bool,
    },
    /// A registration ended.
    Unregistered {
        /// The user part.
        user: String,
        /// The Contact's URI.
        contact: String,
        /// Why.
        cause: UnregisterCause,
    },
    /// A user's INVITE was taken.
    Call {
        /// Call-ID of the INVITE.
        call_id: String,
        /// The caller's user part.
        from: String,
        /// The callee's user part.
        to: String,
    },
    /// An extension heard a key.
    Dtmf {
        /// The extension.
        extension: String,
        /// The key.
        tone: String,
        /// Milliseconds.
        duration: u32,
    },
    /// A SIP message came or went; passwords, tokens and keys are taken out.
    Message {
        /// Which way.
        direction: MessageDirection,
        /// The user that registered over this connection, where one did.
        user: Option<String>,
        /// The message.
        text: String,
    },
    /// The two parties of an `originate` are connected.
    Connected {
        /// The first party's Call-ID.
        call_id: String,
    },
}

/// Why a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum UnregisterCause {
    /// The user asked for it.
    Request,
    /// It was not renewed in time.
    Expired,
    /// Its connection closed.
    Disconnected,
    /// The user was taken away.
    Removed,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MessageDirection {
    /// From a client.
    In,
    /// To a client.
    Out,
}
