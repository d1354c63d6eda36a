use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use phone::Config;
use preflight::{
    BindingAnswer, Check, CheckCode, CheckName, NatMapping, StunReply, StunTransaction,
    binding_request, socket_addresses,
};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

use super::link::{media_socket, transaction};

/// Each round of questions has so long; those that were not answered are asked again in the next.
const ROUND: Duration = Duration::from_millis(500);
const ROUNDS: usize = 3;
/// Servers that are asked, with the other addresses that they name.
const MOST_ASKED: usize = 16;
const LONGEST: usize = 1024;

/// Where one socket was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Its own addresses.
    local: Vec<SocketAddr>,
    /// By whom, and where.
    by: Vec<(SocketAddr, SocketAddr)>,
}

/// Asks servers of one family where they see one socket, and those that have another address (RFC 5780 §4.3) from there as well.
pub(super) async fn look(servers: &[SocketAddr], config: &Config) -> Seen {
    let mut seen = Seen::default();
    let is_v4 = servers.iter().any(SocketAddr::is_ipv4);
    let family: BTreeSet<SocketAddr> = servers
        .iter()
        .copied()
        .filter(|server| server.is_ipv4() == is_v4)
        .collect();
    let Some(first) = family.first() else {
        return seen;
    };
    let Ok(socket) = media_socket(*first, config) else {
        return seen;
    };
    let port = socket.local_addr().map_or(0, |address| address.port());
    let machine: Vec<_> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .iter()
        .map(if_addrs::Interface::ip)
        .collect();
    seen.local = socket_addresses(port, &machine);
    let others = ask(&socket, &family, &mut seen).await;
    // Only what is asked for is asked, and nobody within this machine for somebody outside.
    let fit = |other: &SocketAddr| {
        let is_here = family.iter().all(|server| server.ip().is_loopback());
        let ip = other.ip();
        other.is_ipv4() == is_v4
            && other.port() != 0
            && !ip.is_unspecified()
            && !ip.is_multicast()
            && (is_here || !ip.is_loopback())
    };
    let mut more = BTreeSet::new();
    for (server, other) in others.into_iter().filter(|(_, other)| fit(other)) {
        more.insert(other);
        more.insert(SocketAddr::new(other.ip(), server.port()));
        more.insert(SocketAddr::new(server.ip(), other.port()));
    }
    let more: BTreeSet<SocketAddr> = more.difference(&family).copied().take(MOST_ASKED).collect();
    if !more.is_empty() {
        ask(&socket, &more, &mut seen).await;
    }
    seen
}

/// Asks each of them; gives the other addresses that they name.
async fn ask(
    socket: &UdpSocket,
    servers: &BTreeSet<SocketAddr>,
    seen: &mut Seen,
) -> Vec<(SocketAddr, SocketAddr)> {
    let mut open: Vec<(SocketAddr, StunTransaction)> = servers
        .iter()
        .take(MOST_ASKED)
        .map(|server| (*server, transaction()))
        .collect();
    let mut others = Vec::new();
    for _ in 0..ROUNDS {
        for (server, transaction) in &open {
            // One that can't be sent is as one that is lost.
            let _ = socket.send_to(&binding_request(transaction), server).await;
        }
        let end = Instant::now() + ROUND;
        let mut octets = [0; LONGEST];
        while !open.is_empty() {
            let Ok(received) = timeout_at(end, socket.recv_from(&mut octets)).await else {
                break;
            };
            // That a port is closed is told on a socket that asks several.
            let Ok((length, from)) = received else {
                continue;
            };
            let Some(reply) = StunReply::read(&octets[..length]) else {
                continue;
            };
            let asked = |(server, transaction): &(SocketAddr, StunTransaction)| {
                *server == from && reply.answers(transaction)
            };
            let Some(at) = open.iter().position(asked) else {
                continue;
            };
            let (server, _) = open.swap_remove(at);
            if let Some(BindingAnswer::Mapped(mapped, other)) = reply.binding() {
                seen.by.push((server, mapped));
                others.extend(other.map(|other| (server, other)));
            }
        }
        if open.is_empty() {
            break;
        }
    }
    others
}

/// What that says of the network; `relays` if a TURN server gives us an address.
pub(super) fn judge(seen: &Seen, relays: bool) -> Check {
    let nat = |code, found: String| Check::new(CheckName::Nat, code, found);
    let mapped: Vec<String> = seen.by.iter().map(|(_, at)| at.to_string()).collect();
    let check = match NatMapping::of(&seen.local, &seen.by) {
        None => nat(
            CheckCode::NatUnknown,
            "too few servers have said where they see this machine".to_owned(),
        ),
        Some(mapping) => {
            let found = match mapping {
                NatMapping::None => "servers see this machine's own address".to_owned(),
                NatMapping::EndpointIndependent => {
                    format!("all servers see this machine at {}", mapped[0])
                }
                NatMapping::AddressDependent | NatMapping::EndpointDependent => format!(
                    "each server sees this machine elsewhere: {}",
                    mapped.join(", ")
                ),
            };
            nat(mapping.code(relays), found).with("mapping", mapping.word())
        }
    };
    check.with("mapped", mapped)
}
