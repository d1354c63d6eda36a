//! Sound made shorter or longer by whole pitch periods, joined by cross-fading (WSOLA).

use super::PER_MS;
use audio::Rate;

/// The pitch range of voices, in samples at 8 kHz: 2.5 to 15 ms.
const SHORTEST: usize = 20;
const LONGEST: usize = 120;
/// The coarse search runs at 8 kHz on at most 40 ms.
const COARSE: usize = 320;
/// 48 kHz in steps of 8 kHz.
const MOST_COARSE: usize = 6;
/// The fine search compares as much at full rate.
const WINDOW: usize = COARSE * MOST_COARSE;
/// Below this mean square (about −60 dBov) nobody hears a joint.
const SILENCE: f32 = 1_000.0;
/// A pause in speech is so much less loud than its loudest sounds: 25 dB.
const PAUSE: f32 = 0.003;
/// A stop before a consonant is shorter than this, and is part of its word.
const SHORTEST_PAUSE: i64 = 160 * PER_MS;
/// What loudness leaves from packet to packet: half in five seconds of 20 ms each.
const FADING: f32 = 0.997;

/// How alike two periods must be for one to stand for the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Care {
    /// Only where nobody hears it.
    Careful,
    /// In a pause, where there is at most noise.
    Paused,
    /// A joint is better than so much delay.
    Hasty,
}

impl Care {
    fn likeness(self) -> f32 {
        match self {
            Self::Careful => 0.85,
            Self::Paused | Self::Hasty => 0.3,
        }
    }
}

/// Takes one period out of `samples[from..]`; gives how many samples went.
pub(super) fn shorten(samples: &mut Vec<i16>, from: usize, rate: Rate, care: Care) -> usize {
    let Some(period) = period(&samples[from..], rate, care) else {
        return 0;
    };
    for i in 0..period {
        samples[from + i] = blend(samples[from + i], samples[from + period + i], i, period);
    }
    samples.copy_within(from + 2 * period.., from + period);
    samples.truncate(samples.len() - period);
    period
}

/// Puts one more period into `samples[from..]`; gives how many samples came.
pub(super) fn lengthen(samples: &mut Vec<i16>, from: usize, rate: Rate, care: Care) -> usize {
    let Some(period) = period(&samples[from..], rate, care) else {
        return 0;
    };
    let old = samples.len();
    samples.resize(old + period, 0);
    // x[0..p], then the second period fading into the first, then the second one again and all that follows.
    samples.copy_within(from + period..old, from + 2 * period);
    for i in 0..period {
        samples[from + period + i] =
            blend(samples[from + 2 * period + i], samples[from + i], i, period);
    }
    period
}

/// Tells pauses from speech.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    /// The mean square of the loudest sound of late.
    loudest: f32,
    /// How long it has been quiet, on the timeline.
    quiet: i64,
}

impl Pauses {
    /// Whether `samples`, which last so long and follow what came before, are in a pause: nobody would hear a joint.
    pub(super) fn goes_on(&mut self, samples: &[i16], duration: i64) -> bool {
        let energy: f32 = samples.iter().map(|s| f32::from(*s).powi(2)).sum();
        let mean = energy / samples.len().max(1) as f32;
        self.loudest = mean.max(self.loudest * FADING);
        self.quiet = match mean < SILENCE.max(self.loudest * PAUSE) {
            true => self.quiet.saturating_add(duration),
            false => 0,
        };
        self.quiet >= SHORTEST_PAUSE
    }
}

/// From `a` to `b` over `length` samples.
fn blend(a: i16, b: i16, i: usize, length: usize) -> i16 {
    let share = (i as f32 + 0.5) / length as f32;
    (f32::from(a) + (f32::from(b) - f32::from(a)) * share) as i16
}

