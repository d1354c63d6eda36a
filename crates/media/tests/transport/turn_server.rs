//! A STUN and TURN server over UDP, no larger than the tests need (RFC 8489, RFC 8656).

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtc_crypto::RTCCryptoProvider;
use rtc_stun::attributes::{ATTR_MESSAGE_INTEGRITY, ATTR_NONCE, ATTR_REALM, AttrType};
use rtc_stun::fingerprint::FINGERPRINT;
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    CLASS_ERROR_RESPONSE, CLASS_INDICATION, CLASS_REQUEST, CLASS_SUCCESS_RESPONSE, METHOD_ALLOCATE,
    METHOD_BINDING, METHOD_CHANNEL_BIND, METHOD_CREATE_PERMISSION, METHOD_DATA, METHOD_REFRESH,
    METHOD_SEND, Message, MessageClass, MessageType, Method, Setter, TransactionId,
};
use rtc_stun::xoraddr::XorMappedAddress;

const XOR_PEER_ADDRESS: AttrType = AttrType(0x0012);
const XOR_RELAYED_ADDRESS: AttrType = AttrType(0x0016);
const XOR_MAPPED_ADDRESS: AttrType = AttrType(0x0020);
const CHANNEL_NUMBER: AttrType = AttrType(0x000C);
const LIFETIME: AttrType = AttrType(0x000D);
const DATA: AttrType = AttrType(0x0013);
const ERROR_CODE: AttrType = AttrType(0x0009);
const REALM: &str = "offhook.test";
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);
const ALLOCATION_LIFETIME: Duration = Duration::from_secs(600);

type Datagram = (SocketAddr, SocketAddr, Vec<u8>);

#[derive(Debug)]
pub(crate) struct Allocation {
    pub(crate) relayed: SocketAddr,
    pub(crate) permissions: BTreeMap<IpAddr, Instant>,
    pub(crate) channels: BTreeMap<u16, SocketAddr>,
    pub(crate) expires: Instant,
}

pub(crate) struct TurnServer {
    pub(crate) address: SocketAddr,
    pub(crate) allocations: BTreeMap<SocketAddr, Allocation>,
    /// Says nothing at all.
    pub(crate) silent: bool,
    /// What every allocation is refused with.
    pub(crate) refuses: Option<u16>,
    /// What every refresh is refused with.
    pub(crate) refuses_refresh: Option<u16>,
    /// Nonces that are stale at once.
    pub(crate) stale: u32,
    /// What it says instead of the truth about an address.
    pub(crate) lie: Option<SocketAddr>,
    /// The requests that were authentic, by method.
    pub(crate) requests: BTreeMap<u16, u32>,
    pub(crate) channel_data: u64,
    pub(crate) indications: u64,
    used_nonces: BTreeSet<String>,
    nonce: String,
    relay_ip: IpAddr,
    next_port: u16,
    provider: Arc<dyn RTCCryptoProvider>,
}

