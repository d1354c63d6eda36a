//! The subscribers that are told our state, and which of them a SUBSCRIBE is from (RFC 6665 §4.2).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::subscriptions::same_event;
use crate::dialog::{Dialog, DialogId};
use crate::endpoint::command::Body;
use crate::endpoint::event::NotifierId;
use crate::header;
use crate::message::{HeaderName, Method, Request};
use crate::put::Put;
use crate::transaction::FlowId;

/// Subscribers alive at once.
pub(in crate::endpoint) const MOST_NOTIFIERS: usize = 512;

/// Every subscriber, from our acceptance to the answer of its last NOTIFY.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct Notifiers {
    all: BTreeMap<NotifierId, Notifier>,
}

/// A subscriber.
#[derive(Debug)]
pub(in crate::endpoint) struct Notifier {
    pub(in crate::endpoint) dialog: Dialog,
    pub(in crate::endpoint) flow: FlowId,
    /// Package and `id`, as the subscriber wrote them.
    pub(in crate::endpoint) event: String,
    /// What it was told last, and is told again at each refresh.
    pub(in crate::endpoint) state: Option<Body>,
    /// The longest that is granted at once.
    pub(in crate::endpoint) most: Duration,
    pub(in crate::endpoint) until: Instant,
    /// A NOTIFY is out.
    pub(in crate::endpoint) notifying: bool,
    /// Another is to follow.
    pub(in crate::endpoint) owed: bool,
    /// The reason that the last NOTIFY gives.
    pub(in crate::endpoint) leaving: Option<String>,
}

impl Notifier {
    /// The NOTIFY that it is owed, up to its body, which is out from now on.
    pub(in crate::endpoint) fn next(&mut self, now: Instant) -> (Request, Option<Body>) {
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
    pub(in crate::endpoint) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether one of them is told over this flow.
    pub(in crate::endpoint) fn use_flow(&self, flow: FlowId) -> bool {
        self.all.values().any(|notifier| notifier.flow == flow)
    }

    pub(in crate::endpoint) fn has_room(&self) -> bool {
        self.all.len() < MOST_NOTIFIERS
    }

    pub(in crate::endpoint) fn ids(&self) -> Vec<NotifierId> {
        self.all.keys().copied().collect()
    }

    pub(in crate::endpoint) fn add(&mut self, id: NotifierId, notifier: Notifier) {
        self.all.insert(id, notifier);
    }

    pub(in crate::endpoint) fn get(&self, id: NotifierId) -> Option<&Notifier> {
        self.all.get(&id)
    }

    pub(in crate::endpoint) fn get_mut(&mut self, id: NotifierId) -> Option<&mut Notifier> {
        self.all.get_mut(&id)
    }

    pub(in crate::endpoint) fn remove(&mut self, id: NotifierId) {
        self.all.remove(&id);
    }

    /// The subscriber that renews or ends its subscription; one that is leaving has none any more.
    pub(in crate::endpoint) fn of_subscribe(
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
