//! Session descriptions (RFC 8866): a tolerant reader, our own writer, and offer/answer (RFC 3264) over them.
//!
//! The reader takes what PBXs send and keeps every attribute it does not know; the writer never lets a control
//! character through, so that no text from the application or the peer can start a line of its own.

mod attribute;
mod candidate;
mod crypto;
mod description;
mod h264;
pub mod negotiate;
mod parse;
mod payload;
mod video;
mod write;

pub use candidate::{parse_candidate, write_candidate};
pub use crypto::{CryptoFault, CryptoLine};
pub use description::{Attribute, Description, Direction, Media, MediaKind, Origin};
pub use h264::{H264Level, H264Profile};
pub use parse::{ParseError, limit};
pub use payload::{Encoding, Fmtp, Payload, PayloadType};
pub use video::{FeedbackTypes, HeaderExtensions, RemoteSource, VideoPayload};
