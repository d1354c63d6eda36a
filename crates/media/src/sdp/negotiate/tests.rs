//! Offers and answers with the peers of this world.

use super::*;
use crate::codec::Codec;
use crate::sdp::{Description, Direction, Encoding, PayloadType};
use crate::transport::{
    Candidate, CandidateKind, Keying, LocalParameters, Protocol, RemoteDtls, RemoteIce,
    RemoteKeying, RemoteParameters, RemotePath, Secret, Setup,
};

pub(super) fn terms() -> Terms {
    Terms {
        codecs: Codec::ALL.to_vec(),
        telephone_event: true,
        ptime: 20,
        dtx: false,
        opus_max_average_bitrate: None,
        apart: true,
        media: vec![Keying::Dtls],
    }
}

pub(super) fn negotiation() -> Negotiation {
    negotiation_with(terms())
}

pub(super) fn negotiation_with(terms: Terms) -> Negotiation {
    negotiation_of(terms, 2)
}

/// A negotiation whose keys are made of `seed`.
pub(super) fn negotiation_of(terms: Terms, seed: u8) -> Negotiation {
    let identity = Identity {
        session_id: 42,
        cname: "c".into(),
        audio: LocalSource {
            ssrc: 7,
            stream_id: "s".into(),
            track_id: "t".into(),
            rtx: None,
        },
        video: KeySeed::new([1; 32]),
        keys: KeySeed::new([seed; 32]),
    };
    Negotiation::new(identity, terms)
}

pub(super) fn parameters() -> LocalParameters {
    LocalParameters {
        ufrag: "ours".into(),
        pwd: Secret::new("oursoursoursoursoursours"),
        fingerprints: vec![FINGERPRINT.parse().unwrap()],
        setup: Setup::ActPass,
        candidates: vec![Candidate {
            foundation: "1".into(),
            component: 1,
            protocol: Protocol::Udp,
            priority: 2_130_706_431,
            address: "192.0.2.1:40000".parse().unwrap(),
            kind: CandidateKind::Host,
            related: None,
        }],
    }
}

pub(super) const FINGERPRINT: &str = "sha-256 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF";

pub(super) fn local(parameters: &LocalParameters) -> LocalTransport<'_> {
    LocalTransport {
        apart: &[],
        parameters,
        end_of_candidates: true,
    }
}

/// An audio section with ICE and DTLS around `lines`.
pub(super) fn offer_of(media: &str, lines: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}\r\n\
         a=ice-ufrag:them\r\na=ice-pwd:themthemthemthemthemthem\r\na=fingerprint:{FINGERPRINT}\r\na=setup:actpass\r\n\
         a=candidate:1 1 udp 2130706431 192.0.2.9 30000 typ host\r\n{lines}"
    )
}

pub(super) fn simple_offer(lines: &str) -> String {
    offer_of("m=audio 30000 UDP/TLS/RTP/SAVPF 0 8", lines)
}

pub(super) fn ice(remote: &RemoteParameters) -> &RemoteIce {
    match &remote.path {
        RemotePath::Ice(ice) => ice,
        RemotePath::Direct(address) => panic!("no ICE with {address:?}"),
    }
}

fn answer_to(offer: &str) -> (Agreed, Description) {
    let mut negotiation = negotiation();
    let agreed = negotiation
        .receive_offer(offer, Direction::SendRecv)
        .unwrap();
    let text = negotiation.answer(local(&parameters())).unwrap();
    (agreed, Description::parse(&text).unwrap())
}

