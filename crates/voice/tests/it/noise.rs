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

/// The levels of 250 ms each that the suppressor leaves with the `easyfft` crate, whose place `crates/easyfft` takes.
#[test]
fn it_is_the_suppressor_that_its_authors_made() {
    const LEVELS_DB: [f64; 16] = [
        -58.460, -24.295, -30.053, -21.253, -25.808, -33.514, -19.547, -27.885, -33.005, -31.009,
        -27.620, -30.335, -25.664, -33.851, -37.048, -38.086,
    ];
    let near = talk(&speech(), 4.0, 0.0);
    let mut source = Noise::new(3);
    let noise = (0..near.len()).map(|_| source.pink() as f32).collect();
    let raw = mixed(&near, &at_level(noise, SPEECH_DB - 10.0));
    let out = run(NOISE_ONLY, &near, &raw);
    let levels = out
        .chunks(HZ / 4)
        .map(|part| 10.0 * energy(part).max(1e-12).log10());
    for (number, (level, expected)) in levels.zip(LEVELS_DB).enumerate() {
        assert!(
            (level - expected).abs() < 0.02,
            "quarter {number}: {level} dB instead of {expected}"
        );
    }
}
