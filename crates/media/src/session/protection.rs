//! What is done against the loss that the peer reports: copies, and at what bitrate.

use std::time::{Duration, Instant};

/// Loss is taken to have gone by half after so long without a report of more: what was bad is often bad again.
const HALF_LIFE: Duration = Duration::from_secs(8);
/// Below so much, packets go without copies; concealment hides it.
const COPIES_FROM: f64 = 0.02;
/// Those who send copies do so until there is less than this.
const COPIES_UNTIL: f64 = 0.01;
/// From so much on, packets carry two copies: one is likely to be lost as well.
const TWO_COPIES_FROM: f64 = 0.05;
/// Below 20 to 30 kbit/s libopus makes copies of its own only from losses of some 10 % on; their worth begins earlier.
const OVERSTATED: f64 = 2.0;

/// What the peer's reports say, and what follows from it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Protection {
    loss: f64,
    told: Option<Instant>,
    copies: usize,
}

impl Protection {
    /// Takes the share of what we send that a report says is lost, 0 to 1.
    pub(super) fn report(&mut self, lost: f64, now: Instant) {
        let since = self
            .told
            .map_or(HALF_LIFE, |at| now.saturating_duration_since(at));
        let rest = 0.5_f64.powf(since.as_secs_f64() / HALF_LIFE.as_secs_f64());
        self.told = Some(now);
        self.loss = lost.clamp(0.0, 1.0).max(self.loss * rest);
        self.copies = match self.loss {
            loss if loss >= TWO_COPIES_FROM => 2,
            loss if loss >= COPIES_FROM => 1,
            loss if loss >= COPIES_UNTIL => self.copies.min(1),
            _ => 0,
        };
    }

    /// How many copies of earlier packets one carries, to a peer that takes them.
    pub(super) fn copies(&self) -> usize {
        self.copies
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

    fn after(reports: &[(u64, f64)]) -> Protection {
        let start = crate::virtual_time::start();
        let mut protection = Protection::default();
        for (seconds, lost) in reports {
            protection.report(*lost, start + Duration::from_secs(*seconds));
        }
        protection
    }

    #[test]
    fn who_loses_nothing_is_sent_no_copy() {
        assert_eq!(Protection::default().copies(), 0);
        let protection = after(&[(0, 0.0), (5, 0.01), (10, 0.0)]);
        assert_eq!(protection.copies(), 0);
        assert!(protection.expected_loss(false) <= 2);
    }

    #[test]
    fn loss_is_answered_at_once_and_forgotten_slowly() {
        assert_eq!(after(&[(0, 0.0), (1, 0.03)]).copies(), 1);
        assert_eq!(after(&[(0, 0.0), (1, 0.1)]).copies(), 2);
        assert_eq!(after(&[(0, 0.1), (5, 0.0)]).copies(), 2);
        assert_eq!(after(&[(0, 0.1), (5, 0.0), (15, 0.0)]).copies(), 1);
        let over: Vec<(u64, f64)> = (0..10).map(|n| (n * 5, 0.1 * f64::from(n == 0))).collect();
        assert_eq!(after(&over).copies(), 0);
    }

    #[test]
    fn it_does_not_go_to_and_fro_at_the_border() {
        assert_eq!(after(&[(0, 0.03), (5, 0.0)]).copies(), 1);
        assert_eq!(after(&[(0, 0.015)]).copies(), 0);
        assert_eq!(after(&[(0, 0.03), (5, 0.015), (10, 0.015)]).copies(), 1);
    }

    #[test]
    fn opus_hears_of_what_copies_leave_and_without_them_of_all() {
        let protection = after(&[(0, 0.2)]);
        assert_eq!(protection.expected_loss(true), 4);
        assert_eq!(protection.expected_loss(false), 30);
        assert_eq!(after(&[(0, 0.1)]).expected_loss(false), 20);
        assert_eq!(after(&[(0, f64::NAN)]).expected_loss(true), 0);
    }
}
