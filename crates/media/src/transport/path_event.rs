//! What goes into the paths, and what comes out of them.

use std::net::SocketAddr;

use bytes::BytesMut;

use super::config::{GatheringCap, LinkId, PathId, Policy, Server, StreamTarget, Way};
use super::ice::BaseId;
use super::output::{ServerFault, WayNews};
use super::parameters::{Candidate, CandidateKind};

/// What the paths want.
#[derive(Debug)]
pub(super) enum PathEvent {
    /// Send this from a socket.
    Transmit(PathId, SocketAddr, BytesMut),
    /// Open a stream.
    Connect(LinkId, StreamTarget),
    /// Send this on a stream.
    Send(LinkId, BytesMut),
    /// Close a stream.
    Disconnect(LinkId),
    /// A server of this name gives nothing, or no longer.
    ServerFault(String, ServerFault),
    /// What is known of a way to a server.
    Way(Way, WayNews),
    /// A local address that checks can be sent from.
    Base(BaseId, SocketAddr, CandidateKind, u32),
    /// A stream to the peer is up: our end of it, and the peer's.
    Stream(BaseId, SocketAddr, SocketAddr),
    /// It is over, or could not be opened.
    StreamOver(BaseId),
    /// An address to tell the peer.
    Candidate(Candidate),
    /// No more addresses will come.
    Complete,
    /// A peer sent this through a relay.
    Received(BaseId, SocketAddr, BytesMut),
}

/// What addresses are to be gathered from.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) sockets: Vec<SocketAddr>,
    pub(super) servers: Vec<Server>,
    pub(super) doubted: Vec<Way>,
    pub(super) policy: Policy,
    pub(super) gathering: GatheringCap,
}
