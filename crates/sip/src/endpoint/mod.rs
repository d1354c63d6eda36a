//! A user agent: calls, registration and requests, over whatever flow is up (RFC 3261 §8, §9, §13, §14, §15).
//!
//! ```text
//! frame ─handle_message─► Layer ─TxEvent─► Endpoint ─Event─► caller
//! caller ──command──────► Endpoint ─request, answer─► Layer ─Transmit─► flow
//! ```
//!
//! **Give one input or command, with `now`, then drain [`Endpoint::poll_output`] until it returns `Timeout`.**
//! A peer's faults are events; an `Err` is the caller's misuse, and changes nothing.
//!
//! What an endpoint knows is in `state`, in types that can be understood alone: `Flows`, `Registrar`, `Signer`, `Calls` with their
//! `Usage`s, `Subscriptions`, `Notifiers`, `Exchanges`, `Unfinished` and `Admission`. The modules that are named by
//! what they do (`calling`, `registering`) are the endpoint's verbs, which bring those together.

mod acknowledging;
mod called;
mod calling;
mod command;
mod compose;
mod config;
mod dialog_requests;
mod dispatching;
mod early;
mod event;
mod hanging_up;
mod keep_alive;
mod left_behind;
mod lingering;
mod notifying;
mod receiving;
mod redirecting;
mod refused;
mod registering;
mod reliable;
mod replacing;
mod resuming;
mod session_name;
mod session_timer;
mod standalone_requests;
mod state;
mod subscribing;
mod vetting;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::Rng;

use crate::auth::Credentials;
use crate::dialog::Dialog;
use crate::message::{Message, Request};
use crate::transaction::{self, ClientKey, Flow, FlowId, Layer, LayerConfig};
use crate::uri::Uri;
use crate::wheel::Wheel;

pub use command::{Body, Caller, CommandError, Invite, Reply, Subscribe};
pub use config::{EndpointConfig, KeepAlivePolicy, Limits, Probe, Redirects, SessionTimers};
pub use dialog_requests::ends_call;
pub use event::{
    Alternative, EndCause, Event, FailureCause, NotifierEnd, NotifierId, Obstacle, Output,
    Registered, RegistrationFailed, RequestFailure, RequestId, ServerRequestId, SubscriptionEnd,
    SubscriptionId, UsageId,
};
pub use state::admission::Intake;

pub use redirecting::alternatives;
pub use replacing::Replaced;

use state::admission::Admission;
use state::alarm::Alarm;
use state::calls::Calls;
use state::draws::Draws;
use state::exchanges::Exchanges;
use state::flows::Flows;
use state::notifiers::Notifiers;
use state::registrar::Registrar;
use state::signer::Signer;
use state::subscriptions::Subscriptions;
use state::unfinished::Unfinished;
use state::usage::{Sent, Usage};

/// A user agent.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    draws: Draws,
    layer: Layer,
    signer: Signer,
    flows: Flows,
    registrar: Registrar,
    calls: Calls,
    subscriptions: Subscriptions,
    notifiers: Notifiers,
    exchanges: Exchanges,
    unfinished: Unfinished,
    admission: Admission,
    alarms: Wheel<Alarm>,
    outputs: VecDeque<Output>,
}

