//! Subscribers of the application's: asked about, told its state, let go (RFC 6665 §4.2).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sip::endpoint::{NotifierEnd, NotifierId, Reply as Answer, ServerRequestId};
use sip::header::{self, Accept, Expires};
use sip::message::{Headers, Request};

use crate::agent::Context;
use crate::door::content::Content;
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::event::Event;
use crate::door::notifier::{NotifierEndReason, SubscriptionRequest};
use crate::door::output::Wake;
use crate::door::text::is_token;
use crate::reading::caller_identity::{self, Trust};
use crate::reading::{content, headers, outcome, parties};

/// Requests that wait for the application at once.
const MOST_ASKED: usize = 256;
/// A client gives up after 32 s, and a proxy on the way may be less patient.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is granted at most where the application says nothing: RFC 4235 §3.4 and RFC 4575 §3.4 call for about an hour.
const MOST_GRANTED: u64 = 3600;
/// More media types than this say nothing more.
const MOST_TYPES: usize = 16;

/// Who subscribes to what this phone tells, by the number that the application knows.
#[derive(Debug, Default)]
pub(super) struct Notifiers {
    all: BTreeMap<u64, Notifier>,
    count: u64,
}

/// One subscriber, from its request to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Notifier {
    /// The application has not decided.
    Asked {
        request: ServerRequestId,
        until: Instant,
    },
    Open(NotifierId),
}

impl Notifiers {
    /// Somebody subscribes to what this phone tells.
    pub(super) fn requested(
        &mut self,
        request: ServerRequestId,
        message: &Request,
        ctx: &mut Context<'_>,
    ) {
        let asked = |notifier: &&Notifier| matches!(notifier, Notifier::Asked { .. });
        let crowded = self.all.values().filter(asked).count() >= MOST_ASKED;
        if crowded {
            return ctx.answer(request, &Answer::new(480));
        }
        self.count += 1;
        let id = self.count;
        let until = ctx.now + PATIENCE;
        self.all.insert(id, Notifier::Asked { request, until });
        let trust = ctx.agent.trust_in(&request, ctx.config);
        let event = read(id, message, trust);
        ctx.emit(Event::SubscriptionRequest(Box::new(event)));
    }

    /// The request is gone before the application has decided; false if it was none of these.
    pub(super) fn request_gone(&mut self, gone: ServerRequestId) -> bool {
        let before = self.all.len();
        self.all.retain(
            |_, notifier| !matches!(notifier, Notifier::Asked { request, .. } if *request == gone),
        );
        self.all.len() < before
    }

    pub(super) fn accept(
        &mut self,
        id: u64,
        expires: Option<u64>,
        (content_type, state): (&str, Option<&Content>),
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        let request = self.asked(id, ctx)?;
        // Also the type of nothing is judged: it is what the application got wrong.
        content::check_type(content_type)?;
        let body = state
            .map(|text| content::body(content_type, text))
            .transpose()?;
        let most = Duration::from_secs(expires.unwrap_or(MOST_GRANTED));
        let accepted = ctx.act_for(&request, |endpoint, now| {
            endpoint.accept_subscription(request, most, body, now)
        });
        match accepted {
            Ok(open) => {
                self.all.insert(id, Notifier::Open(open));
                Ok(())
            }
            Err(error) => {
                self.all.remove(&id);
                ctx.answer(request, &Answer::new(480));
                Err(outcome::not_sent(&error))
            }
        }
    }

    pub(super) fn reject(
        &mut self,
        id: u64,
        code: Option<u16>,
        reason: Option<String>,
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        let request = self.asked(id, ctx)?;
        let code = super::command::refusal(code.unwrap_or(403), reason.as_deref())?;
        let answer = Answer {
            reason,
            ..Answer::new(code)
        };
        self.all.remove(&id);
        ctx.answer(request, &answer);
        Ok(())
    }

    /// Tells a subscriber the state.
    pub(super) fn notify(
        &mut self,
        id: u64,
        content_type: &str,
        text: &Content,
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        let Some(Notifier::Open(open)) = self.all.get(&id).copied() else {
            return Err(nobody());
        };
        let body = content::body(content_type, text)?;
        let told = ctx.act_for(&open, |endpoint, now| {
            endpoint.notify(open, Some(body), now)
        });
        told.map_err(|error| outcome::not_sent(&error))
    }

    /// Ends a subscription; one that is over already stays so.
    pub(super) fn terminate(
        &mut self,
        id: u64,
        reason: Option<&str>,
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        let reason = reason.unwrap_or("noresource");
        if !is_token(reason) {
            return Err(PhoneError::invalid(
                "reason must be a word such as 'noresource' (RFC 6665)",
            ));
        }
        if let Some(Notifier::Open(open)) = self.all.get(&id).copied() {
            ctx.act_for(&open, |endpoint, now| endpoint.terminate(open, reason, now));
            self.over(id, NotifierEndReason::Local, None, ctx);
        }
        Ok(())
    }

