//! How much the pictures of a session may take of the network, in both directions.

use std::time::{Duration, Instant};

use super::{PictureLine, VideoEvent, Work};
use crate::rtp::rtcp::ReportBlock;
use crate::rtp::{feedback, rtcp};
use crate::sdp::negotiate::Content;
use crate::video::{
    Departure, Estimate, LEAST_RATE, LossRule, MOST_RATE, OVERHEAD, Rate, RecentTraffic,
};

use super::send::SentOctets;

/// All lines together take no more than so many of the best.
const MOST_LINES: u32 = 4;
/// A target that differs by less is not told.
const WORTH_TELLING: f64 = 0.05;
/// Encoders settle on a target before they get a larger one,
const PAUSE: Duration = Duration::from_millis(200);
/// but go down at once, so that nothing piles up on the way.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
/// Of fewer packets, the share that is lost says little.
const ENOUGH: u32 = 20;
/// Whatever else is to be sent, pictures have so much of the rate.
const LEAST_PART: f64 = 0.5;

/// A peer that sees no queue says so within a second.
const EXPECTED_FOR: Duration = Duration::from_secs(1);

/// What the network takes of all lines together, and what of it each has.
#[derive(Debug)]
pub(super) struct Bandwidth {
    rate: Box<dyn Rate>,
    /// What was sent, and of it pictures.
    sent: RecentTraffic,
    pictures: RecentTraffic,
    /// What the peer has lost since the last share was taken, and of how much.
    lost: Losses,
    told: Vec<Told>,
    /// When what was not worth telling so soon is told.
    news: Option<Instant>,
    estimate: Estimate,
    /// What the way there is expected to carry, and until when, if the peer says nothing.
    expected: Option<(u32, Instant)>,
    compound: Vec<u8>,
}

/// The target that was told last.
#[derive(Clone, Copy, Debug)]
struct Told {
    content: Content,
    rate: u32,
    at: Instant,
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
            news: None,
            estimate: Estimate::default(),
            expected: None,
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
        self.expected = None;
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

    /// A packet of the peer's has come, which left at that time.
    pub(super) fn received(&mut self, left: Option<Departure>, octets: usize, now: Instant) {
        self.estimate.packet(left, octets + OVERHEAD, now);
    }

    /// Expects that what is sent gets through no better than what comes, if that is found to be about to overflow: as a rule
    /// both ways narrow at once, and then the peer's word of it is late, or lost between our own pictures.
    pub(super) fn expects_less(&mut self, now: Instant) -> bool {
        let part = self.estimate.take_overfull();
        if let Some(part) = part {
            // What waits already has to leave as well.
            let rate = (f64::from(self.rate.target(now)) * part * part) as u32;
            self.expected = Some((rate.max(LEAST_RATE), now + EXPECTED_FOR));
        }
        part.is_some()
    }

    /// What may be sent, and whether the peer has said so.
    fn target(&mut self, now: Instant) -> (u32, bool) {
        self.expected = self.expected.filter(|(_, until)| now < *until);
        let told = self.rate.target(now);
        match self.expected {
            Some((expected, _)) if expected < told => (expected, false),
            Some(_) | None => (told, true),
        }
    }

    /// Gives each line that sends its part, and tells of it.
    pub(super) fn share(&mut self, lines: &mut [PictureLine], work: &mut Work<'_>) {
        let active = lines.iter().filter(|line| line.sending.is_active()).count();
        let (target, is_told) = self.target(work.now);
        let each = target / u32::try_from(active.max(1)).unwrap_or(u32::MAX);
        let each = each.min(MOST_RATE);
        let of_pictures = (f64::from(each) * self.part(work.now)) as u32;
        self.told.retain(|told| {
            let mut lines = lines.iter();
            lines.any(|line| line.sending.is_active() && line.agreed.content == told.content)
        });
        self.news = None;
        for line in lines.iter_mut().filter(|line| line.sending.is_active()) {
            if is_told {
                line.sending.set_rate(each);
            } else {
                line.sending.expect(each);
            }
            let content = line.agreed.content;
            if self.is_news(content, of_pictures, work.now) {
                work.event(VideoEvent::Target {
                    content,
                    bits_per_second: u64::from(of_pictures),
                });
            }
        }
    }

    fn is_news(&mut self, content: Content, rate: u32, at: Instant) -> bool {
        let now = Told { content, rate, at };
        let Some(told) = self.told.iter_mut().find(|told| told.content == content) else {
            self.told.push(now);
            return true;
        };
        let (before, differs) = (f64::from(told.rate), rate.abs_diff(told.rate));
        if f64::from(differs) <= WORTH_TELLING * before {
            return false;
        }
        let pause = if rate < told.rate { SHORT_PAUSE } else { PAUSE };
        let due = told.at + pause;
        if at < due {
            self.news = Some(self.news.map_or(due, |news| news.min(due)));
            return false;
        }
        *told = now;
        true
    }

    /// Lets the peer send no more than all lines on which it sends may take, if each has a limit.
    pub(super) fn limit(&mut self, lines: &[PictureLine]) {
        let hears = |line: &&PictureLine| line.receiving.takes_estimates();
        let limits = lines.iter().filter(hears).map(|line| line.receiving.limit);
        let limit = limits.reduce(|sum, limit| Some(sum?.saturating_add(limit?)));
        self.estimate.set_limit(limit.flatten());
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
        let bundled = lines.iter().any(|line| !line.is_apart());
        work.tell_all(&self.compound, bundled);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.estimate.deadline()
    }

    /// When a target is told that came too soon after the one before, or is another because nothing was heard.
    pub(super) fn news(&self) -> Option<Instant> {
        let expected = self.expected.map(|(_, until)| until);
        [self.news, expected].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_time::start;

    #[test]
    fn a_target_that_falls_is_told_soon_and_one_that_rises_in_a_while() {
        let mut bandwidth = Bandwidth::default();
        let begin = start();
        let mut told = Vec::new();
        let mut tell = |ms: u64, rate: u32| {
            let at = begin + Duration::from_millis(ms);
            bandwidth.news = None;
            if bandwidth.is_news(Content::Camera, rate, at) {
                told.push(rate);
                assert_eq!(bandwidth.news(), None);
            }
            bandwidth.news().map(|at| (at - begin).as_millis())
        };
        assert_eq!(tell(0, 300_000), None);
        assert_eq!(tell(10, 400_000), Some(200));
        assert_eq!(tell(20, 200_000), Some(50));
        assert_eq!(tell(50, 200_000), None);
        assert_eq!(tell(60, 205_000), None, "that is the same");
        assert_eq!(tell(99, 100_000), Some(100));
        assert_eq!(tell(100, 100_000), None);
        assert_eq!(tell(250, 400_000), Some(300));
        assert_eq!(tell(300, 500_000), None);
        assert_eq!(told, [300_000, 200_000, 100_000, 500_000]);
    }

    #[test]
    fn each_content_has_news_of_its_own() {
        let mut bandwidth = Bandwidth::default();
        assert!(bandwidth.is_news(Content::Camera, 300_000, start()));
        assert!(bandwidth.is_news(Content::Screen, 100_000, start()));
        assert_eq!(bandwidth.news(), None);
    }
}