#[test]
fn our_offer_and_our_answer_agree() {
    let (mut a, mut b) = (negotiation(), negotiation());
    let offer = a.offer(local(&parameters()), Direction::SendRecv).unwrap();
    let at_b = b.receive_offer(&offer, Direction::SendRecv).unwrap();
    let answer = b.answer(local(&parameters())).unwrap();
    let at_a = a.accept(&answer, false).unwrap();
    assert_eq!(at_a.audio.send.codec, Codec::Opus);
    assert_eq!(at_a.audio.send, at_b.audio.send);
    assert_eq!(at_a.audio.send_events.map(|(_, rate)| rate), Some(48_000));
    assert_eq!(at_a.audio.direction, Direction::SendRecv);
    assert!(matches!(
        at_a.transport.keying,
        RemoteKeying::Dtls(RemoteDtls {
            setup: Setup::Active,
            ..
        })
    ));
    assert!(at_a.rtcp_mux && at_b.rtcp_mux);
    assert!(a.is_stable() && b.is_stable());
    let offer = Description::parse(&offer).unwrap();
    assert_eq!(offer.value(0, "setup"), Some("actpass"));
    assert_eq!(offer.media[0].port, 40_000);
    assert!(offer.media[0].values("fmtp")[0].contains("stereo=0"));
}

#[test]
fn unspoken_sections_keep_their_place_and_mid_with_port_0() {
    let offer = format!(
        "{}m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:v\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:d\r\n",
        simple_offer("a=mid:a\r\n").replace("t=0 0\r\n", "t=0 0\r\na=group:BUNDLE v a d\r\n")
    );
    let (_, answer) = answer_to(&offer);
    let kinds: Vec<_> = answer
        .media
        .iter()
        .map(|m| (m.kind.as_str(), m.port, m.value("mid")))
        .collect();
    assert_eq!(
        kinds,
        [
            ("audio", 40_000, Some("a")),
            ("video", 0, Some("v")),
            ("application", 0, Some("d"))
        ]
    );
    assert_eq!(answer.media[2].protocol, "UDP/DTLS/SCTP");
    assert_eq!(answer.media[2].formats, ["webrtc-datachannel"]);
    assert_eq!(answer.attributes[0].value.as_deref(), Some("BUNDLE a"));
}

#[test]
fn audio_need_not_come_first_and_a_second_one_is_refused() {
    let audio = "m=audio 30000 UDP/TLS/RTP/SAVPF 0\r\na=ice-ufrag:them\r\na=ice-pwd:themthemthemthemthemthem\r\n";
    let offer =
        format!("v=0\r\na=fingerprint:{FINGERPRINT}\r\nm=video 9 RTP/SAVPF 96\r\n{audio}{audio}");
    let (_, answer) = answer_to(&offer);
    let ports: Vec<_> = answer.media.iter().map(|m| m.port).collect();
    assert_eq!(ports, [0, 40_000, 0]);
}

#[test]
fn without_mid_bundle_or_mux_the_answer_has_none_either() {
    let (agreed, answer) = answer_to(&simple_offer(""));
    assert!(!agreed.rtcp_mux);
    assert!(answer.attributes.is_empty());
    for name in ["mid", "rtcp-mux"] {
        assert!(!answer.media[0].has(name), "{name}");
    }
}

#[test]
fn the_answer_repeats_the_offers_protocol() {
    for protocol in [
        "RTP/SAVPF",
        "UDP/TLS/RTP/SAVP",
        "UDP/TLS/RTP/SAVPF",
        "RTP/SAVP",
        "RTP/AVP",
    ] {
        let (_, answer) = answer_to(&offer_of(&format!("m=audio 30000 {protocol} 0"), ""));
        assert_eq!(answer.media[0].protocol, protocol);
    }
}

#[test]
fn session_level_ice_fingerprint_and_direction_count() {
    let offer = format!(
        "v=0\r\na=ice-ufrag:them\r\na=ice-pwd:themthemthemthemthemthem\r\na=fingerprint:{FINGERPRINT}\r\na=setup:active\r\n\
         a=ice-lite\r\na=sendonly\r\nc=IN IP4 192.0.2.9\r\nm=audio 30000 RTP/SAVPF 0\r\n"
    );
    let (agreed, answer) = answer_to(&offer);
    assert!(ice(&agreed.transport).lite);
    assert_eq!(agreed.audio.direction, Direction::RecvOnly);
    assert_eq!(answer.value(0, "setup"), Some("passive"));
    // A lite peer without candidate lines is where its m= line says.
    assert_eq!(
        ice(&agreed.transport).candidates[0].address.to_string(),
        "192.0.2.9:30000"
    );
}

