//! A preflight over TCP and TLS without WebSocket, and ways that lead nowhere.

use serde_json::{Value, json};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::preflight::{fails, found, of, says, welcome};
use crate::server::Authority;

/// Takes everybody who registers, on a stream.
async fn registrar(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let (mut text, mut octets) = (String::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut octets).await {
        text += std::str::from_utf8(&octets[..length]).unwrap();
        while let Some(end) = text.find("\r\n\r\n") {
            let request: String = text.drain(..end + 4).collect();
            if request.starts_with("REGISTER") {
                let answer = welcome(&request, &[]);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        }
    }
}

async fn server(tls: Option<Arc<ServerConfig>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move {
                match tls {
                    None => registrar(tcp).await,
                    Some(tls) => {
                        if let Ok(stream) = TlsAcceptor::from(tls).accept(tcp).await {
                            registrar(stream).await;
                        }
                    }
                }
            });
        }
    });
    port
}

fn codes(checks: &[Value]) -> Vec<&str> {
    checks
        .iter()
        .map(|check| check["code"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn sip_over_tcp_and_tls_is_looked_at_as_far_as_the_registration() {
    let port = server(None).await;
    let servers = format!("sip:127.0.0.1:{port};transport=tcp");
    let checks = found(json!({ "servers": servers })).await;
    let expected = |tls| {
        [
            "dns-address",
            "not-given",
            "tcp-ok",
            tls,
            "not-wanted",
            "registration-ok",
            "clock-unknown",
        ]
    };
    assert_eq!(codes(&checks), expected("not-wanted"));

    let authority = Authority::new();
    let port = server(Some(authority.server("127.0.0.1", false))).await;
    let servers = format!("sips:127.0.0.1:{port}");
    let options = json!({ "servers": servers, "tls": { "ca": authority.pem() } });
    assert_eq!(codes(&found(options).await), expected("tls-ok"));
    let checks = found(json!({ "servers": servers })).await;
    fails(&checks, "tls", "tls-unknown-authority");
    assert_eq!(of(&checks, "registration")["code"], "not-tried");
}

#[tokio::test]
async fn a_handshake_that_the_server_refuses_is_told() {
    // A fatal alert: handshake_failure (RFC 8446 §6).
    let port = says(&[21, 3, 3, 0, 2, 2, 40]).await;
    let checks = found(json!({ "servers": format!("wss://127.0.0.1:{port}/") })).await;
    fails(&checks, "tls", "tls-failed");
}

#[tokio::test]
async fn a_proxy_that_nobody_knows_is_told() {
    let proxy = "http://nowhere.invalid:3128";
    let options = json!({ "servers": "ws://pbx.test/ws", "httpProxy": proxy });
    fails(&found(options).await, "proxy", "proxy-not-found");
}

/// Linux has no route for a stream to everybody.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_no_route_leads_to_is_told() {
    let nowhere = "255.255.255.255";
    let checks = found(json!({ "servers": format!("ws://{nowhere}/") })).await;
    fails(&checks, "tcp", "tcp-unreachable");
    let proxy = format!("http://{nowhere}:3128");
    let options = json!({ "servers": "ws://pbx.test/ws", "httpProxy": proxy });
    fails(&found(options).await, "proxy", "proxy-unreachable");
}
