//! From a URL to an open WebSocket: lookup, TCP to the first address that answers or a tunnel through a proxy, TLS, upgrade.
//! A stream to a TURN server goes the same way, without the last step.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use media::transport::StreamTarget;
use phone::config::Server;
use sip::locating::Place;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config, tungstenite};
use tunnel::{Proxy, Scheme, Target};

use super::asked::Asked;
use super::connection::Ends;
use super::error::{self, ConnectStep};
use super::paced::Paced;
use super::tls::{Naming, Witness};
use super::transport::{Stream, Transport};
use super::tunnel::Passage;
use super::{ConnectError, Connection, Dns, TlsOptions, tls};

/// A SIP message has at most 64 KiB; a frame above four of them is an attack, not a message.
const MAX_MESSAGE: usize = 256 * 1024;
/// RFC 8305 §8: the next address is tried when the one before has not answered for this long.
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// Where to, and how that is called in an error.
struct NamedEnd<'a> {
    host: &'a str,
    port: u16,
    /// Looked up if there are none.
    addresses: &'a [IpAddr],
    shown: String,
}

impl NamedEnd<'_> {
    fn of<'a>(server: &Server, place: &'a Place) -> NamedEnd<'a> {
        let shown = match (place.host == server.host, place.addresses.as_slice()) {
            (false, _) => format!("{server} ({}:{})", place.host, place.port),
            (true, [address]) if server.host.parse() != Ok(*address) => {
                format!("{server} ({})", SocketAddr::new(*address, place.port))
            }
            (true, _) => server.to_string(),
        };
        NamedEnd {
            host: &place.host,
            port: place.port,
            addresses: &place.addresses,
            shown,
        }
    }
}

/// Opens WebSockets, and streams to TURN servers, for one Softphone; the TLS configurations are made once and reused.
#[derive(Debug)]
pub struct Connector {
    pub(super) tls: TlsOptions,
    /// For WebSockets.
    client: OnceCell<Arc<ClientConfig>>,
    /// For SIP over TLS, whose servers are named otherwise.
    sip_client: OnceCell<Arc<ClientConfig>>,
    /// For TLS to proxies and TURN servers, which are not the server.
    others: OnceCell<Arc<ClientConfig>>,
    asked: Asked,
    pub(super) limit: Duration,
    dns: Option<Dns>,
}

impl Connector {
    /// `limit` is the time all steps together may take.
    pub fn new(tls: TlsOptions, limit: Duration) -> Connector {
        Connector {
            tls,
            client: OnceCell::new(),
            sip_client: OnceCell::new(),
            others: OnceCell::new(),
            asked: Asked::default(),
            limit,
            dns: None,
        }
    }

    /// Asks these name servers in place of the system's.
    pub fn asking(self, dns: Dns) -> Connector {
        Connector {
            dns: Some(dns),
            ..self
        }
    }

