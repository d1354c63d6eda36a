//! STUN and TURN servers, the way to them, whether UDP leaves the network, and what a NAT does.

mod link;
mod mapping;
mod relay;
mod target;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use media::transport::StreamTarget;
use phone::Config;
use phone::config::IceServer;
use preflight::{BindingAnswer, Check, CheckCode, CheckName, Secrets, StunReply, binding_request};
use tokio::time::timeout;
use tunnel::Route;

use super::examination::{Desk, Examination, Place, timed};
use crate::io_threads::IoThreads;
use crate::network::source_towards;
use crate::signalling::{ConnectError, lookup};
use link::{DatagramLink, ServerLink, StreamLink, transaction};
use relay::Allocated;
use target::{IceTarget, Login, TargetKind};

/// A resolver asks a second server after five seconds.
const LOOKUP: Duration = Duration::from_secs(7);
/// Characters of what a server says that are shown.
pub(super) const EXCERPT: usize = 160;

/// What a look at these is for.
pub(super) const NAMES: &[CheckName] = &[
    CheckName::Stun,
    CheckName::Turn,
    CheckName::Relay,
    CheckName::Udp,
    CheckName::Nat,
];

/// How far a server was reached.
struct Reached {
    /// Its address, if it is spoken to by UDP.
    address: Option<SocketAddr>,
    /// Something came back by UDP, if only that nobody listens there.
    by_udp: bool,
    /// It gives us an address.
    relays: bool,
    /// What is told of a TURN server that does not, once it is known whether another does.
    failed: Option<Check>,
}

impl Reached {
    const NOT: Reached = Reached {
        address: None,
        by_udp: false,
        relays: false,
        failed: None,
    };
}

/// Looks at all of them at once.
pub(super) async fn look(examination: &Examination, servers: &[IceServer], desk: &Desk) {
    let targets = target::of(servers);
    if targets.is_empty() {
        let names = "iceServers names no server";
        for name in NAMES {
            desk.tell(Place::Ice(0), Check::new(*name, CheckCode::NotGiven, names));
        }
        return;
    }
    let secrets = &examination.secrets_with(servers);
    let looks = targets.iter().enumerate().map(|(index, target)| Look {
        examination,
        secrets,
        desk,
        index,
        target,
    });
    let mut reached = join_all(looks.map(|look| async move { look.run().await })).await;
    let works = reached.iter().position(|one| one.relays);
    let instead = works.and_then(|index| targets.get(index));
    for (index, one) in reached.iter_mut().enumerate() {
        if let Some(mut failed) = one.failed.take() {
            if let Some(IceTarget { url, .. }) = instead {
                failed.found += &format!("; calls go by {url} instead");
                failed = failed.with("instead", url.clone());
            }
            desk.tell(Place::Ice(index), failed);
        }
    }
    desk.tell(Place::Machine, udp(&reached));
    let servers = reached.iter().filter_map(|one| one.address);
    let relays = reached.iter().any(|one| one.relays);
    let seen = mapping::look(&servers.collect::<Vec<_>>(), &examination.config).await;
    desk.tell(Place::Machine, mapping::judge(&seen, relays));
}

/// Tells that the application's function gives no servers.
pub(super) fn not_given(why: &str, desk: &Desk) {
    let servers = [CheckName::Stun, CheckName::Turn];
    for name in NAMES {
        let check = match servers.contains(name) {
            true => Check::new(*name, CheckCode::IceFunction, why),
            false => Check::new(*name, CheckCode::NotTried, "not tried"),
        };
        desk.tell(Place::Ice(0), check);
    }
}

fn udp(reached: &[Reached]) -> Check {
    let asked = reached.iter().filter(|one| one.address.is_some()).count();
    let by_udp = reached.iter().filter(|one| one.by_udp).count();
    let relays = reached.iter().any(|one| one.relays);
    let (code, found) = match (asked, by_udp) {
        (0, _) => (
            CheckCode::NotGiven,
            "iceServers names no server that was found and is spoken to by UDP".to_owned(),
        ),
        (_, 0) if relays => (
            CheckCode::UdpBlocked,
            format!("none of {asked} servers answers by UDP, one does by TCP or TLS"),
        ),
        (_, 0) => (
            CheckCode::UdpUnanswered,
            format!("none of {asked} servers answers by UDP"),
        ),
        (_, some) => (
            CheckCode::UdpOk,
            format!("{some} of {asked} servers were reached by UDP"),
        ),
    };
    Check::new(CheckName::Udp, code, found)
        .with("asked", asked)
        .with("reached", by_udp)
}

/// The look at one server.
struct Look<'a> {
    examination: &'a Examination,
    secrets: &'a Secrets,
    desk: &'a Desk,
    index: usize,
    target: &'a IceTarget,
}

