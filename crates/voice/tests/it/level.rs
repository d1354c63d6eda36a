use sonora::config::{AdaptiveDigital, GainController2, MaxProcessingRate, Pipeline};
use sonora::{AudioProcessing, Config, StreamConfig};
use voice::Processing;

use crate::room::{HZ, at_level, energy, rooms};
use crate::scene::{heard, run, talk};
use crate::speech;

const LEVEL_ONLY: Processing = Processing {
    auto_gain_control: true,
    ..Processing::NONE
};

fn loudness(signal: &[f32]) -> f64 {
    10.0 * energy(signal).log10()
}

#[test]
fn a_soft_voice_becomes_louder_and_a_loud_one_is_not_clipped() {
    let voice = speech();
    let gains = [-45.0, -14.0].map(|db| {
        let near = talk(&at_level(voice.clone(), db), 15.0, 0.0);
        let silence = vec![0.0; near.len()];
        let out = run(LEVEL_ONLY, &silence, &heard(&[&near]));
        let peak = out
            .iter()
            .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!(peak < 0.999, "{peak} of full scale");
        loudness(&out[10 * HZ..]) - loudness(&near[10 * HZ..])
    });
    assert!(gains[0] > 8.0, "the soft one by {} dB", gains[0]);
    assert!(gains[1] < 2.0, "the loud one by {} dB", gains[1]);
}

#[test]
fn the_first_second_is_not_lifted() {
    let near = talk(&at_level(speech(), -40.0), 1.0, 0.0);
    let silence = vec![0.0; near.len()];
    let out = run(LEVEL_ONLY, &silence, &heard(&[&near]));
    let gain = loudness(&out) - loudness(&near);
    assert!(gain < 7.0, "{gain} dB");
}

#[test]
fn an_echo_is_not_lifted_again_by_the_gain() {
    let room = &rooms()[0];
    let played = talk(&speech(), 6.0, 0.0);
    let echo = room.echo(&played);
    let both = Processing {
        echo_cancellation: true,
        ..LEVEL_ONLY
    };
    let out = run(both, &played, &heard(&[&echo]));
    let left = crate::scene::erle_db(&echo, &out, 2.0, 6.0);
    assert!(left >= 15.0, "{left} dB");
}

#[test]
fn it_is_the_controller_that_its_authors_made() {
    let near = heard(&[&talk(&at_level(speech(), -38.0), 12.0, 0.0)]);
    let silence = vec![0.0; near.len()];
    let out = run(LEVEL_ONLY, &silence, &near);
    let mut theirs = upstream();
    let mut expected = vec![0.0; near.len()];
    let ticks = near
        .chunks_exact(HZ / 100)
        .zip(expected.chunks_exact_mut(HZ / 100));
    for (near, expected) in ticks {
        theirs
            .process_capture_f32(&[near], &mut [expected])
            .unwrap();
    }
    for (number, (ours, theirs)) in out.chunks(HZ / 4).zip(expected.chunks(HZ / 4)).enumerate() {
        let [ours, theirs] = [ours, theirs].map(loudness);
        assert!(
            (ours - theirs).abs() < 0.05 || theirs < -70.0,
            "quarter {number}: {ours} dB instead of {theirs}"
        );
    }
}

fn upstream() -> AudioProcessing {
    let stream = StreamConfig::new(HZ as u32, 1);
    let config = Config {
        pipeline: Pipeline {
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            ..Pipeline::default()
        },
        gain_controller2: Some(GainController2 {
            adaptive_digital: Some(AdaptiveDigital {
                initial_gain_db: 0.0,
                max_gain_db: 24.0,
                ..AdaptiveDigital::default()
            }),
            ..GainController2::default()
        }),
        ..Config::default()
    };
    let builder = AudioProcessing::builder().config(config);
    builder.capture_config(stream).render_config(stream).build()
}
