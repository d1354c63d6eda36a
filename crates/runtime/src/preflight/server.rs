//! One server, step by step, as far as it goes.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use phone::config::Server;
use preflight::{CertificateFacts, Check, CheckCode, CheckName, ClockSkew, Freshness};
use sip::locating::Place as Whereabouts;
use sip::transaction::Transport;
use tokio::time::timeout;
use tunnel::{Proxy, Route};

use super::examination::{Desk, Examination, Place, timed, unix_time};
use super::registration::{self, Registrar};
use super::verdict;
use crate::signalling::{
    Connection, Connector, HttpAnswer, SecuredWay, TlsOptions, TriedAddress, Way, lookup, try_each,
};

/// A resolver asks a second server after five seconds.
const LOOKUP: Duration = Duration::from_secs(7);
/// What a step may take; a phone gives all of them together less than ten seconds.
const STEP: Duration = Duration::from_secs(5);
/// More addresses of one name are not tried.
const MOST_ADDRESSES: usize = 8;
/// Characters of what a server says that are shown.
const EXCERPT: usize = 160;

/// The look at one server.
pub(super) struct Visit<'a> {
    examination: &'a Examination,
    index: usize,
    desk: &'a Desk,
    server: Server,
    /// Where it is.
    place: Whereabouts,
    connector: Connector,
}

impl<'a> Visit<'a> {
    /// Nothing if there is no such server.
    pub(super) fn new(examination: &'a Examination, index: usize, desk: &'a Desk) -> Option<Self> {
        let server = examination.config.servers.get(index)?.clone();
        Some(Visit {
            place: server.place(),
            examination,
            index,
            desk,
            server,
            connector: Connector::new(TlsOptions::from(&examination.config.tls), STEP),
        })
    }

    /// Goes as far as it can; what the server says of the time, if it says so.
    pub(super) async fn run(mut self) -> Option<ClockSkew> {
        let sought = self.server.sought.take();
        let is_direct = matches!(
            self.examination.config.http_proxy.route_to(self.index),
            Some(Route::Direct)
        );
        if sought.is_some() && is_direct && !self.find().await {
            self.not_tried(&[
                CheckName::Tcp,
                CheckName::Tls,
                CheckName::Websocket,
                CheckName::Registration,
            ]);
            return None;
        }
        if self.server.transport == Transport::Udp {
            return self.over_udp().await;
        }
        let Some(way) = self.way().await else {
            self.not_tried(&[
                CheckName::Tls,
                CheckName::Websocket,
                CheckName::Registration,
            ]);
            return None;
        };
        let Some(secured) = self.secured(way).await else {
            self.not_tried(&[CheckName::Websocket, CheckName::Registration]);
            return None;
        };
        if !self.server.transport.is_websocket() {
            self.tell(without(CheckName::Websocket));
            return self.register(secured.into_connection()).await;
        }
        let ((answer, outcome), took) = timed(self.connector.upgraded(&self.server, secured)).await;
        let clean = |text: &str| self.clean(text);
        let check = verdict::upgrade(&outcome, answer.as_ref(), &self.server.shown(), clean);
        self.tell(check.took(took));
        let skew = answer.as_ref().and_then(skew);
        match outcome {
            Ok(connection) => self.register(connection).await.or(skew),
            Err(_) => {
                self.not_tried(&[CheckName::Registration]);
                skew
            }
        }
    }

    /// Finds the place that a phone would try first, as the DNS says, and goes on as if it was named; no if there is none.
    async fn find(&mut self) -> bool {
        let connector = Connector::new(TlsOptions::from(&self.examination.config.tls), LOOKUP);
        let named = &self.examination.config.servers[self.index];
        let (found, took) = timed(connector.find(named)).await;
        let place = found.map(|(places, _)| places.into_iter().min_by_key(|place| place.rank));
        match place {
            Ok(Some(place)) => {
                self.server.transport = place.transport;
                self.server.port = place.port;
                self.place = place;
                true
            }
            Ok(None) => false,
            Err(error) => {
                let error = Err(std::io::Error::other(error.to_string()));
                let check = verdict::dns(&error, &self.server.host, LOOKUP);
                self.tell(check.took(took));
                false
            }
        }
    }

    /// Whether anybody is there, only the registration tells.
    async fn over_udp(&self) -> Option<ClockSkew> {
        for name in [
            CheckName::Proxy,
            CheckName::Tcp,
            CheckName::Tls,
            CheckName::Websocket,
        ] {
            self.tell(without(name));
        }
        if self.addresses().await.is_some()
            && let Ok(connection) = self
                .connector
                .connect_at(&self.server, &self.place, None)
                .await
        {
            return self.register(connection).await;
        }
        self.not_tried(&[CheckName::Registration]);
        None
    }

    fn tell(&self, check: Check) {
        let check = check.with("server", self.server.shown());
        self.desk.tell(Place::Server(self.index), check);
    }

    fn not_tried(&self, names: &[CheckName]) {
        for name in names {
            self.tell(Check::new(*name, CheckCode::NotTried, "not tried"));
        }
    }

    fn clean(&self, text: &str) -> String {
        self.examination.secrets.clean(text, EXCERPT)
    }

