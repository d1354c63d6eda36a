//! Refusing a call that is not answered yet: pending, or accepted and not connected.

use sip::endpoint::Reply;
use sip::message::StatusCode;

use super::{Context, Session, State};
use crate::end_reason::{self, Condition, EndReason, Side};
use crate::error::SipStatus;

impl Session {
    /// Refuses the call with this code and phrase.
    pub(crate) fn reject(&mut self, code: u16, phrase: Option<String>, ctx: &mut Context<'_>) {
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
            q850: None,
            targets: Vec::new(),
        };
        let mut reply = Reply::new(code);
        reply.reason = phrase;
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
