//! A conference: what the application asks of it and is told, what its media are told and tell.
//!
//! Its members are sessions of this phone. Each hears everybody else and whoever sits at this machine,
//! who has an input and an output as a session does. It lives until it is ended, however many members it
//! has.

use serde::{Deserialize, Serialize};

use crate::door::audio::{self, Device};
use crate::door::hold_via::HoldVia;
use crate::door::id::SessionId;
use crate::door::media::StandIn;
use crate::door::warning::{Explanation, Warning};

/// What the application can ask of a conference. In JSON it is `{"type": "add", "session": …}`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Request {
    /// Takes a session in; done when it takes part: one that is not answered yet does so once it is, and
    /// one on hold is taken off it.
    Add { session: SessionId },
    /// Lets a session go on alone.
    Remove { session: SessionId },
    /// Puts every member on hold, or takes them off; done when their phones have answered.
    Hold {
        held: bool,
        /// What they hear meanwhile; `holdMusic` if absent.
        #[serde(default)]
        music: Option<audio::Input>,
        /// How they are told.
        #[serde(default)]
        via: HoldVia,
    },
    /// Keeps a member from being heard, or whoever sits here if none is named.
    Mute {
        #[serde(default)]
        session: Option<SessionId>,
        muted: bool,
    },
    /// Changes what the members hear of this machine.
    SetInput { input: audio::Input },
    /// Changes where they are heard.
    SetOutput { output: audio::Output },
    /// Changes what is done to the sound of this machine's microphone; what is not named stays as it was.
    SetProcessing { processing: audio::Processing },
    /// Tells how loud everybody is, ten times a second, or no more.
    SetLevels { wanted: bool },
    /// Hangs up on every member; done when all have ended.
    End {},
    /// Lets every member go on alone, on hold; done when their phones have answered.
    Dissolve {},
}

/// What happened to a conference. In JSON it is `{"type": "joined", "session": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum News {
    /// It exists.
    Started,
    /// A session takes part from now on.
    Joined { session: SessionId },
    /// A session takes part no more.
    Left { session: SessionId },
    /// All of it was put on hold, or taken off.
    Held { held: bool },
    /// A member, or whoever sits here if none is named, is not heard any more, or is again.
    Muted {
        session: Option<SessionId>,
        muted: bool,
    },
    /// Something is odd, such as a device of this machine that could not be opened or was lost.
    Warning {
        warning: Warning,
        text: String,
        #[serde(flatten)]
        explanation: Explanation,
        /// What is used in place of a device that vanished.
        #[serde(flatten)]
        stand_in: Option<StandIn>,
    },
    /// What was warned of is over.
    WarningCleared { warning: Warning },
    /// It is over; nothing comes after this.
    Ended,
}

/// An order for the place of this machine in a conference; the first one is `Open`, `Close` is the last.
#[derive(Debug, Clone, PartialEq)]
pub enum HostOrder {
    /// Opens input and output; `DeviceOpened` or `DeviceFailed` says how that went.
    Open {
        input: audio::Input,
        output: audio::Output,
    },
    /// Changes what the members hear of this machine.
    SetInput { input: audio::Input },
    /// Changes where the members are heard.
    SetOutput { output: audio::Output },
    /// Sets what is done to the sound of a microphone that the members hear, now or later.
    SetProcessing { processing: audio::Processing },
    /// Sets how loud they are heard there, in percent.
    SetVolume { percent: u8 },
    /// Lets this machine be silent for the members, or be heard again.
    Mute { muted: bool },
    /// Lets this machine neither speak nor hear, or do both again.
    Hold { held: bool },
    /// Tells how loud everybody is, or no more.
    SetLevels { wanted: bool },
    /// Closes it.
    Close,
}

/// What happened to the place of this machine in a conference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostEvent {
    /// What was chosen is open, for the first time or again.
    DeviceOpened { device: Device },
    /// A device could not be opened or was lost; the conference goes on.
    DeviceFailed { device: Device, reason: String },
    /// The chosen device vanished, and the system's default is used until it is back.
    DeviceReplaced { device: Device, stand_in: StandIn },
}
