//! What has come of the sound so far.

/// What has been played, in samples of the rates that were in use.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counters {
    /// All samples given.
    pub emitted: u64,
    /// Of these, invented ones.
    pub concealed: u64,
    /// Of these, such as stood for silence.
    pub silent_concealed: u64,
    /// Gaps.
    pub concealment_events: u64,
    /// Samples put in to wait.
    pub inserted: u64,
    /// Samples taken out to catch up.
    pub removed: u64,
    /// Packets that came too late, twice, or could not be decoded.
    pub discarded: u64,
    /// Lost packets that the next one held a copy of.
    pub recovered: u64,
    /// Seconds, summed over emitted samples, that these were behind the fastest packet.
    pub delay: f64,
    /// Seconds, summed over emitted samples, that they were meant to be.
    pub target: f64,
}
