//! Servers that are at several places, as the DNS says (RFC 3263).

use std::time::Duration;

use phone::network::OurEnd;
use phone::{Connection, Reply};
use serde_json::{Value, json};
use sip::locating::Place;
use sip::message::Method;
use sip::transaction::Transport;

use crate::harness::{Rig, alice_with, answer, code, with_header};

const HOUR: Duration = Duration::from_secs(3600);

fn of_domain() -> Value {
    alice_with(json!({ "servers": "sip:example.com" }))
}

fn place(transport: Transport, host: &str, priority: u16) -> Place {
    Place {
        transport,
        host: host.to_owned(),
        port: 5060,
        rank: (0, priority),
        weight: 0,
        addresses: vec!["192.0.2.1".parse().unwrap()],
    }
}

/// Two places over TLS, the first of which has the better rank.
fn two() -> Vec<Place> {
    let places = [("b.test", 20), ("a.test", 10)];
    places
        .map(|(host, rank)| place(Transport::Tls, host, rank))
        .into()
}

fn sought(found: Vec<Place>, valid: Duration) -> Rig {
    let mut rig = Rig::new(of_domain());
    rig.dns = Some((found, valid));
    rig
}

fn tried(rig: &Rig) -> Vec<&str> {
    rig.places.iter().map(|place| &*place.host).collect()
}

fn up(rig: &mut Rig) {
    let transport = rig.places.last().expect("a place was tried").transport;
    rig.connection(Connection::Up {
        server: 0,
        transport,
        local: None,
    });
}

fn refuse(rig: &mut Rig) {
    rig.connection(Connection::Refused {
        code: phone::ErrorCode::ConnectionFailed,
        reason: "ECONNREFUSED".into(),
    });
}

fn finds(rig: &Rig) -> usize {
    rig.order.iter().filter(|what| *what == "find").count()
}

#[test]
fn a_place_that_refuses_is_followed_by_the_next_and_only_the_last_fails_initialize() {
    let mut rig = sought(two(), HOUR);
    let ticket = rig.command(json!({ "type": "initialize" }));
    refuse(&mut rig);
    assert_eq!(tried(&rig), ["a.test", "b.test"]);
    assert!(rig.reply(ticket).is_none());
    refuse(&mut rig);
    assert_eq!(code(&rig.error(ticket)), "ERR_CONNECTION_FAILED");
    assert_eq!(finds(&rig), 1);
}

#[test]
fn a_server_that_is_not_found_fails_as_one_that_is_not_reached() {
    let mut rig = sought(Vec::new(), HOUR);
    let ticket = rig.command(json!({ "type": "initialize" }));
    let error = rig.error(ticket);
    assert_eq!(code(&error), "ERR_CONNECTION_FAILED");
    assert!(rig.places.is_empty());
}

#[test]
fn what_was_unreached_goes_last_for_half_a_minute_and_is_first_again_then() {
    let mut rig = sought(two(), HOUR);
    rig.command(json!({ "type": "initialize" }));
    refuse(&mut rig);
    up(&mut rig);
    rig.down();
    rig.until_connect();
    assert_eq!(tried(&rig), ["a.test", "b.test", "b.test"]);
    up(&mut rig);
    rig.seconds(31);
    rig.down();
    rig.until_connect();
    assert_eq!(tried(&rig), ["a.test", "b.test", "b.test", "a.test"]);
}

#[test]
fn a_place_that_takes_connections_and_drops_them_is_followed_by_the_next() {
    let mut rig = sought(two(), HOUR);
    rig.registrar = false;
    rig.command(json!({ "type": "initialize" }));
    up(&mut rig);
    rig.down();
    rig.until_connect();
    assert_eq!(tried(&rig), ["a.test", "b.test"]);
}

#[test]
fn a_place_is_the_same_whatever_the_order_of_its_addresses() {
    let mut rig = sought(two(), Duration::ZERO);
    rig.command(json!({ "type": "initialize" }));
    refuse(&mut rig);
    up(&mut rig);
    if let Some((places, _)) = &mut rig.dns {
        places[1].addresses = vec!["192.0.2.2".parse().unwrap(), "192.0.2.1".parse().unwrap()];
    }
    rig.down();
    rig.until_connect();
    assert_eq!(tried(&rig), ["a.test", "b.test", "b.test"]);
}

#[test]
fn places_that_all_refuse_after_one_was_left_are_followed_by_the_next_server() {
    let options =
        json!({ "servers": ["sip:example.com", { "url": "sip:example.org", "priority": 1 }] });
    let mut rig = Rig::new(alice_with(options));
    rig.dns = Some((two(), HOUR));
    rig.registrar = false;
    rig.command(json!({ "type": "initialize" }));
    up(&mut rig);
    let register = rig.request(&Method::Register);
    rig.receive(answer(&register, 503, None));
    rig.until_connect();
    refuse(&mut rig);
    refuse(&mut rig);
    let servers: Vec<_> = rig.connects.iter().map(|(server, _)| *server).collect();
    assert_eq!(servers, [0, 0, 0, 1]);
}

