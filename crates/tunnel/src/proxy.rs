use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// RFC 1929 §2: lengths are octets.
const LONGEST_OF_SOCKS: usize = 255;
/// No administrator gives longer ones, and a request has an end.
const LONGEST: usize = 1024;

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP CONNECT over TCP.
    Http,
    /// HTTP CONNECT over TLS.
    Https,
    /// SOCKS5, the names resolved by the proxy.
    Socks5,
}

impl Scheme {
    fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "http" => Some(Self::Http),
            "https" => Some(Self::Https),
            // curl's name for what this always does.
            "socks5" | "socks5h" => Some(Self::Socks5),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks5 => 1080,
        }
    }
}

/// A user name and a password for a proxy; `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub(crate) username: String,
    pub(crate) password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}

/// A proxy; `Display` is its URL without the credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Its host name or address; IPv6 without brackets.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// What it may be shown if it asks.
    pub login: Option<Login>,
}

/// What is wrong with a proxy's URL, which may hold a password and is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the texts say it")]
pub enum BadProxy {
    #[error("an empty string")]
    Empty,
    #[error("a URL of another scheme")]
    Scheme,
    #[error("a URL with a control character or a space")]
    Control,
    #[error(
        "a URL with a path, a query or a fragment; in credentials, '/', '?' and '#' are written as %2F, %3F and %23"
    )]
    Path,
    #[error("a URL without a host")]
    Host,
    #[error("a URL whose port is no number from 1 to 65535")]
    Port,
    #[error(
        "a URL whose credentials have a '%' without two hexadecimal digits; the character itself is written as %25"
    )]
    Percent,
    #[error("a URL whose credentials are no UTF-8 text or have control characters")]
    Text,
    #[error("a URL whose user name has a colon, which HTTP can't carry (RFC 7617 §2)")]
    Colon,
    #[error("a URL whose user name or password is empty or too long")]
    Length,
    #[error("a list without a proxy that can be used (PROXY, HTTPS, SOCKS5 and DIRECT can)")]
    List,
}

impl FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(url: &str) -> Result<Self, BadProxy> {
        if url.is_empty() {
            return Err(BadProxy::Empty);
        }
        if url.chars().any(|c| c.is_control() || c == ' ') {
            return Err(BadProxy::Control);
        }
        let (scheme, rest) = url.split_once("://").ok_or(BadProxy::Scheme)?;
        let scheme = Scheme::parse(scheme).ok_or(BadProxy::Scheme)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(BadProxy::Path);
        }
        // The last one, as browsers read it: people paste passwords that have one.
        let (login, authority) = match rest.rsplit_once('@') {
            Some((login, authority)) => (Some(login), authority),
            None => (None, rest),
        };
        Ok(Self {
            login: login.map(|text| read_login(scheme, text)).transpose()?,
            ..Self::at(scheme, authority)?
        })
    }
}

impl Proxy {
    /// The proxy at `host` or `host:port`, without credentials.
    pub(crate) fn at(scheme: Scheme, authority: &str) -> Result<Self, BadProxy> {
        let (host, port) = split_port(authority)?;
        let port = match port {
            None => scheme.default_port(),
            Some(digits) => read_port(digits).ok_or(BadProxy::Port)?,
        };
        Ok(Self {
            scheme,
            host: host.to_owned(),
            port,
            login: None,
        })
    }
}

fn read_login(scheme: Scheme, text: &str) -> Result<Login, BadProxy> {
    let (username, password) = text.split_once(':').unwrap_or((text, ""));
    let login = Login {
        username: decode(username)?,
        password: decode(password)?,
    };
    let both = [&login.username, &login.password];
    if both.iter().any(|text| text.chars().any(char::is_control)) {
        return Err(BadProxy::Text);
    }
    let is_socks = scheme == Scheme::Socks5;
    if !is_socks && login.username.contains(':') {
        return Err(BadProxy::Colon);
    }
    let longest = if is_socks { LONGEST_OF_SOCKS } else { LONGEST };
    let too_short = login.username.is_empty() || (is_socks && login.password.is_empty());
    if too_short || both.iter().any(|text| text.len() > longest) {
        return Err(BadProxy::Length);
    }
    Ok(login)
}

/// RFC 3986 §2.1.
fn decode(text: &str) -> Result<String, BadProxy> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            octets.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(BadProxy::Percent)?;
        let [high, low] = [digits[0], digits[1]].map(|digit| char::from(digit).to_digit(16));
        let (high, low) = high.zip(low).ok_or(BadProxy::Percent)?;
        octets.push((high * 16 + low) as u8);
        rest = after;
    }
    String::from_utf8(octets).map_err(|_| BadProxy::Text)
}

