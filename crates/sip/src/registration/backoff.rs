//! How long to wait before trying a failed flow again (RFC 5626 §4.5).

use std::time::Duration;

use rand::{Rng, RngExt};

/// Base time where no flow is left.
const BASE_ALL_FAILED: Duration = Duration::from_secs(30);
/// Base time where another flow still works.
const BASE_SOME_WORK: Duration = Duration::from_secs(90);
/// The longest wait before the draw.
const MAX: Duration = Duration::from_secs(1800);
/// A person waits for a softphone: its first tries after a failure come sooner than the RFC's.
const EAGER: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(10),
];

/// Failures in a row, and the waits that follow from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowRecovery {
    failures: u32,
}

impl FlowRecovery {
    /// How long a flow has to live for its predecessors' failures to be forgotten.
    pub const SETTLED: Duration = Duration::from_secs(120);

    /// Counts a failure and draws the wait before the next try, 50–100 % of its upper bound.
    pub fn next(&mut self, all_failed: bool, rng: &mut impl Rng) -> Duration {
        let bound = self.bound(all_failed);
        self.failures = self.failures.saturating_add(1);
        bound.mul_f64(rng.random_range(0.5..=1.0))
    }

    /// Forgets all failures.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// Returns how many failures in a row were counted.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn bound(&self, all_failed: bool) -> Duration {
        let tries = self.failures as usize;
        if let Some(eager) = EAGER.get(tries) {
            return *eager;
        }
        let base = if all_failed {
            BASE_ALL_FAILED
        } else {
            BASE_SOME_WORK
        };
        let doublings = (tries - EAGER.len()).min(16) as u32;
        (base * 2u32.pow(doublings)).min(MAX)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    /// Trap 24.
    #[test]
    fn waits_double_up_to_half_an_hour_and_are_drawn_from_their_upper_half() {
        let mut rng = StdRng::from_seed([7; 32]);
        let mut recovery = FlowRecovery::default();
        let bounds = [2, 4, 10, 30, 60, 120, 240, 480, 960, 1800, 1800, 1800];
        for bound in bounds.map(Duration::from_secs) {
            let wait = recovery.next(true, &mut rng);
            assert!(wait <= bound && wait >= bound / 2, "{wait:?} of {bound:?}");
        }
    }

    /// Trap 24.
    #[test]
    fn the_rfcs_base_is_longer_where_another_flow_works() {
        let mut rng = StdRng::from_seed([7; 32]);
        let mut recovery = FlowRecovery { failures: 3 };
        assert!(recovery.next(false, &mut rng) >= Duration::from_secs(45));
        recovery.reset();
        assert!(recovery.next(false, &mut rng) <= Duration::from_secs(2));
    }
}
