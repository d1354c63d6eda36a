//! Packets in the order of playing, on one timeline over changes of SSRC and clock.

use super::{PER_MS, TIMELINE};
use std::collections::VecDeque;

/// The most packets that wait: five seconds of 20 ms each, beyond any delay that people bear.
const CAPACITY: usize = 256;
/// Timestamps further apart than this do not belong to one timeline: the sender started anew.
const LONGEST_JUMP: i64 = 10_000 * PER_MS;
/// Sequence numbers further apart than this do not either (RFC 3550 §A.1).
const LARGEST_STEP: i64 = 3_000;
/// Where timelines begin: far enough from 0 for packets older than the first.
const ORIGIN: i64 = 1 << 40;
/// How many sequence numbers of packets without sound are remembered.
const SILENT: usize = 64;

/// What a packet holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Sound,
    /// How a pause sounds that begins with it (RFC 3389).
    Noise,
}

/// One packet that waits.
#[derive(Debug)]
pub(super) struct BufferSlot<P, C> {
    /// When it begins, on the timeline.
    pub(super) position: i64,
    /// How long it lasts, on the timeline.
    pub(super) duration: i64,
    /// Its place in the order of sending, over changes of SSRC.
    pub(super) index: i64,
    pub(super) codec: C,
    pub(super) content: Content,
    pub(super) payload: P,
}

impl<P, C> BufferSlot<P, C> {
    pub(super) fn end(&self) -> i64 {
        self.position + self.duration
    }
}

/// How a packet names itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp {
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    /// The RTP clock in Hz.
    pub(super) clock: u32,
}

/// Where a packet belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) position: i64,
    pub(super) index: i64,
    /// Whether this begins a new stretch of the timeline, whose delays say nothing about the old one's.
    pub(super) anew: bool,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    Stored,
    /// Stored, for which the oldest one had to go.
    Displacing,
    Duplicate,
    /// Its time has passed.
    Late,
}

/// The last packet of a source, from which the next one is placed.
#[derive(Clone, Copy, Debug)]
struct Anchor {
    stamp: Stamp,
    position: i64,
    index: i64,
}

#[derive(Debug)]
pub(super) struct Buffer<P, C> {
    slots: VecDeque<BufferSlot<P, C>>,
    /// The source that sends now, and the one before it, whose last packets may still come.
    anchors: [Option<Anchor>; 2],
    /// The end of the newest packet ever stored, and its index.
    newest: Option<(i64, i64)>,
    silent: [Option<i64>; SILENT],
    silent_next: usize,
}

impl<P, C: Copy> Buffer<P, C> {
    pub(super) fn new() -> Self {
        Self {
            slots: VecDeque::with_capacity(CAPACITY),
            anchors: [None, None],
            newest: None,
            silent: [None; SILENT],
            silent_next: 0,
        }
    }

    /// Places a packet on the timeline; one that begins anew goes behind all others and not before `next`.
    pub(super) fn place(&mut self, stamp: Stamp, next: Option<i64>) -> Place {
        let known = self.anchors.iter().position(|a| {
            a.is_some_and(|a| a.stamp.ssrc == stamp.ssrc && a.stamp.clock == stamp.clock)
        });
        if let Some(which) = known
            && let Some(place) = self.follow(which, stamp)
        {
            return place;
        }
        self.begin(stamp, next)
    }

    fn follow(&mut self, which: usize, stamp: Stamp) -> Option<Place> {
        let anchor = self.anchors[which].as_mut()?;
        let ticks = i64::from(stamp.timestamp.wrapping_sub(anchor.stamp.timestamp) as i32);
        let later = ticks * i64::from(TIMELINE / stamp.clock.max(1));
        let steps = i64::from(stamp.sequence.wrapping_sub(anchor.stamp.sequence) as i16);
        if later.abs() > LONGEST_JUMP || steps.abs() > LARGEST_STEP {
            return None;
        }
        let place = Place {
            position: anchor.position + later,
            index: anchor.index + steps,
            anew: false,
        };
        if steps > 0 {
            *anchor = Anchor {
                stamp,
                position: place.position,
                index: place.index,
            };
        }
        Some(place)
    }

