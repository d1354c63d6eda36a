//! Packets that carry copies of those before them (RFC 2198), from end to end.

use super::harness::*;
use media::codec::{Codec, Encoder, OpusSettings};
use media::rtp::red::Copies;
use media::session::Tones;
use media::transport::StreamId;
use std::time::Duration;

const A: &str = "192.0.2.1:40001";
const B: &str = "192.0.2.2:40002";
const RED: u8 = 63;

/// Packets of a tone, each with the copies of the `wanted` before it.
fn with_copies(packets: u32, wanted: usize) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(Codec::Opus, &OpusSettings::default()).unwrap();
    let mut copies = Copies::default();
    let (mut own, mut payload) = (Vec::new(), Vec::new());
    (0..packets)
        .map(|n| {
            let frame: Vec<i16> = (0..960)
                .map(|i| f64::from(n * 960 + i) * 500.0 * std::f64::consts::TAU / 48_000.0)
                .map(|phase| (phase.sin() * 10_000.0) as i16)
                .collect();
            encoder.encode(&frame, &mut own).unwrap();
            copies.write(wanted, 111, n * 960, &own, &mut payload);
            copies.keep(wanted, n * 960, &own);
            payload.clone()
        })
        .collect()
}

fn phone_and_peer(network: &mut Network) -> (Phone, RawPeer) {
    let mut phone = Phone::new(A, 0.0, network);
    let mut peer = RawPeer::new(B, &[Codec::Opus], network);
    let agreed = connect_raw(network, &mut phone, &mut peer);
    assert_eq!(agreed.audio.send_copies.map(|pt| pt.value()), Some(RED));
    (phone, peer)
}

/// Sends what `payload` makes of each packet, 20 ms apart; `None` for those that the network loses.
fn send(
    network: &mut Network,
    phone: &mut Phone,
    peer: &mut RawPeer,
    packets: &[Vec<u8>],
    keep: impl Fn(usize) -> bool,
) {
    for (n, payload) in packets.iter().enumerate() {
        // The network takes all or nothing of this step; the sequence number is used up all the same.
        network.loss = if keep(n) { 0.0 } else { 1.0 };
        peer.send(StreamId::AUDIO, RED, n as u32 * 960, payload, network.now);
        network.run(phone, peer, MS);
        network.loss = 0.0;
        network.run(phone, peer, 19 * MS);
    }
}

#[test]
fn a_lost_packet_is_played_from_the_copy_in_the_next_one() {
    let mut network = Network::new(1);
    let (mut phone, mut peer) = phone_and_peer(&mut network);
    let packets = with_copies(200, 1);
    send(&mut network, &mut phone, &mut peer, &packets, |n| {
        n % 5 != 4
    });
    let inbound = phone.session.stats(network.now).inbound;
    assert!((39..=40).contains(&inbound.packets_lost), "{inbound:?}");
    assert_eq!(inbound.concealed_samples, inbound.silent_concealed_samples);
    assert!(inbound.frames_recovered >= 39, "{inbound:?}");
    let sent_twice = inbound.fec_packets_received - inbound.fec_packets_discarded;
    assert_eq!(sent_twice, inbound.frames_recovered);
    assert_eq!(inbound.packets_discarded, 0);
    assert!(hears(&phone, 500.0) > 0.95, "{}", hears(&phone, 500.0));
}

#[test]
fn without_loss_copies_change_nothing() {
    let mut network = Network::new(2);
    let (mut phone, mut peer) = phone_and_peer(&mut network);
    send(
        &mut network,
        &mut phone,
        &mut peer,
        &with_copies(100, 2),
        |_| true,
    );
    let inbound = phone.session.stats(network.now).inbound;
    assert_eq!(inbound.packets_received, 100);
    assert_eq!(inbound.fec_packets_received, 197);
    assert_eq!(inbound.fec_packets_discarded, 197);
    assert_eq!((inbound.packets_discarded, inbound.packets_lost), (0, 0));
    assert!(hears(&phone, 500.0) > 0.95);
}

#[test]
fn copies_are_sent_while_the_peer_reports_loss_and_no_longer() {
    let mut network = Network::new(3);
    let mut a = Phone::new(A, 500.0, &network);
    let mut b = Phone::new(B, 1_100.0, &network);
    connect(&mut network, &mut a, &mut b);
    let copies = |phone: &mut Phone, network: &Network| {
        phone
            .session
            .stats(network.now)
            .inbound
            .fec_packets_received
    };
    network.run(&mut a, &mut b, Duration::from_secs(10));
    assert_eq!(copies(&mut b, &network), 0);
    network.loss = 0.1;
    network.run(&mut a, &mut b, Duration::from_secs(4));
    network.run(&mut a, &mut b, Duration::from_secs(10));
    let inbound = b.session.stats(network.now).inbound;
    assert!(inbound.fec_packets_received > 400, "{inbound:?}");
    assert!(inbound.frames_recovered > 30, "{inbound:?}");
    network.loss = 0.0;
    network.run(&mut a, &mut b, Duration::from_secs(40));
    let before = copies(&mut b, &network);
    network.run(&mut a, &mut b, Duration::from_secs(5));
    assert_eq!(copies(&mut b, &network), before);
}

