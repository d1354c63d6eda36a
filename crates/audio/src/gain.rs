//! Loudness that changes without a click.

use crate::Frame;

/// A factor on samples, which goes to a new value over one tick of 10 ms.
///
/// ```
/// use audio::gain::Gain;
///
/// let mut gain = Gain::from_silence(50);
/// let mut tick = [1_000; 80];
/// gain.apply(&mut tick);
/// assert!(tick[0] < 20 && tick[79] == 500);
/// ```
#[derive(Debug, Clone)]
pub struct Gain {
    now: f32,
    wanted: f32,
}

impl Gain {
    /// Creates a gain that fades in from silence to so many percent, 100 at most.
    pub fn from_silence(percent: u8) -> Self {
        Self {
            now: 0.0,
            wanted: factor(percent),
        }
    }

    /// Goes to so many percent during the next tick, 100 at most; 0 is silence.
    pub fn set(&mut self, percent: u8) {
        self.wanted = factor(percent);
    }

    /// Applies it to one tick.
    pub fn apply(&mut self, samples: &mut [i16]) {
        if self.now == self.wanted {
            return self.apply_constant(samples);
        }
        let (from, change) = (self.now, self.wanted - self.now);
        let count = samples.len() as f32;
        for (index, sample) in samples.iter_mut().enumerate() {
            let factor = from + change * ((index + 1) as f32 / count);
            *sample = (f32::from(*sample) * factor) as i16;
        }
        self.now = self.wanted;
    }

    fn apply_constant(&self, samples: &mut [i16]) {
        if self.now == 0.0 {
            samples.fill(0);
        } else if self.now < 1.0 {
            for sample in samples {
                *sample = (f32::from(*sample) * self.now) as i16;
            }
        }
    }
}

/// Goes from one sound to another within 10 ms; both have the same rate.
pub fn crossfade(from: &Frame, to: &Frame) -> Frame {
    let mut faded = *to;
    let count = from.samples().len() as f32;
    for (index, (sample, before)) in faded
        .samples_mut()
        .iter_mut()
        .zip(from.samples())
        .enumerate()
    {
        let part = (index + 1) as f32 / count;
        let mixed = f32::from(*before) * (1.0 - part) + f32::from(*sample) * part;
        *sample = mixed as i16;
    }
    faded
}

fn factor(percent: u8) -> f32 {
    f32::from(percent.min(100)) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_spread_over_a_tick_and_then_stays() {
        let mut gain = Gain::from_silence(100);
        let mut tick = [10_000; 480];
        gain.apply(&mut tick);
        let steepest = tick.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(steepest <= Some(22), "{steepest:?}");
        let mut tick = [10_000; 480];
        gain.apply(&mut tick);
        assert_eq!(tick, [10_000; 480], "at full level samples are untouched");
        gain.set(0);
        gain.apply(&mut tick);
        assert!(tick[0] > 9_900 && tick[479] == 0);
        gain.apply(&mut tick);
        assert_eq!(tick, [0; 480]);
    }
}
