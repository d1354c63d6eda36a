//! From frames to RTP: what a line of ours shows.

use ::video::{EncodedFrame, Size, VideoCodec};
use std::ops::AddAssign;
use std::time::{Duration, Instant};

use crate::rtp::rtcp::SenderInfo;
use crate::sdp::{HeaderExtensions, VideoPayload};
use crate::transport::{RtpOut, StreamId, Transport};
use crate::video::{
    Departure, Due, History, KeyFrameRequests, MOST_PAYLOAD, OVERHEAD, Outgoing, Pacer, Packetizer,
    timestamp, write_rtx,
};

/// A source that is so far from the time that has passed has begun anew, or is another.
const ANOTHER_SOURCE: Duration = Duration::from_secs(1);
/// Clocks differ by some hundred millionths; what the lag grows by in a second is more than that.
const DRIFT: f64 = 0.000_5;
/// Where asking again takes longer than a picture may stand still, and so much is lost, what is sent again goes out twice, and
/// three times where more is.
const FAR: Duration = Duration::from_millis(70);
const LOSSY: f64 = 0.02;
const VERY_LOSSY: f64 = 0.04;
/// What a report says of a second tells little of a few packets.
const LATELY: f64 = 0.3;
/// Two frames never have the same time.
const LEAST_STEP: Duration = Duration::from_millis(1);

/// What we send on a line.
#[derive(Debug)]
pub(super) struct Sending {
    /// What the peer takes, best first.
    formats: Vec<VideoPayload>,
    extensions: HeaderExtensions,
    /// Names the section.
    mid: String,
    /// Our clock began then.
    begin: Instant,
    streams: Streams,
    packetizer: Packetizer,
    pacer: Pacer,
    history: History,
    requests: KeyFrameRequests,
    clock: FrameClock,
    /// The RTP time at which our clock began.
    offset: u32,
    codec: Option<VideoCodec>,
    active: bool,
    /// Nothing can be shown before a key frame.
    awaits_key: bool,
    /// The share that the peer has lost of late.
    lost: f64,
    scratch: Vec<u8>,
    pub(super) counts: SendCounts,
}

/// The streams of a line: its frames, and what is sent again of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streams {
    pub(super) frames: StreamId,
    pub(super) again: StreamId,
}

/// What went out in a turn.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SentOctets {
    /// All octets, with those of headers and of what was sent again.
    pub(super) octets: usize,
    /// Those of pictures.
    pub(super) pictures: usize,
}

impl AddAssign for SentOctets {
    fn add_assign(&mut self, more: Self) {
        self.octets += more.octets;
        self.pictures += more.pictures;
    }
}

/// What was sent on a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SendCounts {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) packets_again: u64,
    pub(super) bytes_again: u64,
    pub(super) frames: u64,
    pub(super) key_frames: u64,
    /// Frames that were given and not sent.
    pub(super) dropped: u64,
    pub(super) nacks: u64,
    pub(super) plis: u64,
    pub(super) firs: u64,
    /// Of the last key frame.
    pub(super) size: Option<Size>,
}

impl Sending {
    pub(super) fn new(streams: Streams, begin: Instant, offset: u32, picture_id: u16) -> Self {
        Self {
            formats: Vec::new(),
            extensions: HeaderExtensions::default(),
            mid: String::new(),
            begin,
            streams,
            packetizer: Packetizer::new(picture_id),
            pacer: Pacer::default(),
            history: History::default(),
            requests: KeyFrameRequests::default(),
            clock: FrameClock::default(),
            offset,
            codec: None,
            active: false,
            awaits_key: true,
            lost: 0.0,
            scratch: Vec::with_capacity(MOST_PAYLOAD + 2),
            counts: SendCounts::default(),
        }
    }

    pub(super) fn configure(
        &mut self,
        formats: &[VideoPayload],
        extensions: HeaderExtensions,
        mid: &str,
    ) {
        self.formats = formats.to_vec();
        self.extensions = extensions;
        mid.clone_into(&mut self.mid);
    }

    /// Begins to send, or stops.
    pub(super) fn set_active(&mut self, active: bool) {
        if self.active == active {
            return;
        }
        self.active = active;
        self.begin_anew();
        self.requests = KeyFrameRequests::default();
        if active {
            self.requests.picture_loss();
        }
    }

    /// Sends nothing more of what was shown before, whoever asks for it; what comes next begins with a key frame.
    pub(super) fn begin_anew(&mut self) {
        self.pacer.clear();
        self.history = History::default();
        self.awaits_key = true;
    }

    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// What frames should be encoded with.
    pub(super) fn codec(&self) -> Option<VideoCodec> {
        self.formats.first().map(|format| format.codec)
    }

    /// Sends no more than that until it is known how much may be.
    pub(super) fn expect(&mut self, bits_per_second: u32) {
        self.pacer.expect(bits_per_second);
    }

