//! Receiver statistics (RFC 3550 appendix A), over every SSRC that a peer takes in turn.

use super::rtcp::ReportBlock;
use std::time::{Duration, Instant};

/// RFC 3550 §A.1: a jump of the sequence number beyond this is a new start, not loss.
const MAX_DROPOUT: u16 = 3_000;
/// RFC 3550 §A.1: an older packet than this is a new start, not a late one.
const MAX_MISORDER: u16 = 100;

/// What has arrived from a peer.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    current: Option<Source>,
    /// Expected and received packets of sources that are no more.
    past: Counts,
    /// Payload bytes of all sources.
    pub bytes: u64,
    /// How often the SSRC changed.
    pub ssrc_changes: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    expected: u64,
    received: u64,
}

/// One SSRC's stream, as RFC 3550 §A.1 follows it.
#[derive(Clone, Debug)]
struct Source {
    ssrc: u32,
    base: u64,
    /// The highest sequence number, extended by its cycles.
    highest: u64,
    received: u64,
    /// What earlier starts of this stream came to.
    before: Counts,
    prior: Counts,
    jitter: Jitter,
}

/// RFC 3550 §A.8, in seconds so that a change of clock does not matter.
#[derive(Clone, Copy, Debug, Default)]
struct Jitter {
    seconds: f64,
    last: Option<(Instant, u32, u32)>,
}

impl Reception {
    /// Counts a packet; `clock` is its RTP clock in Hz, or `None` if its timestamp says nothing about when it was
    /// sent (telephone events).
    pub fn packet(
        &mut self,
        ssrc: u32,
        sequence: u16,
        timing: Option<(u32, u32)>,
        bytes: usize,
        now: Instant,
    ) {
        self.bytes += bytes as u64;
        let known = self.current.as_ref().is_some_and(|s| s.ssrc == ssrc);
        if !known {
            if let Some(old) = self.current.take() {
                let counts = old.counts();
                self.past.expected += counts.expected;
                self.past.received += counts.received;
                self.ssrc_changes += 1;
            }
            self.current = Some(Source::new(ssrc, sequence));
        }
        if let Some(source) = &mut self.current {
            source.packet(sequence);
            if let Some((timestamp, clock)) = timing {
                source.jitter.packet(timestamp, clock, now);
            }
        }
    }

    /// The SSRC that sends now.
    pub fn ssrc(&self) -> Option<u32> {
        self.current.as_ref().map(|s| s.ssrc)
    }

    /// All packets received, duplicates included.
    pub fn received(&self) -> u64 {
        self.counts().received
    }

    /// All packets that should have come.
    pub fn expected(&self) -> u64 {
        self.counts().expected
    }

    /// Packets lost; negative when duplicates outweigh losses.
    pub fn lost(&self) -> i64 {
        let counts = self.counts();
        counts.expected as i64 - counts.received as i64
    }

    /// Interarrival jitter of the SSRC that sends now.
    pub fn jitter(&self) -> Duration {
        let seconds = self.current.as_ref().map_or(0.0, |s| s.jitter.seconds);
        Duration::from_secs_f64(seconds.clamp(0.0, 60.0))
    }

    /// Whether a packet of the SSRC that sends now was lost of which no report has told.
    pub fn has_lost(&self) -> bool {
        self.current.as_ref().is_some_and(Source::has_lost)
    }

    /// The report block about the SSRC that sends now; the fraction lost is since the last call.
    pub fn report(&mut self, clock: u32) -> Option<ReportBlock> {
        self.current.as_mut().map(|source| source.report(clock))
    }

    fn counts(&self) -> Counts {
        let now = self
            .current
            .as_ref()
            .map(Source::counts)
            .unwrap_or_default();
        Counts {
            expected: self.past.expected + now.expected,
            received: self.past.received + now.received,
        }
    }
}

impl Source {
    fn new(ssrc: u32, sequence: u16) -> Self {
        Self {
            ssrc,
            base: u64::from(sequence),
            highest: u64::from(sequence),
            received: 0,
            before: Counts::default(),
            prior: Counts::default(),
            jitter: Jitter::default(),
        }
    }

    fn packet(&mut self, sequence: u16) {
        let ahead = sequence.wrapping_sub(self.highest as u16);
        if ahead < MAX_DROPOUT {
            self.highest += u64::from(ahead);
        } else if ahead <= u16::MAX - MAX_MISORDER {
            self.restart(sequence);
        }
        self.received += 1;
    }

