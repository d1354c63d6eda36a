//! The arithmetic under the resamplers: Kaiser windows, dot products, rounding.

/// Side lobes 80 dB down, below the 16 bits' noise for any speech level (Kaiser's formula).
pub(crate) const KAISER_BETA: f64 = 7.857;
/// The same formula's product of taps and transition width (as a part of the sampling rate).
pub(crate) const KAISER_TAPS: f64 = 5.02;

/// Returns the Kaiser window at `x`, −1 to 1, zero outside.
pub(crate) fn kaiser(x: f64) -> f64 {
    if x.abs() > 1.0 {
        return 0.0;
    }
    bessel(KAISER_BETA * (1.0 - x * x).sqrt()) / bessel(KAISER_BETA)
}

/// The modified Bessel function of the first kind, order zero, by its power series.
fn bessel(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..40 {
        term *= quarter / f64::from(k * k);
        sum += term;
    }
    sum
}

/// sin(πx)/πx.
pub(crate) fn sinc(x: f64) -> f64 {
    if x.abs() < 1e-9 {
        return 1.0;
    }
    let angle = std::f64::consts::PI * x;
    angle.sin() / angle
}

/// Sums the products of two slices of one length; sixteen lanes, so that the compiler vectorises it.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
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

/// Rounds to the nearest 16-bit sample and clips.
pub(crate) fn to_sample(value: f32) -> i16 {
    (value + 0.5_f32.copysign(value)) as i16
}
