//! Linear prediction: the spectrum of a stretch of sound as a filter.

/// The most coefficients that are used: two for each kilohertz of what is sampled at 16 kHz.
pub(super) const MOST: usize = 32;

/// What Levinson's recursion finds; what is beyond the order is 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prediction {
    pub(super) reflections: [f32; MOST],
    /// Without its leading 1.
    pub(super) predictor: [f32; MOST],
}

/// The best prediction from an autocorrelation, of one less coefficients than that has values.
pub(super) fn levinson(correlation: &[f32]) -> Prediction {
    let mut found = Prediction {
        reflections: [0.0; MOST],
        predictor: [0.0; MOST],
    };
    let order = correlation.len().saturating_sub(1).min(MOST);
    let mut error = correlation.first().copied().unwrap_or(0.0);
    for at in 0..order {
        let known = found.predictor[..at].iter();
        let values = correlation[1..=at].iter().rev();
        let sum: f32 = known.zip(values).map(|(a, r)| a * r).sum();
        let reflection = match error > 0.0 {
            true => -(correlation[at + 1] + sum) / error,
            false => 0.0,
        };
        step_up(&mut found.predictor[..=at], reflection);
        found.reflections[at] = reflection;
        error *= 1.0 - reflection * reflection;
    }
    found
}

/// Raises the order of a predictor by one; its last place is free.
fn step_up(predictor: &mut [f32], reflection: f32) {
    let order = predictor.len() - 1;
    for near in 0..order.div_ceil(2) {
        let far = order - 1 - near;
        let (a, b) = (predictor[near], predictor[far]);
        predictor[far] = b + reflection * a;
        predictor[near] = a + reflection * b;
    }
    predictor[order] = reflection;
}

/// Fills `values` with how alike a stretch is to itself, that many samples later.
pub(super) fn autocorrelate(sound: &[f32], values: &mut [f32]) {
    for (lag, value) in values.iter_mut().enumerate() {
        let later = sound.iter().skip(lag);
        *value = later.zip(sound).map(|(a, b)| a * b).sum();
    }
}

/// White noise without a pattern that the ear would know (the generator of Numerical Recipes).
#[derive(Clone, Copy, Debug)]
pub(super) struct WhiteNoise(u32);

impl WhiteNoise {
    pub(super) fn new() -> Self {
        Self(1)
    }

    /// The next sample; their root mean square is 1.
    pub(super) fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Uniform noise has √12 times its root mean square from end to end.
        ((self.0 >> 8) as f32 / (1 << 24) as f32 - 0.5) * 12.0_f32.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_predicted_is_what_comes_and_the_filter_is_stable() {
        let sound: Vec<f32> = (0..400)
            .map(|n| (n as f32 * 0.3).sin() + 0.5 * (n as f32 * 1.1).cos())
            .collect();
        let mut correlation = [0.0; 11];
        autocorrelate(&sound, &mut correlation);
        let found = levinson(&correlation);
        let wrong: f32 = (10..400)
            .map(|at| {
                let before = sound[at - 10..at].iter().rev();
                let predicted: f32 = found.predictor.iter().zip(before).map(|(a, s)| a * s).sum();
                (sound[at] + predicted).powi(2)
            })
            .sum();
        assert!(wrong < correlation[0] / 100.0, "{wrong} {}", correlation[0]);
        assert!(found.reflections.iter().all(|k| k.abs() < 1.0));
    }

    #[test]
    fn silence_has_a_prediction_too() {
        assert_eq!(levinson(&[0.0; 9]).predictor, [0.0; MOST]);
        assert_eq!(levinson(&[]).predictor, [0.0; MOST]);
    }

    #[test]
    fn white_noise_is_as_loud_as_it_says() {
        let mut noise = WhiteNoise::new();
        let power: f32 = (0..10_000).map(|_| noise.next().powi(2)).sum();
        assert!((power / 10_000.0 - 1.0).abs() < 0.05);
    }
}
