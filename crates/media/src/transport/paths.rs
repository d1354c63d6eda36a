//! The local ends of all paths: sockets, the addresses servers see, relays, and streams to the peer.

mod answers;

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use bytes::BytesMut;
use rand::rngs::StdRng;

use super::asked::AskedServers;
use super::candidates::{priority, reaches};
use super::certificate::Certificate;
use super::config::{
    GatheringCap, LinkId, PathId, Policy, Reach, Server, ServerKind, StreamTarget, Way,
};
use super::doubt::Doubt;
use super::gather::Query;
use super::ice::{BaseId, Pair};
use super::output::{Gathering, LinkEvent, RelayProtocol, ServerFault, Wake, WayNews};
use super::parameters::{Candidate, CandidateKind};
use super::path_event::{Asked, PathEvent};
use super::peer_streams::PeerStreams;
use super::turn::{Relay, Via};

/// Allocations made at most over UDP: they cost the server ports, and one that works is enough.
const MAX_RELAYS: usize = 4;
/// The same over streams.
const MAX_LINKS: usize = 4;
/// Questions asked at most.
const MAX_QUERIES: usize = 32;

/// All local ends.
#[derive(Debug)]
pub(super) struct Paths {
    sockets: Vec<SocketAddr>,
    policy: Policy,
    queries: Vec<Query>,
    relays: Vec<Relay>,
    relayed: Vec<Option<SocketAddr>>,
    streams: PeerStreams,
    asked: AskedServers,
    doubt: Doubt,
    /// The first that no stream has had.
    next_link: u32,
    candidates: Vec<Candidate>,
    reflexive: Vec<SocketAddr>,
    cap: GatheringCap,
    started: Instant,
    first: Option<Instant>,
    gathering: Gathering,
    /// When it is told that doubted servers have given nothing: nobody has waited so long for them.
    verdict: Option<Instant>,
    /// There are other servers, or other credentials, to gather from anew.
    renewed: bool,
    events: VecDeque<PathEvent>,
}

