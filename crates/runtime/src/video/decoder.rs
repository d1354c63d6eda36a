//! Encoded frames on their way out of a session: decoded, or written into a file.

use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::time::Instant;

use video::ivf::IvfWriter;
use video::y4m::Y4mWriter;
use video::{EncodedFrame, FrameQueue, Picture, Pushed, VideoCodec};

use super::codec::Decoder;
use super::sink::SinkEnd;
use super::threads::{Task, TaskHandle, Turn};
use super::wish::Wisher;
use super::{MOST_ENCODED, MOST_ENCODED_OCTETS, VideoOpenError, has_raw_video};

/// The rate of files of raw pictures, whose pictures all last as long.
const FILE_RATE: u32 = 30;

/// A few come at once where a network held them up; more is time that there was not.
const BACKLOG: usize = 4;

/// Frames for a thread, for as long as this is held; then what waits is finished.
pub(super) struct Decoding {
    frames: Arc<FrameQueue<EncodedFrame>>,
    codecs: &'static [VideoCodec],
    task: TaskHandle,
}

/// Where pictures or frames go.
pub(super) enum Drain {
    /// To the application, raw.
    Sink(SinkEnd),
    /// Into a file, raw.
    Y4m(Y4mWriter<File>),
    /// Into a file, as they came.
    Ivf(IvfWriter<BufWriter<File>>),
}

impl Drain {
    pub(super) fn y4m(path: &str) -> Result<Drain, VideoOpenError> {
        Ok(Drain::Y4m(Y4mWriter::new(create(path)?, FILE_RATE)))
    }

    pub(super) fn ivf(path: &str) -> Result<Drain, VideoOpenError> {
        Ok(Drain::Ivf(IvfWriter::new(BufWriter::new(create(path)?))))
    }

    fn is_raw(&self) -> bool {
        match self {
            Drain::Sink(_) | Drain::Y4m(_) => true,
            Drain::Ivf(_) => false,
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Drain::Sink(sink) => sink.is_closed(),
            Drain::Y4m(_) | Drain::Ivf(_) => false,
        }
    }
}

fn create(path: &str) -> Result<File, VideoOpenError> {
    File::create(path).map_err(|why| VideoOpenError::File {
        path: path.to_owned(),
        why: why.to_string(),
    })
}

impl Decoding {
    pub(super) fn start(drain: Drain, wisher: &Arc<Wisher>) -> Result<Decoding, VideoOpenError> {
        if drain.is_raw() && !has_raw_video() {
            return Err(VideoOpenError::NoCodec);
        }
        let codecs: &[VideoCodec] = match drain.is_raw() {
            true => &[VideoCodec::Vp8],
            false => &VideoCodec::ALL,
        };
        let frames = Arc::new(FrameQueue::new(MOST_ENCODED, MOST_ENCODED_OCTETS));
        let task = DecodingTask {
            frames: Arc::clone(&frames),
            drain,
            decoder: None,
            wisher: Arc::clone(wisher),
            failed: false,
        };
        let started = TaskHandle::start(|_| task);
        let task = started.map_err(|why| VideoOpenError::Thread(why.to_string()))?;
        Ok(Decoding {
            frames,
            codecs,
            task,
        })
    }

    pub(super) fn push(&self, frame: EncodedFrame) -> Pushed {
        let pushed = self.frames.push(frame);
        self.task.waker().wake();
        pushed
    }

    /// The codecs of what it makes something of.
    pub(super) fn codecs(&self) -> &'static [VideoCodec] {
        self.codecs
    }

    /// Whether nobody reads it any more: then the thread has let go of its end.
    pub(super) fn is_over(&self) -> bool {
        Arc::strong_count(&self.frames) == 1
    }
}

struct DecodingTask {
    frames: Arc<FrameQueue<EncodedFrame>>,
    drain: Drain,
    decoder: Option<Decoder>,
    wisher: Arc<Wisher>,
    /// The file can't be written any more.
    failed: bool,
}

impl Task for DecodingTask {
    fn turn(&mut self, _now: Instant, is_wanted: bool) -> Turn {
        if self.failed || self.drain.is_closed() {
            return Turn::Over;
        }
        match self.frames.pop() {
            Some(frame) => {
                self.take(&frame);
                Turn::Again
            }
            None if is_wanted => Turn::Wait,
            None => Turn::Over,
        }
    }
}

impl DecodingTask {
    fn take(&mut self, frame: &EncodedFrame) {
        let written = match &mut self.drain {
            Drain::Ivf(file) => file.write(frame).map(|_| ()),
            Drain::Sink(_) | Drain::Y4m(_) => self.decode(frame),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "pictures can't be written any more");
            self.failed = true;
        }
    }

    fn decode(&mut self, frame: &EncodedFrame) -> io::Result<()> {
        if self.decoder.is_none() {
            self.decoder = Decoder::new().ok();
        }
        let decoded = self.decoder.as_mut().map(|decoder| decoder.decode(frame));
        match decoded {
            Some(Ok(Some(picture))) => self.show(&picture),
            Some(Ok(None)) => Ok(()),
            Some(Err(_)) | None => {
                self.frames.begin_anew();
                self.wisher.wish();
                Ok(())
            }
        }
    }

    fn show(&mut self, picture: &Picture) -> io::Result<()> {
        // Whoever sees it live wants the newest, if there was no time for all.
        let is_late = self.frames.len() > BACKLOG;
        match &mut self.drain {
            Drain::Sink(_) if is_late => {}
            Drain::Sink(sink) => sink.show(picture),
            Drain::Y4m(file) => file.write(picture)?,
            Drain::Ivf(_) => {}
        }
        Ok(())
    }
}
