//! The way media takes: ICE, DTLS-SRTP and TURN as one pure state machine.
//!
//! ```text
//!            set_remote, add_candidate, restart_ice          send_rtp, send_rtcp
//!                         │                                        │
//! handle_datagram ─▶ Paths ─▶ Ice ─▶ (validated) ─▶ Dtls ─keys─▶ Srtp ─▶ Rtp, Rtcp
//!                      │  sockets,      who may speak,   who it is      what it said
//!                      │  STUN, TURN    which pair
//!                      ▼
//!                   Transmit
//! ```
//!
//! How media are protected (`Protection`) and how the peer is reached (`Ice`, or `Direct` without it) are apart:
//! each goes with each.
//!
//! **With ICE nothing reaches the DTLS or SRTP code from an address that did not pass an authenticated
//! check, and no state is kept for anybody who has not authenticated.**
//!
//! The protocols are those of the `rtc-*` crates. What these leave to their caller, or get wrong,
//! is made good in the module that drives each one, and its doc says so.

mod addresses;
mod asked;
mod beside;
mod candidates;
mod certificate;
mod config;
mod consent;
mod direct;
mod doubt;
mod drain;
mod dtls;
mod early;
mod gather;
mod guard;
mod ice;
mod inbound;
mod keys;
mod named;
mod negotiate;
mod output;
mod packet;
mod parameters;
mod path_event;
mod paths;
mod peer_streams;
mod protection;
mod routes;
mod srtp;
mod stats;
mod stream;
mod stun;
mod turn;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

pub use addresses::Silence;
use addresses::check_sockets;
pub use candidates::default_candidate;
pub use certificate::{Certificate, CertificateError};
pub use config::{
    Config, ConfigError, GatheringCap, LinkId, OutboundStream, PathId, Policy, Reach, Role, Server,
    ServerKind, StreamId, StreamTarget, Way,
};
use direct::Direct;
use dtls::Dtls;
use early::EarlyBuffer;
pub(crate) use ice::is_reachable;
use ice::{Ice, Pair};
pub use keys::{CryptoSuite, Keying, MasterKey, SdesKeys, Security};
use named::Naming;
use negotiate::Parked;
pub use output::{
    Captured, Gathering, LinkEvent, Output, RelayProtocol, Rtp, RtpOut, SelectedPath, SendError,
    ServerFault, State, Transmit, TransportFailure, Wake, WayNews,
};
use packet::HeaderFields;
pub use parameters::{
    Candidate, CandidateKind, Description, Fingerprint, FingerprintError, HashFunction,
    LocalParameters, NamedCandidate, Protocol, RemoteAddress, RemoteDtls, RemoteIce, RemoteKeying,
    RemoteParameters, RemotePath, Secret, Setup, TcpType,
};
use path_event::Asked;
use paths::Paths;
use protection::Protection;
pub use routes::Route;
use routes::Routes;
use stats::Traffic;
pub use stats::{Refused, TransportStats};

/// The most sockets a transport takes.
pub const MAX_SOCKETS: usize = 16;
/// Received packets kept while the caller does not drain the output.
const MAX_UNDRAINED: usize = 1024;
/// More than a datagram of media needs on any path.
const MAX_PAYLOAD: usize = 1400;
/// How far away a deadline is when nothing is due.
const IDLE: Duration = Duration::from_secs(3600);

/// One path for media to one peer.
///
/// Give it one input (`set_remote`, `add_candidate`, `end_of_candidates`, `restart_ice`,
/// `handle_datagram`, `handle_link`, `handle_timeout`, `send_rtp`, `send_rtcp`, `close`), then call
/// [`poll_output`](Self::poll_output) until it returns [`Output::Timeout`]. **Never two inputs
/// without a drain.**
#[derive(Debug)]
pub struct Transport {
    role: Role,
    certificate: Certificate,
    rng: StdRng,
    streams: Vec<Stream>,
    routes: Routes,
    paths: Paths,
    ice: Ice,
    /// In the place of ICE, if the peer has none.
    direct: Option<Direct>,
    dtls: Option<Dtls>,
    protection: Option<Protection>,
    /// The last one first.
    parked: Vec<Parked>,
    unjudged: EarlyBuffer,
    undecrypted: EarlyBuffer,
    scratch: Vec<u8>,
    /// Packets are told without their protection as well.
    captures: bool,
    state: State,
    failure: Option<TransportFailure>,
    /// When media of an unknown address may be tried next.
    next_stranger: Instant,
    closed: bool,
    namings: Vec<Naming>,
    out: VecDeque<Output>,
    now: Instant,
    traffic: Traffic,
    refused: Refused,
}

