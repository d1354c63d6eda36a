//! Pictures outside of BUNDLE, as gateways and media servers have them: a transport for each media line.

use super::harness::*;
use media::codec::Codec;
use media::rtp::{feedback, rtcp};
use media::sdp::Direction;
use media::sdp::negotiate::{Content, VideoWish};
use media::transport::{OutboundStream, RtpOut, State, StreamId};
use std::time::Duration;
use video::VideoCodec;

const A: &str = "192.0.2.1:40001";
const SOUND: &str = "192.0.2.2:40002";
const PICTURES: &str = "192.0.2.2:40004";
const SECOND: Duration = Duration::from_secs(1);
/// The stream of the gateway's pictures.
const FILMED: StreamId = StreamId(3);
const FILMED_SSRC: u32 = 0x3333;

fn camera() -> VideoWish {
    VideoWish {
        content: Content::Camera,
        direction: Direction::SendRecv,
        codecs: vec![VideoCodec::Vp8],
    }
}

/// A phone with a camera, and the two transports of a gateway.
struct Gateway {
    network: Network,
    phone: Phone,
    sound: RawPeer,
    pictures: RawPeer,
}

impl Gateway {
    fn new(seed: u64) -> Self {
        let network = Network::new(seed);
        let mut phone = Phone::new(A, 500.0, &network);
        phone.session.wish_video(vec![camera()]);
        phone.cameras.push(Camera::new(Content::Camera));
        let mut sound = RawPeer::new(SOUND, &[Codec::Opus], &network);
        sound.wish_video(vec![camera()]);
        let mut pictures = RawPeer::new(PICTURES, &[Codec::Opus], &network);
        pictures.transport.add_stream(OutboundStream {
            id: FILMED,
            ssrc: FILMED_SSRC,
        });
        Self {
            network,
            phone,
            sound,
            pictures,
        }
    }

    fn run(&mut self, time: Duration) {
        let all: &mut [&mut dyn Endpoint] =
            &mut [&mut self.phone, &mut self.sound, &mut self.pictures];
        self.network.run_all(all, time);
    }

    fn is_connected(&self) -> bool {
        let state = self.pictures.transport.state();
        self.phone.session.is_connected() && state == State::Connected
    }

    fn called(&mut self) {
        self.phone.session.create_offer(self.network.now).unwrap();
        self.take_offer();
    }

    /// The gateway answers the phone's open offer.
    fn take_offer(&mut self) {
        let now = self.network.now;
        let offer = self.phone.described();
        let answer = self.sound.answer_apart(&mut self.pictures, &offer, now);
        let session = &mut self.phone.session;
        session.set_answer(&answer, false, now).unwrap();
        self.phone.drain();
    }

    /// The same, once the lines are apart for both.
    fn take_later_offer(&mut self) {
        let now = self.network.now;
        let offer = self.phone.described();
        assert!(!offer.contains("a=group"), "{offer}");
        let answer = self.sound.answer_later(&mut self.pictures, &offer, now);
        let session = &mut self.phone.session;
        session.set_answer(&answer, false, now).unwrap();
        self.phone.drain();
    }

    fn calls(&mut self) -> String {
        let now = self.network.now;
        let offer = self.sound.offer_apart(&mut self.pictures);
        self.phone.session.create_answer(&offer, now).unwrap();
        let answer = self.phone.described();
        self.sound.accept_apart(&mut self.pictures, &answer, now);
        answer
    }

    /// A picture of the gateway's: VP8 in form, with this number as `Camera` writes it.
    fn film(&mut self, number: u32) {
        let mut payload = vec![0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00];
        payload.extend_from_slice(&number.to_be_bytes());
        payload.extend_from_slice(&[0; 200]);
        let packet = RtpOut {
            pt: 96,
            timestamp: number * 3_000,
            marker: true,
            extensions: &[],
            payload: &payload,
        };
        let now = self.network.now;
        let transport = &mut self.pictures.transport;
        transport.send_rtp(FILMED, packet, now).unwrap();
        self.pictures.drain();
    }

    fn assert_flows(&mut self) {
        self.run(SECOND);
        let before = self.pictures.received.len();
        let seen = self.phone.seen.len();
        for number in 0..30 {
            self.film(number + 30 * seen as u32);
            self.run(33 * MS);
        }
        self.run(SECOND);
        assert!(self.pictures.received.len() > before + 30);
        assert!(self.sound.received.iter().all(|packet| packet.pt != 96));
        assert_eq!(self.phone.seen.len(), seen + 30);
    }
}

