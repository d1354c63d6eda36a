//! The client side: requests that we sent.

use std::time::Instant;

use bytes::Bytes;

use crate::message::{HeaderName, Method, Request, Response};
use crate::put::Put;

use super::ids::{self, ClientId};
use super::{Cancelling, ClientKey, Layer, LayerOutput, Owner, TxEvent};
use crate::header::CSeq;
use crate::transaction::flow::FlowId;
use crate::transaction::table::{Action, Class};
use crate::transaction::timer::Timer;
use crate::transaction::{client_invite, client_non_invite};

/// One request that we sent.
#[derive(Debug)]
pub(super) struct Client {
    flow: FlowId,
    /// With our Via on top.
    request: Request,
    bytes: Bytes,
    state: ClientState,
    repeats: u32,
    id: ClientId,
    /// The ACK of a refusal, for each of its repeats.
    ack: Option<Bytes>,
    cancel: Cancel,
    /// Its flow is gone, and it waits for another.
    stranded: bool,
    /// Whether the transaction user knows it; our own CANCELs it does not.
    reported: bool,
}

#[derive(Debug, Clone, Copy)]
enum ClientState {
    Invite(client_invite::InviteClientState),
    Other(client_non_invite::NonInviteClientState),
}

#[derive(Debug)]
enum Cancel {
    No,
    /// Wanted, with these headers, but nothing came back yet, or there is no flow.
    Held(Vec<(String, String)>),
    Sent(Vec<(String, String)>),
}

#[derive(Debug, Clone, Copy)]
enum ClientInput {
    Response(Class),
    Fired(Timer),
    FlowDown,
}

impl Layer {
    /// Sends a request, other than ACK and CANCEL, under a Via of ours, and waits for its answers.
    ///
    /// Where the flow is not up, `TransportError` is the only thing that follows.
    pub fn send_request(&mut self, flow: FlowId, mut request: Request, now: Instant) -> ClientKey {
        self.now = Some(now);
        let branch = self.new_branch();
        self.push_via(flow, &mut request, &branch);
        self.start_client(flow, request, branch, true, now)
    }

    /// Cancels an INVITE that we sent: at once, or as soon as a provisional answer allows it.
    ///
    /// `headers` are added to the CANCEL (`Reason`). No final answer 64·T1 after the CANCEL ends the INVITE with `Timeout`.
    pub fn cancel(
        &mut self,
        key: ClientKey,
        headers: Vec<(String, String)>,
        now: Instant,
    ) -> Cancelling {
        self.now = Some(now);
        let Some(client) = self.clients.get_mut(&key) else {
            return Cancelling::TooLate;
        };
        match (client.state, &client.cancel) {
            (ClientState::Invite(client_invite::InviteClientState::Proceeding), _)
                if client.stranded =>
            {
                client.cancel = Cancel::Held(headers);
                Cancelling::Held
            }
            (ClientState::Invite(client_invite::InviteClientState::Calling), _) => {
                client.cancel = Cancel::Held(headers);
                Cancelling::Held
            }
            (
                ClientState::Invite(client_invite::InviteClientState::Proceeding),
                Cancel::No | Cancel::Held(_),
            ) => {
                self.send_cancel(key, headers, now);
                Cancelling::Sent
            }
            (
                ClientState::Invite(client_invite::InviteClientState::Proceeding),
                Cancel::Sent(_),
            ) => Cancelling::Sent,
            (
                ClientState::Invite(
                    client_invite::InviteClientState::Completed
                    | client_invite::InviteClientState::Accepted
                    | client_invite::InviteClientState::Terminated,
                )
                | ClientState::Other(_),
                _,
            ) => Cancelling::TooLate,
        }
    }

