//! The embedded PBX as a server: one task with a listener, its WebSockets and its extensions' media.
//!
//! ```text
//!  commands ──►┐                                    ┌──► WebSockets (one task each)
//!  listener ──►│                                    ├──► media workers (extensions)
//!  WebSockets ►├─ wait ─► one input ─► Pbx ─► drain ┼──► ports of the media relay
//!  relay ─────►│                                    └──► events and replies, one stream
//!  media, time ►┘
//! ```

mod connections;
mod event;
mod ports;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pbx::{Output, Pbx, PortId, RelayOrder};
use phone::Ticket;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::commands::{CommandError, Commands, Kind};
use crate::driver::{Calls, Job, connector};
use crate::io_threads::IoThreads;
use crate::media_worker::{self, News, What};
use crate::softphone::seed;
use connections::{Connections, FromClient};
use ports::{Datagram, Ports};

pub use event::{PbxEvent, PbxEventSink};

/// Why a PBX could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An option is wrong.
    #[error(transparent)]
    Config(#[from] phone::ConfigError),
    /// The system has no thread, port or randomness to give.
    #[error("the PBX can't listen: {0}")]
    Io(#[from] io::Error),
}

/// A running PBX on a free loopback port; dropping it stops it.
pub struct PbxServer {
    address: SocketAddr,
    requests: Commands<(Ticket, pbx::Command)>,
    _threads: Arc<IoThreads>,
}

impl PbxServer {
    /// Binds a free loopback port and starts the PBX's task; `events` gets its one ordered stream.
    ///
    /// # Errors
    ///
    /// An option is wrong, or the system has no thread, port or randomness to give.
    pub fn start(
        config: pbx::Config,
        events: Box<dyn PbxEventSink>,
    ) -> Result<PbxServer, StartError> {
        let threads = IoThreads::shared()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (requests, inbox) = Commands::new();
        let server = Server::new(config, address, inbox, events)?;
        // Not joined: it ends by itself when the handle is dropped, and the threads with the last one.
        threads.spawn(server.run(listener));
        Ok(PbxServer {
            address,
            requests,
            _threads: threads,
        })
    }

    /// Where it listens; the WebSocket's path may be any.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Gives a command; its outcome is the reply event with this ticket.
    ///
    /// # Errors
    ///
    /// The PBX has ended, or too many commands wait.
    pub fn command(&self, ticket: Ticket, command: pbx::Command) -> Result<(), CommandError> {
        let kind = match matches!(command, pbx::Command::Close {}) {
            true => Kind::Ends,
            false => Kind::Ordinary,
        };
        self.requests.give(kind, (ticket, command))
    }
}

impl fmt::Debug for PbxServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PbxServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The PBX's task; it ends when the handle is dropped.
struct Server {
    pbx: Pbx,
    /// Capacity as in `commands`.
    requests: mpsc::Receiver<(Ticket, pbx::Command)>,
    connections: Connections,
    ports: Ports,
    /// What the PBX has not been told of yet.
    opened: Vec<(PortId, Option<SocketAddr>)>,
    calls: Calls,
    news: mpsc::UnboundedReceiver<News>,
    /// Openings of inputs and outputs under way; aborted with the task.
    jobs: JoinSet<Job>,
    wake: Option<Instant>,
    events: Box<dyn PbxEventSink>,
}

/// One fact of I/O.
enum ServerFact {
    Request(Option<(Ticket, pbx::Command)>),
    Client(FromClient),
    Datagram(Datagram),
    Media(News),
    Job(Job),
    Time,
}

/// Whether the PBX goes on.
#[derive(Debug, PartialEq, Eq)]
enum ServerLife {
    On,
    Closed,
}

impl Server {
    fn new(
        config: pbx::Config,
        address: SocketAddr,
        requests: mpsc::Receiver<(Ticket, pbx::Command)>,
        events: Box<dyn PbxEventSink>,
    ) -> Result<Server, StartError> {
        // Unbounded: an extension says as little as any session.
        let (news_sender, news) = mpsc::unbounded_channel();
        // Unbounded, and read by nobody: what would be logged are ICE servers and interfaces; a PBX on
        // loopback depends on neither.
        let (log, _) = mpsc::unbounded_channel();
        let config_of_media = media_config()?;
        let connector = Arc::new(connector(&config_of_media));
        let mut calls = Calls::new(&config_of_media, connector, news_sender, log);
        calls.server_is_local = true;
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(Server {
            pbx: Pbx::new(config, address, seed()?, Instant::now(), since_1970)?,
            requests,
            connections: Connections::new(),
            ports: Ports::new(),
            opened: Vec::new(),
            calls,
            news,
            jobs: JoinSet::new(),
            wake: None,
            events,
        })
    }

    async fn run(mut self, listener: std::net::TcpListener) {
        match TcpListener::from_std(listener) {
            Ok(listener) => self.serve(listener).await,
            Err(error) => tracing::error!(%error, "the embedded PBX can't listen"),
        }
        let Server {
            calls,
            mut jobs,
            mut connections,
            mut ports,
            mut events,
            ..
        } = self;
        jobs.abort_all();
        drop(calls);
        connections.end().await;
        ports.end().await;
        events.send(PbxEvent::Closed);
    }

    async fn serve(&mut self, listener: TcpListener) {
        while self.drain() == ServerLife::On {
            let fact = self.wait(&listener).await;
            if matches!(fact, ServerFact::Request(None)) {
                return;
            }
            self.handle(fact);
        }
    }

    async fn wait(&mut self, listener: &TcpListener) -> ServerFact {
        let far = Instant::now() + std::time::Duration::from_secs(3600);
        let wake = self.wake.unwrap_or(far);
        tokio::select! {
            request = self.requests.recv() => ServerFact::Request(request),
            client = self.connections.next(listener) => ServerFact::Client(client),
            Some(datagram) = self.ports.next() => ServerFact::Datagram(datagram),
            Some(news) = self.news.recv() => ServerFact::Media(news),
            Some(Ok(job)) = self.jobs.join_next() => ServerFact::Job(job),
            () = tokio::time::sleep_until(wake.into()) => ServerFact::Time,
        }
    }

    fn handle(&mut self, fact: ServerFact) {
        let now = Instant::now();
        match fact {
            ServerFact::Request(Some((ticket, command))) => {
                self.pbx.handle_command(ticket, command, now)
            }
            ServerFact::Request(None) => {}
            ServerFact::Client(FromClient::Connected(flow, peer)) => {
                self.pbx.handle_connected(flow, peer, now);
            }
            ServerFact::Client(FromClient::Message(flow, bytes)) => {
                self.pbx.handle_backlog(self.events.unread());
                self.pbx.handle_load(media_worker::load());
                self.pbx.handle_signaling(flow, bytes, now);
            }
            ServerFact::Client(FromClient::Gone(flow)) => self.pbx.handle_disconnected(flow, now),
            ServerFact::Datagram(Datagram { port, from, bytes }) => {
                self.pbx.handle_datagram(port, from, bytes, now);
            }
            ServerFact::Media(news) if news.is_stale() => {}
            ServerFact::Media(News { id, what }) => match what {
                What::Media(event) | What::Opening(_, event) => {
                    self.pbx.handle_media(id, event, now)
                }
                What::Connect(link, target, outbox) => {
                    self.calls.connect(id, link, target, outbox);
                }
                What::Resolve(name) => self.calls.resolve(id, name, &mut self.jobs),
                What::Summary(_)
                | What::Level(_)
                | What::Path(_)
                | What::Way(..)
                | What::Heard(_)
                | What::Report(..) => {}
            },
            ServerFact::Job(Job::IceServers(found)) => {
                self.calls.looked_up(found, now, &mut self.jobs)
            }
            ServerFact::Job(Job::Resolved(name, found)) => self.calls.resolved(&name, found),
            ServerFact::Job(Job::OpenedVideo(opened)) => {
                let attached = opened.and_then(|opened| self.calls.attach_video(*opened));
                if let Some((id, event)) = attached {
                    self.pbx.handle_media(id, event, now);
                }
            }
            ServerFact::Job(Job::Opened(opened)) => {
                if let Some((id, event)) = self.calls.attach(*opened) {
                    self.pbx.handle_media(id, event, now);
                }
            }
            // No extension sits in a conference of its own.
            ServerFact::Job(Job::HostOpened(_)) => {}
            // Nobody is to be called to an extension.
            ServerFact::Job(Job::Bell(_) | Job::Recording(_)) => {}
            // Both are asked of phones.
            ServerFact::Job(Job::Report(..) | Job::Capture(..)) => {}
            ServerFact::Time => self.pbx.handle_timeout(now),
        }
    }

    fn relay(&mut self, order: RelayOrder) {
        match order {
            RelayOrder::Open(port) => {
                let address = self.ports.open(port);
                if let Err(error) = &address {
                    tracing::warn!(%error, "the media relay can't open a port");
                }
                self.opened.push((port, address.ok()));
            }
            RelayOrder::Close(port) => self.ports.close(port),
            RelayOrder::Send { port, to, bytes } => self.ports.send(port, to, &bytes),
        }
    }

    fn drain(&mut self) -> ServerLife {
        loop {
            match self.pbx.poll_output() {
                Output::Send { flow, bytes } => self.connections.send(flow, bytes.0),
                Output::Close { flow } => self.connections.cut(flow),
                Output::Media(id, command) => self.calls.order(id, command, &mut self.jobs),
                Output::Relay(order) => self.relay(order),
                Output::Event(event) => self.events.send(PbxEvent::Pbx(event)),
                Output::Reply(ticket, outcome) => {
                    self.events.send(PbxEvent::reply(ticket, outcome));
                }
                Output::Timeout(at, _why) => match self.opened.pop() {
                    Some((port, address)) => self.pbx.handle_port(port, address),
                    None => {
                        self.wake = at;
                        return ServerLife::On;
                    }
                },
                Output::Closed => return ServerLife::Closed,
            }
        }
    }
}

/// What the extensions' media are made with: every codec, no ICE servers.
fn media_config() -> Result<phone::Config, phone::ConfigError> {
    phone::Config::from_json(&serde_json::json!({
        "uri": "sip:pbx@pbx.invalid",
        "servers": "ws://pbx.invalid/",
        "register": false,
        "audio": "none",
    }))
}
