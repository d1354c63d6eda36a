//! What a message has to be before anybody looks at what it wants (RFC 3261 §8.1.3, §8.2).

use std::time::Instant;

use rand::{Rng, RngExt};

use super::command::Reply;
use super::{Endpoint, compose, reliable};
use crate::dialog::to_tag;
use crate::header::{ContentDisposition, ContentType, Require, Via};
use crate::message::{HeaderName, Headers, Method, ParseError, Request, Response};
use crate::transaction::{FlowId, ServerKey};
use crate::uri::Scheme;

/// Checks an answer; one with more than our own Via was meant for somebody else (RFC 3261 §8.1.3.3).
pub(super) fn vet_response(response: &Response) -> Result<(), &'static str> {
    match response.headers().list::<Via>().count() {
        1 => Ok(()),
        _none_or_several => Err("an answer with more than one Via"),
    }
}

impl Endpoint {
    /// Answers what can't be read, if it can be answered at all (RFC 3261 §18.3).
    pub(super) fn refuse_unreadable(&mut self, flow: FlowId, error: ParseError) {
        let why = format!("not a SIP message: {error}");
        if let Some(mut response) = error.into_reply() {
            let tag = format!("{:016x}", self.draws.rng().next_u64());
            compose::set_to_tag(&mut response, &tag);
            self.layer.transmit(flow, response.to_bytes());
            while let crate::transaction::LayerOutput::Transmit { flow, bytes } =
                self.layer.poll_output()
            {
                self.outputs
                    .push_back(super::Output::Transmit { flow, bytes });
            }
        }
        self.discard(why);
    }

    /// Checks a request in the order of RFC 3261 §8.2, and returns the refusal.
    pub(super) fn vet_request(&self, request: &Request) -> Result<(), Reply> {
        self.vet_sanity(request)?;
        self.vet_method(request)?;
        self.vet_scheme(request)?;
        self.vet_extensions(request)?;
        self.vet_body(request)
    }

    fn vet_sanity(&self, request: &Request) -> Result<(), Reply> {
        match request.headers().cseq() {
            // RFC 3261 §8.1.1.5: less than 2^31.
            Ok(cseq) if cseq.number < 1 << 31 && &cseq.method == request.method() => Ok(()),
            Ok(_) | Err(_) => Err(Reply::new(400).because("Bad CSeq")),
        }
    }

    fn vet_method(&self, request: &Request) -> Result<(), Reply> {
        if self.config.allow.contains(request.method()) {
            return Ok(());
        }
        Err(Reply::new(405).header("Allow", compose::join(&self.config.allow)))
    }

    fn vet_scheme(&self, request: &Request) -> Result<(), Reply> {
        match request.uri().scheme() {
            Scheme::Sip | Scheme::Sips | Scheme::Tel => Ok(()),
            Scheme::Other => Err(Reply::new(416)),
        }
    }

    fn vet_extensions(&self, request: &Request) -> Result<(), Reply> {
        let headers = request.headers();
        let mut unknown = Vec::new();
        // Proxy-Require is for proxies (RFC 3261 §20.29).
        let required = headers.list::<Require>().filter_map(Result::ok);
        for tag in required.map(|tag| tag.to_string()) {
            let supported = self.config.supported.iter().map(String::as_str);
            let mut known = supported.chain([reliable::TAG]);
            if !known.any(|known| known.eq_ignore_ascii_case(&tag)) {
                unknown.push(tag);
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Reply::new(420).header("Unsupported", unknown.join(", ")))
    }

    fn vet_body(&self, request: &Request) -> Result<(), Reply> {
        let headers = request.headers();
        if request.body().is_empty() || is_optional(headers) {
            return Ok(());
        }
        let encoding = headers.get(HeaderName::ContentEncoding);
        if encoding.is_some_and(|encoding| !encoding.trim().eq_ignore_ascii_case("identity")) {
            return Err(Reply::new(415).header("Accept-Encoding", "identity"));
        }
        let offers = matches!(request.method(), Method::Invite | Method::Update);
        if !offers || self.takes(request) {
            return Ok(());
        }
        Err(Reply::new(415).header("Accept", self.config.accept.join(", ")))
    }

    /// Says whether we read bodies of this type; a multipart may contain one that we do.
    fn takes(&self, request: &Request) -> bool {
        let content_type = match request.headers().typed::<ContentType>() {
            Some(Ok(content_type)) => content_type,
            // RFC 3261 §7.4.1 wants one; what begins so is a session description without.
            None => return request.body().starts_with(b"v=0"),
            Some(Err(_)) => return false,
        };
        let multipart = content_type
            .value()
            .get(..10)
            .is_some_and(|start| start.eq_ignore_ascii_case("multipart/"));
        let mut accept = self.config.accept.iter();
        multipart || accept.any(|accepted| content_type.is_media_type(accepted))
    }

    /// Admits a request before anything is kept of it: our caller has to be able to take it, and a call that somebody places
    /// has to find room and be within the rate.
    pub(super) fn admit(&mut self, request: &Request, now: Instant) -> Result<(), Reply> {
        let within = to_tag(request.headers()).is_some();
        let method = request.method();
        if !self.admission.takes(request, within) && self.layer.is_new(request) {
            let offers = matches!(method, Method::Invite | Method::Update);
            return Err(match within && offers {
                // RFC 3261 §14.2: the call stays as it was.
                true => self.later(),
                false => self.overloaded(),
            });
        }
        match method == &Method::Invite && !within && self.layer.is_new(request) {
            true => self.admit_call(now),
            false => Ok(()),
        }
    }

    /// RFC 3261 §11.2: OPTIONS is answered as an INVITE would be, which our caller knows the rest of.
    pub(super) fn receive_options(&mut self, key: ServerKey, request: Request, now: Instant) {
        let most = self.config.limits.new_dialogs_per_second;
        match self.admission.has_room_for_call(most, now) {
            true => self.hand_up(key, None, request),
            false => {
                let refusal = self.overloaded();
                self.refuse(key, &request, &refusal, now);
            }
        }
    }

    fn admit_call(&mut self, now: Instant) -> Result<(), Reply> {
        let most = self.config.limits;
        let in_time = self.admission.admit_call(most.new_dialogs_per_second, now);
        let has_room =
            self.calls.unanswered() < most.unanswered && self.calls.others() < most.usages;
        match in_time && has_room {
            true => Ok(()),
            false => Err(self.overloaded()),
        }
    }

    /// Says whether one more subscriber may be made known to us in this second.
    pub(super) fn admit_subscriber(&mut self, now: Instant) -> Result<(), Reply> {
        let most = self.config.limits.new_dialogs_per_second;
        match self.admission.admit_subscriber(most, now) {
            true => Ok(()),
            false => Err(self.overloaded()),
        }
    }

    /// RFC 3261 §21.5.4; the wait is drawn, so that not everybody comes back at once.
    fn overloaded(&mut self) -> Reply {
        let wait: u32 = self.draws.rng().random_range(5..=15);
        Reply::new(503).header("Retry-After", wait.to_string())
    }
}

/// Why the sender of a request can't be reached, if that is so.
pub(super) fn bad_contact(headers: &Headers) -> &'static str {
    match headers.contains(HeaderName::Contact) {
        true => "Bad Contact",
        false => "Missing Contact",
    }
}

fn is_optional(headers: &Headers) -> bool {
    let disposition = headers.typed::<ContentDisposition>().and_then(Result::ok);
    disposition.is_some_and(|disposition| {
        disposition
            .param("handling")
            .is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
    })
}
