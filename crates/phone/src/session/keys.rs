//! Keys that we press by INFO: one request at a time, each after the tone and gap of the one before.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use sip::message::Method;

use super::requests::{PendingRequest, RequestOutcome};
use super::{Context, Session, State};
use crate::door::error::{ErrorCode, PhoneError};
use crate::door::id::Ticket;
use crate::door::output::Reply;
use crate::reading::dtmf_relay;

/// What a comma waits for, as in W3C's `insertDTMF`.
const PAUSE: Duration = Duration::from_secs(2);
/// As many as media keeps for RFC 4733.
const MOST_WAITING: usize = 256;

/// The keys that wait.
#[derive(Debug, Default)]
pub(super) struct Keys {
    orders: VecDeque<KeyOrder>,
    /// A key is on its way and not answered.
    under_way: bool,
    /// Before this the last key is still pressed, or its gap lasts.
    not_before: Option<Instant>,
}

/// One command's keys, the next one first.
#[derive(Debug)]
pub(super) struct KeyOrder {
    pub(super) ticket: Ticket,
    pub(super) tones: VecDeque<char>,
    pub(super) duration: u32,
    pub(super) gap: u32,
}

impl KeyOrder {
    fn is_out(&self) -> bool {
        self.tones.iter().all(|tone| *tone == ',')
    }
}

impl Keys {
    /// When the next key is due, if nothing else is waited for.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.not_before
            .filter(|_| !self.under_way && !self.orders.is_empty())
    }

    /// The commands that wait, and whether all their keys are on their way.
    pub(super) fn tickets(self) -> impl Iterator<Item = (Ticket, bool)> {
        let orders = self.orders.into_iter();
        orders.map(|order| (order.ticket, order.is_out()))
    }

    /// Whether this command waits.
    pub(super) fn wait(&self, ticket: Ticket) -> bool {
        self.orders.iter().any(|order| order.ticket == ticket)
    }

    /// Forgets the keys of a command that are not on their way.
    pub(super) fn drop(&mut self, ticket: Ticket) {
        for order in self
            .orders
            .iter_mut()
            .filter(|order| order.ticket == ticket)
        {
            order.tones.clear();
        }
        // The answer to the key that is on its way settles the first one.
        let first = self.orders.front().filter(|_| self.under_way);
        let first = first.map(|order| order.ticket);
        let stays = |order: &KeyOrder| order.ticket != ticket || Some(ticket) == first;
        self.orders.retain(stays);
    }

    fn waiting(&self) -> usize {
        self.orders.iter().map(|order| order.tones.len()).sum()
    }
}

impl Session {
    /// Queues keys; the command is done when the last one is answered.
    pub(super) fn press(&mut self, order: KeyOrder, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        if active.keys.waiting() + order.tones.len() > MOST_WAITING {
            let text = "More than 256 tones wait already";
            let error = PhoneError::new(ErrorCode::DtmfRefused, text);
            return ctx.reply(order.ticket, Err(error));
        }
        active.keys.orders.push_back(order);
        self.drive_keys(ctx);
    }

    /// Presses the next key where it is due.
    pub(super) fn drive_keys(&mut self, ctx: &mut Context<'_>) {
        loop {
            let State::Active(active) = &mut self.state else {
                return;
            };
            let keys = &mut active.keys;
            if keys.under_way || keys.not_before.is_some_and(|at| at > ctx.now) {
                return;
            }
            keys.not_before = None;
            let Some(order) = keys.orders.front_mut() else {
                return;
            };
            let ticket = order.ticket;
            match order.tones.pop_front() {
                None => {
                    keys.orders.pop_front();
                    ctx.reply(ticket, Ok(Reply::Done));
                }
                Some(',') => keys.not_before = Some(ctx.now + PAUSE),
                Some(key) => {
                    let lasts = Duration::from_millis(u64::from(order.duration + order.gap));
                    let body = dtmf_relay::write(key, order.duration);
                    keys.not_before = Some(ctx.now + lasts);
                    keys.under_way = true;
                    if let Err(error) =
                        self.send(PendingRequest::Key, Method::Info, &[], Some(&body), ctx)
                    {
                        self.key_done(Err(error), ctx);
                    }
                }
            }
        }
    }

    /// A key was taken, or was not: then the rest of its command is not sent.
    pub(super) fn key_done(&mut self, outcome: RequestOutcome<'_>, ctx: &mut Context<'_>) {
        let State::Active(active) = &mut self.state else {
            return;
        };
        let keys = &mut active.keys;
        keys.under_way = false;
        match outcome {
            Ok(_)
                if keys
                    .orders
                    .front()
                    .is_some_and(|order| order.tones.is_empty()) =>
            {
                if let Some(order) = keys.orders.pop_front() {
                    ctx.reply(order.ticket, Ok(Reply::Done));
                }
            }
            Ok(_) => {}
            Err(error) => {
                if let Some(order) = keys.orders.pop_front() {
                    // Who hangs up for the last key may leave it unanswered.
                    let heard = error.code == ErrorCode::SessionEnded && order.is_out();
                    let outcome = match heard {
                        true => Ok(Reply::Done),
                        false => Err(not_taken(error)),
                    };
                    ctx.reply(order.ticket, outcome);
                }
            }
        }
        self.drive_keys(ctx);
    }
}

/// A refusal by the other party is about the tones; anything else is what it is.
fn not_taken(error: PhoneError) -> PhoneError {
    if error.sip.is_none() {
        return error;
    }
    let text = "The other party did not take the tones";
    PhoneError::new(ErrorCode::DtmfRefused, text)
        .with_sip(error.sip)
        .with_cause(error.message)
}
