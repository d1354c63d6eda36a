//! One allocation on a TURN server (RFC 8656), over UDP or a stream.
//!
//! The crate allocates, refreshes, and asks for permissions and channels. Its data path looks a
//! peer up by the text of its address and copies each packet three times, so packets of a bound
//! channel are framed here; now and then one goes through the crate, which renews the channel.
//! It forgets a nonce that goes stale between two requests for an allocation, and tells no refusal of
//! a refresh: both are made good here.

mod peers;

use std::collections::VecDeque;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_crypto::RTCCryptoProvider;
use rtc_shared::error::Error;
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use rtc_stun::message::TransactionId;
use rtc_turn::client::{Client, ClientConfig, Event};
use sansio::Protocol as _;

use super::config::{LinkId, PathId};
use super::ice::is_reachable;
use super::output::{LinkEvent, RelayProtocol, ServerFault};
use super::parameters::Secret;
use super::stream::{Channels, Deframer};
use super::stun::{ALLOCATE, BINDING, Class, LIFETIME, REFRESH, Stun, Transaction};
use peers::{Channel, Destination, Permission};

/// Keeps the NAT's mapping to the server, and notices a stale nonce long before the permissions
/// and the allocation lapse: the crate repeats nothing that was refused for it.
const REFRESH_INTERVAL: Duration = Duration::from_secs(25);
/// Requests for an allocation whose nonce was stale when they came.
const MAX_STALE: u8 = 3;
/// RFC 8489 §14.8 and RFC 8656 §19.
const STALE_NONCE: u16 = 438;
const ALLOCATION_MISMATCH: u16 = 437;
/// RFC 8656 §3.2: what an allocation lives for if nothing else is said.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

/// How the server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    /// From this socket, to this address of the server.
    Socket(PathId, SocketAddr),
    /// By a stream, with TLS or without.
    Link(LinkId, bool),
}

