//! Statistics of video lines, in the terms of W3C webrtc-stats.

use ::video::{Size, VideoCodec};
use std::time::{Duration, Instant};

use super::PictureLine;
use crate::rtp::rtcp::ReportBlock;
use crate::sdp::negotiate::{Content, VideoLine};
use crate::video::CLOCK;

/// A round trip beyond this is a peer that counts wrong.
const LONGEST_ROUND_TRIP: f64 = 30.0;

/// Everything that can be told about a video line.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoStats {
    /// Which it is.
    pub line: VideoLine,
    /// What it shows.
    pub content: Content,
    /// `inbound-rtp`
    pub inbound: VideoInbound,
    /// `outbound-rtp`
    pub outbound: VideoOutbound,
    /// `remote-inbound-rtp`: what the peer reports about our stream; `None` before its first report.
    pub remote_inbound: Option<RemoteVideo>,
}

/// `inbound-rtp` of video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VideoInbound {
    /// `ssrc`; 0 before the first packet.
    pub ssrc: u32,
    /// `packetsReceived`
    pub packets_received: u64,
    /// `bytesReceived`: payload bytes.
    pub bytes_received: u64,
    /// `packetsLost`, of those that were not sent again.
    pub packets_lost: i64,
    /// `jitter` in seconds.
    pub jitter: f64,
    /// `packetsDiscarded`: that can't be read, or of payload types that were not agreed to.
    pub packets_discarded: u64,
    /// `retransmittedPacketsReceived`
    pub retransmitted_packets_received: u64,
    /// `retransmittedBytesReceived`
    pub retransmitted_bytes_received: u64,
    /// `framesReceived`: whole ones.
    pub frames_received: u64,
    /// `framesDropped`: that came in part, or could not be decoded for want of others.
    pub frames_dropped: u64,
    /// Whole key frames.
    pub key_frames_received: u64,
    /// `nackCount`
    pub nack_count: u64,
    /// `pliCount`
    pub pli_count: u64,
    /// `firCount`
    pub fir_count: u64,
    /// `freezeCount`
    pub freeze_count: u64,
    /// `totalFreezesDuration` in seconds.
    pub total_freezes_duration: f64,
    /// `frameWidth` and `frameHeight` of the last key frame that says them.
    pub size: Option<Size>,
    /// Seconds since the last whole frame; `None` before the first.
    pub since_last_frame: Option<f64>,
}

/// `outbound-rtp` of video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VideoOutbound {
    /// `ssrc`
    pub ssrc: u32,
    /// `rtxSsrc`
    pub rtx_ssrc: Option<u32>,
    /// `packetsSent`
    pub packets_sent: u64,
    /// `bytesSent`: payload bytes.
    pub bytes_sent: u64,
    /// `retransmittedPacketsSent`
    pub retransmitted_packets_sent: u64,
    /// `retransmittedBytesSent`
    pub retransmitted_bytes_sent: u64,
    /// `framesSent`
    pub frames_sent: u64,
    /// Of these, key frames.
    pub key_frames_sent: u64,
    /// Frames that were given and not sent: before a key frame, while muted, or beyond what the network takes.
    pub frames_dropped: u64,
    /// `nackCount`
    pub nack_count: u64,
    /// `pliCount`
    pub pli_count: u64,
    /// `firCount`
    pub fir_count: u64,
    /// `frameWidth` and `frameHeight` of the last key frame.
    pub size: Option<Size>,
    /// The codec that is sent, once agreed.
    pub codec: Option<VideoCodec>,
    /// `active`
    pub active: bool,
}

/// `remote-inbound-rtp` of video.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RemoteVideo {
    /// `packetsLost`
    pub packets_lost: i64,
    /// `fractionLost`, 0 to 1.
    pub fraction_lost: f64,
    /// `jitter` in seconds.
    pub jitter: f64,
    /// `roundTripTime` in seconds, once measured.
    pub round_trip_time: Option<f64>,
}

impl RemoteVideo {
    /// What `block` says that comes when our reports' time is `ntp`.
    pub(super) fn of(block: &ReportBlock, ntp: u64, before: Option<Self>) -> Self {
        // RFC 3550 §6.4.1: now − LSR − DLSR.
        let middle = (ntp >> 16) as u32;
        let ticks = middle
            .wrapping_sub(block.last_sender_report)
            .wrapping_sub(block.delay) as i32;
        let seconds = f64::from(ticks) / 65_536.0;
        let measured =
            block.last_sender_report != 0 && (-0.01..LONGEST_ROUND_TRIP).contains(&seconds);
        Self {
            packets_lost: i64::from(block.lost),
            fraction_lost: f64::from(block.fraction_lost) / 256.0,
            jitter: f64::from(block.jitter) / f64::from(CLOCK),
            round_trip_time: measured
                .then_some(seconds.max(0.0))
                .or(before.and_then(|before| before.round_trip_time)),
        }
    }

    /// The round trip, once measured.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip_time.map(Duration::from_secs_f64)
    }
}

impl PictureLine {
    pub(super) fn stats(&self, now: Instant) -> VideoStats {
        VideoStats {
            line: self.agreed.line,
            content: self.agreed.content,
            inbound: self.inbound(now),
            outbound: self.outbound(),
            remote_inbound: self.remote,
        }
    }

    fn inbound(&self, now: Instant) -> VideoInbound {
        let (reception, freezes, frames) = self.receiving.parts();
        let counts = self.receiving.counts;
        VideoInbound {
            ssrc: reception.ssrc().unwrap_or(0),
            packets_received: reception.received(),
            bytes_received: reception.bytes,
            packets_lost: reception.lost(),
            jitter: reception.jitter().as_secs_f64(),
            packets_discarded: frames.malformed + counts.unknown,
            retransmitted_packets_received: counts.packets_again,
            retransmitted_bytes_received: counts.bytes_again,
            frames_received: frames.frames,
            frames_dropped: frames.dropped,
            key_frames_received: frames.key_frames,
            nack_count: counts.nacks,
            pli_count: counts.plis,
            fir_count: counts.firs,
            freeze_count: freezes.count,
            total_freezes_duration: freezes.duration.as_secs_f64(),
            size: counts.size,
            since_last_frame: (counts.last_frame)
                .map(|at| now.saturating_duration_since(at).as_secs_f64()),
        }
    }

    fn outbound(&self) -> VideoOutbound {
        let counts = self.sending.counts;
        VideoOutbound {
            ssrc: self.agreed.source.ssrc,
            rtx_ssrc: self.agreed.source.rtx,
            packets_sent: counts.packets,
            bytes_sent: counts.bytes,
            retransmitted_packets_sent: counts.packets_again,
            retransmitted_bytes_sent: counts.bytes_again,
            frames_sent: counts.frames,
            key_frames_sent: counts.key_frames,
            frames_dropped: counts.dropped,
            nack_count: counts.nacks,
            pli_count: counts.plis,
            fir_count: counts.firs,
            size: counts.size,
            codec: self.sending.codec(),
            active: self.sending.is_active(),
        }
    }
}
