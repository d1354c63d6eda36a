//! What peers send and ask for beside pictures, that no phone would.

use super::harness::*;
use super::video::{B, SECOND, camera, pair, stats};
use media::rtp::{feedback, rtcp};
use media::sdp::Direction;
use media::sdp::negotiate::Content;
use media::session::MediaEvent;
use media::transport::{OutboundStream, RtpOut, StreamId};

/// A raw peer that answers with a line for our camera.
fn raw(network: &mut Network) -> (Phone, RawPeer) {
    let [mut a, _] = pair(network);
    let mut b = RawPeer::new(B, &[media::codec::Codec::Opus], network);
    b.wish_video(vec![camera()]);
    let agreed = connect_raw(network, &mut a, &mut b);
    assert_eq!(agreed.video.len(), 1);
    for (id, ssrc) in [(VIDEO, 0x3333), (STRANGER, 0x4444)] {
        b.transport.add_stream(OutboundStream { id, ssrc });
    }
    (a, b)
}

const VIDEO: StreamId = StreamId(3);
const STRANGER: StreamId = StreamId(5);

fn send(
    peer: &mut RawPeer,
    stream: StreamId,
    pt: u8,
    mid: &str,
    payload: &[u8],
    network: &Network,
) {
    let extension = [(4, mid.as_bytes())];
    let packet = RtpOut {
        pt,
        timestamp: 90_000,
        marker: true,
        extensions: if mid.is_empty() { &[] } else { &extension },
        payload,
    };
    peer.transport
        .send_rtp(stream, packet, network.now)
        .unwrap();
    peer.drain();
}

#[test]
fn a_peer_that_begs_without_end_gets_two_key_frames_a_second_and_its_packets_once_a_round_trip() {
    let mut network = Network::new(8);
    let (mut a, mut b) = raw(&mut network);
    network.run(&mut a, &mut b, SECOND);
    let ours = a.session.stats(network.now).video[0].outbound.ssrc;
    let before = stats(&mut a, &network).outbound;
    let everything: Vec<u16> = (0..=u16::MAX).step_by(17).collect();
    for number in 0..300_u32 {
        let mut compound = Vec::new();
        rtcp::write_report(&mut compound, 1, None, &[]);
        feedback::write_picture_loss(&mut compound, 1, ours);
        feedback::write_full_intra(&mut compound, 1, ours, number as u8);
        feedback::write_missing(&mut compound, 1, ours, &everything[..300]);
        b.transport.send_rtcp(&compound, network.now).unwrap();
        b.drain();
        network.run(&mut a, &mut b, 10 * MS);
    }
    let after = stats(&mut a, &network).outbound;
    let keys = after.key_frames_sent - before.key_frames_sent;
    assert!((5..=7).contains(&keys), "{keys}");
    let again = after.retransmitted_packets_sent - before.retransmitted_packets_sent;
    let sent = after.packets_sent - before.packets_sent;
    assert!(again < 40 * sent, "{again} of {sent}");
    assert!(hears_own(&a), "sound goes on");
}

/// Asks for every packet that there may have been; gives how many were sent again.
fn beg(network: &mut Network, a: &mut Phone, b: &mut RawPeer) -> u64 {
    let before = stats(a, network).outbound;
    let all: Vec<u16> = (0..=u16::MAX).collect();
    for some in all.chunks(256) {
        let mut compound = Vec::new();
        rtcp::write_report(&mut compound, 1, None, &[]);
        feedback::write_missing(&mut compound, 1, before.ssrc, some);
        b.transport.send_rtcp(&compound, network.now).unwrap();
        b.drain();
        network.run(a, b, MS);
    }
    network.run(a, b, 100 * MS);
    let after = stats(a, network).outbound;
    assert!(after.nack_count > before.nack_count);
    after.retransmitted_packets_sent - before.retransmitted_packets_sent
}

