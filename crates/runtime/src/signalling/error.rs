//! Why a connection could not be made or did not last, in words that say what to do.

use std::io;
use std::time::Duration;

use phone::ErrorCode;
use sip::framing::FramingError;
use thiserror::Error;
use tokio_rustls::rustls;
use tokio_tungstenite::tungstenite::{
    self,
    error::{ProtocolError, SubProtocolError},
};
use tunnel::{Blame, TunnelFault};

use super::domain_names::ForeignDomain;
use super::tls::UnpinnedKey;

/// The step of connecting that was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectStep {
    /// Looking the host name up.
    Lookup,
    /// The TCP handshake.
    Tcp,
    /// The TLS handshake.
    Tls,
    /// The HTTP request that asks for a WebSocket.
    Upgrade,
    /// Looking a proxy's host name up.
    ProxyLookup,
    /// The TCP handshake with a proxy.
    ProxyTcp,
    /// The TLS handshake with a proxy.
    ProxyTls,
    /// What is said to a proxy until it has opened a tunnel.
    Tunnel,
}

impl std::fmt::Display for ConnectStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ConnectStep::Lookup => "the name lookup",
            ConnectStep::Tcp => "the TCP connection",
            ConnectStep::Tls => "the TLS handshake",
            ConnectStep::Upgrade => "the WebSocket handshake",
            ConnectStep::ProxyLookup => "the lookup of its name",
            ConnectStep::ProxyTcp => "the TCP connection to it",
            ConnectStep::ProxyTls => "the TLS handshake with it",
            ConnectStep::Tunnel => "opening a tunnel through it",
        })
    }
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distrust {
    /// Nobody whom this machine trusts has signed it.
    UnknownAuthority,
    /// It is not valid any more.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for another name.
    WrongName,
    /// Its key is none of `tls.pin`.
    Unpinned,
    /// Anything else.
    Other,
}

/// Why no WebSocket could be opened; no text holds a query, a token or a certificate's key.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The URL of the server is unusable.
    #[error("the server's URL is not usable: {why}")]
    InvalidUrl {
        /// What is wrong with it.
        why: &'static str,
    },
    /// A PEM text of the `tls` options is unusable.
    #[error("tls.{option}: {why}")]
    InvalidTlsOption {
        /// The option's name under `tls`.
        option: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The host name has no address.
    #[error("the host {host} was not found: {source}")]
    UnknownHost {
        /// The name that was looked up.
        host: String,
        /// The resolver's own error.
        source: io::Error,
    },
    /// The DNS leads nowhere.
    #[error("{server} was not found: {why}")]
    NotFound {
        /// The server.
        server: String,
        /// What the DNS says, or does not.
        why: String,
    },
    /// No route, network down, or the like.
    #[error("{server} cannot be reached: {source}")]
    Unreachable {
        /// The server without its query.
        server: String,
        /// The system's error of the last address tried.
        source: io::Error,
    },
    /// Nothing listens on that port, or a firewall says no.
    #[error("{server} refused the connection: is the server running, and on that port?")]
    Refused {
        /// The server without its query.
        server: String,
    },
    /// The server did not answer in time.
    #[error("{server} did not answer within {} ms: {step} did not finish", after.as_millis())]
    TimedOut {
        /// The server without its query.
        server: String,
        /// The step that did not end.
        step: ConnectStep,
        /// The whole time that connecting may take.
        after: Duration,
    },
    /// The server's certificate is not accepted.
    #[error("the certificate of {host} is not trusted: {why}")]
    Untrusted {
        /// The name the certificate was checked against.
        host: String,
        /// What is wrong with it.
        fault: Distrust,
        /// Why, and what to do about it.
        why: String,
    },
    /// The server wants a client certificate, or another one.
    #[error(
        "{server} did not accept the client certificate ({alert}): give tls.cert and tls.key that it knows"
    )]
    ClientCertificate {
        /// The server without its query.
        server: String,
        /// The TLS alert received.
        alert: String,
    },
    /// TLS failed for another reason.
    #[error("TLS with {server} failed: {why}")]
    Tls {
        /// The server without its query.
        server: String,
        /// Whether the server speaks no TLS at all.
        is_none: bool,
        /// Why, and what to do about it if known.
        why: String,
    },
    /// The server answered the upgrade with an HTTP status.
    #[error("{server} answered HTTP {status} instead of opening a WebSocket{}", hint(*status))]
    Status {
        /// The server without its query.
        server: String,
        /// The HTTP status.
        status: u16,
    },
    /// The server opened a WebSocket that is not for SIP.
    #[error(
        "{server} opened a WebSocket without the subprotocol \"sip\": this is not a SIP server's address (RFC 7118)"
    )]
    NoSipSubprotocol {
        /// The server without its query.
        server: String,
    },
    /// The answer was no HTTP or no valid WebSocket handshake.
    #[error("{server} does not speak WebSocket: {why}")]
    NotWebSocket {
        /// The server without its query.
        server: String,
        /// The first thing that was wrong.
        why: String,
    },
    /// The host name of the proxy has no address.
    #[error("the proxy {proxy} was not found: {source}; is httpProxy right?")]
    UnknownProxy {
        /// The proxy without its credentials.
        proxy: String,
        /// The resolver's own error.
        source: io::Error,
    },
    /// The proxy can't be reached.
    #[error("the proxy {proxy} cannot be reached: {source}")]
    ProxyUnreachable {
        /// The proxy without its credentials.
        proxy: String,
        /// The system's error of the last address tried.
        source: io::Error,
    },
    /// Nothing listens on that port, or a firewall says no.
    #[error("the proxy {proxy} refused the connection: is it running, and on that port?")]
    ProxyRefused {
        /// The proxy without its credentials.
        proxy: String,
    },
    /// The proxy did not answer in time.
    #[error("the proxy {proxy} did not answer within {} ms: {step} did not finish", after.as_millis())]
    ProxyTimedOut {
        /// The proxy without its credentials.
        proxy: String,
        /// The step that did not end.
        step: ConnectStep,
        /// The whole time that connecting may take.
        after: Duration,
    },
    /// TLS with the proxy failed.
    #[error("TLS with the proxy {proxy} failed: {why}")]
    ProxyTls {
        /// The proxy without its credentials.
        proxy: String,
        /// Why, and what to do about it if known.
        why: String,
    },
    /// The proxy opened no tunnel.
    #[error("the proxy {proxy} {fault}")]
    Tunnel {
        /// The proxy without its credentials.
        proxy: String,
        /// Why not.
        fault: TunnelFault,
    },
    /// The connection broke while the handshake was under way.
    #[error("{server} closed the connection during {step}")]
    ClosedEarly {
        /// The server without its query.
        server: String,
        /// The step that did not end.
        step: ConnectStep,
    },
}

