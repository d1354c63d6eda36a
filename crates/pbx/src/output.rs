//! What the PBX gives out: one ordered stream.

use std::time::Instant;

use phone::{MediaCommand, SessionId, SipText, Ticket};
use serde::Serialize;
use sip::transaction::FlowId;
use thiserror::Error;

use crate::event::Event;
use crate::relay::RelayOrder;

/// One thing for the server to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send one SIP message in one WebSocket message.
    Send {
        /// The connection.
        flow: FlowId,
        /// The message.
        bytes: SipText,
    },
    /// Close a connection without a word.
    Close {
        /// The connection.
        flow: FlowId,
    },
    /// Give the media of one of our own legs an order.
    Media(SessionId, MediaCommand),
    /// Give the media relay's sockets an order.
    Relay(RelayOrder),
    /// Tell the application.
    Event(Event),
    /// Settle the promise of a command.
    Reply(Ticket, Result<Reply, CommandError>),
    /// The PBX has stopped: close every connection and drop it.
    Closed,
    /// Nothing more until the next input; `handle_timeout` is due then, if ever, for this reason.
    Timeout(Option<Instant>, &'static str),
}

/// What a successful command resolves with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// Nothing but that it is done.
    Done,
    /// Both parties of a call that the PBX placed are connected.
    Call {
        /// Names it in `hangUp`.
        id: u64,
    },
}

/// Why a command was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CommandError {
    /// Nobody of that name is a user or an extension.
    #[error("there is no user or extension '{name}': add it to `users` or `extensions`")]
    NoSuchParty {
        /// As it was given.
        name: String,
    },
    /// No call of that number is alive.
    #[error("there is no call {id}, or it has ended")]
    NoSuchCall {
        /// As it was given.
        id: u64,
    },
    /// No address can have a user of that name.
    #[error("the user's name {name:?} is empty or has control characters")]
    UserName {
        /// As it was given.
        name: String,
    },
    /// A header can't be sent.
    #[error(
        "the header {name:?} can't be sent: its name is no token or its value holds CR, LF or NUL"
    )]
    Header {
        /// As it was given.
        name: String,
    },
    /// Media can't be disturbed where they do not go through the PBX.
    #[error("media go past the PBX: start it with `mediaRelay: true`")]
    NoRelay,
    /// The call failed.
    #[error("the call came to nothing: {reason}")]
    CallFailed {
        /// The SIP status of the refusal, if there was one.
        code: Option<u16>,
        /// Its reason phrase, or what happened.
        reason: String,
    },
}
