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
    /// A call goes through the PBX.
    Call(Call),
    /// Somebody who is called rings, or is heard before the answer.
    Ringing(Call),
    /// It was answered.
    Answered(Call),
    /// It is over.
    Ended {
        /// The call.
        #[serde(flatten)]
        call: Call,
        /// Whether it was answered.
        answered: bool,
        /// The SIP status of the refusal, if it was refused.
        code: Option<u16>,
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
        /// The user that registered over this connection, if one did.
        user: Option<String>,
        /// The message.
        text: String,
    },
}

/// A call between two addresses of the PBX.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The Call-ID of its INVITE.
    pub call_id: String,
    /// The caller's user part.
    pub from: String,
    /// The callee's user part.
    pub to: String,
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
