//! What a block of sound is made of, if it is a tone or two.

use std::f32::consts::TAU;

/// Samples per second.
const RATE: f32 = 8_000.0;
/// 20 ms.
pub(super) const BLOCK: usize = 160;
/// Where single tones are looked for: beeps and special information, in steps that a block tells apart.
const LOWEST: usize = 350;
const STEP: usize = 50;
const BINS: usize = 50;
/// Of these the ones up to 650 Hz, where the tones of exchanges are, which have this share of a block's energy together.
const EXCHANGE_BINS: usize = 7;
const EXCHANGE_SHARE: f32 = 0.9;
/// A sine has this share of a block's energy.
const SHARE: f32 = 0.8;
/// Quieter blocks are silence, in dBov.
pub(super) const SILENCE: f32 = -46.0;

/// Gathers blocks, and finds the sine in each.
#[derive(Debug)]
pub(super) struct Spectrum {
    /// 2 cos ω for each bin.
    coefficients: [f32; BINS],
    samples: Vec<f32>,
}

/// 20 ms of sound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sounds {
    /// In dBov.
    pub(super) level: f32,
    /// The frequency in Hz of the sine that makes up nearly all of it.
    pub(super) sine: Option<f32>,
    /// Nearly all of it is a tone, or where the tones of exchanges are.
    pub(super) tonal: bool,
}

impl Spectrum {
    pub(super) fn new() -> Self {
        let coefficient = |bin: usize| 2.0 * (TAU * (LOWEST + bin * STEP) as f32 / RATE).cos();
        Self {
            coefficients: std::array::from_fn(coefficient),
            samples: Vec::with_capacity(BLOCK + BLOCK / 2 + 8),
        }
    }

    /// Takes 10 ms at 8 kHz, and gives the block that they complete.
    pub(super) fn push(&mut self, samples: &[i16]) -> Option<Sounds> {
        if self.samples.len() >= BLOCK {
            self.samples.drain(..BLOCK);
        }
        let scaled = samples.iter().map(|sample| f32::from(*sample) / 32_768.0);
        self.samples.extend(scaled);
        let block = self.samples.get(..BLOCK)?;
        let energy: f32 = block.iter().map(|sample| sample * sample).sum();
        let level = 10.0 * (energy / BLOCK as f32).max(1e-12).log10();
        if level <= SILENCE {
            return Some(Sounds {
                level,
                sine: None,
                tonal: false,
            });
        }
        let powers = self
            .coefficients
            .map(|coefficient| goertzel(block, coefficient));
        let sine = sine(block, &powers, energy);
        // Steps of one over the block's length, so that their powers add up to its energy.
        let low: f32 = powers[..EXCHANGE_BINS].iter().sum();
        let tonal = sine.is_some() || 2.0 * low > EXCHANGE_SHARE * energy * BLOCK as f32;
        Some(Sounds { level, sine, tonal })
    }

    /// The samples of the block that was given last.
    pub(super) fn samples(&self) -> &[f32] {
        &self.samples[..BLOCK]
    }
}

fn sine(block: &[f32], powers: &[f32], energy: f32) -> Option<f32> {
    let compare = |(_, one): &(usize, &f32), (_, other): &(usize, &f32)| one.total_cmp(other);
    let (bin, power) = powers.iter().enumerate().max_by(compare)?;
    // Half a step beside the tone it still has 0.4 of its power.
    if 2.0 * power < 0.3 * energy * BLOCK as f32 {
        return None;
    }
    // How far the phase moves from one half to the other tells the true frequency.
    let guess = (LOWEST + bin * STEP) as f32;
    let (first, second) = block.split_at(BLOCK / 2);
    let (a, b) = transform(first, guess);
    let (c, d) = transform(second, guess);
    let expected = TAU * guess * (BLOCK / 2) as f32 / RATE;
    let moved = (d * a - c * b).atan2(c * a + d * b);
    let off = (moved + expected) / TAU;
    let hz = guess + (off - off.round()) * RATE / (BLOCK / 2) as f32;
    let (re, im) = transform(block, hz);
    let share = 2.0 * (re * re + im * im) / (energy * BLOCK as f32);
    (share > SHARE).then_some(hz)
}

