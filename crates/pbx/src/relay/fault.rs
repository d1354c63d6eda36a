//! What a network does to media: loss in bursts, delay, disorder; every decision from one seed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rand::RngExt;
use rand::rngs::StdRng;
use serde::Deserialize;

use super::PortId;
use crate::fault::Direction;

/// One disturbance of media; several together add up.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MediaFault {
    /// Only the media of this user or extension; everybody's if absent.
    pub user: Option<String>,
    /// Only what that user sends (`in`) or is sent (`out`); both if absent.
    pub direction: Option<Direction>,
    /// The share of packets that are lost, 0 to 1.
    pub loss: f64,
    /// How many packets in a row a loss takes on average; 1 and less: each by itself.
    pub burst: f64,
    /// How many milliseconds later a packet comes.
    pub delay: u32,
    /// Up to so many milliseconds more, differently for each packet; their order stays.
    pub jitter: u32,
    /// The share of packets that come after those that follow them, 0 to 1.
    pub reorder: f64,
    /// The share of packets that come twice, 0 to 1.
    pub duplicate: f64,
    /// The share of packets of sound that are damaged, 0 to 1.
    pub corrupt: f64,
    /// Whether no sound gets through, though the connection stays up.
    pub silence: bool,
}

/// A datagram between two parties.
#[derive(Debug)]
pub(super) struct Packet {
    /// The ports that stand for its sender and its receiver.
    pub(super) lane: Lane,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) bytes: Bytes,
}

pub(super) type Lane = (PortId, PortId);

// More than the 20 ms between two packets, so that one that follows is earlier.
const REORDER_BY: Duration = Duration::from_millis(30);

// Two tests' worth of faults that nobody cleared.
const MAX_FAULTS: usize = 64;

/// What one fault knows of one lane.
#[derive(Debug, Default)]
struct Memory {
    in_burst: bool,
    last: Option<Instant>,
}

#[derive(Debug)]
struct Active {
    fault: MediaFault,
    lanes: BTreeMap<Lane, Memory>,
}

/// The faults in force.
#[derive(Debug)]
pub(super) struct MediaFaults {
    active: Vec<Active>,
    rng: StdRng,
}

impl MediaFaults {
    pub(super) fn new(rng: StdRng) -> Self {
        Self {
            active: Vec::new(),
            rng,
        }
    }

    pub(super) fn add(&mut self, fault: MediaFault) {
        if self.active.len() == MAX_FAULTS {
            self.active.remove(0);
        }
        let lanes = BTreeMap::new();
        self.active.push(Active { fault, lanes });
    }

    pub(super) fn clear(&mut self) {
        self.active.clear();
    }

    pub(super) fn forget_lanes(&mut self, gone: impl Fn(Lane) -> bool) {
        for active in &mut self.active {
            active.lanes.retain(|lane, _| !gone(*lane));
        }
    }

    /// Decides when a packet arrives: never, once or twice.
    pub(super) fn pass(&mut self, packet: &Packet, now: Instant) -> Vec<(Instant, Bytes)> {
        let mut at = now;
        let mut bytes = packet.bytes.clone();
        let mut twice = false;
        let is_sound = is_rtp(&bytes);
        for Active { fault, lanes } in &mut self.active {
            if !fault.meets(packet) {
                continue;
            }
            let memory = lanes.entry(packet.lane).or_default();
            if memory.loses(fault, &mut self.rng) || (fault.silence && is_sound) {
                return Vec::new();
            }
            if is_sound && chance(&mut self.rng, fault.corrupt) {
                bytes = damaged(&bytes, &mut self.rng);
            }
            twice |= chance(&mut self.rng, fault.duplicate);
            at = memory.arrival(fault, at, &mut self.rng);
        }
        let copies = if twice { 2 } else { 1 };
        vec![(at, bytes); copies]
    }
}

impl MediaFault {
    fn meets(&self, packet: &Packet) -> bool {
        let Some(user) = &self.user else {
            return true;
        };
        let from = packet.from.as_ref() == Some(user);
        let to = packet.to.as_ref() == Some(user);
        match self.direction {
            None => from || to,
            Some(Direction::In) => from,
            Some(Direction::Out) => to,
        }
    }
}

impl Memory {
    // A Gilbert model: two states, the mean time in the bad one is `burst`, the mean share `loss`.
    fn loses(&mut self, fault: &MediaFault, rng: &mut StdRng) -> bool {
        let (loss, burst) = (fault.loss, fault.burst.max(1.0));
        if loss <= 0.0 || loss >= 1.0 {
            return loss >= 1.0;
        }
        let begins = (loss / (burst * (1.0 - loss))).min(1.0);
        self.in_burst = match self.in_burst {
            // Losses by themselves are independent of each other.
            _ if burst <= 1.0 => chance(rng, loss),
            true => !chance(rng, 1.0 / burst),
            false => chance(rng, begins),
        };
        self.in_burst
    }

    fn arrival(&mut self, fault: &MediaFault, sent: Instant, rng: &mut StdRng) -> Instant {
        let mut at = sent + Duration::from_millis(fault.delay.into());
        if fault.jitter > 0 {
            let most = u64::from(fault.jitter) * 1000;
            at += Duration::from_micros(rng.random_range(0..=most));
            at = self.last.map_or(at, |last| last.max(at));
        }
        if chance(rng, fault.reorder) {
            return at + REORDER_BY;
        }
        self.last = Some(at);
        at
    }
}

fn chance(rng: &mut StdRng, share: f64) -> bool {
    share > 0.0 && rng.random_bool(share.min(1.0))
}

// RFC 7983 §7 and RFC 5761 §4: neither STUN nor DTLS nor RTCP.
fn is_rtp(bytes: &[u8]) -> bool {
    match bytes {
        [128..=191, kind, ..] => !(64..96).contains(&(kind & 0x7f)),
        _ => false,
    }
}

fn damaged(bytes: &Bytes, rng: &mut StdRng) -> Bytes {
    let mut bytes = BytesMut::from(&bytes[..]);
    let place = rng.random_range(0..bytes.len());
    // The first byte says what it is: damaged there, it would be something else.
    let place = place.max(2).min(bytes.len() - 1);
    bytes[place] ^= 1 << rng.random_range(0..8_u32);
    bytes.freeze()
}
