//! Calls with pictures.

use super::harness::*;
use media::sdp::Direction;
use media::sdp::negotiate::{Content, VideoLine, VideoWish};
use media::session::{MediaEvent, VideoEvent, VideoStats};
use std::time::Duration;
use video::VideoCodec;

const A: &str = "192.0.2.1:40001";
pub(super) const B: &str = "192.0.2.2:40002";
pub(super) const SECOND: Duration = Duration::from_secs(1);

fn wish(content: Content, direction: Direction) -> VideoWish {
    VideoWish {
        content,
        direction,
        codecs: VideoCodec::ALL.to_vec(),
    }
}

pub(super) fn camera() -> VideoWish {
    wish(Content::Camera, Direction::SendRecv)
}

/// Two phones with cameras.
pub(super) fn pair(network: &Network) -> [Phone; 2] {
    let phone = |address: &str, tone: f64| {
        let mut phone = Phone::new(address, tone, network);
        phone.session.wish_video(vec![camera()]);
        phone.cameras.push(Camera::new(Content::Camera));
        phone
    };
    [phone(A, 500.0), phone(B, 1_100.0)]
}

/// One offers again, and the other answers.
fn renegotiate(network: &Network, from: &mut Phone, to: &mut Phone, direction: Direction) {
    from.session.reoffer(false, direction, network.now).unwrap();
    let offer = from.described();
    to.session.answer_reoffer(&offer, network.now).unwrap();
    let answer = to.described();
    from.session
        .set_answer(&answer, false, network.now)
        .unwrap();
    from.drain();
}

fn numbers(phone: &Phone, line: u32) -> Vec<u32> {
    let of_line = phone.seen.iter().filter(|(seen, ..)| seen.0 == line);
    of_line.map(|(_, number, _)| *number).collect()
}

pub(super) fn stats(phone: &mut Phone, network: &Network) -> VideoStats {
    phone.session.stats(network.now).video.remove(0)
}

fn assert_in_order(numbers: &[u32]) {
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}

#[test]
fn what_each_side_films_is_seen_by_the_other_frame_by_frame() {
    let mut network = Network::new(1);
    let [mut a, mut b] = pair(&network);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, 10 * SECOND);
    for phone in [&a, &b] {
        let seen = numbers(phone, 1);
        assert!(seen.len() > 300, "{}", seen.len());
        assert!(
            seen.windows(2).all(|pair| pair[0] + 1 == pair[1]),
            "{seen:?}"
        );
        let line = &phone.lines()[0];
        assert_eq!((line.line, line.content), (VideoLine(1), Content::Camera));
        assert_eq!(
            (line.direction, line.send),
            (Direction::SendRecv, Some(VideoCodec::Vp8))
        );
        assert!(line.stream_id.is_some() && line.track_id.is_some());
    }
    let stats = stats(&mut a, &network);
    // The last ones wait for their sound.
    let waiting = stats.inbound.frames_received - numbers(&a, 1).len() as u64;
    assert!(waiting <= 4, "{waiting}");
    assert_eq!(
        (stats.inbound.nack_count, stats.inbound.freeze_count),
        (0, 0)
    );
    assert_eq!(stats.inbound.size, Some(video::Size::new(640, 360)));
    assert_eq!(
        stats.outbound.frames_sent,
        u64::from(a.cameras[0].number - first(&b)) + 1
    );
    let remote = stats.remote_inbound.unwrap();
    assert_eq!(remote.packets_lost, 0);
    let round_trip = remote.round_trip_time.unwrap();
    assert!((0.015..0.03).contains(&round_trip), "{round_trip}");
    assert!(hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8);
}

/// The first number that a phone has seen.
fn first(phone: &Phone) -> u32 {
    phone.seen[0].1
}

