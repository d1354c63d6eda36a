use std::borrow::Cow;

use super::entry::HeadSpan;
use super::{Forgiven, Leniency, Method, ParseFault, StatusCode, forgive};
use crate::header::grammar::decimal;
use crate::octets;
use crate::uri::{Parts, Uri, UriError};

/// The first line of a message.
pub(super) enum StartLine {
    Request {
        method: Method,
        uri: HeadSpan,
        parts: Parts,
    },
    Status {
        status: StatusCode,
        reason: Cow<'static, str>,
    },
}

/// Reads the line that is `line`.
pub(super) fn read(
    line: &str,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<StartLine, ParseFault> {
    match is_status(line) {
        true => status_line(line, leniency, forgiven),
        false => request_line(line, leniency, forgiven),
    }
}

/// Whether a line is a response's.
pub(super) fn is_status(line: &str) -> bool {
    line.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("SIP/"))
}

/// Whether a line that could not be read was meant as the request line of anything but an ACK.
pub(super) fn is_answerable(line: &str) -> bool {
    !is_status(line) && !line.starts_with("ACK ")
}

fn request_line(
    line: &str,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<StartLine, ParseFault> {
    match usual_request_line(line) {
        Some(usual) => Ok(usual),
        None => any_request_line(line, leniency, forgiven),
    }
}

fn any_request_line(
    line: &str,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<StartLine, ParseFault> {
    let bytes = line.as_bytes();
    let trimmed = line.trim_end_matches([' ', '\t']);
    let first = memchr::memchr(b' ', bytes).ok_or(ParseFault::StartLine)?;
    let last = memchr::memrchr(b' ', trimmed.as_bytes()).ok_or(ParseFault::StartLine)?;
    let method = Method::parse(&line[..first]).ok_or(ParseFault::StartLine)?;
    let middle = line.get(first + 1..last).ok_or(ParseFault::StartLine)?;
    let uri = middle.trim_matches([' ', '\t']);
    version(&trimmed[last + 1..])?;
    if trimmed.len() != line.len() || uri.len() != middle.len() {
        forgive(
            Forgiven::StartLineSpacing,
            ParseFault::StartLine,
            leniency,
            forgiven,
        )?;
    }
    let start = uri.as_ptr() as usize - line.as_ptr() as usize;
    let parsed = Uri::parse(uri)?;
    // RFC 3261 §19.1.1, table 1: no headers in a request URI.
    if parsed.parts().has_headers() {
        return Err(UriError::Header.into());
    }
    if !parsed.is_conforming() {
        forgive(
            Forgiven::RequestUri,
            ParseFault::StartLine,
            leniency,
            forgiven,
        )?;
    }
    Ok(StartLine::Request {
        method,
        uri: HeadSpan::new(start, start + uri.len()),
        parts: parsed.parts(),
    })
}

/// Reads a request line that has nothing but one of each part in it, as [`any_request_line`] does.
fn usual_request_line(line: &str) -> Option<StartLine> {
    let bytes = line.as_bytes();
    let space = octets::find(bytes, 0, b' ')?;
    let uri = space + 1;
    let (parts, length) = Parts::usual(&bytes[uri..])?;
    let end = uri + length;
    if &bytes[end..] != b" SIP/2.0" {
        return None;
    }
    Some(StartLine::Request {
        method: Method::parse(&line[..space])?,
        uri: HeadSpan::new(uri, end),
        parts,
    })
}

fn status_line(
    line: &str,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<StartLine, ParseFault> {
    if let Some((status, reason)) = usual_status_line(line) {
        return Ok(StartLine::Status { status, reason });
    }
    any_status_line(line, leniency, forgiven)
}

fn any_status_line(
    line: &str,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<StartLine, ParseFault> {
    let (name, rest) = line.split_once(' ').ok_or(ParseFault::StartLine)?;
    version(name)?;
    let (code, reason) = match rest.split_once(' ') {
        Some(parts) => parts,
        None => {
            forgive(
                Forgiven::MissingReason,
                ParseFault::StartLine,
                leniency,
                forgiven,
            )?;
            (rest, "")
        }
    };
    let code = decimal(code).filter(|_| code.len() == 3);
    let status = code
        .and_then(StatusCode::new)
        .ok_or(ParseFault::StatusCode)?;
    let reason = self::reason(status, reason);
    Ok(StartLine::Status { status, reason })
}

/// Reads a status line with its one space after the code, as [`any_status_line`] does.
fn usual_status_line(line: &str) -> Option<(StatusCode, Cow<'static, str>)> {
    let rest = line.strip_prefix("SIP/2.0 ")?;
    let [a, b, c, b' ', ..] = rest.as_bytes() else {
        return None;
    };
    let status = three_digits([*a, *b, *c]).and_then(StatusCode::new)?;
    Some((status, reason(status, &rest[4..])))
}

fn three_digits(octets: [u8; 3]) -> Option<u16> {
    let [a, b, c] = octets.map(|octet| u16::from(octet.wrapping_sub(b'0')));
    (a < 10 && b < 10 && c < 10).then_some(a * 100 + b * 10 + c)
}

fn reason(status: StatusCode, text: &str) -> Cow<'static, str> {
    match status.default_reason() {
        usual if usual == text => Cow::Borrowed(usual),
        _ => Cow::Owned(text.to_owned()),
    }
}

fn version(text: &str) -> Result<(), ParseFault> {
    if text.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let number = text
        .get(..4)
        .filter(|name| name.eq_ignore_ascii_case("SIP/"));
    let numbered = number
        .and_then(|_| text[4..].split_once('.'))
        .is_some_and(|(a, b)| decimal::<u32>(a).is_some() && decimal::<u32>(b).is_some());
    Err(if numbered {
        ParseFault::Version
    } else {
        ParseFault::StartLine
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::octets::mutilated;

    #[test]
    fn what_is_read_in_one_go_is_what_the_grammar_reads() {
        let requests = [
            "INVITE sip:bob@example.com;lr SIP/2.0",
            "BYE sip:a.b SIP/2.0",
        ];
        let mut usual = 0;
        for line in mutilated(&requests, b" \tS/2.0:;@?>a%") {
            let Some(StartLine::Request { method, uri, parts }) = usual_request_line(&line) else {
                continue;
            };
            let any = any_request_line(&line, Leniency::Strict, &mut Vec::new());
            let Ok(StartLine::Request {
                method: m,
                uri: u,
                parts: p,
            }) = any
            else {
                panic!("{line:?}");
            };
            assert_eq!((m, u.range(), p), (method, uri.range(), parts), "{line:?}");
            usual += 1;
        }
        for line in mutilated(
            &["SIP/2.0 200 OK", "SIP/2.0 486 Busy"],
            b" \t0123456789SIP/.",
        ) {
            let Some((status, reason)) = usual_status_line(&line) else {
                continue;
            };
            let any = any_status_line(&line, Leniency::Strict, &mut Vec::new());
            let Ok(StartLine::Status {
                status: s,
                reason: r,
            }) = any
            else {
                panic!("{line:?}");
            };
            assert_eq!((s, r), (status, reason), "{line:?}");
            usual += 1;
        }
        assert!(usual > 1000);
    }
}
