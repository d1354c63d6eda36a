//! What a message or an INFO of ours may carry.

use sip::endpoint::Body;
use sip::header::{ContentType, TypedHeader};
use sip::message::{HeaderName, Headers};

use crate::door::content::Content;
use crate::door::error::PhoneError;
use crate::door::text::short;

/// A SIP message has at most 64 KiB; this leaves room for its headers.
const LONGEST: usize = 56 * 1024;
/// RFC 6838 §4.2 allows 127 characters and a subtype of as many; parameters have the rest.
const LONGEST_TYPE: usize = 1024;

/// Makes a body of what the application gave.
pub(crate) fn body(content_type: &str, content: &Content) -> Result<Body, PhoneError> {
    check_type(content_type)?;
    let text = content.reveal();
    if text.len() > LONGEST {
        return Err(PhoneError::invalid("body must have 56 KiB at most"));
    }
    Ok(Body {
        content_type: content_type.to_owned(),
        bytes: text.to_owned().into(),
    })
}

/// Judges a media type that the application gave.
pub(crate) fn check_type(content_type: &str) -> Result<(), PhoneError> {
    let is_one_line =
        content_type.len() <= LONGEST_TYPE && !content_type.chars().any(char::is_control);
    let read = ContentType::parse(content_type);
    match is_one_line && read.is_ok_and(|read| read.value().contains('/')) {
        true => Ok(()),
        false => Err(PhoneError::invalid(
            "contentType must be a media type such as 'text/plain'",
        )),
    }
}

/// The media type of a body, as written; empty if there is none.
pub(crate) fn content_type(headers: &Headers) -> String {
    headers
        .get(HeaderName::ContentType)
        .map(short)
        .unwrap_or_default()
}

/// The text of a received body; what is no UTF-8 in it is replaced.
pub(crate) fn of_bytes(bytes: &[u8]) -> Content {
    Content::new(String::from_utf8_lossy(bytes))
}

/// Whether a received body is text, whatever its type is called: UTF-8 without a NUL, which no text has.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'))
}
