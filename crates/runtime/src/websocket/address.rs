//! Where a WebSocket server is, and how it is named in a log.

use std::fmt;

use tokio_tungstenite::tungstenite::http::Uri;

use super::ConnectError;

/// A parsed `ws:` or `wss:` URL; its `Display` and `Debug` leave the query out, where tokens live.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUrl {
    uri: Uri,
    host: String,
    port: u16,
    secure: bool,
}

impl ServerUrl {
    /// Parses an absolute URL; the port defaults to 80 for `ws:` and 443 for `wss:`.
    pub fn parse(url: &str) -> Result<ServerUrl, ConnectError> {
        let invalid = |why: &'static str| ConnectError::InvalidUrl { why };
        let uri: Uri = url
            .parse()
            .map_err(|_| invalid("it cannot be read as a URL"))?;
        let secure = match uri.scheme_str() {
            Some("ws") => false,
            Some("wss") => true,
            Some(_) | None => return Err(invalid("it has to start with ws:// or wss://")),
        };
        let host = uri
            .host()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| invalid("it names no host"))?
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(ServerUrl {
            uri,
            host,
            port,
            secure,
        })
    }

    /// The host name or the address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether TLS is used.
    pub fn secure(&self) -> bool {
        self.secure
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "wss" } else { "ws" };
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        let path = self.uri.path();
        write!(
            f,
            "{scheme}://{open}{}{close}:{}{path}",
            self.host, self.port
        )
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_the_query_is_never_shown() {
        let url = ServerUrl::parse("wss://pbx.example.com/ws?token=hunter2").unwrap();
        assert_eq!(url.to_string(), "wss://pbx.example.com:443/ws");
        assert!(!format!("{url:?}").contains("hunter2"));
    }

    #[test]
    fn a_user_and_password_in_the_url_are_never_shown() {
        let url = ServerUrl::parse("wss://joe:hunter2@pbx.example.com/ws").unwrap();
        assert!(!format!("{url:?} {url}").contains("hunter2"));
    }

    #[test]
    fn ipv6_addresses_lose_their_brackets_as_host_and_keep_them_in_text() {
        let url = ServerUrl::parse("ws://[::1]:5080").unwrap();
        assert_eq!((url.host(), url.port(), url.secure()), ("::1", 5080, false));
        assert_eq!(url.to_string(), "ws://[::1]:5080/");
    }

    #[test]
    fn other_schemes_are_refused() {
        assert!(ServerUrl::parse("https://pbx.example.com/ws").is_err());
        assert!(ServerUrl::parse("pbx.example.com").is_err());
        assert!(ServerUrl::parse("wss://").is_err());
    }
}
