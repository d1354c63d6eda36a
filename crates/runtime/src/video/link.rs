//! Pictures of one session for another, forwarded as they came: their octets are shared.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use video::{EncodedFrame, Pushed, VideoCodec};

use super::flow::{Flow, Upstream};
use super::wish::Wisher;
use super::{VideoReader, Wish};

/// Makes a link: what the one session writes, the other reads and sends. `wish` reaches the session that writes.
pub fn link(wish: Wish) -> (VideoLinkWriter, VideoReader) {
    let flow = Flow::new();
    let forwarded = Arc::new(Forwarded {
        wisher: Wisher::new(wish),
        active: AtomicBool::new(false),
        target: AtomicU64::new(0),
    });
    let writer = VideoLinkWriter {
        flow: Arc::clone(&flow),
        forwarded: Arc::clone(&forwarded),
    };
    let reader = VideoReader::new(flow, forwarded, VideoCodec::ALL.to_vec());
    // Fifty who see one frame are served on their ticks: each would have its thread woken for it.
    reader.wake_by(Arc::new(|| ()));
    (writer, reader)
}

/// Where frames go that another session shows; dropping it ends what that shows.
pub struct VideoLinkWriter {
    flow: Arc<Flow>,
    forwarded: Arc<Forwarded>,
}

/// What the session that reads says against the frames.
struct Forwarded {
    wisher: Wisher,
    active: AtomicBool,
    /// Bit/s; 0 while nothing is known.
    target: AtomicU64,
}

impl VideoLinkWriter {
    /// Gives a frame, which nobody needs whose far end sees nothing: it begins with a key frame later.
    pub fn push(&self, frame: &EncodedFrame) {
        if !self.forwarded.active.load(Ordering::Relaxed) {
            return;
        }
        if self.flow.push(frame.clone()) == Pushed::Dropped && !self.flow.is_left() {
            self.forwarded.wisher.wish();
        }
    }

    /// Whether anybody may still read.
    pub fn is_read(&self) -> bool {
        !self.flow.is_left()
    }

    /// What the network of the session that reads takes, in bit/s; nothing while its far end takes no pictures.
    pub fn target(&self) -> Option<u64> {
        let target = self.forwarded.target.load(Ordering::Relaxed);
        let active = self.forwarded.active.load(Ordering::Relaxed);
        (active && target > 0).then_some(target)
    }
}

impl Drop for VideoLinkWriter {
    fn drop(&mut self) {
        self.flow.end();
    }
}

impl fmt::Debug for VideoLinkWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoLinkWriter")
            .field("flow", &self.flow)
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}

impl Upstream for Forwarded {
    fn want_key_frame(&self) {
        self.wisher.wish();
    }

    fn set_target(&self, bits_per_second: u64) {
        self.target.store(bits_per_second, Ordering::Relaxed);
    }

    fn set_active(&self, codec: Option<VideoCodec>) {
        self.active.store(codec.is_some(), Ordering::Relaxed);
        if codec.is_some() {
            self.wisher.wish();
        }
    }

    fn left(&self) {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::super::testing::{counter, delta, key};
    use super::*;

    fn linked() -> (VideoLinkWriter, VideoReader, Arc<AtomicUsize>) {
        let (wish, wishes) = counter();
        let (writer, reader) = link(wish);
        reader.set_active(Some(VideoCodec::Vp8));
        (writer, reader, wishes)
    }

    #[test]
    fn whoever_sees_nothing_asks_for_nothing() {
        let (writer, mut reader, wishes) = linked();
        reader.set_active(None);
        let before = wishes.load(Ordering::SeqCst);
        for number in 0..1_000 {
            writer.push(&delta(number));
        }
        writer.push(&key(1_000));
        assert_eq!(wishes.load(Ordering::SeqCst), before);
        assert_eq!(reader.pop(), None);
    }

    #[test]
    fn a_late_joiner_asks_for_a_key_frame_and_sees_nothing_before_it() {
        let (writer, mut reader, wishes) = linked();
        assert_eq!(wishes.load(Ordering::SeqCst), 1);
        writer.push(&delta(1));
        assert_eq!(reader.pop(), None);
        let frame = key(2);
        writer.push(&frame);
        let seen = reader.pop().unwrap();
        assert!(Arc::ptr_eq(&seen.data, &frame.data), "octets are shared");
    }

    #[test]
    fn each_end_knows_when_the_other_is_gone() {
        let (writer, reader, _) = linked();
        assert!(writer.is_read() && !reader.is_over());
        drop(reader);
        assert!(!writer.is_read());
        let (writer, reader, _) = linked();
        drop(writer);
        assert!(reader.is_over());
    }

    #[test]
    fn a_reader_that_does_not_read_is_bounded_and_goes_on_with_a_key_frame() {
        let (writer, mut reader, wishes) = linked();
        writer.push(&key(1));
        for number in 2..1_000 {
            writer.push(&delta(number));
        }
        assert!(wishes.load(Ordering::SeqCst) >= 1);
        assert_eq!(reader.pop(), None);
        writer.push(&key(1_000));
        writer.push(&delta(1_001));
        let numbers =
            [reader.pop(), reader.pop()].map(|frame| frame.unwrap().timestamp.as_millis());
        assert_eq!(numbers, [1_000, 1_001]);
    }

    #[test]
    fn what_a_network_takes_counts_while_its_far_end_sees_something() {
        let (writer, reader, _) = linked();
        assert_eq!(writer.target(), None, "nothing is known");
        reader.set_target(400_000);
        assert_eq!(writer.target(), Some(400_000));
        reader.set_active(None);
        assert_eq!(writer.target(), None);
    }
}
