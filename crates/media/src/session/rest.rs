//! Whether there is anything to say, for codecs that do not know it themselves: what is sent of a pause (RFC 3389).

use crate::codec::{NoiseDescription, NoiseMeter};
use std::time::Duration;

/// Faint ends of words, and the breath between two of them, are part of speech.
const HANGOVER: Duration = Duration::from_millis(200);
/// A pause is told again after so long, in case that was lost, and earlier if it has become another.
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_IF_OTHER: Duration = Duration::from_millis(100);
const OTHER_DECIBELS: u8 = 3;
/// Powers of samples: what is below −65 dBov is nothing that anybody hears, and what is above −35 dBov is no background,
/// however even: tones and music.
const INAUDIBLE: f32 = 339.0;
const LOUD: f32 = 339_000.0;
/// Speech is 6 dB above the noise around it.
const STANDS_OUT: f32 = 4.0;
/// The floor of the noise rises by 3 dB in a second until something quieter comes.
const RISE_IN_A_SECOND: f32 = 2.0;

/// What is to be sent of a frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Worth {
    /// All of it.
    Sound,
    /// How the pause sounds.
    Noise(NoiseDescription),
    Nothing,
}

/// Follows what is captured.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// The power of what is quietest of late.
    floor: f32,
    /// For how long nobody has spoken.
    quiet: Duration,
    meter: NoiseMeter,
    /// The level that was told last, and how long ago.
    told: Option<(u8, Duration)>,
}

impl Rest {
    /// Judges a frame that takes so long.
    pub(super) fn judge(&mut self, frame: &[i16], length: Duration) -> Worth {
        let energy: f32 = frame.iter().map(|s| f32::from(*s) * f32::from(*s)).sum();
        if self.stands_out(energy / frame.len().max(1) as f32, length) {
            self.quiet = Duration::ZERO;
            self.meter = NoiseMeter::default();
            self.told = None;
            return Worth::Sound;
        }
        self.quiet += length;
        self.meter.add(frame);
        if self.quiet <= HANGOVER {
            return Worth::Sound;
        }
        self.tell(length)
    }

    fn stands_out(&mut self, power: f32, length: Duration) -> bool {
        let risen = self.floor.max(1.0) * RISE_IN_A_SECOND.powf(length.as_secs_f32());
        self.floor = power.min(risen);
        power > (self.floor * STANDS_OUT).clamp(INAUDIBLE, LOUD)
    }

    fn tell(&mut self, length: Duration) -> Worth {
        let description = self.meter.describe();
        let level = description.level();
        let due = self.told.is_none_or(|(told, since)| {
            let since = since + length;
            let is_other = told.abs_diff(level) >= OTHER_DECIBELS;
            since >= AGAIN || (is_other && since >= AGAIN_IF_OTHER)
        });
        if due {
            self.told = Some((level, Duration::ZERO));
            return Worth::Noise(description);
        }
        if let Some((_, since)) = &mut self.told {
            *since += length;
        }
        Worth::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(20);

    /// A frame of noise of this root mean square.
    fn noise(loudness: f32, seed: &mut u32) -> Vec<i16> {
        let mut next = || {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((*seed >> 8) as f32 / (1 << 24) as f32 - 0.5) * 3.464 * loudness
        };
        (0..160).map(|_| next() as i16).collect()
    }

    fn judged(rest: &mut Rest, loudness: f32, frames: usize) -> Vec<Worth> {
        let mut seed = 7;
        (0..frames)
            .map(|_| rest.judge(&noise(loudness, &mut seed), FRAME))
            .collect()
    }

    fn count(judged: &[Worth], wanted: fn(&Worth) -> bool) -> usize {
        judged.iter().filter(|worth| wanted(worth)).count()
    }

    #[test]
    fn of_a_pause_little_is_sent_and_of_speech_all() {
        let mut rest = Rest::default();
        judged(&mut rest, 60.0, 500);
        let speech = judged(&mut rest, 2_000.0, 50);
        assert_eq!(count(&speech, |w| *w == Worth::Sound), 50);
        let pause = judged(&mut rest, 60.0, 200);
        assert_eq!(count(&pause, |w| *w == Worth::Sound), 10, "the hangover");
        let told = count(&pause, |w| matches!(w, Worth::Noise(_)));
        assert!((7..=10).contains(&told), "{told} in 3.8 s");
        let Worth::Noise(first) = &pause[10] else {
            panic!("the pause is told first: {:?}", pause[10]);
        };
        assert!(first.level().abs_diff(55) <= 2, "{}", first.level());
        assert_eq!(judged(&mut rest, 2_000.0, 1), [Worth::Sound]);
    }

    #[test]
    fn a_pause_that_changes_is_told_sooner() {
        let mut rest = Rest::default();
        judged(&mut rest, 15.0, 100);
        let louder = judged(&mut rest, 30.0, 20);
        let told = count(&louder, |w| matches!(w, Worth::Noise(_)));
        assert!(
            told + count(&louder, |w| *w == Worth::Sound) >= 2,
            "{louder:?}"
        );
    }

    #[test]
    fn an_even_sound_that_is_loud_is_no_background() {
        let mut rest = Rest::default();
        let tone = judged(&mut rest, 3_000.0, 3_000);
        assert_eq!(count(&tone, |w| *w == Worth::Sound), 3_000);
    }

    #[test]
    fn muted_sound_is_told_as_silence() {
        let mut rest = Rest::default();
        let muted: Vec<Worth> = (0..50).map(|_| rest.judge(&[0; 160], FRAME)).collect();
        assert_eq!(
            count(&muted, |w| matches!(w, Worth::Noise(n) if n.level() == 127)),
            2
        );
    }
}
