//! Those who come without a server. **Each peer has an endpoint of its own, which has no credentials and knows neither the
//! server nor another peer**: what belongs to its calls goes to it, or nowhere.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sip::endpoint::{Endpoint, EndpointConfig, Intake, KeepAlivePolicy};
use sip::transaction::{Flow, FlowId, Transport};
use sip::uri::Uri;

use super::pings::Ping;
use crate::config::Network;
use crate::door::neighbour::{Neighbour, TrunkId};
use crate::door::output::Output;
use crate::door::tally::PeerStanding;

/// Peers at once; there is room for another once one has nothing to say.
const MOST_PEERS: usize = 256;
/// Ports of one peer over UDP.
const MOST_PORTS: usize = 64;
/// What is silent for this long, and has no call, is forgotten; a stream is closed.
const IDLE: Duration = Duration::from_secs(600);
const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// The wait after the first failed connection to a peer; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Names of calls and requests: the trunk's number above these bits.
const ID_BITS: u32 = 40;
const LAST_TRUNK: u32 = (1 << (u64::BITS - ID_BITS)) - 1;

/// All trunks.
#[derive(Debug)]
pub(super) struct Trunks {
    config: EndpointConfig,
    peers: Vec<Network>,
    ping_interval: Option<Duration>,
    intake: Intake,
    all: BTreeMap<TrunkId, Trunk>,
    of_peer: BTreeMap<PeerAddress, TrunkId>,
    ways: BTreeMap<Neighbour, Way>,
    /// The others' ends of flows.
    ends: BTreeMap<FlowId, Neighbour>,
    news: VecDeque<TrunkNews>,
    last_trunk: u32,
    last_flow: u64,
    sweep_at: Option<Instant>,
    rng: StdRng,
}

/// A peer's address. TLS is a peer of its own: nothing of it is ever said in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct PeerAddress {
    address: IpAddr,
    secure: bool,
}

/// One peer, and our endpoint towards it.
#[derive(Debug)]
pub(super) struct Trunk {
    pub(super) endpoint: Endpoint,
    pub(super) deadline: Option<Instant>,
    peer: PeerAddress,
    flows: Vec<FlowId>,
    /// All its flows are gone, and it has calls.
    search: Option<Search>,
    ping: Option<Ping>,
}

/// A neighbour, and its flow once it has asked for something.
#[derive(Debug)]
struct Way {
    flow: Flow,
    open: Option<(TrunkId, FlowId)>,
    heard: Instant,
}

/// We are opening a connection to a peer whose own is gone.
#[derive(Debug)]
struct Search {
    tries: u32,
    /// `None` while one is being opened.
    again_at: Option<Instant>,
    /// Its calls know that it is gone.
    told: bool,
}

impl Trunk {
    pub(super) fn peer_address(&self) -> IpAddr {
        self.peer.address
    }
}

/// What has become of a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TrunkNews {
    /// There is no way to it.
    Lost(TrunkId),
    /// There is a way again.
    Found(TrunkId),
}

/// Nothing more can be taken without leaving what is in use.
#[derive(Debug)]
pub(super) struct NoRoom;

/// The trunk that has given this name to a call or a request; `None` if the server's endpoint has.
pub(super) fn trunk_of(name: u64) -> Option<TrunkId> {
    let trunk = u32::try_from(name >> ID_BITS).unwrap_or(0);
    (trunk > 0).then_some(TrunkId(trunk))
}

