//! Encoded frames on their way into a session.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use video::{EncodedFrame, FrameQueue, Pushed, VideoCodec};

use super::source::VideoSource;
use super::{MOST_ENCODED, MOST_ENCODED_OCTETS, VideoOpenError, Wake, encoder, ivf};

/// What stands before a session's queue, and takes its wishes. Called on the media thread: nothing here blocks.
pub(super) trait Upstream: Send + Sync {
    /// The far end can't go on without a key frame.
    fn want_key_frame(&self);
    /// What the network takes, in bit/s.
    fn set_target(&self, bits_per_second: u64);
    /// What the far end has agreed to take; nothing if it takes no pictures now.
    fn set_active(&self, codec: Option<VideoCodec>);
    /// Whether pictures are to be read rather than to move.
    fn set_screen(&self, _screen: bool) {}
    /// The session has let go.
    fn left(&self);
}

/// The queue between a source and a session.
pub(super) struct Flow {
    frames: FrameQueue<EncodedFrame>,
    /// Wakes whoever reads, once somebody does.
    wake: OnceLock<Wake>,
    /// The reader found nothing and waits to be woken.
    starved: AtomicBool,
    left: AtomicBool,
    over: AtomicBool,
}

impl Flow {
    pub(super) fn new() -> Arc<Flow> {
        Arc::new(Flow {
            frames: FrameQueue::new(MOST_ENCODED, MOST_ENCODED_OCTETS),
            wake: OnceLock::new(),
            starved: AtomicBool::new(true),
            left: AtomicBool::new(false),
            over: AtomicBool::new(false),
        })
    }

    pub(super) fn push(&self, frame: EncodedFrame) -> Pushed {
        let pushed = self.frames.push(frame);
        if pushed == Pushed::Taken
            && self.starved.swap(false, Ordering::SeqCst)
            && let Some(wake) = self.wake.get()
        {
            wake();
        }
        pushed
    }

    /// Whether nobody reads any more.
    pub(super) fn is_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// Nothing more is to be seen of it, nor of what waits.
    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// Whether only a key frame is taken.
    pub(super) fn awaits_key_frame(&self) -> bool {
        self.frames.awaits_beginning()
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.frames.fmt(f)
    }
}

/// Encoded frames for one session, whatever they come from; dropping it lets go.
pub struct VideoReader {
    flow: Arc<Flow>,
    upstream: Arc<dyn Upstream>,
    codecs: Vec<VideoCodec>,
    active: Cell<Option<VideoCodec>>,
}

impl VideoReader {
    pub(super) fn new(
        flow: Arc<Flow>,
        upstream: Arc<dyn Upstream>,
        codecs: Vec<VideoCodec>,
    ) -> VideoReader {
        VideoReader {
            flow,
            upstream,
            codecs,
            active: Cell::new(None),
        }
    }

    /// Reads what the application writes to the source with this number.
    pub fn open(id: u64) -> Result<VideoReader, VideoOpenError> {
        VideoSource::reader(id)
    }

    /// Plays a file of raw pictures (YUV4MPEG2), once or over and over, as soon as the far end takes pictures. Blocks.
    pub fn y4m(path: &str, repeat: bool) -> Result<VideoReader, VideoOpenError> {
        encoder::y4m(path, repeat)
    }

    /// Plays a file of encoded frames (IVF), once or over and over, as soon as the far end takes pictures. Blocks.
    pub fn ivf(path: &str, repeat: bool) -> Result<VideoReader, VideoOpenError> {
        ivf::ivf(path, repeat)
    }

    /// Has this called when a frame has come after [`pop`](Self::pop) found none; the first one that is given stays.
    pub fn wake_by(&self, wake: Wake) {
        let _before = self.flow.wake.set(wake);
    }

    /// The codecs in which frames can come, the best first.
    pub fn codecs(&self) -> &[VideoCodec] {
        &self.codecs
    }

    /// Takes the oldest frame; if there is none, whoever is to be woken is when one has come.
    pub fn pop(&mut self) -> Option<EncodedFrame> {
        if let Some(frame) = self.flow.frames.pop() {
            return Some(frame);
        }
        self.flow.starved.store(true, Ordering::SeqCst);
        // A frame may have come between the two lines above, unseen by the writer.
        let frame = self.flow.frames.pop();
        if frame.is_some() {
            self.flow.starved.store(false, Ordering::SeqCst);
        }
        frame
    }

    /// Whether the source was closed: what waits is not to be seen any more.
    pub fn is_over(&self) -> bool {
        self.flow.over.load(Ordering::Acquire)
    }

    /// Says that the far end needs a key frame.
    pub fn want_key_frame(&self) {
        self.upstream.want_key_frame();
    }

    /// Says what the network takes, in bit/s.
    pub fn set_target(&self, bits_per_second: u64) {
        self.upstream.set_target(bits_per_second);
    }

    /// Says which codec the far end takes, or that it takes no pictures now. It begins with a key frame.
    pub fn set_active(&self, codec: Option<VideoCodec>) {
        if self.active.replace(codec) != codec {
            // What waits was written for a far end that took it.
            self.flow.frames.begin_anew();
            self.upstream.set_active(codec);
        }
    }

    /// Says whether the pictures show a screen: then they keep their size and come less often.
    pub fn set_screen(&self, screen: bool) {
        self.upstream.set_screen(screen);
    }
}

impl Drop for VideoReader {
    fn drop(&mut self) {
        self.flow.left.store(true, Ordering::Release);
        self.upstream.left();
    }
}

impl fmt::Debug for VideoReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoReader")
            .field("codecs", &self.codecs)
            .field("flow", &self.flow)
            .finish_non_exhaustive()
    }
}
