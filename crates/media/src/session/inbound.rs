//! From RTP to sound and pressed keys.

use super::in_band::InBand;
use super::loudness::Loudness;
use super::{MediaEvent, SessionConfig, Tone};
use crate::codec::Codec;
use crate::dtmf;
use crate::jitter::{Packet, Playout};
use crate::rtp::reception::Reception;
use crate::rtp::red::{Block, RedPayload};
use crate::rtp::rtcp::ReportBlock;
use crate::sdp::negotiate::Agreed;
use crate::sdp::{Encoding, Payload};
use crate::thrift::Thrift;
use crate::transport::Rtp;
use audio::Rate;
use std::ops::Range;
use std::time::Instant;

/// The payload type that stands for comfort noise without an agreement (RFC 3551 §6).
const NOISE: u8 = 13;

/// What arrives.
#[derive(Debug)]
pub(super) struct Inbound {
    formats: Vec<Payload>,
    plays: bool,
    pub(super) playout: Playout<Sound>,
    keys: dtmf::Receiver,
    in_band: InBand,
    pub(super) reception: Reception,
    last_arrival: Option<Instant>,
    /// Packets of payload types that were not agreed to.
    pub(super) unknown: u64,
    pub(super) copies: CopyCounts,
    pub(super) level: Loudness,
    clock: u32,
    has_sound: bool,
}

/// Copies of packets that came inside others (RFC 2198).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CopyCounts {
    pub(super) received: u64,
    /// Of these, those of packets that came themselves, or that came too late.
    pub(super) discarded: u64,
}

/// A packet of which a part waits to be decoded, without a copy of it.
#[derive(Debug)]
pub(super) struct Sound {
    packet: Rtp,
    part: Range<usize>,
}

impl AsRef<[u8]> for Sound {
    fn as_ref(&self) -> &[u8] {
        &self.packet.payload()[self.part.clone()]
    }
}

impl Inbound {
    pub(super) fn new(config: &SessionConfig, now: Instant) -> Self {
        let first = config.codecs.first().copied().unwrap_or(Codec::Opus);
        Self {
            formats: Vec::new(),
            plays: false,
            playout: Playout::new(config.opus, first.rate(&config.opus), now),
            keys: dtmf::Receiver::default(),
            in_band: InBand::new(config.in_band_keys),
            reception: Reception::default(),
            last_arrival: None,
            unknown: 0,
            copies: CopyCounts::default(),
            level: Loudness::default(),
            clock: first.clock_rate(),
            has_sound: false,
        }
    }

    pub(super) fn configure(&mut self, agreed: &Agreed) {
        self.formats = agreed.audio.receive.clone();
        self.plays = agreed.audio.direction.receives();
        self.playout.expect(agreed.audio.send.codec);
        self.in_band.configure(agreed);
    }

    pub(super) fn set_thrift(&mut self, thrift: Thrift) {
        self.playout.set_thrift(thrift);
    }

    pub(super) fn rate(&self) -> Rate {
        self.playout.rate()
    }

    pub(super) fn codec(&self) -> Option<Codec> {
        self.playout.codec()
    }

    /// The payload type of the codec that plays.
    pub(super) fn payload(&self) -> Option<&Payload> {
        let codec = self.codec()?;
        self.formats
            .iter()
            .find(|p| p.encoding == Encoding::Audio(codec))
    }

    /// Whether a packet of sound to be played has ever come.
    pub(super) fn has_sound(&self) -> bool {
        self.has_sound
    }

    pub(super) fn last_arrival(&self) -> Option<Instant> {
        self.last_arrival
    }

    /// Takes a packet; gives the key press that it completes.
    pub(super) fn receive(&mut self, packet: Rtp, now: Instant) -> Option<MediaEvent> {
        self.last_arrival = Some(now);
        let known = self
            .formats
            .iter()
            .find(|p| p.payload_type.value() == packet.pt)
            .map(|p| (p.encoding, p.clock_rate))
            // RFC 3551 §6: some gateways send it unasked, because its number needs no agreement.
            .or((packet.pt == NOISE).then_some((Encoding::ComfortNoise, 8_000)));
        let timing = match known {
            Some((Encoding::Audio(_) | Encoding::Redundancy, clock)) => {
                Some((packet.timestamp, clock))
            }
            Some((Encoding::TelephoneEvent | Encoding::ComfortNoise, _)) | None => None,
        };
        self.reception
            .packet(packet.ssrc, packet.seq, timing, packet.payload().len(), now);
        match known {
            Some((Encoding::Audio(codec), clock)) => {
                self.clock = clock;
                let whole = 0..packet.payload().len();
                self.hear(packet, whole, codec, now);
                None
            }
            Some((Encoding::Redundancy, clock)) => {
                self.clock = clock;
                self.unpack(packet, now);
                None
            }
            Some((Encoding::TelephoneEvent, clock)) => {
                self.playout.note_silent(packet.ssrc, packet.seq);
                self.in_band.event(packet.payload());
                let header = dtmf::Header {
                    ssrc: packet.ssrc,
                    sequence: packet.seq,
                    timestamp: packet.timestamp,
                    marker: packet.marker,
                };
                let press = self.keys.packet(header, packet.payload(), clock, now);
                press.and_then(key)
            }
            Some((Encoding::ComfortNoise, clock)) => {
                self.rest(packet, clock, now);
                None
            }
            None => {
                self.playout.note_silent(packet.ssrc, packet.seq);
                self.unknown += 1;
                None
            }
        }
    }

