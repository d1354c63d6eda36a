//! Frames on their way from one thread to another.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crossbeam_queue::ArrayQueue;

use crate::{EncodedFrame, Picture};

/// What may wait in a [`FrameQueue`].
pub trait Queued {
    /// Whether it can be seen without what came before it.
    fn begins(&self) -> bool;
    /// How many octets it keeps.
    fn octets(&self) -> usize;
}

impl Queued for EncodedFrame {
    fn begins(&self) -> bool {
        self.key
    }

    fn octets(&self) -> usize {
        self.data.len()
    }
}

impl Queued for Picture {
    fn begins(&self) -> bool {
        true
    }

    fn octets(&self) -> usize {
        self.data().len()
    }
}

/// What became of a frame that was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It waits to be read.
    Taken,
    /// It can't be seen without a frame that was dropped, or that never came: a key frame is wanted.
    Dropped,
}

/// A few frames, bounded by count and octets. Full, it drops the oldest, and with it all that can't be seen without
/// that. Neither end ever waits; one thread writes, one reads.
pub struct FrameQueue<T> {
    frames: ArrayQueue<Numbered<T>>,
    octets: AtomicUsize,
    most_octets: usize,
    dropped: AtomicU64,
    awaits_beginning: AtomicBool,
    /// The writer's: of the next frame, and of the last that begins.
    next: AtomicU64,
    last_beginning: AtomicU64,
    /// The reader's: what it can see after what it saw last; 0 if only what begins.
    expected: AtomicU64,
}

/// Both ends drop frames at once; by the numbers the reader knows that one is missing before another.
struct Numbered<T> {
    number: u64,
    frame: T,
}

impl<T: Queued> FrameQueue<T> {
    /// Makes one that begins with a frame that can be seen alone.
    pub fn new(most: usize, most_octets: usize) -> FrameQueue<T> {
        FrameQueue {
            frames: ArrayQueue::new(most.max(1)),
            octets: AtomicUsize::new(0),
            most_octets,
            dropped: AtomicU64::new(0),
            awaits_beginning: AtomicBool::new(true),
            next: AtomicU64::new(1),
            last_beginning: AtomicU64::new(0),
            expected: AtomicU64::new(0),
        }
    }

