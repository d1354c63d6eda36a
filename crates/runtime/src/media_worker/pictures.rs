//! A session's pictures: what it shows, and where those of its far end go.
//!
//! They come after all sound of a tick: what waits is taken then, a bounded number of frames at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use phone::MediaEvent;
use phone::video::{VideoCodec as PhoneCodec, VideoContent, VideoLine};
use video::{EncodedFrame, Size, VideoCodec};

use super::engine::{PictureEngine, PictureStep};
use super::sockets::Traffic;
use crate::video::{VideoLinkWriter, VideoReader, VideoWriter};

/// Frames of one source that are sent in one tick: ten times what a camera gives, and a bound for what it had piled up.
const MOST_FRAMES: usize = 4;
/// A size is told so often at most, the newest: a frame's head costs whoever sends it ten octets, also without a picture.
const RESOLUTION_EVERY: Duration = Duration::from_millis(500);
/// The same of another codec: all who see the line may have to be asked for it.
const CODEC_EVERY: Duration = Duration::from_secs(1);
/// Whoever sends too many pixels is seen until they are too many again: it is over once all were decoded for so long.
const DECODED_FOR: Duration = Duration::from_secs(5);
/// Who takes less than such a part of what the best network takes sees less, and not all others.
const LEAST_PART: u64 = 4;

/// Says that whoever reads a stream needs a key frame; looked at on each tick.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyFrameWish(Arc<AtomicBool>);

impl KeyFrameWish {
    pub(crate) fn wish(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

/// A session's pictures.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    shown: BTreeMap<VideoContent, Shown>,
    seen: BTreeMap<u32, SeenPictures>,
    lines: Vec<VideoLine>,
    /// What the network takes of each content, in bit/s, as it was told last: it is not told again to what is shown next.
    targets: BTreeMap<VideoContent, u64>,
    /// What the far end may send on a line for others that show it, in bit/s.
    limits: BTreeMap<u32, u64>,
    /// When pictures were left out last, once that was told.
    left_out: Option<Instant>,
}

/// What the far end is to see of one content.
#[derive(Debug, Default)]
struct Shown {
    reader: Option<VideoReader>,
    /// It sees nothing.
    muted: bool,
}

/// What the far end shows on one line.
#[derive(Debug, Default)]
struct SeenPictures {
    output: Option<(VideoWriter, KeyFrameWish)>,
    /// Other sessions that show it.
    viewers: Vec<(VideoLinkWriter, KeyFrameWish)>,
    size: Tidings<Size>,
    codec: Tidings<VideoCodec>,
}

/// What the phone is told of pictures, the newest and not too often.
#[derive(Debug)]
struct Tidings<T> {
    now: Option<T>,
    /// What was told last, and when.
    told: Option<(T, Instant)>,
}

impl<T> Default for Tidings<T> {
    fn default() -> Self {
        Tidings {
            now: None,
            told: None,
        }
    }
}

impl Pictures {
    /// Replaces what the far end sees, or shows nothing any more.
    pub(super) fn show(&mut self, content: VideoContent, reader: Option<VideoReader>) {
        self.shown.entry(content).or_default().reader = reader;
        self.activate(content);
        if let (Some(reader), Some(target)) = (self.reader(content), self.targets.get(&content)) {
            reader.set_target(*target);
        }
    }

    /// Shows nothing of this content, or shows it again.
    pub(super) fn mute(&mut self, content: VideoContent, muted: bool) {
        self.shown.entry(content).or_default().muted = muted;
        self.activate(content);
    }

    /// Replaces where the pictures of a line go.
    pub(super) fn see(&mut self, line: u32, output: Option<(VideoWriter, KeyFrameWish)>) {
        if self.has_line(line) {
            self.seen.entry(line).or_default().output = output;
        }
    }

    /// Lets another session show what comes on a line, until either ends.
    pub(super) fn forward(&mut self, line: u32, viewer: VideoLinkWriter, wish: KeyFrameWish) {
        if self.has_line(line) {
            let seen = self.seen.entry(line).or_default();
            seen.viewers.push((viewer, wish));
        }
    }

