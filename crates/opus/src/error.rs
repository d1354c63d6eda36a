use std::ffi::c_int;

/// What libopus refused, named after its own codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An argument is out of range: a frame that is no multiple of 2.5 ms, a setting beyond its limits.
    #[error("libopus refused an argument")]
    BadArgument,
    /// The output is shorter than what the call produces.
    #[error("the output buffer is too small")]
    BufferTooSmall,
    /// The packet breaks RFC 6716; its content came from the peer.
    #[error("the packet is not valid Opus")]
    InvalidPacket,
    /// This build of libopus lacks the request.
    #[error("libopus does not implement the request")]
    Unimplemented,
    /// libopus could not allocate its state.
    #[error("libopus ran out of memory")]
    OutOfMemory,
    /// libopus found a fault of its own.
    #[error("libopus failed with code {code}")]
    Internal {
        /// The number libopus returned.
        code: i32,
    },
}

impl Error {
    pub(crate) fn from_code(code: c_int) -> Self {
        match code {
            opusic_sys::OPUS_BAD_ARG => Self::BadArgument,
            opusic_sys::OPUS_BUFFER_TOO_SMALL => Self::BufferTooSmall,
            opusic_sys::OPUS_INVALID_PACKET => Self::InvalidPacket,
            opusic_sys::OPUS_UNIMPLEMENTED => Self::Unimplemented,
            opusic_sys::OPUS_ALLOC_FAIL => Self::OutOfMemory,
            code => Self::Internal { code },
        }
    }
}

/// Turns libopus's "negative is an error, else a count" into a `Result`.
pub(crate) fn count(code: c_int) -> Result<usize, Error> {
    usize::try_from(code).map_err(|_| Error::from_code(code))
}
