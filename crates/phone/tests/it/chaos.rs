//! Two phones, a network that breaks, users who change their minds: whatever happens, every
//! pending id has one outcome, every session one end, every command one reply.

use std::collections::BTreeMap;
use std::time::Duration;

use phone::conference::News;
use phone::media::{MediaFailure, MediaRefusal};
use phone::{ConferenceId, Connection, Event, MediaEvent, SessionId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::harness::{Media, Pair, Rig};

#[test]
fn whatever_happens_every_id_has_one_outcome() {
    for seed in 0..60 {
        let mut chaos = Chaos::new(seed);
        for _ in 0..80 {
            chaos.step();
        }
        chaos.end();
    }
}

struct Chaos {
    seed: u64,
    rng: StdRng,
    pair: Pair,
    /// How many connection attempts of each phone were answered.
    answered: [usize; 2],
    /// The subscribers of each phone that were accepted.
    accepted: [Vec<u64>; 2],
}

impl Chaos {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let policy = ["off", "always", "function", "announced"][rng.random_range(0..4)];
        let busy = ["ring", "answer", "reject"][rng.random_range(0..3)];
        let mut pair = Pair::new(json!({
            "sessionSurvivability": rng.random_bool(0.7),
            "autoConnectSessions": rng.random_bool(0.8),
            "autoAnswer": { "policy": policy, "whenBusy": busy },
            "noAnswerTimeout": 10_000,
            "holdOthers": rng.random_bool(0.5),
            "notifies": ["conference"],
            "tones": rng.random_bool(0.5),
        }));
        for rig in &mut pair.rigs {
            if rng.random_bool(0.5) {
                rig.media_mode = Media::Manual;
            }
            rig.listens = rng.random_bool(0.8);
        }
        Self {
            seed,
            rng,
            pair,
            answered: [1, 1],
            accepted: [Vec::new(), Vec::new()],
        }
    }

    fn step(&mut self) {
        let who = self.rng.random_range(0..2);
        match self.rng.random_range(0..16) {
            0..3 => self.command(who, "call"),
            3..6 => self.user(who),
            6..9 => self.media(who),
            9 => self.break_line(who),
            10 => {
                let millis = self.rng.random_range(0..8000);
                self.pair.advance(Duration::from_millis(millis));
            }
            11 => {
                let kinds = ["reconnect", "register", "unregister"];
                let kind = kinds[self.rng.random_range(0..3)];
                self.command(who, kind);
            }
            12..14 => self.subscription(who),
            _ => self.pair.carry(),
        }
        self.answer_lines();
    }

    fn command(&mut self, who: usize, kind: &str) {
        let command = match kind {
            "call" => {
                let target = ["alice", "bob", "nobody"][self.rng.random_range(0..3)];
                json!({ "type": "call", "target": target, "options": { "timeout": 9000 } })
            }
            kind => json!({ "type": kind }),
        };
        let ticket = self.pair.rigs[who].command(command);
        if self.rng.random_bool(0.2) {
            self.pair.rigs[who].command(json!({ "type": "abort", "ticket": ticket }));
        }
    }

    fn user(&mut self, who: usize) {
        let Some(id) = self.any_session(who) else {
            return;
        };
        let command = match self.rng.random_range(0..18) {
            12..15 => return self.conference(who, id),
            15..18 => return self.transfer(who, id),
            9..12 => json!({ "type": "hold", "id": id, "held": self.rng.random_bool(0.6) }),
            0..3 => json!({ "type": "accept", "id": id }),
            3 if self.rng.random_bool(0.5) => json!({ "type": "reject", "id": id }),
            3 => json!({ "type": "redirect", "id": id, "target": "bob" }),
            4 => json!({ "type": "end", "id": id }),
            5 => json!({ "type": "connect", "id": id }),
            6 => json!({ "type": "sendDtmf", "id": id, "tones": "12" }),
            7 => json!({ "type": "autoAnswerDecision", "id": id, "answer": true }),
            _ => json!({ "type": "delivered", "id": id }),
        };
        let ticket = self.pair.rigs[who].command(command);
        if self.rng.random_bool(0.1) {
            self.pair.rigs[who].command(json!({ "type": "abort", "ticket": ticket }));
        }
    }

    /// Somebody subscribes, or tells who does, by numbers that may be of nobody.
    fn subscription(&mut self, who: usize) {
        let target = ["bob", "alice"][who];
        let asked = self.pair.rigs[who].events.iter().rev();
        let mut asked = asked.filter_map(|event| match event {
            Event::SubscriptionRequest(request) => Some(request.id),
            _ => None,
        });
        let id = asked.next().unwrap_or(1);
        let command = match self.rng.random_range(0..8) {
            0..3 => json!({ "type": "subscribe", "target": target, "event": "conference" }),
            3..5 => json!({ "type": "acceptSubscription", "notifier": id, "body": "state" }),
            5 => json!({ "type": "notify", "notifier": id, "body": "another" }),
            6 => json!({ "type": "terminateNotifier", "notifier": id, "reason": "deactivated" }),
            _ => json!({ "type": "unsubscribe", "subscription": id }),
        };
        let accepts = command["type"] == "acceptSubscription";
        let ticket = self.pair.rigs[who].command(command);
        if accepts && matches!(self.pair.rigs[who].reply(ticket), Some(Ok(_))) {
            self.accepted[who].push(id);
        }
    }

    fn conference(&mut self, who: usize, id: SessionId) {
        let conference = self.rng.random_range(1..4);
        let request = match self.rng.random_range(0..9) {
            0..3 => {
                let sessions = [id, self.any_session(who).unwrap_or(id)];
                let command = json!({ "type": "confer", "sessions": sessions });
                self.pair.rigs[who].command(command);
                return;
            }
            3 => json!({ "type": "add", "session": id }),
            4 => json!({ "type": "remove", "session": id }),
            5 => json!({ "type": "hold", "held": self.rng.random_bool(0.6) }),
            6 => json!({ "type": "mute", "session": id, "muted": self.rng.random_bool(0.6) }),
            7 => json!({ "type": "end" }),
            _ => json!({ "type": "dissolve" }),
        };
        let command = json!({ "type": "conference", "id": conference, "request": request });
        self.pair.rigs[who].command(command);
    }

    fn transfer(&mut self, who: usize, id: SessionId) {
        let other = self.any_session(who).unwrap_or(id);
        let ringing = ["wait", "blind"][self.rng.random_range(0..2)];
        let command = match self.rng.random_range(0..7) {
            0 => json!({ "type": "transfer", "id": id, "target": "carol" }),
            1..4 => {
                json!({ "type": "attendedTransfer", "id": id, "other": other, "ringing": ringing })
            }
            4 => json!({ "type": "acceptTransfer", "id": id }),
            5 => json!({ "type": "rejectTransfer", "id": id }),
            _ => json!({ "type": "sendEarlyMedia", "id": id }),
        };
        let ticket = self.pair.rigs[who].command(command);
        if self.rng.random_bool(0.2) {
            self.pair.rigs[who].command(json!({ "type": "abort", "ticket": ticket }));
        }
    }

    fn media(&mut self, who: usize) {
        let Some(id) = self.any_session(who) else {
            return;
        };
        let reason = String::from("chaos");
        let refusal = MediaRefusal::Incompatible;
        let failure = MediaFailure::Consent;
        let event = match self.rng.random_range(0..11) {
            0..4 => MediaEvent::Described {
                sdp: "v=0\r\n".into(),
            },
            4 => MediaEvent::AnswerApplied,
            5 => MediaEvent::Connected,
            6 => MediaEvent::Interrupted,
            7 => MediaEvent::Refused { refusal, reason },
            8 => MediaEvent::Failed { failure, reason },
            9 => MediaEvent::EarlyAnswerRefused { reason },
            _ => MediaEvent::Crashed { reason },
        };
        self.pair.rigs[who].media_event(id, event);
    }

    fn break_line(&mut self, who: usize) {
        let rig = &mut self.pair.rigs[who];
        rig.down();
        rig.outbox.clear();
    }

    fn answer_lines(&mut self) {
        for who in 0..2 {
            let rig = &mut self.pair.rigs[who];
            if rig.connects.len() > self.answered[who] {
                self.answered[who] = rig.connects.len();
                match self.rng.random_bool(0.7) {
                    true => rig.up(),
                    false => rig.connection(Connection::Refused {
                        code: phone::ErrorCode::ConnectionFailed,
                        reason: "chaos".into(),
                    }),
                }
            }
        }
    }

    fn any_session(&mut self, who: usize) -> Option<SessionId> {
        let ids: Vec<SessionId> = named(&self.pair.rigs[who])
            .into_iter()
            .filter_map(|(kind, id)| {
                let begins = ["pendingSession", "sessionStarted", "autoAnswerQuery"];
                begins.contains(&kind.as_str()).then_some(id)
            })
            .collect();
        match ids.len() {
            0 => None,
            // The latest are the most interesting.
            n => Some(ids[n - 1 - self.rng.random_range(0..n.min(4))]),
        }
    }

    fn end(mut self) {
        for rig in &mut self.pair.rigs {
            rig.command(json!({ "type": "destroy" }));
        }
        self.pair.advance(Duration::from_secs(3));
        for rig in &self.pair.rigs {
            assert!(rig.closed, "seed {}: the phone does not close", self.seed);
            assert_eq!(rig.unsettled(), Vec::<u64>::new(), "seed {}", self.seed);
            assert_eq!(rig.ringing, None, "seed {}", self.seed);
            check(rig, self.seed);
            check_conferences(rig, self.seed);
        }
        for (rig, accepted) in self.pair.rigs.iter().zip(&mut self.accepted) {
            check_subscribers(rig, accepted, self.seed);
        }
    }
}

