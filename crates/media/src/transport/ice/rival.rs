//! Another address of the peer's, where its NAT has given it one during the call.
//!
//! RFC 8445 nominates a pair once; what comes later from elsewhere would find nobody who sends there until consent expires and
//! ICE is restarted. So whoever sends something authentic from an address that never passed a check is asked there, and on the
//! path as well. If it answers there, and not on the path, media go there.

use std::time::{Duration, Instant};

use super::{Ice, IceEvent, Pair, Sent};
use crate::transport::consent::Consent;

/// How long the path has to answer: twice as long as a check is waited for before it is repeated.
const PATIENCE: Duration = Duration::from_secs(1);

/// A pair that may take the path's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rival {
    pair: Pair,
    asked: Instant,
    answered: bool,
}

impl Ice {
    /// Takes note that a check of the peer's came this way, which `is_new`, or that media did.
    pub(in crate::transport) fn heard_elsewhere(&mut self, pair: Pair, is_new: bool, now: Instant) {
        let generation = self.generation;
        let Some(path) = &mut self.path else {
            return;
        };
        let rival = path.rival.filter(|rival| rival.pair == pair);
        let lately = rival.is_some_and(|rival| now < rival.asked + PATIENCE);
        let concerns = path.pair.base == pair.base && path.pair != pair;
        if path.generation != generation || !concerns || lately || !(is_new || rival.is_some()) {
            return;
        }
        path.rival = Some(Rival {
            pair,
            asked: now,
            answered: false,
        });
        self.check_under_path(pair, now);
        self.check_consent(now);
    }

    /// Takes note of the answer to a check.
    pub(super) fn compare_rival(&mut self, sent: &Sent) {
        let Some(path) = &mut self.path else {
            return;
        };
        if sent.pair == path.pair {
            // The path is alive: there is nothing to mend.
            path.rival = None;
        } else if let Some(rival) = path.rival.as_mut().filter(|rival| rival.pair == sent.pair) {
            rival.answered = true;
        }
    }

    /// When the path has had its time to answer.
    pub(super) fn rival_due(&self) -> Option<Instant> {
        let rival = self.path.as_ref()?.rival?;
        rival.answered.then(|| rival.asked + PATIENCE)
    }

    /// Lets media go where the peer answers.
    pub(super) fn follow_rival(&mut self, now: Instant) {
        if self.rival_due().is_none_or(|due| due > now) {
            return;
        }
        let jitter = self.jitter();
        if let Some(path) = &mut self.path
            && let Some(rival) = path.rival.take()
        {
            path.pair = rival.pair;
            path.consent = Consent::new(now, jitter);
            self.counters.selected_changes += 1;
            self.events.push_back(IceEvent::Selected);
        }
    }
}
