//! One allocation on a TURN server over UDP (RFC 8656).
//!
//! The crate allocates, refreshes, and asks for permissions and channels. Its data path looks a
//! peer up by the text of its address and copies each packet three times, so packets of a bound
//! channel are framed here; now and then one goes through the crate, which renews the channel.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_crypto::RTCCryptoProvider;
use rtc_shared::error::Error;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc_stun::message::TransactionId;
use rtc_turn::client::{Client, ClientConfig, Event};
use sansio::Protocol as _;

use super::config::PathId;
use super::parameters::Secret;
use super::stun::{
    BINDING, CHANNEL_BIND, CHANNEL_NUMBER, Class, Stun, Transaction, XOR_PEER_ADDRESS,
};

/// Keeps the NAT's mapping to the server, and notices a stale nonce long before the permissions
/// and the allocation lapse: the crate repeats nothing that was refused for it.
const REFRESH_INTERVAL: Duration = Duration::from_secs(25);
/// Peers for which the server is asked for permission; as many as there can be candidates.
const MAX_PERMISSIONS: usize = 48;
/// Packets that wait for a permission: a check to each of a few peers.
const MAX_HELD: usize = 16;
/// An unanswered request for permission is made again after this.
const PERMISSION_RETRY: Duration = Duration::from_secs(3);
/// Refusals by the server before a peer is given up.
const MAX_REFUSALS: u8 = 3;
/// A channel lives 10 minutes; the crate renews it with the first packet after 5.
const THROUGH_CRATE: Duration = Duration::from_secs(60);
const CHANNEL_HEADER: usize = 4;

