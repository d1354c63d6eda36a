//! What the application is told: one ordered stream for each phone.

use phone::level::Level;
use phone::{ConferenceId, PhoneError, SessionId, Ticket};
use serde::Serialize;

use crate::audio::Levels;
use crate::heard::{AnsweredBy, HeardTone};

/// One thing for the application, in the order in which it happened.
///
/// In JSON a phone's event is written as it is, and ours have a `type` beside them.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Event {
    /// Of the phone itself; `closed` is the last of the stream but for the reply to `destroy`.
    Phone(phone::Event),
    /// Of the runtime around it.
    Runtime(RuntimeEvent),
}

/// What the runtime says.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum RuntimeEvent {
    /// The outcome of a command; it comes after the events that the command caused.
    Reply {
        /// The command's ticket.
        ticket: Ticket,
        /// What it gave; absent if it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<serde_json::Value>,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<PhoneError>,
    },
    /// The figures of a session's last second; a newer one makes an older one worthless.
    Stats {
        /// The session.
        id: SessionId,
        /// The figures in short.
        stats: serde_json::Value,
    },
    /// How loud a session was in the last 100 ms, 0 to 1 as W3C's `audioLevel`; a newer one makes an older one worthless.
    Level {
        /// The session.
        id: SessionId,
        /// What its input gives.
        local: f32,
        /// What its far end says.
        remote: f32,
    },
    /// The far end of a session began to speak.
    SpeechStarted {
        /// The session.
        id: SessionId,
        /// How loud it is, 0 to 1 as W3C's `audioLevel`.
        level: f32,
    },
    /// The far end of a session has ended to speak.
    SpeechEnded {
        /// The session.
        id: SessionId,
        /// How loud it was on average, in the same unit.
        level: f32,
        /// Milliseconds that it spoke, without the silence behind.
        duration: u32,
    },
    /// The far end of a session, or the network in its place, gives a tone.
    ToneHeard {
        /// The session.
        id: SessionId,
        /// What it means.
        tone: HeardTone,
        /// What it is made of, in Hz.
        frequencies: Vec<u32>,
    },
    /// It is known who has answered.
    AnsweredBy {
        /// The session.
        id: SessionId,
        /// A person, or a machine.
        answerer: AnsweredBy,
        /// How sure that is, ½ to 1.
        confidence: f32,
    },
    /// How loud everybody in a conference was in the last 100 ms; a newer one makes an older one worthless.
    Levels {
        /// The conference.
        conference: ConferenceId,
        /// Whoever sits at this machine, if somebody does: 0 to 1, as W3C's `audioLevel`.
        local: Option<f32>,
        /// The members, in the same unit.
        members: Vec<MemberLevel>,
    },
}

/// How loud one member of a conference was.
#[derive(Debug, Clone, Serialize)]
pub struct MemberLevel {
    /// The session.
    pub id: SessionId,
    /// 0 to 1, as W3C's `audioLevel`.
    pub level: f32,
}

/// Of whom the figures in an event are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figures {
    /// Of a session.
    Session(SessionId),
    /// Of how loud it is.
    Level(SessionId),
    /// Of a conference.
    Conference(ConferenceId),
}

impl Event {
    pub(crate) fn reply(ticket: Ticket, outcome: Result<serde_json::Value, PhoneError>) -> Event {
        let (value, error) = match outcome {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error)),
        };
        Event::Runtime(RuntimeEvent::Reply {
            ticket,
            value,
            error,
        })
    }

    pub(crate) fn stats(id: SessionId, stats: serde_json::Value) -> Event {
        Event::Runtime(RuntimeEvent::Stats { id, stats })
    }

    /// A line of the log that no session says.
    pub(crate) fn warning(message: String) -> Event {
        Event::Phone(phone::Event::Trace {
            level: Level::Warn,
            message,
            details: serde_json::Value::Null,
        })
    }

    pub(crate) fn dropped_traces(dropped: u64) -> Event {
        Event::Phone(phone::Event::Trace {
            level: Level::Warn,
            message: format!("{dropped} lines were dropped: JavaScript did not read them in time"),
            details: serde_json::json!({ "dropped": dropped }),
        })
    }

    pub(crate) fn level(id: SessionId, [local, remote]: [f32; 2]) -> Event {
        Event::Runtime(RuntimeEvent::Level {
            id,
            local: rounded(local),
            remote: rounded(remote),
        })
    }

    pub(crate) fn levels(conference: ConferenceId, levels: Levels) -> Event {
        let member = |(id, level)| MemberLevel {
            id,
            level: rounded(level),
        };
        Event::Runtime(RuntimeEvent::Levels {
            conference,
            local: levels.local.map(rounded),
            members: levels.members.into_iter().map(member).collect(),
        })
    }

    /// Of whom nothing more comes after this event.
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "of all the phone's events only these end something that has figures"
    )]
    pub fn ends_figures_of(&self) -> impl Iterator<Item = Figures> + use<> {
        let ended = match self {
            Event::Phone(phone::Event::SessionEnded { id, .. }) => {
                [Some(Figures::Session(*id)), Some(Figures::Level(*id))]
            }
            Event::Phone(phone::Event::Conference {
                id,
                news: phone::conference::News::Ended,
            }) => [Some(Figures::Conference(*id)), None],
            _ => [None, None],
        };
        ended.into_iter().flatten()
    }

    /// Whose earlier, still unread figures this event makes worthless.
    pub fn replaces_figures_of(&self) -> Option<Figures> {
        match self {
            Event::Runtime(RuntimeEvent::Stats { id, .. }) => Some(Figures::Session(*id)),
            Event::Runtime(RuntimeEvent::Level { id, .. }) => Some(Figures::Level(*id)),
            Event::Runtime(RuntimeEvent::Levels { conference, .. }) => {
                Some(Figures::Conference(*conference))
            }
            Event::Runtime(
                RuntimeEvent::Reply { .. }
                | RuntimeEvent::SpeechStarted { .. }
                | RuntimeEvent::SpeechEnded { .. }
                | RuntimeEvent::ToneHeard { .. }
                | RuntimeEvent::AnsweredBy { .. },
            )
            | Event::Phone(_) => None,
        }
    }
}

/// Four decimals are enough for a meter and keep the event short.
fn rounded(level: f32) -> f32 {
    (level * 1e4).round() / 1e4
}

/// Where a phone's events go; dropped when the last one was sent.
pub trait EventSink: Send {
    /// Takes the next event; called on the phone's task, so it must not block.
    fn send(&mut self, event: Event);

    /// How many octets of events the application has not read yet, lines of the log apart: above some MiB the phone asks its
    /// peers to come later. Whoever reads at once has none.
    fn unread(&self) -> usize {
        0
    }
}

impl<F: FnMut(Event) + Send> EventSink for F {
    fn send(&mut self, event: Event) {
        self(event);
    }
}
