//! A user agent: calls, registration and requests, over whatever flow is up (RFC 3261 §8, §9, §13, §14, §15).
//!
//! ```text
//! frame ─handle_message─► Layer ─TxEvent─► Endpoint ─Event─► caller
//! caller ──command──────► Endpoint ─request, answer─► Layer ─Transmit─► flow
//! ```
//!
//! **Give one input or command, with `now`, then drain [`Endpoint::poll_output`] until it returns `Timeout`.**
//! A peer's faults are events; an `Err` is the caller's misuse, and changes nothing.

mod acknowledging;
mod admission;
mod called;
mod calling;
mod calls;
mod command;
mod compose;
mod config;
mod early;
mod event;
mod exchanges;
mod flows;
mod hanging_up;
mod keep_alive;
mod lingering;
mod notifying;
mod outside;
mod receiving;
mod redirecting;
mod registering;
mod registrar;
mod reliable;
mod replacing;
mod resuming;
mod session_name;
mod session_timer;
mod signer;
mod subscribing;
mod unfinished;
mod usage;
mod vetting;
mod within;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::auth::Credentials;
use crate::dialog::{Dialog, Origin, to_tag};
use crate::message::{Message, Request, Response};
use crate::transaction::{
    self, ClientKey, Flow, FlowId, Gone, Layer, LayerConfig, ServerKey, TxEvent,
};
use crate::uri::Uri;
use crate::wheel::Wheel;

pub use admission::Intake;
pub use command::{Body, CommandError, Invite, Reply};
pub use config::{EndpointConfig, KeepAlive, Limits, Probe, Redirects, SessionTimers};
pub use event::{
    EndCause, Event, FailureCause, Obstacle, Output, Registered, RegistrationFailed,
    RequestFailure, RequestId, ServerRequestId, UsageId,
};

pub use notifying::{NotifierEnd, NotifierId};
pub use redirecting::{Alternative, alternatives};
pub use replacing::Replaced;
pub use subscribing::{Subscribe, SubscriptionEnd, SubscriptionId};

use admission::Admission;
use calls::Calls;
use exchanges::Exchanges;
use flows::Flows;
use notifying::Notifier;
use registrar::Registrar;
use signer::Signer;
use subscribing::Subscription;
use unfinished::Unfinished;
use usage::{Received, Sent, Usage};

/// What an endpoint waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Alarm {
    /// REGISTER again.
    Register,
    /// Our INVITE rings for too long.
    Ringing(UsageId),
    /// Our INVITE goes on over another flow, and nothing came of it yet.
    Unheard(UsageId),
    /// The CANCEL of an INVITE whose flow was lost brought nothing.
    Abandoned(ClientKey),
    /// Our 2xx is to be sent again.
    Repeat2xx(UsageId),
    /// Our 2xx had no ACK.
    AckWait(UsageId),
    /// Our provisional answer is to be sent again.
    RepeatProvisional(UsageId),
    /// Our reliable provisional answer is to be sent again.
    RepeatReliable(UsageId),
    /// Our reliable provisional answer had no PRACK.
    PrackWait(UsageId),
    /// A call is to be refreshed by us.
    SessionRefresh(UsageId),
    /// A call was not refreshed in time.
    SessionExpiry(UsageId),
    /// The wait after a 491 is over.
    OfferDue(UsageId),
    /// No further 2xx to our INVITE can come.
    Forks(ClientKey),
    /// BYEs without a flow are not worth sending any more.
    Stranded,
    /// A subscription is to be refreshed.
    Resubscribe(SubscriptionId),
    /// A subscription had no notification (Timer N).
    Notified(SubscriptionId),
    /// A subscriber has not renewed its subscription.
    Lapse(NotifierId),
    /// A subscriber that asked for patience is told what it is owed.
    NotifyAgain(NotifierId),
    /// A flow is to be probed.
    Probe(FlowId),
    /// A flow's probe had no answer.
    Pong(FlowId),
}

