use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rtc_crypto::{HmacAlgorithm, RTCCrypto};

const HEADER: usize = 20;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
/// A response has ten attributes at most.
const MOST_ATTRIBUTES: usize = 32;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const INTEGRITY_OCTETS: u16 = 20;

/// The longest that a server sends.
const LONGEST: usize = 2048;

/// What a stream of STUN messages begins with (RFC 8489 §6.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framed {
    /// Less than a message.
    Incomplete,
    /// A message of so many octets.
    Message(usize),
    /// Something else: nobody knows where the next message would begin.
    Foreign,
}

/// Returns what the octets of a stream begin with.
pub fn framed(octets: &[u8]) -> Framed {
    let cookie = octets.iter().skip(4).take(4);
    let is_stun = octets.first().is_none_or(|first| *first <= 3)
        && cookie
            .zip(COOKIE)
            .all(|(octet, expected)| *octet == expected);
    let Some(length) = octets.get(2..4) else {
        return if is_stun {
            Framed::Incomplete
        } else {
            Framed::Foreign
        };
    };
    let length = HEADER + usize::from(u16::from_be_bytes([length[0], length[1]]));
    match (
        is_stun && length.is_multiple_of(4) && length <= LONGEST,
        octets.len() >= length,
    ) {
        (false, _) => Framed::Foreign,
        (true, false) => Framed::Incomplete,
        (true, true) => Framed::Message(length),
    }
}

/// The identity of a request and its response.
pub type StunTransaction = [u8; 12];

/// What a message is (RFC 8489 §5, RFC 8656 §17).
pub(crate) mod kind {
    pub(crate) const BINDING: u16 = 0x0001;
    pub(crate) const BINDING_SUCCESS: u16 = 0x0101;
    pub(crate) const ALLOCATE: u16 = 0x0003;
    pub(crate) const REFRESH: u16 = 0x0004;
    pub(crate) const SEND: u16 = 0x0016;
    pub(crate) const DATA: u16 = 0x0017;
    pub(crate) const CREATE_PERMISSION: u16 = 0x0008;
    pub(crate) const SUCCESS: u16 = 0x0100;
    pub(crate) const ERROR: u16 = 0x0110;
}

/// Attributes (RFC 8489 §18.3, RFC 8656 §18, RFC 5780 §9.2).
pub(crate) mod attribute {
    pub(crate) const MAPPED_ADDRESS: u16 = 0x0001;
    pub(crate) const CHANGED_ADDRESS: u16 = 0x0005;
    pub(crate) const USERNAME: u16 = 0x0006;
    pub(crate) const ERROR_CODE: u16 = 0x0009;
    pub(crate) const LIFETIME: u16 = 0x000D;
    pub(crate) const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub(crate) const DATA: u16 = 0x0013;
    pub(crate) const REALM: u16 = 0x0014;
    pub(crate) const NONCE: u16 = 0x0015;
    pub(crate) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub(crate) const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub(crate) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
    pub(crate) const SOFTWARE: u16 = 0x8022;
    pub(crate) const OTHER_ADDRESS: u16 = 0x802C;
}

/// A message that is being written.
pub(crate) struct StunWriter(Vec<u8>);

impl StunWriter {
    pub(crate) fn new(kind: u16, transaction: &StunTransaction) -> Self {
        let mut octets = Vec::with_capacity(128);
        octets.extend_from_slice(&kind.to_be_bytes());
        octets.extend_from_slice(&[0, 0]);
        octets.extend_from_slice(&COOKIE);
        octets.extend_from_slice(transaction);
        StunWriter(octets)
    }

