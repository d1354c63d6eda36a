//! Building messages, and reading the headers that toy parsers get wrong.

use bytes::Bytes;
use sip::header::{
    Allow, CSeq, Contact, Date, From, NameAddr, RecordRoute, Route, To, TypedHeader, Via,
    WwwAuthenticate,
};
use sip::message::{
    Forgiven, HeaderName, InvalidHeaderFault, KeepAlive, Leniency, Message, Method, ParseFault,
    Request, Response, StatusCode,
};
use sip::uri::Uri;

use crate::compose::{SDP, parse_request, parse_response, request, response};

fn invite() -> Request {
    Request::new(Method::Invite, Uri::parse("sip:ben@example.com").unwrap())
}

#[test]
fn a_line_end_or_nul_in_any_value_of_an_application_is_an_error_that_names_the_header() {
    for (at, evil) in [
        (1, "x\r\nVia: y"),
        (1, "x\ny"),
        (1, "x\ry"),
        (1, "x\0y"),
        (0, "\n"),
        (2, "x \u{7f}"),
    ] {
        let error = invite().header("X-Evil", evil).unwrap_err();
        assert_eq!(error.header, "X-Evil");
        assert_eq!(
            error.fault,
            InvalidHeaderFault::ControlCharacter(at),
            "{evil:?}"
        );
        let mut request = invite();
        let headers = request.headers_mut();
        assert!(headers.push(HeaderName::Subject, evil).is_err());
        assert!(headers.insert_front(HeaderName::Route, evil).is_err());
        assert!(headers.replace(HeaderName::From, evil).is_err());
        assert!(headers.is_empty());
        assert!(invite().with_body(evil, Bytes::from_static(b"x")).is_err());
        assert!(
            Response::new(StatusCode::DECLINE)
                .with_reason(evil)
                .is_err()
        );
    }
}

#[test]
fn a_header_name_that_is_no_token_is_an_error() {
    for name in ["", "X Y", "X:Y", "X\r\nVia", "Ü", &"x".repeat(200)] {
        let error = invite().header(name, "1").unwrap_err();
        assert_eq!(error.fault, InvalidHeaderFault::Name, "{name:?}");
        assert!(!error.header.contains(['\r', '\n']));
    }
}

#[test]
fn a_typed_value_never_starts_a_header_of_its_own() {
    let uri = Uri::parse("sip:ann@example.com").unwrap();
    let evil = NameAddr::new(uri)
        .with_display("Ann\r\nX-Evil: 1")
        .with_param("tag", "1\r\n\r\nbody");
    let mut request = invite();
    request.headers_mut().push_typed(&From(evil));
    let frame = request.to_bytes();
    let text = std::str::from_utf8(&frame).unwrap();
    assert_eq!(text.matches("\r\n").count(), 4, "{text}");
    assert!(request.headers().get("X-Evil").is_none());
}

#[test]
fn a_request_is_written_with_its_headers_in_order_and_the_length_of_its_body() {
    let mut request = invite()
        .header(HeaderName::MaxForwards, "70")
        .unwrap()
        .header("X-Custom", "  padded  ")
        .unwrap()
        .with_body("application/sdp", Bytes::from_static(b"v=0\r\n"))
        .unwrap();
    request
        .headers_mut()
        .push_typed(&CSeq::new(7, Method::Invite));
    request
        .headers_mut()
        .insert_front_typed(&Via::new("WSS", "x.invalid", None, "z9hG4bK1"));
    let frame = request.to_bytes();
    assert_eq!(
        std::str::from_utf8(&frame).unwrap(),
        "INVITE sip:ben@example.com SIP/2.0\r\n\
         Via: SIP/2.0/WSS x.invalid;branch=z9hG4bK1\r\n\
         Max-Forwards: 70\r\nX-Custom: padded\r\nContent-Type: application/sdp\r\n\
         CSeq: 7 INVITE\r\nContent-Length: 5\r\n\r\nv=0\r\n"
    );
}

#[test]
fn an_untouched_message_is_written_byte_for_byte() {
    let frame = Bytes::from(request(
        "INVITE",
        "sip:b@x",
        &["x-ODD :  a ,b;;", "T: <sip:b@x>"],
        b"hi",
    ));
    assert_eq!(parse_request(frame.clone()).to_bytes(), frame);
}

