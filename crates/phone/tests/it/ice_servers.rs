//! STUN and TURN servers that a function of the application gives.

use std::time::Duration;

use phone::MediaEvent;
use phone::network::{NetworkChange, OurEnd};
use serde_json::{Value, json};

use sip::message::Method;

use crate::harness::{EPOCH, Rig, alice_with, answer as peer_answer};

fn asking() -> Rig {
    Rig::registered(alice_with(json!({ "iceServers": { "function": true } })))
}

/// Calls somebody, who answers at once.
fn call(rig: &mut Rig) {
    rig.command(json!({ "type": "call", "target": "bob" }));
    let invite = rig.request(&Method::Invite);
    rig.receive(peer_answer(&invite, 200, Some("v=0\r\n")));
    rig.request(&Method::Ack);
}

fn answer(rig: &mut Rig, answer: Value) {
    let question = rig.last("iceServersNeeded")["question"].clone();
    let mut command = json!({ "type": "iceServersGiven", "question": question });
    for (name, value) in answer.as_object().expect("an object") {
        command[name] = value.clone();
    }
    rig.command(command);
}

fn give(rig: &mut Rig, servers: &Value) {
    answer(rig, json!({ "servers": servers.to_string() }));
}

/// A TURN server whose credential ends so many seconds after now.
fn turn(rig: &Rig, credential: &str, seconds: u64) -> Value {
    let passed = rig.now - rig.begun;
    let ends = EPOCH + passed + Duration::from_secs(seconds);
    json!([{ "urls": "turn:t", "username": "u", "credential": credential, "expires": u64::try_from(ends.as_millis()).unwrap() }])
}

/// What became of the question, each time.
fn known(rig: &Rig) -> Vec<&str> {
    let known = rig
        .order
        .iter()
        .filter_map(|entry| entry.strip_prefix("ice "));
    known.collect()
}

fn credential(rig: &Rig) -> Option<String> {
    let server = rig.phone.config().ice_servers.first()?;
    server
        .credential
        .as_ref()
        .map(|one| one.reveal().to_owned())
}

