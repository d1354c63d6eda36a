//! Pictures, encoded and raw, and what happens to them between a source and a sink.
//!
//! ```text
//! camera, file, JavaScript ──► EncodedFrame (VP8, H.264) ──► calls, other calls, files, JavaScript
//!                              Picture (I420)
//! ```
//!
//! A frame's octets are shared, never copied, however many calls it goes to. Its timestamp is its
//! source's: when the picture was taken, from a beginning that only the source knows.
//!
//! **What others say of a frame is not believed: whether it is a key frame and how large it is stands in
//! its own octets, and nothing is reserved for what a header claims.**

#![forbid(unsafe_code)]

mod adapt;
mod convert;
mod encoded;
mod h264;
pub mod ivf;
mod picture;
mod queue;
mod scale;
mod size;
mod vp8;
pub mod y4m;

pub use adapt::{Adaptation, Motive, Plan};
pub use encoded::{EncodedFrame, NotAFrame, VideoCodec};
pub use picture::{Picture, Rotation, WrongLength};
pub use queue::{FrameQueue, Pushed, Queued};
pub use size::Size;
