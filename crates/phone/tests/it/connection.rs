use std::time::Duration;

use phone::{Connection, Reply};
use serde_json::json;
use sip::message::Method;
use sip::transaction::Transport;

use crate::harness::{
    Caller, Rig, alice, alice_with, answer, code, header, redirection, with_header,
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
