//! Subscriptions of ours: SUBSCRIBE, its refreshes, the NOTIFYs that make and fill the dialog (RFC 6665 §4.1).
//!
//! ```text
//! Asking ─2xx or NOTIFY─► Open ─refresh─► Open ─unsubscribe─► Leaving ─last NOTIFY─► over
//!    └─refused, silent─► over  └─terminated, refused, expired─► over
//! ```

use std::time::{Duration, Instant};

use rand::RngExt;

use super::command::{CommandError, Reply, Subscribe};
use super::compose::As;
use super::compose::{check_headers, push_all};
use super::event::{Event, RequestFailure, SubscriptionEnd, SubscriptionId};
use super::standalone_requests::is_challenge;
use super::state::subscriptions::{MOST_SUBSCRIPTIONS, Subscription};
use super::state::usage::Sent;
use super::{Alarm, Endpoint, vetting};
use crate::dialog::Dialog;
use crate::header::SubscriptionState;
use crate::message::{HeaderName, Headers, Method, Request, Response, StatusCode};
use crate::transaction::{ClientKey, FlowId, ServerKey};

/// Below this a granted time is refreshed at its half, above at 80–90 %.
const SHORT: Duration = Duration::from_secs(120);
/// Whatever a server grants: one refresh a second is enough.
const SHORTEST: Duration = Duration::from_secs(2);

impl Endpoint {
    /// Subscribes; `Notified` follows until `Unsubscribed`, which is final.
    pub fn subscribe(
        &mut self,
        wish: Subscribe,
        now: Instant,
    ) -> Result<SubscriptionId, CommandError> {
        let flow = self.flow_to(&wish.target)?;
        self.check_transactions()?;
        if !self.subscriptions.has_room() {
            return Err(CommandError::Limit {
                limit: MOST_SUBSCRIPTIONS,
            });
        }
        let headers = wish.headers();
        check_headers(&headers)?;
        let mut request = self.request_to(
            Method::Subscribe,
            &wish.target,
            &headers,
            None,
            As::Ourselves,
        )?;
        self.signer.sign(&mut request, None);
        let id = SubscriptionId(self.draws.id());
        self.subscriptions
            .add(id, Subscription::new(wish, &request, flow));
        self.send_subscribe(id, flow, request, 0, now);
        self.settle(now);
        Ok(id)
    }

    /// Renews a subscription before its time, as after a new flow; one without a dialog is asked for again at its end.
    pub fn refresh_subscription(&mut self, id: SubscriptionId, now: Instant) {
        self.refresh_due(id, now);
        self.settle(now);
    }

