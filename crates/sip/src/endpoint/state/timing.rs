//! What is known of a call's timer (RFC 4028).

use crate::endpoint::config::SessionTimers;

/// RFC 4028 §4: no interval is shorter.
pub(in crate::endpoint) const SHORTEST: u32 = 90;

/// What is known of a call's timer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::endpoint) struct Timing {
    /// The interval in force, and whether we refresh.
    pub(in crate::endpoint) running: Option<Running>,
    /// The shortest interval that somebody on the way has asked for, in seconds.
    pub(in crate::endpoint) min_se: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::endpoint) struct Running {
    pub(in crate::endpoint) seconds: u32,
    pub(in crate::endpoint) we_refresh: bool,
}

impl Timing {
    pub(in crate::endpoint) fn min_se(self, timers: SessionTimers) -> u32 {
        self.min_se.max(timers.min_se).max(SHORTEST)
    }
}
