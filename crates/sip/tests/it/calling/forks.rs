//! Calls of ours that several answer.

use super::*;

/// Trap 8.
#[test]
fn a_second_fork_that_answers_is_acknowledged_and_hung_up() {
    let mut lone = Lone::over_wss();
    let (usage, invite) = call(&mut lone);
    lone.receive(ringing(&invite, "a"));
    lone.receive(ringing(&invite, "b"));
    lone.events();
    lone.receive(accept(&invite, "a"));
    lone.request(Method::Ack);
    assert!(matches!(lone.event(), Event::Answered { usage: u, .. } if u == usage));
    lone.receive(accept(&invite, "b"));
    let ack = lone.request(Method::Ack);
    let bye = lone.request(Method::Bye);
    for request in [&ack, &bye] {
        assert!(header(request, "To").ends_with(";tag=b"), "{request:?}");
        assert_eq!(request.uri().as_str(), "sip:b@callee.invalid;transport=ws");
    }
    lone.receive(accept(&invite, "b"));
    lone.request(Method::Ack);
    lone.nothing_sent();
    lone.no_event();
}

/// Trap 8: each fork has its own dialog, and is told apart.
#[test]
fn forks_that_ring_have_an_early_dialog_each() {
    let mut lone = Lone::over_wss();
    let (_, invite) = call(&mut lone);
    let mut seen = Vec::new();
    for tag in ["a", "b", "a"] {
        lone.receive(ringing(&invite, tag));
        match lone.event() {
            Event::Provisional { dialog, .. } => seen.push(dialog.unwrap().remote_tag),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, ["a", "b", "a"]);
}

#[test]
fn forks_above_the_limit_are_dropped() {
    let mut settings = config("alice");
    settings.limits.forks = 3;
    let mut lone = Lone::with(settings, Transport::Wss);
    let (_, invite) = call(&mut lone);
    for fork in 0..10 {
        lone.receive(ringing(&invite, &format!("t{fork}")));
    }
    let rang = lone.events();
    let told = rang
        .iter()
        .filter(|event| matches!(event, Event::Provisional { .. }));
    assert_eq!(told.count(), 3);
}

/// Trap 8: nobody makes us hang up without end.
#[test]
fn accepting_forks_above_the_limit_are_dropped() {
    let mut settings = config("alice");
    settings.limits.forks = 3;
    let mut lone = Lone::with(settings, Transport::Wss);
    let (_, invite) = call(&mut lone);
    for fork in 0..100 {
        lone.receive(accept(&invite, &format!("t{fork}")));
    }
    // Three ACKs, two of them with a BYE.
    assert_eq!(lone.sent.len(), 5);
}