    fn begin(&mut self, stamp: Stamp, next: Option<i64>) -> Place {
        let (end, index) = self.newest.unwrap_or((ORIGIN, 0));
        let place = Place {
            position: next.map_or(end, |next| next.max(end)),
            index: index + 1,
            anew: true,
        };
        self.anchors[1] = self.anchors[0];
        self.anchors[0] = Some(Anchor {
            stamp,
            position: place.position,
            index: place.index,
        });
        place
    }

    /// The source that sends now, and what its RTP clock says at a position.
    pub(super) fn time_at(&self, position: i64) -> Option<(u32, u32, u32)> {
        let anchor = self.anchors[0]?;
        let Stamp {
            ssrc,
            timestamp,
            clock,
            ..
        } = anchor.stamp;
        let ticks = (position - anchor.position) * i64::from(clock) / i64::from(TIMELINE);
        Some((ssrc, timestamp.wrapping_add(ticks as u32), clock))
    }

    /// Whether a packet of a source that is known already would be of use: its time has not passed, and nothing that
    /// came stands in its place.
    pub(super) fn lacks(&self, stamp: Stamp, duration: i64, next: Option<i64>) -> bool {
        let mut known = self.anchors.iter().flatten();
        let Some(anchor) =
            known.find(|a| a.stamp.ssrc == stamp.ssrc && a.stamp.clock == stamp.clock)
        else {
            return false;
        };
        let ticks = i64::from(stamp.timestamp.wrapping_sub(anchor.stamp.timestamp) as i32);
        let later = ticks * i64::from(TIMELINE / stamp.clock.max(1));
        let (begin, end) = (anchor.position + later, anchor.position + later + duration);
        let is_past = next.is_some_and(|next| begin < next);
        let is_taken = |slot: &BufferSlot<P, C>| slot.position < end && begin < slot.end();
        later.abs() <= LONGEST_JUMP && !is_past && !self.slots.iter().any(is_taken)
    }

    /// Notes that a packet of the stream carries no sound, so that its number does not count as lost.
    pub(super) fn note_silent(&mut self, ssrc: u32, sequence: u16) {
        let index = self.anchors.iter().flatten().find_map(|anchor| {
            let steps = i64::from(sequence.wrapping_sub(anchor.stamp.sequence) as i16);
            (anchor.stamp.ssrc == ssrc).then_some(anchor.index + steps)
        });
        if index.is_some() {
            self.silent[self.silent_next] = index;
            self.silent_next = (self.silent_next + 1) % SILENT;
        }
    }

    /// Whether every packet between the two came, or carried no sound: the gap is silence, not loss.
    pub(super) fn is_silence_between(&self, earlier: i64, later: i64) -> bool {
        let between = later - earlier - 1;
        let silent = self
            .silent
            .iter()
            .flatten()
            .filter(|index| (earlier + 1..later).contains(*index))
            .count();
        between >= 0 && silent as i64 >= between
    }

    /// Stores a packet in its place, unless its time has passed.
    pub(super) fn insert(&mut self, slot: BufferSlot<P, C>, next: Option<i64>) -> Inserted {
        if next.is_some_and(|next| slot.end() <= next) {
            return Inserted::Late;
        }
        let at = self
            .slots
            .iter()
            .rposition(|s| s.position <= slot.position)
            .map_or(0, |before| before + 1);
        let twin = at
            .checked_sub(1)
            .and_then(|before| self.slots.get(before))
            .is_some_and(|s| s.position == slot.position);
        if twin {
            return Inserted::Duplicate;
        }
        let (end, index) = self.newest.unwrap_or((slot.end(), slot.index));
        self.newest = Some((end.max(slot.end()), index.max(slot.index)));
        let full = self.slots.len() >= CAPACITY;
        self.slots.insert(at, slot);
        if full {
            self.slots.pop_front();
            return Inserted::Displacing;
        }
        Inserted::Stored
    }

