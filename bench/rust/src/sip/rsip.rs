use std::hint::black_box;

use bytes::Bytes;
use rsip::headers::{ContentLength, ContentType, ToTypedHeader as _, UntypedHeader as _};
use rsip::message::{HasHeaders as _, HeadersExt as _};
use rsip::{Header, Headers, SipMessage};

use super::Stack;

pub const STACK: Stack = Stack {
    name: "rsip",
    read,
    forward,
    answer,
};

fn parse(frame: &[u8]) -> SipMessage {
    SipMessage::try_from(frame).expect("it parses")
}

fn read(frame: &Bytes) -> u32 {
    let message = parse(frame);
    black_box(
        message
            .from_header()
            .and_then(|header| header.typed())
            .expect("From"),
    );
    black_box(
        message
            .to_header()
            .and_then(|header| header.typed())
            .expect("To"),
    );
    black_box(
        message
            .via_header()
            .and_then(|header| header.typed())
            .expect("Via"),
    );
    black_box(
        message
            .contact_header()
            .and_then(|header| header.typed())
            .expect("Contact"),
    );
    black_box(
        message
            .route_header()
            .expect("Route")
            .typed()
            .expect("Route"),
    );
    message
        .cseq_header()
        .and_then(|header| header.typed())
        .expect("CSeq")
        .seq
}

fn forward(frame: &Bytes) -> usize {
    let via = rsip::headers::Via::new("SIP/2.0/WSS p.example.com;branch=z9hG4bKnashds8");
    let mut message = parse(frame);
    let mut headers: Vec<Header> = vec![via.into()];
    headers.extend(std::mem::take(message.headers_mut()));
    *message.headers_mut() = headers.into();
    Vec::<u8>::from(message).len()
}

fn answer(frame: &Bytes, sdp: &[u8]) -> usize {
    let message = parse(frame);
    let to = message
        .to_header()
        .and_then(|header| header.typed())
        .expect("To");
    let to = to.with_tag("bmqkjhsd".into());
    let mut headers: Vec<Header> = Vec::with_capacity(12);
    for header in message.headers().iter() {
        if matches!(
            header,
            Header::Via(_)
                | Header::From(_)
                | Header::CallId(_)
                | Header::CSeq(_)
                | Header::RecordRoute(_)
        ) {
            headers.push(header.clone());
        }
    }
    headers.push(to.into());
    headers.push(rsip::headers::Contact::new("<sip:bob@203.0.113.22:5060;transport=ws>").into());
    headers.push(ContentType::new("application/sdp").into());
    headers.push(ContentLength::from(sdp.len() as u32).into());
    let response = rsip::Response {
        status_code: rsip::StatusCode::OK,
        version: rsip::Version::V2,
        headers: Headers::from(headers),
        body: sdp.to_vec(),
    };
    Vec::<u8>::from(response).len()
}
