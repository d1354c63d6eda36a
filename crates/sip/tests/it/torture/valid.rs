//! RFC 4475 §3.1.1: messages that look odd and are right.

use sip::header::{Contact, From, Route, To, UserToUser, Via};
use sip::message::{Message, Method};

use super::{Case, Verdict};
use crate::compose::{SDP, request, response};

pub(super) fn cases() -> Vec<Case> {
    let accepted = |name, own, look| Case {
        name,
        own,
        strict: Verdict::Accepted,
        interop: Verdict::Accepted,
        look,
    };
    vec![
        accepted("wsinv", wsinv, |message| {
            let headers = message.headers();
            assert_eq!(headers.list::<Via>().filter(Result::is_ok).count(), 3);
            assert_eq!(headers.cseq().unwrap().number, 9);
            assert!(headers.to().unwrap().tag().is_some());
            assert!(
                headers
                    .typed::<Route>()
                    .unwrap()
                    .unwrap()
                    .uri()
                    .is_loose_router()
            );
            assert_eq!(headers.typed::<Contact>().unwrap().unwrap().q(), 330);
            assert!(headers.from().unwrap().display().unwrap().ends_with("\\\""));
        }),
        accepted("intmeth", intmeth, |message| {
            assert!(matches!(
                message.as_request().unwrap().method(),
                Method::Other(_)
            ));
            assert!(
                message
                    .headers()
                    .to()
                    .unwrap()
                    .display()
                    .unwrap()
                    .contains('\u{7f}')
            );
        }),
        accepted("esc01", esc01, |message| {
            let uri = message.as_request().unwrap().uri();
            let user = uri.user_unescaped().unwrap().into_owned();
            assert!(
                user.contains("sips:user@") || user.contains("sips:"),
                "{user}"
            );
            assert_eq!(uri.password(), None);
        }),
        accepted("escnull", escnull, |message| {
            let contact = message.headers().typed::<Contact>().unwrap().unwrap();
            assert!(
                contact
                    .uri()
                    .unwrap()
                    .user_unescaped()
                    .unwrap()
                    .contains('\0')
            );
        }),
        accepted("esc02", esc02, |message| {
            let method = message.as_request().unwrap().method();
            assert!(method.as_str().contains('%') && *method != Method::Register);
        }),
        accepted("lwsdisp", lwsdisp, |message| {
            let from: From<'_> = message.headers().from().unwrap();
            assert!(from.display().is_some() && from.tag().is_some());
        }),
        accepted("longreq", longreq, |message| {
            assert!(message.to_bytes().len() > 2000);
            assert!(
                message
                    .headers()
                    .list::<Via>()
                    .filter(Result::is_ok)
                    .count()
                    > 5
            );
        }),
        Case {
            // RFC 3261 §18.3 lets a datagram go on after its message, RFC 7118 no frame.
            strict: Verdict::Refused(400),
            interop: Verdict::Forgiven,
            ..accepted("dblreq", dblreq, |message| {
                assert!(message.body().is_empty())
            })
        },
        accepted("semiuri", semiuri, |message| {
            let request = message.as_request().unwrap();
            assert!(request.uri().user().unwrap().contains(';'));
            assert_eq!(request.uri().params().count(), 0);
        }),
        accepted("transports", transports, |message| {
            let vias: Vec<Via<'_>> = message.headers().list().map(Result::unwrap).collect();
            assert!(vias.iter().any(|via| via.transport() == "SCTP"));
            assert_eq!(vias.len(), 5);
        }),
        accepted("mpart01", mpart01, |message| {
            assert!(message.body().contains(&0) && message.body().len() > 40);
        }),
        accepted("unreason", unreason, |message| {
            assert!(!message.as_response().unwrap().reason().is_ascii());
        }),
        accepted("noreason", noreason, |message| {
            assert_eq!(message.as_response().unwrap().reason(), "");
        }),
    ]
}

fn wsinv() -> Vec<u8> {
    let lines = [
        "T   :\r\n sip:ben@example.com ;\r\n  tag   =  b2",
        "fROM :  \"Ann \\\\\\\"\"\t <sip:ann@example.com>\r\n\t;\r\n tag = a1",
        "CSEQ: 0009\r\n   INVITE",
        "mAX-fORWARDS  :  0012",
        "V:SIP  /  2.0\r\n  / WSS\r\n\tone.invalid;branch=z9hG4bKone",
        "via : SIP / 2.0 / TCP  two.example.com ;\r\n branch  =  z9hG4bKtwo ,\r\n SIP/2.0/UDP 192.0.2.7 ; branch=\r\n  z9hG4bKthree",
        "m:\"An \\\"odd\\\" name\" <sip:ann@192.0.2.7> ; what =\r\n  ever ; flag ; q = 0.33",
        "roUTE:\r\n <sip:edge.example.com;lr;odd=value;flag>",
        "S :",
        "X-Something:   folded\r\n over two lines",
        "X-Separators: ;,;,,;",
    ];
    request("INVITE", "sip:ben@example.com;odd", &lines, SDP.as_bytes())
}

