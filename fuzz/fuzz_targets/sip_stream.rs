//! Any bytes as a stream of SIP messages: cut the same wherever the stream is, into what was there, within bounds.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;
use sip::framing::{Framer, FramingError};
use sip::message::MAX_MESSAGE;

fuzz_target!(|bytes: &[u8]| without_leak(|| read(bytes)));

fn read(bytes: &[u8]) {
    let whole = frames(bytes, bytes.len().max(1));
    let (found, _) = &whole;
    let mut rest = bytes;
    for frame in found {
        assert!(frame.len() <= MAX_MESSAGE);
        rest = rest.strip_prefix(&frame[..]).expect("frames are the stream's beginning");
    }
    // A keep-alive that comes in halves is two.
    let messages = |frames: &[Bytes]| -> Vec<Bytes> {
        let whole = frames.iter().filter(|frame| !frame.starts_with(b"\r\n"));
        whole.cloned().collect()
    };
    let cut = frames(bytes, 1 + bytes.len() % 7);
    assert_eq!(messages(&cut.0), messages(found));
    assert_eq!(cut.1, whole.1);
}

fn frames(bytes: &[u8], step: usize) -> (Vec<Bytes>, Option<FramingError>) {
    let mut framer = Framer::default();
    let mut frames = Vec::new();
    for piece in bytes.chunks(step) {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}
