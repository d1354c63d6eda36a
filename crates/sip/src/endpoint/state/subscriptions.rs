//! The subscriptions of ours that are alive, and which of them a NOTIFY is for (RFC 6665 §4.1).

use std::collections::BTreeMap;

use crate::dialog::{Dialog, DialogId, Origin, from_tag, to_tag};
use crate::endpoint::command::Subscribe;
use crate::endpoint::event::RequestFailure;
use crate::endpoint::event::{SubscriptionEnd, SubscriptionId};
use crate::header;
use crate::message::{HeaderName, Request};
use crate::transaction::FlowId;

/// Subscriptions alive at once.
pub(in crate::endpoint) const MOST_SUBSCRIPTIONS: usize = 512;

/// Every subscription of ours, from its SUBSCRIBE to its end.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct Subscriptions {
    all: BTreeMap<SubscriptionId, Subscription>,
}

/// A subscription of ours.
#[derive(Debug)]
pub(in crate::endpoint) struct Subscription {
    pub(in crate::endpoint) wish: Subscribe,
    /// Under this Call-ID and tag of ours notifications come.
    call_id: String,
    local_tag: String,
    /// That of the SUBSCRIBE which is to make the dialog.
    pub(in crate::endpoint) origin: Origin,
    pub(in crate::endpoint) dialog: Option<Dialog>,
    pub(in crate::endpoint) flow: FlowId,
    pub(in crate::endpoint) leaving: bool,
}

impl Subscription {
    /// One that this SUBSCRIBE asks for.
    pub(in crate::endpoint) fn new(wish: Subscribe, request: &Request, flow: FlowId) -> Self {
        let mut subscription = Self {
            wish,
            call_id: String::new(),
            local_tag: String::new(),
            origin: Origin::of(request),
            dialog: None,
            flow,
            leaving: false,
        };
        subscription.asked_anew(request);
        subscription
    }

    /// This SUBSCRIBE, in no dialog, stands for the one before.
    pub(in crate::endpoint) fn asked_anew(&mut self, request: &Request) {
        let call_id = request.headers().get(HeaderName::CallId);
        self.call_id = call_id.unwrap_or_default().to_owned();
        self.local_tag = from_tag(request.headers()).unwrap_or_default();
    }

    /// This SUBSCRIBE goes out, perhaps for the second time.
    pub(in crate::endpoint) fn asked_over(&mut self, flow: FlowId, request: &Request) {
        self.flow = flow;
        if self.dialog.is_none() {
            self.origin = Origin::of(request);
        }
    }

    /// What it comes to that a SUBSCRIBE had no answer; nothing if it goes on.
    pub(in crate::endpoint) fn ended_by(&self, failure: RequestFailure) -> Option<SubscriptionEnd> {
        match failure {
            // It is given up, whether the server has heard of that or not.
            _ if self.leaving => Some(SubscriptionEnd::Local),
            // The dialog outlives the flow; the next one brings a refresh.
            RequestFailure::Transport if self.dialog.is_some() => None,
            RequestFailure::Transport => Some(SubscriptionEnd::Transport),
            RequestFailure::Timeout | RequestFailure::DialogEnded => Some(SubscriptionEnd::Silent),
        }
    }
}

impl Subscriptions {
    pub(in crate::endpoint) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(in crate::endpoint) fn has_room(&self) -> bool {
        self.all.len() < MOST_SUBSCRIPTIONS
    }

    pub(in crate::endpoint) fn add(&mut self, id: SubscriptionId, subscription: Subscription) {
        self.all.insert(id, subscription);
    }

    pub(in crate::endpoint) fn get(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.all.get(&id)
    }

    pub(in crate::endpoint) fn get_mut(&mut self, id: SubscriptionId) -> Option<&mut Subscription> {
        self.all.get_mut(&id)
    }

    /// Returns whether it was alive.
    pub(in crate::endpoint) fn remove(&mut self, id: SubscriptionId) -> bool {
        self.all.remove(&id).is_some()
    }

    /// The subscription that a NOTIFY belongs to: by Call-ID, our tag, package and `id`, and by the other side's tag once it is known.
    pub(in crate::endpoint) fn of_notify(
        &mut self,
        notify: &Request,
    ) -> Option<(SubscriptionId, &mut Subscription)> {
        let headers = notify.headers();
        let call_id = headers.get(HeaderName::CallId)?;
        let local_tag = to_tag(headers)?;
        let dialog = DialogId::of_request(headers)?;
        let event = headers.typed::<header::Event<'_>>()?.ok()?;
        self.all
            .iter_mut()
            .find(|(_, subscription)| {
                let known = subscription.dialog.as_ref();
                subscription.call_id == call_id
                    && subscription.local_tag == local_tag
                    && same_event(&subscription.wish.event, &event)
                    // Another fork's is not wanted (RFC 6665 §4.1.2.4 leaves that to us).
                    && known.is_none_or(|known| known.id() == &dialog)
            })
            .map(|(id, subscription)| (*id, subscription))
    }
}

impl Subscribe {
    /// What a SUBSCRIBE says of it.
    pub(in crate::endpoint) fn headers(&self) -> Vec<(String, String)> {
        let mut headers = vec![
            (HeaderName::Event.as_str().to_owned(), self.event.clone()),
            (
                HeaderName::Expires.as_str().to_owned(),
                self.expires.as_secs().to_string(),
            ),
        ];
        if !self.accept.is_empty() {
            headers.push((
                HeaderName::Accept.as_str().to_owned(),
                self.accept.join(", "),
            ));
        }
        headers.extend(self.headers.iter().cloned());
        headers
    }
}

/// RFC 6665 §8.2.1: package and `id` are compared, and nothing else.
pub(in crate::endpoint) fn same_event(ours: &str, theirs: &header::Event<'_>) -> bool {
    let parsed = <header::Event<'_> as header::TypedHeader<'_>>::parse(ours);
    parsed.is_ok_and(|ours| ours.is(theirs.value()) && ours.param("id") == theirs.param("id"))
}
