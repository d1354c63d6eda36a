//! A phone that is to be replaced: no new calls, and the end of those that there are.

use phone::{Reply, Ticket};
use serde_json::json;
use sip::message::{HeaderName, Message, Method, Request, Response};

use crate::harness::{Caller, Rig, alice, alice_with, answer};

fn drained(rig: &Rig, ticket: Ticket) -> Option<u32> {
    match rig.reply(ticket) {
        Some(Ok(Reply::Drained { left })) => Some(*left),
        None => None,
        other => panic!("{other:?}"),
    }
}

fn drain(rig: &mut Rig) -> Ticket {
    rig.command(json!({ "type": "drain" }))
}

/// How a new caller is answered.
fn answer_to(rig: &mut Rig, method: &str, name: &str) -> Response {
    let headers = [("Refer-To", "<sip:carol@example.com>")];
    rig.receive(Caller::new(name).request(method, &headers, Some("v=0\r\n")));
    loop {
        if let Message::Response(response) = rig.sent()
            && response.status().code() > 100
        {
            return response;
        }
    }
}

fn wait_of(response: &Response) -> Option<u32> {
    let wait = response.headers().get(HeaderName::RetryAfter);
    wait.and_then(|wait| wait.parse().ok())
}

fn bye(rig: &mut Rig, caller: &mut Caller) {
    rig.receive(caller.bye(&[]));
    rig.response(200);
}

#[test]
fn a_phone_without_calls_is_drained_at_once_and_takes_none_any_more() {
    let mut rig = Rig::registered(alice());
    let ticket = drain(&mut rig);
    assert_eq!(drained(&rig, ticket), Some(0));
    for (number, method) in ["INVITE", "OPTIONS", "REFER"].into_iter().enumerate() {
        let refusal = answer_to(&mut rig, method, &format!("d{number}"));
        assert_eq!(refusal.status().code(), 503);
        assert_eq!(refusal.reason(), "Draining");
        assert!(wait_of(&refusal).is_some_and(|wait| (5..=15).contains(&wait)));
    }
    let call = json!({ "type": "call", "target": "bob" });
    assert_eq!(rig.refused(call), "ERR_DRAINING");
    assert_eq!(rig.count("pendingSession") + rig.count("callRequested"), 0);
    assert!(rig.is_silent());
}

#[test]
fn what_has_begun_goes_on_and_the_end_of_the_last_call_is_told() {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("c1");
    rig.takes(&mut bob, &[]);
    let mut carol = Caller::new("c2");
    rig.receive(carol.invite(&[], Some("v=0 theirs\r\n")));
    carol.learn(&rig.beyond_trying(180));
    rig.command(json!({ "type": "call", "target": "dave" }));
    let invite: Request = rig.request(&Method::Invite);

    let ticket = drain(&mut rig);
    assert_eq!(answer_to(&mut rig, "INVITE", "c3").status().code(), 503);
    assert_eq!(
        rig.count("terminated") + rig.count("cancelPendingSession"),
        0
    );

    // Who rings is answered, and whom we call answers.
    let pending = rig.last("pendingSession")["id"].clone();
    rig.done(json!({ "type": "accept", "id": pending }));
    rig.response(200);
    rig.receive(carol.ack(None));
    rig.receive(answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
    let mut dave = Caller::of_callee(&invite);

    rig.seconds(3600);
    for caller in [&mut bob, &mut carol] {
        bye(&mut rig, caller);
        assert_eq!(drained(&rig, ticket), None);
    }
    bye(&mut rig, &mut dave);
    assert_eq!(drained(&rig, ticket), Some(0));
    assert_eq!(rig.count("sessionEnded"), 3);
}

#[test]
fn a_call_that_takes_the_place_of_another_is_taken() {
    let (mut rig, bob, _) = Rig::talking(alice());
    let ticket = drain(&mut rig);
    let mut carol = Caller::new("c2");
    rig.receive(bob.replaced_by(&mut carol, "", &[]));
    carol.learn(&rig.beyond_trying(180));
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    assert_eq!(drained(&rig, ticket), None);
    assert_eq!(rig.count("sessionStarted"), 1);
}

#[test]
fn the_time_is_up_with_how_many_calls_are_left() {
    let (mut rig, mut bob, _) = Rig::talking(alice());
    let patient = drain(&mut rig);
    let long = json!({ "type": "drain", "timeout": u64::MAX });
    let long = rig.command(long);
    let hasty = rig.command(json!({ "type": "drain", "timeout": 10_000 }));
    rig.seconds(9);
    assert_eq!(drained(&rig, hasty), None);
    rig.seconds(1);
    assert_eq!(drained(&rig, hasty), Some(1));
    assert_eq!((drained(&rig, patient), drained(&rig, long)), (None, None));
    assert_eq!(rig.count("terminated"), 0, "the call goes on");
    assert_eq!(answer_to(&mut rig, "INVITE", "c3").status().code(), 503);
    bye(&mut rig, &mut bob);
    assert_eq!(
        (drained(&rig, patient), drained(&rig, long)),
        (Some(0), Some(0))
    );
}

#[test]
fn the_last_code_counts_and_only_503_names_a_time() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "drain", "code": 480 }));
    let refusal = answer_to(&mut rig, "OPTIONS", "d1");
    assert_eq!((refusal.status().code(), wait_of(&refusal)), (480, None));
    rig.command(json!({ "type": "drain", "code": 603 }));
    assert_eq!(answer_to(&mut rig, "INVITE", "d2").status().code(), 603);
    for code in [200, 302, 399, 700] {
        let command = json!({ "type": "drain", "code": code });
        assert_eq!(rig.refused(command), "ERR_INVALID_ARGUMENT", "{code}");
    }
    // Who names none changes nothing.
    rig.command(json!({ "type": "drain", "timeout": 60_000 }));
    assert_eq!(answer_to(&mut rig, "INVITE", "d3").status().code(), 603);
}

