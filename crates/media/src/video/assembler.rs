//! From packets to whole frames in order.

use ::video::EncodedFrame;
use std::mem;
use std::time::{Duration, Instant};

use super::arrivals::{Loss, PacketArrivals, Placement, Run, Slot, VideoPacket};
use super::parameter_sets::ParameterSets;
use super::payload::{CLOCK, Joined, PayloadError, join, learn, look, ticks};
use super::wishes::KeyFrameWish;

/// A packet that so many milliseconds did not bring is lost, not overtaken.
const REORDERED: Duration = Duration::from_millis(10);
/// The round trip until one is measured.
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// What a peer needs beside the way, to send again.
const ANSWERS: Duration = Duration::from_millis(10);
/// What is missing by then is asked for at once: each request takes of the peer's network, and most where it is narrow.
const TOGETHER: Duration = Duration::from_millis(10);
/// How often a packet is asked for.
const MOST_TRIES: u32 = 8;
/// Of ten packets one is lost on bad paths. Each request is therefore repeated, so far apart. Who answered the first within
/// a round trip, which is longer than this, takes the second for a repetition; on a shorter way the next try comes as soon.
const COPY_AFTER: Duration = Duration::from_millis(10);
/// Where the next try comes so much later, pictures stand still until then: each request is made three times.
const FAR: Duration = Duration::from_millis(80);
/// Of ten tries one fails then, for want of an answer: three of them fail once in a thousand times. Until then each follows
/// after a round trip, and after that later and later.
const PROMPT_TRIES: u32 = 3;
/// Nobody waits longer between two requests for a packet.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// As many as one request has room for, all within each other's reach: more are a break, and want a key frame.
const MOST_ASKED: usize = 256;
/// How long a lost packet is waited for before a key frame is wished.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(120), Duration::from_millis(600));
/// Without feedback only what was overtaken comes.
const PATIENCE_UNHEARD: Duration = Duration::from_millis(40);
/// A frame whose end does not come has lost it, if nothing comes at all: at 50 kbit/s a packet takes so long.
const TAIL: Duration = Duration::from_millis(200);
/// So many ends in a row are asked for and not more: a source may have been stopped within a frame.
const MOST_TAILS: u32 = 2;

/// What became of a stream's packets and frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounts {
    /// Whole frames given.
    pub frames: u64,
    /// Of these, key frames.
    pub key_frames: u64,
    /// Frames that came, in part or whole, and could not be given.
    pub dropped: u64,
    /// Packets that came twice or too late.
    pub late: u64,
    /// Packets that can't be read.
    pub malformed: u64,
}

/// A whole frame.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// With its time since the first frame, by the sender's clock.
    pub frame: EncodedFrame,
    /// The same as its RTP timestamp.
    pub timestamp: u32,
}

/// Puts the packets of one stream together.
///
/// It gives whole frames only, in order, each of which can be decoded after those before it. A lost packet is asked for
/// again; once that takes too long, the next key frame goes on. Bounded by 1,024 packets, about 1.5 MB.
#[derive(Debug)]
pub struct Assembler<P> {
    ssrc: u32,
    arrivals: Option<PacketArrivals<P>>,
    /// Whether the next frame continues what was given; otherwise a key frame must.
    chained: bool,
    unchained_since: Option<Instant>,
    /// Until then, packets that were sent before the very first one may come.
    first_may_come: Option<Instant>,
    /// The packet that was too far from all others.
    strange: Option<u16>,
    last_arrival: Option<Instant>,
    tails: u32,
    /// The time of the frame that was counted as dropped last.
    discarded: Option<u32>,
    resends: bool,
    round_trip: Option<Duration>,
    next_request: Option<Instant>,
    requested: Option<Instant>,
    wish: KeyFrameWish,
    sets: ParameterSets,
    clock: Clock,
    joined: Vec<u8>,
    /// What became of it all.
    pub counts: FrameCounts,
}

impl<P> Default for Assembler<P> {
    fn default() -> Self {
        Self {
            ssrc: 0,
            arrivals: None,
            chained: false,
            unchained_since: None,
            first_may_come: None,
            strange: None,
            last_arrival: None,
            tails: 0,
            discarded: None,
            resends: false,
            round_trip: None,
            next_request: None,
            requested: None,
            wish: KeyFrameWish::default(),
            sets: ParameterSets::default(),
            clock: Clock::default(),
            joined: Vec::new(),
            counts: FrameCounts::default(),
        }
    }
}

