//! SIP as data and state machines: messages, headers, digest, transactions, dialogs, registration.
//!
//! A frame becomes a [`message::Message`]: one `Bytes` and the spans of its headers. Typed views
//! ([`header`]) are parsed on demand and borrow from it; what nobody asks for is kept byte for byte.
//! Messages of our own are built from the same types, and nothing that an application gives can
//! start a header line of its own.
//!
//! ```text
//! frame ─ Message::parse ─► Request | Response ─ headers().typed::<From>() ─► views
//!                                │
//!        auth::Authenticator ────┤ endpoint ─ dialog ─ transaction
//!                                ▼
//!                            to_bytes ─► frame
//! ```
//!
//! **No clock, no randomness and no socket inside: `now` and a seeded generator are inputs, and a
//! peer's faults are values, never panics.**
//!
//! ```
//! use sip::header::{CSeq, From};
//! use sip::message::{Leniency, Message};
//!
//! let frame = "OPTIONS sip:bob@example.com SIP/2.0\r\n\
//!              Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1\r\n\
//!              From: Alice <sip:alice@example.com>;tag=1\r\n\
//!              To: <sip:bob@example.com>\r\n\
//!              Call-ID: 7\r\n\
//!              CSeq: 1 OPTIONS\r\n\r\n";
//! let parsed = Message::parse(frame.into(), Leniency::Interop)?;
//! let from = parsed.message.headers().typed::<From>().expect("there is one")?;
//! assert_eq!(from.display(), Some("Alice"));
//! assert_eq!(parsed.message.headers().typed::<CSeq>().expect("there is one")?.number, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod uri;

pub mod framing;
pub mod header;
pub mod message;

pub mod auth;

pub mod redact;
pub use redact::redact;

pub mod transaction;

pub mod dialog;
pub mod locating;
pub mod registration;

pub mod endpoint;

mod octets;
mod put;
mod wheel;
