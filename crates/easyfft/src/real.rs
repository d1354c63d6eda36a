use std::fmt;
use std::ops::{Deref, MulAssign};

use num_complex::Complex;
use sonora_fft::pffft::{FftType, Pffft, PffftBuffer};

/// A signal that can be transformed.
pub trait DynRealFft<T> {
    /// Transforms it, unscaled; panics if its length is not the one that `output` was made for.
    fn real_fft_using(&self, output: &mut DynRealDft<T>);
}

/// A transform that can be made a signal again.
pub trait DynRealIfft<T> {
    /// Makes the signal, so many times as loud as it is long; panics if `output` is not as long as that.
    fn real_ifft_using(&mut self, output: &mut [T]);
}

/// The bins of a real signal's transform, from the offset to the highest frequency.
#[derive(Clone)]
pub struct DynRealDft<T> {
    bins: Box<[Complex<T>]>,
    transform: Pffft,
    signal: PffftBuffer,
    /// The offset, then both parts of each bin, then the real part of the last.
    packed: PffftBuffer,
}

impl DynRealDft<f32> {
    /// Creates it of the offset and the other bins; panics if they are not those of a signal of that length.
    pub fn new(offset: f32, frequency_bins: &[Complex<f32>], original_length: usize) -> Self {
        assert_eq!(original_length / 2, frequency_bins.len());
        let transform = Pffft::new(original_length, FftType::Real);
        let bins = std::iter::once(Complex::new(offset, 0.0)).chain(frequency_bins.iter().copied());
        Self {
            bins: bins.collect(),
            signal: transform.create_buffer(),
            packed: transform.create_buffer(),
            transform,
        }
    }
}

impl<T> DynRealDft<T> {
    /// The sum of all samples.
    pub fn get_offset(&self) -> &T {
        &self.bins[0].re
    }

    /// The sum of all samples, to change.
    pub fn get_offset_mut(&mut self) -> &mut T {
        &mut self.bins[0].re
    }

    /// The bins between the offset and the highest frequency.
    pub fn get_frequency_bins(&self) -> &[Complex<T>] {
        let last = self.bins.len() - 1;
        &self.bins[1..last]
    }

    /// The bins between the offset and the highest frequency, to change.
    pub fn get_frequency_bins_mut(&mut self) -> &mut [Complex<T>] {
        let last = self.bins.len() - 1;
        &mut self.bins[1..last]
    }
}

impl DynRealFft<f32> for [f32] {
    fn real_fft_using(&self, output: &mut DynRealDft<f32>) {
        let DynRealDft {
            bins,
            transform,
            signal,
            packed,
        } = output;
        signal.as_mut_slice().copy_from_slice(self);
        transform.forward(signal, packed, false);
        unpack(packed.as_slice(), bins);
    }
}

impl DynRealIfft<f32> for DynRealDft<f32> {
    fn real_ifft_using(&mut self, output: &mut [f32]) {
        pack(&self.bins, self.packed.as_mut_slice());
        self.transform
            .backward(&self.packed, &mut self.signal, false);
        output.copy_from_slice(self.signal.as_slice());
    }
}

fn unpack(packed: &[f32], bins: &mut [Complex<f32>]) {
    let last = packed.len() - 1;
    bins[0] = Complex::new(packed[0], 0.0);
    for (bin, parts) in bins[1..].iter_mut().zip(packed[1..last].chunks_exact(2)) {
        *bin = Complex::new(parts[0], parts[1]);
    }
    bins[packed.len() / 2] = Complex::new(packed[last], 0.0);
}

fn pack(bins: &[Complex<f32>], packed: &mut [f32]) {
    let last = packed.len() - 1;
    packed[0] = bins[0].re;
    for (bin, parts) in bins[1..].iter().zip(packed[1..last].chunks_exact_mut(2)) {
        parts.copy_from_slice(&[bin.re, bin.im]);
    }
    packed[last] = bins[packed.len() / 2].re;
}

