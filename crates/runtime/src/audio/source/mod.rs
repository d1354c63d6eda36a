//! PCM written by the application, played on the tick.

mod position;
mod queue;
mod reader;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use audio::Rate;

pub use position::Position;
use position::Track;
pub(crate) use position::Underway;
use queue::{Content, Queue};
pub(crate) use reader::{Lease, SourceReader};

/// Names a mark; chosen by the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkId(pub u32);

/// What happened to a source, told from the thread it happened on: the listener must not block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceEvent {
    /// What waits fell to the low-water mark after having been above it.
    Drain,
    /// A mark was reached: its sample was played, or dropped.
    Mark(Mark),
}

/// How a mark ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The mark.
    pub id: MarkId,
    /// What became of the sample before it.
    pub outcome: Outcome,
    /// How many samples of the source had been played by then.
    pub position: u64,
}

/// What became of the sample before a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was played.
    Played,
    /// It was dropped.
    Cleared,
}

/// What [`Source::clear`] dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// How much was played of what was written since it was last cleared.
    pub played: Duration,
    /// How much waited.
    pub sound: Duration,
    /// The marks in it; nothing more is told of them.
    pub marks: Vec<Mark>,
}

type Listener = Box<dyn Fn(SourceEvent) + Send + Sync>;

/// The writing end of PCM from the application; Int16, mono, at its own rate.
///
/// What is written while no session plays it waits for one. What waits when a session lets go of it
/// is dropped: its listener is gone, and nobody else is to hear the rest of a sentence.
pub struct Source {
    id: u64,
    pieces: mpsc::Sender<Content>,
    shared: Arc<SharedSource>,
    /// An odd byte, and how many sessions had let go of the source then: the next one does not hear it.
    half: Option<(u8, u64)>,
    /// What had been played when it was last cleared.
    cleared_at: u64,
}

struct SharedSource {
    rate: Rate,
    low_water: u64,
    written: AtomicU64,
    /// Samples that left the queue: played, or found to be cleared.
    consumed: AtomicU64,
    /// What was written when something was last dropped.
    floor: AtomicU64,
    track: Track,
    paused: AtomicBool,
    above: AtomicBool,
    listener: Listener,
    /// Who plays it: the number of a [`Lease`], or [`NOBODY`].
    holder: AtomicU64,
    /// How many have let go of it.
    let_go: AtomicU64,
    /// Taken by the tick that plays it, which never waits for it; by others to drop what is in it, and while nobody plays it.
    queue: Mutex<Queue>,
}

const NOBODY: u64 = 0;
static NEXT_ID: AtomicU64 = AtomicU64::new(1);
static NEXT_LEASE: AtomicU64 = AtomicU64::new(NOBODY + 1);
static SOURCES: Mutex<BTreeMap<u64, Arc<SharedSource>>> = Mutex::new(BTreeMap::new());

impl Source {
    /// Makes a source; `Drain` is told when no more than `low_water` waits.
    pub fn new(
        rate: Rate,
        low_water: Duration,
        listener: impl Fn(SourceEvent) + Send + Sync + 'static,
    ) -> Source {
        // Unbounded: `write` says what waits, and the application stops above its mark.
        let (pieces, queue) = mpsc::channel();
        let shared = Arc::new(SharedSource {
            rate,
            low_water: rate.samples_in(low_water) as u64,
            written: AtomicU64::new(0),
            consumed: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            track: Track::default(),
            paused: AtomicBool::new(false),
            above: AtomicBool::new(false),
            listener: Box::new(listener),
            holder: AtomicU64::new(NOBODY),
            let_go: AtomicU64::new(0),
            queue: Mutex::new(Queue::new(queue)),
        });
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        lock(&SOURCES).insert(id, Arc::clone(&shared));
        Source {
            id,
            pieces,
            shared,
            half: None,
            cleared_at: 0,
        }
    }

    /// The number by which commands name this source.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Queues little-endian samples; an odd byte waits for its other half. Returns what waits now.
    pub fn write(&mut self, bytes: &[u8]) -> Duration {
        let samples = self.samples(bytes);
        if !samples.is_empty() {
            let count = samples.len() as u64;
            self.shared.written.fetch_add(count, Ordering::AcqRel);
            self.push(Content::Pcm(samples.into_boxed_slice()));
        }
        let queued = self.shared.queued();
        if queued > self.shared.low_water {
            self.shared.above.store(true, Ordering::Release);
            // The session that played it may have let it go meanwhile, and told nobody to write on.
            if self.shared.is_idle() && self.shared.queued() < queued {
                self.shared.tell_drain();
            }
        }
        self.shared.duration(queued)
    }

