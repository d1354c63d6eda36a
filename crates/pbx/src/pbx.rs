//! The PBX itself: what comes in over a connection goes to the registrar, to another user, or to an
//! extension.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use phone::{ConfigError, MediaCommand, MediaEvent, SessionId, SipText, Ticket};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use sip::message::{KeepAlive, Leniency, Message};
use sip::transaction::{Flow, FlowId, Layer, LayerConfig, LayerOutput, ServerKey, Transport};
use sip::uri::Uri;

use crate::attendant::{self, Attendant};
use crate::bridge::Bridge;
use crate::calls::Calls;
use crate::command::Command;
use crate::config::{Config, Extension, Line, User};
use crate::event::{Event, MessageDirection, UnregisterCause};
use crate::fault::{Faults, Passage, Subject};
use crate::gate::Gate;
use crate::output::{CommandError, Output, Reply};
use crate::proxy::Proxy;
use crate::registrar::Registrar;
use crate::relay::{PortId, Relay};

// Flows inside the PBX; the server numbers its connections below.
pub(crate) const INSIDE: u64 = 1 << 63;

/// Octets of events that may wait for the application.
const MOST_UNREAD: usize = 4 << 20;

/// The embedded PBX.
///
/// **Give one input, then drain [`poll_output`](Self::poll_output) until it returns `Timeout`.**
#[derive(Debug)]
pub struct Pbx {
    pub(crate) config: Config,
    pub(crate) layer: Layer,
    pub(crate) registrar: Registrar,
    pub(crate) gate: Gate,
    pub(crate) proxy: Proxy,
    faults: Faults,
    pub(crate) relay: Option<Relay>,
    pub(crate) attendants: BTreeMap<String, Attendant>,
    pub(crate) refusing: BTreeMap<String, Extension>,
    pub(crate) ringing: BTreeSet<ServerKey>,
    pub(crate) bridges: Vec<Bridge>,
    legs: BTreeMap<SessionId, String>,
    connections: BTreeSet<FlowId>,
    /// The application has left too much unread.
    pub(crate) is_crowded: bool,
    pub(crate) calls: Calls,
    pub(crate) inbox: VecDeque<(FlowId, Bytes)>,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) rng: StdRng,
    next_inside: u64,
    /// Small: JavaScript can't count to 2⁶³.
    pub(crate) next_call: u64,
}

impl Pbx {
    /// Makes a PBX without connections that listens on `address`;
    /// `unix_time` is the time since 1970 at `now`.
    ///
    /// # Errors
    /// A [`ConfigError`] names the domain or the extension whose name is no part of a SIP URI.
    pub fn new(
        config: Config,
        address: SocketAddr,
        seed: [u8; 32],
        now: Instant,
        unix_time: Duration,
    ) -> Result<Self, ConfigError> {
        if Uri::sip(None, &config.domain, None).is_err() {
            return Err(ConfigError::new(
                "domain",
                "a domain name such as 'pbx.test'",
                format!("'{}'", config.domain.escape_debug()),
            ));
        }
        if !config.users.iter().all(User::is_valid) {
            return Err(ConfigError::new(
                "users",
                "users whose names are not empty and have no control characters",
                "another name",
            ));
        }
        let mut rng = StdRng::from_seed(seed);
        let route: Uri<'static> = format!("sip:{address};transport=ws;lr")
            .parse()
            .expect("a socket address is host and port of a URI");
        let mut layer = LayerConfig::new(route.host_text());
        layer.port = route.port();
        let relay_seed = match config.seed {
            Some(seed) => StdRng::seed_from_u64(seed).random(),
            None => fresh(&mut rng),
        };
        let mut pbx = Self {
            layer: Layer::new(layer, fresh(&mut rng)),
            registrar: Registrar::new(config.min_expires, config.max_expires),
            gate: Gate::new(&config, fresh(&mut rng), now),
            proxy: Proxy::new(&config.domain, route),
            faults: Faults::default(),
            relay: config.media_relay.then(|| Relay::new(relay_seed)),
            attendants: BTreeMap::new(),
            refusing: BTreeMap::new(),
            ringing: BTreeSet::new(),
            bridges: Vec::new(),
            legs: BTreeMap::new(),
            connections: BTreeSet::new(),
            is_crowded: false,
            calls: Calls::default(),
            inbox: VecDeque::new(),
            outputs: VecDeque::new(),
            next_inside: INSIDE,
            next_call: 1,
            config,
            rng,
        };
        for (user, line) in pbx.config.all_extensions() {
            pbx.add_extension(&user, line, now, unix_time)?;
        }
        pbx.settle(now);
        Ok(pbx)
    }

