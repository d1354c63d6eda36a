//! What was seen on the way to a server, by the code of its check.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use phone::config::Server;
use phone::{Config, ErrorCode, ErrorType, PhoneError, SipStatus};
use preflight::{Check, CheckCode, CheckName};
use serde_json::{Value, json};
use tunnel::{Proxy, TunnelFault};

use super::registration::{RegistrationOutcome, Verdict};
use crate::signalling::{ConnectError, Connection, Distrust, HttpAnswer, TriedAddress, Way};

/// The lookup of a name.
pub(super) fn dns(found: &io::Result<Vec<SocketAddr>>, host: &str, limit: Duration) -> Check {
    let dns = |code, found: String| Check::new(CheckName::Dns, code, found);
    match found {
        Ok(addresses) => {
            let mut list: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
            list.dedup();
            dns(CheckCode::DnsOk, format!("{host} is {}", list.join(", "))).with("addresses", list)
        }
        Err(error) if error.kind() == io::ErrorKind::TimedOut => dns(
            CheckCode::DnsUnanswered,
            format!("{host} was not found within {} s", limit.as_secs()),
        ),
        Err(error) => {
            let code = match is_unanswered(error) {
                true => CheckCode::DnsUnanswered,
                false => CheckCode::DnsNotFound,
            };
            dns(code, format!("{host} was not found: {error}"))
        }
    }
}

// The standard library gives no more of `getaddrinfo` than its words: those of EAI_AGAIN and EAI_FAIL with glibc, musl and macOS, and
// Windows' number of WSATRY_AGAIN.
fn is_unanswered(error: &io::Error) -> bool {
    let text = error.to_string();
    let words = [
        "emporary failure",
        "Try again",
        "Non-recoverable",
        "non-recoverable",
    ];
    words.iter().any(|words| text.contains(words)) || error.raw_os_error() == Some(11002)
}

/// The TCP connections to a server's addresses.
pub(super) fn tcp(tried: &[TriedAddress], url: &Server, limit: Duration) -> Check {
    let tcp = |code, found: String| Check::new(CheckName::Tcp, code, found);
    let open: Vec<String> = named(tried, |one| one.outcome.is_ok());
    let shut: Vec<String> = named(tried, |one| one.outcome.is_err());
    let quickest = tried.iter().filter(|one| one.outcome.is_ok());
    let quickest = quickest.map(|one| one.took.as_millis()).min().unwrap_or(0);
    let check = match (open.is_empty(), shut.is_empty()) {
        (false, true) => tcp(
            CheckCode::TcpOk,
            format!("{} takes connections, in {quickest} ms", open.join(", ")),
        ),
        (false, false) => tcp(
            CheckCode::TcpSomeAddresses,
            format!(
                "{} takes connections, {} does not",
                open.join(", "),
                shut.join(", ")
            ),
        ),
        (true, _) => {
            // What one address says for sure counts more than another's silence.
            let errors = || tried.iter().filter_map(|one| one.outcome.as_ref().err());
            let refused = errors().find(|error| error.kind() == io::ErrorKind::ConnectionRefused);
            let telling = errors().find(|error| error.kind() != io::ErrorKind::TimedOut);
            match (refused, telling) {
                (Some(_), _) => tcp(
                    CheckCode::TcpRefused,
                    format!("{url} refuses the connection"),
                ),
                (None, Some(error)) => tcp(
                    CheckCode::TcpUnreachable,
                    format!("{url} can't be reached: {error}"),
                ),
                (None, None) => tcp(
                    CheckCode::TcpTimeout,
                    format!("{url} does not answer within {} s", limit.as_secs()),
                ),
            }
        }
    };
    check.with("reached", open).with("notReached", shut)
}

fn named(tried: &[TriedAddress], which: impl Fn(&TriedAddress) -> bool) -> Vec<String> {
    let chosen = tried.iter().filter(|one| which(one));
    chosen.map(|one| one.address.to_string()).collect()
}

/// The way through a proxy.
pub(super) fn tunnel(opened: &Result<Way, ConnectError>, proxy: &Proxy, url: &Server) -> Check {
    let check = |code, found: String| Check::new(CheckName::Proxy, code, found);
    let check = match opened {
        Ok(_) => check(
            CheckCode::ProxyOk,
            format!("the proxy {proxy} has opened a tunnel to {url}"),
        ),
        Err(error) => check(proxy_code(error), error.to_string()),
    };
    check.with("proxy", proxy.to_string())
}

