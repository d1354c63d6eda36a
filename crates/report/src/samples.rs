use std::time::Duration;

/// So many figures are kept: ten minutes by the second, then two seconds in one, and so on.
const MOST: usize = 600;

/// How a call sounded in a second; what is not known is NaN.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// When.
    pub at: Duration,
    /// Mean opinion score.
    pub mos: f32,
    /// Percent of packets lost on their way here.
    pub loss: f32,
    /// Percent of packets lost on their way there.
    pub peer_loss: f32,
    /// Percent of the sound that was invented.
    pub concealed: f32,
    /// Milliseconds.
    pub jitter: f32,
    /// Milliseconds that sound waits.
    pub buffer: f32,
    /// Milliseconds.
    pub round_trip: f32,
    /// Milliseconds from mouth to ear.
    pub delay: f32,
    /// dBov of what is said here.
    pub near: f32,
    /// dBov of what is heard here.
    pub far: f32,
}

impl Default for Sample {
    fn default() -> Self {
        let unknown = f32::NAN;
        Self {
            at: Duration::ZERO,
            mos: unknown,
            loss: unknown,
            peer_loss: unknown,
            concealed: unknown,
            jitter: unknown,
            buffer: unknown,
            round_trip: unknown,
            delay: unknown,
            near: unknown,
            far: unknown,
        }
    }
}

impl Sample {
    /// What was worst in both; of levels, what was loudest.
    fn worst(self, other: Self) -> Self {
        // Neither is NaN, if only one of the two is.
        Self {
            at: self.at,
            mos: self.mos.min(other.mos),
            loss: self.loss.max(other.loss),
            peer_loss: self.peer_loss.max(other.peer_loss),
            concealed: self.concealed.max(other.concealed),
            jitter: self.jitter.max(other.jitter),
            buffer: self.buffer.max(other.buffer),
            round_trip: self.round_trip.max(other.round_trip),
            delay: self.delay.max(other.delay),
            near: self.near.max(other.near),
            far: self.far.max(other.far),
        }
    }
}

/// Figures over a call of any length.
#[derive(Debug, Clone)]
pub(crate) struct Samples {
    all: Vec<Sample>,
    /// How many of them go into one.
    each: usize,
    /// How many are in the last.
    last: usize,
}

impl Default for Samples {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            each: 1,
            last: 0,
        }
    }
}

impl Samples {
    pub(crate) fn add(&mut self, sample: Sample) {
        if let Some(last) = self.all.last_mut().filter(|_| self.last < self.each) {
            *last = last.worst(sample);
            self.last += 1;
            return;
        }
        if self.all.len() == MOST {
            let pair = |pair: &[Sample]| pair.iter().copied().reduce(Sample::worst);
            self.all = self.all.chunks(2).filter_map(pair).collect();
            self.each *= 2;
        }
        self.all.push(sample);
        self.last = 1;
    }

    pub(crate) fn all(&self) -> &[Sample] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_figures_the_worse_stays_and_of_levels_the_louder() {
        let of = |mos: f32, figure: f32| Sample {
            at: Duration::from_secs(figure as u64),
            mos,
            loss: figure + 1.0,
            peer_loss: figure + 2.0,
            concealed: figure + 3.0,
            jitter: figure + 4.0,
            buffer: figure + 5.0,
            round_trip: figure + 6.0,
            delay: figure + 7.0,
            near: figure - 50.0,
            far: figure - 40.0,
        };
        let shown = |sample: Sample| {
            format!(
                "{:?}",
                Sample {
                    at: Duration::ZERO,
                    ..sample
                }
            )
        };
        let worst = shown(of(1.0, 10.0));
        for (one, other) in [(of(1.0, 0.0), of(4.0, 10.0)), (of(4.0, 10.0), of(1.0, 0.0))] {
            assert_eq!(shown(one.worst(other)), worst);
            assert_eq!(one.worst(other).at, one.at);
            assert_eq!(shown(of(1.0, 10.0).worst(Sample::default())), worst);
        }
    }

    #[test]
    fn as_many_seconds_are_in_each_figure() {
        let mut samples = Samples::default();
        for second in 0..7_200 {
            samples.add(Sample {
                at: Duration::from_secs(second),
                ..Sample::default()
            });
        }
        let at: Vec<u64> = samples
            .all()
            .iter()
            .map(|sample| sample.at.as_secs())
            .collect();
        assert!(at.windows(2).all(|pair| pair[1] - pair[0] == 16), "{at:?}");
    }

    #[test]
    fn a_long_call_is_seen_more_coarsely_and_what_was_worst_stays() {
        let mut samples = Samples::default();
        for second in 0..7_200_u64 {
            samples.add(Sample {
                at: Duration::from_secs(second),
                mos: if second == 1_234 { 1.5 } else { 4.4 },
                loss: if second == 5_678 { 40.0 } else { 0.0 },
                ..Sample::default()
            });
        }
        let all = samples.all();
        assert!((300..=600).contains(&all.len()), "{}", all.len());
        assert_eq!(all[0].at, Duration::ZERO);
        assert!(all.last().is_some_and(|last| last.at.as_secs() > 7_150));
        let near = |at: Duration, second: u64| at.as_secs().abs_diff(second) < 32;
        let worst = all.iter().find(|sample| sample.mos < 2.0).unwrap();
        assert!(near(worst.at, 1_234), "{:?}", worst.at);
        let worst = all.iter().find(|sample| sample.loss > 30.0).unwrap();
        assert!(near(worst.at, 5_678), "{:?}", worst.at);
        assert!(all.iter().all(|sample| sample.round_trip.is_nan()));
    }
}
