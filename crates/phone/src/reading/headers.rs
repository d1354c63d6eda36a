//! The headers of a message as the application gets them.

use sip::message::Headers;

/// Every header in order, without what proves an identity.
pub(crate) fn list(headers: &Headers) -> Vec<(String, String)> {
    let secret = |name: &str| {
        ["Authorization", "Proxy-Authorization"]
            .iter()
            .any(|secret| name.eq_ignore_ascii_case(secret))
    };
    headers
        .iter()
        .filter(|(name, _)| !secret(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
