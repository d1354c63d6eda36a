//! What to play in the next 10 ms.

use super::buffer::{Buffer, BufferSlot, Content, Inserted, Stamp};
use super::counters::Counters;
use super::decoders::Decoders;
use super::delay::DelayEstimator;
use super::pace::Pace;
use super::packet::{Packet, Playing};
use super::pause::Pause;
use super::stretch::{self, Care, Pauses};
use super::{PER_MS, TIMELINE};
use crate::codec::{Codec, OpusSettings, Recovery};
use crate::thrift::Thrift;
use audio::Rate;
use std::time::Instant;

/// A tick on the timeline.
const TICK: i64 = 10 * PER_MS;
/// How far the delay may be below what is wanted before sound is drawn out; [`Pace`] says how far above.
const BELOW: i64 = 10 * PER_MS;
/// Above so much more, shortening need not be inaudible.
const HASTE: i64 = 100 * PER_MS;
/// Above so much more, packets are left out: after a stall people want to hear now, not then.
const SKIP: i64 = 400 * PER_MS;
/// After so long without a packet nothing is invented any more.
const GIVE_UP: i64 = 1_000 * PER_MS;
/// The first packet of a stream waits no longer than this, however uneven the network was before it.
const LONGEST_WAIT: i64 = 200 * PER_MS;
/// So many late packets in a row are not late: their sender's clock has moved.
const LATE_IN_A_ROW: u32 = 8;
/// A tick that is later than this is not made up for: those before it were left out.
const LATEST_TICK: i64 = 60 * PER_MS;
/// The part of a tick's lateness that is taken to last, as after a tick that was left out.
const FORGET_LATE: i64 = 32;
/// A stretched period is followed by so many times its length of untouched sound.
const REST: usize = 4;

/// A jitter buffer with its decoders.
#[derive(Debug)]
pub struct Playout<P> {
    epoch: Instant,
    buffer: Buffer<P, Codec>,
    delay: DelayEstimator,
    decoders: Decoders,
    /// Decoded and not yet given: `sound[given..]`.
    sound: Vec<i16>,
    given: usize,
    /// The place on the timeline where the decoded sound ends; `None` before the first packet plays.
    next: Option<i64>,
    last: Last,
    /// How much was invented since without knowing what was missing.
    ahead: i64,
    gap: Gap,
    pause: Pause,
    late: u32,
    /// When the last tick was due.
    ticked: i64,
    /// The next packet begins a stream and waits until it is due.
    begins: bool,
    pace: Pace,
    rest: usize,
    pauses: Pauses,
    counters: Counters,
}

/// The packet played last.
#[derive(Clone, Copy, Debug)]
struct Last {
    index: i64,
    duration: i64,
}

/// What the sound since the last packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    None,
    /// Invented in place of what was lost or is late.
    Concealed,
    /// The sender left silence out.
    Silence,
}

impl<P: AsRef<[u8]>> Playout<P> {
    /// A buffer that gives sound at `rate` until the first packet says otherwise.
    pub fn new(opus: OpusSettings, rate: Rate, now: Instant) -> Self {
        Self {
            epoch: now,
            buffer: Buffer::new(),
            delay: DelayEstimator::new(),
            decoders: Decoders::new(opus, rate),
            // The longest packet twice over: one decoded, one still to be given.
            sound: Vec::with_capacity(2 * 12 * Rate::Hz48000.samples_per_tick()),
            given: 0,
            next: None,
            last: Last {
                index: 0,
                duration: 2 * TICK,
            },
            ahead: 0,
            gap: Gap::None,
            pause: Pause::default(),
            late: 0,
            ticked: 0,
            begins: false,
            pace: Pace::Settled,
            rest: 0,
            pauses: Pauses::default(),
            counters: Counters::default(),
        }
    }

    /// The codec that plays; `None` before the first packet.
    pub fn codec(&self) -> Option<Codec> {
        self.decoders.current()
    }

