//! An incoming call arrives, rings, and is not answered.

use std::time::{Duration, Instant};

use sip::endpoint::Reply;

use super::auto_answer::DECISION_PATIENCE;
use super::{AutoAnswering, Context, Facts, Pending, Session, State, Succession};
use crate::door::end_reason::{Condition, Elsewhere, EndReason, Side};
use crate::door::event::{AutoAnswerSource, Direction, Event, PendingEnd};
use crate::door::id::SessionId;
use crate::reading::arrival::Arrival;
use crate::reading::auto_answer::Verdict;
use crate::reading::sdp;

/// A call that answers itself within this has not rung: who takes sixty calls in the same second is no phone that
/// somebody is called to.
const MOMENT: Duration = Duration::from_secs(2);

/// An incoming call that is not refused.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) arrival: Arrival,
    /// The place of another call that this one is to take.
    pub(crate) replaces: Option<Succession>,
    pub(crate) plan: Plan,
}

/// What becomes of an arrived call that is not refused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Plan {
    Ring {
        source: Option<AutoAnswerSource>,
    },
    Answer {
        source: AutoAnswerSource,
        delay: Duration,
    },
    Ask {
        delay: Duration,
    },
}

impl Plan {
    /// The plan of a verdict, or the code with which the call is refused.
    pub(crate) fn of(verdict: Verdict) -> Result<Self, u16> {
        match verdict {
            Verdict::Ring { source } => Ok(Self::Ring { source }),
            Verdict::Answer { source, delay } => Ok(Self::Answer { source, delay }),
            Verdict::Ask { delay } => Ok(Self::Ask { delay }),
            Verdict::Refuse { code } => Err(code),
        }
    }

    /// Whether it is for somebody to answer the call, or for the phone only after more than a moment.
    pub(crate) fn rings(self) -> bool {
        match self {
            Self::Ring { .. } => true,
            Self::Answer { delay, .. } => delay > MOMENT,
            Self::Ask { .. } => false,
        }
    }
}

impl Session {
    /// Rings, and tells or asks the application.
    pub(crate) fn arrive(id: SessionId, admitted: Admitted, ctx: &mut Context<'_>) -> Self {
        let Admitted {
            arrival,
            replaces,
            plan,
        } = admitted;
        let auto = match plan {
            Plan::Ring { .. } => AutoAnswering::Ring,
            Plan::Answer { delay, .. } => AutoAnswering::Answer {
                at: ctx.now + delay,
            },
            Plan::Ask { delay } => AutoAnswering::Asking {
                until: ctx.now + DECISION_PATIENCE,
                delay,
            },
        };
        let usage = arrival.usage;
        let offered = arrival.offer.as_ref().map(sdp::offered_video);
        let state = State::Pending(Pending {
            offered: offered.unwrap_or_default(),
            offer: arrival.offer,
            auto,
            ring_until: ctx.now + ctx.config.no_answer_timeout,
        });
        let facts = Facts {
            conversation_id: arrival.conversation_id,
            call_id: arrival.call_id,
            peer: arrival.peer,
            called: arrival.called,
            identity: arrival.identity,
            uuids: ctx.agent.endpoint_of(&usage).session(usage),
            direction: Direction::Incoming,
            headers: arrival.headers,
            start_time: None,
        };
        let mut session = Self::new(id, state, facts);
        session.usage = Some(usage);
        session.protection.wished = replaces.as_ref().and_then(|it| it.media.clone());
        session.handover.replaces = replaces;
        // Genesys answers by NOTIFY only phones that say so here.
        let ringing = Reply::new(180).header("Allow-Events", "talk, hold");
        // Its only failure is that the caller has gone, which is told separately.
        let _ = ctx.respond(usage, &ringing);
        match plan {
            Plan::Ring { source } => session.announce(None, source, ctx),
            Plan::Answer { source, delay } => session.announce(Some(delay), Some(source), ctx),
            Plan::Ask { .. } => {
                let query = session.pending_session(None, None);
                ctx.emit(Event::AutoAnswerQuery(Box::new(query)));
            }
        }
        session
    }

    /// Emits `PendingSession`; the application acknowledges it.
    pub(super) fn announce(
        &mut self,
        auto_answer: Option<Duration>,
        source: Option<AutoAnswerSource>,
        ctx: &mut Context<'_>,
    ) {
        self.delivery.expect(ctx.now);
        let pending = self.pending_session(auto_answer, source);
        ctx.emit(Event::PendingSession(Box::new(pending)));
    }

    /// Nobody answered in time.
    pub(super) fn ring_out(&mut self, ctx: &mut Context<'_>) {
        let reason = EndReason::new(Condition::Timeout, Side::Local, "Nobody answered in time");
        self.refuse(Reply::new(480), reason, ctx);
    }

    /// Refuses the call and tells the application once.
    pub(super) fn refuse(&mut self, reply: Reply, reason: EndReason, ctx: &mut Context<'_>) {
        if let Some(usage) = self.usage {
            // Its only failure is that the caller has gone already.
            let _ = ctx.respond(usage, &reply);
        }
        self.drop_pending(reason, None, ctx);
    }

    /// Whether somebody has to answer it, as [`Plan::rings`].
    pub(crate) fn rings(&self, now: Instant) -> bool {
        match &self.state {
            State::Pending(pending) => match pending.auto {
                AutoAnswering::Ring => true,
                AutoAnswering::Answer { at } => at > now + MOMENT,
                AutoAnswering::Asking { .. } => false,
            },
            State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => false,
        }
    }

    /// Whether it would ring from now on if the application's function decided so.
    pub(crate) fn would_ring(&self, answer: bool) -> bool {
        self.asking()
            .is_some_and(|(_, delay)| !answer || delay > MOMENT)
    }

    pub(crate) fn is_decided_too_late(&self, now: Instant) -> bool {
        self.asking().is_some_and(|(until, _)| until <= now)
    }

    fn asking(&self) -> Option<(Instant, Duration)> {
        match &self.state {
            State::Pending(Pending {
                auto: AutoAnswering::Asking { until, delay },
                ..
            }) => Some((*until, *delay)),
            State::Pending(_)
            | State::Answering(_)
            | State::Offering(_)
            | State::Dialing(_)
            | State::Active(_)
            | State::Ending
            | State::Ended => None,
        }
    }

    /// As many ring as may: the application, which was only asked, hears nothing of it.
    pub(crate) fn find_no_room(&mut self, refusal: Reply, ctx: &mut Context<'_>) {
        let text = "As many calls ring as may";
        let reason = EndReason::new(Condition::Busy, Side::Local, text);
        self.refuse(refusal, reason, ctx);
    }

    /// The call is gone; the one outcome of a pending id that never started (guarantee 2).
    pub(super) fn drop_pending(
        &mut self,
        reason: EndReason,
        elsewhere: Option<Elsewhere>,
        ctx: &mut Context<'_>,
    ) {
        let State::Pending(pending) = std::mem::replace(&mut self.state, State::Ended) else {
            return;
        };
        if let AutoAnswering::Asking { .. } = pending.auto {
            return;
        }
        let id = self.id;
        let details = PendingEnd {
            side: reason.side,
            reason,
            conversation_id: self.facts.conversation_id.clone(),
            elsewhere,
        };
        ctx.emit(match elsewhere {
            Some(_) => Event::HandledPendingSession { id, details },
            None => Event::CancelPendingSession { id, details },
        });
    }
}
