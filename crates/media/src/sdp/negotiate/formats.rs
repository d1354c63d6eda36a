//! The payload types of our audio section, which every later description keeps: their meaning and their order.

use super::super::{Encoding, Fmtp, Payload, PayloadType};
use super::terms::Terms;
use crate::codec::Codec;

/// What we receive as what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Formats {
    /// RFC 3264 §8.3.2: a number keeps its meaning for as long as the session lasts.
    bound: Vec<Payload>,
    /// What the peer has said in this section, for whatever.
    foreign: Vec<PayloadType>,
    /// What is in force, the codec in use first; behind it what else we have offered.
    order: Vec<Payload>,
}

impl Formats {
    /// Notes numbers of the peer's, which shall stand for nothing else.
    pub(super) fn note(&mut self, numbers: Vec<PayloadType>) {
        for number in numbers {
            if !self.foreign.contains(&number) {
                self.foreign.push(number);
            }
        }
    }

    /// All that it has numbers for.
    pub(super) fn numbers(&self) -> impl Iterator<Item = PayloadType> {
        let bound = self.bound.iter().map(|payload| payload.payload_type);
        bound.chain(self.foreign.iter().copied())
    }

    /// The payloads of an offer of ours: what is in force, and behind it what `terms` has besides. A peer between two
    /// others may move the one to what comes first here, and not be able to do so with the other.
    pub(super) fn offer(&mut self, terms: &Terms) -> Vec<Payload> {
        let mut offered = self.order.clone();
        for (encoding, clock_rate) in wanted(terms) {
            if !offered.iter().any(|p| is(p, encoding, clock_rate)) {
                offered.extend(self.bind(encoding, clock_rate));
            }
        }
        // Stable: copies, comfort noise and key presses stand behind all sound.
        offered.sort_by_key(|payload| payload.encoding.codec().is_none());
        offered
    }

    /// What we receive of what the peer offers: with its numbers (RFC 3264 §6.1), unless they mean something else here.
    pub(super) fn answer(&self, offered: Vec<Payload>) -> Vec<Payload> {
        let mut formats = self.clone();
        let mut taken: Vec<Payload> = Vec::new();
        for payload in offered {
            let number = formats.number_for(&payload);
            if let Some(payload_type) = number
                && !taken.iter().any(|p| p.payload_type == payload_type)
            {
                taken.push(Payload {
                    payload_type,
                    ..payload
                });
            }
        }
        taken
    }

    /// Puts our answer in force.
    pub(super) fn answered(&mut self, receive: &[Payload]) {
        for payload in receive {
            if self.meaning(payload.payload_type).is_none() {
                self.bound.push(payload.clone());
            }
        }
        self.settle(receive.to_vec());
    }

    /// Puts the peer's answer to our offer of `offered` in force.
    pub(super) fn accepted(&mut self, offered: &[Payload], answer: &[Payload]) {
        let ours = |theirs: &Payload| {
            let mut same = offered.iter().filter(|p| is_same(p, theirs));
            let as_said = same.clone().find(|p| p.payload_type == theirs.payload_type);
            as_said.or_else(|| same.next()).cloned()
        };
        self.order = offered.to_vec();
        self.settle(answer.iter().filter_map(ours).collect());
    }

    fn settle(&mut self, first: Vec<Payload>) {
        let behind = std::mem::replace(&mut self.order, first);
        for payload in behind {
            if !self.order.iter().any(|p| is_same(p, &payload)) {
                self.order.push(payload);
            }
        }
    }

    fn number_for(&mut self, payload: &Payload) -> Option<PayloadType> {
        match self.meaning(payload.payload_type) {
            Some(bound) if is_same(bound, payload) => Some(payload.payload_type),
            Some(_other) => {
                let bound = self.bind(payload.encoding, payload.clock_rate)?;
                Some(bound.payload_type)
            }
            None => {
                self.bound.push(payload.clone());
                Some(payload.payload_type)
            }
        }
    }

    fn meaning(&self, number: PayloadType) -> Option<&Payload> {
        self.bound.iter().find(|p| p.payload_type == number)
    }

    /// The number that stands for this, a new one if there is none.
    fn bind(&mut self, encoding: Encoding, clock_rate: u32) -> Option<Payload> {
        let known = self.bound.iter().rev();
        let known = known.into_iter().find(|p| is(p, encoding, clock_rate));
        if let Some(payload) = known {
            return Some(payload.clone());
        }
        let payload_type = std::iter::once(favourite(encoding, clock_rate))
            // RFC 3551 §3: where the dynamic ones don't suffice, those that nobody has assigned.
            .chain((96..=127).chain(35..=63))
            .map(PayloadType::of)
            .find(|number| self.meaning(*number).is_none() && !self.foreign.contains(number))?;
        let payload = Payload {
            payload_type,
            encoding,
            clock_rate,
            fmtp: Fmtp::default(),
        };
        self.bound.push(payload.clone());
        Some(payload)
    }
}

/// What `terms` has, best first.
fn wanted(terms: &Terms) -> Vec<(Encoding, u32)> {
    let codecs = terms.codecs.iter();
    let mut wanted: Vec<(Encoding, u32)> = codecs
        .map(|codec| (Encoding::Audio(*codec), codec.clock_rate()))
        .collect();
    if terms.codecs.contains(&Codec::Opus) {
        wanted.push((Encoding::Redundancy, Codec::Opus.clock_rate()));
    }
    let other = |codec: &&Codec| **codec != Codec::Opus;
    if let Some(codec) = terms.codecs.iter().find(other).filter(|_| terms.dtx) {
        wanted.push((Encoding::ComfortNoise, codec.clock_rate()));
    }
    if terms.telephone_event {
        // RFC 4733 §2.1: one telephone-event for each clock of the audio codecs; of 8,000 always, for many
        // gateways have no other beside Opus.
        if terms.codecs.contains(&Codec::Opus) {
            wanted.push((Encoding::TelephoneEvent, Codec::Opus.clock_rate()));
        }
        wanted.push((Encoding::TelephoneEvent, 8_000));
    }
    wanted
}

fn is(payload: &Payload, encoding: Encoding, clock_rate: u32) -> bool {
    payload.encoding == encoding && payload.clock_rate == clock_rate
}

fn is_same(one: &Payload, other: &Payload) -> bool {
    is(one, other.encoding, other.clock_rate)
}

/// The numbers that browsers and PBXs use, so that traces look familiar.
fn favourite(encoding: Encoding, clock_rate: u32) -> u8 {
    match encoding {
        Encoding::Audio(codec) => codec.static_payload_type().unwrap_or(111),
        Encoding::ComfortNoise => 13,
        Encoding::Redundancy => 63,
        Encoding::TelephoneEvent if clock_rate == 8_000 => 101,
        Encoding::TelephoneEvent => 110,
    }
}
