//! The local ends of all paths: sockets, the addresses servers see, and relays.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Instant;

use bytes::BytesMut;
use rand::rngs::StdRng;

use super::certificate::Certificate;
use super::config::{GatheringCap, PathId, Policy, Server, ServerKind};
use super::gather::Query;
use super::ice::BaseId;
use super::output::{Gathering, Wake};
use super::parameters::{Candidate, CandidateKind, Protocol};
use super::stun::Stun;
use super::turn::{Relay, RelayEvent};

/// Allocations made at most: they cost the server ports, and one that works is enough.
const MAX_RELAYS: usize = 4;
/// Questions asked at most.
const MAX_QUERIES: usize = 32;

/// What the paths want.
#[derive(Debug)]
pub(super) enum PathEvent {
    /// Send this from a socket.
    Transmit(PathId, SocketAddr, BytesMut),
    /// A local address that checks can be sent from.
    Base(BaseId, SocketAddr, CandidateKind, u32),
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
    pub(super) policy: Policy,
    pub(super) gathering: GatheringCap,
}

/// All local ends.
#[derive(Debug)]
pub(super) struct Paths {
    sockets: Vec<SocketAddr>,
    policy: Policy,
    queries: Vec<Query>,
    relays: Vec<Relay>,
    relayed: Vec<Option<SocketAddr>>,
    candidates: Vec<Candidate>,
    reflexive: Vec<SocketAddr>,
    cap: GatheringCap,
    started: Instant,
    first: Option<Instant>,
    gathering: Gathering,
    events: VecDeque<PathEvent>,
}

impl Paths {
    pub(super) fn new(
        asked: &Asked,
        certificate: &Certificate,
        rng: &mut StdRng,
        now: Instant,
    ) -> Self {
        let mut paths = Self {
            sockets: asked.sockets.clone(),
            policy: asked.policy,
            queries: Vec::new(),
            relays: Vec::new(),
            relayed: Vec::new(),
            candidates: Vec::new(),
            reflexive: Vec::new(),
            cap: asked.gathering,
            started: now,
            first: None,
            gathering: Gathering::Gathering,
            events: VecDeque::new(),
        };
        if paths.policy == Policy::All {
            paths.add_hosts(now);
        }
        paths.ask_servers(asked, certificate, now);
        paths.handle_timeout(now, rng);
        paths
    }

    fn add_hosts(&mut self, now: Instant) {
        for (index, address) in self.sockets.clone().into_iter().enumerate() {
            self.first.get_or_insert(now);
            let id = base_id(index);
            let priority = priority(CandidateKind::Host, index);
            let base = PathEvent::Base(id, address, CandidateKind::Host, priority);
            self.events.push_back(base);
            self.tell(CandidateKind::Host, index, address, address, None);
        }
    }

    fn ask_servers(&mut self, asked: &Asked, certificate: &Certificate, now: Instant) {
        for server in &asked.servers {
            for (index, socket) in asked.sockets.iter().enumerate() {
                if socket.is_ipv4() != server.address.is_ipv4() || !reaches(*socket, server.address)
                {
                    continue;
                }
                let path = path_id(index);
                if self.policy == Policy::All && self.queries.len() < MAX_QUERIES {
                    self.queries.push(Query::new(path, server.address, now));
                }
                if let ServerKind::Turn { username, password } = &server.kind
                    && self.relays.len() < MAX_RELAYS
                {
                    let relay = Relay::allocate(
                        path,
                        *socket,
                        server.address,
                        (username, password),
                        certificate.provider().clone(),
                        now,
                    );
                    // It fails without cryptography only; the call goes on without this relay.
                    self.relays.extend(relay);
                }
            }
        }
        self.relayed = vec![None; self.relays.len()];
    }

    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// Returns the addresses that STUN servers saw.
    pub(super) fn reflexive(&self) -> &[SocketAddr] {
        &self.reflexive
    }

    pub(super) fn gathering(&self) -> Gathering {
        self.gathering
    }

    /// Returns whether there is no candidate and none can come.
    pub(super) fn is_stranded(&self) -> bool {
        self.candidates.is_empty() && self.relays.iter().all(Relay::is_settled)
    }

    pub(super) fn policy(&self) -> Policy {
        self.policy
    }

    /// Returns the addresses of all sockets.
    pub(super) fn sockets(&self) -> &[SocketAddr] {
        &self.sockets
    }

