//! Raw pictures on their way into a session: read, made as small and rare as they must be, and encoded.

use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use video::y4m::{Y4mError, Y4mReader};
use video::{Adaptation, FrameQueue, Motive, Picture, Plan, Pushed, VideoCodec};

use super::codec::{Encoder, Settings};
use super::flow::{Flow, Upstream, VideoReader};
use super::raw::RawFrame;
use super::threads::{Task, TaskHandle, TaskWaker, Turn};
use super::{VideoOpenError, has_raw_video};
use crate::files::PlayedFile;

/// What a session wishes of its encoder.
#[derive(Debug)]
pub(super) struct Wishes {
    key_frame: AtomicBool,
    target: AtomicU64,
    active: AtomicBool,
    screen: AtomicBool,
    waker: TaskWaker,
}

impl Wishes {
    fn new(waker: &TaskWaker) -> Arc<Wishes> {
        Arc::new(Wishes {
            key_frame: AtomicBool::new(false),
            target: AtomicU64::new(0),
            active: AtomicBool::new(false),
            screen: AtomicBool::new(false),
            waker: waker.clone(),
        })
    }

    pub(super) fn want_key_frame(&self) {
        self.key_frame.store(true, Ordering::Release);
    }

    pub(super) fn set_target(&self, bits_per_second: u64) {
        self.target.store(bits_per_second, Ordering::Release);
    }