fn told(rig: &Rig) -> Vec<String> {
    let warnings = rig
        .events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap());
    warnings
        .filter(|event| event["type"] == "warning" && event["warning"] == "ice-server")
        .map(|event| event["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_function_is_asked_before_a_call_gathers_which_waits_for_it() {
    let mut rig = asking();
    assert_eq!(rig.count("iceServersNeeded"), 0, "nobody needs them yet");
    call(&mut rig);
    assert!(rig.place("ice Awaited") < rig.place("media offer"));
    let servers = turn(&rig, "one", 3600);
    give(&mut rig, &servers);
    assert_eq!(known(&rig), ["Awaited", "Renewed"]);
    assert_eq!(credential(&rig).as_deref(), Some("one"));
    assert!(told(&rig).is_empty());
}

#[test]
fn what_it_gave_is_used_until_a_minute_before_it_ends_and_asked_for_anew_then() {
    let mut rig = asking();
    call(&mut rig);
    let servers = turn(&rig, "one", 600);
    give(&mut rig, &servers);
    call(&mut rig);
    rig.seconds(539);
    assert_eq!(rig.count("iceServersNeeded"), 1);
    rig.seconds(2);
    assert_eq!(rig.count("iceServersNeeded"), 2, "calls run");
    call(&mut rig);
    assert_eq!(known(&rig), ["Awaited", "Renewed"], "nobody waits for it");
    let servers = turn(&rig, "two", 600);
    give(&mut rig, &servers);
    assert_eq!(known(&rig), ["Awaited", "Renewed", "Renewed"]);
    assert_eq!(credential(&rig).as_deref(), Some("two"));
}

#[test]
fn a_phone_without_calls_asks_nothing() {
    let function = json!({ "iceServers": { "function": true } });
    let (mut rig, mut bob, id) = Rig::having_called(alice_with(function));
    let servers = turn(&rig, "one", 600).to_string();
    rig.command(json!({ "type": "iceServersGiven", "question": 1, "servers": servers }));
    assert_eq!(credential(&rig).as_deref(), Some("one"));
    rig.receive(bob.bye(&[]));
    rig.seconds(3600);
    assert_eq!(
        (rig.open_sessions(), rig.count("iceServersNeeded")),
        (vec![], 0),
        "{id}"
    );
}

#[test]
fn a_time_in_the_users_name_counts_as_servers_with_a_shared_secret_have_it() {
    let mut rig = asking();
    call(&mut rig);
    let ends = EPOCH.as_secs() + 100;
    let servers =
        json!([{ "urls": "turn:t", "username": format!("{ends}:alice"), "credential": "c" }]);
    give(&mut rig, &servers);
    rig.seconds(49);
    assert_eq!(rig.count("iceServersNeeded"), 1);
    rig.seconds(2);
    assert_eq!(
        rig.count("iceServersNeeded"),
        2,
        "after half of a short time"
    );
}

#[test]
fn an_answer_without_a_time_is_good_for_a_burst_of_calls() {
    let mut rig = asking();
    for _ in 0..3 {
        call(&mut rig);
    }
    give(&mut rig, &json!([{ "urls": "stun:s" }]));
    call(&mut rig);
    assert_eq!(rig.count("iceServersNeeded"), 1);
    rig.seconds(61);
    assert_eq!(rig.count("iceServersNeeded"), 1, "it is not known to end");
    call(&mut rig);
    assert_eq!(rig.count("iceServersNeeded"), 2);
}

#[test]
fn a_function_that_hangs_delays_one_call_by_two_seconds_and_no_other() {
    let mut rig = asking();
    call(&mut rig);
    rig.advance(Duration::from_millis(1900));
    assert_eq!(known(&rig), ["Awaited"]);
    rig.advance(Duration::from_millis(200));
    assert_eq!(known(&rig), ["Awaited", "Unchanged"]);
    assert_eq!(
        told(&rig),
        ["iceServers: the function has not answered within 2 s"]
    );
    call(&mut rig);
    assert_eq!(told(&rig).len(), 2, "each call is told");
    rig.seconds(31);
    call(&mut rig);
    assert_eq!(
        rig.count("iceServersNeeded"),
        2,
        "it is asked again after half a minute"
    );
    assert_eq!(known(&rig), ["Awaited", "Unchanged"], "and nobody waits");
    give(&mut rig, &json!([{ "urls": "stun:s" }]));
    rig.seconds(61);
    call(&mut rig);
    assert_eq!(known(&rig), ["Awaited", "Unchanged", "Renewed", "Awaited"]);
}

#[test]
fn an_answer_that_is_late_is_used_all_the_same() {
    let mut rig = asking();
    call(&mut rig);
    rig.seconds(5);
    give(&mut rig, &json!([{ "urls": "stun:s" }]));
    assert_eq!(known(&rig), ["Awaited", "Unchanged", "Renewed"]);
}

#[test]
fn what_fails_or_is_no_list_of_servers_leaves_the_last_good_answer_and_is_told() {
    for (wrong, hint) in [
        (
            json!({ "failure": "no such host" }),
            "the function failed: no such host",
        ),
        (json!({ "servers": "null" }), "must be an array of { urls"),
        (json!({ "servers": "7" }), "must be an array of { urls"),
        (
            json!({ "servers": "nonsense" }),
            "must be an array of { urls",
        ),
        (
            json!({ "servers": "[{}]" }),
            "'iceServers()[0].urls' must be",
        ),
        (
            json!({ "servers": r#"[{"urls":"turn:t","username":"u","credential":"hunter2","expires":3600}]"# }),
            "'iceServers()[0].expires' must be milliseconds since 1970",
        ),
        (
            json!({ "servers": r#"[{"urls":"turn:hunter2 x"}]"# }),
            "'iceServers()[0].urls' must be",
        ),
        (
            json!({ "servers": "[".repeat(70_000) }),
            "longer than 64 KiB",
        ),
    ] {
        let mut rig = asking();
        call(&mut rig);
        let servers = turn(&rig, "good", 600);
        give(&mut rig, &servers);
        rig.seconds(541);
        answer(&mut rig, wrong.clone());
        assert_eq!(known(&rig), ["Awaited", "Renewed", "Unchanged"], "{wrong}");
        assert_eq!(credential(&rig).as_deref(), Some("good"));
        let told = told(&rig);
        assert!(told.len() == 1 && told[0].contains(hint), "{told:?}");
        assert!(!format!("{:?}", rig.events).contains("hunter2"));
        rig.seconds(11);
        assert_eq!(rig.count("iceServersNeeded"), 3, "it is tried again");
    }
}

#[test]
fn credentials_that_have_ended_already_are_not_asked_for_without_end() {
    let mut rig = asking();
    call(&mut rig);
    for _ in 0..5 {
        let servers = turn(&rig, "old", 0);
        give(&mut rig, &servers);
    }
    rig.seconds(9);
    assert_eq!(rig.count("iceServersNeeded"), 1);
    rig.seconds(2);
    assert_eq!(rig.count("iceServersNeeded"), 2);
}

#[test]
fn a_number_for_a_name_is_no_time() {
    let mut rig = asking();
    call(&mut rig);
    let servers = json!([{ "urls": "turn:t", "username": "0301234567", "credential": "c" }]);
    give(&mut rig, &servers);
    rig.seconds(120);
    assert_eq!(rig.count("iceServersNeeded"), 1);
}

fn refusal(reason: &str, refuses_login: bool) -> MediaEvent {
    MediaEvent::IceServerFailed {
        server: "turn:t".into(),
        reason: reason.into(),
        refuses_login,
    }
}

fn refuse(rig: &mut Rig, reason: &str, refuses_login: bool) {
    let id = rig.id_of("sessionStarted");
    rig.media_event(id, refusal(reason, refuses_login));
}

#[test]
fn a_server_that_refuses_in_a_call_is_a_reason_to_ask() {
    let mut rig = asking();
    call(&mut rig);
    let servers = turn(&rig, "one", 3600);
    give(&mut rig, &servers);
    rig.seconds(11);
    refuse(&mut rig, "it does not answer", false);
    assert_eq!(rig.count("iceServersNeeded"), 1, "they are good still");
    refuse(&mut rig, "it refuses: 401", true);
    assert_eq!(rig.count("iceServersNeeded"), 2);
    assert_eq!(
        known(&rig),
        ["Awaited", "Renewed"],
        "the call goes on meanwhile"
    );
}

#[test]
fn a_server_that_refuses_everything_makes_a_question_each_ten_seconds_at_most() {
    let mut rig = asking();
    call(&mut rig);
    for second in 0..30 {
        let servers = turn(&rig, "of no use", 3600);
        give(&mut rig, &servers);
        refuse(&mut rig, &format!("it refuses: 401 at {second}"), true);
        rig.seconds(1);
    }
    assert!((3..=4).contains(&rig.count("iceServersNeeded")));
    assert!(
        known(&rig)
            .iter()
            .filter(|known| **known == "Awaited")
            .count()
            == 1
    );
}

#[test]
fn a_call_that_begins_after_credentials_were_refused_waits_for_others() {
    let function = json!({ "iceServers": { "function": true } });
    let (mut rig, mut bob, id) = Rig::having_called(alice_with(function));
    let servers = turn(&rig, "one", 3600).to_string();
    rig.command(json!({ "type": "iceServersGiven", "question": 1, "servers": servers }));
    rig.media_event(id, refusal("it refuses: 403", true));
    assert_eq!(rig.count("iceServersNeeded"), 0, "they came just now");
    rig.receive(bob.bye(&[]));
    rig.response(200);
    rig.seconds(11);
    call(&mut rig);
    assert_eq!(known(&rig), ["Awaited", "Renewed", "Awaited"]);
}

#[test]
fn a_function_that_fails_otherwise_each_time_is_not_asked_for_that() {
    let mut rig = asking();
    call(&mut rig);
    give(&mut rig, &json!([{ "urls": "stun:s" }]));
    rig.seconds(61);
    call(&mut rig);
    for request in 0..10 {
        let failure = format!("no answer to request {request}");
        answer(&mut rig, json!({ "failure": failure }));
    }
    assert_eq!(rig.count("iceServersNeeded"), 2);
    refuse(&mut rig, "it does not answer", false);
    assert_eq!(rig.count("iceServersNeeded"), 2, "who goes on asks later");
    call(&mut rig);
    assert_eq!(rig.count("iceServersNeeded"), 3, "and who begins at once");
}

#[test]
fn a_call_that_begins_when_a_renewal_failed_and_the_credentials_have_ended_asks_again() {
    let mut rig = asking();
    call(&mut rig);
    let servers = turn(&rig, "one", 600);
    give(&mut rig, &servers);
    rig.seconds(598);
    assert_eq!(
        rig.count("iceServersNeeded"),
        3,
        "it is asked again after 30 s"
    );
    answer(&mut rig, json!({ "failure": "Error" }));
    call(&mut rig);
    assert_eq!(rig.count("iceServersNeeded"), 3, "they are good for 2 s");
    rig.seconds(3);
    call(&mut rig);
    assert_eq!(rig.count("iceServersNeeded"), 4);
    assert_eq!(known(&rig).last(), Some(&"Awaited"));
}

/// A machine that slept for an hour: the phone's clock stood still.
fn sleep(rig: &mut Rig) {
    rig.network(NetworkChange {
        slept: HOUR,
        rerouted: false,
        online: true,
        our_end: OurEnd::Kept,
    });
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn what_ended_while_the_machine_slept_is_asked_for_anew_and_waited_for() {
    let function = json!({ "iceServers": { "function": true } });
    let (mut rig, mut bob, _) = Rig::having_called(alice_with(function));
    let servers = turn(&rig, "one", 600).to_string();
    rig.command(json!({ "type": "iceServersGiven", "question": 1, "servers": servers }));
    rig.receive(bob.bye(&[]));
    rig.response(200);
    sleep(&mut rig);
    call(&mut rig);
    assert_eq!(rig.count("iceServersNeeded"), 1);
    assert_eq!(known(&rig), ["Awaited", "Renewed", "Awaited"]);
    let servers = turn(&rig, "two", 3600 + 600);
    give(&mut rig, &servers);
    rig.seconds(539);
    assert_eq!(rig.count("iceServersNeeded"), 1);
    rig.seconds(2);
    assert_eq!(rig.count("iceServersNeeded"), 2, "at its own end");
}

#[test]
fn a_call_waits_for_what_another_asks_for_after_a_sleep() {
    let mut rig = asking();
    call(&mut rig);
    let servers = turn(&rig, "one", 600);
    give(&mut rig, &servers);
    sleep(&mut rig);
    rig.advance(Duration::from_millis(10));
    assert_eq!(rig.count("iceServersNeeded"), 2, "a call runs");
    assert_eq!(known(&rig), ["Awaited", "Renewed"]);
    call(&mut rig);
    assert_eq!(known(&rig), ["Awaited", "Renewed", "Awaited"]);
}

#[test]
fn servers_that_the_application_names_end_the_questions() {
    let mut rig = asking();
    call(&mut rig);
    rig.done(json!({ "type": "setIceServers", "iceServers": [{ "urls": "stun:own" }] }));
    assert_eq!(known(&rig), ["Awaited", "Unchanged"]);
    give(&mut rig, &json!([{ "urls": "stun:late" }]));
    call(&mut rig);
    assert_eq!(rig.count("iceServersNeeded"), 1);
    let urls = format!("{:?}", rig.phone.config().ice_servers);
    assert!(urls.contains("stun:own"), "{urls}");
}
