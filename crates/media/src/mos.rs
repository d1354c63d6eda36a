//! Mean opinion score of a conversation by the E-model (ITU-T G.107; G.107.1 for wideband codecs), from what a receiver
//! measures. What it can't measure has the default values of G.107 §7.7.

use crate::codec::Codec;

/// Basic signal-to-noise ratio less what is impaired at the same time as the voice, Ro − Is, with default values.
const NARROWBAND: f64 = RO - 1.41;
/// Ro with default values (G.107 §7.2).
const RO: f64 = 94.77;
/// The same of wideband (G.107.1 §7.2), on whose scale 129 is the best.
const WIDEBAND: f64 = 129.0;
/// The talker's echo is so much quieter than the talker, and the listener's than the voice, in dB (G.107, table 2).
const TELR: f64 = 65.0;
const WEPL: f64 = 110.0;
/// Beyond that a longer gap sounds no worse, and a gap over the whole of what is measured has no measure.
const MOST_BURSTY: f64 = 8.0;

/// What is measured over a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditions {
    /// From mouth to ear, in milliseconds.
    pub delay_ms: f64,
    /// Sound that was lost or came too late and had to be invented, in percent.
    pub loss_pct: f64,
    /// How many times longer gaps are than they would be with losses at random (BurstR): 1 or more.
    pub burst_ratio: f64,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            delay_ms: 0.0,
            loss_pct: 0.0,
            burst_ratio: 1.0,
        }
    }
}

/// The mean opinion score, 1 to 4.5, that people would give.
pub fn score(codec: Codec, conditions: Conditions) -> f64 {
    from_rating(rating(codec, conditions))
}

/// The rating R, 0 to 100; that of wideband is divided by 1.29 for it (G.107.1 annex A).
fn rating(codec: Codec, conditions: Conditions) -> f64 {
    let delay = conditions.delay_ms.clamp(0.0, 10_000.0);
    let equipment = Equipment::of(codec);
    let by_loss = equipment.impairment(conditions.loss_pct, conditions.burst_ratio);
    match codec {
        Codec::Pcmu | Codec::Pcma => NARROWBAND - by_delay(delay) - by_loss,
        // No delay impairs by as much as is left out of 129.
        Codec::Opus | Codec::G722 => {
            (WIDEBAND - (by_delay(delay) - by_delay(0.0)) - by_loss) * 100.0 / WIDEBAND
        }
    }
}

/// Id = Idte + Idle + Idd (G.107 §7.4), for a path as long in both directions.
fn by_delay(t: f64) -> f64 {
    talker_echo(t) + listener_echo(2.0 * t) + absolute_delay(t)
}

fn talker_echo(t: f64) -> f64 {
    let loudness =
        TELR - 40.0 * ((1.0 + t / 10.0) / (1.0 + t / 150.0)).log10() + 6.0 * (-0.3 * t * t).exp();
    let half = (RO - (80.0 + 2.5 * (loudness - 14.0))) / 2.0;
    ((half * half + 100.0).sqrt() + half - 1.0) * (1.0 - (-t).exp())
}

fn listener_echo(round_trip: f64) -> f64 {
    let half = (RO - 10.5 * (WEPL + 7.0) * (round_trip + 1.0).powf(-0.25)) / 2.0;
    half + (half * half + 169.0).sqrt()
}

/// That answers come late, whether there is echo or not.
fn absolute_delay(t: f64) -> f64 {
    if t <= 100.0 {
        return 0.0;
    }
    let x = (t / 100.0).log2();
    let root = |y: f64| (1.0 + y.powi(6)).powf(1.0 / 6.0);
    25.0 * (root(x) - 3.0 * root(x / 3.0) + 2.0)
}

/// What a codec costs.
#[derive(Clone, Copy, Debug)]
struct Equipment {
    /// Ie: without loss.
    impairment: f64,
    /// Bpl: how well it bears loss.
    robustness: f64,
}

impl Equipment {
    fn of(codec: Codec) -> Self {
        let (impairment, robustness) = match codec {
            // G.113 appendix I: G.711 with concealment.
            Codec::Pcmu | Codec::Pcma => (0.0, 25.1),
            // G.113 appendix IV: G.722 at 64 kbit/s. It bears loss as the other wideband codecs do.
            Codec::G722 => (13.0, 5.0),
            // G.113 has no Opus: AMR-WB at 23.85 kbit/s stands for it. By it, 10 % of invented sound has the score that
            // PESQ-WB gives.
            Codec::Opus => (8.0, 5.0),
        };
        Self {
            impairment,
            robustness,
        }
    }

