//! A call that wants no video says what it always said, octet by octet.

use super::harness::*;
use super::samples;
use media::sdp::Direction;

const EXPECTED: &str = include_str!("audio_only.sdp");

/// Our offers and answers, first and later, with a line that names each, and without the certificate, which is new in
/// each run.
fn descriptions() -> String {
    let network = Network::new(1);
    let phone = || Phone::new("192.0.2.1:40001", 0.0, &network);
    let mut said = String::new();
    let mut note = |name: &str, sdp: &str| {
        let known = |line: &&str| !line.starts_with("a=fingerprint:");
        let lines: Vec<&str> = sdp.lines().filter(known).collect();
        said.push_str(&format!("# {name}\n{}\n", lines.join("\n")));
    };
    let mut caller = phone();
    caller.session.create_offer(network.now).unwrap();
    note("offer", &caller.described());
    for sample in &samples::ALL {
        let mut phone = phone();
        phone
            .session
            .create_answer(&sample.offer(), network.now)
            .unwrap();
        note(sample.name, &phone.described());
        phone
            .session
            .reoffer(false, Direction::SendOnly, network.now)
            .unwrap();
        note("hold", &phone.described());
        phone.session.rollback(network.now);
        phone
            .session
            .answer_reoffer(&sample.offer(), network.now)
            .unwrap();
        note("again", &phone.described());
    }
    said
}

#[test]
fn a_call_without_video_has_the_descriptions_that_it_always_had() {
    let said = descriptions();
    for (said, expected) in said.lines().zip(EXPECTED.lines()) {
        assert_eq!(said, expected);
    }
    assert_eq!(said.len(), EXPECTED.len());
}
