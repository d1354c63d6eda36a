//! Two transports, the datagrams between them, and a clock that only the test moves.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use media::transport::{
    Candidate, Certificate, Config, Description, LinkEvent, LinkId, LocalParameters, Output,
    PathId, RemoteDtls, RemoteIce, RemoteKeying, RemoteParameters, RemotePath, Role, Rtp, RtpOut,
    SelectedPath, ServerFault, State, StreamId, StreamTarget, Transport, Way, WayNews,
};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::turn_server::TurnServer;

pub(crate) const ALICE: usize = 0;
pub(crate) const BOB: usize = 1;

#[expect(clippy::disallowed_methods, reason = "an origin for virtual time")]
pub(crate) fn origin() -> Instant {
    Instant::now()
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// How the network treats datagrams.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) delay: (u64, u64),
    pub(crate) loss: f64,
    pub(crate) duplication: f64,
    /// How often a bent copy of a DTLS datagram runs ahead of it.
    pub(crate) corruption: f64,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            delay: (10, 10),
            loss: 0.0,
            duplication: 0.0,
            corruption: 0.0,
        }
    }
}

/// A NAT in front of one inside address.
#[derive(Debug)]
pub(crate) struct Nat {
    pub(crate) inside: IpAddr,
    pub(crate) outside: IpAddr,
    /// Whether each destination sees another port.
    pub(crate) symmetric: bool,
    /// The first port of its mappings.
    first: u16,
    mappings: BTreeMap<(SocketAddr, Option<SocketAddr>), SocketAddr>,
    permitted: BTreeSet<(SocketAddr, IpAddr)>,
}

impl Nat {
    pub(crate) fn new(inside: &str, outside: &str, symmetric: bool) -> Self {
        Self {
            inside: inside.parse().unwrap(),
            outside: outside.parse().unwrap(),
            symmetric,
            first: 20_000,
            mappings: BTreeMap::new(),
            permitted: BTreeSet::new(),
        }
    }

    /// Loses its bindings: what goes out next gets other ports.
    pub(crate) fn forget(&mut self) {
        self.first += 1_000;
        self.mappings.clear();
        self.permitted.clear();
    }

    /// Loses its bindings, and gives the ports again that it gave before the last time.
    pub(crate) fn give_back(&mut self) {
        self.forget();
        self.first -= 2_000;
    }

    fn outward(&mut self, from: SocketAddr, to: SocketAddr) -> SocketAddr {
        let port = self.first + u16::try_from(self.mappings.len()).unwrap();
        let key = (from, self.symmetric.then_some(to));
        let fresh = SocketAddr::new(self.outside, port);
        let mapped = *self.mappings.entry(key).or_insert(fresh);
        self.permitted.insert((mapped, to.ip()));
        mapped
    }

    fn inward(&self, from: SocketAddr, to: SocketAddr) -> Option<SocketAddr> {
        let ((inside, _), _) = self.mappings.iter().find(|(_, mapped)| **mapped == to)?;
        self.permitted.contains(&(to, from.ip())).then_some(*inside)
    }
}

pub(crate) struct Datagram {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Vec<u8>,
}

/// One transport and all it said.
pub(crate) struct Peer {
    pub(crate) transport: Transport,
    pub(crate) sockets: Vec<SocketAddr>,
    pub(crate) states: Vec<(Duration, State)>,
    pub(crate) received: Vec<Rtp>,
    pub(crate) reports: Vec<Vec<u8>>,
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) gathered_at: Option<Duration>,
    pub(crate) selected: Vec<SelectedPath>,
    pub(crate) wakes: u32,
    /// The streams that are up: our end, and the server's.
    pub(crate) links: BTreeMap<LinkId, (SocketAddr, SocketAddr)>,
    /// The streams that were asked for, open or not.
    pub(crate) wanted: Vec<StreamTarget>,
    pub(crate) faults: Vec<(Duration, String, ServerFault)>,
    /// Names whose addresses are wanted.
    pub(crate) asked: Vec<String>,
    pub(crate) ways: Vec<(Duration, Way, WayNews)>,
    deadline: Option<Instant>,
}

