//! Whoever reaches the phone without a server in between.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use sip::transaction::Transport;

/// One other end of what the phone listens at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Neighbour {
    /// Who sends datagrams from there.
    Datagrams(SocketAddr),
    /// A stream, by a number that is never given twice.
    Stream(u64),
}

/// One of `peers` with which there is something to say, as long as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrunkId(pub u32);

/// What a neighbour does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeighbourNews {
    /// There is a stream.
    Up {
        /// TCP or TLS.
        transport: Transport,
        /// Our end, as it can be reached again.
        local: SocketAddr,
        /// Its end.
        peer: SocketAddr,
        /// For whom we have opened it; `None` if its other end has.
        opened_for: Option<TrunkId>,
    },
    /// It has sent a message, or a keep-alive.
    Message {
        /// Its address.
        from: IpAddr,
        /// Where it has come to, as it can be reached again.
        local: SocketAddr,
        /// The message.
        bytes: Bytes,
    },
    /// Its stream is over.
    Down,
}
