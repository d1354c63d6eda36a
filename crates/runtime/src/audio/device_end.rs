//! A session's end of a device that it may share: which one is in use during a change, and how well it goes.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use std::time::Duration;

use audio::gain::crossfade;
use audio::{Frame, Rate};

use super::{LinkReader, LinkWriter};

/// What a device did other than pass samples on, in samples at 48 kHz.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DeviceFigures {
    /// Silence given because nothing had come in time.
    pub(crate) synthesized: u64,
    /// How often that began.
    pub(crate) synthesized_events: u64,
    /// Thrown away because more had come than was taken.
    pub(crate) dropped: u64,
    /// How often that began.
    pub(crate) dropped_events: u64,
    /// Underruns and overruns inside the sound system itself.
    pub(crate) xruns: u64,
    /// All that went through the device.
    pub(crate) total: u64,
}

impl std::ops::AddAssign for DeviceFigures {
    fn add_assign(&mut self, more: DeviceFigures) {
        self.synthesized += more.synthesized;
        self.synthesized_events += more.synthesized_events;
        self.dropped += more.dropped;
        self.dropped_events += more.dropped_events;
        self.xruns += more.xruns;
        self.total += more.total;
    }
}

/// How a device goes for one session: written on the hub's tick, read on the session's.
#[derive(Debug)]
pub(crate) struct DeviceGauge {
    begun: AtomicBool,
    needs_room: AtomicBool,
    synthesized: AtomicU64,
    synthesized_events: AtomicU64,
    dropped: AtomicU64,
    dropped_events: AtomicU64,
    xruns: AtomicU64,
    total: AtomicU64,
    /// Half of the widest swing of a tick since somebody asked, as the device gives it; [`UNHEARD`] if it gave nothing.
    swing: AtomicU32,
}

const UNHEARD: u32 = u32::MAX;

impl Default for DeviceGauge {
    fn default() -> DeviceGauge {
        let nothing = AtomicU64::default;
        DeviceGauge {
            begun: AtomicBool::default(),
            needs_room: AtomicBool::default(),
            synthesized: nothing(),
            synthesized_events: nothing(),
            dropped: nothing(),
            dropped_events: nothing(),
            xruns: nothing(),
            total: nothing(),
            swing: AtomicU32::new(UNHEARD),
        }
    }
}

impl DeviceGauge {
    /// Sound goes through the device from now on.
    pub(crate) fn begin(&self) {
        self.begun.store(true, Release);
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.begun.load(Acquire)
    }

    /// The device can only be opened if the one before it is let go.
    pub(crate) fn ask_for_room(&self) {
        self.needs_room.store(true, Relaxed);
    }

    /// Takes note of what a microphone gives, before anything is done to it. A steady offset is no sound.
    pub(crate) fn hear(&self, frame: &Frame) {
        let lowest = frame.samples().iter().min().copied().unwrap_or_default();
        let highest = frame.samples().iter().max().copied().unwrap_or_default();
        let swing = (u32::from(highest.abs_diff(lowest))).div_ceil(2);
        // UNHEARD is the greatest of all, and gives way to anything.
        let _ = self.swing.fetch_update(Relaxed, Relaxed, |known| {
            (known == UNHEARD || known < swing).then_some(swing)
        });
    }

    /// How loud the microphone was at most since the last time that this was asked, 0 to 1, if it gave anything.
    fn take_peak(&self) -> Option<f64> {
        let swing = self.swing.swap(UNHEARD, Relaxed);
        (swing != UNHEARD).then(|| f64::from(swing) / 32_768.0)
    }

    pub(crate) fn count(&self, more: DeviceFigures) {
        self.synthesized.fetch_add(more.synthesized, Relaxed);
        self.synthesized_events
            .fetch_add(more.synthesized_events, Relaxed);
        self.dropped.fetch_add(more.dropped, Relaxed);
        self.dropped_events.fetch_add(more.dropped_events, Relaxed);
        self.xruns.fetch_add(more.xruns, Relaxed);
        self.total.fetch_add(more.total, Relaxed);
    }

