//! RFC 4475 §3.1.2: messages that are wrong.

use sip::header::{Contact, Date};
use sip::message::HeaderName;

use super::{Case, Verdict};
use crate::compose::{SDP, request, response};

pub(super) fn cases() -> Vec<Case> {
    let refused = |name, own| Case {
        name,
        own,
        strict: Verdict::Refused(400),
        interop: Verdict::Refused(400),
        look: |_| unreachable!("it is not read"),
    };
    let dropped = |name, own| Case {
        strict: Verdict::Dropped,
        interop: Verdict::Dropped,
        ..refused(name, own)
    };
    let forgiven = |name, own| Case {
        interop: Verdict::Forgiven,
        look: |_| {},
        ..refused(name, own)
    };
    vec![
        refused("badinv01", badinv01),
        refused("clerr", clerr),
        refused("ncl", ncl),
        refused("scalar02", scalar02),
        dropped("scalarlg", scalarlg),
        refused("quotbal", quotbal),
        refused("ltgtruri", ltgtruri),
        refused("lwsruri", lwsruri),
        // §3.1.2.9, §3.1.2.10: one may be liberal where nothing else can be meant.
        forgiven("lwsstart", lwsstart),
        forgiven("trws", trws),
        refused("escruri", escruri),
        Case {
            // §3.1.2.12: an element may ignore a Date that it has no use for.
            interop: Verdict::Unread,
            look: |message| assert!(message.headers().typed::<Date>().unwrap().is_err()),
            ..refused("baddate", baddate)
        },
        Case {
            // §3.1.2.13: the registrar refuses it when it reads the Contact.
            interop: Verdict::Unread,
            look: |message| assert!(message.headers().typed::<Contact>().unwrap().is_err()),
            ..refused("regbadct", regbadct)
        },
        Case {
            look: |message| {
                let to = message.headers().to().unwrap();
                assert!(!to.is_conforming() && to.uri().is_sip());
            },
            ..forgiven("badaspec", badaspec)
        },
        Case {
            look: |message| {
                let name = message
                    .headers()
                    .from()
                    .unwrap()
                    .display()
                    .unwrap()
                    .to_owned();
                assert!(name.contains(','));
            },
            ..forgiven("baddn", baddn)
        },
        Case {
            strict: Verdict::Refused(505),
            interop: Verdict::Refused(505),
            ..refused("badvers", badvers)
        },
        refused("mismatch01", mismatch01),
        refused("mismatch02", mismatch02),
        dropped("bigcode", bigcode),
    ]
}

fn badinv01() -> Vec<u8> {
    let lines = [
        "Via: SIP/2.0/UDP 192.0.2.9;;,;,,",
        "Contact: \"Ann\" <sip:ann@example.com>;;;;",
    ];
    request("INVITE", "sip:ben@example.com", &lines, SDP.as_bytes())
}

fn clerr() -> Vec<u8> {
    request(
        "INVITE",
        "sip:ben@example.com",
        &["Content-Length: 99999"],
        SDP.as_bytes(),
    )
}

fn ncl() -> Vec<u8> {
    request(
        "INVITE",
        "sip:ben@example.com",
        &["Content-Length: -5"],
        SDP.as_bytes(),
    )
}

fn scalar02() -> Vec<u8> {
    let lines = [
        "CSeq: 99999999999999999999 REGISTER",
        "Max-Forwards: 256",
        "Expires: 1000000000000000000000000",
        "Contact: <sip:ann@client.invalid>;expires=99999999999999",
    ];
    request("REGISTER", "sip:example.com", &lines, b"")
}

fn scalarlg() -> Vec<u8> {
    let lines = [
        "CSeq: 99999999999999999999 INVITE",
        "Retry-After: 99999999999999999999999",
        "Warning: 4294967296 edge \"too large\"",
    ];
    response("SIP/2.0 503 Service Unavailable", &lines, b"")
}

