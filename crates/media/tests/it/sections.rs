//! Peers whose descriptions have more sections than the one that we take.

use std::time::Duration;

use media::sdp::Direction;

use super::harness::*;

/// The credentials of a section that nobody takes say nothing of the one that is in use.
#[test]
fn credentials_that_change_in_another_section_only_restart_nothing() {
    let mut network = Network::new(9);
    let mut a = Phone::new("192.0.2.1:40001", 500.0, &network);
    let mut b = Phone::new("192.0.2.2:40002", 1_100.0, &network);
    a.session.create_offer(network.now).unwrap();
    let offer = a.described();
    let bundle = offer
        .lines()
        .find(|line| line.starts_with("a=group:BUNDLE"));
    let bundle = bundle.unwrap();
    let offer = offer.replace(bundle, &format!("{bundle} v")) + &video("9", "vvvv");
    b.session.create_answer(&offer, network.now).unwrap();
    let answer = b.described();
    let (audio, rejected) = answer.split_once("m=video 0").unwrap();
    assert!(!rejected.contains("a=ice-ufrag"));
    a.session.set_answer(audio, false, network.now).unwrap();
    a.drain();
    network.run(&mut a, &mut b, Duration::from_secs(3));
    let states = [&a, &b].map(|phone| phone.states());
    for (round, ufrag) in ["vvvv", "wwww", "xxxx"].into_iter().enumerate() {
        // b offers; a, which knows one section, answers, and says something else of the other.
        b.session
            .reoffer(false, Direction::SendRecv, network.now)
            .unwrap();
        let offer = b.described();
        let (audio, _) = offer.split_once("m=video 0").unwrap();
        a.session.answer_reoffer(audio, network.now).unwrap();
        let answer = a.described();
        // Credentials of the session count only for a section without its own.
        let above = format!("t=0 0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{ufrag:v>24}\r\n");
        let answer = answer.replacen("t=0 0\r\n", &above, 1) + &video("0", ufrag);
        b.session.set_answer(&answer, false, network.now).unwrap();
        b.drain();
        network.run(&mut a, &mut b, Duration::from_secs(40));
        assert!(
            hears(&a, 1_100.0) > 0.8 && hears(&b, 500.0) > 0.8,
            "{round}"
        );
        assert_eq!([&a, &b].map(|phone| phone.states()), states, "{round}");
    }
}

fn video(port: &str, ufrag: &str) -> String {
    format!(
        "m=video {port} UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:v\r\na=rtpmap:96 VP8/90000\r\n\
         a=ice-ufrag:{ufrag}\r\na=ice-pwd:{ufrag:p>24}\r\n"
    )
}
