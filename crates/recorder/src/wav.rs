//! A WAV file that is whole after each chunk.

use audio::Rate;
use audio::wav::{self, HEADER};

use crate::recorder::duration;
use crate::{Chunk, Cut};

/// A WAV file that grows.
#[derive(Debug)]
pub(crate) struct WavFile {
    channels: u16,
    /// Its beginning says how long it is; else that nobody knows, as streams do.
    patched: bool,
    begun: bool,
    /// Octets of sound.
    sound: u64,
}

impl WavFile {
    pub(crate) fn new(channels: u16, patched: bool) -> Self {
        Self {
            channels,
            patched,
            begun: false,
            sound: 0,
        }
    }

    /// Stores samples, whose channels take turns.
    pub(crate) fn give(&mut self, rate: Rate, samples: &[i16]) -> Chunk {
        let mut append = Vec::with_capacity(HEADER + samples.len() * 2);
        self.sound += samples.len() as u64 * 2;
        let header = self.header(rate, self.sound, 0);
        let begun = std::mem::replace(&mut self.begun, true);
        if !begun {
            append.extend(header);
        }
        append.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        let begin = match begun && self.patched {
            true => header.to_vec(),
            false => Vec::new(),
        };
        Chunk { append, begin }
    }

    /// Adds marks behind the sound, if that has an end: places in samples of each channel, and what is there.
    pub(crate) fn finish(&self, rate: Rate, marks: &[(u64, &str)], chunk: &mut Chunk) {
        let has_end = self.patched && self.sound <= u64::from(u32::MAX);
        if marks.is_empty() || !has_end {
            return;
        }
        let behind = cues(marks);
        // A file that is written in one go has its beginning in what is appended.
        let begin = self.header(rate, self.sound, behind.len() as u32);
        chunk.append.extend(behind);
        chunk.begin = begin.to_vec();
    }

    /// What makes a file whole of which only the first `length` octets could be written.
    pub(crate) fn cut(&self, rate: Rate, length: u64) -> Cut {
        let block = u64::from(self.channels) * 2;
        let Some(sound) = length.checked_sub(HEADER as u64) else {
            return Cut::default();
        };
        let samples = sound.min(self.sound) / block;
        let sound = samples * block;
        Cut {
            begin: self.header(rate, sound, 0).to_vec(),
            length: HEADER as u64 + sound,
            duration: duration(samples, rate),
        }
    }

    fn header(&self, rate: Rate, sound: u64, behind: u32) -> [u8; HEADER] {
        let sound = self.patched.then_some(sound);
        wav::header(rate.hz(), self.channels, sound, behind)
    }
}

/// The marks of a file (Multimedia Programming Interface and Data Specifications 1.0, "cue-points chunk" and "associated data list").
fn cues(marks: &[(u64, &str)]) -> Vec<u8> {
    let number = |index: usize| (index as u32 + 1).to_le_bytes();
    let mut points = Vec::new();
    points.extend((marks.len() as u32).to_le_bytes());
    let mut labels = b"adtl".to_vec();
    for (index, (place, text)) in marks.iter().enumerate() {
        let place = u32::try_from(*place).unwrap_or(u32::MAX).to_le_bytes();
        points.extend(number(index));
        points.extend(place);
        points.extend(b"data");
        points.extend([0; 8]);
        points.extend(place);
        let label = [&number(index)[..], text.as_bytes(), &[0]].concat();
        labels.extend(chunk_of(b"labl", &label));
    }
    [chunk_of(b"cue ", &points), chunk_of(b"LIST", &labels)].concat()
}

fn chunk_of(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend((body.len() as u32).to_le_bytes());
    chunk.extend(body);
    // Chunks begin at even places.
    if body.len() % 2 == 1 {
        chunk.push(0);
    }
    chunk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_longer_than_its_beginning_can_say_has_no_marks_behind() {
        let mut file = WavFile::new(2, true);
        for (sound, marked) in [
            (u64::from(u32::MAX) - 1, true),
            (u64::from(u32::MAX) + 1, false),
        ] {
            file.sound = sound;
            let mut chunk = Chunk {
                append: Vec::new(),
                begin: Vec::new(),
            };
            file.finish(Rate::Hz48000, &[(1, "paused")], &mut chunk);
            assert_eq!(!chunk.append.is_empty(), marked, "{sound}");
        }
    }
}
