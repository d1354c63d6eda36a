//! Suspects an echo: one sound comes back in another, a while later, rising and falling as it did.

use std::collections::VecDeque;

/// How finely loudness is looked at: two ticks, shorter than a syllable.
const TICKS_PER_STEP: usize = 2;
/// Over how long: some words.
const STEPS: usize = 400;
/// How late an echo may be: devices and rooms, and a round trip with two jitter buffers.
const LATEST: usize = 75;
/// What is quieter than that, in dBov, does not count.
const FLOOR: f64 = -70.0;
/// Somebody speaks at that, in dBov, and still does in the short pauses after it.
const SPEECH: f64 = -45.0;
const PAUSE: usize = 4;
/// So much of the time somebody must speak. Only that counts: who answers each other in turn is no echo.
const SPOKEN: f64 = 0.4;
/// How much loudness must vary, in dB: a tone or a fan is nobody's echo.
const LEAST_DEVIATION: f64 = 4.0;

/// Compares what is said here with what is heard here.
#[derive(Debug, Default)]
pub(crate) struct EchoWatch {
    near: Contour,
    far: Contour,
    ticks: usize,
    /// Steps since somebody asked.
    fresh: usize,
}

/// How much one sound looks like what came back in the other, 0 to 1, in each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Likeness {
    /// What the far end says comes back to it from here.
    pub(crate) here: f64,
    /// What is said here comes back from the far end.
    pub(crate) there: f64,
}

/// How loud a sound was of late, in dBov.
#[derive(Debug, Default)]
struct Contour {
    steps: VecDeque<ContourStep>,
    sum: f64,
    /// Steps since somebody spoke.
    silent: usize,
}

#[derive(Clone, Copy, Debug)]
struct ContourStep {
    dbov: f32,
    spoken: bool,
}

impl EchoWatch {
    /// Takes how loud 10 ms were, as W3C's `audioLevel`.
    pub(crate) fn add(&mut self, near: f64, far: f64) {
        self.near.sum += near * near;
        self.far.sum += far * far;
        self.ticks += 1;
        if self.ticks == TICKS_PER_STEP {
            self.ticks = 0;
            self.fresh += 1;
            self.near.step();
            self.far.step();
        }
    }

    /// What the last seconds look like; nothing before there are enough, or if there were none since this was last asked.
    pub(crate) fn likeness(&mut self) -> Likeness {
        if std::mem::take(&mut self.fresh) == 0 {
            return Likeness::default();
        }
        Likeness {
            here: self.far.comes_back_in(&self.near),
            there: self.near.comes_back_in(&self.far),
        }
    }
}

impl Contour {
    fn step(&mut self) {
        let mean = self.sum / TICKS_PER_STEP as f64;
        self.sum = 0.0;
        if self.steps.len() == STEPS {
            self.steps.pop_front();
        }
        let level = if mean > 0.0 {
            (10.0 * mean.log10()).max(FLOOR)
        } else {
            FLOOR
        };
        self.silent = if level > SPEECH { 0 } else { self.silent + 1 };
        self.steps.push_back(ContourStep {
            dbov: level as f32,
            spoken: self.silent <= PAUSE,
        });
    }

    fn comes_back_in(&self, other: &Contour) -> f64 {
        let spoken = self.steps.iter().filter(|step| step.spoken).count();
        if self.steps.len() < STEPS || (spoken as f64) < SPOKEN * STEPS as f64 {
            return 0.0;
        }
        (0..=LATEST)
            .map(|late| {
                let later = other.steps.iter().skip(late);
                let pairs = self
                    .steps
                    .iter()
                    .zip(later)
                    .filter(|(sound, _)| sound.spoken);
                correlation(pairs.map(|(sound, later)| (sound.dbov, later.dbov)))
            })
            .fold(0.0, f64::max)
    }
}

