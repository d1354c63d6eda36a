//! How late pictures are that wait for what was lost, so that the others wait as long and none of them stands still.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::video::CLOCK;

/// What is remembered, and how much of it.
const REMEMBERED: Duration = Duration::from_secs(10);
const MOST_REMEMBERED: usize = 128;
/// Fewer than these within that time are not worth that all others come later.
const OFTEN: usize = 3;
/// Who talks to each other waits no longer for pictures, in seconds.
const MOST_EVEN: f64 = 0.25;
/// A longer way of all frames is taken for the usual one after a while: so many seconds a second.
const FORGETS: f64 = 0.005;
/// Frames that are further apart than these seconds are of another clock.
const ANOTHER_CLOCK: f64 = 10.0;

/// Watches how late frames are, against the soonest of them.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    last: Option<Last>,
    /// When a frame came that had been repaired, and how late, in seconds.
    late: VecDeque<(Instant, f64)>,
}

/// The frame before.
#[derive(Clone, Copy, Debug)]
struct Last {
    timestamp: u32,
    at: Instant,
    /// How late it was.
    late: f64,
}

impl Repairs {
    /// In how many seconds a frame that comes now would be given if all of them waited as long as those that are repaired.
    pub(super) fn hold(&mut self, timestamp: u32, repaired: bool, now: Instant) -> f64 {
        let late = self.late(timestamp, now);
        let is_old = |(at, _): &(Instant, f64)| now.saturating_duration_since(*at) > REMEMBERED;
        while self.late.front().is_some_and(is_old) {
            self.late.pop_front();
        }
        if repaired {
            if self.late.len() == MOST_REMEMBERED {
                self.late.pop_front();
            }
            self.late.push_back((now, late));
        }
        if self.late.len() < OFTEN {
            return 0.0;
        }
        let latest = self.late.iter().map(|(_, late)| *late).fold(0.0, f64::max);
        (latest.min(MOST_EVEN) - late).max(0.0)
    }

    fn late(&mut self, timestamp: u32, now: Instant) -> f64 {
        let late = self.last.map_or(0.0, |last| {
            let taken = f64::from(timestamp.wrapping_sub(last.timestamp) as i32) / f64::from(CLOCK);
            let came = now.saturating_duration_since(last.at).as_secs_f64();
            if taken.abs() > ANOTHER_CLOCK {
                return 0.0;
            }
            (last.late + came * (1.0 - FORGETS) - taken).max(0.0)
        });
        self.last = Some(Last {
            timestamp,
            at: now,
            late,
        });
        late
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_time::start;

    /// What is held of frames every 33 ms, each of which is so many milliseconds late or waits for the one before; 50 and more
    /// were repaired.
    fn held(late: impl IntoIterator<Item = u32>) -> Vec<u64> {
        let begin = start();
        let mut repairs = Repairs::default();
        let mut now = begin;
        let frames = (0..).zip(late).map(|(frame, late)| {
            now = now.max(begin + (frame * 33 + late) * MS);
            let held = repairs.hold(frame * 33 * 90, late >= 50, now);
            (held * 1_000.0).round() as u64
        });
        frames.collect()
    }

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn who_is_not_repaired_waits_as_long_as_who_is() {
        let held = held((0..60_u32).map(|frame| if frame % 10 == 5 { 100 } else { 0 }));
        assert!(held[..25].iter().all(|held| *held == 0), "{held:?}");
        for (frame, held) in held.iter().enumerate().skip(25) {
            // Those behind a repaired one wait for it.
            let expected = [100, 100, 100, 100, 100, 0, 33, 66, 99, 100][frame % 10];
            assert!(held.abs_diff(expected) <= 3, "{frame}: {held}");
        }
    }

    #[test]
    fn seldom_repairs_and_frames_that_are_late_by_themselves_hold_nothing() {
        let late = |frame: u32| if frame % 300 == 9 { 100 } else { frame % 20 };
        assert!(held((0..600).map(late)).iter().all(|held| *held == 0));
    }

    #[test]
    fn none_waits_for_long_and_what_is_over_is_forgotten() {
        let bad = (0..200_u32).map(|frame| if frame % 50 == 9 { 700 } else { 0 });
        let held = held(bad.chain((0..400).map(|_| 0)));
        assert_eq!(held.iter().max(), Some(&250));
        assert_eq!(held.last(), Some(&0));
    }

    #[test]
    fn a_longer_way_is_the_usual_one_after_a_while() {
        let mut repairs = Repairs::default();
        let begin = start();
        for frame in 0..3_000_u32 {
            let way = if frame < 30 { 20 } else { 120 };
            let now = begin + (frame * 33 + way) * MS;
            repairs.hold(frame * 33 * 90, frame % 50 == 0, now);
        }
        let held = repairs.hold(3_000 * 33 * 90, false, begin + (3_000 * 33 + 120) * MS);
        assert!(held < 0.01, "{held}");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut repairs = Repairs::default();
        for frame in 0..3_000_u32 {
            repairs.hold(frame * 270, true, start() + frame * 3 * MS);
        }
        assert_eq!(repairs.late.len(), MOST_REMEMBERED);
    }
}
