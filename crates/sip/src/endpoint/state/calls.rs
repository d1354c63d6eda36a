//! The calls that are known, the dialogs by which messages find them, and those that were.

use std::collections::{BTreeMap, VecDeque};

use super::usage::{Called, Calling, Established, Usage};
use crate::dialog::{Dialog, DialogId};
use crate::endpoint::event::UsageId;
use crate::transaction::FlowId;

/// Ended dialogs that are told from ones that never were.
const MOST_GONE: usize = 256;

/// Every call, ours or theirs, from its INVITE to its end.
#[derive(Debug, Default)]
pub(in crate::endpoint) struct Calls {
    usages: BTreeMap<UsageId, Usage>,
    dialogs: BTreeMap<DialogId, UsageId>,
    /// The last calls that ended, oldest first.
    gone: VecDeque<DialogId>,
}

impl Calls {
    pub(in crate::endpoint) fn is_empty(&self) -> bool {
        self.usages.is_empty() && self.dialogs.is_empty()
    }

    /// How many of others have no final answer of ours.
    pub(in crate::endpoint) fn unanswered(&self) -> usize {
        let called = |usage: &&Usage| matches!(usage, Usage::Called(_));
        self.usages.values().filter(called).count()
    }

    /// How many are our own, or answered.
    pub(in crate::endpoint) fn others(&self) -> usize {
        self.usages.len() - self.unanswered()
    }

    pub(in crate::endpoint) fn get(&self, id: UsageId) -> Option<&Usage> {
        self.usages.get(&id)
    }

    pub(in crate::endpoint) fn get_mut(&mut self, id: UsageId) -> Option<&mut Usage> {
        self.usages.get_mut(&id)
    }

    pub(in crate::endpoint) fn insert(&mut self, id: UsageId, usage: Usage) {
        self.usages.insert(id, usage);
    }

    pub(in crate::endpoint) fn remove(&mut self, id: UsageId) -> Option<Usage> {
        self.usages.remove(&id)
    }

    /// Whether one of them goes over this flow.
    pub(in crate::endpoint) fn use_flow(&self, flow: FlowId) -> bool {
        self.usages.values().any(|usage| usage.flow() == flow)
    }

    pub(in crate::endpoint) fn established_dialogs(&self) -> impl Iterator<Item = &Dialog> {
        self.usages.values().filter_map(|usage| match usage {
            Usage::Established(established) => Some(&established.dialog),
            Usage::Calling(_) | Usage::Called(_) | Usage::Lingering(_) => None,
        })
    }

    /// Those that we placed and nobody has answered.
    pub(in crate::endpoint) fn all_calling(
        &mut self,
    ) -> impl Iterator<Item = (UsageId, &mut Calling)> {
        self.usages
            .iter_mut()
            .filter_map(|(id, usage)| match usage {
                Usage::Calling(calling) => Some((*id, &mut **calling)),
                Usage::Called(_) | Usage::Established(_) | Usage::Lingering(_) => None,
            })
    }

    pub(in crate::endpoint) fn calling_mut(&mut self, id: UsageId) -> Option<&mut Calling> {
        match self.get_mut(id)? {
            Usage::Calling(calling) => Some(calling),
            Usage::Called(_) | Usage::Established(_) | Usage::Lingering(_) => None,
        }
    }

    pub(in crate::endpoint) fn take_calling(&mut self, id: UsageId) -> Option<Box<Calling>> {
        match self.remove(id)? {
            Usage::Calling(calling) => Some(calling),
            other @ (Usage::Called(_) | Usage::Established(_) | Usage::Lingering(_)) => {
                self.insert(id, other);
                None
            }
        }
    }

    pub(in crate::endpoint) fn called(&self, id: UsageId) -> Option<&Called> {
        match self.get(id)? {
            Usage::Called(called) => Some(called),
            Usage::Calling(_) | Usage::Established(_) | Usage::Lingering(_) => None,
        }
    }

    pub(in crate::endpoint) fn called_mut(&mut self, id: UsageId) -> Option<&mut Called> {
        match self.get_mut(id)? {
            Usage::Called(called) => Some(called),
            Usage::Calling(_) | Usage::Established(_) | Usage::Lingering(_) => None,
        }
    }

    pub(in crate::endpoint) fn take_called(&mut self, id: UsageId) -> Option<Box<Called>> {
        match self.remove(id)? {
            Usage::Called(called) => Some(called),
            other @ (Usage::Calling(_) | Usage::Established(_) | Usage::Lingering(_)) => {
                self.insert(id, other);
                None
            }
        }
    }

    pub(in crate::endpoint) fn established(&self, id: UsageId) -> Option<&Established> {
        match self.get(id)? {
            Usage::Established(established) => Some(established),
            Usage::Calling(_) | Usage::Called(_) | Usage::Lingering(_) => None,
        }
    }

    pub(in crate::endpoint) fn established_mut(&mut self, id: UsageId) -> Option<&mut Established> {
        match self.get_mut(id)? {
            Usage::Established(established) => Some(established),
            Usage::Calling(_) | Usage::Called(_) | Usage::Lingering(_) => None,
        }
    }

    pub(in crate::endpoint) fn all_established(
        &mut self,
    ) -> impl Iterator<Item = &mut Established> {
        self.usages.values_mut().filter_map(|usage| match usage {
            Usage::Established(established) => Some(&mut **established),
            Usage::Calling(_) | Usage::Called(_) | Usage::Lingering(_) => None,
        })
    }

    pub(in crate::endpoint) fn take_established(
        &mut self,
        id: UsageId,
    ) -> Option<Box<Established>> {
        match self.remove(id)? {
            Usage::Established(established) => Some(established),
            other @ (Usage::Calling(_) | Usage::Called(_) | Usage::Lingering(_)) => {
                self.insert(id, other);
                None
            }
        }
    }

    /// Messages of this dialog are the call's from now on.
    pub(in crate::endpoint) fn add_dialog(&mut self, dialog: DialogId, id: UsageId) {
        self.dialogs.insert(dialog, id);
    }

    pub(in crate::endpoint) fn drop_dialog(&mut self, dialog: &DialogId) {
        self.dialogs.remove(dialog);
    }

    /// The call that messages of this dialog are for.
    pub(in crate::endpoint) fn of_dialog(&self, dialog: &DialogId) -> Option<UsageId> {
        self.dialogs.get(dialog).copied()
    }

    /// Remembers that a call has ended.
    pub(in crate::endpoint) fn remember_ended(&mut self, dialog: DialogId) {
        if self.gone.len() >= MOST_GONE {
            self.gone.pop_front();
        }
        self.gone.push_back(dialog);
    }

    /// Says whether a call of this dialog has ended lately.
    pub(in crate::endpoint) fn has_ended(&self, dialog: &DialogId) -> bool {
        self.gone.contains(dialog)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_calls_that_ended_are_remembered() {
        let dialog = |number: usize| DialogId {
            call_id: number.to_string(),
            local_tag: "ours".into(),
            remote_tag: "theirs".into(),
        };
        let mut calls = Calls::default();
        for number in 0..=MOST_GONE {
            calls.remember_ended(dialog(number));
        }
        assert!(!calls.has_ended(&dialog(0)));
        assert!(calls.has_ended(&dialog(1)) && calls.has_ended(&dialog(MOST_GONE)));
        assert!(calls.is_empty(), "what has ended is no call");
    }
}
