//! Servers that die, and credentials that are in force no more.

use bytes::Bytes;
use serde_json::Value;

use super::*;
use crate::harness::with_header;

#[test]
fn a_password_that_was_changed_is_replaced_and_registration_goes_on() {
    for options in [alice(), with_ha1()] {
        let (mut rig, ..) = Rig::talking(options);
        rig.registrar = false;
        let ticket = rig.command(json!({ "type": "register" }));
        while !rig.is_silent() {
            let register = rig.request(&Method::Register);
            rig.receive(challenged(&register));
        }
        assert!(rig.reply(ticket).unwrap().is_err());
        assert_eq!(rig.last("registrationFailed")["fatal"], true);
        rig.done(json!({ "type": "setPassword", "password": "another" }));
        let register = rig.request(&Method::Register);
        rig.registrar = true;
        rig.receive(challenged(&register));
        assert_eq!(rig.count("registered"), 1);
        assert_eq!(rig.count("sessionEnded"), 0);
    }
}

fn with_ha1() -> Value {
    let mut options = alice_with(json!({ "ha1": "0".repeat(32), "realm": "example.com" }));
    options.as_object_mut().unwrap().remove("password");
    options
}

#[test]
fn a_password_that_can_not_be_used_is_refused() {
    let command = |password: &str| json!({ "type": "setPassword", "password": password });
    let mut rig = Rig::registered(alice());
    assert_eq!(rig.refused(command("")), "ERR_INVALID_ARGUMENT");
    let token = json!({ "environment": "example.com", "accessToken": "abc", "username": "alice", "audio": "none" });
    let mut rig = Rig::registered(token);
    assert_eq!(rig.refused(command("abc")), "ERR_INVALID_ARGUMENT");
}

fn challenged(register: &Request) -> Bytes {
    let challenge = "Digest realm=\"example.com\", nonce=\"n1\", algorithm=MD5, qop=\"auth\"";
    with_header(register, 401, "WWW-Authenticate", challenge)
}

fn with_servers(count: usize) -> Value {
    let name = |number: usize| format!("wss://{number}.example.com");
    alice_with(json!({ "servers": (0..count).map(name).collect::<Vec<_>>() }))
}

/// The registrar behind the proxy does not answer, or the proxy says so.
fn no_registrar(rig: &mut Rig, says: Option<u16>) {
    let register = rig.request(&Method::Register);
    match says {
        Some(code) => rig.receive(answer(&register, code, None)),
        None => rig.seconds(33),
    }
}

#[test]
fn another_server_is_tried_if_the_registrar_is_not_reached_over_this_one() {
    for says in [None, Some(408), Some(503), Some(504)] {
        let (mut rig, ..) = Rig::talking(with_servers(3));
        rig.registrar = false;
        rig.command(json!({ "type": "register" }));
        let mut servers = vec![rig.connects.last().unwrap().0];
        for _ in 0..2 {
            no_registrar(&mut rig, says);
            assert_eq!(rig.last("registrationFailed")["fatal"], false);
            let reason = rig.last("disconnected")["reason"].clone();
            assert_eq!(reason, "The registrar is not reached over this server");
            rig.until_connect();
            servers.push(rig.connects.last().unwrap().0);
            rig.up();
        }
        servers.sort_unstable();
        assert_eq!(servers, [0, 1, 2], "{says:?}");
        // All were tried: it waits here, ever longer, before it asks them again.
        let tried = rig.connects.len();
        no_registrar(&mut rig, says);
        assert_eq!(rig.connects.len(), tried);
        rig.registrar = true;
        rig.seconds(60);
        assert_eq!(rig.count("registered"), 1);
        assert_eq!(rig.connects.len(), tried);
        assert_eq!(rig.count("sessionEnded"), 0);
    }
}

#[test]
fn a_server_is_not_left_for_a_registrar_while_calls_would_end_with_it_or_if_it_is_the_only_one() {
    for (options, rings) in [(with_servers(1), false), (with_servers(2), true)] {
        let mut rig = Rig::registered(options);
        rig.registrar = false;
        if rings {
            let invite = Caller::new("c1").invite(&[], Some("v=0 theirs\r\n"));
            rig.receive(invite);
            rig.outbox.clear();
        }
        rig.command(json!({ "type": "register" }));
        let tried = rig.connects.len();
        no_registrar(&mut rig, Some(503));
        rig.seconds(1);
        assert_eq!((rig.count("disconnected"), rig.connects.len()), (0, tried));
    }
}