/// The period of `sound`, where two in a row are alike enough.
fn period(sound: &[i16], rate: Rate, care: Care) -> Option<usize> {
    let factor = rate.hz() as usize / 8_000;
    let mut coarse = [0.0_f32; COARSE];
    let length = (sound.len() / factor).min(COARSE);
    for (slot, chunk) in coarse.iter_mut().zip(sound.chunks_exact(factor)) {
        *slot = chunk.iter().map(|s| f32::from(*s)).sum::<f32>() / factor as f32;
    }
    let coarse = &coarse[..length];
    let longest = LONGEST.min(length / 2);
    if longest < SHORTEST {
        return None;
    }
    let window = length - longest;
    let energy = coarse.iter().map(|s| s * s).sum::<f32>() / length as f32;
    if energy < SILENCE {
        return Some(longest * factor);
    }
    let first = &coarse[..window];
    let (lag, _) = most_alike(first, &coarse[SHORTEST..longest + window])?;
    let (lag, alike) = refine(sound, (SHORTEST + lag) * factor, factor);
    (alike >= care.likeness()).then_some(lag)
}

/// The best lag at full rate within one coarse step.
fn refine(sound: &[i16], lag: usize, factor: usize) -> (usize, f32) {
    let highest = (lag + factor - 1).min(sound.len() / 2);
    let lowest = (lag + 1).saturating_sub(factor).max(1).min(highest);
    let window = (sound.len() - highest).min(WINDOW);
    let mut first = [0.0_f32; WINDOW];
    let mut later = [0.0_f32; WINDOW + 2 * MOST_COARSE];
    let copy = |to: &mut [f32], from: &[i16]| {
        for (a, b) in to.iter_mut().zip(from) {
            *a = f32::from(*b);
        }
    };
    let first = &mut first[..window];
    copy(first, sound);
    copy(&mut later[..window + highest - lowest], &sound[lowest..]);
    most_alike(first, &later[..window + highest - lowest])
        .map_or((lag, 0.0), |(past, alike)| (lowest + past, alike))
}

/// Where in `later` what follows is most like `first`, and how much, −1 to 1: the normalised correlation.
fn most_alike(first: &[f32], later: &[f32]) -> Option<(usize, f32)> {
    let window = first.len();
    let loudness = 1.0 + product(first, first);
    let lags = later.len().checked_sub(window)?;
    // The energy of each stretch is that of the one before it, less the sample that it left and with the one that it
    // reached: a search costs one product a lag, not two. Doubled precision keeps a loud start from hiding a soft end.
    let square = |sample: &f32| f64::from(*sample).powi(2);
    let mut energy: f64 = later[..window].iter().map(square).sum();
    let mut best = None;
    for lag in 0..=lags {
        let second = &later[lag..lag + window];
        let alike = product(first, second) / (loudness * (1.0 + energy.max(0.0) as f32)).sqrt();
        if best.is_none_or(|(_, most)| alike >= most) {
            best = Some((lag, alike));
        }
        if lag < lags {
            energy += square(&later[lag + window]) - square(&later[lag]);
        }
    }
    best
}

