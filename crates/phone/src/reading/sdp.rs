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
    fn the_sdp_part_of_a_multipart_body_is_found() {
        let body = "--b\r\nContent-Type: text/xml\r\n\r\n<x/>\r\n\
                    --b\r\ncontent-type: application/SDP\r\n\r\nv=0\r\n\r\n--b--\r\n";
        assert_eq!(part(body, "b"), Some("v=0\r\n\r\n".into()));
        assert_eq!(part(body, "c"), None);
    }
}
