//! Our INVITEs whose flow was lost before their final answer.
//!
//! Their answers go where the flow was, unless the server finds us elsewhere. Whether it does, the
//! repeat of the INVITE tells: who still has it sends its last provisional answer again (RFC 3261
//! §17.2.1). Where nothing comes, nobody shall be left ringing: CANCEL goes out under the INVITE's
//! own branch, and BYE to every early dialog for whoever has answered meanwhile (RFC 3261 §15).

use std::time::{Duration, Instant};

use super::event::{Event, FailureCause, UsageId};
use super::state::usage::{Calling, Early, Sent};
use super::{Alarm, Endpoint};
use crate::dialog::{Dialog, to_tag};
use crate::message::{Method, Response};
use crate::transaction::{ClientKey, FlowId};

/// How long the answer to a repeated INVITE may take: T2, the longest that anybody is asked to wait.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a CANCEL may take to bring a 487, before its callee counts as having answered.
const PATIENCE_WITH_CANCEL: Duration = Duration::from_secs(2);

impl Endpoint {
    /// Keeps the unanswered INVITEs of a flow that is about to go.
    pub(super) fn strand_invites(&mut self, flow: FlowId, now: Instant) {
        let patience = self.config.ringing_patience;
        for (id, calling) in self.calls.all_calling() {
            if calling.flow != flow || !self.layer.strand(calling.client) {
                continue;
            }
            calling.stranded = true;
            // RFC 3262 §4: the PRACK may be lost, so that its answer comes again.
            for early in &mut calling.early {
                early.rseq = early.rseq.and_then(|rseq| rseq.checked_sub(1));
            }
            self.alarms.stop(Alarm::Unheard(id));
            if !self.alarms.is_running(Alarm::Ringing(id)) {
                self.alarms.start(Alarm::Ringing(id), now + patience);
            }
        }
    }

    /// Sends the CANCELs that found no flow, or whose answers were lost with one.
    pub(super) fn resume_cancels(&mut self, now: Instant) {
        let cancelled: Vec<UsageId> = self
            .calls
            .all_calling()
            .filter(|(_, calling)| calling.stranded && calling.cancel.is_some())
            .map(|(id, _)| id)
            .collect();
        for usage in cancelled {
            self.alarms.stop(Alarm::Ringing(usage));
            self.resume_invite(usage, now);
        }
    }

    /// Goes on with an unanswered call of ours whose flow was lost, over the newest. Where the server says nothing of it
    /// within 4 s, it is cancelled there and ends as `Failed` with `Transport`.
    pub fn resume(&mut self, usage: UsageId, now: Instant) {
        self.resume_refused(usage, now);
        if self.resume_invite(usage, now) {
            self.alarms.start(Alarm::Unheard(usage), now + PATIENCE);
        }
        self.settle(now);
    }

    fn resume_invite(&mut self, usage: UsageId, now: Instant) -> bool {
        let Some(flow) = self.flows.newest() else {
            return false;
        };
        let Some(calling) = self.calls.calling_mut(usage) else {
            return false;
        };
        if !std::mem::take(&mut calling.stranded) {
            return false;
        }
        calling.flow = flow;
        calling.repeated = calling.cancel.is_none();
        let client = calling.client;
        if let Some(Sent::Invite(sent)) = self.exchanges.sent_mut(client) {
            sent.flow = flow;
        }
        self.layer.resume(client, flow, now);
        true
    }

    /// The server said nothing of a call that was to go on.
    pub(super) fn unheard(&mut self, usage: UsageId, now: Instant) {
        let Some(calling) = self.take_calling(usage) else {
            return;
        };
        self.layer.withdraw(calling.client, now);
        let dialogs: Vec<Dialog> = calling
            .early
            .into_iter()
            .map(|early| early.dialog)
            .collect();
        if !dialogs.is_empty() {
            self.unfinished.abandon(calling.client, dialogs);
            let due = now + PATIENCE_WITH_CANCEL;
            self.alarms.start(Alarm::Abandoned(calling.client), due);
        }
        let cause = FailureCause::Transport;
        self.emit(Event::Failed { usage, cause });
    }

    /// No flow came for as long as anybody rings.
    pub(super) fn forget_stranded(&mut self, usage: UsageId) {
        if let Some(calling) = self.take_calling(usage) {
            self.layer.forget(calling.client);
            self.exchanges.take_sent(calling.client);
            let cause = FailureCause::Transport;
            self.emit(Event::Failed { usage, cause });
        }
    }

    fn take_calling(&mut self, usage: UsageId) -> Option<Box<Calling>> {
        let calling = self.calls.take_calling(usage)?;
        self.forget_early(&calling.early);
        self.alarms.stop(Alarm::Ringing(usage));
        self.alarms.stop(Alarm::Unheard(usage));
        Some(calling)
    }

    /// The INVITE has its final answer: whoever was abandoned knows.
    pub(super) fn settle_abandoned(&mut self, client: ClientKey) {
        self.alarms.stop(Alarm::Abandoned(client));
        self.unfinished.take_abandoned(client);
    }

    /// CANCEL brought nothing: who answered in the meantime is hung up.
    pub(super) fn hang_up_abandoned(&mut self, client: ClientKey, now: Instant) {
        for dialog in self.unfinished.take_abandoned(client) {
            self.hang_up_early(dialog, now);
        }
    }

    /// The first answer to a repeat shows whether it is of the call that rang: one under a tag that is new to us comes of
    /// another, because the server had forgotten our INVITE, and whoever rang before is hung up.
    pub(super) fn compare_repeat(&mut self, usage: UsageId, response: &Response, now: Instant) {
        let tag = to_tag(response.headers()).unwrap_or_default();
        let Some(calling) = self.calls.calling_mut(usage) else {
            return;
        };
        if tag.is_empty() || !std::mem::take(&mut calling.repeated) {
            return;
        }
        let known = |early: &Early| early.dialog.id().remote_tag == tag;
        if calling.early.iter().any(known) {
            return;
        }
        let early = std::mem::take(&mut calling.early);
        self.forget_early(&early);
        for early in early {
            self.hang_up_early(early.dialog, now);
        }
    }

    fn hang_up_early(&mut self, mut dialog: Dialog, now: Instant) {
        let bye = dialog.request(Method::Bye);
        self.send_hangup(dialog, bye, None, 0, now);
    }
}
