//! Sessions that show their far ends what another's shows.

use super::Phone;
use crate::agent::SeenStream;
use crate::door::error::PhoneError;
use crate::door::id::SessionId;
use crate::door::video::VideoInput;
use crate::session::no_stream;

impl Phone {
    /// Lets those that show a stream follow it: into another codec, and to its end.
    pub(super) fn drive_forwarding(&mut self) {
        while let Some(stream) = self.around.seen.next_change() {
            let showing = self.sessions.values();
            let showing = showing.filter(|session| session.shows_stream(&stream));
            let showing: Vec<SessionId> = showing.map(|session| session.id).collect();
            for id in showing {
                self.act_on(id, |session, ctx| session.follow_stream(&stream, ctx));
            }
        }
    }

    /// Whether these can be shown by a session, or by one that is to be made.
    pub(super) fn check_shown(
        &self,
        session: Option<SessionId>,
        inputs: [Option<&VideoInput>; 2],
    ) -> Result<(), PhoneError> {
        let inputs = inputs.into_iter().flatten();
        inputs
            .filter_map(SeenStream::of)
            .try_for_each(|stream| self.check_stream(session, &stream))
    }

    fn check_stream(
        &self,
        session: Option<SessionId>,
        stream: &SeenStream,
    ) -> Result<(), PhoneError> {
        if session == Some(stream.session()) {
            return Err(PhoneError::invalid(
                "A session can't show the other side its own pictures: name another session",
            ));
        }
        self.knows_stream_of(stream.session())?;
        match self.around.seen.get(stream) {
            Some(_) => Ok(()),
            None => Err(no_stream()),
        }
    }

    fn knows_stream_of(&self, session: SessionId) -> Result<(), PhoneError> {
        self.live(session).map_err(|mut error| {
            error.message.push_str(
                "; pictures of another phone's session go through a VideoSink and a VideoSource",
            );
            error
        })
    }
}
