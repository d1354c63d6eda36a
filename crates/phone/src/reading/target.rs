//! Whom `call()` calls: a URI, an address or a number.

use sip::uri::{Scheme, Uri};

use crate::config::{Address, escape_user};
use crate::door::error::PhoneError;
use crate::door::text::is_printable;

/// Reads what the application gave. A number is dialled at our own domain (RFC 3261 §19.1.6).
pub(crate) fn resolve(target: &str, own: &Address) -> Result<Uri<'static>, PhoneError> {
    let text = target.trim();
    if text.is_empty() || text.contains("://") || !is_printable(target) {
        return Err(unreadable());
    }
    let known = |scheme: &str| {
        ["sip", "sips", "tel"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    };
    let uri = match text.split_once(':') {
        Some((scheme, _)) if known(scheme) => text.to_owned(),
        Some(_) | None => match text.rsplit_once('@') {
            Some((user, host)) => format!("{}:{}@{host}", own.scheme, escape_user(user)),
            None => local(text, own),
        },
    };
    let uri: Uri<'static> = uri.parse().map_err(|_| unreadable())?;
    match uri.scheme() {
        // Nothing can be reached there.
        Scheme::Sip | Scheme::Sips if uri.port() == Some(0) => Err(unreadable()),
        Scheme::Sip | Scheme::Sips => Ok(uri.to_request_uri()),
        Scheme::Tel => local(uri.user().unwrap_or_default(), own)
            .parse()
            .map_err(|_| unreadable()),
        Scheme::Other => Err(unreadable()),
    }
}

fn local(text: &str, own: &Address) -> String {
    let scheme = own.scheme;
    let domain = &own.domain;
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/'))
        .collect();
    let number = digits.strip_prefix('+').unwrap_or(&digits);
    let dialled = |c: char| c.is_ascii_digit() || c == '*' || c == '#';
    match !number.is_empty() && number.chars().all(dialled) {
        true => format!("{scheme}:{}@{domain};user=phone", escape_user(&digits)),
        false => format!("{scheme}:{}@{domain}", escape_user(text)),
    }
}

fn unreadable() -> PhoneError {
    PhoneError::invalid(
        "target must be a SIP or tel URI, an address such as 'bob@example.com', or a number",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(target: &str) -> Option<String> {
        let own = Address {
            scheme: "sip",
            user: "alice".into(),
            domain: "example.com".into(),
        };
        resolve(target, &own).ok().map(|uri| uri.to_string())
    }

    #[test]
    fn a_target_is_a_uri_an_address_a_name_or_a_number() {
        for (target, uri) in [
            ("sip:bob@other.example", "sip:bob@other.example"),
            ("SIPS:bob@other.example", "SIPS:bob@other.example"),
            ("bob@other.example", "sip:bob@other.example"),
            ("bob", "sip:bob@example.com"),
            (
                "+1 (555) 010-0199",
                "sip:+15550100199@example.com;user=phone",
            ),
            ("*43#", "sip:*43%23@example.com;user=phone"),
            ("tel:+1-555-0100", "sip:+15550100@example.com;user=phone"),
            ("two words", "sip:two%20words@example.com"),
        ] {
            assert_eq!(resolved(target).as_deref(), Some(uri), "{target}");
        }
    }

    #[test]
    fn nothing_of_the_target_can_start_a_header_line() {
        for target in [
            "",
            "  ",
            "sip:bob@example.com\r\nX-Evil: 1",
            "bob\n",
            "bob\0",
            "sip:",
            "sip:bob@",
            "bob@example.com:0",
            "sip:bob@example.com:0",
            "sip:bob@example.com:99999",
            "http://example.com",
        ] {
            assert_eq!(resolved(target), None, "{target:?}");
        }
    }
}
