//! What can be odd about a call that goes on, why that usually is, and what helps.

use serde::Serialize;

/// What can be odd about a running call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warning {
    /// No device could be opened, or it was lost.
    NoDevice,
    /// The peer sends nothing.
    NoMedia,
    /// Packets are lost, on their way here or there.
    Loss,
    /// Packets come unevenly.
    Jitter,
    /// The peer is heard late.
    Delay,
    /// The microphone gives nothing at all.
    MicrophoneSilent,
    /// What is sent is cut off, so loud is it.
    Clipping,
    /// One side hears itself.
    EchoSuspected,
    /// There is not enough time for the sound.
    CpuTooSlow,
    /// A recording can't be written any more; what was written is whole.
    RecordingFailed,
    /// A recording has silence for what was said.
    RecordingGap,
    /// A STUN or TURN server is of no use.
    IceServer,
    /// More pixels come than are decoded.
    TooManyPixels,
}

/// What a warning means for whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What it usually comes from, in a sentence.
    pub cause: String,
    /// What helps, in a sentence.
    pub advice: String,
}

impl Warning {
    /// All that there are.
    pub const ALL: [Self; 13] = [
        Self::NoDevice,
        Self::NoMedia,
        Self::Loss,
        Self::Jitter,
        Self::Delay,
        Self::MicrophoneSilent,
        Self::Clipping,
        Self::EchoSuspected,
        Self::CpuTooSlow,
        Self::RecordingFailed,
        Self::RecordingGap,
        Self::IceServer,
        Self::TooManyPixels,
    ];

    /// What it usually comes from, and what helps.
    pub fn explained(self) -> Explanation {
        Explanation {
            cause: self.cause().to_owned(),
            advice: self.advice().to_owned(),
        }
    }

    fn cause(self) -> &'static str {
        match self {
            Self::NoDevice => {
                "The device is unplugged, used by another program alone, or not allowed for this one; or the file can't be read \
                 or written."
            }
            Self::NoMedia => {
                "A firewall or router lets no sound through, or the other side sends none: it is muted in a way that stops its \
                 packets, or has lost its network."
            }
            Self::Loss => "The network drops packets: weak Wi-Fi, or a line that is full.",
            Self::Jitter => {
                "The network is busy or its Wi-Fi weak, so that packets wait for each other."
            }
            Self::Delay => {
                "The way is long, such as over a satellite or a VPN or TURN server far away, or packets wait in a full line."
            }
            Self::MicrophoneSilent => {
                "The microphone is switched off at the headset or muted in the system, this program may not use it, or the wrong one is chosen."
            }
            Self::Clipping => "The microphone is too loud, or too close to the mouth.",
            Self::EchoSuspected => "A microphone hears the loudspeaker beside it.",
            Self::CpuTooSlow => {
                "Other programs need the processor, or there are more calls than it has time for."
            }
            Self::RecordingFailed => {
                "The disk is full or gone, the file was deleted or moved, or the Writable failed, was closed or took nothing."
            }
            Self::RecordingGap => "The disk, or whoever reads the Writable, is too slow.",
            Self::IceServer => {
                "The server is down, behind a firewall, or wants other credentials, or its URL names something else."
            }
            Self::TooManyPixels => {
                "The other side shows larger pictures, or more of them, than 1920 x 1080 at 60 a second."
            }
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::NoDevice => "Plug it in or choose another, and allow this program to use it.",
            Self::NoMedia => {
                "Ask whether the other side hears you; check the firewall for UDP, and name a TURN server in iceServers."
            }
            Self::Loss => {
                "Use a cable or move closer to the access point; stop what uploads or downloads."
            }
            Self::Jitter => {
                "Use a cable or move closer to the access point; stop what uploads or downloads."
            }
            Self::Delay => {
                "Leave the VPN, use a TURN server nearby, and stop what uploads or downloads."
            }
            Self::MicrophoneSilent => {
                "Switch the microphone on, look at its level in the system's settings, or choose another."
            }
            Self::Clipping => {
                "Turn the microphone down in the system's settings, or move it away from the mouth."
            }
            Self::EchoSuspected => {
                "Use a headset or turn the loudspeaker down, on the side that the message names."
            }
            Self::CpuTooSlow => {
                "Close other programs, plug in the power supply, or have fewer calls at once; opus.complexity makes each cheaper."
            }
            Self::RecordingFailed => {
                "Make room, or choose another disk, and begin another recording: what was written plays."
            }
            Self::RecordingGap => {
                "Record to a disk of this machine, or with a lower rate or in one channel."
            }
            Self::IceServer => {
                "Check its URL and credentials in iceServers; where UDP is closed, name it with ?transport=tcp or as turns: too."
            }
            Self::TooManyPixels => {
                "Have the other side show smaller or fewer pictures, or take its frames as they are, with a VideoSink of 'encoded'."
            }
        }
    }
}
