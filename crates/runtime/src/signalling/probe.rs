//! Connecting step by step, for whoever wants to know what each step has seen.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use phone::config::Server;
use rustls::pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::tungstenite::http::HeaderMap;
use tokio_tungstenite::tungstenite::{self, http};
use tunnel::Proxy;

use super::connect::{client_config, naming, upgrade};
use super::connection::Ends;
use super::error::{self, ConnectError, ConnectStep};
use super::tls::Witness;
use super::transport::{Stream, Transport};
use super::{Connection, Connector};

/// Of a page that says why not, so much is read.
const MOST_BODY: usize = 4096;

/// An address of a server, and what came of connecting to it.
pub(crate) struct TriedAddress {
    pub(crate) address: SocketAddr,
    /// `TimedOut` if nothing came back.
    pub(crate) outcome: io::Result<TcpStream>,
    pub(crate) took: Duration,
}

/// A connection to a server, or a tunnel.
pub(crate) struct Way(Transport);

/// The same, with TLS if the server has it.
pub(crate) struct SecuredWay(Stream, Ends);

/// What a server has answered to the request for a WebSocket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) date: Option<String>,
    /// What it calls itself.
    pub(crate) server: Option<String>,
    /// Where it redirects to.
    pub(crate) location: Option<String>,
    /// The beginning of its page.
    pub(crate) body: String,
}

/// Connects to all of a server's addresses at once.
pub(crate) async fn try_each(addresses: Vec<SocketAddr>, limit: Duration) -> Vec<TriedAddress> {
    let attempt = async |address| {
        let begun = Instant::now();
        let outcome = match timeout(limit, TcpStream::connect(address)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut)),
        };
        TriedAddress {
            address,
            outcome,
            took: begun.elapsed(),
        }
    };
    join_all(addresses.into_iter().map(attempt)).await
}

impl SecuredWay {
    /// For SIP as it is, without a WebSocket.
    pub(crate) fn into_connection(self) -> Connection {
        let SecuredWay(stream, ends) = self;
        Connection::stream(stream, ends)
    }
}

impl Way {
    /// Without a proxy.
    pub(crate) fn direct(tcp: TcpStream) -> Way {
        Way(Transport::direct(tcp))
    }
}

impl Connector {
    /// Opens a tunnel to the server, all steps within the limit.
    pub(crate) async fn tunnel(&self, proxy: &Proxy, server: &Server) -> Result<Way, ConnectError> {
        let deadline = Instant::now() + self.limit;
        self.through(proxy, server, deadline).await.map(Way)
    }

    /// Does the TLS handshake if the server has TLS, with the certificate that was shown.
    pub(crate) async fn secured(
        &self,
        server: &Server,
        Way(transport): Way,
    ) -> (
        Option<CertificateDer<'static>>,
        Result<SecuredWay, ConnectError>,
    ) {
        let _ = transport.tcp().set_nodelay(true);
        let ends = Ends::of(transport.tcp());
        if !server.is_secure() {
            return (None, Ok(SecuredWay(Stream::Plain(transport), ends)));
        }
        let witness = Witness::default();
        let attempt = async {
            let witness = Witness::clone(&witness);
            let client = client_config(self.tls.clone(), naming(server), witness).await?;
            self.handshake(client, server, transport).await
        };
        let outcome = match timeout(self.limit, attempt).await {
            Ok(outcome) => outcome.map(|stream| SecuredWay(stream, ends)),
            Err(_) => Err(self.late(server, ConnectStep::Tls)),
        };
        (witness.get().cloned(), outcome)
    }

    /// Asks for the WebSocket, and says what was answered.
    pub(crate) async fn upgraded(
        &self,
        server: &Server,
        SecuredWay(stream, ends): SecuredWay,
    ) -> (Option<HttpAnswer>, Result<Connection, ConnectError>) {
        match timeout(self.limit, upgrade(server, stream)).await {
            Err(_) => (None, Err(self.late(server, ConnectStep::Upgrade))),
            Ok(Ok((stream, response))) => {
                let answer = HttpAnswer::read(response.status(), response.headers(), None);
                (Some(answer), Ok(Connection::websocket(stream, ends)))
            }
            Ok(Err(error)) => {
                let answer = refusal(&error);
                let host = self.name_checked(server);
                let error = error::from_handshake(server.to_string(), host, error);
                (answer, Err(error))
            }
        }
    }

    fn late(&self, server: &Server, step: ConnectStep) -> ConnectError {
        ConnectError::TimedOut {
            server: server.to_string(),
            step,
            after: self.limit,
        }
    }
}

fn refusal(error: &tungstenite::Error) -> Option<HttpAnswer> {
    let tungstenite::Error::Http(response) = error else {
        return None;
    };
    let body = response.body().as_deref();
    Some(HttpAnswer::read(
        response.status(),
        response.headers(),
        body,
    ))
}

impl HttpAnswer {
    fn read(status: http::StatusCode, headers: &HeaderMap, body: Option<&[u8]>) -> HttpAnswer {
        let text = |name: &str| {
            let value = headers.get(name)?.as_bytes();
            Some(String::from_utf8_lossy(value).into_owned())
        };
        let body = body.unwrap_or_default();
        let body = &body[..body.len().min(MOST_BODY)];
        HttpAnswer {
            status: status.as_u16(),
            date: text("Date"),
            server: text("Server"),
            location: text("Location"),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }
}
