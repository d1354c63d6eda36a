//! What one application hands over to the other (RFC 7433): to be sent, and received.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What one application hands over to the other.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum UserToUser {
    /// A text; its UTF-8 travels in hexadecimal.
    Text(String),
    /// As it is to be written.
    Data {
        /// A token, or anything that can be quoted.
        data: String,
        /// How it is encoded; `hex` if absent.
        #[serde(default)]
        encoding: Option<String>,
    },
}

impl fmt::Debug for UserToUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Text(data) | Self::Data { data, .. }) = self;
        write!(f, "[{} bytes]", data.len())
    }
}

/// Data from application to application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HandedOver {
    /// The data as written.
    pub data: String,
    /// How it is encoded; `hex` if nothing is said.
    pub encoding: String,
    /// What it says, if it is the UTF-8 of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}
