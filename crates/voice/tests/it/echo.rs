use audio::{Frame, Rate};
use voice::{Processing, Processor};

use crate::room::{HZ, drifting, energy, rooms};
use crate::scene::{erle_db, heard, rearranged_echo, run, run_with, talk};
use crate::speech;

const ECHO_ONLY: Processing = Processing {
    echo_cancellation: true,
    ..Processing::NONE
};

#[test]
fn the_echo_of_a_loudspeaker_is_gone_within_a_moment_and_stays_away() {
    let voice = speech();
    for room in &rooms()[..2] {
        let played = talk(&voice, 8.0, 0.0);
        let echo = room.echo(&played);
        let out = run(ECHO_ONLY, &played, &heard(&[&echo]));
        let first = erle_db(&echo, &out, 1.5, 2.5);
        let later = erle_db(&echo, &out, 5.0, 8.0);
        assert!(first >= 15.0, "{}: {first} dB at first", room.name);
        assert!(later >= 30.0, "{}: {later} dB", room.name);
    }
}

#[test]
fn a_room_that_is_rearranged_is_learnt_anew() {
    let room = &rooms()[0];
    let played = talk(&speech(), 9.0, 0.0);
    let echo = rearranged_echo(room, &played, 5.0);
    let out = run(ECHO_ONLY, &played, &heard(&[&echo]));
    let after = erle_db(&echo, &out, 7.0, 9.0);
    assert!(after >= 15.0, "{after} dB");
}

#[test]
fn clocks_that_run_apart_leave_no_echo() {
    let room = &rooms()[0];
    let played = talk(&speech(), 8.0, 0.0);
    let echo = drifting(&room.echo(&played), 100.0);
    let out = run(ECHO_ONLY, &played, &heard(&[&echo]));
    let drifted = erle_db(&echo, &out, 2.0, 8.0);
    assert!(drifted >= 15.0, "{drifted} dB");
}

#[test]
fn who_talks_alone_is_heard_as_loud_as_before() {
    let near = talk(&speech(), 5.0, 0.0);
    let silence = vec![0.0; near.len()];
    let out = run(ECHO_ONLY, &silence, &heard(&[&near]));
    let change = 10.0 * (energy(&out[HZ..]) / energy(&near[HZ..])).log10();
    assert!(change.abs() < 1.0, "{change} dB");
}

#[test]
fn what_is_off_leaves_every_sample_as_it_is() {
    let mut processor = Processor::new(Processing::NONE);
    let samples: Vec<i16> = (0..480).map(|sample| sample * 60 - 14_000).collect();
    let raw = Frame::new(Rate::Hz48000, &samples).unwrap();
    let mut frame = raw;
    processor.render(&raw);
    processor.capture(&mut frame);
    assert_eq!(frame, raw);
}

#[test]
fn switching_something_else_keeps_what_is_known_of_the_room() {
    let room = &rooms()[0];
    let played = talk(&speech(), 6.0, 0.0);
    let echo = room.echo(&played);
    let heard = heard(&[&echo]);
    let mut processor = Processor::new(ECHO_ONLY);
    let at = 5 * HZ;
    let mut out = run_with(&mut processor, &played[..at], &heard[..at]);
    processor.set(Processing {
        noise_suppression: true,
        ..ECHO_ONLY
    });
    assert!(processor.processing().noise_suppression);
    out.extend(run_with(&mut processor, &played[at..], &heard[at..]));
    let after = erle_db(&echo, &out, 5.05, 5.9);
    assert!(after >= 30.0, "{after} dB");
}

#[test]
fn sound_at_full_scale_and_of_one_value_does_no_harm() {
    let mut processor = Processor::new(Processing::ALL);
    for tick in 0..400 {
        let value = [i16::MIN, i16::MAX, 0, -1][tick / 20 % 4];
        let mut frame = Frame::new(Rate::Hz48000, &[value; 480]).unwrap();
        processor.render(&frame);
        processor.capture(&mut frame);
    }
}
