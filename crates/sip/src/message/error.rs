use super::{Response, StatusCode};
use crate::header::{HeaderError, HeaderFault};
use crate::message::HeaderName;
use crate::uri::UriError;

/// A frame that is no SIP message, and the answer it deserves.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{fault}")]
pub struct ParseError {
    /// What is wrong.
    pub fault: ParseFault,
    pub(super) reply: Option<Box<Response>>,
}

impl ParseError {
    /// The response to send: only for a request other than ACK that could be read far enough to
    /// say where a response goes. Malformed responses are dropped.
    pub fn into_reply(self) -> Option<Response> {
        self.reply.map(|reply| *reply)
    }

    /// The response to send, as [`ParseError::into_reply`].
    pub fn reply(&self) -> Option<&Response> {
        self.reply.as_deref()
    }
}

impl From<ParseFault> for ParseError {
    fn from(fault: ParseFault) -> Self {
        Self { fault, reply: None }
    }
}

/// What is wrong with a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseFault {
    /// Nothing but line ends; [`super::KeepAlive`] tells pings apart before parsing.
    #[error("the frame is empty")]
    Empty,
    /// More than [`super::MAX_MESSAGE`] octets.
    #[error("the message has {0} octets")]
    TooLarge(usize),
    /// More than [`super::MAX_HEADERS`] header lines.
    #[error("the message has too many headers")]
    TooManyHeaders,
    /// Neither a request line nor a status line.
    #[error("malformed start line")]
    StartLine,
    /// Another version than SIP/2.0.
    #[error("the version is not supported")]
    Version,
    /// The status code is not one of 100 to 699.
    #[error("status code out of range")]
    StatusCode,
    /// The request URI is malformed.
    #[error("malformed Request-URI: {0}")]
    RequestUri(#[from] UriError),
    /// A header line without a name and a colon, or nothing after the last header.
    #[error("malformed header line")]
    HeaderLine,
    /// A line that does not end with CR and LF.
    #[error("malformed line end")]
    LineEnd,
    /// NUL in a header.
    #[error("NUL in a header")]
    Nul,
    /// Octets in a header that are no UTF-8.
    #[error("a header is no UTF-8")]
    Utf8,
    /// A header that must be right for anything to work is not.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// `CSeq` names another method than the request line.
    #[error("CSeq has another method than the request")]
    Method,
    /// Less or, in a WebSocket frame by the letter, more octets follow than `Content-Length` says.
    #[error("Content-Length is {expected} and the body has {got} octets")]
    ContentLength {
        /// What `Content-Length` says.
        expected: u32,
        /// What came.
        got: usize,
    },
}

impl ParseFault {
    pub(super) fn header(header: HeaderName, fault: HeaderFault) -> Self {
        Self::Header(HeaderError { header, fault })
    }

    /// The status that RFC 3261 asks for in the answer to such a request.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Version => StatusCode::VERSION_NOT_SUPPORTED,
            Self::TooLarge(_) => StatusCode::MESSAGE_TOO_LARGE,
            Self::Empty
            | Self::TooManyHeaders
            | Self::StartLine
            | Self::StatusCode
            | Self::RequestUri(_)
            | Self::HeaderLine
            | Self::LineEnd
            | Self::Nul
            | Self::Utf8
            | Self::Header(_)
            | Self::Method
            | Self::ContentLength { .. } => StatusCode::BAD_REQUEST,
        }
    }
}
