//! Statistics, put together when someone asks.

use super::loudness::Loudness;
use super::{CodecStats, InboundRtp, OutboundRtp, Session, Stats, Summary};
use crate::codec::Codec;
use crate::echo::Likeness;
use crate::mos::{Conditions, score};
use std::time::{Duration, Instant};

/// How long the summary's figures are taken over.
const WINDOW: Duration = Duration::from_secs(1);

/// Where the counters stood when the summary's time began.
#[derive(Debug)]
pub(super) struct SummaryWindow {
    since: Instant,
    base: Totals,
    last: Option<Summary>,
    /// Of the last window that was over: looking for an echo in less is not worth its time.
    echo: Likeness,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    expected: u64,
    received: u64,
    emitted: u64,
    concealed: u64,
    gaps: u64,
    delay: f64,
    captured: u64,
    clipped: u64,
    near: Heard,
    far: Heard,
}

/// What was heard, as W3C adds it up.
#[derive(Clone, Copy, Debug, Default)]
struct Heard {
    energy: f64,
    seconds: f64,
}

impl Heard {
    fn of(loudness: &Loudness) -> Self {
        Self {
            energy: loudness.energy,
            seconds: loudness.seconds,
        }
    }

    /// How loud it was since, as `audioLevel`.
    fn level_since(self, before: Self) -> f64 {
        let seconds = self.seconds - before.seconds;
        if seconds > 0.0 {
            ((self.energy - before.energy).max(0.0) / seconds).sqrt()
        } else {
            0.0
        }
    }
}

impl SummaryWindow {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            base: Totals::default(),
            last: None,
            echo: Likeness::default(),
        }
    }
}

impl Session {
    /// A snapshot of everything that can be told.
    ///
    /// The summary's shares are over the time since the last snapshot that is at least a second old.
    pub fn stats(&mut self, now: Instant) -> Stats {
        Stats {
            summary: self.summarise(now),
            inbound: self.inbound_stats(now),
            outbound: self.outbound_stats(),
            remote_inbound: self.reports.remote_inbound,
            remote_outbound: self.reports.remote_outbound,
            video: self.lines.stats(now),
            codecs: self.codec_stats(),
            transport: self.transport.as_ref().map(|t| t.stats()),
        }
    }

    fn inbound_stats(&self, now: Instant) -> InboundRtp {
        let reception = &self.inbound.reception;
        let played = self.inbound.playout.counters();
        let copies = self.inbound.copies;
        let level = self.inbound.level;
        let rate = f64::from(self.inbound.rate().hz());
        InboundRtp {
            ssrc: reception.ssrc().unwrap_or(0),
            packets_received: reception.received(),
            bytes_received: reception.bytes,
            packets_lost: reception.lost(),
            jitter: reception.jitter().as_secs_f64(),
            packets_discarded: played.discarded + self.inbound.unknown,
            fec_packets_received: copies.received,
            fec_packets_discarded: copies.discarded,
            frames_recovered: played.recovered + copies.received - copies.discarded,
            total_samples_received: played.emitted,
            concealed_samples: played.concealed,
            silent_concealed_samples: played.silent_concealed,
            concealment_events: played.concealment_events,
            inserted_samples_for_deceleration: played.inserted,
            removed_samples_for_acceleration: played.removed,
            jitter_buffer_delay: played.delay,
            jitter_buffer_target_delay: played.target,
            jitter_buffer_emitted_count: played.emitted,
            audio_level: level.level,
            total_audio_energy: level.energy,
            total_samples_duration: level.seconds.max(played.emitted as f64 / rate.max(1.0)),
            since_last_packet: self
                .inbound
                .last_arrival()
                .map(|at| now.saturating_duration_since(at).as_secs_f64()),
            ssrc_changes: reception.ssrc_changes,
        }
    }

    fn outbound_stats(&self) -> OutboundRtp {
        OutboundRtp {
            ssrc: self.identity.audio.ssrc,
            packets_sent: self.outbound.packets,
            bytes_sent: self.outbound.bytes,
            active: self.is_connected() && self.sends(),
            audio_level: self.outbound.level.level,
            total_audio_energy: self.outbound.level.energy,
            total_samples_duration: self.outbound.level.seconds,
        }
    }

    fn codec_stats(&self) -> Vec<CodecStats> {
        let sent = self.agreed.as_ref().map(|agreed| {
            let send = agreed.audio.send;
            codec(true, send.codec, send.payload_type.value())
        });
        let received = self.inbound.payload().and_then(|payload| {
            let known = payload.encoding.codec()?;
            Some(codec(false, known, payload.payload_type.value()))
        });
        sent.into_iter().chain(received).collect()
    }

