//! Any text as a description: no panic, what is read is written and read again, and what is agreed to has an answer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use media::codec::Codec;
use media::sdp::negotiate::{
    Content, Identity, KeySeed, LocalSource, LocalTransport, Negotiation, Terms, VideoWish,
};
use media::sdp::{Description, Direction, ParseError};
use media::transport::{Keying, LocalParameters, Secret, Setup};
use offhook_fuzz::without_leak;
use video::VideoCodec;

fuzz_target!(|bytes: &[u8]| without_leak(|| describe(bytes)));

fn describe(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(read) = Description::parse(&text) else {
        return;
    };
    let written = read.to_string();
    if let Ok(again) = Description::parse(&written) {
        assert_eq!(again.media.len(), read.media.len());
    }
    answer(&text, read.media.len());
}

fn answer(offer: &str, sections: usize) {
    let identity = Identity {
        session_id: 1,
        cname: "c".into(),
        audio: LocalSource {
            ssrc: 1,
            rtx: None,
            stream_id: "s".into(),
            track_id: "t".into(),
        },
        video: KeySeed::new([1; 32]),
        keys: KeySeed::new([2; 32]),
    };
    let terms = Terms {
        codecs: Codec::ALL.to_vec(),
        telephone_event: true,
        ptime: 20,
        dtx: false,
        opus_max_average_bitrate: None,
        apart: true,
        media: vec![Keying::Dtls, Keying::Sdes, Keying::Plain],
    };
    let mut negotiation = Negotiation::new(identity, terms);
    let wishes = [Content::Camera, Content::Screen].map(|content| VideoWish {
        content,
        direction: Direction::SendRecv,
        codecs: VideoCodec::ALL.to_vec(),
    });
    negotiation.wish_video(wishes.to_vec());
    if negotiation
        .receive_offer(offer, Direction::SendRecv)
        .is_err()
    {
        return;
    }
    let parameters = LocalParameters {
        ufrag: "ours".into(),
        pwd: Secret::new("oursoursoursoursoursours"),
        fingerprints: Vec::new(),
        setup: Setup::ActPass,
        candidates: Vec::new(),
    };
    let local = LocalTransport {
        parameters: &parameters,
        apart: &[],
        end_of_candidates: true,
    };
    let answer = negotiation.answer(local).expect("an offer was received");
    // Only its length may keep us from reading what we wrote.
    match Description::parse(&answer) {
        Ok(answer) => assert_eq!(answer.media.len(), sections),
        Err(error) => assert!(matches!(error, ParseError::TooLong { .. }), "{error}"),
    }
}
