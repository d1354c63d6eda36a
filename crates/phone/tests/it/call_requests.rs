//! Others ask this phone to call somebody, outside any call (RFC 3515).

use phone::{ErrorCode, Reply};
use serde_json::json;
use sip::message::{Method, Request};

use crate::harness::{Caller, Rig, alice, alice_with, answer, header};

const CAROL: (&str, &str) = (
    "Refer-To",
    "<sip:carol@example.com?User-to-User=7&X-Evil=1>",
);

/// A phone that Bob has asked to call Carol.
fn asked(headers: &[(&str, &str)]) -> (Rig, Caller, u64) {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("r1");
    rig.receive(bob.request("REFER", headers, None));
    let id = rig.last("callRequested")["id"].as_u64().unwrap();
    (rig, bob, id)
}

/// The next report to who asked, and its answer.
fn report(rig: &mut Rig) -> (String, String) {
    let notify: Request = rig.request(&Method::Notify);
    assert_eq!(header(&notify, "Event").as_deref(), Some("refer"));
    assert_eq!(
        header(&notify, "Content-Type").as_deref(),
        Some("message/sipfrag;version=2.0")
    );
    let state = header(&notify, "Subscription-State").unwrap();
    let body = String::from_utf8(notify.body().to_vec()).unwrap();
    rig.receive(answer(&notify, 200, None));
    (state, body.trim().to_owned())
}

#[test]
fn nobody_is_called_before_the_application_says_so() {
    let (mut rig, _, id) = asked(&[CAROL, ("Referred-By", "<sip:crm@example.com>")]);
    let request = rig.last("callRequested");
    assert_eq!(request["target"], "sip:carol@example.com");
    assert_eq!(request["address"], "bob");
    assert_eq!(request["displayName"], "Bob");
    assert_eq!(request["referredBy"], "<sip:crm@example.com>");
    assert_eq!(request["attended"], false);
    rig.seconds(9);
    assert_eq!(rig.count("sessionStarted"), 0);
    rig.seconds(1);
    rig.beyond_trying(480);
    let late = json!({ "type": "acceptCallRequest", "request": id });
    assert_eq!(rig.refused(late), "ERR_SESSION_STATE");
    assert_eq!(rig.count("sessionStarted"), 0);
}

#[test]
fn a_request_that_is_accepted_makes_a_call_and_reports_on_it() {
    let (mut rig, _, id) = asked(&[CAROL]);
    let ticket = rig.command(json!({ "type": "acceptCallRequest", "request": id }));
    rig.response(202);
    let (state, body) = report(&mut rig);
    assert!(state.starts_with("active;expires="), "{state}");
    assert_eq!(body, "SIP/2.0 100 Trying");
    let invite = rig.request(&Method::Invite);
    assert!(matches!(rig.reply(ticket), Some(Ok(Reply::Session(_)))));
    assert_eq!(invite.uri().as_str(), "sip:carol@example.com");
    assert_eq!(header(&invite, "User-to-User").as_deref(), Some("7"));
    assert_eq!(header(&invite, "X-Evil"), None);
    rig.receive(answer(&invite, 180, None));
    assert_eq!(report(&mut rig).1, "SIP/2.0 180 Ringing");
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let (state, body) = report(&mut rig);
    assert_eq!(state, "terminated;reason=noresource");
    assert_eq!(body, "SIP/2.0 200 OK");
    rig.seconds(600);
    assert!(rig.is_silent());
    assert_eq!(rig.count("terminated"), 0, "the call is ours now");
}

#[test]
fn a_call_that_comes_to_nothing_is_reported() {
    let (mut rig, _, id) = asked(&[CAROL]);
    rig.command(json!({ "type": "acceptCallRequest", "request": id }));
    rig.response(202);
    report(&mut rig);
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 486, None));
    rig.request(&Method::Ack);
    let (state, body) = report(&mut rig);
    assert!(state.starts_with("terminated"), "{state}");
    assert!(body.starts_with("SIP/2.0 486"), "{body}");
}

