use std::io;

/// What is wrong with a WAV file, or with reading it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("the WAV file could not be read: {0}")]
    Io(#[from] io::Error),
    /// The first bytes are not `RIFF`…`WAVE`.
    #[error("not a WAV file: it begins with {got:?} instead of \"RIFF\" and \"WAVE\"")]
    NotWave {
        /// The bytes where one of the two was expected.
        got: String,
    },
    /// The file ends before its sound begins.
    #[error("the WAV file ends before its {missing:?} chunk")]
    Incomplete {
        /// The chunk that never came.
        missing: &'static str,
    },
    /// The sound comes before its format.
    #[error("the WAV file has its \"data\" chunk before its \"fmt \" chunk")]
    DataBeforeFormat,
    /// The format chunk is shorter than 16 bytes.
    #[error("the \"fmt \" chunk has {bytes} bytes instead of at least 16")]
    ShortFormat {
        /// Its size.
        bytes: u32,
    },
    /// The samples are of a kind that is not read here.
    #[error("WAV format {tag:#06x} with {bits} bits a sample is not supported")]
    Encoding {
        /// The format tag (1 PCM, 3 float, 6 A-law, 7 µ-law).
        tag: u16,
        /// Bits per sample.
        bits: u16,
    },
    /// There is no channel, or more than 32.
    #[error("{got} channels are not supported")]
    Channels {
        /// What the file says.
        got: u16,
    },
    /// The size of one sample over all channels contradicts the other fields.
    #[error("the block size is {got} bytes, but {expected} follow from the format")]
    BlockSize {
        /// What the file says.
        got: u16,
        /// Channels times bytes per sample.
        expected: u16,
    },
    /// The sampling rate cannot be converted.
    #[error(transparent)]
    Rate(#[from] crate::resample::UnsupportedRate),
}
