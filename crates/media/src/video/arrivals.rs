//! The packets of a stream in the order in which they were sent, until their frames are whole.

use ::video::VideoCodec;
use std::collections::VecDeque;
use std::time::Instant;

use super::payload::{Look, Opening};

/// A key frame of a shared screen with 2560 × 1440 takes some 500.
pub(super) const MOST_PACKETS: usize = 1_024;
/// As much as fills so many packets on an ordinary path.
pub(super) const MOST_OCTETS: usize = 1_500 * MOST_PACKETS;
/// So far the first packet that comes may be behind others.
const MOST_EARLY: u64 = 64;

/// A packet as the network brought it.
#[derive(Clone, Copy, Debug)]
pub struct VideoPacket<P> {
    /// Its source.
    pub ssrc: u32,
    /// What its payload type stands for.
    pub codec: VideoCodec,
    /// Its sequence number.
    pub sequence: u16,
    /// When its frame was taken, in 1/90000 s.
    pub timestamp: u32,
    /// Whether it ends a frame.
    pub marker: bool,
    /// Its payload, without padding.
    pub payload: P,
}

/// What is known of a sequence number.
#[derive(Debug)]
pub(super) enum Slot<P> {
    Missing(Loss),
    /// It came and carries nothing (padding).
    Filler {
        timestamp: u32,
    },
    /// It came and can't be read.
    Broken {
        timestamp: u32,
        marker: bool,
    },
    Packet {
        packet: VideoPacket<P>,
        look: Look,
    },
}

/// A packet that others overtook.
#[derive(Clone, Copy, Debug)]
pub(super) struct Loss {
    pub(super) noticed: Instant,
    pub(super) asked: Option<Instant>,
    pub(super) tries: u32,
    /// How often the last request was repeated.
    pub(super) copies: u32,
}

/// Where a frame would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    /// What came before ended a frame, or nothing did.
    Frame,
    /// What came before belongs to a frame of this time.
    Inside(u32),
    /// What came before is not known.
    Unknown,
}

/// The packets from one place on that may be one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// All packets up to `end` came; `whole` unless one can't be read or the beginning is not among them.
    Complete { end: usize, key: bool, whole: bool },
    /// It goes on; `lost` since then, if it does so with a packet that others overtook.
    Open {
        lost: Option<Instant>,
        key: Option<bool>,
    },
}

impl Run {
    /// Whether it goes on and is no key frame.
    pub(super) fn is_delta(self) -> bool {
        match self {
            Self::Open { key, .. } => key == Some(false),
            Self::Complete { .. } => false,
        }
    }
}

/// How far a frame was followed.
#[derive(Clone, Debug)]
struct Progress {
    /// The next slot to look at.
    at: usize,
    /// Its time and codec.
    of: Option<(u32, Option<VideoCodec>)>,
    key: Option<bool>,
    whole: bool,
}

impl Progress {
    fn complete(&self) -> Run {
        Run::Complete {
            end: self.at,
            key: self.key == Some(true),
            whole: self.whole,
        }
    }
}

/// Where a packet went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    Taken,
    /// It came before, or its frame was given or given up.
    Late,
    /// It is so far from all others that it waits for another one to bear it out.
    Strange,
}

/// What has come and was not given.
#[derive(Debug)]
pub(super) struct PacketArrivals<P> {
    /// The number of the first slot, extended by its cycles.
    base: u64,
    slots: VecDeque<Slot<P>>,
    octets: usize,
    missing: usize,
    edge: Edge,
    /// Nothing was removed yet, so that what was sent before the first packet may still come.
    fresh: bool,
    /// How far the first frame was followed.
    progress: Option<Progress>,
    /// The source says where its frames end.
    marks: bool,
}

impl<P: AsRef<[u8]>> PacketArrivals<P> {
    pub(super) fn new(sequence: u16) -> Self {
        Self {
            base: u64::from(sequence) + (1 << 16),
            slots: VecDeque::new(),
            octets: 0,
            missing: 0,
            edge: Edge::Frame,
            fresh: true,
            progress: None,
            marks: false,
        }
    }

