//! What the jitter buffer takes, and what it says that it plays.

use crate::codec::Codec;

/// A packet with sound.
#[derive(Clone, Copy, Debug)]
pub struct Packet<P> {
    /// The synchronisation source.
    pub ssrc: u32,
    /// The sequence number.
    pub sequence: u16,
    /// The RTP timestamp.
    pub timestamp: u32,
    /// What its payload is.
    pub codec: Codec,
    /// The payload.
    pub payload: P,
}

/// A place in the sound of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Playing {
    /// The synchronisation source.
    pub ssrc: u32,
    /// The RTP timestamp.
    pub timestamp: u32,
    /// Its clock in Hz.
    pub clock: u32,
}