    /// Takes note of how many octets of events the application has not read yet, before each message that arrives: above
    /// some MiB it is told of no message any more, and calls are given 503.
    pub fn handle_backlog(&mut self, unread: usize) {
        self.is_crowded = unread >= MOST_UNREAD;
    }

    /// Takes note of how full whoever makes the extensions' sound is, 0 to 1; before each message that arrives. At 1 they
    /// answer no further call.
    pub fn handle_load(&mut self, load: f64) {
        for attendant in self.attendants.values_mut() {
            attendant.handle_load(load);
        }
    }

    /// Takes a new connection into use; its number has never been used before and is below 2⁶³.
    pub fn handle_connected(&mut self, flow: FlowId, peer: SocketAddr, now: Instant) {
        self.connections.insert(flow);
        self.layer
            .handle_flow_up(flow, Flow::new(Transport::Ws).with_peer(peer));
        self.settle(now);
    }

    /// Forgets a connection and what was registered over it.
    pub fn handle_disconnected(&mut self, flow: FlowId, now: Instant) {
        self.connections.remove(&flow);
        self.layer.handle_flow_down(flow, now);
        self.proxy.forget_flow(flow);
        self.faults.forget_flow(flow);
        let gone = self.registrar.forget_flow(flow);
        self.tell_unregistered(gone, UnregisterCause::Disconnected);
        self.settle(now);
    }

    /// Takes one WebSocket message.
    pub fn handle_signaling(&mut self, flow: FlowId, frame: Bytes, now: Instant) {
        if let Some(KeepAlive::Ping) = KeepAlive::of(&frame) {
            let bytes = SipText(Bytes::from_static(KeepAlive::Pong.as_bytes()));
            self.outputs.push_back(Output::Send { flow, bytes });
            return;
        }
        self.through_faults(flow, MessageDirection::In, frame, now);
        self.settle(now);
    }

    /// Takes what happened in the media of one of our own legs.
    pub fn handle_media(&mut self, id: SessionId, event: MediaEvent, now: Instant) {
        if let Some(user) = self.legs.get(&id).cloned() {
            self.attend(&user, now, |attendant| {
                attendant.handle_media(id, event, now)
            });
        }
        self.settle(now);
    }

    /// Takes a port that the relay asked for; without an address it can't be opened.
    pub fn handle_port(&mut self, port: PortId, address: Option<SocketAddr>) {
        if let Some(relay) = &mut self.relay {
            relay.handle_port(port, address);
        }
    }

    /// Takes a datagram that came to a port of the relay.
    pub fn handle_datagram(&mut self, port: PortId, from: SocketAddr, bytes: Bytes, now: Instant) {
        if let Some(relay) = &mut self.relay {
            relay.handle_datagram(port, from, bytes, now);
        }
    }

    /// Does what a test asks for.
    pub fn handle_command(&mut self, ticket: Ticket, command: Command, now: Instant) {
        match command {
            Command::Originate(originate) => {
                if let Err(error) = self.originate(ticket, originate, now) {
                    self.outputs.push_back(Output::Reply(ticket, Err(error)));
                }
            }
            Command::HangUp { id } => self.hang_up(ticket, id, now),
            Command::AddUser { user } if !user.is_valid() => {
                let error = CommandError::UserName { name: user.name };
                self.outputs.push_back(Output::Reply(ticket, Err(error)));
            }
            Command::AddUser { user } => {
                self.gate.add_user(user);
                self.done(ticket);
            }
            Command::RemoveUser { user } => {
                self.gate.remove_user(&user);
                let gone = self.registrar.forget_user(&user);
                self.tell_unregistered(gone, UnregisterCause::Removed);
                self.done(ticket);
            }
            Command::AddFault(fault) => {
                self.faults.add(fault);
                self.done(ticket);
            }
            Command::AddMediaFault(fault) => {
                self.disturb(ticket, |relay| relay.add_fault(fault));
            }
            Command::RebindMedia { user } => self.disturb(ticket, |relay| relay.rebind(&user)),
            Command::ClearFaults {} => {
                self.faults.clear();
                if let Some(relay) = &mut self.relay {
                    relay.clear_faults();
                }
                self.done(ticket);
            }
            Command::Close {} => {
                self.done(ticket);
                self.outputs.push_back(Output::Closed);
            }
            Command::Disconnect { user } => {
                for flow in self.flows_of(user.as_deref()) {
                    self.outputs.push_back(Output::Close { flow });
                }
                self.done(ticket);
            }
        }
        self.settle(now);
    }

