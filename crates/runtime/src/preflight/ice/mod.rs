//! STUN and TURN servers, the way to them, whether UDP leaves the network, and what a NAT does.

mod link;
mod mapping;
mod relay;
mod target;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use phone::config::IceServer;
use preflight::{BindingAnswer, Check, CheckCode, CheckName, Secrets, StunReply, binding_request};
use tokio::time::timeout;

use super::examination::{Desk, Examination, Place, timed};
use crate::io_threads::IoThreads;
use crate::signalling::lookup;
use link::{DatagramLink, transaction};
use relay::Allocated;
use target::{IceTarget, TargetKind};

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
}

impl Reached {
    const NOT: Reached = Reached {
        address: None,
        by_udp: false,
        relays: false,
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
    let reached = join_all(looks.map(|look| async move { look.run().await })).await;
    desk.tell(Place::Machine, udp(&reached));
    let servers = reached.iter().filter_map(|one| one.address);
    let relays = reached.iter().any(|one| one.relays);
    let seen = mapping::look(&servers.collect::<Vec<_>>()).await;
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
        let kind = match &self.target.kind {
            Ok(kind) => kind,
            Err(why) => {
                let code = self.by_kind(CheckCode::StunUnusable, CheckCode::TurnUnusable);
                self.tell(self.named(code, format!("{}: {why}", self.target.url)));
                return Reached::NOT;
            }
        };
        if matches!(kind, TargetKind::Stream) {
            let found = format!(
                "{}: over TCP or TLS it is not looked at yet",
                self.target.url
            );
            self.tell(self.named(CheckCode::TurnUntried, found));
            return Reached::NOT;
        }
        let Some(address) = self.address().await else {
            return Reached::NOT;
        };
        match kind {
            TargetKind::Stun => self.stun(address).await,
            TargetKind::Turn { .. } => self.turn(address).await,
            TargetKind::Stream => Reached::NOT,
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

    async fn address(&self) -> Option<SocketAddr> {
        let IceTarget { host, port, .. } = self.target;
        let (found, took) = timed(timeout(LOOKUP, lookup(host, *port))).await;
        let found = found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        match found {
            // A phone takes one of each family; IPv4 is what NATs are about.
            Ok(addresses) => {
                let v4 = addresses.iter().find(|address| address.is_ipv4());
                v4.or(addresses.first()).copied()
            }
            Err(error) => {
                let code = self.by_kind(CheckCode::StunNotFound, CheckCode::TurnNotFound);
                let found = format!("{host} was not found: {error}");
                self.tell(self.named(code, found).took(took));
                None
            }
        }
    }

    async fn stun(&self, address: SocketAddr) -> Reached {
        let (answer, took) = timed(binding(address)).await;
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
            relays: false,
        }
    }

    async fn turn(&self, address: SocketAddr) -> Reached {
        let Ok(TargetKind::Turn { username, password }) = &self.target.kind else {
            return Reached::NOT;
        };
        let threads: &Arc<IoThreads> = &self.examination.threads;
        let allocate = || Allocated::at(address, username, password.expose(), threads);
        let (allocated, took) = timed(allocate()).await;
        let check = relay::judge(&allocated, &self.target.url, |text| self.clean(text));
        self.tell(check.with("address", address.to_string()).took(took));
        let by_udp = match &allocated {
            Ok(_) => true,
            Err(fault) => fault.came_back(),
        };
        let relays = allocated.is_ok();
        match allocated {
            Ok(first) if self.examination.wants(&[CheckName::Relay]) => {
                let (check, took) = timed(relay::measure(first, allocate().await, |text| {
                    self.clean(text)
                }))
                .await;
                self.tell(check.took(took));
            }
            Ok(_) => {}
            Err(_) => self.tell(Check::new(
                CheckName::Relay,
                CheckCode::NotTried,
                "not tried",
            )),
        }
        Reached {
            address: Some(address),
            by_udp,
            relays,
        }
    }

    fn clean(&self, text: &str) -> String {
        self.secrets.clean(text, EXCERPT)
    }
}

fn silence(url: &str, error: &io::Error) -> String {
    match error.kind() == io::ErrorKind::TimedOut {
        true => format!("{url} does not answer within {} s", link::LIMIT.as_secs()),
        false => format!("{url} does not answer: {error}"),
    }
}

/// Asks for the address from which we are seen; says how long the answer took.
async fn binding(server: SocketAddr) -> io::Result<(BindingAnswer, Duration)> {
    let mut link = DatagramLink::to(server).await?;
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
