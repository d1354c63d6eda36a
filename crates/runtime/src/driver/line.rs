//! The phone's connection to a server in all its states: none, connecting, open, saying goodbye.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use phone::config::Server;
use phone::{CONNECT_WITHIN, Config, Connection as Phoned, ErrorCode};
use sip::locating::Place;
use sip::transaction::Transport;
use tokio::task::{JoinHandle, JoinSet};
use tunnel::Route;

use crate::signalling::{ConnectError, Connection, Connector, Incoming, TlsOptions};

/// What a close handshake may take: less than the driver has left of the two seconds of `destroy()`, so that its reply is in
/// time although the server drowns the handshake.
const FAREWELL: Duration = Duration::from_millis(200);

/// What the line says.
#[derive(Debug)]
pub(super) enum LineEvent {
    /// It is up, down, or could not be opened.
    Connection(Phoned),
    /// One SIP message, or a keep-alive.
    Message(Bytes),
    /// The answer to our ping.
    Pong,
}

/// The phone's connection to a server.
pub(super) struct Line {
    servers: Vec<Server>,
    connector: Arc<Connector>,
    state: State,
    /// Connections that are being closed; joined when the phone ends.
    farewells: JoinSet<()>,
    server_is_local: bool,
}

enum State {
    Idle,
    Finding {
        /// Aborted when the phone no longer wants it.
        task: JoinHandle<Result<(Vec<Place>, Duration), ConnectError>>,
    },
    Connecting {
        server: usize,
        transport: Transport,
        /// Whether the server is on this machine, by its URL, if it is reached through a proxy.
        is_local: Option<bool>,
        /// Aborted when the phone no longer wants it.
        task: JoinHandle<Result<Connection, ConnectError>>,
    },
    Open(Box<Connection>),
}

impl Line {
    pub(super) fn new(config: &Config, connector: Arc<Connector>) -> Line {
        Line {
            servers: config.servers.clone(),
            connector,
            state: State::Idle,
            farewells: JoinSet::new(),
            server_is_local: false,
        }
    }

    /// Whether the server last connected to is on this machine.
    pub(super) fn server_is_local(&self) -> bool {
        self.server_is_local
    }

    pub(super) fn find(&mut self, server: usize) {
        self.disconnect();
        let Some(known) = self.servers.get(server).cloned() else {
            return;
        };
        let connector = Arc::clone(&self.connector);
        let task = tokio::spawn(async move { connector.find(&known).await });
        self.state = State::Finding { task };
    }

    pub(super) fn connect(&mut self, server: usize, place: Place, route: Route) {
        self.disconnect();
        let Some(known) = self.servers.get(server).cloned() else {
            return;
        };
        let transport = place.transport;
        let connector = Arc::clone(&self.connector);
        let proxy = match route {
            Route::Direct => None,
            Route::Through(proxy) => Some(proxy),
        };
        // What is at the other end of the socket is the proxy then.
        let is_local = proxy.as_ref().map(|_| is_loopback(&known));
        let task =
            tokio::spawn(async move { connector.connect_at(&known, &place, proxy.as_ref()).await });
        self.state = State::Connecting {
            server,
            transport,
            is_local,
            task,
        };
    }

    pub(super) fn disconnect(&mut self) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Finding { task } => task.abort(),
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
            State::Idle | State::Finding { .. } | State::Connecting { .. } => None,
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
            State::Finding { task } => {
                let outcome = task.await;
                self.found(outcome)
            }
            State::Connecting {
                server,
                transport,
                is_local,
                task,
            } => {
                let (server, transport, is_local) = (*server, *transport, *is_local);
                let outcome = task.await;
                self.connected(server, transport, is_local, outcome)
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

    fn found(
        &mut self,
        outcome: Result<Result<(Vec<Place>, Duration), ConnectError>, tokio::task::JoinError>,
    ) -> LineEvent {
        self.state = State::Idle;
        LineEvent::Connection(match outcome {
            Ok(Ok((places, valid))) => Phoned::Found { places, valid },
            Ok(Err(error)) => Phoned::Refused {
                code: error.code(),
                reason: error.to_string(),
            },
            Err(broken) => Phoned::Refused {
                code: ErrorCode::ConnectionFailed,
                reason: format!("finding the server broke: {broken}"),
            },
        })
    }

    fn connected(
        &mut self,
        server: usize,
        transport: Transport,
        is_local: Option<bool>,
        outcome: Result<Result<Connection, ConnectError>, tokio::task::JoinError>,
    ) -> LineEvent {
        self.state = State::Idle;
        let (reason, code) = match outcome {
            Ok(Ok(connection)) => {
                let is_here = || connection.peer().is_some_and(|peer| peer.is_loopback());
                self.server_is_local = is_local.unwrap_or_else(is_here);
                let local = connection.ends().map(|(local, _)| local);
                self.state = State::Open(Box::new(connection));
                return LineEvent::Connection(Phoned::Up {
                    server,
                    transport,
                    local,
                });
            }
            Ok(Err(error)) => (error.to_string(), error.code()),
            Err(broken) => {
                let reason = format!("connecting broke: {broken}");
                (reason, ErrorCode::ConnectionFailed)
            }
        };
        LineEvent::Connection(Phoned::Refused { reason, code })
    }

    /// Says goodbye and waits until that is done, within its own limit.
    pub(super) async fn end(&mut self) {
        self.disconnect();
        while self.farewells.join_next().await.is_some() {}
    }
}

/// What opens a phone's connections.
pub(crate) fn connector(config: &Config) -> Connector {
    Connector::new(TlsOptions::from(&config.tls), CONNECT_WITHIN)
}

fn is_loopback(server: &Server) -> bool {
    let address: Option<IpAddr> = server.host.parse().ok();
    address.is_some_and(|address| address.is_loopback()) || server.host == "localhost"
}

impl Drop for Line {
    fn drop(&mut self) {
        match &self.state {
            State::Finding { task } => task.abort(),
            State::Connecting { task, .. } => task.abort(),
            State::Idle | State::Open(_) => {}
        }
    }
}
