//! The end of a session, told once whatever happens (guarantee 4).

use sip::endpoint::Reply;
use sip::message::Method;

use super::{Context, MediaPath, Session, State};
use crate::door::end_reason::{Condition, ENDED_HERE, EndReason, Side};
use crate::door::error::{ErrorCode, ErrorType, PhoneError, SipStatus};
use crate::door::event::{Event, SessionChanges};
use crate::door::id::Ticket;
use crate::door::media::MediaCommand;
use crate::door::output;
use crate::reading::sipfrag;

impl Session {
    /// Ends the session from our side: BYE, CANCEL or a refusal, as its state asks for. Without a
    /// condition of the application's, a call that is not answered yet ends as given up (our own)
    /// or as declined (theirs).
    pub(crate) fn end(&mut self, wanted: Option<EndReason>, ctx: &mut Context<'_>) {
        self.tell_answered(ctx);
        let usual = || EndReason::new(self.ending(), Side::Local, ENDED_HERE);
        let reason = wanted.unwrap_or_else(usual);
        self.end_because(reason, ctx);
    }

    /// Ends the session, pending or not, because the phone ends.
    pub(crate) fn leave(&mut self, ctx: &mut Context<'_>) {
        self.tell_answered(ctx);
        self.drop_transfer(ctx);
        // There may be none.
        let _ = self.refuse_referral(ctx);
        let text = "The phone was destroyed";
        self.end_because(EndReason::new(self.ending(), Side::Local, text), ctx);
    }

    /// The condition of an end that the application gave no reason for.
    fn ending(&self) -> Condition {
        match &self.state {
            State::Pending(_) | State::Offering(_) | State::Dialing(_) => Condition::Cancel,
            State::Answering(_) => Condition::Decline,
            State::Active(_) | State::Ending | State::Ended => Condition::Success,
        }
    }

    pub(crate) fn end_because(&mut self, reason: EndReason, ctx: &mut Context<'_>) {
        match &self.state {
            State::Pending(_) => self.refuse(Reply::new(480), reason, ctx),
            State::Answering(_) => {
                if let Some(usage) = self.usage {
                    // Its only failure is that the caller has gone already.
                    let _ = ctx.respond(usage, &refusal(&reason));
                }
                self.finish(reason, State::Ended, ctx);
            }
            State::Offering(_) | State::Dialing(_) => self.withdraw(reason, ctx),
            State::Active(_) => {
                let next = self.hang_up(&reason, ctx);
                self.finish(reason, next, ctx);
            }
            State::Ending | State::Ended => {}
        }
    }

    /// Sends the BYE; the endpoint keeps it until the ACK is there, or a flow.
    fn hang_up(&self, reason: &EndReason, ctx: &mut Context<'_>) -> State {
        let why = reason.to_header();
        let why = why.map(|why| ("Reason".to_owned(), why.to_string()));
        let headers: Vec<_> = why.into_iter().collect();
        match self
            .usage
            .map(|usage| ctx.request(usage, Method::Bye, &headers, None))
        {
            Some(Ok(_)) => State::Ending,
            Some(Err(_)) | None => State::Ended,
        }
    }

    /// The dialog, or the INVITE that was to make it, is over.
    pub(crate) fn ended(&mut self, reason: EndReason, ctx: &mut Context<'_>) {
        self.tell_answered(ctx);
        match &self.state {
            State::Pending(_) => self.drop_pending(reason, None, ctx),
            State::Ending => {
                self.transfer_outlives(ctx);
                self.handover.over = true;
                self.settle_end();
            }
            State::Answering(_) | State::Offering(_) | State::Dialing(_) | State::Active(_) => {
                self.handover.over =
                    self.transfer_outlives(ctx) || self.handover.referral.is_some();
                let next = match self.handover.over {
                    true => State::Ending,
                    false => State::Ended,
                };
                self.finish(reason, next, ctx);
            }
            State::Ended => {}
        }
    }

    /// Lets go of a session that was kept for the outcome of a transfer only.
    pub(super) fn settle_end(&mut self) {
        let waits = self.handover.transfer.is_some() || self.handover.referral.is_some();
        if self.handover.over && !waits && matches!(self.state, State::Ending) {
            self.state = State::Ended;
        }
    }

