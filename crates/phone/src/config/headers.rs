//! The headers that an application adds to messages of ours.

use sip::message::Headers;

use super::ConfigError;
use crate::door::text::{is_printable, is_token};

/// A message has 256 header lines at most, our own among them.
const MOST: usize = 64;
/// Of a name that an error shows: no header is called longer.
const LONGEST_SHOWN: usize = 128;

/// Judges the headers that an option has; what is wrong names the header.
pub(crate) fn check_headers(option: &str, headers: &[(String, String)]) -> Result<(), ConfigError> {
    if headers.len() > MOST {
        return Err(ConfigError::new(
            option,
            format!("at most {MOST} headers"),
            headers.len().to_string(),
        ));
    }
    headers
        .iter()
        .try_for_each(|(name, value)| check(option, name, value))
}

/// RFC 3261 §25.1, and against header injection: a name is a token, a value has no line of its own.
fn check(option: &str, name: &str, value: &str) -> Result<(), ConfigError> {
    let (expected, got) = if !is_token(name) {
        ("named by a token such as 'X-Customer'", "named otherwise")
    } else if !may_be_added(name) {
        (
            "a header that SIP leaves to applications",
            "one that the phone writes itself",
        )
    } else if !is_printable(value) {
        ("a string without control characters", "a string with one")
    } else if Headers::default().push(name, value).is_err() {
        (
            "of at most 32 KiB, with a name of at most 128 characters",
            "longer",
        )
    } else {
        return Ok(());
    };
    let shown: String = name.escape_debug().take(LONGEST_SHOWN).collect();
    Err(ConfigError::new(format!("{option}.{shown}"), expected, got))
}

/// Says whether a header is an application's to write: the stack writes and reads the others itself.
pub(crate) fn may_be_added(name: &str) -> bool {
    use sip::message::HeaderName as Known;
    let stacks = [
        Known::Via,
        Known::From,
        Known::To,
        Known::CallId,
        Known::CSeq,
        Known::Contact,
        Known::MaxForwards,
        Known::Route,
        Known::RecordRoute,
        Known::ContentLength,
        Known::ContentType,
        Known::Authorization,
        Known::ProxyAuthorization,
        Known::WwwAuthenticate,
        Known::ProxyAuthenticate,
        Known::Allow,
        Known::Supported,
        Known::Expires,
        Known::MinExpires,
        Known::SessionExpires,
        Known::MinSe,
        Known::RAck,
        Known::RSeq,
        Known::UserAgent,
        Known::Server,
        // They would change what the body means.
        Known::ContentEncoding,
        Known::ContentDisposition,
    ];
    is_token(name) && !Known::lookup(name).is_some_and(|known| stacks.contains(&known))
}
