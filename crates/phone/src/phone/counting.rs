//! Counts what the application is told of calls.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::Phone;
use crate::door::end_reason::EndReason;
use crate::door::event::{Direction, Event, SessionState};
use crate::door::id::SessionId;
use crate::door::tally::{DirectionTally, Readiness, Standing, Tally};

/// What is counted, and the calls that are not over.
#[derive(Debug, Default)]
pub(super) struct Counting {
    tally: Arc<Tally>,
    open: BTreeMap<SessionId, OpenCall>,
}

#[derive(Debug)]
struct OpenCall {
    direction: Direction,
    begun: Instant,
    answered: Option<Instant>,
}

impl Counting {
    /// Takes note of what the application is told.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "only where calls begin, are answered and end matters here"
    )]
    pub(super) fn note(&mut self, event: &Event, now: Instant) {
        match event {
            Event::PendingSession(pending) => self.begin(pending.id, Direction::Incoming, now),
            Event::SessionStarted { session } => {
                if !self.open.contains_key(&session.id) {
                    self.begin(session.id, session.direction, now);
                }
                if session.state == SessionState::Active {
                    self.answer(session.id, now);
                }
            }
            Event::SessionChanged { id, changes }
                if changes.state == Some(SessionState::Active) =>
            {
                self.answer(*id, now);
            }
            Event::Answered { id } => self.answer(*id, now),
            Event::CancelPendingSession { id, details }
            | Event::HandledPendingSession { id, details } => self.end(*id, &details.reason, now),
            Event::SessionEnded { id, reason } => self.end(*id, reason, now),
            _ => {}
        }
    }

    /// Takes note of a caller who was refused at once.
    pub(super) fn refuse(&mut self, code: u16) {
        *self.tally().refused.entry(code).or_default() += 1;
    }

    fn begin(&mut self, id: SessionId, direction: Direction, now: Instant) {
        let call = OpenCall {
            direction,
            begun: now,
            answered: None,
        };
        self.open.insert(id, call);
        self.of(direction).begun += 1;
    }

    fn answer(&mut self, id: SessionId, now: Instant) {
        let Some(call) = self.open.get_mut(&id) else {
            return;
        };
        if call.answered.is_some() {
            return;
        }
        call.answered = Some(now);
        let took = now.saturating_duration_since(call.begun);
        let direction = call.direction;
        self.of(direction).set_up.observe(took.as_secs_f64());
    }

    fn end(&mut self, id: SessionId, reason: &EndReason, now: Instant) {
        let Some(call) = self.open.remove(&id) else {
            return;
        };
        let tally = self.tally();
        *tally.ended.entry(reason.condition.as_str()).or_default() += 1;
        if let Some(answered) = call.answered {
            let lasted = now.saturating_duration_since(answered);
            tally.duration.observe(lasted.as_secs_f64());
        }
        if let (Some(summary), true) = (&reason.summary, call.answered.is_some()) {
            tally.mos.observe(summary.mos.mean);
            tally.loss.observe(summary.loss / 100.0);
        }
    }

    fn of(&mut self, direction: Direction) -> &mut DirectionTally {
        let tally = self.tally();
        match direction {
            Direction::Incoming => &mut tally.incoming,
            Direction::Outgoing => &mut tally.outgoing,
        }
    }

    /// Copied only if somebody looks at the one before.
    fn tally(&mut self) -> &mut Tally {
        Arc::make_mut(&mut self.tally)
    }
}

impl Phone {
    /// How the phone stands after the last input.
    pub fn standing(&self) -> Standing {
        let unanswered = |call: &&OpenCall| call.answered.is_none();
        let ringing = self.counting.open.values().filter(unanswered).count();
        Standing {
            connected: self.around.agent.is_up(),
            registered: self.account.is_registered(),
            calls: number(self.count()),
            ringing: number(ringing),
            peers: self.around.agent.peers(),
            tally: Arc::clone(&self.counting.tally),
            otherwise: self.closed_to_calls(),
            taken: self.taken(),
        }
    }

    fn closed_to_calls(&self) -> Option<Readiness> {
        let registered = self.account.is_registered() || !self.around.config.register;
        let by_server = self.around.agent.is_up() && registered;
        if self.ending.has_begun() {
            Some(Readiness::Closed)
        } else if self.draining.has_begun() {
            Some(Readiness::Draining)
        } else if !by_server && !self.account.listens() {
            Some(Readiness::Unreachable)
        } else {
            None
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
