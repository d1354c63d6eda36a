//! The end of the phone itself, one path.

use std::time::{Duration, Instant};

use super::Phone;
use crate::door::error::PhoneError;
use crate::door::event::Event;
use crate::door::id::Ticket;
use crate::door::output::{Output, Reply, Wake};
use crate::session::Session;

/// How long BYE, CANCEL and the unregistration are waited for. What is left of the two seconds of
/// `destroy()` is the driver's, to close the WebSocket, media and files.
const PATIENCE: Duration = Duration::from_millis(1500);

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
        self.leave_draining();
        let ids = self.sessions.ids();
        for id in ids {
            self.act_on(id, Session::leave);
        }
        self.close_conferences();
        let error = PhoneError::destroyed();
        self.account
            .fail_waiters(&error, &mut self.around.context());
        let unregistering = self.account.leave(&mut self.around.context());
        let mut ctx = self.around.context();
        self.standalone_requests.leave(&error, &mut ctx);
        self.subscriptions.leave(&error, &mut ctx);
        self.notifiers.leave(&mut ctx);
        self.call_requests.leave(&mut ctx);
        self.ending = Ending::Leaving {
            tickets: vec![ticket],
            until: self.around.now + PATIENCE,
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
        if waits && self.around.agent.reaches_anybody() && *until > self.around.now {
            return;
        }
        let tickets = std::mem::take(tickets);
        self.around.outputs.push_back(Output::Disconnect);
        if self.around.agent.is_up() {
            self.around
                .outputs
                .push_back(Output::Event(Event::Disconnected {
                    reconnecting: false,
                    reason: "The phone was destroyed".into(),
                    retry_in: None,
                }));
        }
        self.around.outputs.push_back(Output::Event(Event::Closed));
        for ticket in tickets {
            self.around
                .outputs
                .push_back(Output::Reply(ticket, Ok(Reply::Done)));
        }
        self.sessions.clear();
        self.ending = Ending::Over;
    }
}