    /// Ie,eff (G.107 §7.5).
    fn impairment(self, loss_pct: f64, burst_ratio: f64) -> f64 {
        let Self {
            impairment,
            robustness,
        } = self;
        let loss = loss_pct.clamp(0.0, 100.0);
        let bursts = burst_ratio.clamp(1.0, MOST_BURSTY);
        impairment + (95.0 - impairment) * loss / (loss / bursts + robustness)
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

    fn at(delay_ms: f64, loss_pct: f64, burst_ratio: f64) -> Conditions {
        Conditions {
            delay_ms,
            loss_pct,
            burst_ratio,
        }
    }

    fn near(figure: f64, published: f64, tolerance: f64) {
        let off = (figure - published).abs();
        assert!(off <= tolerance, "{figure} instead of {published}");
    }

    #[test]
    fn the_default_values_give_the_rating_that_g107_says() {
        near(rating(Codec::Pcmu, Conditions::default()), 93.2, 0.05);
        near(score(Codec::Pcmu, Conditions::default()), 4.41, 0.005);
    }

    #[test]
    fn the_score_of_a_rating_is_that_of_g107_annex_b() {
        for (r, mos) in [
            (90.0, 4.34),
            (80.0, 4.03),
            (70.0, 3.60),
            (60.0, 3.10),
            (50.0, 2.58),
        ] {
            near(from_rating(r), mos, 0.01);
        }
    }

    /// G.113 appendix I, table of G.729A with VAD under random loss.
    #[test]
    fn loss_impairs_as_g113_measured() {
        let g729 = Equipment {
            impairment: 11.0,
            robustness: 19.0,
        };
        for (loss, published) in [
            (0.0, 11.0),
            (1.0, 15.0),
            (2.0, 19.0),
            (3.0, 23.0),
            (4.0, 26.0),
            (8.0, 36.0),
            (16.0, 49.0),
        ] {
            near(g729.impairment(loss, 1.0), published, 0.6);
        }
    }

    /// The same of G.711 with concealment.
    #[test]
    fn g711_bears_loss_as_g113_says() {
        for (loss, published) in [(2.0, 7.0), (3.0, 10.0), (5.0, 15.0), (7.0, 20.0)] {
            let impairment = Equipment::of(Codec::Pcma).impairment(loss, 1.0);
            near(impairment, published, 0.9);
        }
    }

    /// Cole and Rosenbluth, "Voice over IP performance monitoring" (2001), drew a line through what G.107 gives.
    #[test]
    fn delay_impairs_as_others_have_computed() {
        for delay in [0.0, 20.0, 50.0, 100.0, 150.0, 200.0, 250.0, 300.0] {
            let published = 93.2 - 0.024 * delay - 0.11 * f64::max(delay - 177.3, 0.0);
            near(rating(Codec::Pcmu, at(delay, 0.0, 1.0)), published, 0.3);
        }
    }

    #[test]
    fn wideband_is_better_than_narrowband_and_bears_less() {
        let clean = |codec| score(codec, at(60.0, 0.0, 1.0));
        assert!(clean(Codec::Opus) > clean(Codec::Pcmu));
        // G.107.1: R = 129 − 13 of 129.
        near(rating(Codec::G722, Conditions::default()), 89.9, 0.05);
        // What was measured by PESQ-WB: 2.54 and 1.73, with losses at random and none recovered.
        near(score(Codec::Opus, at(0.0, 10.0, 1.0)), 2.54, 0.1);
        near(score(Codec::Opus, at(0.0, 20.0, 1.0)), 1.73, 0.35);
    }

    #[test]
    fn the_same_loss_in_bursts_is_worse() {
        for codec in [Codec::Opus, Codec::Pcmu] {
            let scores = [1.0, 2.0, 4.0].map(|ratio| score(codec, at(0.0, 5.0, ratio)));
            assert!(
                scores.is_sorted_by(|better, worse| better > worse),
                "{scores:?}"
            );
        }
    }

    #[test]
    fn it_only_gets_worse_and_stays_in_bounds() {
        for codec in [Codec::Opus, Codec::G722, Codec::Pcma] {
            for step in 0..100 {
                let [here, there] = [step, step + 1].map(f64::from);
                let worse = |near: Conditions, far: Conditions| {
                    assert!(score(codec, near) > score(codec, far) - 1e-9, "{far:?}");
                };
                worse(at(20.0, here, 1.0), at(20.0, there, 1.0));
                worse(at(20.0 * here, 0.0, 1.0), at(20.0 * there, 0.0, 1.0));
            }
            assert_eq!(score(codec, at(f64::INFINITY, 100.0, 1.0)), 1.0);
            assert!(score(codec, at(-1.0, -5.0, 0.0)) <= 4.5);
        }
    }
}
