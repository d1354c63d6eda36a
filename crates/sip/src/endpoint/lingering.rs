//! Dialogs that outlive their call: a REFER's notifications still go through them (RFC 5057 §4.2, RFC 6665 §4.5.2).

use std::time::Instant;

use super::Endpoint;
use super::command::Reply;
use super::event::UsageId;
use super::standalone_requests::MAX_RETRIES;
use super::state::usage::{Lingering, Usage};
use crate::dialog::Dialog;
use crate::message::{Method, Request};
use crate::transaction::{FlowId, ServerKey};

impl Endpoint {
    /// Keeps the dialog of an established call for NOTIFY, until as many [`release`](Self::release)s, also beyond the call's end.
    pub fn retain(&mut self, usage: UsageId) {
        match self.calls.get_mut(usage) {
            Some(Usage::Established(established)) => established.retained += 1,
            Some(Usage::Lingering(lingering)) => lingering.retained += 1,
            Some(Usage::Calling(_) | Usage::Called(_)) | None => {}
        }
    }

    /// Gives up what [`retain`](Self::retain) kept.
    pub fn release(&mut self, usage: UsageId) {
        match self.calls.get_mut(usage) {
            Some(Usage::Established(established)) => {
                established.retained = established.retained.saturating_sub(1);
            }
            Some(Usage::Lingering(lingering)) => {
                lingering.retained = lingering.retained.saturating_sub(1);
                if lingering.retained == 0 {
                    let id = lingering.dialog.id().clone();
                    self.calls.drop_dialog(&id);
                    self.calls.remove(usage);
                    self.fail_requests_of(usage, |_| true);
                }
            }
            Some(Usage::Calling(_) | Usage::Called(_)) | None => {}
        }
    }

    pub(super) fn linger(
        &mut self,
        usage: UsageId,
        mut dialog: Dialog,
        flow: FlowId,
        retained: u32,
    ) {
        // A BYE that is challenged takes the next numbers.
        for _ in 0..=MAX_RETRIES {
            dialog.next_cseq();
        }
        self.calls.add_dialog(dialog.id().clone(), usage);
        let lingering = Lingering {
            dialog,
            flow,
            retained,
        };
        self.calls
            .insert(usage, Usage::Lingering(Box::new(lingering)));
    }

    /// The call is over: only what the REFER made lives on.
    pub(super) fn receive_lingering(
        &mut self,
        key: ServerKey,
        usage: UsageId,
        request: Request,
        now: Instant,
    ) {
        match request.method() {
            Method::Notify => self.hand_up(key, Some(usage), request),
            Method::Invite
            | Method::Ack
            | Method::Cancel
            | Method::Bye
            | Method::Options
            | Method::Register
            | Method::Update
            | Method::Info
            | Method::Prack
            | Method::Subscribe
            | Method::Refer
            | Method::Message
            | Method::Publish
            | Method::Other(_) => self.refuse(key, &request, &Reply::new(481), now),
        }
    }
}
