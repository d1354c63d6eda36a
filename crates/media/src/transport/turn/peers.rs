//! What goes to the peers behind an allocation: permissions, channels, and the packets themselves.
//!
//! A permission is for all ports of an address (RFC 8656 §9), a channel for one. The crate knows both by address and port, forgets
//! neither, and renews all of them in one request, so it is told of few: of one port of each address, and of the ports that media
//! goes to.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_shared::error::Error;
use rtc_stun::message::{
    CLASS_INDICATION, METHOD_SEND, Message, MessageType, Setter, TransactionId,
};
use rtc_turn::proto::data::Data;
use rtc_turn::proto::peeraddr::PeerAddress;

use super::{Relay, RelayEvent, TurnState};
use crate::transport::stun::{
    CHANNEL_BIND, CHANNEL_NUMBER, Class, REFRESH, Stun, Transaction, XOR_PEER_ADDRESS,
};

/// What the crate is told of at most: the request that renews them fits in a packet.
const MAX_PERMISSIONS: usize = 96;
/// What is sent more to one destination than checks are is media, and worth a channel.
const WORTH_A_CHANNEL: u32 = 8;
/// Places that are counted.
const MAX_DESTINATIONS: usize = 48;
/// Packets that wait for a permission: a check to each of a few peers.
const MAX_HELD: usize = 16;
/// An unanswered request for permission is made again after this.
const PERMISSION_RETRY: Duration = Duration::from_secs(3);
/// Refusals by the server before a peer is given up.
const MAX_REFUSALS: u8 = 3;
/// A channel lives 10 minutes; the crate renews it with the first packet after 5.
const THROUGH_CRATE: Duration = Duration::from_secs(60);
const CHANNEL_HEADER: usize = 4;

/// How much went to one destination in indications.
#[derive(Debug)]
pub(super) struct Destination {
    peer: SocketAddr,
    sent: u32,
}

#[derive(Debug)]
pub(super) struct Permission {
    peer: SocketAddr,
    granted: bool,
    asked: Option<(TransactionId, Instant)>,
    refusals: u8,
}

#[derive(Debug)]
pub(super) struct Channel {
    peer: SocketAddr,
    number: u16,
    pub(super) transaction: Transaction,
    pub(super) bound: bool,
    through_crate: Instant,
}

impl Relay {
    pub(super) fn handle_channel_data(&mut self, datagram: &[u8]) {
        let Some((header, data)) = datagram.split_at_checked(CHANNEL_HEADER) else {
            return;
        };
        let number = u16::from_be_bytes([header[0], header[1]]);
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let channel = self.channels.iter().find(|one| one.number == number);
        if let (Some(channel), Some(data)) = (channel, data.get(..length)) {
            let received = RelayEvent::Received(channel.peer, BytesMut::from(data));
            self.events.push_back(received);
        }
    }

    /// Sends to a peer, when the server permits; otherwise asks, and keeps a few packets.
    pub(in crate::transport) fn send(&mut self, peer: SocketAddr, data: BytesMut, now: Instant) {
        let TurnState::Allocated(relayed) = self.state else {
            return;
        };
        if !self.is_permitted(peer) {
            if self.held.len() >= MAX_HELD {
                self.held.pop_front();
            }
            self.held.push_back((peer, data));
            let of_address = |one: &&Permission| one.peer.ip() == peer.ip();
            let asked = self.permissions.iter().find(of_address);
            self.ask_permission(relayed, asked.map_or(peer, |one| one.peer), now);
            self.drain(now);
            return;
        }
        let channels = self.channels.iter_mut();
        if let Some(channel) = channels
            .filter(|one| one.bound)
            .find(|one| one.peer == peer)
        {
            if now < channel.through_crate + THROUGH_CRATE {
                let frame = frame(channel.number, &data);
                self.events.extend(frame.map(RelayEvent::Transmit));
                return;
            }
            channel.through_crate = now;
        }
        if self.has_channel_or_gets_one(relayed, peer, now) {
            if let Ok(mut relay) = self.client.relay(relayed) {
                // It fails without a permission only, and there is one.
                let _ = relay.send_to(now, &data, peer);
            }
        } else {
            self.events
                .extend(indication(peer, &data).map(RelayEvent::Transmit));
        }
        self.drain(now);
    }

    fn is_permitted(&self, peer: SocketAddr) -> bool {
        self.permissions
            .iter()
            .any(|one| one.peer.ip() == peer.ip() && one.granted)
    }

