//! STUN and TURN servers that are broken, each told for what it is.

use std::sync::mpsc;
use std::time::Duration;

use runtime::Config;
use runtime::preflight::{CheckName, Preflight, PreflightEvent};
use serde_json::{Value, json};
use tokio::net::UdpSocket;

const PATIENCE: Duration = Duration::from_secs(30);
const ICE: [CheckName; 5] = [
    CheckName::Stun,
    CheckName::Turn,
    CheckName::Relay,
    CheckName::Udp,
    CheckName::Nat,
];

/// What is found of these servers, by the codes in their order.
async fn found(servers: Value) -> Vec<Value> {
    found_by(servers, None).await
}

/// What is found of what a function gives: servers as JSON, or why it gives none.
async fn found_by(servers: Value, function: Option<Result<&str, &str>>) -> Vec<Value> {
    found_with(servers, json!({}), function).await
}

/// The same with further options.
async fn found_with(
    servers: Value,
    more: Value,
    function: Option<Result<&str, &str>>,
) -> Vec<Value> {
    let mut options = json!({
        "uri": "sip:alice@example.test",
        "register": false,
        "iceServers": servers,
    });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    let config = Config::from_json(&options).unwrap();
    let (tell, told) = mpsc::channel();
    let (ask, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let events = move |event: PreflightEvent| match event {
        PreflightEvent::Done { checks, .. } => drop(tell.send(checks)),
        PreflightEvent::IceServersNeeded { question } => drop(ask.send(question)),
        PreflightEvent::Check { .. } | PreflightEvent::ProxyNeeded { .. } => {}
    };
    let preflight = Preflight::start(config, ICE.into(), Box::new(events)).unwrap();
    if let Some(answer) = function {
        let question = asked.recv().await.unwrap();
        let (given, failure) = (answer.ok(), answer.err());
        preflight.answer(
            question,
            given.map(str::to_owned),
            failure.map(str::to_owned),
        );
    }
    let waiting = tokio::task::spawn_blocking(move || told.recv_timeout(PATIENCE).unwrap());
    let checks = waiting.await.unwrap();
    drop(preflight);
    let shown = serde_json::to_value(checks).unwrap();
    assert!(!shown.to_string().contains("s3cret"), "{shown}");
    shown.as_array().unwrap().clone()
}

fn codes(checks: &[Value]) -> Vec<&str> {
    checks
        .iter()
        .map(|check| check["code"].as_str().unwrap())
        .collect()
}

/// A server that makes of each message what `answer` says.
async fn server(answer: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static) -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut octets = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut octets).await {
            if let Some(answer) = answer(&octets[..length]) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    port
}

/// The error response to a request, with what a challenge needs.
fn refusal(request: &[u8], code: u16, reason: &str) -> Vec<u8> {
    let mut attributes = Vec::new();
    let mut add = |kind: u16, value: &[u8]| {
        attributes.extend(kind.to_be_bytes());
        attributes.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        attributes.extend(value);
        attributes.resize(attributes.len().next_multiple_of(4), 0);
    };
    let class = u8::try_from(code / 100).unwrap();
    let number = u8::try_from(code % 100).unwrap();
    let mut error = vec![0, 0, class, number];
    error.extend(reason.as_bytes());
    add(0x0009, &error);
    add(0x0014, b"example.test");
    add(0x0015, b"nonce");
    let kind = u16::from_be_bytes([request[0], request[1]]) | 0x0110;
    let mut message = kind.to_be_bytes().to_vec();
    message.extend(u16::try_from(attributes.len()).unwrap().to_be_bytes());
    message.extend(&request[4..20]);
    message.extend(attributes);
    message
}

fn has_username(request: &[u8]) -> bool {
    request.windows(4).any(|window| window == b"user")
}

#[tokio::test]
async fn a_turn_server_that_refuses_is_told_by_its_code() {
    for (status, code) in [
        (401, "turn-credentials"),
        (441, "turn-credentials"),
        (403, "turn-forbidden"),
        (486, "turn-quota"),
        (508, "turn-full"),
        (300, "turn-error"),
    ] {
        let port = server(move |request| {
            let status = if has_username(request) { status } else { 401 };
            Some(refusal(request, status, "s3cret \x1b[31m"))
        })
        .await;
        let url = format!("turn:127.0.0.1:{port}");
        let servers = json!([{ "urls": url, "username": "user", "credential": "s3cret" }]);
        let checks = found(servers).await;
        assert_eq!(codes(&checks)[..2], [code, "not-tried"], "{status}");
        // What refuses is reached.
        assert_eq!(codes(&checks)[2], "udp-ok");
    }
}

#[tokio::test]
async fn servers_that_are_silent_or_not_there_are_told_apart() {
    let silent = server(|_| None).await;
    let closed = {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.local_addr().unwrap().port()
    };
    let stun = |port: u16| json!([{ "urls": format!("stun:127.0.0.1:{port}") }]);
    let checks = found(stun(silent)).await;
    assert_eq!(
        codes(&checks),
        ["stun-timeout", "udp-unanswered", "nat-unknown"]
    );
    let checks = found(stun(closed)).await;
    assert_eq!(codes(&checks), ["stun-refused", "udp-ok", "nat-unknown"]);
    let turn = json!([{ "urls": format!("turn:127.0.0.1:{silent}"), "username": "user", "credential": "s3cret" }]);
    let checks = found(turn).await;
    assert_eq!(
        codes(&checks),
        ["turn-timeout", "not-tried", "udp-unanswered", "nat-unknown"]
    );
}

