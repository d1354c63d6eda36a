//! Keys, and how they travel.

use std::fmt;

use serde::{Deserialize, Serialize};

/// DTMF tones, which may be a PIN: Debug shows only how many.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tones(String);

impl Tones {
    /// Wraps tones; they are checked where they are used.
    pub fn new(tones: impl Into<String>) -> Self {
        Self(tones.into())
    }

    /// The tones as text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Tones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} tones]", self.0.chars().count())
    }
}

/// How a key travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DtmfMethod {
    /// As an event among the media (RFC 4733).
    #[default]
    Rfc4733,
    /// In an INFO request, `application/dtmf-relay`.
    Info,
    /// In the sound itself (ITU-T Q.23).
    Inband,
}
