//! What a dialog is recognised by.

use crate::message::{HeaderName, Headers};

/// The name of a dialog: Call-ID and both tags (RFC 3261 §12).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DialogId {
    /// Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The other side's tag; empty if it is too old to have one.
    pub remote_tag: String,
}

impl DialogId {
    /// Reads it from an answer to our request; `None` if the answer has no To tag.
    pub fn of_answer(headers: &Headers) -> Option<Self> {
        Some(Self {
            call_id: headers.get(HeaderName::CallId)?.to_owned(),
            local_tag: from_tag(headers)?,
            remote_tag: to_tag(headers)?,
        })
    }

    /// Reads it from a request of theirs inside the dialog; `None` if the request has no To tag.
    pub fn of_request(headers: &Headers) -> Option<Self> {
        let local_tag = to_tag(headers)?;
        Self::of_request_answered(headers, &local_tag)
    }

    /// Makes it from a request of theirs outside a dialog that we answer under `local_tag`.
    pub fn of_request_answered(headers: &Headers, local_tag: &str) -> Option<Self> {
        Some(Self {
            call_id: headers.get(HeaderName::CallId)?.to_owned(),
            local_tag: local_tag.to_owned(),
            // RFC 3261 §12.1.1: a From without a tag is RFC 2543's.
            remote_tag: from_tag(headers).unwrap_or_default(),
        })
    }
}

pub(crate) fn from_tag(headers: &Headers) -> Option<String> {
    headers.from().ok()?.tag().map(str::to_owned)
}

pub(crate) fn to_tag(headers: &Headers) -> Option<String> {
    headers.to().ok()?.tag().map(str::to_owned)
}
