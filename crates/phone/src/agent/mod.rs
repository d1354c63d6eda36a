//! The SIP endpoint and the one flow it uses; drained after every input, as its contract wants.

mod context;
mod identity;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::dialog::SessionUuids;
use sip::endpoint::{
    self, Body, CommandError, Endpoint, Intake, Invite, NotifierId, Replaced, Reply, RequestId,
    ServerRequestId, Subscribe, SubscriptionId, UsageId,
};
use sip::header::{Reason, Replaces};
use sip::message::Method;
use sip::transaction::{Flow, FlowId, Transport};
use sip::uri::Uri;

pub(crate) use context::{Context, NotSent};

use crate::config::{Config, Credentials};
use crate::door::event::Event;
use crate::door::level::Level;
use crate::door::output::{Output, SipText};

/// The SIP endpoint with its flow.
#[derive(Debug)]
pub(crate) struct Agent {
    endpoint: Endpoint,
    flow: Option<FlowId>,
    flows: u64,
    usable: bool,
    traced: bool,
    events: VecDeque<endpoint::Event>,
    deadline: Option<Instant>,
    /// Whose request an answer belongs to.
    requests: BTreeMap<RequestId, UsageId>,
}

impl Agent {
    pub(crate) fn new(config: &Config, instance_id: &str, seed: [u8; 32]) -> Self {
        Self {
            endpoint: Endpoint::new(identity::endpoint_config(config, instance_id), seed),
            flow: None,
            flows: 0,
            usable: false,
            traced: config.log_level <= Level::Trace,
            events: VecDeque::new(),
            deadline: None,
            requests: BTreeMap::new(),
        }
    }

    /// Takes note of what the phone can take of what others send.
    pub(crate) fn set_intake(&mut self, intake: Intake) {
        self.endpoint.set_intake(intake);
    }

    /// Whether the application has more unread than it may be told of.
    pub(crate) fn is_overloaded(&self) -> bool {
        self.endpoint.intake() == Intake::Closed
    }

    pub(crate) fn set_log_level(&mut self, level: Level) {
        self.traced = level <= Level::Trace;
    }

    /// The next thing that happened.
    pub(crate) fn next_event(&mut self) -> Option<endpoint::Event> {
        self.events.pop_front()
    }

    /// When the endpoint wants to be woken.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether requests inside dialogs make sense: there is a flow, and the registrar knows it.
    pub(crate) fn is_usable(&self) -> bool {
        self.usable && self.flow.is_some()
    }

    /// The registrar knows the flow, or does not have to.
    pub(crate) fn set_usable(&mut self) {
        self.usable = true;
    }

    pub(crate) fn is_up(&self) -> bool {
        self.flow.is_some()
    }

    pub(crate) fn flow_up(&mut self, secure: bool, now: Instant, out: &mut VecDeque<Output>) {
        self.flows += 1;
        let id = FlowId(self.flows);
        let transport = match secure {
            true => Transport::Wss,
            false => Transport::Ws,
        };
        self.flow = Some(id);
        self.usable = false;
        self.endpoint.handle_flow_up(id, Flow::new(transport), now);
        self.drain(out);
    }

    pub(crate) fn flow_down(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        if let Some(flow) = self.flow.take() {
            self.usable = false;
            self.endpoint.handle_flow_down(flow, now);
            self.drain(out);
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
            self.endpoint.handle_message(flow, message, now);
            self.drain(out);
        }
    }

    pub(crate) fn handle_pong(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        if let Some(flow) = self.flow {
            self.endpoint.handle_pong(flow, now);
            self.drain(out);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.endpoint.handle_timeout(now);
            self.drain(out);
        }
    }

    pub(crate) fn register(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        self.endpoint.register(now);
        self.drain(out);
    }

    pub(crate) fn unregister(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        self.endpoint.unregister(now);
        self.drain(out);
    }

    pub(crate) fn set_credentials(&mut self, config: &Config, credentials: &Credentials) {
        self.endpoint
            .set_credentials(identity::credentials(config, credentials));
    }

    /// Answers again what is weaker than it was.
    pub(crate) fn forget_algorithms(&mut self) {
        self.endpoint.forget_algorithms();
    }

    pub(crate) fn call_id(&self, usage: UsageId) -> Option<String> {
        self.endpoint.call_id(usage).map(str::to_owned)
    }

    /// What names a call from end to end (RFC 7989).
    pub(crate) fn session(&self, usage: UsageId) -> Option<SessionUuids> {
        self.endpoint.session(usage)
    }

    /// Lets an unanswered call of somebody's belong to a session that has a name already.
    pub(crate) fn keep_session(&mut self, usage: UsageId, local: u128) {
        self.endpoint.keep_session(usage, local);
    }

    /// Whether this call's dialog, or the INVITE that is to make it, is alive.
    pub(crate) fn is_alive(&self, usage: UsageId) -> bool {
        self.endpoint.call_id(usage).is_some()
    }

    /// Whether the peer of this call takes UPDATE.
    pub(crate) fn takes_update(&self, usage: UsageId) -> bool {
        self.endpoint.takes_update(usage)
    }

    /// Whose request this answer belongs to; asked once.
    pub(crate) fn take_requester(&mut self, id: RequestId) -> Option<UsageId> {
        self.requests.remove(&id)
    }

