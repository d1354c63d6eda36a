//! How many messages wait (RFC 3842).

use serde::Serialize;

/// What a message summary says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageSummary {
    /// Whether any message waits.
    pub waiting: bool,
    /// The mailbox, if it is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Voice messages, if they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice: Option<Counts>,
    /// Fax messages, if they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fax: Option<Counts>,
    /// Text messages, if they are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Counts>,
}

/// Messages of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Not heard yet.
    pub new: u32,
    /// Heard.
    pub old: u32,
    /// Of the new ones, the urgent.
    pub urgent_new: u32,
    /// Of the old ones, the urgent.
    pub urgent_old: u32,
}