    fn figures(&self) -> DeviceFigures {
        DeviceFigures {
            synthesized: self.synthesized.load(Relaxed),
            synthesized_events: self.synthesized_events.load(Relaxed),
            dropped: self.dropped.load(Relaxed),
            dropped_events: self.dropped_events.load(Relaxed),
            xruns: self.xruns.load(Relaxed),
            total: self.total.load(Relaxed),
        }
    }

    fn lets_go_of_the_one_before(&self) -> bool {
        self.has_begun() || self.needs_room.load(Relaxed)
    }
}

/// A device, and the one that is used until it has begun: a change leaves no gap.
#[derive(Debug)]
pub(crate) struct DeviceEnd<L> {
    link: L,
    gauge: Arc<DeviceGauge>,
    before: Option<Box<DeviceEnd<L>>>,
    /// Of the devices that were in use before.
    earlier: DeviceFigures,
}

impl<L> DeviceEnd<L> {
    pub(crate) fn new(link: L, gauge: Arc<DeviceGauge>) -> DeviceEnd<L> {
        DeviceEnd {
            link,
            gauge,
            before: None,
            earlier: DeviceFigures::default(),
        }
    }

    /// Uses the other one until this has begun.
    pub(crate) fn take_over_from(&mut self, mut other: DeviceEnd<L>) {
        let never_used = !other.gauge.has_begun();
        self.before = match other.before.take() {
            Some(in_use) if never_used => Some(in_use),
            Some(_) | None => Some(Box::new(other)),
        };
    }

    pub(crate) fn figures(&self) -> DeviceFigures {
        let mut figures = self.earlier;
        figures += self.gauge.figures();
        if let Some(before) = &self.before {
            figures += before.figures();
        }
        figures
    }

    /// How loud the one in use was at most since the last time that this was asked, if it gave anything.
    pub(crate) fn take_peak(&self) -> Option<f64> {
        match &self.before {
            Some(before) => before.take_peak(),
            None => self.gauge.take_peak(),
        }
    }

    /// Does the same to both.
    pub(crate) fn each(&mut self, act: &mut impl FnMut(&mut L)) {
        act(&mut self.link);
        if let Some(before) = &mut self.before {
            before.each(act);
        }
    }

    pub(crate) fn link(&self) -> &L {
        &self.link
    }

    /// The one before, at the moment when it is not needed any more.
    fn settle(&mut self) -> Option<Box<DeviceEnd<L>>> {
        if !self.gauge.lets_go_of_the_one_before() {
            return None;
        }
        let before = self.before.take()?;
        self.earlier += before.figures();
        Some(before)
    }
}

impl DeviceEnd<LinkReader> {
    /// Gives 10 ms at `rate`.
    pub(crate) fn read(&mut self, rate: Rate) -> Frame {
        if let Some(mut before) = self.settle() {
            return crossfade(&before.read(rate), &self.link.read(rate));
        }
        match &mut self.before {
            Some(before) => before.read(rate),
            None => self.link.read(rate),
        }
    }
}

impl DeviceEnd<LinkWriter> {
    /// How long it takes until what is written is heard.
    pub(crate) fn delay(&self) -> Duration {
        match &self.before {
            Some(before) => before.delay(),
            None => self.link.delay(),
        }
    }

