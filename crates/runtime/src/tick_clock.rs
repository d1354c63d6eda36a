//! The media clock: one absolute tick of 10 ms, late ticks counted, catching up limited.

use std::time::{Duration, Instant};

/// What one tick of the media clock lasts.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// After a longer stall the missed ticks are skipped: playing them in a burst would only fill the
/// peers' jitter buffers.
const MAX_CATCH_UP: u64 = 5;

/// Which ticks are due; tick `n` is at `epoch + n * 10 ms`, for ever.
#[derive(Debug)]
pub(crate) struct Clock {
    epoch: Instant,
    next: u64,
    /// Ticks that began more than 10 ms after their time.
    pub(crate) late: u64,
    /// Ticks that never ran.
    pub(crate) skipped: u64,
}

impl Clock {
    pub(crate) fn new(epoch: Instant) -> Clock {
        Clock {
            epoch,
            next: 0,
            late: 0,
            skipped: 0,
        }
    }

    /// Begins anew at `now`, after a time in which nobody needed ticks.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.next = self.next.max(self.number_at(now) + 1);
    }

    /// The number of the next tick.
    pub(crate) fn next(&self) -> u64 {
        self.next
    }

    /// When the next tick is due.
    pub(crate) fn deadline(&self) -> Instant {
        self.at(self.next)
    }

    /// The number of the next tick that is due at `now`, if one is; each is given once.
    pub(crate) fn take(&mut self, now: Instant) -> Option<u64> {
        if self.deadline() > now {
            return None;
        }
        let behind = self.number_at(now) - self.next;
        if behind > MAX_CATCH_UP {
            self.skipped += behind;
            self.next += behind;
        }
        if now > self.deadline() + TICK {
            self.late += 1;
        }
        self.next += 1;
        Some(self.next - 1)
    }

    fn at(&self, number: u64) -> Instant {
        self.epoch + Duration::from_millis(number * 10)
    }

    fn number_at(&self, now: Instant) -> u64 {
        (now.saturating_duration_since(self.epoch).as_millis() / 10) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn ticks_keep_their_absolute_times() {
        let epoch = Instant::now();
        let mut clock = Clock::new(epoch);
        assert_eq!(clock.take(epoch), Some(0));
        assert_eq!(clock.take(epoch + ms(9)), None);
        assert_eq!(clock.take(epoch + ms(13)), Some(1));
        assert_eq!(clock.deadline(), epoch + ms(20));
        assert_eq!((clock.late, clock.skipped), (0, 0));
    }

    #[test]
    fn a_short_stall_is_caught_up_and_counted() {
        let epoch = Instant::now();
        let mut clock = Clock::new(epoch);
        let now = epoch + ms(35);
        let taken: Vec<_> = std::iter::from_fn(|| clock.take(now)).collect();
        assert_eq!(taken, [0, 1, 2, 3]);
        assert_eq!((clock.late, clock.skipped), (3, 0));
    }

    #[test]
    fn a_long_stall_is_skipped_and_counted() {
        let epoch = Instant::now();
        let mut clock = Clock::new(epoch);
        let now = epoch + ms(1000);
        let taken: Vec<_> = std::iter::from_fn(|| clock.take(now)).collect();
        assert_eq!(taken, [100]);
        assert_eq!(clock.skipped, 100);
    }

    #[test]
    fn an_idle_time_is_neither_late_nor_skipped() {
        let epoch = Instant::now();
        let mut clock = Clock::new(epoch);
        clock.resume(epoch + ms(5_003));
        assert_eq!(clock.deadline(), epoch + ms(5_010));
        assert_eq!(clock.take(epoch + ms(5_010)), Some(501));
        assert_eq!((clock.late, clock.skipped), (0, 0));
    }
}
