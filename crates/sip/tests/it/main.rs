//! The crate from outside: messages against RFC 4475 and against another parser, digest between
//! both of its sides, hostile input; user agents in virtual time, over networks that behave and
//! networks that don't.
#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and looks at one variant at a time"
)]

mod compose;

mod digest;
mod headers;
mod hostile;
mod oracle;
mod redaction;
mod torture;
mod trust;

mod acknowledging;
mod admission;
mod called;
mod calling;
mod chaos;
mod dialogs;
mod early;
mod flows;
mod layer;
mod lone;
mod network;
mod notifying;
mod pair;
mod registering;
mod reliable;
mod session_timer;