#[test]
fn a_peer_that_does_not_take_copies_is_sent_none() {
    let mut network = Network::new(4);
    let mut a = Phone::new(A, 500.0, &network);
    let mut b = Phone::new(B, 1_100.0, &network);
    (a.syllables, b.syllables) = (true, true);
    let without = |text: &str| {
        let of_red = |line: &&str| line.contains(":63 ");
        let lines = text.lines().filter(|line| !of_red(line));
        let text: String = lines.map(|line| format!("{line}\r\n")).collect();
        text.replace(" 63 ", " ")
    };
    a.session.create_offer(network.now).unwrap();
    let offer = without(&a.described());
    assert!(!offer.contains("red/"));
    b.session.create_answer(&offer, network.now).unwrap();
    let answer = b.described();
    assert!(!answer.contains("red/"), "{answer}");
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, Duration::from_secs(1));
    network.loss = 0.1;
    network.run(&mut a, &mut b, Duration::from_secs(15));
    for phone in [&mut a, &mut b] {
        let inbound = phone.session.stats(network.now).inbound;
        assert_eq!(inbound.fec_packets_received, 0);
        // Opus' own copies serve instead.
        assert!(inbound.frames_recovered > 20, "{inbound:?}");
    }
}

#[test]
fn keys_are_pressed_beside_copies() {
    let mut network = Network::new(5);
    let mut a = Phone::new(A, 500.0, &network);
    let mut b = Phone::new(B, 1_100.0, &network);
    connect(&mut network, &mut a, &mut b);
    network.loss = 0.1;
    network.run(&mut a, &mut b, Duration::from_secs(5));
    let tones = Tones {
        order: 0,
        digits: "123456789".into(),
        duration: 100 * MS,
        gap: 70 * MS,
        in_band: false,
    };
    a.session.send_dtmf(&tones, network.now).unwrap();
    network.run(&mut a, &mut b, Duration::from_secs(5));
    assert_eq!(b.keys(), "123456789");
    network.loss = 0.0;
    network.run(&mut a, &mut b, Duration::from_secs(2));
    assert!(hears(&b, 500.0) > 0.8);
}

#[test]
fn what_lies_about_its_copies_is_left_aside_and_the_sound_goes_on() {
    let mut network = Network::new(6);
    let (mut phone, mut peer) = phone_and_peer(&mut network);
    let mut packets = with_copies(150, 1);
    let lies: [&[u8]; 8] = [
        &[],
        &[0xff; 40],
        &[0x80 | 111, 0x0f, 0x03, 0xff, 111, 1, 2],
        // Copies of what nobody agreed to, of key presses, of copies, and without any sound of its own.
        &[0x80 | 99, 0x0f, 0, 2, 111, 1, 2],
        &[0x80 | 110, 0x0f, 0, 4, 110, 1, 0x80, 0, 160],
        &[0x80 | RED, 0x0f, 0, 1, RED, 111],
        &[0x80 | 111, 0x0f, 0, 1, 111, 0xff],
        &[111],
    ];
    for (lie, packet) in lies.iter().zip(packets.iter_mut().skip(20).step_by(10)) {
        *packet = lie.to_vec();
    }
    send(&mut network, &mut phone, &mut peer, &packets, |_| true);
    assert!(phone.session.is_connected());
    assert_eq!(phone.keys(), "");
    assert!(hears(&phone, 500.0) > 0.95, "{}", hears(&phone, 500.0));
    let inbound = phone.session.stats(network.now).inbound;
    // Each lie was followed by a packet with a copy of what should have been there.
    assert_eq!(
        inbound.concealed_samples, inbound.silent_concealed_samples,
        "{inbound:?}"
    );
}

#[test]
fn copies_that_fill_the_line_are_taken_back() {
    let mut network = Network::new(7);
    let bitrate = |config: &mut media::SessionConfig| config.opus.bitrate = 32_000;
    let mut a = Phone::with(A, 500.0, &network, bitrate);
    let mut b = Phone::with(B, 1_100.0, &network, bitrate);
    (a.syllables, b.syllables) = (true, true);
    connect(&mut network, &mut a, &mut b);
    // Enough for the sound and its headers, and not for copies.
    network.line = Some(50_000.0);
    network.loss = 0.04;
    network.run(&mut a, &mut b, Duration::from_secs(25));
    let before = b.session.stats(network.now).inbound;
    assert!(before.fec_packets_received > 0, "copies were tried");
    network.run(&mut a, &mut b, Duration::from_secs(20));
    let after = b.session.stats(network.now).inbound;
    assert_eq!(after.fec_packets_received, before.fec_packets_received);
    let lost = (after.packets_lost - before.packets_lost) as f64;
    assert!(lost / 1_000.0 < 0.08, "{lost} of 1000");
}

#[test]
fn a_peer_that_reports_no_more_is_sent_no_copies_after_a_while() {
    let mut network = Network::new(8);
    let (mut phone, mut peer) = phone_and_peer(&mut network);
    phone.tone = 500.0;
    let mut report = Vec::new();
    let ssrc = {
        network.run(&mut phone, &mut peer, 100 * MS);
        phone.session.stats(network.now).outbound.ssrc
    };
    let block = media::rtp::rtcp::ReportBlock {
        ssrc,
        fraction_lost: 40,
        lost: 10,
        highest_sequence: 50,
        jitter: 0,
        last_sender_report: 0,
        delay: 0,
    };
    media::rtp::rtcp::write_report(&mut report, RAW_SSRCS[0], None, &[block]);
    peer.transport.send_rtcp(&report, network.now).unwrap();
    peer.drain();
    network.run(&mut phone, &mut peer, Duration::from_secs(1));
    let copied = |peer: &RawPeer| peer.received.iter().filter(|p| p.pt == RED).count();
    assert!(copied(&peer) > 20, "{}", copied(&peer));
    network.run(&mut phone, &mut peer, Duration::from_secs(16));
    let before = copied(&peer);
    network.run(&mut phone, &mut peer, Duration::from_secs(3));
    assert_eq!(copied(&peer), before);
}
