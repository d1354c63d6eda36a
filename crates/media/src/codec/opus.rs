//! Opus at a selectable internal rate, with in-band FEC and concealment (RFC 6716, RFC 7587).

use audio::Rate;
use opus::{Application, MAX_PACKET, SampleRate, Signal};

use super::{DecodeError, EncodeError};

/// How Opus is run; the defaults are for people, [`OpusSettings::fleet`] is for many bots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpusSettings {
    /// The rate of the samples on our side; the RTP clock is 48 kHz whatever this is.
    pub rate: Rate,
    /// Bits per second, 6,000 to 510,000.
    pub bitrate: u32,
    /// The encoder's effort, 0 to 10.
    pub complexity: u8,
    /// The decoder's effort, 0 to 10: from 5 on lost packets are concealed by a neural model, which costs
    /// 560 µs for each.
    pub decoder_complexity: u8,
    /// Whether packets may carry copies of the frame before them, once loss is reported.
    pub inband_fec: bool,
    /// Whether silence is left out (`usedtx`).
    pub dtx: bool,
    /// Whether packets are all of one size (`cbr`).
    pub constant_bitrate: bool,
    /// The highest rate that the peer plays, in samples per second (`maxplaybackrate`).
    pub max_playback_rate: u32,
}

impl Default for OpusSettings {
    fn default() -> Self {
        Self {
            rate: Rate::Hz48000,
            bitrate: 32_000,
            complexity: 5,
            decoder_complexity: 5,
            inband_fec: true,
            dtx: false,
            constant_bitrate: false,
            max_playback_rate: 48_000,
        }
    }
}

impl OpusSettings {
    /// Returns settings that cost a quarter of the default's CPU: 16 kHz, complexity 1, classic concealment.
    pub fn fleet() -> Self {
        Self {
            rate: Rate::Hz16000,
            bitrate: 24_000,
            complexity: 1,
            decoder_complexity: 0,
            ..Self::default()
        }
    }

    const fn sample_rate(&self) -> SampleRate {
        match self.rate {
            Rate::Hz8000 => SampleRate::Hz8000,
            Rate::Hz16000 => SampleRate::Hz16000,
            Rate::Hz24000 => SampleRate::Hz24000,
            Rate::Hz48000 => SampleRate::Hz48000,
        }
    }

    const fn bandwidth(&self) -> opus::Bandwidth {
        // RFC 7587 §3.1.1: the bands, by the lowest rate that carries them whole.
        match self.max_playback_rate {
            ..=8_000 => opus::Bandwidth::Narrow,
            8_001..=12_000 => opus::Bandwidth::Medium,
            12_001..=16_000 => opus::Bandwidth::Wide,
            16_001..=24_000 => opus::Bandwidth::SuperWide,
            24_001.. => opus::Bandwidth::Full,
        }
    }
}

#[derive(Debug)]
pub(super) struct Encoder(opus::Encoder);

impl Encoder {
    pub(super) fn new(settings: &OpusSettings) -> Result<Self, EncodeError> {
        let mut encoder = opus::Encoder::new(settings.sample_rate(), Application::Voip)?;
        encoder.set_signal(Signal::Voice)?;
        encoder.set_bitrate(settings.bitrate)?;
        encoder.set_complexity(settings.complexity)?;
        encoder.set_inband_fec(settings.inband_fec)?;
        encoder.set_dtx(settings.dtx)?;
        encoder.set_vbr(!settings.constant_bitrate)?;
        encoder.set_max_bandwidth(settings.bandwidth())?;
        Ok(Self(encoder))
    }

    pub(super) fn encode(
        &mut self,
        samples: &[i16],
        payload: &mut Vec<u8>,
    ) -> Result<(), opus::Error> {
        payload.resize(MAX_PACKET, 0);
        let encoded = self.0.encode(samples, payload);
        payload.truncate(*encoded.as_ref().unwrap_or(&0));
        encoded.map(|_| ())
    }

    pub(super) fn set_expected_loss(&mut self, percent: u8) -> Result<(), opus::Error> {
        self.0.set_expected_loss(percent)
    }

    pub(super) fn set_bitrate(&mut self, bits_per_second: u32) -> Result<(), opus::Error> {
        self.0.set_bitrate(bits_per_second)
    }

    pub(super) fn set_complexity(&mut self, complexity: u8) -> Result<(), opus::Error> {
        self.0.set_complexity(complexity)
    }

    pub(super) fn in_dtx(&mut self) -> bool {
        self.0.in_dtx().unwrap_or(false)
    }
}

#[derive(Debug)]
pub(super) struct Decoder(opus::Decoder);

impl Decoder {
    pub(super) fn new(settings: &OpusSettings) -> Result<Self, EncodeError> {
        let mut decoder = opus::Decoder::new(settings.sample_rate())?;
        decoder.set_complexity(settings.decoder_complexity)?;
        Ok(Self(decoder))
    }

    pub(super) fn samples_in(&self, payload: &[u8]) -> Result<usize, DecodeError> {
        if payload.is_empty() {
            return Err(DecodeError::Empty);
        }
        // RFC 6716 §3.2.5: code 3 may claim no frame at all, which is malformed too.
        match opus::packet::samples(payload, self.0.rate()) {
            Ok(0) | Err(_) => Err(MALFORMED),
            Ok(samples) => Ok(samples),
        }
    }

    pub(super) fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<(), DecodeError> {
        self.0
            .decode(payload, out)
            .map(|_| ())
            .map_err(|_| MALFORMED)
    }

    pub(super) fn conceal(&mut self, out: &mut [i16]) {
        // libopus conceals at most 120 ms a call, in steps of 2.5 ms; what it leaves out stays silent.
        for part in out.chunks_mut(self.0.rate().longest_packet()) {
            let _ = self.0.conceal(part);
        }
    }

    /// Goes on with the background's noise, without the neural model; `complexity` is that of all else.
    pub(super) fn rest(&mut self, out: &mut [i16], complexity: u8) {
        self.set_complexity(0);
        self.conceal(out);
        self.set_complexity(complexity);
    }

    pub(super) fn recover(&mut self, next: &[u8], out: &mut [i16]) -> bool {
        opus::packet::has_fec(next) && self.0.recover(next, out) == Ok(out.len())
    }

    pub(super) fn set_complexity(&mut self, complexity: u8) {
        // Every value up to 10 is taken, and settings hold no other.
        let _taken = self.0.set_complexity(complexity);
    }

    pub(super) fn reset(&mut self) {
        let _ = self.0.reset();
    }
}

const MALFORMED: DecodeError = DecodeError::Malformed { codec: "opus" };
