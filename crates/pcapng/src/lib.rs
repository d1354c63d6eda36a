//! What was said over a network, as Wireshark reads it: a pcapng file (draft-ietf-opsawg-pcapng) of UDP datagrams.
//!
//! What goes through TLS, a WebSocket or SRTP is written as if it had not: each message or packet is a datagram of its own
//! with the IP and UDP headers that it would have had. [`header`] begins a file, [`datagram`] adds to it.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
/// Packets begin with their IP header.
const LINKTYPE_RAW: u16 = 101;
const OPTION_APPLICATION: u16 = 4;
const OPTION_NAME: u16 = 2;
const UDP: u8 = 17;
const UDP_HEADER: usize = 8;
/// The longest payload of a datagram over IPv4; what is longer is cut.
pub const LONGEST: usize = 65_507;

/// One datagram.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// Since 1970.
    pub at: Duration,
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// What is in it.
    pub payload: &'a [u8],
}

/// The beginning of a file.
pub fn header(application: &str) -> Vec<u8> {
    let mut out = Vec::new();
    block(&mut out, SECTION, |body| {
        body.extend(BYTE_ORDER.to_le_bytes());
        body.extend(1_u16.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        // The length of the section is not known beforehand.
        body.extend(u64::MAX.to_le_bytes());
        option(body, OPTION_APPLICATION, application.as_bytes());
        end_of_options(body);
    });
    block(&mut out, INTERFACE, |body| {
        body.extend(LINKTYPE_RAW.to_le_bytes());
        body.extend(0_u16.to_le_bytes());
        // No packet is cut by its length.
        body.extend(0_u32.to_le_bytes());
        option(body, OPTION_NAME, b"offhook");
        end_of_options(body);
    });
    out
}

/// Adds a datagram.
pub fn datagram(out: &mut Vec<u8>, datagram: Datagram<'_>) {
    let payload = &datagram.payload[..datagram.payload.len().min(LONGEST)];
    let packet = packet(datagram.from, datagram.to, payload);
    let whole = packet.len() + datagram.payload.len() - payload.len();
    let micros = u64::try_from(datagram.at.as_micros()).unwrap_or(u64::MAX);
    block(out, ENHANCED_PACKET, |body| {
        body.extend(0_u32.to_le_bytes());
        body.extend(((micros >> 32) as u32).to_le_bytes());
        body.extend((micros as u32).to_le_bytes());
        body.extend(length(packet.len()).to_le_bytes());
        body.extend(length(whole).to_le_bytes());
        body.extend(&packet);
        pad(body);
    });
}

/// A block: its type, its length, its body, and its length again.
fn block(out: &mut Vec<u8>, kind: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let mut body = Vec::new();
    write(&mut body);
    let total = length(12 + body.len());
    out.extend(kind.to_le_bytes());
    out.extend(total.to_le_bytes());
    out.extend(body);
    out.extend(total.to_le_bytes());
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn end_of_options(body: &mut Vec<u8>) {
    body.extend([0; 4]);
}

/// To 32 bits.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

fn length(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

/// An IP packet around a payload.
fn packet(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let udp_length = (UDP_HEADER + payload.len()) as u16;
    let mut out = Vec::with_capacity(48 + payload.len());
    match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let total = 20 + udp_length;
            out.extend([0x45, 0]);
            out.extend(total.to_be_bytes());
            // No fragment, of 64 hops at most.
            out.extend([0, 0, 0x40, 0, 64, UDP, 0, 0]);
            out.extend(from.octets());
            out.extend(to.octets());
            let sum = checksum(&out);
            out[10..12].copy_from_slice(&sum.to_be_bytes());
        }
        (from, to) => {
            out.extend([0x60, 0, 0, 0]);
            out.extend(udp_length.to_be_bytes());
            out.extend([UDP, 64]);
            out.extend(v6(from).octets());
            out.extend(v6(to).octets());
        }
    }
    let begin = out.len();
    out.extend(from.port().to_be_bytes());
    out.extend(to.port().to_be_bytes());
    out.extend(udp_length.to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    if from.is_ipv6() || to.is_ipv6() {
        // RFC 8200 §8.1: over IPv6 it must be there.
        let sum = checksum(&pseudo_header(v6(from.ip()), v6(to.ip()), &out[begin..]));
        let sum = if sum == 0 { u16::MAX } else { sum };
        out[begin + 6..begin + 8].copy_from_slice(&sum.to_be_bytes());
    }
    out
}

fn v6(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

fn pseudo_header(from: Ipv6Addr, to: Ipv6Addr, udp: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(40 + udp.len());
    out.extend(from.octets());
    out.extend(to.octets());
    out.extend(length(udp.len()).to_be_bytes());
    out.extend([0, 0, 0, UDP]);
    out.extend(udp);
    out
}

/// The Internet's (RFC 1071).
fn checksum(octets: &[u8]) -> u16 {
    let word = |pair: &[u8]| {
        let low = pair.get(1).copied().unwrap_or(0);
        u32::from(u16::from_be_bytes([pair[0], low]))
    };
    let mut sum: u64 = octets.chunks(2).map(|pair| u64::from(word(pair))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The blocks of a file: type and body.
    fn blocks(mut file: &[u8]) -> Vec<(u32, &[u8])> {
        let word = |at: &[u8]| u32::from_le_bytes(at[..4].try_into().unwrap());
        let mut blocks = Vec::new();
        while !file.is_empty() {
            let total = word(&file[4..]) as usize;
            assert_eq!(total % 4, 0);
            assert_eq!(word(&file[total - 4..]) as usize, total);
            blocks.push((word(file), &file[8..total - 4]));
            file = &file[total..];
        }
        blocks
    }

    fn of(from: &str, to: &str, payload: &[u8]) -> Vec<u8> {
        let mut out = header("test");
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        let at = Duration::new(1_800_000_000, 123_456_000);
        datagram(
            &mut out,
            Datagram {
                at,
                from,
                to,
                payload,
            },
        );
        out
    }

    #[test]
    fn a_file_is_a_section_an_interface_and_packets() {
        let file = of("192.0.2.1:5060", "198.51.100.2:5060", b"hello");
        let blocks = blocks(&file);
        let kinds: Vec<u32> = blocks.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [SECTION, INTERFACE, ENHANCED_PACKET]);
        let packet = blocks[2].1;
        let micros = u64::from(u32::from_le_bytes(packet[4..8].try_into().unwrap())) << 32
            | u64::from(u32::from_le_bytes(packet[8..12].try_into().unwrap()));
        assert_eq!(micros, 1_800_000_000_123_456);
        assert_eq!(packet[12..16], 33_u32.to_le_bytes());
        let ip = &packet[20..53];
        // A sum over a header with its own sum in it is 0.
        assert_eq!(checksum(&ip[..20]), 0);
        assert_eq!(ip[9], UDP);
        assert_eq!(&ip[28..], b"hello");
    }

    #[test]
    fn an_interface_has_packets_that_begin_with_their_ip_header() {
        let file = header("test");
        let interface = blocks(&file)[1].1;
        assert_eq!(interface[..8], [101, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn who_sent_what_to_whom_stands_where_it_belongs() {
        let file = of("192.0.2.1:5060", "198.51.100.2:5061", b"hello");
        let ip = &blocks(&file)[2].1[20..53];
        assert_eq!(ip[..10], [0x45, 0, 0, 33, 0, 0, 0x40, 0, 64, 17]);
        assert_eq!(ip[12..20], [192, 0, 2, 1, 198, 51, 100, 2]);
        assert_eq!(ip[20..28], [0x13, 0xc4, 0x13, 0xc5, 0, 13, 0, 0]);
        let file = of("[2001:db8::1]:1", "192.0.2.9:2", b"hello");
        let ip = &blocks(&file)[2].1[20..73];
        assert_eq!(ip[..8], [0x60, 0, 0, 0, 0, 13, 17, 64]);
        assert_eq!((&ip[8..12], ip[23]), (&[0x20, 1, 0x0d, 0xb8][..], 1));
        assert_eq!(ip[34..40], [0xff, 0xff, 192, 0, 2, 9], "mapped");
        assert_eq!(ip[40..46], [0, 1, 0, 2, 0, 13]);
    }

    #[test]
    fn a_sum_of_nothing_is_written_as_its_other_zero() {
        // RFC 768: zero says that there is no sum.
        let sums = (0..=u16::MAX).map(|word| {
            let file = of("[2001:db8::1]:1", "[2001:db8::2]:2", &word.to_be_bytes());
            let packet = &blocks(&file)[2].1[20..];
            u16::from_be_bytes([packet[46], packet[47]])
        });
        assert_eq!(
            sums.filter(|sum| [0, u16::MAX].contains(sum))
                .collect::<Vec<_>>(),
            [u16::MAX]
        );
    }

    #[test]
    fn over_ipv6_the_datagram_has_its_checksum() {
        for (from, to) in [
            ("[2001:db8::1]:4000", "[2001:db8::2]:5000"),
            ("192.0.2.1:1", "[2001:db8::2]:2"),
        ] {
            let file = of(from, to, b"odd");
            let packet = &blocks(&file)[2].1[20..];
            let (from, to): (SocketAddr, SocketAddr) = (from.parse().unwrap(), to.parse().unwrap());
            let sum = checksum(&pseudo_header(v6(from.ip()), v6(to.ip()), &packet[40..51]));
            assert_eq!(sum, 0);
        }
    }

    #[test]
    fn what_no_datagram_can_hold_is_cut_and_says_so() {
        let file = of("192.0.2.1:5060", "198.51.100.2:5060", &vec![b'x'; 100_000]);
        let packet = blocks(&file)[2].1;
        assert_eq!(packet[12..16], 65_535_u32.to_le_bytes());
        assert_eq!(packet[16..20], 100_028_u32.to_le_bytes());
    }
}