#[test]
fn lost_packets_are_sent_again_and_sound_does_not_notice() {
    let mut network = Network::new(2);
    let [mut a, mut b] = pair(&network);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, 2 * SECOND);
    network.loss = 0.05;
    let before = numbers(&b, 1).len();
    network.run(&mut a, &mut b, 20 * SECOND);
    let seen = numbers(&b, 1);
    assert_in_order(&seen);
    let share = (seen.len() - before) as f64 / (20.0 * 100.0 / 3.0);
    assert!(share > 0.97, "{share}");
    let sent = stats(&mut a, &network);
    assert!(sent.outbound.retransmitted_packets_sent > 20, "{sent:?}");
    assert!(sent.outbound.nack_count > 0);
    let got = stats(&mut b, &network);
    assert!(got.inbound.retransmitted_packets_received > 20, "{got:?}");
    assert!(hears(&b, 500.0) > 0.7);
}

#[test]
fn sound_is_the_same_with_and_without_pictures() {
    let played = |with_pictures: bool| {
        let mut network = Network::new(3);
        let [mut a, mut b] = pair(&network);
        if !with_pictures {
            for phone in [&mut a, &mut b] {
                phone.session.wish_video(Vec::new());
            }
        }
        connect(&mut network, &mut a, &mut b);
        network.run(&mut a, &mut b, 10 * SECOND);
        let stats = b.session.stats(network.now);
        let sound = stats.inbound;
        (
            sound.packets_lost,
            sound.packets_discarded,
            sound.ssrc_changes,
            sound.concealed_samples,
        )
    };
    assert_eq!(played(true), played(false));
}

#[test]
fn lines_come_go_and_come_again() {
    let mut network = Network::new(4);
    let mut a = Phone::new(A, 500.0, &network);
    let mut b = Phone::new(B, 1_100.0, &network);
    connect(&mut network, &mut a, &mut b);
    b.session.wish_video(vec![
        wish(Content::Camera, Direction::RecvOnly),
        wish(Content::Screen, Direction::RecvOnly),
    ]);
    for content in [Content::Camera, Content::Screen] {
        let mut camera = Camera::new(content);
        // Together they have 300 kbit/s at first.
        camera.size = 400;
        a.cameras.push(camera);
    }
    let screen = wish(Content::Screen, Direction::SendOnly);
    let mut seen = [0, 0];
    for round in 0..3 {
        assert!(
            a.session.wish_video(vec![camera(), screen.clone()]),
            "{round}"
        );
        renegotiate(&network, &mut a, &mut b, Direction::SendRecv);
        assert_eq!(b.lines().len(), 2);
        assert_eq!(b.lines()[1].content, Content::Screen);
        network.run(&mut a, &mut b, SECOND);
        for (line, before) in (1..).zip(&mut seen) {
            let now = numbers(&b, line).len();
            assert!(now > *before + 25, "{round} {line}: {now} after {before}");
            *before = now;
        }
        assert!(a.session.wish_video(Vec::new()));
        renegotiate(&network, &mut a, &mut b, Direction::SendRecv);
        assert!(a.lines().is_empty() && b.lines().is_empty());
        network.run(&mut a, &mut b, SECOND);
        seen = [1, 2].map(|line| numbers(&b, line).len());
    }
    assert!(hears(&b, 500.0) > 0.8);
}

#[test]
fn a_hold_stops_the_pictures_of_both_and_they_go_on_after_it() {
    let mut network = Network::new(5);
    let [mut a, mut b] = pair(&network);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, SECOND);
    renegotiate(&network, &mut a, &mut b, Direction::SendOnly);
    network.run(&mut a, &mut b, SECOND / 10);
    let before = [&a, &b].map(|phone| phone.seen.len());
    network.run(&mut a, &mut b, SECOND);
    assert_eq!([&a, &b].map(|phone| phone.seen.len()), before);
    assert_eq!(a.lines()[0].direction, Direction::Inactive);
    renegotiate(&network, &mut a, &mut b, Direction::SendRecv);
    network.run(&mut a, &mut b, SECOND);
    for (phone, before) in [&a, &b].into_iter().zip(before) {
        assert!(
            phone.seen.len() > before + 25,
            "{}",
            phone.seen.len() - before
        );
    }
    assert_eq!(stats(&mut a, &network).inbound.freeze_count, 0);
}

