//! Ending calls: our BYE, theirs, and the ones that find no flow (RFC 3261 §15).

use std::time::Instant;

use super::command::{Body, Reply};
use super::event::{EndCause, Event, RequestFailure, RequestId, UsageId};
use super::standalone_requests::is_challenge;
use super::state::unfinished::StrandedBye;
use super::state::usage::{HeldBye, Sent};
use super::{Alarm, Endpoint};
use crate::dialog::Dialog;
use crate::message::{Method, Request, Response};
use crate::transaction::{ClientKey, FlowId, ServerKey};

impl Endpoint {
    pub(super) fn bye(
        &mut self,
        usage: UsageId,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
    ) -> RequestId {
        let id = RequestId(self.draws.id());
        if let Some(established) = self.calls.established_mut(usage)
            && !established.may_bye
        {
            established.held_bye = Some(HeldBye {
                id,
                headers: headers.to_vec(),
                body: body.cloned(),
            });
            return id;
        }
        self.send_bye(usage, id, headers, body, now);
        id
    }

    pub(super) fn send_bye(
        &mut self,
        usage: UsageId,
        id: RequestId,
        headers: &[(String, String)],
        body: Option<&Body>,
        now: Instant,
    ) {
        // A 2xx whose answer is still owed has to be acknowledged even if all we want is to hang up.
        self.pay_ack(usage, None, now);
        let Some(established) = self.calls.established(usage) else {
            return;
        };
        let flow = self.flows.choose(Some(established.flow));
        let Some(request) = self.make_within(usage, Method::Bye, headers, body) else {
            return;
        };
        let Some(flow) = flow else {
            self.emit(Event::RequestFailed {
                id,
                cause: RequestFailure::Transport,
            });
            return self.end_stranded(usage, request, now);
        };
        self.send_within(usage, id, flow, request, 0, now);
        if let Some(established) = self.calls.established_mut(usage) {
            established.bye = Some(id);
            // As where they hang up (RFC 3261 §15.1.2): their offer is owed an answer.
            if let Some(offer) = established.their_offer {
                self.refuse_asked(offer, &Reply::new(487), now);
            }
        }
    }

    /// Ends an established call whose other side does not answer: `Ended` with `NoAnswer` follows at once, and the BYE is for
    /// whoever was only slow (RFC 3261 §12.2.1.2, §15).
    pub fn give_up(&mut self, usage: UsageId, now: Instant) {
        self.hang_up(usage, None, EndCause::NoAnswer, now);
        self.settle(now);
    }

    /// Ends a call from our side at once, its BYE unattended.
    pub(super) fn hang_up(
        &mut self,
        usage: UsageId,
        headers: Option<Vec<(String, String)>>,
        cause: EndCause,
        now: Instant,
    ) {
        let Ok(established) = self.established(usage) else {
            return;
        };
        let flow = established.flow;
        let headers = headers.unwrap_or_default();
        let Some(request) = self.make_within(usage, Method::Bye, &headers, None) else {
            return;
        };
        if let Some(dialog) = self.end(usage, cause) {
            self.send_hangup(dialog, request, Some(flow), 0, now);
        }
        self.refuse_all_of(usage, now);
    }

    /// Sends the BYE of a dialog that is no call's any more.
    pub(super) fn send_hangup(
        &mut self,
        dialog: Dialog,
        mut request: Request,
        preferred: Option<FlowId>,
        retries: u32,
        now: Instant,
    ) {
        if retries == 0 {
            self.signer.sign(&mut request, Some(dialog.origin()));
        }
        match self.flows.choose(preferred) {
            Some(flow) => {
                let dialog = Box::new(dialog);
                let sent = |request| Sent::Hangup {
                    dialog,
                    request,
                    retries,
                };
                self.send(flow, request, sent, now);
            }
            None => self.strand(dialog, request, now),
        }
    }

    pub(super) fn receive_hangup_response(
        &mut self,
        key: ClientKey,
        response: Response,
        now: Instant,
    ) {
        let Some(Sent::Hangup {
            mut dialog,
            request,
            retries,
        }) = self.exchanges.take_sent(key)
        else {
            return;
        };
        let cseq = is_challenge(&response).then(|| dialog.next_cseq());
        let origin = Some(dialog.origin());
        if let Some(again) = self.answer_challenge(&response, &request, retries, cseq, origin) {
            self.send_hangup(*dialog, again, None, retries + 1, now);
        }
    }

    pub(super) fn end_stranded(&mut self, usage: UsageId, request: Request, now: Instant) {
        if let Some(dialog) = self.end(usage, EndCause::Local) {
            self.strand(dialog, request, now);
        }
    }

    /// Keeps a BYE that found no flow for 64·T1: the other side shall not talk to nobody.
    pub(super) fn strand(&mut self, dialog: Dialog, request: Request, now: Instant) {
        let until = now + self.config.timings.patience();
        self.unfinished.strand(StrandedBye {
            dialog,
            request,
            until,
        });
        self.alarms.start(Alarm::Stranded, until);
    }

    pub(super) fn send_stranded(&mut self, now: Instant) {
        self.alarms.stop(Alarm::Stranded);
        for bye in self.unfinished.take_stranded(now) {
            self.send_hangup(bye.dialog, bye.request, None, 1, now);
        }
    }

    /// They hang up, perhaps while we do (RFC 3261 §15.1.2).
    pub(super) fn hung_up(&mut self, key: ServerKey, usage: UsageId, bye: Request, now: Instant) {
        self.refuse(key, &bye, &Reply::new(200), now);
        self.end(usage, EndCause::Bye(bye));
        self.refuse_all_of(usage, now);
    }

    /// Requests of theirs that an ended call leaves unanswered are given 487.
    pub(super) fn refuse_all_of(&mut self, usage: UsageId, now: Instant) {
        for id in self.exchanges.asked_within(usage) {
            self.refuse_asked(id, &Reply::new(487), now);
        }
    }

    /// Ends an established call, once, and returns its dialog.
    pub(super) fn end(&mut self, usage: UsageId, cause: EndCause) -> Option<Dialog> {
        let established = self.calls.take_established(usage)?;
        self.calls.drop_dialog(established.dialog.id());
        self.stop_timer(usage);
        for alarm in [
            Alarm::Repeat2xx(usage),
            Alarm::AckWait(usage),
            Alarm::OfferDue(usage),
        ] {
            self.alarms.stop(alarm);
        }
        let retained = established.retained > 0;
        self.fail_requests_of(usage, |method| !(retained && *method == Method::Notify));
        self.calls.remember_ended(established.dialog.id().clone());
        if retained {
            let dialog = established.dialog.clone();
            self.linger(usage, dialog, established.flow, established.retained);
        }
        if let Some(held) = established.held_bye {
            self.emit(Event::RequestFailed {
                id: held.id,
                cause: RequestFailure::DialogEnded,
            });
        }
        self.emit(Event::Ended { usage, cause });
        Some(established.dialog)
    }

    pub(super) fn fail_requests_of(&mut self, usage: UsageId, fails: impl Fn(&Method) -> bool) {
        for id in self.exchanges.fail_within(usage, fails) {
            self.emit(Event::RequestFailed {
                id,
                cause: RequestFailure::DialogEnded,
            });
        }
    }
}