    fn has_line(&self, line: u32) -> bool {
        self.lines.iter().any(|there| there.line == line)
    }

    /// Whether anything is shown or seen, so that a tick matters.
    pub(super) fn are_any(&self) -> bool {
        !(self.shown.is_empty() && self.lines.is_empty())
    }

    /// What comes to the session's sockets.
    pub(super) fn traffic(&self) -> Traffic {
        match self.lines.is_empty() {
            true => Traffic::Sound,
            false => Traffic::WithPictures,
        }
    }

    /// What is sent of a content now.
    fn codec(&self, content: VideoContent) -> Option<VideoCodec> {
        let mut lines = self.lines.iter().filter(|there| there.sends);
        lines
            .find(|there| there.content == content)
            .and_then(|there| there.codec)
            .map(of_phone)
    }

    fn activate(&self, content: VideoContent) {
        let codec = self.codec(content);
        if let Some(shown) = self.shown.get(&content)
            && let Some(reader) = &shown.reader
        {
            reader.set_active(codec.filter(|_| !shown.muted));
        }
    }

    /// Gives the engine what has come to be shown, and what is wished of the far end.
    pub(super) fn drive(&mut self, engine: &mut (impl PictureEngine + ?Sized), now: Instant) {
        for (content, shown) in &mut self.shown {
            let Some(reader) = shown.reader.as_mut() else {
                continue;
            };
            if reader.is_over() {
                shown.reader = None;
                engine.begin_anew(*content);
                continue;
            }
            for _ in 0..MOST_FRAMES {
                let Some(frame) = reader.pop() else { break };
                if !shown.muted {
                    engine.push_frame(*content, &frame, now);
                }
            }
        }
        for (line, seen) in &mut self.seen {
            seen.viewers.retain(|(viewer, _)| viewer.is_read());
            if seen.wishes_key_frame() {
                engine.request_key_frame(*line, now);
            }
        }
        self.limit_lines(engine);
    }

    /// Lets the far end send what those who show its pictures can pass on.
    fn limit_lines(&mut self, engine: &mut (impl PictureEngine + ?Sized)) {
        let limit = |(line, seen): (&u32, &SeenPictures)| Some((*line, seen.viewers_take()?));
        let limits: BTreeMap<u32, u64> = self.seen.iter().filter_map(limit).collect();
        for line in self.limits.keys().filter(|line| !limits.contains_key(line)) {
            engine.limit_line(*line, None);
        }
        for (line, limit) in &limits {
            if self.limits.get(line) != Some(limit) {
                engine.limit_line(*line, Some(*limit));
            }
        }
        self.limits = limits;
    }

    /// Takes what the engine says of pictures; what the phone is to know of it comes back.
    pub(super) fn take(&mut self, step: PictureStep) -> Option<MediaEvent> {
        match step {
            PictureStep::Lines(lines) => Some(self.agree(lines)),
            PictureStep::Frame(line, frame) => {
                self.take_frame(line, &frame);
                None
            }
            PictureStep::KeyFrameWanted(content) => {
                if let Some(reader) = self.reader(content) {
                    reader.want_key_frame();
                }
                None
            }
            PictureStep::Target(content, bits_per_second) => {
                self.targets.insert(content, bits_per_second);
                if let Some(reader) = self.reader(content) {
                    reader.set_target(bits_per_second);
                }
                None
            }
        }
    }

    fn reader(&self, content: VideoContent) -> Option<&VideoReader> {
        self.shown.get(&content)?.reader.as_ref()
    }

    fn agree(&mut self, lines: Vec<VideoLine>) -> MediaEvent {
        let told = lines.clone();
        let before = std::mem::replace(&mut self.lines, lines);
        // One that stopped, or shows something else, is another stream: it has to be asked for anew.
        self.seen.retain(|line, _| {
            let content = |lines: &[VideoLine]| {
                let mut there = lines.iter();
                there
                    .find(|there| there.line == *line)
                    .map(|there| there.content)
            };
            content(&before) == content(&self.lines)
        });
        for content in [VideoContent::Camera, VideoContent::Screen] {
            self.activate(content);
            if self.codec(content).is_none() {
                self.targets.remove(&content);
            }
        }
        MediaEvent::Lines { lines: told }
    }

