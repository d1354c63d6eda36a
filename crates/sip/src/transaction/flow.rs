//! A flow: what a message came over, and what its answer goes back over (RFC 5626 §3).

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// Names one connection, or one pair of UDP addresses; chosen by the caller, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u64);

impl fmt::Display for FlowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flow {}", self.0)
    }
}

/// The transport protocol of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// WebSocket (RFC 7118).
    Ws,
    /// WebSocket over TLS (RFC 7118).
    Wss,
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl Transport {
    /// Returns the token that stands in a Via over this transport.
    pub fn via_token(self) -> &'static str {
        match self {
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// Returns the value of a URI's `transport` parameter; `ws` also over TLS (RFC 7118 §5.2).
    pub fn uri_token(self) -> &'static str {
        match self {
            Transport::Ws | Transport::Wss => "ws",
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// Says whether messages arrive, in order and once, or the flow ends.
    pub fn is_reliable(self) -> bool {
        match self {
            Transport::Ws | Transport::Wss | Transport::Tcp | Transport::Tls => true,
            Transport::Udp => false,
        }
    }

    /// Says whether it is WebSocket, whose clients have no address of their own (RFC 7118 §5).
    pub fn is_websocket(self) -> bool {
        match self {
            Transport::Ws | Transport::Wss => true,
            Transport::Udp | Transport::Tcp | Transport::Tls => false,
        }
    }

    /// Says whether nobody on the way can read along.
    pub fn is_secure(self) -> bool {
        match self {
            Transport::Wss | Transport::Tls => true,
            Transport::Ws | Transport::Udp | Transport::Tcp => false,
        }
    }
}

/// What a flow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Its transport protocol.
    pub transport: Transport,
    /// Whether nothing needs to be repeated over it.
    pub reliable: bool,
    /// The other end's address, written into the `received` and `rport` of its requests; `None` if it is of no use.
    pub peer: Option<SocketAddr>,
    /// Our end's address, written into our Via and Contact; `None` if it is of no use, as over WebSocket.
    pub local: Option<SocketAddr>,
}

impl Flow {
    /// Makes a flow of `transport` that is as reliable as that protocol is.
    pub fn new(transport: Transport) -> Self {
        Self {
            transport,
            reliable: transport.is_reliable(),
            peer: None,
            local: None,
        }
    }

    /// Adds our end's address.
    pub fn with_local(self, local: SocketAddr) -> Self {
        Self {
            local: Some(local),
            ..self
        }
    }

    /// Returns our end as host and port of a URI, where others can reach it.
    pub fn place(&self) -> Option<(String, u16)> {
        let local = self.local.filter(|_| !self.transport.is_websocket())?;
        let host = match local.ip().to_canonical() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        Some((host, local.port()))
    }

    /// Adds the other end's address.
    pub fn with_peer(self, peer: SocketAddr) -> Self {
        Self {
            peer: Some(peer),
            ..self
        }
    }
}
