//! What is looked at, at once where nothing waits for another, and what is told of it.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use media::transport::StreamTarget;
use phone::Config;
use phone::config::{Credentials, HttpProxy, IceServer};
use phone::secret::Secret;
use preflight::{Check, CheckCode, CheckName, ClockSkew, Secrets, is_well};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tunnel::Route;

use super::server::Visit;
use super::{FunctionAnswer, PreflightEvent, PreflightEventSink, devices, ice, processor};
use crate::device::System;
use crate::driver::connector;
use crate::io_threads::IoThreads;
use crate::signalling::Connector;

/// As long as a phone waits for its application's function.
const FUNCTION: Duration = Duration::from_secs(10);
/// The same of the function that gives STUN and TURN servers.
const ICE_FUNCTION: Duration = Duration::from_secs(2);

/// What is to be looked at, and with what.
pub(super) struct Examination {
    pub(super) config: Config,
    pub(super) secrets: Secrets,
    pub(super) threads: Arc<IoThreads>,
    /// Opens streams to TURN servers, as a phone does.
    pub(super) connector: Connector,
    wanted: BTreeSet<CheckName>,
}

/// Where a check stands in the list of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Of this server.
    Server(usize),
    /// Of this STUN or TURN server.
    Ice(usize),
    /// Of the machine.
    Machine,
}

/// What a part of the examination says.
enum Said {
    Check(Place, Check),
    /// Asks a function of the application.
    Ask(Question, oneshot::Sender<FunctionAnswer>),
}

/// What a function of the application is asked for.
enum Question {
    /// The way to this server.
    Proxy(String),
    /// STUN and TURN servers.
    IceServers,
}

/// Where the parts say what they see.
#[derive(Clone)]
pub(super) struct Desk(UnboundedSender<Said>);

impl Desk {
    /// Tells what was found.
    pub(super) fn tell(&self, place: Place, check: Check) {
        let _ = self.0.send(Said::Check(place, check));
    }

    async fn ask(&self, question: Question, limit: Duration) -> Result<Option<Secret>, String> {
        let (answer, given) = oneshot::channel();
        let _ = self.0.send(Said::Ask(question, answer));
        let given = timeout(limit, given).await.map_err(|_| {
            let seconds = limit.as_secs();
            format!("did not answer within {seconds} s")
        })?;
        match given {
            Ok(FunctionAnswer {
                failure: Some(failure),
                ..
            }) => Err(format!("failed: {failure}")),
            Ok(FunctionAnswer { given, .. }) => Ok(given),
            Err(_) => Ok(None),
        }
    }

    async fn ways(&self, url: String) -> Result<Vec<Route>, String> {
        match self.ask(Question::Proxy(url), FUNCTION).await {
            Err(failure) => Err(format!("the httpProxy function {failure}")),
            Ok(None) => Ok(vec![Route::Direct]),
            Ok(Some(proxy)) => tunnel::routes(proxy.reveal())
                .map_err(|bad| format!("the httpProxy function gave {bad}")),
        }
    }
}

impl Examination {
    pub(super) fn new(
        config: Config,
        wanted: BTreeSet<CheckName>,
        threads: Arc<IoThreads>,
    ) -> Examination {
        Examination {
            secrets: secrets_of(&config),
            connector: connector(&config),
            config,
            threads,
            wanted,
        }
    }

    /// Looks at everything, and tells it; gives up when nobody answers its questions any more.
    pub(super) async fn run(
        self,
        mut answers: UnboundedReceiver<FunctionAnswer>,
        mut events: Box<dyn PreflightEventSink>,
    ) {
        // Unbounded: a few checks for each server, and each is told once.
        let (said, mut heard) = mpsc::unbounded_channel();
        let mut telling = Telling::new(&self.wanted, &mut *events);
        let mut all = pin!(self.all(Desk(said)));
        loop {
            tokio::select! {
                biased;
                Some(said) = heard.recv() => telling.take(said),
                answer = answers.recv() => match answer {
                    Some(answer) => telling.answer(answer),
                    None => return,
                },
                () = &mut all => break,
            }
        }
        while let Ok(said) = heard.try_recv() {
            telling.take(said);
        }
        telling.done();
    }

    async fn all(&self, desk: Desk) {
        let visits = (0..self.config.servers.len()).map(|index| self.visit(index, &desk));
        let signalling = async {
            if self.wants(SIGNALLING) {
                let skews = join_all(visits).await;
                desk.tell(Place::Machine, clock(skews.into_iter().flatten().next()));
            }
        };
        let ice = async {
            if self.wants(ice::NAMES) {
                match self.ice_servers(&desk).await {
                    Ok(servers) => ice::look(self, &servers, &desk).await,
                    Err(why) => ice::not_given(&why, &desk),
                }
            }
        };
        let devices = async {
            if self.wants(devices::NAMES) {
                devices::look(self, &desk, Arc::new(System)).await;
            }
        };
        tokio::join!(signalling, ice, devices);
        if self.wants(&[CheckName::Cpu]) {
            processor::look(&self.config, &desk).await;
        }
    }

    async fn visit(&self, index: usize, desk: &Desk) -> Option<ClockSkew> {
        Visit::new(self, index, desk)?.run().await
    }

