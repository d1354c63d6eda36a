//! Limits, and frames that nobody would send on purpose.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sip::header::{Contact, Route, TypedHeader, Via};
use sip::message::{
    HeaderName, Leniency, MAX_HEADERS, MAX_MESSAGE, Message, ParseFault, StatusCode,
};

use crate::compose::{SDP, request, response, start};

fn fault(frame: Vec<u8>) -> ParseFault {
    Message::parse(frame.into(), Leniency::Interop)
        .unwrap_err()
        .fault
}

#[test]
fn a_message_above_64_kib_is_refused() {
    let largest = request(
        "MESSAGE",
        "sip:b@x",
        &["-Content-Length:"],
        &vec![b'x'; MAX_MESSAGE],
    );
    assert_eq!(fault(largest.clone()), ParseFault::TooLarge(largest.len()));
    let fits = largest[..MAX_MESSAGE].to_vec();
    assert!(Message::parse(fits.into(), Leniency::Interop).is_ok());
}

#[test]
fn more_headers_than_256_are_refused() {
    let many = |count| request("OPTIONS", "sip:b@x", &vec!["X: 1"; count], b"");
    assert_eq!(fault(many(MAX_HEADERS)), ParseFault::TooManyHeaders);
    assert!(Message::parse(many(MAX_HEADERS - 8).into(), Leniency::Interop).is_ok());
}

#[test]
fn nul_and_a_bare_carriage_return_are_refused() {
    assert_eq!(
        fault(request("OPTIONS", "sip:b@x", &["X: a\0b"], b"")),
        ParseFault::Nul
    );
    assert_eq!(
        fault(request("OPTIONS", "sip:b@x", &["X: a\rVia: b"], b"")),
        ParseFault::LineEnd
    );
}

#[test]
fn a_header_of_nothing_but_separators_costs_no_more_than_its_length() {
    let began = start();
    for filler in [
        ",", ";", "\"", "<", "\\", "%", ":", "=", " ", "\r\n ", "a,", ";a", "\"a\",",
    ] {
        let long = filler.repeat(MAX_MESSAGE / filler.len() - 400);
        let lines = [format!("Contact: {long}"), format!("X-Long: {long}")];
        let frame = request("OPTIONS", "sip:b@x", &[&lines[0]], b"");
        if let Ok(parsed) = Message::parse(frame.into(), Leniency::Interop) {
            let _ = parsed.message.headers().list::<Contact>().count();
            let _ = parsed
                .message
                .headers()
                .elements(HeaderName::Contact)
                .count();
            let _ = parsed.message.to_bytes();
        }
        let _ = Message::parse(
            request("OPTIONS", "sip:b@x", &[&lines[1]], b"").into(),
            Leniency::Strict,
        );
        let _ = Via::parse(&long);
        let _ = Route::parse(&long);
        let _ = sip::redact(long.as_bytes());
    }
    // Linear work takes milliseconds even unoptimised, quadratic work on 64 KiB minutes.
    assert!(began.elapsed() < Duration::from_secs(20));
}

fn seeds() -> Vec<Vec<u8>> {
    let lines = [
        "Via: SIP/2.0/WSS a.invalid;branch=z9hG4bK1;rport, SIP / 2.0 / UDP [2001:db8::1]:5070",
        "Record-Route: <sip:p;lr>, \"a\\\"b\" <sips:q@[::1]:5;x=%41?h=v>;z",
        "Authorization: Digest username=\"a\", realm=\"b\", nc=00000001, response=\"0\"",
        "Reason: Q.850;cause=16;text=\"x\\\"\"",
        "Replaces: 1@x;to-tag=a;from-tag=b",
        "Session-Expires: 1800;refresher=uas",
        "Date: Sat, 21 Nov 2026 10:11:15 GMT",
        "Subject: folded\r\n over lines \u{e9}",
        "Alert-Info: <http://x>;info=alert-autoanswer",
    ];
    vec![
        request(
            "INVITE",
            "sip:ben%20b:p@[2001:db8::1]:5060;transport=ws",
            &lines,
            SDP.as_bytes(),
        ),
        response(
            "SIP/2.0 407 Proxy Authentication Required",
            &[
                "Proxy-Authenticate: Digest realm=\"a\", nonce=\"b\", qop=\"auth,auth-int\", algorithm=SHA-256",
                "Warning: 399 x \"y\"",
                "Retry-After: 5 (a (b) c);duration=1",
            ],
            b"",
        ),
    ]
}

