//! A processor in a room: what is played and heard goes in, 10 ms at a time, and what comes out is measured.

use audio::wav::Player;
use audio::{Frame, Rate};
use voice::{Processing, Processor};

use super::room::{HZ, Noise, Room, at_level, energy, mixed};

const TICK: usize = Rate::Hz48000.samples_per_tick();

/// The level of a voice, in dB relative to full scale, where it is played and where it is spoken.
pub(crate) const SPEECH_DB: f64 = -26.0;
/// What a microphone hears in a silent room.
const FLOOR_DB: f64 = -72.0;

/// Reads a WAV file as 48 kHz; panics for what is none.
pub(crate) fn clip(bytes: &[u8]) -> Vec<f32> {
    let mut player = Player::new(bytes, Rate::Hz48000).expect("it is a WAV file");
    let (mut samples, mut part) = (Vec::new(), [0_i16; TICK]);
    loop {
        let filled = player.fill(&mut part).expect("the file is whole");
        samples.extend(
            part[..filled]
                .iter()
                .map(|sample| f32::from(*sample) / 32_768.0),
        );
        if filled < TICK {
            return at_level(samples, SPEECH_DB);
        }
    }
}

/// Repeats a voice for so long, after a start so many seconds into it.
pub(crate) fn talk(voice: &[f32], seconds: f64, from: f64) -> Vec<f32> {
    let skip = (from * HZ as f64) as usize % voice.len();
    voice
        .iter()
        .copied()
        .cycle()
        .skip(skip)
        .take((seconds * HZ as f64) as usize)
        .collect()
}

/// Silence up to an instant.
pub(crate) fn silent_until(mut signal: Vec<f32>, seconds: f64) -> Vec<f32> {
    let end = ((seconds * HZ as f64) as usize).min(signal.len());
    signal[..end].fill(0.0);
    signal
}

/// What a microphone hears that is perfect but for its own noise.
pub(crate) fn heard(parts: &[&[f32]]) -> Vec<f32> {
    let mut noise = Noise::new(7);
    let length = parts.iter().map(|part| part.len()).max().unwrap_or(0);
    let floor = (0..length)
        .map(|_| noise.white() as f32 * 3_f32.sqrt())
        .collect::<Vec<_>>();
    let floor: Vec<f32> = floor
        .iter()
        .map(|sample| sample * 10_f32.powf(FLOOR_DB as f32 / 20.0))
        .collect();
    parts.iter().fold(floor, |sum, part| mixed(&sum, part))
}

/// Runs a processor over a scene.
pub(crate) fn run(processing: Processing, played: &[f32], heard: &[f32]) -> Vec<f32> {
    let mut processor = Processor::new(processing);
    run_with(&mut processor, played, heard)
}

/// Goes on with a processor that knows the room already.
pub(crate) fn run_with(processor: &mut Processor, played: &[f32], heard: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(heard.len());
    for (played, heard) in played.chunks_exact(TICK).zip(heard.chunks_exact(TICK)) {
        processor.render(&frame(played));
        let mut frame = frame(heard);
        processor.capture(&mut frame);
        out.extend(
            frame
                .samples()
                .iter()
                .map(|sample| f32::from(*sample) / 32_768.0),
        );
    }
    out
}

fn frame(samples: &[f32]) -> Frame {
    let samples: Vec<i16> = samples
        .iter()
        .map(|sample| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16)
        .collect();
    Frame::new(Rate::Hz48000, &samples).expect("a tick's worth")
}

/// By how many dB the echo is lower afterwards between two instants, over the ticks in which there is any.
pub(crate) fn erle_db(echo: &[f32], out: &[f32], from: f64, to: f64) -> f64 {
    let at = |seconds: f64| ((seconds * HZ as f64) as usize).min(out.len());
    let range = at(from)..at(to);
    let (mut before, mut after) = (0.0_f64, 0.0_f64);
    for (echo, out) in echo[range.clone()]
        .chunks(TICK)
        .zip(out[range].chunks(TICK))
    {
        let loudness = energy(echo);
        if loudness > 10_f64.powf((SPEECH_DB - 40.0) / 10.0) {
            before += loudness;
            after += energy(out);
        }
    }
    10.0 * (before / after.max(1e-12)).log10()
}

/// A call in which only the far end talks, in a room that is rearranged at an instant.
pub(crate) fn rearranged_echo(room: &Room, played: &[f32], seconds: f64) -> Vec<f32> {
    let at = (seconds * HZ as f64) as usize;
    let (before, after) = (room.echo(played), room.rearranged().echo(played));
    before[..at].iter().chain(&after[at..]).copied().collect()
}
