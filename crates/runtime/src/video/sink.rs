//! Pictures for the application.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use video::{EncodedFrame, FrameQueue, Picture, Pushed, Queued};

use super::threads::TaskWaker;
use super::wish::Wisher;
use super::{MOST_ENCODED_OCTETS, MOST_RAW_OCTETS, RawFormat, RawFrame, VideoOpenError};
use crate::audio::SinkGroup;

/// What the application reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkFrame {
    /// As the far end wrote it.
    Encoded(EncodedFrame),
    /// Decoded.
    Raw(RawFrame),
}

/// What an application wants of a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SinkFormat {
    /// Frames as the far end wrote them.
    Encoded,
    /// Pictures, decoded natively.
    Raw(RawFormat),
}

impl Queued for SinkFrame {
    fn begins(&self) -> bool {
        match self {
            SinkFrame::Encoded(frame) => frame.begins(),
            SinkFrame::Raw(_) => true,
        }
    }

    fn octets(&self) -> usize {
        match self {
            SinkFrame::Encoded(frame) => frame.octets(),
            SinkFrame::Raw(frame) => frame.octets(),
        }
    }
}

/// The reading end of a session's pictures.
#[derive(Debug)]
pub struct VideoSink {
    id: u64,
    shared: Arc<SharedVideoSink>,
}

struct SharedVideoSink {
    format: SinkFormat,
    frames: FrameQueue<SinkFrame>,
    /// The reader found nothing and waits to be woken.
    starved: AtomicBool,
    /// Nobody will read it any more.
    closed: AtomicBool,
    /// A session has filled it since one was expected.
    was_fed: AtomicBool,
    group: Arc<SinkGroup>,
    filled_by: Mutex<Option<FilledBy>>,
}

/// The session that fills a sink.
struct FilledBy {
    wisher: Arc<Wisher>,
    /// Whoever decodes for it.
    decoder: Option<TaskWaker>,
}

impl fmt::Debug for SharedVideoSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.frames.fmt(f)
    }
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);
static SINKS: Mutex<BTreeMap<u64, Arc<SharedVideoSink>>> = Mutex::new(BTreeMap::new());

impl VideoSink {
    /// Makes a sink of encoded frames, of which at most `queue` wait, at least one.
    pub fn new(queue: usize, group: Arc<SinkGroup>) -> VideoSink {
        VideoSink::of(SinkFormat::Encoded, queue, group)
    }

    /// Makes a sink of pictures that are decoded natively, of which at most `queue` wait, at least one.
    pub fn raw(format: RawFormat, queue: usize, group: Arc<SinkGroup>) -> VideoSink {
        VideoSink::of(SinkFormat::Raw(format), queue, group)
    }

    fn of(format: SinkFormat, queue: usize, group: Arc<SinkGroup>) -> VideoSink {
        let most_octets = match format {
            SinkFormat::Encoded => MOST_ENCODED_OCTETS,
            SinkFormat::Raw(_) => MOST_RAW_OCTETS,
        };
        let shared = Arc::new(SharedVideoSink {
            format,
            frames: FrameQueue::new(queue, most_octets),
            starved: AtomicBool::new(true),
            closed: AtomicBool::new(false),
            was_fed: AtomicBool::new(false),
            group,
            filled_by: Mutex::new(None),
        });
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        sinks().insert(id, Arc::clone(&shared));
        VideoSink { id, shared }
    }

    /// The number by which commands name this sink.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Notes that its number is given to a session that shall fill it.
    pub fn expect_writer(&self) {
        self.shared.was_fed.store(false, Ordering::Release);
    }

    /// Whether a session fills it now.
    pub fn is_fed(&self) -> bool {
        self.shared.filled_by().is_some()
    }

    /// Whether one has since it was expected.
    pub fn was_fed(&self) -> bool {
        self.shared.was_fed.load(Ordering::Acquire)
    }

    /// Takes the oldest frame; `None` asks to be woken.
    pub fn read(&self) -> Option<SinkFrame> {
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

    /// Whether a reader that found nothing would find something now.
    pub fn readable(&self) -> bool {
        !self.shared.frames.is_empty() && self.shared.starved.swap(false, Ordering::SeqCst)
    }

    /// Frames dropped because nobody read them in time, and those that could not be seen without them.
    pub fn dropped(&self) -> u64 {
        self.shared.frames.dropped()
    }

    /// Asks the far end for a key frame, at most twice a second.
    pub fn request_key_frame(&self) {
        if let Some(session) = &*self.shared.filled_by() {
            session.wisher.wish();
        }
    }

    /// The writing end of the sink with this number.
    pub(super) fn end(
        id: u64,
        wisher: &Arc<Wisher>,
    ) -> Result<(SinkEnd, SinkFormat), VideoOpenError> {
        let shared = sinks().get(&id).cloned();
        let shared = shared.ok_or(VideoOpenError::NoSink(id))?;
        let mut slot = shared.filled_by();
        if slot.is_some() {
            return Err(VideoOpenError::SinkBusy(id));
        }
        *slot = Some(FilledBy {
            wisher: Arc::clone(wisher),
            decoder: None,
        });
        shared.was_fed.store(true, Ordering::Release);
        drop(slot);
        // What another session wrote can't be seen with what this one writes.
        shared.frames.begin_anew();
        let format = shared.format;
        Ok((SinkEnd { shared }, format))
    }
}

impl Drop for VideoSink {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        sinks().remove(&self.id);
        // Nobody reads what waits, and the session may hold its end for as long as nothing comes.
        while self.shared.frames.pop().is_some() {}
        let session = self.shared.filled_by();
        if let Some(decoder) = session.as_ref().and_then(|by| by.decoder.as_ref()) {
            decoder.wake();
        }
    }
}

