//! The SIP endpoint and the one flow it uses, and one endpoint for each peer that has come without a server; drained after every
//! input, as their contract wants.

mod context;
mod ice_source;
mod identity;
pub(crate) mod keys;
mod neighbours;
mod pings;
mod seen_streams;
mod surroundings;
mod trunks;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::endpoint::{self, Endpoint, Intake, NotifierId, RequestId, ServerRequestId, UsageId};
use sip::header::Replaces;
use sip::transaction::{Flow, FlowId, Transport};
use sip::uri::Uri;

pub(crate) use context::{Context, NotSent};
pub(crate) use ice_source::{Gathering, IceSource};
pub(crate) use seen_streams::{SeenOn, SeenStream, SeenStreams};
pub(crate) use surroundings::Surroundings;
pub(crate) use trunks::TrunkNews;

use trunks::Trunks;

use crate::config::{Config, Credentials, IceTransportPolicy};
use crate::door::event::Event;
use crate::door::level::Level;
use crate::door::media::KeyingWish;
use crate::door::neighbour::TrunkId;
use crate::door::output::{Output, SipText};
use crate::door::tally::PeerStanding;
use crate::reading::caller_identity::Trust;

/// What an endpoint has given a name to.
pub(crate) trait Named {
    /// The name.
    fn name(&self) -> u64;
}

/// The SIP endpoint with its flow.
#[derive(Debug)]
pub(crate) struct Agent {
    endpoint: Endpoint,
    trunks: Trunks,
    /// Keys of media may be said over a connection that others can read.
    says_keys_openly: bool,
    /// Who takes anybody's certificate may talk to whoever reads along.
    checks_certificates: bool,
    /// The same of whoever comes without a server: somebody else may come from its address.
    checks_peers: bool,
    flow: Option<OpenFlow>,
    flows: u64,
    log_level: Level,
    /// No address of this machine is told to the other side of a call.
    hides_addresses: bool,
    events: VecDeque<endpoint::Event>,
    deadline: Option<Instant>,
    /// Whose request an answer belongs to.
    requests: BTreeMap<RequestId, UsageId>,
}

/// The connection as the endpoint knows it.
#[derive(Debug, Clone, Copy)]
struct OpenFlow {
    id: FlowId,
    transport: Transport,
    /// The registrar knows it, or does not have to.
    usable: bool,
}

impl Agent {
    pub(crate) fn new(config: &Config, instance_id: &str, seed: [u8; 32]) -> Self {
        let known = identity::endpoint_config(config, instance_id);
        let trunk_seed = seed.map(|octet| octet ^ 0x5a);
        Self {
            trunks: Trunks::new(
                known.clone(),
                config.peers.clone(),
                config.ping_interval,
                trunk_seed,
            ),
            says_keys_openly: config.media.contains(&KeyingWish::SdesUnprotected),
            checks_certificates: config.tls.reject_unauthorized,
            checks_peers: config.checks_peers() && config.tls.reject_unauthorized,
            endpoint: Endpoint::new(known, seed),
            flow: None,
            flows: 0,
            log_level: config.log_level,
            hides_addresses: config.ice_transport_policy == IceTransportPolicy::Relay,
            events: VecDeque::new(),
            deadline: None,
            requests: BTreeMap::new(),
        }
    }

    /// Lets the endpoint do something that has given this name, and takes what comes of it.
    pub(crate) fn act_for<R>(
        &mut self,
        named: &impl Named,
        out: &mut VecDeque<Output>,
        act: impl FnOnce(&mut Endpoint) -> R,
    ) -> R {
        let trunk = self.trunk_of(named);
        match trunk.filter(|trunk| self.trunks.get(*trunk).is_some()) {
            Some(trunk) => self.act_in(trunk, out, act).expect("it is there"),
            // To the server's it is as unknown as what is over.
            None => self.act(out, act),
        }
    }

    /// The endpoint that has given this name.
    pub(crate) fn endpoint_of(&self, named: &impl Named) -> &Endpoint {
        let trunk = self.trunk_of(named);
        let trunk = trunk.and_then(|trunk| self.trunks.get(trunk));
        trunk.map_or(&self.endpoint, |trunk| &trunk.endpoint)
    }

