use std::time::Duration;

use phone::network::{NetworkChange, OurEnd};
use phone::{Connection, Reply};
use serde_json::{Value, json};
use sip::message::Method;
use sip::transaction::Transport;

use crate::harness::{
    Caller, EPOCH, Rig, alice, alice_with, answer, code, header, redirection, with_header,
};

fn refuse(rig: &mut Rig) {
    rig.connection(Connection::Refused {
        code: phone::ErrorCode::ConnectionFailed,
        reason: "ECONNREFUSED".into(),
    });
}

#[test]
fn initialize_connects_registers_and_is_ready() {
    let mut rig = Rig::new(alice());
    let ticket = rig.command(json!({ "type": "initialize" }));
    assert_eq!(rig.connects.len(), 1);
    assert!(rig.reply(ticket).is_none());
    rig.up();
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    let names: Vec<&String> = rig.order.iter().collect();
    assert_eq!(
        names,
        [
            "connect",
            "connected",
            "REGISTER",
            "registered",
            "ready",
            "reply 1"
        ]
    );
    assert_eq!(rig.last("connected")["reconnect"], false);
    assert_eq!(rig.last("registered")["expires"], 600);
}

/// Names of the other side are for the server: none is looked up, and nobody is connected to, whatever they stand for there or here.
#[test]
fn nobody_but_the_servers_of_the_options_is_connected_to_whatever_the_other_side_names() {
    for at in [
        "localhost:22;transport=tcp",
        "rebinding.example.net;transport=ws",
        "127.0.0.1:5060;transport=tls",
        "[::1]:8080",
        "169.254.169.254:80;transport=tcp",
    ] {
        let theirs = |message: bytes::Bytes| {
            let text = String::from_utf8(message.to_vec()).unwrap();
            text.replace("bob@192.0.2.1:5060", &format!("bob@{at}"))
        };
        let options = json!({ "followRedirects": true });
        let mut rig = Rig::registered(alice_with(options));
        rig.command(json!({ "type": "call", "target": "bob" }));
        let invite = rig.request(&Method::Invite);
        rig.receive(redirection(&invite, &format!("<sip:carol@{at}>")));
        rig.request(&Method::Ack);
        let invite = rig.request(&Method::Invite);
        let ringing = with_header(&invite, 180, "Record-Route", &format!("<sip:{at};lr>"));
        rig.receive(theirs(ringing));
        rig.receive(theirs(answer(&invite, 200, Some("v=0\r\n"))));
        rig.request(&Method::Ack);
        let id = rig.id_of("sessionStarted");
        let transfer = json!({ "type": "transfer", "id": id, "target": format!("sip:carol@{at}") });
        rig.command(transfer);
        rig.command(json!({ "type": "end", "id": id }));
        rig.seconds(60);
        assert_eq!(rig.connects.len(), 1, "{at}");
    }
}

#[test]
fn without_registration_connecting_is_enough() {
    let mut rig = Rig::new(alice_with(json!({ "register": false })));
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    assert!(rig.registers.is_empty());
    assert_eq!(rig.count("ready"), 1);
}

