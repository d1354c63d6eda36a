//! From RTP to sound and pressed keys.

use super::in_band::InBand;
use super::outbound::Loudness;
use super::{MediaEvent, SessionConfig, Tone};
use crate::codec::Codec;
use crate::dtmf;
use crate::jitter::{Packet, Playout};
use crate::rtp::reception::Reception;
use crate::rtp::rtcp::ReportBlock;
use crate::sdp::negotiate::Agreed;
use crate::sdp::{Encoding, Payload};
use crate::thrift::Thrift;
use crate::transport::Rtp;
use audio::Rate;
use std::time::Instant;

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
    pub(super) level: Loudness,
    clock: u32,
    has_sound: bool,
}

/// A packet whose payload waits to be decoded, without a copy of it.
#[derive(Debug)]
pub(super) struct Sound(Rtp);

impl AsRef<[u8]> for Sound {
    fn as_ref(&self) -> &[u8] {
        self.0.payload()
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
            level: Loudness::default(),
            clock: first.clock_rate(),
            has_sound: false,
        }
    }

    pub(super) fn configure(&mut self, agreed: &Agreed) {
        self.formats = agreed.receive.clone();
        self.plays = agreed.direction.receives();
        self.playout.expect(agreed.send.codec);
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
            .map(|p| (p.encoding, p.clock_rate));
        let timing = match known {
            Some((Encoding::Audio(_), clock)) => Some((packet.timestamp, clock)),
            Some((Encoding::TelephoneEvent | Encoding::ComfortNoise, _)) | None => None,
        };
        self.reception
            .packet(packet.ssrc, packet.seq, timing, packet.payload().len(), now);
        match known {
            Some((Encoding::Audio(codec), clock)) => {
                self.clock = clock;
                self.hear(packet, codec, now);
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
            Some((Encoding::ComfortNoise, _)) => {
                self.playout.note_silent(packet.ssrc, packet.seq);
                None
            }
            None => {
                self.playout.note_silent(packet.ssrc, packet.seq);
                self.unknown += 1;
                None
            }
        }
    }

    fn hear(&mut self, packet: Rtp, codec: Codec, now: Instant) {
        if self.plays {
            self.has_sound = true;
            let packet = Packet {
                ssrc: packet.ssrc,
                sequence: packet.seq,
                timestamp: packet.timestamp,
                codec,
                payload: Sound(packet),
            };
            self.playout.insert(packet, now);
        }
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
