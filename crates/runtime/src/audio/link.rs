//! Sound from one tick to another, which may run on another thread: a few frames of 10 ms.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use audio::{Frame, Rate};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::tick_clock::TICK;
use audio::convert::RateConverter;

/// 80 ms: more than two threads' ticks ever drift apart; full drops the newest frame.
const CAPACITY: usize = 8;
/// The most frames that wait before the first is read: 30 ms, for a machine that is always late.
const MOST_CUSHION: usize = 3;
/// 200 ms without a frame are a pause, as a call on hold makes one, and say nothing about lateness.
const PAUSE: usize = 20;

/// Makes a link.
pub(crate) fn link() -> (LinkWriter, LinkReader) {
    let (producer, consumer) = RingBuffer::new(CAPACITY);
    let beyond = Arc::<AtomicU32>::default();
    let reader = LinkReader {
        consumer,
        cushion: 1,
        flowing: false,
        missing: 0,
        rate: None,
        converter: RateConverter::default(),
        beyond: Arc::clone(&beyond),
    };
    (LinkWriter { producer, beyond }, reader)
}

/// The writing end of a link.
#[derive(Debug)]
pub(crate) struct LinkWriter {
    producer: Producer<Frame>,
    /// Microseconds that sound takes behind the reader.
    beyond: Arc<AtomicU32>,
}

impl LinkWriter {
    /// Whether somebody may still read.
    pub(crate) fn is_read(&self) -> bool {
        !self.producer.is_abandoned()
    }

    /// Whether nobody has read for a while: a call on hold does not.
    pub(crate) fn is_full(&self) -> bool {
        self.producer.is_full()
    }

    /// Adds 10 ms; returns false when nobody reads any more.
    pub(crate) fn write(&mut self, frame: &Frame) -> bool {
        let _ = self.producer.push(*frame);
        self.is_read()
    }

    /// How long it takes until what is written is heard, as far as the reader knows.
    pub(crate) fn delay(&self) -> Duration {
        let waiting = CAPACITY - self.producer.slots();
        let beyond = Duration::from_micros(self.beyond.load(Ordering::Relaxed).into());
        TICK * waiting as u32 + beyond
    }
}

/// The reading end of a link.
#[derive(Debug)]
pub(crate) struct LinkReader {
    consumer: Consumer<Frame>,
    /// Frames that wait before the first is read; one more after each time that there was none.
    cushion: usize,
    flowing: bool,
    /// Reads in a row that found nothing.
    missing: usize,
    /// Of the last frame.
    rate: Option<Rate>,
    converter: RateConverter,
    beyond: Arc<AtomicU32>,
}

impl LinkReader {
    /// Says how long what is read takes until it is heard.
    pub(crate) fn tell_delay(&self, beyond: Duration) {
        let micros = u32::try_from(beyond.as_micros()).unwrap_or(u32::MAX);
        self.beyond.store(micros, Ordering::Relaxed);
    }

    /// Gives 10 ms at `rate`; silence where the writer is behind.
    pub(crate) fn read(&mut self, rate: Rate) -> Frame {
        let waiting = self.consumer.slots();
        if self.flowing && waiting == 0 {
            self.flowing = false;
            self.cushion = (self.cushion + 1).min(MOST_CUSHION);
        }
        self.missing = if waiting == 0 { self.missing + 1 } else { 0 };
        if self.missing == PAUSE {
            self.cushion = 1;
        }
        // What is left of a writer that is gone waits for nothing.
        self.flowing |= waiting >= self.cushion || self.consumer.is_abandoned();
        if !self.flowing {
            return Frame::silence(rate);
        }
        // More than the cushion and a late tick's worth is delay that would never go away.
        for _ in self.cushion + 2..waiting {
            let _ = self.consumer.pop();
        }
        match self.consumer.pop() {
            Ok(frame) => {
                self.rate = Some(frame.rate());
                self.converter.convert(&frame, rate)
            }
            Err(_) => Frame::silence(rate),
        }
    }

    /// Changes the rate at a quarter of the cost and less well, or as well as it can again.
    pub(crate) fn set_short(&mut self, short: bool) {
        self.converter.set_short(short);
    }

    /// The rate of what was read last.
    pub(crate) fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// Forgets what waits, after a time in which nobody read.
    pub(crate) fn resume(&mut self) {
        while self.consumer.pop().is_ok() {}
        self.flowing = false;
    }

    /// Whether the writer is gone and everything was read.
    pub(crate) fn ended(&self) -> bool {
        self.consumer.is_abandoned() && self.consumer.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_comes_also_if_less_was_left_than_is_waited_for() {
        let (mut writer, mut reader) = link();
        for times in 1..4 {
            for _ in 0..times {
                writer.write(&frame(1));
            }
            for _ in 0..=times {
                reader.read(Rate::Hz8000);
            }
        }
        writer.write(&frame(7));
        assert_eq!(reader.read(Rate::Hz8000), Frame::silence(Rate::Hz8000));
        drop(writer);
        assert!(!reader.ended());
        assert_eq!(reader.read(Rate::Hz8000), frame(7));
        assert!(reader.ended());
    }

    #[test]
    fn the_writer_knows_how_late_it_is_heard() {
        let (mut writer, reader) = link();
        assert_eq!(writer.delay(), Duration::ZERO);
        writer.write(&frame(1));
        writer.write(&frame(2));
        reader.tell_delay(Duration::from_millis(35));
        assert_eq!(writer.delay(), Duration::from_millis(55));
    }

    fn frame(value: i16) -> Frame {
        Frame::new(Rate::Hz8000, &[value; 80]).unwrap()
    }

    #[test]
    fn a_gap_makes_the_next_start_a_little_later() {
        let (mut writer, mut reader) = link();
        writer.write(&frame(1));
        assert_eq!(reader.read(Rate::Hz8000), frame(1));
        assert_eq!(reader.read(Rate::Hz8000), frame(0), "the writer is late");
        writer.write(&frame(2));
        assert_eq!(
            reader.read(Rate::Hz8000),
            frame(0),
            "two frames are waited for now"
        );
        writer.write(&frame(3));
        assert_eq!(reader.read(Rate::Hz8000), frame(2));
        assert_eq!(reader.read(Rate::Hz8000), frame(3));
    }

    #[test]
    fn a_pause_costs_no_delay_afterwards() {
        let (mut writer, mut reader) = link();
        for _ in 0..2 {
            writer.write(&frame(1));
            assert_eq!(reader.read(Rate::Hz8000), frame(1), "at once");
            for _ in 0..PAUSE {
                assert_eq!(reader.read(Rate::Hz8000), Frame::silence(Rate::Hz8000));
            }
        }
    }

    #[test]
    fn a_reader_that_resumes_hears_the_present() {
        let (mut writer, mut reader) = link();
        writer.write(&frame(1));
        reader.resume();
        writer.write(&frame(2));
        assert_eq!(reader.read(Rate::Hz8000), frame(2));
    }

    #[test]
    fn a_reader_far_behind_skips_the_oldest() {
        let (mut writer, mut reader) = link();
        for value in 1..=7 {
            writer.write(&frame(value));
        }
        assert_eq!(reader.read(Rate::Hz8000), frame(5));
        assert_eq!(reader.read(Rate::Hz8000), frame(6));
    }

    #[test]
    fn each_end_learns_that_the_other_is_gone() {
        let (mut writer, reader) = link();
        assert!(writer.write(&frame(1)));
        drop(reader);
        assert!(!writer.write(&frame(1)));
        let (writer, reader) = link();
        drop(writer);
        assert!(reader.ended());
    }
}
