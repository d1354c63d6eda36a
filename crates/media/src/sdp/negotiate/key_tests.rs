//! Offers and answers with media that are protected in other ways than by DTLS, or not at all.

use super::tests::{FINGERPRINT, local, negotiation_of, negotiation_with, parameters, terms};
use super::*;
use crate::sdp::{CryptoFault, Description, Direction};
use crate::transport::{CryptoSuite, Keying, RemoteAddress, RemoteKeying, RemotePath, SdesKeys};

/// 30 octets.
const KEY: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB";
const ALL: [Keying; 3] = [Keying::Dtls, Keying::Sdes, Keying::Plain];

fn negotiation(media: &[Keying]) -> Negotiation {
    negotiation_with(Terms {
        media: media.to_vec(),
        ..terms()
    })
}

fn offer(protocol: &str, lines: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 30000 {protocol} 0 8\r\n{lines}"
    )
}

fn crypto() -> String {
    format!("a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31\r\n")
}

fn take(media: &[Keying], offer: &str) -> Result<(Agreed, Description), Refusal> {
    let mut negotiation = negotiation(media);
    let agreed = negotiation.receive_offer(offer, Direction::SendRecv);
    let agreed = agreed.map_err(|refusal| refusal.unwrap())?;
    let text = negotiation.answer(local(&parameters())).unwrap();
    Ok((agreed, Description::parse(&text).unwrap()))
}

fn keys(agreed: &Agreed) -> &SdesKeys {
    match &agreed.transport.keying {
        RemoteKeying::Sdes(keys) => keys,
        other @ (RemoteKeying::Dtls(_) | RemoteKeying::Plain) => panic!("{other:?}"),
    }
}

fn rtp(agreed: &Agreed) -> RemoteAddress {
    match &agreed.transport.path {
        RemotePath::Direct(address) => *address,
        RemotePath::Ice(ice) => panic!("{ice:?}"),
    }
}

#[test]
fn plain_rtp_is_answered_in_its_own_terms() {
    for protocol in ["RTP/AVP", "RTP/AVPF"] {
        let (agreed, answer) = take(&[Keying::Plain], &offer(protocol, "")).unwrap();
        assert_eq!(agreed.transport.keying, RemoteKeying::Plain);
        let address = rtp(&agreed);
        assert_eq!(address.rtp, Some("192.0.2.9:30000".parse().unwrap()));
        assert_eq!(address.rtcp, Some("192.0.2.9:30001".parse().unwrap()));
        let audio = &answer.media[0];
        assert_eq!((audio.protocol.as_str(), audio.port), (protocol, 40_000));
        assert_eq!(audio.connection.as_deref(), Some("192.0.2.1"));
        assert_eq!(audio.value("rtcp"), Some("40000"));
        for strange in [
            "ice-ufrag",
            "candidate",
            "fingerprint",
            "crypto",
            "rtcp-mux",
            "msid",
        ] {
            assert!(!audio.has(strange), "{strange}");
        }
    }
}

#[test]
fn reports_go_where_the_peer_says() {
    for (line, expected) in [
        ("a=rtcp:50000\r\n", Some("192.0.2.9:50000")),
        ("a=rtcp:50000 IN IP4 192.0.2.7\r\n", Some("192.0.2.7:50000")),
        ("a=rtcp-mux\r\n", None),
        ("a=rtcp:0\r\n", None),
    ] {
        let (agreed, answer) = take(&[Keying::Plain], &offer("RTP/AVP", line)).unwrap();
        let expected = expected.map(|address| address.parse().unwrap());
        assert_eq!(rtp(&agreed).rtcp, expected, "{line}");
        assert_eq!(answer.media[0].has("rtcp-mux"), line == "a=rtcp-mux\r\n");
        assert!(agreed.has_reports());
    }
}