impl Alarm {
    fn why(self) -> &'static str {
        match self {
            Alarm::Register => "register again",
            Alarm::Ringing(_) => "give up ringing",
            Alarm::Unheard(_) => "give up a call that lost its flow",
            Alarm::Abandoned(_) => "hang up who answered a call that was given up",
            Alarm::Repeat2xx(_) => "repeat a 2xx",
            Alarm::AckWait(_) => "give up waiting for an ACK",
            Alarm::RepeatProvisional(_) => "repeat a provisional answer",
            Alarm::RepeatReliable(_) => "repeat a reliable provisional answer",
            Alarm::PrackWait(_) => "give up waiting for a PRACK",
            Alarm::SessionRefresh(_) => "refresh a session",
            Alarm::SessionExpiry(_) => "end a session that nobody refreshes",
            Alarm::OfferDue(_) => "offer again after a 491",
            Alarm::Forks(_) => "forget an INVITE's forks",
            Alarm::Stranded => "forget a BYE without a flow",
            Alarm::Resubscribe(_) => "refresh a subscription",
            Alarm::Notified(_) => "give up waiting for a NOTIFY",
            Alarm::Lapse(_) => "end a subscription that nobody renews",
            Alarm::NotifyAgain(_) => "notify a subscriber again",
            Alarm::Probe(_) => "probe a flow",
            Alarm::Pong(_) => "give up a silent flow",
        }
    }
}

/// A user agent.
#[derive(Debug)]
pub struct Endpoint {
    config: EndpointConfig,
    rng: StdRng,
    layer: Layer,
    signer: Signer,
    flows: Flows,
    registrar: Registrar,
    calls: Calls,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    notifiers: BTreeMap<NotifierId, Notifier>,
    exchanges: Exchanges,
    unfinished: Unfinished,
    admission: Admission,
    alarms: Wheel<Alarm>,
    outputs: VecDeque<Output>,
    next_id: u64,
}

impl Endpoint {
    /// Makes a user agent without a flow; `seed` decides every tag, branch, Call-ID and draw.
    pub fn new(mut config: EndpointConfig, seed: [u8; 32]) -> Self {
        let timer = config.session_timers.map(|_| session_timer::TAG);
        config.supported.extend(timer.map(str::to_owned));
        let mut rng = StdRng::from_seed(seed);
        // RFC 7118 §5.2.1: a name that nobody can resolve, and nobody else has.
        let host = format!("{:012x}.invalid", rng.next_u64() >> 16);
        let credentials = config.credentials.clone();
        let signer = Signer::new(
            credentials,
            config.aor.host_text(),
            compose::domains(&config),
        );
        let registrar = Registrar::new(&config, &host, &mut rng);
        let mut layer_seed = [0; 32];
        rng.fill_bytes(&mut layer_seed);
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
            rng,
            layer,
            flows: Flows::default(),
            calls: Calls::default(),
            subscriptions: BTreeMap::new(),
            notifiers: BTreeMap::new(),
            exchanges: Exchanges::default(),
            unfinished: Unfinished::default(),
            admission: Admission::default(),
            alarms: Wheel::new(),
            outputs: VecDeque::new(),
            next_id: 0,
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
        match Message::parse(frame, self.config.leniency) {
            Ok(parsed) => self.receive(flow, parsed.message, now),
            Err(error) => self.refuse_unreadable(flow, error),
        }
    }

