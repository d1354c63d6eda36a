//! RFC 4475 §3.2 to §3.4: messages that can be read, and what is to be done about them.

use sip::endpoint::{Endpoint, EndpointConfig, Output};
use sip::header::MaxForwards;
use sip::header::{Accept, Authorization, Contact, ContentType, ProxyRequire, Require, Via};
use sip::message::{Message, Method};
use sip::transaction::{Flow, FlowId, Transport};
use sip::uri::Scheme;

use super::{Case, Verdict};
use crate::compose::{SDP, parse_response, request, response};

pub(super) fn cases() -> Vec<Case> {
    let accepted = |name, own, look| Case {
        name,
        own,
        strict: Verdict::Accepted,
        interop: Verdict::Accepted,
        look,
    };
    let refused = |name, own| Case {
        strict: Verdict::Refused(400),
        interop: Verdict::Refused(400),
        ..accepted(name, own, |_| unreachable!("it is not read"))
    };
    vec![
        accepted("badbranch", badbranch, |message| {
            let via = message.headers().via().unwrap();
            assert!(via.branch().is_some());
            assert_eq!(via.unique_branch(), None);
        }),
        refused("insuf", insuf),
        accepted("unkscm", unkscm, |message| {
            assert_eq!(message.as_request().unwrap().uri().scheme(), Scheme::Other);
            assert_eq!(answer(message), Some(416));
        }),
        accepted("novelsc", novelsc, |message| {
            assert_eq!(message.as_request().unwrap().uri().scheme(), Scheme::Other);
            assert_eq!(answer(message), Some(416));
        }),
        accepted("unksm2", unksm2, |message| {
            assert_eq!(
                message.headers().to().unwrap().uri().scheme(),
                Scheme::Other
            );
        }),
        accepted("bext01", bext01, |message| {
            assert_eq!(
                message
                    .headers()
                    .list::<Require>()
                    .filter(Result::is_ok)
                    .count(),
                2
            );
            assert_eq!(
                message
                    .headers()
                    .list::<ProxyRequire>()
                    .filter(Result::is_ok)
                    .count(),
                2
            );
            assert_eq!(answer(message), Some(420));
        }),
        accepted("invut", invut, |message| {
            let kind: ContentType<'_> = message.headers().require().unwrap();
            assert!(!kind.is_media_type("application/sdp"));
            assert_eq!(answer(message), Some(415));
        }),
        accepted("regaut01", regaut01, |message| {
            let answer: Authorization<'_> = message.headers().require().unwrap();
            assert!(!answer.is("Digest") && !answer.is("Bearer"));
        }),
        refused("multi01", multi01),
        refused("mcl01", mcl01),
        accepted("bcast", bcast, |message| {
            let mut vias = message.headers().list::<Via>().map(Result::unwrap);
            assert!(vias.any(|via| via.host_text() == "255.255.255.255"));
            assert_eq!(answer(message), None);
        }),
        accepted("zeromf", zeromf, |message| {
            assert_eq!(message.headers().require(), Ok(MaxForwards(0)));
            // Only a proxy refuses it; a user agent answers (RFC 3261 §16.3).
            assert_ne!(answer(message), Some(483));
        }),
        accepted("cparam01", cparam01, |message| {
            let contact: Contact<'_> = message.headers().require().unwrap();
            assert_eq!(contact.param("unknownparam"), Some(""));
            assert_eq!(contact.uri().unwrap().params().count(), 0);
        }),
        accepted("cparam02", cparam02, |message| {
            let contact: Contact<'_> = message.headers().require().unwrap();
            assert_eq!(contact.uri().unwrap().param("unknownparam"), Some(""));
            assert!(contact.address().unwrap().params().is_empty());
        }),
        accepted("regescrt", regescrt, |message| {
            let contact: Contact<'_> = message.headers().require().unwrap();
            let route = contact.uri().unwrap().header("route").unwrap().into_owned();
            assert_eq!(route, "<sip:sip.example.com>");
        }),
        accepted("sdp01", sdp01, |message| {
            let mut ranges = message.headers().list::<Accept>().map(Result::unwrap);
            assert!(!ranges.any(|range| range.takes("application/sdp")));
        }),
        accepted("inv2543", inv2543, |message| {
            assert_eq!(message.headers().via().unwrap().branch(), None);
            assert_eq!(message.headers().from().unwrap().tag(), None);
            assert!(!message.body().is_empty());
        }),
    ]
}

/// Status of the first final answer that a user agent gives.
fn answer(message: &Message) -> Option<u16> {
    let now = crate::compose::start();
    let aor = "sip:ben@example.com".parse().unwrap();
    let instance = "urn:uuid:00000000-0000-1000-8000-000000000001";
    let mut endpoint = Endpoint::new(EndpointConfig::new(aor, instance), [7; 32]);
    let flow = Flow::new(Transport::Wss);
    endpoint.handle_flow_up(FlowId(1), flow, now);
    sent(&mut endpoint);
    endpoint.handle_message(FlowId(1), message.to_bytes(), now);
    let answers = sent(&mut endpoint);
    answers.into_iter().find(|status| *status >= 200)
}