    /// Returns the address of the socket behind a base.
    pub(super) fn socket(&self, base: BaseId) -> Option<SocketAddr> {
        self.sockets.get(usize::from(self.path(base).0)).copied()
    }

    /// Returns the socket behind a base.
    pub(super) fn path(&self, base: BaseId) -> PathId {
        self.relay_index(base)
            .and_then(|index| self.relays.get(index))
            .map_or(PathId(base.0), |relay| relay.path)
    }

    pub(super) fn poll_event(&mut self) -> Option<PathEvent> {
        self.events.pop_front()
    }

    pub(super) fn poll_timeout(&mut self) -> Option<(Instant, Wake)> {
        let queries = self.queries.iter().filter_map(Query::poll_timeout).min();
        let cap = self.deadline();
        let gathering = [queries, cap].into_iter().flatten().min();
        let relays = self.relays.iter_mut().filter_map(Relay::poll_timeout).min();
        [
            gathering.map(|due| (due, Wake::Gathering)),
            relays.map(|due| (due, Wake::Relay)),
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(due, _)| *due)
    }

    fn deadline(&self) -> Option<Instant> {
        let total = self.started + self.cap.total;
        let deadline = self
            .first
            .map_or(total, |first| total.min(first + self.cap.after_first));
        (self.gathering == Gathering::Gathering).then_some(deadline)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant, rng: &mut StdRng) {
        for query in &mut self.queries {
            if let Some(question) = query.handle_timeout(now, rng) {
                let transmit = PathEvent::Transmit(query.path, query.server, question);
                self.events.push_back(transmit);
            }
        }
        for index in 0..self.relays.len() {
            self.relays[index].handle_timeout(now);
            self.drain_relay(index, now);
        }
        self.settle(now);
    }

    /// Ends gathering when everybody answered or the cap is reached. Later answers still count.
    fn settle(&mut self, now: Instant) {
        let answered =
            self.queries.iter().all(Query::is_settled) && self.relays.iter().all(Relay::is_settled);
        let capped = self.deadline().is_some_and(|deadline| deadline <= now);
        if self.gathering == Gathering::Gathering && (answered || capped) {
            self.gathering = Gathering::Complete;
            self.events.push_back(PathEvent::Complete);
        }
    }

