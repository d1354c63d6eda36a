//! Where a request goes: to the registrar, along its dialog, to a user's devices or to an extension.

use std::time::Instant;

use rand::RngExt;
use sip::header::{Params, RetryAfter, To};
use sip::message::{Method, Request, Response, StatusCode};
use sip::transaction::{FlowId, ServerKey, TxEvent};
use sip::uri::Uri;

use crate::config::Extension;
use crate::event::Event;
use crate::gate::Verdict;
use crate::output::Output;
use crate::pbx::{INSIDE, Pbx};
use crate::proxy::{Target, max_forwards};

impl Pbx {
    pub(crate) fn handle_transaction(&mut self, event: TxEvent, now: Instant) {
        match event {
            TxEvent::Request { key, flow, request } => self.route(key, flow, &request, now),
            TxEvent::Cancel { key, request } => {
                let forwarded = self
                    .proxy
                    .handle_cancel(&mut self.layer, key, &request, now);
                if !forwarded && self.ringing.remove(&key) {
                    self.respond(key, StatusCode::REQUEST_TERMINATED, now);
                }
            }
            TxEvent::Ack { request, .. } => {
                if let Some(target) = self.proxy.target_in_dialog(&request, &self.registrar) {
                    self.proxy.forward_ack(&mut self.layer, &request, target);
                }
            }
            TxEvent::Response { key, response } => {
                let answer = self
                    .proxy
                    .handle_response(&mut self.layer, key, response, now);
                self.tell_answer(answer);
            }
            TxEvent::Timeout { key } => {
                let status = StatusCode::REQUEST_TIMEOUT;
                self.proxy.handle_failure(&mut self.layer, key, status, now);
            }
            TxEvent::TransportError { key } => {
                let status = StatusCode::TEMPORARILY_UNAVAILABLE;
                self.proxy.handle_failure(&mut self.layer, key, status, now);
            }
            TxEvent::ServerGone { key, .. } => {
                self.ringing.remove(&key);
                self.proxy.handle_gone(&mut self.layer, key, now);
            }
            TxEvent::Discarded { .. } => {}
        }
    }

    fn route(&mut self, key: ServerKey, flow: FlowId, request: &Request, now: Instant) {
        if max_forwards(request) == 0 {
            return self.respond(key, StatusCode::TOO_MANY_HOPS, now);
        }
        if *request.method() == Method::Register {
            return self.register(key, flow, request, now);
        }
        let in_dialog = request.headers().to().is_ok_and(|to| to.tag().is_some());
        if in_dialog {
            if *request.method() == Method::Bye {
                let ended = self.calls.bye(request);
                self.tell(ended);
            }
            return match self.proxy.target_in_dialog(request, &self.registrar) {
                Some(target) => {
                    self.proxy
                        .forward(&mut self.layer, key, request, vec![target], now);
                }
                None => self.respond(key, self.unreachable(request), now),
            };
        }
        if flow.0 < INSIDE
            && let Verdict::Challenge(response) = self.gate.judge(request, now)
        {
            self.layer.respond(key, &response, now);
            return;
        }
        self.route_outside(key, request, now);
    }

    /// A phone that lost its connection will be back: 481 would end its call (RFC 5057 §5.1).
    fn unreachable(&self, request: &Request) -> StatusCode {
        match self.calls.stands(request) {
            true => StatusCode::TEMPORARILY_UNAVAILABLE,
            false => StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST,
        }
    }