    /// What a Replaces means.
    pub(crate) fn replaced(&self, replaces: &Replaces<'_>) -> Replaced {
        self.endpoint.replaced(replaces)
    }

    /// The Replaces that means this call, and where its other party is reached.
    pub(crate) fn replaces(&self, usage: UsageId) -> Option<(Replaces<'static>, Uri<'static>)> {
        let dialog = self.endpoint.dialog(usage)?;
        let id = dialog.id();
        // Local and remote from the view of the one that is asked to replace it.
        let replaces = Replaces::new(id.call_id.clone(), &id.remote_tag, &id.local_tag);
        Some((replaces, dialog.target().clone()))
    }

    /// Keeps the dialog of a call for notifications, beyond its end.
    pub(crate) fn retain(&mut self, usage: UsageId) {
        self.endpoint.retain(usage);
    }

    pub(crate) fn release(&mut self, usage: UsageId, out: &mut VecDeque<Output>) {
        self.endpoint.release(usage);
        self.drain(out);
    }

    pub(crate) fn invite(
        &mut self,
        invite: Invite,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Result<UsageId, CommandError> {
        let result = self.endpoint.invite(invite, now);
        self.drain(out);
        result
    }

    pub(crate) fn cancel(
        &mut self,
        usage: UsageId,
        reason: Option<Reason<'_>>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        // Where nothing can be cancelled any more, the end of the call is told by itself.
        let _ = self.endpoint.cancel(usage, reason, now);
        self.drain(out);
    }

    /// Goes on with an unanswered call whose flow was lost, over the one that is up.
    pub(crate) fn resume(&mut self, usage: UsageId, now: Instant, out: &mut VecDeque<Output>) {
        self.endpoint.resume(usage, now);
        self.drain(out);
    }

    /// Ends an answered call whose other side does not answer.
    pub(crate) fn give_up(&mut self, usage: UsageId, now: Instant, out: &mut VecDeque<Output>) {
        self.endpoint.give_up(usage, now);
        self.drain(out);
    }

    /// Answers an INVITE; false where it can't be answered (any more) or not like this.
    pub(crate) fn respond(
        &mut self,
        usage: UsageId,
        reply: &Reply,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Result<(), CommandError> {
        let result = self.endpoint.respond(usage, reply, now);
        self.drain(out);
        result
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "a request, and what every input brings"
    )]
    pub(crate) fn request(
        &mut self,
        usage: UsageId,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Result<RequestId, CommandError> {
        let result = self.endpoint.request(usage, method, headers, body, now);
        if let Ok(id) = result {
            self.requests.insert(id, usage);
        }
        self.drain(out);
        result
    }

    pub(crate) fn subscribe(
        &mut self,
        wish: Subscribe,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Result<SubscriptionId, CommandError> {
        let result = self.endpoint.subscribe(wish, now);
        self.drain(out);
        result
    }

    pub(crate) fn refresh_subscription(
        &mut self,
        id: SubscriptionId,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        self.endpoint.refresh_subscription(id, now);
        self.drain(out);
    }

    pub(crate) fn unsubscribe(
        &mut self,
        id: SubscriptionId,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        self.endpoint.unsubscribe(id, now);
        self.drain(out);
    }

    pub(crate) fn accept_subscription(
        &mut self,
        request: ServerRequestId,
        most: Duration,
        state: Option<Body>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Result<NotifierId, CommandError> {
        let result = self.endpoint.accept_subscription(request, most, state, now);
        self.drain(out);
        result
    }

    pub(crate) fn notify(
        &mut self,
        id: NotifierId,
        state: Body,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Result<(), CommandError> {
        let result = self.endpoint.notify(id, Some(state), now);
        self.drain(out);
        result
    }

    pub(crate) fn conclude(
        &mut self,
        id: NotifierId,
        reason: &str,
        state: Body,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        // Where the subscriber is gone, nobody wants to know.
        let _ = self.endpoint.conclude(id, reason, state, now);
        self.drain(out);
    }

    pub(crate) fn terminate(
        &mut self,
        id: NotifierId,
        reason: &str,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        self.endpoint.terminate(id, reason, now);
        self.drain(out);
    }

    pub(crate) fn request_outside(
        &mut self,
        target: &Uri<'_>,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) -> Result<RequestId, CommandError> {
        let result = self
            .endpoint
            .request_outside(target, method, headers, body, now);
        self.drain(out);
        result
    }

    pub(crate) fn answer(
        &mut self,
        id: ServerRequestId,
        reply: &Reply,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        // Where nobody waits for it any more, `RequestGone` has said so.
        let _ = self.endpoint.answer(id, reply, now);
        self.drain(out);
    }

    fn drain(&mut self, out: &mut VecDeque<Output>) {
        loop {
            match self.endpoint.poll_output() {
                endpoint::Output::Transmit { flow, bytes } if Some(flow) == self.flow => {
                    self.trace("SIP message sent", &bytes, out);
                    out.push_back(Output::Send(SipText(bytes)));
                }
                endpoint::Output::KeepAlive { flow } if Some(flow) == self.flow => {
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

    fn trace(&self, message: &str, frame: &[u8], out: &mut VecDeque<Output>) {
        if self.traced {
            out.push_back(Output::Event(Event::Trace {
                level: Level::Trace,
                message: message.into(),
                details: serde_json::json!({ "sip": sip::redact(frame) }),
            }));
        }
    }
}
