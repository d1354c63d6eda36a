//! A registration of an instance of its own, which ends as soon as the registrar has answered.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use phone::config::{AutoAnswer, HttpProxy, Policy, Server, WhenBusy, WhenFull};
use phone::{Command, Config, Connection as Phoned, Event, Output, Phone, PhoneError, Ticket};
use sip::message::{HeaderName, Leniency, Message};
use sip::transaction::Transport;
use tokio::sync::oneshot;
use tokio::time::{sleep_until, timeout};

use super::examination::unix_time;
use crate::io_threads::IoThreads;
use crate::signalling::{Connection, Incoming};
use crate::softphone::seed;

/// A registrar that has not answered by then does not: a request is repeated after 0.5, 1, 2 and 4 s.
const PATIENCE: Duration = Duration::from_secs(8);
/// What leaving may take.
const LEAVING: Duration = Duration::from_secs(2);
/// What a close handshake may take.
pub(super) const FAREWELL: Duration = Duration::from_millis(200);
/// If we are ended in the middle, the registrar forgets us soon.
const SECONDS: u64 = 60;

const INITIALIZE: Ticket = Ticket(1);
const DESTROY: Ticket = Ticket(2);

/// What came of it.
#[derive(Debug, Clone, Default)]
pub(super) struct RegistrationOutcome {
    /// Nothing if the registrar has not answered.
    pub(super) verdict: Option<Verdict>,
    /// The seconds that were granted.
    pub(super) expires: Option<u64>,
    /// What the last answer called the registrar.
    pub(super) server: Option<String>,
    /// And said of the time.
    pub(super) date: Option<String>,
    /// Whether it has confirmed that we are gone.
    pub(super) has_left: bool,
}

/// What the registrar says.
#[derive(Debug, Clone)]
pub(super) enum Verdict {
    Taken,
    Refused(PhoneError),
    /// With this status, while the phone would try again.
    Deferred(u16, String),
    /// The connection was lost.
    Lost(String),
}

/// The registration of one phone at one server.
pub(super) struct Registrar {
    config: Config,
    transport: Transport,
}

struct Stay {
    phone: Phone,
    connection: Connection,
    /// When the phone wants to be woken.
    wake: Instant,
    /// What it is told when it wants to connect, which it is once.
    up: Option<Phoned>,
    is_leaving: bool,
    outcome: RegistrationOutcome,
}

/// Why a stay has come to a halt.
enum Halt {
    /// It is decided.
    Decided,
    /// The phone is over.
    Closed,
}

impl Registrar {
    /// With the account of `config`, at this server alone, as another instance, and without taking calls.
    pub(super) fn of(config: &Config, server: Server) -> Registrar {
        let transport = server.transport;
        let mut config = config.clone();
        config.servers = vec![server];
        config.http_proxy = HttpProxy::Direct;
        config.instance_id = None;
        config.journal = None;
        config.listen = None;
        config.register_expires = config.register_expires.min(Duration::from_secs(SECONDS));
        config.auto_answer = AutoAnswer {
            policy: Policy::Off,
            announced: false,
            delay: Duration::ZERO,
            when_busy: WhenBusy::Ring,
            trusted_peers: Vec::new(),
            beep: false,
            video: None,
            screen: None,
        };
        // A proxy goes on to the account's own phones.
        config.max_sessions = Some(0);
        config.when_full = WhenFull::Unavailable;
        Registrar { config, transport }
    }

    /// Registers over this connection, and leaves again, also if nobody waits for the outcome any more.
    pub(super) async fn ask(
        self,
        connection: Connection,
        threads: &Arc<IoThreads>,
    ) -> RegistrationOutcome {
        let (mut told, outcome) = oneshot::channel();
        // Not joined: it ends within its limits, which an abort makes short.
        threads.spawn(async move {
            let Ok(seed) = seed() else { return };
            let now = Instant::now();
            let local = connection.ends().map(|(local, _)| local);
            let mut stay = Stay {
                phone: Phone::new(self.config, seed, now, unix_time()),
                connection,
                wake: now,
                up: Some(Phoned::Up {
                    server: 0,
                    transport: self.transport,
                    local,
                }),
                is_leaving: false,
                outcome: RegistrationOutcome::default(),
            };
            stay.begin();
            tokio::select! {
                _ = timeout(PATIENCE, stay.decided()) => {}
                // A registrar that is still at it may take us after we have gone.
                () = told.closed() => {
                    let _ = timeout(LEAVING, stay.decided()).await;
                }
            }
            stay.leave().await;
            let _ = told.send(stay.outcome.clone());
            stay.connection.close(FAREWELL).await;
        });
        outcome.await.unwrap_or_default()
    }
}

