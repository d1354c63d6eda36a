//! The timers of RFC 3261 §17, RFC 6026 and RFC 4320, as data.

use std::time::Duration;

/// A timer that a transaction can have running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Repeats an INVITE over an unreliable flow: T1, doubling.
    A,
    /// Gives up an INVITE that nobody answers: 64·T1.
    B,
    /// Absorbs repeated 300–699 answers to an INVITE: 32 s, nothing over a reliable flow.
    D,
    /// Repeats another request over an unreliable flow: T1, doubling up to T2; T2 after a 1xx.
    E,
    /// Gives up another request that nobody answers: 64·T1, over every flow.
    F,
    /// Repeats a 300–699 answer to an INVITE over an unreliable flow: T1, doubling up to T2.
    G,
    /// Gives up waiting for the ACK of a 300–699 answer: 64·T1.
    H,
    /// Absorbs repeated ACKs: T4, nothing over a reliable flow.
    I,
    /// Absorbs repeats of an answered request: 64·T1, nothing over a reliable flow.
    J,
    /// Absorbs repeated final answers: T4, nothing over a reliable flow.
    K,
    /// Keeps an accepted INVITE's server transaction: 64·T1 (RFC 6026 §7.1).
    L,
    /// Keeps an accepted INVITE's client transaction for forked 2xx: 64·T1 (RFC 6026 §7.2).
    M,
    /// Sends 100 to a request other than INVITE that is still unanswered when its sender's Timer E reaches T2 (RFC 4320 §4.1).
    Trying,
    /// Drops a request other than INVITE that can no longer be answered in time: 64·T1 (RFC 4320 §4.2).
    Abandon,
    /// Gives up an INVITE whose CANCEL brought no final answer: 64·T1 (RFC 3261 §9.1).
    Cancelled,
}

impl Timer {
    /// Says in a few words what the transaction layer will do when this timer fires.
    pub fn why(self) -> &'static str {
        match self {
            Timer::A => "timer A: repeat an INVITE",
            Timer::B => "timer B: give up an INVITE",
            Timer::D => "timer D: forget a refused INVITE",
            Timer::E => "timer E: repeat a request",
            Timer::F => "timer F: give up a request",
            Timer::G => "timer G: repeat a refusal",
            Timer::H => "timer H: give up waiting for an ACK",
            Timer::I => "timer I: forget a confirmed refusal",
            Timer::J => "timer J: forget an answered request",
            Timer::K => "timer K: forget an answer",
            Timer::L => "timer L: forget an accepted INVITE",
            Timer::M => "timer M: forget an accepted INVITE's forks",
            Timer::Trying => "RFC 4320: send 100",
            Timer::Abandon => "RFC 4320: drop a request too late to answer",
            Timer::Cancelled => "RFC 3261 §9.1: give up a cancelled INVITE",
        }
    }
}

/// The base values from which every timer is computed (RFC 3261 §17.1.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timings {
    /// Estimate of a round trip.
    pub t1: Duration,
    /// Longest interval between repeats of a request or a 2xx.
    pub t2: Duration,
    /// Longest time a message stays in the network.
    pub t4: Duration,
}

impl Default for Timings {
    /// The RFC's own values: 500 ms, 4 s and 5 s.
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            t2: Duration::from_secs(4),
            t4: Duration::from_secs(5),
        }
    }
}

impl Timings {
    /// Returns 64·T1: how long anything in SIP is waited for.
    pub fn patience(&self) -> Duration {
        self.t1 * 64
    }

    /// Returns the interval before repeat number `repeats` (from 0) of something repeated from T1, doubling, up to T2.
    pub fn backoff(&self, repeats: u32) -> Duration {
        (self.t1 * 2u32.saturating_pow(repeats.min(16))).min(self.t2)
    }

    /// Returns how long `timer` runs when started for the `repeats`-th time (from 0), or `None` if it never runs.
    pub(crate) fn length(&self, timer: Timer, reliable: bool, repeats: u32) -> Option<Duration> {
        let only_unreliable = |length| (!reliable).then_some(length);
        let absorb = |length| Some(if reliable { Duration::ZERO } else { length });
        match timer {
            Timer::A => only_unreliable(self.t1 * 2u32.saturating_pow(repeats.min(16))),
            Timer::E | Timer::G => only_unreliable(self.backoff(repeats)),
            Timer::B
            | Timer::F
            | Timer::H
            | Timer::L
            | Timer::M
            | Timer::Abandon
            | Timer::Cancelled => Some(self.patience()),
            // RFC 3261 §17.1.1.2: at least 32 s whatever T1 is.
            Timer::D => absorb(self.patience().max(Duration::from_secs(32))),
            Timer::I | Timer::K => absorb(self.t4),
            Timer::J => absorb(self.patience()),
            Timer::Trying => Some(self.until_t2()),
        }
    }

    /// Returns the time a client's Timer E takes to reach T2: T1 + 2·T1 + … (RFC 4320 §4.1).
    fn until_t2(&self) -> Duration {
        let mut interval = self.t1;
        let mut elapsed = Duration::ZERO;
        while interval < self.t2 && !interval.is_zero() {
            elapsed += interval;
            interval *= 2;
        }
        elapsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_given_100_when_its_senders_timer_e_reaches_t2() {
        let timings = Timings::default();
        assert_eq!(
            timings.length(Timer::Trying, true, 0),
            Some(Duration::from_millis(3500))
        );
    }

    #[test]
    fn nothing_is_repeated_over_a_reliable_flow() {
        let timings = Timings::default();
        for timer in [Timer::A, Timer::E, Timer::G] {
            assert_eq!(timings.length(timer, true, 0), None);
        }
    }

    #[test]
    fn timer_a_doubles_without_end_and_timer_e_stops_at_t2() {
        let timings = Timings::default();
        assert_eq!(
            timings.length(Timer::A, false, 5),
            Some(Duration::from_secs(16))
        );
        assert_eq!(
            timings.length(Timer::E, false, 5),
            Some(Duration::from_secs(4))
        );
    }
}
