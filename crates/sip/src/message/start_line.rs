use std::borrow::Cow;

use super::headers::Span;
use super::{Forgiven, Leniency, Method, ParseFault, StatusCode};
use crate::header::grammar::decimal;
use crate::uri::{Parts, Uri, UriError};

/// The first line of a message.
pub(super) enum StartLine {
    Request {
        method: Method,
        uri: Span,
        parts: Parts,
    },
    Status {
        status: StatusCode,
        reason: Cow<'static, str>,
    },
}

/// Reads the line that is `line` and starts at `offset` of its frame.
pub(super) fn read(
    line: &str,
    offset: usize,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<StartLine, ParseFault> {
    match is_status(line) {
        true => status_line(line, leniency, forgiven),
        false => request_line(line, offset, leniency, forgiven),
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
    offset: usize,
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
        forgive(Forgiven::StartLineSpacing, leniency, forgiven)?;
    }
    let start = offset + (uri.as_ptr() as usize - line.as_ptr() as usize);
    let parsed = Uri::parse(uri)?;
    // RFC 3261 §19.1.1, table 1: no headers in a request URI.
    if parsed.headers().next().is_some() {
        return Err(UriError::Header.into());
    }
    if !parsed.is_conforming() {
        forgive(Forgiven::RequestUri, leniency, forgiven)?;
    }
    Ok(StartLine::Request {
        method,
        uri: Span::new(start, start + uri.len()),
        parts: parsed.parts(),
    })
}

fn status_line(
    line: &str,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<StartLine, ParseFault> {
    let (name, rest) = line.split_once(' ').ok_or(ParseFault::StartLine)?;
    version(name)?;
    let (code, reason) = match rest.split_once(' ') {
        Some(parts) => parts,
        None => {
            forgive(Forgiven::MissingReason, leniency, forgiven)?;
            (rest, "")
        }
    };
    let code = decimal(code).filter(|_| code.len() == 3);
    let status = code
        .and_then(StatusCode::new)
        .ok_or(ParseFault::StatusCode)?;
    let usual = status.default_reason();
    let reason = match reason == usual {
        true => Cow::Borrowed(usual),
        false => Cow::Owned(reason.to_owned()),
    };
    Ok(StartLine::Status { status, reason })
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

fn forgive(
    fault: Forgiven,
    leniency: Leniency,
    forgiven: &mut Vec<Forgiven>,
) -> Result<(), ParseFault> {
    match leniency {
        Leniency::Strict => Err(ParseFault::StartLine),
        Leniency::Interop => {
            forgiven.push(fault);
            Ok(())
        }
    }
}
