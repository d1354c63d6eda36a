//! What a session has to do with the sounds around calls.

use std::time::Instant;

use super::{AutoAnswering, Context, Session, State};
use crate::door::audio::Cadence;
use crate::door::media::SoundCommand;

/// What the near end hears beside the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// The callee rings.
    Ringback,
    /// Another call waits.
    CallWaiting,
}

impl Session {
    /// Whether it waits for somebody to answer it, and the application knows.
    pub(crate) fn waits(&self, now: Instant) -> bool {
        match &self.state {
            State::Pending(pending) => match pending.auto {
                AutoAnswering::Ring => self.delivery.is_done(now),
                // Nobody is to be called to the phone.
                AutoAnswering::Answer { .. } | AutoAnswering::Asking { .. } => false,
            },
            State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => false,
        }
    }

    /// Whether its parties talk.
    pub(crate) fn talks(&self) -> bool {
        matches!(self.state, State::Active(_)) && !self.holding.held
    }

    /// Whether it is heard at its own output: what is in a conference is heard where the conference is.
    pub(crate) fn is_heard_alone(&self) -> bool {
        self.near_end.place.seat().is_none()
    }

    /// RFC 3960 §3.2: a 180 asks for ringback, any sound of the callee for its end, and nothing else does either.
    pub(crate) fn wants_ringback(&self) -> bool {
        match &self.state {
            State::Dialing(dialing) => dialing.rings && !self.connectivity.heard,
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => false,
        }
    }

    /// Plays this to the near end from now on.
    pub(crate) fn sound(&mut self, tone: Option<Tone>, ctx: &mut Context<'_>) {
        if self.near_end.tone == tone {
            return;
        }
        self.near_end.tone = tone;
        // Media that is closed takes no order.
        if self.is_live() {
            let cadence = tone.and_then(|tone| cadence(tone, ctx));
            ctx.media(self.id, SoundCommand::Tone { cadence });
        }
    }
}

fn cadence(tone: Tone, ctx: &Context<'_>) -> Option<Cadence> {
    match tone {
        Tone::Ringback => ctx.config.tones.ringback.clone(),
        Tone::CallWaiting => ctx.config.tones.call_waiting.clone(),
    }
}
