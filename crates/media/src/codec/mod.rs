//! The audio codecs of a call: one file each, behind one `Encoder` and one `Decoder`.
//!
//! ```text
//! capture ─ Encoder::encode ─▶ payload ┄┄ network ┄┄ Decoder::decode  ─▶ playout
//!                                           a gap ── Decoder::recover ─▶   "
//!                                           a gap ── Decoder::conceal ─▶   "
//! ```
//! [`Codec::rate`] is the rate of the samples, [`Codec::clock_rate`] that of RTP timestamps: for G.722
//! and for Opus below 48 kHz they differ. A decoder is given what arrived in the order of playing, and
//! told of each gap; it then invents the missing sound and blends back into the real one.
//!
//! **Invariant: a packet that `decode` refuses leaves the decoder as it was: treat it as lost.**

mod comfort_noise;
mod conceal;
mod g711;
mod g722;
mod opus;
mod prediction;

use std::time::Duration;

use audio::Rate;

pub use self::comfort_noise::{ComfortNoise, NoiseDescription, NoiseMeter};
pub use self::opus::OpusSettings;

use self::g711::Law;
use crate::thrift::Thrift;

/// The longest packet that a decoder takes (RFC 6716 §2.1.4; kept for every codec).
pub const LONGEST_PACKET: Duration = Duration::from_millis(120);

/// An audio codec that calls can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Opus (RFC 6716, RFC 7587), mono.
    Opus,
    /// G.722 at 64 kbit/s, wideband.
    G722,
    /// G.711 µ-law.
    Pcmu,
    /// G.711 A-law.
    Pcma,
}

impl Codec {
    /// Every codec, best first: the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Opus, Self::G722, Self::Pcmu, Self::Pcma];

    /// Returns the encoding name of its `rtpmap`, as registered.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::G722 => "G722",
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }

    /// Finds the codec that an `rtpmap` names, in any case (RFC 4855 §3).
    pub fn from_rtpmap(name: &str, clock_rate: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| {
            codec.name().eq_ignore_ascii_case(name) && codec.clock_rate() == clock_rate
        })
    }

    /// Finds the codec that a static payload type means without an `rtpmap` (RFC 3551 §6).
    pub fn from_static_payload_type(payload_type: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|codec| codec.static_payload_type() == Some(payload_type))
    }

    /// Returns the payload type that RFC 3551 §6 gives it; `None` for Opus, which is dynamic.
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Opus => None,
            Self::G722 => Some(9),
            Self::Pcmu => Some(0),
            Self::Pcma => Some(8),
        }
    }

    /// Returns the RTP clock in ticks per second.
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            // RFC 3551 §4.5.2: G.722 samples at 16 kHz, but its RTP clock is 8 kHz for history's sake.
            Self::G722 | Self::Pcmu | Self::Pcma => 8_000,
        }
    }

    /// Returns how much later sound comes out of it than goes in, beside the length of a packet.
    pub const fn look_ahead(self) -> Duration {
        match self {
            // RFC 6716 §2: 2.5 ms to overlap, and 4 ms for SILK.
            Self::Opus => Duration::from_micros(6_500),
            // The two filters of 24 taps at 16 kHz.
            Self::G722 => Duration::from_micros(1_400),
            Self::Pcmu | Self::Pcma => Duration::ZERO,
        }
    }

    /// Returns the channel count that an `rtpmap` carries; Opus always says 2 (RFC 7587 §7).
    pub const fn rtpmap_channels(self) -> u8 {
        match self {
            Self::Opus => 2,
            Self::G722 | Self::Pcmu | Self::Pcma => 1,
        }
    }

    /// Returns the rate of its samples under `settings`.
    pub const fn rate(self, settings: &OpusSettings) -> Rate {
        match self {
            Self::Opus => settings.rate,
            Self::G722 => Rate::Hz16000,
            Self::Pcmu | Self::Pcma => Rate::Hz8000,
        }
    }
}

/// Why an encoder or a decoder was not made or fed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The frame is no multiple of 10 ms or longer than 120 ms.
    #[error("a frame of {got} samples is not 10 to 120 ms in steps of 10 ms at {hz} Hz")]
    FrameLength {
        /// The samples given.
        got: usize,
        /// The codec's rate in samples per second.
        hz: u32,
    },
    /// libopus refused a setting or the frame.
    #[error(transparent)]
    Opus(#[from] ::opus::Error),
}

/// Why a packet was refused; its content came from the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The payload is empty.
    #[error("the payload is empty")]
    Empty,
    /// The packet lasts longer than [`LONGEST_PACKET`].
    #[error("the packet lasts {milliseconds} ms, more than 120 ms")]
    TooLong {
        /// How long the packet says it lasts.
        milliseconds: u64,
    },
    /// The payload breaks the codec's format.
    #[error("the payload is not valid {codec}")]
    Malformed {
        /// The codec's name.
        codec: &'static str,
    },
}