#[test]
fn keys_of_a_description_are_answered_by_keys_of_ours_under_their_tag() {
    for protocol in ["RTP/SAVP", "RTP/SAVPF", "RTP/AVP"] {
        let (agreed, answer) = take(&ALL, &offer(protocol, &crypto())).unwrap();
        let ours = answer.crypto(0).unwrap();
        assert_eq!((ours.len(), ours[0].tag), (1, 3));
        assert_eq!(ours[0].key, keys(&agreed).local);
        assert_eq!(keys(&agreed).remote.expose(), [b'A'; 30]);
        assert_ne!(keys(&agreed).local, keys(&agreed).remote);
        assert_eq!(answer.media[0].protocol, protocol);
    }
}

#[test]
fn short_tags_are_taken_only_if_there_are_no_others() {
    let short = format!("a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}\r\n");
    let both = format!("{short}{}", crypto());
    let suite = |lines: &str| {
        let (agreed, _) = take(&[Keying::Sdes], &offer("RTP/SAVP", lines)).unwrap();
        keys(&agreed).suite
    };
    assert_eq!(suite(&both), CryptoSuite::Aes128CmSha1_80);
    assert_eq!(suite(&short), CryptoSuite::Aes128CmSha1_32);
}

#[test]
fn what_is_taken_goes_by_what_is_allowed_and_best_first() {
    let fingerprint = format!(
        "a=ice-ufrag:them\r\na=ice-pwd:themthemthemthemthemthem\r\na=fingerprint:{FINGERPRINT}\r\na=setup:actpass\r\n"
    );
    let everything = format!("{fingerprint}{}", crypto());
    let kind = |media: &[Keying], offer: &str| {
        take(media, offer).map(|(agreed, _)| agreed.transport.keying.kind())
    };
    let avp = offer("RTP/AVP", &everything);
    for first in ALL {
        let mut media = ALL.to_vec();
        media.sort_by_key(|keying| *keying != first);
        assert_eq!(kind(&media, &avp), Ok(first));
        assert_eq!(kind(&[first], &avp), Ok(first));
    }
    let plain = offer("RTP/AVP", "");
    let none = |why| Err(Refusal::Incompatible(why));
    assert_eq!(kind(&[Keying::Dtls], &plain), Err(Refusal::PlainRtp));
    assert_eq!(
        kind(&[Keying::Dtls, Keying::Sdes], &plain),
        Err(Refusal::PlainRtp)
    );
    assert_eq!(
        kind(&[Keying::Plain], &offer("RTP/SAVP", &crypto())),
        none(Incompatible::Keying)
    );
    assert_eq!(
        kind(&[Keying::Dtls], &offer("RTP/SAVP", &crypto())),
        none(Incompatible::NoDtls)
    );
    let browser = offer("UDP/TLS/RTP/SAVPF", &everything);
    assert_eq!(
        kind(&[Keying::Sdes, Keying::Plain], &browser),
        none(Incompatible::Keying)
    );
    // Two sections for one sound: the one that is protected.
    let two = format!("{plain}m=audio 30002 RTP/SAVP 0\r\n{}", crypto());
    let (agreed, answer) = take(&[Keying::Sdes, Keying::Plain], &two).unwrap();
    assert_eq!(agreed.transport.keying.kind(), Keying::Sdes);
    assert_eq!((answer.media[0].port, answer.media[1].port), (0, 40_000));
}