/// The host without brackets, and what follows its colon.
pub(crate) fn split_port(authority: &str) -> Result<(&str, Option<&str>), BadProxy> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or(BadProxy::Host)?;
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| BadProxy::Host)?;
            match after {
                "" => (host, None),
                after => (host, Some(after.strip_prefix(':').ok_or(BadProxy::Port)?)),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let plausible = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    match !host.is_empty() && host.bytes().all(plausible) {
        true => Ok((host, port)),
        false => Err(BadProxy::Host),
    }
}

pub(crate) fn read_port(digits: &str) -> Option<u16> {
    let port = digits.parse().ok().filter(|port| *port != 0);
    port.filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        let scheme = self.scheme.as_str();
        write!(f, "{scheme}://{open}{}{close}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(url: &str) -> Option<(String, String)> {
        let login = url.parse::<Proxy>().unwrap().login?;
        Some((login.username, login.password))
    }

    #[test]
    fn a_url_gives_scheme_host_and_port() {
        for (url, shown) in [
            ("http://proxy.example.com", "http://proxy.example.com:80"),
            (
                "HTTPS://proxy.example.com/",
                "https://proxy.example.com:443",
            ),
            ("socks5://10.0.0.1", "socks5://10.0.0.1:1080"),
            ("socks5h://10.0.0.1:99", "socks5://10.0.0.1:99"),
            ("http://u:p@[2001:db8::1]:3128", "http://[2001:db8::1]:3128"),
        ] {
            assert_eq!(url.parse::<Proxy>().unwrap().to_string(), shown, "{url}");
        }
    }

    #[test]
    fn credentials_keep_their_odd_characters() {
        for (url, username, password) in [
            (
                "http://al%40example.com:p%3Aw%2F%3F%23%25@proxy",
                "al@example.com",
                "p:w/?#%",
            ),
            ("http://al:p@ss:w@proxy", "al", "p@ss:w"),
            ("http://J%C3%A4s%C3%B8n:ä%20+@proxy", "Jäsøn", "ä +"),
            ("http://only@proxy", "only", ""),
            ("socks5://a%3Ab:c@proxy", "a:b", "c"),
            ("http://CORP%5Calice:%22@proxy", "CORP\\alice", "\""),
        ] {
            let expected = Some((username.to_owned(), password.to_owned()));
            assert_eq!(login(url), expected, "{url}");
        }
    }

    #[test]
    fn what_can_not_be_used_is_named() {
        for (url, fault) in [
            ("", BadProxy::Empty),
            ("proxy:3128", BadProxy::Scheme),
            ("socks4://proxy", BadProxy::Scheme),
            ("ftp://proxy", BadProxy::Scheme),
            ("http://proxy/path", BadProxy::Path),
            ("http://a:b/c@proxy", BadProxy::Path),
            ("http://proxy?x", BadProxy::Path),
            ("http://", BadProxy::Host),
            ("http://u:p@", BadProxy::Host),
            ("http://:3128", BadProxy::Host),
            ("http://[::1", BadProxy::Host),
            ("http://[zz]:1", BadProxy::Host),
            ("http://proxy:0", BadProxy::Port),
            ("http://proxy:+1", BadProxy::Port),
            ("http://proxy:99999", BadProxy::Port),
            ("http://proxy:", BadProxy::Port),
            ("http://a:100%@proxy", BadProxy::Percent),
            ("http://a:%zz@proxy", BadProxy::Percent),
            ("http://a:%ff@proxy", BadProxy::Text),
            ("http://a:%0d%0aX:1@proxy", BadProxy::Text),
            ("http://a\r\n@proxy", BadProxy::Control),
            ("http://a%3Ab:c@proxy", BadProxy::Colon),
            ("http://:secret@proxy", BadProxy::Length),
            ("socks5://alice@proxy", BadProxy::Length),
        ] {
            assert_eq!(url.parse::<Proxy>(), Err(fault), "{url:?}");
        }
        let long = format!("socks5://alice:{}@proxy", "x".repeat(256));
        assert_eq!(long.parse::<Proxy>(), Err(BadProxy::Length));
    }

    #[test]
    fn credentials_are_never_shown() {
        let proxy: Proxy = "http://alice:hunter2@proxy".parse().unwrap();
        let shown = format!("{proxy} {proxy:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("alice"),
            "{shown}"
        );
    }
}
