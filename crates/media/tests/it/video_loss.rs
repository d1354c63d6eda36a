//! Pictures over networks that lose and narrow.

use super::harness::*;
use media::sdp::Direction;
use media::sdp::negotiate::{Content, VideoLine, VideoWish};
use media::session::{InboundRtp, Stats, VideoStats};
use std::time::Duration;
use video::VideoCodec;

const SECOND: Duration = Duration::from_secs(1);

/// Two phones, of which the first films if it is to.
fn pair(network: &Network, films: bool) -> [Phone; 2] {
    ["192.0.2.1:40001", "192.0.2.2:40002"].map(|address| {
        let mut phone = Phone::new(address, 500.0, network);
        if films {
            phone.session.wish_video(vec![VideoWish {
                content: Content::Camera,
                direction: Direction::SendRecv,
                codecs: vec![VideoCodec::Vp8],
            }]);
            let mut camera = Camera::new(Content::Camera);
            camera.adapts = true;
            phone.cameras.push(camera);
        }
        phone
    })
}

struct Outcome {
    /// How many frames a second were seen.
    seen: f64,
    /// The longest time between two of them.
    longest: Duration,
    video: VideoStats,
    /// The freezes but for those of the first seconds.
    freezes: u64,
    sent: VideoStats,
    sound: InboundRtp,
    target: u64,
}

/// Films for a minute over a network that `worsen` makes worse after two seconds.
fn film(seed: u64, films: bool, worsen: impl Fn(&mut Network)) -> Option<Outcome> {
    let mut network = Network::new(seed);
    let [mut a, mut b] = pair(&network, films);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, 2 * SECOND);
    worsen(&mut network);
    let before = b.seen.len();
    network.run(&mut a, &mut b, 6 * SECOND);
    let until_known = if films { freezes(&mut b, &network) } else { 0 };
    network.run(&mut a, &mut b, 54 * SECOND);
    let seen: Vec<_> = b.seen[before..].iter().map(|(.., at)| *at).collect();
    let gaps = seen.windows(2).map(|two| two[1] - two[0]);
    let mut stats = b.session.stats(network.now);
    let video = stats.video.pop()?;
    Some(Outcome {
        seen: seen.len() as f64 / 60.0,
        longest: gaps.max().unwrap_or_default(),
        freezes: video.inbound.freeze_count - until_known,
        video,
        sent: a.session.stats(network.now).video.pop()?,
        sound: stats.inbound,
        target: a.targets.last()?.1,
    })
}

fn sound_without_pictures(seed: u64, worsen: impl Fn(&mut Network)) -> InboundRtp {
    let mut network = Network::new(seed);
    let [mut a, mut b] = pair(&network, false);
    connect(&mut network, &mut a, &mut b);
    network.run(&mut a, &mut b, 2 * SECOND);
    worsen(&mut network);
    network.run(&mut a, &mut b, 60 * SECOND);
    b.session.stats(network.now).inbound
}

/// What came of it, for whoever reads why a test failed.
fn told(name: &str, outcome: &Outcome, alone: &InboundRtp) -> String {
    format!(
        "{name}: {:.1} frames/s, longest gap {:?}, freezes {} ({:.2} s), NACK {}, PLI {}, sent again {} of {}, target {}; \
         sound lost {} of {}, concealed {} (alone lost {}, concealed {})",
        outcome.seen,
        outcome.longest,
        outcome.video.inbound.freeze_count,
        outcome.video.inbound.total_freezes_duration,
        outcome.video.inbound.nack_count,
        outcome.video.inbound.pli_count,
        outcome.sent.outbound.retransmitted_packets_sent,
        outcome.sent.outbound.packets_sent,
        outcome.target,
        outcome.sound.packets_lost,
        outcome.sound.packets_received,
        outcome.sound.concealed_samples,
        alone.packets_lost,
        alone.concealed_samples,
    )
}

#[test]
fn what_is_lost_is_seen_in_time_and_leaves_sound_alone() {
    // (seed, share lost, ms one way, freezes once it is known how long the way is)
    let near = [11, 12, 13].map(|seed| [(seed, 0.05, 25, 0), (seed, 0.10, 25, 0)]);
    let far = [(11, 0.05, 60, 0), (12, 0.10, 60, 0)];
    for (seed, loss, delay, most_freezes) in near.into_iter().flatten().chain(far) {
        let lossy = |network: &mut Network| {
            network.loss = loss;
            network.delay = delay * MS;
        };
        let outcome = film(seed, true, lossy).unwrap();
        let alone = sound_without_pictures(seed, lossy);
        let told = told(
            &format!("{seed}: {loss} lost, {delay} ms"),
            &outcome,
            &alone,
        );
        println!("{told}");
        assert!(outcome.seen > 32.0, "{told}");
        assert!(outcome.freezes <= most_freezes, "{told}");
        assert!(outcome.video.inbound.freeze_count <= 4, "{told}");
        assert!(outcome.longest < 500 * MS, "{told}");
        // What is sent again, three times on a long way, is taken off.
        let least = if delay > 50 { 100_000 } else { 250_000 };
        assert!(outcome.target >= least, "{told}");
        // The same share of sound is lost as without pictures.
        let share = |sound: &InboundRtp| {
            let all = sound.packets_received as f64 + sound.packets_lost as f64;
            sound.packets_lost as f64 / all
        };
        assert!(
            (share(&outcome.sound) - share(&alone)).abs() < 0.02,
            "{told}"
        );
    }
}

