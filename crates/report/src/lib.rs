//! The report of a call: what happened in it, kept within bounds, and a page that shows it.
//!
//! ```text
//!  messages, events, figures ──► Journal ──► page() ──► one HTML file, nothing beside it
//! ```
//! A [`Journal`] takes what happened when it happens; it costs a copy and never more than its bounds. Only [`page`] reads
//! it. **The caller hides secrets before that: this crate shows what it is given, and trusts none of it.**
#![forbid(unsafe_code)]

mod ice;
mod journal;
mod ladder;
mod page;
mod plot;
mod samples;
mod text;

pub use journal::{Direction, Journal, Message, Note};
pub use page::page;
pub use samples::Sample;
