//! From what was heard to what follows a gap: both are continued into it, and led over into one another.

use super::continuation::{Continuation, LONGEST_PERIOD_MS};
use super::likeness::{likeness, most_alike};

/// What follows must be at least so long, or it says too little.
pub(super) const LEAST_MS: usize = 10;
/// At least so much is compared to bring both into step.
const COMPARED_MS: usize = 5;
/// Of what is less alike than this, the pitch is not changed to meet the other side.
const ALIKE: f32 = 0.5;
/// The longest packet, and the most that a pitch may change in it.
const LONGEST_MS: usize = 120 + 120 / 4;

/// Made once and used for each gap, so that playing allocates nothing.
#[derive(Debug)]
pub(super) struct Bridge {
    per_ms: usize,
    /// What follows, continued backwards.
    before: Continuation,
    forth: Side,
    back: Side,
}

/// The continuation of one side towards the other.
#[derive(Debug)]
struct Side {
    sound: Vec<f32>,
    /// The beginning of the other side, seen from here.
    other: Vec<f32>,
    /// How fast it is gone through, so that at the end it is in step with the other side.
    pace: f32,
    alike: f32,
}

impl Bridge {
    pub(super) fn new(per_ms: usize) -> Self {
        Self {
            per_ms,
            before: Continuation::new(per_ms),
            forth: Side::new(per_ms),
            back: Side::new(per_ms),
        }
    }

    /// Fills `samples` between `history`, which `next` continues with a pitch of `period`, and `behind`.
    pub(super) fn fill(
        &mut self,
        samples: &mut [i16],
        history: &[i16],
        period: usize,
        next: impl FnMut() -> f32,
        behind: &[i16],
    ) {
        let length = samples.len();
        let least = COMPARED_MS * self.per_ms;
        self.before.restart(behind.iter().rev(), true);
        let before = &mut self.before;
        let (forth, back) = (&mut self.forth, &mut self.back);
        forth.go(length, period, least, next, behind.iter());
        let period = before.period();
        back.go(
            length,
            period,
            least,
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
}

impl Side {
    fn new(per_ms: usize) -> Self {
        Self {
            sound: Vec::with_capacity((LONGEST_MS + LONGEST_PERIOD_MS) * per_ms),
            other: Vec::with_capacity(LONGEST_PERIOD_MS * per_ms),
            pace: 1.0,
            alike: 0.0,
        }
    }

    /// Takes what `next` gives for a gap of `length`, and brings it into step with the other side.
    fn go<'a>(
        &mut self,
        length: usize,
        period: usize,
        least: usize,
        next: impl FnMut() -> f32,
        other: impl Iterator<Item = &'a i16>,
    ) {
        // A pitch that changes more within a gap is another's.
        let most = (length / 4).min(period / 2 + 1);
        let compared = period.max(least);
        self.sound.clear();
        let sound = std::iter::repeat_with(next);
        self.sound.extend(sound.take(length + most + compared));
        self.other.clear();
        self.other
            .extend(other.take(compared).map(|s| f32::from(*s)));
        let (meets, alike) = most_alike(length - most..=length + most, |at, step| {
            likeness(&self.sound[at..], &self.other, step)
        });
        self.alike = alike;
        self.pace = match alike >= ALIKE {
            true => meets as f32 / length as f32,
            false => 1.0,
        };
    }

    fn at(&self, at: usize) -> f32 {
        let exact = at as f32 * self.pace;
        let (from, part) = (exact as usize, exact.fract());
        self.sound[from] + (self.sound[from + 1] - self.sound[from]) * part
    }
}
