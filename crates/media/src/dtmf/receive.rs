//! Hearing keys: each exactly once, whatever is lost, repeated or reordered.

use super::Event;
use std::time::{Duration, Instant};

/// How long no packet of an event may come before it counts as over: its end was lost three times.
const RELEASE: Duration = Duration::from_millis(250);
/// How many ended events are remembered, against late copies of their packets.
const REMEMBERED: usize = 8;
/// Of a key whose timestamp moves so many packets in a row may be lost, where its duration shows that it is one.
const MOST_LOST: u16 = 2;
/// The longest packet time in milliseconds: a key and the gap after it last longer.
const PACKET: u32 = 60;
/// No key is held longer; what goes on is reported as held so long.
const LONGEST: Duration = Duration::from_secs(60);

/// A key that was pressed and let go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// The event code.
    pub code: u8,
    /// How long it was held.
    pub duration: Duration,
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Press")
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

/// Puts key presses together from their packets.
#[derive(Debug, Default)]
pub struct Receiver {
    current: Option<Current>,
    /// The last packet of the last event.
    last: Option<LastPacket>,
    ended: [Option<(u32, u32)>; REMEMBERED],
    oldest: usize,
}

/// What the header of a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who sends it.
    pub ssrc: u32,
    /// Its sequence number.
    pub sequence: u16,
    /// When its event began.
    pub timestamp: u32,
    /// Whether it is the first of its event.
    pub marker: bool,
}

#[derive(Clone, Copy, Debug)]
struct LastPacket {
    header: Header,
    event: Event,
    clock: u32,
}

#[derive(Clone, Copy, Debug)]
struct Current {
    ssrc: u32,
    timestamp: u32,
    event: Event,
    clock: u32,
    /// How long the earlier segments lasted.
    before: Duration,
    heard: Instant,
}

impl Receiver {
    /// Takes a telephone-event packet of a payload type with `clock` Hz; gives the key that it completes.
    ///
    /// Where it begins another key before the end of the last one came, the last one is given.
    pub fn packet(
        &mut self,
        header: Header,
        payload: &[u8],
        clock: u32,
        now: Instant,
    ) -> Option<Press> {
        let event = Event::read(payload)?;
        if clock == 0 {
            return None;
        }
        let arrived = LastPacket {
            header,
            event,
            clock,
        };
        let step = self.last.and_then(|last| last.moved_to(&arrived));
        if self.last.is_none_or(|last| last.is_before(&arrived)) {
            self.last = Some(arrived);
        }
        let (ssrc, timestamp) = (header.ssrc, header.timestamp);
        if self.ended.contains(&Some((ssrc, timestamp))) {
            return None;
        }
        let Some(mut current) = self.current else {
            if step.is_some() && event.end {
                // Another copy of the end that moves on as well.
                self.remember(ssrc, timestamp);
                return None;
            }
            return self.begin(ssrc, timestamp, event, clock, now);
        };
        if current.ssrc == ssrc && current.event.code == event.code {
            if current.timestamp == timestamp {
                current.event.duration = current.event.duration.max(event.duration);
                current.event.end |= event.end;
                current.heard = now;
                return self.go_on(current);
            }
            if let Some(before) = current.continued_at(timestamp) {
                self.remember(current.ssrc, current.timestamp);
                return self.go_on(Current {
                    timestamp,
                    event,
                    before: current.before + before,
                    heard: now,
                    ..current
                });
            }
            if let Some(step) = step {
                self.remember(current.ssrc, current.timestamp);
                return self.go_on(Current {
                    timestamp,
                    event,
                    before: current.before + ticks(step.uncounted, clock),
                    heard: now,
                    ..current
                });
            }
        }
        let older = (timestamp.wrapping_sub(current.timestamp) as i32) < 0;
        if current.ssrc == ssrc && older {
            return None;
        }
        let finished = self.finish(current);
        // A lone end packet of the new key must not be swallowed: its copies or the release time report it.
        let mut started = event;
        started.end = false;
        let _unfinished = self.begin(ssrc, timestamp, started, clock, now);
        finished
    }

