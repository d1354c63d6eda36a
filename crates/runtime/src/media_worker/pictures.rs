//! A session's pictures: what it shows, and where those of its far end go.
//!
//! They come after all sound of a tick: what waits is taken then, a bounded number of frames at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use phone::MediaEvent;
use phone::video::{VideoContent, VideoLine};
use video::{EncodedFrame, Size, VideoCodec};

use super::engine::{PictureEngine, PictureStep};
use super::sockets::Traffic;
use crate::video::{VideoReader, VideoWriter};

/// Frames of one source that are sent in one tick: ten times what a camera gives, and a bound for what it had piled up.
const MOST_FRAMES: usize = 4;
/// A size is told so often at most, the newest: a frame's head costs whoever sends it ten octets, also without a picture.
const RESOLUTION_EVERY: Duration = Duration::from_millis(500);

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

/// A line as both sides have agreed, with what the phone need not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AgreedLine {
    pub(crate) line: VideoLine,
    /// What is sent on it.
    pub(crate) codec: Option<VideoCodec>,
}

/// A session's pictures.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    shown: BTreeMap<VideoContent, Shown>,
    seen: BTreeMap<u32, SeenPictures>,
    lines: Vec<AgreedLine>,
    /// What the network takes of each content, in bit/s, as it was told last: it is not told again to what is shown next.
    targets: BTreeMap<VideoContent, u64>,
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
    size: Option<Size>,
    /// The size that was told last, and when.
    told: Option<(Size, Instant)>,
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
        if self.lines.iter().any(|there| there.line.line == line) {
            self.seen.entry(line).or_default().output = output;
        }
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
        let mut lines = self.lines.iter().filter(|there| there.line.sends);
        lines
            .find(|there| there.line.content == content)
            .and_then(|there| there.codec)
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
        for (line, seen) in &self.seen {
            if let Some((_, wish)) = &seen.output
                && wish.take()
            {
                engine.request_key_frame(*line, now);
            }
        }
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

    fn agree(&mut self, lines: Vec<AgreedLine>) -> MediaEvent {
        let told = lines.iter().map(|there| there.line).collect();
        let before = std::mem::replace(&mut self.lines, lines);
        // One that stopped, or shows something else, is another stream: it has to be asked for anew.
        self.seen.retain(|line, _| {
            let content = |lines: &[AgreedLine]| {
                let mut there = lines.iter().map(|there| there.line);
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
        seen.size = frame.size.or(seen.size);
    }

    /// The sizes of pictures that have become others.
    pub(super) fn resolutions(&mut self, now: Instant) -> Vec<MediaEvent> {
        let seen = self.seen.iter_mut();
        seen.filter_map(|(line, seen)| Some((*line, seen.size_to_tell(now)?)))
            .map(|(line, Size { width, height })| MediaEvent::Resolution {
                line,
                width,
                height,
            })
            .collect()
    }
}

impl SeenPictures {
    fn size_to_tell(&mut self, now: Instant) -> Option<Size> {
        let size = self.size?;
        let waits = |(told, at): (Size, Instant)| {
            told == size || now.saturating_duration_since(at) < RESOLUTION_EVERY
        };
        if self.told.is_some_and(waits) {
            return None;
        }
        self.told = Some((size, now));
        Some(size)
    }
}

#[cfg(test)]
mod tests;
