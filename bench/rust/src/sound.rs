//! What a microphone's processing does in rooms that are computed, and what it costs.
//!
//! Each line says one thing of one room and voice, or names files from which speech quality is judged.

#[path = "../../../crates/voice/tests/it/room.rs"]
mod room;
#[path = "../../../crates/voice/tests/it/scene.rs"]
mod scene;

use std::error::Error;
use std::path::Path;

use audio::resample::Resampler;
use audio::{Frame, Rate, wav};
use serde_json::json;
use voice::{Processing, Processor};

use crate::cpu;
use room::{HZ, Noise, Room, at_level, drifting, mixed, rooms};
use scene::{SPEECH_DB, clip, erle_db, heard, rearranged_echo, run, silent_until, talk};

const ECHO_ONLY: Processing = Processing {
    echo_cancellation: true,
    ..Processing::NONE
};

/// Runs all scenes with these clips, and leaves sound files in `folder`.
pub fn run_scenes(folder: &Path, clips: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut voices = Vec::new();
    for path in clips {
        voices.push(clip(&std::fs::read(path)?));
    }
    for room in &rooms() {
        for (number, voice) in voices.iter().enumerate() {
            let scene = Scene { room, number };
            scene.single_talk(voice);
            scene.drift(voice);
            let near = &voices[(number + 1) % voices.len()];
            scene.double_talk(voice, near, folder)?;
        }
    }
    for (number, voice) in voices.iter().enumerate() {
        noisy(number, voice, folder)?;
    }
    cost(&voices)
}

/// Says what is heard of a click in each room, without what rings, drivers and converters take.
pub fn print_rooms() {
    for room in rooms() {
        let response = Room {
            delay_ms: 0.0,
            ..room
        }
        .impulse_response();
        println!("{}", json!({ "room": room.name, "response": response }));
    }
}

struct Scene<'a> {
    room: &'a Room,
    number: usize,
}

impl Scene<'_> {
    fn say(&self, what: &str, value: f64) {
        println!(
            "{}",
            json!({ "what": what, "room": self.room.name, "voice": self.number, "value": value })
        );
    }

    fn single_talk(&self, voice: &[f32]) {
        let played = talk(voice, 16.0, 0.0);
        let echo = rearranged_echo(self.room, &played, 10.0);
        let out = run(ECHO_ONLY, &played, &heard(&[&echo]));
        self.say("erle first", erle_db(&echo, &out, 1.5, 2.5));
        self.say("erle converged", erle_db(&echo, &out, 6.0, 10.0));
        self.say("erle after change", erle_db(&echo, &out, 12.0, 13.0));
    }

    fn drift(&self, voice: &[f32]) {
        let played = talk(voice, 12.0, 0.0);
        let echo = drifting(&self.room.echo(&played), 100.0);
        let out = run(ECHO_ONLY, &played, &heard(&[&echo]));
        self.say("erle drifting", erle_db(&echo, &out, 2.0, 12.0));
    }

    /// The near end talks from the fifth second on, while the far end goes on; and the same with a loudspeaker that is
    /// turned down, so that the raw sound is good.
    fn double_talk(
        &self,
        voice: &[f32],
        near: &[f32],
        folder: &Path,
    ) -> Result<(), Box<dyn Error>> {
        let played = talk(voice, 13.0, 0.0);
        let loud = self.room.echo(&played);
        let faint: Vec<f32> = loud.iter().map(|sample| sample * 0.1).collect();
        self.talk_over("double talk", &loud, &played, near, folder)?;
        self.talk_over("double talk, faint echo", &faint, &played, near, folder)
    }

    fn talk_over(
        &self,
        what: &str,
        echo: &[f32],
        played: &[f32],
        near: &[f32],
        folder: &Path,
    ) -> Result<(), Box<dyn Error>> {
        const FROM: f64 = 5.0;
        let near = silent_until(talk(near, 13.0, 0.7), FROM);
        let raw = heard(&[echo, &near]);
        let from = (FROM * HZ as f64) as usize;
        let name = format!("{what}-{}-{}", self.room.name, self.number).replace([' ', ','], "-");
        for (way, processing) in [("echo", ECHO_ONLY), ("all", Processing::ALL)] {
            let out = run(processing, played, &raw);
            let sounds = [&near[from..], &raw[from..], &out[from..]];
            judge(
                what,
                &[self.room.name, way],
                self.number,
                folder,
                &format!("{name}-{way}"),
                sounds,
            )?;
        }
        Ok(())
    }
}

