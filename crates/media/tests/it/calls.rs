//! Sound from end to end.

use super::harness::*;
use media::codec::Codec;
use media::session::{ConnectionState, MediaEvent};
use media::transport::StreamId;
use std::time::Duration;

const A: &str = "192.0.2.1:40001";
const B: &str = "192.0.2.2:40002";

#[test]
fn a_tone_sent_by_each_side_is_heard_by_the_other_on_every_codec() {
    for codec in Codec::ALL {
        let mut network = Network::new(1);
        let mut a = Phone::with(A, 500.0, &network, |c| c.codecs = vec![codec]);
        let mut b = Phone::with(B, 1_100.0, &network, |c| c.codecs = vec![codec]);
        connect(&mut network, &mut a, &mut b);
        network.run(&mut a, &mut b, Duration::from_secs(3));
        assert!(
            hears(&a, 1_100.0) > 0.8,
            "{codec:?}: {}",
            hears(&a, 1_100.0)
        );
        assert!(hears(&b, 500.0) > 0.8, "{codec:?}: {}", hears(&b, 500.0));
        assert!(hears(&b, 1_100.0) < 0.1);
        let stats = b.session.stats(network.now);
        assert_eq!(stats.codecs.len(), 2);
        assert!(stats.codecs.iter().all(|c| c.codec == codec));
        assert_eq!(stats.inbound.packets_lost, 0);
        assert!(stats.summary.mos > 4.0, "{:?}", stats.summary);
    }
}

#[test]
fn sound_survives_loss_jitter_and_delay() {
    for codec in [Codec::Opus, Codec::Pcmu] {
        let mut network = Network::new(2);
        let mut a = Phone::with(A, 500.0, &network, |c| c.codecs = vec![codec]);
        let mut b = Phone::with(B, 1_100.0, &network, |c| c.codecs = vec![codec]);
        (a.syllables, b.syllables) = (true, true);
        connect(&mut network, &mut a, &mut b);
        network.loss = 0.1;
        network.delay = 50 * MS;
        network.jitter = 30 * MS;
        network.run(&mut a, &mut b, Duration::from_secs(20));
        assert!(
            hears(&a, 1_100.0) > 0.45,
            "{codec:?}: {}",
            hears(&a, 1_100.0)
        );
        assert!(hears(&b, 500.0) > 0.45, "{codec:?}: {}", hears(&b, 500.0));
        let stats = b.session.stats(network.now);
        let loss = stats.inbound.packets_lost as f64 / stats.inbound.packets_received as f64;
        assert!((0.05..0.17).contains(&loss), "{loss}");
        assert!(stats.inbound.concealed_samples > 0);
        if codec == Codec::Opus {
            // The peer's reports made our encoder put copies into its packets.
            assert!(stats.inbound.frames_recovered > 40, "{:?}", stats.inbound);
        }
    }
}

#[test]
fn a_muted_phone_sends_silence_that_keeps_coming() {
    let mut network = Network::new(3);
    let (mut a, mut b) = (
        Phone::new(A, 500.0, &network),
        Phone::new(B, 1_100.0, &network),
    );
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(1));
    a.session.mute(true);
    let before = b.session.stats(network.now).inbound.packets_received;
    network.run(&mut a, &mut b, Duration::from_secs(2));
    let got = b.session.stats(network.now).inbound.packets_received - before;
    assert!((98..=102).contains(&got), "{got}");
    assert!(loudness(last_second(&b)) < 50.0);
    a.session.mute(false);
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert!(hears(&b, 500.0) > 0.8);
}

#[test]
fn a_change_of_ssrc_in_mid_call_loses_nothing() {
    let mut network = Network::new(4);
    let mut a = Phone::with(A, 0.0, &network, |c| c.codecs = vec![Codec::Pcmu]);
    let mut b = RawPeer::new(B, &[Codec::Pcmu], &network);
    let agreed = connect_raw(&mut network, &mut a, &mut b);
    let pt = agreed.audio.send.payload_type.value();
    for i in 0..300_u32 {
        let (stream, base) = match i / 100 {
            0 => (StreamId::AUDIO, 5_000),
            1 => (SECOND_STREAM, 4_000_000_000_u32),
            _ => (StreamId::AUDIO, 5_000),
        };
        b.send(
            stream,
            pt,
            base.wrapping_add(i * 160),
            &[0x90; 160],
            network.now,
        );
        network.run(&mut a, &mut b, 20 * MS);
    }
    let inbound = a.session.stats(network.now).inbound;
    assert_eq!(inbound.packets_received, 300);
    assert_eq!((inbound.packets_lost, inbound.packets_discarded), (0, 0));
    assert_eq!(inbound.ssrc_changes, 2);
    // Beyond the start and the end nothing had to be invented.
    assert!(inbound.concealed_samples <= 160, "{inbound:?}");
}

