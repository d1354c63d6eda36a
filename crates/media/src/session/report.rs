//! RTCP in a session: our reports, and what the peer's say.

use super::inbound::Inbound;
use super::outbound::Outbound;
use super::stats::{RemoteInboundRtp, RemoteOutboundRtp};
use crate::rtp::rtcp::{self, Packet, ReportBlock, SenderInfo};
use crate::rtp::schedule::Schedule;
use crate::sdp::negotiate::Agreed;
use crate::transport::Transport;
use std::time::{Duration, Instant};

/// A round trip beyond this is a peer that counts wrong.
const LONGEST_ROUND_TRIP: f64 = 30.0;
/// Three intervals of RTCP: a peer that reports no more may be on another path since.
const EXPIRES: Duration = Duration::from_secs(15);
/// The share of G.711's RTP clock is near enough where the peer's unit is unknown.
const FALLBACK_CLOCK: f64 = 8_000.0;
/// A report of fewer packets says nothing about loss.
const FEW: u32 = 20;
/// What a peer told longer ago than that says nothing about now: it tells every five seconds (RFC 3550 §6.2).
const OLD_NEWS: Duration = Duration::from_secs(15);

/// Reports sent and received.
#[derive(Debug)]
pub(super) struct Reports {
    cname: String,
    ssrc: u32,
    /// RFC 3550 §4: a sender without wall clock counts from when it joined.
    epoch: Instant,
    schedule: Schedule,
    /// Whether RTCP has a way: without rtcp-mux it has none.
    enabled: bool,
    /// Whether a report may come before its time if there is something to say.
    prompt: bool,
    compound: Vec<u8>,
    /// What the peer's last sender report says of its sound, the SSRC of that, and when it came.
    last_sender: Option<(SenderInfo, u32, Instant)>,
    clock: f64,
    /// When a round trip was last measured.
    measured: Option<Instant>,
    pub(super) remote_inbound: Option<RemoteInboundRtp>,
    /// When the peer told that.
    told: Option<Instant>,
    /// The highest number that it had seen then, and of how many packets it told.
    told_up_to: Option<u32>,
    told_of: u32,
    pub(super) remote_outbound: Option<RemoteOutboundRtp>,
}

/// What a compound of the peer's says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Learned {
    /// The share of what we send that it lost since its last report, 0 to 1.
    pub(super) loss: Option<f64>,
    /// How long the way to it and back takes.
    pub(super) round_trip: Option<Duration>,
    /// It leaves.
    pub(super) bye: bool,
}

impl Learned {
    fn take(&mut self, told: Option<(f64, Option<Duration>)>) {
        if let Some((loss, round_trip)) = told {
            self.loss = Some(loss);
            self.round_trip = round_trip;
        }
    }
}

impl Reports {
    pub(super) fn new(cname: String, ssrc: u32, now: Instant, seed: [u8; 32]) -> Self {
        Self {
            cname,
            ssrc,
            epoch: now,
            schedule: Schedule::new(seed),
            enabled: false,
            prompt: false,
            compound: Vec::with_capacity(256),
            last_sender: None,
            clock: FALLBACK_CLOCK,
            measured: None,
            remote_inbound: None,
            told: None,
            told_up_to: None,
            told_of: 0,
            remote_outbound: None,
        }
    }

    pub(super) fn configure(&mut self, agreed: &Agreed) {
        self.enabled = agreed.has_reports();
        self.prompt = agreed.prompt_rtcp;
        self.clock = f64::from(agreed.audio.send.codec.clock_rate());
    }

    pub(super) fn start(&mut self, now: Instant) {
        self.schedule.start(now);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.enabled.then(|| self.schedule.deadline()).flatten()
    }

    /// The round trip in seconds, unless it was measured too long ago to tell of now.
    pub(super) fn current_round_trip(&self, now: Instant) -> Option<f64> {
        let fresh = now.saturating_duration_since(self.measured?) <= EXPIRES;
        self.remote_inbound?.round_trip_time.filter(|_| fresh)
    }

    /// What the peer has told last of a source of sound.
    pub(super) fn of_sound(&self, ssrc: u32) -> Option<SenderInfo> {
        let (info, source, _) = self.last_sender?;
        (source == ssrc).then_some(info)
    }

    /// Lets the next report come early, if that is allowed.
    pub(super) fn hasten(&mut self) {
        if self.prompt {
            self.schedule.hasten();
        }
    }

    /// The share of what we send that the peer has lost of late, 0 to 1, if it tells.
    pub(super) fn told_loss(&self, now: Instant) -> Option<f64> {
        let lately = |told: &Instant| now.saturating_duration_since(*told) < OLD_NEWS;
        self.told.filter(lately)?;
        // Of a few packets, as of silence that is left out, a share says little.
        (self.told_of >= FEW).then_some(())?;
        Some(self.remote_inbound?.fraction_lost)
    }

