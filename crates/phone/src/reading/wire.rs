//! What the phone reads out of SIP messages.

use sip::endpoint::{CommandError, RequestFailure, UsageId};
use sip::header::{ContentType, From, PAssertedIdentity, Reason, ReferredBy, To};
use sip::message::{HeaderName, Headers, Request, Response};
use sip::uri::Uri;

use crate::config::Config;
use crate::door::end_reason::{Causes, RedirectTarget};
use crate::door::error::{ErrorCode, ErrorType, PhoneError, SipStatus};
use crate::reading::{caller_identity, conversation_id};
use crate::session::{Arrival, Peer};

/// Longer reason phrases and names are cut: they are for people.
const LONGEST_TEXT: usize = 256;

/// The status line of a response.
pub(crate) fn status(response: &Response) -> SipStatus {
    SipStatus {
        code: response.status().code(),
        reason: shortened(response.reason()),
    }
}

/// What a request fails with whose answer is no 2xx.
pub(crate) fn refused(response: &Response) -> PhoneError {
    let status = status(response);
    let text = format!("The request was refused: {} {}", status.code, status.reason);
    PhoneError::new(ErrorCode::RequestRefused, ErrorType::Generic, text).with_sip(Some(status))
}

/// What a request fails with that had no answer.
pub(crate) fn unanswered(failure: RequestFailure) -> PhoneError {
    let (code, text) = match failure {
        RequestFailure::Timeout => (
            ErrorCode::RequestTimeout,
            "The request was not answered in time",
        ),
        RequestFailure::Transport => (ErrorCode::NotConnected, "The connection was lost"),
        RequestFailure::DialogEnded => (ErrorCode::SessionEnded, "The session has ended"),
    };
    PhoneError::new(code, ErrorType::Generic, text)
}

/// What a command fails with whose request could not be sent.
pub(crate) fn not_sent(error: &CommandError) -> PhoneError {
    let (code, kind) = match error {
        CommandError::NoFlow => (ErrorCode::NotConnected, ErrorType::Generic),
        CommandError::Header { .. } | CommandError::Target { .. } => {
            (ErrorCode::InvalidArgument, ErrorType::InvalidOptions)
        }
        CommandError::Limit { .. } => (ErrorCode::TooManySessions, ErrorType::Generic),
        CommandError::Unknown
        | CommandError::WrongState { .. }
        | CommandError::OfferPending
        | CommandError::Code { .. } => (ErrorCode::SessionState, ErrorType::Session),
    };
    PhoneError::new(code, kind, error.to_string())
}

/// A header's value for people to read.
pub(crate) fn short(value: &str) -> String {
    value.chars().take(LONGEST_TEXT).collect()
}

/// The media type of a body, as written; empty where there is none.
pub(crate) fn content_type(headers: &Headers) -> String {
    headers
        .get(HeaderName::ContentType)
        .unwrap_or_default()
        .chars()
        .take(LONGEST_TEXT)
        .collect()
}

/// The session description in a response.
pub(crate) fn response_sdp(response: &Response) -> Option<String> {
    sdp(response.headers(), response.body())
}

/// The session description in a request.
pub(crate) fn request_sdp(request: &Request) -> Option<String> {
    sdp(request.headers(), request.body())
}

/// The From tag of a request, empty where it has none.
pub(crate) fn from_tag(request: &Request) -> String {
    let from = request.headers().from();
    from.ok()
        .and_then(|from| from.tag().map(str::to_owned))
        .unwrap_or_default()
}

/// The To tag of a response, empty where it has none.
pub(crate) fn to_tag(response: &Response) -> String {
    let to = response.headers().typed::<To<'_>>();
    to.and_then(Result::ok)
        .and_then(|to| to.tag().map(str::to_owned))
        .unwrap_or_default()
}

/// Where a redirection sends a call.
pub(crate) fn targets(response: &Response) -> Vec<RedirectTarget> {
    let alternatives = sip::endpoint::alternatives(response).into_iter();
    let targets = alternatives.map(|next| RedirectTarget {
        uri: next.uri.to_string(),
        display_name: next.display_name.map(|name| shortened(&name)),
        q: f64::from(next.q) / 1000.0,
    });
    targets.collect()
}

