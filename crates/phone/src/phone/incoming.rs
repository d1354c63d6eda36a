//! Somebody calls: taken or refused before any session exists.

use std::time::Duration;

use sip::endpoint::{Replaced, Reply, ServerRequestId, UsageId};
use sip::header::Replaces;
use sip::message::{HeaderName, Request};

use super::Phone;
use crate::door::event::AutoAnswerSource;
use crate::door::id::SessionId;
use crate::door::level::Level;
use crate::reading::auto_answer::{self, IncomingCall};
use crate::reading::{arrival, parties};
use crate::session::{Admitted, Plan, Session};

impl Phone {
    pub(super) fn incoming(&mut self, usage: UsageId, request: &Request) {
        match self.judge(usage, request) {
            Ok(admitted) => {
                let id = self.new_id();
                let session = Session::arrive(id, admitted, &mut self.around.context());
                self.sessions.keep(Box::new(session), self.around.now);
            }
            Err(refusal) => {
                self.counting.refuse(refusal.code);
                let load = self.around.load;
                let mut ctx = self.around.context();
                let details = serde_json::json!({ "code": refusal.code, "load": load });
                ctx.trace(Level::Info, "An incoming call was refused", details);
                // Its only failure is that the caller has gone already.
                let _ = ctx.respond(usage, &refusal);
            }
        }
    }

    fn judge(&mut self, usage: UsageId, request: &Request) -> Result<Admitted, Reply> {
        if self.ending.has_begun() {
            return Err(Reply::new(480));
        }
        let trust = self.around.agent.trust_in(&usage, &self.around.config);
        let arrival = arrival::read(usage, request, &self.around.config, trust);
        let mut replaces = None;
        let replaced = self.replaced(usage, request).map_err(Reply::new)?;
        if let Some(old) = replaced
            && self
                .sessions
                .values()
                .all(|other| other.to_replace() != Some(old))
        {
            let media = &self.around.config.media;
            let old_session = self.sessions.get(&old);
            replaces = old_session.and_then(|session| session.succession(media));
            // RFC 7989 §10.2: who is talked to stays the same, whoever talks.
            if let Some(uuid) = self.sessions.get(&old).and_then(Session::uuid) {
                self.around
                    .context()
                    .act_for(&usage, |endpoint, _| endpoint.keep_session(usage, uuid));
            }
            if self.admits(old, request) {
                // Its user has agreed to a call already: this one only goes on elsewhere.
                let source = AutoAnswerSource::Replaces;
                let delay = Duration::ZERO;
                return Ok(Admitted {
                    arrival,
                    replaces,
                    plan: Plan::Answer { source, delay },
                });
            }
        }
        let announced = self
            .announced
            .contains(&arrival.conversation_id, self.around.now);
        let plan = self.plan(request, announced, replaced);
        // One that takes another's place adds none.
        let fewer = usize::from(replaces.is_some());
        self.room_for_a_call(plan.is_ok_and(Plan::rings), fewer)?;
        let plan = plan.map_err(Reply::new)?;
        self.announced.forget(&arrival.conversation_id);
        Ok(Admitted {
            arrival,
            replaces,
            plan,
        })
    }

    /// What becomes of a call, or the code with which it is refused.
    fn plan(
        &self,
        request: &Request,
        announced: bool,
        replaced: Option<SessionId>,
    ) -> Result<Plan, u16> {
        let verdict = auto_answer::judge(
            &self.around.config.auto_answer,
            IncomingCall {
                headers: request.headers(),
                request_uri: request.uri().as_str(),
                callers: &parties::caller_addresses(request.headers()),
                announced,
                busy: self
                    .sessions
                    .values()
                    .any(|session| session.is_live() && replaced != Some(session.id)),
            },
        );
        Plan::of(verdict)
    }

    /// Takes what the application's function decided, or `false` for its silence.
    pub(super) fn decide(&mut self, id: SessionId, answer: bool) {
        let rings = |session: &Session| session.would_ring(answer);
        // It was asked about while others were, and only now is to ring.
        if self.sessions.get(&id).is_some_and(rings)
            && let Err(refusal) = self.room_for_a_call(true, 1)
        {
            self.act_on(id, |session, ctx| session.find_no_room(refusal, ctx));
        } else {
            self.act_on(id, |session, ctx| session.decide(answer, ctx));
        }
    }

    /// Lets those ring for which the application's function took too long.
    pub(super) fn drive_decisions(&mut self) {
        let late: Vec<SessionId> = self
            .sessions
            .values()
            .filter(|session| session.is_decided_too_late(self.around.now))
            .map(|session| session.id)
            .collect();
        for id in late {
            self.decide(id, false);
        }
    }

    /// Answers OPTIONS outside any call as an INVITE would be answered (RFC 3261 §11.2).
    pub(super) fn asked_what_we_can(&mut self, id: ServerRequestId, request: &Request) {
        let plan = self.plan(request, false, None);
        let room = self.room_for_a_call(plan.is_ok_and(Plan::rings), 0);
        let answer = match room.and(plan.map_err(Reply::new)) {
            Ok(_) => Reply::new(200),
            Err(refusal) => refusal,
        };
        let answer = self.tell_load(answer);
        self.around.context().answer(id, &answer);
    }

    /// The session that an INVITE wants to replace, which its caller can only of its own peer's or its server's; a status if it
    /// can't (RFC 3891 §3).
    fn replaced(&self, caller: UsageId, request: &Request) -> Result<Option<SessionId>, u16> {
        let all: Vec<_> = request.headers().list::<Replaces<'_>>().collect();
        let replaces = match all.as_slice() {
            [] => return Ok(None),
            [Ok(replaces)] if request.headers().get(HeaderName::Join).is_none() => replaces,
            [_, ..] => return Err(400),
        };
        let usage = match self.around.agent.endpoint_of(&caller).replaced(replaces) {
            Replaced::Nothing => return Err(481),
            Replaced::Ended => return Err(603),
            Replaced::Confirmed(_) if replaces.is_early_only() => return Err(486),
            Replaced::Early(usage) | Replaced::Confirmed(usage) => usage,
        };
        let session = self.sessions.of(usage).ok_or(481_u16)?;
        // Given up, though its last answer or its ACK is still to come: nobody goes on with what its user has ended.
        match self.sessions.get(&session).is_some_and(Session::is_live) {
            true => Ok(Some(session)),
            false => Err(603),
        }
    }

    /// Whether a caller may have the place of a call without being let in as any other.
    fn admits(&self, old: SessionId, request: &Request) -> bool {
        let claims = parties::claims(request.headers());
        self.sessions
            .get(&old)
            .is_some_and(|old| old.admits(&claims))
    }
}
