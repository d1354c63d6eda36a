//! What happens to samples between legs, files and devices: rates, mixing, tones, WAV, levels.
//!
//! ```text
//! device 48 kHz ─ drift ─ resample ─▶ codec rate ─▶ encoder
//! decoder ─▶ codec rate ─ resample ─ mixer ─ drift ─▶ device 48 kHz
//! wav::Player, tone::Generator ─▶ any rate       any rate ─▶ level::Meter, detect
//! ```
//! Each part is made once, before the call, and is then fed every 10 ms from the tick; samples are
//! 16-bit, mono, at a [`Rate`].
//!
//! **Invariant: nothing here reads a clock, starts a thread or touches a device; after the first tick
//! nothing in the path of a call allocates.**
//!
//! ```
//! use audio::{Rate, level::Level, resample::Resampler, tone};
//! use std::time::Duration;
//!
//! let beats = [(&[425.0][..], Duration::from_secs(1)), (&[], Duration::from_secs(4))];
//! let mut ringback = tone::Generator::new(tone::Sequence::cadence(beats, -16.0), Rate::Hz8000);
//! let mut resampler = Resampler::new(Rate::Hz8000, Rate::Hz48000);
//! let (mut tick, mut out) = ([0; 80], Vec::new());
//! for _ in 0..10 {
//!     ringback.fill(&mut tick);
//!     out.clear();
//!     resampler.process(&tick, &mut out);
//! }
//! assert_eq!(out.len(), 480);
//! assert!(Level::of(&out).dbov() > -20.0);
//! ```
#![forbid(unsafe_code)]

mod frame;
mod rate;

pub mod companding;
pub mod convert;
pub mod detect;
pub mod drift;
pub mod dtmf;
mod filter;
pub mod gain;
pub mod hearing;
pub mod level;
pub mod mixer;
pub mod resample;
pub mod tone;
pub mod wav;

pub use frame::Frame;
pub use rate::{Rate, UnknownRate};