    /// Tells the application that the session is over, and closes its media. The only place that
    /// emits `Terminated`.
    pub(super) fn finish(&mut self, mut reason: EndReason, next: State, ctx: &mut Context<'_>) {
        reason.summary = self.summary(ctx);
        let was = std::mem::replace(&mut self.state, next);
        self.connectivity.media = MediaPath::None;
        self.connectivity.signalling_lost = false;
        ctx.media(self.id, MediaCommand::Close);
        self.show_state(ctx, SessionChanges::default());
        self.show_connection(ctx);
        self.end_streams(ctx);
        let id = self.id;
        ctx.emit(Event::Terminated {
            id,
            reason: reason.clone(),
        });
        ctx.emit(Event::SessionEnded {
            id,
            reason: reason.clone(),
        });
        let requests = self.requests.take_tickets();
        let changes = self.near_end.devices.take_tickets();
        let pictures = self.pictures.take_tickets();
        let (done, waiting) = settled(was);
        for ticket in done {
            ctx.reply(ticket, Ok(output::Reply::Done));
        }
        let waiting = waiting.into_iter().chain(requests);
        for ticket in waiting.chain(changes).chain(pictures) {
            ctx.reply(ticket, Err(failure(&reason)));
        }
        // Who referred us to this call learns that it was not answered.
        self.report_finally(&reported(&reason), ctx);
        if matches!(self.state, State::Ended) {
            self.drop_transfer(ctx);
            let _ = self.refuse_referral(ctx);
        }
    }
}

/// The commands that a state keeps waiting: those that did what they were for, and the others.
fn settled(state: State) -> (Vec<Ticket>, Vec<Ticket>) {
    match state {
        State::Offering(offering) => (Vec::new(), vec![offering.ticket]),
        State::Active(active) => {
            let tones = active.tones.into_iter();
            let tones = tones.map(|tones| (tones.ticket, tones.is_out));
            let holds = active.holds.into_tickets();
            let all = tones.chain(active.keys.tickets());
            let all = all.chain(holds.map(|ticket| (ticket, false)));
            let (done, waiting): (Vec<_>, Vec<_>) = all.partition(|(_, done)| *done);
            let tickets = |all: Vec<(Ticket, bool)>| all.into_iter().map(|(it, _)| it).collect();
            (tickets(done), tickets(waiting))
        }
        // The call's own command was answered when its INVITE was sent.
        State::Dialing(_)
        | State::Pending(_)
        | State::Answering(_)
        | State::Ending
        | State::Ended => (Vec::new(), Vec::new()),
    }
}

/// How a call that was never answered is reported (RFC 3515 §2.4.5).
fn reported(reason: &EndReason) -> SipStatus {
    let code = if reason.condition == Condition::Cancel {
        487
    } else if reason.condition == Condition::Timeout {
        408
    } else {
        503
    };
    reason.sip.clone().unwrap_or_else(|| sipfrag::status(code))
}

fn failure(reason: &EndReason) -> PhoneError {
    let code = match (reason.condition, reason.side) {
        (Condition::Cancel, Side::Local) => ErrorCode::Aborted,
        (Condition::Timeout, _) => ErrorCode::CallTimeout,
        (Condition::MediaError, _) => ErrorCode::Media,
        _other => ErrorCode::SessionEnded,
    };
    PhoneError::new(code, reason.text.clone())
        .with_kind(ErrorType::Call)
        .with_sip(reason.sip.clone())
}

/// How a call is refused that was accepted but can't be or shall not be answered.
fn refusal(reason: &EndReason) -> Reply {
    use Condition::{
        GeneralError, IncompatibleParameters, MediaError, UnsupportedApplications,
        UnsupportedTransports,
    };
    let is_one_of = |conditions: &[Condition]| conditions.contains(&reason.condition);
    let code = if is_one_of(&[
        IncompatibleParameters,
        UnsupportedTransports,
        UnsupportedApplications,
    ]) {
        488
    } else if is_one_of(&[GeneralError, MediaError]) {
        500
    } else {
        486
    };
    let reply = Reply::new(code);
    match reason.q850 {
        Some(cause) => reply.header("Reason", format!("Q.850;cause={cause}")),
        None => reply,
    }
}