    /// Lets every source begin anew with its next packet.
    pub(super) fn forget_sources(&mut self) {
        self.anchors = [None, None];
    }

    pub(super) fn head(&self) -> Option<&BufferSlot<P, C>> {
        self.slots.front()
    }

    pub(super) fn pop(&mut self) -> Option<BufferSlot<P, C>> {
        self.slots.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The end of the newest packet ever stored.
    pub(super) fn newest_end(&self) -> Option<i64> {
        self.newest.map(|(end, _)| end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS20: i64 = 20 * PER_MS;

    fn put(
        buffer: &mut Buffer<u16, ()>,
        ssrc: u32,
        sequence: u16,
        timestamp: u32,
    ) -> (Place, Inserted) {
        let stamp = Stamp {
            ssrc,
            sequence,
            timestamp,
            clock: 8_000,
        };
        let place = buffer.place(stamp, None);
        let slot = BufferSlot {
            position: place.position,
            duration: MS20,
            index: place.index,
            codec: (),
            content: Content::Sound,
            payload: sequence,
        };
        (place, buffer.insert(slot, None))
    }

    fn order(buffer: &mut Buffer<u16, ()>) -> Vec<u16> {
        std::iter::from_fn(|| buffer.pop())
            .map(|s| s.payload)
            .collect()
    }

    #[test]
    fn reordered_packets_come_out_in_order_and_duplicates_once_over_both_wraps() {
        let mut buffer = Buffer::new();
        let at = |i: u32| {
            (
                65_533_u16.wrapping_add(i as u16),
                4_294_967_000_u32.wrapping_add(i * 160),
            )
        };
        for i in [0, 2, 1, 1, 5, 4, 3, 0] {
            let (sequence, timestamp) = at(i);
            put(&mut buffer, 1, sequence, timestamp);
        }
        assert_eq!(order(&mut buffer), [65_533, 65_534, 65_535, 0, 1, 2]);
    }

    #[test]
    fn a_new_ssrc_follows_right_behind_and_the_old_ones_stragglers_keep_their_place() {
        let mut buffer = Buffer::new();
        put(&mut buffer, 1, 10, 1_000);
        put(&mut buffer, 1, 12, 1_320);
        let (place, _) = put(&mut buffer, 2, 50_000, 77);
        assert!(place.anew);
        put(&mut buffer, 1, 11, 1_160);
        put(&mut buffer, 2, 50_001, 237);
        assert_eq!(order(&mut buffer), [10, 11, 12, 50_000, 50_001]);
        assert_eq!(buffer.newest_end().unwrap() - ORIGIN, 5 * MS20);
    }

    #[test]
    fn a_jump_of_the_clock_begins_anew() {
        let mut buffer = Buffer::new();
        put(&mut buffer, 1, 10, 1_000);
        let (place, _) = put(&mut buffer, 1, 11, 900_000_000);
        assert!(place.anew);
        assert_eq!(place.position, ORIGIN + MS20);
    }

    #[test]
    fn a_gap_without_a_missing_number_is_silence() {
        let mut buffer = Buffer::new();
        let (a, _) = put(&mut buffer, 1, 10, 1_000);
        let (b, _) = put(&mut buffer, 1, 11, 9_000);
        assert!(buffer.is_silence_between(a.index, b.index));
        let (c, _) = put(&mut buffer, 1, 14, 9_480);
        assert!(!buffer.is_silence_between(b.index, c.index));
        buffer.note_silent(1, 12);
        buffer.note_silent(1, 13);
        assert!(buffer.is_silence_between(b.index, c.index));
    }

    #[test]
    fn it_never_holds_more_than_its_capacity() {
        let mut buffer = Buffer::new();
        for i in 0..5_000_u32 {
            put(&mut buffer, 1, i as u16, i * 160);
        }
        assert_eq!(buffer.len(), CAPACITY);
        for i in 0..5_000_u32 {
            put(&mut buffer, i, 0, 0);
        }
        assert_eq!(buffer.len(), CAPACITY);
    }
}
