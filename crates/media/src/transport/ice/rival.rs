//! Another address of the peer's, where its NAT has given it one during the call.
//!
//! RFC 8445 nominates a pair once; what comes later from elsewhere would find nobody who sends there until consent expires and
//! ICE is restarted. So whoever sends something authentic from elsewhere is asked there, and on the path as well, until both have
//! had their time. Media go there only if it answered, and nothing at all came on the path: whoever sees the packets of a call
//! can send them again from where it likes, and pass checks on.

use std::time::{Duration, Instant};

use super::{Ice, IceEvent, Pair, Sent};
use crate::transport::consent::Consent;

/// How long both have to answer, and how often anybody is asked: twice as long as a check is waited for before it is repeated.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same in round trips: a path that is slow answers late.
const ROUND_TRIPS: u32 = 3;

/// A pair that may take the path's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rival {
    pair: Pair,
    asked: Instant,
    due: Instant,
    answered: bool,
}

impl Ice {
    /// Takes note of an authentic media packet.
    pub(in crate::transport) fn heard_media(&mut self, pair: Pair, now: Instant) {
        let counts = self.is_sign_of_life(pair);
        match &mut self.path {
            Some(path) if counts => path.consent.heard_media(now),
            Some(_) => self.heard_elsewhere(pair, now),
            None => {}
        }
    }

    /// Takes note of an authentic check.
    pub(super) fn heard_check(&mut self, pair: Pair, now: Instant) {
        let counts = self.is_sign_of_life(pair);
        match &mut self.path {
            Some(path) if counts => path.consent.heard(now),
            Some(_) => self.heard_elsewhere(pair, now),
            None => {}
        }
    }

    /// Whether what comes this way shows that the path is alive. During a restart so does all that comes from a known address:
    /// the peer may have gone on to the pair that the restart is about to find.
    fn is_sign_of_life(&self, pair: Pair) -> bool {
        self.media_pair() == Some(pair)
            || self.selected().is_none() && self.validated.contains(&pair)
    }

    fn heard_elsewhere(&mut self, pair: Pair, now: Instant) {
        let patience = PATIENCE.max(self.rtt.unwrap_or_default() * ROUND_TRIPS);
        let selected = self.selected();
        let Some(path) = &mut self.path else {
            return;
        };
        let concerns = selected.is_some_and(|selected| selected.base == pair.base);
        if !concerns || path.rival.is_some() {
            return;
        }
        path.rival = Some(Rival {
            pair,
            asked: now,
            due: now + patience,
            answered: false,
        });
        path.consent.ask(now);
        self.check_consent(now);
    }

    /// The pair that is asked beside the path, if it has not answered.
    pub(super) fn unanswered_rival(&self) -> Option<Pair> {
        let rival = self.path.as_ref()?.rival?;
        (!rival.answered).then_some(rival.pair)
    }

    /// Takes note of the answer to a check.
    pub(super) fn note_rival(&mut self, sent: &Sent) {
        let rival = self.path.as_mut().and_then(|path| path.rival.as_mut());
        if let Some(rival) = rival.filter(|rival| rival.pair == sent.pair) {
            rival.answered = true;
        }
    }

    /// When both have had their time to answer.
    pub(super) fn rival_due(&self) -> Option<Instant> {
        Some(self.path.as_ref()?.rival?.due)
    }

    /// Lets media go where the peer answers, if it is not on the path.
    pub(super) fn follow_rival(&mut self, now: Instant) {
        if self.rival_due().is_none_or(|due| due > now) {
            return;
        }
        let jitter = self.jitter();
        if let Some(path) = &mut self.path
            && let Some(rival) = path.rival.take()
            && rival.answered
            && !path.consent.is_heard_since(rival.asked)
        {
            path.pair = rival.pair;
            path.consent = Consent::new(now, jitter);
            self.counters.selected_changes += 1;
            self.events.push_back(IceEvent::Selected);
        }
    }
}