#[test]
fn a_peer_may_send_by_our_numbers_or_its_own_and_change_codec_at_will() {
    let mut network = Network::new(5);
    let mut a = Phone::with(A, 0.0, &network, |c| {
        c.codecs = vec![Codec::Pcmu, Codec::Pcma]
    });
    let mut b = RawPeer::new(B, &[Codec::Pcma, Codec::Pcmu], &network);
    connect_raw(&mut network, &mut a, &mut b);
    for i in 0..200_u32 {
        let (pt, byte) = if i < 100 { (0, 0x90) } else { (8, 0xd5) };
        b.send(StreamId::AUDIO, pt, i * 160, &[byte; 160], network.now);
        // Numbers that nobody agreed to are left aside.
        b.send(StreamId::AUDIO, 77, i * 160, &[byte; 160], network.now);
        network.run(&mut a, &mut b, 20 * MS);
    }
    assert!(a.has(|e| matches!(
        e,
        MediaEvent::CodecChanged {
            receive: Codec::Pcma,
            ..
        }
    )));
    let inbound = a.session.stats(network.now).inbound;
    assert_eq!(inbound.packets_discarded, 200);
    assert!(inbound.concealed_samples <= 320, "{inbound:?}");
}

#[test]
fn packets_of_ten_to_sixty_milliseconds_are_played() {
    for ms in [10_u32, 30, 40, 60] {
        let mut network = Network::new(6);
        let mut a = Phone::with(A, 0.0, &network, |c| c.codecs = vec![Codec::Pcmu]);
        let mut b = RawPeer::new(B, &[Codec::Pcmu], &network);
        connect_raw(&mut network, &mut a, &mut b);
        for i in 0..(3_000 / ms) {
            let payload = vec![0x90; ms as usize * 8];
            b.send(StreamId::AUDIO, 0, i * ms * 8, &payload, network.now);
            network.run(&mut a, &mut b, ms * MS);
        }
        let inbound = a.session.stats(network.now).inbound;
        assert_eq!(
            (inbound.packets_lost, inbound.packets_discarded),
            (0, 0),
            "{ms}"
        );
        assert!(inbound.concealed_samples <= 480, "{ms}: {inbound:?}");
        assert!(loudness(last_second(&a)) > 1_000.0, "{ms}");
    }
}

#[test]
fn silence_of_a_connected_peer_is_told_once_and_so_is_its_end() {
    let mut network = Network::new(7);
    let mut a = Phone::with(A, 0.0, &network, |c| {
        c.codecs = vec![Codec::Pcmu];
        c.no_media_after = Duration::from_secs(5);
    });
    let mut b = RawPeer::new(B, &[Codec::Pcmu], &network);
    connect_raw(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(4));
    let no_media = |e: &MediaEvent| matches!(e, MediaEvent::NoMedia { .. });
    assert!(!a.has(no_media));
    network.run(&mut a, &mut b, Duration::from_secs(12));
    assert_eq!(a.events.iter().filter(|e| no_media(e)).count(), 1);
    b.send(StreamId::AUDIO, 0, 0, &[0xff; 160], network.now);
    network.run(&mut a, &mut b, 100 * MS);
    assert!(a.has(|e| matches!(e, MediaEvent::MediaResumed)));
}

#[test]
fn closing_says_goodbye_and_ends_every_deadline() {
    let mut network = Network::new(8);
    let (mut a, mut b) = (Phone::new(A, 500.0, &network), Phone::new(B, 0.0, &network));
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(1));
    a.session.close(network.now);
    a.drain();
    assert_eq!(a.states().last(), Some(&ConnectionState::Closed));
    assert!(!a.session.needs_tick());
    assert!(a.deadline() > network.now + Duration::from_secs(60));
    network.run(&mut a, &mut b, 100 * MS);
    assert!(b.has(|e| matches!(e, MediaEvent::ByeReceived)));
    assert!(a.session.create_offer(network.now).is_err());
}

#[test]
fn packets_are_told_without_their_protection_while_that_is_asked_for() {
    let mut network = Network::new(3);
    let mut a = Phone::with(A, 500.0, &network, |c| c.codecs = vec![Codec::Pcma]);
    let mut b = Phone::with(B, 1_100.0, &network, |c| c.codecs = vec![Codec::Pcma]);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(1));
    assert!(a.in_the_clear.is_empty());
    for phone in [&mut a, &mut b] {
        phone.session.set_capture(true);
    }
    network.run(&mut a, &mut b, Duration::from_secs(8));
    let of = |phone: &Phone, sent| -> Vec<Vec<u8>> {
        let packets = phone.in_the_clear.iter().filter(|p| p.sent == sent);
        packets.map(|p| p.bytes.clone()).collect()
    };
    let (sent, received) = (of(&a, true), of(&b, false));
    // RTP, and RTCP beside it (RFC 5761 §4).
    let reports = |packets: &[Vec<u8>]| packets.iter().filter(|p| p[1] == 200).count();
    assert!(sent.len() > 390 && reports(&sent) > 0, "{}", sent.len());
    assert!(sent.iter().all(|packet| packet[0] >> 6 == 2));
    let unlike = received.iter().filter(|packet| !sent.contains(packet));
    // What was on its way when that was asked for.
    assert!(unlike.count() <= 2);
    assert!(received.len() + 2 >= sent.len());
    a.session.set_capture(false);
    let before = a.in_the_clear.len();
    network.run(&mut a, &mut b, Duration::from_secs(1));
    assert_eq!(a.in_the_clear.len(), before);
}
