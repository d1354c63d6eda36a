//! Names and addresses: STUN and TURN servers by name, our own interfaces.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use media::transport::{Secret, Server, ServerKind};
use phone::config::{IceServer, OneOrMany};

/// A name that is not answered by then is left out of this call.
const LOOKUP: Duration = Duration::from_secs(2);
/// Answers are used for this long: shorter than any sensible DNS lifetime, longer than a burst of calls.
const FRESH: Duration = Duration::from_secs(60);
/// RFC 5389 §9: the port of STUN, which TURN shares (RFC 8656 §3).
const STUN_PORT: u16 = 3478;
/// More servers only add packets and delay.
const MAX_SERVERS: usize = 8;

/// What an `iceServers` URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    host: String,
    port: u16,
    kind: ServerKind,
}

/// The STUN and TURN servers of a phone, and their addresses while these are fresh.
#[derive(Debug, Default)]
pub(crate) struct IceServers {
    named: Vec<Named>,
    resolved: Option<(Instant, Vec<Server>)>,
    /// What can't be used, in sentences for the log.
    pub(crate) passed_over: Vec<String>,
}

/// What a lookup found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) servers: Vec<Server>,
    /// The names that were not found, in sentences for the log.
    pub(crate) faults: Vec<String>,
}

impl IceServers {
    pub(crate) fn new(list: &[IceServer]) -> IceServers {
        let mut servers = IceServers::default();
        for entry in list {
            for url in urls(entry) {
                match named(url, entry) {
                    Ok(named) if servers.named.len() < MAX_SERVERS => servers.named.push(named),
                    Ok(_) => servers
                        .passed_over
                        .push(format!("{url}: more than {MAX_SERVERS} servers")),
                    Err(why) => servers.passed_over.push(format!("{url}: {why}")),
                }
            }
        }
        servers
    }

    /// The addresses, if no lookup is needed now.
    pub(crate) fn at_hand(&self, now: Instant) -> Option<Vec<Server>> {
        match &self.resolved {
            Some((at, servers)) if now.duration_since(*at) < FRESH => Some(servers.clone()),
            Some(_) | None => self.named.iter().map(Named::literal).collect(),
        }
    }

    /// Looks all names up at once; a name without an answer is left out.
    pub(crate) fn lookup(&self) -> impl Future<Output = Found> + Send + 'static {
        let named = self.named.clone();
        async move {
            let mut found = Found::default();
            for looked_up in join_all(named.into_iter().map(Named::lookup)).await {
                match looked_up {
                    Ok(servers) => found.servers.extend(servers),
                    Err(fault) => found.faults.push(fault),
                }
            }
            found
        }
    }

    /// Looks up anew when the addresses are needed next.
    pub(crate) fn forget(&mut self) {
        self.resolved = None;
    }

    /// Keeps what a lookup found.
    pub(crate) fn keep(&mut self, servers: Vec<Server>, now: Instant) {
        self.resolved = Some((now, servers));
    }
}

impl Named {
    fn literal(&self) -> Option<Server> {
        let address: IpAddr = self.host.parse().ok()?;
        Some(self.at(SocketAddr::new(address, self.port)))
    }

    async fn lookup(self) -> Result<Vec<Server>, String> {
        let query = tokio::net::lookup_host((self.host.as_str(), self.port));
        let found: Vec<SocketAddr> = match tokio::time::timeout(LOOKUP, query).await {
            Ok(Ok(found)) => found.collect(),
            Ok(Err(error)) => return Err(format!("{} was not found: {error}", self.host)),
            Err(_) => {
                let after = LOOKUP.as_secs();
                return Err(format!("{} was not found within {after} s", self.host));
            }
        };
        // One address of each family: more would be the same server again.
        let v4 = found.iter().find(|address| address.is_ipv4());
        let v6 = found.iter().find(|address| address.is_ipv6());
        Ok(v4.into_iter().chain(v6).map(|a| self.at(*a)).collect())
    }

    fn at(&self, address: SocketAddr) -> Server {
        Server {
            address,
            kind: self.kind.clone(),
        }
    }
}

fn urls(entry: &IceServer) -> &[String] {
    match &entry.urls {
        OneOrMany::One(url) => std::slice::from_ref(url),
        OneOrMany::Many(urls) => urls,
    }
}

