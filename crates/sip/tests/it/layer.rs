//! The transaction layer by itself, as a stateful forking proxy uses it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sip::message::{Leniency, Message, Method, Request, Response, StatusCode};
use sip::transaction::{
    Cancelling, ClientKey, Flow, FlowId, Gone, Layer, LayerConfig, LayerOutput, ServerKey,
    Transport, TxEvent,
};

use crate::lone::{accept, answer, epoch, incoming, request_of, ringing};

const CALLER: FlowId = FlowId(1);
const FIRST: FlowId = FlowId(2);
const SECOND: FlowId = FlowId(3);

struct Proxy {
    layer: Layer,
    now: Instant,
    sent: Vec<(FlowId, Bytes)>,
    events: Vec<TxEvent>,
}

impl Proxy {
    fn new(transport: Transport) -> Self {
        let mut layer = Layer::new(LayerConfig::new("proxy.example.com"), [3; 32]);
        for flow in [CALLER, FIRST, SECOND] {
            let peer = "192.0.2.7:40000".parse().unwrap();
            layer.handle_flow_up(flow, Flow::new(transport).with_peer(peer));
        }
        Self {
            layer,
            now: epoch(),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    fn drain(&mut self) -> Option<Instant> {
        loop {
            match self.layer.poll_output() {
                LayerOutput::Transmit { flow, bytes } => self.sent.push((flow, bytes)),
                LayerOutput::Event(event) => self.events.push(event),
                LayerOutput::Timeout(deadline, _) => return deadline,
            }
        }
    }

    fn receive(&mut self, flow: FlowId, frame: impl Into<Bytes>) {
        let message = Message::parse(frame.into(), Leniency::Interop).unwrap();
        self.layer.handle_message(flow, message.message, self.now);
        self.drain();
    }

    fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(deadline) = self.drain().filter(|deadline| *deadline <= end) {
            self.now = deadline;
            self.layer.handle_timeout(self.now);
        }
        self.now = end;
    }

    #[track_caller]
    fn sent_request(&mut self, over: FlowId) -> Request {
        let (flow, bytes) = self.sent.remove(0);
        assert_eq!(flow, over);
        match Message::parse(bytes, Leniency::Strict).unwrap().message {
            Message::Request(request) => request,
            Message::Response(response) => panic!("a request expected, got {response:?}"),
        }
    }

    #[track_caller]
    fn sent_response(&mut self, over: FlowId) -> Response {
        let (flow, bytes) = self.sent.remove(0);
        assert_eq!(flow, over);
        match Message::parse(bytes, Leniency::Strict).unwrap().message {
            Message::Response(response) => response,
            Message::Request(request) => panic!("a response expected, got {request:?}"),
        }
    }

    /// Forks the INVITE that comes to two contacts.
    fn fork(&mut self) -> (ServerKey, [(ClientKey, Request); 2]) {
        self.receive(CALLER, incoming("INVITE", "c1", "1", ""));
        assert_eq!(self.sent_response(CALLER).status(), StatusCode::TRYING);
        let TxEvent::Request { key, request, .. } = self.events.remove(0) else {
            panic!("a request expected");
        };
        let branches = [FIRST, SECOND].map(|flow| {
            let client = self.layer.send_request(flow, request.clone(), self.now);
            self.drain();
            (client, self.sent_request(flow))
        });
        (key, branches)
    }

    /// Sends an answer of a fork back, our Via taken off.
    fn pass_back(&mut self, key: ServerKey, mut response: Response) {
        response.headers_mut().pop_element("Via");
        self.layer.respond(key, &response, self.now);
        self.drain();
    }

    #[track_caller]
    fn response(&mut self) -> (ClientKey, Response) {
        match self.events.remove(0) {
            TxEvent::Response { key, response } => (key, response),
            other => panic!("Response expected, got {other:?}"),
        }
    }
}

#[test]
fn a_forked_invite_has_a_via_and_a_branch_of_ours_for_each_fork() {
    let mut proxy = Proxy::new(Transport::Wss);
    let (_, [(_, first), (_, second)]) = proxy.fork();
    let branch = |request: &Request| {
        let via = request.headers().via().unwrap();
        via.branch().unwrap().to_owned()
    };
    assert_ne!(branch(&first), branch(&second));
    let vias: Vec<&str> = first.headers().all("Via").collect();
    assert_eq!(vias.len(), 2);
    assert!(vias[0].starts_with("SIP/2.0/WSS proxy.example.com;"));
}

/// Trap 15.
#[test]
fn the_senders_address_is_written_into_its_via() {
    let mut proxy = Proxy::new(Transport::Udp);
    let request = incoming("MESSAGE", "c1", "1", "").replace(
        "Via: SIP/2.0/WSS proxy.example.com",
        "Via: SIP/2.0/UDP 10.0.0.1:5060;rport",
    );
    proxy.receive(CALLER, request);
    let TxEvent::Request { key, request, .. } = proxy.events.remove(0) else {
        panic!("a request expected");
    };
    let response = Response::to_request(&request, StatusCode::OK);
    assert!(proxy.layer.respond(key, &response, proxy.now));
    proxy.drain();
    let answer = proxy.sent_response(CALLER);
    let via = answer.headers().via().unwrap();
    assert_eq!(via.rport(), Some(40000));
    assert_eq!(via.received().unwrap().to_string(), "192.0.2.7");
}

/// Traps 7 and 8.
#[test]
fn every_2xx_of_every_fork_passes_and_its_ack_as_well() {
    let mut proxy = Proxy::new(Transport::Wss);
    let (key, [(_, first), (_, second)]) = proxy.fork();
    for (flow, fork, tag) in [
        (FIRST, &first, "a"),
        (SECOND, &second, "b"),
        (FIRST, &first, "a"),
    ] {
        proxy.receive(flow, accept(fork, tag));
        let (_, response) = proxy.response();
        proxy.pass_back(key, response);
        let passed = proxy.sent_response(CALLER);
        assert_eq!(passed.headers().to().unwrap().tag(), Some(tag));
    }
    let ack = incoming("ACK", "c1", "ack", "");
    proxy.receive(CALLER, ack);
    let TxEvent::Ack { request, .. } = proxy.events.remove(0) else {
        panic!("an ACK expected");
    };
    proxy.layer.send_stateless(FIRST, request);
    proxy.drain();
    assert_eq!(proxy.sent_request(FIRST).headers().all("Via").count(), 2);
}

#[test]
fn a_cancel_reaches_each_fork_once_it_rings() {
    let mut proxy = Proxy::new(Transport::Wss);
    let (key, [(one, first), (two, _)]) = proxy.fork();
    proxy.receive(FIRST, ringing(&first, "a"));
    proxy.events.clear();
    let cancel = incoming("INVITE", "c1", "1", "").replace("INVITE", "CANCEL");
    proxy.receive(CALLER, cancel);
    assert_eq!(proxy.sent_response(CALLER).status(), StatusCode::OK);
    assert!(matches!(proxy.events.remove(0), TxEvent::Cancel { key: k, .. } if k == key));
    let reason = vec![("Reason".to_owned(), "SIP;cause=600".to_owned())];
    let now = proxy.now;
    assert_eq!(proxy.layer.cancel(one, reason, now), Cancelling::Sent);
    assert_eq!(proxy.layer.cancel(two, Vec::new(), now), Cancelling::Held);
    proxy.drain();
    let cancel = proxy.sent_request(FIRST);
    assert_eq!(cancel.method(), &Method::Cancel);
    assert_eq!(cancel.headers().get("Reason"), Some("SIP;cause=600"));
    assert!(proxy.sent.is_empty());
}

#[test]
fn a_refusal_is_acknowledged_hop_by_hop_and_the_caller_repeats_nothing() {
    let mut proxy = Proxy::new(Transport::Udp);
    let (key, [(_, first), _]) = proxy.fork();
    proxy.receive(FIRST, answer(&first, 486, "a", ""));
    assert_eq!(proxy.sent_request(FIRST).method(), &Method::Ack);
    let (_, response) = proxy.response();
    proxy.pass_back(key, response);
    assert_eq!(proxy.sent_response(CALLER).status(), StatusCode::BUSY_HERE);
    proxy.receive(FIRST, answer(&first, 486, "a", ""));
    assert_eq!(proxy.sent_request(FIRST).method(), &Method::Ack);
    assert!(proxy.events.is_empty());
}

#[test]
fn a_lost_flow_is_a_503_for_its_forks_and_the_end_for_its_callers() {
    let mut proxy = Proxy::new(Transport::Wss);
    let (key, [(one, _), (two, _)]) = proxy.fork();
    proxy.layer.handle_flow_down(FIRST, proxy.now);
    proxy.drain();
    assert!(matches!(proxy.events.remove(0), TxEvent::TransportError { key } if key == one));
    proxy.layer.handle_flow_down(CALLER, proxy.now);
    proxy.drain();
    assert!(matches!(
        proxy.events.remove(0),
        TxEvent::ServerGone { key: k, why: Gone::FlowDown } if k == key
    ));
    let gone = proxy.layer.send_request(
        FIRST,
        request_of(&incoming("MESSAGE", "m", "m", "")),
        proxy.now,
    );
    proxy.drain();
    assert!(matches!(proxy.events.remove(0), TxEvent::TransportError { key } if key == gone));
    proxy.advance(Duration::from_secs(40));
    assert!(matches!(proxy.events.remove(0), TxEvent::Timeout { key } if key == two));
    assert!(proxy.layer.is_empty());
}

/// RFC 2543 callers have no unique branch.
#[test]
fn a_branch_without_the_cookie_is_matched_the_old_way() {
    let mut proxy = Proxy::new(Transport::Udp);
    let old = incoming("INVITE", "c1", "1", "").replace("z9hG4bK1", "1");
    proxy.receive(CALLER, old.clone());
    proxy.receive(CALLER, old);
    assert_eq!(proxy.events.len(), 1);
    assert_eq!(proxy.sent_response(CALLER).status(), StatusCode::TRYING);
    assert_eq!(proxy.sent_response(CALLER).status(), StatusCode::TRYING);
}

#[test]
fn refused_and_accepted_invites_are_kept_up_to_a_number_and_repeats_of_forgotten_ones_are_refused()
{
    let mut proxy = Proxy::new(Transport::Udp);
    let most = LayerConfig::new("").max_answered;
    let answer = |proxy: &mut Proxy, number: usize, status| {
        let name = format!("c{number}");
        proxy.receive(CALLER, incoming("INVITE", &name, &name, ""));
        let Some(TxEvent::Request { key, request, .. }) = proxy.events.pop() else {
            panic!("a request expected");
        };
        let response = Response::to_request(&request, status);
        assert!(proxy.layer.respond(key, &response, proxy.now));
        proxy.drain();
    };
    for number in 0..3 * most {
        answer(&mut proxy, number, StatusCode::BUSY_HERE);
    }
    assert_eq!(proxy.layer.len(), most);
    for number in 3 * most..6 * most {
        answer(&mut proxy, number, StatusCode::OK);
    }
    assert_eq!(proxy.layer.len(), 2 * most);

    proxy.sent.clear();
    // One that was forgotten lately, and one that is kept.
    for number in [2 * most - 1, 3 * most - 1] {
        let name = format!("c{number}");
        proxy.receive(CALLER, incoming("INVITE", &name, &name, ""));
        assert_eq!(proxy.sent_response(CALLER).status(), StatusCode::BUSY_HERE);
    }
    assert!(proxy.events.is_empty());
    proxy.advance(Duration::from_secs(40));
    assert!(proxy.layer.is_empty());
}
