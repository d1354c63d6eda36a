//! What a session is told once, when it is made.

use crate::codec::{Codec, OpusSettings};
use crate::transport::{Certificate, GatheringCap, Keying, Policy, Server, Way};
use std::net::SocketAddr;
use std::time::Duration;

/// Whether keys are listened for in the peer's sound itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InBandKeys {
    /// Where no telephone events were agreed to.
    #[default]
    Auto,
    /// Always, until the peer sends a telephone event.
    Always,
    /// Never.
    Never,
}

/// Everything a session needs to know before it starts.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The codecs we speak, best first; the order is that of our offers.
    pub codecs: Vec<Codec>,
    /// How Opus is run.
    pub opus: OpusSettings,
    /// Whether pauses are left out of what we send, and asked to be left out of what we get (DTX).
    pub dtx: bool,
    /// Whether key presses are sent and understood (RFC 4733).
    pub telephone_event: bool,
    /// Whether they are also listened for in the sound.
    pub in_band_keys: InBandKeys,
    /// The packet time we ask for, and send with unless the peer asks for another: 10, 20, 40 or 60 ms.
    pub packet_time: Duration,
    /// The canonical name in RTCP (RFC 7022); a random one is made if there is none.
    pub cname: Option<String>,
    /// How long a connected peer may send nothing before [`MediaEvent::NoMedia`](super::MediaEvent::NoMedia).
    pub no_media_after: Duration,
    /// The addresses of bound UDP sockets, one an interface address; the index is the `PathId`.
    pub sockets: Vec<SocketAddr>,
    /// STUN and TURN servers, their names resolved.
    pub servers: Vec<Server>,
    /// Ways to them on which nothing came lately.
    pub doubted: Vec<Way>,
    /// How media may be protected, best first.
    pub media: Vec<Keying>,
    /// Which candidates may be used.
    pub policy: Policy,
    /// The certificate shown in the DTLS handshake.
    pub certificate: Certificate,
    /// When gathering stops waiting for servers.
    pub gathering: GatheringCap,
    /// The time between two rounds of connectivity checks.
    pub check_interval: Duration,
}

impl SessionConfig {
    /// Makes a configuration with all codecs and no servers.
    pub fn new(sockets: Vec<SocketAddr>, certificate: Certificate) -> Self {
        Self {
            codecs: Codec::ALL.to_vec(),
            opus: OpusSettings::default(),
            dtx: false,
            telephone_event: true,
            in_band_keys: InBandKeys::default(),
            packet_time: Duration::from_millis(20),
            cname: None,
            no_media_after: Duration::from_secs(10),
            sockets,
            servers: Vec::new(),
            doubted: Vec::new(),
            media: vec![Keying::Dtls],
            policy: Policy::All,
            certificate,
            gathering: GatheringCap::default(),
            check_interval: Duration::from_millis(30),
        }
    }
}
