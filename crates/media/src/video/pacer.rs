//! Sends the packets of large frames one after another instead of all at once.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::history::Outgoing;

/// Frames differ in size, so that a rate that is kept on average has to be exceeded within one, and not every encoder
/// keeps to what it is told. Chromium takes as much.
const FASTER: f64 = 2.5;
/// The part of the rate that may go into sending again: more is lost only of what the path can't carry, and grows with it.
const AGAIN: f64 = 0.5;
/// So much of that is saved up while nothing is lost.
const AGAIN_SAVED: Duration = Duration::from_millis(500);
/// What goes out at once: the next turn of whoever sends may come so much later.
const BURST: Duration = Duration::from_millis(10);
/// Two packets go out at once at any rate.
const LEAST_BURST: f64 = 2_400.0;
/// What waits longer shows that far more is encoded than the network takes.
const LONGEST_QUEUE: Duration = Duration::from_secs(1);
/// If the network takes so much less at once,
const FAR_LESS: f64 = 0.7;
/// and what was meant for it before needs so long, a whole picture is there sooner.
const LONG_QUEUE: Duration = Duration::from_millis(250);
/// If it takes no more than this of what it took, most of what went out last is lost.
const BROKEN: f64 = 0.5;
/// A frame of the largest size, and those behind it.
const MOST_OCTETS: usize = 4_000_000;
/// What IP, UDP, RTP and SRTP add to a payload, roughly.
pub const OVERHEAD: usize = 60;
/// Packets that are to be sent again, at most; a request has room for more, which their own repetition brings.
const MOST_RESENT: usize = 256;

/// A packet whose turn has come.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// One that was lost, by its number.
    Again(u16),
    /// A new one.
    New(Outgoing),
}

/// Packets that wait for their turn.
#[derive(Debug)]
pub struct Pacer {
    rate: f64,
    /// The last that was known, not only expected.
    known: f64,
    /// How much faster than that packets go out.
    faster: f64,
    /// What was sent above the rate, in octets; below 0 what may go out at once.
    debt: f64,
    since: Option<Instant>,
    /// What was sent again above its part of the rate, in octets; below 0 what may be.
    again_debt: f64,
    again: VecDeque<u16>,
    new: VecDeque<Outgoing>,
    octets: usize,
    /// Buffers for payloads.
    spare: Vec<Vec<u8>>,
}

impl Default for Pacer {
    fn default() -> Self {
        Self {
            rate: 300_000.0,
            known: 300_000.0,
            faster: FASTER,
            debt: 0.0,
            since: None,
            again_debt: 0.0,
            again: VecDeque::new(),
            new: VecDeque::new(),
            octets: 0,
            spare: Vec::new(),
        }
    }
}

impl Pacer {
    /// Lets no more go out than the network is thought to take, in bit/s, until that is [known](Self::set_rate).
    pub fn expect(&mut self, bits_per_second: u32) {
        self.rate = f64::from(bits_per_second.max(10_000));
        self.faster = 1.0;
    }

    /// Sets what the network takes, in bit/s; says whether what waits, and what was lost, is too much for it now, and was
    /// better [forgotten](Self::clear).
    pub fn set_rate(&mut self, bits_per_second: u32) -> bool {
        self.rate = f64::from(bits_per_second.max(10_000));
        let before = std::mem::replace(&mut self.known, self.rate);
        self.faster = FASTER;
        let waits_too_long = self.rate < FAR_LESS * before && self.waits() > LONG_QUEUE;
        waits_too_long || self.rate < BROKEN * before
    }

    /// How long what waits will take.
    fn waits(&self) -> Duration {
        Duration::from_secs_f64(self.octets as f64 / self.octets_per_second())
    }

    /// Queues a packet of a new frame; `payload` is copied.
    pub fn push(&mut self, payload_type: u8, timestamp: u32, marker: bool, payload: &[u8]) {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(payload);
        self.octets += buffer.len();
        self.new.push_back(Outgoing {
            payload_type,
            timestamp,
            marker,
            payload: buffer,
        });
    }

    /// Queues a packet to be sent again, before all new ones.
    pub fn push_again(&mut self, sequence: u16) {
        if self.again.len() < MOST_RESENT && !self.again.contains(&sequence) {
            self.again.push_back(sequence);
        }
    }

    /// Takes a buffer back.
    pub fn reuse(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < 64 {
            self.spare.push(buffer);
        }
    }

    /// Gives the next packet, once it is its turn.
    pub fn pop(&mut self, now: Instant) -> Option<Due> {
        self.settle(now);
        if self.debt > 0.0 {
            return None;
        }
        if self.again_debt > 0.0 {
            // Who still lacks them will ask again.
            self.again.clear();
        }
        if let Some(sequence) = self.again.pop_front() {
            return Some(Due::Again(sequence));
        }
        let packet = self.new.pop_front()?;
        self.octets -= packet.payload.len();
        Some(Due::New(packet))
    }

    /// Notes that so many octets of payload went out.
    pub fn sent(&mut self, octets: usize) {
        self.debt += (octets + OVERHEAD) as f64;
    }

    /// Notes that so many octets of payload went out again.
    pub fn sent_again(&mut self, octets: usize) {
        self.sent(octets);
        self.again_debt += (octets + OVERHEAD) as f64;
    }