    /// When [`release`](Self::release) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.current.map(|c| c.heard + RELEASE)
    }

    /// Gives the key whose end was lost.
    pub fn release(&mut self, now: Instant) -> Option<Press> {
        let current = self.current.filter(|c| c.heard + RELEASE <= now)?;
        self.finish(current)
    }

    fn begin(
        &mut self,
        ssrc: u32,
        timestamp: u32,
        event: Event,
        clock: u32,
        now: Instant,
    ) -> Option<Press> {
        self.go_on(Current {
            ssrc,
            timestamp,
            event,
            clock,
            before: Duration::ZERO,
            heard: now,
        })
    }

    fn go_on(&mut self, current: Current) -> Option<Press> {
        self.current = Some(current);
        if current.event.end {
            self.finish(current)
        } else {
            None
        }
    }

    fn finish(&mut self, current: Current) -> Option<Press> {
        self.current = None;
        self.remember(current.ssrc, current.timestamp);
        let last = ticks(u32::from(current.event.duration), current.clock);
        Some(Press {
            code: current.event.code,
            duration: (current.before + last).min(LONGEST),
        })
    }

    fn remember(&mut self, ssrc: u32, timestamp: u32) {
        self.ended[self.oldest] = Some((ssrc, timestamp));
        self.oldest = (self.oldest + 1) % REMEMBERED;
    }
}

/// How far the timestamp of one and the same event has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Advance {
    /// What of it the duration in the packets does not count.
    uncounted: u32,
}

impl LastPacket {
    fn is_before(&self, next: &Self) -> bool {
        let ahead = next.header.sequence.wrapping_sub(self.header.sequence) as i16;
        self.header.ssrc != next.header.ssrc || ahead > 0
    }

    /// RFC 4733 §2.5.1.2 wants one timestamp for an event; some senders let it go on with each packet. It is the same
    /// event where the next packet without a marker is as much later as it is longer, or by a packet's time.
    fn moved_to(&self, next: &Self) -> Option<Advance> {
        let (was, is) = (self.header, next.header);
        let packets = is.sequence.wrapping_sub(was.sequence);
        let same = was.ssrc == is.ssrc && self.event.code == next.event.code;
        if !same || is.marker || (self.event.end && !next.event.end) {
            return None;
        }
        let advance = is.timestamp.wrapping_sub(was.timestamp);
        let longer = next.event.duration.checked_sub(self.event.duration)?;
        if advance == 0 {
            return None;
        }
        if u32::from(longer) == advance && (1..=MOST_LOST + 1).contains(&packets) {
            return Some(Advance { uncounted: 0 });
        }
        let packet_time = advance <= next.clock / 1000 * PACKET;
        let uncounted = advance.saturating_sub(longer.into());
        (packets == 1 && packet_time).then_some(Advance { uncounted })
    }
}

impl Current {
    /// RFC 4733 §2.5.1.3: the length of this segment when another one of the same event begins at `timestamp`.
    fn continued_at(&self, timestamp: u32) -> Option<Duration> {
        let full = u32::from(u16::MAX);
        // Within one update of the full duration: the packet that reports it may be lost, and some round down.
        let near = self.clock / 10;
        let advance = timestamp.wrapping_sub(self.timestamp);
        let complete = u32::from(self.event.duration) + near >= full;
        (complete && advance <= full + near && advance + near >= full)
            .then(|| ticks(advance, self.clock))
    }
}

fn ticks(count: u32, clock: u32) -> Duration {
    Duration::from_secs_f64(f64::from(count) / f64::from(clock.max(1)))
}

#[cfg(test)]
mod tests {
    use super::super::{Clocks, Sender};
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn payload(code: u8, duration: u16, end: bool) -> [u8; 4] {
        Event {
            code,
            end,
            volume: 10,
            duration,
        }
        .write()
    }

    /// The header of a packet whose sequence number nobody looks at.
    fn at(timestamp: u32) -> Header {
        Header {
            ssrc: 1,
            sequence: 7,
            timestamp,
            marker: false,
        }
    }

    /// Hears packets 20 ms apart: timestamp, duration, end, marker; the sequence number goes on by one.
    fn heard(code: u8, packets: &[(u32, u16, bool, bool)]) -> Vec<(u8, u128)> {
        let start = crate::virtual_time::start();
        let mut receiver = Receiver::default();
        let mut heard = Vec::new();
        let mut now = start;
        for (index, (timestamp, duration, end, marker)) in packets.iter().enumerate() {
            now = start + Duration::from_millis(20 * index as u64);
            let header = Header {
                ssrc: 1,
                sequence: 65_534_u16.wrapping_add(index as u16),
                timestamp: timestamp.wrapping_sub(300),
                marker: *marker,
            };
            let payload = payload(code, *duration, *end);
            heard.extend(receiver.packet(header, &payload, 8_000, now));
            heard.extend(receiver.release(now));
        }
        heard.extend(receiver.release(now + RELEASE));
        let told = heard.into_iter();
        told.map(|press| (press.code, press.duration.as_millis()))
            .collect()
    }

