//! Keys in the peer's sound itself, if it is listened to.

use super::{InBandKeys, MediaEvent, Tone};
use crate::dtmf::Event;
use crate::sdp::negotiate::Agreed;
use audio::Rate;
use audio::dtmf::{Detector, Press};

/// In ticks: after the peer's first event, what came before it may still wait to be played.
const LAST_WORDS: u32 = 50;

/// Listens until the peer shows that it sends events: some gateways leave the sound of a key in, which would count twice.
#[derive(Debug)]
pub(super) struct InBand {
    wanted: InBandKeys,
    detector: Option<Detector>,
    /// The codes that came as events, a bit each.
    events: u16,
    /// How long it still listens once there was one.
    left: u32,
}

impl InBand {
    pub(super) fn new(wanted: InBandKeys) -> Self {
        Self {
            wanted,
            detector: None,
            events: 0,
            left: LAST_WORDS,
        }
    }

    pub(super) fn configure(&mut self, agreed: &Agreed) {
        let listens = match self.wanted {
            InBandKeys::Auto => agreed.audio.send_events.is_none(),
            InBandKeys::Always => true,
            InBandKeys::Never => false,
        };
        if !listens || self.left == 0 {
            self.detector = None;
        } else if self.detector.is_none() {
            self.detector = Some(Detector::new());
        }
    }

    /// The peer sends a telephone event; it begins before its sound is over.
    pub(super) fn event(&mut self, payload: &[u8]) {
        if let Some(tone) = Event::read(payload).and_then(|event| Tone::from_event(event.code)) {
            self.events |= 1 << tone.event();
        }
    }

    /// Takes what is played in 10 ms.
    pub(super) fn hear(&mut self, rate: Rate, sound: &[i16]) -> Option<MediaEvent> {
        let press = self.detector.as_mut()?.push(rate, sound);
        if self.events != 0 {
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                self.detector = None;
            }
        }
        self.report(press?)
    }

    fn report(&self, press: Press) -> Option<MediaEvent> {
        let tone = Tone::from_char(press.key)?;
        let came_as_event = self.events & 1 << tone.event() != 0;
        (!came_as_event).then_some(MediaEvent::Dtmf {
            tone,
            duration: press.duration,
            in_band: true,
        })
    }
}
