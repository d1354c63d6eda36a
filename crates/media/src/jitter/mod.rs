//! The jitter buffer: packets come when they come, sound goes out every 10 ms.
//!
//! ```text
//! packet ─► Buffer (order, duplicates, SSRC changes) ─► decode / recover / conceal ─► stretch ─► 10 ms
//!    └────► DelayEstimator (how late packets are) ───────── target ──────────┘
//! ```
//! It reads no clock: every call brings `now`. Positions on its timeline are in 1/48000 s, which every RTP clock
//! divides. It plays a packet when [`Playout`]'s delay, measured against the fastest packet of late, covers what 95 % of
//! the packets need; sound is shortened or drawn out by whole pitch periods to get there. Of a stream that begins
//! nothing is known yet: it begins with more delay than most need, and gives it up in its first pauses.

mod buffer;
mod counters;
mod decoders;
mod delay;
#[cfg(test)]
mod first_second;
mod pace;
mod packet;
mod pause;
mod playout;
mod stretch;
#[cfg(test)]
mod traces;

pub use counters::Counters;
pub use packet::{Packet, Playing};
pub use playout::Playout;

/// Ticks of the timeline in a second.
pub(crate) const TIMELINE: u32 = 48_000;
/// Ticks of the timeline in a millisecond.
pub(crate) const PER_MS: i64 = 48;
