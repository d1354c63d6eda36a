use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::algorithm::{Algorithm, hex};

/// The most nonces whose counts a server keeps.
const MAX_COUNTED: usize = 4096;

/// Makes nonces that can be recognised without having been kept, and keeps the counts of those
/// that were used.
#[derive(Debug)]
pub(super) struct Nonces {
    key: [u8; 32],
    epoch: Instant,
    lifetime: Duration,
    counts: BTreeMap<Stamp, u32>,
    /// Nonces up to this time may have been counted and forgotten.
    forgotten: Option<u64>,
}

/// When a nonce was made, in milliseconds after the epoch, and what tells it from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    issued: u64,
    random: u64,
}

impl Nonces {
    pub(super) fn new(lifetime: Duration, now: Instant, rng: &mut dyn rand::Rng) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self {
            key,
            epoch: now,
            lifetime,
            counts: BTreeMap::new(),
            forgotten: None,
        }
    }

    pub(super) fn issue(&self, now: Instant, rng: &mut dyn rand::Rng) -> String {
        let stamp = Stamp {
            issued: self.since_epoch(now),
            random: rng.next_u64(),
        };
        format!(
            "{:x}.{:016x}.{}",
            stamp.issued,
            stamp.random,
            self.seal(stamp)
        )
    }

    /// The stamp of a nonce of ours, however old.
    pub(super) fn recognise(&self, nonce: &str) -> Option<Stamp> {
        let mut parts = nonce.splitn(3, '.');
        let stamp = Stamp {
            issued: u64::from_str_radix(parts.next()?, 16).ok()?,
            random: u64::from_str_radix(parts.next()?, 16).ok()?,
        };
        (parts.next()? == self.seal(stamp)).then_some(stamp)
    }

    pub(super) fn is_fresh(&self, stamp: Stamp, now: Instant) -> bool {
        let age = self.since_epoch(now).saturating_sub(stamp.issued);
        u128::from(age) <= self.lifetime.as_millis()
    }

    /// Takes a count; false if it, or a higher one, may have been there before.
    pub(super) fn count(&mut self, stamp: Stamp, count: u32) -> bool {
        if let Some(highest) = self.counts.get_mut(&stamp) {
            let rises = count > *highest;
            *highest = count.max(*highest);
            return rises;
        }
        if self.forgotten.is_some_and(|until| stamp.issued <= until) {
            return false;
        }
        if self.counts.len() == MAX_COUNTED
            && let Some((oldest, _)) = self.counts.pop_first()
        {
            self.forgotten = Some(oldest.issued);
        }
        self.counts.insert(stamp, count);
        count > 0
    }

    fn since_epoch(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.epoch).as_millis();
        u64::try_from(elapsed).unwrap_or(u64::MAX)
    }

    fn seal(&self, stamp: Stamp) -> String {
        let (issued, random) = (stamp.issued.to_be_bytes(), stamp.random.to_be_bytes());
        let key = hex(&self.key);
        let inner = Algorithm::Sha256.hash(&[key.as_bytes(), &issued, &random]);
        let mut seal = Algorithm::Sha256.hash(&[key.as_bytes(), inner.as_bytes()]);
        seal.truncate(32);
        seal
    }
}