    fn take_frame(&mut self, line: u32, frame: &EncodedFrame) {
        let seen = self.seen.entry(line).or_default();
        if let Some((writer, _)) = &mut seen.output
            && !writer.push(frame)
        {
            seen.output = None;
        }
        for (viewer, _) in &seen.viewers {
            viewer.push(frame);
        }
        seen.size.now = frame.size.or(seen.size.now);
        seen.codec.now = Some(frame.codec);
    }

    /// What has changed of how pictures come.
    pub(super) fn tidings(&mut self, now: Instant) -> Vec<MediaEvent> {
        let left_out = self.left_out(now);
        let seen = self.seen.iter_mut();
        let of_lines = seen.flat_map(|(line, seen)| seen.tidings(*line, now));
        of_lines.chain(left_out).collect()
    }

    /// Whether more pixels come than are decoded, if that has changed.
    fn left_out(&mut self, now: Instant) -> Option<MediaEvent> {
        let outputs = self.seen.values().filter_map(|seen| seen.output.as_ref());
        let left_out = outputs.filter(|(writer, _)| writer.has_left_out()).count() > 0;
        let was = self.left_out.is_some();
        if left_out {
            self.left_out = Some(now);
        } else {
            let lately = |last: &Instant| now.saturating_duration_since(*last) < DECODED_FOR;
            self.left_out = self.left_out.filter(lately);
        }
        let is = self.left_out.is_some();
        (is != was).then_some(MediaEvent::PixelsLeftOut { left_out: is })
    }
}

impl SeenPictures {
    /// Whether anybody who looks needs a key frame; asked once.
    fn wishes_key_frame(&self) -> bool {
        let viewers = self.viewers.iter().map(|(_, wish)| wish);
        let output = self.output.iter().map(|(_, wish)| wish);
        // Each is taken: one key frame is for all.
        viewers.chain(output).filter(|wish| wish.take()).count() > 0
    }

    /// What the networks of those who show it take: the least, but for one that is far behind the best.
    fn viewers_take(&self) -> Option<u64> {
        let targets = || {
            self.viewers
                .iter()
                .filter_map(|(viewer, _)| viewer.target())
        };
        Some(targets().min()?.max(targets().max()? / LEAST_PART))
    }

    fn tidings(&mut self, line: u32, now: Instant) -> impl Iterator<Item = MediaEvent> + use<> {
        let codec = self.codec.news(CODEC_EVERY, now);
        let codec = codec.map(|codec| MediaEvent::LineCodec {
            line,
            codec: to_phone(codec),
        });
        let size = self.size.news(RESOLUTION_EVERY, now);
        let size = size.map(|Size { width, height }| MediaEvent::Resolution {
            line,
            width,
            height,
        });
        codec.into_iter().chain(size)
    }
}

impl<T: Copy + PartialEq> Tidings<T> {
    fn news(&mut self, every: Duration, at: Instant) -> Option<T> {
        let now = self.now?;
        let waits =
            |(told, then): (T, Instant)| told == now || at.saturating_duration_since(then) < every;
        if self.told.is_some_and(waits) {
            return None;
        }
        self.told = Some((now, at));
        Some(now)
    }
}

/// What the phone calls a codec.
pub(crate) fn to_phone(codec: VideoCodec) -> PhoneCodec {
    match codec {
        VideoCodec::Vp8 => PhoneCodec::Vp8,
        VideoCodec::H264 => PhoneCodec::H264,
    }
}

/// The codec that the phone calls so.
pub(crate) fn of_phone(codec: PhoneCodec) -> VideoCodec {
    match codec {
        PhoneCodec::Vp8 => VideoCodec::Vp8,
        PhoneCodec::H264 => VideoCodec::H264,
    }
}

#[cfg(test)]
mod tests;