    /// Takes a flow into use; new requests go over the one that came up last.
    ///
    /// A wished registration is renewed over it, and what may have been lost with the last one is sent: ACKs, BYEs.
    pub fn handle_flow_up(&mut self, id: FlowId, flow: Flow, now: Instant) {
        self.layer.handle_flow_up(id, flow);
        self.flows.open(id, flow);
        self.schedule_probe(id, now);
        self.register_anew(now);
        self.repeat_lost_acks(id);
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

    /// Notes that the machine slept for `slept`, which `now` does not contain: flows are probed and registration is renewed earlier.
    pub fn handle_sleep(&mut self, slept: Duration, now: Instant) {
        if let Some(due) = self.registrar.slept(slept, now) {
            self.alarms.start(Alarm::Register, due);
        }
        for flow in self.flows.all() {
            self.alarms.start(Alarm::Probe(flow), now);
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
            (Some((at, why)), transaction::Output::Timeout(Some(other), _)) if at <= other => {
                Output::Timeout(Some(at), why)
            }
            (_, transaction::Output::Timeout(Some(at), why)) => Output::Timeout(Some(at), why),
            (Some((at, why)), transaction::Output::Timeout(None, _)) => {
                Output::Timeout(Some(at), why)
            }
            (None, transaction::Output::Timeout(None, why)) => Output::Timeout(None, why),
            // Every input ends by taking all that the layer has.
            (_, transaction::Output::Transmit { flow, bytes }) => Output::Transmit { flow, bytes },
            (_, transaction::Output::Event(_)) => Output::Event(Event::Discarded {
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

    /// Says whether a flow is up.
    pub fn is_connected(&self) -> bool {
        self.flows.newest().is_some()
    }

    fn receive(&mut self, flow: FlowId, message: Message, now: Instant) {
        match &message {
            Message::Response(response) => {
                if let Err(why) = vetting::vet_response(response) {
                    return self.discard(why.into());
                }
            }
            Message::Request(request) => {
                if let Err(refusal) = self.admit(request, now) {
                    self.refuse_stateless(flow, request, &refusal);
                    return self.settle(now);
                }
            }
        }
        self.layer.handle_message(flow, message, now);
        self.settle(now);
    }

    /// Takes all that the layer has to say.
    fn settle(&mut self, now: Instant) {
        loop {
            match self.layer.poll_output() {
                transaction::Output::Transmit { flow, bytes } => {
                    self.outputs.push_back(Output::Transmit { flow, bytes });
                }
                transaction::Output::Event(event) => self.take(event, now),
                transaction::Output::Timeout(..) => return,
            }
        }
    }

    fn take(&mut self, event: TxEvent, now: Instant) {
        match event {
            TxEvent::Request { key, flow, request } => {
                self.receive_request(key, flow, request, now)
            }
            TxEvent::Cancel { key, request } => self.receive_cancel(key, request, now),
            TxEvent::Ack { flow, request } => self.receive_ack(flow, request, now),
            TxEvent::Response { key, response } => self.receive_response(key, response, now),
            TxEvent::Timeout { key } => self.receive_failure(key, RequestFailure::Timeout, now),
            TxEvent::TransportError { key } => {
                self.receive_failure(key, RequestFailure::Transport, now);
            }
            TxEvent::ServerGone { key, why } => self.receive_server_gone(key, why, now),
            TxEvent::Discarded { why } => self.discard(why.into()),
        }
    }

    fn receive_response(&mut self, key: ClientKey, response: Response, now: Instant) {
        if self.intake() == Intake::Closed && response.status().is_provisional() {
            // A reliable one comes again.
            return self.discard("a provisional answer that nobody can take now".into());
        }
        self.learn_from(key, &response);
        match self.exchanges.sent(key) {
            Some(Sent::Invite(_)) => self.receive_invite_response(key, response, now),
            // Only who calls waits for more than the final answer.
            Some(_) if response.status().is_provisional() => {}
            Some(Sent::Within(_)) => self.receive_within_response(key, response, now),
            Some(Sent::Prack { .. }) => self.receive_prack_response(key, &response, now),
            Some(Sent::Outside { .. }) => self.receive_outside_response(key, response, now),
            Some(Sent::Subscribe { .. }) => self.receive_subscribe_response(key, response, now),
            Some(Sent::Notify { .. }) => self.receive_notify_response(key, response, now),
            Some(Sent::Register { .. }) => self.receive_register_response(key, response, now),
            Some(Sent::Hangup { .. }) => self.receive_hangup_response(key, response, now),
            None => {}
        }
    }

    /// What was let through proves its credentials, and may bring the next nonce.
    fn learn_from(&mut self, key: ClientKey, response: &Response) {
        let Some(sent) = self.exchanges.sent(key) else {
            return;
        };
        let origin = self.origin_of(sent);
        self.signer
            .accepted(response, sent.request(), origin.as_ref());
    }

    /// Where the dialog began that a request was sent in; that of one which nobody remembers could be anybody's.
    fn origin_of(&self, sent: &Sent) -> Option<Origin> {
        let of_usage = |usage: &UsageId| match self.calls.get(*usage) {
            Some(Usage::Established(established)) => established.dialog.origin().clone(),
            Some(Usage::Lingering(lingering)) => lingering.dialog.origin().clone(),
            Some(Usage::Calling(calling)) => Origin::of(&calling.request),
            Some(Usage::Called(_)) | None => Origin::Theirs,
        };
        match sent {
            Sent::Invite(_) | Sent::Outside { .. } | Sent::Register { .. } => None,
            Sent::Within(within) => Some(of_usage(&within.usage)),
            Sent::Prack { usage, .. } => Some(of_usage(usage)),
            Sent::Subscribe { id, request, .. } => {
                // The first may be answered after its NOTIFY.
                to_tag(request.headers())?;
                let subscription = self.subscriptions.get(id);
                let dialog = subscription.and_then(|subscription| subscription.dialog.as_ref());
                Some(dialog.map_or(Origin::Theirs, |dialog| dialog.origin().clone()))
            }
            Sent::Notify { .. } => Some(Origin::Theirs),
            Sent::Hangup { dialog, .. } => Some(dialog.origin().clone()),
        }
    }

    fn receive_failure(&mut self, key: ClientKey, failure: RequestFailure, now: Instant) {
        match self.exchanges.take_sent(key) {
            Some(Sent::Invite(sent)) => self.invite_failed(sent.usage, key, failure),
            Some(Sent::Within(sent)) => self.within_failed(sent, failure, now),
            Some(Sent::Outside { id, .. }) => {
                self.emit(Event::RequestFailed { id, cause: failure });
            }
            Some(Sent::Subscribe { id, .. }) => self.subscribe_failed(id, failure),
            Some(Sent::Notify { id, .. }) => self.notify_failed(id, failure, now),
            Some(Sent::Register { .. }) => self.register_unanswered(now),
            Some(Sent::Hangup {
                dialog, request, ..
            }) if failure == RequestFailure::Transport => self.strand(*dialog, request, now),
            Some(Sent::Hangup { .. } | Sent::Prack { .. }) | None => {}
        }
    }

    fn receive_server_gone(&mut self, key: ServerKey, why: Gone, _now: Instant) {
        match self.exchanges.take_received(key) {
            Some(Received::Invite(usage)) => match why {
                Gone::FlowDown => self.incoming_is_over(usage, None),
                // Its refusal went out; nobody waits for the ACK.
                Gone::NoAck | Gone::TooLate => {}
            },
            Some(Received::Asked(id)) => self.asked_is_gone(id),
            None => {}
        }
    }

    fn ring(&mut self, alarm: Alarm, now: Instant) {
        match alarm {
            Alarm::Register => self.register_anew(now),
            Alarm::Ringing(usage) => self.rang_too_long(usage, now),
            Alarm::Unheard(usage) => self.unheard(usage, now),
            Alarm::Abandoned(client) => self.hang_up_abandoned(client, now),
            Alarm::Repeat2xx(usage) => self.repeat_2xx(usage, now),
            Alarm::AckWait(usage) => self.no_ack(usage, now),
            Alarm::RepeatProvisional(usage) => self.repeat_provisional(usage, now),
            Alarm::RepeatReliable(usage) => self.repeat_reliable(usage, now),
            Alarm::PrackWait(usage) => self.no_prack(usage, now),
            Alarm::SessionRefresh(usage) => self.refresh_session(usage, now),
            Alarm::SessionExpiry(usage) => self.session_expired(usage, now),
            Alarm::OfferDue(usage) => self.offer_is_due(usage),
            Alarm::Forks(client) => self.forget_forks(client),
            Alarm::Stranded => self.unfinished.drop_stranded(now),
            Alarm::Resubscribe(id) => self.refresh_due(id, now),
            Alarm::Notified(id) => self.not_notified(id),
            Alarm::Lapse(id) => self.subscriber_lapsed(id, now),
            Alarm::NotifyAgain(id) => self.notify_owed(id, now),
            Alarm::Probe(flow) => self.probe(flow, now),
            Alarm::Pong(flow) => self.flow_is_dead(flow, now),
        }
    }

    fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    fn discard(&mut self, why: String) {
        self.emit(Event::Discarded { why });
    }

    fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
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
