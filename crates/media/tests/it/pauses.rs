//! Pauses that are left out (DTX), and how they sound (RFC 3389), from end to end.

use super::harness::*;
use media::codec::{Codec, Encoder, OpusSettings};
use media::transport::StreamId;
use std::time::Duration;

const A: &str = "192.0.2.1:40001";
const B: &str = "192.0.2.2:40002";

fn phones(codec: Codec, wants: [bool; 2], network: &Network) -> (Phone, Phone) {
    let phone = |address: &str, dtx: bool| {
        Phone::with(address, 0.0, network, |config| {
            config.codecs = vec![codec];
            config.dtx = dtx;
        })
    };
    (phone(A, wants[0]), phone(B, wants[1]))
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A pause of five seconds between two tones: how many packets were sent in it, and what the other side's counters say.
#[test]
fn a_pause_takes_few_packets_and_is_no_loss() {
    for codec in Codec::ALL {
        let mut network = Network::new(1);
        network.jitter = 8 * MS;
        let (mut a, mut b) = phones(codec, [true, true], &network);
        connect(&mut network, &mut a, &mut b);
        a.tone = 500.0;
        network.run(&mut a, &mut b, seconds(2));
        assert!(hears(&b, 500.0) > 0.9, "{codec:?}");
        let delay = |b: &mut Phone, now| {
            let inbound = b.session.stats(now).inbound;
            (
                inbound.jitter_buffer_delay,
                inbound.jitter_buffer_emitted_count as f64,
            )
        };
        let before = b.session.stats(network.now).inbound;

        a.tone = 0.0;
        let sent = a.session.stats(network.now).outbound.packets_sent;
        network.run(&mut a, &mut b, seconds(5));
        let sent = a.session.stats(network.now).outbound.packets_sent - sent;
        assert!((2..=40).contains(&sent), "{codec:?}: {sent}");

        a.tone = 500.0;
        let then = delay(&mut b, network.now);
        network.run(&mut a, &mut b, seconds(2));
        let now = delay(&mut b, network.now);
        let mean = (now.0 - then.0) / (now.1 - then.1);
        assert!(mean < 0.09, "{codec:?}: {mean}");
        assert!(hears(&b, 500.0) > 0.9, "{codec:?}");

        let after = b.session.stats(network.now).inbound;
        assert_eq!(after.packets_lost, 0, "{codec:?}");
        assert_eq!(
            after.packets_discarded, before.packets_discarded,
            "{codec:?}"
        );
        assert_eq!(
            after.concealment_events, before.concealment_events,
            "{codec:?}"
        );
        let silent = after.silent_concealed_samples - before.silent_concealed_samples;
        assert_eq!(
            after.concealed_samples - before.concealed_samples,
            silent,
            "{codec:?}"
        );
    }
}

#[test]
fn pauses_are_sent_whole_if_nobody_asks_for_less_or_the_peer_does_not_take_it() {
    // G.711 needs an agreement; Opus asks whoever sends.
    for (codec, wants, whole) in [
        (Codec::Pcmu, [false, false], true),
        (Codec::Pcmu, [false, true], true),
        (Codec::Opus, [false, false], true),
        (Codec::Opus, [false, true], false),
    ] {
        let mut network = Network::new(2);
        let (mut a, mut b) = phones(codec, wants, &network);
        connect(&mut network, &mut a, &mut b);
        network.run(&mut a, &mut b, seconds(1));
        let sent = a.session.stats(network.now).outbound.packets_sent;
        network.run(&mut a, &mut b, seconds(2));
        let sent = a.session.stats(network.now).outbound.packets_sent - sent;
        assert_eq!(sent >= 99, whole, "{codec:?} {wants:?}: {sent}");
    }
}

#[test]
fn comfort_noise_is_agreed_to_if_pauses_are_to_be_left_out() {
    let network = Network::new(3);
    let offers = |codec: Codec, dtx: bool| {
        let (mut a, _) = phones(codec, [dtx, false], &network);
        a.session.create_offer(network.now).unwrap();
        a.described()
    };
    assert!(offers(Codec::Pcma, true).contains("a=rtpmap:13 CN/8000\r\n"));
    assert!(offers(Codec::G722, true).contains("a=rtpmap:13 CN/8000\r\n"));
    assert!(!offers(Codec::Pcma, false).contains("CN/8000"));
    assert!(!offers(Codec::Opus, true).contains("CN/8000"));
    assert!(offers(Codec::Opus, true).contains("usedtx=1"));

    for dtx in [true, false] {
        let (_, mut b) = phones(Codec::Pcma, [true, dtx], &network);
        let offer = offers(Codec::Pcma, true);
        b.session.create_answer(&offer, network.now).unwrap();
        assert_eq!(b.described().contains("a=rtpmap:13 CN/8000\r\n"), dtx);
    }
}

/// Sends 2 s of a tone, `payload` as the pause's noise under payload type 13, and listens to the pause.
fn pause_of(payload: &[u8], codec: Codec) -> (Phone, Network) {
    let mut network = Network::new(4);
    let (mut phone, _) = phones(codec, [false, false], &network);
    let mut peer = RawPeer::new(B, &[codec], &network);
    connect_raw(&mut network, &mut phone, &mut peer);
    let number = codec.static_payload_type().unwrap();
    let mut encoder = Encoder::new(codec, &OpusSettings::default()).unwrap();
    let frame = vec![3_000_i16; encoder.rate().samples_per_tick() * 2];
    let mut sound = Vec::new();
    encoder.encode(&frame, &mut sound).unwrap();
    for n in 0..100 {
        peer.send(StreamId::AUDIO, number, n * 160, &sound, network.now);
        network.run(&mut phone, &mut peer, 20 * MS);
    }
    peer.send(StreamId::AUDIO, 13, 100 * 160, payload, network.now);
    network.run(&mut phone, &mut peer, seconds(3));
    (phone, network)
}

#[test]
fn noise_that_nobody_agreed_to_is_heard_for_as_long_as_the_pause_lasts() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        let (mut phone, network) = pause_of(&[40, 100, 140], codec);
        let heard = loudness(last_second(&phone));
        // −40 dBov.
        assert!((heard / 327.0 - 1.0).abs() < 0.3, "{codec:?}: {heard}");
        let inbound = phone.session.stats(network.now).inbound;
        assert_eq!(inbound.concealment_events, 0, "{codec:?}: {inbound:?}");
        assert_eq!(inbound.packets_discarded, 0);
    }
}

#[test]
fn noise_without_a_payload_is_a_silent_pause() {
    let (phone, _) = pause_of(&[], Codec::Pcmu);
    assert!(loudness(last_second(&phone)) < 1.0);
    let (phone, _) = pause_of(&[127], Codec::Pcmu);
    assert!(loudness(last_second(&phone)) < 1.0);
}
