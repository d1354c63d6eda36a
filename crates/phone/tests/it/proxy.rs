use phone::{Connection, ErrorCode, Reply};
use serde_json::{Value, json};
use tunnel::Route;

use crate::harness::{Rig, alice_with, code};

fn refuse(rig: &mut Rig, code: ErrorCode) {
    let reason = "no".into();
    rig.connection(Connection::Refused { reason, code });
}

/// By which way each attempt went.
fn ways(rig: &Rig) -> Vec<String> {
    let way = |route: &Route| match route {
        Route::Direct => "direct".to_owned(),
        Route::Through(proxy) => proxy.to_string(),
    };
    rig.routes.iter().map(way).collect()
}

fn connecting(proxy: Value) -> Rig {
    let mut rig = Rig::new(alice_with(json!({
        "httpProxy": proxy,
        "servers": ["wss://one.example.com/ws?token=hunter2", "ws://two.example.com:8080/"],
    })));
    rig.command(json!({ "type": "initialize" }));
    rig
}

/// With a function, which has answered this to the first question.
fn answered(answer: Value) -> Rig {
    let mut rig = connecting(json!({ "function": true }));
    choose(&mut rig, 1, answer);
    rig
}

fn choose(rig: &mut Rig, question: u32, answer: Value) {
    let mut command = json!({ "type": "proxyChosen", "question": question });
    for (name, value) in answer.as_object().expect("an object") {
        command[name] = value.clone();
    }
    rig.command(command);
}

#[test]
fn each_server_is_reached_through_the_one_proxy_or_that_of_the_environment() {
    let mut one = connecting(json!("http://al:hunter2@proxy:3128"));
    refuse(&mut one, ErrorCode::ConnectionFailed);
    assert_eq!(ways(&one), ["http://proxy:3128", "http://proxy:3128"]);
    let variables = json!({ "https": "http://a:1", "http": "b:2", "no": "two.example.com" });
    let mut environment = connecting(json!({ "environment": variables }));
    refuse(&mut environment, ErrorCode::ConnectionFailed);
    assert_eq!(ways(&environment), ["http://a:1", "direct"]);
    let variables = json!({ "https": "a:1", "http": "b:2", "all": "socks4://c" });
    let mut unneeded = connecting(json!({ "environment": variables }));
    refuse(&mut unneeded, ErrorCode::ConnectionFailed);
    assert_eq!(ways(&unneeded), ["http://a:1", "http://b:2"]);
    let mut none = connecting(json!(false));
    refuse(&mut none, ErrorCode::ConnectionFailed);
    assert_eq!(ways(&none), ["direct", "direct"]);
}

#[test]
fn a_function_is_asked_before_each_attempt_and_not_shown_the_query() {
    let mut rig = connecting(json!({ "function": true }));
    let asked = rig.last("proxyNeeded");
    assert_eq!(asked["url"], "wss://one.example.com:443/ws");
    assert!(rig.connects.is_empty(), "before there is an answer");
    choose(&mut rig, 1, json!({ "proxy": "socks5://a" }));
    refuse(&mut rig, ErrorCode::ProxyFailed);
    let asked = rig.last("proxyNeeded");
    assert_eq!(
        (&asked["question"], &asked["url"]),
        (&json!(2), &json!("ws://two.example.com:8080/"))
    );
    choose(&mut rig, 2, json!({}));
    assert_eq!(ways(&rig), ["socks5://a:1080", "direct"]);
    rig.up();
    assert_eq!(rig.reply(phone::Ticket(1)), Some(&Ok(Reply::Done)));
    rig.down();
    rig.seconds(3);
    assert_eq!(
        rig.last("proxyNeeded")["question"],
        3,
        "and when it reconnects"
    );
}

#[test]
fn the_ways_of_a_pac_answer_are_tried_in_their_order_before_the_next_server() {
    let mut rig = answered(json!({ "proxy": "PROXY a:1; HTTPS b; DIRECT" }));
    for _ in 0..3 {
        assert_eq!(rig.count("proxyNeeded"), 1);
        refuse(&mut rig, ErrorCode::ProxyFailed);
    }
    assert_eq!(ways(&rig), ["http://a:1", "https://b:443", "direct"]);
    assert_eq!(rig.count("proxyNeeded"), 2);
    choose(&mut rig, 2, json!({ "proxy": "PROXY a:1; DIRECT" }));
    rig.up();
    // What was not tried is forgotten once there is a connection.
    rig.down();
    rig.seconds(3);
    assert_eq!(rig.count("proxyNeeded"), 3);
}

#[test]
fn a_function_that_fails_is_slow_or_gives_nonsense_fails_the_attempt_with_a_code() {
    for (answer, hint) in [
        (json!({ "failure": "no script" }), "failed: no script"),
        (json!({ "proxy": "" }), "gave an empty string"),
        (
            json!({ "proxy": "ftp://al:hunter2@x" }),
            "gave a URL of another scheme",
        ),
        (
            json!({ "proxy": "SOCKS4 a" }),
            "a list without a proxy that can be used",
        ),
    ] {
        let mut rig = answered(answer.clone());
        choose(&mut rig, 2, answer);
        let error = rig.error(phone::Ticket(1));
        assert_eq!(code(&error), "ERR_PROXY_FAILED");
        let cause = error.cause.unwrap_or_default();
        assert!(
            cause.contains(hint) && !cause.contains("hunter2"),
            "{cause}"
        );
        assert!(rig.connects.is_empty());
    }
    let mut slow = connecting(json!({ "function": true }));
    slow.seconds(20);
    assert_eq!(code(&slow.error(phone::Ticket(1))), "ERR_PROXY_FAILED");
    choose(&mut slow, 2, json!({}));
    assert!(slow.connects.is_empty(), "it is too late");
}

#[test]
fn an_answer_to_an_older_question_or_to_none_says_nothing() {
    let mut rig = connecting(json!({ "function": true }));
    choose(&mut rig, 7, json!({ "proxy": "http://other" }));
    assert!(rig.connects.is_empty());
    rig.command(json!({ "type": "disconnect" }));
    choose(&mut rig, 1, json!({ "proxy": "http://other" }));
    assert!(rig.connects.is_empty());
    assert_eq!(code(&rig.error(phone::Ticket(1))), "ERR_ABORTED");
    rig.command(json!({ "type": "initialize" }));
    choose(&mut rig, 2, json!({ "proxy": "http://own" }));
    assert_eq!(ways(&rig), ["http://own:80"]);
}

#[test]
fn initialize_fails_with_the_code_of_the_last_attempt() {
    let mut rig = connecting(json!("http://proxy"));
    refuse(&mut rig, ErrorCode::ConnectionFailed);
    refuse(&mut rig, ErrorCode::ProxyAuthentication);
    let error = rig.error(phone::Ticket(1));
    assert_eq!(code(&error), "ERR_PROXY_AUTHENTICATION");
    assert_eq!(error.kind, phone::ErrorType::Initialization);
}
