//! Names and addresses: STUN and TURN servers by name, our own interfaces.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use media::transport::{Reach, Secret, Server, ServerKind, StreamTarget};
use phone::config::{IceScheme, IceServer, IceTransport, IceUrl, InterfaceFilter, OneOrMany};

use crate::network::ways_out;

/// A name that is not answered by then is left out of this call.
const LOOKUP: Duration = Duration::from_secs(2);
/// Answers are used for this long: shorter than any sensible DNS lifetime, longer than a burst of calls.
const FRESH: Duration = Duration::from_secs(60);
/// More servers only add packets and delay.
const MAX_SERVERS: usize = 8;

/// What an `iceServers` URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    url: String,
    host: String,
    port: u16,
    kind: ServerKind,
    carrier: IceCarrier,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IceCarrier {
    Udp,
    Tcp,
    Tls,
}

/// The STUN and TURN servers of a phone, and their addresses while these are fresh.
#[derive(Debug, Default)]
pub(crate) struct IceServers {
    named: Vec<Named>,
    resolved: Option<Resolved>,
    /// What can't be used, and why.
    passed_over: Vec<Unusable>,
}

/// A server that can't be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) url: String,
    pub(crate) reason: String,
}

#[derive(Debug)]
struct Resolved {
    at: Instant,
    servers: Vec<Server>,
    faults: Vec<Unusable>,
}

/// What a lookup found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) servers: Vec<Server>,
    /// The names that were not found.
    pub(crate) faults: Vec<Unusable>,
}

impl IceServers {
    pub(crate) fn new(list: &[IceServer]) -> IceServers {
        let mut servers = IceServers::default();
        for entry in list {
            for url in urls(entry) {
                let found = match named(url, entry) {
                    Ok(_) if servers.named.len() >= MAX_SERVERS => {
                        Err(format!("it is one of more than {MAX_SERVERS} servers"))
                    }
                    found => found.map_err(str::to_owned),
                };
                match found {
                    Ok(named) => servers.named.push(named),
                    Err(reason) => servers.passed_over.push(Unusable {
                        url: url.clone(),
                        reason,
                    }),
                }
            }
        }
        servers
    }

    /// What no call can use.
    pub(crate) fn unusable(&self) -> impl Iterator<Item = &Unusable> {
        let not_found = self.resolved.iter().flat_map(|resolved| &resolved.faults);
        self.passed_over.iter().chain(not_found)
    }

