//! PCM for the application, in frames of 20 ms, one wake-up a tick for all of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use audio::{Frame, Rate};
use crossbeam_queue::ArrayQueue;

use super::OpenError;
use audio::convert::RateConverter;

/// The length of a frame that the application reads.
const FRAME: Duration = Duration::from_millis(20);

/// Sinks whose reader lives on one thread: that thread is woken once for all of them.
pub struct SinkGroup {
    waking: AtomicBool,
    wake: Box<dyn Fn() + Send + Sync>,
}

impl SinkGroup {
    /// `wake` makes the reader's thread call [`SinkGroup::woken`] soon; it must not block.
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Arc<SinkGroup> {
        Arc::new(SinkGroup {
            waking: AtomicBool::new(false),
            wake: Box::new(wake),
        })
    }

    /// The reader's thread says that it looks at its sinks now; later frames wake it again.
    pub fn woken(&self) {
        self.waking.store(false, Ordering::Release);
    }

    pub(crate) fn wake(&self) {
        if !self.waking.swap(true, Ordering::AcqRel) {
            (self.wake)();
        }
    }
}

impl fmt::Debug for SinkGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkGroup").finish_non_exhaustive()
    }
}

/// The reading end of a session's sound; Int16, mono, at its own rate.
#[derive(Debug)]
pub struct Sink {
    id: u64,
    shared: Arc<SharedSink>,
}

struct SharedSink {
    rate: Rate,
    /// Full: the oldest frame is dropped and counted.
    frames: ArrayQueue<Box<[u8]>>,
    dropped: AtomicU64,
    /// The reader found nothing and waits to be woken.
    starved: AtomicBool,
    taken: AtomicBool,
    /// It was taken since a writer was expected.
    was_taken: AtomicBool,
    /// Nobody will read it any more.
    closed: AtomicBool,
    /// Nothing more is written.
    ended: AtomicBool,
    group: Arc<SinkGroup>,
}

impl fmt::Debug for SharedSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedSink")
            .field("rate", &self.rate)
            .field("waiting", &self.frames.len())
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);
static SINKS: Mutex<BTreeMap<u64, Arc<SharedSink>>> = Mutex::new(BTreeMap::new());

impl Sink {
    /// Makes a sink that holds at most `queue` of sound, at least one frame.
    pub fn new(rate: Rate, queue: Duration, group: Arc<SinkGroup>) -> Sink {
        let capacity = (queue.as_millis() / FRAME.as_millis()).max(1) as usize;
        let shared = Arc::new(SharedSink {
            rate,
            frames: ArrayQueue::new(capacity),
            dropped: AtomicU64::new(0),
            starved: AtomicBool::new(true),
            taken: AtomicBool::new(false),
            was_taken: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            group,
        });
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        sinks().insert(id, Arc::clone(&shared));
        Sink { id, shared }
    }

    /// The number by which commands name this sink.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Notes that its number is given to somebody who shall write to it.
    pub fn expect_writer(&self) {
        self.shared.was_taken.store(false, Ordering::Release);
    }

    /// Whether a session writes to it now.
    pub fn is_fed(&self) -> bool {
        self.shared.taken.load(Ordering::Acquire)
    }

    /// Whether one has since a writer was expected.
    pub fn was_fed(&self) -> bool {
        self.shared.was_taken.load(Ordering::Acquire)
    }

    /// Takes the oldest frame, 20 ms of little-endian samples; `None` asks to be woken.
    pub fn read(&self) -> Option<Box<[u8]>> {
        if let Some(frame) = self.shared.frames.pop() {
            return Some(frame);
        }
        self.shared.starved.store(true, Ordering::SeqCst);
        // A frame may have come between the two lines above, unseen by the writer's wake-up.
        let frame = self.shared.frames.pop();
        if frame.is_some() {
            self.shared.starved.store(false, Ordering::SeqCst);
        }
        frame
    }

    /// Whether a reader that found nothing would find something now, if only the end.
    pub fn readable(&self) -> bool {
        let has_news = !self.shared.frames.is_empty() || self.ended();
        has_news && self.shared.starved.swap(false, Ordering::SeqCst)
    }

    /// Whether everything was read, and nothing more comes.
    pub fn ended(&self) -> bool {
        self.shared.ended.load(Ordering::SeqCst) && self.shared.frames.is_empty()
    }

    /// Frames dropped because nobody read them in time.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        sinks().remove(&self.id);
    }
}

/// The writing end of a [`Sink`], held by the one session that fills it.
pub(crate) struct SinkWriter {
    shared: Arc<SharedSink>,
    converter: RateConverter,
    frame: Vec<u8>,
    /// How often something else than PCM was given.
    given: u64,
}

impl SinkWriter {
    /// Takes the writing end of the sink with this number.
    pub(crate) fn open(id: u64) -> Result<SinkWriter, OpenError> {
        let shared = sinks().get(&id).cloned().ok_or(OpenError::NoSink(id))?;
        if shared.taken.swap(true, Ordering::AcqRel) {
            return Err(OpenError::SinkBusy(id));
        }
        shared.was_taken.store(true, Ordering::Release);
        Ok(SinkWriter {
            converter: RateConverter::default(),
            frame: Vec::new(),
            given: 0,
            shared,
        })
    }