impl Trunks {
    /// `config` is that of the server's endpoint.
    pub(super) fn new(
        config: EndpointConfig,
        peers: Vec<Network>,
        ping_interval: Option<Duration>,
        seed: [u8; 32],
    ) -> Self {
        let of_a_server = ["outbound", "path", "gruu"];
        let mut supported = config.supported.clone();
        supported.retain(|tag| !of_a_server.contains(&tag.as_str()));
        Self {
            config: EndpointConfig {
                credentials: None,
                awaits_credentials: false,
                domains: Vec::new(),
                route_set: Vec::new(),
                extra_headers: Vec::new(),
                contact_host: None,
                supported,
                // Whoever has come sends them.
                keep_alive: KeepAlivePolicy {
                    interval: Duration::ZERO,
                    ..config.keep_alive
                },
                ..config
            },
            peers,
            ping_interval,
            intake: Intake::Open,
            all: BTreeMap::new(),
            of_peer: BTreeMap::new(),
            ways: BTreeMap::new(),
            ends: BTreeMap::new(),
            news: VecDeque::new(),
            last_trunk: 0,
            last_flow: 0,
            sweep_at: None,
            rng: StdRng::from_seed(seed),
        }
    }

    pub(super) fn get(&self, trunk: TrunkId) -> Option<&Trunk> {
        self.all.get(&trunk)
    }

    pub(super) fn get_mut(&mut self, trunk: TrunkId) -> Option<&mut Trunk> {
        self.all.get_mut(&trunk)
    }

    pub(super) fn ids(&self) -> Vec<TrunkId> {
        self.all.keys().copied().collect()
    }

    pub(super) fn is_connected(&self) -> bool {
        let mut all = self.all.values();
        all.any(|trunk| trunk.endpoint.is_connected())
    }

    pub(super) fn set_intake(&mut self, intake: Intake) {
        self.intake = intake;
        for trunk in self.all.values_mut() {
            trunk.endpoint.set_intake(intake);
        }
    }

    pub(super) fn next_news(&mut self) -> Option<TrunkNews> {
        self.news.pop_front()
    }

    /// The other end of a flow.
    pub(super) fn end_of(&self, flow: FlowId) -> Option<Neighbour> {
        self.ends.get(&flow).copied()
    }

