//! Who is heard in a conference: hold of the whole, mute, and whose call is the one to be heard.

use super::super::{Heard, Phone};
use crate::door::audio;
use crate::door::conference::{HostOrder, News};
use crate::door::error::PhoneError;
use crate::door::hold_via::HoldVia;
use crate::door::id::{ConferenceId, SessionId, Ticket};
use crate::session::Session;

impl Phone {
    /// Holds a whole conference, or resumes it; who waits for it is told when all phones have answered.
    pub(in super::super) fn hold_conference(
        &mut self,
        ticket: Option<Ticket>,
        id: ConferenceId,
        held: bool,
        music: Option<audio::Input>,
        via: HoldVia,
    ) {
        let music = music.unwrap_or_else(|| self.around.config.hold_music.clone());
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return;
        };
        let members = conference.members.clone();
        let news = std::mem::replace(&mut conference.held, held) != held;
        conference.made_way = false;
        if news {
            conference.music = music.clone();
            self.order(id, HostOrder::Hold { held });
            self.tell(id, News::Held { held });
            if !held {
                self.hold_others(Heard::Conference(id));
            }
            for member in &members {
                let music = music.clone();
                self.act_on_one(*member, |session, ctx| {
                    session.hold_in_conference(held, music, via, ctx);
                });
            }
        }
        if let Some(ticket) = ticket {
            // Held they are in any case: who does not agree to it hears the music all the same.
            self.wait_for(ticket, members, (!held).then_some(false));
        }
    }

    /// Resumes the whole conference of a member that is to be resumed, if that is on hold; says
    /// whether it is.
    pub(in super::super) fn resumes_conference(
        &mut self,
        ticket: Ticket,
        session: SessionId,
    ) -> bool {
        let Some(known) = self.sessions.get_mut(&session) else {
            return false;
        };
        let Some(seat) = known.place().seat().filter(|seat| seat.held) else {
            return false;
        };
        known.come_back();
        let (id, via) = (seat.conference, HoldVia::default());
        self.hold_conference(Some(ticket), id, false, None, via);
        true
    }

    /// Whether the user has put a conference on hold, and not the call of another.
    pub(in super::super) fn is_held_by_user(&self, id: ConferenceId) -> bool {
        let conference = self.conferences.all.get(&id);
        conference.is_some_and(|conference| conference.held && !conference.made_way)
    }

    pub(super) fn mute_in_conference(
        &mut self,
        id: ConferenceId,
        session: Option<SessionId>,
        muted: bool,
    ) -> Result<(), PhoneError> {
        let Some(conference) = self.conferences.all.get_mut(&id) else {
            return Ok(());
        };
        let news = match session {
            None => {
                let news = std::mem::replace(&mut conference.muted, muted) != muted;
                if news {
                    self.order(id, HostOrder::Mute { muted });
                }
                news
            }
            Some(member) if conference.members.contains(&member) => self
                .act_on_one(member, |session, ctx| {
                    session.mute_in_conference(muted, ctx)
                })
                .is_some_and(|(news, _)| news),
            Some(_) => {
                return Err(PhoneError::wrong_state(
                    "The session is not a member of the conference",
                ));
            }
        };
        if news {
            self.tell(id, News::Muted { session, muted });
        }
        Ok(())
    }

    /// Puts every conference on hold but this party's.
    pub(in super::super) fn hold_other_conferences(&mut self, heard: Heard) {
        let others: Vec<ConferenceId> = self
            .conferences
            .all
            .iter()
            .filter(|(id, conference)| heard != Heard::Conference(**id) && !conference.held)
            .map(|(id, _)| *id)
            .collect();
        for id in others {
            self.hold_conference(None, id, true, None, HoldVia::default());
            if let Some(conference) = self.conferences.all.get_mut(&id) {
                conference.made_way = true;
            }
        }
    }

    /// Whose call a session is: its conference's if it takes part in one, or is to.
    pub(in super::super) fn party_of(&self, session: SessionId) -> Heard {
        let place = self.sessions.get(&session).map(Session::place);
        let conference = place.and_then(|place| place.conference());
        conference.map_or(Heard::Session(session), Heard::Conference)
    }
}