#[test]
fn what_is_not_touched_survives_a_change_byte_for_byte() {
    let lines = [
        "X-Unknown: \"a\" ;;, b = c",
        "m: <sip:ann@x.invalid>;+weird=\"<,;>\";q=0.5",
        "Subject: one\r\n two",
    ];
    let mut changed = parse_request(request("INVITE", "sip:b@x;odd=%41", &lines, SDP.as_bytes()));
    changed
        .headers_mut()
        .insert_front_typed(&Via::new("UDP", "proxy", Some(5070), "z9hG4bK2"));
    changed.headers_mut().replace("X-New", "1").unwrap();
    let frame = changed.to_bytes();
    let text = std::str::from_utf8(&frame).unwrap();
    assert!(text.starts_with("INVITE sip:b@x;odd=%41 SIP/2.0\r\n"));
    for line in lines {
        assert!(text.contains(&format!("\r\n{line}\r\n")), "{text}");
    }
    let again = parse_request(frame.clone());
    assert_eq!(again.headers().list::<Via>().count(), 2);
    assert_eq!(again.headers().via().unwrap().port(), Some(5070));
    assert_eq!(again.body(), SDP.as_bytes());
}

#[test]
fn a_response_copies_all_via_from_to_call_id_and_cseq() {
    let lines = [
        "Via: SIP/2.0/WSS a;branch=z9hG4bK1 ,SIP/2.0/TCP b",
        "v: SIP/2.0/UDP c;x=\"\\\"\"",
        "Timestamp: 5",
    ];
    let request = parse_request(request("INVITE", "sip:b@x", &lines, b""));
    let response = Response::to_request(&request, StatusCode::RINGING);
    let headers = response.headers();
    assert_eq!(headers.list::<Via>().filter(Result::is_ok).count(), 3);
    assert_eq!(headers.from(), request.headers().from());
    assert_eq!(headers.to(), request.headers().to());
    assert_eq!(headers.call_id(), request.headers().call_id());
    assert_eq!(headers.cseq(), request.headers().cseq());
    assert!(!headers.contains(HeaderName::Timestamp));
    let trying = Response::to_request(&request, StatusCode::TRYING);
    assert_eq!(trying.headers().get(HeaderName::Timestamp), Some("5"));
    assert_eq!(parse_response(response.to_bytes()).reason(), "Ringing");
}

// Trap 15.
#[test]
fn every_via_is_counted_wherever_it_stands() {
    let lines = ["Via: SIP/2.0/WSS a;branch=z9hG4bK1;rport=4000;received=192.0.2.7, SIP/2.0/WSS b"];
    let response = parse_response(response("SIP/2.0 200 OK", &lines, b""));
    let vias: Vec<Via<'_>> = response.headers().list().map(Result::unwrap).collect();
    assert_eq!(vias.len(), 2);
    assert_eq!(
        (vias[0].rport(), vias[0].received()),
        (Some(4000), "192.0.2.7".parse().ok())
    );
    assert!(vias[0].is_sent_by("A", None) && !vias[0].is_sent_by("b", None));
}

// Trap 16.
#[test]
fn content_length_may_be_absent_in_a_frame_and_must_be_right_where_it_is() {
    let absent = request("MESSAGE", "sip:b@x", &["-Content-Length:"], b"hello");
    assert_eq!(parse_request(absent).body().as_ref(), b"hello");
    let frame = |length| request("MESSAGE", "sip:b@x", &[length], b"hello");
    let parse = |frame: Vec<u8>, leniency| Message::parse(frame.into(), leniency);
    let long = parse(frame("l: 6"), Leniency::Interop).unwrap_err();
    assert_eq!(
        long.fault,
        ParseFault::ContentLength {
            expected: 6,
            got: 5
        }
    );
    assert!(parse(frame("l: 4"), Leniency::Strict).is_err());
    let cut = parse(frame("l: 4"), Leniency::Interop).unwrap();
    assert_eq!(cut.forgiven, [Forgiven::TrailingBytes { count: 1 }]);
    assert_eq!(cut.message.body().as_ref(), b"hell");
    assert!(cut.message.to_bytes().ends_with(b"hell"));
}

#[test]
fn a_frame_of_line_ends_is_a_keep_alive() {
    assert_eq!(KeepAlive::of(b"\r\n\r\n"), Some(KeepAlive::Ping));
    assert_eq!(KeepAlive::of(b"\r\n"), Some(KeepAlive::Pong));
    assert_eq!(KeepAlive::of(b"\r\n\r\nX"), None);
    let fault = Message::parse("\r\n\r\n".into(), Leniency::Interop)
        .unwrap_err()
        .fault;
    assert_eq!(fault, ParseFault::Empty);
    let mut late = b"\r\n\r\n".to_vec();
    late.extend(request("OPTIONS", "sip:b@x", &[], b""));
    assert_eq!(parse_request(late).method(), &Method::Options);
}

