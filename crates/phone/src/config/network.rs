//! Which of the machine's addresses and ports media may use.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::error::ConfigError;
use super::options::PortRangeOptions;

/// Below are the ports of system services.
const LEAST_PORT: u64 = 1024;
/// More than a machine has.
const MOST_NAMED: usize = 64;

/// The UDP ports that media may use, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    pub min: u16,
    pub max: u16,
}

/// Which interfaces media may use: all of them, unless some are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterfaceFilter {
    only: Vec<InterfaceName>,
    except: Vec<InterfaceName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum InterfaceName {
    Whole(String),
    /// What its name begins with.
    Beginning(String),
    /// An address, and how many of its bits count.
    Network(IpAddr, u8),
}

impl InterfaceFilter {
    /// Whether media may use this address of the interface of this name.
    pub fn admits(&self, name: &str, address: IpAddr) -> bool {
        let means = |list: &[InterfaceName]| list.iter().any(|one| one.means(name, address));
        (self.only.is_empty() || means(&self.only)) && !means(&self.except)
    }
}

impl InterfaceName {
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
            return None;
        }
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
            return Some(Self::Network(address, bits));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Network(address, width(address)));
        }
        match text.split_once('*') {
            None => Some(Self::Whole(text.to_owned())),
            Some((beginning, "")) if !beginning.is_empty() => {
                Some(Self::Beginning(beginning.to_owned()))
            }
            Some(_) => None,
        }
    }

    fn means(&self, name: &str, address: IpAddr) -> bool {
        match self {
            Self::Whole(whole) => name == whole,
            Self::Beginning(beginning) => name.starts_with(beginning.as_str()),
            Self::Network(network, bits) => {
                let same_family = network.is_ipv4() == address.is_ipv4();
                let differing = octets(*network) ^ octets(address);
                same_family && differing.leading_zeros() >= u32::from(*bits)
            }
        }
    }
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS as u8,
        IpAddr::V6(_) => Ipv6Addr::BITS as u8,
    }
}

/// The bits of an address, the first one highest.
fn octets(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << (Ipv6Addr::BITS - Ipv4Addr::BITS),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

pub(super) fn port_range(given: PortRangeOptions) -> Result<PortRange, ConfigError> {
    const EXPECTED: &str = "a port from 1024 to 65535";
    let port = |name: &str, given: Option<u64>| {
        let name = format!("portRange.{name}");
        let Some(port) = given else {
            return Err(ConfigError::new(name, EXPECTED, "undefined"));
        };
        let fits = u16::try_from(port).ok().filter(|_| port >= LEAST_PORT);
        fits.ok_or_else(|| ConfigError::new(name, EXPECTED, format!("the number {port}")))
    };
    let (min, max) = (port("min", given.min)?, port("max", given.max)?);
    if max < min {
        let expected = format!("portRange.min ({min}) or more");
        return Err(ConfigError::new(
            "portRange.max",
            expected,
            format!("the number {max}"),
        ));
    }
    Ok(PortRange { min, max })
}

pub(super) fn interfaces(given: &[String]) -> Result<InterfaceFilter, ConfigError> {
    const EXPECTED: &str = "an interface such as 'eth0' or 'docker*', an address, or a network such as '10.0.0.0/8', with ! in front if it is not to be used";
    if given.is_empty() || given.len() > MOST_NAMED {
        let got = match given.len() {
            0 => "an empty array".to_owned(),
            count => format!("an array of {count}"),
        };
        let expected = format!("an array of 1 to {MOST_NAMED} interfaces");
        return Err(ConfigError::new("interfaces", expected, got));
    }
    let mut filter = InterfaceFilter::default();
    for (index, text) in given.iter().enumerate() {
        let (list, name) = match text.strip_prefix('!') {
            Some(name) => (&mut filter.except, name),
            None => (&mut filter.only, text.as_str()),
        };
        let Some(name) = InterfaceName::read(name) else {
            let got = if text.is_empty() {
                "an empty string"
            } else {
                "another string"
            };
            return Err(ConfigError::new(
                format!("interfaces[{index}]"),
                EXPECTED,
                got,
            ));
        };
        list.push(name);
    }
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(list: &[&str], name: &str, address: &str) -> bool {
        let list: Vec<String> = list.iter().map(|text| (*text).to_owned()).collect();
        let filter = interfaces(&list).unwrap();
        filter.admits(name, address.parse().unwrap())
    }

    #[test]
    fn interfaces_are_named_by_name_beginning_address_and_network() {
        for (list, name, address, expected) in [
            (&["eth0"][..], "eth0", "10.0.0.1", true),
            (&["eth0"], "eth00", "10.0.0.1", false),
            (&["eth*"], "eth00", "10.0.0.1", true),
            (&["10.0.0.1"], "eth0", "10.0.0.1", true),
            (&["10.0.0.1"], "eth0", "10.0.0.2", false),
            (&["10.0.0.0/8"], "eth0", "10.200.0.2", true),
            (&["10.0.0.0/8"], "eth0", "11.0.0.2", false),
            (&["0.0.0.0/0"], "eth0", "11.0.0.2", true),
            (&["0.0.0.0/0"], "eth0", "2001:db8::1", false),
            (&["2001:db8::/32"], "eth0", "2001:db8:1::1", true),
            (&["2001:db8::/32"], "eth0", "2001:db9::1", false),
            (&["!docker*"], "docker0", "172.17.0.1", false),
            (&["!docker*"], "eth0", "10.0.0.1", true),
            (&["10.0.0.0/8", "!tun0"], "tun0", "10.8.0.1", false),
            (&["10.0.0.0/8", "!tun0"], "eth0", "10.8.0.1", true),
            (&["Ethernet 2"], "Ethernet 2", "10.0.0.1", true),
        ] {
            assert_eq!(
                admits(list, name, address),
                expected,
                "{list:?} {name} {address}"
            );
        }
    }

    #[test]
    fn what_names_no_interface_is_an_error() {
        for wrong in [
            "",
            "!",
            "!!eth0/",
            "*",
            "a*b",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "x/8",
            "::/129",
            "a\nb",
        ] {
            let error = interfaces(&[wrong.to_owned()]).map(|_| wrong).unwrap_err();
            assert!(error.to_string().contains("interfaces[0]"), "{error}");
        }
        assert!(interfaces(&[]).is_err());
        assert!(interfaces(&vec!["eth0".to_owned(); 65]).is_err());
    }

    #[test]
    fn a_range_has_two_ends_in_their_order() {
        let range = |min, max| {
            port_range(PortRangeOptions { min, max }).map(|range| (range.min, range.max))
        };
        assert_eq!(range(Some(40_000), Some(40_000)), Ok((40_000, 40_000)));
        assert_eq!(range(Some(1024), Some(65_535)), Ok((1024, 65_535)));
        for (min, max) in [
            (None, Some(2000)),
            (Some(2000), None),
            (Some(1023), Some(2000)),
            (Some(2000), Some(65_536)),
            (Some(2001), Some(2000)),
        ] {
            assert!(range(min, max).is_err(), "{min:?} {max:?}");
        }
    }
}