    /// The STUN and TURN servers, which a function of the application may give.
    async fn ice_servers(&self, desk: &Desk) -> Result<Vec<IceServer>, String> {
        if !self.config.asks_for_ice_servers {
            return Ok(self.config.ice_servers.clone());
        }
        let given = desk.ask(Question::IceServers, ICE_FUNCTION).await;
        let given = given.map_err(|failure| format!("the iceServers function {failure}"))?;
        phone::config::given_ice_servers(given.as_ref().map_or("null", Secret::reveal))
            .map_err(|error| error.to_string())
    }

    /// What nobody is shown, and the credentials of these servers.
    pub(super) fn secrets_with(&self, servers: &[IceServer]) -> Secrets {
        let mut secrets = self.secrets.clone();
        hide_credentials(&mut secrets, servers);
        secrets
    }

    /// Whether one of these is asked for.
    pub(super) fn wants(&self, names: &[CheckName]) -> bool {
        names.iter().any(|name| self.wanted.contains(name))
    }

    /// The way to a TURN server by a stream: if only the application knows one, that of the WebSocket.
    pub(super) async fn way_to(&self, target: &StreamTarget, desk: &Desk) -> Result<Route, String> {
        let StreamTarget { host, port, tls } = target;
        let known = self.config.http_proxy.route_for(*tls, host, *port);
        match known.map_err(|bad| bad.to_string())? {
            Some(route) => Ok(route),
            None => {
                let ways = self.routes(0, desk).await?;
                Ok(ways.into_iter().next().unwrap_or(Route::Direct))
            }
        }
    }

    /// The ways to a server, in the order in which they are tried.
    pub(super) async fn routes(&self, index: usize, desk: &Desk) -> Result<Vec<Route>, String> {
        match &self.config.http_proxy {
            HttpProxy::Direct => Ok(vec![Route::Direct]),
            HttpProxy::Through(proxy) => Ok(vec![Route::Through(proxy.clone())]),
            HttpProxy::Environment(_, routes) => {
                Ok(routes.get(index).cloned().into_iter().collect())
            }
            HttpProxy::Function => {
                let server = self.config.servers.get(index);
                desk.ways(server.map(|server| server.shown()).unwrap_or_default())
                    .await
            }
        }
    }
}

/// What has to be gone through to know any of these.
const SIGNALLING: &[CheckName] = &[
    CheckName::Dns,
    CheckName::Proxy,
    CheckName::Tcp,
    CheckName::Tls,
    CheckName::Websocket,
    CheckName::Registration,
    CheckName::Clock,
];

/// What was told, and what was asked.
struct Telling<'a> {
    wanted: &'a BTreeSet<CheckName>,
    events: &'a mut dyn PreflightEventSink,
    told: Vec<(Place, Check)>,
    questions: BTreeMap<u32, oneshot::Sender<FunctionAnswer>>,
    asked: u32,
}

impl<'a> Telling<'a> {
    fn new(wanted: &'a BTreeSet<CheckName>, events: &'a mut dyn PreflightEventSink) -> Self {
        Telling {
            wanted,
            events,
            told: Vec::new(),
            questions: BTreeMap::new(),
            asked: 0,
        }
    }

    fn take(&mut self, said: Said) {
        match said {
            Said::Check(place, check) if self.wanted.contains(&check.name) => {
                let told = check.clone();
                self.events.send(PreflightEvent::Check { check: told });
                self.told.push((place, check));
            }
            Said::Check(..) => {}
            Said::Ask(asked, answer) => {
                self.asked += 1;
                let question = self.asked;
                self.questions.insert(question, answer);
                self.events.send(match asked {
                    Question::Proxy(url) => PreflightEvent::ProxyNeeded { question, url },
                    Question::IceServers => PreflightEvent::IceServersNeeded { question },
                });
            }
        }
    }

    fn answer(&mut self, answer: FunctionAnswer) {
        if let Some(asked) = self.questions.remove(&answer.question) {
            let _ = asked.send(answer);
        }
    }

    fn done(mut self) {
        self.told.sort_by_key(|(place, check)| (*place, check.name));
        let checks: Vec<Check> = self.told.into_iter().map(|(_, check)| check).collect();
        self.events.send(PreflightEvent::Done {
            ok: is_well(&checks),
            checks,
        });
    }
}

fn clock(skew: Option<ClockSkew>) -> Check {
    match skew {
        None => Check::new(
            CheckName::Clock,
            CheckCode::ClockUnknown,
            "no server has said what time it is",
        ),
        Some(skew) => {
            let found = format!("this machine's clock is {skew} the server's");
            Check::new(CheckName::Clock, skew.code(), found).with("seconds", skew.seconds)
        }
    }
}

/// Milliseconds and seconds since 1970 are the machine's word.
pub(super) fn unix_time() -> Duration {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.unwrap_or_default()
}

/// How long something took.
pub(super) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let outcome = work.await;
    (outcome, begun.elapsed())
}

fn secrets_of(config: &Config) -> Secrets {
    let mut secrets = Secrets::default();
    match &config.credentials {
        Credentials::None => {}
        Credentials::Password { password, .. } => secrets.hide(password.reveal()),
        Credentials::Ha1 { ha1, .. } => secrets.hide(ha1.reveal()),
        Credentials::Token { token, .. } => secrets.hide(token.reveal()),
    }
    for server in &config.servers {
        secrets.hide_query(&server.url());
    }
    hide_credentials(&mut secrets, &config.ice_servers);
    secrets
}

fn hide_credentials(secrets: &mut Secrets, servers: &[IceServer]) {
    for credential in servers
        .iter()
        .filter_map(|server| server.credential.as_ref())
    {
        secrets.hide(credential.reveal());
    }
}
