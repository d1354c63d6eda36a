//! Through proxies, and what a user reads when they do not let through.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use phone::ErrorCode;
use phone::config::Server;
use runtime::signalling::{ConnectError, ConnectStep, Connection, Connector, Incoming, TlsOptions};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tunnel::{Proxy, TunnelFault};

use crate::server::{self, Authority, Manner};

const LIMIT: Duration = Duration::from_secs(10);
const LOGIN: &str = "alice:hunter2";
/// alice:hunter2
const BASIC: &str = "Proxy-Authorization: Basic YWxpY2U6aHVudGVyMg==\r\n";
const OPEN: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

/// How a proxy behaves. All of them know the host `pbx.test`, which nobody else does: it is this machine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doorman {
    /// Lets everybody through.
    Open,
    /// Wants Basic, and closes after saying so.
    Basic,
    /// Wants a digest of the first that comes, takes any, and wants Basic of the second.
    Changing,
    /// Answers with a status.
    Status(u16),
    /// Says nothing.
    Silent,
    /// Says one octet every 10 ms, without end.
    Slow,
    /// Is no proxy.
    Babble,
    /// SOCKS5 with a user name and a password.
    Socks,
}

async fn start(doorman: Doorman, tls: Option<Arc<ServerConfig>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let digests = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let (tls, digests) = (tls.clone(), Arc::clone(&digests));
            tokio::spawn(async move {
                match tls {
                    None => serve(doorman, tcp, &digests).await,
                    Some(config) => {
                        if let Ok(stream) = TlsAcceptor::from(config).accept(tcp).await {
                            serve(doorman, stream, &digests).await;
                        }
                    }
                }
            });
        }
    });
    port
}

async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(octet) => head.push(octet),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(head).unwrap()
}

async fn lead<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, port: u16, answer: &[u8]) {
    let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(answer).await.unwrap();
    let _ = copy_bidirectional(&mut stream, &mut server).await;
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    doorman: Doorman,
    mut stream: S,
    digests: &AtomicUsize,
) {
    match doorman {
        Doorman::Socks => return socks(stream).await,
        Doorman::Silent => {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            return;
        }
        Doorman::Babble => {
            let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n").await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            return;
        }
        Doorman::Slow => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
            while stream.write_all(b"y").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            return;
        }
        Doorman::Open | Doorman::Basic | Doorman::Changing | Doorman::Status(_) => {}
    }
    loop {
        let request = head(&mut stream).await;
        let Some(rest) = request.strip_prefix("CONNECT pbx.test:") else {
            return;
        };
        let port = rest.split(' ').next().unwrap().parse().unwrap();
        let refusal = match doorman {
            Doorman::Basic if !request.contains(BASIC) => {
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nConnection: close\r\n\r\nblocked".to_owned()
            }
            Doorman::Changing if digests.load(Ordering::SeqCst) > 0 => {
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n".to_owned()
            }
            Doorman::Changing if !request.contains("Proxy-Authorization: Digest ") => {
                "HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"x\", nonce=\"1\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n".to_owned()
            }
            Doorman::Status(code) => format!("HTTP/1.1 {code} No\r\nContent-Length: 0\r\n\r\n"),
            Doorman::Open | Doorman::Basic | Doorman::Changing => {
                digests.fetch_add(1, Ordering::SeqCst);
                return lead(stream, port, OPEN.as_bytes()).await;
            }
            Doorman::Silent | Doorman::Slow | Doorman::Babble | Doorman::Socks => return,
        };
        let _ = stream.write_all(refusal.as_bytes()).await;
        if refusal.contains("Connection: close") {
            return;
        }
    }
}

