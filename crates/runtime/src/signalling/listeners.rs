//! Where calls come without a server: sockets that listen, and the streams to whoever may call.

use std::collections::BTreeMap;
use std::future::pending;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as Socket};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use phone::config::{Listen, ListenPlace, Network, Server};
use phone::neighbour::{Neighbour, NeighbourNews, TrunkId};
use sip::transaction::Transport;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;

use super::connect::notice_silence;
use super::connection::{Ends, Incoming};
use super::transport::{self, Stream};
use super::{Connection, Connector, tls};
use crate::network::source_towards;

/// Streams at once, also such as are being opened; a further one is closed.
const MOST_STREAMS: usize = 512;
/// Streams of one address: nobody keeps the others out.
const MOST_STREAMS_OF_ONE: usize = 32;
/// Messages of all streams that wait for the phone; while it is full, who sends more waits.
const INBOX: usize = 64;
/// Messages that wait for one stream; who reads no more than this is given up.
const OUTBOX: usize = 256;
/// What a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// What a message may take from its first octet to its last.
const LONGEST_MESSAGE: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// What the end of a stream may take: what was said last is still to arrive.
const FAREWELL: Duration = Duration::from_millis(200);
/// The pause after a connection could not be taken, for lack of descriptors say.
const PAUSE: Duration = Duration::from_millis(100);
/// The most that a datagram has.
const DATAGRAM: usize = 64 * 1024;

/// What has happened.
#[derive(Debug)]
pub enum NeighbourReport {
    /// Somebody does something, at the other one of these ends.
    News(Neighbour, (SocketAddr, SocketAddr), NeighbourNews),
    /// No connection could be opened for a trunk.
    Unreached(TrunkId),
}

/// All that a phone listens at.
#[derive(Debug)]
pub struct Listeners {
    udp: Option<ListeningSocket>,
    tcp: Option<TcpListener>,
    tls: Option<(TcpListener, Acceptor)>,
    connector: Arc<Connector>,
    /// Who may open streams.
    peers: Vec<Network>,
    /// Each has the capacity [`OUTBOX`].
    streams: BTreeMap<u64, OpenStream>,
    /// Capacity [`INBOX`].
    inbox: mpsc::Receiver<NeighbourReport>,
    to_inbox: mpsc::Sender<NeighbourReport>,
    /// One for each stream; it ends when the other side closes, or its sender in `streams` is dropped.
    tasks: JoinSet<()>,
    last: u64,
}

/// TLS, with a certificate of ours.
#[derive(Clone)]
struct Acceptor(TlsAcceptor);

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor")
    }
}

#[derive(Debug)]
struct OpenStream {
    outbox: mpsc::Sender<Bytes>,
    ends: (SocketAddr, SocketAddr),
}

#[derive(Debug)]
struct ListeningSocket {
    socket: UdpSocket,
    /// The same socket: a datagram that the system does not take at once is lost, as on the way.
    sender: Socket,
    local: SocketAddr,
    octets: Box<[u8]>,
}

impl Listeners {
    /// Nothing is open yet.
    pub fn new(connector: Arc<Connector>) -> Listeners {
        let (to_inbox, inbox) = mpsc::channel(INBOX);
        Listeners {
            udp: None,
            tcp: None,
            tls: None,
            connector,
            peers: Vec::new(),
            streams: BTreeMap::new(),
            inbox,
            to_inbox,
            tasks: JoinSet::new(),
            last: 0,
        }
    }

    /// Opens all, or none and says why.
    pub fn open(&mut self, listen: &Listen, peers: &[Network]) -> Result<(), String> {
        let udp = listen.udp.map(|place| {
            ListeningSocket::open(place).map_err(|error| refused("UDP", place, &error))
        });
        let tcp = listen
            .tcp
            .map(|place| stream_listener(place).map_err(|error| refused("TCP", place, &error)));
        let tls = listen.tls.as_ref().map(|own| {
            let config = tls::server_config(&own.cert, own.key.reveal(), &own.ca)
                .map_err(|error| format!("listen.{error}"))?;
            let listener =
                stream_listener(own.place).map_err(|error| refused("TLS", own.place, &error))?;
            Ok::<_, String>((listener, Acceptor(TlsAcceptor::from(Arc::new(config)))))
        });
        let (udp, tcp, tls) = (udp.transpose()?, tcp.transpose()?, tls.transpose()?);
        (self.udp, self.tcp, self.tls) = (udp, tcp, tls);
        self.peers = peers.to_vec();
        Ok(())
    }

    /// Closes all, once what was said is sent.
    pub fn stop(&mut self) {
        (self.udp, self.tcp, self.tls) = (None, None, None);
        self.streams.clear();
    }

