use std::net::{IpAddr, SocketAddr};

/// What a network does to the address of a socket (RFC 4787 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NatMapping {
    /// Nothing: it is seen at its own address.
    None,
    /// Everybody sees the same.
    EndpointIndependent,
    /// Each address sees another, whatever the port.
    AddressDependent,
    /// Each address, or each port of it, sees another.
    EndpointDependent,
}

impl NatMapping {
    /// Judges where one socket was seen: by each server, at which address. Nothing if two don't say.
    pub fn of(local: &[SocketAddr], seen: &[(SocketAddr, SocketAddr)]) -> Option<NatMapping> {
        if let Some((_, mapped)) = seen.first()
            && local.contains(mapped)
            && seen.iter().all(|(_, one)| one == mapped)
        {
            return Some(NatMapping::None);
        }
        let pairs = || {
            let later = |at: usize| seen.iter().skip(at + 1);
            let with = move |(at, one)| later(at).map(move |other| (one, other));
            seen.iter().enumerate().flat_map(with)
        };
        let differ = |(one, other): &(&(SocketAddr, SocketAddr), &(SocketAddr, SocketAddr))| {
            one.0 != other.0
        };
        let compared: Vec<_> = pairs().filter(differ).collect();
        if compared.is_empty() {
            return None;
        }
        if compared.iter().all(|(one, other)| one.1 == other.1) {
            return Some(NatMapping::EndpointIndependent);
        }
        let of_one_address =
            |(one, other): &&(&(SocketAddr, SocketAddr), &(SocketAddr, SocketAddr))| {
                one.0.ip() == other.0.ip()
            };
        let mut alike = compared.iter().filter(of_one_address).peekable();
        let by_address = alike.peek().is_some() && alike.all(|(one, other)| one.1 == other.1);
        Some(match by_address {
            true => NatMapping::AddressDependent,
            false => NatMapping::EndpointDependent,
        })
    }

    /// RFC 4787's word.
    pub fn word(self) -> &'static str {
        match self {
            NatMapping::None => "none",
            NatMapping::EndpointIndependent => "endpoint-independent",
            NatMapping::AddressDependent => "address-dependent",
            NatMapping::EndpointDependent => "address-and-port-dependent",
        }
    }

    /// What that means; `relayed` says whether a TURN server gives us an address.
    pub fn code(self, relayed: bool) -> crate::CheckCode {
        match (self, relayed) {
            (NatMapping::None, _) => crate::CheckCode::NatNone,
            (NatMapping::EndpointIndependent, _) => crate::CheckCode::NatOpen,
            (NatMapping::AddressDependent | NatMapping::EndpointDependent, true) => {
                crate::CheckCode::NatSymmetricRelayed
            }
            (NatMapping::AddressDependent | NatMapping::EndpointDependent, false) => {
                crate::CheckCode::NatSymmetric
            }
        }
    }
}

/// The addresses of a socket that is bound to all of a machine's.
pub fn socket_addresses(port: u16, machine: &[IpAddr]) -> Vec<SocketAddr> {
    machine
        .iter()
        .map(|ip| SocketAddr::new(*ip, port))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(seen: &[(&str, &str)]) -> Option<NatMapping> {
        let read = |text: &str| text.parse().unwrap();
        let seen: Vec<_> = seen.iter().map(|(by, at)| (read(by), read(at))).collect();
        NatMapping::of(&[read("192.0.2.5:4000")], &seen)
    }

    #[test]
    fn a_nat_is_judged_by_where_one_socket_is_seen() {
        let independent = [
            ("198.51.100.1:3478", "203.0.113.9:7"),
            ("198.51.100.2:3478", "203.0.113.9:7"),
        ];
        assert_eq!(judged(&independent), Some(NatMapping::EndpointIndependent));
        let dependent = [
            ("198.51.100.1:3478", "203.0.113.9:7"),
            ("198.51.100.2:3478", "203.0.113.9:8"),
        ];
        assert_eq!(judged(&dependent), Some(NatMapping::EndpointDependent));
        let by_address = [
            ("198.51.100.1:3478", "203.0.113.9:7"),
            ("198.51.100.2:3478", "203.0.113.9:8"),
            ("198.51.100.2:3479", "203.0.113.9:8"),
        ];
        assert_eq!(judged(&by_address), Some(NatMapping::AddressDependent));
        let none = [("198.51.100.1:3478", "192.0.2.5:4000")];
        assert_eq!(judged(&none), Some(NatMapping::None));
    }

    #[test]
    fn one_server_alone_says_nothing_of_a_nat() {
        assert_eq!(judged(&[("198.51.100.1:3478", "203.0.113.9:7")]), None);
        let twice = [
            ("198.51.100.1:3478", "203.0.113.9:7"),
            ("198.51.100.1:3478", "203.0.113.9:7"),
        ];
        assert_eq!(judged(&twice), None);
        assert_eq!(judged(&[]), None);
    }
}
