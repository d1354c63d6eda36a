//! Where a session's sound comes from and goes to: plain data, to which `runtime` gives meaning.

use serde::{Deserialize, Serialize};

use crate::door::id::{ConferenceId, SessionId};

/// What the far end hears.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Input {
    /// The system's default microphone.
    #[default]
    Default,
    /// The microphone with this stable id.
    Device { id: String },
    /// PCM written by the application to the source with this number.
    Source { id: u64 },
    /// A WAV file, from its start; `repeat` begins again at its end.
    Wav {
        path: String,
        #[serde(default)]
        repeat: bool,
        /// In dB relative to what is in the file.
        #[serde(default)]
        level: f64,
    },
    /// A sine tone in hertz at a level in dB relative to full scale.
    Tone {
        frequency: f64,
        #[serde(default = "tone_level")]
        level: f64,
    },
    /// What is heard from another session of this phone.
    Session { id: SessionId },
    /// Everybody else in this conference: whoever hears it is also heard in it.
    Conference { id: ConferenceId },
    /// All of these at once; none of them is a mix or a conference.
    Mix { parts: Vec<Input> },
    /// Silence; nothing is opened.
    None,
}

/// -18 dBFS: the level of a dial tone, clear but far from clipping.
fn tone_level() -> f64 {
    -18.0
}

/// Where the far end is heard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Output {
    /// The system's default speaker.
    #[default]
    Default,
    /// The speaker with this stable id.
    Device { id: String },
    /// PCM read by the application from the sink with this number.
    Sink { id: u64 },
    /// A WAV file, created or overwritten.
    Wav { path: String },
    /// All of these at once; none of them is several again.
    Several { outputs: Vec<Output> },
    /// Nowhere; nothing is opened.
    None,
}

/// What is done to the sound of a microphone before the far end hears it. What is absent is done if it stands open beside a
/// loudspeaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Processing {
    /// What the loudspeaker plays is taken out.
    pub echo_cancellation: Option<bool>,
    /// What is not speech is lowered.
    pub noise_suppression: Option<bool>,
    /// Speech is brought to an even level.
    pub auto_gain_control: Option<bool>,
}

impl Processing {
    /// This, and for what it leaves open another.
    pub fn or(self, other: Processing) -> Processing {
        Processing {
            echo_cancellation: self.echo_cancellation.or(other.echo_cancellation),
            noise_suppression: self.noise_suppression.or(other.noise_suppression),
            auto_gain_control: self.auto_gain_control.or(other.auto_gain_control),
        }
    }
}

/// What rings, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Ring {
    /// What sounds until it is told otherwise.
    pub sound: RingSound,
    /// Where it is heard.
    pub output: Output,
}

/// What rings.
#[derive(Debug, Clone, PartialEq)]
pub enum RingSound {
    /// Tones.
    Cadence(Cadence),
    /// A WAV file, over and over.
    Wav { path: String },
}

/// Tones in a rhythm, over and over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cadence {
    /// One after the other.
    pub beats: Vec<Beat>,
    /// The level of each beat in dB relative to 0 dBov (RFC 6465); a sine at full scale has −3.
    pub level: f64,
}

/// One sound of a cadence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beat {
    /// In hertz, all at once; none is silence.
    pub frequencies: Vec<f64>,
    /// How long.
    pub milliseconds: u32,
}

/// One of what a session hears, plays or shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Device {
    /// The microphone, source or file that the far end hears.
    Input,
    /// The speaker, sink or file on which the far end is heard.
    Output,
    /// What the far end hears while it is on hold.
    Music,
    /// What the far end sees as the camera.
    Camera,
    /// What the far end sees as the screen.
    Screen,
}
