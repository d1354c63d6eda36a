//! What comes of each input: taken from the layer of transactions, and from our own alarms, to whom it concerns.

use std::time::Instant;

use super::event::{Event, Output, RequestFailure, UsageId};
use super::state::admission::Intake;
use super::state::alarm::Alarm;
use super::state::usage::{Received, Sent, Usage};
use super::{Endpoint, vetting};
use crate::dialog::{Origin, to_tag};
use crate::message::{Message, Response};
use crate::transaction::{self, ClientKey, FlowId, Gone, ServerKey, TxEvent};

impl Endpoint {
    pub(super) fn receive(&mut self, flow: FlowId, message: Message, now: Instant) {
        match &message {
            Message::Response(response) => {
                if let Err(why) = vetting::vet_response(response) {
                    return self.discard(why.into());
                }
            }
            Message::Request(request) => {
                if let Err(refusal) = self.admit(request, now) {
                    self.refuse_stateless(flow, request, &refusal);
                    return self.settle(now);
                }
            }
        }
        self.layer.handle_message(flow, message, now);
        self.settle(now);
    }

    /// Takes all that the layer has to say.
    pub(super) fn settle(&mut self, now: Instant) {
        loop {
            match self.layer.poll_output() {
                transaction::LayerOutput::Transmit { flow, bytes } => {
                    self.outputs.push_back(Output::Transmit { flow, bytes });
                }
                transaction::LayerOutput::Event(event) => self.take(event, now),
                transaction::LayerOutput::Timeout(..) => return,
            }
        }
    }

    fn take(&mut self, event: TxEvent, now: Instant) {
        match event {
            TxEvent::Request { key, flow, request } => {
                self.receive_request(key, flow, request, now)
            }
            TxEvent::Cancel { key, request } => self.receive_cancel(key, request, now),
            TxEvent::Ack { flow, request } => self.receive_ack(flow, request, now),
            TxEvent::Response { key, response } => self.receive_response(key, response, now),
            TxEvent::Timeout { key } => self.receive_failure(key, RequestFailure::Timeout, now),
            TxEvent::TransportError { key } => {
                self.receive_failure(key, RequestFailure::Transport, now);
            }
            TxEvent::ServerGone { key, why } => self.receive_server_gone(key, why, now),
            TxEvent::Discarded { why } => self.discard(why.into()),
        }
    }

    fn receive_response(&mut self, key: ClientKey, response: Response, now: Instant) {
        if self.intake() == Intake::Closed && response.status().is_provisional() {
            // A reliable one comes again.
            return self.discard("a provisional answer that nobody can take now".into());
        }
        self.learn_from(key, &response);
        match self.exchanges.sent(key) {
            Some(Sent::Invite(_)) => self.receive_invite_response(key, response, now),
            // Only who calls waits for more than the final answer.
            Some(_) if response.status().is_provisional() => {}
            Some(Sent::Within(_)) => self.receive_within_response(key, response, now),
            Some(Sent::Prack { .. }) => self.receive_prack_response(key, &response, now),
            Some(Sent::Outside { .. }) => self.receive_outside_response(key, response, now),
            Some(Sent::Subscribe { .. }) => self.receive_subscribe_response(key, response, now),
            Some(Sent::Notify { .. }) => self.receive_notify_response(key, response, now),
            Some(Sent::Register { .. }) => self.receive_register_response(key, response, now),
            Some(Sent::Hangup { .. }) => self.receive_hangup_response(key, response, now),
            None => self.question_is_over(key, Some(&response)),
        }
    }

    /// What was let through proves its credentials, and may bring the next nonce.
    fn learn_from(&mut self, key: ClientKey, response: &Response) {
        let Some(sent) = self.exchanges.sent(key) else {
            return;
        };
        let origin = self.origin_of(sent);
        self.signer
            .accepted(response, sent.request(), origin.as_ref());
    }