/// Who answers in an addressee's place.
pub(crate) type Script = dyn FnMut(&Datagram) -> Option<Vec<u8>>;

/// The network with everybody in it.
pub(crate) struct Net {
    pub(crate) origin: Instant,
    pub(crate) now: Instant,
    pub(crate) peers: Vec<Peer>,
    pub(crate) weather: Weather,
    pub(crate) nats: Vec<Nat>,
    pub(crate) servers: Vec<TurnServer>,
    /// Datagrams that this says `true` to vanish.
    pub(crate) blocked: Box<dyn FnMut(&Datagram) -> bool>,
    /// What an addressee of the test's own making answers; the datagram reaches nobody else then.
    pub(crate) script: Box<Script>,
    /// Where the streams to a name lead; others are never opened, nor refused.
    pub(crate) names: BTreeMap<String, Option<SocketAddr>>,
    /// Where a peer takes streams, and the socket of its transport, which knows only datagrams.
    pub(crate) takes_streams: Option<(SocketAddr, SocketAddr)>,
    /// How many octets of a stream are read at once.
    pub(crate) piece: usize,
    opening: Vec<(Instant, usize, LinkId, Option<SocketAddr>)>,
    /// Everything sent, when wanted.
    pub(crate) tape: Option<Vec<(Duration, Datagram)>>,
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    flying: BTreeMap<u64, Datagram>,
    count: u64,
    rng: StdRng,
}

impl Net {
    pub(crate) fn new(seed: u64) -> Self {
        let origin = origin();
        Self {
            origin,
            now: origin,
            peers: Vec::new(),
            weather: Weather::default(),
            nats: Vec::new(),
            servers: Vec::new(),
            blocked: Box::new(|_| false),
            script: Box::new(|_| None),
            names: BTreeMap::new(),
            takes_streams: None,
            piece: 2048,
            opening: Vec::new(),
            tape: None,
            queue: BinaryHeap::new(),
            flying: BTreeMap::new(),
            count: 0,
            rng: StdRng::seed_from_u64(seed),
        }
    }

    /// Makes two peers with a socket each: Alice offers, Bob answers.
    pub(crate) fn pair(seed: u64) -> Self {
        let mut net = Self::new(seed);
        net.add(config("10.0.0.1:1000", Role::Controlling));
        net.add(config("10.0.0.2:2000", Role::Controlled));
        net
    }

    pub(crate) fn add(&mut self, config: Config) -> usize {
        let sockets = config.sockets.clone();
        let seed = [u8::try_from(self.peers.len()).unwrap() + 1; 32];
        let transport = Transport::new(config, seed, self.now).unwrap();
        self.peers.push(Peer {
            transport,
            sockets,
            states: Vec::new(),
            received: Vec::new(),
            reports: Vec::new(),
            candidates: Vec::new(),
            gathered_at: None,
            selected: Vec::new(),
            wakes: 0,
            links: BTreeMap::new(),
            wanted: Vec::new(),
            faults: Vec::new(),
            ways: Vec::new(),
            asked: Vec::new(),
            deadline: None,
        });
        let index = self.peers.len() - 1;
        self.drain(index);
        index
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now - self.origin
    }

    /// Gives one peer an input and drains it.
    pub(crate) fn with<T>(
        &mut self,
        peer: usize,
        input: impl FnOnce(&mut Transport, Instant) -> T,
    ) -> T {
        let now = self.now;
        let result = input(&mut self.peers[peer].transport, now);
        self.drain(peer);
        result
    }

    /// Carries `from`'s description to `to`.
    pub(crate) fn describe(&mut self, from: usize, to: usize, description: Description) {
        let remote = remote(&self.peers[from].transport.local(), description);
        self.with(to, |transport, now| transport.set_remote(remote, now))
            .unwrap();
    }

    /// Does offer and answer, and waits for both ends to be connected.
    pub(crate) fn connect(&mut self) {
        self.describe(ALICE, BOB, Description::Offer);
        self.describe(BOB, ALICE, Description::Answer);
        self.until(ms(20_000), |net| net.all(State::Connected));
    }

