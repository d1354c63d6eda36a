//! The other party of a call, or of a request outside of calls.

use serde::Serialize;

/// The other party.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peer {
    pub(crate) address: String,
    pub(crate) uri: String,
    pub(crate) display_name: Option<String>,
}
