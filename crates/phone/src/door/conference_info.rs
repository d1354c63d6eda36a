//! Who is in a conference (RFC 4575).

use serde::Serialize;

/// What a focus says of its conference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConferenceInfo {
    /// The conference's address.
    pub entity: String,
    /// Counts the documents of one subscription.
    pub version: Option<u32>,
    /// How much of it this is.
    pub state: ElementState,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_text: Option<String>,
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// How many take part, if that is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_count: Option<u32>,
    /// Nobody else may come in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<bool>,
    /// Who takes part.
    pub users: Vec<ConferenceUser>,
}

/// How much of an element a document holds (RFC 4575 §4.4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ElementState {
    /// All of it: what was known of it before is void.
    #[default]
    Full,
    /// What has changed.
    Partial,
    /// It is no more.
    Deleted,
}

/// One who takes part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConferenceUser {
    /// Their address, which names them in the document.
    pub entity: String,
    /// How much of them this is.
    pub state: ElementState,
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_text: Option<String>,
    /// What they are in the conference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The devices with which they take part.
    pub endpoints: Vec<ConferenceEndpoint>,
}

/// A device with which somebody takes part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConferenceEndpoint {
    /// Its address, which names it among the user's.
    pub entity: String,
    /// How much of it this is.
    pub state: ElementState,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_text: Option<String>,
    /// `connected`, `on-hold`, `muted-via-focus`, `pending`, `alerting`, `dialing-in`, `dialing-out`, `disconnecting` or `disconnected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// `dialed-in`, `dialed-out` or `focus-owner`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joining_method: Option<String>,
    /// Why it left: `departed`, `booted`, `failed` or `busy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disconnection_method: Option<String>,
    /// The Call-ID of its call, where the focus tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_id: Option<String>,
    /// Its streams.
    pub media: Vec<ConferenceMedia>,
}

/// A stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConferenceMedia {
    /// Names it among the endpoint's.
    pub id: String,
    /// `audio`, `video`, `text` or `message`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_text: Option<String>,
    /// The label that its description gives it (RFC 4574).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `sendrecv`, `sendonly`, `recvonly` or `inactive`, from the endpoint's side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}
