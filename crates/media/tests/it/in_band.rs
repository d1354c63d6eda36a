//! Keys in the sound itself (ITU-T Q.23, Q.24), through every codec and from end to end.

use super::harness::*;
use audio::dtmf::{Burst, Detector};
use media::codec::{Codec, Decoder, Encoder, OpusSettings};
use media::session::{InBandKeys, MediaEvent, Tones};
use std::time::Duration;

const A: &str = "192.0.2.1:40001";
const B: &str = "192.0.2.2:40002";
const KEYS: &str = "0123456789*#ABCD";

fn tones(digits: &str) -> Tones {
    Tones {
        order: 0,
        digits: digits.into(),
        duration: 100 * MS,
        gap: 70 * MS,
        in_band: true,
    }
}

/// What is heard of keys pressed so much more quietly, 50 ms on and 60 ms off, after a codec.
fn through(codec: Codec, settings: &OpusSettings, gain_db: f64) -> String {
    let mut encoder = Encoder::new(codec, settings).unwrap();
    let mut decoder = Decoder::new(codec, settings).unwrap();
    let rate = encoder.rate();
    let tick = rate.samples_per_tick();
    let gain = 10_f64.powf(gain_db / 20.0);
    let mut sound = vec![0; 20 * tick];
    for key in KEYS.chars() {
        let mut burst = Burst::new(key, 5).unwrap();
        let mut part = [0; 480];
        for _ in 0..11 {
            burst.fill(rate, &mut part[..tick]);
            sound.extend(part[..tick].iter().map(|s| (f64::from(*s) * gain) as i16));
        }
    }
    sound.resize(sound.len() + 20 * tick, 0);
    let (mut payload, mut heard) = (Vec::new(), Vec::new());
    for frame in sound.chunks_exact(2 * tick) {
        encoder.encode(frame, &mut payload).unwrap();
        decoder.decode(&payload, &mut heard).unwrap();
    }
    let mut detector = Detector::new();
    heard
        .chunks_exact(decoder.rate().samples_per_tick())
        .filter_map(|tick| detector.push(decoder.rate(), tick))
        .map(|press| press.key)
        .collect()
}

#[test]
fn every_codec_carries_every_key_from_loud_to_30_dbm0() {
    let clear = OpusSettings::default();
    let fleet = OpusSettings::fleet();
    for (codec, settings) in [
        (Codec::Pcmu, &clear),
        (Codec::Pcma, &clear),
        (Codec::G722, &clear),
        (Codec::Opus, &clear),
        (Codec::Opus, &fleet),
    ] {
        // A key is sent at −9 and −7 dBm0.
        for gain in [3.0, 0.0, -8.0, -15.0, -21.0] {
            let heard = through(codec, settings, gain);
            assert_eq!(heard, KEYS, "{codec:?} {:?}, {gain} dB", settings.rate);
        }
    }
}

#[test]
fn keys_are_heard_where_no_events_were_agreed_to_and_over_whoever_speaks() {
    for (seed, codec) in [
        (1, Codec::Opus),
        (2, Codec::Pcmu),
        (3, Codec::Pcma),
        (4, Codec::G722),
    ] {
        let mut network = Network::new(seed);
        network.jitter = 15 * MS;
        let mut a = Phone::with(A, 500.0, &network, |c| c.codecs = vec![codec]);
        let mut b = Phone::with(B, 900.0, &network, |c| {
            c.codecs = vec![codec];
            c.telephone_event = false;
        });
        connect(&mut network, &mut a, &mut b);
        network.run(&mut a, &mut b, Duration::from_secs(1));
        a.session.send_dtmf(&tones(KEYS), network.now).unwrap();
        b.session.send_dtmf(&tones("9,9"), network.now).unwrap();
        network.run(&mut a, &mut b, Duration::from_secs(4));
        assert_eq!(b.keys(), KEYS, "{codec:?}");
        assert_eq!(a.keys(), "99", "{codec:?}");
        assert!(a.has(|e| matches!(e, MediaEvent::DtmfSent { remaining: 0 })));
        for event in &b.events {
            if let MediaEvent::Dtmf {
                duration, in_band, ..
            } = event
            {
                assert!(*in_band);
                let wrong = duration.abs_diff(100 * MS);
                assert!(wrong <= 15 * MS, "{codec:?}: {duration:?}");
            }
        }
        network.run(&mut a, &mut b, Duration::from_secs(1));
        assert!(hears(&b, 500.0) > 0.8, "{codec:?}");
    }
}

#[test]
fn a_muted_microphone_mutes_no_key() {
    let mut network = Network::new(5);
    let mut a = Phone::new(A, 500.0, &network);
    let mut b = Phone::with(B, 0.0, &network, |c| c.telephone_event = false);
    connect(&mut network, &mut a, &mut b);
    a.session.mute(true);
    a.session.send_dtmf(&tones("42"), network.now).unwrap();
    network.run(&mut a, &mut b, Duration::from_secs(1));
    assert_eq!(b.keys(), "42");
}

#[test]
fn where_events_were_agreed_to_the_sound_counts_only_if_asked_for() {
    for (setting, expected) in [
        (InBandKeys::Auto, ""),
        (InBandKeys::Never, ""),
        (InBandKeys::Always, "42"),
    ] {
        let mut network = Network::new(6);
        let mut a = Phone::new(A, 0.0, &network);
        let mut b = Phone::with(B, 0.0, &network, |c| c.in_band_keys = setting);
        connect(&mut network, &mut a, &mut b);
        a.session.send_dtmf(&tones("42"), network.now).unwrap();
        network.run(&mut a, &mut b, Duration::from_secs(1));
        assert_eq!(b.keys(), expected, "{setting:?}");
    }
    let mut network = Network::new(7);
    let mut a = Phone::new(A, 0.0, &network);
    let mut b = Phone::with(B, 0.0, &network, |c| {
        c.telephone_event = false;
        c.in_band_keys = InBandKeys::Never;
    });
    connect(&mut network, &mut a, &mut b);
    a.session.send_dtmf(&tones("42"), network.now).unwrap();
    network.run(&mut a, &mut b, Duration::from_secs(1));
    assert_eq!(b.keys(), "");
}

#[test]
fn who_has_sent_an_event_is_not_listened_to_any_more() {
    let mut network = Network::new(8);
    let mut a = Phone::new(A, 0.0, &network);
    let mut b = Phone::with(B, 0.0, &network, |c| c.in_band_keys = InBandKeys::Always);
    connect(&mut network, &mut a, &mut b);
    let event = Tones {
        in_band: false,
        ..tones("2")
    };
    // Its own sound follows the event at once, as if a gateway had left it in.
    a.session.send_dtmf(&tones("1"), network.now).unwrap();
    a.session.send_dtmf(&event, network.now).unwrap();
    a.session.send_dtmf(&tones("2"), network.now).unwrap();
    network.run(&mut a, &mut b, Duration::from_secs(2));
    a.session.send_dtmf(&tones("3"), network.now).unwrap();
    network.run(&mut a, &mut b, Duration::from_secs(1));
    let mut keys: Vec<char> = b.keys().chars().collect();
    keys.sort_unstable();
    assert_eq!(keys, ['1', '2']);
}