fn proxy_code(error: &ConnectError) -> CheckCode {
    match error {
        ConnectError::UnknownProxy { .. } => CheckCode::ProxyNotFound,
        ConnectError::ProxyUnreachable { .. } => CheckCode::ProxyUnreachable,
        ConnectError::ProxyRefused { .. } => CheckCode::ProxyRefused,
        ConnectError::ProxyTimedOut { .. } => CheckCode::ProxyTimeout,
        ConnectError::ProxyTls { .. } => CheckCode::ProxyTls,
        ConnectError::Tunnel { fault, .. } => tunnel_code(fault),
        ConnectError::InvalidTlsOption { .. } => CheckCode::TlsOptions,
        ConnectError::InvalidUrl { .. }
        | ConnectError::UnknownHost { .. }
        | ConnectError::NotFound { .. }
        | ConnectError::Unreachable { .. }
        | ConnectError::Refused { .. }
        | ConnectError::TimedOut { .. }
        | ConnectError::Untrusted { .. }
        | ConnectError::ClientCertificate { .. }
        | ConnectError::Tls { .. }
        | ConnectError::Status { .. }
        | ConnectError::NoSipSubprotocol { .. }
        | ConnectError::NotWebSocket { .. }
        | ConnectError::ClosedEarly { .. } => CheckCode::ProxyNonsense,
    }
}

fn tunnel_code(fault: &TunnelFault) -> CheckCode {
    match fault {
        TunnelFault::LoginNeeded { .. }
        | TunnelFault::LoginRefused
        | TunnelFault::Unsupported { .. }
        | TunnelFault::Weaker
        | TunnelFault::NoMethod { .. } => CheckCode::ProxyCredentials,
        TunnelFault::Forbidden { .. } | TunnelFault::Status { status: 403, .. } => {
            CheckCode::ProxyForbidden
        }
        TunnelFault::Beyond { .. } => CheckCode::ProxyServerUnreachable,
        TunnelFault::Status {
            status: 500 | 502..=504,
            ..
        } => CheckCode::ProxyServerUnreachable,
        TunnelFault::Status { .. }
        | TunnelFault::NotHttp
        | TunnelFault::NotSocks
        | TunnelFault::Endless
        | TunnelFault::ClosedEarly
        | TunnelFault::Incapable { .. } => CheckCode::ProxyNonsense,
    }
}

/// A TLS handshake that failed.
pub(super) fn tls_failed(error: &ConnectError) -> Check {
    let code = match error {
        ConnectError::Untrusted { fault, .. } => match fault {
            Distrust::UnknownAuthority => CheckCode::TlsUnknownAuthority,
            Distrust::Expired => CheckCode::TlsExpired,
            Distrust::NotYetValid => CheckCode::TlsNotYetValid,
            Distrust::WrongName => CheckCode::TlsWrongName,
            Distrust::Unpinned => CheckCode::TlsPin,
            Distrust::Other => CheckCode::TlsUntrusted,
        },
        ConnectError::ClientCertificate { .. } => CheckCode::TlsClientCertificate,
        ConnectError::Tls { is_none: true, .. } => CheckCode::TlsNoTls,
        ConnectError::TimedOut { .. } => CheckCode::TlsTimeout,
        ConnectError::InvalidTlsOption { .. } => CheckCode::TlsOptions,
        ConnectError::Tls { is_none: false, .. }
        | ConnectError::InvalidUrl { .. }
        | ConnectError::UnknownHost { .. }
        | ConnectError::NotFound { .. }
        | ConnectError::Unreachable { .. }
        | ConnectError::Refused { .. }
        | ConnectError::Status { .. }
        | ConnectError::NoSipSubprotocol { .. }
        | ConnectError::NotWebSocket { .. }
        | ConnectError::UnknownProxy { .. }
        | ConnectError::ProxyUnreachable { .. }
        | ConnectError::ProxyRefused { .. }
        | ConnectError::ProxyTimedOut { .. }
        | ConnectError::ProxyTls { .. }
        | ConnectError::Tunnel { .. }
        | ConnectError::ClosedEarly { .. } => CheckCode::TlsFailed,
    };
    Check::new(CheckName::Tls, code, error.to_string())
}

/// The answer to the request for a WebSocket; `clean` makes what the server wrote fit to be shown.
pub(super) fn upgrade(
    outcome: &Result<Connection, ConnectError>,
    answer: Option<&HttpAnswer>,
    server: &str,
    clean: impl Fn(&str) -> String,
) -> Check {
    let check = |code, found: String| Check::new(CheckName::Websocket, code, found);
    let check = match outcome {
        Ok(_) => check(
            CheckCode::WebsocketOk,
            format!("{server} opens a WebSocket for SIP"),
        ),
        Err(error) => {
            let page = answer.map(|answer| clean(&answer.body)).unwrap_or_default();
            let says = match page.is_empty() {
                true => String::new(),
                false => format!(". It says: {page}"),
            };
            check(upgrade_code(error), format!("{error}{says}"))
                .with_known("page", Some(page).filter(|page| !page.is_empty()))
        }
    };
    let Some(answer) = answer else {
        return check;
    };
    let place = |text: &String| clean(text.split(['?', '#']).next().unwrap_or_default());
    check
        .with("status", answer.status)
        .with_known("software", answer.server.as_deref().map(&clean))
        .with_known("location", answer.location.as_ref().map(place))
}