#[test]
fn what_was_shown_before_a_hold_or_a_mute_is_not_sent_again() {
    for holds in [true, false] {
        let mut network = Network::new(17);
        let (mut a, mut b) = raw(&mut network);
        network.run(&mut a, &mut b, SECOND);
        assert!(beg(&mut network, &mut a, &mut b) > 0);
        if holds {
            let hold = Direction::SendOnly;
            a.session.reoffer(false, hold, network.now).unwrap();
        } else {
            a.session.mute_video(Content::Camera, true, network.now);
        }
        a.drain();
        network.run(&mut a, &mut b, 100 * MS);
        assert_eq!(beg(&mut network, &mut a, &mut b), 0, "held: {holds}");
        if holds {
            a.session.rollback(network.now);
        } else {
            a.session.mute_video(Content::Camera, false, network.now);
        }
        a.drain();
        network.run(&mut a, &mut b, SECOND);
        assert!(beg(&mut network, &mut a, &mut b) > 0, "it goes on");
    }
}

/// Whether a phone's own sound still goes out.
fn hears_own(phone: &Phone) -> bool {
    phone.session.is_connected() && phone.session.sends()
}

#[test]
fn what_belongs_to_no_line_is_not_taken_for_sound() {
    let mut network = Network::new(9);
    let (mut a, mut b) = raw(&mut network);
    let key = [
        &[0x10_u8][..],
        &[0x10, 0, 0, 0x9d, 1, 0x2a, 2, 0, 2, 0],
        &[0; 200],
    ]
    .concat();
    for _ in 0..20 {
        send(&mut b, STRANGER, 96, "nowhere", &key, &network);
        send(&mut b, STRANGER, 34, "", &key, &network);
        network.run(&mut a, &mut b, 20 * MS);
    }
    let stats = a.session.stats(network.now);
    assert_eq!(stats.inbound.packets_received, 0);
    assert_eq!(stats.video[0].inbound.packets_received, 0);
    assert_eq!(stats.transport.unwrap().refused.unknown_stream, 40);
    // What names its section is taken, whatever its source.
    send(&mut b, VIDEO, 96, "1", &key, &network);
    network.run(&mut a, &mut b, 100 * MS);
    assert_eq!(
        a.session.stats(network.now).video[0]
            .inbound
            .packets_received,
        1
    );
}

#[test]
fn sound_that_names_its_section_is_heard_beside_pictures() {
    let mut network = Network::new(18);
    let [mut a, _] = pair(&network);
    let mut b = RawPeer::new(B, &[media::codec::Codec::Pcmu], &network);
    b.wish_video(vec![camera()]);
    connect_raw(&mut network, &mut a, &mut b);
    for (mid, heard) in [("0", 10), ("elsewhere", 20), ("", 30)] {
        for _ in 0..10 {
            send(&mut b, StreamId::AUDIO, 0, mid, &[0x55; 160], &network);
            network.run(&mut a, &mut b, 20 * MS);
        }
        let sound = a.session.stats(network.now).inbound;
        assert_eq!(sound.packets_received, heard, "{mid:?}");
    }
}

#[test]
fn what_nobody_that_is_heard_reports_is_not_said_of_sound() {
    let mut network = Network::new(19);
    let [mut a, _] = pair(&network);
    let mut b = RawPeer::new(B, &[media::codec::Codec::Pcmu], &network);
    b.wish_video(vec![camera()]);
    connect_raw(&mut network, &mut a, &mut b);
    send(&mut b, StreamId::AUDIO, 0, "", &[0x55; 160], &network);
    network.run(&mut a, &mut b, 100 * MS);
    for (ssrc, packets, reports) in [(RAW_SSRCS[0], 7, 1), (0x9999, 9, 1), (RAW_SSRCS[0], 11, 2)] {
        let info = rtcp::SenderInfo {
            ntp: 1 << 32,
            timestamp: 160,
            packets,
            bytes: 160,
        };
        let mut compound = Vec::new();
        rtcp::write_report(&mut compound, ssrc, Some(info), &[]);
        b.transport.send_rtcp(&compound, network.now).unwrap();
        b.drain();
        network.run(&mut a, &mut b, 100 * MS);
        let told = a.session.stats(network.now).remote_outbound.unwrap();
        let said = if ssrc == 0x9999 {
            7
        } else {
            u64::from(packets)
        };
        assert_eq!((told.packets_sent, told.reports_sent), (said, reports));
    }
}