#[test]
fn nothing_is_shown_from_the_moment_of_a_hold_whatever_the_peer_says() {
    let mut network = Network::new(16);
    let [mut a, mut b] = pair(&network);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, SECOND);
    for hold in [Direction::SendOnly, Direction::Inactive] {
        a.session.reoffer(false, hold, network.now).unwrap();
        a.drain();
        network.run(&mut a, &mut b, SECOND / 5);
        let before = b.seen.len();
        network.run(&mut a, &mut b, SECOND);
        assert_eq!(b.seen.len(), before, "nobody has answered");
        // It is refused: all goes on.
        a.session.rollback(network.now);
        a.drain();
        network.run(&mut a, &mut b, SECOND);
        assert!(b.seen.len() > before + 25);
    }
}

#[test]
fn a_muted_camera_shows_nothing_and_begins_with_a_key_frame() {
    let mut network = Network::new(6);
    let [mut a, mut b] = pair(&network);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, SECOND);
    a.session.mute_video(Content::Camera, true, network.now);
    network.run(&mut a, &mut b, SECOND / 10);
    let (before, keys) = (b.seen.len(), a.cameras[0].key_frames);
    network.run(&mut a, &mut b, SECOND);
    assert_eq!(b.seen.len(), before);
    assert_eq!(
        b.lines()[0].direction,
        Direction::SendRecv,
        "the line stays"
    );
    a.session.mute_video(Content::Camera, false, network.now);
    a.drain();
    network.run(&mut a, &mut b, SECOND);
    assert!(b.seen.len() > before + 25);
    assert_eq!(a.cameras[0].key_frames, keys + 1);
}

#[test]
fn whoever_looks_may_ask_for_a_key_frame_but_not_without_end() {
    let mut network = Network::new(7);
    let [mut a, mut b] = pair(&network);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, SECOND);
    let before = a.cameras[0].key_frames;
    for _ in 0..500 {
        b.session.request_key_frame(VideoLine(1), network.now);
        b.drain();
        network.run(&mut a, &mut b, 10 * MS);
    }
    let made = a.cameras[0].key_frames - before;
    assert!((8..=11).contains(&made), "{made}");
    assert!(stats(&mut b, &network).inbound.pli_count < 15);
    // A line that there is not is no fault.
    b.session.request_key_frame(VideoLine(7), network.now);
}

#[test]
fn what_is_replaced_or_stopped_is_not_sent_any_more_nor_sent_again() {
    for goes_on in [true, false] {
        let mut network = Network::new(19);
        let [mut a, mut b] = pair(&network);
        connect(&mut network, &mut a, &mut b);
        network.run(&mut a, &mut b, SECOND);
        // What is on its way when it stops is lost, and asked for; and much waits.
        network.loss = 0.3;
        a.cameras[0].size = 4_000;
        network.run(&mut a, &mut b, SECOND);
        let last = a.cameras[0].number;
        let keys = a.cameras[0].key_frames;
        let before = stats(&mut a, &network).outbound;
        a.session.begin_anew(Content::Camera);
        let camera = a.cameras.remove(0);
        network.loss = 0.0;
        network.run(&mut a, &mut b, SECOND);
        let after = stats(&mut a, &network).outbound;
        assert!(after.nack_count > before.nack_count, "it was asked for");
        assert_eq!(after.packets_sent, before.packets_sent);
        let again = |stats: &media::session::VideoOutbound| stats.retransmitted_packets_sent;
        assert_eq!(again(&after), again(&before));
        if goes_on {
            b.seen.clear();
            a.cameras.push(camera);
            network.run(&mut a, &mut b, SECOND);
            assert!(
                a.cameras[0].key_frames > keys,
                "what comes next begins anew"
            );
            let seen = numbers(&b, 1);
            assert!(!seen.is_empty() && seen[0] > last, "{seen:?}");
        }
    }
}

