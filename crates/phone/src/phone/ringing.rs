//! The sounds around calls: a bell for the phone, ringback and call waiting for a session.

use super::Phone;
use crate::config::CallTones;
use crate::door::audio::{self, Ring, RingSound};
use crate::door::output::Output;
use crate::session::{Session, Tone};

impl Phone {
    /// Follows what has become of the calls. What sounds is never remembered but computed, so that nothing
    /// can go on ringing.
    pub(super) fn drive_ringing(&mut self) {
        if self.around.config.tones == CallTones::default() {
            return;
        }
        let waits = self
            .sessions
            .values()
            .any(|session| session.waits(self.around.now));
        let talking = || self.sessions.values().filter(|session| session.talks());
        let ring = match (waits, talking().any(Session::is_heard_alone)) {
            (true, false) if talking().next().is_some() => self.tone_for_a_conference(),
            (true, false) => self.bell(),
            (true, true) | (false, _) => None,
        };
        if ring != self.ringing {
            self.ringing = ring.clone();
            self.around.outputs.push_back(Output::Ring(ring));
        }
        let tones: Vec<_> = self
            .sessions
            .values()
            .map(|session| (session.id, self.tone(session, waits)))
            .collect();
        for (id, tone) in tones {
            self.act_on(id, |session, ctx| session.sound(tone, ctx));
        }
    }

    fn bell(&self) -> Option<Ring> {
        let audio = &self.around.config.audio;
        self.around.config.tones.ring.clone().map(|sound| Ring {
            sound,
            output: audio.ring.clone().unwrap_or_else(|| self.near_end()),
        })
    }

    /// No session of a conference is heard by itself, so that the tone has an output of its own.
    fn tone_for_a_conference(&self) -> Option<Ring> {
        let waiting = self.around.config.tones.call_waiting.clone();
        waiting.map(|cadence| Ring {
            sound: RingSound::Cadence(cadence),
            output: self.near_end(),
        })
    }

    /// Where what belongs to no call is heard; a file is what the calls write.
    fn near_end(&self) -> audio::Output {
        without_files(&self.around.config.audio.output)
    }

    fn tone(&self, session: &Session, waits: bool) -> Option<Tone> {
        let tones = &self.around.config.tones;
        if session.wants_ringback() && tones.ringback.is_some() {
            Some(Tone::Ringback)
        } else if waits
            && session.talks()
            && session.is_heard_alone()
            && tones.call_waiting.is_some()
        {
            Some(Tone::CallWaiting)
        } else {
            None
        }
    }
}

fn without_files(output: &audio::Output) -> audio::Output {
    match output {
        audio::Output::Wav { .. } => audio::Output::None,
        audio::Output::Several { outputs } => audio::Output::Several {
            outputs: outputs.iter().map(without_files).collect(),
        },
        audio::Output::Default
        | audio::Output::Device { .. }
        | audio::Output::Sink { .. }
        | audio::Output::None => output.clone(),
    }
}
