//! What a session or the account may touch beside itself.

use std::collections::VecDeque;
use std::time::Instant;

use sip::endpoint::{Body, CommandError, Invite, Reply, RequestId, ServerRequestId, UsageId};
use sip::header::Reason;
use sip::message::Method;

use crate::agent::Agent;
use crate::config::Config;
use crate::door::event::Event;
use crate::door::id::{SessionId, Ticket};
use crate::door::level::Level;
use crate::door::media::MediaCommand;
use crate::door::output::Output;

/// One input's surroundings: built for it, gone after it.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) agent: &'a mut Agent,
    pub(crate) outputs: &'a mut VecDeque<Output>,
    pub(crate) now: Instant,
    /// Milliseconds since 1970.
    pub(crate) unix_now: u64,
}

/// A request was not sent, because of a caller's mistake or the lack of a flow.
pub(crate) type NotSent = CommandError;

impl Context<'_> {
    pub(crate) fn emit(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(crate) fn media(&mut self, id: SessionId, command: impl Into<MediaCommand>) {
        self.outputs.push_back(Output::Media(id, command.into()));
    }

    pub(crate) fn reply(
        &mut self,
        ticket: Ticket,
        result: Result<crate::door::output::Reply, crate::door::error::PhoneError>,
    ) {
        self.outputs.push_back(Output::Reply(ticket, result));
    }

    pub(crate) fn trace(&mut self, level: Level, message: &str, details: serde_json::Value) {
        if level >= self.config.log_level {
            self.emit(Event::Trace {
                level,
                message: message.into(),
                details,
            });
        }
    }

    pub(crate) fn invite(&mut self, invite: Invite) -> Result<UsageId, NotSent> {
        self.agent.invite(invite, self.now, self.outputs)
    }

    pub(crate) fn cancel(&mut self, usage: UsageId, reason: Option<Reason<'_>>) {
        self.agent.cancel(usage, reason, self.now, self.outputs);
    }

    /// Goes on with an unanswered call of ours, whose flow was lost.
    pub(crate) fn resume(&mut self, usage: UsageId) {
        self.agent.resume(usage, self.now, self.outputs);
    }

    /// Ends an answered call whose other side does not answer.
    pub(crate) fn give_up(&mut self, usage: UsageId) {
        self.agent.give_up(usage, self.now, self.outputs);
    }

    /// Answers an INVITE; where its caller is gone, that is told separately.
    pub(crate) fn respond(&mut self, usage: UsageId, reply: &Reply) -> Result<(), NotSent> {
        self.agent.respond(usage, reply, self.now, self.outputs)
    }

    pub(crate) fn request(
        &mut self,
        usage: UsageId,
        method: Method,
        headers: &[(String, String)],
        body: Option<&Body>,
    ) -> Result<RequestId, NotSent> {
        self.agent
            .request(usage, method, headers, body, self.now, self.outputs)
    }

    /// Keeps the dialog of a call for notifications, beyond its end, until it is released.
    pub(crate) fn retain(&mut self, usage: UsageId) {
        self.agent.retain(usage);
    }

    pub(crate) fn release(&mut self, usage: UsageId) {
        self.agent.release(usage, self.outputs);
    }

    pub(crate) fn answer(&mut self, request: ServerRequestId, reply: &Reply) {
        self.agent.answer(request, reply, self.now, self.outputs);
    }
}