#[test]
fn directions_are_answered_from_our_side() {
    for (offered, answered) in [
        ("sendrecv", "sendrecv"),
        ("sendonly", "recvonly"),
        ("recvonly", "sendonly"),
        ("inactive", "inactive"),
    ] {
        let (_, answer) = answer_to(&simple_offer(&format!("a={offered}\r\n")));
        assert_eq!(answer.direction(0).as_str(), answered);
    }
}

#[test]
fn an_unspecified_address_on_a_real_port_is_hold() {
    let hold = simple_offer("")
        .replace("IP4 192.0.2.9\r\nt=", "IP4 0.0.0.0\r\nt=")
        .replace("a=candidate", "a=x");
    let (agreed, answer) = answer_to(&hold);
    assert_eq!(agreed.audio.remote_direction, Direction::SendOnly);
    assert_eq!(answer.direction(0), Direction::RecvOnly);
    let trickling = hold.replace("m=audio 30000", "m=audio 9");
    assert_eq!(
        answer_to(&trickling).0.audio.remote_direction,
        Direction::SendRecv
    );
}

#[test]
fn telephone_events_take_the_clock_of_the_codec_or_else_8000() {
    let lines = "a=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n";
    let both = format!("{lines}a=rtpmap:102 telephone-event/48000\r\n");
    for (formats, lines, expected) in [
        ("96 101 102", both.as_str(), (102, 48_000)),
        ("96 0 101", lines, (101, 8_000)),
        ("0 101 102", both.as_str(), (101, 8_000)),
    ] {
        let (agreed, answer) = answer_to(&offer_of(
            &format!("m=audio 30000 UDP/TLS/RTP/SAVPF {formats}"),
            lines,
        ));
        assert_eq!(
            agreed
                .audio
                .send_events
                .map(|(pt, rate)| (pt.value(), rate)),
            Some(expected)
        );
        assert_eq!(answer.media[0].formats.join(" "), formats);
    }
}

#[test]
fn a_gateway_that_has_opus_with_events_of_8000_alone_gets_digits() {
    let mut negotiation = negotiation_with(Terms {
        codecs: vec![Codec::Opus],
        ..terms()
    });
    let offer = negotiation
        .offer(local(&parameters()), Direction::SendRecv)
        .unwrap();
    let offer = Description::parse(&offer).unwrap();
    assert_eq!(offer.media[0].formats.join(" "), "111 63 110 101");
    let answer = offer_of(
        "m=audio 30000 UDP/TLS/RTP/SAVPF 111 101",
        "a=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\na=rtcp-mux\r\n",
    );
    let agreed = negotiation.accept(&answer, false).unwrap();
    let (number, clock) = agreed.audio.send_events.unwrap();
    assert_eq!((number.value(), clock), (101, 8_000));
}

#[test]
fn packet_time_is_the_peers_where_the_codec_can() {
    let opus = "a=rtpmap:96 opus/48000/2\r\n";
    for (formats, lines, expected) in [
        ("0", "", 20),
        ("0", "a=ptime:30\r\n", 30),
        ("0", "a=ptime:200\r\n", 60),
        ("0", "a=ptime:60\r\na=maxptime:40\r\n", 40),
        ("0", "a=ptime:0\r\n", 10),
        ("0", "a=ptime:rubbish\r\n", 20),
        ("96", &format!("{opus}a=ptime:30\r\n"), 20),
        ("96", &format!("{opus}a=ptime:60\r\n"), 60),
    ] {
        let media = format!("m=audio 30000 UDP/TLS/RTP/SAVPF {formats}");
        assert_eq!(
            answer_to(&offer_of(&media, lines)).0.audio.send.ptime,
            expected,
            "{lines}"
        );
    }
}

