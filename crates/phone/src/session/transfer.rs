//! Handing the other party on: our REFER and what becomes of it (RFC 3515, RFC 5589).
//!
//! ```text
//! Asked ─202─► Watched ─NOTIFY 1xx─► Watched ─NOTIFY 2xx─► done, we hang up
//!   │             └─ they hang up: reports are waited for a while
//!   └─refused, failed, no report─► failed: the call goes on
//! ```

use std::time::{Duration, Instant};

use sip::endpoint::{Reply as Answer, ServerRequestId};
use sip::header::{Event as Package, ReferSub, SubscriptionState};
use sip::message::{Method, Request};

use super::requests::{PendingRequest, RequestOutcome, not_answered};
use super::{Context, Session, State};
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::error::{ErrorCode, PhoneError, SipStatus};
use crate::door::event::Event;
use crate::door::id::{SessionId, Ticket};
use crate::door::output::{Reply, Wake};
use crate::reading::sipfrag;

/// RFC 6665 §4.1.2.4, Timer N: the first notification comes within 64·T1; as long we wait for the
/// last one of a call that is over.
const FIRST_REPORT: Duration = Duration::from_secs(32);
/// How long a report is good for, where its `expires` is shorter or missing: a phone rings for
/// three minutes at most (RFC 3261 §16.6, Timer C).
const NEXT_REPORT: Duration = Duration::from_secs(190);
const LONGEST_REPORT: Duration = Duration::from_secs(3600);

/// A transfer that we asked for.
#[derive(Debug)]
pub(super) struct Transfer {
    ticket: Ticket,
    /// Our call with the target, which it gives up for the new one.
    consultation: Option<SessionId>,
    stage: TransferStage,
    /// Nobody reports after that.
    until: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransferStage {
    /// The REFER is unanswered; a notification may overtake its answer.
    Asked,
    /// It was taken, under this CSeq.
    Watched { cseq: u32 },
    /// The call is over, the outcome not known.
    HungUp { cseq: u32 },
}

/// A transfer that came about; what else it ends is the phone's to see to.
#[derive(Debug)]
pub(crate) struct Transferred {
    pub(crate) ticket: Ticket,
    pub(crate) consultation: Option<SessionId>,
}

impl Session {
    /// Asks the peer to call whom `refer_to` names.
    pub(crate) fn transfer(
        &mut self,
        ticket: Ticket,
        refer_to: String,
        consultation: Option<SessionId>,
        ctx: &mut Context<'_>,
    ) {
        if let Err(error) = self.ask(ticket, refer_to, consultation, ctx) {
            ctx.reply(ticket, Err(error));
        }
    }

    fn ask(
        &mut self,
        ticket: Ticket,
        refer_to: String,
        consultation: Option<SessionId>,
        ctx: &mut Context<'_>,
    ) -> Result<(), PhoneError> {
        if !matches!(self.state, State::Active(_)) {
            return Err(not_answered());
        }
        if self.handover.transfer.is_some() {
            return Err(under_way());
        }
        let headers = [
            ("Refer-To".to_owned(), refer_to),
            // RFC 3892: the target may want to know who sends the call.
            (
                "Referred-By".to_owned(),
                format!("<{}>", ctx.config.address),
            ),
        ];
        self.send(PendingRequest::Refer, Method::Refer, &headers, None, ctx)?;
        self.handover.transfer = Some(Transfer {
            ticket,
            consultation,
            stage: TransferStage::Asked,
            until: None,
        });
        Ok(())
    }

    /// Whether a REFER of ours has no outcome yet.
    pub(crate) fn is_being_transferred(&self) -> bool {
        self.handover.transfer.is_some()
    }

    /// Whether this request of the peer is about our REFER.
    pub(crate) fn is_about_transfer(&self, request: &Request) -> bool {
        let Some(transfer) = &self.handover.transfer else {
            return false;
        };
        let Some(Ok(package)) = request.headers().typed::<Package<'_>>() else {
            return false;
        };
        let id = package.param("id").and_then(|id| id.parse::<u32>().ok());
        package.is("refer")
            && match (transfer.stage, id) {
                (TransferStage::Asked, _) | (_, None) => true,
                // RFC 3515 §2.4.6: a second REFER of a dialog is known by its CSeq.
                (TransferStage::Watched { cseq } | TransferStage::HungUp { cseq }, Some(id)) => {
                    id == cseq
                }
            }
    }

    /// Our REFER was taken, or was not.
    pub(super) fn refer_done(&mut self, outcome: RequestOutcome<'_>, ctx: &mut Context<'_>) {
        let Some(transfer) = &mut self.handover.transfer else {
            // A notification that overtook the answer has settled it.
            return;
        };
        match outcome {
            Err(error) => self.transfer_failed(error.sip, &error.message, ctx),
            Ok(response) => {
                let silent = response
                    .headers()
                    .typed::<ReferSub<'_>>()
                    .and_then(Result::ok)
                    .is_some_and(|flag| flag.is("false"));
                if silent {
                    // RFC 4488 §4: nobody will report; what the peer does with the call, it does.
                    let ticket = transfer.ticket;
                    self.handover.transfer = None;
                    return ctx.reply(ticket, Ok(Reply::Done));
                }
                let cseq = response.headers().cseq().map_or(0, |cseq| cseq.number);
                transfer.stage = TransferStage::Watched { cseq };
                transfer.until.get_or_insert(ctx.now + FIRST_REPORT);
                if let Some(usage) = self.usage {
                    ctx.act_for(&usage, |endpoint, _| endpoint.retain(usage));
                }
            }
        }
    }

