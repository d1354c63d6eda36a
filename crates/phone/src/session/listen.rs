//! What the far end's sound means, for whoever wants to know.

use super::{Context, Session, State};
use crate::door::event::Direction;
use crate::door::media::{Listening, SoundCommand};

impl Session {
    /// Lets media tell this from now on, and nothing else.
    pub(crate) fn listen(
        &mut self,
        speech: bool,
        tones: bool,
        answerer: bool,
        ctx: &mut Context<'_>,
    ) {
        let end_of_turn = self.near_end.voice_activity.end_of_turn;
        self.near_end.listening = Listening {
            speech: speech.then_some(end_of_turn),
            tones,
            // Who has called is known to be who has called.
            answerer: answerer && self.facts.direction == Direction::Outgoing,
            answered: matches!(self.state, State::Active(_)) && self.facts.start_time.is_some(),
        };
        let listening = self.near_end.listening;
        ctx.media(self.id, SoundCommand::Listen { listening });
    }

    /// The call is answered: what is heard from here on is no announcement of the network.
    pub(super) fn listen_answered(&mut self, ctx: &mut Context<'_>) {
        let listening = &mut self.near_end.listening;
        listening.answered = true;
        if listening.speech.is_some() || listening.tones || listening.answerer {
            let listening = *listening;
            ctx.media(self.id, SoundCommand::Listen { listening });
        }
    }
}