    pub(crate) fn all(&self, state: State) -> bool {
        self.peers
            .iter()
            .all(|peer| peer.transport.state() == state)
    }

    pub(crate) fn drain(&mut self, index: usize) {
        loop {
            let peer = &mut self.peers[index];
            let at = self.now - self.origin;
            match peer.transport.poll_output() {
                Output::Transmit(transmit) => {
                    let from = peer.sockets[usize::from(transmit.path.0)];
                    let bytes = transmit.bytes.to_vec();
                    self.send(from, transmit.to, bytes);
                }
                Output::Rtp(rtp) => peer.received.push(rtp),
                Output::Rtcp(report) => peer.reports.push(report.to_vec()),
                Output::State(state) => peer.states.push((at, state)),
                Output::LocalCandidate(candidate) => peer.candidates.push(candidate),
                // Nobody asks for it.
                Output::Captured(_) => {}
                Output::EndOfCandidates => peer.gathered_at = Some(at),
                Output::SelectedPath(path) => peer.selected.push(path),
                Output::Resolve(name) => peer.asked.push(name),
                Output::Way(way, news) => peer.ways.push((at, way, news)),
                Output::ServerFault(name, fault) => peer.faults.push((at, name, fault)),
                Output::Connect(link, target) => {
                    peer.wanted.push(target.clone());
                    if let Some(server) = self.names.get(&target.host) {
                        let at = self.now + 2 * ms(self.weather.delay.0);
                        self.opening.push((at, index, link, *server));
                    }
                }
                Output::Send(link, octets) => {
                    let (ours, server) = peer.links[&link];
                    self.note(ours, server, &octets);
                    let delay = ms(self.weather.delay.0);
                    if let Some(socket) = self.behind(server) {
                        let (length, packet) = octets.split_first_chunk().unwrap();
                        assert_eq!(usize::from(u16::from_be_bytes(*length)), packet.len());
                        self.fly(delay, ours, socket, packet.to_vec());
                    } else {
                        assert_eq!(octets.len() % 4, 0, "a message on a stream is padded");
                        self.fly(delay, ours, server, octets.to_vec());
                    }
                }
                Output::Disconnect(link) => {
                    peer.links.remove(&link);
                }
                Output::Timeout(deadline, _) => {
                    peer.deadline = Some(deadline);
                    return;
                }
            }
        }
    }

    pub(crate) fn send(&mut self, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        if self.link_at(to).is_some() {
            return self.fly(ms(self.weather.delay.0), from, to, bytes);
        }
        self.note(from, to, &bytes);
        let mut datagram = Datagram { from, to, bytes };
        if (self.blocked)(&datagram) {
            return;
        }
        if let Some(answer) = (self.script)(&datagram) {
            return self.fly(ms(2 * self.weather.delay.0), to, from, answer);
        }
        // An address behind a NAT can't be reached from elsewhere.
        let home = |ip: IpAddr| self.nats.iter().position(|nat| nat.inside == ip);
        if home(to.ip()).is_some() && home(to.ip()) != home(from.ip()) {
            return;
        }
        if let Some(nat) = self.nats.iter_mut().find(|nat| nat.inside == from.ip()) {
            datagram.from = nat.outward(from, to);
        }
        let is_dtls = (20..=63).contains(&datagram.bytes[0]);
        if is_dtls && self.rng.random_bool(self.weather.corruption) {
            let mut bytes = datagram.bytes.clone();
            let at = self.rng.random_range(0..bytes.len());
            bytes[at] ^= 1 << self.rng.random_range(0..8);
            self.fly(ms(1), datagram.from, to, bytes);
        }
        let copies = 1 + u32::from(self.rng.random_bool(self.weather.duplication));
        for _ in 0..copies {
            if self.rng.random_bool(self.weather.loss) {
                continue;
            }
            let (least, most) = self.weather.delay;
            let delay = ms(self.rng.random_range(least..=most));
            self.fly(delay, datagram.from, to, datagram.bytes.clone());
        }
    }