#[test]
fn bad_keys_are_refused_with_their_reason() {
    let refusal = |lines: &str| take(&ALL, &offer("RTP/SAVP", lines)).unwrap_err();
    let keys = |fault| Refusal::Keys(fault);
    assert_eq!(refusal(""), keys(CryptoFault::Missing));
    let same = format!("{}{}", crypto(), crypto().replace("_80", "_32"));
    assert_eq!(refusal(&same), keys(CryptoFault::SameTag(3)));
    assert_eq!(
        refusal(&crypto().replace("|2^31", "|1:4")),
        keys(CryptoFault::KeyIdentifier(3))
    );
    assert_eq!(
        refusal(&crypto().replace("|2^31", "|0")),
        keys(CryptoFault::Lifetime(3))
    );
    assert_eq!(
        refusal(&crypto().replace("AES_CM_128", "F8_128")),
        keys(CryptoFault::UnknownSuite(3))
    );
    let short = refusal(&crypto().replace(KEY, "QUFB"));
    assert!(short.to_string().contains("30 octets"), "{short}");
    assert!(!short.to_string().contains("QUFB"), "{short}");
    let mut ours = negotiation(&[Keying::Sdes]);
    let echo = ours
        .offer(local(&parameters()), Direction::SendRecv)
        .unwrap();
    let echoed = ours.accept(&echo, false).unwrap_err();
    assert!(
        matches!(echoed, Ok(Refusal::Keys(CryptoFault::NotOne(6)))),
        "{echoed:?}"
    );
    let one: String = (echo.split_inclusive("\r\n"))
        .filter(|line| !line.starts_with("a=crypto:") || line.starts_with("a=crypto:4 "))
        .collect();
    let echoed = ours.accept(&one, false).unwrap_err();
    assert_eq!(echoed, Ok(Refusal::Keys(CryptoFault::OurKey(4))));
    for (unoffered, tag) in [
        ("a=crypto:9 AES_CM_128_HMAC_SHA1_80", 9),
        ("a=crypto:1 AES_CM_128_HMAC_SHA1_80", 1),
    ] {
        let answer = offer("RTP/SAVP", &format!("{unoffered} inline:{KEY}\r\n"));
        let refused = ours.accept(&answer, false).unwrap_err();
        assert_eq!(refused, Ok(Refusal::Keys(CryptoFault::NotOffered(tag))));
    }
}

#[test]
fn our_offer_and_our_answer_agree_on_keys() {
    let all = Terms {
        media: ALL.to_vec(),
        ..terms()
    };
    let (mut a, mut b) = (negotiation(&[Keying::Sdes]), negotiation_of(all, 3));
    let text = a.offer(local(&parameters()), Direction::SendRecv).unwrap();
    let offered = Description::parse(&text).unwrap();
    assert_eq!(offered.media[0].protocol, "RTP/SAVP");
    assert!(offered.attributes.is_empty(), "{text}");
    let suites: Vec<_> = offered
        .crypto(0)
        .unwrap()
        .iter()
        .map(|line| line.suite)
        .collect();
    assert_eq!(suites, CryptoSuite::ALL);
    let at_b = b.receive_offer(&text, Direction::SendRecv).unwrap();
    let answer = b.answer(local(&parameters())).unwrap();
    let at_a = a.accept(&answer, false).unwrap();
    assert_eq!(keys(&at_a).suite, CryptoSuite::AeadAes256Gcm);
    assert_eq!(keys(&at_a).local, keys(&at_b).remote);
    assert_eq!(keys(&at_a).remote, keys(&at_b).local);
    // ICE was offered, and is used.
    assert!(at_a.transport.ufrag().is_some() && at_b.transport.ufrag().is_some());
    // A later offer has the same keys, and no short tag any more.
    let again = b.offer(local(&parameters()), Direction::SendRecv).unwrap();
    let lines = Description::parse(&again).unwrap().crypto(0).unwrap();
    assert_eq!(lines[0].key, keys(&at_b).local);
    assert!(lines.iter().all(|line| !line.suite.has_short_tag()));
    let later = a.receive_offer(&again, Direction::SendRecv).unwrap();
    assert_eq!(keys(&later), keys(&at_a));
}

#[test]
fn a_negotiation_that_is_printed_shows_no_key() {
    let mut negotiation = negotiation(&[Keying::Sdes]);
    let offer = negotiation
        .offer(local(&parameters()), Direction::SendRecv)
        .unwrap();
    let answer = self::offer("RTP/SAVP", &crypto().replace("crypto:3", "crypto:4"));
    negotiation.accept(&answer, true).unwrap();
    let text = format!("{negotiation:?}");
    for line in Description::parse(&offer).unwrap().crypto(0).unwrap() {
        let value = line.value();
        let (_, key) = value.split_once("inline:").unwrap();
        assert!(!text.contains(key), "{text}");
    }
    assert!(!text.contains(KEY) && !text.contains("1, 1, 1"), "{text}");
}