// Trap 38.
#[test]
fn header_names_are_read_in_any_case_and_in_compact_form() {
    let lines = [
        "v: SIP/2.0/WSS a;branch=z9hG4bK1",
        "f: <sip:a@x>;tag=1",
        "t: <sip:b@x>",
        "i: 9@x",
        "m: <sip:a@y>",
        "k: path, gruu",
        "u: dialog",
        "o: dialog",
        "s: hello",
        "x: 90;refresher=uac",
        "r: <sip:c@x>",
        "b: <sip:a@x>",
        "e: identity",
        "c: text/plain",
        "l: 2",
    ];
    let request = parse_request(request("INVITE", "sip:b@x", &lines, b"ok"));
    let headers = request.headers();
    for (name, value) in [
        (HeaderName::Supported, "path, gruu"),
        (HeaderName::AllowEvents, "dialog"),
        (HeaderName::Event, "dialog"),
        (HeaderName::Subject, "hello"),
        (HeaderName::SessionExpires, "90;refresher=uac"),
        (HeaderName::ReferTo, "<sip:c@x>"),
        (HeaderName::ReferredBy, "<sip:a@x>"),
        (HeaderName::ContentEncoding, "identity"),
        (HeaderName::ContentType, "text/plain"),
    ] {
        assert_eq!(headers.get(name), Some(value));
        assert_eq!(
            headers.get(name.as_str().to_uppercase().as_str()),
            Some(value)
        );
    }
    assert!(headers.lists(HeaderName::Supported, "GRUU"));
    assert!(!headers.lists(HeaderName::Supported, "100rel"));
}

// Trap 38.
#[test]
fn a_list_goes_over_lines_and_commas_and_a_date_or_challenge_does_not() {
    let lines = [
        "Record-Route: <sip:p1;lr>, \"a, b\" <sip:p2;lr>",
        "X-Between: 1",
        "Record-Route: <sip:p3;lr>",
        "Allow: INVITE,ACK, ,BYE",
        "Date: Sat, 21 Nov 2026 10:11:15 GMT",
        "WWW-Authenticate: Digest realm=\"x\", nonce=\"1\"",
        "WWW-Authenticate: Digest realm=\"y\", nonce=\"2\"",
    ];
    let response = parse_response(response("SIP/2.0 401 Unauthorized", &lines, b""));
    let headers = response.headers();
    let route: Vec<String> = headers
        .list::<RecordRoute>()
        .map(|r| r.unwrap().uri().to_string())
        .collect();
    assert_eq!(route, ["sip:p1;lr", "sip:p2;lr", "sip:p3;lr"]);
    let allow: Vec<Allow<'_>> = headers.list().map(Result::unwrap).collect();
    assert_eq!(allow, [Allow("INVITE"), Allow("ACK"), Allow("BYE")]);
    assert_eq!(headers.typed::<Date>().unwrap().unwrap().year, 2026);
    let realms: Vec<_> = headers
        .list::<WwwAuthenticate>()
        .map(|c| c.unwrap().param("realm").unwrap().into_owned())
        .collect();
    assert_eq!(realms, ["x", "y"]);
    assert_eq!(headers.typed::<Contact>().unwrap().unwrap().expires(), None);
}

// Trap 12: what a strict router is and what may not go into a request line.
#[test]
fn a_strict_router_is_known_and_a_target_loses_what_a_request_line_may_not_have() {
    let lines = ["Route: <sip:strict.example.com>, <sip:loose.example.com;lr>"];
    let request = parse_request(request("BYE", "sip:b@x", &lines, b""));
    let loose: Vec<bool> = request
        .headers()
        .list::<Route>()
        .map(|r| r.unwrap().uri().is_loose_router())
        .collect();
    assert_eq!(loose, [false, true]);
    let uri = Uri::parse("sip:b@x;method=BYE;maddr=192.0.2.1?Subject=x").unwrap();
    assert_eq!(uri.to_request_uri().as_str(), "sip:b@x;maddr=192.0.2.1");
}

#[test]
fn a_proxy_takes_its_own_route_and_via_off_element_by_element() {
    let lines = [
        "Route: <sip:one;lr> , <sip:two,x;lr>",
        "Route: <sip:three;lr>",
    ];
    let mut request = parse_request(request("BYE", "sip:b@x", &lines, b""));
    let headers = request.headers_mut();
    assert_eq!(
        headers.pop_element(HeaderName::Route).as_deref(),
        Some("<sip:one;lr>")
    );
    assert_eq!(
        headers.pop_element(HeaderName::Route).as_deref(),
        Some("<sip:two,x;lr>")
    );
    assert_eq!(
        headers.pop_element(HeaderName::Route).as_deref(),
        Some("<sip:three;lr>")
    );
    assert_eq!(headers.pop_element(HeaderName::Route), None);
    assert!(!headers.contains(HeaderName::Route));
}

