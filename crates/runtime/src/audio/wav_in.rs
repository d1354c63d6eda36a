//! A WAV file as an input: in memory before the call hears it, so that no tick waits for a disk.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::SystemTime;

use audio::wav::{Player, Reader};
use audio::{Frame, Rate};

use super::OpenError;
use audio::convert::RateConverter;

/// 64 MiB: 11 minutes at 48 kHz, 70 at 8 kHz. Longer sound is for an `AudioSource`.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Four million samples, 8 MiB: 87 s at 48 kHz, nine minutes at 8 kHz. More is not kept beside the file.
const MAX_SHARED: usize = 4 * 1024 * 1024;

/// The files that are being played: a hundred calls with one prompt hold it once.
static PLAYED: Mutex<Vec<PlayedWav>> = Mutex::new(Vec::new());

/// The lowest of our rates that carries a file's, or the highest there is.
fn at_least(hz: u32) -> Rate {
    let carries = |rate: &Rate| rate.hz() >= hz;
    Rate::ALL.into_iter().find(carries).unwrap_or(Rate::Hz48000)
}

/// A prompt, and what shows that it is still the same file.
struct PlayedWav {
    path: String,
    length: u64,
    modified: SystemTime,
    prompt: Weak<Prompt>,
}

/// A file that is played, once for all who play it.
#[derive(Debug)]
struct Prompt {
    bytes: Box<[u8]>,
    /// Which of our rates somebody plays it at, by their places in [`Rate::ALL`].
    wanted: AtomicU8,
    /// The whole of it at each of them, once a second call plays it, so that not every call changes the rate by itself.
    converted: [OnceLock<Box<[i16]>>; Rate::ALL.len()],
}

type BytesPlayer = Player<Cursor<PromptBytes>>;

/// A prompt's bytes, to read from.
#[derive(Debug)]
struct PromptBytes(Arc<Prompt>);

