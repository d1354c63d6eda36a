//! Click-to-call: the PBX calls one party, then the other with the first one's offer, and stays
//! between their signalling (RFC 3725 §4.1, flow I).

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use phone::Ticket;
use sip::endpoint::{
    Body, Endpoint, EndpointConfig, Event as SipEvent, FailureCause, Invite, Output as SipOutput,
    Reply, RequestId, ServerRequestId, UsageId,
};
use sip::message::{HeaderName, Method, Request, Response};
use sip::transaction::{Flow, FlowId, Transport};
use sip::uri::Uri;

use crate::output::CommandError;

/// Which of the two parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// The one called first.
    First,
    /// The one it is connected with.
    Second,
}

impl Side {
    fn other(self) -> Self {
        match self {
            Side::First => Side::Second,
            Side::Second => Side::First,
        }
    }
}

/// What a bridge wants done.
#[derive(Debug)]
pub(crate) enum BridgeStep {
    /// A SIP message, into the switch.
    Send(FlowId, Bytes),
    /// The command is done, or failed.
    Reply(Ticket, Result<u64, CommandError>),
}

/// How far one party's call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    Calling(UsageId),
    /// It answered with an offer and waits for our ACK.
    Offered(UsageId),
    Up(UsageId),
    Over,
}

#[derive(Debug)]
struct Leg {
    flow: FlowId,
    endpoint: Endpoint,
    stage: Stage,
    wake: Option<Instant>,
}

/// One party of a click-to-call.
#[derive(Debug)]
pub(crate) struct Party {
    pub(crate) uri: Uri<'static>,
    pub(crate) flow: FlowId,
    pub(crate) seed: [u8; 32],
}

/// Somebody else answered than was heard before: the first party offers anew (RFC 3725 §4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Renegotiating {
    /// The first party's offer is asked for in this re-INVITE.
    Offer(RequestId),
    /// The second party's answer is asked for in this one.
    Answer(RequestId),
}

/// Two parties and what goes between them.
#[derive(Debug)]
pub(crate) struct Bridge {
    id: u64,
    first: Leg,
    second: Leg,
    ticket: Option<Ticket>,
    relayed: BTreeMap<(Side, RequestId), ServerRequestId>,
    /// What the first party was given as the answer before the second had answered.
    early: Option<Bytes>,
    renegotiating: Option<Renegotiating>,
    targets: (Uri<'static>, Uri<'static>),
}

