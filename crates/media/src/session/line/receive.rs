//! From RTP to frames: what a line of the peer's shows.

use ::video::{EncodedFrame, Size};
use std::ops::Range;
use std::time::{Duration, Instant};

use super::sync::{HeardSound, Sync};
use crate::rtp::reception::Reception;
use crate::rtp::rtcp::{ReportBlock, SenderInfo};
use crate::sdp::{FeedbackTypes, VideoPayload};
use crate::transport::Rtp;
use crate::video::{Assembler, CLOCK, Freezes, KeyFrameRequests, VideoPacket, read_rtx};

/// What arrives on a line.
#[derive(Debug)]
pub(super) struct Receiving {
    formats: Vec<VideoPayload>,
    /// Whether the peer's pictures are wanted.
    active: bool,
    assembler: Assembler<PicturePayload>,
    reception: Reception,
    freezes: Freezes,
    /// The middle of the NTP time in the peer's last report, and when it came.
    last_report: Option<(u32, Instant)>,
    sync: Sync,
    /// Something came again, for which frames may have waited.
    repaired: bool,
    missing: Vec<u16>,
    full_intra: u8,
    /// The caller's own wishes for key frames, limited as those of a peer are.
    wishes: KeyFrameRequests,
    /// The most that the peer may send, in bit/s.
    pub(super) limit: Option<u64>,
    pub(super) counts: ReceiveCounts,
}

/// What came on a line, beside what [`Assembler`] and [`Reception`] count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReceiveCounts {
    pub(super) packets_again: u64,
    pub(super) bytes_again: u64,
    /// Packets of payload types that were not agreed to.
    pub(super) unknown: u64,
    pub(super) nacks: u64,
    pub(super) plis: u64,
    pub(super) firs: u64,
    pub(super) size: Option<Size>,
    pub(super) last_frame: Option<Instant>,
}

/// What the peer is to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FeedbackWish<'a> {
    /// To send these again.
    Missing(&'a [u16]),
    /// For a key frame, because a picture is lost.
    PictureLoss,
    /// For a key frame by number.
    FullIntra(u8),
}

/// The payload of a packet, without a copy of it.
#[derive(Debug)]
pub(super) struct PicturePayload {
    packet: Rtp,
    part: Range<usize>,
}

impl AsRef<[u8]> for PicturePayload {
    fn as_ref(&self) -> &[u8] {
        &self.packet.payload()[self.part.clone()]
    }
}

impl Receiving {
    pub(super) fn new() -> Self {
        Self {
            formats: Vec::new(),
            active: false,
            assembler: Assembler::default(),
            reception: Reception::default(),
            freezes: Freezes::default(),
            last_report: None,
            sync: Sync::default(),
            repaired: false,
            missing: Vec::new(),
            full_intra: 0,
            wishes: KeyFrameRequests::default(),
            limit: None,
            counts: ReceiveCounts::default(),
        }
    }

    pub(super) fn configure(&mut self, formats: &[VideoPayload], active: bool) {
        self.formats = formats.to_vec();
        if self.active != active {
            self.active = active;
            self.freezes.pause();
            self.sync.clear();
            // What came before says nothing of what comes then.
            let counts = std::mem::take(&mut self.assembler).counts;
            self.assembler.counts = counts;
        }
        let resends = |format: &VideoPayload| format.feedback.nack && format.rtx.is_some();
        self.assembler.set_resends(formats.iter().any(resends));
    }

    /// What the peer listens to.
    fn feedback(&self) -> FeedbackTypes {
        self.formats.first().map(|f| f.feedback).unwrap_or_default()
    }

    /// Whether the peer sends, and listens to how much it may.
    pub(super) fn takes_estimates(&self) -> bool {
        self.active && self.feedback().remb
    }

    /// The SSRC that sends now.
    pub(super) fn ssrc(&self) -> Option<u32> {
        self.reception.ssrc()
    }

