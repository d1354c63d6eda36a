//! What a test can ask of the PBX. In JSON a command is `{"type": "originate", "to": …}`.

use serde::Deserialize;

use crate::config::User;
use crate::fault::Fault;
use crate::relay::MediaFault;

/// One request; its outcome is an [`Output::Reply`](crate::Output::Reply).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Command {
    /// Calls a user and, once it has answered, connects it with `with`: click-to-call.
    Originate(Originate),
    /// Ends a call that `originate` made.
    HangUp {
        /// As the reply to `originate` named it.
        id: u64,
    },
    /// Adds a user, or changes its password or token.
    AddUser {
        /// The user.
        user: User,
    },
    /// Takes a user away: what it registered is forgotten.
    RemoveUser {
        /// The user part.
        user: String,
    },
    /// Disturbs signalling from now on, until [`Command::ClearFaults`].
    AddFault(Fault),
    /// Disturbs media from now on, until [`Command::ClearFaults`]; only with the relay.
    AddMediaFault(MediaFault),
    /// Ends every disturbance, of signalling and of media.
    ClearFaults {},
    /// Moves a user's media to other ports, as a NAT that lost its bindings; only with the relay.
    RebindMedia {
        /// The user part.
        user: String,
    },
    /// Stops: what is registered and every call is forgotten without a word.
    Close {},
    /// Closes a user's connections, or all, as a failing network would.
    Disconnect {
        /// The user part; everybody if absent.
        #[serde(default)]
        user: Option<String>,
    },
}

/// A call that the PBX places.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Originate {
    /// The user or extension that is called first.
    pub to: String,
    /// The user or extension that it is connected with.
    pub with: String,
    /// Headers of the INVITE to `to`.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The `Call-Info: …;answer-after=N` that asks for an automatic answer, in seconds.
    #[serde(default)]
    pub answer_after: Option<u32>,
    /// Sent as `X-Conversation-Id`.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// The caller's name shown to `to`.
    #[serde(default)]
    pub display_name: Option<String>,
}
