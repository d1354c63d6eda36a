//! Pictures that the application makes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use thiserror::Error;
use video::{EncodedFrame, FrameQueue, NotAFrame, Pushed, Rotation, Size, VideoCodec, WrongLength};

use super::encoder::{Encoding, Wishes, encode_queue};
use super::flow::{Flow, Upstream, VideoReader};
use super::wish::Wisher;
use super::{MOST_RAW, MOST_RAW_OCTETS, RawFormat, RawFrame, VideoOpenError};

/// What a source is told, from the thread it happened on: the listener must not block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoSourceEvent {
    /// The far end can't go on without a key frame.
    KeyFrameWanted,
    /// What the network takes now, in bit/s.
    Bitrate(u64),
    /// The far end takes pictures of this codec, or none any more.
    Active(Option<VideoCodec>),
}

/// What an application writes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SourceFormat {
    /// Frames in some of these codecs, the best first; none stands for all.
    Encoded(Vec<VideoCodec>),
    /// Pictures, encoded natively.
    Raw,
}

/// Why something is not written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The octets are no encoded frame.
    #[error("{0}")]
    NotAFrame(#[from] NotAFrame),
    /// The octets are no picture of the size named.
    #[error("{0}")]
    WrongLength(#[from] WrongLength),
    /// An encoded frame for a source of raw pictures, or the other way round.
    #[error("this VideoSource takes {0} frames")]
    OtherFormat(&'static str),
}

/// The writing end of a session's pictures.
pub struct VideoSource {
    id: u64,
    shared: Arc<SharedVideoSource>,
}

struct SharedVideoSource {
    format: SourceFormat,
    tell: Box<dyn Fn(VideoSourceEvent) + Send + Sync>,
    key_frames: Wisher,
    reading: Mutex<Option<Reading>>,
    /// A session has shown it since one was expected.
    was_shown: AtomicBool,
    /// The last that was told.
    target: AtomicU64,
}

/// The session that has the source.
struct Reading {
    flow: Arc<Flow>,
    active: Option<VideoCodec>,
    encoded: Option<RawQueue>,
}

/// What raw pictures wait in, and who encodes them.
struct RawQueue {
    pictures: Arc<FrameQueue<RawFrame>>,
    encoding: Arc<Encoding>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);
static SOURCES: Mutex<BTreeMap<u64, Arc<SharedVideoSource>>> = Mutex::new(BTreeMap::new());

impl VideoSource {
    /// Makes a source of frames in some of these codecs, the best first; none stands for all.
    pub fn new(
        codecs: Vec<VideoCodec>,
        tell: impl Fn(VideoSourceEvent) + Send + Sync + 'static,
    ) -> VideoSource {
        VideoSource::of(SourceFormat::Encoded(codecs), tell)
    }

    /// Makes a source of pictures that are encoded natively.
    pub fn raw(tell: impl Fn(VideoSourceEvent) + Send + Sync + 'static) -> VideoSource {
        VideoSource::of(SourceFormat::Raw, tell)
    }

    fn of(
        format: SourceFormat,
        tell: impl Fn(VideoSourceEvent) + Send + Sync + 'static,
    ) -> VideoSource {
        let tell = Arc::new(tell);
        let wish = Arc::clone(&tell);
        let shared = Arc::new(SharedVideoSource {
            format,
            key_frames: Wisher::new(Arc::new(move || wish(VideoSourceEvent::KeyFrameWanted))),
            tell: Box::new(move |event| tell(event)),
            reading: Mutex::new(None),
            was_shown: AtomicBool::new(false),
            target: AtomicU64::new(0),
        });
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        sources().insert(id, Arc::clone(&shared));
        VideoSource { id, shared }
    }

    /// The number by which commands name this source.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Notes that its number is given to a session that shall show it.
    pub fn expect_reader(&self) {
        self.shared.was_shown.store(false, Ordering::Release);
    }

    /// Whether a session shows it now.
    pub fn is_shown(&self) -> bool {
        self.shared.reading().is_some()
    }

    /// Whether one has since it was expected.
    pub fn was_shown(&self) -> bool {
        self.shared.was_shown.load(Ordering::Acquire)
    }

    /// Gives a frame, whose octets are copied; says whether it will be sent. What is not can't be seen without a frame
    /// that was dropped, nobody takes it, or not in this codec.
    pub fn write(
        &self,
        codec: VideoCodec,
        timestamp: Duration,
        octets: &[u8],
    ) -> Result<bool, WriteError> {
        if self.shared.format == SourceFormat::Raw {
            return Err(WriteError::OtherFormat("raw"));
        }
        // Looked into before it is copied, so that nothing is kept of what is refused.
        NotAFrame::check(codec, octets)?;
        let flow = match &*self.shared.reading() {
            Some(reading) if reading.active == Some(codec) => Arc::clone(&reading.flow),
            Some(_) | None => return Ok(false),
        };
        let frame = EncodedFrame::read(codec, timestamp, octets.into())?;
        let pushed = flow.push(frame);
        if pushed == Pushed::Dropped {
            self.shared.key_frames.wish();
        }
        Ok(pushed == Pushed::Taken)
    }

    /// Gives a picture, whose octets are copied; says whether it will be encoded without another being dropped for it.
    pub fn write_raw(
        &self,
        format: RawFormat,
        size: Size,
        rotation: Rotation,
        timestamp: Duration,
        octets: &[u8],
    ) -> Result<bool, WriteError> {
        if self.shared.format != SourceFormat::Raw {
            return Err(WriteError::OtherFormat("encoded"));
        }
        RawFrame::check(format, size, octets.len())?;
        let (pictures, encoding) = match &*self.shared.reading() {
            Some(Reading {
                active: Some(_),
                encoded: Some(queue),
                ..
            }) => (Arc::clone(&queue.pictures), Arc::clone(&queue.encoding)),
            Some(_) | None => return Ok(false),
        };
        let before = pictures.dropped();
        pictures.push(RawFrame {
            format,
            size,
            rotation,
            timestamp,
            data: octets.into(),
        });
        encoding.wake();
        Ok(pictures.dropped() == before)
    }

    /// The reading end of the source with this number.
    pub(super) fn reader(id: u64) -> Result<VideoReader, VideoOpenError> {
        let shared = sources().get(&id).cloned();
        let shared = shared.ok_or(VideoOpenError::NoSource(id))?;
        let mut reading = shared.reading();
        if reading.is_some() {
            return Err(VideoOpenError::SourceBusy(id));
        }
        let flow = Flow::new();
        let (encoded, codecs) = match &shared.format {
            SourceFormat::Encoded(codecs) if codecs.is_empty() => (None, VideoCodec::ALL.to_vec()),
            SourceFormat::Encoded(codecs) => (None, codecs.clone()),
            SourceFormat::Raw => (Some(RawQueue::start(&flow)?), vec![VideoCodec::Vp8]),
        };
        *reading = Some(Reading {
            flow: Arc::clone(&flow),
            active: None,
            encoded,
        });
        shared.was_shown.store(true, Ordering::Release);
        drop(reading);
        Ok(VideoReader::new(flow, shared, codecs))
    }
}

impl RawQueue {
    fn start(flow: &Arc<Flow>) -> Result<RawQueue, VideoOpenError> {
        let pictures = Arc::new(FrameQueue::new(MOST_RAW, MOST_RAW_OCTETS));
        let encoding = encode_queue(flow, Arc::clone(&pictures))?;
        Ok(RawQueue {
            pictures,
            encoding: Arc::new(encoding),
        })
    }
}

impl Drop for VideoSource {
    fn drop(&mut self) {
        sources().remove(&self.id);
        if let Some(reading) = &*self.shared.reading() {
            reading.flow.end();
        }
    }
}

impl fmt::Debug for VideoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoSource")
            .field("id", &self.id)
            .field("format", &self.shared.format)
            .finish_non_exhaustive()
    }
}

