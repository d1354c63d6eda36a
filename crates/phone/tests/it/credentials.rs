//! Passwords and tokens: which are shown to whom, and where another comes from.

use std::time::Duration;

use phone::Reply;
use phone::network::{NetworkChange, OurEnd};
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{EPOCH, Rig, alice, alice_with, answer, code, header, with_header};

fn token(expires_in: u64) -> String {
    let exp = EPOCH.as_secs() + expires_in;
    let payload = json!({ "sub": "alice", "exp": exp }).to_string();
    format!("e30.{}.sig", base64url(payload.as_bytes()))
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn token_options(more: Value) -> Value {
    let mut options = json!({
        "environment": "example.com",
        "accessToken": token(3600),
        "audio": "none",
    });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    options
}

#[test]
fn a_refused_token_is_invalid_token() {
    let mut rig = Rig::new(token_options(json!({})));
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    for _ in 0..2 {
        if rig.is_silent() {
            break;
        }
        let register = rig.request(&sip::message::Method::Register);
        rig.receive(with_header(
            &register,
            401,
            "WWW-Authenticate",
            "Bearer realm=\"example.com\"",
        ));
    }
    let error = serde_json::to_value(rig.error(ticket)).unwrap();
    assert_eq!(error["type"], "invalid_token");
}

#[test]
fn a_token_is_asked_for_before_it_ends() {
    let mut rig = Rig::registered(token_options(json!({ "renewable": true })));
    rig.seconds(3539);
    assert_eq!(rig.count("tokenWillExpire"), 0);
    rig.seconds(1);
    assert_eq!(rig.last("tokenWillExpire")["expiresIn"], 60_000);
    assert_eq!(rig.count("credentialNeeded"), 1);
    let before = rig.registers.len();
    rig.done(json!({ "type": "setAccessToken", "token": token(7200) }));
    assert_eq!(
        rig.registers.len(),
        before + 1,
        "the new token is shown at once"
    );
    rig.seconds(3000);
    assert_eq!(rig.count("tokenWillExpire"), 1);
    rig.seconds(1000);
    assert_eq!(rig.count("tokenWillExpire"), 2);
}

#[test]
fn a_token_that_comes_after_a_sleep_ends_at_its_own_time() {
    let mut rig = Rig::registered(token_options(json!({ "renewable": true })));
    rig.network(NetworkChange {
        slept: Duration::from_secs(3600),
        rerouted: false,
        online: true,
        our_end: OurEnd::Kept,
    });
    rig.advance(Duration::from_millis(10));
    assert_eq!(rig.count("credentialNeeded"), 1, "it has ended meanwhile");
    rig.done(json!({ "type": "setAccessToken", "token": token(7200) }));
    rig.seconds(3539);
    assert_eq!(rig.count("credentialNeeded"), 1);
    rig.seconds(2);
    assert_eq!(rig.count("credentialNeeded"), 2);
}

#[test]
fn a_token_that_can_not_be_sent_is_refused() {
    let mut rig = Rig::registered(token_options(json!({})));
    for token in ["", "two words", "a\r\nX-Evil: 1"] {
        let command = json!({ "type": "setAccessToken", "token": token });
        assert_eq!(rig.refused(command), "ERR_INVALID_ARGUMENT");
    }
    let mut rig = Rig::registered(alice());
    assert_eq!(
        rig.refused(json!({ "type": "setAccessToken", "token": "abc" })),
        "ERR_INVALID_ARGUMENT"
    );
}

#[test]
fn a_token_that_nobody_can_renew_only_warns() {
    let mut rig = Rig::registered(token_options(json!({})));
    rig.seconds(3600);
    assert_eq!(rig.count("tokenWillExpire"), 1);
    assert_eq!(rig.count("credentialNeeded"), 0);
}

#[test]
fn a_refused_token_is_replaced_once_and_initialize_succeeds() {
    let mut rig = Rig::new(token_options(json!({ "renewable": true })));
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    while !rig.is_silent() {
        let register = rig.request(&sip::message::Method::Register);
        rig.receive(with_header(
            &register,
            401,
            "WWW-Authenticate",
            "Bearer realm=\"example.com\"",
        ));
    }
    assert_eq!(rig.count("credentialNeeded"), 1);
    assert!(rig.reply(ticket).is_none());
    rig.registrar = true;
    rig.done(json!({ "type": "setAccessToken", "token": token(7200) }));
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
}

#[test]
fn a_token_that_does_not_come_fails_initialize() {
    let mut rig = Rig::new(token_options(json!({ "renewable": true })));
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    while !rig.is_silent() {
        let register = rig.request(&sip::message::Method::Register);
        rig.receive(with_header(
            &register,
            401,
            "WWW-Authenticate",
            "Bearer realm=\"example.com\"",
        ));
    }
    rig.seconds(31);
    assert_eq!(code(&rig.error(ticket)), "ERR_AUTHENTICATION_FAILED");
}

/// The registrar refuses what it is shown, until it falls silent.
fn refuse_password(rig: &mut Rig, code: u16) {
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    while !rig.is_silent() {
        let register = rig.request(&sip::message::Method::Register);
        let code = match register.headers().contains("Authorization") {
            true => code,
            false => 401,
        };
        rig.receive(with_header(&register, code, "WWW-Authenticate", challenge));
    }
}

#[test]
fn a_refused_password_is_replaced_once_for_each_time_that_one_was_accepted() {
    for code in [401, 403] {
        let mut rig = Rig::new(alice_with(json!({ "renewable": true })));
        rig.registrar = false;
        let ticket = rig.command(json!({ "type": "initialize" }));
        rig.up();
        refuse_password(&mut rig, code);
        assert_eq!(rig.count("credentialNeeded"), 1);
        assert!(rig.reply(ticket).is_none());
        assert_eq!(rig.count("registrationFailed"), 0);
        rig.registrar = true;
        rig.done(json!({ "type": "setPassword", "password": "changed" }));
        assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));

        rig.registrar = false;
        rig.command(json!({ "type": "register" }));
        refuse_password(&mut rig, code);
        assert_eq!(rig.count("credentialNeeded"), 2, "it was changed again");
        rig.done(json!({ "type": "setPassword", "password": "as wrong" }));
        refuse_password(&mut rig, code);
        rig.seconds(3600);
        assert!(rig.is_silent());
        assert_eq!(rig.count("credentialNeeded"), 2, "no account is locked");
        assert_eq!(rig.last("registrationFailed")["code"], code);
        assert_eq!(rig.last("registrationFailed")["fatal"], true);
    }
}