    /// Keeps an INVITE without a final answer, whose flow is about to go, for [`resume`](Self::resume): no timer runs for
    /// it meanwhile. False if there is none such.
    pub fn strand(&mut self, key: ClientKey) -> bool {
        use client_invite::InviteClientState::{Calling, Proceeding};
        let Some(client) = self.clients.get_mut(&key) else {
            return false;
        };
        client.stranded = matches!(client.state, ClientState::Invite(Calling | Proceeding));
        if client.stranded {
            self.stop_timers(Owner::Client(key));
        }
        self.clients.get(&key).is_some_and(|client| client.stranded)
    }

    /// Goes on with a stranded INVITE over another flow: repeats it there, so that a server that still has it tells
    /// where it stands (RFC 3261 §17.2.1), or sends the CANCEL that was wanted meanwhile, or whose answer was lost.
    pub fn resume(&mut self, key: ClientKey, flow: FlowId, now: Instant) {
        self.now = Some(now);
        let Some(client) = self.clients.get_mut(&key).filter(|client| client.stranded) else {
            return;
        };
        client.stranded = false;
        client.flow = flow;
        match std::mem::replace(&mut client.cancel, Cancel::No) {
            Cancel::No => {
                let calling = matches!(
                    client.state,
                    ClientState::Invite(client_invite::InviteClientState::Calling)
                );
                self.send_client(key);
                if calling {
                    self.start_client_timer(key, Timer::B, now);
                }
            }
            Cancel::Held(headers) | Cancel::Sent(headers) => self.send_cancel(key, headers, now),
        }
    }

    /// Cancels an INVITE that a server may have although it never answered: its answers went with a flow.
    pub fn withdraw(&mut self, key: ClientKey, now: Instant) {
        self.now = Some(now);
        if self.clients.contains_key(&key) {
            self.send_cancel(key, Vec::new(), now);
        }
    }

    /// Forgets a request; nothing follows.
    pub fn forget(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.remove(&key) {
            self.client_ids.remove(&client.id);
            self.stop_timers(Owner::Client(key));
        }
    }

    /// Returns the request of a client transaction, our Via on top.
    pub fn sent_request(&self, key: ClientKey) -> Option<&Request> {
        self.clients.get(&key).map(|client| &client.request)
    }

    /// Makes the CANCEL of an INVITE of ours.
    pub fn cancel_of(&self, key: ClientKey) -> Option<Request> {
        let request = self.sent_request(key)?;
        let is_invite = *request.method() == Method::Invite;
        is_invite.then(|| hop_request(request, Method::Cancel))
    }

    fn start_client(
        &mut self,
        flow: FlowId,
        request: Request,
        branch: String,
        reported: bool,
        now: Instant,
    ) -> ClientKey {
        let key = ClientKey(self.next_key());
        let (state, actions) = if request.method() == &Method::Invite {
            let (state, actions) = client_invite::START;
            (ClientState::Invite(state), actions)
        } else {
            let (state, actions) = client_non_invite::START;
            (ClientState::Other(state), actions)
        };
        let id = ClientId::new(branch, request.method().clone());
        self.client_ids.insert(id.clone(), key);
        self.clients.insert(
            key,
            Client {
                flow,
                bytes: request.to_bytes(),
                request,
                state,
                repeats: 0,
                id,
                ack: None,
                cancel: Cancel::No,
                stranded: false,
                reported,
            },
        );
        if self.flows.contains_key(&flow) {
            self.client_actions(key, actions, None, now);
        } else {
            self.client_step(key, ClientInput::FlowDown, None, now);
        }
        key
    }

    pub(super) fn receive_response(&mut self, response: Response, now: Instant) {
        let id = match ClientId::of(&response) {
            Ok(id) => id,
            Err(why) => return self.discard(why),
        };
        let Some(&key) = self.client_ids.get(&id) else {
            // RFC 6026 §8.1: a stray response is dropped, a 2xx as well.
            return self.discard("an answer to no request of ours");
        };
        let sent = self.clients.get(&key);
        if !sent.is_some_and(|client| ids::is_answer_of(&response, &client.request)) {
            return self.discard("an answer whose top Via is not ours");
        }
        let class = Class::of(response.status().code());
        self.client_step(key, ClientInput::Response(class), Some(response), now);
        if class == Class::Provisional {
            self.release_cancel(key, now);
        }
    }

