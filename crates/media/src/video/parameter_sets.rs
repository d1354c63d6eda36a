//! The parameter sets of an H.264 stream, kept for key frames that come without.

use super::h264::{Kind, kind};

/// A stream has one or two of each; those of Chromium have some 30 octets.
const MOST_SETS: usize = 8;
const MOST_OCTETS: usize = 512;

/// The last parameter sets of a stream (RFC 6184 §8.2.2: they may be sent once, and apart).
#[derive(Clone, Debug, Default)]
pub(super) struct ParameterSets {
    /// NAL units without start code, newest last.
    sets: Vec<Vec<u8>>,
}

impl ParameterSets {
    /// Keeps a NAL unit if it is a parameter set, in place of the one with its number.
    pub(super) fn learn(&mut self, unit: &[u8]) {
        let kind = kind(unit);
        if !matches!(kind, Kind::Sequence | Kind::Picture) || unit.len() > MOST_OCTETS {
            return;
        }
        if self.sets.iter().any(|known| known == unit) {
            return;
        }
        let number = number(unit);
        self.sets
            .retain(|known| self::kind(known) != kind || self::number(known) != number);
        if self.sets.len() == MOST_SETS {
            self.sets.remove(0);
        }
        self.sets.push(unit.to_vec());
    }

    /// Forgets them all: another source begins.
    pub(super) fn clear(&mut self) {
        self.sets.clear();
    }

    /// The sets of a kind.
    pub(super) fn of(&self, wanted: Kind) -> impl Iterator<Item = &[u8]> {
        let sets = self.sets.iter().map(Vec::as_slice);
        sets.filter(move |set| kind(set) == wanted)
    }
}

/// The set's own number (H.264 §7.3.2.1.1, §7.3.2.2), if it can be read.
fn number(unit: &[u8]) -> Option<u32> {
    // A sequence's number stands behind its profile and level.
    let from = match kind(unit) {
        Kind::Sequence => 4,
        Kind::Picture => 1,
        Kind::KeySlice { .. } | Kind::Slice { .. } | Kind::Before | Kind::Other => return None,
    };
    golomb(unit.get(from..)?)
}

/// The first unsigned Exp-Golomb code of at most 31 bits (H.264 §9.1).
fn golomb(octets: &[u8]) -> Option<u32> {
    let mut word = [0; 4];
    for (to, from) in word.iter_mut().zip(octets) {
        *to = *from;
    }
    let word = u32::from_be_bytes(word);
    let zeros = word.leading_zeros();
    (zeros <= 15).then(|| (word >> (31 - 2 * zeros)) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(sets: &ParameterSets) -> Vec<&[u8]> {
        sets.of(Kind::Sequence)
            .chain(sets.of(Kind::Picture))
            .collect()
    }

    #[test]
    fn a_set_takes_the_place_of_the_one_with_its_number() {
        let mut sets = ParameterSets::default();
        let first: &[u8] = &[0x67, 66, 0, 31, 0x80, 1];
        let second: &[u8] = &[0x67, 66, 0, 31, 0x40, 1];
        let picture: &[u8] = &[0x68, 0x80, 1];
        for set in [picture, first, second, first, &[0x65, 0x80]] {
            sets.learn(set);
        }
        assert_eq!(all(&sets), [first, second, picture]);
        let newer: &[u8] = &[0x67, 66, 0, 31, 0x80, 2];
        sets.learn(newer);
        assert_eq!(all(&sets), [second, newer, picture]);
    }

    #[test]
    fn no_stream_makes_us_keep_more_than_a_few() {
        let mut sets = ParameterSets::default();
        for number in 0..200 {
            sets.learn(&[0x68, 0, 0x80 | number, number]);
        }
        assert_eq!(all(&sets).len(), MOST_SETS);
        sets.clear();
        sets.learn(&[0x67; MOST_OCTETS + 1]);
        assert_eq!(all(&sets).len(), 0);
    }

    #[test]
    fn codes_are_read_up_to_where_they_end() {
        assert_eq!(golomb(&[0x80]), Some(0));
        assert_eq!(golomb(&[0x40]), Some(1));
        assert_eq!(golomb(&[0x60]), Some(2));
        assert_eq!(golomb(&[0x00, 0x80, 0x00]), Some(255));
        assert_eq!(golomb(&[]), None);
        assert_eq!(golomb(&[0, 0, 0, 0]), None);
    }
}
