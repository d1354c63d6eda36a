//! Calls whose password or token is refused by a proxy: another is asked for, once, and they go on.

use serde_json::{Value, json};
use sip::message::{Message, Method, Request};

use crate::harness::{Rig, alice_with, answer, header, with_header};

fn renewable() -> Value {
    alice_with(json!({ "renewable": true }))
}

fn dial(rig: &mut Rig) -> Request {
    rig.command(json!({ "type": "call", "target": "bob" }));
    rig.request(&Method::Invite)
}

/// The proxy refuses the call, whatever it is shown, until the phone falls silent; gives the INVITEs that it was sent.
fn refuse(rig: &mut Rig, invite: Request, realm: &str) -> Vec<Request> {
    let challenge = format!("Digest realm=\"{realm}\", nonce=\"p1\", algorithm=SHA-256");
    refuse_by(rig, invite, &challenge)
}

fn refuse_by(rig: &mut Rig, invite: Request, challenge: &str) -> Vec<Request> {
    let mut invites = vec![invite];
    loop {
        let last = invites.last().unwrap();
        rig.receive(with_header(last, 407, "Proxy-Authenticate", challenge));
        rig.request(&Method::Ack);
        match rig.is_silent() {
            true => return invites,
            false => invites.push(rig.request(&Method::Invite)),
        }
    }
}

fn shows(request: &Request) -> Option<String> {
    header(request, "Proxy-Authorization")
}