    /// A subscriber is gone, or told nothing any more.
    pub(super) fn ended(&mut self, ended: NotifierId, end: &NotifierEnd, ctx: &mut Context<'_>) {
        let found = self
            .all
            .iter()
            .find(|(_, notifier)| **notifier == Notifier::Open(ended));
        let Some(id) = found.map(|(id, _)| *id) else {
            return;
        };
        let (reason, code) = match end {
            NotifierEnd::Expired => (NotifierEndReason::Expired, None),
            NotifierEnd::Unsubscribed => (NotifierEndReason::Unsubscribed, None),
            NotifierEnd::Refused(response) => {
                (NotifierEndReason::Refused, Some(response.status().code()))
            }
            NotifierEnd::Silent => (NotifierEndReason::Silent, None),
        };
        self.over(id, reason, code, ctx);
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Wake)> {
        let waits = self.all.values().filter_map(|notifier| match notifier {
            Notifier::Asked { until, .. } => Some((*until, Wake::SubscriptionRequest)),
            Notifier::Open(_) => None,
        });
        waits.min_by_key(|(at, _)| *at)
    }

    /// Refuses what the application has not decided in time.
    pub(super) fn handle_timeout(&mut self, ctx: &mut Context<'_>) {
        let now = ctx.now;
        let due = |until: &Instant| *until <= now;
        self.refuse_asked(due, ctx);
    }

    /// The phone ends: who waits is refused, who subscribes is told.
    pub(super) fn leave(&mut self, ctx: &mut Context<'_>) {
        self.refuse_asked(|_| true, ctx);
        let all: Vec<u64> = self.all.keys().copied().collect();
        for id in all {
            let _told = self.terminate(id, None, ctx);
        }
    }

    fn refuse_asked(&mut self, which: impl Fn(&Instant) -> bool, ctx: &mut Context<'_>) {
        let refused: Vec<(u64, ServerRequestId)> = self
            .all
            .iter()
            .filter_map(|(id, notifier)| match notifier {
                Notifier::Asked { request, until } if which(until) => Some((*id, *request)),
                Notifier::Asked { .. } | Notifier::Open(_) => None,
            })
            .collect();
        for (id, request) in refused {
            self.all.remove(&id);
            ctx.answer(request, &Answer::new(480));
        }
    }

    fn asked(&self, id: u64, ctx: &mut Context<'_>) -> Result<ServerRequestId, PhoneError> {
        match self.all.get(&id) {
            Some(Notifier::Asked { request, .. }) if !ctx.agent.is_up_for(Some(*request)) => {
                Err(PhoneError::not_connected())
            }
            Some(Notifier::Asked { request, .. }) => Ok(*request),
            Some(Notifier::Open(_)) | None => Err(nobody()),
        }
    }

    fn over(
        &mut self,
        id: u64,
        reason: NotifierEndReason,
        code: Option<u16>,
        ctx: &mut Context<'_>,
    ) {
        if self.all.remove(&id).is_some() {
            ctx.emit(Event::NotifierEnded {
                notifier: id,
                reason,
                code,
            });
        }
    }
}

fn read(id: u64, request: &Request, trust: Trust) -> SubscriptionRequest {
    let headers = request.headers();
    let event = headers.typed::<header::Event<'_>>().and_then(Result::ok);
    SubscriptionRequest {
        id,
        event: event
            .map(|event| event.value().to_owned())
            .unwrap_or_default(),
        target: target(headers),
        from: parties::caller(headers),
        identity: caller_identity::read(headers, trust),
        accept: accepted(headers),
        expires: expires(headers),
        headers: headers::list(headers),
    }
}

/// What the proxy on the way has left alone, unlike the Request-URI.
fn target(headers: &Headers) -> String {
    let to = headers.to();
    to.map(|to| parties::peer(to.uri()).address)
        .unwrap_or_default()
}

fn accepted(headers: &Headers) -> Vec<String> {
    let types = headers.list::<Accept<'_>>().flatten();
    types
        .take(MOST_TYPES)
        .map(|kind| kind.value().to_owned())
        .collect()
}

fn expires(headers: &Headers) -> u64 {
    let expires = headers.typed::<Expires>().and_then(Result::ok);
    expires.map_or(MOST_GRANTED, |expires| u64::from(expires.0))
}

fn nobody() -> PhoneError {
    PhoneError::new(
        ErrorCode::SubscriptionEnded,
        "The subscription is over, or was answered already",
    )
}