// RFC 7064 and RFC 7065: stun:host[:port], turn:host[:port][?transport=udp].
fn named(url: &str, entry: &IceServer) -> Result<Named, &'static str> {
    let (scheme, rest) = url.split_once(':').ok_or("it has no scheme")?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let kind = match scheme.to_ascii_lowercase().as_str() {
        "stun" => ServerKind::Stun,
        "turn" => ServerKind::Turn {
            username: entry.username.clone().unwrap_or_default(),
            password: Secret::new(entry.credential.as_ref().map_or("", |c| c.reveal())),
        },
        "stuns" | "turns" => return Err("TLS to an ICE server is not supported yet"),
        _ => return Err("it is neither stun: nor turn:"),
    };
    if query.split('&').any(|part| part == "transport=tcp") {
        return Err("TCP to an ICE server is not supported yet");
    }
    let (host, port) = place_of(place).ok_or("its host or port can't be read")?;
    Ok(Named { host, port, kind })
}

fn place_of(place: &str) -> Option<(String, u16)> {
    if let Some(rest) = place.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        let port = match after.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None => STUN_PORT,
        };
        return Some((host.to_owned(), port));
    }
    let (host, port) = match place.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (place, STUN_PORT),
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// The local addresses for media, IPv4 first.
///
/// Loopback is used if there is nothing else, and where the SIP server itself is on loopback: then
/// its other users may be on this machine only (tests, the embedded PBX, a local SBC).
///
/// # Errors
///
/// The system does not list its interfaces.
pub(crate) fn local_addresses(server_is_local: bool) -> io::Result<Vec<IpAddr>> {
    let found = if_addrs::get_if_addrs()?;
    let (loopback, others): (Vec<IpAddr>, Vec<IpAddr>) = found
        .iter()
        .filter(|interface| interface.is_oper_up())
        .map(if_addrs::Interface::ip)
        .filter(|address| usable(*address))
        .partition(IpAddr::is_loopback);
    Ok(choose(loopback, others, server_is_local))
}

fn choose(
    mut loopback: Vec<IpAddr>,
    mut others: Vec<IpAddr>,
    server_is_local: bool,
) -> Vec<IpAddr> {
    others.sort_by_key(IpAddr::is_ipv6);
    others.dedup();
    if server_is_local || others.is_empty() {
        // One family of loopback is enough: whoever has one has the other.
        loopback.sort_by_key(IpAddr::is_ipv6);
        loopback.truncate(1);
        loopback.extend(others);
        return loopback;
    }
    others
}

// Link-local addresses need a zone, which candidates can't name (RFC 8445 §5.1.1.1 leaves out
// deprecated IPv4-compatible, site-local and mapped ones, too).
fn usable(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !v4.is_unspecified() && !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_unspecified() && !v6.is_unicast_link_local() && !is_mapped(v6),
    }
}

fn is_mapped(address: Ipv6Addr) -> bool {
    address.to_ipv4_mapped().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(url: &str) -> IceServers {
        IceServers::new(&[IceServer {
            urls: OneOrMany::One(url.to_owned()),
            username: Some("u".to_owned()),
            credential: None,
        }])
    }

    fn addresses(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn literal_addresses_need_no_lookup() {
        let found = servers("stun:192.0.2.1").at_hand(Instant::now()).unwrap();
        assert_eq!(found[0].address, SocketAddr::from(([192, 0, 2, 1], 3478)));
        let found = servers("turn:[2001:db8::1]:5349?transport=udp").at_hand(Instant::now());
        let expected: SocketAddr = "[2001:db8::1]:5349".parse().unwrap();
        assert_eq!(found.unwrap()[0].address, expected);
        assert_eq!(
            servers("stun:stun.example.com").at_hand(Instant::now()),
            None
        );
    }

    #[test]
    fn what_can_not_be_used_is_named_and_passed_over() {
        for url in [
            "turns:turn.example.com",
            "turn:turn.example.com?transport=tcp",
            "stun:",
            "stun:a:b",
            "http://a",
        ] {
            let servers = servers(url);
            assert_eq!(servers.passed_over.len(), 1, "{url}");
            assert!(servers.named.is_empty());
        }
    }

    #[test]
    fn a_lookup_is_used_again_while_it_is_fresh() {
        let mut ice = servers("stun:stun.example.com");
        let now = Instant::now();
        ice.keep(Vec::new(), now);
        assert_eq!(ice.at_hand(now + Duration::from_secs(59)), Some(Vec::new()));
        assert_eq!(ice.at_hand(now + Duration::from_secs(61)), None);
    }

    #[test]
    fn loopback_is_used_only_beside_a_local_server_or_when_there_is_nothing_else() {
        let loopback = || addresses(&["::1", "127.0.0.1"]);
        let others = || addresses(&["2001:db8::5", "192.0.2.5"]);
        assert_eq!(
            choose(loopback(), others(), false),
            addresses(&["192.0.2.5", "2001:db8::5"])
        );
        assert_eq!(
            choose(loopback(), others(), true),
            addresses(&["127.0.0.1", "192.0.2.5", "2001:db8::5"])
        );
        assert_eq!(choose(loopback(), vec![], false), addresses(&["127.0.0.1"]));
    }
}
