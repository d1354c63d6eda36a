//! Through a proxy: its lookup, TCP, TLS to it, and what is said until it has opened a tunnel.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;
use tunnel::{Handshake, Output, Proxy, Scheme, Target, TunnelFault};

use super::asked::Asked;
use super::connect::{lookup, tcp};
use super::error::{self, ConnectError, ConnectStep};
use super::transport::{Carrier, Transport};

/// A head of an answer comes in one piece of this size.
const PIECE: usize = 4096;

/// One attempt to be let through a proxy.
pub(super) struct Passage<'a> {
    pub(super) proxy: &'a Proxy,
    /// For TLS to the proxy.
    pub(super) client: Option<Arc<ClientConfig>>,
    pub(super) asked: &'a Asked,
    pub(super) deadline: Instant,
    /// What an error says of the time.
    pub(super) limit: Duration,
}

impl Passage<'_> {
    /// Opens a tunnel.
    pub(super) async fn open(&self, target: &Target) -> Result<Transport, ConnectError> {
        let least = self.asked.least(self.proxy);
        let mut handshake = Handshake::new(self.proxy, target, least, rand::random());
        let mut carrier = self.dial().await?;
        loop {
            match handshake.poll_output() {
                Output::Transmit(octets) => {
                    let sent = self.in_time(send(&mut carrier, &octets)).await?;
                    if sent.is_err() {
                        handshake.handle_end().map_err(|fault| self.failed(fault))?;
                    }
                }
                Output::Wait => {
                    let mut octets = [0; PIECE];
                    let read = self.in_time(carrier.read(&mut octets)).await?;
                    let taken = match read {
                        Ok(0) | Err(_) => handshake.handle_end(),
                        Ok(length) => handshake.handle_octets(&octets[..length]),
                    };
                    // At once: it may fail after this, or be given up at any time.
                    if let Some(strength) = handshake.asked() {
                        self.asked.remember(self.proxy, strength);
                    }
                    taken.map_err(|fault| self.failed(fault))?;
                }
                Output::Reconnect => {
                    drop(carrier);
                    carrier = self.dial().await?;
                    handshake.handle_reconnected();
                }
                Output::Open(early) => {
                    return Ok(Transport::new(carrier, early));
                }
            }
        }
    }

    async fn dial(&self) -> Result<Carrier, ConnectError> {
        let (host, port) = (&*self.proxy.host, self.proxy.port);
        let addresses = self
            .within(ConnectStep::ProxyLookup, lookup(host, port))
            .await?
            .map_err(|source| ConnectError::UnknownProxy {
                proxy: self.proxy.to_string(),
                source,
            })?;
        let tcp = self
            .within(ConnectStep::ProxyTcp, tcp(addresses))
            .await?
            .map_err(|source| error::from_proxy_tcp(self.proxy.to_string(), source))?;
        // Both sides wait for each other's few octets.
        let _ = tcp.set_nodelay(true);
        let client = match (&self.client, self.proxy.scheme) {
            (Some(client), Scheme::Https) => Arc::clone(client),
            (_, Scheme::Http | Scheme::Socks5) | (None, Scheme::Https) => {
                return Ok(Carrier::Plain(tcp));
            }
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            let why = "its host is no name that a certificate could have".to_owned();
            self.tls_failed(why)
        })?;
        self.within(
            ConnectStep::ProxyTls,
            TlsConnector::from(client).connect(name, tcp),
        )
        .await?
        .map(|stream| Carrier::Tls(Box::new(stream.into())))
        .map_err(|error| self.tls_failed(error::tls_fault(&error)))
    }

    fn failed(&self, fault: TunnelFault) -> ConnectError {
        ConnectError::Tunnel {
            proxy: self.proxy.to_string(),
            fault,
        }
    }

    fn tls_failed(&self, why: String) -> ConnectError {
        ConnectError::ProxyTls {
            proxy: self.proxy.to_string(),
            why,
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, ConnectError> {
        self.within(ConnectStep::Tunnel, work).await
    }

    async fn within<T>(
        &self,
        step: ConnectStep,
        work: impl Future<Output = T>,
    ) -> Result<T, ConnectError> {
        let late = |_| ConnectError::ProxyTimedOut {
            proxy: self.proxy.to_string(),
            step,
            after: self.limit,
        };
        timeout_at(self.deadline, work).await.map_err(late)
    }
}

async fn send(carrier: &mut Carrier, octets: &[u8]) -> io::Result<()> {
    carrier.write_all(octets).await?;
    carrier.flush().await
}
