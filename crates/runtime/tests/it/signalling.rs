//! Connecting, and what a user reads when it does not work.

use std::time::Duration;

use bytes::Bytes;
use phone::config::Server;
use runtime::signalling::{
    ConnectError, ConnectStep, Connection, Connector, DownReason, Incoming, TlsOptions,
};

use crate::server::{self, Authority, Manner};

const LIMIT: Duration = Duration::from_secs(10);

async fn connect(url: &str, tls: TlsOptions) -> Result<Connection, ConnectError> {
    let server = Server::parse(url).unwrap();
    Connector::new(tls, LIMIT).connect(&server, None).await
}

async fn plain(manner: Manner) -> Result<Connection, ConnectError> {
    let port = server::start(manner, None).await;
    let url = format!("ws://127.0.0.1:{port}/ws?token=hunter2");
    connect(&url, TlsOptions::default()).await
}

async fn message(connection: &mut Connection) -> Bytes {
    let next = connection.next().await;
    let Incoming::Message(message) = next else {
        panic!("{next:?}");
    };
    message
}

async fn echo(mut connection: Connection) {
    connection.send(Bytes::from_static(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"));
    assert_eq!(
        message(&mut connection).await,
        b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"[..]
    );
}

fn text(outcome: Result<Connection, ConnectError>) -> String {
    let text = outcome.map(|_| ()).unwrap_err().to_string();
    assert!(!text.contains("hunter2"), "a token is shown: {text}");
    text
}

#[tokio::test]
async fn messages_go_both_ways_and_pings_are_answered() {
    let mut connection = plain(Manner::Echo).await.unwrap();
    assert!(connection.peer().unwrap().is_loopback());
    connection.ping();
    assert!(matches!(connection.next().await, Incoming::Pong));
    connection.send(Bytes::from_static(&[0xff, 0xfe]));
    assert_eq!(message(&mut connection).await, [0xff, 0xfe][..]);
    echo(connection).await;
}

#[tokio::test]
async fn the_goodbye_is_a_handshake_after_what_was_queued() {
    let mut connection = plain(Manner::Echo).await.unwrap();
    connection.send(Bytes::from_static(b"BYE"));
    let begun = std::time::Instant::now();
    connection.close(LIMIT).await;
    assert!(begun.elapsed() < LIMIT, "the server's answer ends the wait");
}

#[tokio::test]
async fn a_closed_port_is_a_refused_connection() {
    let port = server::closed_port().await;
    let outcome = connect(&format!("ws://127.0.0.1:{port}"), TlsOptions::default()).await;
    assert!(matches!(outcome, Err(ConnectError::Refused { .. })));
}

#[tokio::test]
async fn an_unknown_host_is_named() {
    let outcome = connect("ws://no-such-host.invalid/", TlsOptions::default()).await;
    assert!(text(outcome).contains("no-such-host.invalid was not found"));
}

#[tokio::test]
async fn a_silent_server_is_given_up_in_time_and_the_step_is_named() {
    let port = server::start(Manner::Silent, None).await;
    let server = Server::parse(&format!("ws://127.0.0.1:{port}")).unwrap();
    let limit = Duration::from_millis(50);
    let outcome = Connector::new(TlsOptions::default(), limit)
        .connect(&server, None)
        .await;
    assert!(matches!(
        outcome,
        Err(ConnectError::TimedOut {
            step: ConnectStep::Upgrade,
            ..
        })
    ));
}

#[tokio::test]
async fn an_http_status_instead_of_a_websocket_is_named() {
    let outcome = plain(Manner::Status(404)).await;
    let text = text(outcome);
    assert!(text.contains("HTTP 404") && text.contains("path"), "{text}");
}

#[tokio::test]
async fn a_websocket_that_is_not_for_sip_is_refused() {
    let outcome = plain(Manner::NoSubprotocol).await;
    assert!(matches!(
        outcome,
        Err(ConnectError::NoSipSubprotocol { .. })
    ));
}

#[tokio::test]
async fn a_server_that_speaks_no_http_is_named() {
    let text = text(plain(Manner::Babble).await);
    assert!(text.contains("does not speak WebSocket"), "{text}");
}

#[tokio::test]
async fn a_lost_connection_is_told_once_with_its_reason() {
    let mut connection = plain(Manner::HangUp).await.unwrap();
    assert!(matches!(
        connection.next().await,
        Incoming::Down(DownReason::Lost(_))
    ));
    let mut connection = plain(Manner::GoAway).await.unwrap();
    let next = connection.next().await;
    let Incoming::Down(DownReason::Closed(Some((1001, reason)))) = next else {
        panic!("{next:?}");
    };
    assert_eq!(reason, "restarting");
}

#[tokio::test]
async fn a_message_without_measure_ends_the_connection() {
    let mut connection = plain(Manner::Flood).await.unwrap();
    assert!(matches!(
        connection.next().await,
        Incoming::Down(DownReason::Protocol(_))
    ));
}

/// How often the task is given back before the next message is there.
async fn turns_until_a_message(mut connection: Connection) -> usize {
    let mut turns = 0;
    let mut next = std::pin::pin!(message(&mut connection));
    let message = std::future::poll_fn(|cx| {
        turns += 1;
        next.as_mut().poll(cx)
    })
    .await;
    assert_eq!(message, b"after all"[..]);
    turns
}

#[tokio::test]
async fn control_frames_without_end_leave_the_task_its_turns() {
    let turns = turns_until_a_message(plain(Manner::Pings).await.unwrap()).await;
    assert!(turns > 10_000 / 64, "{turns}");
}

#[tokio::test]
async fn frames_without_content_leave_the_task_its_turns() {
    let turns = turns_until_a_message(plain(Manner::EmptyFrames).await.unwrap()).await;
    assert!(turns > 2_000_000 / (64 * 1024), "{turns}");
}

#[tokio::test]
async fn a_server_that_asks_without_listening_has_to_wait_and_is_not_cut_off() {
    let mut connection = plain(Manner::Deaf).await.unwrap();
    loop {
        match tokio::time::timeout(Duration::from_secs(1), connection.next()).await {
            Ok(Incoming::Message(_)) => connection.send(Bytes::from(vec![b'y'; 10_000])),
            Ok(other) => panic!("{other:?}"),
            Err(_nothing_is_read_any_more) => break,
        }
    }
}

#[tokio::test]
async fn our_own_authority_is_trusted_beside_the_systems() {
    let authority = Authority::new();
    let port = server::start(Manner::Echo, Some(authority.server("localhost", false))).await;
    let tls = TlsOptions {
        ca: vec![authority.pem()],
        ..TlsOptions::default()
    };
    let url = format!("wss://localhost:{port}/");
    echo(connect(&url, tls).await.unwrap()).await;
}

#[tokio::test]
async fn a_servers_own_self_signed_certificate_can_be_trusted_by_name() {
    let (config, pem) = Authority::self_signed("localhost");
    let port = server::start(Manner::Echo, Some(config)).await;
    let tls = TlsOptions {
        ca: vec![pem],
        ..TlsOptions::default()
    };
    let url = format!("wss://localhost:{port}/");
    echo(connect(&url, tls.clone()).await.unwrap()).await;
    let elsewhere = TlsOptions {
        servername: Some("pbx.test".to_owned()),
        ..tls
    };
    let refused = text(connect(&url, elsewhere).await);
    assert!(refused.contains("tls.servername"), "{refused}");
}

#[tokio::test]
async fn a_servers_own_certificate_is_refused_when_it_has_expired() {
    let (config, pem) = Authority::self_signed_until("localhost", 2020);
    let port = server::start(Manner::Echo, Some(config)).await;
    let tls = TlsOptions {
        ca: vec![pem],
        ..TlsOptions::default()
    };
    let refused = text(connect(&format!("wss://localhost:{port}/"), tls).await);
    assert!(refused.contains("it has expired"), "{refused}");
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused_with_what_to_do() {
    let authority = Authority::new();
    let port = server::start(Manner::Echo, Some(authority.server("localhost", false))).await;
    let url = format!("wss://localhost:{port}/?token=hunter2");
    let text = text(connect(&url, TlsOptions::default()).await);
    assert!(
        text.contains("localhost is not trusted") && text.contains("tls.ca"),
        "{text}"
    );
    let tls = TlsOptions {
        reject_unauthorized: false,
        ..TlsOptions::default()
    };
    echo(connect(&url, tls).await.unwrap()).await;
}

#[tokio::test]
async fn a_certificate_for_another_name_needs_servername() {
    let authority = Authority::new();
    let port = server::start(Manner::Echo, Some(authority.server("pbx.test", false))).await;
    let url = format!("wss://localhost:{port}/");
    let tls = TlsOptions {
        ca: vec![authority.pem()],
        ..TlsOptions::default()
    };
    let refused = text(connect(&url, tls.clone()).await);
    assert!(refused.contains("tls.servername"), "{refused}");
    let tls = TlsOptions {
        servername: Some("pbx.test".to_owned()),
        ..tls
    };
    echo(connect(&url, tls).await.unwrap()).await;
}

/// Whether a server whose certificate has these names is `localhost`, over SIP and over a WebSocket, and what is said if not.
async fn is_localhost(names: &[&str]) -> [Result<(), String>; 2] {
    let authority = Authority::new();
    let tls = TlsOptions {
        ca: vec![authority.pem()],
        ..TlsOptions::default()
    };
    let port = server::start(Manner::Echo, Some(authority.server_named(names))).await;
    let judged = async |url: String| {
        let outcome = connect(&url, tls.clone()).await;
        outcome.map(|_| ()).map_err(|error| error.to_string())
    };
    [
        judged(format!("sips:localhost:{port}")).await,
        judged(format!("wss://localhost:{port}/")).await,
    ]
}

#[tokio::test]
async fn over_tls_a_certificate_names_its_sip_domain_by_a_uri_before_dns_names() {
    for (names, of_sip, of_the_web) in [
        (&["localhost"][..], true, true),
        (&["sip:localhost"], true, false),
        (&["SIP:LocalHost;lr", "other.test"], true, false),
        (&["sip:other.test", "sip:localhost:5061"], true, false),
        // Whoever has a domain by URI has no other by DNS name.
        (&["sip:other.test", "localhost"], false, true),
        // Neither of these names a domain.
        (&["sip:alice@other.test", "localhost"], true, true),
        (&["https://other.test/", "localhost"], true, true),
        (&["sips:localhost"], false, false),
        (&["sip:alice@localhost"], false, false),
        (&["sip:localhost.other.test"], false, false),
        (&["other.test"], false, false),
    ] {
        let [sip, web] = is_localhost(names).await;
        assert_eq!(sip.is_ok(), of_sip, "{names:?} {sip:?}");
        assert_eq!(web.is_ok(), of_the_web, "{names:?} {web:?}");
        if let Err(why) = sip {
            let has_a_name = !why.contains("issued for no domain");
            assert_eq!(has_a_name, why.contains("tls.servername"), "{why}");
            assert!(
                has_a_name || why.contains("needs a certificate with that name"),
                "{why}"
            );
        }
    }
}

#[tokio::test]
async fn a_wildcard_names_a_web_server_and_no_sip_domain() {
    let authority = Authority::new();
    let tls = TlsOptions {
        ca: vec![authority.pem()],
        servername: Some("pbx.example.com".to_owned()),
        ..TlsOptions::default()
    };
    let config = authority.server_named(&["*.example.com"]);
    let port = server::start(Manner::Echo, Some(config)).await;
    let refused = text(connect(&format!("sips:localhost:{port}"), tls.clone()).await);
    assert!(
        refused.contains("*.example.com") && refused.contains("wildcard"),
        "{refused}"
    );
    // No name of it would do.
    assert!(
        refused.contains("wss:") && !refused.contains("servername"),
        "{refused}"
    );
    echo(
        connect(&format!("wss://localhost:{port}/"), tls)
            .await
            .unwrap(),
    )
    .await;
}

#[tokio::test]
async fn a_uri_in_a_certificate_proves_nothing_without_an_authority() {
    let config = Authority::new().server_named(&["sip:localhost"]);
    let port = server::start(Manner::Echo, Some(config)).await;
    for ca in [Vec::new(), vec![Authority::new().pem()]] {
        let tls = TlsOptions {
            ca,
            ..TlsOptions::default()
        };
        let refused = text(connect(&format!("sips:localhost:{port}"), tls).await);
        // Of its name nothing is said.
        assert!(
            refused.contains("is not trusted") && !refused.contains("domain"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_the_server_wants_one() {
    let authority = Authority::new();
    let port = server::start(Manner::Echo, Some(authority.server("localhost", true))).await;
    let url = format!("wss://localhost:{port}/");
    let without = TlsOptions {
        ca: vec![authority.pem()],
        ..TlsOptions::default()
    };
    let refused = connect(&url, without.clone()).await;
    assert!(
        matches!(refused, Err(ConnectError::ClientCertificate { .. })),
        "{refused:?}"
    );
    let identity = authority.issue("alice");
    let with = TlsOptions {
        cert: Some(identity.cert),
        key: Some(identity.key),
        ..without
    };
    echo(connect(&url, with).await.unwrap()).await;
}

/// The pin that an error shows of the key it has seen.
fn shown_pin(text: &str) -> String {
    let (_, rest) = text.split_once("it is ").unwrap();
    rest.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_pinned_beside_the_chain_and_without_it() {
    let authority = Authority::new();
    let (config, pin) = authority.server_with_pin("localhost");
    let port = server::start(Manner::Echo, Some(config)).await;
    let url = format!("wss://localhost:{port}/");
    let tls = |ca: bool, pins: &[&str], reject_unauthorized| TlsOptions {
        ca: ca.then(|| authority.pem()).into_iter().collect(),
        pins: pins.iter().map(|pin| (*pin).to_owned()).collect(),
        reject_unauthorized,
        ..TlsOptions::default()
    };
    let other = "d6qzRu9zOECb90Uez27xWltNsj0e1Md7GkYYkVoZWmM=";
    echo(
        connect(&url, tls(true, &[other, &pin], true))
            .await
            .unwrap(),
    )
    .await;
    let wrong = text(connect(&url, tls(true, &[other], true)).await);
    assert!(wrong.contains("its key is none of tls.pin"), "{wrong}");
    assert_eq!(shown_pin(&wrong), pin);
    // The right key does not replace the chain,
    let untrusted = text(connect(&url, tls(false, &[&pin], true)).await);
    assert!(untrusted.contains("no authority"), "{untrusted}");
    // unless the application says so; and then the pin counts still.
    echo(connect(&url, tls(false, &[&pin], false)).await.unwrap()).await;
    let wrong = text(connect(&url, tls(false, &[other], false)).await);
    assert!(wrong.contains("its key is none of tls.pin"), "{wrong}");
}

#[tokio::test]
async fn the_pin_of_an_authority_that_is_only_sent_along_counts_for_nothing() {
    let (pinned, stranger) = (Authority::new(), Authority::new());
    let (config, _) = stranger.server_sending_along("localhost", &pinned);
    let port = server::start(Manner::Echo, Some(config)).await;
    let tls = TlsOptions {
        ca: vec![stranger.pem()],
        pins: vec![pinned.pin()],
        ..TlsOptions::default()
    };
    let text = text(connect(&format!("wss://localhost:{port}/"), tls).await);
    assert!(text.contains("its key is none of tls.pin"), "{text}");
}

#[tokio::test]
async fn wss_to_a_plain_server_says_so() {
    let port = server::start(Manner::Babble, None).await;
    let text = text(connect(&format!("wss://127.0.0.1:{port}"), TlsOptions::default()).await);
    assert!(text.contains("does not speak TLS"), "{text}");
}

#[tokio::test]
async fn unusable_pem_names_its_option() {
    let authority = Authority::new();
    let port = server::start(Manner::Echo, Some(authority.server("localhost", false))).await;
    let url = format!("wss://localhost:{port}/");
    for (tls, option) in [
        (
            TlsOptions {
                ca: vec!["nonsense".to_owned()],
                ..TlsOptions::default()
            },
            "tls.ca",
        ),
        (
            TlsOptions {
                cert: Some(authority.pem()),
                ..TlsOptions::default()
            },
            "tls.key",
        ),
        (
            TlsOptions {
                cert: Some(authority.pem()),
                key: Some("nonsense".to_owned()),
                ..TlsOptions::default()
            },
            "tls.key",
        ),
    ] {
        let text = text(connect(&url, tls).await);
        assert!(text.contains(option), "{text}");
    }
}
