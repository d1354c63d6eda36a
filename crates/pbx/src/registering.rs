//! REGISTER: who it is, what is bound, and what the answer says (RFC 3261 §10.3).

use std::time::{Duration, Instant};

use sip::header::{Contact, Expires, MinExpires, NameAddr};
use sip::message::{HeaderName, Request, Response, StatusCode};
use sip::transaction::{FlowId, ServerKey};
use sip::uri::Uri;

use crate::event::Event;
use crate::event::UnregisterCause;
use crate::gate::Verdict;
use crate::output::Output;
use crate::pbx::Pbx;
use crate::registrar::{Binding, Change, Refusal, Registration};

impl Pbx {
    pub(crate) fn register(
        &mut self,
        key: ServerKey,
        flow: FlowId,
        request: &Request,
        now: Instant,
    ) {
        let user = match self.gate.judge(request, now) {
            Verdict::Challenge(response) => {
                self.respond_with(key, *response, now);
                return;
            }
            Verdict::Pass { user } => user,
        };
        let Some(address) = address_of_record(request) else {
            return self.respond(key, StatusCode::BAD_REQUEST, now);
        };
        // RFC 3261 §10.3, step 3: one user does not register another.
        if user.is_some_and(|user| user != address) {
            return self.respond(key, StatusCode::FORBIDDEN, now);
        }
        match self.bind(&address, flow, request, now) {
            Ok(changes) => {
                let response = self.accept(&address, request, now);
                self.respond_with(key, response, now);
                self.tell_changes(&address, changes);
            }
            Err(refusal) => {
                let response = self.refusal(request, refusal);
                self.respond_with(key, response, now);
            }
        }
    }

    fn bind(
        &mut self,
        user: &str,
        flow: FlowId,
        request: &Request,
        now: Instant,
    ) -> Result<Vec<Change>, Refusal> {
        let headers = request.headers();
        let contacts = headers
            .list::<Contact>()
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| Refusal::BadContact)?;
        let expires = match headers.typed::<Expires>() {
            Some(Ok(expires)) => Some(expires.0),
            Some(Err(_)) | None => None,
        };
        let registration = Registration {
            user,
            flow,
            call_id: headers.get(HeaderName::CallId).unwrap_or_default(),
            cseq: headers.cseq().map(|cseq| cseq.number).unwrap_or_default(),
            contacts,
            expires,
        };
        self.registrar.register(&registration, now)
    }

    fn accept(&self, user: &str, request: &Request, now: Instant) -> Response {
        let mut response = Response::to_request(request, StatusCode::OK);
        let mut outbound = false;
        let wants_gruu = request.headers().lists(HeaderName::Supported, "gruu");
        for binding in self.registrar.bindings(user) {
            outbound |= binding.reg_id.is_some();
            let contact = self.contact(user, binding, wants_gruu, now);
            response.headers_mut().push_typed(&contact);
        }
        if outbound {
            // RFC 5626 §6.
            push_plain(&mut response, HeaderName::Require, "outbound");
        }
        response
    }

    fn contact(
        &self,
        user: &str,
        binding: &Binding,
        wants_gruu: bool,
        now: Instant,
    ) -> Contact<'static> {
        // Rounded up: a client that trusts the answer must not come too late by a fraction.
        let left = binding.expires_at.saturating_duration_since(now) + Duration::from_millis(999);
        let mut address =
            NameAddr::new(binding.uri.clone()).with_param("expires", &left.as_secs().to_string());
        if let Some(instance) = &binding.instance {
            address = address.with_param("+sip.instance", &format!("<{instance}>"));
            if wants_gruu
                && let Ok(gruu) = Uri::sip(Some(user), &self.config.domain, None)
                && let Ok(gruu) = gruu.with_param("gr", instance)
            {
                address = address.with_param("pub-gruu", gruu.as_str());
            }
        }
        if let Some(reg_id) = binding.reg_id {
            address = address.with_param("reg-id", &reg_id.to_string());
        }
        Contact::Address(address)
    }

    fn refusal(&self, request: &Request, refusal: Refusal) -> Response {
        let status = match refusal {
            Refusal::BadContact => StatusCode::BAD_REQUEST,
            Refusal::TooBrief => StatusCode::INTERVAL_TOO_BRIEF,
            Refusal::OutOfOrder => StatusCode::SERVER_INTERNAL_ERROR,
            Refusal::TooMany => StatusCode::FORBIDDEN,
        };
        let mut response = Response::to_request(request, status);
        if refusal == Refusal::TooBrief {
            let seconds = self.registrar.min_expires().as_secs();
            response
                .headers_mut()
                .push_typed(&MinExpires(u32::try_from(seconds).unwrap_or(u32::MAX)));
        }
        response
    }

    fn tell_changes(&mut self, user: &str, changes: Vec<Change>) {
        self.outputs.extend(changes.into_iter().map(|change| {
            Output::Event(match change {
                Change::Added {
                    contact,
                    renewed,
                    expires,
                } => Event::Registered {
                    user: user.to_owned(),
                    contact,
                    expires: expires.as_secs(),
                    renewed,
                },
                Change::Removed { contact } => Event::Unregistered {
                    user: user.to_owned(),
                    contact,
                    cause: UnregisterCause::Request,
                },
            })
        }));
    }
}

fn address_of_record(request: &Request) -> Option<String> {
    let to = request.headers().to().ok()?;
    Some(to.uri().user_unescaped()?.into_owned())
}

fn push_plain(response: &mut Response, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .push(name, value)
        .expect("a constant without control characters is a header value");
}