#[test]
fn a_transfer_that_its_call_has_outlasted_adds_no_call() {
    let (mut rig, mut bob, id) = Rig::talking(alice());
    rig.receive(bob.request("REFER", &[("Refer-To", "<sip:carol@example.com>")], None));
    rig.outbox.clear();
    let ticket = drain(&mut rig);
    bye(&mut rig, &mut bob);
    assert_eq!(rig.reply(ticket), Some(&Ok(Reply::Drained { left: 0 })));
    let accept = json!({ "type": "acceptTransfer", "id": id });
    assert_eq!(rig.refused(accept), "ERR_DRAINING");
}

#[test]
fn whoever_gives_up_waiting_has_drained_the_phone_all_the_same() {
    let (mut rig, mut bob, _) = Rig::talking(alice());
    let ticket = drain(&mut rig);
    rig.done(json!({ "type": "abort", "ticket": ticket }));
    assert_eq!(answer_to(&mut rig, "INVITE", "c3").status().code(), 503);
    bye(&mut rig, &mut bob);
    let error = rig.error(ticket);
    assert_eq!(crate::harness::code(&error), "ERR_ABORTED");
}

#[test]
fn destroying_it_meanwhile_tells_how_many_calls_that_ends() {
    let (mut rig, _, _) = Rig::talking(alice());
    let ticket = drain(&mut rig);
    rig.command(json!({ "type": "destroy" }));
    assert_eq!(drained(&rig, ticket), Some(1));
    assert_eq!(rig.refused(json!({ "type": "drain" })), "ERR_DESTROYED");
    rig.seconds(3);
    assert!(rig.closed);
    assert!(rig.unsettled().is_empty());
}

#[test]
fn a_request_to_call_somebody_that_came_before_fails_once_it_is_accepted() {
    let mut rig = Rig::registered(alice());
    let mut bob = Caller::new("r1");
    rig.receive(bob.request("REFER", &[("Refer-To", "<sip:carol@example.com>")], None));
    let id = rig.last("callRequested")["id"].clone();
    drain(&mut rig);
    let accept = json!({ "type": "acceptCallRequest", "request": id });
    assert_eq!(rig.refused(accept), "ERR_DRAINING");
}

#[test]
fn one_of_several_phones_tells_how_full_it_is() {
    let load = |rig: &mut Rig, name: &str| {
        let response = answer_to(rig, "OPTIONS", name);
        let load = response.headers().get("X-Load");
        (response.status().code(), load.map(str::to_owned))
    };
    let mut rig = Rig::registered(alice_with(
        json!({ "maxSessions": 4, "whenFull": "unavailable" }),
    ));
    let said = |load: &str| Some(load.to_owned());
    assert_eq!(load(&mut rig, "o0"), (200, said("0.00")));
    let mut callers = ["c0", "c1", "c2", "c3"].map(Caller::new);
    for (number, caller) in callers.iter_mut().enumerate() {
        assert_eq!(load(&mut rig, &format!("p{number}")).0, 200);
        rig.takes(caller, &[]);
    }
    assert_eq!(load(&mut rig, "o1"), (503, said("1.00")));
    bye(&mut rig, &mut callers[0]);
    assert_eq!(load(&mut rig, "o2"), (200, said("0.75")));
    rig.phone.handle_load(0.9);
    assert_eq!(load(&mut rig, "o3"), (200, said("0.90")));
    drain(&mut rig);
    assert_eq!(load(&mut rig, "o4"), (503, said("0.90")));

    // Whether a person is on the phone is nobody's business.
    let mut rig = Rig::registered(alice_with(json!({ "maxSessions": 4 })));
    assert_eq!(load(&mut rig, "o0"), (200, None));
}

#[test]
fn twice_the_capacity_is_refused_exactly() {
    let mut rig = Rig::registered(alice_with(json!({
        "maxSessions": 30, "whenFull": "unavailable", "maxRinging": 1000,
        "autoAnswer": { "policy": "always", "whenBusy": "answer" },
    })));
    for number in 0..60 {
        rig.receive(Caller::new(&format!("f{number}")).invite(&[], Some("v=0\r\n")));
    }
    let mut refused = 0;
    while !rig.is_silent() {
        if let Message::Response(response) = rig.sent()
            && response.status().code() == 503
        {
            assert!(wait_of(&response).is_some());
            refused += 1;
        }
    }
    assert_eq!((refused, rig.count("pendingSession")), (30, 30));
}