    /// What waits to be played.
    pub fn queued(&self) -> Duration {
        self.shared.duration(self.shared.queued())
    }

    /// How far it has been played, and heard.
    pub fn position(&self) -> Position {
        self.shared.track.position()
    }

    /// Plays nothing until [`Source::resume`]; what waits stays.
    pub fn pause(&self) {
        self.shared.paused.store(true, Ordering::Release);
    }

    /// Plays on.
    pub fn resume(&self) {
        self.shared.paused.store(false, Ordering::Release);
    }

    /// Drops what waits; the tick that plays it finds nothing from here on.
    pub fn clear(&mut self) -> Dropped {
        self.half = None;
        let shared = &self.shared;
        shared.above.store(false, Ordering::Release);
        let mut queue = lock(&shared.queue);
        let dropped = shared.queued();
        if dropped > 0 {
            let written = shared.written.load(Ordering::Acquire);
            shared.floor.store(written, Ordering::Release);
        }
        let marks = shared.drop_all(&mut queue);
        let position = shared.track.played();
        drop(queue);
        let before = std::mem::replace(&mut self.cleared_at, position);
        Dropped {
            played: shared.duration(position - before),
            sound: shared.duration(dropped),
            marks,
        }
    }

    /// Marks the end of what was written so far; gives its outcome if nothing is to be waited for.
    pub fn mark(&mut self, mark: MarkId) -> Option<Mark> {
        if self.shared.last_was_dropped() {
            return Some(self.shared.ended(mark, Outcome::Cleared));
        }
        self.push(Content::Mark(mark));
        match self.shared.is_idle() && self.shared.queued() == 0 {
            true => self.shared.reach_behind_nothing(mark),
            false => None,
        }
    }

    fn push(&self, content: Content) {
        // The receiver lives in `shared`, so this can't fail.
        let _ = self.pieces.send(content);
    }

    fn samples(&mut self, mut bytes: &[u8]) -> Vec<i16> {
        let mut samples = Vec::with_capacity(bytes.len() / 2 + 1);
        let let_go = self.shared.let_go.load(Ordering::Acquire);
        let half = self.half.filter(|(_, then)| *then == let_go);
        if let (Some((low, _)), Some((high, rest))) = (half, bytes.split_first()) {
            samples.push(i16::from_le_bytes([low, *high]));
            self.half = None;
            bytes = rest;
        }
        let (pairs, odd) = bytes.as_chunks::<2>();
        samples.extend(pairs.iter().map(|pair| i16::from_le_bytes(*pair)));
        if let Some(low) = odd.first() {
            self.half = Some((*low, let_go));
        }
        samples
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.clear();
        lock(&SOURCES).remove(&self.id);
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("id", &self.id)
            .field("rate", &self.shared.rate)
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}

impl SharedSource {
    fn queued(&self) -> u64 {
        let gone = self
            .consumed
            .load(Ordering::Acquire)
            .max(self.floor.load(Ordering::Acquire));
        self.written.load(Ordering::Acquire).saturating_sub(gone)
    }

    fn duration(&self, samples: u64) -> Duration {
        self.rate.duration_of(samples as usize)
    }

    fn is_idle(&self) -> bool {
        self.holder.load(Ordering::Acquire) == NOBODY
    }

    fn last_was_dropped(&self) -> bool {
        let written = self.written.load(Ordering::Acquire);
        written > 0 && self.floor.load(Ordering::Acquire) == written
    }

    fn reach_behind_nothing(&self, wanted: MarkId) -> Option<Mark> {
        let mut queue = lock(&self.queue);
        // A session that began to play it meanwhile tells it in its tick.
        if !self.is_idle() {
            return None;
        }
        let mut outcome = None;
        while let Some((content, from)) = queue.next() {
            match content {
                Content::Mark(id) if id == wanted => {
                    outcome = Some(self.ended(id, Outcome::Played));
                }
                Content::Mark(id) => {
                    (self.listener)(SourceEvent::Mark(self.ended(id, Outcome::Played)));
                }
                Content::Pcm(samples) => self.consume(samples.len() - from),
            }
        }
        outcome
    }

