//! The ICE agent, and all that must not be left to the ICE crate.
//!
//! The crate forms pairs, checks them and nominates. Ours are: who is let in, roles, the pace,
//! which path carries media, consent, restarts, and when to give up.

mod candidate;
mod credentials;
mod exchange;
mod path;
mod rival;
mod rounds;
mod streams;

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rand::Rng as _;
use rand::rngs::StdRng;
use rtc_crypto::RTCCryptoProvider;
use rtc_ice::agent::Agent;
use rtc_ice::agent::agent_config::AgentConfig;
use rtc_ice::mdns::MulticastDnsMode;
use rtc_shared::error::Error;

use self::candidate::agent_candidate;
pub(crate) use self::candidate::is_reachable;
pub(super) use self::credentials::Credentials;
use self::credentials::KnownTieBreaker;
use self::path::Path;
use self::streams::Passive;
use super::config::{Policy, Role};
use super::output::TransportFailure;
use super::parameters::{Candidate, CandidateKind, Protocol, TcpType};
use super::stun::Transaction;

/// The most candidates taken from a peer's descriptions and trickle.
const MAX_REMOTE_CANDIDATES: usize = 32;
/// The most addresses learned from a peer's checks.
const MAX_PEER_REFLEXIVE: usize = 16;
/// Addresses that may send DTLS and media: more than a peer has, generations included.
const MAX_VALIDATED: usize = 32;
/// Checks that may be under way; older ones are forgotten.
const MAX_CHECKS: usize = 512;
/// Checks sent in one round; the others wait for the next, so that many pairs are no flood.
const CHECKS_OF_A_ROUND: usize = 10;
/// RFC 8445 wants no fixed limit; a callee may have to accept a permission dialogue first.
const CHECKING_LIMIT: Duration = Duration::from_secs(30);
/// The same, once the peer has told all its candidates.
const COMPLETE_CHECKING_LIMIT: Duration = Duration::from_secs(15);
/// A relayed pair is nominated only when nothing direct works in this time, if that may be used.
const RELAY_PATIENCE: Duration = Duration::from_millis(500);

/// Names a local transport address: a socket's, or a relayed one behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct BaseId(pub(super) u16);

/// A local base and the peer's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) base: BaseId,
    pub(super) remote: SocketAddr,
}

/// What ICE wants.
#[derive(Debug)]
pub(super) enum IceEvent {
    /// Send this from a base.
    Transmit(Pair, BytesMut),
    /// Open a stream to an address of the peer.
    Connect(SocketAddr),
    /// Media now takes this pair.
    Selected,
    Failed(TransportFailure),
}

/// What a STUN message was to the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted,
    /// It is for credentials whose peer is not known yet: keep it.
    Early,
    Refused,
    /// The cap on peer-reflexive addresses is reached.
    TooManyAddresses,
}

#[derive(Clone, Copy, Debug)]
struct Base {
    id: BaseId,
    address: SocketAddr,
    /// What the agent knows it as.
    told: SocketAddr,
    /// The only address that a stream reaches, and what the agent knows that as.
    stream: Option<(SocketAddr, SocketAddr)>,
    kind: CandidateKind,
    priority: u32,
    /// Our address as the peer sees it, from its answers.
    mapped: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    transaction: Transaction,
    pair: Pair,
    at: Instant,
    controlling: bool,
    for_consent: bool,
    /// Under whose credentials it went.
    generation: u32,
}

/// Counters of checks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IceCounters {
    pub(super) requests_sent: u64,
    pub(super) responses_received: u64,
    pub(super) requests_received: u64,
    pub(super) responses_sent: u64,
    pub(super) selected_changes: u32,
    pub(super) total_rtt: Duration,
    pub(super) refused_candidates: u64,
}

/// One ICE agent over the life of a call.
pub(super) struct Ice {
    agent: Agent,
    policy: Policy,
    provider: Arc<dyn RTCCryptoProvider>,
    rng: StdRng,
    tie_breaker: u64,
    local: Credentials,
    staged: Option<Credentials>,
    remote: Option<Credentials>,
    /// The fragments of forks that are not heard now, but may answer at last.
    parked: Vec<String>,
    remote_candidates: Vec<(SocketAddr, CandidateKind)>,
    /// The peer's addresses that take streams.
    passive: Vec<Passive>,
    /// Whether such are taken note of.
    opens_streams: bool,
    streams_opened: usize,
    bases: Vec<Base>,
    validated: VecDeque<Pair>,
    /// Counts the restarts: the credentials here, the agent's checks and its candidates are of the last.
    generation: u32,
    path: Option<Path>,
    /// Nominated by the peer before our own check of it was answered.
    nominated: Option<Pair>,
    rtt: Option<Duration>,
    checks: VecDeque<Sent>,
    queue: VecDeque<(Pair, BytesMut)>,
    events: VecDeque<IceEvent>,
    interval: Duration,
    checking_since: Option<Instant>,
    limit: Duration,
    next_round: Option<Instant>,
    pub(super) counters: IceCounters,
}

