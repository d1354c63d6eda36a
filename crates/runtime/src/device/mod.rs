//! Microphones and speakers: listed, opened, watched, and kept open.
//!
//! ```text
//! device callback ─▶ CaptureEnd ═ring═▶ Microphone::tick ─▶ 10 ms at 48 kHz
//! 10 ms at 48 kHz ─▶ Speaker::tick ═ring═▶ PlaybackEnd ─▶ device callback
//!                     Handle ── supervisor thread ── Backend (cpal)
//! ```
//! A device is opened with [`open_microphone`] or [`open_speaker`]. That never fails: its supervisor
//! thread opens the stream, reports a [`DeviceEvent`] for what goes wrong, tries again with a back-off,
//! and lets the system's default stand in for a chosen device that vanishes (its stream fails, or it is
//! listed no more). Meanwhile the microphone gives silence and the speaker
//! swallows, so a call goes on without either. Dropping the [`Handle`] closes the device.
//!
//! **Invariant: a device callback copies to or from its ring and counts in atomics; it takes no lock,
//! allocates nothing and logs nothing.** No audio host is touched before a device is asked for.

mod backend;
mod format;
mod microphone;
#[cfg(unix)]
mod pulse;
mod ring;
mod speaker;
mod supervisor;
mod system;
mod watch;
mod way;

pub use backend::{
    Backend, DeviceId, DeviceInfo, Direction, Fault, Listing, Notice, Opened, Presence, Selection,
};
pub use microphone::Microphone;
pub use ring::{CaptureEnd, Counters, PlaybackEnd, Sample};
pub use speaker::Speaker;
pub use supervisor::{DeviceEvent, Handle, Replacement, Wanted, open_microphone, open_speaker};
pub use system::System;
pub use watch::Watch;
