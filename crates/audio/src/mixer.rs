//! Mixes the voices of a conference: everybody hears all but themselves.

use crate::{Frame, Rate};

/// The sum of one tick's voices, from which each listener's own part is subtracted.
///
/// ```
/// use audio::{Frame, Rate, mixer::Mixer};
///
/// let voices = [Frame::new(Rate::Hz8000, &[100; 80]), Frame::new(Rate::Hz8000, &[20; 80])];
/// let [Some(ann), Some(bob)] = voices else { unreachable!() };
/// let mut mixer = Mixer::new(Rate::Hz8000);
/// mixer.add(&ann);
/// mixer.add(&bob);
/// assert_eq!(mixer.without(&ann), bob);
/// assert_eq!(mixer.all().samples(), [120; 80]);
/// mixer.clear();
/// ```
#[derive(Debug, Clone)]
pub struct Mixer {
    rate: Rate,
    sum: [i32; Rate::Hz48000.samples_per_tick()],
}

impl Mixer {
    /// Creates an empty mixer for frames at `rate`.
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            sum: [0; Rate::Hz48000.samples_per_tick()],
        }
    }

    /// Returns the rate of the frames it takes and gives.
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// Empties it for the next tick.
    pub fn clear(&mut self) {
        self.sum.fill(0);
    }

    /// Adds one voice; a frame at another rate than the mixer's adds nothing.
    pub fn add(&mut self, voice: &Frame) {
        debug_assert_eq!(voice.rate(), self.rate);
        if voice.rate() == self.rate {
            for (sum, sample) in self.sum.iter_mut().zip(voice.samples()) {
                *sum += i32::from(*sample);
            }
        }
    }

    /// Returns all voices together.
    pub fn all(&self) -> Frame {
        self.without(&Frame::silence(self.rate))
    }

    /// Returns all voices but `own`, which must have been added.
    pub fn without(&self, own: &Frame) -> Frame {
        let mut frame = Frame::silence(self.rate);
        for ((out, sum), own) in frame
            .samples_mut()
            .iter_mut()
            .zip(self.sum)
            .zip(own.samples())
        {
            *out = soften(sum - i32::from(*own));
        }
        frame
    }
}

/// Up to here a sum passes unchanged; above it bends, so that several loud voices don't clip hard.
const KNEE: i32 = 24_576;

/// Bends what exceeds the knee into the room left: its slope is 1 at the knee and falls towards full scale.
fn soften(sum: i32) -> i16 {
    let magnitude = sum.unsigned_abs() as i32;
    if magnitude <= KNEE {
        return sum as i16;
    }
    let room = i64::from(i32::from(i16::MAX) - KNEE);
    let over = i64::from(magnitude - KNEE);
    let bent = KNEE + (over * room / (over + room)) as i32;
    (bent * sum.signum()) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(value: i16) -> Frame {
        Frame::new(Rate::Hz16000, &[value; 160]).unwrap()
    }

    #[test]
    fn everybody_hears_the_others_and_not_themselves() {
        let voices = [voice(1), voice(20), voice(300)];
        let mut mixer = Mixer::new(Rate::Hz16000);
        voices.iter().for_each(|voice| mixer.add(voice));
        assert_eq!(mixer.without(&voices[0]), voice(320));
        assert_eq!(mixer.without(&voices[2]), voice(21));
        assert_eq!(mixer.all(), voice(321));
        mixer.clear();
        assert_eq!(mixer.all(), voice(0));
    }

    #[test]
    fn loud_sums_bend_without_wrapping_and_keep_their_order() {
        let mut last = i16::MIN;
        for sum in (-200_000..200_000).step_by(7) {
            let now = soften(sum);
            assert!(now >= last, "{sum}");
            assert_eq!(now, -soften(-sum));
            last = now;
        }
        assert_eq!(soften(KNEE), KNEE as i16);
        assert!(soften(60_000) > 30_000);
    }

    #[test]
    fn a_loud_voice_is_still_gone_from_its_own_mix() {
        let mut mixer = Mixer::new(Rate::Hz16000);
        let (loud, quiet) = (voice(32_000), voice(5));
        for voice in [&loud, &loud, &quiet] {
            mixer.add(voice);
        }
        assert_eq!(mixer.without(&loud), voice(soften(32_005)));
    }
}