    fn summarise(&mut self, now: Instant) -> Summary {
        let fresh = now.saturating_duration_since(self.summary.since) < WINDOW;
        if let (true, Some(last)) = (fresh, self.summary.last) {
            return last;
        }
        if !fresh {
            self.summary.echo = self.echo.likeness();
        }
        let totals = self.totals();
        let summary = self.summary_between(self.summary.base, totals, now);
        if !fresh {
            self.summary.since = now;
            self.summary.base = totals;
            self.summary.last = Some(summary);
            self.outbound.level.begin_peak();
        }
        summary
    }

    fn totals(&self) -> Totals {
        let played = self.inbound.playout.counters();
        let reception = &self.inbound.reception;
        Totals {
            expected: reception.expected(),
            received: reception.received(),
            emitted: played.emitted,
            concealed: played.concealed.saturating_sub(played.silent_concealed),
            gaps: played.concealment_events,
            delay: played.delay,
            captured: self.outbound.level.samples,
            clipped: self.outbound.level.clipped,
            near: Heard::of(&self.outbound.level),
            far: Heard::of(&self.inbound.level),
        }
    }

    fn summary_between(&self, before: Totals, after: Totals, now: Instant) -> Summary {
        let since = |total: fn(&Totals) -> u64| total(&after).saturating_sub(total(&before)) as f64;
        let expected = since(|t| t.expected);
        let loss_pct = share((expected - since(|t| t.received)).max(0.0), expected);
        let emitted = since(|t| t.emitted);
        let concealed = since(|t| t.concealed);
        let rtt_ms = self.round_trip_ms();
        let buffered_ms = if emitted > 0.0 {
            (after.delay - before.delay) / emitted * 1_000.0
        } else {
            0.0
        };
        let codec = self.inbound.codec().unwrap_or(Codec::Opus);
        let delay_ms = rtt_ms.unwrap_or(0.0) / 2.0
            + buffered_ms
            + self.packet_ms()
            + codec.look_ahead().as_secs_f64() * 1_000.0
            + self.playout_delay.as_secs_f64() * 1_000.0;
        let conditions = Conditions {
            delay_ms,
            // What neither came nor was recovered is concealed; late packets are in it too.
            loss_pct: share(concealed, emitted),
            burst_ratio: self.burst_ratio(concealed, emitted, since(|t| t.gaps)),
        };
        let Likeness { here, there } = self.summary.echo;
        Summary {
            mos: score(codec, conditions),
            delay_ms,
            jitter_ms: self.inbound.reception.jitter().as_secs_f64() * 1_000.0,
            rtt_ms,
            loss_pct,
            concealed_pct: conditions.loss_pct,
            buffer_ms: self.inbound.playout.waiting().as_secs_f64() * 1_000.0,
            peer_loss_pct: self.reports.told_loss(now).map(|part| part * 100.0),
            near_level: after.near.level_since(before.near),
            far_level: after.far.level_since(before.far),
            heard: since(|t| t.received) > 0.0,
            near_peak: (since(|t| t.captured) > 0.0).then(|| self.outbound.level.peak()),
            clipped_pct: share(since(|t| t.clipped), since(|t| t.captured)),
            echo_here: here,
            echo_there: there,
        }
    }

    /// How much longer gaps are than random losses of the same share make them (G.107 §7.5).
    fn burst_ratio(&self, concealed: f64, emitted: f64, gaps: f64) -> f64 {
        let packet = f64::from(self.inbound.rate().hz()) * self.packet_ms() / 1_000.0;
        let mean_gap = concealed / gaps.max(1.0) / packet.max(1.0);
        let at_random = 1.0 - (concealed / emitted.max(1.0)).clamp(0.0, 0.99);
        (mean_gap * at_random).max(1.0)
    }

    pub(super) fn packet_ms(&self) -> f64 {
        let ptime = self
            .agreed
            .as_ref()
            .map_or(20, |agreed| agreed.audio.send.ptime);
        f64::from(ptime)
    }

    pub(super) fn round_trip_ms(&self) -> Option<f64> {
        let reported = self
            .reports
            .current_round_trip(self.now)
            .map(|seconds| seconds * 1_000.0);
        let checked = || {
            let rtt = self.transport.as_ref()?.stats().rtt?;
            Some(rtt.as_secs_f64() * 1_000.0)
        };
        reported.or_else(checked)
    }
}

fn codec(outbound: bool, codec: Codec, payload_type: u8) -> CodecStats {
    CodecStats {
        outbound,
        codec,
        payload_type,
        clock_rate: codec.clock_rate(),
        channels: codec.rtpmap_channels(),
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        part / whole * 100.0
    } else {
        0.0
    }
}
