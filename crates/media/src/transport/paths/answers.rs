//! What STUN and TURN servers say, and what it brings.

use std::net::SocketAddr;
use std::time::Instant;

use super::{Paths, base_id};
use crate::transport::candidates::{foundation, is_plausible, preference, priority, unspecified};
use crate::transport::config::{PathId, Policy};
use crate::transport::gather::Answer;
use crate::transport::output::{Gathering, ServerFault};
use crate::transport::parameters::{Candidate, CandidateKind, Protocol};
use crate::transport::path_event::PathEvent;
use crate::transport::stream::framed;
use crate::transport::stun::Stun;
use crate::transport::turn::{RelayEvent, Via};

impl Paths {
    pub(super) fn is_from_server(
        &mut self,
        path: PathId,
        from: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> bool {
        let relay = self
            .relays
            .iter()
            .position(|relay| relay.via == Via::Socket(path, from));
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
        if let Some((asked, _)) = &answer {
            self.hear(Via::Socket(path, from), *asked);
        }
        match answer {
            Some((asked, Answer::Mapped(mapped))) => {
                self.add_reflexive(path, mapped, (asked, from), now);
            }
            Some((asked, Answer::Refused(fault))) => self.fault(asked, fault),
            Some((_, Answer::Known)) => {}
            None => return false,
        }
        true
    }

    fn add_reflexive(
        &mut self,
        path: PathId,
        mapped: SocketAddr,
        (asked, server): (usize, SocketAddr),
        now: Instant,
    ) {
        let index = usize::from(path.0);
        let Some(base) = self.sockets.get(index).copied() else {
            return;
        };
        if !is_plausible(mapped, server) {
            return self.complain(asked, ServerFault::ImpossibleAddress(mapped));
        }
        if mapped == base || self.reflexive.contains(&mapped) {
            return;
        }
        self.first.get_or_insert(now);
        self.reflexive.push(mapped);
        let kind = CandidateKind::ServerReflexive;
        self.tell(kind, index, mapped, base, Some(server));
    }

    pub(super) fn drain_relay(&mut self, index: usize, now: Instant) {
        while let Some(event) = self.relays[index].poll_event() {
            let (via, server) = (self.relays[index].via, self.relays[index].server);
            if let RelayEvent::Allocated(_) | RelayEvent::Failed(ServerFault::Refused { .. }) =
                &event
            {
                self.hear(via, server);
            }
            match (event, via) {
                (RelayEvent::Transmit(bytes), Via::Socket(path, server)) => {
                    let transmit = PathEvent::Transmit(path, server, bytes);
                    self.events.push_back(transmit);
                }
                (RelayEvent::Transmit(bytes), Via::Link(link, _)) => {
                    self.events.push_back(PathEvent::Send(link, framed(bytes)));
                }
                (RelayEvent::Allocated(relayed), _) => self.add_relayed(index, relayed, now),
                (RelayEvent::Failed(fault), Via::Link(link, _)) => {
                    self.events.push_back(PathEvent::Disconnect(link));
                    self.fault(server, fault);
                }
                (RelayEvent::Failed(fault), Via::Socket(..)) => self.fault(server, fault),
                (RelayEvent::Refused(fault), _) if self.renewed && fault.refuses_login() => {
                    self.relays[index].give_up(fault);
                }
                (RelayEvent::Refused(fault), _) => self.complain(server, fault),
                (RelayEvent::Received(peer, bytes), _) => {
                    let base = base_id(self.sockets.len() + index);
                    let received = PathEvent::Received(base, peer, bytes);
                    self.events.push_back(received);
                }
            }
        }
    }

    /// There are other credentials now.
    pub(in crate::transport) fn renew_servers(&mut self, now: Instant) {
        self.renewed = true;
        for index in 0..self.relays.len() {
            if let Some(fault) = self.relays[index].take_refused() {
                self.relays[index].give_up(fault);
                self.drain_relay(index, now);
            }
        }
    }

    /// Notes why a server gives nothing; it is told once it is known that no other way to it works.
    fn fault(&mut self, server: usize, fault: ServerFault) {
        self.asked.note(server, fault);
        if self.gathering == Gathering::Complete {
            self.blame();
        }
    }

    /// Tells a fault of a server that is of use all the same.
    fn complain(&mut self, server: usize, fault: ServerFault) {
        let name = self.asked.complain(server);
        let events = name.map(|name| PathEvent::ServerFault(name, fault));
        self.events.extend(events);
    }

    fn add_relayed(&mut self, index: usize, relayed: SocketAddr, now: Instant) {
        let via = self.relays[index].via;
        self.first.get_or_insert(now);
        self.relayed[index] = Some(relayed);
        let kind = CandidateKind::Relayed;
        let base = base_id(self.sockets.len() + index);
        let index = preference(via, index);
        let priority = priority(kind, index);
        self.events
            .push_back(PathEvent::Base(base, relayed, kind, priority));
        let (socket, server) = match via {
            Via::Socket(path, server) => (self.sockets.get(usize::from(path.0)), Some(server)),
            // A stream may go through a proxy: its end says nothing of how we are seen.
            Via::Link(..) => (None, None),
        };
        let related = socket.copied().filter(|_| self.policy == Policy::All);
        // RFC 8839 §5.1: an address that must stay hidden is written as the unspecified one.
        let related = related.unwrap_or_else(|| unspecified(relayed));
        self.tell(kind, index, relayed, related, server);
    }

    pub(super) fn tell(
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
}
