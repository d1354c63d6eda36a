use super::{HeaderName, Headers, Leniency};
use crate::header::grammar::{Commas, trim};
use crate::header::*;

/// Whether a header may stand once only: always those that identify the message, by the letter
/// every one that is no list (RFC 3261 §7.3.1).
pub(super) fn is_single(name: HeaderName, leniency: Leniency) -> bool {
    let identifying = matches!(
        name,
        HeaderName::From
            | HeaderName::To
            | HeaderName::CallId
            | HeaderName::CSeq
            | HeaderName::MaxForwards
            | HeaderName::ContentLength
    );
    identifying
        || leniency == Leniency::Strict
            && matches!(
                name,
                HeaderName::ContentDisposition
                    | HeaderName::ContentType
                    | HeaderName::Date
                    | HeaderName::Event
                    | HeaderName::Expires
                    | HeaderName::MimeVersion
                    | HeaderName::MinExpires
                    | HeaderName::MinSe
                    | HeaderName::RAck
                    | HeaderName::ReferTo
                    | HeaderName::ReferredBy
                    | HeaderName::Replaces
                    | HeaderName::RetryAfter
                    | HeaderName::RSeq
                    | HeaderName::SessionExpires
                    | HeaderName::SubscriptionState
            )
}

/// Checks every header that has a type here by its whole grammar.
pub(super) fn check(headers: &Headers) -> Result<(), HeaderError> {
    addresses(headers)?;
    each::<Via>(headers)?;
    each::<Date>(headers)?;
    each::<Expires>(headers)?;
    each::<MinExpires>(headers)?;
    each::<MinSe>(headers)?;
    each::<RetryAfter>(headers)?;
    each::<SessionExpires>(headers)?;
    each::<RSeq>(headers)?;
    each::<RAck>(headers)?;
    each::<ContentType>(headers)?;
    each::<ContentDisposition>(headers)?;
    each::<Accept>(headers)?;
    each::<Event>(headers)?;
    each::<SubscriptionState>(headers)?;
    each::<Reason>(headers)?;
    each::<Replaces>(headers)?;
    each::<Allow>(headers)?;
    each::<AllowEvents>(headers)?;
    each::<Supported>(headers)?;
    each::<Require>(headers)?;
    each::<ProxyRequire>(headers)?;
    each::<Unsupported>(headers)?;
    each::<WwwAuthenticate>(headers)?;
    each::<ProxyAuthenticate>(headers)?;
    each::<Authorization>(headers)?;
    each::<ProxyAuthorization>(headers)?;
    each::<AuthenticationInfo>(headers)?;
    warnings(headers)
}

fn addresses(headers: &Headers) -> Result<(), HeaderError> {
    for contact in headers.list::<Contact>() {
        conforming(HeaderName::Contact, contact?.address())?;
    }
    for route in headers.list::<Route>() {
        conforming(HeaderName::Route, Some(&route?.0))?;
    }
    for route in headers.list::<RecordRoute>() {
        conforming(HeaderName::RecordRoute, Some(&route?.0))?;
    }
    for target in headers.list::<ReferTo>() {
        conforming(HeaderName::ReferTo, Some(&target?.0))?;
    }
    for address in headers.list::<PAssertedIdentity>() {
        conforming(HeaderName::PAssertedIdentity, Some(&address?.0))?;
    }
    each::<ReplyTo>(headers)
}

fn conforming(header: HeaderName, address: Option<&NameAddr<'_>>) -> Result<(), HeaderError> {
    let fault = HeaderFault::Syntax;
    match address {
        Some(address) if !address.is_conforming() => Err(HeaderError { header, fault }),
        Some(_) | None => Ok(()),
    }
}

fn each<'h, H: TypedHeader<'h>>(headers: &'h Headers) -> Result<(), HeaderError> {
    headers.list::<H>().try_for_each(|header| header.map(drop))
}

/// RFC 3261 §20.43: `3DIGIT SP warn-agent SP quoted-string`.
fn warnings(headers: &Headers) -> Result<(), HeaderError> {
    let lines = headers.all(HeaderName::Warning);
    for warning in lines.flat_map(Commas::new) {
        let code = trim(warning).split(' ').next().unwrap_or_default();
        if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_digit()) {
            return Err(HeaderError {
                header: HeaderName::Warning,
                fault: HeaderFault::Range,
            });
        }
    }
    Ok(())
}
