//! PCM written by the application, played on the tick.

mod queue;
mod reader;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use audio::Rate;

use queue::{Content, Piece, Queue};
pub(crate) use reader::{Lease, SourceReader};

/// Names a mark; chosen by the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkId(pub u32);

/// What happened to a source, told from the thread it happened on: the listener must not block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceEvent {
    /// What waits fell to the low-water mark after having been above it.
    Drain,
    /// The last sample before the mark was played.
    Played(MarkId),
    /// The sample before the mark was dropped.
    Cleared(MarkId),
}

/// What [`Source::clear`] dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// How much waited.
    pub sound: Duration,
    /// The marks in it, if no session told them.
    pub marks: Vec<MarkId>,
}

type Listener = Box<dyn Fn(SourceEvent) + Send + Sync>;

/// The writing end of PCM from the application; Int16, mono, at its own rate.
///
/// What is written while no session plays it waits for one. What waits when a session lets go of it
/// is dropped: its listener is gone, and nobody else is to hear the rest of a sentence.
pub struct Source {
    id: u64,
    pieces: mpsc::Sender<Piece>,
    shared: Arc<SharedSource>,
    half: Option<u8>,
}

struct SharedSource {
    rate: Rate,
    low_water: u64,
    written: AtomicU64,
    /// Samples that left the queue: played, or found to be cleared.
    consumed: AtomicU64,
    /// What was written when something was last dropped.
    floor: AtomicU64,
    generation: AtomicU32,
    above: AtomicBool,
    listener: Listener,
    /// Who plays it: the number of a [`Lease`], or [`NOBODY`].
    holder: AtomicU64,
    /// Taken by the tick that plays it, which never waits for it; by others only while nobody does, and to let go.
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
            generation: AtomicU32::new(0),
            above: AtomicBool::new(false),
            listener: Box::new(listener),
            holder: AtomicU64::new(NOBODY),
            queue: Mutex::new(Queue::new(queue)),
        });
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        lock(&SOURCES).insert(id, Arc::clone(&shared));
        Source {
            id,
            pieces,
            shared,
            half: None,
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

    /// Drops what waits. Where a session plays it, its next tick tells the marks.
    pub fn clear(&mut self) -> Dropped {
        let dropped = self.shared.queued();
        self.half = None;
        let shared = &self.shared;
        shared.above.store(false, Ordering::Release);
        if dropped > 0 {
            let written = shared.written.load(Ordering::Acquire);
            shared.floor.store(written, Ordering::Release);
        }
        shared.generation.fetch_add(1, Ordering::AcqRel);
        let marks = match shared.is_idle() {
            true => shared.drop_all(&mut lock(&shared.queue)),
            false => Vec::new(),
        };
        Dropped {
            sound: shared.duration(dropped),
            marks,
        }
    }

    /// Marks the end of what was written so far; gives its outcome if nothing is to be waited for.
    pub fn mark(&mut self, mark: MarkId) -> Option<SourceEvent> {
        if self.shared.last_was_dropped() {
            return Some(SourceEvent::Cleared(mark));
        }
        self.push(Content::Mark(mark));
        match self.shared.is_idle() && self.shared.queued() == 0 {
            true => self.shared.reach_behind_nothing(mark),
            false => None,
        }
    }

    fn push(&self, content: Content) {
        // The receiver lives in `shared`, so this can't fail.
        let _ = self.pieces.send(Piece {
            generation: self.shared.generation.load(Ordering::Acquire),
            content,
        });
    }

    fn samples(&mut self, mut bytes: &[u8]) -> Vec<i16> {
        let mut samples = Vec::with_capacity(bytes.len() / 2 + 1);
        if let (Some(low), Some((high, rest))) = (self.half, bytes.split_first()) {
            samples.push(i16::from_le_bytes([low, *high]));
            self.half = None;
            bytes = rest;
        }
        let (pairs, odd) = bytes.as_chunks::<2>();
        samples.extend(pairs.iter().map(|pair| i16::from_le_bytes(*pair)));
        if let Some(low) = odd.first() {
            self.half = Some(*low);
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

    fn reach_behind_nothing(&self, wanted: MarkId) -> Option<SourceEvent> {
        let mut queue = lock(&self.queue);
        // A session that began to play it meanwhile tells it in its tick.
        if !self.is_idle() {
            return None;
        }
        let mut outcome = None;
        while let Some((piece, from)) = queue.next_piece(self) {
            match piece.content {
                Content::Mark(mark) if mark == wanted => outcome = Some(SourceEvent::Played(mark)),
                Content::Mark(mark) => (self.listener)(SourceEvent::Played(mark)),
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
        queue.tell_reached(self);
        if self.queued() > 0 {
            let written = self.written.load(Ordering::Acquire);
            self.floor.store(written, Ordering::Release);
        }
        for mark in self.drop_all(&mut queue) {
            (self.listener)(SourceEvent::Cleared(mark));
        }
        drop(queue);
        self.tell_drain();
    }

    fn drop_all(&self, queue: &mut Queue) -> Vec<MarkId> {
        let mut marks = Vec::new();
        while let Some((piece, from)) = queue.any_piece() {
            match piece.content {
                Content::Pcm(samples) => self.consume(samples.len() - from),
                Content::Mark(mark) => marks.push(mark),
            }
        }
        marks
    }

    fn discard(&self, piece: Piece, from: usize) {
        match piece.content {
            Content::Pcm(samples) => self.consume(samples.len() - from),
            Content::Mark(mark) => (self.listener)(SourceEvent::Cleared(mark)),
        }
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

    fn source(low_water_ms: u64) -> (Source, Heard) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&heard);
        let low_water = Duration::from_millis(low_water_ms);
        let source = Source::new(Rate::Hz8000, low_water, move |event| {
            told.lock().unwrap().push(event);
        });
        (source, Heard(heard))
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
        assert!(!heard.take().contains(&SourceEvent::Played(MarkId(7))));
        reader.read(&mut [0; 80]);
        assert!(heard.take().contains(&SourceEvent::Played(MarkId(7))));
    }

    #[test]
    fn clear_drops_what_waits_and_tells_its_marks() {
        let (mut source, heard) = source(0);
        let mut reader = SourceReader::open(source.id()).unwrap();
        source.write(&bytes(&[1; 800]));
        source.mark(MarkId(1));
        let mut out = [0; 80];
        reader.read(&mut out);
        assert_eq!(source.clear().sound, Duration::from_millis(90));
        assert_eq!(source.queued(), Duration::ZERO);
        source.write(&bytes(&[2; 80]));
        source.mark(MarkId(2));
        reader.read(&mut out);
        assert_eq!(out, [2; 80]);
        reader.read(&mut out);
        let told = heard.take();
        assert!(told.contains(&SourceEvent::Cleared(MarkId(1))));
        assert!(told.contains(&SourceEvent::Played(MarkId(2))));
        assert_eq!(source.queued(), Duration::ZERO);
    }

    #[test]
    fn clear_gives_the_marks_of_a_source_that_nobody_plays() {
        let (mut source, heard) = source(0);
        source.write(&bytes(&[1; 80]));
        source.mark(MarkId(1));
        assert_eq!(source.clear().marks, [MarkId(1)]);
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
        assert!(heard.take().contains(&SourceEvent::Played(MarkId(1))));
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
        let told = heard.take();
        let (played, cleared) = (SourceEvent::Played, SourceEvent::Cleared);
        assert_eq!(
            told,
            [played(MarkId(1)), cleared(MarkId(2)), SourceEvent::Drain]
        );
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
        let played = |mark| Some(SourceEvent::Played(MarkId(mark)));
        assert_eq!(source.mark(MarkId(1)), played(1));
        source.write(&bytes(&[1; 80]));
        assert_eq!(source.mark(MarkId(9)), None);
        source.clear();
        let cleared = Some(SourceEvent::Cleared(MarkId(2)));
        assert_eq!(source.mark(MarkId(2)), cleared);

        source.write(&bytes(&[1; 80]));
        let mut reader = SourceReader::open(source.id()).unwrap();
        reader.read(&mut [0; 80]);
        source.clear();
        drop(reader);
        assert_eq!(source.mark(MarkId(3)), played(3));
        assert_eq!(heard.take(), [SourceEvent::Drain]);
    }
}
