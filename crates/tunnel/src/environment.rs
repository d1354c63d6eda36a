use std::net::IpAddr;

use serde::Deserialize;
use thiserror::Error;

use crate::proxy::{read_port, split_port};
use crate::{BadProxy, Proxy};

/// The variables of an environment, as they are there.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variables {
    /// `HTTPS_PROXY`, for `wss:`.
    pub https: Option<String>,
    /// `HTTP_PROXY`, for `ws:`.
    pub http: Option<String>,
    /// `ALL_PROXY`, if there is none of the others.
    pub all: Option<String>,
    /// `NO_PROXY`.
    pub no: Option<String>,
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Variables(…)")
    }
}

/// The proxies of an environment, by the conventions of curl: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`.
///
/// **A variable that names no proxy is an error only for a server that needs it: others may be meant for other programs.**
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    https: Variable,
    http: Variable,
    all: Variable,
    no: Vec<Exception>,
}

/// The proxy of a variable, if there is one.
type Variable = Result<Option<Proxy>, BadVariable>;

/// A variable that names no proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{name} of the environment is {why}")]
pub struct BadVariable {
    /// The variable's name.
    pub name: &'static str,
    /// What it is.
    pub why: BadProxy,
}

/// Whom `NO_PROXY` leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Exception {
    All,
    /// A domain with those below it, in lower case, and a port.
    Domain(String, Option<u16>),
    /// An address and how many of its bits count.
    Network(IpAddr, u32, Option<u16>),
}

impl Environment {
    /// Reads the variables; one that is empty is as good as none.
    pub fn read(variables: &Variables) -> Self {
        let proxy = |name, value: &Option<String>| match value.as_deref().map(str::trim) {
            None | Some("") => Ok(None),
            // Many give host and port alone.
            Some(url) => match url.contains("://") {
                true => url.parse(),
                false => format!("http://{url}").parse(),
            }
            .map(Some)
            .map_err(|why| BadVariable { name, why }),
        };
        let exceptions = variables.no.as_deref().unwrap_or_default();
        Self {
            https: proxy("HTTPS_PROXY", &variables.https),
            http: proxy("HTTP_PROXY", &variables.http),
            all: proxy("ALL_PROXY", &variables.all),
            no: exceptions
                .split(|c: char| c == ',' || c.is_whitespace())
                .filter(|entry| !entry.is_empty())
                .filter_map(Exception::read)
                .collect(),
        }
    }

    /// The proxy for a server; none for this machine itself. An error if the variable that counts for it names no proxy.
    pub fn proxy_for(
        &self,
        secure: bool,
        host: &str,
        port: u16,
    ) -> Result<Option<&Proxy>, BadVariable> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address: Option<IpAddr> = host.parse().ok();
        let is_here = address.is_some_and(|address| address.is_loopback())
            || host == "localhost"
            || host.ends_with(".localhost");
        let is_excepted = |one: &Exception| one.covers(&host, address, port);
        if is_here || self.no.iter().any(is_excepted) {
            return Ok(None);
        }
        let own = if secure { &self.https } else { &self.http };
        let proxy = match own {
            Ok(None) => &self.all,
            Ok(Some(_)) | Err(_) => own,
        };
        proxy.as_ref().map(Option::as_ref).map_err(|bad| *bad)
    }
}

impl Exception {
    fn read(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = entry.split_once('/') {
            let address: IpAddr = address.parse().ok()?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
            return Some(Self::Network(address, bits, None));
        }
        if let Ok(address) = entry.parse() {
            return Some(Self::Network(address, width(address), None));
        }
        let (host, port) =
            split_port(entry.trim_start_matches('*').trim_start_matches('.')).ok()?;
        let port = match port {
            None => None,
            Some(digits) => Some(read_port(digits)?),
        };
        Some(match host.parse() {
            Ok(address) => Self::Network(address, width(address), port),
            Err(_) => Self::Domain(host.trim_end_matches('.').to_ascii_lowercase(), port),
        })
    }