impl Bridge {
    /// Calls the first party.
    pub(crate) fn start(
        id: u64,
        ticket: Ticket,
        first: Party,
        second: Party,
        display_name: Option<String>,
        headers: Vec<(String, String)>,
        now: Instant,
    ) -> Result<Self, CommandError> {
        let targets = (first.uri.clone(), second.uri.clone());
        // Each leg speaks in the name of the other party.
        let mut bridge = Self {
            id,
            first: Leg::new(&first, second.uri.clone(), display_name, now),
            second: Leg::new(&second, first.uri.clone(), None, now),
            ticket: Some(ticket),
            relayed: BTreeMap::new(),
            early: None,
            renegotiating: None,
            targets,
        };
        let invite = Invite {
            headers,
            ..Invite::new(bridge.targets.0.clone())
        };
        bridge.first.call(invite, now)?;
        Ok(bridge)
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn flows(&self) -> [FlowId; 2] {
        [self.first.flow, self.second.flow]
    }

    pub(crate) fn handle_message(
        &mut self,
        flow: FlowId,
        bytes: Bytes,
        now: Instant,
    ) -> Vec<BridgeStep> {
        let side = match flow == self.first.flow {
            true => Side::First,
            false => Side::Second,
        };
        self.leg(side).endpoint.handle_message(flow, bytes, now);
        self.drain(now)
    }

    /// Ends both calls, whatever they have come to.
    pub(crate) fn hang_up(&mut self, now: Instant) -> Vec<BridgeStep> {
        let mut steps = Vec::new();
        let error = CommandError::CallFailed {
            code: None,
            reason: "it was hung up".to_owned(),
        };
        self.give_up(error, &mut steps, now);
        steps.extend(self.drain(now));
        steps
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Vec<BridgeStep> {
        self.first.endpoint.handle_timeout(now);
        let mut steps = self.drain(now);
        self.second.endpoint.handle_timeout(now);
        steps.extend(self.drain(now));
        steps
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        [self.first.wake, self.second.wake]
            .into_iter()
            .flatten()
            .min()
    }

    /// Says whether both calls are over.
    pub(crate) fn is_over(&self) -> bool {
        self.first.stage == Stage::Over
            && matches!(self.second.stage, Stage::Over | Stage::Idle)
            && self.next_deadline().is_none()
    }

    /// Takes everything out of both endpoints.
    pub(crate) fn drain(&mut self, now: Instant) -> Vec<BridgeStep> {
        let mut steps = Vec::new();
        let mut events = VecDeque::new();
        loop {
            for side in [Side::First, Side::Second] {
                self.leg(side).drain(side, &mut steps, &mut events);
            }
            let Some((side, event)) = events.pop_front() else {
                return steps;
            };
            self.handle_event(side, event, &mut steps, now);
        }
    }

    fn leg(&mut self, side: Side) -> &mut Leg {
        match side {
            Side::First => &mut self.first,
            Side::Second => &mut self.second,
        }
    }

    fn handle_event(
        &mut self,
        side: Side,
        event: SipEvent,
        steps: &mut Vec<BridgeStep>,
        now: Instant,
    ) {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "a bridge neither registers nor is called: what is left does not concern it"
        )]
        match event {
            SipEvent::Provisional { response, .. } => self.heard_early(side, &response, now),
            SipEvent::Answered { usage, response } => {
                self.answered(side, usage, &response, steps, now);
            }
            SipEvent::Failed { cause, .. } => self.failed(side, &cause, steps, now),
            SipEvent::Ended { .. } => self.ended(side, steps, now),
            // No media here tell whether the party is there.
            SipEvent::NoAnswer { usage } => self.leg(side).endpoint.give_up(usage, now),
            SipEvent::Request {
                usage: None, id, ..
            } => {
                // Whoever asks what a call of ours can do asks no party of it.
                let _gone = self.leg(side).endpoint.answer(id, &Reply::new(200), now);
            }
            SipEvent::Request { id, request, .. } => self.relay(side, id, &request, now),
            SipEvent::Response { id, response } if self.renegotiates(id) => {
                self.renegotiate(&response, steps, now);
            }
            SipEvent::RequestFailed { id, .. } if self.renegotiates(id) => {
                self.give_up(no_agreement(), steps, now);
            }
            SipEvent::Response { id, response } => {
                if let Some(server) = self.relayed.remove(&(side, id)) {
                    let reply = Reply {
                        reason: Some(response.reason().to_owned()),
                        body: body(
                            response.headers().get(HeaderName::ContentType),
                            response.body(),
                        ),
                        ..Reply::new(response.status().code())
                    };
                    let _gone = self.leg(side.other()).endpoint.answer(server, &reply, now);
                }
            }
            SipEvent::Acked { ack, .. } => self.relay_ack(side, &ack, now),
            SipEvent::RequestFailed { id, .. } => {
                if let Some(server) = self.relayed.remove(&(side, id)) {
                    let _gone =
                        self.leg(side.other())
                            .endpoint
                            .answer(server, &Reply::new(503), now);
                }
            }
            _ => {}
        }
    }

    fn answered(
        &mut self,
        side: Side,
        usage: UsageId,
        response: &Response,
        steps: &mut Vec<BridgeStep>,
        now: Instant,
    ) {
        let sdp = body(
            response.headers().get(HeaderName::ContentType),
            response.body(),
        );
        match side {
            Side::First => {
                self.first.stage = Stage::Offered(usage);
                let invite = Invite {
                    body: sdp,
                    ..Invite::new(self.targets.1.clone())
                };
                if let Err(error) = self.second.call(invite, now) {
                    self.give_up(error, steps, now);
                }
            }
            Side::Second => {
                self.second.stage = Stage::Up(usage);
                match self.first.stage {
                    Stage::Offered(first) => {
                        self.first.stage = Stage::Up(first);
                        let _gone = self.first.endpoint.ack(first, sdp.as_ref(), now);
                        self.reply(Ok(self.id), steps);
                    }
                    Stage::Up(first) => self.answered_after_early_media(first, sdp, steps, now),
                    // The first party hung up while the second one answered.
                    Stage::Idle | Stage::Calling(_) | Stage::Over => self.second.hang_up(now),
                }
            }
        }
    }

