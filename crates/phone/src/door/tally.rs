//! A phone's calls in numbers, for whoever watches many phones.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

/// Seconds to the answer, from when it rang here or was placed.
const SET_UP: &[f64] = &[0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0];
/// Seconds from the answer to the end.
const DURATION: &[f64] = &[
    1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
];
/// Estimated mean opinion scores.
const MOS: &[f64] = &[1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.3];
/// Parts of what was to be received.
const LOSS: &[f64] = &[0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];

/// How many values were how large.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    /// One more than there are bounds: those beyond the last.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    fn of(bounds: &'static [f64]) -> Self {
        let counts = vec![0; bounds.len() + 1];
        Self {
            bounds,
            counts,
            sum: 0.0,
        }
    }

    pub(crate) fn observe(&mut self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
            self.sum += value;
        }
    }

    fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }

    /// Each bound with how many values are at most that.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        self.bounds.iter().copied().zip(counts)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What they are together.
    pub fn sum(&self) -> f64 {
        self.sum
    }
}

/// The calls of one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectionTally {
    /// Calls that were placed, or rang here.
    pub begun: u64,
    /// Those that were answered: seconds until then.
    pub set_up: Histogram,
}

/// What has become of calls so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// Calls that others placed.
    pub incoming: DirectionTally,
    /// Calls that were placed here.
    pub outgoing: DirectionTally,
    /// Those that are over, by the condition of their end.
    pub ended: BTreeMap<&'static str, u64>,
    /// Callers who were refused at once, by the status that they heard.
    pub refused: BTreeMap<u16, u64>,
    /// Seconds that answered calls lasted.
    pub duration: Histogram,
    /// How calls with sound were heard, in the mean of each.
    pub mos: Histogram,
    /// The part of the packets that calls with sound were to receive and did not.
    pub loss: Histogram,
}

impl Default for Tally {
    fn default() -> Self {
        let direction = || DirectionTally {
            begun: 0,
            set_up: Histogram::of(SET_UP),
        };
        Self {
            incoming: direction(),
            outgoing: direction(),
            ended: BTreeMap::new(),
            refused: BTreeMap::new(),
            duration: Histogram::of(DURATION),
            mos: Histogram::of(MOS),
            loss: Histogram::of(LOSS),
        }
    }
}

impl Tally {
    /// Adds the calls of another phone.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.incoming, &other.incoming),
            (&mut self.outgoing, &other.outgoing),
        ] {
            mine.begun += theirs.begun;
            mine.set_up.add(&theirs.set_up);
        }
        for (condition, number) in &other.ended {
            *self.ended.entry(condition).or_default() += number;
        }
        for (code, number) in &other.refused {
            *self.refused.entry(*code).or_default() += number;
        }
        self.duration.add(&other.duration);
        self.mos.add(&other.mos);
        self.loss.add(&other.loss);
    }
}

/// Whether a phone would take a call now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Readiness {
    /// It would.
    Ready,
    /// It has as many as it may, or the machine has no time for another.
    Full,
    /// `drain()` was called.
    Draining,
    /// It is not connected, or not registered although it should be.
    Unreachable,
    /// It ends or has ended.
    Closed,
}

/// Whether a peer is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PeerState {
    /// It has not been asked, or has not had the time to answer.
    Unknown,
    /// It has answered.
    Reachable,
    /// It did not answer the last two times.
    Unreachable,
}

/// How a peer without a server stands, that is asked by OPTIONS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerStanding {
    /// Where it is.
    pub address: String,
    /// Whether it comes over TLS.
    pub secure: bool,
    /// Whether it is there.
    pub state: PeerState,
    /// The status of its last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
}

/// How a phone stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Whether the connection to a server is open.
    pub connected: bool,
    /// Whether a registrar holds our binding.
    pub registered: bool,
    /// Calls that there are, also those that ring.
    pub calls: u32,
    /// Those of them that are not answered.
    pub ringing: u32,
    /// The peers that are asked whether they are there.
    pub peers: Vec<PeerStanding>,
    /// What has become of calls so far.
    pub tally: Arc<Tally>,
    /// Why it would take no call, whatever the machine has time for.
    pub(crate) otherwise: Option<Readiness>,
    /// The part of `maxSessions` that is taken, 0 to 1.
    pub(crate) taken: f64,
}

impl Standing {
    /// Whether it would take a call, with media threads so full.
    pub fn readiness(&self, media: f64) -> Readiness {
        match self.otherwise {
            Some(otherwise) => otherwise,
            None if self.load(media) >= 1.0 => Readiness::Full,
            None => Readiness::Ready,
        }
    }

    /// How full it is, 0 to 1, with media threads so full.
    pub fn load(&self, media: f64) -> f64 {
        self.taken.max(media).min(1.0)
    }
}
