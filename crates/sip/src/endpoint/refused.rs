//! Calls of ours whose credentials were refused, and that wait for others.

use std::time::Instant;

use super::Endpoint;
use super::event::{Event, UsageId};
use super::standalone_requests::renumbered;
use super::state::usage::{Calling, OtherCredentials, Usage};
use crate::message::{HeaderName, Response};

impl Endpoint {
    /// Whether this call waits for other credentials, if its own are refused now.
    pub(super) fn may_ask_for_credentials(&self, calling: &Calling) -> bool {
        self.config.awaits_credentials && matches!(calling.credentials, OtherCredentials::Unasked)
    }

    pub(super) fn keep_refused(
        &mut self,
        usage: UsageId,
        mut calling: Box<Calling>,
        refusal: Response,
    ) {
        calling.credentials = OtherCredentials::Awaited(refusal);
        self.calls.insert(usage, Usage::Calling(calling));
        self.emit(Event::CredentialsRefused { usage });
    }

    /// There are other credentials: the calls that waited for them are sent again, or as soon as there is a flow.
    pub fn send_refused(&mut self, now: Instant) {
        for usage in self.without_credentials() {
            self.send_refused_call(usage, now);
        }
        self.settle(now);
    }

    /// There are none: the calls that waited have failed.
    pub fn drop_refused(&mut self) {
        for usage in self.without_credentials() {
            self.drop_refused_call(usage);
        }
    }

    /// Sends such a call over the flow that is there now.
    pub(super) fn resume_refused(&mut self, usage: UsageId, now: Instant) {
        let unsent = |calling: &Calling| matches!(calling.credentials, OtherCredentials::Unsent(_));
        if self
            .calls
            .calling_mut(usage)
            .is_some_and(|calling| unsent(calling))
        {
            self.send_refused_call(usage, now);
        }
    }

    fn send_refused_call(&mut self, usage: UsageId, now: Instant) {
        let Some(mut calling) = self.calls.take_calling(usage) else {
            return;
        };
        let Some(flow) = self.flows.choose(Some(calling.flow)) else {
            calling.credentials = match calling.credentials {
                OtherCredentials::Awaited(refusal) | OtherCredentials::Unsent(refusal) => {
                    OtherCredentials::Unsent(refusal)
                }
                other @ (OtherCredentials::Unasked | OtherCredentials::Came) => other,
            };
            self.calls.insert(usage, Usage::Calling(calling));
            return;
        };
        calling.credentials = OtherCredentials::Came;
        calling.retries = 0;
        let mut again = renumbered(&calling.request, None);
        for refused in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
            again.headers_mut().remove(refused);
        }
        self.signer.sign(&mut again, None);
        self.send_next(usage, calling, again, flow, now);
    }

    /// Tells the refusal of a call that waits; says whether it did.
    pub(super) fn drop_refused_call(&mut self, usage: UsageId) -> bool {
        let Some(mut calling) = self.calls.take_calling(usage) else {
            return false;
        };
        match std::mem::take(&mut calling.credentials) {
            OtherCredentials::Awaited(refusal) | OtherCredentials::Unsent(refusal) => {
                self.report_refusal(usage, &calling, refusal);
                true
            }
            other @ (OtherCredentials::Unasked | OtherCredentials::Came) => {
                calling.credentials = other;
                self.calls.insert(usage, Usage::Calling(calling));
                false
            }
        }
    }

    fn without_credentials(&mut self) -> Vec<UsageId> {
        let waits = |calling: &Calling| {
            matches!(
                calling.credentials,
                OtherCredentials::Awaited(_) | OtherCredentials::Unsent(_)
            )
        };
        let all = self.calls.all_calling();
        all.filter(|(_, calling)| waits(calling))
            .map(|(usage, _)| usage)
            .collect()
    }
}
