//! How much the peer may send: less once its packets wait longer and longer on their way.

use std::time::{Duration, Instant};

use super::rate::LEAST_RATE;
use super::traffic::RecentTraffic;
use super::ways::{Departure, Queue, Wait, WatchedSource};

/// A queue that fell below this leaves room for more.
const EMPTY: f64 = 0.020;
/// What is left of a rate that was too high, so that the queue empties, at most and at least;
const BACK_OFF: f64 = 0.85;
const MOST_BACK_OFF: f64 = 0.4;
/// in between, what empties it in so many seconds.
const EMPTIES: f64 = 0.15;
/// What gets through a queue that is about to overflow is that of so long.
const GETS_THROUGH: Duration = Duration::from_millis(100);
/// A queue needs so long to empty before it is judged again.
const SETTLES: Duration = Duration::from_millis(600);
const GROWTH: f64 = 1.08;
/// Before any queue has stood, nothing speaks against much more.
const GROWTH_FIRST: f64 = 1.5;
/// Up to this part of what the path was seen to carry, there is no need to grope.
const KNOWN: f64 = 0.8;
const GROWTH_KNOWN: f64 = 1.3;
/// Nothing is known about much more than what comes.
const MOST_MORE: f64 = 1.5;
const FIRST: f64 = 300_000.0;
/// So many sources are watched: each picture has one.
const MOST_SOURCES: usize = 8;
/// How often it is told, how soon if it shrinks,
const TOLD_EVERY: Duration = Duration::from_secs(1);
const TOLD_SOON: Duration = Duration::from_millis(100);
/// and how often while more comes: what told of it may be lost where the peer's own packets pile up.
const TOLD_AGAIN: Duration = Duration::from_millis(40);

/// What the path from the peer carries, by how long its packets were under way.
#[derive(Debug, Default)]
pub struct Estimate {
    sources: Vec<WatchedSource>,
    traffic: RecentTraffic,
    rate: Option<f64>,
    /// The most that whoever gets it can take.
    limit: Option<f64>,
    /// When it shrank last, and what came then.
    shrunk: Option<(Instant, f64)>,
    judged: Option<Instant>,
    /// More comes than the peer was told: it may not have heard.
    is_exceeded: bool,
    told: Option<(Instant, f64)>,
    /// What part of what came before still comes through a queue that is about to overflow; until somebody asks.
    overfull: Option<f64>,
}

impl Estimate {
    /// Takes a packet of `octets`, which left then, if that is known.
    pub fn packet(&mut self, left: Option<Departure>, octets: usize, now: Instant) {
        self.traffic.add(octets, now);
        let Some(left) = left else {
            return;
        };
        let mut sources = self.sources.iter_mut();
        match sources.find(|source| source.clock == left.clock) {
            Some(source) => source.packet(left.ticks, now),
            None => {
                if self.sources.len() == MOST_SOURCES {
                    self.sources.remove(0);
                }
                self.sources.push(WatchedSource::new(left, now));
            }
        }
        self.judge(now);
    }

    fn judge(&mut self, now: Instant) {
        let rate = *self.rate.get_or_insert(FIRST);
        let since = self.judged.replace(now);
        let since = since.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let waits = self
            .sources
            .iter_mut()
            .filter_map(|source| source.wait(now));
        let Some(wait) = waits.reduce(Wait::worse) else {
            return;
        };
        let comes = match wait.queue {
            // What came before there was a queue says nothing of what gets through it.
            Queue::Overfull => self.traffic.lately(GETS_THROUGH, now),
            Queue::Fair | Queue::Standing => self.traffic.bits_per_second(now),
        };
        let is_full = wait.queue > Queue::Fair;
        // What is to empty it has to wait in it, and so has what tells of that.
        let settles = SETTLES + 2 * Duration::from_secs_f64(wait.least.clamp(0.0, 1.0));
        let settled = |(at, _)| now.saturating_duration_since(at) > settles;
        if is_full && self.shrunk.is_none_or(settled) {
            let left = (1.0 - wait.least / EMPTIES).clamp(MOST_BACK_OFF, BACK_OFF);
            self.rate = Some(left * rate.min(comes));
            self.shrunk = Some((now, comes));
            if wait.queue == Queue::Overfull {
                let before = self.traffic.bits_per_second(now).max(1.0);
                self.overfull = Some((comes / before).min(1.0));
            }
        } else if wait.least < EMPTY && rate < MOST_MORE * comes {
            let since = since.min(Duration::from_secs(1)).as_secs_f64();
            let growth = match self.shrunk {
                None => GROWTH_FIRST,
                Some((_, carried)) if rate < KNOWN * carried => GROWTH_KNOWN,
                Some(_) => GROWTH,
            };
            self.rate = Some(rate * growth.powf(since));
        }
        self.rate = self.rate.map(|rate| rate.max(f64::from(LEAST_RATE)));
        self.is_exceeded = is_full && self.told.is_some_and(|(_, told)| comes > told);
    }

