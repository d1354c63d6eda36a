use std::fmt;

use thiserror::Error;

/// RFC 1928 §5: a name's length is an octet.
const LONGEST_NAME: usize = 255;

/// Where a tunnel leads: a name that the proxy resolves, or an address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    host: String,
    port: u16,
}

/// A host that no proxy could be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it is no host name of 255 characters at most, and no address")]
pub struct BadTarget;

impl Target {
    /// `host` is a name or an address, IPv6 without brackets.
    pub fn new(host: &str, port: u16) -> Result<Self, BadTarget> {
        let plausible = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
        let fits = (1..=LONGEST_NAME).contains(&host.len());
        if !fits || !host.bytes().all(plausible) {
            return Err(BadTarget);
        }
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// The authority-form of RFC 9112 §3.2.3.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}
