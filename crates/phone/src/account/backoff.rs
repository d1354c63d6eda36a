use std::time::Duration;

use rand::{Rng, RngExt};

/// The first wait after a failed round, doubled with each further one; JsSIP's figure.
const FIRST: Duration = Duration::from_secs(2);
/// The longest wait: a user looks at a phone that is down.
const LONGEST: Duration = Duration::from_secs(30);

/// How long to wait after so many failures: a random 50 to 100 % of the doubled time
/// (RFC 5626 §4.5), so that a server that restarts is not stormed.
pub(super) fn wait(failures: u32, rng: &mut impl Rng) -> Duration {
    let share = rng.random_range(0.5..=1.0);
    match failures {
        // A connection that lived long and broke once: probably the path, not the server.
        0 => FIRST.mul_f64(share / 10.0),
        failures => (FIRST * 2u32.saturating_pow(failures.min(16) - 1))
            .min(LONGEST)
            .mul_f64(share),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    #[test]
    fn waits_grow_from_two_to_thirty_seconds_and_are_jittered() {
        let mut rng = StdRng::from_seed([1; 32]);
        for (failures, most) in [
            (0, 0.2),
            (1, 2.0),
            (2, 4.0),
            (4, 16.0),
            (5, 30.0),
            (u32::MAX, 30.0),
        ] {
            let waits: Vec<f64> = (0..100)
                .map(|_| wait(failures, &mut rng).as_secs_f64())
                .collect();
            assert!(
                waits.iter().all(|w| (most * 0.49..=most).contains(w)),
                "{failures}"
            );
            assert!(waits.iter().any(|w| *w < most * 0.7) && waits.iter().any(|w| *w > most * 0.8));
        }
    }
}