    pub(super) fn client_fired(&mut self, key: ClientKey, timer: Timer, now: Instant) {
        self.client_step(key, ClientInput::Fired(timer), None, now);
    }

    pub(super) fn clients_use(&self, flow: FlowId) -> bool {
        self.clients.values().any(|client| client.flow == flow)
    }

    pub(super) fn clients_flow_down(&mut self, flow: FlowId, now: Instant) {
        let keys: Vec<ClientKey> = self
            .clients
            .iter()
            .filter(|(_, client)| client.flow == flow && !client.stranded)
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            self.client_step(key, ClientInput::FlowDown, None, now);
        }
    }

    fn client_step(
        &mut self,
        key: ClientKey,
        input: ClientInput,
        response: Option<Response>,
        now: Instant,
    ) {
        let Some(client) = self.clients.get_mut(&key) else {
            return;
        };
        let (state, actions) = client.state.step(input);
        client.state = state;
        self.client_actions(key, actions, response, now);
    }

    fn client_actions(
        &mut self,
        key: ClientKey,
        actions: &'static [Action],
        response: Option<Response>,
        now: Instant,
    ) {
        for action in actions {
            match action {
                Action::Send | Action::Repeat => self.send_client(key),
                Action::Acknowledge => self.acknowledge(key, response.as_ref()),
                Action::Deliver => self.deliver_response(key, response.clone()),
                Action::Start(timer) => self.start_client_timer(key, *timer, now),
                Action::Stop(timer) => self.timers.stop((Owner::Client(key), *timer)),
                Action::TimedOut => self.report(key, TxEvent::Timeout { key }),
                Action::Unreachable => self.report(key, TxEvent::TransportError { key }),
                // Only servers are asked for it.
                Action::SendTrying => {}
            }
        }
        self.drop_client_if_over(key);
    }

    fn send_client(&mut self, key: ClientKey) {
        if let Some(client) = self.clients.get(&key) {
            self.outputs.push_back(LayerOutput::Transmit {
                flow: client.flow,
                bytes: client.bytes.clone(),
            });
        }
    }

    fn deliver_response(&mut self, key: ClientKey, response: Option<Response>) {
        if let Some(response) = response {
            self.report(key, TxEvent::Response { key, response });
        }
    }

    fn report(&mut self, key: ClientKey, event: TxEvent) {
        if self.clients.get(&key).is_some_and(|client| client.reported) {
            self.emit(event);
        }
    }

    fn start_client_timer(&mut self, key: ClientKey, timer: Timer, now: Instant) {
        let Some(client) = self.clients.get_mut(&key) else {
            return;
        };
        let reliable = self
            .flows
            .get(&client.flow)
            .is_none_or(|flow| flow.reliable);
        let length = match (timer, client.state) {
            // RFC 3261 §17.1.2.2: T2 once a provisional answer came.
            (Timer::E, ClientState::Other(client_non_invite::NonInviteClientState::Proceeding)) => {
                (!reliable).then_some(self.config.timings.t2)
            }
            (_, ClientState::Invite(_) | ClientState::Other(_)) => {
                self.config.timings.length(timer, reliable, client.repeats)
            }
        };
        if matches!(timer, Timer::A | Timer::E) {
            client.repeats += 1;
        }
        match length {
            Some(length) if length.is_zero() => {
                self.client_step(key, ClientInput::Fired(timer), None, now);
            }
            Some(length) => self.start_timer(Owner::Client(key), timer, now + length),
            None => {}
        }
    }

    fn drop_client_if_over(&mut self, key: ClientKey) {
        let over = self
            .clients
            .get(&key)
            .is_some_and(|client| client.state.is_over());
        if over {
            self.forget(key);
        }
    }

    /// RFC 3261 §17.1.1.3: the INVITE's own Via, the To of the response.
    fn acknowledge(&mut self, key: ClientKey, response: Option<&Response>) {
        let Some(client) = self.clients.get_mut(&key) else {
            return;
        };
        if client.ack.is_none()
            && let Some(to) = response.and_then(|response| response.headers().get(HeaderName::To))
        {
            let mut ack = hop_request(&client.request, Method::Ack);
            ack.headers_mut().put_instead(HeaderName::To, to);
            client.ack = Some(ack.to_bytes());
        }
        let (flow, ack) = (client.flow, client.ack.clone());
        if let Some(bytes) = ack {
            self.transmit(flow, bytes);
        }
    }

    fn release_cancel(&mut self, key: ClientKey, now: Instant) {
        let Some(client) = self.clients.get_mut(&key) else {
            return;
        };
        if let Cancel::Held(headers) = &mut client.cancel {
            let headers = std::mem::take(headers);
            self.send_cancel(key, headers, now);
        }
    }

    /// RFC 3261 §9.1: a transaction of its own, under the INVITE's own Via.
    fn send_cancel(&mut self, key: ClientKey, headers: Vec<(String, String)>, now: Instant) {
        let Some(client) = self.clients.get_mut(&key) else {
            return;
        };
        client.cancel = Cancel::Sent(headers.clone());
        let mut cancel = hop_request(&client.request, Method::Cancel);
        for (name, value) in &headers {
            cancel.headers_mut().put(name.as_str(), value);
        }
        let (flow, branch) = (client.flow, client.id.branch.clone());
        self.start_client_timer(key, Timer::Cancelled, now);
        self.start_client(flow, cancel, branch, false, now);
    }
}

