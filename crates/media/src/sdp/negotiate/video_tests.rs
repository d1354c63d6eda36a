//! Offers and answers with pictures.

use super::tests::{
    FINGERPRINT, ice, local, negotiation, negotiation_with, parameters, simple_offer, terms,
};
use super::video::MOST_APART;
use super::*;
use crate::sdp::{Description, Direction, HeaderExtensions, MediaKind, limit};
use ::video::VideoCodec::{self, H264, Vp8};

const CHROMIUM: &str = include_str!("../../../tests/it/chromium_video.sdp");

fn wish(content: Content, direction: Direction) -> VideoWish {
    VideoWish {
        content,
        direction,
        codecs: VideoCodec::ALL.to_vec(),
    }
}

fn camera() -> VideoWish {
    wish(Content::Camera, Direction::SendRecv)
}

fn screen() -> VideoWish {
    wish(Content::Screen, Direction::SendOnly)
}

/// What somebody wishes for who takes all there is.
fn everything() -> [VideoWish; 2] {
    [camera(), wish(Content::Screen, Direction::RecvOnly)]
}

fn wishing(wishes: &[VideoWish]) -> Negotiation {
    let mut negotiation = negotiation();
    assert!(
        !negotiation.wish_video(wishes.to_vec()),
        "nothing is said yet"
    );
    negotiation
}

fn offer(negotiation: &mut Negotiation) -> String {
    negotiation
        .offer(local(&parameters()), Direction::SendRecv)
        .unwrap()
}

fn answer(negotiation: &mut Negotiation, offer: &str) -> (String, Agreed) {
    let agreed = negotiation
        .receive_offer(offer, Direction::SendRecv)
        .unwrap();
    (negotiation.answer(local(&parameters())).unwrap(), agreed)
}

/// One offers, the other answers: what each then has of video.
fn exchange(a: &mut Negotiation, b: &mut Negotiation) -> [Vec<AgreedVideo>; 2] {
    let offer = offer(a);
    let (answer, at_b) = answer(b, &offer);
    let at_a = a.accept(&answer, false).unwrap();
    [at_a.video, at_b.video]
}

fn shown(agreed: &[AgreedVideo]) -> Vec<(u32, Content, Direction)> {
    let line = |a: &AgreedVideo| (a.line.0, a.content, a.direction);
    agreed.iter().map(line).collect()
}

/// Place by place: the kind, whether it is refused, and the mid.
fn sections(text: &str) -> Vec<(String, bool, String)> {
    let description = Description::parse(text).unwrap();
    let section = |media: &crate::sdp::Media| {
        let mid = media.value("mid").unwrap_or("-").to_owned();
        (media.kind.as_str().to_owned(), media.port == 0, mid)
    };
    description.media.iter().map(section).collect()
}

#[test]
fn two_that_wish_for_it_agree_on_a_camera() {
    let (mut a, mut b) = (wishing(&[camera()]), wishing(&[camera()]));
    let [at_a, at_b] = exchange(&mut a, &mut b);
    let expected = [(1, Content::Camera, Direction::SendRecv)];
    assert_eq!(shown(&at_a), expected);
    assert_eq!(shown(&at_b), expected);
    let (at_a, at_b) = (&at_a[0], &at_b[0]);
    assert_eq!(at_a.send, at_b.receive);
    assert_eq!(at_a.send[0].codec, Vp8);
    assert!(at_a.send.iter().all(|p| p.rtx.is_some()));
    assert_eq!(at_a.send[0].feedback, crate::sdp::FeedbackTypes::ALL);
    assert_eq!((at_a.mid.as_str(), at_a.extensions.mid), ("1", Some(4)));
    assert_eq!(at_a.extensions, at_b.extensions);
    assert_eq!(at_a.remote_sources[0].ssrc, at_b.source.ssrc);
    assert_eq!(at_a.remote_sources[0].rtx, at_b.source.rtx);
    let named = at_a.msid.as_ref().map(|(_, track)| track.as_str());
    assert_eq!(named, Some(at_b.source.track_id.as_str()));
    assert!(!a.wish_video(vec![camera()]) && !b.wish_video(vec![camera()]));
}