/// What the `Reason` headers of a message say.
pub(crate) fn causes(headers: &Headers) -> Causes {
    let mut causes = Causes::default();
    for reason in headers.list::<Reason<'_>>().filter_map(Result::ok) {
        let text = reason.text().map(|text| shortened(&text));
        causes.add(reason.value(), reason.cause(), text.as_deref());
    }
    causes
}

fn shortened(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).collect()
}

/// Reads an INVITE.
pub(crate) fn arrival(usage: UsageId, request: &Request, config: &Config) -> Arrival {
    let headers = header_list(request.headers());
    let call_id = request
        .headers()
        .get(HeaderName::CallId)
        .unwrap_or_default()
        .trim()
        .to_owned();
    Arrival {
        usage,
        peer: caller(request.headers()),
        identity: caller_identity::read(request.headers()),
        conversation_id: conversation_id::find(&headers, &config.conversation_id_headers, &call_id),
        call_id,
        headers,
        offer: request_sdp(request),
        replaces: None,
    }
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

fn address(uri: &Uri<'_>) -> String {
    match uri.user_unescaped() {
        Some(user) => format!("{user}@{}", uri.host_text()),
        None => uri.host_text().to_owned(),
    }
}

/// Who sent a request, as its From says.
pub(crate) fn caller(headers: &Headers) -> Peer {
    match headers.typed::<From<'_>>().and_then(Result::ok) {
        Some(from) => Peer {
            display_name: from
                .display()
                .filter(|name| !name.is_empty())
                .map(shortened),
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
            Some(user) => user.into_owned(),
            None => uri.host_text().to_owned(),
        },
        uri: uri.to_string(),
        display_name: None,
    }
}

/// Every header in order, without what proves an identity.
pub(crate) fn header_list(headers: &Headers) -> Vec<(String, String)> {
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

fn sdp(headers: &Headers, body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return None;
    }
    let Some(content_type) = headers.typed::<ContentType<'_>>() else {
        // RFC 3261 §7.4.1 wants a type; what begins so needs none.
        let is_sdp = body.starts_with(b"v=0");
        return is_sdp.then(|| String::from_utf8_lossy(body).into_owned());
    };
    let content_type = content_type.ok()?;
    let essence = content_type.value();
    if content_type.is_media_type("application/sdp") {
        return Some(String::from_utf8_lossy(body).into_owned());
    }
    match essence.to_ascii_lowercase().starts_with("multipart/") {
        true => {
            let boundary = content_type.params().unquoted("boundary")?;
            sdp_part(&String::from_utf8_lossy(body), &boundary)
        }
        false => None,
    }
}

/// The first part of type `application/sdp` in a multipart body (RFC 5621 §3.1).
fn sdp_part(body: &str, boundary: &str) -> Option<String> {
    let delimiter = format!("--{boundary}");
    body.split(delimiter.as_str()).skip(1).find_map(|part| {
        let (head, content) = part.split_once("\r\n\r\n")?;
        let is_sdp = head.lines().any(|line| {
            line.split_once(':').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("Content-Type")
                    && value
                        .trim()
                        .to_ascii_lowercase()
                        .starts_with("application/sdp")
            })
        });
        is_sdp.then(|| content.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_many_words_is_cut() {
        let mut headers = Headers::default();
        let long = "é".repeat(10_000);
        let value = format!("SIP;cause=486;text=\"{long}\"");
        headers.push(HeaderName::Reason, &value).unwrap();
        let causes = causes(&headers);
        assert_eq!(causes.sip, Some(486));
        assert_eq!(causes.text, Some("é".repeat(LONGEST_TEXT)));
    }

    #[test]
    fn the_sdp_part_of_a_multipart_body_is_found() {
        let body = "--b\r\nContent-Type: text/xml\r\n\r\n<x/>\r\n\
                    --b\r\ncontent-type: application/SDP\r\n\r\nv=0\r\n\r\n--b--\r\n";
        assert_eq!(sdp_part(body, "b").as_deref(), Some("v=0\r\n\r\n"));
        assert_eq!(sdp_part(body, "c"), None);
    }
}
