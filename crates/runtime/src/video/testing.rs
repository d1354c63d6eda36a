//! Frames and counters for this room's tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use video::{EncodedFrame, VideoCodec};

use super::{VideoOpenError, VideoReader, Wake};

/// A callback, and how often it was called.
pub(super) fn counter() -> (Arc<dyn Fn() + Send + Sync>, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let callback = Arc::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    (callback, count)
}

/// A reader that wakes by this.
pub(super) fn opened(reader: Result<VideoReader, VideoOpenError>, wake: Wake) -> VideoReader {
    let reader = reader.unwrap();
    reader.wake_by(wake);
    reader
}

/// A VP8 key frame of 640 × 360, by its octets.
pub(super) const KEY: [u8; 10] = [0x10, 0, 0, 0x9d, 1, 0x2a, 0x80, 2, 0x68, 1];
/// A VP8 frame that needs others.
pub(super) const DELTA: [u8; 4] = [0x11, 0, 0, 7];

pub(super) fn key(number: u64) -> EncodedFrame {
    frame(number, &KEY)
}

pub(super) fn delta(number: u64) -> EncodedFrame {
    frame(number, &DELTA)
}

fn frame(number: u64, octets: &[u8]) -> EncodedFrame {
    let at = Duration::from_millis(number);
    EncodedFrame::read(VideoCodec::Vp8, at, octets.into()).unwrap()
}
