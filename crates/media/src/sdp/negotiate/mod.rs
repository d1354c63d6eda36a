//! Offer and answer (RFC 3264, RFC 8829 where browsers expect it) for one audio stream over ICE and DTLS-SRTP.
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
mod layout;
mod machine;
mod terms;
#[cfg(test)]
mod tests;
mod write;

pub use agreement::{Agreed, AgreedAudio, SendFormat};
pub use machine::{Misuse, Negotiation};
pub use terms::{Identity, Incompatible, LocalTransport, Refusal, Source, Terms};