#[test]
fn no_later_offer_takes_protection_away() {
    let sdes = offer("RTP/SAVP", &crypto());
    let plain = offer("RTP/AVP", "");
    let short = offer(
        "RTP/SAVP",
        &format!("a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:{KEY}\r\n"),
    );
    let mut negotiation = negotiation(&ALL);
    negotiation
        .receive_offer(&sdes, Direction::SendRecv)
        .unwrap();
    negotiation.answer(local(&parameters())).unwrap();
    let refused = negotiation.receive_offer(&plain, Direction::SendRecv);
    let downgrade = Refusal::Incompatible(Incompatible::Downgrade);
    assert_eq!(refused.unwrap_err(), Ok(downgrade));
    let refused = negotiation.receive_offer(&short, Direction::SendRecv);
    assert_eq!(refused.unwrap_err(), Ok(Refusal::Keys(CryptoFault::Weaker)));
    // Nor does the answer to an offer of ours.
    negotiation
        .offer(local(&parameters()), Direction::SendRecv)
        .unwrap();
    assert!(negotiation.accept(&plain, false).is_err());
    negotiation.rollback();
    negotiation
        .receive_offer(&sdes, Direction::SendRecv)
        .unwrap();
    negotiation.answer(local(&parameters())).unwrap();
    // More is taken.
    let mut negotiation = self::negotiation(&ALL);
    negotiation
        .receive_offer(&plain, Direction::SendRecv)
        .unwrap();
    negotiation.answer(local(&parameters())).unwrap();
    let agreed = negotiation
        .receive_offer(&sdes, Direction::SendRecv)
        .unwrap();
    assert_eq!(agreed.transport.keying.kind(), Keying::Sdes);
}

#[test]
fn ice_is_used_if_the_address_is_one_of_its_candidates() {
    let ice = "a=ice-ufrag:them\r\na=ice-pwd:themthemthemthemthemthem\r\n";
    let candidate =
        |ip: &str| format!("{ice}a=candidate:1 1 udp 2130706431 {ip} 30000 typ host\r\n");
    let with_ice = |lines: &str| {
        let (agreed, answer) = take(&[Keying::Plain], &offer("RTP/AVP", lines)).unwrap();
        assert_eq!(
            agreed.transport.ufrag().is_some(),
            answer.media[0].has("ice-ufrag")
        );
        agreed.transport.ufrag().is_some()
    };
    assert!(with_ice(&candidate("192.0.2.9")));
    // Somebody between has put himself in the place of the address, and knows no ICE.
    assert!(!with_ice(&candidate("192.0.2.8")));
}

#[test]
fn an_address_that_is_none_is_refused() {
    for named in ["media.example.com", "224.0.0.1", "255.255.255.255"] {
        let offer =
            offer("RTP/AVP", "").replace("c=IN IP4 192.0.2.9", &format!("c=IN IP4 {named}"));
        let refusal = take(&[Keying::Plain], &offer).unwrap_err();
        assert_eq!(
            refusal,
            Refusal::Incompatible(Incompatible::NoAddress),
            "{named}"
        );
    }
    let held = offer("RTP/AVP", "").replace("c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0");
    let (agreed, _) = take(&[Keying::Plain], &held).unwrap();
    assert_eq!(rtp(&agreed).rtp, None);
    assert_eq!(agreed.audio.remote_direction, Direction::SendOnly);
}

#[test]
fn pictures_are_not_sent_without_dtls() {
    let offer = format!(
        "{}m=video 30002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n",
        offer("RTP/AVP", "")
    );
    let mut negotiation = negotiation(&[Keying::Plain]);
    negotiation.wish_video(vec![VideoWish {
        content: Content::Camera,
        direction: Direction::SendRecv,
        codecs: vec![::video::VideoCodec::Vp8],
    }]);
    let agreed = negotiation
        .receive_offer(&offer, Direction::SendRecv)
        .unwrap();
    assert!(agreed.video.is_empty());
    let answer = negotiation.answer(local(&parameters())).unwrap();
    assert_eq!(Description::parse(&answer).unwrap().media[1].port, 0);
    let again = negotiation
        .offer(local(&parameters()), Direction::SendRecv)
        .unwrap();
    assert_eq!(Description::parse(&again).unwrap().media[1].port, 0);
}
