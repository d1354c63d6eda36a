//! Keeping one binding at the registrar, over whatever flow is up.

use std::time::{Duration, Instant};

use super::compose::push_all;
use super::event::{Event, Obstacle, Registered, RegistrationFailed};
use super::outside::is_challenge;
use super::usage::Sent;
use super::{Alarm, Endpoint, Wanted};
use crate::header::FlowTimer;
use crate::message::{HeaderName, Request, Response};
use crate::put::Put;
use crate::registration::{Bound, Outcome, Phase};
use crate::transaction::ClientKey;

/// What the registrar gave us beside a lifetime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) pub_gruu: Option<String>,
    pub(super) temp_gruu: Option<String>,
    pub(super) service_route: Vec<String>,
}

impl Endpoint {
    /// Wishes to be registered from now on: at once where a flow is up, else as soon as one is.
    ///
    /// Where a REGISTER is out already, nothing is sent: there is never more than one (RFC 3261 §10.2).
    pub fn register(&mut self, now: Instant) {
        self.wanted = Wanted::Registered;
        self.send_register(now);
        self.settle(now);
    }

    /// Wishes not to be registered any more; `Unregistered` follows.
    ///
    /// Give it before closing the flow, and wait for the event: afterwards it is too late.
    pub fn unregister(&mut self, now: Instant) {
        self.wanted = Wanted::Unregistered;
        self.alarms.stop(Alarm::Register);
        if !self.registration.is_outstanding() {
            self.send_unregister(now);
        }
        self.settle(now);
    }

    /// Returns how the registration stands.
    pub fn registration(&self) -> Phase {
        self.registration.phase()
    }

    /// Renews a wished registration over a flow that came up (RFC 5626 §4.5).
    pub(super) fn register_anew(&mut self, now: Instant) {
        if self.wanted == Wanted::Registered {
            self.send_register(now);
        }
    }

    pub(super) fn register_again(&mut self, now: Instant) {
        if self.wanted == Wanted::Registered {
            self.send_register(now);
        }
    }

    fn send_register(&mut self, now: Instant) {
        if self.registration.is_outstanding() || self.flows.newest().is_none() {
            return;
        }
        self.alarms.stop(Alarm::Register);
        self.outdated = false;
        let request = self.registration.register();
        self.send_prepared(request, now);
    }

    fn send_unregister(&mut self, now: Instant) {
        let bound = self.binding.is_some();
        if !bound || self.flows.newest().is_none() {
            self.registration.stop();
            return self.unbound();
        }
        let request = self.registration.unregister();
        self.send_prepared(request, now);
    }

    fn send_prepared(&mut self, mut request: Request, now: Instant) {
        let routes = self.configured_routes();
        let headers = request.headers_mut();
        for route in routes.iter().rev() {
            headers.put_front(HeaderName::Route, route);
        }
        headers.put(HeaderName::Supported, "path, outbound, gruu");
        headers.put(HeaderName::UserAgent, &self.config.user_agent);
        push_all(headers, &self.config.extra_headers);
        self.authorize(&mut request, None);
        self.send_register_request(request, 0, now);
    }

    fn send_register_request(&mut self, request: Request, retries: u32, now: Instant) {
        if let Some(flow) = self.flows.choose(None) {
            self.send(
                flow,
                request,
                |request| Sent::Register { request, retries },
                now,
            );
        }
    }

    pub(super) fn receive_register_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) {
        let Some(Sent::Register { request, retries }) = self.sent.remove(&key) else {
            return;
        };
        let cseq = is_challenge(&response).then(|| self.registration.next_cseq());
        let why = match self.try_challenge(&response, &request, retries, cseq, None) {
            Ok(again) => {
                self.outdated = false;
                return self.send_register_request(again, retries + 1, now);
            }
            Err(why) => why.map(Obstacle::from),
        };
        let outcome = self
            .registration
            .handle_response(&response, now, &mut self.rng);
        match outcome {
            Outcome::Bound(bound) => self.bound(bound, &response, now),
            Outcome::Unbound => self.unbound(),
            Outcome::Again => {
                let request = self.registration.request();
                self.send_prepared(request, now);
            }
            // What was refused is in force no more.
            Outcome::Refused { retry_in: None }
                if self.outdated && self.wanted == Wanted::Registered => {}
            Outcome::Refused { retry_in } => self.refused(Some(response), why, retry_in, now),
            Outcome::Dropped { retry_in } => {
                let why = Some(Obstacle::NoBinding);
                self.refused(Some(response), why, Some(retry_in), now);
            }
        }
        self.catch_up(now);
    }

    /// No answer came, or the flow was lost: the binding may live on, so nothing is said of `unregistered`.
    pub(super) fn register_unanswered(&mut self, now: Instant) {
        let leaving = self.registration.phase() == Phase::Unregistering;
        let retry_in = self.registration.handle_silence(now, &mut self.rng);
        if leaving {
            self.unbound();
        } else {
            self.refused(None, None, retry_in, now);
        }
        self.catch_up(now);
    }

    fn bound(&mut self, bound: Bound, response: &Response, now: Instant) {
        let renewed = self.binding.is_some();
        let timer = response.headers().typed::<FlowTimer>().and_then(Result::ok);
        self.flows
            .allow_silence(timer.map(|timer| Duration::from_secs(u64::from(timer.0))));
        self.alarms.start(Alarm::Register, now + bound.refresh_in);
        self.binding = Some(Binding {
            pub_gruu: bound.pub_gruu.clone(),
            temp_gruu: bound.temp_gruu.clone(),
            service_route: bound.service_route.clone(),
        });
        self.emit(Event::Registered(Registered {
            expires: bound.expires,
            pub_gruu: bound.pub_gruu,
            temp_gruu: bound.temp_gruu,
            service_route: bound.service_route,
            renewed,
        }));
    }

    fn unbound(&mut self) {
        self.binding = None;
        self.emit(Event::Unregistered);
    }

    fn refused(
        &mut self,
        response: Option<Response>,
        why: Option<Obstacle>,
        retry_in: Option<Duration>,
        now: Instant,
    ) {
        match retry_in {
            Some(wait) => self.alarms.start(Alarm::Register, now + wait),
            None => {
                self.binding = None;
                if self.wanted == Wanted::Registered {
                    self.wanted = Wanted::Nothing;
                }
            }
        }
        self.emit(Event::RegistrationFailed(RegistrationFailed {
            response,
            why,
            retry_in,
            fatal: retry_in.is_none(),
        }));
    }

    /// Does what was wished while a REGISTER was out.
    fn catch_up(&mut self, now: Instant) {
        if self.registration.is_outstanding() {
            return;
        }
        let bound = self.binding.is_some();
        match self.wanted {
            Wanted::Unregistered if bound => self.send_unregister(now),
            Wanted::Registered if self.outdated || self.registration.phase() == Phase::Idle => {
                self.send_register(now);
            }
            Wanted::Unregistered | Wanted::Registered | Wanted::Nothing => {}
        }
    }
}
