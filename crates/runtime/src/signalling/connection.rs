//! An open connection to a server, whatever it runs over: one future reads and writes.

use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpStream, UdpSocket};
use tokio_tungstenite::WebSocketStream;

use super::datagrams::Datagrams;
use super::error::DownReason;
use super::message_stream::MessageStream;
use super::paced::Paced;
use super::transport::Stream;
use super::websocket::WebSocket;

/// A server that lets this much wait (hundreds of messages) is not reading any more.
pub(super) const MAX_WAITING: usize = 1024 * 1024;
/// While this much waits for a server, nothing more is read from it: who asks faster than it listens shall wait, and what we
/// have to say by ourselves has the rest of the room.
pub(super) const CROWDED: usize = 256 * 1024;

/// What an open connection gave.
#[derive(Debug)]
pub enum Incoming {
    /// One SIP message, or a CRLF keep-alive.
    Message(Bytes),
    /// The answer to our WebSocket ping.
    Pong,
    /// The connection is over; nothing follows.
    Down(DownReason),
}

/// Where a connection begins and ends, as far as the system tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    local: Option<SocketAddr>,
    peer: Option<SocketAddr>,
}

impl Ends {
    pub(super) fn of(tcp: &TcpStream) -> Ends {
        Ends {
            local: tcp.local_addr().ok(),
            peer: tcp.peer_addr().ok(),
        }
    }
}

/// An open connection to a server.
#[derive(Debug)]
pub struct Connection {
    carrier: Protocol,
    ends: Ends,
}

#[derive(Debug)]
enum Protocol {
    WebSocket(Box<WebSocket>),
    Stream(Box<MessageStream>),
    Datagrams(Datagrams),
}

impl Connection {
    pub(super) fn websocket(stream: WebSocketStream<Paced>, ends: Ends) -> Connection {
        Connection {
            carrier: Protocol::WebSocket(Box::new(WebSocket::new(stream))),
            ends,
        }
    }

    /// SIP as it is, over TCP or TLS.
    pub(super) fn stream(stream: Stream, ends: Ends) -> Connection {
        Connection {
            carrier: Protocol::Stream(Box::new(MessageStream::new(stream))),
            ends,
        }
    }

    /// SIP over UDP; the socket is connected to the server.
    pub(super) fn datagrams(socket: UdpSocket) -> Connection {
        let ends = Ends {
            local: socket.local_addr().ok(),
            peer: socket.peer_addr().ok(),
        };
        Connection {
            carrier: Protocol::Datagrams(Datagrams::new(socket)),
            ends,
        }
    }

    /// The server's address.
    pub fn peer(&self) -> Option<IpAddr> {
        self.ends.peer.map(|peer| peer.ip())
    }

    /// The addresses of both ends, ours first.
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        Some((self.ends.local?, self.ends.peer?))
    }

    /// For how long a message over TCP or TLS has begun and not ended.
    pub(super) fn unfinished(&self) -> Option<Duration> {
        match &self.carrier {
            Protocol::Stream(stream) => stream.unfinished(),
            Protocol::WebSocket(_) | Protocol::Datagrams(_) => None,
        }
    }

    /// Queues one SIP message; it leaves while [`Connection::next`] is polled.
    pub fn send(&mut self, message: Bytes) {
        match &mut self.carrier {
            Protocol::WebSocket(socket) => socket.send(message),
            Protocol::Stream(stream) => stream.send(message),
            Protocol::Datagrams(datagrams) => datagrams.send(message),
        }
    }

    /// Queues a WebSocket ping; elsewhere keep-alives are messages.
    pub fn ping(&mut self) {
        match &mut self.carrier {
            Protocol::WebSocket(socket) => socket.ping(),
            Protocol::Stream(_) | Protocol::Datagrams(_) => {}
        }
    }

    /// Waits for the next thing the server says and sends what is queued meanwhile; cancel-safe.
    pub async fn next(&mut self) -> Incoming {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Sends what is queued and closes, with a handshake if there is one, waiting at most `limit`.
    pub async fn close(mut self, limit: Duration) {
        let farewell = async {
            match &mut self.carrier {
                Protocol::WebSocket(socket) => {
                    socket.say_goodbye();
                    while let Incoming::Message(_) | Incoming::Pong = self.next().await {}
                }
                Protocol::Stream(stream) => stream.finish().await,
                Protocol::Datagrams(datagrams) => datagrams.finish().await,
            }
        };
        let _ = tokio::time::timeout(limit, farewell).await;
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        match &mut self.carrier {
            Protocol::WebSocket(socket) => socket.poll_next(cx),
            Protocol::Stream(stream) => stream.poll_next(cx),
            Protocol::Datagrams(datagrams) => datagrams.poll_next(cx),
        }
    }
}
