//! What a recording of a call is made of: both legs on one time line, and the octets of the file that holds them.
//!
//! ```text
//! 10 ms of both legs, when they were heard ─► Recorder ─► Chunk ─► whoever writes files
//!                      pause, resume, silence ─┘
//! ```
//! A [`Recorder`] is made with [`Settings`]. It is told what both legs said in each tick, and gives [`Chunk`]s: octets to append, and
//! what the beginning of the file is to say from then on, so that it is whole after each chunk. Time that nobody
//! tells of is silence.
//!
//! **Invariant: both legs go in together, so nothing can put them out of step; nothing here reads a clock or opens a file.**
//!
//! ```
//! use audio::{Frame, Rate};
//! use recorder::{Format, Legs, Recorder, Settings};
//! use std::time::Duration;
//!
//! let mut recorder = Recorder::new(Settings {
//!     format: Format::Wav,
//!     legs: Legs::Stereo,
//!     rate: Some(Rate::Hz8000),
//!     patched: true,
//! });
//! let (local, remote) = (Frame::silence(Rate::Hz8000), Frame::silence(Rate::Hz48000));
//! for tick in 0..100 {
//!     recorder.take(Duration::from_millis(tick * 10), &local, &remote);
//! }
//! let file = recorder.finish();
//! assert_eq!(file.append.len(), 44 + 2 * 2 * 8_000);
//! assert_eq!(recorder.report().duration, Duration::from_secs(1));
//! ```
#![forbid(unsafe_code)]

mod chunk;
mod file;
mod ogg;
mod recorder;
mod settings;
mod wav;

pub use chunk::{Chunk, Cut};
pub use recorder::{Pause, Recorder, Report};
pub use settings::{Format, Legs, Settings};
