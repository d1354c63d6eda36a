//! A file of encoded frames on its way into a session, in the time that it says.

use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use video::ivf::{IvfError, IvfReader};
use video::{EncodedFrame, VideoCodec};

use super::VideoOpenError;
use super::flow::{Flow, Upstream, VideoReader};
use super::threads::{Task, TaskHandle, TaskWaker, Turn};
use crate::files::PlayedFile;

/// A gap that is longer, or time that goes back, is a clock that lies.
const LONGEST_GAP: Duration = Duration::from_secs(10);
const ASSUMED_GAP: Duration = Duration::from_millis(33);
/// A machine that slept plays on where it was.
const STOOD_STILL: Duration = Duration::from_secs(2);

type IvfFile = IvfReader<BufReader<PlayedFile>>;

/// Begins to play a file.
pub(super) fn ivf(path: &str, repeat: bool) -> Result<VideoReader, VideoOpenError> {
    let reader = open(path).map_err(|why| VideoOpenError::File {
        path: path.to_owned(),
        why: why.to_string(),
    })?;
    let codec = reader.codec();
    let flow = Flow::new();
    let active = Arc::<AtomicBool>::default();
    let task = IvfTask {
        path: path.to_owned(),
        repeat,
        reader,
        flow: Arc::clone(&flow),
        active: Arc::clone(&active),
        next: None,
        last: None,
        at: Duration::ZERO,
        has_frames: false,
        begin: None,
    };
    let started = TaskHandle::start(|_| task);
    let task = started.map_err(|why| VideoOpenError::Thread(why.to_string()))?;
    let playing = PlayingIvf {
        codec,
        active,
        waker: task.waker().clone(),
        _task: task,
    };
    Ok(VideoReader::new(flow, Arc::new(playing), vec![codec]))
}

fn open(path: &str) -> Result<IvfFile, IvfError> {
    IvfReader::new(BufReader::new(PlayedFile::open(path)?))
}

/// A file makes no key frames but those that it has, nor fewer bits.
struct PlayingIvf {
    codec: VideoCodec,
    active: Arc<AtomicBool>,
    waker: TaskWaker,
    _task: TaskHandle,
}

impl Upstream for PlayingIvf {
    fn want_key_frame(&self) {}

    fn set_target(&self, _bits_per_second: u64) {}

    fn set_active(&self, codec: Option<VideoCodec>) {
        self.active
            .store(codec == Some(self.codec), Ordering::Release);
        self.waker.wake();
    }

    fn left(&self) {}
}

struct IvfTask {
    path: String,
    repeat: bool,
    reader: IvfFile,
    flow: Arc<Flow>,
    active: Arc<AtomicBool>,
    /// Read, and not due yet.
    next: Option<EncodedFrame>,
    /// The last one's time, as the file says it.
    last: Option<Duration>,
    /// When the next one is due, from the beginning, over all passes.
    at: Duration,
    /// Whether this pass had any: an empty file would be repeated without end.
    has_frames: bool,
    /// When it would have begun, had it never stood still.
    begin: Option<Instant>,
}

impl Task for IvfTask {
    fn turn(&mut self, now: Instant, is_wanted: bool) -> Turn {
        if !is_wanted || self.flow.is_left() {
            return Turn::Over;
        }
        if !self.active.load(Ordering::Acquire) {
            self.begin = self.begin.and_then(|_| now.checked_sub(self.at));
            return Turn::Wait;
        }
        let Some(frame) = self.next.take().or_else(|| self.read()) else {
            return Turn::Over;
        };
        let begin = *self.begin.get_or_insert(now);
        let Some(due) = begin.checked_add(self.at) else {
            return Turn::Over;
        };
        if due > now {
            self.next = Some(frame);
            return Turn::At(due);
        }
        let behind = now.duration_since(due);
        if behind > STOOD_STILL {
            self.begin = begin.checked_add(behind);
        }
        self.flow.push(frame);
        Turn::Again
    }
}

impl IvfTask {
    /// The next frame, with its time over all passes.
    fn read(&mut self) -> Option<EncodedFrame> {
        let frame = self.read_from_file().or_else(|| {
            if !(self.repeat && self.has_frames) {
                return None;
            }
            self.reader = open(&self.path).ok()?;
            self.last = None;
            self.has_frames = false;
            self.at += ASSUMED_GAP;
            self.read_from_file()
        })?;
        self.has_frames = true;
        if let Some(last) = self.last {
            let gap = frame.timestamp.checked_sub(last);
            self.at += gap.filter(|gap| *gap <= LONGEST_GAP).unwrap_or(ASSUMED_GAP);
        }
        self.last = Some(frame.timestamp);
        Some(EncodedFrame {
            timestamp: self.at,
            ..frame
        })
    }

    fn read_from_file(&mut self) -> Option<EncodedFrame> {
        match self.reader.read() {
            Ok(frame) => frame,
            Err(error) => {
                tracing::warn!(path = self.path, %error, "a file can't be played on");
                // What is damaged once is damaged each time.
                self.has_frames = false;
                None
            }
        }
    }
}