impl SharedVideoSink {
    fn filled_by(&self) -> MutexGuard<'_, Option<FilledBy>> {
        self.filled_by
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The writing end of a [`VideoSink`], held by the one session that fills it.
pub(super) struct SinkEnd {
    shared: Arc<SharedVideoSink>,
}

impl SinkEnd {
    /// Has whoever decodes for the sink learn that it was closed.
    pub(super) fn decoded_by(&self, decoder: &TaskWaker) {
        if let Some(session) = &mut *self.shared.filled_by() {
            session.decoder = Some(decoder.clone());
        }
        if self.is_closed() {
            decoder.wake();
        }
    }

    pub(super) fn push(&self, frame: EncodedFrame) -> Pushed {
        self.give(SinkFrame::Encoded(frame))
    }

    /// Gives a picture in the format that the application wants.
    pub(super) fn show(&self, picture: &Picture) {
        if let SinkFormat::Raw(format) = self.shared.format {
            self.give(SinkFrame::Raw(RawFrame::of(picture, format)));
        }
    }

    /// Counts a picture that there was no time for.
    pub(super) fn leave_out(&self) {
        self.shared.frames.leave_out();
    }

    fn give(&self, frame: SinkFrame) -> Pushed {
        if self.is_closed() {
            return Pushed::Dropped;
        }
        let pushed = self.shared.frames.push(frame);
        if pushed == Pushed::Taken && self.shared.starved.load(Ordering::SeqCst) {
            self.shared.group.wake();
        }
        pushed
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }
}

impl Drop for SinkEnd {
    fn drop(&mut self) {
        *self.shared.filled_by() = None;
    }
}

fn sinks() -> MutexGuard<'static, BTreeMap<u64, Arc<SharedVideoSink>>> {
    SINKS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::super::VideoWriter;
    use super::super::testing::{counter, delta, key};
    use super::*;

    fn sink(queue: usize) -> (VideoSink, Arc<SinkGroup>, Arc<AtomicUsize>) {
        let (wake, woken) = counter();
        let group = SinkGroup::new(move || wake());
        (VideoSink::new(queue, Arc::clone(&group)), group, woken)
    }

    fn read(sink: &VideoSink) -> Vec<u128> {
        std::iter::from_fn(|| sink.read())
            .map(|frame| match frame {
                SinkFrame::Encoded(frame) => frame.timestamp.as_millis(),
                SinkFrame::Raw(frame) => frame.timestamp.as_millis(),
            })
            .collect()
    }

    #[test]
    fn frames_are_read_from_a_key_frame_on_and_one_is_asked_for() {
        let (sink, group, woken) = sink(8);
        assert!(read(&sink).is_empty());
        let (wish, wishes) = counter();
        let mut writer = VideoWriter::open(sink.id(), wish).unwrap();
        assert_eq!(wishes.load(Ordering::SeqCst), 1);
        assert!(writer.push(&delta(1)));
        assert_eq!(woken.load(Ordering::SeqCst), 0);
        for frame in [key(2), delta(3)] {
            assert!(writer.push(&frame));
        }
        assert_eq!(woken.load(Ordering::SeqCst), 1);
        group.woken();
        assert!(sink.readable());
        assert_eq!(read(&sink), [2, 3]);
        drop(sink);
        assert!(!writer.push(&key(4)));
    }

    #[test]
    fn a_reader_that_is_slow_loses_the_oldest_and_waits_for_a_key_frame() {
        let (sink, _, _) = sink(3);
        let mut writer = VideoWriter::open(sink.id(), counter().0).unwrap();
        for frame in [
            key(1),
            delta(2),
            delta(3),
            delta(4),
            delta(5),
            key(6),
            delta(7),
        ] {
            writer.push(&frame);
        }
        assert_eq!(read(&sink), [6, 7]);
        assert_eq!(sink.dropped(), 5);
    }

    #[test]
    fn key_frames_are_begged_for_in_vain() {
        let (sink, _, _) = sink(3);
        sink.request_key_frame();
        let (wish, wishes) = counter();
        let begin = std::time::Instant::now();
        let _writer = VideoWriter::open(sink.id(), wish).unwrap();
        for _ in 0..1_000 {
            sink.request_key_frame();
        }
        let most = 2 + 2 * begin.elapsed().as_secs() as usize;
        assert!((1..=most).contains(&wishes.load(Ordering::SeqCst)));
    }

    #[test]
    fn a_sink_is_filled_by_one_session_at_a_time_and_begins_anew_with_the_next() {
        let (sink, _, _) = sink(8);
        let id = sink.id();
        assert!(!sink.is_fed() && !sink.was_fed());
        let mut first = VideoWriter::open(id, counter().0).unwrap();
        assert!(sink.is_fed() && sink.was_fed());
        let busy = VideoWriter::open(id, counter().0).unwrap_err();
        assert_eq!(busy, VideoOpenError::SinkBusy(id));
        first.push(&key(1));
        drop(first);
        assert!(!sink.is_fed() && sink.was_fed());
        sink.expect_writer();
        assert!(!sink.was_fed());
        let mut second = VideoWriter::open(id, counter().0).unwrap();
        second.push(&delta(2));
        second.push(&key(3));
        assert_eq!(read(&sink), [1, 3]);
        drop(sink);
        let gone = VideoWriter::open(id, counter().0).unwrap_err();
        assert_eq!(gone, VideoOpenError::NoSink(id));
    }
}
