//! Keys in the sound itself: their pairs of tones (ITU-T Q.23), made and found.

mod burst;
mod detector;

pub use burst::Burst;
pub use detector::{Detector, Press};

/// The frequencies of a key's row and column in Hz (ITU-T Q.23).
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
/// Row by row.
const KEYS: [char; 16] = [
    '1', '2', '3', 'A', '4', '5', '6', 'B', '7', '8', '9', 'C', '*', '0', '#', 'D',
];

/// The place of a key, as row and column; `None` for what no telephone has.
fn place(key: char) -> Option<(usize, usize)> {
    let key = key.to_ascii_uppercase();
    let index = KEYS.iter().position(|candidate| *candidate == key)?;
    Some((index / COLUMNS.len(), index % COLUMNS.len()))
}
