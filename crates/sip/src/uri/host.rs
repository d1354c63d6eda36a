use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::octets;

/// The host of a URI or of a Via's sent-by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// A name.
    Name(&'a str),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address, written in brackets.
    V6(Ipv6Addr),
}

impl<'a> Host<'a> {
    /// Reads a text that [`check`] accepted.
    pub(crate) fn of(text: &'a str) -> Self {
        if let Some(inner) = bracketed(text)
            && let Ok(address) = inner.parse()
        {
            return Self::V6(address);
        }
        text.parse().map_or(Self::Name(text), Self::V4)
    }

    /// Whether both are the same host: names in any case, addresses by value.
    pub fn same_as(&self, other: &Host<'_>) -> bool {
        match (self, other) {
            (Self::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            (Self::V4(a), Host::V4(b)) => a == b,
            (Self::V6(a), Host::V6(b)) => a == b,
            (Self::Name(_), Host::V4(_) | Host::V6(_))
            | (Self::V4(_), Host::Name(_) | Host::V6(_))
            | (Self::V6(_), Host::Name(_) | Host::V4(_)) => false,
        }
    }

    /// Whether this is a name under `.invalid`, which nobody may resolve (RFC 7118 §5).
    pub fn is_invalid_domain(&self) -> bool {
        match self {
            Self::Name(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                let top = name.rsplit('.').next().unwrap_or_default();
                top.eq_ignore_ascii_case("invalid")
            }
            Self::V4(_) | Self::V6(_) => false,
        }
    }
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

fn bracketed(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

/// Whether `text` is a host, and whether it is one by the letter of RFC 3261 §25.1.
pub(crate) fn check(text: &str) -> Option<bool> {
    take(text).and_then(|(length, conforming)| (length == text.len()).then_some(conforming))
}

/// The host that `text` starts with: its length, and whether it is one by the letter. `None` if
/// it is followed by something that can follow no host.
pub(crate) fn take(text: &str) -> Option<(usize, bool)> {
    let bytes = text.as_bytes();
    let (length, conforming) = match bytes.first()? {
        b'[' => (address_length(text)?, true),
        b'.' => return None,
        _ => name_length(bytes),
    };
    let delimiter = match bytes.get(length) {
        None | Some(b':' | b';' | b'?' | b' ' | b'\t' | b'\r' | b'\n') => true,
        Some(_) => false,
    };
    (length > 0 && delimiter).then_some((length, conforming))
}

fn address_length(text: &str) -> Option<usize> {
    let length = memchr::memchr(b']', text.as_bytes())? + 1;
    let address = bracketed(&text[..length])?.parse::<Ipv6Addr>();
    address.ok().map(|_| length)
}

/// `_` is in the names of many a local network, if in no grammar.
fn name_length(bytes: &[u8]) -> (usize, bool) {
    let plain = plain_end(bytes, 0);
    match bytes.get(plain) {
        Some(b'_') => (octets::run(bytes, plain, &NAME, PLAIN | UNDERSCORE), false),
        Some(_) | None => (plain, true),
    }
}

/// Where the letters, digits, dots and hyphens end that start at `at`.
#[inline(always)]
pub(crate) fn plain_end(bytes: &[u8], at: usize) -> usize {
    octets::run(bytes, at, &NAME, PLAIN)
}

const PLAIN: u8 = 1;
const UNDERSCORE: u8 = 2;

static NAME: [u8; 256] = name_octets();

const fn name_octets() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.') {
            table[at] = PLAIN;
        }
        at += 1;
    }
    table[b'_' as usize] = UNDERSCORE;
    table
}
