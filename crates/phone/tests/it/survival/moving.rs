//! Machines that move to another network, or sleep.

use super::*;
use phone::Connection;
use phone::network::{NetworkChange, OurEnd};

/// Addresses have come or gone, and nothing else.
const STIR: NetworkChange = NetworkChange {
    slept: Duration::ZERO,
    rerouted: false,
    online: true,
    our_end: OurEnd::Kept,
};

fn slept(seconds: u64) -> NetworkChange {
    NetworkChange {
        slept: Duration::from_secs(seconds),
        rerouted: true,
        ..STIR
    }
}

fn refuse(rig: &mut Rig) {
    rig.connection(Connection::Refused {
        reason: "no network".into(),
        code: phone::ErrorCode::ConnectionFailed,
    });
}

/// A phone that has failed so often that it waits long.
fn waiting() -> Rig {
    let mut rig = Rig::registered(alice());
    rig.down();
    for _ in 0..8 {
        rig.until_connect();
        refuse(&mut rig);
    }
    rig.connects.clear();
    rig
}

#[test]
fn a_connection_whose_address_is_gone_is_replaced_at_once() {
    let (mut rig, _, _) = Rig::talking(alice());
    rig.moved(OurEnd::Gone);
    assert_eq!(rig.disconnects, 1);
    assert_eq!(rig.changes("interrupted"), [true]);
    rig.advance(Duration::from_millis(200));
    assert_eq!(rig.connects.len(), 2);
    rig.up();
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0 theirs 2\r\n")));
    assert_eq!(rig.changes("interrupted"), [true, false]);
    rig.lives_on();
}

#[test]
fn a_call_that_may_not_outlive_its_connection_ends_when_the_address_is_gone() {
    let (mut rig, ..) = Rig::talking(alice_with(json!({ "sessionSurvivability": false })));
    rig.moved(OurEnd::Elsewhere);
    assert_eq!(rig.count("terminated"), 0, "it may be alive still");
    rig.moved(OurEnd::Gone);
    rig.assert_ended_once("connectivity-error", "network");
}

#[test]
fn a_connection_that_may_have_been_left_behind_is_asked_and_replaced_if_it_is_dead() {
    for (our_end, patience) in [(OurEnd::Elsewhere, 1), (OurEnd::Kept, 3)] {
        for alive in [true, false] {
            let mut rig = Rig::registered(alice());
            rig.pongs = alive;
            rig.moved(our_end);
            assert_eq!(rig.pings, 1);
            rig.advance(Duration::from_millis(patience * 1000 - 1));
            assert_eq!(rig.disconnects, 0);
            rig.advance(Duration::from_millis(201));
            assert_eq!(rig.disconnects, usize::from(!alive), "{our_end:?}");
            assert_eq!(rig.connects.len(), 1 + usize::from(!alive));
        }
    }
}

/// Containers come and go all the time on some machines.
#[test]
fn addresses_that_come_and_go_disturb_nothing() {
    let (mut rig, _, id) = Rig::talking(alice());
    let before = (rig.registers.len(), rig.connects.len());
    for interrupted in [false, true] {
        for _ in 0..100 {
            rig.network(STIR);
        }
        assert_eq!((rig.pings, rig.media.len()), (0, 0), "{interrupted}");
        assert!(rig.outbox.is_empty(), "{:?}", rig.outbox);
        rig.media_event(id, MediaEvent::Interrupted);
    }
    assert_eq!((rig.registers.len(), rig.connects.len()), before);
}

#[test]
fn addresses_that_come_and_go_make_nobody_connect_sooner() {
    let mut rig = waiting();
    let began = rig.now;
    for _ in 0..100 {
        rig.network(STIR);
        rig.advance(Duration::from_millis(100));
    }
    assert_eq!(rig.connects.len(), 0, "{:?}", rig.now - began);
}

#[test]
fn a_network_that_changes_all_the_time_takes_nobodys_patience_with_the_server() {
    let (mut rig, mut tried) = (waiting(), 0);
    for _ in 0..600 {
        rig.moved(OurEnd::Kept);
        rig.advance(Duration::from_millis(100));
        if !rig.connects.is_empty() {
            tried += rig.connects.len();
            rig.connects.clear();
            refuse(&mut rig);
        }
    }
    assert!((3..40).contains(&tried), "{tried} attempts in a minute");
}