    /// Puts a slot where it belongs.
    pub(super) fn insert(&mut self, sequence: u16, slot: Slot<P>, now: Instant) -> Placement {
        let next = self.base + self.slots.len() as u64;
        let ahead = i64::from(sequence.wrapping_sub(next as u16) as i16);
        if ahead.unsigned_abs() > MOST_PACKETS as u64 {
            return Placement::Strange;
        }
        let number = next.saturating_add_signed(ahead);
        if number < self.base && !self.reach_back(number, now) {
            return Placement::Late;
        }
        let index = (number - self.base) as usize;
        while self.slots.len() <= index {
            self.push_missing(now);
        }
        if !matches!(self.slots[index], Slot::Missing(_)) {
            return Placement::Late;
        }
        self.missing -= 1;
        self.octets += octets(&slot);
        self.marks |= matches!(&slot, Slot::Packet { packet, .. } if packet.marker);
        self.slots[index] = slot;
        Placement::Taken
    }

    /// Makes room for a packet that was sent before the first one that came.
    fn reach_back(&mut self, number: u64, now: Instant) -> bool {
        if !self.fresh || self.base - number > MOST_EARLY {
            return false;
        }
        while self.base > number {
            self.slots.push_front(Slot::Missing(Loss::new(now)));
            self.missing += 1;
            self.base -= 1;
        }
        self.progress = None;
        true
    }