fn upgrade_code(error: &ConnectError) -> CheckCode {
    match error {
        ConnectError::Status { status, .. } => match status {
            401 | 403 | 407 => CheckCode::WebsocketForbidden,
            404 | 410 => CheckCode::WebsocketNotFound,
            300..=399 => CheckCode::WebsocketRedirected,
            500..=599 => CheckCode::WebsocketUnavailable,
            _ => CheckCode::WebsocketRefused,
        },
        ConnectError::NoSipSubprotocol { .. } => CheckCode::WebsocketNoSip,
        ConnectError::TimedOut { .. } => CheckCode::WebsocketTimeout,
        ConnectError::ClosedEarly { .. } => CheckCode::WebsocketClosed,
        ConnectError::ClientCertificate { .. } => CheckCode::TlsClientCertificate,
        ConnectError::NotWebSocket { .. }
        | ConnectError::Tls { .. }
        | ConnectError::Untrusted { .. }
        | ConnectError::InvalidTlsOption { .. }
        | ConnectError::InvalidUrl { .. }
        | ConnectError::UnknownHost { .. }
        | ConnectError::NotFound { .. }
        | ConnectError::Unreachable { .. }
        | ConnectError::Refused { .. }
        | ConnectError::UnknownProxy { .. }
        | ConnectError::ProxyUnreachable { .. }
        | ConnectError::ProxyRefused { .. }
        | ConnectError::ProxyTimedOut { .. }
        | ConnectError::ProxyTls { .. }
        | ConnectError::Tunnel { .. } => CheckCode::WebsocketNonsense,
    }
}

/// What the registrar says.
pub(super) fn registration(
    outcome: &RegistrationOutcome,
    config: &Config,
    clean: impl Fn(&str) -> String,
) -> Check {
    let check = |code, found: String| Check::new(CheckName::Registration, code, found);
    let account = &config.address;
    let check = match &outcome.verdict {
        Some(Verdict::Taken) => {
            let left = match outcome.has_left {
                true => "and left again",
                false => {
                    "but does not confirm that it has left again, which it will by itself within a minute"
                }
            };
            check(
                CheckCode::RegistrationOk,
                format!("{account} was registered, {left}"),
            )
            .with_known("expires", outcome.expires)
            .with("left", outcome.has_left)
        }
        Some(Verdict::Refused(error)) => refused(error, account, &clean),
        Some(Verdict::Deferred(code, reason)) => answered(*code, &clean(reason), account),
        None => check(
            CheckCode::RegistrationTimeout,
            format!("no registrar has answered for {account}"),
        ),
        Some(Verdict::Lost(why)) => check(
            CheckCode::RegistrationLost,
            format!("{account} could not be registered: {}", clean(why)),
        ),
    };
    check.with_known("software", outcome.server.as_deref().map(&clean))
}

fn refused(
    error: &PhoneError,
    account: &impl std::fmt::Display,
    clean: impl Fn(&str) -> String,
) -> Check {
    if let Some(SipStatus { code, reason }) = &error.sip {
        return answered(*code, &clean(reason), account);
    }
    let why = error.cause.as_ref().unwrap_or(&error.message);
    let is_login = error.code == ErrorCode::AuthenticationFailed;
    let code = match is_login || error.kind == ErrorType::InvalidToken {
        true => CheckCode::RegistrationCredentials,
        false => CheckCode::RegistrationRefused,
    };
    let found = format!("{account} could not be registered: {}", clean(why));
    Check::new(CheckName::Registration, code, found)
}

fn answered(status: u16, reason: &str, account: &impl std::fmt::Display) -> Check {
    let code = match status {
        401 | 407 => CheckCode::RegistrationCredentials,
        403 => CheckCode::RegistrationForbidden,
        404 | 604 => CheckCode::RegistrationUnknown,
        408 => CheckCode::RegistrationTimeout,
        480 | 500..=599 => CheckCode::RegistrationUnavailable,
        _ => CheckCode::RegistrationRefused,
    };
    let found = format!("the registrar answers {status} {reason} for {account}");
    let sip: Value = json!({ "code": status, "reason": reason });
    Check::new(CheckName::Registration, code, found).with("sip", sip)
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    address.is_some_and(|address| address.is_loopback()) || host == "localhost"
}