#[test]
fn a_wrong_password_rejects_initialize_and_is_fatal() {
    let mut rig = Rig::new(alice());
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    for _ in 0..2 {
        let register = rig.request(&sip::message::Method::Register);
        rig.receive(with_header(&register, 401, "WWW-Authenticate", challenge));
    }
    let failed = rig.last("registrationFailed");
    assert_eq!(
        (failed["code"].as_u64(), failed["fatal"].as_bool()),
        (Some(401), Some(true))
    );
    let error = rig.error(ticket);
    assert_eq!(error.message, "Failed to initialize SDK");
    assert_eq!(code(&error), "ERR_AUTHENTICATION_FAILED");
    let error = serde_json::to_value(error).unwrap();
    assert_eq!(error["type"], "initialization");
    assert_eq!(error["sip"]["code"], 401);
    assert_eq!(rig.count("error"), 1);
    assert_eq!(rig.disconnects, 1);
    rig.seconds(600);
    assert_eq!(rig.connects.len(), 1, "nothing is tried again by itself");
    assert!(!format!("{:?}", rig.events).contains("secret"));
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
fn an_unreachable_server_rejects_initialize() {
    let mut rig = Rig::new(alice());
    let ticket = rig.command(json!({ "type": "initialize" }));
    refuse(&mut rig);
    let error = rig.error(ticket);
    assert_eq!(code(&error), "ERR_CONNECTION_FAILED");
    assert_eq!(error.cause.as_deref(), Some("ECONNREFUSED"));
    assert_eq!(rig.count("error"), 1);
    rig.seconds(600);
    assert_eq!(rig.connects.len(), 1);

    let again = rig.command(json!({ "type": "initialize" }));
    rig.up();
    assert_eq!(rig.reply(again), Some(&Ok(Reply::Done)));
}

#[test]
fn a_server_that_does_not_answer_is_given_ten_seconds_by_whoever_drives_the_phone_alone() {
    let mut rig = Rig::new(alice());
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.advance(phone::CONNECT_WITHIN - Duration::from_millis(1));
    assert!(rig.reply(ticket).is_none());
    rig.advance(Duration::from_millis(1));
    let error = rig.error(ticket);
    assert_eq!(code(&error), "ERR_CONNECTION_FAILED");
    assert_eq!(error.cause.as_deref(), Some("the server did not answer"));
    assert_eq!(rig.disconnects, 0);
}

#[test]
fn a_server_that_speaks_no_sip_rejects_initialize() {
    let mut rig = Rig::new(alice());
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    rig.receive("hello, world".as_bytes());
    rig.receive(vec![0xff; 100]);
    rig.seconds(40);
    assert_eq!(code(&rig.error(ticket)), "ERR_REGISTRATION_FAILED");
}

#[test]
fn every_server_is_tried_before_initialize_fails() {
    let servers = json!([
        { "url": "wss://c.example.com", "priority": 2 },
        { "url": "wss://a.example.com", "priority": 0 },
        { "url": "wss://b.example.com", "priority": 1 },
    ]);
    let mut rig = Rig::new(alice_with(json!({ "servers": servers })));
    let ticket = rig.command(json!({ "type": "initialize" }));
    refuse(&mut rig);
    refuse(&mut rig);
    assert!(rig.reply(ticket).is_none());
    refuse(&mut rig);
    let order: Vec<usize> = rig.connects.iter().map(|(server, _)| *server).collect();
    assert_eq!(order, [1, 2, 0]);
    assert_eq!(code(&rig.error(ticket)), "ERR_CONNECTION_FAILED");
}

#[test]
fn a_lost_connection_comes_back_fast_and_then_backs_off() {
    let mut rig = Rig::registered(alice());
    rig.seconds(200);
    rig.down();
    let lost = rig.now;
    rig.until_connect();
    assert!(rig.now - lost <= Duration::from_millis(250));
    for _ in 0..8 {
        refuse(&mut rig);
        rig.until_connect();
    }
    let waits: Vec<f64> = rig
        .events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .filter(|event| event["type"] == "disconnected")
        .filter_map(|event| event["retryIn"].as_f64())
        .map(|millis| millis / 1000.0)
        .collect();
    assert!((1.0..=2.0).contains(&waits[1]), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 30.0), "{waits:?}");
    assert!(waits.last().unwrap() >= &15.0, "{waits:?}");
}

#[test]
fn a_flapping_connection_is_not_retried_fast() {
    let mut rig = Rig::registered(alice());
    for expected in [0.0..=0.25, 1.0..=2.0, 2.0..=4.0] {
        rig.seconds(5);
        rig.down();
        let wait = rig.last("disconnected")["retryIn"].as_f64().unwrap() / 1000.0;
        assert!(expected.contains(&wait), "{wait} not in {expected:?}");
        rig.until_connect();
        rig.up();
    }
    rig.seconds(121);
    rig.down();
    assert!(rig.last("disconnected")["retryIn"].as_f64().unwrap() <= 250.0);
}

#[test]
fn a_silent_connection_is_noticed_within_fifteen_seconds_and_replaced() {
    for after in 0..30 {
        let mut rig = Rig::registered(alice());
        rig.seconds(after);
        rig.pongs = false;
        rig.seconds(15);
        assert!(rig.disconnects >= 1, "silent after {after} s");
        assert_eq!(rig.last("disconnected")["reconnecting"], true);
        rig.seconds(1);
        assert!(rig.connects.len() >= 2);
    }
}

#[test]
fn unregister_and_register_settle_with_the_registrars_word() {
    let mut rig = Rig::registered(alice());
    rig.done(json!({ "type": "unregister" }));
    assert_eq!(rig.count("unregistered"), 1);
    let before = rig.registers.len();
    rig.seconds(3600);
    assert_eq!(rig.registers.len(), before, "nothing registers by itself");
    rig.done(json!({ "type": "register" }));
    assert_eq!(rig.count("registered"), 1);
}