    fn note(&mut self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let at = self.now - self.origin;
        if let Some(tape) = &mut self.tape {
            let bytes = bytes.to_vec();
            tape.push((at, Datagram { from, to, bytes }));
        }
    }

    /// The stream that ends at this address of ours.
    fn link_at(&self, ours: SocketAddr) -> Option<(usize, LinkId)> {
        self.peers.iter().enumerate().find_map(|(index, peer)| {
            let mut links = peer.links.iter();
            let found = links.find(|(_, (local, _))| *local == ours);
            found.map(|(link, _)| (index, *link))
        })
    }

    /// Gives a stream of somebody what came, as it is cut by the network.
    fn deliver_octets(&mut self, (peer, link): (usize, LinkId), message: &[u8]) {
        let mut octets = message.to_vec();
        if self.behind(self.peers[peer].links[&link].1).is_some() {
            let length = u16::try_from(message.len()).unwrap();
            octets.splice(..0, length.to_be_bytes());
        } else {
            octets.resize(octets.len().next_multiple_of(4), 0);
        }
        for piece in octets.chunks(self.piece) {
            self.with(peer, |transport, now| {
                transport.handle_link(link, LinkEvent::Octets(piece), now);
            });
        }
    }

    /// The socket of the peer that takes streams at this address.
    fn behind(&self, address: SocketAddr) -> Option<SocketAddr> {
        let (_, socket) = self
            .takes_streams
            .filter(|(taking, _)| *taking == address)?;
        Some(socket)
    }

    /// Ends a stream as a server does that goes away.
    pub(crate) fn break_links(&mut self, peer: usize) {
        for link in std::mem::take(&mut self.peers[peer].links).into_keys() {
            self.with(peer, |transport, now| {
                transport.handle_link(link, LinkEvent::Down("it was closed".to_owned()), now);
            });
        }
    }

    fn open_link(&mut self, peer: usize, link: LinkId, server: Option<SocketAddr>) {
        let port = 40_000 + u16::try_from(link.0).unwrap();
        let ours = SocketAddr::new(self.peers[peer].sockets[0].ip(), port);
        let event = match server {
            Some(server) => {
                self.peers[peer].links.insert(link, (ours, server));
                LinkEvent::Up(ours)
            }
            None => LinkEvent::Down("connection refused".to_owned()),
        };
        self.with(peer, |transport, now| {
            transport.handle_link(link, event, now)
        });
    }

    fn fly(&mut self, delay: Duration, from: SocketAddr, to: SocketAddr, bytes: Vec<u8>) {
        self.count += 1;
        self.queue.push(Reverse((self.now + delay, self.count)));
        self.flying.insert(self.count, Datagram { from, to, bytes });
    }

    fn deliver(&mut self, mut datagram: Datagram) {
        let inward = self
            .nats
            .iter()
            .find(|nat| nat.outside == datagram.to.ip())
            .map(|nat| nat.inward(datagram.from, datagram.to));
        match inward {
            Some(Some(inside)) => datagram.to = inside,
            Some(None) => return,
            None => {}
        }
        let now = self.now;
        let server = self
            .servers
            .iter_mut()
            .find(|server| server.owns(datagram.to));
        if let Some(server) = server {
            let answers = server.handle(datagram.from, datagram.to, &datagram.bytes, now);
            for (from, to, bytes) in answers {
                self.send(from, to, bytes);
            }
            return;
        }
        if let Some(end) = self.link_at(datagram.to) {
            return self.deliver_octets(end, &datagram.bytes);
        }
        let found = self.peers.iter().enumerate().find_map(|(index, peer)| {
            let socket = peer.sockets.iter().position(|one| *one == datagram.to)?;
            Some((index, PathId(u16::try_from(socket).unwrap())))
        });
        if let Some((index, path)) = found {
            self.with(index, |transport, now| {
                transport.handle_datagram(path, datagram.from, &datagram.bytes, now);
            });
        }
    }

