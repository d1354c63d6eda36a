//! The transaction layer: every live transaction, found by branch, sent-by and method.

mod client;
mod ids;
mod refusals;
mod server;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::dialog::wants_privacy;
use crate::header::Via;
use crate::message::{HeaderName, Headers, Message, Request, Response};
use crate::wheel::Wheel;

use super::flow::{Flow, FlowId};
use super::timer::{Timer, Timings};
use client::Client;
pub(crate) use client::hop_request;
use ids::{ClientId, MergeId, ServerId};
pub(super) use ids::{complete_via, set_to_tag};
use refusals::Refusals;
use server::Server;

/// Names a client transaction: a request that we sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(u64);

/// Names a server transaction: a request that we received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey(u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Owner {
    Client(ClientKey),
    Server(ServerKey),
}

/// What the layer is told once.
#[derive(Debug, Clone)]
pub struct LayerConfig {
    /// Host written into our Via over flows that have no address of ours.
    pub host: String,
    /// Port written into our Via; `None` stands for the transport's own.
    pub port: Option<u16>,
    /// The base of every timer.
    pub timings: Timings,
    /// Requests of others alive at once without a final answer, and as many again inside dialogs; a further one is given
    /// 503 without a transaction.
    pub max_open: usize,
    /// Refusals kept for a repeat or an ACK, and as many INVITEs that were accepted; above it the oldest is forgotten.
    pub max_answered: usize,
    /// Requests of ours alive at once, whatever others send.
    pub max_sent: usize,
}

impl LayerConfig {
    /// Makes a configuration with the RFC's timers and the usual limits.
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            port: None,
            timings: Timings::default(),
            max_open: 2048,
            max_answered: 256,
            max_sent: 4096,
        }
    }
}

/// What [`Layer::poll_output`] gives.
#[allow(
    clippy::large_enum_variant,
    reason = "an output is made once and taken once"
)]
#[derive(Debug, Clone)]
pub enum LayerOutput {
    /// Send these bytes as one message.
    Transmit {
        /// The flow to send over.
        flow: FlowId,
        /// One SIP message.
        bytes: Bytes,
    },
    /// Something happened that the transaction user has to know.
    Event(TxEvent),
    /// Nothing more until the next input; `handle_timeout` is due then, if ever, for this reason.
    Timeout(Option<Instant>, &'static str),
}

/// What the transaction user has to know.
#[derive(Debug, Clone)]
pub enum TxEvent {
    /// A new request; never an ACK, never a CANCEL.
    Request {
        /// The transaction to answer in.
        key: ServerKey,
        /// The flow it came over.
        flow: FlowId,
        /// The request, its top Via completed with `received` and `rport`.
        request: Request,
    },
    /// The INVITE `key` was cancelled before its final answer; the CANCEL has been answered.
    Cancel {
        /// The INVITE's transaction, which is to be given 487.
        key: ServerKey,
        /// The CANCEL.
        request: Request,
    },
    /// An ACK that ends no transaction: of a 2xx.
    Ack {
        /// The flow it came over.
        flow: FlowId,
        /// The ACK.
        request: Request,
    },
    /// An answer: each provisional one, the final one once, and every 2xx to an INVITE.
    Response {
        /// The transaction.
        key: ClientKey,
        /// The answer, our own Via still on top.
        response: Response,
    },
    /// No final answer came in time.
    Timeout {
        /// The transaction, which is over.
        key: ClientKey,
    },
    /// The flow is gone, which counts as a 503 (RFC 3261 §8.1.3.1).
    TransportError {
        /// The transaction, which is over.
        key: ClientKey,
    },
    /// A server transaction ended other than by an answer that arrived.
    ServerGone {
        /// The transaction, which is over.
        key: ServerKey,
        /// Why.
        why: Gone,
    },
    /// A message was dropped.
    Discarded {
        /// Why, for the log.
        why: &'static str,
    },
}

/// Why a server transaction ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// No ACK of our refusal came in 64·T1.
    NoAck,
    /// Its sender has given up by now (RFC 4320 §4.2).
    TooLate,
    /// The flow it came over is gone.
    FlowDown,
}

/// What became of a wish to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelling {
    /// CANCEL is on its way.
    Sent,
    /// CANCEL waits for the first provisional answer (RFC 3261 §9.1).
    Held,
    /// The final answer is here already, or the transaction is over.
    TooLate,
}

/// Every live transaction of one SIP element.
///
/// **Give one input, then drain [`poll_output`](Self::poll_output) until it returns `Timeout`.**
#[derive(Debug)]
pub struct Layer {
    config: LayerConfig,
    rng: StdRng,
    now: Option<Instant>,
    flows: BTreeMap<FlowId, Flow>,
    clients: BTreeMap<ClientKey, Client>,
    client_ids: HashMap<ClientId, ClientKey>,
    servers: BTreeMap<ServerKey, Server>,
    server_ids: HashMap<ServerId, ServerKey>,
    merge_ids: HashMap<MergeId, ServerKey>,
    /// Those of `servers` that only wait for a repeat or an ACK, the oldest first: refusals, and whatever is no INVITE.
    answered: BTreeSet<ServerKey>,
    /// INVITEs that were accepted and wait for a repeat, the oldest first.
    accepted: BTreeSet<ServerKey>,
    refusals: Refusals,
    timers: Wheel<(Owner, Timer)>,
    outputs: VecDeque<LayerOutput>,
    next_key: u64,
}

/// RFC 3323 §4.1: who hides its name does not tell where it is either; `rport` leads answers back.
fn is_private(headers: &Headers) -> bool {
    let from = headers.get(HeaderName::From);
    wants_privacy(headers) || from.is_some_and(|from| from.contains("@anonymous.invalid"))
}

