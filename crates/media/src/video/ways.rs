//! How long packets are under way, and what that tells of the queues that they wait in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::payload::CLOCK;

/// A queue that never fell below this is one that stands: what is sent is more than the path carries.
const STANDING: f64 = 0.040;
/// In so much time: a large frame that is sent slowly may fill a queue for less.
const WATCHED: Duration = Duration::from_millis(300);
/// What comes within so long counts once.
const STEP: Duration = Duration::from_millis(5);
/// The shortest way is that of so long; clocks drift apart in more.
const SHORTEST_OF: Duration = Duration::from_secs(10);
/// A queue that never fell below this for so long is about to overflow: nobody waits to see whether it stands. So many
/// arrivals show it, over most of that time: what a network held up comes all at once.
const OVERFULL: f64 = 0.050;
const OVERFULL_FOR: Duration = Duration::from_millis(45);
const OVERFULL_ARRIVALS: usize = 3;

/// When a packet left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    pub(super) clock: DepartureClock,
    pub(super) ticks: u32,
}

/// By what it is known when packets left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DepartureClock {
    /// They say so themselves, in 2⁻²⁶ s.
    Said,
    /// By the timestamp of their frame, in 1/90000 s: the first packet of a frame left when that was taken. Each source has
    /// a clock of its own.
    Framed(u32),
}

impl DepartureClock {
    fn seconds(self, ticks: i32) -> f64 {
        let rate = match self {
            Self::Said => f64::from(1 << 26),
            Self::Framed(_) => f64::from(CLOCK),
        };
        f64::from(ticks) / rate
    }
}

impl Departure {
    /// As a packet says it: 24 bits, of which 6 count seconds.
    pub fn said([first, second, third]: [u8; 3]) -> Self {
        Self {
            clock: DepartureClock::Said,
            ticks: u32::from_be_bytes([first, second, third, 0]),
        }
    }

    /// As the timestamp of its frame says it.
    pub fn framed(ssrc: u32, timestamp: u32) -> Self {
        Self {
            clock: DepartureClock::Framed(ssrc),
            ticks: timestamp,
        }
    }

    /// What a packet says that leaves now, so long after a clock began.
    pub fn write(since: Duration) -> [u8; 3] {
        let parts = u64::from(since.subsec_nanos()) * (1 << 18) / 1_000_000_000;
        let ticks = (since.as_secs() << 18) + parts;
        let [.., first, second, third] = ticks.to_be_bytes();
        [first, second, third]
    }
}

/// Packets of one clock on their way.
#[derive(Debug)]
pub(super) struct WatchedSource {
    pub(super) clock: DepartureClock,
    begin: Instant,
    /// When the last packet left, by the peer's clock, and how long after the first.
    last: (u32, f64),
    seen: Instant,
    /// The shortest ways of this and the last period, each above that of the first frame, which is 0.
    shortest: [f64; 2],
    period: Instant,
    /// What was watched lately.
    lately: VecDeque<(Instant, f64)>,
}

impl WatchedSource {
    pub(super) fn new(left: Departure, now: Instant) -> Self {
        Self {
            clock: left.clock,
            begin: now,
            last: (left.ticks, 0.0),
            seen: now,
            shortest: [0.0; 2],
            period: now,
            lately: VecDeque::new(),
        }
    }

    pub(super) fn packet(&mut self, ticks: u32, now: Instant) {
        let (last, left) = self.last;
        let ahead = self.clock.seconds(ticks.wrapping_sub(last) as i32);
        let tells = match self.clock {
            // Several leave at once.
            DepartureClock::Said => ahead >= 0.0,
            // Only the first packet of a frame left when the frame was made.
            DepartureClock::Framed(_) => ahead > 0.0,
        };
        // What was overtaken says nothing.
        if !tells {
            return;
        }
        let left = left + ahead;
        let arrived = now.saturating_duration_since(self.begin).as_secs_f64();
        let way = arrived - left;
        let idle = now.saturating_duration_since(self.seen);
        // Another clock, or a source that stood still.
        if ahead > 10.0 || idle > SHORTEST_OF {
            let clock = self.clock;
            *self = Self::new(Departure { clock, ticks }, now);
            return;
        }
        (self.last, self.seen) = ((ticks, left), now);
        if now.saturating_duration_since(self.period) > SHORTEST_OF {
            self.period = now;
            self.shortest = [way, self.shortest[0]];
        }
        self.shortest[0] = self.shortest[0].min(way);
        match self.lately.back_mut() {
            // Bounded, however many come.
            Some((at, least)) if now.saturating_duration_since(*at) < STEP => {
                *least = least.min(way)
            }
            Some(_) | None => self.lately.push_back((now, way)),
        }
    }

