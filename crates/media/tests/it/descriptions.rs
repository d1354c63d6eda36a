//! What sessions answer to the descriptions that are out there, and to those that should not be.

use super::harness::*;
use super::samples;
use media::codec::Codec;
use media::sdp::{Description, limit};
use media::session::{ConnectionState, MediaEvent, MediaRefusal, Session};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

const A: &str = "192.0.2.1:40001";

fn phone() -> (Network, Phone) {
    let network = Network::new(1);
    let phone = Phone::new(A, 0.0, &network);
    (network, phone)
}

#[test]
fn every_kind_of_peer_is_answered_in_its_own_terms() {
    for sample in &samples::ALL {
        let (network, mut phone) = phone();
        phone
            .session
            .create_answer(&sample.offer(), network.now)
            .unwrap();
        let answer = phone.described();
        let answer = Description::parse(&answer).unwrap();
        let offer = Description::parse(&sample.offer()).unwrap();
        assert_eq!(answer.media.len(), offer.media.len(), "{}", sample.name);
        let audio = &answer.media[0];
        assert_eq!(audio.protocol, sample.protocol, "{}", sample.name);
        assert_eq!(audio.formats.join(" "), sample.formats, "{}", sample.name);
        assert_eq!(audio.value("setup"), Some(sample.setup), "{}", sample.name);
        assert_eq!(audio.port, 40_001, "{}", sample.name);
        let mids: Vec<&str> = answer
            .media
            .iter()
            .map(|m| m.value("mid").unwrap_or("-"))
            .collect();
        assert_eq!(mids, sample.mids, "{}", sample.name);
        assert_eq!(answer.value(0, "group"), sample.bundle, "{}", sample.name);
        assert_eq!(
            audio.has("rtcp-mux"),
            offer.media[0].has("rtcp-mux"),
            "{}",
            sample.name
        );
        assert!(
            answer.media[1..].iter().all(|m| m.port == 0),
            "{}",
            sample.name
        );
        assert!(
            phone.states().contains(&ConnectionState::Checking),
            "{}",
            sample.name
        );
    }
}

#[test]
fn every_kind_of_peer_may_answer_us() {
    for sample in &samples::ALL {
        let (network, mut phone) = phone();
        phone.session.create_offer(network.now).unwrap();
        phone.described();
        // An answer names its role.
        let answer = sample.offer().replace("setup:actpass", "setup:active");
        phone
            .session
            .set_answer(&answer, false, network.now)
            .unwrap();
        phone.drain();
        assert!(
            phone.has(|e| matches!(e, MediaEvent::AnswerApplied)),
            "{}",
            sample.name
        );
    }
}

fn refused(change: impl FnOnce(&mut media::SessionConfig), offer: &str) -> MediaRefusal {
    let network = Network::new(1);
    let mut phone = Phone::with(A, 0.0, &network, change);
    phone.session.create_answer(offer, network.now).unwrap();
    phone.drain();
    let refusal = phone.events.iter().find_map(|e| {
        if let MediaEvent::Refused { reason } = e {
            Some(reason.clone())
        } else {
            None
        }
    });
    assert!(!phone.has(|e| matches!(e, MediaEvent::Described { .. })));
    refusal.unwrap_or_else(|| panic!("not refused: {offer}"))
}