    fn next_event(&self) -> Option<Instant> {
        let flying = self.queue.peek().map(|Reverse((at, _))| *at);
        let deadlines = self.peers.iter().filter_map(|peer| peer.deadline);
        let opening = self.opening.iter().map(|(at, ..)| *at);
        deadlines.chain(flying).chain(opening).min()
    }

    /// Runs for a time.
    pub(crate) fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    fn step(&mut self) {
        while let Some(Reverse((at, id))) = self.queue.peek().copied() {
            if at > self.now {
                break;
            }
            self.queue.pop();
            let datagram = self.flying.remove(&id).unwrap();
            self.deliver(datagram);
        }
        let now = self.now;
        let due: Vec<_> = self.opening.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, peer, link, server) in due {
            self.open_link(peer, link, server);
        }
        for index in 0..self.peers.len() {
            if self.peers[index].deadline.is_some_and(|at| at <= self.now) {
                self.peers[index].wakes += 1;
                self.with(index, |transport, now| transport.handle_timeout(now));
                let later = self.peers[index].deadline.unwrap();
                assert!(later > self.now, "a deadline that stays in the past");
            }
        }
    }

    /// Runs until something holds; panics after `limit`.
    pub(crate) fn until(&mut self, limit: Duration, mut holds: impl FnMut(&Self) -> bool) {
        let end = self.now + limit;
        while !holds(self) {
            let at = self.next_event().filter(|at| *at <= end);
            let Some(at) = at else {
                let states: Vec<_> = self.peers.iter().map(|peer| &peer.states).collect();
                panic!("it did not come about in {limit:?}: {states:#?}");
            };
            self.now = self.now.max(at);
            self.step();
        }
    }

    /// Sends a packet of audio; returns whether it could be sent.
    pub(crate) fn speak(&mut self, peer: usize, timestamp: u32) -> bool {
        let packet = RtpOut {
            pt: 111,
            timestamp,
            marker: false,
            extensions: &[],
            payload: &timestamp.to_be_bytes(),
        };
        self.with(peer, |transport, now| {
            transport.send_rtp(StreamId::AUDIO, packet, now)
        })
        .is_ok()
    }

    /// Lets both sides speak every 20 ms.
    pub(crate) fn talk(&mut self, time: Duration) {
        let end = self.now + time;
        let mut timestamp = u32::try_from(self.elapsed().as_millis()).unwrap() * 48;
        while self.now < end {
            self.speak(ALICE, timestamp);
            self.speak(BOB, timestamp);
            timestamp += 960;
            self.run(ms(20));
        }
    }
}

pub(crate) fn certificate() -> Certificate {
    Certificate::generate().unwrap()
}

pub(crate) fn config(socket: &str, role: Role) -> Config {
    let ssrc = match role {
        Role::Controlling => 0xA11CE,
        Role::Controlled => 0xB0B,
    };
    Config::new(vec![address(socket)], role, certificate(), ssrc)
}

/// Makes one side's description of what the other side says.
pub(crate) fn remote(local: &LocalParameters, description: Description) -> RemoteParameters {
    RemoteParameters {
        description,
        keying: RemoteKeying::Dtls(RemoteDtls {
            fingerprints: local.fingerprints.clone(),
            setup: match description {
                Description::Offer => media::transport::Setup::ActPass,
                Description::Answer => local.setup,
            },
        }),
        path: RemotePath::Ice(RemoteIce {
            ufrag: local.ufrag.clone(),
            pwd: local.pwd.clone(),
            candidates: local.candidates.clone(),
            named: Vec::new(),
            lite: false,
            end_of_candidates: true,
        }),
    }
}

pub(crate) fn ice(remote: &mut RemoteParameters) -> &mut RemoteIce {
    match &mut remote.path {
        RemotePath::Ice(ice) => ice,
        RemotePath::Direct(address) => panic!("no ICE with {address:?}"),
    }
}

pub(crate) fn dtls(remote: &mut RemoteParameters) -> &mut RemoteDtls {
    match &mut remote.keying {
        RemoteKeying::Dtls(dtls) => dtls,
        RemoteKeying::Sdes(_) | RemoteKeying::Plain => panic!("no DTLS"),
    }
}
