//! The phone's connection and registration: which server, when again, and who waits for it.
//!
//! ```text
//! Idle ─initialize─► Finding ─► Connecting ─Up─► Up ─Down─► Waiting ─► Connecting …
//!                                   │ └─over UDP─► Asked ─heard─► Up
//!                                   └─Refused, Asked too long─► its next place, the next way to it, the next server; at last, Waiting
//! ```

mod backoff;
mod link;
mod network;
mod places;
mod registration;
mod shunned;
mod token;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use sip::endpoint::Endpoint;
use sip::locating::Place;
use tunnel::Route;

pub(crate) use link::FlowChange;
pub(crate) use registration::{Needed, obstacle};

use crate::agent::Context;
use crate::config::{Config, Credentials};
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::id::Ticket;
use crate::door::output::{Output, Reply, Wake};
use places::FoundServer;
use shunned::Shunned;
use token::TokenClock;

/// The phone's connection and registration.
#[derive(Debug)]
pub(crate) struct Account {
    link: Link,
    /// The servers of this round that were not tried yet.
    round: VecDeque<usize>,
    /// The ways to the server of this attempt that were not tried yet, and the one that is.
    routes: VecDeque<Route>,
    route: Route,
    /// The places of that server that were not tried by this way yet, and the one that was tried last.
    places: VecDeque<Place>,
    place: Option<Place>,
    /// What was found of servers.
    found: BTreeMap<usize, FoundServer>,
    shunned: Shunned,
    /// Those over which the registrar was not reached of late.
    without_registrar: Vec<usize>,
    /// How many places of this server were left for that.
    places_left: usize,
    /// The number of the last question for a proxy.
    question: u32,
    /// Rounds without success, and connections that did not live long, since the last that did.
    failures: u32,
    hurry: network::Hurry,
    was_up: bool,
    /// `Ready` was emitted.
    ready: bool,
    /// Whether the application wants a registration.
    registering: bool,
    registered: bool,
    listening: ListenState,
    /// Since when the registrar has refused what is waited for.
    refused_since: Option<Instant>,
    waiters: Vec<Waiter>,
    token: TokenClock,
    rng: StdRng,
}

/// Where the WebSocket stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Not wanted.
    Idle,
    /// The application is asked by which way.
    Asking { server: usize, until: Instant },
    /// It is sought, of which the driver will tell.
    Finding { server: usize },
    /// An attempt is under way, of which the driver will tell.
    Connecting { server: usize },
    /// The way is open and the other end was asked, of which nobody knows before something is heard: over UDP.
    Asked { server: usize, until: Instant },
    /// It is open.
    Up { server: usize, since: Instant },
    /// The next round begins then.
    Waiting { until: Instant },
}

/// Whether the phone takes calls without a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListenState {
    No,
    Asked,
    Yes,
}

/// A command that is not done yet.
#[derive(Debug, Clone, Copy)]
struct Waiter {
    ticket: Ticket,
    goal: Goal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// Connected, and registered if that is wanted.
    Ready,
    /// Registered.
    Registered,
    /// Not registered.
    Unregistered,
}

impl Account {
    pub(crate) fn new(config: &Config, seed: [u8; 32]) -> Self {
        Self {
            link: Link::Idle,
            round: VecDeque::new(),
            routes: VecDeque::new(),
            route: Route::Direct,
            places: VecDeque::new(),
            place: None,
            found: BTreeMap::new(),
            shunned: Shunned::default(),
            without_registrar: Vec::new(),
            places_left: 0,
            question: 0,
            failures: 0,
            hurry: network::Hurry::default(),
            was_up: false,
            ready: false,
            registering: config.register,
            registered: false,
            listening: ListenState::No,
            refused_since: None,
            waiters: Vec::new(),
            token: TokenClock::default(),
            rng: StdRng::from_seed(seed),
        }
    }

    /// Connects and registers; the ticket is settled when that is done.
    pub(crate) fn initialize(&mut self, ticket: Ticket, ctx: &mut Context<'_>) {
        // It was taken back by `unregister`, or refused for good.
        let given_up = !self.registering || (self.ready && !self.registered);
        if ctx.config.register && given_up && ctx.agent.is_up() {
            return self.register(ticket, ctx);
        }
        self.registering = ctx.config.register;
        if self.is_ready(ctx) {
            return ctx.reply(ticket, Ok(Reply::Done));
        }
        self.wait(ticket, Goal::Ready);
        if self.link == Link::Idle {
            for warning in &ctx.config.warnings {
                let details = serde_json::Value::Null;
                ctx.trace(crate::door::level::Level::Warn, warning, details);
            }
            if let Credentials::Token { token, .. } = &ctx.config.credentials {
                self.token.start(token, ctx);
            }
            self.token.wanted_anew();
            ctx.act(|endpoint, _| endpoint.forget_algorithms());
            self.open(ctx);
        }
    }

