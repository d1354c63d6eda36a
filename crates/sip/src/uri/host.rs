use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

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
    if let Some(inner) = bracketed(text) {
        return inner.parse::<Ipv6Addr>().ok().map(|_| true);
    }
    let mut conforming = !text.is_empty();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' => {}
            b'_' => conforming = false,
            _ => return None,
        }
    }
    (!text.is_empty() && !text.starts_with('.')).then_some(conforming)
}

/// Length of the host that `text` starts with: up to `:`, `;`, `?` or white space, past a bracket.
pub(crate) fn length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let bracket = match bytes.first() {
        Some(b'[') => memchr::memchr(b']', bytes).map_or(bytes.len(), |end| end + 1),
        Some(_) | None => 0,
    };
    bytes[bracket..]
        .iter()
        .position(|b| matches!(b, b':' | b';' | b'?' | b' ' | b'\t' | b'\r' | b'\n'))
        .map_or(bytes.len(), |end| bracket + end)
}
