//! Refusing a call that is not answered yet: pending, or accepted and not connected.

use sip::endpoint::Reply;
use sip::message::StatusCode;

use super::{Context, Session, State};
use crate::door::end_reason::{self, Condition, EndReason, Side};
use crate::door::error::SipStatus;

impl Session {
    /// Refuses the call with this code and phrase, and the Q.850 cause that is to stand beside it (RFC 6432).
    pub(crate) fn reject(
        &mut self,
        code: u16,
        phrase: Option<String>,
        cause: Option<u8>,
        ctx: &mut Context<'_>,
    ) {
        let standard = StatusCode::new(code).map_or("", StatusCode::default_reason);
        let text = phrase.clone().unwrap_or_else(|| standard.to_owned());
        let reason = EndReason {
            // Whatever other code it was: the user did not want the call.
            condition: match end_reason::of_status(code) == Condition::Busy {
                true => Condition::Busy,
                false => Condition::Decline,
            },
            text: text.clone(),
            side: Side::Local,
            sip: Some(SipStatus { code, reason: text }),
            q850: cause,
            targets: Vec::new(),
            summary: None,
        };
        let mut reply = Reply::new(code);
        reply.reason = phrase;
        if let Some(cause) = cause {
            reply = reply.header("Reason", format!("Q.850;cause={cause}"));
        }
        self.refuse_with(reply, reason, ctx);
    }

    /// Refuses the call, pending or accepted, and tells the application once.
    pub(super) fn refuse_with(&mut self, reply: Reply, reason: EndReason, ctx: &mut Context<'_>) {
        match self.state {
            State::Answering(_) => {
                if let Some(usage) = self.usage {
                    // Its only failure is that the caller has gone already.
                    let _ = ctx.respond(usage, &reply);
                }
                self.finish(reason, State::Ended, ctx);
            }
            State::Pending(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => self.refuse(reply, reason, ctx),
        }
    }
}