    fn covers(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        let at_port = |only: &Option<u16>| only.is_none_or(|only| only == port);
        match self {
            Self::All => true,
            Self::Domain(domain, only) => {
                let below = host.strip_suffix(domain.as_str());
                at_port(only) && below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Self::Network(network, bits, only) => {
                at_port(only) && address.is_some_and(|address| shares(*network, address, *bits))
            }
        }
    }
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Whether two addresses of one family have their first `bits` in common.
fn shares(a: IpAddr, b: IpAddr, bits: u32) -> bool {
    let differing = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    differing >= bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(https: &str, http: &str, all: &str, no: &str) -> Environment {
        let given = |text: &str| Some(text.to_owned());
        Environment::read(&Variables {
            https: given(https),
            http: given(http),
            all: given(all),
            no: given(no),
        })
    }

    #[test]
    fn wss_takes_https_ws_takes_http_and_what_is_missing_takes_all() {
        let of = |environment: &Environment, secure| {
            let found = environment
                .proxy_for(secure, "pbx.example.com", 443)
                .unwrap();
            found.map(Proxy::to_string)
        };
        let three = environment("http://a:1", "b:2", "socks5://c:3", "");
        assert_eq!(of(&three, true).as_deref(), Some("http://a:1"));
        assert_eq!(of(&three, false).as_deref(), Some("http://b:2"));
        let all = environment("", " ", "socks5://c:3", "");
        assert_eq!(of(&all, true).as_deref(), Some("socks5://c:3"));
        assert_eq!(of(&all, false).as_deref(), Some("socks5://c:3"));
        assert_eq!(of(&environment("", "", "", ""), true), None);
        assert_eq!(of(&environment("", "b:2", "", ""), true), None);
    }

    #[test]
    fn no_proxy_leaves_out_domains_addresses_networks_and_ports() {
        for (no, host, port, is_direct) in [
            ("example.com", "example.com", 443, true),
            ("example.com", "PBX.Example.Com", 443, true),
            ("example.com", "notexample.com", 443, false),
            (".example.com", "pbx.example.com", 443, true),
            ("*.example.com", "pbx.example.com", 443, true),
            ("example.com.", "pbx.example.com.", 443, true),
            ("a.com, example.com b.com", "example.com", 443, true),
            ("example.com:8443", "example.com", 443, false),
            ("example.com:8443", "example.com", 8443, true),
            ("*", "anything", 1, true),
            ("10.0.0.0/8", "10.200.3.4", 443, true),
            ("10.0.0.0/8", "11.0.0.1", 443, false),
            ("0.0.0.0/0", "11.0.0.1", 443, true),
            ("10.0.0.0/8", "name.example", 443, false),
            ("192.0.2.1", "192.0.2.1", 443, true),
            ("192.0.2.1:80", "192.0.2.1", 443, false),
            ("2001:db8::/32", "2001:db8:1::1", 443, true),
            ("[2001:db8::1]:443", "2001:db8::1", 443, true),
            ("2001:db8::1", "2001:db8::2", 443, false),
            ("nonsense/99,10.0.0.0/33,:,*x y:0", "pbx.test", 443, false),
            ("", "pbx.test", 443, false),
        ] {
            let found = environment("http://a:1", "", "", no);
            let direct = found.proxy_for(true, host, port) == Ok(None);
            assert_eq!(direct, is_direct, "NO_PROXY={no} for {host}:{port}");
        }
    }

    #[test]
    fn this_machine_is_never_reached_through_a_proxy_of_the_environment() {
        let all = environment("", "", "http://a:1", "");
        for host in ["localhost", "LOCALHOST.", "x.localhost", "127.0.0.9", "::1"] {
            assert_eq!(all.proxy_for(true, host, 443), Ok(None), "{host}");
        }
        let elsewhere = all.proxy_for(true, "localhost.example", 443);
        assert!(elsewhere.unwrap().is_some());
    }

    #[test]
    fn a_variable_that_names_no_proxy_is_named_without_its_value() {
        let wrong = environment("ftp://alice:hunter2@proxy", "", "", "");
        let error = wrong.proxy_for(true, "pbx.test", 443).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("HTTPS_PROXY of the environment is a URL of another scheme"));
        assert!(!error.contains("hunter2"));
    }

    #[test]
    fn a_variable_that_names_no_proxy_counts_only_for_a_server_that_needs_it() {
        let bad = "socks4://a:1";
        let named = |found: &Environment, secure, host| {
            let proxy = found.proxy_for(secure, host, 443);
            proxy.map(|_| ()).map_err(|bad| bad.name)
        };
        let all = environment("http://a:1", "", bad, "direct.test");
        assert_eq!(named(&all, true, "pbx.test"), Ok(()));
        assert_eq!(named(&all, false, "pbx.test"), Err("ALL_PROXY"));
        assert_eq!(named(&all, false, "direct.test"), Ok(()));
        assert_eq!(named(&all, false, "localhost"), Ok(()));
        // It is not as if it weren't there: who set it wants a proxy, and another may be the wrong one.
        let https = environment(bad, "http://a:1", "http://b:2", "");
        assert_eq!(named(&https, true, "pbx.test"), Err("HTTPS_PROXY"));
        assert_eq!(named(&https, false, "pbx.test"), Ok(()));
    }
}
