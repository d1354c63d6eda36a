//! How much may be sent: what the peer says that it can take, and less if much is lost on the way.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use super::traffic::RecentTraffic;

/// Below this no picture is worth it.
pub const LEAST_RATE: u32 = 50_000;
/// 720p at 30 frames a second looks good with it.
pub const MOST_RATE: u32 = 2_500_000;
/// Any access line of today carries it, and it is a picture.
const FIRST_RATE: f64 = 300_000.0;
/// Less loss than this lets the rate grow,
const LITTLE: f64 = 0.02;
/// and more than this lets it shrink.
const MUCH: f64 = 0.10;
/// What a path loses at any rate.
const MOST_INHERENT: f64 = 0.20;
/// A second without loss adds so much; so much in all if the peer says that there is room.
const GROWTH: f64 = 1.08;
const GROWTH_ALLOWED: f64 = 1.5;
/// Reports need so long to tell of a rate that has changed.
const TELLS: Duration = Duration::from_millis(1_500);
/// A peer that says no more what it can take may be another.
const ESTIMATE_LASTS: Duration = Duration::from_secs(15);
/// A report that comes after more time lets the rate grow no more than this.
const LONGEST_INTERVAL: Duration = Duration::from_secs(2);

/// Decides how much may be sent.
pub trait Rate: Debug + Send {
    /// The peer says that it can take so many bit/s (REMB).
    fn estimate(&mut self, bits_per_second: u64, now: Instant);
    /// The peer says which share was lost since its last report, 0 to 1.
    fn report(&mut self, lost: f64, round_trip: Option<Duration>, now: Instant);
    /// So many octets were sent.
    fn sent(&mut self, octets: usize, now: Instant);
    /// How many bit/s may be sent now.
    fn target(&self, now: Instant) -> u32;
}

/// The peer's estimate, bounded by loss: more below 2 %, the same up to 10 %, less above (the rule of
/// draft-ietf-rmcat-gcc, §6). Loss that does not shrink with the rate is the path's own, and is taken as it is.
#[derive(Debug)]
pub struct LossRule {
    rate: f64,
    most: f64,
    estimate: Option<(f64, Instant)>,
    /// The share lost of late.
    lost: Option<f64>,
    /// What is lost at any rate.
    inherent: f64,
    /// When the rate began to shrink, how much was lost then, and the rate.
    shrunk: Option<(Instant, f64, f64)>,
    reported: Option<Instant>,
    /// The peer's estimate made it so small.
    lowered: bool,
    sent: RecentTraffic,
}

impl LossRule {
    /// A rule that never allows more than `most` bit/s.
    pub fn new(most: u32) -> Self {
        let most = f64::from(most.max(LEAST_RATE));
        Self {
            rate: FIRST_RATE.min(most),
            most,
            estimate: None,
            lost: None,
            inherent: 0.0,
            shrunk: None,
            reported: None,
            lowered: false,
            sent: RecentTraffic::default(),
        }
    }

    fn grow(&mut self, since: Duration, now: Instant) {
        let used = self.sent.bits_per_second(now);
        // Who does not use what it has learns nothing about more.
        if used < self.rate / 2.0 {
            return;
        }
        let allowed = self.allowed(now).is_some_and(|most| most > self.rate);
        let growth = if allowed { GROWTH_ALLOWED } else { GROWTH };
        self.rate *= growth.powf(since.min(LONGEST_INTERVAL).as_secs_f64());
    }

    /// Shrinks, unless that has not helped before; `lost` of late, and `newly` by the last report.
    fn shrink(&mut self, lost: f64, newly: f64, now: Instant) {
        if let Some((since, lost_then, rate_then)) = self.shrunk
            && now.saturating_duration_since(since) > TELLS
        {
            self.shrunk = None;
            // What would be lost now of a path that was too narrow for what was sent then.
            let carried = rate_then * (1.0 - lost_then);
            let expected = (1.0 - carried / self.rate).max(0.0);
            let tells = lost_then - expected > LITTLE;
            if tells && newly > f64::midpoint(lost_then, expected) && newly < MOST_INHERENT {
                self.inherent = lost.min(MOST_INHERENT);
                self.rate = rate_then;
                return;
            }
        }
        self.shrunk.get_or_insert((now, newly, self.rate));
        self.rate *= 1.0 - 0.5 * (lost - self.inherent);
    }

    /// Whether there is less than any line carries because the peer said so, which now says that there is room: some loss does
    /// not speak against that.
    fn is_held_for_nothing(&self, now: Instant) -> bool {
        let has_room = self.allowed(now).is_some_and(|most| most > self.rate);
        self.lowered && has_room && self.rate < FIRST_RATE
    }

    fn allowed(&self, now: Instant) -> Option<f64> {
        let (most, at) = self.estimate?;
        (now.saturating_duration_since(at) < ESTIMATE_LASTS).then_some(most)
    }
}

impl Rate for LossRule {
    fn estimate(&mut self, bits_per_second: u64, now: Instant) {
        self.estimate = Some((bits_per_second as f64, now));
    }

    fn report(&mut self, lost: f64, round_trip: Option<Duration>, now: Instant) {
        let since = self
            .reported
            .map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let settled = round_trip.unwrap_or_default() + Duration::from_millis(200);
        let smoothed = self.lost.map_or(lost, |before| 0.6 * before + 0.4 * lost);
        self.lost = Some(smoothed);
        self.inherent = self.inherent.min(smoothed);
        if self.reported.is_some() && since < settled {
            return;
        }
        self.reported = Some(now);
        let excess = smoothed - self.inherent;
        if excess > MUCH && lost > MUCH {
            self.shrink(smoothed, lost, now);
        } else if excess < LITTLE || self.is_held_for_nothing(now) {
            self.grow(since, now);
        }
        let most = self.allowed(now).unwrap_or(self.most).min(self.most);
        self.lowered = (self.lowered && self.rate < FIRST_RATE) || most < self.rate;
        self.rate = self.rate.min(most).max(f64::from(LEAST_RATE));
    }

