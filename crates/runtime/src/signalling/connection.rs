//! An open WebSocket: what is to be sent waits in a bounded queue, one future reads and writes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, Stream as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use super::error::{self, DownReason};
use super::paced::Paced;

/// A server that lets this much wait (hundreds of messages) is not reading any more.
const MAX_WAITING: usize = 1024 * 1024;
/// While this much waits for a server, nothing more is read from it: who asks faster than it listens shall wait, and what we
/// have to say by ourselves has the rest of the room.
const CROWDED: usize = 256 * 1024;
/// Control frames that are taken in one go: what else this task does may not wait for a server that sends nothing else.
const MOST_CONTROL: usize = 64;

/// What an open connection gave.
#[derive(Debug)]
pub enum Incoming {
    /// A text or binary message: one SIP message, or a CRLF keep-alive.
    Message(Bytes),
    /// The answer to our ping.
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

/// An open WebSocket with the subprotocol `sip`.
#[derive(Debug)]
pub struct Connection {
    stream: WebSocketStream<Paced>,
    ends: Ends,
    /// Capacity [`MAX_WAITING`] bytes; when it is full the connection is given up as stuck.
    waiting: VecDeque<Message>,
    waiting_bytes: usize,
    unflushed: bool,
}

impl Connection {
    pub(super) fn new(stream: WebSocketStream<Paced>, ends: Ends) -> Connection {
        Connection {
            stream,
            ends,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            unflushed: false,
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

    /// Queues one SIP message; it leaves while [`Connection::next`] is polled.
    pub fn send(&mut self, message: Bytes) {
        // RFC 7118 §5: text where it is UTF-8, which every peer can read; binary otherwise.
        let message = match Utf8Bytes::try_from(message.clone()) {
            Ok(text) => Message::Text(text),
            Err(_) => Message::Binary(message),
        };
        self.queue(message);
    }

    /// Queues a WebSocket ping.
    pub fn ping(&mut self) {
        self.queue(Message::Ping(Bytes::new()));
    }

    /// Waits for the next thing the server says and sends what is queued meanwhile; cancel-safe.
    pub async fn next(&mut self) -> Incoming {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Sends what is queued and closes with a handshake, waiting at most `limit`.
    pub async fn close(mut self, limit: Duration) {
        let farewell = async {
            self.queue(Message::Close(None));
            while let Incoming::Message(_) | Incoming::Pong = self.next().await {}
        };
        let _ = tokio::time::timeout(limit, farewell).await;
    }

    fn queue(&mut self, message: Message) {
        self.waiting_bytes += message.len();
        self.waiting.push_back(message);
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        if let Err(error) = self.poll_send(cx) {
            return Poll::Ready(Incoming::Down(error::down(error)));
        }
        if self.waiting_bytes > MAX_WAITING {
            return Poll::Ready(Incoming::Down(DownReason::Stuck {
                waiting: self.waiting_bytes,
            }));
        }
        if self.waiting_bytes > CROWDED {
            // Whoever could not be written to wakes us.
            return Poll::Pending;
        }
        self.stream.get_mut().begin_turn();
        for _ in 0..MOST_CONTROL {
            let message = match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => {
                    return Poll::Ready(Incoming::Down(DownReason::Closed(None)));
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Incoming::Down(error::down(error)));
                }
                Poll::Ready(Some(Ok(message))) => message,
            };
            match message {
                Message::Text(text) => return Poll::Ready(Incoming::Message(text.into())),
                Message::Binary(bytes) => return Poll::Ready(Incoming::Message(bytes)),
                Message::Pong(_) => return Poll::Ready(Incoming::Pong),
                Message::Close(frame) => {
                    let why = frame.map(|f| (f.code.into(), f.reason.as_str().to_owned()));
                    return Poll::Ready(Incoming::Down(DownReason::Closed(why)));
                }
                Message::Ping(_) | Message::Frame(_) => {}
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<(), tungstenite::Error> {
        let mut stream = Pin::new(&mut self.stream);
        while !self.waiting.is_empty() {
            match stream.as_mut().poll_ready(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(ready) => ready?,
            }
            if let Some(message) = self.waiting.pop_front() {
                self.waiting_bytes -= message.len();
                stream.as_mut().start_send(message)?;
                self.unflushed = true;
            }
        }
        if self.unflushed {
            match stream.as_mut().poll_flush(cx) {
                Poll::Pending => {}
                Poll::Ready(flushed) => {
                    flushed?;
                    self.unflushed = false;
                }
            }
        }
        Ok(())
    }
}
