//! How sessions ended, for late commands; and the end of the phone itself, one path.

use std::time::{Duration, Instant};

use super::Phone;
use crate::door::error::PhoneError;
use crate::door::event::Event;
use crate::door::id::{SessionId, Ticket};
use crate::door::output::{Output, Reply, Wake};
use crate::session::Session;

/// How long BYE, CANCEL and the unregistration are waited for. What is left of the two seconds of
/// `destroy()` is the driver's, to close the WebSocket, media and files.
const PATIENCE: Duration = Duration::from_millis(1500);
/// So many ended sessions are told from ones that never were.
const MOST_FATES: usize = 1024;

/// What became of a session that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It was pending and never started.
    Cancelled,
    /// It was started.
    Ended,
}

/// The end of the phone.
#[derive(Debug)]
pub(super) enum Ending {
    /// Not yet.
    No,
    /// `destroy()` waits for the network.
    Leaving {
        tickets: Vec<Ticket>,
        until: Instant,
        unregistering: bool,
    },
    /// `Closed` was emitted.
    Over,
}

impl Ending {
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    pub(super) fn has_begun(&self) -> bool {
        !matches!(self, Self::No)
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Wake)> {
        match self {
            Self::Leaving { until, .. } => Some((*until, Wake::Destroy)),
            Self::No | Self::Over => None,
        }
    }
}

impl Phone {
    /// Ends every session, unregisters, and closes when the network has answered or time is up.
    pub(super) fn destroy(&mut self, ticket: Ticket) {
        if let Ending::Leaving { tickets, .. } = &mut self.ending {
            return tickets.push(ticket);
        }
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        for id in ids {
            self.with(id, Session::leave);
        }
        self.close_conferences();
        let (account, mut ctx) = self.account();
        let error = PhoneError::destroyed();
        account.fail_waiters(&error, &mut ctx);
        let unregistering = account.leave(&mut ctx);
        self.drop_outside(&error);
        self.drop_subscriptions(&error);
        self.drop_notifiers();
        self.drop_call_requests();
        self.ending = Ending::Leaving {
            tickets: vec![ticket],
            until: self.now + PATIENCE,
            unregistering,
        };
    }

    /// Closes if nothing is left to wait for.
    pub(super) fn drive_ending(&mut self) {
        let Ending::Leaving {
            tickets,
            until,
            unregistering,
        } = &mut self.ending
        else {
            return;
        };
        let waits = !self.sessions.is_empty() || (*unregistering && self.account.is_registered());
        if waits && self.agent.is_up() && *until > self.now {
            return;
        }
        let tickets = std::mem::take(tickets);
        self.outputs.push_back(Output::Disconnect);
        if self.agent.is_up() {
            self.outputs.push_back(Output::Event(Event::Disconnected {
                reconnecting: false,
                reason: "The phone was destroyed".into(),
                retry_in: None,
            }));
        }
        self.outputs.push_back(Output::Event(Event::Closed));
        for ticket in tickets {
            self.outputs
                .push_back(Output::Reply(ticket, Ok(Reply::Done)));
        }
        self.sessions.clear();
        self.usages.clear();
        self.ending = Ending::Over;
    }

    pub(super) fn remember(&mut self, session: &Session) {
        let fate = match session.was_started() {
            true => Fate::Ended,
            false => Fate::Cancelled,
        };
        if self.fates.iter().rev().any(|(id, _)| *id == session.id) {
            return;
        }
        if self.fates.len() >= MOST_FATES {
            self.fates.pop_front();
        }
        self.fates.push_back((session.id, fate));
    }

    pub(super) fn fate(&self, id: SessionId) -> Option<Fate> {
        self.fates
            .iter()
            .find_map(|(gone, fate)| (*gone == id).then_some(*fate))
    }
}