    fn restart(&mut self, sequence: u16) {
        self.before = self.counts();
        self.received = 0;
        let cycle = (self.highest & !0xffff) + 0x1_0000;
        self.base = cycle + u64::from(sequence);
        self.highest = self.base;
    }

    fn counts(&self) -> Counts {
        let expected = if self.received == 0 {
            0
        } else {
            self.highest - self.base + 1
        };
        Counts {
            expected: self.before.expected + expected,
            received: self.before.received + self.received,
        }
    }

    fn has_lost(&self) -> bool {
        let counts = self.counts();
        counts.expected - self.prior.expected > counts.received - self.prior.received
    }

    fn report(&mut self, clock: u32) -> ReportBlock {
        let counts = self.counts();
        let expected = counts.expected - self.prior.expected;
        let received = counts.received - self.prior.received;
        self.prior = counts;
        let lost = expected.saturating_sub(received);
        let fraction = (lost * 256).checked_div(expected).unwrap_or(0).min(255);
        let total = counts.expected as i64 - counts.received as i64;
        ReportBlock {
            ssrc: self.ssrc,
            fraction_lost: fraction as u8,
            // 24 bits, signed.
            lost: total.clamp(-0x80_0000, 0x7f_ffff) as i32,
            highest_sequence: self.highest as u32,
            jitter: (self.jitter.seconds * f64::from(clock)) as u32,
            last_sender_report: 0,
            delay: 0,
        }
    }
}

impl Jitter {
    fn packet(&mut self, timestamp: u32, clock: u32, now: Instant) {
        if let Some((then, earlier, same_clock)) = self.last
            && same_clock == clock
            && clock > 0
        {
            let sent = f64::from(timestamp.wrapping_sub(earlier) as i32) / f64::from(clock);
            let arrived = now.saturating_duration_since(then).as_secs_f64();
            let difference = (arrived - sent).abs();
            // A change of the timestamp's base is no jitter.
            if difference < 2.0 {
                self.seconds += (difference - self.seconds) / 16.0;
            }
        }
        self.last = Some((now, timestamp, clock));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(reception: &mut Reception, sequences: impl IntoIterator<Item = u16>) {
        let now = crate::virtual_time::start();
        for s in sequences {
            reception.packet(1, s, None, 10, now);
        }
    }

    #[test]
    fn losses_are_counted_over_the_wrap() {
        let mut r = Reception::default();
        feed(
            &mut r,
            (65_530..=65_535)
                .chain(0..10)
                .filter(|s| *s != 3 && *s != 65_533),
        );
        assert_eq!((r.expected(), r.received(), r.lost()), (16, 14, 2));
        let block = r.report(8_000).unwrap();
        assert_eq!(block.highest_sequence, 0x1_0009);
        assert_eq!(block.fraction_lost, (2 * 256 / 16) as u8);
        assert_eq!(r.report(8_000).unwrap().fraction_lost, 0);
    }

    #[test]
    fn reordered_packets_are_not_lost_and_duplicates_make_loss_negative() {
        let mut r = Reception::default();
        feed(&mut r, [1, 3, 2, 4, 4, 4]);
        assert_eq!(r.lost(), -2);
        assert_eq!(r.report(8_000).unwrap().lost, -2);
    }

    #[test]
    fn a_new_ssrc_or_a_jump_is_no_loss() {
        let now = crate::virtual_time::start();
        let mut r = Reception::default();
        for (ssrc, sequence) in [
            (1, 100),
            (1, 101),
            (2, 40_000),
            (2, 40_001),
            (2, 10_000),
            (2, 10_001),
        ] {
            r.packet(ssrc, sequence, None, 10, now);
        }
        assert_eq!((r.lost(), r.received(), r.ssrc_changes), (0, 6, 1));
        assert_eq!(r.ssrc(), Some(2));
    }

    #[test]
    fn jitter_follows_the_arrival_times() {
        let start = crate::virtual_time::start();
        let mut even = Reception::default();
        let mut uneven = Reception::default();
        for i in 0..200_u32 {
            let at = start + Duration::from_millis(u64::from(i) * 20);
            let late = Duration::from_millis(if i % 2 == 0 { 10 } else { 0 });
            even.packet(1, i as u16, Some((i * 160, 8_000)), 10, at);
            uneven.packet(1, i as u16, Some((i * 160, 8_000)), 10, at + late);
        }
        assert_eq!(even.jitter().as_millis(), 0);
        assert!((9..=10).contains(&uneven.jitter().as_millis()));
        assert!((72..=80).contains(&uneven.report(8_000).unwrap().jitter));
    }
}
