//! What a transport is told once, when it is made.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::certificate::Certificate;
use super::parameters::Secret;

/// Names one of the local UDP sockets: its index in [`Config::sockets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathId(pub u16);

/// Names one media stream of the transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u8);

impl StreamId {
    /// The call's audio.
    pub const AUDIO: Self = Self(0);
}

/// Which candidates may be used (`iceTransportPolicy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// All of them.
    #[default]
    All,
    /// Relayed ones only.
    Relay,
}

/// The ICE role that signalling implies (RFC 8445 §6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The offerer, which nominates.
    Controlling,
    /// The answerer.
    Controlled,
}

/// Names a stream that the transport asked for: never another one again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId(pub u32);

/// Where a stream leads: the caller resolves the name, or has a proxy do it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamTarget {
    /// A name, or an address in digits.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether TLS is spoken with it.
    pub tls: bool,
}

impl fmt::Display for StreamTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(formatter, "[{}]:{}", self.host, self.port),
            false => write!(formatter, "{}:{}", self.host, self.port),
        }
    }
}

/// How a server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// By UDP, at this address.
    Datagrams(SocketAddr),
    /// By a stream, TCP or TLS, which only TURN needs.
    Stream(StreamTarget),
}

/// One way to a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// By UDP, from an address of ours.
    Datagrams(IpAddr, SocketAddr),
    /// By a stream.
    Stream(StreamTarget),
}

/// A STUN or TURN server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What it is called when something is said of it, such as its URL.
    pub name: String,
    /// How it is reached.
    pub reach: Reach,
    /// What it does.
    pub kind: ServerKind,
}

/// What a server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerKind {
    /// Tells our mapped address.
    Stun,
    /// Relays, and tells our mapped address.
    Turn {
        /// The long-term credential's user name.
        username: String,
        /// The long-term credential's password.
        password: Secret,
    },
}

/// When gathering stops waiting for servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatheringCap {
    /// Waits at most this long once there is a candidate that may be used, which with host
    /// candidates is from the beginning: what a server says later still serves the connection.
    pub after_first: Duration,
    /// Waits at most this long in all.
    pub total: Duration,
}

impl Default for GatheringCap {
    fn default() -> Self {
        Self {
            // A question, its repetition and a slow answer, for both questions that an allocation takes.
            after_first: Duration::from_secs(1),
            total: Duration::from_secs(5),
        }
    }
}

/// One stream of RTP that this side sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboundStream {
    /// The stream's name towards this crate.
    pub id: StreamId,
    /// The synchronisation source of its packets.
    pub ssrc: u32,
}

/// Everything a transport needs to know before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// The addresses of bound UDP sockets, one an interface address; the index is the [`PathId`].
    pub sockets: Vec<SocketAddr>,
    /// Servers to gather from; those by UDP of a family without a socket are passed over.
    pub servers: Vec<Server>,
    /// Ways to them on which nothing came lately: they are tried, and not waited for if there is anything else.
    pub doubted: Vec<Way>,
    /// Which candidates may be used.
    pub policy: Policy,
    /// The ICE role that signalling implies.
    pub role: Role,
    /// The certificate shown in the DTLS handshake.
    pub certificate: Certificate,
    /// The streams this side sends.
    pub streams: Vec<OutboundStream>,
    /// The time between two rounds of connectivity checks, held between 20 and 50 ms.
    pub check_interval: Duration,
    /// When gathering stops waiting for servers.
    pub gathering: GatheringCap,
    /// Whether a stream may be opened to a peer that takes some (RFC 6544).
    pub opens_streams: bool,
}

impl Config {
    /// Makes a configuration without servers for one audio stream.
    pub fn new(sockets: Vec<SocketAddr>, role: Role, certificate: Certificate, ssrc: u32) -> Self {
        Self {
            sockets,
            servers: Vec::new(),
            doubted: Vec::new(),
            policy: Policy::All,
            role,
            certificate,
            streams: vec![OutboundStream {
                id: StreamId::AUDIO,
                ssrc,
            }],
            check_interval: Duration::from_millis(30),
            gathering: GatheringCap::default(),
            opens_streams: true,
        }
    }
}

/// Why a transport can't be made from a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no socket to use.
    #[error("the transport has no socket")]
    NoSocket,
    /// A socket's address is the unspecified one, which no peer can reach.
    #[error("the socket address {0} names no interface")]
    UnspecifiedAddress(SocketAddr),
    /// More sockets than [`super::MAX_SOCKETS`].
    #[error("{got} sockets are more than the {limit} allowed")]
    TooManySockets {
        /// The number given.
        got: usize,
        /// The number allowed.
        limit: usize,
    },
    /// The cryptography or the ICE agent could not be set up.
    #[error("the transport could not be set up: {0}")]
    Setup(String),
}