fn goertzel(samples: &[f32], coefficient: f32) -> f32 {
    let (mut last, mut before) = (0.0_f32, 0.0_f32);
    for sample in samples {
        let next = sample + coefficient * last - before;
        before = last;
        last = next;
    }
    last * last + before * before - coefficient * last * before
}

fn transform(samples: &[f32], hz: f32) -> (f32, f32) {
    let (sin, cos) = (TAU * hz / RATE).sin_cos();
    let (mut re, mut im) = (0.0, 0.0);
    let (mut x, mut y) = (1.0_f32, 0.0_f32);
    for sample in samples {
        re += sample * x;
        im -= sample * y;
        (x, y) = (x * cos - y * sin, x * sin + y * cos);
    }
    (re, im)
}

/// Where the tones of exchanges are: 350 to 620 Hz, with room on both sides.
const BAND: std::ops::RangeInclusive<f32> = 320.0..=660.0;
/// What belongs to one tone, on either side: also the beats of a tone that is modulated with 16 to 25 Hz.
const WIDTH: f32 = 26.0;
/// The second tone of two may be so much weaker, in power.
const WEAKER: f32 = 0.08;
/// One tone, or two, make up this share of the whole.
const TONAL: f32 = 0.75;

/// The tone or the two of an exchange that make up some 100 ms or more; none if it is something else.
pub(super) fn exchange_tones(samples: &[f32]) -> Option<Tones> {
    let length = samples.len() as f32;
    let window = |index: usize| 0.5 - 0.5 * (TAU * (index as f32 + 0.5) / length).cos();
    let windowed: Vec<f32> = samples
        .iter()
        .enumerate()
        .map(|(index, sample)| sample * window(index))
        .collect();
    let energy: f32 = windowed.iter().map(|sample| sample * sample).sum();
    let spacing = RATE / length;
    let lowest = (BAND.start() / spacing).ceil() as usize;
    let bins = ((BAND.end() - BAND.start()) / spacing) as usize;
    let hz = |bin: usize| (lowest + bin) as f32 * spacing;
    let mut powers: Vec<f32> = (0..bins)
        .map(|bin| goertzel(&windowed, 2.0 * (TAU * hz(bin) / RATE).cos()))
        .collect();
    let first = take_peak(&mut powers, hz)?;
    let second = take_peak(&mut powers, hz).filter(|peak| peak.power > WEAKER * first.power);
    let together = first.power + second.map_or(0.0, |peak| peak.power);
    // Parseval: half of the energy is at the negative frequencies.
    let share = 2.0 * together / (energy * length);
    if share < TONAL {
        return None;
    }
    let mut frequencies = vec![first.hz];
    frequencies.extend(second.map(|peak| peak.hz));
    frequencies.sort_by(f32::total_cmp);
    Some(Tones(frequencies))
}

/// Frequencies in Hz, the lower first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tones(pub(super) Vec<f32>);

#[derive(Debug, Clone, Copy)]
struct Peak {
    hz: f32,
    power: f32,
}

/// The strongest peak with its surroundings, which are emptied.
fn take_peak(powers: &mut [f32], hz: impl Fn(usize) -> f32) -> Option<Peak> {
    let (top, _) = powers
        .iter()
        .enumerate()
        .max_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let (mut power, mut moment) = (0.0, 0.0);
    for (bin, value) in powers.iter_mut().enumerate() {
        if (hz(bin) - hz(top)).abs() <= WIDTH {
            power += *value;
            moment += *value * hz(bin);
            *value = 0.0;
        }
    }
    (power > 0.0).then(|| Peak {
        hz: moment / power,
        power,
    })
}
