//! What an ear is asked and tells, in the words of the application.

use std::time::Duration;

use audio::hearing::{Answerer, Heard, ToneKind, Wanted};
use phone::SessionId;
use phone::media::Listening;
use serde::Serialize;

use crate::event::RuntimeEvent;

/// What a tone means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum HeardTone {
    /// The other telephone rings.
    Ringback,
    /// The other party is busy.
    Busy,
    /// No line is free.
    Congestion,
    /// The number can't be called; an announcement says why.
    SpecialInformation,
    /// A machine records from here on.
    Beep,
}

/// Who has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AnsweredBy {
    /// A person.
    Human,
    /// An answering machine, or an announcement.
    Machine,
}

pub(crate) fn wanted(listening: Listening) -> Wanted {
    let Listening {
        speech,
        tones,
        answerer,
        answered,
    } = listening;
    Wanted {
        speech: speech.map(|silence| Duration::from_millis(silence.into())),
        tones,
        answerer,
        answered,
    }
}

/// The event that tells this of a session.
pub(crate) fn event(id: SessionId, heard: Heard) -> RuntimeEvent {
    match heard {
        Heard::SpeechStarted { level } => RuntimeEvent::SpeechStarted {
            id,
            level: rounded(level),
        },
        Heard::SpeechEnded { level, duration } => RuntimeEvent::SpeechEnded {
            id,
            level: rounded(level),
            duration: duration.as_millis() as u32,
        },
        Heard::Tone { tone, frequencies } => RuntimeEvent::ToneHeard {
            id,
            tone: match tone {
                ToneKind::Ringback => HeardTone::Ringback,
                ToneKind::Busy => HeardTone::Busy,
                ToneKind::Congestion => HeardTone::Congestion,
                ToneKind::SpecialInformation => HeardTone::SpecialInformation,
                ToneKind::Beep => HeardTone::Beep,
            },
            frequencies,
        },
        Heard::AnsweredBy {
            answerer,
            confidence,
        } => RuntimeEvent::AnsweredBy {
            id,
            answerer: match answerer {
                Answerer::Human => AnsweredBy::Human,
                Answerer::Machine => AnsweredBy::Machine,
            },
            confidence: rounded(confidence),
        },
    }
}

/// Three decimals are enough for a person, and keep the event short.
fn rounded(value: f32) -> f32 {
    (value * 1e3).round() / 1e3
}
