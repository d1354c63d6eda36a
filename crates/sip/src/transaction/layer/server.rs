//! The server side: requests that we received.

use std::time::Instant;

use bytes::Bytes;
use rand::RngExt;

use crate::dialog::to_tag;
use crate::message::{HeaderName, Method, Request, Response, StatusCode};
use crate::put::Put;

use super::ids::{self, MergeId, ServerId};
use super::{Gone, Layer, LayerOutput, Owner, ServerKey, TxEvent};
use crate::transaction::flow::FlowId;
use crate::transaction::table::{Action, Class};
use crate::transaction::timer::Timer;
use crate::transaction::{server_invite, server_non_invite};

/// One request that we received.
#[derive(Debug)]
pub(super) struct Server {
    flow: FlowId,
    /// Until it is refused: a refusal alone is repeated.
    request: Option<Request>,
    state: ServerState,
    repeats: u32,
    id: ServerId,
    merge: Option<MergeId>,
    merged: bool,
    tag: String,
    /// What a repeat of the request is given again.
    answer: Option<Bytes>,
    /// The status of the refusal.
    status: Option<StatusCode>,
}

impl Server {
    /// Whether a repeat is all that it waits for.
    fn is_answered(&self) -> bool {
        use server_invite::InviteServerState;
        use server_non_invite::NonInviteServerState;
        match self.state {
            ServerState::Invite(InviteServerState::Proceeding)
            | ServerState::Other(NonInviteServerState::Trying | NonInviteServerState::Proceeding) => {
                false
            }
            ServerState::Invite(
                InviteServerState::Completed
                | InviteServerState::Confirmed
                | InviteServerState::Accepted
                | InviteServerState::Terminated,
            )
            | ServerState::Other(
                NonInviteServerState::Completed | NonInviteServerState::Terminated,
            ) => true,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum ServerState {
    Invite(server_invite::InviteServerState),
    Other(server_non_invite::NonInviteServerState),
}

#[derive(Debug, Clone, Copy)]
enum ServerInput {
    Repeated,
    Ack,
    Answer(Class),
    Fired(Timer),
    FlowDown,
}

impl Layer {
    /// Sends an answer, whose Vias must be the request's, and says whether the transaction took it.
    ///
    /// A 2xx to an INVITE may be sent again and again; its repeats are the transaction user's (RFC 3261 §13.3.1.4).
    pub fn respond(&mut self, key: ServerKey, response: &Response, now: Instant) -> bool {
        self.now = Some(now);
        let class = Class::of(response.status().code());
        let bytes = response.to_bytes();
        let taken = self.server_step(
            key,
            ServerInput::Answer(class),
            Some(StepCause::Answer(bytes)),
            now,
        );
        if taken && class != Class::Provisional {
            self.file_away(key, response.status());
        }
        taken
    }

    /// An answered request is only kept for its repeats, and not for as long as peers like.
    fn file_away(&mut self, key: ServerKey, status: StatusCode) {
        let Some(server) = self.servers.get_mut(&key) else {
            return;
        };
        let kept = match server.is_accepted() {
            true => &mut self.accepted,
            false => {
                server.request = None;
                server.status = Some(status);
                &mut self.answered
            }
        };
        kept.insert(key);
        if kept.len() > self.config.max_answered
            && let Some(oldest) = kept.pop_first()
        {
            self.forget_server(oldest);
        }
    }

    /// Refuses a request without a transaction, which [`is_new`](Self::is_new) said needs one: its repeats are given the same
    /// status, its ACK is absorbed. `Retry-After` is drawn for a 503 without one.
    pub fn refuse(&mut self, flow: FlowId, request: &Request, mut response: Response) {
        let Ok(id) = ServerId::of(request) else {
            return;
        };
        ids::set_to_tag(&mut response, &self.refusals.tag(&id));
        if response.status() == StatusCode::SERVICE_UNAVAILABLE
            && !response.headers().contains(HeaderName::RetryAfter)
        {
            // RFC 3261 §21.5.4; drawn, so that not everybody comes back at once.
            let wait: u32 = self.rng.random_range(5..=15);
            let headers = response.headers_mut();
            headers.put(HeaderName::RetryAfter, &wait.to_string());
        }
        if self.refusals.status_of(&id).is_none() {
            self.refusals.remember(&id, response.status());
        }
        self.transmit(flow, response.to_bytes());
    }

    /// Says whether a request would begin a transaction: it is no ACK, no CANCEL and no repeat.
    pub fn is_new(&self, request: &Request) -> bool {
        let begins = !matches!(request.method(), Method::Ack | Method::Cancel);
        begins
            && ServerId::of(request).is_ok_and(|id| {
                !self.server_ids.contains_key(&id) && self.refusals.status_of(&id).is_none()
            })
    }

    /// Returns the request of a server transaction that was not refused.
    pub fn received_request(&self, key: ServerKey) -> Option<&Request> {
        self.servers.get(&key)?.request.as_ref()
    }

    /// Returns the To tag that our answers in this transaction take, and that its CANCEL is answered with.
    pub fn local_tag(&self, key: ServerKey) -> Option<&str> {
        self.servers.get(&key).map(|server| server.tag.as_str())
    }

    /// Says whether the request is a live transaction's, come by another way (RFC 3261 §8.2.2.2).
    pub fn is_merged(&self, key: ServerKey) -> bool {
        self.servers.get(&key).is_some_and(|server| server.merged)
    }

    pub(super) fn servers_owe(&self, flow: FlowId) -> bool {
        let mut servers = self.servers.values();
        servers.any(|server| server.flow == flow && !server.is_answered())
    }

    pub(super) fn owes_answers(&self) -> bool {
        self.servers.values().any(|server| !server.is_answered())
    }

    /// Returns the flow that a server transaction's answers take.
    pub fn server_flow(&self, key: ServerKey) -> Option<FlowId> {
        self.servers.get(&key).map(|server| server.flow)
    }

    pub(super) fn receive_request(&mut self, flow: FlowId, mut request: Request, now: Instant) {
        let id = match ServerId::of(&request) {
            Ok(id) => id,
            Err(why) => return self.discard(why),
        };
        if let Some(peer) = self.flows.get(&flow).and_then(|flow| flow.peer) {
            ids::complete_via(&mut request, peer);
        }
        let known = self.server_ids.get(&id).copied();
        match (request.method(), known) {
            (Method::Ack, Some(key)) => self.receive_ack(key, flow, request, now),
            // Of a refusal without a transaction: there is nothing to end.
            (Method::Ack, None) if to_tag(request.headers()) == Some(self.refusals.tag(&id)) => {}
            (Method::Ack, None) => self.emit(TxEvent::Ack { flow, request }),
            (_, Some(key)) => {
                self.server_step(key, ServerInput::Repeated, None, now);
            }
            // Answered at once, so it holds nothing.
            (Method::Cancel, None) => self.receive_cancel(flow, request, id, now),
            (_, None) => match self.refusal(&id, &request) {
                Some(status) => {
                    let response = Response::to_request(&request, status);
                    self.refuse(flow, &request, response);
                }
                None => self.start_server(flow, request, id, now),
            },
        }
    }

    /// The status with which a new request is refused without a transaction: the one it was given before, or 503.
    fn refusal(&mut self, id: &ServerId, request: &Request) -> Option<StatusCode> {
        let before = self.refusals.status_of(id);
        if before.is_some() {
            return before;
        }
        // What belongs to a dialog comes last to its limit.
        let dialogs = usize::from(to_tag(request.headers()).is_some());
        if self.open() < self.config.max_open * (1 + dialogs) {
            return None;
        }
        self.discard("as many requests wait for an answer as the limit allows");
        Some(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// How many requests of others have no final answer.
    fn open(&self) -> usize {
        self.servers.len() - self.answered.len() - self.accepted.len()
    }

    fn receive_ack(&mut self, key: ServerKey, flow: FlowId, request: Request, now: Instant) {
        self.server_step(
            key,
            ServerInput::Ack,
            Some(StepCause::Ack(flow, request)),
            now,
        );
    }

    /// RFC 3261 §9.2.
    fn receive_cancel(&mut self, flow: FlowId, request: Request, id: ServerId, now: Instant) {
        let invite = self.server_ids.get(&id.of_invite()).copied();
        let invite_tag = invite
            .and_then(|key| self.local_tag(key))
            .map(str::to_owned);
        let cancel = self.insert_server(flow, request.clone(), id, server_non_invite_start());
        let (status, tag) = match invite_tag {
            Some(tag) => (StatusCode::OK, Some(tag)),
            None => (
                StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
                self.local_tag(cancel).map(str::to_owned),
            ),
        };
        let mut response = Response::to_request(&request, status);
        if let Some(tag) = tag {
            ids::set_to_tag(&mut response, &tag);
        }
        self.respond(cancel, &response, now);
        if let Some(key) = invite
            && self
                .servers
                .get(&key)
                .is_some_and(|server| server.is_waiting())
        {
            self.emit(TxEvent::Cancel { key, request });
        }
    }

    fn start_server(&mut self, flow: FlowId, request: Request, id: ServerId, now: Instant) {
        let (state, actions) = if request.method() == &Method::Invite {
            let (state, actions) = server_invite::START;
            (ServerState::Invite(state), actions)
        } else {
            (server_non_invite_start(), server_non_invite::START.1)
        };
        let key = self.insert_server(flow, request.clone(), id, state);
        self.server_actions(key, actions, Some(StepCause::Request(request)), now);
    }

    fn insert_server(
        &mut self,
        flow: FlowId,
        request: Request,
        id: ServerId,
        state: ServerState,
    ) -> ServerKey {
        let key = ServerKey(self.next_key());
        let tag = self.new_tag();
        let merge = MergeId::of(&request);
        let merged = merge
            .as_ref()
            .is_some_and(|merge| self.merge_ids.contains_key(merge));
        if let Some(merge) = merge.clone().filter(|_| !merged) {
            self.merge_ids.insert(merge, key);
        }
        self.server_ids.insert(id.clone(), key);
        self.servers.insert(
            key,
            Server {
                flow,
                request: Some(request),
                state,
                repeats: 0,
                id,
                merge: merge.filter(|_| !merged),
                merged,
                tag,
                answer: None,
                status: None,
            },
        );
        key
    }

    pub(super) fn server_fired(&mut self, key: ServerKey, timer: Timer, now: Instant) {
        self.server_step(key, ServerInput::Fired(timer), None, now);
    }

    pub(super) fn servers_flow_down(&mut self, flow: FlowId, now: Instant) {
        let keys: Vec<ServerKey> = self
            .servers
            .iter()
            .filter(|(_, server)| server.flow == flow)
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            self.server_step(key, ServerInput::FlowDown, None, now);
        }
    }

    /// Says whether the step asked for anything to be done.
    fn server_step(
        &mut self,
        key: ServerKey,
        input: ServerInput,
        message: Option<StepCause>,
        now: Instant,
    ) -> bool {
        let Some(server) = self.servers.get_mut(&key) else {
            return false;
        };
        let (state, actions) = server.state.step(input);
        server.state = state;
        self.server_actions(key, actions, message, now);
        !actions.is_empty()
    }

    fn server_actions(
        &mut self,
        key: ServerKey,
        actions: &'static [Action],
        message: Option<StepCause>,
        now: Instant,
    ) {
        for action in actions {
            match action {
                Action::Send => self.send_answer(key, message.as_ref()),
                Action::Repeat => self.repeat_answer(key),
                Action::SendTrying => self.send_trying(key),
                Action::Deliver => self.deliver_to_server(key, message.clone()),
                Action::Start(timer) => self.start_server_timer(key, *timer, now),
                Action::Stop(timer) => self.timers.stop((Owner::Server(key), *timer)),
                Action::TimedOut => self.server_timed_out(key),
                Action::Unreachable => self.emit(TxEvent::ServerGone {
                    key,
                    why: Gone::FlowDown,
                }),
                // Only clients are asked for it.
                Action::Acknowledge => {}
            }
        }
        self.drop_server_if_over(key);
    }

    fn send_answer(&mut self, key: ServerKey, message: Option<&StepCause>) {
        if let (Some(server), Some(StepCause::Answer(bytes))) =
            (self.servers.get_mut(&key), message)
        {
            server.answer = Some(bytes.clone());
        }
        self.repeat_answer(key);
    }

    fn repeat_answer(&mut self, key: ServerKey) {
        let Some(server) = self.servers.get(&key) else {
            return;
        };
        if let Some(bytes) = server.answer.clone()
            && self.flows.contains_key(&server.flow)
        {
            self.outputs.push_back(LayerOutput::Transmit {
                flow: server.flow,
                bytes,
            });
        }
    }

    fn send_trying(&mut self, key: ServerKey) {
        if let Some(server) = self.servers.get_mut(&key)
            && let Some(request) = &server.request
        {
            let trying = Response::to_request(request, StatusCode::TRYING);
            server.answer = Some(trying.to_bytes());
        }
        self.repeat_answer(key);
    }

    fn deliver_to_server(&mut self, key: ServerKey, message: Option<StepCause>) {
        match message {
            Some(StepCause::Request(request)) => {
                let Some(flow) = self.server_flow(key) else {
                    return;
                };
                self.emit(TxEvent::Request { key, flow, request });
            }
            Some(StepCause::Ack(flow, request)) => self.emit(TxEvent::Ack { flow, request }),
            Some(StepCause::Answer(_)) | None => {}
        }
    }

    fn start_server_timer(&mut self, key: ServerKey, timer: Timer, now: Instant) {
        let Some(server) = self.servers.get_mut(&key) else {
            return;
        };
        let reliable = self
            .flows
            .get(&server.flow)
            .is_none_or(|flow| flow.reliable);
        let length = self.config.timings.length(timer, reliable, server.repeats);
        if timer == Timer::G {
            server.repeats += 1;
        }
        match length {
            Some(length) if length.is_zero() => {
                self.server_step(key, ServerInput::Fired(timer), None, now);
            }
            Some(length) => self.start_timer(Owner::Server(key), timer, now + length),
            None => {}
        }
    }

    fn server_timed_out(&mut self, key: ServerKey) {
        let Some(server) = self.servers.get(&key) else {
            return;
        };
        let why = match server.state {
            ServerState::Invite(_) => Gone::NoAck,
            ServerState::Other(_) => Gone::TooLate,
        };
        self.emit(TxEvent::ServerGone { key, why });
    }

    fn drop_server_if_over(&mut self, key: ServerKey) {
        let over = self
            .servers
            .get(&key)
            .is_some_and(|server| server.state.is_over());
        if over {
            self.drop_server(key);
        }
    }

    /// Drops what is answered before its time; a repeat of a refused INVITE is refused again all the same.
    fn forget_server(&mut self, key: ServerKey) {
        if let Some(server) = self.drop_server(key)
            && let (ServerState::Invite(_), Some(status)) = (server.state, server.status)
        {
            self.refusals.remember(&server.id, status);
        }
    }

    fn drop_server(&mut self, key: ServerKey) -> Option<Server> {
        let server = self.servers.remove(&key)?;
        self.server_ids.remove(&server.id);
        if let Some(merge) = &server.merge {
            self.merge_ids.remove(merge);
        }
        self.answered.remove(&key);
        self.accepted.remove(&key);
        self.stop_timers(Owner::Server(key));
        Some(server)
    }
}

/// What a step is about.
#[derive(Debug, Clone)]
enum StepCause {
    Request(Request),
    Ack(FlowId, Request),
    Answer(Bytes),
}

impl Server {
    /// Says whether it is an INVITE without a final answer.
    fn is_waiting(&self) -> bool {
        match self.state {
            ServerState::Invite(state) => state == server_invite::InviteServerState::Proceeding,
            ServerState::Other(_) => false,
        }
    }

    /// Says whether it is an INVITE with a 2xx.
    fn is_accepted(&self) -> bool {
        match self.state {
            ServerState::Invite(state) => state == server_invite::InviteServerState::Accepted,
            ServerState::Other(_) => false,
        }
    }
}

fn server_non_invite_start() -> ServerState {
    ServerState::Other(server_non_invite::START.0)
}

impl ServerState {
    fn step(self, input: ServerInput) -> (Self, &'static [Action]) {
        match self {
            ServerState::Invite(state) => {
                let (state, actions) = server_invite::step(state, input.into());
                (ServerState::Invite(state), actions)
            }
            ServerState::Other(state) => match input.for_non_invite() {
                Some(input) => {
                    let (state, actions) = server_non_invite::step(state, input);
                    (ServerState::Other(state), actions)
                }
                None => (self, &[]),
            },
        }
    }

    fn is_over(self) -> bool {
        match self {
            ServerState::Invite(state) => state == server_invite::InviteServerState::Terminated,
            ServerState::Other(state) => {
                state == server_non_invite::NonInviteServerState::Terminated
            }
        }
    }
}

impl ServerInput {
    fn for_non_invite(self) -> Option<server_non_invite::NonInviteServerInput> {
        match self {
            ServerInput::Repeated => Some(server_non_invite::NonInviteServerInput::Repeated),
            ServerInput::Answer(class) => {
                Some(server_non_invite::NonInviteServerInput::Answer(class))
            }
            ServerInput::Fired(timer) => {
                Some(server_non_invite::NonInviteServerInput::Fired(timer))
            }
            ServerInput::FlowDown => Some(server_non_invite::NonInviteServerInput::FlowDown),
            ServerInput::Ack => None,
        }
    }
}

impl From<ServerInput> for server_invite::InviteServerInput {
    fn from(input: ServerInput) -> Self {
        match input {
            ServerInput::Repeated => Self::Repeated,
            ServerInput::Ack => Self::Ack,
            ServerInput::Answer(class) => Self::Answer(class),
            ServerInput::Fired(timer) => Self::Fired(timer),
            ServerInput::FlowDown => Self::FlowDown,
        }
    }
}
