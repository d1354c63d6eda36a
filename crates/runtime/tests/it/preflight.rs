//! Broken ways to a server, each told for what it is.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use runtime::Config;
use runtime::preflight::{CheckName, Preflight, PreflightEvent};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use crate::server::{self, Authority, Manner, closed_port};

const PATIENCE: Duration = Duration::from_secs(40);
const PASSWORD: &str = "hünter2 %/:#";

/// What a preflight with these options has found, by the names of the checks, and that the list of the end is what was told.
pub(crate) async fn found(options: Value) -> Vec<Value> {
    let mut all = json!({ "uri": "sip:alice@example.test", "password": PASSWORD });
    for (name, value) in options.as_object().unwrap() {
        all[name] = value.clone();
    }
    let wanted = ALL.into_iter().collect();
    let checks = run(&all, wanted).await;
    let shown = serde_json::to_string(&checks).unwrap();
    assert!(
        !shown.contains("hünter2") && !shown.contains("s3cret"),
        "{shown}"
    );
    checks
}

const ALL: [CheckName; 7] = [
    CheckName::Dns,
    CheckName::Proxy,
    CheckName::Tcp,
    CheckName::Tls,
    CheckName::Websocket,
    CheckName::Registration,
    CheckName::Clock,
];

async fn run(options: &Value, wanted: BTreeSet<CheckName>) -> Vec<Value> {
    let config = Config::from_json(options).unwrap();
    let (tell, told) = mpsc::channel();
    let events = move |event: PreflightEvent| {
        let _ = tell.send(serde_json::to_value(&event).unwrap());
    };
    let preflight = Preflight::start(config, wanted, Box::new(events)).unwrap();
    let listening = tokio::task::spawn_blocking(move || {
        let mut checks = Vec::new();
        loop {
            let event = told.recv_timeout(PATIENCE).unwrap();
            match event["type"].as_str().unwrap() {
                "check" => checks.push(event["check"].clone()),
                "done" => break (event, checks),
                other => panic!("{other}"),
            }
        }
    });
    let (done, mut told) = listening.await.unwrap();
    drop(preflight);
    let list = done["checks"].as_array().unwrap().clone();
    let key = |check: &Value| check.to_string();
    let mut sorted = list.clone();
    sorted.sort_by_key(key);
    told.sort_by_key(key);
    assert_eq!(told, sorted);
    let failed = list.iter().any(|check| check["status"] == "failed");
    assert_eq!(done["ok"], !failed);
    list
}

pub(crate) fn of<'a>(checks: &'a [Value], name: &str) -> &'a Value {
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {checks:#?}"))
}

/// That this is the only thing that has failed, and that what comes after it was not tried.
pub(crate) fn fails(checks: &[Value], name: &str, code: &str) -> String {
    let failed: Vec<_> = checks
        .iter()
        .filter(|check| check["status"] == "failed")
        .map(|check| &check["code"])
        .collect();
    assert_eq!(failed, [code], "{checks:#?}");
    let check = of(checks, name);
    assert_eq!(check["code"], code);
    assert!(
        check["advice"]
            .as_str()
            .is_some_and(|advice| advice.len() > 20)
    );
    check["found"].as_str().unwrap().to_owned()
}

async fn at(url: String) -> Vec<Value> {
    found(json!({ "servers": url })).await
}

/// A server that speaks SIP: answers each REGISTER by what `registrar` makes of it, if anything.
async fn registrar(
    registrar: impl Fn(&str, usize) -> Option<String> + Clone + Send + 'static,
) -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (registrar, tell) = (registrar.clone(), tell.clone());
            tokio::spawn(async move {
                let accept = sip_accepted;
                let Ok(mut socket) = accept_hdr_async(tcp, accept).await else {
                    return;
                };
                let mut count = 0;
                while let Some(Ok(message)) = socket.next().await {
                    let Ok(text) = message.into_text() else {
                        return;
                    };
                    if text.starts_with("REGISTER") {
                        count += 1;
                        let _ = tell.send(text.to_string());
                        match registrar(&text, count) {
                            Some(answer) if answer.is_empty() => return,
                            Some(answer) => {
                                let _ = socket.send(Message::text(answer)).await;
                            }
                            None => {}
                        }
                    }
                }
            });
        }
    });
    (port, told)
}