    /// Values are shorter than 64 KiB, as everything that comes in a datagram.
    pub(crate) fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&kind.to_be_bytes());
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(&value[..usize::from(length)]);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self.set_length(0);
        self
    }

    /// An address, hidden from those who translate what looks like one (RFC 8489 §14.2).
    pub(crate) fn address(self, kind: u16, address: SocketAddr) -> Self {
        let mask = self.mask();
        let mut value = match address {
            SocketAddr::V4(_) => vec![0, 1],
            SocketAddr::V6(_) => vec![0, 2],
        };
        value.extend(xor(&address.port().to_be_bytes(), &mask));
        match address.ip() {
            IpAddr::V4(ip) => value.extend(xor(&ip.octets(), &mask)),
            IpAddr::V6(ip) => value.extend(xor(&ip.octets(), &mask)),
        }
        self.attribute(kind, &value)
    }

    /// With MESSAGE-INTEGRITY (RFC 8489 §14.5); nothing if the system can't make one.
    pub(crate) fn sealed(mut self, key: &[u8], crypto: &dyn RTCCrypto) -> Option<Vec<u8>> {
        // The length counts to the end of what is added.
        self.set_length(INTEGRITY_OCTETS + 4);
        let mut seal = [0; INTEGRITY_OCTETS as usize];
        let mut mac = crypto.new_hmac(HmacAlgorithm::Sha1, key).ok()?;
        mac.sign(&[&self.0], &mut seal).ok()?;
        Some(self.attribute(MESSAGE_INTEGRITY, &seal).done())
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }

    fn set_length(&mut self, more: u16) {
        let length = u16::try_from(self.0.len() - HEADER).unwrap_or(u16::MAX);
        self.0[2..4].copy_from_slice(&length.saturating_add(more).to_be_bytes());
    }

    fn mask(&self) -> [u8; 16] {
        let mut mask = [0; 16];
        mask.copy_from_slice(&self.0[4..HEADER]);
        mask
    }
}

fn xor(octets: &[u8], mask: &[u8; 16]) -> Vec<u8> {
    octets.iter().zip(mask).map(|(a, b)| a ^ b).collect()
}

/// A question for the address from which it comes (RFC 8489 §12.1).
pub fn binding_request(transaction: &StunTransaction) -> Vec<u8> {
    StunWriter::new(kind::BINDING, transaction).done()
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StunReply {
    pub(crate) kind: u16,
    transaction: StunTransaction,
    attributes: Vec<(u16, Vec<u8>)>,
}

/// What a server answers to a [`binding_request`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindingAnswer {
    /// Where it came from, and where else the server can be asked (RFC 5780 §7.4).
    Mapped(SocketAddr, Option<SocketAddr>),
    /// A refusal.
    Refused(u16, String),
}

impl StunReply {
    /// Reads one message; nothing if it is none.
    pub fn read(octets: &[u8]) -> Option<Self> {
        let header = octets.first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] > 3 || header[4..8] != COOKIE || octets.len() != HEADER + length {
            return None;
        }
        let mut attributes = Vec::new();
        let mut rest = &octets[HEADER..];
        while !rest.is_empty() && attributes.len() < MOST_ATTRIBUTES {
            let head = rest.first_chunk::<4>()?;
            let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
            let value = rest.get(4..4 + length)?;
            attributes.push((u16::from_be_bytes([head[0], head[1]]), value.to_vec()));
            rest = rest.get((4 + length).next_multiple_of(4)..).unwrap_or(&[]);
        }
        let mut transaction = [0; 12];
        transaction.copy_from_slice(&header[8..]);
        Some(StunReply {
            kind: u16::from_be_bytes([header[0], header[1]]),
            transaction,
            attributes,
        })
    }

    /// Whether this answers that request.
    pub fn answers(&self, transaction: &StunTransaction) -> bool {
        self.transaction == *transaction
    }

    /// What it says as the answer to a [`binding_request`]; nothing if it is none.
    pub fn binding(&self) -> Option<BindingAnswer> {
        if self.kind == kind::BINDING | kind::ERROR {
            let (code, reason) = self.error()?;
            return Some(BindingAnswer::Refused(code, reason));
        }
        if self.kind != kind::BINDING_SUCCESS {
            return None;
        }
        let xored = self.address(attribute::XOR_MAPPED_ADDRESS);
        let mapped = xored.or_else(|| self.plain_address(attribute::MAPPED_ADDRESS))?;
        let other = self.plain_address(attribute::OTHER_ADDRESS);
        let other = other.or_else(|| self.plain_address(attribute::CHANGED_ADDRESS));
        Some(BindingAnswer::Mapped(mapped, other))
    }

    pub(crate) fn attribute(&self, kind: u16) -> Option<&[u8]> {
        let mut found = self.attributes.iter().filter(|(one, _)| *one == kind);
        found.next().map(|(_, value)| value.as_slice())
    }

    pub(crate) fn text(&self, kind: u16) -> Option<String> {
        let value = self.attribute(kind)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    pub(crate) fn number(&self, kind: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.attribute(kind)?.try_into().ok()?))
    }

    pub(crate) fn error(&self) -> Option<(u16, String)> {
        let value = self.attribute(attribute::ERROR_CODE)?;
        let code = u16::from(value.get(2)? & 7) * 100 + u16::from(*value.get(3)?);
        let reason = String::from_utf8_lossy(&value[4..]).into_owned();
        Some((code, reason))
    }

    pub(crate) fn address(&self, kind: u16) -> Option<SocketAddr> {
        let mut mask = [0; 16];
        mask[..4].copy_from_slice(&COOKIE);
        mask[4..].copy_from_slice(&self.transaction);
        let value = self.attribute(kind)?;
        let port = xor(value.get(2..4)?, &mask);
        read_address(value.get(1)?, &port, &xor(value.get(4..)?, &mask))
    }

    fn plain_address(&self, kind: u16) -> Option<SocketAddr> {
        let value = self.attribute(kind)?;
        read_address(value.get(1)?, value.get(2..4)?, value.get(4..)?)
    }
}

