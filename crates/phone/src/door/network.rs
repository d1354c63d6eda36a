//! What becomes of the machine's network under a phone.

use std::time::Duration;

/// The machine's network is not what it was, or the machine slept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkChange {
    /// How long the machine slept, as far as the phone's clock stood still meanwhile.
    pub slept: Duration,
    /// Packets to the server may take another way than before, or the machine stood still. Otherwise only addresses have come
    /// or gone that lead elsewhere.
    pub rerouted: bool,
    /// Others can be reached at all.
    pub online: bool,
    /// Our end of the connection, if one is open.
    pub our_end: OurEnd,
}

/// What became of our end of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OurEnd {
    /// It is as it was, as far as is known.
    Kept,
    /// Its address is there, but the server would now be reached from another.
    Elsewhere,
    /// Its address is gone: nothing comes or goes over it any more.
    Gone,
}