    /// Whether the crate may send to that very destination, for which it binds a channel.
    fn has_channel_or_gets_one(
        &mut self,
        relayed: SocketAddr,
        peer: SocketAddr,
        now: Instant,
    ) -> bool {
        let mut known = self.permissions.iter();
        if known.any(|one| one.peer == peer && one.granted) {
            return true;
        }
        let destination = match self
            .destinations
            .iter_mut()
            .find(|destination| destination.peer == peer)
        {
            Some(destination) => destination,
            None => {
                self.destinations.truncate(MAX_DESTINATIONS - 1);
                self.destinations.push_front(Destination { peer, sent: 0 });
                &mut self.destinations[0]
            }
        };
        destination.sent = destination.sent.saturating_add(1);
        if destination.sent > WORTH_A_CHANNEL {
            self.ask_permission(relayed, peer, now);
        }
        false
    }

    fn ask_permission(&mut self, relayed: SocketAddr, peer: SocketAddr, now: Instant) {
        let known = self.permissions.iter().position(|one| one.peer == peer);
        let at = match known {
            Some(at) => at,
            None if self.permissions.len() >= MAX_PERMISSIONS => return,
            None => {
                self.permissions.push(Permission {
                    peer,
                    granted: false,
                    asked: None,
                    refusals: 0,
                });
                self.permissions.len() - 1
            }
        };
        let permission = &mut self.permissions[at];
        let pending = permission
            .asked
            .is_some_and(|(_, at)| now < at + PERMISSION_RETRY);
        if pending || permission.refusals >= MAX_REFUSALS {
            return;
        }
        if let Ok(mut relay) = self.client.relay(relayed) {
            let asked = relay.create_permission(now, peer);
            permission.asked = asked.ok().flatten().map(|transaction| (transaction, now));
        }
    }

    pub(super) fn grant(&mut self, peer: SocketAddr, now: Instant) {
        for permission in self.permissions.iter_mut().filter(|one| one.peer == peer) {
            permission.granted = true;
        }
        let of_address = |(to, _): &(SocketAddr, _)| to.ip() == peer.ip();
        let (held, rest) = self.held.drain(..).partition(of_address);
        self.held = rest;
        for (peer, data) in held {
            self.send(peer, data, now);
        }
    }

    pub(super) fn refuse(&mut self, transaction: TransactionId, error: &Error, now: Instant) {
        let found = self
            .permissions
            .iter_mut()
            .find(|one| one.asked.is_some_and(|(asked, _)| asked == transaction));
        let Some(permission) = found else {
            return;
        };
        permission.asked = None;
        permission.granted = false;
        permission.refusals += 1;
        let peer = permission.peer;
        if let (TurnState::Allocated(relayed), true) = (self.state, *error == Error::ErrTryAgain) {
            // A stale nonce: the crate knows the new one now.
            self.ask_permission(relayed, peer, now);
        }
    }

    /// Learns a channel's number, and which request is a refresh, from the crate's own requests.
    pub(super) fn note_request(&mut self, datagram: &[u8], now: Instant) {
        let Some(message) = Stun::parse(datagram) else {
            return;
        };
        if message.method == REFRESH {
            self.refresh = Some(message.transaction);
        }
        if message.method != CHANNEL_BIND || message.class != Class::Request {
            return;
        }
        let number = message
            .attribute(CHANNEL_NUMBER)
            .and_then(|value| Some(u16::from_be_bytes([*value.first()?, *value.get(1)?])));
        let (Some(number), Some(peer)) = (number, message.address(XOR_PEER_ADDRESS)) else {
            return;
        };
        match self.channels.iter_mut().find(|one| one.number == number) {
            Some(channel) => channel.transaction = message.transaction,
            None => self.channels.push(Channel {
                peer,
                number,
                transaction: message.transaction,
                bound: false,
                through_crate: now,
            }),
        }
    }
}

fn frame(number: u16, data: &[u8]) -> Option<BytesMut> {
    let length = u16::try_from(data.len()).ok()?;
    let mut frame = BytesMut::with_capacity(CHANNEL_HEADER + data.len());
    frame.extend_from_slice(&number.to_be_bytes());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(data);
    Some(frame)
}

/// RFC 8656 §11.1.
fn indication(peer: SocketAddr, data: &[u8]) -> Option<BytesMut> {
    let setters: [Box<dyn Setter>; 4] = [
        Box::new(TransactionId::new()),
        Box::new(MessageType::new(METHOD_SEND, CLASS_INDICATION)),
        Box::new(PeerAddress {
            ip: peer.ip(),
            port: peer.port(),
        }),
        Box::new(Data(data.to_vec())),
    ];
    let mut message = Message::new();
    message.build(&setters).ok()?;
    Some(BytesMut::from(&message.raw[..]))
}
