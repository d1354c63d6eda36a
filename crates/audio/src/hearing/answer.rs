//! Who has answered: a person says a word and waits, a machine says sentences.

use super::voice::Spoken;
use super::{Answerer, Heard};

/// Milliseconds after which it is told whatever has been heard, with room for the way to the application.
const LATEST: u32 = 2_900;
/// So much silence behind a greeting is that of somebody who waits for an answer.
const WAITS: u32 = 560;
/// A person's greeting is hardly longer than this.
const LONGEST_GREETING: u32 = 1_700;
/// Who speaks on for so long says more than a greeting.
const ANNOUNCEMENT: u32 = 2_100;
/// Frames of speech before a greeting counts as begun: a click of the line has fewer.
const TO_BEGIN: u32 = 3;

/// What was heard since the call was answered.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// All in milliseconds since the answer.
    now: u32,
    /// Frames of speech in a row.
    run: u32,
    begin: Option<u32>,
    end: u32,
    told: bool,
}

impl Answer {
    /// A beep was heard.
    pub(super) fn beep(&mut self) -> Option<Heard> {
        self.tell(Answerer::Machine, 0.98)
    }

    pub(super) fn push(&mut self, frame: Spoken) -> Option<Heard> {
        self.now += Spoken::MILLISECONDS;
        self.run = if frame.is_speech() { self.run + 1 } else { 0 };
        if self.run >= TO_BEGIN {
            let begin = self.now - TO_BEGIN * Spoken::MILLISECONDS;
            self.begin.get_or_insert(begin);
            self.end = self.now;
        }
        let (answerer, confidence) = self.judge()?;
        self.tell(answerer, confidence)
    }

    fn tell(&mut self, answerer: Answerer, confidence: f32) -> Option<Heard> {
        (!std::mem::replace(&mut self.told, true)).then_some(Heard::AnsweredBy {
            answerer,
            confidence,
        })
    }

    fn judge(&self) -> Option<(Answerer, f32)> {
        let late = self.now >= LATEST;
        let Some(begin) = self.begin else {
            // A person would have said something.
            return late.then_some((Answerer::Machine, 0.6));
        };
        let greeting = self.end - begin;
        let waits = self.now - self.end >= WAITS;
        if greeting >= ANNOUNCEMENT {
            return Some((Answerer::Machine, 0.9));
        }
        if waits && greeting <= LONGEST_GREETING {
            return Some((Answerer::Human, human(greeting)));
        }
        if waits {
            return Some((Answerer::Machine, 0.6));
        }
        late.then_some(match greeting > LONGEST_GREETING * 7 / 8 {
            true => (Answerer::Machine, 0.7),
            false => (Answerer::Human, 0.6),
        })
    }
}

/// A short greeting is a person's; a longer one may be either's.
fn human(greeting: u32) -> f32 {
    let part = greeting as f32 / LONGEST_GREETING as f32;
    0.95 - 0.35 * part.powi(2)
}