impl TurnServer {
    pub(crate) const USERNAME: &str = "user";
    pub(crate) const PASSWORD: &str = "turn-password";

    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            allocations: BTreeMap::new(),
            silent: false,
            refuses: None,
            refuses_refresh: None,
            stale: 0,
            lie: None,
            requests: BTreeMap::new(),
            channel_data: 0,
            indications: 0,
            used_nonces: BTreeSet::new(),
            nonce: "nonce-0".to_owned(),
            relay_ip: address.ip(),
            next_port: 50_000,
            provider: rtc_crypto::default_provider().unwrap(),
        }
    }

    pub(crate) fn owns(&self, address: SocketAddr) -> bool {
        address.ip() == self.relay_ip
    }

    /// Makes every nonce given out so far stale.
    pub(crate) fn change_nonce(&mut self) {
        self.used_nonces.insert(self.nonce.clone());
        self.nonce = format!("nonce-{}", self.used_nonces.len());
    }

    pub(crate) fn handle(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Vec<Datagram> {
        self.allocations.retain(|_, one| one.expires > now);
        if self.silent {
            return Vec::new();
        }
        if to != self.address {
            return self.relay_inward(from, to, bytes, now);
        }
        if bytes[0] >= 0x40 {
            return self.relay_channel(from, bytes, now);
        }
        let mut message = Message {
            raw: bytes.to_vec(),
            ..Message::default()
        };
        if message.decode().is_err() {
            return Vec::new();
        }
        match (message.typ.class, message.typ.method) {
            (CLASS_INDICATION, METHOD_SEND) => self.relay_indication(from, &message, now),
            (CLASS_REQUEST, METHOD_BINDING) => {
                self.answer(from, &message, CLASS_SUCCESS_RESPONSE, |answer| {
                    add_address(answer, XOR_MAPPED_ADDRESS, self.lie.unwrap_or(from));
                })
            }
            (CLASS_REQUEST, method) => self.request(from, &mut message, method, now),
            _ => Vec::new(),
        }
    }

    fn request(
        &mut self,
        from: SocketAddr,
        message: &mut Message,
        method: Method,
        now: Instant,
    ) -> Vec<Datagram> {
        let nonce = message.get(ATTR_NONCE).ok();
        if !message.contains(ATTR_MESSAGE_INTEGRITY) || nonce.is_none() {
            return self.refuse(from, message, 401);
        }
        let key = MessageIntegrity::long_term_integrity_key(
            Self::USERNAME.to_owned(),
            REALM.to_owned(),
            Self::PASSWORD.to_owned(),
            self.provider.crypto(),
        )
        .unwrap();
        if MessageIntegrity::check(message, &key, self.provider.crypto()).is_err() {
            return self.refuse(from, message, 401);
        }
        if self.stale > 0 {
            self.stale -= 1;
            self.change_nonce();
        }
        if nonce != Some(self.nonce.clone().into_bytes()) {
            return self.refuse(from, message, 438);
        }
        let code = MessageType::new(method, CLASS_REQUEST).value();
        *self.requests.entry(code).or_default() += 1;
        match method {
            METHOD_ALLOCATE => self.allocate(from, message, now),
            METHOD_REFRESH => self.refresh(from, message, now),
            METHOD_CREATE_PERMISSION => self.permit(from, message, now),
            METHOD_CHANNEL_BIND => self.bind(from, message, now),
            _ => self.refuse(from, message, 400),
        }
    }

    fn allocate(&mut self, from: SocketAddr, message: &Message, now: Instant) -> Vec<Datagram> {
        if let Some(code) = self.refuses {
            return self.refuse(from, message, code);
        }
        if self.allocations.contains_key(&from) {
            return self.refuse(from, message, 437);
        }
        let relayed = SocketAddr::new(self.relay_ip, self.next_port);
        self.next_port += 1;
        let allocation = Allocation {
            relayed,
            permissions: BTreeMap::new(),
            channels: BTreeMap::new(),
            expires: now + ALLOCATION_LIFETIME,
        };
        self.allocations.insert(from, allocation);
        self.answer(from, message, CLASS_SUCCESS_RESPONSE, |answer| {
            add_address(answer, XOR_RELAYED_ADDRESS, self.lie.unwrap_or(relayed));
            add_address(answer, XOR_MAPPED_ADDRESS, from);
            answer.add(LIFETIME, &600u32.to_be_bytes());
        })
    }

    fn refresh(&mut self, from: SocketAddr, message: &Message, now: Instant) -> Vec<Datagram> {
        if let Some(code) = self.refuses_refresh {
            return self.refuse(from, message, code);
        }
        let lifetime = message.get(LIFETIME).unwrap();
        let seconds = u32::from_be_bytes(lifetime.try_into().unwrap());
        let Some(allocation) = self.allocations.get_mut(&from) else {
            return self.refuse(from, message, 437);
        };
        allocation.expires = now + Duration::from_secs(seconds.into());
        if seconds == 0 {
            self.allocations.remove(&from);
        }
        self.answer(from, message, CLASS_SUCCESS_RESPONSE, |answer| {
            answer.add(LIFETIME, &seconds.to_be_bytes());
        })
    }

    fn permit(&mut self, from: SocketAddr, message: &Message, now: Instant) -> Vec<Datagram> {
        let peers = addresses(message);
        let Some(allocation) = self.allocations.get_mut(&from) else {
            return self.refuse(from, message, 437);
        };
        for peer in peers {
            let until = now + PERMISSION_LIFETIME;
            allocation.permissions.insert(peer.ip(), until);
        }
        self.answer(from, message, CLASS_SUCCESS_RESPONSE, |_| {})
    }

    fn bind(&mut self, from: SocketAddr, message: &Message, now: Instant) -> Vec<Datagram> {
        let number = message.get(CHANNEL_NUMBER).unwrap();
        let number = u16::from_be_bytes([number[0], number[1]]);
        let peer = addresses(message)[0];
        let Some(allocation) = self.allocations.get_mut(&from) else {
            return self.refuse(from, message, 437);
        };
        let until = now + PERMISSION_LIFETIME;
        allocation.permissions.insert(peer.ip(), until);
        allocation.channels.insert(number, peer);
        self.answer(from, message, CLASS_SUCCESS_RESPONSE, |_| {})
    }

    fn relay_indication(
        &mut self,
        from: SocketAddr,
        message: &Message,
        now: Instant,
    ) -> Vec<Datagram> {
        self.indications += 1;
        let (peer, data) = (addresses(message)[0], message.get(DATA).unwrap());
        self.relay_outward(from, peer, data, now)
    }

    fn relay_channel(&mut self, from: SocketAddr, bytes: &[u8], now: Instant) -> Vec<Datagram> {
        self.channel_data += 1;
        let number = u16::from_be_bytes([bytes[0], bytes[1]]);
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        let allocation = self.allocations.get(&from);
        let peer = allocation.and_then(|one| one.channels.get(&number).copied());
        let Some(peer) = peer else {
            return Vec::new();
        };
        self.relay_outward(from, peer, bytes[4..4 + length].to_vec(), now)
    }

    fn relay_outward(
        &mut self,
        from: SocketAddr,
        peer: SocketAddr,
        data: Vec<u8>,
        now: Instant,
    ) -> Vec<Datagram> {
        self.allocations
            .get(&from)
            .filter(|one| one.permissions.get(&peer.ip()).is_some_and(|at| *at > now))
            .map(|one| (one.relayed, peer, data))
            .into_iter()
            .collect()
    }

    fn relay_inward(
        &mut self,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &[u8],
        now: Instant,
    ) -> Vec<Datagram> {
        let found = self.allocations.iter().find(|(_, one)| one.relayed == to);
        let Some((client, allocation)) = found else {
            return Vec::new();
        };
        let permitted = allocation.permissions.get(&from.ip());
        if permitted.is_none_or(|until| *until <= now) {
            return Vec::new();
        }
        let channel = allocation.channels.iter().find(|(_, peer)| **peer == from);
        let framed = match channel {
            Some((number, _)) => {
                let mut framed = number.to_be_bytes().to_vec();
                let length = u16::try_from(bytes.len()).unwrap();
                framed.extend_from_slice(&length.to_be_bytes());
                framed.extend_from_slice(bytes);
                framed
            }
            None => {
                let mut message = Message::new();
                message.transaction_id = TransactionId::new();
                message.set_type(MessageType::new(METHOD_DATA, CLASS_INDICATION));
                message.write_header();
                add_address(&mut message, XOR_PEER_ADDRESS, from);
                message.add(DATA, bytes);
                message.raw
            }
        };
        vec![(self.address, *client, framed)]
    }

    fn refuse(&mut self, from: SocketAddr, message: &Message, code: u16) -> Vec<Datagram> {
        let nonce = self.nonce.clone();
        self.answer(from, message, CLASS_ERROR_RESPONSE, |answer| {
            let code = [0, 0, (code / 100) as u8, (code % 100) as u8];
            answer.add(ERROR_CODE, &code);
            answer.add(ATTR_REALM, REALM.as_bytes());
            answer.add(ATTR_NONCE, nonce.as_bytes());
        })
    }

    fn answer(
        &self,
        to: SocketAddr,
        request: &Message,
        class: MessageClass,
        fill: impl FnOnce(&mut Message),
    ) -> Vec<Datagram> {
        let mut answer = Message::new();
        answer.transaction_id = request.transaction_id;
        answer.set_type(MessageType::new(request.typ.method, class));
        answer.write_header();
        fill(&mut answer);
        FINGERPRINT.add_to(&mut answer).unwrap();
        vec![(self.address, to, answer.raw)]
    }
}

fn add_address(message: &mut Message, attribute: AttrType, address: SocketAddr) {
    let value = XorMappedAddress {
        ip: address.ip(),
        port: address.port(),
    };
    value.add_to_as(message, attribute).unwrap();
}

fn addresses(message: &Message) -> Vec<SocketAddr> {
    let mut single = Message::new();
    single.transaction_id = message.transaction_id;
    message
        .attributes
        .0
        .iter()
        .filter(|attribute| attribute.typ == XOR_PEER_ADDRESS)
        .map(|attribute| {
            let mut holder = single.clone();
            holder.write_header();
            holder.add(XOR_PEER_ADDRESS, &attribute.value);
            let mut address = XorMappedAddress::default();
            address.get_from_as(&holder, XOR_PEER_ADDRESS).unwrap();
            SocketAddr::new(address.ip, address.port)
        })
        .collect()
}
