//! Commands that are done when the phones of several sessions have answered.

use super::super::Phone;
use super::super::command::CommandOutcome;
use crate::door::error::{ErrorCode, ErrorType, PhoneError};
use crate::door::id::{ConferenceId, SessionId, Ticket};
use crate::door::output::Reply;
use crate::session::{Place, Session};

#[derive(Debug)]
pub(super) struct Wait {
    pub(super) ticket: Ticket,
    pub(super) sessions: Vec<SessionId>,
    /// Fails where they do not join it.
    pub(super) joins: Option<ConferenceId>,
    /// Fails where the peer does not agree to be held, or to be taken off hold.
    pub(super) wanted: Option<bool>,
    pub(super) reply: Reply,
}

impl Phone {
    pub(super) fn wait_for(
        &mut self,
        ticket: Ticket,
        sessions: Vec<SessionId>,
        wanted: Option<bool>,
    ) {
        self.conferences.waits.push(Wait {
            ticket,
            sessions,
            joins: None,
            wanted,
            reply: Reply::Done,
        });
    }

    /// Forgets a command that was given up; who was to join because of it does not.
    pub(in super::super) fn stop_waiting(&mut self, ticket: Ticket) {
        let waits = &mut self.conferences.waits;
        let Some(given_up) = waits.iter().position(|wait| wait.ticket == ticket) else {
            return;
        };
        let wait = waits.swap_remove(given_up);
        for session in wait.sessions {
            let place = self.sessions.get(&session).map(Session::place);
            if let Some(Place::Awaited(id)) = place
                && wait.joins == Some(id)
            {
                self.leave(id, session);
            }
        }
    }

    /// Answers the commands that have nothing to wait for any more.
    pub(super) fn drive_waits(&mut self) {
        for wait in std::mem::take(&mut self.conferences.waits) {
            match self.outcome(&wait) {
                Some(outcome) => {
                    self.reply(wait.ticket, outcome);
                    self.tell_early_warnings(&wait.reply);
                }
                None => self.conferences.waits.push(wait),
            }
        }
    }

    /// The application knows the conference that was made for it now.
    fn tell_early_warnings(&mut self, made: &Reply) {
        let Reply::Conference { conference: id } = made else {
            return;
        };
        let conference = self.conferences.all.get_mut(id);
        let early = conference.and_then(|conference| conference.early.take());
        for news in early.into_iter().flatten() {
            self.tell(*id, news);
        }
    }

    /// What a command comes to; nothing while a session is to be answered, or a phone to answer.
    fn outcome(&self, wait: &Wait) -> Option<CommandOutcome> {
        let mut failure = None;
        for id in &wait.sessions {
            let session = self.sessions.get(id).filter(|session| session.is_live());
            let here = session.and_then(|session| session.place().conference());
            if wait.joins.is_some() && here != wait.joins {
                failure = self.known(*id).err().or_else(|| Some(removed()));
            }
            let Some(session) = session else {
                continue;
            };
            if matches!(session.place(), Place::Awaited(_)) || !session.hold_is_settled() {
                return None;
            }
            let refusal = wait.wanted.and_then(|wanted| session.hold_failure(wanted));
            failure = failure.or_else(|| refusal.cloned());
        }
        Some(match failure {
            Some(error) => Err(error),
            None => Ok(wait.reply.clone()),
        })
    }
}

fn removed() -> PhoneError {
    PhoneError::new(
        ErrorCode::Aborted,
        "The session was taken out of the conference again",
    )
    .with_kind(ErrorType::Session)
}
