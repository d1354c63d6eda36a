//! The decoders that a peer's packets call for, made when first needed.

use crate::codec::{Codec, Decoder, OpusSettings, Recovery};
use crate::thrift::Thrift;
use audio::Rate;

/// At most one decoder for each codec.
#[derive(Debug)]
pub(super) struct Decoders {
    settings: OpusSettings,
    made: Vec<(Codec, Decoder)>,
    current: Option<Codec>,
    /// The rate before the first packet.
    rate: Rate,
    thrift: Thrift,
}

impl Decoders {
    pub(super) fn new(settings: OpusSettings, rate: Rate) -> Self {
        Self {
            settings,
            made: Vec::with_capacity(Codec::ALL.len()),
            current: None,
            rate,
            thrift: Thrift::default(),
        }
    }

    pub(super) fn thrift(&self) -> Thrift {
        self.thrift
    }

    pub(super) fn set_thrift(&mut self, thrift: Thrift) {
        self.thrift = thrift;
        for (_, decoder) in &mut self.made {
            decoder.set_thrift(thrift);
        }
    }

    pub(super) fn current(&self) -> Option<Codec> {
        self.current
    }

    pub(super) fn rate(&self) -> Rate {
        self.current
            .map_or(self.rate, |codec| codec.rate(&self.settings))
    }

    /// Makes `codec` the one that plays; what another stream left in its decoder is forgotten.
    pub(super) fn select(&mut self, codec: Codec) {
        if self.current == Some(codec) {
            return;
        }
        self.current = Some(codec);
        if let Some(decoder) = self.find(codec) {
            decoder.reset();
        }
    }

    /// How long `payload` lasts in seconds' 48000ths; `None` when it cannot be decoded.
    pub(super) fn duration(&mut self, codec: Codec, payload: &[u8]) -> Option<i64> {
        let decoder = self.find(codec)?;
        let samples = decoder.samples_in(payload).ok()?;
        let per_sample = super::TIMELINE / decoder.rate().hz();
        Some(samples as i64 * i64::from(per_sample))
    }

    pub(super) fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) -> bool {
        self.playing()
            .is_some_and(|decoder| decoder.decode(payload, out).is_ok())
    }

    pub(super) fn recover(&mut self, next: &[u8], samples: usize, out: &mut Vec<i16>) -> Recovery {
        match self.playing() {
            Some(decoder) => decoder.recover(next, samples, out),
            None => {
                out.resize(out.len() + samples, 0);
                Recovery::Concealed
            }
        }
    }

    /// What a pause sounds like in which the sender said that it sends nothing.
    pub(super) fn rest(&mut self, samples: usize, out: &mut Vec<i16>) {
        match self.playing() {
            Some(decoder) => decoder.rest(samples, out),
            None => out.resize(out.len() + samples, 0),
        }
    }

    pub(super) fn conceal(&mut self, samples: usize, out: &mut Vec<i16>) {
        match self.playing() {
            Some(decoder) => decoder.conceal(samples, out),
            None => out.resize(out.len() + samples, 0),
        }
    }

    fn playing(&mut self) -> Option<&mut Decoder> {
        self.current.and_then(|codec| self.find(codec))
    }

    fn find(&mut self, codec: Codec) -> Option<&mut Decoder> {
        let known = self.made.iter().position(|(c, _)| *c == codec);
        let at = match known {
            Some(at) => at,
            None => {
                let mut decoder = Decoder::new(codec, &self.settings).ok()?;
                decoder.set_thrift(self.thrift);
                self.made.push((codec, decoder));
                self.made.len() - 1
            }
        };
        self.made.get_mut(at).map(|(_, decoder)| decoder)
    }
}