#[test]
fn a_gateway_without_bundle_is_shown_pictures_on_a_transport_of_their_own_and_shows_its() {
    let mut gateway = Gateway::new(1);
    gateway.called();
    gateway.run(2 * SECOND);
    assert!(gateway.is_connected(), "{:?}", gateway.phone.states());
    gateway.assert_flows();
    // What it asks for over that transport is heard.
    let ours = gateway.pictures.received[0].ssrc;
    let keys = gateway.phone.cameras[0].key_frames;
    let mut compound = Vec::new();
    rtcp::write_report(&mut compound, FILMED_SSRC, None, &[]);
    feedback::write_picture_loss(&mut compound, FILMED_SSRC, ours);
    let now = gateway.network.now;
    gateway
        .pictures
        .transport
        .send_rtcp(&compound, now)
        .unwrap();
    gateway.pictures.drain();
    gateway.run(SECOND);
    assert!(gateway.phone.cameras[0].key_frames > keys);
    // And it is told of its pictures there: a report, and what it may send.
    assert!(!gateway.pictures.reports.is_empty());
}

#[test]
fn a_gateway_without_bundle_that_calls_is_answered_line_by_line() {
    let mut gateway = Gateway::new(2);
    let answer = gateway.calls();
    assert!(!answer.contains("a=group"), "{answer}");
    let fragments: Vec<&str> = (answer.lines())
        .filter_map(|line| line.strip_prefix("a=ice-ufrag:"))
        .collect();
    assert_eq!(fragments.len(), 2);
    assert_ne!(fragments[0], fragments[1]);
    gateway.run(2 * SECOND);
    assert!(gateway.is_connected(), "{:?}", gateway.phone.states());
    gateway.assert_flows();
}

#[test]
fn later_offers_keep_the_lines_apart_and_a_restart_is_one_of_both() {
    let mut gateway = Gateway::new(3);
    gateway.calls();
    gateway.run(2 * SECOND);
    gateway.assert_flows();
    for restart in [false, true] {
        let now = gateway.network.now;
        let session = &mut gateway.phone.session;
        session.reoffer(restart, Direction::SendRecv, now).unwrap();
        gateway.phone.described();
        let session = &mut gateway.phone.session;
        session.rollback(now);
        session.reoffer(restart, Direction::SendRecv, now).unwrap();
        gateway.take_later_offer();
        gateway.run(2 * SECOND);
        assert!(gateway.is_connected(), "{restart}");
        gateway.assert_flows();
    }
}

#[test]
fn a_line_follows_its_peer_to_the_address_that_a_nat_gives_it() {
    let mut gateway = Gateway::new(6);
    gateway.called();
    gateway.run(2 * SECOND);
    gateway.assert_flows();
    let own = gateway.pictures.address();
    gateway.network.seen_as = Some((own, "192.0.2.9:50004".parse().unwrap()));
    let before = gateway.pictures.received.len();
    for number in 1_000..1_060 {
        gateway.film(number);
        gateway.run(33 * MS);
    }
    let shown = gateway.pictures.received.len() - before;
    assert!(shown > 10, "{shown} packets found the way in two seconds");
    gateway.assert_flows();
    assert!(gateway.phone.session.is_connected());
}

#[test]
fn a_line_that_fails_leaves_the_sound_alone_and_comes_back_with_a_restart() {
    let mut gateway = Gateway::new(7);
    gateway.calls();
    gateway.run(2 * SECOND);
    gateway.assert_flows();
    let own = gateway.pictures.address();
    gateway.network.cut_off = Some(own);
    let states = gateway.phone.states().len();
    let heard = gateway.sound.received.len();
    gateway.run(60 * SECOND);
    assert_eq!(
        gateway.phone.states().len(),
        states,
        "the call is as it was"
    );
    assert!(gateway.sound.received.len() > heard + 2_900);
    assert_ne!(gateway.pictures.transport.state(), State::Connected);
    gateway.network.cut_off = None;
    let now = gateway.network.now;
    let session = &mut gateway.phone.session;
    session.reoffer(true, Direction::SendRecv, now).unwrap();
    gateway.take_later_offer();
    gateway.run(2 * SECOND);
    assert!(gateway.is_connected(), "{:?}", gateway.phone.states());
    gateway.assert_flows();
}

#[test]
fn a_line_that_is_stopped_lets_its_transport_go_and_begins_anew() {
    let mut gateway = Gateway::new(5);
    gateway.calls();
    gateway.run(2 * SECOND);
    gateway.assert_flows();
    gateway.phone.session.wish_video(Vec::new());
    let now = gateway.network.now;
    let session = &mut gateway.phone.session;
    session.reoffer(false, Direction::SendRecv, now).unwrap();
    gateway.take_later_offer();
    gateway.run(SECOND);
    assert!(gateway.phone.lines().is_empty());
    assert_eq!(gateway.pictures.transport.state(), State::Closed);
    assert!(gateway.phone.session.is_connected());
}
