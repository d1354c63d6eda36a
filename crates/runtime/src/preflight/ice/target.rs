use media::transport::{Secret, StreamTarget};
use phone::config::{IceScheme, IceServer, IceTransport, IceUrl, OneOrMany};

/// As many as a call uses.
const MOST_TARGETS: usize = 8;

/// What a URL of `iceServers` names.
pub(super) struct IceTarget {
    pub(super) url: String,
    pub(super) is_turn: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// Or why it can't be used.
    pub(super) kind: Result<TargetKind, &'static str>,
}

pub(super) enum TargetKind {
    Stun,
    /// TURN over UDP.
    Turn(Login),
    /// TURN over TCP or TLS.
    Stream(Login, StreamTarget),
}

pub(super) struct Login {
    pub(super) username: String,
    pub(super) password: Secret,
}

/// All of them, in their order.
pub(super) fn of(servers: &[IceServer]) -> Vec<IceTarget> {
    let named = |server: &IceServer| match &server.urls {
        OneOrMany::One(url) => vec![url.clone()],
        OneOrMany::Many(urls) => urls.clone(),
    };
    let all = servers
        .iter()
        .flat_map(|server| named(server).into_iter().map(move |url| read(url, server)));
    all.take(MOST_TARGETS).collect()
}

fn read(url: String, server: &IceServer) -> IceTarget {
    let Some(IceUrl { scheme, host, port }) = IceUrl::parse(&url) else {
        return IceTarget {
            is_turn: false,
            host: String::new(),
            port: 0,
            kind: Err("it is no stun: or turn: URL"),
            url,
        };
    };
    let login = || Login {
        username: server.username.clone().unwrap_or_default(),
        password: Secret::new(server.credential.as_ref().map_or("", |one| one.reveal())),
    };
    let by_stream = |tls| {
        let host = host.clone();
        TargetKind::Stream(login(), StreamTarget { host, port, tls })
    };
    let kind = match scheme {
        IceScheme::Stun => Ok(TargetKind::Stun),
        IceScheme::Stuns => Err("the address that a server sees over TLS is of no use"),
        IceScheme::Turn(IceTransport::Udp) => Ok(TargetKind::Turn(login())),
        IceScheme::Turn(IceTransport::Tcp) => Ok(by_stream(false)),
        IceScheme::Turns(IceTransport::Tcp) => Ok(by_stream(true)),
        IceScheme::Turns(IceTransport::Udp) => Err("TURN over DTLS is not supported"),
    };
    IceTarget {
        is_turn: matches!(scheme, IceScheme::Turn(_) | IceScheme::Turns(_)),
        host,
        port,
        kind,
        url,
    }
}