    /// Takes a packet of this line's; says whether it is a new one, and none that was sent again.
    pub(super) fn receive(&mut self, packet: Rtp, now: Instant) -> bool {
        let (number, length) = (packet.pt, packet.payload().len());
        let named = |p: &VideoPayload| p.payload_type.value() == number;
        let again = |p: &VideoPayload| p.rtx.is_some_and(|rtx| rtx.value() == number);
        if let Some(format) = self.formats.iter().find(|p| named(p)) {
            let timing = Some((packet.timestamp, CLOCK));
            if self.ssrc() != Some(packet.ssrc) {
                self.sync.forget_report();
            }
            self.reception
                .packet(packet.ssrc, packet.seq, timing, length, now);
            let packet = VideoPacket {
                ssrc: packet.ssrc,
                codec: format.codec,
                sequence: packet.seq,
                timestamp: packet.timestamp,
                marker: packet.marker,
                payload: PicturePayload {
                    packet,
                    part: 0..length,
                },
            };
            self.take(packet, now);
            true
        } else if let Some(format) = self.formats.iter().find(|p| again(p)) {
            self.counts.packets_again += 1;
            self.repaired = true;
            self.counts.bytes_again += length as u64;
            let lost = read_rtx(packet.payload()).map(|(sequence, _)| sequence);
            if let (Some(sequence), Some(ssrc)) = (lost, self.ssrc()) {
                let packet = VideoPacket {
                    ssrc,
                    codec: format.codec,
                    sequence,
                    timestamp: packet.timestamp,
                    marker: packet.marker,
                    payload: PicturePayload {
                        packet,
                        part: 2..length,
                    },
                };
                self.take(packet, now);
            }
            false
        } else {
            self.counts.unknown += 1;
            false
        }
    }

    fn take(&mut self, packet: VideoPacket<PicturePayload>, now: Instant) {
        if self.active {
            // What can't be read is counted there, and its frame is lost.
            let _lost = self.assembler.push(packet, now);
        }
    }

    /// Gives the next frame, once its sound is heard.
    pub(super) fn pop(&mut self, heard: Option<HeardSound>, now: Instant) -> Option<EncodedFrame> {
        while let Some(given) = self.assembler.pop(now) {
            if given.frame.key {
                self.wishes.answered();
            }
            self.sync.push(given, heard, self.repaired, now);
        }
        self.repaired = false;
        let frame = self.sync.pop(now)?;
        self.freezes.frame(now);
        self.counts.last_frame = Some(now);
        if let Some(size) = frame.size {
            self.counts.size = Some(size);
        }
        Some(frame)
    }

    /// Asks the peer for what is wanting; call it when all frames are taken.
    pub(super) fn ask(
        &mut self,
        round_trip: Option<Duration>,
        now: Instant,
        ask: &mut dyn FnMut(FeedbackWish<'_>),
    ) {
        if !self.active {
            return;
        }
        if let Some(round_trip) = round_trip {
            self.assembler.set_round_trip(round_trip);
        }
        self.assembler.missing(&mut self.missing, now);
        if !self.missing.is_empty() {
            self.counts.nacks += 1;
            ask(FeedbackWish::Missing(&self.missing));
        }
        let wished = self.wishes.is_due(now);
        if self.assembler.wants_key_frame(now) || wished {
            self.ask_for_key_frame(ask);
        }
    }

    /// Notes that whoever looks needs a key frame.
    pub(super) fn request_key_frame(&mut self) {
        self.wishes.picture_loss();
    }

    /// Asks for a key frame, in the way that the peer knows.
    fn ask_for_key_frame(&mut self, ask: &mut dyn FnMut(FeedbackWish<'_>)) {
        match self.feedback() {
            FeedbackTypes { pli: true, .. } => {
                self.counts.plis += 1;
                ask(FeedbackWish::PictureLoss);
            }
            FeedbackTypes { fir: true, .. } => {
                self.counts.firs += 1;
                self.full_intra = self.full_intra.wrapping_add(1);
                ask(FeedbackWish::FullIntra(self.full_intra));
            }
            FeedbackTypes { .. } => {}
        }
    }

    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let own = self.wishes.deadline();
        let deadlines = [self.assembler.deadline(), self.sync.deadline(), own];
        let first = deadlines.into_iter().flatten().min();
        first.filter(|_| self.active)
    }

    /// The peer reports of what it sends.
    pub(super) fn reported(&mut self, info: SenderInfo, now: Instant) {
        self.last_report = Some(((info.ntp >> 16) as u32, now));
        self.sync.reported(info);
    }

    /// What our report says of it.
    pub(super) fn report(&mut self, now: Instant) -> Option<ReportBlock> {
        let mut block = self.reception.report(CLOCK)?;
        if let Some((middle, at)) = self.last_report {
            let since = now.saturating_duration_since(at).as_secs_f64();
            block.last_sender_report = middle;
            block.delay = (since * 65_536.0) as u32;
        }
        Some(block)
    }

    pub(super) fn parts(&self) -> (&Reception, &Freezes, &crate::video::FrameCounts) {
        (&self.reception, &self.freezes, &self.assembler.counts)
    }
}