impl Endpoint {
    /// Makes a user agent without a flow; `seed` decides every tag, branch, Call-ID and draw.
    pub fn new(mut config: EndpointConfig, seed: [u8; 32]) -> Self {
        let timer = config.session_timers.map(|_| session_timer::TAG);
        config.supported.extend(timer.map(str::to_owned));
        let mut draws = Draws::from_seed(seed, config.ids_after);
        // RFC 7118 §5.2.1: a name that nobody can resolve, and nobody else has.
        let host = format!("{:012x}.invalid", draws.rng().next_u64() >> 16);
        let credentials = config.credentials.clone();
        let signer = Signer::new(
            credentials,
            config.aor.host_text(),
            compose::domains(&config),
        );
        let registrar = Registrar::new(&config, &host, draws.rng());
        let mut layer_seed = [0; 32];
        draws.rng().fill_bytes(&mut layer_seed);
        let layer = Layer::new(
            LayerConfig {
                timings: config.timings,
                max_open: config.limits.open_requests,
                max_sent: config.limits.sent_requests,
                ..LayerConfig::new(host)
            },
            layer_seed,
        );
        Self {
            signer,
            registrar,
            config,
            draws,
            layer,
            flows: Flows::default(),
            calls: Calls::default(),
            subscriptions: Subscriptions::default(),
            notifiers: Notifiers::default(),
            exchanges: Exchanges::default(),
            unfinished: Unfinished::default(),
            admission: Admission::default(),
            alarms: Wheel::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes what challenges are answered with from now on; open nonces are forgotten, and not which realms are ours.
    pub fn set_credentials(&mut self, credentials: Option<Credentials>) {
        self.registrar.credentials_changed();
        self.signer.set_credentials(credentials);
    }

    /// Forgets how strong the challenges of each realm have been, so that weaker ones are answered again: for when
    /// somebody asks for a registration that was refused.
    pub fn forget_algorithms(&mut self) {
        self.signer.forget_algorithms();
    }

    /// Takes note of what our caller can take from now on.
    pub fn set_intake(&mut self, intake: Intake) {
        self.admission.set_intake(intake);
    }

    /// What our caller can take, as it said last.
    pub fn intake(&self) -> Intake {
        self.admission.intake()
    }

    /// Takes a frame, or a datagram, that arrived over `flow`.
    pub fn handle_message(&mut self, flow: FlowId, frame: Bytes, now: Instant) {
        if !self.flows.is_up(flow) {
            return self.discard("it came over a flow that is not up".into());
        }
        self.flow_is_alive(flow);
        if frame.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return self.receive_keep_alive(flow, &frame);
        }
        self.flows.heard(flow);
        match Message::parse(frame, self.config.leniency) {
            Ok(parsed) => self.receive(flow, parsed.message, now),
            Err(error) => self.refuse_unreadable(flow, error),
        }
    }

    /// Takes a flow into use; new requests go over the one that came up last.
    ///
    /// A wished registration is renewed over it, and what may have been lost with the last one is sent: ACKs, 2xx, BYEs.
    pub fn handle_flow_up(&mut self, id: FlowId, flow: Flow, now: Instant) {
        self.layer.handle_flow_up(id, flow);
        self.registrar.moved(&self.config, &flow);
        self.flows.open(id, flow, now);
        self.schedule_probe(id, now);
        self.register_anew(now);
        self.repeat_lost_acks(id);
        self.repeat_lost_2xx(id);
        self.send_stranded(now);
        self.resume_cancels(now);
        self.notify_all_owed(now);
        self.settle(now);
    }

    /// Ends what waits on this flow; established dialogs and the registration live on, and so do unanswered INVITEs of ours,
    /// which wait for [`resume`](Self::resume).
    pub fn handle_flow_down(&mut self, id: FlowId, now: Instant) {
        if !self.flows.close(id) {
            return;
        }
        for alarm in [Alarm::Probe(id), Alarm::Pong(id)] {
            self.alarms.stop(alarm);
        }
        self.strand_invites(id, now);
        self.layer.handle_flow_down(id, now);
        self.settle(now);
    }

    /// Does whatever is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.layer.handle_timeout(now);
        self.settle(now);
        while let Some(alarm) = self.alarms.pop_due(now) {
            self.ring(alarm, now);
            self.settle(now);
        }
    }

    /// Notes that the machine slept for `slept`, which `now` does not contain: registration is renewed earlier. Whether flows
    /// have outlived it, [`check_flows`](Self::check_flows) tells.
    pub fn handle_sleep(&mut self, slept: Duration, now: Instant) {
        if let Some(due) = self.registrar.slept(slept, now) {
            self.alarms.start(Alarm::Register, due);
        }
        self.handle_timeout(now);
    }