fn read_address(family: &u8, port: &[u8], ip: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(port.try_into().ok()?);
    let ip = match family {
        1 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(ip).ok()?)),
        2 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(ip).ok()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_on_a_stream_are_told_from_what_is_none() {
        let message = binding_request(&[7; 12]);
        for end in 0..message.len() {
            assert_eq!(framed(&message[..end]), Framed::Incomplete, "{end}");
        }
        let two = [&message[..], &message].concat();
        assert_eq!(framed(&two), Framed::Message(message.len()));
        for foreign in [
            &b"HTTP/1.1 400 Bad Request"[..],
            b"S",
            b"\x00\x01\x00\x03\x21\x12\xa4\x42",
            b"\x01\x01\xff\xfc\x21\x12\xa4\x42",
            b"\x01\x01\x00\x00\x21\x12\xa4\x43",
        ] {
            assert_eq!(framed(foreign), Framed::Foreign, "{foreign:?}");
        }
    }

    const TRANSACTION: StunTransaction = *b"abcdefghijkl";

    #[test]
    fn an_address_is_read_as_it_was_written() {
        for address in ["192.0.2.1:32853", "[2001:db8::1]:9"] {
            let address: SocketAddr = address.parse().unwrap();
            let message = StunWriter::new(kind::BINDING_SUCCESS, &TRANSACTION)
                .attribute(attribute::SOFTWARE, b"odd")
                .address(attribute::XOR_MAPPED_ADDRESS, address)
                .done();
            let reply = StunReply::read(&message).unwrap();
            assert!(reply.answers(&TRANSACTION));
            assert_eq!(reply.binding(), Some(BindingAnswer::Mapped(address, None)));
        }
    }

    // RFC 5769 §2.2.
    #[test]
    fn the_answer_of_the_rfcs_test_vectors_is_read() {
        let octets = [
            0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34,
            0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74,
            0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01,
            0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43, 0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99,
            0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9, 0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b,
            0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
        ];
        let reply = StunReply::read(&octets).unwrap();
        let expected = "192.0.2.1:32853".parse().unwrap();
        assert_eq!(reply.binding(), Some(BindingAnswer::Mapped(expected, None)));
    }

    #[test]
    fn what_is_cut_or_none_is_no_message() {
        let whole = StunWriter::new(kind::BINDING_SUCCESS, &TRANSACTION)
            .attribute(attribute::SOFTWARE, b"a server")
            .done();
        for length in 0..whole.len() {
            assert_eq!(StunReply::read(&whole[..length]), None, "{length}");
        }
        let mut lying = whole.clone();
        lying[23] = 200;
        assert_eq!(StunReply::read(&lying), None);
        assert_eq!(StunReply::read(b"HTTP/1.1 400 Bad Request\r\n\r\n"), None);
    }
}