    fn route_outside(&mut self, key: ServerKey, request: &Request, now: Instant) {
        let uri = request.uri();
        if !uri.host_text().eq_ignore_ascii_case(&self.config.domain) {
            // A Contact learned from a dialog or a registration is reached by its own name.
            return match self.proxy.target_in_dialog(request, &self.registrar) {
                Some(target) => {
                    self.proxy
                        .forward(&mut self.layer, key, request, vec![target], now);
                }
                None => self.respond(key, StatusCode::NOT_FOUND, now),
            };
        }
        let Some(user) = uri.user_unescaped().map(|user| user.into_owned()) else {
            let status = match *request.method() == Method::Options {
                true => StatusCode::OK,
                false => StatusCode::NOT_FOUND,
            };
            return self.respond(key, status, now);
        };
        if *request.method() == Method::Invite {
            if self.is_crowded {
                return self.respond_later(key, request, now);
            }
            let begun = self.calls.begin(request, &user);
            self.tell(begun);
        }
        if let Some(extension) = self.refusing.get(&user).cloned() {
            return self.refuse(key, &extension, now);
        }
        let targets = self.targets(&user, &uri);
        if !targets.is_empty() {
            return self
                .proxy
                .forward(&mut self.layer, key, request, targets, now);
        }
        let status = match self.gate.knows(&user) {
            true => StatusCode::TEMPORARILY_UNAVAILABLE,
            false => StatusCode::NOT_FOUND,
        };
        self.respond(key, status, now);
    }

    /// Nobody could be told of this call.
    fn respond_later(&mut self, key: ServerKey, request: &Request, now: Instant) {
        let mut response = Response::to_request(request, StatusCode::SERVICE_UNAVAILABLE);
        // RFC 3261 §21.5.4; drawn, so that not everybody comes back at once.
        response.headers_mut().push_typed(&RetryAfter {
            seconds: self.rng.random_range(5..=15),
            params: Params::default(),
        });
        self.respond_with(key, response, now);
    }

    fn targets(&self, user: &str, uri: &Uri<'_>) -> Vec<Target> {
        if let Some(attendant) = self.attendants.get(user) {
            return vec![Target {
                flow: attendant.flow,
                uri: None,
            }];
        }
        let bindings = match uri.param("gr").filter(|device| !device.is_empty()) {
            Some(device) => self.registrar.device(user, device).into_iter().collect(),
            None => self.registrar.bindings(user),
        };
        bindings
            .into_iter()
            .map(|binding| Target {
                flow: binding.flow,
                uri: Some(binding.uri.clone()),
            })
            .collect()
    }

    fn tell_answer(&mut self, answer: Option<Box<Response>>) {
        let told =
            answer.and_then(|answer| self.calls.answer(answer.headers(), answer.status().code()));
        self.tell(told);
    }

    pub(crate) fn tell(&mut self, event: Option<Event>) {
        if let (Some(Event::Ended { call, .. }), Some(relay)) = (&event, &mut self.relay) {
            relay.forget_call(&call.call_id);
        }
        self.outputs.extend(event.map(Output::Event));
    }

    fn refuse(&mut self, key: ServerKey, extension: &Extension, now: Instant) {
        match extension {
            Extension::Refuse { code } => {
                let status = StatusCode::new(*code).unwrap_or(StatusCode::BUSY_HERE);
                self.respond(key, status, now);
            }
            Extension::Ring => {
                self.ringing.insert(key);
                self.respond(key, StatusCode::RINGING, now);
            }
            Extension::Echo
            | Extension::Tone { .. }
            | Extension::Prompt { .. }
            | Extension::Menu
            | Extension::Conference => {}
        }
    }

    /// Answers a request ourselves.
    pub(crate) fn respond(&mut self, key: ServerKey, status: StatusCode, now: Instant) {
        if let Some(request) = self.layer.received_request(key) {
            let response = Response::to_request(request, status);
            self.respond_with(key, response, now);
        }
    }

    /// Answers a request ourselves, with a To tag.
    pub(crate) fn respond_with(&mut self, key: ServerKey, mut response: Response, now: Instant) {
        if let Some(tag) = self.layer.local_tag(key)
            && let Ok(mut to) = response.headers().to().map(To::into_owned)
            && to.tag().is_none()
        {
            to.set_tag(tag);
            response.headers_mut().replace_typed(&to);
        }
        self.layer.respond(key, &response, now);
        let told = self
            .calls
            .answer(response.headers(), response.status().code());
        self.tell(told);
    }
}