    /// How long frames wait in queues; `None` while too little is known.
    pub(super) fn wait(&mut self, now: Instant) -> Option<Wait> {
        let is_old = |at: Instant| now.saturating_duration_since(at) > WATCHED;
        // A source that has stopped says nothing more.
        if is_old(self.seen) {
            return None;
        }
        while self.lately.get(1).is_some_and(|(at, _)| is_old(*at)) {
            self.lately.pop_front();
        }
        let shortest = self.shortest[0].min(self.shortest[1]);
        if let Some(least) = self.overfull(shortest, now) {
            let queue = Queue::Overfull;
            return Some(Wait { least, queue });
        }
        let full = self.lately.front().is_some_and(|(at, _)| is_old(*at));
        let ways = || self.lately.iter().map(|(_, way)| *way);
        let (least, most) = (ways().reduce(f64::min)?, ways().reduce(f64::max)?);
        let wait = least - shortest;
        // Where ways differ much, few of them tell less.
        let standing = wait > STANDING + (most - least) / 2.0;
        full.then_some(Wait {
            least: wait,
            queue: if standing {
                Queue::Standing
            } else {
                Queue::Fair
            },
        })
    }

    /// The least wait of the last packets, if it is far too long. When their frames were taken does not say that: large ones
    /// may wait as long before they leave.
    fn overfull(&self, shortest: f64, now: Instant) -> Option<f64> {
        if self.clock != DepartureClock::Said {
            return None;
        }
        let is_new = |at: Instant| now.saturating_duration_since(at) <= OVERFULL_FOR;
        let newest = || self.lately.iter().rev().take_while(|(at, _)| is_new(*at));
        let (first, _) = newest().last()?;
        let lasts = now.saturating_duration_since(*first) >= OVERFULL_FOR * 2 / 3;
        let least = newest().map(|(_, way)| way - shortest).reduce(f64::min)?;
        (lasts && newest().count() >= OVERFULL_ARRIVALS && least > OVERFULL).then_some(least)
    }
}

/// What the last frames tell of the queues on their way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Wait {
    /// The least time in them, in seconds.
    pub(super) least: f64,
    pub(super) queue: Queue,
}

impl Wait {
    pub(super) fn worse(self, other: Self) -> Self {
        Self {
            least: self.least.max(other.least),
            queue: self.queue.max(other.queue),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Queue {
    Fair,
    /// It does not empty.
    Standing,
    /// It is about to overflow.
    Overfull,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_time::start;

    #[test]
    fn a_departure_that_is_written_is_read_over_every_round_of_its_clock() {
        let at = |ms: u64| Departure::said(Departure::write(Duration::from_millis(ms)));
        for ms in [0, 1, 500, 63_999, 64_000, 130_000, u64::MAX / 2_000_000] {
            let ticks = at(ms + 20).ticks.wrapping_sub(at(ms).ticks) as i32;
            let seconds = DepartureClock::Said.seconds(ticks);
            assert!((seconds - 0.020).abs() < 0.000_01, "{ms}: {seconds}");
        }
    }

    const MS: Duration = Duration::from_millis(1);

    /// What is seen at the end of packets that left every 10 ms, each of which took so many milliseconds.
    fn seen(ways: impl IntoIterator<Item = u32>) -> Option<Queue> {
        let begin = start();
        let mut coming: Vec<_> = (0..)
            .zip(ways)
            .map(|(number, way)| (10 * number + way, 10 * number))
            .collect();
        coming.sort();
        let mut source = None;
        let mut worst = None;
        for (at, left) in coming {
            let now = begin + at * MS;
            let left = Departure::said(Departure::write(left * MS));
            let source = source.get_or_insert_with(|| WatchedSource::new(left, now));
            source.packet(left.ticks, now);
            worst = worst.max(source.wait(now).map(|wait| wait.queue));
        }
        worst
    }

    #[test]
    fn a_queue_that_grows_is_seen_before_it_overflows() {
        let still = || std::iter::repeat_n(20, 100);
        let grows = |most: u32| still().chain((20..most).step_by(8));
        assert_eq!(seen(still()), Some(Queue::Fair));
        assert_eq!(seen(grows(60)), Some(Queue::Fair));
        assert_eq!(seen(grows(150)), Some(Queue::Overfull));
    }

    #[test]
    fn what_a_network_held_up_and_gives_at_once_is_no_queue() {
        let still = || std::iter::repeat_n(20, 100);
        let held = |time: u32| (0..time).step_by(10).map(move |since| 20 + time - since);
        for time in [100, 200, 400] {
            assert_eq!(
                seen(still().chain(held(time)).chain(still())),
                Some(Queue::Fair),
                "{time}"
            );
        }
    }

    #[test]
    fn a_source_that_has_stopped_says_nothing_more() {
        let now = start();
        let mut source = WatchedSource::new(Departure::framed(1, 0), now);
        for frame in 1..30_u32 {
            source.packet(frame * 3_000, now + frame * 40 * MS);
        }
        assert!(
            source
                .wait(now + 1_160 * MS)
                .is_some_and(|wait| wait.queue == Queue::Standing)
        );
        assert_eq!(source.wait(now + 2_000 * MS), None);
    }
}
