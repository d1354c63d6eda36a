//! Where the far end of a session is heard.

use std::sync::Arc;
use std::time::Duration;

use audio::Frame;

use super::{DeviceEnd, DeviceFigures, LinkWriter, SinkGroup, SinkWriter, WavFile};

/// An opened output; written once a tick.
#[derive(Debug)]
pub(crate) enum Output {
    /// Nothing is opened.
    Nowhere,
    /// PCM for the application.
    Sink(SinkWriter),
    /// A WAV file.
    Wav(WavFile),
    /// The members of a conference.
    Link(LinkWriter),
    /// A speaker.
    Device(Box<DeviceEnd<LinkWriter>>),
    /// Several at once.
    Several(Vec<Output>),
}

impl Output {
    pub(crate) fn device(writer: DeviceEnd<LinkWriter>) -> Output {
        Output::Device(Box::new(writer))
    }

    /// Takes the place of what was written before; one speaker goes on until the next has begun.
    pub(crate) fn replace(&mut self, mut next: Output) {
        let before = std::mem::replace(self, Output::Nowhere);
        if let (Output::Device(next), Output::Device(before)) = (&mut next, before) {
            next.take_over_from(*before);
        }
        *self = next;
    }

    /// How well its device goes, if it is one.
    pub(crate) fn figures(&self) -> Option<DeviceFigures> {
        match self {
            Output::Device(device) => Some(device.figures()),
            Output::Several(outputs) => outputs.iter().find_map(Output::figures),
            Output::Nowhere | Output::Sink(_) | Output::Wav(_) | Output::Link(_) => None,
        }
    }

    /// Changes the rate at a quarter of the cost and less well, or as well as it can again.
    pub(crate) fn set_short(&mut self, short: bool) {
        match self {
            Output::Sink(sink) => sink.set_short(short),
            Output::Several(outputs) => outputs
                .iter_mut()
                .for_each(|output| output.set_short(short)),
            // A recording is kept, and a device changes the rate on a thread of its own.
            Output::Nowhere | Output::Wav(_) | Output::Link(_) | Output::Device(_) => {}
        }
    }

    /// How long it takes until what is written is heard; none where nobody's ear is known.
    pub(crate) fn delay(&self) -> Duration {
        match self {
            Output::Device(device) => device.delay(),
            Output::Link(link) => link.delay(),
            Output::Several(outputs) => {
                let delays = outputs.iter().map(Output::delay);
                delays.max().unwrap_or_default()
            }
            Output::Nowhere | Output::Sink(_) | Output::Wav(_) => Duration::ZERO,
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
            Output::Device(device) => {
                device.write(frame);
                None
            }
            Output::Several(outputs) => {
                for output in outputs {
                    if let Some(group) = output.write(frame) {
                        group.wake();
                    }
                }
                None
            }
        }
    }
}
