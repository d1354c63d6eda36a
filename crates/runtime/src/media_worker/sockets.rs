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
    /// Binds and registers; an address that can't be bound is passed over. In a range of ports that is full, an address that stays
    /// keeps its socket out of `old`.
    pub(super) fn bind(
        (addresses, ports): (&[IpAddr], Option<PortRange>),
        registry: &Registry,
        first: Token,
        mut old: Option<&mut Sockets>,
    ) -> io::Result<(Sockets, Vec<SocketAddr>)> {
        let mut sockets = Vec::new();
        let mut bound = Vec::new();
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses.iter().take(MAX) {
            let token = Token(first.0 + sockets.len());
            let fresh = bind((*address, ports), registry, token);
            let kept = |error| match old.as_deref_mut() {
                Some(old) => old.give(*address, registry, token).ok_or(error),
                None => Err(error),
            };
            match fresh.or_else(kept) {
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

    /// Gives away the socket of an address, if there is one in the range.
    fn give(
        &mut self,
        address: IpAddr,
        registry: &Registry,
        token: Token,
    ) -> Option<(UdpSocket, SocketAddr)> {
        self.ports?;
        let is_its = |socket: &UdpSocket| socket.local_addr().is_ok_and(|at| at.ip() == address);
        let index = self.sockets.iter().position(is_its)?;
        let mut socket = self.sockets.remove(index);
        let local = socket.local_addr().ok()?;
        registry
            .reregister(&mut socket, token, Interest::READABLE)
            .ok()?;
        Some((socket, local))
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
        Some(ports) => bind_within(address, ports, UdpSocket::bind)?,
    };
    let local = socket.local_addr()?;
    registry.register(&mut socket, token, Interest::READABLE)?;
    Ok((socket, local))
}

/// Begins anywhere, for neighbours are taken at the same time.
pub(crate) fn bind_within<Socket>(
    address: IpAddr,
    PortRange { min, max }: PortRange,
    bind: impl Fn(SocketAddr) -> io::Result<Socket>,
) -> io::Result<Socket> {
    let ports = u32::from(max - min) + 1;
    let first = rand::random_range(0..ports);
    for step in 0..ports.min(MOST_TRIED) {
        let port = u32::from(min) + (first + step) % ports;
        let place = SocketAddr::new(address, u16::try_from(port).unwrap_or(max));
        match bind(place) {
            // Windows refuses so what it has set aside for others.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
                ) => {}
            outcome => return outcome,
        }
    }
    let which = match ports > MOST_TRIED {
        true => format!("{MOST_TRIED} ports from {min} to {max}"),
        false => format!("the ports {min} to {max}"),
    };
    let text = format!("{which} of portRange are taken on {address}");
    Err(io::Error::new(io::ErrorKind::AddrInUse, text))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// A range of one port, and what is bound to it: below those that the system gives to everybody.
    fn full_range(poll: &mio::Poll) -> (PortRange, Sockets, SocketAddr) {
        let one = |port| PortRange {
            min: port,
            max: port,
        };
        let mut bound = (20_000..32_000).filter_map(|_| {
            let ports = one(rand::random_range(20_000..32_000));
            let wanted = (&[HERE][..], Some(ports));
            let (sockets, at) = Sockets::bind(wanted, poll.registry(), Token(0), None).ok()?;
            Some((ports, sockets, at[0]))
        });
        bound.next().expect("a free port")
    }

    #[test]
    fn an_address_that_stays_keeps_its_socket_if_the_range_is_full() {
        let poll = mio::Poll::new().unwrap();
        let (ports, mut old, at) = full_range(&poll);
        let wanted = (&[HERE][..], Some(ports));
        let others = Sockets::bind(wanted, poll.registry(), Token(8), None);
        let text = others.unwrap_err().to_string();
        assert!(
            text.contains("of portRange are taken on 127.0.0.1"),
            "{text}"
        );
        let (kept, bound) =
            Sockets::bind(wanted, poll.registry(), Token(8), Some(&mut old)).unwrap();
        assert_eq!((bound, old.sockets.len()), (vec![at], 0));
        kept.send(0, at, b"to itself");
        let mut events = mio::Events::with_capacity(4);
        let mut poll = poll;
        poll.poll(&mut events, Some(std::time::Duration::from_secs(10)))
            .unwrap();
        let token = events.iter().next().map(mio::event::Event::token);
        assert_eq!(token, Some(Token(8)), "it is heard under its new number");
    }

    #[test]
    fn a_port_that_the_system_has_set_aside_is_passed_over() {
        let ports = PortRange {
            min: 20_000,
            max: 20_009,
        };
        let bind = |place: SocketAddr| match place.port() {
            20_007 => Ok(place),
            odd if odd % 2 == 1 => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Err(io::ErrorKind::AddrInUse.into()),
        };
        let bound = bind_within(HERE, ports, bind).unwrap();
        assert_eq!(bound.port(), 20_007);
        let wrong = |_| Err::<(), _>(io::ErrorKind::AddrNotAvailable.into());
        let error = bind_within(HERE, ports, wrong).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }
}