    /// Gives the next thing to do; `Timeout` when there is none.
    pub fn poll_output(&mut self) -> Output {
        if let Some(output) = self.outputs.pop_front() {
            return output;
        }
        let alarm = self.alarms.next().map(|(at, alarm)| (at, alarm.why()));
        match (alarm, self.layer.poll_output()) {
            (Some((at, why)), transaction::LayerOutput::Timeout(Some(other), _)) if at <= other => {
                Output::Timeout(Some(at), why)
            }
            (_, transaction::LayerOutput::Timeout(Some(at), why)) => Output::Timeout(Some(at), why),
            (Some((at, why)), transaction::LayerOutput::Timeout(None, _)) => {
                Output::Timeout(Some(at), why)
            }
            (None, transaction::LayerOutput::Timeout(None, why)) => Output::Timeout(None, why),
            // Every input ends by taking all that the layer has.
            (_, transaction::LayerOutput::Transmit { flow, bytes }) => {
                Output::Transmit { flow, bytes }
            }
            (_, transaction::LayerOutput::Event(_)) => Output::Event(Event::Discarded {
                why: "a transaction's event came without an input".into(),
            }),
        }
    }

    /// Returns the Contact URI under which the other side reaches us.
    pub fn contact(&self) -> &Uri<'static> {
        self.registrar.contact()
    }

    /// Returns the dialog of an established call, or of one that we are asked to take.
    pub fn dialog(&self, usage: UsageId) -> Option<&Dialog> {
        match self.calls.get(usage)? {
            Usage::Calling(calling) => calling.early.first().map(|early| &early.dialog),
            Usage::Called(called) => Some(&called.dialog),
            Usage::Established(established) => Some(&established.dialog),
            Usage::Lingering(lingering) => Some(&lingering.dialog),
        }
    }

    /// Says whether the other side of an established call takes UPDATE, by its Allow header (RFC 3311 §4).
    pub fn takes_update(&self, usage: UsageId) -> bool {
        let established = self.established(usage);
        established.is_ok_and(|established| established.peer_takes_update)
    }

    /// Returns the Call-ID of a call that is alive.
    pub fn call_id(&self, usage: UsageId) -> Option<&str> {
        let headers = match self.calls.get(usage)? {
            Usage::Calling(calling) => calling.request.headers(),
            Usage::Called(called) => called.request.headers(),
            Usage::Established(established) => return Some(&established.dialog.id().call_id),
            Usage::Lingering(lingering) => return Some(&lingering.dialog.id().call_id),
        };
        headers.get(crate::message::HeaderName::CallId)
    }

    /// Says whether no call, request or transaction is alive; a binding may be.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.subscriptions.is_empty()
            && self.notifiers.is_empty()
            && self.exchanges.is_empty()
            && self.unfinished.is_empty()
            && self.layer.is_empty()
    }

    /// The same, but for requests that were answered and are kept for their repeats: whoever sends many would hold us for 32 s.
    pub fn is_at_rest(&self) -> bool {
        self.calls.is_empty()
            && self.subscriptions.is_empty()
            && self.notifiers.is_empty()
            && self.exchanges.is_empty()
            && self.unfinished.is_empty()
            && self.layer.is_at_rest()
    }

    /// Says whether anything waits on this flow or came over it last: an unanswered request, a call, a subscriber.
    pub fn is_used(&self, flow: FlowId) -> bool {
        self.layer.uses(flow) || self.calls.use_flow(flow) || self.notifiers.use_flow(flow)
    }

    /// Returns where the other sides of established calls, and of those that could not be hung up, are reached.
    pub fn next_hops(&self) -> Vec<Uri<'static>> {
        let established = self.calls.established_dialogs();
        let all = established.chain(self.unfinished.stranded_dialogs());
        all.map(Dialog::next_hop).collect()
    }

    /// Says whether a flow is up.
    pub fn is_connected(&self) -> bool {
        self.flows.newest().is_some()
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn discard(&mut self, why: String) {
        self.emit(Event::Discarded { why });
    }

    /// Sends a request in a transaction of its own.
    fn send(
        &mut self,
        flow: FlowId,
        request: Request,
        sent: impl FnOnce(Request) -> Sent,
        now: Instant,
    ) -> ClientKey {
        let key = self.layer.send_request(flow, request.clone(), now);
        self.exchanges.begin(key, sent(request));
        key
    }
}