/// Pearson's; 0 where one of the two hardly varies.
fn correlation(pairs: impl Iterator<Item = (f32, f32)>) -> f64 {
    let (mut n, mut x, mut y, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (f64::from(a), f64::from(b));
        n += 1.0;
        x += a;
        y += b;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    let deviation = |sum: f64, squares: f64| (squares / n - (sum / n) * (sum / n)).max(0.0).sqrt();
    let (dx, dy) = (deviation(x, xx), deviation(y, yy));
    // Also where there is no pair: its deviation is not a number.
    if !(dx > LEAST_DEVIATION && dy > LEAST_DEVIATION) {
        return 0.0;
    }
    (xy / n - x / n * (y / n)) / (dx * dy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// How loud somebody who speaks is, every 10 ms: syllables of 100 to 300 ms with pauses between, and longer ones between
    /// sentences.
    fn speech(seed: u64, ticks: usize) -> Vec<f64> {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut levels = Vec::new();
        while levels.len() < ticks {
            let (loud, length) = (rng.random_range(0.02..0.3), rng.random_range(10..30));
            for at in 0..length {
                let shape = (std::f64::consts::PI * f64::from(at) / f64::from(length)).sin();
                levels.push(loud * shape + 0.0005);
            }
            let pause = if rng.random_bool(0.15) { 60 } else { 4 };
            levels.extend(std::iter::repeat_n(0.0005, rng.random_range(0..pause)));
        }
        levels.truncate(ticks);
        levels
    }

    fn watch(near: &[f64], far: &[f64]) -> Likeness {
        let mut watch = EchoWatch::default();
        for (near, far) in near.iter().zip(far) {
            watch.add(*near, *far);
        }
        watch.likeness()
    }

    fn echo(sound: &[f64], late: usize, gain: f64, noise: f64) -> Vec<f64> {
        let late = std::iter::repeat_n(0.0, late).chain(sound.iter().copied());
        late.take(sound.len()).map(|s| s * gain + noise).collect()
    }

    #[test]
    fn what_was_heard_before_a_pause_is_no_echo_in_it() {
        let said = speech(1, 1_000);
        let mut watch = EchoWatch::default();
        for level in &said {
            watch.add(*level, *level);
        }
        assert!(watch.likeness().here > 0.8);
        assert_eq!(watch.likeness(), Likeness::default());
    }

    #[test]
    fn an_echo_is_suspected_on_the_side_that_makes_it() {
        for (seed, late, gain) in [(1, 6, 0.3), (2, 20, 0.1), (3, 60, 0.05), (4, 120, 0.5)] {
            let said = speech(seed, 1_000);
            let back = echo(&said, late, gain, 0.001);
            let likeness = watch(&back, &said);
            assert!(likeness.here > 0.8, "{seed} {likeness:?}");
            assert!(likeness.there < likeness.here - 0.2, "{seed} {likeness:?}");
            assert!(watch(&said, &back).there > 0.8, "{seed}");
        }
    }

    #[test]
    fn two_people_are_no_echo_at_once_or_in_turn() {
        for seed in 0..200 {
            let (one, other) = (speech(seed, 1_000), speech(seed + 1_000, 1_000));
            let likeness = watch(&one, &other);
            assert!(
                likeness.here.max(likeness.there) < 0.75,
                "{seed} {likeness:?}"
            );
            for length in [75, 150, 250] {
                let turn = |speech: &[f64], odd| -> Vec<f64> {
                    let speaks = |at: usize| (at / length) % 2 == odd;
                    let of = |(at, s): (usize, &f64)| if speaks(at) { *s } else { 0.0005 };
                    speech.iter().enumerate().map(of).collect()
                };
                let likeness = watch(&turn(&one, 0), &turn(&other, 1));
                assert!(
                    likeness.here.max(likeness.there) < 0.75,
                    "{seed} {length} {likeness:?}"
                );
            }
        }
    }

    #[test]
    fn what_does_not_vary_is_no_echo() {
        let tone = vec![0.3; 1_000];
        assert_eq!(watch(&tone, &tone), Likeness::default());
        assert_eq!(watch(&[0.0; 1_000], &tone), Likeness::default());
        let said = speech(1, 1_000);
        assert_eq!(watch(&[0.0; 1_000], &said), Likeness::default());
        assert_eq!(watch(&said[..400], &said[..400]), Likeness::default());
    }
}
