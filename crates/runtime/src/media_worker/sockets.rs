//! The UDP sockets of one session, one for each local address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use phone::config::PortRange;
use socket2::SockRef;

/// The most sockets one session has; `Token`s are numbered by it.
pub(super) const MAX: usize = 8;
/// Datagrams taken from one socket before the others get their turn.
const BURST: usize = 32;
/// The same of a session with pictures: a key frame, and what repairs it, may come at once with the sound behind it.
const BURST_WITH_PICTURES: usize = 512;
/// What is left of such bursts comes back by so much each 10 ms: 16 pictures of 2.5 Mbit/s need 42.
const PACE_WITH_PICTURES: f64 = 64.0;
/// What the system keeps of such a burst for us, in octets; it may keep less.
const ROOM_WITH_PICTURES: usize = 1 << 20;
/// Larger than any datagram that fits an Ethernet frame; what is longer is cut and fails its check.
pub(super) const DATAGRAM: usize = 2048;

/// A session's sockets, registered for reading.
#[derive(Debug)]
pub(super) struct Sockets {
    sockets: Vec<UdpSocket>,
    ports: Option<PortRange>,
}

/// Ports that are tried for one socket: sound must not wait for long.
const MOST_TRIED: u32 = 1024;

/// What comes to a session's sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traffic {
    Sound,
    WithPictures,
}

/// How much of a session's sockets is read at once: as much as pictures need, and no flood for long.
#[derive(Debug)]
pub(super) struct ReadingPace {
    left: f64,
    since: Option<Instant>,
}

impl Default for ReadingPace {
    fn default() -> Self {
        Self {
            left: BURST_WITH_PICTURES as f64,
            since: None,
        }
    }
}

impl ReadingPace {
    /// Datagrams that may be read now.
    fn burst(&mut self, traffic: Traffic, now: Instant) -> usize {
        if traffic == Traffic::Sound {
            return BURST;
        }
        let since = self.since.replace(now).unwrap_or(now);
        let passed = now.saturating_duration_since(since).as_secs_f64() * 100.0;
        self.left = (self.left + passed * PACE_WITH_PICTURES).min(BURST_WITH_PICTURES as f64);
        (self.left as usize).max(BURST)
    }

    fn read(&mut self, count: usize) {
        self.left = (self.left - count as f64).max(0.0);
    }
}

/// Whether a socket has more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Readiness {
    /// It would block: the poll tells when there is more.
    Drained,
    /// The burst was used up: read again without waiting.
    More,
}

impl Sockets {
    /// Binds and registers; an address that can't be bound is passed over.
    pub(super) fn bind(
        (addresses, ports): (&[IpAddr], Option<PortRange>),
        registry: &Registry,
        first: Token,
    ) -> io::Result<(Sockets, Vec<SocketAddr>)> {
        let mut sockets = Vec::new();
        let mut bound = Vec::new();
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses.iter().take(MAX) {
            let token = Token(first.0 + sockets.len());
            match bind((*address, ports), registry, token) {
                Ok((socket, local)) => {
                    sockets.push(socket);
                    bound.push(local);
                }
                Err(error) => {
                    tracing::debug!(%address, %error, "an address can't be used for media");
                    failure = error;
                }
            }
        }
        if sockets.is_empty() {
            return Err(failure);
        }
        Ok((Sockets { sockets, ports }, bound))
    }

    /// The ports that it is bound to keep to.
    pub(super) fn ports(&self) -> Option<PortRange> {
        self.ports
    }

    /// Has the system keep as much as comes at once.
    pub(super) fn make_room(&self, traffic: Traffic) {
        if traffic == Traffic::Sound {
            return;
        }
        for socket in &self.sockets {
            if let Err(error) = SockRef::from(socket).set_recv_buffer_size(ROOM_WITH_PICTURES) {
                tracing::debug!(%error, "bursts of pictures may be cut");
            }
        }
    }

    /// Gives each waiting datagram of one socket to `take`, up to a burst.
    pub(super) fn receive(
        &self,
        socket: usize,
        (pace, traffic, turn): (&mut ReadingPace, Traffic, Instant),
        buffer: &mut [u8],
        mut take: impl FnMut(SocketAddr, &[u8]),
    ) -> Readiness {
        let Some(udp) = self.sockets.get(socket) else {
            return Readiness::Drained;
        };
        let burst = pace.burst(traffic, turn);
        for count in 0..burst {
            match udp.recv_from(buffer) {
                Ok((length, from)) => take(from, &buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    pace.read(count);
                    return Readiness::Drained;
                }
                // An ICMP error of an earlier send (ECONNREFUSED): the next datagram may be fine.
                Err(_) => {}
            }
        }
        pace.read(burst);
        Readiness::More
    }

    /// Sends, or loses the datagram as a network would.
    pub(super) fn send(&self, socket: usize, to: SocketAddr, bytes: &[u8]) {
        if let Some(udp) = self.sockets.get(socket)
            && let Err(error) = udp.send_to(bytes, to)
        {
            tracing::trace!(%to, %error, "a datagram was not sent");
        }
    }

    pub(super) fn deregister(&mut self, registry: &Registry) {
        for socket in &mut self.sockets {
            let _ = registry.deregister(socket);
        }
    }
}

fn bind(
    (address, ports): (IpAddr, Option<PortRange>),
    registry: &Registry,
    token: Token,
) -> io::Result<(UdpSocket, SocketAddr)> {
    let mut socket = match ports {
        None => UdpSocket::bind(SocketAddr::new(address, 0))?,
        Some(ports) => bind_within(address, ports)?,
    };
    let local = socket.local_addr()?;
    registry.register(&mut socket, token, Interest::READABLE)?;
    Ok((socket, local))
}

/// Begins anywhere, for neighbours are taken at the same time.
fn bind_within(address: IpAddr, PortRange { min, max }: PortRange) -> io::Result<UdpSocket> {
    let ports = u32::from(max - min) + 1;
    let first = rand::random_range(0..ports);
    for step in 0..ports.min(MOST_TRIED) {
        let port = u32::from(min) + (first + step) % ports;
        let place = SocketAddr::new(address, u16::try_from(port).unwrap_or(max));
        match UdpSocket::bind(place) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            outcome => return outcome,
        }
    }
    let text = format!("the ports {min} to {max} of portRange are taken on {address}");
    Err(io::Error::new(io::ErrorKind::AddrInUse, text))
}
