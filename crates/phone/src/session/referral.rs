//! The peer wants to hand us on: its REFER, the application's word, our reports (RFC 3515 §2.4).
//!
//! **Nobody is called before the application says so**: a REFER makes our phone dial, and our
//! account pay.

use std::time::{Duration, Instant};

use sip::endpoint::{Body, NotifierId, Reply as Answer, ServerRequestId, UsageId};
use sip::header::ReferSub;
use sip::message::{HeaderName, Method, Request};

use super::{Context, Session, State};
use crate::door::error::{PhoneError, SipStatus};
use crate::door::event::Event;
use crate::door::output::Wake;
use crate::door::text::short;
use crate::reading::refer_to::{self, Referred};
use crate::reading::sipfrag;

/// How long the application may take to decide.
const DECISION_PATIENCE: Duration = Duration::from_secs(30);
/// What our reports promise: a call that rings for three minutes is over.
pub(crate) const REPORTS_EXPIRE: u32 = 240;

/// A REFER that the application has not decided on.
#[derive(Debug)]
pub(super) struct Referral {
    referred: Referred,
    report: Option<Report>,
    until: Instant,
}

/// Where reports about a referred call go.
#[derive(Debug, Clone)]
pub(crate) enum Report {
    /// Into the dialog of the call in which its REFER came.
    Inside {
        usage: UsageId,
        /// RFC 3515 §2.4.6: names the REFER where the dialog has seen others.
        event_id: Option<u32>,
    },
    /// To who sent the REFER outside any call.
    Outside(NotifierId),
}

/// What the application agreed to.
#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) referred: Referred,
    pub(crate) report: Option<Report>,
}

impl Session {
    /// Takes the peer's REFER.
    pub(crate) fn referred(
        &mut self,
        id: ServerRequestId,
        request: &Request,
        ctx: &mut Context<'_>,
    ) {
        let (State::Active(_), Some(usage)) = (&self.state, self.usage) else {
            return ctx.answer(id, &Answer::new(480));
        };
        if self.handover.referral.is_some() {
            return ctx.answer(id, &Answer::new(491));
        }
        let referred = match refer_to::read(request, &ctx.config.address) {
            Ok(referred) => referred,
            Err(code) => return ctx.answer(id, &Answer::new(code)),
        };
        let report = match wants_no_report(request) {
            true => {
                ctx.answer(id, &without_report());
                None
            }
            false => {
                ctx.answer(id, &Answer::new(202));
                ctx.act_for(&usage, |endpoint, _| endpoint.retain(usage));
                let cseq = request.headers().cseq().map_or(0, |cseq| cseq.number);
                let report = Report::Inside {
                    usage,
                    event_id: self.handover.was_referred.then_some(cseq),
                };
                report.send(&sipfrag::status(100), ctx);
                Some(report)
            }
        };
        self.handover.was_referred = true;
        let referred_by = request.headers().get(HeaderName::ReferredBy);
        let event = Event::TransferRequested {
            id: self.id,
            target: referred.target.to_string(),
            referred_by: referred_by.map(short),
            attended: referred.attended,
        };
        self.handover.referral = Some(Referral {
            referred,
            report,
            until: ctx.now + DECISION_PATIENCE,
        });
        ctx.emit(event);
    }

    /// The application agrees; the phone places the call.
    pub(crate) fn follow(&mut self, ctx: &mut Context<'_>) -> Result<Followed, PhoneError> {
        let referral = self.take_referral(ctx)?;
        self.settle_end();
        Ok(Followed {
            referred: referral.referred,
            report: referral.report,
        })
    }

    /// The application refuses.
    pub(crate) fn refuse_referral(&mut self, ctx: &mut Context<'_>) -> Result<(), PhoneError> {
        let referral = self.take_referral(ctx)?;
        if let Some(report) = referral.report {
            report.finish(&sipfrag::status(603), ctx);
        }
        self.settle_end();
        Ok(())
    }

    fn take_referral(&mut self, ctx: &mut Context<'_>) -> Result<Referral, PhoneError> {
        let referral = self.handover.referral.take().ok_or_else(nothing_asked)?;
        // Of a session that is over nothing more is told.
        if matches!(self.state, State::Active(_)) {
            ctx.emit(Event::TransferRequestEnded { id: self.id });
        }
        Ok(referral)
    }

    pub(super) fn referral_deadline(&self) -> Option<(Instant, Wake)> {
        let referral = self.handover.referral.as_ref()?;
        Some((referral.until, Wake::Referral))
    }

    /// Nobody has decided in time: that is a no.
    pub(super) fn drive_referral(&mut self, ctx: &mut Context<'_>) {
        let due = self.referral_deadline();
        if due.is_some_and(|(until, _)| until <= ctx.now) {
            // There is one: its time is up.
            let _ = self.refuse_referral(ctx);
        }
    }

    /// Reports on this call to the one who referred us, provisionally.
    pub(super) fn report(&self, status: &SipStatus, ctx: &mut Context<'_>) {
        if let Some(report) = &self.handover.report {
            report.send(status, ctx);
        }
    }

    /// Reports how it ended: answered or not.
    pub(super) fn report_finally(&mut self, status: &SipStatus, ctx: &mut Context<'_>) {
        if let Some(report) = self.handover.report.take() {
            report.finish(status, ctx);
        }
    }
}

/// RFC 4488 §4: the sender of a REFER wants no subscription.
pub(crate) fn wants_no_report(request: &Request) -> bool {
    let flag = request.headers().typed::<ReferSub<'_>>();
    flag.and_then(Result::ok)
        .is_some_and(|flag| flag.is("false"))
}

/// Takes such a REFER.
pub(crate) fn without_report() -> Answer {
    Answer::new(202).header("Refer-Sub", "false")
}

impl Report {
    fn send(&self, status: &SipStatus, ctx: &mut Context<'_>) {
        let state = format!("active;expires={REPORTS_EXPIRE}");
        let body = sipfrag::write(status);
        match self {
            Self::Inside { usage, event_id } => notify(*usage, *event_id, &state, &body, ctx),
            Self::Outside(notifier) => {
                // Where the subscriber is gone, nobody wants to know.
                let _ = ctx.act_for(notifier, |endpoint, now| {
                    endpoint.notify(*notifier, Some(body), now)
                });
            }
        }
    }

    pub(crate) fn finish(&self, status: &SipStatus, ctx: &mut Context<'_>) {
        let body = sipfrag::write(status);
        match self {
            Self::Inside { usage, event_id } => {
                let state = "terminated;reason=noresource";
                notify(*usage, *event_id, state, &body, ctx);
                ctx.act_for(usage, |endpoint, _| endpoint.release(*usage));
            }
            Self::Outside(notifier) => {
                // Where the subscriber is gone, nobody wants to know.
                let _ = ctx.act_for(notifier, |endpoint, now| {
                    endpoint.conclude(*notifier, "noresource", body, now)
                });
            }
        }
    }
}

fn notify(usage: UsageId, event_id: Option<u32>, state: &str, body: &Body, ctx: &mut Context<'_>) {
    let event = match event_id {
        Some(id) => format!("refer;id={id}"),
        None => "refer".to_owned(),
    };
    let headers = [
        ("Event".to_owned(), event),
        ("Subscription-State".to_owned(), state.to_owned()),
    ];
    // Where the dialog is gone, nobody wants to know.
    let _ = ctx.request(usage, Method::Notify, &headers, Some(body));
}

fn nothing_asked() -> PhoneError {
    PhoneError::wrong_state("No transfer of this session waits for a decision")
}
