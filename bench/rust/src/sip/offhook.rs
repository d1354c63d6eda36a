use std::hint::black_box;

use bytes::Bytes;
use sip::header::{Contact, NameAddr, RecordRoute, Route, To, Via};
use sip::message::{HeaderName, Leniency, Message, Request, Response, StatusCode};
use sip::uri::Uri;

use super::Stack;

pub const STACK: Stack = Stack {
    name: "offhook",
    read,
    forward,
    answer,
};

fn parse(frame: &Bytes) -> Message {
    Message::parse(frame.clone(), Leniency::Interop)
        .expect("it parses")
        .message
}

fn read(frame: &Bytes) -> u32 {
    let message = parse(frame);
    let headers = message.headers();
    black_box(headers.from().expect("From"));
    black_box(headers.to().expect("To"));
    black_box(headers.via().expect("Via"));
    black_box(headers.require::<Contact>().expect("Contact"));
    for route in headers.list::<Route>() {
        black_box(route.expect("Route"));
    }
    headers.cseq().expect("CSeq").number
}

fn forward(frame: &Bytes) -> usize {
    let via = Via::new("WSS", "p.example.com", None, "z9hG4bKnashds8");
    let mut message = parse(frame);
    match &mut message {
        Message::Request(request) => request.headers_mut().insert_front_typed(&via),
        Message::Response(response) => response.headers_mut().insert_front_typed(&via),
    }
    message.to_bytes().len()
}

fn answer(frame: &Bytes, sdp: &[u8]) -> usize {
    let Message::Request(request) = parse(frame) else {
        unreachable!("only INVITEs are answered")
    };
    let response = ok(&request, sdp);
    response.to_bytes().len()
}

fn ok(request: &Request, sdp: &[u8]) -> Response {
    let mut response = Response::to_request(request, StatusCode::OK);
    let mut to = request.headers().require::<To>().expect("To");
    to.set_tag("bmqkjhsd");
    let headers = response.headers_mut();
    headers.replace_typed(&to);
    headers.remove(HeaderName::RecordRoute);
    for route in request.headers().list::<RecordRoute>() {
        headers.push_typed(&route.expect("Record-Route"));
    }
    let contact = Uri::parse("sip:bob@203.0.113.22:5060;transport=ws").expect("it is a URI");
    headers.push_typed(&Contact::Address(NameAddr::new(contact)));
    let sdp = Bytes::copy_from_slice(sdp);
    response
        .with_body("application/sdp", sdp)
        .expect("a media type")
}