/// Guarantee 7, as with a password that is written: calls go on meanwhile, also if no other comes.
#[test]
fn a_call_goes_on_over_a_new_connection_while_another_password_is_asked_for() {
    for comes in [true, false] {
        let (mut rig, _, _) = Rig::talking(alice_with(json!({ "renewable": true })));
        rig.down();
        rig.registrar = false;
        rig.until_connect();
        rig.up();
        let mut offers = Vec::new();
        let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256";
        while !rig.is_silent() {
            let sip::message::Message::Request(request) = rig.sent() else {
                panic!("nobody asked");
            };
            match *request.method() == Method::Register {
                true => rig.receive(with_header(&request, 401, "WWW-Authenticate", challenge)),
                false => offers.push(request),
            }
        }
        assert_eq!(rig.count("credentialNeeded"), 1);
        assert_eq!(offers.len(), 1, "the call is refreshed at once");
        rig.receive(answer(&offers[0], 200, Some("v=0 theirs 2\r\n")));
        assert_eq!(rig.changes("interrupted").last().unwrap(), false);
        rig.registrar = comes;
        match comes {
            true => rig.done(json!({ "type": "setPassword", "password": "changed" })),
            false => rig.seconds(31),
        }
        assert_eq!(rig.count("registrationFailed"), usize::from(!comes));
        rig.lives_on();
    }
}

#[test]
fn whoever_asks_for_a_registration_that_was_refused_is_asked_for_another_password() {
    let mut rig = Rig::new(alice_with(json!({ "renewable": true })));
    rig.registrar = false;
    for (round, again) in ["initialize", "initialize"].iter().enumerate() {
        let ticket = rig.command(json!({ "type": again }));
        rig.up();
        refuse_password(&mut rig, 401);
        assert_eq!(rig.count("credentialNeeded"), round + 1);
        rig.done(json!({ "type": "setPassword", "password": "as wrong" }));
        refuse_password(&mut rig, 401);
        assert_eq!(rig.count("credentialNeeded"), round + 1);
        assert_eq!(code(&rig.error(ticket)), "ERR_AUTHENTICATION_FAILED");
    }
}