impl fmt::Debug for Ice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Ice")
            .field("local", &self.local)
            .field("remote", &self.remote)
            .field("controlling", &self.agent.role())
            .field("path", &self.media_pair())
            .finish_non_exhaustive()
    }
}

impl Ice {
    pub(super) fn new(
        role: Role,
        policy: Policy,
        interval: Duration,
        provider: Arc<dyn RTCCryptoProvider>,
        mut rng: StdRng,
        now: Instant,
    ) -> Result<Self, Error> {
        let local = Credentials::random(&mut rng);
        let tie_breaker = rng.next_u64();
        let known = KnownTieBreaker::new(provider.clone(), tie_breaker);
        let config = AgentConfig {
            local_ufrag: local.ufrag.clone(),
            local_pwd: local.pwd.expose().to_owned(),
            multicast_dns_mode: MulticastDnsMode::Disabled,
            is_controlling: role == Role::Controlling,
            check_interval: interval,
            // The crate counts checks, not time, and gives a pair up after seven.
            max_binding_requests: Some(checks_within(CHECKING_LIMIT, interval)),
            // Its liveness counts any traffic, and its failure deletes every candidate.
            disconnected_timeout: Some(Duration::ZERO),
            failed_timeout: Some(Duration::ZERO),
            keepalive_interval: Some(Duration::ZERO),
            host_acceptance_min_wait: Some(Duration::ZERO),
            srflx_acceptance_min_wait: Some(Duration::ZERO),
            prflx_acceptance_min_wait: Some(Duration::ZERO),
            relay_acceptance_min_wait: Some(match policy {
                Policy::All => RELAY_PATIENCE,
                Policy::Relay => Duration::ZERO,
            }),
            ..AgentConfig::default()
        };
        Ok(Self {
            agent: Agent::new(now, Arc::new(config), Arc::new(known))?,
            policy,
            provider,
            rng,
            tie_breaker,
            local,
            staged: None,
            remote: None,
            parked: Vec::new(),
            remote_candidates: Vec::new(),
            passive: Vec::new(),
            opens_streams: true,
            streams_opened: 0,
            bases: Vec::new(),
            validated: VecDeque::new(),
            generation: 0,
            path: None,
            nominated: None,
            rtt: None,
            checks: VecDeque::new(),
            queue: VecDeque::new(),
            events: VecDeque::new(),
            interval,
            checking_since: None,
            limit: CHECKING_LIMIT,
            next_round: None,
            counters: IceCounters::default(),
        })
    }

    // ---- what signalling says ---------------------------------------------------------------

    /// Returns the credentials to announce.
    pub(super) fn local(&self) -> &Credentials {
        self.staged.as_ref().unwrap_or(&self.local)
    }

    pub(super) fn remote(&self) -> Option<&Credentials> {
        self.remote.as_ref()
    }

    pub(super) fn has_staged_restart(&self) -> bool {
        self.staged.is_some()
    }

    pub(super) fn is_controlling(&self) -> bool {
        self.agent.role()
    }

    /// Takes credentials that were announced before, while there is no peer.
    pub(super) fn announce(&mut self, credentials: Credentials, now: Instant) {
        let (ufrag, pwd) = (credentials.ufrag.clone(), credentials.pwd.expose());
        let made = self
            .agent
            .generate_restart_credentials(ufrag, pwd.to_owned());
        let taken = made.and_then(|()| self.agent.apply_restart(now, true));
        // It fails on credentials that are too short, and ours are not.
        if taken.is_ok() {
            self.local = credentials;
        }
    }

    /// Draws the credentials of our next offer; the session goes on under the old ones.
    pub(super) fn stage_restart(&mut self) {
        self.staged = Some(Credentials::random(&mut self.rng));
    }

    /// Takes the staged credentials away, to put them in force or to forget them.
    pub(super) fn take_staged(&mut self) -> Option<Credentials> {
        self.staged.take()
    }

    /// Waits less long from now on: nothing more can come that would help.
    pub(super) fn end_of_candidates(&mut self) {
        self.limit = COMPLETE_CHECKING_LIMIT;
    }

    /// Adds a local address that checks are sent from. Reflexive candidates are not bases: their
    /// pairs would repeat those of the socket (RFC 8445 §6.1.2.4).
    pub(super) fn add_base(
        &mut self,
        id: BaseId,
        address: SocketAddr,
        kind: CandidateKind,
        priority: u32,
        now: Instant,
    ) {
        let candidate = agent_candidate(kind, address, priority);
        let added = candidate.and_then(|candidate| self.agent.add_local_candidate(candidate));
        if added == Ok(true) {
            self.bases.push(Base {
                id,
                address,
                told: address,
                stream: None,
                kind,
                priority,
                mapped: None,
            });
            self.wake(now);
        }
    }

    /// Starts checks against a peer for the first time.
    pub(super) fn start(&mut self, role: Role, remote: Credentials, now: Instant) {
        self.begin(role, remote, now);
    }