    /// Waits for what somebody does next, for ever if nothing is open; cancel-safe.
    pub async fn next(&mut self) -> NeighbourReport {
        loop {
            tokio::select! {
                Some(report) = self.inbox.recv() => {
                    if let NeighbourReport::News(Neighbour::Stream(id), _, NeighbourNews::Down) = &report {
                        self.streams.remove(id);
                    }
                    return report;
                }
                datagram = receive(&mut self.udp) => {
                    if let Some(report) = datagram {
                        return report;
                    }
                }
                accepted = accept(self.tcp.as_ref()) => self.take(accepted, None).await,
                accepted = accept(self.tls.as_ref().map(|(listener, _)| listener)) => {
                    let acceptor = self.tls.as_ref().map(|(_, acceptor)| acceptor.clone());
                    self.take(accepted, acceptor).await;
                }
                Some(_) = self.tasks.join_next() => {}
            }
        }
    }

    /// Sends one message.
    pub fn send(&mut self, neighbour: Neighbour, message: Bytes) {
        match neighbour {
            Neighbour::Datagrams(to) => {
                if let Some(udp) = &self.udp {
                    let _ = udp.sender.send_to(&message, to);
                }
            }
            Neighbour::Stream(id) => {
                let stream = self.streams.get(&id);
                if stream.is_some_and(|stream| stream.outbox.try_send(message).is_err()) {
                    self.streams.remove(&id);
                }
            }
        }
    }

    /// Our end and the other's.
    pub fn ends(&self, neighbour: Neighbour) -> Option<(SocketAddr, SocketAddr)> {
        match neighbour {
            Neighbour::Datagrams(peer) => {
                let udp = self.udp.as_ref()?;
                Some((udp.local_towards(peer), peer))
            }
            Neighbour::Stream(id) => self.streams.get(&id).map(|stream| stream.ends),
        }
    }

    /// Closes a stream, once what was said is sent.
    pub fn hang_up(&mut self, neighbour: Neighbour) {
        if let Neighbour::Stream(id) = neighbour {
            self.streams.remove(&id);
        }
    }

    /// Opens a stream for a trunk.
    pub fn reach(&mut self, trunk: TrunkId, place: SocketAddr, transport: Transport) {
        let listener = match transport {
            Transport::Tls => self.tls.as_ref().map(|(listener, _)| listener),
            Transport::Tcp | Transport::Udp | Transport::Ws | Transport::Wss => self.tcp.as_ref(),
        };
        let port = listener.and_then(|listener| listener.local_addr().ok());
        let port = port.map_or(0, |local| local.port());
        let ends = (SocketAddr::new(place.ip(), 0), place);
        let line = self.line(ends, Some(trunk));
        let connector = Arc::clone(&self.connector);
        let server = Server {
            transport,
            host: place.ip().to_string(),
            port: place.port(),
            sought: None,
            resource: "/".into(),
            priority: 0,
            weight: 0,
        };
        let unreached = self.to_inbox.clone();
        self.tasks.spawn(async move {
            match connector.connect(&server, None).await {
                Ok(connection) => {
                    let own = connection.ends().map(|(local, _)| local.ip());
                    let own = own.unwrap_or(place.ip());
                    let reachable = SocketAddr::new(own, port);
                    line.serve(connection, transport, reachable).await;
                }
                Err(_) => {
                    let _ = unreached.send(NeighbourReport::Unreached(trunk)).await;
                    line.tell(NeighbourNews::Down).await;
                }
            }
        });
    }

    /// Closes all, once what was said is sent.
    pub async fn end(&mut self) {
        self.stop();
        self.inbox.close();
        while self.tasks.join_next().await.is_some() {}
    }

    async fn take(
        &mut self,
        accepted: io::Result<(TcpStream, SocketAddr)>,
        acceptor: Option<Acceptor>,
    ) {
        let Ok((tcp, peer)) = accepted else {
            return tokio::time::sleep(PAUSE).await;
        };
        let may_call = self.peers.iter().any(|network| network.has(peer.ip()));
        if !may_call || !self.has_room_for(peer.ip()) {
            return;
        }
        let Ok(local) = tcp.local_addr() else {
            return;
        };
        let _ = tcp.set_nodelay(true);
        notice_silence(&tcp);
        let line = self.line((local, peer), None);
        self.tasks.spawn(async move {
            let ends = Ends::of(&tcp);
            let tcp = transport::Transport::direct(tcp);
            let Some(Acceptor(acceptor)) = acceptor else {
                let connection = Connection::stream(Stream::Plain(tcp), ends);
                return line.serve(connection, Transport::Tcp, local).await;
            };
            match timeout(HANDSHAKE, acceptor.accept(tcp)).await {
                Ok(Ok(stream)) => {
                    let stream = Stream::Tls(Box::new(stream.into()));
                    let connection = Connection::stream(stream, ends);
                    line.serve(connection, Transport::Tls, local).await;
                }
                Ok(Err(_)) | Err(_) => line.tell(NeighbourNews::Down).await,
            }
        });
    }

