//! MESSAGE and OPTIONS, beside calls and in them.

use phone::{ErrorCode, Reply};
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Caller, Pair, Rig, alice, answer, header, with_header};

fn message(target: &str, body: &str) -> Value {
    json!({ "type": "sendMessage", "target": target, "body": body })
}

#[test]
fn a_message_arrives_as_it_was_sent() {
    let mut pair = Pair::new(json!({}));
    let sent = pair.command(
        0,
        json!({
            "type": "sendMessage", "target": "bob", "body": "Grüße", "contentType": "text/html",
            "headers": [["X-Thread", "7"]],
        }),
    );
    assert_eq!(pair.rigs[0].reply(sent), Some(&Ok(Reply::Done)));
    let got = pair.rigs[1].last("message");
    assert_eq!(got["body"], "Grüße");
    assert_eq!(got["contentType"], "text/html");
    assert_eq!(got["address"], "alice");
    assert_eq!(got["uri"], "sip:alice@example.com");
    let headers = got["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["X-Thread", "7"])));
}

#[test]
fn a_message_is_plain_text_where_nothing_is_said_and_has_no_contact() {
    // RFC 3428 §4: a MESSAGE makes no dialog and must not have a Contact.
    let mut rig = Rig::registered(alice());
    let sent = rig.command(message("bob", "hello"));
    let request = rig.request(&Method::Message);
    assert_eq!(
        header(&request, "Content-Type").as_deref(),
        Some("text/plain")
    );
    assert_eq!(header(&request, "Contact"), None);
    rig.receive(answer(&request, 202, None));
    assert_eq!(rig.reply(sent), Some(&Ok(Reply::Done)));
}

#[test]
fn a_message_that_nobody_takes_fails_with_its_status_or_in_time() {
    let mut rig = Rig::registered(alice());
    let refused = rig.command(message("bob", "hello"));
    let request = rig.request(&Method::Message);
    rig.receive(answer(&request, 404, None));
    assert_eq!(rig.error(refused).code, ErrorCode::RequestRefused);
    assert_eq!(rig.error(refused).sip.unwrap().code, 404);
    let silent = rig.command(message("bob", "hello"));
    rig.request(&Method::Message);
    rig.seconds(33);
    assert_eq!(rig.error(silent).code, ErrorCode::RequestTimeout);
    let lost = rig.command(message("bob", "hello"));
    rig.down();
    assert_eq!(rig.error(lost).code, ErrorCode::NotConnected);
    assert_eq!(rig.refused(message("bob", "hello")), "ERR_NOT_CONNECTED");
}

#[test]
fn a_message_too_large_for_a_frame_is_the_callers_mistake() {
    let mut rig = Rig::registered(alice());
    let large = "x".repeat(57 * 1024);
    assert_eq!(rig.refused(message("bob", &large)), "ERR_INVALID_ARGUMENT");
    assert_eq!(rig.refused(message("", "x")), "ERR_INVALID_ARGUMENT");
    let evil = json!({ "type": "sendMessage", "target": "bob", "body": "x", "contentType": "text/plain\r\nX: y" });
    assert_eq!(rig.refused(evil), "ERR_INVALID_ARGUMENT");
    assert!(rig.is_silent());
}

#[test]
fn a_message_is_what_it_holds_and_not_what_its_type_is_called() {
    // RFC 3428 §7.
    let mut rig = Rig::registered(alice());
    for (number, content_type, code) in [
        (1, "image/png", 200),
        (2, "application/octet-stream", 200),
        (3, "text/markdown; charset=utf-8", 200),
        (4, "application/im-iscomposing+xml", 200),
        (5, "message/cpim", 200),
    ] {
        let mut bob = Caller::new(&format!("m{number}"));
        rig.receive(bob.with_body("MESSAGE", content_type, "hello"));
        rig.response(code);
    }
    assert_eq!(rig.count("message"), 5);
}

#[test]
fn a_message_inside_a_call_names_it() {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0\r\n")));
    bob.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.receive(bob.with_body("MESSAGE", "text/plain", "I am at the door"));
    rig.response(200);
    assert_eq!(rig.last("message")["sessionId"], json!(id));
    let mut stranger = Caller::new("m1");
    rig.receive(stranger.with_body("MESSAGE", "text/plain", "x"));
    assert_eq!(rig.last("message").get("sessionId"), None);
}

#[test]
fn options_say_what_the_other_side_can() {
    let mut rig = Rig::registered(alice());
    let asked = rig.command(json!({ "type": "sendOptions", "target": "bob" }));
    let request = rig.request(&Method::Options);
    assert!(header(&request, "Accept").is_some(), "RFC 3261 §11.1");
    rig.receive(with_header(&request, 200, "Allow", "INVITE, ACK,BYE"));
    let Some(Ok(Reply::Capabilities(capabilities))) = rig.reply(asked) else {
        panic!("{:?}", rig.reply(asked));
    };
    assert_eq!(capabilities.allow, ["INVITE", "ACK", "BYE"]);
    assert!(capabilities.supported.is_empty());
}

#[test]
fn our_own_answer_to_options_is_true() {
    let mut pair = Pair::new(json!({}));
    let asked = pair.command(0, json!({ "type": "sendOptions", "target": "bob" }));
    let Some(Ok(Reply::Capabilities(capabilities))) = pair.rigs[0].reply(asked) else {
        panic!("it was not answered");
    };
    for method in ["INVITE", "REFER", "MESSAGE", "INFO", "NOTIFY", "OPTIONS"] {
        assert!(
            capabilities.allow.iter().any(|known| known == method),
            "{method}"
        );
    }
    assert!(
        capabilities
            .supported
            .iter()
            .any(|known| known == "replaces")
    );
    assert_eq!(capabilities.accept, ["application/sdp"]);
}

#[test]
fn destroying_the_phone_settles_what_is_unanswered() {
    let mut rig = Rig::registered(alice());
    let sent = rig.command(message("bob", "hello"));
    rig.command(json!({ "type": "destroy" }));
    rig.seconds(3);
    assert_eq!(rig.error(sent).code, ErrorCode::Destroyed);
    assert_eq!(rig.unsettled(), Vec::<u64>::new());
}

fn sent(content_type: &str, body: &[u8]) -> (Rig, u16, Option<String>) {
    let mut rig = Rig::registered(alice());
    let kind = match content_type {
        "" => String::new(),
        content_type => format!("Content-Type: {content_type}\r\n"),
    };
    let mut message = format!(
        "MESSAGE sip:alice@phone.invalid SIP/2.0\r\nVia: SIP/2.0/WSS p;branch=z9hG4bK1\r\n\
         From: <sip:bob@example.com>;tag=1\r\nTo: <sip:alice@example.com>\r\nCall-ID: m1\r\n\
         CSeq: 1 MESSAGE\r\nMax-Forwards: 70\r\n{kind}Content-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    message.extend(body);
    rig.receive(message);
    let sip::message::Message::Response(response) = rig.sent() else {
        panic!("an answer was expected");
    };
    let accept = response.headers().get("Accept").map(str::to_owned);
    (rig, response.status().code(), accept)
}

#[test]
fn a_message_of_any_type_is_handed_on_where_it_is_text() {
    let mixed = "--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b--\r\n";
    for (content_type, body) in [
        ("x-rc/agent", "{\"state\":\"ready\"}"),
        ("application/vnd.3gpp.sms", "Grüße"),
        ("application/x-agent-state", "ready\tnow"),
        ("multipart/mixed;boundary=b", mixed),
        ("image/svg", "<svg/>"),
        ("nonsense", "hi"),
        ("", "hi"),
    ] {
        let (rig, code, _) = sent(content_type, body.as_bytes());
        assert_eq!(code, 200, "{content_type}");
        let message = rig.last("message");
        assert_eq!(message["body"], body);
        assert_eq!(message["contentType"], content_type);
    }
}

#[test]
fn a_message_that_is_no_text_is_refused_with_what_is_taken() {
    for (content_type, body) in [
        ("application/vnd.3gpp.sms", &b"\x00\x01\x02hello"[..]),
        ("image/png", b"\x89PNG\r\n"),
        ("application/octet-stream", b"\xff\xfe"),
    ] {
        let (rig, code, accept) = sent(content_type, body);
        assert_eq!(code, 415, "{content_type}");
        assert_eq!(rig.count("message"), 0);
        let accept = accept.unwrap();
        assert!(
            !accept.contains("image") && !accept.contains("octet"),
            "{accept}"
        );
        // What it names is taken.
        for range in accept.split(", ") {
            let name = range.replace('*', "anything");
            assert_eq!(sent(&name, b"text").1, 200, "{name}");
        }
    }
}