#[test]
fn a_picture_that_says_goodbye_is_not_the_end_of_the_call() {
    let mut network = Network::new(10);
    let (mut a, mut b) = raw(&mut network);
    send(&mut b, VIDEO, 96, "1", &[0x10, 0x10, 0, 0], &network);
    network.run(&mut a, &mut b, 100 * MS);
    let mut goodbye = |ssrc: u32| {
        let mut compound = Vec::new();
        rtcp::write_report(&mut compound, ssrc, None, &[]);
        rtcp::write_goodbye(&mut compound, ssrc);
        b.transport.send_rtcp(&compound, network.now).unwrap();
        b.drain();
        network.run(&mut a, &mut b, 100 * MS);
        a.has(|event| matches!(event, MediaEvent::ByeReceived))
    };
    assert!(!goodbye(0x3333));
    assert!(goodbye(RAW_SSRCS[0]));
}

/// Janus reads no other, and sends nothing again before it knows the round trip.
#[test]
fn what_comes_of_pictures_is_told_in_a_receivers_report_by_who_sends_as_well() {
    let mut network = Network::new(12);
    let (mut a, mut b) = raw(&mut network);
    send(&mut b, VIDEO, 96, "1", &[0x10, 0x10, 0, 0], &network);
    network.run(&mut a, &mut b, 10 * SECOND);
    let ours = stats(&mut a, &network).outbound.ssrc;
    let told = b.reports.iter().any(|compound| {
        let (mut sends, mut tells) = (false, false);
        for packet in rtcp::read(compound) {
            match packet {
                rtcp::Packet::Sender { ssrc, blocks, .. } => {
                    sends |= ssrc == ours && blocks.count() == 0;
                }
                rtcp::Packet::Receiver { mut blocks, .. } => {
                    tells |= blocks.any(|block| block.ssrc == 0x3333);
                }
                rtcp::Packet::Goodbye { .. }
                | rtcp::Packet::Feedback { .. }
                | rtcp::Packet::Other => {}
            }
        }
        sends && tells
    });
    assert!(told, "{:?}", b.reports);
}

#[test]
fn sound_and_pictures_are_reported_by_one_clock() {
    let mut network = Network::new(11);
    let (mut a, mut b) = raw(&mut network);
    let begin = network.now;
    network.run(&mut a, &mut b, 20 * SECOND);
    let ours = stats(&mut a, &network).outbound.ssrc;
    // Where each stream stood when it was reported on: our time, and its own.
    let mut reports = [None, None];
    for compound in &b.reports {
        for packet in rtcp::read(compound) {
            if let rtcp::Packet::Sender { ssrc, info, .. } = packet {
                reports[usize::from(ssrc == ours)] =
                    Some((info.ntp as f64 / 4_294_967_296.0, info.timestamp));
            }
        }
    }
    // And where it stood when a packet of it came, 10 ms after it was sent.
    let came = |pt: u8| {
        b.received
            .iter()
            .rev()
            .find(|packet| packet.pt == pt)
            .map(|packet| packet.timestamp)
    };
    let now = (network.now - begin).as_secs_f64();
    let at = |report: Option<(f64, u32)>, timestamp: Option<u32>, clock: f64| {
        let (ntp, of_report) = report.unwrap();
        let ticks = timestamp.unwrap().wrapping_sub(of_report) as i32;
        ntp + f64::from(ticks) / clock
    };
    let sound = at(reports[0], came(111), 48_000.0);
    let pictures = at(reports[1], came(96), 90_000.0);
    // The last of each were captured within 40 ms: a packet is 20 ms long, and a frame comes each 30 ms.
    assert!((sound - pictures).abs() < 0.06, "{sound} {pictures} {now}");
}
