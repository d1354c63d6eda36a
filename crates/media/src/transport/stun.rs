//! STUN messages, read strictly before any other code sees them, and the few that we write.
//!
//! The ICE crate looks at attributes before it authenticates a message, and looks at all of them,
//! even those that stand behind MESSAGE-INTEGRITY, where anybody may add some. So a message is
//! first read here, and only a well-formed and authentic one goes further.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rtc_crypto::{HmacAlgorithm, RTCCrypto};
use rtc_ice::attributes::control::{AttrControlled, AttrControlling};
use rtc_ice::attributes::priority::PriorityAttr;
use rtc_ice::attributes::use_candidate::UseCandidateAttr;
use rtc_stun::attributes::ATTR_USERNAME;
use rtc_stun::error_code::CODE_ROLE_CONFLICT;
use rtc_stun::fingerprint::{FINGERPRINT, fingerprint_value};
use rtc_stun::integrity::MessageIntegrity;
use rtc_stun::message::{
    BINDING_ERROR, BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId,
};
use rtc_stun::textattrs::Username;
use rtc_stun::xoraddr::XorMappedAddress;

use super::parameters::Secret;

const HEADER: usize = 20;
pub(super) const COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
/// A check has six attributes; peers add a few of their own.
const MAX_ATTRIBUTES: usize = 32;

/// RFC 8489 §14.8 allows 127 characters.
const MAX_REASON: usize = 127;

/// The methods (RFC 8489 §18.2, RFC 8656 §17).
pub(super) const BINDING: u16 = 0x0001;
pub(super) const ALLOCATE: u16 = 0x0003;
pub(super) const REFRESH: u16 = 0x0004;
pub(super) const CHANNEL_BIND: u16 = 0x0009;

pub(super) const USERNAME: u16 = 0x0006;
const MESSAGE_INTEGRITY: u16 = 0x0008;
const ERROR_CODE: u16 = 0x0009;
pub(super) const CHANNEL_NUMBER: u16 = 0x000C;
pub(super) const LIFETIME: u16 = 0x000D;
pub(super) const XOR_PEER_ADDRESS: u16 = 0x0012;
pub(super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
pub(super) const USE_CANDIDATE: u16 = 0x0025;
const FINGERPRINT_ATTRIBUTE: u16 = 0x8028;
pub(super) const ICE_CONTROLLED: u16 = 0x8029;
pub(super) const ICE_CONTROLLING: u16 = 0x802A;

/// The identity of a request and its response.
pub(super) type Transaction = [u8; 12];

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Request,
    Indication,
    Success,
    Error,
}

/// A well-formed STUN message, borrowed from its datagram.
///
/// Nothing but FINGERPRINT stands behind MESSAGE-INTEGRITY, and nothing behind FINGERPRINT.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stun<'a> {
    raw: &'a [u8],
    pub(super) class: Class,
    pub(super) method: u16,
    pub(super) transaction: Transaction,
    integrity_at: Option<usize>,
    pub(super) fingerprint: bool,
}

impl<'a> Stun<'a> {
    /// Reads a message, or returns `None` when it is not strictly well-formed.
    pub(super) fn parse(raw: &'a [u8]) -> Option<Self> {
        let header = raw.first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if header[0] > 3
            || header[4..8] != COOKIE
            || length % 4 != 0
            || raw.len() != HEADER + length
        {
            return None;
        }
        let kind = u16::from_be_bytes([header[0], header[1]]);
        let mut message = Self {
            raw,
            class: class(kind),
            method: kind & 0x3EEF,
            transaction: *raw[8..].first_chunk()?,
            integrity_at: None,
            fingerprint: false,
        };
        let mut count = 0;
        let mut at = HEADER;
        while at < raw.len() {
            let (kind, value, next) = attribute_at(raw, at)?;
            count += 1;
            if count > MAX_ATTRIBUTES || message.fingerprint {
                return None;
            }
            match kind {
                FINGERPRINT_ATTRIBUTE => {
                    let value = u32::from_be_bytes(value.try_into().ok()?);
                    if value != fingerprint_value(&raw[..at]) {
                        return None;
                    }
                    message.fingerprint = true;
                }
                MESSAGE_INTEGRITY if message.integrity_at.is_none() && value.len() == 20 => {
                    message.integrity_at = Some(at);
                }
                MESSAGE_INTEGRITY => return None,
                _ if message.integrity_at.is_some() => return None,
                _ => {}
            }
            at = next;
        }
        Some(message)
    }

