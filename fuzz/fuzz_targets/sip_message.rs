//! Any bytes as a frame: no panic, what parses keeps its guarantees, and what we write we read.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use offhook_fuzz::without_leak;
use sip::header::{Contact, RecordRoute, Route, Via};
use sip::message::{Leniency, Message, Parsed};

fuzz_target!(|frame: &[u8]| without_leak(|| parse(frame)));

fn parse(frame: &[u8]) {
    let _ = sip::redact(frame);
    for leniency in [Leniency::Strict, Leniency::Interop] {
        match Message::parse(Bytes::copy_from_slice(frame), leniency) {
            Ok(parsed) => read(parsed, leniency),
            Err(error) => {
                if let Some(reply) = error.into_reply() {
                    let _ = Message::parse(reply.to_bytes(), Leniency::Interop);
                }
            }
        }
    }
}

fn read(parsed: Parsed, leniency: Leniency) {
    assert!(leniency == Leniency::Interop || parsed.forgiven.is_empty());
    let mut message = parsed.message;
    let headers = message.headers();
    let to = headers.to().expect("parsed").into_owned();
    let from = headers.from().expect("parsed").into_owned();
    let via = headers.via().expect("parsed").into_owned();
    let cseq = headers.cseq().expect("parsed");
    headers.call_id().expect("parsed");
    let lists = headers.list::<Route>().count()
        + headers.list::<RecordRoute>().count()
        + headers.list::<Contact>().count();
    let vias = headers.list::<Via>().count();
    for uri in [to.uri(), from.uri()] {
        assert!(uri.same_as(uri), "{uri}");
    }
    let before = message.body().clone();
    match &mut message {
        Message::Request(request) => request.headers_mut().insert_front_typed(&via),
        Message::Response(response) => response.headers_mut().insert_front_typed(&via),
    }
    let again = Message::parse(message.to_bytes(), Leniency::Interop)
        .expect("what is written can be read")
        .message;
    assert_eq!(again.body(), &before);
    let headers = again.headers();
    assert_eq!(headers.cseq().expect("written"), cseq);
    assert_eq!(headers.list::<Via>().count(), vias + 1);
    assert_eq!(
        headers.list::<Route>().count()
            + headers.list::<RecordRoute>().count()
            + headers.list::<Contact>().count(),
        lists
    );
    assert_eq!(headers.to().expect("written").tag(), to.tag());
}
