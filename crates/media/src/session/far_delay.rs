//! How long what we send takes until the peer hears it.

use super::Session;
use std::time::Duration;

/// What a receiver adds beside its buffer: it plays in blocks, of 10 ms mostly, through the queue of a device.
const PLAYED_IN: Duration = Duration::from_millis(20);
/// RFC 3550's jitter is about a mean deviation; buffers hold what nineteen of twenty packets need, or more.
const JITTERS: u32 = 3;

impl Session {
    /// How much was captured and waits until its packet is full.
    pub fn unsent(&self) -> Duration {
        self.outbound.unsent()
    }

    /// How long what is sent takes until the peer hears it; `None` before a round trip is known.
    ///
    /// An estimate: half the round trip, a packet that has to be there before it is played, what a buffer holds against
    /// the jitter that the peer reports, and 20 ms for its device.
    pub fn far_delay(&self) -> Option<Duration> {
        let round_trip = Duration::from_secs_f64(self.round_trip_ms()?.max(0.0) / 1_000.0);
        let jitter = self.reports.remote_inbound.map_or(0.0, |r| r.jitter);
        let jitter = Duration::from_secs_f64(jitter.clamp(0.0, 1.0));
        let packet = Duration::from_secs_f64(self.packet_ms() / 1_000.0);
        Some(round_trip / 2 + packet + jitter * JITTERS + PLAYED_IN)
    }
}
