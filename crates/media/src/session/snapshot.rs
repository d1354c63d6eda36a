//! Statistics, put together when someone asks.

use super::{CodecStats, InboundRtp, OutboundRtp, Session, Stats, Summary};
use crate::codec::Codec;
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
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    expected: u64,
    received: u64,
    emitted: u64,
    concealed: u64,
    delay: f64,
}

impl SummaryWindow {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            base: Totals::default(),
            last: None,
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
            ssrc: self.identity.ssrc,
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
            let send = agreed.send;
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
        let totals = self.totals();
        let summary = self.summary_between(self.summary.base, totals);
        if !fresh {
            self.summary.since = now;
            self.summary.base = totals;
            self.summary.last = Some(summary);
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
            delay: played.delay,
        }
    }

    fn summary_between(&self, before: Totals, after: Totals) -> Summary {
        let expected = after.expected.saturating_sub(before.expected);
        let received = after.received.saturating_sub(before.received);
        let emitted = after.emitted.saturating_sub(before.emitted) as f64;
        let concealed = after.concealed.saturating_sub(before.concealed) as f64;
        let loss_pct = share(expected.saturating_sub(received) as f64, expected as f64);
        let concealed_pct = share(concealed, emitted);
        let rtt_ms = self.round_trip_ms();
        let jitter_ms = self.inbound.reception.jitter().as_secs_f64() * 1_000.0;
        let buffered_ms = if emitted > 0.0 {
            (after.delay - before.delay) / emitted * 1_000.0
        } else {
            0.0
        };
        let packet_ms = self
            .agreed
            .as_ref()
            .map_or(20.0, |a| f64::from(a.send.ptime));
        let codec = self.inbound.codec().unwrap_or(Codec::Opus);
        Summary {
            mos: score(
                codec,
                Conditions {
                    delay_ms: rtt_ms.unwrap_or(0.0) / 2.0 + buffered_ms + packet_ms,
                    // What neither came nor was recovered is concealed; late packets are in it too.
                    loss_pct: concealed_pct,
                },
            ),
            jitter_ms,
            rtt_ms,
            loss_pct,
            concealed_pct,
            buffer_ms: self.inbound.playout.waiting().as_secs_f64() * 1_000.0,
        }
    }

    fn round_trip_ms(&self) -> Option<f64> {
        let reported = self
            .reports
            .remote_inbound
            .and_then(|r| r.round_trip_time)
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
