//! Subscriptions of the application's: kept alive until it gives them up or the server says no for good.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;
use sip::endpoint::{Subscribe, SubscriptionEnd, SubscriptionId};
use sip::header::{RetryAfter, SubscriptionState};
use sip::message::{Request, Response};

use super::command::Settled;
use crate::agent::Context;
use crate::door::command::SubscribeOptions;
use crate::door::error::{ErrorCode, ErrorType, PhoneError};
use crate::door::event::Event;
use crate::door::id::Ticket;
use crate::door::output::{Reply, Wake};
use crate::door::text::is_printable;
use crate::door::text::short;
use crate::reading::{content, message_summary, outcome, state_document, target};

/// Subscriptions of one phone.
const MOST: usize = 256;
/// What is asked for where the application says nothing: RFC 3842 §3.3 and RFC 4235 §3.4 call for about an hour.
const EXPIRES: Duration = Duration::from_secs(3600);
/// The first wait after a failure, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(1800);

/// What the application subscribes to, by the number that it knows.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    all: BTreeMap<u64, Subscription>,
    count: u64,
}

/// One subscription, over all its dialogs.
#[derive(Debug)]
struct Subscription {
    wish: Subscribe,
    stage: SubscriptionStage,
    /// The command that waits for the server's word.
    ticket: Option<Ticket>,
    /// The command that waits for its end.
    leaving: Option<Ticket>,
    /// Dialogs that came to nothing since the last notification.
    failures: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SubscriptionStage {
    Open(SubscriptionId),
    /// Asked for anew then.
    Waiting {
        at: Instant,
    },
    /// Asked for anew over the next flow.
    Offline,
}

/// What becomes of a subscription whose dialog is over (RFC 6665 §4.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sequel {
    Over,
    Again { after: Option<Duration> },
}

impl Subscriptions {
    pub(super) fn subscribe(
        &mut self,
        ticket: Ticket,
        target: &str,
        event: String,
        options: SubscribeOptions,
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        let target = target::resolve(target, &ctx.config.address)?;
        super::command::check_headers(&options.headers)?;
        let good = |text: &String| !text.is_empty() && is_printable(text);
        if !good(&event) {
            return Err(PhoneError::invalid(
                "event must be the name of a package such as 'dialog'",
            ));
        }
        if !options.accept.iter().all(good) {
            return Err(PhoneError::invalid(
                "accept must be media types such as 'text/plain'",
            ));
        }
        if !ctx.agent.is_up() {
            return Err(PhoneError::not_connected());
        }
        if self.all.len() >= MOST {
            return Err(PhoneError::new(
                ErrorCode::TooManySessions,
                "As many subscriptions as one phone may have exist already",
            )
            .with_kind(ErrorType::Generic));
        }
        let wish = Subscribe {
            target,
            event,
            accept: options.accept,
            expires: options.expires.map_or(EXPIRES, Duration::from_secs),
            headers: options.headers,
        };
        let opened = ctx
            .act(|endpoint, now| endpoint.subscribe(wish.clone(), now))
            .map_err(|error| outcome::not_sent(&error))?;
        self.count += 1;
        self.all.insert(
            self.count,
            Subscription {
                wish,
                stage: SubscriptionStage::Open(opened),
                ticket: Some(ticket),
                leaving: None,
                failures: 0,
            },
        );
        Ok(())
    }

    /// The application does not wait any more for the server's word, and would never see the subscription.
    pub(super) fn abandon(&mut self, ticket: Ticket, ctx: &mut Context<'_>) {
        let waiting = |subscription: &&mut Subscription| subscription.ticket == Some(ticket);
        let Some(subscription) = self.all.values_mut().find(waiting) else {
            return;
        };
        if let SubscriptionStage::Open(open) = subscription.stage {
            ctx.act(|endpoint, now| endpoint.unsubscribe(open, now));
        }
    }

    /// Gives a subscription up; nothing is returned where its end comes later.
    pub(super) fn unsubscribe(
        &mut self,
        ticket: Ticket,
        id: u64,
        ctx: &mut Context<'_>,
    ) -> Settled {
        let Some(subscription) = self.all.get_mut(&id) else {
            return Settled::DONE;
        };
        match subscription.stage {
            SubscriptionStage::Open(_) if subscription.leaving.is_some() => Settled::DONE,
            // RFC 6665 §4.1.2.3: a last notification follows, which the application is told.
            SubscriptionStage::Open(open) => {
                subscription.leaving = Some(ticket);
                ctx.act(|endpoint, now| endpoint.unsubscribe(open, now));
                Settled::Later
            }
            SubscriptionStage::Waiting { .. } | SubscriptionStage::Offline => {
                self.over(id, None, None, ctx);
                Settled::DONE
            }
        }
    }

