use voice::Processing;

use crate::room::{HZ, Noise, at_level, energy, mixed};
use crate::scene::{SPEECH_DB, run, silent_until, talk};
use crate::speech;

const NOISE_ONLY: Processing = Processing {
    noise_suppression: true,
    ..Processing::NONE
};

#[test]
fn a_fan_is_lowered_and_a_voice_over_it_is_not() {
    const FROM: usize = 4 * HZ;
    let near = silent_until(talk(&speech(), 9.0, 0.0), 4.0);
    let mut source = Noise::new(3);
    let noise = (0..near.len()).map(|_| source.pink() as f32).collect();
    let noise = at_level(noise, SPEECH_DB - 15.0);
    let raw = mixed(&near, &noise);
    let out = run(NOISE_ONLY, &near, &raw);
    let lowered = 10.0 * (energy(&raw[2 * HZ..FROM]) / energy(&out[2 * HZ..FROM])).log10();
    assert!(lowered >= 8.0, "the fan by {lowered} dB");
    let change = 10.0 * (energy(&out[FROM..]) / energy(&near[FROM..])).log10();
    assert!(change.abs() < 2.0, "the voice by {change} dB");
}
