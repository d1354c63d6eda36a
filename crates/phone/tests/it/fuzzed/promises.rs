//! What a phone promises, whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use phone::{Event, PhoneError, Reply, SessionId, Ticket};
use serde_json::Value;

use super::life::PASSWORD;

/// How often each thing has come.
#[derive(Debug, Default)]
pub(super) struct Promises {
    /// What rings now.
    pub(super) rings: bool,
    tickets: u64,
    replies: BTreeMap<u64, u32>,
    stories: BTreeMap<String, Vec<String>>,
    /// Sessions by the order in which they were first heard of.
    sessions: Vec<String>,
    /// Subscriptions, subscribers and requests that have a number.
    numbers: Vec<u64>,
    conferences: BTreeMap<u64, BTreeSet<String>>,
    is_over: bool,
}

impl Promises {
    pub(super) fn new_ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    /// One of the latest sessions, or one that nobody has heard of.
    pub(super) fn session(&self, which: usize) -> String {
        let latest = self.sessions.len().checked_sub(1 + which % 8);
        latest.map_or_else(
            || "00000000-0000-4000-8000-000000000000".into(),
            |index| self.sessions[index].clone(),
        )
    }

    pub(super) fn session_id(&self, which: usize) -> Option<SessionId> {
        self.session(which).parse().ok()
    }

    pub(super) fn number(&self, which: usize) -> u64 {
        let latest = self.numbers.len().checked_sub(1 + which % 8);
        latest.map_or(which as u64, |index| self.numbers[index])
    }

    pub(super) fn take_event(&mut self, event: &Event) {
        assert!(!self.is_over, "{event:?} after the end");
        let event = serde_json::to_value(event).expect("events are plain data");
        assert!(!event.to_string().contains(PASSWORD), "{event}");
        let kind = event["type"].as_str().expect("events have a type");
        self.is_over = kind == "closed";
        match kind {
            "conference" => return self.take_conference(&event),
            "subscriptionRequest" | "callRequested" => self.numbers.extend(event["id"].as_u64()),
            _another => {}
        }
        let id = event.get("id").or_else(|| event["session"].get("id"));
        let Some(id) = id.and_then(Value::as_str) else {
            return;
        };
        if !self.stories.contains_key(id) {
            self.sessions.push(id.to_owned());
        }
        let story = self.stories.entry(id.to_owned()).or_default();
        story.push(kind.to_owned());
    }

    pub(super) fn take_reply(&mut self, ticket: Ticket, reply: &Result<Reply, PhoneError>) {
        if let Ok(Reply::Subscription { subscription }) = reply {
            self.numbers.push(*subscription);
        }
        if let Err(error) = reply {
            assert!(!error.to_string().contains(PASSWORD), "{error}");
        }
        *self.replies.entry(ticket.0).or_default() += 1;
    }

    fn take_conference(&mut self, event: &Value) {
        let id = event["id"].as_u64().expect("conferences have numbers");
        let news = &event["news"];
        let session = || news["session"].as_str().unwrap_or_default().to_owned();
        let known = self.conferences.get_mut(&id);
        match (news["type"].as_str().unwrap_or_default(), known) {
            ("started", None) => assert!(self.conferences.insert(id, BTreeSet::new()).is_none()),
            ("joined", Some(members)) => assert!(members.insert(session()), "{event}"),
            ("left", Some(members)) => assert!(members.remove(&session()), "{event}"),
            ("ended", Some(members)) => {
                assert!(members.is_empty(), "{event}: {members:?}");
                self.conferences.remove(&id);
            }
            (_, Some(_)) => {}
            (_, None) => panic!("{event} of none"),
        }
        let mut seen = BTreeSet::new();
        for member in self.conferences.values().flatten() {
            assert!(seen.insert(member), "{member} is in two conferences");
        }
    }

    /// Each command was settled once; each pending session came to one outcome, each started one to one end.
    pub(super) fn check(&self) {
        let unsettled = (1..=self.tickets).find(|ticket| self.replies.get(ticket) != Some(&1));
        assert_eq!(unsettled, None, "of {:?}", self.replies);
        assert!(!self.rings, "it rings for ever");
        assert!(self.conferences.is_empty(), "{:?}", self.conferences);
        for (id, story) in &self.stories {
            check_story(id, story);
        }
    }
}

fn check_story(id: &str, story: &[String]) {
    let count = |kind: &str| story.iter().filter(|known| *known == kind).count();
    let (pending, started) = (count("pendingSession"), count("sessionStarted"));
    let unstarted = count("cancelPendingSession") + count("handledPendingSession");
    assert!(pending <= 1 && started <= 1, "{id}: {story:?}");
    if pending == 1 {
        assert_eq!(started + unstarted, 1, "{id}: {story:?}");
    }
    assert_eq!(count("terminated"), started, "{id}: {story:?}");
    let (came, went) = (count("streamAvailable"), count("streamUnavailable"));
    assert_eq!(came, went, "{id}: {story:?}");
    assert_eq!(count("sessionEnded"), started, "{id}: {story:?}");
    if started == 1 {
        assert_eq!(
            story.last().map(String::as_str),
            Some("sessionEnded"),
            "{id}: {story:?}"
        );
    }
}