impl SharedVideoSource {
    fn reading(&self) -> MutexGuard<'_, Option<Reading>> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SharedVideoSource {
    fn wishes(&self) -> Option<Arc<Wishes>> {
        let reading = self.reading();
        let queue = reading.as_ref()?.encoded.as_ref()?;
        Some(Arc::clone(&queue.encoding.wishes))
    }
}

impl Upstream for SharedVideoSource {
    fn want_key_frame(&self) {
        match self.wishes() {
            Some(wishes) => wishes.want_key_frame(),
            None => self.key_frames.wish(),
        }
    }

    fn set_target(&self, bits_per_second: u64) {
        if self.target.swap(bits_per_second, Ordering::Relaxed) == bits_per_second {
            return;
        }
        if let Some(wishes) = self.wishes() {
            wishes.set_target(bits_per_second);
        }
        (self.tell)(VideoSourceEvent::Bitrate(bits_per_second));
    }

    fn set_active(&self, codec: Option<VideoCodec>) {
        if let Some(session) = &mut *self.reading() {
            session.active = codec;
        }
        let wishes = self.wishes();
        if let Some(wishes) = &wishes {
            wishes.set_active(codec == Some(VideoCodec::Vp8));
        }
        (self.tell)(VideoSourceEvent::Active(codec));
        if codec.is_some() && wishes.is_none() {
            self.key_frames.wish();
        }
    }

