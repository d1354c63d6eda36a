//! From one sampling rate to another, 10 ms at a time.

use crate::resample::Resampler;
use crate::{Frame, Rate};

/// Converts frames; its resampler is made when rates differ, and again when they change.
#[derive(Debug, Default)]
pub struct RateConverter {
    resampler: Option<(Rate, Rate, Resampler)>,
    short: bool,
    converted: Vec<i16>,
}

impl RateConverter {
    /// Converts at a quarter of the cost and less well, or as well as it can again.
    pub fn set_short(&mut self, short: bool) {
        self.short = short;
        if let Some((_, _, resampler)) = &mut self.resampler {
            resampler.set_short(short);
        }
    }

    /// Gives the same 10 ms at `rate`.
    pub fn convert(&mut self, frame: &Frame, rate: Rate) -> Frame {
        let from = frame.rate();
        if from == rate {
            return *frame;
        }
        let fits = |known: &(Rate, Rate, Resampler)| (known.0, known.1) == (from, rate);
        if !self.resampler.as_ref().is_some_and(fits) {
            let mut resampler = Resampler::new(from, rate);
            resampler.set_short(self.short);
            self.resampler = Some((from, rate, resampler));
            self.converted.clear();
        }
        let mut out = Frame::silence(rate);
        if let Some((_, _, resampler)) = &mut self.resampler {
            resampler.process(frame.samples(), &mut self.converted);
            let count = self.converted.len().min(out.samples().len());
            out.samples_mut()[..count].copy_from_slice(&self.converted[..count]);
            self.converted.drain(..count);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::is_tone;
    use crate::tone::{Generator, Sequence};

    #[test]
    fn a_tone_is_the_same_tone_at_every_rate() {
        for from in Rate::ALL {
            for to in Rate::ALL {
                let mut converter = RateConverter::default();
                let mut tone = Generator::new(Sequence::sine(1_000.0, -12.0, None), from);
                let mut heard = Vec::new();
                for _ in 0..20 {
                    let mut frame = Frame::silence(from);
                    tone.fill(frame.samples_mut());
                    heard.extend_from_slice(converter.convert(&frame, to).samples());
                }
                let settled = to.samples_per_tick() * 4;
                assert!(
                    is_tone(&heard[settled..], to, 1_000.0),
                    "{from:?} to {to:?}"
                );
            }
        }
    }
}
