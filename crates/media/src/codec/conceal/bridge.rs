//! From what was heard to what follows a gap: both are continued into it, and led over into one another.

use super::Gap;
use super::continuation::Continuation;
use super::likeness::{likeness, most_alike};

/// What follows must be at least so long, or it says too little.
pub(super) const LEAST_MS: usize = 10;
/// At least so much is compared to bring both into step.
const COMPARED_MS: usize = 5;
/// Of what is less alike than this, the pitch is not changed to meet the other side.
const ALIKE: f32 = 0.5;

/// Fills `samples` between `history` and `behind`; `gap` continues `history`.
pub(super) fn fill(
    samples: &mut [i16],
    history: &[i16],
    gap: &mut Gap,
    behind: &[i16],
    per_ms: usize,
) {
    let backwards: Vec<i16> = behind.iter().rev().copied().collect();
    let mut before = Continuation::of(&backwards, per_ms, true);
    let length = samples.len();
    let forth = Side::new(
        length,
        gap.continuation.period(),
        per_ms,
        || gap.next(),
        behind.iter(),
    );
    let back = Side::new(
        length,
        before.period(),
        per_ms,
        || before.next(),
        history.iter().rev(),
    );
    let in_step = forth.alike.min(back.alike) >= ALIKE;
    for (at, sample) in samples.iter_mut().enumerate() {
        let share = (at + 1) as f32 / (length + 1) as f32;
        // What is not in step adds up by its power.
        let (falls, rises) = match in_step {
            true => (1.0 - share, share),
            false => ((1.0 - share).sqrt(), share.sqrt()),
        };
        *sample = (forth.at(at) * falls + back.at(length - 1 - at) * rises) as i16;
    }
}

/// The continuation of one side towards the other.
struct Side {
    sound: Vec<f32>,
    /// How fast it is gone through, so that at the end it is in step with the other side.
    pace: f32,
    alike: f32,
}

impl Side {
    fn new<'a>(
        length: usize,
        period: usize,
        per_ms: usize,
        next: impl FnMut() -> f32,
        other: impl Iterator<Item = &'a i16>,
    ) -> Self {
        // A pitch that changes more within a gap is another's.
        let most = (length / 4).min(period / 2 + 1);
        let compared = period.max(COMPARED_MS * per_ms);
        let sound: Vec<f32> = std::iter::repeat_with(next)
            .take(length + most + compared)
            .collect();
        let other: Vec<f32> = other.take(compared).map(|s| f32::from(*s)).collect();
        let (meets, alike) = most_alike(length - most..=length + most, |at, step| {
            likeness(&sound[at..], &other, step)
        });
        let pace = match alike >= ALIKE {
            true => meets as f32 / length as f32,
            false => 1.0,
        };
        Self { sound, pace, alike }
    }

    fn at(&self, at: usize) -> f32 {
        let exact = at as f32 * self.pace;
        let (from, part) = (exact as usize, exact.fract());
        self.sound[from] + (self.sound[from + 1] - self.sound[from]) * part
    }
}