#[test]
fn lines_are_told_behind_the_direction_and_before_the_description() {
    let mut network = Network::new(12);
    let [mut a, mut b] = pair(&network);
    connect(&mut network, &mut a, &mut b);
    b.events.clear();
    a.events.clear();
    a.session
        .reoffer(false, Direction::Inactive, network.now)
        .unwrap();
    let offer = a.described();
    b.session.answer_reoffer(&offer, network.now).unwrap();
    b.drain();
    let order = |phone: &Phone| -> Vec<&'static str> {
        let name = |event: &MediaEvent| {
            if matches!(event, MediaEvent::Direction { .. }) {
                Some("direction")
            } else if matches!(event, MediaEvent::Video(VideoEvent::Lines(_))) {
                Some("lines")
            } else if matches!(
                event,
                MediaEvent::Described { .. } | MediaEvent::AnswerApplied
            ) {
                Some("description")
            } else {
                None
            }
        };
        phone.events.iter().filter_map(name).collect()
    };
    assert_eq!(order(&b), ["direction", "lines", "description"]);
    let answer = b.described();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    assert_eq!(order(&a), ["direction", "lines", "description"]);
}

#[test]
fn an_offer_that_is_taken_back_changes_no_line() {
    let mut network = Network::new(13);
    let [mut a, mut b] = pair(&network);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, SECOND);
    let lines = a.lines();
    assert!(a.session.wish_video(Vec::new()));
    a.session
        .reoffer(false, Direction::SendRecv, network.now)
        .unwrap();
    assert!(a.described().contains("m=video 0"));
    a.session.rollback(network.now);
    a.drain();
    // Nor does one of the peer's that we refuse.
    a.session.answer_reoffer("v=0\r\n", network.now).unwrap();
    a.drain();
    let before = [&a, &b].map(|phone| phone.seen.len());
    network.run(&mut a, &mut b, SECOND);
    assert_eq!(a.lines(), lines);
    for (phone, before) in [&a, &b].into_iter().zip(before) {
        assert!(phone.seen.len() > before + 25);
    }
}

#[test]
fn who_answers_at_last_has_the_lines_that_it_took() {
    let mut network = Network::new(14);
    let [mut a, mut b] = pair(&network);
    let mut c = Phone::new("192.0.2.3:40003", 1_800.0, &network);
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    b.session.create_answer(&offer, network.now).unwrap();
    let early = b.described();
    a.session.set_answer(&early, true, network.now).unwrap();
    a.drain();
    network.run_all(&mut [&mut a, &mut b, &mut c], 2 * SECOND);
    assert!(
        a.seen.len() > 25 && b.seen.len() > 25,
        "before it is answered"
    );
    // Another phone answers, which takes no pictures.
    c.session.create_answer(&offer, network.now).unwrap();
    let answer = c.described();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    assert!(a.lines().is_empty());
    network.run_all(&mut [&mut a, &mut b, &mut c], 2 * SECOND);
    let before = [&a, &b].map(|phone| phone.seen.len());
    network.run_all(&mut [&mut a, &mut b, &mut c], 2 * SECOND);
    assert_eq!([&a, &b].map(|phone| phone.seen.len()), before);
    assert!(hears(&a, 1_800.0) > 0.8 && hears(&c, 500.0) > 0.8);
}

#[test]
fn pictures_go_on_over_another_path() {
    let mut network = Network::new(15);
    let [mut a, mut b] = pair(&network);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, SECOND);
    a.session
        .reoffer(true, Direction::SendRecv, network.now)
        .unwrap();
    let offer = a.described();
    b.session.answer_reoffer(&offer, network.now).unwrap();
    let answer = b.described();
    a.session.set_answer(&answer, false, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, SECOND);
    let before = [&a, &b].map(|phone| phone.seen.len());
    network.run(&mut a, &mut b, SECOND);
    for (phone, before) in [&a, &b].into_iter().zip(before) {
        assert!(phone.seen.len() > before + 25);
        assert_in_order(&numbers(phone, 1));
    }
}