    /// Changes the rate at a quarter of the cost and less well, or as well as it can again.
    pub(crate) fn set_short(&mut self, short: bool) {
        self.converter.set_short(short);
    }

    /// Whether nobody will read it any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    /// Whether octets can be given although nothing is dropped for them.
    pub(crate) fn has_room(&self) -> bool {
        !self.shared.frames.is_full()
    }

    /// Gives octets of something else than PCM, and wakes a starved reader.
    pub(crate) fn give(&mut self, octets: Vec<u8>) {
        self.given += 1;
        self.shared.frames.force_push(octets.into_boxed_slice());
        self.wake_starved();
    }

    /// How much of what was given has been read.
    pub(crate) fn taken(&self) -> u64 {
        self.given - self.shared.frames.len() as u64
    }

    /// Says that nothing more is given.
    pub(crate) fn finish(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        self.wake_starved();
    }

    fn wake_starved(&self) {
        if self.shared.starved.load(Ordering::SeqCst) {
            self.shared.group.wake();
        }
    }

    /// Adds 10 ms; returns whom to wake at the end of the tick, if a starved reader has a frame.
    pub(crate) fn write(&mut self, frame: &Frame) -> Option<&Arc<SinkGroup>> {
        let converted = self.converter.convert(frame, self.shared.rate);
        let bytes = converted.samples().iter().flat_map(|s| s.to_le_bytes());
        self.frame.extend(bytes);
        let whole = self.shared.rate.samples_in(FRAME) * 2;
        if self.frame.len() < whole {
            return None;
        }
        let full = std::mem::replace(&mut self.frame, Vec::with_capacity(whole));
        if self
            .shared
            .frames
            .force_push(full.into_boxed_slice())
            .is_some()
        {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
        self.shared
            .starved
            .load(Ordering::SeqCst)
            .then_some(&self.shared.group)
    }
}

impl Drop for SinkWriter {
    fn drop(&mut self) {
        self.shared.taken.store(false, Ordering::Release);
    }
}

impl fmt::Debug for SinkWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkWriter")
            .field("rate", &self.shared.rate)
            .finish_non_exhaustive()
    }
}

fn sinks() -> MutexGuard<'static, BTreeMap<u64, Arc<SharedSink>>> {
    SINKS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn group() -> (Arc<SinkGroup>, Arc<AtomicUsize>) {
        let wakes = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&wakes);
        let group = SinkGroup::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        (group, wakes)
    }

    fn tick(value: i16) -> Frame {
        Frame::new(Rate::Hz16000, &[value; 160]).unwrap()
    }

    #[test]
    fn frames_of_20_ms_come_out_in_order() {
        let (group, _) = group();
        let sink = Sink::new(Rate::Hz16000, Duration::from_millis(100), group);
        let mut writer = SinkWriter::open(sink.id()).unwrap();
        for value in 1..=5 {
            writer.write(&tick(value));
        }
        let first = sink.read().unwrap();
        assert_eq!(first.len(), 640);
        assert_eq!((first[0], first[639 - 1]), (1, 2));
        assert_eq!(sink.read().unwrap()[0], 3);
        assert!(sink.read().is_none());
    }

    #[test]
    fn a_slow_reader_loses_the_oldest_frames_and_they_are_counted() {
        let (group, _) = group();
        let sink = Sink::new(Rate::Hz16000, Duration::from_millis(40), group);
        let mut writer = SinkWriter::open(sink.id()).unwrap();
        for value in [1, 1, 2, 2, 3, 3, 4, 4] {
            writer.write(&tick(value));
        }
        assert_eq!(sink.dropped(), 2);
        assert_eq!(sink.read().unwrap()[0], 3);
        assert_eq!(sink.read().unwrap()[0], 4);
    }

    #[test]
    fn a_reader_is_woken_once_until_it_looks() {
        let (group, wakes) = group();
        let sink = Sink::new(
            Rate::Hz16000,
            Duration::from_millis(100),
            Arc::clone(&group),
        );
        let mut writer = SinkWriter::open(sink.id()).unwrap();
        for _ in 0..6 {
            if let Some(group) = writer.write(&tick(0)) {
                group.wake();
            }
        }
        assert_eq!(wakes.load(Ordering::SeqCst), 1);
        group.woken();
        assert!(sink.readable());
        assert!(!sink.readable(), "it is told once");
        while sink.read().is_some() {}
        writer.write(&tick(0));
        writer.write(&tick(0)).unwrap().wake();
        assert_eq!(wakes.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_sink_is_filled_by_one_session_at_a_time() {
        let (group, _) = group();
        let sink = Sink::new(Rate::Hz8000, Duration::from_millis(100), group);
        let writer = SinkWriter::open(sink.id()).unwrap();
        assert!(matches!(
            SinkWriter::open(sink.id()),
            Err(OpenError::SinkBusy(_))
        ));
        drop(writer);
        assert!(SinkWriter::open(sink.id()).is_ok());
    }
}