/// Where the sound that filled a gap came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// From a copy inside the next packet (Opus in-band FEC).
    Redundancy,
    /// Invented from what was heard before.
    Concealed,
}

/// Encodes one stream with one codec.
#[derive(Debug)]
pub struct Encoder {
    inner: AnyEncoder,
    rate: Rate,
    /// Opus' effort without thrift.
    complexity: u8,
}

#[derive(Debug)]
enum AnyEncoder {
    Opus(opus::Encoder),
    G722(Box<g722::Encoder>),
    G711(Law),
}

impl Encoder {
    /// Creates an encoder; only Opus reads `settings`.
    pub fn new(codec: Codec, settings: &OpusSettings) -> Result<Self, EncodeError> {
        let inner = match codec {
            Codec::Opus => AnyEncoder::Opus(opus::Encoder::new(settings)?),
            Codec::G722 => AnyEncoder::G722(Box::default()),
            Codec::Pcmu => AnyEncoder::G711(Law::Mu),
            Codec::Pcma => AnyEncoder::G711(Law::A),
        };
        Ok(Self {
            inner,
            rate: codec.rate(settings),
            complexity: settings.complexity,
        })
    }

    /// Returns the rate of the samples that `encode` takes.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Encodes a frame of 10 to 120 ms (20 ms as a rule) and replaces `payload` with the result.
    ///
    /// Opus takes 10, 20, 40, 60, 80, 100 and 120 ms.
    pub fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) -> Result<(), EncodeError> {
        payload.clear();
        let tick = self.rate.samples_per_tick();
        if samples.is_empty() || !samples.len().is_multiple_of(tick) || samples.len() > 12 * tick {
            return Err(EncodeError::FrameLength {
                got: samples.len(),
                hz: self.rate.hz(),
            });
        }
        match &mut self.inner {
            AnyEncoder::Opus(encoder) => encoder.encode(samples, payload)?,
            AnyEncoder::G722(encoder) => encoder.encode(samples, payload),
            AnyEncoder::G711(law) => law.encode(samples, payload),
        }
        Ok(())
    }

    /// Tells the encoder the share of its packets that the peer loses, 0 to 100 %, as RTCP reports it.
    pub fn set_expected_loss(&mut self, percent: u8) -> Result<(), EncodeError> {
        match &mut self.inner {
            AnyEncoder::Opus(encoder) => Ok(encoder.set_expected_loss(percent)?),
            AnyEncoder::G722(_) | AnyEncoder::G711(_) => Ok(()),
        }
    }

    /// Sets the bitrate in bits per second; codecs of a fixed bitrate ignore it.
    pub fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), EncodeError> {
        match &mut self.inner {
            AnyEncoder::Opus(encoder) => Ok(encoder.set_bitrate(bits_per_second)?),
            AnyEncoder::G722(_) | AnyEncoder::G711(_) => Ok(()),
        }
    }

    /// Leaves out what may be left out from the next frame on, or no longer.
    pub fn set_thrift(&mut self, thrift: Thrift) {
        match &mut self.inner {
            AnyEncoder::Opus(encoder) => {
                // Every value up to 10 is taken, and settings hold no other.
                let _taken = encoder.set_complexity(thrift.complexity(self.complexity));
            }
            AnyEncoder::G722(_) | AnyEncoder::G711(_) => {}
        }
    }

    /// Tells whether the payload made last is silence under DTX that need not be sent.
    pub fn in_dtx(&mut self) -> bool {
        match &mut self.inner {
            AnyEncoder::Opus(encoder) => encoder.in_dtx(),
            AnyEncoder::G722(_) | AnyEncoder::G711(_) => false,
        }
    }
}

/// Decodes one stream with one codec, and fills its gaps.
#[derive(Debug)]
pub struct Decoder {
    inner: AnyDecoder,
    rate: Rate,
    /// Opus' effort without thrift.
    complexity: u8,
}

#[derive(Debug)]
enum AnyDecoder {
    Opus(opus::Decoder),
    G722(Box<g722::StreamDecoder>),
    G711(Box<g711::StreamDecoder>),
}

impl Decoder {
    /// Creates a decoder; only Opus reads `settings`.
    pub fn new(codec: Codec, settings: &OpusSettings) -> Result<Self, EncodeError> {
        let inner = match codec {
            Codec::Opus => AnyDecoder::Opus(opus::Decoder::new(settings)?),
            Codec::G722 => AnyDecoder::G722(Box::default()),
            Codec::Pcmu => AnyDecoder::G711(Box::new(g711::StreamDecoder::new(Law::Mu))),
            Codec::Pcma => AnyDecoder::G711(Box::new(g711::StreamDecoder::new(Law::A))),
        };
        Ok(Self {
            inner,
            rate: codec.rate(settings),
            complexity: settings.decoder_complexity,
        })
    }

