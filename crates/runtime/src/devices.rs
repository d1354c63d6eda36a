//! Microphones and speakers, as an application lists them.

use serde::Serialize;

use crate::device::{Backend, DeviceId, DeviceInfo, Direction, Selection, System};

/// A microphone or a speaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AudioDevice {
    /// Names the device; the same after a restart.
    pub id: String,
    /// The name that the system shows.
    pub label: String,
    /// W3C's kind.
    pub kind: AudioDeviceKind,
    /// Whether it is the system's default of its kind.
    pub default: bool,
}

/// What a device is for, by W3C's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AudioDeviceKind {
    /// A microphone.
    #[serde(rename = "audioinput")]
    Input,
    /// A speaker.
    #[serde(rename = "audiooutput")]
    Output,
}

/// Lists what is there now; empty where the system has no sound. Blocks for some milliseconds.
pub fn list() -> Vec<AudioDevice> {
    let listing = System.list();
    if let Some(reason) = listing.unavailable {
        tracing::info!(reason, "there are no audio devices");
    }
    listing.devices.into_iter().map(AudioDevice::from).collect()
}

impl From<DeviceInfo> for AudioDevice {
    fn from(device: DeviceInfo) -> AudioDevice {
        AudioDevice {
            id: device.id.0,
            label: device.name,
            kind: match device.direction {
                Direction::Input => AudioDeviceKind::Input,
                Direction::Output => AudioDeviceKind::Output,
            },
            default: device.is_default,
        }
    }
}

/// Why no device of this id is there, in the words of its fault; nothing if it is.
pub fn missing(id: &str, output: bool) -> Option<String> {
    let direction = match output {
        true => Direction::Output,
        false => Direction::Input,
    };
    let selection = Selection::Id(DeviceId(id.to_owned()));
    let fault = System::find(&selection, direction).err()?;
    Some(fault.to_string())
}
