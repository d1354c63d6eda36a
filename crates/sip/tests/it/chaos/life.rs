//! One life of a user agent, told by bytes. The fuzz target compiles this file as well.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::endpoint::{
    Body, Endpoint, EndpointConfig, Event, Invite, NotifierId, Output, Reply, RequestId,
    ServerRequestId, UsageId,
};
use sip::message::{Leniency, Message, Method, Request, Response, StatusCode};
use sip::transaction::{Flow, FlowId, Transport};

const CODES: [u16; 16] = [
    100, 180, 183, 200, 202, 302, 401, 408, 420, 423, 481, 487, 491, 503, 600, 699,
];
const METHODS: [&str; 12] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "UPDATE",
    "OPTIONS",
    "MESSAGE",
    "PRACK",
    "SUBSCRIBE",
    "SUBSCRIBE",
    "NOTIFY",
];
const EXPIRES: [&str; 4] = ["0", "59", "60", "600"];
/// Short enough for every subscriber to be gone at the end of a life.
const MOST: Duration = Duration::from_secs(120);

struct Life<'b> {
    bytes: &'b [u8],
    endpoint: Endpoint,
    now: Instant,
    deadline: Option<Instant>,
    flow: FlowId,
    up: bool,
    requests: Vec<Request>,
    answers: Vec<Response>,
    usages: Vec<UsageId>,
    asked: Vec<ServerRequestId>,
    /// How often each call and each request of ours came to its end.
    outcomes: BTreeMap<UsageId, u32>,
    ends: BTreeMap<UsageId, u32>,
    results: BTreeMap<RequestId, u32>,
    subscribers: BTreeMap<NotifierId, u32>,
}

/// Lives it to the end, and panics where a promise is broken.
pub(crate) fn live(bytes: &[u8], start: Instant) {
    let Some(config) = config() else {
        return;
    };
    let mut life = Life {
        bytes,
        endpoint: Endpoint::new(config, [5; 32]),
        now: start,
        deadline: None,
        flow: FlowId(0),
        up: false,
        requests: Vec::new(),
        answers: Vec::new(),
        usages: Vec::new(),
        asked: Vec::new(),
        outcomes: BTreeMap::new(),
        ends: BTreeMap::new(),
        results: BTreeMap::new(),
        subscribers: BTreeMap::new(),
    };
    life.change_flow();
    while let Some(what) = life.byte() {
        life.step(what);
    }
    life.check();
    life.leave();
}

fn config() -> Option<EndpointConfig> {
    let aor = "sip:alice@example.com".parse().ok()?;
    let mut config = EndpointConfig::new(aor, "urn:uuid:1");
    config.allow.push(Method::Subscribe);
    config.event_packages = vec!["conference".into()];
    Some(config)
}

