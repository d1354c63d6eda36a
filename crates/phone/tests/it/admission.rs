//! What others may make the phone keep: calls that ring, and what waits for the application.

use phone::dtmf::Tones;
use phone::{MediaEvent, Reply};
use serde_json::json;
use sip::message::{HeaderName, Method, Response};

use crate::harness::{Caller, Rig, alice, alice_with, answer};

/// Octets that close the door to who is no party of a call, and to everybody.
const MUCH: usize = 4 << 20;
const TOO_MUCH: usize = 8 << 20;

fn place(rig: &mut Rig, number: usize) -> Response {
    let mut caller = Caller::new(&format!("ring{number}"));
    rig.receive(caller.invite(&[], Some("v=0\r\n")));
    loop {
        match rig.sent() {
            sip::message::Message::Response(response) if response.status().code() > 100 => {
                return response;
            }
            sip::message::Message::Response(_) | sip::message::Message::Request(_) => {}
        }
    }
}

fn options(rig: &mut Rig, name: &str) -> Response {
    rig.receive(Caller::new(name).request("OPTIONS", &[], None));
    match rig.sent() {
        sip::message::Message::Response(response) => response,
        sip::message::Message::Request(request) => panic!("{request:?}"),
    }
}

fn asks_for_patience(response: &Response) -> bool {
    let wait = response.headers().get(HeaderName::RetryAfter);
    wait.and_then(|wait| wait.parse().ok())
        .is_some_and(|wait: u32| (5..=15).contains(&wait))
}

#[test]
fn as_many_calls_ring_as_may_and_our_own_do_not_count() {
    let mut rig = Rig::registered(alice());
    for number in 0..40 {
        let code = if number < 32 { 180 } else { 486 };
        assert_eq!(place(&mut rig, number).status().code(), code, "{number}");
    }
    assert_eq!(rig.count("pendingSession"), 32);
    rig.command(json!({ "type": "call", "target": "bob" }));
    rig.request(&Method::Invite);
    // One that is accepted rings no more.
    let id = rig.id_of("pendingSession");
    rig.done(json!({ "type": "accept", "id": id }));
    rig.response(200);
    assert_eq!(place(&mut rig, 50).status().code(), 180);
}

#[test]
fn max_ringing_and_max_sessions_are_reached_in_the_manner_that_is_wanted() {
    for limit in ["maxRinging", "maxSessions"] {
        for (when_full, code) in [("busy", 486), ("unavailable", 503)] {
            let mut rig = Rig::registered(alice_with(json!({ limit: 1, "whenFull": when_full })));
            assert_eq!(options(&mut rig, "o1").status().code(), 200);
            assert_eq!(place(&mut rig, 1).status().code(), 180);
            let refusal = place(&mut rig, 2);
            assert_eq!(refusal.status().code(), code, "{limit} {when_full}");
            assert_eq!(asks_for_patience(&refusal), code == 503);
            // RFC 3261 §11.2: as an INVITE would be answered.
            assert_eq!(options(&mut rig, "o2").status().code(), code);
        }
    }
}

/// What an INVITE is given beside 100, before anybody decides.
fn codes(rig: &mut Rig) -> Vec<u16> {
    let mut codes = Vec::new();
    while !rig.is_silent() {
        if let sip::message::Message::Response(response) = rig.sent() {
            codes.push(response.status().code());
        }
    }
    codes.retain(|code| *code > 100);
    codes
}

fn place_many(rig: &mut Rig, headers: &[(&str, &str)], number: usize) -> Vec<u16> {
    for number in 0..number {
        let mut caller = Caller::new(&format!("many{number}"));
        rig.receive(caller.invite(headers, Some("v=0\r\n")));
    }
    codes(rig)
}

#[test]
fn calls_that_answer_themselves_do_not_ring() {
    for policy in [
        json!({ "policy": "always", "whenBusy": "answer" }),
        json!({ "policy": "always", "whenBusy": "answer", "delay": 2000 }),
    ] {
        let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": policy, "maxRinging": 5 })));
        assert!(!place_many(&mut rig, &[], 60).contains(&486), "{policy}");
        assert_eq!(rig.count("pendingSession"), 60);
        // RFC 3261 §11.2: as an INVITE would be answered.
        assert_eq!(options(&mut rig, "o1").status().code(), 200);
        rig.seconds(5);
        assert_eq!(rig.count("sessionStarted"), 60);
    }
}

#[test]
fn calls_that_answer_themselves_later_ring_meanwhile() {
    let policy = json!({ "policy": "headers", "whenBusy": "answer" });
    let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": policy, "maxRinging": 5 })));
    let asks = [("Call-Info", "<sip:x>;answer-after=60")];
    let codes = place_many(&mut rig, &asks, 20);
    assert_eq!(codes.iter().filter(|code| **code == 486).count(), 15);
    assert_eq!(rig.count("pendingSession"), 5);
    assert_eq!(options(&mut rig, "o1").status().code(), 486);
}

