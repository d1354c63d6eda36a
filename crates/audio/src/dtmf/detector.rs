//! Finds keys in sound, after ITU-T Q.24 and ETSI ES 201 235-3.
//!
//! Every 10 ms are one block, measured at the eight frequencies. How far the phase of a tone has moved from one block to
//! the next tells its true frequency, so that a block may be short although the tones stand close.

use std::f32::consts::PI;
use std::fmt;
use std::time::Duration;

use super::{COLUMNS, KEYS, ROWS};
use crate::Rate;

/// Each of the two tones is louder than this, in dBov: −36 dBm0, 6 dB below what a receiver must take.
const LEAST_DBOV: f32 = -42.2;
/// How much of the energy the two tones have, at least: speech has more beside them.
const LEAST_SHARE: f32 = 0.72;
/// Q.24 table A-1: 1.8 % off must be taken, 3.5 % off must not.
const FARTHEST: f32 = 0.025;
/// How much louder in power the row may be than the column, and the column than the row: Q.24 table A-1 asks for 8 dB and
/// 4 dB, ES 201 235-3 for 6 dB both ways. Each has 1.5 dB more, for filters on the way.
const ROW_LOUDER: f32 = 8.9;
const COLUMN_LOUDER: f32 = 5.6;
/// A tone stands: from one block to the next its power changes less than 6 dB.
const STEADY: f32 = 4.0;
/// Good pairs of blocks before a key counts: 40 ms of tone always have two, 23 ms never do.
const PAIRS_TO_BEGIN: u32 = 2;
/// Bad pairs of blocks before it is over: 30 ms of pause always have four, an interruption of 10 ms three at most.
const PAIRS_TO_END: u32 = 4;
/// The tick.
const BLOCK: Duration = Duration::from_millis(10);

/// A key that was pressed; its `Debug` output does not tell which.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// `0`–`9`, `*`, `#`, `A`–`D`.
    pub key: char,
    /// How long it sounded, to within 7 ms.
    pub duration: Duration,
}

impl fmt::Debug for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Press")
            .field("duration", &self.duration)
            .finish_non_exhaustive()
    }
}

/// Listens for keys; it never allocates. Its `Debug` output tells nothing of them.
#[derive(Clone)]
pub struct Detector {
    tuning: Option<Tuning>,
    /// The newest last.
    blocks: [Block; 4],
    /// What the last good pairs say, and how many there were in a row.
    candidate: Option<(Pair, u32)>,
    sounding: Option<Sounding>,
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector").finish_non_exhaustive()
    }
}

/// The recursions' coefficients at one rate.
#[derive(Clone, Copy)]
struct Tuning {
    rate: Rate,
    coefficients: [f32; 8],
    /// How far the phase of the exact frequency moves within a block, and within a sample.
    turns: [f32; 8],
    steps: [(f32, f32); 8],
}

/// 10 ms at the eight frequencies, rows first.
#[derive(Clone, Copy)]
struct Block {
    real: [f32; 8],
    imaginary: [f32; 8],
    energy: f32,
    samples: f32,
}

/// The row and the column of a key, as places among the eight.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pair {
    row: usize,
    column: usize,
}

#[derive(Clone, Copy)]
struct Sounding {
    pair: Pair,
    /// In blocks, with the parts of those in which it begins and ends.
    blocks: f32,
    /// Bad pairs in a row, and how many blocks they may add.
    missed: u32,
    pending: f32,
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

impl Detector {
    /// Creates a detector that has heard nothing.
    pub const fn new() -> Self {
        const SILENCE: Block = Block {
            real: [0.0; 8],
            imaginary: [0.0; 8],
            energy: 0.0,
            samples: 0.0,
        };
        Self {
            tuning: None,
            blocks: [SILENCE; 4],
            candidate: None,
            sounding: None,
        }
    }

    /// Takes 10 ms and gives the key that ended some 40 ms ago.
    pub fn push(&mut self, rate: Rate, samples: &[i16]) -> Option<Press> {
        let tuning = match self.tuning {
            Some(tuning) if tuning.rate == rate => tuning,
            Some(_) | None => {
                *self = Self::new();
                *self.tuning.insert(Tuning::at(rate))
            }
        };
        self.blocks.rotate_left(1);
        self.blocks[3] = tuning.measure(samples);
        match tuning.judge(&self.blocks[2], &self.blocks[3]) {
            Some(pair) => self.heard(pair),
            None => {
                self.candidate = None;
                self.missed()
            }
        }
    }

    fn heard(&mut self, pair: Pair) -> Option<Press> {
        let pairs = match self.candidate {
            Some((same, pairs)) if same == pair => pairs + 1,
            Some(_) | None => 1,
        };
        self.candidate = Some((pair, pairs));
        if let Some(sounding) = self.sounding.as_mut().filter(|s| s.pair == pair) {
            // What interrupted it belongs to it.
            sounding.blocks += 1.0 + sounding.missed as f32;
            (sounding.missed, sounding.pending) = (0, 0.0);
            return None;
        }
        if pairs < PAIRS_TO_BEGIN {
            return self.missed();
        }
        let before = self.sounding.take();
        self.sounding = Some(Sounding {
            pair,
            blocks: 3.0 + part(&self.blocks[0], &self.blocks[1], pair),
            missed: 0,
            pending: 0.0,
        });
        before.map(Sounding::press)
    }

