use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::CheckCode;

/// What is looked at, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckName {
    /// The server's name.
    Dns,
    /// The proxy on the way to the server.
    Proxy,
    /// The TCP connection to the server.
    Tcp,
    /// Its TLS.
    Tls,
    /// The WebSocket.
    Websocket,
    /// The registration.
    Registration,
    /// A STUN server.
    Stun,
    /// A TURN server.
    Turn,
    /// The way to a TURN server and back.
    Relay,
    /// Whether UDP leaves the network.
    Udp,
    /// What the network does to addresses.
    Nat,
    /// The microphone.
    Microphone,
    /// The speaker.
    Speaker,
    /// This machine's clock, by what servers say.
    Clock,
    /// What the processor has left.
    Cpu,
}

impl CheckName {
    /// All of them.
    pub const ALL: [CheckName; 15] = [
        CheckName::Dns,
        CheckName::Proxy,
        CheckName::Tcp,
        CheckName::Tls,
        CheckName::Websocket,
        CheckName::Registration,
        CheckName::Stun,
        CheckName::Turn,
        CheckName::Relay,
        CheckName::Udp,
        CheckName::Nat,
        CheckName::Microphone,
        CheckName::Speaker,
        CheckName::Clock,
        CheckName::Cpu,
    ];
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckStatus {
    /// Well.
    Ok,
    /// It was not tried, and that is no fault.
    Skipped,
    /// Calls work, but not as they should.
    Warning,
    /// Calls don't work, or what was asked for does not.
    Failed,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was looked at.
    pub name: CheckName,
    /// What was found, in a word that stays.
    pub code: CheckCode,
    /// How it is.
    pub status: CheckStatus,
    /// What was found, in a sentence.
    pub found: String,
    /// What to do; null if there is nothing.
    pub advice: Option<String>,
    /// Milliseconds that it took.
    pub ms: u64,
    /// Figures and names.
    pub details: BTreeMap<&'static str, Value>,
}

impl Check {
    /// What a code says, and what was seen this time.
    pub fn new(name: CheckName, code: CheckCode, found: impl Into<String>) -> Check {
        Check {
            name,
            code,
            status: code.status(),
            found: found.into(),
            advice: code.advice().map(str::to_owned),
            ms: 0,
            details: BTreeMap::new(),
        }
    }

    /// The same with a figure or a name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Check {
        self.details.insert(name, value.into());
        self
    }

    /// The same with one that may not be known.
    #[must_use]
    pub fn with_known(self, name: &'static str, value: Option<impl Into<Value>>) -> Check {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The same with how long it took.
    #[must_use]
    pub fn took(mut self, time: Duration) -> Check {
        self.ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self
    }
}

/// Whether none of them has failed.
pub fn is_well<'a>(checks: impl IntoIterator<Item = &'a Check>) -> bool {
    let failed = |check: &Check| check.status == CheckStatus::Failed;
    !checks.into_iter().any(failed)
}
