//! The media relay: every address that a description names gets a port of ours that stands for it.
//!
//! ```text
//!  alice 5000 ─────► 40002 "bob" ──┐            ┌── 40001 "alice" ─────► bob 6000
//!                                  └─ faults ───┘
//! ```
//! What comes to a port goes on to the address that the port stands for, from the port that stands for
//! its sender. So each party sees the other at the addresses that the other's description named, and
//! ICE, DTLS and SRTP are end to end.

mod fault;
mod sdp;

pub use fault::MediaFault;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::SeedableRng;
use rand::rngs::StdRng;

use fault::{MediaFaults, Packet};

/// Names a UDP port of the relay; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub u64);

/// What the relay wants of its sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayOrder {
    /// Bind a free loopback port and tell its address by
    /// [`Pbx::handle_port`](crate::Pbx::handle_port).
    Open(PortId),
    /// Close it.
    Close(PortId),
    /// Send a datagram.
    Send {
        /// From here.
        port: PortId,
        /// To there.
        to: SocketAddr,
        /// The datagram.
        bytes: Bytes,
    },
}

// One message takes at most this many: the stock is filled up after each.
const STOCK: usize = 16;
// Descriptions of a browser on a machine with many networks; the rest is not needed to meet.
const MAX_PLACES_A_MESSAGE: usize = 8;
// Sockets of a process are few.
const MAX_PLACES: usize = 512;
// A second of a hundred calls: a fault that delays everything must not keep everything.
const MAX_HELD: usize = 10_000;
// A call that lives sends consent checks every 5 s (RFC 7675 §5.1).
const IDLE: Duration = Duration::from_secs(120);

/// An address of a party and the port that stands for it.
#[derive(Debug)]
struct Place {
    real: SocketAddr,
    address: SocketAddr,
    /// Absent where no description named it: a peer-reflexive address.
    owner: Option<Owner>,
    used: Instant,
}

/// Who described an address, in which call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) user: String,
    pub(crate) call_id: String,
}

#[derive(Debug)]
struct HeldDatagram {
    port: PortId,
    to: SocketAddr,
    bytes: Bytes,
}

/// The ports, the packets held back, and the faults.
#[derive(Debug)]
pub(crate) struct Relay {
    stock: VecDeque<(PortId, SocketAddr)>,
    opening: usize,
    next_port: u64,
    places: BTreeMap<PortId, Place>,
    ports: BTreeMap<SocketAddr, PortId>,
    faults: MediaFaults,
    held: BTreeMap<(Instant, u64), HeldDatagram>,
    sequence: u64,
    sweep: Option<Instant>,
    orders: VecDeque<RelayOrder>,
}