#[tokio::test]
async fn what_refuses_or_babbles_instead_of_an_address_is_told() {
    let refuses = server(|request| Some(refusal(request, 400, "Bad Request"))).await;
    let babbles = server(|_| Some(b"220 mail.example.com ESMTP\r\n".to_vec())).await;
    let stun = |port: u16| json!([{ "urls": format!("stun:127.0.0.1:{port}") }]);
    let checks = found(stun(refuses)).await;
    assert_eq!(codes(&checks)[0], "stun-error");
    assert!(
        checks[0]["found"]
            .as_str()
            .unwrap()
            .contains("400 Bad Request")
    );
    let checks = found(stun(babbles)).await;
    assert_eq!(codes(&checks)[0], "stun-timeout");
}

#[tokio::test]
async fn a_server_that_nobody_knows_is_told() {
    let checks = found(json!([{ "urls": "stun:nowhere.invalid" }])).await;
    assert_eq!(
        codes(&checks),
        ["stun-not-found", "not-given", "nat-unknown"]
    );
}

#[tokio::test]
async fn nothing_is_asked_if_no_server_is_named() {
    let checks = found(json!([])).await;
    assert_eq!(codes(&checks), ["not-given"; 5]);
}

#[tokio::test]
async fn servers_that_a_function_gives_are_looked_at_and_their_secrets_not_shown() {
    let port = server(|request| Some(refusal(request, 401, "s3cret"))).await;
    let servers = json!([{ "urls": format!("turn:127.0.0.1:{port}"), "username": "user", "credential": "s3cret" }]);
    let function = json!({ "function": true });
    let given = servers.to_string();
    let checks = found_by(function.clone(), Some(Ok(&given))).await;
    assert_eq!(codes(&checks)[0], "turn-credentials");
    for (answer, found) in [
        (
            Err("no network"),
            "the iceServers function failed: no network",
        ),
        (
            Ok("[{\"urls\":\"turn:s3cret x\"}]"),
            "'iceServers()[0].urls' must be ",
        ),
        (Ok("7"), "'iceServers()' must be an array"),
    ] {
        let checks = found_by(function.clone(), Some(answer)).await;
        let expected = [
            "ice-function",
            "ice-function",
            "not-tried",
            "not-tried",
            "not-tried",
        ];
        assert_eq!(codes(&checks), expected);
        assert!(
            checks[0]["found"].as_str().unwrap().contains(found),
            "{checks:?}"
        );
    }
    let checks = found_by(function, None).await;
    let found = checks[0]["found"].as_str().unwrap();
    assert_eq!(found, "the iceServers function did not answer within 2 s");
}

#[tokio::test]
async fn servers_are_asked_from_the_ports_and_interfaces_that_media_may_use() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let (heard, from) = mpsc::channel();
    tokio::spawn(async move {
        let mut octets = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut octets).await {
            heard.send(from.port()).unwrap();
            let answer = refusal(&octets[..length], 400, "Bad Request");
            let _ = socket.send_to(&answer, from).await;
        }
    });
    let servers = json!([{ "urls": format!("stun:127.0.0.1:{port}") }]);
    let more = json!({ "portRange": { "min": 20_000, "max": 20_999 } });
    found_with(servers.clone(), more, None).await;
    let ports: Vec<_> = from.try_iter().collect();
    let is_allowed = |port: &u16| (20_000..=20_999).contains(port);
    assert!(
        !ports.is_empty() && ports.iter().all(is_allowed),
        "{ports:?}"
    );
    let checks = found_with(servers, json!({ "interfaces": ["nobody-has-this"] }), None).await;
    let text = checks[0]["found"].as_str().unwrap();
    assert!(text.contains("interfaces admits no address"), "{checks:?}");
    assert_eq!(from.try_iter().count(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_to_which_no_route_leads_is_told() {
    // No socket of ours may send to everybody.
    for (scheme, code) in [("stun", "stun-unreachable"), ("turn", "turn-unreachable")] {
        let url = format!("{scheme}:255.255.255.255");
        let servers = json!([{ "urls": url, "username": "user", "credential": "s3cret" }]);
        let checks = found(servers).await;
        assert_eq!(codes(&checks)[0], code);
        let text = checks[0]["found"].as_str().unwrap();
        assert!(text.ends_with("no route to 255.255.255.255"), "{text}");
    }
}

#[tokio::test]
async fn urls_that_can_not_be_used_are_told() {
    for (url, code) in [
        ("stuns:127.0.0.1", "stun-unusable"),
        ("turns:127.0.0.1?transport=udp", "turn-unusable"),
    ] {
        let servers = json!([{ "urls": url, "username": "user", "credential": "s3cret" }]);
        let checks = found(servers).await;
        assert_eq!(codes(&checks)[0], code, "{checks:?}");
    }
}
