//! The crate from outside: messages against RFC 4475 and against another parser, digest between
//! both of its sides, hostile input; user agents in virtual time, over networks that behave and
//! networks that don't.

mod compose;

mod digest;
mod headers;
mod hostile;
mod oracle;
mod redaction;
mod torture;

mod called;
mod calling;
mod dialogs;
mod flows;
mod layer;
mod lone;
mod network;
mod pair;
mod registering;
