//! Servers over UDP, of which nobody knows whether they are there before they are heard.

use std::time::Duration;

use phone::Reply;
use phone::network::OurEnd;
use serde_json::{Value, json};
use sip::message::Method;

use crate::harness::{Rig, alice_with, answer, code};

/// Two servers over UDP, where a socket opens whoever is there.
fn two_over_udp() -> Value {
    alice_with(json!({ "servers": [
        { "url": "sip:a.example.com", "priority": 0 },
        { "url": "sip:b.example.com", "priority": 1 },
    ] }))
}

fn last_tried(rig: &Rig) -> usize {
    rig.connects.last().expect("a server was tried").0
}

#[test]
fn of_servers_over_udp_the_next_is_tried_if_nobody_listens() {
    let mut rig = Rig::new(two_over_udp());
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    rig.down();
    assert_eq!(last_tried(&rig), 1);
    assert!(rig.reply(ticket).is_none());
    assert_eq!(rig.count("connected"), 0);
    rig.registrar = true;
    rig.up();
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    assert_eq!(rig.count("connected"), 1);
    for event in ["disconnected", "registrationFailed", "error"] {
        assert_eq!(rig.count(event), 0, "{event}");
    }
}

#[test]
fn of_servers_over_udp_the_next_is_tried_if_one_is_silent_for_ten_seconds() {
    let mut rig = Rig::new(two_over_udp());
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    rig.advance(Duration::from_millis(9_999));
    assert_eq!(rig.connects.len(), 1);
    rig.registrar = true;
    rig.advance(Duration::from_millis(1));
    assert_eq!((rig.disconnects, last_tried(&rig)), (1, 1));
    rig.up();
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
}

#[test]
fn one_server_over_udp_where_nobody_is_rejects_initialize_as_any_other() {
    let alone = json!({ "servers": "sip:a.example.com" });
    for is_silent in [false, true] {
        let mut rig = Rig::new(alice_with(alone.clone()));
        rig.registrar = false;
        let ticket = rig.command(json!({ "type": "initialize" }));
        rig.up();
        match is_silent {
            true => rig.seconds(10),
            false => rig.down(),
        }
        let error = rig.error(ticket);
        assert_eq!(code(&error), "ERR_CONNECTION_FAILED");
        assert_eq!(error.message, "Failed to initialize SDK");
        assert_eq!(rig.count("error"), 1);
        for event in ["connected", "disconnected", "registrationFailed"] {
            assert_eq!(rig.count(event), 0, "{event}");
        }
        rig.seconds(600);
        assert_eq!(rig.connects.len(), 1);
        rig.registrar = true;
        let again = rig.command(json!({ "type": "initialize" }));
        rig.up();
        assert_eq!(rig.reply(again), Some(&Ok(Reply::Done)));
    }
}

#[test]
fn a_server_over_udp_that_refuses_at_last_has_been_heard() {
    let mut rig = Rig::new(two_over_udp());
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    let register = rig.request(&Method::Register);
    rig.seconds(9);
    rig.receive(answer(&register, 100, None));
    rig.seconds(9);
    assert!(rig.reply(ticket).is_none());
    rig.receive(answer(&register, 403, None));
    assert_eq!(code(&rig.error(ticket)), "ERR_AUTHENTICATION_FAILED");
    assert_eq!((rig.connects.len(), rig.count("connected")), (1, 1));
}

#[test]
fn a_server_over_udp_that_is_gone_later_is_left_for_the_next() {
    let mut rig = Rig::registered(two_over_udp());
    assert_eq!(last_tried(&rig), 0);
    rig.registrar = false;
    rig.down();
    rig.until_connect();
    rig.up();
    rig.down();
    assert_eq!(last_tried(&rig), 1);
    rig.registrar = true;
    rig.up();
    assert_eq!((rig.count("registered"), rig.count("disconnected")), (1, 1));
}

#[test]
fn a_network_that_changes_while_a_server_over_udp_is_asked_asks_it_anew() {
    let mut rig = Rig::new(two_over_udp());
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    rig.moved(OurEnd::Gone);
    rig.registrar = true;
    rig.until_connect();
    assert_eq!(last_tried(&rig), 0);
    rig.up();
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
}

/// A trunk: nobody is registered.
fn trunk_over_udp() -> Value {
    let mut options = two_over_udp();
    options["register"] = json!(false);
    options
}

#[test]
fn without_a_registration_whatever_a_server_over_udp_answers_to_options_says_that_it_is_there() {
    for status in [200, 404, 483, 503] {
        let mut rig = Rig::new(trunk_over_udp());
        let ticket = rig.command(json!({ "type": "initialize" }));
        rig.up();
        let question = rig.request(&Method::Options);
        assert_eq!(rig.count("connected") + rig.count("ready"), 0);
        assert!(rig.reply(ticket).is_none());
        rig.receive(answer(&question, status, None));
        assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)), "{status}");
        assert_eq!((rig.count("connected"), rig.count("ready")), (1, 1));
        assert!(rig.registers.is_empty());
    }
}

#[test]
fn without_a_registration_a_server_over_udp_that_nobody_confirms_is_passed_over() {
    let mut rig = Rig::new(trunk_over_udp());
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.up();
    rig.seconds(10);
    assert_eq!(last_tried(&rig), 1);
    rig.up();
    rig.down();
    assert_eq!(code(&rig.error(ticket)), "ERR_CONNECTION_FAILED");
    assert_eq!(rig.count("connected") + rig.count("ready"), 0);
}
