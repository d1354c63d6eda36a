//! How much the pictures of a session may take of the network, in both directions.

use std::time::{Duration, Instant};

use super::{PictureLine, VideoEvent, Work};
use crate::rtp::rtcp::ReportBlock;
use crate::rtp::{feedback, rtcp};
use crate::sdp::negotiate::Content;
use crate::video::{Estimate, LossRule, MOST_RATE, OVERHEAD, Rate, RecentTraffic};

use super::send::SentOctets;

/// All lines together take no more than so many of the best.
const MOST_LINES: u32 = 4;
/// A target that differs by less is not told.
const WORTH_TELLING: f64 = 0.05;
/// Of fewer packets, the share that is lost says little.
const ENOUGH: u32 = 20;
/// Whatever else is to be sent, pictures have so much of the rate.
const LEAST_PART: f64 = 0.5;

/// What the network takes of all lines together, and what of it each has.
#[derive(Debug)]
pub(super) struct Bandwidth {
    rate: Box<dyn Rate>,
    /// What was sent, and of it pictures.
    sent: RecentTraffic,
    pictures: RecentTraffic,
    /// What the peer has lost since the last share was taken, and of how much.
    lost: Losses,
    told: Vec<(Content, u32)>,
    estimate: Estimate,
    compound: Vec<u8>,
}

/// Packets that did not come, and how many were to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Losses {
    pub(super) packets: u32,
    pub(super) of: u32,
}

impl Losses {
    /// What was lost between two reports of a stream (RFC 3550 §6.4.1).
    pub(super) fn between(before: ReportBlock, now: ReportBlock) -> Self {
        let of = now.highest_sequence.wrapping_sub(before.highest_sequence);
        // A peer that counts anew has nothing to compare with.
        let of = if of < 1 << 31 { of } else { 0 };
        let packets = now.lost.saturating_sub(before.lost).max(0) as u32;
        Self {
            packets: packets.min(of),
            of,
        }
    }
}

impl Default for Bandwidth {
    fn default() -> Self {
        Self {
            rate: Box::new(LossRule::new(MOST_LINES * MOST_RATE)),
            sent: RecentTraffic::default(),
            pictures: RecentTraffic::default(),
            lost: Losses::default(),
            told: Vec::new(),
            estimate: Estimate::default(),
            compound: Vec::with_capacity(128),
        }
    }
}

impl Bandwidth {
    /// So much was sent.
    pub(super) fn sent(&mut self, sent: SentOctets, now: Instant) {
        if sent.octets > 0 {
            self.rate.sent(sent.octets, now);
            self.sent.add(sent.octets, now);
            self.pictures.add(sent.pictures, now);
        }
    }

    /// The part of what is sent that pictures have.
    fn part(&mut self, now: Instant) -> f64 {
        let sent = self.sent.bits_per_second(now);
        let pictures = self.pictures.bits_per_second(now);
        if sent > 0.0 {
            (pictures / sent).clamp(LEAST_PART, 1.0)
        } else {
            1.0
        }
    }

    /// The peer can take so much.
    pub(super) fn allowed(&mut self, bits_per_second: u64, now: Instant) {
        self.rate.estimate(bits_per_second, now);
    }

    /// The peer has lost so much of a line.
    pub(super) fn lost(&mut self, losses: Losses, round_trip: Option<Duration>, now: Instant) {
        self.lost.packets += losses.packets;
        self.lost.of += losses.of;
        if self.lost.of >= ENOUGH {
            let lost = std::mem::take(&mut self.lost);
            let share = f64::from(lost.packets) / f64::from(lost.of);
            self.rate.report(share.min(1.0), round_trip, now);
        }
    }

    /// A packet of the peer's has come.
    pub(super) fn received(&mut self, ssrc: u32, timestamp: u32, octets: usize, now: Instant) {
        self.estimate
            .packet(ssrc, timestamp, octets + OVERHEAD, now);
    }

    /// A packet has come that was sent again.
    pub(super) fn received_again(&mut self, octets: usize, now: Instant) {
        self.estimate.again(octets + OVERHEAD, now);
    }

    /// Gives each line that sends its part, and tells of it.
    pub(super) fn share(&mut self, lines: &mut [PictureLine], work: &mut Work<'_>) {
        let active = lines.iter().filter(|line| line.sending.is_active()).count();
        let each = self.rate.target(work.now) / u32::try_from(active.max(1)).unwrap_or(u32::MAX);
        let each = each.min(MOST_RATE);
        let of_pictures = (f64::from(each) * self.part(work.now)) as u32;
        self.told.retain(|(content, _)| {
            let mut lines = lines.iter();
            lines.any(|line| line.sending.is_active() && line.agreed.content == *content)
        });
        for line in lines.iter_mut().filter(|line| line.sending.is_active()) {
            line.sending.set_rate(each);
            let content = line.agreed.content;
            if self.is_news(content, of_pictures) {
                work.event(VideoEvent::Target {
                    content,
                    bits_per_second: u64::from(of_pictures),
                });
            }
        }
    }

    fn is_news(&mut self, content: Content, rate: u32) -> bool {
        let rate_now = f64::from(rate);
        match self.told.iter_mut().find(|(told, _)| *told == content) {
            Some((_, told)) => {
                let before = f64::from(*told);
                let differs = (rate_now - before).abs() > WORTH_TELLING * before;
                *told = if differs { rate } else { *told };
                differs
            }
            None => {
                self.told.push((content, rate));
                true
            }
        }
    }

    /// Tells the peer what it may send, if that is due.
    pub(super) fn tell(&mut self, lines: &[PictureLine], work: &mut Work<'_>) {
        if self.deadline().is_none_or(|at| work.now < at) {
            return;
        }
        let hears = |line: &&PictureLine| line.receiving.takes_estimates();
        let streams = lines.iter().filter(hears);
        let streams: Vec<u32> = streams.filter_map(|line| line.receiving.ssrc()).collect();
        let Some(rate) = self.estimate.tell(work.now) else {
            return;
        };
        let Some(line) = lines.first().filter(|_| !streams.is_empty()) else {
            return;
        };
        let ours = line.agreed.source.ssrc;
        self.compound.clear();
        rtcp::write_report(&mut self.compound, ours, None, &[]);
        rtcp::write_description(&mut self.compound, ours, work.cname);
        feedback::write_bitrate(&mut self.compound, ours, rate, &streams);
        // The next one says the same.
        let _unsent = work.transport.send_rtcp(&self.compound, work.now);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.estimate.deadline()
    }
}
