//! How alike two stretches of sound are.

use std::ops::RangeInclusive;

/// The normalised correlation of two stretches, −1 to 1; 0 if one of them is silent.
pub(super) fn likeness(a: &[f32], b: &[f32], step: usize) -> f32 {
    let (mut product, mut energies) = (0.0_f32, (1.0_f32, 1.0_f32));
    for (a, b) in a.iter().zip(b).step_by(step) {
        product += a * b;
        energies.0 += a * a;
        energies.1 += b * b;
    }
    product / (energies.0 * energies.1).sqrt()
}

/// Finds the value at which `likeness` (of a value, comparing every so-many-th sample) is greatest: coarse, then fine.
pub(super) fn most_alike(
    values: RangeInclusive<usize>,
    likeness: impl Fn(usize, usize) -> f32,
) -> (usize, f32) {
    let best = |among: RangeInclusive<usize>, stride: usize, step: usize| {
        let least = *among.start();
        among
            .step_by(stride)
            .map(|value| (value, likeness(value, step)))
            .max_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((least, 0.0))
    };
    let (coarse, _) = best(values.clone(), 2, 2);
    let near = coarse.saturating_sub(2).max(*values.start())..=(coarse + 2).min(*values.end());
    best(near, 1, 1)
}