#[test]
fn what_cannot_be_a_call_is_refused_with_its_reason() {
    let plain = "v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 0 8\r\n";
    assert_eq!(refused(|_| {}, plain), MediaRefusal::PlainRtp);
    let good = samples::ALL[0].offer();
    let no_codec = refused(|c| c.codecs = vec![Codec::G722], &good);
    assert!(
        matches!(&no_codec, MediaRefusal::Incompatible(why) if why.contains("codec")),
        "{no_codec:?}"
    );
    let no_ice = refused(|_| {}, &good.replace("a=ice-ufrag", "a=x"));
    assert!(
        matches!(&no_ice, MediaRefusal::Incompatible(why) if why.contains("ICE")),
        "{no_ice:?}"
    );
    let weak = refused(|_| {}, &good.replace("sha-256", "md5"));
    assert!(matches!(weak, MediaRefusal::Incompatible(_)), "{weak:?}");
    for offer in ["", "hello", "v=0\r\nm=audio\r\n", "v=0\r\n\u{0}=\r\n"] {
        assert!(
            matches!(refused(|_| {}, offer), MediaRefusal::Malformed(_)),
            "{offer:?}"
        );
    }
    let endless = format!(
        "v=0\r\n{}",
        "a=candidate:1 1 udp 1 1.2.3.4 5 typ host\r\n".repeat(5_000)
    );
    assert!(matches!(
        refused(|_| {}, &endless),
        MediaRefusal::Malformed(_)
    ));
}

#[test]
fn a_flood_of_candidates_is_cut_off() {
    let candidates: String = (1..400)
        .map(|i| {
            format!(
                "a=candidate:{i} 1 udp {i} 10.0.{}.{} 5000 typ host\r\n",
                i / 250,
                i % 250
            )
        })
        .collect();
    let offer = format!("{}{candidates}", samples::ALL[2].offer());
    let ice = Description::parse(&offer).unwrap().ice(0).unwrap();
    assert!(ice.candidates.len() <= limit::CANDIDATES);
}

#[test]
fn no_description_of_ours_has_a_line_that_we_did_not_mean() {
    let network = Network::new(1);
    let mut phone = Phone::with(A, 0.0, &network, |c| {
        c.cname = Some("x\r\na=evil:1\n\nm=video 1 RTP/AVP 1".into());
    });
    let offer = samples::ALL[3]
        .offer()
        .replace("a=mid:1", "a=mid:1\u{2028}a=evil");
    phone.session.create_answer(&offer, network.now).unwrap();
    let answer = phone.described();
    assert!(!answer.lines().any(|l| l.starts_with("a=evil")), "{answer}");
    assert_eq!(answer.lines().filter(|l| l.starts_with("m=")).count(), 3);
    assert!(answer.split("\r\n").all(|l| !l.contains(['\r', '\n'])));
}

#[test]
fn secrets_of_descriptions_do_not_show_in_debug_output() {
    let offer = samples::ALL[0].offer();
    let ice = Description::parse(&offer)
        .unwrap()
        .transport(0, media::transport::Description::Offer);
    assert!(!format!("{ice:?}").contains("2a9d7c6e5b4f3a29"));
}

#[test]
fn mutilated_descriptions_never_panic() {
    let mut rng = StdRng::seed_from_u64(11);
    let network = Network::new(1);
    let mut agreed = 0;
    for round in 0..1_500 {
        let sample = &samples::ALL[round % samples::ALL.len()];
        let mut text: Vec<char> = sample.offer().chars().collect();
        for _ in 0..rng.random_range(1..6) {
            let at = rng.random_range(0..text.len());
            match rng.random_range(0..4) {
                0 => text[at] = char::from(rng.random_range(0_u8..128)),
                1 => {
                    text.remove(at);
                }
                2 => text.insert(
                    at,
                    ['\n', ' ', ':', '9', '\u{1F600}'][rng.random_range(0..5)],
                ),
                _ => text.truncate(at.max(1)),
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(read) = Description::parse(&text) {
            let again = Description::parse(&read.to_string()).unwrap();
            assert_eq!(again.media.len(), read.media.len());
        }
        if round % 10 == 0 {
            let mut session =
                Session::new(config(A.parse().unwrap()), [1; 32], network.now).unwrap();
            session.create_answer(&text, network.now).unwrap();
            agreed += u32::from(session.sends());
            session.handle_timeout(network.now + Duration::from_millis(5));
        }
    }
    assert!(agreed > 10, "{agreed}");
}
