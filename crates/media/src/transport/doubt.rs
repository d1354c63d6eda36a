//! Ways to servers on which nothing came lately: no call waits long for them.

use std::time::Duration;

use super::config::Way;

/// What a server that was silent has if no other has given a relay: it may be back, and answers both questions of an allocation in
/// that time also on a long way.
const GRACE: Duration = Duration::from_millis(300);

/// The ways that are doubted.
#[derive(Debug)]
pub(super) struct Doubt(Vec<Way>);

impl Doubt {
    pub(super) fn new(doubted: Vec<Way>) -> Self {
        Self(doubted)
    }

    pub(super) fn is_any(&self) -> bool {
        !self.0.is_empty()
    }

    /// Returns how long ways that are doubted are waited for, if no other way is; `ways` are all, and whether each is settled.
    /// `wants` says that what the others gave is not all that is wanted.
    pub(super) fn patience(
        &self,
        ways: impl Iterator<Item = (Way, bool)>,
        wants: bool,
    ) -> Option<Duration> {
        if !self.is_any() {
            return None;
        }
        let mut others = false;
        for (way, settled) in ways {
            let is_doubted = self.0.contains(&way);
            if !is_doubted && !settled {
                return None;
            }
            others |= !is_doubted;
        }
        Some(if others && !wants {
            Duration::ZERO
        } else {
            GRACE
        })
    }

    /// Returns the ways on which nothing came, and which were not doubted before.
    pub(super) fn note_silence(&mut self, ways: Vec<(Way, bool)>) -> Vec<Way> {
        let mut silent = Vec::new();
        for (way, _) in &ways {
            let is_heard = ways.iter().any(|(other, settled)| other == way && *settled);
            if !is_heard && !self.0.contains(way) {
                silent.push(way.clone());
                self.0.push(way.clone());
            }
        }
        silent
    }

    /// Returns whether a way was doubted, which it is no longer.
    pub(super) fn dispel(&mut self, way: &Way) -> bool {
        let known = self.0.len();
        self.0.retain(|doubted| doubted != way);
        self.0.len() < known
    }
}
