use std::time::Duration;

use pbx::{Algorithm, Config, Event, UnregisterCause};
use sip::endpoint::Event as SipEvent;

use crate::town::{Town, users};

fn is_registered(town: &Town, who: &str) -> bool {
    town.events
        .iter()
        .any(|event| matches!(event, Event::Registered { user, .. } if user == who))
}

#[test]
fn a_user_registers_with_each_algorithm() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256, Algorithm::Sha512T256] {
        let mut town = Town::with(Config {
            users: users(&["alice"]),
            algorithms: vec![algorithm],
            ..Config::default()
        });
        town.register("desk", "alice");
        assert!(is_registered(&town, "alice"), "{algorithm:?}");
    }
}

#[test]
fn a_wrong_password_is_refused_for_good() {
    let mut town = Town::new();
    town.connect_with("desk", "alice", "guess");
    let now = town.now;
    town.client("desk").endpoint.register(now);
    town.settle();
    let fatal = town.expect("desk", "refusal", |event| match event {
        SipEvent::RegistrationFailed(failed) => Some(failed.fatal),
        _ => None,
    });
    assert!(fatal);
    assert!(!is_registered(&town, "alice"));
}

#[test]
fn one_user_does_not_register_another() {
    let mut town = Town::new();
    town.connect_with("desk", "bob", "bobpw");
    let now = town.now;
    town.client("desk").endpoint.register(now);
    town.settle();
    assert!(is_registered(&town, "bob"));
    assert!(!is_registered(&town, "alice"));
}

#[test]
fn a_registration_is_told_as_gone_when_its_connection_closes() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.command(1, pbx::Command::Disconnect { user: None });
    assert!(town.events.iter().any(|event| matches!(
        event,
        Event::Unregistered {
            cause: UnregisterCause::Disconnected,
            ..
        }
    )));
}

#[test]
fn a_nonce_that_grew_old_costs_one_more_round_and_no_password() {
    let mut town = Town::with(Config {
        users: users(&["alice"]),
        nonce_lifetime: Duration::from_secs(3),
        ..Config::default()
    });
    town.register("desk", "alice");
    town.pass(Duration::from_secs(10));
    let now = town.now;
    town.client("desk").endpoint.register(now);
    town.settle();
    town.expect("desk", "renewal", |event| match event {
        SipEvent::Registered(_) => Some(()),
        _ => None,
    });
}
