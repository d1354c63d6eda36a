//! The file of either format.

use audio::Rate;

use crate::ogg::OggFile;
use crate::recorder::duration;
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

    /// Ends it, with marks at these places, in samples of each channel.
    pub(crate) fn finish(&mut self, rate: Rate, marks: &[(u64, &str)], chunk: &mut Chunk) {
        match self {
            Self::Wav(file) => file.finish(rate, marks, chunk),
            Self::Ogg(file) => {
                let marks = marks.iter().map(|(at, text)| (duration(*at, rate), *text));
                file.finish(&marks.collect::<Vec<_>>(), chunk);
            }
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
