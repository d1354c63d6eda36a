//! Sound from one tick to another, which may run on another thread: a few frames of 10 ms.

use audio::Frame;
use rtrb::{Consumer, Producer, RingBuffer};

use super::convert::Converter;
use audio::Rate;

/// 80 ms: more than two threads' ticks ever drift apart; full drops the newest frame and counts.
const CAPACITY: usize = 8;
/// 20 ms wait before the first one is read, so that a late tick is not heard.
const PRIMED: usize = 2;
/// Above this the reader is behind for good and skips to `PRIMED`.
const TOO_MANY: usize = 5;

/// Makes a link; each end counts what it loses.
pub(crate) fn link() -> (LinkWriter, LinkReader) {
    let (producer, consumer) = RingBuffer::new(CAPACITY);
    let reader = LinkReader {
        consumer,
        primed: false,
        converter: Converter::default(),
    };
    (LinkWriter { producer }, reader)
}

/// The writing end of a link.
#[derive(Debug)]
pub(crate) struct LinkWriter {
    producer: Producer<Frame>,
}

impl LinkWriter {
    /// Adds 10 ms; returns false when nobody reads any more.
    pub(crate) fn write(&mut self, frame: &Frame) -> bool {
        let _ = self.producer.push(*frame);
        !self.producer.is_abandoned()
    }
}

/// The reading end of a link.
#[derive(Debug)]
pub(crate) struct LinkReader {
    consumer: Consumer<Frame>,
    primed: bool,
    converter: Converter,
}

impl LinkReader {
    /// Gives 10 ms at `rate`; silence where the writer is behind.
    pub(crate) fn read(&mut self, rate: Rate) -> Frame {
        let waiting = self.consumer.slots();
        if waiting > TOO_MANY {
            for _ in PRIMED..waiting {
                let _ = self.consumer.pop();
            }
        }
        self.primed = self.primed && waiting > 0 || waiting >= PRIMED;
        match self.consumer.pop() {
            Ok(frame) if self.primed => self.converter.convert(&frame, rate),
            Ok(_) | Err(_) => Frame::silence(rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(value: i16) -> Frame {
        Frame::new(Rate::Hz8000, &[value; 80]).unwrap()
    }

    #[test]
    fn two_frames_wait_before_the_first_is_heard() {
        let (mut writer, mut reader) = link();
        assert_eq!(reader.read(Rate::Hz8000), frame(0));
        writer.write(&frame(1));
        writer.write(&frame(2));
        assert_eq!(reader.read(Rate::Hz8000), frame(1));
        assert_eq!(reader.read(Rate::Hz8000), frame(2));
    }

    #[test]
    fn a_reader_far_behind_skips_the_oldest() {
        let (mut writer, mut reader) = link();
        for value in 1..=7 {
            writer.write(&frame(value));
        }
        assert_eq!(reader.read(Rate::Hz8000), frame(6));
        assert_eq!(reader.read(Rate::Hz8000), frame(7));
    }

    #[test]
    fn a_writer_learns_that_nobody_reads() {
        let (mut writer, reader) = link();
        assert!(writer.write(&frame(1)));
        drop(reader);
        assert!(!writer.write(&frame(1)));
    }
}