impl<P: AsRef<[u8]>> Assembler<P> {
    /// Says whether the peer sends again what it is asked for (`nack`).
    pub fn set_resends(&mut self, resends: bool) {
        self.resends = resends;
    }

    /// Says how long the way to the peer and back takes.
    pub fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = Some(round_trip);
    }

    /// Takes a packet. One of another source or far from all others begins anew.
    ///
    /// # Errors
    /// When its payload can't be read. Its frame is lost then.
    pub fn push(&mut self, packet: VideoPacket<P>, now: Instant) -> Result<(), PayloadError> {
        if self.arrivals.is_none() || self.ssrc != packet.ssrc {
            self.restart(&packet, now);
        }
        self.last_arrival = Some(now);
        let payload = packet.payload.as_ref();
        let looked = look(packet.codec, payload);
        let (sequence, timestamp, marker) = (packet.sequence, packet.timestamp, packet.marker);
        let slot = match looked {
            _ if payload.is_empty() => Slot::Filler { timestamp },
            Ok(look) => {
                learn(packet.codec, payload, &mut self.sets);
                Slot::Packet { packet, look }
            }
            Err(_) => {
                self.counts.malformed += 1;
                Slot::Broken { timestamp, marker }
            }
        };
        let is_filler = matches!(slot, Slot::Filler { .. });
        self.insert(sequence, slot, now);
        match looked {
            Err(error) if !is_filler => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn insert(&mut self, sequence: u16, slot: Slot<P>, now: Instant) {
        let Some(arrivals) = &mut self.arrivals else {
            return;
        };
        let (before, had_missing) = (arrivals.len(), arrivals.has_missing());
        match arrivals.insert(sequence, slot, now) {
            Placement::Taken => {
                self.strange = None;
                self.tails = if arrivals.len() > before {
                    0
                } else {
                    self.tails
                };
                if arrivals.has_missing() && (!had_missing || arrivals.len() > before + 1) {
                    let soon = now + REORDERED;
                    let soon = self.next_request.map_or(soon, |at| at.min(soon));
                    self.next_request = Some(self.together(soon));
                }
            }
            Placement::Late => self.counts.late += 1,
            Placement::Strange => self.take_strange(sequence, now),
        }
        if self.arrivals.as_ref().is_some_and(PacketArrivals::is_full) {
            self.give_up(now);
        }
    }

    /// RFC 3550 §A.1: a second packet that follows it shows that the stream goes on there.
    fn take_strange(&mut self, sequence: u16, now: Instant) {
        if self.strange.map(|s| s.wrapping_add(1)) == Some(sequence) {
            self.discard(usize::MAX);
            self.arrivals = Some(PacketArrivals::new(sequence.wrapping_add(1)));
            self.unchain(now);
            self.strange = None;
        } else {
            self.strange = Some(sequence);
        }
    }

    fn restart(&mut self, packet: &VideoPacket<P>, now: Instant) {
        if self.ssrc != packet.ssrc {
            self.discard(usize::MAX);
            self.sets.clear();
            self.clock.restart();
        }
        self.ssrc = packet.ssrc;
        self.arrivals = Some(PacketArrivals::new(packet.sequence));
        self.strange = None;
        self.next_request = None;
        self.first_may_come = Some(now + REORDERED);
        self.unchain(now);
    }

    /// Goes on behind all that has come.
    fn give_up(&mut self, now: Instant) {
        self.discard(usize::MAX);
        self.unchain(now);
    }

    /// Removes the first slots, and counts their frames.
    fn discard(&mut self, count: usize) {
        let Some(arrivals) = &mut self.arrivals else {
            return;
        };
        for timestamp in arrivals.timestamps(count) {
            let known = self.discarded.replace(timestamp) == Some(timestamp);
            self.counts.dropped += u64::from(!known);
        }
        arrivals.remove(count);
    }

    fn unchain(&mut self, now: Instant) {
        self.chained = false;
        self.unchained_since = Some(now);
    }

    /// Gives the next frame, if it is whole.
    pub fn pop(&mut self, now: Instant) -> Option<Assembled> {
        loop {
            self.seek(now);
            let impatient = self.is_impatient(now);
            let arrivals = self.arrivals.as_mut()?;
            match arrivals.head() {
                Run::Complete { end, key, whole } => {
                    if whole && (key || self.chained) {
                        if let Some(frame) = self.take(end, now) {
                            return Some(frame);
                        }
                    } else {
                        self.drop(end, now);
                    }
                }
                Run::Open { .. } => {
                    // Without what came before, nothing but a key frame can be given: it waits for nothing.
                    if self.chained && !impatient {
                        return None;
                    }
                    let at = arrivals.later_key_frame()?;
                    self.discard(at);
                }
            }
        }
    }

    /// Removes what stands before the next frame that may be given.
    fn seek(&mut self, now: Instant) {
        let patience = self.patience();
        while let Some(arrivals) = &mut self.arrivals {
            let begins = arrivals.first_begins();
            let useless = match arrivals.first() {
                None => return,
                Some(Slot::Filler { .. }) => true,
                Some(Slot::Missing(loss)) => !self.chained && now >= loss.noticed + patience,
                // What was sent before the very first packet may have been overtaken by it.
                Some(Slot::Packet { .. })
                    if !begins && self.first_may_come.is_some_and(|at| now < at) =>
                {
                    return;
                }
                Some(Slot::Broken { .. } | Slot::Packet { .. }) => {
                    !self.chained && (!begins || arrivals.head().is_delta())
                }
            };
            if !useless {
                return;
            }
            self.discard(1);
        }
    }

    /// Takes the first slots as a frame.
    fn take(&mut self, end: usize, now: Instant) -> Option<Assembled> {
        let arrivals = self.arrivals.as_mut()?;
        let Some(Slot::Packet { packet, .. }) = arrivals.first() else {
            return None;
        };
        let (codec, timestamp) = (packet.codec, packet.timestamp);
        let joined = join(codec, arrivals.payloads(end), &self.sets, &mut self.joined);
        if joined == Ok(Joined::Nothing) {
            arrivals.remove(end);
            return None;
        }
        let at = self.clock.time(timestamp, now);
        let frame = joined
            .ok()
            .and_then(|_| EncodedFrame::read(codec, at, self.joined.as_slice().into()).ok())
            .filter(|frame| frame.key || self.chained);
        let Some(frame) = frame else {
            self.discard(end);
            self.unchain(now);
            return None;
        };
        arrivals.remove(end);
        self.chained = true;
        self.counts.frames += 1;
        self.counts.key_frames += u64::from(frame.key);
        Some(Assembled { frame, timestamp })
    }

    fn drop(&mut self, end: usize, now: Instant) {
        self.discard(end);
        if mem::take(&mut self.chained) {
            self.unchain(now);
        }
    }

    fn patience(&self) -> Duration {
        if !self.resends {
            return PATIENCE_UNHEARD;
        }
        let round_trip = self.round_trip.unwrap_or(ROUND_TRIP);
        let tries = PROMPT_TRIES * (round_trip + ANSWERS) + REORDERED;
        tries.clamp(PATIENCE.0, PATIENCE.1)
    }

    fn is_impatient(&mut self, now: Instant) -> bool {
        self.wished_at().is_some_and(|at| at <= now)
    }

    /// From when on a key frame is wished for.
    fn wished_at(&mut self) -> Option<Instant> {
        let patience = self.patience();
        let since = self.unchained_since.filter(|_| !self.chained);
        let arrivals = self.arrivals.as_mut()?;
        let empty = arrivals.first().is_none();
        match arrivals.head() {
            // It is on its way.
            Run::Open {
                lost: None,
                key: Some(true),
            } => None,
            Run::Open {
                lost: Some(lost),
                key,
            } if self.chained || key == Some(true) => Some(lost + patience),
            // Perhaps it begins with what was overtaken.
            Run::Open { key: None, .. } if !empty => since.max(since.and(self.first_may_come)),
            Run::Open { .. } | Run::Complete { .. } => since,
        }
    }

    /// Whether the peer should be asked for a key frame now; ask after [`pop`](Self::pop), and send it if so.
    pub fn wants_key_frame(&mut self, now: Instant) -> bool {
        let wished = self.wished_at();
        let round_trip = self.round_trip.unwrap_or(ROUND_TRIP);
        self.wish.is_due(wished, round_trip, now)
    }

    /// Writes into `list` the sequence numbers that the peer should send again now.
    pub fn missing(&mut self, list: &mut Vec<u16>, now: Instant) {
        list.clear();
        if !self.resends {
            return;
        }
        self.probe_tail(now);
        if self.next_request.is_none_or(|at| now < at) {
            return;
        }
        let pause = self.round_trip.unwrap_or(ROUND_TRIP) + ANSWERS;
        let Some(arrivals) = &mut self.arrivals else {
            return;
        };
        let mut next = None;
        for (sequence, loss) in arrivals.losses() {
            let Some(mut due) = due(loss, pause) else {
                continue;
            };
            if due <= now && list.len() < MOST_ASKED {
                list.push(sequence);
                loss.asked = Some(now);
                if is_copy(loss, pause) {
                    loss.copies += 1;
                } else {
                    loss.tries += 1;
                    loss.copies = 0;
                }
                let Some(again) = self::due(loss, pause) else {
                    continue;
                };
                due = again;
            }
            next = Some(next.map_or(due, |at: Instant| at.min(due)));
        }
        if !list.is_empty() {
            self.requested = Some(now);
        }
        self.next_request = next.map(|at| self.together(at));
    }

    /// When what is due then is asked for.
    fn together(&self, at: Instant) -> Instant {
        self.requested.map_or(at, |last| at.max(last + TOGETHER))
    }

    /// Counts on the packet behind the last one, if that has to come and nothing does.
    fn probe_tail(&mut self, now: Instant) {
        if self.tail_at().is_none_or(|at| now < at) {
            return;
        }
        if let Some(arrivals) = &mut self.arrivals {
            arrivals.push_missing(now);
            self.tails += 1;
            self.next_request = Some(now);
        }
    }

    fn tail_at(&self) -> Option<Instant> {
        let arrivals = self.arrivals.as_ref()?;
        let unended = match arrivals.last()? {
            Slot::Packet { packet, .. } => !packet.marker,
            Slot::Missing(_) => self.tails > 0,
            Slot::Filler { .. } | Slot::Broken { .. } => false,
        };
        (self.resends && unended && self.tails < MOST_TAILS)
            .then(|| self.last_arrival.map(|at| at + TAIL * (self.tails + 1)))
            .flatten()
    }

    /// When [`pop`](Self::pop), [`missing`](Self::missing) and [`wants_key_frame`](Self::wants_key_frame) have
    /// something new to say, if nothing comes.
    pub fn deadline(&mut self) -> Option<Instant> {
        let wished = self.wished_at();
        let round_trip = self.round_trip.unwrap_or(ROUND_TRIP);
        let requests = self.next_request.filter(|_| self.resends);
        [requests, self.tail_at(), self.wish.next(wished, round_trip)]
            .into_iter()
            .flatten()
            .min()
    }

    /// Octets that wait for the rest of their frames.
    pub fn octets(&self) -> usize {
        self.arrivals.as_ref().map_or(0, PacketArrivals::octets)
    }
}

/// Whether the next request for a packet repeats one that may have been lost.
fn is_copy(loss: &Loss, pause: Duration) -> bool {
    let most = match pause {
        far if far >= FAR => 2,
        near if near > COPY_AFTER + ANSWERS => 1,
        _ => 0,
    };
    loss.tries > 0 && loss.copies < most
}

/// When a packet is to be asked for next.
fn due(loss: &Loss, pause: Duration) -> Option<Instant> {
    let Some(asked) = loss.asked else {
        return Some(loss.noticed + REORDERED);
    };
    if is_copy(loss, pause) {
        return Some(asked + COPY_AFTER);
    }
    let tries = loss.tries;
    let longer = pause.saturating_mul(1 << tries.saturating_sub(PROMPT_TRIES - 1).min(8));
    let next = longer.min(LONGEST_PAUSE).max(pause);
    (tries < MOST_TRIES).then(|| asked + next - COPY_AFTER * loss.copies)
}

/// The time of frames, over every source and every round of the timestamp.
#[derive(Clone, Copy, Debug, Default)]
struct Clock {
    /// The last timestamp, its time in ticks, and when its frame was given.
    last: Option<(Option<u32>, u64, Instant)>,
}

impl Clock {
    fn time(&mut self, timestamp: u32, now: Instant) -> Duration {
        let at = match self.last {
            None => 0,
            Some((Some(last), at, _)) => {
                let difference = i64::from(timestamp.wrapping_sub(last) as i32);
                at.saturating_add_signed(difference)
            }
            // Another source: by our own clock.
            Some((None, at, given)) => {
                let since = now.saturating_duration_since(given);
                at + since.as_millis() as u64 * u64::from(CLOCK) / 1_000
            }
        };
        self.last = Some((Some(timestamp), at, now));
        ticks(at)
    }

    fn restart(&mut self) {
        if let Some((timestamp, ..)) = &mut self.last {
            *timestamp = None;
        }
    }
}
