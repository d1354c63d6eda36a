use std::fmt;

use super::account::domain;
use super::error::ConfigError;
use super::options::ServerOption;

/// A WebSocket server. Its query may hold a token, so Debug shows only where it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// The URL as given.
    pub url: String,
    /// It is reached over TLS.
    pub secure: bool,
    /// Its host name or address; IPv6 without brackets.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// Path and query.
    pub resource: String,
    /// The lowest is tried first.
    pub priority: u16,
    /// Its share among servers of the same priority.
    pub weight: u16,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Server {
    /// The URL without its query and without any user information: fit for a log.
    pub fn shown(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        let path = self.resource.split('?').next().unwrap_or_default();
        format!("{scheme}://{host}:{}{path}", self.port)
    }

    pub(super) fn read(option: ServerOption, path: &str) -> Result<Self, ConfigError> {
        let (url, priority, weight, path) = match option {
            ServerOption::Url(url) => (url, 0, 1, path.to_owned()),
            ServerOption::Weighted(server) => {
                let path = format!("{path}.url");
                (server.url, server.priority, server.weight, path)
            }
        };
        let parts = split(&url).ok_or_else(|| {
            ConfigError::new(
                path,
                "a ws: or wss: URL such as 'wss://pbx.example.com/ws'",
                "another string",
            )
        })?;
        Ok(Self {
            secure: parts.secure,
            host: parts.host.to_owned(),
            port: parts.port,
            resource: parts.resource,
            url,
            priority,
            weight,
        })
    }
}

struct Parts<'a> {
    secure: bool,
    host: &'a str,
    port: u16,
    resource: String,
}

fn split(url: &str) -> Option<Parts<'_>> {
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    let (scheme, rest) = url.split_once("://")?;
    let secure = match scheme.to_ascii_lowercase().as_str() {
        "wss" => true,
        "ws" => false,
        _ => return None,
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, resource) = rest.split_at(end);
    if authority.contains('@') {
        return None;
    }
    let (host, digits) = split_port(authority)?;
    Some(Parts {
        secure,
        host,
        port: match digits {
            Some(digits) => port(digits)?,
            None if secure => 443,
            None => 80,
        },
        resource: match resource.starts_with('/') {
            true => resource.to_owned(),
            false => format!("/{resource}"),
        },
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
        assert!(!server.secure);
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
        ] {
            assert_eq!(read(url), None, "{url}");
        }
    }
}
