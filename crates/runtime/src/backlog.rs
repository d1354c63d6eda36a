//! How much may wait for a slow reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use phone::level::Level;

use crate::event::Event;

/// Octets of waiting lines of the log: some thousand SIP messages of the usual size. Lines of level `warn` and `error` may
/// take twice as much.
const MOST: usize = 4 << 20;

/// Counts what waits between a phone and its application, because peers decide how much there is.
///
/// Lines of the log above their bound are dropped. Other events go through: the phone is told how much of them is
/// [`unread`](Self::unread), and asks its peers to come later.
#[derive(Debug, Default)]
pub struct Backlog {
    lines: Arc<AtomicUsize>,
    events: Arc<AtomicUsize>,
    dropped: u64,
}

/// The room that waiting text takes, given back when this is dropped.
#[derive(Debug)]
pub struct Held {
    waiting: Arc<AtomicUsize>,
    size: usize,
}

impl Backlog {
    /// What is to be told of an event: itself, after the number of lines that were dropped before it;
    /// nothing if it is a line and too much waits.
    pub fn admit(&mut self, event: Event) -> impl Iterator<Item = Event> + use<> {
        let Some(level) = level(&event) else {
            return [None, Some(event)].into_iter().flatten();
        };
        let most = if level < Level::Warn { MOST } else { 2 * MOST };
        if self.lines.load(Ordering::Relaxed) >= most {
            self.dropped += 1;
            return [None, None].into_iter().flatten();
        }
        let dropped = std::mem::take(&mut self.dropped);
        let notice = (dropped > 0).then(|| Event::dropped_traces(dropped));
        [notice, Some(event)].into_iter().flatten()
    }

    /// Takes note of the text of an event that waits from now on.
    pub fn hold(&self, event: &Event, text: &str) -> Held {
        match level(event) {
            Some(_) => Held::new(&self.lines, text),
            None => Held::new(&self.events, text),
        }
    }

    /// Takes note of the text of an event of the embedded PBX that waits from now on.
    pub fn hold_of_pbx(&self, text: &str) -> Held {
        Held::new(&self.events, text)
    }

    /// Octets of events that wait, lines of the log apart.
    pub fn unread(&self) -> usize {
        self.events.load(Ordering::Relaxed)
    }
}

impl Held {
    fn new(waiting: &Arc<AtomicUsize>, text: &str) -> Held {
        waiting.fetch_add(text.len(), Ordering::Relaxed);
        Held {
            waiting: Arc::clone(waiting),
            size: text.len(),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.size, Ordering::Relaxed);
    }
}

#[allow(
    clippy::wildcard_enum_match_arm,
    reason = "of all events only lines of the log are dropped"
)]
fn level(event: &Event) -> Option<Level> {
    match event {
        Event::Phone(phone::Event::Trace { level, .. }) => Some(*level),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(level: Level) -> Event {
        Event::Phone(phone::Event::Trace {
            level,
            message: "SIP message received".to_owned(),
            details: serde_json::Value::Null,
        })
    }

    fn told(backlog: &mut Backlog, event: Event) -> Vec<serde_json::Value> {
        let json = |event| serde_json::to_value(&event).unwrap();
        backlog.admit(event).map(json).collect()
    }

    #[test]
    fn lines_that_nobody_reads_are_dropped_and_counted_in_the_next() {
        let mut backlog = Backlog::default();
        let text = "x".repeat(MOST / 2);
        let held: Vec<_> = (0..2)
            .map(|_| backlog.hold(&line(Level::Trace), &text))
            .collect();
        assert!(told(&mut backlog, line(Level::Trace)).is_empty());
        assert!(told(&mut backlog, line(Level::Debug)).is_empty());

        drop(held);
        let told = told(&mut backlog, line(Level::Trace));
        assert_eq!(told.len(), 2);
        assert_eq!(told[0]["type"], "trace");
        assert_eq!(told[0]["details"]["dropped"], 2);
        assert_eq!(told[1]["message"], "SIP message received");
    }

    #[test]
    fn warnings_have_room_of_their_own_and_other_events_always_go_through() {
        let mut backlog = Backlog::default();
        let text = "x".repeat(MOST);
        let _held = backlog.hold(&line(Level::Trace), &text);
        let ready = Event::Phone(phone::Event::Ready);
        assert_eq!(backlog.unread(), 0);
        let unread = backlog.hold(&ready, &text);
        assert_eq!(backlog.unread(), MOST);
        drop(unread);
        assert_eq!(backlog.unread(), 0);
        assert_eq!(told(&mut backlog, line(Level::Warn)).len(), 1);
        let _more = backlog.hold(&line(Level::Warn), &text);
        assert!(told(&mut backlog, line(Level::Warn)).is_empty());
        assert_eq!(told(&mut backlog, ready).len(), 1);
    }
}