    /// Where a server is, and for how long that is known; dropping it gives up at once.
    pub async fn find(&self, server: &Server) -> Result<(Vec<Place>, Duration), ConnectError> {
        let Some(sought) = server.sought else {
            return Ok((vec![server.place()], Duration::ZERO));
        };
        let found = async {
            let dns = match &self.dns {
                Some(dns) => dns.clone(),
                None => Dns::of_system().await,
            };
            dns.find(&server.host, sought).await
        };
        match tokio::time::timeout(self.limit, found).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(why)) => Err(ConnectError::NotFound {
                server: server.to_string(),
                why,
            }),
            Err(_) => Err(ConnectError::TimedOut {
                server: server.to_string(),
                step: ConnectStep::Lookup,
                after: self.limit,
            }),
        }
    }

    /// Connects to where the URL of the server says that it is.
    pub async fn connect(
        &self,
        server: &Server,
        proxy: Option<&Proxy>,
    ) -> Result<Connection, ConnectError> {
        self.connect_at(server, &server.place(), proxy).await
    }

    /// Connects to one place of a server, through a proxy if there is one, or says why not; dropping it gives up at once. Whoever
    /// is found there, with TLS, has to be the server.
    pub async fn connect_at(
        &self,
        server: &Server,
        place: &Place,
        proxy: Option<&Proxy>,
    ) -> Result<Connection, ConnectError> {
        let deadline = Instant::now() + self.limit;
        let end = NamedEnd::of(server, place);
        if place.transport == sip::transaction::Transport::Udp {
            return self.datagrams(&end, deadline).await;
        }
        let transport = match proxy {
            None => self.direct(&end, deadline).await?,
            Some(proxy) => self.lead_through(proxy, &end, deadline).await?,
        };
        // SIP messages are small and each is awaited: Nagle would add a round trip to every one.
        let _ = transport.tcp().set_nodelay(true);
        notice_silence(transport.tcp());
        let ends = Ends::of(transport.tcp());
        let stream = timeout_at(deadline, self.secure(server, place, transport))
            .await
            .map_err(|_| self.too_late(&end, ConnectStep::Tls))??;
        if !place.transport.is_websocket() {
            return Ok(Connection::stream(stream, ends));
        }
        timeout_at(deadline, upgrade(server, stream))
            .await
            .map_err(|_| self.too_late(&end, ConnectStep::Upgrade))?
            .map(|(stream, _response)| Connection::websocket(stream, ends))
            .map_err(|error| {
                error::from_handshake(server.to_string(), self.name_checked(server), error)
            })
    }

    /// A socket of our own for the first of a server's addresses; whether anybody listens there, the first request tells.
    async fn datagrams(
        &self,
        end: &NamedEnd<'_>,
        deadline: Instant,
    ) -> Result<Connection, ConnectError> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in self.addresses(end, deadline).await? {
            let any: IpAddr = match address.is_ipv4() {
                true => Ipv4Addr::UNSPECIFIED.into(),
                false => Ipv6Addr::UNSPECIFIED.into(),
            };
            let opened = async {
                let socket = UdpSocket::bind((any, 0)).await?;
                socket.connect(address).await?;
                Ok(socket)
            };
            match opened.await {
                Ok(socket) => return Ok(Connection::datagrams(socket)),
                // Of no route in its family, say.
                Err(error) => last = error,
            }
        }
        Err(error::from_tcp(end.shown.clone(), last))
    }

    async fn addresses(
        &self,
        end: &NamedEnd<'_>,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, ConnectError> {
        if !end.addresses.is_empty() {
            let found = end.addresses.iter();
            return Ok(found.map(|one| SocketAddr::new(*one, end.port)).collect());
        }
        timeout_at(deadline, lookup(end.host, end.port))
            .await
            .map_err(|_| self.too_late(end, ConnectStep::Lookup))?
            .map_err(|source| ConnectError::UnknownHost {
                host: end.host.to_owned(),
                source,
            })
    }

    /// Opens a stream to a TURN server, through a proxy if there is one; dropping it gives up at once. Of `tls` only `ca` is
    /// about others than the server.
    pub(crate) async fn open(
        &self,
        target: &StreamTarget,
        proxy: Option<&Proxy>,
    ) -> Result<Stream, ConnectError> {
        let deadline = Instant::now() + self.limit;
        let end = NamedEnd {
            host: &target.host,
            port: target.port,
            addresses: &[],
            shown: target.to_string(),
        };
        let transport = match proxy {
            None => self.direct(&end, deadline).await?,
            Some(proxy) => self.lead_through(proxy, &end, deadline).await?,
        };
        // Packets of sound are small, and none is to wait for the one before.
        let _ = transport.tcp().set_nodelay(true);
        if !target.tls {
            return Ok(Stream::Plain(transport));
        }
        let client = self.other_config().await?;
        let name = tls::server_name(&TlsOptions::default(), end.host)?;
        let secured = TlsConnector::from(client).connect(name, transport);
        timeout_at(deadline, secured)
            .await
            .map_err(|_| self.too_late(&end, ConnectStep::Tls))?
            .map(|stream| Stream::Tls(Box::new(stream.into())))
            .map_err(|error| error::from_io(end.shown.clone(), end.host, ConnectStep::Tls, &error))
    }

    fn too_late(&self, end: &NamedEnd<'_>, step: ConnectStep) -> ConnectError {
        ConnectError::TimedOut {
            server: end.shown.clone(),
            step,
            after: self.limit,
        }
    }

    async fn direct(
        &self,
        end: &NamedEnd<'_>,
        deadline: Instant,
    ) -> Result<Transport, ConnectError> {
        let addresses = self.addresses(end, deadline).await?;
        timeout_at(deadline, tcp(addresses))
            .await
            .map_err(|_| self.too_late(end, ConnectStep::Tcp))?
            .map(Transport::direct)
            .map_err(|source| error::from_tcp(end.shown.clone(), source))
    }

    pub(super) async fn through(
        &self,
        proxy: &Proxy,
        server: &Server,
        deadline: Instant,
    ) -> Result<Transport, ConnectError> {
        let place = server.place();
        self.lead_through(proxy, &NamedEnd::of(server, &place), deadline)
            .await
    }

    async fn lead_through(
        &self,
        proxy: &Proxy,
        end: &NamedEnd<'_>,
        deadline: Instant,
    ) -> Result<Transport, ConnectError> {
        let target = Target::new(end.host, end.port).map_err(|_| ConnectError::InvalidUrl {
            why: "its host is nothing that a proxy could be asked for",
        })?;
        let passage = Passage {
            proxy,
            client: match proxy.scheme {
                Scheme::Https => Some(self.other_config().await?),
                Scheme::Http | Scheme::Socks5 => None,
            },
            asked: &self.asked,
            deadline,
            limit: self.limit,
        };
        passage.open(&target).await
    }

    /// The system's authorities and those of `tls.ca`; the rest of `tls` is about the server.
    async fn other_config(&self) -> Result<Arc<ClientConfig>, ConnectError> {
        let options = TlsOptions {
            ca: self.tls.ca.clone(),
            ..TlsOptions::default()
        };
        let made = || client_config(options, Naming::Web, Witness::default());
        let made = self.others.get_or_try_init(made);
        made.await.map(Arc::clone)
    }

    async fn secure(
        &self,
        server: &Server,
        place: &Place,
        transport: Transport,
    ) -> Result<Stream, ConnectError> {
        if !place.transport.is_secure() {
            return Ok(Stream::Plain(transport));
        }
        let naming = naming(server);
        let client = match naming {
            Naming::Web => &self.client,
            Naming::Sip => &self.sip_client,
        };
        let made = || client_config(self.tls.clone(), naming, Witness::default());
        let client = client.get_or_try_init(made).await?;
        self.handshake(Arc::clone(client), server, transport).await
    }

    pub(super) async fn handshake(
        &self,
        client: Arc<ClientConfig>,
        server: &Server,
        transport: Transport,
    ) -> Result<Stream, ConnectError> {
        let name = tls::server_name(&self.tls, &server.host)?;
        TlsConnector::from(client)
            .connect(name, transport)
            .await
            .map(|stream| Stream::Tls(Box::new(stream.into())))
            .map_err(|error| {
                let host = self.name_checked(server);
                error::from_io(server.to_string(), host, ConnectStep::Tls, &error)
            })
    }

    pub(super) fn name_checked<'a>(&'a self, server: &'a Server) -> &'a str {
        self.tls.servername.as_deref().unwrap_or(&server.host)
    }
}