/// RFC 1928, RFC 1929: what it wants is asserted octet by octet.
async fn socks<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).await.unwrap();
    assert_eq!(greeting, [5, 2, 0, 2]);
    stream.write_all(&[5, 2]).await.unwrap();
    let mut login = [0; 15];
    stream.read_exact(&mut login).await.unwrap();
    assert_eq!(&login[..], b"\x01\x05alice\x07hunter2");
    stream.write_all(&[1, 0]).await.unwrap();
    let mut request = [0; 15];
    stream.read_exact(&mut request).await.unwrap();
    assert_eq!(&request[..13], b"\x05\x01\0\x03\x08pbx.test");
    let port = u16::from_be_bytes([request[13], request[14]]);
    lead(stream, port, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 0]).await;
}

async fn through(
    proxy: &str,
    url: &str,
    tls: TlsOptions,
    limit: Duration,
) -> Result<Connection, ConnectError> {
    let proxy: Proxy = proxy.parse().unwrap();
    let server = Server::parse(url).unwrap();
    Connector::new(tls, limit)
        .connect(&server, Some(&proxy))
        .await
}

/// A connection to a server that echoes, through such a proxy.
async fn opened(doorman: Doorman, scheme: &str) -> Result<Connection, ConnectError> {
    let port = server::start(Manner::Echo, None).await;
    let proxy = start(doorman, None).await;
    let url = format!("ws://pbx.test:{port}/ws?token=hunter2");
    let proxy = format!("{scheme}://{LOGIN}@127.0.0.1:{proxy}");
    through(&proxy, &url, TlsOptions::default(), LIMIT).await
}

