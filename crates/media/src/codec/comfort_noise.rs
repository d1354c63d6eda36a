//! Comfort noise (RFC 3389): a few bytes say how a pause sounds, in place of packets.
//!
//! ```text
//! pause ─► NoiseMeter ─► level, reflection coefficients ┄ network ┄► ComfortNoise ─► playout
//! ```

use super::prediction::{WhiteNoise, autocorrelate, levinson};
use audio::Rate;

/// RFC 3389 §3.1: the level is told in decibels below overload, of which this is the root mean square.
const OVERLOAD: f32 = 32_767.0;
const QUIETEST: f32 = 127.0;
/// RFC 3389 §3.2: a coefficient is 258 · (octet − 127) / 32768.
const COEFFICIENT: f32 = 258.0 / 32_768.0;
const ZERO: f32 = 127.0;
/// A coefficient nearer to 1 would be a whistle.
const STEEPEST: f32 = 0.98;
/// What is told of the spectrum; a room has no finer one.
const ORDER: usize = 8;
/// Of what a peer tells, so many coefficients are used.
const MOST: usize = 16;
/// How much of what was known before a frame remains: background changes slowly.
const SMOOTH: f32 = 0.8;
/// The part of the way to another noise that is gone in each 10 ms, lest it be heard as a step.
const APPROACH: f32 = 0.25;

/// What a payload says, or is to say.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseDescription {
    /// Its root mean square, in samples of 16 bits.
    loudness: f32,
    reflections: [f32; MOST],
}

impl NoiseDescription {
    /// Reads a payload; `None` if it is empty.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let (level, coefficients) = payload.split_first()?;
        let mut reflections = [0.0; MOST];
        for (reflection, octet) in reflections.iter_mut().zip(coefficients) {
            let told = (f32::from(*octet) - ZERO) * COEFFICIENT;
            *reflection = told.clamp(-STEEPEST, STEEPEST);
        }
        let below = f32::from(level & 0x7f);
        let loudness = match below >= QUIETEST {
            true => 0.0,
            false => OVERLOAD * 10.0_f32.powf(-below / 20.0),
        };
        Some(Self {
            loudness,
            reflections,
        })
    }

    /// Decibels below overload, 0 to 127.
    pub fn level(&self) -> u8 {
        let below = -20.0 * (self.loudness / OVERLOAD).max(1e-9).log10();
        below.round().clamp(0.0, QUIETEST) as u8
    }

    /// Replaces `payload` by what is told of it.
    pub fn write(&self, payload: &mut Vec<u8>) {
        payload.clear();
        payload.push(self.level());
        let told = self.reflections[..ORDER].iter();
        payload.extend(told.map(|k| (k / COEFFICIENT + ZERO).round().clamp(0.0, 254.0) as u8));
    }
}

/// Measures the noise of a pause.
#[derive(Debug, Default)]
pub struct NoiseMeter {
    /// Smoothed, by sample.
    correlation: Option<[f32; ORDER + 1]>,
}

impl NoiseMeter {
    /// Takes a frame of it.
    pub fn add(&mut self, frame: &[i16]) {
        let sound: Vec<f32> = frame.iter().map(|sample| f32::from(*sample)).collect();
        let mut measured = [0.0; ORDER + 1];
        autocorrelate(&sound, &mut measured);
        let by_sample = |r: &f32| r / sound.len().max(1) as f32;
        match &mut self.correlation {
            Some(known) => {
                for (known, measured) in known.iter_mut().zip(&measured) {
                    *known = *known * SMOOTH + by_sample(measured) * (1.0 - SMOOTH);
                }
            }
            None => {
                let mut first = [0.0; ORDER + 1];
                first
                    .iter_mut()
                    .zip(&measured)
                    .for_each(|(to, r)| *to = by_sample(r));
                self.correlation = Some(first);
            }
        }
    }

    /// What is to be told of it; of nothing, silence.
    pub fn describe(&self) -> NoiseDescription {
        let correlation = self.correlation.unwrap_or_default();
        let told = levinson(&correlation).reflections;
        let mut reflections = [0.0; MOST];
        reflections[..ORDER].copy_from_slice(&told[..ORDER]);
        NoiseDescription {
            loudness: correlation[0].max(0.0).sqrt(),
            reflections,
        }
    }
}

/// Sounds like what a peer says its pause sounds like.
#[derive(Debug)]
pub struct ComfortNoise {
    wanted: NoiseDescription,
    now: NoiseDescription,
    /// What goes back through the lattice.
    lattice: [f32; MOST],
    noise: WhiteNoise,
}

impl ComfortNoise {
    /// Begins with this.
    pub fn new(description: NoiseDescription) -> Self {
        Self {
            now: description.clone(),
            wanted: description,
            lattice: [0.0; MOST],
            noise: WhiteNoise::new(),
        }
    }

    /// Goes over to this.
    pub fn change(&mut self, description: NoiseDescription) {
        self.wanted = description;
    }