impl ConnectError {
    /// The code that it has for the application.
    pub fn code(&self) -> ErrorCode {
        match self {
            ConnectError::Tunnel { fault, .. } => match fault.blame() {
                Blame::Proxy => ErrorCode::ProxyFailed,
                Blame::Login => ErrorCode::ProxyAuthentication,
                Blame::Server => ErrorCode::ConnectionFailed,
            },
            ConnectError::UnknownProxy { .. }
            | ConnectError::ProxyUnreachable { .. }
            | ConnectError::ProxyRefused { .. }
            | ConnectError::ProxyTimedOut { .. }
            | ConnectError::ProxyTls { .. } => ErrorCode::ProxyFailed,
            ConnectError::InvalidUrl { .. }
            | ConnectError::InvalidTlsOption { .. }
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
            | ConnectError::ClosedEarly { .. } => ErrorCode::ConnectionFailed,
        }
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => ": it wants credentials, or does not accept this origin or token",
        404 => ": the path of the URL is probably wrong",
        301 | 302 | 303 | 307 | 308 => ": it redirects; use the address it redirects to",
        502..=504 => ": the SIP server behind it does not answer",
        _ => "",
    }
}

/// Why an open WebSocket ended.
#[derive(Debug, Error)]
pub enum DownReason {
    /// The server closed it, with its status code and reason if given.
    #[error("the server closed the connection{}", .0.as_ref().map(|(code, text)| format!(" ({code} {text})")).unwrap_or_default())]
    Closed(Option<(u16, String)>),
    /// The connection broke without a closing handshake.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// Nobody has ever listened where our datagrams went.
    #[error("nobody listens there: is the server running, and on that port?")]
    NobodyThere,
    /// The server broke the WebSocket protocol or sent too large a message.
    #[error("the server broke the WebSocket protocol: {0}")]
    Protocol(String),
    /// What the server sends can't be cut into messages.
    #[error("the server broke the stream of SIP messages: it sent {0}")]
    Framing(FramingError),
    /// The server does not read: more than the cap is waiting to be sent.
    #[error("the server does not read: {waiting} bytes are waiting to be sent")]
    Stuck {
        /// Bytes that wait.
        waiting: usize,
    },
}

pub(super) fn from_tcp(server: String, source: io::Error) -> ConnectError {
    if source.kind() == io::ErrorKind::ConnectionRefused {
        ConnectError::Refused { server }
    } else {
        ConnectError::Unreachable { server, source }
    }
}

pub(super) fn from_proxy_tcp(proxy: String, source: io::Error) -> ConnectError {
    if source.kind() == io::ErrorKind::ConnectionRefused {
        ConnectError::ProxyRefused { proxy }
    } else {
        ConnectError::ProxyUnreachable { proxy, source }
    }
}

