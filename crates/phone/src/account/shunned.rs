//! Where a server was of no use of late (RFC 3263 §4.3).

use std::time::Instant;

use sip::locating::Place;
use sip::transaction::Transport;

/// More are not remembered: the one that is free first is forgotten.
const MOST: usize = 64;

/// Places that others go before, and until when.
#[derive(Debug, Default)]
pub(super) struct Shunned(Vec<(Place, Instant)>);

impl Shunned {
    pub(super) fn add(&mut self, place: &Place, until: Instant) {
        self.forgive(place);
        if self.0.len() >= MOST {
            self.0.sort_by_key(|(_, until)| *until);
            self.0.remove(0);
        }
        self.0.push((place.clone(), until));
    }

    /// It was of use again.
    pub(super) fn forgive(&mut self, place: &Place) {
        self.0.retain(|(known, _)| !is_same(known, place));
    }

    pub(super) fn has(&self, place: &Place, now: Instant) -> bool {
        self.until(place, now).is_some()
    }

    /// Those that are not shunned as they stand, then the others, beginning with whoever is free first: nobody is given up.
    pub(super) fn last(&self, mut places: Vec<Place>, now: Instant) -> Vec<Place> {
        places.sort_by_key(|place| self.until(place, now));
        places
    }

    fn until(&self, place: &Place, now: Instant) -> Option<Instant> {
        let known = self.0.iter().find(|(known, _)| is_same(known, place));
        known.map(|(_, until)| *until).filter(|until| *until > now)
    }
}

fn is_same(one: &Place, other: &Place) -> bool {
    let key = |place: &Place| (place.transport, place.port);
    // A stream tries all addresses, which come in another order each time.
    let is_stream = one.transport != Transport::Udp;
    key(one) == key(other)
        && one.host == other.host
        && (is_stream || one.addresses == other.addresses)
}
