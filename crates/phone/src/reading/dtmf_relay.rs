//! A key in the body of an INFO: `application/dtmf-relay` and `application/dtmf`.

use sip::endpoint::Body;
use sip::header::ContentType;
use sip::message::Request;

use crate::door::dtmf::Tones;

/// Where the sender does not say how long the key was pressed.
const USUAL_DURATION: u32 = 100;
const LONGEST_DURATION: u32 = 6000;

/// The key in a request and how many milliseconds it was pressed, where it holds one.
pub(crate) fn read(request: &Request) -> Option<(Tones, u32)> {
    let content_type = request.headers().typed::<ContentType<'_>>()?.ok()?;
    let relay = content_type.is_media_type("application/dtmf-relay");
    if !relay && !content_type.is_media_type("application/dtmf") {
        return None;
    }
    let body = std::str::from_utf8(request.body()).ok()?;
    let field = |name: &str| {
        body.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let signal = match field("Signal") {
        Some(signal) => signal,
        None if relay => return None,
        None => body.trim(),
    };
    let duration = field("Duration").and_then(|text| text.parse().ok());
    let duration = duration.unwrap_or(USUAL_DURATION).min(LONGEST_DURATION);
    Some((Tones::new(key(signal)?), duration))
}

/// The body that says that a key was pressed for so many milliseconds.
pub(crate) fn write(key: char, duration: u32) -> Body {
    Body {
        content_type: "application/dtmf-relay".into(),
        bytes: format!("Signal={key}\r\nDuration={duration}\r\n").into(),
    }
}

/// A key by its name, or by its number of RFC 4733 §3.2 as some gateways write it.
fn key(signal: &str) -> Option<char> {
    const NUMBERED: [(&str, char); 6] = [
        ("10", '*'),
        ("11", '#'),
        ("12", 'A'),
        ("13", 'B'),
        ("14", 'C'),
        ("15", 'D'),
    ];
    if let Some((_, key)) = NUMBERED.iter().find(|(number, _)| *number == signal) {
        return Some(*key);
    }
    let mut all = signal.chars();
    let key = all.next()?.to_ascii_uppercase();
    let known = key.is_ascii_digit() || "ABCD*#".contains(key);
    (known && all.next().is_none()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(content_type: &str, body: &str) -> Option<(String, u32)> {
        let text = format!(
            "INFO sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS c;branch=z9hG4bK1\r\nFrom: <sip:c@b>;tag=1\r\n\
             To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INFO\r\nMax-Forwards: 70\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let parsed = sip::message::Message::parse(text.into(), sip::message::Leniency::Strict);
        let sip::message::Message::Request(request) = parsed.unwrap().message else {
            panic!("it is a request");
        };
        read(&request).map(|(tone, duration)| (tone.reveal().to_owned(), duration))
    }

    #[test]
    fn every_way_in_which_devices_write_a_key_is_read() {
        for (content_type, body, key, duration) in [
            (
                "application/dtmf-relay",
                "Signal=5\r\nDuration=160\r\n",
                "5",
                160,
            ),
            ("Application/DTMF-Relay", "signal= #\nduration= 90", "#", 90),
            ("application/dtmf-relay", "Signal=*", "*", 100),
            (
                "application/dtmf-relay",
                "Signal=11\r\nDuration=99999",
                "#",
                6000,
            ),
            ("application/dtmf-relay", "Signal=d\r\nDuration=x", "D", 100),
            ("application/dtmf", "7", "7", 100),
            ("application/dtmf", "Signal=7\r\nDuration=80", "7", 80),
        ] {
            let expected = Some((key.to_owned(), duration));
            assert_eq!(info(content_type, body), expected, "{body:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        for (content_type, body) in [
            ("application/dtmf-relay", "5"),
            ("application/dtmf-relay", "Signal=16"),
            ("application/dtmf-relay", "Signal=\r\n"),
            ("application/dtmf", "55"),
            ("application/dtmf", ""),
            ("text/plain", "Signal=5"),
        ] {
            assert_eq!(info(content_type, body), None, "{body:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let body = write('A', 120);
        let text = String::from_utf8(body.bytes.to_vec()).unwrap();
        assert_eq!(info(&body.content_type, &text), Some(("A".into(), 120)));
    }
}