#[test]
fn the_two_pictures_of_chromium_are_answered_in_its_terms() {
    let mut ours = wishing(&everything());
    let (text, agreed) = answer(&mut ours, CHROMIUM);
    // Nothing says which is which but their order.
    assert_eq!(
        shown(&agreed.video),
        [
            (1, Content::Camera, Direction::SendRecv),
            (2, Content::Screen, Direction::RecvOnly),
        ]
    );
    let description = Description::parse(&text).unwrap();
    assert_eq!(description.value(0, "group"), Some("BUNDLE 0 1 2"));
    assert_eq!(description.media[1].formats.join(" "), "96 97 108 109");
    assert_eq!(
        description.media[1].values("extmap"),
        [
            "2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
            "4 urn:ietf:params:rtp-hdrext:sdes:mid"
        ]
    );
    let both = HeaderExtensions {
        mid: Some(4),
        send_time: Some(2),
    };
    assert_eq!(agreed.video[0].extensions, both);
    let fmtp = description.media[1].values("fmtp");
    assert!(fmtp.iter().any(|f| f.ends_with("profile-level-id=42e01f")));
    assert!(description.media[1].has("ssrc-group"));
    assert!(!description.media[2].has("ssrc-group"), "we send nothing");
    let sources = |index: usize| {
        let first = agreed.video[index].remote_sources[0];
        (first.ssrc, first.rtx)
    };
    assert_eq!(sources(0), (2_555_111_617, Some(1_977_760_444)));
    assert_eq!(sources(1), (1_761_997_610, Some(59_370_441)));
}

#[test]
fn an_answer_says_no_more_than_was_offered() {
    for (theirs, ours) in [
        (Direction::SendRecv, Direction::SendRecv),
        (Direction::RecvOnly, Direction::SendOnly),
        (Direction::SendOnly, Direction::RecvOnly),
        (Direction::Inactive, Direction::Inactive),
    ] {
        let (mut a, mut b) = (
            wishing(&[wish(Content::Camera, theirs)]),
            wishing(&[camera()]),
        );
        let text = offer(&mut a);
        let (text, agreed) = answer(&mut b, &text);
        assert_eq!(agreed.video[0].direction, ours);
        let answered = Description::parse(&text).unwrap();
        assert_eq!(answered.direction(1), ours);
        assert_eq!(answered.media[1].has("ssrc-group"), ours.sends());
        a.accept(&text, false).unwrap();
        // What we would say stays: our own offer asks for all of it again.
        let text = offer(&mut b);
        assert_eq!(
            Description::parse(&text).unwrap().direction(1),
            Direction::SendRecv
        );
    }
}

#[test]
fn pictures_that_nobody_wants_are_refused_in_place() {
    let (text, agreed) = answer(&mut negotiation(), CHROMIUM);
    assert!(agreed.video.is_empty());
    let refused = |mid: &str| ("video".to_owned(), true, mid.to_owned());
    assert_eq!(sections(&text)[1..], [refused("1"), refused("2")]);
    assert!(text.contains("a=group:BUNDLE 0\r\n"));
    // Who wants a camera wants no screen.
    let (text, agreed) = answer(&mut wishing(&[camera()]), CHROMIUM);
    assert_eq!(
        shown(&agreed.video),
        [(1, Content::Camera, Direction::SendRecv)]
    );
    assert!(sections(&text)[2].1);
    // Nor does a picture that we only want to show make us take theirs.
    let (text, agreed) = answer(&mut wishing(&[screen()]), CHROMIUM);
    assert_eq!(
        shown(&agreed.video),
        [(2, Content::Screen, Direction::SendOnly)]
    );
    assert!(sections(&text)[1].1);
}

#[test]
fn a_peer_that_knows_no_video_is_an_audio_call_and_is_not_asked_again() {
    let (mut a, mut b) = (wishing(&[camera()]), negotiation());
    let [at_a, at_b] = exchange(&mut a, &mut b);
    assert!(at_a.is_empty() && at_b.is_empty());
    assert!(!a.wish_video(vec![camera()]));
    let again = offer(&mut a);
    assert!(sections(&again)[1].1, "{again}");
    a.rollback();
    // Wished for anew, it is offered anew, in the same place and with another mid.
    assert!(!a.wish_video(vec![]));
    assert!(a.wish_video(vec![camera()]));
    let anew = offer(&mut a);
    assert_eq!(
        sections(&anew)[1],
        ("video".to_owned(), false, "2".to_owned())
    );
}