    /// The addresses, if no lookup is needed now.
    pub(crate) fn at_hand(&self, now: Instant) -> Option<Vec<Server>> {
        match &self.resolved {
            Some(resolved) if now.duration_since(resolved.at) < FRESH => {
                Some(resolved.servers.clone())
            }
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
    pub(crate) fn keep(&mut self, found: Found, now: Instant) {
        self.resolved = Some(Resolved {
            at: now,
            servers: found.servers,
            faults: found.faults,
        });
    }
}

impl Named {
    /// What needs no lookup here: an address, or what is looked up when its stream is opened.
    fn literal(&self) -> Option<Server> {
        let tls = match self.carrier {
            IceCarrier::Udp => {
                let address: IpAddr = self.host.parse().ok()?;
                let address = SocketAddr::new(address, self.port);
                return Some(self.at(Reach::Datagrams(address)));
            }
            IceCarrier::Tcp => false,
            IceCarrier::Tls => true,
        };
        Some(self.at(Reach::Stream(StreamTarget {
            host: self.host.clone(),
            port: self.port,
            tls,
        })))
    }

    async fn lookup(self) -> Result<Vec<Server>, Unusable> {
        if let Some(server) = self.literal() {
            return Ok(vec![server]);
        }
        let query = tokio::net::lookup_host((self.host.as_str(), self.port));
        let reason = match tokio::time::timeout(LOOKUP, query).await {
            Ok(Ok(found)) => return Ok(self.one_of_each(found.collect())),
            Ok(Err(error)) => format!("{} was not found: {error}", self.host),
            Err(_) => {
                let after = LOOKUP.as_secs();
                format!("{} was not found within {after} s", self.host)
            }
        };
        Err(Unusable {
            url: self.url,
            reason,
        })
    }

    /// One address of each family: more would be the same server again.
    fn one_of_each(&self, found: Vec<SocketAddr>) -> Vec<Server> {
        let v4 = found.iter().find(|address| address.is_ipv4());
        let v6 = found.iter().find(|address| address.is_ipv6());
        let both = v4.into_iter().chain(v6);
        both.map(|address| self.at(Reach::Datagrams(*address)))
            .collect()
    }

    fn at(&self, reach: Reach) -> Server {
        Server {
            name: self.url.clone(),
            reach,
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

fn named(url: &str, entry: &IceServer) -> Result<Named, &'static str> {
    let parsed = IceUrl::parse(url).ok_or("it is no stun: or turn: URL")?;
    let turn = || ServerKind::Turn {
        username: entry.username.clone().unwrap_or_default(),
        password: Secret::new(entry.credential.as_ref().map_or("", |c| c.reveal())),
    };
    let (kind, carrier) = match parsed.scheme {
        IceScheme::Stun => (ServerKind::Stun, IceCarrier::Udp),
        IceScheme::Turn(IceTransport::Udp) => (turn(), IceCarrier::Udp),
        IceScheme::Turn(IceTransport::Tcp) => (turn(), IceCarrier::Tcp),
        IceScheme::Turns(IceTransport::Tcp) => (turn(), IceCarrier::Tls),
        // A stream is seen from another port than the datagrams of media will be.
        IceScheme::Stuns => {
            return Err("the address that a server sees over TLS is of no use: name it as stun:");
        }
        IceScheme::Turns(IceTransport::Udp) => {
            return Err("TURN over DTLS is not supported: leave ?transport=udp out, for TLS");
        }
    };
    Ok(Named {
        url: url.to_owned(),
        host: parsed.host,
        port: parsed.port,
        kind,
        carrier,
    })
}

/// The local addresses for media, those of both families in turn (RFC 8421 §4), and first those of the ways out.
///
/// Loopback is used if there is nothing else, and where the SIP server itself is on loopback: then
/// its other users may be on this machine only (tests, the embedded PBX, a local SBC).
///
/// # Errors
///
/// The system does not list its interfaces.
pub(crate) fn local_addresses(
    server_is_local: bool,
    filter: &InterfaceFilter,
) -> io::Result<Vec<IpAddr>> {
    let found = if_addrs::get_if_addrs()?;
    let (loopback, others): (Vec<IpAddr>, Vec<IpAddr>) = found
        .iter()
        .filter(|interface| interface.is_oper_up())
        .filter(|interface| filter.admits(&interface.name, interface.ip()))
        .map(if_addrs::Interface::ip)
        .filter(|address| usable(*address))
        .partition(IpAddr::is_loopback);
    Ok(choose(
        loopback,
        ways_out_first(others, ways_out()),
        server_is_local,
    ))
}

/// Others, such as those of containers, lead nowhere as a rule, and only so many are used.
fn ways_out_first(mut addresses: Vec<IpAddr>, ways_out: [Option<IpAddr>; 2]) -> Vec<IpAddr> {
    addresses.sort_by_key(|address| !ways_out.contains(&Some(*address)));
    addresses
}

fn choose(mut loopback: Vec<IpAddr>, others: Vec<IpAddr>, server_is_local: bool) -> Vec<IpAddr> {
    let others = in_turn(others);
    if server_is_local || others.is_empty() {
        // One family of loopback is enough: whoever has one has the other.
        loopback.sort_by_key(IpAddr::is_ipv6);
        loopback.truncate(1);
        loopback.extend(others);
        return loopback;
    }
    others
}

/// IPv6 and IPv4 by turns: a family that leads nowhere holds no other up.
fn in_turn(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    let mut ordered = Vec::new();
    for place in 0..v6.len().max(v4.len()) {
        ordered.extend([v6.get(place), v4.get(place)].into_iter().flatten());
    }
    ordered.dedup();
    ordered
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
            expires: None,
        }])
    }

