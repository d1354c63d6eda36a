//! Where the session description is in a message: its body, or a part of that.

use sip::header::ContentType;
use sip::message::{Headers, Request, Response};

use crate::door::sdp::Sdp;

/// The session description in a request.
pub(crate) fn of_request(request: &Request) -> Option<Sdp> {
    find(request.headers(), request.body())
}

/// The session description in a response.
pub(crate) fn of_response(response: &Response) -> Option<Sdp> {
    find(response.headers(), response.body())
}

/// What an offer has of pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct OfferedVideo {
    /// Video.
    pub(crate) camera: bool,
    /// A screen or slides (RFC 4796); browsers do not say it, and then a second video counts as one.
    pub(crate) screen: bool,
}

/// What an offer has of pictures; media read it in full once it is accepted.
pub(crate) fn offered_video(offer: &Sdp) -> OfferedVideo {
    let mut offered = OfferedVideo::default();
    let mut sections = offer.as_str().split("\nm=").skip(1);
    let sections = sections.by_ref().filter(|section| is_video(section));
    for section in sections {
        let is_screen = section
            .lines()
            .any(|line| line.trim_end() == "a=content:slides");
        match is_screen || offered.camera {
            true => offered.screen = true,
            false => offered.camera = true,
        }
    }
    offered
}

/// Whether it is a video line that is not refused (RFC 3264 §5.1: port 0).
fn is_video(section: &str) -> bool {
    let mut words = section.split(' ');
    words.next() == Some("video") && words.next().is_some_and(|port| port != "0")
}

fn find(headers: &Headers, body: &[u8]) -> Option<Sdp> {
    if body.is_empty() {
        return None;
    }
    let Some(content_type) = headers.typed::<ContentType<'_>>() else {
        // RFC 3261 §7.4.1 wants a type; what begins so needs none.
        let is_sdp = body.starts_with(b"v=0");
        return is_sdp.then(|| String::from_utf8_lossy(body).into_owned().into());
    };
    let content_type = content_type.ok()?;
    let essence = content_type.value();
    if content_type.is_media_type("application/sdp") {
        return Some(String::from_utf8_lossy(body).into_owned().into());
    }
    match essence.to_ascii_lowercase().starts_with("multipart/") {
        true => {
            let boundary = content_type.params().unquoted("boundary")?;
            part(&String::from_utf8_lossy(body), &boundary)
        }
        false => None,
    }
}

/// The first part of type `application/sdp` in a multipart body (RFC 5621 §3.1).
fn part(body: &str, boundary: &str) -> Option<Sdp> {
    let delimiter = format!("--{boundary}");
    body.split(delimiter.as_str()).skip(1).find_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let is_sdp = head.lines().any(|line| {
            line.split_once(':').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("Content-Type")
                    && value
                        .trim()
                        .to_ascii_lowercase()
                        .starts_with("application/sdp")
            })
        });
        is_sdp.then(|| content.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_in_an_offer_are_known_by_content_or_by_order() {
        let offered = |lines: &str| offered_video(&format!("v=0\r\n{lines}").as_str().into());
        let audio = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n";
        let video = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n";
        let slides = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=content:slides\r\n";
        let refused = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\n";
        let seen = |lines: &[&str]| {
            let offered = offered(&lines.concat());
            (offered.camera, offered.screen)
        };
        assert_eq!(seen(&[audio]), (false, false));
        assert_eq!(seen(&[audio, video]), (true, false));
        assert_eq!(seen(&[audio, video, video]), (true, true));
        assert_eq!(seen(&[audio, slides]), (false, true));
        assert_eq!(seen(&[audio, refused, video]), (true, false));
        assert_eq!(seen(&["m=video", "m=", "m=video \r\n"]), (false, false));
    }

    #[test]
    fn the_sdp_part_of_a_multipart_body_is_found() {
        let body = "--b\r\nContent-Type: text/xml\r\n\r\n<x/>\r\n\
                    --b\r\ncontent-type: application/SDP\r\n\r\nv=0\r\n\r\n--b--\r\n";
        assert_eq!(part(body, "b"), Some("v=0\r\n\r\n".into()));
        assert_eq!(part(body, "c"), None);
    }
}