    /// Adds a frame. One that is larger than all that may wait is dropped like one that nobody could see.
    pub fn push(&self, frame: T) -> Pushed {
        let begins = frame.begins();
        if self.awaits_beginning() && !begins {
            return self.refuse();
        }
        while self.is_full_for(&frame) {
            let Some(oldest) = self.take() else {
                if frame.octets() > self.most_octets {
                    return self.refuse();
                }
                break;
            };
            self.dropped.fetch_add(1, Ordering::Relaxed);
            if !begins && oldest.number >= self.last_beginning.load(Ordering::Relaxed) {
                self.empty();
                return self.refuse();
            }
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if begins {
            self.last_beginning.store(number, Ordering::Relaxed);
            self.awaits_beginning.store(false, Ordering::Release);
        }
        self.octets.fetch_add(frame.octets(), Ordering::AcqRel);
        // There is room: nobody else writes.
        let _ = self.frames.push(Numbered { number, frame });
        Pushed::Taken
    }

    /// Takes the oldest that can be seen.
    pub fn pop(&self) -> Option<T> {
        loop {
            let Numbered { number, frame } = self.take()?;
            if frame.begins() || number == self.expected.load(Ordering::Relaxed) {
                self.expected.store(number + 1, Ordering::Relaxed);
                return Some(frame);
            }
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Has its reader see nothing before the next frame that can be seen alone, as a decoder wants that has lost its way.
    pub fn begin_anew(&self) {
        self.expected.store(0, Ordering::Relaxed);
        self.awaits_beginning.store(true, Ordering::Release);
    }

    /// Whether only a frame that can be seen alone is taken.
    pub fn awaits_beginning(&self) -> bool {
        self.awaits_beginning.load(Ordering::Acquire)
    }

    /// Returns how many were dropped since the beginning.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Returns how many wait.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    fn is_full_for(&self, frame: &T) -> bool {
        let octets = self.octets.load(Ordering::Acquire) + frame.octets();
        self.frames.is_full() || octets > self.most_octets
    }

    fn take(&self) -> Option<Numbered<T>> {
        let oldest = self.frames.pop()?;
        self.octets
            .fetch_sub(oldest.frame.octets(), Ordering::AcqRel);
        Some(oldest)
    }

    fn empty(&self) {
        while self.take().is_some() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a frame as dropped that never came here.
    pub fn leave_out(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    fn refuse(&self) -> Pushed {
        self.awaits_beginning.store(true, Ordering::Release);
        self.dropped.fetch_add(1, Ordering::Relaxed);
        Pushed::Dropped
    }
}

impl<T> fmt::Debug for FrameQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameQueue")
            .field("waiting", &self.frames.len())
            .field("dropped", &self.dropped)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::{Rotation, Size, VideoCodec};

    fn frame(number: u64, key: bool) -> EncodedFrame {
        EncodedFrame {
            codec: VideoCodec::Vp8,
            key,
            timestamp: Duration::from_millis(number),
            size: None,
            data: Arc::from([0; 10]),
        }
    }

    fn left(queue: &FrameQueue<EncodedFrame>) -> Vec<u128> {
        std::iter::from_fn(|| queue.pop())
            .map(|frame| frame.timestamp.as_millis())
            .collect()
    }

    #[test]
    fn it_begins_with_a_key_frame() {
        let queue = FrameQueue::new(4, 1_000);
        assert_eq!(queue.push(frame(1, false)), Pushed::Dropped);
        assert!(queue.awaits_beginning());
        assert_eq!(queue.push(frame(2, true)), Pushed::Taken);
        assert_eq!(queue.push(frame(3, false)), Pushed::Taken);
        assert!(!queue.awaits_beginning());
        assert_eq!((left(&queue), queue.dropped()), (vec![2, 3], 1));
    }

    #[test]
    fn full_it_goes_on_with_the_next_key_frame_that_waits() {
        let queue = FrameQueue::new(4, 1_000);
        for number in 1..=4 {
            queue.push(frame(number, number == 1 || number == 3));
        }
        assert_eq!(queue.push(frame(5, false)), Pushed::Taken);
        assert_eq!((left(&queue), queue.dropped()), (vec![3, 4, 5], 2));
    }

    #[test]
    fn full_without_another_key_frame_it_waits_for_one() {
        let queue = FrameQueue::new(3, 1_000);
        for number in 1..=3 {
            queue.push(frame(number, number == 1));
        }
        assert_eq!(queue.push(frame(4, false)), Pushed::Dropped);
        assert!(queue.is_empty() && queue.awaits_beginning());
        assert_eq!(queue.push(frame(5, false)), Pushed::Dropped);
        assert_eq!(queue.push(frame(6, true)), Pushed::Taken);
        assert_eq!((left(&queue), queue.dropped()), (vec![6], 5));
    }

    #[test]
    fn octets_are_bounded_as_frames_are() {
        let queue = FrameQueue::new(100, 25);
        queue.push(frame(1, true));
        queue.push(frame(2, false));
        assert_eq!(queue.push(frame(3, true)), Pushed::Taken);
        assert_eq!(left(&queue), [3]);
        let mut large = frame(4, true);
        large.data = Arc::from([0; 26]);
        assert_eq!(queue.push(large), Pushed::Dropped);
        assert_eq!(queue.push(frame(5, true)), Pushed::Taken);
    }

    #[test]
    fn of_pictures_only_the_oldest_goes() {
        let queue = FrameQueue::new(2, 1_000);
        for number in 1..=3 {
            let at = Duration::from_millis(number);
            let data = vec![0; 6].into();
            let picture = Picture::new(Size::new(2, 2), at, Rotation::Upright, data);
            assert_eq!(queue.push(picture.unwrap()), Pushed::Taken);
        }
        let oldest = queue.pop().unwrap();
        assert_eq!((oldest.timestamp().as_millis(), queue.dropped()), (2, 1));
    }

    #[test]
    fn a_decoder_that_lost_its_way_begins_anew() {
        let queue = FrameQueue::new(4, 1_000);
        queue.push(frame(1, true));
        queue.push(frame(2, false));
        assert!(queue.pop().is_some());
        queue.begin_anew();
        assert_eq!(queue.push(frame(3, false)), Pushed::Dropped);
        assert_eq!(left(&queue), []);
        assert_eq!(queue.push(frame(4, true)), Pushed::Taken);
        assert_eq!((left(&queue), queue.dropped()), (vec![4], 2));
    }

    #[test]
    fn a_reader_beside_the_writer_never_sees_a_frame_without_its_key_frame() {
        let queue = Arc::new(FrameQueue::new(8, 60));
        let writing = Arc::clone(&queue);
        let writer = std::thread::spawn(move || {
            for number in 1..=200_000 {
                writing.push(frame(number, number % 5 == 0));
            }
        });
        let mut last = 0;
        while !writer.is_finished() || !queue.is_empty() {
            if let Some(seen) = queue.pop() {
                let number = seen.timestamp.as_millis() as u64;
                assert!(number > last);
                assert!(seen.key || number == last + 1, "{number} after {last}");
                last = number;
            }
        }
        writer.join().unwrap();
        assert_eq!(queue.octets.load(Ordering::SeqCst), 0);
    }
}