    /// Does whatever is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.layer.handle_timeout(now);
        self.proxy.handle_timeout(&mut self.layer, now);
        if let Some(relay) = &mut self.relay {
            relay.handle_timeout(now);
        }
        let gone = self.registrar.expire(now);
        self.tell_unregistered(gone, UnregisterCause::Expired);
        while let Some(held) = self.faults.pop_due(now) {
            self.deliver(held.flow, held.direction, held.bytes, now);
        }
        let due: Vec<String> = self
            .attendants
            .iter()
            .filter(|(_, attendant)| attendant.next_deadline().is_some_and(|at| at <= now))
            .map(|(user, _)| user.clone())
            .collect();
        for user in due {
            self.attend(&user, now, |attendant| attendant.handle_timeout(now));
        }
        for place in 0..self.bridges.len() {
            if self.bridges[place]
                .next_deadline()
                .is_some_and(|at| at <= now)
            {
                let steps = self.bridges[place].handle_timeout(now);
                self.take_bridge_steps(steps);
            }
        }
        self.settle(now);
    }

    /// Gives the next thing to do; `Timeout` when there is none.
    pub fn poll_output(&mut self) -> Output {
        if let Some(order) = self.relay.as_mut().and_then(Relay::poll_order) {
            return Output::Relay(order);
        }
        self.outputs.pop_front().unwrap_or_else(|| {
            let layer = match self.layer.poll_output() {
                LayerOutput::Timeout(at, why) => at.map(|at| (at, why)),
                LayerOutput::Transmit { .. } | LayerOutput::Event(_) => None,
            };
            let deadlines = [
                layer,
                self.proxy.next_deadline().map(|at| (at, "Timer C")),
                self.registrar
                    .next_deadline()
                    .map(|at| (at, "a registration expires")),
                self.faults
                    .next_deadline()
                    .map(|at| (at, "a message is held back")),
                self.relay
                    .as_ref()
                    .and_then(Relay::next_deadline)
                    .map(|at| (at, "a datagram is held back")),
                self.attendants
                    .values()
                    .filter_map(Attendant::next_deadline)
                    .min()
                    .map(|at| (at, "an extension's phone")),
                self.bridges
                    .iter()
                    .filter_map(Bridge::next_deadline)
                    .min()
                    .map(|at| (at, "a click-to-call")),
            ];
            match deadlines.into_iter().flatten().min_by_key(|(at, _)| *at) {
                Some((at, why)) => Output::Timeout(Some(at), why),
                None => Output::Timeout(None, "nothing is alive"),
            }
        })
    }

    fn add_extension(
        &mut self,
        user: &str,
        line: Line,
        now: Instant,
        unix_time: Duration,
    ) -> Result<(), ConfigError> {
        match line.extension {
            Extension::Refuse { .. } | Extension::Ring => {
                self.refusing.insert(user.to_owned(), line.extension);
            }
            Extension::Echo
            | Extension::Tone { .. }
            | Extension::Prompt { .. }
            | Extension::Menu
            | Extension::Conference => {
                let flow = self.inside_flow();
                let seed = fresh(&mut self.rng);
                let domain = &self.config.domain;
                let mut attendant = Attendant::new(user, line, domain, flow, seed, now, unix_time)?;
                let steps = attendant.drain(now);
                self.attendants.insert(user.to_owned(), attendant);
                self.take_attendant_steps(user, flow, steps);
            }
        }
        Ok(())
    }

    pub(crate) fn inside_flow(&mut self) -> FlowId {
        let flow = FlowId(self.next_inside);
        self.next_inside += 1;
        self.layer.handle_flow_up(flow, Flow::new(Transport::Ws));
        flow
    }

    fn disturb(&mut self, ticket: Ticket, act: impl FnOnce(&mut Relay)) {
        match &mut self.relay {
            Some(relay) => {
                act(relay);
                self.done(ticket);
            }
            None => {
                let error = Err(CommandError::NoRelay);
                self.outputs.push_back(Output::Reply(ticket, error));
            }
        }
    }

    pub(crate) fn done(&mut self, ticket: Ticket) {
        self.outputs
            .push_back(Output::Reply(ticket, Ok(Reply::Done)));
    }

    fn flows_of(&self, user: Option<&str>) -> BTreeSet<FlowId> {
        match user {
            Some(user) => self
                .registrar
                .bindings(user)
                .into_iter()
                .map(|binding| binding.flow)
                .collect(),
            None => self.connections.clone(),
        }
    }

    fn tell_unregistered(&mut self, gone: Vec<(String, String)>, cause: UnregisterCause) {
        self.outputs.extend(gone.into_iter().map(|(user, contact)| {
            Output::Event(Event::Unregistered {
                user,
                contact,
                cause,
            })
        }));
    }

    /// Lets every message inside the PBX reach its place.
    fn settle(&mut self, now: Instant) {
        loop {
            match self.layer.poll_output() {
                LayerOutput::Transmit { flow, bytes } => self.transmit(flow, bytes, now),
                LayerOutput::Event(event) => self.handle_transaction(event, now),
                LayerOutput::Timeout(..) => match self.inbox.pop_front() {
                    Some((flow, bytes)) => self.receive(flow, bytes, now),
                    None => break,
                },
            }
        }
        self.forget_finished_bridges(now);
    }

    fn transmit(&mut self, flow: FlowId, bytes: Bytes, now: Instant) {
        if flow.0 < INSIDE {
            self.through_faults(flow, MessageDirection::Out, bytes, now);
            return;
        }
        let user = self
            .attendants
            .iter()
            .find(|(_, attendant)| attendant.flow == flow)
            .map(|(user, _)| user.clone());
        if let Some(user) = user {
            self.attend(&user, now, |attendant| {
                attendant.handle_signaling(bytes, now)
            });
            return;
        }
        let bridge = self
            .bridges
            .iter_mut()
            .find(|bridge| bridge.flows().contains(&flow));
        if let Some(bridge) = bridge {
            let steps = bridge.handle_message(flow, bytes, now);
            self.take_bridge_steps(steps);
        }
    }

    fn through_faults(
        &mut self,
        flow: FlowId,
        direction: MessageDirection,
        bytes: Bytes,
        now: Instant,
    ) {
        let parsed = Message::parse(bytes.clone(), Leniency::Interop).ok();
        let user = self.registrar.user_of(flow).map(str::to_owned);
        if parsed.is_some() && !self.is_crowded {
            self.outputs.push_back(Output::Event(Event::Message {
                direction,
                user: user.clone(),
                text: sip::redact(&bytes),
            }));
        }
        let (method, status) = match parsed.as_ref().map(|parsed| &parsed.message) {
            Some(Message::Request(request)) => (request.method().as_str().to_owned(), None),
            Some(Message::Response(response)) => (
                response
                    .headers()
                    .cseq()
                    .map(|cseq| cseq.method.as_str().to_owned())
                    .unwrap_or_default(),
                Some(response.status().code()),
            ),
            None => (String::new(), None),
        };
        let subject = Subject {
            flow,
            direction,
            user: user.as_deref(),
            method: &method,
            status,
        };
        match self.faults.pass(subject, bytes, now) {
            Passage::Pass(messages) => {
                for bytes in messages {
                    self.deliver(flow, direction, bytes, now);
                }
            }
            Passage::Close => self.outputs.push_back(Output::Close { flow }),
        }
    }

    fn deliver(&mut self, flow: FlowId, direction: MessageDirection, bytes: Bytes, _now: Instant) {
        match direction {
            MessageDirection::In => self.inbox.push_back((flow, bytes)),
            MessageDirection::Out => {
                let bytes = SipText(bytes);
                self.outputs.push_back(Output::Send { flow, bytes });
            }
        }
    }

    fn receive(&mut self, flow: FlowId, bytes: Bytes, now: Instant) {
        // What can't be read is dropped, as a proxy does (RFC 3261 §16.3 answers only what has a Via).
        if let Ok(mut parsed) = Message::parse(bytes, Leniency::Interop) {
            self.relay_media(flow, &mut parsed.message, now);
            if let Message::Request(request) = &parsed.message {
                self.proxy.learn(flow, request.method(), request.headers());
            }
            self.layer.handle_message(flow, parsed.message, now);
        }
    }

    fn attend(
        &mut self,
        user: &str,
        _now: Instant,
        input: impl FnOnce(&mut Attendant) -> Vec<attendant::Step>,
    ) {
        let Some(attendant) = self.attendants.get_mut(user) else {
            return;
        };
        let flow = attendant.flow;
        let steps = input(attendant);
        self.take_attendant_steps(user, flow, steps);
    }

    fn take_attendant_steps(&mut self, user: &str, flow: FlowId, steps: Vec<attendant::Step>) {
        for step in steps {
            match step {
                attendant::Step::Send(SipText(bytes)) => self.inbox.push_back((flow, bytes)),
                attendant::Step::Media(id, command) => {
                    match command == MediaCommand::Close {
                        true => self.legs.remove(&id),
                        false => self.legs.insert(id, user.to_owned()),
                    };
                    self.outputs.push_back(Output::Media(id, command));
                }
                attendant::Step::Event(event) => self.outputs.push_back(Output::Event(event)),
            }
        }
    }
}

pub(crate) fn fresh(rng: &mut StdRng) -> [u8; 32] {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}