fn intmeth() -> Vec<u8> {
    let method = "!odd~Method_1*%+`'.x";
    let uri = "sip:odd_user!~(x)&it's=1+$/y?,;z:p&a=s+s$,w@example.com";
    let lines = [
        "To: \"ctl:\\\u{7} nul:\\\0 del:\\\u{7f}\" <sip:1_odd!~(x)@example.com>",
        "From: token1~` token2'+_ token3*%!.- <sip:ann@example.com>;odd'~`*+%=%41;tag=_tok~1'+`*%!-.",
        "x-Odd!.%*+_`'~: \u{96fb}\u{8a71}",
    ];
    request(method, uri, &lines, b"")
}

fn esc01() -> Vec<u8> {
    let lines = [
        "To: sip:%75ser@example.com",
        "From: <sip:I%20have%20spaces@example.net>;tag=1",
        "Contact: <sip:caller@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>",
    ];
    request(
        "INVITE",
        "sip:sips%3Aben%40example.org@example.net",
        &lines,
        SDP.as_bytes(),
    )
}

fn escnull() -> Vec<u8> {
    let lines = [
        "To: sip:zero-%00-zero@example.com",
        "From: sip:zero-%00-zero@example.com;tag=1",
        "Contact: <sip:%00@host1.example.com>, <sip:%00%00@host2.example.com>",
    ];
    request("REGISTER", "sip:example.com", &lines, b"")
}

fn esc02() -> Vec<u8> {
    let lines = [
        "To: \"100%Z%45RO\" <sip:ben@example.com>",
        "From: \"%Z%45\" <sip:ann@example.com>;tag=a%31",
    ];
    request("%52EGISTER", "sip:example.com", &lines, b"")
}

fn lwsdisp() -> Vec<u8> {
    let lines = ["From: Ann<sip:ann@example.com>;tag=1"];
    request("OPTIONS", "sip:ben@example.com", &lines, b"")
}

fn longreq() -> Vec<u8> {
    let long = "very".repeat(60);
    let vias: Vec<String> = (0..12)
        .map(|hop| format!("Via: SIP/2.0/TCP hop{hop}.example.com;branch=z9hG4bK{long}{hop}"))
        .collect();
    let to = format!("To: \"{long}\" <sip:ben@example.com;{long}param={long}>;{long}={long}");
    let from = format!("From: sip:{long}user@example.com;tag={long}");
    let own = format!("X-{long}: {long}");
    let call = format!("Call-ID: {long}@example.com");
    let mut lines: Vec<&str> = vias.iter().map(String::as_str).collect();
    lines.extend([to.as_str(), &from, &own, &call]);
    let contact = format!("Contact: <sip:{long}@{}.example.com>", "long".repeat(12));
    lines.push(&contact);
    request("INVITE", "sip:ben@example.com", &lines, SDP.as_bytes())
}

fn dblreq() -> Vec<u8> {
    let mut frame = request("REGISTER", "sip:example.com", &[], b"");
    frame.extend(request("INVITE", "sip:joe@example.com", &[], b""));
    frame
}

fn semiuri() -> Vec<u8> {
    request(
        "OPTIONS",
        "sip:ben;par=u%40example.net@example.com",
        &[],
        b"",
    )
}

fn transports() -> Vec<u8> {
    let vias = ["UDP", "SCTP", "TLS", "ODD~transport", "TCP"].map(|transport| {
        format!("Via: SIP/2.0/{transport} t.example.com;branch=z9hG4bK{transport}")
    });
    request(
        "OPTIONS",
        "sip:ben@example.com",
        &vias.each_ref().map(|via| via.as_str()),
        b"",
    )
}

fn mpart01() -> Vec<u8> {
    let mut body = b"--edge\r\nContent-Type: text/plain\r\n\r\nHello\r\n--edge\r\n\
                     Content-Type: application/octet-stream\r\n\r\n"
        .to_vec();
    body.extend((0..=255u8).chain([0, b'\r', b'\n']));
    body.extend_from_slice(b"--edge--\r\n");
    let lines = ["Content-Type: multipart/mixed;boundary=edge"];
    request("MESSAGE", "sip:ben@example.com", &lines, &body)
}

fn unreason() -> Vec<u8> {
    response(
        "SIP/2.0 200 = \u{96fb}\u{8a71} \u{43e}\u{43a}; <%41>",
        &[],
        SDP.as_bytes(),
    )
}

fn noreason() -> Vec<u8> {
    response("SIP/2.0 100 ", &[], b"")
}

#[test]
fn user_to_user_and_to_are_read_from_a_folded_line() {
    let lines = [
        "To: <sip:ben@example.com>\r\n ;tag=x",
        "User-to-User: 00aa\r\n\t;encoding=hex",
    ];
    let message: Message = crate::compose::parse(request("BYE", "sip:b@x", &lines, b""));
    assert_eq!(
        message.headers().typed::<To>().unwrap().unwrap().tag(),
        Some("x")
    );
    assert_eq!(
        message
            .headers()
            .typed::<UserToUser>()
            .unwrap()
            .unwrap()
            .data(),
        "00aa"
    );
}
