//! How much more delay than is wanted a stream may have before its sound is shortened.

use super::PER_MS;

/// In the long run (libwebrtc's window is as wide).
const ABOVE: i64 = 20 * PER_MS;
/// In speech of a stream that has just begun: it began with more delay than it needs, as far as is known yet, and
/// shortening its first words would be heard.
const ABOVE_AT_FIRST: i64 = 60 * PER_MS;
/// After so long even a stream without a pause gives up what it has too much. Speech has had some by then, in which
/// nobody hears it; whatever is taken out of words themselves costs a tenth of PESQ-WB.
const AT_FIRST: i64 = 10_000 * PER_MS;
/// Until it has settled a stream goes on being shortened down to here, the middle of what is left alone later.
const SETTLED: i64 = -5 * PER_MS;

/// Where a stream is on its way to the delay that it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// It began then, on the timeline of arrivals, with caution.
    Cautious { since: i64 },
    /// It has come to the delay that it needs.
    Settled,
}

impl Pace {
    /// How much is too much at `now`, for a stream whose delay is by `excess` more than wanted.
    pub(super) fn too_much(&mut self, excess: i64, quiet: bool, now: i64) -> i64 {
        let Self::Cautious { since } = *self else {
            return ABOVE;
        };
        match (now - since > AT_FIRST, quiet) {
            (false, false) => ABOVE_AT_FIRST,
            // Nobody hears where silence ends.
            (false, true) => 0,
            (true, false | true) => {
                if excess <= SETTLED {
                    *self = Self::Settled;
                }
                SETTLED
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_are_left_alone_and_pauses_are_not() {
        let mut pace = Pace::Cautious { since: 100 };
        let excess = 40 * PER_MS;
        assert!(pace.too_much(excess, false, 100) > excess);
        assert!(pace.too_much(excess, true, 100) < excess);
    }

    #[test]
    fn a_stream_without_a_pause_settles_once_and_is_left_alone_then() {
        let mut pace = Pace::Cautious { since: 0 };
        let later = AT_FIRST + 1;
        assert_eq!(pace.too_much(10 * PER_MS, false, later), SETTLED);
        assert_eq!(pace.too_much(SETTLED, false, later), SETTLED);
        assert_eq!(pace, Pace::Settled);
        assert_eq!(pace.too_much(10 * PER_MS, true, later), ABOVE);
    }
}