#[test]
fn of_calls_that_the_applications_function_leaves_no_more_ring_than_may() {
    let config =
        json!({ "autoAnswer": { "policy": "function", "whenBusy": "answer" }, "maxRinging": 5 });
    let queries = |rig: &Rig| -> Vec<serde_json::Value> {
        let events = rig.events.iter().map(|event| json!(event));
        let asked = events.filter(|event| event["type"] == "autoAnswerQuery");
        asked.map(|event| event["id"].clone()).collect()
    };
    for silent in [false, true] {
        let mut rig = Rig::registered(alice_with(config.clone()));
        assert_eq!(place_many(&mut rig, &[], 20), vec![180; 20]);
        if silent {
            rig.seconds(2);
        } else {
            for id in queries(&rig) {
                rig.done(json!({ "type": "autoAnswerDecision", "id": id, "answer": false }));
            }
        }
        assert_eq!(codes(&mut rig), vec![486; 15], "{silent}");
        assert_eq!(rig.count("pendingSession"), 5);
        assert_eq!(rig.count("cancelPendingSession"), 0);
    }
    let mut rig = Rig::registered(alice_with(config));
    place_many(&mut rig, &[], 60);
    for id in queries(&rig) {
        rig.done(json!({ "type": "autoAnswerDecision", "id": id, "answer": true }));
    }
    assert!(!codes(&mut rig).contains(&486));
    assert_eq!(rig.count("sessionStarted"), 60);
}

#[test]
fn options_of_a_phone_that_refuses_calls_while_busy_say_so() {
    let policy = json!({ "policy": "always", "whenBusy": "reject" });
    let mut rig = Rig::registered(alice_with(json!({ "autoAnswer": policy })));
    assert_eq!(options(&mut rig, "o1").status().code(), 200);
    place_many(&mut rig, &[], 1);
    assert_eq!(options(&mut rig, "o2").status().code(), 486);
}

#[test]
fn options_above_the_rate_of_calls_say_so() {
    let mut rig = Rig::registered(alice_with(json!({ "maxRinging": 1000 })));
    for number in 0..100 {
        assert_eq!(place(&mut rig, number).status().code(), 180);
    }
    let refusal = options(&mut rig, "o1");
    assert_eq!(refusal.status().code(), 503);
    assert!(asks_for_patience(&refusal));
    rig.seconds(2);
    while !rig.is_silent() {
        rig.sent();
    }
    assert_eq!(options(&mut rig, "o2").status().code(), 200);
}

#[test]
fn what_the_application_can_not_read_in_time_is_refused_and_not_lost() {
    let (mut rig, mut caller, _) = Rig::talking(alice());
    let strangers = |rig: &mut Rig, round: usize| {
        for method in ["INVITE", "MESSAGE", "REFER", "OPTIONS"] {
            let mut stranger = Caller::new(&format!("{method}{round}"));
            rig.receive(stranger.request(method, &[("Refer-To", "<sip:x@y>")], None));
            let refusal = rig.response(503);
            assert!(asks_for_patience(&refusal), "{method}");
        }
        let mut stranger = Caller::new(&format!("mwi{round}"));
        let waiting = [("Event", "message-summary")];
        rig.receive(stranger.request("NOTIFY", &waiting, None));
        rig.response(503);
    };
    rig.phone.handle_backlog(MUCH);
    strangers(&mut rig, 1);
    assert!(rig.events.is_empty(), "{:?}", rig.events);

    // Who is in a call with us has as much room again.
    for method in ["INFO", "MESSAGE"] {
        rig.receive(caller.with_body(method, "text/plain", "hello"));
        rig.response(200);
    }
    assert_eq!(rig.count("info") + rig.count("message"), 2);
    rig.events.clear();

    rig.phone.handle_backlog(TOO_MUCH);
    strangers(&mut rig, 2);
    for method in ["INFO", "MESSAGE"] {
        rig.receive(caller.with_body(method, "text/plain", "hello"));
        assert!(asks_for_patience(&rig.response(503)), "{method}");
    }
    rig.receive(caller.request("INVITE", &[], Some("v=0 again\r\n")));
    let later = rig.response(500);
    assert!(later.headers().contains(HeaderName::RetryAfter));
    rig.receive(caller.request("OPTIONS", &[], None));
    rig.response(200);
    assert!(rig.events.is_empty(), "{:?}", rig.events);

    // Our own commands, their answers and every end go on.
    let sent = rig.command(json!({ "type": "sendMessage", "target": "bob", "body": "hello" }));
    let request = rig.request(&Method::Message);
    rig.receive(answer(&request, 200, None));
    assert_eq!(rig.reply(sent), Some(&Ok(Reply::Done)));
    rig.phone.handle_backlog(0);
    rig.receive(caller.with_body("INFO", "text/plain", "hello"));
    rig.response(200);
    rig.phone.handle_backlog(TOO_MUCH);
    rig.receive(caller.bye(&[]));
    rig.response(200);
    rig.assert_ended_once("success", "remote");
}