#[allow(
    clippy::result_large_err,
    clippy::unnecessary_wraps,
    reason = "the callback's type is tungstenite's"
)]
fn sip_accepted(
    _: &Request,
    mut response: Response,
) -> Result<Response, tokio_tungstenite::tungstenite::handshake::server::ErrorResponse> {
    let headers = response.headers_mut();
    headers.insert("Sec-WebSocket-Protocol", "sip".parse().unwrap());
    Ok(response)
}

/// An answer to a request, with what it must copy of it.
fn answer(request: &str, status: &str, headers: &[&str]) -> String {
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let is_copied = |line: &&str| copied.iter().any(|name| line.starts_with(name));
    let lines = request.lines().filter(is_copied).map(|line| match line {
        to if to.starts_with("To:") => format!("{to};tag=raw"),
        line => line.to_owned(),
    });
    let lines: Vec<String> = lines.chain(headers.iter().map(|&h| h.to_owned())).collect();
    format!(
        "SIP/2.0 {status}\r\n{}\r\nContent-Length: 0\r\n\r\n",
        lines.join("\r\n")
    )
}

fn contact(request: &str) -> &str {
    let is_contact = |line: &&str| line.starts_with("Contact:");
    request.lines().find(is_contact).unwrap()
}

pub(crate) fn welcome(request: &str, headers: &[&str]) -> String {
    let mut all = vec![contact(request), "Expires: 60"];
    all.extend(headers);
    answer(request, "200 OK", &all)
}

/// A server that answers each connection with these octets, once it was asked something.
pub(crate) async fn says(octets: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = tcp.read(&mut request).await;
            let _ = tcp.write_all(octets).await;
            let _ = tcp.shutdown().await;
            let _ = tcp.read(&mut request).await;
        }
    });
    port
}

/// A port that takes connections and says nothing.
async fn silent() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held: Vec<(TcpStream, SocketAddr)> = Vec::new();
        while let Ok(one) = listener.accept().await {
            held.push(one);
        }
    });
    port
}

#[tokio::test]
async fn all_is_well_with_a_server_that_takes_the_account_and_nobody_is_left_registered() {
    let (port, told) =
        registrar(|request, _| Some(welcome(request, &["Server: example/1.0"]))).await;
    let checks = at(format!("ws://127.0.0.1:{port}/ws?token=s3cret")).await;
    let codes: Vec<_> = checks.iter().map(|c| c["code"].as_str().unwrap()).collect();
    let expected = [
        "dns-address",
        "not-given",
        "tcp-ok",
        "not-wanted",
        "websocket-ok",
        "registration-ok",
        "clock-unknown",
    ];
    assert_eq!(codes, expected);
    let registration = of(&checks, "registration");
    assert_eq!(registration["details"]["left"], true);
    assert_eq!(registration["details"]["software"], "example/1.0");
    assert_eq!(
        registration["details"]["server"],
        format!("ws://127.0.0.1:{port}/ws")
    );
    let requests: Vec<String> = told.try_iter().collect();
    let [first, .., last] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert!(
        contact(first).contains("expires=60") || first.contains("Expires: 60"),
        "{first}"
    );
    assert!(
        last.contains("expires=0") || last.contains("Expires: 0"),
        "{last}"
    );
}

#[tokio::test]
async fn the_registration_is_one_of_another_instance() {
    let (port, told) = registrar(|request, _| Some(welcome(request, &[]))).await;
    let instance = "6a3f9f0e-9c0a-4d0c-8a51-5f4c4b0f2c11";
    let servers = format!("ws://127.0.0.1:{port}/");
    found(json!({ "servers": servers, "instanceId": instance })).await;
    let first = told.recv().unwrap();
    assert!(
        first.contains("+sip.instance=") && !first.contains(instance),
        "{first}"
    );
}

