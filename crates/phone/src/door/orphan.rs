//! Calls that a process of this phone's instance has left behind.

use std::fmt;

use serde::Serialize;

use crate::door::event::Direction;

/// A call that an earlier process has left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Orphan {
    /// Names it.
    pub call_id: String,
    /// The user part of the other party's URI, or its host if it has none.
    pub address: String,
    /// The other party's whole URI.
    pub uri: String,
    /// The other party's name, if known.
    pub display_name: Option<String>,
    /// Links the call to the platform's conversation.
    pub conversation_id: String,
    /// Who called.
    pub direction: Direction,
    /// How far it had come.
    pub state: OrphanState,
    /// We had put the other party on hold.
    pub held: bool,
    /// When it became active, in milliseconds since 1970, if it did.
    pub start_time: Option<u64>,
}

/// How far a call had come when its process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OrphanState {
    /// We called, and nobody had answered.
    Ringing,
    /// It was answered.
    Active,
}

/// What a journal says. Its Debug output says only how long it is: whoever knows the dialogs can hang up.
#[derive(Clone, PartialEq, Eq)]
pub struct JournalText(pub String);

impl fmt::Debug for JournalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} octets of journal]", self.0.len())
    }
}