    /// The rate of the sound that the next [`pull`](Self::pull) gives.
    pub fn rate(&self) -> Rate {
        self.decoders.rate()
    }

    /// What has been played so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What the next [`pull`](Self::pull) gives, by its sender's clock; `None` unless sound of a known time plays now.
    pub fn playing(&self, now: Instant) -> Option<Playing> {
        let unheard = self.timeline(self.sound.len() - self.given);
        let position = self.next? + self.ahead - unheard;
        let plays = self.at(now) - self.ticked < LATEST_TICK && self.ahead < GIVE_UP;
        let (ssrc, timestamp, clock) = self.buffer.time_at(position).filter(|_| plays)?;
        Some(Playing {
            ssrc,
            timestamp,
            clock,
        })
    }

    /// How long the sound that waits would play.
    pub fn waiting(&self) -> std::time::Duration {
        let decoded = self.timeline(self.sound.len() - self.given);
        let stored = match (self.next, self.buffer.newest_end()) {
            (Some(next), Some(end)) => (end - next).max(0),
            (None, _) | (_, None) => self.buffer.len() as i64 * self.last.duration,
        };
        std::time::Duration::from_micros((decoded + stored).max(0) as u64 * 1_000 / PER_MS as u64)
    }

    /// Leaves out what may be left out from now on, or no longer.
    pub fn set_thrift(&mut self, thrift: Thrift) {
        self.decoders.set_thrift(thrift);
    }

    /// Prepares to play `codec` first.
    pub fn expect(&mut self, codec: Codec) {
        if self.decoders.current().is_none() {
            self.decoders.select(codec);
        }
    }

