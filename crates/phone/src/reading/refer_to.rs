//! Whom a REFER names: `Refer-To` written and read (RFC 3515 §2.1, RFC 3891 §7).

use std::fmt::Write;

use sip::header::{ReferTo, Replaces, TypedHeader};
use sip::message::{HeaderName, Request};
use sip::uri::Uri;

use crate::config::Address;
use crate::door::text::is_printable;
use crate::reading::target;

/// Whom the peer wants us to call.
#[derive(Debug, Clone)]
pub(crate) struct Referred {
    pub(crate) target: Uri<'static>,
    /// What the INVITE carries beside: of all that a URI may ask for (RFC 3261 §19.1.5), these.
    pub(crate) headers: Vec<(String, String)>,
    /// The call takes the place of one that the target has.
    pub(crate) attended: bool,
}

/// A `Refer-To` for a plain call.
pub(crate) fn blind(target: &Uri<'_>) -> String {
    format!("<{target}>")
}

/// A `Refer-To` for a call that replaces one at `target`.
pub(crate) fn attended(target: &Uri<'_>, replaces: &Replaces<'_>) -> String {
    let mut escaped = String::new();
    escape(&mut escaped, &replaces.to_string(), false);
    format!("<{}?Replaces={escaped}>", target.to_request_uri())
}

/// Reads the one `Refer-To` of a REFER; a status if it can't be followed.
pub(crate) fn read(request: &Request, own: &Address) -> Result<Referred, u16> {
    let all: Vec<_> = request.headers().all(HeaderName::ReferTo).collect();
    // RFC 3515 §2.4.2: exactly one.
    let [written] = all.as_slice() else {
        return Err(400);
    };
    let escaped = escaped(written);
    let refer_to = ReferTo::parse(escaped.as_deref().unwrap_or(written)).map_err(|_| 400u16)?;
    let uri = refer_to.uri();
    match uri.param("method") {
        Some(method) if !method.eq_ignore_ascii_case("INVITE") => return Err(501),
        Some(_) | None => {}
    }
    let mut headers = Vec::new();
    let replaces = uri
        .headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case("Replaces"))
        .count();
    if replaces > 1 {
        return Err(400);
    }
    let replaces = uri.header("Replaces");
    if let Some(replaces) = &replaces {
        Replaces::parse(replaces).map_err(|_| 400u16)?;
        headers.push(("Replaces".to_owned(), replaces.clone().into_owned()));
        // RFC 3891 §4: who does not know it must not ring as for a new call.
        headers.push(("Require".to_owned(), "replaces".to_owned()));
    }
    let data = uri.header("User-to-User");
    headers.extend(data.map(|data| ("User-to-User".to_owned(), data.into_owned())));
    // RFC 3892 §2.1: passed on unchanged.
    let referred_by = request.headers().get(HeaderName::ReferredBy);
    headers.extend(referred_by.map(|value| ("Referred-By".to_owned(), value.to_owned())));
    if headers.iter().any(|(_, value)| !is_printable(value)) {
        return Err(400);
    }
    Ok(Referred {
        target: target::resolve(uri.as_str(), own).map_err(|_| 416u16)?,
        attended: replaces.is_some(),
        headers,
    })
}

/// A `Refer-To` with the headers of its URI escaped, if somebody has left that out: RFC 3261 §19.1.1 wants
/// `?Replaces=a%40b%3Bto-tag%3D1`, and without brackets there is no end but the value's.
fn escaped(written: &str) -> Option<String> {
    // What stands around the URI stays: a name in quotes may hold brackets too, and after one address none may follow.
    let (before, inner, after) = match written.split_once('<') {
        Some((before, rest)) => {
            let (inner, after) = rest.split_once('>')?;
            (before, inner, after)
        }
        None => ("", written, ""),
    };
    let named = inner.to_ascii_lowercase();
    let at = named
        .find("?replaces=")
        .or_else(|| named.find("&replaces="))?;
    let (target, headers) = inner.split_at(inner[..=at].find('?')?);
    let pairs = headers[1..].split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut written = format!("{name}=");
        escape(&mut written, value, true);
        written
    });
    let pairs = pairs.collect::<Vec<_>>().join("&");
    Some(format!("{before}<{target}?{pairs}>{after}"))
}