/// Every event about a session, by its name.
fn named(rig: &Rig) -> Vec<(String, SessionId)> {
    rig.events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .filter_map(|event| {
            let id = event.get("id").or_else(|| event["session"].get("id"));
            let id = id.and_then(Value::as_str)?.parse().ok()?;
            Some((event["type"].as_str()?.to_owned(), id))
        })
        .collect()
}

fn check(rig: &Rig, seed: u64) {
    let mut stories: BTreeMap<SessionId, Vec<String>> = BTreeMap::new();
    for (kind, id) in named(rig) {
        stories.entry(id).or_default().push(kind);
    }
    for (id, story) in stories {
        let count = |kinds: &[&str]| story.iter().filter(|k| kinds.contains(&k.as_str())).count();
        let outcomes = [
            "sessionStarted",
            "cancelPendingSession",
            "handledPendingSession",
        ];
        if count(&["pendingSession"]) > 0 {
            assert_eq!(
                count(&["pendingSession"]),
                1,
                "seed {seed}, {id}: {story:?}"
            );
            assert_eq!(count(&outcomes), 1, "seed {seed}, {id}: {story:?}");
        }
        let started = count(&["sessionStarted"]);
        assert!(started <= 1, "seed {seed}, {id}: {story:?}");
        assert_eq!(
            count(&["terminated"]),
            started,
            "seed {seed}, {id}: {story:?}"
        );
        assert_eq!(
            count(&["sessionEnded"]),
            started,
            "seed {seed}, {id}: {story:?}"
        );
        if started == 1 {
            assert_eq!(
                story.last().unwrap(),
                "sessionEnded",
                "seed {seed}, {id}: {story:?}"
            );
        }
    }
}

