//! Keeping flows alive, and finding out that one is dead (RFC 5626 §3.5.1, RFC 7118 §6).

use std::time::{Duration, Instant};

use bytes::Bytes;
use rand::RngExt;

use super::compose::As;
use super::config::Probe;
use super::{Alarm, Endpoint, Event, Output, compose};
use crate::message::{Method, Response};
use crate::transaction::{ClientKey, FlowId, Transport};

const PING: &[u8] = b"\r\n\r\n";
const PONG: &[u8] = b"\r\n";

impl Endpoint {
    /// Notes that a flow's WebSocket pong arrived.
    pub fn handle_pong(&mut self, flow: FlowId, _now: Instant) {
        self.flow_is_alive(flow);
    }

    /// Whatever arrives proves that the other end is there.
    pub(super) fn flow_is_alive(&mut self, flow: FlowId) {
        self.alarms.stop(Alarm::Pong(flow));
    }

    pub(super) fn receive_keep_alive(&mut self, flow: FlowId, frame: &[u8]) {
        let is_ping = frame.starts_with(PING) || (frame == PONG && self.flows.line_end(flow));
        if is_ping {
            self.transmit_keep_alive(flow, PONG);
        }
    }

    /// Asks now whether every flow is alive, and gives each so long to answer: there is reason to doubt it.
    pub fn check_flows(&mut self, patience: Duration, now: Instant) {
        for flow in self.flows.all() {
            self.probe_for(flow, patience, now);
        }
        self.settle(now);
    }

    pub(super) fn schedule_probe(&mut self, flow: FlowId, now: Instant) {
        let configured = self.config.keep_alive.interval;
        if configured.is_zero() {
            return;
        }
        let longest = self.flows.silence(configured);
        let wait = longest.mul_f64(self.draws.rng().random_range(0.8..=1.0));
        self.alarms.start(Alarm::Probe(flow), now + wait);
    }

    pub(super) fn probe(&mut self, flow: FlowId, now: Instant) {
        self.probe_for(flow, self.config.keep_alive.patience, now);
    }

    fn probe_for(&mut self, flow: FlowId, patience: Duration, now: Instant) {
        let Some(transport) = self.flows.transport(flow) else {
            return;
        };
        if transport == Transport::Udp && self.flows.is_question_due(flow) {
            self.ask(flow, now);
        }
        match (self.config.keep_alive.probe, transport) {
            (Probe::Ping, Transport::Ws | Transport::Wss) => {
                self.outputs.push_back(Output::KeepAlive { flow });
            }
            (Probe::Ping, Transport::Udp | Transport::Tcp | Transport::Tls) | (Probe::Crlf, _) => {
                self.transmit_keep_alive(flow, PING);
            }
        }
        let is_owed = self.flows.owes_pong(flow);
        self.flows.pinged(flow);
        if is_owed {
            // Whoever asks again and again must learn it all the same.
            self.alarms.start_by(Alarm::Pong(flow), now + patience);
        }
        self.schedule_probe(flow, now);
    }

    /// Asks by OPTIONS whether anybody is there, as line ends over UDP tell nothing.
    fn ask(&mut self, flow: FlowId, now: Instant) {
        let target = compose::registrar(&self.config);
        let asked = self.request_to(Method::Options, &target, &[], None, As::Ourselves);
        if let (Ok(request), true) = (asked, self.layer.may_send()) {
            let question = self.layer.send_request(flow, request, now);
            self.flows.asked(flow, question);
        }
    }

    /// Whatever is answered to OPTIONS, somebody is there.
    pub(super) fn question_is_over(&mut self, question: ClientKey, response: Option<&Response>) {
        if let Some(flow) = self.flows.take_asked(question)
            && response.is_some()
        {
            self.flows.answered(flow);
        }
    }

    pub(super) fn flow_is_dead(&mut self, flow: FlowId, now: Instant) {
        self.emit(Event::FlowFailed { flow });
        self.handle_flow_down(flow, now);
    }

    fn transmit_keep_alive(&mut self, flow: FlowId, bytes: &'static [u8]) {
        self.outputs.push_back(Output::Transmit {
            flow,
            bytes: Bytes::from_static(bytes),
        });
    }
}
