//! Any bytes as the VP8 frames of a stream, decoded by libvpx: no panic, no picture of another size than was promised, and
//! whoever went wrong goes on with a key frame.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use video::{EncodedFrame, Size, VideoCodec};
use vpx::{Decoder, Encoder, Settings};

/// Larger ones take libvpx longer than a run should, and tell no more.
const MOST_PIXELS: u64 = 256 * 256;
const MOST_FRAMES: usize = 16;
/// The start code of a key frame (RFC 6386 §9.1).
const START: [u8; 3] = [0x9d, 0x01, 0x2a];

// Without the watch over memory: what libvpx keeps is none of Rust's, and a decoder is made and dropped in each run.
fuzz_target!(|bytes: &[u8]| decode(bytes));

/// Each frame has two octets that say how long it is and what is done to it before.
fn decode(bytes: &[u8]) {
    let mut decoder = Decoder::new().expect("there is memory");
    let mut rest = bytes;
    for number in 0..MOST_FRAMES {
        let Some(([length, low], after)) = rest.split_first_chunk::<2>() else {
            break;
        };
        let length = usize::from(u16::from_be_bytes([*length & 0x0f, *low]));
        let (data, after) = after.split_at(after.len().min(length));
        rest = after;
        let mut data = data.to_vec();
        // Most bytes are no key frame, and without one nothing is decoded.
        if number == 0 && data.len() >= 10 {
            data[0] &= !1;
            data[3..6].copy_from_slice(&START);
            data[7] &= 0xc0;
            data[9] &= 0xc0;
        }
        let at = Duration::from_millis(number as u64 * 33);
        let Ok(frame) = EncodedFrame::read(VideoCodec::Vp8, at, data.into()) else {
            continue;
        };
        if frame.size.is_some_and(|size| u64::from(size.pixels()) > MOST_PIXELS) {
            continue;
        }
        match decoder.decode(&frame) {
            Ok(Some(picture)) => {
                assert_eq!(picture.data().len(), picture.size().i420_octets());
                assert!(frame.size.is_none_or(|size| size == picture.size()));
                assert_eq!(picture.timestamp(), at);
            }
            Ok(None) => {}
            Err(_) => assert!(frame.size.is_none() || decoder.needs_key_frame()),
        }
    }
    goes_on(&mut decoder);
}

/// Whatever came before, a key frame is shown.
fn goes_on(decoder: &mut Decoder) {
    let size = Size::new(16, 16);
    let mut encoder = Encoder::new(size, &Settings::default()).expect("there is memory");
    let picture = video::Picture::black(size, Duration::ZERO).expect("the size is fair");
    let frame = encoder.encode(&picture, true).expect("it is a picture");
    let frame = frame.expect("a key frame is never left out");
    let seen = decoder.decode(&frame).expect("it is whole");
    assert_eq!(seen.map(|seen| seen.size()), Some(size));
}