    /// The trunk that this belongs to; `None` if it is the server's.
    pub(crate) fn trunk_of(&self, named: &impl Named) -> Option<TrunkId> {
        trunks::trunk_of(named.name())
    }

    /// Whether what is asserted by whom this is of is believed.
    pub(crate) fn trust_in(&self, named: &impl Named, config: &Config) -> Trust {
        let within = match self.trunk_of(named) {
            None => true,
            Some(trunk) => {
                let trunk = self.trunks.get(trunk);
                trunk.is_some_and(|trunk| config.trust_domain.has(trunk.peer_address()))
            }
        };
        match within {
            true => Trust::Within,
            false => Trust::Outside,
        }
    }

    /// Whether there is a way to where this belongs: to its peer, or to the server.
    pub(crate) fn is_up_for(&self, named: Option<impl Named>) -> bool {
        match named.filter(|named| self.trunk_of(named).is_some()) {
            Some(named) => self.endpoint_of(&named).is_connected(),
            None => self.is_up(),
        }
    }

    /// Whether requests inside this call make sense.
    pub(crate) fn is_usable_for(&self, usage: Option<UsageId>) -> bool {
        match usage.filter(|usage| self.trunk_of(usage).is_some()) {
            Some(usage) => self.is_up_for(Some(usage)),
            None => self.is_usable(),
        }
    }

    /// Whether anybody can be told anything.
    pub(crate) fn reaches_anybody(&self) -> bool {
        self.is_up() || self.trunks.is_connected()
    }

    /// What has become of a trunk.
    pub(crate) fn next_trunk_news(&mut self) -> Option<TrunkNews> {
        self.trunks.next_news()
    }

    /// Lets the server's endpoint do something, and takes what comes of it.
    pub(crate) fn act<R>(
        &mut self,
        out: &mut VecDeque<Output>,
        act: impl FnOnce(&mut Endpoint) -> R,
    ) -> R {
        let result = act(&mut self.endpoint);
        self.drain(out);
        result
    }

    /// What the server's endpoint knows.
    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Takes note of what the phone can take of what others send.
    pub(crate) fn set_intake(&mut self, intake: Intake) {
        self.endpoint.set_intake(intake);
        self.trunks.set_intake(intake);
    }

