//! Where a session's sound comes from and goes to, read and written on the media clock's tick.
//!
//! ```text
//! JavaScript ─► Source ─┐                         ┌─► Sink ─► JavaScript
//!            Wav, Tone ─┼─► Input ─► media::Session ─► Output ─┼─► WavFile
//!   another session's Link ─┘     (10 ms tick)        └─► device, or another session's Link
//!
//! several sessions' Links ─► Conference (10 ms tick) ─► their Inputs
//! both legs of a session or a conference ─► Recording ─► file
//! ```
//!
//! **Nothing here waits on the tick: what is not there is silence, what does not fit is dropped and
//! counted.**

mod conference;
mod device_end;
mod ear;
mod input;
mod link;
mod output;
mod recording;
mod sink;
mod source;
mod tone;
mod wav_in;
mod wav_out;

pub use ::audio::{Rate, UnknownRate};
pub use sink::{Sink, SinkGroup};
pub use source::{Dropped, Mark, MarkId, Outcome, Position, Source, SourceEvent};

pub(crate) use conference::{Conference, Levels, LevelsReport, Member, SeatId, SeatOrder};
pub(crate) use device_end::{DeviceEnd, DeviceFigures, DeviceGauge};
pub(crate) use ear::Ear;
pub(crate) use input::Input;
pub(crate) use link::{LinkReader, LinkWriter, link};
pub(crate) use output::Output;
pub(crate) use recording::{
    Recording, RecordingEnd, RecordingNews, RecordingOpening, RecordingPlace, Tap, TellOfRecording,
    settle as settle_files,
};
pub(crate) use sink::SinkWriter;
pub(crate) use source::{Lease, SourceReader, Underway};
pub(crate) use tone::{Tone, sequence};
pub(crate) use wav_in::{WavPlayer, played_paths};
pub(crate) use wav_out::WavFile;

use thiserror::Error;

/// Why an input or an output could not be opened; the call goes on without it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// No [`Source`] has this number, or it was closed.
    #[error("there is no AudioSource {0}; was it closed?")]
    NoSource(u64),
    /// The source feeds another session.
    #[error("AudioSource {0} already feeds another session")]
    SourceBusy(u64),
    /// No [`Sink`] has this number, or it was closed.
    #[error("there is no AudioSink {0}; was it closed?")]
    NoSink(u64),
    /// The sink is fed by another session.
    #[error("AudioSink {0} is already fed by another session")]
    SinkBusy(u64),
    /// The other session does not exist or has no media yet.
    #[error("the session to listen to has no media")]
    NoSession,
    /// A file can't be read or written.
    #[error("{path}: {why}")]
    File {
        /// The path as the application gave it.
        path: String,
        /// The system's or the format's own words.
        why: String,
    },
    /// A device can't be opened.
    #[error("{0}")]
    Device(String),
}
