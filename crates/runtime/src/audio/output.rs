//! Where the far end of a session is heard.

use std::sync::Arc;

use audio::Frame;

use super::{LinkWriter, SinkGroup, SinkWriter, WavFile};

/// An opened output; written once a tick.
#[derive(Debug)]
pub(crate) enum Output {
    /// Nothing is opened.
    Nowhere,
    /// PCM for the application.
    Sink(SinkWriter),
    /// A WAV file.
    Wav(WavFile),
    /// A device.
    Link(LinkWriter),
}

impl Output {
    /// Changes the rate at a quarter of the cost and less well, or as well as it can again.
    pub(crate) fn set_short(&mut self, short: bool) {
        match self {
            Output::Sink(sink) => sink.set_short(short),
            // A recording is kept, and a device changes the rate on a thread of its own.
            Output::Nowhere | Output::Wav(_) | Output::Link(_) => {}
        }
    }

    /// Plays 10 ms; returns whom to wake at the end of the tick.
    pub(crate) fn write(&mut self, frame: &Frame) -> Option<&Arc<SinkGroup>> {
        match self {
            Output::Nowhere => None,
            Output::Sink(sink) => sink.write(frame),
            Output::Wav(file) => {
                file.write(frame);
                None
            }
            Output::Link(link) => {
                link.write(frame);
                None
            }
        }
    }
}
