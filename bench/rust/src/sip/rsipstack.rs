use std::hint::black_box;

use bytes::Bytes;
use rsipstack::sip::{
    Contact, ContentType, HasHeaders as _, Header, Headers, HeadersExt as _, Response, SipMessage,
    StatusCode, ToTypedHeader as _, Version, Via, typed,
};

use super::Stack;

pub const STACK: Stack = Stack {
    name: "rsipstack",
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
            .top_via_header()
            .and_then(|header| header.typed())
            .expect("Via"),
    );
    black_box(
        message
            .contact_header()
            .and_then(|header| header.typed())
            .expect("Contact"),
    );
    for route in message.route_headers() {
        black_box(typed::Route::parse_header_list(route.value()).expect("Route"));
    }
    message
        .cseq_header()
        .and_then(|header| header.typed())
        .expect("CSeq")
        .seq
}

fn forward(frame: &Bytes) -> usize {
    let via = Via::new("SIP/2.0/WSS p.example.com;branch=z9hG4bKnashds8");
    let mut message = parse(frame);
    message.headers_mut().push_front(Header::Via(via));
    message.to_bytes().len()
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
    headers.push(Contact::new("<sip:bob@203.0.113.22:5060;transport=ws>").into());
    headers.push(ContentType::new("application/sdp").into());
    headers.push(Header::ContentLength((sdp.len() as u32).into()));
    let response = Response {
        status_code: StatusCode::OK,
        wire_reason: None,
        version: Version::V2,
        headers: Headers::from(headers),
        body: sdp.to_vec(),
    };
    response.to_bytes().len()
}
