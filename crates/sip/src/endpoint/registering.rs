//! Keeping one binding at the registrar, over whatever flow is up.

use std::time::{Duration, Instant};

use super::compose::push_all;
use super::event::{Event, Obstacle, Registered, RegistrationFailed};
use super::standalone_requests::is_challenge;
use super::state::registrar::Owed;
use super::state::usage::Sent;
use super::{Alarm, Endpoint};
use crate::header::FlowTimer;
use crate::message::{HeaderName, Request, Response};
use crate::put::Put;
use crate::registration::{Bound, Phase, RegistrationOutcome};
use crate::transaction::ClientKey;

impl Endpoint {
    /// Wishes to be registered from now on: at once if a flow is up, else as soon as one is.
    ///
    /// Where a REGISTER is out already, nothing is sent: there is never more than one (RFC 3261 §10.2).
    pub fn register(&mut self, now: Instant) {
        self.registrar.want_binding();
        self.send_register(now);
        self.settle(now);
    }

    /// Wishes not to be registered any more; `Unregistered` follows.
    ///
    /// Give it before closing the flow, and wait for the event: afterwards it is too late.
    pub fn unregister(&mut self, now: Instant) {
        self.registrar.want_no_binding();
        self.alarms.stop(Alarm::Register);
        if !self.registrar.is_asked() {
            self.send_unregister(now);
        }
        self.settle(now);
    }

    /// Returns how the registration stands.
    pub fn registration(&self) -> Phase {
        self.registrar.phase()
    }

    /// Renews a wished registration: its time has come, or a flow came up (RFC 5626 §4.5).
    pub(super) fn register_anew(&mut self, now: Instant) {
        if self.registrar.wants_binding() {
            self.send_register(now);
        }
    }

    fn send_register(&mut self, now: Instant) {
        if self.registrar.is_asked() || self.flows.newest().is_none() {
            return;
        }
        self.alarms.stop(Alarm::Register);
        let request = self.registrar.register();
        self.send_prepared(request, now);
    }

    fn send_unregister(&mut self, now: Instant) {
        if !self.registrar.is_bound() || self.flows.newest().is_none() {
            self.registrar.stop();
            return self.unbound();
        }
        let request = self.registrar.unregister();
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
        self.signer.sign(&mut request, None);
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
        let Some(Sent::Register { request, retries }) = self.exchanges.take_sent(key) else {
            return;
        };
        let cseq = is_challenge(&response).then(|| self.registrar.next_cseq());
        let why = match self.try_challenge(&response, &request, retries, cseq, None) {
            Ok(again) => {
                self.registrar.is_up_to_date();
                return self.send_register_request(again, retries + 1, now);
            }
            Err(why) => why.map(Obstacle::from),
        };
        let outcome = self.registrar.answered(&response, now, self.draws.rng());
        match outcome {
            RegistrationOutcome::Bound(bound) => self.bound(bound, &response, now),
            RegistrationOutcome::Unbound => self.unbound(),
            RegistrationOutcome::Again => {
                let request = self.registrar.again();
                self.send_prepared(request, now);
            }
            // What was refused is in force no more.
            RegistrationOutcome::Refused { retry_in: None } if self.registrar.is_outdated() => {}
            RegistrationOutcome::Refused { retry_in } => {
                self.refused(Some(response), why, retry_in, now)
            }
            RegistrationOutcome::Dropped { retry_in } => {
                let why = Some(Obstacle::NoBinding);
                self.refused(Some(response), why, Some(retry_in), now);
            }
        }
        self.catch_up(now);
    }

    /// No answer came, or the flow was lost: the binding may live on, so nothing is said of `unregistered`.
    pub(super) fn register_unanswered(&mut self, now: Instant) {
        let leaving = self.registrar.phase() == Phase::Unregistering;
        let retry_in = self.registrar.unanswered(now, self.draws.rng());
        if leaving {
            self.unbound();
        } else {
            self.refused(None, None, retry_in, now);
        }
        self.catch_up(now);
    }

    fn bound(&mut self, bound: Bound, response: &Response, now: Instant) {
        let renewed = self.registrar.bind(&bound);
        let timer = response.headers().typed::<FlowTimer>().and_then(Result::ok);
        self.flows
            .allow_silence(timer.map(|timer| Duration::from_secs(u64::from(timer.0))));
        self.alarms.start(Alarm::Register, now + bound.refresh_in);
        self.emit(Event::Registered(Registered {
            expires: bound.expires,
            pub_gruu: bound.pub_gruu,
            temp_gruu: bound.temp_gruu,
            service_route: bound.service_route,
            renewed,
        }));
    }

    fn unbound(&mut self) {
        self.registrar.unbind();
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
            None => self.registrar.give_up(),
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
        match self.registrar.owed() {
            Owed::Nothing => {}
            Owed::Register => self.send_register(now),
            Owed::Unregister => self.send_unregister(now),
        }
    }
}
