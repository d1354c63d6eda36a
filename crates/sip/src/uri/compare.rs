use super::escape::escaped;
use super::{Scheme, Uri};

/// Parameters that must be in both URIs or in neither (RFC 3261 §19.1.4); `transport` because the
/// examples there say so.
const DECISIVE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

pub(super) fn same(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    // Equal texts are equal, even if a parameter is repeated and so has no one value.
    if a.as_str() == b.as_str() {
        return true;
    }
    match (a.scheme(), b.scheme()) {
        (Scheme::Sip, Scheme::Sip) | (Scheme::Sips, Scheme::Sips) => same_sip(a, b),
        (Scheme::Tel, Scheme::Tel) => same_tel(a, b),
        (Scheme::Other, Scheme::Other) => a.as_str() == b.as_str(),
        (Scheme::Sip | Scheme::Sips | Scheme::Tel | Scheme::Other, _) => false,
    }
}

fn same_sip(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    let hosts = match (a.host(), b.host()) {
        (Some(one), Some(other)) => one.same_as(&other),
        (Some(_) | None, Some(_) | None) => false,
    };
    hosts
        && a.port() == b.port()
        && same_escaped(a.user(), b.user(), false)
        && same_escaped(a.password(), b.password(), false)
        && params_agree(a, b)
        && params_agree(b, a)
        && headers_within(a, b)
        && headers_within(b, a)
}

fn same_escaped(a: Option<&str>, b: Option<&str>, any_case: bool) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same_text(a, b, any_case),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// RFC 3261 §19.1.4: an escaped character equals itself unless it is in the reserved set.
fn same_text(a: &str, b: &str, any_case: bool) -> bool {
    let fold = |unit: Unit| match unit {
        Unit::Plain(byte) if any_case => Unit::Plain(byte.to_ascii_lowercase()),
        Unit::Plain(_) | Unit::Reserved(_) => unit,
    };
    units(a).map(fold).eq(units(b).map(fold))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Plain(u8),
    Reserved(u8),
}

fn units(text: &str) -> impl Iterator<Item = Unit> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let byte = *bytes.get(at)?;
        match escaped(&bytes[at..]) {
            Some(value) => {
                at += 3;
                let reserved = b";/?:@&=+$,".contains(&value);
                Some(if reserved {
                    Unit::Reserved(value)
                } else {
                    Unit::Plain(value)
                })
            }
            None => {
                at += 1;
                Some(Unit::Plain(byte))
            }
        }
    })
}

/// Whether each parameter of `a` is the same in `b`, or may be absent there.
fn params_agree(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    a.params().all(|(name, value)| match find(b, name) {
        Some(other) => same_text(value.unwrap_or_default(), other, true),
        None => !DECISIVE.iter().any(|d| d.eq_ignore_ascii_case(name)),
    })
}

fn find<'u>(uri: &'u Uri<'_>, name: &str) -> Option<&'u str> {
    uri.params()
        .find(|(key, _)| same_text(key, name, true))
        .map(|(_, value)| value.unwrap_or_default())
}

fn headers_within(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    a.headers().all(|(name, value)| {
        b.headers()
            .any(|(key, other)| same_text(name, key, true) && same_text(value, other, false))
    })
}

fn same_tel(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    digits(a).eq(digits(b)) && tel_params_within(a, b) && tel_params_within(b, a)
}

/// RFC 3966 §4: visual separators do not count.
fn digits<'u>(uri: &'u Uri<'_>) -> impl Iterator<Item = u8> + 'u {
    uri.user()
        .unwrap_or_default()
        .bytes()
        .filter(|b| !matches!(b, b'-' | b'.' | b'(' | b')'))
        .map(|b| b.to_ascii_lowercase())
}

fn tel_params_within(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    a.params().all(|(name, value)| {
        find(b, name).is_some_and(|other| same_text(value.unwrap_or_default(), other, true))
    })
}
