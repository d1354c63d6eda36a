//! How far a REFER has come, as a body: `message/sipfrag` (RFC 3420, RFC 3515 §2.4.5).

use sip::endpoint::Body;
use sip::header::ContentType;
use sip::message::{Request, StatusCode};

use crate::door::error::SipStatus;
use crate::door::text::short;

/// The status line that a notification brings; of what follows it nothing is needed.
pub(crate) fn read(request: &Request) -> Option<SipStatus> {
    let content_type = request.headers().typed::<ContentType<'_>>()?.ok()?;
    if !content_type.is_media_type("message/sipfrag") {
        return None;
    }
    let text = String::from_utf8_lossy(request.body());
    let line = text.trim_start().lines().next()?;
    let (version, rest) = line.split_once(' ')?;
    if !version.eq_ignore_ascii_case("SIP/2.0") {
        return None;
    }
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let code = StatusCode::new(code.parse().ok()?)?;
    Some(SipStatus {
        code: code.code(),
        reason: short(reason),
    })
}

/// The body that says it.
pub(crate) fn write(status: &SipStatus) -> Body {
    Body {
        content_type: "message/sipfrag;version=2.0".into(),
        bytes: format!("SIP/2.0 {} {}\r\n", status.code, status.reason).into(),
    }
}

/// A status with the RFC's reason phrase.
pub(crate) fn status(code: u16) -> SipStatus {
    SipStatus {
        code,
        reason: StatusCode::new(code)
            .map_or("", StatusCode::default_reason)
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(content_type: &str, body: &str) -> Option<(u16, String)> {
        let text = format!(
            "NOTIFY sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS c;branch=z9hG4bK1\r\nFrom: <sip:c@b>;tag=1\r\n\
             To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 NOTIFY\r\nMax-Forwards: 70\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let parsed = sip::message::Message::parse(text.into(), sip::message::Leniency::Strict);
        let sip::message::Message::Request(request) = parsed.unwrap().message else {
            panic!("it is a request");
        };
        read(&request).map(|status| (status.code, status.reason))
    }

    #[test]
    fn the_status_line_is_read_whatever_follows() {
        for (body, code, reason) in [
            ("SIP/2.0 100 Trying\r\n", 100, "Trying"),
            ("SIP/2.0 486 Busy Here", 486, "Busy Here"),
            ("sip/2.0 200 OK\r\nTo: <sip:x@y>\r\n", 200, "OK"),
            ("\r\nSIP/2.0 180\r\n", 180, ""),
        ] {
            let read = fragment("message/sipfrag;version=2.0", body);
            assert_eq!(read, Some((code, reason.to_owned())), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_status_line_says_nothing() {
        for (content_type, body) in [
            ("message/sipfrag", ""),
            ("message/sipfrag", "INVITE sip:a@b SIP/2.0\r\n"),
            ("message/sipfrag", "SIP/2.0 999 What\r\n"),
            ("message/sipfrag", "SIP/3.0 200 OK\r\n"),
            ("text/plain", "SIP/2.0 200 OK\r\n"),
        ] {
            assert_eq!(fragment(content_type, body), None, "{body:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let body = write(&status(180));
        let text = String::from_utf8(body.bytes.to_vec()).unwrap();
        assert_eq!(
            fragment(&body.content_type, &text),
            Some((180, "Ringing".into()))
        );
    }
}
