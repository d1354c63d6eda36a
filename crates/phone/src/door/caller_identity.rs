//! Who is said to call, for whom, and from where.

use serde::Serialize;

use crate::door::handed_over::HandedOver;

/// What a call's headers say of its parties beside From and To. Only a server that the phone
/// trusts makes it true (RFC 3325 §4).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallerIdentity {
    /// Who calls, as the network has verified (`P-Asserted-Identity`, RFC 3325).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asserted: Vec<Party>,
    /// Who calls, as older systems say it (`Remote-Party-ID`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remote_party: Vec<Party>,
    /// What the caller wants hidden (`Privacy`, RFC 3323).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub privacy: Vec<String>,
    /// Who diverted the call, the last first (`Diversion`, RFC 5806).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diversion: Vec<Diverted>,
    /// Where the call has been, in order (`History-Info`, RFC 7044).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Visited>,
    /// What the caller's application hands over (`User-to-User`, RFC 7433).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_to_user: Option<HandedOver>,
    /// Names the session from end to end (`Session-ID`, RFC 7989): 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    /// The SIP or tel URI.
    pub uri: String,
    /// The name, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

/// A diversion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diverted {
    /// Who diverted it.
    #[serde(flatten)]
    pub by: Party,
    /// Why: `no-answer`, `user-busy`, `unconditional`, `deflection`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A station of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Visited {
    /// Where it was.
    #[serde(flatten)]
    pub target: Party,
    /// Its place in the tree of retargetings, such as `1.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
}