#[test]
fn a_function_that_has_no_other_password_is_waited_for_no_longer() {
    let mut rig = Rig::new(alice_with(json!({ "renewable": true })));
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    refuse_password(&mut rig, 401);
    assert!(rig.reply(ticket).is_none());
    rig.done(json!({ "type": "credentialFailed" }));
    rig.advance(Duration::from_millis(1));
    assert_eq!(code(&rig.error(ticket)), "ERR_AUTHENTICATION_FAILED");
}

#[test]
fn a_question_for_a_password_ends_with_what_it_was_about() {
    for ended_by in ["register", "unregister", "disconnect"] {
        let mut rig = Rig::registered(alice_with(json!({ "renewable": true })));
        rig.registrar = false;
        rig.command(json!({ "type": "register" }));
        refuse_password(&mut rig, 403);
        assert_eq!(rig.count("credentialNeeded"), 1);
        rig.registrar = true;
        rig.command(json!({ "type": ended_by }));
        rig.seconds(60);
        assert_eq!(rig.count("registrationFailed"), 0, "{ended_by}");
    }
}

#[test]
fn a_password_that_does_not_come_fails_initialize_and_one_that_nobody_gives_is_not_asked_for() {
    for (renewable, asked) in [(true, 1), (false, 0)] {
        let mut rig = Rig::new(alice_with(json!({ "renewable": renewable })));
        rig.registrar = false;
        let ticket = rig.command(json!({ "type": "initialize" }));
        rig.up();
        refuse_password(&mut rig, 401);
        assert_eq!(rig.count("credentialNeeded"), asked);
        rig.seconds(31);
        assert_eq!(code(&rig.error(ticket)), "ERR_AUTHENTICATION_FAILED");
        assert_eq!(rig.count("registrationFailed"), 1);
    }
}

#[test]
fn a_bearer_token_goes_out_only_when_it_is_asked_for() {
    for (authorization, shown) in [("challenge", false), ("always", true)] {
        let mut rig = Rig::new(token_options(json!({ "authorization": authorization })));
        rig.command(json!({ "type": "initialize" }));
        rig.up();
        let first = header(&rig.registers[0], "Authorization");
        assert_eq!(
            first.is_some_and(|value| value.starts_with("Bearer ")),
            shown,
            "{authorization}"
        );
    }
}

#[test]
fn the_organization_travels_along() {
    let org = "01234567-89ab-4def-8123-456789abcdef";
    let rig = Rig::registered(token_options(json!({ "orgId": org })));
    assert_eq!(
        header(&rig.registers[0], "X-Organization-Id").as_deref(),
        Some(org)
    );
}

#[test]
fn a_password_is_for_the_realms_that_were_given() {
    let realms = json!({ "realm": ["one", "two"] });
    for (realm, answered) in [("one", true), ("two", true), ("example.com", false)] {
        let mut rig = Rig::new(alice_with(realms.clone()));
        rig.registrar = false;
        rig.command(json!({ "type": "initialize" }));
        rig.up();
        let challenge = format!("Digest realm=\"{realm}\", nonce=\"n1\", algorithm=SHA-256");
        let register = rig.request(&sip::message::Method::Register);
        rig.receive(with_header(&register, 401, "WWW-Authenticate", &challenge));
        assert_eq!(rig.is_silent(), !answered, "{realm}");
    }
}

#[test]
fn a_server_that_goes_back_to_a_weaker_algorithm_is_answered_when_the_application_asks() {
    for again in ["register", "initialize"] {
        let mut rig = Rig::new(alice());
        rig.registrar = false;
        let asks = |rig: &mut Rig, algorithm: &str| {
            let register = rig.request(&sip::message::Method::Register);
            let challenge = format!("Digest realm=\"r\", nonce=\"n\", algorithm={algorithm}");
            rig.receive(with_header(&register, 401, "WWW-Authenticate", &challenge));
        };
        let grants = |rig: &mut Rig| {
            let register = rig.request(&sip::message::Method::Register);
            assert!(register.headers().contains("Authorization"));
            rig.receive(with_header(&register, 200, "Expires", "600"));
        };
        rig.command(json!({ "type": "initialize" }));
        rig.up();
        asks(&mut rig, "SHA-256");
        grants(&mut rig);
        rig.command(json!({ "type": "register" }));
        asks(&mut rig, "MD5");
        let failed = rig.last("registrationFailed");
        assert!(failed["reason"].as_str().unwrap().contains("weaker"));
        let ticket = rig.command(json!({ "type": again }));
        asks(&mut rig, "MD5");
        grants(&mut rig);
        assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)), "{again}");
    }
}