    pub(super) fn set_rate(&mut self, bits_per_second: u32) {
        if self.pacer.set_rate(bits_per_second) {
            self.begin_anew();
            self.requests.picture_loss();
        }
    }

    /// Takes a frame. One that can't be sent, or not be shown, is left out.
    pub(super) fn push(&mut self, frame: &EncodedFrame, since_begin: Duration) {
        if !self.take(frame, since_begin) {
            self.counts.dropped += 1;
        }
    }

    fn take(&mut self, frame: &EncodedFrame, since_begin: Duration) -> bool {
        let format = self.formats.iter().find(|f| f.codec == frame.codec);
        let (true, Some(format)) = (self.active, format.copied()) else {
            return false;
        };
        if self.pacer.is_full() || self.codec != Some(frame.codec) {
            self.awaits_key = true;
        }
        self.codec = Some(frame.codec);
        if (self.awaits_key && !frame.key) || self.pacer.is_full() {
            self.requests.picture_loss();
            return false;
        }
        let at = self.clock.take(frame.timestamp, since_begin);
        let timestamp = self.offset.wrapping_add(timestamp(at));
        let number = format.payload_type.value();
        let pacer = &mut self.pacer;
        let cut = self
            .packetizer
            .packetize(frame, MOST_PAYLOAD, &mut |payload, last| {
                pacer.push(number, timestamp, last, payload);
            });
        if cut.is_err() {
            return false;
        }
        self.awaits_key = false;
        self.counts.frames += 1;
        if frame.key {
            self.requests.answered();
            self.counts.key_frames += 1;
            self.counts.size = frame.size;
        }
        true
    }

    /// Sends what is due; says how much that was.
    pub(super) fn send(
        &mut self,
        transport: &mut Transport,
        round_trip: Option<Duration>,
        now: Instant,
    ) -> SentOctets {
        let mut sent = SentOctets::default();
        while let Some(due) = self.pacer.pop(now) {
            sent += match due {
                Due::New(packet) => self.send_new(packet, transport, now),
                Due::Again(sequence) => self.send_again(sequence, transport, round_trip, now),
            };
        }
        sent
    }

    fn send_new(
        &mut self,
        packet: Outgoing,
        transport: &mut Transport,
        now: Instant,
    ) -> SentOctets {
        let since_begin = now.saturating_duration_since(self.begin);
        let send_time = Departure::write(since_begin);
        let (said, count) = said(self.extensions, &self.mid, &send_time);
        let out = RtpOut {
            pt: packet.payload_type,
            timestamp: packet.timestamp,
            marker: packet.marker,
            extensions: &said[..count],
            payload: &packet.payload,
        };
        let sent = transport.send_rtp(self.streams.frames, out, now);
        let octets = packet.payload.len();
        self.pacer.sent(octets);
        let Ok(sequence) = sent else {
            self.pacer.reuse(packet.payload);
            return SentOctets::default();
        };
        self.counts.packets += 1;
        self.counts.bytes += octets as u64;
        if let Some(spare) = self.history.keep(sequence, packet, now) {
            self.pacer.reuse(spare);
        }
        SentOctets {
            octets: octets + OVERHEAD,
            pictures: octets,
        }
    }

    fn send_again(
        &mut self,
        sequence: u16,
        transport: &mut Transport,
        round_trip: Option<Duration>,
        now: Instant,
    ) -> SentOctets {
        let Some((lost, again)) = self.history.resend(sequence, round_trip, now) else {
            return SentOctets::default();
        };
        let far = round_trip.is_some_and(|time| time >= FAR) && self.lost >= LOSSY;
        let copies = match (far, again) {
            (true, _) if self.lost >= VERY_LOSSY => 3,
            (true, _) | (_, true) => 2,
            (false, false) => 1,
        };
        let number = |format: &&VideoPayload| format.payload_type.value() == lost.payload_type;
        let Some(rtx) = self.formats.iter().find(number).and_then(|f| f.rtx) else {
            return SentOctets::default();
        };
        write_rtx(sequence, &lost.payload, &mut self.scratch);
        let since_begin = now.saturating_duration_since(self.begin);
        let send_time = Departure::write(since_begin);
        let (said, count) = said(self.extensions, &self.mid, &send_time);
        let out = RtpOut {
            pt: rtx.value(),
            timestamp: lost.timestamp,
            marker: lost.marker,
            extensions: &said[..count],
            payload: &self.scratch,
        };
        let mut sent = SentOctets::default();
        for _ in 0..copies {
            let octets = self.scratch.len();
            self.pacer.sent_again(octets);
            if transport.send_rtp(self.streams.again, out, now).is_ok() {
                self.counts.packets_again += 1;
                self.counts.bytes_again += octets as u64;
                sent.octets += octets + OVERHEAD;
            }
        }
        sent
    }

    /// The peer has lost packets.
    pub(super) fn missing(&mut self, sequences: impl Iterator<Item = u16>) {
        self.counts.nacks += 1;
        if !self.active {
            return;
        }
        for sequence in sequences {
            self.pacer.push_again(sequence);
        }
    }

