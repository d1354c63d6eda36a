//! Whether the machine slept: a clock that goes on meanwhile is ahead of the one that stands still.

use std::time::{Duration, Instant};

/// Less is no sleep but a clock that is set right.
const SHORTEST: Duration = Duration::from_secs(3);
/// Whoever looks that late stood still, although both clocks went on: as on Windows, where both count sleep, or in a virtual
/// machine that was stopped.
const LATE: Duration = Duration::from_secs(15);

/// What the machine did since somebody looked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// It ran.
    None,
    /// It stood still, and its clocks know it.
    Standstill,
    /// It slept, and the clock of timers stood still meanwhile.
    Slept(Duration),
}

/// Both clocks, as of the last look.
#[derive(Debug)]
pub(super) struct SleepWatch {
    /// Stands still during sleep on Linux and macOS.
    timers: Instant,
    /// Goes on.
    all: Duration,
}

impl SleepWatch {
    pub(super) fn new(timers: Instant, all: Duration) -> SleepWatch {
        SleepWatch { timers, all }
    }

    pub(super) fn look(&mut self, timers: Instant, all: Duration) -> Rest {
        let awake = timers.saturating_duration_since(self.timers);
        let passed = all.saturating_sub(self.all);
        *self = SleepWatch { timers, all };
        match passed.saturating_sub(awake) {
            slept if slept >= SHORTEST => Rest::Slept(slept),
            _ if awake >= LATE => Rest::Standstill,
            _ => Rest::None,
        }
    }
}

/// A clock that goes on while the machine sleeps. Nobody sets Linux's; if another's is set ahead, that is a sleep which
/// was none: connections are asked whether they are alive, and a registration is renewed early.
pub(super) fn waking_and_sleeping() -> Duration {
    #[cfg(target_os = "linux")]
    if let Ok(time) = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME) {
        return Duration::from(time);
    }
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_is_what_one_clock_is_ahead_of_the_other() {
        let start = Instant::now();
        let seconds = Duration::from_secs;
        let mut watch = SleepWatch::new(start, seconds(100));
        assert_eq!(watch.look(start + seconds(5), seconds(105)), Rest::None);
        let slept = Rest::Slept(seconds(3600));
        assert_eq!(watch.look(start + seconds(10), seconds(3710)), slept);
        assert_eq!(watch.look(start + seconds(15), seconds(3715)), Rest::None);
        // A clock that is set right, a little ahead or a lot behind.
        assert_eq!(watch.look(start + seconds(20), seconds(3722)), Rest::None);
        assert_eq!(watch.look(start + seconds(25), seconds(1000)), Rest::None);
        assert_eq!(watch.look(start + seconds(30), seconds(1005)), Rest::None);
        assert_eq!(
            watch.look(start + seconds(50), seconds(1025)),
            Rest::Standstill
        );
    }

    #[test]
    fn this_machine_is_awake() {
        let mut watch = SleepWatch::new(Instant::now(), waking_and_sleeping());
        assert!(!waking_and_sleeping().is_zero());
        assert_eq!(
            watch.look(Instant::now(), waking_and_sleeping()),
            Rest::None
        );
    }
}
