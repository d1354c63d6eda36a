//! Frames for the tests: a plain message, and what is different about this one.

use std::time::Instant;

use bytes::Bytes;
use sip::message::{Leniency, Message, Request, Response};

pub(crate) const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
                       m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";

/// Where virtual time starts; everything after is added to it.
#[expect(
    clippy::disallowed_methods,
    reason = "an `Instant` has no other beginning"
)]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// A request whose `lines` take the place of the usual headers of the same name; `-Name` leaves
/// one out.
pub(crate) fn request(method: &str, uri: &str, lines: &[&str], body: &[u8]) -> Vec<u8> {
    let cseq = format!("CSeq: 1 {method}");
    frame(&format!("{method} {uri} SIP/2.0"), &cseq, lines, body)
}

/// A response, likewise.
pub(crate) fn response(status_line: &str, lines: &[&str], body: &[u8]) -> Vec<u8> {
    frame(status_line, "CSeq: 1 INVITE", lines, body)
}

fn frame(start: &str, cseq: &str, lines: &[&str], body: &[u8]) -> Vec<u8> {
    let length = format!("Content-Length: {}", body.len());
    let usual = [
        "Via: SIP/2.0/WSS client.invalid;branch=z9hG4bKplain1",
        "Max-Forwards: 70",
        "From: \"Ann\" <sip:ann@example.com>;tag=from1",
        "To: <sip:ben@example.com>",
        "Call-ID: plain-call@client.invalid",
        cseq,
        "Contact: <sip:ann@client.invalid;transport=ws>",
        &length,
    ];
    let mut out = format!("{start}\r\n");
    let replaced = |usual: &str| lines.iter().any(|line| name(line) == name(usual));
    for line in usual.into_iter().filter(|usual| !replaced(usual)) {
        out += line;
        out += "\r\n";
    }
    for line in lines.iter().filter(|line| !line.starts_with('-')) {
        out += line;
        out += "\r\n";
    }
    let mut out = (out + "\r\n").into_bytes();
    out.extend_from_slice(body);
    out
}

fn name(line: &str) -> String {
    let name = line.trim_start_matches('-').split(':').next().unwrap();
    match name.trim().to_ascii_lowercase().as_str() {
        "v" => "via".into(),
        "f" => "from".into(),
        "t" => "to".into(),
        "i" => "call-id".into(),
        "m" => "contact".into(),
        "l" => "content-length".into(),
        other => other.into(),
    }
}

pub(crate) fn parse(frame: impl Into<Bytes>) -> Message {
    Message::parse(frame.into(), Leniency::Interop)
        .unwrap()
        .message
}

pub(crate) fn parse_request(frame: impl Into<Bytes>) -> Request {
    parse(frame).as_request().unwrap().clone()
}

pub(crate) fn parse_response(frame: impl Into<Bytes>) -> Response {
    parse(frame).as_response().unwrap().clone()
}