    /// Starts over with new credentials; media keeps the old path until a new one is selected.
    pub(super) fn restart(
        &mut self,
        role: Role,
        local: Option<Credentials>,
        remote: Credentials,
        now: Instant,
    ) -> Result<(), Error> {
        self.begin_generation();
        if let Some(local) = local {
            self.local = local;
        }
        self.staged = None;
        self.agent.generate_restart_credentials(
            self.local.ufrag.clone(),
            self.local.pwd.expose().to_owned(),
        )?;
        self.agent.apply_restart(now, true)?;
        self.nominated = None;
        self.remote_candidates.clear();
        self.drop_streams();
        self.queue.clear();
        self.begin(role, remote, now);
        Ok(())
    }

    /// Forgets every path to the peer that was: another one takes its place.
    pub(super) fn forget_paths(&mut self) {
        self.path = None;
        self.rtt = None;
        self.validated.clear();
    }

    /// Keeps the consent of these forks, whose credentials came with our own before: they fall silent for good without it. That
    /// of all others ends (RFC 7675 §5.1).
    pub(super) fn park(&mut self, ufrags: Vec<String>) {
        self.parked = ufrags;
    }

    /// Draws the credentials that answer a peer's restart.
    pub(super) fn fresh_credentials(&mut self) -> Credentials {
        Credentials::random(&mut self.rng)
    }

    fn begin(&mut self, role: Role, remote: Credentials, now: Instant) {
        // It fails on empty credentials only, and those were refused before.
        let _ = self.agent.start_connectivity_checks(
            now,
            role == Role::Controlling,
            remote.ufrag.clone(),
            remote.pwd.expose().to_owned(),
        );
        self.remote = Some(remote);
        self.checking_since = Some(now);
        self.limit = CHECKING_LIMIT;
        self.wake(now);
    }

    /// Takes a candidate of the peer. Those that nobody could use are passed over.
    pub(super) fn add_remote(&mut self, candidate: &Candidate, now: Instant) {
        let usable = candidate.component == 1 && is_reachable(candidate.address);
        match candidate.protocol {
            Protocol::Udp => {}
            Protocol::Tcp(TcpType::Passive) if usable => return self.add_passive(candidate),
            Protocol::Tcp(TcpType::Active | TcpType::Passive) => return,
        }
        let known = self
            .remote_candidates
            .iter()
            .any(|(address, _)| *address == candidate.address);
        if !usable || known {
            return;
        }
        if self.remote_candidates.len() >= MAX_REMOTE_CANDIDATES {
            self.counters.refused_candidates += 1;
            return;
        }
        self.remote_candidates
            .push((candidate.address, candidate.kind));
        let learned = self
            .agent
            .get_remote_candidates()
            .iter()
            .any(|known| known.addr() == candidate.address);
        let made = agent_candidate(candidate.kind, candidate.address, candidate.priority);
        if let (false, Ok(made)) = (learned, made) {
            // It refuses mDNS names only, which never come here.
            let _ = self.agent.add_remote_candidate(made);
            self.wake(now);
        }
    }

    fn wake(&mut self, now: Instant) {
        if self.checking_since.is_some() {
            self.next_round = Some(now);
        }
    }

    // ---- what the path says -----------------------------------------------------------------

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    pub(super) fn is_interrupted(&self) -> bool {
        let path = self.path.as_ref();
        path.is_some_and(|path| path.consent.is_interrupted())
    }

    /// Returns where DTLS goes before a pair is selected: back to whoever passed a check.
    pub(super) fn handshake_pair(&self) -> Option<Pair> {
        self.media_pair().or_else(|| self.validated.back().copied())
    }

    /// Returns whether an authentic check or answer ever came this way.
    pub(super) fn is_validated(&self, base: BaseId, from: SocketAddr) -> bool {
        let pair = Pair { base, remote: from };
        self.media_pair() == Some(pair) || self.validated.contains(&pair)
    }

    /// Returns the kind of the peer's address, as it was signalled or learned.
    pub(super) fn remote_kind(&self, address: SocketAddr) -> CandidateKind {
        let passive = self.passive.iter().map(|one| (one.address(), one.kind));
        self.remote_candidates
            .iter()
            .copied()
            .chain(passive)
            .find(|(known, _)| *known == address)
            .map_or(CandidateKind::PeerReflexive, |(_, kind)| kind)
    }

    /// Returns our address and its kind on a base, as the peer sees it.
    pub(super) fn local_address(
        &self,
        base: BaseId,
        reflexive: &[SocketAddr],
    ) -> Option<(SocketAddr, CandidateKind)> {
        let base = self.bases.iter().find(|known| known.id == base)?;
        let seen = base
            .mapped
            .filter(|mapped| base.kind == CandidateKind::Host && *mapped != base.address);
        Some(match seen {
            Some(mapped) if reflexive.contains(&mapped) => {
                (base.address, CandidateKind::ServerReflexive)
            }
            Some(_) => (base.address, CandidateKind::PeerReflexive),
            None => (base.address, base.kind),
        })
    }
}

fn checks_within(limit: Duration, interval: Duration) -> u16 {
    let rounds = limit.as_millis() / interval.as_millis().max(1);
    u16::try_from(rounds).unwrap_or(u16::MAX)
}