impl Relay {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let mut relay = Self {
            stock: VecDeque::new(),
            opening: 0,
            next_port: 0,
            places: BTreeMap::new(),
            ports: BTreeMap::new(),
            faults: MediaFaults::new(StdRng::from_seed(seed)),
            held: BTreeMap::new(),
            sequence: 0,
            sweep: None,
            orders: VecDeque::new(),
        };
        relay.fill_stock();
        relay
    }

    pub(crate) fn poll_order(&mut self) -> Option<RelayOrder> {
        self.orders.pop_front()
    }

    /// A port that was asked for is open, or can't be opened.
    pub(crate) fn handle_port(&mut self, port: PortId, address: Option<SocketAddr>) {
        self.opening = self.opening.saturating_sub(1);
        if let Some(address) = address {
            self.stock.push_back((port, address));
        }
    }

    /// Takes a datagram that came to a port.
    pub(crate) fn handle_datagram(
        &mut self,
        port: PortId,
        from: SocketAddr,
        bytes: Bytes,
        now: Instant,
    ) {
        if !self.places.contains_key(&port) {
            return;
        }
        let Some(source) = self.port_of(from, None, now) else {
            return;
        };
        let (Some(to), Some(sender)) = (self.places.get(&port), self.places.get(&source)) else {
            return;
        };
        let user_of = |place: &Place| place.owner.as_ref().map(|owner| owner.user.clone());
        let packet = Packet {
            lane: (source, port),
            from: user_of(sender),
            to: user_of(to),
            bytes,
        };
        let real = to.real;
        for (at, bytes) in self.faults.pass(&packet, now) {
            self.send_at(at, source, real, bytes, now);
        }
        self.touch(port, now);
        self.touch(source, now);
    }

    /// Sends what has waited long enough, and lets go of ports that nobody uses.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        while let Some((key, _)) = self.held.first_key_value()
            && key.0 <= now
        {
            let Some((_, HeldDatagram { port, to, bytes })) = self.held.pop_first() else {
                break;
            };
            self.orders.push_back(RelayOrder::Send { port, to, bytes });
        }
        if self.sweep.is_some_and(|at| at <= now) {
            self.forget(|place| place.used + IDLE <= now);
            self.sweep = (!self.places.is_empty()).then(|| now + IDLE);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let held = self.held.keys().next().map(|(at, _)| *at);
        held.into_iter().chain(self.sweep).min()
    }

    /// Puts our ports in the place of the addresses that a description names.
    pub(crate) fn rewrite(&mut self, description: &str, owner: &Owner, now: Instant) -> String {
        let mut left = MAX_PLACES_A_MESSAGE;
        let rewritten = sdp::rewrite(description, |real| {
            left = left.checked_sub(1)?;
            let port = self.port_of(real, Some(owner), now)?;
            self.places.get(&port).map(|place| place.address)
        });
        self.fill_stock();
        rewritten
    }

    pub(crate) fn add_fault(&mut self, fault: MediaFault) {
        self.faults.add(fault);
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Gives a user's addresses other ports, as a NAT does that has lost its bindings: what is sent to
    /// the old ones is lost.
    pub(crate) fn rebind(&mut self, user: &str) {
        let bound: Vec<PortId> = self
            .places
            .iter()
            .filter(|(_, place)| place.owner.as_ref().is_some_and(|owner| owner.user == user))
            .map(|(port, _)| *port)
            .collect();
        for old in bound {
            let Some((port, address)) = self.stock.pop_front() else {
                break;
            };
            if let Some(place) = self.places.remove(&old) {
                self.orders.push_back(RelayOrder::Close(old));
                self.ports.insert(place.real, port);
                self.places.insert(port, Place { address, ..place });
            }
        }
        self.fill_stock();
    }

    /// Lets go of what one call has described.
    pub(crate) fn forget_call(&mut self, call_id: &str) {
        self.forget(|place| {
            let owner = place.owner.as_ref();
            owner.is_some_and(|owner| owner.call_id == call_id)
        });
    }

    /// The port that stands for an address; a new one if there is none and one is left.
    fn port_of(&mut self, real: SocketAddr, owner: Option<&Owner>, now: Instant) -> Option<PortId> {
        if let Some(port) = self.ports.get(&real).copied() {
            if let (Some(place), Some(owner)) = (self.places.get_mut(&port), owner) {
                place.owner = Some(owner.clone());
                place.used = now;
            }
            return Some(port);
        }
        if self.places.len() >= MAX_PLACES {
            return None;
        }
        let (port, address) = self.stock.pop_front()?;
        let place = Place {
            real,
            address,
            owner: owner.cloned(),
            used: now,
        };
        self.places.insert(port, place);
        self.ports.insert(real, port);
        self.sweep = self.sweep.or(Some(now + IDLE));
        self.fill_stock();
        Some(port)
    }

    fn touch(&mut self, port: PortId, now: Instant) {
        if let Some(place) = self.places.get_mut(&port) {
            place.used = now;
        }
    }

    fn send_at(&mut self, at: Instant, port: PortId, to: SocketAddr, bytes: Bytes, now: Instant) {
        if at <= now {
            self.orders.push_back(RelayOrder::Send { port, to, bytes });
        } else if self.held.len() < MAX_HELD {
            self.sequence += 1;
            self.held
                .insert((at, self.sequence), HeldDatagram { port, to, bytes });
        }
    }

    fn forget(&mut self, mut gone: impl FnMut(&Place) -> bool) {
        let orders = &mut self.orders;
        let ports = &mut self.ports;
        self.places.retain(|port, place| {
            let gone = gone(place);
            if gone {
                orders.push_back(RelayOrder::Close(*port));
                ports.remove(&place.real);
            }
            !gone
        });
        let places = &self.places;
        self.faults
            .forget_lanes(|(from, to)| !places.contains_key(&from) || !places.contains_key(&to));
    }

    fn fill_stock(&mut self) {
        while self.stock.len() + self.opening < STOCK {
            self.opening += 1;
            self.next_port += 1;
            let port = PortId(self.next_port);
            self.orders.push_back(RelayOrder::Open(port));
        }
    }
}

#[cfg(test)]
mod tests;
