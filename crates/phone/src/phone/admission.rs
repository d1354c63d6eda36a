//! Whether there is room for one more call: by number, and by what this machine has time for.

use rand::RngExt;
use sip::endpoint::Reply;

use super::Phone;
use crate::config::WhenFull;
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::id::SessionId;
use crate::session::Session;

/// Whatever the application allows: calls beyond this are an attack or a mistake.
const MOST_SESSIONS: usize = 4096;

/// The load from which no call is added.
const FULL: f64 = 1.0;

impl Phone {
    /// Takes note of how full whoever makes the calls' sound is, 0 to 1; before each input that may add a call. At 1 a
    /// further one would take its time from those that there are, so that none is added: whoever calls is asked to
    /// come later, and a command that would add one fails.
    pub fn handle_load(&mut self, load: f64) {
        self.around.load = load;
    }

    /// Whether one more call of somebody's is taken, which makes `fewer` end; what its caller hears if it is not.
    pub(super) fn room_for_a_call(&mut self, rings: bool, fewer: usize) -> Result<(), Reply> {
        if self.ending.has_begun() {
            return Err(Reply::new(480));
        }
        if fewer == 0
            && let Some(refusal) = self.refusal_of_drain()
        {
            return Err(refusal);
        }
        // Elsewhere there may be time.
        if self.has_no_time() && fewer == 0 {
            return Err(self.unavailable());
        }
        let sessions = self.around.config.max_sessions.unwrap_or(MOST_SESSIONS);
        let ringing = || {
            let sessions = self.sessions.values();
            sessions
                .filter(|session| session.rings(self.around.now))
                .count()
        };
        let has_room = (!rings || ringing() < self.around.config.max_ringing)
            && self.count() - fewer < sessions.min(MOST_SESSIONS);
        match (has_room, self.around.config.when_full) {
            (true, WhenFull::Busy | WhenFull::Unavailable) => Ok(()),
            (false, WhenFull::Busy) => Err(Reply::new(486)),
            (false, WhenFull::Unavailable) => Err(self.unavailable()),
        }
    }

    pub(super) fn unavailable(&mut self) -> Reply {
        // Drawn, so that not everybody comes back at once.
        let wait = self.rng.random_range(5..=15).to_string();
        Reply::new(503).header("Retry-After", wait)
    }

    /// Whether the application may place a call.
    pub(super) fn check_room(&self) -> Result<(), PhoneError> {
        self.check_drain()?;
        match self.around.config.max_sessions {
            Some(most) if self.count() >= most => Err(PhoneError::new(
                ErrorCode::TooManySessions,
                "As many sessions as maxSessions allows exist already",
            )),
            Some(_) | None => self.check_time(),
        }
    }

    /// Whether the application may accept a call: it waits on if it may not.
    pub(super) fn check_acceptance(&self, id: SessionId) -> Result<(), PhoneError> {
        // One that takes another's place adds none.
        let adds = |session: &Session| session.is_pending() && session.to_replace().is_none();
        match self.sessions.get(&id).is_some_and(adds) {
            true => self.check_time(),
            false => Ok(()),
        }
    }

    fn check_time(&self) -> Result<(), PhoneError> {
        if !self.has_no_time() {
            return Ok(());
        }
        Err(PhoneError::new(
            ErrorCode::TooManySessions,
            "This machine has no time for the sound of another call: the load of its media threads is 1. End a call, \
             or let calls cost less: codecs: ['PCMU', 'PCMA'], or a lower opus.complexity if it is above 0",
        ))
    }

    /// The part of the sessions that may be which there are.
    pub(super) fn taken(&self) -> f64 {
        let most = self.around.config.max_sessions;
        most.map_or(0.0, |most| self.count() as f64 / most as f64)
    }

    /// Answers whoever asks before it calls. Only a phone that is one of several says how full it is: of a person's that would
    /// tell anybody whether they are on the phone.
    pub(super) fn tell_load(&self, answer: Reply) -> Reply {
        match self.around.config.when_full {
            WhenFull::Busy => answer,
            WhenFull::Unavailable => {
                let load = self.taken().max(self.around.load).min(FULL);
                answer.header("X-Load", format!("{load:.2}"))
            }
        }
    }

    fn has_no_time(&self) -> bool {
        self.around.load >= FULL
    }

    /// Sessions that the application knows of.
    pub(super) fn count(&self) -> usize {
        self.sessions
            .values()
            .filter(|session| session.is_live() || session.is_pending())
            .count()
    }
}