fn quotbal() -> Vec<u8> {
    let lines = ["To: \"Ben B. <sip:ben@example.com>"];
    request("INVITE", "sip:ben@example.com", &lines, SDP.as_bytes())
}

fn ltgtruri() -> Vec<u8> {
    request("INVITE", "<sip:ben@example.com>", &[], SDP.as_bytes())
}

fn lwsruri() -> Vec<u8> {
    request("INVITE", "sip:ben@example.com; lr", &[], SDP.as_bytes())
}

fn lwsstart() -> Vec<u8> {
    request(
        "INVITE",
        " sip:ben@example.com ",
        &["CSeq: 1 INVITE"],
        SDP.as_bytes(),
    )
}

fn trws() -> Vec<u8> {
    let frame = String::from_utf8(request("OPTIONS", "sip:ben@example.com", &[], b"")).unwrap();
    frame
        .replacen("SIP/2.0\r\n", "SIP/2.0   \r\n", 1)
        .into_bytes()
}

fn escruri() -> Vec<u8> {
    let uri = "sip:ben@example.com?Route=%3Csip:edge.example.com%3E";
    request("INVITE", uri, &[], SDP.as_bytes())
}

fn baddate() -> Vec<u8> {
    let lines = ["Date: Sat, 21 Nov 2026 10:00:00 CET"];
    request("INVITE", "sip:ben@example.com", &lines, SDP.as_bytes())
}

fn regbadct() -> Vec<u8> {
    let lines = ["Contact: sip:ann@client.invalid?Route=%3Csip:edge.example.com%3E"];
    request("REGISTER", "sip:example.com", &lines, b"")
}

fn badaspec() -> Vec<u8> {
    let lines = ["To: \"B, Ben\" < sip:ben@example.com >"];
    request("OPTIONS", "sip:ben@example.com", &lines, b"")
}

fn baddn() -> Vec<u8> {
    let lines = ["From: B, Ann <sip:ann@example.com>;tag=1"];
    request("OPTIONS", "sip:ben@example.com", &lines, b"")
}

fn badvers() -> Vec<u8> {
    let frame = String::from_utf8(request("OPTIONS", "sip:ben@example.com", &[], b"")).unwrap();
    frame
        .replacen("com SIP/2.0\r\n", "com SIP/3.1\r\n", 1)
        .into_bytes()
}

fn mismatch01() -> Vec<u8> {
    request("OPTIONS", "sip:ben@example.com", &["CSeq: 1 INVITE"], b"")
}

fn mismatch02() -> Vec<u8> {
    request(
        "UNHEARDOF",
        "sip:ben@example.com",
        &["CSeq: 1 INVITE"],
        SDP.as_bytes(),
    )
}

fn bigcode() -> Vec<u8> {
    response("SIP/2.0 4294967496 beyond a number of 32 bits", &[], b"")
}

#[test]
fn the_reply_to_a_malformed_request_says_what_is_wrong_and_copies_what_it_must() {
    use sip::message::{Leniency, Message};
    let error = Message::parse(clerr().into(), Leniency::Interop).unwrap_err();
    let reply = error.reply().unwrap();
    assert_eq!(reply.status().code(), 400);
    assert!(reply.reason().contains("Content-Length is 99999"));
    let request = crate::compose::parse(super::super::compose::request(
        "INVITE",
        "sip:b@x",
        &[],
        b"",
    ));
    for name in [HeaderName::Via, HeaderName::From, HeaderName::CallId] {
        assert_eq!(reply.headers().get(name), request.headers().get(name));
    }
}

#[test]
fn an_ack_that_cannot_be_read_gets_no_answer() {
    use sip::message::{Leniency, Message};
    let frame = request("ACK", "sip:ben@example.com", &["Content-Length: 7"], b"");
    let error = Message::parse(frame.into(), Leniency::Interop).unwrap_err();
    assert!(error.reply().is_none());
}