    /// Finds the first attribute of a kind.
    pub(super) fn attribute(&self, wanted: u16) -> Option<&'a [u8]> {
        let mut at = HEADER;
        while let Some((kind, value, next)) = attribute_at(self.raw, at) {
            if kind == wanted {
                return Some(value);
            }
            at = next;
        }
        None
    }

    /// Checks MESSAGE-INTEGRITY with a short-term key, in constant time.
    pub(super) fn is_authentic(&self, key: &Secret, crypto: &dyn RTCCrypto) -> bool {
        let Some(at) = self.integrity_at else {
            return false;
        };
        // RFC 8489 §14.5: the length field counts up to the end of MESSAGE-INTEGRITY.
        let Ok(length) = u16::try_from(at + 24 - HEADER) else {
            return false;
        };
        let mut start = [0; 4];
        start.copy_from_slice(&self.raw[..4]);
        start[2..].copy_from_slice(&length.to_be_bytes());
        crypto
            .new_hmac(HmacAlgorithm::Sha1, key.expose().as_bytes())
            .and_then(|mut mac| mac.verify(&[&start, &self.raw[4..at]], &self.raw[at + 4..at + 24]))
            .is_ok()
    }

    /// Splits USERNAME into the receiver's and the sender's fragment.
    pub(super) fn fragments(&self) -> Option<(&'a str, &'a str)> {
        std::str::from_utf8(self.attribute(USERNAME)?)
            .ok()?
            .split_once(':')
    }

    /// Reads the error code of an error response.
    pub(super) fn error_code(&self) -> Option<u16> {
        let value = self.attribute(ERROR_CODE)?.get(2..4)?;
        Some(u16::from(value[0] & 7) * 100 + u16::from(value[1]))
    }

    /// Reads the reason that an error response gives, made fit to be shown.
    pub(super) fn error_reason(&self) -> String {
        let reason = self.attribute(ERROR_CODE).and_then(|value| value.get(4..));
        let text = String::from_utf8_lossy(reason.unwrap_or_default());
        let shown = text.chars().filter(|character| !character.is_control());
        shown.take(MAX_REASON).collect()
    }

    /// Reads the 64-bit value of a role attribute.
    pub(super) fn tie_breaker(&self, attribute: u16) -> Option<u64> {
        Some(u64::from_be_bytes(
            self.attribute(attribute)?.try_into().ok()?,
        ))
    }

    /// Reads an attribute that holds an obfuscated address.
    pub(super) fn address(&self, attribute: u16) -> Option<SocketAddr> {
        let value = self.attribute(attribute)?;
        let port = u16::from_be_bytes([*value.get(2)?, *value.get(3)?]) ^ 0x2112;
        let ip = match (value.get(1)?, value.get(4..)?.len()) {
            (1, 4) => {
                let octets: [u8; 4] = std::array::from_fn(|i| value[4 + i] ^ COOKIE[i]);
                IpAddr::V4(Ipv4Addr::from(octets))
            }
            (2, 16) => {
                let octets: [u8; 16] = std::array::from_fn(|i| value[4 + i] ^ self.raw[4 + i]);
                IpAddr::V6(Ipv6Addr::from(octets))
            }
            _ => return None,
        };
        Some(SocketAddr::new(ip, port))
    }
}

fn class(kind: u16) -> Class {
    match (kind >> 4 & 1, kind >> 8 & 1) {
        (0, 0) => Class::Request,
        (1, 0) => Class::Indication,
        (0, _) => Class::Success,
        (_, _) => Class::Error,
    }
}

fn attribute_at(raw: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let header = raw.get(at..at + 4)?;
    let kind = u16::from_be_bytes([header[0], header[1]]);
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let value = raw.get(at + 4..at + 4 + length)?;
    let next = at + 4 + length.next_multiple_of(4);
    (next <= raw.len()).then_some((kind, value, next))
}

/// A connectivity check of our own.
#[derive(Debug)]
pub(super) struct Check<'a> {
    pub(super) transaction: Transaction,
    pub(super) local_ufrag: &'a str,
    pub(super) remote_ufrag: &'a str,
    pub(super) remote_pwd: &'a Secret,
    pub(super) controlling: bool,
    pub(super) tie_breaker: u64,
    pub(super) priority: u32,
}

/// Writes a connectivity check without USE-CANDIDATE.
pub(super) fn write_check(check: &Check<'_>, crypto: &dyn RTCCrypto) -> Option<Vec<u8>> {
    let username = format!("{}:{}", check.remote_ufrag, check.local_ufrag);
    let role: Box<dyn Setter> = if check.controlling {
        Box::new(AttrControlling(check.tie_breaker))
    } else {
        Box::new(AttrControlled(check.tie_breaker))
    };
    let key = check.remote_pwd.expose().to_owned();
    let mut setters: Vec<Box<dyn Setter + '_>> = vec![
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId(check.transaction)),
        Box::new(Username::new(ATTR_USERNAME, username)),
        role,
        Box::new(PriorityAttr(check.priority)),
    ];
    if check.controlling {
        // The path in use stays nominated, so that the peer follows us to the address that a NAT gives it anew.
        setters.push(Box::new(UseCandidateAttr::new()));
    }
    setters.push(Box::new(
        MessageIntegrity::new_short_term_integrity_with_provider(key, crypto),
    ));
    setters.push(Box::new(FINGERPRINT));
    write(&setters)
}

