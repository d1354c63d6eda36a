//! Wishes for key frames, which cost their maker much and the network more.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Wish;

/// Twice a second: as often as a session asks its peer.
const LEAST: Duration = Duration::from_millis(500);

/// Passes wishes on, at most twice a second. One that comes too early is lost: whoever waits wishes again.
pub(super) struct Wisher {
    wish: Wish,
    /// Milliseconds of the process; 0 if never.
    last: AtomicU64,
}

impl Wisher {
    pub(super) fn new(wish: Wish) -> Wisher {
        Wisher {
            wish,
            last: AtomicU64::new(0),
        }
    }

    pub(super) fn wish(&self) {
        static BEGINNING: OnceLock<Instant> = OnceLock::new();
        let beginning = BEGINNING.get_or_init(Instant::now);
        self.wish_at(beginning.elapsed() + LEAST);
    }

    fn wish_at(&self, now: Duration) {
        let now = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let last = self.last.load(Ordering::Relaxed);
        if last != 0 && now < last + LEAST.as_millis() as u64 {
            return;
        }
        let swapped = self
            .last
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        if swapped.is_ok() {
            (self.wish)();
        }
    }
}

impl fmt::Debug for Wisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wisher").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn begging_without_end_is_heard_twice_a_second() {
        let heard = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&heard);
        let wisher = Wisher::new(Arc::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        }));
        for ms in 1_000..3_000 {
            wisher.wish_at(Duration::from_millis(ms));
        }
        assert_eq!(heard.load(Ordering::Relaxed), 4);
    }
}
