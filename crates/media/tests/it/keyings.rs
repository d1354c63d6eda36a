//! Sound that is protected in each way, or not at all, with ICE and without.

use super::harness::*;
use media::codec::Codec;
use media::sdp::{Description, Direction};
use media::session::{ConnectionState, MediaEvent, MediaRefusal};
use media::transport::{Keying, PathId};
use std::net::SocketAddr;
use std::time::Duration;

const A: &str = "192.0.2.1:40001";
const B: &str = "192.0.2.2:40002";
const SECOND: Duration = Duration::from_secs(1);

fn phone(address: &str, tone: f64, network: &Network, media: &[Keying]) -> Phone {
    Phone::with(address, tone, network, |c| {
        c.media = media.to_vec();
        c.codecs = vec![Codec::Pcmu, Codec::Opus];
    })
}

/// What is left of a description for, or of, a peer without ICE.
fn without_ice(sdp: &str) -> String {
    let ice = ["a=ice-", "a=candidate", "a=end-of-candidates", "a=rtcp-mux"];
    sdp.split_inclusive("\r\n")
        .filter(|line| !ice.iter().any(|name| line.starts_with(name)))
        .collect()
}

fn exchange(network: &Network, a: &mut Phone, b: &mut Phone, change: impl Fn(&str) -> String) {
    let offer = change(&a.described());
    b.session.create_answer(&offer, network.now).unwrap();
    let answer = change(&b.described());
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
}

fn call(network: &mut Network, a: &mut Phone, b: &mut Phone, change: impl Fn(&str) -> String) {
    a.session.create_offer(network.now).unwrap();
    exchange(network, a, b, change);
    network.run(a, b, 2 * SECOND);
}

fn secured(phone: &Phone) -> Vec<(Keying, Option<&'static str>)> {
    let secured = phone.events.iter().filter_map(|event| {
        if let MediaEvent::Secured(security) = event {
            Some((security.keying, security.cipher))
        } else {
            None
        }
    });
    secured.collect()
}

fn talk(network: &mut Network, a: &mut Phone, b: &mut Phone) {
    a.heard.clear();
    b.heard.clear();
    network.run(a, b, 2 * SECOND);
    assert!(hears(a, 1_100.0) > 0.8, "{}", hears(a, 1_100.0));
    assert!(hears(b, 500.0) > 0.8, "{}", hears(b, 500.0));
}

#[test]
fn each_keying_carries_sound_and_reports_with_ice_and_without() {
    for keying in [Keying::Dtls, Keying::Sdes, Keying::Plain] {
        for ice in [true, false] {
            let mut network = Network::new(1);
            // Who takes nothing but DTLS takes no peer without ICE.
            let media = [keying, Keying::Plain];
            let mut a = phone(A, 500.0, &network, &media);
            let mut b = phone(B, 1_100.0, &network, &media);
            let change = |sdp: &str| {
                if ice {
                    sdp.to_owned()
                } else {
                    without_ice(sdp)
                }
            };
            call(&mut network, &mut a, &mut b, change);
            talk(&mut network, &mut a, &mut b);
            for phone in [&a, &b] {
                let cipher = (keying != Keying::Plain).then_some(match keying {
                    Keying::Dtls => "SRTP_AEAD_AES_128_GCM",
                    Keying::Sdes | Keying::Plain => "SRTP_AEAD_AES_256_GCM",
                });
                assert_eq!(secured(phone), [(keying, cipher)], "{keying:?} {ice}");
            }
            network.run(&mut a, &mut b, 6 * SECOND);
            let stats = a.session.stats(network.now);
            assert!(
                stats.remote_inbound.is_some(),
                "{keying:?} {ice}: no report"
            );
            // Hold and resume.
            a.session
                .reoffer(false, Direction::SendOnly, network.now)
                .unwrap();
            exchange(&network, &mut a, &mut b, change);
            network.run(&mut a, &mut b, SECOND);
            a.session
                .reoffer(false, Direction::SendRecv, network.now)
                .unwrap();
            exchange(&network, &mut a, &mut b, change);
            talk(&mut network, &mut a, &mut b);
            assert_eq!(secured(&a).len(), 1);
        }
    }
}

/// Hears what goes over the network, beside whom it is for.
fn in_the_clear(bytes: &[u8]) -> bool {
    // µ-law of silence.
    bytes.len() > 100 && bytes[12..].iter().all(|octet| *octet == 0xff)
}