#[test]
fn lines_are_added_stopped_and_revived() {
    let both = [camera(), screen()];
    let (mut a, mut b) = (negotiation(), wishing(&everything()));
    assert_eq!(exchange(&mut a, &mut b), [vec![], vec![]]);
    assert!(a.wish_video(both.to_vec()));
    let [at_a, at_b] = exchange(&mut a, &mut b);
    assert_eq!(
        shown(&at_a),
        [
            (1, Content::Camera, Direction::SendRecv),
            (2, Content::Screen, Direction::SendOnly),
        ]
    );
    assert_eq!(at_b[1].direction, Direction::RecvOnly);
    let ssrc = at_a[1].source.ssrc;

    assert!(a.wish_video(vec![camera()]), "the screen is to be stopped");
    let [at_a, at_b] = exchange(&mut a, &mut b);
    assert_eq!((shown(&at_a).len(), shown(&at_b).len()), (1, 1));

    assert!(a.wish_video(both.to_vec()));
    let revived = offer(&mut a);
    let mids: Vec<String> = sections(&revived)
        .into_iter()
        .map(|(.., mid)| mid)
        .collect();
    assert_eq!(mids, ["0", "1", "3"]);
    let (answered, at_b) = answer(&mut b, &revived);
    assert_eq!(at_b.video.len(), 2);
    assert_eq!(
        a.accept(&answered, false).unwrap().video[1].source.ssrc,
        ssrc
    );
}

#[test]
fn either_side_may_add_and_stop_a_line() {
    let (mut a, mut b) = (wishing(&everything()), wishing(&[camera()]));
    exchange(&mut a, &mut b);
    assert!(b.wish_video(vec![camera(), screen()]));
    let [at_b, at_a] = exchange(&mut b, &mut a);
    assert_eq!((at_a.len(), at_b.len()), (2, 2));
    // What the peer stops is not wished back by us.
    assert!(b.wish_video(vec![screen()]));
    let stopped = offer(&mut b);
    let (_, at_a) = answer(&mut a, &stopped);
    assert_eq!(
        shown(&at_a.video),
        [(2, Content::Screen, Direction::RecvOnly)]
    );
    assert!(!a.wish_video(everything().to_vec()));
}

#[test]
fn an_answer_asks_for_no_more_than_is_offered() {
    let sees = |direction| wish(Content::Camera, direction);
    for (offered, wished, answered) in [
        (
            Direction::RecvOnly,
            Direction::RecvOnly,
            Direction::Inactive,
        ),
        (
            Direction::RecvOnly,
            Direction::SendRecv,
            Direction::SendOnly,
        ),
        (
            Direction::SendOnly,
            Direction::SendRecv,
            Direction::RecvOnly,
        ),
        (
            Direction::SendRecv,
            Direction::RecvOnly,
            Direction::RecvOnly,
        ),
    ] {
        let (mut a, mut b) = (wishing(&[sees(offered)]), wishing(&[sees(wished)]));
        let (text, _) = answer(&mut b, &offer(&mut a));
        let description = Description::parse(&text).unwrap();
        assert_eq!(description.direction(1), answered, "{offered:?} {wished:?}");
        // It is wished for still, and the next offer says so.
        let description = Description::parse(&offer(&mut b)).unwrap();
        assert_eq!(description.direction(1), wished);
    }
}

#[test]
fn whoever_is_held_sees_nothing_and_shows_nothing() {
    let (mut a, mut b) = (wishing(&[camera()]), wishing(&[camera()]));
    exchange(&mut a, &mut b);
    for hold in [Direction::SendOnly, Direction::Inactive] {
        let text = a.offer(local(&parameters()), hold).unwrap();
        let (answered, at_b) = answer(&mut b, &text);
        assert_eq!(at_b.video[0].direction, Direction::Inactive);
        let at_a = a.accept(&answered, false).unwrap();
        assert_eq!(at_a.video[0].direction, Direction::Inactive);
    }
    let [at_a, at_b] = exchange(&mut a, &mut b);
    assert_eq!(at_a[0].direction, Direction::SendRecv);
    assert_eq!(at_b[0].direction, Direction::SendRecv);
}

