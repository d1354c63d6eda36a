//! What the SIP endpoint tells, taken to whom it concerns.

use sip::endpoint::{self, EndCause, FailureCause, Reply, ServerRequestId, UsageId};
use sip::message::{Method, Request};

use super::subscriptions::tell_of_messages;
use super::{Phone, messaging};
use crate::account;
use crate::account::Needed;
use crate::agent::Context;
use crate::config::Policy;
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::hold_via::HoldVia;
use crate::door::id::SessionId;
use crate::door::level::Level;
use crate::reading::outcome;
use crate::session::Session;

impl Phone {
    pub(super) fn take(&mut self, event: endpoint::Event) {
        match event {
            endpoint::Event::Registered(granted) => {
                let change = self
                    .account
                    .registered(&granted, &mut self.around.context());
                self.changed(change);
            }
            endpoint::Event::Unregistered => {
                self.account.unregistered(&mut self.around.context());
            }
            endpoint::Event::RegistrationFailed(failed) => {
                let spared = self.around.config.session_survivability;
                let outlive = |session: &Session| session.outlives_flow(spared);
                let of_trunk = |session: &Session| {
                    let usage = session.usage;
                    usage.is_some_and(|usage| self.around.agent.trunk_of(&usage).is_some())
                };
                let needs_none = |session: &Session| of_trunk(session) || outlive(session);
                let connection = match self.sessions.values().all(needs_none) {
                    true => Needed::ForNothing,
                    false => Needed::ForCalls,
                };
                let mut ctx = self.around.context();
                let change = self
                    .account
                    .registration_failed(&failed, connection, &mut ctx);
                self.changed(change);
            }
            endpoint::Event::FlowFailed { .. } => {
                let change = self.account.fell_silent(&mut self.around.context());
                self.changed(change);
            }
            endpoint::Event::Incoming { usage, request } => self.incoming(usage, &request),
            endpoint::Event::Provisional {
                usage, response, ..
            } => {
                self.of(usage, |session, ctx| session.progress(&response, ctx));
            }
            endpoint::Event::Answered { usage, response } => {
                self.of(usage, |session, ctx| session.answered(&response, ctx));
            }
            endpoint::Event::Redirecting {
                usage,
                target,
                response,
            } => {
                self.of(usage, |session, ctx| {
                    session.redirected(&target, &response, ctx);
                });
            }
            endpoint::Event::Redirected {
                usage, response, ..
            } => self.failed(usage, &FailureCause::Response(response)),
            endpoint::Event::CredentialsRefused { .. } => {
                self.account.call_refused(&mut self.around.context());
            }
            endpoint::Event::Failed { usage, cause } => self.failed(usage, &cause),
            endpoint::Event::Cancelled { usage, cancel } => {
                let causes = cancel.map(|cancel| outcome::causes(cancel.headers()));
                self.of(usage, |session, ctx| {
                    session.cancelled(causes.as_ref(), ctx)
                });
            }
            endpoint::Event::Acked { usage, ack } => {
                self.of(usage, |session, ctx| session.acknowledged(&ack, ctx));
            }
            endpoint::Event::AckTimeout { .. } => {}
            endpoint::Event::Request { usage, id, request } => self.request(usage, id, &request),
            endpoint::Event::RequestGone { id } => {
                if self.notifiers.request_gone(id) || self.call_requests.request_gone(id) {
                    return;
                }
                let owing = self.sessions.values().find(|session| session.owes(id));
                if let Some(session) = owing.map(|session| session.id) {
                    self.act_on(session, |session, _| session.reoffer_gone(id));
                }
            }
            endpoint::Event::Response { id, response } => {
                if self
                    .standalone_requests
                    .answered(id, &response, &mut self.around.context())
                {
                    return;
                }
                if let Some(usage) = self.around.agent.take_requester(id) {
                    self.orphan_answered(usage, &response);
                    self.of(usage, |session, ctx| {
                        session.request_answered(id, &response, ctx)
                    });
                }
            }
            endpoint::Event::RequestFailed { id, cause } => {
                if self.standalone_requests.failed(
                    id,
                    outcome::unanswered(cause),
                    &mut self.around.context(),
                ) {
                    return;
                }
                if let Some(usage) = self.around.agent.take_requester(id) {
                    self.orphan_unanswered(usage, cause);
                    self.of(usage, |session, ctx| session.request_failed(id, cause, ctx));
                }
            }
            endpoint::Event::RefreshDue { usage } => {
                self.of(usage, Session::renewal_due);
            }
            endpoint::Event::Subscribed { subscription } => self
                .subscriptions
                .subscribed(subscription, &mut self.around.context()),
            endpoint::Event::Notified {
                subscription,
                request,
            } => self
                .subscriptions
                .notified(subscription, &request, &mut self.around.context()),
            endpoint::Event::Unsubscribed { subscription, end } => {
                self.subscriptions.unsubscribed(
                    subscription,
                    &end,
                    &mut self.rng,
                    &mut self.around.context(),
                );
            }
            endpoint::Event::NotifierEnded { notifier, end } => {
                self.notifiers
                    .ended(notifier, &end, &mut self.around.context());
            }
            endpoint::Event::OfferDue { usage } => {
                self.of(usage, Session::offer_due);
            }
            endpoint::Event::NoAnswer { usage } => {
                self.of(usage, Session::unheard_of);
            }
            endpoint::Event::Ended { usage, cause } => self.ended(usage, cause),
            endpoint::Event::Unanswered { method, why } => {
                let why = account::obstacle(why.into());
                let details = serde_json::json!({ "method": method.as_str(), "why": why });
                self.around
                    .context()
                    .trace(Level::Warn, "A challenge was not answered", details);
            }
            endpoint::Event::Discarded { why } => {
                let details = serde_json::json!({ "why": why });
                self.around
                    .context()
                    .trace(Level::Debug, "A SIP message was dropped", details);
            }
        }
    }

