//! Subscriptions of others: their SUBSCRIBE, the NOTIFYs that tell them our state, the end (RFC 6665 §4.2).
//!
//! ```text
//! asked ─accept─► Active ─SUBSCRIBE─► Active ─expiry, Expires: 0, our word─► Leaving ─last NOTIFY answered─► over
//!   └─refusal─► over  └─NOTIFY refused or unanswered─► over
//! ```
//! **One NOTIFY at a time to each subscriber**: states that follow one another faster than it answers are told as the
//! newest of them, so that a slow or silent subscriber costs one transaction and one body.

use std::time::{Duration, Instant};

use super::command::{Body, CommandError, Reply};
use super::compose::{check_body, with_body};
use super::event::{Event, NotifierEnd, NotifierId, RequestFailure, ServerRequestId};
use super::standalone_requests::is_challenge;
use super::state::notifiers::{MOST_NOTIFIERS, Notifier};
use super::state::usage::{Asked, Sent};
use super::subscribing::seconds;
use super::{Alarm, Endpoint};
use crate::dialog::{Dialog, Origin};
use crate::header::{self, RetryAfter};
use crate::message::{HeaderName, Headers, Method, Request, Response};
use crate::transaction::{ClientKey, FlowId, ServerKey};

/// RFC 6665 §4.2.1.1 lets a notifier refuse what is shorter than an hour; a refresh a minute is what we bear.
const SHORTEST: Duration = Duration::from_secs(60);
/// What a SUBSCRIBE without Expires means: the packages say an hour or leave it to us (RFC 4235 §3.4, RFC 4575 §3.4).
const USUAL: Duration = Duration::from_secs(3600);
/// A subscriber that is busy is told again no later than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);
/// The table of transactions is full for a moment only.
const PAUSE: Duration = Duration::from_secs(1);

impl Endpoint {
    /// Accepts a SUBSCRIBE that was handed up, for `most` at once, and tells the subscriber the state; or a REFER outside
    /// any call, which subscribes to what becomes of it (RFC 3515 §2.4.4).
    ///
    /// `NotifierEnded` follows, unless [`terminate`](Self::terminate) comes first; at once where the state was only fetched.
    pub fn accept_subscription(
        &mut self,
        id: ServerRequestId,
        most: Duration,
        state: Option<Body>,
        now: Instant,
    ) -> Result<NotifierId, CommandError> {
        check_body(state.as_ref())?;
        let Asked {
            server, request, ..
        } = self.exchanges.asked(id).ok_or(CommandError::Unknown)?;
        let (server, request) = (*server, request.clone());
        if !self.notifiers.has_room() {
            return Err(CommandError::Limit {
                limit: MOST_NOTIFIERS,
            });
        }
        let wrong = CommandError::WrongState {
            state: "it makes no subscription",
        };
        let tag = self.layer.local_tag(server).unwrap_or_default();
        let dialog = Dialog::callee(&request, tag).filter(|_| makes_subscription(&request));
        let flow = self.layer.server_flow(server).or(self.flows.newest());
        let (Some(mut dialog), Some(flow)) = (dialog, flow) else {
            return Err(wrong);
        };
        dialog.confirm();
        let refers = request.method() == &Method::Refer;
        let (granted, reply, event) = match refers {
            true => (most, Reply::new(202), Some("refer".to_owned())),
            false => {
                let granted = wanted(request.headers()).min(most);
                (granted, granting(granted), event_of(request.headers()))
            }
        };
        let notifier = NotifierId(self.draws.id());
        self.answer(id, &reply, now)?;
        self.notifiers.add(
            notifier,
            Notifier {
                dialog,
                flow,
                event: event.unwrap_or_default(),
                state,
                most,
                until: now + granted,
                notifying: false,
                owed: false,
                leaving: None,
            },
        );
        self.granted(notifier, granted, now);
        self.settle(now);
        Ok(notifier)
    }

    /// Tells a subscriber the state, at once or when it has answered the notification before.
    pub fn notify(
        &mut self,
        id: NotifierId,
        state: Option<Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        check_body(state.as_ref())?;
        let notifier = self.notifiers.get_mut(id).ok_or(CommandError::Unknown)?;
        if notifier.leaving.is_some() {
            return Err(CommandError::Unknown);
        }
        notifier.state = state;
        self.owe(id, now);
        self.settle(now);
        Ok(())
    }

    /// Tells a subscriber the last state, and ends its subscription with it.
    pub fn conclude(
        &mut self,
        id: NotifierId,
        reason: &str,
        state: Body,
        now: Instant,
    ) -> Result<(), CommandError> {
        check_body(Some(&state))?;
        let notifier = self.notifiers.get_mut(id).ok_or(CommandError::Unknown)?;
        if notifier.leaving.is_none() {
            notifier.state = Some(state);
        }
        self.terminate(id, reason, now);
        Ok(())
    }

