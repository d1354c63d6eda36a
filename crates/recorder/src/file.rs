//! The file of either format.

use std::time::Duration;

use audio::Rate;

use crate::ogg::OggFile;
use crate::wav::WavFile;
use crate::{Chunk, Cut, Format};

/// A file that grows.
#[derive(Debug)]
pub(crate) enum GrowingFile {
    Wav(WavFile),
    Ogg(OggFile),
}

impl GrowingFile {
    pub(crate) fn new(format: Format, channels: u16, patched: bool) -> Self {
        match format {
            Format::Wav => Self::Wav(WavFile::new(channels, patched)),
            Format::OggOpus => Self::Ogg(OggFile::new(channels, patched)),
        }
    }

    /// Stores samples, whose channels take turns.
    pub(crate) fn give(&mut self, rate: Rate, samples: &[i16]) -> Chunk {
        match self {
            Self::Wav(file) => file.give(rate, samples),
            Self::Ogg(file) => file.give(rate, samples),
        }
    }

    /// Ends it, with marks at these places.
    pub(crate) fn finish(&mut self, rate: Rate, marks: &[(Duration, &str)], chunk: &mut Chunk) {
        match self {
            Self::Wav(file) => {
                let place = |at: Duration| rate.samples_in(at) as u64;
                let marks: Vec<_> = marks.iter().map(|(at, text)| (place(*at), *text)).collect();
                file.finish(rate, &marks, chunk);
            }
            Self::Ogg(file) => file.finish(marks, chunk),
        }
    }

    /// What makes it whole if only its first `length` octets could be written.
    pub(crate) fn cut(&self, rate: Rate, length: u64) -> Cut {
        match self {
            Self::Wav(file) => file.cut(rate, length),
            Self::Ogg(file) => file.cut(length),
        }
    }
}
