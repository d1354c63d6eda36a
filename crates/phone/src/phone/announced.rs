//! Incoming calls that the application announced.

use std::time::{Duration, Instant};

/// How long an announced call may take to come.
const USUAL: Duration = Duration::from_secs(60);
/// Announcements beyond this replace the oldest.
const MOST: usize = 1024;

/// Conversations, and until when their calls may answer by themselves.
#[derive(Debug, Default)]
pub(super) struct Announced(Vec<(String, Instant)>);

impl Announced {
    /// Takes note of one; `timeout` in milliseconds.
    pub(super) fn expect(&mut self, conversation: String, timeout: Option<u64>, now: Instant) {
        let until = now + timeout.map_or(USUAL, Duration::from_millis);
        self.forget(&conversation);
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push((conversation, until));
    }

    /// Its call has come.
    pub(super) fn forget(&mut self, conversation: &str) {
        self.0.retain(|(known, _)| known != conversation);
    }

    pub(super) fn contains(&mut self, conversation: &str, now: Instant) -> bool {
        self.0.retain(|(_, until)| *until > now);
        self.0.iter().any(|(known, _)| known == conversation)
    }
}
