//! Mixes the voices of a conference: everybody hears all but themselves.

use crate::gain::Gain;
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
        self.without_both(own, &Frame::silence(self.rate))
    }

    /// Returns all voices but two, which must have been added.
    pub fn without_both(&self, own: &Frame, other: &Frame) -> Frame {
        let mut frame = Frame::silence(self.rate);
        for (((out, sum), own), other) in frame
            .samples_mut()
            .iter_mut()
            .zip(self.sum)
            .zip(own.samples())
            .zip(other.samples())
        {
            *out = soften(sum - i32::from(*own) - i32::from(*other));
        }
        frame
    }
}

/// One member's part of a conference: how loud it is for the others, and what it said in this tick.
///
/// ```
/// use audio::{Frame, Rate, mixer::{Mixer, Voice}};
///
/// let mut mixer = Mixer::new(Rate::Hz8000);
/// let (mut ann, mut bob) = (Voice::new(100), Voice::new(100));
/// for _ in 0..2 {
///     mixer.clear();
///     ann.say(Frame::new(Rate::Hz8000, &[100; 80]).unwrap(), &mut mixer);
///     bob.say(Frame::silence(Rate::Hz8000), &mut mixer);
/// }
/// assert_eq!(bob.hear(&mixer).samples(), [100; 80]);
/// assert_eq!(ann.hear(&mixer).samples(), [0; 80]);
/// ```
#[derive(Debug, Clone)]
pub struct Voice {
    gain: Gain,
    said: Frame,
}

impl Voice {
    /// Creates the part of a member that joins: it fades in to so many percent of its own level.
    pub fn new(percent: u8) -> Self {
        Self {
            gain: Gain::from_silence(percent),
            said: Frame::silence(Rate::Hz48000),
        }
    }

    /// Makes it so loud for the others, in percent, 100 at most; 0 mutes it.
    pub fn set_volume(&mut self, percent: u8) {
        self.gain.set(percent);
    }

    /// Adds what the member said in this tick, once, at the mixer's rate.
    pub fn say(&mut self, mut frame: Frame, mixer: &mut Mixer) {
        self.gain.apply(frame.samples_mut());
        mixer.add(&frame);
        self.said = frame;
    }

    /// Returns what the others said, when all have.
    pub fn hear(&self, mixer: &Mixer) -> Frame {
        mixer.without(&self.said)
    }

    /// Returns what the others said but for one of them, whose part in this tick this is.
    pub fn hear_without(&self, other: &Frame, mixer: &Mixer) -> Frame {
        mixer.without_both(&self.said, other)
    }

    /// Returns what it said in this tick, as loud as the others heard it.
    pub fn said(&self) -> &Frame {
        &self.said
    }
}

/// Mixes two voices, which have one rate.
pub fn together(one: &Frame, other: &Frame) -> Frame {
    debug_assert_eq!(one.rate(), other.rate());
    let mut frame = *one;
    for (sample, other) in frame.samples_mut().iter_mut().zip(other.samples()) {
        *sample = soften(i32::from(*sample) + i32::from(*other));
    }
    frame
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
    use crate::detect::Goertzel;
    use crate::tone::{Generator, Sequence};

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

    /// A conference in virtual time: what each member hears in a second of 10 ms ticks.
    struct Table {
        mixer: Mixer,
        members: Vec<(f64, Voice, Generator, Vec<i16>)>,
    }

    impl Table {
        fn new() -> Self {
            Self {
                mixer: Mixer::new(Rate::Hz16000),
                members: Vec::new(),
            }
        }

        fn join(&mut self, hz: f64) {
            let tone = Generator::new(Sequence::sine(hz, -30.0, None), Rate::Hz16000);
            self.members.push((hz, Voice::new(100), tone, Vec::new()));
        }

        fn second(&mut self) {
            for (_, _, _, heard) in &mut self.members {
                heard.clear();
            }
            for _ in 0..100 {
                self.mixer.clear();
                for (_, voice, tone, _) in &mut self.members {
                    let mut frame = Frame::silence(Rate::Hz16000);
                    tone.fill(frame.samples_mut());
                    voice.say(frame, &mut self.mixer);
                }
                for (_, voice, _, heard) in &mut self.members {
                    heard.extend_from_slice(voice.hear(&self.mixer).samples());
                }
            }
        }

        /// Who hears whom, each as the tone it sends, the beginning left out.
        fn heard(&self) -> Vec<(f64, Vec<f64>)> {
            let tones: Vec<f64> = self.members.iter().map(|member| member.0).collect();
            let hears = |heard: &[i16], hz: &f64| {
                let mut goertzel = Goertzel::new(Rate::Hz16000, *hz);
                goertzel.push(&heard[1_600..]);
                goertzel.take().dbov > -40.0
            };
            self.members
                .iter()
                .map(|(own, _, _, heard)| {
                    let others = tones.iter().filter(|hz| hears(heard, hz)).copied();
                    (*own, others.collect())
                })
                .collect()
        }
    }

    #[test]
    fn members_come_and_go_and_each_hears_exactly_the_others() {
        let mut table = Table::new();
        for hz in [400.0, 700.0, 1_100.0] {
            table.join(hz);
        }
        table.second();
        assert_eq!(
            table.heard(),
            [
                (400.0, vec![700.0, 1_100.0]),
                (700.0, vec![400.0, 1_100.0]),
                (1_100.0, vec![400.0, 700.0]),
            ]
        );
        table.members.remove(1);
        table.join(1_700.0);
        table.second();
        assert_eq!(
            table.heard(),
            [
                (400.0, vec![1_100.0, 1_700.0]),
                (1_100.0, vec![400.0, 1_700.0]),
                (1_700.0, vec![400.0, 1_100.0]),
            ]
        );
    }

    #[test]
    fn ten_members_hear_nine_each() {
        let mut table = Table::new();
        for number in 0..10 {
            table.join(300.0 + 150.0 * f64::from(number));
        }
        table.second();
        for (own, others) in table.heard() {
            assert_eq!(others.len(), 9, "{own} hears {others:?}");
            assert!(!others.contains(&own));
        }
    }

    #[test]
    fn a_muted_member_hears_the_others_and_is_not_heard() {
        let mut table = Table::new();
        table.join(400.0);
        table.join(700.0);
        table.members[0].1.set_volume(0);
        table.second();
        assert_eq!(table.heard(), [(400.0, vec![700.0]), (700.0, vec![])]);
    }

    #[test]
    fn who_is_not_to_hear_another_hears_the_rest() {
        let mut mixer = Mixer::new(Rate::Hz16000);
        let (mut own, mut host, mut third) = (Voice::new(100), Voice::new(100), Voice::new(100));
        for _ in 0..2 {
            mixer.clear();
            own.say(voice(1), &mut mixer);
            host.say(voice(20), &mut mixer);
            third.say(voice(300), &mut mixer);
        }
        assert_eq!(own.hear_without(host.said(), &mixer), voice(300));
        assert_eq!(third.hear_without(host.said(), &mixer), voice(1));
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
