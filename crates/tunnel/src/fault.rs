use thiserror::Error;

/// Why a proxy has opened no tunnel. The text continues "the proxy http://proxy.example.com:3128 …", and holds nothing that the
/// proxy has written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the texts say it")]
pub enum TunnelFault {
    #[error(
        "does not speak HTTP: is it another kind of proxy, or is another service on that port?"
    )]
    NotHttp,
    #[error(
        "does not speak SOCKS5: is it another kind of proxy, or is another service on that port?"
    )]
    NotSocks,
    #[error("answers without end: what is it?")]
    Endless,
    #[error("closed the connection before the tunnel was open")]
    ClosedEarly,
    #[error("answered HTTP {status} instead of opening a tunnel to {target}{}", hint(*status))]
    Status { status: u16, target: String },
    #[error(
        "wants credentials ({schemes}): give them in its URL, as in 'http://user:password@host:port'"
    )]
    LoginNeeded { schemes: String },
    #[error("did not accept the credentials: is the user's name or the password wrong?")]
    LoginRefused,
    #[error(
        "wants credentials in a way that can't be given ({schemes}): Basic and Digest can, with MD5, SHA-256 or SHA-512-256"
    )]
    Unsupported { schemes: String },
    #[error(
        "asks for credentials in a weaker way than before, and is not answered, for it may be another in its place; a new Softphone would answer"
    )]
    Weaker,
    #[error("does not serve this machine{}", if *.had_login { ", even with credentials" } else { " without credentials: give them in its URL, as in 'socks5://user:password@host:port'" })]
    NoMethod { had_login: bool },
    #[error(
        "does not allow connections to {target}: its administrator has to allow that host and port"
    )]
    Forbidden { target: String },
    #[error("could not reach {target}: {why}")]
    Beyond { target: String, why: &'static str },
    #[error("can't connect to {target}: {why}")]
    Incapable { target: String, why: &'static str },
}

/// What a fault is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The proxy itself, or the way to it.
    Proxy,
    /// The credentials that the proxy wants.
    Login,
    /// The server behind it.
    Server,
}

impl TunnelFault {
    /// What it is about.
    pub fn blame(&self) -> Blame {
        match self {
            Self::LoginNeeded { .. }
            | Self::LoginRefused
            | Self::Unsupported { .. }
            | Self::Weaker
            | Self::NoMethod { .. } => Blame::Login,
            Self::Beyond { .. } => Blame::Server,
            Self::Status { status, .. } => match status {
                // So says tinyproxy of a server that refuses the connection.
                500 | 502..=504 => Blame::Server,
                _ => Blame::Proxy,
            },
            Self::NotHttp
            | Self::NotSocks
            | Self::Endless
            | Self::ClosedEarly
            | Self::Forbidden { .. }
            | Self::Incapable { .. } => Blame::Proxy,
        }
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => ": it redirects, which is not followed; give the proxy's own address",
        400 | 404 | 405 | 501 => ": it is no proxy for CONNECT, but perhaps a web server",
        401 => ": it asks for a web server's credentials, and is perhaps no proxy",
        403 => ": its administrator has to allow that host and port",
        429 => ": it has too many connections",
        500 | 502..=504 => {
            ": it could not reach the server; is the server's address right, and is it running?"
        }
        _ => "",
    }
}