    /// The server has taken our SUBSCRIBE.
    pub(super) fn subscribed(&mut self, open: SubscriptionId, ctx: &mut Context<'_>) {
        let Some(id) = self.of(open) else {
            return;
        };
        if let Some(subscription) = self.all.get_mut(&id)
            && let Some(ticket) = subscription.ticket.take()
        {
            let reply = Reply::Subscription { subscription: id };
            ctx.reply(ticket, Ok(reply));
        }
    }

    /// The state has changed, or is told again.
    pub(super) fn notified(
        &mut self,
        open: SubscriptionId,
        request: &Request,
        ctx: &mut Context<'_>,
    ) {
        // A notification may overtake the answer to its SUBSCRIBE.
        self.subscribed(open, ctx);
        let Some(id) = self.of(open) else {
            return;
        };
        if let Some(subscription) = self.all.get_mut(&id) {
            subscription.failures = 0;
        }
        let headers = request.headers();
        let state = headers
            .typed::<SubscriptionState<'_>>()
            .and_then(Result::ok);
        let event = Event::Notified {
            subscription: id,
            state: state.map_or_else(|| "active".into(), |state| short(state.value())),
            content_type: content::content_type(headers),
            body: content::of_bytes(request.body()),
            document: state_document::read(request).map(Box::new),
        };
        ctx.emit(event);
        tell_of_messages(request, ctx);
    }

    /// A dialog of a subscription is over.
    pub(super) fn unsubscribed(
        &mut self,
        open: SubscriptionId,
        end: &SubscriptionEnd,
        rng: &mut StdRng,
        ctx: &mut Context<'_>,
    ) {
        let Some(id) = self.of(open) else {
            return;
        };
        let Some(subscription) = self.all.get_mut(&id) else {
            return;
        };
        if let Some(ticket) = subscription.ticket.take() {
            // It never stood: that is the command's to tell.
            let leaving = subscription.leaving.take();
            self.all.remove(&id);
            ctx.reply(ticket, Err(failure(end)));
            if let Some(ticket) = leaving {
                ctx.reply(ticket, Ok(Reply::Done));
            }
            return;
        }
        match sequel(end) {
            Sequel::Over => {
                let leaving = subscription.leaving.take();
                self.over(id, reason(end), code(end), ctx);
                if let Some(ticket) = leaving {
                    ctx.reply(ticket, Ok(Reply::Done));
                }
            }
            Sequel::Again { after } => {
                let failures = subscription.failures;
                subscription.failures += 1;
                let wait = after.unwrap_or_else(|| wait(failures, rng));
                let stage = match end {
                    // No time would help: it is asked for when there is a flow.
                    SubscriptionEnd::Transport => SubscriptionStage::Offline,
                    SubscriptionEnd::Local
                    | SubscriptionEnd::Refused(_)
                    | SubscriptionEnd::Terminated { .. }
                    | SubscriptionEnd::Silent => SubscriptionStage::Waiting {
                        at: ctx.now + wait.min(LONGEST_WAIT),
                    },
                };
                if let Some(subscription) = self.all.get_mut(&id) {
                    subscription.stage = stage;
                }
            }
        }
    }

