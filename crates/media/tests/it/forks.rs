//! Phones that a call reached, of which one is heard early and another answers at last.

use std::time::Duration;

use media::session::{ConnectionState, MediaEvent};

use super::harness::*;

const CALLER: &str = "192.0.2.1:40001";

/// A caller, and two forks that have both been heard early for a while: the second last.
fn heard_early(network: &mut Network) -> (Phone, [Phone; 2], [String; 2]) {
    let mut caller = Phone::new(CALLER, 500.0, network);
    let mut forks = [
        Phone::new("192.0.2.3:40003", 1_100.0, network),
        Phone::new("192.0.2.4:40004", 700.0, network),
    ];
    caller.session.create_offer(network.now).unwrap();
    let offer = caller.described();
    let answers = [0, 1].map(|fork: usize| {
        forks[fork]
            .session
            .create_answer(&offer, network.now)
            .unwrap();
        let answer = forks[fork].described();
        caller
            .session
            .set_answer(&answer, true, network.now)
            .unwrap();
        caller.drain();
        let [first, second] = &mut forks;
        network.run_all(&mut [&mut caller, first, second], Duration::from_secs(3));
        assert!(caller.session.is_connected(), "{:?}", caller.states());
        answer
    });
    (caller, forks, answers)
}

/// Nobody speaks with the first while the second rings: both sides of its association have lost their consent long since.
#[test]
fn a_fork_that_was_parked_beyond_its_consent_is_heard_when_it_answers_at_last() {
    for seconds in [10, 45] {
        let mut network = Network::new(7);
        let (mut caller, mut forks, answers) = heard_early(&mut network);
        let [first, second] = &mut forks;
        network.run_all(
            &mut [&mut caller, first, second],
            Duration::from_secs(seconds),
        );
        caller
            .session
            .set_answer(&answers[0], false, network.now)
            .unwrap();
        caller.drain();
        second.session.close(network.now);
        network.run_all(&mut [&mut caller, first, second], Duration::from_secs(10));
        assert!(
            hears(&caller, 1_100.0) > 0.7,
            "{seconds} s: {:?}",
            caller.states()
        );
        assert!(
            hears(&forks[0], 500.0) > 0.7,
            "{seconds} s: {:?}",
            forks[0].states()
        );
    }
}

/// The one that is heard falls silent and its consent expires, and then the other answers.
#[test]
fn a_parked_fork_is_heard_also_after_the_path_of_the_last_one_was_lost() {
    let mut network = Network::new(8);
    let (mut caller, [mut first, _gone], answers) = heard_early(&mut network);
    network.run(&mut caller, &mut first, Duration::from_secs(40));
    let lost = |state: &ConnectionState| matches!(state, ConnectionState::Failed(_));
    assert!(caller.states().iter().any(lost), "{:?}", caller.states());
    caller
        .session
        .set_answer(&answers[0], false, network.now)
        .unwrap();
    caller.drain();
    assert!(caller.has(|event| matches!(event, MediaEvent::AnswerApplied)));
    network.run(&mut caller, &mut first, Duration::from_secs(10));
    assert!(hears(&caller, 1_100.0) > 0.7, "{:?}", caller.states());
    assert!(hears(&first, 500.0) > 0.7, "{:?}", first.states());
}

/// RFC 7675 §5.1: who is not heard any more may not go on sending to us for ever.
#[test]
fn a_fork_that_did_not_answer_loses_its_consent_once_another_has() {
    for winner in [0, 1] {
        let mut network = Network::new(9);
        let (mut caller, mut forks, answers) = heard_early(&mut network);
        caller
            .session
            .set_answer(&answers[winner], false, network.now)
            .unwrap();
        caller.drain();
        let [first, second] = &mut forks;
        network.run_all(&mut [&mut caller, first, second], Duration::from_secs(40));
        let is_lost = forks.each_ref().map(|fork| {
            let states = fork.states();
            matches!(states.last(), Some(ConnectionState::Failed(_)))
        });
        assert_eq!(is_lost, [winner != 0, winner != 1]);
        assert!(caller.session.is_connected(), "{:?}", caller.states());
    }
}
