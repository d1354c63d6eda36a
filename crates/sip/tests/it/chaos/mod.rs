//! Lives of a user agent drawn at random; the fuzzer draws them better.

mod life;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::lone::epoch;

#[test]
fn whatever_happens_in_whatever_order_a_user_agent_keeps_its_promises() {
    for seed in 0..400 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut bytes = vec![0; 400];
        rng.fill_bytes(&mut bytes);
        life::live(&bytes, epoch());
    }
}
