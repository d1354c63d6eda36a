//! The addresses behind the names that browsers give instead of them, asked for on the local network (RFC 6762).

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use futures_util::future::select_ok;
use rtc_mdns::{MDNS_PORT, Mdns, MdnsConfig, MdnsEvent, MulticastSocket};
use rtc_shared::{TaggedBytesMut, TransportContext, TransportProtocol};
use sansio::Protocol as _;
use socket2::SockRef;
use tokio::net::UdpSocket;
use tokio::time::{sleep_until, timeout};

/// Whoever is there answers within a second (RFC 6762 §6).
const PATIENCE: Duration = Duration::from_secs(3);
/// A question that was lost is asked again after this.
const REPEAT: Duration = Duration::from_millis(400);
/// Interfaces that are asked on.
const MOST_ASKED: usize = 4;
/// RFC 6762 §17.
const LONGEST: usize = 9000;

/// Asks on these interfaces of ours; nothing if nobody answers.
pub(crate) async fn resolve(name: &str, interfaces: &[IpAddr]) -> Option<IpAddr> {
    let asked = interfaces.iter().filter_map(|address| match address {
        IpAddr::V4(v4) if !v4.is_loopback() => Some(*v4),
        IpAddr::V4(_) | IpAddr::V6(_) => None,
    });
    let lookups: Vec<_> = asked
        .take(MOST_ASKED)
        .map(|interface| Box::pin(ask(name, interface)))
        .collect();
    if lookups.is_empty() {
        return None;
    }
    let (found, _) = timeout(PATIENCE, select_ok(lookups)).await.ok()?.ok()?;
    Some(found)
}

async fn ask(name: &str, interface: Ipv4Addr) -> io::Result<IpAddr> {
    let socket = MulticastSocket::new()
        .with_interface(interface)
        .into_std()?;
    SockRef::from(&socket).set_multicast_if_v4(&interface)?;
    let socket = UdpSocket::from_std(socket)?;
    let mut mdns = Mdns::new(
        Instant::now(),
        MdnsConfig::default().with_query_interval(REPEAT),
    );
    mdns.query_now(Instant::now(), name);
    let mut octets = vec![0; LONGEST];
    loop {
        while let Some(question) = mdns.poll_write() {
            let to = question.transport.peer_addr;
            socket.send_to(&question.message, to).await?;
        }
        while let Some(event) = mdns.poll_event() {
            if let MdnsEvent::QueryAnswered(_, found) = event {
                return Ok(found);
            }
        }
        let due = mdns
            .poll_timeout()
            .unwrap_or_else(|| Instant::now() + REPEAT);
        tokio::select! {
            received = socket.recv_from(&mut octets) => {
                let (length, from) = received?;
                let received = heard(&octets[..length], interface, from);
                // What can't be read is none of ours.
                let _ = mdns.handle_read(received);
            }
            () = sleep_until(due.into()) => {
                let _ = mdns.handle_timeout(Instant::now());
            }
        }
    }
}

fn heard(octets: &[u8], interface: Ipv4Addr, from: SocketAddr) -> TaggedBytesMut {
    TaggedBytesMut {
        now: Instant::now(),
        transport: TransportContext {
            local_addr: SocketAddr::new(interface.into(), MDNS_PORT),
            peer_addr: from,
            transport_protocol: TransportProtocol::UDP,
            ecn: None,
        },
        message: BytesMut::from(octets),
    }
}
