//! What is done against the loss that the peer reports: copies, and at what bitrate.
//!
//! Loss may come from a line that is full, and then copies make it worse: with them no more than twice the bitrate is
//! sent, and if loss or round trip rise after they began, they are taken back for a while.

use std::time::{Duration, Instant};

/// A report counts by how long it tells of: a single lost packet in a short one is no reason for copies.
const MEMORY: Duration = Duration::from_secs(3);
/// The first report tells of so much.
const FIRST: Duration = Duration::from_secs(1);
/// Loss is taken to have gone by half after so long without a report of more: what was bad is often bad again.
const HALF_LIFE: Duration = Duration::from_secs(8);
/// Nothing is known any more after so long without a report: three intervals of RTCP.
const EXPIRES: Duration = Duration::from_secs(15);
/// Below so much, packets go without copies; concealment hides it.
const COPIES_FROM: f64 = 0.02;
/// Those who send copies do so until there is less than this.
const COPIES_UNTIL: f64 = 0.01;
/// From so much on, packets carry two copies: one is likely to be lost as well.
const TWO_COPIES_FROM: f64 = 0.05;
/// Below 20 to 30 kbit/s libopus makes copies of its own only from losses of some 10 % on; their worth begins earlier.
const OVERSTATED: f64 = 2.0;
/// With copies, so many times the bitrate is sent at most; but a packet's own sound has at least so much.
const MOST_IN_ALL: u32 = 2;
const LEAST_BITRATE: u32 = 12_000;
/// What tells that the line is full: so much more loss than before, or so much longer a round trip.
const WORSE_LOSS: f64 = 0.08;
const WORSE_ROUND_TRIP: Duration = Duration::from_millis(150);
/// A line that is full goes on losing more for so long; losses that come in bursts seldom do.
const WORSE_FOR: Duration = Duration::from_millis(2_000);
/// So long no copies are sent to a line that they filled.
const LOCKED: Duration = Duration::from_secs(40);
/// Loss that stays so long after copies were taken back did not come from them: they are sent again.
const PROBE: Duration = Duration::from_secs(4);

/// What the peer's reports say, and what follows from it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Protection {
    /// What is lost of late.
    level: f64,
    /// What is reckoned with.
    loss: f64,
    told: Option<Instant>,
    copies: usize,
    /// How things were when copies began.
    before: Option<Before>,
    taken_back: Option<TakenBack>,
}

/// Copies that were taken back, because things had become worse.
#[derive(Clone, Copy, Debug)]
struct TakenBack {
    at: Instant,
    /// How much was lost then, if that was the reason.
    loss: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
struct Before {
    loss: f64,
    round_trip: Option<Duration>,
    /// Since when more than that has been lost.
    worse: Option<Instant>,
}

impl Protection {
    /// Takes the share of what we send that a report says is lost, 0 to 1, and how long its way and back takes.
    pub(super) fn report(&mut self, lost: f64, round_trip: Option<Duration>, now: Instant) {
        let since = self
            .told
            .map_or(FIRST, |at| now.saturating_duration_since(at));
        let fades = |time: Duration, by: f64| by.powf(since.as_secs_f64() / time.as_secs_f64());
        let rest = fades(MEMORY, std::f64::consts::E.recip());
        self.level = lost.clamp(0.0, 1.0).max(0.0) * (1.0 - rest) + self.level * rest;
        self.loss = self.level.max(self.loss * fades(HALF_LIFE, 0.5));
        self.told = Some(now);
        self.take_back_if_worse(round_trip, now);
        let innocent = self.are_innocent(now);
        if innocent {
            self.taken_back = None;
        }
        self.choose(lost, round_trip, now);
        if let (true, Some(before)) = (innocent, &mut self.before) {
            // Only what is worse than this would be theirs.
            before.loss = before.loss.max(self.level);
        }
    }

    /// Whether what was lost is lost without copies as well: then it was not they who filled the line.
    fn are_innocent(&self, now: Instant) -> bool {
        let Some(TakenBack {
            at,
            loss: Some(loss),
        }) = self.taken_back
        else {
            return false;
        };
        let probed = now.saturating_duration_since(at) >= PROBE;
        probed && now.saturating_duration_since(at) < LOCKED && self.level > loss / 2.0
    }

    fn take_back_if_worse(&mut self, round_trip: Option<Duration>, now: Instant) {
        let Some(before) = &mut self.before else {
            return;
        };
        let slower = round_trip
            .zip(before.round_trip)
            .is_some_and(|(now, then)| now > then + WORSE_ROUND_TRIP);
        before.worse = (self.level > before.loss + WORSE_LOSS).then(|| before.worse.unwrap_or(now));
        let lossier = before
            .worse
            .is_some_and(|since| now.saturating_duration_since(since) >= WORSE_FOR);
        if slower || lossier {
            let loss = (!slower).then_some(self.level);
            self.taken_back = Some(TakenBack { at: now, loss });
        }
    }

    fn choose(&mut self, lost: f64, round_trip: Option<Duration>, now: Instant) {
        let locked = self
            .taken_back
            .is_some_and(|taken| now.saturating_duration_since(taken.at) < LOCKED);
        let copies = match self.loss {
            _ if locked => 0,
            loss if loss >= TWO_COPIES_FROM => 2,
            loss if loss >= COPIES_FROM => 1,
            loss if loss >= COPIES_UNTIL => self.copies.min(1),
            _ => 0,
        };
        // What this report tells of was lost without copies.
        let loss = self.level.max(lost).max(TWO_COPIES_FROM);
        match (self.copies, copies) {
            (_, 0) => self.before = None,
            (0, _) => {
                self.before = Some(Before {
                    loss,
                    round_trip,
                    worse: None,
                })
            }
            (_, _) => {}
        }
        self.copies = copies;
    }