    /// When something is due here or in an endpoint.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let search = |trunk: &Trunk| trunk.search.as_ref().and_then(|search| search.again_at);
        let all = self.all.values();
        let ping = |trunk: &Trunk| trunk.ping.as_ref().map(|ping| ping.due);
        let due = all.flat_map(|trunk| [trunk.deadline, search(trunk), ping(trunk)]);
        due.chain([self.sweep_at]).flatten().min()
    }

    /// Takes note of a stream, which has no flow until somebody asks for something over it, or its peer is known.
    pub(super) fn note(&mut self, stream: Neighbour, flow: Flow, now: Instant) {
        let way = Way {
            flow,
            open: None,
            heard: now,
        };
        self.ways.insert(stream, way);
        self.sweep_at.get_or_insert(now + SWEEP_EVERY);
    }

    /// What is known of a neighbour that is heard of again: its trunk and its flow, if it has them.
    pub(super) fn heard(
        &mut self,
        neighbour: Neighbour,
        now: Instant,
    ) -> Option<(TrunkId, FlowId)> {
        let way = self.ways.get_mut(&neighbour)?;
        way.heard = now;
        way.open
    }

    /// What is known of a stream.
    pub(super) fn flow_of(&self, stream: Neighbour) -> Option<Flow> {
        self.ways.get(&stream).map(|way| way.flow)
    }

    /// What the flows of a trunk go over: all of them by TLS, or none.
    pub(super) fn transport(&self, trunk: TrunkId) -> Option<Transport> {
        let trunk = self.all.get(&trunk)?;
        if trunk.peer.secure {
            return Some(Transport::Tls);
        }
        let end = trunk.flows.last().and_then(|flow| self.ends.get(flow));
        let open = end.and_then(|end| self.flow_of(*end));
        open.map(|flow| flow.transport)
    }

    /// The trunk of whoever is at the other end of such a flow.
    pub(super) fn of_flow(&self, flow: &Flow) -> Option<TrunkId> {
        self.of_peer.get(&PeerAddress::of(flow)?).copied()
    }

    /// Gives a neighbour a flow in the trunk of its peer, or in that one.
    pub(super) fn admit(
        &mut self,
        neighbour: Neighbour,
        flow: Flow,
        into: Option<TrunkId>,
        now: Instant,
    ) -> Result<NewFlow, NoRoom> {
        let peer = PeerAddress::of(&flow).ok_or(NoRoom)?;
        let known = into.or_else(|| self.of_peer.get(&peer).copied());
        let known = known.filter(|trunk| self.all.contains_key(trunk));
        let mut gone = Vec::new();
        let id = match known {
            Some(id) => {
                gone.extend(self.port_to_leave(id, neighbour)?);
                id
            }
            None => {
                gone.extend(self.peer_to_leave()?);
                self.begin(peer, now)
            }
        };
        self.last_flow += 1;
        let flow_id = FlowId(self.last_flow);
        self.note(neighbour, flow, now);
        if let Some(way) = self.ways.get_mut(&neighbour) {
            way.open = Some((id, flow_id));
        }
        self.ends.insert(flow_id, neighbour);
        if let Some(trunk) = self.all.get_mut(&id) {
            trunk.flows.push(flow_id);
            if trunk.search.take().is_some() {
                self.news.push_back(TrunkNews::Found(id));
            }
        }
        Ok(NewFlow {
            trunk: id,
            flow: flow_id,
            gone,
        })
    }

    /// Sixteen million peers later a number is given again, if it is nobody's: one more bit, and its calls would have names of
    /// the server's.
    fn new_id(&mut self) -> TrunkId {
        loop {
            self.last_trunk = self.last_trunk % LAST_TRUNK + 1;
            let id = TrunkId(self.last_trunk);
            if !self.all.contains_key(&id) {
                return id;
            }
        }
    }

    fn begin(&mut self, peer: PeerAddress, now: Instant) -> TrunkId {
        let id = self.new_id();
        let mut seed = [0; 32];
        self.rng.fill_bytes(&mut seed);
        let config = EndpointConfig {
            ids_after: u64::from(id.0) << ID_BITS,
            ..self.config.clone()
        };
        let mut endpoint = Endpoint::new(config, seed);
        endpoint.set_intake(self.intake);
        let trunk = Trunk {
            endpoint,
            deadline: None,
            peer,
            flows: Vec::new(),
            search: None,
            ping: self.ping_interval.map(|every| Ping::new(every, now)),
        };
        self.all.insert(id, trunk);
        self.of_peer.insert(peer, id);
        id
    }

    /// One of a peer's ports that has to go for this one: the one that was silent for longest, of those without a call.
    fn port_to_leave(&self, id: TrunkId, new: Neighbour) -> Result<Option<Neighbour>, NoRoom> {
        let (Neighbour::Datagrams(_), Some(trunk)) = (new, self.all.get(&id)) else {
            return Ok(None);
        };
        let ends = trunk.flows.iter().filter_map(|flow| {
            let end = self.ends.get(flow)?;
            matches!(end, Neighbour::Datagrams(_)).then_some((*flow, *end))
        });
        let ports: Vec<_> = ends.collect();
        if ports.len() < MOST_PORTS {
            return Ok(None);
        }
        let unused = ports
            .into_iter()
            .filter(|(flow, _)| !trunk.endpoint.is_used(*flow));
        let oldest = unused.min_by_key(|(_, end)| self.ways.get(end).map(|way| way.heard));
        oldest.map(|(_, end)| Some(end)).ok_or(NoRoom)
    }

    /// All ends of a peer that has to go for another, if one has to.
    fn peer_to_leave(&self) -> Result<Vec<Neighbour>, NoRoom> {
        if self.all.len() < MOST_PEERS {
            return Ok(Vec::new());
        }
        // One without flows is looked for, and forgotten by itself.
        let with_flows = self.all.values().filter(|trunk| !trunk.flows.is_empty());
        let idle = with_flows.filter(|trunk| trunk.endpoint.is_at_rest());
        let ends = |trunk: &Trunk| -> Vec<Neighbour> {
            let ends = trunk.flows.iter().filter_map(|flow| self.ends.get(flow));
            ends.copied().collect()
        };
        let heard = |ends: &Vec<Neighbour>| {
            let heard = ends.iter().filter_map(|end| self.ways.get(end));
            heard.map(|way| way.heard).max()
        };
        idle.map(ends).min_by_key(heard).ok_or(NoRoom)
    }

    /// Forgets a neighbour, and says which flow of which trunk is gone with it.
    pub(super) fn leave(&mut self, neighbour: Neighbour) -> Option<(TrunkId, FlowId)> {
        let (id, flow) = self.ways.remove(&neighbour)?.open?;
        self.ends.remove(&flow);
        let trunk = self.all.get_mut(&id)?;
        trunk.flows.retain(|other| *other != flow);
        Some((id, flow))
    }

    /// The questions that are due, and whom they are for.
    pub(super) fn ask(&mut self, now: Instant) -> Vec<(Neighbour, Bytes)> {
        let mut questions = Vec::new();
        for trunk in self.all.values_mut() {
            let Some(ping) = trunk.ping.as_mut().filter(|ping| ping.due <= now) else {
                continue;
            };
            let ends = trunk.flows.iter().filter_map(|flow| self.ends.get(flow));
            let ways = ends.filter_map(|end| Some((*end, self.ways.get(end)?)));
            let last = ways.max_by_key(|(_, way)| way.heard);
            let flow = last.as_ref().map(|(_, way)| way.flow);
            let draw = u128::from(self.rng.next_u64()) << 64 | u128::from(self.rng.next_u64());
            let question = ping.ask(flow, &self.config.aor, draw, now);
            questions.extend(last.map(|(end, _)| end).zip(question));
        }
        questions
    }

    /// Whether a message of a trunk is the answer to our question.
    pub(super) fn is_answer(&mut self, id: TrunkId, message: &Bytes) -> bool {
        let trunk = self.all.get_mut(&id);
        let ping = trunk.and_then(|trunk| trunk.ping.as_mut());
        ping.is_some_and(|ping| ping.hear(message))
    }

    /// How the peers stand that are asked.
    pub(super) fn standing(&self) -> Vec<PeerStanding> {
        let asked = self.all.values().filter_map(|trunk| {
            let ping = trunk.ping.as_ref()?;
            Some(PeerStanding {
                address: trunk.peer.address.to_string(),
                secure: trunk.peer.secure,
                state: ping.state(),
                code: ping.code(),
            })
        });
        asked.collect()
    }

    /// A trunk has one flow less: without any it is over, or is looked for if it has calls.
    pub(super) fn is_left(&mut self, id: TrunkId, now: Instant) -> Option<Output> {
        let trunk = self.all.get_mut(&id)?;
        if !trunk.flows.is_empty() || trunk.search.is_some() {
            return None;
        }
        if trunk.endpoint.is_at_rest() {
            self.forget(id);
            return None;
        }
        trunk.search = Some(Search {
            tries: 0,
            again_at: None,
            told: false,
        });
        self.look_for(id, now)
    }

    /// A connection to a trunk's peer could not be opened.
    pub(super) fn unreached(&mut self, id: TrunkId, now: Instant) {
        let Some(trunk) = self.all.get_mut(&id) else {
            return;
        };
        let Some(search) = &mut trunk.search else {
            return;
        };
        let wait = FIRST_WAIT.saturating_mul(1 << search.tries.min(8));
        search.tries += 1;
        search.again_at = Some(now + wait.min(LONGEST_WAIT));
        if !std::mem::replace(&mut search.told, true) {
            self.news.push_back(TrunkNews::Lost(id));
        }
    }

    fn look_for(&mut self, id: TrunkId, now: Instant) -> Option<Output> {
        let trunk = self.all.get_mut(&id)?;
        let secure = trunk.peer.secure;
        let hops = trunk.endpoint.next_hops();
        let mut places = hops.iter().filter_map(|hop| place(hop, secure));
        let place = places.find(|place| self.peers.iter().any(|peers| peers.has(place.ip())));
        let Some(place) = place else {
            self.unreached(id, now);
            return None;
        };
        if let Some(search) = &mut trunk.search {
            search.again_at = None;
        }
        let transport = match secure {
            true => Transport::Tls,
            false => Transport::Tcp,
        };
        Some(Output::Reach {
            trunk: id,
            place,
            transport,
        })
    }

    /// Looks again for those whose time has come, and gives the ends that were silent for too long.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> (Vec<Output>, Vec<Neighbour>) {
        let mut reach = Vec::new();
        for id in self.ids() {
            let Some(trunk) = self.all.get(&id) else {
                continue;
            };
            let again_at = trunk.search.as_ref().and_then(|search| search.again_at);
            match again_at.is_some_and(|at| at <= now) {
                true if trunk.endpoint.is_at_rest() => self.forget(id),
                true => reach.extend(self.look_for(id, now)),
                false => {}
            }
        }
        let silent = match self.sweep_at.is_some_and(|at| at <= now) {
            true => self.sweep(now),
            false => Vec::new(),
        };
        (reach, silent)
    }

    fn sweep(&mut self, now: Instant) -> Vec<Neighbour> {
        let silent = self.ways.iter().filter(|(_, way)| {
            let used = way.open.is_some_and(|(trunk, flow)| {
                let trunk = self.all.get(&trunk);
                trunk.is_some_and(|trunk| trunk.endpoint.is_used(flow))
            });
            !used && way.heard + IDLE <= now
        });
        let silent: Vec<Neighbour> = silent.map(|(neighbour, _)| *neighbour).collect();
        self.sweep_at = (self.ways.len() > silent.len()).then_some(now + SWEEP_EVERY);
        silent
    }

    fn forget(&mut self, id: TrunkId) {
        if let Some(trunk) = self.all.remove(&id)
            && self.of_peer.get(&trunk.peer) == Some(&id)
        {
            self.of_peer.remove(&trunk.peer);
        }
    }
}