fn escape(to: &mut String, value: &str, keep_escapes: bool) {
    for byte in value.bytes() {
        // RFC 3261 §25.1: unreserved; the rest of hnv-unreserved means something to somebody.
        let stays = byte.is_ascii_alphanumeric()
            || b"-_.!~*'()".contains(&byte)
            || (keep_escapes && byte == b'%');
        match stays {
            true => to.push(char::from(byte)),
            false => write!(to, "%{byte:02X}").expect("a String takes everything"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refer(headers: &str) -> Result<Referred, u16> {
        let own = Address {
            scheme: "sip",
            user: "alice".into(),
            domain: "example.com".into(),
        };
        let text = format!(
            "REFER sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS c;branch=z9hG4bK1\r\nFrom: <sip:c@b>;tag=1\r\n\
             To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 REFER\r\nMax-Forwards: 70\r\n\
             {headers}Content-Length: 0\r\n\r\n"
        );
        let parsed = sip::message::Message::parse(text.into(), sip::message::Leniency::Interop);
        let sip::message::Message::Request(request) = parsed.unwrap().message else {
            panic!("it is a request");
        };
        read(&request, &own)
    }

    #[test]
    fn a_target_is_a_sip_or_tel_uri_without_what_it_asks_for() {
        for (refer_to, target) in [
            ("<sip:carol@example.com>", "sip:carol@example.com"),
            ("sip:carol@example.com", "sip:carol@example.com"),
            (
                "\"Carol\" <sips:carol@example.com;method=INVITE?Subject=x&Route=%3Csip:evil%3E>",
                "sips:carol@example.com",
            ),
            ("<tel:+15550100>", "sip:+15550100@example.com;user=phone"),
        ] {
            let referred = refer(&format!("Refer-To: {refer_to}\r\n")).unwrap();
            assert_eq!(referred.target.to_string(), target, "{refer_to}");
            assert!(referred.headers.is_empty(), "{:?}", referred.headers);
        }
    }

    #[test]
    fn of_what_a_uri_asks_for_only_this_is_passed_on() {
        let referred = refer(
            "r: <sip:carol@example.com?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&User-to-User=00ff%3Bencoding%3Dhex&X-Evil=1>\r\n\
             b: <sip:bob@example.com>;cid=\"x\"\r\n",
        )
        .unwrap();
        assert!(referred.attended);
        let header = |name: &str| {
            let all = referred.headers.iter();
            all.clone()
                .find(|(header, _)| header == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(header("Replaces"), Some("a@b;to-tag=1;from-tag=2"));
        assert_eq!(header("Require"), Some("replaces"));
        assert_eq!(header("User-to-User"), Some("00ff;encoding=hex"));
        assert_eq!(
            header("Referred-By"),
            Some("<sip:bob@example.com>;cid=\"x\"")
        );
        assert_eq!(referred.headers.len(), 4);
    }

    #[test]
    fn a_replaces_that_nobody_escaped_or_put_in_brackets_is_read() {
        for refer_to in [
            "sip:carol@example.com?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2",
            "sip:carol@example.com?Replaces=a@b;to-tag=1;from-tag=2",
            "<sip:carol@example.com?Replaces=a@b;to-tag=1;from-tag=2>",
            "\"Carol\" <sip:carol@example.com?replaces=a@b;to-tag=1;from-tag=2>;x=1",
            "<sip:carol@example.com?Subject=x&Replaces=a%40b;to-tag=1;from-tag=2>",
        ] {
            let referred = refer(&format!("Refer-To: {refer_to}\r\n")).unwrap();
            assert_eq!(
                referred.target.to_string(),
                "sip:carol@example.com",
                "{refer_to}"
            );
            assert!(referred.attended);
            assert_eq!(
                referred.headers[0].1, "a@b;to-tag=1;from-tag=2",
                "{refer_to}"
            );
        }
        // Where there is no user, the Call-ID's host is not the target's.
        let referred = refer("Refer-To: <sip:pbx.example?Replaces=a@b;to-tag=1;from-tag=2>\r\n");
        assert_eq!(referred.unwrap().target.to_string(), "sip:pbx.example");
    }

    #[test]
    fn brackets_beside_the_address_are_not_the_address() {
        let hidden = "<sip:mallory@evil.example?Replaces=a@b;to-tag=1;from-tag=2>";
        let named = refer(&format!(
            "Refer-To: \"{hidden}\" <sip:carol@example.com>\r\n"
        ))
        .unwrap();
        assert_eq!(named.target.to_string(), "sip:carol@example.com");
        assert!(!named.attended);
        for refer_to in [
            format!("{hidden}, <sip:carol@example.com>"),
            format!("<sip:carol@example.com>, {hidden}"),
            format!("sip:carol@example.com;x=\"{hidden}\""),
        ] {
            let code = refer(&format!("Refer-To: {refer_to}\r\n")).unwrap_err();
            assert_eq!(code, 400, "{refer_to}");
        }
    }

    #[test]
    fn what_can_not_be_followed_has_a_status() {
        for (headers, code) in [
            ("", 400),
            ("Refer-To: <sip:a@b>, <sip:c@d>\r\n", 400),
            ("Refer-To: <sip:a@b>\r\nRefer-To: <sip:c@d>\r\n", 400),
            ("Refer-To: <sip:a@b;method=BYE>\r\n", 501),
            ("Refer-To: <https://example.com/>\r\n", 416),
            ("Refer-To: <sip:a@b?Replaces=x>\r\n", 400),
            (
                "Refer-To: <sip:a@b?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=y%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n",
                400,
            ),
            (
                "Refer-To: <sip:a@b?Replaces=x%0D%0AX-Evil:1%3Bto-tag%3D1%3Bfrom-tag%3D2>\r\n",
                400,
            ),
        ] {
            assert_eq!(refer(headers).map(|_| ()), Err(code), "{headers:?}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let target: Uri<'static> = "sip:carol@example.com;transport=ws".parse().unwrap();
        let replaces = Replaces::new("a&b=c@d", "to%1", "from");
        let text = attended(&target, &replaces);
        let referred = refer(&format!("Refer-To: {text}\r\n")).unwrap();
        assert_eq!(referred.target.to_string(), target.to_string());
        assert_eq!(referred.headers[0].1, replaces.to_string());
    }
}
