//! What a call is known by.

use sip::dialog::SessionUuids;

use crate::door::caller_identity::CallerIdentity;
use crate::door::event::{Direction, EndToEndId};
use crate::door::peer::Peer;
use crate::reading::parties;

/// What a call is known by.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) conversation_id: String,
    pub(crate) call_id: String,
    pub(crate) peer: Peer,
    /// Whom the caller has called; empty if we call.
    pub(super) called: String,
    pub(super) identity: CallerIdentity,
    /// What names it from end to end.
    pub(super) uuids: Option<SessionUuids>,
    pub(super) direction: Direction,
    pub(super) headers: Vec<(String, String)>,
    /// Milliseconds since 1970.
    pub(super) start_time: Option<u64>,
}

impl Facts {
    /// What names it from end to end, as the application is told.
    pub(super) fn end_to_end_id(&self) -> Option<EndToEndId> {
        self.uuids.map(EndToEndId::from)
    }

    /// Our half of what names it from end to end.
    pub(super) fn uuid(&self) -> Option<u128> {
        self.uuids.map(|uuids| uuids.local)
    }

    /// Whether one of the names that the far end has here is this one.
    pub(super) fn is_far_end(&self, claim: &str) -> bool {
        let asserted = self.identity.asserted.iter().map(|party| &party.uri);
        let mut names = asserted
            .chain([&self.peer.uri])
            .filter_map(|uri| parties::address_of(uri));
        names.any(|name| parties::is_same_party(&name, claim))
    }
}
