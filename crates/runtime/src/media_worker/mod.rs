//! A few threads for the media of the whole process: sockets, the 10 ms clock, sessions' deadlines.
//!
//! The threads start with the first session and end with the last. A session stays on its thread, and
//! so does a conference, which ticks after the sessions of its thread;
//! **a panic while a session is driven ends that session and no other.**

mod engine;
mod figures;
mod hosted;
mod links;
mod load;
mod order;
mod pictures;
mod pool;
mod report;
mod session;
pub(crate) mod sockets;
#[cfg(test)]
mod tests;
mod worker;

pub use figures::{ClockFigures, clock_figures};
pub(crate) use links::{LinkNews, Outbox, Outgoing};
pub(crate) use order::{Inquiry, News, Order, Spec, What};
pub(crate) use pictures::{KeyFrameWish, of_phone as video_codec};
pub use pool::load;
pub(crate) use pool::{Conference, Handle, Pool, Post, Seat};
pub(crate) use session::{EngineConfig, coding_of, engine};