    /// Lets the first party hear the second one before it answers: its offer is answered in the ACK.
    fn heard_early(&mut self, side: Side, response: &Response, now: Instant) {
        let sdp = body(
            response.headers().get(HeaderName::ContentType),
            response.body(),
        );
        if let (Side::Second, Some(sdp), Stage::Offered(first)) = (side, sdp, self.first.stage) {
            self.first.stage = Stage::Up(first);
            let _gone = self.first.endpoint.ack(first, Some(&sdp), now);
            self.early = Some(sdp.bytes);
        }
    }

    fn answered_after_early_media(
        &mut self,
        first: UsageId,
        sdp: Option<Body>,
        steps: &mut Vec<BridgeStep>,
        now: Instant,
    ) {
        let same = sdp.is_none_or(|sdp| Some(&sdp.bytes) == self.early.as_ref());
        if same {
            return self.reply(Ok(self.id), steps);
        }
        let asked = self
            .first
            .endpoint
            .request(first, Method::Invite, &[], None, now);
        match asked {
            Ok(id) => self.renegotiating = Some(Renegotiating::Offer(id)),
            Err(_) => self.give_up(no_agreement(), steps, now),
        }
    }

    fn renegotiates(&self, id: RequestId) -> bool {
        match self.renegotiating {
            Some(Renegotiating::Offer(asked) | Renegotiating::Answer(asked)) => asked == id,
            None => false,
        }
    }

    fn renegotiate(&mut self, response: &Response, steps: &mut Vec<BridgeStep>, now: Instant) {
        let sdp = body(
            response.headers().get(HeaderName::ContentType),
            response.body(),
        );
        let accepted = response.status().is_success();
        match (
            self.renegotiating.take(),
            self.first.stage,
            self.second.stage,
        ) {
            (Some(Renegotiating::Offer(_)), Stage::Up(_), Stage::Up(second)) if accepted => {
                let asked =
                    self.second
                        .endpoint
                        .request(second, Method::Invite, &[], sdp.as_ref(), now);
                match asked {
                    Ok(id) => self.renegotiating = Some(Renegotiating::Answer(id)),
                    Err(_) => self.give_up(no_agreement(), steps, now),
                }
            }
            (Some(Renegotiating::Answer(_)), Stage::Up(first), Stage::Up(_)) if accepted => {
                let _gone = self.first.endpoint.ack(first, sdp.as_ref(), now);
                self.reply(Ok(self.id), steps);
            }
            _ => self.give_up(no_agreement(), steps, now),
        }
    }

    fn failed(
        &mut self,
        side: Side,
        cause: &FailureCause,
        steps: &mut Vec<BridgeStep>,
        now: Instant,
    ) {
        self.leg(side).stage = Stage::Over;
        let (code, reason) = match cause {
            FailureCause::Response(response) => {
                (Some(response.status().code()), response.reason().to_owned())
            }
            FailureCause::Timeout => (None, "nobody answered in time".to_owned()),
            FailureCause::Transport => (None, "its connection was lost".to_owned()),
            FailureCause::AnsweredAfterCancel(_) => (None, "it was cancelled".to_owned()),
        };
        self.give_up(CommandError::CallFailed { code, reason }, steps, now);
    }

    fn give_up(&mut self, error: CommandError, steps: &mut Vec<BridgeStep>, now: Instant) {
        self.reply(Err(error), steps);
        self.first.hang_up(now);
        self.second.hang_up(now);
    }

    fn ended(&mut self, side: Side, steps: &mut Vec<BridgeStep>, now: Instant) {
        self.leg(side).stage = Stage::Over;
        self.reply(
            Err(CommandError::CallFailed {
                code: None,
                reason: "a party hung up before both were connected".to_owned(),
            }),
            steps,
        );
        self.leg(side.other()).hang_up(now);
    }