    fn addresses(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn what_is_an_address_or_a_stream_needs_no_lookup() {
        let found = |url| {
            servers(url)
                .at_hand(Instant::now())
                .map(|found| found[0].reach.clone())
        };
        let datagrams = |address: &str| Some(Reach::Datagrams(address.parse().unwrap()));
        assert_eq!(found("stun:192.0.2.1"), datagrams("192.0.2.1:3478"));
        let url = "turn:[2001:db8::1]:5349?transport=udp";
        assert_eq!(found(url), datagrams("[2001:db8::1]:5349"));
        for (url, port, tls) in [
            ("turn:turn.example.com?transport=tcp", 3478, false),
            ("turns:turn.example.com", 5349, true),
            ("turns:turn.example.com:443?transport=tcp", 443, true),
        ] {
            let host = "turn.example.com".to_owned();
            let target = StreamTarget { host, port, tls };
            assert_eq!(found(url), Some(Reach::Stream(target)), "{url}");
        }
        assert_eq!(found("stun:stun.example.com"), None);
    }

    #[test]
    fn what_can_not_be_used_is_named_and_passed_over() {
        for url in [
            "stuns:a",
            "turns:a?transport=udp",
            "stun:",
            "stun:a:b",
            "http://a",
        ] {
            let servers = servers(url);
            let unusable: Vec<_> = servers.unusable().map(|one| &one.url[..]).collect();
            assert_eq!(unusable, [url]);
            assert!(servers.named.is_empty());
        }
    }

    #[test]
    fn a_lookup_and_what_it_did_not_find_are_used_again_while_they_are_fresh() {
        let mut ice = servers("stun:stun.example.com");
        let now = Instant::now();
        let fault = Unusable {
            url: "stun:stun.example.com".to_owned(),
            reason: "it was not found".to_owned(),
        };
        let found = Found {
            servers: Vec::new(),
            faults: vec![fault.clone()],
        };
        ice.keep(found, now);
        assert_eq!(ice.at_hand(now + Duration::from_secs(59)), Some(Vec::new()));
        assert_eq!(ice.unusable().collect::<Vec<_>>(), [&fault]);
        assert_eq!(ice.at_hand(now + Duration::from_secs(61)), None);
    }

    #[test]
    fn loopback_is_used_only_beside_a_local_server_or_when_there_is_nothing_else() {
        let loopback = || addresses(&["::1", "127.0.0.1"]);
        let others = || addresses(&["192.0.2.5", "192.0.2.6", "2001:db8::5", "192.0.2.7"]);
        let in_turn = ["2001:db8::5", "192.0.2.5", "192.0.2.6", "192.0.2.7"];
        assert_eq!(choose(loopback(), others(), false), addresses(&in_turn));
        let behind = [&["127.0.0.1"][..], &in_turn].concat();
        assert_eq!(choose(loopback(), others(), true), addresses(&behind));
        assert_eq!(choose(loopback(), vec![], false), addresses(&["127.0.0.1"]));
    }

    #[test]
    fn the_ways_out_come_first_of_each_family() {
        let others = addresses(&[
            "172.17.0.1",
            "172.18.0.1",
            "2001:db8::5",
            "10.0.0.2",
            "2001:db8::2",
        ]);
        let out = ["10.0.0.2", "2001:db8::2"].map(|text| text.parse().ok());
        let ordered = choose(Vec::new(), ways_out_first(others, out), false);
        let wanted = [
            "2001:db8::2",
            "10.0.0.2",
            "2001:db8::5",
            "172.17.0.1",
            "172.18.0.1",
        ];
        assert_eq!(ordered, addresses(&wanted));
    }
}