/// Writes the answer to a check whose sender must change its role.
pub(super) fn write_role_conflict(
    transaction: Transaction,
    local_pwd: &Secret,
    crypto: &dyn RTCCrypto,
) -> Option<Vec<u8>> {
    let key = local_pwd.expose().to_owned();
    write(&[
        Box::new(BINDING_ERROR),
        Box::new(TransactionId(transaction)),
        Box::new(CODE_ROLE_CONFLICT),
        Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
            key, crypto,
        )),
        Box::new(FINGERPRINT),
    ])
}

/// Writes the answer to a check, which tells its sender where it came from.
pub(super) fn write_success(
    transaction: Transaction,
    from: SocketAddr,
    local_pwd: &Secret,
    crypto: &dyn RTCCrypto,
) -> Option<Vec<u8>> {
    let key = local_pwd.expose().to_owned();
    write(&[
        Box::new(BINDING_SUCCESS),
        Box::new(TransactionId(transaction)),
        Box::new(XorMappedAddress {
            ip: from.ip(),
            port: from.port(),
        }),
        Box::new(MessageIntegrity::new_short_term_integrity_with_provider(
            key, crypto,
        )),
        Box::new(FINGERPRINT),
    ])
}

/// Writes a question to a STUN server.
pub(super) fn write_query(transaction: Transaction) -> Option<Vec<u8>> {
    write(&[
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId(transaction)),
        Box::new(FINGERPRINT),
    ])
}

fn write(setters: &[Box<dyn Setter + '_>]) -> Option<Vec<u8>> {
    let mut message = Message::new();
    message.build(setters).ok()?;
    Some(message.raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Secret {
        Secret::new("a password of 22 chars")
    }

    fn check() -> Vec<u8> {
        let provider = rtc_crypto::default_provider().unwrap();
        let check = Check {
            transaction: [7; 12],
            local_ufrag: "loca",
            remote_ufrag: "remo",
            remote_pwd: &key(),
            controlling: true,
            tie_breaker: 0x0102_0304_0506_0708,
            priority: 42,
        };
        write_check(&check, provider.crypto()).unwrap()
    }

    /// Puts an attribute behind MESSAGE-INTEGRITY, with a right length and FINGERPRINT.
    fn with_tail(mut raw: Vec<u8>, kind: u16) -> Vec<u8> {
        raw.truncate(raw.len() - 8);
        raw.extend_from_slice(&kind.to_be_bytes());
        raw.extend_from_slice(&[0, 0]);
        let length = u16::try_from(raw.len() - HEADER + 8).unwrap();
        raw[2..4].copy_from_slice(&length.to_be_bytes());
        let value = fingerprint_value(&raw);
        raw.extend_from_slice(&[0x80, 0x28, 0, 4]);
        raw.extend_from_slice(&value.to_be_bytes());
        raw
    }

    #[test]
    fn a_check_reads_back_and_is_authentic_under_its_key_only() {
        let provider = rtc_crypto::default_provider().unwrap();
        let raw = check();
        let stun = Stun::parse(&raw).unwrap();
        assert_eq!((stun.class, stun.method), (Class::Request, BINDING));
        assert_eq!(stun.fragments(), Some(("remo", "loca")));
        assert_eq!(
            stun.tie_breaker(ICE_CONTROLLING),
            Some(0x0102_0304_0506_0708)
        );
        assert!(stun.fingerprint);
        assert!(stun.is_authentic(&key(), provider.crypto()));
        assert!(!stun.is_authentic(&Secret::new("another"), provider.crypto()));
    }

    #[test]
    fn an_attribute_added_behind_message_integrity_makes_the_message_unreadable() {
        let raw = with_tail(check(), USE_CANDIDATE);
        assert!(Stun::parse(&raw).is_none());
    }

    #[test]
    fn any_flipped_or_missing_byte_is_noticed() {
        let provider = rtc_crypto::default_provider().unwrap();
        let raw = check();
        for at in 0..raw.len() {
            let mut bent = raw.clone();
            bent[at] ^= 1;
            let accepted =
                Stun::parse(&bent).is_some_and(|stun| stun.is_authentic(&key(), provider.crypto()));
            assert!(!accepted, "byte {at}");
            assert!(Stun::parse(&raw[..at]).is_none(), "cut at {at}");
        }
    }

    #[test]
    fn a_role_conflict_says_487() {
        let provider = rtc_crypto::default_provider().unwrap();
        let raw = write_role_conflict([1; 12], &key(), provider.crypto()).unwrap();
        let stun = Stun::parse(&raw).unwrap();
        assert_eq!((stun.class, stun.error_code()), (Class::Error, Some(487)));
        assert!(stun.is_authentic(&key(), provider.crypto()));
    }
}
