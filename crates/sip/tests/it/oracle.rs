//! The same messages through `sipx-sip`, a parser that we did not write.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sip::header::{Contact, Route, Via};
use sip::message::{Leniency, Message, StatusCode};

use crate::compose::{SDP, request, response};

fn corpus() -> Vec<Vec<u8>> {
    let contact = "Contact: \"A, B\" <sip:ann@x.invalid;transport=ws;ob>;reg-id=1;expires=600\
                   ;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000A95A0E128>\"";
    vec![
        request("INVITE", "sip:ben@example.com", &[], SDP.as_bytes()),
        request("REGISTER", "sip:example.com", &[contact], b""),
        request(
            "BYE",
            "sip:b@[2001:db8::1]:5070;transport=ws",
            &["Route: <sip:a;lr>,<sip:b;lr>", "Route: <sip:c;lr>"],
            b"",
        ),
        request(
            "MESSAGE",
            "sip:%61%20b@example.com;x=y",
            &["Subject: a\r\n b", "X-O: ;;,"],
            b"hello",
        ),
        request(
            "OPTIONS",
            "tel:+1-555-0100;phone-context=x",
            &["v: SIP/2.0/UDP h;branch=z9hG4bKa , SIP/2.0/TCP i:5070"],
            b"",
        ),
        response(
            "SIP/2.0 180 Ringing",
            &["To: \"B \\\"q\\\"\" <sip:ben@example.com>;tag=1"],
            b"",
        ),
        response(
            "SIP/2.0 200 OK",
            &["Record-Route: <sip:p;lr>", contact],
            SDP.as_bytes(),
        ),
        response(
            "SIP/2.0 487 ",
            &["Reason: SIP;cause=200;text=\"a, b\""],
            b"",
        ),
    ]
}

fn theirs(frame: &[u8]) -> Result<sipx_sip::Message, String> {
    let limits = sipx_sip::parser::Limits::datagram();
    let frame = bytes::Bytes::copy_from_slice(frame);
    sipx_sip::parser::parse_datagram(frame, &limits).map_err(|error| format!("{error:?}"))
}

fn ours(frame: &[u8]) -> Result<Message, String> {
    let parsed = Message::parse(frame.to_vec().into(), Leniency::Interop);
    parsed
        .map(|parsed| parsed.message)
        .map_err(|error| error.to_string())
}

fn start_of(message: &Message) -> (String, Option<u16>) {
    match message {
        Message::Request(request) => (request.method().to_string(), None),
        Message::Response(response) => (String::new(), Some(StatusCode::code(response.status()))),
    }
}

fn compare(frame: &[u8]) {
    let (Ok(ours), Ok(theirs)) = (ours(frame), theirs(frame)) else {
        return;
    };
    let text = String::from_utf8_lossy(frame);
    let start = match &theirs {
        sipx_sip::Message::Request(r) => (
            String::from_utf8_lossy(r.method.as_bytes()).into_owned(),
            None,
        ),
        sipx_sip::Message::Response(r) => (String::new(), Some(r.status.code())),
    };
    assert_eq!(start_of(&ours), start, "{text}");
    assert_eq!(ours.body(), theirs.body(), "{text}");
    assert_eq!(ours.headers().len(), theirs.headers().len(), "{text}");
    for ((name, value), other) in ours.headers().iter().zip(theirs.headers().iter()) {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let unfolded = other.value();
        let Ok(other) = std::str::from_utf8(&unfolded) else {
            continue;
        };
        assert_eq!(words(value), words(other), "{name} in {text}");
    }
}

#[test]
fn both_parsers_take_our_corpus_and_read_the_same_out_of_it() {
    for frame in corpus() {
        let text = String::from_utf8_lossy(&frame).into_owned();
        assert!(ours(&frame).is_ok(), "{text}");
        theirs(&frame).unwrap_or_else(|error| panic!("{error}: {text}"));
        compare(&frame);
    }
}

#[test]
fn both_parsers_read_the_same_out_of_whatever_both_accept() {
    let mut rng = StdRng::seed_from_u64(8);
    for seed in corpus() {
        for _ in 0..400 {
            let mut frame = seed.clone();
            for _ in 0..=rng.next_u32() % 2 {
                let at = rng.next_u32() as usize % frame.len();
                frame[at] = b"\"<>;,:=@ az0"[rng.next_u32() as usize % 12];
            }
            compare(&frame);
        }
    }
}

#[test]
fn what_we_write_their_parser_reads() {
    for frame in corpus() {
        let mut message = ours(&frame).unwrap();
        let headers = match &mut message {
            Message::Request(request) => request.headers_mut(),
            Message::Response(response) => response.headers_mut(),
        };
        let contact: Option<Contact<'static>> = headers
            .typed::<Contact>()
            .map(|contact| contact.unwrap().into_owned());
        if let Some(contact) = contact {
            headers.replace_typed(&contact);
        }
        let via = headers.via().unwrap().into_owned();
        headers.insert_front_typed(&via);
        let vias = headers.list::<Via>().count();
        let routes = headers.list::<Route>().count();
        let written = message.to_bytes();
        let read = theirs(&written)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&written)));
        assert_eq!(read.headers().len(), message.headers().len());
        let again = ours(&written).unwrap();
        assert_eq!(again.headers().list::<Via>().count(), vias);
        assert_eq!(again.headers().list::<Route>().count(), routes);
    }
}
