//! What the far end's sound means: speech, the network's tones, who has answered.
//!
//! ```text
//! 10 ms at any rate ─┬─ 16 kHz ─ voice ─┬─ turns ───▶ SpeechStarted, SpeechEnded
//!                    │                  └─ answer ──▶ AnsweredBy
//!                    └─ 8 kHz ─ spectrum ─┬─ progress ▶ Tone (ringback, busy, …)
//!                                         └─ beep ────▶ Tone (beep)
//! ```

mod answer;
mod beep;
mod progress;
mod spectrum;
mod turns;
mod voice;

use std::time::Duration;

use crate::Rate;
use crate::resample::Resampler;

use answer::Answer;
use beep::Beeps;
use progress::Progress;
use spectrum::{Sounds, Spectrum};
use turns::Turns;
use voice::VoiceDetector;

/// What somebody wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// When speech begins and ends: with so much silence it has ended.
    pub speech: Option<Duration>,
    /// The network's tones, and beeps.
    pub tones: bool,
    /// Who has answered.
    pub answerer: bool,
    /// The call has been answered: what is heard now is no announcement of the network.
    pub answered: bool,
}

/// Something that was heard.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Somebody speaks, since 64 ms.
    SpeechStarted {
        /// How loud it is, 0 to 1 as W3C's `audioLevel`.
        level: f32,
    },
    /// It has been silent for as long as was wanted.
    SpeechEnded {
        /// How loud the speech was on average, in the same unit.
        level: f32,
        /// From its begin to its end, without the silence behind it.
        duration: Duration,
    },
    /// A tone was recognised.
    Tone {
        /// What it means.
        tone: ToneKind,
        /// What it is made of, in Hz, to within a few.
        frequencies: Vec<u32>,
    },
    /// Who has answered; told once.
    AnsweredBy {
        /// A person, or a machine.
        answerer: Answerer,
        /// How sure that is, ½ to 1.
        confidence: f32,
    },
}

/// What a tone means (ITU-T E.180, E.182).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToneKind {
    /// The other telephone rings.
    Ringback,
    /// The other party is busy.
    Busy,
    /// No line is free; reorder in America.
    Congestion,
    /// Three rising tones before an announcement: the number can't be called.
    SpecialInformation,
    /// A machine is ready to record.
    Beep,
}

/// Who has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answerer {
    /// A person.
    Human,
    /// An answering machine, or an announcement.
    Machine,
}

/// A tone that is modulated comes and goes within so many blocks.
const BEATS: u32 = 3;

/// Listens to one far end; made only while somebody wants to know.
#[derive(Debug)]
pub struct Listener {
    wanted: Wanted,
    wide: Converter,
    voice: VoiceDetector,
    narrow: Converter,
    spectrum: Spectrum,
    /// For so many blocks what is heard belongs to a tone, which a detector of voices may take for one.
    tonal: u32,
    turns: Option<Turns>,
    answer: Option<Answer>,
    tones: Option<(Progress, Beeps)>,
}

impl Listener {
    /// Creates an ear that has heard nothing.
    pub fn new(wanted: Wanted) -> Self {
        let mut ear = Self {
            wanted: Wanted::default(),
            wide: Converter::new(Rate::Hz16000),
            voice: VoiceDetector::new(),
            narrow: Converter::new(Rate::Hz8000),
            spectrum: Spectrum::new(),
            tonal: 0,
            turns: None,
            answer: None,
            tones: None,
        };
        ear.want(wanted);
        ear
    }

    /// Listens for something else from now on; what goes on is not forgotten.
    pub fn want(&mut self, wanted: Wanted) {
        self.wanted = wanted;
        match (&mut self.turns, wanted.speech) {
            (_, None) => self.turns = None,
            (Some(turns), Some(silence)) => turns.set_silence(silence),
            (None, Some(silence)) => self.turns = Some(Turns::new(silence)),
        }
        let answer = wanted.answerer && wanted.answered;
        self.answer = answer.then(|| self.answer.take().unwrap_or_default());
        let tones = wanted.tones || wanted.answerer;
        self.tones = tones.then(|| self.tones.take().unwrap_or_default());
    }

    /// Takes 10 ms, and says what they tell.
    pub fn push(&mut self, rate: Rate, samples: &[i16], mut tell: impl FnMut(Heard)) {
        let block = self.spectrum.push(self.narrow.convert(rate, samples));
        if let Some(block) = &block {
            self.tonal = match block.tonal {
                true => BEATS,
                false => self.tonal.saturating_sub(1),
            };
        }
        if let Some(mut frame) = self.voice.judge(self.wide.convert(rate, samples)) {
            frame.stands_out &= self.tonal == 0;
            if let Some((_, beeps)) = self.tones.as_mut().filter(|_| frame.is_speech()) {
                beeps.hear_speech();
            }
            let turn = self.turns.as_mut().and_then(|turns| turns.push(frame));
            let answer = self.answer.as_mut().and_then(|answer| answer.push(frame));
            turn.into_iter().chain(answer).for_each(&mut tell);
        }
        if let Some(block) = block {
            self.hear_tones(&block, tell);
        }
    }

    fn hear_tones(&mut self, block: &Sounds, mut tell: impl FnMut(Heard)) {
        let Some((progress, beeps)) = &mut self.tones else {
            return;
        };
        let Wanted {
            tones, answered, ..
        } = self.wanted;
        if let Some((kind, frequencies)) = progress.push(block, self.spectrum.samples())
            && tones
        {
            tell(tone(kind, &frequencies));
        }
        if let Some(hz) = beeps.push(block)
            && answered
        {
            progress.forget();
            if tones {
                tell(tone(ToneKind::Beep, &[hz]));
            }
            let machine = self.answer.as_mut().and_then(Answer::beep);
            machine.into_iter().for_each(tell);
        }
    }
}

fn tone(tone: ToneKind, frequencies: &[f32]) -> Heard {
    let frequencies = frequencies.iter().map(|hz| hz.round() as u32).collect();
    Heard::Tone { tone, frequencies }
}

/// Brings sound of any rate to one; a codec may change in a call.
#[derive(Debug)]
struct Converter {
    to: Rate,
    from: Option<(Rate, Resampler)>,
    out: Vec<i16>,
}

impl Converter {
    fn new(to: Rate) -> Self {
        Self {
            to,
            from: None,
            out: Vec::with_capacity(to.samples_per_tick() + 8),
        }
    }

    fn convert(&mut self, rate: Rate, samples: &[i16]) -> &[i16] {
        if self.from.as_ref().is_none_or(|(from, _)| *from != rate) {
            self.from = Some((rate, Resampler::new(rate, self.to)));
        }
        self.out.clear();
        if let Some((_, resampler)) = &mut self.from {
            resampler.process(samples, &mut self.out);
        }
        &self.out
    }
}

#[cfg(test)]
mod tests;
