//! A recording: what the application asks for, what writes it is told and tells.

use serde::{Deserialize, Serialize};

use crate::door::id::{ConferenceId, SessionId};

/// What is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Recorded {
    /// What the far end hears, and what it says.
    Session { id: SessionId },
    /// What whoever sits at this machine says, and all others.
    Conference { id: ConferenceId },
}

/// Where a recording goes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum RecordingTarget {
    /// A file, created or overwritten.
    File { path: String },
    /// The sink with this number, whose reader takes the octets.
    Stream { id: u64 },
}

/// How a recording is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordingFormat {
    /// WAV of 16 bits.
    Wav,
    /// Opus in an Ogg container (RFC 7845).
    OggOpus,
}

/// What is heard in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Legs {
    /// What is said at this machine on the left, the others on the right.
    Stereo,
    /// Both in one channel.
    Mix,
    /// What is said at this machine.
    Local,
    /// What the others say.
    Remote,
}

/// What an application hears of a call beside the call's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Tapped {
    /// What the far end hears.
    Local,
    /// What the far end says.
    Remote,
    /// Both, mixed.
    Both,
}

/// What a recording is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingPlan {
    pub recorded: Recorded,
    pub target: RecordingTarget,
    pub format: RecordingFormat,
    pub legs: Legs,
    /// Samples per second.
    pub rate: u32,
}

/// An order for one recording; the first one is `Begin`, `End` is the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingOrder {
    /// Opens it; answered by `Begun` or `Refused`.
    Begin(RecordingPlan),
    /// Leaves out what is said from now on, or has it again.
    Pause { paused: bool },
    /// Goes on with what took the place of what was recorded.
    Follow { recorded: Recorded },
    /// Makes it whole; answered by `Ended`.
    End,
}

/// What happened to one recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingEvent {
    /// It is open.
    Begun,
    /// It can't be opened; nothing comes after this.
    Refused { reason: String },
    /// It can't be written any more; what was written is whole.
    Failed { reason: String },
    /// So many milliseconds more are silent, because whoever takes it is too slow.
    Lost { milliseconds: u64 },
    /// It is written in time again.
    InTime,
    /// It is whole; nothing comes after this.
    Ended { report: RecordingReport },
}

/// What is in a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordingReport {
    /// Its length in milliseconds.
    pub duration: u64,
    /// The parts in which it was paused.
    pub paused: Vec<PausedPart>,
    /// Milliseconds that are silent because whoever took it was too slow.
    pub lost: u64,
}

/// A part of a recording in which it was paused, in milliseconds since its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PausedPart {
    pub from: u64,
    pub to: u64,
}
