use std::fmt;
use std::net::IpAddr;

use sip::locating::{Place, Sought};
use sip::transaction::Transport;

use super::account::domain;
use super::error::ConfigError;
use super::options::ServerOption;

/// A SIP server. Its query may hold a token, so Debug and Display show only where it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// What SIP goes over.
    pub transport: Transport,
    /// Its host name or address; IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What the DNS is asked for, unless whoever connects looks no more than an address up. What is found stands in for `transport`
    /// and `port`, which count if it says nothing.
    pub sought: Option<Sought>,
    /// Path and query of a WebSocket's URL.
    pub resource: String,
    /// The lowest is tried first.
    pub priority: u16,
    /// Its share among servers of the same priority.
    pub weight: u16,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Server {
    /// Reads one of `servers`, of the highest priority.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        Self::read(ServerOption::Url(url.to_owned()), "servers")
    }

    /// The URL without its query and without any user information: fit for a log.
    pub fn shown(&self) -> String {
        let path = self.resource.split('?').next().unwrap_or_default();
        format!("{}{path}", self.origin())
    }

    /// The URL of a WebSocket, its query included: not for a log.
    pub fn url(&self) -> String {
        let url = format!("{}{}", self.origin(), self.resource);
        // Servers compare the Host header, which has no port if it is the usual one.
        match (self.is_secure(), self.port) {
            (true, 443) => url.replacen(":443/", "/", 1),
            (false, 80) => url.replacen(":80/", "/", 1),
            (true | false, _) => url,
        }
    }

    /// Where it is as far as its URL says.
    pub fn place(&self) -> Place {
        Place {
            transport: self.transport,
            host: self.host.clone(),
            port: self.port,
            rank: (0, 0),
            weight: 0,
            addresses: self.host.parse().into_iter().collect(),
        }
    }

    /// Whether nobody on the way can read along.
    pub fn is_secure(&self) -> bool {
        self.transport.is_secure()
    }

    fn origin(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        let port = self.port;
        match self.transport {
            Transport::Ws => format!("ws://{host}:{port}"),
            Transport::Wss => format!("wss://{host}:{port}"),
            transport @ (Transport::Udp | Transport::Tcp | Transport::Tls) => {
                let token = transport.uri_token();
                match self.sought {
                    Some(Sought::Service { secure: true }) => format!("sips:{host}"),
                    Some(Sought::Service { secure: false }) => format!("sip:{host}"),
                    Some(Sought::ServiceOver(_)) => format!("sip:{host};transport={token}"),
                    Some(Sought::Host(..)) | None => format!("sip:{host}:{port};transport={token}"),
                }
            }
        }
    }

    pub(super) fn read(option: ServerOption, path: &str) -> Result<Self, ConfigError> {
        let (url, priority, weight, path) = match option {
            ServerOption::Url(url) => (url, 0, 1, path.to_owned()),
            ServerOption::Weighted(server) => {
                let path = format!("{path}.url");
                (server.url, server.priority, server.weight, path)
            }
        };
        let server = split(&url).ok_or_else(|| {
            ConfigError::new(
                path,
                "a ws: or wss: URL such as 'wss://pbx.example.com/ws', or a SIP server such as \
                 'sips:pbx.example.com' or 'sip:pbx.example.com;transport=tcp'",
                "another string",
            )
        })?;
        Ok(Self {
            priority,
            weight,
            ..server
        })
    }
}

fn split(url: &str) -> Option<Server> {
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let (scheme, rest) = url.split_once(':')?;
    match scheme.to_ascii_lowercase().as_str() {
        "wss" => split_websocket(Transport::Wss, 443, rest.strip_prefix("//")?),
        "ws" => split_websocket(Transport::Ws, 80, rest.strip_prefix("//")?),
        "sip" => split_sip(Transport::Udp, rest),
        "sips" => split_sip(Transport::Tls, rest),
        _ => None,
    }
}

/// A SIP URI without a user: over UDP or TLS (`scheme`), as the scheme has it, unless it names another transport.
fn split_sip(scheme: Transport, rest: &str) -> Option<Server> {
    let mut parts = rest.split(';');
    let (host, digits) = split_port(parts.next()?)?;
    let mut transport = scheme;
    let mut is_named = false;
    for parameter in parts.map(str::to_ascii_lowercase) {
        transport = match (parameter.as_str(), scheme) {
            ("lr", _) => continue,
            // RFC 3261 §26.2.2: of sips: every hop has TLS.
            ("transport=tls", _) | ("transport=tcp", Transport::Tls) => Transport::Tls,
            ("transport=tcp", _) => Transport::Tcp,
            ("transport=udp", Transport::Udp) => Transport::Udp,
            _ => return None,
        };
        is_named = true;
    }
    let usual = match transport {
        Transport::Tls => 5061,
        Transport::Udp | Transport::Tcp | Transport::Ws | Transport::Wss => 5060,
    };
    let port = digits.map_or(Some(usual), port)?;
    Some(Server {
        transport,
        host: host.to_owned(),
        port,
        sought: match digits {
            _ if host.parse::<IpAddr>().is_ok() => None,
            None if has_services(host) && is_named => Some(Sought::ServiceOver(transport)),
            None if has_services(host) => Some(Sought::Service {
                secure: scheme == Transport::Tls,
            }),
            Some(_) | None if transport == Transport::Udp => Some(Sought::Host(transport, port)),
            Some(_) | None => None,
        },
        resource: String::new(),
        priority: 0,
        weight: 1,
    })
}

