//! Calls in numbers.

use std::time::Duration;

use phone::tally::{Readiness, Standing};
use serde_json::json;
use sip::message::Method;

use crate::harness::{Caller, Rig, alice, alice_with, answer};

fn standing(rig: &Rig) -> Standing {
    rig.phone.standing()
}

#[test]
fn a_call_is_counted_where_it_begins_is_answered_and_ends() {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0 theirs\r\n")));
    bob.learn(&rig.beyond_trying(180));
    rig.advance(Duration::from_secs(3));
    let id = rig.id_of("pendingSession");
    let now = standing(&rig);
    assert_eq!((now.calls, now.ringing), (1, 1));
    assert_eq!(now.tally.incoming.begun, 1);
    assert_eq!(now.tally.incoming.set_up.count(), 0);

    rig.command(json!({ "type": "accept", "id": id }));
    rig.response(200);
    rig.receive(bob.ack(None));
    let now = standing(&rig);
    assert_eq!((now.calls, now.ringing), (1, 0));
    let set_up = &now.tally.incoming.set_up;
    assert_eq!(set_up.count(), 1);
    assert!((3.0..4.0).contains(&set_up.sum()), "{}", set_up.sum());
    let within = |bound| set_up.cumulative().find(|(at, _)| *at == bound);
    assert_eq!((within(2.0), within(5.0)), (Some((2.0, 0)), Some((5.0, 1))));

    rig.seconds(20);
    rig.receive(bob.bye(&[]));
    let now = standing(&rig);
    assert_eq!((now.calls, now.ringing), (0, 0));
    assert_eq!(now.tally.ended.get("success"), Some(&1));
    assert_eq!(now.tally.duration.count(), 1);
    assert!((20.0..21.0).contains(&now.tally.duration.sum()));
}

#[test]
fn calls_of_our_own_and_calls_that_nobody_answered_are_counted_once() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(answer(&invite, 486, None));
    rig.request(&Method::Ack);
    let mut bob = Caller::new("c1");
    rig.receive(bob.invite(&[], Some("v=0 theirs\r\n")));
    rig.beyond_trying(180);
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "reject", "id": id, "code": 603 }));
    let tally = standing(&rig).tally;
    assert_eq!((tally.incoming.begun, tally.outgoing.begun), (1, 1));
    assert_eq!(tally.ended.get("busy"), Some(&1));
    assert_eq!(tally.ended.values().sum::<u64>(), 2);
    assert_eq!(tally.duration.count() + tally.mos.count(), 0);
}

#[test]
fn what_a_phone_stands_at_says_why_it_takes_no_call() {
    let options = json!({ "maxSessions": 2, "whenFull": "unavailable" });
    let mut rig = Rig::new(alice_with(options));
    assert_eq!(standing(&rig).readiness(0.0), Readiness::Unreachable);
    rig.initialize();
    assert_eq!(standing(&rig).readiness(0.0), Readiness::Ready);
    assert_eq!(standing(&rig).readiness(1.0), Readiness::Full);
    rig.takes(&mut Caller::new("c1"), &[]);
    assert_eq!(standing(&rig).load(0.1), 0.5);
    rig.takes(&mut Caller::new("c2"), &[]);
    assert_eq!(standing(&rig).readiness(0.0), Readiness::Full);
    rig.receive(Caller::new("c3").invite(&[], Some("v=0\r\n")));
    assert_eq!(standing(&rig).tally.refused.get(&503), Some(&1));
    rig.command(json!({ "type": "drain" }));
    assert_eq!(standing(&rig).readiness(0.0), Readiness::Draining);
    rig.command(json!({ "type": "destroy" }));
    assert_eq!(standing(&rig).readiness(0.0), Readiness::Closed);
}

#[test]
fn a_look_at_the_numbers_is_not_changed_by_what_comes_later() {
    let mut rig = Rig::registered(alice());
    let before = standing(&rig);
    rig.takes(&mut Caller::new("c1"), &[]);
    assert_eq!(before.tally.incoming.begun, 0);
    let mut both = (*before.tally).clone();
    both.add(&standing(&rig).tally);
    both.add(&standing(&rig).tally);
    assert_eq!(both.incoming.begun, 2);
    assert_eq!(both.incoming.set_up.count(), 2);
}
