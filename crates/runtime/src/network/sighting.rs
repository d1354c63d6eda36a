//! What the network looks like at one moment.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::sleep::Rest;

/// Of all networks the ones for documentation (RFC 5737, RFC 3849): nobody is there, and nothing is sent.
const ANYWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];
/// Discard: it is never used.
const PORT: u16 = 9;

/// What the network looks like, and what the machine has slept so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// Of all interfaces, in order, and whether each is up.
    addresses: Vec<(IpAddr, bool)>,
    /// Our addresses towards the rest of the world, by family.
    ways_out: [Option<IpAddr>; 2],
    slept: Duration,
    /// How often the machine, or this process, stood still.
    standstills: u32,
}

/// What is different between two moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Difference {
    /// How long the machine slept.
    pub(crate) slept: Duration,
    /// The machine, or this process, stood still, asleep or not.
    pub(crate) rested: bool,
    /// The way out is another one, or nobody knows what it was meanwhile.
    pub(crate) rerouted: bool,
}

impl Sighting {
    pub(super) fn first() -> Sighting {
        let mut sighting = Sighting::default();
        sighting.renew(Rest::None);
        sighting
    }

    /// Looks again; returns whether anything is different.
    pub(super) fn renew(&mut self, rest: Rest) -> bool {
        let before = self.clone();
        match rest {
            Rest::None => {}
            Rest::Standstill => self.standstills = self.standstills.wrapping_add(1),
            Rest::Slept(slept) => self.slept += slept,
        }
        // If the system does not tell for once, it is as it was.
        if let Ok(found) = if_addrs::get_if_addrs() {
            self.addresses = found
                .iter()
                .map(|interface| (interface.ip(), interface.is_oper_up()))
                .collect();
            self.addresses.sort();
            self.addresses.dedup();
        }
        self.ways_out = ways_out();
        *self != before
    }

    /// What has become of the network since it looked like that.
    pub(crate) fn since(&self, before: &Sighting) -> Difference {
        let slept = self.slept.saturating_sub(before.slept);
        let rested = self.standstills != before.standstills || !slept.is_zero();
        Difference {
            slept,
            rested,
            rerouted: rested || self.ways_out != before.ways_out,
        }
    }

    /// A machine with these addresses, all of them up, and this way out.
    #[cfg(test)]
    pub(crate) fn of(addresses: impl Iterator<Item = IpAddr>, way_out: Option<IpAddr>) -> Sighting {
        Sighting {
            addresses: addresses.map(|ip| (ip, true)).collect(),
            ways_out: [way_out, None],
            ..Sighting::default()
        }
    }

    /// Whether the machine has this address, its interface being up or not.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.addresses.iter().any(|(known, _)| *known == address)
    }

    /// Whether others can be reached.
    pub(crate) fn is_online(&self) -> bool {
        self.addresses
            .iter()
            .any(|(address, up)| *up && !address.is_loopback() && !is_of_link(*address))
    }
}

/// Our addresses towards the rest of the world, by family.
pub(crate) fn ways_out() -> [Option<IpAddr>; 2] {
    ANYWHERE.map(source_towards)
}

/// The address from which the system would send to this one; none if it can't.
pub(crate) fn source_towards(peer: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).ok()?;
    // It sends nothing: it chooses the route.
    socket.connect(SocketAddr::new(peer, PORT)).ok()?;
    let local = socket.local_addr().ok()?;
    Some(local.ip())
}

fn is_of_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(addresses: &[(&str, bool)]) -> Sighting {
        Sighting {
            addresses: addresses
                .iter()
                .map(|(text, up)| (text.parse().unwrap(), *up))
                .collect(),
            ..Sighting::default()
        }
    }

    #[test]
    fn this_machine_has_its_own_address_and_is_seen_the_same_twice() {
        let mut sighting = Sighting::first();
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!(sighting.has(loopback));
        assert!(sighting.has("::ffff:127.0.0.1".parse().unwrap()));
        assert_eq!(source_towards(loopback), Some(loopback));
        assert!(!sighting.has(ANYWHERE[0]));
        let before = sighting.clone();
        sighting.renew(Rest::None);
        assert!(!sighting.since(&before).rerouted);
    }

    #[test]
    fn a_machine_is_online_with_an_address_that_leads_somewhere() {
        assert!(sighting(&[("127.0.0.1", true), ("10.0.0.1", true)]).is_online());
        assert!(!sighting(&[("127.0.0.1", true), ("10.0.0.1", false)]).is_online());
        assert!(!sighting(&[("::1", true), ("fe80::1", true)]).is_online());
        assert!(sighting(&[("10.0.0.1", false)]).has("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn another_way_out_and_a_rest_are_a_new_way_and_an_address_is_not() {
        let before = sighting(&[("10.0.0.1", true)]);
        let with_another = sighting(&[("10.0.0.1", true), ("172.17.0.1", true)]);
        assert_eq!(
            with_another.since(&before),
            Difference {
                slept: Duration::ZERO,
                rested: false,
                rerouted: false
            }
        );
        let mut elsewhere = before.clone();
        elsewhere.ways_out[0] = Some(ANYWHERE[0]);
        assert!(elsewhere.since(&before).rerouted);
        let mut stopped = before.clone();
        assert!(stopped.renew(Rest::Standstill));
        assert!(stopped.since(&before).rerouted);
        let mut slept = stopped.clone();
        assert!(slept.renew(Rest::Slept(Duration::from_secs(60))));
        assert_eq!(slept.since(&stopped).slept, Duration::from_secs(60));
        assert!(slept.since(&stopped).rerouted);
    }
}
