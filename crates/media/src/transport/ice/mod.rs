//! The ICE agent, and all that must not be left to the ICE crate.
//!
//! The crate forms pairs, checks them and nominates. Ours are: who is let in, roles, the pace,
//! which path carries media, consent, restarts, and when to give up.

mod candidate;
mod credentials;

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};
use rtc_crypto::RTCCryptoProvider;
use rtc_ice::agent::agent_config::AgentConfig;
use rtc_ice::agent::{Agent, Event};
use rtc_ice::mdns::MulticastDnsMode;
use rtc_shared::error::Error;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sansio::Protocol as _;

use self::candidate::{agent_candidate, is_reachable};
pub(super) use self::credentials::Credentials;
use self::credentials::KnownTieBreaker;
use super::config::Role;
use super::consent::{Consent, Due};
use super::output::TransportFailure;
use super::parameters::{Candidate, CandidateKind, Protocol};
use super::stun::{
    self, BINDING, Check, Class, ICE_CONTROLLED, ICE_CONTROLLING, Stun, Transaction, USE_CANDIDATE,
    XOR_MAPPED_ADDRESS,
};

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
/// A relayed pair is nominated only when nothing direct works in this time.
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
    provider: Arc<dyn RTCCryptoProvider>,
    rng: StdRng,
    tie_breaker: u64,
    local: Credentials,
    staged: Option<Credentials>,
    remote: Option<Credentials>,
    remote_candidates: Vec<(SocketAddr, CandidateKind)>,
    bases: Vec<Base>,
    validated: VecDeque<Pair>,
    selected: Option<Pair>,
    /// Nominated by the peer before our own check of it was answered.
    nominated: Option<Pair>,
    previous: Option<Pair>,
    consent: Option<Consent>,
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
            .field("selected", &self.selected)
            .finish_non_exhaustive()
    }
}

impl Ice {
    pub(super) fn new(
        role: Role,
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
            relay_acceptance_min_wait: Some(RELAY_PATIENCE),
            ..AgentConfig::default()
        };
        Ok(Self {
            agent: Agent::new(now, Arc::new(config), Arc::new(known))?,
            provider,
            rng,
            tie_breaker,
            local,
            staged: None,
            remote: None,
            remote_candidates: Vec::new(),
            bases: Vec::new(),
            validated: VecDeque::new(),
            selected: None,
            nominated: None,
            previous: None,
            consent: None,
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
        if let Some(local) = local {
            self.local = local;
        }
        self.staged = None;
        self.agent.generate_restart_credentials(
            self.local.ufrag.clone(),
            self.local.pwd.expose().to_owned(),
        )?;
        self.agent.apply_restart(now, true)?;
        if let Some(selected) = self.selected.take() {
            self.previous = Some(selected);
        }
        self.nominated = None;
        self.remote_candidates.clear();
        self.checks.clear();
        self.queue.clear();
        self.begin(role, remote, now);
        Ok(())
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
        let usable = candidate.protocol == Protocol::Udp
            && candidate.component == 1
            && is_reachable(candidate.address);
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
            // It refuses TCP and mDNS names only, which never come here.
            let _ = self.agent.add_remote_candidate(made);
            self.wake(now);
        }
    }

    fn wake(&mut self, now: Instant) {
        if self.remote.is_some() && self.selected.is_none() {
            self.next_round = Some(now);
        }
    }

    // ---- what the path says -----------------------------------------------------------------

    /// Returns the pair that media takes: the selected one, or the last before a restart.
    pub(super) fn media_pair(&self) -> Option<Pair> {
        self.selected.or(self.previous)
    }

    pub(super) fn selected(&self) -> Option<Pair> {
        self.selected
    }

