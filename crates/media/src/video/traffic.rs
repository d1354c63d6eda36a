//! How much went by of late.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);
const STEP: Duration = Duration::from_millis(20);

/// Octets of the last second.
#[derive(Clone, Debug, Default)]
pub struct RecentTraffic {
    begun: Option<Instant>,
    /// Each step's beginning and octets.
    steps: VecDeque<(Instant, usize)>,
    octets: usize,
}

impl RecentTraffic {
    /// Counts octets that go by now.
    pub fn add(&mut self, octets: usize, now: Instant) {
        self.begun.get_or_insert(now);
        self.octets += octets;
        match self.steps.back_mut() {
            Some((begin, step)) if now.saturating_duration_since(*begin) < STEP => *step += octets,
            Some(_) | None => self.steps.push_back((now, octets)),
        }
        self.forget(now);
    }

    fn forget(&mut self, now: Instant) {
        while let Some((begin, octets)) = self.steps.front().copied()
            && now.saturating_duration_since(begin) > WINDOW
        {
            self.steps.pop_front();
            self.octets -= octets;
        }
    }

    /// The mean of the last second, or of what there was since it began.
    pub fn bits_per_second(&mut self, now: Instant) -> f64 {
        self.forget(now);
        let Some(begun) = self.begun else {
            return 0.0;
        };
        let since = now.saturating_duration_since(begun);
        let time = since.clamp(WINDOW / 4, WINDOW);
        self.octets as f64 * 8.0 / time.as_secs_f64()
    }
    /// The mean of what came behind a first packet in so long before now, which is less than a second.
    pub fn lately(&mut self, time: Duration, now: Instant) -> f64 {
        self.forget(now);
        let is_new = |begin: Instant| now.saturating_duration_since(begin) <= time;
        let first = self.steps.partition_point(|(begin, _)| !is_new(*begin));
        let mut new = self.steps.range(first..);
        let begin = new.next().map_or(now, |(begin, _)| *begin);
        let octets: usize = new.map(|(_, octets)| octets).sum();
        let time = now.saturating_duration_since(begin).max(time / 2);
        octets as f64 * 8.0 / time.as_secs_f64()
    }
}