    #[test]
    fn a_key_whose_timestamp_moves_is_one_key() {
        let moving = |duration: fn(u32) -> u16, ends: fn(u32) -> u32| -> Vec<_> {
            let sounding = (0..5).map(|n| (n * 160, duration(n), false, n == 0));
            let ending = (0..3).map(|n| (ends(n), duration(4), true, false));
            sounding.chain(ending).collect()
        };
        let grows = |n: u32| (n as u16 + 1) * 160;
        for (name, packets) in [
            ("ends stand still", moving(grows, |_| 640)),
            ("ends move too", moving(grows, |n| 800 + n * 160)),
            ("one duration", moving(|_| 160, |n| 800 + n * 160)),
            ("one duration, ends stand still", moving(|_| 160, |_| 640)),
            ("no duration", moving(|_| 0, |n| 800 + n * 160)),
        ] {
            let keys = heard(6, &packets);
            assert_eq!(keys.len(), 1, "{name}: {keys:?}");
            assert_eq!(keys[0].0, 6);
            assert!((80..=140).contains(&keys[0].1), "{name}: {keys:?}");
            // No end at all, and no marker either.
            let bare: Vec<_> = packets[..5]
                .iter()
                .map(|p| (p.0, p.1, false, false))
                .collect();
            assert_eq!(heard(6, &bare).len(), 1, "{name}");
        }
    }

    #[test]
    fn a_moving_key_of_which_packets_are_lost_is_one_key() {
        let start = crate::virtual_time::start();
        let mut receiver = Receiver::default();
        let mut told = Vec::new();
        for n in [0_u16, 1, 3, 6, 7] {
            let header = Header {
                ssrc: 1,
                sequence: n,
                timestamp: u32::from(n) * 160,
                marker: n == 0,
            };
            let payload = payload(6, (n + 1) * 160, n == 7);
            let now = start + Duration::from_millis(u64::from(n) * 20);
            told.extend(receiver.packet(header, &payload, 8_000, now));
        }
        let durations: Vec<_> = told
            .iter()
            .map(|press| press.duration.as_millis())
            .collect();
        assert_eq!(durations, [160]);
    }

    #[test]
    fn a_key_that_is_pressed_twice_is_two() {
        // With its ends, without them, moving and standing still, with a marker and without.
        for marker in [true, false] {
            for ends in [3, 0] {
                for step in [160, 0] {
                    let key = |from: u32| {
                        let end = from + 4 * step;
                        let sounding =
                            (0..5).map(move |n| (from + n * step, (n as u16 + 1) * 160, false));
                        sounding
                            .chain((0..ends).map(move |_| (end, 800, true)))
                            .enumerate()
                            .map(move |(n, (at, long, end))| (at, long, end, marker && n == 0))
                    };
                    let twice: Vec<_> = key(0).chain(key(1_360)).collect();
                    let keys = heard(6, &twice);
                    assert_eq!(keys.len(), 2, "{marker} {ends} {step}: {keys:?}");
                }
            }
        }
    }

    #[test]
    fn copies_of_the_end_are_one_key() {
        let now = crate::virtual_time::start();
        let mut receiver = Receiver::default();
        assert_eq!(
            receiver.packet(at(100), &payload(5, 160, false), 8_000, now),
            None
        );
        let press = receiver
            .packet(at(100), &payload(5, 800, true), 8_000, now)
            .unwrap();
        assert_eq!((press.code, press.duration.as_millis()), (5, 100));
        for _ in 0..2 {
            assert_eq!(
                receiver.packet(at(100), &payload(5, 800, true), 8_000, now),
                None
            );
        }
        assert_eq!(
            receiver.packet(at(100), &payload(5, 160, false), 8_000, now),
            None
        );
        assert_eq!(receiver.deadline(), None);
    }