#[tokio::test]
async fn a_preflight_that_is_given_up_leaves_nobody_registered() {
    let (given_up, waiting) = mpsc::channel::<()>();
    let waiting = Arc::new(Mutex::new(waiting));
    let (port, told) = registrar(move |request, _| {
        // It answers once the preflight is given up.
        let _ = waiting.lock().unwrap().recv();
        Some(welcome(request, &[]))
    })
    .await;
    let options =
        json!({ "uri": "sip:alice@example.test", "servers": format!("ws://127.0.0.1:{port}/") });
    let config = Config::from_json(&options).unwrap();
    let ignored = |_: PreflightEvent| {};
    let preflight = Preflight::start(config, ALL.into_iter().collect(), Box::new(ignored)).unwrap();
    let told = tokio::task::spawn_blocking(move || {
        told.recv_timeout(PATIENCE).unwrap();
        drop(preflight);
        drop(given_up);
        told.recv_timeout(PATIENCE).unwrap()
    });
    let last = told.await.unwrap();
    assert!(
        last.contains("expires=0") || last.contains("Expires: 0"),
        "{last}"
    );
}

#[tokio::test]
async fn a_closed_port_is_told() {
    let port = closed_port().await;
    let checks = at(format!("ws://127.0.0.1:{port}/")).await;
    fails(&checks, "tcp", "tcp-refused");
    for name in ["tls", "websocket", "registration"] {
        assert_eq!(of(&checks, name)["code"], "not-tried");
    }
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told() {
    let checks = at("ws://nowhere.invalid/".to_owned()).await;
    let code = of(&checks, "dns")["code"].as_str().unwrap().to_owned();
    // Without a network its resolver says that nobody answers.
    assert!(
        ["dns-not-found", "dns-unanswered"].contains(&&*code),
        "{code}"
    );
    assert!(fails(&checks, "dns", &code).contains("nowhere.invalid"));
    assert_eq!(of(&checks, "tcp")["code"], "not-tried");
}

#[tokio::test]
async fn what_a_certificate_is_refused_for_is_told_with_what_it_says() {
    let authority = Authority::new();
    let port = server::start(Manner::Echo, Some(authority.server("other.test", false))).await;
    let url = format!("wss://127.0.0.1:{port}/");
    let checks = at(url.clone()).await;
    let text = fails(&checks, "tls", "tls-unknown-authority");
    assert!(
        text.contains("no authority that this machine trusts"),
        "{text}"
    );
    assert_eq!(
        of(&checks, "tls")["details"]["certificate"]["names"],
        json!(["other.test"])
    );

    let trusted = json!({ "servers": url, "tls": { "ca": authority.pem() } });
    let text = fails(&found(trusted).await, "tls", "tls-wrong-name");
    assert!(text.contains("other.test"), "{text}");

    let (config, pem) = Authority::self_signed_until("127.0.0.1", 2020);
    let port = server::start(Manner::Echo, Some(config)).await;
    let url = format!("wss://127.0.0.1:{port}/");
    let checks = found(json!({ "servers": url, "tls": { "ca": pem } })).await;
    fails(&checks, "tls", "tls-expired");
    assert_eq!(
        of(&checks, "tls")["details"]["certificate"]["validTo"],
        "2020-01-01"
    );
}

#[tokio::test]
async fn a_key_that_is_not_pinned_is_told_with_the_one_that_it_is() {
    let authority = Authority::new();
    let (config, pin) = authority.server_with_pin("127.0.0.1");
    let port = server::start(Manner::Echo, Some(config)).await;
    let tls = json!({ "ca": authority.pem(), "pin": authority.pin() });
    let servers = format!("wss://127.0.0.1:{port}/");
    let checks = found(json!({ "servers": servers, "tls": tls })).await;
    fails(&checks, "tls", "tls-pin");
    assert_eq!(of(&checks, "tls")["details"]["certificate"]["pin"], pin);
}

#[tokio::test]
async fn a_certificate_that_is_trusted_or_not_looked_at_is_told_apart() {
    let authority = Authority::new();
    let port = server::start(
        Manner::Status(404),
        Some(authority.server("127.0.0.1", false)),
    )
    .await;
    let servers = format!("wss://127.0.0.1:{port}/");
    let options = json!({ "servers": servers, "tls": { "ca": authority.pem() } });
    assert_eq!(of(&found(options).await, "tls")["code"], "tls-ok");
    let options = json!({ "servers": servers, "tls": { "rejectUnauthorized": false } });
    let checks = found(options).await;
    assert_eq!(of(&checks, "tls")["code"], "tls-unchecked");
    assert_eq!(of(&checks, "tls")["status"], "warning");
}

#[tokio::test]
async fn a_port_without_tls_is_told() {
    let port = server::start(Manner::Babble, None).await;
    fails(
        &at(format!("wss://127.0.0.1:{port}/")).await,
        "tls",
        "tls-no-tls",
    );
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_of_ours_is_told() {
    let authority = Authority::new();
    let port = server::start(Manner::Echo, Some(authority.server("127.0.0.1", true))).await;
    let servers = format!("wss://127.0.0.1:{port}/");
    let checks = found(json!({ "servers": servers, "tls": { "ca": authority.pem() } })).await;
    let failed: Vec<_> = checks.iter().filter(|c| c["status"] == "failed").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["code"], "tls-client-certificate");
}

#[tokio::test]
async fn a_server_that_takes_connections_and_says_nothing_is_told_by_the_step() {
    let port = silent().await;
    let checks = at(format!("ws://127.0.0.1:{port}/")).await;
    fails(&checks, "websocket", "websocket-timeout");
    let checks = at(format!("wss://127.0.0.1:{port}/")).await;
    fails(&checks, "tls", "tls-timeout");
}

#[tokio::test]
async fn an_http_answer_instead_of_a_websocket_is_told_by_its_status() {
    for (status, code) in [
        (401, "websocket-forbidden"),
        (403, "websocket-forbidden"),
        (404, "websocket-not-found"),
        (302, "websocket-redirected"),
        (503, "websocket-unavailable"),
        (418, "websocket-refused"),
    ] {
        let port = server::start(Manner::Status(status), None).await;
        let checks = at(format!("ws://127.0.0.1:{port}/")).await;
        fails(&checks, "websocket", code);
        assert_eq!(of(&checks, "websocket")["details"]["status"], status);
    }
}

#[tokio::test]
async fn what_a_page_says_is_shown_without_the_token_that_it_repeats() {
    let page = b"HTTP/1.1 302 Found\r\nLocation: http://portal.test/in?x=s3cret\r\nServer: s3cret/1\r\nDate: Mon, 30 Nov 2020 01:40:00 GMT\r\nContent-Length: 41\r\n\r\n<p>\x1b[31mSign in</p> not /ws?token=s3cret!!";
    let port = says(page).await;
    let checks = at(format!("ws://127.0.0.1:{port}/ws?token=s3cret")).await;
    let check = of(&checks, "websocket");
    assert_eq!(check["code"], "websocket-redirected");
    assert_eq!(check["details"]["location"], "http://portal.test/in");
    let text = check["found"].as_str().unwrap();
    assert!(text.contains("Sign in") && !text.contains('\x1b'), "{text}");
    // That page has also said what time it is.
    assert_eq!(of(&checks, "clock")["code"], "clock-wrong");
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let trap = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = trap.local_addr().unwrap();
    let head =
        format!("HTTP/1.1 302 Found\r\nLocation: ws://{place}/\r\nContent-Length: 0\r\n\r\n");
    let port = says(head.leak().as_bytes()).await;
    fails(
        &at(format!("ws://127.0.0.1:{port}/")).await,
        "websocket",
        "websocket-redirected",
    );
    let reached = tokio::time::timeout(Duration::from_millis(200), trap.accept()).await;
    assert!(reached.is_err());
}

#[tokio::test]
async fn a_websocket_that_is_not_for_sip_is_told() {
    let port = server::start(Manner::NoSubprotocol, None).await;
    fails(
        &at(format!("ws://127.0.0.1:{port}/")).await,
        "websocket",
        "websocket-no-sip",
    );
}

#[tokio::test]
async fn what_speaks_no_http_is_told() {
    let port = says(b"220 mail.example.com ESMTP\r\n\r\n").await;
    fails(
        &at(format!("ws://127.0.0.1:{port}/")).await,
        "websocket",
        "websocket-nonsense",
    );
    let port = says(b"").await;
    fails(
        &at(format!("ws://127.0.0.1:{port}/")).await,
        "websocket",
        "websocket-closed",
    );
}

#[tokio::test]
async fn what_a_registrar_says_is_told() {
    for (status, code) in [
        ("403 Forbidden", "registration-forbidden"),
        ("404 Not Found", "registration-unknown"),
        ("503 Service Unavailable", "registration-unavailable"),
        ("486 Busy Here", "registration-refused"),
    ] {
        let (port, _told) =
            registrar(move |request, _| Some(answer(request, &format!("{status} s3cret"), &[])))
                .await;
        let checks = at(format!("ws://127.0.0.1:{port}/?token=s3cret")).await;
        let text = fails(&checks, "registration", code);
        assert!(text.contains(&status[..3]), "{text}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told() {
    let (port, _told) = registrar(|request, count| {
        let challenge = format!("WWW-Authenticate: Digest realm=\"example.test\", nonce=\"n{count}\", algorithm=MD5, qop=\"auth\"");
        Some(answer(request, "401 Unauthorized", &[&challenge]))
    })
    .await;
    let checks = at(format!("ws://127.0.0.1:{port}/")).await;
    fails(&checks, "registration", "registration-credentials");
}

#[tokio::test]
async fn a_registrar_that_is_silent_or_closes_is_told() {
    let (port, _told) = registrar(|_, _| None).await;
    let checks = at(format!("ws://127.0.0.1:{port}/")).await;
    fails(&checks, "registration", "registration-timeout");
    let (port, _told) = registrar(|_, _| Some(String::new())).await;
    let checks = at(format!("ws://127.0.0.1:{port}/")).await;
    fails(&checks, "registration", "registration-lost");
}

#[tokio::test]
async fn a_registrar_that_says_another_time_is_believed_about_the_clock() {
    let date = "Date: Mon, 30 Nov 2020 01:40:00 GMT";
    let (port, _told) = registrar(move |request, _| Some(welcome(request, &[date]))).await;
    let checks = at(format!("ws://127.0.0.1:{port}/")).await;
    let text = fails(&checks, "clock", "clock-wrong");
    assert!(text.contains("days ahead of"), "{text}");
}

#[tokio::test]
async fn what_is_wrong_with_a_proxy_is_told() {
    let refused = closed_port().await;
    let hanging = silent().await;
    let nonsense = says(b"220 mail.example.com ESMTP\r\n\r\n").await;
    let credentials = says(b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"s3cret\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    let forbidden = says(b"HTTP/1.1 403 s3cret\r\nContent-Length: 0\r\n\r\n").await;
    let beyond = says(b"HTTP/1.1 502 s3cret\r\nContent-Length: 0\r\n\r\n").await;
    let socks = says(&[5, 0xff]).await;
    for (proxy, code) in [
        (format!("http://127.0.0.1:{refused}"), "proxy-refused"),
        (format!("http://127.0.0.1:{hanging}"), "proxy-timeout"),
        (format!("https://127.0.0.1:{nonsense}"), "proxy-tls"),
        (format!("http://127.0.0.1:{nonsense}"), "proxy-nonsense"),
        (format!("socks5://127.0.0.1:{nonsense}"), "proxy-nonsense"),
        (
            format!("http://127.0.0.1:{credentials}"),
            "proxy-credentials",
        ),
        (
            format!("http://u:s3cret@127.0.0.1:{credentials}"),
            "proxy-credentials",
        ),
        (format!("socks5://127.0.0.1:{socks}"), "proxy-credentials"),
        (format!("http://127.0.0.1:{forbidden}"), "proxy-forbidden"),
        (
            format!("http://127.0.0.1:{beyond}"),
            "proxy-server-unreachable",
        ),
    ] {
        let options = json!({ "servers": "ws://pbx.test/ws?token=s3cret", "httpProxy": proxy });
        let checks = found(options).await;
        fails(&checks, "proxy", code);
        for name in ["tcp", "tls", "websocket", "registration"] {
            assert_eq!(of(&checks, name)["code"], "not-tried", "{proxy}");
        }
    }
}

#[tokio::test]
async fn only_what_is_wanted_is_told_and_looked_at() {
    let (port, told) = registrar(|request, _| Some(welcome(request, &[]))).await;
    let options =
        json!({ "uri": "sip:alice@example.test", "servers": format!("ws://127.0.0.1:{port}/") });
    let checks = run(&options, [CheckName::Websocket].into()).await;
    assert_eq!(checks.len(), 1);
    assert_eq!(checks[0]["code"], "websocket-ok");
    assert!(told.try_recv().is_err(), "nobody wanted a registration");
}