    /// Counts on a packet that nobody has seen.
    pub(super) fn push_missing(&mut self, now: Instant) {
        self.slots.push_back(Slot::Missing(Loss::new(now)));
        self.missing += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.slots.len() > MOST_PACKETS || self.octets > MOST_OCTETS
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn octets(&self) -> usize {
        self.octets
    }

    pub(super) fn has_missing(&self) -> bool {
        self.missing > 0
    }

    pub(super) fn first(&self) -> Option<&Slot<P>> {
        self.slots.front()
    }

    pub(super) fn last(&self) -> Option<&Slot<P>> {
        self.slots.back()
    }

    /// The packets that others overtook, with their sequence numbers.
    pub(super) fn losses(&mut self) -> impl Iterator<Item = (u16, &mut Loss)> {
        let base = self.base;
        let numbered = self.slots.iter_mut().enumerate();
        numbered.filter_map(move |(at, slot)| match slot {
            Slot::Missing(loss) => Some(((base + at as u64) as u16, loss)),
            Slot::Filler { .. } | Slot::Broken { .. } | Slot::Packet { .. } => None,
        })
    }

    /// The frame that begins with the first slot.
    pub(super) fn head(&mut self) -> Run {
        // Before its first packet came, nothing is known of it.
        let progress = self.progress.take().filter(|progress| progress.at > 0);
        let mut progress = progress.unwrap_or_else(|| self.begin(0));
        let run = self.run(&mut progress);
        self.progress = Some(progress);
        run
    }

    /// Where the first whole key frame begins that is not the first frame.
    pub(super) fn later_key_frame(&self) -> Option<usize> {
        let mut at = 1;
        while at < self.slots.len() {
            let mut progress = self.begin(at);
            match self.run(&mut progress) {
                Run::Complete { key, whole, .. } if key && whole => return Some(at),
                Run::Complete { end, .. } => at = end.max(at + 1),
                // No frame ends before what is missing: each slot is looked at once.
                Run::Open { .. } => at = progress.at + 1,
            }
        }
        None
    }

    fn begin(&self, at: usize) -> Progress {
        Progress {
            at,
            of: None,
            key: None,
            whole: self.begins(at),
        }
    }

    /// Follows a frame as far as it has come.
    fn run(&self, progress: &mut Progress) -> Run {
        while let Some(slot) = self.slots.get(progress.at) {
            let (timestamp, codec, marker) = match slot {
                Slot::Missing(loss) => {
                    return Run::Open {
                        lost: Some(loss.noticed),
                        key: progress.key,
                    };
                }
                Slot::Filler { timestamp } => (*timestamp, None, false),
                Slot::Broken { timestamp, marker } => (*timestamp, None, *marker),
                Slot::Packet { packet, .. } => {
                    (packet.timestamp, Some(packet.codec), packet.marker)
                }
            };
            let of = *progress.of.get_or_insert((timestamp, codec));
            if of.0 != timestamp {
                // RFC 7741 §4.1: the marker MUST end a frame, so that one without it was never sent to its end. RFC 6184
                // §5.1: nobody may rely on it; there, fragments tell.
                let mut ended = progress.clone();
                ended.whole &= !(self.marks && of.1 == Some(VideoCodec::Vp8));
                return ended.complete();
            }
            match slot {
                Slot::Packet { look, .. } => {
                    progress.key = progress.key.max(look.key);
                    progress.whole &= of.1 == codec;
                }
                Slot::Broken { .. } => progress.whole = false,
                Slot::Filler { .. } | Slot::Missing(_) => {}
            }
            if marker {
                // The end stays here, should the frame be looked at again.
                let mut ended = progress.clone();
                ended.at += 1;
                return ended.complete();
            }
            progress.at += 1;
        }
        Run::Open {
            lost: None,
            key: progress.key,
        }
    }

    /// Whether a frame begins at a slot.
    fn begins(&self, at: usize) -> bool {
        let Some(Slot::Packet { packet, look }) = self.slots.get(at) else {
            return false;
        };
        let edge = match at.checked_sub(1).and_then(|before| self.slots.get(before)) {
            Some(before) => edge(before),
            None => self.edge,
        };
        match look.opening {
            Opening::Certain => true,
            Opening::Possible => match edge {
                Edge::Frame => true,
                Edge::Inside(timestamp) => timestamp != packet.timestamp,
                Edge::Unknown => false,
            },
            Opening::No => false,
        }
    }

    /// Whether the first slot may begin a frame.
    pub(super) fn first_begins(&self) -> bool {
        self.begins(0)
    }

    /// The payloads of the first slots.
    pub(super) fn payloads(&self, end: usize) -> impl Iterator<Item = &[u8]> {
        self.slots
            .range(..end.min(self.slots.len()))
            .filter_map(|slot| match slot {
                Slot::Packet { packet, .. } => Some(packet.payload.as_ref()),
                Slot::Missing(_) | Slot::Filler { .. } | Slot::Broken { .. } => None,
            })
    }

    /// The times of the first slots that came, one after another.
    pub(super) fn timestamps(&self, count: usize) -> impl Iterator<Item = u32> {
        self.slots.iter().take(count).filter_map(|slot| match slot {
            Slot::Missing(_) | Slot::Filler { .. } => None,
            Slot::Broken { timestamp, .. } => Some(*timestamp),
            Slot::Packet { packet, .. } => Some(packet.timestamp),
        })
    }

    /// Removes the first slots.
    pub(super) fn remove(&mut self, count: usize) {
        for slot in self.slots.drain(..count.min(self.slots.len())) {
            self.base += 1;
            self.octets -= octets(&slot);
            self.edge = edge(&slot);
            self.missing -= usize::from(matches!(slot, Slot::Missing(_)));
        }
        self.progress = None;
        self.fresh = false;
    }
}

impl Loss {
    fn new(noticed: Instant) -> Self {
        Self {
            noticed,
            asked: None,
            tries: 0,
            copies: 0,
        }
    }
}

fn octets<P: AsRef<[u8]>>(slot: &Slot<P>) -> usize {
    match slot {
        Slot::Packet { packet, .. } => packet.payload.as_ref().len(),
        Slot::Missing(_) | Slot::Filler { .. } | Slot::Broken { .. } => 0,
    }
}

fn edge<P>(before: &Slot<P>) -> Edge {
    let (timestamp, marker) = match before {
        Slot::Missing(_) => return Edge::Unknown,
        // Padding is sent behind a frame (RFC 3550 §5.1 leaves it open; senders fill up between frames).
        Slot::Filler { .. } => return Edge::Frame,
        Slot::Broken { timestamp, marker } => (*timestamp, *marker),
        Slot::Packet { packet, .. } => (packet.timestamp, packet.marker),
    };
    if marker {
        Edge::Frame
    } else {
        Edge::Inside(timestamp)
    }
}
