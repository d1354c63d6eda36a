//! The sound of one key.

use std::fmt;

use super::{COLUMNS, ROWS, place};
use crate::Rate;
use crate::tone::{FADE, Shape, Sine};

/// −9 dBm0 and −7 dBm0, which digital 0 dBov is 6.15 dB above (ITU-T G.711): as loud as telephones send. The column is
/// 2 dB louder, for lines attenuate it more (ETSI ES 201 235-2 §4.2.2).
const ROW_DBOV: f64 = -15.2;
const COLUMN_DBOV: f64 = -13.2;

/// The sound of one key, 10 ms at a time and without an allocation; its `Debug` output does not tell which key.
#[derive(Clone, Copy)]
pub struct Burst {
    sines: [Sine; 2],
    /// In steps of 10 ms.
    played: usize,
    length: usize,
}

impl fmt::Debug for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Burst").finish_non_exhaustive()
    }
}

impl Burst {
    /// Presses `key` for `ticks` times 10 ms; `None` for what no telephone has.
    pub fn new(key: char, ticks: usize) -> Option<Self> {
        let (row, column) = place(key)?;
        let sines = [
            Sine {
                hz: ROWS[row],
                dbov: ROW_DBOV,
            },
            Sine {
                hz: COLUMNS[column],
                dbov: COLUMN_DBOV,
            },
        ];
        Some(Self {
            sines,
            played: 0,
            length: ticks,
        })
    }

    /// Writes the next 10 ms at `rate`; silence once it is over.
    pub fn fill(&mut self, rate: Rate, out: &mut [i16]) {
        if self.is_over() {
            return out.fill(0);
        }
        let tick = rate.samples_per_tick();
        let shape = Shape {
            start: self.played * tick,
            length: Some(self.length * tick),
            fade: rate.samples_in(FADE),
            rate,
        };
        let (sound, rest) = out.split_at_mut(tick.min(out.len()));
        shape.render(&self.sines, sound);
        rest.fill(0);
        self.played += 1;
    }

    /// How many times 10 ms of it were written.
    pub fn played(&self) -> usize {
        self.played
    }

    /// Whether all of it was written.
    pub fn is_over(&self) -> bool {
        self.played >= self.length
    }
}

#[cfg(test)]
mod tests {
    use super::super::KEYS;
    use super::*;
    use crate::detect::Goertzel;
    use crate::level::Level;

    fn play(key: char, ticks: usize, rate: Rate) -> Vec<i16> {
        let mut burst = Burst::new(key, ticks).unwrap();
        let mut out = vec![1; (ticks + 1) * rate.samples_per_tick()];
        for tick in out.chunks_mut(rate.samples_per_tick()) {
            burst.fill(rate, tick);
        }
        assert!(burst.is_over());
        out
    }

    #[test]
    fn each_key_sounds_its_row_and_its_column_at_every_rate() {
        for rate in Rate::ALL {
            for (index, key) in KEYS.into_iter().enumerate() {
                let out = play(key, 10, rate);
                let share = |hz: f64| {
                    let mut goertzel = Goertzel::new(rate, hz);
                    goertzel.push(&out[..10 * rate.samples_per_tick()]);
                    goertzel.take().share
                };
                assert!(share(ROWS[index / 4]) > 0.3, "{key}");
                assert!(share(COLUMNS[index % 4]) > 0.5, "{key}");
            }
        }
    }

    #[test]
    fn a_key_is_as_loud_as_a_telephone_sends_it() {
        let out = play('5', 20, Rate::Hz8000);
        let steady = Level::of(&out[80..15 * 80]).dbov();
        // −9 and −7 dBm0 together are −4.9 dBm0.
        assert!((steady - (-4.9 - 6.15)).abs() < 0.2, "{steady}");
    }

    #[test]
    fn after_its_time_there_is_silence_and_no_key_is_none() {
        let out = play('9', 4, Rate::Hz16000);
        assert!(out[4 * 160..].iter().all(|sample| *sample == 0));
        assert!(out[2 * 160..3 * 160].iter().any(|sample| *sample != 0));
        assert!(Burst::new('x', 4).is_none());
        assert!(Burst::new('d', 4).is_some());
    }
}
