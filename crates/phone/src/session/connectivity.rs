//! Where a call's media and signalling stand.

use crate::door::event::ConnectionState;

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
    /// The other party's first sound has come.
    pub(super) heard: bool,
    /// The flow was lost and the dialog is not yet refreshed over another.
    pub(super) signalling_lost: bool,
}

impl Connectivity {
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