    /// The peer reports; where the transfer came about, this call is over.
    pub(crate) fn transfer_reported(
        &mut self,
        id: ServerRequestId,
        request: &Request,
        ctx: &mut Context<'_>,
    ) -> Option<Transferred> {
        ctx.answer(id, &Answer::new(200));
        let state = request
            .headers()
            .typed::<SubscriptionState<'_>>()
            .and_then(Result::ok);
        let over = state.as_ref().is_some_and(|state| state.is("terminated"));
        let expires = state
            .as_ref()
            .and_then(|state| state.param("expires"))
            .and_then(|seconds| seconds.parse().ok())
            .map_or(NEXT_REPORT, Duration::from_secs);
        let Some(status) = sipfrag::read(request) else {
            if over {
                self.transfer_unreported(ctx);
            }
            return None;
        };
        ctx.emit(Event::TransferProgress {
            id: self.id,
            code: status.code,
            reason: status.reason.clone(),
        });
        match status.code {
            200..=299 => return self.transferred(ctx),
            300.. => {
                let text = format!("The target did not take the call: {}", status.reason);
                self.transfer_failed(Some(status), &text, ctx);
            }
            ..200 if over => self.transfer_unreported(ctx),
            ..200 => {
                if let Some(transfer) = &mut self.handover.transfer
                    && !matches!(transfer.stage, TransferStage::HungUp { .. })
                {
                    let good_for = expires.clamp(NEXT_REPORT, LONGEST_REPORT);
                    transfer.until = Some(ctx.now + good_for);
                }
            }
        }
        None
    }

    /// The target has taken the call: RFC 5589 §6.1, the transferor hangs up.
    fn transferred(&mut self, ctx: &mut Context<'_>) -> Option<Transferred> {
        let transfer = self.take_transfer(ctx)?;
        if self.is_live() {
            self.end_because(handed_on(), ctx);
        }
        Some(Transferred {
            ticket: transfer.ticket,
            consultation: transfer.consultation,
        })
    }

    /// The consultation has done its work.
    pub(crate) fn consulted(&mut self, ctx: &mut Context<'_>) {
        if self.is_live() {
            self.end_because(handed_on(), ctx);
        }
    }

    /// The reports end without an outcome.
    fn transfer_unreported(&mut self, ctx: &mut Context<'_>) {
        let hung_up = self
            .handover
            .transfer
            .as_ref()
            .is_some_and(|transfer| matches!(transfer.stage, TransferStage::HungUp { .. }));
        if !hung_up {
            return self.transfer_failed(None, "The other party does not report an outcome", ctx);
        }
        // It took the order and left the call: many do so and report nothing.
        if let Some(transfer) = self.take_transfer(ctx) {
            ctx.reply(transfer.ticket, Ok(Reply::Done));
        }
    }

    fn transfer_failed(&mut self, sip: Option<SipStatus>, text: &str, ctx: &mut Context<'_>) {
        if let Some(transfer) = self.take_transfer(ctx) {
            let error = PhoneError::new(ErrorCode::TransferFailed, text);
            ctx.reply(transfer.ticket, Err(error.with_sip(sip)));
        }
    }

    fn take_transfer(&mut self, ctx: &mut Context<'_>) -> Option<Transfer> {
        let transfer = self.handover.transfer.take()?;
        let watched = match transfer.stage {
            TransferStage::Asked => false,
            TransferStage::Watched { .. } | TransferStage::HungUp { .. } => true,
        };
        if let (true, Some(usage)) = (watched, self.usage) {
            ctx.act_for(&usage, |endpoint, _| endpoint.release(usage));
        }
        self.settle_end();
        Some(transfer)
    }

    /// The call is over; says whether reports of its transfer are still waited for.
    pub(super) fn transfer_outlives(&mut self, ctx: &mut Context<'_>) -> bool {
        let Some(transfer) = &mut self.handover.transfer else {
            return false;
        };
        match transfer.stage {
            TransferStage::Asked => {
                self.transfer_failed(None, "The call ended before the transfer was accepted", ctx);
                false
            }
            TransferStage::Watched { cseq } | TransferStage::HungUp { cseq } => {
                transfer.stage = TransferStage::HungUp { cseq };
                let most = ctx.now + FIRST_REPORT;
                transfer.until = Some(transfer.until.map_or(most, |until| until.min(most)));
                true
            }
        }
    }

    /// No outcome can be heard of any more.
    pub(super) fn drop_transfer(&mut self, ctx: &mut Context<'_>) {
        self.transfer_failed(None, "The session ended before its transfer", ctx);
    }

    pub(super) fn transfer_deadline(&self) -> Option<(Instant, Wake)> {
        let until = self.handover.transfer.as_ref()?.until?;
        Some((until, Wake::Transfer))
    }

    pub(super) fn drive_transfer(&mut self, ctx: &mut Context<'_>) {
        let due = self.transfer_deadline();
        if due.is_some_and(|(until, _)| until <= ctx.now) {
            self.transfer_unreported(ctx);
        }
    }
}

/// One transfer at a time.
pub(crate) fn under_way() -> PhoneError {
    let text = "The session is being transferred already";
    PhoneError::wrong_state(text)
}

fn handed_on() -> EndReason {
    EndReason::new(Condition::Success, Side::Local, "Transferred")
}