#[test]
fn what_is_protected_can_not_be_read_on_the_way_and_what_is_not_can() {
    for (keying, readable) in [(Keying::Sdes, false), (Keying::Plain, true)] {
        let mut network = Network::new(2);
        let mut a = phone(A, 0.0, &network, &[keying]);
        let mut b = phone(B, 0.0, &network, &[keying]);
        call(&mut network, &mut a, &mut b, without_ice);
        let mut seen = 0;
        for _ in 0..50 {
            a.tick(network.now);
            seen += a
                .take_sent()
                .iter()
                .filter(|(_, bytes)| in_the_clear(bytes))
                .count();
            network.now += 10 * MS;
        }
        assert_eq!(seen > 0, readable, "{keying:?}");
    }
}

fn rtp(ssrc: u32, seq: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 0];
    packet.extend_from_slice(&seq.to_be_bytes());
    packet.extend_from_slice(&(u32::from(seq) * 160).to_be_bytes());
    packet.extend_from_slice(&ssrc.to_be_bytes());
    packet.resize(172, 0xff);
    packet
}

/// Where our sound goes now.
fn destination(phone: &mut Phone, network: &mut Network) -> Option<SocketAddr> {
    phone.take_sent();
    for _ in 0..4 {
        network.now += 10 * MS;
        phone.tick(network.now);
    }
    let sent = phone.take_sent();
    sent.iter()
        .rev()
        .find(|(_, bytes)| bytes.len() == 172 || bytes.len() > 180)
        .map(|(to, _)| *to)
}

fn give(session: &mut Phone, from: &str, packet: &[u8], network: &Network) {
    let from = from.parse().unwrap();
    session
        .session
        .handle_datagram(PathId(0), from, packet, network.now);
    session.drain();
}

fn plain(network: &mut Network) -> Phone {
    let mut a = phone(A, 500.0, network, &[Keying::Plain]);
    let offer = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 30000 RTP/AVP 0\r\n";
    a.session.create_answer(offer, network.now).unwrap();
    a.described();
    assert_eq!(a.states(), [ConnectionState::Connected]);
    a
}

#[test]
fn without_keys_the_real_source_is_taken_once_and_strangers_move_nothing() {
    let mut network = Network::new(3);
    let mut a = plain(&mut network);
    let named: SocketAddr = "192.0.2.9:30000".parse().unwrap();
    assert_eq!(destination(&mut a, &mut network), Some(named));
    // A packet alone, and many of many sources, are no peer.
    for port in 1..2_000_u16 {
        give(
            &mut a,
            &format!("203.0.113.1:{port}"),
            &rtp(u32::from(port), 7),
            &network,
        );
    }
    give(&mut a, "203.0.113.2:2", b"\x80", &network);
    assert_eq!(destination(&mut a, &mut network), Some(named));
    // Behind a NAT the peer is somewhere else.
    for seq in 1..4 {
        give(&mut a, "203.0.113.7:7000", &rtp(7, seq), &network);
    }
    let real: SocketAddr = "203.0.113.7:7000".parse().unwrap();
    assert_eq!(destination(&mut a, &mut network), Some(real));
    let received = a.session.stats(network.now).inbound.packets_received;
    for seq in 1..50 {
        give(&mut a, "203.0.113.8:8000", &rtp(8, seq), &network);
        give(&mut a, "203.0.113.8:8000", &rtp(7, seq), &network);
        // Another source at the same address, while the peer's sends.
        give(&mut a, "203.0.113.7:7000", &rtp(9, seq), &network);
        give(&mut a, "203.0.113.7:7000", &rtp(7, seq + 4), &network);
    }
    assert_eq!(destination(&mut a, &mut network), Some(real));
    let after = a.session.stats(network.now).inbound.packets_received;
    assert_eq!(after - received, 49);
    // Whoever sends from where the description said was the peer all the time.
    for seq in 1..4 {
        give(&mut a, "192.0.2.9:30000", &rtp(5, seq), &network);
    }
    assert_eq!(destination(&mut a, &mut network), Some(named));
    for seq in 50..60 {
        give(&mut a, "203.0.113.7:7000", &rtp(7, seq), &network);
    }
    assert_eq!(destination(&mut a, &mut network), Some(named));
}