/// Names of this machine and network have none, and are not told to others.
fn has_services(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_local = [".local", ".localhost"]
        .iter()
        .any(|end| host.ends_with(end));
    host.contains('.') && !is_local
}

fn split_websocket(transport: Transport, default_port: u16, rest: &str) -> Option<Server> {
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, resource) = rest.split_at(end);
    if authority.contains('@') {
        return None;
    }
    let (host, digits) = split_port(authority)?;
    Some(Server {
        transport,
        host: host.to_owned(),
        port: match digits {
            Some(digits) => port(digits)?,
            None => default_port,
        },
        sought: None,
        resource: match resource.starts_with('/') {
            true => resource.to_owned(),
            false => format!("/{resource}"),
        },
        priority: 0,
        weight: 1,
    })
}

/// What stands in a Contact; an IPv6 address keeps its brackets.
pub(super) fn contact_host(text: &str) -> Result<(String, Option<u16>), ConfigError> {
    let text = domain("contactHost", text)?;
    let (host, digits) = split_port(&text).unwrap_or((&text, None));
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    Ok((host, digits.and_then(port)))
}

/// A port of digits alone, and one that can be reached.
pub(super) fn port(digits: &str) -> Option<u16> {
    let port = digits.parse().ok().filter(|port| *port != 0);
    port.filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The host, and what follows its colon.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            match after {
                "" => (host, None),
                after => (host, Some(after.strip_prefix(':')?)),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let plausible = !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
    plausible.then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Option<Server> {
        Server::read(ServerOption::Url(url.into()), "servers").ok()
    }

    #[test]
    fn a_url_gives_its_host_port_and_resource() {
        let server = read("wss://pbx.example.com/ws?token=x").expect("a good URL");
        assert_eq!(
            (server.host.as_str(), server.port),
            ("pbx.example.com", 443)
        );
        assert_eq!(server.resource, "/ws?token=x");
        let server = read("ws://[::1]:8080").expect("a good URL");
        assert_eq!((server.host.as_str(), server.port), ("::1", 8080));
        assert_eq!(server.resource, "/");
        assert!(!server.is_secure());
        assert_eq!(server.to_string(), "ws://[::1]:8080/");
    }

    #[test]
    fn a_sip_uri_names_its_transport_or_its_scheme_does() {
        for (url, transport, host, port) in [
            (
                "sip:pbx.example.com",
                Transport::Udp,
                "pbx.example.com",
                5060,
            ),
            (
                "sip:192.0.2.1:5070;transport=udp",
                Transport::Udp,
                "192.0.2.1",
                5070,
            ),
            (
                "SIP:pbx.example.com;Transport=TCP;lr",
                Transport::Tcp,
                "pbx.example.com",
                5060,
            ),
            (
                "sip:[2001:db8::1];transport=tls",
                Transport::Tls,
                "2001:db8::1",
                5061,
            ),
            (
                "sips:pbx.example.com",
                Transport::Tls,
                "pbx.example.com",
                5061,
            ),
            (
                "sips:pbx.example.com:443;transport=tcp",
                Transport::Tls,
                "pbx.example.com",
                443,
            ),
        ] {
            let server = read(url).expect(url);
            assert_eq!(
                (server.transport, &*server.host, server.port),
                (transport, host, port)
            );
            assert_eq!(read(&server.to_string()), Some(server), "{url}");
        }
    }

    #[test]
    fn a_token_in_the_query_is_not_shown() {
        let server = read("wss://pbx.example.com/ws?token=s3cret").expect("a good URL");
        assert!(!format!("{server:?}").contains("s3cret"));
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "https://pbx.example.com",
            "wss://",
            "pbx.example.com",
            "wss://a:0/",
            "wss://a:99999/",
            "wss://a:+5/",
            "wss://u:p@a/",
            "wss://a/\r\nx",
            "ws://[zz]/",
            "wss:a",
            "sip:",
            "sip:alice@a",
            "sip:a;transport=ws",
            "sip:a;transport=sctp",
            "sips:a;transport=udp",
            "sip:a;maddr=b",
            "sip:a?Subject=b",
            "sip:a:0",
            "sip:a/b",
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }
}