    /// Whether the application has more unread than it may be told of.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.endpoint.intake() == Intake::Closed
    }

    pub(crate) fn set_log_level(&mut self, level: Level) {
        self.log_level = level;
    }

    /// How the peers stand that are asked whether they are there.
    pub(crate) fn peers(&self) -> Vec<PeerStanding> {
        self.trunks.standing()
    }

    /// The next thing that happened.
    pub(crate) fn next_event(&mut self) -> Option<endpoint::Event> {
        self.events.pop_front()
    }

    /// When the endpoint wants to be woken.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        [self.deadline, self.trunks.deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(crate) fn is_up(&self) -> bool {
        self.flow.is_some()
    }

    /// What the flow goes over.
    pub(crate) fn transport(&self) -> Option<Transport> {
        self.flow.map(|flow| flow.transport)
    }

    /// Whether requests inside dialogs make sense: there is a flow, and the registrar knows it.
    pub(crate) fn is_usable(&self) -> bool {
        self.flow.is_some_and(|flow| flow.usable)
    }

    /// The registrar knows the flow, or does not have to.
    pub(crate) fn set_usable(&mut self) {
        if let Some(flow) = &mut self.flow {
            flow.usable = true;
        }
    }

    pub(crate) fn flow_up(
        &mut self,
        transport: Transport,
        local: Option<SocketAddr>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        self.flows += 1;
        let id = FlowId(self.flows);
        self.flow = Some(OpenFlow {
            id,
            transport,
            usable: false,
        });
        let flow = Flow {
            local: local.filter(|_| !self.hides_addresses),
            ..Flow::new(transport)
        };
        self.act(out, |endpoint| {
            endpoint.handle_flow_up(id, flow, now);
        });
    }

    pub(crate) fn flow_down(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        if let Some(flow) = self.flow.take() {
            self.act(out, |endpoint| endpoint.handle_flow_down(flow.id, now));
        }
    }

    pub(crate) fn handle_message(
        &mut self,
        message: Bytes,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        if let Some(flow) = self.flow {
            self.trace("SIP message received", &message, out);
            self.act(out, |endpoint| {
                endpoint.handle_message(flow.id, message, now);
            });
        }
    }

    pub(crate) fn handle_pong(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        if let Some(flow) = self.flow {
            self.act(out, |endpoint| endpoint.handle_pong(flow.id, now));
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.act(out, |endpoint| endpoint.handle_timeout(now));
        }
        if self
            .trunks
            .deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.trunks_timeout(now, out);
        }
    }

    /// The machine slept.
    pub(crate) fn slept(&mut self, slept: Duration, now: Instant, out: &mut VecDeque<Output>) {
        self.act(out, |endpoint| endpoint.handle_sleep(slept, now));
        for trunk in self.trunks.ids() {
            self.act_in(trunk, out, |endpoint| endpoint.handle_sleep(slept, now));
        }
    }

    pub(crate) fn set_credentials(&mut self, config: &Config, credentials: &Credentials) {
        self.endpoint
            .set_credentials(identity::credentials(config, credentials));
    }

    /// The Call-ID of a call.
    pub(crate) fn call_id(&self, usage: UsageId) -> Option<String> {
        self.endpoint_of(&usage).call_id(usage).map(str::to_owned)
    }

    /// Whether this call's dialog, or the INVITE that is to make it, is alive.
    pub(crate) fn is_alive(&self, usage: UsageId) -> bool {
        self.endpoint_of(&usage).call_id(usage).is_some()
    }

    /// The Replaces that means this call, and where its other party is reached.
    pub(crate) fn replaces(&self, usage: UsageId) -> Option<(Replaces<'static>, Uri<'static>)> {
        let dialog = self.endpoint_of(&usage).dialog(usage)?;
        let id = dialog.id();
        // Local and remote from the view of the one that is asked to replace it.
        let replaces = Replaces::new(id.call_id.clone(), &id.remote_tag, &id.local_tag);
        Some((replaces, dialog.target().clone()))
    }

    /// Remembers whose request this is, until it is answered.
    fn remember_requester(&mut self, id: RequestId, usage: UsageId) {
        self.requests.insert(id, usage);
    }

    /// Whose request this answer belongs to; asked once.
    pub(crate) fn take_requester(&mut self, id: RequestId) -> Option<UsageId> {
        self.requests.remove(&id)
    }

    fn drain(&mut self, out: &mut VecDeque<Output>) {
        loop {
            match self.endpoint.poll_output() {
                endpoint::Output::Transmit { flow, bytes }
                    if self.is_ours(flow) && self.is_withheld(&bytes) =>
                {
                    self.tell_withheld(out);
                }
                endpoint::Output::Transmit { flow, bytes } if self.is_ours(flow) => {
                    self.trace("SIP message sent", &bytes, out);
                    out.push_back(Output::Send(SipText(bytes)));
                }
                endpoint::Output::KeepAlive { flow } if self.is_ours(flow) => {
                    out.push_back(Output::Ping);
                }
                endpoint::Output::Transmit { .. } | endpoint::Output::KeepAlive { .. } => {}
                endpoint::Output::Event(event) => self.events.push_back(event),
                endpoint::Output::Timeout(deadline, _) => {
                    self.deadline = deadline;
                    return;
                }
            }
        }
    }

    fn tell_withheld(&self, out: &mut VecDeque<Output>) {
        if self.log_level <= Level::Warn {
            out.push_back(Output::Event(Event::Trace {
                level: Level::Warn,
                message: "A message with keys of media is not sent over a connection without TLS"
                    .into(),
                details: serde_json::json!({}),
            }));
        }
    }

    fn is_ours(&self, flow: FlowId) -> bool {
        self.flow.is_some_and(|ours| ours.id == flow)
    }

    fn trace(&self, message: &str, frame: &[u8], out: &mut VecDeque<Output>) {
        if self.log_level <= Level::Trace {
            out.push_back(Output::Event(Event::Trace {
                level: Level::Trace,
                message: message.into(),
                details: serde_json::json!({ "sip": sip::redact(frame) }),
            }));
        }
    }
}

impl Named for UsageId {
    fn name(&self) -> u64 {
        self.0
    }
}

impl Named for ServerRequestId {
    fn name(&self) -> u64 {
        self.0
    }
}

impl Named for NotifierId {
    fn name(&self) -> u64 {
        self.0
    }
}
