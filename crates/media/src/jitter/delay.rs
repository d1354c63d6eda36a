//! How late packets are, and how much delay that calls for.

use super::PER_MS;
use std::collections::VecDeque;

/// Over how long the fastest packet counts as the one without delay, on the timeline.
const WINDOW: i64 = 2_000 * PER_MS;
/// At most so many packets are needed for it: one every 10 ms.
const WINDOW_CAPACITY: usize = 256;
/// The histogram's step.
const STEP: i64 = 5 * PER_MS;
/// One second in all.
const STEPS: usize = 200;
/// libwebrtc's quantile: at a delay beyond it, one packet in twenty would come too late.
const QUANTILE: f64 = 0.95;
/// And where what is lost comes later, as a copy: most copies shall be in time, also when one packet in ten is lost.
const QUANTILE_OF_COPIES: f64 = 0.97;
/// How much a packet leaves of what was known before it: libwebrtc's is 0.983; this one rides out bursts that come
/// every few seconds.
const FORGET: f64 = 0.9983;
/// Before any packet, so many are taken to have been `PRIOR_STEP` late, lest a call begins by losing its first ones or
/// by drawing its first words out: 50 ms are enough for nearly every network with 10 ms of jitter.
const PRIOR: f64 = 10.0;
const PRIOR_STEP: usize = 9;

/// A histogram of delays relative to the fastest packet of late.
#[derive(Debug)]
pub(super) struct DelayEstimator {
    /// (arrival, transit), transit rising: the front is the least of the window.
    fastest: VecDeque<(i64, i64)>,
    histogram: [f64; STEPS],
    seen: f64,
    quantile: f64,
    target: i64,
}

impl DelayEstimator {
    pub(super) fn new() -> Self {
        let mut histogram = [0.0; STEPS];
        histogram[PRIOR_STEP] = 1.0;
        Self {
            fastest: VecDeque::with_capacity(WINDOW_CAPACITY + 1),
            histogram,
            seen: PRIOR,
            quantile: QUANTILE,
            target: (PRIOR_STEP as i64 + 1) * STEP,
        }
    }

    /// Takes a packet of `position` that arrived at `arrival`; whether it was the first one of late.
    pub(super) fn packet(&mut self, arrival: i64, position: i64) -> bool {
        let transit = arrival - position;
        let is_past = |(at, _): &(i64, i64)| arrival - at > WINDOW;
        while self.fastest.front().is_some_and(is_past) {
            self.fastest.pop_front();
        }
        let first = self.fastest.is_empty();
        while self.fastest.back().is_some_and(|(_, t)| *t >= transit) {
            self.fastest.pop_back();
        }
        self.fastest.push_back((arrival, transit));
        if self.fastest.len() > WINDOW_CAPACITY {
            self.fastest.pop_front();
        }
        let relative = transit - self.transit().unwrap_or(transit);
        self.learn(usize::try_from(relative / STEP).unwrap_or(0).min(STEPS - 1));
        first
    }

    /// Forgets how long packets travel, as for a new source, but not how much that varies.
    pub(super) fn restart(&mut self) {
        self.fastest.clear();
    }

    /// Lets nearly all copies of lost packets be in time as well.
    pub(super) fn wait_for_copies(&mut self) {
        self.quantile = QUANTILE_OF_COPIES;
    }

    /// The transit of the fastest packet of late, on the timeline; its origin means nothing.
    pub(super) fn transit(&self) -> Option<i64> {
        self.fastest.front().map(|(_, transit)| *transit)
    }

    /// The delay behind the fastest packet at which nearly all packets are in time.
    pub(super) fn target(&self) -> i64 {
        self.target
    }

    fn learn(&mut self, step: usize) {
        self.seen += 1.0;
        let keep = FORGET.min(1.0 - 1.0 / self.seen);
        for share in &mut self.histogram {
            *share *= keep;
        }
        self.histogram[step] += 1.0 - keep;
        let mut sum = 0.0;
        let reached = self.histogram.iter().position(|share| {
            sum += share;
            sum >= self.quantile
        });
        self.target = (reached.unwrap_or(STEPS - 1) as i64 + 1) * STEP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(
        estimator: &mut DelayEstimator,
        packets: std::ops::Range<i64>,
        delay: impl Fn(i64) -> i64,
    ) {
        for i in packets {
            let sent = i * 20 * PER_MS;
            estimator.packet(sent + delay(i) * PER_MS, sent);
        }
    }

    #[test]
    fn an_even_network_needs_next_to_nothing() {
        let mut estimator = DelayEstimator::new();
        feed(&mut estimator, 0..1_000, |_| 130);
        assert_eq!(estimator.target(), STEP);
        assert_eq!(estimator.transit(), Some(130 * PER_MS));
    }

    #[test]
    fn the_target_covers_what_nearly_all_packets_need() {
        let mut estimator = DelayEstimator::new();
        feed(
            &mut estimator,
            0..2_000,
            |i| if i % 10 == 0 { 62 } else { 2 },
        );
        assert_eq!(estimator.target() / PER_MS, 65);
    }

    #[test]
    fn a_lasting_change_of_the_way_is_forgotten_within_the_window() {
        let mut estimator = DelayEstimator::new();
        feed(&mut estimator, 0..500, |_| 30);
        feed(&mut estimator, 500..700, |_| 110);
        assert_eq!(estimator.transit(), Some(110 * PER_MS));
    }

    #[test]
    fn absurd_times_stay_in_bounds() {
        let mut estimator = DelayEstimator::new();
        for i in 0..1_000 {
            estimator.packet(0, i * 1_000_000);
        }
        for i in 0..1_000 {
            estimator.packet(i * 1_000_000, 0);
        }
        assert!(estimator.fastest.len() <= WINDOW_CAPACITY);
        assert!(estimator.target() <= STEPS as i64 * STEP);
    }
}
