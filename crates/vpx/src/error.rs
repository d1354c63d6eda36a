use video::{NotAFrame, Size, VideoCodec};

/// What could not be encoded or decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// libvpx has no memory left.
    #[error("libvpx ran out of memory")]
    OutOfMemory,
    /// Pictures of this size are not taken.
    #[error("pictures of {0} are not taken")]
    Size(Size),
    /// A picture of another size than the encoder's.
    #[error("a picture of {given} came to an encoder for {expected}")]
    OtherSize {
        /// The encoder's.
        expected: Size,
        /// The picture's.
        given: Size,
    },
    /// A frame of another codec.
    #[error("{} is not VP8", .0.name())]
    OtherCodec(VideoCodec),
    /// Octets that are no frame; they came from the peer.
    #[error("{0}")]
    NotAFrame(#[from] NotAFrame),
    /// The frame can't be decoded without one that is not there: only a key frame helps.
    #[error("a key frame is needed first")]
    KeyFrameNeeded,
    /// The frame is damaged, or what it needs was; its content came from the peer. Only a key frame helps.
    #[error("the frame is damaged")]
    Damaged,
    /// libvpx refused for another reason.
    #[error("libvpx failed with code {code}")]
    Internal {
        /// The number libvpx returned.
        code: i32,
    },
}

/// Turns the shim's "0, or libvpx's code below it" into a `Result`.
pub(crate) fn check(code: i32) -> Result<(), Error> {
    // vpx_codec_err_t of vpx_codec.h.
    match -code {
        0 => Ok(()),
        2 => Err(Error::OutOfMemory),
        5..=7 => Err(Error::Damaged),
        code => Err(Error::Internal { code }),
    }
}