fn sent(endpoint: &mut Endpoint) -> Vec<u16> {
    let mut statuses = Vec::new();
    loop {
        match endpoint.poll_output() {
            Output::Transmit { bytes, .. } if bytes.starts_with(b"SIP/2.0 ") => {
                statuses.push(parse_response(bytes).status().code());
            }
            Output::Timeout(..) => return statuses,
            Output::Transmit { .. } | Output::KeepAlive { .. } | Output::Event(_) => {}
        }
    }
}

fn badbranch() -> Vec<u8> {
    let lines = ["Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bK"];
    request("OPTIONS", "sip:ben@example.com", &lines, b"")
}

fn insuf() -> Vec<u8> {
    let lines = ["-Call-ID:", "-From:", "-To:"];
    request("INVITE", "sip:ben@example.com", &lines, SDP.as_bytes())
}

fn unkscm() -> Vec<u8> {
    request("OPTIONS", "unheardof:opaque!content", &[], b"")
}

fn novelsc() -> Vec<u8> {
    request("OPTIONS", "coap+tcp://192.0.2.3:3002/x", &[], b"")
}

fn unksm2() -> Vec<u8> {
    let lines = [
        "To: issn:2049-3630",
        "From: <http://www.example.com>;tag=1",
        "Contact: <fax:+15550100>",
    ];
    request("REGISTER", "sip:example.com", &lines, b"")
}

fn bext01() -> Vec<u8> {
    let lines = ["Require: unheard, of", "Proxy-Require: not-by, proxies"];
    request("OPTIONS", "sip:ben@example.com", &lines, b"")
}

fn invut() -> Vec<u8> {
    let lines = ["Content-Type: application/unheard-of"];
    request(
        "INVITE",
        "sip:ben@example.com",
        &lines,
        b"<audio><pcmu/></audio>",
    )
}

fn regaut01() -> Vec<u8> {
    let lines = ["Authorization: UnheardOf opaque=data"];
    request("REGISTER", "sip:example.com", &lines, b"")
}

fn multi01() -> Vec<u8> {
    let lines = [
        "CSeq: 5 INVITE",
        "CSeq: 59 INVITE",
        "Call-ID: one@client.invalid",
        "Call-ID: two@client.invalid",
        "From: <sip:ann@example.com>;tag=1",
        "From: <sip:eve@example.com>;tag=2",
        "To: <sip:ben@example.com>",
        "To: <sip:mallory@example.com>",
        "Max-Forwards: 70",
        "Max-Forwards: 5",
    ];
    request("INVITE", "sip:ben@example.com", &lines, SDP.as_bytes())
}

fn mcl01() -> Vec<u8> {
    let lines = ["Content-Length: 11", "Content-Length: 4"];
    request("OPTIONS", "sip:ben@example.com", &lines, b"ambiguous text")
}

fn bcast() -> Vec<u8> {
    let lines = [
        "Via: SIP/2.0/UDP 192.0.2.198;branch=z9hG4bK1;received=203.0.113.7",
        "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK2",
    ];
    response("SIP/2.0 200 OK", &lines, SDP.as_bytes())
}

fn zeromf() -> Vec<u8> {
    request("OPTIONS", "sip:ben@example.com", &["Max-Forwards: 0"], b"")
}

fn cparam01() -> Vec<u8> {
    let lines = ["Contact: sip:+15550100@gateway.example.com;unknownparam"];
    request("REGISTER", "sip:example.com", &lines, b"")
}

fn cparam02() -> Vec<u8> {
    let lines = ["Contact: <sip:+15550100@gateway.example.com;unknownparam>"];
    request("REGISTER", "sip:example.com", &lines, b"")
}

fn regescrt() -> Vec<u8> {
    let lines = ["Contact: <sip:ann@example.com?Route=%3Csip:sip.example.com%3E>"];
    request("REGISTER", "sip:example.com", &lines, b"")
}

fn sdp01() -> Vec<u8> {
    let lines = ["Accept: text/unheard-of", "Content-Type: application/sdp"];
    request("INVITE", "sip:ben@example.com", &lines, SDP.as_bytes())
}

fn inv2543() -> Vec<u8> {
    let lines = [
        "Via: SIP/2.0/UDP gateway.example.com",
        "From: <sip:+15550100@example.com;user=phone>",
        "To: sip:ben@example.com;user=phone",
        "Record-Route: <sip:ben@example.com;maddr=edge.example.com>",
        "-Max-Forwards:",
        "-Contact:",
        "-Content-Length:",
    ];
    request("INVITE", "sip:ben@example.com", &lines, SDP.as_bytes())
}

#[test]
fn methods_that_look_like_others_are_not_answered_as_them() {
    let message = crate::compose::parse(request("%49NVITE", "sip:ben@example.com", &[], b""));
    assert_ne!(message.as_request().unwrap().method(), &Method::Invite);
    assert!(message.headers().typed::<Via>().unwrap().is_ok());
    assert_eq!(answer(&message), Some(405));
}
