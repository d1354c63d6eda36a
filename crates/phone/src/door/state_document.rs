//! What notifications say of others: who is talking, who is there, who is in a conference.

use serde::Serialize;

use crate::door::conference_info::ConferenceInfo;

/// A state document that this phone reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum StateDocument {
    /// The calls of somebody: `application/dialog-info+xml`.
    Dialogs {
        /// Whose.
        entity: String,
        /// Counts the documents of one subscription.
        version: Option<u32>,
        /// All of them, not only those that changed.
        full: bool,
        /// The calls.
        dialogs: Vec<DialogState>,
    },
    /// Whether somebody is there: `application/pidf+xml`.
    Presence {
        /// Who.
        entity: String,
        /// The ways to reach them.
        tuples: Vec<PresenceTuple>,
        /// A sentence about them.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Who is in a conference: `application/conference-info+xml`.
    Conference(ConferenceInfo),
}

/// One call of somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DialogState {
    /// Names it in this subscription.
    pub id: String,
    /// `trying`, `proceeding`, `early`, `confirmed` or `terminated`.
    pub state: String,
    /// `initiator` where they called, `recipient` where they were called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// With both tags it can be named in a Replaces, to pick the call up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Their tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_tag: Option<String>,
    /// The other party's tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_tag: Option<String>,
    /// Who they are in this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<Participant>,
    /// Whom they talk to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<Participant>,
}

/// A party of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// Its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// One way to reach somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PresenceTuple {
    /// Names it in this document.
    pub id: String,
    /// `open` or `closed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic: Option<String>,
    /// Where to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// A sentence about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
