//! When each session must be woken: kept, because a phone asks for the earliest after whatever it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::door::id::SessionId;
use crate::door::output::Wake;

/// The deadlines of sessions, earliest first.
#[derive(Debug, Default)]
pub(super) struct Timetable {
    of: BTreeMap<SessionId, (Instant, Wake)>,
    order: BTreeSet<(Instant, SessionId)>,
}

impl Timetable {
    /// The session is to be woken then, and no more when it was before.
    pub(super) fn set(&mut self, id: SessionId, deadline: Option<(Instant, Wake)>) {
        let before = match deadline {
            Some(deadline) => self.of.insert(id, deadline),
            None => self.of.remove(&id),
        };
        let [before, at] = [before, deadline].map(|deadline| deadline.map(|(at, _)| at));
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, id));
        }
        if let Some(at) = at {
            self.order.insert((at, id));
        }
    }

    pub(super) fn earliest(&self) -> Option<(Instant, Wake)> {
        let (_, id) = self.order.first()?;
        self.of.get(id).copied()
    }

    /// Those whose time has come, earliest first.
    pub(super) fn due(&self, now: Instant) -> Vec<SessionId> {
        let due = self.order.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, id)| *id).collect()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn id(number: u128) -> SessionId {
        SessionId::from_random(number)
    }

    #[test]
    #[allow(
        clippy::disallowed_methods,
        reason = "the origin of the test's virtual time"
    )]
    fn the_earliest_is_woken_first_and_a_later_word_replaces_an_earlier_one() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut table = Timetable::default();
        table.set(id(1), Some((at(5), Wake::Offer)));
        table.set(id(2), Some((at(3), Wake::Repair)));
        assert_eq!(table.earliest(), Some((at(3), Wake::Repair)));
        assert_eq!(table.due(at(4)), [id(2)]);
        assert_eq!(table.due(at(5)), [id(2), id(1)]);

        table.set(id(2), Some((at(9), Wake::Key)));
        assert_eq!(table.earliest(), Some((at(5), Wake::Offer)));
        table.set(id(1), None);
        assert_eq!(table.earliest(), Some((at(9), Wake::Key)));
        table.set(id(2), Some((at(9), Wake::Offer)));
        assert_eq!(table.earliest(), Some((at(9), Wake::Offer)));
        table.set(id(2), None);
        assert_eq!((table.earliest(), table.due(at(99))), (None, Vec::new()));
    }
}