    fn missed(&mut self) -> Option<Press> {
        let sounding = self.sounding.as_mut()?;
        if sounding.missed == 0 {
            sounding.pending = part(&self.blocks[3], &self.blocks[2], sounding.pair);
        }
        sounding.missed += 1;
        if sounding.missed < PAIRS_TO_END {
            return None;
        }
        self.sounding.take().map(Sounding::press)
    }
}

impl Sounding {
    fn press(self) -> Press {
        let index = self.pair.row * COLUMNS.len() + self.pair.column - ROWS.len();
        Press {
            key: KEYS[index % KEYS.len()],
            duration: BLOCK.mul_f32(self.blocks + self.pending),
        }
    }
}

/// How much of the block at a tone's edge it fills, by the block beside it, which it fills.
fn part(edge: &Block, full: &Block, pair: Pair) -> f32 {
    let amplitude = |block: &Block| {
        (block.power(pair.row) + block.power(pair.column))
            .max(0.0)
            .sqrt()
    };
    let full = amplitude(full);
    if full > 0.0 {
        (amplitude(edge) / full).min(1.0)
    } else {
        0.0
    }
}

impl Block {
    fn power(&self, index: usize) -> f32 {
        self.real[index].powi(2) + self.imaginary[index].powi(2)
    }

    fn loudest(&self, other: &Self, among: std::ops::Range<usize>) -> usize {
        let power = |index: usize| self.power(index) + other.power(index);
        let first = among.start;
        among.fold(first, |best, index| {
            if power(index) > power(best) {
                index
            } else {
                best
            }
        })
    }
}

impl Tuning {
    fn at(rate: Rate) -> Self {
        let frequencies: [f64; 8] = std::array::from_fn(hz);
        let omega = frequencies.map(|hz| std::f64::consts::TAU * hz / f64::from(rate.hz()));
        Self {
            rate,
            coefficients: omega.map(|omega| (2.0 * omega.cos()) as f32),
            turns: frequencies.map(|hz| ((hz / 100.0).fract() * std::f64::consts::TAU) as f32),
            steps: omega.map(|omega| (omega.cos() as f32, omega.sin() as f32)),
        }
    }

    /// Goertzel's recursion at all eight frequencies at once, which a compiler makes two vectors of.
    fn measure(&self, samples: &[i16]) -> Block {
        let (mut last, mut before) = ([0.0_f32; 8], [0.0_f32; 8]);
        let mut energy = 0.0;
        for sample in samples {
            let value = f32::from(*sample) / 32_768.0;
            energy += value * value;
            for index in 0..8 {
                let next = value + self.coefficients[index] * last[index] - before[index];
                before[index] = last[index];
                last[index] = next;
            }
        }
        Block {
            real: std::array::from_fn(|i| last[i] - self.steps[i].0 * before[i]),
            imaginary: std::array::from_fn(|i| self.steps[i].1 * before[i]),
            energy,
            samples: samples.len() as f32,
        }
    }

    /// The key that sounds in two blocks after each other, both of them full.
    fn judge(&self, before: &Block, now: &Block) -> Option<Pair> {
        let quiet = 10_f32.powf(LEAST_DBOV / 10.0);
        // Most blocks are silence.
        if now.energy < 2.0 * quiet * now.samples || before.energy <= 0.0 {
            return None;
        }
        let pair = Pair {
            row: now.loudest(before, 0..4),
            column: now.loudest(before, 4..8),
        };
        let row = self.strength(pair.row, before, now)?;
        let column = self.strength(pair.column, before, now)?;
        let twist = (row.0 + row.1) / (column.0 + column.1);
        let stands = |earlier: f32, later: f32| {
            let (earlier, later) = (earlier.max(f32::MIN_POSITIVE), later.max(f32::MIN_POSITIVE));
            (1.0 / STEADY..STEADY).contains(&(later / earlier))
        };
        let good = row.0.min(row.1).min(column.0).min(column.1) > quiet
            && twist < ROW_LOUDER
            && twist * COLUMN_LOUDER > 1.0
            && stands(row.0, row.1)
            && stands(column.0, column.1)
            && (row.0 + column.0) * before.samples > LEAST_SHARE * before.energy
            && (row.1 + column.1) * now.samples > LEAST_SHARE * now.energy;
        good.then_some(pair)
    }

    /// The mean power of the tone near a frequency in both blocks; `None` if it is off by too much.
    fn strength(&self, index: usize, before: &Block, now: &Block) -> Option<(f32, f32)> {
        let (a, b) = (now.real[index], now.imaginary[index]);
        let (c, d) = (before.real[index], before.imaginary[index]);
        let moved = (b * c - a * d).atan2(a * c + b * d) - self.turns[index];
        // In cycles for each block, −½ to ½.
        let cycles = moved / (2.0 * PI);
        let off = cycles - cycles.round();
        if off.abs() * 100.0 > FARTHEST * hz(index) as f32 {
            return None;
        }
        // What a block loses of a tone that is off.
        let angle = PI * off;
        let loss = if angle.abs() < 1e-3 {
            1.0
        } else {
            (angle.sin() / angle).powi(2)
        };
        let mean = |block: &Block| 2.0 * block.power(index) / (block.samples.powi(2) * loss);
        Some((mean(before), mean(now)))
    }
}

fn hz(index: usize) -> f64 {
    match index.checked_sub(ROWS.len()) {
        None => ROWS[index],
        Some(column) => COLUMNS[column % COLUMNS.len()],
    }
}

#[cfg(test)]
mod tests;