    /// Sends a report.
    pub(super) fn send(
        &mut self,
        outbound: &Outbound,
        inbound: &mut Inbound,
        transport: &mut Transport,
        now: Instant,
    ) {
        self.schedule.sent(now);
        let info = outbound.sender_info(self.ntp(now), now);
        let block = inbound.report().map(|block| self.complete(block, now));
        self.compound.clear();
        rtcp::write_report(&mut self.compound, self.ssrc, info, block.as_slice());
        rtcp::write_description(&mut self.compound, self.ssrc, &self.cname);
        // Nothing is lost by a report that finds no way.
        let _unsent = transport.send_rtcp(&self.compound, now);
    }

    /// Says goodbye.
    pub(super) fn bye(&mut self, transport: &mut Transport, now: Instant) {
        if !self.enabled {
            return;
        }
        self.compound.clear();
        rtcp::write_report(&mut self.compound, self.ssrc, None, &[]);
        rtcp::write_description(&mut self.compound, self.ssrc, &self.cname);
        rtcp::write_goodbye(&mut self.compound, self.ssrc);
        let _unsent = transport.send_rtcp(&self.compound, now);
    }

    /// Takes a compound; `is_sound` says whether one of the peer's sources may be that of its sound, of which `heard` is
    /// heard now.
    pub(super) fn receive(
        &mut self,
        compound: &[u8],
        is_sound: impl Fn(u32) -> bool,
        heard: Option<u32>,
        now: Instant,
    ) -> Learned {
        let mut learned = Learned::default();
        for packet in rtcp::read(compound) {
            match packet {
                // A picture, or nobody that we know: of whom we hear it would say nothing true.
                Packet::Sender { ssrc, blocks, .. }
                    if heard.map_or_else(|| !is_sound(ssrc), |heard| heard != ssrc) =>
                {
                    learned.take(self.learn(blocks, now));
                }
                Packet::Sender { ssrc, info, blocks } => {
                    self.last_sender = Some((info, ssrc, now));
                    let reports = self.remote_outbound.map_or(0, |r| r.reports_sent);
                    self.remote_outbound = Some(RemoteOutboundRtp {
                        packets_sent: u64::from(info.packets),
                        bytes_sent: u64::from(info.bytes),
                        reports_sent: reports + 1,
                    });
                    learned.take(self.learn(blocks, now));
                }
                Packet::Receiver { blocks, .. } => {
                    learned.take(self.learn(blocks, now));
                }
                // A picture that ends is not the call.
                Packet::Goodbye { ssrc: Some(ssrc) } if !is_sound(ssrc) => {}
                Packet::Goodbye { .. } => learned.bye = true,
                // Sound is never sent again.
                Packet::Feedback { .. } | Packet::Other => {}
            }
        }
        learned
    }

    /// Takes what is said about our stream; gives the share of it that was lost, and the round trip.
    fn learn(
        &mut self,
        mut blocks: rtcp::Blocks<'_>,
        now: Instant,
    ) -> Option<(f64, Option<Duration>)> {
        let block = blocks.find(|b| b.ssrc == self.ssrc)?;
        let mut report = self.remote_inbound.unwrap_or_default();
        report.packets_lost = i64::from(block.lost);
        report.fraction_lost = f64::from(block.fraction_lost) / 256.0;
        report.jitter = f64::from(block.jitter) / self.clock.max(1.0);
        let round_trip = self.round_trip(&block, now);
        if let Some(round_trip) = round_trip {
            self.measured = Some(now);
            report.round_trip_time = Some(round_trip);
            report.total_round_trip_time += round_trip;
            report.round_trip_time_measurements += 1;
        }
        self.remote_inbound = Some(report);
        self.told = Some(now);
        let before = self.told_up_to.replace(block.highest_sequence);
        self.told_of = before.map_or(0, |before| block.highest_sequence.wrapping_sub(before));
        Some((
            report.fraction_lost,
            round_trip.map(Duration::from_secs_f64),
        ))
    }

    /// RFC 3550 §6.4.1: now − LSR − DLSR.
    fn round_trip(&self, block: &ReportBlock, now: Instant) -> Option<f64> {
        let middle = (self.ntp(now) >> 16) as u32;
        let ticks = middle
            .wrapping_sub(block.last_sender_report)
            .wrapping_sub(block.delay) as i32;
        let seconds = f64::from(ticks) / 65_536.0;
        // A peer's clock that rounds may seem to answer before it was asked.
        (block.last_sender_report != 0 && (-0.01..LONGEST_ROUND_TRIP).contains(&seconds))
            .then_some(seconds.max(0.0))
    }

    fn complete(&self, mut block: ReportBlock, now: Instant) -> ReportBlock {
        if let Some((info, ssrc, at)) = self.last_sender
            && ssrc == block.ssrc
        {
            let since = now.saturating_duration_since(at).as_secs_f64();
            block.last_sender_report = (info.ntp >> 16) as u32;
            block.delay = (since * 65_536.0) as u32;
        }
        block
    }

    /// 32.32 fixed-point seconds, from 1 so that the middle of it is never 0 early on.
    pub(super) fn ntp(&self, now: Instant) -> u64 {
        let elapsed = now.saturating_duration_since(self.epoch);
        let fraction = (u64::from(elapsed.subsec_nanos()) << 32) / 1_000_000_000;
        (elapsed.as_secs() + 1) << 32 | fraction
    }
}
