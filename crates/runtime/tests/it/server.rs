//! A WebSocket server of our own: plain or TLS, in all the ways a server can be or misbehave.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PublicKeyData, SanType};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

/// How the server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Accepts `sip` and echoes messages.
    Echo,
    /// Opens a WebSocket without a subprotocol.
    NoSubprotocol,
    /// Answers with an HTTP status.
    Status(u16),
    /// Accepts TCP and says nothing.
    Silent,
    /// Answers with something that is no HTTP.
    Babble,
    /// Accepts `sip`, then drops the connection without a goodbye.
    HangUp,
    /// Accepts `sip`, then closes with 1001 and a reason.
    GoAway,
    /// Accepts `sip`, then sends one message of 1 MiB.
    Flood,
    /// Accepts `sip`, then sends 10,000 pings and one message.
    Pings,
    /// Accepts `sip`, then sends one message in a million frames, nearly all of them empty.
    EmptyFrames,
    /// Accepts `sip`, then sends messages without end and reads nothing.
    Deaf,
}

/// Starts a server on a free loopback port, for as long as the test's runtime lives.
pub(crate) async fn start(manner: Manner, tls: Option<Arc<ServerConfig>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let tls = tls.clone();
            tokio::spawn(async move {
                match tls {
                    None => serve(manner, tcp).await,
                    Some(config) => {
                        if let Ok(stream) = TlsAcceptor::from(config).accept(tcp).await {
                            serve(manner, stream).await;
                        }
                    }
                }
            });
        }
    });
    port
}

/// A port on which nothing listens.
pub(crate) async fn closed_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(manner: Manner, mut stream: S) {
    match manner {
        Manner::Status(code) => {
            let mut request = [0; 2048];
            let _ = stream.read(&mut request).await;
            let answer = format!("HTTP/1.1 {code} No\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Manner::Silent => {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
        Manner::Babble => {
            let _ = stream
                .write_all(b"220 mail.example.com ESMTP\r\n\r\n")
                .await;
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        }
        Manner::Echo
        | Manner::NoSubprotocol
        | Manner::HangUp
        | Manner::GoAway
        | Manner::Flood
        | Manner::Pings
        | Manner::EmptyFrames
        | Manner::Deaf => {
            speak(manner, stream).await;
        }
    }
}

#[allow(
    clippy::result_large_err,
    reason = "the callback's type is tungstenite's"
)]
async fn speak<S: AsyncRead + AsyncWrite + Unpin>(manner: Manner, stream: S) {
    let accept = |request: &Request, mut response: Response| {
        let asked = request.headers().get("Sec-WebSocket-Protocol");
        assert_eq!(asked.map(|value| value.as_bytes()), Some(&b"sip"[..]));
        if manner != Manner::NoSubprotocol {
            let sip = "sip".parse().unwrap();
            response.headers_mut().insert("Sec-WebSocket-Protocol", sip);
        }
        Ok(response)
    };
    let Ok(mut socket) = accept_hdr_async(stream, accept).await else {
        return;
    };
    match manner {
        Manner::HangUp => {}
        Manner::Pings => {
            let pings = [0x89, 0].repeat(10_000);
            let _ = socket.get_mut().write_all(&pings).await;
            let _ = socket.send(Message::text("after all")).await;
            while let Some(Ok(_)) = socket.next().await {}
        }
        Manner::EmptyFrames => {
            let stream = socket.get_mut();
            let _ = stream.write_all(&[0x01, 0]).await;
            let empty = [0x00, 0].repeat(1_000_000);
            let _ = stream.write_all(&empty).await;
            let _ = stream.write_all(b"\x80\x09after all").await;
            while let Some(Ok(_)) = socket.next().await {}
        }
        Manner::Deaf => {
            let request = [0x81, 1, b'x'];
            while socket.get_mut().write_all(&request).await.is_ok() {}
        }
        Manner::GoAway => {
            use tokio_tungstenite::tungstenite::protocol::CloseFrame;
            let frame = CloseFrame {
                code: 1001.into(),
                reason: "restarting".into(),
            };
            let _ = socket.close(Some(frame)).await;
            while let Some(Ok(_)) = socket.next().await {}
        }
        Manner::Flood => {
            let _ = socket.send(Message::Text("x".repeat(1 << 20).into())).await;
            while let Some(Ok(_)) = socket.next().await {}
        }
        Manner::Echo | Manner::NoSubprotocol => {
            while let Some(Ok(message)) = socket.next().await {
                if message.is_text() || message.is_binary() {
                    let _ = socket.send(message).await;
                }
            }
        }
        Manner::Status(_) | Manner::Silent | Manner::Babble => {}
    }
}

/// RFC 7469 §2.4.
fn pin_of(key: &KeyPair) -> String {
    STANDARD.encode(Sha256::digest(key.subject_public_key_info()))
}

fn serving(certificate: &rcgen::Certificate, key: &KeyPair) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

/// An authority of our own, which no machine trusts.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

/// A certificate and its key.
pub(crate) struct Identity {
    pub(crate) cert: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Authority {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A server whose self-signed certificate for `name` is marked as an authority's, and its PEM.
    pub(crate) fn self_signed(name: &str) -> (Arc<ServerConfig>, String) {
        Self::self_signed_until(name, 4096)
    }

    /// The same, valid until this year.
    pub(crate) fn self_signed_until(name: &str, year: i32) -> (Arc<ServerConfig>, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        (serving(&certificate, &key), certificate.pem())
    }

    /// A server whose certificate has these alternative names: URIs if they have a colon, else DNS names.
    pub(crate) fn server_named(&self, names: &[&str]) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = names
            .iter()
            .map(|name| match name.contains(':') {
                true => SanType::URI((*name).try_into().unwrap()),
                false => SanType::DnsName((*name).try_into().unwrap()),
            })
            .collect();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        serving(&certificate, &key)
    }

    pub(crate) fn issue(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            cert: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// The pin of its own key.
    pub(crate) fn pin(&self) -> String {
        pin_of(self.issuer.key())
    }

    /// A server whose certificate is for `name`, and the pin of its key.
    pub(crate) fn server_with_pin(&self, name: &str) -> (Arc<ServerConfig>, String) {
        self.server_sending(name, &[])
    }

    /// The same, that sends another authority's certificate along, which has nothing to do with its own.
    pub(crate) fn server_sending_along(
        &self,
        name: &str,
        other: &Authority,
    ) -> (Arc<ServerConfig>, String) {
        self.server_sending(name, &[&other.certificate])
    }

    fn server_sending(
        &self,
        name: &str,
        along: &[&rcgen::Certificate],
    ) -> (Arc<ServerConfig>, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let chain = [&certificate].into_iter().chain(along.iter().copied());
        let chain = chain.map(|one| CertificateDer::from(one.der().to_vec()));
        let pin = pin_of(&key);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.collect(), key)
            .unwrap();
        (Arc::new(config), pin)
    }

    /// A server whose certificate is for `name`; with `clients`, it wants one of ours from them.
    pub(crate) fn server(&self, name: &str, clients: bool) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if clients {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        Arc::new(builder.with_single_cert(chain, key).unwrap())
    }
}
