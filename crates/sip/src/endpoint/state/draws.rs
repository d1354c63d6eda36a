//! All that is drawn: the names of calls and requests, tags, waits.

use rand::SeedableRng;
use rand::rngs::StdRng;

/// A source of names and chances; the same seed gives the same.
#[derive(Debug)]
pub(in crate::endpoint) struct Draws {
    rng: StdRng,
    last_id: u64,
}

impl Draws {
    pub(in crate::endpoint) fn from_seed(seed: [u8; 32], last_id: u64) -> Self {
        Self {
            rng: StdRng::from_seed(seed),
            last_id,
        }
    }

    /// A number that nothing else of this endpoint has for its name.
    pub(in crate::endpoint) fn id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(in crate::endpoint) fn rng(&mut self) -> &mut StdRng {
        &mut self.rng
    }
}