impl Look<'_> {
    async fn run(&self) -> Reached {
        match &self.target.kind {
            Err(why) => {
                let code = self.by_kind(CheckCode::StunUnusable, CheckCode::TurnUnusable);
                self.fails(self.named(code, format!("{}: {why}", self.target.url)))
            }
            Ok(TargetKind::Stun) => match self.address().await {
                Ok(address) => self.stun(address).await,
                Err(check) => self.fails(check),
            },
            Ok(TargetKind::Turn(login)) => match self.address().await {
                Ok(address) => {
                    let open = || async move {
                        let link = DatagramLink::to(address, &self.examination.config).await;
                        link.map(ServerLink::Datagrams)
                    };
                    self.turn(Some(address), login, open().await, open).await
                }
                Err(check) => self.fails(check),
            },
            Ok(TargetKind::Stream(login, target)) => self.turn_by_stream(login, target).await,
        }
    }

    /// A STUN server's failure is told at once, a TURN server's when it is known whether another works.
    fn fails(&self, check: Check) -> Reached {
        let check = check.with("server", self.target.url.clone());
        if !self.target.is_turn {
            self.desk.tell(Place::Ice(self.index), check);
            return Reached::NOT;
        }
        let relay = Check::new(CheckName::Relay, CheckCode::NotTried, "not tried");
        self.tell(relay);
        Reached {
            failed: Some(check),
            ..Reached::NOT
        }
    }

    async fn turn_by_stream(&self, login: &Login, target: &StreamTarget) -> Reached {
        let way = match self.examination.way_to(target, self.desk).await {
            Ok(way) => way,
            Err(why) => return self.fails(self.named(CheckCode::TurnUnreachable, why)),
        };
        let proxy = match &way {
            Route::Direct => None,
            Route::Through(proxy) => Some(proxy),
        };
        let connector = &self.examination.connector;
        let (opened, took) = timed(connector.open(target, proxy)).await;
        let link = |stream| ServerLink::Stream(Box::new(StreamLink::new(stream)));
        let open = || async move {
            let opened = connector.open(target, proxy).await;
            opened.map(link).map_err(io::Error::other)
        };
        match opened {
            Ok(stream) => self.turn(None, login, Ok(link(stream)), open).await,
            Err(error) => {
                let found = format!("{}: {}", self.target.url, self.clean(&error.to_string()));
                self.fails(self.named(unopened(&error), found).took(took))
            }
        }
    }

    fn tell(&self, check: Check) {
        let check = check.with("server", self.target.url.clone());
        self.desk.tell(Place::Ice(self.index), check);
    }

    fn by_kind(&self, stun: CheckCode, turn: CheckCode) -> CheckCode {
        match self.target.is_turn {
            true => turn,
            false => stun,
        }
    }

    fn named(&self, code: CheckCode, found: String) -> Check {
        let name = match self.target.is_turn {
            true => CheckName::Turn,
            false => CheckName::Stun,
        };
        Check::new(name, code, found)
    }

    async fn address(&self) -> Result<SocketAddr, Check> {
        let IceTarget { host, port, .. } = self.target;
        let (found, took) = timed(timeout(LOOKUP, lookup(host, *port))).await;
        let found = found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match found {
            Ok(addresses) if addresses.is_empty() => Err(self.not_found("it has no address", took)),
            Ok(addresses) => {
                let leads_there = |ip| source_towards(ip).is_some();
                let found = within_reach(&addresses, leads_there);
                found.ok_or_else(|| self.unreachable(&addresses, took))
            }
            Err(error) => Err(self.not_found(&error.to_string(), took)),
        }
    }

    fn unreachable(&self, addresses: &[SocketAddr], took: Duration) -> Check {
        let code = self.by_kind(CheckCode::StunUnreachable, CheckCode::TurnUnreachable);
        let addresses: Vec<_> = addresses.iter().map(|at| at.ip().to_string()).collect();
        let found = format!(
            "{}: this machine has no route to {}",
            self.target.url,
            addresses.join(" or ")
        );
        self.named(code, found).took(took)
    }

    fn not_found(&self, why: &str, took: Duration) -> Check {
        let code = self.by_kind(CheckCode::StunNotFound, CheckCode::TurnNotFound);
        let found = format!("{} was not found: {why}", self.target.host);
        self.named(code, found).took(took)
    }

    async fn stun(&self, address: SocketAddr) -> Reached {
        let (answer, took) = timed(binding(address, &self.examination.config)).await;
        let url = &self.target.url;
        let by_udp = match &answer {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        };
        let check = match answer {
            Ok((BindingAnswer::Mapped(mapped, _), round_trip)) => self
                .named(
                    CheckCode::StunOk,
                    format!("{url} sees this machine at {mapped}"),
                )
                .with("mapped", mapped.to_string())
                .with("roundTrip", millis(round_trip)),
            Ok((BindingAnswer::Refused(code, reason), _)) => {
                let reason = self.clean(&reason);
                self.named(
                    CheckCode::StunError,
                    format!("{url} answers {code} {reason}"),
                )
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                self.named(CheckCode::StunRefused, format!("{url} has no such port"))
            }
            Err(error) => self.named(CheckCode::StunTimeout, silence(url, &error)),
        };
        self.tell(check.with("address", address.to_string()).took(took));
        Reached {
            address: Some(address),
            by_udp,
            ..Reached::NOT
        }
    }

    /// Asks for an address over what was opened, and for another over what `open` opens.
    async fn turn<F: Future<Output = io::Result<ServerLink>>>(
        &self,
        address: Option<SocketAddr>,
        login: &Login,
        opened: io::Result<ServerLink>,
        open: impl Fn() -> F,
    ) -> Reached {
        let threads: &Arc<IoThreads> = &self.examination.threads;
        let (allocated, took) = timed(Allocated::by(opened, login, threads)).await;
        let check = relay::judge(&allocated, &self.target.url, |text| self.clean(text));
        let shown = address.map(|address| address.to_string());
        let check = check.with_known("address", shown).took(took);
        let by_udp = address.is_some()
            && match &allocated {
                Ok(_) => true,
                Err(fault) => fault.came_back(),
            };
        let first = match allocated {
            Ok(first) => first,
            Err(_) => {
                return Reached {
                    address,
                    by_udp,
                    ..self.fails(check)
                };
            }
        };
        self.tell(check);
        if self.examination.wants(&[CheckName::Relay]) {
            let second = Allocated::by(open().await, login, threads).await;
            let (check, took) = timed(relay::measure(first, second, |text| self.clean(text))).await;
            self.tell(check.took(took));
        }
        Reached {
            address,
            by_udp,
            relays: true,
            failed: None,
        }
    }

    fn clean(&self, text: &str) -> String {
        self.secrets.clean(text, EXCERPT)
    }
}

