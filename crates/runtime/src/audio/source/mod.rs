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
    /// How many samples of the source had been played by then, on the scale of [`Position::sent`].
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
    /// Somebody has played it since a reader was expected.
    was_held: AtomicBool,
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
            was_held: AtomicBool::new(false),
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

    /// Notes that its number is given to somebody who shall play it.
    pub fn expect_reader(&self) {
        self.shared.was_held.store(false, Ordering::Release);
    }

    /// Whether a session plays it now.
    pub fn is_held(&self) -> bool {
        !self.shared.is_idle()
    }

    /// Whether one has since a reader was expected.
    pub fn was_held(&self) -> bool {
        self.shared.was_held.load(Ordering::Acquire)
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
            // What was read before and never sent no longer counts.
            played: shared.duration(position.saturating_sub(before)),
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
        queue.history.end(&self.track);
        queue.tell_reached(self);
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
mod tests;