/// Noise at 10 dB below speech: of a fan, even over the bands, and of others who talk.
fn noisy(number: usize, voice: &[f32], folder: &Path) -> Result<(), Box<dyn Error>> {
    let near = silent_until(talk(voice, 12.0, 0.3), 2.0);
    let mut source = Noise::new(11 + number as u64);
    let pink: Vec<f32> = (0..near.len()).map(|_| source.pink() as f32).collect();
    let white: Vec<f32> = (0..near.len()).map(|_| source.white() as f32).collect();
    let only_noise = Processing {
        noise_suppression: true,
        ..Processing::NONE
    };
    for (kind, noise) in [("fan", pink), ("white", white)] {
        let raw = mixed(&near, &at_level(noise, SPEECH_DB - 10.0));
        let out = run(only_noise, &near, &raw);
        let from = 3 * HZ;
        let sounds = [&near[from..], &raw[from..], &out[from..]];
        judge(
            "noise",
            &[kind],
            number,
            folder,
            &format!("noise-{kind}-{number}"),
            sounds,
        )?;
    }
    Ok(())
}

fn judge(
    what: &str,
    of: &[&str],
    voice: usize,
    folder: &Path,
    name: &str,
    [clean, raw, out]: [&[f32]; 3],
) -> Result<(), Box<dyn Error>> {
    let mut files = Vec::new();
    for (sound, end) in [(clean, "clean"), (raw, "raw"), (out, "out")] {
        let path = folder.join(format!("{name}-{end}.wav"));
        save(&path, sound)?;
        files.push(path);
    }
    let [clean, raw, out] = [&files[0], &files[1], &files[2]];
    println!(
        "{}",
        json!({ "what": what, "of": of, "voice": voice, "clean": clean, "raw": raw, "out": out })
    );
    Ok(())
}

/// At 16 kHz, as wide-band PESQ takes it.
fn save(path: &Path, sound: &[f32]) -> Result<(), Box<dyn Error>> {
    let samples: Vec<i16> = sound
        .iter()
        .map(|sample| (sample * 32_768.0).clamp(-32_768.0, 32_767.0) as i16)
        .collect();
    let mut wide = Vec::new();
    Resampler::new(Rate::Hz48000, Rate::Hz16000).process(&samples, &mut wide);
    Ok(std::fs::write(path, wav::whole(16_000, 1, &wide))?)
}

/// CPU time a tick with everything on, in double talk.
fn cost(voices: &[Vec<f32>]) -> Result<(), Box<dyn Error>> {
    let frames = |signal: &[f32]| -> Vec<Frame> {
        signal
            .chunks_exact(480)
            .filter_map(|tick| {
                let samples: Vec<i16> = tick
                    .iter()
                    .map(|sample| (sample * 32_767.0) as i16)
                    .collect();
                Frame::new(Rate::Hz48000, &samples)
            })
            .collect()
    };
    let played = talk(&voices[0], 20.0, 0.0);
    let near = talk(voices.last().ok_or("no voice")?, 20.0, 0.0);
    let mic = frames(&heard(&[&rooms()[0].echo(&played), &near]));
    let played = frames(&played);
    let ways = [
        ("all", Processing::ALL),
        ("echo", ECHO_ONLY),
        (
            "noise",
            Processing {
                noise_suppression: true,
                ..Processing::NONE
            },
        ),
        (
            "gain",
            Processing {
                auto_gain_control: true,
                ..Processing::NONE
            },
        ),
        ("nothing", Processing::NONE),
    ];
    for (name, processing) in ways {
        let mut processor = Processor::new(processing);
        let before = cpu::thread();
        for (played, heard) in played.iter().zip(&mic) {
            processor.render(played);
            let mut frame = *heard;
            processor.capture(&mut frame);
            std::hint::black_box(&frame);
        }
        let used = (cpu::thread() - before).as_secs_f64() * 1e3 / mic.len() as f64;
        println!("{}", json!({ "what": "cost", "of": [name], "value": used }));
    }
    Ok(())
}
