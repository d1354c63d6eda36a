//! Where a session's pictures come from and go to: plain data, to which `runtime` gives meaning.

use serde::{Deserialize, Serialize};

use crate::door::audio::Device;
use crate::door::id::SessionId;

/// What the far end sees on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum VideoInput {
    /// Frames written by the application to the source with this number.
    Source {
        id: u64,
        /// In which it can give them; any if empty.
        #[serde(default)]
        codecs: Vec<VideoCodec>,
    },
    /// A file of raw pictures (YUV4MPEG2), encoded as VP8; `repeat` begins again at its end.
    Y4m {
        path: String,
        #[serde(default)]
        repeat: bool,
    },
    /// A file of encoded frames (IVF) in this codec; `repeat` begins again at its end.
    Ivf {
        path: String,
        #[serde(default)]
        repeat: bool,
        codec: VideoCodec,
    },
    /// What the far end of another session of the same phone shows, as it comes.
    Stream { session: SessionId, stream: String },
    /// Nothing is sent; the far end's pictures are taken.
    None,
}

impl VideoInput {
    /// Whether pictures are sent.
    pub fn sends(&self) -> bool {
        match self {
            VideoInput::Source { .. }
            | VideoInput::Y4m { .. }
            | VideoInput::Ivf { .. }
            | VideoInput::Stream { .. } => true,
            VideoInput::None => false,
        }
    }
}

/// Where the pictures of one stream go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum VideoOutput {
    /// Frames read by the application from the sink with this number.
    Sink { id: u64 },
    /// A file of raw pictures (YUV4MPEG2), created or overwritten.
    Y4m { path: String },
    /// A file of encoded frames as they come (IVF), created or overwritten.
    Ivf { path: String },
    /// Nowhere.
    None,
}

/// What is seen on a line (RFC 4796).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VideoContent {
    /// People.
    Camera,
    /// A screen, or slides.
    Screen,
}

impl From<VideoContent> for Device {
    fn from(content: VideoContent) -> Self {
        match content {
            VideoContent::Camera => Self::Camera,
            VideoContent::Screen => Self::Screen,
        }
    }
}

/// How pictures are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    /// RFC 7741.
    Vp8,
    /// RFC 6184.
    H264,
}

/// What a session wants of one content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoWish {
    /// What is seen.
    pub content: VideoContent,
    /// Whether pictures of ours are sent; those of the peer are taken in any case.
    pub sends: bool,
    /// The codecs in which they may travel; any if empty.
    pub codecs: Vec<VideoCodec>,
}

/// A video line of a session, as both sides have agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoLine {
    /// Names it while the session lives; a stopped one's number may come again.
    pub line: u32,
    /// What is seen on it.
    pub content: VideoContent,
    /// Whether the peer takes pictures of ours.
    pub sends: bool,
    /// Whether the peer sends pictures.
    pub receives: bool,
    /// In which ours are sent.
    #[serde(default)]
    pub codec: Option<VideoCodec>,
}

/// What the peer shows us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoStream {
    /// Names it in its session; never used again.
    pub stream: String,
    /// What is seen.
    pub content: VideoContent,
}