    /// Gives the packet that was sent `steps` packets and `offset` ticks of the RTP clock before `carrier`, which has a copy
    /// of it, if it did not come and can still be played.
    pub fn missed<'a>(
        &mut self,
        carrier: Packet<&'a [u8]>,
        steps: u16,
        offset: u32,
    ) -> Option<Packet<&'a [u8]>> {
        let duration = self.decoders.duration(carrier.codec, carrier.payload)?;
        let clock = carrier.codec.clock_rate();
        let packet = Packet {
            sequence: carrier.sequence.wrapping_sub(steps),
            timestamp: carrier.timestamp.wrapping_sub(offset),
            ..carrier
        };
        let stamp = Stamp {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            clock,
        };
        if !self.buffer.lacks(stamp, duration, self.next) {
            return None;
        }
        self.delay.wait_for_copies();
        Some(packet)
    }

    /// Takes a packet.
    pub fn insert(&mut self, packet: Packet<P>, now: Instant) {
        let Some(duration) = self
            .decoders
            .duration(packet.codec, packet.payload.as_ref())
        else {
            self.counters.discarded += 1;
            self.note_silent(packet.ssrc, packet.sequence);
            return;
        };
        self.store(packet, Content::Sound, duration, now);
    }

    /// Takes a packet that says how the pause sounds that begins with it (RFC 3389), on the clock of its codec.
    pub fn insert_noise(&mut self, packet: Packet<P>, now: Instant) {
        self.store(packet, Content::Noise, TICK, now);
    }

    fn store(&mut self, packet: Packet<P>, content: Content, duration: i64, now: Instant) {
        let stamp = Stamp {
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            clock: packet.codec.clock_rate(),
        };
        let place = self.buffer.place(stamp, self.next);
        if place.anew {
            self.delay.restart();
            self.ahead = 0;
        }
        let nothing_to_compare_with = self.delay.packet(self.at(now), place.position);
        if nothing_to_compare_with && self.buffer.len() == 0 {
            self.begins = true;
            self.pace = Pace::Cautious {
                since: self.at(now),
            };
        }
        if self.pause.goes_on() && place.index > self.last.index {
            // Nothing that ends a pause is late: what was played of it stood for nothing.
            self.next = self.next.map(|next| next.min(place.position));
        }
        let slot = BufferSlot {
            position: place.position,
            duration,
            index: place.index,
            codec: packet.codec,
            content,
            payload: packet.payload,
        };
        match self.buffer.insert(slot, self.next) {
            Inserted::Stored => self.late = 0,
            Inserted::Displacing => self.counters.discarded += 1,
            Inserted::Duplicate => self.counters.discarded += 1,
            Inserted::Late => self.note_late(),
        }
    }

    /// Notes that a packet of the stream carries no sound, so that its number does not count as lost.
    pub fn note_silent(&mut self, ssrc: u32, sequence: u16) {
        self.buffer.note_silent(ssrc, sequence);
    }

    /// Fills `out` with 10 ms of sound; before the first packet, with silence.
    pub fn pull(&mut self, out: &mut [i16], now: Instant) {
        let now = self.tick(self.at(now));
        if !self.begin(now) {
            out.fill(0);
            return;
        }
        while self.sound.len() - self.given < out.len() {
            self.step(now);
        }
        out.copy_from_slice(&self.sound[self.given..self.given + out.len()]);
        self.given += out.len();
        self.count(out.len(), now);
        if self.given >= self.sound.len() {
            self.sound.clear();
            self.given = 0;
            self.follow_codec();
        }
    }

    /// When this tick was due: one that is late is made up for at once, and its time is not that of the sound.
    fn tick(&mut self, now: i64) -> i64 {
        let late = now - (self.ticked + TICK);
        if late > LATEST_TICK {
            self.ticked = now;
        } else {
            self.ticked = now.min(self.ticked + TICK + late / FORGET_LATE);
        }
        self.ticked
    }

    fn note_late(&mut self) {
        self.counters.discarded += 1;
        self.late += 1;
        if self.late >= LATE_IN_A_ROW {
            self.late = 0;
            self.buffer.forget_sources();
        }
    }

    /// Whether playing has begun. The first packet waits as long as is likely to be needed: drawing the first words out
    /// would be heard.
    fn begin(&mut self, now: i64) -> bool {
        if self.next.is_some() {
            return true;
        }
        let Some(head) = self.buffer.head() else {
            return false;
        };
        let (position, index, codec) = (head.position, head.index, head.codec);
        if self.is_early(position, now) {
            return false;
        }
        self.begins = false;
        self.decoders.select(codec);
        self.next = Some(position);
        self.last.index = index - 1;
        true
    }

    /// Adds some sound: a packet, a recovered one, or invention.
    fn step(&mut self, now: i64) {
        self.make_room();
        self.skip_if_far_behind(now);
        let next = self.next.unwrap_or(0);
        let Some(head) = self.buffer.head() else {
            return self.underrun();
        };
        let (missing, index, codec) = (head.position - next, head.index, head.codec);
        if self.begins && self.is_early(next + missing, now) {
            return self.invent(TICK, Gap::Silence);
        }
        self.begins = false;
        if Some(codec) != self.decoders.current() {
            // The decoder changes between two ticks, because the rate may change with it; what
            // stretching left of a tick is filled up, so that there is such a moment.
            return self.invent(
                TICK - self.timeline(self.sound.len()) % TICK,
                Gap::Concealed,
            );
        }
        if missing <= 0 {
            return self.play(now);
        }
        let silence =
            self.pause.goes_on() || self.buffer.is_silence_between(self.last.index, index);
        if self.ahead > 0 {
            return self.settle(missing, silence);
        }
        if silence {
            return self.rest_silent(missing, now);
        }
        let due = self.due(now).unwrap_or(next);
        if due - SKIP > next {
            // So much never came that it is not made up for.
            self.next = Some(due.min(next + missing));
            return;
        }
        self.replace(missing);
    }

    fn make_room(&mut self) {
        if self.given > 0 {
            self.sound.copy_within(self.given.., 0);
            self.sound.truncate(self.sound.len() - self.given);
            self.given = 0;
        }
    }

    fn play(&mut self, now: i64) {
        let Some(slot) = self.buffer.pop() else {
            return;
        };
        if slot.content == Content::Noise {
            return self.rest_from(&slot);
        }
        let start = self.sound.len();
        let decoded = self.decoders.decode(slot.payload.as_ref(), &mut self.sound);
        self.last = Last {
            index: slot.index,
            duration: slot.duration,
        };
        self.pause.follow(slot.codec, slot.payload.as_ref());
        if !decoded {
            self.counters.discarded += 1;
            self.next = Some(slot.position);
            return self.replace(slot.duration);
        }
        self.next = Some(slot.end());
        self.ahead = 0;
        self.gap = Gap::None;
        self.rest = self.rest.saturating_sub(self.sound.len() - start);
        self.stretch(now);
    }

    /// A pause begins, or sounds otherwise from here on.
    fn rest_from(&mut self, slot: &BufferSlot<P, Codec>) {
        self.last.index = slot.index;
        self.next = Some(slot.end());
        self.ahead = 0;
        self.pause.describe(slot.payload.as_ref());
        self.invent(slot.duration, Gap::Silence);
    }

    /// Nothing is there to play: it may be late, lost or never sent, and only the next packet will tell.
    fn underrun(&mut self) {
        if self.pause.goes_on() {
            // What was never sent is not waited for: time goes on.
            self.next = self.next.map(|next| next + TICK);
            return self.invent(TICK, Gap::Silence);
        }
        if self.ahead >= GIVE_UP {
            let samples = self.decoders.rate().samples_per_tick();
            self.sound.resize(self.sound.len() + samples, 0);
            self.counters.concealed += samples as u64;
            self.counters.silent_concealed += samples as u64;
            return;
        }
        self.ahead += TICK;
        self.invent(TICK, Gap::Concealed);
    }

    /// The next packet shows that something was missing while we invented: that time is made up for.
    fn settle(&mut self, missing: i64, silence: bool) {
        let covered = self.ahead.min(missing);
        self.ahead = if silence { 0 } else { self.ahead - covered };
        self.next = self.next.map(|next| next + covered);
        if silence {
            self.gap = Gap::Silence;
            self.counters.silent_concealed += self.samples(covered) as u64;
        }
    }

    /// The sender left silence out: what follows begins when it is due, which costs no speech.
    fn rest_silent(&mut self, missing: i64, now: i64) {
        let next = self.next.unwrap_or(0);
        let due = self.due(now).unwrap_or(next);
        if due + TICK / 2 >= next + missing {
            self.next = Some(next + missing);
            return;
        }
        self.next = Some((due + TICK).clamp(next, next + missing - 1));
        self.invent(TICK, Gap::Silence);
    }

    /// A packet before the next one is lost, or too late.
    fn replace(&mut self, missing: i64) {
        let length = missing.min(self.last.duration).max(PER_MS);
        let samples = self.samples(length);
        let copied = match self.buffer.head() {
            // The copy in a packet is of the one right before it.
            Some(head)
                if missing <= head.duration
                    && head.content == Content::Sound
                    && Some(head.codec) == self.decoders.current() =>
            {
                let next = head.payload.as_ref();
                self.decoders.recover(next, samples, &mut self.sound) == Recovery::Redundancy
            }
            Some(_) | None => {
                self.decoders.conceal(samples, &mut self.sound);
                false
            }
        };
        self.next = self.next.map(|next| next + length);
        if copied {
            self.counters.recovered += 1;
        } else {
            self.note_invented(samples, Gap::Concealed);
        }
    }

    fn invent(&mut self, length: i64, gap: Gap) {
        let samples = self.samples(length);
        match gap {
            Gap::Silence => self
                .pause
                .play(samples, &mut self.decoders, &mut self.sound),
            Gap::Concealed | Gap::None => self.decoders.conceal(samples, &mut self.sound),
        }
        self.note_invented(samples, gap);
    }

    fn note_invented(&mut self, samples: usize, gap: Gap) {
        self.counters.concealed += samples as u64;
        if gap == Gap::Silence {
            self.counters.silent_concealed += samples as u64;
        } else if self.gap != Gap::Concealed {
            self.counters.concealment_events += 1;
        }
        self.gap = gap;
    }

    /// Shortens or lengthens what was just decoded, towards the delay that is wanted.
    fn stretch(&mut self, now: i64) {
        let Some(delay) = self.delay_at(now) else {
            return;
        };
        let excess = delay - self.wanted();
        let quiet = self.pauses.goes_on(&self.sound, self.last.duration);
        let hasty = excess > HASTE;
        // A pause needs no search for a pitch.
        if (self.rest > 0 || !self.decoders.thrift().searches()) && !hasty && !quiet {
            return;
        }
        let rate = self.decoders.rate();
        let care = match (hasty, quiet) {
            (true, true | false) => Care::Hasty,
            (false, true) => Care::Paused,
            (false, false) => Care::Careful,
        };
        // Where nothing waits, a shorter sound would only end in a gap.
        let may_shorten = self.buffer.len() > 0;
        if excess > self.pace.too_much(excess, quiet, now) && may_shorten {
            let removed = stretch::shorten(&mut self.sound, 0, rate, care);
            self.counters.removed += removed as u64;
            self.rest = REST * removed;
        } else if excess < -BELOW {
            let inserted = stretch::lengthen(&mut self.sound, 0, rate, care);
            self.counters.inserted += inserted as u64;
            self.rest = REST / 2 * inserted;
        }
    }

    /// After a stall, leaves out what nobody wants to hear any more.
    fn skip_if_far_behind(&mut self, now: i64) {
        let Some(oldest) = self.due(now).map(|due| due - SKIP) else {
            return;
        };
        let is_old = |slot: &BufferSlot<P, Codec>| slot.position < oldest;
        while self.buffer.len() > 1 && self.buffer.head().is_some_and(is_old) {
            let Some(slot) = self.buffer.pop() else {
                return;
            };
            self.next = self.next.map(|next| next.max(slot.end()));
            self.last.index = slot.index;
            self.counters.discarded += 1;
        }
    }

    fn follow_codec(&mut self) {
        if let Some(head) = self.buffer.head() {
            self.decoders.select(head.codec);
        }
    }

    /// How far the sound that plays now is behind the fastest packet of late.
    fn delay_at(&self, now: i64) -> Option<i64> {
        let playing = self.next? - self.timeline(self.sound.len() - self.given);
        Some(now - playing - self.delay.transit()?)
    }

    /// Whether the first packet of a stream has still to wait.
    fn is_early(&self, position: i64, now: i64) -> bool {
        let Some(transit) = self.delay.transit() else {
            return false;
        };
        now - transit - position < self.wanted().min(LONGEST_WAIT)
    }

    /// What should be playing now.
    fn due(&self, now: i64) -> Option<i64> {
        Some(now - self.delay.transit()? - self.wanted())
    }

    /// How far the sound should be behind: packets are taken at whole ticks only.
    fn wanted(&self) -> i64 {
        self.delay.target() + TICK
    }

    fn count(&mut self, samples: usize, now: i64) {
        let seconds = |ticks: i64| ticks.max(0) as f64 / f64::from(TIMELINE);
        let share = samples as f64;
        self.counters.emitted += samples as u64;
        self.counters.delay += share * seconds(self.delay_at(now).unwrap_or(0));
        self.counters.target += share * seconds(self.wanted());
    }

    fn at(&self, now: Instant) -> i64 {
        let elapsed = now.saturating_duration_since(self.epoch);
        (elapsed.as_nanos() * u128::from(TIMELINE) / 1_000_000_000) as i64
    }

    fn samples(&self, length: i64) -> usize {
        (length.max(0) * i64::from(self.decoders.rate().hz()) / i64::from(TIMELINE)) as usize
    }

    fn timeline(&self, samples: usize) -> i64 {
        samples as i64 * i64::from(TIMELINE / self.decoders.rate().hz())
    }
}

#[cfg(test)]
mod tests;
