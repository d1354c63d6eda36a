//! What was sent, to be sent again for who lost it (RFC 4585 §6.2.1, RFC 4588).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is older comes too late for any receiver.
const LONGEST: Duration = Duration::from_secs(2);
const MOST_OCTETS: usize = 1_000_000;
/// A request for a packet that was sent again so lately is an earlier one's repetition, whatever the round trip.
const LEAST_PAUSE: Duration = Duration::from_millis(20);

/// A packet of a video stream without its header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The payload type.
    pub payload_type: u8,
    /// When its frame was taken, in 1/90000 s.
    pub timestamp: u32,
    /// Whether it ends a frame.
    pub marker: bool,
    /// Its payload.
    pub payload: Vec<u8>,
}

#[derive(Debug)]
struct SentPacket {
    packet: Outgoing,
    at: Instant,
    again: Option<Instant>,
}

/// The packets that were sent last, in order.
#[derive(Debug, Default)]
pub struct History {
    /// The number of the first.
    first: u16,
    sent: VecDeque<SentPacket>,
    octets: usize,
}

impl History {
    /// Keeps a packet; gives the payload of one that is forgotten for it, to be used again.
    pub fn keep(&mut self, sequence: u16, packet: Outgoing, now: Instant) -> Option<Vec<u8>> {
        let next = self.first.wrapping_add(self.sent.len() as u16);
        if self.sent.is_empty() || next != sequence {
            self.sent.clear();
            self.octets = 0;
            self.first = sequence;
        }
        self.octets += packet.payload.len();
        self.sent.push_back(SentPacket {
            packet,
            at: now,
            again: None,
        });
        let mut spare = None;
        while self.has_too_much(now) {
            let forgotten = self.sent.pop_front()?;
            self.first = self.first.wrapping_add(1);
            self.octets -= forgotten.packet.payload.len();
            spare = Some(forgotten.packet.payload);
        }
        spare
    }

    fn has_too_much(&self, now: Instant) -> bool {
        let first = self.sent.front();
        let is_old = |sent: &SentPacket| now.saturating_duration_since(sent.at) > LONGEST;
        self.octets > MOST_OCTETS
            || self.sent.len() > usize::from(u16::MAX / 2)
            || first.is_some_and(is_old)
    }

    /// Gives a packet to be sent again, unless it was within the last round trip, and whether it was before that.
    pub fn resend(
        &mut self,
        sequence: u16,
        round_trip: Option<Duration>,
        now: Instant,
    ) -> Option<(&Outgoing, bool)> {
        let index = usize::from(sequence.wrapping_sub(self.first));
        let sent = self.sent.get_mut(index)?;
        let pause = round_trip.unwrap_or_default().max(LEAST_PAUSE);
        let lately = |again: Instant| now.saturating_duration_since(again) < pause;
        if sent.again.is_some_and(lately) || now.saturating_duration_since(sent.at) > LONGEST {
            return None;
        }
        let before = sent.again.replace(now).is_some();
        Some((&sent.packet, before))
    }
}

/// Writes the payload of a retransmission: the number that the packet had, and what it carried (RFC 4588 §4).
pub fn write_rtx(sequence: u16, payload: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(payload);
}

/// Reads the payload of a retransmission: the number that the packet had, and what it carried; `None` if it is padding,
/// which says nothing.
pub fn read_rtx(payload: &[u8]) -> Option<(u16, &[u8])> {
    let (sequence, rest) = payload.split_first_chunk::<2>()?;
    (!rest.is_empty()).then_some((u16::from_be_bytes(*sequence), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_time::start;

    const MS: Duration = Duration::from_millis(1);

    fn packet(number: u16, length: usize) -> Outgoing {
        Outgoing {
            payload_type: 96,
            timestamp: u32::from(number),
            marker: false,
            payload: vec![number as u8; length],
        }
    }

    #[test]
    fn a_packet_is_sent_again_once_a_round_trip() {
        let begin = start();
        let mut history = History::default();
        for number in 65_530..=65_535 {
            history.keep(number, packet(number, 10), begin);
        }
        history.keep(0, packet(0, 10), begin);
        let mut at = |sequence, ms| {
            let again = history.resend(sequence, Some(100 * MS), begin + ms * MS);
            again.map(|(packet, before)| (packet.timestamp, before))
        };
        assert_eq!(at(65_535, 50), Some((65_535, false)));
        assert_eq!(at(0, 50), Some((0, false)));
        assert_eq!(at(0, 149), None);
        assert_eq!(at(0, 150), Some((0, true)));
        assert_eq!(at(1, 150), None);
        assert_eq!(at(65_529, 150), None);
        assert_eq!(at(65_530, 2_001), None);
    }

    #[test]
    fn time_and_octets_bound_what_is_kept() {
        let begin = start();
        let mut history = History::default();
        for number in 0..40_000_u32 {
            let length = if number < 20_000 { 1_150 } else { 1 };
            history.keep(
                number as u16,
                packet(number as u16, length),
                begin + number * MS / 100,
            );
        }
        assert!(history.octets <= MOST_OCTETS);
        assert!(history.sent.len() <= usize::from(u16::MAX / 2));
        let spare = history.keep(40_000, packet(40_000, 1), begin + 5_000 * MS);
        assert_eq!((history.octets, spare.is_some()), (1, true));
    }

    #[test]
    fn a_retransmission_reads_back_and_padding_says_nothing() {
        let mut out = Vec::new();
        write_rtx(0xabcd, &[1, 2, 3], &mut out);
        assert_eq!(read_rtx(&out), Some((0xabcd, &[1, 2, 3][..])));
        for padding in [&[][..], &[1], &[1, 2]] {
            assert_eq!(read_rtx(padding), None);
        }
    }
}