#[test]
fn an_offer_that_is_rolled_back_leaves_the_lines_as_they_were() {
    let (mut a, mut b) = (wishing(&[camera()]), wishing(&[camera()]));
    exchange(&mut a, &mut b);
    a.wish_video(vec![camera(), screen()]);
    assert_eq!(sections(&offer(&mut a)).len(), 3);
    a.rollback();
    a.wish_video(vec![camera()]);
    assert_eq!(sections(&offer(&mut a)).len(), 2);
    a.rollback();
    let theirs = offer(&mut b);
    a.receive_offer(&theirs, Direction::SendRecv).unwrap();
    a.rollback();
    b.rollback();
    let [at_a, at_b] = exchange(&mut a, &mut b);
    assert_eq!((at_a.len(), at_b.len()), (1, 1));
}

#[test]
fn a_codec_that_only_one_side_has_is_no_line() {
    let only = |codec| VideoWish {
        codecs: vec![codec],
        ..camera()
    };
    let [at_a, at_b] = exchange(&mut wishing(&[only(Vp8)]), &mut wishing(&[only(H264)]));
    assert!(at_a.is_empty() && at_b.is_empty());
    let [at_a, at_b] = exchange(&mut wishing(&[camera()]), &mut wishing(&[only(H264)]));
    let codecs = |agreed: &[AgreedVideo]| -> Vec<VideoCodec> {
        agreed[0].send.iter().map(|p| p.codec).collect()
    };
    assert_eq!((codecs(&at_a), codecs(&at_b)), (vec![H264], vec![H264]));
}

#[test]
fn pictures_outside_of_bundle_without_a_transport_of_their_own_are_refused() {
    for (bundle, mid) in [
        ("", "a=mid:v\r\n"),
        ("a=group:BUNDLE a\r\n", "a=mid:v\r\n"),
        ("a=group:BUNDLE a v\r\n", ""),
    ] {
        let video = format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n{mid}");
        let offer = simple_offer("a=mid:a\r\n").replace("t=0 0\r\n", &format!("t=0 0\r\n{bundle}"));
        let (text, agreed) = answer(&mut wishing(&[camera()]), &(offer + &video));
        assert!(agreed.video.is_empty(), "{bundle}");
        assert!(sections(&text)[1].1, "{bundle}");
    }
}

/// An offer without BUNDLE whose lines of pictures have credentials of their own.
fn offer_apart(lines: usize, more: &str) -> String {
    let line = |n: usize| {
        format!(
            "m=video {} UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=ice-ufrag:video{n}\r\n\
             a=ice-pwd:videovideovideovideovideo\r\na=fingerprint:{FINGERPRINT}\r\n{more}",
            30_002 + 2 * n
        )
    };
    simple_offer("") + &(0..lines).map(line).collect::<String>()
}

#[test]
fn pictures_with_a_transport_of_their_own_are_taken_outside_of_bundle() {
    let (text, agreed) = answer(&mut wishing(&[camera()]), &offer_apart(1, "a=rtcp-mux\r\n"));
    assert!(!text.contains("a=group"), "{text}");
    let apart = agreed.video[0].apart.as_ref().unwrap();
    assert_eq!(apart.ufrag(), Some("video0"));
    assert_eq!(ice(apart).candidates[0].address.port(), 30_002);
    assert_eq!(agreed.video[0].extensions, HeaderExtensions::default());
    // Without RTCP on the same port there is nobody to ask for a key frame.
    let (_, agreed) = answer(&mut wishing(&[camera()]), &offer_apart(1, ""));
    assert!(agreed.video.is_empty());
}

#[test]
fn of_two_lines_that_share_a_transport_outside_of_that_of_the_sound_the_first_is_taken() {
    let offer = offer_apart(3, "a=rtcp-mux\r\n").replace("ufrag:video1", "ufrag:video0");
    let (text, agreed) = answer(&mut wishing(&everything()), &offer);
    let lines: Vec<u32> = agreed.video.iter().map(|video| video.line.0).collect();
    assert_eq!(lines, [1, 3]);
    let refused: Vec<bool> = sections(&text).iter().map(|section| section.1).collect();
    assert_eq!(refused, [false, false, true, false]);
}

#[test]
fn only_so_many_lines_have_transports_of_their_own_and_none_behind_relays() {
    let offer = offer_apart(30, "a=rtcp-mux\r\n");
    let (_, agreed) = answer(&mut wishing(&everything()), &offer);
    assert_eq!(agreed.video.len(), MOST_APART);
    let mut relayed = negotiation_with(Terms {
        apart: false,
        ..terms()
    });
    relayed.wish_video(everything().to_vec());
    assert!(answer(&mut relayed, &offer).1.video.is_empty());
}