    /// Where the dialog began that a request was sent in; that of one which nobody remembers could be anybody's.
    pub(super) fn origin_of(&self, sent: &Sent) -> Option<Origin> {
        let of_usage = |usage: &UsageId| match self.calls.get(*usage) {
            Some(Usage::Established(established)) => established.dialog.origin().clone(),
            Some(Usage::Lingering(lingering)) => lingering.dialog.origin().clone(),
            Some(Usage::Calling(calling)) => Origin::of(&calling.request),
            Some(Usage::Called(_)) | None => Origin::Theirs,
        };
        match sent {
            Sent::Invite(_) | Sent::Outside { .. } | Sent::Register { .. } => None,
            Sent::Within(within) => Some(of_usage(&within.usage)),
            Sent::Prack { usage, .. } => Some(of_usage(usage)),
            Sent::Subscribe { id, request, .. } => {
                // The first may be answered after its NOTIFY.
                to_tag(request.headers())?;
                let subscription = self.subscriptions.get(*id);
                let dialog = subscription.and_then(|subscription| subscription.dialog.as_ref());
                Some(dialog.map_or(Origin::Theirs, |dialog| dialog.origin().clone()))
            }
            Sent::Notify { .. } => Some(Origin::Theirs),
            Sent::Hangup { dialog, .. } => Some(dialog.origin().clone()),
        }
    }

    fn receive_failure(&mut self, key: ClientKey, failure: RequestFailure, now: Instant) {
        match self.exchanges.take_sent(key) {
            Some(Sent::Invite(sent)) => self.invite_failed(sent.usage, key, failure),
            Some(Sent::Within(sent)) => self.within_failed(sent, failure, now),
            Some(Sent::Outside { id, .. }) => {
                self.emit(Event::RequestFailed { id, cause: failure });
            }
            Some(Sent::Subscribe { id, .. }) => self.subscribe_failed(id, failure),
            Some(Sent::Notify { id, .. }) => self.notify_failed(id, failure, now),
            Some(Sent::Register { .. }) => self.register_unanswered(now),
            Some(Sent::Hangup {
                dialog, request, ..
            }) if failure == RequestFailure::Transport => self.strand(*dialog, request, now),
            Some(Sent::Hangup { .. } | Sent::Prack { .. }) => {}
            None => self.question_is_over(key, None),
        }
    }

    fn receive_server_gone(&mut self, key: ServerKey, why: Gone, _now: Instant) {
        match self.exchanges.take_received(key) {
            Some(Received::Invite(usage)) => match why {
                Gone::FlowDown => self.incoming_is_over(usage, None),
                // Its refusal went out; nobody waits for the ACK.
                Gone::NoAck | Gone::TooLate => {}
            },
            Some(Received::Asked(id)) => self.asked_is_gone(id),
            None => {}
        }
    }

    pub(super) fn ring(&mut self, alarm: Alarm, now: Instant) {
        match alarm {
            Alarm::Register => self.register_anew(now),
            Alarm::Ringing(usage) => self.rang_too_long(usage, now),
            Alarm::Unheard(usage) => self.unheard(usage, now),
            Alarm::Abandoned(client) => self.hang_up_abandoned(client, now),
            Alarm::Repeat2xx(usage) => self.repeat_2xx(usage, now),
            Alarm::AckWait(usage) => self.no_ack(usage, now),
            Alarm::RepeatProvisional(usage) => self.repeat_provisional(usage, now),
            Alarm::RepeatReliable(usage) => self.repeat_reliable(usage, now),
            Alarm::PrackWait(usage) => self.no_prack(usage, now),
            Alarm::SessionRefresh(usage) => self.refresh_session(usage, now),
            Alarm::SessionExpiry(usage) => self.session_expired(usage, now),
            Alarm::OfferDue(usage) => self.offer_is_due(usage),
            Alarm::Forks(client) => self.forget_forks(client),
            Alarm::Stranded => self.unfinished.drop_stranded(now),
            Alarm::Resubscribe(id) => self.refresh_due(id, now),
            Alarm::Notified(id) => self.not_notified(id),
            Alarm::Lapse(id) => self.subscriber_lapsed(id, now),
            Alarm::NotifyAgain(id) => self.notify_owed(id, now),
            Alarm::Probe(flow) => self.probe(flow, now),
            Alarm::Pong(flow) => self.flow_is_dead(flow, now),
        }
    }
}
