//! What is said beside calls: MESSAGE (RFC 3428) and OPTIONS (RFC 3261 §11).

use sip::endpoint::{Reply as Answer, RequestId, ServerRequestId};
use sip::header::{Accept, Allow, ContentType, Supported};
use sip::message::{HeaderName, Headers, Method, Request, Response};

use super::Phone;
use crate::door::content::Content;
use crate::door::error::PhoneError;
use crate::door::event::{Event, Message};
use crate::door::id::{SessionId, Ticket};
use crate::door::output::{Capabilities, Output, Reply};
use crate::door::text::short;
use crate::reading::{content, headers, outcome, parties, target};

/// What a MESSAGE may carry, since it is handed on as text.
const TEXTS: &str = "text/*, message/*, multipart/mixed, application/json, application/xml";
/// More names than this say nothing more.
const MOST_NAMES: usize = 64;

/// Why a request was sent outside any call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outside {
    Message(Ticket),
    Options(Ticket),
}

impl Outside {
    fn ticket(self) -> Ticket {
        match self {
            Self::Message(ticket) | Self::Options(ticket) => ticket,
        }
    }
}

impl Phone {
    pub(super) fn send_message(
        &mut self,
        ticket: Ticket,
        target: &str,
        content_type: &str,
        text: &Content,
        headers: &[(String, String)],
    ) -> Result<(), PhoneError> {
        let body = content::body(content_type, text)?;
        let errand = Outside::Message(ticket);
        self.send_outside(errand, target, Method::Message, headers, Some(&body))
    }

    pub(super) fn send_options(
        &mut self,
        ticket: Ticket,
        target: &str,
        headers: &[(String, String)],
    ) -> Result<(), PhoneError> {
        let errand = Outside::Options(ticket);
        self.send_outside(errand, target, Method::Options, headers, None)
    }

    fn send_outside(
        &mut self,
        errand: Outside,
        target: &str,
        method: Method,
        headers: &[(String, String)],
        body: Option<&sip::endpoint::Body>,
    ) -> Result<(), PhoneError> {
        let target = target::resolve(target, &self.config.address)?;
        super::command::check_headers(headers)?;
        if !self.agent.is_up() {
            return Err(PhoneError::not_connected());
        }
        let sent = self
            .context()
            .act(|endpoint, now| endpoint.request_outside(&target, method, headers, body, now));
        let request = sent.map_err(|error| outcome::not_sent(&error))?;
        self.outside.insert(request, errand);
        Ok(())
    }

    /// Takes the answer to a request outside any call; false if it was none of these.
    pub(super) fn outside_answered(&mut self, id: RequestId, response: &Response) -> bool {
        let Some(errand) = self.outside.remove(&id) else {
            return false;
        };
        let outcome = match (response.status().is_success(), errand) {
            (false, _) => Err(outcome::refused(response)),
            (true, Outside::Message(_)) => Ok(Reply::Done),
            (true, Outside::Options(_)) => {
                Ok(Reply::Capabilities(Box::new(capabilities(response))))
            }
        };
        self.outputs
            .push_back(Output::Reply(errand.ticket(), outcome));
        true
    }

    /// The same for one without an answer.
    pub(super) fn outside_failed(&mut self, id: RequestId, error: PhoneError) -> bool {
        let Some(errand) = self.outside.remove(&id) else {
            return false;
        };
        self.outputs
            .push_back(Output::Reply(errand.ticket(), Err(error)));
        true
    }

    /// The phone ends: nobody waits for these answers any more.
    pub(super) fn drop_outside(&mut self, error: &PhoneError) {
        for errand in std::mem::take(&mut self.outside).into_values() {
            let reply = Output::Reply(errand.ticket(), Err(error.clone()));
            self.outputs.push_back(reply);
        }
    }

    /// Takes a MESSAGE, of a call or of none.
    pub(super) fn messaged(
        &mut self,
        session: Option<SessionId>,
        id: ServerRequestId,
        request: &Request,
    ) {
        let headers = request.headers();
        if !is_text(headers) && !content::is_text(request.body()) {
            // RFC 3428 §7.
            let refusal = Answer::new(415).header("Accept", TEXTS);
            return self.context().answer(id, &refusal);
        }
        let message = Message {
            session_id: session,
            from: parties::caller(headers),
            content_type: content::content_type(headers),
            body: content::of_bytes(request.body()),
            headers: headers::list(headers),
        };
        let mut ctx = self.context();
        ctx.answer(id, &Answer::new(200));
        ctx.emit(Event::Message(Box::new(message)));
    }
}

fn is_text(headers: &Headers) -> bool {
    let Some(Ok(content_type)) = headers.typed::<ContentType<'_>>() else {
        // RFC 3261 §7.4.1 wants one; who leaves it out sends text.
        return headers.get(HeaderName::ContentType).is_none();
    };
    let media_type = content_type.value().to_ascii_lowercase();
    let Some((kind, subtype)) = media_type.split_once('/') else {
        return false;
    };
    match kind.trim() {
        "text" | "message" => true,
        "application" => {
            let subtype = subtype.trim();
            let names = ["json", "xml"];
            names
                .iter()
                .any(|name| subtype == *name || subtype.ends_with(&format!("+{name}")))
        }
        _other => false,
    }
}

fn capabilities(response: &Response) -> Capabilities {
    let headers = response.headers();
    let names = |all: &mut dyn Iterator<Item = String>| all.take(MOST_NAMES).collect();
    Capabilities {
        allow: names(
            &mut headers
                .list::<Allow<'_>>()
                .flatten()
                .map(|a| a.0.to_owned()),
        ),
        accept: names(
            &mut headers
                .list::<Accept<'_>>()
                .flatten()
                .map(|a| a.value().to_owned()),
        ),
        supported: names(
            &mut headers
                .list::<Supported<'_>>()
                .flatten()
                .map(|s| s.0.to_owned()),
        ),
        user_agent: headers
            .get(HeaderName::Server)
            .or_else(|| headers.get(HeaderName::UserAgent))
            .map(short),
        headers: headers::list(headers),
    }
}