    /// Forgets what was reported too long ago; tells whether that changes anything.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let old = self
            .told
            .is_some_and(|at| now.saturating_duration_since(at) > EXPIRES);
        if old {
            *self = Self::default();
        }
        old
    }

    /// How many copies of earlier packets one carries, to a peer that takes them.
    pub(super) fn copies(&self) -> usize {
        self.copies
    }

    /// The bitrate of a packet's own sound in place of `wanted`; `copied` says whether packets carry copies.
    pub(super) fn bitrate(&self, wanted: u32, copied: bool) -> u32 {
        let packets = 1 + if copied { self.copies as u32 } else { 0 };
        let shared = wanted.saturating_mul(MOST_IN_ALL) / packets;
        shared.max(LEAST_BITRATE).min(wanted)
    }

    /// What an encoder is told to expect, in percent; `copied` says whether packets carry copies of earlier ones.
    pub(super) fn expected_loss(&self, copied: bool) -> u8 {
        let loss = match copied {
            true => self.loss.powi(2),
            false => self.loss * OVERSTATED,
        };
        (loss * 100.0).round().clamp(0.0, 30.0) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEAR: Option<Duration> = Some(Duration::from_millis(80));

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A report a second with each of these losses.
    fn after(losses: &[f64]) -> (Protection, Instant) {
        let mut now = crate::virtual_time::start();
        let mut protection = Protection::default();
        for lost in losses {
            now += seconds(1);
            protection.report(*lost, NEAR, now);
        }
        (protection, now)
    }

    fn copies(losses: &[f64]) -> usize {
        after(losses).0.copies()
    }

    #[test]
    fn who_loses_next_to_nothing_is_sent_no_copy() {
        assert_eq!(Protection::default().copies(), 0);
        assert_eq!(copies(&[0.0, 0.01, 0.0]), 0);
        // One packet of 25, as in a report after half a second.
        let (mut protection, now) = after(&[0.0; 3]);
        protection.report(0.04, NEAR, now + Duration::from_millis(500));
        assert_eq!(protection.copies(), 0);
    }

    #[test]
    fn loss_is_answered_within_seconds_and_forgotten_slowly() {
        assert_eq!(copies(&[0.0, 0.1]), 1);
        assert_eq!(copies(&[0.0, 0.1, 0.1, 0.1]), 2);
        let lossy = |then: usize| [vec![0.1; 10], vec![0.0; then]].concat();
        assert_eq!(copies(&lossy(5)), 2);
        assert_eq!(copies(&lossy(15)), 1);
        assert_eq!(copies(&lossy(40)), 0);
    }

    #[test]
    fn without_reports_nothing_is_known() {
        let (mut protection, now) = after(&[0.1; 10]);
        assert!(!protection.expire(now + seconds(14)));
        assert_eq!(protection.copies(), 2);
        assert!(protection.expire(now + seconds(16)));
        assert_eq!(
            (protection.copies(), protection.expected_loss(false)),
            (0, 0)
        );
    }

    #[test]
    fn copies_that_fill_the_line_are_taken_back_for_a_while() {
        let full = [&[0.03; 5][..], &[0.3; 4]].concat();
        assert_eq!(copies(&full), 0);
        assert_eq!(copies(&[&full[..], &[0.03; 30]].concat()), 0);
        let (mut slow, now) = after(&[0.04; 8]);
        assert_eq!(slow.copies(), 1);
        slow.report(0.04, Some(Duration::from_millis(300)), now + seconds(1));
        assert_eq!(slow.copies(), 0);
        slow.report(0.04, NEAR, now + seconds(45));
        assert_eq!(slow.copies(), 1);
    }

    #[test]
    fn bursts_take_nothing_back() {
        let losses = [0.1, 0.4, 0.4, 0.0, 0.0, 0.0].repeat(10);
        let without = (3..losses.len()).filter(|told| copies(&losses[..*told]) < 2);
        assert_eq!(without.count(), 0);
    }

    #[test]
    fn a_loss_that_was_there_before_takes_nothing_back() {
        assert_eq!(copies(&[0.1; 60]), 2);
        assert_eq!(copies(&[[0.05, 0.15]; 30].concat()), 2);
        // It becomes known bit by bit, and stays without copies.
        for lost in [0.2, 0.3] {
            assert_eq!(copies(&[&[0.0; 5][..], &[lost; 15]].concat()), 2, "{lost}");
            assert_eq!(copies(&[&[0.0; 5][..], &[lost; 60]].concat()), 2, "{lost}");
        }
    }

    #[test]
    fn with_copies_no_more_than_twice_the_bitrate_is_sent() {
        let (protection, _) = after(&[0.1; 10]);
        assert_eq!(protection.bitrate(32_000, false), 32_000);
        assert_eq!(protection.bitrate(32_000, true), 21_333);
        assert_eq!(protection.bitrate(15_000, true), 12_000);
        assert_eq!(protection.bitrate(8_000, true), 8_000);
        assert_eq!(after(&[0.0]).0.bitrate(32_000, true), 32_000);
    }

    #[test]
    fn opus_hears_of_what_copies_leave_and_without_them_of_all() {
        let (protection, _) = after(&[0.2; 30]);
        assert_eq!(protection.expected_loss(true), 4);
        assert_eq!(protection.expected_loss(false), 30);
        assert_eq!(after(&[0.1; 30]).0.expected_loss(false), 20);
    }
}
