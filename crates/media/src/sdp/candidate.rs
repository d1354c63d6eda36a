//! One `a=candidate` line (RFC 8839 §5.1).

use crate::transport::{Candidate, CandidateKind, NamedCandidate, Protocol, TcpType};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

fn kind(word: &str) -> Option<CandidateKind> {
    [
        CandidateKind::Host,
        CandidateKind::ServerReflexive,
        CandidateKind::PeerReflexive,
        CandidateKind::Relayed,
    ]
    .into_iter()
    .find(|k| word.eq_ignore_ascii_case(k.name()))
}

/// Reads the value of an `a=candidate` line.
///
/// `None` for what we cannot use: TCP that is not `passive`, another component, host names (mDNS among them), an unknown type.
pub fn parse_candidate(value: &str) -> Option<Candidate> {
    parse(value, |address| address.parse().ok())
}

/// Reads the value of an `a=candidate` line whose address is a name of multicast DNS as browsers make them, a UUID
/// (`draft-ietf-mmusic-mdns-ice-candidates` §3.1.1).
pub(super) fn parse_named_candidate(value: &str) -> Option<NamedCandidate> {
    let mut name = None;
    let candidate = parse(value, |address| {
        let label = address
            .strip_suffix(".local")
            .filter(|label| is_uuid(label))?;
        name = Some(format!("{label}.local"));
        Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    })?;
    let usable = candidate.kind == CandidateKind::Host && candidate.protocol == Protocol::Udp;
    let name = name.filter(|_| usable)?;
    Some(NamedCandidate { name, candidate })
}

/// Nobody may have us ask for other names of the network (RFC 9562 §4).
fn is_uuid(text: &str) -> bool {
    let fits = |(place, octet): (usize, u8)| match place {
        8 | 13 | 18 | 23 => octet == b'-',
        _ => octet.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

fn parse(value: &str, address: impl FnOnce(&str) -> Option<IpAddr>) -> Option<Candidate> {
    let value = value.strip_prefix("candidate:").unwrap_or(value);
    let mut words = value.split_ascii_whitespace();
    let foundation = words.next()?;
    let component = words.next()?;
    let protocol = words.next()?;
    let priority = words.next()?.parse().ok()?;
    let ip = address(words.next()?)?;
    let port = words.next()?.parse().ok()?;
    let rest: Vec<&str> = words.take(32).collect();
    let field = |name: &str| {
        rest.chunks_exact(2)
            .find(|pair| pair[0].eq_ignore_ascii_case(name))
            .map(|pair| pair[1])
    };
    let kind = kind(field("typ")?)?;
    let protocol = protocol_of(protocol, field("tcptype"))?;
    if component != "1" || port == 0 {
        return None;
    }
    let related = field("raddr")
        .and_then(|a| a.parse::<IpAddr>().ok())
        .zip(field("rport").and_then(|p| p.parse().ok()))
        .map(SocketAddr::from);
    Some(Candidate {
        foundation: foundation.chars().take(32).collect(),
        component: 1,
        protocol,
        priority,
        address: SocketAddr::new(ip, port),
        kind,
        related,
    })
}

/// RFC 6544 §4.5: to whoever opens streams himself we can't open one.
fn protocol_of(word: &str, tcptype: Option<&str>) -> Option<Protocol> {
    if word.eq_ignore_ascii_case("udp") {
        return Some(Protocol::Udp);
    }
    let takes = tcptype.is_some_and(|word| word.eq_ignore_ascii_case(TcpType::Passive.name()));
    (word.eq_ignore_ascii_case("tcp") && takes).then_some(Protocol::Tcp(TcpType::Passive))
}

/// Writes the value of an `a=candidate` line.
pub fn write_candidate(candidate: &Candidate) -> String {
    let Candidate {
        foundation,
        component,
        priority,
        address,
        ..
    } = candidate;
    let protocol = match candidate.protocol {
        Protocol::Udp => "udp",
        Protocol::Tcp(_) => "tcp",
    };
    let mut line = format!(
        "{foundation} {component} {protocol} {priority} {} {} typ {}",
        address.ip(),
        address.port(),
        candidate.kind.name()
    );
    if let Some(related) = candidate.related {
        line.push_str(&format!(" raddr {} rport {}", related.ip(), related.port()));
    }
    if let Protocol::Tcp(tcptype) = candidate.protocol {
        line.push_str(&format!(" tcptype {}", tcptype.name()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_multicast_dns_is_read_and_no_other() {
        let line = |address: &str| format!("candidate:1 1 udp 2113937151 {address} 51234 typ host");
        let uuid = "6f1b2a3c-0d4e-4f5a-8b6c-7d8e9f0a1b2c.local";
        let read = parse_named_candidate(&line(uuid)).unwrap();
        assert_eq!((&*read.name, read.candidate.address.port()), (uuid, 51234));
        assert_eq!(read.candidate.kind, CandidateKind::Host);
        for wrong in [
            "192.0.2.1",
            ".local",
            "local",
            "a.b.local",
            "example.com",
            "nas.local",
            "a.local.",
            &format!("{}.local", "a".repeat(64)),
        ] {
            assert_eq!(parse_named_candidate(&line(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn usable_candidates_read_back_the_same() {
        for line in [
            "842163049 1 udp 1677729535 203.0.113.7 50000 typ srflx raddr 0.0.0.0 rport 0",
            "H1 1 udp 2130706431 192.168.0.5 50000 typ host",
            "R 1 udp 41885695 2001:db8::7 3478 typ relay raddr 203.0.113.7 rport 50000",
            "T 1 tcp 1518214911 203.0.113.7 443 typ host tcptype passive",
            "T 1 tcp 1518214911 203.0.113.7 443 typ srflx raddr 10.0.0.1 rport 50000 tcptype passive",
        ] {
            assert_eq!(write_candidate(&parse_candidate(line).unwrap()), line);
        }
    }

    #[test]
    fn extensions_and_capitals_are_fine() {
        let line = "1 1 UDP 2130706431 192.168.0.5 50000 typ host generation 0 ufrag abcd network-cost 999";
        assert!(parse_candidate(line).is_some());
    }

    #[test]
    fn what_we_cannot_use_is_left_aside() {
        for line in [
            "1 1 tcp 1518280447 192.168.0.5 9 typ host tcptype active",
            "1 1 tcp 1518280447 192.168.0.5 5000 typ host tcptype so",
            "1 1 tcp 1518280447 192.168.0.5 5000 typ host",
            "1 1 ssltcp 1518280447 192.168.0.5 443 typ host tcptype passive",
            "1 2 udp 2130706430 192.168.0.5 50001 typ host",
            "1 1 udp 2130706431 6f1e8e9c-1111-4c5b-9d8e-000000000000.local 50000 typ host",
            "1 1 udp 2130706431 192.168.0.5 0 typ host",
            "1 1 udp 2130706431 192.168.0.5 50000 typ magic",
            "1 1 udp 99999999999 192.168.0.5 50000 typ host",
            "1 1 udp",
            "",
        ] {
            assert_eq!(parse_candidate(line), None, "{line}");
        }
    }
}