    pub(super) fn set_active(&self, active: bool) {
        self.active.store(active, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn set_screen(&self, screen: bool) {
        self.screen.store(screen, Ordering::Release);
    }
}

/// An encoder that runs for one session, for as long as this is held.
#[derive(Debug)]
pub(super) struct Encoding {
    pub(super) wishes: Arc<Wishes>,
    task: TaskHandle,
}

impl Encoding {
    pub(super) fn wake(&self) {
        self.task.waker().wake();
    }
}

/// Begins to encode what waits in a queue.
pub(super) fn encode_queue(
    flow: &Arc<Flow>,
    pictures: Arc<FrameQueue<RawFrame>>,
) -> Result<Encoding, VideoOpenError> {
    start(flow, Feed::Queue(pictures))
}

/// Begins to encode a file, in the time that it says.
pub(super) fn y4m(path: &str, repeat: bool) -> Result<VideoReader, VideoOpenError> {
    if !has_raw_video() {
        return Err(VideoOpenError::NoCodec);
    }
    let failed = |why: Y4mError| VideoOpenError::File {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let reader = open(path).map_err(failed)?;
    let flow = Flow::new();
    let feed = Feed::File(Box::new(Played {
        path: path.to_owned(),
        repeat,
        reader,
        passed: Duration::ZERO,
        has_pictures: false,
        begin: None,
        late: 0,
    }));
    let encoding = start(&flow, feed)?;
    Ok(VideoReader::new(
        flow,
        Arc::new(encoding),
        vec![VideoCodec::Vp8],
    ))
}

fn start(flow: &Arc<Flow>, feed: Feed) -> Result<Encoding, VideoOpenError> {
    if !has_raw_video() {
        return Err(VideoOpenError::NoCodec);
    }
    let mut wishes = None;
    let started = TaskHandle::start(|waker| {
        let wishes = wishes.insert(Wishes::new(waker));
        EncodingTask {
            flow: Arc::clone(flow),
            feed,
            wishes: Arc::clone(wishes),
            adaptation: Adaptation::new(Motive::Camera),
            encoder: None,
            bitrate: 0,
            due: None,
        }
    });
    let task = started.map_err(|why| VideoOpenError::Thread(why.to_string()))?;
    let wishes = wishes.expect("the task was made");
    Ok(Encoding { wishes, task })
}

impl Upstream for Encoding {
    fn want_key_frame(&self) {
        self.wishes.want_key_frame();
    }

    fn set_target(&self, bits_per_second: u64) {
        self.wishes.set_target(bits_per_second);
    }

    fn set_active(&self, codec: Option<VideoCodec>) {
        self.wishes.set_active(codec == Some(VideoCodec::Vp8));
    }

    fn set_screen(&self, screen: bool) {
        self.wishes.set_screen(screen);
    }

    fn left(&self) {}
}

/// Where pictures come from.
enum Feed {
    Queue(Arc<FrameQueue<RawFrame>>),
    File(Box<Played>),
}

/// What there is now.
enum Fed {
    Picture(Picture),
    /// One that can't be shown, or comes too late.
    Nothing,
    NotBefore(Instant),
    WhenWoken,
    End,
}

impl Feed {
    fn next(&mut self, now: Instant) -> Fed {
        match self {
            Feed::Queue(pictures) => match pictures.pop() {
                Some(raw) => raw.picture().map_or(Fed::Nothing, Fed::Picture),
                None => Fed::WhenWoken,
            },
            Feed::File(file) => file.next(now),
        }
    }

    /// Pictures that were too late to be encoded.
    fn dropped(&self) -> u64 {
        match self {
            Feed::Queue(pictures) => pictures.dropped(),
            Feed::File(file) => file.late,
        }
    }

    /// What nobody takes is not kept; a file goes on where it was.
    fn pause(&mut self, now: Instant) {
        match self {
            Feed::Queue(pictures) => while pictures.pop().is_some() {},
            Feed::File(file) => file.pause(now),
        }
    }
}

type FileReader = Y4mReader<BufReader<PlayedFile>>;

/// A file that is played.
struct Played {
    path: String,
    repeat: bool,
    reader: FileReader,
    /// How long the passes before this one took.
    passed: Duration,
    /// Whether this pass had any: an empty file would be repeated without end.
    has_pictures: bool,
    /// When it would have begun, had it never stood still.
    begin: Option<Instant>,
    late: u64,
}

/// What a file is behind its time by is left out; a machine that slept plays on where it was.
const LATE: Duration = Duration::from_millis(100);
const STOOD_STILL: Duration = Duration::from_secs(2);

fn open(path: &str) -> Result<FileReader, Y4mError> {
    Y4mReader::new(BufReader::new(PlayedFile::open(path)?))
}

impl Played {
    fn next(&mut self, now: Instant) -> Fed {
        let due = self.passed + self.reader.due();
        let begin = *self.begin.get_or_insert(now);
        let Some(at) = begin.checked_add(due) else {
            return Fed::End;
        };
        if at > now {
            return Fed::NotBefore(at);
        }
        let behind = now.duration_since(at);
        if behind > STOOD_STILL {
            self.begin = begin.checked_add(behind);
        }
        match self.reader.read() {
            Ok(Some(picture)) => {
                self.has_pictures = true;
                if behind > LATE && behind <= STOOD_STILL {
                    self.late += 1;
                    return Fed::Nothing;
                }
                Fed::Picture(picture.at(due))
            }
            Ok(None) if self.repeat && self.has_pictures => self.begin_again(due),
            Ok(None) => Fed::End,
            Err(error) => {
                tracing::warn!(path = self.path, %error, "a file can't be played on");
                Fed::End
            }
        }
    }

    fn begin_again(&mut self, passed: Duration) -> Fed {
        match open(&self.path) {
            Ok(reader) => {
                self.reader = reader;
                self.passed = passed;
                self.has_pictures = false;
                Fed::Nothing
            }
            Err(_) => Fed::End,
        }
    }

    fn pause(&mut self, now: Instant) {
        let due = self.passed + self.reader.due();
        self.begin = self.begin.and_then(|_| now.checked_sub(due));
    }
}

/// Encodes for one session.
struct EncodingTask {
    flow: Arc<Flow>,
    feed: Feed,
    wishes: Arc<Wishes>,
    adaptation: Adaptation,
    encoder: Option<(Encoder, bool)>,
    bitrate: u32,
    /// When the next picture may be sent, on the source's clock, for the rate that is planned.
    due: Option<Duration>,
}

impl Task for EncodingTask {
    fn turn(&mut self, now: Instant, is_wanted: bool) -> Turn {
        if !is_wanted || self.flow.is_left() {
            return Turn::Over;
        }
        if !self.wishes.active.load(Ordering::Acquire) {
            self.feed.pause(now);
            return Turn::Wait;
        }
        match self.feed.next(now) {
            Fed::Picture(picture) => {
                self.encode(picture, now);
                Turn::Again
            }
            Fed::Nothing => Turn::Again,
            Fed::NotBefore(at) => Turn::At(at),
            Fed::WhenWoken => Turn::Wait,
            Fed::End => Turn::Over,
        }
    }
}

impl EncodingTask {
    fn encode(&mut self, picture: Picture, now: Instant) {
        let screen = self.wishes.screen.load(Ordering::Acquire);
        let motive = if screen {
            Motive::Screen
        } else {
            Motive::Camera
        };
        self.adaptation.set_motive(motive);
        match self.wishes.target.load(Ordering::Acquire) {
            0 => {}
            target => self.adaptation.set_target(target),
        }
        let picture = picture.upright();
        let plan = self
            .adaptation
            .plan(picture.size(), self.feed.dropped(), now);
        if !self.is_time(picture.timestamp(), plan.rate) {
            return;
        }
        let key =
            self.wishes.key_frame.swap(false, Ordering::AcqRel) || self.flow.awaits_key_frame();
        let picture = picture.scaled(plan.size);
        let Some(encoder) = self.encoder_for(&plan, screen) else {
            return;
        };
        match encoder.encode(&picture, key) {
            Ok(Some(frame)) => {
                if self.flow.push(frame) == Pushed::Dropped {
                    self.wishes.want_key_frame();
                }
            }
            // Left out for the bitrate; a key frame that was wanted still is.
            Ok(None) if key => self.wishes.want_key_frame(),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(?error, "a picture could not be encoded");
                self.encoder = None;
            }
        }
    }

    /// Whether a picture of this time is one of so many a second.
    fn is_time(&mut self, timestamp: Duration, rate: u32) -> bool {
        let each = Duration::from_secs(1) / rate.max(1);
        let due = self.due.unwrap_or(timestamp);
        // A camera's clock wavers by a part of a picture, and may begin anew.
        if timestamp + each / 4 < due && due < timestamp + 2 * each {
            return false;
        }
        let next = due + each;
        self.due = Some(if next + each < timestamp || next > timestamp + 2 * each {
            timestamp + each
        } else {
            next
        });
        true
    }

    fn encoder_for(&mut self, plan: &Plan, screen: bool) -> Option<&mut Encoder> {
        let fits = |(encoder, of_screen): &(Encoder, bool)| {
            encoder.size() == plan.size && *of_screen == screen
        };
        if !self.encoder.as_ref().is_some_and(fits) {
            let settings = Settings {
                bitrate: plan.bitrate,
                // libvpx's threads wait for each other by turning in circles, which costs a busy machine many times
                // what they do: one is fast enough up to 1080p.
                threads: if plan.size.pixels() > 1_920 * 1_080 {
                    2
                } else {
                    1
                },
                speed: 8,
                screen,
            };
            let made = Encoder::new(plan.size, &settings);
            self.encoder = made.ok().map(|encoder| (encoder, screen));
            self.bitrate = plan.bitrate;
        }
        let (encoder, _) = self.encoder.as_mut()?;
        if self.bitrate != plan.bitrate && encoder.set_bitrate(plan.bitrate).is_ok() {
            self.bitrate = plan.bitrate;
        }
        Some(encoder)
    }
}