impl Paths {
    pub(super) fn new(
        asked: &Asked,
        next_link: u32,
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
            streams: PeerStreams::default(),
            asked: AskedServers::new(&asked.servers),
            doubt: Doubt::new(asked.doubted.clone()),
            next_link,
            candidates: Vec::new(),
            reflexive: Vec::new(),
            cap: asked.gathering,
            started: now,
            first: None,
            gathering: Gathering::Gathering,
            verdict: None,
            renewed: false,
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

    /// Asks each server by the best of our addresses before any is asked by another: one that works is enough, and some addresses
    /// lead to none of them.
    fn ask_servers(&mut self, asked: &Asked, certificate: &Certificate, now: Instant) {
        for turn in 0..self.sockets.len() {
            for (index, server) in asked.servers.iter().enumerate() {
                match &server.reach {
                    Reach::Datagrams(address) => {
                        if let Some(at) = self.socket_towards(*address, turn) {
                            self.ask_by_socket(at, index, *address, server, certificate, now);
                        }
                    }
                    Reach::Stream(target) if turn == 0 => {
                        self.ask_by_stream(index, target, server, certificate, now);
                    }
                    Reach::Stream(_) => {}
                }
            }
        }
        self.relayed = vec![None; self.relays.len()];
    }

    /// Of the sockets from which that is reached, the best, the second and so on.
    fn socket_towards(&self, address: SocketAddr, turn: usize) -> Option<usize> {
        let reaching = self.sockets.iter().enumerate().filter(|(_, socket)| {
            socket.is_ipv4() == address.is_ipv4() && reaches(**socket, address)
        });
        reaching.map(|(at, _)| at).nth(turn)
    }

    fn ask_by_socket(
        &mut self,
        at: usize,
        index: usize,
        address: SocketAddr,
        server: &Server,
        certificate: &Certificate,
        now: Instant,
    ) {
        let (path, socket) = (path_id(at), self.sockets[at]);
        if self.policy == Policy::All && self.queries.len() < MAX_QUERIES {
            self.queries.push(Query::new(path, address, index, now));
        }
        let ServerKind::Turn { username, password } = &server.kind else {
            return;
        };
        if self.relays.len() < MAX_RELAYS + self.links() {
            let via = Via::Socket(path, address);
            let login = (&**username, password);
            let provider = certificate.provider().clone();
            // It fails without cryptography only; the call goes on without this relay.
            self.relays
                .extend(Relay::new(via, socket, index, login, provider, now));
        } else if !self
            .relays
            .iter()
            .any(|relay| self.asked.are_one(relay.server, index))
        {
            self.asked.note(index, ServerFault::LeftOut);
        }
    }

    fn ask_by_stream(
        &mut self,
        index: usize,
        target: &StreamTarget,
        server: &Server,
        certificate: &Certificate,
        now: Instant,
    ) {
        let ServerKind::Turn { username, password } = &server.kind else {
            return;
        };
        if self.links() >= MAX_LINKS {
            return self.asked.note(index, ServerFault::LeftOut);
        }
        let link = LinkId(self.next_link);
        let login = (&**username, password);
        let provider = certificate.provider().clone();
        let relay = Relay::new(
            Via::Link(link, target.tls),
            UNKNOWN,
            index,
            login,
            provider,
            now,
        );
        if let Ok(relay) = relay {
            self.next_link += 1;
            self.relays.push(relay);
            let connect = PathEvent::Connect(link, target.clone());
            self.events.push_back(connect);
        }
    }

    fn links(&self) -> usize {
        let by_stream = |relay: &&Relay| matches!(relay.via, Via::Link(..));
        self.relays.iter().filter(by_stream).count()
    }

    /// Returns the first link that no stream has had.
    pub(super) fn next_link(&self) -> u32 {
        self.next_link
    }

    /// Takes what happened to a stream.
    pub(super) fn handle_link(&mut self, link: LinkId, event: LinkEvent<'_>, now: Instant) {
        let Self {
            streams, events, ..
        } = self;
        if streams.handle_link(link, &event, |event| events.push_back(event)) {
            return;
        }
        let is_its = |relay: &Relay| matches!(relay.via, Via::Link(known, _) if known == link);
        if let Some(index) = self.relays.iter().position(is_its) {
            self.relays[index].handle_link(event, now);
            self.drain_relay(index, now);
            self.settle(now);
        }
    }

    /// Opens a stream to an address of the peer, if one of ours reaches it: to this machine only if media is there alone.
    pub(super) fn open_stream(&mut self, remote: SocketAddr) {
        let is_near = remote.ip().is_loopback();
        let reaches = |socket: &SocketAddr| {
            socket.is_ipv4() == remote.is_ipv4() && socket.ip().is_loopback() == is_near
        };
        if self.sockets.iter().any(reaches) {
            let link = LinkId(self.next_link);
            self.next_link += 1;
            let connect = self.streams.open(link, remote);
            self.events.push_back(connect);
        }
    }

    /// Closes the streams to the peer that this pair does not take.
    pub(super) fn close_streams_but(&mut self, pair: Option<Pair>) {
        let Self {
            streams, events, ..
        } = self;
        streams.close_but(pair.map(|pair| pair.base), |event| events.push_back(event));
    }

    /// Returns whether what a TURN server gave for this base, or a stream to the peer, is of no more use.
    pub(super) fn is_lost(&self, base: BaseId) -> bool {
        self.relay(base).is_some_and(Relay::is_lost) || self.has_failed(base)
    }

    /// Returns whether it is known to be over.
    pub(super) fn has_failed(&self, base: BaseId) -> bool {
        match PeerStreams::is_stream(base) {
            true => self.streams.is_over(base),
            false => self.relay(base).is_some_and(Relay::is_failed),
        }
    }

    /// Returns how the TURN server behind a base is reached.
    pub(super) fn relay_protocol(&self, base: BaseId) -> Option<RelayProtocol> {
        self.relay(base).map(Relay::protocol)
    }

    fn relay(&self, base: BaseId) -> Option<&Relay> {
        self.relays.get(self.relay_index(base)?)
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

    /// Returns the address of this machine behind a base, if it is known.
    pub(super) fn socket(&self, base: BaseId) -> Option<SocketAddr> {
        if PeerStreams::is_stream(base) {
            return self.streams.local(base);
        }
        match self.relay_index(base) {
            Some(_) => self.relay(base).and_then(Relay::local),
            None => self.sockets.get(usize::from(base.0)).copied(),
        }
    }

    /// Returns the socket behind a base; a stream has none.
    pub(super) fn path(&self, base: BaseId) -> Option<PathId> {
        if self.relay_index(base).is_none() {
            return Some(PathId(base.0));
        }
        match self.relay(base)?.via {
            Via::Socket(path, _) => Some(path),
            Via::Link(..) => None,
        }
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
        if self.gathering == Gathering::Complete {
            return self.verdict;
        }
        let cap = self.capped();
        let is_relayed = self.relays.iter().any(Relay::is_allocated);
        let wants = !self.relays.is_empty() && !is_relayed;
        let hurried = self
            .first
            .zip(self.doubt.patience(self.ways(), wants))
            .map(|(first, patience)| first + patience);
        Some(hurried.map_or(cap, |hurried| hurried.min(cap)))
    }

    /// When gathering ends, whoever has not answered.
    fn capped(&self) -> Instant {
        let total = self.started + self.cap.total;
        self.first
            .map_or(total, |first| total.min(first + self.cap.after_first))
    }

    /// The ways that were tried, and whether something was heard on each.
    fn ways(&self) -> impl Iterator<Item = (Way, bool)> {
        let queries = self.queries.iter().filter_map(|query| {
            let way = self.way(Via::Socket(query.path, query.server), query.asked_server)?;
            Some((way, query.is_settled()))
        });
        let relays = self
            .relays
            .iter()
            .filter_map(|relay| Some((self.way(relay.via, relay.server)?, relay.is_settled())));
        queries.chain(relays)
    }

    fn way(&self, via: Via, asked: usize) -> Option<Way> {
        match via {
            Via::Socket(path, server) => {
                let socket = self.sockets.get(usize::from(path.0))?;
                Some(Way::Datagrams(socket.ip(), server))
            }
            Via::Link(..) => self.asked.target(asked).cloned().map(Way::Stream),
        }
    }

    /// Something came on a way.
    fn hear(&mut self, via: Via, asked: usize) {
        if self.doubt.is_any()
            && let Some(way) = self.way(via, asked)
            && self.doubt.dispel(&way)
        {
            self.events.push_back(PathEvent::Way(way, WayNews::Heard));
        }
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
        if self.gathering == Gathering::Complete && self.verdict.take_if(|_| capped).is_some() {
            self.blame();
        }
        if self.gathering == Gathering::Gathering && (answered || capped) {
            self.gathering = Gathering::Complete;
            self.verdict = Some(self.capped()).filter(|end| *end > now && !answered);
            self.blame();
            let ways = self.ways().collect();
            let silent = self.doubt.note_silence(ways);
            let events = silent
                .into_iter()
                .map(|way| PathEvent::Way(way, WayNews::Silent));
            self.events.extend(events);
            self.events.push_back(PathEvent::Complete);
        }
    }

    /// Tells which servers have given nothing, of those that had their time.
    fn blame(&mut self) {
        let is_early = self.verdict.is_some();
        let served = |index: usize| {
            let (queries, relays) = (self.queries.iter(), self.relays.iter());
            let mut queries = queries.filter(|query| query.asked_server == index);
            let mut relays = relays.filter(|relay| relay.server == index).peekable();
            let is_open = queries.clone().any(|query| !query.is_settled())
                || relays.clone().any(|relay| !relay.is_settled());
            if is_early && is_open {
                return true;
            }
            match relays.peek() {
                Some(_) => relays.any(Relay::is_allocated),
                None => queries.clone().count() == 0 || queries.any(Query::is_answered),
            }
        };
        let faults = self.asked.blame(served);
        let events = faults.map(|(name, fault)| PathEvent::ServerFault(name, fault));
        self.events.extend(events);
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

    /// Sends to the peer from a base.
    pub(super) fn send(&mut self, base: BaseId, to: SocketAddr, bytes: BytesMut, now: Instant) {
        if PeerStreams::is_stream(base) {
            let send = self.streams.send(base, to, &bytes);
            return self.events.extend(send);
        }
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

    /// The base that a candidate of ours is sent from.
    pub(super) fn base_of(&self, candidate: &Candidate) -> Option<BaseId> {
        let socket = |address: SocketAddr| self.sockets.iter().position(|s| *s == address);
        let index = match candidate.kind {
            CandidateKind::Host => socket(candidate.address),
            CandidateKind::ServerReflexive | CandidateKind::PeerReflexive => {
                candidate.related.and_then(socket)
            }
            CandidateKind::Relayed => {
                let mut relayed = self.relayed.iter();
                let index = relayed.position(|relayed| *relayed == Some(candidate.address));
                index.map(|index| self.sockets.len() + index)
            }
        };
        index.map(base_id)
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

    /// Gives back what streams have brought: the sockets are gone already.
    pub(super) fn close_links(&mut self, now: Instant) {
        self.close_streams_but(None);
        for index in 0..self.relays.len() {
            if let Via::Link(..) = self.relays[index].via {
                self.close_relay(index, now);
            }
        }
    }

    fn close_relay(&mut self, index: usize, now: Instant) {
        let relay = &mut self.relays[index];
        let is_open = !relay.is_failed();
        let via = relay.via;
        relay.close(now);
        self.drain_relay(index, now);
        if let (Via::Link(link, _), true) = (via, is_open) {
            self.events.push_back(PathEvent::Disconnect(link));
        }
    }

    /// Gives all allocations back.
    pub(super) fn close(&mut self, now: Instant) {
        self.queries.clear();
        self.close_streams_but(None);
        for index in 0..self.relays.len() {
            self.close_relay(index, now);
        }
        self.gathering = Gathering::Complete;
        self.verdict = None;
    }
}

fn base_id(index: usize) -> BaseId {
    // Sockets and relays are capped far below.
    BaseId(u16::try_from(index).unwrap_or(u16::MAX))
}

fn path_id(index: usize) -> PathId {
    PathId(base_id(index).0)
}

const UNKNOWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