    /// Returns the rate of the samples that this gives.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Returns how many samples `payload` would give, without decoding it.
    pub fn samples_in(&self, payload: &[u8]) -> Result<usize, DecodeError> {
        let samples = match &self.inner {
            AnyDecoder::Opus(decoder) => decoder.samples_in(payload)?,
            AnyDecoder::G722(_) => payload.len() * 2,
            AnyDecoder::G711(_) => payload.len(),
        };
        let duration = self.rate.duration_of(samples);
        match samples {
            0 => Err(DecodeError::Empty),
            _ if duration > LONGEST_PACKET => Err(DecodeError::TooLong {
                milliseconds: duration.as_millis() as u64,
            }),
            _ => Ok(samples),
        }
    }

    /// Decodes a packet, appends its samples to `out` and returns how many.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> Result<usize, DecodeError> {
        let samples = self.samples_in(payload)?;
        let start = out.len();
        out.resize(start + samples, 0);
        let room = &mut out[start..];
        match &mut self.inner {
            AnyDecoder::Opus(decoder) => {
                if let Err(error) = decoder.decode(payload, room) {
                    out.truncate(start);
                    return Err(error);
                }
            }
            AnyDecoder::G722(decoder) => decoder.decode(payload, room),
            AnyDecoder::G711(decoder) => decoder.decode(payload, room),
        }
        Ok(samples)
    }

    /// Appends `samples` of sound in place of what was lost; long gaps fade to silence.
    ///
    /// `samples` is rounded up to a multiple of 2.5 ms for Opus, so pass whole frames.
    pub fn conceal(&mut self, samples: usize, out: &mut Vec<i16>) {
        let start = out.len();
        out.resize(start + samples, 0);
        let room = &mut out[start..];
        match &mut self.inner {
            AnyDecoder::Opus(decoder) => decoder.conceal(room),
            AnyDecoder::G722(decoder) => decoder.conceal(room),
            AnyDecoder::G711(decoder) => decoder.conceal(room),
        }
    }

    /// Appends `samples` of a pause in which the sender sends nothing (DTX): Opus goes on with the background's noise, at
    /// less cost than of what is lost.
    pub fn rest(&mut self, samples: usize, out: &mut Vec<i16>) {
        let AnyDecoder::Opus(decoder) = &mut self.inner else {
            return self.conceal(samples, out);
        };
        let start = out.len();
        out.resize(start + samples, 0);
        decoder.rest(&mut out[start..], self.complexity);
    }

    /// Tells whether a payload is all that is sent of a pause that begins with it (DTX).
    pub fn begins_pause(codec: Codec, payload: &[u8]) -> bool {
        // RFC 6716 §3.1: a header without a frame, or with one of an octet.
        codec == Codec::Opus && payload.len() <= 2
    }

    /// Appends `samples`, the length of the one lost packet before `next`, from the copy in `next` if any, or led over
    /// into `next`.
    ///
    /// `next` itself is decoded after this, as usual.
    pub fn recover(&mut self, next: &[u8], samples: usize, out: &mut Vec<i16>) -> Recovery {
        if self.samples_in(next).is_err() {
            self.conceal(samples, out);
            return Recovery::Concealed;
        }
        let start = out.len();
        out.resize(start + samples, 0);
        let room = &mut out[start..];
        match &mut self.inner {
            AnyDecoder::Opus(decoder) => {
                if decoder.recover(next, room) {
                    return Recovery::Redundancy;
                }
                decoder.conceal(room);
            }
            AnyDecoder::G722(decoder) => decoder.bridge(next, room),
            AnyDecoder::G711(decoder) => decoder.bridge(next, room),
        }
        Recovery::Concealed
    }

    /// Leaves out what may be left out from the next gap on, or no longer.
    pub fn set_thrift(&mut self, thrift: Thrift) {
        match &mut self.inner {
            AnyDecoder::Opus(decoder) => {
                decoder.set_complexity(thrift.decoder_complexity(self.complexity));
            }
            AnyDecoder::G722(decoder) => decoder.set_searches(thrift.searches()),
            AnyDecoder::G711(decoder) => decoder.set_searches(thrift.searches()),
        }
    }

    /// Forgets the stream so far, as after a change of SSRC.
    pub fn reset(&mut self) {
        match &mut self.inner {
            AnyDecoder::Opus(decoder) => decoder.reset(),
            AnyDecoder::G722(decoder) => decoder.reset(),
            AnyDecoder::G711(decoder) => decoder.reset(),
        }
    }
}

#[cfg(test)]
mod tests;
