//! The sounds of telephony: sines, cadences, beeps.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::Rate;

/// One sine of a [`Step`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sine {
    /// Cycles per second.
    pub hz: f64,
    /// Mean level in dBov; −3 is full scale.
    pub dbov: f64,
}

/// Some sines at once, or silence, for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// What sounds; none is silence.
    pub sines: Vec<Sine>,
    /// How long; `None` is for ever.
    pub duration: Option<Duration>,
}

/// Steps one after another.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// What is played.
    pub steps: Vec<Step>,
    /// Whether it starts over at its end.
    pub repeat: bool,
}

impl Sequence {
    /// One sine, for `duration` or for ever.
    pub fn sine(hz: f64, dbov: f64, duration: Option<Duration>) -> Self {
        Self::once(vec![Step {
            sines: vec![Sine { hz, dbov }],
            duration,
        }])
    }

    /// Nothing for `duration`.
    pub fn silence(duration: Duration) -> Self {
        Self::once(vec![Step::silence(duration)])
    }

    /// Beats of some frequencies, or of none for silence, over and over; `dbov` is the level of each beat as a whole.
    pub fn cadence<'a>(beats: impl IntoIterator<Item = (&'a [f64], Duration)>, dbov: f64) -> Self {
        let beat = |(frequencies, duration): (&[f64], Duration)| Step {
            sines: sines(frequencies, dbov),
            duration: Some(duration),
        };
        Self {
            steps: beats.into_iter().map(beat).collect(),
            repeat: true,
        }
    }

    /// The short tone before an automatic answer.
    pub fn beep() -> Self {
        Self::sine(1_000.0, -16.0, Some(Duration::from_millis(200)))
    }

    /// Plays `next` after this; after a sequence that never ends it is never heard.
    pub fn then(mut self, next: Self) -> Self {
        self.steps.extend(next.steps);
        self.repeat = next.repeat;
        self
    }

    fn once(steps: Vec<Step>) -> Self {
        Self {
            steps,
            repeat: false,
        }
    }
}

/// Sines of one power each, which together have this level.
fn sines(frequencies: &[f64], dbov: f64) -> Vec<Sine> {
    let each = dbov - 10.0 * (frequencies.len() as f64).log10();
    let sine = |hz: &f64| Sine {
        hz: *hz,
        dbov: each,
    };
    frequencies.iter().map(sine).collect()
}

impl Step {
    fn silence(duration: Duration) -> Self {
        Self {
            sines: Vec::new(),
            duration: Some(duration),
        }
    }
}

/// A tone fades in and out over 3 ms, so that it doesn't click.
pub(crate) const FADE: Duration = Duration::from_millis(3);

/// Plays a sequence.
#[derive(Debug, Clone)]
pub struct Generator {
    sequence: Sequence,
    rate: Rate,
    step: usize,
    /// Samples played of the current step.
    played: usize,
    fade: usize,
}

impl Generator {
    /// Creates a player of `sequence` at `rate`.
    pub fn new(sequence: Sequence, rate: Rate) -> Self {
        let endless = sequence.steps.iter().any(|step| {
            step.duration
                .is_none_or(|duration| rate.samples_in(duration) > 0)
        });
        Self {
            sequence: Sequence {
                // Steps without a single sample would be repeated for ever within one call.
                repeat: sequence.repeat && endless,
                ..sequence
            },
            rate,
            step: 0,
            played: 0,
            fade: rate.samples_in(FADE),
        }
    }

    /// Fills `out` and returns how many samples it played; from the sequence's end on there is silence.
    pub fn fill(&mut self, out: &mut [i16]) -> usize {
        let mut filled = 0;
        while filled < out.len() {
            let Some(step) = self.sequence.steps.get(self.step) else {
                break;
            };
            let length = step.duration.map(|duration| self.rate.samples_in(duration));
            let left = length.map_or(usize::MAX, |length| length.saturating_sub(self.played));
            let part = left.min(out.len() - filled);
            let shape = Shape {
                start: self.played,
                length,
                fade: self.fade,
                rate: self.rate,
            };
            shape.render(&step.sines, &mut out[filled..filled + part]);
            filled += part;
            self.played += part;
            if part == left {
                self.advance();
            }
        }
        out[filled..].fill(0);
        filled
    }

    /// Tells whether everything was played.
    pub fn is_finished(&self) -> bool {
        self.step >= self.sequence.steps.len()
    }

    fn advance(&mut self) {
        self.step += 1;
        self.played = 0;
        if self.is_finished() && self.sequence.repeat {
            self.step = 0;
        }
    }
}

