//! How a call sounded, from its first packet to its end.

use super::Session;
use crate::agent::Context;
use crate::door::end_reason::Summary;
use crate::door::media::Figures;

/// What media have measured so far.
#[derive(Debug, Default)]
pub(super) struct Quality {
    /// What media said last.
    last: Figures,
    mos: Mean,
    jitter: Mean,
    rtt: Mean,
}

#[derive(Debug, Default)]
struct Mean {
    least: Option<f64>,
    sum: f64,
    samples: u32,
}

impl Mean {
    fn add(&mut self, sample: f64) {
        self.least = Some(self.least.map_or(sample, |least| least.min(sample)));
        self.sum += sample;
        self.samples += 1;
    }

    fn mean(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.sum / f64::from(self.samples))
    }
}

impl Session {
    /// Takes what media have measured, some ten times in the first second and once a second from then on.
    pub(super) fn measured(&mut self, figures: Figures, ctx: &mut Context<'_>) {
        self.watch(&figures, ctx);
        let quality = &mut self.quality;
        quality.mos.add(figures.mos);
        quality.jitter.add(figures.jitter);
        if let Some(rtt) = figures.rtt {
            quality.rtt.add(rtt);
        }
        quality.last = figures;
    }

    /// How the call was; nothing of one that had no media.
    pub(super) fn summary(&self, ctx: &Context<'_>) -> Option<Summary> {
        let Quality {
            last,
            mos,
            jitter,
            rtt,
        } = &self.quality;
        let (least, mean) = (mos.least?, mos.mean()?);
        let expected = last.received + last.lost;
        let loss = match expected {
            0 => 0.0,
            expected => last.lost as f64 * 100.0 / expected as f64,
        };
        let begun = self.facts.start_time.unwrap_or(ctx.unix_now);
        Some(Summary {
            codec: last.codec.clone(),
            duration: ctx.unix_now.saturating_sub(begun),
            mos: crate::door::end_reason::Mos {
                least: rounded(least),
                mean: rounded(mean),
            },
            loss: rounded(loss),
            jitter: rounded(jitter.mean().unwrap_or_default()),
            rtt: rtt.mean().map(rounded),
        })
    }
}

/// A thousandth is more than anybody measures.
fn rounded(figure: f64) -> f64 {
    (figure * 1e3).round() / 1e3
}