#[derive(Debug)]
struct Stream {
    id: StreamId,
    ssrc: u32,
    seq: u16,
}

impl Stream {
    fn new(OutboundStream { id, ssrc }: OutboundStream, rng: &mut StdRng) -> Self {
        Self {
            id,
            ssrc,
            // RFC 3711 §3.3.1: in the lower half, so that a lost first packet can't put the
            // receiver a rollover behind.
            seq: rng.random_range(0..0x8000),
        }
    }
}

/// Why the peer's parameters can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// The user name fragment or the password is missing, too long or malformed.
    #[error("the peer's ICE credentials are malformed")]
    Credentials,
    /// No fingerprint that we can check.
    #[error("the peer announced no usable fingerprint")]
    NoFingerprint,
    /// None of our addresses reaches the one that the peer names.
    #[error("no address of ours reaches the one that the peer names")]
    Unreachable,
    /// The transport is closed.
    #[error("the transport is closed")]
    Closed,
}

impl Transport {
    /// Makes a transport and starts gathering; `seed` feeds its credentials and timers.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Result<Self, ConfigError> {
        check_sockets(&config.sockets)?;
        let mut rng = StdRng::from_seed(seed);
        let certificate = config.certificate.clone();
        let interval = config
            .check_interval
            .clamp(Duration::from_millis(20), Duration::from_millis(50));
        let provider = certificate.provider().clone();
        let ice_rng = StdRng::from_rng(&mut rng);
        let mut ice = Ice::new(config.role, config.policy, interval, provider, ice_rng, now)
            .map_err(|error| ConfigError::Setup(error.to_string()))?;
        if !config.opens_streams {
            ice.keep_to_datagrams();
        }
        let streams = config
            .streams
            .iter()
            .map(|stream| Stream::new(*stream, &mut rng))
            .collect();
        let asked = Asked {
            sockets: config.sockets,
            servers: config.servers,
            doubted: config.doubted,
            policy: config.policy,
            gathering: config.gathering,
        };
        let paths = Paths::new(&asked, 0, &certificate, &mut rng, now);
        let mut transport = Self {
            role: config.role,
            certificate,
            rng,
            streams,
            routes: Routes::default(),
            paths,
            ice,
            direct: None,
            dtls: None,
            protection: None,
            parked: Vec::new(),
            unjudged: EarlyBuffer::default(),
            undecrypted: EarlyBuffer::default(),
            scratch: Vec::with_capacity(1500),
            captures: false,
            state: State::New,
            failure: None,
            next_stranger: now,
            closed: false,
            namings: Vec::new(),
            out: VecDeque::new(),
            now,
            traffic: Traffic::default(),
            refused: Refused::default(),
        };
        transport.settle();
        Ok(transport)
    }

    // ---- what to signal, and what was signalled ----------------------------------------------

    /// Returns where the transport stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Takes the peer's parameters, from the first description or any later one.
    ///
    /// New ICE credentials restart ICE, a new fingerprint starts a new DTLS association; media
    /// keeps its old path and keys until the new ones work. But an answer with new credentials
    /// to an offer that was no restart is another endpoint's: everything starts over with it. The
    /// same parameters again change nothing.
    pub fn set_remote(
        &mut self,
        remote: RemoteParameters,
        now: Instant,
    ) -> Result<(), RemoteError> {
        self.now = now;
        if self.closed {
            return Err(RemoteError::Closed);
        }
        if let RemoteKeying::Dtls(dtls) = &remote.keying
            && dtls.fingerprints.is_empty()
        {
            return Err(RemoteError::NoFingerprint);
        }
        let sender = match &remote.path {
            RemotePath::Ice(ice) => self.follow_ice_of(ice, remote.description)?,
            RemotePath::Direct(address) => self.follow_address(*address)?,
        };
        self.follow_keying(&remote, sender);
        for (base, from, datagram) in self.unjudged.take() {
            self.receive(base, from, &datagram);
        }
        self.settle();
        Ok(())
    }

    /// Takes a candidate that the peer trickled; one that can't be used is ignored.
    pub fn add_candidate(&mut self, candidate: Candidate, now: Instant) {
        self.now = now;
        self.ice.add_remote(&candidate, now);
        self.settle();
    }

    /// Notes that the peer has no more candidates.
    pub fn end_of_candidates(&mut self, now: Instant) {
        self.now = now;
        self.ice.end_of_candidates();
        self.settle();
    }

    /// Stages new ICE credentials for our next offer; the peer's answer puts them in force.
    ///
    /// Asking again before the answer keeps those that are staged.
    pub fn restart_ice(&mut self, now: Instant) {
        self.now = now;
        if !self.ice.has_staged_restart() {
            self.ice.stage_restart();
        }
    }

    /// Forgets a staged restart, because the offer was refused or rolled back.
    pub fn rollback_restart(&mut self) {
        // Dropped without being put in force.
        let _ = self.ice.take_staged();
    }

    /// Lets go who answered before the peer that is heard now: the answer is final, and nobody else will be heard.
    pub fn release_forks(&mut self) {
        self.parked.clear();
        self.ice.park(Vec::new());
    }

    /// Asks the peer now whether the path is alive, for packets may take another way than before. If it does not answer within
    /// a second, the state is `Interrupted`.
    pub fn check_path(&mut self, now: Instant) {
        self.now = now;
        self.ice.doubt(now);
        self.settle();
    }

    // ---- datagrams and time -----------------------------------------------------------------

    /// Takes a datagram that arrived on a socket.
    pub fn handle_datagram(&mut self, path: PathId, from: SocketAddr, bytes: &[u8], now: Instant) {
        self.now = now;
        if self.closed {
            return;
        }
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        self.traffic.received(bytes.len());
        if let Some(base) = self.paths.handle_datagram(path, from, bytes, now) {
            self.receive(base, from, bytes);
        }
        self.settle();
    }

    /// Takes what happened to a stream that was asked for.
    pub fn handle_link(&mut self, link: LinkId, event: LinkEvent<'_>, now: Instant) {
        self.now = now;
        if self.closed {
            return;
        }
        if let LinkEvent::Octets(octets) = &event {
            self.traffic.received(octets.len());
        }
        self.paths.handle_link(link, event, now);
        self.settle();
    }

    /// Acts on what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if self.closed {
            return;
        }
        self.paths.handle_timeout(now, &mut self.rng);
        self.ice.handle_timeout(now);
        let event = self.dtls.as_mut().and_then(|dtls| dtls.handle_timeout(now));
        self.follow_dtls(event);
        self.settle();
    }

    // ---- sending ----------------------------------------------------------------------------

    /// Protects and queues a media packet; returns the sequence number it got.
    pub fn send_rtp(
        &mut self,
        stream: StreamId,
        packet: RtpOut<'_>,
        now: Instant,
    ) -> Result<u16, SendError> {
        self.now = now;
        let stream = self
            .streams
            .iter_mut()
            .find(|known| known.id == stream)
            .ok_or(SendError::UnknownStream(stream))?;
        let pair = match &self.direct {
            Some(direct) => direct.pair(),
            None => self.ice.media_pair(),
        };
        let (Some(pair), Some(protection), None) = (pair, self.protection.as_mut(), self.failure)
        else {
            return Err(SendError::NotConnected);
        };
        if packet.payload.len() > MAX_PAYLOAD {
            return Err(SendError::Inexpressible);
        }
        let (ssrc, seq) = (stream.ssrc, stream.seq);
        let fields = HeaderFields {
            pt: packet.pt,
            marker: packet.marker,
            seq,
            timestamp: packet.timestamp,
            ssrc,
            extensions: packet.extensions,
        };
        self.scratch.clear();
        let header = packet::write_header(&fields, &mut self.scratch);
        let header = header.ok_or(SendError::Inexpressible)?;
        self.scratch.extend_from_slice(packet.payload);
        let sealed = protection.seal_rtp(&self.scratch, header, ssrc, seq)?;
        capture(self.captures, &mut self.out, true, &self.scratch);
        stream.seq = seq.wrapping_add(1);
        self.paths.send(pair.base, pair.remote, sealed, now);
        self.drain_paths();
        Ok(seq)
    }

    /// Adds a stream that this side sends, unless it has one of that name.
    pub fn add_stream(&mut self, stream: OutboundStream) {
        if self.streams.iter().all(|known| known.id != stream.id) {
            let stream = Stream::new(stream, &mut self.rng);
            self.streams.push(stream);
        }
    }

    /// Says which streams the peer sends, and how they are told apart; without any, all is [`StreamId::AUDIO`].
    pub fn set_routes(&mut self, routes: Vec<Route>) {
        self.routes.set(routes);
    }

    /// Tells each packet without its protection as well, or no longer.
    pub fn set_capture(&mut self, wanted: bool) {
        self.captures = wanted;
    }

    /// Protects and queues a compound RTCP packet given in the clear.
    pub fn send_rtcp(&mut self, compound: &[u8], now: Instant) -> Result<(), SendError> {
        self.now = now;
        let pair = match &self.direct {
            Some(direct) => direct.report_pair(),
            None => self.ice.media_pair(),
        };
        let (Some(pair), Some(protection), None) = (pair, self.protection.as_mut(), self.failure)
        else {
            return Err(SendError::NotConnected);
        };
        let sealed = protection.seal_rtcp(compound)?;
        capture(self.captures, &mut self.out, true, compound);
        self.paths.send(pair.base, pair.remote, sealed, now);
        self.drain_paths();
        Ok(())
    }

    /// Says goodbye to the peer and to TURN servers; drain the output once more after it.
    pub fn close(&mut self, now: Instant) {
        self.now = now;
        if self.closed {
            return;
        }
        if let Some(dtls) = self.dtls.as_mut() {
            dtls.close(now);
        }
        self.drain_dtls();
        self.paths.close(now);
        self.closed = true;
        self.protection = None;
        self.settle();
    }

    // ---- outputs ----------------------------------------------------------------------------

    /// Returns the next thing to do or to know; `Timeout` is the last.
    pub fn poll_output(&mut self) -> Output {
        if let Some(output) = self.out.pop_front() {
            return output;
        }
        let (at, why) = self.next_wake();
        Output::Timeout(at, why)
    }

    fn next_wake(&mut self) -> (Instant, Wake) {
        let idle = (self.now + IDLE, Wake::Idle);
        if self.closed {
            return idle;
        }
        let dtls = self.dtls.as_ref().and_then(Dtls::poll_timeout);
        [
            self.paths.poll_timeout(),
            self.ice.poll_round().map(|at| (at, Wake::Checks)),
            self.ice.poll_consent().map(|at| (at, Wake::Consent)),
            dtls.map(|at| (at, Wake::Handshake)),
        ]
        .into_iter()
        .flatten()
        .fold(
            idle,
            |first, next| if next.0 < first.0 { next } else { first },
        )
    }

    /// Returns how media are protected, once that is known.
    pub fn security(&self) -> Option<Security> {
        self.protection.as_ref().map(|protection| Security {
            keying: protection.keying(),
            cipher: protection.profile(),
        })
    }

    /// Returns the path that media take.
    fn media_pair(&self) -> Option<Pair> {
        match &self.direct {
            Some(direct) => direct.pair(),
            None => self.ice.media_pair(),
        }
    }

    /// Returns the counters so far.
    pub fn stats(&self) -> TransportStats {
        let counters = self.ice.counters;
        let dtls = self.dtls.as_ref();
        let mut refused = self.refused;
        refused.dtls += dtls.map_or(0, |dtls| dtls.refused);
        refused.candidates += counters.refused_candidates;
        TransportStats {
            state: self.state,
            selected: self.selected_path(),
            selected_changes: counters.selected_changes,
            rtt: self.ice.rtt(),
            total_rtt: counters.total_rtt,
            responses_received: counters.responses_received,
            requests_sent: counters.requests_sent,
            requests_received: counters.requests_received,
            responses_sent: counters.responses_sent,
            packets_sent: self.traffic.packets_sent,
            packets_received: self.traffic.packets_received,
            bytes_sent: self.traffic.bytes_sent,
            bytes_received: self.traffic.bytes_received,
            tls_version: dtls.filter(|dtls| dtls.is_established()).map(|_| "FEFD"),
            dtls_cipher: dtls.and_then(Dtls::cipher).map(str::to_owned),
            srtp_cipher: self.protection.as_ref().and_then(Protection::profile),
            dtls_client: dtls.map(Dtls::is_client),
            controlling: self.ice.is_controlling(),
            refused,
        }
    }
}

fn capture(wanted: bool, out: &mut VecDeque<Output>, sent: bool, packet: &[u8]) {
    if wanted && out.len() < MAX_UNDRAINED {
        let bytes = packet.to_vec();
        out.push_back(Output::Captured(Captured { sent, bytes }));
    }
}