/// RFC 3515 §2.2: who sends a REFER says where the reports go.
#[test]
fn who_can_not_be_reported_to_is_refused() {
    let mut rig = Rig::registered(alice());
    let refer = Caller::new("r1").request("REFER", &[CAROL], None);
    let refer = String::from_utf8(refer.to_vec()).unwrap();
    rig.receive(refer.replace("Contact:", "X-Contact:"));
    let id = rig.last("callRequested")["id"].as_u64().unwrap();
    let accept = json!({ "type": "acceptCallRequest", "request": id });
    assert_eq!(rig.refused(accept), "ERR_SESSION_STATE");
    rig.response(480);
    assert_eq!(rig.count("sessionStarted"), 0);
}

/// RFC 4488 §4.
#[test]
fn who_wants_no_report_gets_none() {
    let (mut rig, _, id) = asked(&[CAROL, ("Refer-Sub", "false")]);
    rig.command(json!({ "type": "acceptCallRequest", "request": id }));
    let accepted = rig.response(202);
    assert_eq!(accepted.headers().get("Refer-Sub"), Some("false"));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    assert!(rig.is_silent());
}

#[test]
fn a_request_is_refused_as_the_application_says() {
    for (more, code) in [(json!({}), 603), (json!({ "code": 403 }), 403)] {
        let (mut rig, _, id) = asked(&[CAROL]);
        let mut reject = json!({ "type": "rejectCallRequest", "request": id });
        for (name, value) in more.as_object().unwrap() {
            reject[name] = value.clone();
        }
        rig.done(reject.clone());
        rig.response(code);
        assert_eq!(rig.refused(reject), "ERR_SESSION_STATE");
    }
    let (mut rig, _, id) = asked(&[CAROL]);
    for bad in [
        json!({ "type": "rejectCallRequest", "request": id, "code": 200 }),
        json!({ "type": "rejectCallRequest", "request": id, "reason": "a\r\nb" }),
    ] {
        assert_eq!(rig.refused(bad), "ERR_INVALID_ARGUMENT");
    }
    assert!(rig.is_silent());
}

#[test]
fn what_can_not_be_followed_is_refused_at_once() {
    for (headers, code) in [
        (vec![], 400),
        (vec![CAROL, CAROL], 400),
        (
            vec![("Refer-To", "<sip:carol@example.com;method=BYE>")],
            501,
        ),
        (vec![("Refer-To", "<http://example.com>")], 416),
    ] {
        let mut rig = Rig::registered(alice());
        rig.receive(Caller::new("r1").request("REFER", &headers, None));
        rig.response(code);
        assert_eq!(rig.count("callRequested"), 0);
    }
}

#[test]
fn a_request_beyond_max_sessions_waits_for_another_decision() {
    let mut rig = Rig::registered(alice_with(json!({ "maxSessions": 1 })));
    rig.command(json!({ "type": "call", "target": "dave" }));
    rig.request(&Method::Invite);
    rig.receive(Caller::new("r1").request("REFER", &[CAROL], None));
    let id = rig.last("callRequested")["id"].as_u64().unwrap();
    let accept = json!({ "type": "acceptCallRequest", "request": id });
    let ticket = rig.command(accept);
    assert_eq!(rig.error(ticket).code, ErrorCode::TooManySessions);
    rig.done(json!({ "type": "rejectCallRequest", "request": id, "code": 486 }));
    rig.response(486);
}

#[test]
fn requests_that_pile_up_and_a_phone_that_ends_are_refused() {
    let mut rig = Rig::registered(alice());
    for n in 0..65 {
        let mut bob = Caller::new(&format!("r{n}"));
        rig.receive(bob.request("REFER", &[CAROL], None));
    }
    assert_eq!(rig.count("callRequested"), 64);
    rig.response(480);
    rig.command(json!({ "type": "destroy" }));
    for _ in 0..64 {
        rig.response(480);
    }
}