impl AsRef<[u8]> for PromptBytes {
    fn as_ref(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl Prompt {
    fn new(bytes: Vec<u8>) -> Prompt {
        Prompt {
            bytes: bytes.into(),
            wanted: AtomicU8::new(0),
            converted: [const { OnceLock::new() }; Rate::ALL.len()],
        }
    }

    fn want(&self, rate: Rate) {
        self.wanted.fetch_or(1 << place(rate), Ordering::Relaxed);
    }

    fn at(&self, rate: Rate) -> Option<&[i16]> {
        self.converted[place(rate)]
            .get()
            .map(|samples| &samples[..])
    }

    /// Makes what those who play it already could share. Takes a millisecond for each second of it.
    fn share(&self) {
        let wanted = self.wanted.load(Ordering::Relaxed);
        for rate in Rate::ALL {
            if wanted & (1 << place(rate)) != 0 {
                self.converted[place(rate)].get_or_init(|| self.convert(rate).into());
            }
        }
    }

    /// Nothing if it is too long to be kept: then each call converts as it plays.
    fn convert(&self, rate: Rate) -> Vec<i16> {
        let mut samples = Vec::new();
        let mut tick = vec![0; rate.samples_per_tick()];
        let Ok(mut player) = Player::new(&self.bytes[..], rate) else {
            return samples;
        };
        loop {
            let played = player.fill(&mut tick).unwrap_or(0);
            samples.extend_from_slice(&tick[..played]);
            if samples.len() > MAX_SHARED {
                return Vec::new();
            }
            if played < tick.len() {
                return samples;
            }
        }
    }
}

fn place(rate: Rate) -> usize {
    Rate::ALL
        .iter()
        .position(|known| *known == rate)
        .unwrap_or_default()
}

/// A prompt, and how far it was played.
#[derive(Debug)]
pub(crate) struct WavPlayer {
    prompt: Arc<Prompt>,
    best_rate: Rate,
    repeat: bool,
    /// What was first asked for; a later rate is converted to.
    own: Option<Rate>,
    /// Samples played of it.
    at: usize,
    /// Changes the rate as long as nobody has done it for all.
    player: Option<BytesPlayer>,
    converter: RateConverter,
    short: bool,
    /// How loud it is played.
    factor: f32,
}

impl WavPlayer {
    /// Reads a file and checks that it can be played. Blocks.
    pub(crate) fn open(path: &str, repeat: bool) -> Result<WavPlayer, OpenError> {
        let failed = |why: String| OpenError::File {
            path: path.to_owned(),
            why,
        };
        let prompt = in_memory(path).map_err(|error| failed(error.to_string()))?;
        let bytes = &prompt.bytes[..];
        if bytes.len() as u64 > MAX_BYTES {
            return Err(failed(format!("longer than {MAX_BYTES} bytes")));
        }
        Player::new(bytes, Rate::Hz48000).map_err(|error| failed(error.to_string()))?;
        let reader = Reader::new(bytes).map_err(|error| failed(error.to_string()))?;
        Ok(WavPlayer {
            best_rate: at_least(reader.format().hz),
            prompt,
            repeat,
            own: None,
            at: 0,
            player: None,
            converter: RateConverter::default(),
            short: false,
            factor: 1.0,
        })
    }

    /// Plays it so many dB louder, or quieter if negative.
    pub(crate) fn at_level(mut self, db: f64) -> WavPlayer {
        self.factor = 10_f64.powf(db / 20.0) as f32;
        self
    }

    /// The lowest rate at which nothing of the file is lost.
    pub(crate) fn best_rate(&self) -> Rate {
        self.best_rate
    }

    /// Changes the rate at a quarter of the cost and less well, or as well as it can again.
    pub(crate) fn set_short(&mut self, short: bool) {
        self.short = short;
        self.converter.set_short(short);
        if let Some(player) = &mut self.player {
            player.set_short(short);
        }
    }

    /// Gives the next 10 ms at `rate`, silence after the end.
    pub(crate) fn read(&mut self, rate: Rate) -> Frame {
        let own = *self.own.get_or_insert_with(|| {
            self.prompt.want(rate);
            rate
        });
        let mut frame = Frame::silence(own);
        let played = self.play(own, frame.samples_mut());
        if self.repeat && played < frame.samples().len() {
            self.player = None;
            self.at = 0;
            self.play(own, &mut frame.samples_mut()[played..]);
        }
        if self.factor != 1.0 {
            for sample in frame.samples_mut() {
                *sample = (f32::from(*sample) * self.factor) as i16;
            }
        }
        self.converter.convert(&frame, rate)
    }

    fn play(&mut self, rate: Rate, out: &mut [i16]) -> usize {
        let played = match self.prompt.at(rate) {
            Some(shared) if !shared.is_empty() => {
                self.player = None;
                let rest = &shared[self.at.min(shared.len())..];
                let played = rest.len().min(out.len());
                out[..played].copy_from_slice(&rest[..played]);
                played
            }
            Some(_) | None => self.convert(rate, out),
        };
        self.at += played;
        played
    }

    fn convert(&mut self, rate: Rate, out: &mut [i16]) -> usize {
        if self.player.is_none() {
            let bytes = Cursor::new(PromptBytes(Arc::clone(&self.prompt)));
            self.player = Player::new(bytes, rate).ok().map(|mut player| {
                player.set_short(self.short);
                player
            });
        }
        match &mut self.player {
            Some(player) => player.fill(out).unwrap_or(0),
            None => 0,
        }
    }
}

/// Reads a file, or finds it among those that are being played, and then makes what can be shared; one byte beyond the
/// limit at most.
fn in_memory(path: &str) -> io::Result<Arc<Prompt>> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    let (length, modified) = (metadata.len(), metadata.modified().ok());
    let same = |played: &PlayedWav| {
        played.path == path && played.length == length && Some(played.modified) == modified
    };
    let known = {
        let mut played = PLAYED.lock().unwrap_or_else(PoisonError::into_inner);
        played.retain(|played| played.prompt.strong_count() > 0);
        let found = played.iter().find(|played| same(played));
        found.and_then(|played| played.prompt.upgrade())
    };
    if let Some(prompt) = known {
        prompt.share();
        return Ok(prompt);
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    let prompt = Arc::new(Prompt::new(bytes));
    if let Some(modified) = modified {
        let mut played = PLAYED.lock().unwrap_or_else(PoisonError::into_inner);
        played.push(PlayedWav {
            path: path.to_owned(),
            length,
            modified,
            prompt: Arc::downgrade(&prompt),
        });
    }
    Ok(prompt)
}

/// The paths of the files that somebody plays, as they were given.
pub(crate) fn played_paths() -> Vec<String> {
    let mut played = PLAYED.lock().unwrap_or_else(PoisonError::into_inner);
    played.retain(|played| played.prompt.strong_count() > 0);
    played.iter().map(|played| played.path.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::WavFile;
    use crate::audio::recording::settle;

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
        assert!(Arc::ptr_eq(&one.prompt, &other.prompt));
        // Whoever else writes it asks nobody.
        let longer = format!("{path}.longer");
        write(&longer, 2);
        std::fs::copy(&longer, path).unwrap();
        std::fs::remove_file(longer).unwrap();
        let changed = open();
        assert!(changed.prompt.bytes.len() > one.prompt.bytes.len());
        drop((one, other, changed));
        open();
        let played = PLAYED.lock().unwrap();
        assert!(played.iter().filter(|played| played.path == path).count() <= 1);
        drop(played);
        std::fs::remove_file(path).unwrap();
    }

    fn ticks(player: &mut WavPlayer, rate: Rate, count: usize) -> Vec<i16> {
        let tick = |_| player.read(rate).samples().to_vec();
        (0..count).flat_map(tick).collect()
    }

    /// A hundred calls with one prompt: none of them changes its rate by itself, and none hears where that began.
    #[test]
    fn the_rate_of_a_prompt_is_changed_once_for_all_who_play_it_and_nobody_hears_when() {
        let path = std::env::temp_dir().join(format!("offhook-shared-{}.wav", std::process::id()));
        let path = path.to_str().unwrap();
        let mut file = WavFile::create(path, Box::new(|why| panic!("{why}"))).unwrap();
        let mut tone = crate::audio::Tone::sine(440.0, -6.0);
        for _ in 0..30 {
            file.write(&tone.read(Rate::Hz16000));
        }
        drop(file);
        settle();
        for (rate, repeat) in [(Rate::Hz8000, false), (Rate::Hz48000, true)] {
            let open = || WavPlayer::open(path, repeat).unwrap();
            let mut alone = open();
            let whole = ticks(&mut alone, rate, 80);
            drop(alone);

            let mut first = open();
            let mut heard = ticks(&mut first, rate, 13);
            assert!(first.player.is_some(), "alone it does so by itself");
            let mut others: Vec<WavPlayer> = (0..100).map(|_| open()).collect();
            heard.extend(ticks(&mut first, rate, 67));
            assert_eq!(heard, whole);
            assert!(first.player.is_none());
            for other in &mut others {
                assert_eq!(ticks(other, rate, 80), whole);
                assert!(other.player.is_none());
            }
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_is_too_long_to_be_kept_is_changed_by_each_call() {
        let path = std::env::temp_dir().join(format!("offhook-long-{}.wav", std::process::id()));
        let path = path.to_str().unwrap();
        let long = audio::wav::whole(8_000, 1, &vec![0; MAX_SHARED / 6 + 80]);
        std::fs::write(path, long).unwrap();
        let open = || WavPlayer::open(path, false).unwrap();
        let mut first = open();
        first.read(Rate::Hz48000);
        let mut second = open();
        second.read(Rate::Hz48000);
        assert!(second.player.is_some());
        assert!(
            second
                .prompt
                .at(Rate::Hz48000)
                .is_some_and(<[i16]>::is_empty)
        );
        std::fs::remove_file(path).unwrap();
    }
}