    /// By a proxy or directly, as a phone would try it.
    async fn way(&self) -> Option<Way> {
        let routes = match self.examination.routes(self.index, self.desk).await {
            Ok(routes) => routes,
            Err(why) => {
                let why = self.clean(&why);
                self.tell(Check::new(CheckName::Proxy, CheckCode::ProxyFunction, why));
                self.not_tried(&[CheckName::Dns, CheckName::Tcp]);
                return None;
            }
        };
        let is_direct = |route: &Route| matches!(route, Route::Direct);
        if routes.iter().all(is_direct) {
            let none = Check::new(CheckName::Proxy, CheckCode::NotGiven, "there is no proxy");
            self.tell(none);
        }
        let mut direct = false;
        for route in routes {
            let way = match &route {
                Route::Direct => {
                    direct = true;
                    self.direct().await
                }
                Route::Through(proxy) => self.through(proxy).await,
            };
            if way.is_some() {
                return way;
            }
        }
        if !direct {
            self.not_tried(&[CheckName::Tcp]);
        }
        None
    }

    async fn through(&self, proxy: &Proxy) -> Option<Way> {
        let (opened, took) = timed(self.connector.tunnel(proxy, &self.server)).await;
        self.tell(verdict::tunnel(&opened, proxy, &self.server).took(took));
        let way = opened.ok()?;
        let by_proxy = |name, code, found: &str| self.tell(Check::new(name, code, found));
        by_proxy(
            CheckName::Dns,
            CheckCode::DnsByProxy,
            "the proxy looks the server's name up",
        );
        by_proxy(
            CheckName::Tcp,
            CheckCode::TcpByProxy,
            "the proxy connects to the server",
        );
        Some(way)
    }

    async fn direct(&self) -> Option<Way> {
        let Some(addresses) = self.addresses().await else {
            self.not_tried(&[CheckName::Tcp]);
            return None;
        };
        let (tried, took) = timed(try_each(addresses, STEP)).await;
        self.tell(verdict::tcp(&tried, &self.server, STEP).took(took));
        let open = tried
            .into_iter()
            .filter_map(|one: TriedAddress| Some((one.took, one.outcome.ok()?)))
            .min_by_key(|(took, _)| *took);
        open.map(|(_, tcp)| Way::direct(tcp))
    }

    async fn addresses(&self) -> Option<Vec<SocketAddr>> {
        let (host, port) = (&self.place.host, self.place.port);
        if !self.place.addresses.is_empty() && host.parse::<IpAddr>().is_err() {
            let each = self.place.addresses.iter();
            let addresses = Ok(each.map(|one| SocketAddr::new(*one, port)).collect());
            self.tell(verdict::dns(&addresses, host, LOOKUP));
            return addresses.ok();
        }
        if let Ok(address) = host.parse::<IpAddr>() {
            let found = format!("{host} is an address");
            self.tell(Check::new(CheckName::Dns, CheckCode::DnsAddress, found));
            return Some(vec![SocketAddr::new(address, port)]);
        }
        let (found, took) = timed(timeout(LOOKUP, lookup(host, port))).await;
        let found = found.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        self.tell(verdict::dns(&found, host, LOOKUP).took(took));
        let mut addresses = found.ok()?;
        addresses.dedup();
        addresses.truncate(MOST_ADDRESSES);
        Some(addresses)
    }

    async fn secured(&self, way: Way) -> Option<SecuredWay> {
        let ((shown, outcome), took) = timed(self.connector.secured(&self.server, way)).await;
        let facts = shown.and_then(|der| CertificateFacts::read(&der));
        let check = match &outcome {
            Err(error) => verdict::tls_failed(error),
            Ok(_) => self.tls_stands(facts.as_ref()),
        };
        let details = facts.as_ref().map(CertificateFacts::details);
        self.tell(check.with_known("certificate", details).took(took));
        outcome.ok()
    }

    fn tls_stands(&self, facts: Option<&CertificateFacts>) -> Check {
        let tls = |code, found: String| Check::new(CheckName::Tls, code, found);
        if !self.server.is_secure() {
            let text = "the connection has no TLS";
            return match verdict::is_loopback(&self.server.host) {
                true => tls(CheckCode::NotWanted, format!("{text}, within this machine")),
                false => tls(CheckCode::TlsNone, text.to_owned()),
            };
        }
        let seen = facts.map_or_else(|| "it can't be read".to_owned(), |facts| facts.sentence());
        if !self.examination.config.tls.reject_unauthorized {
            return tls(
                CheckCode::TlsUnchecked,
                format!("the certificate is not checked: {seen}"),
            );
        }
        match facts.map(|facts| facts.freshness(unix_time().as_secs())) {
            Some(Freshness::EndsSoon(days)) => tls(
                CheckCode::TlsExpiresSoon,
                format!("the certificate ends in {days} days: {seen}"),
            )
            .with("daysLeft", days),
            Some(Freshness::Fine) | None => tls(
                CheckCode::TlsOk,
                format!("the certificate is trusted: {seen}"),
            ),
        }
    }

    async fn register(&self, connection: Connection) -> Option<ClockSkew> {
        let config = &self.examination.config;
        if !config.register {
            let found = "the options say not to register";
            self.tell(Check::new(
                CheckName::Registration,
                CheckCode::NotWanted,
                found,
            ));
            connection.close(registration::FAREWELL).await;
            return None;
        }
        if !self.examination.wants(&[CheckName::Registration]) {
            connection.close(registration::FAREWELL).await;
            return None;
        }
        let registrar = Registrar::of(config, self.server.clone());
        let (outcome, took) = timed(registrar.ask(connection, &self.examination.threads)).await;
        let date = outcome.date.clone();
        let clean = |text: &str| self.clean(text);
        self.tell(verdict::registration(&outcome, config, clean).took(took));
        ClockSkew::read(&date?, unix_time().as_secs())
    }
}

fn without(name: CheckName) -> Check {
    Check::new(name, CheckCode::NotWanted, "the server is reached without")
}

fn skew(answer: &HttpAnswer) -> Option<ClockSkew> {
    ClockSkew::read(answer.date.as_deref()?, unix_time().as_secs())
}
