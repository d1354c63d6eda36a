//! Descriptions of sessions that go through unread.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A session description (RFC 8866). Its Debug output says only how long it is: it holds the ICE password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sdp(String);

impl Sdp {
    /// The description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sdp {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Sdp {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<Sdp> for Bytes {
    fn from(sdp: Sdp) -> Self {
        sdp.0.into()
    }
}

impl fmt::Debug for Sdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} octets of SDP]", self.0.len())
    }
}
