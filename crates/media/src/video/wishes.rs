//! How often key frames are asked for, and how often they are made.

use std::time::{Duration, Instant};

/// A sender makes two key frames a second at most, so that asking more often gains nothing.
const LEAST_PAUSE: Duration = Duration::from_millis(500);
/// So often it is asked at that pace,
const PROMPT_TRIES: u32 = 10;
/// and then at this one: it may never make one.
const LONG_PAUSE: Duration = Duration::from_secs(2);
/// How far apart the key frames are that we make because a peer asks.
const LEAST_INTERVAL: Duration = Duration::from_millis(500);

/// Our own wish for a key frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KeyFrameWish {
    asked: Option<Instant>,
    tries: u32,
}

impl KeyFrameWish {
    /// Whether to ask now, if a key frame is wished since `wished`.
    pub(super) fn is_due(
        &mut self,
        wished: Option<Instant>,
        round_trip: Duration,
        now: Instant,
    ) -> bool {
        if wished.is_none() {
            self.tries = 0;
        }
        let due = self.next(wished, round_trip).is_some_and(|at| at <= now);
        if due {
            self.asked = Some(now);
            self.tries = self.tries.saturating_add(1);
        }
        due
    }

    /// When to ask next.
    pub(super) fn next(&self, wished: Option<Instant>, round_trip: Duration) -> Option<Instant> {
        let pause = if self.tries < PROMPT_TRIES {
            // The frame itself takes time, too.
            LEAST_PAUSE.max(2 * round_trip + LEAST_PAUSE / 2)
        } else {
            LONG_PAUSE
        };
        let soonest = self.asked.map(|at| at + pause);
        wished.map(|at| soonest.map_or(at, |soonest| at.max(soonest)))
    }
}

/// What a peer asks for: of all its wishes, two a second are passed on.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyFrameRequests {
    wanted: bool,
    passed_on: Option<Instant>,
    /// RFC 5104 §4.3.1.1: a repeated number is the same request.
    full_intra: Option<u8>,
}

impl KeyFrameRequests {
    /// Takes a picture loss indication (RFC 4585 §6.3.1).
    pub fn picture_loss(&mut self) {
        self.wanted = true;
    }

    /// Takes a full intra request with its number (RFC 5104 §4.3.1).
    pub fn full_intra(&mut self, number: u8) {
        if self.full_intra.replace(number) != Some(number) {
            self.wanted = true;
        }
    }

    /// Notes that a key frame is sent, which answers what was asked before.
    pub fn answered(&mut self) {
        self.wanted = false;
    }

    /// Whether a key frame is to be made now.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let due = self.deadline().is_some_and(|at| at <= now);
        if due || (self.wanted && self.passed_on.is_none()) {
            self.wanted = false;
            self.passed_on = Some(now);
            return true;
        }
        false
    }

    /// When one is due that has to wait.
    pub fn deadline(&self) -> Option<Instant> {
        self.passed_on
            .map(|at| at + LEAST_INTERVAL)
            .filter(|_| self.wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_time::start;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn who_begs_without_end_gets_two_key_frames_a_second() {
        let begin = start();
        let mut requests = KeyFrameRequests::default();
        let mut made = 0;
        for ms in 0..10_000 {
            requests.picture_loss();
            requests.full_intra(ms as u8);
            made += u32::from(requests.is_due(begin + ms * MS));
        }
        assert_eq!(made, 20);
    }

    #[test]
    fn a_wish_that_has_to_wait_is_not_lost() {
        let begin = start();
        let mut requests = KeyFrameRequests::default();
        requests.picture_loss();
        assert!(requests.is_due(begin));
        requests.picture_loss();
        assert!(!requests.is_due(begin + 10 * MS));
        assert_eq!(requests.deadline(), Some(begin + 500 * MS));
        assert!(requests.is_due(begin + 500 * MS));
        requests.picture_loss();
        requests.answered();
        assert_eq!(requests.deadline(), None);
        assert!(!requests.is_due(begin + 5_000 * MS));
    }

    #[test]
    fn a_full_intra_request_that_is_repeated_is_one() {
        let begin = start();
        let mut requests = KeyFrameRequests::default();
        for (at, number, made) in [(0, 7, true), (1_000, 7, false), (2_000, 8, true)] {
            requests.full_intra(number);
            assert_eq!(requests.is_due(begin + at * MS), made, "{at}");
        }
    }

    #[test]
    fn we_ask_twice_a_second_and_a_peer_that_never_answers_less() {
        let begin = start();
        let mut wish = KeyFrameWish::default();
        let ask = |wish: &mut KeyFrameWish, range: std::ops::Range<u32>| {
            range
                .filter(|ms| wish.is_due(Some(begin), 40 * MS, begin + *ms * MS))
                .count()
        };
        assert_eq!(ask(&mut wish, 0..5_000), 10);
        assert_eq!(ask(&mut wish, 5_000..65_000), 30);
        assert!(!wish.is_due(None, 40 * MS, begin + 70_000 * MS));
        assert_eq!(ask(&mut wish, 70_000..71_000), 2);
    }
}
