//! The phone's WebSocket in all its states: none, connecting, open, saying goodbye.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use phone::{Config, Connection as Phoned};
use tokio::task::{JoinHandle, JoinSet};

use crate::websocket::{ConnectError, Connection, Connector, Incoming, ServerUrl, TlsOptions};

/// What connecting may take in all: TCP to a far server takes three tries in this time.
const CONNECT: Duration = Duration::from_secs(10);
/// What a close handshake may take: less than the driver has left of the two seconds of `destroy()`, so that its reply is in
/// time although the server drowns the handshake.
const FAREWELL: Duration = Duration::from_millis(200);

/// What the line says.
#[derive(Debug)]
pub(super) enum LineEvent {
    /// It is up, down, or could not be opened.
    Connection(Phoned),
    /// One WebSocket message.
    Message(Bytes),
    /// The answer to our ping.
    Pong,
}

/// The phone's WebSocket.
pub(super) struct Line {
    servers: Vec<String>,
    connector: Arc<Connector>,
    state: State,
    /// Connections that are being closed; joined when the phone ends.
    farewells: JoinSet<()>,
    server_is_local: bool,
}

enum State {
    Idle,
    Connecting {
        server: usize,
        secure: bool,
        /// Aborted when the phone no longer wants it.
        task: JoinHandle<Result<Connection, ConnectError>>,
    },
    Open(Box<Connection>),
}

impl Line {
    pub(super) fn new(config: &Config) -> Line {
        let tls = &config.tls;
        let options = TlsOptions {
            ca: tls.ca.clone(),
            cert: tls.identity.as_ref().map(|(cert, _)| cert.clone()),
            key: tls
                .identity
                .as_ref()
                .map(|(_, key)| key.reveal().to_owned()),
            servername: tls.servername.clone(),
            reject_unauthorized: tls.reject_unauthorized,
        };
        Line {
            servers: config.servers.iter().map(|s| s.url.clone()).collect(),
            connector: Arc::new(Connector::new(options, CONNECT)),
            state: State::Idle,
            farewells: JoinSet::new(),
            server_is_local: false,
        }
    }

    /// Whether the server last connected to is on this machine.
    pub(super) fn server_is_local(&self) -> bool {
        self.server_is_local
    }

    pub(super) fn connect(&mut self, server: usize) {
        self.disconnect();
        let url = self.servers.get(server).map_or("", String::as_str);
        let url = ServerUrl::parse(url);
        let secure = url.as_ref().is_ok_and(ServerUrl::secure);
        let connector = Arc::clone(&self.connector);
        let task = tokio::spawn(async move { connector.connect(&url?).await });
        self.state = State::Connecting {
            server,
            secure,
            task,
        };
    }

    pub(super) fn disconnect(&mut self) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Connecting { task, .. } => task.abort(),
            State::Open(connection) => {
                self.farewells.spawn(connection.close(FAREWELL));
            }
        }
    }

    /// Sends on the open connection; without one the message is lost, as on a broken one.
    pub(super) fn send(&mut self, message: Bytes) {
        if let State::Open(connection) = &mut self.state {
            connection.send(message);
        }
    }

    /// Where the open connection begins and ends.
    pub(super) fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        match &self.state {
            State::Open(connection) => connection.ends(),
            State::Idle | State::Connecting { .. } => None,
        }
    }

    pub(super) fn ping(&mut self) {
        if let State::Open(connection) = &mut self.state {
            connection.ping();
        }
    }

    /// Waits for the next news, for ever if there is no connection; cancel-safe.
    pub(super) async fn next(&mut self) -> LineEvent {
        match &mut self.state {
            State::Idle => pending().await,
            State::Connecting {
                server,
                secure,
                task,
            } => {
                let (server, secure) = (*server, *secure);
                let outcome = task.await;
                self.connected(server, secure, outcome)
            }
            State::Open(connection) => match connection.next().await {
                Incoming::Message(message) => LineEvent::Message(message),
                Incoming::Pong => LineEvent::Pong,
                Incoming::Down(why) => {
                    self.state = State::Idle;
                    let reason = why.to_string();
                    LineEvent::Connection(Phoned::Down { reason })
                }
            },
        }
    }

    fn connected(
        &mut self,
        server: usize,
        secure: bool,
        outcome: Result<Result<Connection, ConnectError>, tokio::task::JoinError>,
    ) -> LineEvent {
        self.state = State::Idle;
        let reason = match outcome {
            Ok(Ok(connection)) => {
                self.server_is_local = connection.peer().is_some_and(|peer| peer.is_loopback());
                self.state = State::Open(Box::new(connection));
                return LineEvent::Connection(Phoned::Up { server, secure });
            }
            Ok(Err(error)) => error.to_string(),
            Err(broken) => format!("connecting broke: {broken}"),
        };
        LineEvent::Connection(Phoned::Refused { reason })
    }

    /// Says goodbye and waits until that is done, within its own limit.
    pub(super) async fn end(&mut self) {
        self.disconnect();
        while self.farewells.join_next().await.is_some() {}
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let State::Connecting { task, .. } = &self.state {
            task.abort();
        }
    }
}
