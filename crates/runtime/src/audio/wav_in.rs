//! A WAV file as an input: in memory before the call hears it, so that no tick waits for a disk.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use audio::wav::{Player, Reader};
use audio::{Frame, Rate};

use super::OpenError;
use super::convert::Converter;

/// 64 MiB: 11 minutes at 48 kHz, 70 at 8 kHz. Longer sound is for an `AudioSource`.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The files that are being played: a hundred calls with one prompt hold it once.
static PLAYED: Mutex<Vec<Played>> = Mutex::new(Vec::new());

/// The lowest of our rates that carries a file's, or the highest there is.
fn at_least(hz: u32) -> Rate {
    let carries = |rate: &Rate| rate.hz() >= hz;
    Rate::ALL.into_iter().find(carries).unwrap_or(Rate::Hz48000)
}

/// A file's bytes, and what shows that it is still the same file.
struct Played {
    path: String,
    length: u64,
    modified: SystemTime,
    bytes: Weak<[u8]>,
}

type BytesPlayer = Player<Cursor<Arc<[u8]>>>;

/// A file's bytes and the player of them.
#[derive(Debug)]
pub(crate) struct WavPlayer {
    bytes: Arc<[u8]>,
    best_rate: Rate,
    repeat: bool,
    /// Made at the rate first asked for; a later rate is converted to.
    player: Option<(Rate, BytesPlayer)>,
    converter: Converter,
    short: bool,
}

impl WavPlayer {
    /// Reads a file and checks that it can be played. Blocks.
    pub(crate) fn open(path: &str, repeat: bool) -> Result<WavPlayer, OpenError> {
        let failed = |why: String| OpenError::File {
            path: path.to_owned(),
            why,
        };
        let bytes = in_memory(path).map_err(|error| failed(error.to_string()))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(failed(format!("longer than {MAX_BYTES} bytes")));
        }
        Player::new(&bytes[..], Rate::Hz48000).map_err(|error| failed(error.to_string()))?;
        let reader = Reader::new(&bytes[..]).map_err(|error| failed(error.to_string()))?;
        Ok(WavPlayer {
            best_rate: at_least(reader.format().hz),
            bytes,
            repeat,
            player: None,
            converter: Converter::default(),
            short: false,
        })
    }

    /// The lowest rate at which nothing of the file is lost.
    pub(crate) fn best_rate(&self) -> Rate {
        self.best_rate
    }

    /// Changes the rate at a quarter of the cost and less well, or as well as it can again.
    pub(crate) fn set_short(&mut self, short: bool) {
        self.short = short;
        self.converter.set_short(short);
        if let Some((_, player)) = &mut self.player {
            player.set_short(short);
        }
    }

    /// Gives the next 10 ms at `rate`, silence after the end.
    pub(crate) fn read(&mut self, rate: Rate) -> Frame {
        let own = self.player.as_ref().map_or(rate, |(own, _)| *own);
        let mut frame = Frame::silence(own);
        let played = self.play(own, frame.samples_mut());
        if self.repeat && played < frame.samples().len() {
            self.player = None;
            self.play(own, &mut frame.samples_mut()[played..]);
        }
        self.converter.convert(&frame, rate)
    }

    fn play(&mut self, rate: Rate, out: &mut [i16]) -> usize {
        if self.player.is_none() {
            let bytes = Cursor::new(Arc::clone(&self.bytes));
            self.player = Player::new(bytes, rate).ok().map(|mut player| {
                player.set_short(self.short);
                (rate, player)
            });
        }
        match &mut self.player {
            Some((_, player)) => player.fill(out).unwrap_or(0),
            None => 0,
        }
    }
}

/// Reads a file, or finds it among those that are being played; one byte beyond the limit at most.
fn in_memory(path: &str) -> io::Result<Arc<[u8]>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let (length, modified) = (metadata.len(), metadata.modified().ok());
    let same = |played: &Played| {
        played.path == path && played.length == length && Some(played.modified) == modified
    };
    let known = {
        let mut played = PLAYED.lock().unwrap_or_else(PoisonError::into_inner);
        played.retain(|played| played.bytes.strong_count() > 0);
        let found = played.iter().find(|played| same(played));
        found.and_then(|played| played.bytes.upgrade())
    };
    if let Some(bytes) = known {
        return Ok(bytes);
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    let bytes: Arc<[u8]> = bytes.into();
    if let Some(modified) = modified {
        let mut played = PLAYED.lock().unwrap_or_else(PoisonError::into_inner);
        played.push(Played {
            path: path.to_owned(),
            length,
            modified,
            bytes: Arc::downgrade(&bytes),
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::wav_out::{WavFile, settle};

    fn write(path: &str, ticks: usize) {
        let mut file = WavFile::create(path, Box::new(|why| panic!("{why}"))).unwrap();
        for _ in 0..ticks {
            file.write(&Frame::silence(Rate::Hz8000));
        }
        drop(file);
        settle();
    }

    #[test]
    fn calls_that_play_one_file_hold_it_once_and_a_changed_file_is_read_anew() {
        let path = std::env::temp_dir().join(format!("offhook-prompt-{}.wav", std::process::id()));
        let path = path.to_str().unwrap();
        write(path, 1);
        let open = || WavPlayer::open(path, false).unwrap();
        let (one, other) = (open(), open());
        assert!(Arc::ptr_eq(&one.bytes, &other.bytes));
        write(path, 2);
        let changed = open();
        assert!(changed.bytes.len() > one.bytes.len());
        drop((one, other, changed));
        open();
        let played = PLAYED.lock().unwrap();
        assert!(played.iter().filter(|played| played.path == path).count() <= 1);
        drop(played);
        std::fs::remove_file(path).unwrap();
    }
}
