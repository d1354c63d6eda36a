use std::time::Duration;

use pbx::{Action, Command, Direction, Fault};
use sip::endpoint::{Event as SipEvent, Reply};

use crate::town::Town;

fn fault(action: Action, direction: Direction, method: &str) -> Command {
    Command::AddFault(Fault {
        action,
        direction: Some(direction),
        user: None,
        method: Some(method.into()),
        status: None,
        count: Some(1),
    })
}

#[test]
fn an_answer_that_was_lost_is_repeated_until_it_is_acknowledged() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    town.invite("desk", "sip:bob@pbx.test");
    let lap = town.expect_incoming("lap");
    let now = town.now;
    town.command(
        1,
        Command::AddFault(Fault {
            action: Action::Lose,
            direction: Some(Direction::In),
            user: Some("bob".into()),
            method: Some("INVITE".into()),
            status: Some(200),
            count: Some(1),
        }),
    );
    let answer = Reply::new(200).sdp("v=0\r\n");
    let endpoint = &mut town.client("lap").endpoint;
    endpoint.respond(lap, &answer, now).unwrap();
    town.settle();
    let answered = |event: &SipEvent| matches!(event, SipEvent::Answered { .. });
    assert!(!town.client("desk").events.iter().any(answered));
    town.pass(Duration::from_secs(1));
    assert!(town.client("desk").events.iter().any(answered));
}

#[test]
fn a_message_that_comes_twice_is_taken_once() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.register("lap", "bob");
    town.command(1, fault(Action::Duplicate, Direction::Out, "INVITE"));
    town.invite("desk", "sip:bob@pbx.test");
    town.expect_incoming("lap");
    let again = |event: &SipEvent| matches!(event, SipEvent::Incoming { .. });
    assert!(!town.client("lap").events.iter().any(again));
}

#[test]
fn a_dropped_connection_is_closed() {
    let mut town = Town::new();
    town.register("desk", "alice");
    town.command(1, fault(Action::Drop, Direction::In, "INVITE"));
    town.invite("desk", "sip:echo@pbx.test");
    assert!(!town.client("desk").connected);
}
