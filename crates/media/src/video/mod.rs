//! Pictures over RTP: frames cut into packets and put together again, what is lost asked for and sent again, and how
//! much the network takes.
//!
//! ```text
//! frame ─► Packetizer ─► Pacer ─► History ══ network ══► Assembler ─► frame
//!             ▲            ▲         ▲                       │
//!       key frame wish   Rate      NACK ◄──── feedback ──────┤ missing, wants_key_frame
//!             ▲            ▲                                 │
//!     KeyFrameRequests   REMB ◄─────────── Estimate ◄────────┘
//! ```
//! It knows no descriptions, no sockets and no clock: every call brings `now`.

mod arrivals;
mod assembler;
mod estimate;
mod freezes;
mod h264;
mod history;
mod pacer;
mod packetizer;
mod parameter_sets;
mod payload;
mod rate;
#[cfg(test)]
mod tests;
mod traffic;
pub mod vp8;
mod ways;
mod wishes;

pub use arrivals::VideoPacket;
pub use assembler::{Assembled, Assembler, FrameCounts};
pub use estimate::Estimate;
pub use freezes::Freezes;
pub use history::{History, Outgoing, read_rtx, write_rtx};
pub use pacer::{Due, OVERHEAD, Pacer};
pub use packetizer::{MOST_PAYLOAD, Packetizer};
pub use payload::{CLOCK, PayloadError, timestamp};
pub use rate::{LEAST_RATE, LossRule, MOST_RATE, Rate};
pub use traffic::RecentTraffic;
pub use ways::Departure;
pub use wishes::KeyFrameRequests;