/// The sum of products, in lanes of its own each, so that the compiler may use vectors.
fn product(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [0.0_f32; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: Rate, hz: f32, ms: usize) -> Vec<i16> {
        (0..rate.hz() as usize * ms / 1_000)
            .map(|i| {
                let phase = i as f32 * hz * std::f32::consts::TAU / rate.hz() as f32;
                (phase.sin() * 8_000.0 + (2.0 * phase).sin() * 3_000.0) as i16
            })
            .collect()
    }

    fn largest_step(samples: &[i16]) -> i32 {
        samples
            .windows(2)
            .map(|w| (i32::from(w[1]) - i32::from(w[0])).abs())
            .max()
            .unwrap()
    }

    #[test]
    fn a_voiced_sound_loses_or_gains_whole_periods_without_a_click() {
        for rate in Rate::ALL {
            for hz in [110.0, 180.0, 300.0] {
                let original = tone(rate, hz, 30);
                let mut shorter = original.clone();
                let removed = shorten(&mut shorter, 0, rate, Care::Careful);
                let mut longer = original.clone();
                let added = lengthen(&mut longer, 0, rate, Care::Careful);
                assert!(removed > 0 && added > 0, "{rate:?} {hz}");
                assert_eq!(shorter.len() + removed, original.len());
                assert_eq!(longer.len(), original.len() + added);
                let periods = removed as f32 * hz / rate.hz() as f32;
                assert!(
                    (periods - periods.round()).abs() < 0.15,
                    "{rate:?} {hz}: {periods}"
                );
                let limit = largest_step(&original) * 3 / 2 + 200;
                assert!(
                    largest_step(&shorter) <= limit && largest_step(&longer) <= limit,
                    "{rate:?} {hz}"
                );
            }
        }
    }

    #[test]
    fn the_search_finds_what_each_lag_by_itself_would_show() {
        let mut state = 7_u32;
        let mut loud = 20_000.0;
        let sound: Vec<f32> = (0..320)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // From full scale to nearly nothing: what has gone by must leave no trace.
                loud *= 0.97_f32;
                loud * ((state >> 16) as f32 / 65_536.0 - 0.5)
            })
            .collect();
        for (first, later) in [
            (&sound[..200], &sound[20..]),
            (&sound[200..300], &sound[..]),
        ] {
            let by_itself = |lag: usize| {
                let second = &later[lag..lag + first.len()];
                let energies = (1.0 + product(first, first)) * (1.0 + product(second, second));
                product(first, second) / energies.sqrt()
            };
            let lags = 0..=later.len() - first.len();
            let best = lags.max_by(|a, b| by_itself(*a).total_cmp(&by_itself(*b)));
            let (lag, alike) = most_alike(first, later).unwrap();
            assert_eq!(Some(lag), best);
            assert!((alike - by_itself(lag)).abs() < 1e-3, "{alike}");
        }
        assert_eq!(most_alike(&sound, &sound[1..]), None);
    }

    #[test]
    fn what_was_played_already_is_left_alone() {
        let original = tone(Rate::Hz8000, 200.0, 40);
        let mut samples = original.clone();
        shorten(&mut samples, 80, Rate::Hz8000, Care::Careful);
        assert_eq!(samples[..80], original[..80]);
    }

    #[test]
    fn noise_is_left_alone_unless_in_haste_and_silence_always_gives() {
        let mut state = 1_u32;
        let noise: Vec<i16> = (0..240)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 16) as i16) / 4
            })
            .collect();
        assert_eq!(
            shorten(&mut noise.clone(), 0, Rate::Hz8000, Care::Careful),
            0
        );
        assert!(shorten(&mut vec![0; 240], 0, Rate::Hz8000, Care::Careful) > 0);
        for length in 0..60 {
            assert_eq!(
                shorten(&mut vec![0; length.min(39)], 0, Rate::Hz8000, Care::Hasty),
                0
            );
            lengthen(&mut vec![9; length], 0, Rate::Hz48000, Care::Hasty);
        }
    }

    #[test]
    fn a_pause_is_long_and_quieter_than_the_voice_before_it_whatever_the_noise() {
        let rate = Rate::Hz16000;
        let voice = tone(rate, 150.0, 20);
        // 30 dB below the voice, and far above silence.
        let noise: Vec<i16> = voice.iter().map(|s| s / 32).collect();
        let mut pauses = Pauses::default();
        let mut heard = |sound: &[i16], packets: usize| -> usize {
            let packet = 20 * PER_MS;
            let in_pause = (0..packets).filter(|_| pauses.goes_on(sound, packet));
            in_pause.count()
        };
        assert_eq!(heard(&voice, 50), 0);
        // The stop before a consonant.
        assert_eq!(heard(&noise, 5), 0);
        assert_eq!(heard(&voice, 5), 0);
        assert_eq!(heard(&noise, 20), 13);
        assert_eq!(heard(&voice, 1), 0);
    }
}