    /// Ends a lease, once, and drops what it leaves.
    fn let_go(&self, lease: u64) {
        let mut queue = lock(&self.queue);
        let (free, held) = (Ordering::AcqRel, Ordering::Acquire);
        // First: what is marked from here on finds nobody and is told at once.
        let mine = self.holder.compare_exchange(lease, NOBODY, free, held);
        if mine.is_err() {
            return;
        }
        self.let_go.fetch_add(1, Ordering::AcqRel);
        queue.tell_reached(self);
        queue.history.end(&self.track);
        if self.queued() > 0 {
            let written = self.written.load(Ordering::Acquire);
            self.floor.store(written, Ordering::Release);
        }
        for mark in self.drop_all(&mut queue) {
            (self.listener)(SourceEvent::Mark(mark));
        }
        drop(queue);
        self.tell_drain();
    }

    fn drop_all(&self, queue: &mut Queue) -> Vec<Mark> {
        let mut marks = Vec::new();
        while let Some((content, from)) = queue.next() {
            match content {
                Content::Pcm(samples) => self.consume(samples.len() - from),
                Content::Mark(id) => marks.push(self.ended(id, Outcome::Cleared)),
            }
        }
        marks
    }

    fn ended(&self, id: MarkId, outcome: Outcome) -> Mark {
        let position = self.track.played();
        Mark {
            id,
            outcome,
            position,
        }
    }

    fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Acquire)
    }

    fn play(&self, samples: usize) {
        self.track.play(samples);
        self.consume(samples);
    }

    fn consume(&self, samples: usize) {
        self.consumed.fetch_add(samples as u64, Ordering::AcqRel);
    }

    fn tell_drain(&self) {
        if self.queued() <= self.low_water && self.above.swap(false, Ordering::AcqRel) {
            (self.listener)(SourceEvent::Drain);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::OpenError;
    use super::*;

    struct Heard(Arc<Mutex<Vec<SourceEvent>>>);

    impl Heard {
        fn take(&self) -> Vec<SourceEvent> {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    /// Of what was told the marks.
    fn marks(heard: &Heard) -> Vec<SourceEvent> {
        let mut told = heard.take();
        told.retain(|event| *event != SourceEvent::Drain);
        told
    }

    fn source(low_water_ms: u64) -> (Source, Heard) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        let low_water = Duration::from_millis(low_water_ms);
        let source = Source::new(Rate::Hz8000, low_water, move |event| {
            told.lock().unwrap().push(event);
        });
        (source, Heard(heard))
    }

    fn played(id: u32, position: u64) -> SourceEvent {
        SourceEvent::Mark(ended(id, Outcome::Played, position))
    }

    fn ended(id: u32, outcome: Outcome, position: u64) -> Mark {
        let id = MarkId(id);
        Mark {
            id,
            outcome,
            position,
        }
    }

    fn bytes(samples: &[i16]) -> Vec<u8> {
        samples.iter().flat_map(|s| s.to_le_bytes()).collect()
    }

    #[test]
    fn an_odd_byte_waits_for_its_other_half() {
        let (mut source, _) = source(0);
        let pcm = bytes(&[1, -2, 3]);
        source.write(&pcm[..3]);
        source.write(&pcm[3..4]);
        source.write(&[]);
        source.write(&pcm[4..]);
        let mut reader = SourceReader::open(source.id()).unwrap();
        let mut out = [9; 4];
        reader.read(&mut out);
        assert_eq!(out, [1, -2, 3, 0]);
    }

    #[test]
    fn an_odd_byte_is_dropped_with_the_rest_when_a_session_lets_go() {
        let (mut source, _) = source(0);
        let reader = SourceReader::open(source.id()).unwrap();
        source.write(&[0x7f]);
        drop(reader);
        source.write(&bytes(&[200, 201]));
        let mut reader = SourceReader::open(source.id()).unwrap();
        let mut out = [9; 3];
        reader.read(&mut out);
        assert_eq!(out, [200, 201, 0]);
    }

    #[test]
    fn a_tick_that_finds_the_queue_taken_waits_for_nobody_and_loses_nothing() {
        let (mut source, _) = source(0);
        source.write(&bytes(&[5; 80]));
        let mut reader = SourceReader::open(source.id()).unwrap();
        let taken = lock(&source.shared.queue);
        let mut out = [9; 80];
        reader.read(&mut out);
        assert_eq!(out, [0; 80]);
        drop(taken);
        reader.read(&mut out);
        assert_eq!(out, [5; 80]);
    }

    #[test]
    fn a_mark_is_played_after_the_tick_that_played_its_sample() {
        let (mut source, heard) = source(0);
        source.write(&bytes(&[1; 80]));
        source.mark(MarkId(7));
        let mut reader = SourceReader::open(source.id()).unwrap();
        reader.read(&mut [0; 80]);
        assert_eq!(marks(&heard), []);
        reader.read(&mut [0; 80]);
        assert_eq!(marks(&heard), [played(7, 80)]);
    }

    #[test]
    fn clear_drops_what_waits_and_tells_its_marks() {
        let (mut source, heard) = source(0);
        let mut reader = SourceReader::open(source.id()).unwrap();
        source.write(&bytes(&[1; 800]));
        source.mark(MarkId(1));
        let mut out = [0; 80];
        reader.read(&mut out);
        let expected = Dropped {
            played: Duration::from_millis(10),
            sound: Duration::from_millis(90),
            marks: vec![ended(1, Outcome::Cleared, 80)],
        };
        assert_eq!(source.clear(), expected);
        assert_eq!(source.queued(), Duration::ZERO);
        source.write(&bytes(&[2; 80]));
        source.mark(MarkId(2));
        reader.read(&mut out);
        assert_eq!(out, [2; 80]);
        reader.read(&mut out);
        assert_eq!(marks(&heard), [played(2, 160)]);
        assert_eq!(source.queued(), Duration::ZERO);
        assert_eq!(source.clear().played, Duration::from_millis(10));
        assert_eq!(source.clear().played, Duration::ZERO);
    }

    #[test]
    fn a_paused_source_keeps_what_waits_and_tells_what_was_reached() {
        let (mut source, heard) = source(0);
        let mut reader = SourceReader::open(source.id()).unwrap();
        source.write(&bytes(&[1; 80]));
        source.mark(MarkId(1));
        source.write(&bytes(&[2; 160]));
        let mut out = [0; 80];
        reader.read(&mut out);
        source.pause();
        for _ in 0..3 {
            reader.read(&mut out);
            assert_eq!(out, [0; 80]);
        }
        assert_eq!(marks(&heard), [played(1, 80)]);
        assert_eq!(source.queued(), Duration::from_millis(20));
        source.resume();
        reader.read(&mut out);
        assert_eq!(out, [2; 80]);
        source.pause();
        assert_eq!(source.clear().sound, Duration::from_millis(10));
    }

    #[test]
    fn what_was_sent_and_heard_of_it_is_known_from_what_is_under_way() {
        let (mut source, _) = source(0);
        let mut reader = SourceReader::open(source.id()).unwrap();
        source.write(&bytes(&[1; 400]));
        let ms = Duration::from_millis;
        let position = |sent, heard, delay| Position { sent, heard, delay };
        // Frames of 20 ms: after every other tick half of one waits to be sent.
        let mut tick = |unsent, delay| {
            reader.read(&mut [0; 80]);
            let unsent = ms(unsent);
            reader.handed(Underway { unsent, delay });
        };
        tick(10, None);
        assert_eq!(source.position(), position(0, None, None));
        tick(0, None);
        assert_eq!(source.position(), position(160, None, None));
        let delay = Some(ms(20));
        tick(10, delay);
        assert_eq!(source.position(), position(160, Some(0), delay));
        tick(0, delay);
        assert_eq!(source.position(), position(320, Some(160), delay));
        tick(10, delay);
        tick(0, delay);
        tick(10, delay);
        tick(0, delay);
        assert_eq!(source.position(), position(400, Some(400), delay));
        drop(reader);
        assert_eq!(source.position(), position(400, Some(400), delay));
    }

    #[test]
    fn what_never_left_the_call_that_ended_counts_as_neither_sent_nor_heard() {
        let (mut source, _) = source(0);
        let mut reader = SourceReader::open(source.id()).unwrap();
        source.write(&bytes(&[1; 400]));
        reader.read(&mut [0; 80]);
        let unsent = Duration::from_millis(10);
        let delay = Some(Duration::from_millis(50));
        reader.handed(Underway { unsent, delay });
        drop(reader);
        let position = source.position();
        assert_eq!((position.sent, position.heard), (0, Some(0)));
    }

    #[test]
    fn a_clear_in_a_tick_never_plays_what_it_says_it_dropped() {
        let (mut source, _) = source(0);
        let mut reader = SourceReader::open(source.id()).unwrap();
        let ticking = std::thread::spawn(move || {
            let (mut loud, mut out) = (0_u64, [0; 80]);
            for _ in 0..3_000 {
                reader.read(&mut out);
                loud += out.iter().filter(|sample| **sample != 0).count() as u64;
            }
            (loud, reader)
        });
        let (mut written, mut played, mut dropped) = (0, Duration::ZERO, Duration::ZERO);
        while !ticking.is_finished() {
            source.write(&bytes(&[1; 800]));
            written += 800;
            let cleared = source.clear();
            played += cleared.played;
            dropped += cleared.sound;
        }
        let (loud, _reader) = ticking.join().unwrap();
        assert_eq!(played, Rate::Hz8000.duration_of(loud as usize));
        assert_eq!(played + dropped, Rate::Hz8000.duration_of(written));
    }

    #[test]
    fn clear_gives_the_marks_of_a_source_that_nobody_plays() {
        let (mut source, heard) = source(0);
        source.write(&bytes(&[1; 80]));
        source.mark(MarkId(1));
        assert_eq!(source.clear().marks, [ended(1, Outcome::Cleared, 0)]);
        assert_eq!(heard.take(), []);
    }

    #[test]
    fn drain_is_told_once_when_the_queue_falls_to_its_mark() {
        let (mut source, heard) = source(20);
        let mut reader = SourceReader::open(source.id()).unwrap();
        assert_eq!(source.write(&bytes(&[1; 320])), Duration::from_millis(40));
        let mut out = [0; 80];
        reader.read(&mut out);
        assert_eq!(heard.take(), []);
        reader.read(&mut out);
        assert_eq!(heard.take(), [SourceEvent::Drain]);
        reader.read(&mut out);
        assert_eq!(heard.take(), []);
    }

    #[test]
    fn a_source_feeds_one_session_at_a_time() {
        let (source, _) = source(0);
        let first = SourceReader::open(source.id()).unwrap();
        assert!(matches!(
            SourceReader::open(source.id()),
            Err(OpenError::SourceBusy(_))
        ));
        drop(first);
        assert!(SourceReader::open(source.id()).is_ok());
        let id = source.id();
        drop(source);
        assert!(matches!(
            SourceReader::open(id),
            Err(OpenError::NoSource(_))
        ));
    }

    #[test]
    fn what_is_written_before_a_session_plays_it_waits_with_its_mark() {
        let (mut source, heard) = source(0);
        source.write(&bytes(&[5; 80]));
        source.mark(MarkId(1));
        assert_eq!(heard.take(), []);
        let mut reader = SourceReader::open(source.id()).unwrap();
        let mut out = [0; 80];
        reader.read(&mut out);
        reader.read(&mut [0; 80]);
        assert_eq!(out, [5; 80]);
        assert_eq!(marks(&heard), [played(1, 80)]);
    }

    #[test]
    fn what_a_session_leaves_is_dropped_with_its_marks() {
        let (mut source, heard) = source(0);
        let mut reader = SourceReader::open(source.id()).unwrap();
        source.write(&bytes(&[1; 80]));
        source.mark(MarkId(1));
        source.write(&bytes(&[2; 160]));
        source.mark(MarkId(2));
        reader.read(&mut [0; 80]);
        assert_eq!(heard.take(), []);
        drop(reader.lease());
        let cleared = SourceEvent::Mark(ended(2, Outcome::Cleared, 80));
        assert_eq!(heard.take(), [played(1, 80), cleared, SourceEvent::Drain]);
        assert_eq!(source.queued(), Duration::ZERO);

        let mut out = [9; 80];
        source.write(&bytes(&[3; 80]));
        reader.read(&mut out);
        assert_eq!(out, [0; 80], "who let go hears nothing more");
        let mut next = SourceReader::open(source.id()).unwrap();
        drop(reader);
        next.read(&mut out);
        assert_eq!(out, [3; 80]);
    }

    #[test]
    fn a_mark_behind_nothing_that_waits_is_told_at_once() {
        let (mut source, heard) = source(0);
        let reached = |id, position| Some(ended(id, Outcome::Played, position));
        assert_eq!(source.mark(MarkId(1)), reached(1, 0));
        source.write(&bytes(&[1; 80]));
        assert_eq!(source.mark(MarkId(9)), None);
        source.clear();
        let cleared = Some(ended(2, Outcome::Cleared, 0));
        assert_eq!(source.mark(MarkId(2)), cleared);

        source.write(&bytes(&[1; 80]));
        let mut reader = SourceReader::open(source.id()).unwrap();
        reader.read(&mut [0; 80]);
        source.clear();
        drop(reader);
        assert_eq!(source.mark(MarkId(3)), reached(3, 80));
        assert_eq!(heard.take(), [SourceEvent::Drain]);
    }
}