    /// Gives a subscription up; `Unsubscribed` follows with the last notification, or when none came.
    pub fn unsubscribe(&mut self, id: SubscriptionId, now: Instant) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        if std::mem::replace(&mut subscription.leaving, true) {
            return;
        }
        if subscription.dialog.is_none() || self.flows.newest().is_none() {
            // A first notification still to come is given 481, which ends it there; so is the next one
            // over another flow, if there is none now.
            self.end_subscription(id, SubscriptionEnd::Local);
        } else {
            self.alarms.stop(Alarm::Resubscribe(id));
            let patience = now + self.config.timings.patience();
            self.alarms.start(Alarm::Notified(id), patience);
            self.subscribe_within(id, Duration::ZERO, now);
        }
        self.settle(now);
    }

    pub(super) fn refresh_due(&mut self, id: SubscriptionId, now: Instant) {
        let Some(subscription) = self.subscriptions.get(id) else {
            return;
        };
        if !subscription.leaving && subscription.dialog.is_some() {
            let expires = subscription.wish.expires;
            self.subscribe_within(id, expires, now);
        }
    }

    fn subscribe_within(&mut self, id: SubscriptionId, expires: Duration, now: Instant) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        let wish = Subscribe {
            expires,
            ..subscription.wish.clone()
        };
        let preferred = subscription.flow;
        let Some(dialog) = &mut subscription.dialog else {
            return;
        };
        let mut request = dialog.request(Method::Subscribe);
        let origin = dialog.origin().clone();
        let Some(flow) = self.flows.choose(Some(preferred)) else {
            // The next flow brings a refresh.
            return;
        };
        self.push_common(&mut request, false);
        push_all(request.headers_mut(), &wish.headers());
        self.signer.sign(&mut request, Some(&origin));
        self.send_subscribe(id, flow, request, 0, now);
    }

    fn send_subscribe(
        &mut self,
        id: SubscriptionId,
        flow: FlowId,
        request: Request,
        retries: u32,
        now: Instant,
    ) {
        if let Some(subscription) = self.subscriptions.get_mut(id) {
            subscription.asked_over(flow, &request);
        }
        let sent = |request| Sent::Subscribe {
            id,
            request,
            retries,
        };
        self.send(flow, request, sent, now);
    }

    pub(super) fn receive_subscribe_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) {
        let Some(sent) = self.exchanges.take_sent(key) else {
            return;
        };
        let origin = self.origin_of(&sent);
        let Sent::Subscribe {
            id,
            request,
            retries,
        } = sent
        else {
            return;
        };
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        if response.status().is_success() {
            return self.subscribed(id, &request, &response, now);
        }
        let preferred = subscription.flow;
        let cseq = subscription
            .dialog
            .as_mut()
            .filter(|_| is_challenge(&response))
            .map(Dialog::next_cseq);
        if let Some(again) =
            self.answer_challenge(&response, &request, retries, cseq, origin.as_ref())
            && let Some(flow) = self.flows.choose(Some(preferred))
        {
            return self.send_subscribe(id, flow, again, retries + 1, now);
        }
        if self.asked_for_too_little(id, &response, retries, now) {
            return;
        }
        self.end_subscription(id, SubscriptionEnd::Refused(Box::new(response)));
    }

    /// RFC 6665 §4.1.2.1, 423: once more with what the server wants at least.
    fn asked_for_too_little(
        &mut self,
        id: SubscriptionId,
        response: &Response,
        retries: u32,
        now: Instant,
    ) -> bool {
        if response.status() != StatusCode::INTERVAL_TOO_BRIEF || retries > 0 {
            return false;
        }
        let Some(least) = seconds(response.headers(), HeaderName::MinExpires) else {
            return false;
        };
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return false;
        };
        if least <= subscription.wish.expires || subscription.leaving {
            return false;
        }
        subscription.wish.expires = least;
        if subscription.dialog.is_some() {
            self.subscribe_within(id, least, now);
            return true;
        }
        let (wish, flow) = (subscription.wish.clone(), subscription.flow);
        let made = self.request_to(
            Method::Subscribe,
            &wish.target,
            &wish.headers(),
            None,
            As::Ourselves,
        );
        let (Ok(mut request), Some(flow)) = (made, self.flows.choose(Some(flow))) else {
            return false;
        };
        self.signer.sign(&mut request, None);
        if let Some(subscription) = self.subscriptions.get_mut(id) {
            subscription.asked_anew(&request);
        }
        self.send_subscribe(id, flow, request, 1, now);
        true
    }

    /// A 2xx says only that the server has understood; the state comes with the NOTIFY.
    fn subscribed(
        &mut self,
        id: SubscriptionId,
        request: &Request,
        response: &Response,
        now: Instant,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return;
        };
        // RFC 6665 §4.1.2.3: a last notification ends it, or Timer N, and not this.
        if subscription.leaving {
            return;
        }
        if let Some(dialog) = &mut subscription.dialog {
            dialog.refresh_target(response.headers());
        }
        let asked = seconds(request.headers(), HeaderName::Expires);
        let granted = seconds(response.headers(), HeaderName::Expires).or(asked);
        let open = subscription.dialog.is_some();
        if open {
            self.refresh_in(id, granted.unwrap_or_default(), now);
        } else if !self.alarms.is_running(Alarm::Notified(id)) {
            // RFC 6665 §4.1.2.4: what is granted counts from the NOTIFY on, which makes the dialog.
            let patience = now + self.config.timings.patience();
            self.alarms.start(Alarm::Notified(id), patience);
        }
        self.emit(Event::Subscribed { subscription: id });
    }

    fn refresh_in(&mut self, id: SubscriptionId, granted: Duration, now: Instant) {
        let part = match granted > SHORT {
            true => self.draws.rng().random_range(80..=90),
            false => 50,
        };
        let wait = (granted * part / 100).max(SHORTEST);
        self.alarms.start(Alarm::Resubscribe(id), now + wait);
    }

    /// Timer N: nobody has notified in time (RFC 6665 §4.1.2.4).
    pub(super) fn not_notified(&mut self, id: SubscriptionId) {
        let leaving = self
            .subscriptions
            .get(id)
            .is_some_and(|subscription| subscription.leaving);
        let end = match leaving {
            true => SubscriptionEnd::Local,
            false => SubscriptionEnd::Silent,
        };
        self.end_subscription(id, end);
    }

    pub(super) fn subscribe_failed(&mut self, id: SubscriptionId, failure: RequestFailure) {
        let end = self.subscriptions.get(id);
        let Some(end) = end.and_then(|subscription| subscription.ended_by(failure)) else {
            return;
        };
        self.end_subscription(id, end);
    }

    /// Takes a NOTIFY of a subscription of ours; gives it back if it belongs to none.
    pub(super) fn receive_notify(
        &mut self,
        key: ServerKey,
        flow: FlowId,
        request: Request,
        now: Instant,
    ) -> Option<Request> {
        let Some((id, subscription)) = self.subscriptions.of_notify(&request) else {
            return Some(request);
        };
        let number = request.headers().cseq().map_or(0, |cseq| cseq.number);
        match &mut subscription.dialog {
            Some(dialog) => {
                if dialog.accept_cseq(number).is_err() {
                    // RFC 3261 §12.2.2: an older state must not replace a newer one.
                    self.refuse(key, &request, &Reply::new(500), now);
                    return None;
                }
                dialog.refresh_target(request.headers());
            }
            none @ None => {
                let Some(dialog) = Dialog::notified(&request, subscription.origin.clone()) else {
                    let refusal = Reply::new(400).because(vetting::bad_contact(request.headers()));
                    self.refuse(key, &request, &refusal, now);
                    return None;
                };
                *none = Some(dialog);
            }
        }
        subscription.flow = flow;
        let (leaving, asked) = (subscription.leaving, subscription.wish.expires);
        if !leaving {
            self.alarms.stop(Alarm::Notified(id));
        }
        self.refuse(key, &request, &Reply::new(200), now);
        let state = request.headers().typed::<SubscriptionState<'_>>();
        let state = state
            .and_then(Result::ok)
            .map(SubscriptionState::into_owned);
        let param = |name: &str| {
            let value = state.as_ref()?.param(name)?;
            Some(Duration::from_secs(value.parse().ok()?))
        };
        let over = state.as_ref().is_some_and(|state| state.is("terminated"));
        if !over && !leaving {
            self.refresh_in(id, param("expires").unwrap_or(asked), now);
        }
        let retry_after = param("retry-after");
        self.emit(Event::Notified {
            subscription: id,
            request,
        });
        if over {
            let reason = state.and_then(|state| state.param("reason").map(str::to_owned));
            let end = match leaving {
                true => SubscriptionEnd::Local,
                false => SubscriptionEnd::Terminated {
                    reason,
                    retry_after,
                },
            };
            self.end_subscription(id, end);
        }
        None
    }

    fn end_subscription(&mut self, id: SubscriptionId, end: SubscriptionEnd) {
        if !self.subscriptions.remove(id) {
            return;
        }
        self.alarms.stop(Alarm::Resubscribe(id));
        self.alarms.stop(Alarm::Notified(id));
        self.emit(Event::Unsubscribed {
            subscription: id,
            end,
        });
    }
}

pub(super) fn seconds(headers: &Headers, name: HeaderName) -> Option<Duration> {
    let seconds: u32 = headers.get(name)?.trim().parse().ok()?;
    Some(Duration::from_secs(u64::from(seconds)))
}
