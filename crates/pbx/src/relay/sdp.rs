//! Addresses in a description, and nothing else of it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Replaces every UDP candidate's address and the default one (`c=`, `m=`) by what `place` gives for it.
///
/// What `place` refuses is left out, as are candidates that it can't stand for: TCP, IPv6 and names.
pub(super) fn rewrite(
    description: &str,
    mut place: impl FnMut(SocketAddr) -> Option<SocketAddr>,
) -> String {
    let lines: Vec<&str> = description.lines().collect();
    let session_ip = connection(&lines).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let mut rewritten = String::with_capacity(description.len());
    for (index, line) in lines.iter().enumerate() {
        let new = if line.starts_with("m=") {
            let ip = connection(&lines[index + 1..]).unwrap_or(session_ip);
            Some(media(line, ip, &mut place))
        } else if let Some(ip) = line.strip_prefix("c=") {
            Some(format!("c={}", loopback(ip)))
        } else if let Some(candidate) = line.strip_prefix("a=candidate:") {
            moved(candidate, &mut place)
        } else if line.starts_with("a=rtcp:") || line.starts_with("a=remote-candidates:") {
            None
        } else {
            Some((*line).to_owned())
        };
        if let Some(new) = new {
            rewritten.push_str(&new);
            rewritten.push_str("\r\n");
        }
    }
    rewritten
}

/// The address of the first `c=` line before the next `m=` line.
fn connection(lines: &[&str]) -> Option<IpAddr> {
    let mut section = lines.iter().take_while(|line| !line.starts_with("m="));
    let line = section.find_map(|line| line.strip_prefix("c=IN "))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

// RFC 3264 §8.4: 0.0.0.0 means hold, and stays.
fn loopback(connection: &str) -> &str {
    match connection.ends_with("0.0.0.0") {
        true => connection,
        false => "IN IP4 127.0.0.1",
    }
}

fn media(
    line: &str,
    ip: IpAddr,
    place: &mut impl FnMut(SocketAddr) -> Option<SocketAddr>,
) -> String {
    let mut words: Vec<&str> = line.split(' ').collect();
    let port = words.get(1).and_then(|port| port.parse::<u16>().ok());
    // Port 0 refuses the line; 9 says that only candidates count (RFC 8839 §4.2.1.2).
    let Some(port) = port.filter(|port| !matches!(port, 0 | 9)) else {
        return line.to_owned();
    };
    let real = SocketAddr::new(ip, port);
    let moved = is_reachable(real)
        .then(|| place(real))
        .flatten()
        .map_or(9, |place| place.port())
        .to_string();
    words[1] = &moved;
    words.join(" ")
}

fn moved(
    candidate: &str,
    place: &mut impl FnMut(SocketAddr) -> Option<SocketAddr>,
) -> Option<String> {
    let mut words = candidate.split(' ');
    let mut next = || words.next();
    let (foundation, component, transport) = (next()?, next()?, next()?);
    let (priority, ip, port) = (next()?, next()?.parse().ok()?, next()?.parse().ok()?);
    let real = SocketAddr::new(ip, port);
    if !transport.eq_ignore_ascii_case("udp") || !is_reachable(real) {
        return None;
    }
    let place = place(real)?;
    Some(format!(
        "a=candidate:{foundation} {component} {transport} {priority} {} {} typ host",
        place.ip(),
        place.port()
    ))
}

fn is_reachable(real: SocketAddr) -> bool {
    real.is_ipv4() && !real.ip().is_unspecified() && real.port() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\n\
        o=- 1 1 IN IP4 10.0.0.1\r\n\
        s=-\r\n\
        c=IN IP4 10.0.0.1\r\n\
        m=audio 5000 UDP/TLS/RTP/SAVPF 111\r\n\
        a=rtcp:5001 IN IP4 10.0.0.1\r\n\
        a=rtcp-mux\r\n\
        a=candidate:1 1 UDP 2130706431 10.0.0.1 5000 typ host generation 0\r\n\
        a=candidate:2 1 udp 1694498815 192.0.2.1 6000 typ srflx raddr 10.0.0.1 rport 5000\r\n\
        a=candidate:3 1 TCP 1518280447 10.0.0.1 9 typ host tcptype active\r\n\
        a=candidate:4 1 UDP 2130706431 fe80::1 5000 typ host\r\n\
        a=candidate:5 1 UDP 2130706431 a1b2.local 5000 typ host\r\n\
        m=video 0 UDP/TLS/RTP/SAVPF 96\r\n";

    #[test]
    fn every_address_is_replaced_and_nothing_else() {
        let rewritten = rewrite(OFFER, |real| {
            let port = real.port() + 35_000;
            Some(SocketAddr::from(([127, 0, 0, 1], port)))
        });
        let expected = "v=0\r\n\
            o=- 1 1 IN IP4 10.0.0.1\r\n\
            s=-\r\n\
            c=IN IP4 127.0.0.1\r\n\
            m=audio 40000 UDP/TLS/RTP/SAVPF 111\r\n\
            a=rtcp-mux\r\n\
            a=candidate:1 1 UDP 2130706431 127.0.0.1 40000 typ host\r\n\
            a=candidate:2 1 udp 1694498815 127.0.0.1 41000 typ host\r\n\
            m=video 0 UDP/TLS/RTP/SAVPF 96\r\n";
        assert_eq!(rewritten, expected);
    }

    #[test]
    fn what_can_not_be_placed_is_not_reached_past_the_relay() {
        let rewritten = rewrite(OFFER, |_| None);
        assert!(rewritten.contains("m=audio 9 "));
        assert!(!rewritten.contains("candidate") && !rewritten.contains("c=IN IP4 10."));
    }

    #[test]
    fn a_media_lines_own_address_counts_and_hold_stays() {
        let seen = |sdp: &str| {
            let mut seen = Vec::new();
            let rewritten = rewrite(sdp, |real| {
                seen.push(real.to_string());
                None
            });
            (seen, rewritten)
        };
        let own = "c=IN IP4 10.0.0.1\r\nm=audio 5000 RTP/SAVPF 0\r\nc=IN IP4 10.0.0.2\r\n";
        assert_eq!(seen(own).0, ["10.0.0.2:5000"]);
        let held = "c=IN IP4 0.0.0.0\r\nm=audio 5000 RTP/SAVPF 0\r\n";
        let (none, rewritten) = seen(held);
        assert!(none.is_empty());
        assert!(rewritten.starts_with("c=IN IP4 0.0.0.0\r\n"));
    }

    #[test]
    fn garbage_passes_without_harm() {
        for garbage in [
            "",
            "m=",
            "c=",
            "a=candidate:",
            "m=audio\nc=IN\na=candidate:1 1 UDP",
            "é\r",
        ] {
            rewrite(garbage, Some);
        }
    }
}
