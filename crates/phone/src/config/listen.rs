//! Where the phone listens, and for whom.

use std::net::{IpAddr, Ipv4Addr};

use super::error::ConfigError;
use super::options::{ListenOptions, PortOption};
use super::server::Server;
use crate::door::ice_server::OneOrMany;
use crate::door::secret::Secret;

/// Where the phone takes calls without a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// Over UDP.
    pub udp: Option<ListenPlace>,
    /// Over TCP.
    pub tcp: Option<ListenPlace>,
    /// Over TLS.
    pub tls: Option<ListenTls>,
}

impl Listen {
    /// Whether nobody gets in by TLS without a certificate that we know the signer of.
    pub(super) fn checks_peers(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.ca.is_empty())
    }
}

/// Where the phone takes calls over TLS; all of it is PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenTls {
    /// The port.
    pub place: ListenPlace,
    /// Our certificate chain.
    pub cert: String,
    /// Its key.
    pub key: Secret,
    /// Who must have signed the certificate of whoever connects; nobody needs one if there are none.
    pub ca: Vec<String>,
}

/// A port of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenPlace {
    /// All addresses of its family if it is unspecified.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

/// Addresses that have their first bits in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Whether the address is one of these.
    pub fn has(&self, address: IpAddr) -> bool {
        let differ = |ours: u128, theirs: u128, length: u32| {
            let rest = length - self.bits;
            (ours ^ theirs).checked_shr(rest).unwrap_or(0) != 0
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                !differ(u32::from(ours).into(), u32::from(theirs).into(), 32)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => !differ(ours.into(), theirs.into(), 128),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// Reads an address, or a network such as `203.0.113.0/24`.
    pub fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => most,
            Some(bits) if bits.bytes().all(|digit| digit.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
        };
        (bits <= most).then_some(Self { address, bits })
    }
}

/// `listen`, and `peers` with it: a door without names of who may come in is a mistake.
pub(super) fn listen(
    options: Option<ListenOptions>,
    peers: Option<&Vec<String>>,
) -> Result<Option<Listen>, ConfigError> {
    let Some(options) = options else {
        return match peers {
            Some(_) => Err(ConfigError::new(
                "peers",
                "given with listen",
                "given alone",
            )),
            None => Ok(None),
        };
    };
    let tls = options.tls.map(|tls| {
        let place = place("listen.tls", tls.port, tls.host)?;
        let (Some(cert), Some(key)) = (tls.cert, tls.key) else {
            let expected = "given with cert and key";
            return Err(ConfigError::new(
                "listen.tls",
                expected,
                "without one of them",
            ));
        };
        for (name, text) in [("cert", &*cert), ("key", key.reveal())] {
            if !is_pem(text) {
                let name = format!("listen.tls.{name}");
                return Err(ConfigError::new(name, "PEM text", "another string"));
            }
        }
        let ca = tls.ca.map(OneOrMany::into_vec);
        // None would let anybody in who was to be kept out.
        if ca
            .as_ref()
            .is_some_and(|ca| ca.is_empty() || !ca.iter().all(|ca| is_pem(ca)))
        {
            let expected = "a PEM certificate or an array of them";
            return Err(ConfigError::new(
                "listen.tls.ca",
                expected,
                "something else",
            ));
        }
        let ca = ca.unwrap_or_default();
        Ok(ListenTls {
            place,
            cert,
            key,
            ca,
        })
    });
    let listen = Listen {
        udp: options.udp.map(|udp| at("listen.udp", udp)).transpose()?,
        tcp: options.tcp.map(|tcp| at("listen.tcp", tcp)).transpose()?,
        tls: tls.transpose()?,
    };
    if (&listen.udp, &listen.tcp, &listen.tls) == (&None, &None, &None) {
        return Err(ConfigError::new(
            "listen",
            "udp, tcp or tls",
            "none of them",
        ));
    }
    if peers.is_none_or(Vec::is_empty) {
        let expected = "the addresses that may call if listen is given, such as ['203.0.113.0/24']";
        return Err(ConfigError::new("peers", expected, "none"));
    }
    Ok(Some(listen))
}

fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ")
}

fn at(name: &str, option: PortOption) -> Result<ListenPlace, ConfigError> {
    match option {
        PortOption::Place(given) => place(name, given.port, given.host),
        PortOption::Port(given) => Ok(ListenPlace {
            address: every_address(),
            port: port(name, given)?,
        }),
    }
}

fn place(name: &str, given: Option<u64>, host: Option<String>) -> Result<ListenPlace, ConfigError> {
    let address = match host {
        None => every_address(),
        Some(host) => host.parse().map_err(|_| {
            let expected = "an address of this machine, '0.0.0.0' or '::'";
            ConfigError::new(format!("{name}.host"), expected, format!("'{host}'"))
        })?,
    };
    let port = port(&format!("{name}.port"), given.unwrap_or(0))?;
    Ok(ListenPlace { address, port })
}

fn every_address() -> IpAddr {
    Ipv4Addr::UNSPECIFIED.into()
}

fn port(name: &str, given: u64) -> Result<u16, ConfigError> {
    match u16::try_from(given) {
        Ok(port @ 1..) => Ok(port),
        Ok(0) | Err(_) => {
            let expected = "a port from 1 to 65535";
            Err(ConfigError::new(
                name,
                expected,
                format!("the number {given}"),
            ))
        }
    }
}

/// `peers`.
pub(super) fn peers(names: Vec<String>) -> Result<Vec<Network>, ConfigError> {
    let read = |(index, name): (usize, String)| {
        Network::read(&name).ok_or_else(|| {
            let expected = "an address or a network such as '203.0.113.0/24'";
            ConfigError::new(format!("peers[{index}]"), expected, format!("'{name}'"))
        })
    };
    names.into_iter().enumerate().map(read).collect()
}

/// Between whom `P-Asserted-Identity` counts (RFC 3325 §2.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustDomain {
    networks: Vec<Network>,
    /// Each of `servers` belongs to it.
    pub has_servers: bool,
}

impl TrustDomain {
    /// Whether what a peer at this address asserts is believed.
    pub fn has(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.has(address))
    }
}

/// `trustDomain`. It has the servers if it has each of them: a call goes to whichever is there.
pub(super) fn trust_domain(
    names: Vec<String>,
    servers: &[Server],
) -> Result<TrustDomain, ConfigError> {
    let mut networks = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match Network::read(name) {
            Some(network) => networks.push(network),
            None if servers.iter().any(|server| is_host(server, name)) => {}
            None => {
                let expected =
                    "an address, a network such as '203.0.113.0/24', or the host of one of servers";
                let name = format!("'{name}'");
                return Err(ConfigError::new(
                    format!("trustDomain[{index}]"),
                    expected,
                    name,
                ));
            }
        }
    }
    let trusted = |server: &Server| {
        let address: Option<IpAddr> = server.host.parse().ok();
        names.iter().any(|name| is_host(server, name))
            || address.is_some_and(|address| networks.iter().any(|known| known.has(address)))
    };
    let has_servers = !servers.is_empty() && servers.iter().all(trusted);
    Ok(TrustDomain {
        networks,
        has_servers,
    })
}

fn is_host(server: &Server, name: &str) -> bool {
    server.host.eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        for (network, address, has) in [
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.6", false),
            ("0.0.0.0/0", "198.51.100.1", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
            ("203.0.113.0/24", "::ffff:203.0.113.9", true),
        ] {
            let read = Network::read(network).expect(network);
            assert_eq!(
                read.has(address.parse().unwrap()),
                has,
                "{network} {address}"
            );
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "a",
            "203.0.113.0/33",
            "203.0.113.0/",
            "203.0.113.0/+8",
            "::/129",
        ] {
            assert_eq!(Network::read(text), None, "{text}");
        }
    }
}
