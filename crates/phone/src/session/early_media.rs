//! Sound before the answer: a 183 with the description that the 200 OK will repeat (RFC 3960 §3).

use sip::endpoint::Reply;

use super::{Context, MediaPath, Session, State};
use crate::door::error::PhoneError;
use crate::door::media::StreamCommand;

impl Session {
    /// Lets the caller of a call that was accepted and not connected hear us while it rings. A call
    /// without an offer rings on in silence: only its 200 OK can carry ours.
    pub(crate) fn send_early_media(&mut self, ctx: &mut Context<'_>) -> Result<(), PhoneError> {
        let State::Answering(answering) = &mut self.state else {
            return Err(refused(
                "Only a call that came in and is not answered has early media",
            ));
        };
        let Some(offer) = answering.offer.clone() else {
            return Err(refused(
                "The caller made no offer: it hears nothing before the answer",
            ));
        };
        if answering.connect || std::mem::replace(&mut answering.early, true) {
            return Ok(());
        }
        self.describe(StreamCommand::Answer { offer }, ctx);
        self.connectivity.media = MediaPath::Connecting;
        self.show_connection(ctx);
        Ok(())
    }

    /// Sends the 183 once media has described itself, unless the 200 OK says it all by now.
    pub(super) fn drive_early_media(&self, ctx: &mut Context<'_>) {
        let State::Answering(answering) = &self.state else {
            return;
        };
        if let (Some(usage), Some(sdp), false) =
            (self.usage, &answering.described, answering.connect)
        {
            // Its only failure is that the caller has gone, which is told separately.
            let _ = ctx.respond(usage, &Reply::new(183).sdp(sdp.clone()));
        }
    }
}

fn refused(text: &str) -> PhoneError {
    PhoneError::wrong_state(text)
}
