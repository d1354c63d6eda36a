use std::collections::VecDeque;
use std::time::Duration;

use crate::samples::{Sample, Samples};

/// What a call keeps at most: messages and their octets, and events. A call of some hours with a refresh every few minutes has less.
const MOST_MESSAGES: usize = 256;
const MOST_OCTETS: usize = 256 * 1024;
const MOST_NOTES: usize = 512;
/// So much of the beginning is kept whatever comes later: how it was set up says most.
const BEGINNING: usize = 24;

/// What happened in one call. Times are since 1970.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    facts: Vec<(&'static str, String)>,
    messages: VecDeque<Message>,
    octets: usize,
    notes: VecDeque<Note>,
    samples: Samples,
    path: Option<[(String, &'static str); 2]>,
    dropped: usize,
}

/// A SIP message.
#[derive(Debug, Clone)]
pub struct Message {
    /// When it was sent or came.
    pub at: Duration,
    /// Who sent it.
    pub direction: Direction,
    /// What it says.
    pub text: Box<[u8]>,
}

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From here.
    Sent,
    /// From the server.
    Received,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct Note {
    /// When.
    pub at: Duration,
    /// What, in a line.
    pub text: String,
    /// It is odd, so that it is to be seen among the figures.
    pub odd: bool,
}

impl Journal {
    /// Says something that holds for the whole call, in place of what was said of it before.
    pub fn fact(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        match self.facts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.facts.push((name, value)),
        }
    }

    /// Takes a message.
    pub fn message(&mut self, message: Message) {
        self.octets += message.text.len();
        let place = self
            .messages
            .partition_point(|known| known.at <= message.at);
        self.messages.insert(place, message);
        while self.messages.len() > MOST_MESSAGES || self.octets > MOST_OCTETS {
            if let Some(gone) = self.messages.remove(self.beginning()) {
                self.octets -= gone.text.len();
                self.dropped += 1;
            }
        }
    }

    /// How many of the first messages are kept, of a quarter of all octets.
    fn beginning(&self) -> usize {
        let mut octets = 0;
        let within = |message: &&Message| {
            octets += message.text.len();
            octets <= MOST_OCTETS / 4
        };
        let few = self
            .messages
            .iter()
            .take(BEGINNING.min(self.messages.len() - 1));
        few.take_while(within).count()
    }

    /// Takes note of something.
    pub fn note(&mut self, note: Note) {
        if self.notes.len() == MOST_NOTES {
            self.notes.remove(BEGINNING);
            self.dropped += 1;
        }
        self.notes.push_back(note);
    }

    /// Takes the figures of a second.
    pub fn sample(&mut self, sample: Sample) {
        self.samples.add(sample);
    }

    /// Says which way media take: each end's address and how it was found.
    pub fn path(&mut self, local: (String, &'static str), remote: (String, &'static str)) {
        self.path = Some([local, remote]);
    }

    /// Takes over the messages that another has of the same call.
    pub fn join(&mut self, other: Journal) {
        for message in other.messages {
            self.message(message);
        }
        self.dropped += other.dropped;
    }

    /// Replaces all that was said, such as to hide what is secret: messages, facts and events.
    pub fn rewrite(&mut self, text: impl Fn(&[u8]) -> String) {
        for (_, value) in &mut self.facts {
            *value = text(value.as_bytes());
        }
        for note in &mut self.notes {
            note.text = text(note.text.as_bytes());
        }
        for message in &mut self.messages {
            message.text = text(&message.text).into_bytes().into();
        }
    }

    pub(crate) fn facts(&self) -> &[(&'static str, String)] {
        &self.facts
    }

    pub(crate) fn messages(&self) -> &VecDeque<Message> {
        &self.messages
    }

    pub(crate) fn notes(&self) -> &VecDeque<Note> {
        &self.notes
    }

    pub(crate) fn samples(&self) -> &[Sample] {
        self.samples.all()
    }

    pub(crate) fn selected(&self) -> Option<&[(String, &'static str); 2]> {
        self.path.as_ref()
    }

    pub(crate) fn dropped(&self) -> usize {
        self.dropped
    }

    /// When the first thing happened.
    pub(crate) fn begin(&self) -> Duration {
        let firsts = [
            self.messages.front().map(|message| message.at),
            self.notes.front().map(|note| note.at),
            self.samples.all().first().map(|sample| sample.at),
        ];
        firsts.into_iter().flatten().min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(second: u64, octets: usize) -> Message {
        Message {
            at: Duration::from_secs(second),
            direction: Direction::Sent,
            text: vec![b'x'; octets].into(),
        }
    }

    fn size(journal: &Journal) -> usize {
        let messages: usize = journal.messages.iter().map(|m| m.text.len()).sum();
        assert_eq!(messages, journal.octets);
        let notes: usize = journal.notes.iter().map(|note| note.text.len()).sum();
        messages + notes + size_of_val(journal.samples())
    }

    #[test]
    fn a_call_of_any_length_has_its_bounds_and_keeps_its_beginning_and_end() {
        let mut journal = Journal::default();
        for second in 0..10_000 {
            journal.message(message(second, 60_000));
            journal.note(Note {
                at: Duration::from_secs(second),
                text: "x".repeat(50),
                odd: false,
            });
            journal.sample(Sample {
                at: Duration::from_secs(second),
                ..Sample::default()
            });
        }
        let size = size(&journal);
        assert!(size < 400_000, "{size}");
        assert_eq!(journal.messages().front().map(|m| m.at.as_secs()), Some(0));
        assert_eq!(
            journal.messages().back().map(|m| m.at.as_secs()),
            Some(9_999)
        );
        assert_eq!(journal.notes().back().map(|n| n.at.as_secs()), Some(9_999));
        assert!(journal.dropped() > 10_000);
        let mut journal = Journal::default();
        for second in 0..1_000 {
            journal.message(message(second, 10));
        }
        assert_eq!(journal.messages().len(), MOST_MESSAGES);
    }

    #[test]
    fn nothing_is_left_out_when_all_is_rewritten() {
        let mut journal = Journal::default();
        journal.fact("Other side", "secret");
        journal.note(Note {
            at: Duration::ZERO,
            text: "secret".into(),
            odd: true,
        });
        journal.message(message(1, 1));
        journal.rewrite(|_| "hidden".to_owned());
        let page = crate::page(&journal, "test");
        assert!(!page.contains("secret"));
        assert_eq!(page.matches("<pre>hidden</pre>").count(), 1);
    }

    #[test]
    fn what_comes_late_has_its_place_by_time() {
        let (mut one, mut other) = (Journal::default(), Journal::default());
        one.message(message(2, 1));
        other.message(message(1, 1));
        other.message(message(3, 1));
        one.join(other);
        let times: Vec<u64> = one.messages().iter().map(|m| m.at.as_secs()).collect();
        assert_eq!(times, [1, 2, 3]);
    }
}
