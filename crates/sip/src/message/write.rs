use std::io::Write;

use bytes::Bytes;

use super::{HeaderName, Headers};

/// Room for `Content-Length: ` with its number and both line ends.
const CONTENT_LENGTH_ROOM: usize = 32;

pub(super) fn message(start: &[&str], headers: &Headers, body: &Bytes) -> Bytes {
    let start_length: usize = start.iter().map(|part| part.len()).sum();
    let length = start_length + headers.written_length() + CONTENT_LENGTH_ROOM + body.len();
    let mut out = Vec::with_capacity(length);
    for part in start {
        out.extend_from_slice(part.as_bytes());
    }
    headers.write(&mut out);
    write!(out, "Content-Length: {}\r\n\r\n", body.len()).expect("a Vec takes everything");
    out.extend_from_slice(body);
    out.into()
}

pub(super) fn remove_body_headers(headers: &mut Headers) {
    for name in [
        HeaderName::ContentType,
        HeaderName::ContentDisposition,
        HeaderName::ContentEncoding,
        HeaderName::ContentLanguage,
    ] {
        headers.remove(name);
    }
}
