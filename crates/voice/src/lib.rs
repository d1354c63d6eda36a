//! What a microphone hears, without the echo of the loudspeaker, with less noise, at an even level.
//!
//! ```text
//! what is played ──► Processor::render ─┐
//! microphone ──────► Processor::capture ┴► echo removed ► noise lowered ► level evened ► who listens
//! ```
//! A [`Processor`] belongs to a microphone. Each tick of 10 ms gives it what the loudspeakers play in this
//! tick, then what the microphone heard. How long the sound is on its way from one to the other is found
//! out, up to half a second, and followed as it changes.
//!
//! ```
//! use audio::{Frame, Rate};
//! use voice::{Processing, Processor};
//!
//! let mut processor = Processor::new(Processing::ALL);
//! let mut heard = Frame::silence(Rate::Hz48000);
//! processor.render(&Frame::silence(Rate::Hz48000));
//! processor.capture(&mut heard);
//! assert_eq!(heard, Frame::silence(Rate::Hz48000));
//! ```
//!
//! **Invariant: what is off is neither computed nor kept.**

#![forbid(unsafe_code)]

mod bands;
mod echo;
mod gain;
mod high_pass;
mod near_talk;
mod noise;
mod preference;
mod processing;
mod processor;

pub use preference::Preference;
pub use processing::Processing;
pub use processor::Processor;

/// The samples of a tick, which all steps take and give from −1 to 1. Each step is of its own, so that the others go on as they
/// are when it is switched.
const TICK: usize = audio::Rate::Hz48000.samples_per_tick();