#[test]
fn what_we_send_is_named_as_long_as_the_line_lives_also_while_we_send_nothing() {
    let named = |sdp: &str| {
        let description = Description::parse(sdp).unwrap();
        let sources = description.sources(1);
        (
            sources.first().map(|source| source.ssrc),
            description.msid(1).is_some(),
        )
    };
    let (mut a, mut b) = (wishing(&[camera()]), wishing(&[camera()]));
    let first = offer(&mut a);
    let said = named(&answer(&mut b, &first).0);
    assert!(said.0.is_some() && said.1);
    // The peer holds as JsSIP does, then shows something again.
    for direction in ["sendonly", "inactive", "sendrecv"] {
        let held = first.replace("a=sendrecv", &format!("a={direction}"));
        assert_eq!(named(&answer(&mut b, &held).0), said, "{direction}");
    }
    // We show nothing for a while.
    b.wish_video(vec![wish(Content::Camera, Direction::RecvOnly)]);
    assert_eq!(named(&answer(&mut b, &first).0), said);
    let text = offer(&mut b);
    assert!(text.contains("a=recvonly"));
    assert_eq!(named(&text), said);
    // Who never showed anything has nothing to name.
    let mut watching = wishing(&[wish(Content::Camera, Direction::RecvOnly)]);
    assert_eq!(named(&answer(&mut watching, &first).0), (None, false));
}

#[test]
fn a_screen_that_comes_again_on_another_line_is_a_screen_and_the_line_before_is_let_go() {
    let line = |mid: &str, direction: &str| {
        format!(
            "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=mid:{mid}\r\na={direction}\r\n"
        )
    };
    let offer = |lines: &[(&str, &str)]| {
        let mids: Vec<&str> = lines.iter().map(|(mid, _)| *mid).collect();
        let group = format!("t=0 0\r\na=group:BUNDLE a {}\r\n", mids.join(" "));
        let head = simple_offer("a=mid:a\r\n").replace("t=0 0\r\n", &group);
        head + &lines
            .iter()
            .map(|(mid, direction)| line(mid, direction))
            .collect::<String>()
    };
    let contents = |agreed: &Agreed| -> Vec<(u32, Content)> {
        agreed
            .video
            .iter()
            .map(|video| (video.line.0, video.content))
            .collect()
    };
    let mut watching = wishing(&everything());
    let (face, slides) = ((1, Content::Camera), (2, Content::Screen));
    let first = offer(&[("1", "sendrecv"), ("2", "sendrecv")]);
    assert_eq!(contents(&answer(&mut watching, &first).1), [face, slides]);
    let stopped = offer(&[("1", "sendrecv"), ("2", "recvonly")]);
    assert_eq!(contents(&answer(&mut watching, &stopped).1), [face, slides]);
    let again = offer(&[("1", "sendrecv"), ("2", "recvonly"), ("3", "sendrecv")]);
    let (text, agreed) = answer(&mut watching, &again);
    assert_eq!(contents(&agreed), [face, (3, Content::Screen)]);
    assert!(sections(&text)[2].1, "{text}");
    // The line on which we show our own stays what it is, and a picture beside it is somebody else's.
    let mut showing = wishing(&[camera(), wish(Content::Screen, Direction::SendRecv)]);
    answer(&mut showing, &first);
    answer(&mut showing, &stopped);
    let agreed = answer(&mut showing, &again).1;
    assert_eq!(contents(&agreed), [face, slides, (3, Content::Guest(0))]);
}

#[test]
fn what_a_section_shows_is_what_it_says_or_else_by_order() {
    let contents = |said: [&str; 4]| -> Vec<Content> {
        let mut offer = simple_offer("a=mid:a\r\n")
            .replace("t=0 0\r\n", "t=0 0\r\na=group:BUNDLE a 0 1 2 3\r\n");
        for (mid, content) in said.iter().enumerate() {
            offer += &format!(
                "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=mid:{mid}\r\n{content}"
            );
        }
        let (_, agreed) = answer(&mut wishing(&everything()), &offer);
        agreed.video.iter().map(|video| video.content).collect()
    };
    use Content::{Camera, Guest, Screen};
    assert_eq!(contents([""; 4]), [Camera, Screen, Guest(0), Guest(1)]);
    let slides = "a=content:slides\r\n";
    assert_eq!(
        contents([slides, "", "", ""]),
        [Screen, Camera, Guest(0), Guest(1)]
    );
    let main = "a=content:speaker,main\r\n";
    assert_eq!(
        contents([main, main, slides, slides]),
        [Camera, Guest(0), Screen, Guest(1)]
    );
    assert_eq!(contents(["a=content:sl\r\n", "", "", ""])[0], Camera);
}