/// There may be services that take whatever comes from their own machine.
#[test]
fn nobody_elsewhere_has_sound_sent_to_this_machine() {
    let network = Network::new(8);
    for address in ["127.0.0.1", "127.1.2.3"] {
        let mut a = phone(A, 500.0, &network, &[Keying::Plain]);
        let offer = format!("v=0\r\nc=IN IP4 {address}\r\nm=audio 30000 RTP/AVP 0\r\n");
        a.session.create_answer(&offer, network.now).unwrap();
        a.drain();
        assert!(a.has(|event| matches!(event, MediaEvent::Refused { .. })));
    }
    let offer =
        "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 30000 RTP/AVP 0\r\na=rtcp:9 IN IP4 127.0.0.1\r\n";
    let named = Description::parse(offer).unwrap().destination(0).unwrap();
    assert_eq!(
        (named.rtp.is_some(), named.rtcp),
        (true, None),
        "nor reports"
    );
}

#[test]
fn a_peer_that_changes_its_source_at_its_address_is_heard_again() {
    let mut network = Network::new(4);
    let mut a = plain(&mut network);
    give(&mut a, "192.0.2.9:30000", &rtp(1, 1), &network);
    network.now += 300 * MS;
    for seq in 1..11 {
        give(&mut a, "192.0.2.9:30000", &rtp(2, seq), &network);
    }
    assert_eq!(a.session.stats(network.now).inbound.packets_received, 11);
}

#[test]
fn with_keys_the_real_source_is_who_has_them() {
    let mut network = Network::new(5);
    let mut a = phone(A, 500.0, &network, &[Keying::Sdes]);
    // B's socket has another address than the network shows.
    let mut b = phone(B, 1_100.0, &network, &[Keying::Sdes]);
    b.is_seen_at("203.0.113.7:7000");
    a.session.create_offer(network.now).unwrap();
    exchange(&network, &mut a, &mut b, without_ice);
    for port in 1..200_u16 {
        give(
            &mut a,
            &format!("203.0.113.1:{port}"),
            &rtp(u32::from(port), 7),
            &network,
        );
    }
    network.run(&mut a, &mut b, SECOND);
    talk(&mut network, &mut a, &mut b);
    let real: SocketAddr = "203.0.113.7:7000".parse().unwrap();
    for seq in 1..50 {
        give(&mut a, "203.0.113.8:8000", &rtp(8, seq), &network);
        give(&mut a, "192.0.2.2:40002", &rtp(8, seq), &network);
    }
    assert_eq!(destination(&mut a, &mut network), Some(real));
}

#[test]
fn a_re_invite_moves_the_call_and_one_without_an_address_holds_it() {
    let mut network = Network::new(6);
    let mut a = plain(&mut network);
    for seq in 1..4 {
        give(&mut a, "203.0.113.7:7000", &rtp(7, seq), &network);
    }
    let offer = |a: &mut Phone, network: &mut Network, address: &str, port: u16| {
        let offer = format!("v=0\r\nc=IN IP4 {address}\r\nm=audio {port} RTP/AVP 0\r\n");
        a.session.answer_reoffer(&offer, network.now).unwrap();
        a.described();
        destination(a, network)
    };
    let to = |address: &str| Some(address.parse().unwrap());
    // The same address again is no other place, and neither is a hold.
    assert_eq!(
        offer(&mut a, &mut network, "192.0.2.9", 30_000),
        to("203.0.113.7:7000")
    );
    assert_eq!(offer(&mut a, &mut network, "0.0.0.0", 30_000), None);
    assert!(a.has(|e| matches!(
        e,
        MediaEvent::Direction {
            remote_hold: true,
            ..
        }
    )));
    assert_eq!(
        offer(&mut a, &mut network, "192.0.2.9", 30_000),
        to("203.0.113.7:7000")
    );
    assert_eq!(
        offer(&mut a, &mut network, "192.0.2.10", 31_000),
        to("192.0.2.10:31000")
    );
    for seq in 1..4 {
        give(&mut a, "203.0.113.7:7000", &rtp(7, seq), &network);
    }
    // It is somebody else now, who may be behind a NAT as well.
    assert_eq!(destination(&mut a, &mut network), to("203.0.113.7:7000"));
}