    /// Which part of what came before still comes, 0 to 1, if a queue was found to be about to overflow; told once.
    pub fn take_overfull(&mut self) -> Option<f64> {
        self.overfull.take()
    }

    /// Whoever gets what comes can take no more than this.
    pub fn set_limit(&mut self, bits_per_second: Option<u64>) {
        self.limit = bits_per_second.map(|limit| (limit as f64).max(f64::from(LEAST_RATE)));
    }

    fn allowed(&self) -> Option<f64> {
        Some(self.rate?.min(self.limit.unwrap_or(f64::INFINITY)))
    }

    /// How many bit/s the peer may send, if it has to be told now.
    pub fn tell(&mut self, now: Instant) -> Option<u64> {
        let at = self.deadline()?;
        let rate = self.allowed().filter(|_| at <= now)?;
        self.told = Some((now, rate));
        Some(rate as u64)
    }

    /// When the peer has to be told next.
    pub fn deadline(&self) -> Option<Instant> {
        let rate = self.allowed()?;
        let judged = self.judged?;
        Some(match self.told {
            None => judged,
            Some((at, _)) if self.is_exceeded => at + TOLD_AGAIN,
            Some((at, told)) if rate < 0.97 * told => at + TOLD_SOON,
            Some((at, _)) => at + TOLD_EVERY,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::video::{LossRule, MOST_RATE, Rate};
    use crate::virtual_time::start;

    const MS: Duration = Duration::from_millis(1);

    /// A path that carries so many bit/s behind a queue.
    struct Path {
        bits_per_second: f64,
        longest_queue: f64,
        free: Instant,
    }

    impl Path {
        /// When a packet comes out of it, unless its queue is full.
        fn carry(&mut self, octets: usize, now: Instant) -> Option<Instant> {
            let begin = self.free.max(now);
            if (begin - now).as_secs_f64() > self.longest_queue {
                return None;
            }
            self.free = begin + Duration::from_secs_f64(octets as f64 * 8.0 / self.bits_per_second);
            Some(self.free + 20 * MS)
        }
    }

    struct Outcome {
        target: Vec<u32>,
        longest_wait: Duration,
        lost: f64,
    }

    /// Pictures at 30 a second with as many bits as may be sent, over a path of `kbits(second)`.
    fn run(seconds: u32, kbits: impl Fn(u32) -> f64, longest_queue: f64) -> Outcome {
        let begin = start();
        let mut path = Path {
            bits_per_second: 0.0,
            longest_queue,
            free: begin,
        };
        let mut rule = LossRule::new(MOST_RATE);
        let mut estimate = Estimate::default();
        let mut under_way: VecDeque<(Instant, u32, usize)> = VecDeque::new();
        let (mut sent, mut lost, mut of, mut all_lost, mut all) = (0, 0, 0, 0, 0);
        let mut outcome = Outcome {
            target: Vec::new(),
            longest_wait: Duration::ZERO,
            lost: 0.0,
        };
        for ms in 0..seconds * 1_000 {
            let now = begin + ms * MS;
            path.bits_per_second = kbits(ms / 1_000) * 1_000.0;
            if ms % 33 == 0 {
                let octets = rule.target(now) as usize / 8 / 30;
                // A key frame every five seconds.
                let mut left = if ms % 5_016 < 33 { 4 * octets } else { octets };
                while left > 0 {
                    let packet = left.min(1_200);
                    left -= packet;
                    rule.sent(packet, now);
                    sent += 1;
                    match path.carry(packet, now) {
                        Some(at) => under_way.push_back((at, ms * 90, packet)),
                        None => lost += 1,
                    }
                }
            }
            while under_way.front().is_some_and(|(at, ..)| *at <= now) {
                let Some((at, timestamp, octets)) = under_way.pop_front() else {
                    break;
                };
                estimate.packet(Some(Departure::framed(1, timestamp)), octets, at);
                let wait = (at - begin).saturating_sub(MS * (timestamp / 90) + 20 * MS);
                if ms > 5_000 {
                    outcome.longest_wait = outcome.longest_wait.max(wait);
                }
            }
            if let Some(bits) = estimate.tell(now) {
                rule.estimate(bits, now);
            }
            if ms % 1_000 == 999 {
                of = sent - of;
                rule.report(f64::from(lost) / f64::from(of.max(1)), Some(40 * MS), now);
                (all, all_lost) = (all + of, all_lost + lost);
                (of, lost) = (sent, 0);
                outcome.target.push(rule.target(now));
            }
        }
        outcome.lost = f64::from(all_lost) / f64::from(all);
        outcome
    }

    #[test]
    fn a_narrow_path_is_filled_and_its_queue_does_not_stand() {
        for queue in [0.2, 1.0] {
            let outcome = run(60, |_| 500.0, queue);
            let late = &outcome.target[20..];
            let mean = late.iter().sum::<u32>() / late.len() as u32;
            assert!(
                (330_000..520_000).contains(&mean),
                "{queue}: {:?}",
                outcome.target
            );
            assert!(
                outcome.longest_wait < 400 * MS,
                "{queue}: {:?}",
                outcome.longest_wait
            );
            assert!(outcome.lost < 0.02, "{queue}: {}", outcome.lost);
        }
    }

    #[test]
    fn a_path_that_narrows_is_followed_within_seconds_and_one_that_widens_in_time() {
        let outcome = run(
            120,
            |second| {
                if (30..60).contains(&second) {
                    300.0
                } else {
                    2_000.0
                }
            },
            1.0,
        );
        let at = |second: usize| outcome.target[second];
        assert!(at(6) > 1_000_000, "{:?}", outcome.target);
        assert!(at(29) > 1_000_000, "{:?}", outcome.target);
        assert!(at(36) < 320_000, "{:?}", outcome.target);
        assert!(at(110) > 1_000_000, "{:?}", outcome.target);
    }

    #[test]
    fn clocks_that_drift_apart_are_no_queue() {
        let begin = start();
        let mut estimate = Estimate::default();
        for frame in 0..30_u32 * 600 {
            let taken = Duration::from_secs_f64(f64::from(frame) / 30.0);
            // 300 in a million.
            let at = begin + taken.mul_f64(1.000_3);
            let timestamp = (taken.as_secs_f64() * 90_000.0) as u32;
            estimate.packet(Some(Departure::framed(1, timestamp)), 5_000, at);
        }
        assert!(estimate.rate.unwrap() > 1_500_000.0);
    }

    #[test]
    fn packets_that_are_late_by_chance_are_no_queue() {
        use rand::rngs::StdRng;
        use rand::{RngExt, SeedableRng};
        let begin = start();
        let mut rng = StdRng::seed_from_u64(1);
        let mut estimate = Estimate::default();
        let mut coming: Vec<(Instant, u32)> = (0..30 * 120)
            .map(|frame| {
                let late = 80 * MS.mul_f64(rng.random_range(0.0..1.0));
                (begin + frame * 33 * MS + late, frame * 33 * 90)
            })
            .collect();
        coming.sort();
        for (at, timestamp) in coming {
            estimate.packet(Some(Departure::framed(1, timestamp)), 5_000, at);
        }
        assert!(estimate.rate.unwrap() > 1_200_000.0);
    }

    #[test]
    fn a_smaller_estimate_is_told_at_once_and_others_once_a_second() {
        let begin = start();
        let mut estimate = Estimate::default();
        let mut told = Vec::new();
        for frame in 0..300_u32 {
            // From the fifth second on, each frame waits 20 ms longer than the one before.
            let late = frame.saturating_sub(150) * 20;
            let now = begin + frame * 33 * MS + late * MS;
            estimate.packet(Some(Departure::framed(1, frame * 33 * 90)), 2_000, now);
            told.extend(estimate.tell(now).map(|bits| (frame, bits)));
        }
        let before = told.iter().filter(|(frame, _)| *frame < 150).count();
        assert!((4..=6).contains(&before), "{told:?}");
        let shrunk = told.windows(2).find(|two| two[1].1 < two[0].1).unwrap()[1];
        assert!((151..170).contains(&shrunk.0), "{told:?}");
    }

    #[test]
    fn no_peer_makes_us_watch_more_than_a_few_sources() {
        let mut estimate = Estimate::default();
        for ssrc in 0..1_000 {
            estimate.packet(Some(Departure::framed(ssrc, ssrc)), 1_000, start());
        }
        assert_eq!(estimate.sources.len(), MOST_SOURCES);
    }
}
