//! Any bytes as a WAV file: its end is found, at whatever rate it is played and however it is read, and what we write
//! we read.

#![no_main]

use std::io::Read;

use audio::Rate;
use audio::wav::{Player, Reader, whole};
use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;

/// More sound than bytes can hold: a player also gives what its resampler still held.
const MOST_TICKS_MORE: usize = 100;

fuzz_target!(|bytes: &[u8]| without_leak(|| try_all(bytes)));

fn try_all(bytes: &[u8]) {
    let read = read(bytes);
    let dribbled = read_all(Reader::new(Dribble(bytes)));
    assert_eq!(read, dribbled);
    for rate in [Rate::Hz8000, Rate::Hz48000] {
        play(bytes, rate);
    }
    if let Some((hz, samples)) = read {
        write(hz, &samples);
    }
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

fn read(bytes: &[u8]) -> Option<(u32, Vec<i16>)> {
    let read = read_all(Reader::new(bytes));
    if let Some((_, samples)) = &read {
        assert!(samples.len() <= bytes.len());
    }
    read
}

fn read_all(reader: Result<Reader<impl Read>, audio::wav::Error>) -> Option<(u32, Vec<i16>)> {
    let mut reader = reader.ok()?;
    let (mut samples, mut some) = (Vec::new(), [0; 333]);
    loop {
        let count = reader.read(&mut some).expect("a slice is always read");
        samples.extend_from_slice(&some[..count]);
        if count < some.len() {
            assert_eq!(reader.read(&mut some).expect("as before"), 0);
            return Some((reader.format().hz, samples));
        }
    }
}

fn play(bytes: &[u8], rate: Rate) {
    let Ok(mut player) = Player::new(bytes, rate) else {
        return;
    };
    let mut tick = vec![0; rate.samples_per_tick()];
    // The lowest rate that is converted is 4 kHz.
    let most = bytes.len() / 40 + MOST_TICKS_MORE;
    for _ in 0..most {
        if player.fill(&mut tick).expect("a slice is always read") < tick.len() {
            return;
        }
    }
    panic!("{most} ticks are more than {} bytes hold", bytes.len());
}

fn write(hz: u32, samples: &[i16]) {
    let written = whole(hz, 1, samples);
    let again = read_all(Reader::new(&written[..]));
    // Without any sample the size is that of a file that doesn't know its own, which is empty as well.
    assert_eq!(again, Some((hz, samples.to_vec())));
}
