use crate::Rate;

/// 10 ms of mono sound, held inline so that a tick allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    rate: Rate,
    samples: [i16; Rate::Hz48000.samples_per_tick()],
}

impl Frame {
    /// Creates 10 ms of silence.
    pub const fn silence(rate: Rate) -> Self {
        Self {
            rate,
            samples: [0; Rate::Hz48000.samples_per_tick()],
        }
    }

    /// Copies 10 ms out of `samples`; `None` if they are not exactly that many.
    pub fn new(rate: Rate, samples: &[i16]) -> Option<Self> {
        let mut frame = Self::silence(rate);
        if samples.len() != rate.samples_per_tick() {
            return None;
        }
        frame.samples_mut().copy_from_slice(samples);
        Some(frame)
    }

    /// Returns the samples per second.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Returns the samples, exactly 10 ms.
    pub fn samples(&self) -> &[i16] {
        &self.samples[..self.rate.samples_per_tick()]
    }

    /// Returns the samples to be written, exactly 10 ms.
    pub fn samples_mut(&mut self) -> &mut [i16] {
        &mut self.samples[..self.rate.samples_per_tick()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_exactly_ten_milliseconds() {
        assert_eq!(Frame::silence(Rate::Hz8000).samples().len(), 80);
        assert!(Frame::new(Rate::Hz8000, &[1; 80]).is_some());
        assert!(Frame::new(Rate::Hz8000, &[1; 81]).is_none());
    }
}
