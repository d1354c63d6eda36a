//! The sessions of a phone, and what became of those that are gone.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use sip::endpoint::UsageId;

use super::timetable::Timetable;
use crate::door::id::SessionId;
use crate::door::output::Wake;
use crate::session::{Session, State};

/// So many ended sessions are told from ones that never were.
const MOST_ENDED: usize = 1024;

/// What became of a session that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was pending and never started.
    Cancelled,
    /// It was started.
    Started,
}

/// Sessions by their id and by what the endpoint calls them.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// Boxed: each is taken out and put back whenever it acts.
    all: BTreeMap<SessionId, Box<Session>>,
    timetable: Timetable,
    usages: BTreeMap<UsageId, SessionId>,
    /// How the latest sessions that are gone ended, oldest first.
    ended: VecDeque<(SessionId, Ended)>,
}

impl Sessions {
    pub(super) fn get(&self, id: &SessionId) -> Option<&Session> {
        self.all.get(id).map(Box::as_ref)
    }

    /// For what changes nothing about when the session must be woken.
    pub(super) fn get_mut(&mut self, id: &SessionId) -> Option<&mut Session> {
        self.all.get_mut(id).map(Box::as_mut)
    }

    /// The session that has this dialog, or the INVITE that is to make it.
    pub(super) fn of(&self, usage: UsageId) -> Option<SessionId> {
        self.usages.get(&usage).copied()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Session> {
        self.all.values().map(Box::as_ref)
    }

    /// When the first of them must be woken, and why.
    pub(super) fn deadline(&self, now: Instant) -> Option<(Instant, Wake)> {
        let deadline = self.timetable.earliest();
        debug_assert!(
            self.values()
                .filter_map(|session| session.deadline(now))
                .all(|(at, _)| deadline.is_some_and(|(earliest, _)| earliest <= at.max(now))),
            "a session's deadline changed while nobody looked"
        );
        deadline
    }

    /// Those whose time has come.
    pub(super) fn due(&self, now: Instant) -> Vec<SessionId> {
        self.timetable.due(now)
    }

    pub(super) fn ids(&self) -> Vec<SessionId> {
        self.all.keys().copied().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes a session out to let it act; [`keep`](Self::keep) puts it back.
    pub(super) fn take(&mut self, id: SessionId) -> Option<Box<Session>> {
        self.all.remove(&id)
    }

    /// Keeps a session that is not over, and remembers how one that is has ended.
    pub(super) fn keep(&mut self, session: Box<Session>, now: Instant) {
        let over = matches!(session.state, State::Ended);
        if let Some(usage) = session.usage {
            match over {
                true => self.usages.remove(&usage),
                false => self.usages.insert(usage, session.id),
            };
        }
        if !session.is_pending() && !session.is_live() {
            self.remember(&session);
        }
        match over {
            true => self.timetable.set(session.id, None),
            false => {
                self.timetable.set(session.id, session.deadline(now));
                self.all.insert(session.id, session);
            }
        }
    }

    /// Forgets all that are left: nobody asks for them any more.
    pub(super) fn clear(&mut self) {
        self.all.clear();
        self.timetable.clear();
        self.usages.clear();
    }

    /// How a session that is gone ended, if it is one of the latest.
    pub(super) fn ended(&self, id: SessionId) -> Option<Ended> {
        let mut ended = self.ended.iter();
        ended.find_map(|(gone, ended)| (*gone == id).then_some(*ended))
    }

    fn remember(&mut self, session: &Session) {
        if self.ended(session.id).is_some() {
            return;
        }
        if self.ended.len() >= MOST_ENDED {
            self.ended.pop_front();
        }
        let ended = match session.was_started() {
            true => Ended::Started,
            false => Ended::Cancelled,
        };
        self.ended.push_back((session.id, ended));
    }
}
