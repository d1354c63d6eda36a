use std::any::Any;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CaptureEnd, PlaybackEnd};

/// Names a device across restarts: the host's name, a colon, and the host's own id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub String);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which way sound goes through a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Direction {
    /// Into the process: a microphone.
    Input,
    /// Out of the process: a speaker.
    Output,
}

/// One way through one device, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceInfo {
    /// What to open it by.
    pub id: DeviceId,
    /// What to show a person.
    pub name: String,
    /// Which way it goes; a device with both ways is listed twice.
    pub direction: Direction,
    /// Whether it is what is opened when none is named.
    pub is_default: bool,
    /// What a sound server calls the device that this stands for now, if this is only its default.
    #[serde(skip)]
    pub behind: Option<String>,
}

/// The devices there are, and why if there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listing {
    /// Inputs and outputs, the defaults first.
    pub devices: Vec<DeviceInfo>,
    /// Why the machine's sound could not be asked, in the system's words.
    pub unavailable: Option<String>,
}

/// Which device to open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Selection {
    /// The system's default, as it changes.
    #[default]
    Default,
    /// The one with this id.
    Id(DeviceId),
}

/// Why a device can't be opened or was lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The machine has no sound system, or it is not running.
    #[error("there is no sound system: {reason}")]
    NoHost {
        /// The system's words.
        reason: String,
    },
    /// No device has this id, or there is no default.
    #[error("there is no such device: {device}; listDevices() lists those there are")]
    NotFound {
        /// The id asked for, or "default".
        device: String,
    },
    /// Another program holds it.
    #[error("the device is in use: {reason}")]
    Busy {
        /// The system's words.
        reason: String,
    },
    /// The system forbids it (privacy settings, file permissions).
    #[error("access to the device is denied: {reason}")]
    Denied {
        /// The system's words.
        reason: String,
    },
    /// It has no format that can be converted.
    #[error("the device has no usable format: {reason}")]
    Unsupported {
        /// The system's words.
        reason: String,
    },
    /// It was open and went away, or its stream must be opened anew.
    #[error("the device was lost: {reason}")]
    Lost {
        /// The system's words.
        reason: String,
    },
    /// It neither opens nor refuses to.
    #[error("the device has not opened yet, nor said why")]
    Slow,
    /// Anything else.
    #[error("the device failed: {reason}")]
    Other {
        /// The system's words.
        reason: String,
    },
}

/// An open stream; dropping it closes it and returns its ring's end.
#[derive(Debug)]
pub struct Opened {
    /// What to show a person.
    pub name: String,
    /// Samples per second, which the callbacks' ends were told too.
    pub hz: u32,
    /// What keeps the stream open; it stays on the thread that opened it.
    pub stream: Box<dyn Any>,
}

/// What happens to an open stream outside its data callbacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// The system moved the stream to another device; it goes on.
    Moved,
    /// The stream is over.
    Fault(Fault),
}

/// Whether a device is there, as far as asking tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is listed.
    There,
    /// It is not.
    Gone,
    /// Its name is listed in any case: only opening it tells.
    OpeningTells,
}

/// A sound system: the machine's own, or a made-up one in tests.
pub trait Backend: Send + Sync + 'static {
    /// Lists the devices; takes 1–10 ms.
    fn list(&self) -> Listing;

    /// Says whether a device is there; takes as long as a list.
    fn presence(&self, id: &DeviceId, direction: Direction) -> Presence;

    /// Opens an input that hands what it hears to `end`, and calls `notice` from a thread of its own.
    fn open_input(
        &self,
        selection: &Selection,
        end: CaptureEnd,
        notice: Box<dyn FnMut(Notice) + Send>,
    ) -> Result<Opened, Fault>;

    /// Opens an output that takes what it plays from `end`, and calls `notice` from a thread of its own.
    fn open_output(
        &self,
        selection: &Selection,
        end: PlaybackEnd,
        notice: Box<dyn FnMut(Notice) + Send>,
    ) -> Result<Opened, Fault>;
}