    fn sent(&mut self, octets: usize, now: Instant) {
        self.sent.add(octets, now);
    }

    fn target(&self, now: Instant) -> u32 {
        let most = self.allowed(now).unwrap_or(self.most).min(self.most);
        self.rate.min(most).max(f64::from(LEAST_RATE)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_time::start;

    /// Lets reports come once a second from a path that loses `lost(rate)`; gives the rate in the end.
    fn after(rule: &mut LossRule, begin: Instant, seconds: u32, lost: impl Fn(u32) -> f64) -> u32 {
        for second in 0..seconds {
            let now = begin + Duration::from_secs(u64::from(second));
            let rate = rule.target(now);
            for tenth in 0..10 {
                let at = now + Duration::from_millis(tenth * 100);
                rule.sent((rate / 80) as usize, at);
            }
            let lost = lost(rate);
            rule.report(
                lost,
                Some(Duration::from_millis(50)),
                now + Duration::from_secs(1),
            );
        }
        rule.target(begin + Duration::from_secs(u64::from(seconds)))
    }

    #[test]
    fn without_loss_it_grows_by_8_percent_a_second_up_to_its_limit() {
        let begin = start();
        let mut rule = LossRule::new(MOST_RATE);
        assert_eq!(rule.target(begin), 300_000);
        let then = after(&mut rule, begin, 11, |_| 0.0);
        assert!((630_000..700_000).contains(&then), "{then}");
        let later = begin + Duration::from_secs(20);
        assert_eq!(after(&mut rule, later, 60, |_| 0.0), MOST_RATE);
    }

    #[test]
    fn some_loss_holds_it() {
        let begin = start();
        let mut rule = LossRule::new(MOST_RATE);
        assert_eq!(after(&mut rule, begin, 30, |_| 0.05), 300_000);
    }

    #[test]
    fn some_loss_does_not_keep_it_below_what_any_line_carries_if_the_peer_sees_room() {
        let begin = start();
        let mut rule = LossRule::new(MOST_RATE);
        rule.estimate(60_000, begin);
        assert_eq!(after(&mut rule, begin, 5, |_| 0.05), 60_000);
        rule.estimate(1_000_000, begin + Duration::from_secs(5));
        let then = after(&mut rule, begin + Duration::from_secs(5), 10, |_| 0.05);
        assert!((300_000..460_000).contains(&then), "{then}");
    }

    #[test]
    fn who_always_says_that_there_is_room_is_not_believed_against_loss() {
        let begin = start();
        let mut rule = LossRule::new(MOST_RATE);
        let lost = |rate: u32| if rate > 250_000 { 0.3 } else { 0.05 };
        let mut rates = Vec::new();
        for second in 0..60 {
            let at = begin + Duration::from_secs(second);
            rule.estimate(1_000_000, at);
            rates.push(after(&mut rule, at, 1, lost));
        }
        assert!(rates[10..].iter().all(|rate| *rate <= 250_000), "{rates:?}");
    }

    #[test]
    fn a_full_path_lets_it_shrink_until_little_is_lost() {
        let begin = start();
        let mut rule = LossRule::new(MOST_RATE);
        after(&mut rule, begin, 30, |_| 0.0);
        let later = begin + Duration::from_secs(40);
        let over = |rate| (1.0 - 500_000.0 / f64::from(rate)).max(0.0);
        let then = after(&mut rule, later, 30, over);
        assert!((450_000..620_000).contains(&then), "{then}");
    }

    #[test]
    fn loss_at_any_rate_is_taken_as_it_is() {
        let begin = start();
        let mut rule = LossRule::new(MOST_RATE);
        after(&mut rule, begin, 11, |_| 0.0);
        let later = begin + Duration::from_secs(20);
        let then = after(&mut rule, later, 60, |_| 0.13);
        assert!(then > 500_000, "{then}");
        // And it still shrinks if much more is lost.
        let over = |rate| 1.0 - (300_000.0 / f64::from(rate)).min(1.0) * 0.87;
        let then = after(&mut rule, begin + Duration::from_secs(90), 60, over);
        assert!(then < 450_000, "{then}");
    }

    #[test]
    fn the_peers_estimate_is_kept_to_at_once_and_reached_soon() {
        let begin = start();
        let mut rule = LossRule::new(MOST_RATE);
        rule.estimate(120_000, begin);
        assert_eq!(rule.target(begin), 120_000);
        rule.estimate(1_000_000, begin);
        let then = after(&mut rule, begin, 5, |_| 0.0);
        assert_eq!(then, 1_000_000);
        rule.estimate(1, begin);
        assert_eq!(rule.target(begin), LEAST_RATE);
    }

    #[test]
    fn who_sends_little_learns_nothing_about_more() {
        let begin = start();
        let mut rule = LossRule::new(MOST_RATE);
        for second in 0..20 {
            rule.sent(1_000, begin + Duration::from_secs(second));
            rule.report(0.0, None, begin + Duration::from_secs(second));
        }
        assert_eq!(rule.target(begin + Duration::from_secs(20)), 300_000);
    }
}