    /// The peer has lost that share of late, 0 to 1.
    pub(super) fn lost(&mut self, share: f64) {
        self.lost += LATELY * (share - self.lost);
    }

    /// The peer has lost a picture.
    pub(super) fn picture_loss(&mut self) {
        self.counts.plis += 1;
        self.requests.picture_loss();
    }

    /// The peer wants a whole picture.
    pub(super) fn full_intra(&mut self, number: u8) {
        self.counts.firs += 1;
        self.requests.full_intra(number);
    }

    /// Whether a key frame is to be made now.
    pub(super) fn key_frame_is_due(&mut self, now: Instant) -> bool {
        self.active && self.requests.is_due(now)
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let wish = self.requests.deadline().filter(|_| self.active);
        [self.pacer.deadline(), wish].into_iter().flatten().min()
    }

    /// What our report says; `None` before the first packet.
    pub(super) fn sender_info(&self, ntp: u64, since_begin: Duration) -> Option<SenderInfo> {
        let at = self.clock.at(since_begin)?;
        (self.counts.packets > 0).then(|| SenderInfo {
            ntp,
            timestamp: self.offset.wrapping_add(timestamp(at)),
            packets: self.counts.packets as u32,
            bytes: self.counts.bytes as u32,
        })
    }
}

/// The header extensions of a packet, as far as the peer takes them, and how many they are.
fn said<'a>(
    extensions: HeaderExtensions,
    mid: &'a str,
    send_time: &'a [u8; 3],
) -> ([(u8, &'a [u8]); 2], usize) {
    let mid = extensions.mid.map(|id| (id, mid.as_bytes()));
    let mid = mid.filter(|(_, mid)| (1..=16).contains(&mid.len()));
    let send_time = extensions.send_time.map(|id| (id, &send_time[..]));
    let (mut said, mut count) = ([(0, &[][..]); 2], 0);
    for extension in [mid, send_time].into_iter().flatten() {
        said[count] = extension;
        count += 1;
    }
    (said, count)
}

/// Brings the clock of a source of frames to ours, which begins with the session.
#[derive(Clone, Copy, Debug, Default)]
struct FrameClock {
    /// A time of the source's, and what it is by ours.
    anchor: Option<(Duration, Duration)>,
    /// The last frame's, by ours.
    last: Duration,
    /// How much later than their times frames are given, at least, in seconds; and when that was known.
    lag: f64,
    known: Duration,
}

impl FrameClock {
    /// The time of a frame by our clock, at which it is given `now`.
    fn take(&mut self, source: Duration, now: Duration) -> Duration {
        let expected = self.anchor.and_then(|(theirs, ours)| {
            let at = (ours + source).checked_sub(theirs)?;
            let near = at.abs_diff(now) < ANOTHER_SOURCE && at > self.last;
            near.then_some(at)
        });
        let at = expected.unwrap_or_else(|| {
            let at = now.max(self.last + LEAST_STEP);
            self.anchor = Some((source, at));
            self.lag = 0.0;
            self.known = now;
            at
        });
        let lag = now.as_secs_f64() - at.as_secs_f64();
        self.lag = lag.min(self.lag + self.risen(now));
        self.known = now;
        self.last = at;
        at
    }

    fn risen(&self, now: Duration) -> f64 {
        now.saturating_sub(self.known).as_secs_f64() * DRIFT
    }

    /// What a frame would have that is taken at `now`; `None` before the first.
    fn at(&self, now: Duration) -> Option<Duration> {
        self.anchor?;
        let at = now.as_secs_f64() - self.lag;
        Some(Duration::from_secs_f64(at.max(0.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn frames_keep_their_distance_whenever_they_are_given() {
        let mut clock = FrameClock::default();
        let first = clock.take(5_000 * MS, 100 * MS);
        assert_eq!(first, 100 * MS);
        assert_eq!(clock.take(5_033 * MS, 170 * MS), 133 * MS);
        assert_eq!(clock.take(5_066 * MS, 171 * MS), 166 * MS);
    }

    #[test]
    fn the_frame_that_came_soonest_says_how_late_the_others_are() {
        let mut clock = FrameClock::default();
        // The first one was late by 60 ms.
        clock.take(1_000 * MS, 60 * MS);
        clock.take(1_033 * MS, 33 * MS);
        let at = clock.at(1_000 * MS).unwrap();
        assert!(at.abs_diff(1_060 * MS) < MS, "{at:?}");
    }

    #[test]
    fn a_source_that_begins_anew_goes_on_where_time_is() {
        let mut clock = FrameClock::default();
        clock.take(90_000 * MS, 100 * MS);
        assert_eq!(clock.take(Duration::ZERO, 200 * MS), 200 * MS);
        assert_eq!(clock.take(33 * MS, 240 * MS), 233 * MS);
        // Two of the same time are told apart.
        assert_eq!(clock.take(33 * MS, 233 * MS), 234 * MS);
    }
}