    /// There is a flow again: what stands is refreshed over it, what does not is asked for.
    pub(super) fn flow_found(&mut self, ctx: &mut Context<'_>) {
        let all: Vec<(u64, SubscriptionStage)> = self
            .all
            .iter()
            .map(|(id, subscription)| (*id, subscription.stage))
            .collect();
        for (id, stage) in all {
            match stage {
                SubscriptionStage::Open(open) => {
                    ctx.act(|endpoint, now| endpoint.refresh_subscription(open, now));
                }
                SubscriptionStage::Offline => self.subscribe_anew(id, ctx),
                // The server has said when, or we have: a new flow is no reason to hurry.
                SubscriptionStage::Waiting { .. } => {}
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Wake)> {
        let waits = self
            .all
            .values()
            .filter_map(|subscription| match subscription.stage {
                SubscriptionStage::Waiting { at } => Some((at, Wake::Subscription)),
                SubscriptionStage::Open(_) | SubscriptionStage::Offline => None,
            });
        waits.min_by_key(|(at, _)| *at)
    }

    pub(super) fn handle_timeout(&mut self, ctx: &mut Context<'_>) {
        let now = ctx.now;
        let due: Vec<u64> = self.all
            .iter()
            .filter(|(_, subscription)| {
                matches!(subscription.stage, SubscriptionStage::Waiting { at } if at <= now)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.subscribe_anew(id, ctx);
        }
    }

    fn subscribe_anew(&mut self, id: u64, ctx: &mut Context<'_>) {
        let Some(subscription) = self.all.get(&id) else {
            return;
        };
        let wish = subscription.wish.clone();
        let opened = match ctx.agent.is_usable() {
            true => ctx.act(|endpoint, now| endpoint.subscribe(wish, now)).ok(),
            false => None,
        };
        if let Some(subscription) = self.all.get_mut(&id) {
            subscription.stage = opened.map_or(SubscriptionStage::Offline, SubscriptionStage::Open);
        }
    }

    /// The phone ends: the servers are told, nobody waits for them.
    pub(super) fn leave(&mut self, error: &PhoneError, ctx: &mut Context<'_>) {
        for subscription in std::mem::take(&mut self.all).into_values() {
            if let SubscriptionStage::Open(open) = subscription.stage {
                ctx.act(|endpoint, now| endpoint.unsubscribe(open, now));
            }
            for ticket in [subscription.ticket, subscription.leaving]
                .into_iter()
                .flatten()
            {
                ctx.reply(ticket, Err(error.clone()));
            }
        }
    }

    fn over(&mut self, id: u64, reason: Option<String>, code: Option<u16>, ctx: &mut Context<'_>) {
        if self.all.remove(&id).is_some() {
            ctx.emit(Event::SubscriptionEnded {
                subscription: id,
                reason,
                code,
            });
        }
    }

    fn of(&self, open: SubscriptionId) -> Option<u64> {
        self.all
            .iter()
            .find(|(_, subscription)| subscription.stage == SubscriptionStage::Open(open))
            .map(|(id, _)| *id)
    }
}

/// Tells how many messages wait, if a notification says so.
pub(super) fn tell_of_messages(request: &Request, ctx: &mut Context<'_>) {
    if let Some(summary) = message_summary::read(request) {
        ctx.emit(Event::MessageWaiting(Box::new(summary)));
    }
}

fn sequel(end: &SubscriptionEnd) -> Sequel {
    match end {
        SubscriptionEnd::Local => Sequel::Over,
        SubscriptionEnd::Silent | SubscriptionEnd::Transport => Sequel::Again { after: None },
        SubscriptionEnd::Refused(response) => match response.status().code() {
            // The server has forgotten the dialog, not the wish.
            481 => Sequel::Again { after: None },
            // It may be able to later; of any other refusal it has said that it won't.
            408 | 480 | 500..=599 => Sequel::Again {
                after: retry_after(response),
            },
            _any_other => Sequel::Over,
        },
        SubscriptionEnd::Terminated {
            reason,
            retry_after,
        } => match reason.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("rejected" | "noresource" | "invariant") => Sequel::Over,
            // It was moved, or nobody renewed it in time, as after a sleep: anew at once.
            Some("deactivated" | "timeout") => Sequel::Again { after: None },
            // Without a time RFC 6665 §4.1.3 allows any; at once would be asking in a circle.
            Some("probation" | "giveup") => Sequel::Again {
                after: Some(retry_after.unwrap_or(FIRST_WAIT)),
            },
            // RFC 6665 §4.1.3: an unknown reason is none.
            Some(_) | None => Sequel::Again {
                after: *retry_after,
            },
        },
    }
}

/// At once the first time, then in growing steps, so that a server that ends every dialog is not flooded.
fn wait(failures: u32, rng: &mut StdRng) -> Duration {
    if failures == 0 {
        return Duration::ZERO;
    }
    let longest = FIRST_WAIT * 2u32.saturating_pow((failures - 1).min(16));
    longest.min(LONGEST_WAIT) * rng.random_range(50..=100) / 100
}

fn retry_after(response: &Response) -> Option<Duration> {
    let header = response.headers().typed::<RetryAfter<'_>>()?.ok()?;
    Some(header.delay())
}

fn reason(end: &SubscriptionEnd) -> Option<String> {
    match end {
        SubscriptionEnd::Terminated { reason, .. } => reason.as_deref().map(short),
        SubscriptionEnd::Local
        | SubscriptionEnd::Refused(_)
        | SubscriptionEnd::Silent
        | SubscriptionEnd::Transport => None,
    }
}

fn code(end: &SubscriptionEnd) -> Option<u16> {
    match end {
        SubscriptionEnd::Refused(response) => Some(response.status().code()),
        SubscriptionEnd::Local
        | SubscriptionEnd::Terminated { .. }
        | SubscriptionEnd::Silent
        | SubscriptionEnd::Transport => None,
    }
}

fn failure(end: &SubscriptionEnd) -> PhoneError {
    let (code, text) = match end {
        SubscriptionEnd::Refused(response) => return outcome::refused(response),
        SubscriptionEnd::Terminated { reason, .. } => {
            let text = "The server ended the subscription";
            let error = PhoneError::new(ErrorCode::RequestRefused, text);
            return match reason {
                Some(reason) => error.with_cause(short(reason)),
                None => error,
            };
        }
        SubscriptionEnd::Local => (ErrorCode::Aborted, "The subscription was given up"),
        SubscriptionEnd::Silent => (
            ErrorCode::RequestTimeout,
            "The server did not answer in time",
        ),
        SubscriptionEnd::Transport => (ErrorCode::NotConnected, "The connection was lost"),
    };
    PhoneError::new(code, text)
}
