//! When the next RTCP report is due (RFC 3550 §6.3.1, for two members).

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};

/// RFC 3550 §6.2: the smallest mean interval.
const INTERVAL: Duration = Duration::from_secs(5);
/// RFC 3550 §6.3.1: makes up for timer reconsideration, e − 3/2.
const COMPENSATION: f64 = 1.218_28;

/// Spreads reports over time, five seconds apart on average.
#[derive(Debug)]
pub struct Schedule {
    rng: StdRng,
    next: Option<Instant>,
}

impl Schedule {
    /// A schedule that has not begun.
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            rng: StdRng::from_seed(seed),
            next: None,
        }
    }

    /// Begins, unless it has: the first report comes in half the time.
    pub fn start(&mut self, now: Instant) {
        if self.next.is_none() {
            self.next = Some(now + self.interval() / 2);
        }
    }

    /// When the next report is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.next
    }

    /// Notes that a report was sent.
    pub fn sent(&mut self, now: Instant) {
        self.next = Some(now + self.interval());
    }

    fn interval(&mut self) -> Duration {
        INTERVAL.mul_f64(self.rng.random_range(0.5..1.5) / COMPENSATION)
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
}