    fn has_room_for(&self, peer: IpAddr) -> bool {
        let theirs = self
            .streams
            .values()
            .filter(|stream| stream.ends.1.ip() == peer);
        self.tasks.len() < MOST_STREAMS && theirs.count() < MOST_STREAMS_OF_ONE
    }

    fn line(&mut self, ends: (SocketAddr, SocketAddr), opened_for: Option<TrunkId>) -> StreamLine {
        self.last += 1;
        let (sender, outbox) = mpsc::channel(OUTBOX);
        let stream = OpenStream {
            outbox: sender,
            ends,
        };
        self.streams.insert(self.last, stream);
        StreamLine {
            neighbour: Neighbour::Stream(self.last),
            ends,
            opened_for,
            outbox,
            inbox: self.to_inbox.clone(),
        }
    }
}

/// One stream of a peer.
struct StreamLine {
    neighbour: Neighbour,
    ends: (SocketAddr, SocketAddr),
    opened_for: Option<TrunkId>,
    outbox: mpsc::Receiver<Bytes>,
    inbox: mpsc::Sender<NeighbourReport>,
}

impl StreamLine {
    /// Carries messages until somebody closes, or a message does not end. `local` is where the peer reaches us.
    async fn serve(mut self, mut connection: Connection, transport: Transport, local: SocketAddr) {
        let peer = self.ends.1;
        self.tell(NeighbourNews::Up {
            transport,
            local,
            peer,
            opened_for: self.opened_for,
        })
        .await;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                incoming = connection.next() => match incoming {
                    Incoming::Message(bytes) => {
                        let from = peer.ip();
                        self.tell(NeighbourNews::Message { from, local, bytes }).await;
                    }
                    Incoming::Pong => {}
                    Incoming::Down(_) => break,
                },
                message = self.outbox.recv() => match message {
                    Some(message) => connection.send(message),
                    None => {
                        connection.close(FAREWELL).await;
                        break;
                    }
                },
                _ = look.tick() => {
                    if connection.unfinished().is_some_and(|for_now| for_now > LONGEST_MESSAGE) {
                        break;
                    }
                }
            }
        }
        self.tell(NeighbourNews::Down).await;
    }

    async fn tell(&self, news: NeighbourNews) {
        let report = NeighbourReport::News(self.neighbour, self.ends, news);
        // The phone may have ended.
        let _ = self.inbox.send(report).await;
    }
}

impl ListeningSocket {
    fn open(place: ListenPlace) -> io::Result<ListeningSocket> {
        let sender = Socket::bind((place.address, place.port))?;
        sender.set_nonblocking(true)?;
        Ok(ListeningSocket {
            local: sender.local_addr()?,
            socket: UdpSocket::from_std(sender.try_clone()?)?,
            sender,
            octets: vec![0; DATAGRAM].into(),
        })
    }

    /// Where a peer reaches us.
    fn local_towards(&self, peer: SocketAddr) -> SocketAddr {
        let source = match self.local.ip().is_unspecified() {
            true => source_towards(peer.ip().to_canonical()),
            false => None,
        };
        SocketAddr::new(source.unwrap_or(self.local.ip()), self.local.port())
    }
}

async fn receive(udp: &mut Option<ListeningSocket>) -> Option<NeighbourReport> {
    let Some(udp) = udp else {
        return pending().await;
    };
    // An error is of something sent before, which nobody waits for.
    let (length, from) = udp.socket.recv_from(&mut udp.octets).await.ok()?;
    let local = udp.local_towards(from);
    let news = NeighbourNews::Message {
        from: from.ip(),
        local,
        bytes: Bytes::copy_from_slice(&udp.octets[..length]),
    };
    let neighbour = Neighbour::Datagrams(from);
    Some(NeighbourReport::News(neighbour, (local, from), news))
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => pending().await,
    }
}

fn stream_listener(place: ListenPlace) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind((place.address, place.port))?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn refused(what: &str, place: ListenPlace, error: &io::Error) -> String {
    let at = SocketAddr::new(place.address, place.port);
    if error.kind() == io::ErrorKind::AddrInUse {
        return format!("{what} at {at} is in use: does another program, or phone, listen there?");
    }
    if error.kind() == io::ErrorKind::AddrNotAvailable {
        return format!("{} is no address of this machine", place.address);
    }
    format!("{what} at {at} can't be listened at: {error}")
}