    fn settle(&mut self, now: Instant) {
        let passed = self.since.replace(now);
        let passed = passed.map_or(BURST, |since| now.saturating_duration_since(since));
        let paid = passed.as_secs_f64() * self.octets_per_second();
        let burst = (BURST.as_secs_f64() * self.octets_per_second()).max(LEAST_BURST);
        self.debt = (self.debt - paid).max(-burst);
        let part = AGAIN * self.rate / 8.0;
        let saved = part * AGAIN_SAVED.as_secs_f64();
        self.again_debt = (self.again_debt - passed.as_secs_f64() * part).max(-saved);
    }

    fn octets_per_second(&self) -> f64 {
        self.rate * self.faster / 8.0
    }

    /// When the next packet's turn comes, if one waits.
    pub fn deadline(&self) -> Option<Instant> {
        if self.new.is_empty() && self.again.is_empty() {
            return None;
        }
        let debt = self.debt.max(0.0) / self.octets_per_second();
        self.since
            .map(|since| since + Duration::from_secs_f64(debt))
    }

    /// Whether so much waits that a new frame would come too late: then it is better left out.
    pub fn is_full(&self) -> bool {
        self.waits() > LONGEST_QUEUE || self.octets > MOST_OCTETS
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        self.again.clear();
        while let Some(packet) = self.new.pop_front() {
            self.reuse(packet.payload);
        }
        self.octets = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_time::start;

    const MS: Duration = Duration::from_millis(1);

    fn drain(pacer: &mut Pacer, now: Instant) -> usize {
        let mut count = 0;
        while let Some(due) = pacer.pop(now) {
            let Due::New(packet) = due else {
                panic!("{due:?}")
            };
            pacer.sent(packet.payload.len());
            count += 1;
        }
        count
    }

    #[test]
    fn a_large_frame_goes_out_at_two_and_a_half_times_the_rate() {
        let begin = start();
        let mut pacer = Pacer::default();
        pacer.set_rate(500_000);
        for _ in 0..50 {
            pacer.push(96, 1, false, &[0; 1_150]);
        }
        let mut now = begin;
        let mut most = 0;
        loop {
            most = most.max(drain(&mut pacer, now));
            let Some(next) = pacer.deadline() else { break };
            now = next.max(now + MS / 10);
        }
        assert!(most <= 4, "{most}");
        let took = (now - begin).as_secs_f64();
        let expected = 50.0 * 1_210.0 * 8.0 / (500_000.0 * FASTER);
        assert!(
            (expected * 0.9..expected * 1.1).contains(&took),
            "{took} {expected}"
        );
        assert_eq!(pacer.deadline(), None);
    }

    #[test]
    fn what_was_lost_goes_first_and_once() {
        let mut pacer = Pacer::default();
        pacer.push(96, 1, true, &[1]);
        for sequence in [7, 7, 8] {
            pacer.push_again(sequence);
        }
        let now = start();
        let order = [pacer.pop(now), pacer.pop(now)];
        assert_eq!(order, [Some(Due::Again(7)), Some(Due::Again(8))]);
        assert!(matches!(pacer.pop(now), Some(Due::New(_))));
        for sequence in 0..10_000 {
            pacer.push_again(sequence);
        }
        assert_eq!(pacer.again.len(), MOST_RESENT);
    }

    #[test]
    fn no_more_than_half_of_the_rate_goes_into_sending_again() {
        let begin = start();
        let mut pacer = Pacer::default();
        pacer.set_rate(500_000);
        let mut octets = 0;
        for ms in 0..10_000_u32 {
            let now = begin + ms * MS;
            pacer.push_again(ms as u16);
            while let Some(due) = pacer.pop(now) {
                assert_eq!(due, Due::Again(ms as u16));
                pacer.sent_again(1_000);
                octets += 1_060;
            }
        }
        let rate = f64::from(octets) * 8.0 / 10.0;
        assert!((240_000.0..270_000.0).contains(&rate), "{rate}");
    }

    #[test]
    fn a_queue_of_more_than_a_second_is_full() {
        let mut pacer = Pacer::default();
        pacer.set_rate(100_000);
        for _ in 0..27 {
            pacer.push(96, 1, false, &[0; 1_150]);
        }
        assert!(!pacer.is_full());
        assert!(!pacer.set_rate(90_000));
        assert!(pacer.set_rate(60_000));
        assert!(!pacer.set_rate(1_000_000));
        assert!(!pacer.set_rate(600_000));
        pacer.set_rate(100_000);
        pacer.push(96, 1, false, &[0; 1_150]);
        assert!(pacer.is_full());
        pacer.clear();
        assert!(!pacer.is_full());
        assert_eq!(pacer.deadline(), None);
    }

    #[test]
    fn what_was_expected_and_proves_true_is_as_much_less_as_what_was_not() {
        let mut pacer = Pacer::default();
        pacer.set_rate(2_000_000);
        pacer.expect(400_000);
        assert!(pacer.set_rate(400_000));
        assert!(!pacer.set_rate(400_000));
        pacer.expect(100_000);
        assert!(!pacer.set_rate(400_000));
    }

    #[test]
    fn buffers_are_used_again() {
        let now = start();
        let mut pacer = Pacer::default();
        pacer.push(96, 1, true, &[1; 1_000]);
        let Some(Due::New(packet)) = pacer.pop(now) else {
            panic!("it is its turn")
        };
        let buffer = packet.payload.as_ptr();
        pacer.reuse(packet.payload);
        pacer.push(96, 2, true, &[2; 1_000]);
        assert_eq!(pacer.new[0].payload.as_ptr(), buffer);
    }
}
