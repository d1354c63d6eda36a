//! A WAV file as an input: in memory before the call hears it, so that no tick waits for a disk.

use std::io::{Cursor, Read};
use std::sync::Arc;

use audio::wav::Player;
use audio::{Frame, Rate};

use super::OpenError;
use super::convert::Converter;

/// 64 MiB: 11 minutes at 48 kHz, 70 at 8 kHz. Longer sound is for an `AudioSource`.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

type BytesPlayer = Player<Cursor<Arc<[u8]>>>;

/// A file's bytes and the player of them.
#[derive(Debug)]
pub(crate) struct WavPlayer {
    bytes: Arc<[u8]>,
    repeat: bool,
    /// Made at the rate first asked for; a later rate is converted to.
    player: Option<(Rate, BytesPlayer)>,
    converter: Converter,
}

impl WavPlayer {
    /// Reads a file and checks that it can be played. Blocks.
    pub(crate) fn open(path: &str, repeat: bool) -> Result<WavPlayer, OpenError> {
        let failed = |why: String| OpenError::File {
            path: path.to_owned(),
            why,
        };
        let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| failed(error.to_string()))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(failed(format!("longer than {MAX_BYTES} bytes")));
        }
        Player::new(bytes.as_slice(), Rate::Hz48000).map_err(|error| failed(error.to_string()))?;
        Ok(WavPlayer {
            bytes: bytes.into(),
            repeat,
            player: None,
            converter: Converter::default(),
        })
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
            self.player = Player::new(bytes, rate).ok().map(|player| (rate, player));
        }
        match &mut self.player {
            Some((_, player)) => player.fill(out).unwrap_or(0),
            None => 0,
        }
    }
}
