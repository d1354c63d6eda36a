//! Who sends a message, and who of several phones.

use sip::header::{From, PAssertedIdentity, ReferredBy, To};
use sip::message::{Headers, Request, Response};
use sip::uri::Uri;

use crate::door::peer::Peer;
use crate::door::text::{short, steers};

/// Who sent a request, as its From says.
pub(crate) fn caller(headers: &Headers) -> Peer {
    match headers.typed::<From<'_>>().and_then(Result::ok) {
        Some(from) => Peer {
            display_name: from.display().filter(|name| !name.is_empty()).map(short),
            ..peer(from.uri())
        },
        None => Peer::default(),
    }
}

/// The party that a URI names.
pub(crate) fn peer(uri: &Uri<'_>) -> Peer {
    Peer {
        address: match uri.user_unescaped() {
            // RFC 3323 §4.1.1.3: who is nobody is called so.
            Some(user) if user.trim().is_empty() => "anonymous".to_owned(),
            Some(user) => legible(&user),
            None => uri.host_text().to_owned(),
        },
        uri: uri.to_string(),
        display_name: None,
    }
}

/// A name with what would steer a terminal or turn a line around escaped, as a URI has it.
fn legible(user: &str) -> String {
    let mut name = String::with_capacity(user.len());
    for c in user.chars() {
        match steers(c) {
            true => {
                let octets = c.encode_utf8(&mut [0; 4]).to_owned();
                name.extend(octets.bytes().map(|octet| format!("%{octet:02X}")));
            }
            false => name.push(c),
        }
    }
    name
}

/// `user@host` of the caller: every identity that the server asserts (RFC 3325 §9.1), else From's.
pub(crate) fn caller_addresses(headers: &Headers) -> Vec<String> {
    let asserted: Vec<String> = headers
        .list::<PAssertedIdentity<'_>>()
        .map(|identity| {
            identity.map_or_else(|_| String::new(), |identity| address(identity.0.uri()))
        })
        .collect();
    if !asserted.is_empty() {
        return asserted;
    }
    headers
        .typed::<From<'_>>()
        .and_then(Result::ok)
        // One that can't be read to the letter names nobody who could be trusted.
        .filter(|from| from.uri().is_strict())
        .map(|from| address(from.uri()))
        .into_iter()
        .collect()
}

/// Who a request says it comes from, as `user@host`.
#[derive(Debug)]
pub(crate) struct Claims {
    /// As [`caller_addresses`] has them.
    pub(crate) callers: Vec<String>,
    /// Who sent the caller here (RFC 3892).
    pub(crate) referred_by: Option<String>,
}

/// Reads who a request says it comes from.
pub(crate) fn claims(headers: &Headers) -> Claims {
    let mut referrers = headers.list::<ReferredBy<'_>>();
    // RFC 3892 §3 allows one: of several none is believed.
    let referred_by = match (referrers.next(), referrers.next()) {
        (Some(Ok(by)), None) => Some(address(by.uri())),
        (_, _) => None,
    };
    Claims {
        callers: caller_addresses(headers),
        referred_by,
    }
}

/// `user@host` of a URI in text.
pub(crate) fn address_of(uri: &str) -> Option<String> {
    uri.parse::<Uri<'_>>().ok().map(|uri| address(&uri))
}

/// Whether two `user@host` name the same party. Those that name nobody never do: every caller without a name would be
/// every other.
pub(crate) fn is_same_party(one: &str, other: &str) -> bool {
    let (Some((user, host)), Some((other_user, other_host))) =
        (one.rsplit_once('@'), other.rsplit_once('@'))
    else {
        return false;
    };
    let nameless = ["", "anonymous", "unknown", "unavailable", "restricted"];
    let named = !nameless
        .iter()
        .any(|name| user.trim().eq_ignore_ascii_case(name));
    // RFC 3261 §19.1.4: the user part's case matters, the host's does not.
    named && user == other_user && host.eq_ignore_ascii_case(other_host)
}

/// The From tag of a request, empty if it has none.
pub(crate) fn from_tag(request: &Request) -> String {
    let from = request.headers().from();
    from.ok()
        .and_then(|from| from.tag().map(str::to_owned))
        .unwrap_or_default()
}

/// The To tag of a response, empty if it has none.
pub(crate) fn to_tag(response: &Response) -> String {
    let to = response.headers().typed::<To<'_>>();
    to.and_then(Result::ok)
        .and_then(|to| to.tag().map(str::to_owned))
        .unwrap_or_default()
}

fn address(uri: &Uri<'_>) -> String {
    match uri.user_unescaped() {
        Some(user) => format!("{user}@{}", uri.host_text()),
        None => uri.host_text().to_owned(),
    }
}