    /// Lets the session of a usage act; one that is gone already does not.
    fn of(&mut self, usage: UsageId, act: impl FnOnce(&mut Session, &mut Context<'_>)) {
        if let Some(id) = self.sessions.of(usage) {
            self.act_on(id, act);
        }
    }

    fn failed(&mut self, usage: UsageId, cause: &FailureCause) {
        let reason = match cause {
            FailureCause::Response(response) | FailureCause::AnsweredAfterCancel(response) => {
                let causes = outcome::causes(response.headers());
                EndReason {
                    targets: outcome::targets(response),
                    ..EndReason::of_response(outcome::status(response), &causes)
                }
            }
            FailureCause::Timeout => EndReason::new(
                Condition::Timeout,
                Side::Network,
                "The call was not answered in time",
            ),
            FailureCause::Transport => EndReason::new(
                Condition::ConnectivityError,
                Side::Network,
                "The connection was lost",
            ),
        };
        self.of(usage, |session, ctx| session.ended(reason, ctx));
    }

    fn ended(&mut self, usage: UsageId, cause: EndCause) {
        if self.orphan_ended(usage) {
            return;
        }
        let reason = match cause {
            EndCause::Bye(bye) => EndReason::of_bye(&outcome::causes(bye.headers())),
            EndCause::Local => EndReason::new(Condition::Success, Side::Local, "Ended here"),
            EndCause::Gone(response) => EndReason {
                condition: Condition::Gone,
                ..EndReason::of_response(
                    outcome::status(&response),
                    &outcome::causes(response.headers()),
                )
            },
            EndCause::NoAnswer => EndReason::new(
                Condition::ConnectivityError,
                Side::Network,
                "The other party does not answer any more",
            ),
            EndCause::Expired => EndReason::new(
                Condition::Expired,
                Side::Network,
                "The other party did not refresh the session in time",
            ),
            EndCause::NoAck => EndReason::new(
                Condition::Timeout,
                Side::Network,
                "The caller did not acknowledge our answer",
            ),
        };
        self.of(usage, |session, ctx| session.ended(reason, ctx));
    }

    fn request(&mut self, usage: Option<UsageId>, id: ServerRequestId, request: &Request) {
        let session = usage.and_then(|usage| self.sessions.of(usage));
        match (request.method(), session) {
            (Method::Invite | Method::Update | Method::Prack, Some(session)) => {
                self.act_on(session, |session, ctx| session.reoffered(id, request, ctx));
            }
            (Method::Info, Some(session)) => {
                self.act_on(session, |session, ctx| session.informed(id, request, ctx));
            }
            (Method::Notify, Some(session)) if is_about(request, "talk") => self.talk(session, id),
            (Method::Notify, Some(session)) if is_about(request, "hold") => {
                self.hold_as_asked(session, id);
            }
            (Method::Notify, Some(session)) if self.is_about_transfer(session, request) => {
                self.transfer_reported(session, id, request);
            }
            (Method::Refer, Some(session)) => {
                self.act_on(session, |session, ctx| session.referred(id, request, ctx));
            }
            (Method::Refer, None) => self.call_requested(id, request),
            // RFC 3842 §3.11 allows what many PBXs do: they tell without being asked.
            // A peer without a server has nothing to do with our account.
            (Method::Notify, None)
                if is_about(request, "message-summary")
                    && self.around.agent.trunk_of(&id).is_none() =>
            {
                self.around.context().answer(id, &Reply::new(200));
                tell_of_messages(request, &mut self.around.context());
            }
            (Method::Message, session) => {
                messaging::messaged(session, id, request, &mut self.around.context())
            }
            (Method::Options, None) => self.asked_what_we_can(id, request),
            (Method::Subscribe, None) => self.subscription_requested(id, request),
            // RFC 6665 §4.5.1: a subscription has a dialog of its own.
            (Method::Subscribe, Some(_)) => self.around.context().answer(id, &Reply::new(403)),
            // RFC 6665 §4.1.3: a notification that nobody subscribed to.
            (_, _) => self.around.context().answer(id, &Reply::new(481)),
        }
        if let Some(session) = session {
            self.act_on(session, Session::heard_from);
        }
    }

    fn subscription_requested(&mut self, id: ServerRequestId, request: &Request) {
        let mut ctx = self.around.context();
        match self.ending.has_begun() {
            true => ctx.answer(id, &Reply::new(480)),
            false => self.notifiers.requested(id, request, &mut ctx),
        }
    }

    fn call_requested(&mut self, id: ServerRequestId, request: &Request) {
        let refusal = match self.ending.has_begun() {
            true => Some(Reply::new(480)),
            false => self.refusal_of_drain(),
        };
        let mut ctx = self.around.context();
        match refusal {
            Some(refusal) => ctx.answer(id, &refusal),
            None => self.call_requests.requested(id, request, &mut ctx),
        }
    }

    /// Genesys answers a ringing phone this way, and BroadWorks takes a call off hold.
    fn talk(&mut self, session: SessionId, id: ServerRequestId) {
        let seat = self.sessions.get(&session).map(Session::place);
        let kept = self
            .sessions
            .get(&session)
            .is_some_and(Session::is_kept_held)
            || seat
                .and_then(|place| place.seat())
                .is_some_and(|seat| seat.held && self.is_held_by_user(seat.conference));
        if kept {
            // Whoever sends it: the far end's own word is not told from its server's.
            return self.around.context().answer(id, &Reply::new(403));
        }
        if !self.obeys(id) {
            return;
        }
        if let Some(seat) = seat.and_then(|place| place.seat())
            && seat.held
        {
            // A member comes back with all of its conference.
            return self.hold_conference(None, seat.conference, false, None, HoldVia::default());
        }
        let held = |session: &Session| session.is_answered() && !session.talks();
        if self.sessions.get(&session).is_some_and(held) {
            self.hold_others(self.party_of(session));
        }
        self.act_on(session, Session::talk);
    }

    fn hold_as_asked(&mut self, session: SessionId, id: ServerRequestId) {
        if self.obeys(id) {
            let music = self.around.config.hold_music.clone();
            self.act_on(session, |session, ctx| session.make_way(music, ctx));
        }
    }

    /// Whether the platform may use the phone in its user's place: the policy for headers holds for this too.
    fn obeys(&mut self, id: ServerRequestId) -> bool {
        let allowed = match self.around.config.auto_answer.policy {
            Policy::Headers | Policy::Always => true,
            Policy::Off | Policy::Announced | Policy::Function => false,
        };
        let code = if allowed { 200 } else { 403 };
        self.around.context().answer(id, &Reply::new(code));
        allowed
    }
}

fn is_about(request: &Request, package: &str) -> bool {
    let event = request.headers().typed::<sip::header::Event<'_>>();
    event
        .and_then(Result::ok)
        .is_some_and(|event| event.is(package))
}
