//! Any bytes as a YUV4MPEG2 file: what is reserved is bounded by what is there, each picture is whole, and what we write we
//! read.

#![no_main]

use std::io::Read;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;
use video::Picture;
use video::y4m::{Y4mReader, Y4mWriter};

/// What a picture may have, so that a run is short; a file that claims more is only begun.
const MOST_OCTETS: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| without_leak(|| read(bytes)));

fn read(bytes: &[u8]) {
    let pictures = read_all(bytes);
    let dribbled = read_all(Dribble(bytes));
    assert_eq!(pictures, dribbled);
    write(&pictures);
}

fn read_all(from: impl Read) -> Vec<Picture> {
    let Ok(mut reader) = Y4mReader::new(from) else {
        return Vec::new();
    };
    let (size, mut pictures, mut due) = (reader.size(), Vec::new(), Duration::ZERO);
    if size.i420_octets() > MOST_OCTETS {
        return Vec::new();
    }
    while let Ok(Some(picture)) = reader.read() {
        assert_eq!((picture.size(), picture.data().len()), (size, size.i420_octets()));
        assert!(picture.timestamp() >= due);
        due = picture.timestamp();
        pictures.push(picture);
    }
    pictures
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

/// Writes them in the time that they say, up to a second.
fn write(pictures: &[Picture]) {
    let mut file = Vec::new();
    let mut writer = Y4mWriter::new(&mut file, 30);
    for picture in pictures {
        let now = picture.timestamp().min(Duration::from_secs(1));
        writer.push(picture, now).expect("a vector takes everything");
        while writer.go_on().expect("as before") {}
    }
    let again = read_all(&file[..]);
    assert_eq!(again.is_empty(), pictures.is_empty());
    // A second, and what may be ahead of it.
    assert!(again.len() <= 61 + pictures.len());
    assert_eq!(again.first().map(Picture::data), pictures.first().map(Picture::data));
}