#[test]
fn of_many_changes_the_last_is_followed_within_seconds() {
    let mut rig = waiting();
    for _ in 0..12 {
        rig.moved(OurEnd::Kept);
        rig.advance(Duration::from_millis(300));
        if !rig.connects.is_empty() {
            rig.connects.clear();
            refuse(&mut rig);
        }
    }
    rig.moved(OurEnd::Kept);
    rig.advance(Duration::from_millis(7600));
    assert!(!rig.connects.is_empty());
}

#[test]
fn a_call_whose_packets_may_take_another_way_is_asked_and_restarts_ice_if_it_is_interrupted() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.media_event(id, MediaEvent::Rerouted);
    assert_eq!(rig.media_named("checkPath").len(), 1);
    assert_eq!((rig.pings, restarts(&rig).len()), (0, 0));
    rig.media_event(id, MediaEvent::Interrupted);
    assert_eq!(restarts(&rig), [true]);
}

#[test]
fn whoever_waits_to_connect_tries_soon_in_another_network() {
    for (change, wait) in [
        (slept(60), Some(200)),
        (STIR, None),
        (
            NetworkChange {
                online: false,
                ..slept(0)
            },
            None,
        ),
    ] {
        let mut rig = waiting();
        rig.network(change);
        rig.advance(Duration::from_millis(wait.unwrap_or(1000)));
        assert_eq!(
            rig.connects.len(),
            usize::from(wait.is_some()),
            "{change:?}"
        );
    }
}

#[test]
fn an_attempt_that_began_in_the_network_before_is_made_anew() {
    let mut rig = Rig::registered(alice());
    rig.down();
    rig.until_connect();
    let before = (rig.disconnects, rig.connects.len());
    rig.network(STIR);
    assert_eq!(rig.disconnects, before.0);
    rig.moved(OurEnd::Kept);
    rig.advance(Duration::from_millis(200));
    assert_eq!(
        (rig.disconnects, rig.connects.len()),
        (before.0 + 1, before.1 + 1)
    );
    rig.up();
    assert_eq!(rig.count("connected"), 1);
}

#[test]
fn initialize_tries_each_server_once_also_while_the_network_changes() {
    let servers = json!(["wss://a.example.com", "wss://b.example.com"]);
    let mut rig = Rig::new(alice_with(json!({ "servers": servers })));
    let ticket = rig.command(json!({ "type": "initialize" }));
    rig.moved(OurEnd::Kept);
    rig.advance(Duration::from_millis(200));
    refuse(&mut rig);
    refuse(&mut rig);
    let mut tried: Vec<usize> = rig.connects.iter().map(|(server, _)| *server).collect();
    tried.dedup();
    assert_eq!(tried.len(), 2);
    assert!(rig.reply(ticket).unwrap().is_err());
}

#[test]
fn calls_are_asked_whether_their_path_is_alive_and_restart_ice_if_it_is_not() {
    for (seconds, restarted) in [(1, true), (15, false)] {
        let (mut rig, _, id) = Rig::talking(alice());
        rig.moved(OurEnd::Kept);
        assert_eq!(rig.media_named("checkPath").len(), 1);
        rig.seconds(seconds);
        rig.media_event(id, MediaEvent::Interrupted);
        assert_eq!(restarts(&rig).contains(&true), restarted, "{seconds} s");
    }
}

#[test]
fn a_call_that_is_interrupted_when_the_network_changes_restarts_ice_at_once() {
    let (mut rig, _, id) = Rig::talking(alice());
    rig.media_event(id, MediaEvent::Interrupted);
    assert_eq!(restarts(&rig), [] as [bool; 0]);
    rig.moved(OurEnd::Kept);
    assert_eq!(restarts(&rig), [true]);
}

#[test]
fn after_a_sleep_the_registration_is_renewed_and_a_token_is_older() {
    let mut rig = Rig::registered(alice());
    rig.network(slept(60));
    assert_eq!(rig.registers.len(), 1);
    rig.network(slept(3600));
    assert_eq!(rig.registers.len(), 2);
}
