//! No new calls, until those that there are have ended.

use std::time::{Duration, Instant};

use sip::endpoint;

use super::Phone;
use super::command::Settled;
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::id::Ticket;
use crate::door::output::{Output, Reply, Wake};

/// Whether new calls are taken.
#[derive(Debug, Default)]
pub(super) enum Draining {
    /// They are.
    #[default]
    No,
    /// None ever again.
    Begun {
        /// What whoever calls is answered.
        code: u16,
        waiting: Vec<Patience>,
    },
}

/// A command that waits for the last call.
#[derive(Debug)]
pub(super) struct Patience {
    ticket: Ticket,
    until: Option<Instant>,
}

impl Draining {
    pub(super) fn has_begun(&self) -> bool {
        matches!(self, Self::Begun { .. })
    }

    pub(super) fn deadline(&self) -> Option<(Instant, Wake)> {
        match self {
            Self::No => None,
            Self::Begun { waiting, .. } => {
                let first = waiting.iter().filter_map(|wait| wait.until).min();
                first.map(|until| (until, Wake::Drain))
            }
        }
    }

    /// Nobody waits for it with this any more; new calls are refused all the same.
    pub(super) fn abandon(&mut self, ticket: Ticket) {
        if let Self::Begun { waiting, .. } = self {
            waiting.retain(|wait| wait.ticket != ticket);
        }
    }

    /// Takes those who wait no longer.
    fn settle(&mut self, which: impl Fn(&Patience) -> bool) -> Vec<Ticket> {
        match self {
            Self::No => Vec::new(),
            Self::Begun { waiting, .. } => {
                let settled = waiting.extract_if(.., |wait| which(wait));
                settled.map(|wait| wait.ticket).collect()
            }
        }
    }
}

impl Phone {
    /// Takes no more calls, and replies when none is left, or with how many are left when the time is up.
    pub(super) fn drain(
        &mut self,
        ticket: Ticket,
        timeout: Option<u64>,
        code: Option<u16>,
    ) -> Settled {
        if code.is_some_and(|code| !(400..=699).contains(&code)) {
            let error = PhoneError::invalid("code must be 400 to 699");
            return Settled::Now(Err(error));
        }
        let wait = Patience {
            ticket,
            until: timeout
                .and_then(|timeout| self.around.now.checked_add(Duration::from_millis(timeout))),
        };
        match &mut self.draining {
            Draining::Begun {
                code: said,
                waiting,
            } => {
                *said = code.unwrap_or(*said);
                waiting.push(wait);
            }
            Draining::No => {
                let waiting = vec![wait];
                let code = code.unwrap_or(503);
                self.draining = Draining::Begun { code, waiting };
            }
        }
        Settled::Later
    }

    /// What whoever calls hears while calls are refused for the end of this phone.
    pub(super) fn refusal_of_drain(&mut self) -> Option<endpoint::Reply> {
        match self.draining {
            Draining::No => None,
            // Elsewhere there is room.
            Draining::Begun { code: 503, .. } => Some(self.unavailable().because("Draining")),
            Draining::Begun { code, .. } => Some(endpoint::Reply::new(code)),
        }
    }

    /// Whether the application may add a call.
    pub(super) fn check_drain(&self) -> Result<(), PhoneError> {
        match self.draining.has_begun() {
            false => Ok(()),
            true => Err(PhoneError::new(
                ErrorCode::Draining,
                "This phone takes no more calls since drain() was called: place it with another",
            )),
        }
    }

    /// Tells those who wait for the last call that it has ended, or that their time is up.
    pub(super) fn drive_draining(&mut self) {
        let left = self.count();
        let now = self.around.now;
        let over = |wait: &Patience| left == 0 || wait.until.is_some_and(|until| until <= now);
        let tickets = self.draining.settle(over);
        self.tell_left(tickets, left);
    }

    /// The phone ends, and with it what is left.
    pub(super) fn leave_draining(&mut self) {
        let left = self.count();
        let tickets = self.draining.settle(|_| true);
        self.tell_left(tickets, left);
    }

    fn tell_left(&mut self, tickets: Vec<Ticket>, left: usize) {
        for ticket in tickets {
            let left = u32::try_from(left).unwrap_or(u32::MAX);
            let reply = Output::Reply(ticket, Ok(Reply::Drained { left }));
            self.around.outputs.push_back(reply);
        }
    }
}
