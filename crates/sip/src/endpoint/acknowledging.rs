//! The ACKs of 2xx, which are ours to repeat (RFC 3261 §13.2.2.4).

use std::time::Instant;

use super::command::{Body, CommandError};
use super::compose::{check_body, with_body};
use super::event::UsageId;
use super::state::unfinished::SentAck;
use super::state::usage::Usage;
use super::{Alarm, Endpoint};
use crate::dialog::Dialog;
use crate::message::{HeaderName, Request};
use crate::put::Put;
use crate::transaction::{ClientKey, FlowId};

impl Endpoint {
    /// Sends the answer that a 2xx with an offer asked for, in its ACK.
    pub fn ack(
        &mut self,
        usage: UsageId,
        body: Option<&Body>,
        now: Instant,
    ) -> Result<(), CommandError> {
        check_body(body)?;
        if !matches!(self.calls.get(usage), Some(Usage::Established(_))) {
            return Err(CommandError::Unknown);
        }
        if !self.pay_ack(usage, body, now) {
            return Err(wrong("no answer is owed"));
        }
        self.settle(now);
        Ok(())
    }

    /// Sends the ACK that our caller was to give the answer for; false if none is owed.
    pub(super) fn pay_ack(&mut self, usage: UsageId, body: Option<&Body>, now: Instant) -> bool {
        let Some(established) = self.calls.established_mut(usage) else {
            return false;
        };
        let Some(owed) = established.owed_ack.take() else {
            return false;
        };
        let (dialog, flow) = (established.dialog.clone(), established.flow);
        self.send_ack(&dialog, owed.client, &owed.invite, flow, body);
        // It is kept for repeats, and not for ever where those are over by now.
        let over = Alarm::Forks(owed.client);
        if !self.alarms.is_running(over) {
            self.alarms
                .start(over, now + self.config.timings.patience());
        }
        true
    }

    /// Sends the ACK of a 2xx, along the dialog, with the INVITE's own credentials, and keeps it for the 2xx's repeats (RFC 3261 §13.2.2.4, §22.1).
    pub(super) fn send_ack(
        &mut self,
        dialog: &Dialog,
        client: ClientKey,
        invite: &Request,
        flow: FlowId,
        body: Option<&Body>,
    ) {
        let mut ack = dialog.ack(invite.headers().cseq().map_or(1, |cseq| cseq.number));
        for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
            ack.headers_mut().copy(name, invite.headers());
        }
        self.signer.withhold(&mut ack, dialog.origin());
        ack.headers_mut()
            .put(HeaderName::UserAgent, &self.config.user_agent);
        let ack = with_body(ack, body);
        let Some(flow) = self.flows.choose(Some(flow)) else {
            return;
        };
        let bytes = self.layer.send_stateless(flow, ack);
        let tag = dialog.id().remote_tag.clone();
        self.unfinished
            .acknowledged(client, tag, SentAck { flow, bytes });
    }

    /// Sends the ACK that this 2xx was given before; false for a new one.
    pub(super) fn repeat_ack(&mut self, client: ClientKey, tag: &str) -> bool {
        let Some(ack) = self.unfinished.ack(client, tag) else {
            return false;
        };
        if let Some(flow) = self.flows.choose(Some(ack.flow)) {
            self.layer.transmit(flow, ack.bytes);
        }
        true
    }

    /// An ACK may have been lost with its flow, and the repeats that would ask for it go where that
    /// flow was: without it the other side ends the call (RFC 3261 §13.3.1.4).
    pub(super) fn repeat_lost_acks(&mut self, over: FlowId) {
        for ack in self.unfinished.move_lost_acks(&self.flows, over) {
            self.layer.transmit(over, ack);
        }
    }

    pub(super) fn owes_ack(&self, usage: UsageId, key: ClientKey, tag: &str) -> bool {
        match self.calls.get(usage) {
            Some(Usage::Established(established)) => established
                .owed_ack
                .as_ref()
                .is_some_and(|owed| owed.client == key && owed.remote_tag == tag),
            Some(Usage::Calling(_) | Usage::Called(_) | Usage::Lingering(_)) | None => false,
        }
    }

    /// 64·T1 after the first 2xx no other can come: its ACKs are not needed any more (RFC 3261 §13.2.2.4).
    pub(super) fn forget_forks(&mut self, client: ClientKey) {
        self.exchanges.take_sent(client);
        self.unfinished.forget_acks(client);
    }
}

fn wrong(state: &'static str) -> CommandError {
    CommandError::WrongState { state }
}
