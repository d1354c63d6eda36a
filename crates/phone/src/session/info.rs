//! INFO: what the parties tell each other inside a call (RFC 6086, and what was done before it).

use sip::endpoint::{Reply as Answer, ServerRequestId};
use sip::message::{HeaderName, Method, Request};

use super::requests::{PendingRequest, RequestOutcome, not_answered};
use super::{Context, Session, State};
use crate::door::content::Content;
use crate::door::dtmf::DtmfMethod;
use crate::door::event::Event;
use crate::door::id::Ticket;
use crate::door::output::Reply;
use crate::reading::{content, dtmf_relay};

impl Session {
    /// Sends an INFO; the command is done when it is answered.
    pub(crate) fn send_info(
        &mut self,
        ticket: Ticket,
        content_type: &str,
        body: &Content,
        ctx: &mut Context<'_>,
    ) {
        let sent = match (content::body(content_type, body), &self.state) {
            (Err(error), _) => Err(error),
            (Ok(body), State::Active(_)) => self.send(
                PendingRequest::Info(ticket),
                Method::Info,
                &[],
                Some(&body),
                ctx,
            ),
            (
                Ok(_),
                State::Pending(_)
                | State::Answering(_)
                | State::Offering(_)
                | State::Dialing(_)
                | State::Ending
                | State::Ended,
            ) => Err(not_answered()),
        };
        if let Err(error) = sent {
            ctx.reply(ticket, Err(error));
        }
    }

    pub(super) fn info_done(
        &mut self,
        ticket: Ticket,
        outcome: RequestOutcome<'_>,
        ctx: &mut Context<'_>,
    ) {
        ctx.reply(ticket, outcome.map(|_| Reply::Done));
    }

    /// Takes the peer's INFO: a key, or something for the application.
    pub(crate) fn informed(
        &mut self,
        id: ServerRequestId,
        request: &Request,
        ctx: &mut Context<'_>,
    ) {
        if request.headers().get(HeaderName::InfoPackage).is_some() {
            // RFC 6086 §4.2.2: we have announced no package.
            let refusal = Answer::new(469).header(HeaderName::RecvInfo.as_str(), "");
            return ctx.answer(id, &refusal);
        }
        if !self.is_live() {
            // Nobody listens to a call that rings.
            return ctx.answer(id, &Answer::new(480));
        }
        ctx.answer(id, &Answer::new(200));
        if let Some((tone, duration)) = dtmf_relay::read(request) {
            return self.pressed(tone, duration, DtmfMethod::Info, ctx);
        }
        // RFC 6086 §4.2.2: an INFO without a body only probes.
        if !request.body().is_empty() {
            ctx.emit(Event::Info {
                id: self.id,
                content_type: content::content_type(request.headers()),
                body: content::of_bytes(request.body()),
            });
        }
    }
}
