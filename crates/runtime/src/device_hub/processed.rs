//! A microphone's sound for those who hear it: processed once for all that want the same, and never for nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use audio::{Frame, Rate};
use voice::{Preference, Processing, Processor};

use crate::audio::LinkWriter;
use crate::device::Microphone;

/// What a session wants done to its microphone's sound; a change counts from the next tick on.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedPreference(Arc<AtomicU8>);

impl SharedPreference {
    pub(crate) fn new(preference: Preference) -> SharedPreference {
        SharedPreference(Arc::new(AtomicU8::new(preference.to_bits())))
    }

    pub(crate) fn set(&self, preference: Preference) {
        self.0.store(preference.to_bits(), Relaxed);
    }

    fn get(&self) -> Preference {
        Preference::from_bits(self.0.load(Relaxed))
    }
}

/// Who hears a microphone.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) link: LinkWriter,
    preference: SharedPreference,
    /// As of this tick.
    wants: Processing,
}

impl Listener {
    pub(super) fn new(link: LinkWriter, preference: SharedPreference) -> Listener {
        Listener {
            link,
            preference,
            wants: Processing::NONE,
        }
    }

    /// Sees what fits in this tick.
    pub(super) fn decide(&mut self, hands_free: bool) {
        self.wants = self.preference.get().resolve(hands_free);
    }
}

/// A microphone with what is done to its sound.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) microphone: Microphone,
    pub(super) processors: Processors,
}

/// One for each kind of processing that somebody wants.
#[derive(Debug, Default)]
pub(super) struct Processors(Vec<Processed>);

#[derive(Debug)]
struct Processed {
    processor: Processor,
    frame: Frame,
}

impl Heard {
    pub(super) fn new(microphone: Microphone) -> Heard {
        Heard {
            microphone,
            processors: Processors::default(),
        }
    }
}

impl Processors {
    /// Processes a tick as these listeners have decided; `played` is what loudspeakers play in it.
    pub(super) fn process<'a>(
        &mut self,
        listeners: impl Iterator<Item = &'a Listener> + Clone,
        raw: &Frame,
        played: &Frame,
    ) {
        self.arrange(listeners.clone());
        for one in &mut self.0 {
            let wants = one.processor.processing();
            // Calls on hold don't read, and cost nothing.
            let mut heard = listeners
                .clone()
                .filter(|listener| !listener.link.is_full());
            if heard.any(|listener| listener.wants == wants) {
                one.frame = *raw;
                one.processor.render(played);
                one.processor.capture(&mut one.frame);
            }
        }
    }

    /// What a listener hears of the tick that was processed last.
    pub(super) fn heard_by<'a>(&'a self, listener: &Listener, raw: &'a Frame) -> &'a Frame {
        let same = |one: &&Processed| one.processor.processing() == listener.wants;
        self.0.iter().find(same).map_or(raw, |one| &one.frame)
    }

    /// Keeps exactly the processors that are wanted. One that is not any more does what is newly wanted: so a
    /// session that changes its preference keeps what was learnt of its room.
    fn arrange<'a>(&mut self, listeners: impl Iterator<Item = &'a Listener> + Clone) {
        let is_wanted = |processing| {
            let mut all = listeners.clone();
            all.any(|listener| listener.wants == processing)
        };
        let mut spare: Vec<Processed> = self
            .0
            .extract_if(.., |one| !is_wanted(one.processor.processing()))
            .collect();
        for wants in listeners.map(|listener| listener.wants) {
            let is_there = |one: &Processed| one.processor.processing() == wants;
            if wants.is_none() || self.0.iter().any(is_there) {
                continue;
            }
            let mut one = spare.pop().unwrap_or_else(|| Processed {
                processor: Processor::new(wants),
                frame: Frame::silence(Rate::Hz48000),
            });
            one.processor.set(wants);
            self.0.push(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{LinkReader, link};

    struct Room {
        processors: Processors,
        listeners: Vec<Listener>,
        readers: Vec<LinkReader>,
    }

    impl Room {
        fn with(preferences: &[&SharedPreference]) -> Room {
            let mut room = Room {
                processors: Processors::default(),
                listeners: Vec::new(),
                readers: Vec::new(),
            };
            for preference in preferences {
                let (writer, reader) = link();
                let listener = Listener::new(writer, (*preference).clone());
                room.listeners.push(listener);
                room.readers.push(reader);
            }
            room
        }

        /// A tick of a steady sound, and what each listener hears of it; those that are on hold don't read.
        fn tick(&mut self, hands_free: bool, on_hold: &[usize]) -> Vec<Frame> {
            let raw = raw();
            for listener in &mut self.listeners {
                listener.decide(hands_free);
            }
            self.processors
                .process(self.listeners.iter(), &raw, &Frame::silence(Rate::Hz48000));
            for listener in &mut self.listeners {
                let heard = *self.processors.heard_by(listener, &raw);
                listener.link.write(&heard);
            }
            let readers = self.readers.iter_mut().enumerate();
            readers
                .filter(|(index, _)| !on_hold.contains(index))
                .map(|(_, reader)| reader.read(Rate::Hz48000))
                .collect()
        }
    }

    fn raw() -> Frame {
        let wave: Vec<i16> = (0..480_i16).map(|n| (n % 48 - 24) * 300).collect();
        Frame::new(Rate::Hz48000, &wave).unwrap()
    }

    fn noise(wanted: bool) -> Preference {
        Preference {
            noise_suppression: Some(wanted),
            ..Preference::RAW
        }
    }

    #[test]
    fn what_nobody_wants_is_not_there_at_all() {
        let (raw_one, open) = (
            SharedPreference::new(Preference::RAW),
            SharedPreference::default(),
        );
        let mut room = Room::with(&[&raw_one, &open]);
        assert_eq!(room.tick(false, &[]), [raw(), raw()]);
        assert!(room.processors.0.is_empty());
        room.tick(true, &[]);
        assert_eq!(room.processors.0.len(), 1, "beside a loudspeaker");
        assert_eq!(room.tick(true, &[])[0], raw(), "and only for who wants it");
        room.tick(false, &[]);
        assert!(room.processors.0.is_empty());
    }

    #[test]
    fn sessions_that_want_the_same_share_it() {
        let quiet = SharedPreference::new(noise(true));
        let other = SharedPreference::new(noise(true));
        let mut room = Room::with(&[&quiet, &other]);
        for _ in 0..50 {
            let heard = room.tick(false, &[]);
            assert_eq!(heard[0], heard[1]);
        }
        assert_eq!(room.processors.0.len(), 1);
        assert_ne!(room.tick(false, &[])[0], raw());
        other.set(noise(false));
        assert_eq!(room.tick(false, &[])[1], raw(), "a change counts at once");
        assert_eq!(room.processors.0.len(), 1);
    }

    #[test]
    fn a_call_on_hold_costs_nothing_and_goes_on_afterwards() {
        let quiet = SharedPreference::new(noise(true));
        let mut room = Room::with(&[&quiet]);
        for _ in 0..20 {
            room.tick(false, &[0]);
        }
        let made = room.processors.0[0].frame;
        room.processors.0[0].frame = raw();
        room.tick(false, &[0]);
        assert_eq!(room.processors.0[0].frame, raw(), "nothing was made of it");
        room.readers[0].resume();
        room.tick(false, &[]);
        assert_ne!(room.processors.0[0].frame, raw());
        assert_ne!(room.processors.0[0].frame, made);
    }
}