#[test]
fn initialize_registers_again_after_unregister() {
    let mut rig = Rig::registered(alice());
    rig.done(json!({ "type": "unregister" }));
    rig.done(json!({ "type": "initialize" }));
    assert_eq!(rig.count("registered"), 1);
}

#[test]
fn a_lost_connection_is_not_unregistered() {
    let mut rig = Rig::registered(alice());
    rig.down();
    assert_eq!(rig.count("unregistered"), 0);
}

#[test]
fn the_registration_is_renewed_before_it_ends() {
    let mut rig = Rig::registered(alice());
    rig.seconds(599);
    assert_eq!(rig.registers.len(), 2);
    assert_eq!(rig.count("registered"), 0, "a renewal is no news");
}

#[test]
fn an_overloaded_registrar_is_waited_for_briefly() {
    let mut rig = Rig::new(alice());
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    let register = rig.request(&sip::message::Method::Register);
    rig.registrar = true;
    rig.receive(with_header(&register, 503, "Retry-After", "5"));
    let failed = rig.last("registrationFailed");
    assert_eq!(failed["fatal"], false);
    assert!(rig.reply(ticket).is_none());
    rig.seconds(30);
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
}

#[test]
fn aborting_initialize_gives_up_connecting() {
    let mut rig = Rig::new(alice());
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.done(json!({ "type": "abort", "ticket": ticket }));
    assert_eq!(code(&rig.error(ticket)), "ERR_ABORTED");
    assert_eq!(rig.disconnects, 1);
    rig.seconds(60);
    assert_eq!(rig.connects.len(), 1);
}

#[test]
fn initialize_twice_settles_both() {
    let mut rig = Rig::new(alice());
    let first = rig.command(json!({ "type": "initialize" }));
    let second = rig.command(json!({ "type": "initialize" }));
    assert_eq!(rig.connects.len(), 1);
    rig.up();
    assert!(rig.reply(first).unwrap().is_ok() && rig.reply(second).unwrap().is_ok());
    rig.done(json!({ "type": "initialize" }));
    assert_eq!(rig.count("ready"), 1);
}

#[test]
fn late_news_of_a_connection_that_was_given_up_means_nothing() {
    let mut rig = Rig::registered(alice());
    rig.done(json!({ "type": "disconnect" }));
    rig.events.clear();
    rig.down();
    rig.connection(Connection::Up {
        server: 0,
        transport: Transport::Wss,
        local: None,
    });
    assert!(rig.events.is_empty(), "{:?}", rig.order);
}

#[test]
fn lines_below_the_wanted_level_are_never_made() {
    let mut rig = Rig::registered(alice_with(json!({ "logLevel": "error" })));
    let mut caller = Caller::new("c1");
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    assert_eq!(rig.count("trace"), 0);
    rig.done(json!({ "type": "setLogLevel", "level": "trace" }));
    rig.receive(caller.cancel(&[]));
    assert!(rig.count("trace") > 0);
    rig.done(json!({ "type": "setLogLevel", "level": "error" }));
    rig.events.clear();
    rig.command(json!({ "type": "unregister" }));
    assert_eq!(rig.count("trace"), 0);
}

