//! PCM written by the application, played on the tick.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use audio::Rate;

use super::OpenError;

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

type Listener = Box<dyn Fn(SourceEvent) + Send + Sync>;

/// The writing end of PCM from the application; Int16, mono, at its own rate.
pub struct Source {
    id: u64,
    pieces: mpsc::Sender<Piece>,
    shared: Arc<Shared>,
    half: Option<u8>,
}

struct Shared {
    rate: Rate,
    low_water: u64,
    written: AtomicU64,
    /// Samples that left the queue: played, or found to be cleared.
    consumed: AtomicU64,
    /// What was written when the queue was last cleared.
    floor: AtomicU64,
    generation: AtomicU32,
    above: AtomicBool,
    listener: Listener,
    /// Unbounded; the writer is told what waits and is expected to stop above its mark. Taken by the
    /// session that plays it, given back when that one lets go.
    queue: Mutex<Option<mpsc::Receiver<Piece>>>,
}

struct Piece {
    generation: u32,
    content: Content,
}

enum Content {
    Pcm(Box<[i16]>),
    Mark(MarkId),
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);
static SOURCES: Mutex<BTreeMap<u64, Arc<Shared>>> = Mutex::new(BTreeMap::new());

impl Source {
    /// Makes a source; `Drain` is told when no more than `low_water` waits.
    pub fn new(
        rate: Rate,
        low_water: Duration,
        listener: impl Fn(SourceEvent) + Send + Sync + 'static,
    ) -> Source {
        let (pieces, queue) = mpsc::channel();
        let shared = Arc::new(Shared {
            rate,
            low_water: rate.samples_in(low_water) as u64,
            written: AtomicU64::new(0),
            consumed: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            generation: AtomicU32::new(0),
            above: AtomicBool::new(false),
            listener: Box::new(listener),
            queue: Mutex::new(Some(queue)),
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
        }
        self.shared.duration(queued)
    }

    /// What waits to be played.
    pub fn queued(&self) -> Duration {
        self.shared.duration(self.shared.queued())
    }

    /// Drops what waits and returns how much that was; marks in it are told as `Cleared`.
    pub fn clear(&mut self) -> Duration {
        let dropped = self.queued();
        self.half = None;
        let shared = &self.shared;
        shared.above.store(false, Ordering::Release);
        let written = shared.written.load(Ordering::Acquire);
        shared.floor.store(written, Ordering::Release);
        shared.generation.fetch_add(1, Ordering::AcqRel);
        // While no session plays it, nobody else would tell the marks.
        if let Some(queue) = lock(&shared.queue).as_ref() {
            while let Ok(piece) = queue.try_recv() {
                shared.discard(piece.content);
            }
        }
        dropped
    }

    /// Marks the end of what was written so far.
    pub fn mark(&mut self, mark: MarkId) {
        self.push(Content::Mark(mark));
    }

    fn push(&self, content: Content) {
        // The receiver lives in `shared` or in a reader that gives it back, so this can't fail.
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

impl Shared {
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

    fn discard(&self, content: Content) {
        match content {
            Content::Pcm(samples) => self.consume(samples.len()),
            Content::Mark(mark) => (self.listener)(SourceEvent::Cleared(mark)),
        }
    }

    fn consume(&self, samples: usize) {
        self.consumed.fetch_add(samples as u64, Ordering::AcqRel);
    }
}

/// The playing end of a [`Source`], held by the one session that plays it.
pub(crate) struct SourceReader {
    shared: Arc<Shared>,
    /// `None` only while being dropped.
    queue: Option<mpsc::Receiver<Piece>>,
    playing: Option<(Piece, usize)>,
    /// Marks that were reached; told once the tick that played them is over.
    reached: Vec<MarkId>,
}

impl SourceReader {
    /// Takes the playing end of the source with this number.
    pub(crate) fn open(id: u64) -> Result<SourceReader, OpenError> {
        let shared = lock(&SOURCES)
            .get(&id)
            .cloned()
            .ok_or(OpenError::NoSource(id))?;
        let queue = lock(&shared.queue)
            .take()
            .ok_or(OpenError::SourceBusy(id))?;
        Ok(SourceReader {
            shared,
            queue: Some(queue),
            playing: None,
            reached: Vec::new(),
        })
    }

    pub(crate) fn rate(&self) -> Rate {
        self.shared.rate
    }

    /// Fills `out` from what waits, and with silence where nothing does.
    pub(crate) fn read(&mut self, out: &mut [i16]) {
        self.tell_reached();
        let mut filled = 0;
        while filled < out.len() {
            let Some((piece, from)) = self.next_piece() else {
                break;
            };
            match &piece.content {
                Content::Mark(mark) => self.reached.push(*mark),
                Content::Pcm(samples) => {
                    let rest = &samples[from..];
                    let count = rest.len().min(out.len() - filled);
                    out[filled..filled + count].copy_from_slice(&rest[..count]);
                    filled += count;
                    self.shared.consume(count);
                    if count < rest.len() {
                        self.playing = Some((piece, from + count));
                    }
                }
            }
        }
        out[filled..].fill(0);
        self.reach_marks();
        self.tell_drain();
    }

    // A mark right behind the last sample is reached with it, not with the next one.
    fn reach_marks(&mut self) {
        while self.playing.is_none() {
            match self.next_piece() {
                Some((piece, from)) => match piece.content {
                    Content::Mark(mark) => self.reached.push(mark),
                    Content::Pcm(_) => self.playing = Some((piece, from)),
                },
                None => break,
            }
        }
    }

    fn next_piece(&mut self) -> Option<(Piece, usize)> {
        let generation = self.shared.generation.load(Ordering::Acquire);
        loop {
            let (piece, from) = match self.playing.take() {
                Some(playing) => playing,
                None => (self.queue.as_ref()?.try_recv().ok()?, 0),
            };
            if piece.generation == generation {
                return Some((piece, from));
            }
            match piece.content {
                Content::Pcm(samples) => self.shared.consume(samples.len() - from),
                mark @ Content::Mark(_) => self.shared.discard(mark),
            }
        }
    }

    fn tell_reached(&mut self) {
        for mark in self.reached.drain(..) {
            (self.shared.listener)(SourceEvent::Played(mark));
        }
    }

    fn tell_drain(&self) {
        let shared = &self.shared;
        if shared.queued() <= shared.low_water && shared.above.swap(false, Ordering::AcqRel) {
            (shared.listener)(SourceEvent::Drain);
        }
    }
}

impl Drop for SourceReader {
    fn drop(&mut self) {
        self.tell_reached();
        // The rest of the piece that was playing is lost with the session that played it.
        if let Some((piece, from)) = self.playing.take()
            && let Content::Pcm(samples) = piece.content
        {
            self.shared.consume(samples.len() - from);
        }
        *lock(&self.shared.queue) = self.queue.take();
    }
}

impl fmt::Debug for SourceReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceReader")
            .field("rate", &self.shared.rate)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
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
        assert_eq!(source.clear(), Duration::from_millis(90));
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
    fn clear_tells_marks_of_a_source_that_nobody_plays() {
        let (mut source, heard) = source(0);
        source.write(&bytes(&[1; 80]));
        source.mark(MarkId(1));
        source.clear();
        assert_eq!(heard.take(), [SourceEvent::Cleared(MarkId(1))]);
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
    fn a_source_feeds_one_session_at_a_time_and_keeps_what_waits() {
        let (mut source, _) = source(0);
        source.write(&bytes(&[5; 80]));
        source.write(&bytes(&[6; 80]));
        let mut first = SourceReader::open(source.id()).unwrap();
        assert!(matches!(
            SourceReader::open(source.id()),
            Err(OpenError::SourceBusy(_))
        ));
        first.read(&mut [0; 80]);
        drop(first);
        assert!(SourceReader::open(source.id()).is_ok());
        let id = source.id();
        drop(source);
        assert!(matches!(
            SourceReader::open(id),
            Err(OpenError::NoSource(_))
        ));
    }
}