/// What was wrong with TLS, and what to do about it if known.
pub(super) fn tls_fault(error: &io::Error) -> String {
    let inner = error.get_ref();
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "rustls::Error is non-exhaustive: what is not named here keeps its own text"
    )]
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(certificate)) => {
            format!(
                "its certificate is not trusted: {}",
                distrust(certificate).1
            )
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            "it does not speak TLS on this port; is it http:// instead of https://?".to_owned()
        }
        Some(other) => other.to_string(),
        None => error.to_string(),
    }
}

pub(super) fn from_io(
    server: String,
    host: &str,
    step: ConnectStep,
    error: &io::Error,
) -> ConnectError {
    if let Some(tls) = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
    {
        return from_rustls(server, host, tls);
    }
    if matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    ) {
        return ConnectError::ClosedEarly { server, step };
    }
    ConnectError::NotWebSocket {
        server,
        why: error.to_string(),
    }
}

fn from_rustls(server: String, host: &str, error: &rustls::Error) -> ConnectError {
    use rustls::{AlertDescription as Alert, Error};
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "rustls::Error is non-exhaustive: what is not named here keeps its own text"
    )]
    match error {
        Error::InvalidCertificate(certificate) => {
            let (fault, why) = distrust(certificate);
            ConnectError::Untrusted {
                host: host.to_owned(),
                fault,
                why,
            }
        }
        Error::AlertReceived(
            alert @ (Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnknownCA
            | Alert::CertificateUnknown
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::UnsupportedCertificate
            | Alert::AccessDenied),
        ) => ConnectError::ClientCertificate {
            server,
            alert: format!("{alert:?}"),
        },
        Error::InvalidMessage(_) => ConnectError::Tls {
            server,
            is_none: true,
            why: "the server does not speak TLS on this port; is the address ws:// instead of wss://?"
                .to_owned(),
        },
        other => ConnectError::Tls {
            server,
            is_none: false,
            why: other.to_string(),
        },
    }
}

fn distrust(error: &rustls::CertificateError) -> (Distrust, String) {
    use rustls::CertificateError as Certificate;
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "rustls::CertificateError is non-exhaustive: what is not named here keeps its own text"
    )]
    match error {
        Certificate::UnknownIssuer => (
            Distrust::UnknownAuthority,
            "no authority that this machine trusts has signed it; give that \
             authority's certificate in tls.ca (PEM)"
                .to_owned(),
        ),
        Certificate::Expired | Certificate::ExpiredContext { .. } => (
            Distrust::Expired,
            format!("it has expired ({error}); the server's administrator has to renew it"),
        ),
        Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => (
            Distrust::NotYetValid,
            format!("it is not valid yet ({error}); is this machine's clock right?"),
        ),
        Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => (
            Distrust::WrongName,
            format!(
                "it was issued for another name ({error}); use that name in the URL or give it in tls.servername"
            ),
        ),
        Certificate::Other(inner) => match (inner.0.downcast_ref(), inner.0.downcast_ref()) {
            (Some(unpinned @ UnpinnedKey { .. }), _) => (Distrust::Unpinned, unpinned.to_string()),
            (_, Some(foreign @ ForeignDomain { .. })) => (Distrust::WrongName, foreign.to_string()),
            (None, None) => (Distrust::Other, error.to_string()),
        },
        other => (Distrust::Other, other.to_string()),
    }
}

pub(super) fn from_handshake(
    server: String,
    host: &str,
    error: tungstenite::Error,
) -> ConnectError {
    use tungstenite::Error;
    match error {
        Error::Io(error) => from_io(server, host, ConnectStep::Upgrade, &error),
        Error::Http(response) => ConnectError::Status {
            server,
            status: response.status().as_u16(),
        },
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(
            SubProtocolError::NoSubProtocol | SubProtocolError::InvalidSubProtocol,
        )) => ConnectError::NoSipSubprotocol { server },
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::HandshakeIncomplete) => ConnectError::ClosedEarly {
            server,
            step: ConnectStep::Upgrade,
        },
        Error::Tls(_)
        | Error::Capacity(_)
        | Error::Protocol(_)
        | Error::WriteBufferFull(_)
        | Error::Utf8(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::HttpFormat(_) => ConnectError::NotWebSocket {
            server,
            why: error.to_string(),
        },
    }
}

pub(super) fn down(error: tungstenite::Error) -> DownReason {
    use tungstenite::Error;
    match error {
        Error::ConnectionClosed | Error::AlreadyClosed => DownReason::Closed(None),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            DownReason::Lost("closed without a goodbye".to_owned())
        }
        Error::Io(error) => DownReason::Lost(error.to_string()),
        Error::Tls(_)
        | Error::Capacity(_)
        | Error::Protocol(_)
        | Error::WriteBufferFull(_)
        | Error::Utf8(_)
        | Error::AttackAttempt
        | Error::Url(_)
        | Error::Http(_)
        | Error::HttpFormat(_) => DownReason::Protocol(error.to_string()),
    }
}