    /// Plays 10 ms.
    pub(crate) fn write(&mut self, frame: &Frame) {
        self.settle();
        match &mut self.before {
            Some(before) => before.write(frame),
            None => {
                self.link.write(frame);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::link;

    const RATE: Rate = Rate::Hz8000;

    struct Made {
        writer: LinkWriter,
        gauge: Arc<DeviceGauge>,
        end: DeviceEnd<LinkReader>,
    }

    fn microphone() -> Made {
        let (writer, reader) = link();
        let gauge = Arc::new(DeviceGauge::default());
        let end = DeviceEnd::new(reader, Arc::clone(&gauge));
        Made { writer, gauge, end }
    }

    fn frame(value: i16) -> Frame {
        Frame::new(RATE, &[value; 80]).unwrap()
    }

    /// A microphone that has begun and is heard.
    fn open(value: i16) -> Made {
        let mut made = microphone();
        made.writer.write(&frame(value));
        made.gauge.begin();
        made
    }

    #[test]
    fn the_microphone_before_is_heard_until_the_next_has_begun() {
        let mut old = open(100);
        let mut new = microphone();
        assert_eq!(old.end.read(RATE), frame(100));
        new.end.take_over_from(old.end);
        for _ in 0..3 {
            old.writer.write(&frame(100));
            assert_eq!(new.end.read(RATE), frame(100));
        }
        old.writer.write(&frame(100));
        new.writer.write(&frame(200));
        new.gauge.begin();
        let both = new.end.read(RATE);
        assert!(both.samples()[0] < 110 && both.samples()[79] > 190, "faded");
        assert!(!old.writer.write(&frame(100)), "the old one is let go");
        new.writer.write(&frame(200));
        assert_eq!(new.end.read(RATE), frame(200));
    }

    #[test]
    fn a_choice_that_never_began_is_dropped_for_the_next_one() {
        let mut old = open(100);
        let (mut failing, mut third) = (microphone(), microphone());
        failing.end.take_over_from(old.end);
        third.end.take_over_from(failing.end);
        assert_eq!(third.end.read(RATE), frame(100));
        assert!(!failing.writer.write(&frame(1)));
        assert!(old.writer.write(&frame(100)));
    }

    #[test]
    fn the_one_before_is_let_go_if_the_next_can_not_be_opened_beside_it() {
        let mut old = open(100);
        let mut new = microphone();
        new.end.take_over_from(old.end);
        new.gauge.ask_for_room();
        new.end.read(RATE);
        assert!(!old.writer.write(&frame(100)));
        assert_eq!(new.end.read(RATE), frame(0));
    }

    #[test]
    fn how_loud_a_microphone_is_at_most_is_told_once_and_an_offset_is_no_sound() {
        let made = microphone();
        assert_eq!(made.end.take_peak(), None, "it gave nothing yet");
        made.gauge.hear(&frame(900));
        assert_eq!(made.end.take_peak(), Some(0.0));
        let mut faint = frame(900);
        faint.samples_mut()[7] = 903;
        for heard in [&frame(0), &faint, &frame(0)] {
            made.gauge.hear(heard);
        }
        assert_eq!(made.end.take_peak(), Some(2.0 / 32_768.0));
        assert_eq!(made.end.take_peak(), None);
        let mut loudest = frame(i16::MIN);
        loudest.samples_mut()[7] = i16::MAX;
        made.gauge.hear(&loudest);
        assert_eq!(made.end.take_peak(), Some(1.0));
    }

    #[test]
    fn figures_go_on_over_a_change() {
        let old = open(0);
        let mut new = microphone();
        old.gauge.count(DeviceFigures {
            synthesized: 480,
            ..DeviceFigures::default()
        });
        new.end.take_over_from(old.end);
        new.gauge.count(DeviceFigures {
            synthesized: 20,
            ..DeviceFigures::default()
        });
        assert_eq!(new.end.figures().synthesized, 500);
        new.gauge.begin();
        new.end.read(RATE);
        assert_eq!(new.end.figures().synthesized, 500);
    }

    #[test]
    fn the_speaker_before_plays_until_the_next_has_begun() {
        let end = || {
            let (writer, reader) = link();
            let gauge = Arc::new(DeviceGauge::default());
            (DeviceEnd::new(writer, Arc::clone(&gauge)), reader, gauge)
        };
        let (old, mut old_reader, began) = end();
        began.begin();
        let (mut new, mut new_reader, gauge) = end();
        new.take_over_from(old);
        new.write(&frame(7));
        assert_eq!(old_reader.read(RATE), frame(7));
        gauge.begin();
        new.write(&frame(8));
        assert_eq!(new_reader.read(RATE), frame(8));
        assert!(old_reader.ended());
    }
}
