//! The subscribers that are told our state, and which of them a SUBSCRIBE is from (RFC 6665 §4.2).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::command::Body;
use super::notifying::NotifierId;
use super::subscriptions::same_event;
use crate::dialog::{Dialog, DialogId};
use crate::header;
use crate::message::{HeaderName, Method, Request};
use crate::put::Put;
use crate::transaction::FlowId;

/// Subscribers alive at once.
pub(super) const MOST_NOTIFIERS: usize = 512;

/// Every subscriber, from our acceptance to the answer of its last NOTIFY.
#[derive(Debug, Default)]
pub(super) struct Notifiers {
    all: BTreeMap<NotifierId, Notifier>,
}

/// A subscriber.
#[derive(Debug)]
pub(super) struct Notifier {
    pub(super) dialog: Dialog,
    pub(super) flow: FlowId,
    /// Package and `id`, as the subscriber wrote them.
    pub(super) event: String,
    /// What it was told last, and is told again at each refresh.
    pub(super) state: Option<Body>,
    /// The longest that is granted at once.
    pub(super) most: Duration,
    pub(super) until: Instant,
    /// A NOTIFY is out.
    pub(super) notifying: bool,
    /// Another is to follow.
    pub(super) owed: bool,
    /// The reason that the last NOTIFY gives.
    pub(super) leaving: Option<String>,
}

impl Notifier {
    /// The NOTIFY that it is owed, up to its body, which is out from now on.
    pub(super) fn next(&mut self, now: Instant) -> (Request, Option<Body>) {
        (self.owed, self.notifying) = (false, true);
        let mut request = self.dialog.request(Method::Notify);
        let left = self.until.saturating_duration_since(now).as_secs();
        let state = match &self.leaving {
            Some(reason) => format!("terminated;reason={reason}"),
            None => format!("active;expires={left}"),
        };
        let headers = request.headers_mut();
        headers.put(HeaderName::Event, &self.event);
        headers.put(HeaderName::SubscriptionState, &state);
        (request, self.state.clone())
    }
}

impl Notifiers {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn has_room(&self) -> bool {
        self.all.len() < MOST_NOTIFIERS
    }

    pub(super) fn ids(&self) -> Vec<NotifierId> {
        self.all.keys().copied().collect()
    }

    pub(super) fn add(&mut self, id: NotifierId, notifier: Notifier) {
        self.all.insert(id, notifier);
    }

    pub(super) fn get(&self, id: NotifierId) -> Option<&Notifier> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: NotifierId) -> Option<&mut Notifier> {
        self.all.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: NotifierId) {
        self.all.remove(&id);
    }

    /// The subscriber that renews or ends its subscription; one that is leaving has none any more.
    pub(super) fn of_subscribe(
        &mut self,
        request: &Request,
    ) -> Option<(NotifierId, &mut Notifier)> {
        let dialog = DialogId::of_request(request.headers())?;
        let event = request.headers().typed::<header::Event<'_>>()?.ok()?;
        let mut all = self.all.iter_mut();
        all.find(|(_, notifier)| {
            notifier.leaving.is_none()
                && notifier.dialog.id() == &dialog
                && same_event(&notifier.event, &event)
        })
        .map(|(id, notifier)| (*id, notifier))
    }
}