    fn relay(&mut self, side: Side, server: ServerRequestId, request: &Request, now: Instant) {
        let method = request.method().clone();
        let sdp = body(
            request.headers().get(HeaderName::ContentType),
            request.body(),
        );
        let other = self.leg(side.other());
        let relayed = match other.stage {
            Stage::Up(usage) => other
                .endpoint
                .request(usage, method, &[], sdp.as_ref(), now)
                .ok(),
            Stage::Idle | Stage::Calling(_) | Stage::Offered(_) | Stage::Over => None,
        };
        match relayed {
            Some(id) => {
                self.relayed.insert((side.other(), id), server);
            }
            None => {
                let busy = Reply::new(491);
                let _gone = self.leg(side).endpoint.answer(server, &busy, now);
            }
        }
    }

    /// The answer to an offer that came in a 2xx to a relayed re-INVITE.
    fn relay_ack(&mut self, side: Side, ack: &Request, now: Instant) {
        let answer = body(ack.headers().get(HeaderName::ContentType), ack.body());
        let other = self.leg(side.other());
        if let Stage::Up(usage) = other.stage {
            // Refused where that 2xx had no offer: then it was acknowledged at once.
            let _settled = other.endpoint.ack(usage, answer.as_ref(), now);
        }
    }

    fn reply(&mut self, outcome: Result<u64, CommandError>, steps: &mut Vec<BridgeStep>) {
        if let Some(ticket) = self.ticket.take() {
            steps.push(BridgeStep::Reply(ticket, outcome));
        }
    }
}

impl Leg {
    fn new(
        party: &Party,
        speaks_as: Uri<'static>,
        display_name: Option<String>,
        now: Instant,
    ) -> Self {
        let mut config =
            EndpointConfig::new(speaks_as, "urn:uuid:00000000-0000-4000-8000-000000000000");
        config.display_name = display_name;
        config.user_agent = concat!("offhook-pbx/", env!("CARGO_PKG_VERSION")).into();
        // A flow inside the process neither dies nor is forgotten by a NAT.
        config.keep_alive.interval = Duration::ZERO;
        let mut endpoint = Endpoint::new(config, party.seed);
        endpoint.handle_flow_up(party.flow, Flow::new(Transport::Ws), now);
        Self {
            flow: party.flow,
            endpoint,
            stage: Stage::Idle,
            wake: None,
        }
    }

    fn call(&mut self, invite: Invite, now: Instant) -> Result<(), CommandError> {
        match self.endpoint.invite(invite, now) {
            Ok(usage) => {
                self.stage = Stage::Calling(usage);
                Ok(())
            }
            Err(sip::endpoint::CommandError::Header { name }) => Err(CommandError::Header { name }),
            Err(error) => Err(CommandError::CallFailed {
                code: None,
                reason: error.to_string(),
            }),
        }
    }

    fn hang_up(&mut self, now: Instant) {
        match self.stage {
            Stage::Calling(usage) => {
                let _gone = self.endpoint.cancel(usage, None, now);
            }
            Stage::Offered(usage) => {
                // RFC 3725 §7: the offer is owed an ACK before the BYE.
                let _gone = self.endpoint.ack(usage, None, now);
                let _gone = self.endpoint.request(usage, Method::Bye, &[], None, now);
            }
            Stage::Up(usage) => {
                let _gone = self.endpoint.request(usage, Method::Bye, &[], None, now);
            }
            Stage::Idle | Stage::Over => {}
        }
        self.stage = Stage::Over;
    }

    fn drain(
        &mut self,
        side: Side,
        steps: &mut Vec<BridgeStep>,
        events: &mut VecDeque<(Side, SipEvent)>,
    ) {
        loop {
            match self.endpoint.poll_output() {
                SipOutput::Transmit { flow, bytes } => steps.push(BridgeStep::Send(flow, bytes)),
                SipOutput::KeepAlive { .. } => {}
                SipOutput::Event(event) => events.push_back((side, event)),
                SipOutput::Timeout(at, _) => {
                    self.wake = at;
                    return;
                }
            }
        }
    }
}

fn no_agreement() -> CommandError {
    CommandError::CallFailed {
        code: None,
        reason: "the parties could not agree on media after early media".to_owned(),
    }
}

fn body(content_type: Option<&str>, bytes: &Bytes) -> Option<Body> {
    (!bytes.is_empty()).then(|| Body {
        content_type: content_type.unwrap_or("application/sdp").to_owned(),
        bytes: bytes.clone(),
    })
}