/// What an allocation wants.
#[derive(Debug)]
pub(super) enum RelayEvent {
    /// Send this to the server.
    Transmit(BytesMut),
    /// The server gave us an address.
    Allocated(SocketAddr),
    /// The server gives us none, or no longer.
    Failed(ServerFault),
    /// It refuses to go on, and what it gave ends by itself.
    Refused(ServerFault),
    /// A peer sent this to our address.
    Received(SocketAddr, BytesMut),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TurnState {
    /// Waits for its stream.
    Connecting,
    Allocating,
    Allocated(SocketAddr),
    Failed,
}

/// An allocation and its peers.
pub(super) struct Relay {
    pub(super) via: Via,
    /// Which of the servers that were asked.
    pub(super) server: usize,
    /// Our end of the way to it; unspecified while it is not known.
    local: SocketAddr,
    client: Client,
    state: TurnState,
    deframer: Deframer,
    /// The last error that an allocation was refused with.
    refusal: Option<ServerFault>,
    stale: u8,
    /// When the server lets go of the allocation unless it is refreshed.
    expires: Option<Instant>,
    /// The latest refresh.
    refresh: Option<Transaction>,
    /// No refresh was answered of late.
    silent: bool,
    /// What the last refresh was refused with, if that were the credentials.
    refused: Option<ServerFault>,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
    destinations: VecDeque<Destination>,
    held: VecDeque<(SocketAddr, BytesMut)>,
    events: VecDeque<RelayEvent>,
}

impl fmt::Debug for Relay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Relay")
            .field("via", &self.via)
            .field("server", &self.server)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl Relay {
    /// Asks the server for an address, by a socket at once, by a stream when that is up.
    pub(super) fn new(
        via: Via,
        local: SocketAddr,
        server: usize,
        (username, password): (&str, &Secret),
        provider: Arc<dyn RTCCryptoProvider>,
        now: Instant,
    ) -> Result<Self, Error> {
        let (address, protocol) = match via {
            Via::Socket(_, address) => (address, TransportProtocol::UDP),
            // Only who opens the stream knows where it leads; the crate must have something.
            Via::Link(..) => (UNKNOWN, TransportProtocol::TCP),
        };
        let config = ClientConfig {
            // An address in digits: anything else would be resolved here, blocking.
            turn_serv_addr: address.to_string(),
            local_addr: local,
            transport_protocol: protocol,
            username: username.to_owned(),
            password: password.expose().to_owned(),
            allocation_refresh_interval_cap: Some(REFRESH_INTERVAL),
            ..ClientConfig::default()
        };
        let mut relay = Self {
            via,
            server,
            local,
            client: Client::new(config, provider)?,
            state: TurnState::Connecting,
            deframer: Deframer::default(),
            refusal: None,
            stale: 0,
            expires: None,
            refresh: None,
            silent: false,
            refused: None,
            permissions: Vec::new(),
            channels: Vec::new(),
            destinations: VecDeque::new(),
            held: VecDeque::new(),
            events: VecDeque::new(),
        };
        match via {
            Via::Socket(..) => relay.allocate(now)?,
            Via::Link(..) => {}
        }
        Ok(relay)
    }

    fn allocate(&mut self, now: Instant) -> Result<(), Error> {
        self.client.allocate(now)?;
        self.state = TurnState::Allocating;
        self.drain(now);
        Ok(())
    }

    /// Takes what happened to its stream.
    pub(super) fn handle_link(&mut self, event: LinkEvent<'_>, now: Instant) {
        match event {
            LinkEvent::Up(local) if self.state == TurnState::Connecting => {
                self.local = local;
                // It fails without cryptography only.
                if self.allocate(now).is_err() {
                    self.fail(ServerFault::Nonsense);
                }
            }
            LinkEvent::Up(_) => {}
            LinkEvent::Octets(octets) => self.handle_octets(octets, now),
            LinkEvent::Down(reason) => self.fail(ServerFault::Unreachable(reason)),
        }
    }

    fn handle_octets(&mut self, octets: &[u8], now: Instant) {
        let channels = match self.state {
            TurnState::Connecting | TurnState::Failed => return,
            TurnState::Allocating => Channels::None,
            TurnState::Allocated(_) => Channels::Possible,
        };
        let mut deframer = std::mem::take(&mut self.deframer);
        let read = deframer.push(octets, channels, |message| {
            self.handle_datagram(message, now);
        });
        self.deframer = deframer;
        if read.is_err() {
            self.fail(ServerFault::Nonsense);
        }
    }

    /// Returns the address of this machine that the way to the server begins at, if it is known.
    pub(super) fn local(&self) -> Option<SocketAddr> {
        (!self.local.ip().is_unspecified()).then_some(self.local)
    }

    /// Returns whether what the server gave is of no more use.
    pub(super) fn is_lost(&self) -> bool {
        self.silent || self.state == TurnState::Failed
    }

    pub(super) fn protocol(&self) -> RelayProtocol {
        match self.via {
            Via::Socket(..) => RelayProtocol::Udp,
            Via::Link(_, false) => RelayProtocol::Tcp,
            Via::Link(_, true) => RelayProtocol::Tls,
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        self.state == TurnState::Failed
    }

    pub(super) fn is_allocated(&self) -> bool {
        matches!(self.state, TurnState::Allocated(_))
    }

    pub(super) fn is_settled(&self) -> bool {
        match self.state {
            TurnState::Connecting | TurnState::Allocating => false,
            TurnState::Allocated(_) | TurnState::Failed => true,
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<RelayEvent> {
        self.events.pop_front()
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        match self.state {
            TurnState::Allocating => self.client.poll_timeout(),
            TurnState::Allocated(_) => {
                let due = self.client.poll_timeout();
                due.into_iter().chain(self.expires).min()
            }
            TurnState::Connecting | TurnState::Failed => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            // Its signature allows an error; there is none.
            let _ = self.client.handle_timeout(now);
            self.drain(now);
            if self.expires.is_some_and(|expires| expires <= now) {
                self.fail(ServerFault::Forgotten);
            }
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

    fn handle_stun(&mut self, datagram: &[u8], now: Instant) -> bool {
        let Some(message) = Stun::parse(datagram) else {
            return false;
        };
        if message.method == BINDING || message.class == Class::Request {
            return false;
        }
        let transaction = message.transaction;
        if self.client.has_transaction(&TransactionId(transaction)) {
            self.note_response(&message, now);
        }
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
                // It looks at neither.
                peer_addr: UNKNOWN,
                transport_protocol: TransportProtocol::UDP,
                ecn: None,
            },
            message: BytesMut::from(datagram),
        });
        self.drain(now);
        if read.is_err() && self.state == TurnState::Allocating {
            self.fail(ServerFault::Nonsense);
        }
        true
    }

    /// Learns from a response what the crate does not tell.
    fn note_response(&mut self, message: &Stun<'_>, now: Instant) {
        self.silent = false;
        match (message.method, message.class) {
            (ALLOCATE | REFRESH, Class::Success) => {
                self.refused = None;
                let seconds = message.attribute(LIFETIME);
                let seconds = seconds.and_then(|value| value.try_into().ok());
                let lifetime = seconds.map_or(DEFAULT_LIFETIME, |octets| {
                    Duration::from_secs(u32::from_be_bytes(octets).into())
                });
                self.expires = Some(now + lifetime);
            }
            (ALLOCATE, Class::Error) => self.refusal = refusal(message),
            (REFRESH, Class::Error) => match refusal(message) {
                Some(ServerFault::Refused {
                    code: STALE_NONCE, ..
                })
                | None => {}
                Some(ServerFault::Refused {
                    code: ALLOCATION_MISMATCH,
                    ..
                }) => {
                    self.fail(ServerFault::Forgotten);
                }
                // What it gave may go on for minutes, and with it the call.
                Some(fault) => {
                    if fault.refuses_login() {
                        self.refused = Some(fault.clone());
                    }
                    self.events.push_back(RelayEvent::Refused(fault));
                }
            },
            (_, Class::Request | Class::Indication | Class::Success | Class::Error) => {}
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

    /// Returns why the server will not go on with these credentials, if it has said so.
    pub(super) fn take_refused(&mut self) -> Option<ServerFault> {
        self.refused.take()
    }

    /// Does without what the server gave.
    pub(super) fn give_up(&mut self, fault: ServerFault) {
        self.fail(fault);
    }

    fn fail(&mut self, fault: ServerFault) {
        if self.state != TurnState::Failed {
            self.state = TurnState::Failed;
            self.events.push_back(RelayEvent::Failed(fault));
        }
    }

    /// A nonce may go stale between the two requests that an allocation takes.
    fn allocation_refused(&mut self, now: Instant) {
        let fault = self.refusal.take().unwrap_or(ServerFault::Nonsense);
        let is_stale = matches!(
            fault,
            ServerFault::Refused {
                code: STALE_NONCE,
                ..
            }
        );
        self.stale += u8::from(is_stale);
        if !is_stale || self.stale > MAX_STALE || self.allocate(now).is_err() {
            self.fail(fault);
        }
    }

    fn allocated(&mut self, relayed: SocketAddr) {
        let is_here = match self.via {
            Via::Socket(_, server) => server.ip().is_loopback(),
            Via::Link(..) => self.local.ip().is_loopback(),
        };
        if !is_reachable(relayed) || relayed.ip().is_loopback() && !is_here {
            return self.fail(ServerFault::ImpossibleAddress(relayed));
        }
        self.state = TurnState::Allocated(relayed);
        self.events.push_back(RelayEvent::Allocated(relayed));
    }

    fn drain(&mut self, now: Instant) {
        while let Some(event) = self.client.poll_event() {
            self.take(event, now);
        }
        while let Some(write) = self.client.poll_write() {
            self.note_request(&write.message, now);
            self.events.push_back(RelayEvent::Transmit(write.message));
        }
    }

    fn take(&mut self, event: Event, now: Instant) {
        match event {
            Event::AllocateResponse(_, relayed) if self.state == TurnState::Allocating => {
                self.allocated(relayed);
            }
            Event::AllocateError(..) if self.state == TurnState::Allocating => {
                self.allocation_refused(now)
            }
            Event::TransactionTimeout(_) if self.state == TurnState::Allocating => {
                self.fail(ServerFault::Silent);
            }
            // It may be heard again: whether the path is dead is its own affair.
            Event::TransactionTimeout(id) if self.refresh == Some(id.0) => self.silent = true,
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
}

/// In place of the address of a server that a stream leads to.
const UNKNOWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

fn refusal(message: &Stun<'_>) -> Option<ServerFault> {
    let code = message.error_code()?;
    let reason = message.error_reason();
    Some(ServerFault::Refused { code, reason })
}
