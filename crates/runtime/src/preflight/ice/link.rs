use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use preflight::StunTransaction;
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

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
    pub(super) async fn to(server: SocketAddr) -> io::Result<DatagramLink> {
        let socket = UdpSocket::bind(any(server)).await?;
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

/// Every address of this machine that can reach the server's family.
pub(super) fn any(server: SocketAddr) -> SocketAddr {
    match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}

/// A name for a request that nobody can guess.
pub(super) fn transaction() -> StunTransaction {
    rand::random()
}