    /// Listens, if that is wanted and not done yet, and connects, if there is a server.
    fn open(&mut self, ctx: &mut Context<'_>) {
        match (&ctx.config.listen, self.listening) {
            (Some(_), ListenState::No) => {
                self.listening = ListenState::Asked;
                ctx.outputs.push_back(Output::Listen);
            }
            (Some(_), ListenState::Asked) => {}
            (Some(_), ListenState::Yes) | (None, _) => self.connect(ctx),
        }
    }

    /// Takes whether the phone listens now.
    pub(crate) fn handle_listening(
        &mut self,
        outcome: Result<(), String>,
        ctx: &mut Context<'_>,
    ) -> FlowChange {
        if let Err(reason) = outcome {
            self.listening = ListenState::No;
            let error = PhoneError::new(ErrorCode::ConnectionFailed, "Failed to initialize SDK");
            self.initialize_failed(error.with_cause(reason), ctx);
            return FlowChange::None;
        }
        self.listening = ListenState::Yes;
        if !ctx.config.servers.is_empty() {
            self.connect(ctx);
            return FlowChange::None;
        }
        self.became_usable(ctx);
        FlowChange::None
    }

    /// Registers; the ticket is settled when the registrar has agreed.
    pub(crate) fn register(&mut self, ticket: Ticket, ctx: &mut Context<'_>) {
        if !ctx.agent.is_up() {
            return ctx.reply(ticket, Err(PhoneError::not_connected()));
        }
        self.registering = true;
        self.wait(ticket, Goal::Registered);
        // A server that was taken back to an older version is not to lock us out for good.
        if !self.registered {
            self.token.wanted_anew();
            ctx.act(|endpoint, _| endpoint.forget_algorithms());
        }
        ctx.act(Endpoint::register);
    }

    /// Removes the registration; the ticket is settled when it is gone.
    pub(crate) fn unregister(&mut self, ticket: Ticket, ctx: &mut Context<'_>) {
        self.registering = false;
        self.token.forget_refusal();
        self.wait(ticket, Goal::Unregistered);
        ctx.act(Endpoint::unregister);
    }

    /// Removes the registration on the way out; says whether there is an answer to wait for.
    pub(crate) fn leave(&mut self, ctx: &mut Context<'_>) -> bool {
        self.registering = false;
        self.token.forget_refusal();
        let waits = self.registered && ctx.agent.is_up();
        if waits {
            ctx.act(Endpoint::unregister);
        }
        waits
    }

    /// Whether peers can call without a server.
    pub(crate) fn listens(&self) -> bool {
        self.listening == ListenState::Yes
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.registered
    }

    /// Gives up a command of ours; says whether it was one.
    pub(crate) fn abort(&mut self, ticket: Ticket, ctx: &mut Context<'_>) -> bool {
        let before = self.waiters.len();
        self.waiters.retain(|waiter| waiter.ticket != ticket);
        if self.waiters.len() == before {
            return false;
        }
        if !self.ready && self.waiters.is_empty() {
            self.go_idle(ctx);
        }
        let error = PhoneError::aborted();
        ctx.reply(ticket, Err(error));
        true
    }

    /// Settles every command that still waits with this error.
    pub(crate) fn fail_waiters(&mut self, error: &PhoneError, ctx: &mut Context<'_>) {
        for waiter in std::mem::take(&mut self.waiters) {
            ctx.reply(waiter.ticket, Err(error.clone()));
        }
    }

    /// When the account must be woken, and why.
    pub(crate) fn deadline(&self) -> Option<(Instant, Wake)> {
        let link = match self.link {
            Link::Idle | Link::Finding { .. } | Link::Connecting { .. } | Link::Up { .. } => None,
            Link::Asking { until, .. } | Link::Asked { until, .. } => {
                Some((until, Wake::ConnectTimeout))
            }
            Link::Waiting { until } => Some((until, Wake::Reconnect)),
        };
        let token = self.token.deadline().map(|at| (at, Wake::Token));
        match (link, token) {
            (Some(link), Some(token)) if token.0 < link.0 => Some(token),
            (Some(link), _) => Some(link),
            (None, token) => token,
        }
    }

    fn wait(&mut self, ticket: Ticket, goal: Goal) {
        self.refused_since = None;
        self.waiters.push(Waiter { ticket, goal });
    }

    fn settle(&mut self, reached: &[Goal], ctx: &mut Context<'_>) {
        let (done, left) = std::mem::take(&mut self.waiters)
            .into_iter()
            .partition(|waiter| reached.contains(&waiter.goal));
        self.waiters = left;
        let done: Vec<Waiter> = done;
        for waiter in done {
            ctx.reply(waiter.ticket, Ok(Reply::Done));
        }
    }

    fn is_ready(&self, ctx: &Context<'_>) -> bool {
        let is_alone = self.listening == ListenState::Yes && ctx.config.servers.is_empty();
        self.ready && (ctx.agent.is_usable() || is_alone)
    }
}
