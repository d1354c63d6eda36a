//! A time in which the sender sends nothing, as it has said: how that sounds.

use super::decoders::Decoders;
use crate::codec::{Codec, ComfortNoise, Decoder, NoiseDescription};

/// Whether the sender has said that it sends nothing for a while, and what stands for that.
#[derive(Debug, Default)]
pub(super) struct Pause {
    sounds: Option<Sounds>,
}

#[derive(Debug)]
enum Sounds {
    /// As this.
    Described(Box<ComfortNoise>),
    /// As its codec knows.
    AsCodecKnows,
}

impl Pause {
    pub(super) fn goes_on(&self) -> bool {
        self.sounds.is_some()
    }

    /// Sound has come: it ends the pause, and may be the last before another.
    pub(super) fn follow(&mut self, codec: Codec, payload: &[u8]) {
        let begins = Decoder::begins_pause(codec, payload);
        self.sounds = begins.then_some(Sounds::AsCodecKnows);
    }

    /// A pause begins, or sounds otherwise from here on (RFC 3389); what describes nothing changes nothing.
    pub(super) fn describe(&mut self, payload: &[u8]) {
        let Some(description) = NoiseDescription::read(payload) else {
            return;
        };
        match &mut self.sounds {
            Some(Sounds::Described(noise)) => noise.change(description),
            Some(Sounds::AsCodecKnows) | None => {
                let noise = Box::new(ComfortNoise::new(description));
                self.sounds = Some(Sounds::Described(noise));
            }
        }
    }

    /// Adds so many samples of it; if nobody has spoken of one, of what was heard last.
    pub(super) fn play(&mut self, samples: usize, decoders: &mut Decoders, sound: &mut Vec<i16>) {
        match &mut self.sounds {
            Some(Sounds::Described(noise)) => noise.play(samples, decoders.rate(), sound),
            Some(Sounds::AsCodecKnows) => decoders.rest(samples, sound),
            None => decoders.conceal(samples, sound),
        }
    }
}