#[test]
fn what_cannot_work_is_refused_with_the_reason() {
    let no_fingerprint = |text: String| text.replace("a=fingerprint", "a=x");
    let cases = [
        (
            "v=0\r\nm=audio 30000 RTP/AVP 0\r\n".to_owned(),
            Refusal::PlainRtp,
        ),
        (
            no_fingerprint(offer_of("m=audio 30000 RTP/AVPF 0", "")),
            Refusal::PlainRtp,
        ),
        (
            no_fingerprint(offer_of(
                "m=audio 30000 RTP/SAVP 0",
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x\r\n",
            )),
            Refusal::Incompatible(Incompatible::NoDtls),
        ),
        (
            simple_offer("").replace("a=ice-pwd", "a=x"),
            Refusal::Incompatible(Incompatible::NoIce),
        ),
        (
            offer_of("m=audio 30000 UDP/TLS/RTP/SAVPF 18 3", ""),
            Refusal::Incompatible(Incompatible::NoCommonCodec),
        ),
        (
            offer_of("m=audio 0 UDP/TLS/RTP/SAVPF 0", ""),
            Refusal::Incompatible(Incompatible::NoAudio),
        ),
        (
            offer_of("m=video 30000 UDP/TLS/RTP/SAVPF 96", ""),
            Refusal::Incompatible(Incompatible::NoAudio),
        ),
        (
            "v=0\r\n".to_owned(),
            Refusal::Incompatible(Incompatible::NoAudio),
        ),
    ];
    for (offer, expected) in cases {
        let mut negotiation = negotiation();
        let refusal = negotiation.receive_offer(&offer, Direction::SendRecv);
        assert_eq!(refusal.unwrap_err(), Ok(expected), "{offer}");
        assert!(negotiation.is_stable());
    }
    let malformed = negotiation().receive_offer("INVITE", Direction::SendRecv);
    assert!(matches!(malformed, Err(Ok(Refusal::Malformed(_)))));
}

#[test]
fn later_offers_of_both_sides_keep_sections_numbers_and_version() {
    let offer = format!(
        "{}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\n",
        offer_of(
            "m=audio 30000 UDP/TLS/RTP/SAVPF 107 8 126",
            "a=mid:0\r\na=rtpmap:107 opus/48000/2\r\na=rtpmap:126 telephone-event/8000\r\n"
        )
    );
    let mut negotiation = negotiation();
    let parameters = parameters();
    let transport = local(&parameters);
    let read = |text: &str| Description::parse(text).unwrap();
    negotiation
        .receive_offer(&offer, Direction::SendRecv)
        .unwrap();
    let first = read(&negotiation.answer(transport).unwrap());

    let reoffer = read(&negotiation.offer(transport, Direction::SendRecv).unwrap());
    assert_eq!(reoffer.origin.session_id, first.origin.session_id);
    assert_eq!(reoffer.origin.version, first.origin.version + 1);
    assert_eq!(reoffer.media.len(), 2);
    assert_eq!(
        (reoffer.media[1].port, reoffer.media[1].value("mid")),
        (0, Some("1"))
    );
    let numbers: Vec<_> = reoffer
        .payloads(0)
        .iter()
        .map(|p| (p.payload_type.value(), p.encoding))
        .collect();
    assert!(numbers.contains(&(107, Encoding::Audio(Codec::Opus))));
    assert!(numbers.contains(&(126, Encoding::TelephoneEvent)));
    negotiation.rollback();

    negotiation
        .receive_offer(&offer, Direction::SendRecv)
        .unwrap();
    let again = read(&negotiation.answer(transport).unwrap());
    assert_eq!(again.media, first.media);
    negotiation
        .receive_offer(&offer, Direction::SendRecv)
        .unwrap();
    let unchanged = read(&negotiation.answer(transport).unwrap());
    assert_eq!(unchanged.origin.version, again.origin.version);
}

