//! What the peer is still to be told about hold.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::door::error::SipStatus;
use crate::door::hold_via::HoldVia;
use crate::door::id::Ticket;

/// How long somebody waits for a hold or a resumption, whatever keeps it from coming about: the longest wait that a
/// 500 may ask for (RFC 3261 §14.2), and two after a 491.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may find no moment to be offered, although there is a connection: one offer of the peer's after the
/// other, or an answer of ours that it does not acknowledge.
const NO_MOMENT: Duration = Duration::from_millis(1500);

/// A change that the application wants and the peer has not agreed to yet.
#[derive(Debug)]
pub(super) struct HoldChange {
    pub(super) held: bool,
    pub(super) via: HoldVia,
    pub(super) tickets: Vec<Ticket>,
    /// Whoever waits for it waits no longer.
    until: Option<Instant>,
    /// How the peer has put it off last.
    pub(super) put_off: Option<SipStatus>,
}

/// What the peer is still to be told about hold, oldest first; each asks for the other state than the one before.
#[derive(Debug, Default)]
pub(super) struct Holds {
    changes: VecDeque<HoldChange>,
    /// The first of them has failed if it has found no moment to be offered by then.
    moment: Option<Instant>,
}

impl Holds {
    /// The change that is offered next, or now.
    pub(super) fn next(&self) -> Option<&HoldChange> {
        self.changes.front()
    }

    /// Whether the peer is to be held by the next offer, if it is now as `held` says.
    pub(super) fn offered(&self, held: bool) -> bool {
        self.next().map_or(held, |next| next.held)
    }

    /// Whether the peer is to be held in the end, if it is now as `held` says.
    pub(super) fn wanted(&self, held: bool) -> bool {
        self.changes.back().map_or(held, |last| last.held)
    }

    /// Whether one of them is to hold the peer.
    pub(super) fn hold_waits(&self) -> bool {
        self.changes.iter().any(|change| change.held)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds a change that nobody waits for.
    pub(super) fn push(&mut self, held: bool, via: HoldVia) {
        self.changes.push_back(HoldChange {
            held,
            via,
            tickets: Vec::new(),
            until: None,
            put_off: None,
        });
    }

    /// Lets a command wait for the last of them; false if that asks for something else.
    pub(super) fn await_last(&mut self, held: bool, ticket: Ticket, now: Instant) -> bool {
        let Some(last) = self.changes.back_mut().filter(|last| last.held == held) else {
            return false;
        };
        last.tickets.push(ticket);
        last.until.get_or_insert(now + PATIENCE);
        true
    }

    /// Somebody else waits for all of them.
    pub(super) fn bound(&mut self, now: Instant) {
        for change in &mut self.changes {
            change.until.get_or_insert(now + PATIENCE);
        }
    }

    /// The peer can't take the offer of the first of them now.
    pub(super) fn put_off(&mut self, status: SipStatus) {
        if let Some(change) = self.changes.front_mut() {
            change.put_off = Some(status);
        }
    }

    /// Takes the first of them, which is told or refused.
    pub(super) fn take_next(&mut self) -> Option<HoldChange> {
        self.moment = None;
        self.changes.pop_front()
    }

    /// Takes those of the first that ask for what is so already, and says who waits for them.
    pub(super) fn take_idle(&mut self, held: bool) -> Vec<Ticket> {
        let mut tickets = Vec::new();
        while let Some(change) = self.changes.pop_front_if(|change| change.held == held) {
            tickets.extend(change.tickets);
        }
        tickets
    }

    /// The one whose time is up.
    pub(super) fn due(&self, now: Instant) -> Option<usize> {
        let mut changes = self.changes.iter();
        changes.position(|change| change.until.is_some_and(|until| until <= now))
    }

    /// Takes one that is not wanted any more.
    pub(super) fn give_up(&mut self, index: usize) -> Option<HoldChange> {
        let change = self.changes.remove(index)?;
        // What follows asks for what the one before asks for already.
        if index > 0
            && let Some(mut same) = self.changes.remove(index)
            && let Some(before) = self.changes.get_mut(index - 1)
        {
            before.tickets.append(&mut same.tickets);
            before.until = before.until.or(same.until);
        }
        Some(change)
    }

    /// Starts the time of one that somebody waits for and that could be offered but for the peer.
    pub(super) fn time(&mut self, may_be_offered: bool, now: Instant) {
        let awaited = self.next().is_some_and(|next| !next.tickets.is_empty());
        self.moment = match awaited && may_be_offered {
            true => self.moment.or(Some(now + NO_MOMENT)),
            false => None,
        };
    }

    /// The first of them is out.
    pub(super) fn found_moment(&mut self) {
        self.moment = None;
    }

    /// Whether the first of them has found no moment in time; told once.
    pub(super) fn found_no_moment(&mut self, now: Instant) -> bool {
        self.moment.take_if(|until| *until <= now).is_some()
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let changes = self.changes.iter().filter_map(|change| change.until);
        changes.chain(self.moment).min()
    }

    /// Who waits for any of them.
    pub(super) fn into_tickets(self) -> impl Iterator<Item = Ticket> {
        self.changes.into_iter().flat_map(|change| change.tickets)
    }
}
