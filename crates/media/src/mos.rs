//! Mean opinion score by the E-model (ITU-T G.107), from what a receiver measures.

use crate::codec::Codec;

/// What is measured over a while.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Conditions {
    /// From mouth to ear, in milliseconds.
    pub delay_ms: f64,
    /// Sound that was lost or came too late to be played, in percent.
    pub loss_pct: f64,
}

/// The mean opinion score, 1 to 4.5, that people would give.
pub fn score(codec: Codec, conditions: Conditions) -> f64 {
    from_rating(rating(codec, conditions))
}

/// The rating R (G.107 §7.1) with default values for all that is not measured.
fn rating(codec: Codec, conditions: Conditions) -> f64 {
    const BASIC: f64 = 93.2;
    let delay = conditions.delay_ms.clamp(0.0, 10_000.0);
    let loss = conditions.loss_pct.clamp(0.0, 100.0);
    // The usual approximation of G.107 §7.4 for an echo-free line.
    let by_delay = 0.024 * delay + 0.11 * (delay - 177.3).max(0.0);
    let (equipment, robustness) = impairment(codec);
    let by_loss = equipment + (95.0 - equipment) * loss / (loss + robustness);
    BASIC - by_delay - by_loss
}

/// Ie and Bpl (G.113 appendix I): G.711 with concealment as listed; wideband codecs count no worse than G.711, and Opus
/// bears loss better because its packets carry copies.
fn impairment(codec: Codec) -> (f64, f64) {
    match codec {
        Codec::Opus => (0.0, 34.0),
        Codec::G722 => (0.0, 20.0),
        Codec::Pcmu | Codec::Pcma => (0.0, 25.1),
    }
}

/// G.107 annex B.
fn from_rating(r: f64) -> f64 {
    match r {
        r if r <= 0.0 => 1.0,
        r if r >= 100.0 => 4.5,
        r => (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).clamp(1.0, 4.5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(delay_ms: f64, loss_pct: f64) -> f64 {
        score(Codec::Pcmu, Conditions { delay_ms, loss_pct })
    }

    #[test]
    fn the_known_points_of_the_model_are_met() {
        assert!((at(0.0, 0.0) - 4.41).abs() < 0.01);
        assert!((at(150.0, 0.0) - 4.33).abs() < 0.02);
        assert!((at(400.0, 0.0) - 3.06).abs() < 0.1);
    }

    #[test]
    fn it_only_gets_worse_and_stays_in_bounds() {
        for loss in 0..100 {
            assert!(at(20.0, f64::from(loss)) > at(20.0, f64::from(loss) + 1.0) - 1e-9);
        }
        assert_eq!(at(f64::INFINITY, 100.0), 1.0);
        assert!(at(0.0, -5.0) <= 4.5);
    }
}