/// Each subscriber that was accepted comes to one end.
fn check_subscribers(rig: &Rig, accepted: &mut [u64], seed: u64) {
    let ends = rig.events.iter().filter_map(|event| match event {
        Event::NotifierEnded { notifier, .. } => Some(*notifier),
        _ => None,
    });
    let mut ended: Vec<u64> = ends.collect();
    accepted.sort_unstable();
    ended.sort_unstable();
    assert_eq!(ended, accepted, "seed {seed}");
}

/// Each conference begins and ends once, and whoever joins leaves; nobody is in two.
fn check_conferences(rig: &Rig, seed: u64) {
    let mut open = BTreeMap::new();
    let mut members: BTreeMap<SessionId, ConferenceId> = BTreeMap::new();
    for event in &rig.events {
        let Event::Conference { id, news } = event else {
            continue;
        };
        match news {
            News::Started => assert!(open.insert(*id, true).is_none(), "seed {seed}, {id:?}"),
            News::Joined { session } => {
                let other = members.insert(*session, *id);
                assert_eq!(other, None, "seed {seed}, {session} joins {id:?}");
            }
            News::Left { session } => {
                let from = members.remove(session);
                assert_eq!(from, Some(*id), "seed {seed}, {session} leaves {id:?}");
            }
            News::Ended => {
                assert_eq!(open.insert(*id, false), Some(true), "seed {seed}, {id:?}");
            }
            News::Held { .. }
            | News::Muted { .. }
            | News::Warning { .. }
            | News::WarningCleared { .. } => {
                assert_eq!(open.get(id), Some(&true), "seed {seed}, {id:?}");
            }
        }
    }
    assert!(open.values().all(|open| !open), "seed {seed}: {open:?}");
    assert_eq!(members, BTreeMap::new(), "seed {seed}");
}