/// The payload types of the audio section of a description of ours, in order.
fn numbers(text: &str) -> Vec<u8> {
    let read = Description::parse(text).unwrap();
    let audio = read.media.iter().position(|m| m.port != 0).unwrap();
    let numbers = read.numbers(audio);
    assert_eq!(read.payloads(audio).len(), numbers.len(), "each is known");
    numbers.into_iter().map(|n| n.value()).collect()
}

/// What each payload type stands for in a description of ours.
fn meanings(text: &str) -> Vec<(u8, Encoding, u32)> {
    let read = Description::parse(text).unwrap();
    let payloads = read.payloads(0).into_iter();
    payloads
        .map(|p| (p.payload_type.value(), p.encoding, p.clock_rate))
        .collect()
}

fn audio_of(formats: &str, lines: &str) -> String {
    offer_of(&format!("m=audio 30000 UDP/TLS/RTP/SAVPF {formats}"), lines)
}

/// A description whose numbers are those of a PBX: 107 is Opus, 101 and 113 are key presses.
fn of_a_pbx(formats: &str) -> String {
    audio_of(
        formats,
        "a=rtpmap:107 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:113 telephone-event/48000\r\n",
    )
}

/// Ours, whose first offer was answered so.
fn answered_with(answer: &str) -> Negotiation {
    let mut negotiation = negotiation();
    negotiation
        .offer(local(&parameters()), Direction::SendRecv)
        .unwrap();
    negotiation.accept(answer, false).unwrap();
    negotiation
}

/// Ours, which has answered this offer.
fn answering(offer: &str) -> Negotiation {
    let mut negotiation = negotiation();
    negotiation
        .receive_offer(offer, Direction::SendRecv)
        .unwrap();
    negotiation.answer(local(&parameters())).unwrap();
    negotiation
}

fn offer(negotiation: &mut Negotiation) -> String {
    negotiation
        .offer(local(&parameters()), Direction::SendOnly)
        .unwrap()
}

fn re_answer(negotiation: &mut Negotiation, offer: &str) -> String {
    negotiation
        .receive_offer(offer, Direction::SendRecv)
        .unwrap();
    negotiation.answer(local(&parameters())).unwrap()
}

/// A peer between us and another moves us to what stands first, and can't always do so with the other.
#[test]
fn a_later_offer_keeps_the_order_and_the_numbers_of_the_peers() {
    for (theirs, ours) in [
        ("9 0 8 107 101 113", vec![9, 0, 8, 107, 101, 113, 63]),
        ("107 9 0 8 113 101", vec![107, 9, 0, 8, 113, 101, 63]),
        // What it does not have stands behind.
        ("8 101", vec![8, 111, 9, 0, 101, 63, 110]),
    ] {
        let mut negotiation = answering(&of_a_pbx(theirs));
        for _ in 0..2 {
            assert_eq!(numbers(&offer(&mut negotiation)), ours);
            negotiation.accept(&of_a_pbx(theirs), false).unwrap();
        }
        let answer = re_answer(&mut negotiation, &of_a_pbx(theirs));
        let kept: Vec<String> = numbers(&answer).iter().map(u8::to_string).collect();
        assert_eq!(kept.join(" "), theirs);
        assert_eq!(numbers(&offer(&mut negotiation)), ours);
    }
}

