//! Requests that have no final answer: what each of ours is for, and who still has to answer each of theirs.

use std::collections::BTreeMap;

use super::usage::{Asked, Received, Sent};
use crate::endpoint::event::{RequestId, ServerRequestId, UsageId};
use crate::message::{Method, Request};
use crate::transaction::{ClientKey, ServerKey};

/// What the transactions that are open are for.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct Exchanges {
    sent: BTreeMap<ClientKey, Sent>,
    received: BTreeMap<ServerKey, Received>,
    asked: BTreeMap<ServerRequestId, Asked>,
}

impl Exchanges {
    pub(in crate::endpoint) fn is_empty(&self) -> bool {
        self.sent.is_empty() && self.received.is_empty() && self.asked.is_empty()
    }

    /// A request of ours goes out.
    pub(in crate::endpoint) fn begin(&mut self, key: ClientKey, sent: Sent) {
        self.sent.insert(key, sent);
    }

    pub(in crate::endpoint) fn sent(&self, key: ClientKey) -> Option<&Sent> {
        self.sent.get(&key)
    }

    pub(in crate::endpoint) fn sent_mut(&mut self, key: ClientKey) -> Option<&mut Sent> {
        self.sent.get_mut(&key)
    }

    pub(in crate::endpoint) fn take_sent(&mut self, key: ClientKey) -> Option<Sent> {
        self.sent.remove(&key)
    }

    pub(in crate::endpoint) fn count_sent(&self, is_one: impl Fn(&Sent) -> bool) -> usize {
        self.sent.values().filter(|sent| is_one(sent)).count()
    }

    /// Forgets our requests inside a call that have no answer and for which this holds, oldest first.
    pub(in crate::endpoint) fn fail_within(
        &mut self,
        usage: UsageId,
        fails: impl Fn(&Method) -> bool,
    ) -> Vec<RequestId> {
        let failed = self.sent.extract_if(.., |_, sent| match sent {
            Sent::Within(within) => {
                within.usage == usage && !within.accepted && fails(within.request.method())
            }
            Sent::Invite(_)
            | Sent::Prack { .. }
            | Sent::Outside { .. }
            | Sent::Subscribe { .. }
            | Sent::Notify { .. }
            | Sent::Register { .. }
            | Sent::Hangup { .. } => false,
        });
        let ids = failed.filter_map(|(_, sent)| match sent {
            Sent::Within(within) => Some(within.id),
            Sent::Invite(_)
            | Sent::Prack { .. }
            | Sent::Outside { .. }
            | Sent::Subscribe { .. }
            | Sent::Notify { .. }
            | Sent::Register { .. }
            | Sent::Hangup { .. } => None,
        });
        ids.collect()
    }

    /// The INVITE of a call came.
    pub(in crate::endpoint) fn call_came(&mut self, key: ServerKey, usage: UsageId) {
        self.received.insert(key, Received::Invite(usage));
    }

    /// A request came that our caller has to answer.
    pub(in crate::endpoint) fn ask(
        &mut self,
        id: ServerRequestId,
        server: ServerKey,
        usage: Option<UsageId>,
        request: Request,
    ) {
        self.received.insert(server, Received::Asked(id));
        let asked = Asked {
            server,
            usage,
            request,
        };
        self.asked.insert(id, asked);
    }

    pub(in crate::endpoint) fn received(&self, key: ServerKey) -> Option<Received> {
        self.received.get(&key).copied()
    }

    /// Nobody has to answer it any more.
    pub(in crate::endpoint) fn take_received(&mut self, key: ServerKey) -> Option<Received> {
        self.received.remove(&key)
    }

    pub(in crate::endpoint) fn asked(&self, id: ServerRequestId) -> Option<&Asked> {
        self.asked.get(&id)
    }

    /// Our caller has answered it.
    pub(in crate::endpoint) fn answered(&mut self, id: ServerRequestId) {
        if let Some(asked) = self.asked.remove(&id) {
            self.received.remove(&asked.server);
        }
    }

    /// It can't be answered any more.
    pub(in crate::endpoint) fn take_asked(&mut self, id: ServerRequestId) -> Option<Asked> {
        self.asked.remove(&id)
    }

    /// What our caller has not answered of what came inside this call.
    pub(in crate::endpoint) fn asked_within(&self, usage: UsageId) -> Vec<ServerRequestId> {
        let within = self.asked.iter();
        let within = within.filter(|(_, asked)| asked.usage == Some(usage));
        within.map(|(id, _)| *id).collect()
    }
}