/// By which rules the server is named in its certificate.
pub(super) fn naming(server: &Server) -> Naming {
    match server.transport.is_websocket() {
        true => Naming::Web,
        false => Naming::Sip,
    }
}

pub(super) async fn client_config(
    options: TlsOptions,
    naming: Naming,
    witness: Witness,
) -> Result<Arc<ClientConfig>, ConnectError> {
    tokio::task::spawn_blocking(move || tls::client_config(&options, naming, witness))
        .await
        .unwrap_or_else(|_| {
            Err(ConnectError::InvalidTlsOption {
                option: "ca",
                why: "reading the system's certificates failed".to_owned(),
            })
        })
        .map(Arc::new)
}

/// So long may what we have sent be unheard of: servers that answer no keep-alive are found dead by it.
#[cfg(target_os = "linux")]
const UNHEARD_MILLISECONDS: u32 = 15_000;

#[cfg(target_os = "linux")]
pub(super) fn notice_silence(tcp: &TcpStream) {
    use nix::sys::socket::{setsockopt, sockopt::TcpUserTimeout};
    let _ = setsockopt(tcp, TcpUserTimeout, &UNHEARD_MILLISECONDS);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn notice_silence(_: &TcpStream) {}

pub(crate) async fn lookup(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
    match found.is_empty() {
        true => Err(io::Error::from(io::ErrorKind::NotFound)),
        false => Ok(found),
    }
}

// RFC 8305: attempts start one after the other, and the first that answers wins.
pub(super) async fn tcp(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        match waiting.next() {
            Some(address) => trying.push(TcpStream::connect(address)),
            None if trying.is_empty() => return Err(last),
            None => {}
        }
        let next_may_start = tokio::time::sleep(if waiting.len() > 0 {
            NEXT_ADDRESS_AFTER
        } else {
            Duration::MAX
        });
        tokio::select! {
            Some(attempt) = trying.next() => match attempt {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            },
            () = next_may_start => {}
        }
    }
}

pub(super) async fn upgrade(
    server: &Server,
    stream: Stream,
) -> Result<(WebSocketStream<Paced>, Response), tungstenite::Error> {
    let mut request = server.url().into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static("sip"));
    client_async_with_config(request, Paced::new(stream), Some(limits())).await
}

pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
}