/// What an allocation wants.
#[derive(Debug)]
pub(super) enum RelayEvent {
    /// Send this to the server.
    Transmit(BytesMut),
    /// The server gave us an address.
    Allocated(SocketAddr),
    /// The server gave us none.
    Failed,
    /// A peer sent this to our address.
    Received(SocketAddr, BytesMut),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TurnState {
    Allocating,
    Allocated(SocketAddr),
    Failed,
}

#[derive(Debug)]
struct Permission {
    peer: SocketAddr,
    granted: bool,
    asked: Option<(TransactionId, Instant)>,
    refusals: u8,
}

#[derive(Debug)]
struct Channel {
    peer: SocketAddr,
    number: u16,
    transaction: Transaction,
    bound: bool,
    through_crate: Instant,
}

/// An allocation and its peers.
pub(super) struct Relay {
    pub(super) path: PathId,
    pub(super) server: SocketAddr,
    local: SocketAddr,
    client: Client,
    state: TurnState,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
    held: VecDeque<(SocketAddr, BytesMut)>,
    events: VecDeque<RelayEvent>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Relay")
            .field("path", &self.path)
            .field("server", &self.server)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Relay {
    /// Asks the server for an address.
    pub(super) fn allocate(
        path: PathId,
        local: SocketAddr,
        server: SocketAddr,
        (username, password): (&str, &Secret),
        provider: Arc<dyn RTCCryptoProvider>,
        now: Instant,
    ) -> Result<Self, Error> {
        let config = ClientConfig {
            // An address in digits: anything else would be resolved here, blocking.
            turn_serv_addr: server.to_string(),
            local_addr: local,
            transport_protocol: TransportProtocol::UDP,
            username: username.to_owned(),
            password: password.expose().to_owned(),
            allocation_refresh_interval_cap: Some(REFRESH_INTERVAL),
            ..ClientConfig::default()
        };
        let mut client = Client::new(config, provider)?;
        client.allocate(now)?;
        let mut relay = Self {
            path,
            server,
            local,
            client,
            state: TurnState::Allocating,
            permissions: Vec::new(),
            channels: Vec::new(),
            held: VecDeque::new(),
            events: VecDeque::new(),
        };
        relay.drain(now);
        Ok(relay)
    }

    pub(super) fn is_settled(&self) -> bool {
        self.state != TurnState::Allocating
    }

    pub(super) fn poll_event(&mut self) -> Option<RelayEvent> {
        self.events.pop_front()
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        match self.state {
            TurnState::Allocating | TurnState::Allocated(_) => self.client.poll_timeout(),
            TurnState::Failed => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            // Its signature allows an error; there is none.
            let _ = self.client.handle_timeout(now);
            self.drain(now);
        }
    }

    /// Takes a datagram of the server; returns whether it was for this allocation.
    pub(super) fn handle_datagram(&mut self, datagram: &[u8], now: Instant) -> bool {
        match datagram.first() {
            Some(0x40..=0x7F) => self.handle_channel_data(datagram),
            Some(0..=3) => return self.handle_stun(datagram, now),
            Some(_) | None => return false,
        }
        true
    }

    fn handle_channel_data(&mut self, datagram: &[u8]) {
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

    fn handle_stun(&mut self, datagram: &[u8], now: Instant) -> bool {
        let Some(message) = Stun::parse(datagram) else {
            return false;
        };
        if message.method == BINDING || message.class == Class::Request {
            return false;
        }
        let transaction = message.transaction;
        match message.class {
            Class::Success => {
                let channel = self.channels.iter_mut();
                channel
                    .filter(|one| one.transaction == transaction)
                    .for_each(|one| one.bound = true);
            }
            Class::Error => self
                .channels
                .retain(|one| one.transaction != transaction || one.bound),
            Class::Request | Class::Indication => {}
        }
        let read = self.client.handle_read(TaggedBytesMut {
            now,
            transport: TransportContext {
                local_addr: self.local,
                peer_addr: self.server,
                transport_protocol: TransportProtocol::UDP,
                ecn: None,
            },
            message: BytesMut::from(datagram),
        });
        self.drain(now);
        if read.is_err() && self.state == TurnState::Allocating {
            self.fail();
        }
        true
    }

    /// Sends to a peer, when the server permits; otherwise asks, and keeps a few packets.
    pub(super) fn send(&mut self, peer: SocketAddr, data: BytesMut, now: Instant) {
        let TurnState::Allocated(relayed) = self.state else {
            return;
        };
        if !self.is_permitted(peer) {
            if self.held.len() >= MAX_HELD {
                self.held.pop_front();
            }
            self.held.push_back((peer, data));
            self.ask_permission(relayed, peer, now);
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
        if let Ok(mut relay) = self.client.relay(relayed) {
            // It fails without a permission only, and there is one.
            let _ = relay.send_to(now, &data, peer);
        }
        self.drain(now);
    }

    fn is_permitted(&self, peer: SocketAddr) -> bool {
        self.permissions
            .iter()
            .any(|one| one.peer == peer && one.granted)
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

    /// Gives the allocation back to the server.
    pub(super) fn close(&mut self, now: Instant) {
        if let TurnState::Allocated(relayed) = self.state
            && let Ok(mut relay) = self.client.relay(relayed)
        {
            // It fails when the allocation is gone, which is what is wanted.
            let _ = relay.close(now);
        }
        self.drain(now);
        self.state = TurnState::Failed;
    }

    fn fail(&mut self) {
        self.state = TurnState::Failed;
        self.events.push_back(RelayEvent::Failed);
    }

    fn drain(&mut self, now: Instant) {
        while let Some(event) = self.client.poll_event() {
            self.take(event, now);
        }
        while let Some(write) = self.client.poll_write() {
            self.note_channel(&write.message, now);
            self.events.push_back(RelayEvent::Transmit(write.message));
        }
    }

    fn take(&mut self, event: Event, now: Instant) {
        match event {
            Event::AllocateResponse(_, relayed) if self.state == TurnState::Allocating => {
                self.state = TurnState::Allocated(relayed);
                self.events.push_back(RelayEvent::Allocated(relayed));
            }
            Event::AllocateError(..) if self.state == TurnState::Allocating => self.fail(),
            Event::TransactionTimeout(_) if self.state == TurnState::Allocating => self.fail(),
            Event::CreatePermissionResponse(_, peer) => self.grant(peer, now),
            Event::CreatePermissionError(transaction, error) => {
                self.refuse(transaction, &error, now);
            }
            Event::DataIndicationOrChannelData(_, peer, data) => {
                self.events.push_back(RelayEvent::Received(peer, data));
            }
            Event::AllocateResponse(..)
            | Event::AllocateError(..)
            | Event::TransactionTimeout(_)
            | Event::BindingResponse(..)
            | Event::BindingError(..)
            | _ => {}
        }
    }

    fn grant(&mut self, peer: SocketAddr, now: Instant) {
        for permission in self.permissions.iter_mut().filter(|one| one.peer == peer) {
            permission.granted = true;
        }
        let (held, rest) = self.held.drain(..).partition(|(to, _)| *to == peer);
        self.held = rest;
        for (peer, data) in held {
            self.send(peer, data, now);
        }
    }

    fn refuse(&mut self, transaction: TransactionId, error: &Error, now: Instant) {
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

    /// Learns a channel's number from the crate's own request for it.
    fn note_channel(&mut self, datagram: &[u8], now: Instant) {
        let Some(message) = Stun::parse(datagram) else {
            return;
        };
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
