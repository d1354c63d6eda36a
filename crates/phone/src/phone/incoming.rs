//! Somebody calls: taken or refused before any session exists.

use sip::endpoint::{Reply, UsageId};
use sip::message::Request;

use super::Phone;
use crate::auto_answer::{self, Call};
use crate::event::Level;
use crate::session::{Plan, Session};
use crate::wire;

/// Whatever the application allows: calls beyond this are an attack or a mistake.
const MOST_SESSIONS: usize = 4096;

impl Phone {
    pub(super) fn incoming(&mut self, usage: UsageId, request: &Request) {
        match self.judge(usage, request) {
            Ok((arrival, plan)) => {
                let id = self.new_id();
                let session = Session::arrive(id, arrival, plan, &mut self.context());
                self.keep(session);
            }
            Err(code) => {
                let mut ctx = self.context();
                let details = serde_json::json!({ "code": code });
                ctx.trace(Level::Info, "An incoming call was refused", details);
                // Its only failure is that the caller has gone already.
                let _ = ctx.respond(usage, &Reply::new(code));
            }
        }
    }

    fn judge(
        &mut self,
        usage: UsageId,
        request: &Request,
    ) -> Result<(crate::session::Arrival, Plan), u16> {
        if self.ending.has_begun() {
            return Err(480);
        }
        let limit = self.config.max_sessions.unwrap_or(MOST_SESSIONS);
        if self.count() >= limit.min(MOST_SESSIONS) {
            return Err(486);
        }
        let arrival = wire::arrival(usage, request, &self.config);
        let announced = self.is_expected(&arrival.conversation_id);
        let verdict = auto_answer::judge(
            &self.config.auto_answer,
            Call {
                headers: &arrival.headers,
                request_uri: request.uri().as_str(),
                callers: &wire::caller_addresses(request.headers()),
                announced,
                busy: self.sessions.values().any(Session::is_live),
            },
        );
        let plan = Plan::of(verdict)?;
        self.expected
            .retain(|(conversation, _)| *conversation != arrival.conversation_id);
        Ok((arrival, plan))
    }

    /// Sessions that the application knows of.
    pub(super) fn count(&self) -> usize {
        self.sessions
            .values()
            .filter(|session| session.is_live() || session.is_pending())
            .count()
    }

    fn is_expected(&mut self, conversation: &str) -> bool {
        let now = self.now;
        self.expected.retain(|(_, until)| *until > now);
        self.expected
            .iter()
            .any(|(expected, _)| expected == conversation)
    }
}
