//! One user agent whose other end is the test itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::endpoint::{Endpoint, EndpointConfig, Event, Output};
use sip::message::{Leniency, Message, Method, Request, Response, StatusCode};
use sip::transaction::{Flow, FlowId, Transport};
use sip::uri::Uri;

pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n";

/// Where a test's clock starts.
#[allow(
    clippy::disallowed_methods,
    reason = "an Instant can't be made otherwise, and only differences count"
)]
pub(crate) fn epoch() -> Instant {
    Instant::now()
}

pub(crate) fn config(user: &str) -> EndpointConfig {
    EndpointConfig::new(
        uri(&format!("sip:{user}@example.com")),
        format!("urn:uuid:00000000-0000-4000-8000-{:012x}", user.len()),
    )
}

pub(crate) fn uri(text: &str) -> Uri<'static> {
    text.parse().unwrap()
}

pub(crate) struct Lone {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Instant,
    pub(crate) flow: FlowId,
    pub(crate) sent: VecDeque<(FlowId, Bytes)>,
    pub(crate) probes: usize,
    events: VecDeque<Event>,
    deadline: Option<Instant>,
    next_flow: u64,
}

impl Lone {
    /// A user agent `alice` over a WebSocket.
    pub(crate) fn over_wss() -> Self {
        Self::with(config("alice"), Transport::Wss)
    }

    pub(crate) fn over_udp() -> Self {
        Self::with(config("alice"), Transport::Udp)
    }

    pub(crate) fn with(mut config: EndpointConfig, transport: Transport) -> Self {
        // Keep-alives have tests of their own; elsewhere they would only be in the way.
        config.keep_alive.interval = Duration::ZERO;
        Self::with_keep_alive(config, transport)
    }

    pub(crate) fn with_keep_alive(config: EndpointConfig, transport: Transport) -> Self {
        let mut lone = Self {
            endpoint: Endpoint::new(config, [7; 32]),
            now: epoch(),
            flow: FlowId(0),
            sent: VecDeque::new(),
            probes: 0,
            events: VecDeque::new(),
            deadline: None,
            next_flow: 0,
        };
        lone.flow_up(transport);
        lone
    }

    pub(crate) fn flow_up(&mut self, transport: Transport) {
        self.next_flow += 1;
        self.flow = FlowId(self.next_flow);
        self.flow_up_as(Flow::new(transport));
    }

    /// The same, where our end has an address.
    pub(crate) fn flow_up_at(&mut self, transport: Transport, local: &str) {
        self.next_flow += 1;
        self.flow = FlowId(self.next_flow);
        self.flow_up_as(Flow::new(transport).with_local(local.parse().unwrap()));
    }

    fn flow_up_as(&mut self, flow: Flow) {
        self.endpoint.handle_flow_up(self.flow, flow, self.now);
        self.drain();
    }

    pub(crate) fn flow_down(&mut self) {
        self.endpoint.handle_flow_down(self.flow, self.now);
        self.drain();
    }

    /// Gives a command, and takes all that follows from it.
    pub(crate) fn act<R>(&mut self, act: impl FnOnce(&mut Endpoint, Instant) -> R) -> R {
        let result = act(&mut self.endpoint, self.now);
        self.drain();
        result
    }

    pub(crate) fn receive(&mut self, message: impl Into<Bytes>) {
        self.endpoint
            .handle_message(self.flow, message.into(), self.now);
        self.drain();
    }

    /// Lets time pass, each deadline met exactly.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(deadline) = self.deadline.filter(|deadline| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.endpoint.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Lets time jump: the deadlines in between are met too late.
    pub(crate) fn jump(&mut self, by: Duration) {
        self.now += by;
        self.endpoint.handle_timeout(self.now);
        self.drain();
    }

    fn drain(&mut self) {
        for _ in 0..10_000 {
            match self.endpoint.poll_output() {
                Output::Transmit { flow, bytes } => self.sent.push_back((flow, bytes)),
                Output::KeepAlive { .. } => self.probes += 1,
                Output::Event(event) => self.events.push_back(event),
                Output::Timeout(deadline, _) => {
                    self.deadline = deadline;
                    return;
                }
            }
        }
        panic!("poll_output never came to Timeout");
    }

    /// Takes the next message sent, which must be this request.
    #[track_caller]
    pub(crate) fn request(&mut self, method: Method) -> Request {
        match self.message() {
            Message::Request(request) => {
                assert_eq!(request.method(), &method, "{request:?}");
                request
            }
            Message::Response(response) => panic!("{method} expected, got {response:?}"),
        }
    }

    /// Takes the next message sent, which must be a request.
    #[track_caller]
    pub(crate) fn request_of_any(&mut self) -> Request {
        match self.message() {
            Message::Request(request) => request,
            Message::Response(response) => panic!("a request expected, got {response:?}"),
        }
    }

    /// Takes the next message sent, which must be an answer of this code.
    #[track_caller]
    pub(crate) fn response(&mut self, code: u16) -> Response {
        match self.message() {
            Message::Response(response) => {
                assert_eq!(response.status().code(), code, "{response:?}");
                response
            }
            Message::Request(request) => panic!("{code} expected, got {request:?}"),
        }
    }

    #[track_caller]
    fn message(&mut self) -> Message {
        let (_, bytes) = self.sent.pop_front().expect("nothing was sent");
        Message::parse(bytes, Leniency::Strict)
            .expect("what we send is by the letter")
            .message
    }

