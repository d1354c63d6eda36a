//! Stands in for the `easyfft` crate, of which `nnnoiseless` needs one thing: the transform of a window of 960
//! samples, and its inverse. The crate itself brings `rustfft`, whose code for windows of any length is 1 MB of
//! the addon; this one takes the transform that the echo canceller brings along anyway.
//!
//! `[patch.crates-io]` in `Cargo.toml` puts it there. Names and panics are those of `easyfft`; what `nnnoiseless`
//! does not use is left out.
//!
//! ```
//! use easyfft::{dyn_size::realfft::DynRealDft, num_complex::Complex32, prelude::*};
//!
//! let signal = [1.0_f32; 32];
//! let mut bins = DynRealDft::new(0.0, &[Complex32::default(); 16], 32);
//! signal.real_fft_using(&mut bins);
//! assert_eq!(*bins.get_offset(), 32.0);
//! ```

#![forbid(unsafe_code)]

mod real;

pub use num_complex;

/// Transforms whose size is known only while the program runs.
pub mod dyn_size {
    /// Of signals that are real.
    pub mod realfft {
        pub use crate::real::{DynRealDft, DynRealFft, DynRealIfft};
    }
}

/// The traits, to be imported at once.
pub mod prelude {
    pub use crate::real::{DynRealFft, DynRealIfft};
}
