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
    let mut lookup = Lookup::new(name);
    let mut octets = vec![0; LONGEST];
    loop {
        while let Some(question) = lookup.mdns.poll_write() {
            let to = question.transport.peer_addr;
            socket.send_to(&question.message, to).await?;
        }
        let due = lookup
            .mdns
            .poll_timeout()
            .unwrap_or_else(|| Instant::now() + REPEAT);
        tokio::select! {
            received = socket.recv_from(&mut octets) => {
                let (length, from) = received?;
                if let Some(found) = lookup.hear(&octets[..length], interface, from) {
                    return Ok(found);
                }
            }
            () = sleep_until(due.into()) => {
                let _ = lookup.mdns.handle_timeout(Instant::now());
            }
        }
    }
}

/// One name that is asked for.
struct Lookup {
    mdns: Mdns,
    name: String,
}

impl Lookup {
    fn new(name: &str) -> Self {
        let config = MdnsConfig::default().with_query_interval(REPEAT);
        let mut mdns = Mdns::new(Instant::now(), config);
        mdns.query_now(Instant::now(), name);
        Self {
            mdns,
            name: name.to_owned(),
        }
    }

    /// Returns the address that an answer tells. Only whoever has that address is believed, from the port on which only the local
    /// network answers (RFC 6762 §6 and §11).
    fn hear(&mut self, octets: &[u8], interface: Ipv4Addr, from: SocketAddr) -> Option<IpAddr> {
        if from.port() != MDNS_PORT {
            return None;
        }
        // What can't be read is none of ours.
        let _ = self.mdns.handle_read(heard(octets, interface, from));
        while let Some(event) = self.mdns.poll_event() {
            let MdnsEvent::QueryAnswered(_, found) = event else {
                continue;
            };
            if found == from.ip() {
                return Some(found);
            }
            // The crate takes the question for answered. It stays, and is not repeated at once: two that answer each other would not end.
            self.mdns.query_now(Instant::now(), &self.name);
            while self.mdns.poll_write().is_some() {}
        }
        None
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

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "3b0d1c2e-7a54-4c7d-9d61-0a1b2c3d4e5f.local";
    const OURS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

    /// What a machine with this address answers.
    fn answer(address: &str) -> Vec<u8> {
        let config = MdnsConfig::default()
            .with_local_names(vec![NAME.to_owned()])
            .with_local_ip(address.parse().unwrap());
        let mut responder = Mdns::new(Instant::now(), config);
        let question = Lookup::new(NAME).mdns.poll_write().unwrap().message;
        let asker = SocketAddr::new(OURS.into(), MDNS_PORT);
        responder
            .handle_read(heard(&question, OURS, asker))
            .unwrap();
        responder.poll_write().unwrap().message.to_vec()
    }

    #[test]
    fn an_answer_is_believed_of_whoever_has_the_address_and_from_the_port_of_the_protocol() {
        for (told, from, believed) in [
            ("192.0.2.7", "192.0.2.7:5353", true),
            ("192.0.2.7", "192.0.2.7:40000", false),
            ("192.0.2.8", "192.0.2.7:5353", false),
        ] {
            let mut lookup = Lookup::new(NAME);
            let found = lookup.hear(&answer(told), OURS, from.parse().unwrap());
            let expected = believed.then(|| told.parse().unwrap());
            assert_eq!(found, expected, "{told} of {from}");
        }
    }

    #[test]
    fn a_wrong_answer_does_not_end_the_question() {
        let mut lookup = Lookup::new(NAME);
        let asked = |lookup: &mut Lookup| std::iter::from_fn(|| lookup.mdns.poll_write()).count();
        assert_eq!(asked(&mut lookup), 1);
        let from = "192.0.2.7:5353".parse().unwrap();
        assert_eq!(lookup.hear(&answer("192.0.2.8"), OURS, from), None);
        assert_eq!(asked(&mut lookup), 0, "it is not asked again at once");
        let right = "192.0.2.8:5353".parse().unwrap();
        let found = lookup.hear(&answer("192.0.2.8"), OURS, right);
        assert_eq!(found, Some("192.0.2.8".parse().unwrap()));
    }
}