#[test]
fn a_header_that_is_no_utf_8_is_read_as_latin_1_and_written_as_it_came() {
    let mut frame = request(
        "INVITE",
        "sip:b@x",
        &["Subject: gr#n", "To: \"J#rg\" <sip:b@x>"],
        b"",
    );
    for byte in frame.iter_mut().filter(|byte| **byte == b'#') {
        *byte = 0xfc;
    }
    assert_eq!(
        Message::parse(frame.clone().into(), Leniency::Strict)
            .unwrap_err()
            .fault,
        ParseFault::Utf8
    );
    let parsed = Message::parse(frame.clone().into(), Leniency::Interop).unwrap();
    assert_eq!(parsed.forgiven, [Forgiven::NotUtf8]);
    let mut request = parsed.message.as_request().unwrap().clone();
    assert_eq!(
        request.headers().get(HeaderName::Subject),
        Some("gr\u{fc}n")
    );
    assert_eq!(request.headers().to().unwrap().display(), Some("J\u{fc}rg"));
    assert_eq!(request.headers().from().unwrap().tag(), Some("from1"));
    request.headers_mut().push("X-New", "1").unwrap();
    assert!(
        request
            .to_bytes()
            .windows(5)
            .any(|window| window == b"gr\xfcn\r")
    );
}

#[test]
fn bare_line_feeds_and_a_line_without_a_colon_are_forgiven_and_told() {
    let text =
        String::from_utf8(request("OPTIONS", "sip:b@x", &["Subject: a\r\n b"], b"")).unwrap();
    let bare = text.replace("\r\n", "\n");
    let parsed = Message::parse(bare.clone().into(), Leniency::Interop).unwrap();
    assert_eq!(parsed.forgiven, [Forgiven::BareLineFeed]);
    assert_eq!(parsed.message.headers().get("subject"), Some("a b"));
    assert!(Message::parse(bare.into(), Leniency::Strict).is_err());
    let odd = text.replacen("Max-Forwards", "no colon here\r\nMax-Forwards", 1);
    let parsed = Message::parse(odd.clone().into(), Leniency::Interop).unwrap();
    assert_eq!(parsed.forgiven, [Forgiven::LineWithoutColon]);
    assert!(Message::parse(odd.into(), Leniency::Strict).is_err());
}

#[test]
fn replacing_a_tag_keeps_the_rest_of_an_address() {
    let request = parse_request(request(
        "INVITE",
        "sip:b@x",
        &["To: \"B, \\\"b\\\"\" <sip:b@x;a=1>;p=\"x;y\""],
        b"",
    ));
    let mut response = Response::to_request(&request, StatusCode::OK);
    let mut to: To<'static> = response.headers().to().unwrap().into_owned();
    to.set_tag("t1");
    response.headers_mut().replace_typed(&to);
    let line = response.headers().get(HeaderName::To).unwrap();
    assert_eq!(line, "\"B, \\\"b\\\"\" <sip:b@x;a=1>;p=\"x;y\";tag=t1");
    assert_eq!(To::parse(line).unwrap().tag(), Some("t1"));
}

#[test]
fn what_parsing_read_is_read_anew_when_its_header_is_another() {
    let lines = [
        "Via: , SIP/2.0/WSS one.invalid;branch=z9hG4bK1, SIP/2.0/WSS two.invalid",
        "To: \"B\\\"n\" <sip:ben@example.com>",
    ];
    let mut message = parse_request(request("INVITE", "sip:ben@example.com", &lines, b""));
    assert_eq!(message.headers().via().unwrap().branch(), Some("z9hG4bK1"));
    assert_eq!(message.headers().to().unwrap().display(), Some("B\"n"));
    let copy = message.clone();
    let headers = message.headers_mut();
    headers.replace("To", "<sip:eve@example.com>").unwrap();
    headers.replace("From", "no address").unwrap();
    headers.pop_element("Via");
    headers.remove("Call-ID");
    headers.replace("CSeq", "9 BYE").unwrap();
    assert_eq!(headers.to().unwrap().uri().user(), Some("eve"));
    assert!(headers.from().is_err() && headers.call_id().is_err());
    assert_eq!(headers.via().unwrap().host_text(), "two.invalid");
    assert_eq!(headers.cseq().unwrap(), CSeq::new(9, Method::Bye));
    assert_eq!(copy.headers().to().unwrap().uri().user(), Some("ben"));
}