#[test]
fn what_was_found_counts_as_long_as_the_dns_says() {
    let mut rig = sought(two(), Duration::from_secs(60));
    rig.command(json!({ "type": "initialize" }));
    up(&mut rig);
    for (after, found) in [(10, 1), (10, 1), (60, 2)] {
        rig.seconds(after);
        rig.down();
        rig.until_connect();
        up(&mut rig);
        assert_eq!(finds(&rig), found);
    }
    rig.moved(OurEnd::Gone);
    rig.until_connect();
    assert_eq!(finds(&rig), 3, "another network may have another DNS");
}

#[test]
fn a_place_that_has_no_time_is_left_for_another_as_long_as_it_says() {
    let mut rig = sought(two(), HOUR);
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    up(&mut rig);
    let register = rig.request(&Method::Register);
    rig.receive(with_header(&register, 503, "Retry-After", "300"));
    rig.until_connect();
    assert_eq!(tried(&rig), ["a.test", "b.test"]);
    rig.registrar = true;
    up(&mut rig);
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
    for (after, next) in [(200, "b.test"), (200, "a.test")] {
        rig.seconds(after);
        rig.down();
        rig.until_connect();
        assert_eq!(tried(&rig).last(), Some(&next));
        up(&mut rig);
    }
}

#[test]
fn each_place_has_one_turn_before_another_server_has() {
    let options =
        json!({ "servers": ["sip:example.com", { "url": "sip:example.org", "priority": 1 }] });
    let mut rig = Rig::new(alice_with(options));
    let three = ["a.test", "b.test", "c.test"].map(|host| place(Transport::Tls, host, 0));
    rig.dns = Some((three.into(), HOUR));
    rig.registrar = false;
    rig.command(json!({ "type": "initialize" }));
    for _ in 0..3 {
        up(&mut rig);
        // When the third is left, the first is free again.
        rig.seconds(31);
        let register = rig.request(&Method::Register);
        rig.receive(answer(&register, 503, None));
        rig.until_connect();
    }
    let servers: Vec<_> = rig.connects.iter().map(|(server, _)| *server).collect();
    assert_eq!(servers, [0, 0, 0, 1], "{:?}", tried(&rig));
}

#[test]
fn each_address_over_udp_is_asked_in_turn_and_the_last_has_most_time() {
    let mut several = place(Transport::Udp, "a.test", 0);
    let addresses = ["192.0.2.1", "2001:db8::1", "192.0.2.2"].map(|one| one.parse().unwrap());
    several.addresses = addresses.into();
    let mut rig = sought(vec![several], HOUR);
    rig.registrar = false;
    let ticket = rig.command(json!({ "type": "initialize" }));
    up(&mut rig);
    rig.seconds(4);
    up(&mut rig);
    rig.down();
    up(&mut rig);
    let asked: Vec<_> = rig.places.iter().map(|place| place.addresses[0]).collect();
    assert_eq!(asked, addresses);
    rig.seconds(6);
    assert_eq!(rig.count("connected"), 0);
    rig.registrar = true;
    rig.seconds(3);
    assert_eq!(rig.count("connected"), 1);
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Done)));
}

#[test]
fn of_places_without_end_sixteen_are_tried() {
    let mut many = place(Transport::Udp, "a.test", 0);
    many.addresses = (1..=200).map(|last| [192, 0, 2, last].into()).collect();
    let mut rig = sought(vec![many], HOUR);
    let ticket = rig.command(json!({ "type": "initialize" }));
    while rig.reply(ticket).is_none() {
        refuse(&mut rig);
    }
    assert_eq!(rig.places.len(), 16);
}

#[test]
fn a_proxy_looks_the_server_up_by_itself() {
    let options = json!({ "servers": "sips:example.com", "httpProxy": "http://proxy.test:3128" });
    let mut rig = Rig::new(alice_with(options));
    rig.command(json!({ "type": "initialize" }));
    assert_eq!(finds(&rig), 0);
    assert_eq!(tried(&rig), ["example.com"]);
    assert_eq!(rig.places[0].port, 5061);
}

#[test]
fn only_a_name_without_a_port_has_services() {
    for (url, asks) in [
        ("sip:example.com", true),
        ("sips:example.com", true),
        ("sip:example.com;transport=tcp", true),
        ("sip:example.com:5060", true),
        ("sip:example.com:5060;transport=tcp", false),
        ("sips:example.com:5061", false),
        ("sip:192.0.2.1", false),
        ("sip:[2001:db8::1]", false),
        ("sips:localhost", false),
        ("sips:pbx.local", false),
        ("wss://example.com", false),
    ] {
        let mut rig = Rig::new(alice_with(json!({ "servers": url })));
        rig.command(json!({ "type": "initialize" }));
        assert_eq!(finds(&rig) == 1, asks, "{url}");
        assert_eq!(rig.places.len(), 1);
    }
}