impl Layer {
    /// Makes a layer without flows; `seed` decides every branch and tag.
    pub fn new(config: LayerConfig, seed: [u8; 32]) -> Self {
        let mut rng = StdRng::from_seed(seed);
        Self {
            config,
            refusals: Refusals::new(rng.next_u64()),
            rng,
            now: None,
            flows: BTreeMap::new(),
            clients: BTreeMap::new(),
            client_ids: HashMap::new(),
            servers: BTreeMap::new(),
            server_ids: HashMap::new(),
            merge_ids: HashMap::new(),
            answered: BTreeSet::new(),
            accepted: BTreeSet::new(),
            timers: Wheel::new(),
            outputs: VecDeque::new(),
            next_key: 0,
        }
    }

    /// Takes a flow into use.
    pub fn handle_flow_up(&mut self, id: FlowId, flow: Flow) {
        self.flows.insert(id, flow);
    }

    /// Ends every transaction that waits on this flow.
    pub fn handle_flow_down(&mut self, id: FlowId, now: Instant) {
        self.now = Some(now);
        if self.flows.remove(&id).is_none() {
            return;
        }
        self.clients_flow_down(id, now);
        self.servers_flow_down(id, now);
    }

    /// Takes a message that arrived over `flow`.
    pub fn handle_message(&mut self, flow: FlowId, message: Message, now: Instant) {
        self.now = Some(now);
        if !self.flows.contains_key(&flow) {
            return self.discard("it came over a flow that is not up");
        }
        match message {
            Message::Request(request) => self.receive_request(flow, request, now),
            Message::Response(response) => self.receive_response(response, now),
        }
    }

    /// Does whatever is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = Some(now);
        while let Some((owner, timer)) = self.timers.pop_due(now) {
            match owner {
                Owner::Client(key) => self.client_fired(key, timer, now),
                Owner::Server(key) => self.server_fired(key, timer, now),
            }
        }
    }

    /// Gives the next thing to do; `Timeout` when there is none.
    pub fn poll_output(&mut self) -> LayerOutput {
        self.outputs
            .pop_front()
            .unwrap_or_else(|| match self.timers.next() {
                Some((at, (_, timer))) => LayerOutput::Timeout(Some(at), timer.why()),
                None => LayerOutput::Timeout(None, "no transaction is alive"),
            })
    }

    /// Returns what is known of a flow that is up.
    pub fn flow(&self, id: FlowId) -> Option<&Flow> {
        self.flows.get(&id)
    }

    /// Says whether an answer is waited for, or owed, on this flow. One that was given is of no more weight.
    pub fn uses(&self, flow: FlowId) -> bool {
        self.clients_use(flow) || self.servers_owe(flow)
    }

    /// Says whether no answer is waited for nor owed.
    pub fn is_at_rest(&self) -> bool {
        self.clients.is_empty() && !self.owes_answers()
    }

    /// Returns how many transactions are alive.
    pub fn len(&self) -> usize {
        self.clients.len() + self.servers.len()
    }

    /// Says whether no transaction is alive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Says whether one more request of ours may be sent.
    pub fn may_send(&self) -> bool {
        self.clients.len() < self.config.max_sent
    }

    /// Sends bytes outside any transaction: a repeated 2xx or ACK, the answer to a keep-alive.
    pub fn transmit(&mut self, flow: FlowId, bytes: Bytes) {
        if self.flows.contains_key(&flow) {
            self.outputs
                .push_back(LayerOutput::Transmit { flow, bytes });
        }
    }

    /// Sends a request outside any transaction, under a Via of ours with a branch of its own, and returns its bytes: the ACK of a 2xx.
    pub fn send_stateless(&mut self, flow: FlowId, mut request: Request) -> Bytes {
        let branch = self.new_branch();
        self.push_via(flow, &mut request, &branch);
        let bytes = request.to_bytes();
        self.transmit(flow, bytes.clone());
        bytes
    }

    fn discard(&mut self, why: &'static str) {
        self.emit(TxEvent::Discarded { why });
    }

    fn emit(&mut self, event: TxEvent) {
        self.outputs.push_back(LayerOutput::Event(event));
    }

    fn next_key(&mut self) -> u64 {
        self.next_key += 1;
        self.next_key
    }

    // RFC 3261 §8.1.1.7: the magic cookie; 64 bits can't be guessed.
    fn new_branch(&mut self) -> String {
        format!("z9hG4bK{:016x}", self.rng.next_u64())
    }

    fn new_tag(&mut self) -> String {
        format!("{:016x}", self.rng.next_u64())
    }

    fn push_via(&self, flow: FlowId, request: &mut Request, branch: &str) {
        let token = self
            .flows
            .get(&flow)
            .map_or("TCP", |flow| flow.transport.via_token());
        let place = match is_private(request.headers()) {
            true => None,
            false => self.flows.get(&flow).and_then(Flow::place),
        };
        let mut via = match &place {
            Some((host, port)) => Via::new(token, host, Some(*port), branch),
            None => Via::new(token, &self.config.host, self.config.port, branch),
        };
        via.params_mut().set("rport", "");
        request.headers_mut().insert_front_typed(&via);
    }

    fn start_timer(&mut self, owner: Owner, timer: Timer, at: Instant) {
        self.timers.start((owner, timer), at);
    }

    fn stop_timers(&mut self, owner: Owner) {
        self.timers
            .stop_range((owner, Timer::A), (owner, Timer::Cancelled));
    }
}
