use media::transport::Secret;
use phone::config::{IceServer, OneOrMany};

/// As many as a call uses.
const MOST_TARGETS: usize = 8;
/// RFC 8489 §9, RFC 8656 §3.
const PORT: u16 = 3478;

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
    /// TURN over TCP or TLS.
    Stream,
    Turn {
        username: String,
        password: Secret,
    },
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

// RFC 7064 and RFC 7065.
fn read(url: String, server: &IceServer) -> IceTarget {
    let (scheme, rest) = url.split_once(':').unwrap_or((&url, ""));
    let scheme = scheme.to_ascii_lowercase();
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let place = place_of(place);
    let is_turn = scheme.starts_with("turn");
    let kind = match scheme.as_str() {
        _ if place.is_none() => Err("its host or port can't be read"),
        "stun" => Ok(TargetKind::Stun),
        "turns" if query.split('&').any(|part| part == "transport=udp") => {
            Err("TURN over DTLS is not supported")
        }
        "turns" => Ok(TargetKind::Stream),
        "turn" if query.split('&').any(|part| part == "transport=tcp") => Ok(TargetKind::Stream),
        "turn" => Ok(TargetKind::Turn {
            username: server.username.clone().unwrap_or_default(),
            password: Secret::new(server.credential.as_ref().map_or("", |one| one.reveal())),
        }),
        "stuns" => Err("the address that a server sees over TLS is of no use"),
        _ => Err("it is neither stun: nor turn:"),
    };
    let (host, port) = place.unwrap_or_default();
    IceTarget {
        is_turn,
        host,
        port,
        kind,
        url,
    }
}

fn place_of(place: &str) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = match port {
        Some(digits) => digits.parse().ok().filter(|port| *port != 0)?,
        None => PORT,
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}
