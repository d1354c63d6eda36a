//! Who takes part in a conference: seats taken, handed over and left.

use super::super::{Heard, Phone};
use super::Manner;
use crate::door::conference::News;
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::hold_via::HoldVia;
use crate::door::id::{ConferenceId, SessionId};
use crate::session::{Heritage, Place, Seat, Session};

impl Phone {
    /// Whether a session may join a conference, of which it may be a member already.
    pub(super) fn may_join(
        &self,
        session: SessionId,
        to: Option<ConferenceId>,
    ) -> Result<(), PhoneError> {
        self.live(session)?;
        let place = self.sessions.get(&session).map(Session::place);
        match place.and_then(|place| place.conference()) {
            Some(other) if Some(other) != to => Err(PhoneError::wrong_state(
                "The session is in a conference already",
            )),
            Some(_) | None => Ok(()),
        }
    }

    /// A session is to join as soon as it is answered.
    pub(super) fn expect_member(&mut self, id: ConferenceId, session: SessionId, manner: Manner) {
        let Some(known) = self.sessions.get_mut(&session) else {
            return;
        };
        if known.place() != Place::Alone {
            return;
        }
        known.await_seat(id);
        if let Some(conference) = self.conferences.all.get_mut(&id) {
            conference.awaited.push((session, manner));
        }
    }

    /// A session is to take the seat of another, which was a member, as soon as it is answered.
    pub(in super::super) fn expect_successor(&mut self, heritage: &Heritage, session: SessionId) {
        if let Some(seat) = heritage.seat {
            self.expect_member(seat.conference, session, Manner::of(heritage));
        }
    }

    /// Seats a session that is answered and was to join.
    pub(super) fn join(&mut self, id: ConferenceId, session: SessionId) {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        let awaited = conference
            .awaited
            .extract_if(.., |(awaited, _)| *awaited == session);
        let manner = awaited.last().map(|(_, manner)| manner);
        if conference.made_way {
            // The call for which it made way joins it.
            self.hold_conference(None, id, false, None, HoldVia::default());
        }
        self.seat(id, session, manner.unwrap_or_default());
    }

    pub(super) fn seat(&mut self, id: ConferenceId, session: SessionId, manner: Manner) {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        if !conference.members.contains(&session) {
            conference.members.push(session);
        }
        let held = conference.held;
        let music = conference.music.clone();
        let seat = Seat {
            conference: id,
            muted: manner.muted,
            held,
            held_alone: manner.held_alone,
        };
        self.tell(id, News::Joined { session });
        self.act_on_one(session, |session, ctx| session.take_seat(seat, music, ctx));
        if !held {
            self.hold_others(Heard::Conference(id));
        }
        if manner.muted {
            let (session, muted) = (Some(session), true);
            self.tell(id, News::Muted { session, muted });
        }
    }

    /// A session has taken the place of another, which was a member.
    pub(in super::super) fn take_over(
        &mut self,
        old: SessionId,
        heritage: &Heritage,
        new: SessionId,
    ) {
        let Some(seat) = heritage.seat else {
            return;
        };
        let id = seat.conference;
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        for member in &mut conference.members {
            if *member == old {
                *member = new;
            }
        }
        self.tell(id, News::Left { session: old });
        self.seat(id, new, Manner::of(heritage));
    }

    /// Takes note of what has become of a session that takes part, or is to.
    pub(super) fn look_at(&mut self, session: SessionId) {
        let known = self.sessions.get(&session);
        let place = known.filter(|known| known.is_live()).map(Session::place);
        match place {
            Some(Place::Awaited(id)) if known.is_some_and(Session::is_answered) => {
                self.join(id, session);
            }
            Some(_) => {}
            None => self.forget(session),
        }
    }

    /// A session is over.
    pub(super) fn forget(&mut self, session: SessionId) {
        let mut left = None;
        for (id, conference) in &mut self.conferences.all {
            conference
                .awaited
                .retain(|(awaited, _)| *awaited != session);
            if conference.members.contains(&session) {
                conference.members.retain(|member| *member != session);
                left = Some(*id);
            }
        }
        if let Some(known) = self.sessions.get_mut(&session) {
            known.leave_conference();
        }
        if let Some(id) = left {
            self.tell(id, News::Left { session });
        }
    }

    /// Lets a member go on alone, or gives up waiting for it.
    pub(super) fn let_go(
        &mut self,
        id: ConferenceId,
        session: SessionId,
    ) -> Result<(), PhoneError> {
        let place = self.sessions.get(&session).map(Session::place);
        if place.and_then(|place| place.conference()) != Some(id) {
            // One that has left already is not told from one that was never here.
            return match self.known(session) {
                Ok(()) => Ok(()),
                Err(error) if error.code == ErrorCode::SessionEnded => Ok(()),
                Err(error) => Err(error),
            };
        }
        self.leave(id, session);
        Ok(())
    }

    pub(super) fn leave(&mut self, id: ConferenceId, session: SessionId) {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        conference
            .awaited
            .retain(|(awaited, _)| *awaited != session);
        let was_here = conference.members.contains(&session);
        conference.members.retain(|member| *member != session);
        self.act_on_one(session, Session::leave_seat);
        if was_here {
            self.tell(id, News::Left { session });
            if self.sessions.get(&session).is_some_and(Session::is_heard) {
                self.hold_others(Heard::Session(session));
            }
        }
    }
}