/// A phone takes one of each family; IPv4 is what NATs are about, if the machine has it.
fn within_reach(found: &[SocketAddr], leads_there: impl Fn(IpAddr) -> bool) -> Option<SocketAddr> {
    let v4 = found.iter().filter(|address| address.is_ipv4());
    let v6 = found.iter().filter(|address| address.is_ipv6());
    let mut both = v4.chain(v6);
    both.find(|address| leads_there(address.ip())).copied()
}

/// Why no stream to a TURN server could be opened.
fn unopened(error: &ConnectError) -> CheckCode {
    match error {
        ConnectError::UnknownHost { .. } | ConnectError::NotFound { .. } => CheckCode::TurnNotFound,
        ConnectError::Refused { .. } => CheckCode::TurnRefused,
        ConnectError::TimedOut { .. } => CheckCode::TurnTimeout,
        ConnectError::Untrusted { .. }
        | ConnectError::ClientCertificate { .. }
        | ConnectError::Tls { .. }
        | ConnectError::InvalidTlsOption { .. } => CheckCode::TurnTls,
        ConnectError::InvalidUrl { .. }
        | ConnectError::Unreachable { .. }
        | ConnectError::Status { .. }
        | ConnectError::NoSipSubprotocol { .. }
        | ConnectError::NotWebSocket { .. }
        | ConnectError::UnknownProxy { .. }
        | ConnectError::ProxyUnreachable { .. }
        | ConnectError::ProxyRefused { .. }
        | ConnectError::ProxyTimedOut { .. }
        | ConnectError::ProxyTls { .. }
        | ConnectError::Tunnel { .. }
        | ConnectError::ClosedEarly { .. } => CheckCode::TurnUnreachable,
    }
}

fn silence(url: &str, error: &io::Error) -> String {
    match error.kind() == io::ErrorKind::TimedOut {
        true => format!("{url} does not answer within {} s", link::LIMIT.as_secs()),
        false => format!("{url} does not answer: {error}"),
    }
}

/// Asks for the address from which we are seen; says how long the answer took.
async fn binding(server: SocketAddr, config: &Config) -> io::Result<(BindingAnswer, Duration)> {
    let mut link = DatagramLink::to(server, config).await?;
    let transaction = transaction();
    let request = binding_request(&transaction);
    let answer = |octets: &[u8]| {
        let reply = StunReply::read(octets).filter(|reply| reply.answers(&transaction))?;
        reply.binding()
    };
    link.exchange(&request, answer).await
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e4).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_server_with_both_families_the_one_that_this_machine_has_is_asked() {
        let both = ["[2001:db8::1]:1", "192.0.2.1:1"].map(|text| text.parse().unwrap());
        let [v6, v4] = both;
        assert_eq!(within_reach(&both, |_| true), Some(v4));
        assert_eq!(within_reach(&both, |ip| ip.is_ipv6()), Some(v6));
        assert_eq!(within_reach(&both, |_| false), None);
    }
}