/// A neighbour has a flow now; all of `gone` have to leave for it.
#[derive(Debug)]
pub(super) struct NewFlow {
    pub(super) trunk: TrunkId,
    pub(super) flow: FlowId,
    pub(super) gone: Vec<Neighbour>,
}

impl PeerAddress {
    fn of(flow: &Flow) -> Option<Self> {
        Some(Self {
            address: flow.peer?.ip().to_canonical(),
            secure: flow.transport.is_secure(),
        })
    }
}

/// Where a URI leads to by itself: names are not looked up.
fn place(uri: &Uri<'_>, secure: bool) -> Option<SocketAddr> {
    let host = uri.host_text();
    let address: IpAddr = host.trim_matches(['[', ']']).parse().ok()?;
    let usual = if secure { 5061 } else { 5060 };
    Some(SocketAddr::new(address, uri.port().unwrap_or(usual)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sip::transaction::Transport;

    fn trunks() -> Trunks {
        let aor = "sip:bot@example.com".parse().unwrap();
        Trunks::new(
            EndpointConfig::new(aor, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
            Vec::new(),
            None,
            [7; 32],
        )
    }

    fn admit(trunks: &mut Trunks, host: u8, now: Instant) -> TrunkId {
        let peer = SocketAddr::from(([203, 0, 113, host], 5060));
        let flow = Flow::new(Transport::Udp)
            .with_local(SocketAddr::from(([192, 0, 2, 9], 5060)))
            .with_peer(peer);
        let admitted = trunks.admit(Neighbour::Datagrams(peer), flow, None, now);
        admitted.expect("there is room").trunk
    }

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "virtual time has to start somewhere"
    )]
    fn the_last_number_is_followed_by_the_first_that_is_free() {
        let now = Instant::now();
        let mut trunks = trunks();
        assert_eq!(admit(&mut trunks, 1, now), TrunkId(1));
        trunks.last_trunk = LAST_TRUNK - 1;
        let last = admit(&mut trunks, 2, now);
        assert_eq!(last, TrunkId(LAST_TRUNK));
        let name = (u64::from(last.0) << ID_BITS) + 5;
        assert_eq!(trunk_of(name), Some(last));
        assert_eq!(admit(&mut trunks, 3, now), TrunkId(2));
    }
}
