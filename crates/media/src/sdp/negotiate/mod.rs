//! Offer and answer (RFC 3264, RFC 8829 where browsers expect it) for a line of sound and lines of pictures over
//! one ICE and DTLS-SRTP transport.
//!
//! [`Negotiation`] is pure text in, text out: it remembers the media sections, payload types and version that both
//! sides have seen, so that every later offer and answer keeps them.
//!
//! ```text
//! Stable ── offer() ──► Offered ── accept(answer) ──► Stable      (a second, different answer: accept again)
//! Stable ── receive_offer() ──► Answering ── answer() ──► Stable
//!           either way back: rollback()
//! ```

mod agreement;
mod formats;
#[cfg(test)]
mod key_tests;
mod layout;
mod machine;
mod terms;
#[cfg(test)]
mod tests;
mod video;
#[cfg(test)]
mod video_tests;
mod write;
mod write_video;

pub use agreement::{Agreed, AgreedAudio, SendFormat};
pub use machine::{Misuse, Negotiation};
pub(crate) use terms::token;
pub use terms::{Identity, Incompatible, KeySeed, LocalSource, LocalTransport, Refusal, Terms};
pub use video::{AgreedVideo, Content, MOST_VIDEO, VideoLine, VideoWish};
