//! The way media takes: ICE, DTLS-SRTP and TURN as one pure state machine.

mod certificate;
mod config;
mod output;
mod packet;
mod parameters;
mod stats;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub use certificate::{Certificate, CertificateError};
pub use config::{
    Config, ConfigError, GatheringCap, OutboundStream, PathId, Policy, Role, Server, ServerKind,
    StreamId,
};
pub use output::{
    Gathering, Output, Rtp, RtpOut, SelectedPath, SendError, State, Transmit, TransportFailure,
    Wake,
};
pub use parameters::{
    Candidate, CandidateKind, Description, Fingerprint, FingerprintError, HashFunction,
    LocalParameters, Protocol, RemoteParameters, Secret, Setup,
};
pub use stats::{Refused, TransportStats};

/// The most sockets a transport takes.
pub const MAX_SOCKETS: usize = 16;

/// One path for media to one peer.
///
/// Give it one input (`set_remote`, `add_candidate`, `restart_ice`, `handle_datagram`,
/// `handle_timeout`, `send_rtp`, `send_rtcp`, `close`), then call
/// [`poll_output`](Self::poll_output) until it returns [`Output::Timeout`]. **Never two inputs
/// without a drain.**
#[derive(Debug)]
pub struct Transport {
    config: Config,
    state: State,
    now: Instant,
}

/// Why the peer's parameters can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The user name fragment or the password is missing or too long.
    #[error("the peer's ICE credentials are malformed")]
    Credentials,
    /// No fingerprint that we can check.
    #[error("the peer announced no usable fingerprint")]
    NoFingerprint,
    /// The transport is closed.
    #[error("the transport is closed")]
    Closed,
}

impl Transport {
    /// Makes a transport and starts gathering; `seed` feeds its credentials and timers.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Result<Self, ConfigError> {
        let _ = seed;
        if config.sockets.is_empty() {
            return Err(ConfigError::NoSocket);
        }
        Ok(Self {
            config,
            state: State::New,
            now,
        })
    }

    /// Returns what our description must say; while a restart is staged, its new credentials.
    pub fn local(&self) -> LocalParameters {
        LocalParameters {
            ufrag: String::new(),
            pwd: Secret::default(),
            fingerprints: self.config.certificate.fingerprints(),
            setup: Setup::ActPass,
            candidates: Vec::new(),
        }
    }

    /// Returns whether candidates are still being gathered.
    pub fn gathering(&self) -> Gathering {
        Gathering::Complete
    }

    /// Returns where the transport stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Takes the peer's parameters, from the first description or any later one.
    ///
    /// New ICE credentials restart ICE, a new fingerprint starts a new DTLS association; media
    /// keeps its old path and keys until the new ones work. The same parameters again change
    /// nothing.
    pub fn set_remote(
        &mut self,
        remote: RemoteParameters,
        now: Instant,
    ) -> Result<(), RemoteError> {
        self.now = now;
        if remote.fingerprints.is_empty() {
            return Err(RemoteError::NoFingerprint);
        }
        Ok(())
    }

    /// Takes a candidate that the peer trickled; one that can't be used is ignored.
    pub fn add_candidate(&mut self, candidate: Candidate, now: Instant) {
        let _ = candidate;
        self.now = now;
    }

    /// Notes that the peer has no more candidates.
    pub fn end_of_candidates(&mut self, now: Instant) {
        self.now = now;
    }

    /// Stages new ICE credentials for our next offer; the peer's answer puts them in force.
    pub fn restart_ice(&mut self, now: Instant) {
        self.now = now;
    }

    /// Forgets a staged restart, because the offer was refused or rolled back.
    pub fn rollback_restart(&mut self) {}

    /// Takes a datagram that arrived on a socket.
    pub fn handle_datagram(&mut self, path: PathId, from: SocketAddr, bytes: &[u8], now: Instant) {
        let _ = (path, from, bytes);
        self.now = now;
    }

    /// Acts on what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
    }

    /// Protects and queues a media packet; returns the sequence number it got.
    pub fn send_rtp(
        &mut self,
        stream: StreamId,
        packet: RtpOut<'_>,
        now: Instant,
    ) -> Result<u16, SendError> {
        let _ = (stream, packet);
        self.now = now;
        Err(SendError::NotConnected)
    }

    /// Protects and queues a compound RTCP packet given in the clear.
    pub fn send_rtcp(&mut self, compound: &[u8], now: Instant) -> Result<(), SendError> {
        let _ = compound;
        self.now = now;
        Err(SendError::NotConnected)
    }

    /// Says goodbye to the peer and to TURN servers; drain the output once more after it.
    pub fn close(&mut self, now: Instant) {
        self.now = now;
        self.state = State::Closed;
    }

    /// Returns the next thing to do or to know; `Timeout` is the last.
    pub fn poll_output(&mut self) -> Output {
        Output::Timeout(self.now + Duration::from_secs(3600), Wake::Idle)
    }

    /// Returns the counters so far.
    pub fn stats(&self) -> TransportStats {
        TransportStats {
            state: self.state,
            selected: None,
            selected_changes: 0,
            rtt: None,
            total_rtt: Duration::ZERO,
            responses_received: 0,
            requests_sent: 0,
            requests_received: 0,
            responses_sent: 0,
            packets_sent: 0,
            packets_received: 0,
            bytes_sent: 0,
            bytes_received: 0,
            tls_version: None,
            dtls_cipher: None,
            srtp_cipher: None,
            dtls_client: None,
            controlling: self.config.role == Role::Controlling,
            refused: Refused::default(),
        }
    }
}