impl<T> Deref for DynRealDft<T> {
    type Target = [Complex<T>];

    fn deref(&self) -> &Self::Target {
        &self.bins
    }
}

impl MulAssign<f32> for DynRealDft<f32> {
    fn mul_assign(&mut self, factor: f32) {
        for bin in &mut self.bins {
            *bin *= factor;
        }
    }
}

impl MulAssign<&[f32]> for DynRealDft<f32> {
    fn mul_assign(&mut self, factors: &[f32]) {
        assert_eq!(self.bins.len(), factors.len());
        for (bin, factor) in self.bins.iter_mut().zip(factors) {
            *bin *= factor;
        }
    }
}

impl<T> fmt::Debug for DynRealDft<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynRealDft")
            .field("bins", &self.bins.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    const LENGTH: usize = 960;

    fn signal() -> Vec<f32> {
        let sample = |at: usize| ((at * at * 31 + at * 17) % 2003) as f32 - 1001.0;
        (0..LENGTH).map(sample).collect()
    }

    fn transformed(signal: &[f32]) -> DynRealDft<f32> {
        let mut bins = DynRealDft::new(0.0, &[Complex::default(); LENGTH / 2], LENGTH);
        signal.real_fft_using(&mut bins);
        bins
    }

    #[test]
    fn each_bin_is_the_sum_that_defines_it() {
        let signal = signal();
        let bins = transformed(&signal);
        assert_eq!(bins.len(), LENGTH / 2 + 1);
        let loudest = bins.iter().map(|bin| bin.l1_norm()).fold(0.0, f32::max);
        for (number, bin) in bins.iter().enumerate() {
            let (mut re, mut im) = (0.0_f64, 0.0_f64);
            for (at, sample) in signal.iter().enumerate() {
                let angle = TAU * (number * at % LENGTH) as f64 / LENGTH as f64;
                re += f64::from(*sample) * angle.cos();
                im -= f64::from(*sample) * angle.sin();
            }
            let wrong = (f64::from(bin.re) - re).hypot(f64::from(bin.im) - im);
            assert!(
                wrong < f64::from(loudest) * 1e-5,
                "bin {number}: {wrong} of {loudest}"
            );
        }
    }

    #[test]
    fn a_transform_is_the_signal_again_as_many_times_as_loud_as_it_is_long() {
        let signal = signal();
        let mut back = vec![0.0; LENGTH];
        transformed(&signal).real_ifft_using(&mut back);
        for (at, (was, is)) in signal.iter().zip(&back).enumerate() {
            assert!(
                (was - is / LENGTH as f32).abs() < 0.01,
                "sample {at}: {was} is {is}"
            );
        }
    }

    #[test]
    fn what_is_done_to_bins_is_heard() {
        let signal = signal();
        let mut bins = transformed(&signal);
        bins *= 0.5;
        *bins.get_offset_mut() = 0.0;
        assert_eq!(bins.get_frequency_bins().len(), LENGTH / 2 - 1);
        for bin in &mut bins.get_frequency_bins_mut()[9..] {
            *bin = Complex::default();
        }
        let mut factors = [1.0; LENGTH / 2 + 1];
        factors[LENGTH / 2] = 0.0;
        bins *= &factors[..];
        let mut low = vec![0.0; LENGTH];
        bins.real_ifft_using(&mut low);
        let again = transformed(&low);
        assert!(again.get_offset().abs() < 1.0);
        let before = transformed(&signal);
        for (number, (before, after)) in before.iter().zip(again.iter()).enumerate().skip(1) {
            let kept = if number < 10 {
                LENGTH as f32 / 2.0
            } else {
                0.0
            };
            assert!(
                (before * kept - after).l1_norm() < 1e6 * 0.05,
                "bin {number}"
            );
        }
    }

    #[test]
    #[should_panic(expected = "source slice length")]
    fn a_signal_of_another_length_is_refused() {
        let mut bins = transformed(&signal());
        [0.0_f32; 32].real_fft_using(&mut bins);
    }
}
