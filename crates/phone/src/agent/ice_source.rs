//! STUN and TURN servers that a function of the application gives: when it is asked, and who waits for it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::door::event::Event;
use crate::door::id::SessionId;
use crate::door::output::{Output, ServersKnown};

/// As long as an `autoAnswer` function has.
const PATIENCE: Duration = Duration::from_secs(2);
/// A function that has not answered by then is asked again.
const GIVEN_UP: Duration = Duration::from_secs(30);
/// An answer that names no time is used for so long: a burst of calls is one question.
const FRESH: Duration = Duration::from_secs(60);
/// How long before its time runs out an answer is asked for anew; half of the time if that is shorter.
const AHEAD: Duration = Duration::from_secs(60);
/// However short the time is, it is not asked without end.
const LEAST: Duration = Duration::from_secs(1);
/// A renewal that failed, or gave what is of no use, is tried again after this.
const AGAIN: Duration = Duration::from_secs(10);

/// What a function has given, and what it is asked.
#[derive(Debug, Default)]
pub(crate) struct IceSource {
    question: u32,
    asked: Option<OpenQuestion>,
    /// When the last answer came.
    answered: Option<Instant>,
    /// Until then the last answer is used without a question; after a failure nobody asks who goes on meanwhile.
    fresh: Option<Instant>,
    /// When the last answer's credentials end, if that is known.
    ends: Option<Instant>,
    /// It has let calls wait in vain: nobody waits for it before it was in time again.
    slow: bool,
    /// What the last question came to, if that was nothing.
    trouble: Option<String>,
    /// Sessions that begin while it is known to be in trouble.
    unserved: Vec<SessionId>,
}

#[derive(Debug, Clone, Copy)]
struct OpenQuestion {
    at: Instant,
    /// Sessions that begin wait for the answer.
    awaited: bool,
}

/// What a session wants servers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gathering {
    /// Its first description waits for them.
    First,
    /// It goes on meanwhile.
    Later,
}

impl IceSource {
    /// Asks the function, unless what it gave last is still good.
    pub(crate) fn want(
        &mut self,
        (id, gathering): (SessionId, Gathering),
        config: &Config,
        now: Instant,
        outputs: &mut VecDeque<Output>,
    ) {
        if !config.asks_for_ice_servers || self.is_fresh(gathering, now) {
            return;
        }
        self.asked.take_if(|asked| asked.at + GIVEN_UP <= now);
        let good = self.ends.is_some_and(|ends| ends > now);
        let waits = gathering == Gathering::First && !self.slow && !good;
        match &mut self.asked {
            Some(asked) if asked.awaited => {}
            Some(asked) if waits && asked.at + PATIENCE > now => {
                asked.awaited = true;
                outputs.push_back(Output::IceServers(ServersKnown::Awaited));
            }
            Some(_) => self.unserved.push(id),
            None => self.ask(waits, now, outputs),
        }
    }

    /// Whoever begins needs what is good still.
    fn is_fresh(&self, gathering: Gathering, now: Instant) -> bool {
        let good = match self.ends {
            Some(ends) => ends > now,
            None => self.trouble.is_none(),
        };
        let lately = self.fresh.is_some_and(|until| until > now);
        lately && (good || gathering == Gathering::Later)
    }

    fn ask(&mut self, awaited: bool, now: Instant, outputs: &mut VecDeque<Output>) {
        self.question = self.question.wrapping_add(1);
        self.asked = Some(OpenQuestion { at: now, awaited });
        if awaited {
            outputs.push_back(Output::IceServers(ServersKnown::Awaited));
        }
        let question = self.question;
        outputs.push_back(Output::Event(Event::IceServersNeeded { question }));
    }

    /// When it wants to be woken; `runs` if there is a call whose servers must stay good.
    pub(crate) fn deadline(&self, runs: bool) -> Option<Instant> {
        match self.asked {
            Some(asked) if asked.awaited => Some(asked.at + PATIENCE),
            Some(asked) => self.ends.filter(|_| runs).map(|_| asked.at + GIVEN_UP),
            None => self.ends.and(self.fresh).filter(|_| runs),
        }
    }

    /// Returns what is to be told if calls have waited long enough; asks anew for those that run.
    pub(crate) fn handle_timeout(
        &mut self,
        runs: bool,
        now: Instant,
        outputs: &mut VecDeque<Output>,
    ) -> Option<String> {
        if self.deadline(runs).is_none_or(|due| due > now) {
            return None;
        }
        match &mut self.asked {
            Some(asked) if asked.awaited => {
                asked.awaited = false;
                self.slow = true;
                outputs.push_back(Output::IceServers(ServersKnown::Unchanged));
                let seconds = PATIENCE.as_secs();
                let trouble = format!("the function has not answered within {seconds} s");
                Some(self.trouble.insert(trouble).clone())
            }
            Some(_) | None => {
                self.ask(false, now, outputs);
                None
            }
        }
    }

    /// Whether this question waits for its answer.
    pub(crate) fn is_asked(&self, question: u32) -> bool {
        self.asked.is_some() && self.question == question
    }

    /// The function has answered; its credentials are good for so long.
    pub(crate) fn answered(&mut self, left: Option<Duration>, now: Instant) {
        let asked = self.asked.take();
        self.slow &= asked.is_none_or(|asked| asked.at + PATIENCE <= now);
        self.trouble = None;
        let has_ended = left.is_some_and(|left| left.is_zero());
        let left = left.filter(|left| !left.is_zero());
        let good = left.map_or(FRESH, |left| left - AHEAD.min(left / 2));
        self.answered = Some(now);
        self.ends = left.map(|left| now + left);
        self.fresh = Some(now + good.max(LEAST));
        if has_ended {
            self.refused(now);
        }
    }

    /// What was given last is of no use: it ends now, or a little after it came, however often that happens.
    pub(crate) fn refused(&mut self, now: Instant) {
        let Some(answered) = self.answered else {
            return;
        };
        let end = now.max(answered + AGAIN);
        self.ends = Some(self.ends.map_or(end, |ends| ends.min(end)));
        if self.trouble.is_none() {
            self.fresh = self.fresh.map(|fresh| fresh.min(end));
        }
    }

    /// The function gave nothing that can be used; what it gave last stays.
    pub(crate) fn failed(&mut self, trouble: String, now: Instant) {
        let asked = self.asked.take();
        self.slow &= asked.is_none_or(|asked| asked.at + PATIENCE <= now);
        self.trouble = Some(trouble);
        self.fresh = Some(now + AGAIN);
    }

    /// The machine slept: what was given, and what was asked, is as much older.
    pub(crate) fn slept(&mut self, slept: Duration, now: Instant) {
        let earlier = |at: Instant| at.checked_sub(slept).unwrap_or(at.min(now));
        self.answered = self.answered.map(earlier);
        self.fresh = self.fresh.map(earlier);
        self.ends = self.ends.map(earlier);
        if let Some(asked) = &mut self.asked {
            asked.at = earlier(asked.at);
        }
    }

    /// The application has named servers itself.
    pub(crate) fn replaced(&mut self) {
        *self = Self {
            question: self.question,
            ..Self::default()
        };
    }

    /// Sessions that go on without what the function should have given, and what is to be told them.
    pub(crate) fn take_unserved(&mut self) -> Option<(Vec<SessionId>, String)> {
        let unserved = std::mem::take(&mut self.unserved);
        let trouble = self.trouble.clone()?;
        (!unserved.is_empty()).then_some((unserved, trouble))
    }
}
