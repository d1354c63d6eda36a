//! Encoded frames on their way out of a session: decoded, or written into a file.

use std::fs::File;
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use video::ivf::IvfWriter;
use video::y4m::Y4mWriter;
use video::{EncodedFrame, FrameQueue, Picture, Pushed, VideoCodec};

use super::budget::PixelBudget;
use super::codec::Decoder;
use super::sink::SinkEnd;
use super::threads::{Task, TaskHandle, Turn};
use super::wish::Wisher;
use super::{MOST_ENCODED, MOST_ENCODED_OCTETS, VideoOpenError, has_raw_video};
use crate::files::{self, Claim};

/// The rate of files of raw pictures, whose pictures all last as long.
const FILE_RATE: u32 = 30;

/// A few come at once where a network held them up; more is time that there was not.
const BACKLOG: usize = 4;

/// Frames for a thread, for as long as this is held; then what waits is finished.
pub(super) struct Decoding {
    frames: Arc<FrameQueue<EncodedFrame>>,
    codecs: &'static [VideoCodec],
    left_out: Arc<AtomicBool>,
    task: TaskHandle,
}

/// Where pictures or frames go.
pub(super) enum Drain {
    /// To the application, raw.
    Sink(SinkEnd),
    /// Into a file, raw.
    Y4m(Y4mWriter<File>, WrittenFile),
    /// Into a file, as they came.
    Ivf(IvfWriter<BufWriter<File>>, WrittenFile),
}

impl Drain {
    pub(super) fn y4m(path: &str) -> Result<Drain, VideoOpenError> {
        let (file, written) = create(path)?;
        Ok(Drain::Y4m(Y4mWriter::new(file, FILE_RATE), written))
    }

    pub(super) fn ivf(path: &str) -> Result<Drain, VideoOpenError> {
        let (file, written) = create(path)?;
        Ok(Drain::Ivf(IvfWriter::new(BufWriter::new(file)), written))
    }

    fn is_raw(&self) -> bool {
        match self {
            Drain::Sink(_) | Drain::Y4m(..) => true,
            Drain::Ivf(..) => false,
        }
    }

    fn path(&self) -> Option<&str> {
        match self {
            Drain::Sink(_) => None,
            Drain::Y4m(_, written) | Drain::Ivf(_, written) => Some(&written.path),
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Drain::Sink(sink) => sink.is_closed(),
            Drain::Y4m(..) | Drain::Ivf(..) => false,
        }
    }
}

/// A file that is being written.
pub(super) struct WrittenFile {
    path: String,
    claim: Option<Claim>,
}

impl WrittenFile {
    fn holds(&self) -> io::Result<()> {
        let claim = self.claim.as_ref();
        claim.map_or(Ok(()), |claim| claim.holds(&self.path))
    }
}

fn create(path: &str) -> Result<(File, WrittenFile), VideoOpenError> {
    let path = path.to_owned();
    match files::create(&path) {
        Ok((file, claim)) => Ok((file, WrittenFile { path, claim })),
        Err(why) => Err(VideoOpenError::File { path, why }),
    }
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
        let left_out = Arc::new(AtomicBool::new(false));
        let task = DecodingTask {
            frames: Arc::clone(&frames),
            drain,
            decoder: None,
            wisher: Arc::clone(wisher),
            budget: PixelBudget::default(),
            left_out: Arc::clone(&left_out),
            begin: None,
            failed: false,
        };
        let started = TaskHandle::start(|waker| {
            if let Drain::Sink(sink) = &task.drain {
                sink.decoded_by(waker);
            }
            task
        });
        let task = started.map_err(|why| VideoOpenError::Thread(why.to_string()))?;
        Ok(Decoding {
            frames,
            codecs,
            left_out,
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

    /// Whether frames were left out, since this was asked last, for they have more pixels than are decoded.
    pub(super) fn has_left_out(&self) -> bool {
        self.left_out.swap(false, Ordering::Relaxed)
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
    budget: PixelBudget,
    /// There was no time for a frame.
    left_out: Arc<AtomicBool>,
    /// When the first frame was taken.
    begin: Option<Instant>,
    /// The file can't be written any more.
    failed: bool,
}

impl Task for DecodingTask {
    fn turn(&mut self, now: Instant, is_wanted: bool) -> Turn {
        if self.failed || self.drain.is_closed() {
            return Turn::Over;
        }
        if self.goes_on() {
            return Turn::Again;
        }
        match self.frames.pop() {
            Some(frame) => {
                self.take(&frame, now);
                Turn::Again
            }
            None if is_wanted => Turn::Wait,
            None => Turn::Over,
        }
    }
}

impl DecodingTask {
    /// Shows a picture of a file once more, if that has to be: one each turn, so that other tasks have theirs.
    fn goes_on(&mut self) -> bool {
        let more = match &mut self.drain {
            Drain::Y4m(file, _) => file.go_on(),
            Drain::Sink(_) | Drain::Ivf(..) => Ok(false),
        };
        self.note(more).unwrap_or(false)
    }

    fn take(&mut self, frame: &EncodedFrame, now: Instant) {
        let written = match &mut self.drain {
            Drain::Ivf(file, written) => file.write(frame).and_then(|_| written.holds()),
            Drain::Sink(_) | Drain::Y4m(..) => self.decode(frame, now),
        };
        self.note(written);
    }

    fn note<T>(&mut self, written: io::Result<T>) -> Option<T> {
        if let Err(error) = &written {
            let path = self.drain.path();
            tracing::warn!(path, %error, "pictures can't be written any more");
            self.failed = true;
        }
        written.ok()
    }

    /// Whether there is time for a frame. What there is none for is left out up to a key frame.
    fn has_time_for(&mut self, frame: &EncodedFrame, now: Instant) -> bool {
        if self.budget.takes(frame, now) {
            return true;
        }
        self.left_out.store(true, Ordering::Relaxed);
        if let Drain::Sink(sink) = &self.drain {
            sink.leave_out();
        }
        if self.budget.wants_key_frame(now) {
            self.wisher.wish();
        }
        false
    }

    fn decode(&mut self, frame: &EncodedFrame, now: Instant) -> io::Result<()> {
        if !self.has_time_for(frame, now) {
            return Ok(());
        }
        if self.decoder.is_none() {
            self.decoder = Decoder::new().ok();
        }
        let decoded = self.decoder.as_mut().map(|decoder| decoder.decode(frame));
        match decoded {
            Some(Ok(Some(picture))) => self.show(&picture, now),
            Some(Ok(None)) => Ok(()),
            Some(Err(_)) | None => {
                self.frames.begin_anew();
                self.wisher.wish();
                Ok(())
            }
        }
    }

    fn show(&mut self, picture: &Picture, now: Instant) -> io::Result<()> {
        let since: Duration = now.duration_since(*self.begin.get_or_insert(now));
        // Whoever sees it live wants the newest, if there was no time for all.
        let is_late = self.frames.len() > BACKLOG;
        match &mut self.drain {
            Drain::Sink(sink) if is_late => sink.leave_out(),
            Drain::Sink(sink) => sink.show(picture),
            Drain::Y4m(file, written) => {
                file.push(picture, since)?;
                written.holds()?;
            }
            Drain::Ivf(..) => {}
        }
        Ok(())
    }
}