    /// Appends so much of it at `rate`.
    pub fn play(&mut self, samples: usize, rate: Rate, out: &mut Vec<i16>) {
        let mut left = samples;
        while left > 0 {
            let part = left.min(rate.samples_per_tick());
            self.approach();
            let passes: f32 = self.now.reflections.iter().map(|k| 1.0 - k * k).product();
            let gain = self.now.loudness * passes.sqrt();
            out.extend((0..part).map(|_| self.next(gain) as i16));
            left -= part;
        }
    }

    /// A lattice is stable whatever its coefficients, also with rounded sums.
    fn next(&mut self, gain: f32) -> f32 {
        let mut forth = self.noise.next() * gain;
        for at in (0..MOST).rev() {
            let reflection = self.now.reflections[at];
            forth -= reflection * self.lattice[at];
            let back = self.lattice[at] + reflection * forth;
            if let Some(next) = self.lattice.get_mut(at + 1) {
                *next = back;
            }
        }
        self.lattice[0] = forth;
        forth
    }

    fn approach(&mut self) {
        let step = |now: &mut f32, wanted: f32| *now += (wanted - *now) * APPROACH;
        step(&mut self.now.loudness, self.wanted.loudness);
        let reflections = self.now.reflections.iter_mut();
        for (now, wanted) in reflections.zip(self.wanted.reflections) {
            step(now, wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rms(samples: &[i16]) -> f32 {
        let power: f32 = samples.iter().map(|s| f32::from(*s).powi(2)).sum();
        (power / samples.len() as f32).sqrt()
    }

    fn played(payload: &[u8], rate: Rate) -> Vec<i16> {
        let mut noise = ComfortNoise::new(NoiseDescription::read(payload).unwrap());
        let mut out = Vec::new();
        noise.play(rate.hz() as usize, rate, &mut out);
        out
    }

    /// The share of the power that is in the differences of neighbours: near 2 for white noise, 0 for deep.
    fn brightness(samples: &[i16]) -> f32 {
        let steps: Vec<i16> = samples
            .windows(2)
            .map(|w| w[1].saturating_sub(w[0]))
            .collect();
        rms(&steps).powi(2) / rms(samples).powi(2)
    }

    #[test]
    fn it_is_as_loud_as_the_payload_says_whatever_its_spectrum() {
        for rate in [Rate::Hz8000, Rate::Hz16000] {
            for payload in [&[50][..], &[50, 20, 180], &[50, 0, 127, 230, 100]] {
                let below = -20.0 * (rms(&played(payload, rate)) / OVERLOAD).log10();
                assert!((below - 50.0).abs() < 2.0, "{payload:?}: {below}");
            }
        }
        assert_eq!(rms(&played(&[127], Rate::Hz8000)), 0.0);
        assert_eq!(rms(&played(&[255, 3], Rate::Hz8000)), 0.0);
    }

    #[test]
    fn what_is_measured_sounds_like_what_it_was_measured_of() {
        for coefficients in [&[127_u8][..], &[20, 140], &[235]] {
            let original = played(&[&[45], coefficients].concat(), Rate::Hz8000);
            let mut meter = NoiseMeter::default();
            original.chunks(160).for_each(|frame| meter.add(frame));
            let mut payload = Vec::new();
            meter.describe().write(&mut payload);
            assert!(payload[0].abs_diff(45) <= 2, "{payload:?}");
            let again = brightness(&played(&payload, Rate::Hz8000));
            let once = brightness(&original);
            assert!((again / once).log10().abs() < 0.1, "{once} {again}");
        }
    }

    #[test]
    fn silence_is_told_as_such() {
        let mut meter = NoiseMeter::default();
        meter.add(&[0; 160]);
        let mut payload = Vec::new();
        meter.describe().write(&mut payload);
        assert_eq!(payload, [127, 127, 127, 127, 127, 127, 127, 127, 127]);
    }

    #[test]
    fn another_noise_is_approached() {
        let mut noise = ComfortNoise::new(NoiseDescription::read(&[70]).unwrap());
        noise.change(NoiseDescription::read(&[30]).unwrap());
        let mut out = Vec::new();
        noise.play(8_000, Rate::Hz8000, &mut out);
        assert!(rms(&out[..80]) < rms(&out[80..160]));
        assert!(rms(&out[80..160]) < rms(&out[4_000..]));
    }

    #[test]
    fn no_payload_is_unstable() {
        assert!(NoiseDescription::read(&[]).is_none());
        for octet in 0..=255 {
            let loud = played(&[&[0][..], &[octet; 40]].concat(), Rate::Hz16000);
            assert_eq!(loud.len(), 16_000);
            let still = played(&[&[60][..], &[octet; 40]].concat(), Rate::Hz16000);
            assert!(rms(&still) < 200.0, "{octet}: {}", rms(&still));
        }
    }
}
