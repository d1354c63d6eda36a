//! When the next RTCP report is due (RFC 3550 §6.3.1, for two members).

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};

/// RFC 3550 §6.2: the smallest mean interval.
const INTERVAL: Duration = Duration::from_secs(5);
/// How soon a report may follow another that has something to say. RFC 4585 §3.4 has no least interval; 5 % of 64 kbit/s
/// are two reports of some 130 bytes a second.
const PROMPT_INTERVAL: Duration = Duration::from_secs(1);
/// RFC 3550 §6.3.1: makes up for timer reconsideration, e − 3/2.
const COMPENSATION: f64 = 1.218_28;

/// Spreads reports over time, five seconds apart on average.
#[derive(Debug)]
pub struct Schedule {
    rng: StdRng,
    next: Option<Instant>,
    soonest: Option<Instant>,
}

impl Schedule {
    /// A schedule that has not begun.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            rng: StdRng::from_seed(seed),
            next: None,
            soonest: None,
        }
    }

    /// Begins, unless it has: the first report comes in half the time.
    pub fn start(&mut self, now: Instant) {
        if self.next.is_none() {
            self.next = Some(now + self.interval() / 2);
            self.soonest = Some(now + self.spread(PROMPT_INTERVAL));
        }
    }

    /// When the next report is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// Notes that a report was sent.
    pub fn sent(&mut self, now: Instant) {
        self.next = Some(now + self.interval());
        self.soonest = Some(now + self.spread(PROMPT_INTERVAL));
    }

    /// Lets the next report come as soon as one may.
    pub fn hasten(&mut self) {
        self.next = self.next.min(self.soonest);
    }

    fn interval(&mut self) -> Duration {
        self.spread(INTERVAL).div_f64(COMPENSATION)
    }

    fn spread(&mut self, interval: Duration) -> Duration {
        interval.mul_f64(self.rng.random_range(0.5..1.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_about_five_seconds_apart_and_never_even() {
        let start = crate::virtual_time::start();
        let mut schedule = Schedule::new([7; 32]);
        schedule.start(start);
        let mut last = start;
        let mut gaps = Vec::new();
        for _ in 0..200 {
            let at = schedule.deadline().unwrap();
            gaps.push((at - last).as_secs_f64());
            schedule.sent(at);
            last = at;
        }
        assert!((1.0..3.2).contains(&gaps[0]));
        assert!(gaps[1..].iter().all(|g| (2.0..6.2).contains(g)));
        let mean = gaps[1..].iter().sum::<f64>() / 199.0;
        assert!((3.8..4.4).contains(&mean), "{mean}");
    }

    #[test]
    fn whoever_has_something_to_say_reports_about_once_a_second() {
        let start = crate::virtual_time::start();
        let mut schedule = Schedule::new([7; 32]);
        schedule.hasten();
        assert_eq!(schedule.deadline(), None, "it has not begun");
        schedule.start(start);
        let mut last = start;
        let mut gaps = Vec::new();
        for _ in 0..200 {
            schedule.hasten();
            let at = schedule.deadline().unwrap();
            gaps.push((at - last).as_secs_f64());
            schedule.sent(at);
            last = at;
        }
        assert!(gaps[1..].iter().all(|g| (0.5..1.5).contains(g)));
        let mean = gaps[1..].iter().sum::<f64>() / 199.0;
        assert!((0.9..1.1).contains(&mean), "{mean}");
    }
}
