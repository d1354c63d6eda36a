//! What the other side sends inside early dialogs: offers, one at a time, and where it is now (RFC 3311 §5, RFC 3262 §5).

use std::time::Instant;

use super::Endpoint;
use super::command::Reply;
use super::event::{Event, ServerRequestId, UsageId};
use super::receiving::refreshes_target;
use super::state::usage::{EarlyOffers, Usage};
use crate::dialog::{Dialog, DialogId};
use crate::message::{Method, Request, Response};
use crate::transaction::ServerKey;

impl Endpoint {
    /// The callee of our unanswered INVITE may not hang up yet (RFC 3261 §15).
    pub(super) fn receive_in_early(
        &mut self,
        key: ServerKey,
        usage: UsageId,
        request: Request,
        now: Instant,
    ) {
        match request.method() {
            Method::Bye | Method::Prack => self.refuse(key, &request, &Reply::new(481), now),
            Method::Update if request.body().is_empty() => {
                self.refresh_early(key, usage, &request, now);
            }
            Method::Update => self.receive_early_offer(key, usage, request, now),
            Method::Invite => self.refuse(key, &request, &Reply::new(491), now),
            Method::Options => self.refuse(key, &request, &Reply::new(200), now),
            Method::Ack
            | Method::Cancel
            | Method::Register
            | Method::Info
            | Method::Subscribe
            | Method::Notify
            | Method::Refer
            | Method::Message
            | Method::Publish
            | Method::Other(_) => self.hand_up(key, Some(usage), request),
        }
    }

    /// The caller of an INVITE that we have not answered.
    pub(super) fn receive_while_called(
        &mut self,
        key: ServerKey,
        usage: UsageId,
        request: Request,
        now: Instant,
    ) {
        match request.method() {
            Method::Bye => {
                self.refuse(key, &request, &Reply::new(200), now);
                self.hung_up_early(usage, request, now);
            }
            Method::Update if request.body().is_empty() => {
                self.refresh_early(key, usage, &request, now);
            }
            Method::Update => self.receive_early_offer(key, usage, request, now),
            Method::Invite => self.refuse_overlapping(key, &request, now),
            Method::Prack => self.receive_prack(key, usage, request, now),
            Method::Options => self.refuse(key, &request, &Reply::new(200), now),
            Method::Ack
            | Method::Cancel
            | Method::Register
            | Method::Info
            | Method::Subscribe
            | Method::Notify
            | Method::Refer
            | Method::Message
            | Method::Publish
            | Method::Other(_) => self.hand_up(key, Some(usage), request),
        }
    }

    /// RFC 3311 §5.2: without an offer it only says where the other side is now.
    fn refresh_early(&mut self, key: ServerKey, usage: UsageId, request: &Request, now: Instant) {
        if let Some(dialog) = self.dialog_of(usage, request) {
            dialog.refresh_target(request.headers());
        }
        self.refuse(key, request, &Reply::new(200), now);
    }

    /// RFC 3311 §5.2: an offer may follow the answer that came, or went, reliably; one at a time.
    fn receive_early_offer(
        &mut self,
        key: ServerKey,
        usage: UsageId,
        request: Request,
        now: Instant,
    ) {
        let ours = matches!(self.calls.get(usage), Some(Usage::Calling(_)));
        match self.early_offers(usage, &request) {
            Some(offers) if offers.answered && offers.theirs.is_none() => {
                self.hand_up_offer(key, usage, request);
            }
            Some(offers) if ours && !offers.answered => {
                self.refuse(key, &request, &Reply::new(491), now);
            }
            Some(_) | None => self.refuse_overlapping(key, &request, now),
        }
    }

    pub(super) fn hand_up_offer(&mut self, key: ServerKey, usage: UsageId, request: Request) {
        let id = self.hand_up_as(key, Some(usage), request.clone());
        if let Some(offers) = self.early_offers(usage, &request) {
            offers.theirs = Some(id);
        }
    }

    /// Their request in an early dialog was answered.
    pub(super) fn answered_early(
        &mut self,
        usage: UsageId,
        id: ServerRequestId,
        request: &Request,
        response: &Response,
    ) {
        let is_early = self.early_offers(usage, request).is_some();
        if is_early
            && response.status().is_success()
            && refreshes_target(request.method())
            && let Some(dialog) = self.dialog_of(usage, request)
        {
            dialog.refresh_target(request.headers());
        }
        self.close_early_offer(usage, id, request);
    }

    /// What an offer of theirs held back may be sent now.
    pub(super) fn close_early_offer(
        &mut self,
        usage: UsageId,
        id: ServerRequestId,
        request: &Request,
    ) {
        let Some(offers) = self.early_offers(usage, request) else {
            return;
        };
        if offers.theirs == Some(id) {
            offers.theirs = None;
            self.emit(Event::OfferDue { usage });
        }
    }

    fn early_offers(&mut self, usage: UsageId, request: &Request) -> Option<&mut EarlyOffers> {
        match self.calls.get_mut(usage)? {
            Usage::Calling(calling) => {
                let id = DialogId::of_request(request.headers())?;
                let mut early = calling.early.iter_mut();
                let early = early.find(|early| early.dialog.id() == &id)?;
                Some(&mut early.offers)
            }
            Usage::Called(called) => Some(&mut called.offers),
            Usage::Established(_) | Usage::Lingering(_) => None,
        }
    }

    pub(super) fn dialog_of(&mut self, usage: UsageId, request: &Request) -> Option<&mut Dialog> {
        match self.calls.get_mut(usage)? {
            Usage::Calling(calling) => {
                let id = DialogId::of_request(request.headers())?;
                let mut early = calling.early.iter_mut().map(|early| &mut early.dialog);
                early.find(|early| early.id() == &id)
            }
            Usage::Called(called) => Some(&mut called.dialog),
            Usage::Established(established) => Some(&mut established.dialog),
            Usage::Lingering(lingering) => Some(&mut lingering.dialog),
        }
    }
}