/// The place of some samples within a step.
pub(crate) struct Shape {
    pub(crate) start: usize,
    pub(crate) length: Option<usize>,
    pub(crate) fade: usize,
    pub(crate) rate: Rate,
}

impl Shape {
    pub(crate) fn render(&self, sines: &[Sine], out: &mut [i16]) {
        out.fill(0);
        if sines.is_empty() {
            return;
        }
        for (index, sample) in out.iter_mut().enumerate() {
            let n = self.start + index;
            let sum: f64 = sines
                .iter()
                .map(|sine| {
                    let peak = 10.0_f64.powf(sine.dbov / 20.0) * std::f64::consts::SQRT_2;
                    // The phase is taken modulo one cycle, so that it stays exact in a long tone.
                    let cycles = sine.hz * n as f64 / f64::from(self.rate.hz());
                    peak * (TAU * cycles.fract()).sin()
                })
                .sum();
            *sample = (sum * self.gain(n) * 32_767.0) as i16;
        }
    }

    fn gain(&self, n: usize) -> f64 {
        let to_edge = self.length.map_or(n, |length| n.min(length - n));
        if to_edge >= self.fade {
            1.0
        } else {
            0.5 - 0.5 * (TAU / 2.0 * to_edge as f64 / self.fade as f64).cos()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::ToneFit;
    use crate::level::Level;

    fn play(sequence: Sequence, rate: Rate, ticks: usize) -> Vec<i16> {
        let mut generator = Generator::new(sequence, rate);
        let mut out = vec![0; ticks * rate.samples_per_tick()];
        for tick in out.chunks_mut(rate.samples_per_tick()) {
            generator.fill(tick);
        }
        out
    }

    #[test]
    fn a_sine_has_its_level_and_is_clean_at_every_rate() {
        for rate in Rate::ALL {
            let out = play(Sequence::sine(1_000.0, -10.0, None), rate, 100);
            let steady = &out[rate.samples_per_tick()..];
            assert!((Level::of(steady).dbov() + 10.0).abs() < 0.05);
            assert!(ToneFit::of(steady, rate, 1_000.0).signal_to_noise_db > 70.0);
        }
    }

    #[test]
    fn a_cadence_repeats_with_its_rhythm() {
        let beats = [
            (&[400.0, 450.0][..], Duration::from_secs(1)),
            (&[], Duration::from_secs(4)),
        ];
        let out = play(Sequence::cadence(beats, -16.0), Rate::Hz8000, 1_100);
        assert!((Level::of(&out[400..7_600]).dbov() + 16.0).abs() < 0.1);
        let loud =
            |second: usize| Level::of(&out[second * 8_000..(second + 1) * 8_000]).dbov() > -30.0;
        let rhythm: Vec<bool> = (0..11).map(loud).collect();
        let ring = [true, false, false, false, false];
        assert_eq!(rhythm, [&ring[..], &ring[..], &[true]].concat());
    }

    #[test]
    fn a_sequence_ends_where_its_durations_say() {
        let tone = |hz| Sequence::sine(hz, -10.0, Some(Duration::from_millis(100)));
        let pause = Sequence::silence(Duration::from_millis(50));
        let sequence = tone(500.0).then(pause).then(tone(600.0));
        let mut generator = Generator::new(sequence, Rate::Hz8000);
        let mut out = [1; 4_000];
        assert_eq!(generator.fill(&mut out), 2_000);
        assert!(generator.is_finished());
        assert!(out[2_000..].iter().all(|sample| *sample == 0));
        assert_eq!(generator.fill(&mut out), 0);
    }

    #[test]
    fn a_tone_starts_and_ends_without_a_click() {
        let out = play(
            Sequence::sine(1_000.0, -6.0, Some(Duration::from_millis(50))),
            Rate::Hz48000,
            6,
        );
        let steepest = out
            .windows(2)
            .map(|pair| (i32::from(pair[0]) - i32::from(pair[1])).abs())
            .max();
        // The sine's own steepest step.
        assert!(
            steepest <= Some((TAU / 48.0 * 0.71 * 32_768.0) as i32 + 60),
            "{steepest:?}"
        );
    }

    #[test]
    fn empty_repeating_sequences_end_at_once() {
        for steps in [Vec::new(), vec![Step::silence(Duration::ZERO)]] {
            let mut generator = Generator::new(
                Sequence {
                    steps,
                    repeat: true,
                },
                Rate::Hz8000,
            );
            assert_eq!(generator.fill(&mut [0; 80]), 0);
        }
    }
}