#[test]
fn trace_shows_messages_without_their_secrets() {
    let mut rig = Rig::new(alice_with(json!({ "logLevel": "trace" })));
    rig.registrar = false;
    rig.command(json!({ "type": "initialize" }));
    rig.up();
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=SHA-256, qop=\"auth\"";
    let register = rig.request(&sip::message::Method::Register);
    rig.receive(with_header(&register, 401, "WWW-Authenticate", challenge));
    let again = rig.request(&sip::message::Method::Register);
    let credentials = header(&again, "Authorization").expect("credentials");
    let proof = credentials
        .split("response=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let trace = format!("{:?}", rig.events);
    assert!(trace.contains("REGISTER sip:example.com"), "{trace}");
    assert!(!trace.contains(proof));
}

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
fn initialize_waits_out_ten_seconds_of_a_registrar_that_asks_for_patience() {
    for (status, header, value) in [
        (503, "Retry-After", "5"),
        (503, "Retry-After", "0"),
        (500, "X-Nothing", "x"),
        (200, "Expires", "0"),
    ] {
        let mut rig = Rig::new(alice());
        rig.registrar = false;
        let ticket = rig.command(json!({ "type": "initialize" }));
        rig.up();
        let mut registers = 0;
        for _tenth in 0..120 {
            while !rig.is_silent() {
                let register = rig.request(&sip::message::Method::Register);
                registers += 1;
                rig.receive(with_header(&register, status, header, value));
            }
            rig.advance(Duration::from_millis(100));
        }
        assert_eq!(
            code(&rig.error(ticket)),
            "ERR_REGISTRATION_FAILED",
            "{status} {value}"
        );
        assert!(
            (2..=5).contains(&registers),
            "{registers} tries of {status} {value}"
        );
        let reason = rig.last("registrationFailed")["reason"].to_string();
        assert_eq!(
            reason.contains("lists no binding of ours"),
            status == 200,
            "{reason}"
        );
    }
}

#[test]
fn a_realm_that_is_not_ours_is_named_as_the_obstacle() {
    let mut rig = Rig::new(alice_with(json!({ "realm": "mine" })));
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    let register = rig.request(&sip::message::Method::Register);
    let challenge = "Digest realm=\"theirs\", nonce=\"n1\"";
    rig.receive(with_header(&register, 401, "WWW-Authenticate", challenge));
    let reason = rig.last("registrationFailed")["reason"].clone();
    assert_eq!(
        reason,
        "Unauthorized (the challenge is for a realm that 'realm' does not name)"
    );
    let error = serde_json::to_value(rig.error(ticket)).unwrap();
    assert_eq!(error["code"], "ERR_AUTHENTICATION_FAILED");
    assert!(
        error
            .to_string()
            .contains("The registrar answered 401 Unauthorized: the challenge is for")
    );
}

#[test]
fn a_registrar_that_forbids_is_fatal() {
    let mut rig = Rig::new(alice());
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    let register = rig.request(&sip::message::Method::Register);
    rig.receive(answer(&register, 403, None));
    assert_eq!(rig.last("registrationFailed")["fatal"], true);
    assert_eq!(rig.error(ticket).sip.unwrap().code, 403);
}

/// Lets time pass until the registration is renewed, which the test answers.
fn until_renewed(rig: &mut Rig) {
    rig.registrar = false;
    while rig.is_silent() {
        rig.seconds(1);
    }
}

/// Behind a restart, say, whose users are not loaded yet.
#[test]
fn a_registrar_that_forgets_whom_it_knew_is_asked_again_until_it_knows_it() {
    for code in [404, 410, 481, 604] {
        let mut rig = Rig::registered(alice());
        until_renewed(&mut rig);
        for _ in 0..3 {
            let register = rig.request(&sip::message::Method::Register);
            rig.receive(answer(&register, code, None));
            let failed = rig.last("registrationFailed");
            assert_eq!(
                (&failed["code"], &failed["fatal"]),
                (&json!(code), &json!(false))
            );
            let wait = failed["retryIn"].as_u64().unwrap();
            assert!((1_000..=30_000).contains(&wait), "{code}: {wait} ms");
            rig.advance(Duration::from_millis(wait + 1));
        }
        let register = rig.request(&sip::message::Method::Register);
        rig.receive(with_header(&register, 200, "Expires", "600"));
        assert_eq!(rig.count("registered"), 1, "{code}");
    }
}

#[test]
fn a_registrar_that_never_knew_us_or_refuses_our_password_is_not_asked_again() {
    let mut rig = Rig::new(alice());
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    let register = rig.request(&sip::message::Method::Register);
    rig.receive(answer(&register, 404, None));
    assert_eq!(code(&rig.error(ticket)), "ERR_REGISTRATION_FAILED");

    let mut rig = Rig::registered(alice());
    until_renewed(&mut rig);
    let register = rig.request(&sip::message::Method::Register);
    rig.receive(answer(&register, 403, None));
    assert_eq!(rig.last("registrationFailed")["fatal"], true);
    rig.seconds(3600);
    assert!(rig.is_silent(), "the account is not to be locked");
}

/// Over TCP, TLS and UDP our Contact and Via say where we are, and servers pass them on.
#[test]
fn with_relays_alone_the_other_side_is_not_told_our_address_by_sip_either() {
    for (policy, is_told) in [("all", true), ("relay", false)] {
        let servers = "sip:a.example.com;transport=tcp";
        let options = json!({ "servers": servers, "iceTransportPolicy": policy });
        let mut rig = Rig::new(alice_with(options));
        rig.command(json!({ "type": "initialize" }));
        rig.connection(Connection::Up {
            server: 0,
            transport: Transport::Tcp,
            local: Some("192.0.2.1:4711".parse().unwrap()),
        });
        let register = rig.registers.last().expect("it registers").to_bytes();
        let text = String::from_utf8_lossy(&register);
        assert_eq!(text.contains("192.0.2.1"), is_told, "{text}");
    }
}
