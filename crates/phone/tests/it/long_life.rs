//! A phone that lives long: what it keeps does not grow with its calls, nor with time.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;
use sip::message::Method;

use crate::harness::{Caller, Rig, alice, answer};
use crate::live::octets;

/// Less than an octet a call, and some room for tables that are filled otherwise.
const GROWN: usize = 4096;

/// The octets of everything that the phone knows.
fn knowledge(rig: &mut Rig) -> isize {
    // Transactions, refusals and repeats have their time; then it is as quiet as it will be.
    rig.seconds(300);
    let_go(rig);
    octets()
}

/// What the test keeps of what came out.
fn forget(rig: &mut Rig) {
    rig.events.clear();
    rig.order.clear();
    rig.media.clear();
    rig.replies.clear();
    rig.registers.clear();
    rig.outbox.clear();
}

/// The same, and the room for it.
fn let_go(rig: &mut Rig) {
    forget(rig);
    rig.events = Vec::new();
    rig.order = Vec::new();
    rig.media = Vec::new();
    rig.registers = Vec::new();
    rig.outbox = VecDeque::new();
    rig.connects = Vec::new();
    rig.routes = Vec::new();
    rig.places = Vec::new();
}

/// One call of those that there are; a second of it passes.
fn one_call(rig: &mut Rig, number: u32) {
    let mut bob = Caller::new(&format!("long-{number}"));
    let second = Duration::from_secs(1);
    match number % 6 {
        // Taken, held, resumed, and hung up here.
        0 => {
            let (id, _) = rig.takes(&mut bob, &[]);
            for held in [true, false] {
                rig.command(json!({ "type": "hold", "id": id, "held": held }));
                let offer = rig.request(&Method::Invite);
                rig.receive(answer(&offer, 200, Some("v=0 theirs\r\n")));
                rig.request(&Method::Ack);
            }
            rig.advance(second);
            rig.command(json!({ "type": "end", "id": id }));
            let bye = rig.request(&Method::Bye);
            rig.receive(answer(&bye, 200, None));
        }
        // Taken, and hung up there.
        1 => {
            rig.takes(&mut bob, &[]);
            rig.advance(second);
            rig.receive(bob.request("BYE", &[], None));
            rig.response(200);
        }
        // Placed, and hung up there.
        2 => {
            rig.command(json!({ "type": "call", "target": "bob" }));
            let invite = rig.request(&Method::Invite);
            rig.receive(answer(&invite, 200, Some("v=0\r\n")));
            rig.request(&Method::Ack);
            rig.advance(second);
            rig.receive(Caller::of_callee(&invite).request("BYE", &[], None));
            rig.response(200);
        }
        // Placed, and refused.
        3 => {
            rig.command(json!({ "type": "call", "target": "bob" }));
            let invite = rig.request(&Method::Invite);
            rig.receive(answer(&invite, 486, None));
            rig.request(&Method::Ack);
        }
        // It rang here, until the caller gave up.
        4 => {
            rig.receive(bob.invite(&[], Some("v=0 theirs\r\n")));
            rig.advance(second);
            rig.receive(bob.cancel(&[]));
        }
        // Placed by whom nobody answers, over a connection that breaks.
        _ => {
            rig.command(json!({ "type": "call", "target": "bob" }));
            rig.request(&Method::Invite);
            rig.down();
            rig.until_connect();
            rig.up();
            rig.advance(second);
        }
    }
    rig.advance(second);
    forget(rig);
}

#[test]
fn ten_thousand_calls_in_a_row_leave_nothing_behind() {
    let mut rig = Rig::registered(alice());
    let mut calls = 0..10_000;
    // More than it remembers of those that have ended.
    calls
        .by_ref()
        .take(3000)
        .for_each(|n| one_call(&mut rig, n));
    let before = knowledge(&mut rig);
    calls.for_each(|n| one_call(&mut rig, n));
    let after = knowledge(&mut rig);
    let grown = after.abs_diff(before);
    assert!(grown < GROWN, "{before} octets of state, and then {after}");
}

#[test]
fn a_day_with_a_call_an_hour_is_like_any_other() {
    let mut rig = Rig::registered(alice());
    let mut day = |first: u32| {
        let (pings, began) = (rig.pings, rig.connects.len());
        let mut registers = 0;
        for hour in 0..24 {
            // None that breaks the connection: its own life is what is looked at.
            one_call(&mut rig, (first + hour) * 6 + hour % 5);
            for _ in 0..60 {
                rig.seconds(60);
                registers += rig.registers.len();
                rig.registers.clear();
            }
        }
        assert_eq!(rig.connects.len(), began, "the connection lives");
        let lasting = Duration::from_secs(24 * 3600).as_secs();
        // A ping each 6.4 to 8 s, a registration each 300 to 600 s.
        let pings = (rig.pings - pings) as u64;
        assert!((lasting / 9..lasting / 6).contains(&pings), "{pings} pings");
        assert!((140..300).contains(&registers), "{registers} registrations");
        knowledge(&mut rig)
    };
    let first = day(0);
    let second = day(24);
    assert!(first.abs_diff(second) < GROWN, "{first}, {second}");
}
