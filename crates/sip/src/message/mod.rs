//! SIP messages: one frame and the spans of its headers, or one of ours being built.

mod method;
pub use method::{ExtensionMethod, Method};

mod status;
pub use status::StatusCode;

mod name;
pub use name::{HeaderName, Name};

mod headers;
pub use headers::Headers;

mod editing;
pub use editing::{InvalidHeader, InvalidHeaderFault};

mod request;
pub use request::Request;

mod response;
pub use response::Response;

mod leniency;
use leniency::forgive;
pub use leniency::{Forgiven, Leniency};

mod error;
pub use error::{ParseError, ParseFault};

mod entry;
mod essentials;
mod lines;
mod parse;
mod start_line;
mod strict;
mod write;

use bytes::Bytes;

/// The most octets of a message.
pub const MAX_MESSAGE: usize = 64 * 1024;
/// The most header lines of a message.
pub const MAX_HEADERS: usize = 256;

/// A SIP message.
#[derive(Debug, Clone)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A message and what its sender was forgiven.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The message.
    pub message: Message,
    /// What was let through; always empty under [`Leniency::Strict`].
    pub forgiven: Vec<Forgiven>,
}

impl Message {
    /// Reads a frame that holds one message, as a WebSocket message or a datagram does.
    ///
    /// Afterwards `Via`, `From`, `To`, `Call-ID` and `CSeq` are there and can be read, all but
    /// `Via` once; the other headers are checked when they are asked for, or at once under
    /// [`Leniency::Strict`]. Frames above [`MAX_MESSAGE`] octets or [`MAX_HEADERS`] header lines
    /// are refused.
    pub fn parse(frame: Bytes, leniency: Leniency) -> Result<Parsed, ParseError> {
        parse::message(frame, leniency)
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        match self {
            Self::Request(request) => request.headers(),
            Self::Response(response) => response.headers(),
        }
    }

    /// The body, empty if there is none.
    pub fn body(&self) -> &Bytes {
        match self {
            Self::Request(request) => request.body(),
            Self::Response(response) => response.body(),
        }
    }

    /// The message as a frame; see [`Request::to_bytes`].
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Request(request) => request.to_bytes(),
            Self::Response(response) => response.to_bytes(),
        }
    }

    /// The request, if this is one.
    pub fn as_request(&self) -> Option<&Request> {
        match self {
            Self::Request(request) => Some(request),
            Self::Response(_) => None,
        }
    }

    /// The response, if this is one.
    pub fn as_response(&self) -> Option<&Response> {
        match self {
            Self::Request(_) => None,
            Self::Response(response) => Some(response),
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

/// A frame that only keeps a flow alive (RFC 5626 §3.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAlive {
    /// CR LF CR LF: answer with CR LF.
    Ping,
    /// CR LF: the answer to a ping of ours.
    Pong,
}

impl KeepAlive {
    /// The keep-alive that `frame` is.
    pub fn of(frame: &[u8]) -> Option<Self> {
        match frame {
            b"\r\n\r\n" => Some(Self::Ping),
            b"\r\n" => Some(Self::Pong),
            _ => None,
        }
    }

    /// The frame to send.
    pub fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Ping => b"\r\n\r\n",
            Self::Pong => b"\r\n",
        }
    }
}
