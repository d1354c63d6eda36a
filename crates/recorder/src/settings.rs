use audio::Rate;

/// What a recording is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How it is stored.
    pub format: Format,
    /// What is heard in it.
    pub legs: Legs,
    /// Its rate; that of the first sound if there is none.
    pub rate: Option<Rate>,
    /// Whether [`Chunk::begin`](crate::Chunk::begin) is written: a stream can't go back to its beginning.
    pub patched: bool,
}

/// How a recording is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// WAV of 16 bits.
    Wav,
    /// Opus in an Ogg container (RFC 7845).
    OggOpus,
}

/// What is heard in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legs {
    /// What this side says on the left, what the other side says on the right.
    Stereo,
    /// Both in one channel.
    Mix,
    /// What this side says.
    Local,
    /// What the other side says.
    Remote,
}

impl Legs {
    pub(crate) fn channels(self) -> u16 {
        match self {
            Self::Stereo => 2,
            Self::Mix | Self::Local | Self::Remote => 1,
        }
    }
}
