//! Deadlines as data: which are running, and which is next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// The running deadlines of one state machine, each under its own key.
#[derive(Debug)]
pub(crate) struct Wheel<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_key: BTreeMap<K, Instant>,
}

impl<K: Ord + Copy> Wheel<K> {
    pub(crate) fn new() -> Self {
        Self {
            by_time: BTreeSet::new(),
            by_key: BTreeMap::new(),
        }
    }

    /// Starts the deadline `key`, or moves it.
    pub(crate) fn start(&mut self, key: K, at: Instant) {
        self.stop(key);
        self.by_key.insert(key, at);
        self.by_time.insert((at, key));
    }

    /// Starts the deadline `key`, or brings it forward; one that comes sooner stays.
    pub(crate) fn start_by(&mut self, key: K, at: Instant) {
        let running = self.by_key.get(&key).copied();
        self.start(key, running.map_or(at, |running| running.min(at)));
    }

    pub(crate) fn stop(&mut self, key: K) {
        if let Some(at) = self.by_key.remove(&key) {
            self.by_time.remove(&(at, key));
        }
    }

    /// Stops every deadline from `first` to `last`.
    pub(crate) fn stop_range(&mut self, first: K, last: K) {
        let keys: Vec<K> = self
            .by_key
            .range(first..=last)
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            self.stop(key);
        }
    }

    pub(crate) fn is_running(&self, key: K) -> bool {
        self.by_key.contains_key(&key)
    }

    pub(crate) fn next(&self) -> Option<(Instant, K)> {
        self.by_time.first().copied()
    }

    /// Takes the earliest deadline that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<K> {
        let (at, key) = self.next()?;
        if at > now {
            return None;
        }
        self.stop(key);
        Some(key)
    }
}