    fn hear(&mut self, packet: Rtp, part: Range<usize>, codec: Codec, now: Instant) {
        if self.plays {
            self.has_sound = true;
            let packet = Packet {
                ssrc: packet.ssrc,
                sequence: packet.seq,
                timestamp: packet.timestamp,
                codec,
                payload: Sound { packet, part },
            };
            self.playout.insert(packet, now);
        }
    }

    /// Takes a packet that says how the pause sounds that begins with it.
    fn rest(&mut self, packet: Rtp, clock: u32, now: Instant) {
        let codec = self.playout.codec().filter(|c| c.clock_rate() == clock);
        match codec {
            Some(codec) if self.plays && self.has_sound => {
                let part = 0..packet.payload().len();
                let packet = Packet {
                    ssrc: packet.ssrc,
                    sequence: packet.seq,
                    timestamp: packet.timestamp,
                    codec,
                    payload: Sound { packet, part },
                };
                self.playout.insert_noise(packet, now);
            }
            Some(_) | None => self.playout.note_silent(packet.ssrc, packet.seq),
        }
    }

    /// Takes a packet that carries copies of those before it.
    fn unpack(&mut self, packet: Rtp, now: Instant) {
        let own = RedPayload::read(packet.payload()).and_then(|blocks| {
            let own = blocks.own().clone();
            let codec = self.codec_of(own.payload_type);
            for copy in blocks.copies() {
                self.take_copy(&packet, &copy, now);
            }
            Some((codec?, own.range))
        });
        match own {
            Some((codec, part)) if !part.is_empty() => self.hear(packet, part, codec, now),
            // A sender in a pause may have nothing but copies to send.
            Some(_) => self.playout.note_silent(packet.ssrc, packet.seq),
            None => {
                self.playout.note_silent(packet.ssrc, packet.seq);
                self.unknown += 1;
            }
        }
    }

    fn take_copy(&mut self, carrier: &Rtp, copy: &Block, now: Instant) {
        self.copies.received += 1;
        let taken = self.missed(carrier, copy).map(|lost| Packet {
            ssrc: lost.ssrc,
            sequence: lost.sequence,
            timestamp: lost.timestamp,
            codec: lost.codec,
            payload: Sound {
                packet: carrier.clone(),
                part: copy.range.clone(),
            },
        });
        match taken {
            Some(lost) => self.playout.insert(lost, now),
            None => self.copies.discarded += 1,
        }
    }

    /// The packet of which this is a copy, if it is to be played and did not come.
    fn missed<'a>(&mut self, carrier: &'a Rtp, copy: &Block) -> Option<Packet<&'a [u8]>> {
        let codec = self.codec_of(copy.payload_type).filter(|_| self.plays)?;
        let carrier = Packet {
            ssrc: carrier.ssrc,
            sequence: carrier.seq,
            timestamp: carrier.timestamp,
            codec,
            payload: &carrier.payload()[copy.range.clone()],
        };
        self.playout.missed(carrier, copy.steps, copy.offset)
    }

    /// The codec that a block of a packet names; none but Opus comes so.
    fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        let mut named = self.formats.iter();
        let payload = named.find(|p| p.payload_type.value() == payload_type)?;
        payload
            .encoding
            .codec()
            .filter(|codec| *codec == Codec::Opus)
    }

    /// Gives 10 ms to play, and the key press that they complete.
    pub(super) fn pull(&mut self, samples: &mut [i16], now: Instant) -> Option<MediaEvent> {
        let rate = self.rate();
        let tick = rate.samples_per_tick().min(samples.len());
        let (sound, rest) = samples.split_at_mut(tick);
        self.playout.pull(sound, now);
        rest.fill(0);
        self.level.add(sound);
        self.in_band.hear(rate, sound)
    }

    pub(super) fn key_deadline(&self) -> Option<Instant> {
        self.keys.deadline()
    }

    /// Gives the key press whose end was lost.
    pub(super) fn release_keys(&mut self, now: Instant) -> Option<MediaEvent> {
        self.keys.release(now).and_then(key)
    }

    /// What our next RTCP report says about the peer's stream.
    pub(super) fn report(&mut self) -> Option<ReportBlock> {
        self.reception.report(self.clock)
    }
}

fn key(press: dtmf::Press) -> Option<MediaEvent> {
    Some(MediaEvent::Dtmf {
        tone: Tone::from_event(press.code)?,
        duration: press.duration,
        in_band: false,
    })
}
