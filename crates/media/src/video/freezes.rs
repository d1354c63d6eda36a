//! When a picture stands still, by the rule of W3C's statistics (webrtc-stats, `freezeCount`).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The mean is that of so many intervals.
const INTERVALS: usize = 30;
const LONGER: Duration = Duration::from_millis(150);

/// Counts the intervals between frames that are much longer than others.
#[derive(Clone, Debug, Default)]
pub struct Freezes {
    last: Option<Instant>,
    intervals: VecDeque<Duration>,
    /// How many there were.
    pub count: u64,
    /// How long they lasted.
    pub duration: Duration,
}

impl Freezes {
    /// Takes a frame that is shown now.
    pub fn frame(&mut self, now: Instant) {
        let Some(last) = self.last.replace(now) else {
            return;
        };
        let interval = now.saturating_duration_since(last);
        let total: Duration = self.intervals.iter().sum();
        let known = self.intervals.len() as u32;
        if known > 0 {
            let mean = total / known;
            if interval >= (3 * mean).max(mean + LONGER) {
                self.count += 1;
                self.duration += interval;
            }
        }
        if self.intervals.len() == INTERVALS {
            self.intervals.pop_front();
        }
        self.intervals.push_back(interval);
    }

    /// Leaves out what lies between now and the next frame: none was due.
    pub fn pause(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_time::start;

    #[test]
    fn an_interval_of_three_means_and_150_ms_more_is_a_freeze() {
        let mut now = start();
        let mut freezes = Freezes::default();
        let mut after = |freezes: &mut Freezes, ms| {
            now += Duration::from_millis(ms);
            freezes.frame(now);
        };
        for _ in 0..40 {
            after(&mut freezes, 33);
        }
        after(&mut freezes, 182);
        assert_eq!(freezes.count, 0);
        for _ in 0..40 {
            after(&mut freezes, 33);
        }
        after(&mut freezes, 184);
        assert_eq!((freezes.count, freezes.duration.as_millis()), (1, 184));
        freezes.pause();
        after(&mut freezes, 10_000);
        assert_eq!(freezes.count, 1);
    }

    #[test]
    fn slow_pictures_are_no_freezes() {
        let mut now = start();
        let mut freezes = Freezes::default();
        for _ in 0..40 {
            now += Duration::from_millis(500);
            freezes.frame(now);
        }
        assert_eq!(freezes.count, 0);
    }
}