    pub(super) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.consent.as_ref().is_some_and(Consent::is_interrupted)
    }

    /// Returns where DTLS goes before a pair is selected: back to whoever passed a check.
    pub(super) fn handshake_pair(&self) -> Option<Pair> {
        self.media_pair().or_else(|| self.validated.back().copied())
    }

    /// Returns whether an authentic check or answer ever came this way.
    pub(super) fn is_validated(&self, base: BaseId, from: SocketAddr) -> bool {
        let pair = Pair { base, remote: from };
        self.selected == Some(pair) || self.validated.contains(&pair)
    }

    /// Returns the kind of the peer's address, as it was signalled or learned.
    pub(super) fn remote_kind(&self, address: SocketAddr) -> CandidateKind {
        self.remote_candidates
            .iter()
            .find(|(known, _)| *known == address)
            .map_or(CandidateKind::PeerReflexive, |(_, kind)| *kind)
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

    /// Notes authentic media or DTLS of the peer.
    pub(super) fn heard_media(&mut self, now: Instant) {
        if let Some(consent) = &mut self.consent {
            consent.heard_media(now);
        }
    }

    /// Takes a STUN message that came to a base.
    pub(super) fn handle_stun(
        &mut self,
        base: BaseId,
        from: SocketAddr,
        raw: &[u8],
        now: Instant,
    ) -> Verdict {
        let Some(message) = Stun::parse(raw).filter(|message| message.method == BINDING) else {
            return Verdict::Refused;
        };
        let pair = Pair { base, remote: from };
        if !self.bases.iter().any(|known| known.id == base) {
            return Verdict::Refused;
        }
        match message.class {
            Class::Request => self.handle_request(pair, raw, &message, now),
            Class::Success | Class::Error => self.handle_response(pair, raw, &message, now),
            // RFC 8445 §11: a keep-alive, which says nothing.
            Class::Indication => Verdict::Accepted,
        }
    }

    fn handle_request(
        &mut self,
        pair: Pair,
        raw: &[u8],
        request: &Stun<'_>,
        now: Instant,
    ) -> Verdict {
        let Some((ours, theirs)) = request.fragments() else {
            return Verdict::Refused;
        };
        let Some(remote) = &self.remote else {
            return early_or_refused(ours == self.local().ufrag);
        };
        if ours != self.local.ufrag {
            let staged = self.staged.as_ref();
            return early_or_refused(staged.is_some_and(|staged| staged.ufrag == ours));
        }
        if theirs != remote.ufrag {
            // A peer that restarts may check before its description arrives.
            return early_or_refused(request.fingerprint);
        }
        let crypto = self.provider.crypto();
        if !request.fingerprint || !request.is_authentic(&self.local.pwd, crypto) {
            return Verdict::Refused;
        }
        self.counters.requests_received += 1;
        if self.must_refuse_role(request) {
            self.answer_role_conflict(pair, request.transaction);
            return Verdict::Accepted;
        }
        if !self.has_room_for(pair.remote) {
            return Verdict::TooManyAddresses;
        }
        let nominated = request.attribute(USE_CANDIDATE).is_some();
        self.give_to_agent(pair, raw, now);
        let answered = self.drain_agent(now, Some((pair, request.transaction)));
        self.validate(pair);
        if let Some(consent) = &mut self.consent {
            consent.heard(now);
        }
        if nominated && !self.agent.role() {
            self.follow_nomination(pair, answered, now);
        }
        Verdict::Accepted
    }

    /// RFC 8445 §7.3.1.5: the controlling side decides, and may decide again; the crate never
    /// leaves its first pair, and answers only when its own check succeeded before.
    fn follow_nomination(&mut self, pair: Pair, answered: bool, now: Instant) {
        if answered {
            self.select(pair, now);
        } else {
            self.nominated = Some(pair);
        }
    }

    /// RFC 8445 §7.3.1.1: the larger tie-breaker controls. The crate changes sides correctly, but
    /// answers 487 whichever side it takes; so it only sees what it may accept.
    fn must_refuse_role(&self, request: &Stun<'_>) -> bool {
        if self.agent.role() {
            let theirs = request.tie_breaker(ICE_CONTROLLING);
            theirs.is_some_and(|theirs| self.tie_breaker >= theirs)
        } else {
            let theirs = request.tie_breaker(ICE_CONTROLLED);
            theirs.is_some_and(|theirs| self.tie_breaker <= theirs)
        }
    }

    fn answer_role_conflict(&mut self, pair: Pair, transaction: Transaction) {
        let crypto = self.provider.crypto();
        if let Some(raw) = stun::write_role_conflict(transaction, &self.local.pwd, crypto) {
            self.transmit(pair, BytesMut::from(&raw[..]));
        }
    }

    fn has_room_for(&mut self, remote: SocketAddr) -> bool {
        let known = self.agent.get_remote_candidates();
        let room = known.len() < MAX_REMOTE_CANDIDATES + MAX_PEER_REFLEXIVE
            && known.len() < self.remote_candidates.len() + MAX_PEER_REFLEXIVE
            || known.iter().any(|known| known.addr() == remote);
        self.counters.refused_candidates += u64::from(!room);
        room
    }

    fn handle_response(
        &mut self,
        pair: Pair,
        raw: &[u8],
        response: &Stun<'_>,
        now: Instant,
    ) -> Verdict {
        // RFC 8445 §7.2.5.2.1: an answer from elsewhere than the question went is none.
        let found = self
            .checks
            .iter()
            .position(|sent| sent.transaction == response.transaction && sent.pair == pair);
        let (Some(at), Some(remote)) = (found, &self.remote) else {
            return Verdict::Refused;
        };
        if !response.is_authentic(&remote.pwd, self.provider.crypto()) {
            return Verdict::Refused;
        }
        let Some(sent) = self.checks.remove(at) else {
            return Verdict::Refused;
        };
        if response.class == Class::Error {
            self.handle_error(&sent, response, now);
            return Verdict::Accepted;
        }
        self.counters.responses_received += 1;
        self.validate(pair);
        self.note_mapped(pair.base, response.address(XOR_MAPPED_ADDRESS));
        self.note_answer(&sent, now);
        if !sent.for_consent {
            self.give_to_agent(pair, raw, now);
            self.drain_agent(now, None);
            if self.nominated == Some(pair) && !self.agent.role() {
                self.select(pair, now);
            }
        }
        Verdict::Accepted
    }

    fn handle_error(&mut self, sent: &Sent, response: &Stun<'_>, now: Instant) {
        let conflict = response.error_code() == Some(487);
        if conflict && sent.controlling == self.agent.role() {
            // RFC 8445 §7.2.5.1
            self.agent.set_role(!sent.controlling);
            self.wake(now);
        }
    }

    fn note_answer(&mut self, sent: &Sent, now: Instant) {
        let rtt = now.saturating_duration_since(sent.at);
        self.counters.total_rtt += rtt;
        if self.media_pair() == Some(sent.pair) {
            self.rtt = Some(rtt);
            let jitter = self.jitter();
            if let Some(consent) = &mut self.consent {
                consent.granted(now, jitter);
            }
        } else if self.media_pair().is_none() {
            self.rtt = Some(rtt);
        }
    }

    fn note_mapped(&mut self, base: BaseId, mapped: Option<SocketAddr>) {
        if let Some(base) = self.bases.iter_mut().find(|known| known.id == base) {
            base.mapped = mapped.or(base.mapped);
        }
    }

    fn validate(&mut self, pair: Pair) {
        if !self.validated.contains(&pair) {
            if self.validated.len() >= MAX_VALIDATED {
                self.validated.pop_front();
            }
            self.validated.push_back(pair);
        }
    }

    fn select(&mut self, pair: Pair, now: Instant) {
        if self.selected == Some(pair) {
            return;
        }
        self.selected = Some(pair);
        self.nominated = None;
        self.previous = None;
        self.consent = Some(Consent::new(now, self.jitter()));
        self.checking_since = None;
        self.next_round = None;
        self.queue.clear();
        self.counters.selected_changes += 1;
        self.events.push_back(IceEvent::Selected);
    }

    fn jitter(&mut self) -> f64 {
        self.rng.random_range(0.8..=1.2)
    }

    // ---- the agent --------------------------------------------------------------------------

    fn give_to_agent(&mut self, pair: Pair, raw: &[u8], now: Instant) {
        let Some(base) = self.bases.iter().find(|known| known.id == pair.base) else {
            return;
        };
        let message = TaggedBytesMut {
            now,
            transport: TransportContext {
                local_addr: base.address,
                peer_addr: pair.remote,
                transport_protocol: TransportProtocol::UDP,
                ecn: None,
            },
            message: BytesMut::from(raw),
        };
        // What it refuses after our own checks is nothing that a peer could use.
        let _ = self.agent.handle_read(message);
    }

    /// Takes over what the agent wants sent and selected; returns whether it answered a request.
    fn drain_agent(&mut self, now: Instant, request: Option<(Pair, Transaction)>) -> bool {
        let mut answered = false;
        while let Some(write) = self.agent.poll_write() {
            let pair = self.pair(write.transport.local_addr, write.transport.peer_addr);
            let (Some(pair), Some(message)) = (pair, Stun::parse(&write.message)) else {
                continue;
            };
            let transaction = message.transaction;
            match message.class {
                Class::Request if message.attribute(USE_CANDIDATE).is_some() => {
                    self.send_check(pair, write.message, now);
                }
                Class::Request if request.is_some() => self.send_check(pair, write.message, now),
                Class::Request => self.enqueue(pair, write.message),
                Class::Success => {
                    answered |= request == Some((pair, transaction));
                    self.counters.responses_sent += 1;
                    self.transmit(pair, write.message);
                }
                // Its 487 goes with a change of its own role, and would make the peer change too.
                Class::Error | Class::Indication => {}
            }
        }
        while let Some(event) = self.agent.poll_event() {
            if let Event::SelectedCandidatePairChange(local, remote) = event.event
                && let Some(pair) = self.pair(local.base_addr(), remote.addr())
            {
                self.select(pair, now);
            }
        }
        answered
    }

    fn pair(&self, local: SocketAddr, remote: SocketAddr) -> Option<Pair> {
        let base = self.bases.iter().find(|base| base.address == local)?.id;
        Some(Pair { base, remote })
    }

    fn enqueue(&mut self, pair: Pair, message: BytesMut) {
        match self.queue.iter_mut().find(|(queued, _)| *queued == pair) {
            Some((_, queued)) => *queued = message,
            None => self.queue.push_back((pair, message)),
        }
    }

    fn send_check(&mut self, pair: Pair, message: BytesMut, now: Instant) {
        let Some(request) = Stun::parse(&message) else {
            return;
        };
        let sent = Sent {
            transaction: request.transaction,
            pair,
            at: now,
            controlling: request.attribute(ICE_CONTROLLING).is_some(),
            for_consent: false,
        };
        self.remember(sent);
        self.transmit(pair, message);
    }

    fn remember(&mut self, sent: Sent) {
        if self.checks.len() >= MAX_CHECKS {
            self.checks.pop_front();
        }
        self.checks.push_back(sent);
        self.counters.requests_sent += 1;
    }

    fn transmit(&mut self, pair: Pair, message: BytesMut) {
        self.events.push_back(IceEvent::Transmit(pair, message));
    }

    // ---- time -------------------------------------------------------------------------------

    pub(super) fn poll_event(&mut self) -> Option<IceEvent> {
        self.events.pop_front()
    }

    /// Returns when the next round of checks is due, or the end of checking.
    pub(super) fn poll_round(&self) -> Option<Instant> {
        let limit = self.checking_since.map(|since| since + self.limit);
        self.next_round.map_or(limit, |next| {
            Some(limit.map_or(next, |limit| next.min(limit)))
        })
    }

    /// Returns when consent wants to be looked at.
    pub(super) fn poll_consent(&self) -> Option<Instant> {
        self.selected?;
        self.consent.as_ref().map(Consent::poll_timeout)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self
            .checking_since
            .is_some_and(|since| now >= since + self.limit)
        {
            self.give_up(TransportFailure::Ice);
            return;
        }
        if self.next_round.is_some_and(|next| next <= now) {
            self.run_round(now);
        }
        if self.poll_consent().is_some_and(|due| due <= now) {
            let due = self
                .consent
                .as_mut()
                .and_then(|consent| consent.handle_timeout(now));
            match due {
                Some(Due::Check) => self.check_consent(now),
                Some(Due::Expired) => self.give_up(TransportFailure::Consent),
                None => {}
            }
        }
    }

    fn give_up(&mut self, failure: TransportFailure) {
        self.selected = None;
        self.previous = None;
        self.consent = None;
        self.checking_since = None;
        self.next_round = None;
        self.queue.clear();
        self.events.push_back(IceEvent::Failed(failure));
    }

    fn run_round(&mut self, now: Instant) {
        // It fails in its mDNS part only, which is off.
        let _ = self.agent.handle_timeout(now);
        self.drain_agent(now, None);
        for _ in 0..CHECKS_OF_A_ROUND {
            if let Some((pair, message)) = self.queue.pop_front() {
                self.send_check(pair, message, now);
            }
        }
        if self.selected.is_none() {
            self.next_round = Some(now + self.round_interval(now));
        }
    }

    /// Slows down with time: a peer that has not answered for long is probably not there yet.
    fn round_interval(&self, now: Instant) -> Duration {
        let elapsed = self
            .checking_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        match elapsed.as_secs() {
            0..2 => self.interval,
            2..5 => self.interval * 2,
            _ => self.interval * 4,
        }
    }

    fn check_consent(&mut self, now: Instant) {
        let (Some(pair), Some(remote)) = (self.selected, self.remote.clone()) else {
            return;
        };
        let mut transaction = [0; 12];
        self.rng.fill_bytes(&mut transaction);
        let priority = self
            .bases
            .iter()
            .find(|base| base.id == pair.base)
            .map_or(1, |base| base.priority);
        let check = Check {
            transaction,
            local_ufrag: &self.local.ufrag,
            remote_ufrag: &remote.ufrag,
            remote_pwd: &remote.pwd,
            controlling: self.agent.role(),
            tie_breaker: self.tie_breaker,
            priority,
        };
        if let Some(raw) = stun::write_check(&check, self.provider.crypto()) {
            self.remember(Sent {
                transaction,
                pair,
                at: now,
                controlling: self.agent.role(),
                for_consent: true,
            });
            self.transmit(pair, BytesMut::from(&raw[..]));
        }
    }
}

fn early_or_refused(early: bool) -> Verdict {
    if early {
        Verdict::Early
    } else {
        Verdict::Refused
    }
}

fn checks_within(limit: Duration, interval: Duration) -> u16 {
    let rounds = limit.as_millis() / interval.as_millis().max(1);
    u16::try_from(rounds).unwrap_or(u16::MAX)
}
