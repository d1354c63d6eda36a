//! What is said beside calls: MESSAGE (RFC 3428) and OPTIONS (RFC 3261 §11).

use std::collections::BTreeMap;

use sip::endpoint::{Reply as Answer, RequestId, ServerRequestId};
use sip::header::{Accept, Allow, ContentType, Supported};
use sip::message::{HeaderName, Headers, Method, Request, Response};

use crate::agent::Context;
use crate::door::content::Content;
use crate::door::error::PhoneError;
use crate::door::event::{Event, Message};
use crate::door::id::{SessionId, Ticket};
use crate::door::output::{Capabilities, Reply};
use crate::door::text::short;
use crate::reading::{content, headers, outcome, parties, target};

/// What a MESSAGE may carry, since it is handed on as text.
const TEXTS: &str = "text/*, message/*, multipart/mixed, application/json, application/xml";
/// More names than this say nothing more.
const MOST_NAMES: usize = 64;

/// Requests outside any call that are not answered, and what they are for.
#[derive(Debug, Default)]
pub(super) struct StandaloneRequests(BTreeMap<RequestId, Standalone>);

/// Why a request was sent outside any call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standalone {
    Message(Ticket),
    Options(Ticket),
}

impl Standalone {
    fn ticket(self) -> Ticket {
        match self {
            Self::Message(ticket) | Self::Options(ticket) => ticket,
        }
    }
}

impl StandaloneRequests {
    pub(super) fn send_message(
        &mut self,
        ticket: Ticket,
        target: &str,
        content_type: &str,
        text: &Content,
        headers: &[(String, String)],
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        let body = content::body(content_type, text)?;
        let purpose = Standalone::Message(ticket);
        self.send(purpose, target, Method::Message, headers, Some(&body), ctx)
    }

    pub(super) fn send_options(
        &mut self,
        ticket: Ticket,
        target: &str,
        headers: &[(String, String)],
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        let purpose = Standalone::Options(ticket);
        self.send(purpose, target, Method::Options, headers, None, ctx)
    }

    fn send(
        &mut self,
        purpose: Standalone,
        target: &str,
        method: Method,
        headers: &[(String, String)],
        body: Option<&sip::endpoint::Body>,
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        let target = target::resolve(target, &ctx.config.address)?;
        super::command::check_headers(headers)?;
        if !ctx.agent.is_up() {
            return Err(PhoneError::not_connected());
        }
        let sent =
            ctx.act(|endpoint, now| endpoint.request_outside(&target, method, headers, body, now));
        let request = sent.map_err(|error| outcome::not_sent(&error))?;
        self.0.insert(request, purpose);
        Ok(())
    }

    /// Takes the answer to a request outside any call; false if it was none of these.
    pub(super) fn answered(
        &mut self,
        id: RequestId,
        response: &Response,
        ctx: &mut Context<'_>,
    ) -> bool {
        let Some(purpose) = self.0.remove(&id) else {
            return false;
        };
        let outcome = match (response.status().is_success(), purpose) {
            (false, _) => Err(outcome::refused(response)),
            (true, Standalone::Message(_)) => Ok(Reply::Done),
            (true, Standalone::Options(_)) => {
                Ok(Reply::Capabilities(Box::new(capabilities(response))))
            }
        };
        ctx.reply(purpose.ticket(), outcome);
        true
    }

    /// The same for one without an answer.
    pub(super) fn failed(
        &mut self,
        id: RequestId,
        error: PhoneError,
        ctx: &mut Context<'_>,
    ) -> bool {
        let Some(purpose) = self.0.remove(&id) else {
            return false;
        };
        ctx.reply(purpose.ticket(), Err(error));
        true
    }

    /// The phone ends: nobody waits for these answers any more.
    pub(super) fn leave(&mut self, error: &PhoneError, ctx: &mut Context<'_>) {
        for purpose in std::mem::take(&mut self.0).into_values() {
            ctx.reply(purpose.ticket(), Err(error.clone()));
        }
    }
}

/// Takes a MESSAGE, of a call or of none.
pub(super) fn messaged(
    session: Option<SessionId>,
    id: ServerRequestId,
    request: &Request,
    ctx: &mut Context<'_>,
) {
    let headers = request.headers();
    if !is_text(headers) && !content::is_text(request.body()) {
        // RFC 3428 §7.
        let refusal = Answer::new(415).header("Accept", TEXTS);
        return ctx.answer(id, &refusal);
    }
    let message = Message {
        session_id: session,
        from: parties::caller(headers),
        content_type: content::content_type(headers),
        body: content::of_bytes(request.body()),
        headers: headers::list(headers),
    };
    ctx.answer(id, &Answer::new(200));
    ctx.emit(Event::Message(Box::new(message)));
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