async fn echo(mut connection: Connection) {
    connection.send(Bytes::from_static(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"));
    let next = connection.next().await;
    assert!(
        matches!(&next, Incoming::Message(text) if text.starts_with(b"OPTIONS")),
        "{next:?}"
    );
}

/// The error's code and text, in which no secret is.
fn failure(outcome: Result<Connection, ConnectError>) -> (ErrorCode, String) {
    let error = outcome.map(|_| ()).unwrap_err();
    let text = error.to_string();
    let shown = format!("{text} {error:?}");
    assert!(
        !shown.contains("hunter2") && !shown.contains("alice"),
        "a secret is shown: {shown}"
    );
    (error.code(), text)
}

#[tokio::test]
async fn a_websocket_goes_through_a_proxy_that_resolves_the_servers_name() {
    echo(opened(Doorman::Open, "http").await.unwrap()).await;
    echo(opened(Doorman::Basic, "http").await.unwrap()).await;
    echo(opened(Doorman::Changing, "http").await.unwrap()).await;
    echo(opened(Doorman::Socks, "socks5").await.unwrap()).await;
}

#[tokio::test]
async fn tls_in_the_tunnel_is_checked_against_the_servers_name() {
    let authority = Authority::new();
    let tls = || TlsOptions {
        ca: vec![authority.pem()],
        ..TlsOptions::default()
    };
    let proxy = start(Doorman::Open, None).await;
    let proxy = format!("http://127.0.0.1:{proxy}");
    let right = server::start(Manner::Echo, Some(authority.server("pbx.test", false))).await;
    let url = format!("wss://pbx.test:{right}");
    echo(through(&proxy, &url, tls(), LIMIT).await.unwrap()).await;
    let wrong = server::start(Manner::Echo, Some(authority.server("127.0.0.1", false))).await;
    let url = format!("wss://pbx.test:{wrong}");
    let (code, text) = failure(through(&proxy, &url, tls(), LIMIT).await);
    assert_eq!(code, ErrorCode::ConnectionFailed);
    assert!(
        text.contains("the certificate of pbx.test is not trusted"),
        "{text}"
    );
}

#[tokio::test]
async fn tls_to_the_proxy_is_checked_before_anything_is_said() {
    let authority = Authority::new();
    let trusting = TlsOptions {
        ca: vec![authority.pem()],
        // What is said of the server says nothing of the proxy.
        servername: Some("pbx.test".to_owned()),
        ..TlsOptions::default()
    };
    let server = server::start(Manner::Echo, Some(authority.server("pbx.test", false))).await;
    let url = format!("wss://pbx.test:{server}");
    let right = start(Doorman::Basic, Some(authority.server("localhost", false))).await;
    let proxy = format!("https://{LOGIN}@localhost:{right}");
    echo(
        through(&proxy, &url, trusting.clone(), LIMIT)
            .await
            .unwrap(),
    )
    .await;

    let careless = TlsOptions {
        reject_unauthorized: false,
        ..TlsOptions::default()
    };
    let other = start(Doorman::Basic, Some(authority.server("elsewhere", false))).await;
    for (port, tls, hint) in [
        (right, careless, "no authority that this machine trusts"),
        (other, trusting, "issued for another name"),
    ] {
        let proxy = format!("https://{LOGIN}@localhost:{port}");
        let (code, text) = failure(through(&proxy, &url, tls, LIMIT).await);
        assert_eq!(code, ErrorCode::ProxyFailed);
        let expected = format!("TLS with the proxy https://localhost:{port} failed");
        assert!(text.starts_with(&expected) && text.contains(hint), "{text}");
    }
    let plain = start(Doorman::Babble, None).await;
    let proxy = format!("https://127.0.0.1:{plain}");
    let (_, text) = failure(through(&proxy, &url, TlsOptions::default(), LIMIT).await);
    assert!(
        text.contains("is it http:// instead of https://?"),
        "{text}"
    );
}

#[tokio::test]
async fn what_a_proxy_refuses_is_told_with_its_name_and_a_code() {
    for (doorman, code, hint) in [
        (
            Doorman::Status(403),
            ErrorCode::ProxyFailed,
            "has to allow that host and port",
        ),
        (
            Doorman::Status(302),
            ErrorCode::ProxyFailed,
            "redirects, which is not followed",
        ),
        (
            Doorman::Status(502),
            ErrorCode::ConnectionFailed,
            "could not reach the server",
        ),
        (
            Doorman::Babble,
            ErrorCode::ProxyFailed,
            "does not speak HTTP",
        ),
    ] {
        let (found, text) = failure(opened(doorman, "http").await);
        assert_eq!(found, code, "{text}");
        assert!(
            text.starts_with("the proxy http://127.0.0.1:") && text.contains(hint),
            "{text}"
        );
    }
    let (code, text) = failure(opened(Doorman::Babble, "socks5").await);
    assert_eq!(code, ErrorCode::ProxyFailed);
    assert!(text.contains("does not speak SOCKS5"), "{text}");
}

#[tokio::test]
async fn credentials_that_a_proxy_misses_or_refuses_have_a_code_of_their_own() {
    let port = start(Doorman::Basic, None).await;
    for (login, hint) in [
        ("", "give them in its URL"),
        ("alice:wrong@", "is the user's name or the password wrong?"),
    ] {
        let proxy = format!("http://{login}127.0.0.1:{port}");
        let url = "ws://pbx.test:1/";
        let (code, text) = failure(through(&proxy, url, TlsOptions::default(), LIMIT).await);
        assert_eq!(code, ErrorCode::ProxyAuthentication, "{text}");
        assert!(text.contains(hint), "{text}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_apart_from_the_server() {
    let port = server::closed_port().await;
    for (proxy, hint) in [
        (
            format!("http://{LOGIN}@127.0.0.1:{port}"),
            "refused the connection",
        ),
        (
            format!("socks5://{LOGIN}@no-such-proxy.invalid"),
            "was not found",
        ),
    ] {
        let tls = TlsOptions::default();
        let (code, text) = failure(through(&proxy, "ws://pbx.test/", tls, LIMIT).await);
        assert_eq!(code, ErrorCode::ProxyFailed);
        assert!(
            text.starts_with("the proxy ") && text.contains(hint),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_hangs_or_drips_is_given_up_in_time() {
    for doorman in [Doorman::Silent, Doorman::Slow] {
        let port = start(doorman, None).await;
        let proxy = format!("http://127.0.0.1:{port}");
        let limit = Duration::from_millis(100);
        let outcome = through(&proxy, "ws://pbx.test/", TlsOptions::default(), limit).await;
        let Err(ConnectError::ProxyTimedOut { step, .. }) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(step, ConnectStep::Tunnel);
    }
}

#[tokio::test]
async fn a_proxy_that_has_asked_for_a_digest_gets_no_password_later() {
    let port = server::start(Manner::Echo, None).await;
    let proxy = start(Doorman::Changing, None).await;
    let proxy: Proxy = format!("http://{LOGIN}@127.0.0.1:{proxy}").parse().unwrap();
    let server = Server::parse(&format!("ws://pbx.test:{port}")).unwrap();
    let connector = Connector::new(TlsOptions::default(), LIMIT);
    echo(connector.connect(&server, Some(&proxy)).await.unwrap()).await;
    let again = connector.connect(&server, Some(&proxy)).await;
    assert!(matches!(
        again,
        Err(ConnectError::Tunnel {
            fault: TunnelFault::Weaker,
            ..
        })
    ));
}

/// What becomes of an attempt after the proxy was given a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    BadGateway,
    Closed,
    /// Nobody waits for it any longer, as when the time is over.
    GivenUp,
}

/// Wants a digest, and answers it so.
async fn want_digest(listener: &TcpListener, end: End) {
    let (mut stream, _) = listener.accept().await.unwrap();
    head(&mut stream).await;
    let digest = b"HTTP/1.1 407 No\r\nProxy-Authenticate: Digest realm=\"x\", nonce=\"1\"\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(digest).await.unwrap();
    let answer = head(&mut stream).await;
    assert!(
        answer.contains("Proxy-Authorization: Digest "),
        "{answer:?}"
    );
    match end {
        End::BadGateway => {
            let failure = b"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n";
            stream.write_all(failure).await.unwrap();
        }
        End::Closed => {
            drop(stream);
            // A connection that had served before may have been closed for its age: the same is said once more.
            let (mut another, _) = listener.accept().await.unwrap();
            head(&mut another).await;
        }
        End::GivenUp => {}
    }
}

/// Wants the password, and gives what it is told.
async fn want_password(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    head(&mut stream).await;
    let basic =
        b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(basic).await.unwrap();
    head(&mut stream).await
}

#[tokio::test]
async fn a_proxy_that_failed_after_it_had_asked_for_a_digest_gets_no_password_later() {
    for end in [End::BadGateway, End::Closed, End::GivenUp] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy: Proxy = format!("http://{LOGIN}@127.0.0.1:{port}").parse().unwrap();
        let server = Server::parse("ws://pbx.test/").unwrap();
        let connector = Connector::new(TlsOptions::default(), LIMIT);
        let first = connector.connect(&server, Some(&proxy));
        if end == End::GivenUp {
            tokio::select! {
                outcome = first => panic!("{outcome:?}"),
                () = want_digest(&listener, end) => {}
            }
        } else {
            let (outcome, ()) = tokio::join!(first, want_digest(&listener, end));
            outcome.unwrap_err();
        }
        let again = connector.connect(&server, Some(&proxy));
        let (outcome, told) = tokio::join!(again, want_password(&listener));
        assert_eq!(told, "", "{end:?}");
        assert!(matches!(
            outcome,
            Err(ConnectError::Tunnel {
                fault: TunnelFault::Weaker,
                ..
            })
        ));
    }
}

#[tokio::test]
async fn the_server_behind_a_proxy_sees_nothing_of_its_credentials() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = listener.local_addr().unwrap().port();
    let proxy = start(Doorman::Basic, None).await;
    let proxy = format!("http://{LOGIN}@127.0.0.1:{proxy}");
    let url = format!("ws://pbx.test:{server}/");
    let connecting = tokio::spawn(async move {
        let _ = through(&proxy, &url, TlsOptions::default(), LIMIT).await;
    });
    let (mut stream, _) = listener.accept().await.unwrap();
    let request = head(&mut stream).await;
    assert!(request.starts_with("GET / HTTP/1.1\r\n"), "{request}");
    let lower = request.to_ascii_lowercase();
    assert!(!lower.contains("authorization"), "{request}");
    connecting.abort();
}