#[test]
fn a_later_offer_begins_with_what_the_peer_chose_of_ours() {
    let first = numbers(&offer(&mut negotiation()));
    assert_eq!(first, [111, 9, 0, 8, 63, 110, 101]);
    let mapped = "a=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n";
    for (answer, ours) in [
        ("9 101", vec![9, 111, 0, 8, 101, 63, 110]),
        ("8 0 111 101", vec![8, 0, 111, 9, 101, 63, 110]),
        ("111 101", vec![111, 9, 0, 8, 101, 63, 110]),
    ] {
        let mut negotiation = answered_with(&audio_of(answer, mapped));
        assert_eq!(numbers(&offer(&mut negotiation)), ours, "{answer}");
    }
    // A peer with numbers of its own is still told ours.
    let mut negotiation = answered_with(&of_a_pbx("9 107 101"));
    assert_eq!(
        numbers(&offer(&mut negotiation)),
        [9, 111, 0, 8, 101, 63, 110]
    );
}

#[test]
fn what_the_peer_has_dropped_stands_behind_with_its_number() {
    let mut negotiation = answering(&of_a_pbx("107 9 0 101 113"));
    re_answer(&mut negotiation, &of_a_pbx("0 101"));
    let ours = [0, 107, 9, 8, 101, 113, 63];
    assert_eq!(numbers(&offer(&mut negotiation)), ours);
    negotiation.rollback();
    assert_eq!(numbers(&offer(&mut negotiation)), ours);
    negotiation.accept(&of_a_pbx("8 101"), false).unwrap();
    assert_eq!(
        numbers(&offer(&mut negotiation)),
        [8, 0, 107, 9, 101, 113, 63]
    );
}

/// RFC 2198.
#[test]
fn copies_go_with_opus_and_name_its_number() {
    let with = |formats: &str, fmtp: &str| {
        let lines = format!(
            "a=rtpmap:107 opus/48000/2\r\na=rtpmap:99 red/48000/2\r\n{fmtp}a=rtpmap:98 red/8000\r\n"
        );
        let (agreed, answer) = answer_to(&audio_of(formats, &lines));
        let copies = agreed.audio.send_copies.map(PayloadType::value);
        (copies, numbers(&answer.to_string()), answer.to_string())
    };
    let fmtp = "a=fmtp:99 107/107\r\n";
    let (copies, numbers, answer) = with("99 107 0 98", fmtp);
    assert_eq!((copies, numbers), (Some(99), vec![107, 0, 99]));
    assert!(answer.contains("a=rtpmap:99 red/48000/2\r\na=fmtp:99 107/107\r\n"));
    // It is received, if the peer prefers another codec, but not sent.
    let (copies, numbers, _) = with("0 107 99", fmtp);
    assert_eq!((copies, numbers), (None, vec![0, 107, 99]));
    // Copies of what we don't speak, or of nothing that is named.
    for (formats, fmtp) in [
        ("0 99", fmtp),
        ("107 99", ""),
        ("107 99", "a=fmtp:99 0/0\r\n"),
    ] {
        let (copies, numbers, _) = with(formats, fmtp);
        assert!(
            copies.is_none() && !numbers.contains(&99),
            "{formats} {fmtp}"
        );
    }
    let mut narrow = negotiation_with(Terms {
        codecs: vec![Codec::Pcmu],
        ..terms()
    });
    assert!(!offer(&mut narrow).contains("red/"));
}

/// An answer that gives Opus another number than the offer did names that one.
#[test]
fn copies_follow_opus_to_the_number_that_it_has_here() {
    let mut negotiation = answering(&audio_of("0 107", "a=rtpmap:107 speex/8000\r\n"));
    let theirs = audio_of(
        "107 99",
        "a=rtpmap:107 opus/48000/2\r\na=rtpmap:99 red/48000/2\r\na=fmtp:99 107/107\r\n",
    );
    let ours = offer(&mut negotiation);
    assert!(ours.contains("a=fmtp:63 111/111"), "{ours}");
    negotiation.rollback();
    let answer = re_answer(&mut negotiation, &theirs);
    let opus = meanings(&answer)[0].0;
    assert!(
        answer.contains(&format!("a=fmtp:99 {opus}/{opus}")),
        "{answer}"
    );
}