    /// Takes a datagram; returns the base it came to when it is for the peer's connection.
    pub(super) fn handle_datagram(
        &mut self,
        path: PathId,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> Option<BaseId> {
        if self.is_from_server(path, from, datagram, now) {
            self.settle(now);
            return None;
        }
        Some(BaseId(path.0))
    }

    fn is_from_server(
        &mut self,
        path: PathId,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> bool {
        let relay = self
            .relays
            .iter()
            .position(|relay| relay.path == path && relay.server == from);
        if let Some(index) = relay
            && self.relays[index].handle_datagram(datagram, now)
        {
            self.drain_relay(index, now);
            return true;
        }
        let asked = self.queries.iter().any(|query| query.server == from);
        let Some(message) = asked.then(|| Stun::parse(datagram)).flatten() else {
            return false;
        };
        let answer = self
            .queries
            .iter_mut()
            .find_map(|query| query.handle_answer(path, from, &message, now));
        if let Some(Some(mapped)) = answer {
            self.add_reflexive(path, mapped, from, now);
        }
        answer.is_some()
    }

    fn add_reflexive(
        &mut self,
        path: PathId,
        mapped: SocketAddr,
        server: SocketAddr,
        now: Instant,
    ) {
        let index = usize::from(path.0);
        let Some(base) = self.sockets.get(index).copied() else {
            return;
        };
        if mapped == base || self.reflexive.contains(&mapped) {
            return;
        }
        self.first.get_or_insert(now);
        self.reflexive.push(mapped);
        let kind = CandidateKind::ServerReflexive;
        self.tell(kind, index, mapped, base, Some(server));
    }

    fn drain_relay(&mut self, index: usize, now: Instant) {
        while let Some(event) = self.relays[index].poll_event() {
            let (path, server) = (self.relays[index].path, self.relays[index].server);
            match event {
                RelayEvent::Transmit(bytes) => {
                    self.events
                        .push_back(PathEvent::Transmit(path, server, bytes));
                }
                RelayEvent::Allocated(relayed) => self.add_relayed(index, relayed, now),
                RelayEvent::Failed => {}
                RelayEvent::Received(peer, bytes) => {
                    let base = base_id(self.sockets.len() + index);
                    let received = PathEvent::Received(base, peer, bytes);
                    self.events.push_back(received);
                }
            }
        }
    }

    fn add_relayed(&mut self, index: usize, relayed: SocketAddr, now: Instant) {
        let (path, server) = (self.relays[index].path, self.relays[index].server);
        self.first.get_or_insert(now);
        self.relayed[index] = Some(relayed);
        let kind = CandidateKind::Relayed;
        let base = base_id(self.sockets.len() + index);
        let priority = priority(kind, index);
        self.events
            .push_back(PathEvent::Base(base, relayed, kind, priority));
        let socket = self.sockets.get(usize::from(path.0)).copied();
        let related = socket.filter(|_| self.policy == Policy::All);
        // RFC 8839 §5.1: an address that must stay hidden is written as the unspecified one.
        let related = related.unwrap_or_else(|| unspecified(relayed));
        self.tell(kind, index, relayed, related, Some(server));
    }

    fn tell(
        &mut self,
        kind: CandidateKind,
        index: usize,
        address: SocketAddr,
        base: SocketAddr,
        server: Option<SocketAddr>,
    ) {
        let candidate = Candidate {
            foundation: foundation(kind, base.ip(), server),
            component: 1,
            protocol: Protocol::Udp,
            priority: priority(kind, index),
            address,
            kind,
            related: (kind != CandidateKind::Host).then_some(base),
        };
        self.candidates.push(candidate.clone());
        self.events.push_back(PathEvent::Candidate(candidate));
    }

    /// Sends to the peer from a base.
    pub(super) fn send(&mut self, base: BaseId, to: SocketAddr, bytes: BytesMut, now: Instant) {
        match self.relay_index(base) {
            Some(index) if index < self.relays.len() => {
                self.relays[index].send(to, bytes, now);
                self.drain_relay(index, now);
            }
            Some(_) => {}
            None => self
                .events
                .push_back(PathEvent::Transmit(PathId(base.0), to, bytes)),
        }
    }

    fn relay_index(&self, base: BaseId) -> Option<usize> {
        usize::from(base.0).checked_sub(self.sockets.len())
    }

    /// Stops keeping NAT mappings alive: the selected path does that by itself.
    pub(super) fn stop_keeping_alive(&mut self) {
        if self.gathering == Gathering::Complete {
            self.queries.iter_mut().for_each(Query::stop);
        }
    }

    /// Gives all allocations back.
    pub(super) fn close(&mut self, now: Instant) {
        self.queries.clear();
        for index in 0..self.relays.len() {
            self.relays[index].close(now);
            self.drain_relay(index, now);
        }
        self.gathering = Gathering::Complete;
    }
}

fn base_id(index: usize) -> BaseId {
    // Sockets and relays are capped far below.
    BaseId(u16::try_from(index).unwrap_or(u16::MAX))
}

fn path_id(index: usize) -> PathId {
    PathId(base_id(index).0)
}

/// Returns whether a server can be reached from a socket: from loopback only loopback can.
fn reaches(socket: SocketAddr, server: SocketAddr) -> bool {
    !socket.ip().is_loopback() || server.ip().is_loopback()
}

/// RFC 8445 §5.1.2.1, with a local preference that falls with the caller's order.
fn priority(kind: CandidateKind, index: usize) -> u32 {
    let local = 65_535 - u32::try_from(index).unwrap_or(65_535).min(65_535);
    kind.preference() << 24 | local << 8 | 255
}

/// RFC 8445 §5.1.1.3: the same for the same kind, base address and server.
fn foundation(kind: CandidateKind, base: IpAddr, server: Option<SocketAddr>) -> String {
    hash(&format!(
        "{kind:?} {base} {:?}",
        server.map(|server| server.ip())
    ))
}

/// The same candidate as it is announced with other credentials: some peers take a restart whose
/// candidates read as before for none, and go on with the session that they have.
pub(super) fn announced(candidate: &Candidate, ufrag: &str) -> Candidate {
    Candidate {
        foundation: hash(&format!("{} {ufrag}", candidate.foundation)),
        ..candidate.clone()
    }
}

fn hash(text: &str) -> String {
    let hash = text.bytes().fold(0x811C_9DC5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash.to_string()
}

fn unspecified(like: SocketAddr) -> SocketAddr {
    let ip = match like.ip() {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    SocketAddr::new(ip, 0)
}