    /// Takes what was sent, and must be nothing.
    #[track_caller]
    pub(crate) fn nothing_sent(&mut self) {
        assert!(self.sent.is_empty(), "{:?}", self.sent);
    }

    #[track_caller]
    pub(crate) fn event(&mut self) -> Event {
        self.events.pop_front().expect("no event")
    }

    #[track_caller]
    pub(crate) fn no_event(&mut self) {
        assert!(self.events.is_empty(), "{:?}", self.events);
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }
}

/// An answer to a request of ours, as a peer would write it.
pub(crate) fn answer(request: &Request, code: u16, tag: &str, extra: &str) -> Bytes {
    answer_with_body(request, code, tag, extra, "")
}

pub(crate) fn answer_with_body(
    request: &Request,
    code: u16,
    tag: &str,
    extra: &str,
    body: &str,
) -> Bytes {
    let status = StatusCode::new(code).unwrap();
    let mut text = format!("SIP/2.0 {code} {}\r\n", status.default_reason());
    for via in request.headers().all("Via") {
        text += &format!("Via: {via}\r\n");
    }
    let headers = request.headers();
    let to = headers.get("To").unwrap();
    let tagged = to.contains(";tag=") || tag.is_empty();
    let to = if tagged {
        to.to_owned()
    } else {
        format!("{to};tag={tag}")
    };
    text += &format!(
        "From: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {}\r\n",
        headers.get("From").unwrap(),
        headers.get("Call-ID").unwrap(),
        headers.get("CSeq").unwrap(),
    );
    text += extra;
    if !body.is_empty() {
        text += "Content-Type: application/sdp\r\n";
    }
    text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    text.into()
}

/// A 200 to an INVITE of ours from a fork of this tag.
pub(crate) fn accept(invite: &Request, tag: &str) -> Bytes {
    let contact = format!("Contact: <sip:{tag}@callee.invalid;transport=ws>\r\n");
    answer_with_body(invite, 200, tag, &contact, SDP)
}

pub(crate) fn ringing(invite: &Request, tag: &str) -> Bytes {
    let contact = format!("Contact: <sip:{tag}@callee.invalid;transport=ws>\r\n");
    answer(invite, 180, tag, &contact)
}

/// A request of the other side outside any dialog.
pub(crate) fn incoming(method: &str, call_id: &str, branch: &str, extra: &str) -> String {
    let body = if method == "INVITE" { SDP } else { "" };
    let content = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    format!(
        "{method} sip:alice@ours.invalid SIP/2.0\r\n\
         Via: SIP/2.0/WSS proxy.example.com;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 60\r\n\
         From: Bob <sip:bob@example.com>;tag=bobs\r\n\
         To: <sip:alice@example.com>\r\n\
         Call-ID: {call_id}\r\n\
         CSeq: 1 {method}\r\n\
         Contact: <sip:bob@theirs.invalid;transport=ws>\r\n\
         {extra}{content}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A request of the other side that ends, or acknowledges, or goes on with `first`, which it sent and we answered with `answer`.
pub(crate) fn within(
    first: &str,
    answer: &Response,
    method: &str,
    cseq: u32,
    branch: &str,
    extra: &str,
    body: &str,
) -> String {
    let first = request_of(first);
    let content = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    format!(
        "{method} sip:alice@ours.invalid SIP/2.0\r\n\
         Via: SIP/2.0/WSS proxy.example.com;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 60\r\n\
         From: {}\r\n\
         To: {}\r\n\
         Call-ID: {}\r\n\
         CSeq: {cseq} {method}\r\n\
         {extra}{content}Content-Length: {}\r\n\r\n{body}",
        first.headers().get("From").unwrap(),
        answer.headers().get("To").unwrap(),
        first.headers().get("Call-ID").unwrap(),
        body.len()
    )
}

/// A request of the callee inside the dialog that `invite` of ours and its 200 from `tag` made.
pub(crate) fn from_callee(
    invite: &Request,
    tag: &str,
    method: &str,
    cseq: u32,
    extra: &str,
    body: &str,
) -> String {
    let headers = invite.headers();
    let content = if body.is_empty() {
        ""
    } else {
        "Content-Type: application/sdp\r\n"
    };
    format!(
        "{method} sip:alice@ours.invalid SIP/2.0\r\n\
         Via: SIP/2.0/WSS proxy.example.com;branch=z9hG4bK{method}{cseq}\r\n\
         Max-Forwards: 60\r\n\
         From: {};tag={tag}\r\n\
         To: {}\r\n\
         Call-ID: {}\r\n\
         CSeq: {cseq} {method}\r\n\
         {extra}{content}Content-Length: {}\r\n\r\n{body}",
        headers.get("To").unwrap(),
        headers.get("From").unwrap(),
        headers.get("Call-ID").unwrap(),
        body.len()
    )
}

pub(crate) fn request_of(text: &str) -> Request {
    let parsed = Message::parse(Bytes::copy_from_slice(text.as_bytes()), Leniency::Interop);
    match parsed.unwrap().message {
        Message::Request(request) => request,
        Message::Response(response) => panic!("a request expected, got {response:?}"),
    }
}

pub(crate) fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request
        .headers()
        .get(name)
        .unwrap_or_else(|| panic!("no {name} in {request:?}"))
}
