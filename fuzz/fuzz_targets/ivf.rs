//! Any bytes as an IVF file: what is reserved is bounded by what is there, each frame is one of its codec, and what we write
//! we read.

#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;
use video::EncodedFrame;
use video::ivf::{IvfReader, IvfWriter};

fuzz_target!(|bytes: &[u8]| without_leak(|| read(bytes)));

fn read(bytes: &[u8]) {
    let frames = read_all(bytes);
    assert_eq!(frames, read_all(Dribble(bytes)));
    assert!(frames.iter().map(|frame| frame.data.len()).sum::<usize>() <= bytes.len());
    write(&frames);
}

fn read_all(from: impl Read) -> Vec<EncodedFrame> {
    let Ok(mut reader) = IvfReader::new(from) else {
        return Vec::new();
    };
    let mut frames = Vec::new();
    while let Ok(Some(frame)) = reader.read() {
        assert_eq!(frame.codec, reader.codec());
        let again = EncodedFrame::read(frame.codec, frame.timestamp, frame.data.clone());
        assert_eq!(again.expect("it was read before"), frame);
        frames.push(frame);
    }
    frames
}

/// Gives a byte or two at a time, as a pipe may.
struct Dribble<'a>(&'a [u8]);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(self.0.len()).min(1 + self.0.len() % 2);
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}

/// What is written begins with the first key frame, and each frame has a time of its own.
fn write(frames: &[EncodedFrame]) {
    let mut file = Cursor::new(Vec::new());
    let mut writer = IvfWriter::new(&mut file);
    let written = frames.iter().filter(|frame| writer.write(frame).expect("a vector takes everything"));
    let written: Vec<_> = written.map(|frame| frame.data.clone()).collect();
    let again = read_all(&file.into_inner()[..]);
    assert!(again.windows(2).all(|two| two[0].timestamp < two[1].timestamp));
    let read: Vec<_> = again.into_iter().map(|frame| frame.data).collect();
    assert_eq!(read, written);
}
