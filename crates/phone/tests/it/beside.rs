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
fn a_message_of_a_type_that_is_no_text_is_refused() {
    // RFC 3428 §7.
    let mut rig = Rig::registered(alice());
    for (number, content_type, code) in [
        (1, "image/png", 415),
        (2, "application/octet-stream", 415),
        (3, "text/markdown; charset=utf-8", 200),
        (4, "application/im-iscomposing+xml", 200),
        (5, "message/cpim", 200),
    ] {
        let mut bob = Caller::new(&format!("m{number}"));
        rig.receive(bob.with_body("MESSAGE", content_type, "hello"));
        let answered = rig.response(code);
        let accept = answered.headers().get("Accept");
        assert_eq!(accept.is_some(), code == 415, "{content_type}");
    }
    assert_eq!(rig.count("message"), 3);
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