#[test]
fn once_dtls_was_agreed_nothing_goes_in_clear_though_the_handshake_is_kept_away() {
    let mut network = Network::new(9);
    let media = [Keying::Dtls, Keying::Plain];
    let mut a = phone(A, 0.0, &network, &media);
    let plain = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 30000 RTP/AVP 0\r\n";
    a.session.create_answer(plain, network.now).unwrap();
    a.described();
    assert!(destination(&mut a, &mut network).is_some());
    let mut b = phone(B, 0.0, &network, &media);
    b.session.create_offer(network.now).unwrap();
    let upgrade = without_ice(&b.described());
    a.session.answer_reoffer(&upgrade, network.now).unwrap();
    a.described();
    a.take_sent();
    for seq in 1..100 {
        network.now += 10 * MS;
        a.tick(network.now);
        a.timeout(network.now);
        give(&mut a, B, &rtp(7, seq), &network);
    }
    let sent = a.take_sent();
    assert!(!sent.is_empty(), "the handshake begins");
    let is_media = |(_, bytes): &(SocketAddr, Vec<u8>)| (128..=191).contains(&bytes[0]);
    assert!(!sent.iter().any(is_media));
    assert_eq!(a.session.stats(network.now).inbound.packets_received, 0);
}

#[test]
fn without_keys_a_report_is_its_peers_by_where_it_comes_from_or_by_its_source() {
    let mut network = Network::new(10);
    let mut a = plain(&mut network);
    for seq in 1..4 {
        give(&mut a, "192.0.2.9:30000", &rtp(7, seq), &network);
    }
    let goodbye = |ssrc: u32| [&[0x81, 203, 0, 1][..], &ssrc.to_be_bytes()].concat();
    let left = |phone: &Phone| phone.has(|e| matches!(e, MediaEvent::ByeReceived));
    // Another call's, through the same gateway.
    give(&mut a, "192.0.2.9:30003", &goodbye(9), &network);
    assert!(!left(&a));
    give(&mut a, "192.0.2.9:30001", &goodbye(7), &network);
    assert!(left(&a));
    let mut a = plain(&mut network);
    give(&mut a, "192.0.2.9:30000", &rtp(7, 1), &network);
    give(&mut a, "192.0.2.9:40001", &goodbye(7), &network);
    assert!(left(&a), "by its source, from another port");
}

#[test]
fn a_peer_that_leaves_ice_and_comes_back_is_heard() {
    let mut network = Network::new(11);
    let media = [Keying::Sdes];
    let mut a = phone(A, 500.0, &network, &media);
    let mut b = phone(B, 1_100.0, &network, &media);
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    b.session.create_answer(&offer, network.now).unwrap();
    let answer = b.described();
    // One fork answers without ICE, and then the first after all.
    a.session.set_answer(&answer, true, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, SECOND);
    let other = without_ice(&answer).replace("192.0.2.2", "192.0.2.77");
    a.session.set_answer(&other, true, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, SECOND);
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, 2 * SECOND);
    talk(&mut network, &mut a, &mut b);
}

#[test]
fn the_default_is_dtls_and_nothing_else() {
    let network = Network::new(7);
    let refused = |media: &[Keying], offer: &str| {
        let mut a = phone(A, 500.0, &network, media);
        a.session.create_answer(offer, network.now).unwrap();
        a.drain();
        a.events.iter().find_map(|event| {
            if let MediaEvent::Refused { reason } = event {
                Some(reason.clone())
            } else {
                None
            }
        })
    };
    let plain = "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 30000 RTP/AVP 0\r\n";
    assert_eq!(
        refused(&[Keying::Dtls], plain),
        Some(MediaRefusal::PlainRtp)
    );
    assert_eq!(
        refused(&[Keying::Dtls, Keying::Sdes], plain),
        Some(MediaRefusal::PlainRtp)
    );
    assert_eq!(refused(&[Keying::Plain], plain), None);
}

#[test]
fn every_packet_time_and_comfort_noise_of_gateways_is_understood() {
    for ptime in [10_u8, 20, 30, 40, 50, 60] {
        let mut network = Network::new(8);
        let mut a = phone(A, 500.0, &network, &[Keying::Plain]);
        let offer = format!(
            "v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 30000 RTP/AVP 0 13\r\na=ptime:{ptime}\r\na=maxptime:{ptime}\r\n"
        );
        a.session.create_answer(&offer, network.now).unwrap();
        a.described();
        a.take_sent();
        for _ in 0..60 {
            network.now += 10 * MS;
            a.tick(network.now);
        }
        let sent = a.take_sent();
        let sizes = sent.iter().map(|(_, bytes)| bytes.len());
        let expected = 12 + usize::from(ptime) * 8;
        let sound = sizes.filter(|size| *size == expected).count();
        assert!(sound * usize::from(ptime) >= 500, "{ptime}: {sound}");
        let noise = [&[0x80, 13, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7][..], &[60]].concat();
        give(&mut a, "192.0.2.9:30000", &noise, &network);
        assert_eq!(a.session.stats(network.now).inbound.packets_received, 1);
    }
}
