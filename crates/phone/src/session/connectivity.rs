//! Where a call's media and signalling stand.

use std::time::{Duration, Instant};

use crate::door::event::ConnectionState;

/// Media say that they are silent no sooner than this after the last sign of the peer.
const NOTICED_AFTER: Duration = Duration::from_secs(5);

/// Where media stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum MediaPath {
    #[default]
    None,
    Connecting,
    Connected,
    Interrupted,
}

/// Where media and signalling stand.
#[derive(Debug, Default)]
pub(super) struct Connectivity {
    pub(super) media: MediaPath,
    /// Media flowed once: a refused answer to a later offer does not end the call.
    pub(super) was_up: bool,
    /// Our address went before the call was answered: what the other party was told of it leads nowhere.
    pub(super) moved_early: bool,
    /// The other party's first sound has come.
    pub(super) heard: bool,
    /// The flow was lost and the dialog is not yet refreshed over another.
    pub(super) signalling_lost: bool,
    /// Nothing comes from the peer on the media path: it counts as gone then.
    pub(super) gone_at: Option<Instant>,
}

impl Connectivity {
    /// Nothing has come from the peer for a while, which may last for so long.
    pub(super) fn fell_silent(&mut self, now: Instant, patience: Duration) {
        let left = patience.saturating_sub(NOTICED_AFTER);
        self.gone_at.get_or_insert(now + left);
    }

    /// Nothing can come from the peer from now on, which may last for so long.
    pub(super) fn was_cut(&mut self, now: Instant, patience: Duration) {
        self.gone_at.get_or_insert(now + patience);
    }

    pub(super) fn is_heard_again(&mut self) {
        self.gone_at = None;
    }

    /// What the application sees of it, as far as media go.
    pub(super) fn of_media(&self) -> ConnectionState {
        match self.media {
            MediaPath::None => ConnectionState::Starting,
            MediaPath::Connecting => ConnectionState::Connecting,
            MediaPath::Connected => ConnectionState::Connected,
            MediaPath::Interrupted => ConnectionState::Interrupted,
        }
    }
}
