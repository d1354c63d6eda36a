//! A call that takes another's place (RFC 3891): an attended transfer from its target's side, or a pick-up.

use super::{Choice, Context, Seat, Session, State};
use crate::audio;
use crate::end_reason::{Condition, EndReason, Side};
use crate::id::SessionId;

/// What the new call takes over from the old one.
#[derive(Debug)]
pub(crate) struct Heritage {
    input: Choice<audio::Input>,
    output: Choice<audio::Output>,
    /// In its conference.
    pub(crate) seat: Option<Seat>,
}

impl Session {
    /// The call whose place this one has just taken; asked once.
    pub(crate) fn take_replaced(&mut self) -> Option<SessionId> {
        match &self.state {
            State::Active(_) => self.replaces.take(),
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Ending
            | State::Ended => None,
        }
    }

    /// The call whose place this one is to take.
    pub(crate) fn to_replace(&self) -> Option<SessionId> {
        self.replaces
    }

    /// Whether the far end hears silence.
    pub(crate) fn is_muted(&self) -> bool {
        self.muted
    }

    /// Another call has taken this one's place: BYE, or CANCEL where it was not answered.
    pub(crate) fn replaced(&mut self, ctx: &mut Context<'_>) -> Heritage {
        let text = "Another call has taken its place";
        let reason = EndReason::new(Condition::AlternativeSession, Side::Remote, text);
        self.end_because(reason, ctx);
        Heritage {
            input: self.input.clone(),
            output: self.output.clone(),
            seat: self.place.seat(),
        }
    }

    /// Sounds as the call did whose place it has taken, where nothing else was asked for.
    pub(crate) fn inherit(&mut self, heritage: Heritage, ctx: &mut Context<'_>) {
        if let (Choice::Default, Choice::Own(input)) = (&self.input, heritage.input) {
            self.set_input(input, ctx);
        }
        if let (Choice::Default, Choice::Own(output)) = (&self.output, heritage.output) {
            self.set_output(output, ctx);
        }
    }
}