/// Makes the CANCEL of an INVITE, or the ACK of its refusal: what travels the same hop under the same branch.
pub(crate) fn hop_request(invite: &Request, method: Method) -> Request {
    let mut request = Request::new(method.clone(), invite.uri());
    let from = invite.headers();
    let to = request.headers_mut();
    // RFC 3261 §9.1: our own Via and no other.
    if let Some(via) = from.elements(HeaderName::Via).next() {
        to.put(HeaderName::Via, via);
    }
    to.copy(HeaderName::Route, from);
    to.put(HeaderName::MaxForwards, "70");
    for name in [
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::SessionId,
    ] {
        to.copy(name, from);
    }
    let number = from.cseq().map_or(0, |cseq| cseq.number);
    to.push_typed(&CSeq::new(number, method));
    // RFC 3261 §22.1: neither can be challenged, so both carry what the INVITE carried.
    for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        to.copy(name, from);
    }
    request
}

impl ClientState {
    fn step(self, input: ClientInput) -> (Self, &'static [Action]) {
        match self {
            ClientState::Invite(state) => {
                let (state, actions) = client_invite::step(state, input.into());
                (ClientState::Invite(state), actions)
            }
            ClientState::Other(state) => {
                let (state, actions) = client_non_invite::step(state, input.into());
                (ClientState::Other(state), actions)
            }
        }
    }

    fn is_over(self) -> bool {
        match self {
            ClientState::Invite(state) => state == client_invite::InviteClientState::Terminated,
            ClientState::Other(state) => {
                state == client_non_invite::NonInviteClientState::Terminated
            }
        }
    }
}

impl From<ClientInput> for client_invite::InviteClientInput {
    fn from(input: ClientInput) -> Self {
        match input {
            ClientInput::Response(class) => Self::Response(class),
            ClientInput::Fired(timer) => Self::Fired(timer),
            ClientInput::FlowDown => Self::FlowDown,
        }
    }
}

impl From<ClientInput> for client_non_invite::NonInviteClientInput {
    fn from(input: ClientInput) -> Self {
        match input {
            ClientInput::Response(class) => Self::Response(class),
            ClientInput::Fired(timer) => Self::Fired(timer),
            ClientInput::FlowDown => Self::FlowDown,
        }
    }
}