/// Reads everything that can be read, for the panics.
fn exercise(frame: &[u8]) {
    let _ = sip::redact(frame);
    for leniency in [Leniency::Strict, Leniency::Interop] {
        let parsed = match Message::parse(frame.to_vec().into(), leniency) {
            Ok(parsed) => parsed,
            Err(error) => {
                if let Some(reply) = error.reply() {
                    let own = Message::parse(reply.to_bytes(), Leniency::Interop);
                    let _ = own.map(|own| own.message.to_bytes());
                }
                continue;
            }
        };
        let headers = parsed.message.headers();
        assert!(headers.from().is_ok() && headers.to().is_ok() && headers.via().is_ok());
        assert!(headers.cseq().is_ok() && headers.call_id().is_ok());
        for (name, value) in headers.iter() {
            let _ = (
                headers.get(name),
                headers.elements(name).count(),
                value.len(),
            );
        }
        for address in headers.list::<Contact>().flatten() {
            let _ = (
                address.expires(),
                address.instance().map(str::len),
                address.to_string(),
            );
        }
        let mut changed = parsed.message.clone();
        match &mut changed {
            Message::Request(request) => request.headers_mut().push("X-New", "1").unwrap(),
            Message::Response(response) => response.headers_mut().push("X-New", "1").unwrap(),
        }
        let again = Message::parse(changed.to_bytes(), Leniency::Interop)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(frame)));
        assert_eq!(again.message.body(), parsed.message.body());
        assert_eq!(again.message.headers().to().unwrap(), headers.to().unwrap());
    }
}

#[test]
fn what_is_there_twice_is_answered_in_a_way_that_anybody_reads() {
    let twice = |lines: &[&str]| {
        let frame = request("OPTIONS", "sip:alice@x.invalid", lines, b"");
        let error = Message::parse(frame.into(), Leniency::Interop).unwrap_err();
        error.into_reply().map(|reply| {
            let read = Message::parse(reply.to_bytes(), Leniency::Strict);
            match read.expect("by the letter").message {
                Message::Response(response) => response,
                Message::Request(request) => panic!("{request:?}"),
            }
        })
    };
    for (name, compact, one, two) in [
        ("To", "t", "<sip:alice@example.com>", "<sip:carol@d>"),
        (
            "From",
            "f",
            "<sip:bob@example.com>;tag=1",
            "<sip:eve@d>;tag=2",
        ),
        ("Call-ID", "i", "first@x", "second@x"),
        ("CSeq", "CSEQ", "2 OPTIONS", "3 OPTIONS"),
        ("Max-Forwards", "MAX-FORWARDS", "70", "69"),
    ] {
        for second in [name, compact] {
            let reply = twice(&[&format!("{name}: {one}"), &format!("{second}: {two}")]);
            let reply = reply.unwrap_or_else(|| panic!("no answer to two {name}"));
            assert_eq!(reply.status(), StatusCode::BAD_REQUEST);
            assert!(reply.reason().contains(name), "{}", reply.reason());
            let kept: Vec<&str> = reply.headers().all(name).collect();
            assert!(kept.is_empty() || kept == [one], "{kept:?}");
        }
    }
    for (line, kept) in [
        ("To: <sip:a@b>, <sip:c@d>", "<sip:a@b>"),
        (
            "From: \"x, y\" <sip:a@b>;tag=1,<sip:c@d>;tag=2",
            "\"x, y\" <sip:a@b>;tag=1",
        ),
        ("CSeq: 2 OPTIONS, 3 OPTIONS", "2 OPTIONS"),
    ] {
        let name = line.split(':').next().unwrap();
        let reply = twice(&[line]).unwrap_or_else(|| panic!("no answer to {line}"));
        assert_eq!(reply.headers().all(name).collect::<Vec<_>>(), [kept]);
    }
}

#[test]
fn no_mutation_of_a_message_panics_and_every_accepted_one_can_be_written_and_read_again() {
    let mut rng = StdRng::seed_from_u64(4475);
    let spice: &[u8] = b"\r\n\t \"<>;,:=@%[]?\\/\0\x7f\xff\xc3az09*";
    for seed in seeds() {
        exercise(&seed);
        for _ in 0..3000 {
            let mut frame = seed.clone();
            for _ in 0..=rng.next_u32() % 4 {
                let at = rng.next_u32() as usize % frame.len();
                let byte = spice[rng.next_u32() as usize % spice.len()];
                match rng.next_u32() % 4 {
                    0 => frame[at] = byte,
                    1 => frame.insert(at, byte),
                    2 if frame.len() > 1 => drop(frame.remove(at)),
                    _ => frame.truncate(at.max(1)),
                }
            }
            exercise(&frame);
        }
    }
}