    /// Ends a subscriber's subscription, for a reason of RFC 6665 §4.1.3; the last notification repeats the state.
    pub fn terminate(&mut self, id: NotifierId, reason: &str, now: Instant) {
        self.leave(id, reason, now);
        self.settle(now);
    }

    /// Vets a SUBSCRIBE outside any dialog and hands it up.
    pub(super) fn receive_subscribe(&mut self, key: ServerKey, request: Request, now: Instant) {
        let vetted = self
            .vet_subscribe(&request)
            .and_then(|()| self.admit_subscriber(now));
        match vetted {
            Ok(()) => self.hand_up(key, None, request),
            Err(refusal) => self.refuse(key, &request, &refusal, now),
        }
    }

    fn vet_subscribe(&self, request: &Request) -> Result<(), Reply> {
        let headers = request.headers();
        let Some(Ok(event)) = headers.typed::<header::Event<'_>>() else {
            return Err(Reply::new(400).because("Missing Event"));
        };
        let packages = &self.config.event_packages;
        if !packages.iter().any(|package| event.is(package)) {
            return Err(Reply::new(489).header("Allow-Events", packages.join(", ")));
        }
        if !headers.contains(HeaderName::Contact) {
            return Err(Reply::new(400).because("Missing Contact"));
        }
        is_long_enough(headers)?;
        match self.notifiers.has_room() {
            true => Ok(()),
            false => Err(Reply::new(503).header("Retry-After", "60")),
        }
    }

    /// A SUBSCRIBE in the dialog of a subscriber renews or ends its subscription, and has the state told again.
    pub(super) fn receive_resubscribe(
        &mut self,
        key: ServerKey,
        flow: FlowId,
        request: Request,
        now: Instant,
    ) {
        let number = request.headers().cseq().map_or(0, |cseq| cseq.number);
        let Some((id, notifier)) = self.notifiers.of_subscribe(&request) else {
            return self.refuse(key, &request, &Reply::new(481), now);
        };
        if notifier.dialog.accept_cseq(number).is_err() {
            return self.refuse(key, &request, &Reply::new(500), now);
        }
        if let Err(refusal) = is_long_enough(request.headers()) {
            return self.refuse(key, &request, &refusal, now);
        }
        notifier.dialog.refresh_target(request.headers());
        notifier.flow = flow;
        let granted = wanted(request.headers()).min(notifier.most);
        self.refuse(key, &request, &granting(granted), now);
        self.granted(id, granted, now);
    }

    fn granted(&mut self, id: NotifierId, granted: Duration, now: Instant) {
        if granted.is_zero() {
            self.leave(id, "timeout", now);
            return self.emit(Event::NotifierEnded {
                notifier: id,
                end: NotifierEnd::Unsubscribed,
            });
        }
        if let Some(notifier) = self.notifiers.get_mut(id) {
            notifier.until = now + granted;
        }
        self.alarms.start(Alarm::Lapse(id), now + granted);
        self.owe(id, now);
    }

    pub(super) fn subscriber_lapsed(&mut self, id: NotifierId, now: Instant) {
        let notifier = self.notifiers.get(id);
        if notifier.is_some_and(|notifier| notifier.leaving.is_some()) {
            // It knows by itself by now, if it could not be told.
            return self.forget_notifier(id);
        }
        self.leave(id, "timeout", now);
        self.emit(Event::NotifierEnded {
            notifier: id,
            end: NotifierEnd::Expired,
        });
    }

    fn leave(&mut self, id: NotifierId, reason: &str, now: Instant) {
        let Some(notifier) = self.notifiers.get_mut(id) else {
            return;
        };
        if notifier.leaving.is_none() {
            notifier.leaving = Some(reason.to_owned());
            let told = now + self.config.timings.patience();
            self.alarms
                .start(Alarm::Lapse(id), notifier.until.max(told));
            self.owe(id, now);
        }
    }

    fn owe(&mut self, id: NotifierId, now: Instant) {
        if let Some(notifier) = self.notifiers.get_mut(id) {
            notifier.owed = true;
            self.notify_owed(id, now);
        }
    }

    /// Sends the NOTIFY that a subscriber is owed, unless another is out or there is no flow.
    pub(super) fn notify_owed(&mut self, id: NotifierId, now: Instant) {
        let Some(notifier) = self.notifiers.get_mut(id) else {
            return;
        };
        if !notifier.owed || notifier.notifying || self.alarms.is_running(Alarm::NotifyAgain(id)) {
            return;
        }
        if !self.layer.may_send() {
            return self.alarms.start(Alarm::NotifyAgain(id), now + PAUSE);
        }
        let preferred = notifier.flow;
        let Some(flow) = self.flows.choose(Some(preferred)) else {
            // The next flow brings it.
            return;
        };
        let Some(notifier) = self.notifiers.get_mut(id) else {
            return;
        };
        let last = notifier.leaving.is_some();
        let (mut request, body) = notifier.next(now);
        self.push_common(&mut request, false);
        let mut request = with_body(request, body.as_ref());
        self.signer.sign(&mut request, Some(&Origin::Theirs));
        self.send_notify(id, flow, request, last, 0, now);
    }

    fn send_notify(
        &mut self,
        id: NotifierId,
        flow: FlowId,
        request: Request,
        last: bool,
        retries: u32,
        now: Instant,
    ) {
        let sent = |request| Sent::Notify {
            id,
            request,
            last,
            retries,
        };
        self.send(flow, request, sent, now);
    }

    /// There is a flow again: what was owed meanwhile is told.
    pub(super) fn notify_all_owed(&mut self, now: Instant) {
        for id in self.notifiers.ids() {
            self.notify_owed(id, now);
        }
    }

    pub(super) fn receive_notify_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) {
        let Some(Sent::Notify {
            id,
            request,
            last,
            retries,
        }) = self.exchanges.take_sent(key)
        else {
            return;
        };
        let Some(notifier) = self.notifiers.get_mut(id) else {
            return;
        };
        let preferred = notifier.flow;
        let cseq = is_challenge(&response).then(|| notifier.dialog.next_cseq());
        let origin = Some(&Origin::Theirs);
        if let Some(again) = self.answer_challenge(&response, &request, retries, cseq, origin)
            && let Some(flow) = self.flows.choose(Some(preferred))
        {
            return self.send_notify(id, flow, again, last, retries + 1, now);
        }
        self.notified(id, last, response, now);
    }

    fn notified(&mut self, id: NotifierId, last: bool, response: Response, now: Instant) {
        let Some(notifier) = self.notifiers.get_mut(id) else {
            return;
        };
        notifier.notifying = false;
        if last {
            return self.forget_notifier(id);
        }
        if response.status().is_success() {
            notifier.dialog.refresh_target(response.headers());
            return self.notify_owed(id, now);
        }
        let retry_after = response.headers().typed::<RetryAfter<'_>>();
        if let Some(Ok(retry_after)) = retry_after {
            // RFC 6665 §4.2.2: it only asks for patience.
            notifier.owed = true;
            let pause = retry_after.delay().clamp(PAUSE, LONGEST_PAUSE);
            return self.alarms.start(Alarm::NotifyAgain(id), now + pause);
        }
        self.end_notifier(id, NotifierEnd::Refused(Box::new(response)));
    }

    pub(super) fn notify_failed(&mut self, id: NotifierId, failure: RequestFailure, now: Instant) {
        let Some(notifier) = self.notifiers.get_mut(id) else {
            return;
        };
        notifier.notifying = false;
        match failure {
            // The dialog outlives the flow, and so does what is to be told.
            RequestFailure::Transport => self.owe(id, now),
            RequestFailure::Timeout | RequestFailure::DialogEnded => {
                self.end_notifier(id, NotifierEnd::Silent);
            }
        }
    }

    /// One that is leaving has had its end told already.
    fn end_notifier(&mut self, id: NotifierId, end: NotifierEnd) {
        let told = match self.notifiers.get(id) {
            Some(notifier) => notifier.leaving.is_some(),
            None => return,
        };
        self.forget_notifier(id);
        if !told {
            self.emit(Event::NotifierEnded { notifier: id, end });
        }
    }

    fn forget_notifier(&mut self, id: NotifierId) {
        self.notifiers.remove(id);
        self.alarms.stop(Alarm::Lapse(id));
        self.alarms.stop(Alarm::NotifyAgain(id));
    }
}

fn makes_subscription(request: &Request) -> bool {
    matches!(request.method(), Method::Subscribe | Method::Refer)
}

fn granting(granted: Duration) -> Reply {
    Reply::new(200).header(HeaderName::Expires.as_str(), granted.as_secs().to_string())
}

fn wanted(headers: &Headers) -> Duration {
    seconds(headers, HeaderName::Expires).unwrap_or(USUAL)
}

/// RFC 6665 §4.2.1.1: what is too short is refused; nothing at all only fetches the state, or ends.
fn is_long_enough(headers: &Headers) -> Result<(), Reply> {
    let wanted = wanted(headers);
    if wanted.is_zero() || wanted >= SHORTEST {
        return Ok(());
    }
    let least = SHORTEST.as_secs().to_string();
    Err(Reply::new(423).header(HeaderName::MinExpires.as_str(), least))
}

fn event_of(headers: &Headers) -> Option<String> {
    let event = headers.typed::<header::Event<'_>>()?.ok()?;
    let package = event.value();
    Some(match event.param("id") {
        Some(id) => format!("{package};id={id}"),
        None => package.to_owned(),
    })
}
