//! What holds in each cell, read from what a phone has said.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::Rig;

/// One session as the application has seen it.
#[derive(Debug, Default, Clone)]
pub(super) struct Story {
    pub(super) call_id: String,
    kinds: Vec<String>,
    pub(super) state: String,
    pub(super) connection: String,
    pub(super) is_interrupted: bool,
    /// Why it ended.
    pub(super) condition: Option<String>,
}

impl Story {
    fn count(&self, kind: &str) -> usize {
        self.kinds.iter().filter(|known| *known == kind).count()
    }

    pub(super) fn has_started(&self) -> bool {
        self.count("sessionStarted") > 0
    }

    pub(super) fn is_open(&self) -> bool {
        self.condition.is_none()
    }

    /// Answered, and both ends hear each other.
    pub(super) fn is_well(&self) -> bool {
        self.state == "active" && self.connection == "connected" && !self.is_interrupted
    }

    fn note(&mut self, event: &Value) {
        let kind = event["type"].as_str().unwrap_or_default();
        self.kinds.push(kind.to_owned());
        let set = |text: &mut String, value: &Value| {
            if let Some(value) = value.as_str() {
                value.clone_into(text);
            }
        };
        let facts = match kind {
            "sessionStarted" => &event["session"],
            "sessionChanged" => &event["changes"],
            _ => event,
        };
        set(&mut self.call_id, &facts["callId"]);
        set(&mut self.state, &facts["state"]);
        set(&mut self.connection, &facts["connectionState"]);
        self.is_interrupted = facts["interrupted"]
            .as_bool()
            .unwrap_or(self.is_interrupted);
        let reason = match kind {
            "terminated" => &event["reason"],
            "cancelPendingSession" | "handledPendingSession" => &event["details"]["reason"],
            _ => return,
        };
        self.condition = reason["condition"].as_str().map(str::to_owned);
    }
}

/// Every session that this phone has told of, in the order in which it did.
pub(super) fn stories(rig: &Rig) -> Vec<Story> {
    let mut order = Vec::new();
    let mut stories: BTreeMap<String, Story> = BTreeMap::new();
    for event in &rig.events {
        let event = serde_json::to_value(event).expect("events are plain data");
        let id = event.get("id").or_else(|| event["session"].get("id"));
        let Some(id) = id.and_then(Value::as_str) else {
            continue;
        };
        if !stories.contains_key(id) {
            order.push(id.to_owned());
        }
        stories.entry(id.to_owned()).or_default().note(&event);
    }
    order.iter().map(|id| stories[id].clone()).collect()
}

/// The guarantees that a phone without its JavaScript gives, of one that was destroyed: what is broken, in words.
pub(super) fn broken(rig: &Rig) -> Vec<String> {
    let mut broken = Vec::new();
    for story in stories(rig) {
        let (pending, started) = (story.count("pendingSession"), story.count("sessionStarted"));
        let refused = story.count("cancelPendingSession") + story.count("handledPendingSession");
        let first = story.kinds.first().map(String::as_str);
        let mut check = |holds: bool, what: &str| {
            if !holds {
                broken.push(format!("{what}: {:?}", story.kinds));
            }
        };
        check(
            pending == 0 || (pending == 1 && first == Some("pendingSession")),
            "1: pendingSession comes first",
        );
        check(
            pending == 0 || started + refused == 1,
            "2: one outcome of what was pending",
        );
        check(started <= 1, "2: it starts once");
        check(
            story.count("terminated") == started && story.count("sessionEnded") == started,
            "4: one end",
        );
        // What a transfer comes to may be told after the call that asked for it (RFC 5057 §4.2).
        let mut kinds = story.kinds.iter().map(String::as_str);
        let last = kinds.rfind(|kind| *kind != "transferProgress");
        check(
            started == 0 || last == Some("sessionEnded"),
            "4: sessionEnded is the last",
        );
    }
    let secret = |event: &phone::Event| {
        let text = serde_json::to_string(event).expect("events are plain data");
        text.contains("\"secret\"") || text.contains("response=")
    };
    if rig.events.iter().any(secret) {
        broken.push("9: a secret was told".into());
    }
    let unsettled = rig.unsettled();
    if !unsettled.is_empty() {
        broken.push(format!("5: never settled: {unsettled:?}"));
    }
    if !rig.closed {
        broken.push("8: it does not close".into());
    }
    if rig.ringing.is_some() {
        broken.push("it rings for ever".into());
    }
    if !format!("{:?}", rig.phone).contains("sessions: 0") {
        broken.push(format!("sessions are left: {:?}", rig.phone));
    }
    broken
}

/// 3 and 5: what comes before what.
pub(super) fn misplaced(rig: &Rig, ticket: u64, command: &Value) -> Option<String> {
    let Some(Ok(_)) = rig.replies.get(&ticket) else {
        return None;
    };
    let caused = match command["type"].as_str()? {
        "call" | "accept" => "sessionStarted",
        "end" => "terminated",
        "hold" => "sessionChanged",
        _ => return None,
    };
    let settled = rig.place_of_reply(ticket);
    let before = &rig.order[..settled];
    (!before.iter().any(|entry| entry == caused))
        .then(|| format!("5: {command} was settled before {caused}"))
}

/// A 200 to an INVITE that nobody had heard of.
pub(super) fn answered_unheard(rig: &Rig) -> Option<String> {
    let mut started = 0_usize;
    for entry in &rig.order {
        match entry.as_str() {
            "sessionStarted" => started += 1,
            "200 to INVITE" if started == 0 => {
                return Some("3: 200 before sessionStarted".into());
            }
            _ => {}
        }
    }
    None
}