/// RFC 3264 §8.3.2.
#[test]
fn a_number_never_stands_for_anything_else() {
    // Theirs stand for what we don't speak, where ours would be.
    let mut negotiation = answering(&audio_of(
        "0 111 96 97 98",
        "a=rtpmap:111 iLBC/8000\r\na=rtpmap:96 speex/8000\r\na=rtpmap:97 AMR/8000\r\n",
    ));
    let text = offer(&mut negotiation);
    let opus = meanings(&text)[1];
    assert_eq!(opus, (99, Encoding::Audio(Codec::Opus), 48_000));
    negotiation.rollback();

    // Theirs have changed places: we answer with ours, which they have to read (RFC 3264 §6.1).
    let mut seen = meanings(&text);
    for swapped in [
        "a=rtpmap:99 telephone-event/8000\r\na=rtpmap:101 opus/48000/2\r\n",
        "a=rtpmap:99 telephone-event/48000\r\na=rtpmap:101 opus/48000/2\r\n",
        "a=rtpmap:99 PCMU/8000\r\na=rtpmap:101 PCMA/8000\r\n",
    ] {
        let theirs = audio_of("101 99", swapped);
        let agreed = negotiation
            .receive_offer(&theirs, Direction::SendRecv)
            .unwrap();
        assert_eq!(
            agreed.audio.send.payload_type.value(),
            101,
            "it is sent theirs"
        );
        let answer = negotiation.answer(local(&parameters())).unwrap();
        let received: Vec<_> = (agreed.audio.receive.iter())
            .map(|p| (p.payload_type.value(), p.encoding, p.clock_rate))
            .collect();
        assert_eq!(received, meanings(&answer), "what is said is what is taken");
        assert_eq!(received.len(), 2, "{swapped}");
        seen.extend(meanings(&answer));
        seen.extend(meanings(&offer(&mut negotiation)));
        negotiation.rollback();
    }
    for (number, encoding, rate) in &seen {
        let other = seen
            .iter()
            .find(|(n, e, r)| n == number && (e, r) != (encoding, rate));
        assert_eq!(other, None, "{number} was {encoding:?}");
    }
}

#[test]
fn a_peer_that_uses_up_all_numbers_takes_nothing_but_them() {
    let formats: Vec<String> = (96..128).map(|n| n.to_string()).collect();
    let lines: String = (96..128)
        .map(|n| format!("a=rtpmap:{n} x{n}/8000\r\n"))
        .collect();
    let mut negotiation = answering(&audio_of(&format!("0 {}", formats.join(" ")), &lines));
    let meanings = meanings(&offer(&mut negotiation));
    assert_eq!(meanings.len(), 7, "{meanings:?}");
    assert!(meanings.iter().all(|(number, ..)| *number < 64));
}

/// Its 2xx repeats the answer that its own offer has overtaken since.
#[test]
fn an_offer_behind_an_early_answer_has_the_last_word_on_the_order() {
    let mapped = "a=rtpmap:111 opus/48000/2\r\n";
    let early = audio_of("0 111", mapped);
    let mut negotiation = negotiation();
    offer(&mut negotiation);
    negotiation.accept(&early, true).unwrap();
    re_answer(&mut negotiation, &audio_of("8 0", ""));
    negotiation.accept(&early, false).unwrap();
    assert_eq!(numbers(&offer(&mut negotiation))[..3], [8, 0, 111]);
    // But who answers at last may be another.
    let mut negotiation = self::negotiation();
    offer(&mut negotiation);
    negotiation.accept(&early, true).unwrap();
    re_answer(&mut negotiation, &audio_of("8 0", ""));
    negotiation.accept(&audio_of("9", ""), false).unwrap();
    assert_eq!(numbers(&offer(&mut negotiation))[0], 9);
}