#[test]
fn as_many_lines_as_a_conference_has_are_offered_and_no_more_are_taken() {
    let guests: Vec<VideoWish> = (0..40)
        .map(|n| wish(Content::Guest(n), Direction::SendOnly))
        .collect();
    let (mut a, mut b) = (wishing(&guests), wishing(&everything()));
    let [at_a, at_b] = exchange(&mut a, &mut b);
    assert_eq!((at_a.len(), at_b.len()), (MOST_VIDEO, MOST_VIDEO));
    let bundle: Vec<String> = (0..50).map(|n| n.to_string()).collect();
    let mut offer = simple_offer("a=mid:a\r\n").replace(
        "t=0 0\r\n",
        &format!("t=0 0\r\na=group:BUNDLE a {}\r\n", bundle.join(" ")),
    );
    for mid in 0..50 {
        offer +=
            &format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=mid:{mid}\r\n");
    }
    let (text, agreed) = answer(&mut wishing(&everything()), &offer);
    assert_eq!(agreed.video.len(), MOST_VIDEO);
    let refused = sections(&text)
        .into_iter()
        .filter(|(_, refused, _)| *refused);
    assert_eq!(refused.count(), 50 - MOST_VIDEO);
    const { assert!(limit::MEDIA > 50) };
}

#[test]
fn a_number_that_stands_for_sound_is_not_given_to_pictures() {
    let opus = super::super::Description::parse;
    let offer = simple_offer("a=mid:a\r\na=rtpmap:96 opus/48000/2\r\na=extmap:4 urn:x\r\n")
        .replace("SAVPF 0 8", "SAVPF 96 97")
        .replace("t=0 0\r\n", "t=0 0\r\na=group:BUNDLE a\r\n");
    let mut ours = wishing(&[]);
    answer(&mut ours, &offer);
    assert!(ours.wish_video(vec![camera()]));
    let text = self::offer(&mut ours);
    let description = opus(&text).unwrap();
    assert_eq!(description.media[1].kind, MediaKind::Video);
    assert!(
        !description.media[1]
            .formats
            .iter()
            .any(|f| f == "96" || f == "97")
    );
    assert!(text.contains("a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid"));
    assert!(text.contains("a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"));
}

#[test]
fn hostile_video_sections_are_read_without_harm() {
    for lines in [
        "a=rtpmap:96 rtx/90000\r\na=fmtp:96 apt=96\r\n",
        "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=zz\r\n",
        "a=rtpmap:96 VP8/8000\r\n",
        "a=rtpmap:96 VP8\r\n",
        "a=rtpmap:96\r\na=fmtp:96\r\na=rtcp-fb\r\na=rtcp-fb:\r\na=extmap:\r\na=extmap:999 x\r\n",
    ] {
        let video = format!("m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\n{lines}");
        let offer =
            simple_offer("a=mid:a\r\n").replace("t=0 0\r\n", "t=0 0\r\na=group:BUNDLE a v\r\n");
        let (_, agreed) = answer(&mut wishing(&[camera()]), &(offer + &video));
        assert!(agreed.video.is_empty(), "{lines}");
    }
    let sources: String = (0..900)
        .map(|n| format!("a=ssrc:{n} cname:x\r\n"))
        .collect();
    let text =
        format!("v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ssrc-group:FID 1 1\r\n{sources}");
    let description = Description::parse(&text).unwrap();
    assert!(description.sources(0).len() <= 8);
    assert!(
        description
            .sources(0)
            .iter()
            .all(|source| source.rtx.is_none())
    );
    let long = format!(
        "v=0\r\nm=video 9 RTP/SAVPF 96\r\na=msid:{} t\r\n",
        "x".repeat(65)
    );
    assert_eq!(Description::parse(&long).unwrap().msid(0), None);
}