    fn set_screen(&self, screen: bool) {
        if let Some(wishes) = self.wishes() {
            wishes.set_screen(screen);
        }
    }

    fn left(&self) {
        let before = self.reading().take();
        self.target.store(0, Ordering::Relaxed);
        if before.is_some_and(|session| session.active.is_some()) {
            (self.tell)(VideoSourceEvent::Active(None));
        }
    }
}

fn sources() -> MutexGuard<'static, BTreeMap<u64, Arc<SharedVideoSource>>> {
    SOURCES.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DELTA, KEY, counter, opened};
    use super::*;

    type Told = Arc<Mutex<Vec<VideoSourceEvent>>>;

    fn source() -> (VideoSource, Told) {
        let told = Told::default();
        let telling = Arc::clone(&told);
        let tell = move |event| telling.lock().unwrap().push(event);
        (VideoSource::new(Vec::new(), tell), told)
    }

    fn take(told: &Told) -> Vec<VideoSourceEvent> {
        std::mem::take(&mut *told.lock().unwrap())
    }

    fn write(source: &VideoSource, ms: u64, octets: &[u8]) -> bool {
        let at = Duration::from_millis(ms);
        source.write(VideoCodec::Vp8, at, octets).unwrap()
    }

    #[test]
    fn what_is_written_is_read_once_the_far_end_takes_it() {
        let (source, told) = source();
        assert!(!write(&source, 0, &KEY), "nobody has it");
        let (wake, woken) = counter();
        let mut reader = opened(VideoReader::open(source.id()), wake);
        assert_eq!(reader.pop(), None);
        assert!(!write(&source, 1, &KEY), "nothing was agreed");
        reader.set_active(Some(VideoCodec::Vp8));
        let active = VideoSourceEvent::Active(Some(VideoCodec::Vp8));
        assert_eq!(take(&told), [active, VideoSourceEvent::KeyFrameWanted]);
        assert!(!write(&source, 2, &DELTA), "it needs another");
        assert!(write(&source, 3, &KEY));
        assert!(write(&source, 4, &DELTA));
        assert_eq!(woken.load(Ordering::SeqCst), 1);
        let frames: Vec<_> = std::iter::from_fn(|| reader.pop()).collect();
        assert_eq!(frames.len(), 2);
        assert!(frames[0].key && !frames[1].key);
        drop(reader);
        assert_eq!(take(&told), [VideoSourceEvent::Active(None)]);
        assert!(!write(&source, 5, &KEY));
    }

    #[test]
    fn what_the_far_end_does_not_take_is_not_sent() {
        let (source, _) = source();
        let mut reader = VideoReader::open(source.id()).unwrap();
        reader.set_active(Some(VideoCodec::H264));
        assert!(!write(&source, 1, &KEY));
        assert_eq!(reader.pop(), None);
    }

    #[test]
    fn a_source_that_writes_too_fast_is_bounded() {
        let (source, _) = source();
        let mut reader = VideoReader::open(source.id()).unwrap();
        reader.set_active(Some(VideoCodec::Vp8));
        assert!(write(&source, 0, &KEY));
        let taken = (1..10_000).filter(|ms| write(&source, *ms, &DELTA)).count();
        assert!(taken < 100, "{taken}");
        assert!(write(&source, 10_000, &KEY));
        assert_eq!(reader.pop().unwrap().timestamp.as_secs(), 10);
    }

    #[test]
    fn a_bitrate_is_told_when_it_changes() {
        let (source, told) = source();
        let reader = VideoReader::open(source.id()).unwrap();
        for target in [300_000, 300_000, 500_000] {
            reader.set_target(target);
        }
        let told = take(&told);
        assert_eq!(told, [300_000, 500_000].map(VideoSourceEvent::Bitrate));
    }

    #[test]
    fn a_source_feeds_one_session_at_a_time() {
        let (source, _) = source();
        let id = source.id();
        let first = VideoReader::open(id).unwrap();
        let busy = VideoReader::open(id).unwrap_err();
        assert_eq!(busy, VideoOpenError::SourceBusy(id));
        drop(first);
        assert!(VideoReader::open(id).is_ok());
        drop(source);
        let gone = VideoReader::open(id).unwrap_err();
        assert_eq!(gone, VideoOpenError::NoSource(id));
    }

    #[test]
    fn what_is_no_frame_is_refused_by_name() {
        let (source, _) = source();
        let write = |octets: &[u8]| source.write(VideoCodec::Vp8, Duration::ZERO, octets);
        assert_eq!(write(&[]), Err(NotAFrame::Empty.into()));
        assert_eq!(write(&[0, 1, 2]), Err(NotAFrame::NotVp8.into()));
    }
}
