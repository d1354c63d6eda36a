//! Two user agents against each other.

use std::time::Duration;

use sip::endpoint::{EndCause, Endpoint, Event, FailureCause, Invite, Reply, UsageId};
use sip::message::Method;
use sip::transaction::Transport;

use crate::lone::{SDP, uri};
use crate::network::{ALICE, BOB, Network, Weather};

fn call(network: &mut Network) -> UsageId {
    network.act(ALICE, |alice: &mut Endpoint, now| {
        let invite = Invite::offer(uri("sip:bob@example.com"), SDP);
        alice.invite(invite, now).unwrap()
    })
}

/// Bob rings, answers after a second, and hangs up after five more.
fn bob_answers_and_hangs_up(network: &mut Network, node: usize, event: &Event) {
    if node != BOB {
        return;
    }
    match event {
        Event::Incoming { usage, .. } => {
            network.act(BOB, |bob, now| {
                bob.respond(*usage, &Reply::new(180), now).unwrap();
                bob.respond(*usage, &Reply::new(200).sdp(SDP), now).unwrap();
            });
        }
        Event::Acked { usage, .. } => {
            network.act(BOB, |bob, now| {
                bob.request(*usage, Method::Bye, &[], None, now).unwrap();
            });
        }
        _other => {}
    }
}

fn ended(events: &[Event]) -> Vec<&EndCause> {
    let causes = events.iter().filter_map(|event| match event {
        Event::Ended { cause, .. } => Some(cause),
        _other => None,
    });
    causes.collect()
}

#[test]
fn a_call_is_placed_answered_and_hung_up() {
    let mut network = Network::new(Transport::Wss, Weather::fair(), 1);
    let usage = call(&mut network);
    network.run(Duration::from_secs(60), bob_answers_and_hangs_up);
    let [alice, bob] = &network.events;
    assert!(matches!(&alice[0], Event::Provisional { usage: u, .. } if *u == usage));
    assert!(matches!(&alice[1], Event::Answered { usage: u, .. } if *u == usage));
    assert!(matches!(ended(alice)[..], [EndCause::Bye(_)]), "{alice:?}");
    assert!(matches!(ended(bob)[..], [EndCause::Local]), "{bob:?}");
}

#[test]
fn nothing_is_left_of_a_call_once_every_timer_has_run() {
    let mut network = Network::new(Transport::Udp, Weather::foul(), 3);
    call(&mut network);
    network.run(Duration::from_secs(300), bob_answers_and_hangs_up);
    for node in &network.nodes {
        assert!(node.is_idle(), "{node:?}");
    }
}

/// Traps 4, 5, 7, 15 and 29 together: whatever the network does, each side is told one outcome.
#[test]
fn over_a_lossy_reordering_duplicating_network_every_call_has_one_outcome_on_each_side() {
    for seed in 0..150 {
        let mut network = Network::new(Transport::Udp, Weather::foul(), seed);
        call(&mut network);
        network.run(Duration::from_secs(300), bob_answers_and_hangs_up);
        let [alice, bob] = &network.events;
        let outcomes = |events: &[Event]| {
            events
                .iter()
                .filter(|event| {
                    matches!(
                        event,
                        Event::Answered { .. } | Event::Failed { .. } | Event::Redirected { .. }
                    )
                })
                .count()
        };
        assert_eq!(outcomes(alice), 1, "seed {seed}: {alice:?}");
        let incoming = bob
            .iter()
            .filter(|event| matches!(event, Event::Incoming { .. }))
            .count();
        assert!(incoming <= 1, "seed {seed}: {bob:?}");
        assert_eq!(ended(bob).len(), incoming, "seed {seed}: {bob:?}");
        let answered = alice
            .iter()
            .any(|event| matches!(event, Event::Answered { .. }));
        assert_eq!(
            ended(alice).len(),
            usize::from(answered),
            "seed {seed}: {alice:?}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let run = || {
        let mut network = Network::new(Transport::Udp, Weather::foul(), 42);
        call(&mut network);
        network.run(Duration::from_secs(100), bob_answers_and_hangs_up);
        (network.delivered, format!("{:?}", network.events))
    };
    assert_eq!(run(), run());
}

/// Trap 2: whoever wins the race, one final outcome, and nothing stays behind.
#[test]
fn a_cancel_that_races_the_answer_leaves_no_call_on_either_side() {
    for seed in 0..150 {
        let mut network = Network::new(Transport::Udp, Weather::foul(), seed);
        let usage = call(&mut network);
        let wait = Duration::from_millis(20 * seed);
        network.run(wait, bob_answers_and_hangs_up);
        let cancelled = network.act(ALICE, |alice, now| alice.cancel(usage, None, now));
        network.run(Duration::from_secs(300), bob_answers_and_hangs_up);
        let [alice, bob] = &network.events;
        let finals = alice
            .iter()
            .filter(|event| matches!(event, Event::Answered { .. } | Event::Failed { .. }));
        assert_eq!(finals.count(), 1, "seed {seed}: {alice:?}");
        if cancelled.is_ok() {
            assert!(
                alice.iter().any(|event| matches!(
                    event,
                    Event::Failed {
                        cause: FailureCause::Response(_)
                            | FailureCause::AnsweredAfterCancel(_)
                            | FailureCause::Timeout,
                        ..
                    }
                )),
                "seed {seed}: {alice:?}"
            );
        }
        let over = bob
            .iter()
            .filter(|event| matches!(event, Event::Cancelled { .. } | Event::Ended { .. }))
            .count();
        let incoming = bob
            .iter()
            .filter(|event| matches!(event, Event::Incoming { .. }))
            .count();
        assert_eq!(over, incoming, "seed {seed}: {bob:?}");
        for node in &network.nodes {
            assert!(node.is_idle(), "seed {seed}: {node:?}");
        }
    }
}

/// Trap 23: the flow breaks at any moment; once it is mended, neither side is left with a call that the other has not.
#[test]
fn a_flow_that_breaks_at_any_moment_leaves_no_call_to_one_side_alone() {
    for step in 0..60 {
        let mut network = Network::new(Transport::Wss, Weather::fair(), step);
        call(&mut network);
        network.run(Duration::from_millis(step), bob_answers_and_hangs_up);
        network.break_flow();
        network.run(Duration::from_secs(3), bob_answers_and_hangs_up);
        network.mend_flow(Transport::Wss);
        network.run(Duration::from_secs(200), bob_answers_and_hangs_up);
        let alive = network.nodes.each_ref().map(|node| !node.is_idle());
        let [alice, bob] = &network.events;
        // Where the 2xx was lost with the flow, Alice was told so, and Bob gives up waiting for her ACK.
        assert_eq!(alive, [false, false], "step {step}: {alice:?} {bob:?}");
    }
}
