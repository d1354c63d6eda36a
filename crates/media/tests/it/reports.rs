//! RTCP between sessions, and what it is good for.

use super::harness::*;
use media::codec::Codec;
use media::rtp::rtcp::{self, Packet};
use std::time::Duration;

const A: &str = "192.0.2.1:40001";
const B: &str = "192.0.2.2:40002";

#[test]
fn both_sides_learn_round_trip_and_loss_from_reports() {
    let mut network = Network::new(1);
    let (mut a, mut b) = (
        Phone::new(A, 500.0, &network),
        Phone::new(B, 1_100.0, &network),
    );
    connect(&mut network, &mut a, &mut b);
    network.delay = 60 * MS;
    network.loss = 0.05;
    network.run(&mut a, &mut b, Duration::from_secs(40));
    for phone in [&mut a, &mut b] {
        let stats = phone.session.stats(network.now);
        let about_us = stats.remote_inbound.expect("a report about us");
        let round_trip = about_us.round_trip_time.expect("a round trip");
        assert!((0.118..0.135).contains(&round_trip), "{round_trip}");
        assert!(about_us.packets_lost > 20, "{about_us:?}");
        let theirs = stats.remote_outbound.expect("a report of the peer's");
        assert!(
            theirs.reports_sent >= 4 && theirs.packets_sent > 1_000,
            "{theirs:?}"
        );
        assert!(
            stats
                .summary
                .rtt_ms
                .is_some_and(|ms| (118.0..135.0).contains(&ms))
        );
        assert!(stats.summary.mos > 1.0 && stats.summary.mos < 4.5);
    }
}

#[test]
fn reports_are_compounds_with_our_name_about_five_seconds_apart() {
    let mut network = Network::new(2);
    let mut a = Phone::with(A, 500.0, &network, |c| {
        c.codecs = vec![Codec::Pcmu];
        c.cname = Some("desk\r\na=evil".into());
    });
    let mut b = RawPeer::new(B, &[Codec::Pcmu], &network);
    connect_raw(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, Duration::from_secs(60));
    assert!((10..=22).contains(&b.reports.len()), "{}", b.reports.len());
    for report in &b.reports {
        let packets: Vec<Packet<'_>> = rtcp::read(report).collect();
        assert!(matches!(packets[0], Packet::Sender { .. }), "{packets:?}");
        let name = b"deska=evil";
        assert!(report.windows(name.len()).any(|w| w == name));
    }
}

#[test]
fn a_peer_without_rtcp_mux_gets_no_rtcp_and_its_sound_is_heard() {
    let mut network = Network::new(3);
    let mut a = Phone::with(A, 500.0, &network, |c| c.codecs = vec![Codec::Pcmu]);
    let mut b = RawPeer::new(B, &[Codec::Pcmu], &network);
    a.session.create_offer(network.now).unwrap();
    let offer = a.described().replace("a=rtcp-mux\r\n", "");
    let (answer, _) = b.answer(&offer, network.now);
    assert!(!answer.contains("rtcp-mux"));
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, Duration::from_secs(20));
    assert!(a.session.is_connected());
    assert!(b.reports.is_empty());
    assert!(b.received.len() > 900, "{}", b.received.len());
    a.session.close(network.now);
    a.drain();
    network.run(&mut a, &mut b, 100 * MS);
    assert!(b.reports.is_empty());
}