#[test]
fn an_answer_with_numbers_of_its_own_is_sent_to_by_those() {
    let mut negotiation = negotiation();
    negotiation
        .offer(local(&parameters()), Direction::SendRecv)
        .unwrap();
    let answer = offer_of(
        "m=audio 30000 UDP/TLS/RTP/SAVPF 96 97",
        "a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 telephone-event/48000\r\na=rtcp-mux\r\n",
    );
    let agreed = negotiation.accept(&answer, false).unwrap();
    assert_eq!(agreed.audio.send.payload_type.value(), 96);
    assert_eq!(agreed.audio.send_events.map(|(pt, _)| pt.value()), Some(97));
    let arriving: Vec<_> = agreed
        .audio
        .receive
        .iter()
        .map(|p| (p.payload_type.value(), p.encoding))
        .collect();
    assert!(arriving.contains(&(111, Encoding::Audio(Codec::Opus))));
    assert!(arriving.contains(&(96, Encoding::Audio(Codec::Opus))));
}

#[test]
fn a_provisional_answer_leaves_the_offer_open() {
    let mut negotiation = negotiation();
    negotiation
        .offer(local(&parameters()), Direction::SendRecv)
        .unwrap();
    let answer = simple_offer("");
    negotiation.accept(&answer, true).unwrap();
    assert!(negotiation.has_offered());
    negotiation.accept(&answer, false).unwrap();
    assert_eq!(
        negotiation.accept(&answer, false).unwrap_err(),
        Err(Misuse::NoOffer)
    );
}

/// RFC 3311 §5.1: before the call is answered.
#[test]
fn behind_a_provisional_answer_the_peer_may_offer_and_our_first_offer_stays_open() {
    let mut negotiation = negotiation();
    let parameters = parameters();
    let transport = local(&parameters);
    negotiation.offer(transport, Direction::SendRecv).unwrap();
    let theirs = simple_offer("");
    negotiation.accept(&theirs, true).unwrap();
    negotiation
        .receive_offer(&theirs, Direction::SendRecv)
        .unwrap();
    assert!(!negotiation.may_receive_offer(), "one at a time");
    negotiation.answer(transport).unwrap();
    assert!(negotiation.has_offered());
    negotiation
        .receive_offer(&theirs, Direction::SendRecv)
        .unwrap();
    negotiation.rollback();
    assert!(negotiation.has_offered(), "only theirs is forgotten");
    negotiation.accept(&theirs, false).unwrap();
    assert!(negotiation.is_stable());
}

#[test]
fn offers_and_answers_come_in_turn() {
    let mut negotiation = negotiation();
    let parameters = parameters();
    let transport = local(&parameters);
    assert_eq!(negotiation.answer(transport), Err(Misuse::NoOffer));
    negotiation.offer(transport, Direction::SendRecv).unwrap();
    assert_eq!(
        negotiation.offer(transport, Direction::SendRecv),
        Err(Misuse::OfferPending)
    );
    let glare = negotiation.receive_offer(&simple_offer(""), Direction::SendRecv);
    assert_eq!(glare.unwrap_err(), Err(Misuse::OfferPending));
    negotiation.rollback();
    assert!(
        negotiation
            .receive_offer(&simple_offer(""), Direction::SendRecv)
            .is_ok()
    );
    assert_eq!(
        negotiation.offer(transport, Direction::SendRecv),
        Err(Misuse::AnswerPending)
    );
}

#[test]
fn an_answer_that_does_not_choose_its_dtls_role_lets_us_begin() {
    for setup in ["a=setup:actpass\r\n", ""] {
        let mut negotiation = negotiation();
        negotiation
            .offer(local(&parameters()), Direction::SendRecv)
            .unwrap();
        let answer = simple_offer("").replace("a=setup:actpass\r\n", setup);
        let agreed = negotiation.accept(&answer, false).unwrap();
        assert!(matches!(
            agreed.transport.keying,
            RemoteKeying::Dtls(RemoteDtls {
                setup: Setup::Passive,
                ..
            })
        ));
    }
}
