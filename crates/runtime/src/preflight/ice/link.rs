use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::BytesMut;
use phone::Config;
use phone::config::InterfaceFilter;
use preflight::{Framed, StunTransaction, framed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use crate::media_worker::sockets::bind_within;
use crate::resolver::local_addresses;
use crate::signalling::Stream;

/// A request is made again after these times (RFC 8489 §6.2.1, cut short), and given up after the last.
const REPEATS: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1000),
    Duration::from_millis(1250),
];
/// All of them.
pub(super) const LIMIT: Duration = Duration::from_secs(3);
/// No datagram on a path of the internet is longer.
const LONGEST: usize = 2048;

/// A socket that speaks with one server.
#[derive(Debug)]
pub(super) struct DatagramLink(UdpSocket);

impl DatagramLink {
    pub(super) async fn to(server: SocketAddr, config: &Config) -> io::Result<DatagramLink> {
        let socket = media_socket(server, config)?;
        // What comes from others is not seen, and that nobody listens there is.
        socket.connect(server).await?;
        Ok(DatagramLink(socket))
    }

    pub(super) async fn send(&self, octets: &[u8]) -> io::Result<()> {
        self.0.send(octets).await.map(|_| ())
    }

    pub(super) async fn receive(&self) -> io::Result<Vec<u8>> {
        let mut octets = vec![0; LONGEST];
        let length = self.0.recv(&mut octets).await?;
        octets.truncate(length);
        Ok(octets)
    }

    /// Sends a request until `take` makes something of what comes; says how long that took since it was sent last.
    pub(super) async fn exchange<T>(
        &mut self,
        request: &[u8],
        mut take: impl FnMut(&[u8]) -> Option<T>,
    ) -> io::Result<(T, Duration)> {
        for pause in REPEATS {
            self.send(request).await?;
            let sent = Instant::now();
            while let Ok(received) = timeout_at(sent + pause, self.receive()).await {
                if let Some(taken) = take(&received?) {
                    return Ok((taken, sent.elapsed()));
                }
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

/// A stream to one server.
#[derive(Debug)]
pub(super) struct StreamLink {
    stream: Stream,
    /// Less than a message.
    received: BytesMut,
}

impl StreamLink {
    pub(super) fn new(stream: Stream) -> StreamLink {
        StreamLink {
            stream,
            received: BytesMut::new(),
        }
    }

    async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await?;
        self.stream.flush().await
    }

    /// May be given up without a loss.
    async fn receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match framed(&self.received) {
                Framed::Message(length) => return Ok(self.received.split_to(length).to_vec()),
                Framed::Foreign => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "what it speaks is no TURN",
                    ));
                }
                Framed::Incomplete => {}
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                let text = "the server closed the connection";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, text));
            }
        }
    }

    /// A stream repeats by itself.
    async fn exchange<T>(
        &mut self,
        request: &[u8],
        mut take: impl FnMut(&[u8]) -> Option<T>,
    ) -> io::Result<(T, Duration)> {
        let sent = Instant::now();
        let exchange = async {
            self.send(request).await?;
            loop {
                if let Some(taken) = take(&self.receive().await?) {
                    return Ok((taken, sent.elapsed()));
                }
            }
        };
        timeout_at(sent + LIMIT, exchange)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Either way to a server.
#[derive(Debug)]
pub(super) enum ServerLink {
    Datagrams(DatagramLink),
    Stream(Box<StreamLink>),
}

impl ServerLink {
    pub(super) async fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            ServerLink::Datagrams(link) => link.send(octets).await,
            ServerLink::Stream(link) => link.send(octets).await,
        }
    }

    pub(super) async fn receive(&mut self) -> io::Result<Vec<u8>> {
        match self {
            ServerLink::Datagrams(link) => link.receive().await,
            ServerLink::Stream(link) => link.receive().await,
        }
    }

    /// Sends a request until `take` makes something of what comes; says how long that took since it was sent last.
    pub(super) async fn exchange<T>(
        &mut self,
        request: &[u8],
        take: impl FnMut(&[u8]) -> Option<T>,
    ) -> io::Result<(T, Duration)> {
        match self {
            ServerLink::Datagrams(link) => link.exchange(request, take).await,
            ServerLink::Stream(link) => link.exchange(request, take).await,
        }
    }
}

/// A socket as media would have on the way to this server: on the interfaces and ports that it may use.
pub(super) fn media_socket(server: SocketAddr, config: &Config) -> io::Result<UdpSocket> {
    let mut failure =
        io::Error::other("interfaces admits no address of this machine that could reach it");
    for address in own_addresses(server, config)? {
        let bind = |place| std::net::UdpSocket::bind::<SocketAddr>(place);
        let bound = match config.port_range {
            None => bind((address, 0).into()),
            Some(ports) => match bind_within(address, ports, bind) {
                // Several servers are asked at once, and calls may run: that is no fault of the network.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => bind((address, 0).into()),
                outcome => outcome,
            },
        };
        match bound {
            Ok(socket) => {
                socket.set_nonblocking(true)?;
                return UdpSocket::from_std(socket);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Every address, unless some are named.
fn own_addresses(server: SocketAddr, config: &Config) -> io::Result<Vec<IpAddr>> {
    if config.interfaces == InterfaceFilter::default() {
        return Ok(vec![match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        }]);
    }
    let mut addresses = local_addresses(server.ip().is_loopback(), &config.interfaces)?;
    addresses.retain(|address| address.is_ipv4() == server.is_ipv4());
    Ok(addresses)
}

/// A name for a request that nobody can guess.
pub(super) fn transaction() -> StunTransaction {
    rand::random()
}
