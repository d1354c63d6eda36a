//! Pictures of one session for another, forwarded as they came: their octets are shared.

use std::sync::Arc;

use video::VideoCodec;

use super::Wake;
use super::flow::{Flow, Upstream};
use super::wish::Wisher;
use super::{VideoReader, VideoWriter, Wish};

/// Makes a link: what the one session writes, the other reads and sends. `wish` reaches the session that writes.
pub fn link(codecs: Vec<VideoCodec>, wish: Wish, wake: Wake) -> (VideoWriter, VideoReader) {
    let flow = Flow::new(wake);
    let wisher = Arc::new(Wisher::new(wish));
    let upstream = Arc::new(Forwarded(Arc::clone(&wisher)));
    let writer = VideoWriter::to_flow(Arc::clone(&flow), wisher);
    (writer, VideoReader::new(flow, upstream, codecs))
}

/// The far end of the session that is forwarded makes key frames for all; what each network takes is no matter of its.
struct Forwarded(Arc<Wisher>);

impl Upstream for Forwarded {
    fn want_key_frame(&self) {
        self.0.wish();
    }

    fn set_target(&self, _bits_per_second: u64) {}

    fn set_active(&self, codec: Option<VideoCodec>) {
        if codec.is_some() {
            self.0.wish();
        }
    }

    fn left(&self) {}
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::testing::{counter, delta, key};
    use super::*;

    #[test]
    fn a_late_joiner_asks_for_a_key_frame_and_sees_nothing_before_it() {
        let (wish, wishes) = counter();
        let (wake, woken) = counter();
        let (mut writer, mut reader) = link(vec![VideoCodec::Vp8], wish, wake);
        assert!(writer.push(&delta(1)));
        assert_eq!(wishes.load(Ordering::SeqCst), 1);
        assert_eq!(reader.pop(), None);
        let frame = key(2);
        writer.push(&frame);
        assert_eq!(woken.load(Ordering::SeqCst), 1);
        let seen = reader.pop().unwrap();
        assert!(Arc::ptr_eq(&seen.data, &frame.data), "octets are shared");
    }

    #[test]
    fn a_reader_that_left_is_told_to_the_writer() {
        let (wish, _) = counter();
        let (wake, _): (_, Arc<AtomicUsize>) = counter();
        let (mut writer, reader) = link(vec![VideoCodec::Vp8], wish, wake);
        assert!(writer.push(&key(1)));
        drop(reader);
        assert!(!writer.push(&key(2)));
    }

    #[test]
    fn a_reader_that_does_not_read_is_bounded_and_goes_on_with_a_key_frame() {
        let (wish, wishes) = counter();
        let (wake, _) = counter();
        let (mut writer, mut reader) = link(vec![VideoCodec::Vp8], wish, wake);
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
}
