//! A call that is given up before it is answered: by the caller, or by us.

use super::{Context, Session, State};
use crate::door::end_reason::{Causes, Condition, EndReason, Side};

impl Session {
    /// The caller gave up; or (`causes` absent) the flow of its INVITE was lost, or it never sent the
    /// PRACK that it insisted on. After our 200 OK this does not happen any more: a BYE does.
    pub(crate) fn cancelled(&mut self, causes: Option<&Causes>, ctx: &mut Context<'_>) {
        let (reason, elsewhere) = match causes {
            Some(causes) => EndReason::of_cancel(causes),
            None if ctx.agent.is_up_for(self.usage) => (
                EndReason::new(
                    Condition::Timeout,
                    Side::Network,
                    "The caller did not acknowledge our ringing",
                ),
                None,
            ),
            None => (
                EndReason::new(
                    Condition::ConnectivityError,
                    Side::Network,
                    "The connection was lost",
                ),
                None,
            ),
        };
        match &self.state {
            State::Pending(_) => self.drop_pending(reason, elsewhere, ctx),
            State::Answering(_) => self.finish(reason, State::Ended, ctx),
            State::Ending => self.state = State::Ended,
            State::Offering(_) | State::Dialing(_) | State::Active(_) | State::Ended => {}
        }
    }

    /// Gives up our own call, not yet answered.
    pub(super) fn withdraw(&mut self, reason: EndReason, ctx: &mut Context<'_>) {
        let next = match self.usage {
            Some(usage) => {
                ctx.cancel(usage, reason.to_cancel_header());
                match ctx.agent.is_up_for(Some(usage)) {
                    true => State::Ending,
                    // The endpoint sends it over the next flow; there may be none.
                    false => State::Ended,
                }
            }
            None => State::Ended,
        };
        self.finish(reason, next, ctx);
    }

    /// Nobody answered our call in the time that the application gave it.
    pub(super) fn give_up(&mut self, ctx: &mut Context<'_>) {
        let text = "Nobody answered in time";
        self.withdraw(EndReason::new(Condition::Timeout, Side::Local, text), ctx);
    }

    /// The application is about to close the connection: the answer to an INVITE of ours could not
    /// reach us, and nobody shall ring for that.
    pub(crate) fn give_up_with_flow(&mut self, ctx: &mut Context<'_>) {
        if self.is_ringing_there() {
            let text = "The application closed the connection";
            let reason = EndReason::new(Condition::ConnectivityError, Side::Local, text);
            self.withdraw(reason, ctx);
        }
    }

    /// The application aborted `call`.
    pub(crate) fn abort(&mut self, ctx: &mut Context<'_>) {
        match &self.state {
            State::Offering(_) | State::Dialing(_) => {
                let text = "The call was aborted";
                self.withdraw(EndReason::new(Condition::Cancel, Side::Local, text), ctx);
            }
            State::Pending(_)
            | State::Answering(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => {}
        }
    }
}