impl Stay {
    fn begin(&mut self) {
        let now = Instant::now();
        self.phone
            .handle_command(INITIALIZE, Command::Initialize {}, now);
    }

    /// Waits for the registrar's word, or for the end of the connection; may be given up and called again.
    async fn decided(&mut self) {
        while self.drain().is_none() {
            if !self.wait().await {
                return;
            }
        }
    }

    async fn leave(&mut self) {
        self.is_leaving = true;
        let now = Instant::now();
        self.phone.handle_command(DESTROY, Command::Destroy {}, now);
        let gone = timeout(LEAVING, async {
            loop {
                if let Some(Halt::Closed) = self.drain() {
                    return;
                }
                if !self.wait().await {
                    return;
                }
            }
        });
        let _ = gone.await;
    }

    /// Takes everything out of the phone.
    fn drain(&mut self) -> Option<Halt> {
        let mut halt = None;
        let mut connected = None;
        loop {
            match self.phone.poll_output() {
                Output::Connect { .. } => connected = self.up.take(),
                Output::Send(message) => self.connection.send(message.0),
                Output::Ping => self.connection.ping(),
                Output::Event(event) => {
                    if self.decides(&event) {
                        halt = Some(Halt::Decided);
                    }
                }
                Output::Reply(INITIALIZE, settled) => {
                    if self.takes(settled.map(|_| ())) {
                        halt = Some(Halt::Decided);
                    }
                }
                Output::Closed => return Some(Halt::Closed),
                Output::Timeout(at, _) => match connected.take() {
                    Some(connection) => self.phone.handle_connection(connection, Instant::now()),
                    None => {
                        self.wake = at;
                        return halt;
                    }
                },
                Output::Reply(..)
                | Output::Find { .. }
                | Output::Disconnect
                | Output::Media(..)
                | Output::Conference(..)
                | Output::Recording(..)
                | Output::Journal(_)
                | Output::IceServers(_)
                | Output::Listen
                | Output::SendTo(..)
                | Output::StopListening
                | Output::HangUp(_)
                | Output::Reach { .. }
                | Output::Ring(_) => {}
            }
        }
    }

    /// Whether it is undecided, and we still want to know.
    fn is_open(&self) -> bool {
        self.outcome.verdict.is_none() && !self.is_leaving
    }

    /// Whether the command's outcome is the first word on it.
    fn takes(&mut self, settled: Result<(), PhoneError>) -> bool {
        if !self.is_open() {
            return false;
        }
        self.outcome.verdict = Some(match settled {
            Ok(()) => Verdict::Taken,
            Err(error) => Verdict::Refused(error),
        });
        true
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "of all that a phone tells only these are about its registration"
    )]
    fn decides(&mut self, event: &Event) -> bool {
        let is_open = self.is_open();
        match event {
            Event::Registered { expires } => {
                self.outcome.expires = Some(*expires);
                false
            }
            Event::Unregistered => {
                self.outcome.has_left = true;
                false
            }
            // It would try again; what is wanted is what it was told.
            Event::RegistrationFailed {
                code: Some(code),
                reason,
                fatal: false,
                ..
            } if is_open => {
                self.outcome.verdict = Some(Verdict::Deferred(*code, reason.clone()));
                true
            }
            _ => false,
        }
    }

    /// Waits for what comes next, and gives it to the phone; false if the connection is over.
    async fn wait(&mut self) -> bool {
        let wake = tokio::time::Instant::from_std(self.wake);
        tokio::select! {
            incoming = self.connection.next() => match incoming {
                Incoming::Message(message) => {
                    self.note(message.clone());
                    self.phone.handle_signaling(message, Instant::now());
                }
                Incoming::Pong => self.phone.handle_pong(Instant::now()),
                Incoming::Down(why) => {
                    if self.is_open() {
                        self.outcome.verdict = Some(Verdict::Lost(why.to_string()));
                    }
                    return false;
                }
            },
            () = sleep_until(wake) => self.phone.handle_timeout(Instant::now()),
        }
        true
    }

    /// What an answer says beside its status.
    fn note(&mut self, frame: Bytes) {
        let Ok(parsed) = Message::parse(frame, Leniency::Interop) else {
            return;
        };
        let Some(response) = parsed.message.as_response() else {
            return;
        };
        let header = |name: HeaderName| response.headers().get(name).map(str::to_owned);
        if let Some(server) = header(HeaderName::Server) {
            self.outcome.server = Some(server);
        }
        if let Some(date) = header(HeaderName::Date) {
            self.outcome.date = Some(date);
        }
    }
}
