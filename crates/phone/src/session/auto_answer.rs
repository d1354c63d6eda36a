//! A call that answers itself: after the application has seen it, and when its delay is over.

use std::time::Duration;

use sip::endpoint::Reply;

use super::{AutoAnswering, Context, Session, State};
use crate::door::command::AcceptOptions;
use crate::door::end_reason::{Condition, EndReason, Side};
use crate::door::event::AutoAnswerSource;

/// How long the application's function may take; then the call rings (guarantee 1).
pub(super) const DECISION_PATIENCE: Duration = Duration::from_secs(2);

impl Session {
    /// Takes the decision of the application's function; a late one changes nothing.
    pub(crate) fn decide(&mut self, answer: bool, ctx: &mut Context<'_>) {
        let State::Pending(pending) = &mut self.state else {
            return;
        };
        let AutoAnswering::Asking { delay, .. } = pending.auto else {
            return;
        };
        pending.auto = match answer {
            true => AutoAnswering::Answer {
                at: ctx.now + delay,
            },
            false => AutoAnswering::Ring,
        };
        let source = answer.then_some(AutoAnswerSource::Option);
        self.announce(answer.then_some(delay), source, ctx);
    }

    /// Accepts by itself where that is due.
    pub(super) fn drive_auto_answer(&mut self, ctx: &mut Context<'_>) {
        let State::Pending(pending) = &self.state else {
            return;
        };
        match pending.auto {
            // RFC 3891 §3: as if it had been over before it was named.
            AutoAnswering::Answer { .. } if self.is_too_late() => {
                let text = "The call whose place it was to take has ended";
                let reason = EndReason::new(Condition::Gone, Side::Local, text);
                self.refuse(Reply::new(603), reason, ctx);
            }
            AutoAnswering::Answer { at } if at <= ctx.now && self.delivery.is_done(ctx.now) => {
                let auto = &ctx.config.auto_answer;
                let options = AcceptOptions {
                    video: auto.video.clone(),
                    screen: auto.screen.clone(),
                    ..AcceptOptions::default()
                };
                self.accept(options, auto.beep, ctx);
            }
            AutoAnswering::Asking { .. } | AutoAnswering::Answer { .. } | AutoAnswering::Ring => {}
        }
    }

    /// The platform asks a ringing phone to answer: `NOTIFY` with `Event: talk`. It does when its
    /// listeners have seen the call (guarantee 1), which needs no decision of the application any more.
    /// One that has answered takes its peer off hold.
    pub(crate) fn talk(&mut self, ctx: &mut Context<'_>) {
        let State::Pending(pending) = &mut self.state else {
            return self.take_off_hold(ctx);
        };
        let before = std::mem::replace(&mut pending.auto, AutoAnswering::Answer { at: ctx.now });
        if let AutoAnswering::Asking { .. } = before {
            let source = Some(AutoAnswerSource::NotifyTalk);
            self.announce(Some(Duration::ZERO), source, ctx);
        }
        self.drive_auto_answer(ctx);
    }
}