impl Life<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn pick(&mut self) -> usize {
        usize::from(self.byte().unwrap_or_default())
    }

    fn step(&mut self, what: u8) {
        match what % 18 {
            0 => self.raw_frame(),
            1..=4 => self.answer_something(),
            5..=7 => self.request_something(),
            8 => self.invite(),
            9 | 10 => self.command(),
            11 => self.respond(),
            12 => self.change_flow(),
            13 => {
                self.endpoint.register(self.now);
                self.drain();
            }
            14 => {
                self.endpoint.unregister(self.now);
                self.drain();
            }
            15 => self.wait(),
            16.. => self.be_subscribed_to(),
        }
    }

    fn raw_frame(&mut self) {
        let length = self.pick().min(self.bytes.len());
        let (frame, rest) = self.bytes.split_at(length);
        self.bytes = rest;
        self.receive(Bytes::copy_from_slice(frame));
    }

    /// Answers one of its requests: any code, any of three forks, with or without what it should have.
    fn answer_something(&mut self) {
        let (which, code, fork) = (self.pick(), self.pick(), self.pick());
        if self.requests.is_empty() {
            return;
        }
        let request = self.requests[which % self.requests.len()].clone();
        let code = StatusCode::new(CODES[code % CODES.len()]).expect("a code of ours");
        let mut response = Response::to_request(&request, code);
        let mut to = response.headers().to().expect("we wrote one").into_owned();
        if to.tag().is_none() && code.code() > 100 {
            to.set_tag(&format!("fork{}", fork % 3));
        }
        response.headers_mut().replace_typed(&to);
        for (name, value) in [
            ("Contact", "<sip:bob@callee.invalid>;expires=60"),
            ("Min-Expires", "700"),
            ("Retry-After", "1"),
            ("Require", "100rel"),
            ("RSeq", "5"),
            ("WWW-Authenticate", "Digest realm=\"x\", nonce=\"y\""),
            (
                "Record-Route",
                "<sip:p.example.com>, <sip:q.example.com;lr>",
            ),
        ] {
            if self.pick().is_multiple_of(2) {
                response.headers_mut().push(name, value).expect("ours");
            }
        }
        if self.pick().is_multiple_of(2) {
            let sdp = Bytes::from_static(b"v=0\r\n");
            let described = response.with_body("application/sdp", sdp);
            response = described.expect("a media type");
        }
        self.receive(response.to_bytes());
    }

    /// Sends it a request, alone or inside a dialog that one of its answers made.
    fn request_something(&mut self) {
        let (method, call, cseq, dialog) = (self.pick(), self.pick(), self.pick(), self.pick());
        let method = METHODS[method % METHODS.len()];
        let mut to = "<sip:alice@example.com>".to_owned();
        let mut from = "<sip:bob@example.com>;tag=b".to_owned();
        let mut call_id = format!("c{}", call % 4);
        if let Some(answer) = self.answers.get(dialog) {
            let headers = answer.headers();
            to = headers.get("To").unwrap_or_default().to_owned();
            from = headers.get("From").unwrap_or_default().to_owned();
            call_id = headers.get("Call-ID").unwrap_or_default().to_owned();
        } else if dialog > 200
            && let Some(request) = self.requests.last()
        {
            let headers = request.headers();
            from = format!("{};tag=fork0", headers.get("To").unwrap_or_default());
            to = headers.get("From").unwrap_or_default().to_owned();
            call_id = headers.get("Call-ID").unwrap_or_default().to_owned();
        }
        let number = cseq % 8;
        let branch = call % 16;
        let expires = EXPIRES[cseq % EXPIRES.len()];
        let (reliable, body) = (self.pick(), self.pick());
        let reliable = ["", "Supported: 100rel\r\n", "RAck: 5 1 INVITE\r\n"][reliable % 3];
        let body = ["", "v=0\r\n"][body % 2];
        let frame = format!(
            "{method} sip:alice@a.invalid SIP/2.0\r\n\
             Via: SIP/2.0/WSS p.example.com;branch=z9hG4bK{branch}{number}\r\n\
             From: {from}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n\
             Contact: <sip:bob@theirs.invalid>\r\nEvent: conference\r\nExpires: {expires}\r\n\
             {reliable}Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len(),
        );
        self.receive(frame.into());
    }

    fn invite(&mut self) {
        let target = "sip:bob@example.com".parse().expect("a URI");
        let mut invite = Invite::offer(target, "v=0\r\n");
        if self.pick().is_multiple_of(3) {
            invite.body = None;
        }
        if let Ok(usage) = self.endpoint.invite(invite, self.now) {
            self.usages.push(usage);
            self.outcomes.insert(usage, 0);
        }
        self.drain();
    }

    fn command(&mut self) {
        let (which, what) = (self.pick(), self.pick());
        if what % 4 == 3 {
            return self.tell_subscriber(which, what);
        }
        if self.usages.is_empty() {
            return;
        }
        let usage = self.usages[which % self.usages.len()];
        let body = Body::sdp("v=0\r\n");
        let method = match what % 6 {
            0 => Method::Bye,
            1 => Method::Invite,
            2 => Method::Update,
            3 => Method::Info,
            4 => {
                let _misuse = self.endpoint.cancel(usage, None, self.now);
                return self.drain();
            }
            _ => {
                let _misuse = self.endpoint.ack(usage, Some(&body), self.now);
                return self.drain();
            }
        };
        let body = (what % 2 == 0).then_some(&body);
        if let Ok(id) = self.endpoint.request(usage, method, &[], body, self.now) {
            self.results.insert(id, 0);
        }
        self.drain();
    }

    fn respond(&mut self) {
        let (which, code) = (self.pick(), self.pick());
        let reply = Reply::new(CODES[code % CODES.len()]).sdp("v=0\r\n");
        if which % 2 == 0 && !self.usages.is_empty() {
            let usage = self.usages[which % self.usages.len()];
            let _misuse = self.endpoint.respond(usage, &reply, self.now);
        } else if !self.asked.is_empty() {
            let id = self.asked[which % self.asked.len()];
            match code % 3 {
                0 => {
                    let _misuse = self.endpoint.answer(id, &reply, self.now);
                }
                _ => self.accept_subscriber(id, reply.body),
            }
        }
        self.drain();
    }

    /// Accepts whoever asked last, and tells one of those that were accepted.
    fn be_subscribed_to(&mut self) {
        let (which, what) = (self.pick(), self.pick());
        if let Some(id) = self.asked.last().copied() {
            self.accept_subscriber(id, None);
        }
        self.tell_subscriber(which, what);
    }

    fn accept_subscriber(&mut self, id: ServerRequestId, state: Option<Body>) {
        let accepted = self.endpoint.accept_subscription(id, MOST, state, self.now);
        self.drain();
        if let Ok(id) = accepted {
            self.subscribers.entry(id).or_default();
        }
    }

    fn tell_subscriber(&mut self, which: usize, what: usize) {
        let known = self.subscribers.len().max(1);
        let Some((id, ends)) = self.subscribers.iter_mut().nth(which % known) else {
            return;
        };
        if what % 8 == 3 {
            let _misuse = self.endpoint.notify(*id, None, self.now);
        } else {
            // What we end ourselves is not told.
            *ends = (*ends).max(1);
            self.endpoint.terminate(*id, "noresource", self.now);
        }
        self.drain();
    }

    fn change_flow(&mut self) {
        if self.up {
            self.endpoint.handle_flow_down(self.flow, self.now);
        } else {
            self.flow = FlowId(self.flow.0 + 1);
            let transport = if self.pick().is_multiple_of(2) {
                Transport::Wss
            } else {
                Transport::Udp
            };
            self.endpoint
                .handle_flow_up(self.flow, Flow::new(transport), self.now);
        }
        self.up = !self.up;
        self.drain();
    }

    fn wait(&mut self) {
        let end = self.now + Duration::from_millis(40 * self.pick() as u64 * 10);
        for _ in 0..2000 {
            let Some(deadline) = self.deadline.filter(|deadline| *deadline <= end) else {
                break;
            };
            self.now = self.now.max(deadline);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
        assert!(
            self.deadline.is_none_or(|deadline| deadline > end),
            "time stands still"
        );
        self.now = end;
    }

    fn receive(&mut self, frame: Bytes) {
        self.endpoint.handle_message(self.flow, frame, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..10_000 {
            match self.endpoint.poll_output() {
                Output::Transmit { bytes, .. } => self.keep(bytes),
                Output::KeepAlive { .. } => {}
                Output::Event(Event::FlowFailed { .. }) => self.up = false,
                Output::Event(event) => self.note(event),
                Output::Timeout(deadline, _) => {
                    self.deadline = deadline;
                    return;
                }
            }
        }
        panic!("poll_output never came to Timeout");
    }

    /// What we send can be read.
    fn keep(&mut self, bytes: Bytes) {
        if bytes.starts_with(b"\r\n") {
            return;
        }
        let parsed = Message::parse(bytes, Leniency::Interop);
        match parsed.map(|parsed| parsed.message) {
            Ok(Message::Request(request)) => self.requests.push(request),
            Ok(Message::Response(response)) => self.answers.push(response),
            // A refusal echoes the headers of what could not be read.
            Err(_) => {}
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Answered { usage, .. }
            | Event::Redirected { usage, .. }
            | Event::Failed { usage, .. } => *self.outcomes.entry(usage).or_default() += 1,
            Event::Incoming { usage, .. } => self.usages.push(usage),
            Event::Cancelled { usage, .. } | Event::Ended { usage, .. } => {
                *self.ends.entry(usage).or_default() += 1;
            }
            Event::Request { id, .. } => self.asked.push(id),
            Event::Response { id, .. } | Event::RequestFailed { id, .. } => {
                *self.results.entry(id).or_default() += 1;
            }
            Event::NotifierEnded { notifier, .. } => {
                *self.subscribers.entry(notifier).or_default() += 1;
            }
            _told => {}
        }
    }

    /// Lets every timer run out: each call of ours came to one outcome, each call ended once at most, each request once.
    fn check(&mut self) {
        if self.up {
            self.change_flow();
        }
        self.run_out();
        assert!(
            self.outcomes.values().all(|count| *count == 1),
            "{:?}",
            self.outcomes
        );
        assert!(
            self.ends.values().all(|count| *count == 1),
            "{:?}",
            self.ends
        );
        assert!(
            self.results.values().all(|count| *count == 1),
            "{:?}",
            self.results
        );
        assert!(
            self.subscribers.values().all(|count| *count == 1),
            "{:?}",
            self.subscribers
        );
    }

    fn run_out(&mut self) {
        for _ in 0..40 {
            self.bytes = &[255];
            self.wait();
        }
    }

    /// Once everything is given up, nothing is left of it.
    fn leave(&mut self) {
        self.bytes = &[];
        self.change_flow();
        self.endpoint.unregister(self.now);
        self.drain();
        for id in self.asked.clone() {
            let _gone = self.endpoint.answer(id, &Reply::new(480), self.now);
            self.drain();
        }
        for usage in self.usages.clone() {
            let _not_calling = self.endpoint.cancel(usage, None, self.now);
            let _not_called = self.endpoint.respond(usage, &Reply::new(480), self.now);
            let bye = Method::Bye;
            let _not_answered = self.endpoint.request(usage, bye, &[], None, self.now);
            self.drain();
        }
        self.run_out();
        if self.up {
            self.change_flow();
        }
        self.run_out();
        assert!(self.endpoint.is_idle(), "{:?}", self.endpoint);
    }
}
