//! The URLs of STUN and TURN servers (RFC 7064, RFC 7065), read once.

use serde_json::Value;

use super::error::ConfigError;
use super::given;
use super::server::{port, split_port};
use crate::door::ice_server::IceServer;

/// RFC 8489 §18.6 and RFC 8656 §17: STUN and TURN have the same ports.
const PLAIN_PORT: u16 = 3478;
const TLS_PORT: u16 = 5349;
/// The year 2001: what is less was counted in seconds, or from now.
const LEAST_EXPIRES: u64 = 1_000_000_000_000;
/// More than any list of servers.
const MOST_GIVEN: usize = 64 * 1024;

/// What a server at a URL does, and how it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceScheme {
    /// `stun:`, over UDP.
    Stun,
    /// `stuns:`, over TLS.
    Stuns,
    /// `turn:`, over UDP or TCP.
    Turn(IceTransport),
    /// `turns:`, over TLS on TCP, or DTLS on UDP.
    Turns(IceTransport),
}

/// What is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IceTransport {
    Udp,
    Tcp,
}

/// A `stun:`, `stuns:`, `turn:` or `turns:` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceUrl {
    pub scheme: IceScheme,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    pub port: u16,
}

impl IceUrl {
    /// Reads a URL; nothing if it is none of these.
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once(':')?;
        let (authority, query) = match rest.split_once('?') {
            Some((authority, query)) => (authority, Some(query)),
            None => (rest, None),
        };
        let transport = match query {
            None => None,
            Some("transport=udp") => Some(IceTransport::Udp),
            Some("transport=tcp") => Some(IceTransport::Tcp),
            Some(_) => return None,
        };
        let scheme = match (scheme.to_ascii_lowercase().as_str(), transport) {
            ("stun", None) => IceScheme::Stun,
            ("stuns", None) => IceScheme::Stuns,
            ("turn", transport) => IceScheme::Turn(transport.unwrap_or(IceTransport::Udp)),
            ("turns", transport) => IceScheme::Turns(transport.unwrap_or(IceTransport::Tcp)),
            _ => return None,
        };
        let (host, digits) = split_port(authority)?;
        let default = match scheme {
            IceScheme::Stun | IceScheme::Turn(_) => PLAIN_PORT,
            IceScheme::Stuns | IceScheme::Turns(_) => TLS_PORT,
        };
        Some(Self {
            scheme,
            host: host.to_owned(),
            port: digits.map_or(Some(default), port)?,
        })
    }

    fn is_turn(&self) -> bool {
        match self.scheme {
            IceScheme::Turn(_) | IceScheme::Turns(_) => true,
            IceScheme::Stun | IceScheme::Stuns => false,
        }
    }
}

/// Checks the URLs of ICE servers; TURN needs a user name and a credential (W3C webrtc-pc §4.4.1).
pub(crate) fn ice_servers(
    option: &str,
    servers: Vec<IceServer>,
) -> Result<Vec<IceServer>, ConfigError> {
    for (index, server) in servers.iter().enumerate() {
        let urls = server.urls.clone().into_vec();
        if urls.is_empty() {
            return Err(ConfigError::new(
                format!("{option}[{index}].urls"),
                "one or more stun:, turn: or turns: URLs",
                "an empty array",
            ));
        }
        if server.expires.is_some_and(|at| at < LEAST_EXPIRES) {
            return Err(ConfigError::new(
                format!("{option}[{index}].expires"),
                "milliseconds since 1970, such as Date.now() + 3600000",
                "a time long ago",
            ));
        }
        for url in urls {
            let Some(url) = IceUrl::parse(&url) else {
                return Err(ConfigError::new(
                    format!("{option}[{index}].urls"),
                    "a stun:, turn: or turns: URL such as 'stun:stun.example.com:3478' or 'turn:turn.example.com?transport=tcp'",
                    "another string",
                ));
            };
            if url.is_turn() && (server.username.is_none() || server.credential.is_none()) {
                return Err(ConfigError::new(
                    format!("{option}[{index}]"),
                    "an object with username and credential, as its URL is a turn: one",
                    "an object without them",
                ));
            }
        }
    }
    Ok(servers)
}

/// Reads what a function of the application gave, as JSON.
///
/// # Errors
///
/// It is no list of servers; the text shows no secret.
pub fn given_ice_servers(json: &str) -> Result<Vec<IceServer>, ConfigError> {
    const NAME: &str = "iceServers()";
    const EXPECTED: &str = "an array of { urls, username?, credential?, expires? }";
    if json.len() > MOST_GIVEN {
        return Err(ConfigError::new(NAME, EXPECTED, "longer than 64 KiB"));
    }
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    ice_servers(NAME, given::read(NAME, &value, EXPECTED)?)
}

/// Returns when the first of their credentials ends, in milliseconds since 1970.
pub(crate) fn end_of(servers: &[IceServer]) -> Option<u64> {
    let ends = servers.iter().filter_map(|server| {
        let named = server.username.as_deref().and_then(time_in_name);
        server.expires.or(named)
    });
    ends.min()
}

/// What servers with a shared secret want of a user's name: the seconds since 1970 at which it ends, and what else there is
/// to say (coturn's `use-auth-secret`).
fn time_in_name(username: &str) -> Option<u64> {
    let (digits, _) = username
        .split_once(':')
        .filter(|(text, _)| text.len() == 10)?;
    let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
    let seconds: u64 = digits.parse().ok().filter(|_| is_number)?;
    seconds.checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Option<(IceScheme, String, u16)> {
        IceUrl::parse(url).map(|url| (url.scheme, url.host, url.port))
    }

    #[test]
    fn urls_are_read_with_the_ports_of_their_schemes() {
        use IceScheme::{Stun, Stuns, Turn, Turns};
        use IceTransport::{Tcp, Udp};
        for (url, scheme, host, port) in [
            ("stun:a", Stun, "a", 3478),
            ("STUN:a:1", Stun, "a", 1),
            ("stuns:a", Stuns, "a", 5349),
            ("turn:192.0.2.1", Turn(Udp), "192.0.2.1", 3478),
            (
                "turn:[2001:db8::1]?transport=udp",
                Turn(Udp),
                "2001:db8::1",
                3478,
            ),
            ("turn:a?transport=tcp", Turn(Tcp), "a", 3478),
            ("turns:a", Turns(Tcp), "a", 5349),
            (
                "turns:[2001:db8::1]:443?transport=tcp",
                Turns(Tcp),
                "2001:db8::1",
                443,
            ),
            ("turns:a?transport=udp", Turns(Udp), "a", 5349),
        ] {
            assert_eq!(read(url), Some((scheme, host.to_owned(), port)), "{url}");
        }
    }

    #[test]
    fn what_no_such_url_can_be_is_nothing() {
        for url in [
            "",
            "stun",
            "stun:",
            "turn::3478",
            "turn:a:",
            "turn:a:0",
            "turn:a:65536",
            "turn:a:+1",
            "turn:a b",
            "turn:[::1",
            "turn:[a]",
            "turn:u@a",
            "turn://a",
            "turn:a/b",
            "turn:a?",
            "turn:a?transport=",
            "turn:a?transport=sctp",
            "turn:a?transport=tcp&x=1",
            "stun:a?transport=udp",
            "http://a",
            "turn:a#b",
            "turn:ä",
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }
}