/// The call is sent again without what was refused, is challenged, and is answered.
fn goes_on(rig: &mut Rig, invite: &Request) {
    assert_eq!(shows(invite), None);
    let challenge = "Digest realm=\"example.com\", nonce=\"p2\", algorithm=SHA-256";
    rig.receive(with_header(invite, 407, "Proxy-Authenticate", challenge));
    rig.request(&Method::Ack);
    let again = rig.request(&Method::Invite);
    assert!(shows(&again).unwrap().contains("p2"));
    rig.receive(answer(&again, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    assert_eq!(rig.changes("state").last().unwrap(), "active");
}

#[test]
fn a_call_whose_password_is_refused_goes_on_with_another() {
    let mut rig = Rig::registered(renewable());
    let first = dial(&mut rig);
    let refused = refuse(&mut rig, first.clone(), "example.com");
    assert_eq!(rig.count("credentialNeeded"), 1);
    assert_eq!(rig.count("sessionEnded"), 0);
    rig.done(json!({ "type": "setPassword", "password": "changed" }));
    let again = rig.request(&Method::Invite);
    let call = |name| (header(&first, name), header(&again, name));
    for (before, after) in [call("Call-ID"), call("From")] {
        assert_eq!(before, after);
    }
    assert_ne!(
        header(refused.last().unwrap(), "CSeq"),
        header(&again, "CSeq")
    );
    goes_on(&mut rig, &again);
    rig.seconds(60);
    assert_eq!(rig.count("credentialNeeded"), 1);
    assert_eq!(rig.count("sessionEnded"), 0);
}

#[test]
fn a_call_asks_for_another_password_once_and_the_next_call_may_again() {
    let mut rig = Rig::registered(renewable());
    for round in 1..3 {
        let first = dial(&mut rig);
        refuse(&mut rig, first, "example.com");
        rig.done(json!({ "type": "setPassword", "password": "as wrong" }));
        let again = rig.request(&Method::Invite);
        refuse(&mut rig, again, "example.com");
        assert_eq!(rig.count("credentialNeeded"), round);
        assert_eq!(rig.count("sessionEnded"), round);
        assert_eq!(rig.last("sessionEnded")["reason"]["sip"]["code"], 407);
    }
}

#[test]
fn a_call_whose_token_is_refused_goes_on_with_another() {
    let mut rig = Rig::registered(json!({
        "environment": "example.com",
        "username": "alice",
        "accessToken": "first",
        "audio": "none",
        "renewable": true,
    }));
    let challenge = "Bearer realm=\"example.com\"";
    let first = dial(&mut rig);
    let refused = refuse_by(&mut rig, first, challenge);
    assert_eq!(shows(refused.last().unwrap()).unwrap(), "Bearer first");
    assert_eq!(rig.count("credentialNeeded"), 1);
    rig.done(json!({ "type": "setAccessToken", "token": "second" }));
    let again = rig.request(&Method::Invite);
    assert_eq!(shows(&again), None);
    rig.receive(with_header(&again, 407, "Proxy-Authenticate", challenge));
    rig.request(&Method::Ack);
    let shown = rig.request(&Method::Invite);
    assert_eq!(shows(&shown).unwrap(), "Bearer second");
}

#[test]
fn calls_that_are_refused_together_ask_one_question() {
    let mut rig = Rig::registered(renewable());
    for _ in 0..2 {
        let first = dial(&mut rig);
        refuse(&mut rig, first, "example.com");
    }
    assert_eq!(rig.count("credentialNeeded"), 1);
    rig.done(json!({ "type": "setPassword", "password": "changed" }));
    for _ in 0..2 {
        let again = rig.request(&Method::Invite);
        rig.receive(answer(&again, 180, None));
    }
    assert_eq!(rig.count("progress"), 2);
}

#[test]
fn a_call_fails_with_the_refusal_if_no_other_password_comes() {
    for none in ["late", "failed", "nobody"] {
        let mut rig = Rig::registered(alice_with(json!({ "renewable": none != "nobody" })));
        let first = dial(&mut rig);
        refuse(&mut rig, first, "example.com");
        assert_eq!(rig.count("credentialNeeded"), usize::from(none != "nobody"));
        match none {
            "late" => rig.seconds(31),
            "failed" => {
                rig.done(json!({ "type": "credentialFailed" }));
                rig.advance(std::time::Duration::from_millis(1));
            }
            _ => {}
        }
        assert_eq!(rig.count("sessionEnded"), 1, "{none}");
        assert_eq!(rig.last("sessionEnded")["reason"]["sip"]["code"], 407);
        assert_eq!(rig.count("registrationFailed"), 0);
    }
}

#[test]
fn a_call_that_is_given_up_meanwhile_is_not_sent_again() {
    let mut rig = Rig::registered(renewable());
    let first = dial(&mut rig);
    refuse(&mut rig, first, "example.com");
    let id = rig.id_of("sessionStarted");
    rig.done(json!({ "type": "end", "id": id }));
    assert!(rig.is_silent(), "its INVITE has its final answer");
    rig.assert_ended_once("cancel", "local");
    rig.done(json!({ "type": "setPassword", "password": "changed" }));
    assert!(rig.is_silent());
}

#[test]
fn a_password_that_comes_without_a_connection_is_shown_over_the_next() {
    let mut rig = Rig::registered(renewable());
    let first = dial(&mut rig);
    refuse(&mut rig, first, "example.com");
    rig.down();
    rig.done(json!({ "type": "setPassword", "password": "changed" }));
    assert_eq!(rig.count("sessionEnded"), 0);
    rig.until_connect();
    rig.up();
    let again = rig.request(&Method::Invite);
    goes_on(&mut rig, &again);
}

#[test]
fn who_may_not_challenge_has_nobody_asked_for_another_password() {
    let ours = json!({ "renewable": true, "realm": "example.com" });
    let mut rig = Rig::registered(alice_with(ours));
    let first = dial(&mut rig);
    let sent = refuse(&mut rig, first, "evil.example");
    assert_eq!(sent.len(), 1, "nothing is shown there");
    rig.command(json!({ "type": "call", "target": "sip:mallory@evil.example" }));
    let invite = rig.request(&Method::Invite);
    let challenge = "Digest realm=\"example.com\", nonce=\"n\"";
    rig.receive(with_header(&invite, 401, "WWW-Authenticate", challenge));
    assert_eq!(rig.count("sessionEnded"), 2);
    assert_eq!(rig.count("credentialNeeded"), 0);
}

/// The registrar's refusal and a call's are one question; each is told what comes of it.
#[test]
fn a_call_and_the_registration_wait_for_one_password() {
    for comes in [true, false] {
        let mut rig = Rig::registered(renewable());
        let first = dial(&mut rig);
        refuse(&mut rig, first, "example.com");
        rig.registrar = false;
        rig.command(json!({ "type": "register" }));
        let challenge = "Digest realm=\"example.com\", nonce=\"r1\", algorithm=SHA-256";
        while !rig.is_silent() {
            let register = rig.request(&Method::Register);
            rig.receive(with_header(&register, 401, "WWW-Authenticate", challenge));
        }
        assert_eq!(rig.count("credentialNeeded"), 1);
        rig.registrar = true;
        match comes {
            true => rig.done(json!({ "type": "setPassword", "password": "changed" })),
            false => rig.seconds(31),
        }
        let sent = (!rig.is_silent()).then(|| rig.sent());
        let is_call =
            |sent: &Message| matches!(sent, Message::Request(it) if it.method() == &Method::Invite);
        assert_eq!(sent.as_ref().is_some_and(is_call), comes);
        assert_eq!(rig.count("registrationFailed"), usize::from(!comes));
        assert_eq!(rig.count("sessionEnded"), usize::from(!comes));
    }
}