#[test]
fn progress_that_nobody_can_read_is_not_told() {
    let mut rig = Rig::registered(alice());
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.phone.handle_backlog(TOO_MUCH);
    for _ in 0..100 {
        rig.receive(answer(&invite, 183, None));
    }
    assert_eq!(rig.count("progress"), 0);
    rig.receive(answer(&invite, 200, Some("v=0 theirs\r\n")));
    rig.request(&Method::Ack);
    assert!(rig.changes("state").contains(&json!("active")));
}

#[test]
fn keys_that_nobody_can_read_are_not_told() {
    let (mut rig, _, id) = Rig::talking(alice());
    let press = |rig: &mut Rig| {
        let key = MediaEvent::Dtmf {
            tone: Tones::new("7"),
            duration: 120,
            in_band: false,
        };
        rig.media_event(id, key);
    };
    rig.phone.handle_backlog(TOO_MUCH);
    for _ in 0..100 {
        press(&mut rig);
    }
    assert_eq!(rig.count("dtmf"), 0);
    rig.phone.handle_backlog(0);
    press(&mut rig);
    assert_eq!(rig.count("dtmf"), 1);
}

#[test]
fn a_command_whose_request_finds_no_room_fails_at_once_and_the_call_stays_as_it_was() {
    let (mut rig, _, session) = Rig::talking(alice());
    // Nobody answers any of these.
    for _ in 0..4096 {
        rig.command(json!({ "type": "sendMessage", "target": "bob", "body": "hello" }));
    }
    let hold = json!({ "type": "hold", "id": session, "held": true });
    let commands = [
        (hold.clone(), "ERR_HOLD_FAILED"),
        (
            json!({ "type": "sendMessage", "target": "bob", "body": "hello" }),
            "ERR_TOO_MANY_SESSIONS",
        ),
        (
            json!({ "type": "sendInfo", "id": session, "contentType": "text/plain", "body": "x" }),
            "ERR_TOO_MANY_SESSIONS",
        ),
        (
            json!({ "type": "transfer", "id": session, "target": "carol" }),
            "ERR_TOO_MANY_SESSIONS",
        ),
        (
            json!({ "type": "call", "target": "carol" }),
            "ERR_TOO_MANY_SESSIONS",
        ),
    ];
    for (command, expected) in commands {
        assert_eq!(rig.refused(command), expected);
    }
    assert_eq!(rig.count("terminated"), 1, "the call that was not placed");
    assert!(rig.changes("held").is_empty());

    // Once they have timed out there is room again.
    rig.seconds(33);
    while !rig.is_silent() {
        rig.sent();
    }
    let held = rig.command(hold);
    let reinvite = rig.request(&Method::Invite);
    rig.receive(answer(&reinvite, 200, Some("v=0 agreed\r\n")));
    assert_eq!(rig.reply(held), Some(&Ok(Reply::Done)));
}

#[test]
fn a_machine_without_time_takes_no_call_and_keeps_those_that_there_are() {
    for when_full in ["busy", "unavailable"] {
        let mut rig = Rig::registered(alice_with(json!({ "whenFull": when_full })));
        rig.phone.handle_load(0.99);
        assert_eq!(options(&mut rig, "o1").status().code(), 200);
        assert_eq!(place(&mut rig, 1).status().code(), 180);
        let id = rig.id_of("pendingSession");

        rig.phone.handle_load(1.0);
        let refusal = place(&mut rig, 2);
        assert_eq!(refusal.status().code(), 503, "another phone may have time");
        assert!(asks_for_patience(&refusal));
        assert_eq!(options(&mut rig, "o2").status().code(), 503);
        assert_eq!(rig.count("pendingSession"), 1);
        let call = json!({ "type": "call", "target": "bob" });
        assert_eq!(rig.refused(call.clone()), "ERR_TOO_MANY_SESSIONS");
        let accept = json!({ "type": "accept", "id": id });
        assert_eq!(rig.refused(accept.clone()), "ERR_TOO_MANY_SESSIONS");
        assert!(rig.is_silent(), "it rings on");

        rig.phone.handle_load(0.99);
        rig.done(accept.clone());
        rig.response(200);
        // What there is goes on, and accepting it again changes nothing.
        rig.phone.handle_load(1.0);
        rig.done(accept);
        assert_eq!(rig.count("terminated"), 0);
        rig.phone.handle_load(0.5);
        rig.command(call);
        rig.request(&Method::Invite);
    }
}
