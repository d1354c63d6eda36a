//! Where a session's pictures come from and go to.
//!
//! ```text
//! JavaScript ─► VideoSource ─┬───────────► VideoReader ─► media::Session ─► VideoWriter ─┬───────────► VideoSink ─► JavaScript
//!                   y4m ─► encoder ─►│                                        │─► decoder ─►│
//!     ivf, another session ─────────►┘                                        ├─► y4m, ivf
//!                                                                             └─► other sessions
//! ```
//!
//! Files, encoders and decoders have threads of their own. Frames wait in bounded queues; each end of one says what it found by waking the other. Wishes go against
//! the frames: for a key frame, for fewer bits.
//!
//! **Nothing here waits on a media thread: what does not fit is dropped and counted, and what can't be seen
//! without it is left out up to the next key frame, which is asked for.**

mod budget;
mod codec;
mod decoder;
mod encoder;
mod flow;
mod ivf;
mod link;
mod raw;
mod sink;
mod source;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod threads;
mod wish;
mod writer;

pub use ::video::{NotAFrame, Rotation, Size, VideoCodec, WrongLength};
pub use codec::has_raw_video;
pub use flow::VideoReader;
pub use link::{VideoLinkWriter, link};
pub use raw::{RawFormat, RawFrame};
pub use sink::{SinkFrame, VideoSink};
pub use source::{VideoSource, VideoSourceEvent, WriteError};
pub(crate) use threads::settle as settle_video_files;
pub use writer::VideoWriter;

use std::sync::Arc;

use thiserror::Error;

/// Called on any thread when a frame came after a reader found none; must not block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Called on any thread when a key frame is wanted, at most twice a second until one came; must not block.
pub type Wish = Arc<dyn Fn() + Send + Sync>;

/// Why a video input or output could not be opened; the call goes on without it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VideoOpenError {
    /// No [`VideoSource`] has this number, or it was closed.
    #[error("there is no VideoSource {0}; was it closed?")]
    NoSource(u64),
    /// The source feeds another session.
    #[error("VideoSource {0} already feeds another session")]
    SourceBusy(u64),
    /// No [`VideoSink`] has this number, or it was closed.
    #[error("there is no VideoSink {0}; was it closed?")]
    NoSink(u64),
    /// The sink is fed by another session.
    #[error("VideoSink {0} is already fed by another session")]
    SinkBusy(u64),
    /// A file can't be read or written.
    #[error("{path}: {why}")]
    File {
        /// The path as the application gave it.
        path: String,
        /// The system's or the format's own words.
        why: String,
    },
    /// Raw pictures are wanted of a build that has no codec for them.
    #[error(
        "this build of offhook has no raw video: it was built without libvpx; send and take encoded frames"
    )]
    NoCodec,
    /// The system has no thread left for it.
    #[error("no thread could be started for pictures: {0}")]
    Thread(String),
}

/// Raw pictures that wait to be encoded: one while the last is, and one more.
const MOST_RAW: usize = 2;
/// 64 MB: at least one RGBA picture of the largest size.
const MOST_RAW_OCTETS: usize = 64_000_000;
/// Two seconds at 30 frames a second; the last second of a file that is written slowly.
const MOST_ENCODED: usize = 64;
/// 4 MB: two seconds at 16 Mbit/s, and at least the largest key frame.
const MOST_ENCODED_OCTETS: usize = ::video::EncodedFrame::MOST_OCTETS;
