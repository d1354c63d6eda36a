//! A snapshot of a session in the terms of W3C webrtc-stats, seconds and bytes as there.

use super::line::VideoStats;
use crate::codec::Codec;
use crate::transport::TransportStats;

/// Everything that can be told about a session.
#[derive(Clone, Debug)]
pub struct Stats {
    /// `inbound-rtp`
    pub inbound: InboundRtp,
    /// `outbound-rtp`
    pub outbound: OutboundRtp,
    /// `remote-inbound-rtp`: what the peer reports about our stream; `None` before its first report.
    pub remote_inbound: Option<RemoteInboundRtp>,
    /// `remote-outbound-rtp`: what the peer reports about its own stream; `None` before its first report.
    pub remote_outbound: Option<RemoteOutboundRtp>,
    /// The video lines.
    pub video: Vec<VideoStats>,
    /// `codec` of each direction, once agreed.
    pub codecs: Vec<CodecStats>,
    /// `transport`, `candidate-pair` and the candidates; `None` before the first description.
    pub transport: Option<TransportStats>,
    /// The figures that people ask for.
    pub summary: Summary,
}

/// `inbound-rtp`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InboundRtp {
    /// `ssrc`
    pub ssrc: u32,
    /// `packetsReceived`
    pub packets_received: u64,
    /// `bytesReceived`: payload bytes.
    pub bytes_received: u64,
    /// `packetsLost`: negative when duplicates outweigh losses.
    pub packets_lost: i64,
    /// `jitter` in seconds (RFC 3550 §6.4.1).
    pub jitter: f64,
    /// `packetsDiscarded`: too late or too early to be played, or malformed.
    pub packets_discarded: u64,
    /// `fecPacketsReceived`: copies of packets inside others (RFC 2198).
    pub fec_packets_received: u64,
    /// `fecPacketsDiscarded`: of these, those whose packet came itself, or that came too late.
    pub fec_packets_discarded: u64,
    /// Lost packets whose sound came as a copy, of either kind: in-band copies of Opus are not counted above.
    pub frames_recovered: u64,
    /// `totalSamplesReceived`
    pub total_samples_received: u64,
    /// `concealedSamples`
    pub concealed_samples: u64,
    /// `silentConcealedSamples`
    pub silent_concealed_samples: u64,
    /// `concealmentEvents`
    pub concealment_events: u64,
    /// `insertedSamplesForDeceleration`
    pub inserted_samples_for_deceleration: u64,
    /// `removedSamplesForAcceleration`
    pub removed_samples_for_acceleration: u64,
    /// `jitterBufferDelay` in seconds, summed over emitted samples.
    pub jitter_buffer_delay: f64,
    /// `jitterBufferTargetDelay` in seconds, summed over emitted samples.
    pub jitter_buffer_target_delay: f64,
    /// `jitterBufferEmittedCount`
    pub jitter_buffer_emitted_count: u64,
    /// `audioLevel`, 0 to 1, of the last 10 ms.
    pub audio_level: f64,
    /// `totalAudioEnergy`
    pub total_audio_energy: f64,
    /// `totalSamplesDuration` in seconds.
    pub total_samples_duration: f64,
    /// Seconds since the last packet; `None` before the first.
    pub since_last_packet: Option<f64>,
    /// How often the peer's SSRC changed.
    pub ssrc_changes: u64,
}

/// `outbound-rtp`, with the `media-source` of its sound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutboundRtp {
    /// `ssrc`
    pub ssrc: u32,
    /// `packetsSent`
    pub packets_sent: u64,
    /// `bytesSent`: payload bytes.
    pub bytes_sent: u64,
    /// `active`
    pub active: bool,
    /// `audioLevel` of the source, 0 to 1, of the last 10 ms, before muting.
    pub audio_level: f64,
    /// `totalAudioEnergy` of the source.
    pub total_audio_energy: f64,
    /// `totalSamplesDuration` of the source in seconds.
    pub total_samples_duration: f64,
}

/// `remote-inbound-rtp`
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RemoteInboundRtp {
    /// `packetsLost`
    pub packets_lost: i64,
    /// `fractionLost`, 0 to 1.
    pub fraction_lost: f64,
    /// `jitter` in seconds.
    pub jitter: f64,
    /// `roundTripTime` in seconds, once measured.
    pub round_trip_time: Option<f64>,
    /// `totalRoundTripTime` in seconds.
    pub total_round_trip_time: f64,
    /// `roundTripTimeMeasurements`
    pub round_trip_time_measurements: u64,
}

/// `remote-outbound-rtp`
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RemoteOutboundRtp {
    /// `packetsSent`
    pub packets_sent: u64,
    /// `bytesSent`
    pub bytes_sent: u64,
    /// `reportsSent`
    pub reports_sent: u64,
}

/// `codec`
#[derive(Clone, Debug, PartialEq)]
pub struct CodecStats {
    /// Whether we send it; otherwise it arrives.
    pub outbound: bool,
    /// The codec, whose name makes the `mimeType`.
    pub codec: Codec,
    /// `payloadType`
    pub payload_type: u8,
    /// `clockRate` in Hz.
    pub clock_rate: u32,
    /// `channels`
    pub channels: u8,
}

/// The figures that people ask for; those over a time are of the last second or since the last call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Mean opinion score, 1 to 4.5, of the conversation as we hear it ([`crate::mos`]).
    pub mos: f64,
    /// From the peer's mouth to our ear, in milliseconds: the way through the network, packets, codec and jitter buffer, and the
    /// output as far as it is known. What the peer's own devices need is not.
    pub delay_ms: f64,
    /// Jitter in milliseconds.
    pub jitter_ms: f64,
    /// Round-trip time in milliseconds, by RTCP or else by ICE; `None` before one is known.
    pub rtt_ms: Option<f64>,
    /// Packets lost on their way to us, in percent.
    pub loss_pct: f64,
    /// Sound that had to be invented, in percent.
    pub concealed_pct: f64,
    /// Sound waiting to be played, in milliseconds.
    pub buffer_ms: f64,
    /// Whether a packet came.
    pub heard: bool,
    /// Packets of ours that the peer has lost of late, in percent; `None` while it does not tell.
    pub peer_loss_pct: Option<f64>,
    /// How loud what was captured was, muted or not, as W3C's `audioLevel`.
    pub near_level: f64,
    /// How loud what was played was.
    pub far_level: f64,
    /// The loudest sample that was captured, 0 to 1; `None` if nothing was.
    pub near_peak: Option<f64>,
    /// Captured samples that were cut off at full scale, in percent.
    pub clipped_pct: f64,
    /// How much what is captured looks like an echo of what was played before, 0 to 1, over the last eight seconds.
    pub echo_here: f64,
    /// How much what is played looks like an echo of what was captured before.
    pub echo_there: f64,
}