#[test]
fn a_narrow_line_loses_no_sound_to_pictures_and_is_filled() {
    let narrow = |network: &mut Network| network.line = Some(500_000.0);
    let outcome = film(12, true, narrow).unwrap();
    let alone = sound_without_pictures(12, narrow);
    let told = told("500 kbit/s", &outcome, &alone);
    println!("{told}");
    assert_eq!(outcome.sound.packets_lost, 0, "{told}");
    assert!(outcome.video.inbound.freeze_count <= 2, "{told}");
    assert!(outcome.seen > 31.0, "{told}");
    assert!(
        (270_000..=500_000).contains(&outcome.target),
        "{}",
        outcome.target
    );
}

/// What a line that narrows to a fifth costs.
#[derive(Debug)]
struct Narrowed {
    /// Packets of sound that are lost until pictures have adapted, and in the time after that.
    lost: [i64; 2],
    /// How long pictures stood still, in seconds.
    frozen: f64,
    /// What may be sent before, and in the end.
    targets: [u64; 2],
}

/// Films until much is sent over a line that then carries 500 kbit/s, in both directions or one.
fn narrow(both: bool) -> Narrowed {
    let mut network = Network::new(13);
    let [mut a, mut b] = pair(&network, true);
    connect(&mut network, &mut a, &mut b);
    if !both {
        b.cameras.clear();
    }
    network.run(&mut a, &mut b, 20 * SECOND);
    let wide = a.targets.last().unwrap().1;
    let at = |network: &Network, b: &mut Phone| b.session.stats(network.now);
    let before = at(&network, &mut b);
    network.line = Some(500_000.0);
    network.run(&mut a, &mut b, 2 * SECOND);
    let adapted = at(&network, &mut b);
    network.run(&mut a, &mut b, 23 * SECOND);
    let after = at(&network, &mut b);
    let lost = |stats: &Stats| stats.inbound.packets_lost;
    let frozen = |stats: &Stats| stats.video[0].inbound.total_freezes_duration;
    Narrowed {
        lost: [
            lost(&adapted) - lost(&before),
            lost(&after) - lost(&adapted),
        ],
        frozen: frozen(&after) - frozen(&before),
        targets: [wide, a.targets.last().unwrap().1],
    }
}

#[test]
fn a_line_that_narrows_to_a_fifth_loses_little_sound_to_pictures_until_they_adapt_and_none_then() {
    // Where both ways narrow, what tells of it has to go through the other's full queue.
    for both in [false, true] {
        let narrowed = narrow(both);
        println!("both: {both}, {narrowed:?}");
        let [wide, now] = narrowed.targets;
        assert!(wide > 1_000_000, "{narrowed:?}");
        // For a moment it may be more than the line carries: that is how it is found out.
        assert!((200_000..600_000).contains(&now), "{narrowed:?}");
        assert!(narrowed.lost[0] <= 6, "{narrowed:?}");
        assert_eq!(narrowed.lost[1], 0, "{narrowed:?}");
        assert!(narrowed.frozen < 1.5, "{narrowed:?}");
    }
}

#[test]
fn a_way_here_that_narrows_for_a_moment_leaves_what_is_sent_alone() {
    let mut network = Network::new(13);
    let [mut a, mut b] = pair(&network, true);
    connect(&mut network, &mut a, &mut b);
    b.cameras[0].adapts = false;
    b.cameras[0].size = 1_500;
    network.run(&mut a, &mut b, 20 * SECOND);
    let wide = a.targets.last().unwrap().1;
    let (keys, frozen) = (a.cameras[0].key_frames, freezes(&mut b, &network));
    network.line = Some(300_000.0);
    network.narrow_sender = Some(b.address());
    network.run(&mut a, &mut b, 2 * SECOND);
    network.line = None;
    network.run(&mut a, &mut b, 5 * SECOND);
    let now = a.targets.last().unwrap().1;
    assert!(now > wide / 2 && now > 1_000_000, "{wide}, {now}");
    assert_eq!(a.cameras[0].key_frames, keys);
    assert_eq!(freezes(&mut b, &network), frozen);
}

fn freezes(phone: &mut Phone, network: &Network) -> u64 {
    let stats = phone.session.stats(network.now);
    stats.video[0].inbound.freeze_count
}

#[test]
fn a_peer_sends_no_more_than_those_can_take_for_whom_its_pictures_are() {
    let mut network = Network::new(5);
    let [mut a, mut b] = pair(&network, true);
    connect(&mut network, &mut a, &mut b);
    let line = VideoLine(1);
    let mut after = |limit: Option<u64>, seconds: u32| {
        b.session.limit_video(line, limit);
        network.run(&mut a, &mut b, seconds * SECOND);
        a.targets.last().map(|(_, target)| *target)
    };
    let free = after(None, 10).unwrap();
    assert!(free > 500_000, "{free}");
    let limited = after(Some(200_000), 1).unwrap();
    assert!((150_000..=200_000).contains(&limited), "{limited}");
    let least = after(Some(1), 1).unwrap();
    assert!(least <= 50_000, "{least}");
    let free = after(None, 10).unwrap();
    assert!(free > 500_000, "{free}");
}