    #[test]
    fn a_key_whose_end_is_lost_is_released_in_time() {
        let now = crate::virtual_time::start();
        let mut receiver = Receiver::default();
        receiver.packet(at(100), &payload(5, 480, false), 8_000, now);
        assert_eq!(receiver.release(now), None);
        let due = receiver.deadline().unwrap();
        assert_eq!(receiver.release(due).unwrap().duration.as_millis(), 60);
        assert_eq!(
            receiver.packet(at(100), &payload(5, 800, true), 8_000, due),
            None
        );
    }

    #[test]
    fn the_next_key_ends_one_whose_end_is_lost() {
        let now = crate::virtual_time::start();
        let mut receiver = Receiver::default();
        receiver.packet(at(100), &payload(5, 480, false), 8_000, now);
        assert_eq!(
            receiver
                .packet(at(2_000), &payload(5, 160, false), 8_000, now)
                .unwrap()
                .code,
            5
        );
        assert_eq!(
            receiver
                .packet(at(2_000), &payload(5, 800, true), 8_000, now)
                .unwrap()
                .code,
            5
        );
    }

    #[test]
    fn short_payloads_and_strangers_never_panic() {
        let now = crate::virtual_time::start();
        let mut receiver = Receiver::default();
        assert_eq!(receiver.packet(at(1), &[1, 2, 3], 8_000, now), None);
        assert_eq!(receiver.packet(at(1), &payload(1, 1, true), 0, now), None);
    }

    /// Sends `keys`, loses and reorders packets, and gives what is heard.
    fn through(clocks: Clocks, loss: f64, seed: u64, keys: &[(u8, u64)]) -> Vec<(u8, u128)> {
        let mut rng = StdRng::seed_from_u64(seed);
        let start = crate::virtual_time::start();
        let mut sender = Sender::default();
        for (code, ms) in keys {
            sender.press(*code, Duration::from_millis(*ms), Duration::from_millis(70));
        }
        let mut receiver = Receiver::default();
        let mut late = Vec::new();
        let mut sequence = 65_500_u16;
        let mut heard = Vec::new();
        for tick in 0..(keys.iter().map(|k| k.1 / 10 + 10).sum::<u64>() + 50) {
            let now = start + Duration::from_millis(tick * 10);
            let arriving: Vec<_> = std::mem::take(&mut late);
            let rtp = 4_294_900_000_u32.wrapping_add(tick as u32 * clocks.audio / 100);
            let mut fresh = Vec::new();
            for packet in sender.tick(rtp, clocks, 2).into_iter().flatten() {
                sequence = sequence.wrapping_add(1);
                let header = Header {
                    ssrc: 7,
                    sequence,
                    timestamp: packet.timestamp,
                    marker: packet.marker,
                };
                let packet = (header, packet.payload);
                if rng.random_bool(loss) {
                    continue;
                }
                if rng.random_bool(0.1) {
                    late.push(packet)
                } else {
                    fresh.push(packet)
                }
            }
            for packet in fresh.into_iter().chain(arriving) {
                heard.extend(receiver.packet(packet.0, &packet.1, clocks.event, now));
            }
            heard.extend(receiver.release(now));
        }
        heard
            .into_iter()
            .map(|p| (p.code, p.duration.as_millis()))
            .collect()
    }

    #[test]
    fn without_loss_keys_arrive_with_their_duration_on_every_clock() {
        for rate in [8_000, 16_000, 48_000] {
            let clocks = Clocks {
                audio: rate,
                event: rate,
            };
            let heard = through(clocks, 0.0, 1, &[(1, 100), (1, 40), (15, 4_000), (0, 250)]);
            assert_eq!(heard, [(1, 100), (1, 40), (15, 4_000), (0, 250)], "{rate}");
        }
    }

    #[test]
    fn under_ten_percent_loss_every_key_arrives_exactly_once() {
        let keys: Vec<(u8, u64)> = (0..40).map(|i| (i % 16, 100)).collect();
        for seed in 0..50 {
            let heard = through(
                Clocks {
                    audio: 48_000,
                    event: 48_000,
                },
                0.1,
                seed,
                &keys,
            );
            let codes: Vec<u8> = heard.iter().map(|h| h.0).collect();
            assert_eq!(
                codes,
                keys.iter().map(|k| k.0).collect::<Vec<_>>(),
                "seed {seed}"
            );
        }
    }
}
